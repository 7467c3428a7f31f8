// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine's tables in the debugger: S-EPT, mirror, lpage_info, PAMT, folio, attribute, data, TLB,
 * statistics. Nothing here changes the machine.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/debug_int.h"
#include "sim/lab/event.h"
#include "sim/lab/run.h"
#include "sim/lab/stats.h"
#include "sim/lab/words.h"
#include "sim/rt/phys.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"

struct place {
	struct lab_debugger *d;
	struct lab_td *td;
	u64 gpa;
};

static const char *kvm_level(u8 level)
{
	return lab_event_level(level ? level - 1u : 0);
}

/* The walk to the page, from the top: where it ends is the last line. */
static bool print_sept(struct place *p, const char *args)
{
	const struct seam *seam = p->d->s->m->seam;
	struct seam_sept_view v;
	char word[40], *text;
	u64 size;

	if (lab_debug_word(&args, word, sizeof(word))) {
		if (!lab_debug_number(word, &size) || !size)
			return lab_debug_wrong(p->d, "found \"%s\", expected a size in bytes",
					       word);
		text = lab_draw_sept(p->d->s, p->td->index, p->gpa & ~(size - 1), size);
		fputs(text ? text : "", p->d->out);
		free(text);
		return true;
	}
	for (int level = 4; level >= 0; level--) {
		if (!seam_look_sept(seam, kvm_tdr(p->td->kvm), p->gpa, (u8)level, &v) ||
		    v.level != level)
			continue;
		fprintf(p->d->out, "S-EPT 0x%llx %s: %s%s",
			p->gpa & ~(SEAM_LEVEL_SIZE(v.level) - 1), lab_event_level(v.level),
			seam_sept_state_name(v.state), v.leaf ? ", leaf" : "");
		if (v.hpa)
			fprintf(p->d->out, ", host 0x%llx", v.hpa);
		fprintf(p->d->out, "%s%s%s\n", v.locked ? ", locked" : "",
			v.hp ? ", host priority" : "", v.tracked ? ", tracked" : "");
	}
	return true;
}

static bool put_spte(void *ctx, const struct kvm_spte_view *v)
{
	const struct place *p = ctx;
	u64 size = 1ULL << (12 + 9 * (v->level - 1));

	if (p->gpa - (v->gfn << 12) >= size)
		return true;
	fprintf(p->d->out, "mirror 0x%llx %s: %s", v->gfn << 12, kvm_level(v->level),
		v->frozen ? "frozen"
		: v->leaf ? "leaf"
			  : "table");
	if (!v->frozen)
		fprintf(p->d->out, ", pfn 0x%llx, spte 0x%llx", v->pfn, v->spte);
	fputc('\n', p->d->out);
	return true;
}

static bool print_mirror(struct place *p, const char *args)
{
	struct kvm_spte_view v;

	kvm_for_each_spte(p->td->kvm, true, p->gpa >> 12, 1, put_spte, p);
	if (!kvm_look_spte(p->td->kvm, true, p->gpa >> 12, &v))
		fprintf(p->d->out, "mirror 0x%llx: no leaf\n", p->gpa);
	return true;
}

static bool print_lpage(struct place *p, const char *args)
{
	for (u8 level = 2; level <= 3; level++) {
		u32 word = kvm_look_lpage(p->td->kvm, p->gpa >> 12, level);

		if (word == ~0U)
			fprintf(p->d->out, "lpage_info %s: no slot\n", kvm_level(level));
		else
			fprintf(p->d->out, "lpage_info %s: count %u%s%s\n", kvm_level(level),
				word & ~(LAB_LPAGE_INHIBIT | LAB_LPAGE_MIXED),
				word & LAB_LPAGE_INHIBIT ? ", guest inhibit" : "",
				word & LAB_LPAGE_MIXED ? ", mixed" : "");
	}
	return true;
}

static bool print_pamt(struct place *p, const char *args)
{
	struct lab_machine *m = p->d->s->m;
	struct seam_pamt_view v;
	struct seam_pair_view pair;
	u64 hpa;

	if (!lab_host_page(m, p->td, p->gpa, &hpa)) {
		fprintf(p->d->out, "no host page is behind 0x%llx\n", p->gpa);
		return true;
	}
	if (seam_look_pamt(m->seam, hpa, &v))
		fprintf(p->d->out, "PAMT 0x%llx: type %u at %s, owner 0x%llx, lock 0x%x\n", hpa,
			v.type, lab_event_level(v.level), v.owner, v.lock_word);
	if (seam_look_pair(m->seam, hpa, &pair) && pair.has_pair)
		fprintf(p->d->out, "Dynamic PAMT pair: 0x%llx 0x%llx, %u pages at 4K\n", pair.hpa0,
			pair.hpa1, pair.count);
	fprintf(p->d->out, "KVM's count of the 2M: %llu\n",
		kvm_look_pamt_count(m->host, hpa >> 12));
	return true;
}

static bool print_folio(struct place *p, const char *args)
{
	struct lab_machine *m = p->d->s->m;
	struct gmem_folio_view f;
	u64 offset;
	u32 gmem;

	if (!lab_file_at(m, p->td->index, p->gpa, &gmem, &offset) ||
	    !kvm_gmem_look_folio(m->file[gmem], offset >> 12, &f)) {
		fprintf(p->d->out, "no folio is behind 0x%llx\n", p->gpa);
		return true;
	}
	fprintf(p->d->out, "folio of pages 0x%llx+%llu, pfn 0x%llx, references %u%s%s%s%s\n",
		f.index, 1ULL << f.order, f.pfn, f.refcount, f.frozen ? ", frozen" : "",
		f.hwpoison ? ", poisoned" : "", f.uptodate ? "" : ", not zeroed",
		f.hvo ? ", vmemmap given back" : "");
	return true;
}

