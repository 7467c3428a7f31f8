// SPDX-License-Identifier: GPL-2.0-only
/*
 * How an operand of each type lies in a record, in both directions. Which operands a record has is
 * bytes.c's, what the machine makes of them bytes_fit.c's.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/lab/bytes_int.h"
#include "sim/lab/words.h"

/* One time in so many a generator takes any value and not one of the few. */
#define ANY_VALUE 8

static const u32 unit_shift[4] = {0, 12, 21, 30};

static const char *const names[LAB_NAMES] = {"a", "b", "c", "d", "g0", "g1", "g2", "fill"};
#define TD_NAMES 4U /* of these, in front of an actor, a slot, an address */

const char *lab_bytes_name(u32 i)
{
	assert(i < LAB_NAMES);
	return names[i];
}

bool lab_bytes_knows(const char *name)
{
	u32 i = 0;

	while (i < LAB_NAMES && strcmp(name, names[i]))
		i++;
	return i < LAB_NAMES;
}

u32 lab_coder_pick(struct lab_coder *k, u32 nr, u32 small)
{
	return lab_choose(k->src, k->gen == LAB_GEN_SMALL ? small : nr, 1);
}

static u32 invent(struct lab_coder *k, u32 n, const struct lab_few *few)
{
	if (k->gen == LAB_GEN_SMALL)
		return few ? few->v[lab_choose(k->src, few->small, 1)] : 0;
	if (few && lab_choose(k->src, ANY_VALUE, 1))
		return few->v[lab_choose(k->src, few->nr, 1)];
	return lab_choose(k->src, n, 1);
}

u32 lab_code(struct lab_coder *k, u32 val, u32 n, u32 width, const struct lab_few *few)
{
	assert(k->pos + width <= LAB_RECORD_BYTES);
	if (lab_coder_writes(k))
		k->unsayable |= val >= n;
	else
		val = lab_coder_invents(k) ? invent(k, n, few) % n : lab_choose(k->src, n, width);
	for (u32 i = 0; i < width; i++)
		k->rec[k->pos++] = (u8)(val >> 8 * i);
	return val;
}

/* The largest unit of which @num is a multiple that fits; false if there is none. */
static bool scale(u64 num, u32 *unit, u32 *count)
{
	for (u32 u = 4; u--;) {
		u64 n = num >> unit_shift[u];

		if (n << unit_shift[u] != num || n > 0xffff || (!n && u))
			continue;
		*unit = u;
		*count = (u32)n;
		return true;
	}
	return false;
}

void lab_code_scaled(struct lab_coder *k, u64 *num, u32 *room, u32 room_n)
{
	u32 unit = 0, count = 0, first;

	if (lab_coder_writes(k))
		k->unsayable |= !scale(*num, &unit, &count) || *room >= room_n;
	first = lab_code(k, unit | *room << 2, 4 * room_n, 1, NULL);
	count = lab_code(k, count, 0x10000, 2, NULL);
	*num = (u64)count << unit_shift[first & 3];
	*room = first >> 2;
}

/* A number that the generator has made up goes through the writer: the record's bytes are its. */
static void put_scaled(struct lab_coder *k, u64 *num, u32 *room, u32 room_n)
{
	struct lab_choices *src = k->src;

	k->src = NULL;
	lab_code_scaled(k, num, room, room_n);
	k->src = src;
}

#define K4 4096ULL
#define M2 (2ULL << 20)

/* Sizes and places at which something changes. The first ones are those of exhaustive search. */
static const u64 few_sizes[] = {K4,	M2, 2 * K4, 4 * K4,  K4,       2 * K4, K4, 16 * K4,
				K4,	M2, K4,	    2 * K4,  4 * K4,   8 * K4, K4, K4,
				2 * K4, K4, 2 * M2, M2 + K4, 510 * K4, 3 * M2};
