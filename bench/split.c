// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a user waits for: a split of one 4K page out of a 2M mapping through KVM, a TD's life, the
 * program's start, and the size of a small world with what saving, restoring and resetting it
 * costs. Leaves alone are in module.c.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/td.h"
#include "gmem/gmem.h"
#include "mmu/kvm_vm.h"
#include "sim/lab/kit.h"
#include "sim/rt/phys.h"

#define GPA	0x80000000ULL
#define SIZE_2M SEAM_LEVEL_SIZE(1)
#define SPLITS	16U /* 2M pages of the slot; one page of each is converted */
#define HOST_PA 0x40000000ULL
#define MEM	0x40000000ULL
#define VCPUS	2U

struct vm {
	struct rt_world *w;
	struct seam *seam;
	struct kvm_host *host;
	struct kvm *kvm;
	struct kvm_vcpu *vcpu[VCPUS];
	struct kvm_gmem_file *file;
	u64 accept; /* what the guest accepts next */
	bool done;
};

static void need(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %d\n", what, err);
	exit(3);
}

/* The guest: one ACCEPT at 2M, then out by the signal that the VMM sends. */
static void run_guest(struct kvm_vcpu *vcpu, u32 lp, struct seam_regs *r)
{
	struct vm *vm = kvm_vcpu_data(vcpu);
	struct seam_fault fault;
	enum seam_result res;

	if (!vm->done) {
		*r = (struct seam_regs){.rax = SEAM_TDG_MEM_PAGE_ACCEPT, .rcx = vm->accept | 1};
		res = seam_tdcall(vm->seam, lp, r, 0, &fault);
		if (res == SEAM_EXIT || res == SEAM_RESTART_EXIT)
			return;
		need(r->rax != SEAM_SUCCESS, "TDG.MEM.PAGE.ACCEPT");
		vm->done = true;
		kvm_vcpu_signal(vcpu, true);
	}
	seam_guest_interrupt(vm->seam, lp, 0xf2, r);
}

static void new_machine(struct vm *vm, bool dynamic_pamt)
{
	const struct seam_config cfg = {.profile = "1.5.28", .dynamic_pamt = dynamic_pamt};
	struct kvm_host_setup setup = {
		.cpus = 4,
		.mem_base = HOST_PA,
		.mem = MEM,
		.tdx_huge_page = true,
		.dynamic_pamt = dynamic_pamt,
	};
	char err[128] = "";

	memset(vm, 0, sizeof(*vm));
	vm->w = rt_world_new(NULL);
	vm->seam = vm->w ? seam_new(&cfg, err, sizeof(err)) : NULL;
	need(!vm->seam, err);
	setup.seam = vm->seam;
	kvm_policy_defaults(setup.policy);
	need(kvm_host_new(&setup, &vm->host), "host");
	kvm_set_guest_program(vm->host, run_guest);
}

static void build_td(struct vm *vm, u64 size)
{
	const struct kvm_tdx_params params = {
		.name = "td0",
		.max_vcpus = VCPUS,
		.sept_ve_disable = true,
	};
	struct gmem_setup setup = {.name = "g0", .size = size, .backing = GMEM_HUGETLB_2M};
	struct kvm_userspace_memory_region2 slot = {
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = GPA,
		.memory_size = size,
		.userspace_addr = 0x7f0000000000ULL + GPA,
	};

	need(kvm_dev_ioctl_create_vm(vm->host, &params, &vm->kvm), "KVM_CREATE_VM");
	need(kvm_tdx_init_vm(vm->kvm), "KVM_TDX_INIT_VM");
	for (u32 i = 0; i < VCPUS; i++) {
		need(kvm_vm_ioctl_create_vcpu(vm->kvm, i, i, &vm->vcpu[i]), "KVM_CREATE_VCPU");
		need(kvm_tdx_init_vcpu(vm->vcpu[i]), "KVM_TDX_INIT_VCPU");
		kvm_vcpu_set_data(vm->vcpu[i], vm);
	}
	need(!gmem_profile("SEAN_2026", setup.policy), "gmem profile");
	need(kvm_gmem_create(vm->kvm, &setup, &vm->file), "KVM_CREATE_GUEST_MEMFD");
	slot.guest_memfd = vm->file;
	need(kvm_vm_ioctl_set_memory_region(vm->kvm, &slot), "KVM_SET_USER_MEMORY_REGION2");
	need(kvm_tdx_finalize_vm(vm->kvm), "KVM_TDX_FINALIZE_VM");
}

static void close_td(struct vm *vm)
{
	kvm_gmem_release(vm->file);
	kvm_vm_release(vm->kvm);
}

