/* SPDX-License-Identifier: MIT */
/*
 * Writes a trace that holds what no single run does: every control message, NVS message, RNDIS
 * message, vstor packet and SCSI command there is, every kind of record, short and hostile ones.
 * Without an argument it does so into a temporary file and reads it back; with one it leaves the
 * trace there.
 *
 *   all_kinds [FILE [SEED]]
 *
 * With a seed some bytes of most records are others: both decoders must still agree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/hvkit/trace/decode.h"
#include "apps/hvkit/trace/reader.h"
#include "apps/hvkit/trace/tables.h"
#include "hvkit/wire/hypervisor.h"
#include "hvkit/wire/ndis.h"
#include "hvkit/wire/nvs.h"
#include "hvkit/wire/ring.h"
#include "hvkit/wire/rndis.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit_host/trace.h"
#include "tests/dissector/kinds.h"

#define HEADERS 16u
#define CHANGED_MAX 8192u

static uint32_t next_random(struct kinds_writer *writer)
{
	writer->random ^= writer->random << 13;
	writer->random ^= writer->random >> 17;
	writer->random ^= writer->random << 5;
	return writer->random;
}

/* Up to three bytes of the first 64: where the lengths and types are. */
static const void *change(struct kinds_writer *writer, const void *bytes, uint32_t count,
			  uint8_t copy[CHANGED_MAX])
{
	if (writer->random == 0 || bytes == NULL || count == 0 || count > CHANGED_MAX)
		return bytes;
	memcpy(copy, bytes, count);
	for (uint32_t n = next_random(writer) % 4; n > 0; n--) {
		uint8_t *byte = &copy[next_random(writer) % (count < 64 ? count : 64)];
		uint8_t values[] = {
			0, 1, 0xff, (uint8_t)(*byte + 1), (uint8_t)(*byte - 1), (uint8_t)next_random(writer)};

		*byte = values[next_random(writer) % sizeof(values)];
	}
	return copy;
}

static void emit(struct kinds_writer *writer, const struct hvh_trace_record *record)
{
	struct hvh_trace_record timed = *record;
	uint8_t bytes[CHANGED_MAX], external[CHANGED_MAX];

	timed.bytes = change(writer, record->bytes, record->byte_count, bytes);
	timed.external = change(writer, record->external, record->external_count, external);
	timed.time = writer->time += 100;
	writer->count++;
	if (!hvh_pcapng_write(writer->file, &timed)) {
		fprintf(stderr, "cannot write\n");
		exit(1);
	}
}

static void emit_bytes(struct kinds_writer *writer, enum hvh_trace_kind kind, bool to_guest,
		       const void *bytes, size_t count)
{
	emit(writer,
	     &(struct hvh_trace_record){
		     .kind = kind, .to_guest = to_guest, .bytes = bytes, .byte_count = (uint32_t)count});
}

void kinds_message(struct kinds_writer *writer, bool to_guest, const void *bytes, size_t count)
{
	emit_bytes(writer, HVH_TRACE_MESSAGE, to_guest, bytes, count);
}

void kinds_packet(struct kinds_writer *writer, bool to_guest, uint16_t type, const void *payload,
		  uint32_t size, const void *external, uint32_t external_size)
{
	uint8_t bytes[KINDS_PACKET_MAX] = {0};
	uint32_t header = HEADERS + (type == VMBUS_PACKET_TRANSFER_PAGES ? 16u : 0u);
	struct vmbus_packet_descriptor descriptor = {
		.type = type,
		.header_length8 = (uint16_t)(header / 8u),
		.length8 = (uint16_t)((header + (size + 7u) / 8u * 8u) / 8u),
		.flags = VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
		.transaction_id = 0x8000000000000001ull,
	};

	memcpy(bytes, &descriptor, sizeof(descriptor));
	if (type == VMBUS_PACKET_TRANSFER_PAGES) {
		struct vmbus_transfer_pages_header pages = {.page_set_id = 0xcafe, .range_count = 1};
		struct vmbus_transfer_page_range range = {external_size, 4096};

		memcpy(bytes + HEADERS, &pages, sizeof(pages));
		memcpy(bytes + HEADERS + 8, &range, sizeof(range));
	}
	memcpy(bytes + header, payload, size);
	emit(writer, &(struct hvh_trace_record){.kind = HVH_TRACE_PACKET,
						.to_guest = to_guest,
						.vp = UINT32_MAX,
						.channel_id = writer->channel,
						.bytes = bytes,
						.byte_count = 8u * descriptor.length8,
						.external = external,
						.external_count = external_size});
}

