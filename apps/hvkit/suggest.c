/* SPDX-License-Identifier: MIT */
#include "apps/hvkit/suggest.h"

#include <string.h>

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint32_t suggest_distance(const char *a, const char *b)
{
	uint32_t rows[3][SUGGEST_NAME_MAX + 1];
	uint32_t *before = rows[0], *last = rows[1], *now = rows[2];
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > SUGGEST_NAME_MAX || b_length > SUGGEST_NAME_MAX)
		return UINT32_MAX;
	for (uint32_t j = 0; j <= b_length; j++)
		last[j] = before[j] = j;
	for (uint32_t i = 1; i <= a_length; i++) {
		uint32_t *spare = before;

		now[0] = i;
		for (uint32_t j = 1; j <= b_length; j++) {
			now[j] = last[j - 1] + (a[i - 1] != b[j - 1]);
			now[j] = least(now[j], least(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b_length];
}

/* Takes candidate if it is nearer than what there was. */
static void consider(const char *wrong, const char *candidate, uint32_t *best, const char **nearest)
{
	uint32_t distance = suggest_distance(wrong, candidate);

	/* At most a third of the name may be wrong, but one character always. */
	if (distance < *best && (distance <= 1 || distance <= strlen(candidate) / 3)) {
		*best = distance;
		*nearest = candidate;
	}
}

const char *suggest_nearest(const char *wrong, const char *(*name)(uint32_t n))
{
	const char *nearest = NULL, *candidate;
	uint32_t best = UINT32_MAX;

	for (uint32_t n = 0; (candidate = name(n)) != NULL; n++)
		consider(wrong, candidate, &best, &nearest);
	return nearest;
}

const char *suggest_nearest_of(const char *wrong, const char *const *names, uint32_t count)
{
	const char *nearest = NULL;
	uint32_t best = UINT32_MAX;

	for (uint32_t n = 0; n < count; n++)
		consider(wrong, names[n], &best, &nearest);
	return nearest;
}
