// SPDX-License-Identifier: GPL-2.0-only
/*
 * "tdxsim fuzz": options, the time, progress on a terminal, and what is left of a crash. Fuzzing
 * itself is sim/lab/fuzz.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "sim/lab/bytes.h"
#include "sim/lab/fuzz.h"
#include "tools/cmd.h"
#include "tools/interrupt.h"
#include "tools/opts.h"

#define TICKS_PER_SECOND 10U

enum {
	OPT_RUNS,
	OPT_SECONDS,
	OPT_SEED,
	OPT_CORPUS,
	OPT_OUT,
	OPT_JOBS,
	OPT_DEFAULTS,
	OPT_MACHINE,
	OPT_EXHAUSTIVE,
	OPT_MERGE,
	OPT_FINDINGS,
	OPT_DIFF,
	OPT_KNOWN,
	OPT_BUDGET,
	OPT_PRINT,
	OPT_ENCODE,
};

struct fuzz_ctx {
	struct lab_fuzz_opts opts;
	struct lab_fuzz_sum sum;
	u64 seconds, ticks; /* of them, so far */
	int timer;
	bool merge, stopped;
	const char *print, *encode, *machine;
	u8 machine_bytes[LAB_INPUT_MAX / 2];
	char *diff; /* the text of --diff */
};

static const struct opt fuzz_options[] = {
	[OPT_RUNS] = {"runs", "N",
		      "stop after so many runs, those of calls before included (0: never)"},
	[OPT_SECONDS] = {"seconds", "S", "stop behind the round in which S seconds are over"},
	[OPT_SEED] = {"seed", "N", "what programs are made of (1)"},
	[OPT_CORPUS] = {"corpus", "DIR", "start from what is there, keep what is new, go on later"},
	[OPT_OUT] = {"out", "DIR", "write findings there; without it they are printed"},
	[OPT_JOBS] = {"jobs", "N", "threads (1); results are the same for every number"},
	[OPT_DEFAULTS] = {"defaults", NULL, "only the default machine and policies"},
	[OPT_MACHINE] = {"machine", "FILE", "only the machine and policies of that scenario"},
	[OPT_EXHAUSTIVE] = {"exhaustive", "N",
			    "every program of up to N statements of a small alphabet"},
	[OPT_MERGE] = {"merge", NULL,
		       "take from directories DIR... what reaches something new, and end"},
	[OPT_FINDINGS] = {"findings", "N", "stop when so many different ones are found (0: never)"},
	[OPT_DIFF] =
		{"diff", "A,B",
		 "each program under two policies, KEY=VALUE+KEY=VALUE each: does the guest see the same?"},
	[OPT_KNOWN] = {"known", "DIR",
		       "do not tell what scenarios of DIR say of themselves: expect violation"},
	[OPT_BUDGET] = {"budget", "STEPS", "steps that one action may take (300000)"},
	[OPT_PRINT] = {"print", "FILE", "an input of a corpus as a scenario, and end"},
	[OPT_ENCODE] = {"encode", "FILE", "a scenario as an input, to standard output, and end"},
	{0},
};

static bool fuzz_set(void *arg, u32 i, const char *val);

static const struct opts fuzz_opts = {
	.command = "fuzz",
	.operands = "[DIR]...",
	.what = "Makes scenarios, runs them, keeps those that reach something new, and writes each rule that\n"
		"breaks as a short scenario. Without --runs or --seconds it goes on until it is interrupted.",
	.opt = fuzz_options,
	.more = "One finding a broken rule and place. docs/fuzzing.md is the guide.\n"
		"Exit status: 0 nothing was found; 2 bad input; 3 a defect of tdxsim; 4 an oracle broke;\n"
		"5 a deadlock.\n",
	.mmu = true,
	.set = fuzz_set,
};

