// SPDX-License-Identifier: GPL-2.0-only
/*
 * The accepts of a Linux TD's boot as published (kvm-port.md 7), replayed against the port: what they leave mapped at 2M, and how
 * often they take mmu_lock for write, beside the published figures. Nothing is timed. Where the mails say less than a replay
 * needs, the comments and the note at the end say what was filled in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gmem/gmem.h"
#include "mmu/kvm_policy.h"
#include "mmu/kvm_vm.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"

/* Published: aF0Kg8FcHVMvsqSo and, for the last two, aGSoDnODoG2/pbYn. */
#define PUB_4K_ACCEPTS	 2710 /* where KVM could have mapped 2M, all on vCPU 0 */
#define PUB_2M_WITHOUT	 1144
#define PUB_2M_WITH	 1143
#define PUB_WRITE_LOCKED 17626
#define PUB_WRITE_TEST	 11

#define HOST_PA 0x40000000ULL
#define MEM	(6ULL << 30)
#define VCPUS	8U
#define PAGE	4096ULL
#define NR_2M	512ULL

/* Published: 4 GB in two slots, and the firmware's 4M below 4G. gfn and pages. */
static const struct slot {
	u64 gfn, npages;
} slots[] = {{0, 0x80000}, {0x100000, 0x80000}, {0xffc00, 0x400}};
#define NR_SLOTS RT_ARRAY_SIZE(slots)

struct vm {
	struct rt_world *w;
	struct seam *seam;
	struct kvm_host *host;
	struct kvm *kvm;
	struct kvm_vcpu *vcpu[VCPUS];
	struct kvm_gmem_file *file[NR_SLOTS];
	u64 accept, accepts, status;
	bool done;
	u64 writes; /* write acquisitions of mmu_lock while a guest accepted */
};

static void need(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "boot: %s: %d\n", what, err);
	exit(3);
}

/* The guest: one ACCEPT, repeated after each exit, then out by a signal. */
static void run_guest(struct kvm_vcpu *vcpu, u32 lp, struct seam_regs *r)
{
	struct vm *vm = kvm_vcpu_data(vcpu);
	struct seam_fault fault;
	enum seam_result res;

	if (!vm->done) {
		*r = (struct seam_regs){.rax = SEAM_TDG_MEM_PAGE_ACCEPT, .rcx = vm->accept};
		res = seam_tdcall(vm->seam, lp, r, 0, &fault);
		if (res == SEAM_EXIT || res == SEAM_RESTART_EXIT)
			return;
		vm->status = r->rax;
		vm->done = true;
		kvm_vcpu_signal(vcpu, true);
	}
	seam_guest_interrupt(vm->seam, lp, 0xf2, r);
}

static void accept(struct vm *vm, u32 vcpu, u64 gfn, u32 level)
{
	const u64 before = kvm_stat(vm->host, KVM_STAT_MMU_LOCK_WRITE);

	vm->accept = gfn * PAGE | level;
	vm->done = false;
	kvm_vcpu_ioctl_run(vm->vcpu[vcpu]);
	kvm_vcpu_signal(vm->vcpu[vcpu], false);
	need(!vm->done || vm->status != SEAM_SUCCESS, "TDG.MEM.PAGE.ACCEPT");
	vm->accepts++;
	vm->writes += kvm_stat(vm->host, KVM_STAT_MMU_LOCK_WRITE) - before;
}

/* A page of slot 0 goes to the host and comes back; its contents are gone, so the guest accepts it again. */
static void accept_again(struct vm *vm, u64 gfn)
{
	u64 error_offset = 0;

	need(kvm_gmem_set_attributes(vm->file[0], gfn * PAGE, PAGE, 0, &error_offset), "to shared");
	need(kvm_gmem_set_attributes(vm->file[0], gfn * PAGE, PAGE, KVM_MEMORY_ATTRIBUTE_PRIVATE,
				     &error_offset),
	     "to private");
	accept(vm, 0, gfn, 0);
}

static void new_host(struct vm *vm, u32 accept_info, u32 inhibit_test)
{
	const struct seam_config cfg = {
		.profile = "1.5.28",
		.dynamic_pamt = true,
		.tdmr = {{HOST_PA, MEM}},
		.nr_tdmr = 1,
	};
	struct kvm_host_setup setup = {
		.cpus = 4,
		.mem_base = HOST_PA,
		.mem = MEM,
		.tdx_huge_page = true,
		.dynamic_pamt = true,
	};
	char err[128] = "";

	vm->w = rt_world_new(NULL);
	vm->seam = vm->w ? seam_new(&cfg, err, sizeof(err)) : NULL;
	need(!vm->seam, err);
	setup.seam = vm->seam;
	kvm_policy_defaults(setup.policy);
	setup.policy[KVM_POLICY_ACCEPT_INFO] = (u8)accept_info;
	setup.policy[KVM_POLICY_INHIBIT_TEST] = (u8)inhibit_test;
	need(kvm_host_new(&setup, &vm->host), "host");
	kvm_set_guest_program(vm->host, run_guest);
}

