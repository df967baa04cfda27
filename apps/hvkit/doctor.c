/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "apps/hvkit/options.h"

int cli_doctor(int count, char *const arguments[])
{
	(void)count;
	(void)arguments;
	return CLI_OK;
}

void cli_print_doctor_help(void)
{
}
