// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of a comparison: rows that columns fill one by one, and its three spellings. What the
 * rows mean is said by those who fill them.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/compare_int.h"
#include "sim/lab/util.h"

/* The row of that name, at the end of its group if it is new. */
static struct lab_row *row_of(struct lab_table *t, enum lab_row_show show, const char *group,
			      const char *name)
{
	u32 at = t->nr_rows;
	bool found = false;

	for (u32 i = 0; i < t->nr_rows; i++) {
		bool same = !strcmp(t->row[i].group, group);

		if (same && !strcmp(t->row[i].name, name))
			return &t->row[i];
		if (found && !same) {
			at = i;
			break;
		}
		found |= same;
	}
	t->row = lab_grow(t->row, &t->cap_rows, t->nr_rows + 1, sizeof(*t->row));
	memmove(&t->row[at + 1], &t->row[at], (t->nr_rows - at) * sizeof(*t->row));
	t->nr_rows++;
	t->row[at] = (struct lab_row){.group = group, .name = lab_strdup(name), .show = show};
	return &t->row[at];
}

void lab_table_num(struct lab_table *t, u32 col, enum lab_row_show show, const char *group,
		   const char *name, u64 num)
{
	row_of(t, show, group, name)->cell[col].num = num;
}

void lab_table_text(struct lab_table *t, u32 col, enum lab_row_show show, const char *group,
		    const char *name, const char *text)
{
	struct lab_cell *cell = &row_of(t, show, group, name)->cell[col];

	free(cell->text);
	cell->text = lab_strdup(text);
}

void lab_table_note(struct lab_table *t, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->note = lab_grow(t->note, &t->cap_notes, t->nr_notes + 1, sizeof(*t->note));
	t->note[t->nr_notes++] = lab_strdup(text);
}

void lab_table_free(struct lab_table *t)
{
	for (u32 i = 0; i < t->nr_rows; i++) {
		for (u32 c = 0; c < t->nr_columns; c++)
			free(t->row[i].cell[c].text);
		free(t->row[i].name);
	}
	for (u32 i = 0; i < t->nr_notes; i++)
		free(t->note[i]);
	free(t->row);
	free(t->note);
}

static bool is_text(const struct lab_table *t, const struct lab_row *r)
{
	for (u32 c = 0; c < t->nr_columns; c++) {
		if (r->cell[c].text)
			return true;
	}
	return false;
}

static void cell_text(const struct lab_table *t, const struct lab_row *r, u32 c, char *buf,
		      size_t len)
{
	if (is_text(t, r))
		snprintf(buf, len, "%s", r->cell[c].text ? r->cell[c].text : "-");
	else
		snprintf(buf, len, "%llu", r->cell[c].num);
}

static bool differs(const struct lab_table *t, const struct lab_row *r)
{
	char first[400], other[400];

	cell_text(t, r, 0, first, sizeof(first));
	for (u32 c = 1; c < t->nr_columns; c++) {
		cell_text(t, r, c, other, sizeof(other));
		if (strcmp(first, other))
			return true;
	}
	return false;
}

static bool shown(const struct lab_table *t, const struct lab_row *r)
{
	if (r->show == LAB_SHOW_DIFFER || t->only_differing)
		return differs(t, r);
	if (r->show == LAB_SHOW_ALWAYS || is_text(t, r))
		return true;
	for (u32 c = 0; c < t->nr_columns; c++) {
		if (r->cell[c].num)
			return true;
	}
	return false;
}

/* --- text ------------------------------------------------------------------------------------ */

static size_t name_width(const struct lab_table *t)
{
	size_t width = 0;

	for (u32 i = 0; i < t->nr_rows; i++) {
		if (shown(t, &t->row[i]) && strlen(t->row[i].name) > width)
			width = strlen(t->row[i].name);
	}
	return width;
}

static size_t column_width(const struct lab_table *t, u32 c)
{
	size_t width = strlen(t->column[c]);
	char text[400];

	for (u32 i = 0; i < t->nr_rows; i++) {
		if (!shown(t, &t->row[i]))
			continue;
		cell_text(t, &t->row[i], c, text, sizeof(text));
		if (strlen(text) > width)
			width = strlen(text);
	}
	return width;
}

static void print_row(const struct lab_table *t, const struct lab_row *r, size_t width,
		      const size_t *columns, const struct lab_compare_opts *opts)
{
	bool mark = differs(t, r);
	char text[400];

	fprintf(opts->out, "%s%c %-*s", mark && opts->colour ? "\033[1m" : "", mark ? '*' : ' ',
		(int)width, r->name);
	for (u32 c = 0; c < t->nr_columns; c++) {
		cell_text(t, r, c, text, sizeof(text));
		fprintf(opts->out, "  %*s", (int)columns[c], text);
	}
	fprintf(opts->out, "%s\n", mark && opts->colour ? "\033[0m" : "");
}

