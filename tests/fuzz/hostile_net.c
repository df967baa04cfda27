/* SPDX-License-Identifier: MIT */
/*
 * The network card's host: takes what the guest sends and answers as it must, unless an
 * answer is muted or replaced.
 */
#include "hvkit/wire/nvs.h"
#include "hvkit/wire/ring.h"
#include "hvkit/wire/rndis.h"

#include "tests/fuzz/hostile.h"

#define PACKETS_PER_RUN 64u
#define SUBALLOCATION 1728u
#define SECTION 2048u
#define RNDIS_REQUEST_MAX 512u

void hostile_net_reset(struct hostile *machine)
{
	struct hostile_net *net = &machine->net;

	net->version = 0;
	net->receive_gpadl = 0;
	net->send_gpadl = 0;
	net->transaction_count = 0;
	net->next_suballocation = 0;
	if (net->suballocation == 0)
		net->suballocation = SUBALLOCATION;
	if (net->section == 0)
		net->section = SECTION;
	if (net->version_newest == 0)
		net->version_newest = NVS_VERSION_6_1;
}

static struct hostile_answer *replaced(struct hostile_answer *answers, uint32_t key)
{
	for (uint32_t i = 0; i < HOSTILE_ANSWERS; i++) {
		if (answers[i].set && answers[i].key == key) {
			answers[i].set = false;
			return &answers[i];
		}
	}
	return NULL;
}

static void complete(struct hostile *machine, const struct hostile_packet *packet, const void *bytes,
		     uint32_t length)
{
	if (packet->descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED)
		hostile_packet(machine, VMBUS_PACKET_COMPLETION, 0, packet->descriptor.transaction_id, NULL,
			       0, bytes, length);
}

static void complete_rndis(struct hostile *machine, const struct hostile_packet *packet)
{
	const struct nvs_rndis_complete done = {NVS_TYPE_RNDIS_COMPLETE, NVS_STATUS_SUCCESS};

	complete(machine, packet, &done, sizeof(done));
}

/* --- NVS --------------------------------------------------------------------------- */

static uint32_t muted_by(uint32_t type)
{
	switch (type) {
	case NVS_TYPE_INIT:
		return HOSTILE_MUTE_NVS_INIT;
	case NVS_TYPE_RECEIVE_BUFFER:
		return HOSTILE_MUTE_NVS_RECEIVE;
	case NVS_TYPE_SEND_BUFFER:
		return HOSTILE_MUTE_NVS_SEND;
	case NVS_TYPE_REVOKE_RECEIVE_BUFFER:
	case NVS_TYPE_REVOKE_SEND_BUFFER:
		return HOSTILE_MUTE_NVS_REVOKE;
	default:
		return 0;
	}
}

static uint32_t receive_buffer(struct hostile *machine, const uint8_t *payload, uint8_t *to)
{
	struct hostile_net *net = &machine->net;
	struct nvs_receive_buffer_complete done = {
		.type = NVS_TYPE_RECEIVE_BUFFER_COMPLETE,
		.status = NVS_STATUS_SUCCESS,
		.section_count = 1,
	};
	struct nvs_buffer request;
	uint32_t size;

	memcpy(&request, payload, sizeof(request));
	net->receive_gpadl = request.gpadl;
	(void)hostile_place(machine, HOSTILE_RECEIVE_BUFFER, &size);
	done.section.suballocation_size = net->suballocation;
	done.section.suballocation_count = size / net->suballocation;
	done.section.end_offset = size / net->suballocation * net->suballocation;
	memcpy(to, &done, sizeof(done));
	return sizeof(done);
}

