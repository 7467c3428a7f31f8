/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Found before the tree's <linux/mm_types.h>: the word that the owner of a page keeps with it is
 * kept by the simulator, which does so for its own tables. Nothing else of a struct page is ever
 * written, so the array of them is no state. The rest of that header is the tree's.
 */
#ifndef KTREE_SHADOW_MM_TYPES_H
#define KTREE_SHADOW_MM_TYPES_H

#define set_page_private ktree_unused_set_page_private
#include_next <linux/mm_types.h>
#undef set_page_private
#undef page_private

extern void ktree_set_page_private(struct page *page, unsigned long val);
extern unsigned long ktree_page_private(const struct page *page);

#define page_private(page) ktree_page_private(page)

static inline void set_page_private(struct page *page, unsigned long val)
{
	ktree_set_page_private(page, val);
}

#endif
