/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM as its userspace sees it: the host with its CPUs, VMs, vCPUs, memslots, and the ioctls on
 * them. The lab (the VMM) and tests call these; each is the kernel's ioctl handler with the copy
 * from user space left out. guest_memfd's calls are in gmem/gmem.h; the kernel's inner interface is
 * <linux/kvm_host.h>.
 *
 * Conventions: gpa in bytes, without the shared bit unless it is said; sizes in bytes; 0 or a
 * negative errno as the ioctl returns it. No lock may be held by the caller; every function may
 * sleep and has scheduling points.
 */
#ifndef MMU_KVM_VM_H
#define MMU_KVM_VM_H

#include "mmu/policy.h"
#include "tdx/seam.h"

struct kvm;
struct kvm_vcpu;
struct kvm_host;

struct kvm_host_setup {
	struct seam *seam; /* the module under this host */
	u32 cpus;	   /* logical processors = LPs of the module */
	u64 mem; /* bytes of host memory that the page allocator may hand out (inside the TDMRs) */
	u64 mem_base;		     /* HPA where it begins */
	bool tdx_huge_page;	     /* module parameter kvm_intel.tdx_huge_page */
	bool dynamic_pamt;	     /* kernel uses Dynamic PAMT if the module has it enabled */
	u8 policy[KVM_POLICIES_MAX]; /* index of the value in each row of kvm_policies */
};

/*
 * kvm_host_new - boot of the host: page allocator, tdx_enable() (features read by TDH.SYS.RD),
 * hardware set-up of KVM. One host in a world, at root 2; the page allocator at root 4. Clears
 * tdx_huge_page without feature bit 51 (spec kvm-port 2.11).
 */
int kvm_host_new(const struct kvm_host_setup *setup, struct kvm_host **host);
void kvm_host_free(struct kvm_host *host);
/* As in effect after the gating. */
bool kvm_host_huge_pages(const struct kvm_host *host);

/*
 * The kernel tree whose TDP MMU runs in place of the port's, by its release ("7.3.4"); NULL: the
 * port's own. What of @setup that tree can't do, as a sentence; NULL: nothing. How many
 * faults it has handled since the host came up. (mmu/mmu_tree.c, compat/tree/; docs/ktree.md)
 */
const char *kvm_mmu_tree(void);
const char *kvm_mmu_lacks(const struct kvm_host_setup *setup);
u64 kvm_mmu_tree_calls(const struct kvm_host *host);

/* --- VM ioctls ------------------------------------------------------------------------------- */

struct kvm_tdx_params {
	const char *name; /* of the TD, for reports */
	u32 max_vcpus;
	bool sept_ve_disable;
	bool gpaw;  /* 5-level guest width: shared bit 51 instead of 47 */
	bool debug; /* ATTRIBUTES.DEBUG */
};

/* KVM_CREATE_VM(KVM_X86_TDX_VM). */
int kvm_dev_ioctl_create_vm(struct kvm_host *host, const struct kvm_tdx_params *params,
			    struct kvm **kvm);
/* KVM_TDX_INIT_VM: MNG.CREATE .. MNG.INIT. */
int kvm_tdx_init_vm(struct kvm *kvm);
/* KVM_CREATE_VCPU and KVM_TDX_INIT_VCPU; @cpu: the host CPU that the calling thread is on. */
int kvm_vm_ioctl_create_vcpu(struct kvm *kvm, u32 id, u32 cpu, struct kvm_vcpu **vcpu);
int kvm_tdx_init_vcpu(struct kvm_vcpu *vcpu);
/*
 * KVM_TDX_INIT_MEM_REGION: [gpa, gpa + size) from @source (an HPA of ordinary memory; contents
 * measured if @measure).
 */
int kvm_tdx_init_mem_region(struct kvm_vcpu *vcpu, u64 gpa, u64 size, u64 source, bool measure);
/* KVM_TDX_FINALIZE_VM. */
int kvm_tdx_finalize_vm(struct kvm *kvm);

struct kvm_gmem_file; /* gmem/gmem.h; the kernel's struct file */

