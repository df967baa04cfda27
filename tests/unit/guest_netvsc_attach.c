/* SPDX-License-Identifier: MIT */
/* Bringing the card up: order, sizes, versions, and how each step fails. */
#include "tests/unit/guest_netvsc_fake.h"

static const struct hvk_netvsc_config defaults;

static uint32_t count_log(const char *word)
{
	uint32_t count = 0;

	for (const char *at = bench.log; (at = strstr(at, word)) != NULL; at++)
		count++;
	return count;
}

static void the_dialogue_in_order(void **state)
{
	(void)state;
	fake_create(&defaults);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_string_equal(bench.log,
			    "open nvs:1 nvs:125 nvs:100 gpadl:512 nvs:101 gpadl:256 nvs:104 rndis:2 "
			    "rndis:4:1010101 rndis:4:10106 rndis:4:10114 rndis:4:10107 "
			    "rndis:5:1010e rndis:4:fc01020d rndis:4:10203 ");
	assert_int_equal(bench.last_filter, 0);
	assert_int_equal(bench.hvk.faults, 0);
	assert_int_equal(hvk_netvsc_nvs_version(bench.nic), 0x60001);
	assert_memory_equal(bench.netdev->info.mac, "\x00\x15\x5d\x01\x02\x03", 6);
	assert_int_equal(bench.netdev->info.mtu, 1500);
	assert_int_equal(bench.netdev->info.frame_max, 1514);
	assert_true(bench.netdev->info.link_up);
	assert_int_equal(bench.netdev->info.link_speed, 10000000000ull);
	assert_int_equal(bench.netdev->info.flags, 0);
	fake_down();
}

static void requests_are_padded_with_zeros(void **state)
{
	const uint32_t versions[] = {NVS_VERSION_6_1, NVS_VERSION_6, NVS_VERSION_1};

	(void)state;
	for (unsigned v = 0; v < 3; v++) {
		const struct hvk_netvsc_config config = {.nvs_newest = versions[v]};
		uint32_t size = versions[v] == NVS_VERSION_6_1 ? 40 : 32;

		fake_create(&config);
		assert_int_equal(fake_attach(), HVK_OK);
		for (uint32_t i = 0; i < bench.channel.sent_count; i++) {
			const struct fake_sent *sent = &bench.channel.sent[i];

			if (sent->kind == FAKE_COMPLETION)
				continue;
			assert_int_equal(sent->length, size);
			for (uint32_t n = 20; n < size; n++)
				assert_int_equal(sent->payload[n], 0);
		}
		fake_down();
	}
}

static void versions_are_tried_newest_first(void **state)
{
	static const uint32_t versions[] = {0x60001, 0x60000, 0x50000, 0x40000, 0x30002, 2};

	(void)state;
	for (unsigned v = 0; v < 6; v++) {
		fake_create(&defaults);
		bench.nvs_newest = versions[v];
		assert_int_equal(fake_attach(), HVK_OK);
		assert_int_equal(hvk_netvsc_nvs_version(bench.nic), versions[v]);
		for (unsigned i = 0; i <= v; i++) {
			assert_int_equal(fake_word(bench.channel.sent[i].payload), 1);
			assert_int_equal(fake_word(bench.channel.sent[i].payload + 4), versions[i]);
			assert_int_equal(fake_word(bench.channel.sent[i].payload + 8), versions[i]);
		}
		assert_int_equal(count_log("nvs:1 "), v + 1);
		assert_int_equal(count_log("nvs:125 "), versions[v] >= 0x30002 ? 1 : 0);
		assert_int_equal(count_log("rndis:4:10107 "), versions[v] >= 0x50000 ? 1 : 0);
		fake_down();
	}
}

static void no_version_at_all(void **state)
{
	(void)state;
	fake_create(&defaults);
	bench.nvs_newest = 1;
	assert_int_equal(fake_attach(), HVK_EREFUSED_NVS_VERSION);
	assert_int_equal(count_log("nvs:1 "), 6);
	assert_int_equal(count_log("close "), 1);
	fake_check_nothing_left();
}

