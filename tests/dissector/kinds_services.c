/* SPDX-License-Identifier: MIT */
/* What keyboards, mice and integration components carry: every message there is, whole and short, with
 * versions, texts, statuses and flags of every kind. */
#include <string.h>

#include "apps/hvkit/trace/tables.h"
#include "hvkit/wire/ic.h"
#include "hvkit/wire/input.h"
#include "hvkit/wire/ring.h"
#include "tests/dissector/kinds.h"

#define CHANNEL_FIRST 10u
#define BODY_AT (sizeof(struct pipe_header) + sizeof(struct ic_header))
#define BODY_MAX 7600u

static void send(struct kinds_writer *writer, bool to_guest, const void *bytes, uint32_t size)
{
	kinds_packet(writer, to_guest, VMBUS_PACKET_IN_BAND, bytes, size, NULL, 0);
}

/* --- Keyboard and mouse ----------------------------------------------------------------- */

static void keyboards(struct kinds_writer *writer)
{
	static const uint32_t infos[] = {
		0, KEYBOARD_BREAK, KEYBOARD_UNICODE, KEYBOARD_E0 | KEYBOARD_BREAK, KEYBOARD_E1, 0x80000010u};
	uint8_t bytes[KINDS_BODY_MAX];

	for (uint32_t type = 0; type <= KEYBOARD_LEDS + 1u; type++) {
		kinds_fill(bytes, sizeof(bytes), type);
		send(writer, type % 2 == 0, bytes, 12);
		send(writer, type % 2 == 0, bytes, 8);
		send(writer, type % 2 == 0, bytes, 4);
	}
	for (uint32_t n = 0; n < sizeof(infos) / sizeof(infos[0]); n++) {
		const struct keyboard_event event = {KEYBOARD_EVENT, (uint16_t)(0x1c + n), 0, infos[n]};

		send(writer, true, &event, sizeof(event));
	}
	for (uint16_t n = 0; n < 9; n++) {
		const struct keyboard_leds leds = {KEYBOARD_LEDS, n, 0};

		send(writer, false, &leds, sizeof(leds));
	}
}

static void piped(struct kinds_writer *writer, bool to_guest, uint8_t *bytes, uint32_t size, uint32_t said)
{
	const struct pipe_header pipe = {PIPE_MESSAGE_DATA, said};

	memcpy(bytes, &pipe, sizeof(pipe));
	send(writer, to_guest, bytes, sizeof(pipe) + size);
}

static void mice(struct kinds_writer *writer)
{
	uint8_t bytes[KINDS_BODY_MAX];

	for (uint32_t type = 0; type <= MOUSE_INPUT_REPORT + 1u; type++) {
		uint32_t sizes[] = {64, 49, 16, 12, 9, 4, 2};

		for (uint32_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
			kinds_fill(bytes + 8, sizeof(bytes) - 8, type);
			piped(writer, type % 2 != 0, bytes, sizes[n], sizes[n]);
		}
	}
	kinds_fill(bytes, sizeof(bytes), PIPE_MESSAGE_DATA + 1u);
	send(writer, true, bytes, 32);
	kinds_fill(bytes + 8, sizeof(bytes) - 8, MOUSE_INPUT_REPORT);
	piped(writer, true, bytes, 16, 4000); /* more than there is */
	send(writer, true, bytes, 8);
}

/* --- Integration components ---------------------------------------------------------------- */

struct message {
	uint8_t bytes[BODY_AT + BODY_MAX];
};

static struct ic_header header_of(uint16_t type, uint32_t version, uint32_t size)
{
	return (struct ic_header){.framework = IC_FRAMEWORK_3_0,
				  .type = type,
				  .version = {(uint16_t)version, (uint16_t)(version >> 16)},
				  .size = (uint16_t)size,
				  .transaction_id = 7,
				  .flags = IC_FLAG_TRANSACTION | IC_FLAG_REQUEST};
}

static void tell(struct kinds_writer *writer, const struct ic_header *header, const void *body, uint32_t size)
{
	static struct message message;

	memset(&message, 0, sizeof(message));
	memcpy(message.bytes + sizeof(struct pipe_header), header, sizeof(*header));
	memcpy(message.bytes + BODY_AT, body, size);
	piped(writer, true, message.bytes, (uint32_t)sizeof(*header) + size,
	      (uint32_t)sizeof(*header) + size);
}

static void tell_body(struct kinds_writer *writer, uint16_t type, uint32_t version, const void *body,
		      uint32_t size)
{
	const struct ic_header header = header_of(type, version, size);

	tell(writer, &header, body, size);
}

static void text16(void *field, uint32_t units, const char *text)
{
	uint8_t *to = field;

	for (uint32_t n = 0; n < units && text[n]; n++)
		to[2 * n] = (uint8_t)text[n];
}

