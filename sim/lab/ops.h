/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scenario language as data: one row for each statement, and the flat list of operations that a
 * scenario is. Parser, printer, error messages and help read the same rows, so grammar and
 * documentation can't drift apart. Reading text is parse.c, writing it is print.c; what a statement
 * means is in setup.c and exec.c.
 *
 * Invariants of struct lab_scenario:
 *  - ops[] is in the order of the text; set-up comes before the first action or parallel block.
 *  - A value that is not set is as if the key were absent; defaults are setup.c's, not the parser's.
 *  - Names are ids into one pool, lists (registers, calls, policies) are slices of a pool: an op
 *    has no pointers, so any spelling (text, bytes, replay file) can make one, and two lists compare
 *    by content.
 */
#ifndef LAB_OPS_H
#define LAB_OPS_H

#include "sim/lab/diag.h"
#include "sim/rt/types.h"

enum lab_op_kind {
#define LAB_OP(id, section, verb, ...) LAB_OP_##id,
#include "sim/lab/ops.def"
#undef LAB_OP
	LAB_OP_NR
};

/* Which part of the grammar a row belongs to; it decides the words in front of the operands. */
enum lab_section {
	LAB_SETUP,  /* WORD operands */
	LAB_HOST,   /* host: VERB operands; hostN: too */
	LAB_VCPU,   /* vcpuN: VERB operands */
	LAB_INJECT, /* inject WORD operands */
	LAB_EXPECT, /* expect WORD operands */
	LAB_BLOCK,  /* parallel {   and   } */
};

enum lab_type {
	LAB_T_END = 0, /* ends a row's fields */
	LAB_T_NUM,     /* decimal or 0x hex */
	LAB_T_VALUE,   /* the same, as data: printed in hex */
	LAB_T_SIZE,    /* the same with K, M, G, T */
	LAB_T_ADDR,    /* a size, slotN or slotN+OFFSET; NAME. in front picks a TD */
	LAB_T_SWITCH,  /* on|off */
	LAB_T_LEVEL,   /* 4K|2M|1G; num is the kernel's level, 1..3 */
	LAB_T_WORD,    /* one of the field's words; num is its index */
	LAB_T_FLAG,    /* the key alone, present or not */
	LAB_T_NAME,    /* a new identifier; num is its string id */
	LAB_T_TD,      /* a TD's name */
	LAB_T_GMEM,    /* a gmem file's name */
	LAB_T_GMEMOFF, /* NAME or NAME+OFFSET: num is the offset, ref the name's string id */
	LAB_T_SLOT,    /* N or NAME.N */
	LAB_T_VCPU,    /* vcpuN or NAME.vcpuN: num is N */
	LAB_T_ACTOR,   /* any actor: num is its string id */
	LAB_T_CHOICE,  /* an actor, or the word "fault": num is its string id */
	LAB_T_LEAF,    /* SEAMCALL leaf by name */
	LAB_T_ANYLEAF, /* SEAMCALL or TDCALL leaf by name; ref is 1 for a TDCALL */
	LAB_T_TDCALL,  /* TDCALL leaf by name */
	LAB_T_STATUS,  /* status name, with or without TDX_, or the 64 bits in hex */
	LAB_T_ERRNO,   /* ENOMEM */
	LAB_T_PROFILE, /* release of the module; num is a string id */
	LAB_T_ORACLE,  /* name of an oracle; num is a string id */
	LAB_T_STAT,    /* name of a statistic; num is a string id */
	LAB_T_REGS,    /* REG=EXPR ...; a slice of regs[] */
	LAB_T_CALLS,   /* LEAF, LEAF*N, (LEAF LEAF)*N ...; a slice of calls[] */
	LAB_T_POLICY,  /* KEY=VALUE ... of the row's policy table; a slice of policies[] */
};

/* How a field is written. */
enum lab_form {
	LAB_POS,  /* by place */
	LAB_KEY,  /* KEY=VALUE */
	LAB_BARE, /* KEY alone (LAB_T_FLAG), or KEY VALUE ("at GPA") */
	LAB_REST, /* the rest of the line: LAB_T_REGS, LAB_T_CALLS, LAB_T_POLICY */
};

struct lab_field {
	const char *key; /* as written, or as help names an operand by place */
	enum lab_type type;
	enum lab_form form;
	bool required;
	const char *const *words; /* LAB_T_WORD: what it may be, NULL ends; LAB_T_LEVEL: a subset */
	const char *def;	  /* default as help prints it, NULL: none */
};

#define LAB_FIELDS 6

struct lab_spec {
	enum lab_section section;
	const char *verb;
	const char *help;
	struct lab_field field[LAB_FIELDS + 1];
};

/* Rows by kind. */
extern const struct lab_spec lab_specs[LAB_OP_NR];
/* The row of @verb in @section, -1 if there is none. */
int lab_spec_find(enum lab_section section, const char *verb, size_t len);
/* Index of the field @key in @spec, -1 if there is none. */
int lab_field_find(const struct lab_spec *spec, const char *key, size_t len);