static const u64 few_offsets[] = {0,	  M2,	       K4,	 2 * K4, M2 - K4, M2 + K4,
				  2 * M2, 2 * M2 - K4, 256 * K4, 0,	 K4,	  M2};
static const u64 few_gmem_sizes[] = {2 * M2, M2, 3 * M2, 4 * M2, M2 + K4};
static const u64 few_gpas[] = {0x80000000, 0x80000000, 0x80400000, 0xc0000000, 0x100000000, 0};

static void code_size(struct lab_coder *k, const struct lab_field *f, const struct lab_op *op,
		      struct lab_val *v)
{
	bool setup = lab_op_is_setup(op);
	u32 room = 0;

	if (!lab_coder_invents(k)) {
		lab_code_scaled(k, &v->num, &room, 1);
		return;
	}
	if (!setup)
		v->num = few_sizes[lab_coder_pick(k, RT_ARRAY_SIZE(few_sizes), 2)];
	else if (!strcmp(f->key, "size"))
		v->num = few_gmem_sizes[lab_coder_pick(k, RT_ARRAY_SIZE(few_gmem_sizes), 1)];
	else if (!strcmp(f->key, "gpa") || !strcmp(f->key, "GPA"))
		v->num = few_gpas[lab_coder_pick(k, RT_ARRAY_SIZE(few_gpas), 1)];
	else if (!strcmp(f->key, "mem"))
		v->num = 4ULL << 30;
	else
		v->num = 16384;
	put_scaled(k, &v->num, &room, 1);
}

/* Place in the names of TDs plus 1, 0 for none; unsayable if it is another name. */
static u32 td_place(struct lab_coder *k, u32 td)
{
	if (!td)
		return 0;
	for (u32 i = 0; i < TD_NAMES; i++) {
		if (!strcmp(lab_string(k->sc, td), names[i]))
			return i + 1;
	}
	k->unsayable = true;
	return 0;
}

static u32 td_name(struct lab_coder *k, u32 place)
{
	return place ? lab_intern(k->sc, names[place - 1], strlen(names[place - 1])) : 0;
}

/* TD and number of a slot or vCPU, in one byte. */
static void code_numbered(struct lab_coder *k, u32 numbers, u64 *num, u32 *td)
{
	u32 places = TD_NAMES + 1, val = 0;

	if (lab_coder_writes(k)) {
		k->unsayable |= *num >= numbers;
		val = (u32)(*num % numbers) * places + td_place(k, *td);
	}
	if (lab_coder_invents(k)) {
		struct lab_choices *src = k->src;

		val = lab_coder_pick(k, 4, 1) / 3 * places;
		k->src = NULL;
		val = lab_code(k, val, numbers * places, 1, NULL);
		k->src = src;
	} else {
		val = lab_code(k, val, numbers * places, 1, NULL);
	}
	*num = val / places;
	if (!lab_coder_writes(k))
		*td = td_name(k, val % places);
}

#define ADDR_SLOTS (LAB_BYTES_SLOTS + 1) /* no slot, or one of them */
#define SUB_UNIT   8U			 /* an address is within its page at a multiple of this */

/*
 * Splits @num into a part that lab_code_scaled() can say and a place inside a page. A number that
 * it says in single bytes has no such place.
 */
static u32 sub_page(u64 *num)
{
	u64 sub = *num % K4;

	if (*num <= 0xffff || sub % SUB_UNIT || sub / SUB_UNIT > 255)
		return 0;
	*num -= sub;
	return (u32)(sub / SUB_UNIT);
}

