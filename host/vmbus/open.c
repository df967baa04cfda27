/* SPDX-License-Identifier: MIT */
/* Open, close, modify; and the requests that this host refuses. */
#include <stdlib.h>
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

static void complain(struct hvh_partition *partition, enum hvh_violation_kind kind,
		     const struct hvh_post *post, uint32_t channel_id, const char *what)
{
	hvh_violate(partition, kind, partition->now, post->vp, channel_id, post->bytes, post->size,
		    "channel %u: %s", channel_id, what);
}

/* The channel that a message names. NULL: unknown (a violation), or rescinded: what the
 * guest said before it knew is ignored without a word. */
static struct hvh_channel *named(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	struct vmbus_channel_message message;

	memcpy(&message, post->bytes, sizeof(message));
	struct hvh_channel *channel = hvh_channel_by_id(partition, message.channel_id);
	if (channel == NULL) {
		complain(partition, HVH_V_CHANNEL_ID, post, message.channel_id, "there is no such channel");
		return NULL;
	}
	hvh_maybe_rescind(channel, now);
	return channel->phase == HVH_CHANNEL_RESCINDED ? NULL : channel;
}

/* --- Open ------------------------------------------------------------------------------ */

static void send_result(struct hvh_partition *partition, uint64_t now, uint32_t channel_id, uint32_t open_id,
			uint32_t status)
{
	struct vmbus_open_result result = {
		.header = {VMBUS_MSG_OPEN_RESULT, 0},
		.channel_id = channel_id,
		.open_id = open_id,
		.status = status,
	};
	hvh_vmbus_send(partition, now, &result, sizeof(result));
}

static bool valid_target(const struct hvh_partition *partition, uint32_t vp)
{
	return vp < partition->vps || vp == VMBUS_CHANNEL_VP_NONE;
}

static bool allocate_packets(struct hvh_channel *channel)
{
	if (channel->in_packet == NULL)
		channel->in_packet = malloc(HVH_PACKET_MAX + sizeof(struct vmbus_packet_trailer));
	if (channel->out_packet == NULL)
		channel->out_packet = malloc(HVH_PACKET_MAX + sizeof(struct vmbus_packet_trailer));
	return channel->in_packet != NULL && channel->out_packet != NULL;
}

/* Below 2.4 everything goes to VP 0, whatever the message says. */
static bool prepare(struct hvh_channel *channel, uint64_t now, const struct hvh_post *post,
		    const struct vmbus_open_channel *open)
{
	struct hvh_partition *partition = channel->partition;
	struct hvh_gpadl *gpadl = hvh_gpadl_find(channel, open->ring_gpadl);

	if (gpadl == NULL) {
		complain(partition, HVH_V_GPADL_ID, post, channel->id,
			 "open: it has no such GPADL for its rings");
		return false;
	}
	channel->target_vp = 0;
	if (partition->vmbus->version >= VMBUS_VERSION_2_4) {
		if (!valid_target(partition, open->target_vp)) {
			complain(partition, HVH_V_TARGET_VP, post, channel->id,
				 "open: the target VP does not exist");
			return false;
		}
		channel->target_vp = open->target_vp;
	}
	channel->ring_gpadl = gpadl;
	if (!allocate_packets(channel)) {
		hvh_note(partition, now, channel->id, "out of memory: the open is refused");
		return false;
	}
	return hvh_rings_open(channel, now, open->downstream_page_offset);
}

static bool start(struct hvh_channel *channel, uint64_t now, const struct vmbus_open_channel *open)
{
	channel->dead = false;
	channel->signalled = false;
	channel->bitless = 0;
	channel->trace_pending = false;
	channel->opened_at = now;
	channel->epoch++;
	hvh_monitor_clear(channel); /* a bit from before the last close is no signal */
	channel->opened = true;
	channel->phase = HVH_CHANNEL_OPEN;
	if (!channel->ops->open(channel->device, channel, now, open->user_data)) {
		channel->phase = HVH_CHANNEL_CLOSED;
		channel->ring_gpadl = NULL;
		return false;
	}
	channel->unstick_at = now + HVH_UNSTICK_TIME;
	hvh_channel_kick(channel);
	return true;
}

void hvh_open(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	struct vmbus_open_channel open;
	struct hvh_channel *channel = named(partition, now, post);

	memcpy(&open, post->bytes, sizeof(open));
	if (channel == NULL)
		return;
	if (channel->phase != HVH_CHANNEL_CLOSED) {
		complain(partition, HVH_V_CHANNEL_STATE, post, channel->id, "open, but it is open already");
		return;
	}
	if (partition->silence == HVH_SILENCE_OPEN) {
		channel->phase = HVH_CHANNEL_OPENING;
		return;
	}
	bool good = prepare(channel, now, post, &open);
	if (good)
		good = start(channel, now, &open);
	else
		channel->ring_gpadl = NULL;
	send_result(partition, now, channel->id, open.open_id,
		    good ? 0 : partition->profile.open_failure_status);
}

/* --- Close --------------------------------------------------------------------------------- */

void hvh_channel_stop(struct hvh_channel *channel, uint64_t now)
{
	bool was_open = channel->phase == HVH_CHANNEL_OPEN;

	channel->phase = HVH_CHANNEL_CLOSED;
	channel->run_at = HVH_NEVER;
	channel->unstick_at = HVH_NEVER;
	if (was_open) {
		hvh_trace_flush(channel, now);
		channel->ops->close(channel->device, channel, now);
	}
	channel->ring_gpadl = NULL;
	channel->subchannels = 0;
	channel->awaits_delivery = false;
	channel->modify_due = HVH_NEVER;
}