static void newest_version_is_a_limit(void **state)
{
	const struct hvk_netvsc_config config = {.nvs_newest = NVS_VERSION_4};

	(void)state;
	fake_create(&config);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(hvk_netvsc_nvs_version(bench.nic), 0x40000);
	assert_int_equal(count_log("nvs:1 "), 1);
	fake_down();
}

static void old_versions_get_15_mib_at_the_most(void **state)
{
	struct hvk_netvsc_config config = {.receive_buffer_pages = 8190, .nvs_newest = NVS_VERSION_2};

	(void)state;
	fake_create(&config);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(count_log("gpadl:3840 "), 1);
	fake_down();
	config.nvs_newest = NVS_VERSION_4;
	fake_create(&config);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(count_log("gpadl:8190 "), 1);
	fake_down();
}

static void notices_ask_for_no_completion(void **state)
{
	(void)state;
	fake_create(&defaults);
	assert_int_equal(fake_attach(), HVK_OK);
	for (uint32_t i = 0; i < bench.channel.sent_count; i++) {
		const struct fake_sent *sent = &bench.channel.sent[i];
		uint32_t type = fake_word(sent->payload);

		if (sent->kind == FAKE_COMPLETION)
			continue;
		assert_int_equal(sent->answered, type != 125 && type != 100);
	}
	fake_down();
}

static void no_send_buffer_if_none_is_wanted(void **state)
{
	const struct hvk_netvsc_config config = {.send_buffer_pages = HVK_NETVSC_NO_SEND_BUFFER};

	(void)state;
	fake_create(&config);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(count_log("nvs:104 "), 0);
	assert_int_equal(count_log("gpadl:"), 1);
	fake_down();
}

static void control_messages_go_by_page_list(void **state)
{
	const struct fake_sent *sent;

	(void)state;
	fake_create(&defaults);
	assert_int_equal(fake_attach(), HVK_OK);
	for (uint32_t i = 0; i < bench.channel.sent_count; i++) {
		sent = &bench.channel.sent[i];
		if (fake_word(sent->payload) != 107)
			continue;
		assert_int_equal(sent->kind, FAKE_GPA_DIRECT);
		assert_int_equal(sent->buffer_count, 1);
		assert_int_equal(fake_word(sent->payload + 4), 1);
		assert_int_equal(fake_word(sent->payload + 8), 0xffffffff);
		assert_int_equal(fake_word(sent->payload + 12), 0);
		assert_int_equal(fake_word(sent->external + 4), sent->buffers[0].length);
		assert_int_equal(sent->external_length, sent->buffers[0].length);
	}
	fake_down();
}

/* --- Silence ------------------------------------------------------------------------------ */

enum mute { MUTE_OPEN, MUTE_GPADL, MUTE_NVS, MUTE_RNDIS, MUTE_OID };
static const struct {
	enum mute what;
	uint32_t which;
	hvk_status status;
} silences[] = {
	{MUTE_OPEN, 0, HVK_ETIMEDOUT_OPEN},
	{MUTE_NVS, 1, HVK_ETIMEDOUT_NVS_INIT},
	{MUTE_GPADL, 0, HVK_ETIMEDOUT_GPADL},
	{MUTE_NVS, 101, HVK_ETIMEDOUT_NVS_RECEIVE_BUFFER},
	{MUTE_NVS, 104, HVK_ETIMEDOUT_NVS_SEND_BUFFER},
	{MUTE_RNDIS, 2, HVK_ETIMEDOUT_RNDIS_INITIALIZE},
	{MUTE_OID, 0x01010101, HVK_ETIMEDOUT_RNDIS_QUERY},
	{MUTE_OID, 0x00010106, HVK_ETIMEDOUT_RNDIS_QUERY},
	{MUTE_OID, 0x00010114, HVK_ETIMEDOUT_RNDIS_QUERY},
	{MUTE_OID, 0x00010107, HVK_ETIMEDOUT_RNDIS_QUERY},
	{MUTE_RNDIS, 5, HVK_ETIMEDOUT_RNDIS_SET},
};

