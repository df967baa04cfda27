/* SPDX-License-Identifier: MIT */
/* Small guests on the monitor: what each sees, and how each ends. Skipped without /dev/kvm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "hvkit_host/echo.h"
#include "vmm/vmm.h"

#define LIMIT_MS 30000u
#define TEXT_MAX 4096u

struct outcome {
	struct vmm_result result;
	struct vmm_counters counters;
	uint64_t violations;
	char said[TEXT_MAX], report[TEXT_MAX * 4];
	size_t said_count;
};

static void take_text(void *context, const char *text, size_t length)
{
	struct outcome *outcome = context;

	if (outcome->said_count + length < TEXT_MAX) {
		memcpy(outcome->said + outcome->said_count, text, length);
		outcome->said_count += length;
	}
}

static void take_report(struct vmm *vmm, struct outcome *outcome)
{
	FILE *file = fmemopen(outcome->report, sizeof(outcome->report), "w");

	assert_non_null(file);
	vmm_report(vmm, file);
	fclose(file);
}

static struct outcome *run_as(const char *name, const char *command_line, uint32_t cpus, uint64_t limit_ms)
{
	static struct outcome outcome;
	char error[VMM_ERROR_MAX] = "", path[512];
	const struct vmm_config config = {.cpus = cpus,
					  .memory = 32ull << 20,
					  .generation = 2,
					  .profile = hvh_profile_find("ws2022"),
					  .seed = 1,
					  .serial = take_text,
					  .context = &outcome};
	const struct vmm_program program = {.kernel = path, .command_line = command_line};
	const struct hvh_echo_config echo = {.monitored = false};
	struct hvh_counters counters;
	struct vmm *vmm;

	snprintf(path, sizeof(path), "%s/%s.elf", VMM_GUESTS, name);
	memset(&outcome, 0, sizeof(outcome));
	vmm = vmm_create(&config, error);
	if (!vmm)
		fail_msg("%s", error);
	assert_non_null(hvh_echo_create(vmm_partition(vmm), &echo));
	if (!vmm_load(vmm, &program, error))
		fail_msg("%s", error);
	vmm_run(vmm, limit_ms, &outcome.result);
	take_report(vmm, &outcome);
	vmm_get_counters(vmm, &outcome.counters);
	hvh_get_counters(vmm_partition(vmm), &counters);
	outcome.violations = counters.violations;
	vmm_destroy(vmm);
	return &outcome;
}

/* One that ends with 0 and did nothing wrong. */
static void ends_well(const char *name, uint32_t cpus)
{
	const struct outcome *outcome = run_as(name, "", cpus, LIMIT_MS);

	if (outcome->result.end != VMM_EXITED || outcome->result.status != 0)
		fail_msg("%s: %s\n%s", name, outcome->result.text, outcome->report);
	assert_int_equal(outcome->violations, 0);
}

static void the_serial_port_prints_and_the_debug_exit_ends(void **state)
{
	const struct outcome *outcome = run_as("hello", "world", 1, LIMIT_MS);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_EXITED);
	assert_int_equal(outcome->result.status, 7);
	assert_string_equal(outcome->said, "hello, world\n");
}

static void leaves_and_registers_are_the_models(void **state)
{
	const struct outcome *outcome = run_as("registers", "", 1, LIMIT_MS);

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
	const struct outcome *outcome = run_as("hypercalls", "", 1, LIMIT_MS);

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
	assert_int_equal(run_as("power_off", "", 1, LIMIT_MS)->result.end, VMM_POWERED_OFF);
}

static void acpi_resets(void **state)
{
	(void)state;
	assert_int_equal(run_as("power_off", "reset", 1, LIMIT_MS)->result.end, VMM_RESET);
}

static void a_triple_fault_is_reported(void **state)
{
	const struct outcome *outcome = run_as("triple_fault", "", 2, LIMIT_MS);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_TRIPLE_FAULT);
	assert_int_equal(outcome->result.vcpu, 0);
	assert_non_null(strstr(outcome->report, "vCPU 0: triple fault"));
	assert_non_null(strstr(outcome->report, "rbx 123456789abcdef0"));
	assert_non_null(strstr(outcome->report, "code: 0f 0b"));
	assert_non_null(strstr(outcome->report, "control 1234  input 5678  output 0  -> 2"));
	assert_non_null(strstr(outcome->report, "vCPU 1: never started"));
}

static void an_endless_loop_ends_at_its_limit(void **state)
{
	const struct outcome *outcome = run_as("endless_loop", "", 2, 300);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_TIME_IS_UP);
	/* At the pause or at the jump back to it. */
	assert_true(strstr(outcome->report, "code: f3 90 eb fc") || strstr(outcome->report, "code: eb fc"));
}

/* Nobody polls: a guest that waits costs neither exits nor wake-ups. */
static void a_halted_guest_costs_nothing(void **state)
{
	struct rusage before, after;
	const struct outcome *outcome;
	double seconds;

	(void)state;
	(void)getrusage(RUSAGE_SELF, &before);
	outcome = run_as("halted", "", 1, 1500);
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
	const struct outcome *outcome = run_as("rubbish_registers", "", 1, LIMIT_MS);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_EXITED);
	assert_int_equal(outcome->result.status, 0);
	assert_true(outcome->violations > 500);
}

static void rubbish_in_a_ring_is_violations_and_no_more(void **state)
{
	const struct outcome *outcome = run_as("rubbish_ring", "", 1, LIMIT_MS);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_EXITED);
	assert_int_equal(outcome->result.status, 0);
	assert_true(outcome->violations > 0);
}

static void where_nothing_is_ones_are_read_and_registers_fault(void **state)
{
	const struct outcome *outcome = run_as("rubbish_numbers", "", 1, LIMIT_MS);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_EXITED);
	assert_int_equal(outcome->result.status, 0);
	assert_int_equal(outcome->counters.mmio_exits, 2);
	assert_int_equal(outcome->counters.msr_reads[VMM_REGISTER_FOREIGN] +
				 outcome->counters.msr_writes[VMM_REGISTER_FOREIGN],
			 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_serial_port_prints_and_the_debug_exit_ends),
		cmocka_unit_test(leaves_and_registers_are_the_models),
		cmocka_unit_test(page_and_counter_tell_the_same_time),
		cmocka_unit_test(hypercalls_change_rax_alone),
		cmocka_unit_test(a_message_comes_as_an_interrupt),
		cmocka_unit_test(another_cpu_starts_and_gets_its_messages),
		cmocka_unit_test(a_pvh_kernel_gets_its_start_info),
		cmocka_unit_test(acpi_powers_off),
		cmocka_unit_test(acpi_resets),
		cmocka_unit_test(a_triple_fault_is_reported),
		cmocka_unit_test(an_endless_loop_ends_at_its_limit),
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
