/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page of the small tree: the word that its owner keeps with it.
 */
#ifndef MINI_MM_TYPES_H
#define MINI_MM_TYPES_H

struct page {
	unsigned long flags;
	unsigned long private;
};

#define page_private(page) ((page)->private)

static inline void set_page_private(struct page *page, unsigned long val)
{
	page->private = val;
}

#endif