struct lab_val {
	u64 num;
	u32 ref; /* LAB_T_ADDR: slot + 1 if written slotN+OFFSET; GMEMOFF: name; slices: length */
	u32 td;	 /* string id of the TD that was named, 0: none */
	u16 col; /* for messages about its meaning; 0: not from text */
	u8 set;	 /* written */
	u8 spelled;  /* LAB_T_STATUS: 1 if as 64 bits */
	u32 unused_; /* keeps the struct free of padding, so that it can be compared and hashed */
};

struct lab_op {
	u16 kind;  /* enum lab_op_kind */
	u16 index; /* actions: number N of vcpuN or hostN */
	u32 td;	   /* actions: string id of the TD in front of the actor, 0: the first */
	u32 line;  /* 1 is the first; 0: not from text */
	u32 unused_;
	struct lab_val v[LAB_FIELDS];
};

/*
 * A register operand is a sum of terms: "slot0+4K|1", "tdr", "hpa(slot0)". '|' and '+' both join.
 */
enum lab_term_kind {
	LAB_TERM_NUM,
	LAB_TERM_ADDR,	/* slotN+OFFSET */
	LAB_TERM_TDR,	/* the TD's TDR page */
	LAB_TERM_TDVPR, /* tdvprN: of vCPU N */
	LAB_TERM_HKID,	/* the TD's key, in the place where a physical address carries it */
	LAB_TERM_PAGE,	/* pageN: the N-th page of host memory that no allocator hands out */
	LAB_TERM_HPA,	/* hpa(ADDR): the host page behind a gpa */
};

struct lab_reg {
	u8 reg;	 /* 0 rax .. 14 r15, in the order of struct seam_regs */
	u8 term; /* enum lab_term_kind */
	u8 join; /* character in front of this term: '+' or '|'; 0: first of its register */
	u8 unused_[5];
	struct lab_val val;
};

/* A pattern of calls. Groups nest one deep. */
enum lab_call_kind {
	LAB_CALL_LEAF,
	LAB_CALL_OPEN,
	LAB_CALL_CLOSE
};

struct lab_call {
	u16 kind;
	u16 leaf;
	u32 count; /* of a leaf, or, on CLOSE, of the group */
};

enum lab_policy_table {
	LAB_POLICY_KVM,
	LAB_POLICY_GMEM,
	LAB_POLICY_NR,
};
struct lab_policy {
	u16 table;	/* enum lab_policy_table: of which line it is */
	u16 key, value; /* places in lab_policy_key() and lab_policy_value() */
	u16 col;
};

struct lab_scenario {
	struct lab_source src; /* borrowed text; for messages */
	struct lab_op *ops;
	u32 nr_ops, cap_ops;
	struct lab_reg *regs;
	u32 nr_regs, cap_regs;
	struct lab_call *calls;
	u32 nr_calls, cap_calls;
	struct lab_policy *policies;
	u32 nr_policies, cap_policies;
	char *strings; /* an id is an offset; id 0 is the empty name */
	u32 nr_strings, cap_strings;
};

void lab_scenario_init(struct lab_scenario *sc);
void lab_scenario_free(struct lab_scenario *sc);
u32 lab_intern(struct lab_scenario *sc, const char *s, size_t len);
const char *lab_string(const struct lab_scenario *sc, u32 id);
struct lab_op *lab_op_add(struct lab_scenario *sc, enum lab_op_kind kind);
bool lab_op_is_setup(const struct lab_op *op);
bool lab_op_is_action(const struct lab_op *op);
bool lab_op_is_expect(const struct lab_op *op);
bool lab_op_is_inject(const struct lab_op *op);
/*
 * Value of the field @key of @op's row; a key that the row does not have is a defect of the caller
 * (asserts).
 */
const struct lab_val *lab_get(const struct lab_op *op, const char *key);
/* The same, only its number, or @def if it is not set. */
u64 lab_num(const struct lab_op *op, const char *key, u64 def);
bool lab_set(const struct lab_op *op, const char *key);

/*
 * lab_parse - @src to operations, appended to @sc (initialised, empty).
 * Returns the number of errors, each written to @d. Statements that are wrong are left out.
 */
u32 lab_parse(struct lab_scenario *sc, const struct lab_source *src, struct lab_diag *d);
/*
 * "SECTION.KEY=VALUE" as of --set: changes every line of that section, or adds one. Number of
 * errors.
 */
u32 lab_parse_set(struct lab_scenario *sc, const char *text, struct lab_diag *d);
/* One statement of text, appended (the kit's way in). Number of errors. */
u32 lab_parse_line(struct lab_scenario *sc, const char *text, struct lab_diag *d);

/*
 * One statement as text, without newline, canonical; parsing it gives the same op. Length as of
 * snprintf().
 */
int lab_print_op(const struct lab_scenario *sc, const struct lab_op *op, char *buf, size_t len);
/* The whole list; parallel blocks are indented. */
void lab_print(const struct lab_scenario *sc, FILE *out);
/* The same, but for the operations of one kind. */
void lab_print_without(const struct lab_scenario *sc, enum lab_op_kind kind, FILE *out);
/* "vcpu0", "a.vcpu1", "host": the actor of an action. */
int lab_print_actor(const struct lab_scenario *sc, const struct lab_op *op, char *buf, size_t len);
/* Same operations, whatever the pools look like. */
bool lab_same(const struct lab_scenario *a, const struct lab_scenario *b);
/* The grammar, one line a row: what help and the docs show. */
void lab_print_grammar(FILE *out);

#endif
