// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test machine of tests/tdx: one TDMR of 1 GiB, four LPs, one package.
 * A TD is built by the same calls that a host makes; every one is asserted.
 */
#include "tests/tdx/machine.h"

#include <string.h>

#include "sim/rt/phys.h"

void machine_init_cfg(struct machine *m, const struct seam_config *cfg)
{
	char err[128] = "";

	memset(m, 0, sizeof(*m));
	m->w = rt_world_new(NULL);
	assert_non_null(m->w);
	m->s = seam_new(cfg, err, sizeof(err));
	if (!m->s)
		print_error("%s\n", err);
	assert_non_null(m->s);
	m->small = SMALL;
	m->large = LARGE;
}

void machine_init(struct machine *m, const char *profile)
{
	const struct seam_config cfg = {.profile = profile};

	machine_init_cfg(m, &cfg);
}

void machine_free(struct machine *m)
{
	char why[256] = "";

	if (!seam_check(m->s, why, sizeof(why)))
		fail_msg("%s", why);
	seam_free(m->s);
	rt_world_free(m->w);
}

u64 machine_page(struct machine *m)
{
	m->small += RT_PAGE_SIZE;
	return m->small - RT_PAGE_SIZE;
}

u64 machine_large(struct machine *m)
{
	m->large += SEAM_LEVEL_SIZE(1);
	return m->large - SEAM_LEVEL_SIZE(1);
}

u64 call4(struct machine *m, u32 lp, u64 leaf, u64 rcx, u64 rdx, u64 r8, u64 r9)
{
	m->r = (struct seam_regs){.rax = leaf, .rcx = rcx, .rdx = rdx, .r8 = r8, .r9 = r9};
	if (seam_call(m->s, lp, &m->r) == SEAM_ENTERED)
		return 0;
	return m->r.rax;
}

void params(u64 attributes)
{
	const u64 zero[128] = {0}, xfam = 3, eptp = 0x1e;
	const u16 max_vcpus = 4, tsc = 100;

	rt_phys_poke(PARAMS, 0, zero, sizeof(zero));
	rt_phys_poke(PARAMS, 0, &attributes, sizeof(attributes));
	rt_phys_poke(PARAMS + 0x08, 0, &xfam, sizeof(xfam));
	rt_phys_poke(PARAMS + 0x10, 0, &max_vcpus, sizeof(max_vcpus));
	rt_phys_poke(PARAMS + 0x18, 0, &eptp, sizeof(eptp));
	rt_phys_poke(PARAMS + 0x28, 0, &tsc, sizeof(tsc));
}

void td_create(struct machine *m)
{
	u32 i;

	m->tdr = machine_page(m);
	call_ok(m, 0, MNG_CREATE, m->tdr, 0x21, 0);
	call_ok(m, 0, MNG_KEY_CONFIG, m->tdr, 0, 0);
	for (i = 0; i < 6; i++)
		call_ok(m, 0, MNG_ADDCX, machine_page(m), m->tdr, 0);
}

u64 vcpu_create(struct machine *m, u32 lp)
{
	u64 tdvpr = machine_page(m);
	u32 i;

	call_ok(m, lp, VP_CREATE, tdvpr, m->tdr, 0);
	for (i = 0; i < 5; i++)
		call_ok(m, lp, VP_ADDCX, machine_page(m), tdvpr, 0);
	return tdvpr;
}

void td_build(struct machine *m, u64 attributes, u32 vcpus)
{
	td_create(m);
	params(attributes);
	call_ok(m, 0, MNG_INIT, m->tdr, PARAMS, 0);
	while (m->nr_vcpus < vcpus) {
		u64 tdvpr = vcpu_create(m, m->nr_vcpus);

		call_ok(m, m->nr_vcpus, VP_INIT, tdvpr, 0, 0);
		m->vcpu[m->nr_vcpus++] = tdvpr;
	}
	call_ok(m, 0, MEM_SEPT_ADD, 3, m->tdr, machine_page(m));
	call_ok(m, 0, MEM_SEPT_ADD, GPA | 2, m->tdr, machine_page(m));
	call_ok(m, 0, MEM_SEPT_ADD, GPA | 1, m->tdr, machine_page(m));
	call_ok(m, 0, MEM_SEPT_ADD, GPA_2M | 2, m->tdr, machine_page(m));
	call_ok(m, 0, MR_FINALIZE, m->tdr, 0, 0);
}

enum seam_result tdcall(struct machine *m, u32 lp, u64 leaf, u64 rcx)
{
	m->r = (struct seam_regs){.rax = leaf, .rcx = rcx};
	return seam_tdcall(m->s, lp, &m->r, 0, &m->fault);
}

enum seam_result guest_read(struct machine *m, u32 lp, u64 gpa, u32 flags, struct seam_access *a)
{
	*a = (struct seam_access){.gpa = gpa, .kind = SEAM_READ, .has_data = true};
	return seam_access(m->s, lp, a, flags, &m->r, &m->fault);
}

void enter(struct machine *m, u32 lp, u32 vcpu)
{
	m->r = (struct seam_regs){.rax = SEAM_TDH_VP_ENTER, .rcx = m->vcpu[vcpu]};
	assert_int_equal(seam_call(m->s, lp, &m->r), SEAM_ENTERED);
}

void leave(struct machine *m, u32 lp)
{
	assert_int_equal(tdcall(m, lp, SEAM_TDG_VP_VMCALL, 0), SEAM_EXIT);
	expect_status(m->r.rax, 77);
}

u8 sept_state(struct machine *m, u64 gpa, u8 level)
{
	struct seam_sept_view v;

	assert_true(seam_look_sept(m->s, m->tdr, gpa, level, &v));
	return v.state;
}
