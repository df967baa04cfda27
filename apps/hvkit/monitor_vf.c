/* SPDX-License-Identifier: MIT */
/* The monitor's command about a card's virtual function: vf VERB [VALUE]. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/monitor_private.h"
#include "hvkit_host/vf.h"

#define CARD "net0"
#define LEAST_MS 20u /* for the guest to take what it is told */
#define AWAY_DEFAULT_MS 1000u
#define AWAY_MAX 86400u /* seconds */

static int attach(const struct monitor_call *call, struct hvh_vf *vf)
{
	if (!hvh_vf_attach(vf, call->now))
		return monitor_fail(call, "the VF is there already, or on its way: vf status");
	return SHELL_OK;
}

/* True and *surprise, or false: an argument that there is not. */
static bool takes_surprise(const struct monitor_call *call, uint32_t at, bool *surprise)
{
	*surprise = call->count > at && strcmp(call->arguments[at], "--surprise") == 0;
	return call->count == at + *surprise;
}

static int detach(const struct monitor_call *call, struct hvh_vf *vf)
{
	bool surprise;

	if (!takes_surprise(call, 1, &surprise))
		return monitor_usage(
			call, "detach takes --surprise (the guest is not asked) or nothing, not '%.40s'",
			call->arguments[call->count - 1]);
	if (!hvh_vf_detach(vf, call->now, !surprise))
		return monitor_fail(call, "the VF is not there: vf status");
	return SHELL_OK;
}

/* Seconds, with a fraction. */
static bool parse_away(const char *text, uint64_t *away)
{
	unsigned fraction = 0, digits = 0;
	uint64_t seconds;
	char whole[24];
	size_t length = strcspn(text, ".");

	if (length == 0 || length >= sizeof(whole))
		return false;
	memcpy(whole, text, length);
	whole[length] = '\0';
	if (!monitor_number(whole, AWAY_MAX, &seconds))
		return false;
	if (text[length] == '.') {
		for (text += length + 1; *text >= '0' && *text <= '9' && digits < 3; text++, digits++)
			fraction = fraction * 10 + (unsigned)(*text - '0');
		if (*text || digits == 0)
			return false;
	}
	for (; digits < 3; digits++)
		fraction *= 10;
	*away = seconds * HVH_TIME_PER_SECOND + fraction * HVH_TIME_PER_MS;
	return true;
}

static int migrate(const struct monitor_call *call, struct hvh_vf *vf)
{
	uint64_t away = AWAY_DEFAULT_MS * HVH_TIME_PER_MS;
	uint32_t at = 1;
	bool surprise;

	if (call->count > 1 && call->arguments[1][0] != '-') {
		if (!parse_away(call->arguments[1], &away))
			return monitor_usage(
				call,
				"migrate takes the seconds without a VF, such as 1 or 0.25, not '%.40s'",
				call->arguments[1]);
		at = 2;
	}
	if (!takes_surprise(call, at, &surprise))
		return monitor_usage(call, "migrate takes [SECONDS] [--surprise], not '%.40s'",
				     call->arguments[call->count - 1]);
	if (!hvh_vf_migrate(vf, call->now, !surprise, away))
		return monitor_fail(call, "the VF is not there: vf status");
	return SHELL_OK;
}

static int switch_path(const struct monitor_call *call, struct hvh_vf *vf)
{
	bool to_vf = call->count == 2 && strcmp(call->arguments[1], "vf") == 0;

	if (!to_vf && (call->count != 2 || strcmp(call->arguments[1], "card") != 0))
		return monitor_usage(call, "switch takes where the data path goes: vf or card");
	if (!hvh_vf_switch(vf, call->now, to_vf))
		return monitor_fail(call, "the VF is not there, or the card not up: vf status");
	return SHELL_OK;
}

static int status(const struct monitor_call *call, struct hvh_vf *vf)
{
	static const char *const states[] = {"away", "coming", "there", "leaving"};
	enum hvh_vf_state state = hvh_vf_get_state(vf);
	struct hvh_vf_counters counters;

	hvh_vf_get_counters(vf, &counters);
	monitor_print(call->monitor, "vf: %s, serial 0x%x, data path: %s\n",
		      (unsigned)state < 4 ? states[state] : "unknown", hvh_vpci_serial(hvh_vf_bus(vf)),
		      hvh_vf_has_data_path(vf) ? "the VF" : "the card");
	monitor_print(
		call->monitor,
		"  attached %llu, detached %llu, migrated %llu; switched to the VF %llu, to the card %llu\n",
		(unsigned long long)counters.attaches, (unsigned long long)counters.detaches,
		(unsigned long long)counters.migrations, (unsigned long long)counters.switches_to_vf,
		(unsigned long long)counters.switches_to_card);
	monitor_print(call->monitor,
		      "  frames by the VF: to the guest %llu, from it %llu; to the guest by the card "
		      "meanwhile %llu, "
		      "dropped %llu\n",
		      (unsigned long long)counters.to_guest_frames,
		      (unsigned long long)counters.from_guest_frames,
		      (unsigned long long)counters.steered_to_card, (unsigned long long)counters.dropped);
	return SHELL_OK;
}

static const struct verb {
	const char *name;
	uint32_t most; /* arguments, itself included */
	bool settles;
	int (*run)(const struct monitor_call *call, struct hvh_vf *vf);
} verbs[] = {
	{"attach", 1, true, attach},  {"detach", 2, true, detach},      {"migrate", 3, true, migrate},
	{"status", 1, false, status}, {"switch", 2, true, switch_path},
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

static int run(const struct monitor_call *call, const struct verb *verb)
{
	struct hvh_nic *nic = hvh_nic_find(call->partition, CARD);
	struct hvh_vf *vf = nic ? hvh_vf_of(nic) : NULL;
	int result;

	if (!vf)
		return monitor_fail(call, "%s has no VF: start with --nic ...,vf", CARD);
	result = verb->run(call, vf);
	if (result == SHELL_OK && verb->settles)
		monitor_settle(call, MONITOR_WAIT_TIME, CARD, LEAST_MS);
	return result;
}

int monitor_vf(const struct monitor_call *call)
{
	const struct verb *verb = find_verb(call->arguments[0]);
	const char *names[VERBS];

	for (size_t n = 0; n < VERBS; n++)
		names[n] = verbs[n].name;
	if (!verb)
		return monitor_unknown(call, "what to do with a VF:", call->arguments[0], names, VERBS);
	if (call->count > verb->most)
		return monitor_usage(call, "'%.40s' is one argument too many", call->arguments[verb->most]);
	return run(call, verb);
}

int monitor_migrate(const struct monitor_call *call)
{
	char name[] = "migrate";
	char *arguments[3] = {name, NULL, NULL};
	struct monitor_call inner = *call;

	for (uint32_t n = 0; n < call->count && n < 2; n++)
		arguments[n + 1] = call->arguments[n];
	inner.arguments = arguments;
	inner.count = call->count + 1;
	return run(&inner, find_verb(name));
}

void monitor_complete_vf(const struct monitor_completion *completion)
{
	const struct verb *verb = completion->argument ? find_verb(completion->words[0]) : NULL;

	for (size_t n = 0; completion->argument == 0 && n < VERBS; n++)
		completion->offer(completion->context, verbs[n].name);
	if (verb && (verb->run == detach || verb->run == migrate))
		completion->offer(completion->context, "--surprise");
}