static bool print_attr(struct place *p, const char *args)
{
	fprintf(p->d->out, "0x%llx is %s\n", p->gpa,
		lab_words_attr[lab_is_private(p->d->s->m, p->td, p->gpa)]);
	return true;
}

static bool print_data(struct place *p, const char *args)
{
	struct lab_machine *m = p->d->s->m;
	bool private = lab_is_private(m, p->td, p->gpa);
	u64 hpa, val;

	if (!lab_host_page(m, p->td, p->gpa, &hpa))
		fprintf(p->d->out, "no host page is behind 0x%llx\n", p->gpa);
	else if (rt_phys_read(hpa & ~7ULL, private ? kvm_hkid(p->td->kvm) : 0, &val))
		fprintf(p->d->out, "0x%llx: 0x%llx (host 0x%llx)\n", p->gpa, val, hpa);
	else
		fprintf(p->d->out, "0x%llx: data of another key (host 0x%llx)\n", p->gpa, hpa);
	return true;
}

static bool put_tlb(void *ctx, const struct seam_tlb_view *v)
{
	struct lab_debugger *d = ctx;

	fprintf(d->out, "  0x%llx %s -> host 0x%llx%s%s\n", v->gpa, lab_event_level(v->level),
		v->hpa, v->shared ? ", shared" : "", v->stale ? ", STALE" : "");
	return true;
}

static bool print_tlb(struct lab_debugger *d, const char *args)
{
	char word[40] = "";
	struct lab_actor *a;

	lab_debug_word(&args, word, sizeof(word));
	a = lab_debug_actor(d, word);
	if (!a)
		return false;
	if (!a->vcpu || !a->kvcpu)
		return lab_debug_wrong(d, "%s is no vCPU, or its TD is not built", a->name);
	fprintf(d->out, "translations that %s may use:\n", a->name);
	seam_for_each_tlb(d->s->m->seam, kvm_tdvpr(a->kvcpu), put_tlb, d);
	return true;
}

/* Statistics whose name begins so. */
static bool print_stat(struct lab_debugger *d, const char *args)
{
	char word[60] = "";
	const char *name;
	u32 n = 0;

	lab_debug_word(&args, word, sizeof(word));
	for (u32 i = 0; (name = lab_stat_name(i)); i++) {
		if (strncmp(name, word, strlen(word)))
			continue;
		fprintf(d->out, "%-38s %llu\n", name, lab_stat(d->s->m, name));
		n++;
	}
	return n || lab_debug_wrong(d, "no statistic begins with \"%s\" (tdxsim list stats)", word);
}

static bool print_td(struct lab_debugger *d)
{
	const struct lab_machine *m = d->s->m;
	struct seam_td_view v;

	for (u32 t = 0; t < m->su->nr_tds; t++) {
		if (!m->td[t].kvm || !seam_look_td(m->seam, kvm_tdr(m->td[t].kvm), &v)) {
			fprintf(d->out, "TD %u: not built\n", t);
			continue;
		}
		fprintf(d->out,
			"TD %u: TDR 0x%llx, HKID %u, epoch %llu, vCPUs of the epoch and before %u %u, %llu pages%s%s\n",
			t, kvm_tdr(m->td[t].kvm), v.hkid, v.epoch, v.refcount[v.epoch & 1],
			v.refcount[(v.epoch & 1) ^ 1], v.child_count, v.fatal ? ", fatal" : "",
			kvm_is_bugged(m->td[t].kvm) ? ", bugged" : "");
	}
	return true;
}

static const struct {
	const char *word;
	bool (*print)(struct place *p, const char *args);
} tables[] = {
	{"sept", print_sept}, {"mirror", print_mirror}, {"lpage", print_lpage},
	{"pamt", print_pamt}, {"folio", print_folio},	{"attr", print_attr},
	{"data", print_data},
};

bool lab_debug_print(struct lab_debugger *d, const char *args)
{
	char what[40] = "", word[60] = "";
	struct place p = {.d = d};
	u32 td = 0;

	lab_debug_word(&args, what, sizeof(what));
	if (!strcmp(what, "tlb"))
		return print_tlb(d, args);
	if (!strcmp(what, "stat"))
		return print_stat(d, args);
	if (!strcmp(what, "td"))
		return print_td(d);
	for (u32 i = 0; i < RT_ARRAY_SIZE(tables); i++) {
		if (strcmp(tables[i].word, what))
			continue;
		if (!lab_debug_word(&args, word, sizeof(word)))
			return lab_debug_wrong(d, "expected print %s ADDRESS", what);
		if (!lab_debug_address(d, word, &p.gpa, &td))
			return false;
		p.td = &d->s->m->td[td];
		if (!p.td->kvm)
			return lab_debug_wrong(d, "the TD is not built here");
		return tables[i].print(&p, args);
	}
	return lab_debug_wrong(
		d,
		"expected print sept, mirror, lpage, pamt, folio, attr or data with ADDRESS, tlb ACTOR, stat NAME, or td");
}