static bool set_u32(u32 i, const char *val, u32 *to)
{
	u64 num;

	if (!opts_number(&fuzz_opts, i, val, &num))
		return false;
	if (num > 4096) {
		opts_error(&fuzz_opts, "--%s: found %s, expected at most 4096",
			   fuzz_options[i].name, val);
		return false;
	}
	*to = (u32)num;
	return true;
}

/* "A,B": two texts as compare's --policy, but several switches joined with '+': the comma is between the two. */
static bool set_diff(struct fuzz_ctx *c, const char *val)
{
	char *comma = strchr(val, ',');

	if (!comma || comma == val || !comma[1]) {
		opts_error(
			&fuzz_opts,
			"--diff: found \"%s\", expected two policies: v5,v3 (several switches of one with '+': KEY=VALUE+KEY=VALUE)",
			val);
		return false;
	}
	c->diff = strdup(val);
	if (!c->diff)
		return false;
	c->diff[comma - val] = 0;
	c->opts.diff_a = c->diff;
	c->opts.diff_b = c->diff + (comma - val) + 1;
	return true;
}

static bool fuzz_set(void *arg, u32 i, const char *val)
{
	struct fuzz_ctx *c = arg;

	switch (i) {
	case OPT_RUNS:
		return opts_number(&fuzz_opts, i, val, &c->opts.runs);
	case OPT_SECONDS:
		return opts_number(&fuzz_opts, i, val, &c->seconds);
	case OPT_SEED:
		return opts_number(&fuzz_opts, i, val, &c->opts.seed);
	case OPT_CORPUS:
		c->opts.corpus = val;
		return true;
	case OPT_OUT:
		c->opts.findings = val;
		return true;
	case OPT_JOBS:
		if (!set_u32(i, val, &c->opts.jobs))
			return false;
		if (!c->opts.jobs)
			opts_error(&fuzz_opts, "--jobs: found 0, expected 1 to 4096");
		return c->opts.jobs;
	case OPT_DEFAULTS:
		c->opts.defaults = true;
		return true;
	case OPT_MACHINE:
		c->machine = val;
		return true;
	case OPT_EXHAUSTIVE:
		if (!set_u32(i, val, &c->opts.exhaustive))
			return false;
		if (!c->opts.exhaustive)
			opts_error(&fuzz_opts, "--exhaustive: found 0, expected 1 or more");
		return c->opts.exhaustive;
	case OPT_MERGE:
		c->merge = true;
		return true;
	case OPT_FINDINGS:
		return set_u32(i, val, &c->opts.findings_max);
	case OPT_DIFF:
		return set_diff(c, val);
	case OPT_KNOWN:
		c->opts.known = val;
		return true;
	case OPT_BUDGET:
		return opts_number(&fuzz_opts, i, val, &c->opts.budget);
	case OPT_PRINT:
		c->print = val;
		return true;
	default:
		c->encode = val;
		return true;
	}
}

/* ---- a crash leaves the input that did it ---- */

static struct {
	char path[4096];
} at_end;

static _Thread_local struct {
	const u8 *bytes;
	u32 len;
} running;

static void note_running(void *ctx, u32 job, const u8 *bytes, u32 len)
{
	running.bytes = bytes;
	running.len = len;
}

static void say(const char *text)
{
	ssize_t n = write(STDERR_FILENO, text, strlen(text));

	(void)n;
}

static void on_crash(int sig)
{
	int fd = open(at_end.path, O_CREAT | O_WRONLY | O_TRUNC, 0666);
	bool written = fd >= 0 && running.bytes &&
		       write(fd, running.bytes, running.len) == (ssize_t)running.len;

	say("tdxsim fuzz: a run crashed; its input ");
	say(written ? "is " : "could not be written to ");
	say(at_end.path);
	say(written ? " (tdxsim fuzz --print shows it)\n" : "\n");
	_exit(3);
}

