/* SPDX-License-Identifier: MIT */
/* Looking inside an instance. */
#include "guest/core/dump.h"
#include "guest/vmbus/bus.h"

static void dump_hypervisor(const struct hvk *hvk, struct hvk_dump *dump)
{
	const struct hvk_hypervisor_info *info = &hvk->hypervisor.info;

	hvk_dump_begin(dump, "hypervisor");
	hvk_dump_value(dump, "state", "%s", hvk->hypervisor.started ? "started" : "not-started");
	hvk_dump_value(dump, "version", "%u.%u.%u", (unsigned)info->major, (unsigned)info->minor,
		       info->build);
	hvk_dump_value(dump, "access", "0x%x", info->access);
	hvk_dump_value(dump, "privileges", "0x%x", info->privileges);
	hvk_dump_value(dump, "features", "0x%x", info->features);
	hvk_dump_value(dump, "hints", "0x%x", info->hints);
	hvk_dump_value(dump, "guest-os-id", "0x%llx", (unsigned long long)hvk->config.guest_os_id);
	hvk_dump_value(dump, "previous-os-id", "0x%llx", (unsigned long long)info->previous_os_id);
	hvk_dump_flag(dump, "reference-counter", info->reference_counter);
	hvk_dump_flag(dump, "reference-tsc", info->reference_tsc);
	hvk_dump_end(dump);
}

static void dump_clock(struct hvk *hvk, struct hvk_dump *dump)
{
	hvk_dump_begin(dump, "clock");
	hvk_dump_number(dump, "time", hvk_time(hvk));
	hvk_dump_flag(dump, "host-clock-stood-still", hvk->clock_broken);
	hvk_dump_end(dump);
}

/* What waits on a CPU, counted under its lock. */
struct load {
	uint32_t messages, ready, finished, timers;
	bool events;
};

static struct load count_load(struct hvk *hvk, struct hvk_cpu *cpu)
{
	struct load load = {0};

	hvk_lock(hvk, &cpu->lock);
	load.messages = cpu->queue_count;
	load.events = cpu->any_event;
	for (const struct hvk_channel *channel = cpu->ready_first; channel; channel = channel->ready_next)
		load.ready++;
	for (const struct hvk_request *request = cpu->finished_first; request; request = request->next)
		load.finished++;
	for (const struct hvk_timer *timer = cpu->timers; timer; timer = timer->next)
		load.timers++;
	hvk_unlock(hvk, &cpu->lock);
	return load;
}

static const char *const timer_modes[] = {"off", "message", "direct"};

static void dump_cpu(struct hvk *hvk, uint32_t index, struct hvk_dump *dump)
{
	struct hvk_cpu *cpu = &hvk->cpus[index];
	struct load load = count_load(hvk, cpu);

	hvk_dump_begin(dump, "cpu-%u", index);
	hvk_dump_value(dump, "state", "%s", cpu->started ? "started" : "not-started");
	hvk_dump_number(dump, "vp-index", cpu->vp_index);
	hvk_dump_flag(dump, "contact", cpu->in_use);
	hvk_dump_flag(dump, "waiting", (__atomic_load_n(&hvk->waiting, __ATOMIC_RELAXED) >> index & 1u) != 0);
	hvk_dump_number(dump, "messages", load.messages);
	hvk_dump_flag(dump, "events", load.events);
	hvk_dump_number(dump, "ready-channels", load.ready);
	hvk_dump_number(dump, "finished-requests", load.finished);
	hvk_dump_number(dump, "timers", load.timers);
	hvk_dump_value(dump, "event-timer", "%s",
		       hvk_dump_name(timer_modes, 3, (uint32_t)cpu->event_timer.mode));
	hvk_dump_end(dump);
}

static void dump_counters(const struct hvk *hvk, struct hvk_dump *dump)
{
	struct hvk_counters c;

	hvk_get_counters(hvk, &c);
	hvk_dump_begin(dump, "counters");
	hvk_dump_number(dump, "interrupts", c.interrupts);
	hvk_dump_number(dump, "polls", c.polls);
	hvk_dump_number(dump, "messages", c.messages);
	hvk_dump_number(dump, "events", c.events);
	hvk_dump_number(dump, "eoms", c.eoms);
	hvk_dump_number(dump, "posts", c.posts);
	hvk_dump_number(dump, "post-retries", c.post_retries);
	hvk_dump_number(dump, "signals", c.signals);
	hvk_dump_number(dump, "host-faults", c.host_faults);
	hvk_dump_number(dump, "late-messages", c.late_messages);
	hvk_dump_number(dump, "timers", c.timers);
	hvk_dump_number(dump, "stray-timers", c.stray_timers);
	hvk_dump_end(dump);
}

static void dump_quarantine(const struct hvk *hvk, struct hvk_dump *dump)
{
	struct hvk_pages pages;

	hvk_dump_begin(dump, "quarantine");
	hvk_dump_number(dump, "pages", hvk->quarantine.pages);
	hvk_dump_number(dump, "pages-max", hvk->config.quarantine_pages_max);
	for (uint32_t n = 0; n < HVK_QUARANTINE_ENTRIES && hvk_quarantine_pages(hvk, n, &pages); n++) {
		hvk_dump_begin(dump, "entry-%u", n);
		hvk_dump_value(dump, "address", "0x%llx", (unsigned long long)(uintptr_t)pages.address);
		hvk_dump_number(dump, "pages", pages.count);
		hvk_dump_end(dump);
	}
	hvk_dump_end(dump);
}

void hvk_dump(struct hvk *hvk, hvk_dump_line line, void *context)
{
	struct hvk_dump dump = {line, context, 0};

	dump_hypervisor(hvk, &dump);
	dump_clock(hvk, &dump);
	for (uint32_t i = 0; i < hvk->config.cpus; i++)
		dump_cpu(hvk, i, &dump);
	dump_counters(hvk, &dump);
	dump_quarantine(hvk, &dump);
	hvk_bus_dump(hvk, &dump);
}
