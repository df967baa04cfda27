/* SPDX-License-Identifier: MIT */
/* A bare guest's offloads as they should be: turned on, asked for, and segments to be joined. */
#include "hvkit/wire/ndis.h"
#include "tests/fuzz/raw_guest.h"

#define HEADERS 54u /* Ethernet, IPv4, TCP */
#define PAYLOAD_MAX 1460u
#define LARGE_MAX 3000u

static uint16_t internet_checksum(const uint8_t *bytes, uint32_t length, uint32_t sum)
{
	for (uint32_t i = 0; i < length; i++)
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* A broadcast TCP segment with this sequence number; all sums are right, or as a large send has them. */
static void segment(uint8_t *frame, uint32_t sequence, uint32_t payload, bool large)
{
	static const uint8_t head[HEADERS] = {
		0xff,     0xff,      0xff,      0xff,      0xff,      0xff,        2,          0,
		0,        0,         0,         1,         8,         0,           0x45,       [22] = 64,
		[23] = 6, [26] = 10, [30] = 10, [35] = 80, [37] = 90, [46] = 0x50, [47] = 0x10};

	memcpy(frame, head, sizeof(head));
	for (uint32_t i = 0; i < payload; i++)
		frame[HEADERS + i] = (uint8_t)(sequence + i);
	put16(frame + 38, sequence >> 16);
	put16(frame + 40, sequence);
	if (large) {
		put16(frame + 50, internet_checksum(frame + 26, 8, 6));
		return;
	}
	put16(frame + 16, 40 + payload);
	put16(frame + 24, ~(uint32_t)internet_checksum(frame + 14, 20, 0));
	put16(frame + 50, ~(uint32_t)internet_checksum(frame + 26, 28 + payload, 6 + 20 + payload));
}

/* OFFLOAD_PARAMETERS: {what is left as it is}, a bit for each of checksums, large sends, RSC; all else
 * is turned on. */
void raw_op_offload(struct raw_guest *guest, struct fuzz_input *arguments)
{
	struct {
		struct rndis_request request;
		struct ndis_offload_parameters parameters;
	} set = {
		.request = {.header = {RNDIS_MSG_SET, sizeof(set)},
			    .request_id = 8,
			    .oid = RNDIS_OID_TCP_OFFLOAD_PARAMETERS,
			    .information_length = sizeof(set.parameters),
			    .information_offset = RNDIS_REQUEST_INFORMATION_OFFSET},
		.parameters = {.header = {NDIS_OBJECT_DEFAULT, 3, sizeof(set.parameters)}},
	};
	uint8_t left = fuzz_u8(arguments);
	uint32_t line = guest->turned_to;

	if ((left & 1u) == 0)
		memset(&set.parameters.ipv4_checksum, NDIS_PARAMETER_TX_RX, 5);
	if ((left & 2u) == 0)
		set.parameters.lso_v2_ipv4 = set.parameters.lso_v2_ipv6 = NDIS_PARAMETER_ON;
	if ((left & 4u) == 0)
		set.parameters.rsc_ipv4 = set.parameters.rsc_ipv6 = NDIS_PARAMETER_ON;
	raw_turn_to(guest, 0);
	raw_rndis(guest, NVS_CHANNEL_CONTROL, &set, sizeof(set));
	raw_drain(guest);
	raw_turn_to(guest, line);
}

/* Segments for the guest, one after another: {count, bytes of each u16, one that is damaged}. */
void raw_op_stream(struct raw_guest *guest, struct fuzz_input *arguments)
{
	static uint8_t frame[HEADERS + PAYLOAD_MAX];
	uint32_t count = fuzz_u8(arguments) % 16u, payload = fuzz_u16(arguments) % (PAYLOAD_MAX + 1);
	uint32_t damaged = fuzz_u8(arguments);

	for (uint32_t i = 0; guest->nic != NULL && i <= count; i++) {
		segment(frame, 1000 + i * payload, payload, false);
		frame[HEADERS - 1] ^= i + 1 == damaged;
		(void)hvh_nic_receive(guest->nic, guest->now, frame, HEADERS + payload);
	}
}

/* A large send: {MSS u16, bytes u16, VLAN information or 0 u16}. */
void raw_op_large(struct raw_guest *guest, struct fuzz_input *arguments)
{
	static uint8_t message[sizeof(struct rndis_packet) + 32 + HEADERS + LARGE_MAX];
	struct rndis_packet packet = {.header = {RNDIS_MSG_PACKET, 0}, .per_packet_info_offset = 36};
	struct rndis_per_packet_info info = {16, RNDIS_INFO_LSO, sizeof(info)};
	uint32_t value = RNDIS_LSO_V2 | 34u << RNDIS_LSO_OFFSET_SHIFT | fuzz_u16(arguments);
	uint32_t payload = fuzz_u16(arguments) % (LARGE_MAX + 1), at = sizeof(packet);

	memcpy(message + at, &info, sizeof(info));
	memcpy(message + at + sizeof(info), &value, sizeof(value));
	at += info.size;
	value = fuzz_u16(arguments);
	if (value != 0) {
		info.type = RNDIS_INFO_VLAN;
		memcpy(message + at, &info, sizeof(info));
		memcpy(message + at + sizeof(info), &value, sizeof(value));
		at += info.size;
	}
	packet.per_packet_info_length = at - (uint32_t)sizeof(packet);
	packet.data_offset = at - RNDIS_OFFSET_BASE;
	packet.data_length = HEADERS + payload;
	packet.header.length = at + packet.data_length;
	memcpy(message, &packet, sizeof(packet));
	segment(message + at, 7, payload, true);
	raw_rndis(guest, NVS_CHANNEL_DATA, message, packet.header.length);
}
