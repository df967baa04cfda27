/* SPDX-License-Identifier: MIT */
/* The host's keyboard and a guest of the test's own: protocol, strokes, names, text, LEDs, refusals. */
#include "host_packets.h"
#include "hvkit/wire/guids.h"
#include "hvkit/wire/input.h"
#include "hvkit_host/input.h"
#include "tests/golden/input.h"

struct stroke {
	uint16_t code;
	uint32_t info;
};

static struct hvh_keyboard *keyboard_opened(struct guest *guest, bool refuses)
{
	const struct hvh_input_config config = {.refuses = refuses};
	struct hvh_keyboard *keyboard = hvh_keyboard_create(guest->host, &config);

	assert_non_null(keyboard);
	open_offered(guest);
	return keyboard;
}

static void ask(struct guest *guest)
{
	send_message(guest, golden_keyboard_request, sizeof(golden_keyboard_request), true, 7);
}

static struct hvh_keyboard *keyboard_accepted(struct guest *guest)
{
	struct hvh_keyboard *keyboard = keyboard_opened(guest, false);

	ask(guest);
	expect_completion(guest, 7);
	expect_packet(guest, golden_keyboard_accepted, sizeof(golden_keyboard_accepted));
	return keyboard;
}

static bool next_stroke(struct guest *guest, struct stroke *stroke)
{
	struct keyboard_event event;
	struct answer answer;

	if (!receive(guest, &answer))
		return false;
	assert_int_equal(answer.descriptor.type, VMBUS_PACKET_IN_BAND);
	assert_int_equal(answer.length, 16);
	memcpy(&event, answer.payload, sizeof event);
	assert_int_equal(event.type, KEYBOARD_EVENT);
	assert_int_equal(event.reserved, 0);
	*stroke = (struct stroke){event.make_code, event.info};
	return true;
}

/* Exactly these, and no more. */
static void expect_strokes(struct guest *guest, const struct stroke *wanted, size_t count)
{
	struct stroke stroke;

	settle(guest);
	for (size_t n = 0; n < count; n++) {
		assert_true(next_stroke(guest, &stroke));
		assert_int_equal(stroke.code, wanted[n].code);
		assert_int_equal(stroke.info, wanted[n].info);
	}
	assert_false(next_stroke(guest, &stroke));
}

#define EXPECT(guest, ...)                                                          \
	do {                                                                        \
		const struct stroke wanted_[] = {__VA_ARGS__};                      \
		expect_strokes(guest, wanted_, sizeof wanted_ / sizeof wanted_[0]); \
	} while (0)
#define UP KEYBOARD_BREAK
#define E0 KEYBOARD_E0
#define E1 KEYBOARD_E1
#define UNICODE KEYBOARD_UNICODE

/* --- Offer and protocol -------------------------------------------------------------------------- */

static void it_is_offered_as_windows_has_it(void **state)
{
	static const struct vmbus_guid type = VMBUS_GUID_KEYBOARD;
	static const uint8_t usual[16] = {0x67, 0x25, 0x4b, 0xd3, 0xb6, 0xb9, 0xb9, 0x42,
					  0x87, 0x78, 0x0a, 0x4e, 0xc0, 0xb9, 0x55, 0xbf};
	struct hvh_input_config config = {.refuses = false};
	struct guest *guest = *state;
	struct hvh_device_info info;

	struct hvh_keyboard *first = hvh_keyboard_create(guest->host, &config);
	assert_non_null(hvh_keyboard_create(guest->host, &config));
	config.instance[0] = 9;
	assert_non_null(hvh_keyboard_create(guest->host, &config));
	assert_true(hvh_device_get(guest->host, 0, &info));
	assert_string_equal(info.name, "kbd0");
	assert_memory_equal(info.type, &type, 16);
	assert_memory_equal(info.instance, usual, 16);
	assert_ptr_equal(hvh_keyboard_find(guest->host, "kbd0"), first);
	assert_null(hvh_keyboard_find(guest->host, "kbd3"));
	assert_null(hvh_mouse_find(guest->host, "kbd0"));
	assert_true(hvh_device_get(guest->host, 1, &info)); /* two are never the same */
	assert_memory_not_equal(info.instance, usual, 16);
	assert_true(hvh_device_get(guest->host, 2, &info));
	assert_memory_equal(info.instance, config.instance, 16);
}

