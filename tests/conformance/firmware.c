/* SPDX-License-Identifier: MIT */
/*
 * A firmware that has the hypervisor and the bus before us: nothing of ours is written before it has left;
 * then the native drivers connect, on every host that has such firmware.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/wire/hypervisor.h"
#include "tests/support/systems.h"

static const char *const hosts[] = {"ws2012r2", "ws2016", "ws2019", "ws2022", "azure", "openvmm"};

static struct systems_config config_of(const char *profile)
{
	struct systems_config config = {.firmware = true, .seed = 11};

	config.profile = *hvh_profile_find(profile);
	return config;
}

static uint64_t violations(const struct systems *systems)
{
	struct hvh_counters counters;

	hvh_get_counters(systems->partition, &counters);
	return counters.violations;
}

static struct system guest;

static void expect(struct systems *systems, const char *what, hvk_status is, hvk_status wanted)
{
	if (is != wanted)
		systems_wrong(systems, "%s: %s, not %s", what, hvk_status_name(is), hvk_status_name(wanted));
}

static void leave_and_check(struct systems *systems, enum hvk_vmbus_mode mode)
{
	expect(systems, "start", system_start(&guest), HVK_OK);
	expect(systems, "connect", system_connect(&guest, mode), HVK_OK);
	if (guest.offered != SYSTEMS_DEVICES)
		systems_wrong(systems, "%u channels", guest.offered);
	expect(systems, "open", system_open(&guest), HVK_OK);
	if (!system_talk(&guest, 20))
		systems_wrong(systems, "not all messages came back");
	expect(systems, "close", system_close(&guest), HVK_OK);
	expect(systems, "leave", hvk_handover_orderly(guest.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	if (system_reserved(&guest) != 0 || violations(systems) != 0)
		systems_wrong(systems, "%llu pages reserved, %s", (unsigned long long)system_reserved(&guest),
			      systems->first_violation);
	system_destroy(&guest);
}

/* The order of a UEFI application: look, let the firmware leave, look again, connect. */
static void look_wait_connect(struct systems *systems, void *context)
{
	const enum hvk_vmbus_mode *mode = context;
	struct hvh_counters before, after;

	if (!systems_firmware(systems, HVH_FIRMWARE_OWNS)) {
		systems_wrong(systems, "the firmware does not come up");
		return;
	}
	if (!system_create(systems, &guest, 0, 0))
		return;
	hvh_get_counters(systems->partition, &before);
	expect(systems, "start under the firmware", system_start(&guest), HVK_EOWNED);
	expect(systems, "abrupt exit", hvk_handover_abrupt(guest.hvk, 10), HVK_ESTATE);
	expect(systems, "orderly exit", hvk_handover_orderly(guest.hvk, HVK_HANDOVER_ANYWAY), HVK_ESTATE);
	systems_pass(systems, 50);
	hvh_get_counters(systems->partition, &after);
	if (after.msr_writes != before.msr_writes || after.hypercalls != before.hypercalls)
		systems_wrong(systems, "something was written");
	if (hvh_firmware_channels(systems->firmware) != SYSTEMS_DEVICES)
		systems_wrong(systems, "the firmware has lost its channels");
	hvh_firmware_exit_boot_services(systems->firmware, hosted_now(systems->machine));
	hosted_kick(systems->machine);
	expect(systems, "start while it leaves", system_start(&guest), HVK_EOWNED);
	if (!systems_firmware(systems, HVH_FIRMWARE_GONE))
		systems_wrong(systems, "the firmware does not go");
	leave_and_check(systems, *mode);
}

static void the_native_drivers_come_after_it(void **state)
{
	static const enum hvk_vmbus_mode modes[] = {HVK_VMBUS_MODE_SYSTEM, HVK_VMBUS_MODE_BOOT};
	static struct systems systems;

	(void)state;
	for (size_t n = 0; n < 2 * sizeof(hosts) / sizeof(hosts[0]); n++) {
		struct systems_config config = config_of(hosts[n / 2]);
		enum hvk_vmbus_mode mode = modes[n % 2];

		if (!systems_run(&systems, &config, look_wait_connect, &mode))
			fail_msg("%s, mode %d: %s", hosts[n / 2], (int)mode, systems.wrong);
	}
}

static void a_take_over(struct systems *systems, void *context)
{
	const struct hvk_config config = {.cpus = 1, .take_over = true, .guest_os_id = SYSTEM_LOADED};
	struct hvk *hvk;

	(void)context;
	if (!systems_firmware(systems, HVH_FIRMWARE_OWNS) ||
	    hvk_create(hosted_port(systems->machine), &config, &hvk) != HVK_OK) {
		systems_wrong(systems, "no firmware, or no instance");
		return;
	}
	expect(systems, "take-over", hvk_start(hvk), HVK_EOWNED);
	if (hvh_ended(systems->partition))
		systems_wrong(systems, "the machine ended");
	(void)hvk_destroy(hvk);
}

/* take_over is for what an earlier system left behind, never for a firmware. */
static void not_even_when_told_to(void **state)
{
	static struct systems systems;
	struct systems_config config = config_of("ws2022");

	(void)state;
	if (!systems_run(&systems, &config, a_take_over, NULL))
		fail_msg("%s", systems.wrong);
}

static void after_a_forgetful_one(struct systems *systems, void *context)
{
	(void)context;
	if (!systems_firmware(systems, HVH_FIRMWARE_OWNS) || !system_create(systems, &guest, 0, 0))
		return;
	hvh_firmware_exit_boot_services(systems->firmware, hosted_now(systems->machine));
	hosted_kick(systems->machine);
	if (!systems_firmware(systems, HVH_FIRMWARE_GONE))
		systems_wrong(systems, "the firmware does not go");
	expect(systems, "start", system_start(&guest), HVK_EOWNED);
	if (hvh_ended(systems->partition) || violations(systems) != 0)
		systems_wrong(systems, "the machine ended: %s", systems->first_violation);
	system_destroy(&guest);
}

/* One that does not give its identity back: we are told, and the machine lives. */
static void an_identity_that_stays_is_an_error(void **state)
{
	static struct systems systems;
	struct systems_config config = config_of("ws2022");

	(void)state;
	config.firmware_keeps_identity = true;
	if (!systems_run(&systems, &config, after_a_forgetful_one, NULL))
		fail_msg("%s", systems.wrong);
}

static void a_thief(struct systems *systems, void *context)
{
	const struct hvk_port *port = hosted_port(systems->machine);

	(void)context;
	if (!systems_firmware(systems, HVH_FIRMWARE_OWNS))
		systems_wrong(systems, "no firmware");
	if (port->reg_write(port->context, HVK_REG_GUEST_OS_ID, SYSTEM_LOADED) == HVK_OK)
		systems_wrong(systems, "the register was written");
	if (!hvh_ended(systems->partition) || hvh_violation_count(systems->partition, HVH_V_FIRMWARE) != 1)
		systems_wrong(systems, "nobody minds");
}

/* What this test would see of us if we did write. */
static void whoever_writes_ends_the_machine(void **state)
{
	static struct systems systems;
	struct systems_config config = config_of("ws2022");

	(void)state;
	if (!systems_run(&systems, &config, a_thief, NULL))
		fail_msg("%s", systems.wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_native_drivers_come_after_it),
		cmocka_unit_test(not_even_when_told_to),
		cmocka_unit_test(an_identity_that_stays_is_an_error),
		cmocka_unit_test(whoever_writes_ends_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
