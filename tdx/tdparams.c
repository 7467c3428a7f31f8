// SPDX-License-Identifier: GPL-2.0-only
/*
 * TD_PARAMS as bytes, and the checks of MNG.INIT on them (recorded: directed/mng_init_params).
 * CPUID configuration must be zero, since CPUID is not modelled. The TD itself is not touched here.
 */
#include <string.h>

#include "sim/rt/phys.h"
#include "tdx/abi.h"
#include "tdx/internal.h"
#include "tdx/tdparams.h"

/* Where the fields lie (TDX module ABI, TD_PARAMS). */
#define OFF_ATTRIBUTES	 0x00
#define OFF_XFAM	 0x08
#define OFF_MAX_VCPUS	 0x10
#define OFF_NUM_L2_VMS	 0x12
#define OFF_MSR_CONFIG	 0x13
#define OFF_RESERVED0	 0x14
#define OFF_EPTP	 0x18
#define OFF_CONFIG_FLAGS 0x20
#define OFF_TSC_FREQ	 0x28
#define OFF_RESERVED1	 0x2a
#define OFF_MRCONFIGID	 0x50
#define OFF_ARCH_CAP	 0xe0
#define OFF_RESERVED2	 0xe8
#define OFF_CPUID	 0x100
#define CPUID_BYTES	 16 /* EAX to EDX of one leaf */

static u64 get(const u8 *b, u32 off, u32 len)
{
	u64 v = 0;
	u32 i;

	for (i = len; i-- > 0;)
		v = v << 8 | b[off + i];
	return v;
}

static bool all_zero(const u8 *b, u32 from, u32 to)
{
	while (from < to)
		if (b[from++])
			return false;
	return true;
}

static u64 invalid(enum seam_operand op)
{
	return SEAM_OPERAND_INVALID | op;
}

/* A migratable TD is neither a debug TD nor one with PERFMON; ICSSD is instead of PERFMON. */
static bool attributes_ok(const struct seam *s, u64 a)
{
	u64 allowed = SEAM_ATTR_ALLOWED;

	if (s->f.features0 & SEAM_FEATURES0_ICSSD)
		allowed |= SEAM_ATTR_ICSSD;
	if ((a & SEAM_ATTR_MIGRATABLE) && (a & (SEAM_ATTR_DEBUG | SEAM_ATTR_PERFMON)))
		return false;
	if ((a & SEAM_ATTR_PERFMON) && (a & SEAM_ATTR_ICSSD))
		return false;
	return !(a & ~allowed);
}

/*
 * State components that only make sense together: AVX-512 (7:5) on top of AVX (2), CET user and
 * supervisor (12:11).
 */
static bool xfam_ok(u64 x)
{
	u64 avx512 = RT_FIELD(x, 7, 5), cet = RT_FIELD(x, 12, 11);

	if ((x & ~SEAM_XFAM_ALLOWED) || (x & SEAM_XFAM_REQUIRED) != SEAM_XFAM_REQUIRED)
		return false;
	if (avx512 && (avx512 != 7 || !(x & RT_BIT(2))))
		return false;
	return !cet || cet == 3;
}

/*
 * Write-back, a walk of 4 or 5 levels, nothing else; 52-bit GPAs need 5 (recorded: 43 with GPAW = 1
 * and 4 levels).
 */
static bool eptp_ok(const struct seam *s, u64 eptp, u64 flags, u8 *levels)
{
	u32 walk = (u32)RT_FIELD(eptp, 5, 3);

	if ((eptp & ~RT_MASK(5, 3)) != 6 || walk < 3 || walk > 4)
		return false;
	if (walk == 4 && s->cfg.no_pml5)
		return false;
	if ((flags & SEAM_CONFIG_GPAW) && walk != 4)
		return false;
	*levels = (u8)(walk + 1);
	return true;
}

