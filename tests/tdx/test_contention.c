// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contention matrix of tdx-module.md 6.3: every call in the middle of every other, as two
 * actors, by the rules up to 1.5.16 and from 1.5.20 on, with and without Dynamic PAMT. The cells
 * are what the real module answered (its races were recorded; here they meet as actors do).
 * Contention between TDs and for locks outside the S-EPT is in test_contention_locks.c.
 */
#include "tests/tdx/duel.h"

#include <string.h>

#include "sim/rt/sched.h"
#include "tdx/lock.h"

/*
 *   GPA (4K table)                        GPA_2M (2M table), 2M each
 *   +1,+2 pages  FREE (AUG)               0,1  PENDING_BLOCKED (DEMOTE)
 *   +3,+4        PENDING (BLOCK)          2,3  NL_BLOCKED, 512 x PENDING (PROMOTE)
 *   +5,+6        PENDING_BLOCKED (RELOC.) 4,5  NL_BLOCKED, empty (SEPT.REMOVE)
 *   +7,+8        PENDING_BLOCKED (REMOVE) 6    PENDING (outer ACCEPT)
 *   +9,+10       PENDING_BLOCKED (UNBL.)  7    FREE (SEPT.ADD)
 *   +11,+12      PENDING (ACCEPT, RD)
 * Of two, the first is the outer call's, the second the inner one's. All that is blocked is
 * tracked. VCPU 0 is in the guest on LP 0 all the time; the host calls are made on LPs 2 and 3.
 */
#define P4K(n)	(GPA + (n)*SEAM_LEVEL_SIZE(0))
#define P2M(n)	((GPA_2M + (n)*SEAM_LEVEL_SIZE(1)) | 1)
#define PAIR(n) (0x7e000000ULL + (n)*2 * SEAM_LEVEL_SIZE(0))

struct arena {
	struct machine m;
	bool dpamt;
	u32 pairs;	/* handed out */
	u64 split_pair; /* of the outer DEMOTE */
	u64 pages[8];	/* free 4K pages in a range with pair */
	u32 nr_pages;
};

static struct seam_regs regs(u64 leaf, u64 rcx, u64 rdx, u64 r8)
{
	return (struct seam_regs){.rax = leaf, .rcx = rcx, .rdx = rdx, .r8 = r8};
}

static u64 next_pair(struct arena *a)
{
	return PAIR(a->pairs++);
}

static struct seam_regs demote_regs(struct arena *a, u64 info, u64 table, u64 pair)
{
	struct seam_regs r = regs(SEAM_TDH_MEM_PAGE_DEMOTE, info, a->m.tdr, table);

	if (a->dpamt) {
		r.r12 = pair;
		r.r13 = pair + SEAM_LEVEL_SIZE(0);
	}
	return r;
}

static void call_regs_ok(struct arena *a, struct seam_regs r)
{
	assert_int_equal(seam_call(a->m.s, 2, &r), SEAM_RET);
	expect_status(r.rax, SEAM_SUCCESS);
}

#define ok(a, leaf, rcx, rdx, r8) call_ok(&(a)->m, 2, leaf, rcx, rdx, r8)

static void track(struct arena *a)
{
	ok(a, MEM_TRACK, a->m.tdr, 0, 0);
}

static void make_small(struct arena *a)
{
	for (u32 i = 3; i <= 12; i++)
		ok(a, MEM_PAGE_AUG, P4K(i), a->m.tdr, machine_page(&a->m));
	for (u32 i = 5; i <= 10; i++)
		ok(a, MEM_RANGE_BLOCK, P4K(i), a->m.tdr, 0);
}

static void make_large(struct arena *a)
{
	u64 tdr = a->m.tdr;

	for (u32 i = 0; i < 4; i++) {
		ok(a, MEM_PAGE_AUG, P2M(i), tdr, machine_large(&a->m));
		ok(a, MEM_RANGE_BLOCK, P2M(i), tdr, 0);
	}
	for (u32 i = 4; i < 6; i++)
		ok(a, MEM_SEPT_ADD, P2M(i), tdr, machine_page(&a->m));
	ok(a, MEM_PAGE_AUG, P2M(6), tdr, machine_large(&a->m));
	track(a);
	for (u32 i = 2; i < 4; i++)
		call_regs_ok(a, demote_regs(a, P2M(i), machine_page(&a->m), next_pair(a)));
	for (u32 i = 2; i < 6; i++)
		ok(a, MEM_RANGE_BLOCK, P2M(i), tdr, 0);
}

