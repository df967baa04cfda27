/* SPDX-License-Identifier: MIT */
/*
 * To the guest: control messages in the order they arose, and frames, one to many in
 * a transfer-page packet.
 */
#include <string.h>

#include "netvsp.h"

/* Where OpenVMM puts a frame: header and packet information take 256 bytes. */
#define DATA_OFFSET_OPENVMM 248u
#define PACKET_BODY (sizeof(struct rndis_packet) - sizeof(struct rndis_header))
#define PER_PACKET_INFO_CHECKSUM 0u

struct checksum_info {
	struct rndis_per_packet_info info;
	uint32_t value;
};
HVK_STATIC_ASSERT(sizeof(struct checksum_info) == 16, "checksum information");

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

void netvsp_frames_drop(struct hvh_nic *nic, uint64_t *counter)
{
	*counter += nic->frame_count;
	nic->frame_count = 0;
}

/* --- A frame as RNDIS ------------------------------------------------------------------ */

struct frame_layout {
	bool checksum_info;
	uint32_t data_offset;    /* as in the message: from byte 8 */
	uint32_t message_length; /* to the last byte of the frame */
	uint32_t range_length;
};

/* Hosts differ in where they put the frame, in alignment too, and in how long they
 * say it is. */
static struct frame_layout frame_layout(struct hvh_nic *nic, uint32_t length)
{
	uint32_t room = nic->session.suballocation_size - (uint32_t)sizeof(struct rndis_header) - length;
	struct frame_layout layout = {.checksum_info = hvh_choose(nic->partition, 2) != 0};
	uint32_t style = hvh_choose(nic->partition, 3);
	uint32_t padded;

	layout.data_offset = (uint32_t)PACKET_BODY;
	if (layout.checksum_info && layout.data_offset + sizeof(struct checksum_info) <= room)
		layout.data_offset += (uint32_t)sizeof(struct checksum_info);
	else
		layout.checksum_info = false;
	if (style == 1 && DATA_OFFSET_OPENVMM + 7 <= room)
		layout.data_offset = DATA_OFFSET_OPENVMM + hvh_choose(nic->partition, 8);
	else if (style == 2 && layout.data_offset + 2 <= room)
		layout.data_offset += 2;

	layout.message_length = (uint32_t)sizeof(struct rndis_header) + layout.data_offset + length;
	padded = (layout.message_length + 7) & ~7u;
	layout.range_length = layout.message_length;
	if (style == 1) /* OpenVMM: the whole sub-allocation */
		layout.range_length = nic->session.suballocation_size;
	else if (style == 2 && padded <= nic->session.suballocation_size)
		layout.range_length = padded;
	return layout;
}

static bool frame_fits(const struct hvh_nic *nic, uint32_t length)
{
	return length <= nic->session.frame_max &&
	       length + sizeof(struct rndis_packet) <= nic->session.suballocation_size;
}

static void frame_build(uint8_t *to, const struct frame_layout *layout, const struct netvsp_frame *frame)
{
	struct rndis_packet packet = {.header = {RNDIS_MSG_PACKET, layout->range_length},
				      .data_offset = layout->data_offset,
				      .data_length = frame->length};
	struct checksum_info info = {.info = {sizeof info, PER_PACKET_INFO_CHECKSUM, sizeof info.info}};

	if (layout->checksum_info) {
		packet.per_packet_info_offset = (uint32_t)PACKET_BODY;
		packet.per_packet_info_length = sizeof info;
		memcpy(to + sizeof packet, &info, sizeof info);
	}
	memcpy(to, &packet, sizeof packet);
	memcpy(to + RNDIS_OFFSET_BASE + layout->data_offset, frame->bytes, frame->length);
}

/* --- Packets ------------------------------------------------------------------------------ */

static bool add_message(struct hvh_nic *nic, struct netvsp_transfer *transfer, bool control,
			const struct netvsp_control *message)
{
	if (!netvsp_transfer_room(nic, transfer, control, message->length))
		return false;
	memcpy(netvsp_transfer_next(nic, transfer, message->length), message->bytes, message->length);
	return netvsp_transfer_add(nic, transfer, control, message->length, message->length);
}

static bool companion_takes_part(const struct hvh_nic *nic, bool frames)
{
	const struct netvsp_companion *companion = &nic->session.companion;

	return companion->present && companion->behind == 0 &&
	       (frames || !companion->for_frames || nic->now >= companion->deadline);
}

/* One control message a packet; where the status 0x40020006 was waiting for company,
 * it leads and all that is due follows. True if a packet was sent. */
