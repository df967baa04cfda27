/* SPDX-License-Identifier: MIT */
#include "tests/vmm/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit_host/echo.h"
#include "hvkit_host/registers.h"

static void take_text(void *context, const char *text, size_t length)
{
	struct outcome *outcome = context;

	if (outcome->said_count + length < OUTCOME_TEXT_MAX) {
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

static bool offer_device(const char *name, struct hvh_partition *partition)
{
	const struct hvh_echo_config echo = {.monitored = false};
	const struct hvh_vpci_config bus = {.serial = 1};

	if (strncmp(name, "pci_", 4) == 0)
		return hvh_registers_create(partition, &bus) != NULL;
	return hvh_echo_create(partition, &echo) != NULL;
}

struct outcome *outcome_of(const char *name, const char *command_line, uint32_t cpus, uint64_t limit_ms)
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
	struct hvh_counters counters;
	struct vmm *vmm;

	snprintf(path, sizeof(path), "%s/%s.elf", VMM_GUESTS, name);
	memset(&outcome, 0, sizeof(outcome));
	vmm = vmm_create(&config, error);
	if (!vmm)
		fail_msg("%s", error);
	assert_true(offer_device(name, vmm_partition(vmm)));
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
