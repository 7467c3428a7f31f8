// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is special about single pages: references beyond the filemap's own, the folio lock, poison,
 * life after truncation. A page without any of this has no record, so the refcount of an untouched
 * folio is just its number of pages. When a reference makes a folio unsafe, and what that stops, is
 * decided in convert.c and restructure.c.
 */
#include "gmem/internal.h"
#include "sim/rt/sched.h"
#include "sim/rt/world.h"

static int page_cmp(const struct gmem_page *a, const struct gmem_page *b)
{
	return a->pfn < b->pfn ? -1 : a->pfn > b->pfn;
}

RB_GENERATE_STATIC(gmem_pages, gmem_page, by_pfn, page_cmp)

struct gmem_page *gmem_page_from(u64 pfn)
{
	struct gmem_page key = {.pfn = pfn};

	return RB_NFIND(gmem_pages, &gmem_get()->pages, &key);
}

struct gmem_page *gmem_page_next(struct gmem_page *p)
{
	return RB_NEXT(gmem_pages, NULL, p);
}

static struct gmem_page *page_find(u64 pfn)
{
	struct gmem_page *p = gmem_page_from(pfn);

	return p && p->pfn == pfn ? p : NULL;
}

static struct gmem_page *page_get(const struct gmem_extent *e, u64 pfn)
{
	struct gmem_page *p = page_find(pfn);

	if (p)
		return p;
	assert(pfn - e->pfn < e->nr);
	p = rt_zalloc(sizeof(*p));
	p->pfn = pfn;
	p->index = e->index + (pfn - e->pfn);
	p->inode = e->inode;
	p->orig_order = e->orig_order;
	p->hugetlb = e->inode->page_order;
	RB_INSERT(gmem_pages, &gmem_get()->pages, p);
	return p;
}

static u64 page_refs(const struct gmem_page *p)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < GMEM_REF_NR; i++)
		sum += p->refs[i];
	return sum;
}

/* Nothing special any more: the record goes; an orphan's memory goes with it. */
static void page_tidy(struct gmem_page *p)
{
	if (page_refs(p) || p->locked || ((p->hwpoison || p->zap_failed) && !p->orphan))
		return;
	if (!p->refs[GMEM_REF_TRANSIENT])
		p->met = false;
	if (p->orphan)
		gmem_block_free(p->inode, p->pfn, 1, p->orig_order, p->hugetlb, true,
				p->hwpoison || p->zap_failed);
	RB_REMOVE(gmem_pages, &gmem_get()->pages, p);
	rt_free(p);
}

void gmem_page_ref(const struct gmem_extent *e, u64 pfn, enum gmem_ref kind)
{
	page_get(e, pfn)->refs[kind]++;
	gmem_trace_ref(pfn, kind, true);
}

void gmem_page_unref(u64 pfn, enum gmem_ref kind)
{
	struct gmem_page *p = page_find(pfn);

	assert(p && p->refs[kind]);
	p->refs[kind]--;
	page_tidy(p);
	gmem_trace_ref(pfn, kind, false);
}

void gmem_page_failing(u64 pfn, bool failing)
{
	struct gmem_page *p = page_find(pfn);

	assert(p);
	p->failing = failing;
}

void gmem_page_poison(const struct gmem_extent *e, u64 pfn)
{
	page_get(e, pfn)->hwpoison = true;
}

bool gmem_pages_poisoned(u64 pfn, u64 nr)
{
	struct gmem_page *p;

	for (p = gmem_page_from(pfn); p && p->pfn < pfn + nr; p = gmem_page_next(p))
		if (p->hwpoison)
			return true;
	return false;
}

void gmem_page_list_failed(const struct gmem_extent *e, u64 pfn)
{
	page_get(e, pfn)->zap_failed = true;
}

bool gmem_pages_failed(u64 pfn, u64 nr)
{
	struct gmem_page *p;

	for (p = gmem_page_from(pfn); p && p->pfn < pfn + nr; p = gmem_page_next(p))
		if (p->zap_failed)
			return true;
	return false;
}

