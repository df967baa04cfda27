/* SPDX-License-Identifier: MIT */
#include "netif_hvk.h"

#include <stdatomic.h>
#include <string.h>

#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ip.h"
#include "netif/ethernet.h"

#define CHUNKS_PER_PAGE (HVK_PAGE_SIZE / NETIF_HVK_CHUNK_BYTES)
#define CHUNK_PAGES (NETIF_HVK_CHUNKS / CHUNKS_PER_PAGE)
_Static_assert(HVK_PAGE_SIZE % NETIF_HVK_CHUNK_BYTES == 0, "a chunk lies in one page");
_Static_assert(NETIF_HVK_CHUNKS % CHUNKS_PER_PAGE == 0, "whole pages of chunks");

#define INBOX_BYTES (NETIF_HVK_INBOX_PAGES * HVK_PAGE_SIZE)
#define INBOX_ALIGNMENT 8u
_Static_assert((INBOX_BYTES & (INBOX_BYTES - 1)) == 0, "positions wrap around");

/* lwIP cuts datagrams below UDP: their checksum cannot be left to whoever sees the pieces. */
#define UDP_IS_CUT (IP_FRAG || (LWIP_IPV6 && LWIP_IPV6_FRAG))

#define IPV4_AT 14u
#define IPV4_HEADER_MIN 20u
#define IPV6_HEADER 40u
#define IPV6_FRAGMENT 44u     /* the next header */
#define FRAGMENT_MASK 0x3fffu /* more follow, or an offset */
#define VLAN_ID_MASK 0x0fffu

static bool on_our_cpu(const struct netif_hvk *self)
{
	return !self->port->cpu_index || self->port->cpu_index(self->port->context) == self->cpu;
}

static void wake(struct netif_hvk *self)
{
	if (self->port->wake)
		self->port->wake(self->port->context, self->cpu);
}

/* --- What is in a frame --------------------------------------------------------------- */

struct headers {
	uint16_t type; /* ETHTYPE_*, 0 if there is not even that */
	bool fragment;
	uint8_t protocol;   /* IP_PROTO_*; behind IPv6's own header */
	uint16_t transport; /* its offset */
};

static uint16_t read16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* length: of the bytes that are there. */
static struct headers look(const uint8_t *bytes, uint32_t length)
{
	const uint8_t *ip = bytes + IPV4_AT;
	struct headers found = {0};
	uint16_t type = length >= IPV4_AT ? read16(bytes + 12) : 0;

	if (type == ETHTYPE_IP && length >= IPV4_AT + IPV4_HEADER_MIN) {
		found.fragment = (read16(ip + 6) & FRAGMENT_MASK) != 0;
		found.protocol = ip[9];
		found.transport = (uint16_t)(IPV4_AT + (ip[0] & 15u) * 4);
		found.type = type;
	} else if (type == ETHTYPE_IPV6 && length >= IPV4_AT + IPV6_HEADER) {
		found.protocol = ip[6];
		found.fragment = ip[6] == IPV6_FRAGMENT;
		found.transport = IPV4_AT + IPV6_HEADER;
		found.type = type;
	}
	return found;
}

/* The checksums that lwIP has left to the device. */
static void wish(const struct netif_hvk *self, struct hvk_tx_frame *frame, const uint8_t *bytes,
		 uint32_t length)
{
	struct headers found = look(bytes, length);

	if (found.type == ETHTYPE_IP && !(self->checks & NETIF_CHECKSUM_GEN_IP))
		frame->flags |= HVK_TX_CHECKSUM_IPV4;
	if (found.type == 0 || found.fragment)
		return;
	if (found.protocol == IP_PROTO_TCP && !(self->checks & NETIF_CHECKSUM_GEN_TCP))
		frame->flags |= HVK_TX_CHECKSUM_TCP;
	else if (found.protocol == IP_PROTO_UDP && !(self->checks & NETIF_CHECKSUM_GEN_UDP))
		frame->flags |= HVK_TX_CHECKSUM_UDP;
	else
		return;
	frame->transport_offset = found.transport;
}

/* --- Chunks ---------------------------------------------------------------------------- */

