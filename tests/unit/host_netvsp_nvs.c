/* SPDX-License-Identifier: MIT */
/* The network card's host side: NVS negotiation, buffers, and what it refuses. */
#include "host_netvsp_fake.h"

static const uint32_t versions[] = {NVS_VERSION_1, NVS_VERSION_2, NVS_VERSION_4,
				    NVS_VERSION_5, NVS_VERSION_6, NVS_VERSION_6_1};
#define VERSIONS (sizeof versions / sizeof versions[0])

static uint32_t init_status(struct fake *fake, uint32_t version)
{
	struct nvs_init_complete answer;

	fake_init(fake, version);
	memcpy(&answer, fake_take(fake)->payload, sizeof answer);
	assert_int_equal(answer.type, NVS_TYPE_INIT_COMPLETE);
	return answer.status;
}

/* Each host knows its versions and all before; a guest goes down until one is taken. */
static void test_versions_are_gated_by_the_profile(void **state)
{
	(void)state;
	for (size_t newest = 0; newest < VERSIONS; newest++) {
		for (size_t wanted = 0; wanted < VERSIONS; wanted++) {
			struct fake *fake = fake_create();

			fake->partition.profile.nvs_newest = versions[newest];
			fake_open(fake);
			assert_int_equal(init_status(fake, versions[wanted]),
					 wanted <= newest ? NVS_STATUS_SUCCESS : NVS_STATUS_NONE);
			if (wanted > newest) /* and may try again */
				assert_int_equal(init_status(fake, versions[newest]), NVS_STATUS_SUCCESS);
			fake_expect_lawful(fake);
			fake_destroy(fake);
		}
	}
}

static void test_unknown_version_is_refused(void **state)
{
	struct fake *fake = fake_create();

	(void)state;
	fake_open(fake);
	fake_expect_completion(fake, fake_init(fake, 0x00030000u), golden_nvs_init_complete_refused,
			       sizeof golden_nvs_init_complete_refused);
	fake_destroy(fake);
}

/* Linux drops an INIT_COMPLETE and a RECEIVE_BUFFER_COMPLETE below 28 bytes. */
static void test_answers_have_the_length_of_their_version(void **state)
{
	(void)state;
	for (size_t i = 0; i < VERSIONS; i++) {
		struct fake *fake = fake_create();

		fake_open(fake);
		fake_init(fake, versions[i]);
		assert_int_equal(fake_take(fake)->payload_length, versions[i] == NVS_VERSION_6_1 ? 40 : 32);
		fake_destroy(fake);
	}
}

static void test_dialogue_at_5_0_byte_for_byte(void **state)
{
	struct fake *fake = fake_create();

	(void)state;
	fake->partition.profile.rss = false;
	fake_open(fake);
	fake_expect_completion(fake, fake_nvs(fake, golden_nvs_init_5_0, sizeof golden_nvs_init_5_0),
			       golden_nvs_init_complete, sizeof golden_nvs_init_complete);
	fake_expect_completion(fake, fake_nvs(fake, golden_nvs_ndis_config, sizeof golden_nvs_ndis_config),
			       NULL, 0);
	fake_expect_completion(
		fake, fake_nvs(fake, golden_nvs_ndis_version_6_30, sizeof golden_nvs_ndis_version_6_30), NULL,
		0);
	fake_expect_completion(fake,
			       fake_nvs(fake, golden_nvs_receive_buffer, sizeof golden_nvs_receive_buffer),
			       golden_nvs_receive_buffer_complete, sizeof golden_nvs_receive_buffer_complete);
	fake_expect_completion(fake, fake_nvs(fake, golden_nvs_send_buffer, sizeof golden_nvs_send_buffer),
			       golden_nvs_send_buffer_complete, sizeof golden_nvs_send_buffer_complete);
	fake_expect_completion(
		fake, fake_nvs(fake, golden_nvs_subchannel_request, sizeof golden_nvs_subchannel_request),
		golden_nvs_subchannel_refused, sizeof golden_nvs_subchannel_refused);
	fake_expect_completion(
		fake,
		fake_nvs(fake, golden_nvs_revoke_receive_buffer, sizeof golden_nvs_revoke_receive_buffer),
		NULL, 0);
	fake_expect_completion(
		fake, fake_nvs(fake, golden_nvs_revoke_send_buffer, sizeof golden_nvs_revoke_send_buffer),
		NULL, 0);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_version_1_tells_its_version(void **state)
{
	struct fake *fake = fake_create();

	(void)state;
	fake_open(fake);
	fake_expect_completion(fake, fake_nvs(fake, golden_nvs_init_1, sizeof golden_nvs_init_1),
			       golden_nvs_init_complete_1, sizeof golden_nvs_init_complete_1);
	fake_destroy(fake);
}

static void test_no_completion_requested_none_sent(void **state)
{
	struct fake *fake = fake_create();

	(void)state;
	fake_open(fake);
	fake_init(fake, NVS_VERSION_5);
	fake_take(fake);
	fake_queue(fake, VMBUS_PACKET_IN_BAND, false, golden_nvs_ndis_config, sizeof golden_nvs_ndis_config,
		   40);
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0);
	fake_expect_lawful(fake);
	fake_queue(fake, VMBUS_PACKET_IN_BAND, false, golden_nvs_send_buffer, sizeof golden_nvs_send_buffer,
		   40);
	fake_run(fake);
	fake_expect_violation(fake, HVH_V_PACKET_FLAGS);
	fake_destroy(fake);
}

