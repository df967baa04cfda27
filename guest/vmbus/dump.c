/* SPDX-License-Identifier: MIT */
/*
 * Looking inside the bus and its channels. Nobody is called with a lock held: each thing is
 * copied under it, then told. On the contact CPU, so no channel goes meanwhile.
 */
#include "guest/core/dump.h"
#include "guest/vmbus/bus.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define LIST_MAX 8192u /* GPADLs or messages shown */

static const char *const bus_states[] = {"cold",      "connecting", "connected",
					 "unloading", "suspended",  "abandoned"};
static const char *const contact_steps[] = {"none",   "probe",   "probe-unload", "contact",
					    "offers", "closing", "unload"};
static const char *const channel_states[] = {"closed", "opening", "open", "closing", "rescinded"};
static const char *const channel_steps[] = {"none",         "open-gpadl", "open-result",
					    "sub-channels", "quiesce",    "teardown"};
static const char *const move_steps[] = {"none", "modify", "leave", "handover"};
static const char *const gpadl_states[] = {"none",   "creating",     "created-awaited",
					   "shared", "tearing-down", "left"};
static const char *const outgoing_kinds[] = {
	"initiate-contact", "request-offers", "unload",          "open-channel", "close-channel",
	"modify-channel",   "relid-released", "relids-released", "gpadl-create", "gpadl-teardown"};
static const char *const reading_modes[] = {"batched", "unbatched"};

HVK_STATIC_ASSERT(COUNT(bus_states) == HVK_VMBUS_ABANDONED + 1, "a name for each state");
HVK_STATIC_ASSERT(COUNT(contact_steps) == HVK_STEP_UNLOAD + 1, "a name for each step");
HVK_STATIC_ASSERT(COUNT(channel_states) == HVK_CHANNEL_RESCINDED + 1, "a name for each state");
HVK_STATIC_ASSERT(COUNT(channel_steps) == HVK_CH_TEARDOWN + 1, "a name for each step");
HVK_STATIC_ASSERT(COUNT(move_steps) == HVK_MOVE_HANDOVER + 1, "a name for each step");
HVK_STATIC_ASSERT(COUNT(gpadl_states) == HVK_GPADL_LEFT + 1, "a name for each state");
HVK_STATIC_ASSERT(COUNT(outgoing_kinds) == HVK_OUT_GPADL_TEARDOWN + 1, "a name for each kind");

#define NAME(names, n) hvk_dump_name(names, COUNT(names), (uint32_t)(n))

/* --- A channel ------------------------------------------------------------------------------ */

/* As people write it: the first three fields are little-endian on the wire. */
static void dump_guid(struct hvk_dump *dump, const char *name, const struct vmbus_guid *guid)
{
	const uint8_t *b = guid->bytes;

	hvk_dump_value(dump, name, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		       b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13],
		       b[14], b[15]);
}

static void dump_offer(struct hvk_dump *dump, const struct hvk_offer *offer)
{
	hvk_dump_begin(dump, "offer");
	dump_guid(dump, "type", &offer->type);
	dump_guid(dump, "instance", &offer->instance);
	hvk_dump_number(dump, "sub-channel-index", offer->subchannel_index);
	hvk_dump_value(dump, "flags", "0x%x", (uint32_t)offer->flags);
	hvk_dump_number(dump, "mmio-megabytes", offer->mmio_megabytes);
	hvk_dump_value(dump, "connection", "0x%x", offer->connection_id);
	hvk_dump_flag(dump, "dedicated", offer->dedicated);
	hvk_dump_flag(dump, "monitored", offer->monitored);
	if (offer->monitored)
		hvk_dump_number(dump, "monitor", offer->monitor_id);
	hvk_dump_end(dump);
}