static void code_addr(struct lab_coder *k, struct lab_val *v)
{
	u32 room = 0, sub = 0, places = TD_NAMES + 1;
	u64 num = v->num;
	bool single;

	if (lab_coder_invents(k)) {
		num = few_offsets[lab_coder_pick(k, RT_ARRAY_SIZE(few_offsets), 3)];
		room = (1 + lab_coder_pick(k, 6, 1) / 5) * places;
		put_scaled(k, &num, &room, ADDR_SLOTS * places);
		sub = num > 0xffff && lab_coder_pick(k, 8, 1) == 7;
		k->rec[k->pos++] = (u8)sub;
	} else {
		if (lab_coder_writes(k)) {
			k->unsayable |= v->ref >= ADDR_SLOTS;
			room = (v->ref % ADDR_SLOTS) * places + td_place(k, v->td);
			sub = sub_page(&num);
		}
		lab_code_scaled(k, &num, &room, ADDR_SLOTS * places);
		single = !(k->rec[k->pos - 3] & 3);
		sub = lab_code(k, sub, 256, 1, NULL) * !single;
	}
	v->num = num + (u64)sub * SUB_UNIT;
	v->ref = room / places;
	if (!lab_coder_writes(k))
		v->td = td_name(k, room % places);
}

static void code_name(struct lab_coder *k, const struct lab_op *op, u64 *id)
{
	static const struct lab_few tds = {3, 1, {0, 1, 0}}, files = {4, 1, {4, 4, 4, 5}};
	bool td = op->kind == LAB_OP_TD || op->kind == LAB_OP_REGION;
	u32 i = 0;

	if (lab_coder_writes(k)) {
		while (i < LAB_NAMES && strcmp(lab_string(k->sc, (u32)*id), names[i]))
			i++;
	}
	i = lab_code(k, i, td ? TD_NAMES : LAB_NAMES, 1, td ? &tds : &files);
	if (!lab_coder_writes(k))
		*id = lab_intern(k->sc, names[i], strlen(names[i]));
}

/* "vcpu0", "b.host1", "fault" in one byte: what it is, its number, its TD. */
#define ACTOR_NUMBERS 8U
#define ACTOR_FAULT   (2 * ACTOR_NUMBERS * (TD_NAMES + 1))

static u32 actor_place(struct lab_coder *k, const char *name)
{
	u32 places = TD_NAMES + 1;
	char buf[40];

	for (u32 i = 0; i < ACTOR_FAULT; i++) {
		u32 td = i % places, n = i / places % ACTOR_NUMBERS;
		bool vcpu = i >= ACTOR_NUMBERS * places;

		snprintf(buf, sizeof(buf), n || vcpu ? "%s%s%s%u" : "%s%s%s",
			 td ? names[td - 1] : "", td ? "." : "", vcpu ? "vcpu" : "host", n);
		if (!strcmp(buf, name))
			return i;
	}
	k->unsayable |= strcmp(name, LAB_CHOICE_FAULT) != 0;
	return ACTOR_FAULT;
}

static void code_actor(struct lab_coder *k, u64 *id, bool fault)
{
	static const struct lab_few few = {
		4, 1, {0, ACTOR_NUMBERS * 5, ACTOR_NUMBERS * 5 + 5, ACTOR_FAULT}};
	u32 places = TD_NAMES + 1, i = 0, td, n;
	char buf[40];

	if (lab_coder_writes(k))
		i = actor_place(k, lab_string(k->sc, (u32)*id));
	i = lab_code(k, i, ACTOR_FAULT + fault, 1, &few);
	if (lab_coder_writes(k))
		return;
	td = i % places;
	n = i / places % ACTOR_NUMBERS;
	if (i == ACTOR_FAULT)
		snprintf(buf, sizeof(buf), LAB_CHOICE_FAULT);
	else if (i / places >= ACTOR_NUMBERS)
		snprintf(buf, sizeof(buf), "%s%svcpu%u", td ? names[td - 1] : "", td ? "." : "", n);
	else
		snprintf(buf, sizeof(buf), n ? "%s%shost%u" : "%s%shost", td ? names[td - 1] : "",
			 td ? "." : "", n);
	*id = lab_intern(k->sc, buf, strlen(buf));
}

