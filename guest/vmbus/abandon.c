/* SPDX-License-Identifier: MIT */
/*
 * The abrupt exit, for panic and ExitBootServices: UNLOAD with everything open. The
 * host closes channels and lets go of memory by itself (mu_msvm does the same). No
 * lock, no allocation, nothing freed, nobody called back.
 */
#include "guest/vmbus/bus.h"

static bool is_unload_response(const struct hv_message *message)
{
	struct vmbus_message_header header;

	memcpy(&header, message->payload, sizeof(header));
	return message->type == HV_MESSAGE_VMBUS && message->payload_size >= sizeof(header) &&
	       message->payload_size <= HV_MESSAGE_PAYLOAD_MAX && header.type == VMBUS_MSG_UNLOAD_RESPONSE;
}

static bool slot_has_unload_response(struct hvk *hvk, struct hvk_cpu *cpu, bool own)
{
	struct hv_message message;

	if (hvk_shared_load_acquire(&cpu->slot, HVK_SLOT_TYPE) == HV_MESSAGE_NONE)
		return false;
	hvk_shared_read(&cpu->slot, 0, &message, sizeof(message));
	/* The end-of-message register is each CPU's own: another's slot is only emptied. */
	if (own)
		hvk_synic_release_slot(hvk, &cpu->slot);
	else /* its own CPU may be faster, and the slot hold another message by now */
		(void)hvk_shared_compare_exchange(&cpu->slot, HVK_SLOT_TYPE, message.type, HV_MESSAGE_NONE);
	return is_unload_response(&message);
}

/* An interrupt may have taken it in before the bus was abandoned. */
static bool queue_has_unload_response(const struct hvk_cpu *cpu)
{
	for (uint32_t i = 0; i < HVK_MESSAGE_QUEUE && i < cpu->queue_count; i++) {
		if (is_unload_response(&cpu->queue[(cpu->queue_head + i) % HVK_MESSAGE_QUEUE]))
			return true;
	}
	return false;
}

/* The host answers on the contact CPU, which need not be this one. */
static bool look_everywhere(struct hvk *hvk)
{
	uint32_t self = hvk_cpu_index(hvk);
	bool found = false;

	for (uint32_t i = 0; i < hvk->config.cpus && !found; i++) {
		if (hvk->cpus[i].started)
			found = slot_has_unload_response(hvk, &hvk->cpus[i], i == self) ||
				queue_has_unload_response(&hvk->cpus[i]);
	}
	return found;
}

static void pause_once(struct hvk *hvk, uint64_t *paused_ns)
{
	hvk->port.pause(hvk->port.context);
	*paused_ns += hvk->port.pause_ns;
}

hvk_status hvk_vmbus_abandon(struct hvk *hvk, uint32_t timeout_ms)
{
	struct vmbus_message_header unload = {VMBUS_MSG_UNLOAD, 0};
	uint64_t paused_ns = 0, limit_ns = (uint64_t)timeout_ms * 1000000u;
	enum hvk_vmbus_state was = hvk->bus->state;
	bool answered = false;

	__atomic_store_n(&hvk->bus->state, HVK_VMBUS_ABANDONED, __ATOMIC_SEQ_CST);
	hvk->cpus[hvk->bus->config.cpu].in_use = false;
	if (was == HVK_VMBUS_COLD || was == HVK_VMBUS_SUSPENDED || was == HVK_VMBUS_ABANDONED)
		return HVK_OK;
	while (hvk_post(hvk, hvk->bus->message_connection, &unload, sizeof(unload)) != HVK_POST_TAKEN) {
		if (paused_ns >= limit_ns)
			return HVK_ETIMEDOUT_UNLOAD;
		pause_once(hvk, &paused_ns);
	}
	while (!answered && paused_ns < limit_ns && hvk->bus->knows_3_0) {
		answered = look_everywhere(hvk);
		if (!answered)
			pause_once(hvk, &paused_ns);
	}
	hvk->bus->abandon_answered = answered;
	return answered || !hvk->bus->knows_3_0 ? HVK_OK : HVK_ETIMEDOUT_UNLOAD;
}
