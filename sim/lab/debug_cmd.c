// SPDX-License-Identifier: GPL-2.0-only
/*
 * The debugger's commands: their names (gdb's where gdb has one), abbreviations, help and arguments.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/debug_int.h"
#include "sim/lab/replay.h"
#include "sim/lab/util.h"
#include "sim/rt/world.h"

#define MOST_TIMES 1000000000ULL

/* ---- words ---- */

bool lab_debug_wrong(struct lab_debugger *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(d->out, fmt, ap);
	va_end(ap);
	fputc('\n', d->out);
	return false;
}

bool lab_debug_word(const char **args, char *buf, size_t len)
{
	const char *s = *args + strspn(*args, " \t");
	size_t n = strcspn(s, " \t");

	snprintf(buf, len, "%.*s", (int)n, s);
	*args = s + n;
	return n;
}

bool lab_debug_number(const char *word, u64 *num)
{
	char *end;

	if (!isdigit((unsigned char)*word))
		return false;
	errno = 0;
	*num = strtoull(word, &end, 0);
	return !*end && !errno;
}

/*
 * The scenario language reads it, so that an address is spelled here as there; its message is about
 * a line that nobody wrote, so we have one of our own.
 */
bool lab_debug_address(struct lab_debugger *d, const char *word, u64 *gpa, u32 *td)
{
	struct lab_diag quiet = {.out = fopen("/dev/null", "w")};
	struct lab_scenario line;
	char text[120];
	u32 errors = 1;

	lab_scenario_init(&line);
	snprintf(text, sizeof(text), "expect attr %s private", word);
	if (quiet.out)
		errors = lab_parse_line(&line, text, &quiet);
	*td = 0;
	if (!errors && line.nr_ops == 1)
		*gpa = lab_setup_gpa(&line, d->su, lab_get(&line.ops[0], "GPA"), td);
	lab_scenario_free(&line);
	if (quiet.out)
		fclose(quiet.out);
	if (errors || *td >= d->su->nr_tds)
		return lab_debug_wrong(
			d, "found \"%s\", expected an address: 0x80000000, slot0+4K, NAME.slot0",
			word);
	return true;
}

struct lab_actor *lab_debug_actor(struct lab_debugger *d, const char *name)
{
	struct lab_actor *a = lab_actor_by_name(d->s->m, name);

	if (!a)
		lab_debug_wrong(d, "found \"%s\", expected an actor (info actors)", name);
	return a;
}

/* ---- commands ---- */

static bool times_of(struct lab_debugger *d, const char *args, u64 *times)
{
	char word[40];

	*times = 1;
	if (!lab_debug_word(&args, word, sizeof(word)))
		return true;
	if (!lab_debug_number(word, times) || !*times || *times > MOST_TIMES)
		return lab_debug_wrong(d, "found \"%s\", expected how often, 1 or more", word);
	return true;
}

static bool move(struct lab_debugger *d, enum lab_move how, bool back, const char *args)
{
	u64 times;

	if (!times_of(d, args, &times))
		return false;
	lab_debug_move(d, how, back, times);
	return true;
}

#define MOVES(X)                              \
	X(stepi, LAB_MOVE_POINT, false)       \
	X(step, LAB_MOVE_CALL, false)         \
	X(next, LAB_MOVE_OVER, false)         \
	X(finish, LAB_MOVE_FINISH, false)     \
	X(until, LAB_MOVE_SWITCH, false)      \
	X(line, LAB_MOVE_LINE, false)         \
	X(cont, LAB_MOVE_CONTINUE, false)     \
	X(back_stepi, LAB_MOVE_POINT, true)   \
	X(back_step, LAB_MOVE_CALL, true)     \
	X(back_next, LAB_MOVE_OVER, true)     \
	X(back_finish, LAB_MOVE_FINISH, true) \
	X(back_until, LAB_MOVE_SWITCH, true)  \
	X(back_line, LAB_MOVE_LINE, true)     \
	X(back_cont, LAB_MOVE_CONTINUE, true)

#define DEFINE_MOVE(name, how, back)                                    \
	static bool do_##name(struct lab_debugger *d, const char *args) \
	{                                                               \
		return move(d, how, back, args);                        \
	}
MOVES(DEFINE_MOVE)

static bool do_start(struct lab_debugger *d, const char *args)
{
	lab_debug_goto(d, 0);
	lab_debug_where(d);
	return true;
}

static bool do_run(struct lab_debugger *d, const char *args)
{
	lab_debug_goto(d, 0);
	lab_debug_move(d, LAB_MOVE_CONTINUE, false, 1);
	return true;
}

