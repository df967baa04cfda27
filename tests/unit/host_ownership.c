/* SPDX-License-Identifier: MIT */
/*
 * From one system to the next: memory that was given back, a bus that a loaded system must not meet, a
 * firmware that was there first.
 */
#include "host_guest.h"
#include "hvkit_host/echo.h"
#include "hvkit_host/firmware.h"
#include "hvkit_host/quirk.h"

#define LOADER (HV_OS_ID_OPEN_SOURCE | 1) /* guest_start's */
#define LOADED 0x1040a00000000ull
#define PAGE_FIRMWARE 0x80u
#define FIRMWARE_PAGES (HVH_FIRMWARE_PAGES + 2 * HVH_FIRMWARE_CHANNEL_PAGES)

static void say(struct guest *guest, const void *bytes, uint32_t size)
{
	post(guest, bytes, size);
}

static void unload(struct guest *guest)
{
	say(guest, golden_unload, sizeof(golden_unload));
	assert_message(guest, 0, golden_unload_response);
}

static void off(struct guest *guest)
{
	for (uint32_t vp = 0; vp < VPS; vp++) {
		set_control(guest, vp, HV_MSR_SINT0 + VMBUS_SINT, HV_SINT_MASKED);
		set_msr(guest, vp, HV_MSR_SIEFP, msr(guest, vp, HV_MSR_SIEFP) & HV_PAGE_RESERVED_MASK);
		set_msr(guest, vp, HV_MSR_SIMP, msr(guest, vp, HV_MSR_SIMP) & HV_PAGE_RESERVED_MASK);
	}
	set_msr(guest, 0, HV_MSR_HYPERCALL, msr(guest, 0, HV_MSR_HYPERCALL) & HV_HYPERCALL_RESERVED_MASK);
	set_msr(guest, 0, HV_MSR_GUEST_OS_ID, 0);
}

/* --- Memory that was given back ------------------------------------------------------------------ */

/* A host with that fault: it writes although nobody has the hypervisor. */
static void writes_after_the_identity_are_seen(void **state)
{
	struct guest guest;
	uint32_t word = 0;

	(void)state;
	guest_create(&guest, "ws2022");
	assert_true(hvh_memory_write(guest.host, ADDRESS(PAGE_RING), &word, sizeof(word)));
	guest_start(&guest);
	assert_true(hvh_memory_write(guest.host, ADDRESS(PAGE_RING), &word, sizeof(word)));
	off(&guest);
	assert_no_violation(&guest);
	assert_true(hvh_memory_read(guest.host, ADDRESS(PAGE_RING), &word, sizeof(word)));
	assert_no_violation(&guest);
	assert_true(hvh_memory_write(guest.host, ADDRESS(PAGE_RING), &word, sizeof(word)));
	assert_only_violation(&guest, HVH_V_RETURNED_MEMORY);
	assert_non_null(strstr(hvh_violation_get(guest.host, 0)->text, "0x20000"));
	guest_start(&guest); /* the next owner's memory is its to give */
	assert_true(hvh_memory_write(guest.host, ADDRESS(PAGE_RING), &word, sizeof(word)));
	assert_int_equal(violations(&guest), 1);
	guest_destroy(&guest);
}

/* Linux puts the identity back before the pages: what lay below them returns, and that is no write. */
static void pages_that_go_off_last_are_none(void **state)
{
	struct guest guest;

	(void)state;
	guest_create(&guest, "ws2022");
	guest_start(&guest);
	set_page(&guest, 0, HV_MSR_REFERENCE_TSC, PAGE_TSC);
	set_msr(&guest, 0, HV_MSR_GUEST_OS_ID, 0);
	set_msr(&guest, 0, HV_MSR_REFERENCE_TSC,
		msr(&guest, 0, HV_MSR_REFERENCE_TSC) & HV_PAGE_RESERVED_MASK);
	off(&guest);
	set_page(&guest, 0, HV_MSR_SIMP, PAGE_SIMP); /* as firmware that has none yet */
	assert_no_violation(&guest);
	guest_destroy(&guest);
}

/* A loader that serves a disk steps aside with the bus connected: its memory is still the host's. */
static void a_connected_bus_keeps_its_memory(void **state)
{
	struct guest guest;

	(void)state;
	guest_create(&guest, "ws2022");
	guest_start(&guest);
	connect_at(&guest, VMBUS_VERSION_5_3);
	off(&guest);
	assert_true(hvh_memory_store32(guest.host, ADDRESS(PAGE_RING), 1));
	assert_no_violation(&guest);
	guest_destroy(&guest);
}

