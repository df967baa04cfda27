/* SPDX-License-Identifier: MIT */
/* What hvkit can be asked for: one table for parsing, help and doing. */
#include <stdio.h>

#include "apps/hvkit/options.h"
#include "apps/hvkit/trace/trace.h"

static int hosts(int count, char *const arguments[])
{
	(void)count;
	(void)arguments;
	cli_print_hosts();
	return CLI_OK;
}

static void hosts_help(void)
{
	printf("hvkit hosts\n"
	       "\n"
	       "Lists the hosts that hvkit can be (hvkit run --host), and the habits of each.\n");
}

const struct cli_action cli_actions[CLI_ACTIONS] = {
	{"run", "run [OPTIONS] [-- COMMAND [; COMMAND ...]]", "brings a guest up on the host model", CLI_RUN,
	 true, NULL, NULL},
	{"trace", "trace FILE [OPTIONS]", "what a trace says, as text or as a page", CLI_OTHER, true,
	 cli_trace, NULL},
	{"hosts", "hosts", "the hosts it can be, and the habits of each", CLI_OTHER, false, hosts,
	 hosts_help},
	{"doctor", "doctor [--json]", "what this machine can do, and what is missing", CLI_OTHER, true,
	 cli_doctor, cli_print_doctor_help},
	{"help", "help [ACTION]", "this text, or that of one of these", CLI_HELP, true, NULL, cli_print_help},
	{"--version", "--version", "the version", CLI_SHOW_VERSION, false, NULL, cli_print_help},
};
