/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A whole machine for tests of KVM's generic and TDX side: module, host, guest_memfd, one TD.
 * Reports are counted, not fatal; tests ask for them. What actors and guests do is each test's own.
 */
#ifndef TESTS_MMU_MACHINE_H
#define TESTS_MMU_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/kvm_host.h>

#include "gmem/gmem.h"
#include "mmu/kvm_vm.h"

#define MACHINE_MEM_BASE 0x40000000ULL
#define MACHINE_MEM	 0x40000000ULL
#define MACHINE_SLOT_GPA 0x80000000ULL
#define MACHINE_SLOT	 0x400000ULL   /* 4M */
#define MACHINE_SOURCE	 0x10000000ULL /* ordinary memory outside the TDMR */
#define MACHINE_VCPUS	 2

struct machine {
	struct rt_world *world;
	struct seam *seam;
	struct kvm_host *host;
	struct kvm *kvm;
	struct kvm_vcpu *vcpu[MACHINE_VCPUS];
	struct kvm_gmem_file *gmem, *boot;
	u64 pages_before; /* host pages in use before the TD */
	u32 reports;
	char first[256], report[256]; /* the first and the last one: "rule: text" */
};

struct machine_opts {
	bool dynamic_pamt;
	const char *series; /* NULL: the defaults */
	u32 cpus;	    /* 0: 4 */
};

/*
 * Module and host; then a TD of two vCPUs with slot 0 (4M at 2G, hugetlb-2m) and 16K of boot
 * memory, finalized.
 */
struct machine *machine_new(const struct machine_opts *opts);
void machine_build(struct machine *m);
/* Release the gmem files and the VM; the counters stay readable. */
void machine_destroy_td(struct machine *m);
void machine_free(struct machine *m);

#endif
