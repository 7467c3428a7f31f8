// SPDX-License-Identifier: GPL-2.0-only
/*
 * Expectations on the last action and on the state, and outcomes in words.
 * Patterns of calls are in expect_calls.c.
 */
#include "sim/lab/expect.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/lab/expect_calls.h"
#include "sim/lab/stats.h"
#include "sim/lab/words.h"
#include "sim/rt/phys.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"

static const char *exit_name(u32 reason, char *buf, size_t len)
{
	for (u32 i = 0; lab_words_exit[i]; i++) {
		if (lab_exit_reason[i] == reason)
			return lab_words_exit[i];
	}
	snprintf(buf, len, "%u", reason);
	return buf;
}

void lab_outcome_text(const struct lab_op *op, const struct lab_outcome *out, char *buf, size_t len)
{
	char word[80], name[32];

	if (!out->done)
		snprintf(buf, len, "not finished");
	else if (out->ve)
		snprintf(buf, len, "#VE at 0x%llx", out->fault_gpa);
	else if (out->injected)
		snprintf(buf, len, "exception %u", out->injected);
	else if (out->exited && out->exit_reason == KVM_EXIT_MEMORY_FAULT)
		snprintf(buf, len, "exit memory-fault at 0x%llx", out->fault_gpa);
	else if (out->exited)
		snprintf(buf, len, "exit %s", exit_name(out->exit_reason, word, sizeof(word)));
	else if (out->err && out->has_err_gpa)
		snprintf(buf, len, "error %s at 0x%llx",
			 lab_errno_name(out->err, name, sizeof(name)), out->err_gpa);
	else if (out->err)
		snprintf(buf, len, "error %s", lab_errno_name(out->err, name, sizeof(name)));
	else if (op->kind == LAB_OP_ACCEPT && out->ok)
		snprintf(buf, len, "ok, %u x 2M, %u x 4K", out->pages_2m, out->pages_4k);
	else if (out->has_status)
		snprintf(buf, len, "status %s", lab_status_text(out->status, word, sizeof(word)));
	else if (out->has_value)
		snprintf(buf, len, "ok, 0x%llx", out->value);
	else
		snprintf(buf, len, out->ok ? "ok" : "not ok");
}

/* What an expectation looks at: its address, and the TD that it is in. */
struct place {
	struct lab_td *td;
	u64 gpa;
};

static struct place place_of(struct lab_machine *m, const struct lab_op *op, const char *key)
{
	struct place p;
	u32 td;

	p.gpa = lab_op_gpa(m->sc, m->su, op, key, &td);
	p.td = &m->td[td];
	return p;
}

static bool no_vm(const struct place *p, char *seen, size_t len)
{
	if (p->td->kvm)
		return false;
	snprintf(seen, len, "no TD");
	return true;
}

static const char *level_name(u32 kvm_level)
{
	return kvm_level && kvm_level < 4 ? lab_words_level[kvm_level - 1] : "none";
}

static const char *state_word(u8 state)
{
	for (u32 i = 0; lab_words_state[i]; i++) {
		if (lab_state_number[i] == state)
			return lab_words_state[i];
	}
	return seam_sept_state_name(state);
}

static bool expect_map(struct lab_machine *m, const struct lab_op *op, char *seen, size_t len)
{
	struct place p = place_of(m, op, "GPA");
	struct seam_sept_view v = {0};
	bool leaf;

	if (no_vm(&p, seen, len))
		return lab_set(op, "none");
	leaf = seam_look_sept(m->seam, kvm_tdr(p.td->kvm), p.gpa, 0, &v) && v.leaf;
	if (leaf)
		snprintf(seen, len, "level=%s state=%s", level_name(v.level + 1u),
			 state_word(v.state));
	else
		snprintf(seen, len, "none");
	if (lab_set(op, "none") || !leaf)
		return lab_set(op, "none") && !leaf;
	return (!lab_set(op, "level") || lab_num(op, "level", 0) == v.level + 1u) &&
	       (!lab_set(op, "state") || lab_state_number[lab_num(op, "state", 0)] == v.state);
}

