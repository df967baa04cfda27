/* SPDX-License-Identifier: MIT */
/* What all runs have in common: files, network, the monitor console, violations. */
#include "apps/hvkit/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct run_kind *const kinds[] = {[CLI_ACCEL_HOSTED] = &run_hosted, [CLI_ACCEL_KVM] = &run_kvm};

/* --- Building ----------------------------------------------------------------------- */

static void show_monitor(void *context, bool error, const char *text)
{
	struct run *run = context;

	console_show(&run->console, error ? SHELL_ERROR : SHELL_OUTPUT, text, strlen(text));
}

/* With the machine's lock held, by whoever was doing something with a disk. */
static void power_is_cut(void *context)
{
	struct run *run = context;

	run->kind->end(run);
}

bool run_prepare(struct run *run, char *error)
{
	const struct cli_options *options = run->options;

	machine_lock(&run->machine);
	hvh_silence_set(machine_partition(&run->machine), options->silence);
	machine_unlock(&run->machine);
	run->monitor = (struct monitor){.machine = run->machine,
					.traced = run->trace != NULL,
					.show = show_monitor,
					.context = run,
					.storage = run->storage,
					.silence = options->silence};
	run->storage->trouble_first = options->disk_trouble;
	run->storage->on_cut = power_is_cut;
	run->storage->context = run;
	monitor_create(&run->monitor);
	return run_network_create(run, error) && storage_create(run->storage, &run->machine, error) &&
	       run_services_create(run, error);
}

/* --- Judging ------------------------------------------------------------------------ */

static void look_inside(struct run *run)
{
	machine_lock(&run->machine);
	hvh_get_counters(machine_partition(&run->machine), &run->host_counters);
	if (run->nic)
		hvh_nic_get_counters(run->nic, &run->nic_counters);
	if (run->vf)
		hvh_vf_get_counters(run->vf, &run->vf_counters);
	if (run->utilities) {
		hvh_utilities_get_counters(run->utilities, &run->utilities_counters);
		run->heartbeats = hvh_heartbeats(run->utilities, NULL);
	}
	machine_unlock(&run->machine);
	run->time = machine_now(&run->machine);
}

static void print_violations(struct run *run)
{
	const struct hvh_partition *partition = machine_partition(&run->machine);
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

int run_judge_violations(struct run *run, int status)
{
	if (!run->host_counters.violations)
		return status;
	print_violations(run);
	return CLI_VIOLATION;
}

/* What the guest did with that has its own status only if the host has something to say to it. */
static void judge_cut(struct run *run)
{
	const struct storage *storage = run->storage;

	fprintf(stderr,
		"hvkit: the power was cut after %llu requests of the disks; %llu sector%s lost something "
		"that was not flushed\n",
		(unsigned long long)storage->requests, (unsigned long long)storage->lost,
		storage->lost == 1 ? "" : "s");
	if (run->exit_status != CLI_VIOLATION)
		run->exit_status = CLI_CUT;
}

static void miss_cut(struct run *run)
{
	const struct storage *storage = run->storage;

	fprintf(stderr,
		"hvkit: the power was not cut: the run ended after %llu requests of the disks, and %llu more "
		"were to come first\n",
		(unsigned long long)storage->requests, (unsigned long long)storage->cut_in);
	if (run->exit_status == CLI_OK)
		run->exit_status = CLI_FAILED;
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

static void stop_storage(struct run *run)
{
	machine_lock(&run->machine);
	storage_stop(run->storage);
	machine_unlock(&run->machine);
}

static void run_machine(struct run *run)
{
	run->ran = true;
	signals_start(&run->console);
	run->kind->go(run);
	signals_stop(&run->console);
	run_network_stop(run);
	stop_storage(run);
	look_inside(run);
	fflush(stdout);
	run->exit_status = run->kind->judge(run);
	if (atomic_load(&run->storage->cut))
		judge_cut(run);
	else if (run->storage->cut_in)
		miss_cut(run);
}

static void clean_up(struct run *run)
{
	run_network_stop(run);
	console_destroy(&run->console);
	run->kind->destroy(run);
	run_network_destroy(run);
	storage_destroy(run->storage);
	guest_files_close(run->guest_files);
}

/* The files' ends decide too: what was asked for is to be there. */
static void close_files(struct run *run)
{
	bool right = !run->summary || run_summary(run);

	right = close_file("--summary", run->options->summary, &run->summary) && right;
	right = close_file("--trace", run->options->trace, &run->trace) && right;
	if (run->capture_failed)
		fprintf(stderr, "hvkit: pcap: '%s' could not be written whole\n", run->options->pcap);
	right = right && !run->capture_failed && !run->storage->failed;
	if (!right && run->exit_status == CLI_OK)
		run->exit_status = CLI_FAILED;
}

/* All that can be wrong with what was asked for, before anything is begun. */
static bool open_files(struct run *run, char *error)
{
	const struct cli_options *options = run->options;

	if (!console_create(&run->console, run, error))
		return false;
	if (options->guest_dir) {
		run->guest_files = guest_files_open(options->guest_dir, error, CLI_ERROR_MAX);
		if (!run->guest_files)
			return false;
	}
	run->storage = storage_open(options->disks, options->disk_count, options->seed, error);
	return run->storage && open_file("--trace", options->trace, &run->trace, error) &&
	       run_network_open(run, error) && open_file("--summary", options->summary, &run->summary, error);
}

static int refuse(struct run *run, const char *error)
{
	fprintf(stderr, "hvkit: %s\n", error);
	if (run && run->trace)
		fclose(run->trace);
	if (run) {
		hvh_capture_destroy(run->capture);
		storage_destroy(run->storage);
		guest_files_close(run->guest_files);
		console_destroy(&run->console);
	}
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
	run->kind = kinds[options->accel];
	run->exit_status = CLI_FAILED;
	signals_begin();
	if (!open_files(run, error))
		return refuse(run, error);
	if (run->kind->create(run, error))
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
