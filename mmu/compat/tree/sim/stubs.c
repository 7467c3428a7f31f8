// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tree's code gets from the simulator: locks, RCU, memory, requests, SEAMCALLs, reports.
 * Each is the same service of sim/rt or of the port that the port's own files use, so that points,
 * fault sites and statistics are the same ones.
 */
#include <stdlib.h>

#include "mmu/compat/tree/sim/glue.h"
#include "sim/rt/lock.h"
#include "sim/rt/rcu.h"

/* --- points ------------------------------------------------------------- */

/* What lies on a stack or in a variable nobody races for. */
void ksim_point_atomic(const volatile void *p)
{
	if (rt_owns((const void *)p))
		compat_point_atomic(p);
}

void ksim_point_resched(void)
{
	compat_point_resched();
}

void ksim_relax(void)
{
	compat_spin_wait();
}

static void __attribute__((noreturn)) end_run(void)
{
	if (rt_actor_current())
		rt_stop();
	abort();
}

void ksim_livelock(void)
{
	rt_report("livelock", "the tree's code reads for ever and meets no scheduling point");
	end_run();
}

/* --- locks and RCU ------------------------------------------------------ */

void *ksim_lock_new(enum ksim_lock_kind kind, const char *name)
{
	static const enum rt_lock_kind kinds[] = {
		[KSIM_SPIN] = RT_LOCK_SPIN,
		[KSIM_RW] = RT_LOCK_RW,
		[KSIM_MUTEX] = RT_LOCK_MUTEX,
	};
	struct rt_lock *l = rt_alloc(sizeof(*l));

	rt_lock_init(l, kinds[kind], compat_lock_name(name));
	return l;
}

void ksim_lock_free(void *lock)
{
	if (lock)
		rt_lock_destroy(lock);
	rt_free(lock);
}

void ksim_lock_take(void *lock, bool exclusive)
{
	rt_lock_take(lock, exclusive ? RT_LOCK_EX : RT_LOCK_SH);
}

void ksim_lock_release(void *lock, bool exclusive)
{
	rt_lock_release(lock, exclusive ? RT_LOCK_EX : RT_LOCK_SH);
}

bool ksim_lock_held(const void *lock, int mode)
{
	if (mode < 0)
		return rt_lock_held_any(lock);
	return rt_lock_held(lock, mode ? RT_LOCK_EX : RT_LOCK_SH);
}

bool ksim_lock_contended(const void *lock)
{
	return rt_lock_contended(lock);
}

void ksim_might_sleep(const char *what)
{
	rt_might_sleep(what);
}

void ksim_rcu_lock(void)
{
	rt_rcu_read_lock();
}

void ksim_rcu_unlock(void)
{
	rt_rcu_read_unlock();
}

bool ksim_rcu_held(void)
{
	return rt_rcu_held();
}

void ksim_rcu_barrier(void)
{
	rt_rcu_barrier();
}

/* The tree's head is smaller than ours, so each callback is queued by one of ours. */
struct rcu_proxy {
	struct rt_rcu_head rt;
	void *head;
	void (*fn)(void *head);
};

static void run_proxy(struct rt_rcu_head *rt)
{
	struct rcu_proxy *p = container_of(rt, struct rcu_proxy, rt);

	p->fn(p->head);
	rt_free(p);
}

void ksim_call_rcu(void *head, void (*fn)(void *head))
{
	struct rcu_proxy *p = rt_alloc(sizeof(*p));

	p->head = head;
	p->fn = fn;
	rt_call_rcu(&p->rt, run_proxy);
}

/* --- memory ------------------------------------------------------------- */

void *ksim_alloc(size_t size)
{
	return rt_zalloc(size);
}

void ksim_free(void *p)
{
	rt_free(p);
}

/* Of what the tree has at the moment; at the end of the last VM it is to have nothing. */
static void *counted(void *p, s64 *live)
{
	*live += p != NULL;
	return p;
}

void *ksim_header_alloc(size_t size)
{
	return counted(kmem_cache_zalloc(&glue()->header_cache, GFP_KERNEL_ACCOUNT),
		       &glue()->headers);
}

void ksim_header_free(void *p)
{
	glue()->headers--;
	rt_free(p);
}

void *ksim_table_alloc(void)
{
	return counted((void *)get_zeroed_page(GFP_KERNEL_ACCOUNT), &glue()->tables);
}