static void dump_out(struct hvk_dump *dump, const struct hvk_ring_out *ring, bool room_wanted)
{
	const struct hvk_shared *control = &ring->control;

	hvk_dump_begin(dump, "outgoing-ring");
	hvk_dump_number(dump, "bytes", ring->data.size);
	hvk_dump_number(dump, "free-bytes", hvk_ring_out_free(ring));
	hvk_dump_number(dump, "write-index", ring->write);
	hvk_dump_number(dump, "read-index", hvk_shared_load(control, VMBUS_RING_READ_INDEX));
	hvk_dump_flag(dump, "masked-by-host", hvk_shared_load(control, VMBUS_RING_INTERRUPT_MASK) != 0);
	hvk_dump_number(dump, "pending-send-bytes", hvk_shared_load(control, VMBUS_RING_PENDING_SEND_SIZE));
	hvk_dump_flag(dump, "room-wanted", room_wanted);
	hvk_dump_end(dump);
}

static void dump_in(struct hvk_dump *dump, const struct hvk_ring_in *ring, hvk_status dead)
{
	const struct hvk_shared *control = &ring->control;

	hvk_dump_begin(dump, "incoming-ring");
	hvk_dump_number(dump, "bytes", ring->data.size);
	hvk_dump_number(dump, "write-index", hvk_shared_load(control, VMBUS_RING_WRITE_INDEX));
	hvk_dump_number(dump, "read-index", ring->read);
	hvk_dump_number(dump, "shown-read-index", ring->shown);
	hvk_dump_flag(dump, "masked", hvk_shared_load(control, VMBUS_RING_INTERRUPT_MASK) != 0);
	hvk_dump_value(dump, "state", "%s", dead == HVK_OK ? "good" : hvk_status_name(dead));
	hvk_dump_end(dump);
}

static void dump_counters(struct hvk_dump *dump, const struct hvk_channel *channel)
{
	struct hvk_channel_counters c;

	hvk_channel_get_counters(channel, &c);
	hvk_dump_begin(dump, "counters");
	hvk_dump_number(dump, "sent", c.sent);
	hvk_dump_number(dump, "received", c.received);
	hvk_dump_number(dump, "completions", c.completions);
	hvk_dump_number(dump, "bytes-sent", c.bytes_sent);
	hvk_dump_number(dump, "bytes-received", c.bytes_received);
	hvk_dump_number(dump, "events", c.events);
	hvk_dump_number(dump, "callbacks", c.callbacks);
	hvk_dump_number(dump, "signals", c.signals);
	hvk_dump_number(dump, "monitor-signals", c.monitor_signals);
	hvk_dump_number(dump, "masked-signals", c.masked_signals);
	hvk_dump_number(dump, "full", c.full);
	hvk_dump_number(dump, "late-completions", c.late_completions);
	hvk_dump_number(dump, "faults", c.faults);
	hvk_dump_end(dump);
}

/* A copy under its lock: the rings are there while it is usable. A close ends with memory given
 * back on the contact CPU, which is this one. */
static void dump_rings(struct hvk_dump *dump, struct hvk_channel *channel)
{
	struct hvk_ring_out out;
	struct hvk_ring_in in;
	struct hvk_requests requests;
	bool usable, room_wanted;
	hvk_status dead;

	hvk_lock(channel->hvk, &channel->tx_lock);
	usable = channel->usable;
	out = channel->out;
	in = channel->in;
	requests = channel->requests;
	room_wanted = channel->room_wanted;
	dead = channel->dead;
	hvk_unlock(channel->hvk, &channel->tx_lock);
	if (!usable)
		return;
	dump_out(dump, &out, room_wanted);
	dump_in(dump, &in, dead);
	hvk_dump_begin(dump, "requests");
	hvk_dump_number(dump, "limit", requests.limit);
	hvk_dump_number(dump, "outstanding", requests.busy_count);
	hvk_dump_end(dump);
}

struct life {
	enum hvk_channel_state state;
	enum hvk_channel_step step;
	enum hvk_move_step move;
	uint32_t cpu, move_to, gpadls, subchannels;
	bool claimed, rescinded, withdrawn, absent, released;
};

static struct life copy_life(struct hvk_channel *channel)
{
	struct life life;

	hvk_lock(channel->hvk, &channel->hvk->bus->lock);
	life = (struct life){
		.state = hvk_channel_state(channel),
		.step = channel->step,
		.move = channel->move,
		.cpu = hvk_channel_cpu(channel),
		.move_to = channel->move_to,
		.gpadls = channel->gpadl_count,
		.subchannels = channel->subchannel_count,
		.claimed = channel->claimed,
		.rescinded = channel->rescinded,
		.withdrawn = channel->withdrawn,
		.absent = channel->absent,
		.released = channel->released,
	};
	hvk_unlock(channel->hvk, &channel->hvk->bus->lock);
	return life;
}

