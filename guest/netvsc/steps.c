/* SPDX-License-Identifier: MIT */
/* What a card's steps (guest/device) wait for, how long, and what they ask of the host. */
#include "guest/netvsc/netvsc_internal.h"

static bool enter(void *device)
{
	return hvk_netvsc_enter(device);
}

static void leave(void *device)
{
	hvk_netvsc_leave(device);
}

static uint32_t wait_ms(const void *device, uint32_t wait)
{
	const struct hvk_netvsc *nic = device;
	uint32_t device_ms = hvk_timeouts(nic->hvk)->device_ms;

	switch (wait) {
	case NETVSC_WAIT_REVOKE:
		return hvk_min32(HVK_NETVSC_REVOKE_MS, device_ms);
	case NETVSC_WAIT_GRACE:
		return hvk_min32(HVK_NETVSC_GRACE_MS, device_ms);
	case NETVSC_WAIT_TORNDOWN: /* half of what vmbus waits: the other half is for after the close */
		return hvk_max32(1,
				 hvk_min32(HVK_NETVSC_TORNDOWN_MS, hvk_timeouts(nic->hvk)->teardown_ms / 2));
	case NETVSC_WAIT_SUBCHANNELS:
		return hvk_min32(HVK_NETVSC_SUBCHANNELS_MS, device_ms);
	default:
		return device_ms;
	}
}

static void stopped(void *device)
{
	struct hvk_netvsc *nic = device;

	__atomic_store_n(&nic->quiet_awaited, false, __ATOMIC_SEQ_CST);
	if (nic->nvs_pending)
		(void)hvk_channel_take_request(nic->channel, &nic->nvs_ticket);
	nic->nvs_pending = false;
}

/* Both GPADLs' end must be known; lent frames cannot be given up. */
static bool must_come(const void *device, uint32_t event)
{
	(void)device;
	return event == NETVSC_EVENT_TEARDOWN || event == NETVSC_EVENT_LENT;
}

static void fault(void *device, hvk_status status, const char *what)
{
	hvk_netvsc_fault(device, status, what);
}

static void late(void *device)
{
	hvk_netvsc_timer_late(device);
}

static const struct hvk_steps_owner owner = {
	.name = "netvsc",
	.enter = enter,
	.leave = leave,
	.wait_ms = wait_ms,
	.stopped = stopped,
	.must_come = must_come,
	.fault = fault,
};

void hvk_netvsc_steps_init(struct hvk_netvsc *nic)
{
	hvk_steps_init(&nic->steps, nic->hvk, nic->config.cpu, nic, &owner);
	nic->steps.late = late;
}

void hvk_netvsc_steps_interrupt(struct hvk_netvsc *nic, hvk_status status)
{
	if (nic->steps.sequence && nic->steps.event == NETVSC_EVENT_RNDIS)
		hvk_netvsc_control_forget(nic);
	hvk_steps_interrupt(&nic->steps, status);
}

hvk_status hvk_netvsc_steps_nvs(struct hvk_netvsc *nic, const struct hvk_nvs_message *message)
{
	hvk_status status = hvk_channel_send(nic->channel, message->bytes, message->size, true,
					     &nic->nvs_ticket);

	if (status != HVK_OK)
		return status;
	nic->nvs_pending = true;
	nic->steps.event = NETVSC_EVENT_NVS;
	return HVK_EINPROGRESS;
}

void hvk_netvsc_steps_rndis_answered(struct hvk_netvsc *nic, const struct hvk_answer *answer)
{
	hvk_steps_answer(&nic->steps, NETVSC_EVENT_RNDIS, answer);
}

static hvk_status ask(struct hvk_netvsc *nic, uint32_t type, uint32_t oid, const void *information,
		      uint32_t length)
{
	nic->steps.event = NETVSC_EVENT_RNDIS;
	return hvk_netvsc_control_request(nic, type, oid, information, length,
					  hvk_netvsc_steps_rndis_answered);
}

hvk_status hvk_netvsc_steps_query(struct hvk_netvsc *nic, uint32_t oid, const void *information,
				  uint32_t length)
{
	return ask(nic, RNDIS_MSG_QUERY, oid, information, length);
}

hvk_status hvk_netvsc_steps_set(struct hvk_netvsc *nic, uint32_t oid, const void *information,
				uint32_t length)
{
	return ask(nic, RNDIS_MSG_SET, oid, information, length);
}