static bool expect_mirror(struct lab_machine *m, const struct lab_op *op, char *seen, size_t len)
{
	struct place p = place_of(m, op, "GPA");
	struct kvm_spte_view v = {0};
	bool leaf;

	if (no_vm(&p, seen, len))
		return lab_set(op, "none");
	leaf = kvm_look_spte(p.td->kvm, true, p.gpa >> 12, &v);
	snprintf(seen, len, leaf ? "level=%s" : "none", level_name(v.level));
	if (lab_set(op, "none") || !leaf)
		return lab_set(op, "none") && !leaf;
	return lab_num(op, "level", 0) == v.level;
}

static bool expect_attr(struct lab_machine *m, const struct lab_op *op, char *seen, size_t len)
{
	struct place p = place_of(m, op, "GPA");
	bool private = lab_is_private(m, p.td, p.gpa);
	u64 offset;
	u32 gmem;

	if (!lab_file_at(m, p.td->index, p.gpa, &gmem, &offset)) {
		snprintf(seen, len, "no guest_memfd memory there");
		return false;
	}
	snprintf(seen, len, "%s", lab_words_attr[private]);
	return lab_num(op, "shared|private", 0) == private;
}

static bool expect_folio(struct lab_machine *m, const struct lab_op *op, char *seen, size_t len)
{
	struct place p = place_of(m, op, "GPA");
	struct gmem_folio_view f;
	u64 offset;
	u32 gmem, level;

	if (!lab_file_at(m, p.td->index, p.gpa, &gmem, &offset) ||
	    !kvm_gmem_look_folio(m->file[gmem], offset >> 12, &f)) {
		snprintf(seen, len, "no folio");
		return false;
	}
	level = f.order / 9 + 1u;
	snprintf(seen, len, "size=%s", level_name(level));
	return lab_num(op, "size", 0) == level;
}

static bool expect_lpage(struct lab_machine *m, const struct lab_op *op, u32 flag, char *seen,
			 size_t len)
{
	struct place p = place_of(m, op, "GPA");
	u32 word;

	if (no_vm(&p, seen, len))
		return false;
	word = kvm_look_lpage(p.td->kvm, p.gpa >> 12, (u8)lab_num(op, "level", 2));
	if (word == ~0U) {
		snprintf(seen, len, "no slot");
		return false;
	}
	snprintf(seen, len, "%s", word & flag ? "on" : "off");
	return lab_num(op, "on|off", 0) == !!(word & flag);
}

/*
 * Shared pages are the VMM's own memory where the VM keeps the attributes; else they are
 * guest_memfd's, like private ones.
 */
static bool data_page(struct lab_machine *m, const struct place *p, bool private, u64 *hpa)
{
	u64 pfn;

	if (private || !lab_vm_attrs(m->su))
		return lab_host_page(m, p->td, p->gpa, hpa);
	if (!kvm_look_user_page(p->td->kvm, p->gpa >> 12, &pfn))
		return false;
	*hpa = pfn << 12 | (p->gpa & 4095);
	return true;
}

static bool expect_data(struct lab_machine *m, const struct lab_op *op, char *seen, size_t len)
{
	struct place p = place_of(m, op, "GPA");
	bool private = lab_is_private(m, p.td, p.gpa);
	u64 hpa, val = 0;

	if (no_vm(&p, seen, len))
		return false;
	if (!data_page(m, &p, private, &hpa)) {
		snprintf(seen, len, "no page");
		return false;
	}
	if (!rt_phys_read(hpa & ~7ULL, private ? kvm_hkid(p.td->kvm) : 0, &val)) {
		snprintf(seen, len, "data of another key");
		return false;
	}
	snprintf(seen, len, "0x%llx", val);
	return val == lab_num(op, "VALUE", 0);
}

static bool expect_stat(struct lab_machine *m, const struct lab_op *op, char *seen, size_t len)
{
	u64 val = lab_stat(m, lab_string(m->sc, (u32)lab_num(op, "NAME", 0)));
	u64 want = lab_num(op, "VALUE", 0);

	snprintf(seen, len, "%llu", val);
	switch (lab_num(op, "==", 0)) {
	case 0:
		return val == want;
	case 1:
		return val != want;
	case 2:
		return val < want;
	case 3:
		return val <= want;
	case 4:
		return val > want;
	default:
		return val >= want;
	}
}

