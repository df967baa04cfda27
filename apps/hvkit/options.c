/* SPDX-License-Identifier: MIT */
/* The command line: actions, options, commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/options_private.h"
#include "apps/shell/results.h"

#define DEFAULT_HOST "ws2022"

/* --- Options ------------------------------------------------------------------------ */

static const struct option {
	const char *name, *value; /* value: NULL if it has none */
	bool (*take)(struct parser *parser, const char *value);
	const char *text; /* lines */
} options_table[] = {
	{"--host", "PROFILE", options_take_host,
	 "which Windows Server the host is (ws2022); see hvkit hosts"},
	{"--quirk", "NAME=VALUE", options_take_quirk,
	 "sets one of the host's habits; may repeat; see hvkit hosts"},
	{"--vmbus-max", "VERSION", options_take_vmbus_max,
	 "the newest VMBus version that it accepts, e.g. 4.0"},
	{"--boot-mode", NULL, options_take_boot_mode,
	 "connect as a boot program does: 3.0 first, then the oldest"},
	{"--cpus", "N", options_take_cpus, "virtual CPUs, 1 to 64 (1)"},
	{"--nic", "CARD[,VALUES]", options_take_nic,
	 "user (the default): user-mode networking: DHCP, DNS, NAT, TFTP at\n"
	 "10.0.2.2. Values:\n"
	 "  tcp=PORT        this machine's loopback port, at 10.0.2.2 for the\n"
	 "                  guest; may repeat\n"
	 "  udp=PORT        likewise\n"
	 "  tftp=DIRECTORY  served by TFTP\n"
	 "  bootfile=NAME   what DHCP says to boot: a file there, or a URL\n"
	 "  restrict        no way out but these\n"
	 "tap: an interface of this machine's kernel. Values:\n"
	 "  ifname=NAME     which; made if there is none (hvkit0, ...)\n"
	 "  netns=NAME      the network namespace that it is in\n"
	 "sim: a simulated wire, the peer 10.7.0.1 answers DHCP and ping\n"
	 "none: no network card\n"
	 "Values of any card (no name holds a comma):\n"
	 "  queues=N        that it has at most, and the interface of tap (64; 1)\n"
	 "  mtu=BYTES       1500 to 9000: at most, and the interface's (9000)\n"
	 "  mac=ADDRESS     its hardware address (00:15:5d:00:07:01)\n"
	 "  without=LIST    offloads that the host has not: all, none, or of\n"
	 "                  tx-checksum+rx-checksum+lso+rsc+vlan+rss+ipv6+udp\n"
	 "  pcap=FILE       every frame, as pcapng\n"
	 "  second          one more card, net1, that is plugged in nowhere"},
	{"--queues", "N", options_take_queues, "queues that the guest's driver asks for, 1 to 64 (1)"},
	{"--offloads", "LIST", options_take_offloads,
	 "offloads that it switches on: all, none, or of\n"
	 "tx-checksum+rx-checksum+tso+lro+vlan+rss (none)"},
	{"--mtu", "BYTES", options_take_mtu, "MTU that it asks for, 68 to 65521 (1500)"},
	{"--disk", "FILE[,VALUES]", options_take_disk,
	 "a disk on an image: a file or a block device; may repeat. Values:\n"
	 "  ro              it cannot be written\n"
	 "  4kn, 512n       blocks of 4096 bytes, or 512 physical ones (512e)\n"
	 "  serial=TEXT     its serial number\n"
	 "  controller=N    which SCSI controller, 0 to 7 (0); target=, lun= on it\n"
	 "                  (0, the next that is free)\n"
	 "  ide             on an IDE accelerator of its own instead\n"
	 "  cache=none      no volatile write cache\n"
	 "  seed=N          of what a power cut leaves of the write cache\n"
	 "  spare           only opened, for !disk add"},
	{"--cdrom", "FILE[,VALUES]", options_take_cdrom,
	 "a CD-ROM drive with that image (- for none); may repeat. Values:\n"
	 "serial=, controller=, target=, lun=, ide; spare: opened for !disk insert"},
	{"--disk-trouble", "LIST", options_take_disk_trouble,
	 "KIND=VALUE,... for all disks: medium-errors, busy, unit-attentions and\n"
	 "never (no answer) by chance, like 5% or 1/200; delay, at most, like 20ms"},
	{"--input", "LIST", options_take_input,
	 "what there is to type and to point with: all, none, or of\n"
	 "keyboard+mouse (none)"},
	{"--utilities", "LIST", options_take_utilities,
	 "integration components of the host: all, none, or of\n"
	 "shutdown+timesync+heartbeat+kvp+vss+fcopy (none)"},
	{"--kvp-file", "FILE", options_take_kvp_file,
	 "keeps the key-value pairs that the host has set, between runs"},
	{"--guest-dir", "DIRECTORY", options_take_guest_dir,
	 "hosted: where the guest keeps its pairs and the files copied to it (in\n"
	 "memory)"},
	{"--freeze-max", "SECONDS", options_take_freeze_max,
	 "a guest that is frozen for a backup thaws by itself then, 1 to 3600 (60)"},
	{"--seed", "N", options_take_seed,
	 "deterministic: one thread, virtual time, every choice from N (with\n"
	 "--nic sim or none; a failing run is replayed by its seed)"},
	{"--accel", "WHERE", options_take_accel,
	 "where the guest runs: hosted (in this process, the default), or kvm: on\n"
	 "virtual CPUs, hvkit's own guest as a kernel image or another kernel"},
	{"--guest", "ELF", options_take_guest,
	 "kvm: the kernel to run instead: an ELF file with a PVH note or a\n"
	 "64-bit entry"},
	{"--kernel", "BZIMAGE", options_take_kernel, "kvm: the same for a Linux kernel"},
	{"--initrd", "FILE", options_take_initrd, "kvm: its initial RAM disk"},
	{"--append", "TEXT", options_take_append, "kvm: its command line"},
	{"--entry", "ENTRY", options_take_entry, "kvm: where an ELF file begins: pvh or elf64 (any)"},
	{"--mem", "SIZE", options_take_mem, "kvm: the guest's memory, e.g. 512M or 2G (256M)"},
	{"--gen", "N", options_take_generation,
	 "kvm: the generation of virtual machine, 1 or 2: where ACPI has VMBus (2)"},
	{"--bios-stub", NULL, options_take_bios_stub,
	 "kvm: starts the kernel by its 16-bit entry, with a little of a BIOS"},
	{"--time-limit", "SECONDS", options_take_time_limit, "kvm: ends a guest that runs for so long"},
	{"--no-sandbox", NULL, options_take_no_sandbox, "kvm: does not confine the running monitor"},
	{"--silent", "STEP", options_take_silent, "the host never answers at this step"},
	{"--script", "FILE", options_take_script,
	 "reads the commands from FILE (- is standard input): one a line,\n"
	 "# begins a comment; ends at the first that fails, but for lines\n"
	 "that begin with -"},
	{"--trace", "FILE", options_take_trace, "writes everything both sides say, as pcapng"},
	{"--summary", "FILE", options_take_summary, "writes what came of it, as JSON"},
	{"--inspect", NULL, options_take_inspect,
	 "prints the state of guest and host as a tree, when the commands are\n"
	 "done and the guest is still up"},
	{"--color", "WHEN", options_take_color, "auto (on terminals), always or never"},
	{"--quiet", NULL, options_take_quiet, "shows only what the commands print, and errors"},
	{"--help", NULL, NULL, "this text"},
};
#define OPTIONS (sizeof(options_table) / sizeof(options_table[0]))

