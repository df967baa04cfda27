/* SPDX-License-Identifier: MIT */
/* Faults made on purpose, to see what the image says about them: test=NAME. */
#ifndef IMAGE_SELF_TEST_H
#define IMAGE_SELF_TEST_H

#include <stdbool.h>

/* Returns only if the fault that was asked for did not happen; false: there is no such test. */
bool image_self_test(const char *name);

#endif