void kinds_fill(uint8_t *bytes, uint32_t size, uint32_t type)
{
	for (uint32_t n = 0; n < size; n++)
		bytes[n] = (uint8_t)(n + 1u);
	memcpy(bytes, &type, sizeof(type));
}

static void offer(struct kinds_writer *writer, uint16_t size)
{
	struct vmbus_offer_channel body = {
		.header = {VMBUS_MSG_OFFER_CHANNEL, 0},
		.interface_type = VMBUS_GUID_NETVSC,
		.interface_instance = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
		.flags = VMBUS_OFFER_FLAG_NAMED_PIPE | 0x8000,
		.channel_id = KINDS_CARD,
		.connection_id = 0x2001,
	};

	kinds_message(writer, true, &body, size);
}

static void all_messages(struct kinds_writer *writer)
{
	for (uint32_t type = VMBUS_MSG_OFFER_CHANNEL; type <= VMBUS_MSG_RESUME + 1u; type++) {
		const struct trace_layout *layout = trace_layout(&trace_messages, type);
		uint8_t bytes[KINDS_BODY_MAX];
		uint32_t size = layout != NULL ? layout->size_min : 16u;

		kinds_fill(bytes, sizeof(bytes), type);
		if (type == VMBUS_MSG_OFFER_CHANNEL) {
			offer(writer, sizeof(struct vmbus_offer_channel));
			continue;
		}
		if (type == VMBUS_MSG_GPADL_HEADER || type == VMBUS_MSG_GPADL_BODY)
			size += 8u * 3u;
		kinds_message(writer, false, bytes, size);
		kinds_message(writer, false, bytes, size - 1u); /* short */
	}
}

static void contact(struct kinds_writer *writer, uint32_t version)
{
	struct vmbus_initiate_contact body = {.header = {VMBUS_MSG_INITIATE_CONTACT, 0},
					      .version = version,
					      .interrupt_page_or_target = 0x102};
	struct vmbus_version_response answer = {.header = {VMBUS_MSG_VERSION_RESPONSE, 0},
						.version_supported = 1,
						.version_or_connection_id = version};

	kinds_message(writer, false, &body, sizeof(body));
	kinds_message(writer, true, &answer, sizeof(answer));
}

static void all_nvs(struct kinds_writer *writer)
{
	for (uint32_t n = 0; n < trace_nvs.count; n++) {
		uint8_t bytes[KINDS_BODY_MAX];

		kinds_fill(bytes, sizeof(bytes), trace_nvs.layouts[n].type);
		kinds_packet(writer, false, VMBUS_PACKET_IN_BAND, bytes, 40, NULL, 0);
		kinds_packet(writer, true, VMBUS_PACKET_COMPLETION, bytes, 40, NULL, 0);
		kinds_packet(writer, n % 2 != 0, VMBUS_PACKET_COMPLETION, bytes, 8, NULL,
			     0); /* short, some */
	}
	kinds_packet(writer, true, VMBUS_PACKET_IN_BAND, "\xff\0\0", 4, NULL, 0); /* no such message */
	kinds_packet(writer, true, 77, "\1\0\0", 4, NULL, 0);                     /* nor packet */
}

static void rndis_message(struct kinds_writer *writer, const void *bytes, uint32_t size)
{
	struct nvs_rndis body = {NVS_TYPE_RNDIS, NVS_CHANNEL_CONTROL, 3, size};

	kinds_packet(writer, true, VMBUS_PACKET_TRANSFER_PAGES, &body, sizeof(body), bytes, size);
	kinds_packet(writer, false, VMBUS_PACKET_IN_BAND, &body, sizeof(body), bytes, size);
}

static void all_rndis(struct kinds_writer *writer)
{
	for (uint32_t n = 0; n < trace_rndis.count; n++) {
		uint8_t bytes[KINDS_BODY_MAX];
		uint32_t size = 64;

		kinds_fill(bytes, sizeof(bytes), trace_rndis.layouts[n].type);
		memcpy(bytes + 4, &size, sizeof(size));
		rndis_message(writer, bytes, size);
		rndis_message(writer, bytes, 7);
		rndis_message(writer, bytes, trace_rndis.layouts[n].size_min - 1u);
	}
	rndis_message(writer, "\x33\0\0\0\x08\0\0", 8);
}

