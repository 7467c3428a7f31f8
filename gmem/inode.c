// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inodes and files: creation and its checks, binding to memslots, release, eviction (gmem.md 1 and
 * 2.11). The inode is the memory and its attributes; a file is one VM's view of it and pins that
 * VM. What is in the memory, and how it changes, is in the other rooms.
 */
#include <linux/kvm_host.h>

#include <string.h>

#include "gmem/internal.h"
#include "sim/rt/sched.h"
#include "sim/rt/world.h"

#define GMEM_ROOT 1

struct gmem *gmem_get(void)
{
	struct gmem *g = rt_root(GMEM_ROOT);

	if (!g) {
		g = rt_zalloc(sizeof(*g));
		TAILQ_INIT(&g->inodes);
		RB_INIT(&g->memory);
		RB_INIT(&g->pages);
		RB_INIT(&g->partials);
		TAILQ_INIT(&g->freed);
		rt_set_root(GMEM_ROOT, g);
	}
	return g;
}

void gmem_count(enum gmem_stat st, u64 n)
{
	gmem_get()->stat[st] += n;
}

static u8 backing_order(enum gmem_backing backing)
{
	switch (backing) {
	case GMEM_HUGETLB_2M:
		return GMEM_ORDER_2M;
	case GMEM_HUGETLB_1G:
		return GMEM_ORDER_1G;
	default:
		return 0;
	}
}

static int check_setup(const struct gmem_setup *s)
{
	u8 order = backing_order(s->backing), i;

	if (s->backing > GMEM_HUGETLB_1G)
		return -EINVAL;
	if (order && s->init_shared) /* HugeTLB together with INIT_SHARED */
		return -EINVAL;
	if (!s->size || (s->size & ((PAGE_SIZE << order) - 1)))
		return -EINVAL;
	/* v8 has no huge folios, and its flow no step that would split one. */
	if (s->policy[GMEM_P_CONV_ORDER] == GMEM_FLOW_V8_4K && s->backing != GMEM_4K)
		return -EINVAL;
	for (i = 0; i < GMEM_P_NR; i++) {
		u8 n = 0;

		while (gmem_policies[i].values[n])
			n++;
		if (s->policy[i] >= n)
			return -EINVAL;
	}
	return 0;
}

static struct kvm_gmem_file *new_file(struct gmem_inode *inode, struct kvm *kvm)
{
	struct kvm_gmem_file *f = rt_zalloc(sizeof(*f));

	f->inode = inode;
	f->kvm = kvm;
	TAILQ_INIT(&f->bindings);
	TAILQ_INSERT_TAIL(&inode->files, f, link);
	kvm_get_kvm(kvm);
	return f;
}

int kvm_gmem_create(struct kvm *kvm, const struct gmem_setup *setup, struct kvm_gmem_file **file)
{
	struct gmem_inode *inode;
	int ret = check_setup(setup);

	if (!ret && setup->no_direct_map && kvm->arch.has_private_mem)
		ret = -EINVAL; /* TDX is excluded: it flushes pages by kernel address (gmem.md 1) */
	if (ret)
		return ret;
	inode = rt_zalloc(sizeof(*inode));
	inode->setup = *setup;
	strlcpy(inode->name, setup->name ? setup->name : "gmem", sizeof(inode->name));
	inode->setup.name = inode->name;
	inode->nr_pages = setup->size >> PAGE_SHIFT;
	inode->page_order = backing_order(setup->backing);
	inode->max_order = setup->backing == GMEM_THP_2M ? GMEM_ORDER_2M : inode->page_order;
	ret = gmem_reserve(inode);
	if (ret) {
		rt_free(inode);
		return ret;
	}
	rt_lock_init(&inode->invalidate_lock, RT_LOCK_RWSEM, "invalidate_lock");
	rt_lock_init(&inode->iommu_lock, RT_LOCK_MUTEX, "iommu_lock");
	gmem_attr_init(inode, setup->init_shared ? 0 : KVM_MEMORY_ATTRIBUTE_PRIVATE);
	RB_INIT(&inode->filemap);
	RB_INIT(&inode->host_maps);
	RB_INIT(&inode->iommu_maps);
	TAILQ_INIT(&inode->zap_failures);
	TAILQ_INIT(&inode->ranges);
	TAILQ_INIT(&inode->files);
	TAILQ_INSERT_TAIL(&gmem_get()->inodes, inode, link);

	*file = new_file(inode, kvm);
	return 0;
}

struct kvm_gmem_file *kvm_gmem_link(struct kvm *kvm, struct kvm_gmem_file *of)
{
	struct kvm_gmem_file *f;

	rt_lock_take(&of->inode->invalidate_lock, RT_LOCK_EX);
	f = new_file(of->inode, kvm);
	rt_lock_release(&of->inode->invalidate_lock, RT_LOCK_EX);
	return f;
}

