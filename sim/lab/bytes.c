// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records and whole inputs: which statement a record is, which operands it has, and that what
 * comes out of any bytes is a scenario without an error. Operands are bytes_field.c's.
 */
#include "sim/lab/bytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/bytes_int.h"
#include "sim/lab/util.h"

/* How often each statement comes, of 128; expectations never. */
static const struct {
	u8 kind, weight;
} weights[] = {
	{LAB_OP_ACCEPT, 14},	  {LAB_OP_CONVERT, 14},
	{LAB_OP_WRITE, 7},	  {LAB_OP_READ, 6},
	{LAB_OP_MAPGPA, 6},	  {LAB_OP_PUNCH, 6},
	{LAB_OP_PREFAULT, 4},	  {LAB_OP_HOST_WRITE, 4},
	{LAB_OP_HOST_READ, 3},	  {LAB_OP_PIN, 3},
	{LAB_OP_UNPIN, 3},	  {LAB_OP_MEMORY_FAILURE, 2},
	{LAB_OP_ALLOC, 2},	  {LAB_OP_SLOT_DELETE, 2},
	{LAB_OP_SLOT_ADD, 2},	  {LAB_OP_CLOSE, 1},
	{LAB_OP_DESTROY, 1},	  {LAB_OP_BUILD, 1},
	{LAB_OP_SIGNAL, 3},	  {LAB_OP_CPU, 3},
	{LAB_OP_SEAMCALL, 1},	  {LAB_OP_TDCALL, 1},
	{LAB_OP_INJ_BUSY, 5},	  {LAB_OP_INJ_INTERRUPT, 4},
	{LAB_OP_INJ_ERROR, 1},	  {LAB_OP_INJ_ENOMEM, 4},
	{LAB_OP_INJ_REF, 3},	  {LAB_OP_INJ_REF_CHECK, 2},
	{LAB_OP_INJ_IPI_LATE, 2}, {LAB_OP_PARALLEL, 5},
	{LAB_OP_PARALLEL_END, 4}, {LAB_OP_MODULE, 1},
	{LAB_OP_HOST, 1},	  {LAB_OP_TD, 1},
	{LAB_OP_KVM, 1},	  {LAB_OP_GMEM, 1},
	{LAB_OP_SLOT, 1},	  {LAB_OP_REGION, 1},
	{LAB_OP_SCHEDULE, 1},	  {LAB_OP_CHOOSER, 2},
};
#define PLACES 128U

static const u8 small_kinds[] = {LAB_OP_ACCEPT, LAB_OP_CONVERT, LAB_OP_WRITE,
				 LAB_OP_READ,	LAB_OP_PUNCH,	LAB_OP_PREFAULT};

static u32 kind_of(u32 place)
{
	for (u32 i = 0; i < RT_ARRAY_SIZE(weights); i++) {
		if (place < weights[i].weight)
			return weights[i].kind;
		place -= weights[i].weight;
	}
	return LAB_OP_ACCEPT;
}

/* First place of a statement; PLACES if bytes don't know it. */
static u32 place_of(u32 kind)
{
	u32 place = 0;

	for (u32 i = 0; i < RT_ARRAY_SIZE(weights); i++) {
		if (weights[i].kind == kind)
			return place;
		place += weights[i].weight;
	}
	return PLACES;
}

u32 lab_record_kind(const u8 rec[LAB_RECORD_BYTES])
{
	return kind_of(rec[0] % PLACES);
}

bool lab_op_makes_machine(const struct lab_op *op)
{
	return lab_op_is_setup(op) && op->kind != LAB_OP_SCHEDULE && op->kind != LAB_OP_CHOOSER;
}

static bool wanted(u32 kind, enum lab_gen gen)
{
	bool setup = lab_specs[kind].section == LAB_SETUP;

	return gen == LAB_GEN_ANY || setup == (gen == LAB_GEN_SETUP);
}

/* The statement of an invented record. */
static u32 invent_kind(struct lab_coder *k)
{
	u32 place;

	if (k->gen == LAB_GEN_SMALL)
		return place_of(small_kinds[lab_choose(k->src, RT_ARRAY_SIZE(small_kinds), 1)]);
	do {
		place = lab_choose(k->src, PLACES, 1);
	} while (!wanted(kind_of(place), k->gen));
	return place;
}

#define ACTOR_NUMBERS 8U
#define ACTOR_TDS     5U /* none, or one of the first names */

