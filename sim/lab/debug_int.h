/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of the debugger: debug.c moves through the run, debug_move.c decides where a move stops,
 * debug_break.c knows breakpoints, debug_cmd.c commands, debug_info.c and debug_print.c what they
 * show.
 */
#ifndef LAB_DEBUG_INT_H
#define LAB_DEBUG_INT_H

#include "sim/lab/debug.h"
#include "sim/lab/play.h"

/* The scheduler's open question. */
struct lab_question {
	enum rt_choice_kind kind;
	u32 nr, cur;
	u32 *ids; /* of nr; the room is for all actors */
	const char *site;
	u64 key;
};

/* A place to go back to. */
struct lab_snapshot {
	u64 step;
	u32 last;
	struct lab_play_mark mark;
	struct lab_question question;
};
#define LAB_SNAPSHOTS 32

enum lab_break_kind {
	LAB_BREAK_LEAF,
	LAB_BREAK_STATUS,
	LAB_BREAK_LOCK,
	LAB_BREAK_GFN,
	LAB_BREAK_ORACLE,
	LAB_BREAK_ACTOR,
	LAB_BREAK_FAULT,
	LAB_BREAK_LINE,
	LAB_BREAK_STEP,
	LAB_BREAK_NR,
};
struct lab_breakpoint {
	u32 number;
	enum lab_break_kind kind;
	char text[80]; /* as written */
	char name[40]; /* lock, oracle, fault */
	u64 num;       /* leaf, status, gpa, line, step */
	bool guest;    /* the leaf is a TDCALL */
	u32 actor;     /* only of this one, RT_NOBODY: of any */
	u32 hits;
};
#define LAB_BREAKS 64

struct lab_debugger {
	const struct lab_scenario *sc;
	const struct lab_setup *su;
	FILE *out;
	struct lab_session *s;
	struct lab_play play;
	struct rt_chooser chooser;
	struct rt_schedule script; /* the choices of the run, as far as somebody has said any */
	u32 go;			   /* questions to answer before the next pause */
	enum lab_played told;	   /* how the last move ended; PAUSED: the question is open */
	struct lab_question question;
	u32 last;      /* actor that ran last, RT_NOBODY before the first */
	u64 seq;       /* of the trace, before the last step */
	u32 lines;     /* play.nr before the last step */
	u64 move_seq;  /* of the trace, before the last command that moved */
	u32 nr_broken; /* rules that had broken before the last step */
	struct lab_snapshot *snap;
	u32 nr_snaps;
	u64 interval; /* steps between them */
	struct lab_breakpoint brk[LAB_BREAKS];
	u32 nr_brks, next_number;
	char again[200]; /* command that an empty line repeats */
};

/* ---- debug.c ---- */

/* One step, or what comes in its place behind a failed expectation. False: the run is over. */
bool lab_debug_step(struct lab_debugger *d);
/* To the place at @step, or as near to it as the run comes; backward or forward. */
void lab_debug_goto(struct lab_debugger *d, u64 step);
/* Nothing can be done but go back. */
bool lab_debug_over(const struct lab_debugger *d);
/* The answer that the open question will get: an actor's id, RT_FAULT_NO or RT_FAULT_FIRES. */
u32 lab_debug_next(const struct lab_debugger *d);
/* Give another answer to the open question; what the script said for later is forgotten. */
void lab_debug_choose(struct lab_debugger *d, u32 id);

/* ---- debug_move.c ---- */

enum lab_move {
	LAB_MOVE_POINT,	   /* scheduling point */
	LAB_MOVE_CALL,	   /* a call is about to begin, or has just ended */
	LAB_MOVE_OVER,	   /* over a call of the actor that ran last */
	LAB_MOVE_FINISH,   /* its action ends; backward: it begins */
	LAB_MOVE_SWITCH,   /* another actor is about to go on */
	LAB_MOVE_LINE,	   /* another line of the scenario */
	LAB_MOVE_CONTINUE, /* a breakpoint */
};
/* @times such moves, and what there is to say about the place. */
void lab_debug_move(struct lab_debugger *d, enum lab_move move, bool back, u64 times);

/* ---- debug_break.c ---- */

/* The arguments of "break". False: a line said what is wrong with them. */
bool lab_break_add(struct lab_debugger *d, const char *args);
bool lab_break_delete(struct lab_debugger *d, const char *args);
void lab_break_list(const struct lab_debugger *d);
/* The first breakpoint that the last step hit; NULL: none. */
struct lab_breakpoint *lab_break_hit(struct lab_debugger *d);

/* ---- debug_info.c, debug_print.c ---- */

bool lab_debug_info(struct lab_debugger *d, const char *args);
bool lab_debug_print(struct lab_debugger *d, const char *args);
void lab_debug_list(struct lab_debugger *d);
void lab_debug_backtrace(struct lab_debugger *d);
/* The last @max events from sequence number @from on. */
void lab_debug_events(struct lab_debugger *d, u64 from, u32 max);

/* ---- all ---- */

/* The next word of *@args into @buf, which moves behind it; false: there is none. */
bool lab_debug_word(const char **args, char *buf, size_t len);
/* A number, decimal or 0x hex; false: it is none. */
bool lab_debug_number(const char *word, u64 *num);
/* An address as the scenario language spells it, and its TD; false: a line said why not. */
bool lab_debug_address(struct lab_debugger *d, const char *word, u64 *gpa, u32 *td);
struct lab_actor *lab_debug_actor(struct lab_debugger *d, const char *name);
__attribute__((format(printf, 2, 3))) bool lab_debug_wrong(struct lab_debugger *d, const char *fmt,
							   ...);

#endif
