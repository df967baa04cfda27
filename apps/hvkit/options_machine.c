/* SPDX-License-Identifier: MIT */
/* --accel, and what is for --accel kvm alone. */
#include <string.h>

#include "apps/hvkit/options_private.h"

#define MEMORY_MIN_MIB 16u
#define MEMORY_MAX_MIB (32u << 10)
#define TIME_LIMIT_MAX_S 1000000u

static const char *const accel_names[] = {"hosted", "kvm"};
static const char *const entry_names[] = {"any", "pvh", "elf64"};

const char *cli_accel_name(enum cli_accel accel)
{
	return accel_names[accel];
}

static const char *accel_name(uint32_t n)
{
	return n < sizeof(accel_names) / sizeof(accel_names[0]) ? accel_names[n] : NULL;
}

static const char *entry_name(uint32_t n)
{
	return n < sizeof(entry_names) / sizeof(entry_names[0]) ? entry_names[n] : NULL;
}

bool options_take_accel(struct parser *parser, const char *value)
{
	for (uint32_t n = 0; accel_name(n); n++) {
		if (strcmp(value, accel_name(n)) == 0) {
			parser->options->accel = (enum cli_accel)n;
			return true;
		}
	}
	return options_wrong_name(parser, "--accel", value, accel_name);
}

/* Notes that it was given. */
static void is_for_kvm(struct parser *parser, const char *option)
{
	if (!parser->kvm_option)
		parser->kvm_option = option;
}

static bool take_text(struct parser *parser, const char *option, const char *what, const char *value,
		      const char **into)
{
	is_for_kvm(parser, option);
	*into = value;
	return *value ? true : options_wrong(parser, "%s needs %s", option, what);
}

bool options_take_guest(struct parser *parser, const char *value)
{
	return take_text(parser, "--guest", "the name of an ELF file", value, &parser->options->guest);
}

bool options_take_kernel(struct parser *parser, const char *value)
{
	return take_text(parser, "--kernel", "the name of a bzImage", value, &parser->options->kernel);
}

bool options_take_initrd(struct parser *parser, const char *value)
{
	return take_text(parser, "--initrd", "the name of a file", value, &parser->options->initrd);
}

bool options_take_append(struct parser *parser, const char *value)
{
	is_for_kvm(parser, "--append");
	parser->options->append = value;
	return true;
}

bool options_take_entry(struct parser *parser, const char *value)
{
	is_for_kvm(parser, "--entry");
	for (uint32_t n = 0; entry_name(n); n++) {
		if (strcmp(value, entry_name(n)) == 0) {
			parser->options->entry = (enum cli_entry)n;
			return true;
		}
	}
	return options_wrong_name(parser, "--entry", value, entry_name);
}

/* "512M", "2G"; a number alone is of MiB. */
bool options_take_mem(struct parser *parser, const char *value)
{
	size_t length = strlen(value);
	char number[16], unit = length ? value[length - 1] : '\0';
	uint64_t mib;

	is_for_kvm(parser, "--mem");
	if (unit == 'M' || unit == 'm' || unit == 'G' || unit == 'g')
		length--;
	else
		unit = 'M';
	if (length < sizeof(number)) {
		memcpy(number, value, length);
		number[length] = '\0';
		if (options_number(number, MEMORY_MAX_MIB, &mib)) {
			if (unit == 'G' || unit == 'g')
				mib <<= 10;
			parser->options->memory = mib << 20;
			if (mib >= MEMORY_MIN_MIB && mib <= MEMORY_MAX_MIB)
				return true;
		}
	}
	return options_wrong(parser, "--mem must be %uM to %uG, e.g. 512M or 2G, not '%.40s'", MEMORY_MIN_MIB,
			     MEMORY_MAX_MIB >> 10, value);
}

bool options_take_generation(struct parser *parser, const char *value)
{
	uint64_t generation;

	is_for_kvm(parser, "--gen");
	if (!options_number(value, 2, &generation) || generation == 0)
		return options_wrong(parser, "--gen must be 1 or 2, not '%.40s'", value);
	parser->options->generation = (uint32_t)generation;
	return true;
}

bool options_take_time_limit(struct parser *parser, const char *value)
{
	uint64_t seconds;

	is_for_kvm(parser, "--time-limit");
	if (!options_number(value, TIME_LIMIT_MAX_S, &seconds) || seconds == 0)
		return options_wrong(parser, "--time-limit must be 1 to %u seconds, not '%.40s'",
				     TIME_LIMIT_MAX_S, value);
	parser->options->time_limit_ms = seconds * 1000;
	return true;
}

bool options_take_no_sandbox(struct parser *parser, const char *value)
{
	(void)value;
	is_for_kvm(parser, "--no-sandbox");
	parser->options->no_sandbox = true;
	return true;
}

bool options_take_bios_stub(struct parser *parser, const char *value)
{
	(void)value;
	is_for_kvm(parser, "--bios-stub");
	parser->options->bios_stub = true;
	return true;
}

/* Commands are for our own guest; a '!' of the host's side only before them. */
static bool check_commands(struct parser *parser, bool foreign)
{
	const struct cli_options *options = parser->options;
	bool guests = false;

	for (uint32_t n = 0; n < options->command_count; n++) {
		bool host = options->commands[n][0] == '!';

		if (foreign && !host)
			return options_wrong(parser,
					     "commands such as '%.40s' are for hvkit's own guest; what "
					     "another is to do goes into --append",
					     options->commands[n]);
		if (guests && host)
			return options_wrong(parser,
					     "--accel kvm: the host's commands are run before the guest "
					     "starts, so '%.40s' cannot follow one of the guest's; '!after "
					     "MS COMMAND' puts one off",
					     options->commands[n]);
		guests = guests || !host;
	}
	return true;
}

bool options_check_machine(struct parser *parser)
{
	const struct cli_options *options = parser->options;

	if (options->accel == CLI_ACCEL_HOSTED)
		return !parser->kvm_option ||
		       options_wrong(parser, "%s is for --accel kvm", parser->kvm_option);
	if (options->seeded)
		return options_wrong(parser,
				     "--seed is for --accel hosted: virtual CPUs run in a time of their "
				     "own, so no run can be repeated from a number; --trace keeps what was "
				     "said in it");
	if (options->script)
		return options_wrong(parser,
				     "--script is for --accel hosted, where both sides' commands run in "
				     "order and the first that fails ends it; with virtual CPUs put the "
				     "host's after --, then the guest's ('!after MS COMMAND' puts one of the "
				     "host's off)");
	if (options->guest && options->kernel)
		return options_wrong(parser, "--guest and --kernel both name what is to run");
	if (options->bios_stub && (!options->kernel || options->cpus > 1 || options->initrd))
		return options_wrong(parser, "--bios-stub is for a --kernel on one CPU, without --initrd");
	if (!options->guest && !options->kernel && options->append)
		return options_wrong(parser, "--append needs --guest or --kernel; hvkit's own guest takes "
					     "commands after --");
	if (!options->guest && !options->kernel && options->initrd)
		return options_wrong(parser, "--initrd needs --kernel or --guest");
	return check_commands(parser, options->guest || options->kernel);
}
