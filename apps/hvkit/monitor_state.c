/* SPDX-License-Identifier: MIT */
/* The monitor's commands that look. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/card_counters.h"
#include "apps/hvkit/monitor_private.h"
#include "apps/shell/tree.h"
#include "hvkit_host/network.h"

#define EXPECT_MS 2000u

/* --- Violations and counters ------------------------------------------------------------------ */

int monitor_violations(const struct monitor_call *call)
{
	const struct hvh_violation *violation;
	struct hvh_counters counters;
	uint32_t n = 0;

	for (; (violation = hvh_violation_get(call->partition, n)) != NULL; n++) {
		char where[24] = "";

		if (violation->channel_id)
			snprintf(where, sizeof(where), ", channel %u", violation->channel_id);
		monitor_print(call->monitor, "%s at %.6f s%s: %s\n", hvh_violation_name(violation->kind),
			      (double)violation->time / (double)HVH_TIME_PER_SECOND, where, violation->text);
	}
	hvh_get_counters(call->partition, &counters);
	if (counters.violations == 0)
		monitor_print(call->monitor, "none\n");
	else if (counters.violations > n)
		monitor_print(call->monitor, "and %llu more\n",
			      (unsigned long long)(counters.violations - n));
	return SHELL_OK;
}

struct figure {
	const char *name;
	uint64_t value;
};

static void print_figure(struct monitor *monitor, const char *name, uint64_t value)
{
	monitor_print(monitor, "    %-20s %llu\n", name, (unsigned long long)value);
}

static void print_figures(struct monitor *monitor, const char *title, const struct figure *figures,
			  size_t count)
{
	monitor_print(monitor, "%s\n", title);
	for (size_t n = 0; n < count; n++)
		print_figure(monitor, figures[n].name, figures[n].value);
}

static void print_nic(const struct monitor_call *call, const char *device, const struct hvh_nic *nic)
{
	struct monitor *monitor = call->monitor;
	struct hvh_nic_queue_counters queue;
	struct hvh_nic_counters counters;
	const char *key, *name;
	uint64_t value;

	hvh_nic_get_counters(nic, &counters);
	monitor_print(monitor, "%s\n", device);
	for (uint32_t n = 0; card_counter(&counters, n, &key, &name, &value); n++)
		print_figure(monitor, name, value);
	for (uint32_t n = 0; hvh_nic_get_queue_counters(nic, n, &queue); n++) {
		monitor_print(monitor, "%s, queue %u\n", device, n);
		for (uint32_t i = 0; card_queue_counter(&queue, i, &key, &name, &value); i++)
			print_figure(monitor, name, value);
	}
}

int monitor_counters(const struct monitor_call *call)
{
	struct hvh_counters counters;
	struct hvh_device_info device;

	hvh_get_counters(call->partition, &counters);
	{
		const struct figure figures[] = {
			{"hypercalls", counters.hypercalls},
			{"posts", counters.posts},
			{"signals", counters.signals},
			{"unneeded signals", counters.unneeded_signals},
			{"register reads", counters.msr_reads},
			{"register writes", counters.msr_writes},
			{"EOMs", counters.eoms},
			{"interrupts", counters.interrupts},
			{"messages delivered", counters.messages_delivered},
			{"events set", counters.events_set},
			{"violations", counters.violations},
			{"contacts", counters.contacts},
			{"unloads", counters.unloads},
		};

		print_figures(call->monitor, "host", figures, sizeof(figures) / sizeof(figures[0]));
	}
	for (uint32_t n = 0; hvh_device_get(call->partition, n, &device); n++) {
		const struct hvh_nic *nic = hvh_nic_find(call->partition, device.name);

		if (nic)
			print_nic(call, device.name, nic);
	}
	return SHELL_OK;
}

/* --- The tree ----------------------------------------------------------------------------------- */

struct view {
	struct monitor *monitor;
	struct tree_search search;
};

static void show_line(void *context, const char *text)
{
	struct view *view = context;
	struct tree_line line;

	if (!tree_parse(text, &line))
		return;
	switch (tree_search_line(&view->search, &line)) {
	case TREE_AT:
	case TREE_INSIDE:
		monitor_print(view->monitor, "%s\n", text);
		break;
	default:
		break;
	}
}