struct kvm_userspace_memory_region2 {
	u32 slot;
	u32 flags;
	u64 guest_phys_addr;
	u64 memory_size; /* 0 deletes the slot */
	u64 userspace_addr;
	u64 guest_memfd_offset;
	struct kvm_gmem_file *guest_memfd;
};
#define KVM_MEM_READONLY    (1U << 1)
#define KVM_MEM_GUEST_MEMFD (1U << 2)
int kvm_vm_ioctl_set_memory_region(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem);

#define KVM_MEMORY_ATTRIBUTE_PRIVATE (1ULL << 3)
/* KVM_SET_MEMORY_ATTRIBUTES, per VM (policy vm_attrs=on; else -ENOTTY). */
int kvm_vm_ioctl_set_mem_attributes(struct kvm *kvm, u64 gpa, u64 size, u64 attributes);

/*
 * One 8-byte access of the VMM to its own memory behind a slot, where shared pages live with
 * vm_attrs=on. -EFAULT when the page is private, the slot has no userspace memory, or vm_attrs=off.
 */
int kvm_vm_host_access(struct kvm *kvm, u64 gpa, bool write, u64 *val);

/*
 * Closing the last vCPU and VM descriptors: teardown in the real order. The gmem files must have
 * been released.
 */
void kvm_vm_release(struct kvm *kvm);

/* --- vCPU ioctls ----------------------------------------------------------------------------- */

#define KVM_EXIT_UNKNOWN	     0
#define KVM_EXIT_HYPERCALL	     3
#define KVM_EXIT_INTR		     10
#define KVM_EXIT_SHUTDOWN	     8
#define KVM_EXIT_INTERNAL_ERROR	     17
#define KVM_EXIT_MEMORY_FAULT	     39
#define KVM_MEMORY_EXIT_FLAG_PRIVATE (1ULL << 3)
#define KVM_HC_MAP_GPA_RANGE	     12
/* hypercall.attributes: the guest wants the range private (else shared). */
#define KVM_MAP_GPA_RANGE_ENCRYPTED (1ULL << 4)

struct kvm_run {
	u32 exit_reason;
	bool immediate_exit;
	struct {
		u64 flags, gpa, size;
	} memory_fault;
	struct {
		u64 nr, gpa, npages, attributes; /* KVM_HC_MAP_GPA_RANGE */
		u64 ret; /* in, before the next KVM_RUN: 0, EAGAIN or EINVAL (positive) */
	} hypercall;
};

/*
 * KVM_RUN on the calling actor. Returns 0 with an exit reason, -EINTR on a signal, -EFAULT with
 * KVM_EXIT_MEMORY_FAULT, -EIO on a dead VM. While the guest is entered, the guest program (below)
 * runs inside.
 */
int kvm_vcpu_ioctl_run(struct kvm_vcpu *vcpu);
struct kvm_run *kvm_vcpu_run_page(struct kvm_vcpu *vcpu);
/*
 * KVM_PRE_FAULT_MEMORY. @level4k: the RFC v1 variant that maps at 4 KiB only. *@done: bytes mapped,
 * also on error.
 */
int kvm_vcpu_ioctl_pre_fault(struct kvm_vcpu *vcpu, u64 gpa, u64 size, bool level4k, u64 *done);
/* The thread moves to another host CPU (kvm_arch_vcpu_load there; VP.FLUSH on the old one). */
int kvm_vcpu_set_cpu(struct kvm_vcpu *vcpu, u32 cpu);
u32 kvm_vcpu_cpu(const struct kvm_vcpu *vcpu);
/*
 * A signal for the vCPU's thread: KVM_RUN and pre-fault return -EINTR; cleared by the lab when it
 * is taken.
 */
void kvm_vcpu_signal(struct kvm_vcpu *vcpu, bool pending);

/*
 * The guest program. __seamcall_saved_ret(TDH.VP.ENTER) calls it when the TD was entered; it
 * executes guest instructions with seam_tdcall() and seam_access() on @lp until one of them, or an
 * interrupt, made a TD exit, whose host registers it leaves in @r. Before each instruction and
 * while it has nothing to do it must look at seam_irq_pending() and leave by
 * seam_guest_interrupt(). It runs on the vCPU's actor, with no lock held. Set once for the world.
 */
void kvm_set_guest_program(struct kvm_host *host,
			   void (*run)(struct kvm_vcpu *vcpu, u32 lp, struct seam_regs *r));
