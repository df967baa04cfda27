/* SPDX-License-Identifier: MIT */
/*
 * RNDIS control messages. A few pages, shared with the host and holding nothing else, are
 * cut into slots; a slot is free again when the host has completed its packet. One
 * request is in flight at a time; its answer is known by its request id.
 */
#include "guest/netvsc/netvsc_internal.h"

static void answer(struct hvk_netvsc *nic, hvk_status status, const uint8_t *info, uint32_t length)
{
	struct netvsc_control *control = &nic->control;
	const struct hvk_answer result = {status, info, length};
	netvsc_control_answered answered = control->answered;

	hvk_netvsc_control_forget(nic);
	answered(nic, &result);
}

static hvk_status timed_out_status(uint32_t type)
{
	switch (type) {
	case RNDIS_MSG_INITIALIZE:
		return HVK_ETIMEDOUT_RNDIS_INITIALIZE;
	case RNDIS_MSG_QUERY:
		return HVK_ETIMEDOUT_RNDIS_QUERY;
	default:
		return HVK_ETIMEDOUT_RNDIS_SET;
	}
}

/* Unless it fired for another request, which has been answered since. */
void hvk_netvsc_control_time(struct hvk_netvsc *nic)
{
	if (nic->control.busy && !hvk_timer_running(&nic->control.timer))
		answer(nic, timed_out_status(nic->control.type), NULL, 0);
}

static void time_is_over(struct hvk_timer *timer, void *context)
{
	struct hvk_netvsc *nic = context;

	(void)timer;
	if (!hvk_netvsc_enter(nic)) {
		hvk_netvsc_timer_late(nic);
		return;
	}
	hvk_netvsc_control_time(nic);
	hvk_netvsc_leave(nic);
}

void hvk_netvsc_control_init(struct hvk_netvsc *nic)
{
	struct netvsc_control *control = &nic->control;

	control->timer.fire = time_is_over;
	control->timer.context = nic;
	control->timer.deadline = HVK_NEVER;
	control->timer.cpu = nic->config.cpu;
}

hvk_status hvk_netvsc_control_start(struct hvk_netvsc *nic)
{
	struct netvsc_control *control = &nic->control;
	hvk_status status = hvk_pages_get(nic->hvk, HVK_NETVSC_CONTROL_PAGES, HVK_PAGE_HOST_READS,
					  &control->pages);

	if (status != HVK_OK)
		return status;
	control->memory = hvk_pages_shared(&control->pages);
	for (uint32_t i = 0; i < HVK_NETVSC_CONTROL_PAGES; i++)
		control->gpa[i] = hvk_page_gpa(nic->hvk, &control->pages, i);
	control->keepalive = false;
	for (uint32_t i = 0; i < HVK_NETVSC_CONTROL_SLOTS; i++)
		control->slots[i] = (struct netvsc_control_slot){.ticket = {NETVSC_TICKET_CONTROL}};
	return HVK_OK;
}

void hvk_netvsc_control_stop(struct hvk_netvsc *nic, bool withhold)
{
	if (withhold)
		(void)hvk_pages_quarantine(nic->hvk, &nic->control.pages);
	else
		hvk_pages_put(nic->hvk, &nic->control.pages);
}

void hvk_netvsc_control_forget(struct hvk_netvsc *nic)
{
	hvk_timer_stop(nic->hvk, &nic->control.timer);
	nic->control.busy = false;
	nic->control.unsent = false;
}

/* --- Sending --------------------------------------------------------------------------- */

static hvk_status post_from(struct hvk_netvsc *nic, uint32_t index, const struct hvk_rndis_message *message)
{
	struct netvsc_control *control = &nic->control;
	uint32_t offset = index * HVK_NETVSC_CONTROL_SLOT_SIZE;
	const struct hvk_buffer buffer = {NULL, control->gpa[offset / HVK_PAGE_SIZE] + offset % HVK_PAGE_SIZE,
					  message->length};
	struct hvk_nvs_message nvs;

	hvk_shared_zero(&control->memory, offset, HVK_NETVSC_CONTROL_SLOT_SIZE);
	hvk_shared_write(&control->memory, offset, message->words, message->length);
	hvk_nvs_build_rndis(&nvs, nic->nvs_version, NVS_CHANNEL_CONTROL, NVS_SECTION_NONE, 0);
	return hvk_channel_send_buffers(nic->channel, &buffer, 1, nvs.bytes, nvs.size,
					&control->slots[index]);
}

/* HVK_EAGAIN: the ring or the slots are full. */
static hvk_status post(struct hvk_netvsc *nic, const struct hvk_rndis_message *message, uint32_t request_id)
{
	struct netvsc_control *control = &nic->control;

	for (uint32_t i = 0; i < HVK_NETVSC_CONTROL_SLOTS; i++) {
		hvk_status status;

		if (control->slots[i].busy)
			continue;
		control->slots[i].request_id = request_id;
		status = post_from(nic, i, message);
		control->slots[i].busy = status == HVK_OK;
		return status;
	}
	return HVK_EAGAIN;
}

