/* SPDX-License-Identifier: MIT */
/* The storage controller's dialogue: versions, order, sizes, what ends its worker. */
#include "host_storvsp_guest.h"
#include "tests/golden/vstor.h"

static void send_golden(struct guest *guest, const uint8_t *question, uint32_t length, uint64_t id)
{
	uint8_t bytes[64] = {0};

	memcpy(bytes, question, length);
	send_raw(guest, primary, VMBUS_PACKET_IN_BAND, WANTED, id, NULL, 0, bytes, 64);
	settle(guest);
}

static void expect_bytes(struct guest *guest, const uint8_t *reply, uint32_t length, uint64_t id)
{
	struct answer answer;

	assert_true(receive(guest, &answer));
	assert_int_equal(answer.descriptor.type, VMBUS_PACKET_COMPLETION);
	assert_int_equal(answer.descriptor.transaction_id, id);
	assert_int_equal(answer.length, 64);
	assert_memory_equal(answer.payload, reply, length);
}

#define EXPECT(guest, question, reply, id)                          \
	do {                                                        \
		send_golden(guest, question, sizeof(question), id); \
		expect_bytes(guest, reply, 64, id);                 \
	} while (0)

static const uint8_t begin_bytes[64] = {7, 0, 0, 0, 1};
static const uint8_t version_bytes[64] = {9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x06};
static const uint8_t properties_bytes[64] = {10, 0, 0, 0, 1};
static const uint8_t version_answer[64] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x06};

static void the_dialogue_byte_for_byte(void **state)
{
	static const uint8_t taken[64] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x06};
	const struct hvh_storage_config config = {.queues_max = 8};
	struct guest *guest = *state;
	struct answer answer;

	storage_opened(guest, &config);
	EXPECT(guest, golden_vstor_begin, golden_vstor_granted, 11);
	EXPECT(guest, golden_vstor_query_version_6_2, taken, 12);
	EXPECT(guest, golden_vstor_query_properties, golden_vstor_properties, 13);
	EXPECT(guest, golden_vstor_end, golden_vstor_granted, 14);
	EXPECT(guest, golden_vstor_reset_adapter, golden_vstor_granted, 15);
	assert_false(receive(guest, &answer));
	assert_no_violation(guest);
}

static void a_refusal_byte_for_byte(void **state)
{
	struct guest *guest = *state;
	char error[100];

	assert_true(hvh_partition_set_quirk(guest->host, "storvsp-6-2", "off", error, sizeof error));
	storage_opened(guest, NULL);
	EXPECT(guest, golden_vstor_begin, golden_vstor_granted, 11);
	EXPECT(guest, golden_vstor_query_version_6_2, golden_vstor_version_refused, 12);
	assert_no_violation(guest);
}

/* The request's own words behind its sense data come back as they were: not compared. */
#define REQUEST_COMPARED 48u

static void a_request_byte_for_byte(void **state)
{
	const struct {
		struct vmbus_gpa_direct_header head;
		struct vmbus_gpa_range range;
		uint64_t pfn;
	} list = {{0, 1}, {4096, 0}, DATA};
	const struct hvh_storage_trouble bad = {.medium_errors = 1000};
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_opened(guest, NULL);
	struct vstor_request ready = request_for(7, CDB(0), 6, VSTOR_DATA_NONE, 0);
	uint8_t failed[64];
	struct answer answer;

	add_disk(guest, storage, 1, 7, 16384 * MIB);
	negotiate(guest, VSTOR_VERSION_6_2);
	ready.target = 1;
	do_srb(guest, &ready, 0, &answer); /* the attention */
	send_raw(guest, primary, VMBUS_PACKET_GPA_DIRECT, WANTED, 21, &list, 24, golden_vstor_read, 64);
	settle(guest);
	expect_bytes(guest, golden_vstor_read_done, REQUEST_COMPARED, 21);
	hvh_storage_set_trouble(storage, &bad);
	send_raw(guest, primary, VMBUS_PACKET_GPA_DIRECT, WANTED, 22, &list, 24, golden_vstor_read, 64);
	settle(guest);
	assert_true(receive(guest, &answer));
	memcpy(failed, golden_vstor_read_failed, sizeof failed);
	memcpy(failed + 8, "\x85\x01\x00\xc0", 4);   /* NT status, as OpenVMM has it */
	memcpy(failed + 24, answer.payload + 24, 4); /* at whichever block */
	memcpy(failed + 28, answer.payload + 28, 1); /* and with that, the information */
	memcpy(failed + 31, answer.payload + 31, 4);
	assert_int_equal(answer.payload[28], 0xf0);
	assert_memory_equal(answer.payload, failed, REQUEST_COMPARED);
	assert_no_violation(guest);
}