/* Sends a message; the violation must be that, and the worker must have ended. */
static void ends_with(struct fake *fake, const void *message, uint32_t length, enum hvh_violation_kind kind)
{
	fake_nvs(fake, message, length);
	assert_int_equal(fake_waiting(fake), 0);
	fake_expect_violation(fake, kind);
	fake_nvs(fake, golden_nvs_ndis_version_6_30, sizeof golden_nvs_ndis_version_6_30);
	assert_int_equal(fake_waiting(fake), 0); /* not read any more */
	assert_true(fake->partition.channel.to_host.count > 0);
	fake_destroy(fake);
}

static struct fake *at(uint32_t version)
{
	struct fake *fake = fake_create();

	fake_open(fake);
	fake_init(fake, version);
	fake_take(fake);
	return fake;
}

static struct fake *negotiated(uint32_t version)
{
	struct fake *fake = fake_create();

	fake_negotiate(fake, version);
	return fake;
}

static void test_order_is_kept(void **state)
{
	struct fake *fake = fake_create();

	(void)state;
	fake_open(fake);
	ends_with(fake, golden_nvs_ndis_config, sizeof golden_nvs_ndis_config, HVH_V_NVS_ORDER);
	ends_with(at(NVS_VERSION_5), golden_nvs_init_5_0, sizeof golden_nvs_init_5_0, HVH_V_NVS_ORDER);
	/* From the second version on NDIS_CONFIG comes before the receive buffer. */
	ends_with(at(NVS_VERSION_2), golden_nvs_receive_buffer, sizeof golden_nvs_receive_buffer,
		  HVH_V_NVS_ORDER);
	ends_with(at(NVS_VERSION_5), golden_nvs_rndis_control, sizeof golden_nvs_rndis_control,
		  HVH_V_NVS_ORDER);
	ends_with(at(NVS_VERSION_5), golden_nvs_revoke_send_buffer, sizeof golden_nvs_revoke_send_buffer,
		  HVH_V_NVS_ORDER);
	/* Each once. */
	ends_with(negotiated(NVS_VERSION_5), golden_nvs_ndis_config, sizeof golden_nvs_ndis_config,
		  HVH_V_NVS_ORDER);
	ends_with(negotiated(NVS_VERSION_5), golden_nvs_ndis_version_6_30,
		  sizeof golden_nvs_ndis_version_6_30, HVH_V_NVS_ORDER);
	ends_with(negotiated(NVS_VERSION_5), golden_nvs_receive_buffer, sizeof golden_nvs_receive_buffer,
		  HVH_V_NVS_ORDER);
	ends_with(negotiated(NVS_VERSION_5), golden_nvs_send_buffer, sizeof golden_nvs_send_buffer,
		  HVH_V_NVS_ORDER);
}

