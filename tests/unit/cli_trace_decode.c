/* SPDX-License-Identifier: MIT */
/* The words of single records, bytes typed by hand, and the arguments of hvkit trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/hvkit/trace/trace.h"
#include "hvkit_host/trace.h"

#define BYTES_MAX 512u

struct test {
	struct trace_decoder decoder;
	struct trace_decoded decoded;
	uint8_t bytes[BYTES_MAX];
	struct trace_record record;
};

static int set_up(void **state)
{
	struct test *test = calloc(1, sizeof(*test));

	*state = test;
	return test == NULL;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

/* Hexadecimal, spaces between; a '|' begins what is pointed to. */
static void take(struct test *test, uint8_t kind, bool to_guest, uint32_t channel, const char *hex)
{
	uint32_t count = 0, bytes = UINT32_MAX;

	for (; *hex != '\0'; hex++) {
		char pair[3] = {hex[0], hex[1], 0};

		if (*hex == '|')
			bytes = count;
		if (*hex == ' ' || *hex == '|')
			continue;
		assert_true(count < BYTES_MAX);
		test->bytes[count++] = (uint8_t)strtoul(pair, NULL, 16);
		hex++;
	}
	if (bytes == UINT32_MAX)
		bytes = count;
	test->record = (struct trace_record){.kind = kind,
					     .to_guest = to_guest,
					     .vp = 0,
					     .channel = channel,
					     .bytes = test->bytes,
					     .byte_count = bytes,
					     .external_count = count - bytes};
	trace_decode(&test->decoder, &test->record, &test->decoded);
}

static void says(struct test *test, const char *words)
{
	assert_string_equal(test->decoded.words, words);
}

#define OFFER_HEAD                                                                                    \
	"01000000 00000000 635161f8 3edf c546 913f f2d2f965ed0e 00112233 4455 6677 8899 aabbccddeeff" \
	"00000000 00000000 00000000 00000000 0000 0000"
#define ZEROS_60                                                                                    \
	"00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000" \
	"00000000 00000000 00000000 00000000 00000000"

static void offer(struct test *test)
{
	take(test, HVH_TRACE_MESSAGE, true, 0,
	     OFFER_HEAD ZEROS_60 ZEROS_60 "0200 0000 05000000 00 00 0100 01200000");
}

static void messages(void **state)
{
	struct test *test = *state;
	char device[TRACE_CHANNEL_TEXT];

	take(test, HVH_TRACE_MESSAGE, false, 0,
	     "0e000000 00000000 0d000000 00000000 0030000000000000 0000000000000000 0000000000000000");
	says(test, "initiate-contact version=0.13 target_vp=0 interrupt_page=0x3000");
	take(test, HVH_TRACE_MESSAGE, true, 0, "0f000000 00000000 01 00 0000 0d000000");
	says(test, "version-response supported=yes version=0.13");
	take(test, HVH_TRACE_MESSAGE, false, 0,
	     "0e000000 00000000 03000500 01000000 0201000000000000 0000000000000000 0000000000000000");
	says(test, "initiate-contact version=5.3 target_vp=1 sint=2 vtl=1");
	take(test, HVH_TRACE_MESSAGE, true, 0, "0f000000 00000000 01 02 0000 04000000");
	says(test, "version-response supported=yes connection_state=2 connection=4");
	offer(test);
	says(test, "offer-channel channel=5 instance=33221100-5544-7766-8899-aabbccddeeff subchannel=2 "
		   "connection=0x2001 device=netvsc");
	trace_channel_text(&test->decoder, 5, device);
	assert_string_equal(device, "netvsc.2");
	take(test, HVH_TRACE_MESSAGE, true, 0, "63000000 00000000");
	says(test, "message-99 length=8");
}

/* Whose GPADL, whose connection: known from what was said before. */
static void channels(void **state)
{
	struct test *test = *state;

	offer(test);
	take(test, HVH_TRACE_SIGNAL, false, 0, "01200000 00000000");
	says(test, "signal connection=0x2001 flag=0");
	assert_int_equal(test->decoded.channel, 5);
	take(test, HVH_TRACE_HYPERCALL, false, 0,
	     "5d00010000000000 0120000000000000 0000000000000000 1200000000000000");
	says(test, "hypercall signal-event connection=0x2001 flag=0 result=invalid-connection-id");
	assert_int_equal(test->decoded.channel, 5);
	take(test, HVH_TRACE_MESSAGE, false, 0,
	     "08000000 00000000 05000000 07000000 1000 0100 00100000 00000000 3412000000000000");
	says(test, "gpadl-header channel=5 gpadl=0x7 bytes=4096 pages=1");
	take(test, HVH_TRACE_MESSAGE, true, 0, "0c000000 00000000 07000000");
	says(test, "gpadl-torndown gpadl=0x7");
	assert_int_equal(test->decoded.channel, 5);
	take(test, HVH_TRACE_MESSAGE, true, 0, "0c000000 00000000 08000000");
	assert_int_equal(test->decoded.channel, 0);
}

