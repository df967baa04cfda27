/* SPDX-License-Identifier: MIT */
#include "apps/hvkit/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "apps/hvkit/suggest.h"
#include "apps/shell/results.h"
#include "hvkit/hvkit.h"
#include "hvkit/wire/vmbus.h"

#define DEFAULT_HOST "ws2022"

struct parser {
	struct cli_options *options;
	char *error;
	bool nic_given;
	uint32_t vmbus_max; /* 0: not given */
	uint32_t tcp_count, udp_count;
};

static bool wrong(struct parser *parser, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(struct parser *parser, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(parser->error, CLI_ERROR_MAX, format, arguments);
	va_end(arguments);
	for (char *at = parser->error; *at; at++) { /* it is to be one line, whatever was typed */
		if ((unsigned char)*at < ' ')
			*at = '?';
	}
	return false;
}

/* --- Lists of names ----------------------------------------------------------------- */

static const char *list_names(const char *(*name)(uint32_t n), char *text, size_t size)
{
	size_t used = 0;
	const char *next;

	text[0] = '\0';
	for (uint32_t n = 0; (next = name(n)) != NULL && used < size; n++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", n ? ", " : "", next);
	return text;
}

/* "WHAT 'VALUE' is not known; did you mean 'x'? There are: a, b, c" */
static bool wrong_name(struct parser *parser, const char *what, const char *value,
		       const char *(*name)(uint32_t n))
{
	const char *nearest = suggest_nearest(value, name);
	char names[320];

	list_names(name, names, sizeof(names));
	if (nearest)
		return wrong(parser, "%s '%.40s' is not known; did you mean '%s'? There are: %s", what, value,
			     nearest, names);
	return wrong(parser, "%s '%.40s' is not known; there are: %s", what, value, names);
}

static const char *action_name(uint32_t n)
{
	static const char *const names[] = {"run", "hosts", "--help", "--version"};

	return n < sizeof(names) / sizeof(names[0]) ? names[n] : NULL;
}

static const char *host_name(uint32_t n)
{
	const struct hvh_profile *profile = hvh_profile_get(n);

	return profile ? profile->name : NULL;
}

static const char *silence_name(uint32_t n)
{
	return n + 1 < HVH_SILENCE_COUNT ? hvh_silence_name((enum hvh_silence)(n + 1)) : NULL;
}

static const char *nic_name(uint32_t n)
{
	return n <= CLI_NIC_NONE ? cli_nic_name((enum cli_nic)n) : NULL;
}

static const struct {
	const char *name;
	uint32_t version;
} versions[] = {
	{"0.13", VMBUS_VERSION_0_13}, {"1.1", VMBUS_VERSION_1_1}, {"2.4", VMBUS_VERSION_2_4},
	{"3.0", VMBUS_VERSION_3_0},   {"4.0", VMBUS_VERSION_4_0}, {"4.1", VMBUS_VERSION_4_1},
	{"5.0", VMBUS_VERSION_5_0},   {"5.1", VMBUS_VERSION_5_1}, {"5.2", VMBUS_VERSION_5_2},
	{"5.3", VMBUS_VERSION_5_3},
};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

static const char *version_name(uint32_t n)
{
	return n < VERSIONS ? versions[n].name : NULL;
}

const char *cli_nic_name(enum cli_nic nic)
{
	return nic == CLI_NIC_USER ? "user" : nic == CLI_NIC_SIM ? "sim" : "none";
}

/* --- Values ------------------------------------------------------------------------- */

static bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10);
	return errno == 0 && *end == '\0' && *value <= max;
}

static bool take_cpus(struct parser *parser, const char *value)
{
	uint64_t cpus;

	if (!parse_number(value, HVK_CPUS_MAX, &cpus) || cpus == 0)
		return wrong(parser, "--cpus must be 1 to %u, not '%.40s'", HVK_CPUS_MAX, value);
	parser->options->cpus = (uint32_t)cpus;
	return true;
}

static bool take_host(struct parser *parser, const char *value)
{
	const struct hvh_profile *profile = hvh_profile_find(value);

	if (!profile)
		return wrong_name(parser, "host", value, host_name);
	parser->options->host = *profile;
	return true;
}