static void fall_silent(enum mute what, uint32_t which)
{
	bench.silent_open = what == MUTE_OPEN;
	bench.silent_gpadl = what == MUTE_GPADL;
	bench.mute_nvs = what == MUTE_NVS ? which : FAKE_NONE;
	bench.mute_rndis = what == MUTE_RNDIS ? which : FAKE_NONE;
	bench.mute_oid = what == MUTE_OID ? which : FAKE_NONE;
}

static void each_silence_has_its_own_status(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(silences) / sizeof(silences[0]); i++) {
		fake_create(&defaults);
		fall_silent(silences[i].what, silences[i].which);
		assert_true(fake_attach() == HVK_EINPROGRESS || silences[i].what <= MUTE_GPADL);
		fake_advance(4990);
		assert_true(bench.attach.status == HVK_EINPROGRESS || silences[i].what <= MUTE_GPADL);
		fake_advance(2500); /* the revokes may take a while too */
		assert_int_equal(bench.attach.status, silences[i].status);
		/* Again, and the host talks. */
		fall_silent(MUTE_NVS, FAKE_NONE);
		assert_int_equal(fake_attach(), HVK_OK);
		fake_down();
	}
}

static void a_full_ring_ends_in_the_steps_time_out(void **state)
{
	(void)state;
	fake_create(&defaults);
	bench.channel.ring_full = true;
	assert_int_equal(fake_attach(), HVK_EINPROGRESS);
	fake_advance(6000);
	assert_int_equal(bench.attach.status, HVK_ETIMEDOUT_NVS_INIT);
	fake_check_nothing_left();
}

static void a_ring_with_room_for_one_packet_at_a_time(void **state)
{
	(void)state;
	fake_create(&defaults);
	bench.channel.room = 1;
	hvk_netvsc_attach(bench.nic, &bench.attach);
	for (int i = 0; i < 100 && bench.attach.status == HVK_EINPROGRESS; i++) {
		fake_run();
		bench.channel.room = 1;
		bench.channel.kicked = true;
	}
	assert_int_equal(bench.attach.status, HVK_OK);
	assert_int_equal(count_log("nvs:"), 5);
	bench.channel.room = FAKE_NONE;
	fake_down();
}

/* --- Refusals and nonsense ------------------------------------------------------------------- */

static hvk_status attach_with_nvs(uint32_t type, const void *bytes, uint32_t length)
{
	hvk_status status;

	fake_create(&defaults);
	bench.custom_nvs = type;
	memcpy(bench.custom, bytes, length);
	bench.custom_length = length;
	status = fake_attach();
	assert_int_equal(count_log("close "), 1);
	bench.log[0] = 0;
	fake_check_nothing_left();
	return status;
}

static void refused_geometries(void **state)
{
	static const struct {
		uint32_t words[7];
		hvk_status status;
	} receive[] = {
		{{102, 2, 0, 0, 0, 0, 0}, HVK_EREFUSED_NVS},
		{{102, 1, 2, 0, 1806, 100, 0}, HVK_EHOST_BUFFER},
		{{102, 1, 1, 4096, 1806, 100, 0}, HVK_EHOST_BUFFER},
		{{102, 1, 1, 0, 67, 100, 0}, HVK_EHOST_BUFFER},
		{{102, 1, 1, 0, 1806, 2000000, 0}, HVK_EHOST_BUFFER},
		{{102, 1, 1, 0, 0x80000000, 2, 0}, HVK_EHOST_BUFFER},
		{{2, 1, 1, 0, 1806, 100, 0}, HVK_EHOST_NVS},
	};
	static const struct {
		uint32_t words[3];
		hvk_status status;
	} send[] = {
		{{105, 2, 6144}, HVK_EREFUSED_NVS},
		{{105, 1, 256 * 4096 + 1}, HVK_EHOST_BUFFER},
		{{102, 1, 6144}, HVK_EHOST_NVS},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(receive) / sizeof(receive[0]); i++)
		assert_int_equal(attach_with_nvs(101, receive[i].words, 28), receive[i].status);
	for (unsigned i = 0; i < sizeof(send) / sizeof(send[0]); i++)
		assert_int_equal(attach_with_nvs(104, send[i].words, 12), send[i].status);
	assert_int_equal(attach_with_nvs(1, "", 0), HVK_EHOST_NVS);
	assert_int_equal(attach_with_nvs(101, receive[1].words, 12), HVK_EHOST_NVS);
}

