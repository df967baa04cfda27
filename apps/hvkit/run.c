/* SPDX-License-Identifier: MIT */
#include "apps/hvkit/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VECTOR 0x62u         /* any from 16 on: the hosted machine has no other interrupts */
#define LIMIT_MS 86400000ull /* a day: hangs end sooner, by time-outs or for want of anything due */

/* --- The platform ------------------------------------------------------------------- */

static void show(void *context, enum shell_stream stream, const char *text, size_t length)
{
	struct run *run = context;

	console_show(&run->console, stream, text, length);
}

static void show_monitor(void *context, bool error, const char *text)
{
	struct run *run = context;

	console_show(&run->console, error ? SHELL_ERROR : SHELL_OUTPUT, text, strlen(text));
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

	hosted_wait(run->machine, timeout_ns);
}

static void wake(void *context, uint32_t cpu)
{
	const struct hvk_port *port = hosted_port(((struct run *)context)->machine);

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

	run->machine = hosted_create(&config);
	if (!run->machine) {
		snprintf(error, CLI_ERROR_MAX, "the guest's memory could not be had");
		return false;
	}
	hosted_lock(run->machine);
	hvh_silence_set(hosted_partition(run->machine), options->silence);
	hosted_unlock(run->machine);
	run->monitor = (struct monitor){.machine = run->machine,
					.traced = run->trace != NULL,
					.show = show_monitor,
					.context = run,
					.silence = options->silence};
	monitor_create(&run->monitor);
	return run_network_create(run, error);
}

static bool load_shell(struct run *run, char *error)
{
	const struct cli_options *options = run->options;
	const struct shell_platform platform = {
		.context = run,
		.port = hosted_port(run->machine),
		.write = show,
		.wait = sleep_until_woken,
		.wake = wake,
		.fatal = fatal,
		.read_line = read_line,
		.ending = ending,
	};
	const struct shell_config config = {
		.hvk = {.cpus = options->cpus, .vector = VECTOR, .interrupts = true},
		.mode = options->boot_mode ? HVK_VMBUS_MODE_BOOT : HVK_VMBUS_MODE_SYSTEM,
		.network = options->nic != CLI_NIC_NONE,
	};

	if (shell_init(&run->shell, &platform, &config) != HVK_OK) {
		snprintf(error, CLI_ERROR_MAX, "the guest could not be set up");
		return false;
	}
	for (uint32_t cpu = 0; cpu < options->cpus; cpu++) {
		run->cpus[cpu] = (struct run_cpu){run, cpu};
		hosted_set_program(run->machine, cpu, cpu ? other_cpu : boot_cpu, &run->cpus[cpu]);
	}
	hosted_set_interrupt(run->machine, interrupt, run);
	return true;
}

/* --- Judging ------------------------------------------------------------------------ */

static void look_inside(struct run *run)
{
	uint64_t quarantined = run->shell.results.counters.quarantined_pages;
	uint32_t in_use = hosted_pages_in_use(run->machine);

	hosted_lock(run->machine);
	hvh_get_counters(hosted_partition(run->machine), &run->host_counters);
	if (run->nic)
		hvh_nic_get_counters(run->nic, &run->nic_counters);
	hosted_unlock(run->machine);
	run->leaked_pages = in_use > quarantined ? in_use - (uint32_t)quarantined : 0;
	run->writes_to_free_memory = hosted_writes_to_free_memory(run->machine);
	run->time = hosted_now(run->machine);
}

static void print_violations(struct run *run)
{
	const struct hvh_partition *partition = hosted_partition(run->machine);
	const struct hvh_violation *violation;
	uint64_t shown = 0;

	for (; (violation = hvh_violation_get(partition, (uint32_t)shown)) != NULL; shown++) {
		fprintf(stderr, "violation: %s at %.6f s", hvh_violation_name(violation->kind),
			(double)violation->time / (double)HVH_TIME_PER_SECOND);
		if (violation->channel_id)
			fprintf(stderr, ", channel %u", violation->channel_id);
		fprintf(stderr, ": %s\n", violation->text);
	}
	fprintf(stderr, "hvkit: the host recorded %llu violation%s of the protocol by the guest",
		(unsigned long long)run->host_counters.violations,
		run->host_counters.violations == 1 ? "" : "s");
	if (run->host_counters.violations > shown)
		fprintf(stderr, ", %llu of them not shown",
			(unsigned long long)(run->host_counters.violations - shown));
	fputc('\n', stderr);
}

