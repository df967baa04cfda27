/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "host/core/dump.h"
#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

static const char *phase_name(enum hvh_channel_phase phase)
{
	static const char *const names[] = {"closed", "opening", "open", "rescinded"};
	return names[phase];
}

static const char *gpadl_state_name(enum hvh_gpadl_state state)
{
	static const char *const names[] = {"assembling", "refused", "accepted", "tearing-down"};
	return names[state];
}

/* A refused one may have the id of another. */
static void dump_gpadl(struct hvh_dump *dump, const struct hvh_gpadl *gpadl)
{
	hvh_dump_begin_hex(dump, gpadl->state == HVH_GPADL_REFUSED ? "gpadl-refused" : "gpadl", gpadl->id);
	hvh_dump_text(dump, "state", "%s", gpadl_state_name(gpadl->state));
	hvh_dump_number(dump, "bytes", gpadl->byte_count);
	hvh_dump_text(dump, "words", "%u of %u", gpadl->words, gpadl->words_expected);
	if (gpadl->torndown_due != 0)
		hvh_dump_time(dump, "torndown-due", gpadl->torndown_due);
	hvh_dump_end(dump);
}

/* Of one channel, or NULL: those that are refused and belong to none. */
static void dump_gpadls(const struct hvh_partition *partition, const struct hvh_channel *channel,
			struct hvh_dump *dump)
{
	for (const struct hvh_gpadl *gpadl = partition->vmbus->gpadls; gpadl != NULL; gpadl = gpadl->next) {
		if (gpadl->channel == channel)
			dump_gpadl(dump, gpadl);
	}
}

static void dump_rings(const struct hvh_channel *channel, struct hvh_dump *dump)
{
	const struct hvh_in_ring *in = &channel->in;
	const struct hvh_out_ring *out = &channel->out;

	hvh_dump_begin(dump, "ring-from-guest");
	hvh_dump_number(dump, "size", in->size);
	hvh_dump_number(dump, "read", in->read);
	hvh_dump_number(dump, "published", in->published);
	hvh_dump_number(dump, "write-seen", in->seen);
	hvh_dump_flag(dump, "masked", in->masked);
	hvh_dump_number(dump, "signals-owed", in->credits);
	hvh_dump_number(dump, "room-signals-owed", in->room_credits);
	hvh_dump_end(dump);
	hvh_dump_begin(dump, "ring-to-guest");
	hvh_dump_number(dump, "size", out->size);
	hvh_dump_number(dump, "write", out->write);
	hvh_dump_number(dump, "pending-send-size", out->pending);
	hvh_dump_number(dump, "packet-without-room", out->wanted);
	hvh_dump_end(dump);
}

static void dump_open(const struct hvh_channel *channel, struct hvh_dump *dump)
{
	if (channel->target_vp == VMBUS_CHANNEL_VP_NONE)
		hvh_dump_text(dump, "target-vp", "none");
	else
		hvh_dump_number(dump, "target-vp", channel->target_vp);
	hvh_dump_hex(dump, "ring-gpadl", channel->ring_gpadl->id);
	hvh_dump_flag(dump, "corrupt", channel->dead);
	hvh_dump_flag(dump, "signalled", channel->signalled);
	hvh_dump_number(dump, "opens", channel->epoch);
	hvh_dump_time(dump, "opened-at", channel->opened_at);
	hvh_dump_time(dump, "runs-at", channel->run_at);
	if (channel->modify_due != HVH_NEVER) {
		hvh_dump_begin(dump, "modify-pending");
		hvh_dump_number(dump, "target-vp", channel->modify_target_vp);
		hvh_dump_time(dump, "due", channel->modify_due);
		hvh_dump_end(dump);
	}
	dump_rings(channel, dump);
}

static void dump_channel(const struct hvh_channel *channel, struct hvh_dump *dump)
{
	char name[HVH_DEVICE_NAME_MAX];

	hvh_device_name(channel, name);
	hvh_dump_begin_number(dump, "channel", channel->id);
	hvh_dump_text(dump, "device", "%s", name);
	hvh_dump_number(dump, "sub-channel-index", channel->parameters.subchannel_index);
	hvh_dump_text(dump, "phase", "%s", phase_name(channel->phase));
	hvh_dump_flag(dump, "dedicated", channel->dedicated);
	if (channel->monitored)
		hvh_dump_number(dump, "monitor", channel->monitor_id);
	else
		hvh_dump_text(dump, "monitor", "none");
	if (channel->phase == HVH_CHANNEL_OPEN)
		dump_open(channel, dump);
	dump_gpadls(channel->partition, channel, dump);
	hvh_dump_end(dump);
}

