/* SPDX-License-Identifier: MIT */
/*
 * The mouse: an absolute pointer of three buttons and a wheel. Reports wait until a guest has acknowledged
 * the device's description. Those that wait are joined where nothing is lost by it: a button changes, and a
 * wheel turns, where the pointer was.
 */
#include <stdlib.h>
#include <string.h>

#include "host/input/input.h"

#define REPORTS_MAX 64u
#define REPORTS_PER_RUN 64u
#define POSITION_MAX 0x7fffu
#define BUTTONS 7u
#define WHEEL_MAX 127
#define VENDOR 0x045eu
#define PRODUCT 0x0621u
#define MOUSE_VERSION 0x0001u /* "v0.01" in Linux's log */

enum mouse_state {
	MOUSE_CLOSED,
	MOUSE_VERSION_WANTED, /* waits for PROTOCOL_REQUEST, until one is accepted */
	MOUSE_DESCRIBED,      /* ... for DEVICE_INFO_ACK */
	MOUSE_ACTIVE
};

struct mouse_report {
	uint16_t x, y;
	uint8_t buttons;
	bool buttons_changed; /* by this one */
	int8_t wheel;
};

struct hvh_mouse {
	struct input_line line;
	enum mouse_state state;
	uint8_t buttons; /* as they are after what waits */
	uint64_t reports_sent, reports_joined;
	uint32_t head, count;
	struct mouse_report reports[REPORTS_MAX];
};

/* As a report goes over the wire: 7 bytes. */
enum { REPORT_BUTTONS, REPORT_X, REPORT_Y = 3, REPORT_WHEEL = 5, REPORT_PAN, REPORT_SIZE };

/* clang-format off */
static const uint8_t descriptor[] = {
	0x05, 0x01, 0x09, 0x02, 0xa1, 0x01,             /* generic desktop, mouse: application */
	0x09, 0x01, 0xa1, 0x00,                         /* pointer: physical */
	0x05, 0x09, 0x19, 0x01, 0x29, 0x03,             /* buttons 1 to 3 */
	0x15, 0x00, 0x25, 0x01,                         /* 0 or 1 */
	0x95, 0x03, 0x75, 0x01, 0x81, 0x02,             /* three fields of a bit: absolute */
	0x95, 0x01, 0x75, 0x05, 0x81, 0x03,             /* five bits of nothing */
	0x05, 0x01, 0x09, 0x30, 0x09, 0x31,             /* X, Y */
	0x15, 0x00, 0x26, POSITION_MAX & 0xffu, POSITION_MAX >> 8,
	0x75, 0x10, 0x95, 0x02, 0x81, 0x02,             /* two fields of 16 bits: absolute */
	0x09, 0x38, 0x15, 0x81, 0x25, WHEEL_MAX,        /* wheel, -127 to 127 */
	0x75, 0x08, 0x95, 0x01, 0x81, 0x06,             /* a field of 8 bits: relative */
	0x05, 0x0c, 0x0a, 0x38, 0x02, 0x81, 0x06,       /* consumer: AC pan, likewise */
	0xc0, 0xc0,
};
/* clang-format on */

/* --- Messages ------------------------------------------------------------------------------------ */

#define MESSAGE_BYTES_MAX LINE_ANSWER_BYTES

/* A message behind its two headers; returns the length of all. */
static uint32_t wrap(uint8_t bytes[MESSAGE_BYTES_MAX], uint32_t type, const void *body, uint32_t length)
{
	const struct mouse_header header = {type, length};
	const struct pipe_header pipe = {PIPE_MESSAGE_DATA, (uint32_t)sizeof header + length};

	memcpy(bytes, &pipe, sizeof pipe);
	memcpy(bytes + sizeof pipe, &header, sizeof header);
	memcpy(bytes + sizeof pipe + sizeof header, body, length);
	return (uint32_t)(sizeof pipe + sizeof header) + length;
}