static int judge(struct run *run)
{
	int status = run->shell.results.exit_status;

	fflush(stdout);
	/* Who types at a terminal has seen what failed. */
	if (run->console.source == CONSOLE_TERMINAL && !run->shell.results.failed_step)
		status = CLI_OK;
	if (run->ended_by)
		status = run->ended_by;
	if (run->host_counters.violations) {
		print_violations(run);
		status = CLI_VIOLATION;
	}
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

/* --- The whole ---------------------------------------------------------------------- */

static bool open_file(const char *option, const char *name, FILE **file, char *error)
{
	if (!name)
		return true;
	*file = fopen(name, "wb");
	if (*file)
		return true;
	snprintf(error, CLI_ERROR_MAX, "%s: '%.300s' cannot be written: %s", option, name, strerror(errno));
	return false;
}

static bool close_file(const char *option, const char *name, FILE **file)
{
	bool right;

	if (!*file)
		return true;
	right = !ferror(*file);
	right = fclose(*file) == 0 && right;
	*file = NULL;
	if (!right)
		fprintf(stderr, "hvkit: %s: '%s' could not be written whole\n", option, name);
	return right;
}

static void run_machine(struct run *run)
{
	run->ran = true;
	console_start(&run->console);
	signals_start(&run->console);
	/* Who reads from others may wait for them as long as they like. */
	run->hung = !hosted_run(run->machine, run->console.source == CONSOLE_COMMANDS ? LIMIT_MS : 0);
	console_stop(&run->console);
	signals_stop(&run->console);
	run_network_stop(run);
	look_inside(run);
	run->exit_status = judge(run);
}

static void clean_up(struct run *run)
{
	run_network_stop(run);
	console_destroy(&run->console);
	if (run->machine)
		hosted_destroy(run->machine);
	if (run->wire)
		hvh_simwire_destroy(run->wire);
}

/* The files' ends decide too: what was asked for is to be there. */
static void close_files(struct run *run)
{
	bool right = !run->summary || run_summary(run);

	right = close_file("--summary", run->options->summary, &run->summary) && right;
	right = close_file("--trace", run->options->trace, &run->trace) && right;
	if (!right && run->exit_status == CLI_OK)
		run->exit_status = CLI_FAILED;
}

/* All that can be wrong with what was asked for, before anything is begun. */
static bool open_files(struct run *run, char *error)
{
	const struct cli_options *options = run->options;

	return console_create(&run->console, run, error) &&
	       open_file("--trace", options->trace, &run->trace, error) &&
	       open_file("--summary", options->summary, &run->summary, error);
}

static int refuse(struct run *run, const char *error)
{
	fprintf(stderr, "hvkit: %s\n", error);
	if (run && run->trace)
		fclose(run->trace);
	if (run)
		console_destroy(&run->console);
	free(run);
	return CLI_USAGE;
}

int cli_run(const struct cli_options *options)
{
	struct run *run = calloc(1, sizeof(*run));
	char error[CLI_ERROR_MAX] = "out of memory";
	int status;

	if (!run)
		return refuse(NULL, error);
	run->options = options;
	run->exit_status = CLI_FAILED;
	signals_begin();
	if (!open_files(run, error))
		return refuse(run, error);
	if (create_machine(run, error) && load_shell(run, error))
		run_machine(run);
	else
		fprintf(stderr, "hvkit: %s\n", error);
	close_files(run);
	if (run->hung) /* its threads may still run on our memory: leave all as it is */
		_exit(run->exit_status);
	clean_up(run);
	status = run->exit_status;
	free(run);
	return status;
}