u64 gmem_pages_refs(u64 pfn, u64 nr)
{
	struct gmem_page *p;
	u64 sum = 0;

	for (p = gmem_page_from(pfn); p && p->pfn < pfn + nr; p = gmem_page_next(p))
		sum += page_refs(p);
	return sum;
}

bool gmem_pages_safe(u64 pfn, u64 nr, u64 *at)
{
	struct gmem_page *p;
	bool safe = true;

	for (p = gmem_page_from(pfn); p && p->pfn < pfn + nr; p = gmem_page_next(p)) {
		if (!page_refs(p))
			continue;
		p->met = p->refs[GMEM_REF_TRANSIENT];
		if (safe && at)
			*at = p->pfn;
		safe = false;
	}
	return safe;
}

static void drop_all(enum gmem_ref kind, bool met_only)
{
	struct gmem_page *p, *next;

	for (p = gmem_page_from(0); p; p = next) {
		next = gmem_page_next(p);
		if (!p->refs[kind] || (met_only && !p->met))
			continue;
		p->refs[kind] = 0;
		page_tidy(p);
	}
}

void gmem_drain_lru(void)
{
	rt_might_sleep("lru_add_drain_all");
	drop_all(GMEM_REF_LRU, false);
}

void gmem_settle_transients(void)
{
	drop_all(GMEM_REF_TRANSIENT, true);
}

void kvm_gmem_put_strays(void)
{
	struct gmem_page *p, *next;
	u32 i;

	for (p = gmem_page_from(0); p; p = next) {
		next = gmem_page_next(p);
		if (!p->orphan)
			continue;
		for (i = 0; i < GMEM_REF_NR; i++)
			p->refs[i] = 0;
		page_tidy(p);
	}
}

u64 kvm_gmem_orphans(void)
{
	struct gmem_page *p;
	u64 n = 0;

	for (p = gmem_page_from(0); p; p = gmem_page_next(p))
		n += p->orphan;
	return n;
}

static bool folio_unlocked(void *arg)
{
	const struct gmem_page *p = page_find(*(u64 *)arg);

	return !p || !p->locked;
}

/*
 * The folio lock is a bit, as in the kernel, not a lock that lockdep knows: memory failure takes it
 * outside of invalidate_lock, everybody else inside (B16). False: the page left its file while we
 * waited.
 */
bool gmem_folio_lock(const struct gmem_folio *f)
{
	const struct gmem_extent *e;
	struct gmem_page *p;
	u64 pfn = f->pfn;

	rt_point(RT_PT_LOCK, pfn);
	rt_block("folio lock", folio_unlocked, &pfn);
	e = gmem_extent_of_pfn(pfn);
	p = e ? page_get(e, pfn) : page_find(pfn);
	if (!p)
		return false;
	assert(!p->locked);
	p->locked = true;
	p->lock_owner = rt_actor_id(rt_actor_current());
	return true;
}

void gmem_folio_unlock(u64 head_pfn)
{
	struct gmem_page *p = page_find(head_pfn);

	assert(p && p->locked && p->lock_owner == rt_actor_id(rt_actor_current()));
	p->locked = false;
	page_tidy(p);
	rt_point(RT_PT_UNLOCK, head_pfn);
}

void gmem_pages_release(const struct gmem_extent *gone)
{
	u64 pfn = gone->pfn, end = gone->pfn + gone->nr;
	bool hugetlb = gone->inode->page_order;
	struct gmem_page *p, *next;

	for (p = gmem_page_from(pfn); p && p->pfn < end; p = next) {
		next = gmem_page_next(p);
		if (p->pfn > pfn)
			gmem_block_free(gone->inode, pfn, p->pfn - pfn, gone->orig_order, hugetlb,
					true, false);
		pfn = p->pfn + 1;
		p->orphan = true;
		page_tidy(p);
	}
	if (end > pfn)
		gmem_block_free(gone->inode, pfn, end - pfn, gone->orig_order, hugetlb,
				gone->order < gone->orig_order, false);
}

void gmem_pages_forget_inode(const struct gmem_inode *inode)
{
	struct gmem_page *p;

	for (p = gmem_page_from(0); p; p = gmem_page_next(p))
		if (p->inode == inode)
			p->inode = NULL;
}
