/* SPDX-License-Identifier: MIT */
/* Bringing the controller up: one table, each row a step with its own time-out. */
#include "guest/storvsc/storvsc_internal.h"

static const uint16_t versions[] = {VSTOR_VERSION_6_2, VSTOR_VERSION_6_0, VSTOR_VERSION_5_1,
				    VSTOR_VERSION_4_2, VSTOR_VERSION_2_0};
#define VERSION_COUNT (sizeof(versions) / sizeof(versions[0]))

/* --- Channel ---------------------------------------------------------------------------- */

static hvk_status begin_memory(void *device)
{
	struct hvk_storvsc *controller = device;

	if (hvk_channel_rescinded(controller->channel))
		return HVK_EGONE;
	return hvk_storvsc_memory_start(controller);
}

static hvk_status begin_open(void *device)
{
	struct hvk_storvsc *controller = device;

	hvk_storvsc_queue_start(storvsc_primary(controller), controller->channel, controller->config.cpu,
				hvk_steps_request(&controller->steps));
	return HVK_EINPROGRESS;
}

static hvk_status opened(void *device, const struct hvk_answer *answer)
{
	struct hvk_storvsc *controller = device;

	controller->opened = answer->status == HVK_OK;
	if (controller->opened)
		hvk_storvsc_queue_opened(storvsc_primary(controller));
	return answer->status;
}

/* --- vstor --------------------------------------------------------------------------------- */

static hvk_status ask(struct hvk_storvsc *controller, uint32_t operation)
{
	struct hvk_vstor_packet packet;

	hvk_vstor_build(&packet, controller->version, operation);
	return hvk_storvsc_ask(controller, &packet);
}

/* A step that hosts have no reason to refuse. */
static hvk_status granted(void *device, const struct hvk_answer *answer)
{
	uint32_t nt_status;
	hvk_status status = hvk_vstor_parse_answer(answer->payload, answer->length, &nt_status);

	(void)device;
	if (status == HVK_OK && nt_status != VSTOR_STATUS_SUCCESS)
		status = HVK_EREFUSED_VSTOR;
	return status;
}

static hvk_status begin_initialization(void *device)
{
	return ask(device, VSTOR_OPERATION_BEGIN_INITIALIZATION);
}

static hvk_status begin_version(void *device)
{
	struct hvk_storvsc *controller = device;
	struct hvk_vstor_packet packet;

	while (controller->attempt < VERSION_COUNT &&
	       versions[controller->attempt] > controller->config.protocol_newest)
		controller->attempt++;
	if (controller->attempt == VERSION_COUNT)
		return HVK_EREFUSED_VSTOR;
	hvk_vstor_build_query_version(&packet, versions[controller->attempt]);
	return hvk_storvsc_ask(controller, &packet);
}

/* Any status but success: hosts differ in how they refuse. */
static hvk_status version_answered(void *device, const struct hvk_answer *answer)
{
	struct hvk_storvsc *controller = device;
	hvk_status status = granted(device, answer);

	if (status == HVK_EREFUSED_VSTOR) {
		controller->attempt++;
		return HVK_EAGAIN;
	}
	if (status == HVK_OK)
		controller->version = versions[controller->attempt];
	return status;
}

static hvk_status begin_properties(void *device)
{
	return ask(device, VSTOR_OPERATION_QUERY_PROPERTIES);
}

/* What one packet can carry: 512 pages, and no more than half the ring, page numbers and all. */
static hvk_status properties_answered(void *device, const struct hvk_answer *answer)
{
	struct hvk_storvsc *controller = device;
	uint32_t ring_pages = (controller->config.ring_pages * HVK_PAGE_SIZE / 2 - VSTOR_PACKET_SIZE * 2) / 8;
	uint32_t pages = hvk_min32(HVK_PACKET_PAGES_MAX, ring_pages) - 1;
	hvk_status status = hvk_vstor_parse_properties(answer->payload, answer->length, &controller->limits);

	if (status == HVK_OK)
		controller->transfer_max = hvk_min32(controller->limits.transfer_bytes_max / HVK_PAGE_SIZE,
						     pages) *
					   HVK_PAGE_SIZE;
	return status;
}

