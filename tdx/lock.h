/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's lock words and what each attempt does to them (tdx-module.md 6.1, 4.5), and the list
 * of locks that a call holds. Nothing here waits: an attempt succeeds or is refused at once, and a
 * refused attempt has the real one's side effects. Which lock a leaf takes, and in which order, is
 * the leaf's business.
 *
 * Invariants:
 *  - A word is 16 bits. sharex: bit 0 exclusive, 15:1 readers. With host priority: bit 0 exclusive,
 *    bit 1 HP, 15:2 readers.
 *  - A call records what it took in its list; whatever is still in there when it ends is released
 *    in reverse order.
 */
#ifndef TDX_LOCK_H
#define TDX_LOCK_H

#include "sim/rt/types.h"

enum seam_mode {
	SEAM_SH,
	SEAM_EX,
};

enum seam_side {
	SEAM_HOST,  /* a refusal reserves the lock: HP set; success clears HP */
	SEAM_GUEST, /* refused while HP is set */
};

enum seam_try {
	SEAM_TRY_OK,
	SEAM_TRY_BUSY,
	SEAM_TRY_BUSY_HP, /* guest only: free, but reserved for the host */
};

#define SEAM_WORD_EX RT_BIT(0)
#define SEAM_WORD_HP RT_BIT(1)

/* sharex without host priority: epoch_lock, KOT, global, S-EPT tree up to 1.5.16. */
enum seam_try seam_sharex_try(u16 *word, enum seam_mode mode);
void seam_sharex_release(u16 *word, enum seam_mode mode);

/* sharex with host priority: PAMT entries, OP_STATE, S-EPT tree from 1.5.20. */
enum seam_try seam_sharex_hp_try(u16 *word, enum seam_mode mode, enum seam_side side);
void seam_sharex_hp_release(u16 *word, enum seam_mode mode);
/*
 * The caller's shared hold becomes exclusive if it is the only one; refused: still shared, HP set.
 */
enum seam_try seam_sharex_hp_upgrade(u16 *word);

/* S-EPT entry: lock bit 11, HP bit 52 of the entry itself. */
enum seam_try seam_entry_try(u64 *entry, enum seam_side side);
void seam_entry_release(u64 *entry);

/* Plain mutex: TDMR, write-back record of a package. */
enum seam_try seam_mutex_try(u16 *word);
void seam_mutex_release(u16 *word);

enum seam_lock_kind {
	SEAM_HELD_SHAREX,
	SEAM_HELD_SHAREX_HP,
	SEAM_HELD_ENTRY,   /* one S-EPT entry */
	SEAM_HELD_ENTRIES, /* @count entries of a table in a row (PROMOTE's children) */
	SEAM_HELD_MUTEX,
};

struct seam_held {
	void *word; /* u16 *, or u64 * of an S-EPT entry */
	u16 kind;   /* enum seam_lock_kind */
	u16 count;
	u32 mode; /* enum seam_mode; no byte of this struct is padding: it can be state */
};

/*
 * DEMOTE with three L2 pages and a pair is the deepest: 3 TDR + OP_STATE + tree + entry + 4 x 3
 * pages + parent + 2 x 3.
 */
#define SEAM_MAX_HELD 32

struct seam_held_list {
	u32 nr;
	struct seam_held h[SEAM_MAX_HELD];
};

/* Try, and on success remember. */
enum seam_try seam_hold_sharex(struct seam_held_list *l, u16 *word, enum seam_mode mode);
enum seam_try seam_hold_sharex_hp(struct seam_held_list *l, u16 *word, enum seam_mode mode,
				  enum seam_side side);
/* The newest hold on @word, shared, becomes exclusive. */
enum seam_try seam_hold_upgrade(struct seam_held_list *l, u16 *word);
enum seam_try seam_hold_entry(struct seam_held_list *l, u64 *entry, enum seam_side side);
/* Locks @count entries at @first as host; refused at one: those before it are released again. */
enum seam_try seam_hold_entries(struct seam_held_list *l, u64 *first, u32 count);
enum seam_try seam_hold_mutex(struct seam_held_list *l, u16 *word);

/* Release what is newer than @mark (a former l->nr), newest first; 0 releases all. */
void seam_release_to(struct seam_held_list *l, u32 mark);
/* Release the newest hold on @word before its time. It must be held. */
void seam_release(struct seam_held_list *l, const void *word);
/*
 * All of @from goes to @to, which is empty: VP.ENTER keeps locks while the guest runs. What is over
 * in @to stays zero, since it is part of the module's state; a list of a call is not, and has
 * anything there.
 */
void seam_hold_move(struct seam_held_list *from, struct seam_held_list *to);

#endif
