/* SPDX-License-Identifier: MIT */
/* The object: creating it, what is asked of it, and its work on the channel's CPU. */
#include "guest/netvsc/netvsc_internal.h"

#define DEFAULT_RING_PAGES 64u
#define DEFAULT_RECEIVE_PAGES 512u
#define DEFAULT_SEND_PAGES 256u
#define DEFAULT_MTU 1500u
#define RING_PAGES_MAX 4094u
#define RECEIVE_PAGES_MIN 16u /* hosts refuse less than they need for themselves */
#define MTU_MIN 68u
#define MTU_MAX 65521u

static void add_counters(struct netvsc_queue *queue, struct hvk_netdev_counters *out)
{
	const uint64_t *from = (const uint64_t *)&queue->counters;
	uint64_t *to = (uint64_t *)out;

	hvk_lock(queue->nic->hvk, &queue->lock);
	for (size_t i = 0; i < sizeof(*out) / sizeof(*to); i++)
		to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	hvk_unlock(queue->nic->hvk, &queue->lock);
}

static void get_counters(struct hvk_netdev *netdev, struct hvk_netdev_counters *out)
{
	struct hvk_netvsc *nic = (struct hvk_netvsc *)netdev;

	*out = (struct hvk_netdev_counters){0};
	for (uint32_t i = 0; i < nic->queue_count; i++)
		add_counters(&nic->queues[i], out);
}

static void get_queue_counters(struct hvk_netdev *netdev, uint32_t queue, struct hvk_netdev_counters *out)
{
	struct hvk_netvsc *nic = (struct hvk_netvsc *)netdev;

	*out = (struct hvk_netdev_counters){0};
	if (queue < nic->queue_count)
		add_counters(&nic->queues[queue], out);
}

static const struct hvk_netdev_ops ops = {
	.transmit = hvk_netvsc_transmit,
	.set_flags = hvk_netvsc_set_flags,
	.get_counters = get_counters,
	.release = hvk_netvsc_release,
	.get_queue_counters = get_queue_counters,
	.flush = hvk_netvsc_flush,
};

/* --- Work on the channel's CPU ------------------------------------------------------------ */

bool hvk_netvsc_kick_mark(struct hvk_netvsc *nic)
{
	return !__atomic_exchange_n(&nic->kicked, true, __ATOMIC_SEQ_CST);
}

void hvk_netvsc_kick_queue(struct hvk_netvsc *nic)
{
	hvk_request_begin(&nic->kick);
	hvk_request_finish(nic->hvk, &nic->kick, HVK_OK, nic->config.cpu);
}

void hvk_netvsc_kick(struct hvk_netvsc *nic)
{
	if (hvk_netvsc_kick_mark(nic))
		hvk_netvsc_kick_queue(nic);
}

void hvk_netvsc_fault(struct hvk_netvsc *nic, hvk_status status, const char *what)
{
	__atomic_fetch_add(&nic->faults, 1, __ATOMIC_RELAXED);
	(void)hvk_fault(nic->hvk, status, "netvsc: %s", what);
}

static void tell_lost(struct hvk_netvsc *nic)
{
	const struct hvk_netdev_hooks *hooks = &nic->netdev.hooks;

	if (netvsc_state(nic) != NETVSC_ATTACHED) {
		hvk_netvsc_steps_interrupt(nic, netvsc_lost(nic));
		return;
	}
	if (nic->gone_told)
		return;
	nic->gone_told = true;
	hvk_log(nic->hvk, HVK_LOG_WARN, "netvsc: %s", hvk_status_text(netvsc_lost(nic)));
	hvk_netvsc_operations_cancel(nic, HVK_EGONE);
	if (hooks->gone)
		hooks->gone(hooks->context, &nic->netdev);
}

void hvk_netvsc_lost(struct netvsc_queue *queue, hvk_status status)
{
	struct hvk_netvsc *nic = queue->nic;

	if (netvsc_lost(nic) == HVK_OK)
		netvsc_set_lost(nic, status);
	hvk_netvsc_transmit_open(nic, NETVSC_TX_CLOSED);
	if (queue->index == 0) {
		tell_lost(nic);
		return;
	}
	__atomic_store_n(&nic->lost_untold, true, __ATOMIC_SEQ_CST);
	hvk_netvsc_kick(nic);
}