/* Without padding: Linux 6.1 drops an answer that is longer by a byte. */
static void respond(struct hvh_mouse *mouse, uint32_t version, bool approved)
{
	struct mouse_protocol_response response = {.version = version, .approved = approved};
	uint8_t bytes[MESSAGE_BYTES_MAX];
	uint32_t length = wrap(bytes, MOUSE_PROTOCOL_RESPONSE, &response.version,
			       MOUSE_PROTOCOL_RESPONSE_SIZE_MIN - (uint32_t)sizeof response.header);

	input_line_send(&mouse->line, bytes, length);
}

static void describe(struct hvh_mouse *mouse)
{
	const struct mouse_device_attributes attributes = {
		.size = sizeof attributes,
		.vendor = VENDOR,
		.product = PRODUCT,
		.version = MOUSE_VERSION,
	};
	const struct hid_descriptor hid = {
		.length = sizeof hid,
		.type = 0x21,
		.version = {0x01, 0x01},
		.descriptor_count = 1,
		.report_type = 0x22,
		.report_length = {sizeof descriptor},
	};
	uint8_t body[sizeof attributes + sizeof hid + sizeof descriptor], bytes[MESSAGE_BYTES_MAX];

	memcpy(body, &attributes, sizeof attributes);
	memcpy(body + sizeof attributes, &hid, sizeof hid);
	memcpy(body + sizeof attributes + sizeof hid, descriptor, sizeof descriptor);
	input_line_send(&mouse->line, bytes, wrap(bytes, MOUSE_DEVICE_INFO, body, sizeof body));
}

/* --- What the guest says ------------------------------------------------------------------------- */

static void protocol_request(struct hvh_mouse *mouse, const struct hvh_packet *packet, const uint8_t *body)
{
	struct input_line *line = &mouse->line;
	uint32_t version;
	bool approved;

	if (mouse->state != MOUSE_VERSION_WANTED) {
		LINE_STOP(line, HVH_V_INPUT_ORDER, packet, "PROTOCOL_REQUEST: one is accepted already");
		return;
	}
	memcpy(&version, body, sizeof version);
	if (hvh_silence_get(line->partition) == HVH_SILENCE_MOUSE_PROTOCOL)
		return;
	approved = version == MOUSE_VERSION_2_0 && !line->refuses;
	hvh_note(line->partition, line->now, hvh_channel_id(line->channel), "mouse: version %u.%u %s",
		 version >> 16, version & 0xffffu, approved ? "accepted" : "refused");
	respond(mouse, version, approved);
	if (!approved)
		return;
	mouse->state = MOUSE_DESCRIBED;
	if (hvh_silence_get(line->partition) != HVH_SILENCE_MOUSE_INFO)
		describe(mouse);
}

static void info_acknowledged(struct hvh_mouse *mouse, const struct hvh_packet *packet)
{
	if (mouse->state != MOUSE_DESCRIBED) {
		LINE_STOP(&mouse->line, HVH_V_INPUT_ORDER, packet,
			  "DEVICE_INFO_ACK: there is no DEVICE_INFO to acknowledge");
		return;
	}
	mouse->state = MOUSE_ACTIVE;
}

/* Sizes of pipe and message agree with each other and with the packet. */
static const char *wrong_size(const struct hvh_packet *packet, const struct pipe_header *pipe,
			      const struct mouse_header *header)
{
	uint32_t least = header->type == MOUSE_PROTOCOL_REQUEST ? sizeof(uint32_t) : sizeof(uint8_t);

	if (pipe->size > packet->payload_length - sizeof *pipe)
		return "the pipe's header says more than the packet holds";
	if (pipe->size < sizeof *header || header->size > pipe->size - sizeof *header)
		return "the message's header says more than the pipe's";
	return header->size < least ? "shorter than its structure" : NULL;
}

