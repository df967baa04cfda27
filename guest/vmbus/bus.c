/* SPDX-License-Identifier: MIT */
/* Messages and events to where they belong; the bus' share of hvk_poll; looking inside. */
#include "guest/vmbus/bus.h"

hvk_status hvk_bus_create(struct hvk *hvk)
{
	hvk->bus->deadline = HVK_NEVER;
	return hvk_lock_init(hvk, &hvk->bus->lock);
}

void hvk_bus_destroy(struct hvk *hvk)
{
	struct hvk_bus *bus = hvk->bus;
	bool let_go = bus->abandon_answered || bus->state != HVK_VMBUS_ABANDONED;

	for (struct hvk_gpadl *gpadl = bus->gpadls; gpadl; gpadl = gpadl->next) {
		gpadl->id = 0;
		if (let_go)
			hvk_pages_put(hvk, &gpadl->pages);
		else
			(void)hvk_pages_quarantine(hvk, &gpadl->pages);
	}
	for (struct hvk_gpadl *gpadl = bus->gpadls_done; gpadl; gpadl = gpadl->next) {
		if (gpadl->state == HVK_GPADL_LEFT)
			(void)hvk_pages_quarantine(hvk, &gpadl->pages);
		else
			hvk_pages_put(hvk, &gpadl->pages);
	}
	bus->gpadls = NULL;
	bus->gpadls_done = NULL;
	hvk_contact_release_pages(hvk, !let_go);
	hvk_offer_forget_all(hvk);
}

void hvk_bus_stir(struct hvk *hvk)
{
	hvk->bus->dirty = true;
	hvk_wake(hvk, hvk->bus->config.cpu);
}

static bool take_nth(const struct hvk_pages *pages, uint32_t *n, struct hvk_pages *out)
{
	if (pages->count == 0 || (*n)-- != 0)
		return false;
	*out = *pages;
	return true;
}

bool hvk_bus_withheld(const struct hvk *hvk, uint32_t n, struct hvk_pages *out)
{
	const struct hvk_bus *bus = hvk->bus;

	if (bus->state != HVK_VMBUS_ABANDONED || bus->abandon_answered)
		return false;
	if (take_nth(&bus->interrupt_page, &n, out) || take_nth(&bus->monitor_pages, &n, out))
		return true;
	for (const struct hvk_gpadl *gpadl = bus->gpadls; gpadl; gpadl = gpadl->next) {
		if (take_nth(&gpadl->pages, &n, out))
			return true;
	}
	for (const struct hvk_gpadl *gpadl = bus->gpadls_done; gpadl; gpadl = gpadl->next) {
		if (gpadl->state == HVK_GPADL_LEFT && take_nth(&gpadl->pages, &n, out))
			return true;
	}
	return false;
}

void hvk_bus_set_scan(struct hvk *hvk, bool shared_events)
{
	for (uint32_t i = 0; i < hvk->config.cpus; i++) {
		struct hvk_cpu *cpu = &hvk->cpus[i];

		hvk_lock(hvk, &cpu->lock);
		cpu->scan = (struct hvk_shared){0};
		if (shared_events)
			cpu->scan = hvk_shared_part(&hvk->bus->interrupt_bits,
						    VMBUS_INTERRUPT_PAGE_HOST_TO_GUEST,
						    VMBUS_MAX_CHANNELS_SHARED / 8);
		hvk_unlock(hvk, &cpu->lock);
	}
}

static void dispatch(struct hvk *hvk, const struct hvk_message *message, struct hvk_pages *page)
{
	switch (message->type) {
	case VMBUS_MSG_OFFER_CHANNEL:
		hvk_offer_take(hvk, message, page);
		break;
	case VMBUS_MSG_RESCIND_OFFER:
		hvk_offer_rescind(hvk, message->channel_id);
		break;
	case VMBUS_MSG_ALL_OFFERS_DELIVERED:
		hvk_contact_all_offers(hvk);
		break;
	case VMBUS_MSG_OPEN_RESULT:
		hvk_channel_open_result(hvk, message);
		break;
	case VMBUS_MSG_GPADL_CREATED:
		hvk_gpadl_created(hvk, message);
		break;
	case VMBUS_MSG_GPADL_TORNDOWN:
		hvk_gpadl_torndown(hvk, message->gpadl);
		break;
	case VMBUS_MSG_VERSION_RESPONSE:
		hvk_contact_version_response(hvk, message);
		break;
	case VMBUS_MSG_UNLOAD_RESPONSE:
		hvk_contact_unload_response(hvk);
		break;
	default: /* MODIFY_CHANNEL_RESPONSE: nobody has asked */
		HVK_COUNT(hvk->counters.late_messages);
		break;
	}
}

