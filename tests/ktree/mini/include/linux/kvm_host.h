/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's objects in the small tree: the members that a TDP MMU of one direct table needs, and the
 * memory under them.
 */
#ifndef MINI_KVM_HOST_H
#define MINI_KVM_HOST_H

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/lockdep.h>
#include <linux/mm_types.h>
#include <linux/types.h>

#include <asm/current.h>
#include <asm/vdso/processor.h>

#define EAGAIN	   11
#define EBUSY	   16
#define ENOMEM	   12
#define EIO	   5
#define EOPNOTSUPP 95

#define PAGE_SHIFT		      12
#define PAGE_SIZE		      (1UL << PAGE_SHIFT)
#define PAGE_MASK		      (~(PAGE_SIZE - 1))
#define PHYS_PFN(x)		      ((unsigned long)((x) >> PAGE_SHIFT))
#define IS_ALIGNED(x, a)	      (((x) & ((a)-1)) == 0)
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))
#define min(a, b)		      ((a) < (b) ? (a) : (b))

extern void *memset(void *p, int c, size_t n);
extern int memcmp(const void *p, const void *q, size_t n);
extern size_t strcspn(const char *s, const char *reject);
extern char *strstr(const char *s, const char *what);

/* --- memory ------------------------------------------------------------- */

extern unsigned long page_offset_base, vmemmap_base, phys_base;
#define __pa(va)	   ((unsigned long)(va)-page_offset_base)
#define __va(pa)	   ((void *)((pa) + page_offset_base))
#define pfn_to_page(pfn)   ((struct page *)vmemmap_base + (pfn))
#define page_to_pfn(page)  ((unsigned long)((page) - (struct page *)vmemmap_base))
#define page_to_phys(page) (page_to_pfn(page) << PAGE_SHIFT)
#define virt_to_page(va)   pfn_to_page(__pa(va) >> PAGE_SHIFT)
#define GFP_KERNEL_ACCOUNT 1U

struct kmem_cache;
struct pglist_data;
struct mem_section;
enum node_stat_item {
	NR_PAGETABLE
};
extern struct mem_section **mem_section;
extern struct {
	u8 x86_phys_bits;
} boot_cpu_data;

unsigned long get_zeroed_page_noprof(gfp_t gfp);
void free_pages(unsigned long addr, unsigned int order);
void *kmem_cache_alloc_noprof(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *p);

/* --- lists -------------------------------------------------------------- */

#define list_entry(p, type, member) container_of(p, type, member)
#define list_for_each_entry(pos, head, member)                                             \
	for (pos = list_entry((head)->next, typeof(*pos), member); &pos->member != (head); \
	     pos = list_entry(pos->member.next, typeof(*pos), member))

static inline void INIT_LIST_HEAD(struct list_head *h)
{
	h->next = h->prev = h;
}

static inline bool list_empty(const struct list_head *h)
{
	return READ_ONCE(h->next) == h;
}

static inline void list_add_rcu(struct list_head *n, struct list_head *h)
{
	n->next = h->next;
	n->prev = h;
	h->next->prev = n;
	WRITE_ONCE(h->next, n);
}

static inline void list_del_rcu(struct list_head *n)
{
	n->next->prev = n->prev;
	WRITE_ONCE(n->prev->next, n->next);
}

/* --- KVM ---------------------------------------------------------------- */

typedef u64 gfn_t, gpa_t, hpa_t, kvm_pfn_t;
#define INVALID_PAGE (~(hpa_t)0)

enum pg_level {
	PG_LEVEL_NONE,
	PG_LEVEL_4K,
	PG_LEVEL_2M,
	PG_LEVEL_1G
};
#define KVM_PAGES_PER_HPAGE(l) (1ULL << (((l)-1) * 9))

#define KVM_X86_DEFAULT_VM	   0
#define KVM_MEM_READONLY	   2
#define KVM_REQUEST_MASK	   0xffU
#define KVM_REQ_TLB_FLUSH	   0U
#define KVM_REQ_VM_DEAD		   1U
#define KVM_REQ_OUTSIDE_GUEST_MODE 0x300U
#define PFERR_PRESENT_MASK	   1ULL
#define PFERR_USER_MASK		   4ULL

union kvm_mmu_page_role {
	u32 word;
	struct {
		unsigned level : 4;
		unsigned direct : 1;
		unsigned access : 3;
		unsigned invalid : 1;
		unsigned efer_nx : 1;
		unsigned cr0_wp : 1;
	};
};

struct kvm_mmu_memory_cache {
	int nobjs;
	void **objects;
};

struct kvm_mmu {
	struct {
		hpa_t hpa;
	} root;
	union kvm_mmu_page_role root_role;
};

struct kvm_memory_slot {
	gfn_t base_gfn;
	unsigned long npages;
	u32 flags;
	u16 as_id;
};

struct kvm_gfn_range {
	struct kvm_memory_slot *slot;
	gfn_t start, end;
	bool may_block;
};

struct kvm {
	rwlock_t mmu_lock;
	struct mutex slots_lock;
	refcount_t users_count;
	int created_vcpus;
	bool vm_bugged, vm_dead;
	struct {
		atomic64_t pages[3];
	} stat;
	struct {
		unsigned long vm_type;
		struct list_head tdp_mmu_roots;
		spinlock_t tdp_mmu_pages_lock;
	} arch;
};

struct kvm_vcpu {
	struct kvm *kvm;
	struct {
		struct kvm_mmu *mmu, root_mmu;
		struct kvm_mmu_memory_cache mmu_page_header_cache, mmu_shadow_page_cache;
	} arch;
};

extern struct {
	u32 maxphyaddr;
} kvm_host;
extern struct {
	void *get_mt_mask;
} kvm_x86_ops;
extern bool tdp_enabled;
extern int nx_huge_pages;

u8 __SCT__kvm_x86_get_mt_mask(struct kvm_vcpu *vcpu, gfn_t gfn, bool is_mmio);
bool kvm_make_all_cpus_request(struct kvm *kvm, unsigned int req);
void kvm_flush_remote_tlbs(struct kvm *kvm);
void *kvm_mmu_memory_cache_alloc(struct kvm_mmu_memory_cache *mc);

#define KVM_BUG_ON(cond, kvm)                                            \
	({                                                               \
		bool __bug = !!(cond);                                   \
		if (WARN_ON_ONCE(__bug && !(kvm)->vm_bugged)) {          \
			(kvm)->vm_bugged = (kvm)->vm_dead = true;        \
			kvm_make_all_cpus_request(kvm, KVM_REQ_VM_DEAD); \
		}                                                        \
		__bug;                                                   \
	})

static inline void kvm_update_page_stats(struct kvm *kvm, int level, int count)
{
	atomic64_add(count, &kvm->stat.pages[level - 1]);
}

#endif
