/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * WARN and BUG as x86 has them: an instruction that traps, and a table that says of what.
 */
#ifndef MINI_BUG_H
#define MINI_BUG_H

#include <linux/types.h>

#define CONFIG_GENERIC_BUG_RELATIVE_POINTERS 1
#define BUGFLAG_WARNING			     1

struct bug_entry {
	int bug_addr_disp, file_disp;
	unsigned short line, flags;
};

#define BUG_TRAP(is_warning)                              \
	asm volatile("1: ud2\n"                           \
		     ".pushsection __bug_table, \"aw\"\n" \
		     "2: .long 1b - .\n"                  \
		     "   .long %c0 - .\n"                 \
		     "   .word %c1, %c2\n"                \
		     ".popsection"                        \
		     :                                    \
		     : "i"(__FILE__), "i"(__LINE__), "i"(is_warning))

#define BUG()                            \
	do {                             \
		BUG_TRAP(0);             \
		__builtin_unreachable(); \
	} while (0)
#define WARN_ON_ONCE(cond)                         \
	({                                         \
		bool __warn = !!(cond);            \
		if (__builtin_expect(__warn, 0))   \
			BUG_TRAP(BUGFLAG_WARNING); \
		__warn;                            \
	})

#endif
