/* SPDX-License-Identifier: MIT */
#include "apps/net/netif_hvk.h"

#include <string.h>

#include "lwip/etharp.h"
#include "lwip/pbuf.h"
#include "netif/ethernet.h"

#define FRAMES_PER_PAGE (HVK_PAGE_SIZE / NETIF_HVK_FRAME_BYTES)
#define SLOT_PAGES (NETIF_HVK_FRAMES / FRAMES_PER_PAGE)
_Static_assert(HVK_PAGE_SIZE % NETIF_HVK_FRAME_BYTES == 0, "a slot lies in one page");
_Static_assert(NETIF_HVK_FRAMES % FRAMES_PER_PAGE == 0, "whole pages of slots");

/* --- Transmit ----------------------------------------------------------------------- */

static void slot_free(struct netif_hvk *self, struct netif_hvk_frame *slot)
{
	slot->next = self->free;
	self->free = slot;
}

static struct netif_hvk_frame *slot_take(struct netif_hvk *self)
{
	struct netif_hvk_frame *slot = self->free;

	if (slot)
		self->free = slot->next;
	return slot;
}

static void frame_done(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	struct netif_hvk_frame *slot = context;
	struct netif_hvk *self = slot->owner;

	(void)frame;
	self->taken--;
	if (status == HVK_OK)
		self->counters.sent++;
	else
		self->counters.send_failed++;
	slot_free(self, slot);
}

/* Hands one frame to the driver. False: it was busy, and the slot is still ours to keep. */
static bool slot_send(struct netif_hvk *self, struct netif_hvk_frame *slot)
{
	enum hvk_tx_result result = HVK_TX_GONE;

	self->taken++; /* before the call: done may run inside a poll on the way */
	if (self->netdev)
		result = hvk_netdev_transmit(self->netdev, &slot->frame);
	if (result == HVK_TX_TAKEN)
		return true;
	self->taken--;
	if (result == HVK_TX_BUSY)
		return false;
	self->counters.send_failed++;
	slot_free(self, slot);
	return true;
}

static void queue_send(struct netif_hvk *self)
{
	/* At most NETIF_HVK_FRAMES turns: each takes one slot from the queue. */
	while (self->queue) {
		struct netif_hvk_frame *slot = self->queue;
		struct netif_hvk_frame *next = slot->next;

		if (!slot_send(self, slot))
			return;
		self->queue = next;
		if (!next)
			self->queue_end = NULL;
	}
}

static void queue_add(struct netif_hvk *self, struct netif_hvk_frame *slot)
{
	slot->next = NULL;
	if (self->queue_end)
		self->queue_end->next = slot;
	else
		self->queue = slot;
	self->queue_end = slot;
	self->counters.queued++;
}

static err_t link_output(struct netif *netif, struct pbuf *p)
{
	struct netif_hvk *self = netif->state;
	struct netif_hvk_frame *slot;

	if (!self->netdev)
		return ERR_IF;
	if (p->tot_len < SIZEOF_ETH_HDR || p->tot_len > self->netdev->info.frame_max ||
	    p->tot_len > NETIF_HVK_FRAME_BYTES)
		return ERR_BUF;
	slot = slot_take(self);
	if (!slot) {
		self->counters.no_slot++;
		return ERR_MEM;
	}
	pbuf_copy_partial(p, slot->bytes, p->tot_len, 0);
	slot->piece.length = p->tot_len;
	slot->frame.length = p->tot_len;
	/* Frames that wait go first. */
	if (self->queue || !slot_send(self, slot))
		queue_add(self, slot);
	return ERR_OK;
}

/* --- The netdev's hooks ------------------------------------------------------------- */

static void input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct netif_hvk *self = context;
	struct pbuf *p;

	(void)netdev;
	p = frame->length > UINT16_MAX ? NULL : pbuf_alloc(PBUF_RAW, (u16_t)frame->length, PBUF_POOL);
	if (!p) {
		self->counters.received_dropped++;
		return;
	}
	pbuf_take(p, frame->data, (u16_t)frame->length);
	self->counters.received++;
	if (self->netif.input(p, &self->netif) != ERR_OK)
		pbuf_free(p);
}

static void tx_ready(void *context, struct hvk_netdev *netdev)
{
	(void)netdev;
	queue_send(context);
}

static void link_changed(void *context, struct hvk_netdev *netdev, bool up)
{
	struct netif_hvk *self = context;

	(void)netdev;
	if (up)
		netif_set_link_up(&self->netif);
	else
		netif_set_link_down(&self->netif);
}

