/* SPDX-License-Identifier: MIT */
/* The second CPU is started as PCs do it, and the answer to first contact is sent to it. */
#include "bus.inc"
#include "second_cpu.inc"

static volatile uint32_t result;

void second_main(void)
{
	struct vmbus_version_response response;
	uint32_t type;

	if (rdmsr(HV_MSR_VP_INDEX) != 1)
		result = 10;
	enable_synic(1);
	ready = 1;
	type = await_message(1, &response, sizeof(response));
	if (!result)
		result = type == VMBUS_MSG_VERSION_RESPONSE && response.version_supported ? 1 : 11;
}

int guest_main(const void *zero_page)
{
	uint32_t leaf[4];

	(void)zero_page;
	cpuid(1, 0, leaf);
	if ((leaf[1] >> 16 & 0xffu) != 2)
		return 2;
	enable_hypercalls();
	enable_synic(0);
	start_second_cpu();
	if (!contact(1))
		return 3;
	while (!result)
		__asm__ volatile("pause");
	return result == 1 ? 0 : (int)result;
}