static void version_1_0_is_accepted_and_others_are_not(void **state)
{
	struct keyboard_protocol_request request = {KEYBOARD_PROTOCOL_REQUEST, 0x00020000u};
	struct guest *guest = *state;

	(void)keyboard_opened(guest, false);
	send_message(guest, &request, sizeof request, false, 1);
	expect_packet(guest, golden_keyboard_refused, sizeof(golden_keyboard_refused));
	ask(guest); /* another try is legal */
	expect_completion(guest, 7);
	expect_packet(guest, golden_keyboard_accepted, sizeof(golden_keyboard_accepted));
	expect_nothing(guest);
	assert_no_violation(guest);
}

static void it_may_refuse(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_opened(guest, true);

	assert_true(hvh_keyboard_stroke(keyboard, guest->now, 0x1e, 0));
	ask(guest);
	expect_completion(guest, 7);
	expect_packet(guest, golden_keyboard_refused, sizeof(golden_keyboard_refused));
	expect_nothing(guest);
	assert_no_violation(guest);
}

static void it_may_be_silent(void **state)
{
	struct guest *guest = *state;

	hvh_silence_set(guest->host, HVH_SILENCE_KEYBOARD_PROTOCOL);
	(void)keyboard_opened(guest, false);
	ask(guest);
	expect_completion(guest, 7);
	pass(guest, 60 * HVH_TIME_PER_SECOND);
	expect_nothing(guest);
	assert_no_violation(guest);
}

/* --- Strokes ------------------------------------------------------------------------------------- */

static void strokes_go_out_as_they_are(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);

	assert_true(hvh_keyboard_stroke(keyboard, guest->now, 0x1e, 0));
	settle(guest);
	expect_packet(guest, golden_keyboard_a_down, sizeof(golden_keyboard_a_down));
	assert_true(hvh_keyboard_stroke(keyboard, guest->now, 0x53, HVH_STROKE_E0 | HVH_STROKE_RELEASED));
	settle(guest);
	expect_packet(guest, golden_keyboard_delete_up, sizeof(golden_keyboard_delete_up));
	assert_true(hvh_keyboard_stroke(keyboard, guest->now, 0x20ac, HVH_STROKE_UNICODE));
	assert_true(hvh_keyboard_stroke(keyboard, guest->now, 0x1d, HVH_STROKE_E1));
	EXPECT(guest, {0x20ac, UNICODE}, {0x1d, E1});
	assert_false(hvh_keyboard_stroke(keyboard, guest->now, 0x80, 0)); /* no code of set 1 */
	assert_false(hvh_keyboard_stroke(keyboard, guest->now, 0x10, 1u << 4));
	expect_nothing(guest);
	assert_no_violation(guest);
}

static void strokes_wait_until_the_protocol_is_accepted(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_opened(guest, false);

	assert_int_equal(hvh_keyboard_type(keyboard, guest->now, "ab"), 2);
	settle(guest);
	expect_nothing(guest);
	ask(guest);
	expect_completion(guest, 7);
	expect_packet(guest, golden_keyboard_accepted, sizeof(golden_keyboard_accepted));
	EXPECT(guest, {0x1e, 0}, {0x1e, UP}, {0x30, 0}, {0x30, UP});
}

static void a_full_ring_keeps_them_waiting_in_order(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);
	uint32_t count = 0, waiting;
	struct stroke stroke;

	while (hvh_keyboard_stroke(keyboard, guest->now, (uint16_t)(count % 100), 0))
		count++;
	assert_int_equal(count, 1024);
	settle(guest); /* as many as the ring holds have gone */
	waiting = count;
	while (hvh_keyboard_stroke(keyboard, guest->now, (uint16_t)(count % 100), 0))
		count++;
	assert_true(count > waiting + 50 && count < waiting + 150);
	for (uint32_t n = 0; n < count; n++) {
		assert_true(next_stroke(guest, &stroke));
		assert_int_equal(stroke.code, n % 100);
	}
	assert_false(next_stroke(guest, &stroke));
	assert_no_violation(guest);
}