static void an_old_guests_packets_have_48_bytes(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	uint8_t bytes[48] = {7, 0, 0, 0, 1};

	storage_opened(guest, NULL);
	send_raw(guest, primary, VMBUS_PACKET_IN_BAND, WANTED, 1, NULL, 0, bytes, 48);
	settle(guest);
	assert_true(receive(guest, &answer));
	assert_int_equal(answer.length, 48);
	assert_int_equal(ask_version(guest, VSTOR_VERSION_4_2, &answer), 0);
	assert_int_equal(ask(guest, VSTOR_OPERATION_QUERY_PROPERTIES, NULL, 0, &answer), 0);
	assert_int_equal(answer.payload[16], 0); /* no sub-channels */
	assert_int_equal(answer.payload[20], 0);
	assert_no_violation(guest);
}

/* What each host takes, newest first. */
static void each_host_takes_its_versions(void **state)
{
	static const struct {
		const char *name;
		uint16_t newest;
	} hosts[] = {{"ws2008", 0x0200},  {"ws2008r2", 0x0402}, {"ws2012", 0x0501}, {"ws2012r2", 0x0600},
		     {"ws2016", 0x0602},  {"ws2019", 0x0602},   {"ws2022", 0x0602}, {"azure", 0x0602},
		     {"openvmm", 0x0600}, {"qemu", 0x0600}};
	static const uint16_t versions[] = {0x0602, 0x0601, 0x0600, 0x0501, 0x0500,
					    0x0402, 0x0300, 0x0200, 0x0100, 0};
	(void)state;
	for (uint32_t h = 0; h < sizeof hosts / sizeof hosts[0]; h++) {
		const struct hvh_profile *host = hvh_profile_find(hosts[h].name);
		struct hvh_profile profile = *hvh_profile_find("ws2022");
		struct guest guest;
		struct answer answer;

		profile.vstor_newest = host->vstor_newest;
		profile.vstor_6_2 = host->vstor_6_2;
		for (uint32_t v = 0; v < sizeof versions / sizeof versions[0]; v++) {
			bool exists = versions[v] == 0x0602 || versions[v] == 0x0600 ||
				      versions[v] == 0x0501 || versions[v] == 0x0402 || versions[v] == 0x0200;
			bool good = exists && versions[v] <= hosts[h].newest;

			guest_create_with(&guest, &profile, 1);
			storage_opened(&guest, NULL);
			ask(&guest, VSTOR_OPERATION_BEGIN_INITIALIZATION, NULL, 0, &answer);
			assert_int_equal(ask_version(&guest, versions[v], &answer), good ? 0 : 0xc0000059u);
			assert_int_equal(answer.payload[12] | answer.payload[13] << 8, versions[v]);
			/* After a refusal it may ask for another. */
			assert_int_equal(ask_version(&guest, 0x0200, &answer), good ? 0xc0000184u : 0);
			guest_destroy(&guest);
		}
	}
}

static void out_of_order_is_answered_and_changes_nothing(void **state)
{
	static const uint32_t order[] = {7, 9, 10, 8};
	struct guest *guest = *state;
	const struct vstor_version version = {VSTOR_VERSION_6_0, 0};
	struct answer answer;
	unsigned count = 0;

	storage_opened(guest, NULL);
	for (uint32_t stage = 0; stage < 4; stage++) {
		for (uint32_t n = 0; n < 4; n++) {
			const struct vstor_request srb = request_for(0, CDB(0), 6, VSTOR_DATA_NONE, 0);

			if (order[n] != order[stage]) {
				assert_int_equal(ask(guest, order[n], &version, n == 1 ? 4 : 0, &answer),
						 0xc0000184u);
				count++;
			}
			assert_int_equal(ask(guest, VSTOR_OPERATION_EXECUTE_SRB, &srb, 52, &answer),
					 0xc0000184u);
			count++;
		}
		assert_int_equal(ask(guest, VSTOR_OPERATION_RESET_ADAPTER, NULL, 0, &answer), 0xc0000184u);
		assert_int_equal(violations(guest), ++count);
		assert_int_equal(ask(guest, order[stage], &version, stage == 1 ? 4 : 0, &answer), 0);
	}
	for (uint32_t n = 0; n < 4; n++)
		assert_int_equal(ask(guest, order[n], &version, n == 1 ? 4 : 0, &answer), 0xc0000184u);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_VSTOR_ORDER), count + 4);
	assert_int_equal(violations(guest), count + 4);
}

