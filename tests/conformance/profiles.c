/* SPDX-License-Identifier: MIT */
/*
 * The guest on every host that the model can be, at every version that it accepts; and on
 * one host with each quirk in each of its settings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/wire/vmbus.h"
#include "hvkit_host/quirk.h"
#include "tests/support/rig.h"

static const uint32_t versions[] = {
	VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4, VMBUS_VERSION_3_0, VMBUS_VERSION_4_0,
	VMBUS_VERSION_4_1,  VMBUS_VERSION_5_0, VMBUS_VERSION_5_1, VMBUS_VERSION_5_2, VMBUS_VERSION_5_3,
};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

/* Says what is wrong and goes on: a host that one cell fails on may not be alone. */
static unsigned failed(const struct rig_config *config, const char *what)
{
	struct rig_result result;
	const char *wrong;

	rig_run(config, &result);
	wrong = rig_check(&result, true);
	if (wrong == NULL && result.echoed != config->frames)
		wrong = "not every frame came back";
	if (wrong != NULL)
		print_error("%s, seed %llu: %s\n", what, (unsigned long long)config->seed, wrong);
	return wrong != NULL;
}

static void every_profile_at_every_version(void **state)
{
	const struct hvh_profile *profile;
	char what[80];
	unsigned wrong = 0;

	(void)state;
	for (uint32_t n = 0; (profile = hvh_profile_get(n)) != NULL; n++) {
		for (uint32_t v = 0; v < VERSIONS && versions[v] <= profile->newest_version; v++) {
			struct rig_config config = {
				.mode = HOSTED_DETERMINISTIC,
				.custom = profile,
				.accept_newest = versions[v],
				.oldest = VMBUS_VERSION_0_13,
				.seed = 100 * n + v,
				.cpus = 1 + v % 3,
				.by_page = v % 2 == 1,
				.frames = 40,
				.stream = 20,
			};

			(void)snprintf(what, sizeof(what), "%s at %u.%u", profile->name, versions[v] >> 16,
				       versions[v] & 0xffff);
			wrong += failed(&config, what);
		}
	}
	assert_int_equal(wrong, 0);
}

static void every_profile_with_faults(void **state)
{
	const struct hvh_profile *profile;

	(void)state;
	for (uint32_t n = 0; (profile = hvh_profile_get(n)) != NULL; n++) {
		for (uint64_t seed = 1; seed <= 4; seed++) {
			struct rig_config config = {
				.mode = HOSTED_DETERMINISTIC,
				.custom = profile,
				.oldest = VMBUS_VERSION_0_13,
				.seed = seed,
				.cpus = 1 + (uint32_t)seed % 3,
				.fault_chance = 2000,
				.frames = 30,
				.reattach = 1,
			};
			struct rig_result result;

			rig_run(&config, &result);
			const char *wrong = rig_check(&result, false);
			if (wrong)
				print_error("%s, seed %u: %s\n", profile->name, (unsigned)seed, wrong);
			assert_null(wrong);
		}
	}
}

/* Where UNLOAD works the guest can hand over. */
static void boot_mode_on_every_profile(void **state)
{
	const struct hvh_profile *profile;

	(void)state;
	for (uint32_t n = 0; (profile = hvh_profile_get(n)) != NULL; n++) {
		struct rig_config config = {
			.mode = HOSTED_DETERMINISTIC,
			.custom = profile,
			.seed = n,
			.vmbus_mode = HVK_VMBUS_MODE_BOOT,
			.frames = 20,
		};
		struct rig_result result;

		rig_run(&config, &result);
		const char *wrong = rig_check(&result, true);
		if (!profile->unload_works) {
			assert_true(result.finished);
			assert_int_equal(result.status, HVK_EHOSTTOOOLD);
			continue;
		}
		if (wrong)
			print_error("%s: %s\n", profile->name, wrong);
		assert_null(wrong);
		assert_int_equal(result.version, VMBUS_VERSION_0_13);
		assert_true(result.quiet);
	}
}

/* --- Quirks ---------------------------------------------------------------------------- */

/* With these the guest cannot do all of its work, and docs/hosts.md says why. */
static bool hopeless(const char *quirk, const char *value)
{
	return (strcmp(quirk, "message-privileges") == 0 && strcmp(value, "off") == 0) ||
	       (strcmp(quirk, "returned-connection") == 0 && strcmp(value, "4") != 0) ||
	       (strcmp(quirk, "unload-works") == 0 && strcmp(value, "off") == 0);
}

static unsigned set_and_run(const char *host, const char *quirk, const char *value, uint64_t seed)
{
	struct hvh_profile profile = *hvh_profile_find(host);
	char error[160], what[120];
	struct rig_config config = {
		.mode = HOSTED_DETERMINISTIC,
		.custom = &profile,
		.oldest = VMBUS_VERSION_0_13,
		.seed = seed,
		.cpus = 2,
		.queues = 3,
		.receive_pages = 256, /* room for each queue, however large the pieces are */
		.frames = 30,
		.frame_length = 200, /* fits into every piece and section */
		.reattach = 1,
	};

	if (!hvh_quirk_set(&profile, quirk, value, error, sizeof(error))) {
		/* A version that this host does not know. */
		assert_string_equal(quirk, "version-max");
		return 0;
	}
	(void)snprintf(what, sizeof(what), "%s with %s=%s", host, quirk, value);
	/* The rig looks at every register before and after: at this one only if it is there. */
	config.no_reference_tsc = profile.reference_tsc == HVH_REFERENCE_TSC_ABSENT;
	if (strcmp(quirk, "monitor") == 0 || strcmp(quirk, "first-signal-lost") == 0)
		config.reattach = 0; /* signals are late: what is on the way goes with the card */
	if (strcmp(quirk, "rescind") == 0 && strcmp(value, "on") == 0)
		return 0; /* tests/sim has channels that go out of the blue */
	if (hopeless(quirk, value)) {
		struct rig_result result;

		rig_run(&config, &result);
		assert_true(result.finished);
		assert_int_equal(result.violations, 0);
		return 0;
	}
	return failed(&config, what);
}

static void each_quirk_in_each_setting(void **state)
{
	static const char *const hosts[] = {"ws2022", "ws2012r2"};
	const struct hvh_quirk *quirk;
	char number[16];
	unsigned wrong = 0;

	(void)state;
	for (uint32_t n = 0; (quirk = hvh_quirk_get(n)) != NULL; n++) {
		for (uint32_t host = 0; host < 2; host++) {
			if (quirk->kind == HVH_QUIRK_SWITCH) {
				wrong += set_and_run(hosts[host], quirk->name, "on", n);
				wrong += set_and_run(hosts[host], quirk->name, "off", n);
			}
			for (uint32_t c = 0; quirk->choices != NULL && quirk->choices[c] != NULL; c++)
				wrong += set_and_run(hosts[host], quirk->name, quirk->choices[c], n);
			if (quirk->kind != HVH_QUIRK_NUMBER)
				continue;
			(void)snprintf(number, sizeof(number), "%u", quirk->minimum);
			wrong += set_and_run(hosts[host], quirk->name, number, n);
			(void)snprintf(number, sizeof(number), "%u", quirk->maximum);
			wrong += set_and_run(hosts[host], quirk->name, number, n);
		}
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_profile_at_every_version),
		cmocka_unit_test(every_profile_with_faults),
		cmocka_unit_test(boot_mode_on_every_profile),
		cmocka_unit_test(each_quirk_in_each_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
