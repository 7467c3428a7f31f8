// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_SET_MEMORY_ATTRIBUTES2: its checks, its batches, and the order of building blocks that each
 * design proposes (P1). A flow is a word of letters; to read one, have gmem.md 2.6 beside it. What
 * a letter does is in convert.c.
 */
#include <linux/kvm_host.h>

#include "gmem/internal.h"
#include "sim/rt/fault.h"

/*
 * R stands before F or B also in to-shared words: it asks only under P6 CHECK_EAGAIN (convert.c). m
 * and n are the places where a flow as posted merged or ended; they act only under the older values
 * of P17 and P21.
 */
const struct gmem_flow gmem_flows[GMEM_FLOW_NR] = {
	/*
	 * Sean, A5: the S-EPT split is an arch hook that may fail, so it comes before any zap. On
	 * PLAN7.
	 */
	[GMEM_FLOW_ARCH_PREZAP] = {.to_shared = "APRFBHZSN", .to_private = "AURBHZSNM"},
	/*
	 * [W] before the fixups: folio first, no S-EPT split; over-zaps, and shrinks folios under
	 * live leaves (B2).
	 */
	[GMEM_FLOW_BASE] = {.to_shared = "APRFBZSN", .to_private = "AURmBZSNM"},
	/*
	 * Yan, v3 fixup: mirror the primary MMU, unmap before restructuring. F fails after Z: data
	 * is lost.
	 */
	[GMEM_FLOW_ZAP_FIRST] = {.to_shared = "APRBEZnFSN",
				 .to_private = "AURBZnmSNM",
				 .fragile = true},
	/* Ackerley: everything that can fail precedes Z. */
	[GMEM_FLOW_PLAN7] = {.to_shared = "APRFBZSN", .to_private = "AURBZSNM"},
	[GMEM_FLOW_PLAN7_SEPT] = {.to_shared = "APRFBEZSN", .to_private = "AURBZSNM"},
	/*
	 * Yan: leaves become as small as their folio is about to be; nothing is larger than its
	 * folio, ever.
	 */
	[GMEM_FLOW_SEPT_FIRST] = {.to_shared = "APRBXFZSN", .to_private = "AURBZSNM"},
	/* [V8]: no huge folios, nothing to split. */
	[GMEM_FLOW_V8_4K] = {.to_shared = "ABZSN", .to_private = "AURBZSN"},
	/*
	 * Yan, 2025: every user prepares what it can fail at, KVM first; from Z on nothing fails.
	 */
	[GMEM_FLOW_PREPARE_COMMIT] = {.to_shared = "APRBEFZSN", .to_private = "AURBZSNM"},
	/*
	 * Ackerley, Sean, 2025: all but the zap is done first; until it, only invalidate_lock keeps
	 * hosts out.
	 */
	[GMEM_FLOW_ZAP_LAST] = {.to_shared = "APRBFESZN", .to_private = "AURBSZNM"},
	/*
	 * The same hook, with the folios of ZAP_FIRST: nothing is larger than its folio, F fails
	 * late.
	 */
	[GMEM_FLOW_ARCH_ZAP_FIRST] = {.to_shared = "APRBHZnFSN",
				      .to_private = "AURBHZnmSNM",
				      .fragile = true},
	/*
	 * Sean's idea: leaves are only blocked at first, so that a late failure can hand them back.
	 */
	[GMEM_FLOW_BLOCK_ABORT] = {.to_shared = "APRBKFEZSN", .to_private = "AURBZSNM"},
};

/* Whoever blocked leaves gives them back as they were, with their contents. */
static int give_up(struct gmem_convert *c, int ret)
{
	int err = c->blocked ? gmem_step_run(c, 'k') : 0;
	u64 left;

	/* A zap that the module refused may have put its leaf back (P10 RETURN_ERROR). */
	left = gmem_kvm_mapped(c->inode, c->start, c->nr);
	if (c->begun)
		gmem_step_run(c, 'N');
	if (c->unmapped > left)
		gmem_count(GMEM_STAT_FAILED_UNMAPPED, c->unmapped - left);
	return err ? err : ret;
}

static int run_flow(struct gmem_convert *c)
{
	const struct gmem_flow *flow = &gmem_flows[gmem_policy(c->inode, GMEM_P_CONV_ORDER)];
	const char *letter;
	int ret = 0;

	c->fragile = flow->fragile;
	for (letter = c->to_private ? flow->to_private : flow->to_shared; *letter && !ret; letter++)
		ret = gmem_step_run(c, *letter);
	/*
	 * Nothing is undone but the invalidation: attributes are as before, host faults and guest
	 * faults return.
	 */
	if (ret)
		ret = give_up(c, ret);
	gmem_attr_prealloc_free(&c->pre);
	assert(!c->begun && !c->blocked);
	return ret;
}

