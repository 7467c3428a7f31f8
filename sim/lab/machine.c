// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making the machine in a fresh world, and who does which line: actors, results, recorded calls.
 * What an action does is elsewhere.
 */
#include "sim/lab/machine.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/lab/model.h"
#include "sim/rt/fault.h"
#include "sim/rt/trace.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"

#define LAB_ROOT     0
#define GIB	     (1ULL << 30)
#define LAB_MEM_BASE (4 * GIB)

struct lab_machine *lab_machine(void)
{
	return rt_root(LAB_ROOT);
}

const struct lab_op *lab_op(const struct lab_machine *m, u32 op)
{
	assert(op < m->sc->nr_ops);
	return &m->sc->ops[op];
}

struct lab_result *lab_result(struct lab_machine *m, u32 op)
{
	assert(op - m->block < m->block_nr);
	return &m->result[op - m->block];
}

/*
 * One TDMR over the host's memory, and one GiB behind it that no allocator hands out: the
 * scenario's own pages.
 */
static struct seam *new_seam(struct lab_machine *m, char *err, size_t len)
{
	const struct lab_setup *su = m->su;
	u64 mem = (su->mem + GIB - 1) & ~(GIB - 1);
	struct seam_config cfg = {
		.profile = su->profile,
		.dynamic_pamt = su->dynamic_pamt,
		.enh_demote = su->enh_demote,
		.non_blocking_resize = su->non_blocking_resize,
		.lps = su->cpus + 1, /* the last one is for SEAMCALLs past KVM */
		.tdmr = {{LAB_MEM_BASE, mem + GIB}},
		.nr_tdmr = 1,
	};

	m->spare_pages = LAB_MEM_BASE + mem;
	m->spare_lp = su->cpus;
	return seam_new(&cfg, err, len);
}

static struct kvm_host_setup host_setup(const struct lab_setup *su)
{
	struct kvm_host_setup hs = {
		.cpus = su->cpus,
		.mem = su->mem,
		.mem_base = LAB_MEM_BASE,
		.tdx_huge_page = su->tdx_huge_page,
		.dynamic_pamt = su->dynamic_pamt,
	};

	memcpy(hs.policy, su->kvm_policy, sizeof(hs.policy));
	return hs;
}

const char *lab_machine_lacks(const struct lab_setup *su)
{
	const struct kvm_host_setup hs = host_setup(su);

	return kvm_mmu_lacks(&hs);
}

static bool new_host(struct lab_machine *m, char *err, size_t len)
{
	struct kvm_host_setup hs = host_setup(m->su);
	int ret;

	hs.seam = m->seam;
	ret = kvm_host_new(&hs, &m->host);
	if (ret)
		snprintf(err, len, "the host does not come up: errno %d", -ret);
	return !ret;
}

static void new_actor(struct lab_machine *m, struct lab_td *td, bool vcpu, u32 index)
{
	struct lab_actor *a = &m->actor[m->nr_actors];

	lab_actor_name(m->su, td->index, vcpu, index, a->name, sizeof(a->name));
	a->id = m->nr_actors++;
	a->td = td;
	a->vcpu = vcpu;
	a->index = index;
	a->cpu = index % m->su->cpus;
	a->next = a->doing = a->job.op = LAB_NO_OP;
	if (vcpu)
		td->vcpu[index] = a;
	else
		td->host[index] = a;
	a->rt = rt_actor_new(a->name, vcpu ? lab_vcpu_main : lab_host_main, a);
	assert(a->rt && rt_actor_id(a->rt) == a->id);
	rt_actor_set_data(a->rt, a);
}

struct lab_machine *lab_machine_new(const struct lab_scenario *sc, const struct lab_setup *su,
				    char *err, size_t len)
{
	struct lab_machine *m = rt_zalloc(sizeof(*m));
	u32 n = 0;

	rt_set_root(LAB_ROOT, m);
	m->sc = sc;
	m->su = su;
	m->seam = new_seam(m, err, len);
	if (!m->seam || !new_host(m, err, len))
		return NULL;
	kvm_set_guest_program(m->host, lab_guest_run);
	kvm_set_guest_has_work(m->host, lab_guest_has_work);
	m->pages_before = kvm_host_pages_used(m->host);
	for (u32 t = 0; t < su->nr_tds; t++)
		n += su->td[t].hosts + su->td[t].vcpus;
	m->actor = rt_zalloc(n * sizeof(*m->actor));
	for (u32 t = 0; t < su->nr_tds; t++) {
		struct lab_td *td = &m->td[t];

		td->index = t;
		td->model = lab_model_new();
		for (u32 i = 0; i < su->td[t].hosts; i++)
			new_actor(m, td, false, i);
		for (u32 i = 0; i < su->td[t].vcpus; i++)
			new_actor(m, td, true, i);
	}
	return m;
}

struct lab_actor *lab_op_actor(struct lab_machine *m, const struct lab_op *op)
{
	struct lab_td *td = &m->td[lab_setup_td(m->sc, m->su, op->td)];

	return lab_specs[op->kind].section == LAB_VCPU ? td->vcpu[op->index] : td->host[op->index];
}

struct lab_actor *lab_actor_current(struct lab_machine *m)
{
	struct rt_actor *rt = rt_actor_current();

	return rt ? rt_actor_data(rt) : NULL;
}

struct lab_actor *lab_actor_by_name(struct lab_machine *m, const char *name)
{
	for (u32 i = 0; i < m->nr_actors; i++) {
		if (!strcmp(m->actor[i].name, name))
			return &m->actor[i];
	}
	return NULL;
}

