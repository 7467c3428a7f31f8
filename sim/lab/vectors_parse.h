/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two halves of the parser share: the state of a parse, and the keys and results of any line.
 * vectors_keys.c reads <key>=<value> and what follows " = "; vectors_parse.c knows what each event is made of.
 * Fields, numbers and words are vectors_lex.h.
 */
#ifndef LAB_VECTORS_PARSE_H
#define LAB_VECTORS_PARSE_H

#include "sim/lab/vectors_lex.h"

#define VEC_LEAF_RAW 0xffffU /* the name RAW: RAX is given */

struct vec_parser {
	const struct vec_dict *d;
	struct vec_lex lx;
	const char *text;
	struct vec_file *f;
	u32 lps, pkgs;
	u32 armed[VEC_LPS_MAX]; /* event that the LP's last "at" armed; 0: none so far */
	u64 val[VEC_K_NR];	/* of the keys that are being read */
	u32 level_max;		/* of "level=" in this input */
	bool retry_ok;
	bool result; /* " = " was seen */
};

/* What may stand in a line: keys of the input, forms of the result, keys of a result without a form's word. */
struct vec_rule {
	u64 keys, need;
	u32 forms;
	u64 ret_keys, ret_need;
};
extern const struct vec_rule vec_rules[VEC_V_NR];

/*
 * The keys of an input up to the end of the line or the " = " of a result: of @allowed, at least @need.
 * Values are in p->val[] then; p->result says whether a result follows.
 */
bool vec_inputs(struct vec_parser *p, struct vec_event *ev, u64 allowed, u64 need);
/* What comes after " = ", by the rule of @verb and the forms @extra besides. */
bool vec_result(struct vec_parser *p, struct vec_event *ev, u32 verb, u32 extra);
/* Values of @set from p->val[] to the end of vals[]; returns where. */
u32 vec_store(struct vec_parser *p, u64 set);

#endif
