/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A plain reference of what the guest should see: which pages it has accepted, and what it wrote
 * into them. It knows no table and no lock: actions tell it what was asked for and how it ended,
 * and at each quiescent point the S-EPT is compared with it. What is lost without having been asked
 * for is the finding (R29, I10, I16; oracle "no-data-loss"). It lies in the world.
 */
#ifndef LAB_MODEL_H
#define LAB_MODEL_H

#include "sim/lab/machine.h"

/* Why pages in a range may lose what they hold. */
enum lab_loss {
	LAB_LOSS_CONVERT, /* a conversion: exactly the range, and only if it succeeds */
	LAB_LOSS_PUNCH,	  /* a hole: exactly the range */
	LAB_LOSS_ANY,	  /* a memslot or file goes */
	LAB_LOSS_POISON,  /* memory failure: the page, and by policy its whole folio or leaf */
};

struct lab_model *lab_model_new(void);
/* The TD is gone: nothing is accepted. */
void lab_model_clear(struct lab_model *model);
/* The guest accepted the range; it reads as zero. */
void lab_model_accepted(struct lab_model *model, u64 gpa, u64 size);
bool lab_model_is_accepted(const struct lab_model *model, u64 gpa);
/*
 * What is known to be in memory, word by word in the order of first writing: 8 bytes at *@gpa, of
 * the private page or of the shared one. False past the end.
 */
bool lab_model_word(const struct lab_model *model, u32 i, u64 *gpa, bool *shared, u64 *val);

/* An action that may take contents away begins, and has ended with @ret after @size bytes. */
void lab_model_begin(struct lab_model *model, u64 gpa, u64 size, enum lab_loss why);
void lab_model_end(struct lab_model *model, u64 gpa, u64 size, int ret);

/*
 * An access completed; what was read is compared, what was written kept. Findings go to
 * rt_report().
 */
void lab_model_guest_access(struct lab_machine *m, struct lab_actor *v, u64 gpa, bool shared,
			    const struct seam_access *a);
void lab_model_host_access(struct lab_machine *m, struct lab_td *td, u64 gpa, bool write, u64 val);

/*
 * lab_model_settle - at a quiescent point: forget what the actions since the last one were entitled
 * to take away. Counts pages that have to be accepted again. NULL, or the oracle that broke and a
 * sentence in @why: something else is gone.
 */
const char *lab_model_settle(struct lab_machine *m, struct lab_td *td, char *why, size_t len);

#endif
