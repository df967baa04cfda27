/* SPDX-License-Identifier: MIT */
/* "Did you mean": the nearest of a list of names. */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stdint.h>

#define SUGGEST_NAME_MAX 32u /* longer names have no nearest */

/* Number of characters to insert, delete, replace or exchange with their neighbour. */
uint32_t suggest_distance(const char *a, const char *b);

/* The nearest name, or NULL if none is near enough to be meant. name(n) is NULL past the last. */
const char *suggest_nearest(const char *wrong, const char *(*name)(uint32_t n));
/* The same from a list. */
const char *suggest_nearest_of(const char *wrong, const char *const *names, uint32_t count);

#endif
