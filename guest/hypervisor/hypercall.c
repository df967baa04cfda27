/* SPDX-License-Identifier: MIT */
/* HvCallPostMessage and HvCallSignalEvent, with every status they can give. */
#include "guest/hypervisor/hypervisor.h"

static uint32_t call(struct hvk *hvk, uint64_t control, uint64_t input)
{
	uint64_t result;

	if (!hvk->hypervisor.taken) /* the page is off: it would be an invalid instruction */
		return HV_STATUS_INVALID_HYPERCALL_CODE;
	result = hvk->port.hypercall(hvk->port.context, hvk->hypervisor.hypercall_page.address, control,
				     input, 0);
	return (uint32_t)(result & HV_CALL_STATUS_MASK);
}

/* The input page is written anew for each try: the hypervisor may change it on failure
 * (FreeBSD vmbus.c). */
enum hvk_post_result hvk_post(struct hvk *hvk, uint32_t connection, const void *message, uint32_t length)
{
	struct hvk_shared page = hvk_pages_shared(&hvk->hypervisor.input_page);
	struct hv_post_message_input input = {
		.connection_id = connection,
		.message_type = HV_MESSAGE_VMBUS,
		.payload_size = length,
	};
	uint32_t status;

	HVK_ASSERT(length <= HV_MESSAGE_PAYLOAD_MAX);
	memcpy(input.payload, message, length);
	hvk_shared_write(&page, 0, &input, sizeof(input));
	status = call(hvk, HV_CALL_POST_MESSAGE, hvk_page_gpa(hvk, &hvk->hypervisor.input_page, 0));
	switch (status) {
	case HV_STATUS_SUCCESS:
		HVK_COUNT(hvk->counters.posts);
		return HVK_POST_TAKEN;
	case HV_STATUS_INVALID_CONNECTION_ID:
		HVK_COUNT(hvk->counters.post_retries);
		return HVK_POST_NO_CONNECTION;
	case HV_STATUS_INSUFFICIENT_MEMORY:
	case HV_STATUS_INSUFFICIENT_BUFFERS:
	case HV_STATUS_TIMEOUT:
		HVK_COUNT(hvk->counters.post_retries);
		return HVK_POST_AGAIN;
	default:
		(void)hvk_fault(hvk, HVK_EHYPERCALL, "post message: status 0x%x", status);
		return HVK_POST_FAILED;
	}
}

/* The fast form: the input is the register. Signals are never short of buffers, so
 * there is nothing to retry. */
hvk_status hvk_signal(struct hvk *hvk, uint32_t connection, uint16_t flag)
{
	uint32_t status = call(hvk, HV_CALL_SIGNAL_EVENT | HV_CALL_FAST,
			       (uint64_t)connection | ((uint64_t)flag << 32));

	HVK_COUNT(hvk->counters.signals);
	if (status == HV_STATUS_SUCCESS)
		return HVK_OK;
	return hvk_fault(hvk, HVK_EHYPERCALL, "signal event: connection 0x%x, status 0x%x", connection,
			 status);
}
