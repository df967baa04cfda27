/* SPDX-License-Identifier: MIT */
/*
 * The wall clock: none until the host tells the time, then by hvk_time. A step sets it; what is drawn near is
 * added little by little, a hundredth of the time that passes, so that the clock never goes back by it.
 */
#include <stdio.h>
#include <string.h>

#include "apps/shell/service_files.h"

#define SLEW_PART 100u
#define SHIFT_MAX (100ull * 365 * 86400) /* seconds */
#define DAYS_1601_TO_SHIFTED 584694u     /* from 1 March 0000 */
#define SECONDS_A_DAY 86400u
#define TELL_FROM (HVK_TIME_PER_SECOND / 10) /* less is no news */

/* --- Reading and setting ------------------------------------------------------------------ */

static uint64_t magnitude(int64_t difference)
{
	return difference < 0 ? 0 - (uint64_t)difference : (uint64_t)difference;
}

/* As much of the slew as is due at that time. */
static int64_t slewed(const struct shell_clock *clock, uint64_t now)
{
	uint64_t due = (now - clock->since) / SLEW_PART, all = magnitude(clock->slew);

	if (due > all)
		due = all;
	return clock->slew < 0 ? -(int64_t)due : (int64_t)due;
}

static uint64_t wall_at(const struct shell_clock *clock, uint64_t now)
{
	return clock->wall + (now - clock->since) + (uint64_t)slewed(clock, now);
}

static int64_t slew_left(const struct shell_clock *clock, uint64_t now)
{
	return clock->slew - slewed(clock, now);
}

static void set(struct shell_clock *clock, uint64_t now, uint64_t wall, int64_t slew)
{
	clock->set = true;
	clock->wall = wall;
	clock->since = now;
	clock->slew = slew;
}

/* --- Text --------------------------------------------------------------------------------- */

#define DIFFERENCE_TEXT 32u
/* "+90.000 s" */
static void difference_text(int64_t difference, char text[DIFFERENCE_TEXT])
{
	uint64_t size = magnitude(difference);

	snprintf(text, DIFFERENCE_TEXT, "%s%llu.%03llu s", difference < 0 ? "-" : "+",
		 (unsigned long long)(size / HVK_TIME_PER_SECOND),
		 (unsigned long long)(size % HVK_TIME_PER_SECOND / HVK_TIME_PER_MS));
}

#define DATE_TEXT 80u
/* Days are counted from 1 March of a year that 400 divides: leap days are the last of a year then. */
static void date_text(uint64_t wall, char text[DATE_TEXT])
{
	uint64_t seconds = wall / HVK_TIME_PER_SECOND, days = seconds / SECONDS_A_DAY + DAYS_1601_TO_SHIFTED;
	uint64_t era = days / 146097, day_of_era = days % 146097;
	uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) /
			       365;
	uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	uint64_t shifted_month = (5 * day_of_year + 2) / 153;
	uint64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
	uint64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
	uint64_t year = era * 400 + year_of_era + (month <= 2);

	seconds %= SECONDS_A_DAY;
	snprintf(text, DATE_TEXT, "%04llu-%02u-%02u %02u:%02u:%02u.%03u UTC", (unsigned long long)year,
		 (unsigned)month, (unsigned)day, (unsigned)(seconds / 3600), (unsigned)(seconds / 60 % 60),
		 (unsigned)(seconds % 60), (unsigned)(wall % HVK_TIME_PER_SECOND / HVK_TIME_PER_MS));
}

/* --- Callbacks, in hvk_poll --------------------------------------------------------------- */

static uint64_t now(void *context)
{
	struct shell *shell = context;
	const struct shell_clock *clock = &shell->services.clock;

	return clock->set ? wall_at(clock, hvk_time(atomic_load(&shell->hvk))) : 0;
}

static void tell(struct shell *shell, const char *what, bool was_set, int64_t difference)
{
	char by[DIFFERENCE_TEXT], date[DATE_TEXT];

	difference_text(difference, by);
	date_text(now(shell), date);
	shell_print(shell, SHELL_STORY, "time: %s%s%s: %s\n", what, was_set ? " by " : "", was_set ? by : "",
		    date);
}

static void adjust(void *context, const struct hvk_time_offer *offer, int64_t difference)
{
	struct shell *shell = context;
	struct shell_clock *clock = &shell->services.clock;
	uint64_t time = hvk_time(atomic_load(&shell->hvk));
	bool was_set = clock->set;

	if (shell->services.refuses & SHELL_REFUSES_TIME) {
		clock->ignored++;
		return;
	}
	clock->last_difference = was_set ? difference : 0;
	if (offer->step || !was_set) {
		set(clock, time, offer->host_time, 0);
		clock->steps++;
		if (!was_set || magnitude(difference) >= TELL_FROM)
			tell(shell, was_set ? "stepped" : "set", was_set, difference);
		return;
	}
	if (slew_left(clock, time) == 0 && magnitude(difference) >= TELL_FROM)
		tell(shell, "drawing near", was_set, difference);
	set(clock, time, wall_at(clock, time), difference);
	clock->slews++;
}

