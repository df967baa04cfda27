/* SPDX-License-Identifier: MIT */
/* The shell as a kernel image: commands from the command line, console on COM1, then the end. */
#include <stdio.h>
#include <string.h>

#include "apps/image/conformance_run.h"
#include "apps/image/console.h"
#include "apps/image/measuring.h"
#include "apps/image/options.h"
#include "apps/image/self_test.h"
#include "apps/image/traced_port.h"
#include "apps/shell/shell.h"
#include "hvkit/timer.h"
#include "hvkit/version.h"
#include "ports/bare-x86_64/bare.h"

#define VECTOR 0x50u
#define TIMER_VECTOR 0x51u
#define CONSOLE_VECTOR 0x52u
#define DEVICE_VECTOR_FIRST 0x60u
#define DEVICE_VECTOR_COUNT 64u
#define CONSOLE_TICK_MS 20u /* how often the console is looked at where it has no interrupt */
#define TICK_MS 60000u      /* all that is waited for wakes or has its time; this is a net */

struct image {
	struct image_options options;
	struct shell shell;
	struct image_console console;
	char typed[SHELL_LINE_MAX + 1]; /* so far */
	bool command_cut, idle, console_interrupts;
	uint64_t idle_until;
	struct dialogue *dialogue; /* of this life; NULL: nobody listens */
	struct hvk_hypervisor_info host;
};

static struct image image;

/* --- What the shell asks for ------------------------------------------------------------- */

static void write_text(void *context, enum shell_stream stream, const char *text, size_t length)
{
	(void)context;
	(void)stream; /* there is one console */
	bare_write(text, length);
}

static void wait(void *context, uint64_t timeout_ns)
{
	struct image *self = context;

	if (!self->dialogue || !traced_port_turn())
		bare_wait(timeout_ns);
}

static void wake(void *context, uint32_t cpu)
{
	(void)context;
	bare_wake(cpu);
}

static void fatal(void *context, const char *text)
{
	(void)context;
	bare_fatal(text);
}

static int run_test(struct image *self)
{
	self->options.test_late = false;
	if (image_self_test(self->options.test))
		bare_print("test=%s: nothing happened\n", self->options.test);
	return SHELL_FAILED;
}

static enum shell_line read_console(struct image *self, char *line, size_t size, uint64_t *again)
{
	enum shell_line kind = image_console_read(&self->console, self->typed, sizeof(self->typed));

	if (kind == SHELL_LINE)
		snprintf(line, size, "%s", self->typed);
	else if (!self->console_interrupts)
		*again = hvk_time(atomic_load(&self->shell.hvk)) + CONSOLE_TICK_MS * HVK_TIME_PER_MS;
	return kind;
}

/* The image's own commands. True if the line was one of them, and has been done. */
static bool measured(struct image *self, const char *line)
{
	uint32_t value;

	switch (image_measure_parse(line, &value)) {
	case IMAGE_MEASURE_NONE:
		return false;
	case IMAGE_MEASURE_MARK:
		bare_mark((uint8_t)value);
		break;
	case IMAGE_MEASURE_IDLE:
		self->idle = true;
		self->idle_until = hvk_time(atomic_load(&self->shell.hvk)) +
				   value * 1000ull * HVK_TIME_PER_MS;
		break;
	case IMAGE_MEASURE_WRONG:
		bare_print("'%s': it is mark N, 0 to %u, or idle SECONDS, 0 to %u\n", line, IMAGE_MARK_MAX,
			   IMAGE_IDLE_MAX);
		shell_record_command(&self->shell, line, SHELL_USAGE);
		break;
	}
	return true;
}

static bool is_idle(struct image *self, uint64_t *again)
{
	if (self->idle && hvk_time(atomic_load(&self->shell.hvk)) >= self->idle_until)
		self->idle = false;
	if (self->idle)
		*again = self->idle_until;
	return self->idle;
}

static enum shell_line read_line(void *context, char *line, size_t size, uint64_t *again)
{
	struct image *self = context;
	bool whole;

	if (self->options.test_late)
		(void)run_test(self);
	if (is_idle(self, again))
		return SHELL_LINE_NONE;
	if (!self->options.has_commands || !image_next_command(&self->options.commands, line, size, &whole))
		return self->options.console ? read_console(self, line, size, again) : SHELL_LINE_END;
	if (!whole) {
		bare_print("a command is longer than %u characters\n", (unsigned)size - 1);
		self->command_cut = true;
		return SHELL_LINE_END;
	}
	if (!measured(self, line))
		return SHELL_LINE;
	*again = 0; /* at once, if not idle */
	(void)is_idle(self, again);
	return SHELL_LINE_NONE;
}

