/* SPDX-License-Identifier: MIT */
/* What the monitor counts, and when it is asked to keep it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/wire/hypervisor.h"
#include "vmm/private.h"

#define LIMIT_MS 30000u

/* --- Without KVM ---------------------------------------------------------------------------- */

static void registers_are_known_by_what_they_are_for(void **state)
{
	static const struct {
		uint32_t index;
		enum vmm_register what;
	} is[] = {
		{0x10, VMM_REGISTER_FOREIGN},        {0x3fffffff, VMM_REGISTER_FOREIGN},
		{0x40000000, VMM_REGISTER_IDENTITY}, {0x40000001, VMM_REGISTER_IDENTITY},
		{0x40000002, VMM_REGISTER_VP_INDEX}, {0x40000003, VMM_REGISTER_OTHER},
		{0x40000020, VMM_REGISTER_TIME},     {0x40000023, VMM_REGISTER_TIME},
		{0x40000070, VMM_REGISTER_APIC},     {0x40000073, VMM_REGISTER_APIC},
		{0x40000080, VMM_REGISTER_SYNIC},    {0x40000083, VMM_REGISTER_SYNIC},
		{0x40000084, VMM_REGISTER_EOM},      {0x40000090, VMM_REGISTER_SINT},
		{0x4000009f, VMM_REGISTER_SINT},     {0x400000b0, VMM_REGISTER_TIMER},
		{0x400000b7, VMM_REGISTER_TIMER},    {0x400000b8, VMM_REGISTER_OTHER},
		{0x40000100, VMM_REGISTER_CRASH},    {0x40000105, VMM_REGISTER_CRASH},
		{0x40000118, VMM_REGISTER_OTHER},    {0x400001ff, VMM_REGISTER_OTHER},
		{0x40000200, VMM_REGISTER_FOREIGN},  {0x4b564d00, VMM_REGISTER_FOREIGN},
		{0xc0000080, VMM_REGISTER_FOREIGN},
	};

	(void)state;
	for (size_t n = 0; n < sizeof(is) / sizeof(is[0]); n++) {
		if (vmm_register_of(is[n].index) != is[n].what)
			fail_msg("%#x is %s", is[n].index, vmm_register_name(vmm_register_of(is[n].index)));
	}
}

static void each_counter_has_a_name(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < VMM_REGISTERS; n++)
		assert_non_null(vmm_register_name(n));
	for (uint32_t n = 0; n < VMM_DEVICES; n++)
		assert_non_null(vmm_device_name(n));
	for (uint32_t n = 0; n < VMM_CALLS; n++)
		assert_non_null(vmm_call_name(n));
	assert_null(vmm_register_name(VMM_REGISTERS));
	assert_null(vmm_device_name(VMM_DEVICES));
	assert_null(vmm_call_name(VMM_CALLS));
	assert_int_equal(vmm_call_of(HV_CALL_POST_MESSAGE), VMM_CALL_POST_MESSAGE);
	assert_int_equal(vmm_call_of(HV_CALL_SIGNAL_EVENT | HV_CALL_FAST), VMM_CALL_SIGNAL_EVENT);
	assert_int_equal(vmm_call_of(0x51), VMM_CALL_VP_REGISTERS);
	assert_int_equal(vmm_call_of(2), VMM_CALL_OTHER);
}

/* --- Behind KVM -------------------------------------------------------------------------------- */

struct marks {
	struct vmm *vmm;
	uint32_t count;
	uint8_t values[4];
	struct vmm_counters counters[4];
};

static void take_mark(void *context, uint8_t value)
{
	struct marks *marks = context;

	if (marks->count == 4)
		return;
	marks->values[marks->count] = value;
	vmm_get_counters(marks->vmm, &marks->counters[marks->count++]);
}

static void run(struct marks *marks, struct vmm_usage *usage)
{
	const struct vmm_config config = {.cpus = 1,
					  .memory = 32ull << 20,
					  .generation = 2,
					  .profile = hvh_profile_find("ws2022"),
					  .mark = take_mark,
					  .context = marks};
	const struct vmm_program program = {.kernel = VMM_GUESTS "/marks.elf", .command_line = ""};
	struct vmm_result result;
	char error[VMM_ERROR_MAX];

	marks->vmm = vmm_create(&config, error);
	if (!marks->vmm || !vmm_load(marks->vmm, &program, error))
		fail_msg("%s", error);
	vmm_run(marks->vmm, LIMIT_MS, &result);
	assert_int_equal(result.end, VMM_EXITED);
	assert_int_equal(result.status, 0);
	assert_true(vmm_get_usage(marks->vmm, usage));
	vmm_destroy(marks->vmm);
}

static void what_happens_between_two_marks_is_counted(void **state)
{
	struct marks marks = {.vmm = NULL};
	const struct vmm_counters *a = &marks.counters[0], *b = &marks.counters[1];
	struct vmm_usage usage;
	char error[VMM_ERROR_MAX];
	struct vmm_probe probe;

	(void)state;
	if (!vmm_probe(&probe, error))
		skip();
	run(&marks, &usage);
	assert_int_equal(marks.count, 2);
	assert_int_equal(marks.values[0], 3);
	assert_int_equal(marks.values[1], 200);
	assert_int_equal(b->msr_reads[VMM_REGISTER_VP_INDEX] - a->msr_reads[VMM_REGISTER_VP_INDEX], 5);
	assert_int_equal(b->msr_writes[VMM_REGISTER_EOM] - a->msr_writes[VMM_REGISTER_EOM], 1);
	assert_int_equal(b->msr_exits - a->msr_exits, 6);
	assert_int_equal(b->hypercalls - a->hypercalls, 2);
	assert_int_equal(b->calls[VMM_CALL_POST_MESSAGE] - a->calls[VMM_CALL_POST_MESSAGE], 1);
	assert_int_equal(b->calls[VMM_CALL_OTHER] - a->calls[VMM_CALL_OTHER], 1);
	assert_int_equal(b->ports[VMM_DEVICE_NONE] - a->ports[VMM_DEVICE_NONE], 1);
	assert_int_equal(b->ports[VMM_DEVICE_SERIAL] - a->ports[VMM_DEVICE_SERIAL], 2);
	assert_int_equal(b->ports[VMM_DEVICE_MARK] - a->ports[VMM_DEVICE_MARK], 1);
	assert_int_equal(b->port_exits - a->port_exits, 2 + 1 + 2 + 1);
	/* The guest's image and tables are in memory; not its 32 MiB, and the monitor is small. */
	assert_in_range(usage.guest_bytes, 4096, 8u << 20);
	assert_in_range(usage.monitor_bytes, 64u << 10, 512u << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_are_known_by_what_they_are_for),
		cmocka_unit_test(each_counter_has_a_name),
		cmocka_unit_test(what_happens_between_two_marks_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