/* --- What ends the worker -------------------------------------------------------------------- */

static void check_dead(struct guest *guest, enum hvh_violation_kind kind)
{
	struct answer answer;

	settle(guest);
	assert_only_violation(guest, kind);
	assert_false(receive(guest, &answer));
	send_operation(guest, VSTOR_OPERATION_BEGIN_INITIALIZATION, NULL, 0, 5);
	pass(guest, HVH_TIME_PER_SECOND);
	assert_false(receive(guest, &answer));
}

static void no_completion_wanted_ends_it(void **state)
{
	storage_opened(*state, NULL);
	send_raw(*state, primary, VMBUS_PACKET_IN_BAND, 0, 1, NULL, 0, begin_bytes, 64);
	check_dead(*state, HVH_V_VSTOR_VALUE);
}

static void an_unknown_operation_ends_it(void **state)
{
	static const uint32_t unknown[] = {0, 1, 2, 11, 12, 14, 15, 0x80000003u};

	for (uint32_t n = 0; n < sizeof unknown / sizeof unknown[0]; n++) {
		guest_destroy(*state);
		guest_create(*state, "ws2022");
		storage_opened(*state, NULL);
		send_operation(*state, unknown[n], NULL, 0, 1);
		check_dead(*state, HVH_V_VSTOR_OPERATION);
	}
}

static void a_short_packet_ends_it(void **state)
{
	storage_opened(*state, NULL);
	send_raw(*state, primary, VMBUS_PACKET_IN_BAND, WANTED, 1, NULL, 0, begin_bytes, 8);
	check_dead(*state, HVH_V_VSTOR_SIZE);
}

static void a_short_request_ends_it(void **state)
{
	uint8_t bytes[56] = {3, 0, 0, 0, 1};

	storage_ready(*state, NULL);
	send_raw(*state, primary, VMBUS_PACKET_IN_BAND, WANTED, 1, NULL, 0, bytes, 56);
	check_dead(*state, HVH_V_VSTOR_SIZE);
}

static void a_page_list_of_the_dialogue_ends_it(void **state)
{
	const uint64_t list[] = {1ull << 32, 8, DATA};

	storage_opened(*state, NULL);
	send_raw(*state, primary, VMBUS_PACKET_GPA_DIRECT, WANTED, 1, list, 24, begin_bytes, 64);
	check_dead(*state, HVH_V_VSTOR_VALUE);
}

static void a_completion_ends_it(void **state)
{
	storage_opened(*state, NULL);
	send_raw(*state, primary, VMBUS_PACKET_COMPLETION, 0, 1, NULL, 0, begin_bytes, 64);
	check_dead(*state, HVH_V_PACKET_TYPE);
}

/* Reopened it is as new. */
static void an_ended_worker_lives_again_after_a_close(void **state)
{
	struct guest *guest = *state;

	storage_opened(guest, NULL);
	send_operation(guest, 99, NULL, 0, 1);
	assert_only_violation(guest, HVH_V_VSTOR_OPERATION);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	memset(guest->memory + ADDRESS(PAGE_RING), 0, RING_PAGES * HVK_PAGE_SIZE);
	struct vmbus_open_channel open = open_message(1);
	open.ring_gpadl = GPADL + 1;
	assert_int_equal(send_open(guest, &open), 0);
	negotiate(guest, VSTOR_VERSION_5_1);
	assert_int_equal(violations(guest), 1);
}

/* --- What does not ---------------------------------------------------------------------------- */

static void words_that_nobody_looks_at_are_to_be_zero(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	uint8_t bytes[64];

	storage_opened(guest, NULL);
	memcpy(bytes, begin_bytes, 64);
	bytes[40] = 1;
	EXPECT(guest, bytes, golden_vstor_granted, 1);
	assert_only_violation(guest, HVH_V_VSTOR_PADDING);
	memcpy(bytes, version_bytes, 64);
	bytes[4] = 3;
	EXPECT(guest, bytes, version_answer, 2);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_VSTOR_VALUE), 1);
	memcpy(bytes, properties_bytes, 64);
	bytes[8] = 1;
	send_raw(guest, primary, VMBUS_PACKET_IN_BAND, WANTED, 3, NULL, 0, bytes, 64);
	settle(guest);
	assert_true(receive(guest, &answer));
	assert_int_equal(answer.header.status, 0);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_VSTOR_VALUE), 2);
}

