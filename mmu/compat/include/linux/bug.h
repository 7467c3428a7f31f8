/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * WARN and BUG: a report to the world's hook instead of a line in the log. Rules are "warn" and
 * "bug"; the text is file, line and the condition. KVM_BUG_ON is in <linux/kvm_host.h>. "Once" is
 * left to who listens (the first report of a run wins), so that a restored world warns again.
 */
#ifndef _LINUX_BUG_H
#define _LINUX_BUG_H

#include <linux/compiler.h>

/* A report of @rule about @who (a VM's name) at that line. */
void compat_report(const char *rule, const char *who, const char *file, int line, const char *what);
void compat_warn(const char *file, int line, const char *what);
__noreturn void compat_bug(const char *file, int line, const char *what);

#define WARN_ON(cond)                                           \
	({                                                      \
		bool __warn = !!(cond);                         \
		if (unlikely(__warn))                           \
			compat_warn(__FILE__, __LINE__, #cond); \
		unlikely(__warn);                               \
	})
#define WARN_ON_ONCE(cond) WARN_ON(cond)
#define WARN_ONCE(cond, fmt, ...)                             \
	({                                                    \
		bool __warn = !!(cond);                       \
		if (unlikely(__warn))                         \
			compat_warn(__FILE__, __LINE__, fmt); \
		unlikely(__warn);                             \
	})
#define BUG() compat_bug(__FILE__, __LINE__, "BUG")
#define BUG_ON(cond)                                           \
	do {                                                   \
		if (unlikely(cond))                            \
			compat_bug(__FILE__, __LINE__, #cond); \
	} while (0)
#define VM_BUG_ON(cond) BUG_ON(cond)

#endif
