// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was recorded against what our module gave: whether they differ, and the difference for people.
 * A register that a recording does not print has a value too: the one it had before, or 0 after a TD exit.
 * Nothing here plays anything.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/lab/vectors_int.h"
#include "tdx/abi.h"

static bool vec_has_registers(u32 form)
{
	return form == VEC_F_KEYS || form == VEC_F_EXIT || form == VEC_F_RESTART;
}

/* A result of what runs on an LP (SEAMCALLs, TDCALLs, what else a guest does): that polls. */
static bool vec_ran(const struct vec_event *ev, const struct vec_event *did)
{
	bool runs = did->verb == VEC_V_CALL || did->verb == VEC_V_GUEST ||
		    did->verb == VEC_V_ACCESS || did->verb == VEC_V_INTR || did->verb == VEC_V_MC;

	return runs && ev->form != VEC_F_NOTRUN;
}

/*
 * What the recording says as a whole: into @val, with what it says by saying nothing. Returns the keys.
 * Not printed is: in a register after a return, the value of the input; after an exit, and in "polls", 0.
 */
static u64 vec_expected(const struct vec_file *f, const struct vec_event *ev,
			const struct vec_event *did, u64 *val)
{
	const u64 *out = f->vals + ev->out, *in = f->vals + did->in;
	u64 keys = ev->out_keys, set;

	if (vec_ran(ev, did)) {
		if (vec_has_registers(ev->form)) {
			memset(val, 0, VEC_REGS_NR * sizeof(*val));
			keys |= VEC_REGS;
		}
		if (ev->form == VEC_F_KEYS)
			for (set = did->in_keys; set; set &= set - 1)
				val[__builtin_ctzll(set)] = *in++;
		val[VEC_K_POLLS] = 0;
		keys |= VEC_BIT(POLLS);
	}
	for (set = ev->out_keys; set; set &= set - 1)
		val[__builtin_ctzll(set)] = *out++;
	return keys;
}

u64 vec_differs(const struct vec_file *f, const struct vec_event *ev, const struct vec_event *did,
		const struct vec_result *res)
{
	u64 val[VEC_K_NR];
	u64 keys, set, diff;

	assert(ev->form != VEC_F_NOTHING && res->form != VEC_F_NOTHING);
	if (ev->form != res->form)
		return ~0ULL;
	if (ev->form == VEC_F_BYTES)
		return res->at < ev->arg ? VEC_BIT(VAL) : 0;
	keys = vec_expected(f, ev, did, val);
	diff = keys ^ res->keys;
	for (set = keys & res->keys; set; set &= set - 1) {
		u32 k = (u32)__builtin_ctzll(set);

		if (val[k] != res->val[k])
			diff |= 1ULL << k;
	}
	return diff;
}

/* "c000030000000008 (PAGE_METADATA_INCORRECT, R8)" */
static void vec_print_rax(FILE *out, u64 rax)
{
	const char *name = seam_status_name(rax);
	const char *op = seam_operand_name((u32)rax);
	bool has_op = rax & SEAM_STATUS_ERROR && (u32)rax && op;

	fprintf(out, "%llx", rax);
	if (name && seam_status(rax))
		fprintf(out, " (%s%s%s)", name, has_op ? ", " : "", has_op ? op : "");
}

static void vec_print_key(FILE *out, u32 key, u64 val, bool there)
{
	if (!there)
		fprintf(out, "nothing");
	else if (key == VEC_K_RAX)
		vec_print_rax(out, val);
	else
		fprintf(out, "%llx", val);
}

/* A result as the format writes it: its form and the keys @set of it. */
static void vec_print_result(FILE *out, const struct vec_result *res, u64 set)
{
	const char *gap = vec_form_names[res->form];

	fprintf(out, "%s%s", gap, res->form == VEC_F_RESTART ? " exit" : "");
	if (res->form == VEC_F_CANT)
		fprintf(out, ": %s", res->why);
	for (; set; set &= set - 1) {
		u32 k = (u32)__builtin_ctzll(set);

		if (k == VEC_K_POLLS && !res->val[k])
			continue;
		fprintf(out, "%s%s=", *gap ? " " : "", vec_key_names[k]);
		vec_print_key(out, k, res->val[k], true);
		gap = " ";
	}
	fputc('\n', out);
}

/* Registers that are worth a word in a result of another form: the usual ones, and what is not 0. */
static u64 vec_shown(const struct vec_result *res)
{
	u64 keys = res->keys, set;

	for (set = keys & VEC_REGS; set; set &= set - 1)
		if (!res->val[__builtin_ctzll(set)])
			keys &= ~(set & -set);
	return keys | (res->keys & VEC_BIT(RAX));
}

void vec_print(FILE *out, const struct vec_file *f, const struct vec_event *ev,
	       const struct vec_event *did, const struct vec_result *res, u64 keys)
{
	const char *line = f->text + ev->text;
	u32 result = ev->in_len + 3; /* behind " = " */
	u64 val[VEC_K_NR], have;

	assert(keys);
	fprintf(out, "%s:%u: %.*s", f->name, ev->line, (int)ev->in_len, line);
	if (did != ev)
		fprintf(out, ": %.*s", (int)did->in_len, f->text + did->text);
	fputc('\n', out);
	if (ev->form != res->form) {
		fprintf(out, "    expected %.*s\n    seen     ", (int)(ev->text_len - result),
			line + result);
		vec_print_result(out, res, vec_shown(res));
		return;
	}
	if (ev->form == VEC_F_BYTES) {
		fprintf(out, "    byte %llx expected %02x, seen %02llx\n", res->at,
			f->bytes[ev->bytes + res->at], res->val[VEC_K_VAL]);
		return;
	}
	have = vec_expected(f, ev, did, val);
	for (; keys; keys &= keys - 1) {
		u32 k = (u32)__builtin_ctzll(keys);

		fprintf(out, "    %s expected ", vec_key_names[k]);
		vec_print_key(out, k, val[k], have & 1ULL << k);
		fprintf(out, ", seen ");
		vec_print_key(out, k, res->val[k], res->keys & 1ULL << k);
		fputc('\n', out);
	}
}