static const char *option_name(uint32_t n)
{
	return n < OPTIONS ? options_table[n].name : NULL;
}

bool cli_option_help(uint32_t n, const char **name, const char **value, const char **text)
{
	if (n >= OPTIONS)
		return false;
	*name = options_table[n].name;
	*value = options_table[n].value;
	*text = options_table[n].text;
	return true;
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
		return options_wrong_name(parser, "option", name, option_name);
	}
	(*at)++;
	if (!option->value) {
		if (value)
			return options_wrong(parser, "%s takes no value", option->name);
		if (!option->take) {
			parser->options->action = CLI_RUN_HELP;
			return true;
		}
		return option->take(parser, NULL);
	}
	if (value)
		return option->take(parser, value + 1);
	if (*at == count || strcmp(arguments[*at], "--") == 0)
		return options_wrong(parser, "%s needs a value; see hvkit run --help", option->name);
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
		return options_wrong(parser, "a command has at most %u characters", SHELL_LINE_MAX);
	if (options->command_count == CLI_COMMANDS_MAX)
		return options_wrong(parser, "there can be at most %u commands", CLI_COMMANDS_MAX);
	options->commands[options->command_count] = strdup(line);
	if (!options->commands[options->command_count])
		return options_wrong(parser, "out of memory");
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
		return options_wrong(parser, "out of memory");
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

static bool is_same(const char *one, const char *other)
{
	return one && other && strcmp(one, other) == 0;
}

/* None of them is overwritten by what is written beside it. */
static bool check_disks(struct parser *parser)
{
	const struct cli_options *options = parser->options;

	for (uint32_t n = 0; n < options->disk_count; n++) {
		const char *file = options->disks[n].file;

		if (is_same(file, options->trace) || is_same(file, options->summary) ||
		    is_same(file, options->pcap))
			return options_wrong(parser,
					     "'%.200s' is to be a disk, and to be written as "
					     "--trace, --summary or pcap= too",
					     file);
	}
	return true;
}

