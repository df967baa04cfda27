/* SPDX-License-Identifier: MIT */
/* What a storage controller's channel carries: every vstor operation asked for and answered, every
 * command, sense data of each format, and the same cut short. */
#include <string.h>

#include "apps/hvkit/trace/tables.h"
#include "hvkit/wire/ring.h"
#include "hvkit/wire/scsi.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit/wire/vstor.h"
#include "tests/dissector/kinds.h"

#define CONTROLLER 2u
#define ACCELERATOR 3u

struct vstor_packet {
	struct vstor_header header;
	struct vstor_request request;
};

void kinds_offer(struct kinds_writer *writer, const char *device, uint32_t channel)
{
	struct vmbus_offer_channel body = {
		.header = {VMBUS_MSG_OFFER_CHANNEL, 0},
		.interface_instance = {{(uint8_t)channel}},
		.channel_id = channel,
		.connection_id = 0x2000 + channel,
	};

	for (uint32_t n = 0; n < trace_interface_count; n++) {
		if (strcmp(trace_interfaces[n].name, device) == 0)
			body.interface_type = trace_interfaces[n].guid;
	}
	kinds_message(writer, true, &body, sizeof(body));
	writer->channel = channel;
}

static void ask(struct kinds_writer *writer, const void *packet, uint32_t size)
{
	kinds_packet(writer, false, VMBUS_PACKET_IN_BAND, packet, size, NULL, 0);
}

static void answer(struct kinds_writer *writer, const void *packet, uint32_t size)
{
	kinds_packet(writer, true, VMBUS_PACKET_COMPLETION, packet, size, NULL, 0);
}

/* Asked for with a pattern and answered with it, whole and short; then told by the host. */
static void all_operations(struct kinds_writer *writer)
{
	for (uint32_t type = 0; type <= VSTOR_OPERATION_EVENT_NOTIFICATION + 1u; type++) {
		uint8_t bytes[KINDS_BODY_MAX], done[KINDS_BODY_MAX];

		kinds_fill(bytes, sizeof(bytes), type);
		kinds_fill(done, sizeof(done), VSTOR_OPERATION_COMPLETE_IO);
		ask(writer, bytes, VSTOR_PACKET_SIZE);
		answer(writer, done, VSTOR_PACKET_SIZE);
		answer(writer, done, 16);
		answer(writer, done, 8);
		ask(writer, bytes, VSTOR_PACKET_SIZE_OLD);
		ask(writer, bytes, 12);
		kinds_packet(writer, true, VMBUS_PACKET_IN_BAND, bytes, VSTOR_PACKET_SIZE, NULL, 0);
	}
	for (uint32_t n = 0; n < trace_vstor_status_names.count; n++) {
		struct vstor_header header = {VSTOR_OPERATION_COMPLETE_IO, 0,
					      (uint32_t)trace_vstor_status_names.list[n].value};
		struct vstor_header begin = {VSTOR_OPERATION_BEGIN_INITIALIZATION,
					     VSTOR_FLAG_REQUEST_COMPLETION, 0};

		ask(writer, &begin, sizeof(begin));
		answer(writer, &header, sizeof(header));
	}
	for (uint32_t n = 0; n < trace_vstor_version_names.count; n++) {
		struct vstor_header header = {VSTOR_OPERATION_QUERY_PROTOCOL_VERSION,
					      VSTOR_FLAG_REQUEST_COMPLETION, 0};
		struct vstor_version version = {(uint16_t)trace_vstor_version_names.list[n].value, 0};
		uint8_t bytes[VSTOR_PACKET_SIZE] = {0};

		memcpy(bytes, &header, sizeof(header));
		memcpy(bytes + sizeof(header), &version, sizeof(version));
		ask(writer, bytes, sizeof(bytes));
	}
}

static struct vstor_packet execute(uint8_t command, uint8_t cdb_length)
{
	struct vstor_packet packet = {
		.header = {VSTOR_OPERATION_EXECUTE_SRB, VSTOR_FLAG_REQUEST_COMPLETION, 0},
		.request = {.length = sizeof(packet.request),
			    .target = 1,
			    .lun = 2,
			    .cdb_length = cdb_length,
			    .sense_length = VSTOR_SENSE_SIZE,
			    .data_direction = VSTOR_DATA_IN,
			    .data_length = 4096,
			    .action = VSTOR_TAG_SIMPLE,
			    .srb_flags = VSTOR_SRB_DATA_IN | VSTOR_SRB_QUEUE_ACTION_ENABLE,
			    .timeout = 60},
	};

	for (uint32_t n = 1; n < VSTOR_CDB_SIZE; n++)
		packet.request.cdb_sense[n] = (uint8_t)(0x11 * n);
	packet.request.cdb_sense[0] = command;
	return packet;
}

