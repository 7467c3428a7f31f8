/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Secure EPT entries: bits, states, walk, and the one function that writes an entry (tdx-module.md
 * 4). Pages of the tables are pages of simulated memory (rt_phys_table()), so that what is peeked
 * is what is walked. Which states a leaf accepts is in the leaf's file.
 *
 * Invariants:
 *  - An entry changes only through seam_sept_write() (and its lock bits through tdx/lock.h): the
 *    write point, the trace and the release's rule for the HP bit are there.
 *  - A walk takes no lock; the tree lock, or tracking for guests, keeps tables alive.
 */
#ifndef TDX_SEPT_H
#define TDX_SEPT_H

#include "tdx/abi.h"
#include "tdx/inspect.h"

struct seam_ctx;
struct seam_td;

#define SEPT_R	     RT_BIT(0)
#define SEPT_W	     RT_BIT(1)
#define SEPT_X	     RT_BIT(2)
#define SEPT_RWX     RT_MASK(2, 0)
#define SEPT_MT_WB   (6ULL << 3)
#define SEPT_MT	     RT_MASK(5, 3)
#define SEPT_IPAT    RT_BIT(6)
#define SEPT_PS	     RT_BIT(7)
#define SEPT_A	     RT_BIT(8)
#define SEPT_D	     RT_BIT(9)
#define SEPT_XU	     RT_BIT(10)
#define SEPT_LOCK    RT_BIT(11)
#define SEPT_HPA     RT_MASK(51, 12)
#define SEPT_COUNTER RT_MASK(20, 12) /* of a 2M PENDING entry: 4K pages accepted so far */
#define SEPT_HP	     RT_BIT(52)
#define SEPT_TDEX    RT_BIT(53)
#define SEPT_TDBW    RT_BIT(54)
#define SEPT_TDB     RT_BIT(55)
#define SEPT_TDP     RT_BIT(56)
#define SEPT_SVE     RT_BIT(63)
/* L1 entries: VM @vm (1..3) has an entry (leaf) or a table (non-leaf) of its own here. */
#define SEPT_ALIAS(vm) RT_BIT(57 + (vm))
#define SEPT_ALIASES   RT_MASK(60, 58)

#define SEPT_STATE_BITS (SEPT_PS | SEPT_IPAT | SEPT_TDP | SEPT_TDB | SEPT_TDBW | SEPT_TDEX | SEPT_D)

/* In-memory value of a FREE entry, L1 and L2. */
#define SEPT_FREE_VALUE 0x80E0000000000000ULL

#define SEPT_ENTRIES 512U
#define SEPT_MAX_VM  3U

/* Public states of L2 entries (4.1). */
#define SEAM_L2_FREE	   64
#define SEAM_L2_BLOCKED	   65
#define SEAM_L2_MAPPED	   68
#define SEAM_L2_NL_BLOCKED 193
#define SEAM_L2_NL_MAPPED  196

/* Where a walk ended. */
struct seam_pos {
	u64 *entry; /* in its table */
	u64 gpa;    /* of the walk */
	u64 val;    /* the entry as last read, without lock and HP bits */
	u8 level;
	u8 vm; /* 0: L1 */
};

/* Public state of an L1 / L2 entry; 0xff for bits that no state has. */
u8 seam_sept_state(u64 val);
u8 seam_l2_state(u64 val);
static inline bool seam_sept_is_leaf(u64 val)
{
	return val & SEPT_PS;
}
/* NL_BLOCKED, BLOCKED, PENDING_BLOCKED (4.1 "any blocked"). */
bool seam_state_any_blocked(u8 state);

/*
 * HPA in the entry without HKID bits; @level of the entry: a leaf's low bits (accept counter) are
 * cut off.
 */
u64 seam_sept_hpa(const struct seam *s, u64 val, u32 level);
/* RCX of SEPT.RD and of the S-EPT errors (4.4), and RDX. */
u64 seam_sept_shown(const struct seam *s, u64 val);
u64 seam_sept_info(const struct seam_pos *p);

