/* SPDX-License-Identifier: MIT */
/* Devices by name: what there is, and taking one back or offering it again. */
#include "host_guest.h"
#include "hvkit_host/echo.h"
#include "hvkit_host/network.h"

static void transmit(void *context, const void *frame, uint32_t length)
{
	(void)context, (void)frame, (void)length;
}

static int set_up(void **state)
{
	static const struct hvh_backend backend = {.transmit = transmit};
	static const struct hvh_echo_config echo;
	struct hvh_nic_config nic = {.mac = {2, 0, 0, 0, 0, 1}, .link_up = true};
	struct guest *guest = calloc(1, sizeof(*guest));
	guest_create(guest, "ws2022");
	guest_start(guest);
	assert_non_null(hvh_nic_create(guest->host, &nic, &backend));
	assert_non_null(hvh_echo_create(guest->host, &echo));
	assert_non_null(hvh_nic_create(guest->host, &nic, &backend));
	*state = guest;
	return 0;
}

static int tear_down(void **state)
{
	guest_destroy(*state);
	free(*state);
	return 0;
}

static void connect_and_take_offers(struct guest *guest)
{
	connect_at(guest, VMBUS_VERSION_5_3);
	post(guest, golden_request_offers, sizeof(golden_request_offers));
	while (take(guest, 0) && message_type(guest) == VMBUS_MSG_OFFER_CHANNEL)
		;
	assert_int_equal(message_type(guest), VMBUS_MSG_ALL_OFFERS_DELIVERED);
}

static struct hvh_device_info get(struct guest *guest, uint32_t n)
{
	struct hvh_device_info info;
	assert_true(hvh_device_get(guest->host, n, &info));
	return info;
}

/* The bus sorts its offers; the names do not care. */
static void names_follow_the_order_of_creation(void **state)
{
	static const char *const names[] = {"net0", "echo0", "net1"};
	static const struct vmbus_guid types[] = {VMBUS_GUID_NETVSC, HVH_ECHO_GUID, VMBUS_GUID_NETVSC};
	struct guest *guest = *state;
	struct hvh_device_info info;
	for (int connected = 0; connected < 2; connected++) {
		uint32_t ids = 0;
		for (uint32_t n = 0; n < 3; n++) {
			info = get(guest, n);
			assert_string_equal(info.name, names[n]);
			assert_memory_equal(info.type, types[n].bytes, 16);
			assert_true(info.present);
			assert_false(info.open);
			ids |= 1u << info.channel_id;
		}
		assert_int_equal(ids, connected ? 0xe : 1); /* 1, 2 and 3; none before */
		assert_false(hvh_device_get(guest->host, 3, &info));
		connect_and_take_offers(guest);
	}
}

/* A GUID is a struct on the wire and plain bytes in the library's interface. */
static void the_class_is_one_in_both_forms(void **state)
{
	static const struct vmbus_guid on_the_wire = HVH_ECHO_GUID;
	static const uint8_t bytes[16] = HVH_ECHO_GUID_BYTES;
	struct guest *guest = *state;
	assert_memory_equal(bytes, on_the_wire.bytes, sizeof(bytes));
	assert_memory_equal(get(guest, 1).type, bytes, sizeof(bytes));
}

static void one_is_taken_back_and_offered_again(void **state)
{
	struct guest *guest = *state;
	connect_and_take_offers(guest);
	uint32_t id = get(guest, 2).channel_id;
	assert_true(hvh_device_rescind(guest->host, guest->now, "net1"));
	assert_false(hvh_device_rescind(guest->host, guest->now, "net1"));
	settle(guest);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_RESCIND_OFFER);
	assert_int_equal(message_word(guest, 8), id);
	assert_false(get(guest, 2).present);
	assert_int_equal(get(guest, 2).channel_id, 0);
	assert_true(get(guest, 0).present);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, id);
	assert_true(hvh_device_offer(guest->host, guest->now, "net1"));
	assert_false(hvh_device_offer(guest->host, guest->now, "net1"));
	settle(guest);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	assert_true(get(guest, 2).present);
	assert_no_violation(guest);
}

static void what_is_taken_back_before_the_contact_is_not_offered(void **state)
{
	struct guest *guest = *state;
	assert_true(hvh_device_rescind(guest->host, guest->now, "echo0"));
	connect_and_take_offers(guest);
	assert_int_equal(get(guest, 1).channel_id, 0);
	assert_int_not_equal(get(guest, 2).channel_id, 0);
}

/* Whoever takes it back by hand means it: the fault does not bring it again. */
static void a_fault_s_return_can_be_called_off(void **state)
{
	struct guest *guest = *state;
	struct vmbus_gpadl_header header;
	connect_and_take_offers(guest);
	uint32_t id = get(guest, 1).channel_id;
	header = gpadl_message(id, GPADL, 2);
	hvh_fault_set(guest->host, HVH_FAULT_RESCIND, 65536);
	send_gpadl(guest, &header, PAGE_RING, 2);
	hvh_fault_set(guest->host, HVH_FAULT_RESCIND, 0);
	assert_true(hvh_device_rescind(guest->host, guest->now, "echo0"));
	while (take(guest, 0))
		;
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, id);
	pass(guest, 1000 * MS);
	assert_silence(guest);
	assert_false(get(guest, 1).present);
}

static void a_card_is_found_by_its_name(void **state)
{
	struct guest *guest = *state;
	assert_non_null(hvh_nic_find(guest->host, "net0"));
	assert_non_null(hvh_nic_find(guest->host, "net1"));
	assert_ptr_not_equal(hvh_nic_find(guest->host, "net0"), hvh_nic_find(guest->host, "net1"));
	assert_null(hvh_nic_find(guest->host, "echo0"));
	assert_null(hvh_nic_find(guest->host, "net2"));
	assert_null(hvh_nic_find(guest->host, ""));
	assert_false(hvh_device_rescind(guest->host, guest->now, "net"));
	assert_false(hvh_device_offer(guest->host, guest->now, "disk0"));
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(names_follow_the_order_of_creation),
		T(the_class_is_one_in_both_forms),
		T(one_is_taken_back_and_offered_again),
		T(what_is_taken_back_before_the_contact_is_not_offered),
		T(a_fault_s_return_can_be_called_off),
		T(a_card_is_found_by_its_name),
	};
	return cmocka_run_group_tests_name("host_devices", tests, NULL, NULL);
}
