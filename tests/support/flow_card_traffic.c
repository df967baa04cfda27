/* SPDX-License-Identifier: MIT */
/* The card's frames: the wire's side, and the guest's. */
#include "tests/support/flow_card.h"

#include <string.h>

#include "hvkit/wire/vmbus.h"

#define ETHERNET 14u
#define TAG 4u
#define PAGE 4096u
#define WIRE_TICK (2u * HVH_TIME_PER_MS)
#define WIRE_BURST 8u
#define TOLD_UNTIL (20u * HVH_TIME_PER_MS)
#define NOTICED (50u * HVH_TIME_PER_MS)
#define STEADY_AGAIN (50u * HVH_TIME_PER_MS)

void card_traffic_know(struct card *card, const struct hvk_netdev_info *info)
{
	(void)pthread_mutex_lock(&card->flows.lock);
	card->info = *info;
	(void)pthread_mutex_unlock(&card->flows.lock);
}

static struct hvk_netdev_info known(struct card *card)
{
	struct hvk_netdev_info info;

	(void)pthread_mutex_lock(&card->flows.lock);
	info = card->info;
	(void)pthread_mutex_unlock(&card->flows.lock);
	return info;
}

uint64_t card_random(struct card *card)
{
	uint64_t z = atomic_fetch_add(&card->random, 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* --- The wire -------------------------------------------------------------------------------- */

static void from_guest(void *context, uint32_t queue, const void *frame, uint32_t length)
{
	struct card *card = context;
	struct flow_frame found;
	const char *wrong = flow_frame_parse(frame, length, FLOW_TO_WIRE, &found);
	uint32_t most = known(card).mtu_max + ETHERNET;

	if (queue < HVK_NETVSC_QUEUES_MAX)
		card->from_queue[queue]++;
	if (wrong) {
		flows_fail(&card->flows, "at the wire, %u bytes: %s", length, wrong);
		return;
	}
	if (!found.header_sum_good || !found.sum_good)
		flows_fail(&card->flows, "flow %u at the wire: a wrong checksum of %s", found.flow,
			   found.sum_good ? "IPv4" : "what is in it");
	if (found.tag != flow_kind(found.flow).tag)
		flows_fail(&card->flows, "flow %u at the wire: tag %04x", found.flow, found.tag);
	if (length > most + (found.tagged ? TAG : 0))
		flows_fail(&card->flows, "flow %u at the wire: %u bytes", found.flow, length);
	(void)flows_arrived(&card->flows, FLOW_TO_WIRE, &found, false, hosted_now(card->rig->machine));
}

static void taken(void *context, const void *frame, uint32_t length)
{
	struct card *card = context;

	(void)frame;
	(void)length;
	card->taken = true;
}

void card_traffic_backend(struct card *card, struct hvh_backend *backend)
{
	*backend = (struct hvh_backend){.context = card, .transmit_from = from_guest, .taken = taken};
}

/* A channel that goes takes frames along, and the host may take one back at any time. */
void card_traffic_tap(void *context, const struct hvh_trace_record *record)
{
	struct card *card = context;
	struct vmbus_message_header header;

	if (card->tap)
		card->tap(card->tap_context, record);
	if (record->kind != HVH_TRACE_MESSAGE || !record->to_guest || record->byte_count < sizeof(header))
		return;
	memcpy(&header, record->bytes, sizeof(header));
	if (header.type == VMBUS_MSG_RESCIND_OFFER)
		card_traffic_channel_lost(card, hosted_now(card->rig->machine));
}

static void note_the_end(struct card *card, uint64_t now)
{
	if (!card->channel_lost || now <= card->noticed)
		return;
	card->channel_lost = false;
	flows_losing_ends(&card->flows, false);
}

/* The driver does not know at once. */
void card_traffic_channel_lost(struct card *card, uint64_t now)
{
	if (!card->channel_lost)
		flows_losing(&card->flows, false, now);
	card->channel_lost = true;
	card->noticed = now + NOTICED;
	flows_unsteady(&card->flows, now + STEADY_AGAIN);
}

static uint32_t payload_of(uint64_t random, uint32_t flow, uint32_t mtu)
{
	uint32_t most = mtu + ETHERNET - flow_headers(flow);

	if (random % 3 == 0)
		return most;
	return FLOW_PAYLOAD_MIN + (uint32_t)(random / 3 % (random % 2 ? 200 : most - FLOW_PAYLOAD_MIN));
}

/* False: the card does not take it, now. */
static bool wire_send(struct card *card, uint32_t flow, uint64_t now)
{
	bool tagged = flow_kind(flow).tag != 0, bad = card->plan.bad_sums && card->wire_random % 50 == 7;
	uint32_t payload = payload_of(card->wire_random >> 8, flow, atomic_load(&card->wire_mtu)), offset,
		 length;

	if (flows_send(&card->flows, FLOW_TO_GUEST, flow, payload, bad, now, &offset) == FLOW_RECORDS)
		return false;
	length = flow_frame_build(card->wire_frame, FLOW_TO_GUEST, flow, offset, payload, card->plan.host.mac,
				  tagged);
	if (bad)
		card->wire_frame[flow_checksum_at(flow, tagged)] ^= 0x11;
	card->taken = false;
	(void)hvh_nic_receive(card->host_nic, now, card->wire_frame, length);
	if (!card->taken)
		flows_take_back(&card->flows, FLOW_TO_GUEST, flow);
	return card->taken;
}

bool card_traffic_wire(void *context, uint64_t now)
{
	struct card *card = context;
	uint64_t z;
	uint32_t flow, count;

	note_the_end(card, now);
	if (now < card->wire_next || atomic_load(&card->quiet))
		return false;
	card->wire_random = z = card_random(card);
	card->wire_next = now + z % WIRE_TICK;
	flow = (uint32_t)(z >> 16) % card->plan.flows;
	count = 1 + (uint32_t)(z >> 32) % WIRE_BURST;
	for (uint32_t i = 0; i < count; i++) {
		card->wire_random = card_random(card);
		/* Most bursts are one flow's: those can be joined. */
		if (z >> 60 < 4)
			flow = (uint32_t)(card->wire_random >> 40) % card->plan.flows;
		if (!wire_send(card, flow, now))
			break;
	}
	return false;
}

uint64_t card_traffic_wire_next(void *context)
{
	struct card *card = context;

	if (atomic_load(&card->quiet))
		return card->channel_lost ? card->noticed + 1 : HVH_NEVER;
	return card->wire_next;
}

/* --- Lent frames ------------------------------------------------------------------------------ */

enum { LENT_FREE, LENT_FILLING, LENT_KEPT, LENT_LEAVING };

/* Nobody may write there while it is lent. */
static void give_back(struct card *card, struct card_lent *lent)
{
	struct flow_frame found;
	int kept = LENT_KEPT;
	void *owner;

	if (atomic_load(&card->hold) || !atomic_compare_exchange_strong(&lent->state, &kept, LENT_LEAVING))
		return;
	if (flow_frame_parse(lent->frame.data, lent->frame.length, FLOW_TO_GUEST, &found) ||
	    found.flow != lent->flow || found.offset != lent->offset)
		flows_fail(&card->flows, "flow %u: a lent frame changed", lent->flow);
	owner = lent->frame.owner;
	atomic_store(&lent->state, LENT_FREE);
	hvk_netdev_release(card->netdev, owner);
}

void card_traffic_return(struct card *card, bool all)
{
	if (all) {
		for (uint32_t i = 0; i < CARD_LENT; i++)
			give_back(card, &card->lent[i]);
	} else if (card->plan.config.rx_borrow) {
		give_back(card, &card->lent[card_random(card) % CARD_LENT]);
	}
}

static void keep(struct card *card, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame,
		 const struct flow_frame *found)
{
	struct card_lent *lent = &card->lent[card_random(card) % CARD_LENT];
	int free = LENT_FREE;

	give_back(card, lent);
	if (!atomic_compare_exchange_strong(&lent->state, &free, LENT_FILLING)) {
		hvk_netdev_release(netdev, frame->owner);
		return;
	}
	lent->frame = *frame;
	lent->flow = found->flow;
	lent->offset = found->offset;
	atomic_store(&lent->state, LENT_KEPT);
	if (atomic_load(&card->returning) || card_random(card) % 4 == 0)
		give_back(card, lent);
}

/* --- Received ------------------------------------------------------------------------------------ */

static void check_sums(struct card *card, const struct hvk_rx_frame *frame, const struct flow_frame *found,
		       bool bad, bool joined)
{
	bool tcp = flow_kind(found->flow).tcp;
	uint32_t good_flag = tcp ? HVK_RX_TCP_GOOD : HVK_RX_UDP_GOOD;
	uint32_t bad_flag = tcp ? HVK_RX_TCP_BAD : HVK_RX_UDP_BAD;
	uint32_t others = tcp ? HVK_RX_UDP_GOOD | HVK_RX_UDP_BAD : HVK_RX_TCP_GOOD | HVK_RX_TCP_BAD;

	if (card->rig->profile.udp_as_tcp_good)
		others &= ~HVK_RX_TCP_GOOD;

	if ((frame->flags & bad_flag) != 0 && !bad)
		flows_fail(&card->flows, "flow %u: a right checksum is said to be wrong", found->flow);
	if ((frame->flags & good_flag) != 0 && bad)
		flows_fail(&card->flows, "flow %u: a wrong checksum is said to be right", found->flow);
	if ((frame->flags & others) != 0)
		flows_fail(&card->flows, "flow %u: a checksum that it does not have", found->flow);
	if ((frame->flags & HVK_RX_IPV4_BAD) != 0)
		flows_fail(&card->flows, "flow %u: a right IPv4 checksum is said to be wrong", found->flow);
	if (joined && !found->sum_good && !(frame->flags & good_flag))
		flows_fail(&card->flows,
			   "flow %u: joined, and its checksum is neither there nor said to be right",
			   found->flow);
	if (!joined && (found->sum_good == bad || !found->header_sum_good))
		flows_fail(&card->flows, "flow %u: the checksum has changed on the way", found->flow);
}

/* A frame may be on its way by a table that the driver has set and is about to tell of: who was wrong is
 * known only when it has not. */
static void note_queue(struct card *card, uint32_t flow, uint32_t queue, uint32_t wanted, uint32_t queues)
{
	uint64_t now = hosted_now(card->rig->machine);
	uint64_t since;

	(void)pthread_mutex_lock(&card->flows.lock);
	card->counts.rx_steered += wanted < queues && wanted != 0;
	if (wanted < queues && queue != wanted && card->mismatch_since == 0)
		card->mismatch_since = now;
	since = card->mismatch_since;
	(void)pthread_mutex_unlock(&card->flows.lock);
	if (since != 0 && now > since + TOLD_UNTIL)
		flows_fail(&card->flows,
			   "on other queues than the table says, the last is flow %u on %u for %u", flow,
			   queue, wanted);
}

/* The hash is the one that the driver's own function makes, and led to that queue. */
static void check_hash(struct card *card, const struct hvk_rx_frame *frame, const struct flow_frame *found)
{
	struct flow_kind kind = flow_kind(found->flow);
	bool ports = frame->hash_type & (HVK_RSS_TCP4 | HVK_RSS_TCP6 | HVK_RSS_UDP4 | HVK_RSS_UDP6);
	struct hvk_netdev_info info = known(card);
	uint32_t size = info.rss_table_size, queues = info.queues, wanted;
	uint32_t allowed = kind.v6 ? HVK_RSS_IPV6 | (kind.tcp ? HVK_RSS_TCP6 : HVK_RSS_UDP6)
				   : HVK_RSS_IPV4 | (kind.tcp ? HVK_RSS_TCP4 : HVK_RSS_UDP4);
	struct hvk_netdev_rss rss;
	uint8_t tuple[36];
	bool known;

	if (card->rig->profile.udp_hash_as_tcp && !kind.v6)
		allowed |= HVK_RSS_TCP4;
	if ((frame->hash_type & ~allowed) != 0 || (frame->hash_type & (frame->hash_type - 1)) != 0) {
		flows_fail(&card->flows, "flow %u: hash of type 0x%x", found->flow, frame->hash_type);
		return;
	}
	(void)pthread_mutex_lock(&card->flows.lock);
	rss = card->rss;
	known = card->rss_known;
	(void)pthread_mutex_unlock(&card->flows.lock);
	if (!known || !flows_are_steady(&card->flows, hosted_now(card->rig->machine)))
		return;
	if (hvk_toeplitz(rss.key, tuple, flow_tuple(tuple, FLOW_TO_GUEST, found->flow, ports)) !=
	    frame->hash) {
		flows_fail(&card->flows, "flow %u: hash 0x%x of type 0x%x", found->flow, frame->hash,
			   frame->hash_type);
		return;
	}
	wanted = rss.table[frame->hash % size];
	note_queue(card, found->flow, frame->queue, wanted, queues);
}

static void count_received(struct card *card, const struct hvk_rx_frame *frame)
{
	struct card_counts *counts = &card->counts;

	(void)pthread_mutex_lock(&card->flows.lock);
	counts->rx_good += (frame->flags & (HVK_RX_TCP_GOOD | HVK_RX_UDP_GOOD)) != 0;
	counts->rx_bad += (frame->flags & (HVK_RX_TCP_BAD | HVK_RX_UDP_BAD)) != 0;
	counts->rx_joined += (frame->flags & HVK_RX_JOINED) != 0;
	counts->rx_lent += frame->owner != NULL;
	counts->rx_hashed += (frame->flags & HVK_RX_HASH) != 0;
	counts->rx_tagged += (frame->flags & HVK_RX_VLAN) != 0;
	(void)pthread_mutex_unlock(&card->flows.lock);
}

static const char *check_frame(struct card *card, const struct hvk_rx_frame *frame, struct flow_frame *found)
{
	const char *wrong = flow_frame_parse(frame->data, frame->length, FLOW_TO_GUEST, found);

	if (wrong)
		return wrong;
	if (frame->flags & HVK_RX_VLAN) {
		if (found->tagged)
			return "a tag in the frame and beside it";
		found->tag = frame->vlan_tag;
	}
	if (found->tag != flow_kind(found->flow).tag)
		return "another tag";
	if (frame->length > known(card).frame_max + TAG && !(frame->flags & HVK_RX_JOINED))
		return "longer than the MTU allows, and not joined";
	return NULL;
}

void card_traffic_input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	const struct flow_record *record;
	struct card *card = context;
	struct flow_frame found;
	const char *wrong = check_frame(card, frame, &found);

	count_received(card, frame);
	if (wrong) {
		flows_fail(&card->flows, "at the guest, %u bytes, flags 0x%x: %s", frame->length,
			   frame->flags, wrong);
		if (frame->owner)
			hvk_netdev_release(netdev, frame->owner);
		return;
	}
	record = flows_arrived(&card->flows, FLOW_TO_GUEST, &found, true, hosted_now(card->rig->machine));
	if (record) {
		/* What fits into one message may be joined without a word. */
		check_sums(card, frame, &found, record->bad,
			   (frame->flags & HVK_RX_JOINED) || found.payload != record->length);
	}
	if (frame->flags & HVK_RX_HASH)
		check_hash(card, frame, &found);
	if (frame->owner)
		keep(card, netdev, frame, &found);
}

/* --- Sent ------------------------------------------------------------------------------------------ */

static void done(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	struct card_frame *own = context;
	struct card *card = own->card;
	const struct hvk_port *port = hosted_port(card->rig->machine);

	(void)frame;
	flows_done(&card->flows, own->flow, own->record,
		   status == HVK_OK          ? FLOW_END_SENT
		   : status == HVK_ECANCELED ? FLOW_END_CANCELED
					     : FLOW_END_REFUSED);
	port->pages_free(port->context, &own->pages);
	atomic_store(&own->busy, false);
}

bool card_traffic_idle(const struct card *card)
{
	for (uint32_t i = 0; i < CARD_FRAMES; i++) {
		if (atomic_load(&card->frames[i].busy))
			return false;
	}
	return true;
}

static struct card_frame *free_frame(struct card *card)
{
	for (uint32_t i = 0; i < CARD_FRAMES; i++) {
		bool busy = false;

		if (atomic_compare_exchange_strong(&card->frames[i].busy, &busy, true))
			return &card->frames[i];
	}
	return NULL;
}

/* What a frame is to be, from what the card can do. */
struct wish {
	uint32_t payload, segment_size, flags;
	bool tag_inside, page_list;
};

static void wish_sums(uint32_t enabled, struct wish *wish, uint32_t flow, uint64_t z)
{
	struct flow_kind kind = flow_kind(flow);

	if (z % 4 == 0)
		return; /* all sums are there */
	wish->flags |= kind.tcp ? HVK_TX_CHECKSUM_TCP : HVK_TX_CHECKSUM_UDP;
	wish->flags |= kind.v6 || z % 3 == 0 ? 0 : HVK_TX_CHECKSUM_IPV4;
	if (kind.tcp && (enabled & (kind.v6 ? HVK_NETDEV_TSO6 : HVK_NETDEV_TSO4)) && z % 2)
		wish->flags |= HVK_TX_TSO;
}

static struct wish make_wish(struct card *card, uint32_t flow, bool more)
{
	const struct hvk_netdev_info info = known(card);
	uint64_t z = card_random(card);
	uint32_t mtu = info.mtu, headers = flow_headers(flow), bytes = info.tso_bytes_max;
	struct wish wish = {.flags = HVK_TX_HASH | (more ? HVK_TX_MORE : 0)};

	wish_sums(info.enabled, &wish, flow, z >> 3);
	if (flow_kind(flow).tag != 0) {
		wish.tag_inside = (z >> 12) % 4 == 0 && !(wish.flags & HVK_TX_TSO);
		wish.flags |= wish.tag_inside ? 0 : HVK_TX_VLAN;
	}
	wish.page_list = card->plan.by_page || (wish.flags & HVK_TX_TSO) || (z >> 16) % 2;
	wish.payload = payload_of(z >> 24, flow, mtu - (wish.tag_inside ? TAG : 0));
	if (!(wish.flags & HVK_TX_TSO))
		return wish;
	wish.segment_size = mtu + ETHERNET - headers;
	if ((z >> 17) % 2)
		wish.segment_size = 256 + (uint32_t)((z >> 32) % (wish.segment_size - 256));
	if (bytes > CARD_FRAME_PAGES * PAGE - 4096)
		bytes = CARD_FRAME_PAGES * PAGE - 4096;
	wish.payload = wish.segment_size * info.tso_segments_min;
	if (wish.payload > bytes)
		wish.flags &= ~HVK_TX_TSO, wish.payload = FLOW_PAYLOAD_MIN;
	else
		wish.payload += (uint32_t)((z >> 40) % (bytes - wish.payload + 1)) /
				(1 + (uint32_t)(z >> 60));
	return wish;
}

/* What the card is to fill in, it need not find. */
static void spoil(uint8_t *frame, uint32_t flow, const struct wish *wish)
{
	uint32_t at = ETHERNET + (wish->tag_inside ? TAG : 0);

	if (wish->flags & (HVK_TX_CHECKSUM_TCP | HVK_TX_CHECKSUM_UDP | HVK_TX_TSO))
		memset(frame + flow_checksum_at(flow, wish->tag_inside), 0xa5, 2);
	if (!flow_kind(flow).v6 && (wish->flags & (HVK_TX_CHECKSUM_IPV4 | HVK_TX_TSO)))
		memset(frame + at + 10, 0x5a, 2);
}

/* The first piece is of any length, often the headers'; a page list has one for each page. */
static uint32_t cut(struct card *card, struct card_frame *own, uint32_t length, uint32_t headers, bool gpa)
{
	const struct hvk_port *port = hosted_port(card->rig->machine);
	uint8_t *base = own->pages.address;
	uint32_t count = 0, at = 0;

	while (at < length) {
		uint32_t size = PAGE - at % PAGE;

		if (at == 0 && card_random(card) % 2)
			size = headers;
		if (size > length - at)
			size = length - at;
		own->pieces[count++] = (struct hvk_buffer){
			base + at,
			gpa ? port->page_gpa(port->context, base + at / PAGE * PAGE) + at % PAGE : 0, size};
		at += size;
	}
	return count;
}

/* Any will do: the hash is only to differ from flow to flow. */
static const uint8_t hash_key[HVK_RSS_KEY_SIZE] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static void fill(struct card *card, struct card_frame *own, const struct wish *wish, uint32_t offset)
{
	uint8_t tuple[36];
	uint32_t headers = flow_headers(own->flow) + (wish->tag_inside ? TAG : 0);
	uint32_t length = flow_frame_build(own->pages.address, FLOW_TO_WIRE, own->flow, offset, wish->payload,
					   card->plan.host.mac, wish->tag_inside);
	bool tell = wish->tag_inside || card_random(card) % 2;

	spoil(own->pages.address, own->flow, wish);
	own->frame = (struct hvk_tx_frame){
		.pieces = own->pieces,
		.piece_count = cut(card, own, length, headers, wish->page_list),
		.length = length,
		.done = done,
		.context = own,
		.flags = wish->flags,
		.vlan_tag = wish->flags & HVK_TX_VLAN ? flow_kind(own->flow).tag : 0,
		.segment_size = (uint16_t)wish->segment_size,
		.hash = hvk_toeplitz(hash_key, tuple, flow_tuple(tuple, FLOW_TO_WIRE, own->flow, true)),
		.network_offset = tell ? ETHERNET + (wish->tag_inside ? TAG : 0) : 0,
		.transport_offset = tell ? (uint16_t)(headers - (flow_kind(own->flow).tcp ? 20 : 8)) : 0,
	};
}

/* With the flow's turn, and a frame of ours. */
static bool send(struct card *card, struct card_frame *own, bool more)
{
	const struct hvk_port *port = hosted_port(card->rig->machine);
	struct wish wish = make_wish(card, own->flow, more);
	uint32_t pages = (wish.payload + FLOW_HEADERS_MAX + PAGE - 1) / PAGE, offset;

	if (port->pages_alloc(port->context, pages, HVK_PAGE_HOST_READS, &own->pages) != HVK_OK)
		return false;
	own->card = card;
	own->record = flows_send(&card->flows, FLOW_TO_WIRE, own->flow, wish.payload, false,
				 hosted_now(card->rig->machine), &offset);
	if (own->record != FLOW_RECORDS) {
		fill(card, own, &wish, offset);
		if (hvk_netdev_transmit(card->netdev, &own->frame) == HVK_TX_TAKEN)
			return true;
		flows_take_back(&card->flows, FLOW_TO_WIRE, own->flow);
	}
	port->pages_free(port->context, &own->pages);
	return false;
}

bool card_traffic_send(struct card *card, bool more)
{
	uint32_t flow = (uint32_t)(card_random(card) >> 20) % card->plan.flows;
	bool busy = false, sent = false;
	struct card_frame *own;

	if (!atomic_load(&card->up) || atomic_load(&card->quiet) ||
	    !atomic_compare_exchange_strong(&card->sending[flow], &busy, true))
		return false;
	own = free_frame(card);
	if (own) {
		own->flow = flow;
		sent = send(card, own, more);
		if (!sent)
			atomic_store(&own->busy, false);
	}
	atomic_store(&card->sending[flow], false);
	return sent;
}

/* Answers, from the queue's own CPU. */
void card_traffic_burst_end(void *context, struct hvk_netdev *netdev, uint32_t queue)
{
	struct card *card = context;

	(void)netdev;
	(void)queue;
	if (card_random(card) % 2)
		(void)card_traffic_send(card, card_random(card) % 2);
}