/* --- A loaded system ------------------------------------------------------------------------------- */

static void begin(struct guest *guest, const char *always)
{
	char error[160];

	guest_create(guest, "ws2012r2");
	assert_true(hvh_partition_set_quirk(guest->host, "loaded-system-always-crashes", always, error,
					    sizeof(error)));
	guest_start(guest);
}

/* Is the contact of somebody with that identity accepted? */
static bool connects(struct guest *guest, uint64_t identity)
{
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_2_4);

	set_msr(guest, 0, HV_MSR_GUEST_OS_ID, 0);
	set_msr(guest, 0, HV_MSR_GUEST_OS_ID, identity);
	set_page(guest, 0, HV_MSR_HYPERCALL, PAGE_HYPERCALL);
	send_contact(guest, &contact);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_VERSION_RESPONSE);
	return guest->message[8] != 0;
}

static void it_crashes_over_a_bus_at_3_0(void **state)
{
	struct guest guest;

	(void)state;
	begin(&guest, "off");
	connect_at(&guest, VMBUS_VERSION_3_0);
	assert_true(hvh_loaded_system_crashes(guest.host));
	assert_false(connects(&guest, LOADED));
	assert_only_violation(&guest, HVH_V_LOADED_SYSTEM);
	assert_false(connects(&guest, LOADED)); /* it stays so */
	assert_true(connects(&guest, LOADER));  /* the loader comes back: it is its own bus */
	assert_int_equal(violations(&guest), 2);
	guest_destroy(&guest);
}

/* A version that the host refuses is no contact that was accepted. */
static void a_refusal_between_changes_nothing(void **state)
{
	struct guest guest;
	struct vmbus_initiate_contact refused = contact_message(VMBUS_VERSION_4_0);

	(void)state;
	begin(&guest, "off");
	connect_at(&guest, VMBUS_VERSION_3_0);
	send_contact(&guest, &refused);
	assert_true(take(&guest, 0));
	assert_int_equal(guest.message[8], 0);
	assert_false(connects(&guest, LOADED));
	guest_destroy(&guest);
}

static void not_after_an_unload(void **state)
{
	struct guest guest;

	(void)state;
	for (int always = 0; always < 2; always++) {
		begin(&guest, always ? "on" : "off");
		connect_at(&guest, VMBUS_VERSION_3_0);
		unload(&guest);
		assert_int_equal(hvh_loaded_system_crashes(guest.host), always);
		assert_int_equal(connects(&guest, LOADED), !always);
		assert_int_equal(violations(&guest), always);
		guest_destroy(&guest);
	}
}

/* Boot mode: 3.0, UNLOAD, the oldest. Left connected or not, strict or not. */
static void boot_mode_avoids_both(void **state)
{
	struct guest guest;

	(void)state;
	for (int n = 0; n < 4; n++) {
		begin(&guest, n & 1 ? "on" : "off");
		connect_at(&guest, VMBUS_VERSION_3_0);
		unload(&guest);
		connect_at(&guest, VMBUS_VERSION_0_13);
		if (n & 2)
			unload(&guest);
		assert_false(hvh_loaded_system_crashes(guest.host));
		assert_true(connects(&guest, LOADED));
		assert_no_violation(&guest);
		guest_destroy(&guest);
	}
}

static void other_hosts_do_not_mind(void **state)
{
	struct guest guest;

	(void)state;
	guest_create(&guest, "ws2016");
	guest_start(&guest);
	connect_at(&guest, VMBUS_VERSION_4_0);
	assert_true(connects(&guest, LOADED));
	assert_no_violation(&guest);
	guest_destroy(&guest);
}

/* --- A firmware ---------------------------------------------------------------------------------------- */

struct machine {
	struct guest guest;
	struct hvh_firmware *firmware;
	struct hvh_echo *echo;
};

static void run_both(struct machine *machine)
{
	for (unsigned n = 0; n < 200; n++) {
		uint64_t next = hvh_next_event(machine->guest.host), other;

		other = hvh_firmware_next_event(machine->firmware);
		next = other < next ? other : next;
		if (next != HVH_NEVER && next > machine->guest.now)
			machine->guest.now = next;
		(void)hvh_run(machine->guest.host, machine->guest.now);
		(void)hvh_firmware_run(machine->firmware, machine->guest.now);
	}
}

