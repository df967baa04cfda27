/* SPDX-License-Identifier: MIT */
/*
 * Taking the card down, from wherever the bring-up got to. No step of it can fail: what
 * the host does not answer in time is left, and vmbus keeps the memory from everybody.
 */
#include "guest/netvsc/netvsc_internal.h"

static bool can_talk(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return nic->opened && netvsc_lost(nic) == HVK_OK && !hvk_channel_rescinded(nic->channel);
}

/* Nothing new goes to the host, and nothing is handed up. What waits is for after a restart. */
static hvk_status begin_quiet(void *device)
{
	struct hvk_netvsc *nic = device;
	bool back = nic->restart != NETVSC_RESTART_NONE && !hvk_netvsc_unwanted(nic);

	__atomic_store_n(&nic->receiving, false, __ATOMIC_RELAXED);
	hvk_netvsc_link_quiet(nic);
	hvk_netvsc_control_forget(nic);
	hvk_netvsc_transmit_open(nic, back ? NETVSC_TX_PAUSED : NETVSC_TX_CLOSED);
	if (back)
		return HVK_OK;
	hvk_netvsc_operations_cancel(nic, netvsc_lost(nic) == HVK_OK ? HVK_ECANCELED : HVK_EGONE);
	nic->netdev.info.flags = 0;
	return HVK_OK;
}

/* Before the look: who leaves meanwhile kicks. */
static void await_quiet(struct hvk_netvsc *nic)
{
	__atomic_store_n(&nic->quiet_awaited, true, __ATOMIC_SEQ_CST);
}

static bool can_ask(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return can_talk(nic) && nic->rndis_up && !nic->silent;
}

