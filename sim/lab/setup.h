/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scenario's set-up with every default filled in and every reference resolved: what machine.c
 * builds. Checking that operations fit this machine (slots, vCPUs, names) is here too, so that bad
 * input is known before a run. Reading the text is parse.c's; building is machine.c's.
 *
 * Invariant: indexes (td, slot, gmem) are into the arrays here, in the order of the text; regions
 * come last in slots[] and gmems[].
 */
#ifndef LAB_SETUP_H
#define LAB_SETUP_H

#include "gmem/gmem.h"
#include "mmu/kvm_vm.h"
#include "sim/lab/ops.h"

#define LAB_TDS	  8
#define LAB_SLOTS 64
#define LAB_VCPUS 32 /* of one TD */
#define LAB_HOSTS 16 /* host threads of one TD */

struct lab_td_setup {
	char name[32];	  /* "" if it is not named */
	u32 vcpus, hosts; /* hosts: threads of the VMM that the scenario names, at least 1 */
	bool sept_ve_disable;
};

struct lab_slot_setup {
	u32 td, number;
	u64 gpa, size;
	u32 gmem;
	u64 offset;
	bool made_for_region; /* not of the text: no slot of it covers the region */
	bool uaddr_unaligned; /* its userspace address is not congruent with gpa */
};

struct lab_gmem_setup {
	u32 td;
	char name[32];
	struct gmem_setup gmem; /* name points to the field above */
};

struct lab_setup {
	char profile[16];
	bool dynamic_pamt, non_blocking_resize;
	s8 enh_demote; /* as in struct seam_config */
	u32 cpus;
	u64 mem;
	bool tdx_huge_page;
	u8 kvm_policy[KVM_POLICIES_MAX];
	struct lab_td_setup td[LAB_TDS];
	u32 nr_tds;
	struct lab_slot_setup slot[LAB_SLOTS];
	u32 nr_slots;
	struct lab_gmem_setup gmem[LAB_SLOTS];
	u32 nr_gmems;
	u32 nr_regions; /* ranges of initial memory */
	struct {
		u32 td, slot;
		u64 gpa, size;
	} region[LAB_SLOTS];
};

/*
 * lab_setup_resolve - the machine of @sc, and whether every operation fits it.
 * Returns the number of errors, each written to @d; @su is complete only if it is 0.
 */
u32 lab_setup_resolve(const struct lab_scenario *sc, struct lab_setup *su, struct lab_diag *d);

/* Index of the TD that a value or an action names by string id, LAB_TDS if there is none. */
u32 lab_setup_td(const struct lab_scenario *sc, const struct lab_setup *su, u32 td);
/* Index of slot @number of TD @td, LAB_SLOTS if there is none; of the slot around @gpa likewise. */
u32 lab_setup_slot(const struct lab_setup *su, u32 td, u32 number);
u32 lab_setup_slot_at(const struct lab_setup *su, u32 td, u64 gpa);
/* Guest address of a LAB_T_ADDR value; *@td is the TD that it names, or stays. */
u64 lab_setup_gpa(const struct lab_scenario *sc, const struct lab_setup *su,
		  const struct lab_val *v, u32 *td);
/*
 * lab_op_gpa - guest address of operand @key of @op, which is there. *@td: the TD that the operand
 * names, else that of the line's actor, else the first.
 */
u64 lab_op_gpa(const struct lab_scenario *sc, const struct lab_setup *su, const struct lab_op *op,
	       const char *key, u32 *td);
/* The value of a policy of guest_memfd ("conv_order") of a file, by name. */
const char *lab_gmem_policy(const struct lab_gmem_setup *g, const char *key);
/*
 * Name of an actor: "host", "host1", "vcpu0", with "NAME." in front where the TD has a name. Length
 * as of snprintf().
 */
int lab_actor_name(const struct lab_setup *su, u32 td, bool vcpu, u32 index, char *buf, size_t len);
/* "1.5.28 dynamic_pamt=on ...": one line for every report. */
void lab_setup_describe(const struct lab_setup *su, char *buf, size_t len);

#endif
