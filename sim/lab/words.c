// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vocabularies: fixed lists, and wrappers around the tables of other floors (tdx/abi.h,
 * mmu/policy.h, gmem/gmem.h). Nothing here knows the grammar.
 */
#include "sim/lab/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gmem/gmem.h"
#include "mmu/kvm_vm.h"
#include "sim/lab/ops.h"
#include "tdx/abi.h"
#include "tdx/features.h"
#include "tdx/inspect.h"

const char *const lab_words_backing[] = {"4k", "thp-2m", "hugetlb-2m", "hugetlb-1g", NULL};
const char *const lab_words_build[] = {"all", "vm", "memory", "vcpus", "regions", "finalize", NULL};
const char *const lab_words_uaddr[] = {"aligned", "unaligned", NULL};
const char *const lab_words_attr[] = {"shared", "private", NULL};
const char *const lab_words_level[] = {"4K", "2M", "1G", NULL};
const char *const lab_words_level_2m[] = {"4K", "2M", NULL};
const char *const lab_words_level_huge[] = {"2M", "1G", NULL};
const char *const lab_words_irq[] = {"intr", "nmi", "smi", NULL};
const char *const lab_words_site[] = {
	"sp-alloc",	 "spt-alloc",	  "external-spt-alloc", "pamt-alloc",	  "attr-alloc",
	"filemap-alloc", "vmemmap-alloc", "folio-alloc",	"metadata-alloc", NULL};
const char *const lab_words_ref[] = {"transient", "pin", "lru", NULL};
const char *const lab_words_exit[] = {
	"memory-fault", "shutdown", "internal-error", "hypercall", "intr", "unknown", NULL};
const u32 lab_exit_reason[] = {KVM_EXIT_MEMORY_FAULT, KVM_EXIT_SHUTDOWN, KVM_EXIT_INTERNAL_ERROR,
			       KVM_EXIT_HYPERCALL,    KVM_EXIT_INTR,	 KVM_EXIT_UNKNOWN};
const char *const lab_words_state[] = {"mapped", "pending", "blocked", "pending_blocked", NULL};
const u8 lab_state_number[] = {SEAM_SEPT_MAPPED, SEAM_SEPT_PENDING, SEAM_SEPT_BLOCKED,
			       SEAM_SEPT_PENDING_BLOCKED};
const char *const lab_words_cmp[] = {"==", "!=", "<", "<=", ">", ">=", NULL};
const char *const lab_words_chooser[] = {"order", "random", NULL};
const char *const lab_words_vm[] = {"alive", "bugged", NULL};
const char *const lab_words_reg[] = {"rax", "rcx", "rdx", "rbx", "rbp", "rsi", "rdi", "r8",
				     "r9",  "r10", "r11", "r12", "r13", "r14", "r15", NULL};

int lab_word_find(const char *const *words, const char *word, size_t len)
{
	for (int i = 0; words[i]; i++) {
		if (strlen(words[i]) == len && !memcmp(words[i], word, len))
			return i;
	}
	return -1;
}

static const struct {
	u32 number;
	const char *name;
} lab_leaves[] =
	{
#define SEAM_X(nr, id, fn, name) {nr, name},
		SEAM_TDH_LEAVES(SEAM_X)
#undef SEAM_X
#define SEAM_X(nr, id, name) {nr, name},
			SEAM_TDH_FOREIGN(SEAM_X)
#undef SEAM_X
},
  lab_tdcalls[] = {
#define SEAM_X(nr, id, fn, name) {nr, name},
	  SEAM_TDG_LEAVES(SEAM_X)
#undef SEAM_X
};

static const struct {
	u64 status;
	const char *name;
} lab_statuses[] = {
#define SEAM_X(id, hi) {(u64)(hi##ULL) << 32, #id},
	SEAM_STATUS_CODES(SEAM_X)
#undef SEAM_X
};

