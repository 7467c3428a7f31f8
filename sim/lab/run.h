/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running a scenario from beginning to end: actions, expectations, oracles, and the report.
 * One machine and its blocks are session.h; how a report looks is report_*.c.
 */
#ifndef LAB_RUN_H
#define LAB_RUN_H

#include "sim/lab/search.h"
#include "sim/lab/session.h"

/* Exit status of a run; of several the worst wins, see lab_worse(). */
enum lab_verdict {
	LAB_HELD = 0,	     /* everything held */
	LAB_FAILED = 1,	     /* an expectation did not */
	LAB_BAD_INPUT = 2,   /* the scenario or the command line */
	LAB_DEFECT = 3,	     /* of tdxsim itself */
	LAB_VIOLATED = 4,    /* an oracle broke */
	LAB_NO_PROGRESS = 5, /* deadlock or livelock */
	LAB_SKIPPED = 77,    /* not run: the kernel tree can't do what it sets up */
};

enum lab_format {
	LAB_TEXT,
	LAB_TAP,
	LAB_JSON,
	LAB_TABLES,
};
enum lab_trace_format {
	LAB_TRACE_TEXT,
	LAB_TRACE_JSON,
	LAB_TRACE_FTRACE
};

struct lab_run_opts {
	struct lab_opts session;
	const char *schedule_path;
	const char *const *set; /* --set, NULL ends; NULL: none */
	enum lab_format format;
	bool narrate, lanes, colour;
	struct lab_search_opts search; /* runs 0: only the one run */
	bool minimise;		       /* what breaks, before it is reported */
	const char *trace_path;	       /* NULL: no trace is written */
	enum lab_trace_format trace_format;
	const char *replay_path; /* where a broken run is written; NULL: NAME.replay here */
	FILE *out, *err;
};

/* What a report is made of; pointers are valid during the call that gets it. */
struct lab_run {
	const char *path;
	const struct lab_run_opts *opts;
	struct lab_scenario sc;
	struct lab_setup su;
	struct lab_session *s;
	u32 file_nr; /* from 1, in this invocation */
	u32 nr_actions, nr_expects, nr_failed;
	u32 left_out;		 /* choices of the schedule, of actors that are not there */
	u32 expected_violations; /* lines; met is kept by the rule's name */
	enum lab_verdict verdict;
	char *found;	      /* what a search has to say, lines; NULL: there was none */
	bool began;	      /* the report has: the input was good */
	bool in_tree;	      /* a kernel tree's code was entered */
	FILE *trace;	      /* of --trace, NULL: none */
	const char *replay;   /* file that was written, NULL: none */
	u32 events_shown;     /* index + 1 of the action whose events were printed already */
	char *before, *after; /* drawings of the S-EPT around the last conversion (narrate) */
};

/* Of the files of one invocation; @tree: of those that held, how many entered a kernel tree's code. */
struct lab_total {
	u32 files, held, skipped, tree;
};

/* A report in one format; each function writes to run->opts->out. */
struct lab_report {
	void (*begin)(struct lab_run *run);
	void (*action)(struct lab_run *run, u32 op);
	void (*failed)(struct lab_run *run, u32 op, u32 action, const char *seen);
	void (*end)(struct lab_run *run);
	/* NULL, or: the file could not be run; why is on opts->err. */
	void (*refused)(const struct lab_run_opts *opts, const char *path, u32 file_nr);
	/* The file was not run, for a reason that is no fault of it. */
	void (*skipped)(const struct lab_run *run, const char *why);
	/* Behind the last file. */
	void (*total)(const struct lab_run_opts *opts, const struct lab_total *n);
};
extern const struct lab_report lab_report_text, lab_report_tap, lab_report_json, lab_report_record;

enum lab_verdict lab_worse(enum lab_verdict a, enum lab_verdict b);
/* One file: read, parse, run, report. */
enum lab_verdict lab_run_file(const char *path, u32 file_nr, const struct lab_run_opts *opts);
/* Several, with a line of totals if there is more than one. */
enum lab_verdict lab_run_files(char *const *path, u32 nr, const struct lab_run_opts *opts);

/*
 * lab_run_search - what opts->search and opts->minimise ask for, before the run that is reported.
 * @o: what that run is to be made with; @sched: what it is to play, if it is a schedule. What was
 * found is in run->found. False, with a sentence in @err, if no session can be made.
 */
bool lab_run_search(struct lab_run *run, struct lab_opts *o, struct rt_schedule *sched, char *err,
		    size_t len);

/*
 * Narration (narrate.c): what happened since the last block began, and the S-EPT as a drawing
 * (caller frees).
 */
void lab_narrate(struct lab_run *run, FILE *out);
char *lab_draw_sept(struct lab_session *s, u32 td, u64 gpa, u64 size);
/* The last events of the block as raw trace lines, at most @max, each with @indent in front. */
void lab_print_events(struct lab_session *s, FILE *out, u32 max, const char *indent);

#endif
