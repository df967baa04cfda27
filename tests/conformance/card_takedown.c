/* SPDX-License-Identifier: MIT */
/*
 * The order in which a card of several queues is taken down: filter, revocations, sub-channels, then the
 * buffers' GPADLs before the close below VMBus 4.0, and after it from there on and in boot mode. And that
 * all of its memory comes back, also where the host says that it has let go only after the close.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/wire/nvs.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit_host/quirk.h"
#include "tests/support/flow_card.h"

#define STEPS_MAX 40u

/* R and S: receive and send buffer revoked; c: a sub-channel closed; T: a buffer's GPADL torn down; C: the
 * card's channel closed. */
struct steps {
	char seen[STEPS_MAX];
	uint32_t count, primary;
	bool going; /* from the detach on */
};

static void add(struct steps *steps, char step)
{
	if (steps->going && steps->count + 1 < STEPS_MAX)
		steps->seen[steps->count++] = step;
}

static void note_message(struct steps *steps, const struct hvh_trace_record *record)
{
	struct vmbus_channel_message message;

	if (record->byte_count < sizeof(message))
		return;
	memcpy(&message, record->bytes, sizeof(message));
	if (message.header.type == VMBUS_MSG_OPEN_CHANNEL && steps->primary == 0)
		steps->primary = message.channel_id;
	if (message.header.type == VMBUS_MSG_CLOSE_CHANNEL)
		add(steps, message.channel_id == steps->primary ? 'C' : 'c');
	if (message.header.type == VMBUS_MSG_GPADL_TEARDOWN && message.channel_id == steps->primary)
		add(steps, 'T');
}

static void note_packet(struct steps *steps, const struct hvh_trace_record *record)
{
	const uint8_t *bytes = record->bytes;
	struct vmbus_packet_descriptor packet;
	uint32_t type;

	memcpy(&packet, bytes, sizeof(packet));
	if (packet.type != VMBUS_PACKET_IN_BAND ||
	    record->byte_count < packet.header_length8 * 8u + sizeof(type))
		return;
	memcpy(&type, bytes + packet.header_length8 * 8u, sizeof(type));
	if (type == NVS_TYPE_REVOKE_RECEIVE_BUFFER || type == NVS_TYPE_REVOKE_SEND_BUFFER)
		add(steps, type == NVS_TYPE_REVOKE_RECEIVE_BUFFER ? 'R' : 'S');
}

static void tap(void *context, const struct hvh_trace_record *record)
{
	if (record->to_guest)
		return;
	if (record->kind == HVH_TRACE_MESSAGE)
		note_message(context, record);
	else if (record->kind == HVH_TRACE_PACKET)
		note_packet(context, record);
}

static void down(void *context, struct card *card)
{
	struct steps *steps = context;

	card_traffic(card, 60);
	steps->going = true;
	card_down(card);
	steps->going = false;
	if (!card->nic)
		(void)card_up(card); /* and it can be had again */
	card_traffic(card, 40);
}

/* The ring's GPADL goes with the close: one T more. */
static void expect(const struct hvh_profile *profile, uint32_t newest, bool boot, const char *wanted)
{
	struct steps steps = {.count = 0};
	struct card_plan plan = {
		.config = {.ring_pages = 4, .queues = 3, .rx_borrow = 8},
		.host = {.mac = {0x00, 0x15, 0x5d, 1, 2, 3}, .link_up = true},
		.seed = newest,
		.script = down,
		.context = &steps,
	};
	struct rig_config machine = {
		.mode = HOSTED_DETERMINISTIC,
		.custom = profile,
		.seed = newest,
		.cpus = 2,
		.accept_newest = newest,
		.oldest = VMBUS_VERSION_0_13,
		.vmbus_mode = boot ? HVK_VMBUS_MODE_BOOT : HVK_VMBUS_MODE_SYSTEM,
		.tap = tap,
		.context = &steps,
	};
	struct rig_result result;
	const char *wrong = card_run(&plan, &machine, &result, NULL, NULL);

	if (wrong || strcmp(steps.seen, wanted) != 0)
		print_error("%s at %u.%u%s: %s; %s, not %s\n", profile->name, newest >> 16, newest & 0xffff,
			    boot ? ", boot mode" : "", wrong ? wrong : "-", steps.seen, wanted);
	assert_null(wrong);
	assert_string_equal(steps.seen, wanted);
	if (newest >= VMBUS_VERSION_3_0) /* before, there is no UNLOAD: the bus' own pages stay */
		assert_int_equal(result.quarantined_pages, 0);
}

static void before_and_after_the_close(void **state)
{
	const struct hvh_profile *new = hvh_profile_find("ws2022"), *old = hvh_profile_find("ws2012r2");

	(void)state;
	expect(old, VMBUS_VERSION_2_4, false, "RSccTTCT");
	expect(old, VMBUS_VERSION_3_0, false, "RSccTTCT");
	expect(new, VMBUS_VERSION_3_0, false, "RSccTTCT");
	expect(new, VMBUS_VERSION_4_0, false, "RSccCTTT");
	expect(new, VMBUS_VERSION_4_1, false, "RSccCTTT");
	expect(new, VMBUS_VERSION_5_3, false, "RSccCTTT");
}

static void boot_mode_closes_first(void **state)
{
	(void)state;
	/* On 0.13 there are no sub-channels. */
	expect(hvh_profile_find("ws2012r2"), VMBUS_VERSION_3_0, true, "RSCTTT");
	expect(hvh_profile_find("ws2022"), VMBUS_VERSION_5_3, true, "RSCTTT");
}

/* OpenVMM answers no revocation: the second is not sent. */
static void a_host_that_answers_no_revocation(void **state)
{
	(void)state;
	expect(hvh_profile_find("openvmm"), VMBUS_VERSION_5_3, false, "RccCTTT");
}

static void torndown_withheld_until_the_close(void **state)
{
	static const char *const settings[] = {"never", "now-and-then", "always"};
	struct hvh_profile profile = *hvh_profile_find("ws2012r2");
	char error[160];

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(hvh_quirk_set(&profile, "torndown-withheld", settings[i], error, sizeof(error)));
		expect(&profile, VMBUS_VERSION_3_0, false, "RSccTTCT");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_and_after_the_close),
		cmocka_unit_test(boot_mode_closes_first),
		cmocka_unit_test(a_host_that_answers_no_revocation),
		cmocka_unit_test(torndown_withheld_until_the_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
