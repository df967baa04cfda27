/* SPDX-License-Identifier: MIT */
/* The state tree as lines of text, and the question whether the guest has really left. */
#include <stdarg.h>
#include <stdio.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

#define LINE_MAX_BYTES 200u

struct writer {
	hvh_dump_line line;
	void *context;
};

static void say(const struct writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct writer *writer, const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	writer->line(writer->context, text);
}

static const char *phase_name(enum hvh_channel_phase phase)
{
	static const char *const names[] = {"closed", "opening", "open", "rescinded"};
	return names[phase];
}

static const char *gpadl_state_name(enum hvh_gpadl_state state)
{
	static const char *const names[] = {"assembling", "refused", "accepted", "tearing down"};
	return names[state];
}

static void dump_hypervisor(const struct hvh_partition *partition, const struct writer *writer)
{
	const struct hvh_hypervisor *hypervisor = partition->hypervisor;

	say(writer, "hypervisor");
	say(writer, "  os-id %#llx", (unsigned long long)hypervisor->os_id);
	say(writer, "  hypercall %#llx", (unsigned long long)hypervisor->hypercall.value);
	say(writer, "  reference-tsc %#llx", (unsigned long long)hypervisor->reference_tsc.value);
	for (uint32_t n = 0; n < partition->vps; n++) {
		const struct hvh_vp *vp = &hypervisor->vps[n];
		const struct hvh_sint *sint = &vp->sints[VMBUS_SINT];
		say(writer, "  vp %u: scontrol %#llx simp %#llx siefp %#llx sint2 %#llx", n,
		    (unsigned long long)vp->scontrol, (unsigned long long)vp->simp.value,
		    (unsigned long long)vp->siefp.value, (unsigned long long)sint->value);
		say(writer, "    messages: %u waiting, %llu delivered%s", sint->count,
		    (unsigned long long)sint->delivered, sint->waiting ? ", EOM owed" : "");
	}
}

static void dump_channel(const struct hvh_channel *channel, const struct writer *writer)
{
	say(writer, "  channel %u %s: %s%s%s%s", channel->id, channel->ops->name, phase_name(channel->phase),
	    channel->present ? "" : ", taken back", channel->dead ? ", ring corrupt" : "",
	    channel->monitored ? ", monitored" : "");
	if (channel->phase != HVH_CHANNEL_OPEN)
		return;
	say(writer, "    target vp %u, gpadl %#x", channel->target_vp, channel->ring_gpadl->id);
	say(writer, "    from guest: size %u read %u published %u%s", channel->in.size, channel->in.read,
	    channel->in.published, channel->in.masked ? " masked" : "");
	say(writer, "    to guest: size %u write %u pending %u", channel->out.size, channel->out.write,
	    channel->out.pending);
}

static void dump_vmbus(const struct hvh_partition *partition, const struct writer *writer)
{
	const struct hvh_vmbus *bus = partition->vmbus;

	if (bus->connected)
		say(writer, "vmbus: %u.%u, vp %u, connection %u", bus->version >> 16, bus->version & 0xffff,
		    bus->vp, bus->connection);
	else
		say(writer, "vmbus: not connected");
	say(writer, "  posts waiting %u, answers waiting %u", bus->post_count, bus->out_count);
	for (uint32_t n = 0; n < bus->channel_count; n++)
		dump_channel(bus->channels[n], writer);
	for (const struct hvh_gpadl *gpadl = bus->gpadls; gpadl != NULL; gpadl = gpadl->next)
		say(writer, "  gpadl %#x of channel %u: %s, %u bytes", gpadl->id,
		    gpadl->channel != NULL ? gpadl->channel->id : 0, gpadl_state_name(gpadl->state),
		    gpadl->byte_count);
}

void hvh_dump(const struct hvh_partition *partition, hvh_dump_line line, void *context)
{
	struct writer writer = {line, context};

	say(&writer, "partition: profile %s, %u vps, time %llu, %llu violations", partition->profile.name,
	    partition->vps, (unsigned long long)partition->now,
	    (unsigned long long)partition->counters.violations);
	dump_hypervisor(partition, &writer);
	dump_vmbus(partition, &writer);
	for (unsigned n = 0; n < HVH_FAULT_COUNT; n++) {
		if (partition->fault_count[n] != 0)
			say(&writer, "fault %s: %llu", hvh_fault_name((enum hvh_fault)n),
			    (unsigned long long)partition->fault_count[n]);
	}
}

/* A message that waits for its slot will be written there yet. */
static bool slots_done(const struct hvh_partition *partition)
{
	for (uint32_t vp = 0; vp < partition->vps; vp++) {
		for (uint32_t sint = 0; sint < HV_SINT_COUNT; sint++) {
			if (partition->hypervisor->vps[vp].sints[sint].count != 0)
				return false;
		}
	}
	return true;
}

bool hvh_quiet(const struct hvh_partition *partition)
{
	const struct hvh_vmbus *bus = partition->vmbus;

	return bus->contacted && !bus->connected && bus->gpadls == NULL && bus->stale_due == HVH_NEVER &&
	       bus->stale_writes == 0 && bus->out_count == 0 && bus->post_count == 0 && slots_done(partition);
}
