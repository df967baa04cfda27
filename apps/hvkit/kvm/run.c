/* SPDX-License-Identifier: MIT */
/* A run behind KVM's virtual CPUs: hvkit's own guest, or another kernel. */
#include "apps/hvkit/run.h"

#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/json.h"
#include "apps/hvkit/kvm/guest.h"

/* --- Building ----------------------------------------------------------------------- */

static bool create_guest(struct run *run, char *error)
{
	struct run_guest *guest = calloc(1, sizeof(*guest));

	if (guest)
		guest->command_line = calloc(1, GUEST_COMMAND_LINE_MAX);
	if (!guest || !guest->command_line) {
		free(guest);
		return snprintf(error, CLI_ERROR_MAX, "out of memory") < 0;
	}
	guest->run = run;
	guest->wake[0] = guest->wake[1] = -1;
	(void)pthread_mutex_init(&guest->output_lock, NULL);
	run->guest = guest;
	return true;
}

static enum vmm_confinement confinement(const struct cli_options *options)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	(void)options;
	return VMM_UNCONFINED; /* sanitizers look at the process from inside, in ways of their own */
#else
	if (options->no_sandbox)
		return VMM_UNCONFINED;
	return options->nic == CLI_NIC_USER || options->utilities & HVH_UTILITY_FCOPY
		       ? VMM_CONFINED_TO_READING
		       : VMM_CONFINED;
#endif
}

static bool create_machine(struct run *run, char *error)
{
	const struct cli_options *options = run->options;
	const struct vmm_config config = {
		.cpus = options->cpus,
		.memory = options->memory,
		.generation = options->generation,
		.bios_stub = options->bios_stub,
		.profile = &options->host,
		.seed = options->seed,
		.trace = run->trace,
		.serial = guest_serial_output,
		.mark = moments_mark,
		.context = run->guest,
		.confinement = confinement(options),
	};

	run->guest->vmm = vmm_create(&config, error);
	if (!run->guest->vmm)
		return false;
	run->machine = machine_kvm(run->guest->vmm);
	moments_begin(run);
	return run_prepare(run, error);
}

static enum vmm_entry entry(enum cli_entry entry)
{
	return entry == CLI_ENTRY_PVH     ? VMM_ENTRY_PVH
	       : entry == CLI_ENTRY_ELF64 ? VMM_ENTRY_ELF64
					  : VMM_ENTRY_ANY;
}

static bool load(struct run *run, char *error)
{
	const struct cli_options *options = run->options;
	struct run_guest *guest = run->guest;
	struct vmm_program program = {.kernel = options->kernel ? options->kernel : options->guest,
				      .initrd = options->initrd,
				      .command_line = options->append,
				      .entry = entry(options->entry),
				      .bios_stub = options->bios_stub};

	if (!program.kernel) {
		if (!guest_image_find(guest, error) || !guest_image_command_line(guest, error))
			return false;
		program.kernel = guest->kernel;
		program.command_line = guest->command_line;
	}
	return vmm_load(guest->vmm, &program, error);
}

/* Linux on a KVM that interprets runs for hours: said before it is waited for. */
static void warn(const struct run *run)
{
	const struct cli_options *options = run->options;
	char error[VMM_ERROR_MAX];
	struct vmm_probe probe;

	if (!options->kernel || options->bios_stub || options->quiet)
		return;
	if (!vmm_has_dsdt())
		fprintf(stderr,
			"hvkit: built without iasl (Debian: acpica-tools): ACPI has no VMBus, and Linux "
			"will not find it\n");
	if (vmm_probe(&probe, error) && probe.instructions_per_second < VMM_SLOW)
		fprintf(stderr,
			"hvkit: this KVM interprets, %.1f million instructions a second: a Linux takes "
			"hours; "
			"see docs/vmm.md for KVM inside QEMU's emulator\n",
			(double)probe.instructions_per_second / 1e6);
}

static bool create(struct run *run, char *error)
{
	return create_guest(run, error) && create_machine(run, error) && load(run, error);
}

/* --- Running ------------------------------------------------------------------------ */

/* The host's commands, all of which come first. False: one was wrong. */
static bool run_host_commands(struct run *run)
{
	const struct cli_options *options = run->options;

	for (uint32_t n = 0; n < options->command_count && options->commands[n][0] == '!'; n++) {
		int status;

		machine_lock(&run->machine);
		status = monitor_run(&run->monitor, machine_now(&run->machine), options->commands[n] + 1);
		monitor_stop_waiting(&run->monitor);
		machine_unlock(&run->machine);
		if (status != SHELL_OK) {
			run->exit_status = status;
			return false;
		}
	}
	return true;
}

bool guest_has_commands(const struct cli_options *options)
{
	return options->command_count && options->commands[options->command_count - 1][0] != '!';
}

