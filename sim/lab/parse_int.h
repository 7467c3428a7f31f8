/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of the parser: the cursor in a line, and how an operand of each type is read.
 * Statements are parse.c's, operands parse_value.c's. Not for other rooms.
 */
#ifndef LAB_PARSE_INT_H
#define LAB_PARSE_INT_H

#include "sim/lab/ops.h"

struct lab_token {
	const char *s;
	size_t len;
	u32 col;
};

struct lab_parser {
	struct lab_scenario *sc;
	const struct lab_source *src;
	struct lab_diag *d;
	u32 line;	       /* being read; 1 is the first */
	const char *text;      /* its start */
	const char *cur, *end; /* what is left of it; a comment is cut off */
	bool failed;	       /* the statement has an error: only the first is reported */
	bool in_block, seen_action;
	u32 block_line, block_col;
};

/* The next word of the line, false at its end. */
bool lab_next_token(struct lab_parser *p, struct lab_token *t);
bool lab_peek_token(const struct lab_parser *p, struct lab_token *t);
bool lab_token_is(const struct lab_token *t, const char *word);
/* One error at @t, for this statement; an empty token is the end of the line. */
void lab_parse_error(struct lab_parser *p, const struct lab_token *t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "found X, expected WHAT", and the nearest word of @words (may be NULL). */
void lab_parse_expected(struct lab_parser *p, const struct lab_token *t, const char *what,
			const char *nearest);

/*
 * "123", "0x7f", with @sizes also "4K"; all of @len. False if it is not one or has more than 64
 * bits.
 */
bool lab_read_number(const char *s, size_t len, bool sizes, u64 *num);
/*
 * "NAME.rest": the name's string id into @td and the rest; the whole word where there is no such
 * prefix.
 */
void lab_read_td(struct lab_parser *p, struct lab_token *t, u32 *td);
/* "vcpu12", "host", "host3" after a TD's name was taken off. */
bool lab_read_actor(const struct lab_token *t, bool *vcpu, u16 *index);
bool lab_read_identifier(const struct lab_token *t);

/* An operand of field @f at @t (without "key=") into @v; errors go to lab_parse_error(). */
void lab_parse_value(struct lab_parser *p, const struct lab_field *f, const struct lab_token *t,
		     struct lab_val *v);
/* The rest of the line as registers or calls; one KEY=VALUE as a policy of @op's line. */
void lab_parse_regs(struct lab_parser *p, struct lab_val *v);
void lab_parse_calls(struct lab_parser *p, struct lab_val *v);
void lab_parse_policy(struct lab_parser *p, const struct lab_token *t, const struct lab_op *op,
		      struct lab_val *v);

#endif
