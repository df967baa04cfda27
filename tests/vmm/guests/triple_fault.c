/* SPDX-License-Identifier: MIT */
/* An exception without a table: the processor gives up. A hypercall before, for the report. */
#include "hypercall.inc"

int guest_main(const void *zero_page)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} none = {0, 0};

	(void)zero_page;
	enable_hypercalls();
	(void)hypercall(0x1234, 0x5678, 0);
	__asm__ volatile("movabsq $0x123456789abcdef0, %%rbx\n lidt %0\n ud2" : : "m"(none) : "rbx");
	return 0;
}