int monitor_inspect(const struct monitor_call *call)
{
	struct view view = {.monitor = call->monitor};

	tree_search_begin(&view.search, call->count ? call->arguments[0] : "");
	hvh_dump(call->partition, show_line, &view);
	if (tree_path_depth(view.search.path) && !view.search.found)
		return monitor_usage(call, "there is no '%.200s' in the host's state; see !inspect",
				     call->arguments[0]);
	return SHELL_OK;
}

struct look {
	struct tree_search search;
	char *value;
	size_t size;
};

static void take_value(void *context, const char *text)
{
	struct look *look = context;
	struct tree_line line;

	if (!look->search.found && tree_parse(text, &line) &&
	    tree_search_line(&look->search, &line) == TREE_AT)
		snprintf(look->value, look->size, "%s", line.value);
}

bool monitor_holds(struct monitor *monitor, const struct monitor_wait *wait, bool *known, char *value,
		   size_t size)
{
	struct look look = {.value = value, .size = size};

	tree_search_begin(&look.search, wait->path);
	hvh_dump(machine_partition(&monitor->machine), take_value, &look);
	*known = look.search.found;
	return *known && tree_holds(value, wait->operator, wait->wanted);
}

int monitor_expect(const struct monitor_call *call)
{
	struct monitor_wait *wait = &call->monitor->wait;
	bool operator= call->count> 2 && tree_is_operator(call->arguments[1]);
	size_t used = 0;

	*wait = (struct monitor_wait){.kind = MONITOR_WAIT_EXPECT,
				      .until = call->now + EXPECT_MS * HVH_TIME_PER_MS};
	snprintf(wait->path, sizeof(wait->path), "%s", call->arguments[0]);
	snprintf(wait->operator, sizeof(wait->operator), "%s", operator? call->arguments[1] : "=");
	for (uint32_t n = operator? 2 : 1; n < call->count && used < sizeof(wait->wanted); n++)
		used += (size_t)snprintf(wait->wanted + used, sizeof(wait->wanted) - used, "%s%s",
					 used ? " " : "", call->arguments[n]);
	return SHELL_OK;
}

/* --- Trace -------------------------------------------------------------------------------------- */

int monitor_trace(const struct monitor_call *call)
{
	static const char *const states[] = {"on", "off"};
	bool on = strcmp(call->arguments[0], "on") == 0;

	if (!on && strcmp(call->arguments[0], "off") != 0)
		return monitor_unknown(call, "a trace's state", call->arguments[0], states, 2);
	if (!call->monitor->traced)
		return monitor_fail(call, "there is no trace; begin one with hvkit run --trace FILE");
	machine_trace(&call->monitor->machine, on);
	return SHELL_OK;
}

/* --- Completion --------------------------------------------------------------------------------- */

void tree_completion_begin(struct tree_completion *completion, const char *typed, monitor_offer offer,
			   void *context)
{
	const char *end = strrchr(typed, '/');

	*completion = (struct tree_completion){.offer = offer, .context = context};
	snprintf(completion->parent, sizeof(completion->parent), "%.*s", end ? (int)(end - typed + 1) : 0,
		 typed);
}

void tree_completion_line(void *context, const char *text)
{
	struct tree_completion *completion = context;
	struct tree_search *search = &completion->search;
	char candidate[2 * SHELL_LINE_MAX];
	struct tree_line line;

	if (!search->path)
		tree_search_begin(search, completion->parent);
	if (!tree_parse(text, &line) || tree_search_line(search, &line) != TREE_INSIDE ||
	    line.depth != tree_path_depth(completion->parent))
		return;
	/* "name:" leads on to its members. */
	snprintf(candidate, sizeof(candidate), "%s%.*s%s", completion->parent,
		 (int)(line.name_length < 200 ? line.name_length : 200), line.name, *line.value ? "" : "/");
	completion->offer(completion->context, candidate);
}

void monitor_complete_path(const struct monitor_completion *completion)
{
	struct tree_completion tree;

	if (completion->argument)
		return;
	tree_completion_begin(&tree, completion->words[0], completion->offer, completion->context);
	hvh_dump(completion->partition, tree_completion_line, &tree);
}

void monitor_complete_trace(const struct monitor_completion *completion)
{
	if (completion->argument)
		return;
	completion->offer(completion->context, "on");
	completion->offer(completion->context, "off");
}
