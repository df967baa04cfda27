/* SPDX-License-Identifier: MIT */
/* What is learnt of a dialogue with the host, and the lines that tell it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/image/dialogue.h"

static struct dialogue dialogue;
static char lines[8192];
static size_t length;

static void take_line(void *context, const char *text, size_t size)
{
	assert_ptr_equal(context, lines);
	assert_true(length + size < sizeof(lines));
	assert_int_equal(text[size - 1], '\n');
	memcpy(lines + length, text, size);
	length += size;
	lines[length] = '\0';
}

static int begin(void **state)
{
	(void)state;
	length = 0;
	lines[0] = '\0';
	dialogue_begin(&dialogue, take_line, lines);
	return 0;
}

static void post(uint64_t now, const char *payload, uint32_t size)
{
	uint8_t input[256] = {1}; /* connection 1 */

	input[8] = 1;
	memcpy(input + 12, &size, 4);
	memcpy(input + 16, payload, size < 240 ? size : 240);
	dialogue_post(&dialogue, now, input, sizeof(input));
}

static void message(uint64_t now, uint32_t type, const char *payload, uint8_t size)
{
	uint8_t slot[256];

	memset(slot, 0xee, sizeof(slot));
	memcpy(slot, &type, 4);
	slot[4] = size;
	memcpy(slot + 16, payload, size < 240 ? size : 240);
	dialogue_message(&dialogue, now, slot, sizeof(slot));
}

static void lines_have_time_and_bytes(void **state)
{
	(void)state;
	dialogue_register(&dialogue, 1000000005, 0x40000083, 0x2c001);
	dialogue_register(&dialogue, 1, 0x40000084, 0);  /* EOM */
	dialogue_register(&dialogue, 1, 0x400000b7, 99); /* the last timer */
	dialogue_register(&dialogue, 2, 0x40000000, 0);
	post(1500000000, "\x10\0\0\0\0\0\0\0", 8);
	dialogue_status(&dialogue, 1500000001, 0x12);
	dialogue_status(&dialogue, 1500000001, 0);
	message(1600000000, 1, "\x11\0\0\0\0\0\0\xab", 8);
	message(1600000000, 0, "\x11\0\0\0\0\0\0\0", 8);          /* an empty slot */
	message(1600000000, 0x80000010, "\x11\0\0\0\0\0\0\0", 8); /* a timer's */
	assert_string_equal(lines, "trace 1.000000005 write 0x40000083 0x2c001\n"
				   "trace 0.000000002 write 0x40000000 0x0\n"
				   "trace 1.500000000 post 0x1 1000000000000000\n"
				   "trace 1.500000001 status 0x12\n"
				   "trace 1.600000000 message 0x1 11000000000000ab\n");
	assert_int_equal(dialogue.facts.posts, 1);
	assert_int_equal(dialogue.facts.posts_refused, 1);
	assert_int_equal(dialogue.facts.messages, 1);
}

static void a_whole_message_fits(void **state)
{
	char payload[240];

	(void)state;
	memset(payload, 'z', sizeof(payload));
	message(123456789012345678, 1, payload, 255); /* says more than there is room for */
	assert_int_equal(length, strlen("trace 123456789.012345678 message 0x1 \n") + 480);
	begin(NULL);
	post(123456789012345678, payload, UINT32_MAX);
	assert_int_equal(length, strlen("trace 123456789.012345678 post 0x1 \n") + 480);
}

static void unload_is_timed(void **state)
{
	(void)state;
	message(5, 1, "\x11\0\0\0\0\0\0\0", 8); /* an answer to nothing */
	assert_false(dialogue.facts.unload_answered);
	post(1000, "\x10\0\0\0\0\0\0\0", 8);
	assert_false(dialogue.facts.unload_answered);
	message(4000, 1, "\x11\0\0\0\0\0\0\0", 8);
	assert_true(dialogue.facts.unload_answered);
	assert_int_equal(dialogue.facts.unload_ns, 3000);
	post(5000, "\x10\0\0\0\0\0\0\0", 8); /* boot mode's second: the last one counts */
	assert_false(dialogue.facts.unload_answered);
	message(5500, 1, "\x11\0\0\0\0\0\0\0", 8);
	message(9500, 1, "\x11\0\0\0\0\0\0\0", 8);
	assert_int_equal(dialogue.facts.unload_ns, 500);
}

static void teardowns_are_matched(void **state)
{
	(void)state;
	post(100, "\x0b\0\0\0\0\0\0\0\x01\0\0\0\x07\0\0\0", 16); /* channel 1, GPADL 7 */
	post(200, "\x0b\0\0\0\0\0\0\0\x01\0\0\0\x08\0\0\0", 16);
	message(900, 1, "\x0c\0\0\0\0\0\0\0\x08\0\0\0", 12);
	message(950, 1, "\x0c\0\0\0\0\0\0\0\x09\0\0\0", 12); /* of none that was asked for */
	assert_int_equal(dialogue.facts.torn, 2);
	assert_int_equal(dialogue.facts.torndown, 2);
	assert_int_equal(dialogue.facts.torndown_ns, 700);
	message(990, 1, "\x0c\0\0\0\0\0\0\0\x07\0\0\0", 12);
	assert_int_equal(dialogue.facts.torndown_ns, 890);
	begin(NULL);
	for (int i = 0; i < 100; i++)
		post(1, "\x0b\0\0\0\0\0\0\0\x01\0\0\0\x07\0\0\0", 16);
	assert_int_equal(dialogue.facts.torn, 100);
}

static void offers_are_measured(void **state)
{
	char offer[196] = {1};

	(void)state;
	message(1, 1, offer, 196);
	message(1, 1, offer, 190);
	message(1, 1, offer, 192);
	message(1, 1, "\x63\0\0\0\0\0\0\0", 8);
	message(1, 1, "\x63", 1); /* too short to have a type */
	assert_int_equal(dialogue.facts.offers, 3);
	assert_int_equal(dialogue.facts.offer_min, 190);
	assert_int_equal(dialogue.facts.offer_max, 196);
	assert_int_equal(dialogue.facts.unknown, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lines_have_time_and_bytes, begin),
		cmocka_unit_test_setup(a_whole_message_fits, begin),
		cmocka_unit_test_setup(unload_is_timed, begin),
		cmocka_unit_test_setup(teardowns_are_matched, begin),
		cmocka_unit_test_setup(offers_are_measured, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
