// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in physical memory: words, keys and garbling, owners.
 * A page is a fill byte, or a few words over a background, or 512 words; it takes the smallest form
 * that can say it. Where the records are kept is in phys_map.c.
 *
 * A word that is read with a key other than the page's is a token of word, place and both keys: the
 * same wrong read gives the same token, and nobody can mistake it for the contents.
 */
#include <assert.h>
#include <string.h>

#include "sim/rt/mix.h"
#include "sim/rt/phys.h"
#include "sim/rt/phys_map.h"

#define WORDS	     512
#define WORDS_INLINE 7

/*
 * A page with few words of its own; the rest is the fill byte, or what a change of key has made of
 * it.
 */
struct rt_phys_words {
	u64 garble; /* 0: the rest is the fill byte; else the rest is tokens of this */
	u16 nr;
	u16 at[WORDS_INLINE];
	u64 val[WORDS_INLINE];
};

static u64 fill_word(u8 fill)
{
	return 0x0101010101010101ULL * fill;
}

/* What @val, stored at @pa with key @from, looks like through key @to. Never @val itself. */
static u64 garbled(u64 val, u64 pa, u32 from, u32 to)
{
	u64 token = rt_mix(rt_mix(val ^ ((u64)from << 32 | to)) + pa);

	return token == val ? ~token : token;
}

static u32 word_no(u64 pa)
{
	return (u32)(pa & 4095) / 8;
}

static u64 page_base(u64 pa)
{
	return pa & ~4095ULL;
}

/* The word at @pa as the page's own key decrypts it. @e may be NULL. */
static u64 plain_word(const struct rt_phys_ext *e, u64 pa)
{
	const struct rt_phys_words *pw;

	if (!e)
		return 0;
	if (e->kind == RT_EXT_PAGE)
		return ((const u64 *)e->data)[word_no(pa)];
	if (e->kind == RT_EXT_FILL)
		return fill_word(e->fill);
	pw = e->data;
	for (u32 i = 0; i < pw->nr; i++) {
		if (pw->at[i] == word_no(pa))
			return pw->val[i];
	}
	return pw->garble ? rt_mix(pw->garble + word_no(pa)) : fill_word(e->fill);
}

/* Give the page at @pa its 512 words. */
static u64 *materialise(struct rt_world *w, struct rt_phys_ext *e)
{
	const struct rt_phys_words *pw = e->data;
	u64 *page;

	if (e->kind == RT_EXT_PAGE)
		return e->data;
	page = rt_own_alloc(w, RT_PAGE_SIZE);
	if (e->kind == RT_EXT_FILL || !pw->garble) {
		memset(page, e->fill, RT_PAGE_SIZE);
	} else {
		for (u32 i = 0; i < WORDS; i++)
			page[i] = rt_mix(pw->garble + i);
	}
	if (e->kind == RT_EXT_WORDS) {
		for (u32 i = 0; i < pw->nr; i++)
			page[pw->at[i]] = pw->val[i];
		rt_own_free(w, e->data);
	}
	e->data = page;
	e->kind = RT_EXT_PAGE;
	return page;
}

/*
 * The page gets another key without being written as a whole. What was in it stays encrypted with
 * the old key, so through the new one it is noise: tokens from here on, even if the old key comes
 * back, as memory is written by lines and this model has one key a page.
 */
static void rekey(struct rt_world *w, struct rt_phys_ext *e, u64 pa, u32 key)
{
	struct rt_phys_words *pw = e->data;

	if (e->key == key)
		return;
	if (e->kind == RT_EXT_PAGE) {
		u64 *page = e->data;

		rt_phys_table_gone(w, page_base(pa));
		for (u32 i = 0; i < WORDS; i++)
			page[i] = garbled(page[i], page_base(pa) + 8 * i, e->key, key);
	} else {
		if (e->kind == RT_EXT_FILL) {
			pw = rt_own_zalloc(w, sizeof(*pw));
			e->data = pw;
			e->kind = RT_EXT_WORDS;
		}
		/*
		 * One seed stands for all old words; the ones written singly are as lost as the
		 * rest.
		 */
		for (u32 i = 0; i < pw->nr; i++)
			pw->garble = rt_mix(pw->garble ^ pw->val[i] ^ pw->at[i]);
		pw->garble =
			garbled(pw->garble ^ fill_word(e->fill), page_base(pa), e->key, key) | 1;
		pw->nr = 0;
	}
	e->key = key;
}

