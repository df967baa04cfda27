/* SPDX-License-Identifier: MIT */
/* The table of commands, and the small ones. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/private.h"

struct command {
	const char *name;
	const char *usage; /* with arguments */
	const char *text;
	uint32_t arguments_max;
	int (*run)(struct shell *shell, uint32_t count, char *const words[]);
};

static int help(struct shell *shell, uint32_t count, char *const words[]);
static int power_off(struct shell *shell, uint32_t count, char *const words[]);

static const struct command commands[] = {
	{"lsvmbus", "lsvmbus", "the device tree: classes, GUIDs, ids, rings", 0, shell_command_lsvmbus},
	{"ip", "ip", "the address, and what came with it", 0, shell_command_ip},
	{"nic", "nic [mtu|offloads|rss|...]", "the network card: what it has, and changes to it",
	 SHELL_WORDS_MAX, shell_command_nic},
	{"vf", "vf [status]", "the card's virtual function: both paths, and the state of the pairing", 1,
	 shell_command_vf},
	{"disk", "disk [list|read|write|...]", "disks: what there is, reading, writing, files",
	 SHELL_WORDS_MAX, shell_command_disk},
	{"ping", "ping HOST [COUNT]", "echo requests, one a second (4)", 2, shell_command_ping},
	{"fetch", "fetch URL", "downloads http:// or tftp://, tells bytes, rate and SHA-256", 1,
	 shell_command_fetch},
	{"time", "time [shift SECONDS]", "the time value of Hyper-V, and the clock that the host sets", 2,
	 shell_command_time},
	{"kvp", "kvp [list|get|set|delete]", "key-value pairs, shared with the host", SHELL_WORDS_MAX,
	 shell_command_kvp},
	{"vss", "vss", "backup: whether the disks are frozen", 0, shell_command_vss},
	{"files", "files", "what the host has copied here", 0, shell_command_files},
	{"input", "input", "the keyboard and the mouse", 0, shell_command_input},
	{"refuse", "refuse [WHAT ...]", "what the host may not ask of the guest", 6, shell_command_refuse},
	{"stats", "stats [QUEUE]", "counters of hvkit, the channel, the card and the interface", 1,
	 shell_command_stats},
	{"inspect", "inspect [PATH]", "the drivers' whole state as a tree, or a part of it", 1,
	 shell_command_inspect},
	{"expect", "expect PATH [= != < > <= >=] VALUE",
	 "fails unless that part of the state is so within 2 s", SHELL_WORDS_MAX, shell_command_expect},
	{"help", "help [COMMAND]", "this list", 1, help},
	{"poweroff", "poweroff", "ends here: what follows is not run", 0, power_off},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

bool shell_command_help(uint32_t n, const char **name, const char **usage, const char **text)
{
	if (n >= COMMANDS)
		return false;
	*name = commands[n].name;
	*usage = commands[n].usage;
	*text = commands[n].text;
	return true;
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	}
	return NULL;
}

static int unknown(struct shell *shell, const char *name)
{
	char list[240] = "";
	size_t used = 0;

	for (size_t i = 0; i < COMMANDS && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
					 commands[i].name);
	return shell_usage(shell, "%.40s: no such command; there are: %s\n", name, list);
}

int shell_command_run(struct shell *shell, uint32_t count, char *const words[])
{
	const struct command *command = find(words[0]);

	if (!command)
		return unknown(shell, words[0]);
	if (count - 1 <= command->arguments_max)
		return command->run(shell, count, words);
	if (command->arguments_max == 0)
		return shell_usage(shell, "%s takes no argument, such as '%.40s'\n", command->name, words[1]);
	return shell_usage(shell, "%s: '%.40s' is one argument too many: %s\n", command->name,
			   words[command->arguments_max + 1], command->usage);
}

static int help(struct shell *shell, uint32_t count, char *const words[])
{
	const struct command *command = count > 1 ? find(words[1]) : NULL;

	if (count > 1 && !command)
		return unknown(shell, words[1]);
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!command || command == &commands[i])
			shell_print(shell, SHELL_OUTPUT, "%-35s %s\n", commands[i].usage, commands[i].text);
	}
	return SHELL_OK;
}

static int power_off(struct shell *shell, uint32_t count, char *const words[])
{
	(void)count;
	(void)words;
	shell->power_off = true;
	return SHELL_OK;
}
