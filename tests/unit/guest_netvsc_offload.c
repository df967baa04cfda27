/* SPDX-License-Identifier: MIT */
/* Offloads: what a host has at each version, what of it is asked for, and switching it. */
#include "tests/unit/guest_netvsc_fake.h"

#include "tests/golden/ndis.h"

#define OF_NDIS                                                                                  \
	(HVK_NETDEV_TX_CHECKSUMS | HVK_NETDEV_RX_CHECKSUMS | HVK_NETDEV_TSO4 | HVK_NETDEV_TSO6 | \
	 HVK_NETDEV_LRO)
#define OF_NVS (HVK_NETDEV_TX_VLAN | HVK_NETDEV_RX_VLAN)
#define UDP (HVK_NETDEV_TX_UDP4 | HVK_NETDEV_TX_UDP6 | HVK_NETDEV_RX_UDP4 | HVK_NETDEV_RX_UDP6)

static const struct hvk_netvsc_config nothing_wanted;
static const struct hvk_netvsc_config all_wanted = {.offloads = HVK_NETDEV_ALL_OFFLOADS};

static void create(const struct hvk_netvsc_config *config)
{
	fake_create(config);
	memcpy(bench.offload, golden_ndis_offload_3, sizeof(bench.offload));
	bench.offload_length = sizeof(bench.offload);
}

/* Attached and up, all on; nothing in the log. */
static void up(void)
{
	create(&all_wanted);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK);
	assert_int_equal(bench.netdev->info.enabled, OF_NDIS | OF_NVS);
	bench.log[0] = 0;
}

static struct hvk_request enabled_request;

static hvk_status set_enabled(uint32_t enabled)
{
	hvk_netdev_set_enabled(bench.netdev, enabled, &enabled_request);
	fake_run();
	return enabled_request.status;
}

static void capabilities_by_version(void **state)
{
	static const struct {
		uint32_t nvs, capabilities, revision;
	} cases[] = {
		{NVS_VERSION_6_1, OF_NDIS | OF_NVS, 3},
		{NVS_VERSION_6, (OF_NDIS | OF_NVS) & ~HVK_NETDEV_LRO, 3},
		{NVS_VERSION_5, (OF_NDIS | OF_NVS) & ~HVK_NETDEV_LRO, 3},
		{NVS_VERSION_4, (OF_NDIS | OF_NVS) & ~(HVK_NETDEV_LRO | UDP), 1},
		{NVS_VERSION_2, (OF_NDIS | OF_NVS) & ~(HVK_NETDEV_LRO | UDP), 1},
		{NVS_VERSION_1, OF_NDIS & ~(HVK_NETDEV_LRO | UDP), 1},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fake_sent *query;

		create(&all_wanted);
		bench.nvs_newest = cases[i].nvs;
		assert_int_equal(fake_attach(), HVK_OK);
		assert_int_equal(bench.netdev->info.capabilities, cases[i].capabilities);
		assert_int_equal(bench.netdev->info.enabled, cases[i].capabilities);
		assert_int_equal(bench.netdev->info.tso_bytes_max, 62780 - 138);
		assert_int_equal(bench.netdev->info.tso_segments_min, 2);
		assert_int_equal(bench.netdev->info.tso_pieces_max, HVK_PACKET_RANGES_MAX - 2);
		for (query = bench.channel.sent; fake_word(query->external + 12) != 0xfc01020d; query++)
			;
		assert_int_equal(query->external[28], 0xa7);
		assert_int_equal(query->external[29], cases[i].revision);
		assert_int_equal(fake_word(query->external + 16), cases[i].revision == 3 ? 156 : 112);
		assert_int_equal(bench.offload_parameters[1], cases[i].revision == 3 ? 3 : 2);
		fake_down();
	}
}

static void nothing_is_on_unless_wanted(void **state)
{
	(void)state;
	create(&nothing_wanted);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.netdev->info.capabilities, OF_NDIS | OF_NVS);
	assert_int_equal(bench.netdev->info.enabled, 0);
	assert_int_equal(bench.offload_sets, 1); /* the host is told that it is off */
	for (uint32_t i = 4; i < 9; i++)
		assert_int_equal(bench.offload_parameters[i], 1);
	assert_int_equal(bench.offload_parameters[11], 1);
	assert_int_equal(bench.offload_parameters[22], 1);
	fake_down();
}

