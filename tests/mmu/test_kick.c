// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPUs that are in the guest: kicks wait for them, CPUs are shared, signals get through. Actors
 * under random schedules.
 */
#include "tests/mmu/machine.h"

#include "mmu/tdx.h"
#include "sim/rt/fault.h"
#include "tdx/inspect.h"

#define SEEDS 40

/*
 * What the guests and the VMM of a test share; the guest program finds it through kvm_vcpu_data().
 */
struct stage {
	struct machine *m;
	u32 work[MACHINE_VCPUS]; /* accesses left */
	u32 entered[MACHINE_VCPUS];
	bool done; /* the VMM has finished */
	int ret[MACHINE_VCPUS];
	int host_ret;
};

static bool irq_or_work(void *arg)
{
	struct kvm_vcpu *vcpu = arg;
	const struct stage *s = kvm_vcpu_data(vcpu);

	return s->work[vcpu->vcpu_id] || seam_irq_pending(s->m->seam, vcpu->cpu);
}

static bool has_work(const struct kvm_vcpu *vcpu)
{
	const struct stage *s = kvm_vcpu_data(vcpu);

	return s->work[vcpu->vcpu_id];
}

/* Touch boot memory as long as there is work, else do nothing until an interrupt comes. */
static void guest(struct kvm_vcpu *vcpu, u32 lp, struct seam_regs *r)
{
	struct stage *s = kvm_vcpu_data(vcpu);
	struct seam_fault fault;

	s->entered[vcpu->vcpu_id]++;
	for (;;) {
		struct seam_access a = {.gpa = 0x1000, .kind = SEAM_READ};

		rt_idle("guest", irq_or_work, vcpu);
		if (seam_irq_pending(s->m->seam, lp)) {
			seam_guest_interrupt(s->m->seam, lp, 0xec, r);
			return;
		}
		kvm_vcpu_guest_begins(vcpu);
		if (seam_access(s->m->seam, lp, &a, 0, r, &fault) != SEAM_DONE)
			return;
		s->work[vcpu->vcpu_id]--;
	}
}

static void vcpu_thread(void *arg)
{
	struct kvm_vcpu *vcpu = arg;
	struct stage *s = kvm_vcpu_data(vcpu);

	s->ret[vcpu->vcpu_id] = kvm_vcpu_ioctl_run(vcpu);
}

static struct stage *new_stage(u32 cpus)
{
	struct stage *s = calloc(1, sizeof(*s));
	u32 i;

	assert_non_null(s);
	s->m = machine_new(&(struct machine_opts){.cpus = cpus});
	machine_build(s->m);
	kvm_set_guest_program(s->m->host, guest);
	kvm_set_guest_has_work(s->m->host, has_work);
	for (i = 0; i < MACHINE_VCPUS; i++)
		kvm_vcpu_set_data(s->m->vcpu[i], s);
	return s;
}

static void free_stage(struct stage *s)
{
	machine_destroy_td(s->m);
	assert_string_equal(s->m->first, "");
	machine_free(s->m);
	free(s);
}

static void start_vcpus(struct stage *s)
{
	u32 i;

	for (i = 0; i < MACHINE_VCPUS; i++)
		assert_non_null(rt_actor_new("vcpu", vcpu_thread, s->m->vcpu[i]));
}

static void stop_vcpus(struct stage *s)
{
	u32 i;

	for (i = 0; i < MACHINE_VCPUS; i++)
		kvm_vcpu_signal(s->m->vcpu[i], true);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	for (i = 0; i < MACHINE_VCPUS; i++)
		assert_int_equal(s->ret[i], -EINTR);
}

/*
 * Convert one 4K of a 2M leaf while both vCPUs are in the guest, and look that nobody is left with
 * the old translation.
 */
static void convert_thread(void *arg)
{
	struct stage *s = arg;
	u64 off = 0;

	s->host_ret = kvm_gmem_set_attributes(s->m->gmem, 0, 0x1000, 0, &off);
	s->done = true;
}