/* --- The synthetic timer ------------------------------------------------------------------ */

static const char *mode_name(enum hvk_event_timer_mode mode)
{
	switch (mode) {
	case HVK_EVENT_TIMER_DIRECT:
		return "synthetic, by a vector of its own";
	case HVK_EVENT_TIMER_MESSAGE:
		return "synthetic, by messages";
	default:
		return "the local APIC's";
	}
}

static void cpu_started(void *context, struct hvk *hvk, uint32_t cpu)
{
	struct image *self = context;
	hvk_status status = HVK_OK;

	if (self->options.timer != IMAGE_TIMER_APIC)
		status = hvk_event_timer_start(hvk,
					       self->options.timer == IMAGE_TIMER_DIRECT ? TIMER_VECTOR : 0);
	/* A host without synthetic timers is none to complain of: then it is the APIC's. */
	if (status != HVK_OK && status != HVK_ENOTSUP)
		bare_print("cpu %u: start the synthetic timer: %s: %s\n", cpu, hvk_status_name(status),
			   hvk_status_text(status));
	if (cpu == 0)
		bare_print("timer: %s\n", mode_name(hvk_event_timer_mode(hvk, cpu)));
}

/* What ends a wait on this CPU; false before it has started, and after it has stopped. */
static bool arm(void *context, uint32_t cpu, uint64_t ns)
{
	struct image *self = context;
	struct hvk *hvk = atomic_load(&self->shell.hvk);

	if (!hvk || hvk_event_timer_mode(hvk, cpu) == HVK_EVENT_TIMER_OFF)
		return false;
	return hvk_event_timer_set(hvk, hvk_time(hvk) + ns / 100) == HVK_OK;
}

static void timer_interrupt(void *context, uint32_t cpu)
{
	struct image *self = context;
	struct hvk *hvk = atomic_load(&self->shell.hvk);

	if (hvk)
		hvk_event_timer_interrupt(hvk, cpu);
}

static void device_interrupt(void *context, uint32_t cpu, uint8_t vector)
{
	struct image *self = context;
	struct hvk *hvk = atomic_load(&self->shell.hvk);

	if (hvk)
		hvk_interrupt_device(hvk, cpu, vector);
}

static void tell_crash(void *context, const uint64_t numbers[BARE_CRASH_NUMBERS], const char *text,
		       size_t length)
{
	struct image *self = context;
	struct hvk *hvk = atomic_load(&self->shell.hvk);

	if (hvk)
		(void)hvk_crash_report(hvk, numbers, text, (uint32_t)length);
}

/* --- CPUs ----------------------------------------------------------------------------------- */

static void interrupt(void *context, uint32_t cpu)
{
	struct image *self = context;

	if (self->dialogue)
		(void)traced_port_turn();
	shell_interrupt(&self->shell, cpu);
}

static void other_cpu(void *context, uint32_t cpu)
{
	struct image *self = context;

	shell_run_cpu(&self->shell, cpu);
}

/* --- The life ------------------------------------------------------------------------------- */

static int refuse(const char *error)
{
	bare_print("hvkit-shell: %s\n", error);
	return SHELL_USAGE;
}

static bool load_shell(void)
{
	const struct hvk_port *port = bare_port((enum hvk_log_level)image.options.log_level);
	const struct shell_platform platform = {
		.context = &image,
		.port = image.dialogue ? traced_port(port, image.dialogue) : port,
		.write = write_text,
		.wait = wait,
		.wake = wake,
		.fatal = fatal,
		.cpu_started = cpu_started,
		.read_line = read_line,
		.tick_ms = TICK_MS,
	};
	struct shell_config config = {
		.hvk = {.cpus = image.options.cpus,
			.vector = VECTOR,
			.interrupts = true,
			.log_level = (enum hvk_log_level)image.options.log_level,
			.crash_text = image.options.crash_text,
			.device_vector_first = DEVICE_VECTOR_FIRST,
			.device_vector_count = DEVICE_VECTOR_COUNT},
		.mode = image.options.boot_mode ? HVK_VMBUS_MODE_BOOT : HVK_VMBUS_MODE_SYSTEM,
		.newest = image.options.vmbus_newest,
		.network = image.options.nic,
		.driver = image.options.driver,
		.vf = !image.options.vf           ? SHELL_VF_NONE
		      : image.options.vf_separate ? SHELL_VF_SEPARATE
						  : SHELL_VF_TRANSPARENT,
		.vf_grace_ms = image.options.vf_grace_ms,
		.freeze_max_ms = image.options.freeze_max_ms,
	};

	for (uint32_t n = 0; n < HVK_MMIO_RANGES; n++)
		(void)bare_mmio_window(n, &config.hvk.mmio_windows[n].base,
				       &config.hvk.mmio_windows[n].length);
	return shell_init(&image.shell, &platform, &config) == HVK_OK;
}

