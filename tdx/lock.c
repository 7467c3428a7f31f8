// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lock words, bit for bit as the module leaves them, and the list of what a call holds.
 * Every attempt is a single atomic step of the real module, so nothing here is a scheduling point.
 * Which lock a leaf takes, and in which order, is the leaf's business.
 */
#include "tdx/lock.h"

#include <assert.h>
#include <string.h>

#include "sim/rt/delta.h"
#include "tdx/sept.h"

#define SHAREX_READER	 2U /* one reader of a plain sharex word */
#define SHAREX_HP_READER 4U /* one reader of a word with host priority */

/*
 * A reader is counted before it is refused, and stays counted until the holder's release clears all
 * of them (6.1). So beside an exclusive holder only refused ones are counted, and no call looks at
 * how many: a search counts one for all, else every other try would be a new state.
 */
static u16 count_reader(u16 word, u16 reader)
{
	bool counted = word & ~(reader - 1U);

	return word & SEAM_WORD_EX && counted && rt_is_searched() ? word : word + reader;
}

enum seam_try seam_sharex_try(u16 *word, enum seam_mode mode)
{
	u16 old = *word;

	if (mode == SEAM_EX) {
		if (old)
			return SEAM_TRY_BUSY;
		*word = SEAM_WORD_EX;
		return SEAM_TRY_OK;
	}
	*word = count_reader(old, SHAREX_READER);
	return old & SEAM_WORD_EX ? SEAM_TRY_BUSY : SEAM_TRY_OK;
}

void seam_sharex_release(u16 *word, enum seam_mode mode)
{
	if (mode == SEAM_EX) {
		assert(*word & SEAM_WORD_EX);
		*word = 0;
		return;
	}
	assert(*word >= SHAREX_READER);
	*word -= SHAREX_READER;
}

static enum seam_try hp_try_shared(u16 *word, enum seam_side side)
{
	u16 old = *word;

	*word = count_reader(old, SHAREX_HP_READER);
	if (old & SEAM_WORD_EX) {
		if (side == SEAM_HOST)
			*word |= SEAM_WORD_HP;
		return SEAM_TRY_BUSY;
	}
	if (side == SEAM_GUEST && (old & SEAM_WORD_HP)) {
		*word = old;
		return SEAM_TRY_BUSY_HP;
	}
	/*
	 * A reader's success clears the reservation too: that is how a refused BLOCK loses it
	 * (8.2).
	 */
	if (side == SEAM_HOST)
		*word &= ~SEAM_WORD_HP;
	return SEAM_TRY_OK;
}

static enum seam_try hp_try_exclusive(u16 *word, enum seam_side side)
{
	bool free = !(*word & ~SEAM_WORD_HP);

	if (!free) {
		if (side == SEAM_HOST)
			*word |= SEAM_WORD_HP;
		return SEAM_TRY_BUSY;
	}
	if (side == SEAM_GUEST && (*word & SEAM_WORD_HP))
		return SEAM_TRY_BUSY_HP;
	*word = SEAM_WORD_EX;
	return SEAM_TRY_OK;
}

enum seam_try seam_sharex_hp_try(u16 *word, enum seam_mode mode, enum seam_side side)
{
	return mode == SEAM_EX ? hp_try_exclusive(word, side) : hp_try_shared(word, side);
}

void seam_sharex_hp_release(u16 *word, enum seam_mode mode)
{
	if (mode == SEAM_EX) {
		assert(*word & SEAM_WORD_EX);
		*word &= SEAM_WORD_HP;
		return;
	}
	assert(*word >= SHAREX_HP_READER);
	*word -= SHAREX_HP_READER;
}

enum seam_try seam_sharex_hp_upgrade(u16 *word)
{
	assert(*word >= SHAREX_HP_READER);
	if ((*word & ~SEAM_WORD_HP) != SHAREX_HP_READER) {
		*word |= SEAM_WORD_HP;
		return SEAM_TRY_BUSY;
	}
	*word = SEAM_WORD_EX;
	return SEAM_TRY_OK;
}

enum seam_try seam_entry_try(u64 *entry, enum seam_side side)
{
	if (*entry & SEPT_LOCK) {
		if (side == SEAM_HOST)
			*entry |= SEPT_HP;
		return SEAM_TRY_BUSY;
	}
	if (side == SEAM_GUEST && (*entry & SEPT_HP))
		return SEAM_TRY_BUSY_HP;
	*entry |= SEPT_LOCK;
	if (side == SEAM_HOST)
		*entry &= ~SEPT_HP;
	return SEAM_TRY_OK;
}

void seam_entry_release(u64 *entry)
{
	assert(*entry & SEPT_LOCK); /* no write of the holder's may have lost it (4.5) */
	*entry &= ~SEPT_LOCK;
}