/* --- Keys and text ------------------------------------------------------------------------------- */

static void key(struct guest *guest, struct hvh_keyboard *keyboard, const char *name)
{
	if (!hvh_keyboard_key(keyboard, guest->now, name))
		fail_msg("there is no key '%s'", name);
}

static void keys_have_names(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);

	key(guest, keyboard, "F2");
	EXPECT(guest, {0x3c, 0}, {0x3c, UP});
	key(guest, keyboard, "f12"); /* names have no case */
	EXPECT(guest, {0x58, 0}, {0x58, UP});
	key(guest, keyboard, "Enter");
	EXPECT(guest, {0x1c, 0}, {0x1c, UP});
	key(guest, keyboard, "PageDown");
	EXPECT(guest, {0x51, E0}, {0x51, E0 | UP});
	key(guest, keyboard, "Pause");
	EXPECT(guest, {0x1d, E1}, {0x45, 0}, {0x1d, E1 | UP}, {0x45, UP});
	key(guest, keyboard, "Shift");
	EXPECT(guest, {0x2a, 0}, {0x2a, UP});
	key(guest, keyboard, "Keypad+");
	EXPECT(guest, {0x4e, 0}, {0x4e, UP});
}

static void characters_are_keys_and_modifiers_are_held(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);

	key(guest, keyboard, "a");
	EXPECT(guest, {0x1e, 0}, {0x1e, UP});
	key(guest, keyboard, "A");
	EXPECT(guest, {0x2a, 0}, {0x1e, 0}, {0x1e, UP}, {0x2a, UP});
	key(guest, keyboard, "Ctrl+C"); /* the cap's letter */
	EXPECT(guest, {0x1d, 0}, {0x2e, 0}, {0x2e, UP}, {0x1d, UP});
	key(guest, keyboard, "Ctrl+Alt+Delete");
	EXPECT(guest, {0x1d, 0}, {0x38, 0}, {0x53, E0}, {0x53, E0 | UP}, {0x38, UP}, {0x1d, UP});
	key(guest, keyboard, "AltGr+q");
	EXPECT(guest, {0x38, E0}, {0x10, 0}, {0x10, UP}, {0x38, E0 | UP});
	key(guest, keyboard, "+");
	EXPECT(guest, {0x2a, 0}, {0x0d, 0}, {0x0d, UP}, {0x2a, UP});
	key(guest, keyboard, "Ctrl++");
	EXPECT(guest, {0x1d, 0}, {0x2a, 0}, {0x0d, 0}, {0x0d, UP}, {0x2a, UP}, {0x1d, UP});
}

static void what_is_no_key_sends_nothing(void **state)
{
	static const char *const none[] = {
		"",   "F13",      "Ctrl+",   "Ctrl+Foo", "Foo+a",
		"ab", "\xc3\xa4", "Enter+a", "++a",      "Ctrl+Ctrl+Ctrl+Ctrl+Ctrl+Ctrl+Ctrl+Ctrl+Ctrl+a"};
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);

	for (unsigned n = 0; n < sizeof none / sizeof none[0]; n++) {
		if (hvh_keyboard_key(keyboard, guest->now, none[n]))
			fail_msg("'%s' is a key", none[n]);
	}
	settle(guest);
	expect_nothing(guest);
}

static void a_key_without_room_sends_nothing(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_opened(guest, false);

	for (unsigned n = 0; n < 1023; n++)
		assert_true(hvh_keyboard_stroke(keyboard, guest->now, 1, 0));
	assert_false(hvh_keyboard_key(keyboard, guest->now, "a"));
	assert_int_equal(hvh_keyboard_type(keyboard, guest->now, "a"), 0);
	assert_true(hvh_keyboard_stroke(keyboard, guest->now, 1, 0));
	assert_false(hvh_keyboard_stroke(keyboard, guest->now, 1, 0));
}