static bool take_vmbus_max(struct parser *parser, const char *value)
{
	char names[80];

	for (uint32_t n = 0; n < VERSIONS; n++) {
		if (strcmp(value, versions[n].name) == 0) {
			parser->vmbus_max = versions[n].version;
			return true;
		}
	}
	/* Numbers that look alike are not near each other. */
	return wrong(parser, "VMBus version '%.40s' is not known; there are: %s", value,
		     list_names(version_name, names, sizeof(names)));
}

static bool take_seed(struct parser *parser, const char *value)
{
	if (!parse_number(value, UINT64_MAX, &parser->options->seed))
		return wrong(parser, "--seed must be a number from 0 to 18446744073709551615, not '%.40s'",
			     value);
	parser->options->seeded = true;
	return true;
}

static bool take_silent(struct parser *parser, const char *value)
{
	if (!hvh_silence_find(value, &parser->options->silence) ||
	    parser->options->silence == HVH_SILENCE_NONE)
		return wrong_name(parser, "step", value, silence_name);
	return true;
}

static bool take_trace(struct parser *parser, const char *value)
{
	parser->options->trace = value;
	return *value ? true : wrong(parser, "--trace needs the name of a file to write");
}

static bool take_summary(struct parser *parser, const char *value)
{
	parser->options->summary = value;
	return *value ? true : wrong(parser, "--summary needs the name of a file to write");
}

static bool take_boot_mode(struct parser *parser, const char *value)
{
	(void)value;
	parser->options->boot_mode = true;
	return true;
}

static bool take_quiet(struct parser *parser, const char *value)
{
	(void)value;
	parser->options->quiet = true;
	return true;
}

/* --- The card ----------------------------------------------------------------------- */

static bool add_port(struct parser *parser, const char *kind, const char *value, uint16_t *ports,
		     uint32_t *count)
{
	uint64_t port;

	if (!parse_number(value, UINT16_MAX, &port) || port == 0)
		return wrong(parser, "--nic user,%s=PORT: the port must be 1 to 65535, not '%.40s'", kind,
			     value);
	if (*count == HVH_SLIRP_PORTS_MAX)
		return wrong(parser, "--nic user: at most %u %s ports can be opened", HVH_SLIRP_PORTS_MAX,
			     kind);
	ports[(*count)++] = (uint16_t)port;
	return true;
}