static bool do_goto(struct lab_debugger *d, const char *args)
{
	char word[40] = "";
	u64 step;

	lab_debug_word(&args, word, sizeof(word));
	if (!lab_debug_number(word, &step))
		return lab_debug_wrong(d, "expected goto STEP");
	lab_debug_goto(d, step);
	lab_debug_where(d);
	return true;
}

static bool do_break(struct lab_debugger *d, const char *args)
{
	return lab_break_add(d, args + strspn(args, " \t"));
}

static bool do_where(struct lab_debugger *d, const char *args)
{
	lab_debug_where(d);
	return true;
}

static bool do_backtrace(struct lab_debugger *d, const char *args)
{
	lab_debug_backtrace(d);
	return true;
}

static bool do_list(struct lab_debugger *d, const char *args)
{
	lab_debug_list(d);
	return true;
}

/* @id is to be the answer to the open question. */
static bool choose(struct lab_debugger *d, enum rt_choice_kind kind, u32 id, const char *word)
{
	const struct lab_question *q = &d->question;

	if (d->told != LAB_PLAY_PAUSED || q->kind != kind)
		return lab_debug_wrong(d, kind == RT_CHOICE_FAULT
						  ? "nobody asks about a fault here"
						  : "there is nobody to choose here (info choice)");
	for (u32 i = 0; i < q->nr; i++) {
		if (q->ids[i] != id)
			continue;
		lab_debug_choose(d, id);
		lab_debug_where(d);
		return true;
	}
	return lab_debug_wrong(d, "%s can't go on here (info choice)", word);
}

static bool do_actor(struct lab_debugger *d, const char *args)
{
	char word[40] = "";
	struct lab_actor *a;

	lab_debug_word(&args, word, sizeof(word));
	a = lab_debug_actor(d, word);
	return a && choose(d, RT_CHOICE_ACTOR, a->id, word);
}

static bool do_fault(struct lab_debugger *d, const char *args)
{
	char word[40] = "";
	bool yes;

	lab_debug_word(&args, word, sizeof(word));
	yes = !strcmp(word, "yes");
	if (!yes && strcmp(word, "no"))
		return lab_debug_wrong(d, "expected fault yes or fault no");
	return choose(d, RT_CHOICE_FAULT, yes ? RT_FAULT_FIRES : RT_FAULT_NO, word);
}

static bool do_save(struct lab_debugger *d, const char *args)
{
	char path[400] = "";
	int ret;

	if (!lab_debug_word(&args, path, sizeof(path)))
		return lab_debug_wrong(d, "expected save FILE");
	ret = lab_replay_write(d->s, "by hand, in the debugger", path);
	if (ret)
		return lab_debug_wrong(d, "%s: %s", path, strerror(ret));
	fprintf(d->out, "%zu choices up to here are in %s\n", d->s->recorded.nr, path);
	return true;
}

static bool do_help(struct lab_debugger *d, const char *args);