/* The errnos that a call of this machine can return. */
static const struct {
	int number;
	const char *name;
} lab_errnos[] = {
	{EPERM, "EPERM"},
	{ENOENT, "ENOENT"},
	{EINTR, "EINTR"},
	{EIO, "EIO"},
	{E2BIG, "E2BIG"},
	{EBADF, "EBADF"},
	{EAGAIN, "EAGAIN"},
	{ENOMEM, "ENOMEM"},
	{EACCES, "EACCES"},
	{EFAULT, "EFAULT"},
	{EBUSY, "EBUSY"},
	{EEXIST, "EEXIST"},
	{ENODEV, "ENODEV"},
	{EINVAL, "EINVAL"},
	{ENOTTY, "ENOTTY"},
	{EFBIG, "EFBIG"},
	{ENOSPC, "ENOSPC"},
	{ENOSYS, "ENOSYS"},
	{ENXIO, "ENXIO"},
	{EOPNOTSUPP, "EOPNOTSUPP"},
	{EHWPOISON, "EHWPOISON"},
	/* not an errno, but how a refused access of the VMM ends */
	{LAB_SIGBUS, "SIGBUS"},
};

const char *lab_leaf_at(u32 i, u32 *number)
{
	if (i >= RT_ARRAY_SIZE(lab_leaves))
		return NULL;
	if (number)
		*number = lab_leaves[i].number;
	return lab_leaves[i].name;
}

const char *lab_tdcall_at(u32 i, u32 *number)
{
	if (i >= RT_ARRAY_SIZE(lab_tdcalls))
		return NULL;
	if (number)
		*number = lab_tdcalls[i].number;
	return lab_tdcalls[i].name;
}

const char *lab_status_at(u32 i, u64 *status)
{
	if (i >= RT_ARRAY_SIZE(lab_statuses))
		return NULL;
	if (status)
		*status = lab_statuses[i].status;
	return lab_statuses[i].name;
}

const char *lab_errno_at(u32 i, int *number)
{
	if (i >= RT_ARRAY_SIZE(lab_errnos))
		return NULL;
	if (number)
		*number = lab_errnos[i].number;
	return lab_errnos[i].name;
}

const char *lab_profile_at(u32 i)
{
	return seam_profile_name(i);
}

const char *lab_leaf_name(u32 number, char *buf, size_t len)
{
	u32 nr;

	for (u32 i = 0; lab_leaf_at(i, &nr); i++) {
		if (nr == number)
			return lab_leaves[i].name;
	}
	snprintf(buf, len, "TDH.%u", number);
	return buf;
}

const char *lab_tdcall_name(u32 number, char *buf, size_t len)
{
	u32 nr;

	for (u32 i = 0; lab_tdcall_at(i, &nr); i++) {
		if (nr == number)
			return lab_tdcalls[i].name;
	}
	snprintf(buf, len, "TDG.%u", number);
	return buf;
}

const char *lab_errno_name(int err, char *buf, size_t len)
{
	for (u32 i = 0; i < RT_ARRAY_SIZE(lab_errnos); i++) {
		if (lab_errnos[i].number == err)
			return lab_errnos[i].name;
	}
	snprintf(buf, len, "errno %d", err);
	return buf;
}

const char *lab_status_name(u64 status, char *buf, size_t len)
{
	for (u32 i = 0; i < RT_ARRAY_SIZE(lab_statuses); i++) {
		if (lab_statuses[i].status == seam_status(status))
			return lab_statuses[i].name;
	}
	snprintf(buf, len, "0x%016llx", status);
	return buf;
}

const char *lab_status_text(u64 status, char *buf, size_t len)
{
	char hex[24];
	const char *name = lab_status_name(status, hex, sizeof(hex));
	u32 details = (u32)status;

	/*
	 * Only these say which operand it was; elsewhere details are a level, a state or an exit
	 * reason (1.4).
	 */
	if (details && seam_operand_name(details))
		snprintf(buf, len, "%s|%s", name, seam_operand_name(details));
	else if (details)
		snprintf(buf, len, "%s|%u", name, details);
	else
		snprintf(buf, len, "%s", name);
	return buf;
}

static bool same_word(const char *name, const char *s, size_t len)
{
	return strlen(name) == len && !memcmp(name, s, len);
}

bool lab_leaf_find(const char *s, size_t len, u32 *number)
{
	for (u32 i = 0; i < RT_ARRAY_SIZE(lab_leaves); i++) {
		if (same_word(lab_leaves[i].name, s, len)) {
			*number = lab_leaves[i].number;
			return true;
		}
	}
	return false;
}

