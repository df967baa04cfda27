/* SPDX-License-Identifier: MIT */
/* The keyboard against a scripted host: bring-up, refusals, silence, strokes, LEDs, leaving. */
#include "tests/unit/guest_device_host.h"

#include "hvkit/input.h"
#include "tests/golden/input.h"

static struct {
	struct hvk_keyboard *keyboard;
	struct hvk_request attach, detach;
	struct hvk_keystroke strokes[32];
	struct hvk_key_event keys[32];
	uint32_t stroke_count, key_count, gone;
} user;

static void on_stroke(void *context, struct hvk_keyboard *keyboard, const struct hvk_keystroke *stroke)
{
	assert_ptr_equal(context, &user);
	assert_ptr_equal(keyboard, user.keyboard);
	assert_int_equal(bench.hvk.locked, 0);
	user.strokes[user.stroke_count++ % 32] = *stroke;
}

static void on_key(void *context, struct hvk_keyboard *keyboard, const struct hvk_key_event *event)
{
	(void)context;
	(void)keyboard;
	assert_int_equal(bench.hvk.locked, 0);
	user.keys[user.key_count++ % 32] = *event;
}

static void on_gone(void *context, struct hvk_keyboard *keyboard)
{
	(void)context;
	(void)keyboard;
	user.gone++;
}

static void begin(void)
{
	const struct hvk_keyboard_config config = {
		.stroke = on_stroke, .key = on_key, .gone = on_gone, .context = &user};

	memset(&user, 0, sizeof(user));
	fake_begin((struct vmbus_guid)VMBUS_GUID_KEYBOARD);
	assert_int_equal(hvk_keyboard_create(&bench.channel, &config, &user.keyboard), HVK_OK);
	hvk_keyboard_attach(user.keyboard, &user.attach);
	fake_run();
}

static void end(void)
{
	hvk_keyboard_detach(user.keyboard, &user.detach);
	fake_run();
	assert_int_equal(user.detach.status, HVK_OK);
	assert_false(bench.channel.open);
	assert_int_equal(hvk_keyboard_destroy(user.keyboard), HVK_OK);
	fake_end();
}

static void begin_attached(void)
{
	begin();
	fake_packet(golden_keyboard_accepted, sizeof(golden_keyboard_accepted));
	assert_int_equal(user.attach.status, HVK_OK);
}

static void attaches(void **state)
{
	(void)state;
	begin();
	assert_int_equal(user.attach.status, HVK_EINPROGRESS);
	assert_int_equal(bench.sent_count, 1);
	assert_int_equal(bench.sent[0].length, sizeof(golden_keyboard_request));
	assert_memory_equal(bench.sent[0].bytes, golden_keyboard_request, sizeof(golden_keyboard_request));
	fake_packet(golden_keyboard_accepted, sizeof(golden_keyboard_accepted));
	assert_int_equal(user.attach.status, HVK_OK);
	assert_int_equal(hvk_keyboard_destroy(user.keyboard), HVK_ESTATE);
	end();
}

static void refused(void **state)
{
	(void)state;
	begin();
	fake_packet(golden_keyboard_refused, sizeof(golden_keyboard_refused));
	assert_int_equal(user.attach.status, HVK_EREFUSED_INPUT);
	assert_false(bench.channel.open);
	end();
}

static void silent(void **state)
{
	(void)state;
	begin();
	fake_advance(4999);
	assert_int_equal(user.attach.status, HVK_EINPROGRESS);
	fake_advance(1);
	assert_int_equal(user.attach.status, HVK_ETIMEDOUT_INPUT);
	end();
}

static void answer_cut_short(void **state)
{
	(void)state;
	begin();
	fake_packet(golden_keyboard_accepted, 6);
	assert_int_equal(user.attach.status, HVK_EHOST_INPUT);
	end();
}

static void strokes(void **state)
{
	(void)state;
	begin_attached();
	fake_packet(golden_keyboard_a_down, sizeof(golden_keyboard_a_down));
	assert_int_equal(user.stroke_count, 1);
	assert_int_equal(user.strokes[0].code, 0x1e);
	assert_int_equal(user.keys[0].key, 'a');
	assert_false(user.keys[0].released);
	fake_packet(golden_keyboard_delete_up, sizeof(golden_keyboard_delete_up));
	assert_true(user.strokes[1].e0 && user.strokes[1].released && !user.strokes[1].unicode);
	assert_int_equal(user.keys[1].key, HVK_KEY_DELETE);
	assert_true(user.keys[1].released);
	assert_int_equal(bench.hvk.faults, 0);
	end();
}

