/* SPDX-License-Identifier: MIT */
#include "apps/hvkit/style.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool style_wanted(enum style_when when, FILE *file)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if (when != STYLE_AUTO)
		return when == STYLE_ALWAYS;
	return isatty(fileno(file)) && !(no && *no) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

const char *style_begin(enum style style)
{
	static const char *const begins[STYLE_COUNT] = {
		[STYLE_PLAIN] = "",         [STYLE_ERROR] = "\033[31m", [STYLE_HEADING] = "\033[1m",
		[STYLE_GUEST] = "\033[32m", [STYLE_HOST] = "\033[35m",  [STYLE_GOOD] = "\033[32m",
	};

	return begins[style];
}