static void what_is_wanted_and_there_is_on(void **state)
{
	const struct hvk_netvsc_config config = {.offloads = HVK_NETDEV_TX_TCP4 | HVK_NETDEV_RX_TCP4 |
							     HVK_NETDEV_TX_UDP6 | HVK_NETDEV_TSO4};

	(void)state;
	create(&config);
	bench.offload[24] = 0x15; /* no UDP over IPv6 to the wire */
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.netdev->info.enabled,
			 HVK_NETDEV_TX_TCP4 | HVK_NETDEV_RX_TCP4 | HVK_NETDEV_TSO4);
	assert_int_equal(bench.offload_parameters[5], 4); /* both ways */
	assert_int_equal(bench.offload_parameters[8], 1);
	assert_int_equal(bench.offload_parameters[11], 2);
	assert_int_equal(bench.offload_parameters[12], 1);
	fake_down();
}

/* Refused, or nonsense: there are none, and nobody tries to set any. */
static void hosts_without(void **state)
{
	(void)state;
	create(&all_wanted);
	bench.offload_length = 0;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.netdev->info.capabilities, OF_NVS);
	assert_int_equal(bench.netdev->info.enabled, OF_NVS);
	assert_int_equal(bench.netdev->info.tso_bytes_max, 0);
	assert_int_equal(bench.offload_sets, 0);
	assert_int_equal(bench.hvk.faults, 0);
	fake_down();
	create(&all_wanted);
	bench.offload[2] = 157; /* longer than it is */
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.netdev->info.capabilities, OF_NVS);
	assert_int_equal(bench.offload_sets, 0);
	assert_int_equal(bench.hvk.last_fault, HVK_EHOST_VALUE);
	fake_down();
}

static void a_host_that_refuses_to_switch(void **state)
{
	(void)state;
	create(&all_wanted);
	bench.refuse_oid = 0xfc01020c;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.netdev->info.capabilities, OF_NDIS | OF_NVS);
	assert_int_equal(bench.netdev->info.enabled, OF_NVS);
	fake_down();
}

static void silence(void **state)
{
	static const struct {
		uint32_t oid;
		hvk_status status;
	} cases[] = {
		{0xfc01020d, HVK_ETIMEDOUT_RNDIS_QUERY},
		{0xfc01020c, HVK_ETIMEDOUT_RNDIS_SET},
		{0x00010203, HVK_ETIMEDOUT_RNDIS_QUERY},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		create(&all_wanted);
		bench.mute_oid = cases[i].oid;
		assert_int_equal(fake_attach(), HVK_EINPROGRESS);
		fake_advance(4990);
		assert_int_equal(bench.attach.status, HVK_EINPROGRESS);
		fake_advance(20 + HVK_PAGE_SIZE / 2); /* and the take-down */
		assert_int_equal(bench.attach.status, cases[i].status);
		fake_check_nothing_left();
	}
}

static void switched_off_and_on(void **state)
{
	(void)state;
	up();
	assert_int_equal(set_enabled(0), HVK_OK);
	assert_int_equal(bench.netdev->info.enabled, 0);
	assert_int_equal(bench.offload_parameters[5], 1);
	assert_int_equal(set_enabled(HVK_NETDEV_TX_TCP6 | HVK_NETDEV_LRO), HVK_OK);
	assert_int_equal(bench.netdev->info.enabled, HVK_NETDEV_TX_TCP6 | HVK_NETDEV_LRO);
	assert_int_equal(bench.offload_parameters[7], 2);
	assert_int_equal(bench.offload_parameters[22], 2);
	assert_string_equal(bench.log, "rndis:5:fc01020c rndis:5:fc01020c ");
	/* The host has no part in the tags: they were announced. */
	assert_int_equal(set_enabled(HVK_NETDEV_TX_TCP6 | HVK_NETDEV_LRO | OF_NVS), HVK_OK);
	assert_int_equal(bench.netdev->info.enabled, HVK_NETDEV_TX_TCP6 | HVK_NETDEV_LRO | OF_NVS);
	assert_string_equal(bench.log, "rndis:5:fc01020c rndis:5:fc01020c ");
	fake_down();
}

static void what_cannot_be_asked_for(void **state)
{
	(void)state;
	up();
	assert_int_equal(set_enabled(0x10000), HVK_EINVAL);
	assert_int_equal(set_enabled(OF_NDIS | HVK_NETDEV_RSS), HVK_EINVAL); /* this host has none */
	assert_int_equal(bench.netdev->info.enabled, OF_NDIS | OF_NVS);
	assert_string_equal(bench.log, "");
	fake_down();
	create(&all_wanted);
	assert_int_equal(set_enabled(0), HVK_ESTATE);
	fake_check_nothing_left();
}