/*
 * From the guest program: an instruction begins. Only needed where two vCPUs share a CPU: from here
 * on the other may preempt this one.
 */
void kvm_vcpu_guest_begins(struct kvm_vcpu *vcpu);
/*
 * Whether the guest of @vcpu has an instruction to execute: a pure function of the world. Only
 * needed where two vCPUs share a CPU: one without work neither keeps nor takes it. Not set: always.
 */
void kvm_set_guest_has_work(struct kvm_host *host, bool (*has_work)(const struct kvm_vcpu *vcpu));
void kvm_vcpu_set_data(struct kvm_vcpu *vcpu, void *data);
void *kvm_vcpu_data(const struct kvm_vcpu *vcpu);

/* --- looking inside (oracles, reports, expectations); no lock is taken, nothing changes ------ */

u64 kvm_tdr(const struct kvm *kvm); /* HPA of the TDR page, 0 before KVM_TDX_INIT_VM */
u64 kvm_tdvpr(const struct kvm_vcpu *vcpu);
const char *kvm_name(const struct kvm *kvm);
bool kvm_is_bugged(const struct kvm *kvm);
bool kvm_is_dead(const struct kvm *kvm);
bool kvm_is_finalized(const struct kvm *kvm);
u32 kvm_shared_bit(const struct kvm *kvm); /* GPA bit: 47 or 51 */
u32 kvm_hkid(const struct kvm *kvm);	   /* 0 if none is assigned */

/* A present entry of a KVM table; level 1 = 4K as the kernel counts. */
struct kvm_spte_view {
	u64 gfn;
	u8 level;
	bool leaf, frozen;
	u64 pfn; /* leaf: of the page; table: of the S-EPT page here (mirror) or of the table */
	u64 spte;
};
/*
 * Walk the mirror (or direct) table in [gfn, gfn + nr): every entry that is present or frozen,
 * parents first. Costs what is mapped. @fn returns false to stop.
 */
void kvm_for_each_spte(const struct kvm *kvm, bool mirror, u64 gfn, u64 nr,
		       bool (*fn)(void *ctx, const struct kvm_spte_view *v), void *ctx);
bool kvm_look_spte(const struct kvm *kvm, bool mirror, u64 gfn,
		   struct kvm_spte_view *v); /* the leaf, or false */
/*
 * lpage_info of the 2M (level 2) or 1G (3) page around @gfn: counter and flags; ~0 without a slot.
 */
u32 kvm_look_lpage(const struct kvm *kvm, u64 gfn, u8 level);
/* Dynamic PAMT count of the 2M of host memory around @pfn. */
u64 kvm_look_pamt_count(const struct kvm_host *host, u64 pfn);
/* Whether somebody holds mmu_lock, and which way: 0 no, 1 read, 2 write. */
u32 kvm_mmu_locked(const struct kvm *kvm);
/* Whether the running actor holds it for write. */
bool kvm_mmu_write_locked(const struct kvm *kvm);
/* Translate gpa to the slot's gmem file and page index; false without a slot. */
bool kvm_look_slot(const struct kvm *kvm, u64 gpa, u32 *slot, struct kvm_gmem_file **file,
		   u64 *index);
/* Whether the VMs' entries are held off because a SEAMCALL was BUSY (R23). */
bool kvm_look_wait_for_sept_zap(const struct kvm *kvm);
/* mmu_lock as the points of sim/rt/sched.h name it; invalidations that began and did not end. */
u64 kvm_look_mmu_lock(const struct kvm *kvm);
long kvm_look_invalidating(const struct kvm *kvm);
/* How often a fault under way has become stale: invalidations that ended, and changes of slots. */
u64 kvm_look_invalidated(const struct kvm *kvm);
/* The attribute of @gfn as KVM sees it: its own array with vm_attrs=on, else the gmem file's. */
bool kvm_look_private(const struct kvm *kvm, u64 gfn);
/* With vm_attrs=on: the first gfn behind @gfn whose attribute is another; ~0 if none follows. */
u64 kvm_look_attr_end(const struct kvm *kvm, u64 gfn);
/* The page of the VMM's own memory behind @gfn (vm_attrs=on); false if nobody has touched it. */
bool kvm_look_user_page(const struct kvm *kvm, u64 gfn, u64 *pfn);
/* Whether the frame is handed out by the page allocator (a page in an S-EPT must be). */
bool kvm_look_host_page(const struct kvm_host *host, u64 pfn);
/* Host pages that are handed out by the page allocator (all owners): for leak accounting. */
u64 kvm_host_pages_used(const struct kvm_host *host);

