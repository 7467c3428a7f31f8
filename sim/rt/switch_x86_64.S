/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stack switch for x86-64 (System V ABI): what a callee must keep goes onto the old stack, then
 * comes off the new. rt_fiber_init() in fiber.c lays out the first frame of a stack in this order.
 * MXCSR and the x87 control word are not switched: no actor changes them.
 */
	.text

/* void rt_switch(void **from [rdi], void *to [rsi]) */
	.globl	rt_switch
	.hidden	rt_switch
	.type	rt_switch, @function
	.p2align 4
rt_switch:
	.cfi_startproc
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.cfi_endproc
	.size	rt_switch, . - rt_switch

/* The first frame of a fiber returns to here: r12 has the function, r13 its argument. */
	.globl	rt_switch_entry
	.hidden	rt_switch_entry
	.type	rt_switch_entry, @function
	.p2align 4
rt_switch_entry:
	.cfi_startproc
	.cfi_undefined rip	/* the outermost frame: debuggers stop here */
	movq	%r13, %rdi
	callq	*%r12
	ud2
	.cfi_endproc
	.size	rt_switch_entry, . - rt_switch_entry

	.section .note.GNU-stack, "", @progbits