static void every_character_of_the_layout_has_its_key(void **state)
{
	/* Typed from a keyboard: code, what it makes, and with Shift. */
	static const struct {
		uint16_t code;
		char plain, shifted;
	} keys[] = {
		{0x29, '`', '~'},  {0x02, '1', '!'},  {0x03, '2', '@'}, {0x04, '3', '#'}, {0x05, '4', '$'},
		{0x06, '5', '%'},  {0x07, '6', '^'},  {0x08, '7', '&'}, {0x09, '8', '*'}, {0x0a, '9', '('},
		{0x0b, '0', ')'},  {0x0c, '-', '_'},  {0x0d, '=', '+'}, {0x10, 'q', 'Q'}, {0x11, 'w', 'W'},
		{0x12, 'e', 'E'},  {0x13, 'r', 'R'},  {0x14, 't', 'T'}, {0x15, 'y', 'Y'}, {0x16, 'u', 'U'},
		{0x17, 'i', 'I'},  {0x18, 'o', 'O'},  {0x19, 'p', 'P'}, {0x1a, '[', '{'}, {0x1b, ']', '}'},
		{0x1e, 'a', 'A'},  {0x1f, 's', 'S'},  {0x20, 'd', 'D'}, {0x21, 'f', 'F'}, {0x22, 'g', 'G'},
		{0x23, 'h', 'H'},  {0x24, 'j', 'J'},  {0x25, 'k', 'K'}, {0x26, 'l', 'L'}, {0x27, ';', ':'},
		{0x28, '\'', '"'}, {0x2b, '\\', '|'}, {0x2c, 'z', 'Z'}, {0x2d, 'x', 'X'}, {0x2e, 'c', 'C'},
		{0x2f, 'v', 'V'},  {0x30, 'b', 'B'},  {0x31, 'n', 'N'}, {0x32, 'm', 'M'}, {0x33, ',', '<'},
		{0x34, '.', '>'},  {0x35, '/', '?'},
	};
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);

	assert_int_equal(sizeof keys / sizeof keys[0] * 2, '~' - '!' + 1);
	for (unsigned n = 0; n < sizeof keys / sizeof keys[0]; n++) {
		const char text[] = {keys[n].plain, keys[n].shifted, '\0'};

		assert_int_equal(hvh_keyboard_type(keyboard, guest->now, text), 2);
		EXPECT(guest, {keys[n].code, 0}, {keys[n].code, UP}, {0x2a, 0}, {keys[n].code, 0},
		       {keys[n].code, UP}, {0x2a, UP});
	}
	assert_int_equal(hvh_keyboard_type(keyboard, guest->now, " \n\r\t\b\033"), 6);
	EXPECT(guest, {0x39, 0}, {0x39, UP}, {0x1c, 0}, {0x1c, UP}, {0x1c, 0}, {0x1c, UP}, {0x0f, 0},
	       {0x0f, UP}, {0x0e, 0}, {0x0e, UP}, {0x01, 0}, {0x01, UP});
}

static void other_text_goes_as_units_of_utf_16(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);

	assert_int_equal(hvh_keyboard_type(keyboard, guest->now, "\xc3\xa4\xe2\x82\xac\x01"), 6);
	EXPECT(guest, {0xe4, UNICODE}, {0xe4, UNICODE | UP}, {0x20ac, UNICODE}, {0x20ac, UNICODE | UP},
	       {1, UNICODE}, {1, UNICODE | UP});
	assert_int_equal(hvh_keyboard_type(keyboard, guest->now, "\xf0\x9f\x98\x80"), 4); /* U+1F600 */
	EXPECT(guest, {0xd83d, UNICODE}, {0xd83d, UNICODE | UP}, {0xde00, UNICODE}, {0xde00, UNICODE | UP});
}

static void text_ends_before_bytes_that_are_no_utf_8(void **state)
{
	static const char *const wrong[] = {"\x80",
					    "\xc0\xaf",
					    "\xe0\x80\xaf",
					    "\xed\xa0\x80",
					    "\xc3",
					    "\xf4\x90\x80\x80",
					    "\xf5\x80\x80\x80",
					    "\xe2\x82",
					    "\xf0\x80\x80\xaf",
					    "\xff"};
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);

	for (unsigned n = 0; n < sizeof wrong / sizeof wrong[0]; n++) {
		char text[8] = "x";

		strcat(text, wrong[n]);
		assert_int_equal(hvh_keyboard_type(keyboard, guest->now, text), 1);
		EXPECT(guest, {0x2d, 0}, {0x2d, UP});
	}
}