static void headers(struct kinds_writer *writer)
{
	static const uint8_t nothing[64];

	for (uint16_t type = 0; type <= IC_TYPE_FCOPY + 1u; type++) {
		struct ic_header header = header_of(type, IC_VERSION(3, 0), 16);

		tell(writer, &header, nothing, 16);
		header.size = 0;
		tell(writer, &header, nothing, 0);
		header.size = 400;
		header.flags = IC_FLAG_TRANSACTION | IC_FLAG_RESPONSE | 0x40;
		tell(writer, &header, nothing, 8);
	}
	for (uint32_t n = 0; n < trace_ic_status_names.count; n++) {
		struct ic_header header = header_of(IC_TYPE_HEARTBEAT, IC_VERSION(1, 0), 16);

		header.status = (uint32_t)trace_ic_status_names.list[n].value;
		tell(writer, &header, nothing, 16);
	}
}

static void negotiations(struct kinds_writer *writer)
{
	struct {
		struct ic_negotiate counts;
		uint32_t versions[80];
	} body = {.counts = {2, 3, 0},
		  .versions = {IC_FRAMEWORK_1_0, IC_FRAMEWORK_3_0, IC_VERSION(1, 0), IC_VERSION(3, 2),
			       IC_VERSION(4, 0xffff)}};

	tell_body(writer, IC_TYPE_NEGOTIATE, 0, &body, 28);
	tell_body(writer, IC_TYPE_NEGOTIATE, 0, &body, 16);
	tell_body(writer, IC_TYPE_NEGOTIATE, 0, &body, 6);
	body.counts = (struct ic_negotiate){0, 0, 0};
	tell_body(writer, IC_TYPE_NEGOTIATE, 0, &body, 8);
	body.counts = (struct ic_negotiate){40, 0xffff, 0};
	for (uint32_t n = 0; n < 80; n++)
		body.versions[n] = IC_VERSION(n, n * 900);
	tell_body(writer, IC_TYPE_NEGOTIATE, 0, &body, sizeof(body));
}

static void shutdowns(struct kinds_writer *writer)
{
	static struct ic_shutdown body;

	for (uint32_t flags = 0; flags < 9; flags++) {
		body = (struct ic_shutdown){.reason = 0x80020000u + flags, .timeout = flags, .flags = flags};
		text16(body.text, IC_SHUTDOWN_TEXT_SIZE / 2, flags % 2 ? "for the \\ night\n\x7f" : "");
		if (flags == 5)
			memset(body.text, 'x', sizeof(body.text)); /* no end */
		tell_body(writer, IC_TYPE_SHUTDOWN, IC_VERSION(3, 2), &body, flags == 8 ? 100 : sizeof(body));
	}
	tell_body(writer, IC_TYPE_SHUTDOWN, IC_VERSION(1, 0), &body, 11);
}

static void times(struct kinds_writer *writer)
{
	const struct ic_timesync_4 new = {
		IC_EPOCH_1601_TO_1970 + 1, 12345678901ull, IC_TIMESYNC_SYNC, 1, 2, {0}};
	const struct ic_timesync_1 old = {IC_EPOCH_1601_TO_1970, 2, 0, IC_TIMESYNC_SAMPLE, {0}};

	tell_body(writer, IC_TYPE_TIMESYNC, IC_VERSION(4, 0), &new, sizeof(new));
	tell_body(writer, IC_TYPE_TIMESYNC, IC_VERSION(4, 0), &new, 17);
	tell_body(writer, IC_TYPE_TIMESYNC, IC_VERSION(3, 0), &old, IC_TIMESYNC_1_SIZE);
	tell_body(writer, IC_TYPE_TIMESYNC, IC_VERSION(1, 0), &old, 20);
}

static void fill_pair(struct ic_kvp_value *pair, uint32_t type)
{
	*pair = (struct ic_kvp_value){.type = type, .key_size = 8, .value_size = 10};
	text16(pair->key, IC_KVP_KEY_SIZE / 2, "key\xe9");
	text16(pair->value, IC_KVP_VALUE_SIZE / 2, "a value");
}

static void all_pairs(struct kinds_writer *writer)
{
	static uint8_t body[IC_KVP_MESSAGE_SIZE];
	struct ic_kvp_value pair;

	for (uint8_t operation = 0; operation < 4; operation++) {
		for (uint32_t type = 0; type < 13; type++) {
			memset(body, 0, sizeof(body));
			fill_pair(&pair, type);
			body[0] = operation;
			body[1] = (uint8_t)(type % 6);
			memcpy(body + (operation == IC_KVP_ENUMERATE ? 8 : 4), &pair, sizeof(pair));
			if (operation == IC_KVP_DELETE)
				memcpy(body + 8, pair.key, IC_KVP_KEY_SIZE);
			tell_body(writer, IC_TYPE_KVP, IC_VERSION(4, 0), body,
				  type == 12   ? 300
				  : type == 11 ? 530
					       : sizeof(body));
		}
	}
	memset(body, 0, sizeof(body));
	tell_body(writer, IC_TYPE_KVP, IC_VERSION(4, 0), body, sizeof(body)); /* an answer that failed */
	tell_body(writer, IC_TYPE_KVP, IC_VERSION(4, 0), body, 1);
	body[0] = 9;
	tell_body(writer, IC_TYPE_KVP, IC_VERSION(4, 0), body, 8);
}