static void convert_under_guests(u64 seed, u32 cpus, u64 busy_leaf)
{
	struct stage *s = new_stage(cpus);
	struct rt_fault fault = {.site = "busy", .actor = RT_NOBODY, .nth = 1, .count = 1};
	u64 done, i;

	assert_int_equal(kvm_vcpu_ioctl_pre_fault(s->m->vcpu[0], MACHINE_SLOT_GPA, 0x200000, false,
						  &done),
			 0);
	for (i = 0; i < seed; i++)
		rt_random();
	rt_set_chooser(s->m->world, &rt_chooser_random);
	if (busy_leaf) {
		fault.key = busy_leaf;
		rt_fault_arm(&fault);
	}
	s->work[0] = 5;
	s->work[1] = 3;
	start_vcpus(s);
	assert_non_null(rt_actor_new("host", convert_thread, s));
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_true(s->done);
	assert_int_equal(s->host_ret, 0);
	assert_int_equal(s->work[0] + s->work[1], 0);
	assert_int_equal(kvm_stat(s->m->host, KVM_STAT_SPLITS), 1);
	assert_int_equal(kvm_stat(s->m->host, KVM_STAT_KICKS), busy_leaf ? 3 : 2);
	assert_int_equal(kvm_stat(s->m->host, KVM_STAT_SEAMCALL_RETRIES), busy_leaf ? 1 : 0);
	assert_false(kvm_look_wait_for_sept_zap(s->m->kvm));
	stop_vcpus(s);
	free_stage(s);
}

static void test_kick__convert_waits_for_guests(void **state)
{
	u64 seed;

	for (seed = 0; seed < SEEDS; seed++)
		convert_under_guests(seed, 4, 0);
}

static void test_kick__busy_keeps_guests_out(void **state)
{
	u64 seed;

	for (seed = 0; seed < SEEDS; seed++)
		convert_under_guests(seed, 4, TDH_MEM_PAGE_DEMOTE);
}

/* One CPU for two vCPUs and the VMM: each needs the others to leave. */
static void test_kick__one_cpu_for_all(void **state)
{
	u64 seed;

	for (seed = 0; seed < SEEDS; seed++)
		convert_under_guests(seed, 1, 0);
}

/*
 * In order, an idle guest gives its CPU to the one that has something to do, and both sleep at the
 * end.
 */
static void test_kick__idle_guest_gives_way(void **state)
{
	struct stage *s = new_stage(1);

	s->work[1] = 4;
	start_vcpus(s);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_int_equal(s->work[1], 0);
	s->work[0] = 4;
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_int_equal(s->work[0], 0);
	assert_true(s->entered[0] && s->entered[1]);
	stop_vcpus(s);
	free_stage(s);
}

static void bug_thread(void *arg)
{
	struct stage *s = arg;

	KVM_BUG_ON(true, s->m->kvm);
	s->done = true;
}

/*
 * R44: a VM that is declared dead has no vCPU in the guest any more when that returns, and none
 * gets in again.
 */
static void test_kick__dead_vm_is_left(void **state)
{
	struct stage *s = new_stage(4);
	u64 entries;

	start_vcpus(s);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	entries = seam_entries(s->m->seam);
	assert_int_equal(entries, MACHINE_VCPUS);
	assert_non_null(rt_actor_new("bug", bug_thread, s));
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_true(s->done);
	assert_int_equal(s->ret[0], -EIO);
	assert_int_equal(s->ret[1], -EIO);
	assert_int_equal(seam_entries(s->m->seam), entries);
	assert_int_equal(kvm_vcpu_ioctl_run(s->m->vcpu[0]), -EIO);
	assert_non_null(strstr(s->m->first, "kvm-bug: tests/mmu/test_kick.c"));
	s->m->first[0] = '\0';
	free_stage(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kick__convert_waits_for_guests),
		cmocka_unit_test(test_kick__busy_keeps_guests_out),
		cmocka_unit_test(test_kick__one_cpu_for_all),
		cmocka_unit_test(test_kick__idle_guest_gives_way),
		cmocka_unit_test(test_kick__dead_vm_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
