/* SPDX-License-Identifier: MIT */
/* Four timers on each of two CPUs, as fast as they can be asked to be, and no message is ever taken
 * away. Loops with interrupts off until it is ended. */
#include "bus.inc"
#include "rubbish.inc"
#include "second_cpu.inc"

#define SECOND_SINT 5u

static void storm(uint32_t cpu)
{
	const uint64_t periodic = HV_STIMER_ENABLE | HV_STIMER_PERIODIC | HV_STIMER_AUTO_ENABLE;
	const uint64_t direct = HV_STIMER_DIRECT | 0x60ull << HV_STIMER_VECTOR_SHIFT;

	enable_synic(cpu);
	wrmsr(HV_MSR_SINT0 + SECOND_SINT, 0x61);
	for (uint32_t n = 0; n < HV_STIMER_COUNT; n++) {
		uint64_t by_message = (uint64_t)(n & 1 ? SECOND_SINT : GUEST_SINT) << HV_STIMER_SINT_SHIFT;

		wrmsr(HV_MSR_STIMER0_COUNT + 2 * n, 1);
		wrmsr(HV_MSR_STIMER0_CONFIG + 2 * n, periodic | (n & 2 ? direct : by_message));
	}
}

void second_main(void)
{
	storm(1);
	ready = 1;
	for (;;)
		__asm__ volatile("pause");
}

int guest_main(const void *zero_page)
{
	(void)zero_page;
	wrmsr(HV_MSR_GUEST_OS_ID, HV_OS_ID_OPEN_SOURCE | 0x7e570000u);
	start_second_cpu();
	storm(0);
	for (;;)
		__asm__ volatile("pause");
}