void hvk_netvsc_end(struct hvk_netvsc *nic, enum netvsc_state state)
{
	nic->ended = true;
	nic->next = state;
	hvk_netvsc_kick(nic);
}

/* Requests are finished here and not where the sequence ends, so that nothing of ours is
 * queued any more when the user hears of the end and destroys the object. */
static void finish(struct hvk_netvsc *nic)
{
	struct hvk_request *attach, *detach = NULL;
	bool was_detached = nic->next == NETVSC_DETACHED;

	hvk_lock(nic->hvk, &nic->lock);
	nic->ended = false;
	nic->started = false;
	netvsc_set_state(nic, nic->next);
	attach = nic->attach_request;
	nic->attach_request = NULL;
	if (was_detached) {
		detach = nic->detach_request;
		nic->detach_request = NULL;
		nic->detach_wanted = false;
	}
	hvk_unlock(nic->hvk, &nic->lock);
	if (was_detached) {
		nic->nvs_version = 0;
		nic->netdev.info.link_up = false;
	}
	hvk_request_finish(nic->hvk, attach, nic->result, nic->config.cpu);
	hvk_request_finish(nic->hvk, detach, nic->close_status, nic->config.cpu);
}

static void forget_last_time(struct hvk_netvsc *nic)
{
	struct hvk_netdev_info *info = &nic->netdev.info;

	netvsc_set_lost(nic, HVK_OK);
	nic->gone_told = false;
	nic->lost_untold = false;
	nic->section_size = 0;
	nic->send_table_known = false;
	nic->result = HVK_OK;
	nic->close_status = HVK_OK;
	nic->opened = false;
	nic->receive_connected = false;
	nic->send_connected = false;
	nic->rndis_up = false;
	nic->silent = false;
	nic->withhold = false;
	nic->revoke_unanswered = false;
	nic->nvs_version = 0;
	nic->nvs_attempt = 0;
	nic->receive_gpadl = (struct hvk_gpadl){0};
	nic->send_gpadl = (struct hvk_gpadl){0};
	nic->receive_teardown_begun = false;
	nic->send_teardown_begun = false;
	*info = (struct hvk_netdev_info){.mtu = nic->config.mtu,
					 .frame_max = nic->config.mtu + HVK_ETHERNET_HEADER};
}

static void start_attach(struct hvk_netvsc *nic)
{
	nic->started = true;
	forget_last_time(nic);
	hvk_netvsc_steps_start(nic, &hvk_netvsc_attach_sequence);
}

static void start_detach(struct hvk_netvsc *nic)
{
	hvk_lock(nic->hvk, &nic->lock);
	netvsc_set_state(nic, NETVSC_DETACHING);
	hvk_unlock(nic->hvk, &nic->lock);
	nic->started = true;
	hvk_netvsc_steps_start(nic, &hvk_netvsc_detach_sequence);
}

/* Runs in hvk_poll of the channel's CPU, once per kick or more rarely. */
static void work(struct hvk_request *request, void *context)
{
	static const struct netvsc_answer over = {HVK_OK, NULL, 0};
	struct hvk_netvsc *nic = context;
	bool detach;

	(void)request;
	if (!hvk_netvsc_enter(nic)) {
		hvk_netvsc_kick_queue(nic);
		return;
	}
	(void)__atomic_exchange_n(&nic->kicked, false, __ATOMIC_SEQ_CST);
	hvk_lock(nic->hvk, &nic->lock);
	detach = nic->detach_wanted;
	hvk_unlock(nic->hvk, &nic->lock);
	if (nic->ended)
		finish(nic);
	if (__atomic_exchange_n(&nic->lost_untold, false, __ATOMIC_SEQ_CST))
		tell_lost(nic);
	switch (netvsc_state(nic)) {
	case NETVSC_ATTACHING:
		if (!nic->started)
			start_attach(nic);
		if (detach)
			hvk_netvsc_steps_interrupt(nic, HVK_ECANCELED);
		break;
	case NETVSC_ATTACHED:
		if (netvsc_lost(nic) != HVK_OK)
			tell_lost(nic);
		if (detach)
			start_detach(nic);
		else
			hvk_netvsc_operations_run(nic);
		break;
	case NETVSC_DETACHING:
		if (hvk_netvsc_lend_idle(nic))
			hvk_netvsc_steps_answer(nic, NETVSC_EVENT_LENT, &over);
		if (hvk_netvsc_transmit_idle(nic))
			hvk_netvsc_steps_answer(nic, NETVSC_EVENT_SENDS, &over);
		break;
	case NETVSC_DETACHED:
		break;
	}
	hvk_netvsc_leave(nic);
}

