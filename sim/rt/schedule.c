// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recorded schedules: the list, the chooser that plays it, and its text.
 * Entries are in the host's memory, since a schedule is no part of a world.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rt/internal.h"
#include "sim/rt/schedule.h"

void rt_schedule_init(struct rt_schedule *s)
{
	*s = (struct rt_schedule){.first_divergence = ~0ULL};
}

void rt_schedule_free(struct rt_schedule *s)
{
	free(s->entries);
	rt_schedule_init(s);
}

void rt_schedule_add(struct rt_schedule *s, u64 step, u32 actor)
{
	assert(!s->nr || s->entries[s->nr - 1].step < step);
	if (s->nr == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 16;
		s->entries = rt_host_realloc(s->entries, s->cap * sizeof(*s->entries));
	}
	s->entries[s->nr++] = (struct rt_schedule_entry){step, actor};
}

void rt_schedule_copy(struct rt_schedule *to, const struct rt_schedule *from)
{
	to->nr = 0;
	for (size_t i = 0; i < from->nr; i++)
		rt_schedule_add(to, from->entries[i].step, from->entries[i].actor);
}

void rt_schedule_rewind(struct rt_schedule *s)
{
	s->pos = 0;
	s->skipped = 0;
	s->first_divergence = ~0ULL;
}

size_t rt_schedule_unplayed(const struct rt_schedule *s)
{
	return s->skipped + (s->nr - s->pos);
}

static void skip_entry(struct rt_schedule *s)
{
	if (!s->skipped++)
		s->first_divergence = s->entries[s->pos].step;
	s->pos++;
}

/*
 * Tolerant, so that a replay survives changes of the code: what does not fit is counted, and the
 * run goes on in order.
 */
static u32 pick_schedule(void *ctx, const struct rt_choice *c)
{
	struct rt_schedule *s = ctx;

	/* Steps at which there was nothing to choose this time. */
	while (s->pos < s->nr && s->entries[s->pos].step < c->step)
		skip_entry(s);
	if (s->pos < s->nr && s->entries[s->pos].step == c->step) {
		for (u32 i = 0; i < c->nr; i++) {
			if (c->ids[i] == s->entries[s->pos].actor) {
				s->pos++;
				return i;
			}
		}
		skip_entry(s);
	}
	return c->cur == RT_NOBODY ? 0 : c->cur;
}

static u64 schedule_ask_from(void *ctx)
{
	const struct rt_schedule *s = ctx;

	return s->pos < s->nr ? s->entries[s->pos].step : ~0ULL;
}

struct rt_chooser rt_schedule_chooser(struct rt_schedule *s)
{
	return (struct rt_chooser){
		.name = "schedule", .pick = pick_schedule, .ctx = s, .ask_from = schedule_ask_from};
}

int rt_schedule_write(const struct rt_schedule *s, FILE *out, const char *(*actor_name)(u32 id))
{
	for (size_t i = 0; i < s->nr; i++) {
		const struct rt_schedule_entry *e = &s->entries[i];
		bool fault = e->actor == RT_FAULT_FIRES;
		const char *name = actor_name && !fault ? actor_name(e->actor) : NULL;
		int n;

		if (fault)
			n = fprintf(out, "%llu fault\n", e->step);
		else if (name)
			n = fprintf(out, "%llu %s\n", e->step, name);
		else
			n = fprintf(out, "%llu #%u\n", e->step, e->actor);
		if (n < 0)
			return -errno;
	}
	return 0;
}

/* One line of the text under the parser's eyes. */
struct line {
	const struct rt_schedule_source *src;
	const char *begin, *pos, *end;
	u32 nr;
	char *err;
	size_t errlen;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct line *l)
{
	while (l->pos < l->end && is_blank(*l->pos))
		l->pos++;
}

/* The next word, or nothing at the end of the line. */
static size_t word_len(const struct line *l)
{
	const char *p = l->pos;

	while (p < l->end && !is_blank(*p))
		p++;
	return (size_t)(p - l->pos);
}

static int bad(const struct line *l, const char *expected)
{
	size_t len = word_len(l);
	char found[32];
	size_t i;

	for (i = 0; i < len && i < sizeof(found) - 1; i++) {
		found[i] = l->pos[i];
		if (found[i] < ' ' || found[i] > '~')
			found[i] = '?';
	}
	found[i] = '\0';
	snprintf(l->err, l->errlen, "%s:%u:%zu: found %s%s%s, expected %s", l->src->file, l->nr,
		 (size_t)(l->pos - l->begin) + 1, len ? "'" : "", len ? found : "end of line",
		 len ? "'" : "", expected);
	return -EINVAL;
}

static bool parse_u64(const char *p, size_t len, u64 *val)
{
	*val = 0;
	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9' || __builtin_mul_overflow(*val, 10ULL, val) ||
		    __builtin_add_overflow(*val, (u64)(p[i] - '0'), val))
			return false;
	}
	return len > 0;
}

static int parse_actor(struct line *l, u32 *actor)
{
	size_t len = word_len(l);
	char name[RT_NAME_LEN];
	u64 id;

	*actor = RT_NOBODY;
	if (len == strlen("fault") && !memcmp(l->pos, "fault", len)) {
		*actor = RT_FAULT_FIRES;
	} else if (len && *l->pos == '#') {
		if (!parse_u64(l->pos + 1, len - 1, &id) || id >= RT_FAULT_NO)
			return bad(l, "#ID of an actor");
		*actor = (u32)id;
	} else if (len && len < sizeof(name) && l->src->actor_id) {
		memcpy(name, l->pos, len);
		name[len] = '\0';
		*actor = l->src->actor_id(l->src->ctx, name);
	}
	if (*actor == RT_NOBODY)
		return bad(l, l->src->actor_id ? "the name of an actor, #ID or fault"
					       : "#ID of an actor, or fault");
	l->pos += len;
	return 0;
}

static int parse_line(struct rt_schedule *s, struct line *l)
{
	u32 actor;
	u64 step;
	int err;

	skip_blanks(l);
	if (l->pos == l->end)
		return 0;
	if (!parse_u64(l->pos, word_len(l), &step))
		return bad(l, "a step (decimal)");
	if (s->nr && step <= s->entries[s->nr - 1].step)
		return bad(l, "a step after that of the line before");
	l->pos += word_len(l);
	skip_blanks(l);
	err = parse_actor(l, &actor);
	if (err)
		return err;
	skip_blanks(l);
	if (l->pos < l->end)
		return bad(l, "end of line");
	rt_schedule_add(s, step, actor);
	return 0;
}

int rt_schedule_parse(struct rt_schedule *s, const char *text, size_t len,
		      const struct rt_schedule_source *src, char *err, size_t errlen)
{
	const char *end = text + len;
	struct line l = {.src = src, .err = err, .errlen = errlen, .nr = src->line ? src->line : 1};
	int res = 0;

	for (; text < end && !res; l.nr++) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		const char *comment;

		if (!eol)
			eol = end;
		comment = memchr(text, ';', (size_t)(eol - text));
		l.begin = l.pos = text;
		l.end = comment ? comment : eol;
		res = parse_line(s, &l);
		text = eol < end ? eol + 1 : end;
	}
	return res;
}