static void take_message(struct hvh_mouse *mouse, const struct hvh_packet *packet,
			 const struct pipe_header *pipe, const struct mouse_header *header)
{
	const char *wrong = wrong_size(packet, pipe, header);
	uint32_t headers = sizeof *pipe + sizeof *header;

	if (header->type != MOUSE_PROTOCOL_REQUEST && header->type != MOUSE_DEVICE_INFO_ACK) {
		LINE_STOP(&mouse->line, HVH_V_INPUT_TYPE, packet,
			  "a guest has no message of this type; 0 (PROTOCOL_REQUEST) and 3 "
			  "(DEVICE_INFO_ACK) are its own");
	} else if (wrong != NULL) {
		LINE_STOP(&mouse->line, HVH_V_INPUT_SIZE, packet, wrong);
	} else if (header->type == MOUSE_PROTOCOL_REQUEST) {
		input_line_check_padding(&mouse->line, packet, headers + (uint32_t)sizeof(uint32_t));
		protocol_request(mouse, packet, packet->payload + headers);
	} else {
		input_line_check_padding(&mouse->line, packet, headers);
		info_acknowledged(mouse, packet);
	}
}

static void take(void *device, const struct hvh_packet *packet)
{
	struct hvh_mouse *mouse = device;
	struct mouse_header header;
	struct pipe_header pipe;

	if (packet->payload_length < sizeof pipe + sizeof header) {
		LINE_STOP(&mouse->line, HVH_V_INPUT_SIZE, packet, "a packet without a message");
		return;
	}
	memcpy(&pipe, packet->payload, sizeof pipe);
	memcpy(&header, packet->payload + sizeof pipe, sizeof header);
	if (pipe.type != PIPE_MESSAGE_DATA)
		LINE_STOP(&mouse->line, HVH_V_INPUT_TYPE, packet,
			  "the pipe's header has another type than 1 (data)");
	else
		take_message(mouse, packet, &pipe, &header);
}

/* --- What it is told ----------------------------------------------------------------------------- */

static bool send_report(struct hvh_mouse *mouse, const struct mouse_report *report)
{
	uint8_t body[REPORT_SIZE] = {0}, bytes[MESSAGE_BYTES_MAX];

	body[REPORT_BUTTONS] = report->buttons;
	memcpy(body + REPORT_X, &report->x, sizeof report->x);
	memcpy(body + REPORT_Y, &report->y, sizeof report->y);
	body[REPORT_WHEEL] = (uint8_t)report->wheel;
	return input_line_write(&mouse->line, bytes, wrap(bytes, MOUSE_INPUT_REPORT, body, sizeof body));
}

static bool may_send(const struct hvh_mouse *mouse)
{
	return mouse->state == MOUSE_ACTIVE && mouse->count > 0 && input_line_is_free(&mouse->line);
}

static void send_reports(struct hvh_mouse *mouse)
{
	for (uint32_t n = 0; n < REPORTS_PER_RUN && may_send(mouse); n++) {
		if (!send_report(mouse, &mouse->reports[mouse->head]))
			return;
		mouse->head = (mouse->head + 1) % REPORTS_MAX;
		mouse->count--;
		mouse->reports_sent++;
	}
}

static bool may_join(const struct mouse_report *last, const struct mouse_report *next)
{
	int wheel = last->wheel + next->wheel;

	if (last->buttons_changed || next->buttons_changed || wheel < -WHEEL_MAX || wheel > WHEEL_MAX)
		return false;
	return last->wheel == 0 || (last->x == next->x && last->y == next->y);
}

/* False: no room. */
static bool queue_report(struct hvh_mouse *mouse, const struct mouse_report *report)
{
	struct mouse_report *last = NULL;

	if (mouse->count > 0)
		last = &mouse->reports[(mouse->head + mouse->count - 1) % REPORTS_MAX];
	if (last != NULL && may_join(last, report)) {
		last->x = report->x;
		last->y = report->y;
		last->wheel = (int8_t)(last->wheel + report->wheel);
		mouse->reports_joined++;
		return true;
	}
	if (mouse->count == REPORTS_MAX)
		return false;
	mouse->reports[(mouse->head + mouse->count++) % REPORTS_MAX] = *report;
	return true;
}

