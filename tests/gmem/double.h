/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A KVM of a few hundred lines under guest_memfd: it keeps private leaves of one slot, records
 * every call with what gmem looked like at that moment, and can be told to fail. Its host has a
 * page allocator that reuses freed blocks first.
 */
#ifndef TESTS_GMEM_DOUBLE_H
#define TESTS_GMEM_DOUBLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/kvm_host.h>

#include "gmem/gmem.h"
#include "sim/rt/fault.h"
#include "sim/rt/sched.h"
#include "sim/rt/world.h"

#define BASE_GFN 0x80000ULL /* 2 GiB: aligned to 1G */
#define P2M	 512ULL
#define P1G	 262144ULL
#define KB4	 4096ULL
#define MB2	 (2ULL << 20)
#define GB1	 (1ULL << 30)
#define PRIVATE	 KVM_MEMORY_ATTRIBUTE_PRIVATE

struct leaf {
	u64 gfn;
	u64 pfn;
	u8 level;
};

/* Root 2 of the world while a test runs. */
struct fake {
	struct kvm kvm;
	struct kvm_memory_slot slot;
	struct kvm_gmem_file *file;
	bool vm_attrs;
	int refs;    /* kvm_get_kvm() minus kvm_put_kvm() */
	char *log;   /* calls since log_reset(), separated by blanks */
	u64 probe;   /* index whose folio order and attribute each call records */
	u64 overzap; /* pages zapped outside the range asked for */
	u64 removals, demotes;
	struct leaf *leaves; /* private ones */
	u32 nr_leaves, cap_leaves;
	u64 host_total, host_used, host_next;
	struct {
		u64 pfn;
		u32 order;
	} freed[256];
	u32 nr_freed;
	bool warn_ok; /* the next warnings are wanted */
	u32 warns;
	bool blocked;	/* leaves, between block and zap or unblock */
	bool zap_fails; /* the module keeps the next leaf that is zapped */
};

struct fake *fake(void);

/*
 * A world with one VM; open_file() makes its one file, bound to one slot over all of it. Policy by
 * profile name or NULL.
 */
int fixture_new(void **state);
int fixture_in(struct rt_world *w, void **state); /* the same in a world with options of its own */
int fixture_free(void **state);			  /* also checks that everything went back */
void open_file(u64 size, enum gmem_backing backing, const char *profile);
void open_file_with(const struct gmem_setup *setup);
struct gmem_setup setup_of(u64 size, enum gmem_backing backing, const char *profile);
/* setup->policy[KEY] = VALUE, both by name. */
void set_policy(struct gmem_setup *setup, const char *key, const char *value);
void close_file(void);

/*
 * As a vCPU's fault would: get the page at @index and install a leaf of the largest size that is
 * allowed up to @max_level.
 */
int fault_in(u64 index, u8 max_level);
/* A leaf of that order over the page, unless there is one. */
void add_leaf_over(u64 index, u64 pfn, int order);
u8 leaf_level(u64 index); /* of the private leaf there, 0: none */
u64 mapped_pages(void);

void log_reset(u64 probe);
const char *log_text(void);
int convert(u64 index, u64 nr, u64 attr, u64 *err_index);
int to_shared(u64 index, u64 nr);
int to_private(u64 index, u64 nr);
void arm(const char *site, u64 nth);
struct gmem_folio_view folio_view(u64 index);

#endif
