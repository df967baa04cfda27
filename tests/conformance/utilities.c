/* SPDX-License-Identifier: MIT */
/*
 * The integration components, the guest's drivers and the host's, on hosts of every age: what versions they
 * agree on, every dialogue at each of them, and restarts of the host's side in the middle.
 */
#include "tests/conformance/utilities_dialogues.h"

/* --- Dialogues --------------------------------------------------------------------------------- */

/* How far apart they are, in microseconds. */
static int64_t apart(struct user *user)
{
	uint64_t now = host_locked(user);
	int64_t found = (int64_t)(host_clock(user, now) - guest_clock(user)) / 10;

	host_unlocked(user);
	return found < 0 ? -found : found;
}

static void keeps_time(struct user *user)
{
	bool exact = version_of(user, HVK_UTILITY_TIMESYNC) == V(4, 0);

	UNTIL(user, SETTLE_MS, user->steps > 0); /* SYNC, at once */
	EXPECT(user, apart(user) < (exact ? 100 : 10000));
	user->steps = user->slews = 0;
	user->clock_offset += 2000000; /* 0.2 s */
	UNTIL(user, 15000, user->slews > 0);
	EXPECT(user, user->steps == 0);
	user->clock_offset -= 900000000; /* 90 s */
	UNTIL(user, 15000, user->steps > 0);
	EXPECT(user, apart(user) < (exact ? 100 : 10000));
}

static void lives(struct user *user)
{
	uint64_t before, after, last;

	(void)host_locked(user);
	before = hvh_heartbeats(user->host, &last);
	host_unlocked(user);
	poll_for(user, 10000);
	(void)host_locked(user);
	after = hvh_heartbeats(user->host, &last);
	host_unlocked(user);
	EXPECT(user, before >= 1 && after >= before + 4 && after <= before + 6);
}

static void a_freeze_without_a_thaw(struct user *user)
{
	if (!has(user, HVK_UTILITY_VSS))
		return;
	vss(user, IC_VSS_FREEZE, HVH_UTILITY_OK, 0, "");
	poll_for(user, 59900);
	EXPECT(user, user->thaws == 0);
	poll_for(user, 200);
	EXPECT(user, user->thaws == 1 && user->thaws_alone == 1);
	vss(user, IC_VSS_THAW, HVH_UTILITY_FAILED, IC_STATUS_FAIL, "failed");
	EXPECT(user, user->thaws == 1);
}

static void everything(struct user *user)
{
	for (uint32_t kind = 0; kind < KINDS; kind++) {
		uint32_t wanted = user->agreed->messages[kind];

		if (wanted > 1 && version_of(user, (enum hvk_utility_kind)kind) != wanted)
			WRONG(user, "component %u: messages 0x%x, not 0x%x", kind,
			      version_of(user, (enum hvk_utility_kind)kind), wanted);
	}
	if (has(user, HVK_UTILITY_SHUTDOWN))
		goes_down(user);
	if (has(user, HVK_UTILITY_TIMESYNC))
		keeps_time(user);
	if (has(user, HVK_UTILITY_HEARTBEAT))
		lives(user);
	if (has(user, HVK_UTILITY_KVP)) {
		exchanges_pairs(user);
		has_addresses(user);
	}
	if (has(user, HVK_UTILITY_VSS))
		is_backed_up(user);
	if (has(user, HVK_UTILITY_FCOPY))
		takes_files(user);
}

/* --- Restarts ---------------------------------------------------------------------------------- */

static void services_that_restart(struct user *user)
{
	for (uint32_t n = 0; n < 12; n++) {
		uint32_t which = n % 4 == 3 ? HVH_UTILITIES_ALL : 1u << n % KINDS;
		uint64_t now = host_locked(user);

		hvh_kvp_request(user->host, now, IC_KVP_SET, 2, "k", "v", 0, on_end, user);
		hvh_vss_request(user->host, now, IC_VSS_FREEZE, NULL, NULL);
		hvh_fcopy_send(user->host, now, source_file(FILE_BYTES), "", "f", true, NULL, NULL);
		hvh_time_step(user->host, now, 0);
		host_unlocked(user);
		poll_for(user, n % 7);
		restart(user, which);
		UNTIL(user, SETTLE_MS, user->ended > 0);
		user->ended = 0;
		poll_for(user, 200);
	}
	(void)remove(source_file(0));
	restart(user, HVH_UTILITIES_ALL);
	poll_for(user, 200);
	if (user->freezes > 0) /* the service that froze knows nothing of it any more: time thaws */
		UNTIL(user, 61000, user->freezes == user->thaws);
	everything(user);
}

