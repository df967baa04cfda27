/* SPDX-License-Identifier: MIT */
/* The monitor's command about network cards: nic VERB [VALUE] [DEV]. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/monitor_private.h"
#include "hvkit_host/network.h"

#define LEAST_MS 20u /* for the guest to take what it is told */
#define QUEUES_MAX 64u
#define SPEED_MAX 1000000000000000ull

static int set_link(const struct monitor_call *call, struct hvh_nic *nic, const char *value)
{
	static const char *const states[] = {"up", "down"};
	bool up = strcmp(value, "up") == 0;

	if (!up && strcmp(value, "down") != 0)
		return monitor_unknown(call, "a link's state", value, states, 2);
	hvh_nic_set_link(nic, call->now, up);
	return SHELL_OK;
}

static int change(const struct monitor_call *call, struct hvh_nic *nic, const char *value)
{
	(void)value;
	hvh_nic_network_change(nic, call->now);
	return SHELL_OK;
}

/* "10G", "100M", or bit/s. */
static bool parse_speed(const char *text, uint64_t *speed)
{
	static const char units[] = "kMGT";
	char number[24];
	size_t length = strlen(text);
	const char *unit = length ? strchr(units, text[length - 1]) : NULL;

	if (length == 0 || length >= sizeof(number))
		return false;
	strcpy(number, text);
	if (unit && *unit)
		number[length - 1] = '\0';
	if (!monitor_number(number, SPEED_MAX, speed))
		return false;
	for (const char *at = units; unit && *unit && at <= unit; at++) {
		if (*speed > SPEED_MAX / 1000)
			return false;
		*speed *= 1000;
	}
	return *speed > 0;
}

static int set_speed(const struct monitor_call *call, struct hvh_nic *nic, const char *value)
{
	uint64_t speed;

	if (!parse_speed(value, &speed))
		return monitor_usage(call, "a speed is bits a second, such as 10G, 100M or 9600, not '%.40s'",
				     value);
	hvh_nic_set_speed(nic, call->now, speed);
	return SHELL_OK;
}

static int rescind_queue(const struct monitor_call *call, struct hvh_nic *nic, const char *value)
{
	uint64_t queue;

	if (!monitor_number(value, QUEUES_MAX - 1, &queue) || queue == 0)
		return monitor_usage(call, "a queue is 1 to %u (all of the card: !rescind), not '%.40s'",
				     QUEUES_MAX - 1, value);
	if (!hvh_nic_rescind_queue(nic, call->now, (uint32_t)queue))
		return monitor_fail(call, "the guest has no queue %u open; it has %u", (unsigned)queue,
				    hvh_nic_queues(nic));
	return SHELL_OK;
}

static const struct verb {
	const char *name;
	const char *value; /* what is missing; NULL: it takes none */
	int (*run)(const struct monitor_call *call, struct hvh_nic *nic, const char *value);
} verbs[] = {
	{"link", "up or down", set_link},
	{"change", NULL, change},
	{"speed", "bits a second, such as 10G", set_speed},
	{"rescind", "the number of a queue", rescind_queue},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *find_verb(const char *name)
{
	for (size_t n = 0; n < VERBS; n++) {
		if (strcmp(verbs[n].name, name) == 0)
			return &verbs[n];
	}
	return NULL;
}

static int unknown_verb(const struct monitor_call *call)
{
	const char *names[VERBS];

	for (size_t n = 0; n < VERBS; n++)
		names[n] = verbs[n].name;
	return monitor_unknown(call, "what to do with a card:", call->arguments[0], names, VERBS);
}

int monitor_nic(const struct monitor_call *call)
{
	const struct verb *verb = find_verb(call->arguments[0]);
	uint32_t device = verb && verb->value ? 2 : 1; /* the argument that may name it */
	const char *name;
	struct hvh_nic *nic;
	int status;

	if (!verb)
		return unknown_verb(call);
	if (call->count < device)
		return monitor_usage(call, "%s: %s is missing", verb->name, verb->value);
	if (call->count > device + 1)
		return monitor_usage(call, "'%.40s' is one argument too many", call->arguments[device + 1]);
	name = call->count > device ? call->arguments[device] : "net0";
	nic = hvh_nic_find(call->partition, name);
	if (!nic)
		return monitor_unknown_card(call, name);
	status = verb->run(call, nic, verb->value ? call->arguments[1] : NULL);
	if (status == SHELL_OK)
		monitor_settle(call, MONITOR_WAIT_TIME, name, LEAST_MS);
	return status;
}

void monitor_complete_nic(const struct monitor_completion *completion)
{
	const struct verb *verb = completion->argument ? find_verb(completion->words[0]) : NULL;
	bool link = verb && verb->run == set_link;

	for (size_t n = 0; completion->argument == 0 && n < VERBS; n++)
		completion->offer(completion->context, verbs[n].name);
	if (completion->argument == 1 && link) {
		completion->offer(completion->context, "up");
		completion->offer(completion->context, "down");
	}
	if (verb && completion->argument == (verb->value ? 2 : 1))
		monitor_complete_card(completion);
}