static const struct command {
	const char *name, *alias; /* alias: the one or two letters that gdb has for it */
	bool (*run)(struct lab_debugger *d, const char *args);
	bool repeats; /* an empty line does it again */
	const char *args, *help;
} commands[] = {
	{"stepi", "si", do_stepi, true, "[N]", "to the next scheduling point"},
	{"step", "s", do_step, true, "[N]",
	 "until a call or guest instruction is about to begin, or has ended"},
	{"next", "n", do_next, true, "[N]", "until a call of the same actor has ended"},
	{"finish", "fin", do_finish, true, "", "until the actor's action has ended"},
	{"until", "u", do_until, true, "[N]", "until another actor is about to go on"},
	{"line", NULL, do_line, true, "[N]", "to the next line of the scenario, or parallel block"},
	{"continue", "c", do_cont, true, "[N]",
	 "to a breakpoint, a broken rule, a failed expectation, the end"},
	{"reverse-stepi", "rsi", do_back_stepi, true, "[N]", "one scheduling point back"},
	{"reverse-step", "rs", do_back_step, true, "[N]",
	 "to the last place where a call is about to begin, or has ended"},
	{"reverse-next", "rn", do_back_next, true, "[N]",
	 "to where the actor's last call was about to begin"},
	{"reverse-finish", NULL, do_back_finish, true, "", "to where the actor's action began"},
	{"reverse-until", NULL, do_back_until, true, "[N]",
	 "to the last place where another actor is about to go on"},
	{"reverse-line", NULL, do_back_line, true, "[N]", "to the beginning of the line before"},
	{"reverse-continue", "rc", do_back_cont, true, "[N]",
	 "to the last breakpoint, or the beginning"},
	{"run", "r", do_run, false, "", "from the beginning, to a breakpoint"},
	{"start", NULL, do_start, false, "", "to the beginning"},
	{"goto", NULL, do_goto, false, "STEP", "to that step, forward or backward"},
	{"break", "b", do_break, false, "KIND NAME [by ACTOR]",
	 "kinds: leaf, status, lock, gfn, gpa, oracle, actor, fault, line, step"},
	{"delete", "d", lab_break_delete, false, "[N]", "breakpoint N, or all"},
	{"info", "i", lab_debug_info, false, "WHAT",
	 "actors (threads), locks, breakpoints, choice, schedule, trace [N]"},
	{"print", "p", lab_debug_print, false, "WHAT ADDRESS",
	 "sept [SIZE], mirror, lpage, pamt, folio, attr, data; tlb ACTOR, stat NAME, td"},
	{"backtrace", "bt", do_backtrace, false, "",
	 "what the actor that ran last is in the middle of"},
	{"where", NULL, do_where, false, "", "the place, and who goes on from it"},
	{"list", "l", do_list, false, "", "the scenario, with the lines under way"},
	{"actor", NULL, do_actor, false, "NAME",
	 "that one goes on from here; later choices are forgotten"},
	{"thread", "t", do_actor, false, "NAME", "the same"},
	{"fault", NULL, do_fault, false, "yes|no", "whether the fault fires that is asked about"},
	{"save", NULL, do_save, false, "FILE", "the choices up to here as a replay file"},
	{"help", "h", do_help, false, "[COMMAND]", "this list"},
	{"quit", "q", NULL, false, "", "leave"},
};

const char *lab_debug_name(u32 i)
{
	return i < RT_ARRAY_SIZE(commands) ? commands[i].name : NULL;
}

static const char *next_name(const void *ctx, u32 i)
{
	return lab_debug_name(i);
}

/* By name, alias, or the beginning of exactly one name; NULL, and a line said why. */
static const struct command *find(struct lab_debugger *d, const char *word)
{
	const struct command *found = NULL;
	const char *near;
	u32 n = 0;

	for (u32 i = 0; i < RT_ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];

		if (!strcmp(c->name, word) || (c->alias && !strcmp(c->alias, word)))
			return c;
		if (strncmp(c->name, word, strlen(word)))
			continue;
		found = c;
		n++;
	}
	if (n == 1)
		return found;
	if (n > 1) {
		lab_debug_wrong(d, "\"%s\" is the beginning of %u commands (help)", word, n);
		return NULL;
	}
	near = lab_nearest(word, strlen(word), next_name, NULL);
	lab_debug_wrong(d, "found \"%s\", expected a command (help)%s%s%s", word,
			near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return NULL;
}

static void help_line(struct lab_debugger *d, const struct command *c)
{
	char left[60];

	snprintf(left, sizeof(left), "%s%s%s%s%s", c->name, c->alias ? ", " : "",
		 c->alias ? c->alias : "", *c->args ? " " : "", c->args);
	fprintf(d->out, "  %-32s %s\n", left, c->help);
}

static bool do_help(struct lab_debugger *d, const char *args)
{
	const struct command *c;
	char word[40];

	if (lab_debug_word(&args, word, sizeof(word))) {
		c = find(d, word);
		if (c)
			help_line(d, c);
		return c;
	}
	for (u32 i = 0; i < RT_ARRAY_SIZE(commands); i++)
		help_line(d, &commands[i]);
	return true;
}

enum lab_debug_answer lab_debug_command(struct lab_debugger *d, const char *line)
{
	const struct command *c;
	const char *args = line;
	char word[40], again[sizeof(d->again)];

	rt_world_enter(d->s->world);
	if (!lab_debug_word(&args, word, sizeof(word))) {
		if (!*d->again)
			return LAB_DEBUG_DONE;
		memcpy(again, d->again, sizeof(again));
		return lab_debug_command(d, again);
	}
	if (*word == '#')
		return LAB_DEBUG_DONE;
	d->again[0] = 0;
	c = find(d, word);
	if (!c)
		return LAB_DEBUG_WRONG;
	if (!c->run)
		return LAB_DEBUG_QUIT;
	if (c->repeats)
		snprintf(d->again, sizeof(d->again), "%s", line);
	return c->run(d, args) ? LAB_DEBUG_DONE : LAB_DEBUG_WRONG;
}
