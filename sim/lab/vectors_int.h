/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the vector player share: a recording in memory, and who does what with it.
 * Words of the format (keys, verbs, forms of results) are tables here; the format itself is docs/vectors.md.
 * Nobody but sim/lab/vectors*.c, tests and benchmarks includes this.
 *
 * Invariants of struct vec_file:
 *  - Values of an event's keys lie in vals[], in the order of the keys' numbers, one for each bit of the set.
 *  - An "at" is followed by the event that it arms; that one is marked VEC_INNER and is never played on its own.
 *  - Every number that is used as an index (lp, level, link) was checked by the parser.
 */
#ifndef LAB_VECTORS_INT_H
#define LAB_VECTORS_INT_H

#include "sim/lab/vectors.h"
#include "tdx/inspect.h"

/* X(ID, key): the registers come first, in the order of struct seam_regs. */
#define VEC_KEYS(X)               \
	X(RAX, "rax")             \
	X(RCX, "rcx")             \
	X(RDX, "rdx")             \
	X(RBX, "rbx")             \
	X(RBP, "rbp")             \
	X(RSI, "rsi")             \
	X(RDI, "rdi")             \
	X(R8, "r8")               \
	X(R9, "r9")               \
	X(R10, "r10")             \
	X(R11, "r11")             \
	X(R12, "r12")             \
	X(R13, "r13")             \
	X(R14, "r14")             \
	X(R15, "r15")             \
	X(POLLS, "polls")         \
	X(HPA, "hpa")             \
	X(LEVEL, "level")         \
	X(VAL, "val")             \
	X(REASON, "reason")       \
	X(QUAL, "qual")           \
	X(GLA, "gla")             \
	X(GPA, "gpa")             \
	X(VECTOR, "vector")       \
	X(ENTRY, "entry")         \
	X(STATE, "state")         \
	X(PT, "pt")               \
	X(OWNER, "owner")         \
	X(SIZE, "size")           \
	X(BEPOCH, "bepoch")       \
	X(LIFECYCLE, "lifecycle") \
	X(FATAL, "fatal")         \
	X(HKID, "hkid")           \
	X(CHLDCNT, "chldcnt")     \
	X(TDCX, "tdcx")           \
	X(OPSTATE, "opstate")     \
	X(EPOCH, "epoch")         \
	X(REF0, "ref0")           \
	X(REF1, "ref1")           \
	X(VCPUS, "vcpus")         \
	X(ASSOC, "assoc")         \
	X(PAGES, "pages")         \
	X(WORD, "word")           \
	X(LOCKED, "locked")       \
	X(HP, "hp")               \
	X(BIT, "bit")             \
	X(COUNT, "count")         \
	X(HPA0, "hpa0")           \
	X(HPA1, "hpa1")           \
	X(DATA, "data")           \
	X(VEC, "vec")             \
	X(VER, "ver")             \
	X(KEEPVE, "keepve")       \
	X(MODE, "mode")           \
	X(SIDE, "side")

enum vec_key {
#define VEC_X(id, text) VEC_K_##id,
	VEC_KEYS(VEC_X)
#undef VEC_X
	VEC_K_NR
};
_Static_assert(VEC_K_NR <= 64, "a set of keys is one word");
_Static_assert(VEC_K_R15 == 14 && sizeof(struct seam_regs) == 15 * sizeof(u64),
	       "the keys of the registers are the words of struct seam_regs");

#define VEC_BIT(id)    (1ULL << VEC_K_##id)
#define VEC_REGS_NR    15
#define VEC_REGS       (VEC_BIT(POLLS) - 1)
#define VEC_REGS_POLLS (VEC_REGS | VEC_BIT(POLLS))