static void store_word(struct rt_world *w, struct rt_phys_ext *e, u64 pa, u64 val)
{
	struct rt_phys_words *pw;
	u32 i;

	if (e->kind == RT_EXT_FILL) {
		if (val == fill_word(e->fill))
			return;
		e->data = rt_own_zalloc(w, sizeof(*pw));
		e->kind = RT_EXT_WORDS;
	}
	if (e->kind == RT_EXT_WORDS) {
		pw = e->data;
		for (i = 0; i < pw->nr && pw->at[i] != word_no(pa); i++)
			;
		if (i < WORDS_INLINE) {
			pw->at[i] = (u16)word_no(pa);
			pw->val[i] = val;
			if (i == pw->nr)
				pw->nr++;
			return;
		}
	}
	materialise(w, e)[word_no(pa)] = val;
}

bool rt_phys_read(u64 pa, u32 key, u64 *val)
{
	struct rt_world *w = rt_need_world();
	const struct rt_phys_ext *e = rt_phys_find(w, pa);
	u32 own = e ? e->key : 0;

	assert(!(pa & 7));
	rt_phys_use(w, page_base(pa), RT_PAGE_SIZE, key);
	*val = plain_word(e, pa);
	if (own == key)
		return true;
	*val = garbled(*val, pa, own, key);
	return false;
}

void rt_phys_write(u64 pa, u32 key, u64 val)
{
	struct rt_world *w = rt_need_world();
	struct rt_phys_ext *e = rt_phys_isolate(w, pa);

	assert(!(pa & 7));
	rt_phys_use(w, page_base(pa), RT_PAGE_SIZE, key);
	rekey(w, e, pa, key);
	store_word(w, e, pa, val);
	rt_phys_settle(w, pa);
}

void rt_phys_fill_range(u64 pa, u64 len, u32 key, u8 fill)
{
	struct rt_world *w = rt_need_world();

	assert(!(pa & 4095) && !(len & 4095));
	rt_phys_use(w, pa, len, key);
	while (len) {
		const struct rt_phys_ext *e = rt_phys_find(w, pa);
		struct rt_phys_ext like = {.key = key, .fill = fill};
		u64 piece = RT_PAGE_SIZE;

		if (e) {
			/*
			 * The owner stays, so a piece is what one extent has; data or fill do not
			 * matter.
			 */
			like.owner = e->owner;
			like.owner_arg = e->owner_arg;
			piece = (u64)(e->first + e->nr - rt_phys_page_no(pa)) * RT_PAGE_SIZE;
		} else {
			while (piece < len && rt_phys_page_no(pa + piece) &&
			       !rt_phys_find(w, pa + piece))
				piece += RT_PAGE_SIZE;
		}
		if (piece > len)
			piece = len;
		if (!e || e->kind != RT_EXT_FILL || e->key != key || e->fill != fill)
			rt_phys_replace(w, pa, piece, &like);
		pa += piece;
		len -= piece;
	}
}

void rt_phys_fill(u64 pa, u32 key, u8 fill)
{
	struct rt_world *w = rt_need_world();

	rt_phys_use(w, page_base(pa), RT_PAGE_SIZE, key);
	if (!rt_phys_fill_next(w, page_base(pa), key, fill))
		rt_phys_fill_range(page_base(pa), RT_PAGE_SIZE, key, fill);
}

bool rt_phys_copy(u64 dst, u32 to_key, u64 src, u32 from_key)
{
	struct rt_world *w = rt_need_world();
	const struct rt_phys_ext *from = rt_phys_find(w, src);
	bool good = (from ? from->key : 0) == from_key;
	u64 words[WORDS];

	assert(!(dst & 4095) && !(src & 4095));
	rt_phys_use(w, src, RT_PAGE_SIZE, from_key);
	if (good && (!from || from->kind == RT_EXT_FILL)) {
		rt_phys_fill(dst, to_key, from ? from->fill : 0);
		return true;
	}
	/* Through a buffer: making room for the destination may move the source's record. */
	for (u32 i = 0; i < WORDS; i++) {
		words[i] = plain_word(from, src + 8 * i);
		if (!good)
			words[i] = garbled(words[i], src + 8 * i, from ? from->key : 0, from_key);
	}
	rt_phys_poke(dst, to_key, words, sizeof(words));
	return good;
}

u64 *rt_phys_table(u64 pa, u32 key)
{
	struct rt_world *w = rt_need_world();
	struct rt_phys_table *t = rt_phys_table_slot(w, pa);
	struct rt_phys_ext *e;

	assert(!(pa & 4095));
	rt_phys_use(w, pa, RT_PAGE_SIZE, key);
	if (t->pa == pa && t->words && t->key == key)
		return t->words;
	e = rt_phys_find(w, pa);
	if (!e || e->kind != RT_EXT_PAGE || e->key != key) {
		e = rt_phys_isolate(w, pa);
		rekey(w, e, pa, key);
	}
	*t = (struct rt_phys_table){.pa = pa, .words = materialise(w, e), .key = key};
	return t->words;
}