/* All goes by page list then. */
static void sections_of_no_use(void **state)
{
	static uint8_t bytes[60];
	static const uint32_t sizes[] = {0, 64, 6142};

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		const uint32_t answer[3] = {105, 1, sizes[i]};
		const struct hvk_buffer piece = {bytes, 0, sizeof(bytes)};
		struct hvk_tx_frame frame = {.pieces = &piece, .piece_count = 1, .length = 60};
		const struct hvk_buffer shared = {bytes, (uintptr_t)bytes, sizeof(bytes)};

		fake_create(&defaults);
		bench.custom_nvs = 104;
		memcpy(bench.custom, answer, sizeof(answer));
		bench.custom_length = sizeof(answer);
		assert_int_equal(fake_attach(), HVK_OK);
		assert_int_equal(bench.hvk.faults, 0);
		assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK);
		assert_int_equal(hvk_netdev_transmit(bench.netdev, &frame), HVK_TX_GONE); /* has no address */
		frame.pieces = &shared;
		assert_int_equal(hvk_netdev_transmit(bench.netdev, &frame), HVK_TX_TAKEN);
		fake_run();
		assert_non_null(strstr(bench.log, "frame "));
		bench.custom_nvs = FAKE_NONE;
		fake_down();
	}
}

static void a_buffer_is_revoked_if_the_host_has_it(void **state)
{
	static const uint32_t bad[7] = {102, 1, 2, 0, 1806, 100, 0};

	(void)state;
	fake_create(&defaults);
	bench.custom_nvs = 101;
	memcpy(bench.custom, bad, 28);
	bench.custom_length = 28;
	assert_int_equal(fake_attach(), HVK_EHOST_BUFFER);
	assert_string_equal(
		bench.log,
		"open nvs:1 nvs:125 nvs:100 gpadl:512 nvs:101 nvs:103 close teardown:rx torndown ");
	assert_int_equal(bench.hvk.faults, 1);
	fake_check_nothing_left();
}

static hvk_status attach_with_information(uint32_t oid, const void *bytes, uint32_t length)
{
	hvk_status status;

	fake_create(&defaults);
	bench.custom_oid = oid;
	memcpy(bench.custom, bytes, length);
	bench.custom_length = length;
	status = fake_attach();
	if (status == HVK_OK)
		(void)fake_detach();
	fake_check_nothing_left();
	return status;
}

static void mac_addresses_that_cannot_be(void **state)
{
	(void)state;
	assert_int_equal(attach_with_information(0x01010101, "\0\0\0\0\0\0", 6), HVK_EHOST_VALUE);
	assert_int_equal(attach_with_information(0x01010101, "\1\0\x5e\1\2\3", 6), HVK_EHOST_VALUE);
	assert_int_equal(attach_with_information(0x01010101, "\0\x15\x5d\1\2", 5), HVK_EHOST_VALUE);
	assert_int_equal(attach_with_information(0x01010101, "\0\x15\x5d\1\2\3\4", 7), HVK_EHOST_VALUE);
	assert_int_equal(attach_with_information(0x01010101, "", 0), HVK_EHOST_VALUE);
	assert_int_equal(attach_with_information(0x01010101, "12345678123456789", 17), HVK_EHOST_VALUE);
	assert_int_equal(attach_with_information(0x01010101, "\2\x15\x5d\1\2\3", 6), HVK_OK);
}

