/* SPDX-License-Identifier: MIT */
/* The mouse: bring-up, descriptors, reports; and descriptors that cannot be. */
#include "tests/unit/guest_device_host.h"

#include "guest/input/input.h"
#include "tests/golden/input.h"

static struct {
	struct hvk_mouse *mouse;
	struct hvk_request attach, detach;
	struct hvk_mouse_event event;
	uint32_t moves, reports, report_length, gone;
} user;

static void on_report(void *context, struct hvk_mouse *mouse, const uint8_t *report, uint32_t length)
{
	(void)context;
	assert_ptr_equal(mouse, user.mouse);
	assert_non_null(report);
	user.reports++;
	user.report_length = length;
}

static void on_move(void *context, struct hvk_mouse *mouse, const struct hvk_mouse_event *event)
{
	(void)context;
	(void)mouse;
	user.moves++;
	user.event = *event;
}

static void on_gone(void *context, struct hvk_mouse *mouse)
{
	(void)context;
	(void)mouse;
	user.gone++;
}

static void begin(void)
{
	const struct hvk_mouse_config config = {
		.report = on_report, .move = on_move, .gone = on_gone, .context = &user};

	memset(&user, 0, sizeof(user));
	fake_begin((struct vmbus_guid)VMBUS_GUID_MOUSE);
	assert_int_equal(hvk_mouse_create(&bench.channel, &config, &user.mouse), HVK_OK);
	hvk_mouse_attach(user.mouse, &user.attach);
	fake_run();
}

static void end(void)
{
	hvk_mouse_detach(user.mouse, &user.detach);
	fake_run();
	assert_int_equal(user.detach.status, HVK_OK);
	assert_int_equal(hvk_mouse_destroy(user.mouse), HVK_OK);
	fake_end();
}

/* A pipe's packet of that message. */
static void say(uint32_t type, const void *body, uint32_t length)
{
	uint8_t bytes[8192] = {0};
	const struct pipe_header pipe = {PIPE_MESSAGE_DATA, length + 8};
	const struct mouse_header header = {type, length};

	memcpy(bytes, &pipe, sizeof(pipe));
	memcpy(bytes + 8, &header, sizeof(header));
	memcpy(bytes + 16, body, length);
	fake_packet(bytes, (16 + length + 7) & ~7u);
}

static void describe(const uint8_t *descriptor, uint32_t length, uint32_t claimed)
{
	uint8_t body[6000] = {32, 0, 0, 0, 0x5e, 0x04, 0x21, 0x06, 0x01, 0x02}; /* 045e:0621, 2.1 */
	const uint8_t hid[9] = {9, 0x21, 1, 1, 0, 1, 0x22, (uint8_t)claimed, (uint8_t)(claimed >> 8)};

	memcpy(body + 32, hid, sizeof(hid));
	memcpy(body + 41, descriptor, length);
	say(MOUSE_DEVICE_INFO, body, 41 + length);
}

static void begin_attached(void)
{
	begin();
	fake_packet(golden_mouse_approved, sizeof(golden_mouse_approved));
	describe(golden_mouse_descriptor, sizeof(golden_mouse_descriptor), sizeof(golden_mouse_descriptor));
	assert_int_equal(user.attach.status, HVK_OK);
}

static void attaches(void **state)
{
	struct hvk_mouse_info info;

	(void)state;
	begin();
	assert_int_equal(fake_last()->length, sizeof(golden_mouse_request));
	assert_memory_equal(fake_last()->bytes, golden_mouse_request, sizeof(golden_mouse_request));
	fake_packet(golden_mouse_approved, sizeof(golden_mouse_approved));
	assert_int_equal(user.attach.status, HVK_EINPROGRESS);
	describe(golden_mouse_descriptor, sizeof(golden_mouse_descriptor), sizeof(golden_mouse_descriptor));
	assert_int_equal(user.attach.status, HVK_OK);
	assert_int_equal(bench.sent_count, 2);
	assert_int_equal(fake_last()->length, sizeof(golden_mouse_ack));
	assert_memory_equal(fake_last()->bytes, golden_mouse_ack, sizeof(golden_mouse_ack));
	hvk_mouse_get_info(user.mouse, &info);
	assert_true(info.vendor == 0x045e && info.product == 0x0621 && info.version == 0x0201);
	assert_int_equal(info.descriptor_length, sizeof(golden_mouse_descriptor));
	assert_memory_equal(info.descriptor, golden_mouse_descriptor, sizeof(golden_mouse_descriptor));
	assert_true(info.understood);
	end();
}

