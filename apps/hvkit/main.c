/* SPDX-License-Identifier: MIT */
/* The hvkit program. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/options.h"

static int help_of(const struct cli_action *action)
{
	char name[32], option[] = "--help";
	char *const arguments[] = {name, option, NULL};

	if (!action->help) {
		snprintf(name, sizeof(name), "%s", action->name);
		return action->run(2, arguments);
	}
	action->help();
	return CLI_OK;
}

static int act(const struct cli_options *options)
{
	switch (options->action) {
	case CLI_HELP:
		cli_print_help();
		return CLI_OK;
	case CLI_RUN_HELP:
		cli_print_run_help();
		return CLI_OK;
	case CLI_ACTION_HELP:
		return help_of(options->about);
	case CLI_SHOW_VERSION:
		printf("hvkit %s\n", HVKIT_VERSION);
		return CLI_OK;
	case CLI_RUN:
		return cli_run(options);
	case CLI_OTHER:
		return options->about->run(options->rest_count, options->rest);
	}
	return CLI_USAGE;
}

/* Output that is lost is an error like any other, whichever action wrote it. */
static int finish_output(int status)
{
	bool lost = ferror(stdout) != 0; /* why is forgotten by now */
	bool flushed = fflush(stdout) == 0;

	if (flushed && !lost)
		return status;
	fprintf(stderr, "hvkit: standard output could not be written whole%s%s\n", lost ? "" : ": ",
		lost ? "" : strerror(errno));
	return status == CLI_OK ? CLI_FAILED : status;
}

int main(int argc, char **argv)
{
	struct cli_options options;
	char error[CLI_ERROR_MAX];
	int status = CLI_USAGE;

	if (cli_options_parse(argc, argv, &options, error))
		status = act(&options);
	else
		fprintf(stderr, "hvkit: %s\n", error);
	cli_options_free(&options);
	return finish_output(status);
}
