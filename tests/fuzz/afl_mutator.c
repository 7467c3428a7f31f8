// SPDX-License-Identifier: GPL-2.0-only
/*
 * AFL++'s custom mutator for fuzz-scenario: the mutations of sim/lab/mutate.h, with the input that
 * AFL++ offers for splicing as the other one. A library that afl-fuzz loads.
 */
#include <stdint.h>
#include <stdlib.h>

#include "sim/lab/bytes.h"
#include "sim/lab/fuzz.h"
#include "sim/lab/mutate.h"

struct mutator {
	struct lab_choices src;
	uint8_t out[LAB_INPUT_MAX];
};

/* AFL++ calls these; it has no header of its own for them. */
void *afl_custom_init(void *afl, unsigned int seed);
size_t afl_custom_fuzz(void *data, uint8_t *in, size_t len, uint8_t **out, uint8_t *other,
		       size_t other_len, size_t max);
void afl_custom_deinit(void *data);

void *afl_custom_init(void *afl, unsigned int seed)
{
	struct mutator *m = malloc(sizeof(*m));

	if (m)
		lab_choices_random(&m->src, seed);
	return m;
}

size_t afl_custom_fuzz(void *data, uint8_t *in, size_t len, uint8_t **out, uint8_t *other,
		       size_t other_len, size_t max)
{
	struct mutator *m = data;
	size_t room = max < sizeof(m->out) ? max : sizeof(m->out);

	len = len < room ? len : room;
	len -= len % LAB_RECORD_BYTES;
	other_len -= other_len % LAB_RECORD_BYTES;
	*out = m->out;
	if (!len)
		return lab_generate(&m->src, m->out, room);
	for (size_t i = 0; i < len; i++)
		m->out[i] = in[i];
	return lab_mutate(&m->src, m->out, len, room, other, other ? other_len : 0);
}

void afl_custom_deinit(void *data)
{
	free(data);
}
