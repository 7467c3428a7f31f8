// SPDX-License-Identifier: GPL-2.0-only
/*
 * Marked accesses: the tree's code is compiled with -fsanitize=thread, and the compiler calls these
 * before each access. WRITE_ONCE() is a scheduling point as it is in the simulator's own dialect;
 * plain accesses are nothing. Reads are counted, since a loop of reads alone never meets a point.
 */
#include "kern.h"

#define READS_FOR_EVER (1U << 28)

/* No state: where it stands decides nothing but when a loop is taken for one. */
static unsigned int reads_without_point __attribute__((section("ktree_noise")));

static void marked_read(void)
{
	if (++reads_without_point == READS_FOR_EVER)
		ksim_livelock();
}

extern void ktree_point_atomic(const volatile void *p);

static void marked_write(void *p)
{
	reads_without_point = 0;
	ktree_point_atomic(p);
}

#define PLAIN(name)         \
	void name(void *p); \
	void name(void *p)  \
	{                   \
	}
#define MARKED_READ(name)      \
	void name(void *p);    \
	void name(void *p)     \
	{                      \
		marked_read(); \
	}
#define MARKED_WRITE(name)       \
	void name(void *p);      \
	void name(void *p)       \
	{                        \
		marked_write(p); \
	}
#define SIZES(what, op)                                                                     \
	what(__tsan_##op##1) what(__tsan_##op##2) what(__tsan_##op##4) what(__tsan_##op##8) \
		what(__tsan_##op##16)

SIZES(PLAIN, read)
SIZES(PLAIN, write)
SIZES(PLAIN, unaligned_read)
SIZES(PLAIN, unaligned_write)
SIZES(PLAIN, read_write)
SIZES(MARKED_READ, volatile_read)
SIZES(MARKED_WRITE, volatile_write)
SIZES(MARKED_READ, unaligned_volatile_read)
SIZES(MARKED_WRITE, unaligned_volatile_write)

void __tsan_read_range(void *p, size_t size);
void __tsan_read_range(void *p, size_t size)
{
}

void __tsan_write_range(void *p, size_t size);
void __tsan_write_range(void *p, size_t size)
{
}

void __tsan_init(void);
void __tsan_init(void)
{
}
