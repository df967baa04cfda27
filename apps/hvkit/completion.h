/* SPDX-License-Identifier: MIT */
/* What Tab does on the console. */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <histedit.h>
#include <stdbool.h>
#include <stdint.h>

#include "apps/hvkit/console.h"

#define COMPLETIONS_MAX 256u
#define COMPLETION_BYTES 128u

struct completions {
	const char *typed; /* what they begin with */
	uint32_t count;
	char names[COMPLETIONS_MAX][COMPLETION_BYTES];
};

/* Adds a candidate that begins with what is typed; once. context is struct completions. */
void completions_add(void *context, const char *candidate);
/* Length of what all of them begin with. */
size_t completions_common(const struct completions *completions);

/* libedit's: completes the word before the cursor; a CC_ value. */
unsigned char completion_run(EditLine *edit, struct console *console, bool host_side);

#endif