/* Without it reception is sometimes dead after the next open (WS2012 R2; iPXE 67291465e). */
static hvk_status begin_filter_off(void *device)
{
	struct hvk_netvsc *nic = device;
	static const uint32_t filter;

	return hvk_netvsc_steps_set(nic, RNDIS_OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
}

hvk_status hvk_netvsc_begin_drain(void *device)
{
	struct hvk_netvsc *nic = device;

	await_quiet(nic);
	if (hvk_netvsc_transmit_idle(nic))
		return HVK_OK;
	nic->steps.event = NETVSC_EVENT_SENDS;
	return HVK_EINPROGRESS;
}

/* Also once more when all queues are closed: another CPU may have been about to lend one while its queue
 * was told to be quiet. */
static hvk_status await_lent(void *device)
{
	struct hvk_netvsc *nic = device;

	await_quiet(nic);
	if (hvk_netvsc_lend_idle(nic))
		return HVK_OK;
	nic->steps.event = NETVSC_EVENT_LENT;
	return HVK_EINPROGRESS;
}

/* Frames lent lie in memory that is about to be given back, and who has them is not ours to
 * hurry: the one wait without a bound. */
static hvk_status begin_lent(void *device)
{
	struct hvk_netvsc *nic = device;
	hvk_netvsc_lend_collect(netvsc_primary(nic));
	hvk_netvsc_receive_complete(netvsc_primary(nic));
	return await_lent(nic);
}

static bool was_initialized(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return can_talk(nic) && nic->rndis_up;
}

/* RNDIS has no answer to it. */
static hvk_status begin_halt(void *device)
{
	struct hvk_netvsc *nic = device;

	return hvk_netvsc_control_halt(nic);
}

static hvk_status revoke(struct hvk_netvsc *nic, uint32_t type, uint16_t page_set_id)
{
	struct hvk_nvs_message message;
	hvk_status status;

	hvk_nvs_build_revoke(&message, nic->nvs_version, type, page_set_id);
	status = hvk_netvsc_steps_nvs(nic, &message);
	nic->revoke_unanswered = status == HVK_EINPROGRESS;
	return status;
}

/* Any completion will do: hosts differ in what they put in. */
static hvk_status revoked(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;

	(void)answer;
	nic->revoke_unanswered = false;
	return HVK_OK;
}

static bool has_receive_buffer(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return can_talk(nic) && nic->receive_connected;
}

static hvk_status begin_revoke_receive(void *device)
{
	struct hvk_netvsc *nic = device;

	return revoke(nic, NVS_TYPE_REVOKE_RECEIVE_BUFFER, NVS_RECEIVE_PAGE_SET_ID);
}

/* OpenVMM reads nothing on this channel after the first revoke, nor answers it. */
static bool has_send_buffer(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return can_talk(nic) && nic->send_connected && !nic->revoke_unanswered;
}

static hvk_status begin_revoke_send(void *device)
{
	struct hvk_netvsc *nic = device;

	return revoke(nic, NVS_TYPE_REVOKE_SEND_BUFFER, NVS_SEND_PAGE_SET_ID);
}

/* --- GPADLs and the channel --------------------------------------------------------------- */

static void torn_down(struct hvk_request *request, void *context)
{
	struct hvk_netvsc *nic = context;
	const struct hvk_answer answer = {HVK_OK, NULL, 0};

	if (!hvk_netvsc_enter(nic)) {
		hvk_netvsc_come_back(nic, request);
		return;
	}
	if (request->status != HVK_OK && nic->close_status == HVK_OK)
		nic->close_status = request->status;
	nic->teardowns--;
	if (nic->teardowns == 0)
		hvk_steps_answer(&nic->steps, NETVSC_EVENT_TEARDOWN, &answer);
	hvk_netvsc_leave(nic);
}

static void tear_down(struct hvk_netvsc *nic, struct hvk_gpadl *gpadl, struct hvk_request *request,
		      bool *begun)
{
	if (*begun || gpadl->id == 0) /* once begun it is vmbus' */
		return;
	*begun = true;
	nic->teardowns++;
	*request = (struct hvk_request){.done = torn_down, .context = nic};
	hvk_gpadl_teardown(gpadl, request);
}

static hvk_status begin_teardown(void *device)
{
	struct hvk_netvsc *nic = device;
	hvk_netvsc_receive_forget(nic); /* the pages go back while packets may still come */
	tear_down(nic, &nic->receive_gpadl, &nic->receive_teardown, &nic->receive_teardown_begun);
	tear_down(nic, &nic->send_gpadl, &nic->send_teardown, &nic->send_teardown_begun);
	if (nic->teardowns == 0)
		return HVK_OK;
	nic->steps.event = NETVSC_EVENT_TEARDOWN;
	return HVK_EINPROGRESS;
}

/* Below 4.0 the host ignores messages about a closed channel (FreeBSD), so they are sent
 * before; the answers may need the close (WS2012 R2 withholds one; iPXE cd68d93b6), so
 * they are awaited for a second, and after it as long as vmbus waits. In boot mode the host is
 * one that knows 3.0 whatever the connection is, and the close comes first (iPXE). A rescinded
 * channel may not outlive its close. */
static bool before_close(const void *device)
{
	const struct hvk_netvsc *nic = device;

	if (hvk_channel_rescinded(nic->channel))
		return true;
	return hvk_vmbus_version(nic->hvk) < VMBUS_VERSION_4_0 && !hvk_vmbus_boot_mode(nic->hvk);
}

static bool is_open(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return nic->opened;
}

static hvk_status begin_close(void *device)
{
	struct hvk_netvsc *nic = device;
	hvk_channel_close(nic->channel, hvk_steps_request(&nic->steps));
	return HVK_EINPROGRESS;
}

static hvk_status closed(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;

	nic->opened = false;
	nic->withhold = answer->status == HVK_ETIMEDOUT_TEARDOWN;
	if (nic->close_status == HVK_OK)
		nic->close_status = answer->status;
	return HVK_OK;
}

static hvk_status begin_release(void *device)
{
	struct hvk_netvsc *nic = device;
	hvk_netvsc_control_stop(nic, nic->withhold);
	for (uint32_t i = 0; i < nic->queue_count; i++)
		hvk_netvsc_queue_stop(&nic->queues[i], nic->withhold);
	return HVK_OK;
}

/* --- The table ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct hvk_step steps[] = {
	/* name                  wanted              begin                 answered */
	{"quiet",                NULL,               begin_quiet,          NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"filter off",           can_ask,            begin_filter_off,     NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_SET, true},
	{"drain",                can_talk,           hvk_netvsc_begin_drain, NULL,
	 NETVSC_WAIT_GRACE, HVK_ETIMEDOUT_SEND, true},
	{"lent frames",          NULL,               begin_lent,           NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"HALT",                 was_initialized,    begin_halt,           NULL,
	 NETVSC_WAIT_GRACE, HVK_ETIMEDOUT_SEND, true},
	{"REVOKE_RECEIVE_BUFFER", has_receive_buffer, begin_revoke_receive, revoked,
	 NETVSC_WAIT_REVOKE, HVK_ETIMEDOUT_NVS_RECEIVE_BUFFER, true},
	{"REVOKE_SEND_BUFFER",   has_send_buffer,    begin_revoke_send,    revoked,
	 NETVSC_WAIT_REVOKE, HVK_ETIMEDOUT_NVS_SEND_BUFFER, true},
	{"sub-channels off",     hvk_netvsc_has_hooks, hvk_netvsc_begin_hooks_off, NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"sub-channels closed",  NULL, hvk_netvsc_begin_close_all, hvk_netvsc_take_close,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_TEARDOWN, true},
	{"late lent frames",     NULL,               await_lent,           NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"GPADL_TEARDOWN before CLOSE", before_close, begin_teardown,      NULL,
	 NETVSC_WAIT_TORNDOWN, HVK_ETIMEDOUT_TEARDOWN, true},
	{"CLOSE_CHANNEL",        is_open,            begin_close,          closed,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_TEARDOWN, true},
	{"GPADL_TEARDOWN",       NULL,               begin_teardown,       NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_TEARDOWN, true},
	{"release",              NULL,               begin_release,        NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
};
/* clang-format on */

static void detached(void *device)
{
	struct hvk_netvsc *nic = device;
	hvk_netvsc_end(nic, NETVSC_DETACHED);
}

const struct hvk_sequence hvk_netvsc_detach_sequence = {steps, sizeof(steps) / sizeof(steps[0]), NULL,
							detached};
