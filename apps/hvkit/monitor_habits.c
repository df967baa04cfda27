/* SPDX-License-Identifier: MIT */
/* The monitor's commands about how the host behaves. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/monitor_private.h"

#define QUIRKS_MAX 128u
#define ERROR_MAX 400u
#define CHANCE_ONE 65536u /* certain */

/* --- Quirks ---------------------------------------------------------------------------------- */

/* What a quirk can be set to, for people. */
static void values_text(const struct hvh_quirk *quirk, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	switch (quirk->kind) {
	case HVH_QUIRK_SWITCH:
		snprintf(text, size, "on, off");
		break;
	case HVH_QUIRK_NUMBER:
		snprintf(text, size, "%u to %u", quirk->minimum, quirk->maximum);
		break;
	case HVH_QUIRK_CHOICE:
		for (uint32_t n = 0; quirk->choices[n] && used < size; n++)
			used += (size_t)snprintf(text + used, size - used, "%s%s", n ? ", " : "",
						 quirk->choices[n]);
		break;
	}
}

static void print_value(const struct monitor_call *call, const struct hvh_quirk *quirk)
{
	char value[HVH_QUIRK_VALUE_MAX];

	hvh_quirk_value(hvh_partition_get_profile(call->partition), quirk, value, sizeof(value));
	monitor_print(call->monitor, "%-26s %-10s %s\n", quirk->name, value, quirk->description);
}

static int print_quirk(const struct monitor_call *call, const struct hvh_quirk *quirk)
{
	char value[HVH_QUIRK_VALUE_MAX], values[200];

	hvh_quirk_value(hvh_partition_get_profile(call->partition), quirk, value, sizeof(value));
	values_text(quirk, values, sizeof(values));
	monitor_print(call->monitor, "%s: %s\n", quirk->name, quirk->description);
	monitor_print(call->monitor, "  is      %s\n  can be  %s\n  changes %s\n", value, values,
		      quirk->live ? "at any time" : "before a guest makes contact (hvkit run --quirk)");
	return SHELL_OK;
}

static int unknown_quirk(const struct monitor_call *call, const char *name)
{
	const char *names[QUIRKS_MAX];
	const struct hvh_quirk *quirk;
	uint32_t count = 0;

	while (count < QUIRKS_MAX && (quirk = hvh_quirk_get(count)) != NULL)
		names[count++] = quirk->name;
	return monitor_unknown(call, "quirk", name, names, count);
}

int monitor_quirk(const struct monitor_call *call)
{
	const struct hvh_quirk *quirk;
	char error[ERROR_MAX];

	if (call->count == 0) {
		for (uint32_t n = 0; (quirk = hvh_quirk_get(n)) != NULL; n++)
			print_value(call, quirk);
		return SHELL_OK;
	}
	quirk = hvh_quirk_find(call->arguments[0]);
	if (!quirk)
		return unknown_quirk(call, call->arguments[0]);
	if (call->count == 1)
		return print_quirk(call, quirk);
	if (!hvh_partition_set_quirk(call->partition, quirk->name, call->arguments[1], error, sizeof(error)))
		return monitor_usage(call, "%s", error);
	return SHELL_OK;
}

void monitor_complete_quirk(const struct monitor_completion *completion)
{
	const struct hvh_quirk *quirk;

	if (completion->argument == 0) {
		for (uint32_t n = 0; (quirk = hvh_quirk_get(n)) != NULL; n++)
			completion->offer(completion->context, quirk->name);
		return;
	}
	quirk = hvh_quirk_find(completion->words[0]);
	if (completion->argument > 1 || !quirk)
		return;
	if (quirk->kind == HVH_QUIRK_SWITCH) {
		completion->offer(completion->context, "on");
		completion->offer(completion->context, "off");
	}
	for (uint32_t n = 0; quirk->kind == HVH_QUIRK_CHOICE && quirk->choices[n]; n++)
		completion->offer(completion->context, quirk->choices[n]);
}

/* --- Faults ------------------------------------------------------------------------------------ */