static void catch_signals(const struct fuzz_ctx *c)
{
	static const int crashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	struct sigaction crash = {.sa_handler = on_crash};
	static char stack[65536]; /* a fiber's own may be what overflowed */
	const stack_t alt = {.ss_sp = stack, .ss_size = sizeof(stack)};
	const char *dir = c->opts.findings ? c->opts.findings : ".";

	snprintf(at_end.path, sizeof(at_end.path), "%s/crash-input", dir);
	crash.sa_flags = SA_ONSTACK | (int)SA_RESETHAND;
	sigaltstack(&alt, NULL);
	for (u32 i = 0; i < RT_ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &crash, NULL);
	interrupt_catch();
}

/* ---- time and progress ---- */

static int new_timer(void)
{
	const struct itimerspec every = {{0, 1000000000 / TICKS_PER_SECOND},
					 {0, 1000000000 / TICKS_PER_SECOND}};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd >= 0 && timerfd_settime(fd, 0, &every, NULL)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void show_progress(const struct fuzz_ctx *c)
{
	u64 done = c->sum.runs - c->sum.before;

	fprintf(stderr,
		"\r%llu runs, %llu/s, %llus: %u inputs, %u places reached, %u findings, %u too long \033[K",
		c->sum.runs, c->ticks ? done * TICKS_PER_SECOND / c->ticks : done,
		c->ticks / TICKS_PER_SECOND, c->sum.inputs, c->sum.places, c->sum.findings,
		c->sum.slow);
}

static bool between(void *ctx)
{
	struct fuzz_ctx *c = ctx;
	u64 ticks = 0;

	if (read(c->timer, &ticks, sizeof(ticks)) == sizeof(ticks))
		c->ticks += ticks;
	if (ticks && isatty(STDERR_FILENO))
		show_progress(c);
	return interrupt_came(NULL) || (c->seconds && c->ticks >= c->seconds * TICKS_PER_SECOND);
}

/* ---- bytes to text and back ---- */

static int print_input(const char *path)
{
	struct lab_setup *su = calloc(1, sizeof(*su));
	u8 bytes[LAB_INPUT_MAX];
	struct lab_scenario sc;
	FILE *f = fopen(path, "rb");
	size_t len;
	int status;

	if (!f || !su) {
		free(su);
		return opts_error(&fuzz_opts, "%s: %s", path, strerror(errno));
	}
	len = fread(bytes, 1, sizeof(bytes), f);
	if (ferror(f)) {
		status = opts_error(&fuzz_opts, "%s: %s", path, strerror(errno));
		fclose(f);
		free(su);
		return status;
	}
	fclose(f);
	lab_scenario_init(&sc);
	lab_bytes_decode(bytes, len, &sc, su);
	lab_print(&sc, stdout);
	lab_scenario_free(&sc);
	free(su);
	return 0;
}

static int encode_scenario(const char *path)
{
	struct lab_diag d = {stderr, 0};
	struct lab_scenario sc;
	struct lab_source src;
	char *text = lab_source_read(path, &src, &d);
	u32 left_out = 0;
	size_t len;
	u8 *bytes;

	if (!text)
		return 2;
	lab_scenario_init(&sc);
	if (!lab_parse(&sc, &src, &d)) {
		bytes = lab_bytes_encode(&sc, &len, &left_out);
		fwrite(bytes, 1, len, stdout);
		free(bytes);
	}
	lab_scenario_free(&sc);
	free(text);
	if (left_out)
		fprintf(stderr, "%s: %u lines have no bytes (expectations have none)\n", path,
			left_out);
	return d.errors ? 2 : 0;
}

/* Set-up line @op as record @nr; what can't be is said to @d. */
static void add_machine_line(struct fuzz_ctx *c, const struct lab_scenario *sc,
			     const struct lab_op *op, const struct lab_source *src,
			     struct lab_diag *d)
{
	u8 rec[LAB_RECORD_BYTES];

	if (c->opts.machine_len + sizeof(rec) > sizeof(c->machine_bytes)) {
		lab_diag_at(d, src, op->line, 1, 1,
			    "found one more set-up line, expected at most %zu",
			    sizeof(c->machine_bytes) / sizeof(rec));
	} else if (!lab_record_write(sc, op, rec)) {
		lab_diag_at(d, src, op->line, 1, 1,
			    "found a value that has no byte form, expected one that a program of "
			    "the fuzzer can have (docs/fuzzing.md)");
	} else {
		memcpy(c->machine_bytes + c->opts.machine_len, rec, sizeof(rec));
		c->opts.machine_len += sizeof(rec);
	}
}

/* The set-up lines of a scenario as records; false with lines that say what is wrong. */
static bool read_machine(struct fuzz_ctx *c)
{
	struct lab_diag d = {stderr, 0};
	struct lab_setup *su = calloc(1, sizeof(*su));
	struct lab_scenario sc;
	struct lab_source src;
	char *text = su ? lab_source_read(c->machine, &src, &d) : NULL;

	lab_scenario_init(&sc);
	if (text && !lab_parse(&sc, &src, &d) && !lab_setup_resolve(&sc, su, &d)) {
		for (u32 i = 0; i < sc.nr_ops && !d.errors; i++) {
			if (lab_op_makes_machine(&sc.ops[i]))
				add_machine_line(c, &sc, &sc.ops[i], &src, &d);
		}
		c->opts.machine = c->machine_bytes;
	}
	lab_scenario_free(&sc);
	free(text);
	free(su);
	return text && !d.errors;
}

/* A directory at @path that can be written to, made or there already; false with errno. */
static bool make_dir(const char *path)
{
	struct stat st;

	if (!mkdir(path, 0777))
		return true;
	if (errno != EEXIST || stat(path, &st))
		return false;
	if (S_ISDIR(st.st_mode))
		return !access(path, W_OK | X_OK);
	errno = ENOTDIR;
	return false;
}

int cmd_fuzz(int argc, char **argv)
{
	struct fuzz_ctx c = {.opts = {.seed = 1, .out = stdout, .err = stderr}};
	int status, ret, i = opts_parse(&fuzz_opts, argc, argv, &c, &status);

	if (i < 0)
		return status;
	if (c.print && c.encode)
		return opts_error(&fuzz_opts, "found both, expected one of --print and --encode");
	if (c.print || c.encode)
		return c.print ? print_input(c.print) : encode_scenario(c.encode);
	if (c.machine && c.opts.defaults)
		return opts_error(&fuzz_opts,
				  "found both, expected one of --machine and --defaults");
	if (c.machine && !read_machine(&c))
		return 2;
	if (c.merge != (i < argc))
		return opts_error(&fuzz_opts,
				  c.merge ? "--merge: found no operand, expected DIR"
					  : "found \"%s\", expected no operand",
				  argv[i]);
	if (c.merge && !c.opts.corpus)
		return opts_error(&fuzz_opts, "--merge needs --corpus DIR, where it merges to");
	c.timer = new_timer();
	if (c.timer < 0)
		return opts_error(&fuzz_opts, "no timer: %s", strerror(errno));
	if (c.opts.findings && !make_dir(c.opts.findings))
		return opts_error(&fuzz_opts, "--out %s: %s", c.opts.findings, strerror(errno));
	catch_signals(&c);
	c.opts.merge = c.merge ? argv + i : NULL;
	c.opts.between = between;
	c.opts.running = note_running;
	c.opts.ctx = &c;
	ret = lab_fuzz(&c.opts, &c.sum);
	if (!ret && c.opts.runs && c.sum.before >= c.opts.runs)
		fprintf(stderr,
			"nothing to do: --corpus %s has %llu runs already (--runs counts them)\n",
			c.opts.corpus, c.sum.before);
	close(c.timer);
	free(c.diff);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (ret)
		return 2;
	printf("runs=%llu inputs=%u places=%u findings=%u too_long=%u\n", c.sum.runs, c.sum.inputs,
	       c.sum.places, c.sum.findings, c.sum.slow);
	return (int)c.sum.verdict;
}
