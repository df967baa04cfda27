/* SPDX-License-Identifier: MIT */
/* GPADLs: assembly over several messages, refusals, teardown and its delays, access. */
#include "host_guest.h"

static int set_up(void **state)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	guest_create(guest, "ws2022");
	*state = guest;
	return 0;
}

static int tear_down(void **state)
{
	guest_destroy(*state);
	free(*state);
	return 0;
}

static void restart(struct guest *guest, const char *profile)
{
	guest_destroy(guest);
	guest_create(guest, profile);
}

static void send_body(struct guest *guest, uint32_t id, uint64_t page, uint32_t pages)
{
	struct vmbus_gpadl_body body = {{VMBUS_MSG_GPADL_BODY, 0}, 0, id};
	uint8_t bytes[HV_MESSAGE_PAYLOAD_MAX];
	memcpy(bytes, &body, sizeof(body));
	for (uint32_t n = 0; n < pages; n++) {
		uint64_t pfn = page + n;
		memcpy(bytes + sizeof(body) + 8 * n, &pfn, 8);
	}
	post(guest, bytes, (uint32_t)sizeof(body) + 8 * pages);
}

static void the_golden_one_is_taken(void **state)
{
	struct guest *guest = *state;
	struct device devices[5];
	guest_start(guest);
	for (uint8_t n = 0; n < 5; n++)
		offer_device(guest, &devices[n], n, false);
	connect_at(guest, VMBUS_VERSION_3_0);
	post(guest, golden_request_offers, 8);
	while (take(guest, 0))
		;
	post(guest, golden_gpadl_header, sizeof(golden_gpadl_header));
	assert_message(guest, 0, golden_gpadl_created);
	struct hvh_gpadl *gpadl = hvh_gpadl_find(devices[4].channel, GPADL);
	assert_int_equal(hvh_gpadl_size(gpadl), 8192);
	assert_null(hvh_gpadl_find(devices[0].channel, GPADL));
	post(guest, golden_gpadl_header, sizeof(golden_gpadl_header)); /* again */
	assert_message(guest, 0, golden_gpadl_created_failed);
	assert_only_violation(guest, HVH_V_GPADL_REUSED);
	post(guest, golden_gpadl_teardown, sizeof(golden_gpadl_teardown));
	assert_message(guest, 0, golden_gpadl_torndown);
	post(guest, golden_gpadl_header, sizeof(golden_gpadl_header)); /* the id is free again */
	assert_message(guest, 0, golden_gpadl_created);
}

static void bodies_are_put_together_in_order(void **state)
{
	struct guest *guest = *state;
	struct device device;
	uint8_t byte;
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	struct vmbus_gpadl_header header = gpadl_message(1, GPADL, 26 + 28 + 3);
	send_gpadl(guest, &header, 100, 26);
	send_body(guest, GPADL, 200, 28);
	assert_silence(guest);
	send_body(guest, GPADL, 300, 28); /* longer than needed, as UEFI sends them */
	assert_true(take(guest, 0));
	assert_int_equal(message_word(guest, 16), 0);
	struct hvh_gpadl *gpadl = hvh_gpadl_find(device.channel, GPADL);
	assert_int_equal(hvh_gpadl_size(gpadl), 57 * 4096);
	guest->memory[ADDRESS(100 + 25) + 4095] = 1;
	guest->memory[ADDRESS(200) + 0] = 2;
	guest->memory[ADDRESS(302) + 4095] = 3;
	assert_true(hvh_gpadl_read(gpadl, 26 * 4096 - 1, &byte, 1));
	assert_int_equal(byte, 1);
	assert_true(hvh_gpadl_read(gpadl, 26 * 4096, &byte, 1));
	assert_int_equal(byte, 2);
	assert_true(hvh_gpadl_read(gpadl, 57 * 4096 - 1, &byte, 1));
	assert_int_equal(byte, 3);
	assert_no_violation(guest);
}