/* --- Conformance ---------------------------------------------------------------------------- */

static const struct shell_results *live(void *context, const struct conformance_life *life,
					struct dialogue *dialogue)
{
	struct image *self = context;

	self->dialogue = dialogue;
	self->options.boot_mode = life->boot_mode;
	self->options.vmbus_newest = life->newest;
	self->options.has_commands = true;
	self->options.commands = life->commands;
	if (!load_shell())
		bare_fatal("the shell could not be set up");
	shell_run(&self->shell);
	if (!self->host.interface_id)
		self->host = self->shell.results.hypervisor;
	return &self->shell.results;
}

static const struct hvk_hypervisor_info *host(void *context)
{
	struct image *self = context;

	return &self->host;
}

/* With "stay" the screen is there to be read until somebody switches the machine off. */
static int run_conformance(struct image *self)
{
	const struct conformance_door door = {.live = live, .host = host, .context = self};
	int status = conformance_run(&door, self->options.vmbus_newest);

	if (self->options.conformance == IMAGE_CONFORMANCE_STAY)
		bare_print("That is all. COM1 has the dialogue. The machine can be switched off.\n");
	while (self->options.conformance == IMAGE_CONFORMANCE_STAY)
		bare_wait(UINT64_MAX);
	return status;
}

int bare_main(void)
{
	struct image_options *options = &image.options;
	char error[IMAGE_ERROR_MAX];
	const char *wrong;

	if (!image_options_parse(options, bare_command_line(), error))
		return refuse(error);
	if (options->conformance)
		options->cpus = 1; /* one dialogue, one CPU */
	if (options->cpus == 0)
		options->cpus = bare_cpus_present();
	bare_print("hvkit-shell %s: %u of %s%u CPUs, %s, %llu MiB\n", HVKIT_VERSION, options->cpus,
		   bare_cpus_limit() == bare_cpus_present() ? "" : "at most ", bare_cpus_limit(),
		   bare_has_x2apic() ? "x2APIC" : "xAPIC", (unsigned long long)(bare_ram_bytes() >> 20));
	if (options->test[0] && !options->test_late)
		return run_test(&image);
	if (options->high_memory)
		bare_prefer_high_memory();
	wrong = bare_random_start(options->seeded ? options->seed : NULL);
	if (wrong) {
		snprintf(error, sizeof(error),
			 "no randomness: %s; put seed= and 64 hexadecimal digits "
			 "into the command line",
			 wrong);
		return refuse(error);
	}
	if (!load_shell())
		return refuse("the shell could not be set up");
	bare_set_vector(VECTOR, interrupt, &image);
	bare_set_vector(TIMER_VECTOR, timer_interrupt, &image);
	bare_set_device_vectors(DEVICE_VECTOR_FIRST, DEVICE_VECTOR_COUNT, device_interrupt, &image);
	image.console_interrupts = options->console && bare_read_by_interrupt(CONSOLE_VECTOR);
	bare_set_timer(arm, &image);
	bare_set_crash_hook(tell_crash, &image);
	wrong = bare_cpus_start(options->cpus, other_cpu, &image);
	if (wrong)
		return refuse(wrong);
	if (options->conformance)
		return run_conformance(&image);
	shell_run(&image.shell);
	if (image.command_cut && image.shell.results.exit_status == SHELL_OK)
		return SHELL_USAGE;
	if (image.shell.results.reboot && image.shell.results.exit_status == SHELL_OK)
		bare_reset();
	return image.shell.results.exit_status;
}
