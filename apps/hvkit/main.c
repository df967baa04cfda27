/* SPDX-License-Identifier: MIT */
/* The hvkit program. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/options.h"
#include "apps/hvkit/trace/trace.h"

static int act(const struct cli_options *options)
{
	switch (options->action) {
	case CLI_HELP:
		cli_print_help();
		return CLI_OK;
	case CLI_RUN_HELP:
		cli_print_run_help();
		return CLI_OK;
	case CLI_SHOW_VERSION:
		printf("hvkit %s\n", HVKIT_VERSION);
		return CLI_OK;
	case CLI_HOSTS:
		cli_print_hosts();
		return CLI_OK;
	case CLI_RUN:
		return cli_run(options);
	}
	return CLI_USAGE;
}

int main(int argc, char **argv)
{
	struct cli_options options;
	char error[CLI_ERROR_MAX];
	int status = CLI_USAGE;

	if (argc > 1 && strcmp(argv[1], "trace") == 0)
		return cli_trace(argc - 1, argv + 1);
	if (cli_options_parse(argc, argv, &options, error))
		status = act(&options);
	else
		fprintf(stderr, "hvkit: %s\n", error);
	cli_options_free(&options);
	if (fflush(stdout) != 0 && status == CLI_OK)
		status = CLI_FAILED;
	return status;
}
