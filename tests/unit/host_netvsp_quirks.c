/* SPDX-License-Identifier: MIT */
/* The quirks of the network card: those that are numbers change what the guest is told, and
 * what it is held to is what it was told. Those of sub-channels: host_netvsp_subchannels.c. */
#include "host_netvsp_fake.h"

#define FRAMES 20u

static void initialize(struct fake *fake)
{
	fake_negotiate(fake, NVS_VERSION_5);
	fake_initialize(fake);
}

/* INITIALIZE_CMPLT; the caller sets the filter, if there is to be one. */
static struct rndis_initialize_complete told(struct fake *fake)
{
	struct vmbus_transfer_page_range ranges[375];
	struct rndis_initialize_complete answer = {0};

	fake_negotiate(fake, NVS_VERSION_5);
	fake_control(fake, golden_rndis_initialize, sizeof golden_rndis_initialize);
	while (fake_waiting(fake) > 0 && answer.header.type != (RNDIS_MSG_INITIALIZE | RNDIS_MSG_COMPLETE)) {
		const struct fake_packet *packet = fake_take(fake);
		if (packet->type != VMBUS_PACKET_TRANSFER_PAGES)
			continue;
		fake_ranges(packet, ranges);
		memcpy(&answer, fake->partition.channel.gpadls[0].bytes + ranges[0].byte_offset,
		       sizeof answer);
	}
	return answer;
}

/* A word of the answer to SEND_RECEIVE_BUFFER or SEND_SEND_BUFFER. */
static uint32_t buffer_answer(struct fake *fake, uint32_t type, uint32_t word)
{
	const struct nvs_buffer receive = {NVS_TYPE_RECEIVE_BUFFER, FAKE_GPADL_RECEIVE,
					   NVS_RECEIVE_PAGE_SET_ID, 0};
	const struct nvs_buffer send = {NVS_TYPE_SEND_BUFFER, FAKE_GPADL_SEND, NVS_SEND_PAGE_SET_ID, 0};
	uint32_t value;

	fake_open(fake);
	fake_init(fake, NVS_VERSION_5);
	fake_nvs(fake, golden_nvs_ndis_config, sizeof golden_nvs_ndis_config);
	fake_nvs(fake, golden_nvs_ndis_version_6_30, sizeof golden_nvs_ndis_version_6_30);
	while (fake_waiting(fake) > 0)
		fake_take(fake);
	if (type == NVS_TYPE_RECEIVE_BUFFER)
		fake_nvs(fake, &receive, sizeof receive);
	else
		fake_nvs(fake, &send, sizeof send);
	memcpy(&value, fake_take(fake)->payload + 4 * word, sizeof value);
	return value;
}

static void pieces_of_the_receive_buffer(void **state)
{
	static const uint32_t sizes[] = {1728, 1806, 8192};

	(void)state;
	for (uint32_t n = 0; n < 3; n++) {
		struct fake *fake = fake_create();

		fake->partition.profile.receive_suballocation = sizes[n];
		fake->partition.channel.gpadls[0].bytes = realloc(fake->partition.channel.gpadls[0].bytes,
								  4 * FAKE_RECEIVE_BYTES);
		fake->partition.channel.gpadls[0].size = 4 * FAKE_RECEIVE_BYTES;
		assert_int_equal(buffer_answer(fake, NVS_TYPE_RECEIVE_BUFFER, 4), sizes[n]);
		fake_destroy(fake);
	}
}

static void sections_of_the_send_buffer(void **state)
{
	static const uint32_t sizes[] = {512, 6144, 65536};

	(void)state;
	for (uint32_t n = 0; n < 3; n++) {
		struct fake *fake = fake_create();

		fake->partition.profile.send_section = sizes[n];
		assert_int_equal(buffer_answer(fake, NVS_TYPE_SEND_BUFFER, 2), sizes[n]);
		fake_destroy(fake);
	}
}

/* Outside deterministic mode a packet is as full as it may be. */
static void messages_in_a_transfer_page_packet(void **state)
{
	static const uint32_t most[] = {1, 5, 375};
	static const uint8_t frame[60] = {0x00, 0x15, 0x5d, 1, 2, 3};

	(void)state;
	for (uint32_t n = 0; n < 3; n++) {
		struct fake *fake = fake_create();
		uint32_t count;

		fake->partition.deterministic = false;
		fake->partition.profile.ranges_per_packet_max = most[n];
		fake->partition.profile.filter_set_at_start = true;
		initialize(fake);
		for (uint32_t i = 0; i < FRAMES; i++)
			assert_true(hvh_nic_receive(fake->nic, fake->now, frame, sizeof frame));
		fake_run(fake);
		memcpy(&count, fake_take(fake)->extension + 4, sizeof count);
		assert_int_equal(count, most[n] < FRAMES ? most[n] : FRAMES);
		fake_destroy(fake);
	}
}