static void arena_open(struct arena *a, const char *profile, bool dpamt)
{
	const struct seam_config cfg = {.profile = profile, .dynamic_pamt = dpamt};

	memset(a, 0, sizeof(*a));
	machine_init_cfg(&a->m, &cfg);
	a->dpamt = dpamt;
	if (dpamt)
		ok(a, PHYMEM_PAMT_ADD, SMALL | 1, 0x7ff00000, 0x7ff01000);
	td_build(&a->m, 0, 3);
	make_small(a);
	make_large(a);
	track(a);
	a->split_pair = next_pair(a);
	for (a->nr_pages = 0; a->nr_pages < RT_ARRAY_SIZE(a->pages); a->nr_pages++)
		a->pages[a->nr_pages] = machine_page(&a->m);
	enter(&a->m, 0, 0);
}

static void arena_close(struct arena *a)
{
	for (u32 lp = 0; lp < 2; lp++) {
		struct seam_vcpu_view v;

		if (seam_look_vcpu(a->m.s, a->m.vcpu[lp], &v) && v.in_guest)
			seam_guest_interrupt(a->m.s, lp, 0x30, &a->m.r);
	}
	machine_free(&a->m);
}

/* The outer calls: columns of the matrix. */
struct outer {
	const char *name;
	enum duel_at at;
	u32 n;
	u32 leaf; /* TDH; the guest's ACCEPT is marked by @guest */
	bool guest;
	u64 info; /* of its entry */
};

static const struct outer outers[] = {
	{"ACCEPT at poll 9", DUEL_POLL, 9, SEAM_TDG_MEM_PAGE_ACCEPT, true, P2M(6)},
	{"AUG at its write", DUEL_WRITE, 1, SEAM_TDH_MEM_PAGE_AUG, false, P4K(1)},
	{"BLOCK at its write", DUEL_WRITE, 1, SEAM_TDH_MEM_RANGE_BLOCK, false, P4K(3)},
	{"DEMOTE at its poll", DUEL_POLL, 1, SEAM_TDH_MEM_PAGE_DEMOTE, false, P2M(0)},
	{"DEMOTE at its write", DUEL_WRITE, 1, SEAM_TDH_MEM_PAGE_DEMOTE, false, P2M(0)},
	{"PROMOTE at its poll", DUEL_POLL, 1, SEAM_TDH_MEM_PAGE_PROMOTE, false, P2M(2)},
	{"PROMOTE at its write", DUEL_WRITE, 1, SEAM_TDH_MEM_PAGE_PROMOTE, false, P2M(2)},
	{"RELOCATE at its write", DUEL_WRITE, 1, SEAM_TDH_MEM_PAGE_RELOCATE, false, P4K(5)},
	{"REMOVE at its write", DUEL_WRITE, 1, SEAM_TDH_MEM_PAGE_REMOVE, false, P4K(7)},
	{"SEPT.REMOVE at its write", DUEL_WRITE, 1, SEAM_TDH_MEM_SEPT_REMOVE, false, P2M(4)},
	{"UNBLOCK at its write", DUEL_WRITE, 1, SEAM_TDH_MEM_RANGE_UNBLOCK, false, P4K(9)},
};

static struct duel_side outer_side(struct arena *a, const struct outer *o)
{
	struct duel_side s = {.lp = 2};

	s.in = regs(o->leaf, o->info, a->m.tdr, 0);
	if (o->guest) {
		s.lp = 0;
		s.guest = true;
		s.in.rdx = 0;
	} else if (o->leaf == SEAM_TDH_MEM_PAGE_DEMOTE) {
		s.in = demote_regs(a, o->info, a->pages[0], a->split_pair);
	} else if (o->leaf == SEAM_TDH_MEM_PAGE_AUG || o->leaf == SEAM_TDH_MEM_PAGE_RELOCATE) {
		s.in.r8 = a->pages[0];
	}
	return s;
}