/* Nothing has changed, for us and for the host: it is told the old ones once more. */
static void a_refused_switch_changes_nothing(void **state)
{
	(void)state;
	up();
	bench.refuse_oid = 0xfc01020c;
	assert_int_equal(set_enabled(0), HVK_EREFUSED_RNDIS);
	assert_int_equal(bench.netdev->info.enabled, OF_NDIS | OF_NVS);
	assert_string_equal(bench.log, "rndis:5:fc01020c rndis:5:fc01020c ");
	bench.refuse_oid = FAKE_NONE;
	assert_int_equal(set_enabled(OF_NVS), HVK_OK);
	fake_down();
}

static void a_switch_that_is_not_answered(void **state)
{
	(void)state;
	up();
	bench.mute_oid = 0xfc01020c;
	assert_int_equal(set_enabled(0), HVK_EINPROGRESS);
	fake_advance(5010);
	assert_int_equal(enabled_request.status, HVK_ETIMEDOUT_RNDIS_SET);
	assert_int_equal(bench.netdev->info.enabled, OF_NDIS | OF_NVS);
	fake_down();
}

static void frame_done(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	(void)frame;
	assert_int_equal(status, HVK_OK);
	++*(uint32_t *)context;
}

/* A frame that asks for what is switched off is to be with the host no more when the host hears of it. */
static void frames_are_through_before_it_is_off(void **state)
{
	static uint8_t bytes[60];
	const struct hvk_buffer piece = {bytes, 0, sizeof(bytes)};
	uint32_t done = 0, sent;
	struct hvk_tx_frame frame = {
		.pieces = &piece, .piece_count = 1, .length = 60, .done = frame_done, .context = &done};

	(void)state;
	up();
	bench.hold_sends = true;
	assert_int_equal(hvk_netdev_transmit(bench.netdev, &frame), HVK_TX_TAKEN);
	assert_int_equal(set_enabled(OF_NVS | HVK_NETDEV_LRO), HVK_EINPROGRESS);
	assert_string_equal(bench.log, "frame ");
	assert_int_equal(bench.netdev->info.enabled,
			 OF_NVS | HVK_NETDEV_LRO); /* nobody asks for it from now on */
	frame.next = NULL;
	assert_int_equal(
		hvk_netdev_transmit(bench.netdev,
				    &(struct hvk_tx_frame){.pieces = &piece, .piece_count = 1, .length = 60}),
		HVK_TX_BUSY);
	fake_complete(bench.channel.sent_count - 1, fake_nvs_success, 8);
	fake_run();
	assert_int_equal(done, 1);
	assert_int_equal(enabled_request.status, HVK_OK);
	assert_int_equal(bench.tx_ready, 1);
	/* A host that completes nothing holds it up for a fifth of a second. */
	done = 0;
	assert_int_equal(set_enabled(OF_NVS | OF_NDIS), HVK_OK);
	assert_int_equal(hvk_netdev_transmit(bench.netdev, &frame), HVK_TX_TAKEN);
	sent = bench.channel.sent_count - 1;
	assert_int_equal(set_enabled(OF_NVS), HVK_EINPROGRESS);
	fake_advance(210);
	assert_int_equal(enabled_request.status, HVK_OK);
	bench.hold_sends = false;
	fake_complete(sent, fake_nvs_success, 8);
	fake_run();
	assert_int_equal(done, 1);
	fake_down();
}

static void detach_and_rescind_in_the_middle(void **state)
{
	(void)state;
	up();
	bench.mute_oid = 0xfc01020c;
	assert_int_equal(set_enabled(0), HVK_EINPROGRESS);
	assert_int_equal(fake_detach(), HVK_OK);
	assert_int_equal(enabled_request.status, HVK_ECANCELED);
	fake_check_nothing_left();
	up();
	bench.mute_oid = 0xfc01020c;
	assert_int_equal(set_enabled(0), HVK_EINPROGRESS);
	bench.channel.rescinded = true;
	bench.channel.kicked = true;
	fake_run();
	assert_int_equal(enabled_request.status, HVK_EGONE);
	assert_int_equal(bench.gone, 1);
	assert_int_equal(fake_detach(), HVK_OK);
	fake_check_nothing_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capabilities_by_version),
		cmocka_unit_test(nothing_is_on_unless_wanted),
		cmocka_unit_test(what_is_wanted_and_there_is_on),
		cmocka_unit_test(hosts_without),
		cmocka_unit_test(a_host_that_refuses_to_switch),
		cmocka_unit_test(silence),
		cmocka_unit_test(switched_off_and_on),
		cmocka_unit_test(what_cannot_be_asked_for),
		cmocka_unit_test(a_refused_switch_changes_nothing),
		cmocka_unit_test(a_switch_that_is_not_answered),
		cmocka_unit_test(frames_are_through_before_it_is_off),
		cmocka_unit_test(detach_and_rescind_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