static void answers_may_be_as_short_as_what_they_hold(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	char error[100];

	assert_true(hvh_partition_set_quirk(guest->host, "storvsp-completion-size", "shortest", error,
					    sizeof error));
	storage_opened(guest, NULL);
	ask(guest, VSTOR_OPERATION_BEGIN_INITIALIZATION, NULL, 0, &answer);
	assert_int_equal(answer.length, 16); /* 12, filled up */
	ask_version(guest, VSTOR_VERSION_6_0, &answer);
	assert_int_equal(answer.length, 16);
	ask(guest, VSTOR_OPERATION_QUERY_PROPERTIES, NULL, 0, &answer);
	assert_int_equal(answer.length, 40);
	ask(guest, VSTOR_OPERATION_END_INITIALIZATION, NULL, 0, &answer);
	do_in(guest, 0, CDB(0), 6, 0, &answer);
	assert_int_equal(answer.length, 64);
}

static void before_5_1_reserved_properties_are_not_zero(void **state)
{
	uint32_t noisy = 0;

	(void)state;
	for (uint64_t seed = 1; seed < 20; seed++) {
		struct guest guest;
		struct answer answer;
		uint64_t reserved;

		guest_create_with(&guest, hvh_profile_find("ws2022"), seed);
		storage_opened(&guest, NULL);
		ask(&guest, VSTOR_OPERATION_BEGIN_INITIALIZATION, NULL, 0, &answer);
		ask_version(&guest, VSTOR_VERSION_4_2, &answer);
		ask(&guest, VSTOR_OPERATION_QUERY_PROPERTIES, NULL, 0, &answer);
		memcpy(&reserved, answer.payload + 28, 8);
		noisy += reserved != 0;
		guest_destroy(&guest);
	}
	assert_int_equal(noisy, 19);
}

static void the_host_may_fall_silent_at_each_step(void **state)
{
	static const struct {
		uint32_t operation;
		enum hvh_silence silence;
	} steps[] = {{7, HVH_SILENCE_VSTOR_BEGIN},        {9, HVH_SILENCE_VSTOR_VERSION},
		     {10, HVH_SILENCE_VSTOR_PROPERTIES},  {8, HVH_SILENCE_VSTOR_END},
		     {13, HVH_SILENCE_VSTOR_SUBCHANNELS}, {3, HVH_SILENCE_VSTOR_REQUEST},
		     {5, HVH_SILENCE_VSTOR_RESET}};
	struct guest *guest = *state;
	const struct vstor_version version = {VSTOR_VERSION_6_0, 0};
	const struct vstor_request srb = request_for(0, CDB(0), 6, VSTOR_DATA_NONE, 0);
	struct answer answer;

	storage_opened(guest, NULL);
	for (uint32_t n = 0; n < sizeof steps / sizeof steps[0]; n++) {
		uint32_t operation = steps[n].operation;
		uint32_t length = operation == 3 ? 52 : operation == 9 ? 4 : operation == 13 ? 2 : 0;
		const void *payload = operation == 3 ? (const void *)&srb : (const void *)&version;
		const uint16_t one = 1;

		if (operation == 13)
			payload = &one;
		hvh_silence_set(guest->host, steps[n].silence);
		send_operation(guest, operation, payload, length, 1);
		pass(guest, HVH_TIME_PER_SECOND);
		assert_false(receive(guest, &answer));
		hvh_silence_set(guest->host, HVH_SILENCE_NONE);
		ask(guest, operation, payload, length, &answer);
		assert_int_equal(answer.header.status, operation == 3 ? 0xc00000c0u : 0);
	}
	assert_no_violation(guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_dialogue_byte_for_byte),
		TEST(a_refusal_byte_for_byte),
		TEST(a_request_byte_for_byte),
		TEST(an_old_guests_packets_have_48_bytes),
		cmocka_unit_test(each_host_takes_its_versions),
		TEST(out_of_order_is_answered_and_changes_nothing),
		TEST(no_completion_wanted_ends_it),
		TEST(an_unknown_operation_ends_it),
		TEST(a_short_packet_ends_it),
		TEST(a_short_request_ends_it),
		TEST(a_page_list_of_the_dialogue_ends_it),
		TEST(a_completion_ends_it),
		TEST(an_ended_worker_lives_again_after_a_close),
		TEST(words_that_nobody_looks_at_are_to_be_zero),
		TEST(answers_may_be_as_short_as_what_they_hold),
		cmocka_unit_test(before_5_1_reserved_properties_are_not_zero),
		TEST(the_host_may_fall_silent_at_each_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