static void bad_events(void **state)
{
	uint8_t event[12];

	(void)state;
	begin_attached();
	fake_packet(golden_keyboard_a_down, 11);
	assert_int_equal(bench.hvk.faults, 1);
	memcpy(event, golden_keyboard_a_down, sizeof(event));
	event[4] = 0x80; /* more than seven bits */
	fake_packet(event, sizeof(event));
	assert_int_equal(bench.hvk.faults, 2);
	assert_int_equal(bench.hvk.last_fault, HVK_EHOST_INPUT);
	fake_packet(event, 2);
	assert_int_equal(bench.hvk.faults, 3);
	assert_int_equal(user.stroke_count + user.key_count, 0);
	end();
}

static void leds(void **state)
{
	uint8_t caps[12];
	uint32_t before;

	(void)state;
	begin_attached();
	assert_int_equal(bench.sent_count, 2); /* as they are: off */
	memcpy(caps, golden_keyboard_a_down, sizeof(caps));
	caps[4] = 0x3a;
	fake_packet(caps, sizeof(caps));
	assert_int_equal(fake_last()->length, sizeof(golden_keyboard_leds_caps));
	assert_memory_equal(fake_last()->bytes, golden_keyboard_leds_caps, sizeof(golden_keyboard_leds_caps));
	assert_int_equal(hvk_keyboard_locks(user.keyboard), HVK_MODIFIER_CAPS);
	before = bench.sent_count;
	bench.channel.room = 0;
	assert_int_equal(hvk_keyboard_set_locks(user.keyboard, HVK_MODIFIER_NUM | HVK_MODIFIER_SCROLL),
			 HVK_OK);
	fake_run();
	assert_int_equal(bench.sent_count, before);
	fake_make_room();
	assert_int_equal(fake_last()->bytes[4], 3);
	assert_int_equal(hvk_keyboard_set_locks(user.keyboard, HVK_MODIFIER_SHIFT), HVK_EINVAL);
	end();
}

static void gone_and_again(void **state)
{
	(void)state;
	begin_attached();
	fake_rescind();
	assert_int_equal(user.gone, 1);
	assert_int_equal(hvk_keyboard_set_locks(user.keyboard, 0), HVK_OK); /* nobody sees it */
	fake_run();
	end();
	assert_int_equal(user.gone, 1);
}

static void detached_while_attaching(void **state)
{
	(void)state;
	begin();
	hvk_keyboard_detach(user.keyboard, &user.detach);
	fake_run();
	assert_int_equal(user.attach.status, HVK_ECANCELED);
	assert_int_equal(user.detach.status, HVK_OK);
	hvk_keyboard_attach(user.keyboard, &user.attach); /* and once more */
	fake_run();
	fake_packet(golden_keyboard_accepted, sizeof(golden_keyboard_accepted));
	assert_int_equal(user.attach.status, HVK_OK);
	end();
}

static void no_open(void **state)
{
	const struct hvk_keyboard_config config = {.cpu = 9};
	struct hvk_keyboard *other;

	(void)state;
	begin_attached();
	hvk_keyboard_detach(user.keyboard, &user.detach);
	fake_run();
	bench.channel.silent_open = true;
	hvk_keyboard_attach(user.keyboard, &user.attach);
	fake_run();
	assert_int_equal(user.attach.status, HVK_ETIMEDOUT_OPEN);
	assert_int_equal(hvk_keyboard_create(&bench.channel, &config, &other), HVK_EINVAL);
	end();
	bench.channel.offer.type.bytes[0] ^= 1;
	assert_int_equal(hvk_keyboard_create(&bench.channel, &config, &other), HVK_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attaches),
		cmocka_unit_test(refused),
		cmocka_unit_test(silent),
		cmocka_unit_test(answer_cut_short),
		cmocka_unit_test(strokes),
		cmocka_unit_test(bad_events),
		cmocka_unit_test(leds),
		cmocka_unit_test(gone_and_again),
		cmocka_unit_test(detached_while_attaching),
		cmocka_unit_test(no_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