void rt_phys_peek(u64 pa, void *buf, size_t len)
{
	struct rt_world *w = rt_need_world();
	u8 *to = buf;

	while (len) {
		const struct rt_phys_ext *e = rt_phys_find(w, pa);
		u64 end = page_base(pa) + RT_PAGE_SIZE;

		for (; len && pa < end; len--, pa++)
			*to++ = (u8)(plain_word(e, pa & ~7ULL) >> (8 * (pa & 7)));
	}
}

/* The part of a poke that lies in one page. */
static void poke_page(struct rt_world *w, u64 pa, u32 key, const u8 *from, size_t len)
{
	struct rt_phys_ext *e;
	u8 first = from[0];
	bool uniform = true;
	u8 *page;

	for (size_t i = 1; uniform && i < len; i++)
		uniform = from[i] == first;
	if (len == RT_PAGE_SIZE) {
		/* All of it is new: nothing of the old contents and key matters. */
		rt_phys_fill(pa, key, uniform ? first : 0);
		if (uniform)
			return;
	}
	e = rt_phys_isolate(w, pa);
	rekey(w, e, pa, key);
	page = (u8 *)materialise(w, e);
	memcpy(page + (pa & 4095), from, len);
}

void rt_phys_poke(u64 pa, u32 key, const void *buf, size_t len)
{
	struct rt_world *w = rt_need_world();
	const u8 *from = buf;

	while (len) {
		size_t piece = RT_PAGE_SIZE - (pa & 4095);

		if (piece > len)
			piece = len;
		rt_phys_use(w, page_base(pa), RT_PAGE_SIZE, key);
		poke_page(w, pa, key, from, piece);
		pa += piece;
		from += piece;
		len -= piece;
	}
}

static struct rt_phys_info ext_info(const struct rt_phys_ext *e)
{
	return (struct rt_phys_info){
		.key = e->key, .owner = e->owner, .owner_arg = e->owner_arg, .touched = true};
}

struct rt_phys_info rt_phys_info(u64 pa)
{
	const struct rt_phys_ext *e = rt_phys_find(rt_need_world(), pa);

	return e ? ext_info(e) : (struct rt_phys_info){0};
}

void rt_phys_set_owner_range(u64 pa, u64 len, u32 owner, u64 arg)
{
	struct rt_world *w = rt_need_world();

	assert(!(len & 4095));
	pa = page_base(pa);
	while (len) {
		const struct rt_phys_ext *e = rt_phys_find(w, pa);
		u64 piece = RT_PAGE_SIZE;

		if (e && e->kind != RT_EXT_FILL) {
			struct rt_phys_ext *own = rt_phys_isolate(w, pa);

			own->owner = owner;
			own->owner_arg = arg;
		} else {
			struct rt_phys_ext like = {.owner = owner, .owner_arg = arg};

			if (e) {
				like.key = e->key;
				like.fill = e->fill;
				piece = (u64)(e->first + e->nr - rt_phys_page_no(pa)) *
					RT_PAGE_SIZE;
			} else {
				while (piece < len && rt_phys_page_no(pa + piece) &&
				       !rt_phys_find(w, pa + piece))
					piece += RT_PAGE_SIZE;
			}
			if (piece > len)
				piece = len;
			rt_phys_replace(w, pa, piece, &like);
		}
		pa += piece;
		len -= piece;
	}
}

void rt_phys_set_owner(u64 pa, u32 owner, u64 arg)
{
	rt_phys_set_owner_range(pa, RT_PAGE_SIZE, owner, arg);
}

void rt_phys_forget(u64 pa)
{
	const struct rt_phys_ext never = {0};

	rt_phys_replace(rt_need_world(), page_base(pa), RT_PAGE_SIZE, &never);
}

size_t rt_phys_pages(void)
{
	return rt_need_world()->s.phys.pages;
}

void rt_phys_for_each(bool (*fn)(void *ctx, u64 pa, const struct rt_phys_info *info), void *ctx)
{
	struct rt_world *w = rt_need_world();
	struct rt_phys_chunk *c;
	u64 no = 0;

	while ((c = rt_phys_next_chunk(w, no))) {
		no = c->no + 1;
		for (u32 i = 0; i < c->nr; i++) {
			const struct rt_phys_info info = ext_info(&c->ext[i]);

			for (u32 k = 0; k < c->ext[i].nr; k++) {
				u64 page = c->no * CHUNK_PAGES + c->ext[i].first + k;

				if (!fn(ctx, page << 12, &info))
					return;
			}
		}
	}
}
