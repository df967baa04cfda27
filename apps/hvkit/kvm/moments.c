/* SPDX-License-Identifier: MIT */
#include "apps/hvkit/kvm/moments.h"

#include <stdio.h>
#include <sys/resource.h>

#include "apps/hvkit/json.h"
#include "apps/hvkit/kvm/guest.h"

static void fill(struct moment *moment, const struct run *run)
{
	struct rusage usage;

	moment->time = machine_now(&run->machine);
	vmm_get_counters(run->guest->vmm, &moment->vmm);
	hvh_get_counters(machine_partition(&run->machine), &moment->host);
	if (run->nic)
		hvh_nic_get_counters(run->nic, &moment->nic);
	moment->sleeps = getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_nvcsw : 0;
}

/* NULL: there were too many. */
static struct moment *add(struct run *run)
{
	struct moments *moments = &run->guest->moments;
	struct moment *moment;

	if (moments->count == MOMENTS_MAX)
		return NULL;
	moment = &moments->list[moments->count++];
	fill(moment, run);
	return moment;
}

void moments_mark(void *guest, uint8_t value)
{
	struct run *run = ((struct run_guest *)guest)->run;
	struct moment *moment;

	machine_lock(&run->machine);
	moment = add(run);
	if (moment)
		snprintf(moment->name, sizeof(moment->name), "mark-%u", value);
	monitor_mark(&run->monitor, machine_now(&run->machine), value);
	machine_unlock(&run->machine);
}

/* --- The first packet ------------------------------------------------------------------ */

/* The host's thread has just taken what there was from the guest. */
static bool look(void *context, uint64_t now)
{
	struct run *run = context;
	struct moments *moments = &run->guest->moments;
	struct hvh_nic_counters counters;
	struct moment *moment;

	(void)now;
	if (moments->packet_seen || !run->nic)
		return false;
	hvh_nic_get_counters(run->nic, &counters);
	if (counters.from_guest_frames == 0)
		return false;
	moments->packet_seen = true;
	moment = add(run);
	if (moment)
		snprintf(moment->name, sizeof(moment->name), "first-packet");
	return false;
}

static uint64_t never(void *context)
{
	(void)context;
	return HVH_NEVER;
}

void moments_begin(struct run *run)
{
	machine_add_world(&run->machine, look, never, run);
}

/* --- The summary ------------------------------------------------------------------------- */

static void put_named(struct json *json, const char *key, const uint64_t *numbers, uint32_t count,
		      const char *(*name)(uint32_t n))
{
	json_object(json, key);
	for (uint32_t n = 0; n < count; n++)
		json_number(json, name(n), numbers[n]);
	json_close(json);
}

static void put_counters(struct json *json, const struct vmm_counters *counters)
{
	json_number(json, "exits", counters->exits);
	json_number(json, "port_exits", counters->port_exits);
	json_number(json, "msr_exits", counters->msr_exits);
	json_number(json, "mmio_exits", counters->mmio_exits);
	json_number(json, "hlt_exits", counters->hlt_exits);
	json_number(json, "other_exits", counters->other_exits);
	put_named(json, "ports", counters->ports, VMM_DEVICES, vmm_device_name);
	put_named(json, "msr_reads", counters->msr_reads, VMM_REGISTERS, vmm_register_name);
	put_named(json, "msr_writes", counters->msr_writes, VMM_REGISTERS, vmm_register_name);
	json_number(json, "hypercalls", counters->hypercalls);
	put_named(json, "calls", counters->calls, VMM_CALLS, vmm_call_name);
	json_number(json, "interrupts", counters->interrupts);
	json_number(json, "device_wakeups", counters->device_wakeups);
	json_number(json, "device_kicks", counters->device_kicks);
	json_number(json, "device_times", counters->device_times);
}

static void put_moment(struct json *json, const struct moment *moment)
{
	json_object(json, NULL);
	json_string(json, "name", moment->name);
	json_seconds(json, "seconds", moment->time);
	put_counters(json, &moment->vmm);
	json_number(json, "thread_sleeps", moment->sleeps);
	json_number(json, "messages_delivered", moment->host.messages_delivered);
	json_number(json, "events_set", moment->host.events_set);
	json_number(json, "packets_to_guest", moment->nic.to_guest_frames);
	json_number(json, "bytes_to_guest", moment->nic.to_guest_bytes);
	json_number(json, "packets_from_guest", moment->nic.from_guest_frames);
	json_number(json, "bytes_from_guest", moment->nic.from_guest_bytes);
	json_close(json);
}

static void put_usage(struct json *json, struct vmm *vmm)
{
	struct vmm_usage usage;

	if (!vmm_get_usage(vmm, &usage)) {
		json_null(json, "guest_bytes");
		json_null(json, "monitor_bytes");
		return;
	}
	json_number(json, "guest_bytes", usage.guest_bytes);
	json_number(json, "monitor_bytes", usage.monitor_bytes);
}

void moments_summary(struct json *json, const struct run *run)
{
	const struct moments *moments = &run->guest->moments;
	struct moment end = {0};

	fill(&end, run);
	put_counters(json, &end.vmm);
	json_number(json, "thread_sleeps", end.sleeps);
	put_usage(json, run->guest->vmm);
	json_array(json, "moments");
	for (uint32_t n = 0; n < moments->count; n++)
		put_moment(json, &moments->list[n]);
	json_close(json);
}