static hvk_status begin_end_initialization(void *device)
{
	return ask(device, VSTOR_OPERATION_END_INITIALIZATION);
}

/* --- Units ------------------------------------------------------------------------------------ */

static hvk_status begin_scan(void *device)
{
	struct hvk_storvsc *controller = device;

	hvk_lock(controller->hvk, &controller->lock);
	controller->taking = true;
	hvk_unlock(controller->hvk, &controller->lock);
	hvk_storvsc_scan_begin(controller);
	if (!controller->scan.running)
		return controller->scan.result;
	controller->steps.event = STORVSC_EVENT_SCANNED;
	return HVK_EINPROGRESS;
}

/* --- The tables ----------------------------------------------------------------------------------- */

/* clang-format off */
static const struct hvk_step attach_steps[] = {
	/* name                    wanted  begin                     answered */
	{"memory",                 NULL,   begin_memory,             NULL,
	 STORVSC_WAIT_ELSEWHERE, HVK_ENOMEM, false},
	{"OPEN_CHANNEL",           NULL,   begin_open,               opened,
	 STORVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_OPEN, false},
	{"BEGIN_INITIALIZATION",   NULL,   begin_initialization,     granted,
	 STORVSC_WAIT_DEVICE, HVK_ETIMEDOUT_VSTOR, false},
	{"QUERY_PROTOCOL_VERSION", NULL,   begin_version,            version_answered,
	 STORVSC_WAIT_DEVICE, HVK_ETIMEDOUT_VSTOR, false},
	{"QUERY_PROPERTIES",       NULL,   begin_properties,         properties_answered,
	 STORVSC_WAIT_DEVICE, HVK_ETIMEDOUT_VSTOR, false},
	{"END_INITIALIZATION",     NULL,   begin_end_initialization, granted,
	 STORVSC_WAIT_DEVICE, HVK_ETIMEDOUT_VSTOR, false},
	{"CREATE_SUBCHANNELS", hvk_storvsc_may_have_subchannels, hvk_storvsc_begin_subchannels,
	 hvk_storvsc_take_subchannels, STORVSC_WAIT_DEVICE, HVK_ETIMEDOUT_VSTOR, true},
	{"sub-channels offered", hvk_storvsc_has_hooks, hvk_storvsc_await_subchannels, NULL,
	 STORVSC_WAIT_SUBCHANNELS, HVK_ETIMEDOUT, true},
	{"sub-channels open", hvk_storvsc_has_hooks, hvk_storvsc_begin_open_offered,
	 hvk_storvsc_take_open_offered, STORVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_OPEN, true},
	{"scan",                   NULL,   begin_scan,               NULL,
	 STORVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_REQUEST, false},
};

static const struct hvk_step queue_steps[] = {
	{"lost sub-channels closed", NULL, hvk_storvsc_begin_close_lost, hvk_storvsc_take_close,
	 STORVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_TEARDOWN, true},
	{"sub-channels open", hvk_storvsc_has_hooks, hvk_storvsc_begin_open_offered,
	 hvk_storvsc_take_open_offered, STORVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_OPEN, true},
};
/* clang-format on */

static const struct hvk_sequence *attach_failed(void *device, hvk_status status)
{
	struct hvk_storvsc *controller = device;

	hvk_log(controller->hvk, HVK_LOG_WARN, "storvsc: attach: %s", hvk_status_text(status));
	controller->result = status;
	return &hvk_storvsc_detach_sequence;
}

static void attached(void *device)
{
	hvk_storvsc_end(device, STORVSC_ATTACHED);
}

/* Whatever else there is to do comes next. */
static void queues_done(void *device)
{
	hvk_storvsc_kick(device);
}

const struct hvk_sequence hvk_storvsc_attach_sequence = {
	attach_steps, sizeof(attach_steps) / sizeof(attach_steps[0]), attach_failed, attached};
const struct hvk_sequence hvk_storvsc_queues_sequence = {
	queue_steps, sizeof(queue_steps) / sizeof(queue_steps[0]), NULL, queues_done};
