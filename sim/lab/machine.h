/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine that a scenario runs on, as the lab sees it: TDs, actors and what they are doing,
 * results, recorded calls. All of it lies in the world (root 0), so that saving a world saves a run
 * in the middle. Driving it from outside is session.h; what an action does is host_act.c,
 * vcpu_act.c, guest.c; judging is expect.c, oracle*.c.
 *
 * Invariants:
 *  - ops [block, block + block_nr) are the actions under way: one action, or a parallel block.
 *    Every actor does its own lines of them in order; between blocks every actor is idle.
 *  - result[i] belongs to op block + i.
 */
#ifndef LAB_MACHINE_H
#define LAB_MACHINE_H

#include "sim/lab/setup.h"
#include "sim/rt/sched.h"
#include "tdx/seam.h"

struct lab_model;

/* How an action ended. */
struct lab_outcome {
	bool done;
	bool ok;     /* what "expect ok" asks */
	bool ve;     /* ended with a #VE */
	bool exited; /* ended with an exit to the VMM: exit_reason */
	bool has_status, has_value, has_err_gpa;
	u8 injected; /* another exception, its vector */
	int err;     /* errno of the call, positive; LAB_SIGBUS; 0 */
	u32 exit_reason;
	u64 status; /* RAX of the last instruction */
	u64 value;  /* that was read */
	u64 err_gpa;
	u64 bytes;		/* prefault: mapped; accept: accepted */
	u32 pages_4k, pages_2m; /* accept: pieces that succeeded */
	u64 fault_gpa;		/* of an exit to the VMM, or a #VE */
};

struct lab_result {
	struct lab_outcome out;
	u64 first_step, last_step;
};

/* SEAMCALLs in order of entry; runs of one leaf by one actor for one op are folded. */
struct lab_rec {
	u32 op; /* index, LAB_NO_OP outside of any */
	u16 leaf, actor;
	u32 count;
};
#define LAB_NO_OP 0xffffffffU

/* What a vCPU's guest is executing. */
struct lab_job {
	u32 op;	       /* LAB_NO_OP: nothing */
	u64 gpa, end;  /* cursor and end of an accept */
	u64 small_end; /* accept without level: go through at 4K up to here */
	u64 entry_gpa; /* waiting for this S-EPT entry to be free */
	bool same_rip; /* the next instruction is the one that exited */
	bool vmcall;   /* a TDVMCALL is out */
	u32 retries;   /* mapgpa: RETRY without progress */
	u64 map_next;  /* mapgpa: where to go on */
	/* Of its last EPT violation (oracle_watch.c). */
	u64 exit_gpa, exit_qual, exit_changes;
	u32 equal_exits;
};

struct lab_td;

struct lab_actor {
	char name[40];
	u32 id; /* in the machine, equals the runtime's */
	struct lab_td *td;
	struct rt_actor *rt;
	u32 next;      /* op that it does next in this block, LAB_NO_OP: none */
	u32 doing;     /* LAB_NO_OP: none */
	u32 last_leaf; /* and what the module answered */
	u64 last_rax;
	bool refused; /* its last entry, for a fault that the module remembers */
	bool saw_end; /* its own call was what ended the VM: it knows that the VM is dead */
	bool vcpu;
	u32 index;
	/* of a vCPU: */
	struct kvm_vcpu *kvcpu;
	u32 cpu;
	bool running; /* its thread is to be in KVM_RUN */
	bool in_run;  /* it is */
	u32 stop;     /* others who want it out of KVM_RUN */
	u32 lp;	      /* of the last entry */
	struct lab_job job;
	/*
	 * SEAMCALL that was BUSY when this actor made it last, how often in a row, and in which line
	 * (oracle_retry.c).
	 */
	u32 busy_leaf, busy, busy_op;
	bool busy_foreign; /* one of these was injected, or met a call past KVM (excuse.c) */
	bool beside_raw, beside_change; /* calls past KVM were under way during its own */
};

