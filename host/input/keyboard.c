/* SPDX-License-Identifier: MIT */
/*
 * The keyboard: the protocol request, LEDs, strokes. Strokes wait while no guest has accepted the protocol,
 * across closes and restarts; what is in a ring that goes is gone.
 */
#include <stdlib.h>
#include <string.h>

#include "host/input/input.h"

#define STROKES_MAX 1024u
#define STROKES_PER_RUN 64u
#define CODE_MAX 0x7fu
#define STROKE_FLAGS (HVH_STROKE_RELEASED | HVH_STROKE_E0 | HVH_STROKE_E1 | HVH_STROKE_UNICODE)
#define LEDS (KEYBOARD_LED_SCROLL | KEYBOARD_LED_NUM | KEYBOARD_LED_CAPS)

struct hvh_keyboard {
	struct input_line line;
	bool accepted; /* until the channel closes */
	uint16_t leds; /* likewise */
	uint64_t strokes_sent, leds_set;
	uint32_t head, count;
	struct input_stroke strokes[STROKES_MAX];
};

/* --- What the guest says ------------------------------------------------------------------------- */

static void protocol_request(struct hvh_keyboard *keyboard, const struct hvh_packet *packet)
{
	struct keyboard_protocol_response response = {.type = KEYBOARD_PROTOCOL_RESPONSE};
	struct keyboard_protocol_request request;
	struct input_line *line = &keyboard->line;

	if (keyboard->accepted) {
		LINE_STOP(line, HVH_V_INPUT_ORDER, packet, "PROTOCOL_REQUEST: one is accepted already");
		return;
	}
	memcpy(&request, packet->payload, sizeof request);
	input_line_check_padding(line, packet, sizeof request);
	if (hvh_silence_get(line->partition) == HVH_SILENCE_KEYBOARD_PROTOCOL)
		return;
	keyboard->accepted = request.version == KEYBOARD_VERSION_1_0 && !line->refuses;
	response.status = keyboard->accepted ? KEYBOARD_ACCEPTED : 0;
	hvh_note(line->partition, line->now, hvh_channel_id(line->channel), "keyboard: version %u.%u %s",
		 request.version >> 16, request.version & 0xffffu,
		 keyboard->accepted ? "accepted" : "refused");
	input_line_send(line, &response, sizeof response);
}

static void set_leds(struct hvh_keyboard *keyboard, const struct hvh_packet *packet)
{
	struct input_line *line = &keyboard->line;
	struct keyboard_leds leds;

	if (!keyboard->accepted) {
		LINE_STOP(line, HVH_V_INPUT_ORDER, packet, "LEDS: PROTOCOL_REQUEST is to come first");
		return;
	}
	memcpy(&leds, packet->payload, sizeof leds);
	input_line_check_padding(line, packet, offsetof(struct keyboard_leds, reserved));
	if ((leds.flags & ~LEDS) != 0)
		hvh_violate(line->partition, HVH_V_INPUT_VALUE, line->now, UINT32_MAX,
			    hvh_channel_id(line->channel), packet->payload, packet->payload_length,
			    "keyboard: LEDS: flags 0x%x; bits 0 to 2 would be right", leds.flags);
	keyboard->leds = leds.flags & LEDS;
	keyboard->leds_set++;
}

static void take(void *device, const struct hvh_packet *packet)
{
	struct hvh_keyboard *keyboard = device;
	uint32_t type = 0;

	/* Both messages that a guest has are of 8 bytes, and payloads are padded to as much. */
	if (packet->payload_length < sizeof(struct keyboard_protocol_request)) {
		LINE_STOP(&keyboard->line, HVH_V_INPUT_SIZE, packet, "a packet without a message");
		return;
	}
	memcpy(&type, packet->payload, sizeof type);
	if (type == KEYBOARD_PROTOCOL_REQUEST)
		protocol_request(keyboard, packet);
	else if (type == KEYBOARD_LEDS)
		set_leds(keyboard, packet);
	else
		LINE_STOP(
			&keyboard->line, HVH_V_INPUT_TYPE, packet,
			"a guest has no message of this type; 1 (PROTOCOL_REQUEST) and 4 (LEDS) are its own");
}

/* --- What it is told ----------------------------------------------------------------------------- */

static bool send_stroke(struct hvh_keyboard *keyboard, const struct input_stroke *stroke)
{
	static const struct {
		uint32_t flag, info;
	} flags[] = {
		{HVH_STROKE_RELEASED, KEYBOARD_BREAK},
		{HVH_STROKE_E0, KEYBOARD_E0},
		{HVH_STROKE_E1, KEYBOARD_E1},
		{HVH_STROKE_UNICODE, KEYBOARD_UNICODE},
	};
	struct keyboard_event event = {.type = KEYBOARD_EVENT, .make_code = stroke->code};

	for (unsigned n = 0; n < sizeof flags / sizeof flags[0]; n++)
		if ((stroke->flags & flags[n].flag) != 0)
			event.info |= flags[n].info;
	return input_line_write(&keyboard->line, &event, sizeof event);
}

static bool may_send(const struct hvh_keyboard *keyboard)
{
	return keyboard->accepted && keyboard->count > 0 && input_line_is_free(&keyboard->line);
}

static void send_strokes(struct hvh_keyboard *keyboard)
{
	for (uint32_t n = 0; n < STROKES_PER_RUN && may_send(keyboard); n++) {
		if (!send_stroke(keyboard, &keyboard->strokes[keyboard->head]))
			return;
		keyboard->head = (keyboard->head + 1) % STROKES_MAX;
		keyboard->count--;
		keyboard->strokes_sent++;
	}
}

