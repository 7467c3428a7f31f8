// SPDX-License-Identifier: GPL-2.0-only
/*
 * Set-up lines to a machine: defaults, then what the lines say, then what must fit together.
 * Policies have a file of their own (setup_policy.c), operations too (setup_check.c).
 */
#include "sim/lab/setup.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/lab/setup_int.h"
#include "sim/lab/words.h"
#include "tdx/features.h"

#define SETUP_PAGE     4096ULL
#define DEFAULT_REGION 16384ULL

void lab_setup_error(struct lab_resolver *r, const struct lab_op *op, const char *key,
		     const char *fmt, ...)
{
	const struct lab_val *v = key ? lab_get(op, key) : NULL;
	char text[512], word[256];
	bool from_text = op && op->line && (!v || v->col);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!op) {
		/* A default that no line changes, and that does not go with the other lines. */
		lab_diag_at(r->d, &r->sc->src, 0, 0, 0, "%s", text);
		return;
	}
	if (!from_text) {
		/* From --set: the statement says where. */
		lab_print_op(r->sc, op, word, sizeof(word));
		lab_diag_at(r->d, &r->sc->src, 0, 0, 0, "\"%s\": %s", word, text);
		return;
	}
	lab_diag_at(r->d, &r->sc->src, op->line, v ? v->col : 1, 1, "%s", text);
}

static const struct lab_op *find_op(const struct lab_scenario *sc, enum lab_op_kind kind)
{
	const struct lab_op *found = NULL;

	for (u32 i = 0; i < sc->nr_ops; i++) {
		if (sc->ops[i].kind == kind)
			found = &sc->ops[i];
	}
	return found;
}

/* A line that may stand only once. */
static const struct lab_op *only_op(struct lab_resolver *r, enum lab_op_kind kind)
{
	const struct lab_op *last = find_op(r->sc, kind);

	for (u32 i = 0; i < r->sc->nr_ops; i++) {
		const struct lab_op *op = &r->sc->ops[i];

		if (op->kind == kind && op != last)
			lab_setup_error(r, last, NULL, "a second \"%s\" line; the first is line %u",
					lab_specs[kind].verb, op->line);
	}
	return last;
}

static void resolve_module(struct lab_resolver *r)
{
	const struct lab_op *op = only_op(r, LAB_OP_MODULE);
	struct lab_setup *su = r->su;
	struct seam_features f;
	bool known;

	snprintf(su->profile, sizeof(su->profile), "1.5.28");
	if (op && lab_set(op, "profile"))
		snprintf(su->profile, sizeof(su->profile), "%s",
			 lab_string(r->sc, (u32)lab_num(op, "profile", 0)));
	known = seam_profile_features(su->profile, &f);
	assert(known);
	(void)known;
	su->dynamic_pamt = f.dynamic_pamt;
	if (!op)
		return;
	if (lab_num(op, "dynamic_pamt", 0) && !f.dynamic_pamt)
		lab_setup_error(r, op, "dynamic_pamt",
				"profile %s has no Dynamic PAMT; it comes with 1.5.20",
				su->profile);
	if (lab_num(op, "enhanced_demote_interruptibility", 0) && !f.enh_demote)
		lab_setup_error(r, op, "enhanced_demote_interruptibility",
				"profile %s does not have feature bit 51; it comes with 1.5.28",
				su->profile);
	su->dynamic_pamt = f.dynamic_pamt && lab_num(op, "dynamic_pamt", 1);
	if (lab_set(op, "enhanced_demote_interruptibility"))
		su->enh_demote = lab_num(op, "enhanced_demote_interruptibility", 0) ? 1 : -1;
	su->non_blocking_resize = lab_num(op, "non_blocking_resize", 0);
}