static void queue_drop(struct netif_hvk *self)
{
	while (self->queue) {
		struct netif_hvk_frame *slot = self->queue;

		self->queue = slot->next;
		self->counters.send_failed++;
		slot_free(self, slot);
	}
	self->queue_end = NULL;
}

static void gone(void *context, struct hvk_netdev *netdev)
{
	(void)netdev;
	netif_hvk_unplug(context);
}

/* --- Coming and going --------------------------------------------------------------- */

static void describe(struct netif *netif, const struct hvk_netdev_info *info)
{
	netif->mtu = (u16_t)(info->mtu < NETIF_HVK_MTU_MAX ? info->mtu : NETIF_HVK_MTU_MAX);
	netif->hwaddr_len = ETH_HWADDR_LEN;
	memcpy(netif->hwaddr, info->mac, ETH_HWADDR_LEN);
}

static err_t netif_begin(struct netif *netif)
{
	struct netif_hvk *self = netif->state;

	netif->name[0] = 'h';
	netif->name[1] = 'v';
	netif->hostname = "hvkit";
	netif->output = etharp_output;
	netif->linkoutput = link_output;
	describe(netif, &self->netdev->info);
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
	if (self->netdev->info.link_up)
		netif->flags |= NETIF_FLAG_LINK_UP;
	return ERR_OK;
}

static hvk_status slots_create(struct netif_hvk *self)
{
	const struct hvk_port *port = self->port;
	hvk_status status = port->pages_alloc(port->context, SLOT_PAGES, HVK_PAGE_HOST_READS, &self->pages);

	if (status != HVK_OK)
		return status;
	if (port->share) {
		status = port->share(port->context, &self->pages);
		if (status != HVK_OK) {
			port->pages_free(port->context, &self->pages);
			memset(&self->pages, 0, sizeof(self->pages));
			return status;
		}
		self->shared = true;
	}
	for (uint32_t i = 0; i < NETIF_HVK_FRAMES; i++) {
		struct netif_hvk_frame *slot = &self->frames[i];
		uint32_t page = i / FRAMES_PER_PAGE, offset = i % FRAMES_PER_PAGE * NETIF_HVK_FRAME_BYTES;
		uint8_t *start = (uint8_t *)self->pages.address + (size_t)page * HVK_PAGE_SIZE;

		slot->owner = self;
		slot->bytes = start + offset;
		slot->piece.address = slot->bytes;
		slot->piece.gpa = port->page_gpa(port->context, start) + offset;
		slot->frame = (struct hvk_tx_frame){
			.pieces = &slot->piece, .piece_count = 1, .done = frame_done, .context = slot};
		slot_free(self, slot);
	}
	return HVK_OK;
}

static void set_hooks(struct netif_hvk *self)
{
	self->netdev->hooks = (struct hvk_netdev_hooks){.input = input,
							.tx_ready = tx_ready,
							.link_changed = link_changed,
							.gone = gone,
							.context = self};
}

hvk_status netif_hvk_add(struct netif_hvk *self, const struct hvk_port *port, struct hvk_netdev *netdev)
{
	hvk_status status;

	self->port = port;
	self->netdev = netdev;
	status = slots_create(self);
	if (status != HVK_OK)
		return status;
	if (!netif_add_noaddr(&self->netif, self, netif_begin, ethernet_input)) {
		netif_hvk_free(self);
		return HVK_ENOMEM;
	}
	netif_set_default(&self->netif);
	set_hooks(self);
	return HVK_OK;
}

void netif_hvk_unplug(struct netif_hvk *self)
{
	if (self->netdev)
		memset(&self->netdev->hooks, 0, sizeof(self->netdev->hooks));
	self->netdev = NULL;
	queue_drop(self);
	netif_set_link_down(&self->netif);
}

void netif_hvk_plug_in(struct netif_hvk *self, struct hvk_netdev *netdev)
{
	self->netdev = netdev;
	describe(&self->netif, &netdev->info);
	set_hooks(self);
}

void netif_hvk_remove(struct netif_hvk *self)
{
	if (self->netdev)
		memset(&self->netdev->hooks, 0, sizeof(self->netdev->hooks));
	self->netdev = NULL;
	queue_drop(self);
	netif_remove(&self->netif);
}

hvk_status netif_hvk_free(struct netif_hvk *self)
{
	const struct hvk_port *port = self->port;

	if (self->taken)
		return HVK_ESTATE;
	/* What could not be made private again is not given to anybody. */
	if (self->pages.count && (!self->shared || port->unshare(port->context, &self->pages) == HVK_OK))
		port->pages_free(port->context, &self->pages);
	memset(&self->pages, 0, sizeof(self->pages));
	self->free = NULL;
	return HVK_OK;
}