static void frame_sizes_that_cannot_be(void **state)
{
	(void)state;
	assert_int_equal(attach_with_information(0x00010106, "\0\0\0\0", 4), HVK_EHOST_VALUE);
	assert_int_equal(attach_with_information(0x00010106, "\x43\0\0\0", 4), HVK_EHOST_VALUE);
	assert_int_equal(attach_with_information(0x00010106, "\x44\0\0\0", 4), HVK_OK);
	assert_int_equal(attach_with_information(0x00010106, "\x44\0", 2), HVK_EHOST_VALUE);
}

static void mtu_is_what_both_can(void **state)
{
	const struct hvk_netvsc_config config = {.mtu = 9000};

	(void)state;
	fake_create(&config);
	bench.custom_oid = 0x00010106;
	fake_put(bench.custom, 4000);
	bench.custom_length = 4;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.netdev->info.mtu, 4000);
	fake_down();
	fake_create(&config);
	bench.custom_oid = 0x00010106;
	fake_put(bench.custom, 65535);
	bench.custom_length = 4;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.netdev->info.mtu, 9000);
	assert_int_equal(fake_word(bench.channel.sent[1].payload + 4), 9014); /* NDIS_CONFIG */
	fake_down();
}

/* OpenVMM takes none below 1514. */
static void a_small_mtu_is_our_own(void **state)
{
	const struct hvk_netvsc_config config = {.mtu = 576};

	(void)state;
	fake_create(&config);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.netdev->info.mtu, 576);
	assert_int_equal(bench.netdev->info.frame_max, 590);
	assert_int_equal(fake_word(bench.channel.sent[1].payload + 4), 1514);
	fake_down();
}

static void only_the_mac_is_required(void **state)
{
	static const uint32_t optional[] = {0x00010106, 0x00010114, 0x00010107};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		fake_create(&defaults);
		bench.refuse_oid = optional[i];
		assert_int_equal(fake_attach(), HVK_OK);
		assert_int_equal(bench.netdev->info.mtu, 1500);
		assert_true(bench.netdev->info.link_up);
		assert_int_equal(bench.netdev->info.link_speed == 0, optional[i] == 0x00010107);
		fake_down();
	}
	fake_create(&defaults);
	bench.refuse_oid = 0x01010101;
	assert_int_equal(fake_attach(), HVK_EREFUSED_RNDIS);
	fake_check_nothing_left();
	fake_create(&defaults);
	bench.refuse_oid = 0x0001010e;
	assert_int_equal(fake_attach(), HVK_EREFUSED_RNDIS);
	fake_check_nothing_left();
}

static hvk_status attach_with_rndis(uint32_t type, const void *bytes, uint32_t length)
{
	hvk_status status;

	fake_create(&defaults);
	bench.custom_rndis = type;
	memcpy(bench.custom, bytes, length);
	bench.custom_length = length;
	status = fake_attach();
	if (status == HVK_EINPROGRESS) {
		fake_advance(8000);
		status = bench.attach.status;
	}
	fake_check_nothing_left();
	return status;
}

static void rndis_answers_that_cannot_be(void **state)
{
	uint8_t initialize[52] = {2, 0, 0, 0x80, 52};

	(void)state;
	initialize[16] = 1;
	initialize[12] = 1; /* status */
	assert_int_equal(attach_with_rndis(2, initialize, 52), HVK_EREFUSED_RNDIS);
	initialize[12] = 0;
	assert_int_equal(attach_with_rndis(2, initialize, 43), HVK_EHOST_RNDIS);
	initialize[16] = 9;
	assert_int_equal(attach_with_rndis(2, initialize, 52), HVK_EHOST_VALUE);
	initialize[16] = 1;
	initialize[28] = 1;
	assert_int_equal(attach_with_rndis(2, initialize, 52), HVK_EHOST_VALUE);
	initialize[28] = 0;
	initialize[0] = 4; /* the answer to something else */
	assert_int_equal(attach_with_rndis(2, initialize, 52), HVK_ETIMEDOUT_RNDIS_INITIALIZE);
	initialize[0] = 2;
	assert_int_equal(attach_with_rndis(2, initialize, 15),
			 HVK_ETIMEDOUT_RNDIS_INITIALIZE); /* has no id */
}

