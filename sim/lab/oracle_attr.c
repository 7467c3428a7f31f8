// SPDX-License-Identifier: GPL-2.0-only
/*
 * Oracles over attributes that are the VM's own (vm_attrs=on): what they allow to be mapped, and
 * MIXED in lpage_info. Attributes of guest_memfd files are oracle_gmem.c's.
 */
#include "sim/lab/oracle_int.h"

#define LPAGE_MIXED (1U << 31)

bool lab_check_vm_shared_leaf(struct lab_check *c)
{
	for (u32 i = 0; i < c->nr_sept; i++) {
		const struct lab_sept_entry *s = &c->sept[i];
		u64 gfn = s->gpa >> 12, end = gfn + (1ULL << 9 * s->v.level), same;

		if (!s->v.leaf)
			continue;
		same = kvm_look_attr_end(c->td->kvm, gfn);
		if (kvm_look_private(c->td->kvm, gfn) && same >= end)
			continue;
		return lab_broken(c, "the S-EPT has a leaf at 0x%llx, and 0x%llx is shared", s->gpa,
				  (kvm_look_private(c->td->kvm, gfn) ? same : gfn) << 12);
	}
	return true;
}

/* Only a huge page that lies wholly in the slot has the flag (B52). */
static bool check_mixed_of(struct lab_check *c, const struct lab_slot_setup *slot, u8 level)
{
	const u64 pages = 1ULL << 9 * (level - 1);
	const u64 end = (slot->gpa + slot->size) >> 12;
	const struct kvm *kvm = c->td->kvm;

	for (u64 gfn = ((slot->gpa >> 12) + pages - 1) & ~(pages - 1); gfn + pages <= end;
	     gfn += pages) {
		bool on = kvm_look_lpage(kvm, gfn, level) & LPAGE_MIXED;
		bool want = kvm_look_attr_end(kvm, gfn) < gfn + pages;

		if (on != want)
			return lab_broken(c, "MIXED of 0x%llx at %s is %s, and its attributes %s",
					  gfn << 12, level == 2 ? "2M" : "1G", on ? "on" : "off",
					  want ? "differ" : "are all the same");
	}
	return true;
}

bool lab_check_mixed(struct lab_check *c)
{
	const struct lab_setup *su = c->m->su;

	for (u32 i = 0; lab_vm_attrs(su) && i < su->nr_slots; i++) {
		if (su->slot[i].td != c->td->index || !c->m->slot_in[i])
			continue;
		if (!check_mixed_of(c, &su->slot[i], 2) || !check_mixed_of(c, &su->slot[i], 3))
			return false;
	}
	return true;
}