static void go(struct run *run)
{
	struct run_guest *guest = run->guest;

	warn(run);
	if (!run_host_commands(run))
		return;
	run->storage->sandboxed = confinement(run->options) != VMM_UNCONFINED;
	run->storage->may_read = confinement(run->options) == VMM_CONFINED_TO_READING;
	if (storage_writes(run->storage) || run->options->kvp_file)
		vmm_use_images(guest->vmm);
	if (!guest_has_commands(run->options))
		guest_input_start(guest);
	vmm_run(guest->vmm, run->options->time_limit_ms, &guest->result);
	guest_input_stop(guest);
	guest_serial_flush(guest);
}

static void end(struct run *run)
{
	atomic_store(&run->console.quit, true); /* a second time is at once */
	guest_terminal_restore(run->guest);
	vmm_stop(run->guest->vmm);
}

/* --- Judging ------------------------------------------------------------------------ */

static int judge_end(struct run *run)
{
	const struct vmm_result *result = &run->guest->result;

	switch (result->end) {
	case VMM_RUNNING: /* it was not even started */
		return run->exit_status;
	case VMM_EXITED:
		return result->status;
	case VMM_POWERED_OFF:
		return CLI_OK;
	case VMM_RESET:
		fprintf(stderr, "hvkit: the guest asked for a reset; it is not started again\n");
		return CLI_OK;
	case VMM_STOPPED:
		return run->ended_by ? run->ended_by : CLI_OK;
	case VMM_TIME_IS_UP:
		run->hung = false; /* its threads have ended, unlike those of a hosted run */
		vmm_report(run->guest->vmm, stderr);
		return CLI_HANG;
	case VMM_TRIPLE_FAULT:
	case VMM_UNRUNNABLE:
		vmm_report(run->guest->vmm, stderr);
		return CLI_CRASH;
	}
	return CLI_FAILED;
}

static void show_tree_line(void *context, const char *line)
{
	fprintf(context, "  %s\n", line);
}

static void print_crash_line(const char *line, size_t length)
{
	fprintf(stderr, "  %.*s\n", (int)length, line);
}

/* What the guest itself said of its crash, by its crash registers. */
static bool print_crash(struct run *run)
{
	static const char what[] = "hvkit: the guest reported a crash at %.6f s on vCPU %u, parameters";
	struct hvh_crash *crash = malloc(sizeof(*crash));
	bool there = false;

	if (crash) {
		machine_lock(&run->machine);
		there = hvh_crash_get(machine_partition(&run->machine), crash);
		machine_unlock(&run->machine);
	}
	if (there) {
		fprintf(stderr, what, (double)crash->time / (double)HVH_TIME_PER_SECOND, crash->vp);
		for (uint32_t n = 0; n < 5; n++)
			fprintf(stderr, " %llx", (unsigned long long)crash->parameters[n]);
		fprintf(stderr, "%s\n", crash->has_text ? "; its last words:" : "");
		for (const char *line = crash->text; crash->has_text && *line;) {
			size_t length = strcspn(line, "\n");

			print_crash_line(line, length);
			line += length + (line[length] == '\n');
		}
	}
	free(crash);
	return there;
}

static int judge(struct run *run)
{
	int status = judge_end(run), judged;

	if (print_crash(run) && status != CLI_HANG)
		status = CLI_CRASH;

	if (run->options->inspect) {
		printf("host:\n");
		machine_lock(&run->machine);
		hvh_dump(machine_partition(&run->machine), show_tree_line, stdout);
		machine_unlock(&run->machine);
	}
	judged = run_judge_violations(run, status);
	return status == CLI_HANG || status == CLI_CRASH ? status : judged;
}

static void destroy(struct run *run)
{
	struct run_guest *guest = run->guest;

	if (!guest)
		return;
	if (guest->vmm)
		vmm_destroy(guest->vmm);
	(void)pthread_mutex_destroy(&guest->output_lock);
	free(guest->command_line);
	free(guest);
}

const struct run_kind run_kvm = {create, go, end, judge, destroy};

/* --- The summary -------------------------------------------------------------------- */

static const char *end_name(enum vmm_end end)
{
	static const char *const names[] = {"not-started", "exit",       "power-off",    "reset",
					    "stopped",     "time-limit", "triple-fault", "unrunnable"};

	return names[end];
}

void run_kvm_summary(struct json *json, const struct run *run)
{
	if (!run->guest || !run->guest->vmm) {
		json_null(json, "kvm");
		return;
	}
	json_object(json, "kvm");
	json_string(json, "end", end_name(run->guest->result.end));
	json_string(json, "text", run->guest->result.text);
	moments_summary(json, run);
	json_close(json);
}