/* Each object, set to a value of four and of six bytes, and asked for. */
static void all_oids(struct kinds_writer *writer)
{
	for (uint32_t n = 0; n < trace_oid_names.count; n++) {
		uint8_t bytes[40];
		uint32_t length = n % 2 != 0 ? 4 : 6;
		struct rndis_request request = {
			.header = {n % 3 != 0 ? RNDIS_MSG_SET : RNDIS_MSG_QUERY, sizeof(request) + length},
			.request_id = n,
			.oid = (uint32_t)trace_oid_names.list[n].value,
			.information_length = length,
			.information_offset = RNDIS_REQUEST_INFORMATION_OFFSET,
		};
		struct rndis_complete answer = {
			.header = {RNDIS_MSG_SET | RNDIS_MSG_COMPLETE, sizeof(answer)}, .request_id = n};

		memset(bytes, 0x2b, sizeof(bytes));
		memcpy(bytes, &request, sizeof(request));
		rndis_message(writer, bytes, (uint32_t)sizeof(request) + length);
		rndis_message(writer, &answer, sizeof(answer));
	}
}

/* --- What NDIS has in RNDIS ------------------------------------------------------------- */

/* The request that sets it, and the same bytes as the answer to a question. */
static void object(struct kinds_writer *writer, uint32_t oid, const void *bytes, uint32_t size)
{
	uint8_t data[CHANGED_MAX] = {0};
	struct rndis_request set = {
		.header = {RNDIS_MSG_SET, sizeof(set) + size},
		.request_id = oid & 0xffffu,
		.oid = oid,
		.information_length = size,
		.information_offset = RNDIS_REQUEST_INFORMATION_OFFSET,
	};
	struct rndis_query_complete answer = {
		.header = {RNDIS_MSG_QUERY | RNDIS_MSG_COMPLETE, sizeof(answer) + size},
		.request_id = oid & 0xffffu,
		.information_length = size,
		.information_offset = sizeof(answer) - RNDIS_OFFSET_BASE,
	};

	memcpy(data, &set, sizeof(set));
	memcpy(data + sizeof(set), bytes, size);
	rndis_message(writer, data, (uint32_t)sizeof(set) + size);
	memcpy(data, &answer, sizeof(answer));
	memcpy(data + sizeof(answer), bytes, size);
	rndis_message(writer, data, (uint32_t)sizeof(answer) + size);
}

static void offload_objects(struct kinds_writer *writer)
{
	const struct ndis_offload offload = {
		.header = {NDIS_OBJECT_OFFLOAD, 3, sizeof(offload)},
		.checksum = {.ipv4_tx = NDIS_CHECKSUM_TCP | NDIS_CHECKSUM_UDP | NDIS_CHECKSUM_IP_HEADER,
			     .ipv4_rx = NDIS_CHECKSUM_IP_HEADER | 0x8000u,
			     .ipv6_tx = NDIS_CHECKSUM_TCP | NDIS_CHECKSUM_IP_OPTIONS,
			     .ipv6_rx = NDIS_CHECKSUM_UDP},
		.lso_v2 = {.ipv4_size_max = 62780,
			   .ipv4_segments_min = 2,
			   .ipv6_size_max = 62781,
			   .ipv6_segments_min = 3,
			   .ipv6_options = NDIS_LSO_IPV6_TCP_OPTIONS},
		.flags = 5,
		.rsc_ipv4 = 1,
	};
	const struct ndis_offload_parameters parameters = {
		.header = {NDIS_OBJECT_DEFAULT, 3, sizeof(parameters)},
		.ipv4_checksum = NDIS_PARAMETER_TX_RX,
		.tcp4_checksum = NDIS_PARAMETER_TX,
		.udp4_checksum = NDIS_PARAMETER_RX,
		.tcp6_checksum = NDIS_PARAMETER_OFF,
		.udp6_checksum = 9,
		.lso_v2_ipv4 = NDIS_PARAMETER_ON,
		.lso_v2_ipv6 = NDIS_PARAMETER_OFF,
		.rsc_ipv4 = NDIS_PARAMETER_ON,
		.rsc_ipv6 = NDIS_PARAMETER_OFF,
	};

	object(writer, RNDIS_OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, &offload, sizeof(offload));
	object(writer, RNDIS_OID_TCP_OFFLOAD_CURRENT_CONFIG, &offload, NDIS_OFFLOAD_SIZE_1);
	object(writer, RNDIS_OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, &offload, 4);
	object(writer, RNDIS_OID_TCP_OFFLOAD_PARAMETERS, &parameters, sizeof(parameters));
	object(writer, RNDIS_OID_TCP_OFFLOAD_PARAMETERS, &parameters, NDIS_OFFLOAD_PARAMETERS_SIZE_2);
	object(writer, RNDIS_OID_TCP_OFFLOAD_PARAMETERS, &parameters, 3);
}