static void addresses(struct kinds_writer *writer)
{
	static uint8_t body[IC_KVP_IP_OFFSET + sizeof(struct ic_kvp_ip)];
	static struct ic_kvp_ip ip;

	text16(ip.adapter_id, IC_KVP_ADAPTER_ID_UNITS, "{00000000-0000-0000-0000-000000000001}");
	body[0] = IC_KVP_GET_IP;
	memcpy(body + IC_KVP_IP_OFFSET, &ip, sizeof(ip));
	tell_body(writer, IC_TYPE_KVP, IC_VERSION(4, 0), body, sizeof(body));
	ip.family = IC_KVP_FAMILY_IPV4 | IC_KVP_FAMILY_IPV6;
	ip.dhcp = 1;
	text16(ip.addresses, 1024, "10.0.0.1;fe80::1");
	text16(ip.masks, 1024, "255.0.0.0;/64");
	text16(ip.gateways, 512, "10.0.0.2");
	text16(ip.name_servers, 1024, "10.0.0.3;10.0.0.4");
	body[0] = IC_KVP_SET_IP;
	memcpy(body + IC_KVP_IP_OFFSET, &ip, sizeof(ip));
	tell_body(writer, IC_TYPE_KVP, IC_VERSION(4, 0), body, sizeof(body));
	tell_body(writer, IC_TYPE_KVP, IC_VERSION(4, 0), body, 1000);
}

static void backups(struct kinds_writer *writer)
{
	static struct ic_vss_disks disks = {.backup_type = 3, .disk_count = 2};

	for (uint8_t operation = 0; operation <= IC_VSS_AUTO_RECOVER + 1u; operation++) {
		struct ic_vss body = {.operation = operation, .flags = operation};

		tell_body(writer, IC_TYPE_VSS, IC_VERSION(5, 0), &body, sizeof(body));
		tell_body(writer, IC_TYPE_VSS, IC_VERSION(5, 0), &body, 9);
		disks.operation = operation;
		tell_body(writer, IC_TYPE_VSS, IC_VERSION(5, 0), &disks, sizeof(disks));
	}
}

static void copies(struct kinds_writer *writer)
{
	static struct ic_fcopy_start start = {.header = {IC_FCOPY_START, {{1}, {2}}},
					      .flags = IC_FCOPY_FLAG_OVERWRITE | IC_FCOPY_FLAG_CREATE_PATH,
					      .file_size = {50000, 1}};
	static struct ic_fcopy_write write = {
		.header = {IC_FCOPY_WRITE, {{1}, {2}}}, .offset = {6144, 0}, .size = 100};

	text16(start.file_name, IC_FCOPY_PATH_UNITS, "notes.txt");
	text16(start.path_name, IC_FCOPY_PATH_UNITS, "C:\\etc");
	tell_body(writer, IC_TYPE_FCOPY, IC_VERSION(1, 1), &start, sizeof(start));
	tell_body(writer, IC_TYPE_FCOPY, IC_VERSION(1, 1), &start, 600);
	tell_body(writer, IC_TYPE_FCOPY, IC_VERSION(1, 1), &write, sizeof(write));
	for (uint32_t operation = IC_FCOPY_WRITE; operation <= IC_FCOPY_CANCEL + 1u; operation++) {
		write.header.operation = operation;
		tell_body(writer, IC_TYPE_FCOPY, IC_VERSION(1, 1), &write, 44);
		tell_body(writer, IC_TYPE_FCOPY, IC_VERSION(1, 1), &write, 3);
	}
}

void kinds_services(struct kinds_writer *writer)
{
	static const struct {
		const char *device;
		void (*all)(struct kinds_writer *writer);
	} components[] = {{"keyboard", keyboards}, {"mouse", mice},
			  {"heartbeat", headers},  {"heartbeat", negotiations},
			  {"shutdown", shutdowns}, {"timesync", times},
			  {"kvp", all_pairs},      {"kvp", addresses},
			  {"vss", backups},        {"fcopy", copies}};

	for (uint32_t n = 0; n < sizeof(components) / sizeof(components[0]); n++) {
		kinds_offer(writer, components[n].device, CHANNEL_FIRST + n);
		components[n].all(writer);
	}
}
