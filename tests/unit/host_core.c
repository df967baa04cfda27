/* SPDX-License-Identifier: MIT */
/* Violations, the seeded source, names, profiles, memory accessors. */
#include "host_guest.h"

#include "hvkit/wire/nvs.h"

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

static void violations_are_counted_kept_and_reported_at_a_rate(void **state)
{
	struct guest *guest = *state;
	uint8_t bytes[100] = {7};
	for (uint32_t n = 0; n < 100; n++)
		hvh_violate(guest->host, HVH_V_PACKET, 5, 1, 3, bytes, sizeof(bytes), "number %u", n);
	assert_int_equal(violations(guest), 100);
	assert_int_equal(guest->reported, 16);
	const struct hvh_violation *first = hvh_violation_get(guest->host, 0);
	assert_string_equal(first->text, "number 0");
	assert_int_equal(first->byte_count, HVH_VIOLATION_BYTES);
	assert_int_equal(first->bytes[0], 7);
	assert_int_equal(first->time, 5);
	assert_int_equal(first->vp, 1);
	assert_int_equal(first->channel_id, 3);
	assert_string_equal(hvh_violation_get(guest->host, 63)->text, "number 63");
	assert_null(hvh_violation_get(guest->host, 64));
	hvh_violate(guest->host, HVH_V_TRAILER, 5, 0, 0, NULL, 0, "another kind");
	assert_int_equal(guest->reported, 17);
	hvh_violate(guest->host, HVH_V_PACKET, HVH_TIME_PER_SECOND, 0, 0, NULL, 0, "another second");
	assert_int_equal(guest->reported, 18);
}

/* A guest that violates without end costs a bounded number of reports, and every one counts. */
static void a_guest_in_a_loop_costs_little(void **state)
{
	struct guest *guest = *state;
	for (uint32_t n = 0; n < 100000; n++) { /* ten seconds of it */
		hvh_violate(guest->host, HVH_V_PACKET, n * 1000ull, 1, 3, NULL, 0, "number %u", n);
		hvh_violate(guest->host, HVH_V_TRAILER, n * 1000ull, 1, 3, NULL, 0, "number %u", n);
	}
	assert_int_equal(violations(guest), 200000);
	assert_int_equal(guest->reported, 2 * 10 * 16);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_PACKET), 100000);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_TRAILER), 100000);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_MSR), 0);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_COUNT), 0);
	assert_null(hvh_violation_get(guest->host, HVH_VIOLATIONS_KEPT));
}

static unsigned notes, records;
static void count_notes(void *context, const struct hvh_trace_record *record)
{
	(void)context;
	records += record->kind == HVH_TRACE_VIOLATION;
	notes += record->kind == HVH_TRACE_NOTE &&
		 memcmp(record->bytes, "84 more violations of kind packet were not shown", 48) == 0;
}

/* So is the trace's share of it, which says what it left out. */
static void the_trace_says_what_it_leaves_out(void **state)
{
	struct hvh_profile profile = *hvh_profile_find("ws2022");
	struct hvh_config config = {.profile = &profile, .vps = 1, .seed = 1};
	struct hvh_ops ops = {
		.translate = guest_translate, .interrupt = guest_interrupt, .trace = count_notes};
	struct hvh_partition *host = hvh_create(&config, &ops);
	(void)state;
	for (uint32_t n = 0; n < 100; n++)
		hvh_violate(host, HVH_V_PACKET, 5, 1, 3, NULL, 0, "number %u", n);
	assert_int_equal(records, 16);
	assert_int_equal(notes, 0);
	hvh_violate(host, HVH_V_PACKET, HVH_TIME_PER_SECOND + 5, 1, 3, NULL, 0, "later");
	assert_int_equal(records, 17);
	assert_int_equal(notes, 1);
	hvh_destroy(host);
}