static void chunks_free(struct netif_hvk *self, struct netif_hvk_chunk *first)
{
	struct netif_hvk_chunk *next;

	for (struct netif_hvk_chunk *chunk = first; chunk; chunk = next) {
		next = chunk->more;
		chunk->more = NULL;
		chunk->next = self->free;
		self->free = chunk;
		self->free_count++;
	}
}

/* Those that came back since. */
static void chunks_collect(struct netif_hvk *self)
{
	struct netif_hvk_chunk *next, *frame = atomic_exchange(&self->returned, NULL);

	for (; frame; frame = next) {
		next = frame->next;
		chunks_free(self, frame);
	}
}

/* For a frame of that length, as one list; NULL if there are too few. */
static struct netif_hvk_chunk *chunks_take(struct netif_hvk *self, uint32_t length)
{
	uint32_t count = (length + NETIF_HVK_CHUNK_BYTES - 1) / NETIF_HVK_CHUNK_BYTES;
	struct netif_hvk_chunk *first = NULL;

	if (self->free_count < count)
		chunks_collect(self);
	if (self->free_count < count)
		return NULL;
	self->free_count -= count;
	for (uint32_t i = 0; i < count; i++) {
		struct netif_hvk_chunk *chunk = self->free;

		self->free = chunk->next;
		chunk->more = first;
		first = chunk;
	}
	return first;
}

/* --- Transmit -------------------------------------------------------------------------- */

/* In hvk_poll, of any CPU. */
static void frame_done(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	struct netif_hvk_chunk *first = context;
	struct netif_hvk *self = first->owner;

	(void)frame;
	atomic_fetch_add(status == HVK_OK ? &self->counters.sent : &self->counters.send_failed, 1);
	first->next = atomic_load(&self->returned);
	while (!atomic_compare_exchange_weak(&self->returned, &first->next, first)) {
	}
	atomic_fetch_sub(&self->taken, 1); /* last: then memory may go */
}

/* Hands one frame to the driver. False: it was busy, and the chunks are still ours to keep. */
static bool frame_send(struct netif_hvk *self, struct netif_hvk_chunk *first)
{
	struct hvk_netdev *netdev = self->netdev;
	enum hvk_tx_result result = HVK_TX_GONE;

	atomic_fetch_add(&self->taken, 1); /* before the call: done may run on another CPU meanwhile */
	if (netdev)
		result = hvk_netdev_transmit(netdev, &first->frame);
	self->held = true;
	if (result == HVK_TX_TAKEN)
		return true;
	atomic_fetch_sub(&self->taken, 1);
	if (result == HVK_TX_BUSY)
		return false;
	atomic_fetch_add(&self->counters.send_failed, 1);
	chunks_free(self, first);
	return true;
}

static void queue_send(struct netif_hvk *self)
{
	/* At most NETIF_HVK_CHUNKS turns: each takes one frame from the queue. */
	while (self->queue) {
		struct netif_hvk_chunk *first = self->queue;
		struct netif_hvk_chunk *next = first->next;

		if (!frame_send(self, first))
			return;
		self->queue = next;
		if (!next)
			self->queue_end = NULL;
	}
}

static void queue_add(struct netif_hvk *self, struct netif_hvk_chunk *first)
{
	first->next = NULL;
	if (self->queue_end)
		self->queue_end->next = first;
	else
		self->queue = first;
	self->queue_end = first;
	self->counters.queued++;
}

static void queue_drop(struct netif_hvk *self)
{
	while (self->queue) {
		struct netif_hvk_chunk *first = self->queue;

		self->queue = first->next;
		atomic_fetch_add(&self->counters.send_failed, 1);
		chunks_free(self, first);
	}
	self->queue_end = NULL;
}

static void frame_fill(struct netif_hvk_chunk *first, const struct pbuf *p)
{
	uint32_t at = 0, count = 0;

	for (struct netif_hvk_chunk *chunk = first; chunk; chunk = chunk->more) {
		uint32_t rest = p->tot_len - at;
		uint32_t length = rest < NETIF_HVK_CHUNK_BYTES ? rest : NETIF_HVK_CHUNK_BYTES;

		pbuf_copy_partial(p, chunk->bytes, (u16_t)length, (u16_t)at);
		first->pieces[count++] = (struct hvk_buffer){
			.address = chunk->bytes, .gpa = chunk->gpa, .length = length};
		at += length;
	}
	first->frame = (struct hvk_tx_frame){.pieces = first->pieces,
					     .piece_count = count,
					     .length = p->tot_len,
					     .done = frame_done,
					     .context = first,
					     .flags = HVK_TX_MORE};
}

