/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a frame is fit to be handed to the module, and who asks: policy check_at (spec 5, "where
 * checks live"; gmem.md P15). One function for each place that may ask; each does nothing when the
 * policy asks elsewhere.
 */
#ifndef MMU_TDX_CHECK_H
#define MMU_TDX_CHECK_H

#include <linux/kvm_types.h>

/*
 * check_at=glue (a debug warning about what is not convertible) and gmem (the pages are
 * guest_memfd's): before a leaf is mapped. Warns only; the module has the last word.
 */
void tdx_check_map(kvm_pfn_t pfn, enum pg_level level);

/*
 * check_at=wrapper, v3: the range lies in one folio, and is aligned to its level. A frame that
 * guest_memfd does not own is a folio of its own. True for every other value, but glue and gmem keep
 * the test of the alignment.
 */
bool tdx_check_operand(kvm_pfn_t pfn, enum pg_level level);

#endif