static u32 count(const char *(*at)(u32 i, u32 *number))
{
	u32 n = 0;

	while (at(n, NULL))
		n++;
	return n;
}

/* Leaves by their place in the list: SEAMCALLs, of which there are @leaves, then TDCALLs. */
static const char *leaf_at(u32 i, u32 leaves, u32 *number, bool *tdcall)
{
	*tdcall = i >= leaves;
	return *tdcall ? lab_tdcall_at(i - leaves, number) : lab_leaf_at(i, number);
}

static const char *const few_leaves[] = {
	"TDH.MEM.PAGE.DEMOTE", "TDH.MEM.RANGE.BLOCK", "TDH.MEM.TRACK",	     "TDH.MEM.PAGE.REMOVE",
	"TDH.MEM.PAGE.AUG",    "TDH.MEM.SEPT.ADD",    "TDH.VP.ENTER",	     "TDG.MEM.PAGE.ACCEPT",
	"TDH.MEM.SEPT.REMOVE", "TDH.MEM.PAGE.DEMOTE", "TDH.PHYMEM.PAMT.ADD", "TDG.MEM.PAGE.ATTR.RD",
};

static u32 few_leaf(struct lab_coder *k, u32 from, u32 nr, u32 leaves)
{
	const char *want = few_leaves[lab_coder_pick(k, RT_ARRAY_SIZE(few_leaves), 1)];
	bool tdcall;

	for (u32 i = 0; i < nr; i++) {
		if (!strcmp(leaf_at(from + i, leaves, NULL, &tdcall), want))
			return i;
	}
	return 0;
}

static void code_leaf(struct lab_coder *k, const struct lab_field *f, struct lab_val *v)
{
	u32 leaves = count(lab_leaf_at), i = 0, number = 0;
	u32 from = f->type == LAB_T_TDCALL ? leaves : 0;
	u32 nr = f->type == LAB_T_LEAF ? leaves : leaves + count(lab_tdcall_at) - from;
	bool tdcall = false;

	for (; lab_coder_writes(k) && i < nr; i++) {
		leaf_at(from + i, leaves, &number, &tdcall);
		if (number == v->num && (f->type != LAB_T_ANYLEAF || tdcall == v->ref))
			break;
	}
	if (lab_coder_invents(k) && k->gen != LAB_GEN_SMALL) {
		i = few_leaf(k, from, nr, leaves);
		k->rec[k->pos++] = (u8)i;
	} else {
		i = lab_code(k, i, nr, 1, NULL);
	}
	if (lab_coder_writes(k))
		return;
	leaf_at(from + i, leaves, &number, &tdcall);
	v->num = number;
	v->ref = f->type == LAB_T_ANYLEAF && tdcall;
}

static void code_status(struct lab_coder *k, struct lab_val *v)
{
	u32 nr = 0, i = 0;
	u64 status = 0;

	while (lab_status_at(nr, NULL))
		nr++;
	if (lab_coder_writes(k)) {
		k->unsayable |= v->spelled;
		while (i < nr && (lab_status_at(i, &status), status != v->num))
			i++;
	}
	i = lab_code(k, i, nr, 2, NULL);
	lab_status_at(i < nr ? i : 0, &status);
	if (!lab_coder_writes(k))
		v->num = status;
}

static void code_profile(struct lab_coder *k, u64 *id)
{
	u32 nr = 0, i = 0;

	while (lab_profile_at(nr))
		nr++;
	if (lab_coder_writes(k)) {
		while (i < nr && strcmp(lab_profile_at(i), lab_string(k->sc, (u32)*id)))
			i++;
	}
	i = lab_code(k, i, nr, 1, NULL);
	if (!lab_coder_writes(k))
		*id = lab_intern(k->sc, lab_profile_at(i), strlen(lab_profile_at(i)));
}