static void test_version_1_needs_no_ndis_config(void **state)
{
	struct fake *fake = at(NVS_VERSION_1);

	(void)state;
	fake_expect_completion(fake,
			       fake_nvs(fake, golden_nvs_receive_buffer, sizeof golden_nvs_receive_buffer),
			       golden_nvs_receive_buffer_complete, sizeof golden_nvs_receive_buffer_complete);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_types_of_other_versions_and_directions(void **state)
{
	static const uint8_t unknown[] = {0xff, 0x7f};
	static const uint8_t association[] = {NVS_TYPE_VF_ASSOCIATION};
	static const uint8_t data_path[] = {NVS_TYPE_SWITCH_DATA_PATH};

	(void)state;
	ends_with(at(NVS_VERSION_5), unknown, sizeof unknown, HVH_V_NVS_TYPE);
	ends_with(at(NVS_VERSION_6_1), association, sizeof association, HVH_V_NVS_TYPE);
	ends_with(at(NVS_VERSION_1), golden_nvs_ndis_config, sizeof golden_nvs_ndis_config, HVH_V_NVS_TYPE);
	ends_with(at(NVS_VERSION_2), data_path, sizeof data_path, HVH_V_NVS_TYPE);
	ends_with(at(NVS_VERSION_4), golden_nvs_subchannel_request, sizeof golden_nvs_subchannel_request,
		  HVH_V_NVS_TYPE);
}

/* Nothing is heard of a request that is too short; the channel lives. */
static void test_short_requests_are_never_answered(void **state)
{
	struct fake *fake = fake_create();

	(void)state;
	fake_open(fake);
	fake_queue(fake, VMBUS_PACKET_IN_BAND, true, golden_nvs_init_5_0, sizeof golden_nvs_init_5_0, 24);
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0);
	fake_expect_violation(fake, HVH_V_NVS_SIZE);
	fake_queue(fake, VMBUS_PACKET_IN_BAND, true, golden_nvs_init_5_0, sizeof golden_nvs_init_5_0, 32);
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 1);
	fake_expect_lawful(fake);
	fake_destroy(fake);

	fake = at(NVS_VERSION_6_1); /* whose messages have 40 bytes */
	fake_queue(fake, VMBUS_PACKET_IN_BAND, true, golden_nvs_ndis_config, sizeof golden_nvs_ndis_config,
		   32);
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0);
	fake_expect_violation(fake, HVH_V_NVS_SIZE);
	fake_destroy(fake);
}

static void test_padding_is_zero(void **state)
{
	uint8_t message[40] = {0};
	struct fake *fake = fake_create();

	(void)state;
	fake_open(fake);
	memcpy(message, golden_nvs_init_5_0, sizeof golden_nvs_init_5_0);
	message[39] = 1;
	fake_nvs(fake, message, sizeof message);
	fake_expect_violation(fake, HVH_V_NVS_PADDING);
	assert_int_equal(fake_waiting(fake), 1); /* answered all the same */
	memcpy(message, golden_nvs_ndis_config, sizeof golden_nvs_ndis_config);
	message[39] = 0;
	message[8] = 1; /* reserved */
	fake_nvs(fake, message, sizeof message);
	fake_expect_violation(fake, HVH_V_NVS_PADDING);
	memcpy(message, golden_nvs_receive_buffer, sizeof golden_nvs_receive_buffer);
	memset(message + 12, 0, 28);
	message[10] = 1;
	fake_nvs(fake, message, sizeof message);
	fake_expect_violation(fake, HVH_V_NVS_PADDING);
	fake_destroy(fake);
}

static void test_pages_only_with_rndis(void **state)
{
	struct fake *fake = fake_create();

	(void)state;
	fake_open(fake);
	fake_queue(fake, VMBUS_PACKET_GPA_DIRECT, true, golden_nvs_init_5_0, sizeof golden_nvs_init_5_0, 40);
	fake_run(fake);
	fake_expect_violation(fake, HVH_V_PACKET_TYPE);
	fake_destroy(fake);
	fake = fake_create();
	fake_open(fake);
	fake_queue(fake, VMBUS_PACKET_TRANSFER_PAGES, true, golden_nvs_init_5_0, sizeof golden_nvs_init_5_0,
		   40);
	fake_run(fake);
	fake_expect_violation(fake, HVH_V_PACKET_TYPE);
	fake_destroy(fake);
}