/* The inner calls: rows. "Same" ones are made for the outer call's entry. */
enum inner {
	SEPT_RD_SAME,
	SEPT_RD,
	SEPT_ADD,
	AUG,
	BLOCK,
	BLOCK_SAME,
	UNBLOCK,
	REMOVE,
	RELOCATE,
	DEMOTE,
	PROMOTE,
	SEPT_REMOVE,
	TRACK,
	ENTER,
	FLUSH,
	CREATE,
	FINALIZE,
	MNG_RD,
	RDMD_TDR,
	RECLAIM_TDR,
	WBINVD,
	ACCEPT,
	ACCEPT_SAME,
	PAMT_ADD,
	PAMT_REMOVE,
	DEMOTE_PAIR, /* with the pair that the outer DEMOTE takes */
	NR_INNER,
};

static const char *const inner_names[NR_INNER] = {
	"SEPT.RD same", "SEPT.RD",     "SEPT.ADD", "AUG",    "BLOCK",	    "BLOCK same",
	"UNBLOCK",	"REMOVE",      "RELOCATE", "DEMOTE", "PROMOTE",	    "SEPT.REMOVE",
	"TRACK",	"ENTER",       "FLUSH",	   "CREATE", "FINALIZE",    "MNG.RD",
	"RDMD tdr",	"RECLAIM tdr", "WBINVD",   "ACCEPT", "ACCEPT same", "PAMT.ADD",
	"PAMT.REMOVE",	"DEMOTE pair",
};

static struct seam_regs inner_regs(struct arena *a, enum inner in, const struct outer *o)
{
	const u64 max_vcpus = 0x9110000200000002ULL;
	u64 tdr = a->m.tdr, page = a->pages[1];

	switch (in) {
	case SEPT_RD_SAME:
		return regs(SEAM_TDH_MEM_SEPT_RD, o->info, tdr, 0);
	case SEPT_RD:
		return regs(SEAM_TDH_MEM_SEPT_RD, P4K(12), tdr, 0);
	case SEPT_ADD:
		return regs(SEAM_TDH_MEM_SEPT_ADD, P2M(7), tdr, page);
	case AUG:
		return regs(SEAM_TDH_MEM_PAGE_AUG, P4K(2), tdr, page);
	case BLOCK:
		return regs(SEAM_TDH_MEM_RANGE_BLOCK, P4K(4), tdr, 0);
	case BLOCK_SAME:
		return regs(SEAM_TDH_MEM_RANGE_BLOCK, o->info, tdr, 0);
	case UNBLOCK:
		return regs(SEAM_TDH_MEM_RANGE_UNBLOCK, P4K(10), tdr, 0);
	case REMOVE:
		return regs(SEAM_TDH_MEM_PAGE_REMOVE, P4K(8), tdr, 0);
	case RELOCATE:
		return regs(SEAM_TDH_MEM_PAGE_RELOCATE, P4K(6), tdr, page);
	case DEMOTE:
		return demote_regs(a, P2M(1), page, next_pair(a));
	case DEMOTE_PAIR:
		return demote_regs(a, P2M(1), page, a->split_pair);
	case PROMOTE:
		return regs(SEAM_TDH_MEM_PAGE_PROMOTE, P2M(3), tdr, 0);
	case SEPT_REMOVE:
		return regs(SEAM_TDH_MEM_SEPT_REMOVE, P2M(5), tdr, 0);
	case TRACK:
		return regs(SEAM_TDH_MEM_TRACK, tdr, 0, 0);
	case ENTER:
		return regs(SEAM_TDH_VP_ENTER, a->m.vcpu[1], 0, 0);
	case FLUSH: /* of the VCPU that is in the guest, or of one that another LP has */
		return regs(SEAM_TDH_VP_FLUSH, a->m.vcpu[o->guest ? 0 : 2], 0, 0);
	case CREATE:
		return regs(SEAM_TDH_VP_CREATE, page, tdr, 0);
	case FINALIZE:
		return regs(SEAM_TDH_MR_FINALIZE, tdr, 0, 0);
	case MNG_RD:
		return regs(SEAM_TDH_MNG_RD, tdr, max_vcpus, 0);
	case RDMD_TDR:
		return regs(SEAM_TDH_PHYMEM_PAGE_RDMD, tdr, 0, 0);
	case RECLAIM_TDR:
		return regs(SEAM_TDH_PHYMEM_PAGE_RECLAIM, tdr, 0, 0);
	case WBINVD:
		return regs(SEAM_TDH_PHYMEM_PAGE_WBINVD, a->pages[2], 0, 0);
	case ACCEPT:
		return regs(SEAM_TDG_MEM_PAGE_ACCEPT, P4K(11), 0, 0);
	case ACCEPT_SAME:
		return regs(SEAM_TDG_MEM_PAGE_ACCEPT, o->info, 0, 0);
	case PAMT_ADD:
		return regs(SEAM_TDH_PHYMEM_PAMT_ADD, 0x50000001, next_pair(a), next_pair(a));
	case PAMT_REMOVE:
		return regs(SEAM_TDH_PHYMEM_PAMT_REMOVE, SMALL | 1, 0, 0);
	case NR_INNER:
		break;
	}
	return regs(0, 0, 0, 0);
}

