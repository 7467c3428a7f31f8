/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The line between a user's kernel tree and the simulator, in types that both know: numbers and
 * opaque pointers. ktree_*() is made of the tree's objects (kernel/), ksim_*() is the simulator's
 * (sim/). Nothing else is seen from the other side: the tree's objects keep every other symbol to
 * themselves, so that struct kvm and its kin may mean two things in one program.
 *
 * Invariants:
 *  - For each VM and vCPU of the simulator there is one of the tree; what the tree's code looks at is
 *    copied there before it is called (struct ktree_vm_conf), what it decides is copied back at
 *    every scheduling point and when it returns (struct ktree_vm_state).
 *  - All that the tree's code changes lies in the world's heap, in its variables (one range), or in
 *    the array of struct page: an image of the world has all of it.
 */
#ifndef KTREE_H
#define KTREE_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#endif

typedef unsigned long long ktree_u64;

/* What the tree has. Without KTREE_MIRROR the simulator's own TDP MMU keeps the mirror root. */
#define KTREE_MIRROR	   (1U << 0) /* mirror tables, and its TDX code down to __seamcall() */
#define KTREE_DIRECT_BITS  (1U << 1) /* the direct table is indexed with the shared bit */
#define KTREE_SPLIT_RANGE  (1U << 2) /* splits mirror leaves that cross the ends of a range (v3) */
#define KTREE_SPLIT_LEVEL  (1U << 3) /* splits mirror leaves of a range to a level (v5) */
#define KTREE_DYNAMIC_PAMT (1U << 4)
#define KTREE_MIRROR_HUGE  (KTREE_SPLIT_RANGE | KTREE_SPLIT_LEVEL)

struct ktree_info {
	const char *release; /* a label; nothing depends on it */
	unsigned int caps;
	unsigned int sp_size;	/* bytes of its struct kvm_mmu_page */
	unsigned int page_size; /* bytes of its struct page */
	ktree_u64 nonpresent;	/* SPTE of an empty entry */
};

struct ktree_vm;
struct ktree_vcpu;

/* Of the simulator's VM, before the tree's code runs. */
struct ktree_vm_conf {
	ktree_u64 direct_bits; /* gfn bit that selects the direct table */
	ktree_u64 tdr;	       /* physical address, 0: none yet */
	ktree_u64 add_src;     /* source of PAGE.ADD: physical address | 1, 0: none */
	int hkid;
	int td_state; /* 0 uninitialized, 1 initialized, 2 runnable */
	bool pre_fault_allowed;
	bool has_users; /* false: the VM is being destroyed */
	unsigned int vcpus;
};

/* Of the tree's VM, for the simulator. */
struct ktree_vm_state {
	bool bugged, dead, wait_for_sept_zap;
	long long pages[3]; /* leaves by level - 1, in all of its tables */
};

struct ktree_slot {
	ktree_u64 base_gfn, npages;
	bool readonly;
};

enum ktree_ret {
	KTREE_RETRY = 1,
	KTREE_EMULATE,
	KTREE_WRITE_PROTECTED,
	KTREE_FIXED,
	KTREE_SPURIOUS,
};

struct ktree_fault {
	ktree_u64 addr, error_code, gfn, pfn;
	struct ktree_slot slot;
	bool prefetch, exec, write, is_private, map_writable;
	int max_level, req_level, goal_level;
	void *sim; /* the simulator's fault */
};

struct ktree_range {
	ktree_u64 start, end;
	struct ktree_slot slot;
	bool shared, private_mem; /* which kinds of memory: at least one */
	bool may_block;
};

struct ktree_entry {
	bool present, frozen, leaf, writable;
	ktree_u64 pfn;	    /* leaf: of the page; table: of the table */
	const void *child;  /* table: its entries */
	ktree_u64 external; /* table of a mirror: physical address of its S-EPT page, 0: none */
};

/* --- the tree's side (kernel/) --------------------------------------------------------------- */

extern const struct ktree_info ktree_info;

/*
 * In a fresh world, after the tree's variables got their first values: where physical address 0 is
 * in the world's address space, and where struct page of frame 0 would be, and at which bit of
 * an address the key id begins.
 */
void ktree_boot(unsigned long page_offset, unsigned long page_array, unsigned int phys_bits);

/* @sim: the simulator's VM; locks are struct rt_lock of it. Freed by ktree_vm_free(). */
struct ktree_vm *ktree_vm_new(void *sim, void *mmu_lock, void *slots_lock);
void ktree_vm_update(struct ktree_vm *vm, const struct ktree_vm_conf *conf);
/* Zap all roots and wait for RCU. No vCPU is left; no lock held. */
void ktree_vm_uninit(struct ktree_vm *vm);
void ktree_vm_free(struct ktree_vm *vm);

/* @caches: of page headers, of tables, of S-EPT pages; filled before the tree draws from them. */
struct ktree_vcpu *ktree_vcpu_new(struct ktree_vm *vm, void *sim, void *const caches[3]);
void ktree_vcpu_free(struct ktree_vcpu *vcpu);