static bool expect_pamt(struct lab_machine *m, const struct lab_op *op, char *seen, size_t len)
{
	struct place p = place_of(m, op, "GPA");
	u64 hpa, count;

	if (!lab_host_page(m, p.td, p.gpa, &hpa)) {
		snprintf(seen, len, "no page");
		return false;
	}
	count = kvm_look_pamt_count(m->host, hpa >> 12);
	snprintf(seen, len, "%llu", count);
	return count == lab_num(op, "COUNT", 0);
}

static bool expect_vm(struct lab_machine *m, const struct lab_op *op, char *seen, size_t len)
{
	bool bugged = false, gone = true;

	for (u32 t = 0; t < m->su->nr_tds; t++) {
		struct kvm *kvm = m->td[t].kvm;

		gone &= !kvm;
		bugged |= kvm && (kvm_is_bugged(kvm) || kvm_is_dead(kvm));
	}
	snprintf(seen, len, "%s", gone ? "no TD" : lab_words_vm[bugged]);
	return !gone && lab_num(op, "alive|bugged", 0) == bugged;
}

static bool expect_error(struct lab_machine *m, const struct lab_op *op,
			 const struct lab_outcome *out)
{
	u32 td;

	if (out->err != (int)lab_num(op, "ERRNO", 0))
		return false;
	return !lab_set(op, "at") ||
	       (out->has_err_gpa && out->err_gpa == lab_op_gpa(m->sc, m->su, op, "at", &td));
}

static bool expect_status(const struct lab_op *op, const struct lab_outcome *out)
{
	const struct lab_val *v = lab_get(op, "STATUS");

	if (!out->has_status)
		return false;
	/*
	 * All 64 bits only if the line gives them; names compare class and code (tdx-module.md
	 * 1.4).
	 */
	return v->spelled ? out->status == v->num : seam_status(out->status) == v->num;
}

/* Expectations on the action. */
static bool expect_action(struct lab_machine *m, const struct lab_op *op, u32 action, char *seen,
			  size_t len)
{
	const struct lab_outcome *out = &lab_result(m, action)->out;
	char hex[24];

	lab_outcome_text(lab_op(m, action), out, seen, len);
	switch (op->kind) {
	case LAB_OP_EXP_OK:
		return out->ok;
	case LAB_OP_EXP_ERROR:
		return expect_error(m, op, out);
	case LAB_OP_EXP_STATUS:
		if (lab_get(op, "STATUS")->spelled) {
			snprintf(hex, sizeof(hex), "0x%016llx", out->status);
			snprintf(seen, len, "%s", out->has_status ? hex : "no status");
		}
		return expect_status(op, out);
	case LAB_OP_EXP_VE:
		return out->ve;
	default:
		assert(op->kind == LAB_OP_EXP_EXIT);
		return out->exited && out->exit_reason == lab_exit_reason[lab_num(op, "REASON", 0)];
	}
}

bool lab_expect(struct lab_machine *m, const struct lab_op *op, u32 action, char *seen, size_t len)
{
	seen[0] = 0;
	switch (op->kind) {
	case LAB_OP_EXP_SEAMCALLS:
		return lab_expect_calls(m, op, action, seen, len);
	case LAB_OP_EXP_MAP:
		return expect_map(m, op, seen, len);
	case LAB_OP_EXP_MIRROR:
		return expect_mirror(m, op, seen, len);
	case LAB_OP_EXP_ATTR:
		return expect_attr(m, op, seen, len);
	case LAB_OP_EXP_FOLIO:
		return expect_folio(m, op, seen, len);
	case LAB_OP_EXP_INHIBIT:
		return expect_lpage(m, op, LAB_LPAGE_INHIBIT, seen, len);
	case LAB_OP_EXP_MIXED:
		return expect_lpage(m, op, LAB_LPAGE_MIXED, seen, len);
	case LAB_OP_EXP_DATA:
		return expect_data(m, op, seen, len);
	case LAB_OP_EXP_STAT:
		return expect_stat(m, op, seen, len);
	case LAB_OP_EXP_PAMT:
		return expect_pamt(m, op, seen, len);
	case LAB_OP_EXP_VM:
		return expect_vm(m, op, seen, len);
	case LAB_OP_EXP_VIOLATION:
		return true;
	default:
		return expect_action(m, op, action, seen, len);
	}
}
