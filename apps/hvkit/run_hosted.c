/* SPDX-License-Identifier: MIT */
/* A run in this process: the shell on the hosted port. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/run.h"

#define VECTOR 0x62u /* any from 16 on: the hosted machine has no other interrupts */
#define DEVICE_VECTOR_FIRST 0x80u
#define DEVICE_VECTOR_COUNT 64u
#define LIMIT_MS 86400000ull /* a day: hangs end sooner, by time-outs or for want of anything due */

/* --- The platform ------------------------------------------------------------------- */

static void show(void *context, enum shell_stream stream, const char *text, size_t length)
{
	struct run *run = context;

	console_show(&run->console, stream, text, length);
}

static enum shell_line read_line(void *context, char *line, size_t size, uint64_t *again)
{
	return console_read_line(&((struct run *)context)->console, line, size, again);
}

static void ending(void *context)
{
	console_ending(&((struct run *)context)->console);
}

static void sleep_until_woken(void *context, uint64_t timeout_ns)
{
	struct run *run = context;

	hosted_wait(run->hosted, timeout_ns);
}

static void wake(void *context, uint32_t cpu)
{
	const struct hvk_port *port = hosted_port(((struct run *)context)->hosted);

	if (port->wake)
		port->wake(port->context, cpu);
}

static void fatal(void *context, const char *text)
{
	(void)context;
	fflush(stdout);
	fprintf(stderr, "hvkit: a fault of the guest's own: %s\n", text);
	abort();
}

static void log_line(void *context, enum hvk_log_level level, const char *text)
{
	struct run *run = context;
	char line[400];
	int length;

	if (level > HVK_LOG_WARN || run->options->quiet)
		return;
	length = snprintf(line, sizeof(line), "guest: %s: %.360s\n",
			  level == HVK_LOG_ERROR ? "error" : "warning", text);
	console_show(&run->console, SHELL_ERROR, line, (size_t)length);
}

static void boot_cpu(void *context)
{
	struct run_cpu *cpu = context;

	shell_run(&cpu->run->shell);
}

static void other_cpu(void *context)
{
	struct run_cpu *cpu = context;

	shell_run_cpu(&cpu->run->shell, cpu->index);
}

static void device_interrupt(void *context, uint32_t cpu, uint8_t vector)
{
	struct run *run = context;
	struct hvk *hvk = atomic_load(&run->shell.hvk);

	if (hvk)
		hvk_interrupt_device(hvk, cpu, vector);
}

static void interrupt(void *context, uint32_t cpu)
{
	struct run *run = context;

	shell_interrupt(&run->shell, cpu);
}

/* --- Building ----------------------------------------------------------------------- */

static bool create_machine(struct run *run, char *error)
{
	const struct cli_options *options = run->options;
	const struct hosted_config config = {
		.mode = options->seeded ? HOSTED_DETERMINISTIC : HOSTED_THREADS,
		.cpus = options->cpus,
		.profile = &options->host,
		.seed = options->seed,
		.trace = run->trace,
		.log = log_line,
		.context = run,
	};

	run->hosted = hosted_create(&config);
	if (!run->hosted) {
		snprintf(error, CLI_ERROR_MAX, "the guest's memory could not be had");
		return false;
	}
	run->machine = machine_hosted(run->hosted);
	return run_prepare(run, error);
}

static bool load_shell(struct run *run, char *error)
{
	const struct cli_options *options = run->options;
	const struct shell_platform platform = {
		.context = run,
		.port = hosted_port(run->hosted),
		.write = show,
		.wait = sleep_until_woken,
		.wake = wake,
		.fatal = fatal,
		.read_line = read_line,
		.ending = ending,
		.files = run->guest_files ? guest_files_operations(run->guest_files) : NULL,
	};
	const struct shell_config config = {
		.hvk = {.cpus = options->cpus,
			.vector = VECTOR,
			.interrupts = true,
			.device_vector_first = DEVICE_VECTOR_FIRST,
			.device_vector_count = DEVICE_VECTOR_COUNT,
			.mmio_windows = {{HVH_MMIO_HIGH_BASE, HVH_MMIO_HIGH_LENGTH},
					 {HVH_MMIO_LOW_BASE, HVH_MMIO_LOW_LENGTH}}},
		.mode = options->boot_mode ? HVK_VMBUS_MODE_BOOT : HVK_VMBUS_MODE_SYSTEM,
		.network = options->nic != CLI_NIC_NONE,
		.driver = options->driver,
		.vf = !options->vf           ? SHELL_VF_NONE
		      : options->vf_separate ? SHELL_VF_SEPARATE
					     : SHELL_VF_TRANSPARENT,
		.vf_grace_ms = options->vf_grace_ms,
		.freeze_max_ms = options->freeze_max_ms,
	};

	if (shell_init(&run->shell, &platform, &config) != HVK_OK) {
		snprintf(error, CLI_ERROR_MAX, "the guest could not be set up");
		return false;
	}
	for (uint32_t cpu = 0; cpu < options->cpus; cpu++) {
		run->cpus[cpu] = (struct run_cpu){run, cpu};
		hosted_set_program(run->hosted, cpu, cpu ? other_cpu : boot_cpu, &run->cpus[cpu]);
	}
	hosted_set_interrupt(run->hosted, interrupt, run);
	hosted_set_device_interrupts(run->hosted, DEVICE_VECTOR_FIRST, DEVICE_VECTOR_COUNT, device_interrupt);
	return true;
}

static bool create(struct run *run, char *error)
{
	return create_machine(run, error) && load_shell(run, error);
}

/* --- Running and judging -------------------------------------------------------------- */

static void go(struct run *run)
{
	console_start(&run->console);
	/* Who reads from others may wait for them as long as they like. */
	run->hung = !hosted_run(run->hosted, run->console.source == CONSOLE_COMMANDS ? LIMIT_MS : 0);
	console_stop(&run->console);
	if (!run->hung)
		console_finish(&run->console);
}

static void end(struct run *run)
{
	console_quit(&run->console);
}

static void look_inside(struct run *run)
{
	uint64_t quarantined = run->shell.results.counters.quarantined_pages;
	uint32_t in_use = hosted_pages_in_use(run->hosted);

	run->leaked_pages = in_use > quarantined ? in_use - (uint32_t)quarantined : 0;
	run->writes_to_free_memory = hosted_writes_to_free_memory(run->hosted);
}

static int judge(struct run *run)
{
	int status = run->shell.results.exit_status;

	look_inside(run);
	/* Who types at a terminal has seen what failed. */
	if (run->console.source == CONSOLE_TERMINAL && !run->shell.results.failed_step)
		status = CLI_OK;
	if (run->ended_by)
		status = run->ended_by;
	status = run_judge_violations(run, status);
	if (run->writes_to_free_memory) {
		fprintf(stderr, "hvkit: the host wrote %llu times to memory that the guest had given back\n",
			(unsigned long long)run->writes_to_free_memory);
		status = CLI_VIOLATION;
	}
	if (run->hung) {
		fprintf(stderr, "hvkit: the guest hangs: nothing is due any more, and it has not ended\n");
		return CLI_HANG;
	}
	if (run->leaked_pages) {
		fprintf(stderr, "hvkit: the guest kept %u pages of memory\n", run->leaked_pages);
		status = CLI_VIOLATION;
	}
	return status;
}

static void destroy(struct run *run)
{
	if (run->hosted)
		hosted_destroy(run->hosted);
}

const struct run_kind run_hosted = {create, go, end, judge, destroy};