static void reports(void **state)
{
	static const uint8_t report[] = {0x05, 0xff, 0x7f, 0x01, 0x00, 0xfe, 0x00};
	static const uint8_t beyond[] = {0x02, 0xff, 0xff, 0x00, 0x80, 0x01, 0x00};

	(void)state;
	begin_attached();
	say(MOUSE_INPUT_REPORT, report, sizeof(report));
	assert_true(user.reports == 1 && user.report_length == 7 && user.moves == 1);
	assert_true(user.event.x == 32767 && user.event.y == 1 && user.event.buttons == 5);
	assert_int_equal(user.event.wheel, -2);
	say(MOUSE_INPUT_REPORT, beyond, sizeof(beyond));
	assert_true(user.event.x == 32767 && user.event.y == 32767); /* on the screen, at its end */
	assert_true(user.event.buttons == 2 && user.event.wheel == 1);
	say(MOUSE_INPUT_REPORT, report, 6); /* cut short: raw only */
	assert_true(user.reports == 3 && user.moves == 2);
	assert_int_equal(bench.hvk.faults, 0);
	say(MOUSE_INPUT_REPORT, report, 0);
	assert_int_equal(bench.hvk.faults, 1);
	describe(golden_mouse_descriptor, sizeof(golden_mouse_descriptor), sizeof(golden_mouse_descriptor));
	assert_int_equal(bench.hvk.last_fault, HVK_EHOST_DUPLICATE);
	fake_rescind();
	assert_int_equal(user.gone, 1);
	end();
}

static void refusals(void **state)
{
	uint8_t refused[sizeof(golden_mouse_approved)];

	(void)state;
	memcpy(refused, golden_mouse_approved, sizeof(refused));
	refused[20] = 0;
	begin();
	fake_packet(refused, sizeof(refused));
	assert_int_equal(user.attach.status, HVK_EREFUSED_INPUT);
	end();
	begin();
	fake_packet(golden_mouse_approved, sizeof(golden_mouse_approved));
	fake_advance(5000);
	assert_int_equal(user.attach.status, HVK_ETIMEDOUT_INPUT); /* no description */
	end();
	begin();
	fake_packet(golden_mouse_approved, sizeof(golden_mouse_approved));
	describe(golden_mouse_descriptor, 20, sizeof(golden_mouse_descriptor)); /* more than there is */
	assert_int_equal(user.attach.status, HVK_EHOST_INPUT);
	end();
	begin();
	fake_packet(golden_mouse_approved, sizeof(golden_mouse_approved));
	{
		static uint8_t large[HVK_MOUSE_DESCRIPTOR_MAX + 1];

		describe(large, sizeof(large), sizeof(large));
	}
	assert_int_equal(user.attach.status, HVK_EHOST_INPUT);
	end();
}

/* A mouse that we do not understand is handed up raw. */
static void not_understood(void **state)
{
	static const uint8_t descriptor[] = {0x05, 0x0c, 0x09, 0x01, 0xa1, 0x01, 0xc0};
	static const uint8_t report[] = {1, 2, 3};
	struct hvk_mouse_info info;

	(void)state;
	begin();
	fake_packet(golden_mouse_approved, sizeof(golden_mouse_approved));
	describe(descriptor, sizeof(descriptor), sizeof(descriptor));
	assert_int_equal(user.attach.status, HVK_OK);
	hvk_mouse_get_info(user.mouse, &info);
	assert_false(info.understood);
	say(MOUSE_INPUT_REPORT, report, sizeof(report));
	assert_true(user.reports == 1 && user.moves == 0);
	end();
}

