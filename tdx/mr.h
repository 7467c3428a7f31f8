/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The measurement of a TD's build (MRTD). A 64-bit hash stands for SHA-384: what is asked of it
 * here is that the same build gives the same value and another build another one.
 */
#ifndef TDX_MR_H
#define TDX_MR_H

#include "tdx/internal.h"

enum seam_mr_what {
	SEAM_MR_PAGE_ADD = 1, /* header of PAGE.ADD: the GPA */
	SEAM_MR_EXTEND = 2,   /* header of MR.EXTEND and 256 bytes */
	SEAM_MR_CLOSE = 3,    /* MR.FINALIZE */
};

void seam_mr_extend(struct seam_td *td, enum seam_mr_what what, u64 gpa, const void *data,
		    size_t len);
/* PAGE.ADD: the page is part of the build; its contents only if MR.EXTEND follows. */
static inline void seam_mr_page_add(struct seam_td *td, u64 gpa)
{
	seam_mr_extend(td, SEAM_MR_PAGE_ADD, gpa, NULL, 0);
}

#endif