struct lab_td {
	u32 index;
	struct kvm *kvm; /* NULL before the build and after destroy */
	bool making, built, destroyed;
	bool tainted; /* a SEAMCALL past KVM changed its tables: rules about tables end */
	bool tracked; /* a TRACK past KVM moved its epoch, and none of KVM's has since (excuse.c) */
	bool excused; /* KVM had no choice: its own reports about this TD are no violations */
	int build_err;
	bool was_bugged; /* when it was destroyed: what KVM leaked then is no finding */
	/* calls of the VMM on it that are under way: a close waits for them, as a descriptor does */
	u32 users;
	u32 closers; /* closes under way */
	struct lab_actor *host[LAB_HOSTS];
	struct lab_actor *vcpu[LAB_VCPUS];
	struct lab_model *model;
	u64 *inhibited; /* gfn << 2 | level whose GUEST_INHIBIT has been seen */
	u32 nr_inhibited, cap_inhibited;
};

struct lab_armed {
	u32 op, fault; /* op index, id of sim/rt/fault.h */
};

struct lab_machine {
	const struct lab_scenario *sc; /* outside of the world, constant while it runs */
	const struct lab_setup *su;
	struct seam *seam;
	struct kvm_host *host;
	struct lab_td td[LAB_TDS];
	struct kvm_gmem_file *file[LAB_SLOTS]; /* of su->gmem[]; NULL: closed or not made */
	bool slot_in[LAB_SLOTS];	       /* of su->slot[] */
	u64 pages_before;		       /* host pages in use before the first build */
	struct lab_actor *actor;	       /* [nr_actors], index = id */
	u32 nr_actors;
	u32 block, block_nr;
	bool parallel;
	u32 pamt_kept; /* PAMT.REMOVEs of KVM's that failed: each leaves a count that is one too large */
	bool all_excused; /* as of a TD, of all of them (excuse.c) */
	bool told_excused; /* KVM has reported something that was excused: what it keeps is no leak */
	u32 raw_calls,
		raw_changes;	/* SEAMCALLs past KVM that are under way, and that change tables */
	bool timeless;		/* results do not say at which steps they came */
	u32 build_td;		/* TDs to build, as a mask: the implied build, by the first actor */
	bool destroy_all;	/* the implied end, by the first actor */
	bool ending;		/* it has been asked for */
	struct lab_td *implied; /* that the first actor builds or closes so; NULL: none */
	struct lab_result *result; /* [block_nr] */
	struct lab_rec *rec;
	u32 nr_rec, cap_rec;
	struct lab_armed *armed;
	u32 nr_armed;
	u64 spare_pages; /* of page0 ..: HPA of the first */
	u32 spare_lp;	 /* LP on which the VMM's own SEAMCALLs run */
	u64 reaccept_pages;
	struct lab_seen *seen; /* of su->gmem[], at the last quiescent point (oracle_convert.c) */
};

/* The machine of the current world. */
struct lab_machine *lab_machine(void);

/* Actors are at work on a parallel block. */
static inline bool lab_in_parallel(const struct lab_machine *m)
{
	return m && m->parallel && m->block_nr;
}

/*
 * World to machine: module, host, actors; nothing is built. NULL and a sentence in @err if the
 * module refuses the set-up.
 */
struct lab_machine *lab_machine_new(const struct lab_scenario *sc, const struct lab_setup *su,
				    char *err, size_t len);
/* What of @su the kernel tree under this program can't do; NULL: nothing. Needs no world. */
const char *lab_machine_lacks(const struct lab_setup *su);
/* The actor that does @op; the one that runs now (NULL: none of ours). */
struct lab_actor *lab_op_actor(struct lab_machine *m, const struct lab_op *op);
struct lab_actor *lab_actor_current(struct lab_machine *m);
struct lab_actor *lab_actor_by_name(struct lab_machine *m, const char *name);
struct lab_result *lab_result(struct lab_machine *m, u32 op);
const struct lab_op *lab_op(const struct lab_machine *m, u32 op);