static void packets(void **state)
{
	struct test *test = *state;

	take(test, HVH_TRACE_PACKET, true, 5, "0600 0200 0300 0000 0900000000000000 0100000002000000");
	says(test, "in-band id=0x9 payload=8"); /* of a device that nobody has offered */
	offer(test);
	take(test, HVH_TRACE_PACKET, false, 5,
	     "0600 0200 0400 0100 0900000000000000 6b000000 01000000 ffffffff 00000000"
	     "|04000000 1c000000 02000000 0e010100 00000000 14000000 00000000");
	says(test, "in-band id=0x9 wants-completion | nvs rndis channel_type=control | rndis query request=2 "
		   "oid=OID_GEN_CURRENT_PACKET_FILTER");
	take(test, HVH_TRACE_PACKET, true, 5,
	     "0700 0400 0600 0100 0000000000000080 feca 00 00 01000000 1c000000 00100000"
	     "6b000000 01000000 ffffffff 00000000"
	     "|04000080 ff000000 02000000 00000000 04000000 10000000 09000000");
	says(test, "transfer-pages id=0x8000000000000000 wants-completion ranges=1 | nvs rndis "
		   "channel_type=control | rndis query-complete request=2 status=success "
		   "oid=OID_GEN_CURRENT_PACKET_FILTER information=directed+broadcast");
	take(test, HVH_TRACE_PACKET, false, 5, "0b00 0200 ff00 0000 0900000000000000");
	says(test, "completion id=0x9 (lengths disagree: header 16, packet 2040, there 16)");
}

/* Words never hold what a terminal obeys. */
static void text(void **state)
{
	struct test *test = *state;

	take(test, HVH_TRACE_NOTE, false, 0, "68 69 1b 5b 32 4a 0a c3 a4 5c");
	says(test, "note: hi\\x1b[2J\\x0a\\xc3\\xa4\\x5c");
	take(test, HVH_TRACE_VIOLATION, false, 0, "");
	says(test, "violation: ");
	take(test, 200, false, 0, "0102");
	says(test, "kind-200 length=2");
}

/* --- Arguments ------------------------------------------------------------------------------ */

static bool parse(const char *line, struct trace_options *options, char *error)
{
	static char words[512];
	char *arguments[16] = {"trace"}, *rest;
	int count = 1;

	snprintf(words, sizeof(words), "%s", line);
	for (char *word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
		arguments[count++] = word;
	error[0] = '\0';
	return trace_options_parse(count, arguments, options, error);
}

static void arguments(void **state)
{
	static const struct {
		const char *line, *error;
	} wrong[] = {
		{"", "which file?"},
		{"--channel", "--channel needs a value"},
		{"--channel x f", "say numbers from 0 to 2047"},
		{"--channel 1,,2 f", "say numbers"},
		{"--channel 1, f", "say numbers"},
		{"--channel 2048 f", "say numbers"},
		{"--kind packet,pocket f", "say one or more of msr-write,msr-read,hypercall,message,signal"},
		{"--kind , f", "say one or more"},
		{"--from 1.5x f", "say seconds"},
		{"--from . f", "say seconds"},
		{"--from 2 --to 1 f", "--from is later than --to"},
		{"--colour f", "no option '--colour'"},
		{"a b", "one file at a time: 'a' and 'b'"},
		{"--html o --check f", "neither --check nor --bytes"},
	};
	struct trace_options options;
	char error[TRACE_ERROR_MAX];

	(void)state;
	for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
		if (parse(wrong[n].line, &options, error))
			fail_msg("taken: %s", wrong[n].line);
		if (strstr(error, wrong[n].error) == NULL)
			fail_msg("%s: \"%s\" does not say \"%s\"", wrong[n].line, error, wrong[n].error);
	}
	assert_true(parse("--channel 0,3 --kind note,packet --from 1.25 --to 2.0000001 f", &options, error));
	assert_string_equal(options.file, "f");
	assert_int_equal(options.channel_count, 2);
	assert_int_equal(options.kinds, 1u << HVH_TRACE_NOTE | 1u << HVH_TRACE_PACKET);
	assert_true(options.from == 12500000 && options.to == 20000001);
}

static void filters(void **state)
{
	struct trace_options options;
	char error[TRACE_ERROR_MAX];
	struct trace_record record = {.kind = HVH_TRACE_PACKET, .time = 12500000};

	(void)state;
	assert_true(parse("--channel 0,3 --kind packet --from 1.25 --to 1.25 -", &options, error));
	assert_true(trace_wanted(&options, &record, 3));
	assert_true(trace_wanted(&options, &record, 0));
	assert_false(trace_wanted(&options, &record, 1));
	record.time++;
	assert_false(trace_wanted(&options, &record, 3));
	record.time -= 2;
	assert_false(trace_wanted(&options, &record, 3));
	record.time++;
	record.kind = HVH_TRACE_NOTE;
	assert_false(trace_wanted(&options, &record, 3));
	record.kind = 200;
	assert_false(trace_wanted(&options, &record, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(messages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(channels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(packets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(text, set_up, tear_down),
		cmocka_unit_test(arguments),
		cmocka_unit_test(filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