static void code_actor_byte(struct lab_coder *k, struct lab_op *op)
{
	static const struct lab_few few = {4, 1, {0, 0, 0, ACTOR_TDS}};
	u32 td = 0, val;

	if (lab_coder_writes(k)) {
		while (op->td && td < LAB_NAMES &&
		       strcmp(lab_string(k->sc, op->td), lab_bytes_name(td)))
			td++;
		td += op->td != 0;
		k->unsayable |= td >= ACTOR_TDS || op->index >= ACTOR_NUMBERS;
	}
	val = lab_code(k, op->index * ACTOR_TDS + td, ACTOR_NUMBERS * ACTOR_TDS, 1, &few);
	if (lab_coder_writes(k) || !lab_op_is_action(op))
		return;
	op->index = (u16)(val / ACTOR_TDS);
	td = val % ACTOR_TDS;
	op->td = td ? lab_intern(k->sc, lab_bytes_name(td - 1), strlen(lab_bytes_name(td - 1))) : 0;
}

/* Which operands there are: those that must be, and the others by a bit. */
static u32 code_presence(struct lab_coder *k, const struct lab_spec *spec, const struct lab_op *op)
{
	u32 bits = 0, all = 0, must = 0;

	for (u32 i = 0; spec->field[i].type != LAB_T_END; i++) {
		all |= 1U << i;
		must |= spec->field[i].required ? 1U << i : 0;
		bits |= op->v[i].set ? 1U << i : 0;
	}
	if (lab_coder_invents(k) && k->gen != LAB_GEN_SMALL) {
		/* Each is there one time in three. */
		for (u32 i = 0; i < LAB_FIELDS; i++)
			bits |= lab_choose(k->src, 3, 1) ? 0 : 1U << i;
		k->rec[k->pos++] = (u8)(bits & all);
	} else {
		bits = lab_code(k, bits, 1U << LAB_FIELDS, 1, NULL);
	}
	return (bits & all) | must;
}

static void code_operands(struct lab_coder *k, struct lab_op *op)
{
	const struct lab_spec *spec = &lab_specs[op->kind];
	u32 there = code_presence(k, spec, op);

	bool places = true;

	for (u32 i = 0; spec->field[i].type != LAB_T_END; i++) {
		struct lab_val *v = &op->v[i];

		/* An operand by place can't be there without those in front of it. */
		if (!(there & 1U << i) || (spec->field[i].form == LAB_POS && !places)) {
			places &= spec->field[i].form != LAB_POS;
			continue;
		}
		v->set = 1;
		lab_code_value(k, &spec->field[i], op, v);
	}
}

void lab_record_read(struct lab_choices *src, enum lab_gen gen, struct lab_scenario *sc,
		     u8 rec[LAB_RECORD_BYTES])
{
	struct lab_coder k = {.src = src, .gen = gen, .sc = sc};
	size_t start = src->pos;
	u32 place = lab_coder_invents(&k) ? invent_kind(&k) : lab_choose(src, PLACES, 1);
	struct lab_op op = {.kind = (u16)kind_of(place)};

	k.rec[k.pos++] = (u8)place;
	code_actor_byte(&k, &op);
	code_operands(&k, &op);
	src->pos = start + LAB_RECORD_BYTES;
	*lab_op_add(sc, op.kind) = op;
	if (rec)
		memcpy(rec, k.rec, LAB_RECORD_BYTES);
}

bool lab_record_write(const struct lab_scenario *sc, const struct lab_op *op,
		      u8 rec[LAB_RECORD_BYTES])
{
	/* A coder that writes changes nothing of what it is given. */
	struct lab_coder k = {.sc = (struct lab_scenario *)sc};
	struct lab_op copy = *op;
	u32 place = place_of(op->kind);

	if (place == PLACES)
		return false;
	k.rec[k.pos++] = (u8)place;
	code_actor_byte(&k, &copy);
	code_operands(&k, &copy);
	memcpy(rec, k.rec, LAB_RECORD_BYTES);
	return !k.unsayable;
}

static u32 count_records(size_t len)
{
	size_t nr = (len + LAB_RECORD_BYTES - 1) / LAB_RECORD_BYTES;

	return nr < LAB_RECORDS_MAX ? (u32)nr : LAB_RECORDS_MAX;
}

/* Record @i of an input into @sc; a short last one ends in zeros. */
static struct lab_op *read_record(const u8 *bytes, size_t len, u32 i, struct lab_scenario *sc)
{
	struct lab_choices src;

	lab_choices_bytes(&src, bytes, len);
	src.pos = (size_t)i * LAB_RECORD_BYTES;
	lab_record_read(&src, LAB_GEN_ANY, sc, NULL);
	return &sc->ops[sc->nr_ops - 1];
}