static bool config_flags_ok(const struct seam *s, u64 flags)
{
	u64 allowed = SEAM_CONFIG_FLAGS_ALLOWED;

	if (s->f.config_flags_bit3)
		allowed |= SEAM_CONFIG_MAXPA_VIRT;
	if (s->f.features0 & SEAM_FEATURES0_MAXGPA_VIRT)
		allowed |= SEAM_CONFIG_MAXGPA_VIRT;
	if ((flags & SEAM_CONFIG_MAXPA_VIRT) && (flags & SEAM_CONFIG_MAXGPA_VIRT))
		return false;
	return !(flags & ~allowed);
}

/* What the TD is to be, in the module's order: reserved bytes count after the fields before them. */
static u64 check_td(const struct seam *s, const u8 *b, u32 nr_tdcx, struct seam_td_params *p)
{
	if (!attributes_ok(s, p->attributes))
		return invalid(SEAM_OP_ATTRIBUTES);
	if (!xfam_ok(p->xfam))
		return invalid(SEAM_OP_XFAM);
	if (p->max_vcpus == 0 || p->max_vcpus > s->f.max_vcpus)
		return invalid(SEAM_OP_MAX_VCPUS);
	if (p->nr_l2 > SEAM_L2_VMS_MAX)
		return invalid(SEAM_OP_NUM_L2_VMS);
	if (nr_tdcx < (u32)SEAM_TDCX_MIN + p->nr_l2)
		return SEAM_TDCS_NOT_ALLOCATED;
	if (!all_zero(b, OFF_RESERVED0, OFF_EPTP))
		return invalid(SEAM_OP_RDX);
	if (!config_flags_ok(s, p->config_flags))
		return invalid(SEAM_OP_EXEC_CONTROLS);
	if (!eptp_ok(s, p->eptp, p->config_flags, &p->levels))
		return invalid(SEAM_OP_EPTP);
	if (p->tsc_frequency < SEAM_TSC_FREQ_MIN || p->tsc_frequency > SEAM_TSC_FREQ_MAX)
		return invalid(SEAM_OP_TSC_FREQUENCY);
	return 0;
}

/*
 * What it is to show its guest. CPUID configuration of zeroes means the platform's; any other is
 * refused, without the leaf that the module would name in RCX.
 */
static u64 check_virtual(const struct seam *s, const u8 *b)
{
	u32 cpuid_end = OFF_CPUID + CPUID_BYTES * (u32)s->f.cpuid_configs;

	if (!all_zero(b, OFF_RESERVED1, OFF_MRCONFIGID) || (b[OFF_MSR_CONFIG] & ~1) ||
	    !all_zero(b, OFF_RESERVED2, OFF_CPUID))
		return invalid(SEAM_OP_RDX);
	if (!all_zero(b, OFF_CPUID, cpuid_end))
		return invalid(SEAM_OP_CPUID_CONFIG);
	if (s->f.topology_check && s->cfg.no_topology)
		return SEAM_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED;
	if (!all_zero(b, cpuid_end, SEAM_TD_PARAMS_SIZE))
		return invalid(SEAM_OP_RDX);
	if (b[OFF_MSR_CONFIG] ? get(b, OFF_ARCH_CAP, 8) : 0)
		return invalid(SEAM_OP_ARCH_CAP);
	return SEAM_SUCCESS;
}

u64 seam_td_params_read(const struct seam *s, const struct seam_lp *lp, u64 pa, u32 nr_tdcx,
			struct seam_td_params *p)
{
	u8 b[SEAM_TD_PARAMS_SIZE];
	u64 st;

	rt_phys_peek(pa, b, sizeof(b));
	*p = (struct seam_td_params){
		.attributes = get(b, OFF_ATTRIBUTES, 8),
		.xfam = get(b, OFF_XFAM, 8),
		.max_vcpus = (u16)get(b, OFF_MAX_VCPUS, 2),
		.nr_l2 = b[OFF_NUM_L2_VMS],
		.eptp = get(b, OFF_EPTP, 8),
		.config_flags = get(b, OFF_CONFIG_FLAGS, 8),
		.tsc_frequency = (u16)get(b, OFF_TSC_FREQ, 2),
	};
	st = check_td(s, b, nr_tdcx, p);
	/* Before the TSC is read for the TD's own (module source; 3.3 does not list it). */
	if (!st)
		st = seam_check_tsc_adjust(s, lp);
	return st ? st : check_virtual(s, b);
}
