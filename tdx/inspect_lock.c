// SPDX-License-Identifier: GPL-2.0-only
/*
 * One lock taken or released from outside, as another flow of the module would (vectors' "hold" and
 * "drop"), and lock words. A refused hold has all the side effects of a refused attempt; nothing
 * else of a flow happens.
 */
#include "tdx/inspect.h"
#include "tdx/internal.h"

enum word_kind {
	WORD_SHAREX,
	WORD_SHAREX_HP,
	WORD_MUTEX,
	WORD_ENTRY,
};

struct word {
	enum word_kind kind;
	u16 *word;
	u64 *entry;
};

static enum seam_hold_result find_td_word(struct seam *s, const struct seam_hold *h, struct word *w)
{
	struct seam_td *td = seam_td_find(s, h->obj);
	struct seam_pos p;

	if (!td)
		return SEAM_HOLD_NOTD;
	w->kind = WORD_SHAREX;
	switch (h->id) {
	case SEAM_LOCK_OPSTATE:
		w->kind = WORD_SHAREX_HP;
		w->word = &td->opstate_lock;
		return SEAM_HOLD_OK;
	case SEAM_LOCK_SEPTTREE:
		w->kind = s->f.tree_hp ? WORD_SHAREX_HP : WORD_SHAREX;
		w->word = &td->tree_lock;
		return SEAM_HOLD_OK;
	case SEAM_LOCK_EPOCH:
		w->word = &td->epoch_lock;
		return SEAM_HOLD_OK;
	default:
		break;
	}
	w->kind = WORD_ENTRY;
	/*
	 * Also of a TD that is being taken apart: its tables stay in memory until somebody uses the
	 * pages.
	 */
	if (td->nr_tdcx < SEAM_TDCX_MIN)
		return SEAM_HOLD_NOTD;
	if (h->level > seam_sept_top(td) || !seam_sept_walk(s, td, 0, h->gpa, h->level, &p))
		return SEAM_HOLD_NOWALK;
	w->entry = p.entry;
	return SEAM_HOLD_OK;
}

static enum seam_hold_result find_word(struct seam *s, const struct seam_hold *h, struct word *w)
{
	struct seam_pamt_entry *e;

	switch (h->id) {
	case SEAM_LOCK_TDR:
	case SEAM_LOCK_PAMT:
		if (!seam_pamt_in_range(s, h->obj))
			return SEAM_HOLD_NOPAMT;
		e = seam_pamt_at(s, h->obj, h->id == SEAM_LOCK_TDR ? 0 : h->level);
		if (!e)
			return SEAM_HOLD_NOPAMT;
		w->kind = WORD_SHAREX_HP;
		w->word = &e->lock;
		return SEAM_HOLD_OK;
	case SEAM_LOCK_KOT:
		w->kind = WORD_SHAREX;
		w->word = &s->kot_lock;
		return SEAM_HOLD_OK;
	case SEAM_LOCK_WBT:
		if (h->obj >= s->cfg.pkgs)
			return SEAM_HOLD_NOTHELD;
		w->kind = WORD_MUTEX;
		w->word = &s->wb[h->obj].lock;
		return SEAM_HOLD_OK;
	default:
		return find_td_word(s, h, w);
	}
}

enum seam_hold_result seam_hold(struct seam *s, const struct seam_hold *h)
{
	enum seam_mode mode = h->shared ? SEAM_SH : SEAM_EX;
	enum seam_side side = h->guest ? SEAM_GUEST : SEAM_HOST;
	enum seam_hold_result r;
	enum seam_try t = SEAM_TRY_BUSY;
	struct word w;

	r = find_word(s, h, &w);
	if (r != SEAM_HOLD_OK)
		return r;
	switch (w.kind) {
	case WORD_SHAREX:
		t = seam_sharex_try(w.word, mode);
		break;
	case WORD_SHAREX_HP:
		t = seam_sharex_hp_try(w.word, mode, side);
		break;
	case WORD_MUTEX:
		t = seam_mutex_try(w.word);
		break;
	case WORD_ENTRY:
		t = seam_entry_try(w.entry, side);
		break;
	}
	if (t != SEAM_TRY_OK)
		return SEAM_HOLD_BUSY;
	s->nr_holds++;
	return SEAM_HOLD_OK;
}

static bool is_held(const struct word *w, bool shared)
{
	u16 readers = w->kind == WORD_SHAREX_HP ? 4 : 2;

	if (w->kind == WORD_ENTRY)
		return *w->entry & SEPT_LOCK;
	if (shared && w->kind != WORD_MUTEX)
		return *w->word >= readers;
	return *w->word & SEAM_WORD_EX;
}

enum seam_hold_result seam_drop(struct seam *s, const struct seam_hold *h)
{
	enum seam_mode mode = h->shared ? SEAM_SH : SEAM_EX;
	enum seam_hold_result r;
	struct word w;

	r = find_word(s, h, &w);
	/* The entry went away under the hold (PAMT.REMOVE): so did the hold. */
	if (r == SEAM_HOLD_NOPAMT && s->nr_holds)
		s->nr_holds--;
	if (r != SEAM_HOLD_OK)
		return r;
	if (!is_held(&w, h->shared))
		return SEAM_HOLD_NOTHELD;
	switch (w.kind) {
	case WORD_SHAREX:
		seam_sharex_release(w.word, mode);
		break;
	case WORD_SHAREX_HP:
		seam_sharex_hp_release(w.word, mode);
		break;
	case WORD_MUTEX:
		seam_mutex_release(w.word);
		break;
	case WORD_ENTRY:
		seam_entry_release(w.entry);
		break;
	}
	s->nr_holds -= s->nr_holds ? 1 : 0;
	return SEAM_HOLD_OK;
}

bool seam_lock_word(const struct seam *s, const struct seam_hold *h, u16 *word)
{
	bool pamt = h->id == SEAM_LOCK_TDR || h->id == SEAM_LOCK_PAMT;
	struct seam_pamt_entry e;
	struct word w;

	if (pamt) {
		if (!seam_pamt_in_range(s, h->obj) ||
		    !seam_pamt_peek(s, h->obj, h->id == SEAM_LOCK_TDR ? 0 : h->level, &e))
			return false;
		*word = e.lock;
		return true;
	}
	/* Finding a word that is no PAMT entry stores nothing. */
	if (find_word((struct seam *)s, h, &w) != SEAM_HOLD_OK)
		return false;
	if (w.kind == WORD_ENTRY)
		*word = (u16)((*w.entry & SEPT_LOCK ? 1 : 0) | (*w.entry & SEPT_HP ? 2 : 0));
	else
		*word = *w.word;
	return true;
}
