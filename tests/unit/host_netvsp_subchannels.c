/* SPDX-License-Identifier: MIT */
/* The network card's sub-channels: the request, the offers, the send indirection table. */
#include "host_netvsp_fake.h"

#define MS HVH_TIME_PER_MS

static struct fake *ready_at(uint32_t version)
{
	struct fake *fake = fake_create();

	fake->partition.profile.subchannel_order = HVH_SUBCHANNELS_AFTER;
	fake_negotiate(fake, version);
	return fake;
}

static uint64_t ask(struct fake *fake, uint32_t operation, uint32_t count)
{
	const struct nvs_subchannel_request request = {NVS_TYPE_SUBCHANNEL, operation, count};

	return fake_nvs(fake, &request, sizeof request);
}

static void expect_answer(struct fake *fake, uint64_t id, uint32_t status, uint32_t count)
{
	const struct nvs_subchannel_complete answer = {NVS_TYPE_SUBCHANNEL, status, count};

	fake_expect_completion(fake, id, &answer, sizeof answer);
}

static uint32_t offered(const struct fake *fake)
{
	return fake->partition.subchannels_offered;
}

static void open_subchannels(struct fake *fake, uint32_t count)
{
	for (uint32_t n = 1; n <= count; n++) {
		fake_turn_to(fake, n);
		fake_open(fake);
	}
	fake_turn_to(fake, 0);
	fake_run(fake);
}

/* --- The request ------------------------------------------------------------------------- */

static void as_many_as_asked_for_after_the_answer(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_5);

	(void)state;
	expect_answer(fake, ask(fake, NVS_SUBCHANNEL_ALLOCATE, 7), NVS_STATUS_SUCCESS, 7);
	assert_int_equal(offered(fake), 7);
	for (uint32_t n = 0; n < 7; n++)
		assert_int_equal(fake->partition.subchannels[n].offered_at, fake->now + 1);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void before_the_answer(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_5);
	uint64_t id;

	(void)state;
	fake->partition.profile.subchannel_order = HVH_SUBCHANNELS_BEFORE;
	fake->partition.offers_wait = true;
	id = ask(fake, NVS_SUBCHANNEL_ALLOCATE, 2);
	assert_int_equal(offered(fake), 2);
	assert_int_equal(fake->partition.subchannels[0].offered_at, fake->now);
	assert_int_equal(fake_waiting(fake), 0);
	fake->partition.offers_wait = false;
	fake_run(fake);
	expect_answer(fake, id, NVS_STATUS_SUCCESS, 2);
	fake_destroy(fake);
}

/* A guest that waits for the answer before it looks at messages gets it all the same. */
static void the_answer_does_not_wait_for_ever(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_5);
	uint64_t begin = fake->now, id;

	(void)state;
	fake->partition.profile.subchannel_order = HVH_SUBCHANNELS_BEFORE;
	fake->partition.offers_wait = true;
	id = ask(fake, NVS_SUBCHANNEL_ALLOCATE, 2);
	fake_wait(fake);
	assert_int_equal(fake->now, begin + 10 * MS);
	expect_answer(fake, id, NVS_STATUS_SUCCESS, 2);
	fake_destroy(fake);
}

static void expect_refusal(struct fake *fake, uint32_t operation, uint32_t count)
{
	uint32_t before = offered(fake);

	expect_answer(fake, ask(fake, operation, count), NVS_STATUS_FAILURE, 0);
	fake_expect_violation(fake, HVH_V_NVS_VALUE);
	assert_int_equal(offered(fake), before);
}

static void what_is_refused(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_6_1);

	(void)state;
	expect_refusal(fake, 2, 1);
	expect_refusal(fake, NVS_SUBCHANNEL_ALLOCATE, 0);
	expect_refusal(fake, NVS_SUBCHANNEL_ALLOCATE, FAKE_CHANNELS); /* with the primary one too many */
	expect_refusal(fake, NVS_SUBCHANNEL_ALLOCATE, UINT32_MAX);
	expect_answer(fake, ask(fake, NVS_SUBCHANNEL_ALLOCATE, 1), NVS_STATUS_SUCCESS, 1);
	expect_refusal(fake, NVS_SUBCHANNEL_ALLOCATE, 1); /* once */
	fake_destroy(fake);
}

