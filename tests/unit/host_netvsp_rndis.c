/* SPDX-License-Identifier: MIT */
/* The network card's host side: RNDIS control messages and what the host says itself. */
#include "host_netvsp_fake.h"

static struct fake *negotiated(void)
{
	struct fake *fake = fake_create();

	fake->partition.profile.nvs_newest = NVS_VERSION_2; /* sends no 0x40020006 by itself */
	fake_negotiate(fake, NVS_VERSION_2);
	return fake;
}

static struct fake *initialized(void)
{
	struct fake *fake = negotiated();

	fake_initialize(fake);
	return fake;
}

static void expect_taken(struct fake *fake, uint64_t id)
{
	fake_expect_completion(fake, id, golden_nvs_rndis_complete, sizeof golden_nvs_rndis_complete);
}

static void expect_refused(struct fake *fake, uint64_t id)
{
	const struct nvs_rndis_complete refused = {NVS_TYPE_RNDIS_COMPLETE, NVS_STATUS_FAILURE};

	fake_expect_completion(fake, id, &refused, sizeof refused);
}

static void test_dialogue_byte_for_byte(void **state)
{
	struct fake *fake = negotiated();

	(void)state;
	expect_taken(fake, fake_control(fake, golden_rndis_initialize, sizeof golden_rndis_initialize));
	fake_expect_message(fake, golden_rndis_initialize_complete, sizeof golden_rndis_initialize_complete);
	expect_taken(fake, fake_control(fake, golden_rndis_query_mac, sizeof golden_rndis_query_mac));
	fake_expect_message(fake, golden_rndis_query_complete_mac, sizeof golden_rndis_query_complete_mac);
	expect_taken(fake, fake_control(fake, golden_rndis_set_filter, sizeof golden_rndis_set_filter));
	fake_expect_message(fake, golden_rndis_set_complete, sizeof golden_rndis_set_complete);
	expect_taken(fake, fake_control(fake, golden_rndis_keepalive, sizeof golden_rndis_keepalive));
	fake_expect_message(fake, golden_rndis_keepalive_complete, sizeof golden_rndis_keepalive_complete);
	expect_taken(fake, fake_control(fake, golden_rndis_halt, sizeof golden_rndis_halt));
	assert_int_equal(fake_waiting(fake), 0); /* HALT has no reply */
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* Control replies come in the sub-allocations kept for them, 0 to 15, the transaction
 * id is the sub-allocation's. */
static void test_control_has_its_own_suballocations(void **state)
{
	struct fake *fake = initialized();
	struct vmbus_transfer_page_range ranges[375];
	uint32_t seen = 0;

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		fake_control(fake, golden_rndis_keepalive, sizeof golden_rndis_keepalive);
	for (uint32_t count = fake_waiting(fake); count > 0; count--) {
		struct fake_packet *packet = fake_take(fake);

		if (packet->type != VMBUS_PACKET_TRANSFER_PAGES)
			continue;
		assert_int_equal(fake_ranges(packet, ranges), 1);
		assert_true(packet->transaction_id < 16);
		assert_int_equal(seen & 1u << packet->transaction_id, 0);
		seen |= 1u << packet->transaction_id;
		assert_int_equal(ranges[0].byte_offset, packet->transaction_id * 1728);
	}
	assert_int_equal(seen, 0xffff); /* and the others wait */
	for (uint32_t id = 0; id < 4; id++)
		fake_complete(fake, id);
	assert_int_equal(fake_waiting(fake), 4);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static struct rndis_query_complete query(struct fake *fake, uint32_t oid, uint8_t *answer)
{
	struct rndis_request request = {.header = {RNDIS_MSG_QUERY, sizeof request},
					.request_id = 7,
					.oid = oid,
					.information_offset = RNDIS_REQUEST_INFORMATION_OFFSET};
	struct rndis_query_complete complete;
	struct vmbus_transfer_page_range ranges[375];
	struct fake_packet *packet;
	const uint8_t *bytes;

	expect_taken(fake, fake_control(fake, &request, sizeof request));
	packet = fake_take(fake);
	assert_int_equal(fake_ranges(packet, ranges), 1);
	bytes = fake->partition.channel.gpadls[0].bytes + ranges[0].byte_offset;
	memcpy(&complete, bytes, sizeof complete);
	assert_int_equal(complete.header.type, RNDIS_MSG_QUERY | RNDIS_MSG_COMPLETE);
	assert_int_equal(complete.header.length, ranges[0].byte_count);
	assert_int_equal(complete.header.length, sizeof complete + complete.information_length);
	assert_int_equal(complete.request_id, 7);
	if (complete.status == RNDIS_STATUS_SUCCESS)
		assert_int_equal(complete.information_offset, 16);
	memcpy(answer, bytes + sizeof complete, complete.information_length);
	fake_complete(fake, packet->transaction_id);
	return complete;
}

static uint32_t number(struct fake *fake, uint32_t oid)
{
	uint8_t answer[512];
	uint32_t value;

	assert_int_equal(query(fake, oid, answer).information_length, sizeof value);
	memcpy(&value, answer, sizeof value);
	return value;
}

static void test_identifiers(void **state)
{
	struct fake *fake = initialized();
	uint8_t answer[512];

	(void)state;
	assert_int_equal(number(fake, RNDIS_OID_GEN_MAXIMUM_FRAME_SIZE), 1500);
	assert_int_equal(number(fake, RNDIS_OID_GEN_MAXIMUM_TOTAL_SIZE), 1514);
	assert_int_equal(number(fake, RNDIS_OID_GEN_LINK_SPEED), 100000000);
	assert_int_equal(number(fake, RNDIS_OID_GEN_MEDIA_CONNECT_STATUS), 0);
	assert_int_equal(number(fake, RNDIS_OID_GEN_CURRENT_PACKET_FILTER), 0x0d);
	assert_int_equal(number(fake, RNDIS_OID_GEN_MEDIA_IN_USE), 0);
	assert_int_equal(query(fake, RNDIS_OID_802_3_CURRENT_ADDRESS, answer).information_length, 6);
	assert_memory_equal(answer, "\x00\x15\x5d\x01\x02\x03", 6);
	assert_int_equal(query(fake, RNDIS_OID_GEN_FRIENDLY_NAME, answer).information_length, 30);
	assert_memory_equal(answer, "N\0e\0t\0", 6);
	/* Receive scaling, as before NDIS 6.20. */
	assert_int_equal(query(fake, 0x00010203u, answer).information_length, 16);
	assert_memory_equal(answer, "\x88\x01\x10\0\x01\x03\0\0", 8);
	assert_int_equal(answer[12], FAKE_CHANNELS);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* Every identifier of the list is answered, and none in vain. */
static void test_supported_list_is_true(void **state)
{
	struct fake *fake = initialized();
	uint8_t list[512], answer[512];
	struct rndis_query_complete complete = query(fake, RNDIS_OID_GEN_SUPPORTED_LIST, list);
	uint32_t answered = 0;

	(void)state;
	assert_true(complete.information_length > 0 && complete.information_length % 4 == 0);
	for (uint32_t at = 0; at < complete.information_length; at += 4) {
		uint32_t oid;

		memcpy(&oid, list + at, sizeof oid);
		if (query(fake, oid, answer).status == RNDIS_STATUS_SUCCESS)
			answered++;
		fake->partition.violation_count = 0; /* some can only be set */
		memset(fake->partition.violations, 0, sizeof fake->partition.violations);
	}
	assert_true(answered > 30);
	fake_destroy(fake);
}

/* Linux takes no card without an answer to this one. */
static void test_offload_capabilities(void **state)
{
	uint8_t request[28 + 156] = {0};
	const struct rndis_request head = {{RNDIS_MSG_QUERY, sizeof request}, 7, 0xfc01020du, 144, 20, 0};
	struct fake *fake = fake_create();
	struct vmbus_transfer_page_range ranges[375];
	struct rndis_query_complete complete;
	const uint8_t *bytes;

	(void)state;
	fake_negotiate(fake, NVS_VERSION_5);
	fake_initialize(fake);
	memcpy(request, &head, sizeof head);
	expect_taken(fake, fake_control(fake, request, sizeof request));
	fake_ranges(fake_take(fake), ranges);
	bytes = fake->partition.channel.gpadls[0].bytes + ranges[0].byte_offset;
	memcpy(&complete, bytes, sizeof complete);
	assert_int_equal(complete.status, RNDIS_STATUS_SUCCESS);
	assert_int_equal(complete.information_length, 144); /* asked for revision 2 */
	assert_memory_equal(bytes + 24, "\xa7\x02\x90\x00", 4);
	assert_memory_equal(bytes + 24 + 4, "\x02\0\0\0\x55\x01\0\0", 8);             /* checksums */
	assert_memory_equal(bytes + 24 + 80, "\x02\0\0\0\xff\xff\0\0\x02\0\0\0", 12); /* large sends */
	fake_destroy(fake);
}

static void test_unknown_identifiers(void **state)
{
	struct fake *fake = initialized();
	uint8_t answer[512];

	(void)state;
	assert_int_equal(query(fake, 0x12345678u, answer).status, RNDIS_STATUS_NOT_SUPPORTED);
	fake_expect_violation(fake, HVH_V_RNDIS_OID);
	/* Known to other hosts: refused, and no offence. */
	assert_int_equal(query(fake, 0x00010204u, answer).status, RNDIS_STATUS_NOT_SUPPORTED);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* The status of the reply to a query or set with one field changed. */
static uint32_t changed_status(const uint8_t *message, uint32_t length, uint32_t at, uint8_t value,
			       enum hvh_violation_kind kind)
{
	struct fake *fake = initialized();
	struct vmbus_transfer_page_range ranges[375];
	uint8_t changed[64];
	uint32_t status;

	memcpy(changed, message, length);
	changed[at] = value;
	expect_taken(fake, fake_control(fake, changed, length));
	fake_ranges(fake_take(fake), ranges);
	memcpy(&status, fake->partition.channel.gpadls[0].bytes + ranges[0].byte_offset + 12, sizeof status);
	fake_expect_violation(fake, kind);
	fake_destroy(fake);
	return status;
}

static void test_information_must_be_inside(void **state)
{
	const uint8_t *query_mac = golden_rndis_query_mac, *set = golden_rndis_set_filter;

	(void)state;
	/* Offset 0 fails even where there is nothing at it (FreeBSD). */
	assert_int_equal(changed_status(query_mac, 28, 20, 0, HVH_V_RNDIS), RNDIS_STATUS_INVALID_DATA);
	assert_int_equal(changed_status(query_mac, 28, 16, 1, HVH_V_RNDIS), RNDIS_STATUS_INVALID_DATA);
	assert_int_equal(changed_status(set, 32, 20, 21, HVH_V_RNDIS), RNDIS_STATUS_INVALID_DATA);
	assert_int_equal(changed_status(set, 32, 19, 0xff, HVH_V_RNDIS), RNDIS_STATUS_INVALID_DATA);
	assert_int_equal(changed_status(set, 32, 16, 3, HVH_V_RNDIS), RNDIS_STATUS_INVALID_DATA);
	assert_int_equal(changed_status(set, 32, 31, 0x80, HVH_V_RNDIS), RNDIS_STATUS_INVALID_DATA);
	assert_int_equal(changed_status(query_mac, 28, 24, 1, HVH_V_RNDIS), RNDIS_STATUS_SUCCESS);
}

static void test_initialize_versions_and_repeats(void **state)
{
	uint8_t version_2[sizeof golden_rndis_initialize];
	uint8_t refused[sizeof golden_rndis_initialize_complete];
	const uint32_t bad_version = RNDIS_STATUS_BAD_VERSION, failure = RNDIS_STATUS_FAILURE;
	struct fake *fake = negotiated();

	(void)state;
	memcpy(version_2, golden_rndis_initialize, sizeof version_2);
	version_2[12] = 2;
	expect_taken(fake, fake_control(fake, version_2, sizeof version_2));
	memcpy(refused, golden_rndis_initialize_complete, sizeof refused);
	memcpy(refused + 12, &bad_version, sizeof bad_version);
	fake_expect_message(fake, refused, sizeof refused);
	fake_expect_violation(fake, HVH_V_RNDIS);

	fake_initialize(fake);
	expect_taken(fake, fake_control(fake, golden_rndis_initialize, sizeof golden_rndis_initialize));
	memcpy(refused + 12, &failure, sizeof failure);
	fake_expect_message(fake, refused, sizeof refused);
	fake_expect_violation(fake, HVH_V_RNDIS_ORDER);

	/* HALT brings it back to the start (MS-RNDIS). */
	expect_taken(fake, fake_control(fake, golden_rndis_halt, sizeof golden_rndis_halt));
	fake_initialize(fake);
	fake_destroy(fake);
}

static void test_nothing_before_initialize(void **state)
{
	struct fake *fake = negotiated();
	uint8_t failed[sizeof golden_rndis_set_complete];
	const uint32_t failure = RNDIS_STATUS_FAILURE;
	uint64_t id;

	(void)state;
	memcpy(failed, golden_rndis_set_complete, sizeof failed);
	memcpy(failed + 12, &failure, sizeof failure);
	expect_taken(fake, fake_control(fake, golden_rndis_set_filter, sizeof golden_rndis_set_filter));
	fake_expect_message(fake, failed, sizeof failed);
	fake_expect_violation(fake, HVH_V_RNDIS_ORDER);
	id = fake_pages(fake, NVS_CHANNEL_DATA, golden_rndis_packet, sizeof golden_rndis_packet)
		     ->transaction_id;
	fake_run(fake);
	expect_refused(fake, id);
	fake_expect_violation(fake, HVH_V_RNDIS_ORDER);
	assert_int_equal(fake->frames, 0);
	fake_destroy(fake);
}

static void test_malformed_control(void **state)
{
	struct fake *fake = initialized();
	uint8_t message[64] = {0};

	(void)state;
	expect_refused(fake, fake_control(fake, golden_rndis_keepalive, 8)); /* no request id */
	fake_expect_violation(fake, HVH_V_RNDIS);
	memcpy(message, golden_rndis_keepalive, sizeof golden_rndis_keepalive);
	message[4] = 13; /* longer than what was sent */
	expect_refused(fake, fake_control(fake, message, 12));
	fake_expect_violation(fake, HVH_V_RNDIS);
	message[4] = 12; /* bytes after it */
	expect_taken(fake, fake_control(fake, message, 16));
	fake_expect_violation(fake, HVH_V_RNDIS);
	fake_expect_message(fake, golden_rndis_keepalive_complete, sizeof golden_rndis_keepalive_complete);
	message[0] = RNDIS_MSG_QUERY; /* 28 bytes would be right */
	expect_refused(fake, fake_control(fake, message, 12));
	fake_expect_violation(fake, HVH_V_RNDIS);
	/* With the channel type of frames. */
	fake_pages(fake, NVS_CHANNEL_DATA, golden_rndis_keepalive, sizeof golden_rndis_keepalive);
	fake_run(fake);
	fake_expect_violation(fake, HVH_V_RNDIS);
	fake_destroy(fake);
}

static void test_reset_and_indications_end_the_worker(void **state)
{
	static const uint8_t types[] = {RNDIS_MSG_RESET, RNDIS_MSG_INDICATE_STATUS, 0x7f};

	(void)state;
	for (size_t i = 0; i < sizeof types; i++) {
		struct fake *fake = initialized();
		uint8_t message[12] = {types[i], 0, 0, 0, 12};

		fake_control(fake, message, sizeof message);
		assert_int_equal(fake_waiting(fake), 0);
		fake_expect_violation(fake, HVH_V_RNDIS);
		fake_control(fake, golden_rndis_keepalive, sizeof golden_rndis_keepalive);
		assert_int_equal(fake_waiting(fake), 0);
		fake_destroy(fake);
	}
}

static void test_more_requests_than_the_backlog(void **state)
{
	struct fake *fake = initialized();

	(void)state;
	for (uint32_t i = 0; i < 16 + 64; i++) /* in sub-allocations, and waiting */
		fake_control(fake, golden_rndis_keepalive, sizeof golden_rndis_keepalive);
	fake_expect_lawful(fake);
	fake_control(fake, golden_rndis_keepalive, sizeof golden_rndis_keepalive);
	fake_expect_violation(fake, HVH_V_RNDIS);
	fake_destroy(fake);
}

/* --- What the host says by itself ------------------------------------------------------- */

static void test_link_indications(void **state)
{
	struct fake *fake = initialized();

	(void)state;
	hvh_nic_set_link(fake->nic, fake->now, true); /* no change, no word */
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0);
	hvh_nic_set_link(fake->nic, fake->now, false);
	fake_run(fake);
	fake_expect_message(fake, golden_rndis_link_down, sizeof golden_rndis_link_down);
	assert_int_equal(number(fake, RNDIS_OID_GEN_MEDIA_CONNECT_STATUS), 1);
	hvh_nic_set_link(fake->nic, fake->now, true);
	fake_run(fake);
	fake_expect_message(fake, golden_rndis_link_up, sizeof golden_rndis_link_up);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static const uint8_t *range_bytes(struct fake *fake, const struct vmbus_transfer_page_range *range)
{
	return fake->partition.channel.gpadls[0].bytes + range->byte_offset;
}

static void expect_short_status(struct fake *fake, const struct vmbus_transfer_page_range *range)
{
	const uint8_t *bytes = range_bytes(fake, range);

	assert_int_equal(range->byte_count, GOLDEN_STATUS_0x40020006_RANGE);
	assert_memory_equal(bytes, golden_rndis_status_0x40020006_short,
			    sizeof golden_rndis_status_0x40020006_short);
	for (uint32_t i = sizeof golden_rndis_status_0x40020006_short; i < range->byte_count; i++)
		assert_int_equal(bytes[i], 0);
}

/* A 2012 R2 host after INITIALIZE_CMPLT. waits_for: 0 = anything, 1 = frames. */
static struct fake *ws2012r2(uint64_t waits_for)
{
	struct fake *fake = fake_create_without(HVH_NIC_NO_OFFLOADS);

	fake->partition.profile.nvs_newest = NVS_VERSION_5;
	fake->partition.profile.status_0x40020006_malformed = true;
	fake->partition.choice = waits_for;
	fake_negotiate(fake, NVS_VERSION_5);
	expect_taken(fake, fake_control(fake, golden_rndis_initialize, sizeof golden_rndis_initialize));
	fake_expect_message(fake, golden_rndis_initialize_complete, sizeof golden_rndis_initialize_complete);
	assert_int_equal(fake_waiting(fake), 0);
	return fake;
}

/* The reply to the guest's next query follows the status in the same packet: whoever
 * reads on by the status' own length loses it. */
static void test_short_status_before_a_reply(void **state)
{
	struct fake *fake = ws2012r2(0);
	struct vmbus_transfer_page_range ranges[375];
	struct fake_packet *packet;

	(void)state;
	expect_taken(fake, fake_control(fake, golden_rndis_query_mac, sizeof golden_rndis_query_mac));
	packet = fake_take(fake);
	assert_int_equal(fake_ranges(packet, ranges), 2);
	expect_short_status(fake, &ranges[0]);
	assert_int_equal(ranges[1].byte_count, sizeof golden_rndis_query_complete_mac);
	assert_memory_equal(range_bytes(fake, &ranges[1]), golden_rndis_query_complete_mac,
			    sizeof golden_rndis_query_complete_mac);
	fake_complete(fake, packet->transaction_id);
	/* Once. */
	expect_taken(fake, fake_control(fake, golden_rndis_query_mac, sizeof golden_rndis_query_mac));
	fake_expect_message(fake, golden_rndis_query_complete_mac, sizeof golden_rndis_query_complete_mac);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_short_status_before_a_frame(void **state)
{
	struct fake *fake = ws2012r2(1);
	struct vmbus_transfer_page_range ranges[375];
	uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5, 1, 2, 3};
	struct rndis_packet packet;

	(void)state;
	expect_taken(fake, fake_control(fake, golden_rndis_set_filter, sizeof golden_rndis_set_filter));
	fake_expect_message(fake, golden_rndis_set_complete, sizeof golden_rndis_set_complete);
	assert_true(hvh_nic_receive(fake->nic, fake->now, frame, sizeof frame));
	fake_run(fake);
	assert_int_equal(fake_ranges(fake_take(fake), ranges), 2);
	expect_short_status(fake, &ranges[0]);
	memcpy(&packet, range_bytes(fake, &ranges[1]), sizeof packet);
	assert_int_equal(packet.header.type, RNDIS_MSG_PACKET);
	assert_memory_equal(range_bytes(fake, &ranges[1]) + 8 + packet.data_offset, frame, sizeof frame);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* Nothing comes to share a packet with: it goes alone in the end. */
static void test_short_status_alone(void **state)
{
	struct fake *fake = ws2012r2(0);
	struct vmbus_transfer_page_range ranges[375];
	uint64_t before = fake->now;

	(void)state;
	fake_wait(fake);
	assert_true(fake->now > before);
	assert_int_equal(fake_ranges(fake_take(fake), ranges), 1);
	expect_short_status(fake, &ranges[0]);
	fake_destroy(fake);
}

static void test_status_is_whole_elsewhere(void **state)
{
	uint8_t whole[GOLDEN_STATUS_0x40020006_RANGE] = {0};
	struct fake *fake = fake_create_without(HVH_NIC_NO_OFFLOADS);

	(void)state;
	memcpy(whole, golden_rndis_status_0x40020006_short, sizeof golden_rndis_status_0x40020006_short);
	whole[4] = 176;
	fake_negotiate(fake, NVS_VERSION_6_1);
	expect_taken(fake, fake_control(fake, golden_rndis_initialize, sizeof golden_rndis_initialize));
	fake_expect_message(fake, golden_rndis_initialize_complete, sizeof golden_rndis_initialize_complete);
	fake_expect_message(fake, whole, sizeof whole);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* The host says what it has made of the offload parameters (OpenVMM): here of TCP over IPv4. */
static void test_offload_parameters_are_followed_by_a_status(void **state)
{
	static const uint8_t set[56] = {5,    0,    0,  0, 56, 0, 0,  0, 0, 0, 1, 0, 0x0c, 0x02,
					0x01, 0xfc, 28, 0, 0,  0, 20, 0, 0, 0, 0, 0, 0,    0,
					0x80, 3,    28, 0, 1,  2, 1,  1, 1, 1, 1, 2, 1};
	struct vmbus_transfer_page_range ranges[375];
	struct fake *fake = initialized();
	const uint8_t *bytes;

	(void)state;
	expect_taken(fake, fake_control(fake, set, sizeof set));
	fake_expect_message(fake, golden_rndis_set_complete, sizeof golden_rndis_set_complete);
	fake_ranges(fake_take(fake), ranges);
	bytes = range_bytes(fake, &ranges[0]);
	assert_int_equal(ranges[0].byte_count, 20 + 112);
	assert_memory_equal(bytes + 8, "\x06\x00\x02\x40", 4);
	assert_memory_equal(bytes + 20, "\xa7\x01\x70\0\x02\0\0\0\x15\0\0\0\0\0\0\0", 16);
	assert_memory_equal(bytes + 20 + 80, "\x02\0\0\0\xff\xff\0\0\x02\0\0\0\0\0\0\0", 16);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* Wrong ones fail, here UDP's, which this version has not got, and nothing is said after that. */
static void test_wrong_offload_parameters(void **state)
{
	uint8_t set[56] = {5, 0, 0,  0, 56, 0, 0, 0, 0, 0, 1,    0, 0x0c, 0x02, 0x01, 0xfc, 28, 0,
			   0, 0, 20, 0, 0,  0, 0, 0, 0, 0, 0x80, 3, 28,   0,    0,    0,    4};
	const struct rndis_complete failed = {
		{RNDIS_MSG_SET | RNDIS_MSG_COMPLETE, 16}, 0x10000, RNDIS_STATUS_INVALID_DATA};
	struct fake *fake = initialized();

	(void)state;
	expect_taken(fake, fake_control(fake, set, sizeof set));
	fake_expect_message(fake, &failed, sizeof failed);
	fake_expect_violation(fake, HVH_V_RNDIS);
	assert_int_equal(fake_waiting(fake), 0);
	fake_destroy(fake);
}

/* A table that names a queue nobody promised; and no receive scaling where none is offered. */
static void test_rss_parameters(void **state)
{
	uint8_t set[28 + 40 + 40 + 8] = {5,    0, 0,  0, sizeof set, 0, 0,  0, 0, 0, 1, 0, 0x04, 0x02,
					 0x01, 0, 88, 0, 0,          0, 20, 0, 0, 0, 0, 0, 0,    0,
					 0x89, 2, 40, 0, 0,          0, 0,  0, 1, 3, 0, 0, 8,    0,
					 0,    0, 80, 0, 0,          0, 40, 0, 0, 0, 40};
	struct rndis_complete answer = {
		{RNDIS_MSG_SET | RNDIS_MSG_COMPLETE, 16}, 0x10000, RNDIS_STATUS_SUCCESS};
	struct fake *fake = initialized();

	(void)state;
	expect_taken(fake, fake_control(fake, set, sizeof set));
	fake_expect_message(fake, &answer, sizeof answer);
	fake_expect_lawful(fake);
	set[sizeof set - 4] = 1;
	expect_taken(fake, fake_control(fake, set, sizeof set));
	answer.status = RNDIS_STATUS_INVALID_DATA;
	fake_expect_message(fake, &answer, sizeof answer);
	fake_expect_violation(fake, HVH_V_RNDIS);
	fake_destroy(fake);

	fake = fake_create_without(HVH_NIC_NO_RSS);
	fake->partition.profile.nvs_newest = NVS_VERSION_2;
	fake_negotiate(fake, NVS_VERSION_2);
	fake_initialize(fake);
	expect_taken(fake, fake_control(fake, set, sizeof set));
	answer.status = RNDIS_STATUS_NOT_SUPPORTED;
	fake_expect_message(fake, &answer, sizeof answer);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void silent(enum hvh_silence step, const void *message, uint32_t length)
{
	struct fake *fake = step == HVH_SILENCE_RNDIS_INITIALIZE ? negotiated() : initialized();

	fake->partition.silence = step;
	expect_taken(fake, fake_control(fake, message, length)); /* and that is all */
	assert_int_equal(fake_waiting(fake), 0);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_silences(void **state)
{
	(void)state;
	silent(HVH_SILENCE_RNDIS_INITIALIZE, golden_rndis_initialize, sizeof golden_rndis_initialize);
	silent(HVH_SILENCE_RNDIS_QUERY, golden_rndis_query_mac, sizeof golden_rndis_query_mac);
	silent(HVH_SILENCE_RNDIS_SET, golden_rndis_set_filter, sizeof golden_rndis_set_filter);
}

static void test_hostile_control(void **state)
{
	struct fake *fake = negotiated();

	(void)state;
	for (uint32_t round = 0; round < 20000; round++) {
		uint8_t message[64];
		uint32_t length = hvh_choose(&fake->partition, sizeof message + 1);

		for (uint32_t i = 0; i < sizeof message; i++)
			message[i] = hvh_choose(&fake->partition, 3) != 0
					     ? 0
					     : (uint8_t)hvh_random(&fake->partition);
		message[0] = (uint8_t)(1 + hvh_choose(&fake->partition, 8));
		message[4] = (uint8_t)(hvh_choose(&fake->partition, 3) != 0 ? length : message[4]);
		fake_control(fake, message, length);
		while (fake_waiting(fake) > 0) {
			struct fake_packet *packet = fake_take(fake);

			if (packet->type == VMBUS_PACKET_TRANSFER_PAGES)
				fake_complete(fake, packet->transaction_id);
		}
		if (round % 16 == 0) {
			fake_close(fake);
			fake->partition.violation_count = 0;
			fake_negotiate(fake, NVS_VERSION_2);
		}
		fake->partition.violation_count = 0;
	}
	fake_destroy(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialogue_byte_for_byte),
		cmocka_unit_test(test_control_has_its_own_suballocations),
		cmocka_unit_test(test_identifiers),
		cmocka_unit_test(test_supported_list_is_true),
		cmocka_unit_test(test_offload_capabilities),
		cmocka_unit_test(test_unknown_identifiers),
		cmocka_unit_test(test_information_must_be_inside),
		cmocka_unit_test(test_initialize_versions_and_repeats),
		cmocka_unit_test(test_nothing_before_initialize),
		cmocka_unit_test(test_malformed_control),
		cmocka_unit_test(test_reset_and_indications_end_the_worker),
		cmocka_unit_test(test_more_requests_than_the_backlog),
		cmocka_unit_test(test_link_indications),
		cmocka_unit_test(test_short_status_before_a_reply),
		cmocka_unit_test(test_short_status_before_a_frame),
		cmocka_unit_test(test_short_status_alone),
		cmocka_unit_test(test_status_is_whole_elsewhere),
		cmocka_unit_test(test_offload_parameters_are_followed_by_a_status),
		cmocka_unit_test(test_wrong_offload_parameters),
		cmocka_unit_test(test_rss_parameters),
		cmocka_unit_test(test_silences),
		cmocka_unit_test(test_hostile_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
