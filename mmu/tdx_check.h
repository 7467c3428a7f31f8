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
 * Before a leaf is mapped, in the glue. check_at=glue warns about what is not convertible and gmem
 * about what is not guest_memfd's: the module has the last word. False under typed: the frame cannot
 * become a page of that level, so there is no call.
 */
bool tdx_check_map(kvm_pfn_t pfn, enum pg_level level);

/*
 * In a wrapper, whether the operand is fit. check_at=wrapper, v3: the range lies in one folio, and is
 * aligned to its level; a frame that guest_memfd does not own is a folio of its own. page_nr: the
 * pages are all convertible. glue and gmem keep the test of the alignment, typed has made it, module
 * leaves it to the module.
 */
bool tdx_check_operand(kvm_pfn_t pfn, enum pg_level level);

#endif
