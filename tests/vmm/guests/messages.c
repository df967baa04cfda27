/* SPDX-License-Identifier: MIT */
/* First contact: the answer comes as a message with an interrupt, then the bus is left. */
#include "bus.inc"

int guest_main(const void *zero_page)
{
	const struct vmbus_message_header unload = {VMBUS_MSG_UNLOAD, 0};
	struct vmbus_version_response response;

	(void)zero_page;
	enable_hypercalls();
	enable_synic(0);
	if (!contact(0))
		return 1;
	if (await_message(0, &response, sizeof(response)) != VMBUS_MSG_VERSION_RESPONSE)
		return 2;
	await_interrupts(1);
	if (!response.version_supported)
		return 3;
	if (post(response.version_or_connection_id, &unload, sizeof(unload)) != 0)
		return 4;
	if (await_message(0, &response, 8) != VMBUS_MSG_UNLOAD_RESPONSE)
		return 5;
	await_interrupts(2);
	return guest_faults || guest_interrupts != 2 ? 6 : 0;
}