static void none_before_the_receive_buffer(void **state)
{
	struct fake *fake = fake_create();

	(void)state;
	fake_open(fake);
	fake_init(fake, NVS_VERSION_5);
	fake_take(fake);
	ask(fake, NVS_SUBCHANNEL_ALLOCATE, 1);
	fake_expect_violation(fake, HVH_V_NVS_ORDER);
	assert_int_equal(fake_waiting(fake), 0);
	fake_destroy(fake);
}

/* A card that has none says so; to ask is no crime. */
static void a_card_without_any(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_5);

	(void)state;
	fake->partition.profile.queues_max = 1;
	expect_answer(fake, ask(fake, NVS_SUBCHANNEL_ALLOCATE, 1), NVS_STATUS_FAILURE, 0);
	fake_expect_lawful(fake);
	fake_destroy(fake);
	fake = fake_create();
	fake->partition.profile.rss = false;
	fake_negotiate(fake, NVS_VERSION_5);
	expect_answer(fake, ask(fake, NVS_SUBCHANNEL_ALLOCATE, 1), NVS_STATUS_FAILURE, 0);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* --- By the seed ---------------------------------------------------------------------------- */

static void fewer(void **state)
{
	uint32_t least = UINT32_MAX, most = 0;

	(void)state;
	for (uint32_t choice = 0; choice < 5; choice++) {
		struct fake *fake = ready_at(NVS_VERSION_5);

		fake->partition.fault[HVH_FAULT_FEWER_SUBCHANNELS] = true;
		fake->partition.choice = choice;
		expect_answer(fake, ask(fake, NVS_SUBCHANNEL_ALLOCATE, 5), NVS_STATUS_SUCCESS, choice);
		assert_int_equal(offered(fake), choice);
		least = choice < least ? choice : least;
		most = choice > most ? choice : most;
		fake_destroy(fake);
	}
	assert_int_equal(least, 0);
	assert_int_equal(most, 4);
}

static void late(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_5);
	uint64_t last;

	(void)state;
	fake->partition.fault[HVH_FAULT_LATE_SUBCHANNELS] = true;
	ask(fake, NVS_SUBCHANNEL_ALLOCATE, 3);
	assert_int_equal(offered(fake), 3);
	last = fake->now + 1;
	for (uint32_t n = 0; n < 3; n++) /* each by itself */
		assert_in_range(fake->partition.subchannels[n].offered_at, fake->now + 2, last + 500 * MS);
	assert_true(fake->partition.subchannels[0].offered_at != fake->partition.subchannels[1].offered_at);
	fake_destroy(fake);
}

static void never(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_5);

	(void)state;
	fake->partition.fault[HVH_FAULT_MISSING_SUBCHANNELS] = true;
	fake->partition.choice = 2;
	expect_answer(fake, ask(fake, NVS_SUBCHANNEL_ALLOCATE, 5), NVS_STATUS_SUCCESS, 5);
	assert_int_equal(offered(fake), 2);
	open_subchannels(fake, 2);
	assert_int_equal(fake_waiting(fake), 0); /* no table: not all are open */
	fake_destroy(fake);
}

static void silence(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_5);

	(void)state;
	fake->partition.silence = HVH_SILENCE_NVS_SUBCHANNEL;
	ask(fake, NVS_SUBCHANNEL_ALLOCATE, 2);
	assert_int_equal(fake_waiting(fake), 0);
	assert_int_equal(offered(fake), 0);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* --- Opening ------------------------------------------------------------------------------------ */

static bool opens(struct fake *fake, uint32_t index)
{
	static const uint8_t user_data[VMBUS_USER_DATA_SIZE];
	struct hvh_channel *primary = &fake->partition.channel;
	struct hvh_channel channel = {.partition = &fake->partition, .index = index};

	return primary->ops->open(primary->device, &channel, fake->now, user_data);
}

