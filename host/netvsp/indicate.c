/* SPDX-License-Identifier: MIT */
/*
 * RNDIS messages that wait for the guest, and what the host says by itself: the state of the
 * offloads, of the link, and that the network is another one.
 */
#include <string.h>

#include "netvsp.h"

#define LATE_MAX (5 * HVH_TIME_PER_MS)
/* How long the status 0x40020006 waits for another message to share a packet with. */
#define COMPANION_WAIT (20 * HVH_TIME_PER_MS)
#define COMPANION_WAIT_FRAMES (2 * HVH_TIME_PER_SECOND)
#define RNDIS_SPEED_UNIT 100u /* bit/s */

bool netvsp_control_push(struct hvh_nic *nic, const void *bytes, uint32_t length)
{
	struct netvsp_session *session = &nic->session;
	struct netvsp_control *control;

	if (session->control_count == NETVSP_CONTROL_QUEUE || length > NETVSP_CONTROL_SIZE)
		return false;
	control = &session->control[(session->control_head + session->control_count) % NETVSP_CONTROL_QUEUE];
	control->due = nic->now;
	if (hvh_fault_strikes(nic->partition, HVH_FAULT_DELAY_COMPLETION))
		control->due = nic->now + 1 + hvh_choose(nic->partition, LATE_MAX);
	control->length = length;
	memcpy(control->bytes, bytes, length);
	session->control_count++;
	return true;
}

/* --- What the host says by itself ------------------------------------------------------ */

static uint32_t indication_build(uint8_t *to, uint32_t status, const void *buffer, uint32_t buffer_length)
{
	struct rndis_indicate_status indication = {
		.header = {RNDIS_MSG_INDICATE_STATUS, sizeof indication + buffer_length},
		.status = status,
		.buffer_length = buffer_length};

	if (buffer_length > 0) {
		indication.buffer_offset = sizeof indication - RNDIS_OFFSET_BASE;
		memcpy(to + sizeof indication, buffer, buffer_length);
	}
	memcpy(to, &indication, sizeof indication);
	return indication.header.length;
}

/* Status 0x40020006. Windows Server 2012 R2 counts the header alone in the message's
 * length, not the status buffer that follows it (iPXE 639632b05), and sends it in one
 * packet with others: there the range is all that tells the guest where it ends. */
void netvsp_indicate_offload(struct hvh_nic *nic)
{
	struct netvsp_companion *companion = &nic->session.companion;
	bool malformed = hvh_partition_get_profile(nic->partition)->status_0x40020006_malformed;
	uint8_t offload[NETVSP_CONTROL_SIZE - sizeof(struct rndis_indicate_status)];
	uint8_t message[NETVSP_CONTROL_SIZE];
	uint32_t length, header_alone = sizeof(struct rndis_indicate_status);

	length = netvsp_offload_query(nic, true, offload, sizeof offload);
	length = indication_build(message, RNDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG, offload, length);
	if (!malformed) {
		netvsp_control_push(nic, message, length);
		return;
	}
	memcpy(message + offsetof(struct rndis_header, length), &header_alone, sizeof header_alone);
	companion->present = true;
	companion->for_frames = hvh_choose(nic->partition, 2) != 0;
	companion->deadline = nic->now + (companion->for_frames ? COMPANION_WAIT_FRAMES : COMPANION_WAIT);
	companion->behind = nic->session.control_count;
	companion->message.length = length;
	memcpy(companion->message.bytes, message, length);
}

/* False: the queue of messages is full, and it is said later. */
static bool indicate(struct hvh_nic *nic, uint32_t status, const void *buffer, uint32_t buffer_length)
{
	uint8_t message[sizeof(struct rndis_indicate_status) + sizeof(uint32_t)];
	uint32_t length = indication_build(message, status, buffer, buffer_length);

	return netvsp_control_push(nic, message, length);
}

void netvsp_indicate_run(struct hvh_nic *nic)
{
	struct netvsp_session *session = &nic->session;
	uint64_t speed = nic->link_speed / RNDIS_SPEED_UNIT;
	uint32_t speed_said = speed < UINT32_MAX ? (uint32_t)speed : UINT32_MAX;

	if (!session->initialized)
		return;
	if (session->link_reported != nic->link_up &&
	    indicate(nic, nic->link_up ? RNDIS_STATUS_MEDIA_CONNECT : RNDIS_STATUS_MEDIA_DISCONNECT, NULL, 0))
		session->link_reported = nic->link_up;
	if (session->speed_changed &&
	    indicate(nic, RNDIS_STATUS_LINK_SPEED_CHANGE, &speed_said, sizeof speed_said))
		session->speed_changed = false;
	if (session->network_changed && indicate(nic, RNDIS_STATUS_NETWORK_CHANGE, NULL, 0))
		session->network_changed = false;
}