static void rss_objects(struct kinds_writer *writer)
{
	const struct ndis_rss_capabilities capabilities = {
		.header = {NDIS_OBJECT_RSS_CAPABILITIES, 2, NDIS_RSS_CAPABILITIES_SIZE_2},
		.capabilities = NDIS_HASH_TOEPLITZ | NDIS_RSS_CAPABILITY_IPV4 | NDIS_RSS_CAPABILITY_UDP6 |
				0x10000000u,
		.interrupt_messages = 64,
		.receive_queues = 64,
		.table_entries = 128,
	};
	struct {
		struct ndis_rss_parameters head;
		uint8_t key[NDIS_RSS_KEY_SIZE];
		uint32_t table[40];
	} rss = {
		.head = {.header = {NDIS_OBJECT_RSS_PARAMETERS, 2, sizeof(rss.head)},
			 .flags = NDIS_RSS_FLAG_KEY_UNCHANGED,
			 .base_cpu = 1,
			 .hash = NDIS_HASH_TOEPLITZ | NDIS_HASH_TCP4 | NDIS_HASH_UDP6_EX,
			 .table_size = sizeof(rss.table),
			 .table_offset = offsetof(__typeof__(rss), table),
			 .key_size = sizeof(rss.key),
			 .key_offset = offsetof(__typeof__(rss), key)},
		.key = {0x6d, 0x5a, 0x56, 0xda},
	};
	const uint32_t oid = RNDIS_OID_GEN_RECEIVE_SCALE_PARAMETERS;

	for (uint32_t n = 0; n < 40; n++)
		rss.table[n] = n % 7;
	object(writer, RNDIS_OID_GEN_RECEIVE_SCALE_CAPABILITIES, &capabilities, sizeof(capabilities));
	object(writer, RNDIS_OID_GEN_RECEIVE_SCALE_CAPABILITIES, &capabilities,
	       NDIS_RSS_CAPABILITIES_SIZE_6_0);
	object(writer, oid, &rss, sizeof(rss));
	object(writer, oid, &rss, sizeof(rss) - 100); /* the table is cut */
	rss.head.table_size = 32 * 4;
	object(writer, oid, &rss, sizeof(rss));
	rss.head.key_offset = UINT32_MAX;
	rss.head.table_offset = UINT32_MAX - 3;
	object(writer, oid, &rss, sizeof(rss));
	object(writer, RNDIS_OID_802_3_MULTICAST_LIST, "\1\0\x5e\0\0\1\x33\x33\0\0\0\xfb", 12);
	object(writer, RNDIS_OID_802_3_MULTICAST_LIST, rss.table, 17 * 6);
	object(writer, RNDIS_OID_802_3_MULTICAST_LIST, rss.table, 7);
}

/* The send table where OpenVMM has it, at 40 as others, cut, and of any length. */
static void send_tables(struct kinds_writer *writer)
{
	uint32_t words[40] = {NVS_TYPE_SEND_INDIRECTION_TABLE, NVS_SEND_INDIRECTION_COUNT, 12};

	for (uint32_t n = 0; n < 37; n++)
		words[3 + n] = n % 5;
	kinds_packet(writer, true, VMBUS_PACKET_IN_BAND, words, 12 + 64, NULL, 0);
	words[2] = NVS_SEND_INDIRECTION_OFFSET_OLD;
	kinds_packet(writer, true, VMBUS_PACKET_IN_BAND, words, 104, NULL, 0);
	kinds_packet(writer, true, VMBUS_PACKET_IN_BAND, words, 80, NULL, 0);
	words[1] = 33;
	words[2] = 12;
	kinds_packet(writer, true, VMBUS_PACKET_IN_BAND, words, 12 + 33 * 4, NULL, 0);
	words[1] = UINT32_MAX;
	kinds_packet(writer, true, VMBUS_PACKET_IN_BAND, words, 24, NULL, 0);
}