static void every_kind_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (unsigned n = 0; n < HVH_V_COUNT; n++) {
		const char *name = hvh_violation_name((enum hvh_violation_kind)n);
		assert_non_null(name);
		for (unsigned other = 0; other < n; other++)
			assert_string_not_equal(name, hvh_violation_name((enum hvh_violation_kind)other));
	}
	assert_string_equal(hvh_violation_name(HVH_V_GPADL_REUSED), "gpadl-reused");
	for (unsigned n = 0; n < HVH_FAULT_COUNT; n++)
		assert_non_null(hvh_fault_name((enum hvh_fault)n));
	for (unsigned n = 0; n < HVH_SILENCE_COUNT; n++) {
		enum hvh_silence found = HVH_SILENCE_COUNT;
		assert_true(hvh_silence_find(hvh_silence_name((enum hvh_silence)n), &found));
		assert_int_equal(found, n);
	}
	enum hvh_silence found;
	assert_false(hvh_silence_find("nobody", &found));
}

static void the_seed_decides_and_nothing_else(void **state)
{
	struct guest *guest = *state;
	struct guest same, other;
	unsigned equal = 0;
	guest_create_with(&same, hvh_profile_find("ws2022"), 1);
	guest_create_with(&other, hvh_profile_find("ws2022"), 2);
	for (int n = 0; n < 100; n++) {
		uint64_t value = hvh_random(guest->host);
		assert_true(value == hvh_random(same.host));
		equal += value == hvh_random(other.host);
	}
	assert_int_equal(equal, 0);
	guest_destroy(&same);
	guest_destroy(&other);
}

static void choices_are_in_range_and_spread(void **state)
{
	struct guest *guest = *state;
	unsigned seen[7] = {0};
	for (int n = 0; n < 7000; n++) {
		uint32_t choice = hvh_choose(guest->host, 7);
		assert_true(choice < 7);
		seen[choice]++;
	}
	for (int n = 0; n < 7; n++)
		assert_in_range(seen[n], 800, 1200);
	assert_int_equal(hvh_choose(guest->host, 1), 0);
}

static void faults_strike_by_their_chance(void **state)
{
	struct guest *guest = *state;
	for (int n = 0; n < 1000; n++)
		assert_false(hvh_fault_strikes(guest->host, HVH_FAULT_FRAME_LOST));
	hvh_fault_set(guest->host, HVH_FAULT_FRAME_LOST, 16384);
	for (int n = 0; n < 4000; n++)
		hvh_fault_strikes(guest->host, HVH_FAULT_FRAME_LOST);
	assert_in_range(hvh_fault_count(guest->host, HVH_FAULT_FRAME_LOST), 850, 1150);
	assert_int_equal(hvh_fault_count(guest->host, HVH_FAULT_RESCIND), 0);
}

static void memory_is_reached_page_by_page(void **state)
{
	struct guest *guest = *state;
	uint8_t bytes[9000], back[9000];
	for (size_t n = 0; n < sizeof(bytes); n++)
		bytes[n] = (uint8_t)(n * 7);
	assert_true(hvh_memory_write(guest->host, 5000, bytes, sizeof(bytes)));
	assert_true(hvh_memory_read(guest->host, 5000, back, sizeof(back)));
	assert_memory_equal(bytes, back, sizeof(bytes));
	guest->gone[2] = true;
	assert_false(hvh_memory_read(guest->host, 5000, back, sizeof(back)));
	assert_false(hvh_memory_read(guest->host, MEMORY - 4, back, 8));
	assert_false(hvh_memory_write(guest->host, UINT64_MAX - 3, bytes, 8));
	assert_true(hvh_memory_read(guest->host, 5000, back, 0));
}

