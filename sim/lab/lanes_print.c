// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows as columns: one for each actor that has a row, the step at the left, what broke below.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/fold.h"
#include "sim/lab/lanes_int.h"
#include "sim/lab/util.h"

#define STEP_WIDTH 8   /* of the column of steps */
#define WIDTH	   100 /* of all, for up to two lanes */
#define WIDTH_MORE 120
#define LANES_MAX  5 /* more, and each would be too narrow: one column then, with names */

struct sheet {
	FILE *out;
	const struct lab_session *s;
	const struct lab_rows *rows;
	u32 *lane; /* of each actor, from 0 */
	u32 nr_lanes, lane_width;
	bool colour;
};

static const char *actor_name(const struct sheet *sh, u32 actor)
{
	return actor < sh->s->m->nr_actors ? sh->s->m->actor[actor].name : "-";
}

static u32 lane_of(const struct sheet *sh, u32 actor)
{
	u32 nr = sh->s->m->nr_actors;

	return sh->lane[actor < nr ? actor : nr];
}

/* Whether @actor, the number of all of them for nobody, has a row. */
static bool has_rows(const struct sheet *sh, u32 actor)
{
	u32 nr = sh->s->m->nr_actors;

	for (u32 i = 0; i < sh->rows->nr; i++) {
		u32 own = sh->rows->row[i].actor;

		if ((own < nr ? own : nr) == actor)
			return true;
	}
	return false;
}

/* Lanes are given to actors in the order of their ids. */
static void assign_lanes(struct sheet *sh)
{
	u32 nr = sh->s->m->nr_actors;

	sh->lane = lab_zalloc((nr + 1) * sizeof(*sh->lane));
	for (u32 a = 0; a <= nr; a++) {
		sh->lane[a] = has_rows(sh, a) ? sh->nr_lanes++ : 0;
	}
	if (sh->nr_lanes > LANES_MAX) {
		memset(sh->lane, 0, (nr + 1) * sizeof(*sh->lane));
		sh->nr_lanes = 1;
	}
	sh->lane_width = ((sh->nr_lanes > 2 ? WIDTH_MORE : WIDTH) - STEP_WIDTH) /
				 (sh->nr_lanes ? sh->nr_lanes : 1) -
			 2;
}

/* The part of @text that goes into one line of @width: whole words, if there is a place to cut. */
static u32 piece(const char *text, u32 width)
{
	u32 len = (u32)strlen(text), cut;

	if (len <= width)
		return len;
	for (cut = width; cut > width / 2; cut--) {
		if (text[cut] == ' ')
			return cut;
	}
	return width;
}

static void put_cell(const struct sheet *sh, u32 lane, const char *left, const char *text, u32 len,
		     const char *before)
{
	fprintf(sh->out, "%*s", STEP_WIDTH, left);
	for (u32 i = 0; i < lane; i++)
		fprintf(sh->out, "| %*s", (int)sh->lane_width, "");
	fprintf(sh->out, "| %s%.*s%s", before, (int)len, text, *before ? "\033[0m" : "");
	for (u32 i = lane + 1; i < sh->nr_lanes; i++)
		fprintf(sh->out, "%*s|",
			(int)(i == lane + 1 ? sh->lane_width - len : sh->lane_width + 1), "");
	fputc('\n', sh->out);
}

static void put_text(const struct sheet *sh, u32 lane, const char *left, const char *text,
		     const char *before)
{
	u32 indent = 0, len;
	char line[240];

	do {
		len = piece(text, sh->lane_width - indent);
		snprintf(line, sizeof(line), "%*s%.*s", (int)indent, "", (int)len, text);
		put_cell(sh, lane, left, line, indent + len, before);
		text += len;
		while (*text == ' ')
			text++;
		left = "";
		indent = 4;
	} while (*text);
}

static void put_row(const struct sheet *sh, const struct lab_row *r, u64 last_step)
{
	const char *before = !sh->colour       ? ""
			     : r->bad	       ? "\033[33m"
			     : *r->text == '=' ? "\033[1m"
					       : "";
	char left[24] = "", text[300];

	if (r->step != last_step || r->chosen)
		snprintf(left, sizeof(left), "%s%llu ", r->chosen ? "*" : "", r->step);
	snprintf(text, sizeof(text), "%s%s%s", sh->nr_lanes == 1 ? actor_name(sh, r->actor) : "",
		 sh->nr_lanes == 1 ? ": " : "", r->text);
	put_text(sh, lane_of(sh, r->actor), left, text, before);
}