/* X(ID, text): the first word of a result; KEYS is a result that begins with a key at once. */
#define VEC_FORMS(X)                                                                      \
	X(NOTHING, "") /* the line has no result */                                       \
	X(KEYS, "")    /* returned; what an inspection saw */                             \
	X(ENTERED, "entered")                                                             \
	X(EXIT, "exit")                                                                   \
	X(RESTART, "restart")                                                             \
	X(VE, "ve")                                                                       \
	X(INJECT, "inject")                                                               \
	X(OK, "ok")                                                                       \
	X(BUSY, "busy")                                                                   \
	X(NOTD, "notd")                                                                   \
	X(NOWALK, "nowalk")                                                               \
	X(NOPAMT, "nopamt")                                                               \
	X(NOTHELD, "notheld")                                                             \
	X(NONE, "none")                                                                   \
	X(NOTRUN, "notrun")                                                               \
	X(FATAL, "fatal")     /* the real module would have shut down: ours never does */ \
	X(DEAD, "dead")	      /* after that */                                            \
	X(BYTES, "")	      /* of peek: bare hex */                                     \
	X(CANT, "impossible") /* never recorded: our LP is not where the event needs it */

enum vec_form {
#define VEC_X(id, text) VEC_F_##id,
	VEC_FORMS(VEC_X)
#undef VEC_X
	VEC_F_NR
};

/* X(ID, text): first words of a line. */
#define VEC_VERBS(X)        \
	X(CONFIG, "config") \
	X(CALL, "call")     \
	X(GUEST, "guest")   \
	X(IRQ, "irq")       \
	X(HOLD, "hold")     \
	X(DROP, "drop")     \
	X(MEM, "mem")       \
	X(FILL, "fill")     \
	X(PEEK, "peek")     \
	X(TSC, "tsc")       \
	X(SEPT, "sept")     \
	X(PAMT, "pamt")     \
	X(TD, "td")         \
	X(VCPU, "vcpu")     \
	X(LOCK, "lock")     \
	X(PAIR, "pair")     \
	X(AT, "at")         \
	X(ATDONE, "atdone")

enum vec_verb {
#define VEC_X(id, text) VEC_V_##id,
	VEC_VERBS(VEC_X)
#undef VEC_X
	/* What "guest" can be besides a TDCALL, which keeps VEC_V_GUEST. */
	VEC_V_ACCESS,
	VEC_V_INTR,
	VEC_V_MC,
	VEC_V_NR
};

#define VEC_RETRY  0x01 /* at the RIP of the guest event before */
#define VEC_KEEPVE 0x02
#define VEC_INNER  0x04 /* armed by the "at" before it */
#define VEC_WRITE  0x08 /* at: before the first write of a locked entry, not at a poll */
#define VEC_SHARED 0x10 /* hold, drop: mode=sh */
#define VEC_SIDE   0x20 /* hold, drop: side=guest */

#define VEC_LPS_MAX 256
#define VEC_LEN_MAX 0x40000000ULL /* bytes that a fill or a peek may name: 1 GiB */

struct vec_event {
	u8 verb, form; /* enum vec_verb, enum vec_form */
	u8 flags;
	u8 what; /* enum seam_lock_id, enum seam_access_kind, vector of intr, byte of fill */
	u16 lp;
	u32 line;	       /* from 1 */
	u32 text, text_len;    /* the line in vec_file.text */
	u32 in_len;	       /* of its part before the result */
	u32 in, out;	       /* in vec_file.vals */
	u32 bytes;	       /* mem, peek: in vec_file.bytes */
	u32 link;	       /* atdone: the event that was armed */
	u64 in_keys, out_keys; /* sets of enum vec_key */
	u64 obj;	       /* HPA, TDR, TDVPR, package, cycles of tsc */
	u64 arg;	       /* number of the poll of irq and at; length of mem, fill, peek */
};