static err_t link_output(struct netif *netif, struct pbuf *p)
{
	struct netif_hvk *self = netif->state;
	struct hvk_netdev *netdev = self->netdev;
	struct netif_hvk_chunk *first;

	if (!netdev)
		return ERR_IF;
	if (p->tot_len < SIZEOF_ETH_HDR || p->tot_len > netdev->info.frame_max ||
	    p->tot_len > NETIF_HVK_PIECES * NETIF_HVK_CHUNK_BYTES)
		return ERR_BUF;
	first = chunks_take(self, p->tot_len);
	if (!first) {
		self->counters.no_slot++;
		return ERR_MEM;
	}
	frame_fill(first, p);
	if (self->checks != NETIF_CHECKSUM_ENABLE_ALL)
		wish(self, &first->frame, first->bytes, first->pieces[0].length);
	/* Frames that wait go first. */
	if (self->queue || !frame_send(self, first))
		queue_add(self, first);
	return ERR_OK;
}

/* What was held back goes. */
static bool flush(struct netif_hvk *self)
{
	struct hvk_netdev *netdev = self->netdev;

	if (!self->held)
		return false;
	self->held = false;
	if (netdev)
		hvk_netdev_flush(netdev);
	return true;
}

/* --- Receive, on lwIP's CPU -------------------------------------------------------------- */

static struct pbuf *copy(const uint8_t *data, uint32_t length)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)length, PBUF_POOL);

	if (p)
		pbuf_take(p, data, (u16_t)length);
	return p;
}

static void lent_freed(struct pbuf *p)
{
	struct netif_hvk_lent *lent = (struct netif_hvk_lent *)(void *)p;
	struct netif_hvk *self = lent->self;

	hvk_netdev_release(lent->netdev, lent->owner);
	lent->next = self->lent_free;
	self->lent_free = lent;
	self->lent_count--;
}

/* NULL if it is to be copied: a fragment, which would wait for others as long as lwIP's timers let it, or
 * one too many. */
static struct pbuf *lend(struct netif_hvk *self, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct netif_hvk_lent *lent = self->lent_free;
	void *data = (void *)(uintptr_t)frame->data; /* lwIP turns round fields of headers in place */

	if (!lent || look(frame->data, frame->length).fragment)
		return NULL;
	self->lent_free = lent->next;
	self->lent_count++;
	lent->netdev = netdev;
	lent->owner = frame->owner;
	lent->custom.custom_free_function = lent_freed;
	self->counters.received_lent++;
	return pbuf_alloced_custom(PBUF_RAW, (u16_t)frame->length, PBUF_REF, &lent->custom, data,
				   (u16_t)frame->length);
}

static struct pbuf *take(struct netif_hvk *self, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct pbuf *p = NULL;

	if (frame->length > UINT16_MAX) {
		if (frame->owner)
			hvk_netdev_release(netdev, frame->owner);
		return NULL;
	}
	if (frame->owner)
		p = lend(self, netdev, frame);
	if (p)
		return p;
	p = copy(frame->data, frame->length);
	if (frame->owner)
		hvk_netdev_release(netdev, frame->owner);
	return p;
}

/* What lwIP need not look at any more. A checksum that was wrong it counts and drops itself. */
static uint16_t looked_at(uint32_t flags)
{
	unsigned good = 0;

	if (flags & HVK_RX_IPV4_GOOD)
		good |= NETIF_CHECKSUM_CHECK_IP;
	if (flags & HVK_RX_TCP_GOOD)
		good |= NETIF_CHECKSUM_CHECK_TCP;
	if (flags & HVK_RX_UDP_GOOD)
		good |= NETIF_CHECKSUM_CHECK_UDP;
	return (uint16_t)good;
}

