/* SPDX-License-Identifier: MIT */
/* The address sanitizer's defaults for all targets. */
#include "tests/fuzz/input.h"

const char *__asan_default_options(void);

/* What was freed need stay unused no longer than one run lasts; the usual 256 MB are so many
 * pages to fault in and out again. */
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=8:malloc_context_size=16";
}
