/* SPDX-License-Identifier: MIT */
/*
 * The host's side of a keyboard or a mouse and a hostile guest: an open channel, messages in any order, while
 * keys are typed, the pointer moves and the device is restarted.
 * Header: {profile, faults, flags}; flags: 1 the protocol is agreed on, by the rules; 2 a mouse.
 */
#include "tests/fuzz/raw_guest.h"

#include "hvkit/wire/input.h"
#include "hvkit_host/input.h"

#define NAME "kbd0"
#define MOUSE_NAME "mouse0"
#define BYTES_MAX 248u
#define TEXT_MAX 63u

static void create(struct raw_guest *guest, bool mouse)
{
	const struct hvh_input_config config = {.instance = {1, 2, 3}};

	if (mouse)
		FUZZ_CHECK(hvh_mouse_create(guest->host, &config) != NULL);
	else
		FUZZ_CHECK(hvh_keyboard_create(guest->host, &config) != NULL);
	FUZZ_CHECK(!hvh_keyboard_find(guest->host, MOUSE_NAME) && !hvh_mouse_find(guest->host, NAME));
}

static void send(struct raw_guest *guest, const void *message, uint32_t length)
{
	raw_packet(guest, VMBUS_PACKET_IN_BAND, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED, ++guest->transaction,
		   NULL, 0, message, length);
	raw_pass(guest, 10 * HVH_TIME_PER_MS);
	raw_drain(guest);
}

static void agree(struct raw_guest *guest, bool mouse)
{
	static const struct keyboard_protocol_request keyboard = {KEYBOARD_PROTOCOL_REQUEST,
								  KEYBOARD_VERSION_1_0};
	static const uint32_t request[] = {PIPE_MESSAGE_DATA, 12, MOUSE_PROTOCOL_REQUEST, 4,
					   MOUSE_VERSION_2_0, 0};
	static const uint32_t ack[] = {PIPE_MESSAGE_DATA, 9, MOUSE_DEVICE_INFO_ACK, 1, 0, 0};

	if (!mouse) {
		send(guest, &keyboard, sizeof(keyboard));
		return;
	}
	send(guest, request, sizeof(request));
	send(guest, ack, sizeof(ack));
}

/* --- What the fuzzer can do ------------------------------------------------------------------------ */

/* {how, type, bytes}: a message; how: 1 no completion, 2 headers as they are given, 4 another length. */
static void op_say(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t how = fuzz_u8(arguments), type = fuzz_u8(arguments), bytes[BYTES_MAX] = {0};
	uint32_t at = 0, left, length;
	bool mouse = hvh_mouse_find(guest->host, MOUSE_NAME) != NULL;

	if ((how & 2u) == 0) {
		uint32_t headers[] = {type % 6u, MOUSE_VERSION_2_0, 0, 0};

		if (mouse) {
			headers[0] = PIPE_MESSAGE_DATA;
			headers[1] = 12;
			headers[2] = type % 6u;
			headers[3] = 4;
		}
		at = mouse ? 16u : 4u;
		memcpy(bytes, headers, at);
	}
	left = (uint32_t)arguments->left;
	length = how & 4u ? fuzz_u8(arguments) % (BYTES_MAX + 1) & ~7u : (at + left + 7u) & ~7u;
	memcpy(bytes + at, arguments->bytes,
	       arguments->left < BYTES_MAX - at ? arguments->left : BYTES_MAX - at);
	raw_packet(guest, VMBUS_PACKET_IN_BAND, how & 1u ? 0 : VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
		   ++guest->transaction, NULL, 0, bytes, length < BYTES_MAX ? length : BYTES_MAX);
}

static void type(struct raw_guest *guest, struct hvh_keyboard *keyboard, struct fuzz_input *arguments)
{
	uint8_t what = fuzz_u8(arguments);
	char text[TEXT_MAX + 1] = "";
	uint32_t code;

	if (what % 4u == 3) {
		hvh_keyboard_restart(keyboard, guest->now);
	} else if (what % 4u == 2) {
		code = fuzz_u32(arguments);
		(void)hvh_keyboard_stroke(keyboard, guest->now, (uint16_t)code, code >> 16);
	} else {
		memcpy(text, arguments->bytes, arguments->left < TEXT_MAX ? arguments->left : TEXT_MAX);
		if (what % 4u == 0)
			FUZZ_CHECK(hvh_keyboard_type(keyboard, guest->now, text) <= strlen(text));
		else
			(void)hvh_keyboard_key(keyboard, guest->now, text);
	}
}

/* {what, arguments}: text, a key's name, a stroke, a restart; or of a mouse a report, a restart. */
static void op_use(struct raw_guest *guest, struct fuzz_input *arguments)
{
	struct hvh_keyboard *keyboard = hvh_keyboard_find(guest->host, NAME);
	struct hvh_mouse *mouse = hvh_mouse_find(guest->host, MOUSE_NAME);

	if (keyboard) {
		type(guest, keyboard, arguments);
		FUZZ_CHECK((hvh_keyboard_leds(keyboard) & ~7u) == 0);
	} else if (fuzz_u8(arguments) % 4u == 3) {
		hvh_mouse_restart(mouse, guest->now);
	} else {
		uint16_t x = fuzz_u16(arguments), y = fuzz_u16(arguments);
		uint8_t buttons = fuzz_u8(arguments);

		(void)hvh_mouse_report(mouse, guest->now, x, y, buttons, (int8_t)fuzz_u8(arguments));
	}
	raw_settle(guest);
}

static const raw_operation operations[] = {
	op_say,         op_use,      raw_op_drain, raw_op_time,   raw_op_gone,      raw_op_packet,
	raw_op_message, raw_op_take, raw_op_arm,   raw_op_signal, raw_op_ring_word, raw_op_completion,
	raw_op_dump,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t profile = fuzz_u8(&input), faults = fuzz_u8(&input), flags = fuzz_u8(&input);
	struct raw_guest *guest = raw_create(profile, faults, flags);

	create(guest, (flags & 2u) != 0);
	raw_connect(guest);
	raw_open(guest);
	if (flags & 1u)
		agree(guest, (flags & 2u) != 0);
	raw_check_lawful(guest, faults);
	raw_run(guest, &input, operations, sizeof(operations) / sizeof(operations[0]));
	raw_destroy(guest);
	return 0;
}