static void only_what_was_granted_opens(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_5);

	(void)state;
	assert_false(opens(fake, 1));
	ask(fake, NVS_SUBCHANNEL_ALLOCATE, 2);
	assert_false(opens(fake, 3));
	open_subchannels(fake, 2);
	assert_int_equal(hvh_nic_queues(fake->nic), 3);
	fake_close(fake);
	assert_int_equal(hvh_nic_queues(fake->nic), 0);
	assert_false(opens(fake, 1));
	fake_destroy(fake);
}

static void another_count_after_the_primary_was_opened_again(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_5);

	(void)state;
	ask(fake, NVS_SUBCHANNEL_ALLOCATE, 3);
	open_subchannels(fake, 3);
	hvh_nic_rescind(fake->nic, fake->now);
	assert_int_equal(hvh_nic_queues(fake->nic), 0);
	fake->partition.channel.to_guest.count = 0;
	fake_negotiate(fake, NVS_VERSION_5);
	expect_answer(fake, ask(fake, NVS_SUBCHANNEL_ALLOCATE, 1), NVS_STATUS_SUCCESS, 1);
	open_subchannels(fake, 1);
	assert_int_equal(hvh_nic_queues(fake->nic), 2);
	assert_false(opens(fake, 2));
	fake_destroy(fake);
}

/* --- The send indirection table -------------------------------------------------------------------- */

static void expect_table(struct fake *fake, uint32_t at, uint32_t said, uint32_t queues)
{
	struct nvs_send_indirection_table table;
	const struct fake_packet *packet = fake_take(fake);
	uint32_t entry;

	assert_int_equal(packet->type, VMBUS_PACKET_IN_BAND);
	assert_false(packet->completion_requested);
	assert_int_equal(packet->payload_length, at + 64);
	memcpy(&table, packet->payload, sizeof table);
	assert_int_equal(table.type, NVS_TYPE_SEND_INDIRECTION_TABLE);
	assert_int_equal(table.count, 16);
	assert_int_equal(table.offset, said);
	for (uint32_t n = 0; n < 16; n++) {
		memcpy(&entry, packet->payload + at + 4 * n, sizeof entry);
		assert_int_equal(entry, n % queues);
	}
}

static void table_when_all_are_open(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_5);

	(void)state;
	ask(fake, NVS_SUBCHANNEL_ALLOCATE, 3);
	fake_take(fake);
	open_subchannels(fake, 2);
	assert_int_equal(fake_waiting(fake), 0);
	fake_turn_to(fake, 3);
	fake_open(fake);
	fake_turn_to(fake, 0);
	fake_run(fake);
	expect_table(fake, 12, 12, 4);
	fake_turn_to(fake, 2); /* once */
	fake_close(fake);
	fake_open(fake);
	fake_turn_to(fake, 0);
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0);
	fake_destroy(fake);
}

static void table_as_old_hosts_have_it(void **state)
{
	static const struct {
		enum hvh_send_table where;
		uint32_t version, at, said;
	} rows[] = {
		{HVH_SEND_TABLE_AT_12, NVS_VERSION_6_1, 12, 12},
		{HVH_SEND_TABLE_AT_40, NVS_VERSION_5, 40, 40},
		{HVH_SEND_TABLE_WRONG_OFFSET, NVS_VERSION_5, 40, 28},
		{HVH_SEND_TABLE_WRONG_OFFSET, NVS_VERSION_6, 40, 28},
		{HVH_SEND_TABLE_WRONG_OFFSET, NVS_VERSION_6_1, 40, 40},
	};

	(void)state;
	for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
		struct fake *fake = ready_at(rows[n].version);

		fake->partition.profile.send_table = rows[n].where;
		ask(fake, NVS_SUBCHANNEL_ALLOCATE, 1);
		fake_take(fake);
		open_subchannels(fake, 1);
		expect_table(fake, rows[n].at, rows[n].said, 2);
		fake_destroy(fake);
	}
}

