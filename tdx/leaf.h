/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a host leaf is written: the context it gets, the table it stands in, and the steps that many
 * leaves share (tdx-module.md 5: prefix C, tracking T, state check ST, interrupt polls). Each leaf
 * is one function in a file of its family; guest leaves share the context and the polls.
 *
 * How a handler works: it checks, takes locks through c->held, changes state, and returns the whole
 * RAX. On an error it just returns: the dispatcher releases c->held in reverse order and puts RAX
 * into the registers. c->in is what the caller gave, c->r what it will see.
 */
#ifndef TDX_LEAF_H
#define TDX_LEAF_H

#include "sim/rt/sched.h"
#include "tdx/internal.h"

struct seam_leaf;
struct seam_vcpu;

struct seam_ctx {
	struct seam *s;
	struct seam_lp *lp;
	struct seam_regs *r; /* out */
	struct seam_regs in; /* as called */
	u32 nr;		     /* leaf number */
	u32 version;	     /* RAX bits 23:16 */
	u32 row;	     /* of struct seam's cost: where its work is counted */
	u32 polls;	     /* so far in this call */
	bool wrote_locked;   /* the write point has been passed */
	bool forced;	     /* an injected fault answers: the leaf has not run */
	bool entered;	     /* VP.ENTER got in: the registers are the guest's, RAX is left alone */
	struct seam_td *td;
	struct seam_vcpu *vcpu;
	struct seam_pos pos; /* the S-EPT entry of the prefix */
	struct seam_held_list held;
};

/*
 * Fresh context of a call on @lp; held list empty. @first_row: 0 for a SEAMCALL, SEAM_ROW_TDG(0)
 * for a TDCALL.
 */
void seam_ctx_init(struct seam_ctx *c, struct seam *s, u32 lp, struct seam_regs *r, u32 first_row);

/* A scheduling point inside a call. Others may call in meanwhile, so its work is its own again. */
static inline void seam_point(const struct seam_ctx *c, enum rt_point pt, u64 obj)
{
	rt_point(pt, obj);
	c->s->cost_row = c->row;
}

typedef u64 (*seam_leaf_fn)(struct seam_ctx *c);

#define SEAM_LEAF_ZERO	   RT_BIT(0) /* RCX, RDX := 0 before the handler runs (1.3) */
#define SEAM_LEAF_NOTREADY RT_BIT(1) /* allowed before SYS_READY */
#define SEAM_LEAF_SHUTDOWN RT_BIT(2) /* allowed after shutdown */
#define SEAM_LEAF_VERSIONS \
	RT_BIT(3)	       /* has versions; the leaf itself refuses those it does not have */
#define SEAM_LEAF_R8 RT_BIT(4) /* R8 := 0 before the handler runs (RD and WR leaves) */

struct seam_leaf {
	seam_leaf_fn fn;
	u32 flags;
};

#define SEAM_X(nr, id, fn, name) u64 seam_tdh_##fn(struct seam_ctx *c);
SEAM_TDH_LEAVES(SEAM_X)
#undef SEAM_X

/* NULL for a number that this module does not know, or its profile does not have. */
const struct seam_leaf *seam_leaf_get(const struct seam *s, u32 nr);

/* Steps shared by leaves. Each returns 0 or the RAX to return. */

/* TDR operand: PHPA(PT_TDR) in @mode; sets c->td. */
u64 seam_take_td(struct seam_ctx *c, u64 tdr, enum seam_mode mode, u32 op);
/* Implicit TDR (of a VCPU, of an owner): only its own entry; BUSY | TDR(128). Sets c->td. */
u64 seam_take_td_implicit(struct seam_ctx *c, u64 tdr, enum seam_mode mode);

/*
 * ST of 3.2: fatal, keys, TDCX, OP_STATE lock (shared) if @lock, state in @allowed (bits 1 <<
 * OP_STATE).
 */
#define SEAM_OPS(state) RT_BIT(SEAM_OPS_##state)
u64 seam_check_td_state(struct seam_ctx *c, u64 allowed, bool lock);
/* OP_STATE in which TLB tracking is required (3.2): RUNNABLE, LIVE_EXPORT, LIVE_IMPORT. */
bool seam_tracking_required(const struct seam_td *td);

/* Page info: reserved bits, @min <= level <= @max, alignment: INVALID | RCX. */
u64 seam_check_page_info(u64 info, u32 min, u32 max);
/* Private and inside the TD's GPA space: INVALID | RCX. */
u64 seam_check_gpa(const struct seam_td *td, u64 gpa);
/* The tree lock of c->td; BUSY | SEPT_TREE. Passes the HELD point when taken. */
u64 seam_take_tree(struct seam_ctx *c, enum seam_mode mode, u64 gpa);
/* RCX and RDX := the entry that stopped us, as SEPT.RD shows it; returns @status. */
u64 seam_entry_error(struct seam_ctx *c, const struct seam_pos *p, u64 status);

/*
 * Prefix C of 5, steps 2 to 8: TDR, ST, page info, GPA, tree, walk, entry lock, entry read again
 * into c->pos.
 */
struct seam_prefix {
	u64 allowed; /* OP_STATEs */
	u8 min, max; /* levels; SEAM_TOP: as high as the TD's tables go */
	u8 tree;     /* enum seam_mode */
};
#define SEAM_TOP 0xff
u64 seam_sept_prefix(struct seam_ctx *c, u64 tdr, const struct seam_prefix *p);
/* The same from the page info on, for a leaf that has checks of its own after ST. */
u64 seam_sept_prefix_tail(struct seam_ctx *c, const struct seam_prefix *p);
/* Set of L1 states as bits, for seam_state_in(): SEAM_STATE(MAPPED) | SEAM_STATE(NL_MAPPED). */
#define SEAM_STATE_BIT(st) (1ULL << ((st)&0x80 ? 32 + ((st)&0x1f) : (st)&0x1f))
#define SEAM_STATE(name)   SEAM_STATE_BIT(SEAM_SEPT_##name)
bool seam_state_in(u8 state, u64 states);
/*
 * Step 9: the state of c->pos is in @states, else EPT_ENTRY_STATE_INCORRECT | RCX with the entry.
 */
u64 seam_check_entry_state(struct seam_ctx *c, u64 states);
/* T of 5: blocked, and tracked by @bepoch. */
u64 seam_check_tracking(struct seam_ctx *c, u64 bepoch);
/*
 * Profile blocked_counters: the page or table of c->pos was blocked (+1) or is no longer (-1);
 * @state without the blocking.
 */
void seam_count_blocked(struct seam_ctx *c, u8 state, int sign);

/*
 * Poll for interrupts as a host leaf does: passes the POLL point, then answers 0, @interrupted
 * (RESTARTABLE or RESUMABLE), or INTERRUPTED_BUSY where the profile has it and the tree is wanted.
 * If not 0, RCX and RDX are what the caller gave.
 */
u64 seam_poll_host(struct seam_ctx *c, u64 interrupted);
/* Key of the "interrupt" fault for guest leaves: this | leaf. */
#define SEAM_FAULT_GUEST 0x10000U
/* As a guest leaf: any event, whatever IF is. */
bool seam_poll_guest(struct seam_ctx *c);

#endif
