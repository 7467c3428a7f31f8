/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The byte spelling of a scenario: what fuzzers make, keep and mutate. Any bytes are a scenario
 * that fits its machine; a scenario that the spelling can say comes back from its bytes as it was.
 * It walks the rows of ops.def like parser and printer do, so a new statement has bytes too.
 * Running is fuzz_machine.h, changing bytes is mutate.h.
 *
 * The form: records of LAB_RECORD_BYTES bytes, each one statement, in any order: set-up records count
 * wherever they stand. Byte 0 is the statement, byte 1 actor and TD, byte 2 which optional
 * operands are there, the rest the operands by place. The last record may be short.
 *
 * Not in it: expectations, names outside of a short list, numbers beyond their field's width,
 * statuses as 64 bits, more registers or policies than a record holds.
 */
#ifndef LAB_BYTES_H
#define LAB_BYTES_H

#include "sim/lab/choices.h"
#include "sim/lab/setup.h"

#define LAB_RECORD_BYTES 20U
#define LAB_RECORDS_MAX	 256U /* of one input; what is behind them is not looked at */
#define LAB_NAMES	 8U   /* of TDs and gmem files that bytes know */
#define LAB_BYTES_SLOTS	 7U   /* numbers of slots, from 0 */

/* What a record may become when it is generated. */
enum lab_gen {
	LAB_GEN_ANY,
	LAB_GEN_SETUP,	/* a set-up line */
	LAB_GEN_ACTION, /* an action, a fault, a brace */
	LAB_GEN_SMALL,	/* an action out of the small alphabet of exhaustive search */
};

/*
 * lab_record_read - one record of @src as a statement, appended to @sc; set-up statements may
 * still be wrong together, others may not fit the machine (lab_bytes_fit()). The record's bytes
 * as they would be read again go to @rec (NULL: nobody needs them).
 */
void lab_record_read(struct lab_choices *src, enum lab_gen gen, struct lab_scenario *sc,
		     u8 rec[LAB_RECORD_BYTES]);
/* lab_record_write - @op as a record; false if bytes cannot say it. */
bool lab_record_write(const struct lab_scenario *sc, const struct lab_op *op,
		      u8 rec[LAB_RECORD_BYTES]);
/* Which statement a record is: enum lab_op_kind by its first byte. */
u32 lab_record_kind(const u8 rec[LAB_RECORD_BYTES]);
/* Whether it belongs to the machine: set-up, but not what only the scheduler reads. */
bool lab_op_makes_machine(const struct lab_op *op);
/* The N-th name that bytes know; whether they know one. */
const char *lab_bytes_name(u32 i);
bool lab_bytes_knows(const char *name);

/*
 * lab_bytes_fit - @op, which is no set-up, made to name only what the machine has. An operation
 * that fits stays as it is.
 */
void lab_bytes_fit(struct lab_scenario *sc, const struct lab_setup *su, struct lab_op *op);

/*
 * lab_bytes_setup - the set-up lines of @len bytes into @sc (initialised, empty), those that are
 * wrong left out, and the machine of it into @su. lab_bytes_actions - everything else behind them;
 * @su gets the threads of the VMM that are named.
 */
void lab_bytes_setup(const u8 *bytes, size_t len, struct lab_scenario *sc, struct lab_setup *su);
void lab_bytes_actions(const u8 *bytes, size_t len, struct lab_scenario *sc, struct lab_setup *su);
/* Both: any bytes to a scenario without an error. */
void lab_bytes_decode(const u8 *bytes, size_t len, struct lab_scenario *sc, struct lab_setup *su);

/*
 * lab_bytes_encode - @sc as bytes, which the caller frees; *@len is their number. *@left_out: how
 * many statements bytes can't say (expectations among them); those are missing.
 */
u8 *lab_bytes_encode(const struct lab_scenario *sc, size_t *len, u32 *left_out);

#endif