static void dump_channel(struct hvk_dump *dump, struct hvk_channel *channel)
{
	struct life life = copy_life(channel);

	hvk_dump_value(dump, "state", "%s", NAME(channel_states, life.state));
	hvk_dump_value(dump, "step", "%s", NAME(channel_steps, life.step));
	hvk_dump_flag(dump, "claimed", life.claimed);
	hvk_dump_flag(dump, "rescinded", life.rescinded || life.withdrawn);
	hvk_dump_flag(dump, "absent", life.absent);
	hvk_dump_flag(dump, "released", life.released);
	if (channel->primary)
		hvk_dump_number(dump, "primary", channel->primary->offer.channel_id);
	else
		hvk_dump_number(dump, "sub-channels", life.subchannels);
	hvk_dump_number(dump, "gpadls", life.gpadls);
	dump_offer(dump, &channel->offer);
	if (life.state != HVK_CHANNEL_CLOSED) {
		hvk_dump_number(dump, "cpu", life.cpu);
		hvk_dump_value(dump, "move", "%s", NAME(move_steps, life.move));
		if (life.move != HVK_MOVE_NONE)
			hvk_dump_number(dump, "moving-to-cpu", life.move_to);
		hvk_dump_value(dump, "reading", "%s", NAME(reading_modes, channel->config.reading));
		hvk_dump_flag(dump, "low-latency", channel->config.low_latency);
		dump_rings(dump, channel);
	}
	dump_counters(dump, channel);
}

static void dump_named_channel(struct hvk_dump *dump, struct hvk_channel *channel, bool has_id)
{
	/* One that keeps its memory but not its id, for a claim, may share it with its heir. */
	if (has_id)
		hvk_dump_begin(dump, "channel-%u", channel->offer.channel_id);
	else
		hvk_dump_begin(dump, "former-channel-%llx", (unsigned long long)(uintptr_t)channel);
	dump_channel(dump, channel);
	hvk_dump_end(dump);
}

void hvk_channel_dump(struct hvk_channel *channel, hvk_dump_line line, void *context)
{
	struct hvk_dump dump = {line, context, 0};

	dump_named_channel(&dump, channel, true);
}

/* --- The bus -------------------------------------------------------------------------------- */

static bool has_id(struct hvk *hvk, const struct hvk_channel *channel)
{
	return hvk_offer_find(hvk, channel->offer.channel_id) == channel;
}

/* Those with an id, in their order, then the others. */
static void dump_channels(struct hvk *hvk, struct hvk_dump *dump)
{
	struct hvk_channel *channel = hvk_ids_next(hvk, 0);

	while (channel) {
		dump_named_channel(dump, channel, true);
		channel = hvk_ids_next(hvk, channel->offer.channel_id + 1);
	}
	for (struct hvk_link *link = hvk->bus->channels; link; link = link->next) {
		channel = HVK_OWNER(hvk_channel, all, link);
		if (!has_id(hvk, channel))
			dump_named_channel(dump, channel, false);
	}
}

struct gpadl_copy {
	uint32_t id, pages, pages_sent, channel;
	uint8_t state;
};

static bool copy_gpadl(struct hvk *hvk, uint32_t n, struct gpadl_copy *out)
{
	const struct hvk_link *lists[] = {hvk->bus->gpadls, hvk->bus->gpadls_live};

	for (uint32_t i = 0; i < COUNT(lists); i++) {
		for (const struct hvk_link *link = lists[i]; link; link = link->next) {
			const struct hvk_gpadl *gpadl = HVK_OWNER(hvk_gpadl, link, link);

			if (n-- != 0)
				continue;
			*out = (struct gpadl_copy){gpadl->id, gpadl->pages.count, gpadl->pages_sent,
						   gpadl->channel->offer.channel_id, gpadl->state};
			return true;
		}
	}
	return false;
}

