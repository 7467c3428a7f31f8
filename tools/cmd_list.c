// SPDX-License-Identifier: GPL-2.0-only
/*
 * "tdxsim list": the tables that the floors are made of, for people.
 */
#include <stdio.h>
#include <string.h>

#include "gmem/gmem.h"
#include "sim/lab/diag.h"
#include "sim/lab/ops.h"
#include "sim/lab/oracle.h"
#include "sim/lab/stats.h"
#include "sim/lab/words.h"
#include "tdx/abi.h"
#include "tdx/features.h"
#include "tools/cmd.h"
#include "tools/opts.h"

static void list_leaves(void)
{
	const char *name;
	u32 nr;

	for (u32 i = 0; (name = lab_leaf_at(i, &nr)); i++)
		printf("SEAMCALL %3u  %s\n", nr, name);
	for (u32 i = 0; (name = lab_tdcall_at(i, &nr)); i++)
		printf("TDCALL   %3u  %s\n", nr, name);
}

static void list_status(void)
{
	const char *name;
	u64 status;

	for (u32 i = 0; (name = lab_status_at(i, &status)); i++)
		printf("0x%016llx  TDX_%-36s %s\n", status, name,
		       status & SEAM_STATUS_ERROR ? "" : "no error");
}

static void list_features(void)
{
	static const char *const evidence[] = {"recorded from the real module", "run",
					       "read, not run"};
	struct seam_features f;
	const char *name;

	for (u32 i = 0; (name = seam_profile_name(i)); i++) {
		seam_profile_features(name, &f);
		printf("%s (%s)\n", name, evidence[seam_profile_evidence(i)]);
		for (u32 sw = 0; sw < SEAM_SW_NR; sw++)
			printf("  %-28s 0x%-14llx %s\n", seam_switch_name((enum seam_switch)sw),
			       seam_switch_value(&f, (enum seam_switch)sw),
			       seam_switch_help((enum seam_switch)sw));
	}
	printf("non_blocking_resize is no feature of any release: an assumption, off by default\n");
}

static void list_table(const char *line, const struct policy_desc *row)
{
	for (; row->key; row++) {
		printf("%s %s=", line, row->key);
		for (u32 i = 0; row->values[i]; i++)
			printf("%s%s", i ? "|" : "", row->values[i]);
		printf(" (default %s)\n", row->values[row->def]);
		if (row->question)
			printf("    %s\n", row->question);
		if (row->who)
			printf("    who: %s\n", row->who);
		if (row->measure)
			printf("    measure: %s\n", row->measure);
		if (row->source)
			printf("    source: %s\n", row->source);
	}
}

static void list_policies(void)
{
	const char *name;

	list_table("kvm ", kvm_policies);
	list_table("gmem", gmem_policies);
	printf("gmem profile=");
	for (u32 i = 0; (name = gmem_profile_name(i)); i++)
		printf("%s%s", i ? "|" : "", name);
	printf(" (default SEAN_2026): a bundle of the above\n");
	for (u32 i = 0; gmem_aliases[i].gmem_key; i++)
		printf("one switch: kvm %s=%s is gmem %s=%s\n", gmem_aliases[i].kvm_key,
		       gmem_aliases[i].kvm_value, gmem_aliases[i].gmem_key,
		       gmem_aliases[i].gmem_value);
}

static void list_oracles(void)
{
	static const char *const when[] = {"while the VM lives", "always", "at the end",
					   "while running"};
	const struct lab_oracle_desc *o;

	for (u32 i = 0; (o = lab_oracle_desc(i)); i++)
		printf("%2u %-21s %s (%s; %s)\n", i + 1, o->name, o->text, o->sources,
		       when[o->when]);
}

static void list_faults(void)
{
	for (int i = 0; i < LAB_OP_NR; i++) {
		if (lab_specs[i].section == LAB_INJECT)
			printf("inject %-10s %s\n", lab_specs[i].verb, lab_specs[i].help);
	}
	printf("sites of inject enomem:");
	for (u32 i = 0; lab_words_site[i]; i++)
		printf(" %s", lab_words_site[i]);
	printf("\n");
}

static void list_stats(void)
{
	for (u32 i = 0; lab_stat_name(i); i++)
		printf("%-38s %s\n", lab_stat_name(i), lab_stat_text(i));
}

static const struct {
	const char *name;
	void (*list)(void);
} lists[] = {
	{"leaves", list_leaves},     {"status", list_status},	{"features", list_features},
	{"policies", list_policies}, {"oracles", list_oracles}, {"faults", list_faults},
	{"stats", list_stats},
};

static const char *next_list(const void *ctx, u32 i)
{
	return i < RT_ARRAY_SIZE(lists) ? lists[i].name : NULL;
}

static bool no_option(void *ctx, u32 i, const char *arg)
{
	return false;
}

int cmd_list(int argc, char **argv)
{
	static const struct opt none[] = {{0}};
	static const struct opts opts = {
		.command = "list",
		.operands = "leaves|status|features|policies|oracles|faults|stats",
		.what = "Prints one of the tables that tdxsim is made of.",
		.opt = none,
		.set = no_option,
	};
	int status, first = opts_parse(&opts, argc, argv, NULL, &status);
	const char *near;

	if (first < 0)
		return status;
	if (argc - first != 1) {
		opts_help(&opts, stderr);
		return opts_error(&opts, "expected one table");
	}
	for (u32 i = 0; i < RT_ARRAY_SIZE(lists); i++) {
		if (!strcmp(lists[i].name, argv[first])) {
			lists[i].list();
			return 0;
		}
	}
	near = lab_nearest(argv[first], strlen(argv[first]), next_list, NULL);
	return opts_error(&opts, "found \"%s\", expected one of %s%s%s%s", argv[first],
			  opts.operands, near ? "; did you mean \"" : "", near ? near : "",
			  near ? "\"?" : "");
}