static void deliver(struct netif_hvk *self, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct pbuf *p;

	if ((frame->flags & HVK_RX_VLAN) && (frame->vlan_tag & VLAN_ID_MASK) != 0) {
		self->counters.other_vlan++;
		if (frame->owner)
			hvk_netdev_release(netdev, frame->owner);
		return;
	}
	p = take(self, netdev, frame);
	if (!p) {
		self->counters.received_dropped++;
		return;
	}
	self->counters.received++;
	if (frame->flags & HVK_RX_JOINED)
		self->joined = true;
	NETIF_SET_CHECKSUM_CTRL(&self->netif, (u16_t)(self->checks & ~looked_at(frame->flags)));
	if (self->netif.input(p, &self->netif) != ERR_OK)
		pbuf_free(p);
	NETIF_SET_CHECKSUM_CTRL(&self->netif, self->checks);
}

/* TCP acknowledges every second segment at once, but lwIP takes many that came joined for one, and
 * would let the sender wait for a timer. */
static void acknowledge(struct netif_hvk *self)
{
	if (!self->joined)
		return;
	self->joined = false;
#if LWIP_TCP
	for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
		if (pcb->flags & TF_ACK_DELAY) {
			tcp_ack_now(pcb);
			(void)tcp_output(pcb);
		}
	}
#endif
}

/* --- Receive, on other CPUs --------------------------------------------------------------- */

/* What is before a frame in the inbox. size 0: the ring begins anew. */
struct record {
	uint32_t size;
	struct hvk_netdev *netdev;
	struct hvk_rx_frame frame; /* data: of a lent one */
};

static uint8_t *inbox_at(const struct netif_hvk *self, uint32_t position)
{
	return (uint8_t *)self->inbox.pages.address + (position & (INBOX_BYTES - 1));
}

/* Under the inbox's lock. */
static bool inbox_write(struct netif_hvk *self, struct record *record)
{
	struct netif_hvk_inbox *inbox = &self->inbox;
	uint32_t head = atomic_load(&inbox->head), used = head - atomic_load(&inbox->tail);
	uint32_t behind = INBOX_BYTES - (head & (INBOX_BYTES - 1));
	uint32_t bytes = record->frame.owner ? 0 : record->frame.length, skipped = 0;

	record->size = (uint32_t)sizeof(*record) + bytes;
	record->size = (record->size + INBOX_ALIGNMENT - 1) & ~(INBOX_ALIGNMENT - 1);
	if (behind < record->size)
		skipped = behind;
	if (record->size > INBOX_BYTES - used || skipped > INBOX_BYTES - used - record->size)
		return false;
	if (skipped)
		memset(inbox_at(self, head), 0, sizeof(record->size));
	head += skipped;
	memcpy(inbox_at(self, head), record, sizeof(*record));
	if (bytes)
		memcpy(inbox_at(self, head) + sizeof(*record), record->frame.data, bytes);
	atomic_store(&inbox->head, head + record->size);
	return true;
}

static void inbox_put(struct netif_hvk *self, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	const struct hvk_port *port = self->port;
	struct record record = {.netdev = netdev, .frame = *frame};
	bool put = false;

	if (atomic_load(&self->inbox.open) && frame->length <= UINT16_MAX) {
		port->lock(port->context, &self->inbox.lock);
		put = inbox_write(self, &record);
		port->unlock(port->context, &self->inbox.lock);
	}
	atomic_fetch_add(put ? &self->counters.by_inbox : &self->counters.inbox_full, 1);
	if (!put && frame->owner)
		hvk_netdev_release(netdev, frame->owner);
}

/* As far as it is filled now. */
static bool inbox_empty(struct netif_hvk *self)
{
	struct netif_hvk_inbox *inbox = &self->inbox;
	uint32_t tail = atomic_load(&inbox->tail), head = atomic_load(&inbox->head);
	bool any = tail != head;
	struct record record;

	while (tail != head) {
		memcpy(&record, inbox_at(self, tail), sizeof(record.size));
		if (record.size == 0) {
			tail += INBOX_BYTES - (tail & (INBOX_BYTES - 1));
			continue;
		}
		memcpy(&record, inbox_at(self, tail), sizeof(record));
		if (!record.frame.owner)
			record.frame.data = inbox_at(self, tail) + sizeof(record);
		deliver(self, record.netdev, &record.frame);
		tail += record.size;
		atomic_store(&inbox->tail, tail);
	}
	return any;
}