static void dump_gpadls(struct hvk *hvk, struct hvk_dump *dump)
{
	struct gpadl_copy gpadl;
	bool found = true;

	hvk_dump_begin(dump, "gpadls");
	for (uint32_t n = 0; n < LIST_MAX && found; n++) {
		hvk_lock(hvk, &hvk->bus->lock);
		found = copy_gpadl(hvk, n, &gpadl);
		hvk_unlock(hvk, &hvk->bus->lock);
		if (!found)
			break;
		hvk_dump_begin(dump, "gpadl-%u", gpadl.id);
		hvk_dump_value(dump, "state", "%s", NAME(gpadl_states, gpadl.state));
		hvk_dump_number(dump, "channel", gpadl.channel);
		hvk_dump_number(dump, "pages", gpadl.pages);
		hvk_dump_number(dump, "pages-told", gpadl.pages_sent);
		hvk_dump_end(dump);
	}
	hvk_dump_end(dump);
}

static bool copy_outgoing(const struct hvk *hvk, uint32_t n, uint8_t *kind)
{
	const struct hvk_outgoing *item = hvk->bus->out_first;

	for (; item; item = item->next) {
		if (n-- == 0) {
			*kind = item->kind;
			return true;
		}
	}
	return false;
}

static void dump_outgoing(struct hvk *hvk, struct hvk_dump *dump)
{
	bool found = true;
	uint8_t kind;

	hvk_dump_begin(dump, "outgoing");
	hvk_dump_number(dump, "retry-at", hvk->bus->retry_at);
	for (uint32_t n = 0; n < LIST_MAX && found; n++) {
		hvk_lock(hvk, &hvk->bus->lock);
		found = copy_outgoing(hvk, n, &kind);
		hvk_unlock(hvk, &hvk->bus->lock);
		if (!found)
			break;
		hvk_dump_begin(dump, "message-%u", n);
		hvk_dump_value(dump, "kind", "%s", NAME(outgoing_kinds, kind));
		hvk_dump_end(dump);
	}
	hvk_dump_end(dump);
}

static void dump_attempts(struct hvk *hvk, struct hvk_dump *dump)
{
	uint32_t version;
	bool accepted;

	hvk_dump_begin(dump, "attempts");
	for (uint32_t n = 0; hvk_vmbus_attempt(hvk, n, &version, &accepted); n++) {
		hvk_dump_begin(dump, "attempt-%u", n);
		hvk_dump_value(dump, "version", "%u.%u", version >> 16, version & 0xffffu);
		hvk_dump_flag(dump, "accepted", accepted);
		hvk_dump_end(dump);
	}
	hvk_dump_end(dump);
}

static uint32_t count_refused(const struct hvk_bus *bus)
{
	uint32_t count = 0;

	for (uint32_t id = 0; id < VMBUS_MAX_CHANNELS; id++)
		count += bus->refused[id / 32] >> (id % 32) & 1u;
	return count;
}

void hvk_bus_dump(struct hvk *hvk, struct hvk_dump *dump)
{
	const struct hvk_bus *bus = hvk->bus;
	uint32_t version = bus->version ? bus->version->version : 0;

	hvk_dump_begin(dump, "vmbus");
	hvk_dump_value(dump, "state", "%s", NAME(bus_states, bus->state));
	hvk_dump_value(dump, "version", "%u.%u", version >> 16, version & 0xffffu);
	hvk_dump_value(dump, "mode", "%s", bus->config.mode == HVK_VMBUS_MODE_BOOT ? "boot" : "system");
	hvk_dump_value(dump, "step", "%s", NAME(contact_steps, bus->step));
	hvk_dump_number(dump, "contact-cpu", bus->contact_cpu);
	hvk_dump_number(dump, "message-connection", bus->message_connection);
	hvk_dump_flag(dump, "unload-answered", bus->knows_3_0);
	hvk_dump_number(dump, "channels", bus->channel_count);
	hvk_dump_number(dump, "refused-offers", count_refused(bus));
	dump_attempts(hvk, dump);
	dump_outgoing(hvk, dump);
	dump_gpadls(hvk, dump);
	dump_channels(hvk, dump);
	hvk_dump_end(dump);
}
