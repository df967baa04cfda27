/* SPDX-License-Identifier: MIT */
/*
 * A loader and the system that it loads, both on our drivers: what the second one finds, on every host, by
 * every way of leaving; and the loaded system of iPXE 0166a6835, which crashes unless the loader knew better.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig.h"
#include "tests/support/systems.h"

#define TALK 20u
#define ABANDON_MS 1000u

enum way { ORDERLY, ABRUPT, ASIDE, WAYS };

struct case_of {
	enum hvk_vmbus_mode mode;
	enum way way;
	bool crashes;
};

static struct system loader, loaded;

static void expect(struct systems *systems, const char *what, hvk_status is, hvk_status wanted)
{
	if (is != wanted)
		systems_wrong(systems, "%s: %s, not %s", what, hvk_status_name(is), hvk_status_name(wanted));
}

static uint64_t violations(const struct systems *systems, enum hvh_violation_kind *kind)
{
	const struct hvh_violation *first = hvh_violation_get(systems->partition, 0);
	struct hvh_counters counters;

	hvh_get_counters(systems->partition, &counters);
	*kind = first ? first->kind : HVH_V_COUNT;
	return counters.violations;
}

static void use(struct systems *systems, struct system *system)
{
	if (system->offered != SYSTEMS_DEVICES)
		systems_wrong(systems, "%u devices", system->offered);
	expect(systems, "open", system_open(system), HVK_OK);
	if (!system_talk(system, TALK))
		systems_wrong(systems, "not all messages came back");
}

static void load(struct systems *systems, const struct case_of *want)
{
	if (!system_create(systems, &loader, 0, 0))
		return;
	expect(systems, "loader: start", system_start(&loader), HVK_OK);
	expect(systems, "loader: connect", system_connect(&loader, want->mode), HVK_OK);
	use(systems, &loader);
	switch (want->way) {
	case ORDERLY:
		expect(systems, "close", system_close(&loader), HVK_OK);
		expect(systems, "orderly", hvk_handover_orderly(loader.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
		break;
	case ABRUPT:
		expect(systems, "abrupt", hvk_handover_abrupt(loader.hvk, ABANDON_MS), HVK_OK);
		break;
	default:
		system_burst(&loader, 300); /* the host is still writing while we are aside */
		expect(systems, "aside", hvk_handover_quiesce(loader.hvk), HVK_OK);
		break;
	}
	if ((system_reserved(&loader) != 0) != (want->way == ASIDE))
		systems_wrong(systems, "%llu pages reserved", (unsigned long long)system_reserved(&loader));
	if (want->way != ASIDE)
		system_destroy(&loader);
	systems->running = NULL;
	if (hvh_loaded_system_crashes(systems->partition) != want->crashes)
		systems_wrong(systems, "a loaded system would %s", want->crashes ? "work" : "crash");
}