static void access_stays_inside(void **state)
{
	struct guest *guest = *state;
	struct device device;
	uint8_t bytes[4096] = {0};
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	struct vmbus_gpadl_header header = gpadl_message(1, GPADL, 2);
	header.byte_offset = 0x10;
	header.byte_count = 0x1010;
	send_gpadl(guest, &header, 0x40, 2);
	assert_true(take(guest, 0));
	struct hvh_gpadl *gpadl = hvh_gpadl_find(device.channel, GPADL);
	memset(guest->memory + ADDRESS(0x40), 0xee, 2 * 4096);
	assert_true(hvh_gpadl_write(gpadl, 0, bytes, 1));
	assert_true(hvh_gpadl_write(gpadl, 0x100f, bytes, 1));
	assert_int_equal(guest->memory[ADDRESS(0x40) + 0xf], 0xee);
	assert_int_equal(guest->memory[ADDRESS(0x40) + 0x10], 0);
	assert_int_equal(guest->memory[ADDRESS(0x41) + 0x1f], 0);
	assert_int_equal(guest->memory[ADDRESS(0x41) + 0x20], 0xee);
	assert_false(hvh_gpadl_write(gpadl, 0x1010, bytes, 1));
	assert_false(hvh_gpadl_write(gpadl, 0x1000, bytes, 0x11));
	assert_false(hvh_gpadl_read(gpadl, UINT32_MAX, bytes, 2));
	assert_true(hvh_gpadl_read(gpadl, 0xff8, bytes, 16)); /* over the page's end */
	assert_no_violation(guest);
	guest->gone[0x41] = true;
	assert_false(hvh_gpadl_read(gpadl, 0xff8, bytes, 16));
	assert_only_violation(guest, HVH_V_MEMORY);
}

struct bad_header {
	const char *name;
	uint32_t channel, id;
	uint16_t length, ranges;
	uint32_t bytes, offset;
	uint64_t page;
	enum hvh_violation_kind kind;
};

static void what_cannot_be_is_refused(void **state)
{
	struct guest *guest = *state;
	static const struct bad_header cases[] = {
		{"no channel", 2, GPADL, 24, 1, 8192, 0, 0x40, HVH_V_CHANNEL_ID},
		{"id 0", 1, 0, 24, 1, 8192, 0, 0x40, HVH_V_GPADL_ID},
		{"two ranges", 1, GPADL, 24, 2, 8192, 0, 0x40, HVH_V_GPADL_RANGE},
		{"odd length", 1, GPADL, 23, 1, 8192, 0, 0x40, HVH_V_GPADL_RANGE},
		{"no page", 1, GPADL, 8, 1, 8192, 0, 0x40, HVH_V_GPADL_RANGE},
		{"empty", 1, GPADL, 24, 1, 0, 0, 0x40, HVH_V_GPADL_RANGE},
		{"offset", 1, GPADL, 24, 1, 4096, 4096, 0x40, HVH_V_GPADL_RANGE},
		{"too few pages", 1, GPADL, 24, 1, 8193, 0, 0x40, HVH_V_GPADL_RANGE},
		{"too few pages by offset", 1, GPADL, 24, 1, 8192, 1, 0x40, HVH_V_GPADL_RANGE},
		{"4 GiB", 1, GPADL, 24, 1, 0xffffffff, 4095, 0x40, HVH_V_GPADL_RANGE},
		{"not RAM", 1, GPADL, 24, 1, 8192, 0, PAGES - 1, HVH_V_MEMORY},
		{"beyond 64 bits", 1, GPADL, 24, 1, 8192, 0, UINT64_MAX >> 8, HVH_V_MEMORY},
	};
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		const struct bad_header *c = &cases[n];
		struct device device;
		print_message("%s\n", c->name);
		restart(guest, "ws2022");
		offered_at(guest, &device, VMBUS_VERSION_3_0, false);
		struct vmbus_gpadl_header header = {{VMBUS_MSG_GPADL_HEADER, 0},
						    c->channel,
						    c->id,
						    c->length,
						    c->ranges,
						    c->bytes,
						    c->offset};
		send_gpadl(guest, &header, c->page, 2);
		assert_true(take(guest, 0));
		assert_int_equal(message_type(guest), VMBUS_MSG_GPADL_CREATED);
		assert_int_equal(message_word(guest, 12), c->id);
		assert_int_equal(message_word(guest, 16), VMBUS_STATUS_FAILURE);
		assert_only_violation(guest, c->kind);
		assert_null(hvh_gpadl_find(device.channel, c->id));
	}
}