static struct duel_side inner_side(struct arena *a, enum inner in, const struct outer *o)
{
	struct duel_side s = {.lp = 3};

	s.in = inner_regs(a, in, o);
	s.guest = in == ACCEPT || in == ACCEPT_SAME;
	if (s.guest) {
		s.lp = 1;
		enter(&a->m, 1, 1);
	}
	if (in == ENTER)
		s.lp = 1;
	return s;
}

/*
 * A cell: what the inner call gives, and what the outer one.
 *   '.' both succeed (VP.ENTER: gets in)
 *   '1' BUSY|RCX, outer succeeds      'h' likewise, the outer's entry keeps host priority
 *   't' BUSY|SEPT_TREE, outer succeeds 'I' likewise, but outer is INTERRUPTED_BUSY
 *   'n' VCPU_NOT_ASSOCIATED           's' OP_STATE_INCORRECT
 *   'f' outer gets PAGE_NOT_FREE|R12  'F' inner does
 * Columns in the order of outers[].
 */
static const struct {
	const char *from_20, *to_16;
} cells[NR_INNER] = {
	[SEPT_RD_SAME] = {"hhthhIthhtt", "11t1111"
					 "11tt"},
	[SEPT_RD] = {"..t..It..tt", "..t......tt"},
	[SEPT_ADD] = {"..t..It..tt", "..t......tt"},
	[AUG] = {"..t..It..tt", "..t......tt"},
	[BLOCK] = {".ttItIttttt", ".tttttttttt"},
	[BLOCK_SAME] = {"httItIttttt", "1tttttttttt"},
	[UNBLOCK] = {".ttItIttttt", ".tttttttttt"},
	[REMOVE] = {"..t..It..tt", "..t......tt"},
	[RELOCATE] = {"..t..It..tt", "..t......tt"},
	[DEMOTE] = {"..t..It..tt", "..t......tt"},
	[PROMOTE] = {".ttItIttttt", "..t......tt"},
	[SEPT_REMOVE] = {".ttItIttttt", ".tttttttttt"},
	[TRACK] = {"...........", "..........."},
	[ENTER] = {"...........", "..........."},
	[FLUSH] = {"1nnnnnnnnnn", "1nnnnnnnnnn"},
	[CREATE] = {"sssssssssss", "sssssssssss"},
	[FINALIZE] = {"11111111111", "11111111111"},
	[MNG_RD] = {"...........", "..........."},
	[RDMD_TDR] = {"...........", "..........."},
	[RECLAIM_TDR] = {"11111111111", "11111111111"},
	[WBINVD] = {"...........", "..........."},
	[ACCEPT] = {"...........", "..........."},
	[ACCEPT_SAME] = {"11111111111", "11111111111"},
	/* Dynamic PAMT only */
	[PAMT_ADD] = {"...........", NULL},
	[PAMT_REMOVE] = {"11111111111", NULL},
	[DEMOTE_PAIR] = {"..tfFIt..tt", NULL},
};

static u64 inner_answer(char cell, bool op_state_in_details)
{
	switch (cell) {
	case '1':
	case 'h':
		return SEAM_OPERAND_BUSY | SEAM_OP_RCX;
	case 't':
	case 'I':
		return SEAM_OPERAND_BUSY | SEAM_OP_SEPT_TREE;
	case 'n':
		return SEAM_VCPU_NOT_ASSOCIATED;
	case 's':
		return SEAM_OP_STATE_INCORRECT | (op_state_in_details ? 2 : 0);
	case 'F':
		return SEAM_PAGE_NOT_FREE | SEAM_OP_R12;
	default:
		return SEAM_SUCCESS;
	}
}