/* One of each kind of per-packet information, both ways; size is the message's. */
static uint32_t informed(uint8_t data[KINDS_BODY_MAX], const uint32_t (*infos)[2], uint32_t count)
{
	const uint32_t length = 16 * count;
	struct rndis_packet header = {
		.header = {RNDIS_MSG_PACKET, sizeof(header) + length + 14u},
		.data_offset = (uint32_t)sizeof(header) + length - RNDIS_OFFSET_BASE,
		.data_length = 14,
		.per_packet_info_offset = sizeof(header) - RNDIS_OFFSET_BASE,
		.per_packet_info_length = length,
	};

	memset(data, 0, KINDS_BODY_MAX);
	memcpy(data, &header, sizeof(header));
	for (uint32_t n = 0; n < count; n++) {
		const uint32_t info[4] = {16, infos[n][0], 12, infos[n][1]};

		memcpy(data + sizeof(header) + (size_t)16 * n, info, sizeof(info));
	}
	memcpy(data + sizeof(header) + length, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb5", 14);
	return header.header.length;
}

static void packet_infos(struct kinds_writer *writer)
{
	static const uint32_t infos[][2] = {
		{RNDIS_INFO_CHECKSUM, 0x00220015},
		{RNDIS_INFO_CHECKSUM, 0x000001ff},
		{RNDIS_INFO_CHECKSUM, 0xffffffff},
		{RNDIS_INFO_CHECKSUM, 0},
		{RNDIS_INFO_LSO, 0x422005b4},
		{RNDIS_INFO_LSO, 0xc3600000},
		{RNDIS_INFO_LSO, 1460},
		{RNDIS_INFO_VLAN, 0x0050},
		{RNDIS_INFO_VLAN, 0xfffd},
		{RNDIS_INFO_HASH_VALUE, 0x51ccc178},
		{RNDIS_INFO_HASH_INFO, 0x00010301},
		{RNDIS_INFO_PACKET_ID, 0x00070301},
		{RNDIS_INFO_PACKET_ID, 0xffff0802},
		{1, 0x12345678},
		{RNDIS_INFO_INTERNAL | 99u, 0x12345678},
	};
	const uint32_t count = sizeof(infos) / sizeof(infos[0]);
	uint8_t data[KINDS_BODY_MAX], several[3 * KINDS_BODY_MAX];
	uint32_t size = 0, one;

	for (uint32_t n = 0; n < count; n += 5) {
		one = informed(data, &infos[n], 5);
		rndis_message(writer, data, one);
	}
	/* Several messages in one section, each aligned; the last one cut. */
	for (uint32_t n = 0; n < 3; n++) {
		one = informed(data, &infos[4 * n], 2);
		memcpy(several + size, data, one);
		one = (one + 7u) & ~7u;
		memset(several + size + 4, 0, 4);
		several[size + 4] = (uint8_t)one;
		size += one;
	}
	rndis_message(writer, several, size);
	rndis_message(writer, several, size - 20);
}

/* A frame with per-packet information in front. */
static void frame(struct kinds_writer *writer, const void *bytes, uint32_t size)
{
	uint8_t data[KINDS_BODY_MAX * 2] = {0};
	struct rndis_per_packet_info info = {16, RNDIS_INFO_CHECKSUM, 12};
	struct rndis_packet header = {
		.header = {RNDIS_MSG_PACKET, sizeof(header) + 32u + size},
		.data_offset = (uint32_t)sizeof(header) + 32u - RNDIS_OFFSET_BASE,
		.data_length = size,
		.per_packet_info_offset = sizeof(header) - RNDIS_OFFSET_BASE,
		.per_packet_info_length = 32,
	};

	memcpy(data, &header, sizeof(header));
	memcpy(data + sizeof(header), &info, sizeof(info));
	info.type = RNDIS_INFO_VLAN;
	memcpy(data + sizeof(header) + 16, &info, sizeof(info));
	memcpy(data + sizeof(header) + 32, bytes, size);
	rndis_message(writer, data, header.header.length);
}

static void all_frames(struct kinds_writer *writer)
{
	/* Ethertype, first bytes behind it: ARP, IPv4 with each protocol, IPv6, VLAN, another. */
	static const struct {
		uint8_t type[2], bytes[60];
	} frames[] = {
		{{0x08, 0x06},
		 {0, 1, 8, 0, 6, 4, 0, 1, 1, 2, 3, 4, 5, 6, 10, 7, 0, 15, 0, 0, 0, 0, 0, 0, 10, 7, 0, 1}},
		{{0x08, 0x06},
		 {0, 1, 8, 0, 6, 4, 0, 2, 1, 2, 3, 4, 5, 6, 10, 7, 0, 15, 0, 0, 0, 0, 0, 0, 10, 7, 0, 1}},
		{{0x08, 0x00}, {0x45, 0,  0,  40, 0, 0, 0, 0, 64, 1, 0, 0, 10, 7,
				0,    15, 10, 7,  0, 1, 8, 0, 0,  0, 0, 9, 0,  1}},
		{{0x08, 0x00},
		 {0x45, 0, 0, 40, 0, 0, 0, 0, 64, 1, 0, 0, 10, 7, 0, 15, 10, 7, 0, 1, 3, 1, 0, 0}},
		{{0x08, 0x00},
		 {0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17, 0, 0, 10, 7, 0, 15, 10, 7, 0, 1, 0, 68, 0, 67, 0, 20}},
		{{0x08, 0x00}, {0x45, 0,   0,   56,  0,    0,    0,    0,   64,  6,  0,    0,    10,  7,
				0,    15,  10,  7,   0,    1,    0x80, 0,   0,   80, 0,    0,    0,   1,
				0,    0,   0,   1,   0x50, 0x18, 1,    0,   0,   0,  0,    0,    'G', 'E',
				'T',  ' ', '/', '<', 'b',  '>',  '\\', '&', '"', 1,  0xff, '\r', '\n'}},
		{{0x08, 0x00}, {0x45, 0, 0, 40, 0, 0, 0, 9, 64, 6, 0, 0, 10, 7, 0, 15, 10, 7, 0, 1}},
		{{0x08, 0x00}, {0x45, 0, 0, 40, 0, 0, 0, 0, 64, 99, 0, 0, 10, 7, 0, 15, 10, 7, 0, 1}},
		{{0x86, 0xdd}, {0x60, 0, 0, 0, 0, 0, 58, 64, 0xfe, 0x80, [23] = 1, [24] = 0xff, 2, [39] = 2}},
		{{0x81, 0x00}, {0x20, 0x05, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 3}},
		{{0x88, 0xb5}, {1, 2, 3}},
	};

	for (uint32_t n = 0; n < sizeof(frames) / sizeof(frames[0]); n++) {
		uint8_t bytes[74] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1};

		memcpy(bytes + 12, frames[n].type, 2);
		memcpy(bytes + 14, frames[n].bytes, sizeof(frames[n].bytes));
		frame(writer, bytes, sizeof(bytes));
		frame(writer, bytes, 14 + 21); /* cut inside */
		frame(writer, bytes, 13);
	}
}