static void new_slot(struct vm *vm, u32 i)
{
	struct gmem_setup setup = {
		.name = "boot",
		.size = slots[i].npages * PAGE,
		.backing = GMEM_HUGETLB_2M,
	};
	struct kvm_userspace_memory_region2 region = {
		.slot = i,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = slots[i].gfn * PAGE,
		.memory_size = slots[i].npages * PAGE,
		.userspace_addr = 0x7f0000000000ULL + slots[i].gfn * PAGE,
	};

	need(!gmem_profile("SEAN_2026", setup.policy), "gmem profile");
	need(kvm_gmem_create(vm->kvm, &setup, &vm->file[i]), "KVM_CREATE_GUEST_MEMFD");
	region.guest_memfd = vm->file[i];
	need(kvm_vm_ioctl_set_memory_region(vm->kvm, &region), "KVM_SET_USER_MEMORY_REGION2");
}

static void new_td(struct vm *vm)
{
	const struct kvm_tdx_params params = {
		.name = "boot",
		.max_vcpus = VCPUS,
		.sept_ve_disable = true,
	};

	need(kvm_dev_ioctl_create_vm(vm->host, &params, &vm->kvm), "KVM_CREATE_VM");
	need(kvm_tdx_init_vm(vm->kvm), "KVM_TDX_INIT_VM");
	for (u32 i = 0; i < VCPUS; i++) {
		need(kvm_vm_ioctl_create_vcpu(vm->kvm, i, i % 4, &vm->vcpu[i]), "KVM_CREATE_VCPU");
		need(kvm_tdx_init_vcpu(vm->vcpu[i]), "KVM_TDX_INIT_VCPU");
		kvm_vcpu_set_data(vm->vcpu[i], vm);
	}
	for (u32 i = 0; i < NR_SLOTS; i++)
		new_slot(vm, i);
	need(kvm_tdx_finalize_vm(vm->kvm), "KVM_TDX_FINALIZE_VM");
}

/*
 * Published ranges of accepts at 4K. The third is where pages come and go; three of them are named with their counts, of the
 * others, PUB_4K_ACCEPTS less all that is named, only the range is known.
 */
#define ONCE_A	    0x806ULL   /* to 0x9ff: EDK2 */
#define ONCE_B	    0x7e800ULL /* to 0x7e9ff */
#define AGAIN_FIRST 0x7d3ffULL
#define AGAIN_LAST  0x7e7feULL
#define NAMED	    (506 + 512 + 974 + 476 + 156)
#define OTHERS	    (PUB_4K_ACCEPTS - NAMED)

static const struct {
	u64 gfn, times;
} named[] = {{0x7d9d7, 974}, {0x7d9da, 476}, {0x7d9d9, 156}};

/* The n-th of the others: spread over the whole range, or as near to the named ones as the two ends allow. */
static u64 other(u64 n, bool spread)
{
	if (n < 2)
		return n ? AGAIN_LAST : AGAIN_FIRST;
	if (spread)
		return AGAIN_FIRST + n * (AGAIN_LAST - AGAIN_FIRST) / OTHERS;
	return named[1].gfn + n;
}

static bool in_small_block(u64 gfn, bool spread)
{
	const u64 block = gfn / NR_2M;
	bool small =
		block == ONCE_A / NR_2M || block == ONCE_B / NR_2M || block == named[0].gfn / NR_2M;

	for (u64 n = 0; n < OTHERS; n++)
		small |= block == other(n, spread) / NR_2M;
	return small;
}

/* 2M accepts, from the bottom of both slots in turn: which blocks Linux has accepted at login is not published, only how many. */
static void accept_blocks(struct vm *vm, u64 from, u64 nr, bool spread)
{
	u64 i = from;

	while (nr) {
		u64 gfn = slots[i % 2].gfn + i / 2 * NR_2M;

		if (!in_small_block(gfn, spread)) {
			accept(vm, (u32)(i % VCPUS), gfn, 1);
			nr--;
		}
		i++;
	}
}

struct result {
	u64 pages_2m, writes, splits, accepts;
};