static void resolve_host(struct lab_resolver *r)
{
	const struct lab_op *op = only_op(r, LAB_OP_HOST);
	struct lab_setup *su = r->su;

	su->cpus = 4;
	su->mem = 4ULL << 30;
	if (!op)
		return;
	if (lab_set(op, "cpus"))
		su->cpus = (u32)lab_num(op, "cpus", 4);
	if (!su->cpus || lab_num(op, "cpus", 4) > 64) {
		lab_setup_error(r, op, "cpus", "a host has 1 to 64 CPUs");
		su->cpus = 4;
	}
	su->mem = lab_num(op, "mem", su->mem);
	if (!su->mem || su->mem % (2ULL << 20) || su->mem > 1ULL << 45) {
		lab_setup_error(r, op, "mem", "memory is a multiple of 2M, at most 32T");
		su->mem = 4ULL << 30;
	}
}

static void resolve_tds(struct lab_resolver *r)
{
	struct lab_setup *su = r->su;

	for (u32 i = 0; i < r->sc->nr_ops; i++) {
		const struct lab_op *op = &r->sc->ops[i];
		struct lab_td_setup *td = &su->td[su->nr_tds];

		if (op->kind != LAB_OP_TD)
			continue;
		if (su->nr_tds == LAB_TDS) {
			lab_setup_error(r, op, NULL, "at most %d TDs", LAB_TDS);
			return;
		}
		snprintf(td->name, sizeof(td->name), "%s",
			 lab_string(r->sc, (u32)lab_num(op, "NAME", 0)));
		for (u32 j = 0; j < su->nr_tds; j++) {
			if (!strcmp(su->td[j].name, td->name))
				lab_setup_error(r, op, NULL,
						"a second TD with the same name; "
						"several need names: td NAME ...");
		}
		td->vcpus = (u32)lab_num(op, "vcpus", 2);
		if (!td->vcpus || lab_num(op, "vcpus", 2) > LAB_VCPUS) {
			lab_setup_error(r, op, "vcpus", "a TD has 1 to %d vCPUs", LAB_VCPUS);
			td->vcpus = 2;
		}
		td->sept_ve_disable = lab_num(op, "sept_ve_disable", 1);
		td->hosts = 1;
		su->nr_tds++;
	}
	if (!su->nr_tds) {
		su->td[0] = (struct lab_td_setup){.vcpus = 2, .hosts = 1, .sept_ve_disable = true};
		su->nr_tds = 1;
	}
}

static struct lab_gmem_setup *find_gmem(struct lab_setup *su, const char *name, u32 *index)
{
	for (*index = 0; *index < su->nr_gmems; (*index)++) {
		if (!strcmp(su->gmem[*index].name, name))
			return &su->gmem[*index];
	}
	return NULL;
}

static struct lab_gmem_setup *add_gmem(struct lab_setup *su, const char *name)
{
	struct lab_gmem_setup *g = &su->gmem[su->nr_gmems++];

	memset(g, 0, sizeof(*g));
	snprintf(g->name, sizeof(g->name), "%s", name);
	g->gmem.name = g->name;
	g->gmem.size = 4ULL << 20;
	g->gmem.backing = GMEM_HUGETLB_2M;
	g->td = LAB_TDS;
	lab_gmem_policy_defaults(g);
	return g;
}

static void resolve_gmems(struct lab_resolver *r)
{
	struct lab_setup *su = r->su;

	for (u32 i = 0; i < r->sc->nr_ops; i++) {
		const struct lab_op *op = &r->sc->ops[i];
		struct lab_gmem_setup *g;
		const char *name;
		u32 index;

		if (op->kind != LAB_OP_GMEM)
			continue;
		name = lab_string(r->sc, (u32)lab_num(op, "NAME", 0));
		if (find_gmem(su, name, &index) || su->nr_gmems >= LAB_SLOTS / 2) {
			lab_setup_error(r, op, "NAME",
					"a second gmem file of this name, or too many");
			continue;
		}
		g = add_gmem(su, name);
		g->gmem.size = lab_num(op, "size", g->gmem.size);
		g->gmem.backing = (enum gmem_backing)lab_num(op, "backing", GMEM_HUGETLB_2M);
		g->gmem.hvo = lab_num(op, "hvo", 0);
		if (!g->gmem.size || g->gmem.size % SETUP_PAGE)
			lab_setup_error(r, op, "size",
					"a file's size is a multiple of 4K, and not 0");
		lab_setup_gmem_policy(r, op, g);
	}
}