static void rndis_length_is_read_by_nobody(void **state)
{
	uint8_t initialize[52] = {2, 0, 0, 0x80, 0, 0, 0, 0};
	static const uint32_t lengths[] = {0, 8, 51, 53, 0xffffffff};

	(void)state;
	initialize[16] = 1;
	for (unsigned i = 0; i < 5; i++) {
		fake_create(&defaults);
		fake_put(initialize + 4, lengths[i]);
		bench.custom_rndis = 2;
		memcpy(bench.custom, initialize, 52);
		bench.custom_length = 52;
		assert_int_equal(fake_attach(), HVK_OK);
		fake_down();
	}
}

static void a_refused_control_packet_ends_its_request(void **state)
{
	(void)state;
	fake_create(&defaults);
	bench.reject_rndis = 2;
	assert_int_equal(fake_attach(), HVK_EREFUSED_RNDIS); /* without waiting for the time-out */
	fake_check_nothing_left();
}

/* --- The machine ------------------------------------------------------------------------------- */

static void every_allocation_may_fail(void **state)
{
	(void)state;
	for (uint32_t n = 0;; n++) {
		hvk_status status;

		assert_true(n < 20);
		fake_create(&defaults);
		bench.hvk.fail_allocation = n;
		status = fake_attach();
		if (status == HVK_OK) {
			assert_true(n >= 6);
			fake_down();
			return;
		}
		assert_int_equal(status, HVK_ENOMEM);
		bench.hvk.fail_allocation = FAKE_NONE;
		fake_check_nothing_left();
	}
}

static void rescind_at_any_moment(void **state)
{
	(void)state;
	for (uint32_t polls = 0;; polls++) {
		assert_true(polls < 200);
		fake_create(&defaults);
		hvk_netvsc_attach(bench.nic, &bench.attach);
		for (uint32_t i = 0; i < polls; i++) {
			(void)fake_poll();
			fake_answer();
		}
		if (bench.attach.status == HVK_OK) {
			fake_down();
			return;
		}
		bench.channel.rescinded = true;
		bench.channel.kicked = true;
		fake_run();
		if (bench.attach.status == HVK_OK) { /* it had just come about */
			assert_int_equal(bench.gone, 1);
			fake_down();
			continue;
		}
		assert_int_equal(bench.attach.status, HVK_EGONE);
		assert_int_equal(bench.gone, 0); /* it was never there */
		fake_check_nothing_left();
	}
}

static void detach_at_any_moment(void **state)
{
	(void)state;
	for (uint32_t polls = 0;; polls++) {
		assert_true(polls < 200);
		fake_create(&defaults);
		hvk_netvsc_attach(bench.nic, &bench.attach);
		for (uint32_t i = 0; i < polls; i++) {
			(void)fake_poll();
			fake_answer();
		}
		if (bench.attach.status == HVK_OK) {
			fake_down();
			return;
		}
		bool last_step = count_log("rndis:5:1010e ") != 0;

		assert_int_equal(fake_detach(), HVK_OK);
		assert_true(bench.attach.status == HVK_ECANCELED ||
			    (bench.attach.status == HVK_OK && last_step));
		fake_check_nothing_left();
	}
}

static void only_one_attach_at_a_time(void **state)
{
	struct hvk_request second = {0};

	(void)state;
	fake_create(&defaults);
	hvk_netvsc_attach(bench.nic, &bench.attach);
	hvk_netvsc_attach(bench.nic, &second);
	fake_run();
	assert_int_equal(bench.attach.status, HVK_OK);
	assert_int_equal(second.status, HVK_ESTATE);
	assert_int_equal(hvk_netvsc_destroy(bench.nic), HVK_ESTATE);
	fake_down();
}

