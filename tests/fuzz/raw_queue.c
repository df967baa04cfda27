/* SPDX-License-Identifier: MIT */
/* Sub-channels of the raw guest's network card: asked for, opened, and what happens to them. */
#include "tests/fuzz/raw_guest.h"

#include "hvkit/wire/ndis.h"
#include "hvkit/wire/vmbus.h"

#define OFFERS_MAX 32u
#define OFFER_SUBCHANNEL 180u /* where an offer has these */
#define OFFER_CHANNEL 184u
#define OFFER_CONNECTION 192u
#define IP_FRAME 60u

void raw_turn_to(struct raw_guest *guest, uint32_t line)
{
	guest->lines[guest->turned_to] = (struct raw_line){guest->event_connection, guest->channel,
							   guest->ring, guest->ring_gpadl};
	guest->turned_to = line % RAW_LINES;
	guest->event_connection = guest->lines[guest->turned_to].connection;
	guest->channel = guest->lines[guest->turned_to].channel;
	guest->ring = guest->lines[guest->turned_to].ring;
	guest->ring_gpadl = guest->lines[guest->turned_to].gpadl;
}

static void note_offer(struct raw_guest *guest)
{
	uint16_t index;
	uint32_t channel, connection;

	memcpy(&index, guest->message + OFFER_SUBCHANNEL, sizeof(index));
	memcpy(&channel, guest->message + OFFER_CHANNEL, sizeof(channel));
	memcpy(&connection, guest->message + OFFER_CONNECTION, sizeof(connection));
	if (index == 0 || index >= RAW_LINES)
		return;
	guest->lines[index].channel = channel;
	guest->lines[index].connection = connection;
	guest->lines[index].ring = RAW_RING_2 + (index - 1u) * RAW_RING_PAGES;
	guest->lines[index].gpadl = RAW_GPADL_RING_2 + index;
}

void raw_subchannels(struct raw_guest *guest, uint32_t count)
{
	const struct nvs_subchannel_request request = {NVS_TYPE_SUBCHANNEL, NVS_SUBCHANNEL_ALLOCATE, count};

	raw_turn_to(guest, 0);
	raw_nvs(guest, &request, sizeof(request));
	raw_open_subchannels(guest);
}

void raw_open_subchannels(struct raw_guest *guest)
{
	for (uint32_t i = 0; i < OFFERS_MAX; i++) {
		raw_pass(guest, HVH_TIME_PER_MS);
		if (raw_take(guest, 0) == VMBUS_MSG_OFFER_CHANNEL)
			note_offer(guest);
	}
	raw_drain(guest);
	for (uint32_t line = 1; line < RAW_LINES; line++) {
		if (guest->lines[line].channel == 0)
			continue;
		raw_turn_to(guest, line);
		raw_open(guest);
	}
	raw_turn_to(guest, 0);
	raw_drain(guest);
}

/* Only to a line that there is. */
void raw_op_turn(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint32_t line = fuzz_u8(arguments) % RAW_LINES;

	if (line == 0 || guest->lines[line].channel != 0)
		raw_turn_to(guest, line);
}

/* What happens to the card beside raw_op_device's. */
void raw_op_card(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t what = fuzz_u8(arguments);
	struct hvh_nic_queue_counters counters;

	if (guest->nic == NULL)
		return;
	switch (what % 4) {
	case 0:
		hvh_nic_network_change(guest->nic, guest->now);
		break;
	case 1:
		hvh_nic_set_speed(guest->nic, guest->now, fuzz_u64(arguments));
		break;
	case 2:
		(void)hvh_nic_rescind_queue(guest->nic, guest->now, what / 4u % (RAW_LINES + 1u));
		break;
	default:
		FUZZ_CHECK(hvh_nic_queues(guest->nic) <= 64);
		(void)hvh_nic_get_queue_counters(guest->nic, what, &counters);
		break;
	}
}

/* A frame of a TCP or UDP flow for the guest: {protocol, port u16, count}. */
void raw_op_flow(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t frame[IP_FRAME] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 0, 0x45};
	uint32_t count;

	frame[17] = IP_FRAME - 14;
	frame[23] = fuzz_u8(arguments);
	frame[34] = fuzz_u8(arguments);
	frame[35] = fuzz_u8(arguments);
	frame[39] = IP_FRAME - 34; /* of a datagram; in TCP a number as good as any */
	frame[46] = 0x50;
	count = fuzz_u8(arguments) % 32u;
	for (uint32_t i = 0; guest->nic != NULL && i <= count; i++) {
		frame[41] = (uint8_t)i; /* sequence number */
		(void)hvh_nic_receive(guest->nic, guest->now, frame, sizeof(frame));
	}
}

/* Receive scaling as it should be set: {hash u16 (its types), entries}, each the queue i % 3. */
void raw_op_rss(struct raw_guest *guest, struct fuzz_input *arguments)
{
	struct {
		struct rndis_request request;
		struct ndis_rss_parameters parameters;
		uint8_t key[NDIS_RSS_KEY_SIZE];
		uint32_t table[32];
	} set = {
		.request = {.header = {RNDIS_MSG_SET, sizeof(set)},
			    .request_id = 7,
			    .oid = RNDIS_OID_GEN_RECEIVE_SCALE_PARAMETERS,
			    .information_length = sizeof(set) - sizeof(set.request),
			    .information_offset = RNDIS_REQUEST_INFORMATION_OFFSET},
		.parameters = {.header = {NDIS_OBJECT_RSS_PARAMETERS, 2, sizeof(set.parameters)},
			       .table_offset = sizeof(set.parameters) + sizeof(set.key),
			       .key_size = sizeof(set.key),
			       .key_offset = sizeof(set.parameters)},
	};
	uint32_t line = guest->turned_to;

	set.parameters.hash = NDIS_HASH_TOEPLITZ | (uint32_t)fuzz_u16(arguments) << 8;
	set.parameters.table_size = (uint16_t)(4u * (1u + fuzz_u8(arguments) % 32u));
	for (uint32_t i = 0; i < 32; i++)
		set.table[i] = i % RAW_LINES;
	for (uint32_t i = 0; i < sizeof(set.key); i++)
		set.key[i] = (uint8_t)(i * 37u + 1u);
	raw_turn_to(guest, 0);
	raw_rndis(guest, NVS_CHANNEL_CONTROL, &set, sizeof(set));
	raw_drain(guest);
	raw_turn_to(guest, line);
}