/* What is said to a guest that takes its time waits in the ring, and no poll says that there is work. */
static void what_waits_is_no_work(struct user *user)
{
	struct hvk_utility *utility = user->utilities[HVK_UTILITY_SHUTDOWN];
	struct hvk_utility_counters before, after;
	uint32_t polls = 0;

	user->later = true;
	hvh_shutdown_request(user->host, host_locked(user), 0, "", NULL, NULL);
	host_unlocked(user);
	UNTIL(user, SETTLE_MS, user->asked_down == 1);
	hvk_utility_get_counters(utility, &before);
	for (uint32_t n = 0; n < 3; n++) { /* one more than the guest holds */
		restart(user, HVH_UTILITY_SHUTDOWN);
		poll_for(user, 100);
	}
	while (polls < 1000 && hvk_poll(user->rig->hvk, 0))
		polls++;
	EXPECT(user, polls < 1000);
	user->later = false;
	EXPECT(user, hvk_utility_answer(utility, HVK_UTILITY_REFUSED, NULL, NULL) == HVK_OK);
	poll_for(user, 200);
	hvk_utility_get_counters(utility, &after);
	EXPECT(user, after.negotiations == before.negotiations + 3 && user->asked_down == 1);
	user->ended = 0;
	goes_down(user);
}

/* What the host has set comes again to a guest that begins anew, and to the next run. */
static void kept_by_the_host(struct user *user)
{
	pair(user, IC_KVP_SET, 0, "a", "1", HVH_UTILITY_OK, 0, "");
	pair(user, IC_KVP_SET, 1, "b", "\xc3\xa4", HVH_UTILITY_OK, 0, "");
	detach_one(user, HVK_UTILITY_KVP);
	EXPECT(user, hvk_kvp_store_remove(user->store, 0, "a") == HVK_UTILITY_DONE);
	attach_one(user, HVK_UTILITY_KVP);
	UNTIL(user, SETTLE_MS, version_of(user, HVK_UTILITY_KVP) != 0);
	poll_for(user, 20);
	pair(user, IC_KVP_GET, 0, "a", NULL, HVH_UTILITY_OK, 0, "a = 1");
}

static void told_in_the_next_run(struct user *user)
{
	pair(user, IC_KVP_GET, 0, "a", NULL, HVH_UTILITY_OK, 0, "a = 1");
	pair(user, IC_KVP_GET, 1, "b", NULL, HVH_UTILITY_OK, 0, "b = \xc3\xa4");
}

/* --- Runs -------------------------------------------------------------------------------------- */

/* What guest and host agree on: shutdown, time, heartbeat, pairs, backup, copy. */
static const struct agreed hosts[] = {
	{"ws2008", V(1, 0), {V(1, 0), V(1, 0), V(1, 0), V(1, 0), 0, 0}},
	{"ws2008r2", V(3, 0), {V(3, 0), V(3, 0), V(3, 0), V(3, 0), 0, 0}},
	{"ws2012", V(3, 0), {V(3, 0), V(3, 0), V(3, 0), V(4, 0), 1, 0}},
	{"ws2012r2", V(3, 0), {V(3, 0), V(3, 0), V(3, 0), V(4, 0), V(5, 0), V(1, 1)}},
	{"ws2016", V(3, 0), {V(3, 1), V(4, 0), V(3, 0), V(4, 0), V(5, 0), V(1, 1)}},
	{"ws2019", V(3, 0), {V(3, 1), V(4, 0), V(3, 0), V(4, 0), V(5, 0), V(1, 1)}},
	{"ws2022", V(3, 0), {V(3, 2), V(4, 0), V(3, 0), V(4, 0), V(5, 0), V(1, 1)}},
	{"azure", V(3, 0), {V(3, 2), V(4, 0), V(3, 0), V(4, 0), V(5, 0), V(1, 1)}},
	{"openvmm", V(3, 0), {V(3, 2), V(4, 0), 0, V(4, 0), 0, 0}},
};
#define HOSTS (sizeof hosts / sizeof hosts[0])
#define WS2022 6u