/* count RNDIS packets of a frame each, every one with so many bytes behind its frame. */
static uint32_t send_packets(struct fake *fake, uint32_t count, uint32_t behind)
{
	const uint32_t one = sizeof golden_rndis_packet + behind;
	uint8_t message[8192] = {0};
	uint32_t status;

	for (uint32_t i = 0; i < count; i++) {
		memcpy(message + i * one, golden_rndis_packet, sizeof golden_rndis_packet);
		memcpy(message + i * one + 4, &one, sizeof one);
	}
	while (fake_waiting(fake) > 0)
		fake_take(fake);
	fake_pages(fake, NVS_CHANNEL_DATA, message, count * one);
	fake_run(fake);
	memcpy(&status, fake_take(fake)->payload + 4, sizeof status);
	return status;
}

static void packets_in_an_rndis_message(void **state)
{
	static const uint32_t most[] = {1, 8, 12};

	(void)state;
	for (uint32_t n = 0; n < 3; n++) {
		struct fake *fake = fake_create();

		fake->partition.profile.rndis_packets_max = most[n];
		assert_int_equal(told(fake).max_packets_per_message, most[n]);
		fake->partition.profile.rndis_packets_max = 3; /* too late: it has been told */
		assert_int_equal(send_packets(fake, most[n], 0), NVS_STATUS_SUCCESS);
		fake_expect_lawful(fake);
		assert_int_equal(send_packets(fake, most[n] + 1, 0), NVS_STATUS_FAILURE);
		fake_expect_violation(fake, HVH_V_RNDIS);
		fake_destroy(fake);
	}
}

static void alignment_in_an_rndis_message(void **state)
{
	(void)state;
	for (uint32_t factor = 0; factor < 8; factor++) {
		struct fake *fake = fake_create();
		uint32_t aligned = (1u << factor) - sizeof golden_rndis_packet % (1u << factor);

		fake->partition.profile.rndis_alignment_factor = factor;
		assert_int_equal(told(fake).packet_alignment_factor, factor);
		fake->partition.profile.rndis_alignment_factor = 7 - factor; /* too late */
		assert_int_equal(send_packets(fake, 2, aligned), NVS_STATUS_SUCCESS);
		fake_expect_lawful(fake);
		if (factor > 0) {
			assert_int_equal(send_packets(fake, 2, aligned + (1u << factor) / 2),
					 NVS_STATUS_FAILURE);
			fake_expect_violation(fake, HVH_V_RNDIS);
		}
		fake_destroy(fake);
	}
}

/* Windows says nothing to a request that it finds too short; other hosts read what they need. */
static void requests_below_32_bytes(void **state)
{
	const struct nvs_init init = {NVS_TYPE_INIT, NVS_VERSION_5, NVS_VERSION_5};

	(void)state;
	for (uint32_t ignored = 0; ignored < 2; ignored++) {
		struct fake *fake = fake_create();

		fake->partition.profile.short_nvs_ignored = ignored;
		fake_open(fake);
		fake_queue(fake, VMBUS_PACKET_IN_BAND, true, &init, sizeof init, 16);
		fake_run(fake);
		assert_int_equal(fake_waiting(fake), !ignored);
		if (ignored)
			fake_expect_violation(fake, HVH_V_NVS_SIZE);
		fake_expect_lawful(fake);
		fake_destroy(fake);
	}
}

static uint32_t receive_buffer_of(uint32_t version, uint32_t bytes, bool limited)
{
	const struct nvs_buffer receive = {NVS_TYPE_RECEIVE_BUFFER, FAKE_GPADL_RECEIVE,
					   NVS_RECEIVE_PAGE_SET_ID, 0};
	struct fake *fake = fake_create();
	uint32_t status;

	fake->partition.profile.receive_buffer_limited = limited;
	fake->partition.channel.gpadls[0].size = bytes; /* nothing is written there */
	fake_open(fake);
	fake_init(fake, version);
	if (version >= NVS_VERSION_2)
		fake_nvs(fake, golden_nvs_ndis_config, sizeof golden_nvs_ndis_config);
	while (fake_waiting(fake) > 0)
		fake_take(fake);
	fake_nvs(fake, &receive, sizeof receive);
	memcpy(&status, fake_take(fake)->payload + 4, sizeof status);
	if (status != NVS_STATUS_SUCCESS)
		fake_expect_violation(fake, HVH_V_NVS_VALUE);
	fake_expect_lawful(fake);
	fake_destroy(fake);
	return status;
}