static void accept_2m(struct vm *vm, u64 gpa)
{
	vm->accept = gpa;
	vm->done = false;
	kvm_vcpu_ioctl_run(vm->vcpu[0]);
	need(!vm->done, "accept");
	kvm_vcpu_signal(vm->vcpu[0], false);
}

static void convert_page(struct vm *vm, u32 i)
{
	u64 error_offset = 0;

	need(kvm_gmem_set_attributes(vm->file, i * SIZE_2M + RT_PAGE_SIZE, RT_PAGE_SIZE, 0,
				     &error_offset),
	     "convert");
}

struct split_job {
	struct vm vm;
	struct rt_image *img; /* every 2M page accepted, none split */
	double spent;	      /* ns of the splits alone */
	u64 splits;
};

/* The time is our own: restoring the image in between is none of it. */
static void splits(struct split_job *j, u64 rounds)
{
	while (rounds--) {
		double start;

		rt_world_restore(j->vm.w, j->img);
		start = bench_now_ns();
		for (u32 i = 0; i < SPLITS; i++)
			convert_page(&j->vm, i);
		j->spent += bench_now_ns() - start;
		j->splits += SPLITS;
	}
}

static void bench_split(struct bench *b, bool dynamic_pamt)
{
	struct split_job j = {0};
	double best = 0, until;
	u64 demotes;

	new_machine(&j.vm, dynamic_pamt);
	build_td(&j.vm, SPLITS * SIZE_2M);
	for (u32 i = 0; i < SPLITS; i++)
		accept_2m(&j.vm, GPA + i * SIZE_2M);
	j.img = rt_world_save(j.vm.w);
	until = bench_now_ns() + b->seconds * 1e9;
	do {
		double ns;

		j.spent = 0;
		j.splits = 0;
		splits(&j, 20);
		ns = j.spent / (double)j.splits;
		best = best == 0 || ns < best ? ns : best;
	} while (bench_now_ns() < until);
	demotes = seam_calls(j.vm.seam, SEAM_TDH_MEM_PAGE_DEMOTE);
	need(demotes != SPLITS, "one DEMOTE a split");
	printf("%-44s %12.1f %10.2f\n",
	       dynamic_pamt ? "convert 4K out of a 2M page, Dynamic PAMT"
			    : "convert 4K out of a 2M page",
	       best, best / b->baseline);
	rt_image_free(j.img);
	rt_world_free(j.vm.w);
}

static void build_and_close(void *ctx, u64 n)
{
	struct vm *vm = ctx;

	while (n--) {
		build_td(vm, 2 * SIZE_2M);
		close_td(vm);
	}
}

/* ---- a small world: one TD, two vCPUs, a slot of 4M, after a split ---- */

static void save(void *ctx, u64 n)
{
	while (n--)
		rt_image_free(rt_world_save(rt_world_current()));
}

static void restore(void *ctx, u64 n)
{
	while (n--)
		rt_world_restore(rt_world_current(), ctx);
}

static void restore_reset(void *ctx, u64 n)
{
	while (n--) {
		rt_world_restore(rt_world_current(), ctx);
		rt_world_reset(rt_world_current());
	}
}

static void bench_world(struct bench *b)
{
	struct rt_image *img;
	struct vm vm;

	new_machine(&vm, true);
	build_td(&vm, 2 * SIZE_2M);
	accept_2m(&vm, GPA);
	convert_page(&vm, 0);
	img = rt_world_save(vm.w);
	bench_fact("a small world: heap in use", (double)rt_mem_stats(vm.w).heap_used, "bytes");
	bench_fact("  of it live blocks", (double)rt_mem_stats(vm.w).live_bytes, "bytes");
	bench_row(b, "save and free its image", save, NULL);
	bench_row(b, "restore it", restore, img);
	bench_row(b, "restore it and reset", restore_reset, img);
	rt_image_free(img);
	rt_world_free(vm.w);
}

/* The same with the lab's actors, model and oracles. */
static void bench_kit(struct bench *b)
{
	struct lab_kit *k = lab_kit_new("td vcpus=2\nslot 0 gpa=0x80000000 size=4M");
	struct rt_image *img;
	struct rt_world *w;

	need(lab_kit_accept(k, 0, GPA, SIZE_2M), "accept");
	need(lab_kit_convert(k, GPA + RT_PAGE_SIZE, RT_PAGE_SIZE, false), "convert");
	lab_kit_kvm(k);
	w = rt_world_current();
	img = rt_world_save(w);
	bench_fact("a scenario's world: heap in use", (double)rt_mem_stats(w).heap_used, "bytes");
	bench_fact("  and stacks of its actors", (double)rt_mem_stats(w).stack_used, "bytes");
	bench_row(b, "save and free its image", save, NULL);
	bench_row(b, "restore it", restore, img);
	rt_image_free(img);
	lab_kit_free(k);
}

