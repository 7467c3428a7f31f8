// SPDX-License-Identifier: GPL-2.0-only
/*
 * seam_new() and seam_free(): a module in the current world, from a configuration that is checked
 * line by line. Defaults are those of tdx/seam.h. What SYS.INIT and SYS.CONFIG do on a cold module
 * is in the SYS leaves.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tdx/internal.h"
#include "tdx/vcpu.h"

#define SEAM_ROOT 3

static u32 or_default(u32 value, u32 dflt)
{
	return value ? value : dflt;
}

static void fill_defaults(struct seam_config *cfg)
{
	cfg->lps = or_default(cfg->lps, 4);
	cfg->pkgs = or_default(cfg->pkgs, 1);
	cfg->keyid_bits = or_default(cfg->keyid_bits, 6);
	cfg->hkid_first = or_default(cfg->hkid_first, 0x20);
	cfg->hkid_count = or_default(cfg->hkid_count, 0x20);
	cfg->hkid_global = or_default(cfg->hkid_global, cfg->hkid_first);
	cfg->wb_blocks = or_default(cfg->wb_blocks, 4);
	if (!cfg->profile)
		cfg->profile = "1.5.01";
	if (!cfg->nr_tdmr) {
		cfg->nr_tdmr = 1;
		cfg->tdmr[0] = (struct seam_range){0x40000000, 0x40000000};
	}
	if (!cfg->seamrr.size)
		cfg->seamrr = (struct seam_range){0x3c000000, 0x2000000};
}

#define REFUSE(...)                                 \
	do {                                        \
		snprintf(err, errlen, __VA_ARGS__); \
		return false;                       \
	} while (0)

static bool check_tdmrs(const struct seam_config *cfg, char *err, size_t errlen)
{
	const u64 gb = SEAM_LEVEL_SIZE(2), maxpa = 1ULL << (SEAM_MAXPA - cfg->keyid_bits);
	u64 end = 0;

	if (cfg->nr_tdmr > SEAM_MAX_TDMRS)
		REFUSE("%u TDMRs, at most %u expected", cfg->nr_tdmr, SEAM_MAX_TDMRS);
	for (u32 i = 0; i < cfg->nr_tdmr; i++) {
		const struct seam_range *t = &cfg->tdmr[i];

		if (!t->size || t->base % gb || t->size % gb)
			REFUSE("TDMR %#llx+%#llx, multiples of 1 GiB expected", t->base, t->size);
		if (t->base < end)
			REFUSE("TDMR %#llx after one that ends at %#llx, ascending expected",
			       t->base, end);
		if (t->base >= maxpa || t->size > maxpa - t->base)
			REFUSE("TDMR %#llx+%#llx, end at most %#llx expected (HKID bits above)",
			       t->base, t->size, maxpa);
		end = t->base + t->size;
	}
	return true;
}

static bool inside_a_tdmr(const struct seam_config *cfg, const struct seam_range *r)
{
	for (u32 i = 0; i < cfg->nr_tdmr; i++) {
		const struct seam_range *t = &cfg->tdmr[i];

		if (r->base >= t->base && r->base - t->base < t->size &&
		    r->size <= t->size - (r->base - t->base))
			return true;
	}
	return false;
}

static bool check_reserved(const struct seam_config *cfg, char *err, size_t errlen)
{
	if (cfg->nr_rsvd > SEAM_MAX_RSVD)
		REFUSE("%u reserved areas, at most %u expected", cfg->nr_rsvd, SEAM_MAX_RSVD);
	for (u32 i = 0; i < cfg->nr_rsvd; i++) {
		const struct seam_range *r = &cfg->rsvd[i];

		if (!r->size || r->base % SEAM_LEVEL_SIZE(0) || r->size % SEAM_LEVEL_SIZE(0))
			REFUSE("reserved area %#llx+%#llx, multiples of 4 KiB expected", r->base,
			       r->size);
		if (!inside_a_tdmr(cfg, r))
			REFUSE("reserved area %#llx+%#llx, one inside a TDMR expected", r->base,
			       r->size);
	}
	return true;
}

static bool check_platform(const struct seam_config *cfg, char *err, size_t errlen)
{
	u64 end = (u64)cfg->hkid_first + cfg->hkid_count;

	if (cfg->lps > SEAM_MAX_LPS)
		REFUSE("lps=%u, at most %u expected", cfg->lps, SEAM_MAX_LPS);
	if (cfg->pkgs > SEAM_MAX_PKGS || cfg->pkgs > cfg->lps)
		REFUSE("pkgs=%u, at most %u and not more than lps=%u expected", cfg->pkgs,
		       SEAM_MAX_PKGS, cfg->lps);
	if (cfg->keyid_bits > 15)
		REFUSE("keyid_bits=%u, 1 to 15 expected", cfg->keyid_bits);
	if (end > 1ULL << cfg->keyid_bits)
		REFUSE("HKIDs %#x+%#x, end at most %#llx expected (keyid_bits=%u)", cfg->hkid_first,
		       cfg->hkid_count, 1ULL << cfg->keyid_bits, cfg->keyid_bits);
	if (cfg->hkid_global < cfg->hkid_first || cfg->hkid_global >= end)
		REFUSE("global HKID %#x, one of %#x+%#x expected", cfg->hkid_global,
		       cfg->hkid_first, cfg->hkid_count);
	return true;
}

/* The profile's switches, and what the configuration turns on or off in them. */
static bool make_features(const struct seam_config *cfg, struct seam_features *f, char *err,
			  size_t errlen)
{
	if (!seam_profile_features(cfg->profile, f))
		REFUSE("profile \"%s\", one of the releases in \"list features\" expected",
		       cfg->profile);
	if (cfg->dynamic_pamt && !f->dynamic_pamt)
		REFUSE("dynamic_pamt=on with profile %s, 1.5.20 or later expected", cfg->profile);
	if (cfg->enh_demote > 0 && !f->enh_demote)
		REFUSE("enhanced_demote_interruptibility=on with %s, 1.5.28 or later expected",
		       cfg->profile);
	if (cfg->enh_demote < 0 && f->enh_demote) {
		f->enh_demote = 0;
		f->demote_poll_l2_only = 0;
		f->features0 &= ~SEAM_FEATURES0_ENH_DEMOTE;
	}
	return true;
}

