// SPDX-License-Identifier: GPL-2.0-only
/*
 * L1 S-EPT entries: states, values, walk, and the one way to write them (tdx-module.md 4).
 * L2 entries and their aliases are in l2.c; which states a leaf accepts is in the leaf's file.
 *
 *   63  60..58  56  55  54   53   52  51..12  11   10  9  8  7   6     5:3  2:0
 *   SVE aliases TDP TDB TDBW TDEX HP   HPA    LOCK  Xu  D  A  PS  IPAT  MT   XWR
 */
#include <assert.h>

#include "sim/rt/phys.h"
#include "sim/rt/sched.h"
#include "tdx/leaf.h"
#include "tdx/trace.h"

/* State bits in memory of each state (4.1). */
#define BITS_LEAF (SEPT_PS | SEPT_IPAT)
#define SEAM_STATE_BITS(X)                                            \
	X(SEAM_SEPT_FREE, SEPT_TDB | SEPT_TDBW | SEPT_TDEX)           \
	X(SEAM_SEPT_REMOVED, SEPT_TDB | SEPT_TDBW)                    \
	X(SEAM_SEPT_NL_MAPPED, 0)                                     \
	X(SEAM_SEPT_NL_BLOCKED, SEPT_TDB)                             \
	X(SEAM_SEPT_MAPPED, BITS_LEAF)                                \
	X(SEAM_SEPT_BLOCKED, BITS_LEAF | SEPT_TDB)                    \
	X(SEAM_SEPT_PENDING, BITS_LEAF | SEPT_TDP)                    \
	X(SEAM_SEPT_PENDING_BLOCKED, BITS_LEAF | SEPT_TDP | SEPT_TDB) \
	X(8, BITS_LEAF | SEPT_TDBW)                                   \
	X(9, BITS_LEAF | SEPT_TDBW | SEPT_TDEX)                       \
	X(11, BITS_LEAF | SEPT_TDEX | SEPT_D)                         \
	X(12, BITS_LEAF | SEPT_TDBW | SEPT_TDEX | SEPT_D)             \
	X(16, BITS_LEAF | SEPT_TDP | SEPT_TDBW)                       \
	X(17, BITS_LEAF | SEPT_TDP | SEPT_TDBW | SEPT_TDEX)           \
	X(19, BITS_LEAF | SEPT_TDP | SEPT_TDEX | SEPT_D)              \
	X(20, BITS_LEAF | SEPT_TDP | SEPT_TDBW | SEPT_TDEX | SEPT_D)

/* The seven state bits side by side: TDP TDB TDBW TDEX (56:53), D (9), PS IPAT (7:6). */
#define STATE_INDEX(val) \
	(RT_FIELD(val, 56, 53) << 3 | RT_FIELD(val, 9, 9) << 2 | RT_FIELD(val, 7, 6))

u8 seam_sept_state(u64 val)
{
	/* Inverted, so that combinations that are no state read as 0xff. */
	static const u8 inverted[128] = {
#define SEAM_X(state, bits) [STATE_INDEX(bits)] = (u8) ~(state),
		SEAM_STATE_BITS(SEAM_X)
#undef SEAM_X
	};

	return (u8)~inverted[STATE_INDEX(val)];
}

static u64 state_bits(u8 state)
{
	switch (state) {
#define SEAM_X(st, bits) \
	case st:         \
		return bits;
		SEAM_STATE_BITS(SEAM_X)
#undef SEAM_X
	}
	assert(!"no such state");
	return 0;
}

bool seam_state_any_blocked(u8 state)
{
	return state == SEAM_SEPT_NL_BLOCKED || state == SEAM_SEPT_BLOCKED ||
	       state == SEAM_SEPT_PENDING_BLOCKED;
}

u64 seam_sept_hpa(const struct seam *s, u64 val, u32 level)
{
	u64 hpa = val & SEPT_HPA & seam_pa_mask(s);

	return seam_sept_is_leaf(val) ? hpa & ~(SEAM_LEVEL_SIZE(level) - 1) : hpa;
}

u64 seam_sept_shown(const struct seam *s, u64 val)
{
	u64 perms = val & (SEPT_RWX | SEPT_XU | SEPT_PS);

	if ((val & SEPT_STATE_BITS) == (SEPT_FREE_VALUE & SEPT_STATE_BITS))
		return val & SEPT_SVE;
	if (!seam_sept_is_leaf(val))
		return perms;
	/* Accept counter and all: bits 20:12 of a half accepted 2M page show (4.4, quirk). */
	return perms | (val & (SEPT_MT | SEPT_IPAT | SEPT_SVE)) |
	       (val & SEPT_HPA & seam_pa_mask(s));
}

u64 seam_sept_info(const struct seam_pos *p)
{
	u8 state = p->vm ? seam_l2_state(p->val) : seam_sept_state(p->val);

	return p->level | (u64)state << 8 | (u64)p->vm << 16;
}

/*
 * RWX as the state has them; bit 10 is there only in present entries, and only in newer releases.
 */
static u64 perms_of(const struct seam *s, u8 state)
{
	bool present = state == SEAM_SEPT_MAPPED || state == SEAM_SEPT_NL_MAPPED;

	if (!present)
		return 0;
	return SEPT_RWX | (s->f.bit10_in_present ? SEPT_XU : 0);
}

