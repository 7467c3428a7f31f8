// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tree's code says: WARN, BUG, refcounts, lines of the log. Which instruction belongs to
 * which WARN stands in the table that the tree's own macros have filled.
 */
#include "kern.h"

#include <linux/bug.h>
#include <linux/ratelimit.h>

extern int snprintf(char *buf, size_t len, const char *fmt, ...);
extern int vsnprintf(char *buf, size_t len, const char *fmt, va_list ap);

extern struct bug_entry __start___bug_table[], __stop___bug_table[];

#define LINE_MAX 256
/* The line that goes with the WARN behind it, as the older form of WARN has it. */
static char said[LINE_MAX];

/* A WARN that is told at the next point, or with the line for the log that may follow it. */
static struct ktree_bug pending;
static char pending_text[LINE_MAX];
static unsigned int pending_by;

static void tell_pending(const char *log)
{
	const char *rule = "warn";

	if (!pending.file)
		return;
	/* The rule that the simulator's own code has for a SEAMCALL that failed where it must not. */
	if (strstr(log, "SEAMCALL"))
		rule = "tdx-bug";
	ksim_report(rule, pending.file, pending.line, *log ? log : pending.text);
	memset(&pending, 0, sizeof(pending));
	memset(pending_text, 0, sizeof(pending_text));
	pending_by = 0;
}

void ktree_tell_warning(void)
{
	if (pending.file && pending_by == ksim_actor())
		tell_pending("");
}

static unsigned long bug_ip(const struct bug_entry *b)
{
#ifdef CONFIG_GENERIC_BUG_RELATIVE_POINTERS
	return (unsigned long)&b->bug_addr_disp + b->bug_addr_disp;
#else
	return b->bug_addr;
#endif
}

static const char *bug_file(const struct bug_entry *b)
{
#ifdef CONFIG_GENERIC_BUG_RELATIVE_POINTERS
	return (const char *)&b->file_disp + b->file_disp;
#else
	return b->file;
#endif
}

static const char *bug_format(const struct bug_entry *b)
{
#ifdef HAVE_ARCH_BUG_FORMAT
	return (const char *)&b->format_disp + b->format_disp;
#else
	return "";
#endif
}

static void tell(const struct bug_entry *b, struct ktree_bug *bug)
{
	bug->file = bug_file(b);
	bug->line = b->line;
	bug->warning = b->flags & BUGFLAG_WARNING;
	bug->text = said[0] ? said : bug_format(b);
}

static void warned(const struct ktree_bug *bug)
{
	tell_pending("");
	pending_by = ksim_actor();
	pending = *bug;
	snprintf(pending_text, sizeof(pending_text), "%s", bug->text);
	pending.text = pending_text;
	memset(said, 0, sizeof(said));
}

bool ktree_heard(unsigned long ip, struct ktree_bug *bug)
{
	const struct bug_entry *b;

	for (b = __start___bug_table; b < __stop___bug_table; b++) {
		if (bug_ip(b) != ip)
			continue;
		tell(b, bug);
		if (bug->warning)
			warned(bug);
		return true;
	}
	return false;
}

void __warn_printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

#ifdef HAVE_WARN_TRAP
/* The newer form of WARN with text: a call with the entry and the text's arguments. */
void ktree_warn_trap(const struct bug_entry *b, ...) asm("__SCT__WARN_trap");
void ktree_warn_trap(const struct bug_entry *b, ...)
{
	struct ktree_bug bug;
	va_list ap;

	va_start(ap, b);
	vsnprintf(said, sizeof(said), bug_format(b), ap);
	va_end(ap);
	tell(b, &bug);
	warned(&bug);
}
#endif

int _printk(const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list ap;
	int n;

	/* The level is in front of the text: a byte 1 and a letter. */
	if (fmt[0] == 1 && fmt[1])
		fmt += 2;
	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	line[strcspn(line, "\n")] = 0;
	tell_pending(line);
	return n;
}

/* Nobody floods anything here: each line is said. */
int ___ratelimit(struct ratelimit_state *rs, const char *func)
{
	return 1;
}

void refcount_warn_saturate(refcount_t *r, enum refcount_saturation_type t)
{
	refcount_set(r, REFCOUNT_SATURATED);
	ktree_tell_warning();
	ksim_report("refcount", "refcount", t,
		    "saturated: a reference was taken or dropped of none");
}