void shell_clock_callbacks(struct hvk_time_callbacks *callbacks)
{
	*callbacks = (struct hvk_time_callbacks){.now = now, .adjust = adjust};
}

/* --- The command -------------------------------------------------------------------------- */

static void show_counter(struct shell *shell)
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	const struct hvk_hypervisor_info *info = hvk_hypervisor_info(hvk);
	uint64_t time = hvk_time(hvk);

	shell_print(shell, SHELL_OUTPUT,
		    "%llu x 100 ns since the partition was created (%llu.%07llu s), by the %s\n",
		    (unsigned long long)time, (unsigned long long)(time / HVK_TIME_PER_SECOND),
		    (unsigned long long)(time % HVK_TIME_PER_SECOND),
		    info->reference_tsc       ? "reference TSC page"
		    : info->reference_counter ? "reference counter register"
					      : "port's own clock");
}

static void show_clock(struct shell *shell)
{
	const struct shell_clock *clock = &shell->services.clock;
	uint64_t time = hvk_time(atomic_load(&shell->hvk));
	char date[DATE_TEXT], last[DIFFERENCE_TEXT], left[DIFFERENCE_TEXT];

	if (!clock->set)
		return;
	date_text(wall_at(clock, time), date);
	difference_text(clock->last_difference, last);
	difference_text(slew_left(clock, time), left);
	shell_print(shell, SHELL_OUTPUT, "%s; stepped %llu times, drawn near %llu times, last by %s", date,
		    (unsigned long long)clock->steps, (unsigned long long)clock->slews, last);
	if (slew_left(clock, time))
		shell_print(shell, SHELL_OUTPUT, ", %s left", left);
	shell_print(shell, SHELL_OUTPUT, "\n");
}

/* Seconds with a sign and a fraction, to 100 ns. */
static bool parse_shift(const char *text, int64_t *shift)
{
	bool negative = *text == '-';
	uint64_t whole = 0, fraction = 0;
	uint32_t digits = 0;

	if (*text == '-' || *text == '+')
		text++;
	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9' && whole <= SHIFT_MAX; text++)
		whole = whole * 10 + (uint64_t)(*text - '0');
	if (*text == '.')
		text++;
	for (; *text >= '0' && *text <= '9' && digits < 7; text++, digits++)
		fraction = fraction * 10 + (uint64_t)(*text - '0');
	if (*text || whole > SHIFT_MAX)
		return false;
	for (; digits < 7; digits++)
		fraction *= 10;
	*shift = (int64_t)(whole * HVK_TIME_PER_SECOND + fraction);
	if (negative)
		*shift = -*shift;
	return true;
}

/* Puts it off, to see it put right. */
static int shift(struct shell *shell, const char *text)
{
	struct shell_clock *clock = &shell->services.clock;
	uint64_t time = hvk_time(atomic_load(&shell->hvk));
	int64_t by;

	if (!parse_shift(text, &by))
		return shell_usage(shell, "time: shift takes seconds, such as -90 or 0.2, not '%.40s'\n",
				   text);
	if (!clock->set)
		return shell_error(shell, "time: the clock is not set: no host has told the time\n");
	set(clock, time, wall_at(clock, time) + (uint64_t)by, 0);
	return SHELL_OK;
}

int shell_command_time(struct shell *shell, uint32_t count, char *const words[])
{
	if (count > 1 && strcmp(words[1], "shift") != 0)
		return shell_usage(shell, "time: '%.40s' is not known; there is: shift SECONDS\n", words[1]);
	if (count == 2)
		return shell_usage(shell, "time: shift needs the seconds, such as -90 or 0.2\n");
	if (count > 1)
		return shift(shell, words[2]);
	show_counter(shell);
	show_clock(shell);
	return SHELL_OK;
}

void shell_clock_dump(struct shell *shell, const struct shell_dump_to *to)
{
	const struct shell_clock *clock = &shell->services.clock;
	uint64_t time = hvk_time(atomic_load(&shell->hvk));
	char text[DATE_TEXT];

	to->line(to->context, "clock:");
	if (!clock->set) {
		shell_dump_value(to, "time", "not set");
		return;
	}
	date_text(wall_at(clock, time), text);
	shell_dump_value(to, "time", "%s", text);
	shell_dump_value(to, "steps", "%llu", (unsigned long long)clock->steps);
	shell_dump_value(to, "slews", "%llu", (unsigned long long)clock->slews);
	shell_dump_value(to, "ignored", "%llu", (unsigned long long)clock->ignored);
	difference_text(clock->last_difference, text);
	shell_dump_value(to, "last-difference", "%s", text);
	difference_text(slew_left(clock, time), text);
	shell_dump_value(to, "slew-left", "%s", text);
}