static hvk_status start(struct hvk_netvsc *nic, uint32_t type, netvsc_control_answered answered)
{
	struct netvsc_control *control = &nic->control;
	hvk_status status = post(nic, &control->message, control->request_id);

	if (status != HVK_OK && status != HVK_EAGAIN)
		return status;
	control->busy = true;
	control->unsent = status == HVK_EAGAIN;
	control->type = type;
	control->answered = answered;
	hvk_timer_start(nic->hvk, &control->timer, nic->config.cpu, hvk_timeouts(nic->hvk)->device_ms);
	return HVK_EINPROGRESS;
}

static uint32_t next_id(struct netvsc_control *control)
{
	control->last_id++;
	if (control->last_id == 0)
		control->last_id = 1;
	control->request_id = control->last_id;
	return control->request_id;
}

hvk_status hvk_netvsc_control_initialize(struct hvk_netvsc *nic, netvsc_control_answered answered)
{
	hvk_rndis_build_initialize(&nic->control.message, next_id(&nic->control));
	return start(nic, RNDIS_MSG_INITIALIZE, answered);
}

hvk_status hvk_netvsc_control_request(struct hvk_netvsc *nic, uint32_t type, uint32_t oid,
				      const void *information, uint32_t length,
				      netvsc_control_answered answered)
{
	hvk_rndis_build_request(&nic->control.message, type, next_id(&nic->control), oid, information,
				length);
	return start(nic, type, answered);
}

hvk_status hvk_netvsc_control_halt(struct hvk_netvsc *nic)
{
	struct hvk_rndis_message message;
	uint32_t id = next_id(&nic->control);

	hvk_rndis_build_halt(&message, id);
	return post(nic, &message, id);
}

static void answer_keepalive(struct hvk_netvsc *nic)
{
	struct netvsc_control *control = &nic->control;
	struct hvk_rndis_message message;

	hvk_rndis_build_keepalive_complete(&message, control->keepalive_id);
	if (post(nic, &message, 0) != HVK_EAGAIN)
		control->keepalive = false;
}

void hvk_netvsc_control_room(struct hvk_netvsc *nic)
{
	struct netvsc_control *control = &nic->control;
	hvk_status status;

	if (control->keepalive)
		answer_keepalive(nic);
	if (!control->unsent)
		return;
	status = post(nic, &control->message, control->request_id);
	if (status == HVK_EAGAIN)
		return;
	control->unsent = false;
	if (status != HVK_OK)
		answer(nic, status, NULL, 0);
}

/* --- Receiving ---------------------------------------------------------------------------- */

void hvk_netvsc_control_sent(struct hvk_netvsc *nic, struct netvsc_control_slot *slot, const uint8_t *payload,
			     uint32_t length)
{
	struct netvsc_control *control = &nic->control;
	hvk_status status = hvk_nvs_parse_rndis_complete(payload, length);

	slot->busy = false;
	if (hvk_status_is_host_fault(status))
		hvk_netvsc_fault(nic, status, "completion of a control message");
	/* The message did not get through, so no answer to it will come. */
	if (status != HVK_OK && control->busy && !control->unsent && slot->request_id == control->request_id)
		answer(nic, status, NULL, 0);
}

static hvk_status read_answer(struct hvk_netvsc *nic, const struct hvk_shared *range, uint32_t rndis_status,
			      uint8_t info[HVK_RNDIS_INFO_MAX], uint32_t *length)
{
	if (rndis_status != RNDIS_STATUS_SUCCESS)
		return HVK_EREFUSED_RNDIS;
	if (nic->control.type == RNDIS_MSG_INITIALIZE)
		return hvk_rndis_parse_initialize(range, &nic->device);
	if (nic->control.type == RNDIS_MSG_QUERY)
		return hvk_rndis_parse_query(range, info, length);
	return HVK_OK;
}

void hvk_netvsc_control_receive(struct hvk_netvsc *nic, uint32_t type, const struct hvk_shared *range)
{
	struct netvsc_control *control = &nic->control;
	struct hvk_rndis_answer found;
	uint8_t info[HVK_RNDIS_INFO_MAX];
	uint32_t length = 0;
	hvk_status status = hvk_rndis_parse_answer(range, &found);

	if (status != HVK_OK) {
		hvk_netvsc_fault(nic, status, "RNDIS answer too short");
		return;
	}
	if (!control->busy || control->unsent || found.request_id != control->request_id ||
	    type != (control->type | RNDIS_MSG_COMPLETE)) {
		control->late++; /* too late, twice, or never asked for */
		return;
	}
	status = read_answer(nic, range, found.status, info, &length);
	answer(nic, status, info, length);
}

void hvk_netvsc_control_keepalive(struct hvk_netvsc *nic, const struct hvk_shared *range)
{
	struct netvsc_control *control = &nic->control;
	hvk_status status = hvk_rndis_parse_keepalive(range, &control->keepalive_id);

	if (status != HVK_OK) {
		hvk_netvsc_fault(nic, status, "KEEPALIVE too short");
		return;
	}
	control->keepalives++;
	control->keepalive = true; /* one that still waits is answered by this one */
	answer_keepalive(nic);
}
