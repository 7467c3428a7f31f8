// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks that a recording takes and gives back itself, as other flows would: "hold" and "drop".
 * A "drop" gives back only what a "hold" of the same recording took: a lock that a call holds (VP.ENTER keeps some while
 * its guest runs) would else be torn from it.
 * Looking at lock words is vectors_look.c.
 */
#include <assert.h>

#include "sim/lab/util.h"
#include "sim/lab/vectors_int.h"

struct seam_hold vec_lock_of(const struct vec_file *f, const struct vec_event *ev)
{
	return (struct seam_hold){
		.id = ev->what,
		.obj = ev->obj,
		.gpa = vec_in(f, ev, VEC_K_GPA, 0),
		.level = (u8)vec_in(f, ev, VEC_K_LEVEL, 0),
		.shared = ev->flags & VEC_SHARED,
		.guest = ev->flags & VEC_SIDE,
	};
}

/* "drop" needs the fields of its "hold" (FORMAT); which side took a lock makes no difference to its release. */
static bool vec_same(const struct seam_hold *a, const struct seam_hold *b)
{
	return a->id == b->id && a->obj == b->obj && a->gpa == b->gpa && a->level == b->level &&
	       a->shared == b->shared;
}

static struct seam_hold *vec_find_hold(struct vec_holds *hs, const struct seam_hold *h)
{
	u32 i;

	for (i = hs->nr; i--;)
		if (vec_same(&hs->h[i], h))
			return &hs->h[i];
	return NULL;
}

/* Is there such a lock now? */
static bool vec_lock_exists(struct seam *s, const struct seam_hold *h)
{
	struct seam_sept_view v;
	u16 word;

	if (h->id == SEAM_LOCK_SEPT)
		return seam_look_sept(s, h->obj, h->gpa, h->level, &v) && v.level == h->level;
	return seam_lock_word(s, h, &word);
}

static enum seam_hold_result vec_drop(struct vec_holds *hs, struct seam *s,
				      const struct seam_hold *h)
{
	struct seam_hold *held = vec_find_hold(hs, h);

	if (!held)
		/* Where there is no lock, the module says what is missing. */
		return vec_lock_exists(s, h) ? SEAM_HOLD_NOTHELD : seam_drop(s, h);
	assert(hs->nr);
	*held = hs->h[--hs->nr];
	return seam_drop(s, h);
}

static enum seam_hold_result vec_hold(struct vec_holds *hs, struct seam *s,
				      const struct seam_hold *h)
{
	enum seam_hold_result r = seam_hold(s, h);

	if (r == SEAM_HOLD_OK) {
		hs->h = lab_grow(hs->h, &hs->cap, hs->nr + 1, sizeof(*hs->h));
		hs->h[hs->nr++] = *h;
	}
	return r;
}

void vec_hold_or_drop(struct vec_holds *hs, const struct vec_file *f, const struct vec_event *ev,
		      struct seam *s, struct vec_result *res)
{
	static const u8 forms[] = {
		[SEAM_HOLD_OK] = VEC_F_OK,	   [SEAM_HOLD_BUSY] = VEC_F_BUSY,
		[SEAM_HOLD_NOTD] = VEC_F_NOTD,	   [SEAM_HOLD_NOWALK] = VEC_F_NOWALK,
		[SEAM_HOLD_NOPAMT] = VEC_F_NOPAMT, [SEAM_HOLD_NOTHELD] = VEC_F_NOTHELD,
	};
	struct seam_hold h = vec_lock_of(f, ev);

	res->keys = 0;
	res->form = forms[ev->verb == VEC_V_HOLD ? vec_hold(hs, s, &h) : vec_drop(hs, s, &h)];
}