bool lab_tdcall_find(const char *s, size_t len, u32 *number)
{
	for (u32 i = 0; i < RT_ARRAY_SIZE(lab_tdcalls); i++) {
		if (same_word(lab_tdcalls[i].name, s, len)) {
			*number = lab_tdcalls[i].number;
			return true;
		}
	}
	return false;
}

bool lab_status_find(const char *s, size_t len, u64 *status)
{
	if (len > 4 && !memcmp(s, "TDX_", 4)) {
		s += 4;
		len -= 4;
	}
	for (u32 i = 0; i < RT_ARRAY_SIZE(lab_statuses); i++) {
		if (same_word(lab_statuses[i].name, s, len)) {
			*status = lab_statuses[i].status;
			return true;
		}
	}
	return false;
}

bool lab_errno_find(const char *s, size_t len, int *number)
{
	for (u32 i = 0; i < RT_ARRAY_SIZE(lab_errnos); i++) {
		if (same_word(lab_errnos[i].name, s, len)) {
			*number = lab_errnos[i].number;
			return true;
		}
	}
	return false;
}

const struct gmem_alias *lab_alias(u32 i)
{
	return gmem_aliases[i].gmem_key ? &gmem_aliases[i] : NULL;
}

static const struct policy_desc *policy_table(u32 table)
{
	return table == LAB_POLICY_KVM ? kvm_policies : gmem_policies;
}

static const char *bundle_key(u32 table)
{
	return table == LAB_POLICY_KVM ? "series" : "profile";
}

static const char *bundle_value(u32 table, u32 i)
{
	static const char *const series[] = {"v3", "v5"};

	if (table == LAB_POLICY_KVM)
		return i < RT_ARRAY_SIZE(series) ? series[i] : NULL;
	return gmem_profile_name(i);
}

/* Row of the floor's table at place @n among those that are no bundle, -1 past the end. */
static int own_row(u32 table, u32 n)
{
	const struct policy_desc *row = policy_table(table);

	for (int i = 0; row[i].key; i++) {
		if (strcmp(row[i].key, bundle_key(table)) && !n--)
			return i;
	}
	return -1;
}

/* The @n-th key that KVM's own table lacks; its first row in the table of aliases. */
static const struct gmem_alias *alias_key(u32 n)
{
	const struct gmem_alias *a;

	for (u32 i = 0; (a = lab_alias(i)); i++) {
		bool first = true;

		for (u32 j = 0; j < i; j++)
			first &= strcmp(lab_alias(j)->kvm_key, a->kvm_key) != 0;
		if (first && policy_find(kvm_policies, a->kvm_key) < 0 && !n--)
			return a;
	}
	return NULL;
}

/* The @n-th value of KVM's key @key in the table of aliases. */
static const char *alias_value(const char *key, u32 n)
{
	const struct gmem_alias *a;

	for (u32 i = 0; (a = lab_alias(i)); i++) {
		if (!strcmp(a->kvm_key, key) && !n--)
			return a->kvm_value;
	}
	return NULL;
}

static u32 own_rows(u32 table)
{
	u32 n = 0;

	while (own_row(table, n) >= 0)
		n++;
	return n;
}

int lab_policy_row(u32 table, u32 key)
{
	return key == LAB_POLICY_BUNDLE ? -1 : own_row(table, key - 1);
}

const char *lab_policy_key(u32 table, u32 key)
{
	int row = lab_policy_row(table, key);
	const struct gmem_alias *a;

	if (key == LAB_POLICY_BUNDLE)
		return bundle_key(table);
	if (row >= 0)
		return policy_table(table)[row].key;
	a = table == LAB_POLICY_KVM ? alias_key(key - 1 - own_rows(table)) : NULL;
	return a ? a->kvm_key : NULL;
}

const char *lab_policy_value(u32 table, u32 key, u32 value)
{
	int row = lab_policy_row(table, key);
	const struct gmem_alias *a;

	if (key == LAB_POLICY_BUNDLE)
		return bundle_value(table, value);
	if (row >= 0)
		return value < POLICY_VALUES_MAX ? policy_table(table)[row].values[value] : NULL;
	a = alias_key(key - 1 - own_rows(table));
	return a ? alias_value(a->kvm_key, value) : NULL;
}