/* The TD that a value or an action names. */
u32 lab_setup_td(const struct lab_scenario *sc, const struct lab_setup *su, u32 td)
{
	const char *name = lab_string(sc, td);

	if (!td)
		return 0;
	for (u32 i = 0; i < su->nr_tds; i++) {
		if (!strcmp(su->td[i].name, name))
			return i;
	}
	return LAB_TDS;
}

u32 lab_setup_slot(const struct lab_setup *su, u32 td, u32 number)
{
	for (u32 i = 0; i < su->nr_slots; i++) {
		if (su->slot[i].td == td && su->slot[i].number == number)
			return i;
	}
	return LAB_SLOTS;
}

u32 lab_setup_slot_at(const struct lab_setup *su, u32 td, u64 gpa)
{
	for (u32 i = 0; i < su->nr_slots; i++) {
		const struct lab_slot_setup *s = &su->slot[i];

		if (s->td == td && gpa >= s->gpa && gpa - s->gpa < s->size)
			return i;
	}
	return LAB_SLOTS;
}

u64 lab_setup_gpa(const struct lab_scenario *sc, const struct lab_setup *su,
		  const struct lab_val *v, u32 *td)
{
	u32 slot;

	if (v->td)
		*td = lab_setup_td(sc, su, v->td);
	if (!v->ref)
		return v->num;
	slot = lab_setup_slot(su, *td, v->ref - 1);
	assert(slot < LAB_SLOTS); /* setup_check.c has looked */
	return su->slot[slot].gpa + v->num;
}

u64 lab_op_gpa(const struct lab_scenario *sc, const struct lab_setup *su, const struct lab_op *op,
	       const char *key, u32 *td)
{
	*td = lab_setup_td(sc, su, op->td);
	return lab_setup_gpa(sc, su, lab_get(op, key), td);
}

/* Whether two ranges have a byte in common. */
static bool overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

static void add_slot(struct lab_resolver *r, const struct lab_op *op, struct lab_slot_setup s)
{
	struct lab_setup *su = r->su;
	struct lab_gmem_setup *g = &su->gmem[s.gmem];

	if ((s.gpa | s.size | s.offset) % SETUP_PAGE || !s.size || s.gpa + s.size > 1ULL << 47) {
		lab_setup_error(r, op, NULL,
				"gpa, size and offset are multiples of 4K below the "
				"shared bit (47), and the size is not 0");
		return;
	}
	if (s.offset + s.size > g->gmem.size) {
		lab_setup_error(r, op, NULL,
				"the slot reaches 0x%llx of %s, which has 0x%llx bytes",
				s.offset + s.size, g->name, g->gmem.size);
		return;
	}
	if (g->td != LAB_TDS && g->td != s.td) {
		lab_setup_error(r, op, NULL, "%s already belongs to another TD", g->name);
		return;
	}
	for (u32 i = 0; i < su->nr_slots; i++) {
		const struct lab_slot_setup *o = &su->slot[i];

		if (o->td == s.td && o->number == s.number)
			lab_setup_error(r, op, NULL, "a second slot %u", s.number);
		else if (o->td == s.td && overlap(o->gpa, o->size, s.gpa, s.size))
			lab_setup_error(r, op, NULL, "the slot overlaps slot %u", o->number);
		else if (o->gmem == s.gmem && overlap(o->offset, o->size, s.offset, s.size))
			lab_setup_error(r, op, NULL, "the slot's part of %s is slot %u's too",
					g->name, o->number);
	}
	g->td = s.td;
	su->slot[su->nr_slots++] = s;
}