static void code_word(struct lab_coder *k, const struct lab_field *f, struct lab_val *v)
{
	static const struct lab_few any = {2, 2, {0, 1}};
	u32 nr = 0, i = (u32)v->num;

	while (f->words[nr])
		nr++;
	if (f->type == LAB_T_LEVEL && lab_coder_writes(k))
		i = (u32)lab_word_find(f->words, lab_words_level[v->num - 1], 2);
	i = lab_code(k, i, nr, 1, nr == 2 ? &any : NULL);
	if (lab_coder_writes(k))
		return;
	v->num = f->type != LAB_T_LEVEL ? i
					: 1 + (u64)lab_word_find(lab_words_level, f->words[i], 2);
}

static void code_num(struct lab_coder *k, const struct lab_field *f, u64 *num)
{
	static const struct lab_few small = {6, 1, {1, 1, 1, 2, 3, 4}};
	bool step = !strcmp(f->key, "STEP") || !strcmp(f->key, "seed");

	k->unsayable |= *num >> 24;
	*num = lab_code(k, (u32)(*num & 0xffffff), 1 << 24, 3, step ? NULL : &small);
}

static void code_data(struct lab_coder *k, u64 *num)
{
	static const struct lab_few low = {8, 1, {1, 2, 3, 0x11, 0x55, 0xab, 0, 0xffff}};
	static const struct lab_few high = {2, 1, {0, 0}};
	u32 lo, hi;

	k->unsayable |= *num >> 32;
	lo = lab_code(k, (u32)(*num & 0xffff), 0x10000, 2, &low);
	hi = lab_code(k, (u32)(*num >> 16 & 0xffff), 0x10000, 2, &high);
	*num = lo | (u64)hi << 16;
}

void lab_code_value(struct lab_coder *k, const struct lab_field *f, const struct lab_op *op,
		    struct lab_val *v)
{
	switch (f->type) {
	case LAB_T_NUM:
		code_num(k, f, &v->num);
		break;
	case LAB_T_VALUE:
		code_data(k, &v->num);
		break;
	case LAB_T_SIZE:
		code_size(k, f, op, v);
		break;
	case LAB_T_ADDR:
		code_addr(k, v);
		break;
	case LAB_T_SWITCH:
		v->num = lab_code(k, (u32)v->num, 2, 1, NULL);
		break;
	case LAB_T_LEVEL:
	case LAB_T_WORD:
		code_word(k, f, v);
		break;
	case LAB_T_FLAG:
		v->num = 1;
		break;
	case LAB_T_NAME:
	case LAB_T_TD:
	case LAB_T_GMEM:
		code_name(k, op, &v->num);
		break;
	case LAB_T_GMEMOFF: {
		u64 id = v->ref;

		code_name(k, op, &id);
		v->ref = (u32)id;
		code_size(k, f, op, v);
		break;
	}
	case LAB_T_SLOT:
		code_numbered(k, LAB_BYTES_SLOTS, &v->num, &v->td);
		break;
	case LAB_T_VCPU:
		code_numbered(k, LAB_VCPUS, &v->num, &v->td);
		break;
	case LAB_T_ACTOR:
	case LAB_T_CHOICE:
		code_actor(k, &v->num, f->type == LAB_T_CHOICE);
		break;
	case LAB_T_LEAF:
	case LAB_T_ANYLEAF:
	case LAB_T_TDCALL:
		code_leaf(k, f, v);
		break;
	case LAB_T_STATUS:
		code_status(k, v);
		break;
	case LAB_T_PROFILE:
		code_profile(k, &v->num);
		break;
	case LAB_T_REGS:
		lab_code_regs(k, v);
		break;
	case LAB_T_POLICY:
		lab_code_policies(k, op, v);
		break;
	case LAB_T_ERRNO:
	case LAB_T_ORACLE:
	case LAB_T_STAT:
	case LAB_T_CALLS:
	case LAB_T_END:
		k->unsayable = true; /* only in expectations */
		break;
	}
}
