/* SPDX-License-Identifier: MIT */
/*
 * Frames from the host: whether anybody wants them, a private copy or the place they lie in, and
 * what the host says of them, as far as that was asked for.
 */
#include "guest/netvsc/netvsc_internal.h"

#define ETHERNET_TYPE_VLAN 0x8100u
#define ETHERNET_ADDRESSES 12u
#define ETHERNET_GROUP 1u /* of the first byte */

/* --- What the host says -------------------------------------------------------------------- */

#define WORD_BITS 0x3fu /* of RNDIS_CHECKSUM_RX_*: the six that say good or failed */
/* Both at once is a contradiction: nobody has looked, then. */
#define FLAG_OF(word, good, failed, flag)         \
	(((word) & ((good) | (failed))) == (good) \
		 ? flag##_GOOD                    \
		 : (((word) & ((good) | (failed))) == (failed) ? flag##_BAD : 0))
#define FLAGS_OF(word)                                                                         \
	(FLAG_OF(word, RNDIS_CHECKSUM_RX_TCP_GOOD, RNDIS_CHECKSUM_RX_TCP_FAILED, HVK_RX_TCP) | \
	 FLAG_OF(word, RNDIS_CHECKSUM_RX_UDP_GOOD, RNDIS_CHECKSUM_RX_UDP_FAILED, HVK_RX_UDP) | \
	 FLAG_OF(word, RNDIS_CHECKSUM_RX_IP_GOOD, RNDIS_CHECKSUM_RX_IP_FAILED, HVK_RX_IPV4))
#define FLAGS_4(word) FLAGS_OF(word), FLAGS_OF((word) + 1), FLAGS_OF((word) + 2), FLAGS_OF((word) + 3)
#define FLAGS_16(word) FLAGS_4(word), FLAGS_4((word) + 4), FLAGS_4((word) + 8), FLAGS_4((word) + 12)

/* HVK_RX_* by those bits. */
static const uint8_t checksum_flags[WORD_BITS + 1] = {FLAGS_16(0), FLAGS_16(16), FLAGS_16(32), FLAGS_16(48)};

#define GOOD_FLAGS (HVK_RX_IPV4_GOOD | HVK_RX_TCP_GOOD | HVK_RX_UDP_GOOD)
#define BAD_FLAGS (HVK_RX_IPV4_BAD | HVK_RX_TCP_BAD | HVK_RX_UDP_BAD)

static uint8_t mask_of(uint32_t enabled)
{
	uint32_t mask = 0;

	if (enabled & HVK_NETDEV_RX_IPV4)
		mask |= HVK_RX_IPV4_GOOD | HVK_RX_IPV4_BAD;
	if (enabled & (HVK_NETDEV_RX_TCP4 | HVK_NETDEV_RX_TCP6))
		mask |= HVK_RX_TCP_GOOD | HVK_RX_TCP_BAD;
	if (enabled & (HVK_NETDEV_RX_UDP4 | HVK_NETDEV_RX_UDP6))
		mask |= HVK_RX_UDP_GOOD | HVK_RX_UDP_BAD;
	return (uint8_t)mask;
}

#define NOT_FILLED_IN (RNDIS_CHECKSUM_RX_TCP_INVALID | RNDIS_CHECKSUM_RX_IP_INVALID)

/* Of a joined packet the fields may be empty; what is said of them is all there is, whatever was asked
 * for. */
static inline uint32_t take_checksum(struct netvsc_receive *rx, uint32_t word)
{
	uint32_t mask = word & NOT_FILLED_IN ? GOOD_FLAGS | BAD_FLAGS : rx->checksum_mask;
	uint32_t flags = checksum_flags[word & WORD_BITS] & mask;

	rx->burst.good += (flags & GOOD_FLAGS) != 0;
	rx->burst.bad += (flags & BAD_FLAGS) != 0;
	return flags;
}

#define HASH_FUNCTION 0xffu /* of a hash type: how it was computed */
#define HASH_TYPES                                                                                       \
	(HVK_RSS_IPV4 | HVK_RSS_TCP4 | HVK_RSS_IPV6 | HVK_RSS_IPV6_EX | HVK_RSS_TCP6 | HVK_RSS_TCP6_EX | \
	 HVK_RSS_UDP4 | HVK_RSS_UDP6 | HVK_RSS_UDP6_EX)

/* One type that we know, or nobody can tell what was hashed. */
static inline uint32_t take_hash(struct netvsc_receive *rx, const struct hvk_rndis_frame *found,
				 struct hvk_rx_frame *frame)
{
	uint32_t type = found->hash_type & ~HASH_FUNCTION;

	if (type == 0 || (type & ~HASH_TYPES) != 0 || (type & (type - 1)) != 0)
		return 0;
	frame->hash = found->hash;
	frame->hash_type = type;
	rx->burst.hashed++;
	return HVK_RX_HASH;
}

/* HVK_RX_* of what most hosts say of most frames. */
static inline uint32_t take_usual(struct netvsc_receive *rx, const struct hvk_rndis_frame *found,
				  struct hvk_rx_frame *frame)
{
	uint32_t flags = 0;

	if (found->has & rx->has_wanted & HVK_RNDIS_HAS_CHECKSUM)
		flags = take_checksum(rx, found->checksum);
	if (found->has & HVK_RNDIS_HAS_HASH)
		flags |= take_hash(rx, found, frame);
	return flags;
}

/* --- Frames -------------------------------------------------------------------------------------- */

/* The frame as it was on the wire: the tag goes back in. There is room for it behind. */
static void put_tag_back(struct hvk_rx_frame *frame, uint8_t *data, uint16_t tag)
{
	memmove(data + ETHERNET_ADDRESSES + HVK_ETHERNET_VLAN_TAG, data + ETHERNET_ADDRESSES,
		frame->length - ETHERNET_ADDRESSES);
	data[ETHERNET_ADDRESSES] = ETHERNET_TYPE_VLAN >> 8;
	data[ETHERNET_ADDRESSES + 1] = ETHERNET_TYPE_VLAN & 0xff;
	data[ETHERNET_ADDRESSES + 2] = (uint8_t)(tag >> 8);
	data[ETHERNET_ADDRESSES + 3] = (uint8_t)tag;
	frame->length += HVK_ETHERNET_VLAN_TAG;
}

static __attribute__((noinline)) void add_what_is_known(struct netvsc_queue *queue,
							const struct hvk_rndis_frame *found,
							struct hvk_rx_frame *frame)
{
	struct netvsc_receive *rx = &queue->rx;

	frame->flags |= take_usual(rx, found, frame);
	if (!(found->has & HVK_RNDIS_HAS_VLAN))
		return;
	rx->burst.tagged++;
	if (rx->enabled & HVK_NETDEV_RX_VLAN) {
		frame->flags |= HVK_RX_VLAN;
		frame->vlan_tag = found->vlan_tag;
	} else { /* never lent: lends() */
		put_tag_back(frame, frame->flags & HVK_RX_JOINED ? rx->joined_at : rx->frame_pages.address,
			     found->vlan_tag);
	}
}

static inline void hand_up(struct netvsc_queue *queue, const struct hvk_rndis_frame *found,
			   struct hvk_rx_frame *frame)
{
	struct hvk_netdev *netdev = &queue->nic->netdev;
	struct netvsc_receive *rx = &queue->rx;

	if (found->has & rx->has_wanted)
		add_what_is_known(queue, found, frame);
	frame->queue = (uint16_t)queue->index;
	rx->burst.frames++;
	rx->burst.bytes += frame->length;
	netdev->hooks.input(netdev->hooks.context, netdev, frame);
}

void hvk_netvsc_hand_up(struct netvsc_queue *queue, const struct hvk_rndis_frame *found,
			struct hvk_rx_frame *frame)
{
	hand_up(queue, found, frame);
}

static __attribute__((noinline)) void refuse(struct netvsc_queue *queue, hvk_status status, const char *what)
{
	netvsc_count(&queue->counters.rx_faults, 1);
	hvk_netvsc_fault(queue->nic, status, what);
}

static void count_drop(struct netvsc_queue *queue, uint64_t *cause)
{
	netvsc_count(&queue->counters.rx_dropped, 1);
	netvsc_count(cause, 1);
}

/* In place if that is wanted and possible: a tag cannot be put in without a copy. */
static bool lends(const struct netvsc_queue *queue, const struct hvk_rndis_frame *found)
{
	return queue->nic->config.rx_borrow != 0 &&
	       (!(found->has & HVK_RNDIS_HAS_VLAN) || (queue->rx.enabled & HVK_NETDEV_RX_VLAN));
}

/* Another group's, which the host did not sort out. */
static bool is_unwanted(struct netvsc_queue *queue, const uint8_t *address)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if (!(address[0] & ETHERNET_GROUP) || memcmp(address, broadcast, sizeof(broadcast)) == 0)
		return false;
	return !hvk_netvsc_group_wanted(queue->nic, address);
}

static inline void copy(struct netvsc_queue *queue, const struct hvk_shared *range,
			const struct hvk_rndis_frame *found)
{
	struct netvsc_receive *rx = &queue->rx;
	uint8_t *data = rx->frame_pages.address;
	struct hvk_rx_frame frame = {.data = data, .length = found->length, .segments = 1};

	hvk_shared_read(range, found->offset, data, found->length);
	rx->burst.copied += found->length;
	if ((data[0] & ETHERNET_GROUP) && is_unwanted(queue, data)) {
		count_drop(queue, &queue->counters.rx_other_group);
		return;
	}
	hand_up(queue, found, &frame);
}

static __attribute__((noinline)) bool lend(struct netvsc_queue *queue, const struct hvk_shared *range,
					   const struct hvk_rndis_frame *found)
{
	struct netvsc_receive *rx = &queue->rx;
	struct hvk_rx_frame frame = {.length = found->length, .segments = 1};
	uint8_t address[6];

	hvk_shared_read(range, found->offset, address, sizeof(address));
	if ((address[0] & ETHERNET_GROUP) && is_unwanted(queue, address)) {
		count_drop(queue, &queue->counters.rx_other_group);
		return true;
	}
	frame.owner = hvk_netvsc_lend_frame(queue, rx->transaction_id, rx->range_count);
	if (!frame.owner)
		return false;
	frame.data = hvk_shared_lend(range, found->offset, found->length);
	rx->burst.lent++;
	hand_up(queue, found, &frame);
	return true;
}

/* The tag that the host took out, or the one that it left in. */
static bool is_too_long(const struct netvsc_queue *queue, const struct hvk_rndis_frame *found)
{
	uint32_t max = queue->rx.frame_max;

	return found->length > max + (found->has & HVK_RNDIS_HAS_VLAN ? 0 : HVK_ETHERNET_VLAN_TAG);
}

static bool may_be_joined(const struct netvsc_receive *rx)
{
	return __atomic_load_n(&rx->joined_at, __ATOMIC_ACQUIRE) != NULL;
}

static void receive_frame(struct netvsc_queue *queue, const struct hvk_shared *range,
			  const struct hvk_rndis_frame *found)
{
	const struct netvsc_receive *rx = &queue->rx;

	/* Not up: frames may still be on their way. */
	if (!netvsc_receiving(queue->nic) || !queue->nic->netdev.hooks.input) {
		count_drop(queue, &queue->counters.rx_not_up);
		return;
	}
	if ((found->has & HVK_RNDIS_HAS_PART) && (found->part & RNDIS_PACKET_ID_SUBALLOCATION)) {
		hvk_netvsc_receive_part(queue, range, found);
		return;
	}
	if (rx->joined.active)
		hvk_netvsc_drop_parts(queue);
	if (is_too_long(queue, found) && may_be_joined(rx)) {
		hvk_netvsc_receive_joined(queue, range, found);
		return;
	}
	if (is_too_long(queue, found)) {
		count_drop(queue, &queue->counters.rx_too_long);
		return;
	}
	if (!lends(queue, found) || !lend(queue, range, found))
		copy(queue, range, found);
}

static void receive_packet(struct netvsc_queue *queue, const struct hvk_shared *range)
{
	struct hvk_rndis_frame found;
	hvk_status status = hvk_rndis_parse_packet(range, &found);

	if (status != HVK_OK)
		refuse(queue, status, "PACKET");
	else
		receive_frame(queue, range, &found);
}

/* --- Ranges -------------------------------------------------------------------------------------- */

static __attribute__((noinline)) void refuse_range(struct netvsc_queue *queue)
{
	refuse(queue, HVK_EHOST_RANGE, "range outside the receive buffer");
}

/* What receive_usual is for: it does not know of parts. */
static void find_usual(struct netvsc_queue *queue)
{
	struct netvsc_receive *rx = &queue->rx;
	bool none = !queue->nic->netdev.hooks.input || rx->joined.active;

	rx->usual_max = none || rx->lends ? 0 : rx->frame_max + HVK_ETHERNET_VLAN_TAG;
	rx->lent_max = none || !rx->lends ? 0 : rx->frame_max + HVK_ETHERNET_VLAN_TAG;
}

static __attribute__((noinline)) void receive_any(struct netvsc_queue *queue, const struct hvk_shared *range)
{
	uint32_t type;

	if (queue->nic->receive_buffer.size == 0)
		refuse(queue, HVK_EHOST_RANGE, "range before there is a receive buffer");
	else if (hvk_rndis_parse_type(range, &type) != HVK_OK)
		refuse(queue, HVK_EHOST_RNDIS, "range without a message");
	else if (type == RNDIS_MSG_PACKET)
		receive_packet(queue, range);
	else
		hvk_netvsc_receive_control(queue, type, range);
	find_usual(queue);
}

/* What of a run over ranges is kept in registers. */
struct ranges {
	struct hvk_rx_frame frame; /* the same for all: what receive_usual does not set stays */
	uint32_t frames;
	uint64_t bytes;
};

static inline bool lend_usual(struct netvsc_queue *queue, struct hvk_shared range,
			      struct hvk_rndis_frame found)
{
	found.part = 0;
	found.vlan_tag = 0;
	return lend(queue, &range, &found);
}

/* A frame as most are, on the shortest way. False: nothing was done, receive_any looks anew. */
static inline bool receive_usual(struct netvsc_queue *queue, struct hvk_shared range, struct ranges *run)
{
	struct hvk_netdev *netdev = &queue->nic->netdev;
	struct netvsc_receive *rx = &queue->rx;
	uint8_t *data = rx->frame_pages.address;
	struct hvk_rndis_frame found;

	if (!hvk_rndis_parse_usual(&range, &found))
		return false;
	if (found.length > rx->usual_max || !netvsc_receiving(queue->nic))
		return found.length <= rx->lent_max && netvsc_receiving(queue->nic) &&
		       lend_usual(queue, range, found);
	hvk_shared_read(&range, found.offset, data, found.length);
	if ((data[0] & ETHERNET_GROUP) && is_unwanted(queue, data)) {
		rx->burst.copied += found.length;
		count_drop(queue, &queue->counters.rx_other_group);
		return true;
	}
	run->frames++;
	run->bytes += found.length;
	run->frame.length = found.length;
	run->frame.flags = found.has ? take_usual(rx, &found, &run->frame) : 0;
	netdev->hooks.input(netdev->hooks.context, netdev, &run->frame);
	return true;
}

void hvk_netvsc_receive_ranges(struct netvsc_queue *queue, const uint8_t *ranges, uint32_t count)
{
	const struct hvk_netvsc *nic = queue->nic;
	struct ranges run = {
		.frame = {.data = queue->rx.frame_pages.address,
			  .queue = (uint16_t)queue->index,
			  .segments = 1},
	};

	for (const uint8_t *at = ranges; at != ranges + count * sizeof(struct vmbus_transfer_page_range);
	     at += sizeof(struct vmbus_transfer_page_range)) {
		struct vmbus_transfer_page_range range;
		struct hvk_shared odd, message;

		memcpy(&range, at, sizeof(range));
		/* None is empty; and before there is a buffer none is small enough. */
		if (range.byte_count - 1 >= nic->geometry.suballocation_size ||
		    !hvk_shared_holds(&nic->receive_buffer, range.byte_offset, range.byte_count)) {
			refuse_range(queue);
			continue;
		}
		message = hvk_shared_part(&nic->receive_buffer, range.byte_offset, range.byte_count);
		if (receive_usual(queue, message, &run))
			continue;
		odd = message;
		receive_any(queue, &odd);
	}
	queue->rx.burst.frames += run.frames;
	queue->rx.burst.bytes += run.bytes;
	queue->rx.burst.copied += run.bytes;
}

/* --- A run of ready ------------------------------------------------------------------------------ */

void hvk_netvsc_frames_begin(struct netvsc_queue *queue)
{
	const struct hvk_netdev *netdev = &queue->nic->netdev;
	struct netvsc_receive *rx = &queue->rx;

	rx->enabled = __atomic_load_n(&netdev->info.enabled, __ATOMIC_RELAXED);
	rx->frame_max = __atomic_load_n(&netdev->info.frame_max, __ATOMIC_RELAXED);
	rx->checksum_mask = mask_of(rx->enabled);
	rx->lends = queue->nic->config.rx_borrow != 0;
	find_usual(queue);
	rx->has_wanted = HVK_RNDIS_HAS_VLAN | HVK_RNDIS_HAS_HASH |
			 (rx->checksum_mask || may_be_joined(rx) ? HVK_RNDIS_HAS_CHECKSUM : 0);
	rx->burst = (struct netvsc_burst){0};
}

static void add(uint64_t *counter, uint64_t by)
{
	if (by != 0)
		netvsc_count(counter, by);
}

void hvk_netvsc_frames_end(struct netvsc_queue *queue)
{
	const struct hvk_netdev_hooks *hooks = &queue->nic->netdev.hooks;
	struct hvk_netdev_counters *counters = &queue->counters;
	const struct netvsc_burst *burst = &queue->rx.burst;

	add(&counters->rx_packets, burst->packets);
	if (burst->frames == 0)
		return;
	add(&counters->rx_frames, burst->frames);
	add(&counters->rx_bytes, burst->bytes);
	add(&counters->rx_copied, burst->copied);
	add(&counters->rx_checksum_good, burst->good);
	add(&counters->rx_checksum_bad, burst->bad);
	add(&counters->rx_hashed, burst->hashed);
	add(&counters->rx_tagged, burst->tagged);
	add(&counters->rx_lent, burst->lent);
	if (hooks->burst_end)
		hooks->burst_end(hooks->context, &queue->nic->netdev, queue->index);
}
