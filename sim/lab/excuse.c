// SPDX-License-Identifier: GPL-2.0-only
/*
 * Answers that leave KVM no choice: a fatal status that was injected, a second BUSY where one of the
 * two was not of KVM's making, a call that met one past KVM.
 */
#include "sim/lab/excuse.h"

#include "tdx/abi.h"
#include "tdx/cost.h"

/* What KVM makes of BUSY (R23, R26). */
enum on_busy {
	GIVES_UP,   /* TDX_BUG_ON() */
	ONCE_MORE,  /* behind a kick */
	HANDS_BACK, /* "try again", as often as wanted */
};

static enum on_busy on_busy(u32 leaf)
{
	switch (leaf) {
	case SEAM_TDH_MEM_RANGE_BLOCK:
	case SEAM_TDH_MEM_TRACK:
	case SEAM_TDH_MEM_PAGE_REMOVE:
	case SEAM_TDH_MEM_PAGE_DEMOTE:
		return ONCE_MORE;
	case SEAM_TDH_MEM_PAGE_AUG:
	case SEAM_TDH_MEM_SEPT_ADD:
	case SEAM_TDH_MEM_PAGE_ADD:
	case SEAM_TDH_MR_FINALIZE:
	case SEAM_TDH_VP_ENTER:
		return HANDS_BACK;
	}
	return GIVES_UP;
}

static bool is_raw(const struct lab_machine *m, const struct lab_actor *a)
{
	return a->doing != LAB_NO_OP && lab_op(m, a->doing)->kind == LAB_OP_SEAMCALL;
}

void lab_excuse_call(struct lab_machine *m)
{
	struct lab_actor *a = lab_actor_current(m);

	if (!a)
		return;
	a->beside_raw = m->raw_calls > 0;
	a->beside_change = m->raw_changes > 0;
}

static void all_beside(struct lab_machine *m, bool changes)
{
	for (u32 i = 0; i < m->nr_actors; i++) {
		m->actor[i].beside_raw = true;
		m->actor[i].beside_change |= changes;
	}
}

void lab_excuse_raw_begin(struct lab_machine *m, bool changes)
{
	m->raw_calls++;
	m->raw_changes += changes;
	all_beside(m, changes);
}

void lab_excuse_raw_end(struct lab_machine *m, bool changes)
{
	m->raw_calls--;
	m->raw_changes -= changes;
	all_beside(m, changes);
}

/*
 * BUSY in a row: two of different origin can meet in a retry, and no third try is made. Actors'
 * rows are counted by oracle_retry.c.
 */
static bool busy_forces(struct lab_actor *a, u32 leaf, bool foreign)
{
	switch (on_busy(leaf)) {
	case GIVES_UP:
		return foreign;
	case ONCE_MORE:
		a->busy_foreign = foreign || (a->busy > 1 && a->busy_foreign);
		return a->busy > 1 && a->busy_foreign;
	case HANDS_BACK:
		break;
	}
	return false;
}

static bool forces(struct lab_actor *a, const struct lab_td *td, u32 leaf, u64 rax, bool injected)
{
	if (!(rax & SEAM_STATUS_ERROR))
		return false;
	if (seam_status(rax) == SEAM_OPERAND_BUSY)
		return busy_forces(a, leaf, injected || a->beside_raw);
	/* A TRACK past KVM has moved the epoch, and not all vCPUs have left the one before. */
	if (leaf == SEAM_TDH_MEM_TRACK && seam_status(rax) == SEAM_PREVIOUS_TLB_EPOCH_BUSY &&
	    td->tracked)
		return true;
	return injected || a->beside_change;
}

/*
 * What was not taken back (zap_error=BUG_VM frees it all the same), a range whose PAMT is not as KVM
 * counts it: met by whoever gets the page next. A page or a step that was refused is this TD's alone.
 */
static bool concerns_all(u32 leaf)
{
	switch (leaf) {
	case SEAM_TDH_MEM_PAGE_AUG:
	case SEAM_TDH_MEM_SEPT_ADD:
	case SEAM_TDH_MEM_PAGE_ADD:
	case SEAM_TDH_MNG_INIT:
	case SEAM_TDH_MR_EXTEND:
	case SEAM_TDH_MR_FINALIZE:
	case SEAM_TDH_VP_INIT:
	case SEAM_TDH_VP_ENTER:
		return false;
	}
	return true;
}

/* The TD that the current actor is at work on. */
static struct lab_td *td_of(const struct lab_machine *m, const struct lab_actor *a)
{
	return a->doing == LAB_NO_OP && !a->id && m->implied ? m->implied : a->td;
}

void lab_excuse_answer(struct lab_machine *m, u32 leaf, u64 rax, bool injected)
{
	struct lab_actor *a = lab_actor_current(m);

	/* A TDCALL is the guest's. */
	if (!a || leaf >= SEAM_ROW_TDG(0) || is_raw(m, a))
		return;
	if (leaf == SEAM_TDH_MEM_TRACK && seam_status(rax) == SEAM_SUCCESS)
		td_of(m, a)->tracked = false;
	m->pamt_kept += leaf == SEAM_TDH_PHYMEM_PAMT_REMOVE && rax & SEAM_STATUS_ERROR;
	if (!forces(a, td_of(m, a), leaf, rax, injected))
		return;
	td_of(m, a)->excused = true;
	m->all_excused |= concerns_all(leaf);
}

bool lab_any_tainted(const struct lab_machine *m)
{
	for (u32 t = 0; t < m->su->nr_tds; t++) {
		if (m->td[t].tainted)
			return true;
	}
	return false;
}

bool lab_excused(const struct lab_machine *m)
{
	const struct lab_actor *a = lab_actor_current((struct lab_machine *)m);

	if (m->all_excused || lab_any_tainted(m))
		return true;
	for (u32 t = 0; t < m->su->nr_tds; t++) {
		if (m->td[t].excused && (!a || td_of(m, a) == &m->td[t]))
			return true;
	}
	return false;
}