static void every_host(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < HOSTS; n++) {
		const struct user wishes = {.agreed = &hosts[n], .session = everything};
		const struct rig_config config = {.profile = hosts[n].host, .seed = n, .cpus = 1 + n % 3};

		run(config, &wishes);
	}
}

static void every_bus_version(void **state)
{
	static const uint32_t versions[] = {VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4,
					    VMBUS_VERSION_3_0,  VMBUS_VERSION_4_0, VMBUS_VERSION_5_0};

	(void)state;
	for (uint32_t n = 0; n < sizeof versions / sizeof versions[0]; n++) {
		const struct user wishes = {.agreed = &hosts[WS2022], .session = everything};
		const struct rig_config config = {.accept_newest = versions[n], .seed = 20 + n, .cpus = 1};

		run(config, &wishes);
	}
}

/* A guest that knows less, as those before it did. */
static void every_message_version(void **state)
{
	static const struct agreed of_guests[] = {
		{"ws2022", V(3, 0), {V(3, 1), V(3, 0), V(3, 0), V(3, 0), 1, V(1, 1)}},
		{"ws2022", V(3, 0), {V(3, 0), V(3, 0), V(3, 0), V(3, 0), 1, V(1, 1)}},
		{"ws2022", V(3, 0), {V(1, 0), V(1, 0), V(1, 0), 1, 1, 1}},
		{"ws2022", V(3, 0), {V(3, 2), V(4, 0), V(3, 0), V(4, 0), 1, V(1, 1)}},
	};
	static const struct agreed of_hosts[] = {
		{"ws2022", V(3, 0), {V(3, 1), V(3, 0), V(3, 0), V(3, 0), 0, V(1, 1)}},
		{"ws2022", V(3, 0), {V(3, 0), V(3, 0), V(3, 0), V(3, 0), 0, V(1, 1)}},
		{"ws2022", V(3, 0), {V(1, 0), V(1, 0), V(1, 0), 0, 0, 0}},
		{"ws2022", V(3, 0), {V(3, 2), V(4, 0), V(3, 0), V(4, 0), 1, V(1, 1)}},
	};
	static const uint32_t newest[] = {V(3, 1), V(3, 0), V(1, 0), V(4, 0)};

	(void)state;
	for (uint32_t n = 0; n < 4; n++) {
		const struct user old_guest = {
			.agreed = &of_guests[n], .session = everything, .newest = newest[n]};
		const struct user old_host = {
			.agreed = &of_hosts[n], .session = everything, .host_newest = newest[n]};
		const struct rig_config config = {.seed = 40 + n, .cpus = 1};

		run(config, &old_guest);
		run(config, &old_host);
	}
}

static void seeds(void (*body)(struct user *user))
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		const struct user wishes = {.agreed = &hosts[WS2022], .session = body};
		const struct rig_config config = {
			.seed = seed, .cpus = 1 + (uint32_t)seed % 3, .fault_chance = seed % 2 ? 0 : 2000};

		run(config, &wishes);
	}
}

static void under_faults(void **state)
{
	(void)state;
	seeds(everything);
}

static void restarts_in_the_middle(void **state)
{
	(void)state;
	seeds(services_that_restart);
}

static void a_guest_that_takes_its_time(void **state)
{
	(void)state;
	seeds(what_waits_is_no_work);
}

static void a_freeze_thaws_by_itself(void **state)
{
	(void)state;
	seeds(a_freeze_without_a_thaw);
}

static void pairs_outlive_guest_and_host(void **state)
{
	char name[64];
	struct user wishes = {.agreed = &hosts[WS2022], .session = kept_by_the_host, .kvp_file = name};
	const struct rig_config config = {.seed = 1, .cpus = 1};

	(void)state;
	(void)snprintf(name, sizeof name, "/tmp/hvkit-conformance-kvp-%d", (int)getpid());
	run(config, &wishes);
	wishes.session = told_in_the_next_run;
	run(config, &wishes);
	(void)remove(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_host),
		cmocka_unit_test(every_bus_version),
		cmocka_unit_test(every_message_version),
		cmocka_unit_test(under_faults),
		cmocka_unit_test(restarts_in_the_middle),
		cmocka_unit_test(a_guest_that_takes_its_time),
		cmocka_unit_test(a_freeze_thaws_by_itself),
		cmocka_unit_test(pairs_outlive_guest_and_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
