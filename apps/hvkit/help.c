/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/options.h"
#include "apps/shell/shell.h"

void cli_print_help(void)
{
	printf("hvkit runs Hyper-V guests on a Hyper-V host in a box: no Windows, no hypervisor, no root.\n"
	       "\n"
	       "  hvkit run [OPTIONS] -- COMMAND [; COMMAND ...]   runs commands in the guest; see hvkit run "
	       "--help\n"
	       "  hvkit hosts                                      the hosts it can be, and the habits of "
	       "each\n"
	       "  hvkit --help                                     this text\n"
	       "  hvkit --version\n"
	       "\n"
	       "For example:\n"
	       "  hvkit run -- lsvmbus\n"
	       "  hvkit run --host ws2012r2 -- 'ip; ping 10.0.2.2 3'\n"
	       "  hvkit run --nic user,tcp=8000 -- fetch http://10.0.2.2:8000/file\n");
}

static void print_commands(void)
{
	const char *usage, *text;

	printf("\nCommands of the guest:\n");
	for (uint32_t n = 0; shell_command_help(n, &usage, &text); n++)
		printf("  %-26s %s\n", usage, text);
}

#define WIDTH 96u

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
	printf("hvkit run [OPTIONS] -- COMMAND [; COMMAND ...]\n"
	       "\n"
	       "Brings a guest up on the host model, in this process, runs the commands in it, and exits\n"
	       "with their status: that of the first one that failed. A ';' ends a command, by itself "
	       "(write\n"
	       "\\; or ';' for the shell you type in) or inside a word.\n"
	       "\n"
	       "  --host PROFILE         which Windows Server the host is (ws2022); see hvkit hosts\n"
	       "  --vmbus-max VERSION    the newest VMBus version that it accepts, e.g. 4.0\n"
	       "  --boot-mode            connect as a boot program does: 3.0 first, then the oldest\n"
	       "  --cpus N               virtual CPUs, 1 to %u (1)\n"
	       "  --nic user[,VALUES]    network card on user-mode networking (default): DHCP, DNS, NAT, "
	       "TFTP\n"
	       "        tcp=PORT           this machine's loopback port, at 10.0.2.2 for the guest; may "
	       "repeat\n"
	       "        udp=PORT           likewise\n"
	       "        tftp=DIRECTORY     served by TFTP at 10.0.2.2 (its name holds no comma)\n"
	       "        restrict           no way out but these\n"
	       "  --nic sim              network card on a simulated wire: the peer 10.7.0.1 answers DHCP "
	       "and ping\n"
	       "  --nic none             no network card\n"
	       "  --seed N               deterministic: one thread, virtual time, every choice from N (with "
	       "--nic\n"
	       "                         sim or none; a failing run is replayed by its seed)\n"
	       "  --silent STEP          the host never answers at this step\n"
	       "  --trace FILE           writes everything both sides say, as pcapng\n"
	       "  --summary FILE         writes what came of it, as JSON\n"
	       "  --quiet                shows only what the commands print, and errors\n"
	       "\n"
	       "Exit status: 0 all well; 1 something asked for does not work; 2 a wrong option, command or "
	       "argument;\n"
	       "3 the host recorded violations of the protocol by the guest, or memory was misused; 4 the "
	       "guest hung.\n",
	       HVK_CPUS_MAX);
	print_commands();
	print_silent_steps();
}