static bool send_control(struct hvh_nic *nic)
{
	struct netvsp_session *session = &nic->session;
	struct netvsp_transfer transfer;
	bool companion = companion_takes_part(nic, false);
	bool due = session->control_count > 0 && session->control[session->control_head].due <= nic->now;
	uint32_t taken = 0;

	if (!due && !(companion && nic->now >= session->companion.deadline))
		return false;
	netvsp_transfer_begin(&transfer, NVS_CHANNEL_CONTROL);
	if (companion)
		companion = add_message(nic, &transfer, true, &session->companion.message);
	while (taken < session->control_count && !session->stopped) {
		const struct netvsp_control *control =
			&session->control[(session->control_head + taken) % NETVSP_CONTROL_QUEUE];

		if (control->due > nic->now || !add_message(nic, &transfer, true, control))
			break;
		taken++;
		if (!companion)
			break;
	}
	if (transfer.count == 0 || !netvsp_transfer_send(nic, &transfer))
		return false;
	session->control_head = (session->control_head + taken) % NETVSP_CONTROL_QUEUE;
	session->control_count -= taken;
	if (companion)
		session->companion.present = false;
	else if (session->companion.behind > 0)
		session->companion.behind--; /* one was sent */
	return true;
}

static uint32_t frames_wanted(struct hvh_nic *nic)
{
	uint32_t most = hvh_partition_get_profile(nic->partition)->ranges_per_packet_max;

	if (most < 1 || most > NETVSP_RANGES_MAX)
		most = most < 1 ? 1 : NETVSP_RANGES_MAX;
	if (most > nic->frame_count)
		most = nic->frame_count;
	if (hvh_partition_deterministic(nic->partition) && most > 1)
		most = 1 + hvh_choose(nic->partition, most);
	return most;
}

/* Adds frames from the queue's head; returns how many were used up (sent or dropped). */
static uint32_t add_frames(struct hvh_nic *nic, struct netvsp_transfer *transfer, uint64_t *bytes)
{
	uint32_t wanted = frames_wanted(nic), used = 0;

	while (used < wanted && !nic->session.stopped) {
		const struct netvsp_frame *frame = &nic->frames[(nic->frame_head + used) % HVH_NIC_QUEUE];
		struct frame_layout layout;

		if (!frame_fits(nic, frame->length)) {
			nic->counters.dropped_queue++;
			used++;
			continue;
		}
		layout = frame_layout(nic, frame->length);
		if (!netvsp_transfer_room(nic, transfer, false, layout.range_length))
			break;
		frame_build(netvsp_transfer_next(nic, transfer, layout.range_length), &layout, frame);
		if (!netvsp_transfer_add(nic, transfer, false, layout.message_length, layout.range_length))
			break;
		*bytes += frame->length;
		used++;
	}
	return used;
}

static bool send_frames(struct hvh_nic *nic)
{
	struct netvsp_session *session = &nic->session;
	struct netvsp_transfer transfer;
	bool companion = companion_takes_part(nic, true) && session->free_data_count > 1;
	uint32_t used, messages;
	uint64_t bytes = 0;

	if (nic->frame_count == 0 || session->free_data_count == 0)
		return false;
	netvsp_transfer_begin(&transfer, NVS_CHANNEL_DATA);
	if (companion)
		companion = add_message(nic, &transfer, false, &session->companion.message);
	used = add_frames(nic, &transfer, &bytes);
	messages = transfer.count;
	if (messages > 0 && !netvsp_transfer_send(nic, &transfer))
		return false;
	nic->frame_head = (nic->frame_head + used) % HVH_NIC_QUEUE;
	nic->frame_count -= used;
	if (companion)
		session->companion.present = false;
	nic->counters.to_guest_frames += messages - (companion ? 1 : 0);
	nic->counters.to_guest_bytes += bytes;
	return used > 0;
}

bool netvsp_receive_run(struct hvh_nic *nic)
{
	struct netvsp_session *session = &nic->session;

	if (!session->receive.present)
		return false;
	for (uint32_t i = 0; i < NETVSP_TRANSFERS_PER_RUN; i++)
		if (session->stopped || session->blocked || (!send_control(nic) && !send_frames(nic)))
			return false;
	return true;
}

uint64_t netvsp_receive_next(const struct hvh_nic *nic)
{
	const struct netvsp_session *session = &nic->session;
	uint64_t next = HVH_NEVER;

	/* Without a free sub-allocation it is the guest's completion that goes on. */
	if (!session->receive.present || session->free_control_count == 0)
		return HVH_NEVER;
	if (session->control_count > 0)
		next = session->control[session->control_head].due;
	if (session->companion.present && session->companion.behind == 0 &&
	    session->companion.deadline < next)
		next = session->companion.deadline;
	return next;
}