static void boot(struct machine *machine, const char *profile, bool keeps_identity)
{
	struct hvh_firmware_config config = {.keeps_identity = keeps_identity};
	struct hvh_echo_config echo = {0};
	uint64_t pages[FIRMWARE_PAGES];

	for (uint32_t n = 0; n < FIRMWARE_PAGES; n++)
		pages[n] = ADDRESS(PAGE_FIRMWARE + n);
	config.pages = pages;
	config.page_count = FIRMWARE_PAGES;
	guest_create(&machine->guest, profile);
	for (unsigned n = 0; n < 3; n++)
		assert_non_null(machine->echo = hvh_echo_create(machine->guest.host, &echo));
	machine->firmware = hvh_firmware_create(machine->guest.host, 0, &config);
	assert_non_null(machine->firmware);
	run_both(machine);
	assert_int_equal(hvh_firmware_get_state(machine->firmware), HVH_FIRMWARE_OWNS);
}

static void power_off(struct machine *machine)
{
	hvh_firmware_destroy(machine->firmware);
	guest_destroy(&machine->guest);
}

static void it_is_there_first(void **state)
{
	static const struct {
		const char *profile;
		uint32_t version;
	} hosts[] = {{"ws2022", HVH_FIRMWARE_VERSION},
		     {"openvmm", HVH_FIRMWARE_VERSION},
		     {"ws2019", VMBUS_VERSION_3_0},
		     {"ws2012r2", VMBUS_VERSION_3_0}};
	struct machine machine;

	(void)state;
	for (size_t n = 0; n < sizeof(hosts) / sizeof(hosts[0]); n++) {
		boot(&machine, hosts[n].profile, false);
		assert_int_equal(hvh_firmware_version(machine.firmware), hosts[n].version);
		assert_int_equal(hvh_firmware_channels(machine.firmware), 2); /* pages for so many */
		assert_int_equal(msr(&machine.guest, 0, HV_MSR_GUEST_OS_ID), HV_OS_ID_FIRMWARE);
		assert_true(msr(&machine.guest, 0, HV_MSR_SIMP) & HV_PAGE_ENABLE);
		assert_true(msr(&machine.guest, 0, HV_MSR_SCONTROL) & HV_SCONTROL_ENABLE);
		assert_false(hvh_ended(machine.guest.host));
		assert_no_violation(&machine.guest);
		power_off(&machine);
	}
}

static void none_on_a_host_below_3_0(void **state)
{
	uint64_t pages[HVH_FIRMWARE_PAGES] = {0x1000, 0x2000, 0x3000, 0x4000};
	struct hvh_firmware_config config = {.pages = pages, .page_count = HVH_FIRMWARE_PAGES};
	struct guest guest;

	(void)state;
	guest_create(&guest, "ws2012");
	assert_null(hvh_firmware_create(guest.host, 0, &config));
	guest_destroy(&guest);
	guest_create(&guest, "ws2022");
	config.page_count--;
	assert_null(hvh_firmware_create(guest.host, 0, &config));
	guest_destroy(&guest);
}

static void any_register_ends_the_machine(void **state)
{
	static const uint32_t registers[] = {HV_MSR_GUEST_OS_ID, HV_MSR_HYPERCALL,      HV_MSR_SCONTROL,
					     HV_MSR_SIEFP,       HV_MSR_SIMP,           HV_MSR_EOM,
					     HV_MSR_SINT0 + 2,   HV_MSR_STIMER0_CONFIG, HV_MSR_REFERENCE_TSC};
	struct machine machine;
	uint64_t value;

	(void)state;
	for (size_t n = 0; n < sizeof(registers) / sizeof(registers[0]); n++) {
		boot(&machine, "ws2022", false);
		assert_true(hvh_msr_read(machine.guest.host, 0, 1, registers[n], &value));
		assert_false(hvh_ended(machine.guest.host)); /* to read is allowed */
		assert_false(hvh_msr_write(machine.guest.host, 0, 1, registers[n], value));
		assert_true(hvh_ended(machine.guest.host));
		assert_only_violation(&machine.guest, HVH_V_FIRMWARE);
		assert_false(hvh_msr_read(machine.guest.host, 0, 0, HV_MSR_GUEST_OS_ID, &value));
		assert_int_equal(hvh_next_event(machine.guest.host), HVH_NEVER);
		assert_false(hvh_run(machine.guest.host, machine.guest.now));
		assert_int_equal(hvh_firmware_next_event(machine.firmware), HVH_NEVER);
		power_off(&machine);
	}
}