/* False: it crashed. */
static bool run_loaded(struct systems *systems)
{
	hvk_status status;

	if (!system_create(systems, &loaded, SYSTEM_LOADED, 0))
		return false;
	expect(systems, "loaded: start", system_start(&loaded), HVK_OK);
	status = system_connect(&loaded, HVK_VMBUS_MODE_SYSTEM);
	if (status == HVK_OK) {
		use(systems, &loaded);
		expect(systems, "loaded: close", system_close(&loaded), HVK_OK);
	}
	expect(systems, "loaded: leave", hvk_handover_orderly(loaded.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	system_destroy(&loaded);
	return status == HVK_OK;
}

/* The loader is there again, on a bus that the loaded system had and left. */
static void back_again(struct systems *systems)
{
	systems->running = &loader;
	loader.offered = 0;
	expect(systems, "back", hvk_handover_unquiesce(loader.hvk), HVK_OK);
	use(systems, &loader); /* the channels that are offered now */
	expect(systems, "close", system_close(&loader), HVK_OK);
	expect(systems, "leave", hvk_handover_orderly(loader.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	system_destroy(&loader);
}

static void script(struct systems *systems, void *context)
{
	const struct case_of *want = context;
	enum hvh_violation_kind kind;
	uint64_t count;

	load(systems, want);
	if (run_loaded(systems) == want->crashes)
		systems_wrong(systems, "the loaded system %s", want->crashes ? "works" : "crashes");
	if (want->way == ASIDE)
		back_again(systems);
	count = violations(systems, &kind);
	if (want->crashes ? kind != HVH_V_LOADED_SYSTEM : count != 0)
		systems_wrong(systems, "%llu violations: %s", (unsigned long long)count,
			      systems->first_violation);
	if (hosted_pages_in_use(systems->machine) != 0)
		systems_wrong(systems, "%u pages leaked", hosted_pages_in_use(systems->machine));
}

static void run(const char *profile, const struct case_of *want, bool always)
{
	static struct systems systems;
	struct systems_config config = {.profile = *hvh_profile_find(profile), .seed = 5};
	struct case_of copy = *want;

	config.profile.loaded_system_always_crashes = always;
	if (!systems_run(&systems, &config, script, &copy))
		fail_msg("%s, mode %d, way %d%s: %s", profile, (int)want->mode, (int)want->way,
			 always ? ", always" : "", systems.wrong);
}

static void the_next_system_works(void **state)
{
	static const char *const hosts[] = {"ws2012r2", "ws2016",  "ws2019", "ws2022",
					    "azure",    "openvmm", "qemu"};

	(void)state;
	for (size_t n = 0; n < sizeof(hosts) / sizeof(hosts[0]); n++) {
		for (int way = 0; way < WAYS; way++)
			run(hosts[n], &(struct case_of){HVK_VMBUS_MODE_BOOT, (enum way)way, false}, false);
	}
}

/* The bus in use at 3.0, without boot mode's second contact: only an UNLOAD saves the loaded system. */
static void without_boot_mode_it_crashes_over_a_served_disk(void **state)
{
	(void)state;
	run("ws2012r2", &(struct case_of){HVK_VMBUS_MODE_SYSTEM, ASIDE, true}, false);
	run("ws2012r2", &(struct case_of){HVK_VMBUS_MODE_SYSTEM, ORDERLY, false}, false);
	run("ws2012r2", &(struct case_of){HVK_VMBUS_MODE_SYSTEM, ABRUPT, false}, false);
}

static void on_the_stricter_host_not_even_that(void **state)
{
	(void)state;
	for (int way = 0; way < WAYS; way++) {
		run("ws2012r2", &(struct case_of){HVK_VMBUS_MODE_SYSTEM, (enum way)way, true}, true);
		run("ws2012r2", &(struct case_of){HVK_VMBUS_MODE_BOOT, (enum way)way, false}, true);
	}
}

/* --- A card ---------------------------------------------------------------------------------------- */

#define FRAMES 60u

static unsigned aside;

/* Frames come while nobody is there to take them; after it the card is another one. */
static void step_aside(void *context, struct rig *rig)
{
	hvk_status status = HVK_ESTATE;

	(void)context;
	if (aside++ != 0)
		return; /* the new card */
	for (unsigned n = 0; n < 20 && status == HVK_ESTATE; n++) {
		status = hvk_handover_quiesce(rig->hvk);
		if (status == HVK_ESTATE)
			rig_turn(rig);
	}
	assert_int_equal(status, HVK_OK);
	hosted_wait(rig->machine, 300000000u);
	assert_int_equal(hvk_handover_unquiesce(rig->hvk), HVK_OK);
}

static void a_card_is_attached_anew_after_it(void **state)
{
	static const char *const hosts[] = {"ws2012r2", "ws2016", "ws2022", "openvmm"};

	(void)state;
	for (unsigned n = 0; n < 4 * sizeof(hosts) / sizeof(hosts[0]); n++) {
		struct rig_config config = {.mode = HOSTED_DETERMINISTIC,
					    .profile = hosts[n / 4],
					    .seed = n + 1,
					    .level0 = n % 2,
					    .vmbus_mode = n / 2 % 2 ? HVK_VMBUS_MODE_SYSTEM
								    : HVK_VMBUS_MODE_BOOT,
					    .frames = FRAMES,
					    .stream = 200,
					    .delay_max = 20000,
					    .ready = step_aside};
		struct rig_result result;
		const char *wrong;

		aside = 0;
		rig_run(&config, &result);
		/* What was found is what the loaded system left: SINT2 without the vector of before. */
		if (result.changed_register && strcmp(result.changed_register, "SINT2") == 0)
			result.changed_register = NULL;
		wrong = rig_check(&result, true);
		if (wrong)
			fail_msg("%s, case %u: %s", hosts[n / 4], n, wrong);
		assert_int_equal(result.echoed, FRAMES);
		assert_int_equal(result.rescinds, 1);
		assert_int_equal(result.quarantined_pages, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_system_works),
		cmocka_unit_test(without_boot_mode_it_crashes_over_a_served_disk),
		cmocka_unit_test(on_the_stricter_host_not_even_that),
		cmocka_unit_test(a_card_is_attached_anew_after_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