void hvh_close(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	struct hvh_channel *channel = named(partition, now, post);

	if (channel == NULL)
		return;
	if (channel->phase == HVH_CHANNEL_CLOSED) {
		complain(partition, HVH_V_CHANNEL_STATE, post, channel->id, "close, but it is not open");
		return;
	}
	if (channel->ops->hears_out)
		hvh_channel_run(channel, now);
	if (channel->primary == NULL)
		hvh_subchannels_withdraw(channel, now);
	hvh_channel_stop(channel, now);
	hvh_gpadls_retry(channel, now);
}

/* --- Modify --------------------------------------------------------------------------------- */

static void answer_modify(struct hvh_channel *channel, uint64_t now, bool good)
{
	struct hvh_partition *partition = channel->partition;
	struct vmbus_modify_channel_response response = {
		.header = {VMBUS_MSG_MODIFY_CHANNEL_RESPONSE, 0},
		.channel_id = channel->id,
		.status = good ? 0 : VMBUS_STATUS_FAILURE,
	};

	if (partition->vmbus->version >= VMBUS_VERSION_5_3 && partition->profile.modify_response)
		hvh_vmbus_send(partition, now, &response, sizeof(response));
}

void hvh_modify_run(struct hvh_channel *channel, uint64_t now)
{
	channel->modify_due = HVH_NEVER;
	channel->target_vp = channel->modify_target_vp;
	answer_modify(channel, now, true);
}

/* From 5.3 a second one is dropped while the first is under way, below that the newest
 * counts (OpenVMM). */
void hvh_modify(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	struct vmbus_modify_channel modify;
	struct hvh_channel *channel = named(partition, now, post);

	memcpy(&modify, post->bytes, sizeof(modify));
	if (channel == NULL)
		return;
	if (channel->phase != HVH_CHANNEL_OPEN) {
		complain(partition, HVH_V_CHANNEL_STATE, post, channel->id, "modify, but it is not open");
		answer_modify(channel, now, false);
		return;
	}
	if (channel->modify_due != HVH_NEVER && partition->vmbus->version >= VMBUS_VERSION_5_3) {
		complain(partition, HVH_V_CHANNEL_STATE, post, channel->id,
			 "modify, but the answer to the one before is still to come: dropped");
		return;
	}
	if (!valid_target(partition, modify.target_vp)) {
		complain(partition, HVH_V_TARGET_VP, post, channel->id,
			 "modify: the target VP does not exist");
		answer_modify(channel, now, false);
		return;
	}
	if (partition->silence == HVH_SILENCE_MODIFY)
		return;
	channel->modify_target_vp = modify.target_vp;
	channel->modify_due = now;
	if (hvh_fault_strikes(partition, HVH_FAULT_DELAY_COMPLETION))
		channel->modify_due = now + 1 + hvh_choose(partition, HVH_MODIFY_MAX);
	else
		hvh_modify_run(channel, now);
}

/* --- What this host has not ------------------------------------------------------------------- */

/* Reserved channels are for crash dumps: no channel here can become one. The refusal goes
 * to a VP and SINT of the guest's choice, past the bus's own queue; where that takes none
 * there is no answer, as from Hyper-V (OpenVMM #4473). */
void hvh_open_reserved(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	struct vmbus_open_reserved open;

	memcpy(&open, post->bytes, sizeof(open));
	if (named(partition, now, post) == NULL)
		return;
	if (open.target_vp >= partition->vps || open.target_sint >= HV_SINT_COUNT) {
		complain(partition, HVH_V_TARGET_VP, post, open.channel_id,
			 "open-reserved: no such VP or SINT");
		return;
	}
	struct vmbus_open_result result = {
		.header = {VMBUS_MSG_OPEN_RESULT, 0},
		.channel_id = open.channel_id,
		.status = partition->profile.open_failure_status,
	};
	if (!hvh_synic_post(partition, now, open.target_vp, open.target_sint, &result, sizeof(result)))
		hvh_note(partition, now, open.channel_id, "open-reserved: no room at VP %u, SINT %u",
			 open.target_vp, open.target_sint);
}

/* Taken whether connected or not, as a crash kernel would send it; but nothing is reserved. */
void hvh_close_reserved(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	struct vmbus_close_reserved close;

	(void)now;
	memcpy(&close, post->bytes, sizeof(close));
	if (hvh_channel_by_id(partition, close.channel_id) == NULL)
		complain(partition, HVH_V_CHANNEL_ID, post, close.channel_id,
			 "close-reserved: there is no such channel");
	else
		complain(partition, HVH_V_CHANNEL_STATE, post, close.channel_id,
			 "close-reserved, but it is not reserved");
}

/* Socket connections: nobody listens. Up to 4.0 there is no message to say so. */
void hvh_tl_connect(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	struct {
		struct vmbus_message_header header;
		struct vmbus_guid endpoint, service;
		uint32_t status;
	} result = {.header = {VMBUS_MSG_TL_CONNECT_RESULT, 0}, .status = HVH_REFUSED_TL};

	memcpy(&result.endpoint, post->bytes + sizeof(result.header), 2 * sizeof(result.endpoint));
	if (partition->vmbus->version >= hvh_message_rule(VMBUS_MSG_TL_CONNECT_RESULT)->first_version)
		hvh_vmbus_send(partition, now, &result, sizeof(result));
}