static void size_of_the_receive_buffer(void **state)
{
	const uint32_t old = 15u << 20, newer = 31u << 20;

	(void)state;
	assert_int_equal(receive_buffer_of(NVS_VERSION_1, old, true), NVS_STATUS_SUCCESS);
	assert_int_equal(receive_buffer_of(NVS_VERSION_1, old + 4096, true), NVS_STATUS_FAILURE);
	assert_int_equal(receive_buffer_of(NVS_VERSION_2, old, true), NVS_STATUS_SUCCESS);
	assert_int_equal(receive_buffer_of(NVS_VERSION_2, 16u << 20, true), NVS_STATUS_FAILURE);
	assert_int_equal(receive_buffer_of(NVS_VERSION_2, 16u << 20, false), NVS_STATUS_SUCCESS);
	assert_int_equal(receive_buffer_of(NVS_VERSION_4, newer, true), NVS_STATUS_SUCCESS);
	assert_int_equal(receive_buffer_of(NVS_VERSION_4, newer + 4096, true), NVS_STATUS_FAILURE);
	assert_int_equal(receive_buffer_of(NVS_VERSION_6_1, newer + 4096, false), NVS_STATUS_SUCCESS);
}

static uint32_t query_status(struct fake *fake, uint32_t offset, uint32_t length)
{
	struct rndis_request query = {.header = {RNDIS_MSG_QUERY, sizeof query},
				      .request_id = 9,
				      .oid = RNDIS_OID_802_3_PERMANENT_ADDRESS,
				      .information_length = length,
				      .information_offset = offset};
	struct vmbus_transfer_page_range ranges[375];
	const struct fake_packet *packet;
	uint32_t status;

	fake_control(fake, &query, sizeof query);
	fake_take(fake);
	packet = fake_take(fake);
	fake_ranges(packet, ranges);
	memcpy(&status, fake->partition.channel.gpadls[0].bytes + ranges[0].byte_offset + 12, sizeof status);
	fake_complete(fake, packet->transaction_id);
	return status;
}

static void a_query_without_the_offset_of_nothing(void **state)
{
	struct fake *fake = fake_create();

	(void)state;
	initialize(fake);
	assert_int_equal(query_status(fake, 20, 0), RNDIS_STATUS_SUCCESS);
	fake_expect_lawful(fake);
	assert_int_equal(query_status(fake, 0, 0), RNDIS_STATUS_INVALID_DATA);
	fake_expect_violation(fake, HVH_V_RNDIS);
	fake->partition.profile.information_offset_required = false;
	assert_int_equal(query_status(fake, 0, 0), RNDIS_STATUS_SUCCESS);
	fake_expect_lawful(fake);
	assert_int_equal(query_status(fake, 0, 4), RNDIS_STATUS_INVALID_DATA); /* there is something */
	fake_expect_violation(fake, HVH_V_RNDIS);
	fake_destroy(fake);
}

/* How many of 200 frames lie at no multiple of 4 in their message. */
static uint32_t unaligned_frames(enum hvh_tendency tendency)
{
	static const uint8_t frame[60] = {0x00, 0x15, 0x5d, 1, 2, 3};
	struct vmbus_transfer_page_range ranges[375];
	struct fake *fake = fake_create();
	uint32_t unaligned = 0, seen = 0;

	fake->partition.profile.data_offset_unaligned = tendency;
	initialize(fake);
	while (seen < 200) {
		const struct fake_packet *packet;

		assert_true(hvh_nic_receive(fake->nic, fake->now, frame, sizeof frame));
		fake_run(fake);
		packet = fake_take(fake);
		for (uint32_t r = 0, count = fake_ranges(packet, ranges); r < count; r++, seen++) {
			const uint8_t *message = fake->partition.channel.gpadls[0].bytes +
						 ranges[r].byte_offset;
			struct rndis_packet header;

			memcpy(&header, message, sizeof header);
			assert_memory_equal(message + 8 + header.data_offset, frame, sizeof frame);
			unaligned += header.data_offset % 4 != 0;
		}
		fake_complete(fake, packet->transaction_id);
	}
	fake_destroy(fake);
	return unaligned;
}

static void where_frames_lie(void **state)
{
	(void)state;
	assert_int_equal(unaligned_frames(HVH_NOT_EVER), 0);
	assert_int_equal(unaligned_frames(HVH_EVERY_TIME), 200);
	assert_in_range(unaligned_frames(HVH_BY_SEED), 20, 180);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_the_receive_buffer),
		cmocka_unit_test(sections_of_the_send_buffer),
		cmocka_unit_test(messages_in_a_transfer_page_packet),
		cmocka_unit_test(packets_in_an_rndis_message),
		cmocka_unit_test(alignment_in_an_rndis_message),
		cmocka_unit_test(requests_below_32_bytes),
		cmocka_unit_test(size_of_the_receive_buffer),
		cmocka_unit_test(a_query_without_the_offset_of_nothing),
		cmocka_unit_test(where_frames_lie),
	};

	return cmocka_run_group_tests_name("host_netvsp_quirks", tests, NULL, NULL);
}
