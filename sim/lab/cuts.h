/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A schedule as cuts: the answers of the scheduler that differ from "in order", each named by where
 * the actor stood that had run last, in steps of its own. So a cut keeps its meaning when another
 * one is taken out or moved, which (step, actor) does not. Playing a run by cuts, and writing down
 * which it made; what to try next is minimise.c.
 *
 * Invariants:
 *  - (line, last, local) is passed at most once in a run, so a cut happens at most once.
 *  - A list that a player wrote is in the order of the run; lists to be played are sorted.
 */
#ifndef LAB_CUTS_H
#define LAB_CUTS_H

#include "sim/rt/sched.h"

struct lab_cut {
	u32 line;  /* of the cursor (struct lab_play): nr */
	u32 last;  /* actor that ran last, RT_NOBODY before the first */
	u64 local; /* steps that it has made in this line */
	u32 to;	   /* actor that goes on, or RT_FAULT_FIRES */
	bool free; /* written down: it could not go on, or had not begun */
};

struct lab_cuts {
	struct lab_cut *cut;
	u32 nr, cap;
};

/* Fewer preemptions are worth more than fewer faults, those more than fewer cuts, then steps. */
struct lab_cost {
	u32 preemptions; /* an actor that had begun and could go on did not */
	u32 faults;	 /* that may fire and did */
	u32 cuts;	 /* all answers that differ from "in order" */
	u64 steps;	 /* until it broke */
};
/* Below 0: @a is the smaller. */
int lab_cost_compare(const struct lab_cost *a, const struct lab_cost *b);

struct lab_cut_player {
	const struct lab_cuts *play;  /* sorted; NULL: none */
	struct rt_schedule *schedule; /* played instead; NULL: none */
	const u32 *line;	      /* where the line's number is */
	struct lab_cuts taken;	      /* that happened */
	struct lab_cuts chances;      /* answers that could have been given: each is a cut */
	struct lab_cost cost;	      /* of those taken; steps is the caller's */
	u32 at_line, last;
	u32 nr_actors;
	u64 *local; /* [nr_actors + 1], of RT_NOBODY the last */
};

void lab_cut_player_init(struct lab_cut_player *p, u32 nr_actors, const u32 *line);
void lab_cut_player_free(struct lab_cut_player *p);
/* Nothing is taken yet; for a run that begins where @last ran last. */
void lab_cut_player_rewind(struct lab_cut_player *p, u32 last);
struct rt_chooser lab_cut_chooser(struct lab_cut_player *p);

void lab_cuts_add(struct lab_cuts *c, const struct lab_cut *cut);
void lab_cuts_copy(struct lab_cuts *to, const struct lab_cuts *from);
void lab_cuts_sort(struct lab_cuts *c);
void lab_cuts_free(struct lab_cuts *c);

#endif