void ksim_set_page_private(ktree_u64 pfn, unsigned long val)
{
	set_page_private(pfn_to_page(pfn), val);
}

unsigned long ksim_page_private(ktree_u64 pfn)
{
	return page_private(pfn_to_page(pfn));
}

/* The tree leaves its word behind; the next owner, and who compares worlds, shall not find it. */
void ksim_table_free(void *table)
{
	glue()->tables--;
	set_page_private(virt_to_page(table), 0);
	free_page((unsigned long)table);
}

/*
 * A table of the heap is where it is for both sides; a host page is a number, and the tree's
 * address of it lies in line with the heap's.
 */
static void *tree_va(void *va)
{
	if ((uintptr_t)va < COMPAT_DIRECT_MAP)
		return va;
	return (char *)rt_at_offset(0) - COMPAT_HEAP_PHYS + __pa(va);
}

void *ksim_cache_alloc(void *cache)
{
	const struct kvm_mmu_memory_cache *mc = cache;
	void *p = tree_va(kvm_mmu_memory_cache_alloc(cache));

	/* Host pages are counted by their own allocator. */
	if (mc->page_get)
		return p;
	return counted(p, mc->kmem_cache ? &glue()->headers : &glue()->tables);
}

void ksim_host_page_free(ktree_u64 pa)
{
	kvm_x86_call(free_external_sp)(__va(pa));
}

/* --- KVM ---------------------------------------------------------------- */

void ksim_hugepage_adjust(void *sim_vcpu, struct ktree_fault *f)
{
	struct kvm_page_fault *fault = f->sim;

	kvm_mmu_hugepage_adjust(sim_vcpu, fault);
	f->req_level = fault->req_level;
	f->goal_level = fault->goal_level;
	f->pfn = fault->pfn;
}

bool ksim_request(void *sim_vm, enum ksim_request req)
{
	static const u32 requests[] = {
		[KSIM_TLB_FLUSH] = KVM_REQ_TLB_FLUSH,
		[KSIM_OUTSIDE_GUEST_MODE] = KVM_REQ_OUTSIDE_GUEST_MODE,
		[KSIM_VM_DEAD] = KVM_REQ_VM_DEAD,
	};

	return kvm_make_all_cpus_request(sim_vm, requests[req]);
}

void ksim_vm_state(void *sim_vm, const struct ktree_vm_state *st)
{
	struct kvm *kvm = sim_vm;
	struct glue_vm *vm = glue_vm(kvm);
	u32 i;

	kvm->vm_bugged |= st->bugged;
	kvm->vm_dead |= st->dead;
	to_kvm_tdx(kvm)->wait_for_sept_zap = st->wait_for_sept_zap;
	for (i = 0; i < 3; i++) {
		kvm->stat.pages[i].counter += st->pages[i] - vm->pages[i];
		vm->pages[i] = st->pages[i];
	}
}

ktree_u64 ksim_seamcall(ktree_u64 fn, void *args, enum ksim_call kind)
{
	_Static_assert(sizeof(struct tdx_module_args) == 13 * sizeof(u64), "as the kernel's");

	switch (kind) {
	case KSIM_SEAMCALL:
		return __seamcall(fn, args);
	case KSIM_SEAMCALL_RET:
		return __seamcall_ret(fn, args);
	case KSIM_SEAMCALL_SAVED_RET:
		return __seamcall_saved_ret(fn, args);
	}
	return TDX_SW_ERROR;
}

/* Caches are not modelled; the price is the one that the port's own wrappers have. */
void ksim_clflush(size_t bytes)
{
	rt_cycles(bytes / 64 * 20);
}

void ksim_reset_page(ktree_u64 pa, size_t bytes)
{
	tdx_quirk_reset_pages(PHYS_PFN(pa), PHYS_PFN(bytes));
}

/* --- reports ------------------------------------------------------------ */

unsigned int ksim_actor(void)
{
	const struct rt_actor *a = rt_actor_current();

	return a ? rt_actor_id(a) : RT_NOBODY;
}

void ksim_report(const char *rule, const char *file, unsigned int line, const char *what)
{
	rt_report(rule, "%s:%u%s%s", file, line, *what ? ": " : "", what);
}

void ksim_missing(const char *name)
{
	rt_report("missing", "the tree's code needs %s, which nobody simulates", name);
	end_run();
}
