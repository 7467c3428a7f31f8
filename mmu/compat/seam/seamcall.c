// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cut between kernel and TDX module: a SEAMCALL instruction on the CPU of the calling thread.
 * Registers go over as they are; the guest runs inside TDH.VP.ENTER, as it does on hardware. What a
 * leaf means is not known here.
 */
#include <linux/kvm_host.h>

#include "mmu/tdx_seamcall.h"
#include "tdx/seam.h"

/* Of an interrupt that ends the stay of a guest which has no program. */
#define IDLE_GUEST_VECTOR 0xec

static void regs_from_args(struct seam_regs *r, u64 fn, const struct tdx_module_args *args)
{
	*r = (struct seam_regs){
		.rax = fn,
		.rcx = args->rcx,
		.rdx = args->rdx,
		.rbx = args->rbx,
		.rsi = args->rsi,
		.rdi = args->rdi,
		.r8 = args->r8,
		.r9 = args->r9,
		.r10 = args->r10,
		.r11 = args->r11,
		.r12 = args->r12,
		.r13 = args->r13,
		.r14 = args->r14,
		.r15 = args->r15,
	};
}

static void args_from_regs(struct tdx_module_args *args, const struct seam_regs *r)
{
	*args = (struct tdx_module_args){
		.rcx = r->rcx,
		.rdx = r->rdx,
		.rbx = r->rbx,
		.rsi = r->rsi,
		.rdi = r->rdi,
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
	};
}

/* @r: the host's registers after the call, also when the guest ran in between. */
static void do_seamcall(u32 cpu, struct seam_regs *r)
{
	struct kvm_host *host = kvm_host_current();

	if (seam_call(host->seam, cpu, r) != SEAM_ENTERED)
		return;
	if (host->guest)
		host->guest(kvm_get_running_vcpu(), cpu, r);
	else
		seam_guest_interrupt(host->seam, cpu, IDLE_GUEST_VECTOR, r);
}

u64 __seamcall_on(u32 cpu, u64 fn, struct tdx_module_args *args)
{
	struct seam_regs r;

	regs_from_args(&r, fn, args);
	kvm_cpu_get(cpu);
	do_seamcall(cpu, &r);
	kvm_cpu_put(cpu);
	args_from_regs(args, &r);
	return r.rax;
}

/*
 * TDH.VP.ENTER: the thread has its CPU already, since it must be able to refuse the entry after it
 * got it (mmu/x86.c).
 */
static u64 enter_guest(u64 fn, struct tdx_module_args *args)
{
	struct seam_regs r;

	regs_from_args(&r, fn, args);
	do_seamcall(kvm_get_running_vcpu()->cpu, &r);
	args_from_regs(args, &r);
	return r.rax;
}

u64 __seamcall_saved_ret(u64 fn, struct tdx_module_args *args)
{
	struct seam_regs r;
	u32 cpu;

	if (fn == TDH_VP_ENTER)
		return enter_guest(fn, args);
	regs_from_args(&r, fn, args);
	cpu = kvm_cpu_get_current();
	do_seamcall(cpu, &r);
	kvm_cpu_put(cpu);
	args_from_regs(args, &r);
	return r.rax;
}

/* Only rcx, rdx and r8 to r11 come back. */
u64 __seamcall_ret(u64 fn, struct tdx_module_args *args)
{
	struct tdx_module_args out = *args;
	u64 ret = __seamcall_saved_ret(fn, &out);

	args->rcx = out.rcx;
	args->rdx = out.rdx;
	args->r8 = out.r8;
	args->r9 = out.r9;
	args->r10 = out.r10;
	args->r11 = out.r11;
	return ret;
}

u64 __seamcall(u64 fn, struct tdx_module_args *args)
{
	struct tdx_module_args in = *args;

	return __seamcall_saved_ret(fn, &in);
}
