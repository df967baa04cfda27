/* SPDX-License-Identifier: MIT */
/*
 * The integration components with CPUs that really run at the same time, their channels on all of them: every
 * dialogue, and services that restart while requests are under way.
 */
#include "tests/conformance/utilities_dialogues.h"

#define ROUNDS 10u

static void one_after_another(struct user *user)
{
	for (uint32_t n = 0; n < ROUNDS; n++) {
		goes_down(user);
		exchanges_pairs(user);
		has_addresses(user);
		is_backed_up(user);
		takes_files(user);
	}
}

static void count(void *context, enum hvh_utility_result result, uint32_t status, const char *text)
{
	struct user *user = context;

	(void)result;
	(void)status;
	(void)text;
	user->ended++;
}

/* Requests of all of them at once, and a restart while they are on their way: each ends, well or not. */
static void all_at_once(struct user *user)
{
	for (uint32_t n = 0; n < 10 * ROUNDS; n++) {
		uint64_t now = host_locked(user);

		user->ended = 0;
		hvh_shutdown_request(user->host, now, 0, "", count, user);
		hvh_kvp_request(user->host, now, IC_KVP_SET, 2, "k", "v", 0, count, user);
		hvh_kvp_request(user->host, now, IC_KVP_GET, 2, "k", NULL, 0, count, user);
		hvh_vss_request(user->host, now, IC_VSS_FREEZE, count, user);
		hvh_vss_request(user->host, now, IC_VSS_THAW, count, user);
		hvh_time_step(user->host, now, 10);
		host_unlocked(user);
		if (n % 3 == 0) {
			poll_for(user, 1);
			restart(user, n % 2 ? HVH_UTILITIES_ALL : HVH_UTILITY_KVP | HVH_UTILITY_VSS);
		}
		UNTIL(user, SETTLE_MS, user->ended == 5);
	}
	user->ended = 0;
	restart(user, HVH_UTILITIES_ALL);
	for (uint32_t ms = 0; ms < SETTLE_MS; ms++) { /* until it has agreed again */
		hvh_kvp_request(user->host, host_locked(user), IC_KVP_GET, 2, "k", NULL, 0, on_end, user);
		host_unlocked(user);
		UNTIL(user, SETTLE_MS, user->ended > 0);
		user->ended = 0;
		if (user->result != HVH_UTILITY_AWAY)
			break;
		poll_for(user, 1);
	}
	exchanges_pairs(user);
	has_addresses(user);
}

static const struct agreed ws2022 = {
	"ws2022", V(3, 0), {V(3, 2), V(4, 0), V(3, 0), V(4, 0), V(5, 0), V(1, 1)}};

static void on_cpus(void (*body)(struct user *user))
{
	for (uint32_t cpus = 1; cpus <= 3; cpus += 2) {
		const struct user wishes = {
			.agreed = &ws2022, .session = body, .threads = true, .cpus = cpus};
		const struct rig_config config = {.seed = cpus, .cpus = cpus};

		run(config, &wishes);
	}
}

static void dialogues(void **state)
{
	(void)state;
	on_cpus(one_after_another);
}

static void restarts(void **state)
{
	(void)state;
	on_cpus(all_at_once);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(dialogues), cmocka_unit_test(restarts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