static void table_late_or_never(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_5);
	uint64_t begin = fake->now;

	(void)state;
	fake->partition.fault[HVH_FAULT_LATE_SEND_TABLE] = true;
	ask(fake, NVS_SUBCHANNEL_ALLOCATE, 1);
	fake_take(fake);
	open_subchannels(fake, 1);
	assert_int_equal(fake_waiting(fake), 0);
	fake_wait(fake);
	assert_in_range(fake->now, begin + 1, begin + 2 * HVH_TIME_PER_SECOND);
	expect_table(fake, 12, 12, 2);
	fake_destroy(fake);

	fake = ready_at(NVS_VERSION_5);
	fake->partition.fault[HVH_FAULT_MISSING_SEND_TABLE] = true;
	ask(fake, NVS_SUBCHANNEL_ALLOCATE, 1);
	fake_take(fake);
	open_subchannels(fake, 1);
	assert_int_equal(fake_waiting(fake), 0);
	assert_true(fake->on->ops->next_event(fake->on->device, fake->on) == HVH_NEVER);
	fake_destroy(fake);
}

static void table_waits_for_room(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_5);

	(void)state;
	ask(fake, NVS_SUBCHANNEL_ALLOCATE, 1);
	fake_take(fake);
	fake->on->full = true;
	open_subchannels(fake, 1);
	assert_int_equal(fake_waiting(fake), 0);
	fake->on->full = false;
	fake_run(fake);
	expect_table(fake, 12, 12, 2);
	fake_destroy(fake);
}

/* --- One is taken back ------------------------------------------------------------------------------- */

static void one_is_taken_back_by_the_seed(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_5);

	(void)state;
	ask(fake, NVS_SUBCHANNEL_ALLOCATE, 2);
	fake_turn_to(fake, 1);
	fake_open(fake);
	fake->partition.fault[HVH_FAULT_RESCIND_SUBCHANNEL] = true;
	fake_turn_to(fake, 2);
	fake_open(fake);
	fake_turn_to(fake, 0);
	fake_run(fake);
	assert_int_equal(hvh_nic_queues(fake->nic), 3);
	fake_wait(fake);
	assert_int_equal(hvh_nic_queues(fake->nic), 2);
	assert_true(fake->partition.subchannels[0].open);
	assert_false(fake->partition.subchannels[1].open);
	assert_true(fake->partition.channel.open);
	fake_destroy(fake);
}

static void one_is_taken_back_on_request(void **state)
{
	struct fake *fake = ready_at(NVS_VERSION_5);

	(void)state;
	ask(fake, NVS_SUBCHANNEL_ALLOCATE, 2);
	open_subchannels(fake, 2);
	assert_false(hvh_nic_rescind_queue(fake->nic, fake->now, 0));
	assert_false(hvh_nic_rescind_queue(fake->nic, fake->now, 3));
	assert_false(hvh_nic_rescind_queue(fake->nic, fake->now, UINT32_MAX));
	assert_true(hvh_nic_rescind_queue(fake->nic, fake->now, 1));
	assert_false(hvh_nic_rescind_queue(fake->nic, fake->now, 1));
	assert_int_equal(hvh_nic_queues(fake->nic), 2);
	fake_destroy(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_as_asked_for_after_the_answer),
		cmocka_unit_test(before_the_answer),
		cmocka_unit_test(the_answer_does_not_wait_for_ever),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(none_before_the_receive_buffer),
		cmocka_unit_test(a_card_without_any),
		cmocka_unit_test(fewer),
		cmocka_unit_test(late),
		cmocka_unit_test(never),
		cmocka_unit_test(silence),
		cmocka_unit_test(only_what_was_granted_opens),
		cmocka_unit_test(another_count_after_the_primary_was_opened_again),
		cmocka_unit_test(table_when_all_are_open),
		cmocka_unit_test(table_as_old_hosts_have_it),
		cmocka_unit_test(table_late_or_never),
		cmocka_unit_test(table_waits_for_room),
		cmocka_unit_test(one_is_taken_back_by_the_seed),
		cmocka_unit_test(one_is_taken_back_on_request),
	};

	return cmocka_run_group_tests_name("host_netvsp_subchannels", tests, NULL, NULL);
}