/* --- Public -------------------------------------------------------------------------------- */

static bool is_nvs_version(uint32_t version)
{
	return version == NVS_VERSION_1 || version == NVS_VERSION_2 || version == NVS_VERSION_4 ||
	       version == NVS_VERSION_5 || version == NVS_VERSION_6 || version == NVS_VERSION_6_1;
}

static uint32_t or_default(uint32_t value, uint32_t standard)
{
	return value == 0 ? standard : value;
}

static hvk_status check_config(const struct hvk *hvk, struct hvk_netvsc_config *config)
{
	config->ring_pages = or_default(config->ring_pages, DEFAULT_RING_PAGES);
	config->receive_buffer_pages = or_default(config->receive_buffer_pages, DEFAULT_RECEIVE_PAGES);
	config->send_buffer_pages = or_default(config->send_buffer_pages, DEFAULT_SEND_PAGES);
	config->mtu = or_default(config->mtu, DEFAULT_MTU);
	config->copy_max = or_default(config->copy_max, UINT32_MAX);
	config->nvs_newest = or_default(config->nvs_newest, NVS_VERSION_6_1);
	config->queues = or_default(config->queues, 1);
	if (config->ring_pages > RING_PAGES_MAX || config->receive_buffer_pages < RECEIVE_PAGES_MIN ||
	    config->receive_buffer_pages > VMBUS_GPADL_PAGES_MAX || config->rx_borrow > HVK_NETVSC_BORROW_MAX)
		return HVK_EINVAL;
	if (config->queues > HVK_NETVSC_QUEUES_MAX || (config->offloads & ~HVK_NETDEV_ALL_OFFLOADS))
		return HVK_EINVAL;
	if (config->send_buffer_pages > VMBUS_GPADL_PAGES_MAX &&
	    config->send_buffer_pages != HVK_NETVSC_NO_SEND_BUFFER)
		return HVK_EINVAL;
	if (config->mtu < MTU_MIN || config->mtu > MTU_MAX || config->cpu >= hvk_cpu_count(hvk))
		return HVK_EINVAL;
	return is_nvs_version(config->nvs_newest) ? HVK_OK : HVK_EINVAL;
}

hvk_status hvk_netvsc_create(struct hvk_channel *channel, const struct hvk_netvsc_config *config,
			     struct hvk_netvsc **out)
{
	static const struct vmbus_guid type = VMBUS_GUID_NETVSC;
	const struct hvk_offer *offer = hvk_channel_offer(channel);
	struct hvk *hvk = hvk_channel_instance(channel);
	struct hvk_netvsc_config checked = *config;
	struct hvk_pages pages;
	struct hvk_netvsc *nic;
	uint64_t bytes;
	hvk_status status = check_config(hvk, &checked);