/* Find or make a root of @root_level with a reference for @vcpu; its physical address. */
ktree_u64 ktree_alloc_root(struct ktree_vcpu *vcpu, bool mirror, int root_level);
/* mmu_lock held. */
void ktree_put_root(struct ktree_vm *vm, ktree_u64 hpa);
bool ktree_root_invalid(ktree_u64 hpa);

/* Read mmu_lock held. enum ktree_ret, or -errno; goal_level and pfn of @f are as in the end. */
int ktree_map(struct ktree_vcpu *vcpu, struct ktree_fault *f);
/* Write mmu_lock held, may be dropped if @r may block. Whether a flush is needed. */
bool ktree_unmap(struct ktree_vm *vm, const struct ktree_range *r, bool flush);
/*
 * Split what is larger than @level of the mirror in the range, or, with KTREE_SPLIT_RANGE, what
 * crosses an end of it. mmu_lock held, as @shared says; dropped on the way. 0 or -errno.
 */
int ktree_split_mirror(struct ktree_vm *vm, const struct ktree_range *r, int level, bool shared);

/* Looking, without lock or point: the valid root's entries and level, NULL without one. */
const void *ktree_root_table(const struct ktree_vm *vm, bool mirror, int *level);
void ktree_read_entry(ktree_u64 spte, int level, bool mirror, struct ktree_entry *e);

/*
 * The instruction at @ip trapped. False: it is no WARN or BUG of the tree. A warning is told at the
 * next point, with what the tree says of it until then; what follows a BUG is the caller's to do.
 */
struct ktree_bug {
	const char *file, *text;
	unsigned int line;
	bool warning;
};
bool ktree_heard(unsigned long ip, struct ktree_bug *bug);

/* --- the simulator's side (sim/) ------------------------------------------------------------- */

/* Scheduling points. All but ksim_relax() only if @p lies in the world's heap. */
void ksim_point_atomic(const volatile void *p);
void ksim_point_resched(void);
/* One round of a loop that waits for somebody else. */
void ksim_relax(void);
/* Reads without any point between them, for ever: ends the run. */
void ksim_livelock(void) __attribute__((noreturn));

enum ksim_lock_kind {
	KSIM_SPIN,
	KSIM_RW,
	KSIM_MUTEX,
};
void *ksim_lock_new(enum ksim_lock_kind kind, const char *name);
void ksim_lock_free(void *lock);
void ksim_lock_take(void *lock, bool exclusive);
void ksim_lock_release(void *lock, bool exclusive);
/* @mode: 0 shared, 1 exclusive, -1 any */
bool ksim_lock_held(const void *lock, int mode);
bool ksim_lock_contended(const void *lock);
void ksim_might_sleep(const char *what);

void ksim_rcu_lock(void);
void ksim_rcu_unlock(void);
bool ksim_rcu_held(void);
void ksim_rcu_barrier(void);
void ksim_call_rcu(void *head, void (*fn)(void *head));

/* Zeroed, never NULL. */
void *ksim_alloc(size_t size);
void ksim_free(void *p);
/* As KVM's own allocations for tables: NULL when a fault is injected. */
void *ksim_header_alloc(size_t size);
void ksim_header_free(void *p);
void *ksim_table_alloc(void);
void *ksim_cache_alloc(void *cache);
/* The word that the owner of a table keeps with it, by the frame of the table. */
void ksim_set_page_private(ktree_u64 pfn, unsigned long val);
unsigned long ksim_page_private(ktree_u64 pfn);
/* A table by its address, or a host page by its physical address. */
void ksim_table_free(void *table);
void ksim_host_page_free(ktree_u64 pa);

void ksim_hugepage_adjust(void *sim_vcpu, struct ktree_fault *f);
enum ksim_request {
	KSIM_TLB_FLUSH,
	KSIM_OUTSIDE_GUEST_MODE,
	KSIM_VM_DEAD,
};
bool ksim_request(void *sim_vm, enum ksim_request req);
void ksim_vm_state(void *sim_vm, const struct ktree_vm_state *st);

/* @args: struct tdx_module_args of both sides, which are the same 13 words. */
enum ksim_call {
	KSIM_SEAMCALL,
	KSIM_SEAMCALL_RET,
	KSIM_SEAMCALL_SAVED_RET,
};
ktree_u64 ksim_seamcall(ktree_u64 fn, void *args, enum ksim_call kind);
void ksim_clflush(size_t bytes);
void ksim_reset_page(ktree_u64 pa, size_t bytes);

/* Who runs: a small number. */
unsigned int ksim_actor(void);
/* A broken rule ("warn", "bug", "rcu" ...) at a place of the tree. */
void ksim_report(const char *rule, const char *file, unsigned int line, const char *what);
/* The tree called what nobody has given it. */
void ksim_missing(const char *name) __attribute__((noreturn));

#endif