const char *kvm_gmem_name(const struct kvm_gmem_file *file)
{
	return file->inode->name;
}

const struct gmem_setup *kvm_gmem_setup(const struct kvm_gmem_file *file)
{
	return &file->inode->setup;
}

/* --- bindings ------------------------------------------------------------------------ */

int kvm_gmem_bind(struct kvm *kvm, struct kvm_memory_slot *slot, struct kvm_gmem_file *file,
		  u64 offset)
{
	struct gmem_binding *b, *next = NULL;
	struct gmem_inode *inode;
	u64 index = offset >> PAGE_SHIFT;
	int ret = 0;

	lockdep_assert_held(&kvm->slots_lock);
	if (!file)
		return -EBADF;
	inode = file->inode;
	if (file->kvm != kvm || (offset & ~PAGE_MASK) || index + slot->npages < index ||
	    index + slot->npages > inode->nr_pages)
		return -EINVAL;

	rt_lock_take(&inode->invalidate_lock, RT_LOCK_EX);
	TAILQ_FOREACH(b, &file->bindings, link) {
		if (index < b->index + b->nr && b->index < index + slot->npages)
			ret = -EINVAL;
		if (!next && b->index > index)
			next = b;
	}
	if (!ret) {
		b = rt_zalloc(sizeof(*b));
		b->index = index;
		b->nr = slot->npages;
		b->slot = slot;
		if (next)
			TAILQ_INSERT_BEFORE(next, b, link);
		else
			TAILQ_INSERT_TAIL(&file->bindings, b, link);
		slot->gmem.pgoff = index;
		slot->gmem.file = file;
	}
	rt_lock_release(&inode->invalidate_lock, RT_LOCK_EX);
	return ret;
}

void kvm_gmem_unbind(struct kvm_memory_slot *slot)
{
	struct kvm_gmem_file *file = slot->gmem.file;
	struct gmem_binding *b;

	if (!file) /* never bound, or the file was released before */
		return;
	lockdep_assert_held(&file->kvm->slots_lock);
	rt_lock_take(&file->inode->invalidate_lock, RT_LOCK_EX);
	TAILQ_FOREACH(b, &file->bindings, link)
		if (b->slot == slot)
			break;
	assert(b);
	TAILQ_REMOVE(&file->bindings, b, link);
	rt_free(b);
	slot->gmem.file = NULL;
	rt_lock_release(&file->inode->invalidate_lock, RT_LOCK_EX);
}

/* --- the end ------------------------------------------------------------------------- */

static void evict(struct gmem_inode *inode)
{
	rt_lock_take(&inode->invalidate_lock, RT_LOCK_EX);
	(void)gmem_zap_errors(inode); /* what the module has still does not go back to the host */
	gmem_truncate(inode, 0, inode->nr_pages);
	rt_lock_release(&inode->invalidate_lock, RT_LOCK_EX);
	gmem_free_work(inode, true);
	gmem_pages_forget_inode(inode);
	gmem_unreserve(inode);
	gmem_attr_destroy(inode);
	assert(RB_EMPTY(&inode->filemap) && RB_EMPTY(&inode->host_maps));
	gmem_count(GMEM_STAT_INVAL_LOCK_CYCLES, inode->invalidate_lock.stats.held_cycles);
	rt_lock_destroy(&inode->invalidate_lock);
	rt_lock_destroy(&inode->iommu_lock);
	TAILQ_REMOVE(&gmem_get()->inodes, inode, link);
	rt_free(inode);
}

static bool no_users(void *arg)
{
	const struct kvm_gmem_file *file = arg;

	return !file->users;
}

void kvm_gmem_release(struct kvm_gmem_file *file)
{
	struct gmem_inode *inode = file->inode;
	struct kvm *kvm = file->kvm;
	struct gmem_binding *b;

	/* A fault that got the file keeps it open: release() runs when the last reference goes. */
	file->closing = true;
	rt_block("faults that hold the gmem file", no_users, file);

	mutex_lock(&kvm->slots_lock);
	rt_lock_take(&inode->invalidate_lock, RT_LOCK_EX);
	TAILQ_FOREACH(b, &file->bindings, link)
		b->slot->gmem.file = NULL;
	gmem_kvm_zap_file(file);
	while ((b = TAILQ_FIRST(&file->bindings))) {
		TAILQ_REMOVE(&file->bindings, b, link);
		rt_free(b);
	}
	TAILQ_REMOVE(&inode->files, file, link);
	rt_lock_release(&inode->invalidate_lock, RT_LOCK_EX);
	mutex_unlock(&kvm->slots_lock);

	assert(!file->invalidating);
	rt_free(file);
	if (TAILQ_EMPTY(&inode->files))
		evict(inode);
	kvm_put_kvm(kvm);
}