/* "off", "5%", "1/20" */
static bool parse_chance(const char *text, uint32_t *chance)
{
	char number[16];
	size_t length = strcspn(text, "/%");
	uint64_t above, below;

	if (strcmp(text, "off") == 0) {
		*chance = 0;
		return true;
	}
	if (length >= sizeof(number))
		return false;
	memcpy(number, text, length);
	number[length] = '\0';
	if (strcmp(text + length, "%") == 0) {
		if (!monitor_number(number, 100, &above))
			return false;
		*chance = (uint32_t)(above * CHANCE_ONE / 100);
		return true;
	}
	if (text[length] != '/' || !monitor_number(number, 1, &above) ||
	    !monitor_number(text + length + 1, CHANCE_ONE, &below) || below == 0)
		return false;
	*chance = (uint32_t)(above * CHANCE_ONE / below);
	return true;
}

static void chance_text(uint32_t chance, char *text, size_t size)
{
	if (chance == 0)
		snprintf(text, size, "off");
	else if (chance >= CHANCE_ONE)
		snprintf(text, size, "100%%");
	else
		snprintf(text, size, "%.2f%%", (double)chance * 100 / CHANCE_ONE);
}

static void print_faults(const struct monitor_call *call)
{
	for (int fault = 0; fault < HVH_FAULT_COUNT; fault++) {
		char chance[16];

		chance_text(call->monitor->chances[fault], chance, sizeof(chance));
		monitor_print(call->monitor, "%-22s %-8s struck %llu times\n",
			      hvh_fault_name((enum hvh_fault)fault), chance,
			      (unsigned long long)hvh_fault_count(call->partition, (enum hvh_fault)fault));
	}
}

int monitor_fault(const struct monitor_call *call)
{
	const char *names[HVH_FAULT_COUNT];
	int fault = 0;
	uint32_t chance;

	if (call->count == 0) {
		print_faults(call);
		return SHELL_OK;
	}
	for (uint32_t n = 0; n < HVH_FAULT_COUNT; n++)
		names[n] = hvh_fault_name((enum hvh_fault)n);
	while (fault < HVH_FAULT_COUNT && strcmp(names[fault], call->arguments[0]) != 0)
		fault++;
	if (fault == HVH_FAULT_COUNT)
		return monitor_unknown(call, "fault", call->arguments[0], names, HVH_FAULT_COUNT);
	if (call->count == 1)
		return monitor_usage(call, "a chance is missing, such as 5%%, 1/20 or off: fault %s CHANCE",
				     names[fault]);
	if (!parse_chance(call->arguments[1], &chance))
		return monitor_usage(call,
				     "the chance must be like 5%%, 1/20 (1/1 to 1/65536) or off, not '%.40s'",
				     call->arguments[1]);
	call->monitor->chances[fault] = chance;
	hvh_fault_set(call->partition, (enum hvh_fault)fault, chance);
	return SHELL_OK;
}

void monitor_complete_fault(const struct monitor_completion *completion)
{
	for (int fault = 0; completion->argument == 0 && fault < HVH_FAULT_COUNT; fault++)
		completion->offer(completion->context, hvh_fault_name((enum hvh_fault)fault));
	if (completion->argument == 1)
		completion->offer(completion->context, "off");
}

/* --- Silence ------------------------------------------------------------------------------------ */

int monitor_silence(const struct monitor_call *call)
{
	const char *names[HVH_SILENCE_COUNT];
	enum hvh_silence step = HVH_SILENCE_NONE;

	names[0] = "none";
	for (uint32_t n = 1; n < HVH_SILENCE_COUNT; n++)
		names[n] = hvh_silence_name((enum hvh_silence)n);
	if (call->count == 0) {
		monitor_print(call->monitor, "%s\n", names[call->monitor->silence]);
		return SHELL_OK;
	}
	if (strcmp(call->arguments[0], "none") != 0 && !hvh_silence_find(call->arguments[0], &step))
		return monitor_unknown(call, "step", call->arguments[0], names, HVH_SILENCE_COUNT);
	call->monitor->silence = step;
	hvh_silence_set(call->partition, step);
	return SHELL_OK;
}

void monitor_complete_silence(const struct monitor_completion *completion)
{
	if (completion->argument)
		return;
	completion->offer(completion->context, "none");
	for (int step = HVH_SILENCE_NONE + 1; step < HVH_SILENCE_COUNT; step++)
		completion->offer(completion->context, hvh_silence_name((enum hvh_silence)step));
}