static int convert_batch(struct gmem_inode *inode, u64 start, u64 nr, u64 value, bool *drained,
			 u64 *err_index)
{
	struct gmem_convert c = {
		.inode = inode,
		.start = start,
		.nr = nr,
		.value = value,
		.to_private = value & KVM_MEMORY_ATTRIBUTE_PRIVATE,
		.err_index = start,
		.drained = drained,
		.inval_start = start,
		.inval_nr = nr,
	};
	int ret;

	if (gmem_attr_uniform(inode, start, nr, value))
		return 0;
	if (gmem_policy(inode, GMEM_P_INVAL_RANGE) == GMEM_INVAL_ALIGNED) {
		u64 end = gmem_round_up(start + nr, inode->max_order);

		c.inval_start = gmem_round_down(start, inode->max_order);
		c.inval_nr = gmem_min(end, inode->nr_pages) - c.inval_start;
	}
	if (gmem_policy(inode, GMEM_P_CONV_ORDER) == GMEM_FLOW_ROLLBACK)
		ret = gmem_rollback_run(&c);
	else
		ret = run_flow(&c);
	*err_index = c.err_index;
	assert(*err_index >= start && *err_index < start + nr);
	return ret;
}

/*
 * HugeTLB converts block by block: a batch ends at the next huge boundary, and earlier ones stay
 * when one fails.
 */
static int convert_range(struct gmem_inode *inode, u64 start, u64 nr, u64 value, u64 *err_index)
{
	u64 end = start + nr, at, stop;
	bool drained = false;
	int ret = 0;

	for (at = start; at < end && !ret; at = stop) {
		stop = end;
		if (inode->page_order &&
		    gmem_policy(inode, GMEM_P_CONV_ORDER) != GMEM_FLOW_ROLLBACK)
			stop = gmem_min(end, gmem_round_up(at + 1, inode->page_order));
		ret = convert_batch(inode, at, stop - at, value, &drained, err_index);
	}
	return ret;
}

static int check_request(const struct kvm_gmem_file *file, u64 offset, u64 size, u64 attributes)
{
	/* One of the two ioctls exists: per-VM attributes, or in-place conversion on the file. */
	if (kvm_policy(KVM_POLICY_VM_ATTRS) == KVM_VM_ATTRS_ON)
		return -ENOTTY;
	/*
	 * Ours: a VM that is bugged or dead answers EIO to every ioctl, and what it still has in
	 * the S-EPT after a failed zap must not become host-visible. Posted code checks only VM and
	 * vCPU ioctls.
	 */
	if (file->kvm->vm_dead)
		return -EIO;
	if (attributes & ~KVM_MEMORY_ATTRIBUTE_PRIVATE)
		return -EINVAL;
	if (!file->kvm->arch.has_private_mem)
		return -EINVAL;
	if (!size || offset + size < offset || ((offset | size) & ~PAGE_MASK) ||
	    offset + size > file->inode->nr_pages << PAGE_SHIFT)
		return -EINVAL;
	return 0;
}

int kvm_gmem_set_attributes(struct kvm_gmem_file *file, u64 offset, u64 size, u64 attributes,
			    u64 *error_offset)
{
	struct gmem_inode *inode = file->inode;
	u64 start = offset >> PAGE_SHIFT, nr = size >> PAGE_SHIFT, err_index = start;
	int ret = check_request(file, offset, size, attributes);

	if (ret)
		return ret;
	gmem_lock_range(inode, start, nr, RT_LOCK_EX);
	inode->converting++;
	if (!gmem_attr_uniform(inode, start, nr, attributes))
		ret = convert_range(inode, start, nr, attributes, &err_index);
	inode->converting--;
	gmem_vmemmap_put(inode);
	gmem_unlock_range(inode, start, nr, RT_LOCK_EX);
	gmem_call_ends();
	/* What was done stays done, also if userspace cannot be told how far it got. */
	if (ret && rt_fault_fire("copy-out", 0, NULL))
		ret = -EFAULT;
	else if (ret && error_offset)
		*error_offset = err_index << PAGE_SHIFT;
	if (!ret)
		gmem_count(GMEM_STAT_CONVERSIONS, 1);
	return ret;
}
