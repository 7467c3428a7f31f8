/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stack switch for aarch64 (AAPCS64): what a callee must keep goes onto the old stack, then
 * comes off the new. rt_fiber_init() in fiber.c lays out the first frame of a stack in this order.
 * FPCR is not switched: no actor changes it.
 */
	.text

/* void rt_switch(void **from [x0], void *to [x1]) */
	.globl	rt_switch
	.hidden	rt_switch
	.type	rt_switch, %function
	.p2align 4
rt_switch:
	.cfi_startproc
	sub	sp, sp, #160
	stp	x19, x20, [sp, #0]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mov	x9, sp
	str	x9, [x0]
	mov	sp, x1
	ldp	x19, x20, [sp, #0]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	add	sp, sp, #160
	ret
	.cfi_endproc
	.size	rt_switch, . - rt_switch

/* The first frame of a fiber returns to here: x20 has the function, x19 its argument. */
	.globl	rt_switch_entry
	.hidden	rt_switch_entry
	.type	rt_switch_entry, %function
	.p2align 4
rt_switch_entry:
	.cfi_startproc
	.cfi_undefined x30	/* the outermost frame: debuggers stop here */
	mov	x0, x19
	blr	x20
	brk	#1
	.cfi_endproc
	.size	rt_switch_entry, . - rt_switch_entry

	.section .note.GNU-stack, "", %progbits
