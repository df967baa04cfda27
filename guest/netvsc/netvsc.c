/* SPDX-License-Identifier: MIT */
/* The object: creating it, what is asked of it, and its work on the channel's CPU. */
#include "guest/netvsc/netvsc_internal.h"

#define DEFAULT_RING_PAGES 64u
#define DEFAULT_RECEIVE_PAGES 512u
#define DEFAULT_SEND_PAGES 256u
#define DEFAULT_MTU 1500u
#define DEFAULT_UDP4_CHECKSUM 1420u
#define RING_PAGES_MAX 4094u
#define RECEIVE_PAGES_MIN 16u /* hosts refuse less than they need for themselves */

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

#ifndef HVK_CONFIG_SMALL
static void get_queue_counters(struct hvk_netdev *netdev, uint32_t queue, struct hvk_netdev_counters *out)
{
	struct hvk_netvsc *nic = (struct hvk_netvsc *)netdev;

	*out = (struct hvk_netdev_counters){0};
	if (queue < nic->queue_count)
		add_counters(&nic->queues[queue], out);
}
#endif

static const struct hvk_netdev_ops ops = {
	.transmit = hvk_netvsc_transmit,
	.set_flags = hvk_netvsc_set_flags,
	.get_counters = get_counters,
	.flush = hvk_netvsc_flush,
	.transmit_many = hvk_netvsc_transmit_many,
	.set_multicast = hvk_netvsc_set_multicast,
	.refuse = hvk_netvsc_refuse,
#ifndef HVK_CONFIG_SMALL
	.release = hvk_netvsc_release,
	.get_queue_counters = get_queue_counters,
	.set_enabled = hvk_netvsc_set_enabled,
	.set_mtu = hvk_netvsc_set_mtu,
	.set_rss = hvk_netvsc_set_rss,
	.get_rss = hvk_netvsc_get_rss,
#endif
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

void hvk_netvsc_timer_late(struct hvk_netvsc *nic)
{
	__atomic_store_n(&nic->timer_late, true, __ATOMIC_SEQ_CST);
	hvk_netvsc_kick(nic);
}

void hvk_netvsc_fault(struct hvk_netvsc *nic, hvk_status status, const char *what)
{
	__atomic_fetch_add(&nic->faults, 1, __ATOMIC_RELAXED);
	(void)hvk_fault(nic->hvk, status, "netvsc: %s", what);
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
	config->udp4_checksum_max = or_default(config->udp4_checksum_max, DEFAULT_UDP4_CHECKSUM);
	if (config->ring_pages > RING_PAGES_MAX || config->receive_buffer_pages < RECEIVE_PAGES_MIN ||
	    config->receive_buffer_pages > VMBUS_GPADL_PAGES_MAX || config->rx_borrow > HVK_NETVSC_BORROW_MAX)
		return HVK_EINVAL;
	if (config->queues > HVK_NETVSC_QUEUES_MAX || (config->offloads & ~HVK_NETDEV_ALL_OFFLOADS))
		return HVK_EINVAL;
	if (config->send_buffer_pages > VMBUS_GPADL_PAGES_MAX &&
	    config->send_buffer_pages != HVK_NETVSC_NO_SEND_BUFFER)
		return HVK_EINVAL;
	if (config->mtu < HVK_NETVSC_MTU_MIN || config->mtu > HVK_NETVSC_MTU_MAX ||
	    config->cpu >= hvk_cpu_count(hvk))
		return HVK_EINVAL;
	return is_nvs_version(config->nvs_newest) ? HVK_OK : HVK_EINVAL;
}

/* What is not in this build. NVS 6.1 would let the host join segments. */
static hvk_status limit_to_build(struct hvk_netvsc_config *config)
{
#ifdef HVK_CONFIG_SMALL
	if (config->queues > 1 || config->offloads != 0 || config->rx_borrow != 0 || config->vf)
		return HVK_ENOTSUP;
	if (config->nvs_newest == NVS_VERSION_6_1)
		config->nvs_newest = NVS_VERSION_6;
#endif
	(void)config;
	return HVK_OK;
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
	if (status == HVK_OK)
		status = limit_to_build(&checked);
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
	hvk_netvsc_steps_init(nic);
	hvk_netvsc_control_init(nic);
	hvk_netvsc_link_init(nic);
	hvk_netvsc_subchannels_init(nic);
	hvk_netvsc_life_init(nic);
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