/* Every accept that exited is one of PUB_WRITE_LOCKED: what the named ranges and the 2M blocks leave of it repeats. */
static struct result replay(u32 accept_info, u32 inhibit_test, bool spread)
{
	struct vm vm = {.done = true};
	struct result r;

	new_host(&vm, accept_info, inhibit_test);
	new_td(&vm);
	accept_blocks(&vm, 0, 2, spread); /* firmware's first memory, before its small pages */
	for (u64 gfn = ONCE_A; gfn <= 0x9ff; gfn++)
		accept(&vm, 0, gfn, 0);
	for (u64 gfn = ONCE_B; gfn <= 0x7e9ff; gfn++)
		accept(&vm, 0, gfn, 0);
	for (u64 n = 0; n < OTHERS; n++)
		accept(&vm, 0, other(n, spread), 0);
	for (u32 i = 0; i < RT_ARRAY_SIZE(named); i++) {
		accept(&vm, 0, named[i].gfn, 0);
		for (u64 n = 1; n < named[i].times; n++)
			accept_again(&vm, named[i].gfn);
	}
	accept_blocks(&vm, 4, PUB_2M_WITH - 2, spread);
	while (vm.accepts < PUB_WRITE_LOCKED)
		accept_again(&vm, named[vm.accepts % 3].gfn);

	r.pages_2m = kvm_stat(vm.host, KVM_STAT_PAGES_2M);
	r.splits = kvm_stat(vm.host, KVM_STAT_SPLITS);
	r.writes = vm.writes;
	r.accepts = vm.accepts;
	rt_world_free(vm.w);
	return r;
}

static void row(const char *what, double here, double published)
{
	printf("%-58s %10.6g %10.6g\n", what, here, published);
}

static const char note[] =
	"\n"
	"How to read it. The published figures give how many accepts there were, not all of their places.\n"
	"- 2M mappings: the number of 2M accepts (1143) is put in; what the replay shows is that the inhibit costs none of them, for it\n"
	"  forbids only what has a table of small pages already. The published difference of one is not in the published ranges.\n"
	"- Write acquisitions without the test: one for each accept that exits (17626, put in). With it: one for each 2M block that is\n"
	"  first accepted at 4K, and one for each 1G first accepted at 2M. The mails name 1018 + 1606 of the 2710 accepts by page; of the\n"
	"  others they say only 0x7d3ff to 0x7e7fe, which are 11 blocks of 2M. If they lie close to the named pages 3 of the blocks are\n"
	"  touched, if they are spread over the range all 11: the two rows above. The published average of 11 over several boots lies\n"
	"  between, and no choice inside the range is better founded, so the ratio is given as these two bounds.\n";

int main(void)
{
	const struct result close =
		replay(KVM_ACCEPT_INFO_GLOBAL, KVM_INHIBIT_TEST_LOCKLESS, false);
	const struct result spread =
		replay(KVM_ACCEPT_INFO_GLOBAL, KVM_INHIBIT_TEST_LOCKLESS, true);
	const struct result locked = replay(KVM_ACCEPT_INFO_GLOBAL, KVM_INHIBIT_TEST_LOCKED, false);
	const struct result vcpu = replay(KVM_ACCEPT_INFO_VCPU, KVM_INHIBIT_TEST_LOCKED, false);

	printf("%-58s %10s %10s\n", "boot of a Linux TD, 4 GB, 8 vCPUs", "here", "published");
	row("accepts that exit", (double)close.accepts, PUB_WRITE_LOCKED);
	row("2M mappings at login, without inhibit (accept_info=vcpu)", (double)vcpu.pages_2m,
	    PUB_2M_WITHOUT);
	row("2M mappings at login, with inhibit", (double)close.pages_2m, PUB_2M_WITH);
	row("  ratio", (double)vcpu.pages_2m / (double)close.pages_2m,
	    (double)PUB_2M_WITHOUT / PUB_2M_WITH);
	row("mmu_lock write acquisitions, inhibit_test=locked", (double)locked.writes,
	    PUB_WRITE_LOCKED);
	row("mmu_lock write acquisitions, lockless, repeats close", (double)close.writes,
	    PUB_WRITE_TEST);
	row("mmu_lock write acquisitions, lockless, repeats spread", (double)spread.writes,
	    PUB_WRITE_TEST);
	row("  ratio, close", (double)locked.writes / (double)close.writes,
	    (double)PUB_WRITE_LOCKED / PUB_WRITE_TEST);
	row("  ratio, spread", (double)locked.writes / (double)spread.writes,
	    (double)PUB_WRITE_LOCKED / PUB_WRITE_TEST);
	printf("%-58s %10llu %10s\n", "splits", close.splits, "-");
	printf("%s", note);
	return 0;
}