static uint32_t nvs_answer(struct hostile *machine, const uint8_t *payload, uint8_t *to)
{
	struct hostile_net *net = &machine->net;
	uint32_t words[4];

	memcpy(words, payload, sizeof(words));
	switch (words[0]) {
	case NVS_TYPE_INIT: {
		struct nvs_init_complete done = {NVS_TYPE_INIT_COMPLETE, 0xffffffffu, 34,
						 words[1] <= net->version_newest ? 1u : 0u};

		net->version = words[1];
		memcpy(to, &done, sizeof(done));
		return sizeof(done);
	}
	case NVS_TYPE_RECEIVE_BUFFER:
		return receive_buffer(machine, payload, to);
	case NVS_TYPE_SEND_BUFFER: {
		struct nvs_send_buffer_complete done = {NVS_TYPE_SEND_BUFFER_COMPLETE, NVS_STATUS_SUCCESS,
							net->section};

		net->send_gpadl = words[1];
		memcpy(to, &done, sizeof(done));
		return sizeof(done);
	}
	default:
		return 0;
	}
}

static void take_nvs(struct hostile *machine, const struct hostile_packet *packet, const uint8_t *payload,
		     uint32_t type)
{
	uint8_t bytes[64];
	uint32_t length = nvs_answer(machine, payload, bytes);
	const struct hostile_answer *other = replaced(machine->net.nvs, type);

	if (other != NULL)
		complete(machine, packet, other->bytes, other->length);
	else if (!(machine->net.muted & muted_by(type)))
		complete(machine, packet, bytes, length);
}

/* --- RNDIS ----------------------------------------------------------------------------- */

void hostile_net_message(struct hostile *machine, const void *bytes, uint32_t length)
{
	static const struct nvs_rndis header = {NVS_TYPE_RNDIS, NVS_CHANNEL_DATA, NVS_SECTION_NONE, 0};
	struct hostile_net *net = &machine->net;
	struct {
		struct vmbus_transfer_pages_header header;
		struct vmbus_transfer_page_range range;
	} extension = {{NVS_RECEIVE_PAGE_SET_ID, 0, 0, 1}, {length, 0}};
	uint32_t size, count;

	(void)hostile_place(machine, HOSTILE_RECEIVE_BUFFER, &size);
	count = size / net->suballocation;
	if (count == 0)
		return;
	extension.range.byte_offset = net->next_suballocation++ % count * net->suballocation;
	hostile_write(machine, HOSTILE_RECEIVE_BUFFER, extension.range.byte_offset, bytes, length);
	hostile_packet(machine, VMBUS_PACKET_TRANSFER_PAGES, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
		       0x1000u + extension.range.byte_offset, &extension, sizeof(extension), &header,
		       sizeof(header));
}

static uint32_t information(uint32_t oid, uint8_t *to)
{
	static const uint8_t mac[6] = {0x00, 0x15, 0x5d, 0x01, 0x02, 0x03};
	uint32_t value = oid == RNDIS_OID_GEN_MAXIMUM_FRAME_SIZE ? 1500 : 0;

	if (oid == RNDIS_OID_802_3_PERMANENT_ADDRESS) {
		memcpy(to, mac, sizeof(mac));
		return sizeof(mac);
	}
	memcpy(to, &value, sizeof(value));
	return sizeof(value);
}

static uint32_t rndis_answer(const uint32_t request[7], uint8_t *to)
{
	uint32_t type = request[0], length = 0;

	memset(to, 0, 64);
	if (type == RNDIS_MSG_INITIALIZE) {
		struct rndis_initialize_complete done = {.major = 1,
							 .device_flags = 1,
							 .max_packets_per_message = 8,
							 .max_transfer_size = 0x4000,
							 .packet_alignment_factor = 3};

		memcpy(to, &done, sizeof(done));
		length = sizeof(done);
	} else if (type == RNDIS_MSG_QUERY) {
		struct rndis_query_complete done = {.information_offset = 16};

		done.information_length = information(request[3], to + sizeof(done));
		memcpy(to, &done, sizeof(done));
		length = (uint32_t)sizeof(done) + done.information_length;
	} else if (type == RNDIS_MSG_SET) {
		length = sizeof(struct rndis_complete);
	} else {
		return 0; /* HALT, KEEPALIVE_CMPLT */
	}
	type |= RNDIS_MSG_COMPLETE;
	memcpy(to, &type, 4);
	memcpy(to + 4, &length, 4);
	memcpy(to + 8, &request[2], 4);
	return length;
}

