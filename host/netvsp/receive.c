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
#define HEAD_MAX (RNDIS_OFFSET_BASE + DATA_OFFSET_OPENVMM + 8u) /* the longest of frame_layout's */
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

/* What goes before the frame; returns its length. */
static uint32_t frame_head(uint8_t head[HEAD_MAX], const struct frame_layout *layout, uint32_t length)
{
	uint32_t head_length = (uint32_t)RNDIS_OFFSET_BASE + layout->data_offset;
	struct rndis_packet packet = {.header = {RNDIS_MSG_PACKET, layout->range_length},
				      .data_offset = layout->data_offset,
				      .data_length = length};
	struct checksum_info info = {.info = {sizeof info, PER_PACKET_INFO_CHECKSUM, sizeof info.info}};

	memset(head, 0, head_length);
	if (layout->checksum_info) {
		packet.per_packet_info_offset = (uint32_t)PACKET_BODY;
		packet.per_packet_info_length = sizeof info;
		memcpy(head + sizeof packet, &info, sizeof info);
	}
	memcpy(head, &packet, sizeof packet);
	return head_length;
}

/* --- Packets ------------------------------------------------------------------------------ */

static bool add_message(struct hvh_nic *nic, struct netvsp_transfer *transfer, bool control,
			const struct netvsp_control *message)
{
	const struct netvsp_message whole = {.head = message->bytes, .head_length = message->length};

	if (!netvsp_transfer_room(nic, transfer, control, message->length))
		return false;
	return netvsp_transfer_add(nic, transfer, control, &whole, message->length);
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
	netvsp_transfer_begin(nic, &transfer, NVS_CHANNEL_CONTROL);
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

/* False: no room for it in this packet, or the receive buffer is gone. */
static bool add_frame(struct hvh_nic *nic, struct netvsp_transfer *transfer, const struct netvsp_frame *frame)
{
	struct frame_layout layout = frame_layout(nic, frame->length);
	struct netvsp_message message = {.frame = frame->bytes, .frame_length = frame->length};
	uint8_t head[HEAD_MAX];

	if (!netvsp_transfer_room(nic, transfer, false, layout.range_length))
		return false;
	message.head = head;
	message.head_length = frame_head(head, &layout, frame->length);
	return netvsp_transfer_add(nic, transfer, false, &message, layout.range_length);
}

/* Adds frames from the queue's head; returns how many were used up (sent or dropped). */
static uint32_t add_frames(struct hvh_nic *nic, struct netvsp_transfer *transfer, uint64_t *bytes)
{
	uint32_t wanted = frames_wanted(nic), used = 0;

	while (used < wanted && !nic->session.stopped) {
		const struct netvsp_frame *frame = &nic->frames[(nic->frame_head + used) % HVH_NIC_QUEUE];

		if (!frame_fits(nic, frame->length)) {
			nic->counters.dropped_queue++;
			used++;
			continue;
		}
		if (!add_frame(nic, transfer, frame))
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
	netvsp_transfer_begin(nic, &transfer, NVS_CHANNEL_DATA);
	if (companion)
		companion = add_message(nic, &transfer, false, &session->companion.message);
	used = add_frames(nic, &transfer, &bytes);
	messages = transfer.count;
	if (messages > 0 && !netvsp_transfer_send(nic, &transfer))
		return false;
	nic->frame_count -= used;
	/* An empty queue begins anew with the places that the caches still have. */
	nic->frame_head = nic->frame_count == 0 ? 0 : (nic->frame_head + used) % HVH_NIC_QUEUE;
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
