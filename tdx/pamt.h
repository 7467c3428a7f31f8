/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PAMT: who owns a physical page, at which level, and the locks of its entries (tdx-module.md
 * 2, 8.4). Storage, walk, the checks of page operands, split and merge, and Dynamic PAMT's pairs
 * and bitmap live here. What a leaf does with a page is in the leaf's file.
 *
 * Invariants:
 *  - A page is described by the one entry that is not NDA among its 1G, 2M and 4K ones; all NDA:
 *    free.
 *  - 4K entries are stored only where they differ from the uniform value of their 2M block, in
 *    chunks of 32; a block with no struct has 512 entries that are all zero. So a terabyte of 2M
 *    pages costs 12 MiB.
 *  - With Dynamic PAMT a 4K entry exists only while its 2M entry has a pair.
 */
#ifndef TDX_PAMT_H
#define TDX_PAMT_H

#include "tdx/abi.h"
#include "tdx/lock.h"

struct seam;
struct seam_ctx;

struct seam_pamt_entry {
	u16 lock; /* sharex-HP */
	u8 type;  /* enum seam_page_type */
	u8 owner_hi;
	u32 owner_lo; /* with owner_hi: 40 bits, TDR HPA >> 12 */
	u64 bepoch;   /* TD_EPOCH at the last BLOCK */
};

static inline u64 seam_pamt_owner(const struct seam_pamt_entry *e)
{
	return ((u64)e->owner_hi << 32 | e->owner_lo) << 12;
}

static inline void seam_pamt_set_owner(struct seam_pamt_entry *e, u64 hpa)
{
	e->owner_lo = (u32)(hpa >> 12);
	e->owner_hi = (u8)(hpa >> 44);
}

#define SEAM_PAMT_CHUNK	 32 /* 4K entries in a chunk: 128 KiB of memory */
#define SEAM_PAMT_CHUNKS 16 /* in a 2M block */
#define SEAM_PAMT_GROUP	 64 /* 2M blocks in a group: 128 MiB of memory */
#define SEAM_PAMT_GROUPS 8  /* in a 1G block */

/* What is known of the 4K entries of one 2M block. */
struct seam_pamt_4k {
	struct seam_pamt_entry uniform; /* of every chunk that is NULL; its lock is always 0 */
	struct seam_pamt_entry *chunk[SEAM_PAMT_CHUNKS];
	/* Dynamic PAMT */
	u64 bitmap[8]; /* 1: PAMT page or reserved */
	u64 pair[2];   /* HPAs */
	u16 count;     /* assigned 4K pages in the block */
	bool has_pair;
};

struct seam_pamt_2m {
	struct seam_pamt_entry e;
	struct seam_pamt_4k *sub; /* NULL: all 512 zero, bitmap zero, no pair */
};

struct seam_pamt_1g {
	struct seam_pamt_entry e;
	struct seam_pamt_2m *group[SEAM_PAMT_GROUPS];
};

struct seam_tdmr {
	u64 base, size;
	u64 next; /* first address that SYS.TDMR.INIT has not done */
	u16 lock; /* mutex */
	struct seam_pamt_1g **gb;
};

/* An entry, found and (usually) locked. */
struct seam_page {
	u64 hpa; /* of the page that the entry describes */
	struct seam_pamt_entry *e;
	struct seam_pamt_2m *block; /* the 2M block around it; NULL at 1G */
	u8 level;
};

/*
 * Set-up by seam_new() and SYS.CONFIG: one TDMR; @ready: all of it is initialised. Then its
 * reserved areas.
 */
void seam_pamt_add_tdmr(struct seam *s, u64 base, u64 size, bool ready);
void seam_pamt_reserve(struct seam *s, u64 base, u64 size);
void seam_pamt_free_all(struct seam *s);

/* In a TDMR and below what is initialised, rounded down to 1G. */
bool seam_pamt_in_range(const struct seam *s, u64 hpa);

/*
 * The entry without any lock or check. seam_pamt_peek() copies it and never allocates; false
 * outside TDMRs or (Dynamic PAMT, level 0) without a pair. seam_pamt_at() allocates what is
 * missing; NULL where peek says false.
 */