/* The gmem file of a slot line, made if it is the default g0 and no line declares it. */
static bool slot_gmem(struct lab_resolver *r, const struct lab_op *op, struct lab_slot_setup *s)
{
	struct lab_setup *su = r->su;
	const struct lab_val *v = op ? lab_get(op, "gmem") : NULL;
	const char *name = "g0";
	struct lab_gmem_setup *g;

	if (v && v->set)
		name = lab_string(r->sc, v->ref);
	else if (su->nr_gmems)
		name = su->gmem[0].name;
	s->offset = v && v->set ? v->num : 0;
	g = find_gmem(su, name, &s->gmem);
	if (!g && !strcmp(name, "g0")) {
		s->gmem = su->nr_gmems;
		g = add_gmem(su, "g0");
		if (op && lab_set(op, "size"))
			g->gmem.size = s->offset + lab_num(op, "size", 0);
	}
	if (!g) {
		lab_setup_error(r, op, "gmem", "no gmem line declares \"%s\"", name);
		return false;
	}
	s->size = g->gmem.size > s->offset ? g->gmem.size - s->offset : 0;
	if (op)
		s->size = lab_num(op, "size", s->size);
	return true;
}

static void resolve_slots(struct lab_resolver *r)
{
	struct lab_setup *su = r->su;

	for (u32 i = 0; i < r->sc->nr_ops; i++) {
		const struct lab_op *op = &r->sc->ops[i];
		struct lab_slot_setup s = {0};
		const struct lab_val *n;

		if (op->kind != LAB_OP_SLOT)
			continue;
		n = lab_get(op, "N");
		s.td = lab_setup_td(r->sc, su, n->td);
		s.number = (u32)n->num;
		s.gpa = lab_num(op, "gpa", 0x80000000);
		s.uaddr_unaligned = lab_num(op, "uaddr", 0);
		if (s.td == LAB_TDS)
			lab_setup_error(r, op, "N", "no td line names \"%s\"",
					lab_string(r->sc, n->td));
		else if (su->nr_slots >= LAB_SLOTS / 2)
			lab_setup_error(r, op, "N", "at most %d slots", LAB_SLOTS / 2);
		else if (slot_gmem(r, op, &s))
			add_slot(r, op, s);
	}
	/* Without a slot line: slot 0 of every TD, on the first file, or on one of its own. */
	for (u32 td = 0; td < su->nr_tds && !find_op(r->sc, LAB_OP_SLOT); td++) {
		struct lab_slot_setup s = {.td = td, .gpa = 0x80000000};
		char name[16];

		if (!td && slot_gmem(r, NULL, &s)) {
			add_slot(r, find_op(r->sc, LAB_OP_GMEM), s);
		} else if (td) {
			snprintf(name, sizeof(name), "g%u", td);
			s.gmem = su->nr_gmems;
			s.size = add_gmem(su, name)->gmem.size;
			add_slot(r, NULL, s);
		}
	}
}

/* Initial memory: in the slot around it, else in a slot and a file of 4K pages of its own. */
static void add_region(struct lab_resolver *r, const struct lab_op *op, u32 td, u64 gpa, u64 size)
{
	struct lab_setup *su = r->su;
	u32 slot = lab_setup_slot_at(su, td, gpa), n = su->nr_regions;
	struct lab_gmem_setup *g;
	char name[32];

	if (gpa % SETUP_PAGE || size % SETUP_PAGE || !size || gpa + size > 1ULL << 47) {
		lab_setup_error(r, op, NULL,
				"a region is a multiple of 4K, at a multiple of 4K below the "
				"shared bit (47)");
		return;
	}
	if (n == LAB_SLOTS / 2 || su->nr_gmems == LAB_SLOTS) {
		lab_setup_error(r, op, NULL, "at most %d regions, and %d gmem files with theirs",
				LAB_SLOTS / 2, LAB_SLOTS);
		return;
	}
	if (slot == LAB_SLOTS) {
		struct lab_slot_setup s = {td, 0, gpa, size, su->nr_gmems, 0, true};

		for (s.number = 100; lab_setup_slot(su, td, s.number) != LAB_SLOTS; s.number++)
			;
		snprintf(name, sizeof(name), "region%u", n);
		g = add_gmem(su, name);
		g->gmem.size = size;
		g->gmem.backing = GMEM_4K;
		slot = su->nr_slots;
		add_slot(r, op, s);
	} else if (gpa + size > su->slot[slot].gpa + su->slot[slot].size) {
		lab_setup_error(r, op, NULL, "the region ends outside slot %u",
				su->slot[slot].number);
		return;
	}
	su->region[n].td = td;
	su->region[n].slot = slot;
	su->region[n].gpa = gpa;
	su->region[n].size = size;
	su->nr_regions++;
}