u64 seam_sept_make_leaf(const struct seam *s, const struct seam_td *td, u64 hpa, u8 state)
{
	u64 key = s->f.hkid_in_leaf ? (u64)td->hkid << (SEAM_MAXPA - s->cfg.keyid_bits) : 0;

	assert(!(hpa & ~seam_pa_mask(s)));
	return SEPT_SVE | SEPT_MT_WB | hpa | key | state_bits(state) | perms_of(s, state);
}

u64 seam_sept_make_table(const struct seam *s, u64 hpa, u8 state)
{
	assert(state == SEAM_SEPT_NL_MAPPED || state == SEAM_SEPT_NL_BLOCKED);
	assert(!(hpa & ~seam_pa_mask(s)));
	return SEPT_SVE | hpa | state_bits(state) | perms_of(s, state);
}

u64 seam_sept_with_state(const struct seam *s, u64 val, u8 state)
{
	val &= ~(SEPT_STATE_BITS | SEPT_RWX | SEPT_XU | SEPT_A);
	return val | state_bits(state) | perms_of(s, state);
}

u32 seam_sept_top(const struct seam_td *td)
{
	return td->pml5 ? 4 : 3;
}

bool seam_gpa_private(const struct seam_td *td, u64 gpa)
{
	u32 shared_bit = td->config_flags & SEAM_CONFIG_GPAW ? 51 : 47;

	return !(gpa >> shared_bit);
}

u64 *seam_sept_table(const struct seam *s, const struct seam_td *td, u64 table_hpa)
{
	return rt_phys_table(table_hpa, seam_key(s, td));
}

static u64 root_of(const struct seam_td *td, u32 vm)
{
	assert(td->nr_tdcx > (vm ? SEAM_TDCX_L2 + vm - 1 : SEAM_TDCX_SEPT));
	return td->tdcx[vm ? SEAM_TDCX_L2 + vm - 1 : SEAM_TDCX_SEPT];
}

bool seam_sept_walk(const struct seam *s, const struct seam_td *td, u32 vm, u64 gpa, u32 level,
		    struct seam_pos *p)
{
	u64 *table = seam_sept_table(s, td, root_of(td, vm));

	assert(vm <= td->nr_l2 && level <= seam_sept_top(td));
	p->gpa = gpa;
	p->vm = (u8)vm;
	for (u32 l = seam_sept_top(td);; l--) {
		p->entry = &table[(gpa >> SEAM_LEVEL_SHIFT(l)) % SEPT_ENTRIES];
		p->level = (u8)l;
		seam_sept_reread(p);
		if (l == level)
			return true;
		if (!(p->val & SEPT_RWX) || seam_sept_is_leaf(p->val))
			return false;
		table = seam_sept_table(s, td, p->val & SEPT_HPA & seam_pa_mask(s));
	}
}

void seam_sept_reread(struct seam_pos *p)
{
	p->val = *p->entry & ~(SEPT_LOCK | SEPT_HP);
}

void seam_sept_write(struct seam_ctx *c, struct seam_pos *p, u64 val)
{
	const struct seam_observer *o = c->s->observer;
	u64 kept = SEPT_LOCK;

	assert(p->entry && c->td);
	assert(!(val & (SEPT_LOCK | SEPT_HP)));
	if ((*p->entry & SEPT_LOCK) && !c->wrote_locked) {
		c->wrote_locked = true;
		seam_point(c, RT_PT_HELD, SEAM_AT_WRITE | SEAM_AT(c->lp->id, p->gpa));
	}
	/* A reservation made while we held the entry: older releases write over it (4.5). */
	if (c->s->f.entry_hp_survives)
		kept |= SEPT_HP;
	if (!p->vm) {
		u8 from = seam_sept_state(*p->entry), to = seam_sept_state(val);

		c->s->nr_sept_writes += from != to;
		if (o && o->entry)
			o->entry(o->ctx, c->row, from, to);
		if (from != to)
			rt_trace(&seam_ev_sept, RT_PH_INSTANT, c->td->tdr, p->gpa, p->level, from,
				 to);
	}
	*p->entry = (val & ~(SEPT_LOCK | SEPT_HP)) | (*p->entry & kept);
	p->val = val & ~(SEPT_LOCK | SEPT_HP);
	seam_cost(c->s, SEAM_COST_ATOMIC, 1);
}

void seam_sept_fill_free(struct seam *s, const struct seam_td *td, u64 table_hpa)
{
	u64 *e = seam_sept_table(s, td, table_hpa);

	assert(!(table_hpa & (SEAM_LEVEL_SIZE(0) - 1)));
	for (u32 i = 0; i < SEPT_ENTRIES; i++)
		e[i] = SEPT_FREE_VALUE;
	seam_cost(s, SEAM_COST_STORE_LINE, 64);
}

void seam_sept_fill_children(struct seam *s, const struct seam_td *td, u64 table_hpa, u64 first,
			     u32 child_level)
{
	u64 *e = seam_sept_table(s, td, table_hpa);
	u64 step = SEAM_LEVEL_SIZE(child_level);

	assert(child_level <= 1 && seam_sept_is_leaf(first));
	assert(!(seam_sept_hpa(s, first, child_level) & (SEAM_LEVEL_SIZE(child_level + 1) - 1)));
	for (u32 i = 0; i < SEPT_ENTRIES; i += 4, first += 4 * step) {
		e[i] = first;
		e[i + 1] = first + step;
		e[i + 2] = first + 2 * step;
		e[i + 3] = first + 3 * step;
	}
	seam_cost(s, SEAM_COST_STORE_LINE, 64);
}
