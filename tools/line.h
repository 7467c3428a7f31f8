/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines of commands: from a terminal with editing and history (libedit, where it was built in), else
 * read as they come. What they mean is the caller's.
 */
#ifndef TOOLS_LINE_H
#define TOOLS_LINE_H

#include <stdbool.h>

struct line_reader;

/* @prompt: shown on a terminal; a script's lines are echoed behind it, so that its log reads well. */
struct line_reader *line_open(const char *prompt);
void line_close(struct line_reader *r);
/* The next line without its newline, valid until the next call; NULL at the end. */
const char *line_next(struct line_reader *r);
/* Whether somebody types: nothing is repeated, counted or ended because of a mistake. */
bool line_typed(const struct line_reader *r);

#endif