static void test_values_out_of_range(void **state)
{
	struct nvs_ndis_config config = {.type = NVS_TYPE_NDIS_CONFIG, .mtu = 9015};
	struct nvs_ndis_version version = {NVS_TYPE_NDIS_VERSION, 7, 0};
	struct nvs_switch_data_path path = {NVS_TYPE_SWITCH_DATA_PATH, 1};
	struct nvs_subchannel_request request = {NVS_TYPE_SUBCHANNEL, 2, 1};
	struct nvs_revoke_buffer revoke = {NVS_TYPE_REVOKE_RECEIVE_BUFFER, 0xbead, 0};
	struct nvs_init init = {NVS_TYPE_INIT, NVS_VERSION_5, NVS_VERSION_4};
	struct fake *fake = fake_create();

	(void)state;
	fake_open(fake);
	fake_nvs(fake, &init, sizeof init);
	fake_expect_violation(fake, HVH_V_NVS_VALUE);
	fake_nvs(fake, &config, sizeof config);
	fake_expect_violation(fake, HVH_V_NVS_VALUE);
	fake_nvs(fake, &version, sizeof version);
	fake_expect_violation(fake, HVH_V_NVS_VALUE);
	fake_nvs(fake, &path, sizeof path); /* there is no virtual function */
	fake_expect_violation(fake, HVH_V_NVS_VALUE);
	fake_nvs(fake, golden_nvs_receive_buffer, sizeof golden_nvs_receive_buffer);
	fake_nvs(fake, &request, sizeof request);
	fake_expect_violation(fake, HVH_V_NVS_VALUE);
	fake_nvs(fake, &revoke, sizeof revoke);
	fake_expect_violation(fake, HVH_V_NVS_VALUE);
	assert_int_equal(fake_waiting(fake), 7); /* each was answered */
	fake_destroy(fake);
}

static uint32_t receive_buffer_status(struct fake *fake, struct nvs_receive_buffer_complete *answer)
{
	fake_nvs(fake, golden_nvs_receive_buffer, sizeof golden_nvs_receive_buffer);
	memcpy(answer, fake_take(fake)->payload, sizeof *answer);
	assert_int_equal(answer->type, NVS_TYPE_RECEIVE_BUFFER_COMPLETE);
	return answer->status;
}

