/* SPDX-License-Identifier: MIT */
/*
 * Telling the host that a ring has something, or room again. Whether to is the ring's
 * rule (ring.c); how is the offer's: docs/vmbus-versions.md.
 */
#include "guest/vmbus/bus.h"

/* In the interrupt page. Before the hypercall or the monitor bit, or the host looks there
 * first. */
static void set_event_bit(struct hvk_channel *channel)
{
	uint32_t id = channel->offer.channel_id;

	(void)hvk_shared_or(&channel->hvk->bus->interrupt_bits,
			    VMBUS_INTERRUPT_PAGE_GUEST_TO_HOST + id / 32 * 4, 1u << (id % 32));
}

/* The host looks at the page whenever its latency is over: a signal for no exit, but later. The
 * interrupt-page bit goes with it, dedicated or not (Linux, FreeBSD, iPXE). */
static void leave_in_monitor_page(struct hvk_channel *channel)
{
	uint32_t group = channel->offer.monitor_id / 32u, bit = channel->offer.monitor_id % 32u;

	HVK_COUNT(channel->counters.monitor_signals);
	set_event_bit(channel);
	(void)hvk_shared_or(&channel->hvk->bus->monitor,
			    VMBUS_MONITOR_GROUP_OFFSET + group * VMBUS_MONITOR_GROUP_STRIDE, 1u << bit);
}

void hvk_channel_signal_host(struct hvk_channel *channel)
{
	const struct hvk_offer *offer = &channel->offer;
	struct hvk *hvk = channel->hvk;

	if (hvk_channel_rescinded(channel))
		return; /* nobody is there, and the pages that the bits are in may be gone */
	if (offer->monitored && !channel->config.low_latency) {
		leave_in_monitor_page(channel);
		return;
	}
	HVK_COUNT(channel->counters.signals);
	if (hvk->bus->version->shared_signal || !offer->dedicated)
		set_event_bit(channel);
	(void)hvk_signal(hvk, offer->connection_id, 0);
}