static void bodies_of_a_refused_one_are_swallowed(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	struct vmbus_gpadl_header header = gpadl_message(2, GPADL, 30); /* no such channel */
	send_gpadl(guest, &header, 0x40, 26);
	send_body(guest, GPADL, 0x60, 4);
	assert_only_violation(guest, HVH_V_CHANNEL_ID);
	assert_true(take(guest, 0));
	send_body(guest, GPADL, 0x60, 4); /* one too many */
	assert_int_equal(hvh_violation_get(guest->host, 1)->kind, HVH_V_GPADL_ID);
	assert_silence(guest);
}

static void an_id_under_way_cannot_be_used_elsewhere(void **state)
{
	struct guest *guest = *state;
	struct device device, other;
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	offer_device(guest, &other, 1, false);
	settle(guest);
	assert_true(take(guest, 0));
	struct vmbus_gpadl_header header = gpadl_message(1, GPADL, 30);
	send_gpadl(guest, &header, 0x40, 26);
	header.channel_id = 2;
	send_gpadl(guest, &header, 0x40, 26);
	assert_only_violation(guest, HVH_V_GPADL_REUSED);
	assert_true(take(guest, 0));
	assert_int_equal(message_word(guest, 8), 2);
	send_body(guest, GPADL, 0x60, 4);
	assert_true(take(guest, 0));
	assert_int_equal(message_word(guest, 8), 1);
	assert_int_equal(message_word(guest, 16), 0);
}

/* Not for another channel's rings, and not torn down in its name; an id of its own it may have. */
static void one_belongs_to_its_channel(void **state)
{
	struct guest *guest = *state;
	struct device device, other;
	offered_at(guest, &device, VMBUS_VERSION_5_3, false);
	offer_device(guest, &other, 1, false);
	settle(guest);
	assert_true(take(guest, 0));
	create_gpadl(guest, 1, GPADL, PAGE_RING, RING_PAGES);
	struct vmbus_open_channel open = open_message(2);
	assert_int_equal(send_open(guest, &open), VMBUS_STATUS_FAILURE);
	assert_only_violation(guest, HVH_V_GPADL_ID);
	send_teardown(guest, 2, GPADL);
	assert_silence(guest);
	assert_int_equal(violations(guest), 2);
	assert_int_equal(hvh_violation_get(guest->host, 1)->kind, HVH_V_GPADL_ID);
	create_gpadl(guest, 2, GPADL, PAGE_RING + 16, RING_PAGES);
	assert_int_equal(send_open(guest, &open), 0);
	open.channel_id = 1;
	assert_int_equal(send_open(guest, &open), 0);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 2);
	send_teardown(guest, 2, GPADL);
	assert_true(take(guest, 0)); /* and the other one stays in use */
	assert_int_equal(violations(guest), 2);
	send_teardown(guest, 1, GPADL);
	assert_silence(guest);
	assert_int_equal(hvh_violation_get(guest->host, 2)->kind, HVH_V_GPADL_IN_USE);
}

static void some_hosts_refuse_without_a_word(void **state)
{
	struct guest *guest = *state;
	struct device device;
	struct hvh_profile profile = *hvh_profile_find("ws2022");
	profile.gpadl_errors_answered = false;
	guest_destroy(guest);
	guest_create_with(guest, &profile, 1);
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	struct vmbus_gpadl_header header = gpadl_message(1, GPADL, 2);
	header.range_count = 2;
	send_gpadl(guest, &header, 0x40, 2);
	assert_silence(guest);
}

static void there_is_a_limit(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	for (uint32_t n = 0; n < 1024; n++)
		create_gpadl(guest, 1, 1 + n, 0x40, 1);
	assert_no_violation(guest);
	struct vmbus_gpadl_header header = gpadl_message(1, 5000, 1);
	send_gpadl(guest, &header, 0x40, 1);
	assert_true(take(guest, 0));
	assert_int_equal(message_word(guest, 16), VMBUS_STATUS_FAILURE);
	assert_only_violation(guest, HVH_V_GPADL_RANGE);
}

/* --- Teardown --------------------------------------------------------------------------- */

static void a_teardown_of_nothing_gets_no_answer(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	send_teardown(guest, 1, GPADL);
	send_teardown(guest, 2, GPADL);
	assert_silence(guest);
	assert_int_equal(violations(guest), 2);
	assert_int_equal(hvh_violation_get(guest->host, 0)->kind, HVH_V_GPADL_ID);
	assert_int_equal(hvh_violation_get(guest->host, 1)->kind, HVH_V_CHANNEL_ID);
}