static void registers_and_calls(struct kinds_writer *writer)
{
	for (uint32_t n = 0; n < trace_register_count; n++) {
		uint64_t body[2] = {trace_registers[n].number,
				    n % 2 != 0 ? 0x98000000000003ffull : 0x12345a001ull};

		emit_bytes(writer, n % 3 != 0 ? HVH_TRACE_MSR_WRITE : HVH_TRACE_MSR_READ, false, body,
			   sizeof(body));
	}
	for (uint32_t n = 0; n < trace_hv_status_names.count; n++) {
		uint64_t body[4] = {n % 2 != 0 ? HV_CALL_POST_MESSAGE : HV_CALL_SIGNAL_EVENT | HV_CALL_FAST,
				    0x500002001ull, 0, trace_hv_status_names.list[n].value};

		emit_bytes(writer, HVH_TRACE_HYPERCALL, false, body, sizeof(body));
	}
	emit_bytes(writer, HVH_TRACE_HYPERCALL, false, (uint64_t[4]){0x1abcd, 5, 6, 7}, 32);
	emit_bytes(writer, HVH_TRACE_MSR_READ, false, (uint64_t[2]){0x4000ffff, 1}, 16);
	emit_bytes(writer, HVH_TRACE_SIGNAL, false, (uint32_t[2]){0x2001, 3}, 8);
	emit_bytes(writer, HVH_TRACE_EVENT, true, (uint32_t[2]){1, 2}, 8);
	emit_bytes(writer, HVH_TRACE_INTERRUPT, true, (uint32_t[2]){98, 0}, 8);
}