static void a_message_or_signal_ends_the_machine(void **state)
{
	struct machine machine;
	bool valid = true;

	(void)state;
	for (int n = 0; n < 2; n++) {
		boot(&machine, "ws2022", false);
		(void)hvh_hypercall(machine.guest.host, 0, 0,
				    n ? HV_CALL_POST_MESSAGE : HV_CALL_SIGNAL_EVENT | HV_CALL_FAST,
				    ADDRESS(PAGE_INPUT), 0, &valid);
		assert_false(valid);
		assert_true(hvh_ended(machine.guest.host));
		assert_only_violation(&machine.guest, HVH_V_FIRMWARE);
		power_off(&machine);
	}
}

/* Also between ExitBootServices and the response to UNLOAD. */
static void it_owns_until_it_is_gone(void **state)
{
	struct machine machine;

	(void)state;
	boot(&machine, "ws2022", false);
	hvh_firmware_exit_boot_services(machine.firmware, machine.guest.now);
	assert_int_equal(hvh_firmware_get_state(machine.firmware), HVH_FIRMWARE_LEAVING);
	assert_false(hvh_msr_write(machine.guest.host, machine.guest.now, 0, HV_MSR_EOM, 0));
	assert_true(hvh_ended(machine.guest.host));
	power_off(&machine);
	boot(&machine, "ws2022", false);
	hvh_silence_set(machine.guest.host, HVH_SILENCE_UNLOAD);
	hvh_firmware_exit_boot_services(machine.firmware, machine.guest.now);
	run_both(&machine);
	assert_int_equal(hvh_firmware_get_state(machine.firmware), HVH_FIRMWARE_LEAVING);
	assert_int_equal(msr(&machine.guest, 0, HV_MSR_GUEST_OS_ID), HV_OS_ID_FIRMWARE);
	power_off(&machine);
}

static void it_gives_everything_back(void **state)
{
	struct machine machine;

	(void)state;
	boot(&machine, "ws2022", false);
	hvh_firmware_exit_boot_services(machine.firmware, machine.guest.now);
	run_both(&machine);
	assert_int_equal(hvh_firmware_get_state(machine.firmware), HVH_FIRMWARE_GONE);
	assert_int_equal(msr(&machine.guest, 0, HV_MSR_GUEST_OS_ID), 0);
	assert_int_equal(msr(&machine.guest, 0, HV_MSR_SIMP) & HV_PAGE_ENABLE, 0);
	assert_int_equal(msr(&machine.guest, 0, HV_MSR_SIEFP) & HV_PAGE_ENABLE, 0);
	assert_int_equal(msr(&machine.guest, 0, HV_MSR_HYPERCALL) & HV_PAGE_ENABLE, 0);
	assert_int_equal(msr(&machine.guest, 0, HV_MSR_SINT0 + 2) & HV_SINT_DEFINED_MASK, HV_SINT_MASKED);
	assert_true(msr(&machine.guest, 0, HV_MSR_SCONTROL) & HV_SCONTROL_ENABLE);
	assert_true(hvh_quiet(machine.guest.host));
	guest_start(&machine.guest); /* and a guest connects as if nobody had been there */
	connect_at(&machine.guest, VMBUS_VERSION_5_3);
	assert_no_violation(&machine.guest);
	power_off(&machine);
}

static void one_that_keeps_its_identity(void **state)
{
	struct machine machine;

	(void)state;
	boot(&machine, "ws2022", true);
	hvh_firmware_exit_boot_services(machine.firmware, machine.guest.now);
	run_both(&machine);
	assert_int_equal(hvh_firmware_get_state(machine.firmware), HVH_FIRMWARE_GONE);
	assert_int_equal(msr(&machine.guest, 0, HV_MSR_GUEST_OS_ID), HV_OS_ID_FIRMWARE);
	assert_false(hvh_msr_write(machine.guest.host, 0, 0, HV_MSR_GUEST_OS_ID, LOADER));
	assert_true(hvh_ended(machine.guest.host));
	power_off(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_after_the_identity_are_seen),
		cmocka_unit_test(pages_that_go_off_last_are_none),
		cmocka_unit_test(a_connected_bus_keeps_its_memory),
		cmocka_unit_test(it_crashes_over_a_bus_at_3_0),
		cmocka_unit_test(a_refusal_between_changes_nothing),
		cmocka_unit_test(not_after_an_unload),
		cmocka_unit_test(boot_mode_avoids_both),
		cmocka_unit_test(other_hosts_do_not_mind),
		cmocka_unit_test(it_is_there_first),
		cmocka_unit_test(none_on_a_host_below_3_0),
		cmocka_unit_test(any_register_ends_the_machine),
		cmocka_unit_test(a_message_or_signal_ends_the_machine),
		cmocka_unit_test(it_owns_until_it_is_gone),
		cmocka_unit_test(it_gives_everything_back),
		cmocka_unit_test(one_that_keeps_its_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
