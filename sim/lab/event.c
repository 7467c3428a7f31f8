// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one trace event is about, in words: for narration, lanes and the debugger. Events are known
 * by their types' names and arguments' names (sim/rt/trace.h), not by the headers that declare them.
 */
#include "sim/lab/event.h"

#include <stdio.h>
#include <string.h>

#include "sim/lab/machine.h"
#include "sim/lab/words.h"
#include "tdx/abi.h"

const char *lab_event_actor(u32 id)
{
	struct lab_machine *m = lab_machine();

	return m && id < m->nr_actors ? m->actor[id].name : "-";
}

u64 lab_event_arg(const struct rt_event *ev, const char *name)
{
	for (u32 i = 0; i < ev->nr_args; i++) {
		if (ev->type->arg[i].name && !strcmp(ev->type->arg[i].name, name))
			return ev->arg[i];
	}
	return 0;
}

bool lab_event_is(const struct rt_event *ev, const char *name)
{
	return !strcmp(ev->type->name, name);
}

const char *lab_event_level(u64 tdx_level)
{
	return tdx_level < 3 ? lab_words_level[tdx_level] : tdx_level == 3 ? "512G" : "256T";
}

/* Leaves whose RCX is a page info or an address; the others name a TD, a vCPU or nothing. */
void lab_event_operand(const struct rt_event *ev, char *buf, size_t len)
{
	u64 rcx = lab_event_arg(ev, "rcx");

	switch (lab_event_arg(ev, "leaf") & 0xffff) {
	case SEAM_TDH_MEM_PAGE_ADD:
	case SEAM_TDH_MEM_SEPT_ADD:
	case SEAM_TDH_MEM_PAGE_AUG:
	case SEAM_TDH_MEM_RANGE_BLOCK:
	case SEAM_TDH_MEM_RANGE_UNBLOCK:
	case SEAM_TDH_MEM_PAGE_DEMOTE:
	case SEAM_TDH_MEM_PAGE_PROMOTE:
	case SEAM_TDH_MEM_PAGE_REMOVE:
	case SEAM_TDH_MEM_SEPT_REMOVE:
	case SEAM_TDH_MEM_SEPT_RD:
		snprintf(buf, len, "0x%llx %s", SEAM_INFO_GPA(rcx),
			 lab_event_level(SEAM_INFO_LEVEL(rcx)));
		break;
	case SEAM_TDH_PHYMEM_PAGE_WBINVD:
	case SEAM_TDH_PHYMEM_PAGE_RECLAIM:
	case SEAM_TDH_PHYMEM_PAMT_ADD:
	case SEAM_TDH_PHYMEM_PAMT_REMOVE:
	case SEAM_TDH_PHYMEM_PAGE_RDMD:
		snprintf(buf, len, "host page 0x%llx", rcx & RT_MASK(45, 12));
		break;
	case SEAM_TDH_MEM_TRACK:
	case SEAM_TDH_MNG_CREATE:
	case SEAM_TDH_MNG_KEY_CONFIG:
	case SEAM_TDH_MNG_INIT:
	case SEAM_TDH_MNG_VPFLUSHDONE:
	case SEAM_TDH_MNG_KEY_FREEID:
	case SEAM_TDH_MR_FINALIZE:
		snprintf(buf, len, "TDR 0x%llx", rcx);
		break;
	case SEAM_TDH_VP_CREATE:
	case SEAM_TDH_VP_INIT:
	case SEAM_TDH_VP_FLUSH:
		snprintf(buf, len, "TDVPR 0x%llx", rcx);
		break;
	case SEAM_TDH_MNG_ADDCX:
	case SEAM_TDH_VP_ADDCX:
		snprintf(buf, len, "page 0x%llx", rcx);
		break;
	case SEAM_TDH_MR_EXTEND:
		snprintf(buf, len, "0x%llx", rcx);
		break;
	default:
		buf[0] = 0;
		break;
	}
}

/*
 * Why the guest was left, by the VMX exit reason in the low half of the status (tdx-module.md
 * 5.10).
 */
const char *lab_event_exit(u64 status, char *buf, size_t len)
{
	switch ((u16)status) {
	case 0:
		return "an exception or NMI";
	case 1:
		return "an interrupt";
	case 48:
		return "an EPT violation";
	case 77:
		return "a call to the VMM";
	}
	snprintf(buf, len, "exit reason %u", (u16)status);
	return buf;
}
