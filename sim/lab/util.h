/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small helpers of the lab: memory that belongs to no world (parse trees, scratch lists of checks),
 * and strings as JSON. Such memory is jemalloc's; running out of it ends the process, since no
 * simulated failure can come from here.
 */
#ifndef LAB_UTIL_H
#define LAB_UTIL_H

#include <stdio.h>

#include "sim/rt/types.h"

/* @p with room for at least @need elements of @size bytes; *@cap is the room. Never NULL. */
void *lab_grow(void *p, u32 *cap, u32 need, size_t size);
void *lab_zalloc(size_t size);
char *lab_strdup(const char *s);
/* Each line of @text (NULL: none) with @before in front. */
void lab_put_lines(FILE *out, const char *before, const char *text);
/* @s as a JSON string, with its quotes. */
void lab_put_json(FILE *out, const char *s);

#endif
