// SPDX-License-Identifier: GPL-2.0-only
/*
 * A zap that the module refused (P10, P7 HOLD_ON_ERROR): what KVM tells under mmu_lock, and what
 * the conversion or hole makes of it once it can sleep. KVM's part, whether the VM lives on, is its
 * key zap_error; the sub-page bookkeeping is in page.c.
 */
#include <linux/kvm_host.h>

#include "gmem/internal.h"
#include "sim/rt/world.h"

/* Called under write mmu_lock: no sleep, only a note. */
void kvm_gmem_zap_failed(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, u64 nr)
{
	const struct gmem_extent *e = gmem_extent_of_pfn(pfn);
	struct gmem_zap_failure *f;

	if (!e) /* a page of the VMM's own, or one that left its file already */
		return;
	f = rt_alloc(sizeof(*f));
	*f = (struct gmem_zap_failure){.pfn = pfn, .nr = nr};
	TAILQ_INSERT_TAIL(&e->inode->zap_failures, f, link);
}

static void poison_all(u64 pfn, u64 nr)
{
	u64 at;

	for (at = pfn; at < pfn + nr; at++)
		gmem_page_poison(gmem_extent_of_pfn(at), at);
}

static void list_all(u64 pfn, u64 nr)
{
	u64 at;

	for (at = pfn; at < pfn + nr; at++)
		gmem_page_list_failed(gmem_extent_of_pfn(at), at);
}

/*
 * FOLIO_FLAG marks the folio as it is, so a large one is lost as a whole; SPLIT_AND_FLAG splits it
 * before, which needs memory, and falls back to the folio without.
 */
static void flag_folio(struct gmem_inode *inode, const struct gmem_zap_failure *fail, bool split)
{
	const struct gmem_extent *e = gmem_extent_of_pfn(fail->pfn);
	u64 index = e->index + (fail->pfn - e->pfn), err;
	struct gmem_folio f;

	if (split && !gmem_range_split(inode, index, index + fail->nr, &err)) {
		poison_all(fail->pfn, fail->nr);
		return;
	}
	gmem_folio_at(inode, index, &f);
	poison_all(f.pfn, gmem_max(f.nr, fail->nr));
}

static int handle(struct gmem_inode *inode, const struct gmem_zap_failure *fail)
{
	const struct gmem_extent *e = gmem_extent_of_pfn(fail->pfn);

	assert(e && e->inode == inode);
	/* Yan's trial: what cannot be unmapped keeps a reference, and the conversion sees it. */
	if (gmem_policy(inode, GMEM_P_TDX_REF) == GMEM_TDX_REF_ON_ERROR) {
		gmem_page_ref(e, fail->pfn, GMEM_REF_LONGTERM);
		return -EFAULT;
	}
	switch (gmem_policy(inode, GMEM_P_ZAP_ERROR)) {
	case GMEM_ZAPERR_RETURN: /* nothing else: the leaf is there as before */
		return -EIO;
	case GMEM_ZAPERR_FOLIO_FLAG:
		flag_folio(inode, fail, false);
		return 0;
	case GMEM_ZAPERR_SPLIT_AND_FLAG:
		flag_folio(inode, fail, true);
		return 0;
	case GMEM_ZAPERR_LIST:
		list_all(fail->pfn, fail->nr);
		return 0;
	case GMEM_ZAPERR_HWPOISON:
		poison_all(fail->pfn, fail->nr);
		return 0;
	default: /* BUG_VM: the VM is gone, and with it everybody who could come to harm */
		return 0;
	}
}

int gmem_zap_errors(struct gmem_inode *inode)
{
	struct gmem_zap_failure *f;
	int ret = 0, r;

	while ((f = TAILQ_FIRST(&inode->zap_failures))) {
		TAILQ_REMOVE(&inode->zap_failures, f, link);
		r = handle(inode, f);
		ret = ret ? ret : r;
		rt_free(f);
	}
	return ret;
}
