/* SPDX-License-Identifier: MIT */
/*
 * To the guest: control messages in the order they arose, and frames, one to many in
 * a transfer-page packet.
 */
#include <string.h>

#include "netvsp.h"

bool netvsp_filter_passes(const struct hvh_nic *nic, const uint8_t *frame)
{
	static const uint8_t broadcast[NETVSP_ETHERNET_ADDRESS] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint32_t filter = nic->session.filter;

	if ((filter & RNDIS_FILTER_PROMISCUOUS) != 0)
		return true;
	if (memcmp(frame, broadcast, sizeof broadcast) == 0)
		return (filter & RNDIS_FILTER_BROADCAST) != 0;
	if ((frame[0] & 1) != 0) /* there is no list of groups to look into */
		return (filter & (RNDIS_FILTER_MULTICAST | RNDIS_FILTER_ALL_MULTICAST)) != 0;
	return (filter & RNDIS_FILTER_DIRECTED) != 0 && memcmp(frame, nic->mac, sizeof nic->mac) == 0;
}

/* --- Packets ------------------------------------------------------------------------------ */

static bool add_message(struct netvsp_transfer *transfer, bool control, const struct netvsp_control *message)
{
	const struct netvsp_message whole = {.head = message->bytes, .head_length = message->length};

	if (!netvsp_transfer_room(transfer, control, message->length))
		return false;
	return netvsp_transfer_add(transfer, control, &whole, message->length);
}

static bool companion_takes_part(const struct hvh_nic *nic, bool frames)
{
	const struct netvsp_companion *companion = &nic->session.companion;

	return companion->present && companion->behind == 0 &&
	       (frames || !companion->for_frames || nic->now >= companion->deadline);
}

/* One control message a packet; where the status 0x40020006 was waiting for company,
 * it leads and all that is due follows. True if a packet was sent. */
static bool send_control(struct netvsp_queue *primary)
{
	struct hvh_nic *nic = primary->nic;
	struct netvsp_session *session = &nic->session;
	struct netvsp_transfer transfer;
	bool companion = companion_takes_part(nic, false);
	bool due = session->control_count > 0 && session->control[session->control_head].due <= nic->now;
	uint32_t taken = 0;

	if (!due && !(companion && nic->now >= session->companion.deadline))
		return false;
	netvsp_transfer_begin(primary, &transfer, NVS_CHANNEL_CONTROL);
	if (companion)
		companion = add_message(&transfer, true, &session->companion.message);
	while (taken < session->control_count && !primary->stopped) {
		const struct netvsp_control *control =
			&session->control[(session->control_head + taken) % NETVSP_CONTROL_QUEUE];

		if (control->due > nic->now || !add_message(&transfer, true, control))
			break;
		taken++;
		if (!companion)
			break;
	}
	if (transfer.count == 0 || !netvsp_transfer_send(&transfer))
		return false;
	session->control_head = (session->control_head + taken) % NETVSP_CONTROL_QUEUE;
	session->control_count -= taken;
	if (companion)
		session->companion.present = false;
	else if (session->companion.behind > 0)
		session->companion.behind--; /* one was sent */
	return true;
}

static uint32_t frames_wanted(const struct netvsp_queue *queue)
{
	const struct hvh_nic *nic = queue->nic;
	uint32_t most = hvh_partition_get_profile(nic->partition)->ranges_per_packet_max;

	if (most < 1 || most > NETVSP_RANGES_MAX)
		most = most < 1 ? 1 : NETVSP_RANGES_MAX;
	if (most > queue->frame_count)
		most = queue->frame_count;
	if (hvh_partition_deterministic(nic->partition) && most > 1)
		most = 1 + hvh_choose(nic->partition, most);
	return most;
}

/* What has been taken from the queue's head. */
struct taken {
	uint32_t used; /* sent or dropped */
	uint32_t frames, dropped;
	uint64_t bytes;
};

static const struct netvsp_frame *take(struct hvh_nic *nic, const struct netvsp_frame *frame,
				       struct taken *taken, uint32_t count)
{
	for (; count > 0; count--) {
		taken->used++;
		taken->frames++;
		taken->bytes += frame->length;
		frame = netvsp_frame_next(nic, frame);
	}
	return frame;
}

static struct taken add_frames(struct netvsp_queue *queue, struct netvsp_transfer *transfer)
{
	struct hvh_nic *nic = queue->nic;
	const struct netvsp_frame *frame = netvsp_frame_first(queue);
	uint32_t wanted = frames_wanted(queue) + transfer->count; /* ranges */
	struct taken taken = {0};

	while (taken.used < queue->frame_count && transfer->count < wanted && !queue->stopped) {
		uint32_t joined = netvsp_join(transfer, frame, queue->frame_count - taken.used,
					      wanted - transfer->count);

		if (joined == NETVSP_JOIN_LATER)
			break;
		if (joined == 0 && !netvsp_frame_fits(nic, frame)) {
			taken.dropped++;
			taken.used++;
			frame = netvsp_frame_next(nic, frame);
			continue;
		}
		if (joined == 0 && !netvsp_frame_add(transfer, frame))
			break;
		frame = take(nic, frame, &taken, joined > 0 ? joined : 1);
	}
	return taken;
}

static bool send_frames(struct netvsp_queue *queue)
{
	struct hvh_nic *nic = queue->nic;
	struct netvsp_session *session = &nic->session;
	struct netvsp_transfer transfer;
	bool companion = queue->index == 0 && companion_takes_part(nic, true) && queue->free_count > 1;
	struct taken taken;

	if (queue->frame_count == 0 || queue->free_count == 0)
		return false;
	netvsp_transfer_begin(queue, &transfer, NVS_CHANNEL_DATA);
	if (companion)
		companion = add_message(&transfer, false, &session->companion.message);
	taken = add_frames(queue, &transfer);
	if (queue->stopped || (transfer.count > 0 && !netvsp_transfer_send(&transfer)))
		return false;
	netvsp_frames_release(queue, taken.used);
	nic->counters.dropped_queue += taken.dropped;
	queue->counters.dropped += taken.dropped;
	if (companion)
		session->companion.present = false;
	nic->counters.to_guest_frames += taken.frames;
	nic->counters.to_guest_bytes += taken.bytes;
	queue->counters.to_guest_frames += taken.frames;
	return taken.used > 0;
}

bool netvsp_receive_run(struct netvsp_queue *queue)
{
	if (!queue->nic->session.receive.present)
		return false;
	for (uint32_t i = 0; i < NETVSP_TRANSFERS_PER_RUN; i++) {
		if (queue->stopped || queue->blocked)
			return false;
		if (!(queue->index == 0 && send_control(queue)) && !send_frames(queue))
			return false;
	}
	return true;
}

uint64_t netvsp_receive_next(const struct netvsp_queue *queue)
{
	const struct netvsp_session *session = &queue->nic->session;
	uint64_t next = HVH_NEVER;

	/* Without a free sub-allocation it is the guest's completion that goes on. */
	if (queue->index != 0 || !session->receive.present || session->free_control_count == 0)
		return HVH_NEVER;
	if (session->control_count > 0)
		next = session->control[session->control_head].due;
	if (session->companion.present && session->companion.behind == 0 &&
	    session->companion.deadline < next)
		next = session->companion.deadline;
	return next;
}