static uint32_t rndis_muted_by(uint32_t type)
{
	return type == RNDIS_MSG_INITIALIZE ? HOSTILE_MUTE_RNDIS_INITIALIZE
	       : type == RNDIS_MSG_QUERY    ? HOSTILE_MUTE_RNDIS_QUERY
	       : type == RNDIS_MSG_SET      ? HOSTILE_MUTE_RNDIS_SET
					    : 0;
}

/* The request lies in one page of the guest's: header, one range, its page. */
static bool control_request(struct hostile *machine, const struct hostile_packet *packet, uint32_t request[7])
{
	struct vmbus_gpa_range range;
	const uint8_t *from;
	uint64_t pfn;

	if (packet->descriptor.type != VMBUS_PACKET_GPA_DIRECT || packet->extension_length < 24)
		return false;
	memcpy(&range, packet->bytes + 8, sizeof(range));
	memcpy(&pfn, packet->bytes + 16, sizeof(pfn));
	if (range.byte_count < 12 || range.byte_count > RNDIS_REQUEST_MAX ||
	    range.byte_offset >= HVK_PAGE_SIZE)
		return false;
	from = hostile_memory(machine, (pfn << HVK_PAGE_SHIFT) + range.byte_offset, range.byte_count);
	if (from == NULL)
		return false;
	memset(request, 0, 7 * sizeof(*request));
	memcpy(request, from, range.byte_count < 28 ? range.byte_count : 28);
	return true;
}

static void take_control(struct hostile *machine, const struct hostile_packet *packet)
{
	struct hostile_answer *other;
	uint32_t request[7], length;
	uint8_t bytes[64];

	if (!control_request(machine, packet, request))
		return;
	machine->net.request_id = request[2];
	if (!machine->net.hold)
		complete_rndis(machine, packet);
	/* By OID first, then by type. */
	other = replaced(machine->net.rndis, request[3]);
	if (other == NULL)
		other = replaced(machine->net.rndis, request[0]);
	if (other != NULL) {
		if (other->length >= 12)
			memcpy(other->bytes + 8, &request[2], 4);
		hostile_net_message(machine, other->bytes, other->length);
		return;
	}
	length = rndis_answer(request, bytes);
	if (length != 0 && !(machine->net.muted & rndis_muted_by(request[0])))
		hostile_net_message(machine, bytes, length);
}

/* --- Everything ---------------------------------------------------------------------------- */

static void take_packet(struct hostile *machine, const struct hostile_packet *packet)
{
	struct hostile_net *net = &machine->net;
	const uint8_t *payload = packet->bytes + packet->extension_length;
	uint32_t words[2];

	if (packet->descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED)
		net->transactions[net->transaction_count++ % HOSTILE_TRANSACTIONS] =
			packet->descriptor.transaction_id;
	if (packet->descriptor.type == VMBUS_PACKET_COMPLETION || packet->payload_length < 16)
		return;
	memcpy(words, payload, sizeof(words));
	if (words[0] != NVS_TYPE_RNDIS)
		take_nvs(machine, packet, payload, words[0]);
	else if (words[1] == NVS_CHANNEL_CONTROL)
		take_control(machine, packet);
	else if (!net->hold && !(net->muted & HOSTILE_MUTE_FRAMES))
		complete_rndis(machine, packet);
}

void hostile_net_run(struct hostile *machine)
{
	struct hostile_packet packet;

	for (uint32_t i = 0; machine->has_net && i < PACKETS_PER_RUN; i++) {
		if (!hostile_ring_take(machine, &packet))
			return;
		take_packet(machine, &packet);
	}
}