static void words_are_atomic_and_aligned(void **state)
{
	struct guest *guest = *state;
	uint32_t word;
	uint8_t byte;
	assert_true(hvh_memory_store32(guest->host, 64, 0x00ff00ff));
	assert_true(hvh_memory_or32(guest->host, 64, 0x0f0f0f0f, &word));
	assert_int_equal(word, 0x00ff00ff);
	assert_true(hvh_memory_and32(guest->host, 64, 0xffff0000, &word));
	assert_int_equal(word, 0x0fff0fff);
	assert_true(hvh_memory_or8(guest->host, 65, 0x81, &byte));
	assert_int_equal(byte, 0);
	assert_true(hvh_memory_load32(guest->host, 64, &word));
	assert_int_equal(word, 0x0fff8100);
	assert_false(hvh_memory_load32(guest->host, 66, &word));
	assert_false(hvh_memory_store32(guest->host, MEMORY, 1));
}

static void profiles_are_what_the_facts_say(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t newest, nvs;
		bool unload, four;
	} facts[] = {
		{"ws2008", VMBUS_VERSION_0_13, NVS_VERSION_1, false, false},
		{"ws2008r2", VMBUS_VERSION_1_1, NVS_VERSION_2, false, false},
		{"ws2012", VMBUS_VERSION_2_4, NVS_VERSION_4, false, false},
		{"ws2012r2", VMBUS_VERSION_3_0, NVS_VERSION_5, true, false},
		{"ws2016", VMBUS_VERSION_4_0, NVS_VERSION_6, true, false},
		{"ws2019", VMBUS_VERSION_5_2, NVS_VERSION_6_1, true, true},
		{"ws2022", VMBUS_VERSION_5_3, NVS_VERSION_6_1, true, true},
		{"azure", VMBUS_VERSION_5_3, NVS_VERSION_6_1, true, true},
		{"openvmm", VMBUS_VERSION_5_3, NVS_VERSION_6_1, true, true},
		{"qemu", VMBUS_VERSION_4_0, NVS_VERSION_6_1, true, false},
	};
	for (uint32_t n = 0; n < sizeof(facts) / sizeof(facts[0]); n++) {
		const struct hvh_profile *profile = hvh_profile_find(facts[n].name);
		assert_non_null(profile);
		assert_ptr_equal(profile, hvh_profile_get(n));
		assert_int_equal(profile->newest_version, facts[n].newest);
		assert_int_equal(profile->accept_newest, facts[n].newest);
		assert_int_equal(profile->nvs_newest, facts[n].nvs);
		assert_int_equal(profile->unload_works, facts[n].unload);
		assert_int_equal(profile->connection_4, facts[n].four);
		assert_true(strlen(profile->description) > 20);
	}
	assert_null(hvh_profile_get(sizeof(facts) / sizeof(facts[0])));
	assert_null(hvh_profile_find("ws2003"));
}

static void counters_count(void **state)
{
	struct guest *guest = *state;
	struct hvh_counters counters;
	struct device device;
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
	post(guest, golden_unload, sizeof(golden_unload));
	assert_true(take(guest, 0));
	hvh_get_counters(guest->host, &counters);
	assert_int_equal(counters.contacts, 1);
	assert_int_equal(counters.unloads, 1);
	assert_int_equal(counters.posts, 5); /* contact, offers, GPADL, open, unload */
	assert_int_equal(counters.hypercalls, 5);
	assert_int_equal(counters.messages_delivered, 6);
	assert_int_equal(counters.interrupts, 6);
	assert_int_equal(counters.eoms, 1); /* the offer was followed by another message */
	assert_true(guest->kicks > 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(violations_are_counted_kept_and_reported_at_a_rate),
		T(a_guest_in_a_loop_costs_little),
		T(the_trace_says_what_it_leaves_out),
		T(every_kind_has_a_name_of_its_own),
		T(the_seed_decides_and_nothing_else),
		T(choices_are_in_range_and_spread),
		T(faults_strike_by_their_chance),
		T(memory_is_reached_page_by_page),
		T(words_are_atomic_and_aligned),
		T(profiles_are_what_the_facts_say),
		T(counters_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