/* --- statistics ------------------------------------------------------------------------------ */

/*
 * Names fixed by the scenario language, plus more; counted from the start of the run over all VMs,
 * or per VM for pages_*.
 */
#define KVM_STATS(X)                                                                              \
	X(PAGES_4K, "pages_4k", "present 4K leaves in mirror and direct tables")                  \
	X(PAGES_2M, "pages_2m", "present 2M leaves in mirror and direct tables")                  \
	X(PAGES_1G, "pages_1g", "present 1G leaves in mirror and direct tables")                  \
	X(SPLITS, "splits", "successful splits of mirror leaves")                                 \
	X(SPLIT_VISITS, "split_visits", "entries that walks for leaves to split have looked at")  \
	X(SPLIT_TOPUPS, "split_topups", "split caches found drained, and filled once more")       \
	X(KICKS, "kicks", "requests to all vCPUs to leave guest mode")                            \
	X(MMU_LOCK_WRITE, "mmu_lock_write", "write acquisitions of mmu_lock, also after a yield") \
	X(MMU_LOCK_WRITE_CYCLES, "mmu_lock_write_cycles",                                         \
	  "cycles for which it was held for write")                                               \
	X(OVERZAP_BYTES, "overzap_bytes", "bytes zapped outside the range that was asked for")    \
	X(SEAMCALL_RETRIES, "seamcall_retries", "second attempts after BUSY")                     \
	X(PF_RETRY, "pf_retry", "faults that ended with RET_PF_RETRY")                            \
	X(HOST_PAGES_PAMT, "host_pages_pamt", "Dynamic PAMT pages installed")                     \
	X(ALLOCS_SPT, "allocs.spt", "page-table pages of mirror and direct tables")               \
	X(ALLOCS_EXTERNAL_SPT, "allocs.external-spt", "S-EPT pages")                              \
	X(ALLOCS_PAMT, "allocs.pamt", "Dynamic PAMT pages taken from the allocator")              \
	X(ALLOCS_SPT_SPLIT, "allocs.spt.split",                                                   \
	  "of allocs.spt: for splits, with mmu_lock dropped")                                     \
	X(ALLOCS_EXTERNAL_SPT_SPLIT, "allocs.external-spt.split",                                 \
	  "of allocs.external-spt: for splits")                                                   \
	X(ALLOCS_PAMT_SPLIT, "allocs.pamt.split", "of allocs.pamt: for splits")                   \
	X(ALLOCS_PAMT_CONTROL, "allocs.pamt.control", "of allocs.pamt: for control pages, no cache")
enum kvm_stat {
#define KVM_STAT_ENUM(id, name, text) KVM_STAT_##id,
	KVM_STATS(KVM_STAT_ENUM)
#undef KVM_STAT_ENUM
	KVM_STAT_NR
};
u64 kvm_stat(const struct kvm_host *host, enum kvm_stat st);
/*
 * What nothing that KVM does depends on but by time: statistics, and the numbers by which kicks are
 * told apart. @fn gets each range, in multiples of 8 bytes.
 */
void kvm_for_each_counter(const struct kvm_host *host,
			  void (*fn)(void *ctx, const void *p, size_t len), void *ctx);
/*
 * Frames of the host by actor (mmu/compat/stubs/hostmem.h), for a search in which the order of
 * allocations shall make no difference.
 */
void kvm_host_set_lanes(struct kvm_host *host, u32 lanes);
/* A number for which vCPUs of which VMs have not taken their last kick yet. */
u64 kvm_look_kicks(const struct kvm_host *host);

/*
 * Fault sites of the port (sim/rt/fault.h), key 0: "sp-alloc", "spt-alloc", "external-spt-alloc",
 * "pamt-alloc" (the allocation gives NULL). What KVM reports (WARN, KVM_BUG_ON, TDX_BUG_ON) goes to
 * rt_report() with rules "warn", "kvm-bug", "tdx-bug".
 */

#endif