struct vec_file {
	char *name; /* as reports spell it */
	char *text;
	struct seam_config config;
	char profile[16];	     /* config.profile points here, or is NULL */
	u32 config_line, config_col; /* 0: none was given */
	struct vec_event *ev;
	u64 *vals;
	u8 *bytes;
	u32 nr_ev, cap_ev;
	u32 nr_vals, cap_vals;
	u32 nr_bytes, cap_bytes;
	u64 calls; /* lines with a result */
};

/* Where and why a text is no recording. */
struct vec_error {
	u32 line, column; /* from 1; columns are bytes */
	u32 width;	  /* bytes that are wrong */
	char text[400];	  /* "found ..., expected ..." */
};

/* Words of the format, hashed: made once, used by every vec_parse(). */
struct vec_dict;
struct vec_dict *vec_dict_new(void);
void vec_dict_free(struct vec_dict *d);

/*
 * vec_parse - @text as a recording called @name into *f, which then owns copies of all it needs.
 * False: *err says where and why, and *f owns nothing.
 */
bool vec_parse(const struct vec_dict *d, const char *name, const char *text, size_t len,
	       struct vec_file *f, struct vec_error *err);
void vec_file_free(struct vec_file *f);

/*
 * vec_read - every recording that @path names (see lab_vectors_add()), in order, to @fn; @text is valid during the call.
 * Returns the number of things that could not be read; each was told to @err.
 */
typedef void (*vec_text_fn)(void *ctx, const char *name, const char *text, size_t len);
u32 vec_read(const char *path, vec_text_fn fn, void *ctx, FILE *err);
/*
 * vec_read_archive - the recordings in the .tar.xz of @len bytes at @data, called @name; the member @only, unless NULL.
 * Returns as vec_read().
 */
u32 vec_read_archive(const char *name, const void *data, size_t len, const char *only,
		     vec_text_fn fn, void *ctx, FILE *err);

/* What our module gave: form, keys and, by number of the key, their values. */
struct vec_result {
	u8 form;
	u64 keys;
	u64 val[VEC_K_NR];
	u64 at;		 /* BYTES: index of the first byte that differs */
	const char *why; /* CANT: a literal */
};

/* Play @f on a fresh module in the current world, which was just reset; adds to @sum. */
void vec_play(const struct vec_file *f, const struct lab_vectors_opts *opts,
	      struct lab_vectors_sum *sum);

/* Locks that the recording holds now. Invariant: h[] has room for cap; the player frees it. */
struct vec_holds {
	struct seam_hold *h;
	u32 nr, cap;
};
void vec_hold_or_drop(struct vec_holds *hs, const struct vec_file *f, const struct vec_event *ev,
		      struct seam *s, struct vec_result *res);
/* The lock that hold, drop and lock mean. */
struct seam_hold vec_lock_of(const struct vec_file *f, const struct vec_event *ev);

/* td, vcpu, lock, pair, peek: what our module shows, without a call. */
void vec_look(const struct vec_file *f, const struct vec_event *ev, struct seam *s,
	      struct vec_result *res);
/* sept, pamt: made of a call on @lp, which is in the host. */
void vec_ask(const struct vec_file *f, const struct vec_event *ev, struct seam *s, u32 lp,
	     struct vec_result *res);
/* Value of @key in the input of @ev, or @otherwise. */
u64 vec_in(const struct vec_file *f, const struct vec_event *ev, enum vec_key key, u64 otherwise);

/*
 * vec_differs - the keys in which @res is not what @ev recorded; all ones if its form is another one; 0: it matches.
 * @did: the event whose input it was (for "atdone" the armed one, else @ev).
 */
u64 vec_differs(const struct vec_file *f, const struct vec_event *ev, const struct vec_event *did,
		const struct vec_result *res);
/* The difference for people: where, the call, each register that differs. */
void vec_print(FILE *out, const struct vec_file *f, const struct vec_event *ev,
	       const struct vec_event *did, const struct vec_result *res, u64 keys);

extern const char *const vec_key_names[VEC_K_NR];
extern const char *const vec_form_names[VEC_F_NR];

#endif
