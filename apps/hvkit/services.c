/* SPDX-License-Identifier: MIT */
/* The host's keyboard, mouse and integration components. */
#include <stdio.h>
#include <time.h>

#include "apps/hvkit/json.h"
#include "apps/hvkit/run.h"

/* This machine's clock, in 100 ns since 1601. */
static uint64_t wall_clock(void *context, uint64_t now)
{
	struct timespec time;

	(void)context;
	(void)now;
	(void)clock_gettime(CLOCK_REALTIME, &time);
	return (uint64_t)time.tv_sec * HVH_TIME_PER_SECOND + (uint64_t)time.tv_nsec / 100 +
	       IC_EPOCH_1601_TO_1970;
}

static bool create_input(struct run *run, char *error)
{
	const struct hvh_input_config config = {.refuses = false};
	struct hvh_partition *partition = machine_partition(&run->machine);

	if (run->options->keyboard)
		run->keyboard = hvh_keyboard_create(partition, &config);
	if (run->options->mouse)
		run->mouse = hvh_mouse_create(partition, &config);
	if ((run->options->keyboard && !run->keyboard) || (run->options->mouse && !run->mouse))
		return snprintf(error, CLI_ERROR_MAX, "out of memory") < 0;
	return true;
}

static bool create_utilities(struct run *run, char *error)
{
	const struct cli_options *options = run->options;
	const struct hvh_utilities_config config = {
		.which = options->utilities == HVH_UTILITIES_ALL ? 0
								 : options->utilities, /* 0: that it has */
		.wall_clock = options->seeded ? NULL : wall_clock, /* a seed has a time of its own */
		.kvp_file = options->kvp_file,
	};
	char why[CLI_ERROR_MAX - 32];

	if (!options->utilities)
		return true;
	run->utilities = hvh_utilities_create(machine_partition(&run->machine), &config, why, sizeof(why));
	return run->utilities || snprintf(error, CLI_ERROR_MAX, "--utilities: %s", why) < 0;
}

bool run_services_create(struct run *run, char *error)
{
	bool right;

	machine_lock(&run->machine);
	right = create_input(run, error) && create_utilities(run, error);
	machine_unlock(&run->machine);
	return right;
}

void run_services_summary(struct json *json, const struct run *run)
{
	const struct hvh_utilities_counters *counters = &run->utilities_counters;

	if (!run->utilities) {
		json_null(json, "utilities");
		return;
	}
	json_object(json, "utilities");
	json_number(json, "negotiations", counters->negotiations);
	json_number(json, "requests", counters->requests);
	json_number(json, "answers", counters->answers);
	json_number(json, "failures", counters->failures);
	json_number(json, "timeouts", counters->timeouts);
	json_number(json, "restarts", counters->restarts);
	json_number(json, "heartbeats", run->heartbeats);
	json_close(json);
}