bool seam_pamt_peek(const struct seam *s, u64 hpa, u32 level, struct seam_pamt_entry *e);
struct seam_pamt_entry *seam_pamt_at(struct seam *s, u64 hpa, u32 level);
/* Blocks around @hpa; NULL if nothing is stored there yet, or outside. _make allocates. */
struct seam_pamt_1g *seam_pamt_gb(const struct seam *s, u64 hpa);
struct seam_pamt_1g *seam_pamt_gb_make(struct seam *s, u64 hpa);
struct seam_pamt_2m *seam_pamt_block(const struct seam *s, u64 hpa);
struct seam_pamt_2m *seam_pamt_block_make(struct seam *s, u64 hpa);
struct seam_pamt_4k *seam_pamt_sub_make(struct seam_pamt_2m *b);

/*
 * MAXPA, HKID bits and alignment to @level (2.3 (1)): OPERAND_INVALID | @op. Then the range:
 * ADDR_RANGE | @op.
 */
u64 seam_hpa_check(const struct seam *s, u64 hpa, u32 level, u32 op);
u64 seam_hpa_range_check(const struct seam *s, u64 hpa, u32 op);

/*
 * seam_pamt_walk - lock the way to the entry that describes @hpa, stopping at @level (2.2). Parents
 * shared, the last in @mode; all are recorded in the call's list. OPERAND_BUSY | @op if refused.
 * Dynamic PAMT: a walk to 4K in a 2M block without pair ends at the 2M entry (level 1, NDA),
 * shared.
 */
u64 seam_pamt_walk(struct seam_ctx *c, u64 hpa, u32 level, enum seam_mode mode, u32 op,
		   struct seam_page *pg);

/*
 * PHPA of 2.3: a 4K page operand of @type (NDA: a free page), all checks in order, entry in @mode.
 */
u64 seam_phpa(struct seam_ctx *c, u64 hpa, u8 type, enum seam_mode mode, u32 op,
	      struct seam_page *pg);
/* A free page of @level (0 or 1), exclusive: AUG (2.3). */
u64 seam_phpa_free(struct seam_ctx *c, u64 hpa, u32 level, u32 op, struct seam_page *pg);
/* Implicit access: only the leaf entry, which exists. OPERAND_BUSY | @op. */
u64 seam_pamt_implicit(struct seam_ctx *c, u64 hpa, u32 level, enum seam_mode mode, u32 op,
		       struct seam_page *pg);

/* Type and owner of a page; NDA -> something counts in a pair. BEPOCH is the caller's to clear. */
void seam_pamt_assign(struct seam *s, struct seam_page *pg, u8 type, u64 owner);
/* Type := NDA (owner stays). True if it was the last of its pair: the bit-62 hint. */
bool seam_pamt_unassign(struct seam *s, struct seam_page *pg);

/*
 * Split of a 2M or 1G page's entry into 512 (5.7 step 7). The parent is locked here, and released.
 * R12, R13 are the pair (2M with Dynamic PAMT only). Returns 0, BUSY | RCX, or the pair's errors;
 * nothing is changed on error.
 */
u64 seam_pamt_demote(struct seam_ctx *c, u64 hpa, u32 level);
/*
 * Merge (5.8): parent := child 0's type and owner, children NDA. Dynamic PAMT: the pair into R12,
 * R13 (2M).
 */
u64 seam_pamt_promote(struct seam_ctx *c, u64 hpa, u32 level);
/* Every 4K entry NDA? *@first: index of the first that is not. @sub may be NULL. */
bool seam_pamt_all_nda(const struct seam_pamt_4k *sub, u32 *first);

/* Dynamic PAMT (dpamt.c). Test-and-set of the bitmap bit of a 4K page; false: it was set. */
bool seam_bitmap_set(struct seam *s, u64 hpa);
void seam_bitmap_clear(struct seam *s, u64 hpa);
bool seam_bitmap_test(const struct seam *s, u64 hpa);
/*
 * Both pages of a pair: locked shared for a look at the type, then marked. @own_range: pages in
 * this 2M are not walked (PAMT.ADD holds it exclusive and allows them); SEAM_NULL_PA: all are.
 * PAGE_NOT_FREE or BUSY with @op0 or @op1; nothing is marked then.
 */
u64 seam_pair_take(struct seam_ctx *c, u64 hpa0, u32 op0, u64 hpa1, u32 op1, u64 own_range);
/* The block's pair goes: bits cleared, 4K entries gone. The 2M entry's type is the caller's. */
void seam_pair_drop(struct seam *s, struct seam_pamt_2m *b);

#endif