static bool check_files(struct parser *parser)
{
	const struct cli_options *options = parser->options;

	if (is_same(options->trace, options->summary))
		return options_wrong(parser, "--trace and --summary name the same file");
	if (is_same(options->pcap, options->trace))
		return options_wrong(parser, "--nic pcap= and --trace name the same file");
	if (is_same(options->pcap, options->summary))
		return options_wrong(parser, "--nic pcap= and --summary name the same file");
	return true;
}

/* What only fits or fails together. */
static bool check(struct parser *parser)
{
	struct cli_options *options = parser->options;
	char newest[16];

	if (!options_set_quirks(parser))
		return false;
	if (parser->vmbus_max > options->host.newest_version) {
		snprintf(newest, sizeof(newest), "%u.%u", options->host.newest_version >> 16,
			 options->host.newest_version & 0xffff);
		return options_wrong(parser, "--vmbus-max: the host %s knows VMBus up to %s only",
				     options->host.name, newest);
	}
	if (parser->vmbus_max)
		options->host.accept_newest = parser->vmbus_max;
	if (!parser->nic_given && options->seeded)
		options->nic = CLI_NIC_SIM;
	if (options->seeded && (options->nic == CLI_NIC_USER || options->nic == CLI_NIC_TAP))
		return options_wrong(
			parser,
			"--seed runs in virtual time, and real servers do not: use it with --nic sim (the "
			"default then) or --nic none");
	if (!options_check_machine(parser) || !options_check_driver(parser) ||
	    !options_check_services(parser) || !check_files(parser) || !check_disks(parser))
		return false;
	if (options->script && options->command_count)
		return options_wrong(parser,
				     "--script and commands after -- do not go together: put the commands "
				     "into the script");
	return true;
}

static bool parse_run(struct parser *parser, int count, char *const arguments[])
{
	const struct hvh_profile *host = hvh_profile_find(DEFAULT_HOST);
	int at = 2;

	parser->options->action = CLI_RUN;
	parser->options->cpus = 1;
	parser->options->memory = CLI_MEMORY_DEFAULT;
	parser->options->generation = 2;
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
	if (!take_commands(parser, count, arguments, at) || !check(parser))
		return false;
	/* Without "--" there is a console. */
	if (at > 2 && strcmp(arguments[at - 1], "--") == 0 && parser->options->command_count == 0)
		return options_wrong(parser, "no command after --; e.g. hvkit run -- lsvmbus; the list: "
					     "hvkit run --help");
	return true;
}

static const char *action_name(uint32_t n)
{
	if (n == CLI_ACTIONS)
		return "--help";
	return n < CLI_ACTIONS ? cli_actions[n].name : NULL;
}

static const struct cli_action *find_action(const char *name)
{
	for (uint32_t n = 0; n < CLI_ACTIONS; n++) {
		if (strcmp(cli_actions[n].name, name) == 0)
			return &cli_actions[n];
	}
	return NULL;
}

/* hvkit help [ACTION] */
static bool parse_help(struct parser *parser, int count, char *const arguments[])
{
	const struct cli_action *about = count > 2 ? find_action(arguments[2]) : NULL;

	if (count > 3)
		return options_wrong(parser, "help takes one argument, not '%.40s' too", arguments[3]);
	if (count > 2 && !about)
		return options_wrong_name(parser, "action", arguments[2], action_name);
	parser->options->action = !about                     ? CLI_HELP
				  : about->action == CLI_RUN ? CLI_RUN_HELP
							     : CLI_ACTION_HELP;
	parser->options->about = about;
	return true;
}

bool cli_options_parse(int count, char *const arguments[], struct cli_options *options, char *error)
{
	struct parser parser = {.options = options, .error = error};
	const char *name = count > 1 ? arguments[1] : NULL;
	const struct cli_action *action;

	memset(options, 0, sizeof(*options));
	if (!name)
		return options_wrong(&parser,
				     "what is to be done? hvkit run, hvkit hosts, ... or hvkit --help");
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	action = find_action(name);
	if (!action)
		return options_wrong_name(&parser, name[0] == '-' ? "option" : "action", name, action_name);
	options->action = action->action;
	options->about = action;
	options->rest_count = count - 1;
	options->rest = arguments + 1;
	if (action->action == CLI_RUN)
		return parse_run(&parser, count, arguments);
	if (action->action == CLI_HELP)
		return parse_help(&parser, count, arguments);
	if (count > 2 && strcmp(arguments[2], "--help") == 0 && action->help)
		options->action = CLI_ACTION_HELP;
	else if (count > 2 && !action->arguments)
		return options_wrong(&parser, "%s takes no argument, such as '%.40s'", name, arguments[2]);
	return true;
}

void cli_options_free(struct cli_options *options)
{
	for (uint32_t i = 0; i < options->command_count; i++)
		free(options->commands[i]);
	for (uint32_t i = 0; i < options->disk_count; i++)
		cli_disk_free(&options->disks[i]);
	free(options->tftp_directory);
	free(options->nic_text);
	memset(options, 0, sizeof(*options));
}