enum seam_try seam_mutex_try(u16 *word)
{
	if (*word)
		return SEAM_TRY_BUSY;
	*word = 1;
	return SEAM_TRY_OK;
}

void seam_mutex_release(u16 *word)
{
	assert(*word);
	*word = 0;
}

static void push(struct seam_held_list *l, void *word, enum seam_lock_kind kind,
		 enum seam_mode mode, u32 count)
{
	assert(l->nr < SEAM_MAX_HELD);
	l->h[l->nr++] = (struct seam_held){
		.word = word,
		.kind = (u16)kind,
		.mode = mode,
		.count = (u16)count,
	};
}

enum seam_try seam_hold_sharex(struct seam_held_list *l, u16 *word, enum seam_mode mode)
{
	enum seam_try t = seam_sharex_try(word, mode);

	if (t == SEAM_TRY_OK)
		push(l, word, SEAM_HELD_SHAREX, mode, 1);
	return t;
}

enum seam_try seam_hold_sharex_hp(struct seam_held_list *l, u16 *word, enum seam_mode mode,
				  enum seam_side side)
{
	enum seam_try t = seam_sharex_hp_try(word, mode, side);

	if (t == SEAM_TRY_OK)
		push(l, word, SEAM_HELD_SHAREX_HP, mode, 1);
	return t;
}

/* Index of the newest hold on @word. It must be there. */
static u32 find(const struct seam_held_list *l, const void *word)
{
	u32 i = l->nr;

	while (i && l->h[i - 1].word != word)
		i--;
	assert(i);
	return i - 1;
}

enum seam_try seam_hold_upgrade(struct seam_held_list *l, u16 *word)
{
	struct seam_held *h = &l->h[find(l, word)];
	enum seam_try t;

	assert(h->kind == SEAM_HELD_SHAREX_HP && h->mode == SEAM_SH);
	t = seam_sharex_hp_upgrade(word);
	if (t == SEAM_TRY_OK)
		h->mode = SEAM_EX;
	return t;
}

enum seam_try seam_hold_entry(struct seam_held_list *l, u64 *entry, enum seam_side side)
{
	enum seam_try t = seam_entry_try(entry, side);

	if (t == SEAM_TRY_OK)
		push(l, entry, SEAM_HELD_ENTRY, SEAM_EX, 1);
	return t;
}

enum seam_try seam_hold_entries(struct seam_held_list *l, u64 *first, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (seam_entry_try(&first[i], SEAM_HOST) == SEAM_TRY_OK)
			continue;
		while (i--)
			seam_entry_release(&first[i]);
		return SEAM_TRY_BUSY;
	}
	push(l, first, SEAM_HELD_ENTRIES, SEAM_EX, count);
	return SEAM_TRY_OK;
}

enum seam_try seam_hold_mutex(struct seam_held_list *l, u16 *word)
{
	enum seam_try t = seam_mutex_try(word);

	if (t == SEAM_TRY_OK)
		push(l, word, SEAM_HELD_MUTEX, SEAM_EX, 1);
	return t;
}

static void release_one(const struct seam_held *h)
{
	u64 *entries = h->word;

	switch ((enum seam_lock_kind)h->kind) {
	case SEAM_HELD_SHAREX:
		seam_sharex_release(h->word, (enum seam_mode)h->mode);
		break;
	case SEAM_HELD_SHAREX_HP:
		seam_sharex_hp_release(h->word, (enum seam_mode)h->mode);
		break;
	case SEAM_HELD_ENTRY:
	case SEAM_HELD_ENTRIES:
		for (u32 i = 0; i < h->count; i++)
			seam_entry_release(&entries[i]);
		break;
	case SEAM_HELD_MUTEX:
		seam_mutex_release(h->word);
		break;
	}
}

void seam_release_to(struct seam_held_list *l, u32 mark)
{
	assert(mark <= l->nr);
	while (l->nr > mark) {
		struct seam_held *h = &l->h[--l->nr];

		release_one(h);
		*h = (struct seam_held){0};
	}
}

static void drop_record(struct seam_held_list *l, u32 i)
{
	for (l->nr--; i < l->nr; i++)
		l->h[i] = l->h[i + 1];
	l->h[l->nr] = (struct seam_held){0};
}

void seam_release(struct seam_held_list *l, const void *word)
{
	u32 i = find(l, word);

	release_one(&l->h[i]);
	drop_record(l, i);
}

void seam_hold_move(struct seam_held_list *from, struct seam_held_list *to)
{
	assert(!to->nr);
	memcpy(to->h, from->h, from->nr * sizeof(to->h[0]));
	to->nr = from->nr;
	from->nr = 0;
}