static void a_cpu_that_does_not_run(void **state)
{
	(void)state;
	fake_create(&defaults);
	bench.hvk.cpu_off = defaults.cpu + 1;
	assert_int_equal(fake_attach(), HVK_EINVAL);
	bench.hvk.cpu_off = 0;
	assert_int_equal(fake_attach(), HVK_OK);
	fake_down();
}

static void attach_again_after_detach(void **state)
{
	(void)state;
	fake_create(&defaults);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fake_attach(), HVK_OK);
		assert_int_equal(fake_detach(), HVK_OK);
		assert_int_equal(hvk_netvsc_nvs_version(bench.nic), 0);
	}
	fake_check_nothing_left();
}

static void configurations_that_cannot_be(void **state)
{
	static const struct hvk_netvsc_config configs[] = {
		{.ring_pages = 4095},
		{.receive_buffer_pages = 15},
		{.receive_buffer_pages = 8191},
		{.rx_borrow = 1025},
		{.send_buffer_pages = 8191},
		{.mtu = 67},
		{.mtu = 65522},
		{.nvs_newest = 3},
		{.cpu = FAKE_CPUS},
	};
	struct hvk_netvsc *nic;

	(void)state;
	fake_create(&defaults);
	assert_int_equal(hvk_netvsc_create(&bench.channel, &defaults, &nic), HVK_EBUSY); /* it has a driver */
	for (unsigned i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
		assert_int_equal(hvk_netvsc_create(&bench.channel, &configs[i], &nic), HVK_EINVAL);
	bench.channel.claimed = false;
	bench.channel.rescinded = true;
	assert_int_equal(hvk_netvsc_create(&bench.channel, &defaults, &nic), HVK_EGONE);
	bench.channel.rescinded = false;
	bench.hvk.fail_allocation = 0;
	assert_int_equal(hvk_netvsc_create(&bench.channel, &defaults, &nic), HVK_ENOMEM);
	assert_false(bench.channel.claimed);
	bench.hvk.fail_allocation = FAKE_NONE;
	bench.channel.claimed = true;
	bench.channel.offer.subchannel_index = 1;
	assert_int_equal(hvk_netvsc_create(&bench.channel, &defaults, &nic), HVK_EINVAL);
	bench.channel.offer.subchannel_index = 0;
	bench.channel.offer.type.bytes[0]++;
	assert_int_equal(hvk_netvsc_create(&bench.channel, &defaults, &nic), HVK_EINVAL);
	fake_check_nothing_left();
}

/* --- Timers ------------------------------------------------------------------------------ */

/* A CPU has taken the one timer that runs, and is about to call it. */
static struct hvk_timer *take_timer(void)
{
	for (uint32_t i = 0; i < FAKE_TIMERS_MAX; i++) {
		struct hvk_timer *timer = bench.hvk.timers[i];

		if (!timer)
			continue;
		bench.hvk.timers[i] = NULL;
		timer->deadline = HVK_NEVER;
		return timer;
	}
	fail_msg("no timer runs");
	return NULL;
}

/* Meanwhile the answer comes, on another CPU, and the next step begins to wait. */
static void a_timer_of_what_is_over(void **state)
{
	static const struct {
		uint32_t nvs, next_nvs, rndis, next_oid; /* that are not answered */
		hvk_status status;
	} cases[] = {
		{1, 101, FAKE_NONE, FAKE_NONE, HVK_ETIMEDOUT_NVS_RECEIVE_BUFFER},
		{FAKE_NONE, FAKE_NONE, 2, 0x01010101, HVK_ETIMEDOUT_RNDIS_QUERY},
	};

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		struct hvk_timer *timer;

		fake_create(&defaults);
		bench.mute_nvs = cases[i].nvs;
		bench.mute_rndis = cases[i].rndis;
		assert_int_equal(fake_attach(), HVK_EINPROGRESS);
		timer = take_timer();
		bench.mute_nvs = cases[i].next_nvs;
		bench.mute_rndis = FAKE_NONE;
		bench.mute_oid = cases[i].next_oid;
		bench.answered = bench.channel.sent_count - 1; /* it looks at the last once more */
		fake_run();
		timer->fire(timer, timer->context);
		fake_run();
		assert_int_equal(bench.attach.status, HVK_EINPROGRESS);
		fake_advance(4990);
		assert_int_equal(bench.attach.status, HVK_EINPROGRESS);
		fake_advance(2000);
		assert_int_equal(bench.attach.status, cases[i].status);
		fake_check_nothing_left();
	}
}