static bool torndown(struct guest *guest)
{
	return take(guest, 0) && message_type(guest) == VMBUS_MSG_GPADL_TORNDOWN;
}

static void rings_of_an_open_channel_are_in_use(void **state)
{
	struct guest *guest = *state;
	struct device device;
	opened_at(guest, &device, VMBUS_VERSION_3_0, false);
	send_teardown(guest, 1, GPADL);
	assert_silence(guest);
	assert_only_violation(guest, HVH_V_GPADL_IN_USE);
	send_teardown(guest, 1, GPADL); /* twice */
	assert_int_equal(hvh_violation_get(guest->host, 1)->kind, HVH_V_GPADL_ID);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	assert_true(torndown(guest));
	assert_silence(guest);
}

static void the_device_may_hold_on(void **state)
{
	struct guest *guest = *state;
	struct device device;
	opened_at(guest, &device, VMBUS_VERSION_3_0, false);
	create_gpadl(guest, 1, GPADL + 1, 0x40, 2);
	create_gpadl(guest, 1, GPADL + 2, 0x42, 2);
	device.hold_gpadls = true;
	send_teardown(guest, 1, GPADL + 1);
	send_teardown(guest, 1, GPADL + 2);
	assert_null(hvh_gpadl_find(device.channel, GPADL + 1));
	pass(guest, HVH_TIME_PER_SECOND);
	assert_silence(guest);
	hvh_channel_teardown_ready(device.channel, GPADL + 1, guest->now);
	settle(guest);
	assert_true(torndown(guest));
	assert_int_equal(message_word(guest, 8), GPADL + 1);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	assert_true(torndown(guest));
	assert_int_equal(message_word(guest, 8), GPADL + 2);
	assert_no_violation(guest);
}

/* It is the network card that withholds its receive buffer (host_netvsp_nvs), not the bus. */
static void ws2012r2_leaves_it_to_the_device(void **state)
{
	struct guest *guest = *state;
	struct device device;
	restart(guest, "ws2012r2");
	opened_at(guest, &device, VMBUS_VERSION_3_0, false);
	create_gpadl(guest, 1, GPADL + 1, 0x40, 2);
	send_teardown(guest, 1, GPADL + 1);
	assert_true(torndown(guest));
	assert_no_violation(guest);
}

static void a_slow_teardown_comes_in_the_end(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	create_gpadl(guest, 1, GPADL, 0x40, 2);
	hvh_fault_set(guest->host, HVH_FAULT_SLOW_TEARDOWN, 65536);
	send_teardown(guest, 1, GPADL);
	assert_silence(guest);
	pass(guest, 51 * MS);
	assert_true(torndown(guest));
	assert_int_equal(hvh_fault_count(guest->host, HVH_FAULT_SLOW_TEARDOWN), 1);
}

static void silence_at_gpadl_and_teardown(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	hvh_silence_set(guest->host, HVH_SILENCE_GPADL);
	struct vmbus_gpadl_header header = gpadl_message(1, GPADL, 2);
	send_gpadl(guest, &header, 0x40, 2);
	assert_silence(guest);
	hvh_silence_set(guest->host, HVH_SILENCE_TEARDOWN);
	send_teardown(guest, 1, GPADL); /* it was taken, only not answered */
	pass(guest, 10 * HVH_TIME_PER_SECOND);
	assert_silence(guest);
	assert_no_violation(guest);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_golden_one_is_taken),
		T(bodies_are_put_together_in_order),
		T(access_stays_inside),
		T(what_cannot_be_is_refused),
		T(bodies_of_a_refused_one_are_swallowed),
		T(an_id_under_way_cannot_be_used_elsewhere),
		T(one_belongs_to_its_channel),
		T(some_hosts_refuse_without_a_word),
		T(there_is_a_limit),
		T(a_teardown_of_nothing_gets_no_answer),
		T(rings_of_an_open_channel_are_in_use),
		T(the_device_may_hold_on),
		T(ws2012r2_leaves_it_to_the_device),
		T(a_slow_teardown_comes_in_the_end),
		T(silence_at_gpadl_and_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