static bool is_machine_record(const u8 *rec)
{
	struct lab_op op = {.kind = (u16)lab_record_kind(rec)};

	return lab_op_makes_machine(&op);
}

/* Whether the lines so far are a machine. */
static bool resolves(struct lab_scenario *sc, struct lab_setup *su)
{
	struct lab_diag quiet = {NULL, 0};

	return !lab_setup_resolve(sc, su, &quiet);
}

void lab_bytes_setup(const u8 *bytes, size_t len, struct lab_scenario *sc, struct lab_setup *su)
{
	u32 nr = count_records(len), kept = 0;
	bool good;

	for (u32 i = 0; i < nr; i++) {
		if (is_machine_record(bytes + i * LAB_RECORD_BYTES))
			read_record(bytes, len, i, sc);
	}
	if (resolves(sc, su))
		return;
	/* Not all together: each line that goes with those in front of it. */
	nr = sc->nr_ops;
	for (u32 i = 0; i < nr; i++) {
		sc->ops[kept] = sc->ops[i];
		sc->nr_ops = kept + 1;
		kept += resolves(sc, su);
	}
	sc->nr_ops = kept;
	good = resolves(sc, su);
	assert(good);
	(void)good;
}

/* A brace that opens in a block, or closes none, says nothing. */
static bool brace_fits(const struct lab_op *op, bool *open)
{
	bool opens = op->kind == LAB_OP_PARALLEL, closes = op->kind == LAB_OP_PARALLEL_END;
	bool fits = !(opens && *open) && !(closes && !*open);

	if (fits && (opens || closes))
		*open = opens;
	return fits;
}

static void note_host(const struct lab_scenario *sc, struct lab_setup *su, const struct lab_op *op)
{
	u32 td = lab_setup_td(sc, su, op->td);

	if (lab_specs[op->kind].section == LAB_HOST && op->index >= su->td[td].hosts)
		su->td[td].hosts = op->index + 1U;
}

/*
 * What only the scheduler reads stands behind the machine's lines, and only the last chooser and
 * ascending steps count.
 */
static void read_schedule(const u8 *bytes, size_t len, struct lab_scenario *sc,
			  const struct lab_setup *su)
{
	u32 nr = count_records(len), chooser = LAB_RECORDS_MAX;
	u64 next = 0;

	for (u32 i = 0; i < nr; i++) {
		u32 kind = lab_record_kind(bytes + i * LAB_RECORD_BYTES);
		struct lab_op *op;

		if (kind != LAB_OP_SCHEDULE && kind != LAB_OP_CHOOSER)
			continue;
		op = read_record(bytes, len, i, sc);
		lab_bytes_fit(sc, su, op);
		if (kind == LAB_OP_CHOOSER && chooser != LAB_RECORDS_MAX) {
			sc->ops[chooser] = *op;
			sc->nr_ops--;
		} else if (kind == LAB_OP_CHOOSER) {
			chooser = sc->nr_ops - 1;
		} else if (lab_num(op, "STEP", 0) < next) {
			sc->nr_ops--;
		} else {
			next = lab_num(op, "STEP", 0) + 1;
		}
	}
}

void lab_bytes_actions(const u8 *bytes, size_t len, struct lab_scenario *sc, struct lab_setup *su)
{
	u32 nr = count_records(len);
	bool open = false;

	read_schedule(bytes, len, sc, su);
	for (u32 i = 0; i < nr; i++) {
		struct lab_op op = {.kind = (u16)lab_record_kind(bytes + i * LAB_RECORD_BYTES)},
			      *got;

		if (lab_op_is_setup(&op) || !brace_fits(&op, &open))
			continue;
		got = read_record(bytes, len, i, sc);
		lab_bytes_fit(sc, su, got);
		note_host(sc, su, got);
	}
	if (open)
		lab_op_add(sc, LAB_OP_PARALLEL_END);
}

void lab_bytes_decode(const u8 *bytes, size_t len, struct lab_scenario *sc, struct lab_setup *su)
{
	lab_bytes_setup(bytes, len, sc, su);
	lab_bytes_actions(bytes, len, sc, su);
}

u8 *lab_bytes_encode(const struct lab_scenario *sc, size_t *len, u32 *left_out)
{
	u8 *bytes = lab_zalloc((sc->nr_ops + 1) * (size_t)LAB_RECORD_BYTES);

	*len = 0;
	*left_out = 0;
	for (u32 i = 0; i < sc->nr_ops; i++) {
		if (lab_record_write(sc, &sc->ops[i], bytes + *len))
			*len += LAB_RECORD_BYTES;
		else
			++*left_out;
	}
	/* A record that could not be said has left bytes behind the end. */
	return bytes;
}
