/* SPDX-License-Identifier: MIT */
#include "guest/device/pass.h"

/* In hvk_poll of one CPU, behind all callbacks of that poll. */
static void passed(struct hvk_request *request, void *context)
{
	struct hvk_pass *pass = context;

	(void)request;
	for (pass->cpu++; pass->cpu < hvk_cpu_count(pass->hvk); pass->cpu++) {
		if (!hvk_cpu_runs(pass->hvk, pass->cpu))
			continue;
		hvk_request_begin(&pass->turn);
		hvk_request_finish(pass->hvk, &pass->turn, HVK_OK, pass->cpu);
		return;
	}
	hvk_request_finish(pass->hvk, pass->end, HVK_OK, pass->end_cpu);
}

void hvk_pass_begin(struct hvk_pass *pass, struct hvk *hvk, struct hvk_request *end, uint32_t end_cpu)
{
	*pass = (struct hvk_pass){.hvk = hvk,
				  .turn = {.done = passed, .context = pass},
				  .end = end,
				  .cpu = UINT32_MAX,
				  .end_cpu = end_cpu};
	hvk_request_begin(end);
	passed(&pass->turn, pass);
}