static void text_longer_than_the_queue_is_taken_in_part(void **state)
{
	static char text[2048];
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_opened(guest, false);

	memset(text, 'x', sizeof text - 1);
	assert_int_equal(hvh_keyboard_type(keyboard, guest->now, text), 512);
}

/* --- LEDs ---------------------------------------------------------------------------------------- */

static void leds_are_the_guests(void **state)
{
	struct keyboard_leds leds = {.type = KEYBOARD_LEDS, .flags = 7};
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);

	assert_int_equal(hvh_keyboard_leds(keyboard), 0);
	send_message(guest, golden_keyboard_leds_caps, sizeof(golden_keyboard_leds_caps), true, 3);
	expect_completion(guest, 3);
	assert_int_equal(hvh_keyboard_leds(keyboard), KEYBOARD_LED_CAPS);
	send_message(guest, &leds, sizeof leds, false, 4);
	expect_nothing(guest);
	assert_int_equal(hvh_keyboard_leds(keyboard), 7);
	assert_no_violation(guest);
	leds.flags = 0x11;
	send_message(guest, &leds, sizeof leds, false, 5);
	assert_int_equal(hvh_keyboard_leds(keyboard), KEYBOARD_LED_SCROLL);
	assert_only_violation(guest, HVH_V_INPUT_VALUE);
}

static void leds_reserved_bytes_are_zero(void **state)
{
	struct keyboard_leds leds = {.type = KEYBOARD_LEDS, .reserved = 1};
	struct guest *guest = *state;

	(void)keyboard_accepted(guest);
	send_message(guest, &leds, sizeof leds, false, 5);
	assert_only_violation(guest, HVH_V_INPUT_PADDING);
}

/* --- What ends the dialogue ------------------------------------------------------------------------ */

/* The message is a violation of that kind, and nothing is read behind it. */
static void ends_it(struct guest *guest, struct hvh_keyboard *keyboard, uint16_t type, const void *message,
		    uint32_t length, enum hvh_violation_kind kind)
{
	uint64_t before = hvh_violation_count(guest->host, kind);

	send_raw(guest, type, 0, 9, message, length);
	assert_int_equal(hvh_violation_count(guest->host, kind), before + 1);
	assert_int_equal(violations(guest), 1);
	ask(guest);
	assert_true(hvh_keyboard_stroke(keyboard, guest->now, 1, 0));
	settle(guest);
	expect_nothing(guest);
}

static void leds_before_the_protocol_end_it(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_opened(guest, false);

	ends_it(guest, keyboard, VMBUS_PACKET_IN_BAND, golden_keyboard_leds_caps,
		sizeof(golden_keyboard_leds_caps), HVH_V_INPUT_ORDER);
}

static void a_second_request_ends_it(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);

	ends_it(guest, keyboard, VMBUS_PACKET_IN_BAND, golden_keyboard_request,
		sizeof(golden_keyboard_request), HVH_V_INPUT_ORDER);
}

static void a_message_of_the_hosts_ends_it(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);

	ends_it(guest, keyboard, VMBUS_PACKET_IN_BAND, golden_keyboard_a_down, sizeof(golden_keyboard_a_down),
		HVH_V_INPUT_TYPE);
}

static void an_empty_packet_ends_it(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);

	ends_it(guest, keyboard, VMBUS_PACKET_IN_BAND, "", 0, HVH_V_INPUT_SIZE);
}

static void bytes_behind_a_message_are_zero(void **state)
{
	uint8_t bytes[16] = {0};
	struct guest *guest = *state;

	(void)keyboard_opened(guest, false);
	memcpy(bytes, golden_keyboard_request, sizeof(golden_keyboard_request));
	bytes[12] = 1;
	send_message(guest, bytes, sizeof bytes, false, 1);
	assert_only_violation(guest, HVH_V_INPUT_PADDING);
	expect_packet(guest, golden_keyboard_accepted, sizeof(golden_keyboard_accepted)); /* all the same */
}

