/* SPDX-License-Identifier: MIT */
#include "apps/hvkit/disk_trouble.h"

#include <stdio.h>
#include <string.h>

#include "apps/hvkit/monitor_private.h"

#define WHOLE 1000u /* chances are of a thousand */
#define DELAY_MAX_US 600000000u
#define TICKS_PER_US 10u

enum kind { MEDIUM_ERRORS, BUSY, UNIT_ATTENTIONS, NEVER, DELAY };

const char *disk_trouble_name(uint32_t n)
{
	static const char *const names[DISK_TROUBLES] = {"medium-errors", "busy", "unit-attentions", "never",
							 "delay"};

	return n < DISK_TROUBLES ? names[n] : NULL;
}

static uint32_t *chance_of(struct hvh_storage_trouble *trouble, uint32_t n)
{
	switch ((enum kind)n) {
	case MEDIUM_ERRORS:
		return &trouble->medium_errors;
	case BUSY:
		return &trouble->busy;
	case UNIT_ATTENTIONS:
		return &trouble->unit_attentions;
	case NEVER:
	case DELAY:
		break;
	}
	return &trouble->never;
}

void disk_trouble_text(const struct hvh_storage_trouble *trouble, uint32_t n, char text[DISK_TROUBLE_TEXT])
{
	struct hvh_storage_trouble copy = *trouble;
	uint32_t chance = *chance_of(&copy, n);

	if (n == DELAY && copy.delay_max)
		snprintf(text, DISK_TROUBLE_TEXT, "%lluus",
			 (unsigned long long)(copy.delay_max / TICKS_PER_US));
	else if (n == DELAY || chance == 0)
		snprintf(text, DISK_TROUBLE_TEXT, "off");
	else
		snprintf(text, DISK_TROUBLE_TEXT, "%u.%u%%", chance / 10, chance % 10);
}

/* The number before suffix, if text ends so. */
static bool number_before(const char *text, const char *suffix, uint64_t max, uint64_t *number)
{
	size_t length = strlen(text), end = strlen(suffix);
	char digits[16];

	if (length <= end || length - end >= sizeof(digits) || strcmp(text + length - end, suffix) != 0)
		return false;
	memcpy(digits, text, length - end);
	digits[length - end] = '\0';
	return monitor_number(digits, max, number);
}

/* "5%", "1/20" */
static bool set_chance(uint32_t *chance, const char *value)
{
	uint64_t number;

	if (strncmp(value, "1/", 2) == 0 && monitor_number(value + 2, WHOLE, &number) && number) {
		*chance = (uint32_t)(WHOLE / number);
		return true;
	}
	if (!number_before(value, "%", 100, &number))
		return false;
	*chance = (uint32_t)(number * WHOLE / 100);
	return true;
}

static bool set_delay(uint64_t *delay, const char *value)
{
	uint64_t number;

	if (number_before(value, "us", DELAY_MAX_US, &number)) {
		*delay = number * TICKS_PER_US;
		return true;
	}
	if (!number_before(value, "ms", DELAY_MAX_US / 1000, &number))
		return false;
	*delay = number * 1000 * TICKS_PER_US;
	return true;
}

bool disk_trouble_set(struct hvh_storage_trouble *trouble, uint32_t n, const char *value, const char **right)
{
	bool off = strcmp(value, "off") == 0;

	*right = n == DELAY ? "a longest time such as 500us or 20ms, or off"
			    : "5%, 1/20 (1/1 to 1/1000) or off";
	if (n == DELAY && off)
		trouble->delay_max = 0;
	else if (n == DELAY)
		return set_delay(&trouble->delay_max, value);
	else if (off)
		*chance_of(trouble, n) = 0;
	else
		return set_chance(chance_of(trouble, n), value);
	return true;
}
