/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's event types: SEAMCALLs and TDCALLs with operands and status, and every change of
 * architectural state. One table; who writes them out is the lab's and the runtime's business.
 */
#ifndef TDX_TRACE_H
#define TDX_TRACE_H

#include "sim/rt/trace.h"

/*
 * X(id, name): seam_ev_<id>. Arguments:
 *  call, tdcall: B: lp leaf rcx rdx r8; E: the same as they are then, and status
 *  access (of a guest, that went through): lp gpa write hpa level by (the TLB, a walk, a stale TLB)
 *  exit (TD exit): lp status qual extqual gpa
 *  enter: lp tdvpr epoch
 *  sept: td gpa level from to (public states)
 *  pamt: hpa level from to (types) owner
 *  epoch: td epoch ref0 ref1
 *  opstate: td from to
 */
#define SEAM_EVENTS(X)       \
	X(call, "seamcall")  \
	X(tdcall, "tdcall")  \
	X(access, "access")  \
	X(enter, "td_enter") \
	X(exit, "td_exit")   \
	X(sept, "sept")      \
	X(pamt, "pamt")      \
	X(epoch, "epoch")    \
	X(opstate, "op_state")

#define SEAM_X(id, name) extern const struct rt_event_type seam_ev_##id;
SEAM_EVENTS(SEAM_X)
#undef SEAM_X

#endif