	*out = NULL;
	if (status != HVK_OK)
		return status;
	if (memcmp(&offer->type, &type, sizeof(type)) != 0 || offer->subchannel_index != 0)
		return HVK_EINVAL;
	status = hvk_channel_claim(channel); /* until destroy: the host may take it back at any time */
	if (status != HVK_OK)
		return status;
	bytes = sizeof(*nic) + checked.queues * sizeof(nic->queues[0]);
	status = hvk_pages_get(hvk, (uint32_t)((bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE), HVK_PAGE_PRIVATE,
			       &pages);
	if (status != HVK_OK) {
		hvk_channel_unclaim(channel);
		return status;
	}
	nic = pages.address; /* zeros */
	nic->pages = pages;
	nic->hvk = hvk;
	nic->channel = channel;
	nic->config = checked;
	nic->netdev.ops = &ops;
	nic->nvs_ticket.kind = NETVSC_TICKET_NVS;
	nic->kick = (struct hvk_request){.done = work, .context = nic};
	hvk_netvsc_steps_init(nic);
	hvk_netvsc_control_init(nic);
	forget_last_time(nic);
	nic->queue_count = checked.queues;
	status = hvk_lock_init(hvk, &nic->lock);
	for (uint32_t i = 0; status == HVK_OK && i < nic->queue_count; i++)
		status = hvk_netvsc_queue_init(nic, i);
	if (status == HVK_OK) {
		*out = nic;
	} else {
		hvk_pages_put(hvk, &pages);
		hvk_channel_unclaim(channel);
	}
	return status;
}

hvk_status hvk_netvsc_destroy(struct hvk_netvsc *nic)
{
	struct hvk_pages pages = nic->pages;
	struct hvk *hvk = nic->hvk;
	bool idle;

	for (uint32_t i = 0; i < nic->queue_count; i++) {
		if (__atomic_load_n(&nic->queues[i].kicked, __ATOMIC_SEQ_CST))
			return HVK_ESTATE;
	}
	hvk_lock(hvk, &nic->lock);
	idle = netvsc_state(nic) == NETVSC_DETACHED && !__atomic_load_n(&nic->kicked, __ATOMIC_SEQ_CST);
	hvk_unlock(hvk, &nic->lock);
	if (!idle)
		return HVK_ESTATE;
	hvk_channel_unclaim(nic->channel);
	hvk_pages_put(hvk, &pages);
	return HVK_OK;
}

void hvk_netvsc_attach(struct hvk_netvsc *nic, struct hvk_request *request)
{
	hvk_status status = HVK_ESTATE;

	hvk_request_begin(request);
	if (!hvk_cpu_runs(nic->hvk, nic->config.cpu)) { /* its polls would never come */
		hvk_request_finish(nic->hvk, request, HVK_EINVAL, hvk_cpu_index(nic->hvk));
		return;
	}
	hvk_lock(nic->hvk, &nic->lock);
	if (netvsc_state(nic) == NETVSC_DETACHED) {
		netvsc_set_state(nic, NETVSC_ATTACHING);
		nic->attach_request = request;
		status = HVK_OK;
	}
	hvk_unlock(nic->hvk, &nic->lock);
	if (status == HVK_OK)
		hvk_netvsc_kick(nic);
	else
		hvk_request_finish(nic->hvk, request, status, nic->config.cpu);
}

void hvk_netvsc_detach(struct hvk_netvsc *nic, struct hvk_request *request)
{
	hvk_status status = HVK_EINPROGRESS;

	hvk_request_begin(request);
	hvk_lock(nic->hvk, &nic->lock);
	if (netvsc_state(nic) == NETVSC_DETACHED)
		status = HVK_OK;
	else if (nic->detach_wanted)
		status = HVK_EBUSY;
	if (status == HVK_EINPROGRESS) {
		nic->detach_wanted = true;
		nic->detach_request = request;
	}
	hvk_unlock(nic->hvk, &nic->lock);
	if (status == HVK_EINPROGRESS)
		hvk_netvsc_kick(nic);
	else
		hvk_request_finish(nic->hvk, request, status, nic->config.cpu);
}

struct hvk_netdev *hvk_netvsc_netdev(struct hvk_netvsc *nic)
{
	return &nic->netdev;
}

struct hvk_channel *hvk_netvsc_channel(struct hvk_netvsc *nic)
{
	return nic->channel;
}

struct hvk_channel *hvk_netvsc_queue_channel(struct hvk_netvsc *nic, uint32_t queue)
{
	if (queue == 0)
		return nic->channel;
	return queue < hvk_netvsc_queues_open(nic) ? nic->queues[queue].channel : NULL;
}

uint32_t hvk_netvsc_nvs_version(const struct hvk_netvsc *nic)
{
	return nic->nvs_version;
}