/* The actor's first line of the block at or after @from. */
static u32 next_line(struct lab_machine *m, struct lab_actor *a, u32 from)
{
	for (u32 i = from; i < m->block + m->block_nr; i++) {
		const struct lab_op *op = lab_op(m, i);

		if (lab_op_is_action(op) && lab_op_actor(m, op) == a)
			return i;
	}
	return LAB_NO_OP;
}

void lab_block_begin(struct lab_machine *m, u32 first, u32 nr, bool parallel)
{
	rt_free(m->result);
	m->result = rt_zalloc(nr * sizeof(*m->result));
	m->block = first;
	m->block_nr = nr;
	m->parallel = parallel;
	m->nr_rec = 0;
	for (u32 i = 0; i < m->nr_actors; i++)
		m->actor[i].next = next_line(m, &m->actor[i], first);
}

static const char *sym_op(u64 op, char *buf, size_t len)
{
	const struct lab_machine *m = lab_machine();

	if (!m || op >= m->sc->nr_ops)
		return NULL;
	lab_print_op(m->sc, lab_op(m, (u32)op), buf, len);
	return buf;
}

/* A span from an actor's line of the scenario to its outcome. */
static const struct rt_event_type ev_action = {
	"action",
	"lab",
	{{"op", RT_ARG_SYM, sym_op}, {"ok", RT_ARG_DEC, NULL}, {"errno", RT_ARG_DEC, NULL}},
};

u32 lab_take(struct lab_actor *a)
{
	struct lab_machine *m = lab_machine();

	assert(a->next != LAB_NO_OP && a->doing == LAB_NO_OP);
	a->doing = a->next;
	a->next = next_line(m, a, a->doing + 1);
	if (!m->timeless)
		lab_result(m, a->doing)->first_step = rt_step();
	rt_trace(&ev_action, RT_PH_BEGIN, (u64)a->doing);
	return a->doing;
}

void lab_finish(struct lab_actor *a)
{
	struct lab_machine *m = lab_machine();
	struct lab_result *res = lab_result(m, a->doing);

	res->out.done = true;
	if (!m->timeless)
		res->last_step = rt_step();
	rt_trace(&ev_action, RT_PH_END, (u64)a->doing, (u64)res->out.ok, (u64)res->out.err);
	a->doing = LAB_NO_OP;
}

void lab_record_call(struct lab_machine *m, u32 actor, u32 leaf)
{
	u32 op = actor < m->nr_actors ? m->actor[actor].doing : LAB_NO_OP;
	struct lab_rec *last = m->nr_rec ? &m->rec[m->nr_rec - 1] : NULL;

	if (leaf == SEAM_TDH_VP_ENTER)
		return;
	if (last && last->leaf == leaf && last->actor == actor && last->op == op) {
		last->count++;
		return;
	}
	if (m->nr_rec == m->cap_rec) {
		m->cap_rec = m->cap_rec ? 2 * m->cap_rec : 32;
		m->rec = rt_realloc(m->rec, m->cap_rec * sizeof(*m->rec));
	}
	m->rec[m->nr_rec++] = (struct lab_rec){op, (u16)leaf, (u16)actor, 1};
}

u32 lab_recorded(const struct lab_machine *m, u32 op, u16 *leaf, u32 max)
{
	u32 n = 0;

	for (u32 i = 0; i < m->nr_rec; i++) {
		const struct lab_rec *rec = &m->rec[i];

		for (u32 k = 0; (op == LAB_NO_OP || rec->op == op) && k < rec->count; k++, n++) {
			if (n < max)
				leaf[n] = rec->leaf;
		}
	}
	return n;
}

bool lab_file_at(struct lab_machine *m, u32 td, u64 gpa, u32 *gmem, u64 *offset)
{
	u32 slot = lab_setup_slot_at(m->su, td, gpa);

	if (slot == LAB_SLOTS)
		return false;
	*gmem = m->su->slot[slot].gmem;
	*offset = m->su->slot[slot].offset + gpa - m->su->slot[slot].gpa;
	return m->file[*gmem];
}

bool lab_host_page(struct lab_machine *m, struct lab_td *td, u64 gpa, u64 *hpa)
{
	struct kvm_spte_view spte;
	struct gmem_folio_view folio;
	u64 offset;
	u32 gmem;

	if (td->kvm && kvm_look_spte(td->kvm, true, gpa >> 12, &spte)) {
		u64 mask = (1ULL << (12 + 9 * (spte.level - 1))) - 1;

		*hpa = (spte.pfn << 12 & ~mask) | (gpa & mask);
		return true;
	}
	if (!lab_file_at(m, td->index, gpa, &gmem, &offset) ||
	    !kvm_gmem_look_folio(m->file[gmem], offset >> 12, &folio))
		return false;
	*hpa = (folio.pfn << 12) + offset - (folio.index << 12);
	return true;
}

bool lab_vm_attrs(const struct lab_setup *su)
{
	int row = policy_find(kvm_policies, "vm_attrs");

	return row >= 0 && !strcmp(kvm_policies[row].values[su->kvm_policy[row]], "on");
}

bool lab_is_private(struct lab_machine *m, struct lab_td *td, u64 gpa)
{
	u64 offset;
	u32 gmem;

	if (lab_vm_attrs(m->su))
		return td->kvm && kvm_look_private(td->kvm, gpa >> 12);
	return lab_file_at(m, td->index, gpa, &gmem, &offset) &&
	       kvm_gmem_look_private(m->file[gmem], offset >> 12);
}