static void dump_pages(struct hvh_dump *dump, const char *name, const struct hvh_shared_pages *pages)
{
	hvh_dump_begin(dump, name);
	hvh_dump_hex(dump, "interrupt", pages->interrupt);
	hvh_dump_hex(dump, "monitor-from-guest", pages->monitor_guest_to_host);
	hvh_dump_hex(dump, "monitor-to-guest", pages->monitor_host_to_guest);
	hvh_dump_end(dump);
}

static void dump_connection(const struct hvh_vmbus *bus, struct hvh_dump *dump)
{
	hvh_dump_text(dump, "version", "%u.%u", bus->version >> 16, bus->version & 0xffff);
	hvh_dump_number(dump, "vp", bus->vp);
	hvh_dump_number(dump, "message-connection", bus->connection);
	hvh_dump_flag(dump, "offers-requested", bus->offers_requested);
	hvh_dump_flag(dump, "unusable", bus->unusable);
	dump_pages(dump, "pages", &bus->pages);
}

/* The answers that wait at the bus, the first of them by name. */
static void dump_answers(const struct hvh_vmbus *bus, struct hvh_dump *dump)
{
	const struct hvh_outgoing *first = &bus->outgoing[bus->out_head];
	struct vmbus_message_header header;

	hvh_dump_number(dump, "posts-waiting", bus->post_count);
	hvh_dump_number(dump, "answers-waiting", bus->out_count);
	if (bus->out_count == 0)
		return;
	memcpy(&header, first->bytes, sizeof(header));
	const struct hvh_message_rule *rule = hvh_message_rule(header.type);
	hvh_dump_text(dump, "next-answer", "%s", rule != NULL ? rule->name : "unknown");
	hvh_dump_time(dump, "next-answer-due", first->due);
}

void hvh_vmbus_dump(const struct hvh_partition *partition, struct hvh_dump *dump)
{
	const struct hvh_vmbus *bus = partition->vmbus;

	hvh_dump_begin(dump, "vmbus");
	hvh_dump_flag(dump, "connected", bus->connected);
	if (bus->connected)
		dump_connection(bus, dump);
	if (partition->profile.loaded_system_crashes)
		hvh_dump_flag(dump, "loaded-system-would-crash", hvh_loaded_system_crashes(partition));
	if (bus->stale_due != HVH_NEVER)
		dump_pages(dump, "pages-still-written", &bus->stale);
	dump_answers(bus, dump);
	hvh_dump_number(dump, "gpadls", bus->gpadl_count);
	dump_gpadls(partition, NULL, dump);
	for (uint32_t id = 1; id < VMBUS_MAX_CHANNELS; id++) {
		if (bus->by_id[id] != NULL)
			dump_channel(bus->by_id[id], dump);
	}
	hvh_dump_end(dump);
}

static void dump_device(const struct hvh_channel *channel, const struct hvh_device_info *info,
			struct hvh_dump *dump)
{
	hvh_dump_begin(dump, info->name);
	hvh_dump_guid(dump, "type", info->type);
	hvh_dump_guid(dump, "instance", info->instance);
	hvh_dump_flag(dump, "present", info->present);
	hvh_dump_number(dump, "channel", info->channel_id);
	hvh_dump_number(dump, "sub-channels", info->subchannels);
	if (channel->reoffer_at != HVH_NEVER)
		hvh_dump_time(dump, "offered-again-at", channel->reoffer_at);
	if (channel->ops->dump != NULL)
		channel->ops->dump(channel->device, dump);
	hvh_dump_end(dump);
}

void hvh_devices_dump(const struct hvh_partition *partition, struct hvh_dump *dump)
{
	const struct hvh_channel *channel;
	struct hvh_device_info info;

	hvh_dump_begin(dump, "devices");
	hvh_dump_number(dump, "count", partition->vmbus->device_count);
	for (uint32_t n = 0; (channel = hvh_device_channel(partition, n)) != NULL; n++) {
		hvh_device_get(partition, n, &info);
		dump_device(channel, &info, dump);
	}
	hvh_dump_end(dump);
}
