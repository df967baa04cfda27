/* SPDX-License-Identifier: MIT */
/* Small guests on the monitor: what each sees, and how each ends. Skipped without /dev/kvm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "tests/vmm/outcome.h"

/* One that ends with 0 and did nothing wrong. */
static void ends_well(const char *name, uint32_t cpus)
{
	const struct outcome *outcome = outcome_of(name, "", cpus, OUTCOME_LIMIT_MS);

	if (outcome->result.end != VMM_EXITED || outcome->result.status != 0)
		fail_msg("%s: %s\n%s", name, outcome->result.text, outcome->report);
	assert_int_equal(outcome->violations, 0);
}

static void the_serial_port_prints_and_the_debug_exit_ends(void **state)
{
	const struct outcome *outcome = outcome_of("hello", "world", 1, OUTCOME_LIMIT_MS);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_EXITED);
	assert_int_equal(outcome->result.status, 7);
	assert_string_equal(outcome->said, "hello, world\n");
}

static void leaves_and_registers_are_the_models(void **state)
{
	const struct outcome *outcome = outcome_of("registers", "", 1, OUTCOME_LIMIT_MS);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_EXITED);
	assert_int_equal(outcome->result.status, 0);
	assert_int_equal(outcome->violations, 2); /* a register that is not there, one that is for reading */
}

static void page_and_counter_tell_the_same_time(void **state)
{
	(void)state;
	ends_well("clock", 1);
}

static void hypercalls_change_rax_alone(void **state)
{
	const struct outcome *outcome = outcome_of("hypercalls", "", 1, OUTCOME_LIMIT_MS);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_EXITED);
	assert_int_equal(outcome->result.status, 0);
	assert_int_equal(outcome->violations, 3); /* two bad codes, one call without the page */
	assert_int_equal(outcome->counters.hypercalls, 3);
}

static void a_message_comes_as_an_interrupt(void **state)
{
	(void)state;
	ends_well("messages", 1);
}

static void device_memory_answers_and_interrupts(void **state)
{
	(void)state;
	ends_well("pci_registers", 1);
}

static void another_cpu_starts_and_gets_its_messages(void **state)
{
	(void)state;
	ends_well("two_cpus", 2);
}

static void a_pvh_kernel_gets_its_start_info(void **state)
{
	(void)state;
	ends_well("bare_pvh", 1);
}

static void acpi_powers_off(void **state)
{
	(void)state;
	assert_int_equal(outcome_of("power_off", "", 1, OUTCOME_LIMIT_MS)->result.end, VMM_POWERED_OFF);
}

static void acpi_resets(void **state)
{
	(void)state;
	assert_int_equal(outcome_of("power_off", "reset", 1, OUTCOME_LIMIT_MS)->result.end, VMM_RESET);
}

static void a_triple_fault_is_reported(void **state)
{
	const struct outcome *outcome = outcome_of("triple_fault", "", 2, OUTCOME_LIMIT_MS);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_TRIPLE_FAULT);
	assert_int_equal(outcome->result.vcpu, 0);
	assert_non_null(strstr(outcome->report, "vCPU 0: triple fault"));
	if (!strstr(outcome->report, "KVM has reset it")) { /* AMD */
		assert_non_null(strstr(outcome->report, "rbx 123456789abcdef0"));
		assert_non_null(strstr(outcome->report, "code: 0f 0b"));
	}
	assert_non_null(strstr(outcome->report, "control 1234  input 5678  output 0  -> 2"));
	assert_non_null(strstr(outcome->report, "vCPU 1: never started"));
}

static void an_endless_loop_ends_at_its_limit(void **state)
{
	const struct outcome *outcome = outcome_of("endless_loop", "", 2, 300);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_TIME_IS_UP);
	/* At the pause or at the jump back to it. */
	assert_true(strstr(outcome->report, "code: f3 90 eb fc") || strstr(outcome->report, "code: eb fc"));
}

/* The only sign of why such a guest waits for ever. */
static void what_cannot_be_done_is_told(void **state)
{
	const struct outcome *outcome = outcome_of("auto_eoi", "", 1, 300);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_TIME_IS_UP);
	assert_non_null(strstr(outcome->report, "SINT 2 asks for AutoEOI"));
	assert_null(strstr(outcome->report, "SINT 5"));
}

/* Nobody polls: a guest that waits costs neither exits nor wake-ups. */
static void a_halted_guest_costs_nothing(void **state)
{
	struct rusage before, after;
	const struct outcome *outcome;
	double seconds;

	(void)state;
	(void)getrusage(RUSAGE_SELF, &before);
	outcome = outcome_of("halted", "", 1, 1500);
	(void)getrusage(RUSAGE_SELF, &after);
	assert_int_equal(outcome->result.end, VMM_TIME_IS_UP);
	assert_true(outcome->counters.exits < 10);
	assert_true(outcome->counters.device_wakeups < 10);
	seconds = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
		  (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6;
	assert_true(seconds < 0.7);
}

static void rubbish_in_registers_is_violations_and_no_more(void **state)
{
	const struct outcome *outcome = outcome_of("rubbish_registers", "", 1, OUTCOME_LIMIT_MS);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_EXITED);
	assert_int_equal(outcome->result.status, 0);
	assert_true(outcome->violations > 500);
}

static void rubbish_in_a_ring_is_violations_and_no_more(void **state)
{
	const struct outcome *outcome = outcome_of("rubbish_ring", "", 1, OUTCOME_LIMIT_MS);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_EXITED);
	assert_int_equal(outcome->result.status, 0);
	assert_true(outcome->violations > 0);
}

static void where_nothing_is_ones_are_read_and_registers_fault(void **state)
{
	const struct outcome *outcome = outcome_of("rubbish_numbers", "", 1, OUTCOME_LIMIT_MS);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_EXITED);
	assert_int_equal(outcome->result.status, 0);
	assert_int_equal(outcome->counters.mmio_exits, 2);
	assert_int_equal(outcome->counters.msr_reads[VMM_REGISTER_FOREIGN] +
				 outcome->counters.msr_writes[VMM_REGISTER_FOREIGN],
			 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_serial_port_prints_and_the_debug_exit_ends),
		cmocka_unit_test(leaves_and_registers_are_the_models),
		cmocka_unit_test(page_and_counter_tell_the_same_time),
		cmocka_unit_test(hypercalls_change_rax_alone),
		cmocka_unit_test(a_message_comes_as_an_interrupt),
		cmocka_unit_test(device_memory_answers_and_interrupts),
		cmocka_unit_test(another_cpu_starts_and_gets_its_messages),
		cmocka_unit_test(a_pvh_kernel_gets_its_start_info),
		cmocka_unit_test(acpi_powers_off),
		cmocka_unit_test(acpi_resets),
		cmocka_unit_test(a_triple_fault_is_reported),
		cmocka_unit_test(an_endless_loop_ends_at_its_limit),
		cmocka_unit_test(what_cannot_be_done_is_told),
		cmocka_unit_test(a_halted_guest_costs_nothing),
		cmocka_unit_test(rubbish_in_registers_is_violations_and_no_more),
		cmocka_unit_test(rubbish_in_a_ring_is_violations_and_no_more),
		cmocka_unit_test(where_nothing_is_ones_are_read_and_registers_fault),
	};
	char error[VMM_ERROR_MAX];
	struct vmm_probe probe;

	if (!vmm_probe(&probe, error)) {
		printf("skipped: %s\n", error);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
