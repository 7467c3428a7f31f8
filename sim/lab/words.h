/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vocabularies of the language: fixed word lists, and names that other floors own (leaves,
 * statuses, policies, ...). One finder and one printer for each; where a list belongs to another
 * floor it is read from that floor's table. Which word may stand where is the business of ops.def.
 */
#ifndef LAB_WORDS_H
#define LAB_WORDS_H

#include "mmu/policy.h"
#include "sim/rt/types.h"

extern const char *const lab_words_backing[]; /* in the order of enum gmem_backing */
extern const char *const lab_words_build[];   /* in the order of enum lab_build_step */
extern const char *const lab_words_uaddr[];   /* aligned, unaligned */
extern const char *const lab_words_attr[];    /* shared, private */
extern const char *const lab_words_level[];   /* 4K 2M 1G, and subsets of it */
extern const char *const lab_words_level_2m[];
extern const char *const lab_words_level_huge[];
extern const char *const lab_words_irq[];     /* intr, nmi, smi: bit n is SEAM_IRQ_* */
extern const char *const lab_words_site[];    /* of inject enomem: the fault sites' names */
extern const char *const lab_words_ref[];     /* transient, pin, lru */
extern const char *const lab_words_exit[];    /* lab_exit_reason[i] is KVM's number */
extern const char *const lab_words_state[];   /* lab_state_number[i] is the public S-EPT state */
extern const char *const lab_words_cmp[];     /* == != < <= > >= */
extern const char *const lab_words_vm[];      /* alive, bugged */
extern const char *const lab_words_chooser[]; /* order, random */
extern const char *const lab_words_reg[];     /* rax .. r15 in the order of struct seam_regs */
extern const u32 lab_exit_reason[];
extern const u8 lab_state_number[];

/* Where a schedule line names an actor: a fault that may fire did. No actor has this name. */
#define LAB_CHOICE_FAULT "fault"

/* A refused access of the VMM, where an errno stands: no errno has this number. */
#define LAB_SIGBUS 4096

/* Index of @word in @words, -1 if it is not there. */
int lab_word_find(const char *const *words, const char *word, size_t len);

/*
 * Names by place in the order in which "tdxsim list" shows them; NULL past the end. The number may
 * be left out (NULL).
 */
const char *lab_leaf_at(u32 i, u32 *number);
const char *lab_tdcall_at(u32 i, u32 *number);
const char *lab_status_at(u32 i, u64 *status);
const char *lab_errno_at(u32 i, int *number);
const char *lab_profile_at(u32 i);

/* Names by number; in hex or decimal in @buf if the number has none. */
const char *lab_leaf_name(u32 number, char *buf, size_t len);
const char *lab_tdcall_name(u32 number, char *buf, size_t len);
const char *lab_errno_name(int err, char *buf, size_t len);
const char *lab_status_name(u64 status, char *buf, size_t len);
/* With what bits 31:0 say: "OPERAND_BUSY|SEPT_TREE". */
const char *lab_status_text(u64 status, char *buf, size_t len);

/* Numbers by name; TDX_ in front of a status is allowed. */
bool lab_leaf_find(const char *s, size_t len, u32 *number);
bool lab_tdcall_find(const char *s, size_t len, u32 *number);
bool lab_status_find(const char *s, size_t len, u64 *status);
bool lab_errno_find(const char *s, size_t len, int *number);

/*
 * The policies that a kvm line (LAB_POLICY_KVM) or a gmem line (LAB_POLICY_GMEM) may set, by place;
 * NULL past the end. Place 0 is the line's bundle ("series", "profile"), then come the rows of the
 * floor's table, then, for kvm lines, the keys that name a switch of guest_memfd in KVM's words
 * (kvm-port.md 5): lab_alias().
 */
const char *lab_policy_key(u32 table, u32 key);
const char *lab_policy_value(u32 table, u32 key, u32 value);
#define LAB_POLICY_BUNDLE 0
/* The floor's own row of a key, -1 for the bundle and for an alias that has none. */
int lab_policy_row(u32 table, u32 key);

/* A switch under two spellings (gmem/gmem.h), by place; NULL past the end. */
struct gmem_alias;
const struct gmem_alias *lab_alias(u32 i);

#endif