/* Once there are several queues. Without memory their frames are dropped, and counted. */
static void inbox_create(struct netif_hvk *self)
{
	const struct hvk_port *port = self->port;
	struct netif_hvk_inbox *inbox = &self->inbox;

	if (atomic_load(&inbox->open) || !port->cpu_index || !port->lock_init ||
	    port->lock_init(port->context, &inbox->lock) != HVK_OK)
		return;
	if (port->pages_alloc(port->context, NETIF_HVK_INBOX_PAGES, HVK_PAGE_PRIVATE, &inbox->pages) ==
	    HVK_OK)
		atomic_store(&inbox->open, true);
}

/* --- The netdev's hooks ------------------------------------------------------------------- */

static void input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct netif_hvk *self = context;

	if (self->netdev != netdev) {
		if (frame->owner)
			hvk_netdev_release(netdev, frame->owner);
	} else if (on_our_cpu(self)) {
		deliver(self, netdev, frame);
	} else {
		inbox_put(self, netdev, frame);
	}
}

static void burst_end(void *context, struct hvk_netdev *netdev, uint32_t queue)
{
	struct netif_hvk *self = context;

	(void)netdev;
	(void)queue;
	if (!on_our_cpu(self)) {
		wake(self);
		return;
	}
	acknowledge(self);
	(void)flush(self);
}

static void tx_ready(void *context, struct hvk_netdev *netdev)
{
	struct netif_hvk *self = context;

	(void)netdev;
	atomic_store(&self->ready, true);
	if (!on_our_cpu(self)) {
		wake(self);
	} else if (atomic_exchange(&self->ready, false)) {
		queue_send(self);
		(void)flush(self);
	}
}

static void link_changed(void *context, struct hvk_netdev *netdev, bool up)
{
	struct netif_hvk *self = context;

	if (self->netdev != netdev)
		return;
	if (up)
		netif_set_link_up(&self->netif);
	else
		netif_set_link_down(&self->netif);
}

static void gone(void *context, struct hvk_netdev *netdev)
{
	struct netif_hvk *self = context;

	if (self->netdev == netdev)
		netif_hvk_unplug(self);
}

static void info_changed(void *context, struct hvk_netdev *netdev)
{
	struct netif_hvk *self = context;

	if (self->netdev == netdev)
		netif_hvk_refresh(self);
}

/* They stay: another CPU may be about to call one. Without our netdev they do nothing. */
static void set_hooks(struct netif_hvk *self, struct hvk_netdev *netdev)
{
	netdev->hooks = (struct hvk_netdev_hooks){.input = input,
						  .tx_ready = tx_ready,
						  .link_changed = link_changed,
						  .gone = gone,
						  .context = self,
						  .burst_end = burst_end,
						  .info_changed = info_changed};
}

/* --- Coming and going ----------------------------------------------------------------------- */

/* The checksums that lwIP makes and, until somebody else has looked, checks. */
static uint16_t checks_of(uint32_t enabled)
{
	unsigned left = 0;

	if (enabled & HVK_NETDEV_TX_IPV4)
		left |= NETIF_CHECKSUM_GEN_IP;
	if (enabled & HVK_NETDEV_TX_TCP4) /* of IPv6 the driver makes what the device cannot */
		left |= NETIF_CHECKSUM_GEN_TCP;
	if ((enabled & HVK_NETDEV_TX_UDP4) && !UDP_IS_CUT)
		left |= NETIF_CHECKSUM_GEN_UDP;
	return (uint16_t)(NETIF_CHECKSUM_ENABLE_ALL & ~left);
}

void netif_hvk_refresh(struct netif_hvk *self)
{
	struct hvk_netdev *netdev = self->netdev;
	const struct hvk_netdev_info *info;

	if (!netdev)
		return;
	info = &netdev->info;
	self->netif.mtu = (u16_t)(info->mtu < NETIF_HVK_MTU_MAX ? info->mtu : NETIF_HVK_MTU_MAX);
	self->checks = checks_of(info->enabled);
	NETIF_SET_CHECKSUM_CTRL(&self->netif, self->checks);
	if (info->queues > 1)
		inbox_create(self);
}

static void describe(struct netif_hvk *self)
{
	self->netif.hwaddr_len = ETH_HWADDR_LEN;
	memcpy(self->netif.hwaddr, self->netdev->info.mac, ETH_HWADDR_LEN);
	netif_hvk_refresh(self);
}

