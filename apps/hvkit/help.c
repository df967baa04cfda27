/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/monitor.h"
#include "apps/hvkit/options.h"
#include "apps/shell/shell.h"

#define WIDTH 96u
#define OPTION_WIDTH 22

void cli_print_help(void)
{
	printf("hvkit runs Hyper-V guests on a Hyper-V host in a box: no Windows, no hypervisor, no "
	       "root.\n\n");
	for (uint32_t n = 0; n < CLI_ACTIONS; n++)
		printf("  hvkit %-42s %s\n", cli_actions[n].usage, cli_actions[n].text);
	printf("\n"
	       "hvkit ACTION --help says more about each. For example:\n"
	       "  hvkit run                                        a console: the guest's, and the host's\n"
	       "  hvkit run -- lsvmbus\n"
	       "  hvkit run --host ws2012r2 -- 'ip; ping 10.0.2.2 3'\n"
	       "  hvkit run --nic user,tcp=8000 -- fetch http://10.0.2.2:8000/file\n");
}

static void print_options(void)
{
	const char *name, *value, *text;

	for (uint32_t n = 0; cli_option_help(n, &name, &value, &text); n++) {
		char option[40];

		snprintf(option, sizeof(option), "%s%s%s", name, value ? " " : "", value ? value : "");
		printf("  %-*s ", OPTION_WIDTH, option);
		for (size_t length = strcspn(text, "\n"); text[length]; length = strcspn(text, "\n")) {
			printf("%.*s\n%*s", (int)length, text, OPTION_WIDTH + 3, "");
			text += length + 1;
		}
		printf("%s\n", text);
	}
}

static void print_commands(const char *title, const char *mark,
			   bool (*get)(uint32_t n, const char **name, const char **usage, const char **text))
{
	const char *name, *usage, *text;

	printf("\n%s\n", title);
	for (uint32_t n = 0; get(n, &name, &usage, &text); n++)
		printf("  %s%-*s %s\n", mark, 36 - (int)strlen(mark), usage, text);
}

static void print_silent_steps(void)
{
	size_t column = WIDTH;

	printf("\nSteps for --silent:");
	for (int step = HVH_SILENCE_NONE + 1; step < HVH_SILENCE_COUNT; step++) {
		const char *name = hvh_silence_name((enum hvh_silence)step);

		if (column + strlen(name) + 1 > WIDTH)
			column = (size_t)printf("\n ") - 1;
		column += (size_t)printf(" %s", name);
	}
	printf("\n");
}

void cli_print_run_help(void)
{
	printf("hvkit run [OPTIONS] [-- COMMAND [; COMMAND ...]]\n"
	       "\n"
	       "Brings a guest up on the host model, in this process, runs the commands in it, and exits\n"
	       "with their status: that of the first one that failed. A ';' ends a command, by itself "
	       "(write\n"
	       "\\; or ';' for the shell you type in) or inside a word. Without commands there is a console\n"
	       "on a terminal, and elsewhere they are read from standard input, one a line. A command that\n"
	       "begins with '!' is for the host's side.\n"
	       "\n");
	print_options();
	printf("\n"
	       "Exit status: 0 all well; 1 something asked for does not work; 2 a wrong option, command or "
	       "argument;\n"
	       "3 the host recorded violations of the protocol by the guest, or memory was misused; 4 the "
	       "guest hung;\n"
	       "5 the guest crashed (--accel kvm; there what a kernel gives the debug exit is the status "
	       "else);\n"
	       "6 the power was cut, as !cut says;\n"
	       "130, 143 ended by Ctrl-C, by a signal.\n");
	print_commands("Commands of the guest:", "", shell_command_help);
	print_commands("Commands of the host's side:", "!", monitor_help);
	print_silent_steps();
}
