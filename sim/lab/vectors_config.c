// SPDX-License-Identifier: GPL-2.0-only
/*
 * The "config" line of a recording: which machine, and which release of the module, it was made on.
 * Only what can be said of a value alone is checked here; whether the machine is possible, seam_new() says.
 * The other lines are vectors_parse.c.
 */
#include <stddef.h>
#include <string.h>

#include "sim/lab/vectors_lex.h"

enum vec_config_kind {
	VEC_CFG_U32,
	VEC_CFG_BOOL,
	VEC_CFG_NOT, /* a flag that the configuration holds the other way round */
	VEC_CFG_RANGE,
	VEC_CFG_RANGES, /* may repeat */
	VEC_CFG_HKIDS,
	VEC_CFG_VERSION,
};

static const struct vec_config_key {
	const char *key, *what;
	u8 kind;
	u16 field, count; /* offsets in struct seam_config */
	u32 max;
} vec_config_keys[] = {
#define FIELD(f) offsetof(struct seam_config, f)
	{"lps", "a number of logical processors", VEC_CFG_U32, FIELD(lps), 0, VEC_LPS_MAX},
	{"pkgs", "a number of packages", VEC_CFG_U32, FIELD(pkgs), 0, VEC_LPS_MAX},
	{"tdmr", "<base>+<size> of a TDMR", VEC_CFG_RANGES, FIELD(tdmr), FIELD(nr_tdmr),
	 SEAM_MAX_TDMRS},
	{"rsvd", "<base>+<size> of a reserved area", VEC_CFG_RANGES, FIELD(rsvd), FIELD(nr_rsvd),
	 SEAM_MAX_RSVD},
	{"keyid_bits", "a number of KeyID bits", VEC_CFG_U32, FIELD(keyid_bits), 0, 16},
	{"hkids", "<first>+<count> of the private HKIDs", VEC_CFG_HKIDS, 0, 0, 0x10000},
	{"global_hkid", "an HKID", VEC_CFG_U32, FIELD(hkid_global), 0, 0xffff},
	{"seamrr", "<base>+<size> of the SEAM range", VEC_CFG_RANGE, FIELD(seamrr), 0, 0},
	{"pml5", "0 or 1", VEC_CFG_NOT, FIELD(no_pml5), 0, 1},
	{"wb_blocks", "a number of cache blocks", VEC_CFG_U32, FIELD(wb_blocks), 0, 0xffff},
	{"tdmr_uninit", "0 or 1", VEC_CFG_BOOL, FIELD(tdmr_uninit), 0, 1},
	{"dynamic_pamt", "0 or 1", VEC_CFG_BOOL, FIELD(dynamic_pamt), 0, 1},
	{"version", "a release, for example 1.5.25", VEC_CFG_VERSION, 0, 0, 0},
#undef FIELD
};

void vec_config_words(struct vec_words *w)
{
	u32 i;

	for (i = 0; i < RT_ARRAY_SIZE(vec_config_keys); i++)
		vec_words_add(w, vec_config_keys[i].key, i);
}

/* <base>+<size>, both hexadecimal; neither a size of 0 nor one that wraps is a range. */
static bool vec_config_range(struct vec_lex *lx, const struct vec_tok *val, const char *what,
			     struct seam_range *r)
{
	const char *plus = memchr(val->s, '+', val->len);
	u32 len;

	if (!plus)
		return vec_fail(lx, val->s, val->len, "%s", what);
	len = (u32)(plus - val->s);
	if (!vec_hex(lx, val->s, len, ~0ULL, what, &r->base) ||
	    !vec_hex(lx, plus + 1, val->len - len - 1, ~0ULL, what, &r->size))
		return false;
	if (!r->size || r->base + r->size < r->base)
		return vec_fail(lx, plus + 1, val->len - len - 1,
				"a size that fits behind the base");
	return true;
}

static bool vec_config_version(struct vec_lex *lx, const struct vec_tok *val, struct vec_file *f)
{
	u32 i;

	for (i = 0; i < val->len; i++)
		if (val->s[i] != '.' && (val->s[i] < '0' || val->s[i] > '9'))
			break;
	if (!val->len || i < val->len || val->len >= sizeof(f->profile))
		return vec_fail(lx, val->s, val->len, "a release, for example 1.5.25");
	memcpy(f->profile, val->s, val->len);
	f->profile[val->len] = '\0';
	return true;
}

static bool vec_config_hkids(struct vec_lex *lx, const struct vec_tok *val, const char *what,
			     struct seam_config *cfg)
{
	struct seam_range r;

	if (!vec_config_range(lx, val, what, &r))
		return false;
	if (r.base + r.size > 0x10000)
		return vec_fail(lx, val->s, val->len, "HKIDs below 10000");
	cfg->hkid_first = (u32)r.base;
	cfg->hkid_count = (u32)r.size;
	return true;
}

static bool vec_config_value(struct vec_lex *lx, const struct vec_config_key *k,
			     const struct vec_tok *val, struct vec_file *f)
{
	char *cfg = (char *)&f->config;
	struct seam_range *ranges = (struct seam_range *)(cfg + k->field);
	u32 *count = (u32 *)(cfg + k->count);
	u64 v;

	switch ((enum vec_config_kind)k->kind) {
	case VEC_CFG_U32:
		if (!vec_hex(lx, val->s, val->len, k->max, k->what, &v))
			return false;
		if (!v) /* to seam_new() it would mean "the default" */
			return vec_fail(lx, val->s, val->len, "%s (not 0)", k->what);
		*(u32 *)(cfg + k->field) = (u32)v;
		return true;
	case VEC_CFG_BOOL:
	case VEC_CFG_NOT:
		if (!vec_hex(lx, val->s, val->len, 1, k->what, &v))
			return false;
		*(bool *)(cfg + k->field) = k->kind == VEC_CFG_NOT ? !v : v;
		return true;
	case VEC_CFG_RANGE:
		return vec_config_range(lx, val, k->what, ranges);
	case VEC_CFG_RANGES:
		if (*count == k->max)
			return vec_fail(lx, val->s, val->len, "no more than %u of them", k->max);
		return vec_config_range(lx, val, k->what, &ranges[(*count)++]);
	case VEC_CFG_HKIDS:
		return vec_config_hkids(lx, val, k->what, &f->config);
	case VEC_CFG_VERSION:
		return vec_config_version(lx, val, f);
	}
	return false;
}

bool vec_parse_config(const struct vec_dict *d, struct vec_lex *lx, struct vec_file *f)
{
	u32 seen = 0;

	f->config_line = lx->line;
	f->config_col = (u32)(lx->pos - lx->bol) + 1;
	while (lx->more) {
		const struct vec_config_key *k;
		struct vec_tok t, key, val;
		const char *eq;
		u32 i;

		if (!vec_field(lx, &t, "<key>=<value>"))
			return false;
		eq = memchr(t.s, '=', t.len);
		key = (struct vec_tok){t.s, eq ? (u32)(eq - t.s) : t.len};
		if (!vec_words_find(&d->config, key.s, key.len, &i))
			return vec_fail_word(lx, &key, &d->config, "a key of the configuration");
		k = &vec_config_keys[i];
		if (!eq)
			return vec_fail(lx, t.s, t.len, "\"%s=\" and %s", k->key, k->what);
		if (seen & 1U << i && k->kind != VEC_CFG_RANGES)
			return vec_fail(lx, t.s, t.len, "each key once");
		seen |= 1U << i;
		val = (struct vec_tok){eq + 1, t.len - key.len - 1};
		if (!vec_config_value(lx, k, &val, f))
			return false;
	}
	return true;
}
