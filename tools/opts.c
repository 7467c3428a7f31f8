// SPDX-License-Identifier: GPL-2.0-only
/*
 * getopt_long() over our table, and the help out of the same table.
 */
#include "tools/opts.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "sim/lab/diag.h"
#include "tools/mmu_tree.h"

#define OPTS_MAX 24
#define BAD	 2 /* exit status of bad input (docs/design.md) */

void opts_help(const struct opts *o, FILE *out)
{
	char left[64];

	fprintf(out, "Usage: tdxsim %s [OPTION]... %s\n\n%s\n\nOptions:\n", o->command, o->operands,
		o->what);
	for (u32 i = 0; o->opt[i].name; i++) {
		snprintf(left, sizeof(left), "--%s%s%s", o->opt[i].name, o->opt[i].arg ? " " : "",
			 o->opt[i].arg ? o->opt[i].arg : "");
		fprintf(out, "  %-34s %s\n", left, o->opt[i].help);
	}
	if (o->mmu)
		fprintf(out, "  %-34s %s\n", "--mmu DIR", MMU_TREE_HELP);
	fprintf(out, "  %-34s %s\n", "--help", "this text");
	if (o->more)
		fprintf(out, "\n%s", o->more);
}

int opts_error(const struct opts *o, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "tdxsim %s: ", o->command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return BAD;
}

bool opts_number(const struct opts *o, u32 i, const char *arg, u64 *num)
{
	u64 base = 10, n = 0;
	const char *s = arg, *start = arg;
	bool fits = true;

	if (s[0] == '0' && (s[1] | 0x20) == 'x') {
		base = 16;
		start = s += 2;
	}
	for (; *s; s++) {
		const char *digit = strchr("0123456789abcdef", *s | 0x20);

		if (!digit || (u64)(digit - "0123456789abcdef") >= base)
			break;
		if (__builtin_mul_overflow(n, base, &n) ||
		    __builtin_add_overflow(n, (u64)(digit - "0123456789abcdef"), &n))
			fits = false;
	}
	if (*s || s == start || !fits) {
		opts_error(o, "--%s: found \"%s\", expected a number%s", o->opt[i].name, arg,
			   fits ? "" : " of at most 64 bits");
		return false;
	}
	*num = n;
	return true;
}

int opts_word(const struct opts *o, u32 i, const char *arg, const char *const *words)
{
	const char *near = lab_nearest_of(arg, strlen(arg), words);
	char all[200] = "";
	size_t n = 0;

	for (int k = 0; words[k]; k++) {
		if (!strcmp(words[k], arg))
			return k;
		n += (size_t)snprintf(all + n, n < sizeof(all) ? sizeof(all) - n : 0, "%s%s",
				      n ? ", " : "", words[k]);
	}
	opts_error(o, "--%s: found \"%s\", expected one of %s%s%s%s", o->opt[i].name, arg, all,
		   near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return -1;
}

static const char *next_option(const void *ctx, u32 i)
{
	return ((const struct opt *)ctx)[i].name;
}

/* An option that getopt_long() did not take: name it, and what was probably meant. */
static void unknown_option(const struct opts *o, const char *word)
{
	size_t len = strcspn(word, "=");
	const char *near = NULL;

	if (len > 2)
		near = lab_nearest(word + 2, len - 2, next_option, o->opt);
	for (u32 i = 0; o->opt[i].name; i++) {
		if (len > 2 && strlen(o->opt[i].name) == len - 2 &&
		    !strncmp(o->opt[i].name, word + 2, len - 2)) {
			opts_error(o, o->opt[i].arg ? "--%s takes %s" : "--%s takes no argument",
				   o->opt[i].name, o->opt[i].arg);
			return;
		}
	}
	opts_error(o, "found \"%s\", expected an option (tdxsim %s --help)%s%s%s", word, o->command,
		   near ? "; did you mean \"--" : "", near ? near : "", near ? "\"?" : "");
}

int opts_parse(const struct opts *o, int argc, char **argv, void *ctx, int *status)
{
	struct option table[OPTS_MAX + 2] = {{0}};
	u32 n = 0;
	int c, at;

	for (; o->opt[n].name && n < OPTS_MAX; n++)
		table[n] = (struct option){o->opt[n].name, o->opt[n].arg ? 1 : 0, NULL,
					   0x100 + (int)n};
	table[n] = (struct option){"help", 0, NULL, 'h'};
	optind = 0;
	opterr = 0;
	for (;;) {
		at = optind ? optind : 1;
		c = getopt_long(argc, argv, "h", table, NULL);
		if (c == -1)
			return optind;
		*status = 0;
		if (c == 'h') {
			opts_help(o, stdout);
			return -1;
		}
		*status = BAD;
		if (c == '?') {
			/* argv is permuted: the word that failed is the last one looked at. */
			unknown_option(o, argv[optind > at ? optind - 1 : at]);
			return -1;
		}
		if (!o->set(ctx, (u32)c - 0x100, optarg))
			return -1;
	}
}
