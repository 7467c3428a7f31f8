// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading commands, with libedit if there is one and a terminal to use it on.
 */
#include "tools/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LIBEDIT
#include <histedit.h>
#endif

struct line_reader {
	const char *prompt;
	bool typed;
	char *text; /* of getline() */
	size_t room;
#ifdef HAVE_LIBEDIT
	EditLine *edit; /* NULL: a script, or no libedit for this terminal */
	History *history;
#endif
};

#ifdef HAVE_LIBEDIT
static char *edit_prompt(EditLine *edit)
{
	struct line_reader *r;

	el_get(edit, EL_CLIENTDATA, &r);
	return (char *)r->prompt;
}

static void edit_open(struct line_reader *r)
{
	HistEvent ev;

	r->edit = el_init("tdxsim", stdin, stdout, stderr);
	if (!r->edit)
		return;
	el_set(r->edit, EL_CLIENTDATA, r);
	el_set(r->edit, EL_PROMPT, edit_prompt);
	el_set(r->edit, EL_EDITOR, "emacs");
	r->history = history_init();
	history(r->history, &ev, H_SETSIZE, 200);
	el_set(r->edit, EL_HIST, history, r->history);
	el_source(r->edit, NULL);
}

static const char *edit_next(struct line_reader *r)
{
	const char *line;
	HistEvent ev;
	int n;

	line = el_gets(r->edit, &n);
	if (!line || n <= 0)
		return NULL;
	if (*line != '\n')
		history(r->history, &ev, H_ENTER, line);
	free(r->text);
	r->text = strdup(line);
	return r->text;
}

static void edit_close(struct line_reader *r)
{
	if (!r->edit)
		return;
	history_end(r->history);
	el_end(r->edit);
}
#endif

struct line_reader *line_open(const char *prompt)
{
	struct line_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->prompt = prompt;
	r->typed = isatty(STDIN_FILENO);
#ifdef HAVE_LIBEDIT
	if (r->typed)
		edit_open(r);
#endif
	return r;
}

void line_close(struct line_reader *r)
{
	if (!r)
		return;
#ifdef HAVE_LIBEDIT
	edit_close(r);
#endif
	free(r->text);
	free(r);
}

static const char *plain_next(struct line_reader *r)
{
	if (r->typed) {
		fputs(r->prompt, stdout);
		fflush(stdout);
	}
	if (getline(&r->text, &r->room, stdin) < 0)
		return NULL;
	return r->text;
}

const char *line_next(struct line_reader *r)
{
	const char *line;

#ifdef HAVE_LIBEDIT
	line = r->edit ? edit_next(r) : plain_next(r);
#else
	line = plain_next(r);
#endif
	if (!line)
		return NULL;
	r->text[strcspn(r->text, "\r\n")] = 0;
	if (!r->typed)
		printf("%s%s\n", r->prompt, r->text);
	return r->text;
}

bool line_typed(const struct line_reader *r)
{
	return r->typed;
}