static void print_text(const struct lab_table *t, const struct lab_compare_opts *opts,
		       const char *setup)
{
	size_t columns[LAB_COLUMNS_MAX], width = name_width(t);
	const char *group = "";

	fprintf(opts->out, "%s\n  %s\n\n  %-*s", opts->path, setup, (int)width, "");
	for (u32 c = 0; c < t->nr_columns; c++) {
		columns[c] = column_width(t, c);
		fprintf(opts->out, "  %*s", (int)columns[c], t->column[c]);
	}
	fputc('\n', opts->out);
	for (u32 i = 0; i < t->nr_rows; i++) {
		const struct lab_row *r = &t->row[i];

		if (!shown(t, r))
			continue;
		if (strcmp(group, r->group))
			fprintf(opts->out, "\n%s%s%s\n", opts->colour ? "\033[36m" : "", r->group,
				opts->colour ? "\033[0m" : "");
		group = r->group;
		print_row(t, r, width, columns, opts);
	}
	fputs(*group || !opts->differences ? "\n* the columns differ\n" : "\nno row differs\n",
	      opts->out);
	for (u32 i = 0; i < t->nr_notes; i++)
		fprintf(opts->out, "%s\n", t->note[i]);
}

/* --- json ------------------------------------------------------------------------------------ */

static void json_row(const struct lab_table *t, const struct lab_row *r, FILE *out)
{
	char text[400];

	fputs("{\"group\":", out);
	lab_put_json(out, r->group);
	fputs(",\"name\":", out);
	lab_put_json(out, r->name);
	fprintf(out, ",\"differs\":%s,\"values\":[", differs(t, r) ? "true" : "false");
	for (u32 c = 0; c < t->nr_columns; c++) {
		cell_text(t, r, c, text, sizeof(text));
		fputs(c ? "," : "", out);
		if (is_text(t, r))
			lab_put_json(out, text);
		else
			fputs(text, out);
	}
	fputs("]}", out);
}

static void print_json(const struct lab_table *t, const struct lab_compare_opts *opts,
		       const char *setup)
{
	FILE *out = opts->out;
	const char *comma = "";

	fputs("{\"file\":", out);
	lab_put_json(out, opts->path);
	fputs(",\"setup\":", out);
	lab_put_json(out, setup);
	fputs(",\"policies\":[", out);
	for (u32 c = 0; c < t->nr_columns; c++) {
		fputs(c ? "," : "", out);
		lab_put_json(out, t->column[c]);
	}
	fputs("],\"rows\":[", out);
	for (u32 i = 0; i < t->nr_rows; i++) {
		if (!shown(t, &t->row[i]))
			continue;
		fprintf(out, "%s\n", comma);
		json_row(t, &t->row[i], out);
		comma = ",";
	}
	fputs("\n],\"notes\":[", out);
	for (u32 i = 0; i < t->nr_notes; i++) {
		fputs(i ? "," : "", out);
		lab_put_json(out, t->note[i]);
	}
	fputs("]}\n", out);
}

/* --- csv ------------------------------------------------------------------------------------- */

static void csv_field(FILE *out, const char *text, bool last)
{
	bool quote = strpbrk(text, ",\"\r\n");

	fputs(quote ? "\"" : "", out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputs(quote ? "\"" : "", out);
	fputs(last ? "\r\n" : ",", out);
}

static void print_csv(const struct lab_table *t, const struct lab_compare_opts *opts)
{
	FILE *out = opts->out;
	char text[400];

	fputs("group,name,differs,", out);
	for (u32 c = 0; c < t->nr_columns; c++)
		csv_field(out, t->column[c], c + 1 == t->nr_columns);
	for (u32 i = 0; i < t->nr_rows; i++) {
		const struct lab_row *r = &t->row[i];

		if (!shown(t, r))
			continue;
		csv_field(out, r->group, false);
		csv_field(out, r->name, false);
		csv_field(out, differs(t, r) ? "yes" : "no", false);
		for (u32 c = 0; c < t->nr_columns; c++) {
			cell_text(t, r, c, text, sizeof(text));
			csv_field(out, text, c + 1 == t->nr_columns);
		}
	}
}

void lab_table_print(const struct lab_table *t, const struct lab_compare_opts *opts,
		     const char *setup)
{
	switch (opts->format) {
	case LAB_COMPARE_TEXT:
		print_text(t, opts, setup);
		break;
	case LAB_COMPARE_JSON:
		print_json(t, opts, setup);
		break;
	case LAB_COMPARE_CSV:
		print_csv(t, opts);
		break;
	}
}