static void only_packets_in_band_are_read(void **state)
{
	struct guest *guest = *state;

	(void)keyboard_opened(guest, false);
	send_raw(guest, VMBUS_PACKET_COMPLETION, 0, 9, golden_keyboard_request,
		 sizeof(golden_keyboard_request));
	assert_true(violations(guest) > 0);
	ask(guest);
	expect_nothing(guest);
}

/* --- Closing and restarting ---------------------------------------------------------------------- */

static void a_new_opening_begins_anew_and_strokes_go_on(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);

	send_message(guest, golden_keyboard_leds_caps, sizeof(golden_keyboard_leds_caps), false, 3);
	open_again(guest);
	assert_int_equal(hvh_keyboard_leds(keyboard), 0);
	key(guest, keyboard, "a");
	settle(guest);
	expect_nothing(guest);
	ask(guest);
	expect_completion(guest, 7);
	expect_packet(guest, golden_keyboard_accepted, sizeof(golden_keyboard_accepted));
	EXPECT(guest, {0x1e, 0}, {0x1e, UP});
	assert_no_violation(guest);
}

static void a_restart_is_a_rescind_and_an_offer(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);
	struct hvh_device_info info;

	hvh_keyboard_restart(keyboard, guest->now);
	settle(guest);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_RESCIND_OFFER);
	key(guest, keyboard, "b");
	assert_silence(guest);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 1);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	assert_true(hvh_device_get(guest->host, 0, &info) && info.present && !info.open);
	assert_no_violation(guest);
}

static void what_is_away_is_not_restarted(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_accepted(guest);
	struct hvh_device_info info;

	assert_true(hvh_device_rescind(guest->host, guest->now, "kbd0"));
	hvh_keyboard_restart(keyboard, guest->now);
	assert_true(hvh_device_get(guest->host, 0, &info));
	assert_false(info.present);
}

/* --- The state tree ------------------------------------------------------------------------------ */

static void the_tree_shows_it(void **state)
{
	struct guest *guest = *state;
	struct hvh_keyboard *keyboard = keyboard_opened(guest, false);

	key(guest, keyboard, "a");
	dump_says(guest, "kbd0:");
	dump_says(guest, "accepted: no");
	dump_says(guest, "strokes-waiting: 2");
	ask(guest);
	send_message(guest, golden_keyboard_leds_caps, sizeof(golden_keyboard_leds_caps), false, 3);
	dump_says(guest, "accepted: yes");
	dump_says(guest, "strokes-waiting: 0");
	dump_says(guest, "strokes-sent: 2");
	dump_says(guest, "caps-lock: yes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_offered_as_windows_has_it),
		TEST(version_1_0_is_accepted_and_others_are_not),
		TEST(it_may_refuse),
		TEST(it_may_be_silent),
		TEST(strokes_go_out_as_they_are),
		TEST(strokes_wait_until_the_protocol_is_accepted),
		TEST(a_full_ring_keeps_them_waiting_in_order),
		TEST(keys_have_names),
		TEST(characters_are_keys_and_modifiers_are_held),
		TEST(what_is_no_key_sends_nothing),
		TEST(a_key_without_room_sends_nothing),
		TEST(every_character_of_the_layout_has_its_key),
		TEST(other_text_goes_as_units_of_utf_16),
		TEST(text_ends_before_bytes_that_are_no_utf_8),
		TEST(text_longer_than_the_queue_is_taken_in_part),
		TEST(leds_are_the_guests),
		TEST(leds_reserved_bytes_are_zero),
		TEST(leds_before_the_protocol_end_it),
		TEST(a_second_request_ends_it),
		TEST(a_message_of_the_hosts_ends_it),
		TEST(an_empty_packet_ends_it),
		TEST(bytes_behind_a_message_are_zero),
		TEST(only_packets_in_band_are_read),
		TEST(a_new_opening_begins_anew_and_strokes_go_on),
		TEST(a_restart_is_a_rescind_and_an_offer),
		TEST(what_is_away_is_not_restarted),
		TEST(the_tree_shows_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