/*
 * Fresh L1 entries. Leaf: MAPPED, PENDING, BLOCKED or PENDING_BLOCKED. Table: NL_MAPPED or
 * NL_BLOCKED.
 */
u64 seam_sept_make_leaf(const struct seam *s, const struct seam_td *td, u64 hpa, u8 state);
u64 seam_sept_make_table(const struct seam *s, u64 hpa, u8 state);
/* The same page or table in another state, aliases kept. */
u64 seam_sept_with_state(const struct seam *s, u64 val, u8 state);

/* Top level: 3 or 4 (PWL from GPAW, 4.3). */
u32 seam_sept_top(const struct seam_td *td);
/* GPA private and inside the TD's width (4.3). */
bool seam_gpa_private(const struct seam_td *td, u64 gpa);

/*
 * seam_sept_walk - towards @level; stops early at an entry without RWX, or at a leaf. True: reached
 * @level.
 * @vm 0 is the L1 tree, 1..3 an L2 VM's.
 */
bool seam_sept_walk(const struct seam *s, const struct seam_td *td, u32 vm, u64 gpa, u32 level,
		    struct seam_pos *p);
/* Read the entry again (after its lock was taken). */
void seam_sept_reread(struct seam_pos *p);

/*
 * seam_sept_write - the holder's full write of @val to the entry at @p, which stays locked if it is
 * locked; @p->val := @val. Keeps or loses HP as the release does (4.5). The first write of a call
 * to a locked entry passes the write point.
 */
void seam_sept_write(struct seam_ctx *c, struct seam_pos *p, u64 val);
/* All 512 entries of a new table := FREE, or DEMOTE's: @first + i * size of @child_level. */
void seam_sept_fill_free(struct seam *s, const struct seam_td *td, u64 table_hpa);
void seam_sept_fill_children(struct seam *s, const struct seam_td *td, u64 table_hpa, u64 first,
			     u32 child_level);
/* The table's 512 words. */
u64 *seam_sept_table(const struct seam *s, const struct seam_td *td, u64 table_hpa);

/*
 * L2 entries (VM 1..3). Attributes as TDG.MEM.PAGE.ATTR.RD/WR have them, 16 bits a VM: R 0, W 1, Xs
 * 2, Xu 3, VGPW 4, PW 5, SSS 6, SVE 7, VALID 15. A blocked L2 leaf keeps its permissions in shadow
 * bits.
 */
#define SEAM_ATTR_VALID	  RT_BIT(15)
#define SEAM_ATTR_PRESENT RT_MASK(3, 0) /* with any of them there is an alias */
u64 seam_l2_make_leaf(const struct seam *s, const struct seam_td *td, u64 hpa, u16 attr,
		      bool blocked);
u64 seam_l2_make_table(u64 hpa);
u16 seam_l2_attr(u64 val);
u64 seam_l2_with_blocked(u64 val, bool blocked);
/*
 * The alias in @vm of the L1 entry at @p, whose flag must be set: tables of all VMs come and go with
 * the flags, so the walk gets there.
 */
void seam_l2_walk_alias(const struct seam *s, const struct seam_td *td, const struct seam_pos *p,
			u32 vm, struct seam_pos *l2);
/*
 * RDX of ATTR.RD and R8 of SEPT.RD: the attributes of all VMs that have an alias of the L1 entry at
 * @p.
 */
u64 seam_l2_attrs(const struct seam *s, const struct seam_td *td, const struct seam_pos *p);
/* Every L2 leaf alias of the L1 entry: blocked or unblocked / freed. */
void seam_l2_block_aliases(struct seam_ctx *c, const struct seam_td *td, const struct seam_pos *p,
			   bool blocked);
void seam_l2_free_aliases(struct seam_ctx *c, const struct seam_td *td, const struct seam_pos *p);

#endif