/* Each with a CDB of its length, a short one, none, and one that is too long. */
static void all_commands(struct kinds_writer *writer)
{
	for (uint32_t command = 0; command < 256; command++) {
		const struct trace_layout *layout = trace_layout(&trace_scsi, command);
		struct vstor_packet packet = execute((uint8_t)command, 10);
		struct vstor_packet done = {.header = {VSTOR_OPERATION_COMPLETE_IO, 0, 0},
					    .request = {.srb_status = VSTOR_SRB_STATUS_SUCCESS}};

		if (layout == NULL && command % 16 != 0)
			continue;
		if (layout != NULL)
			packet.request.cdb_length = (uint8_t)layout->size_min;
		ask(writer, &packet, sizeof(packet));
		answer(writer, &done, sizeof(done));
		packet.request.action = command % 2 != 0 ? VSTOR_TAG_ORDERED : VSTOR_TAG_HEAD_OF_QUEUE;
		packet.request.data_direction = (uint8_t)(command % 4);
		memset(packet.request.cdb_sense + 1, 0, sizeof(packet.request.cdb_sense) - 1);
		ask(writer, &packet, sizeof(packet));
		if (command % 3 != 0)
			continue;
		packet.request.cdb_length -= 4;
		ask(writer, &packet, sizeof(packet));
		packet.request.cdb_length = command % 2 != 0 ? 0 : 17;
		ask(writer, &packet, sizeof(packet));
	}
}

static void failed(struct kinds_writer *writer, uint8_t srb_status, const void *sense, uint32_t sense_length)
{
	struct vstor_packet packet = execute(SCSI_READ_16, 16);
	struct vstor_packet done = {.header = {VSTOR_OPERATION_COMPLETE_IO, 0, VSTOR_STATUS_IO_DEVICE_ERROR},
				    .request = {.srb_status = srb_status,
						.scsi_status = SCSI_STATUS_CHECK_CONDITION,
						.sense_length = (uint8_t)sense_length}};

	memcpy(done.request.cdb_sense, sense,
	       sense_length < VSTOR_SENSE_SIZE ? sense_length : VSTOR_SENSE_SIZE);
	ask(writer, &packet, sizeof(packet));
	answer(writer, &done, sizeof(done));
}

static void all_sense(struct kinds_writer *writer)
{
	const uint8_t with_sense = VSTOR_SRB_STATUS_ERROR | VSTOR_SRB_STATUS_AUTOSENSE_VALID;
	const uint8_t listed[VSTOR_SENSE_SIZE] = {0x72, 0x03, 0x11, 0x0b};
	struct scsi_sense sense = {.response = 0xf0, .information = {1, 2, 3, 4}, .additional_length = 10};

	for (uint32_t n = 0; n < trace_sense_code_names.count; n++) {
		sense.response = (uint8_t)(n % 2 != 0 ? 0xf0 : 0x70);
		sense.key = (uint8_t)(n % 16 | (n % 5 == 0 ? 0x20 : 0));
		sense.code = (uint8_t)(trace_sense_code_names.list[n].value >> 8);
		sense.qualifier = (uint8_t)trace_sense_code_names.list[n].value;
		failed(writer, with_sense, &sense, sizeof(sense));
	}
	failed(writer, with_sense | VSTOR_SRB_STATUS_QUEUE_FROZEN, listed, sizeof(listed));
	failed(writer, with_sense, "\x73\x1b\xff\xff", 4);
	failed(writer, with_sense, "\xf1\0\x06\xff\xff\xff\xff", 7);
	failed(writer, with_sense, "\x71", 1);
	failed(writer, with_sense, "\x7f\0\x06", 3);
	failed(writer, with_sense, "", 0);
	failed(writer, VSTOR_SRB_STATUS_ERROR, &sense, sizeof(sense));
	for (uint32_t n = 0; n < trace_srb_status_names.count; n++)
		failed(writer, (uint8_t)trace_srb_status_names.list[n].value, &sense, sizeof(sense));
	failed(writer, 0x3e | VSTOR_SRB_STATUS_QUEUE_FROZEN, &sense, sizeof(sense));
}

void kinds_storage(struct kinds_writer *writer)
{
	kinds_offer(writer, TRACE_INTERFACE_STORVSC, CONTROLLER);
	all_operations(writer);
	all_commands(writer);
	all_sense(writer);
	kinds_offer(writer, TRACE_INTERFACE_IDE, ACCELERATOR);
	answer(writer, "\x01\0\0\0\0\0\0\0\0\0\0", 12); /* to what another channel asked for */
	failed(writer, VSTOR_SRB_STATUS_SUCCESS, "", 0);
}
