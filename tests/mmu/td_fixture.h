/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A finished TD on the real module: two vCPUs, one 8 MiB slot of hugetlb-2m guest_memfd at 2 GiB, no initial memory.
 * All calls are made outside of actors: nothing is concurrent, so nothing may have to wait.
 */
#ifndef TESTS_MMU_TD_FIXTURE_H
#define TESTS_MMU_TD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gmem/gmem.h"
#include "mmu/kvm_vm.h"
#include "sim/rt/fault.h"
#include "sim/rt/lock.h"
#include "sim/rt/sched.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"

#define TD_GPA	0x80000000ULL
#define TD_SIZE (8ULL << 20)
#define SZ_4K	4096ULL
#define SZ_2M	(2ULL << 20)

/* What differs between tests; zero is the default of the scenario language. */
struct td_opts {
	const char *series; /* "v3": the bundle, with attributes of the VM; NULL: the defaults */
	const char *policy, *value; /* one of KVM's policies */
	bool dynamic_pamt;
	bool gpaw;		  /* 5-level guest width */
	bool no_bit_51;		  /* module without ENHANCED_DEMOTE_INTERRUPTIBILITY */
	const char *gmem_profile; /* NULL: the default */
};

#define TD_VCPUS 2

struct td_fixture;

/* A vCPU and its guest's one instruction: ACCEPT of @gpa at @level (0 = 4K). */
struct td_guest {
	struct td_fixture *td;
	struct kvm_vcpu *vcpu;
	u64 gpa, status;
	u8 level;
	bool done;
};

struct td_fixture {
	struct rt_world *world;
	struct seam *seam;
	struct kvm_host *host;
	struct kvm *kvm;
	struct td_guest guest[TD_VCPUS];
	struct kvm_gmem_file *file;
	bool vm_attrs;
	u32 reports;
	char last_report[256];
	u64 base[64]; /* SEAMCALLs by leaf at td_mark() */
};

struct td_fixture *td_new(const struct td_opts *opts);
void td_free(struct td_fixture *td);
/* Close the gmem file and the VM, in the order of a VMM that exits. */
void td_destroy(struct td_fixture *td);
/* The slot appears, or is deleted; 0 or the ioctl's errno. */
int td_set_slot(struct td_fixture *td, bool present);
/* KVM_PRE_FAULT_MEMORY of the whole range; the ioctl's errno. */
int td_prefault(struct td_fixture *td, u64 gpa, u64 size);
/* The guest accepts; KVM_RUN's return value. -EINTR: the instruction completed. */
int td_accept(struct td_fixture *td, u64 gpa, u8 level);
int td_accept_on(struct td_guest *guest, u64 gpa, u8 level);
/* The VMM converts: by the file, or, when attributes are the VM's, by its ioctl. */
int td_convert(struct td_fixture *td, u64 gpa, u64 size, bool to_private);
/* Count from here; calls of a leaf since then. */
void td_mark(struct td_fixture *td);
u64 td_calls(const struct td_fixture *td, u32 leaf);
/* A fault at @site, key @key, that fires once from now. */
void td_inject(const char *site, u64 key, u64 count);
/* State of the S-EPT entry where the walk to 4K ends, and its level. */
u8 td_sept(const struct td_fixture *td, u64 gpa, u8 *level);
/* Level of the mirror's leaf, 0 without. */
u8 td_mirror(const struct td_fixture *td, u64 gpa);

#endif
