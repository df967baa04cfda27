/* SPDX-License-Identifier: MIT */
/* The reference TSC page and the reference counter tell the same time. */
#include "guest.h"

static struct hv_reference_tsc_page page __attribute__((aligned(4096)));

static uint64_t page_time(void)
{
	uint32_t low, high;
	__extension__ unsigned __int128 product;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	product = ((uint64_t)high << 32 | low);
	product *= page.scale;
	return (uint64_t)(product >> 64) + (uint64_t)page.offset;
}

int guest_main(const void *zero_page)
{
	uint64_t before, between, after;

	(void)zero_page;
	wrmsr(HV_MSR_REFERENCE_TSC, (uint64_t)&page | HV_PAGE_ENABLE);
	if (page.sequence == 0 || page.sequence == UINT32_MAX)
		return 1;
	for (int n = 0; n < 20; n++) {
		before = page_time();
		between = rdmsr(HV_MSR_REFERENCE_COUNTER);
		after = page_time();
		/* Two CPUs of the host may differ by a little. */
		if (between + 200 < before || between > after + 200)
			return 2;
	}
	return 0;
}