/* --- The device ---------------------------------------------------------------------------------- */

static bool device_open(void *device, struct hvh_channel *channel, uint64_t now,
			const uint8_t user_data[VMBUS_USER_DATA_SIZE])
{
	struct hvh_mouse *mouse = device;

	(void)channel;
	(void)now;
	(void)user_data;
	input_line_reset(&mouse->line);
	mouse->state = MOUSE_VERSION_WANTED;
	return true;
}

static void device_close(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_mouse *mouse = device;

	(void)channel;
	(void)now;
	input_line_reset(&mouse->line);
	mouse->state = MOUSE_CLOSED;
}

static bool device_run(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_mouse *mouse = device;
	bool more = input_line_run(&mouse->line, now, take, mouse);

	(void)channel;
	send_reports(mouse);
	return more || may_send(mouse);
}

static uint64_t device_next_event(void *device, struct hvh_channel *channel)
{
	const struct hvh_mouse *mouse = device;

	(void)channel;
	return input_line_next(&mouse->line);
}

static void device_dump(const void *device, struct hvh_dump *dump)
{
	static const char *const states[] = {"closed", "version", "described", "active"};
	const struct hvh_mouse *mouse = device;

	hvh_dump_text(dump, "state", "%s", states[mouse->state]);
	hvh_dump_number(dump, "reports-waiting", mouse->count);
	hvh_dump_number(dump, "reports-joined", mouse->reports_joined);
	hvh_dump_number(dump, "reports-sent", mouse->reports_sent);
	input_line_dump(&mouse->line, dump);
}

static const struct hvh_device_ops device_ops = {
	.name = "mouse",
	.open = device_open,
	.close = device_close,
	.run = device_run,
	.next_event = device_next_event,
	.dump = device_dump,
	.destroy = free,
};

/* --- Public -------------------------------------------------------------------------------------- */

struct hvh_mouse *hvh_mouse_create(struct hvh_partition *partition, const struct hvh_input_config *config)
{
	struct hvh_offer_parameters parameters = {
		.type = VMBUS_GUID_MOUSE,
		.instance = VMBUS_GUID(0x58f75a6du, 0xd949u, 0x4320u, 0x99, 0xe1, 0xa2, 0xa2, 0x57, 0x6d,
				       0x58, 0x1c),
		.flags = VMBUS_OFFER_FLAG_NAMED_PIPE,
		.user_data = {PIPE_MODE_MESSAGE},
	};
	struct hvh_mouse *mouse = calloc(1, sizeof *mouse);

	if (mouse == NULL)
		return NULL;
	mouse->line.partition = partition;
	mouse->line.name = "mouse";
	mouse->line.refuses = config->refuses;
	mouse->line.channel = input_line_offer(partition, config->instance, &parameters, &device_ops, mouse);
	if (mouse->line.channel == NULL) {
		free(mouse);
		return NULL;
	}
	return mouse;
}

struct hvh_mouse *hvh_mouse_find(struct hvh_partition *partition, const char *name)
{
	return hvh_device_by_name(partition, name, &device_ops);
}

bool hvh_mouse_report(struct hvh_mouse *mouse, uint64_t now, uint16_t x, uint16_t y, uint32_t buttons,
		      int8_t wheel)
{
	struct mouse_report report = {x, y, (uint8_t)buttons, false, wheel};

	(void)now;
	if (x > POSITION_MAX || y > POSITION_MAX || buttons > BUTTONS || wheel < -WHEEL_MAX)
		return false;
	report.buttons_changed = report.buttons != mouse->buttons;
	if (!queue_report(mouse, &report))
		return false;
	mouse->buttons = report.buttons;
	if (may_send(mouse))
		hvh_channel_kick(mouse->line.channel);
	return true;
}

void hvh_mouse_restart(struct hvh_mouse *mouse, uint64_t now)
{
	input_line_restart(&mouse->line, now);
}
