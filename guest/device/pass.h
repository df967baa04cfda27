/* SPDX-License-Identifier: MIT */
/*
 * Every CPU passes a poll: whoever was inside a callback when it began has come out of it. For a device whose
 * hooks or memory others may still be looking at.
 */
#ifndef HVK_DEVICE_PASS_H
#define HVK_DEVICE_PASS_H

#include "guest/core/core.h"

struct hvk_pass {
	struct hvk *hvk;
	struct hvk_request turn, *end;
	uint32_t cpu, end_cpu;
};

/* end finishes with HVK_OK on end_cpu. A CPU that does not run is not waited for. One at a time. */
void hvk_pass_begin(struct hvk_pass *pass, struct hvk *hvk, struct hvk_request *end, uint32_t end_cpu);

#endif