/* The actions [first, first + nr) are given out to their actors. */
void lab_block_begin(struct lab_machine *m, u32 first, u32 nr, bool parallel);
/* Take the actor's next line of the block: its index, which it is doing from now on. Finish it. */
u32 lab_take(struct lab_actor *a);
void lab_finish(struct lab_actor *a);

/* A call to the module is about to begin (point hook). */
void lab_record_call(struct lab_machine *m, u32 actor, u32 leaf);
/*
 * What @op, or everybody (LAB_NO_OP) called, unfolded into @leaf[]: their number, or what there
 * would be beyond @max.
 */
u32 lab_recorded(const struct lab_machine *m, u32 op, u16 *leaf, u32 max);

/* Bodies of the actors. */
void lab_host_main(void *arg);
void lab_vcpu_main(void *arg);
/* One action of the VMM, on the running actor. */
void lab_host_action(struct lab_machine *m, struct lab_actor *a, const struct lab_op *op,
		     struct lab_outcome *out);
/*
 * Build, and close everything, of one TD. 0 or -errno. A step by itself is for threads that build
 * one TD together: @vcpu alone, or LAB_VCPUS for all that are not there yet.
 */
enum lab_build_step {
	LAB_BUILD_ALL,
	LAB_BUILD_VM,
	LAB_BUILD_MEMORY,
	LAB_BUILD_VCPUS,
	LAB_BUILD_REGIONS,
	LAB_BUILD_FINALIZE,
};
int lab_build(struct lab_machine *m, struct lab_td *td);
int lab_build_step(struct lab_machine *m, struct lab_td *td, enum lab_build_step step, u32 vcpu);
int lab_destroy(struct lab_machine *m, struct lab_td *td);
int lab_set_slot(struct lab_machine *m, u32 slot, bool present);
/*
 * KVM_SET_MEMORY_ATTRIBUTES2 per slot, or KVM_SET_MEMORY_ATTRIBUTES (vm_attrs=on); *@done: bytes
 * converted.
 */
int lab_convert(struct lab_machine *m, struct lab_td *td, u64 gpa, u64 size, bool to_private,
		struct lab_outcome *out);
bool lab_vm_attrs(const struct lab_setup *su);

/* A line that the thread does, not the guest. */
bool lab_is_thread_op(const struct lab_machine *m, u32 op);
/* A vCPU's thread: out of KVM_RUN and held there, and let go again. */
void lab_vcpu_stop(struct lab_actor *v);
void lab_vcpu_go(struct lab_actor *v);
/* The guest program (mmu/kvm_vm.h) and whether it has something to do. */
void lab_guest_run(struct kvm_vcpu *vcpu, u32 lp, struct seam_regs *r);
bool lab_guest_has_work(const struct kvm_vcpu *vcpu);
void lab_job_start(struct lab_actor *v, u32 op);
/* The job ends; its outcome is complete. */
void lab_job_end(struct lab_actor *v);
/* The operands of a raw call. */
void lab_set_regs(struct lab_machine *m, const struct lab_op *op, u32 td, struct seam_regs *r);

/* Flags in what kvm_look_lpage() gives. */
#define LAB_LPAGE_MIXED	  (1U << 31)
#define LAB_LPAGE_INHIBIT (1U << 30)

/* gpa to gmem file and offset; false where no slot is. */
bool lab_file_at(struct lab_machine *m, u32 td, u64 gpa, u32 *gmem, u64 *offset);
/* Host page behind a gpa: the mirror's, else guest_memfd's; false if there is none. */
bool lab_host_page(struct lab_machine *m, struct lab_td *td, u64 gpa, u64 *hpa);
bool lab_is_private(struct lab_machine *m, struct lab_td *td, u64 gpa);

#endif