static bool take_tftp(struct parser *parser, const char *value)
{
	struct cli_options *options = parser->options;
	struct stat status;

	if (stat(value, &status) != 0)
		return wrong(parser, "--nic user,tftp=DIRECTORY: '%.200s': %s", value, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return wrong(parser, "--nic user,tftp=DIRECTORY: '%.200s' is not a directory", value);
	free(options->tftp_directory);
	/* The server runs in a thread that outlives no change of directory: keep it absolute. */
	options->tftp_directory = realpath(value, NULL);
	if (!options->tftp_directory)
		return wrong(parser, "--nic user,tftp=DIRECTORY: '%.200s': %s", value, strerror(errno));
	options->user.tftp_directory = options->tftp_directory;
	return true;
}

static bool take_user_part(struct parser *parser, const char *part)
{
	struct hvh_slirp_config *user = &parser->options->user;

	if (strncmp(part, "tcp=", 4) == 0)
		return add_port(parser, "tcp", part + 4, user->loopback_tcp, &parser->tcp_count);
	if (strncmp(part, "udp=", 4) == 0)
		return add_port(parser, "udp", part + 4, user->loopback_udp, &parser->udp_count);
	if (strncmp(part, "tftp=", 5) == 0)
		return take_tftp(parser, part + 5);
	if (strcmp(part, "restrict") == 0) {
		user->restricted = true;
		return true;
	}
	return wrong(
		parser,
		"--nic user: '%.40s' is not known; there are: tcp=PORT, udp=PORT, tftp=DIRECTORY, restrict",
		part);
}

static bool take_nic_parts(struct parser *parser, char *text)
{
	char *rest, *part = strtok_r(text, ",", &rest);
	uint32_t nic = 0;

	while (part && nic_name(nic) && strcmp(part, nic_name(nic)) != 0)
		nic++;
	if (!part || !nic_name(nic))
		return wrong_name(parser, "network card", part ? part : "", nic_name);
	parser->options->nic = (enum cli_nic)nic;
	parser->nic_given = true;
	while ((part = strtok_r(NULL, ",", &rest)) != NULL) {
		if (parser->options->nic != CLI_NIC_USER)
			return wrong(parser,
				     "--nic %s takes no further values, such as '%.40s'; --nic user does",
				     nic_name(nic), part);
		if (!take_user_part(parser, part))
			return false;
	}
	return true;
}

static bool take_nic(struct parser *parser, const char *value)
{
	char *text = strdup(value);
	bool right = text ? take_nic_parts(parser, text) : wrong(parser, "out of memory");

	free(text);
	return right;
}

/* --- Options ------------------------------------------------------------------------ */

static const struct option {
	const char *name;
	bool has_value;
	bool (*take)(struct parser *parser, const char *value);
} options_table[] = {
	{"--cpus", true, take_cpus},
	{"--host", true, take_host},
	{"--vmbus-max", true, take_vmbus_max},
	{"--boot-mode", false, take_boot_mode},
	{"--seed", true, take_seed},
	{"--nic", true, take_nic},
	{"--silent", true, take_silent},
	{"--trace", true, take_trace},
	{"--summary", true, take_summary},
	{"--quiet", false, take_quiet},
	{"--help", false, NULL},
};
#define OPTIONS (sizeof(options_table) / sizeof(options_table[0]))

static const char *option_name(uint32_t n)
{
	return n < OPTIONS ? options_table[n].name : NULL;
}

/* Takes the option at arguments[*at] and moves on past it. */
static bool take_option(struct parser *parser, int count, char *const arguments[], int *at)
{
	const char *argument = arguments[*at], *value = strchr(argument, '=');
	size_t length = value ? (size_t)(value - argument) : strlen(argument);
	const struct option *option = NULL;
	char name[40];

	for (size_t n = 0; n < OPTIONS && !option; n++) {
		if (strlen(options_table[n].name) == length &&
		    memcmp(options_table[n].name, argument, length) == 0)
			option = &options_table[n];
	}
	if (!option) {
		snprintf(name, sizeof(name), "%.*s", (int)(length > 39 ? 39 : length), argument);
		return wrong_name(parser, "option", name, option_name);
	}
	(*at)++;
	if (!option->has_value) {
		if (value)
			return wrong(parser, "%s takes no value", option->name);
		if (!option->take) {
			parser->options->action = CLI_RUN_HELP;
			return true;
		}
		return option->take(parser, NULL);
	}
	if (value)
		return option->take(parser, value + 1);
	if (*at == count || strcmp(arguments[*at], "--") == 0)
		return wrong(parser, "%s needs a value; see hvkit run --help", option->name);
	return option->take(parser, arguments[(*at)++]);
}

/* --- Commands ----------------------------------------------------------------------- */

static bool end_command(struct parser *parser, char *line)
{
	struct cli_options *options = parser->options;
	size_t length = strlen(line);

	while (length && line[length - 1] == ' ')
		line[--length] = '\0';
	while (*line == ' ')
		line++;
	if (!*line)
		return true;
	if (strlen(line) > SHELL_LINE_MAX)
		return wrong(parser, "a command has at most %u characters", SHELL_LINE_MAX);
	if (options->command_count == CLI_COMMANDS_MAX)
		return wrong(parser, "there can be at most %u commands", CLI_COMMANDS_MAX);
	options->commands[options->command_count] = strdup(line);
	if (!options->commands[options->command_count])
		return wrong(parser, "out of memory");
	options->command_count++;
	return true;
}

/* Words are joined by spaces; a ';' ends a command, by itself or inside a word. */
static bool take_commands(struct parser *parser, int count, char *const arguments[], int at)
{
	size_t size = 1, used = 0;
	bool right = true;
	char *line;

	for (int i = at; i < count; i++)
		size += strlen(arguments[i]) + 1;
	line = malloc(size);
	if (!line)
		return wrong(parser, "out of memory");
	for (int i = at; right && i < count; i++) {
		for (const char *from = arguments[i]; right && *from; from++) {
			if (*from != ';') {
				line[used++] = (unsigned char)*from < ' ' ? ' ' : *from;
				continue;
			}
			line[used] = '\0';
			right = end_command(parser, line);
			used = 0;
		}
		line[used++] = ' ';
	}
	line[used] = '\0';
	right = right && end_command(parser, line);
	free(line);
	return right;
}

/* --- The whole ---------------------------------------------------------------------- */

/* What only fits or fails together. */
static bool check(struct parser *parser)
{
	struct cli_options *options = parser->options;
	char newest[16];

	if (parser->vmbus_max > options->host.newest_version) {
		snprintf(newest, sizeof(newest), "%u.%u", options->host.newest_version >> 16,
			 options->host.newest_version & 0xffff);
		return wrong(parser, "--vmbus-max: the host %s knows VMBus up to %s only", options->host.name,
			     newest);
	}
	if (parser->vmbus_max)
		options->host.accept_newest = parser->vmbus_max;
	if (!parser->nic_given && options->seeded)
		options->nic = CLI_NIC_SIM;
	if (options->seeded && options->nic == CLI_NIC_USER)
		return wrong(
			parser,
			"--seed runs in virtual time, and real servers do not: use it with --nic sim (the "
			"default then) or --nic none");
	if (options->trace && options->summary && strcmp(options->trace, options->summary) == 0)
		return wrong(parser, "--trace and --summary name the same file");
	if (options->command_count == 0)
		return wrong(parser, "no command to run in the guest; e.g. hvkit run -- lsvmbus; the list: "
				     "hvkit run --help");
	return true;
}

static bool parse_run(struct parser *parser, int count, char *const arguments[])
{
	const struct hvh_profile *host = hvh_profile_find(DEFAULT_HOST);
	int at = 2;

	parser->options->action = CLI_RUN;
	parser->options->cpus = 1;
	if (host)
		parser->options->host = *host;
	while (at < count && arguments[at][0] == '-' && strcmp(arguments[at], "--") != 0) {
		if (!take_option(parser, count, arguments, &at))
			return false;
		if (parser->options->action == CLI_RUN_HELP)
			return true;
	}
	if (at < count && strcmp(arguments[at], "--") == 0)
		at++;
	return take_commands(parser, count, arguments, at) && check(parser);
}

bool cli_options_parse(int count, char *const arguments[], struct cli_options *options, char *error)
{
	struct parser parser = {.options = options, .error = error};
	const char *action = count > 1 ? arguments[1] : NULL;

	memset(options, 0, sizeof(*options));
	if (!action)
		return wrong(&parser,
			     "what is to be done? hvkit run -- COMMAND, hvkit hosts, or hvkit --help");
	if (strcmp(action, "run") == 0)
		return parse_run(&parser, count, arguments);
	if (strcmp(action, "--help") == 0 || strcmp(action, "-h") == 0 || strcmp(action, "help") == 0)
		options->action = CLI_HELP;
	else if (strcmp(action, "--version") == 0)
		options->action = CLI_SHOW_VERSION;
	else if (strcmp(action, "hosts") == 0)
		options->action = CLI_HOSTS;
	else
		return wrong_name(&parser, action[0] == '-' ? "option" : "action", action, action_name);
	if (count > 2 && options->action == CLI_HOSTS && strcmp(arguments[2], "--help") == 0)
		options->action = CLI_HELP;
	else if (count > 2)
		return wrong(&parser, "%s takes no argument, such as '%.40s'", action, arguments[2]);
	return true;
}

void cli_options_free(struct cli_options *options)
{
	for (uint32_t i = 0; i < options->command_count; i++)
		free(options->commands[i]);
	free(options->tftp_directory);
	memset(options, 0, sizeof(*options));
}
