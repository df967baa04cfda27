/* SPDX-License-Identifier: MIT */
/* Messages and events to where they belong; the bus' share of hvk_poll. */
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

	hvk_gpadl_forget_all(hvk, !let_go);
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
	const struct hvk_gpadl *gpadl;

	if (!hvk->quiesced && (bus->state != HVK_VMBUS_ABANDONED || bus->abandon_answered))
		return false;
	if (take_nth(&bus->interrupt_page, &n, out) || take_nth(&bus->monitor_pages, &n, out))
		return true;
	gpadl = hvk_gpadl_withheld(hvk, n);
	if (gpadl)
		*out = gpadl->pages;
	return gpadl != NULL;
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

static void dispatch(struct hvk *hvk, const struct hvk_message *message, struct hvk_offer_pages *pages)
{
	switch (message->type) {
	case VMBUS_MSG_OFFER_CHANNEL:
		hvk_offer_take(hvk, message, pages);
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
	case VMBUS_MSG_MODIFY_CHANNEL_RESPONSE:
		hvk_move_response(hvk, message);
		break;
	default: /* a guest's, or reserved: hvk_message_check lets none through */
		break;
	}
}

void hvk_bus_take_message(struct hvk *hvk, uint32_t cpu, const struct hv_message *slot)
{
	struct hvk_offer_pages pages = {0};
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
		hvk_offer_prepare(hvk, message.channel_id, &pages);
	hvk_lock(hvk, &hvk->bus->lock);
	dispatch(hvk, &message, &pages);
	hvk_unlock(hvk, &hvk->bus->lock);
	hvk_pages_put(hvk, &pages.ids);
	hvk_pages_put(hvk, &pages.channel);
}

static void take_event(struct hvk *hvk, uint32_t channel_id)
{
	struct hvk_channel *channel = hvk_offer_find(hvk, channel_id);

	if (!channel)
		return;
	HVK_COUNT(channel->counters.events);
	/* Events of a channel that is not open mean nothing: stale, or to be looked for when
	 * it is. */
	if (channel->state == HVK_CHANNEL_OPEN)
		hvk_cpu_put_ready(hvk, channel);
}

void hvk_bus_take_events(struct hvk *hvk, const uint32_t *words)
{
	hvk_lock(hvk, &hvk->bus->lock);
	for (uint32_t i = 0; i < hvk->event_words; i++) {
		for (uint32_t word = words[i]; word != 0; word &= word - 1)
			take_event(hvk, i * 32 + (uint32_t)__builtin_ctz(word));
	}
	hvk_unlock(hvk, &hvk->bus->lock);
}

static void check_deadlines(struct hvk *hvk, uint64_t now)
{
	struct hvk_link *next;

	hvk_contact_advance(hvk, now);
	hvk_gpadl_check_deadlines(hvk, now);
	for (struct hvk_link *link = hvk->bus->waiting; link; link = next) {
		next = link->next;
		hvk_channel_check_deadline(hvk, HVK_OWNER(hvk_channel, waiting, link), now);
	}
}

/* While contact is made there is nobody to tell, and thousands may be offered. */
static bool has_news(const struct hvk_bus *bus)
{
	return bus->dirty && bus->state != HVK_VMBUS_CONNECTING;
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
bool hvk_bus_poll(struct hvk *hvk, uint32_t cpu, uint64_t now)
{
	bool dirty, more;

	if (cpu != __atomic_load_n(&hvk->bus->contact_cpu, __ATOMIC_RELAXED))
		return false;
	hvk_clock_check(hvk);
	hvk_lock(hvk, &hvk->bus->lock);
	check_deadlines(hvk, now);
	hvk_out_pump(hvk);
	hvk_unlock(hvk, &hvk->bus->lock);
	hvk_gpadl_settle(hvk);
	hvk_lock(hvk, &hvk->bus->lock);
	hvk_contact_advance(hvk, 0); /* the last close may have settled just now */
	dirty = has_news(hvk->bus);
	if (dirty)
		hvk->bus->dirty = false;
	hvk_unlock(hvk, &hvk->bus->lock);
	if (dirty)
		hvk_news_tell(hvk);
	hvk_contact_settle(hvk);
	finish_connect(hvk);
	hvk_lock(hvk, &hvk->bus->lock);
	more = has_news(hvk->bus) || (hvk->bus->out_first && hvk->bus->retry_at == 0);
	hvk_unlock(hvk, &hvk->bus->lock);
	return more;
}

uint64_t hvk_bus_deadline(struct hvk *hvk)
{
	uint64_t deadline, other;

	hvk_lock(hvk, &hvk->bus->lock);
	deadline = has_news(hvk->bus) ? 0 : hvk_contact_deadline(hvk);
	other = hvk_out_deadline(hvk);
	deadline = other < deadline ? other : deadline;
	other = hvk_gpadl_deadline(hvk);
	deadline = other < deadline ? other : deadline;
	for (const struct hvk_link *link = hvk->bus->waiting; link; link = link->next) {
		other = HVK_OWNER(hvk_channel, waiting, link)->deadline;
		deadline = other < deadline ? other : deadline;
	}
	hvk_unlock(hvk, &hvk->bus->lock);
	return deadline;
}

/* --- For the user ------------------------------------------------------------------- */

enum hvk_vmbus_state hvk_vmbus_state(const struct hvk *hvk)
{
	return __atomic_load_n(&hvk->bus->state, __ATOMIC_RELAXED);
}

bool hvk_vmbus_boot_mode(const struct hvk *hvk)
{
	return hvk->bus->config.mode == HVK_VMBUS_MODE_BOOT;
}

uint32_t hvk_vmbus_contact_cpu(const struct hvk *hvk)
{
	return hvk->bus->contact_cpu;
}

uint32_t hvk_vmbus_version(const struct hvk *hvk)
{
	/* Once: it may be cleared meanwhile. */
	const struct hvk_version *version = __atomic_load_n(&hvk->bus->version, __ATOMIC_RELAXED);

	return hvk_vmbus_state(hvk) == HVK_VMBUS_CONNECTED && version ? version->version : 0;
}

bool hvk_vmbus_attempt(const struct hvk *hvk, uint32_t n, uint32_t *version, bool *accepted)
{
	if (n >= hvk->bus->attempt_count)
		return false;
	*version = hvk->bus->attempts[n].version;
	*accepted = hvk->bus->attempts[n].accepted;
	return true;
}