static u64 outer_answer(char cell)
{
	if (cell == 'I')
		return SEAM_INTERRUPTED_BUSY;
	return cell == 'f' ? SEAM_PAGE_NOT_FREE | SEAM_OP_R12 : SEAM_SUCCESS;
}

static bool entry_hp(struct arena *a, u64 info)
{
	struct seam_sept_view v;

	assert_true(seam_look_sept(a->m.s, a->m.tdr, SEAM_INFO_GPA(info), (u8)SEAM_INFO_LEVEL(info),
				   &v));
	assert_false(v.locked);
	return v.hp;
}

static u16 tree_word(struct arena *a)
{
	const struct seam_hold h = {.id = SEAM_LOCK_SEPTTREE, .obj = a->m.tdr};
	u16 word = 0xffff;

	assert_true(seam_lock_word(a->m.s, &h, &word));
	return word;
}

static void play_cell(struct arena *a, const struct outer *o, enum inner in, char cell, bool old)
{
	struct duel_side out = outer_side(a, o), inn = inner_side(a, in, o);
	bool met = duel(&a->m, &out, o->at, o->n, &inn);
	u64 want_in = inner_answer(cell, !old), want_out = outer_answer(cell);
	bool refused = cell == 't' || cell == 'I';

	if (!met || duel_rax(&inn) != want_in || duel_rax(&out) != want_out)
		fail_msg("%s inside %s (%s rules, Dynamic PAMT %s): met %d, %llx > %llx, "
			 "wanted %llx > %llx",
			 inner_names[in], o->name, old ? "old" : "new", a->dpamt ? "on" : "off",
			 met, duel_rax(&inn), duel_rax(&out), want_in, want_out);
	/* Whoever wanted the tree has left its reservation, in releases that have one. */
	if (tree_word(a) != (refused && !old ? SEAM_WORD_HP : 0))
		fail_msg("%s inside %s: tree word %#x", inner_names[in], o->name, tree_word(a));
	if (entry_hp(a, o->info) != (cell == 'h'))
		fail_msg("%s inside %s: HP of the entry %d", inner_names[in], o->name,
			 entry_hp(a, o->info));
	/* An interrupted call can be made again, and finds the caller's registers. */
	if (cell == 'I') {
		assert_int_equal(out.r.rcx, out.in.rcx);
		assert_int_equal(out.r.rdx, out.in.rdx);
		out.r = out.in;
		assert_int_equal(seam_call(a->m.s, out.lp, &out.r), SEAM_RET);
		expect_status(out.r.rax, SEAM_SUCCESS);
	}
}

static void play_matrix(const char *profile, bool dpamt)
{
	bool old = !strcmp(profile, "1.5.16") || !strcmp(profile, "1.5.01");
	struct rt_image *ready;
	struct arena a, fresh;

	arena_open(&a, profile, dpamt);
	ready = rt_world_save(a.m.w);
	fresh = a;
	for (u32 in = 0; in < NR_INNER; in++) {
		const char *row = old ? cells[in].to_16 : cells[in].from_20;

		if (!row || (in >= PAMT_ADD && !dpamt))
			continue;
		assert_int_equal(strlen(row), RT_ARRAY_SIZE(outers));
		for (u32 o = 0; o < RT_ARRAY_SIZE(outers); o++) {
			char why[256] = "";

			rt_world_restore(a.m.w, ready);
			a = fresh;
			play_cell(&a, &outers[o], (enum inner)in, row[o], old);
			if (!seam_check(a.m.s, why, sizeof(why)))
				fail_msg("%s inside %s: %s", inner_names[in], outers[o].name, why);
		}
	}
	rt_image_free(ready);
	arena_close(&a);
}

static void test_contention__1_5_01(void **state)
{
	play_matrix("1.5.01", false);
}

static void test_contention__1_5_16(void **state)
{
	play_matrix("1.5.16", false);
}

static void test_contention__1_5_20(void **state)
{
	play_matrix("1.5.20", false);
}

static void test_contention__1_5_25(void **state)
{
	play_matrix("1.5.25", false);
}

static void test_contention__1_5_25_dynamic_pamt(void **state)
{
	play_matrix("1.5.25", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contention__1_5_01),
		cmocka_unit_test(test_contention__1_5_16),
		cmocka_unit_test(test_contention__1_5_20),
		cmocka_unit_test(test_contention__1_5_25),
		cmocka_unit_test(test_contention__1_5_25_dynamic_pamt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