static struct hvk_timer *late_timer;

static void fire_late(void)
{
	late_timer = take_timer();
	late_timer->fire(late_timer, late_timer->context);
}

/* While another CPU has the card: what it fired for is over all the same, as soon as it has not. */
static void a_timer_that_comes_in_between(void **state)
{
	const struct hvk_netvsc_config lending = {.rx_borrow = 4};

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		fake_create(&lending);
		bench.mute_nvs = i == 0 ? 104 : FAKE_NONE;
		bench.mute_oid = i == 0 ? FAKE_NONE : 0x01010101;
		assert_int_equal(fake_attach(), HVK_EINPROGRESS);
		bench.hvk.interloper = fire_late;
		bench.hvk.interloper_at = 1; /* in ready */
		bench.channel.kicked = true;
		(void)fake_poll_channel(&bench.channel);
		assert_int_equal(bench.hvk.interloper_at, 0);
		assert_int_equal(bench.attach.status, HVK_EINPROGRESS);
		fake_advance(2000); /* to take it down */
		assert_int_equal(bench.attach.status,
				 i == 0 ? HVK_ETIMEDOUT_NVS_SEND_BUFFER : HVK_ETIMEDOUT_RNDIS_QUERY);
		fake_check_nothing_left();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_dialogue_in_order),
		cmocka_unit_test(requests_are_padded_with_zeros),
		cmocka_unit_test(versions_are_tried_newest_first),
		cmocka_unit_test(no_version_at_all),
		cmocka_unit_test(newest_version_is_a_limit),
		cmocka_unit_test(old_versions_get_15_mib_at_the_most),
		cmocka_unit_test(notices_ask_for_no_completion),
		cmocka_unit_test(no_send_buffer_if_none_is_wanted),
		cmocka_unit_test(control_messages_go_by_page_list),
		cmocka_unit_test(each_silence_has_its_own_status),
		cmocka_unit_test(a_full_ring_ends_in_the_steps_time_out),
		cmocka_unit_test(a_ring_with_room_for_one_packet_at_a_time),
		cmocka_unit_test(refused_geometries),
		cmocka_unit_test(sections_of_no_use),
		cmocka_unit_test(a_buffer_is_revoked_if_the_host_has_it),
		cmocka_unit_test(mac_addresses_that_cannot_be),
		cmocka_unit_test(frame_sizes_that_cannot_be),
		cmocka_unit_test(mtu_is_what_both_can),
		cmocka_unit_test(a_small_mtu_is_our_own),
		cmocka_unit_test(only_the_mac_is_required),
		cmocka_unit_test(rndis_answers_that_cannot_be),
		cmocka_unit_test(rndis_length_is_read_by_nobody),
		cmocka_unit_test(a_refused_control_packet_ends_its_request),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(rescind_at_any_moment),
		cmocka_unit_test(detach_at_any_moment),
		cmocka_unit_test(only_one_attach_at_a_time),
		cmocka_unit_test(a_cpu_that_does_not_run),
		cmocka_unit_test(attach_again_after_detach),
		cmocka_unit_test(configurations_that_cannot_be),
		cmocka_unit_test(a_timer_of_what_is_over),
		cmocka_unit_test(a_timer_that_comes_in_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