static void make_tables(struct seam *s)
{
	const struct seam_config *cfg = &s->cfg;

	s->kot = rt_zalloc(cfg->hkid_count * sizeof(*s->kot));
	s->kot[cfg->hkid_global - cfg->hkid_first].state = SEAM_HKID_RESERVED;
	for (u32 i = 0; i < cfg->pkgs; i++)
		s->wb[i].hkids = rt_zalloc(cfg->hkid_count);
	s->lp = rt_zalloc(cfg->lps * sizeof(*s->lp));
	for (u32 i = 0; i < cfg->lps; i++) {
		s->lp[i].id = i;
		s->lp[i].pkg = i * cfg->pkgs / cfg->lps;
		s->lp[i].if_on = true;
		s->lp[i].init_done = !cfg->cold;
	}
}

/* As SYS.INIT to SYS.TDMR.INIT leave a module. */
static void make_ready(struct seam *s)
{
	const struct seam_config *cfg = &s->cfg;

	s->dynamic_pamt = cfg->dynamic_pamt;
	s->key_pkgs = (1U << cfg->pkgs) - 1;
	s->sys_state = SEAM_SYS_READY;
	for (u32 i = 0; i < cfg->nr_tdmr; i++)
		seam_pamt_add_tdmr(s, cfg->tdmr[i].base, cfg->tdmr[i].size, !cfg->tdmr_uninit);
	for (u32 i = 0; i < cfg->nr_rsvd; i++)
		seam_pamt_reserve(s, cfg->rsvd[i].base, cfg->rsvd[i].size);
}

struct seam *seam_new(const struct seam_config *cfg, char *err, size_t errlen)
{
	struct seam_config c = {0};
	struct seam_features f;
	struct seam *s;

	if (cfg)
		c = *cfg;
	fill_defaults(&c);
	if (!make_features(&c, &f, err, errlen) || !check_platform(&c, err, errlen) ||
	    !check_tdmrs(&c, err, errlen) || !check_reserved(&c, err, errlen))
		return NULL;

	s = rt_zalloc(sizeof(*s));
	s->clock = rt_cycles_counter();
	s->cost_row = SEAM_ROW_NONE;
	s->cfg = c;
	s->f = f;
	/* The caller's string need not outlive the call; the table's does. */
	for (u32 i = 0; seam_profile_name(i); i++) {
		if (!strcmp(seam_profile_name(i), c.profile))
			s->cfg.profile = seam_profile_name(i);
	}
	make_tables(s);
	if (!c.cold)
		make_ready(s);
	if (!rt_root(SEAM_ROOT))
		rt_set_root(SEAM_ROOT, s);
	return s;
}

static void free_td(struct seam *s, struct seam_td *td)
{
	while (td->vcpus)
		seam_vcpu_free(s, td->vcpus);
	seam_td_free(s, td);
}

void seam_free(struct seam *s)
{
	assert(!s->in_flight);
	for (u32 i = 0; i < SEAM_TD_BUCKETS; i++) {
		while (s->td[i])
			free_td(s, s->td[i]);
	}
	seam_pamt_free_all(s);
	for (u32 i = 0; i < s->cfg.pkgs; i++)
		rt_free(s->wb[i].hkids);
	rt_free(s->kot);
	rt_free(s->lp);
	if (rt_root(SEAM_ROOT) == s)
		rt_set_root(SEAM_ROOT, NULL);
	rt_free(s);
}

const struct seam_config *seam_get_config(const struct seam *s)
{
	return &s->cfg;
}

const struct seam_features *seam_features(const struct seam *s)
{
	return &s->f;
}