static err_t netif_begin(struct netif *netif)
{
	struct netif_hvk *self = netif->state;

	netif->name[0] = 'h';
	netif->name[1] = 'v';
#if LWIP_NETIF_HOSTNAME
	netif->hostname = "hvkit";
#endif
#if LWIP_IPV4
	netif->output = etharp_output;
#endif
#if LWIP_IPV6
	netif->output_ip6 = ethip6_output;
#endif
	netif->linkoutput = link_output;
	describe(self);
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
	if (self->netdev->info.link_up)
		netif->flags |= NETIF_FLAG_LINK_UP;
	return ERR_OK;
}

static void chunks_init(struct netif_hvk *self)
{
	const struct hvk_port *port = self->port;

	for (uint32_t i = 0; i < NETIF_HVK_CHUNKS; i++) {
		struct netif_hvk_chunk *chunk = &self->chunks[i];
		uint32_t offset = i % CHUNKS_PER_PAGE * NETIF_HVK_CHUNK_BYTES;
		uint8_t *page = (uint8_t *)self->pages.address +
				(size_t)(i / CHUNKS_PER_PAGE) * HVK_PAGE_SIZE;

		chunk->owner = self;
		chunk->bytes = page + offset;
		chunk->gpa = port->page_gpa(port->context, page) + offset;
		chunks_free(self, chunk);
	}
	for (uint32_t i = 0; i < NETIF_HVK_LENT; i++) {
		self->lent[i].self = self;
		self->lent[i].next = self->lent_free;
		self->lent_free = &self->lent[i];
	}
}

static hvk_status chunks_create(struct netif_hvk *self)
{
	const struct hvk_port *port = self->port;
	hvk_status status = port->pages_alloc(port->context, CHUNK_PAGES, HVK_PAGE_HOST_READS, &self->pages);

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
	chunks_init(self);
	return HVK_OK;
}

hvk_status netif_hvk_add(struct netif_hvk *self, const struct hvk_port *port, struct hvk_netdev *netdev)
{
	hvk_status status;

	self->port = port;
	self->cpu = port->cpu_index ? port->cpu_index(port->context) : 0;
	self->netdev = netdev;
	status = chunks_create(self);
	if (status != HVK_OK)
		return status;
	if (!netif_add_noaddr(&self->netif, self, netif_begin, ethernet_input)) {
		(void)netif_hvk_free(self);
		return HVK_ENOMEM;
	}
	netif_set_default(&self->netif);
	set_hooks(self, netdev);
	return HVK_OK;
}

bool netif_hvk_poll(struct netif_hvk *self)
{
	bool any = self->inbox.pages.count && inbox_empty(self);

	if (atomic_exchange(&self->ready, false)) {
		queue_send(self);
		any = true;
	}
	acknowledge(self);
	return flush(self) || any;
}

bool netif_hvk_idle(const struct netif_hvk *self)
{
	return !self->taken && !self->queue && !self->lent_count && self->inbox.head == self->inbox.tail;
}

void netif_hvk_unplug(struct netif_hvk *self)
{
	if (self->netdev)
		(void)netif_hvk_poll(self);
	self->netdev = NULL;
	queue_drop(self);
	netif_set_link_down(&self->netif);
}

void netif_hvk_plug_in(struct netif_hvk *self, struct hvk_netdev *netdev)
{
	self->netdev = netdev;
	describe(self);
	set_hooks(self, netdev);
}

void netif_hvk_remove(struct netif_hvk *self)
{
	if (self->netdev)
		(void)netif_hvk_poll(self);
	self->netdev = NULL;
	queue_drop(self);
	netif_remove(&self->netif);
}

hvk_status netif_hvk_free(struct netif_hvk *self)
{
	const struct hvk_port *port = self->port;

	if (self->taken || self->lent_count)
		return HVK_ESTATE;
	/* What could not be made private again is not given to anybody. */
	if (self->pages.count && (!self->shared || port->unshare(port->context, &self->pages) == HVK_OK))
		port->pages_free(port->context, &self->pages);
	if (self->inbox.pages.count)
		port->pages_free(port->context, &self->inbox.pages);
	memset(&self->pages, 0, sizeof(self->pages));
	memset(&self->inbox, 0, sizeof(self->inbox));
	self->free = NULL;
	self->free_count = 0;
	self->returned = NULL;
	return HVK_OK;
}
