// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's logical processors: who executes on each, preemption of guests, IPIs. An LP is in a
 * guest or in the host, never both, so a thread that wants to make a SEAMCALL must get a CPU
 * without a guest first. Host code outside the module is not counted: it would only add
 * interleavings that the locks decide anyway.
 */
#include <linux/kvm_host.h>

static struct kvm_cpu *cpu_of(u32 nr)
{
	struct kvm_host *host = kvm_host_current();

	BUG_ON(nr >= host->nr_cpus);
	return &host->cpus[nr];
}

u64 kvm_cpu_send_ipi(u32 nr)
{
	struct kvm_cpu *cpu = cpu_of(nr);
	u64 cookie;

	compat_point_ipi_send(nr);
	cookie = cpu->ipis_handled;
	/* Ordinary host code has interrupts on and takes it at once. */
	if (!cpu->busy) {
		cpu->ipis_handled++;
		return cookie;
	}
	seam_irq_raise(kvm_host_current()->seam, nr, SEAM_IRQ_INTR);
	return cookie;
}

static bool cpu_is_free(void *arg)
{
	const struct kvm_cpu *cpu = arg;

	return !cpu->busy;
}

void kvm_cpu_get(u32 nr)
{
	struct kvm_cpu *cpu = cpu_of(nr);

	if (cpu->busy) {
		cpu->host_waiters++;
		if (cpu->guest)
			kvm_cpu_send_ipi(nr);
		rt_block("CPU", cpu_is_free, cpu);
		cpu->host_waiters--;
	}
	cpu->busy = true;
}

/*
 * How much a thread without a CPU of its own would disturb there: a guest, a SEAMCALL, a vCPU's
 * thread, nothing.
 */
static u32 cpu_load(struct kvm_host *host, u32 nr)
{
	const struct kvm_vcpu *vcpu;
	u32 load = 0;

	if (host->cpus[nr].busy)
		load += host->cpus[nr].guest ? 4 : 2;
	list_for_each_entry(vcpu, &host->loaded_vcpus, loaded_list) {
		if (vcpu->cpu == nr)
			return load + 1;
	}
	return load;
}

/* The least loaded one, the highest of equals: vCPUs begin at 0. */
static u32 pick_cpu(struct kvm_host *host)
{
	u32 nr, best = host->nr_cpus - 1;

	for (nr = host->nr_cpus - 1; nr-- > 0;) {
		if (cpu_load(host, nr) < cpu_load(host, best))
			best = nr;
	}
	return best;
}

u32 kvm_cpu_get_current(void)
{
	struct kvm_vcpu *vcpu = kvm_get_running_vcpu();
	u32 nr = vcpu ? vcpu->cpu : pick_cpu(kvm_host_current());

	kvm_cpu_get(nr);
	return nr;
}

void kvm_cpu_put(u32 nr)
{
	struct kvm_host *host = kvm_host_current();
	struct kvm_cpu *cpu = cpu_of(nr);
	u32 events = seam_irq_pending(host->seam, nr);

	BUG_ON(!cpu->busy);
	if (events) {
		compat_point_ipi_recv(nr);
		seam_irq_clear(host->seam, nr, seam_irq_pending(host->seam, nr));
	}
	cpu->ipis_handled++;
	cpu->guest = NULL;
	cpu->guest_began = false;
	cpu->busy = false;
}

static bool has_work(const struct kvm_vcpu *vcpu)
{
	const struct kvm_host *host = vcpu->kvm->host;

	return !host->guest_has_work || host->guest_has_work(vcpu);
}

static bool must_not_enter(const struct kvm_vcpu *vcpu)
{
	return kvm_request_pending(vcpu) || signal_pending_vcpu(vcpu);
}

/* Nobody is on the CPU and nobody with a better right wants it. */
static bool can_take(const struct kvm_cpu *cpu, const struct kvm_vcpu *vcpu)
{
	return !cpu->busy && !cpu->host_waiters && (!cpu->heir || cpu->heir == vcpu);
}

void kvm_vcpu_guest_begins(struct kvm_vcpu *vcpu)
{
	struct kvm_cpu *cpu = cpu_of(vcpu->cpu);

	BUG_ON(cpu->guest != vcpu);
	cpu->guest_began = true;
}

/*
 * There is another guest on the CPU that has no claim on it against @vcpu. Without the instruction
 * that it has begun, two vCPUs could take the CPU from each other for ever. No slice of time: what
 * a vCPU may do is a function of the state, or states that differ in time alone would not be one
 * (docs/exploring.md).
 */
static bool can_preempt(const struct kvm_cpu *cpu, const struct kvm_vcpu *vcpu)
{
	if (!cpu->guest || cpu->heir || !has_work(vcpu))
		return false;
	return !has_work(cpu->guest) || cpu->guest_began;
}

static bool guest_wait_over(void *arg)
{
	struct kvm_vcpu *vcpu = arg;
	const struct kvm_cpu *cpu = cpu_of(vcpu->cpu);

	return must_not_enter(vcpu) || can_take(cpu, vcpu) || can_preempt(cpu, vcpu);
}

bool kvm_cpu_get_for_guest(struct kvm_vcpu *vcpu)
{
	struct kvm_cpu *cpu = cpu_of(vcpu->cpu);

	while (!can_take(cpu, vcpu)) {
		rt_idle("CPU for the guest", guest_wait_over, vcpu);
		if (must_not_enter(vcpu))
			break;
		if (can_preempt(cpu, vcpu)) {
			cpu->heir = vcpu;
			kvm_cpu_send_ipi(vcpu->cpu);
		}
	}
	if (cpu->heir == vcpu)
		cpu->heir = NULL;
	if (must_not_enter(vcpu))
		return false;
	cpu->busy = true;
	cpu->guest = vcpu;
	return true;
}
