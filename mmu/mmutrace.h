/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MMU's trace events, one table: what narration and reports know of SPTEs, faults and splits.
 * SEAMCALLs, locks and kicks are traced by the floors that do them.
 */
#ifndef KVM_X86_MMUTRACE_H
#define KVM_X86_MMUTRACE_H

#include "sim/rt/trace.h"

/* gfn, level, old SPTE, new SPTE, mirror */
extern const struct rt_event_type kvm_trace_tdp_mmu_spte_changed;
/* gfn, level that was split, error as a positive number */
extern const struct rt_event_type kvm_trace_mmu_split_huge_page;
/* addr, error code, RET_PF_* or negative errno, goal level */
extern const struct rt_event_type kvm_trace_page_fault;
/* gpa, requested level, whether something had to be done */
extern const struct rt_event_type kvm_trace_accept_level;

#define trace_kvm_tdp_mmu_spte_changed(sp, gfn, level, old, new)                       \
	rt_trace(&kvm_trace_tdp_mmu_spte_changed, RT_PH_INSTANT, gfn, level, old, new, \
		 is_mirror_sp(sp))
#define trace_kvm_mmu_split_huge_page(gfn, level, err) \
	rt_trace(&kvm_trace_mmu_split_huge_page, RT_PH_INSTANT, gfn, level, -(err))
#define trace_kvm_page_fault(fault, r)                                                     \
	rt_trace(&kvm_trace_page_fault, RT_PH_INSTANT, (fault)->addr, (fault)->error_code, \
		 (u64)(s64)(r), (fault)->goal_level)
#define trace_kvm_accept_level(gpa, level, done) \
	rt_trace(&kvm_trace_accept_level, RT_PH_INSTANT, gpa, level, done)

#endif