static void hostile(struct kinds_writer *writer)
{
	static const char markup[] =
		"</script><script>document.title='broken out'</script><img src=x onerror=alert(1)>"
		"\"'&lt;\\u003c\n\x01\xff -- % %s %n";

	emit_bytes(writer, HVH_TRACE_NOTE, false, markup, sizeof(markup) - 1);
	emit_bytes(writer, HVH_TRACE_VIOLATION, false, markup, sizeof(markup) - 1);
	for (int kind = 0; kind <= HVH_TRACE_NOTE + 2; kind++) {
		emit_bytes(writer, (enum hvh_trace_kind)kind, false, markup, 7);
		emit_bytes(writer, (enum hvh_trace_kind)kind, true, NULL, 0);
		emit_bytes(writer, (enum hvh_trace_kind)kind, true, markup, sizeof(markup));
	}
}

static uint32_t write_all(FILE *file, uint32_t seed)
{
	struct kinds_writer writer = {.file = file, .random = seed, .channel = KINDS_CARD};

	if (!hvh_pcapng_begin(file, "all<kinds>"))
		exit(1);
	contact(&writer, VMBUS_VERSION_5_3);
	contact(&writer, VMBUS_VERSION_0_13);
	offer(&writer, VMBUS_OFFER_SIZE_0_13_MIN);
	all_messages(&writer);
	offer(&writer, sizeof(struct vmbus_offer_channel));
	registers_and_calls(&writer);
	all_nvs(&writer);
	all_rndis(&writer);
	all_oids(&writer);
	offload_objects(&writer);
	rss_objects(&writer);
	send_tables(&writer);
	packet_infos(&writer);
	all_frames(&writer);
	kinds_storage(&writer);
	kinds_services(&writer);
	hostile(&writer);
	return writer.count;
}

/* Every message of the protocol has been named by the words of some record. */
static uint32_t unnamed(const struct trace_protocol *protocol, const char *all, const char *before)
{
	uint32_t missing = 0;

	for (uint32_t n = 0; n < protocol->count; n++) {
		char wanted[80];

		snprintf(wanted, sizeof(wanted), "%s%s ", before, protocol->layouts[n].name);
		if (strstr(all, wanted) != NULL)
			continue;
		printf("%s message %s is never named\n", protocol->id, protocol->layouts[n].name);
		missing++;
	}
	return missing;
}

static int read_back(FILE *file, uint32_t wanted)
{
	static struct trace_decoder decoder;
	static struct trace_decoded decoded;
	static char all[1u << 19];
	struct trace_reader reader;
	struct trace_record record;
	size_t used = 0;
	uint32_t failed;

	trace_reader_begin(&reader, file);
	while (trace_reader_next(&reader, &record) == TRACE_READ_RECORD) {
		trace_decode(&decoder, &record, &decoded);
		used += (size_t)snprintf(all + used, sizeof(all) - used, "\n%s ", decoded.words);
	}
	failed = reader.records != wanted;
	if (failed)
		printf("%u records written, %llu read: %s\n", wanted, (unsigned long long)reader.records,
		       reader.error);
	failed += unnamed(&trace_messages, all, "\n") + unnamed(&trace_nvs, all, "nvs ") +
		  unnamed(&trace_nvs_answers, all, "nvs ") + unnamed(&trace_rndis, all, "rndis ") +
		  unnamed(&trace_ndis, all, " ") + unnamed(&trace_vstor, all, "vstor ") +
		  unnamed(&trace_vstor_answers, all, "vstor ") + unnamed(&trace_scsi, all, "scsi ") +
		  unnamed(&trace_keyboard, all, "keyboard ") + unnamed(&trace_mouse, all, "mouse ") +
		  unnamed(&trace_ic, all, "ic ") + unnamed(&trace_ic_body, all, "| ") +
		  unnamed(&trace_kvp, all, "kvp ") + unnamed(&trace_vss, all, "vss ") +
		  unnamed(&trace_fcopy, all, "fcopy ");
	trace_reader_end(&reader);
	printf("did: %u records of every kind\n", wanted);
	return failed != 0;
}

int main(int count, char **arguments)
{
	FILE *file = count > 1 ? fopen(arguments[1], "w+b") : tmpfile();
	uint32_t written;
	int status;

	if (file == NULL)
		return 1;
	written = write_all(file, count > 2 ? (uint32_t)strtoul(arguments[2], NULL, 10) : 0);
	rewind(file);
	status = count > 2 ? 0 : read_back(file, written);
	return fclose(file) != 0 ? 1 : status;
}
