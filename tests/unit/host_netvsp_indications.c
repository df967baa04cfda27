/* SPDX-License-Identifier: MIT */
/* What the network card tells the guest unasked: link, speed, another network. */
#include "host_netvsp_fake.h"

static struct fake *ready(void)
{
	struct fake *fake = fake_create();

	fake_negotiate(fake, NVS_VERSION_5);
	fake_initialize(fake);
	return fake;
}

/* The oldest packet is this indication alone, with so many bytes of this value. */
static void expect_indication(struct fake *fake, uint32_t status, uint32_t length, uint32_t value)
{
	const struct rndis_indicate_status indication = {
		.header = {RNDIS_MSG_INDICATE_STATUS, (uint32_t)sizeof indication + length},
		.status = status,
		.buffer_length = length,
		.buffer_offset = length > 0 ? 12 : 0};
	uint8_t message[sizeof indication + sizeof value];

	memcpy(message, &indication, sizeof indication);
	memcpy(message + sizeof indication, &value, sizeof value);
	fake_run(fake);
	fake_expect_message(fake, message, (uint32_t)sizeof indication + length);
}

static void link_down_and_up(void **state)
{
	struct fake *fake = ready();

	(void)state;
	hvh_nic_set_link(fake->nic, fake->now, false);
	expect_indication(fake, RNDIS_STATUS_MEDIA_DISCONNECT, 0, 0);
	hvh_nic_set_link(fake->nic, fake->now, true);
	expect_indication(fake, RNDIS_STATUS_MEDIA_CONNECT, 0, 0);
	hvh_nic_set_link(fake->nic, fake->now, true);
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0);
	fake_destroy(fake);
}

static void another_speed(void **state)
{
	struct fake *fake = ready();

	(void)state;
	hvh_nic_set_speed(fake->nic, fake->now, 25000000000ull);
	expect_indication(fake, RNDIS_STATUS_LINK_SPEED_CHANGE, 4, 250000000); /* in 100 bit/s */
	hvh_nic_set_speed(fake->nic, fake->now, 25000000000ull);               /* the same */
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0);
	hvh_nic_set_speed(fake->nic, fake->now, UINT64_MAX); /* more than the message can say */
	expect_indication(fake, RNDIS_STATUS_LINK_SPEED_CHANGE, 4, UINT32_MAX);
	fake_destroy(fake);
}

static void another_network(void **state)
{
	struct fake *fake = ready();

	(void)state;
	for (int n = 0; n < 2; n++) { /* each time */
		hvh_nic_network_change(fake->nic, fake->now);
		expect_indication(fake, RNDIS_STATUS_NETWORK_CHANGE, 0, 0);
	}
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0);
	fake_destroy(fake);
}

static void nothing_before_initialize(void **state)
{
	struct fake *fake = fake_create();

	(void)state;
	fake_negotiate(fake, NVS_VERSION_5);
	hvh_nic_network_change(fake->nic, fake->now);
	hvh_nic_set_speed(fake->nic, fake->now, 1000000000);
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0);
	fake_initialize(fake);
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0); /* what was before is no change */
	fake_destroy(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_down_and_up),
		cmocka_unit_test(another_speed),
		cmocka_unit_test(another_network),
		cmocka_unit_test(nothing_before_initialize),
	};

	return cmocka_run_group_tests_name("host_netvsp_indications", tests, NULL, NULL);
}
