// SPDX-License-Identifier: GPL-2.0-only
/*
 * Telling what was reached and what was not: as text, or as the table of docs/coverage.md.
 * Collecting is coverage.c.
 */
#include <string.h>

#include "sim/lab/coverage_int.h"
#include "sim/lab/oracle.h"
#include "tdx/abi.h"

struct printer {
	const struct lab_coverage *c;
	FILE *out;
	bool markdown, all;
};

static void head(const struct printer *p, const char *what, const char *item)
{
	if (p->markdown)
		fprintf(p->out, "\n## %s\n\n| leaf | %s | times | why not |\n|--|--|--:|--|\n",
			what, item);
	else
		fprintf(p->out, "%s%s\n", p->all ? "" : "not reached: ", what);
}

static void line(const struct printer *p, u32 row, const char *item, u64 count, const char *why)
{
	const char *name = cover_row_name(row);

	if (!p->all && count)
		return;
	if (p->markdown)
		fprintf(p->out, "| %s | %s | %llu | %s |\n", name, item, count,
			count ? ""
			: why ? why
			      : "**no reason**");
	else
		fprintf(p->out, "  %-24s %-36s %9llu%s%s\n", name, item, count, count ? "" : "  ",
			count ? ""
			: why ? why
			      : "no reason");
}

static const char *status_text(u64 status)
{
	const char *name = seam_status_name(status);

	return name ? name + strlen("TDX_") : "?";
}

static const char *entry_text(u8 from, u8 to, char *buf, size_t len)
{
	snprintf(buf, len, "%s to %s", seam_sept_state_name(from), seam_sept_state_name(to));
	return buf;
}

static void print_statuses(const struct printer *p)
{
	struct seam_reach_status r;

	head(p, "Statuses of leaves", "status");
	for (u32 i = 0; seam_reach_status(i, &r); i++)
		line(p, r.row, status_text(r.status), cover_status(p->c, r.row, r.status),
		     r.why_not);
}

static void print_entries(const struct printer *p)
{
	struct seam_reach_entry r;
	char buf[64];

	head(p, "Transitions of S-EPT entries", "from and to");
	for (u32 i = 0; seam_reach_entry(i, &r); i++)
		line(p, r.row, entry_text(r.from, r.to, buf, sizeof(buf)),
		     cover_entry(p->c, r.row, r.from, r.to), r.why_not);
}

static void print_policies(const struct printer *p)
{
	fprintf(p->out,
		p->markdown ? "\n## Policies of KVM\n\n| policy | in force | never |\n|--|--|--|\n"
			    : "policies of KVM in scenarios (- never)\n");
	for (u32 i = 0; kvm_policies[i].key; i++) {
		for (int yes = 1; yes >= 0; yes--) {
			fprintf(p->out,
				yes	      ? (p->markdown ? "| %s |" : "  %-24s")
				: p->markdown ? " |"
					      : "  -",
				kvm_policies[i].key);
			for (u32 v = 0; kvm_policies[i].values[v]; v++) {
				if (!(p->c->kvm_policy[i] & RT_BIT(v)) == !yes)
					fprintf(p->out, " %s", kvm_policies[i].values[v]);
			}
		}
		fprintf(p->out, p->markdown ? " |\n" : "\n");
	}
}

static void print_oracles(const struct printer *p)
{
	const struct lab_oracle_desc *o;

	fprintf(p->out,
		p->markdown
			? "\n## Oracles that scenarios break on purpose\n\n| oracle | scenarios |\n|--|--:|\n"
			: "oracles, and lines that expect them to break\n");
	for (u32 i = 0; i < COVER_ORACLES && (o = lab_oracle_desc(i)); i++)
		fprintf(p->out, p->markdown ? "| %s | %llu |\n" : "  %-24s %9llu\n", o->name,
			p->c->oracle[i]);
}

void lab_coverage_print(const struct lab_coverage *c, FILE *out, bool markdown, bool all)
{
	const struct printer p = {c, out, markdown, all};

	print_statuses(&p);
	print_entries(&p);
	if (!c->scenarios)
		return;
	print_policies(&p);
	print_oracles(&p);
}

static bool in_tables(u32 row, u64 status)
{
	struct seam_reach_status r;

	for (u32 i = 0; seam_reach_status(i, &r); i++) {
		if (r.row == row && r.status == status)
			return true;
	}
	return false;
}

static bool entry_in_tables(u32 row, u8 from, u8 to)
{
	struct seam_reach_entry r;

	for (u32 i = 0; seam_reach_entry(i, &r); i++) {
		if (r.row == row && r.from == from && r.to == to)
			return true;
	}
	return false;
}

/* Leaves that this module has only the names of answer nothing of their own. */
static bool is_ours(u32 row)
{
	struct seam_reach_status r;

	for (u32 i = 0; seam_reach_status(i, &r); i++) {
		if (r.row == row)
			return true;
	}
	return false;
}

static u32 unknown(const struct lab_coverage *c)
{
	u32 n = 0;
	char buf[64];

	for (u32 row = 0; row < SEAM_ROWS; row++) {
		const struct cover_row *r = &c->row[row];

		for (u32 i = 0; is_ours(row) && i < r->nr_status; i++) {
			if (in_tables(row, r->status[i].status))
				continue;
			fprintf(stderr, "in no table: %s %s\n", cover_row_name(row),
				status_text(r->status[i].status));
			n++;
		}
		for (u32 i = 0; i < r->nr_entry; i++) {
			if (entry_in_tables(row, r->entry[i].from, r->entry[i].to))
				continue;
			fprintf(stderr, "in no table: %s %s\n", cover_row_name(row),
				entry_text(r->entry[i].from, r->entry[i].to, buf, sizeof(buf)));
			n++;
		}
	}
	return n;
}

struct lab_coverage_sum lab_coverage_sum(const struct lab_coverage *c)
{
	struct lab_coverage_sum s = {.unknown = unknown(c), .failed = c->failed};
	struct seam_reach_status r;
	struct seam_reach_entry e;

	for (u32 i = 0; seam_reach_status(i, &r); i++) {
		bool reached = cover_status(c, r.row, r.status);

		s.statuses++;
		s.statuses_reached += reached;
		s.statuses_unexplained += !reached && !r.why_not;
	}
	for (u32 i = 0; seam_reach_entry(i, &e); i++) {
		bool reached = cover_entry(c, e.row, e.from, e.to);

		s.entries++;
		s.entries_reached += reached;
		s.entries_unexplained += !reached && !e.why_not;
	}
	return s;
}
