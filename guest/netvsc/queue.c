/* SPDX-License-Identifier: MIT */
/* A queue: one channel, from before it is opened until after it is closed. */
#include "guest/netvsc/netvsc_internal.h"

/* --- Its work outside of ready --------------------------------------------------------- */

bool hvk_netvsc_queue_kick_mark(struct netvsc_queue *queue)
{
	return !__atomic_exchange_n(&queue->kicked, true, __ATOMIC_SEQ_CST);
}

/* To where the channel is, which under lock is there as long as it is open; or where it is opened. */
void hvk_netvsc_queue_kick_send(struct netvsc_queue *queue)
{
	struct hvk_netvsc *nic = queue->nic;
	uint32_t cpu;

	hvk_lock(nic->hvk, &queue->lock);
	cpu = netvsc_queue_is_open(queue) ? hvk_channel_cpu(queue->channel) : nic->config.cpu;
	hvk_unlock(nic->hvk, &queue->lock);
	hvk_request_begin(&queue->kick);
	hvk_request_finish(nic->hvk, &queue->kick, HVK_OK, cpu);
}

static void work(struct hvk_request *request, void *context)
{
	struct netvsc_queue *queue = context;

	(void)request;
	if (!hvk_netvsc_queue_enter(queue)) {
		hvk_netvsc_queue_kick_send(queue);
		return;
	}
	(void)__atomic_exchange_n(&queue->kicked, false, __ATOMIC_SEQ_CST);
	if (netvsc_queue_is_open(queue)) {
		hvk_netvsc_lend_collect(queue);
		hvk_netvsc_receive_complete(queue);
		hvk_netvsc_transmit_room(queue);
	}
	hvk_netvsc_queue_leave(queue);
}

void hvk_netvsc_come_back(struct hvk_netvsc *nic, struct hvk_request *request)
{
	hvk_status status = request->status;

	hvk_request_begin(request);
	hvk_request_finish(nic->hvk, request, status, nic->config.cpu);
}

/* --- Life ----------------------------------------------------------------------------------- */

hvk_status hvk_netvsc_queue_init(struct hvk_netvsc *nic, uint32_t index)
{
	struct netvsc_queue *queue = &nic->queues[index];

	queue->nic = nic;
	queue->index = index;
	queue->kick = (struct hvk_request){.done = work, .context = queue};
	return hvk_lock_init(nic->hvk, &queue->lock);
}

hvk_status hvk_netvsc_queue_start(struct netvsc_queue *queue, struct hvk_channel *channel, uint32_t cpu,
				  struct hvk_request *request)
{
	const struct hvk_netvsc_config *nic_config = &queue->nic->config;
	const struct hvk_channel_config config = {
		.cpu = cpu,
		.tx_pages = nic_config->ring_pages,
		.rx_pages = nic_config->ring_pages,
		.requests_max = HVK_NETVSC_SENDS + HVK_NETVSC_CONTROL_SLOTS + 2, /* frames, RNDIS, NVS */
		.ready = hvk_netvsc_ready,
		.context = queue,
	};
	hvk_status status = hvk_netvsc_transmit_start(queue);

	queue->channel = channel;
	queue->lost = false;
	if (status == HVK_OK && queue->index != 0)
		status = hvk_netvsc_receive_start_queue(queue);
	if (status != HVK_OK)
		return status;
	hvk_channel_open(channel, &config, request);
	return HVK_EINPROGRESS;
}

/* Only queue 0 opens and closes queues. */
static void count_open(struct hvk_netvsc *nic)
{
	__atomic_store_n(&nic->queues_in_use, hvk_netvsc_queues_open(nic), __ATOMIC_RELAXED);
}

/* If frames flow already, this one takes part at once. */
void hvk_netvsc_queue_opened(struct netvsc_queue *queue)
{
	struct hvk_netvsc *nic = queue->nic;
	struct netvsc_queue *primary = netvsc_primary(nic);
	enum netvsc_tx_state state = __atomic_load_n(&primary->tx.state, __ATOMIC_RELAXED);

	__atomic_store_n(&queue->open, true, __ATOMIC_RELEASE);
	count_open(nic);
	if (queue->index != 0)
		hvk_netvsc_transmit_state(queue, state);
}

static void shut(struct netvsc_queue *queue)
{
	__atomic_store_n(&queue->open, false, __ATOMIC_RELEASE);
	count_open(queue->nic);
}

void hvk_netvsc_queue_quiet(struct netvsc_queue *queue)
{
	hvk_netvsc_transmit_state(queue, NETVSC_TX_CLOSED);
	shut(queue);
}

/* Frames that were lent are the user's for as long as he likes. */
static bool lingers(struct netvsc_queue *queue)
{
	bool lent;

	hvk_lock(queue->nic->hvk, &queue->lock);
	lent = queue->rx.lend.outstanding != 0;
	queue->lingers = lent;
	hvk_unlock(queue->nic->hvk, &queue->lock);
	return lent;
}

void hvk_netvsc_queue_stop(struct netvsc_queue *queue, bool withhold)
{
	shut(queue);
	hvk_netvsc_transmit_stop(queue, withhold);
	if (!lingers(queue))
		hvk_netvsc_receive_stop(queue);
}

void hvk_netvsc_queues_settle(struct hvk_netvsc *nic)
{
	for (uint32_t i = 1; i < nic->queue_count; i++) {
		struct netvsc_queue *queue = &nic->queues[i];

		if (queue->lingers && !lingers(queue))
			hvk_netvsc_receive_stop(queue);
	}
}

/* --- All of them ---------------------------------------------------------------------------- */

bool hvk_netvsc_all_queues(struct hvk_netvsc *nic, bool (*is)(struct netvsc_queue *queue))
{
	bool all = true;

	for (uint32_t i = 0; all && i < nic->queue_count; i++) {
		hvk_lock(nic->hvk, &nic->queues[i].lock);
		all = is(&nic->queues[i]);
		hvk_unlock(nic->hvk, &nic->queues[i].lock);
	}
	return all;
}

uint32_t hvk_netvsc_queues_open(const struct hvk_netvsc *nic)
{
	uint32_t count = 0;

	while (count < nic->queue_count && netvsc_queue_is_open(&nic->queues[count]))
		count++;
	return count;
}
