/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a guest leaf is written: its context, its outcomes, and the EPT violation exits that guest
 * leaves make themselves. The frame around a leaf (RAX, host priority time-out, registers) is in
 * tdx/guest.c.
 */
#ifndef TDX_GUEST_H
#define TDX_GUEST_H

#include "tdx/leaf.h"
#include "tdx/vcpu.h"

/*
 * X(number, ID, function, name): guest leaves with a function here; the rest is answered as
 * unknown.
 */
#define SEAM_TDG_MODELLED(X)                                              \
	X(0, VP_VMCALL, vp_vmcall, "TDG.VP.VMCALL")                       \
	X(1, VP_INFO, vp_info, "TDG.VP.INFO")                             \
	X(3, VP_VEINFO_GET, vp_veinfo_get, "TDG.VP.VEINFO.GET")           \
	X(5, VP_CPUIDVE_SET, vp_cpuidve_set, "TDG.VP.CPUIDVE.SET")        \
	X(6, MEM_PAGE_ACCEPT, mem_page_accept, "TDG.MEM.PAGE.ACCEPT")     \
	X(7, VM_RD, vm_rd, "TDG.VM.RD")                                   \
	X(8, VM_WR, vm_wr, "TDG.VM.WR")                                   \
	X(11, SYS_RD, sys_rd, "TDG.SYS.RD")                               \
	X(23, MEM_PAGE_ATTR_RD, mem_page_attr_rd, "TDG.MEM.PAGE.ATTR.RD") \
	X(24, MEM_PAGE_ATTR_WR, mem_page_attr_wr, "TDG.MEM.PAGE.ATTR.WR")

enum seam_tdg_outcome {
	SEAM_TDG_DONE,	  /* RAX is @status, the guest goes on */
	SEAM_TDG_EXIT,	  /* TD exit @x */
	SEAM_TDG_RESTART, /* interrupted: TD exit, the instruction executes again */
};

struct seam_tdg {
	struct seam_ctx c; /* c.vcpu, c.td set; c.r: the guest's registers */
	enum seam_tdg_outcome outcome;
	u64 status;
	struct seam_td_exit x;
};

typedef void (*seam_tdg_fn)(struct seam_tdg *g);

#define SEAM_X(nr, id, fn, name) void seam_tdg_##fn(struct seam_tdg *g);
SEAM_TDG_MODELLED(SEAM_X)
#undef SEAM_X

/*
 * EPT violation exit of a guest leaf at the entry @p (7.3): write access, permissions of the entry.
 */
void seam_tdg_ept_exit(struct seam_tdg *g, enum seam_exit_type type, u32 req_level,
		       const struct seam_pos *p);
/* Guest lock of the entry at g->c.pos, then read it again. False: g->status says BUSY | RCX. */
bool seam_tdg_lock_entry(struct seam_tdg *g);

#endif