static void descriptors(void **state)
{
	/* Report 1: a byte of no use; 2: X and Y of 12 bits, from -100 to 100, after PUSH and POP. */
	static const uint8_t two[] = {0x85, 0x01, 0x75, 0x08, 0x95, 0x01, 0x81, 0x02, 0x85, 0x02, 0x05,
				      0x01, 0xa4, 0x75, 0x20, 0xb4, 0x15, 0x9c, 0x25, 0x64, 0x75, 0x0c,
				      0x95, 0x02, 0x19, 0x30, 0x29, 0x31, 0x81, 0x02, 0xc0};
	static const uint8_t at[] = {2, 0x64, 0xc0, 0xf9}; /* 100, -100 */
	static const uint8_t relative[] = {0x05, 0x01, 0x75, 0x08, 0x95, 0x02, 0x15, 0x81,
					   0x25, 0x7f, 0x09, 0x30, 0x09, 0x31, 0x81, 0x06};
	static const uint8_t huge[] = {0x05, 0x01, 0x09, 0x30, 0x77, 0xff, 0xff, 0xff,
				       0xff, 0x97, 0xff, 0xff, 0xff, 0xff, 0x81, 0x02};
	static const uint8_t pushes[] = {0xa4, 0xa4, 0xa4, 0xa4, 0xa4}, pop[] = {0xb4};
	struct mouse_layout layout;
	struct hvk_mouse_event event;
	uint8_t copy[sizeof(golden_mouse_descriptor)];

	(void)state;
	assert_true(hvk_mouse_parse_descriptor(two, sizeof(two), &layout));
	assert_int_equal(layout.id, 2);
	assert_int_equal(layout.bits, 32);
	assert_true(hvk_mouse_parse_report(&layout, at, sizeof(at), &event));
	assert_true(event.x == 32767 && event.y == 0);
	assert_false(hvk_mouse_parse_report(&layout, two, 4, &event)); /* another report */
	assert_false(hvk_mouse_parse_descriptor(relative, sizeof(relative), &layout));
	assert_false(hvk_mouse_parse_descriptor(huge, sizeof(huge), &layout));
	assert_false(hvk_mouse_parse_descriptor(pushes, sizeof(pushes), &layout));
	assert_false(hvk_mouse_parse_descriptor(pop, sizeof(pop), &layout));
	for (uint32_t i = 0; i < sizeof(golden_mouse_descriptor); i++) { /* every cut, every byte another */
		uint8_t *cut = malloc(i + 1);

		memcpy(cut, golden_mouse_descriptor, i);
		(void)hvk_mouse_parse_descriptor(cut, i, &layout);
		free(cut);
		for (uint32_t byte = 0; byte < 256; byte++) {
			memcpy(copy, golden_mouse_descriptor, sizeof(copy));
			copy[i] = (uint8_t)byte;
			if (hvk_mouse_parse_descriptor(copy, sizeof(copy), &layout))
				assert_true(layout.bits <= HVK_MOUSE_REPORT_MAX * 8);
		}
	}
}

static void bad_packets(void **state)
{
	static const uint8_t longer[] = {1, 0, 0, 0, 9, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0};

	(void)state;
	begin_attached();
	fake_packet(longer, sizeof(longer)); /* a message of more than the pipe's */
	fake_packet(longer, 12);
	assert_int_equal(bench.hvk.faults, 2);
	assert_int_equal(user.reports, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attaches),    cmocka_unit_test(reports),
		cmocka_unit_test(refusals),    cmocka_unit_test(not_understood),
		cmocka_unit_test(descriptors), cmocka_unit_test(bad_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