/* --- The device ---------------------------------------------------------------------------------- */

static void session_reset(struct hvh_keyboard *keyboard)
{
	input_line_reset(&keyboard->line);
	keyboard->accepted = false;
	keyboard->leds = 0;
}

static bool device_open(void *device, struct hvh_channel *channel, uint64_t now,
			const uint8_t user_data[VMBUS_USER_DATA_SIZE])
{
	(void)channel;
	(void)now;
	(void)user_data;
	session_reset(device);
	return true;
}

static void device_close(void *device, struct hvh_channel *channel, uint64_t now)
{
	(void)channel;
	(void)now;
	session_reset(device);
}

static bool device_run(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_keyboard *keyboard = device;
	bool more = input_line_run(&keyboard->line, now, take, keyboard);

	(void)channel;
	send_strokes(keyboard);
	return more || may_send(keyboard);
}

static uint64_t device_next_event(void *device, struct hvh_channel *channel)
{
	const struct hvh_keyboard *keyboard = device;

	(void)channel;
	return input_line_next(&keyboard->line);
}

static void device_dump(const void *device, struct hvh_dump *dump)
{
	const struct hvh_keyboard *keyboard = device;

	hvh_dump_flag(dump, "accepted", keyboard->accepted);
	hvh_dump_flag(dump, "caps-lock", (keyboard->leds & KEYBOARD_LED_CAPS) != 0);
	hvh_dump_flag(dump, "num-lock", (keyboard->leds & KEYBOARD_LED_NUM) != 0);
	hvh_dump_flag(dump, "scroll-lock", (keyboard->leds & KEYBOARD_LED_SCROLL) != 0);
	hvh_dump_number(dump, "leds-set", keyboard->leds_set);
	hvh_dump_number(dump, "strokes-waiting", keyboard->count);
	hvh_dump_number(dump, "strokes-sent", keyboard->strokes_sent);
	input_line_dump(&keyboard->line, dump);
}

static const struct hvh_device_ops device_ops = {
	.name = "kbd",
	.open = device_open,
	.close = device_close,
	.run = device_run,
	.next_event = device_next_event,
	.dump = device_dump,
	.destroy = free,
};

/* --- Public -------------------------------------------------------------------------------------- */

struct hvh_keyboard *hvh_keyboard_create(struct hvh_partition *partition,
					 const struct hvh_input_config *config)
{
	struct hvh_offer_parameters parameters = {
		.type = VMBUS_GUID_KEYBOARD,
		.instance = VMBUS_GUID(0xd34b2567u, 0xb9b6u, 0x42b9u, 0x87, 0x78, 0x0a, 0x4e, 0xc0, 0xb9,
				       0x55, 0xbf),
	};
	struct hvh_keyboard *keyboard = calloc(1, sizeof *keyboard);

	if (keyboard == NULL)
		return NULL;
	keyboard->line.partition = partition;
	keyboard->line.name = "keyboard";
	keyboard->line.refuses = config->refuses;
	keyboard->line.channel = input_line_offer(partition, config->instance, &parameters, &device_ops,
						  keyboard);
	if (keyboard->line.channel == NULL) {
		free(keyboard);
		return NULL;
	}
	return keyboard;
}

struct hvh_keyboard *hvh_keyboard_find(struct hvh_partition *partition, const char *name)
{
	return hvh_device_by_name(partition, name, &device_ops);
}

/* All of them, or none. */
static bool queue_strokes(struct hvh_keyboard *keyboard, const struct input_strokes *strokes)
{
	if (strokes->count > STROKES_MAX - keyboard->count)
		return false;
	for (uint32_t n = 0; n < strokes->count; n++)
		keyboard->strokes[(keyboard->head + keyboard->count++) % STROKES_MAX] = strokes->strokes[n];
	return true;
}

static void wake(struct hvh_keyboard *keyboard)
{
	if (may_send(keyboard))
		hvh_channel_kick(keyboard->line.channel);
}

bool hvh_keyboard_stroke(struct hvh_keyboard *keyboard, uint64_t now, uint16_t code, uint32_t flags)
{
	const struct input_strokes one = {1, {{code, (uint16_t)flags}}};

	(void)now;
	if ((flags & ~STROKE_FLAGS) != 0 || (code > CODE_MAX && (flags & HVH_STROKE_UNICODE) == 0) ||
	    !queue_strokes(keyboard, &one))
		return false;
	wake(keyboard);
	return true;
}

bool hvh_keyboard_key(struct hvh_keyboard *keyboard, uint64_t now, const char *name)
{
	struct input_strokes strokes;

	(void)now;
	if (!input_keys_by_name(name, &strokes) || !queue_strokes(keyboard, &strokes))
		return false;
	wake(keyboard);
	return true;
}

size_t hvh_keyboard_type(struct hvh_keyboard *keyboard, uint64_t now, const char *text)
{
	size_t done = 0;

	(void)now;
	for (;;) {
		struct input_strokes strokes;
		uint32_t length = input_keys_by_character(text + done, &strokes);

		if (length == 0 || !queue_strokes(keyboard, &strokes))
			break;
		done += length;
	}
	wake(keyboard);
	return done;
}

uint16_t hvh_keyboard_leds(const struct hvh_keyboard *keyboard)
{
	return keyboard->leds;
}

void hvh_keyboard_restart(struct hvh_keyboard *keyboard, uint64_t now)
{
	input_line_restart(&keyboard->line, now);
}