static void put_header(const struct sheet *sh)
{
	u32 nr = sh->s->m->nr_actors, done = 0;

	fprintf(sh->out, "%*s", STEP_WIDTH, "step ");
	for (u32 a = 0; a <= nr && sh->nr_lanes > 1; a++) {
		if (has_rows(sh, a))
			fprintf(sh->out, "| %-*s", ++done < sh->nr_lanes ? (int)sh->lane_width : 0,
				actor_name(sh, a));
	}
	fputc('\n', sh->out);
}

static const char *row_key(const void *ctx, u32 i)
{
	return ((const struct lab_rows *)ctx)->row[i].key;
}

/* A group that stands there again and again, unless the scheduler had a hand in it. */
static struct lab_fold fold_at(const struct lab_rows *rows, u32 at)
{
	struct lab_fold f = lab_fold_at(row_key, rows, rows->nr, at);

	for (u32 i = at + 1; i < at + f.size * f.times; i++) {
		if (rows->row[i].chosen)
			f.times = (i - at) / f.size;
	}
	return f.times < 3 ? (struct lab_fold){1, 1} : f;
}

/* Rows that are to be printed, with one for each group that repeats. */
static u32 count_rows(const struct lab_rows *rows)
{
	u32 n = 0;

	for (u32 i = 0; i < rows->nr;) {
		struct lab_fold f = fold_at(rows, i);

		n += f.size + (f.times > 1);
		i += f.size * f.times;
	}
	return n;
}

static void put_times(const struct sheet *sh, const struct lab_fold *f)
{
	if (f->size == 1)
		fprintf(sh->out, "%*s| ... the same %u times more\n", STEP_WIDTH, "", f->times - 1);
	else
		fprintf(sh->out, "%*s| ... these %u rows %u times more\n", STEP_WIDTH, "", f->size,
			f->times - 1);
}

/* All but the first @skip of those that are to be printed. */
static void put_rows(const struct sheet *sh, u32 skip)
{
	const struct lab_rows *rows = sh->rows;
	u64 last_step = ~0ULL;
	u32 n = 0;

	for (u32 i = 0; i < rows->nr;) {
		struct lab_fold f = fold_at(rows, i);

		for (u32 k = i; k < i + f.size; k++) {
			if (n++ >= skip)
				put_row(sh, &rows->row[k], last_step);
			last_step = rows->row[k].step;
		}
		if (f.times > 1 && n++ >= skip)
			put_times(sh, &f);
		i += f.size * f.times;
		last_step = rows->row[i - 1].step;
	}
}

static void put_end(const struct sheet *sh)
{
	const struct lab_session *s = sh->s;
	const char *red = sh->colour ? "\033[31m" : "", *off = sh->colour ? "\033[0m" : "";

	for (u32 i = 0; i < s->nr_broken; i++) {
		if (!s->broken[i].excused)
			fprintf(sh->out, "%6llu  %s*** %s breaks: %s%s\n", s->broken[i].step, red,
				s->broken[i].rule, s->broken[i].text, off);
	}
	if (*s->stuck)
		fprintf(sh->out, "        %s*** %s%s", red, s->stuck, off);
}

void lab_lanes_print(const struct lab_session *s, const struct lab_rows *rows, FILE *out,
		     bool colour)
{
	struct sheet sh = {.out = out, .s = s, .rows = rows, .colour = colour};
	u32 nr = count_rows(rows), skip = nr > LAB_LANES_ROWS ? nr - LAB_LANES_ROWS : 0;

	if (!nr) {
		fprintf(out, "  lanes: nothing to show; they are of the last parallel block\n");
		return;
	}
	assign_lanes(&sh);
	fprintf(out, "  lanes (* the scheduler chose otherwise than in order)\n");
	if (skip)
		fprintf(out, "  (%u earlier rows left out)\n", skip);
	put_header(&sh);
	put_rows(&sh, skip);
	put_end(&sh);
	free(sh.lane);
}