void hvk_bus_take_message(struct hvk *hvk, uint32_t cpu, const struct hv_message *slot)
{
	struct hvk_pages page = {0};
	const struct hvk_version *version;
	struct hvk_message message;
	hvk_status status;

	if (slot->type != HV_MESSAGE_VMBUS) {
		(void)hvk_fault(hvk, HVK_EHOST_MESSAGE, "cpu %u: SynIC message of type 0x%x", cpu,
				slot->type);
		return;
	}
	hvk_lock(hvk, &hvk->bus->lock);
	version = hvk->bus->version;
	hvk_unlock(hvk, &hvk->bus->lock);
	status = hvk_message_check(slot->payload, slot->payload_size, version, &message);
	if (status != HVK_OK) {
		(void)hvk_fault(hvk, status, "control message of type %u, %u bytes", (uint32_t)message.type,
				(uint32_t)slot->payload_size);
		return;
	}
	hvk_log(hvk, HVK_LOG_DEBUG, "vmbus: message %u, channel %u", (uint32_t)message.type,
		message.channel_id);
	/* Memory comes from the port, and the port is not called with a lock held. */
	if (message.type == VMBUS_MSG_OFFER_CHANNEL)
		(void)hvk_pages_get(hvk, 1, HVK_PAGE_PRIVATE, &page);
	hvk_lock(hvk, &hvk->bus->lock);
	dispatch(hvk, &message, &page);
	hvk_unlock(hvk, &hvk->bus->lock);
	hvk_pages_put(hvk, &page);
}

static void take_event(struct hvk *hvk, uint32_t channel_id)
{
	struct hvk_channel *channel = hvk_offer_find(hvk, channel_id);

	/* Events of a channel that is not open mean nothing: stale, or to be looked for when
	 * it is. */
	if (channel && channel->state == HVK_CHANNEL_OPEN)
		hvk_cpu_put_ready(hvk, channel);
}

void hvk_bus_take_events(struct hvk *hvk, const uint32_t *words)
{
	hvk_lock(hvk, &hvk->bus->lock);
	for (uint32_t i = 0; i < VMBUS_MAX_CHANNELS / 32; i++) {
		for (uint32_t word = words[i]; word != 0; word &= word - 1)
			take_event(hvk, i * 32 + (uint32_t)__builtin_ctz(word));
	}
	hvk_unlock(hvk, &hvk->bus->lock);
}

static void check_deadlines(struct hvk *hvk)
{
	uint64_t now = hvk_time(hvk);

	hvk_contact_advance(hvk, now);
	hvk_gpadl_check_deadlines(hvk, now);
	for (struct hvk_channel *channel = hvk->bus->channels; channel; channel = channel->next)
		hvk_channel_check_deadline(hvk, channel, now);
}

static void finish_connect(struct hvk *hvk)
{
	struct hvk_bus *bus = hvk->bus;

	hvk_lock(hvk, &bus->lock);
	if (bus->connect_finished) {
		struct hvk_request *request = bus->request;

		bus->connect_finished = false;
		bus->request = NULL;
		hvk_request_finish(hvk, request, HVK_OK, bus->config.cpu);
	}
	hvk_unlock(hvk, &bus->lock);
}

/* The contact CPU does the bus' work. */
bool hvk_bus_poll(struct hvk *hvk, uint32_t cpu)
{
	bool dirty, more;

	if (cpu != __atomic_load_n(&hvk->bus->contact_cpu, __ATOMIC_RELAXED))
		return false;
	hvk_clock_check(hvk);
	hvk_lock(hvk, &hvk->bus->lock);
	check_deadlines(hvk);
	hvk_out_pump(hvk);
	hvk_unlock(hvk, &hvk->bus->lock);
	hvk_gpadl_settle(hvk);
	hvk_lock(hvk, &hvk->bus->lock);
	hvk_contact_advance(hvk, 0); /* the last close may have settled just now */
	dirty = hvk->bus->dirty;
	hvk->bus->dirty = false;
	hvk_unlock(hvk, &hvk->bus->lock);
	if (dirty)
		hvk_offer_announce(hvk);
	hvk_contact_settle(hvk);
	finish_connect(hvk);
	hvk_lock(hvk, &hvk->bus->lock);
	more = hvk->bus->dirty || (hvk->bus->out_first && hvk->bus->retry_at == 0);
	hvk_unlock(hvk, &hvk->bus->lock);
	return more;
}

