/* SPDX-License-Identifier: MIT */
/*
 * With HVK_CONFIG_SMALL, in place of lend.c, mtu.c, offload.c, rsc.c, rss.c, subchannels.c and
 * transmit_offload.c: a card with one queue, without offloads, whose frames are copied and whose MTU
 * stays. hvk_netvsc_create refuses a configuration that wants more (HVK_ENOTSUP).
 */
#include "guest/netvsc/netvsc_internal.h"
#include "guest/netvsc/transmit.h"

#ifdef HVK_CONFIG_SMALL

/* --- Steps: not wanted, or done at once -------------------------------------------------------- */

#define NOT_WANTED(name)              \
	bool name(const void *device) \
	{                             \
		(void)device;         \
		return false;         \
	}
#define NOTHING_TO_DO(name)           \
	hvk_status name(void *device) \
	{                             \
		(void)device;         \
		return HVK_OK;        \
	}
#define NOTHING_TO_TAKE(name)                                          \
	hvk_status name(void *device, const struct hvk_answer *answer) \
	{                                                              \
		(void)device;                                          \
		return answer->status;                                 \
	}

NOT_WANTED(hvk_netvsc_has_offloads)
NOT_WANTED(hvk_netvsc_may_have_rss)
NOT_WANTED(hvk_netvsc_wants_rss)
NOT_WANTED(hvk_netvsc_may_have_subchannels)
NOT_WANTED(hvk_netvsc_has_hooks)

NOTHING_TO_DO(hvk_netvsc_begin_capabilities)
NOTHING_TO_DO(hvk_netvsc_begin_offloads)
NOTHING_TO_DO(hvk_netvsc_begin_rss_query)
NOTHING_TO_DO(hvk_netvsc_begin_rss_off)
NOTHING_TO_DO(hvk_netvsc_begin_rss)
NOTHING_TO_DO(hvk_netvsc_begin_subchannels)
NOTHING_TO_DO(hvk_netvsc_await_subchannels)
NOTHING_TO_DO(hvk_netvsc_begin_open)
NOTHING_TO_DO(hvk_netvsc_begin_close_lost)
NOTHING_TO_DO(hvk_netvsc_begin_close_all)
NOTHING_TO_DO(hvk_netvsc_begin_hooks_off)

NOTHING_TO_TAKE(hvk_netvsc_take_capabilities)
NOTHING_TO_TAKE(hvk_netvsc_take_offloads)
NOTHING_TO_TAKE(hvk_netvsc_take_rss_query)
NOTHING_TO_TAKE(hvk_netvsc_take_subchannels)
NOTHING_TO_TAKE(hvk_netvsc_take_open)
NOTHING_TO_TAKE(hvk_netvsc_take_close)

/* --- One queue ------------------------------------------------------------------------------------ */

void hvk_netvsc_subchannels_init(struct hvk_netvsc *nic)
{
	(void)nic;
}

uint32_t hvk_netvsc_subchannels_news(struct hvk_netvsc *nic)
{
	(void)nic;
	return 0;
}

bool hvk_netvsc_subchannels_complete(struct hvk_netvsc *nic)
{
	(void)nic;
	return true;
}

uint32_t hvk_netvsc_queues_usable(const struct hvk_netvsc *nic)
{
	return netvsc_queues_in_use(nic) != 0;
}

hvk_status hvk_netvsc_rss_check(const struct hvk_netvsc *nic, const struct hvk_netdev_rss *rss)
{
	(void)nic;
	(void)rss;
	return HVK_ENOTSUP;
}

/* --- One MTU -------------------------------------------------------------------------------------- */

void hvk_netvsc_mtu_start(struct hvk_netvsc *nic, uint32_t mtu)
{
	(void)mtu; /* nobody asks for one: hvk_netdev_ops.set_mtu is NULL */
	hvk_netvsc_operation_finish(nic, HVK_ENOTSUP);
}

bool hvk_netvsc_mtu_goes_on(struct hvk_netvsc *nic)
{
	(void)nic;
	return false;
}

/* --- Frames without wishes, copied, whole ----------------------------------------------------------- */

hvk_status hvk_netvsc_transmit_prepare(const struct hvk_netvsc *nic, struct netvsc_wire *wire)
{
	(void)nic;
	(void)wire;
	return HVK_ENOTSUP;
}

hvk_status hvk_netvsc_lend_start(struct netvsc_queue *queue)
{
	(void)queue;
	return HVK_OK;
}

void hvk_netvsc_lend_stop(struct netvsc_queue *queue)
{
	(void)queue;
}

bool hvk_netvsc_lend_idle(struct hvk_netvsc *nic)
{
	(void)nic;
	return true;
}

void *hvk_netvsc_lend_frame(struct netvsc_queue *queue, uint64_t transaction_id, uint32_t ranges)
{
	(void)queue;
	(void)transaction_id;
	(void)ranges;
	return NULL;
}

bool hvk_netvsc_lend_seal(struct netvsc_queue *queue)
{
	(void)queue;
	return true;
}

/* No VF was asked for. */
void hvk_netvsc_take_association(struct hvk_netvsc *nic, const uint8_t *payload, uint32_t length)
{
	(void)nic;
	(void)payload;
	(void)length;
}

void hvk_netvsc_forget_association(struct hvk_netvsc *nic)
{
	(void)nic;
}

void hvk_netvsc_tell_association(struct hvk_netvsc *nic)
{
	(void)nic;
}

hvk_status hvk_netvsc_prepare_data_path(struct hvk_netvsc *nic)
{
	(void)nic;
	return HVK_ENOTSUP;
}

hvk_status hvk_netvsc_begin_data_path(void *device)
{
	(void)device;
	return HVK_ENOTSUP;
}

void hvk_netvsc_lend_begin(struct netvsc_queue *queue)
{
	(void)queue;
}

void hvk_netvsc_lend_collect(struct netvsc_queue *queue)
{
	(void)queue;
}

hvk_status hvk_netvsc_joining_start_queue(struct netvsc_queue *queue)
{
	(void)queue;
	return HVK_OK;
}

void hvk_netvsc_drop_parts(struct netvsc_queue *queue)
{
	(void)queue;
}

/* A host that joins though NVS 6.1 was not offered. */
void hvk_netvsc_receive_part(struct netvsc_queue *queue, const struct hvk_shared *range,
			     const struct hvk_rndis_frame *found)
{
	(void)range;
	(void)found;
	netvsc_count(&queue->counters.rx_dropped, 1);
	netvsc_count(&queue->counters.rx_incomplete, 1);
}

void hvk_netvsc_receive_joined(struct netvsc_queue *queue, const struct hvk_shared *range,
			       const struct hvk_rndis_frame *found)
{
	hvk_netvsc_receive_part(queue, range, found);
}

#endif