static bool any_slot(const struct lab_setup *su, u32 td, u64 gpa, u64 size)
{
	for (u32 i = 0; i < su->nr_slots; i++) {
		const struct lab_slot_setup *s = &su->slot[i];

		if (s->td == td && overlap(s->gpa, s->size, gpa, size))
			return true;
	}
	return false;
}

static void resolve_regions(struct lab_resolver *r)
{
	struct lab_setup *su = r->su;
	bool given[LAB_TDS] = {false};

	for (u32 i = 0; i < r->sc->nr_ops; i++) {
		const struct lab_op *op = &r->sc->ops[i];
		u32 td;

		if (op->kind != LAB_OP_REGION)
			continue;
		td = lab_setup_td(r->sc, su, (u32)lab_num(op, "td", 0));
		if (td == LAB_TDS) {
			lab_setup_error(r, op, "td", "no td line names it");
			continue;
		}
		given[td] = true;
		if (!lab_num(op, "none", 0))
			add_region(r, op, td, lab_num(op, "GPA", 0),
				   lab_num(op, "SIZE", DEFAULT_REGION));
	}
	/* The default gives way to a slot that a line has put there. */
	for (u32 td = 0; td < su->nr_tds; td++) {
		if (!given[td] && !any_slot(su, td, 0, DEFAULT_REGION))
			add_region(r, NULL, td, 0, DEFAULT_REGION);
	}
}

u32 lab_setup_resolve(const struct lab_scenario *sc, struct lab_setup *su, struct lab_diag *d)
{
	struct lab_resolver r = {sc, su, d};
	u32 before = d->errors;

	memset(su, 0, sizeof(*su));
	resolve_module(&r);
	resolve_host(&r);
	resolve_tds(&r);
	lab_setup_kvm_policy(&r, only_op(&r, LAB_OP_KVM));
	resolve_gmems(&r);
	resolve_slots(&r);
	resolve_regions(&r);
	lab_setup_join_policies(&r, find_op(sc, LAB_OP_KVM));
	lab_setup_check(&r);
	return d->errors - before;
}

int lab_actor_name(const struct lab_setup *su, u32 td, bool vcpu, u32 index, char *buf, size_t len)
{
	const char *name = su->td[td].name, *dot = *name ? "." : "";

	if (vcpu)
		return snprintf(buf, len, "%s%svcpu%u", name, dot, index);
	if (index)
		return snprintf(buf, len, "%s%shost%u", name, dot, index);
	return snprintf(buf, len, "%s%shost", name, dot);
}

void lab_setup_describe(const struct lab_setup *su, char *buf, size_t len)
{
	int row = policy_find(kvm_policies, "series");

	snprintf(buf, len,
		 "profile %s, dynamic_pamt=%s%s, tdx_huge_page=%s, series=%s, %s=%s%s%s%s",
		 su->profile, su->dynamic_pamt ? "on" : "off",
		 su->enh_demote < 0 ? ", enhanced_demote_interruptibility=off" : "",
		 su->tdx_huge_page ? "on" : "off",
		 row >= 0 ? kvm_policies[row].values[su->kvm_policy[row]] : "?",
		 su->nr_gmems ? su->gmem[0].name : "gmem",
		 su->nr_gmems ? lab_words_backing[su->gmem[0].gmem.backing] : "none",
		 su->non_blocking_resize ? ", non_blocking_resize=on (an assumption)" : "",
		 kvm_mmu_tree() ? ", MMU of kernel tree " : "",
		 kvm_mmu_tree() ? kvm_mmu_tree() : "");
}
