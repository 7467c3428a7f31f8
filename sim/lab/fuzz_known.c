// SPDX-License-Identifier: GPL-2.0-only
/*
 * Known fates, by a hash of their words.
 */
#include "sim/lab/fuzz_known.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/lab/util.h"

struct known {
	u64 words;
	struct lab_setup su;
};

struct lab_known {
	struct lab_runner *runner;
	struct lab_setup plain; /* what no set-up line at all is */
	struct known *fate;
	u32 nr, cap;
};

/* The word at @s (of @len) as it is written to @f: "b.vcpu3" is "vcpu", "td0:" in front is "VM:". */
static void plain_word(FILE *f, const char *s, size_t len, bool first)
{
	const char *dot = memchr(s, '.', len), *bare = dot ? dot + 1 : s;
	bool actor = !strncmp(bare, "vcpu", 4) || !strncmp(bare, "host", 4);

	if (first && len && s[len - 1] == ':')
		fputs("VM:", f);
	else if (actor && isdigit((unsigned char)s[len - 1]))
		fprintf(f, "%.4s", bare);
	else
		fwrite(s, 1, len, f);
}

static u64 words_of(const struct lab_fate *fate)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	u64 hash;

	if (!f)
		abort();
	fprintf(f, "%s ", fate->rule);
	for (const char *s = fate->text; *s;) {
		size_t word = strcspn(s, " ");

		plain_word(f, s, word, s == fate->text);
		fputc(' ', f);
		s += word + (s[word] == ' ');
	}
	if (fclose(f))
		abort();
	hash = XXH3_64bits(text, len);
	free(text);
	return hash;
}

static bool some_file_has(const struct lab_setup *su, u32 policy, u8 value)
{
	for (u32 g = 0; g < su->nr_gmems; g++) {
		if (su->gmem[g].gmem.policy[policy] == value)
			return true;
	}
	return false;
}

/* Whether @su has all the policies that @its has and that are no defaults. */
static bool has_policies(const struct lab_known *k, const struct lab_setup *su,
			 const struct lab_setup *its)
{
	const u8 *plain = k->plain.gmem[0].gmem.policy;

	for (u32 i = 0; i < KVM_POLICIES_MAX; i++) {
		if (its->kvm_policy[i] != k->plain.kvm_policy[i] &&
		    its->kvm_policy[i] != su->kvm_policy[i])
			return false;
	}
	for (u32 g = 0; g < its->nr_gmems; g++) {
		for (u32 i = 0; i < GMEM_POLICIES_MAX; i++) {
			u8 value = its->gmem[g].gmem.policy[i];

			if (value != plain[i] && !some_file_has(su, i, value))
				return false;
		}
	}
	return true;
}

bool lab_known_has(const struct lab_known *k, const struct lab_fate *fate,
		   const struct lab_setup *su)
{
	u64 words = k ? words_of(fate) : 0;

	for (u32 i = 0; k && i < k->nr; i++) {
		if (k->fate[i].words == words && has_policies(k, su, &k->fate[i].su))
			return true;
	}
	return false;
}

static const char *rule_said(const struct lab_scenario *sc)
{
	for (u32 i = 0; i < sc->nr_ops; i++) {
		if (sc->ops[i].kind == LAB_OP_EXP_VIOLATION)
			return lab_string(sc, (u32)lab_num(&sc->ops[i], "ORACLE", 0));
	}
	return NULL;
}

/* What @sc says that it breaks is known from now on. False: it does not break it. */
static bool learn(struct lab_known *k, const struct lab_scenario *sc, const struct lab_setup *su)
{
	const char *rule = rule_said(sc);
	struct lab_fate fate;

	if (!rule)
		return true;
	if (!lab_runner_run(k->runner, sc, su, NULL, &fate) || strcmp(fate.rule, rule))
		return false;
	k->fate = lab_grow(k->fate, &k->cap, k->nr + 1, sizeof(*k->fate));
	k->fate[k->nr++] = (struct known){.words = words_of(&fate), .su = *su};
	return true;
}

static bool read_file(struct lab_known *k, const char *path, FILE *err)
{
	struct lab_setup *su = lab_zalloc(sizeof(*su));
	struct lab_diag d = {err, 0};
	struct lab_scenario sc;
	struct lab_source src;
	char *text = lab_source_read(path, &src, &d);
	bool ok = text;

	lab_scenario_init(&sc);
	ok = ok && !lab_parse(&sc, &src, &d) && !lab_setup_resolve(&sc, su, &d);
	if (ok && !learn(k, &sc, su)) {
		ok = false;
		fprintf(err, "%s: does not break %s; expected what it says\n", path,
			rule_said(&sc));
	}
	lab_scenario_free(&sc);
	free(text);
	free(su);
	return ok;
}

static void resolve_plain(struct lab_setup *su)
{
	struct lab_diag quiet = {NULL, 0};
	struct lab_scenario none;

	lab_scenario_init(&none);
	if (lab_setup_resolve(&none, su, &quiet))
		abort();
	lab_scenario_free(&none);
}

static int is_scenario(const struct dirent *de)
{
	size_t len = strlen(de->d_name);

	return len > 4 && !strcmp(de->d_name + len - 4, ".scn");
}

struct lab_known *lab_known_read(const char *dir, FILE *err)
{
	const struct lab_runner_opts opts = {0};
	struct lab_known *k = lab_zalloc(sizeof(*k));
	struct dirent **name = NULL;
	int nr = scandir(dir, &name, is_scenario, alphasort);
	bool ok = nr >= 0;

	if (!ok)
		fprintf(err, "%s: %s\n", dir, strerror(errno));
	resolve_plain(&k->plain);
	k->runner = lab_runner_new(&opts);
	for (int i = 0; i < nr; i++) {
		size_t len = strlen(dir) + strlen(name[i]->d_name) + 2;
		char *path = lab_zalloc(len);

		snprintf(path, len, "%s/%s", dir, name[i]->d_name);
		ok = ok && read_file(k, path, err);
		free(path);
		free(name[i]);
	}
	free(name);
	lab_runner_free(k->runner);
	k->runner = NULL;
	if (ok)
		return k;
	lab_known_free(k);
	return NULL;
}

void lab_known_free(struct lab_known *k)
{
	if (!k)
		return;
	free(k->fate);
	free(k);
}
