/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TD_PARAMS: the 1024 bytes with which the host configures a TD at MNG.INIT.
 * Reading and checking is here; putting the result into a TD is tdx/leaf_mng.c's.
 */
#ifndef TDX_TDPARAMS_H
#define TDX_TDPARAMS_H

#include "sim/rt/types.h"

struct seam;
struct seam_lp;

#define SEAM_TD_PARAMS_SIZE 1024

#define SEAM_ATTR_DEBUG		  RT_BIT(0)
#define SEAM_ATTR_SEPT_VE_DISABLE RT_BIT(28)
#define SEAM_ATTR_MIGRATABLE	  RT_BIT(29)
#define SEAM_ATTR_PKS		  RT_BIT(30)
#define SEAM_ATTR_PERFMON	  RT_BIT(63)
#define SEAM_ATTR_ICSSD		  RT_BIT(16) /* accepted with its feature bit */
#define SEAM_ATTR_ALLOWED                                                                     \
	(SEAM_ATTR_DEBUG | SEAM_ATTR_SEPT_VE_DISABLE | SEAM_ATTR_MIGRATABLE | SEAM_ATTR_PKS | \
	 SEAM_ATTR_PERFMON)

/* XCR0 E7, XSS 1900 (FORMAT.md, initial machine state); x87 and SSE always. */
#define SEAM_XFAM_ALLOWED  0x19e7ULL
#define SEAM_XFAM_REQUIRED 3ULL

#define SEAM_CONFIG_FLEXIBLE_PENDING_VE RT_BIT(1)
#define SEAM_CONFIG_NO_RBP_MOD		RT_BIT(2)
#define SEAM_CONFIG_FLAGS_ALLOWED	(RT_BIT(0) | RT_BIT(1) | RT_BIT(2))
#define SEAM_CONFIG_MAXPA_VIRT		RT_BIT(3) /* accepted from 1.5.06 */
#define SEAM_CONFIG_MAXGPA_VIRT		RT_BIT(4)

/* TD_CTLS: what the guest controls (7.3). */
#define SEAM_CTLS_PENDING_VE_DISABLE RT_BIT(0)
#define SEAM_CTLS_ENUM_TOPOLOGY	     RT_BIT(1)
#define SEAM_CTLS_VIRT_CPUID2	     RT_BIT(2) /* from here on kept, without effect */
#define SEAM_CTLS_REDUCE_VE	     RT_BIT(3)
#define SEAM_CTLS_LOCK		     RT_BIT(63)

/* HP_LOCK_TIMEOUT in microseconds (3.3): 10 ms to 100 s, 1 s by default; the TSC runs at 2 GHz. */
#define SEAM_TSC_PER_US		   2000ULL
#define SEAM_HP_TIMEOUT_MIN_US	   10000ULL
#define SEAM_HP_TIMEOUT_MAX_US	   100000000ULL
#define SEAM_HP_TIMEOUT_DEFAULT_US 1000000ULL

#define SEAM_TSC_FREQ_UNIT_MHZ 25
#define SEAM_TSC_FREQ_MIN      4 /* units of 25 MHz */
#define SEAM_TSC_FREQ_MAX      400
#define SEAM_L2_VMS_MAX	       3
#define SEAM_MAX_VCPUS	       576 /* a TD may have (unconfirmed) */

struct seam_td_params {
	u64 attributes;
	u64 xfam;
	u16 max_vcpus;
	u8 nr_l2;
	u64 eptp;
	u64 config_flags;
	u16 tsc_frequency;
	u8 levels; /* of the S-EPT: 4 or 5 */
};

/*
 * Read TD_PARAMS at @pa and check every field in the module's order. OPERAND_INVALID with the
 * field's operand id, TDCS_NOT_ALLOCATED if @nr_tdcx pages are too few for the L2 VMs that it asks
 * for, or what the platform of @lp refuses: INCONSISTENT_MSR, CPUID_LEAF_1F_FORMAT_UNRECOGNIZED.
 */
u64 seam_td_params_read(const struct seam *s, const struct seam_lp *lp, u64 pa, u32 nr_tdcx,
			struct seam_td_params *p);

#endif
