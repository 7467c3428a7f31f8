// SPDX-License-Identifier: GPL-2.0-only
/*
 * libseam on its own: linked with the runtime and nothing else, driven through its public headers
 * by a host of ten lines. It is built without CMocka on purpose, as the one program that shows what
 * somebody else's MMU needs.
 */
#include <stdio.h>

#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"
#include "tdx/seam.h"

static int expect(const char *what, u64 got, u64 want)
{
	if (got == want)
		return 0;
	fprintf(stderr, "%s: %#llx, %#llx expected\n", what, got, want);
	return 1;
}

int main(void)
{
	const struct seam_config cfg = {.profile = "1.5.28"};
	const u64 tdr = 0x40000000ULL;
	struct rt_world *w = rt_world_new(NULL);
	struct seam_regs r = {.rax = SEAM_TDH_MNG_CREATE, .rcx = tdr, .rdx = 0x21};
	struct seam_pamt_view page;
	struct seam_td_view td;
	char err[128] = "";
	struct seam *s = seam_new(&cfg, err, sizeof(err));
	int bad = 0;

	if (!s) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	seam_call(s, 0, &r);
	bad += expect("MNG.CREATE", r.rax, SEAM_SUCCESS);
	bad += expect("the TD is there", seam_look_td(s, tdr, &td), true);
	bad += expect("the page is its TDR", seam_look_pamt(s, tdr, &page) ? page.type : 0,
		      SEAM_PT_TDR);

	r = (struct seam_regs){.rax = SEAM_TDH_MEM_TRACK, .rcx = tdr};
	seam_call(s, 1, &r);
	bad += expect("TRACK without a key", r.rax, SEAM_TD_KEYS_NOT_CONFIGURED);
	r = (struct seam_regs){.rax = 0xff};
	seam_call(s, 1, &r);
	bad += expect("unknown leaf", r.rax, SEAM_OPERAND_INVALID | SEAM_OP_RAX);
	bad += expect("calls counted", seam_calls(s, SEAM_TDH_MEM_TRACK), 1);

	seam_free(s);
	bad += expect("blocks left", rt_mem_stats(w).live_blocks, 0);
	rt_world_free(w);
	return bad != 0;
}
