/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sparse physical memory: 4 KiB pages that cost nothing until something is in them.
 * Contents, encryption key and owner of each page live here; who may use which page is decided
 * above (the host's page allocator in mmu/compat/, the PAMT in tdx/).
 *
 * Invariants:
 *  - A page that was never touched reads as zero with key 0 and has no owner.
 *  - The key of a page is that of the last write. Reading with another key does not give the
 *    contents: it says so, and the value is a token derived from contents and key, never the plain
 *    text.
 *  - Cost grows with pages touched, not with the size of memory.
 */
#ifndef RT_PHYS_H
#define RT_PHYS_H

#include "sim/rt/types.h"

#define RT_PAGE_SHIFT 12
#define RT_PAGE_SIZE  4096ULL

/*
 * 8 bytes at @pa (8-aligned, no key bits). False: the page holds data of another key; *val is then
 * a garbled token.
 */
bool rt_phys_read(u64 pa, u32 key, u64 *val);
/*
 * Partial write with another key garbles the rest of the page (a line of the old key stays
 * unreadable under the new).
 */
void rt_phys_write(u64 pa, u32 key, u64 val);
/* Whole page at @pa to the byte @fill, with key @key: no memory is used for a uniform page. */
void rt_phys_fill(u64 pa, u32 key, u8 fill);
/* The same for all pages of [@pa, @pa + @len), 2 MiB at a time; multiples of RT_PAGE_SIZE. */
void rt_phys_fill_range(u64 pa, u64 len, u32 key, u8 fill);
/*
 * Copy of a whole page, decrypted with @from_key and encrypted with @to_key. False if @from_key was
 * wrong (garbled copy).
 */
bool rt_phys_copy(u64 dst, u32 to_key, u64 src, u32 from_key);

/*
 * rt_phys_table - the page's contents as 512 words that the caller may use in place (an S-EPT
 * page). The page becomes materialised, with key @key. The pointer is valid until rt_phys_fill(),
 * rt_phys_copy() onto it or rt_phys_forget().
 */
u64 *rt_phys_table(u64 pa, u32 key);

/*
 * Raw bytes, as their own key decrypts them, whatever that key is (recorded vectors alias all keys;
 * reports peek). @len may span pages.
 */
void rt_phys_peek(u64 pa, void *buf, size_t len);
void rt_phys_poke(u64 pa, u32 key, const void *buf, size_t len);

/*
 * The caches. Lines are tagged with the key that wrote them; one of an owner before that is evicted
 * late falls over what the next owner has in the page. So who takes a page from an owner says that
 * lines are left, and until they are written back every use of the page with another key is
 * reported ("cache-written-back"). Whole pages.
 */
void rt_phys_lines_left(u64 pa, u64 len, u32 key);
/* Lines of @key, and only those, are written back: of a range, or wherever they are. */
void rt_phys_lines_back(u64 pa, u64 len, u32 key);
void rt_phys_lines_back_all(u32 key);
/* The first page of the range that has lines of an owner before, and their key. False: none. */
bool rt_phys_lines(u64 pa, u64 len, u64 *at, u32 *key);

/* Owner of a page: a small number and a word that the floors above define (0, 0 = nobody). */
struct rt_phys_info {
	u32 key;
	u32 owner;
	u64 owner_arg;
	bool touched; /* false for a page of zeros with key 0 and no owner, however it came to be */
};
struct rt_phys_info rt_phys_info(u64 pa);
void rt_phys_set_owner(u64 pa, u32 owner, u64 arg);
void rt_phys_set_owner_range(u64 pa, u64 len, u32 owner, u64 arg);
/* Back to "never touched": the page costs nothing again. */
void rt_phys_forget(u64 pa);
/*
 * Pages that are not as if never touched. Neighbours with the same fill, key and owner share one
 * record of 32 bytes.
 */
size_t rt_phys_pages(void);
/* Visit all of them in ascending order of address; @fn returns false to stop. */
void rt_phys_for_each(bool (*fn)(void *ctx, u64 pa, const struct rt_phys_info *info), void *ctx);

#endif