/* ---- process start to the first scenario's result ---- */

extern char **environ;

static void run_once(char **argv, double *ms, long *kib)
{
	double start = bench_now_ns(), t;
	posix_spawn_file_actions_t quiet;
	struct rusage use;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	need(posix_spawn(&pid, argv[0], &quiet, NULL, argv, environ), argv[0]);
	need(wait4(pid, &status, 0, &use) != pid, "wait4");
	need(status, argv[0]);
	posix_spawn_file_actions_destroy(&quiet);
	t = (bench_now_ns() - start) / 1e6;
	*ms = *ms == 0 || t < *ms ? t : *ms;
	*kib = use.ru_maxrss > *kib ? use.ru_maxrss : *kib;
}

static void bench_start(char *tdxsim, char *scenario)
{
	char run[] = "run";
	char *argv[] = {tdxsim, run, scenario, NULL};
	double ms = 0;
	long kib = 0;

	for (u32 i = 0; i < 20; i++)
		run_once(argv, &ms, &kib);
	printf("%-44s %12.2f %10s\n", "process start to the first result", ms, "ms");
	printf("%-44s %12.1f %10s\n", "  and its peak of resident memory", (double)kib / 1024,
	       "MiB");
}

/* ---- DEMOTE alone ---- */

#define RANGES 8U /* in cache */

static double demotes(struct bench_td *t, const u64 *table)
{
	double ns;

	for (u32 i = 0; i < RANGES; i++)
		bench_call(t, SEAM_TDH_MEM_RANGE_BLOCK, (GPA + i * SIZE_2M) | 1, t->tdr, 0);
	bench_call(t, SEAM_TDH_MEM_TRACK, t->tdr, 0, 0);
	ns = bench_now_ns();
	for (u32 i = 0; i < RANGES; i++)
		bench_call(t, SEAM_TDH_MEM_PAGE_DEMOTE, (GPA + i * SIZE_2M) | 1, t->tdr, table[i]);
	ns = bench_now_ns() - ns;
	for (u32 i = 0; i < RANGES; i++)
		bench_call(t, SEAM_TDH_MEM_RANGE_BLOCK, (GPA + i * SIZE_2M) | 1, t->tdr, 0);
	bench_call(t, SEAM_TDH_MEM_TRACK, t->tdr, 0, 0);
	for (u32 i = 0; i < RANGES; i++)
		bench_call(t, SEAM_TDH_MEM_PAGE_PROMOTE, (GPA + i * SIZE_2M) | 1, t->tdr, 0);
	return ns / RANGES;
}

static void bench_demote(struct bench *b)
{
	double best = 0, until;
	u64 table[RANGES];
	struct bench_td t;

	bench_td_module(&t, "1.5.28", false, MEM);
	bench_td_build(&t);
	bench_call(&t, SEAM_TDH_MEM_SEPT_ADD, 3, t.tdr, bench_page(&t));
	bench_call(&t, SEAM_TDH_MEM_SEPT_ADD, GPA | 2, t.tdr, bench_page(&t));
	for (u32 i = 0; i < RANGES; i++) {
		table[i] = bench_page(&t);
		bench_call(&t, SEAM_TDH_MEM_PAGE_AUG, (GPA + i * SIZE_2M) | 1, t.tdr,
			   HOST_PA + MEM / 2 + i * SIZE_2M);
	}
	until = bench_now_ns() + b->seconds * 1e9;
	do {
		double sum = 0;

		for (u32 i = 0; i < 200; i++)
			sum += demotes(&t, table);
		best = best == 0 || sum / 200 < best ? sum / 200 : best;
	} while (bench_now_ns() < until);
	printf("%-44s %12.1f %10.2f\n", "TDH.MEM.PAGE.DEMOTE", best, best / b->baseline);
	bench_td_free(&t);
}

/* Usage: bench-split [TDXSIM SCENARIO] [--seconds S]. */
int main(int argc, char **argv)
{
	char tdxsim[] = "build/tools/tdxsim", scenario[] = "tests/scenarios/demo-split.scn";
	char *program = tdxsim, *scn = scenario;
	struct bench b;
	struct vm vm;

	if (argc > 2 && argv[1][0] != '-') {
		program = argv[1];
		scn = argv[2];
		argv[2] = argv[0];
		argc -= 2;
		argv += 2;
	}
	bench_init(&b, argc, argv);
	bench_fill(&b);
	bench_demote(&b);
	bench_split(&b, false);
	bench_split(&b, true);
	new_machine(&vm, true);
	bench_row(&b, "build and close a TD of two vCPUs", build_and_close, &vm);
	rt_world_free(vm.w);
	bench_world(&b);
	bench_kit(&b);
	bench_start(program, scn);
	return 0;
}