static void test_receive_buffer_geometry_follows_the_mtu(void **state)
{
	struct nvs_ndis_config config = {.type = NVS_TYPE_NDIS_CONFIG, .mtu = 2014};
	struct nvs_receive_buffer_complete answer;
	struct fake *fake = at(NVS_VERSION_5);

	(void)state;
	fake_nvs(fake, &config, sizeof config);
	fake_take(fake);
	assert_int_equal(receive_buffer_status(fake, &answer), NVS_STATUS_SUCCESS);
	assert_int_equal(answer.section_count, 1);
	assert_int_equal(answer.section.offset, 0);
	assert_int_equal(answer.section.suballocation_size, 1728 + 500);
	assert_int_equal(answer.section.suballocation_count, FAKE_RECEIVE_BYTES / 2228);
	assert_int_equal(answer.section.end_offset, 2228 * (FAKE_RECEIVE_BYTES / 2228));
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_buffers_that_are_none(void **state)
{
	struct nvs_receive_buffer_complete answer;
	struct nvs_send_buffer_complete send_answer;
	struct nvs_buffer send = {NVS_TYPE_SEND_BUFFER, 0x99, 0, 0};
	struct fake *fake = at(NVS_VERSION_1);

	(void)state;
	fake->partition.channel.gpadls[0].size = 16 * 1728; /* nothing left for data */
	assert_int_equal(receive_buffer_status(fake, &answer), NVS_STATUS_FAILURE);
	fake_expect_violation(fake, HVH_V_NVS_VALUE);
	fake_nvs(fake, &send, sizeof send);
	memcpy(&send_answer, fake_take(fake)->payload, sizeof send_answer);
	assert_int_equal(send_answer.status, NVS_STATUS_FAILURE);
	fake_expect_violation(fake, HVH_V_GPADL_ID);
	fake_destroy(fake);

	fake = at(NVS_VERSION_1);
	fake->partition.channel.gpadls[0].id = 1;
	assert_int_equal(receive_buffer_status(fake, &answer), NVS_STATUS_FAILURE);
	fake_expect_violation(fake, HVH_V_GPADL_ID);
	fake_destroy(fake);
}

/* OpenVMM: the first revoke is the last message that is read. */
static void test_revoke_may_end_the_channel(void **state)
{
	struct fake *fake = fake_create();

	(void)state;
	fake->partition.profile.revoke_completed = false;
	fake_negotiate(fake, NVS_VERSION_5);
	fake_nvs(fake, golden_nvs_revoke_receive_buffer, sizeof golden_nvs_revoke_receive_buffer);
	fake_nvs(fake, golden_nvs_revoke_send_buffer, sizeof golden_nvs_revoke_send_buffer);
	assert_int_equal(fake_waiting(fake), 0);
	assert_int_equal(fake->partition.channel.to_host.count, 1);
	fake_expect_lawful(fake);
	fake_close(fake);
	fake_negotiate(fake, NVS_VERSION_5); /* the next open starts anew */
	fake_destroy(fake);
}

static bool may_tear_down(struct fake *fake, uint32_t gpadl)
{
	struct hvh_channel *channel = &fake->partition.channel;

	return channel->ops->may_tear_down(channel->device, channel, gpadl);
}

static void test_torndown_of_a_buffer_in_use(void **state)
{
	struct fake *fake = negotiated(NVS_VERSION_5);

	(void)state;
	assert_true(may_tear_down(fake, 0x77)); /* a ring's */
	assert_false(may_tear_down(fake, FAKE_GPADL_RECEIVE));
	assert_false(may_tear_down(fake, FAKE_GPADL_RECEIVE));
	assert_int_equal(fake->partition.violation_count, 1); /* said once */
	fake_expect_violation(fake, HVH_V_GPADL_IN_USE);
	assert_false(may_tear_down(fake, FAKE_GPADL_SEND));
	fake_expect_violation(fake, HVH_V_GPADL_IN_USE);
	fake_close(fake);
	assert_true(may_tear_down(fake, FAKE_GPADL_RECEIVE));
	assert_true(may_tear_down(fake, FAKE_GPADL_SEND));
	fake_destroy(fake);
}

/* The revokes are in the ring, unread, when the tear-down message overtakes them. */
static void test_teardown_may_overtake_the_revoke(void **state)
{
	struct fake *fake = negotiated(NVS_VERSION_5);

	(void)state;
	fake_queue(fake, VMBUS_PACKET_IN_BAND, false, golden_nvs_revoke_receive_buffer, 8, 40);
	assert_true(may_tear_down(fake, FAKE_GPADL_RECEIVE));
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_2012_r2_withholds_torndown_until_close(void **state)
{
	struct fake *fake = fake_create();

	(void)state;
	fake->partition.profile.torndown_withheld = HVH_TORNDOWN_AT_CLOSE;
	fake_negotiate(fake, NVS_VERSION_5);
	fake_nvs(fake, golden_nvs_revoke_receive_buffer, sizeof golden_nvs_revoke_receive_buffer);
	fake_nvs(fake, golden_nvs_revoke_send_buffer, sizeof golden_nvs_revoke_send_buffer);
	assert_false(may_tear_down(fake, FAKE_GPADL_RECEIVE));
	assert_true(may_tear_down(fake, FAKE_GPADL_SEND));
	fake_close(fake);
	assert_true(may_tear_down(fake, FAKE_GPADL_RECEIVE));
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* One in four is withheld, and not for ever. */
static void test_torndown_is_withheld_now_and_then(void **state)
{
	unsigned withheld = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 64; seed++) {
		struct fake *fake = fake_create();

		fake->partition.random += seed * 977;
		fake->partition.profile.torndown_withheld = HVH_TORNDOWN_NOW_AND_THEN;
		fake_negotiate(fake, NVS_VERSION_5);
		fake_nvs(fake, golden_nvs_revoke_receive_buffer, sizeof golden_nvs_revoke_receive_buffer);
		if (!may_tear_down(fake, FAKE_GPADL_RECEIVE)) {
			withheld++;
			assert_false(may_tear_down(fake, FAKE_GPADL_RECEIVE)); /* once decided, decided */
			fake->now += 9 * HVH_TIME_PER_SECOND;
			fake_run(fake);
			assert_int_equal(fake->partition.channel.released, 0);
			fake->now += 2 * HVH_TIME_PER_SECOND;
			fake_run(fake);
			assert_int_equal(fake->partition.channel.released, FAKE_GPADL_RECEIVE);
		}
		fake_close(fake);
		assert_true(may_tear_down(fake, FAKE_GPADL_RECEIVE));
		fake_destroy(fake);
	}
	assert_in_range(withheld, 4, 32);
}

static void silent(enum hvh_silence step, const void *message, uint32_t length)
{
	struct fake *fake = step == HVH_SILENCE_NVS_INIT ? fake_create() : at(NVS_VERSION_1);

	if (step == HVH_SILENCE_NVS_INIT)
		fake_open(fake);
	fake->partition.silence = step;
	fake_nvs(fake, message, length);
	assert_int_equal(fake_waiting(fake), 0);
	assert_int_equal(fake->partition.channel.to_host.count, 0); /* taken */
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_silences(void **state)
{
	(void)state;
	silent(HVH_SILENCE_NVS_INIT, golden_nvs_init_5_0, sizeof golden_nvs_init_5_0);
	silent(HVH_SILENCE_NVS_RECEIVE_BUFFER, golden_nvs_receive_buffer, sizeof golden_nvs_receive_buffer);
	silent(HVH_SILENCE_NVS_SEND_BUFFER, golden_nvs_send_buffer, sizeof golden_nvs_send_buffer);
}

/* Bytes from nowhere: violations or nothing, never more. */
static void test_hostile_messages(void **state)
{
	static const uint32_t types[] = {1, 100, 101, 103, 104, 106, 107, 125, 129, 133, 2, 0, 134};
	struct fake *fake = fake_create();

	(void)state;
	for (uint32_t round = 0; round < 3000; round++) {
		uint8_t message[40];

		if (round % 3 == 0)
			fake_negotiate(fake, versions[round % VERSIONS]);
		else
			fake_open(fake);
		for (uint32_t n = 0; n < 8; n++) {
			for (uint32_t i = 0; i < sizeof message; i++)
				message[i] = hvh_random(&fake->partition) % 4 != 0
						     ? 0
						     : (uint8_t)hvh_random(&fake->partition);
			message[0] = (uint8_t)
				types[hvh_random(&fake->partition) % (sizeof types / sizeof types[0])];
			fake_queue(fake, hvh_random(&fake->partition) % 4 != 0 ? 6 : 9, true, message,
				   sizeof message, (uint32_t)(hvh_random(&fake->partition) % 6 * 8));
		}
		fake_run(fake);
		fake_close(fake);
		fake->partition.violation_count = 0;
	}
	fake_destroy(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions_are_gated_by_the_profile),
		cmocka_unit_test(test_unknown_version_is_refused),
		cmocka_unit_test(test_answers_have_the_length_of_their_version),
		cmocka_unit_test(test_dialogue_at_5_0_byte_for_byte),
		cmocka_unit_test(test_version_1_tells_its_version),
		cmocka_unit_test(test_no_completion_requested_none_sent),
		cmocka_unit_test(test_order_is_kept),
		cmocka_unit_test(test_version_1_needs_no_ndis_config),
		cmocka_unit_test(test_types_of_other_versions_and_directions),
		cmocka_unit_test(test_short_requests_are_never_answered),
		cmocka_unit_test(test_padding_is_zero),
		cmocka_unit_test(test_pages_only_with_rndis),
		cmocka_unit_test(test_values_out_of_range),
		cmocka_unit_test(test_receive_buffer_geometry_follows_the_mtu),
		cmocka_unit_test(test_buffers_that_are_none),
		cmocka_unit_test(test_revoke_may_end_the_channel),
		cmocka_unit_test(test_torndown_of_a_buffer_in_use),
		cmocka_unit_test(test_teardown_may_overtake_the_revoke),
		cmocka_unit_test(test_2012_r2_withholds_torndown_until_close),
		cmocka_unit_test(test_torndown_is_withheld_now_and_then),
		cmocka_unit_test(test_silences),
		cmocka_unit_test(test_hostile_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
