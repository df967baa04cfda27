/* SPDX-License-Identifier: MIT */
/* The shell as a kernel image: commands from the command line, console on COM1, then the end. */
#include <stdio.h>
#include <string.h>

#include "apps/image/options.h"
#include "apps/image/self_test.h"
#include "apps/shell/shell.h"
#include "hvkit/version.h"
#include "ports/bare-x86_64/bare.h"

#define VECTOR 0x50u

struct image {
	struct image_options options;
	struct shell shell;
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
	(void)context;
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

static enum shell_line read_line(void *context, char *line, size_t size, uint64_t *again)
{
	struct image *self = context;
	bool whole;

	(void)again;
	if (!self->options.has_commands || !image_next_command(&self->options.commands, line, size, &whole))
		return SHELL_LINE_END;
	if (!whole) {
		bare_print("a command is longer than %u characters\n", (unsigned)size - 1);
		self->options.has_commands = false;
		return SHELL_LINE_END;
	}
	return SHELL_LINE;
}

static void interrupt(void *context, uint32_t cpu)
{
	struct image *self = context;

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
	const struct shell_platform platform = {
		.context = &image,
		.port = bare_port((enum hvk_log_level)image.options.log_level),
		.write = write_text,
		.wait = wait,
		.wake = wake,
		.fatal = fatal,
		.read_line = read_line,
	};
	const struct shell_config config = {
		.hvk = {.cpus = image.options.cpus,
			.vector = VECTOR,
			.interrupts = true,
			.log_level = (enum hvk_log_level)image.options.log_level},
		.mode = image.options.boot_mode ? HVK_VMBUS_MODE_BOOT : HVK_VMBUS_MODE_SYSTEM,
		.network = image.options.nic,
	};

	return shell_init(&image.shell, &platform, &config) == HVK_OK;
}

int bare_main(void)
{
	struct image_options *options = &image.options;
	char error[IMAGE_ERROR_MAX];
	const char *wrong;

	if (!image_options_parse(options, bare_command_line(), error))
		return refuse(error);
	if (options->cpus == 0)
		options->cpus = bare_cpus_present();
	bare_print("hvkit-shell %s: %u of %u CPUs, %s, %llu MiB\n", HVKIT_VERSION, options->cpus,
		   bare_cpus_present(), bare_has_x2apic() ? "x2APIC" : "xAPIC",
		   (unsigned long long)(bare_ram_bytes() >> 20));
	if (options->test[0]) {
		if (image_self_test(options->test))
			bare_print("test=%s: nothing happened\n", options->test);
		return SHELL_FAILED;
	}
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
	wrong = bare_cpus_start(options->cpus, other_cpu, &image);
	if (wrong)
		return refuse(wrong);
	shell_run(&image.shell);
	return image.shell.results.exit_status;
}