uint64_t hvk_bus_deadline(struct hvk *hvk)
{
	uint64_t deadline, other;

	hvk_lock(hvk, &hvk->bus->lock);
	deadline = hvk->bus->dirty ? 0 : hvk_contact_deadline(hvk);
	other = hvk_out_deadline(hvk);
	deadline = other < deadline ? other : deadline;
	other = hvk_gpadl_deadline(hvk);
	deadline = other < deadline ? other : deadline;
	for (const struct hvk_channel *channel = hvk->bus->channels; channel; channel = channel->next)
		deadline = channel->deadline < deadline ? channel->deadline : deadline;
	hvk_unlock(hvk, &hvk->bus->lock);
	return deadline;
}

/* --- Looking inside ------------------------------------------------------------------ */

enum hvk_vmbus_state hvk_vmbus_state(const struct hvk *hvk)
{
	return __atomic_load_n(&hvk->bus->state, __ATOMIC_RELAXED);
}

uint32_t hvk_vmbus_version(const struct hvk *hvk)
{
	const struct hvk_bus *bus = hvk->bus;

	return bus->state == HVK_VMBUS_CONNECTED && bus->version ? bus->version->version : 0;
}

bool hvk_vmbus_attempt(const struct hvk *hvk, uint32_t n, uint32_t *version, bool *accepted)
{
	if (n >= hvk->bus->attempt_count)
		return false;
	*version = hvk->bus->attempts[n].version;
	*accepted = hvk->bus->attempts[n].accepted;
	return true;
}

static const char *state_name(enum hvk_vmbus_state state)
{
	switch (state) {
	case HVK_VMBUS_COLD:
		return "cold";
	case HVK_VMBUS_CONNECTING:
		return "connecting";
	case HVK_VMBUS_CONNECTED:
		return "connected";
	case HVK_VMBUS_UNLOADING:
		return "unloading";
	case HVK_VMBUS_SUSPENDED:
		return "suspended";
	case HVK_VMBUS_ABANDONED:
		return "abandoned";
	}
	return "?";
}

static const char *channel_state_name(enum hvk_channel_state state)
{
	switch (state) {
	case HVK_CHANNEL_CLOSED:
		return "closed";
	case HVK_CHANNEL_OPENING:
		return "opening";
	case HVK_CHANNEL_OPEN:
		return "open";
	case HVK_CHANNEL_CLOSING:
		return "closing";
	case HVK_CHANNEL_RESCINDED:
		return "rescinded";
	}
	return "?";
}

void hvk_channel_dump(struct hvk_channel *channel, hvk_dump_line line, void *context)
{
	const struct hvk_channel_counters *c = &channel->counters;
	enum hvk_channel_state state = hvk_channel_state(channel);
	char text[160];

	line(context,
	     hvk_format(text, sizeof(text), "channel %u: %s, cpu %u, connection 0x%x%s",
			channel->offer.channel_id, channel_state_name(state), channel->config.cpu,
			channel->offer.connection_id, channel->dead != HVK_OK ? ", ring corrupt" : ""));
	if (state != HVK_CHANNEL_OPEN)
		return;
	line(context,
	     hvk_format(text, sizeof(text), "  rings: out %u bytes, %u free; in %u bytes; requests %u of %u",
			channel->out.data.size, hvk_ring_out_free(&channel->out), channel->in.data.size,
			(uint32_t)channel->requests.busy_count, (uint32_t)channel->requests.limit));
	line(context,
	     hvk_format(text, sizeof(text),
			"  sent %llu, received %llu, signals %llu, full %llu, late %llu, faults %llu",
			(unsigned long long)c->sent, (unsigned long long)c->received,
			(unsigned long long)c->signals, (unsigned long long)c->full,
			(unsigned long long)c->late_completions, (unsigned long long)c->faults));
}

void hvk_bus_dump(struct hvk *hvk, hvk_dump_line line, void *context)
{
	const struct hvk_bus *bus = hvk->bus;
	uint32_t gpadls = 0, version = bus->version ? bus->version->version : 0;
	char text[160];

	for (const struct hvk_gpadl *gpadl = bus->gpadls; gpadl; gpadl = gpadl->next)
		gpadls++;
	line(context, hvk_format(text, sizeof(text), "vmbus: %s, version %u.%u, %u channels, %u gpadls",
				 state_name(bus->state), version >> 16, version & 0xffffu, bus->channel_count,
				 gpadls));
	for (struct hvk_channel *channel = bus->channels; channel; channel = channel->next)
		hvk_channel_dump(channel, line, context);
}
