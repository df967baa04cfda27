/* SPDX-License-Identifier: MIT */
/* Frames for the guest: those that wait, and how they come into its buffers (virtio 1.2, 5.1.6.4). */
#include <stdlib.h>
#include <string.h>

#include "host/netvsp/checksum.h"
#include "host/netvsp/offload.h"
#include "host/virtio/net_device.h"
#include "hvkit/wire/rndis.h"

#define PER_TURN 64u
#define GOOD (RNDIS_CHECKSUM_RX_TCP_GOOD | RNDIS_CHECKSUM_RX_UDP_GOOD)
#define FAILED (RNDIS_CHECKSUM_RX_IP_FAILED | RNDIS_CHECKSUM_RX_TCP_FAILED | RNDIS_CHECKSUM_RX_UDP_FAILED)
/* Without MRG_RXBUF a buffer is at least as long (5.1.6.3.1). */
#define BUFFER_MIN 1526u
#define BUFFER_LONG (1u << 20) /* longer than all that it gets */
/* A frame that finds no room for so long, though there are buffers, is too long for them all. */
#define WAITS_TOO_LONG (200 * HVH_TIME_PER_MS)
#define HASH_STEP 0x9e3779b1u

/* --- Frames that wait ------------------------------------------------------------------------------ */

bool virtio_net_frames_create(struct virtio_net_device *net)
{
	net->frames = calloc(VIRTIO_NET_FRAMES, sizeof *net->frames);
	return net->frames != NULL;
}

void virtio_net_frames_drop(struct virtio_net_device *net)
{
	net->counters.dropped += net->frame_count;
	for (uint32_t n = 0; n < VIRTIO_NET_FRAMES; n++)
		net->frames[n].next = n + 1 < VIRTIO_NET_FRAMES ? n + 1 : VIRTIO_NET_NONE;
	net->frame_free = 0;
	net->frame_count = 0;
	memset(net->pairs, 0, sizeof net->pairs);
}

static void release(struct virtio_net_device *net, struct virtio_net_pair *pair, uint32_t count)
{
	pair->moved_at = net->device.now;
	for (; count > 0; count--) {
		uint32_t index = pair->first;

		pair->first = net->frames[index].next;
		pair->count--;
		net->frames[index].next = net->frame_free;
		net->frame_free = index;
		net->frame_count--;
	}
}

/* --- Which pair ------------------------------------------------------------------------------------- */

static uint32_t mix(uint32_t hash, const uint8_t *bytes, uint32_t length)
{
	for (uint32_t n = 0; n < length; n++)
		hash = (hash ^ bytes[n]) * HASH_STEP;
	return hash;
}

/* A flow's two ends give the same, whichever of them sends. */
uint32_t virtio_net_flow(const uint8_t *frame, uint32_t length)
{
	struct netvsp_headers headers;
	uint32_t hash, address;

	if (!netvsp_headers_find(frame, length, true, &headers))
		return 0;
	address = headers.version == 4 ? 4 : 16;
	hash = mix(0, frame + headers.source, address) ^ mix(0, frame + headers.destination, address);
	if (headers.transport != 0)
		hash ^= mix(1, frame + headers.transport, 2) ^ mix(1, frame + headers.transport + 2, 2);
	hash *= HASH_STEP;
	return (hash >> 16) % VIRTIO_NET_FLOWS;
}

/* Where the guest sends on the flow, there it receives (5.1.6.5.6). */
static uint32_t steer(const struct virtio_net_device *net, const uint8_t *frame, uint32_t length)
{
	uint32_t flow = net->pairs_used > 1 ? virtio_net_flow(frame, length) : 0;

	if (net->pairs_used > 1 && net->flows[flow] != 0 && net->flows[flow] <= net->pairs_used)
		return net->flows[flow] - 1u;
	return flow % net->pairs_used;
}

bool virtio_net_receive(struct virtio_net_device *net, uint64_t now, const uint8_t *frame, uint32_t length)
{
	struct virtio_net_pair *pair = &net->pairs[steer(net, frame, length)];
	uint32_t most = net->pairs_used > 1 ? VIRTIO_NET_FRAMES / 2 : VIRTIO_NET_FRAMES;
	uint32_t index = net->frame_free;

	if (length > VIRTIO_NET_FRAME_MAX || pair->count >= most || net->frame_count == VIRTIO_NET_FRAMES) {
		net->counters.dropped++;
		return false;
	}
	if (pair->count == 0)
		pair->moved_at = now;
	net->frame_free = net->frames[index].next;
	net->frame_count++;
	net->frames[index].next = VIRTIO_NET_NONE;
	net->frames[index].length = length;
	memcpy(net->frames[index].bytes, frame, length);
	if (pair->count++ == 0)
		pair->first = index;
	else
		net->frames[pair->last].next = index;
	pair->last = index;
	virtio_wants_run(&net->device, now);
	return true;
}

/* --- What the guest is told of a frame ------------------------------------------------------------ */

/* A frame to be given: how many of the waiting are in it. */
struct delivery {
	const uint8_t *bytes;
	uint32_t length, count;
	struct virtio_net_header header;
};

/* The checksum is left to the guest: there is the pseudo-header's sum, as from a neighbour on this host. */
static void leave_checksum(struct virtio_net_header *header, uint8_t *frame,
			   const struct netvsp_headers *headers)
{
	uint32_t offset = headers->protocol == IP_PROTOCOL_TCP ? TCP_CHECKSUM_AT : UDP_CHECKSUM_AT;
	uint64_t sum = netvsp_pseudo_sum(frame, headers, headers->end - headers->transport);

	netvsp_put16(frame + headers->transport + offset, netvsp_sum_fold(sum));
	header->flags = VIRTIO_NET_HEADER_NEEDS_CHECKSUM;
	header->checksum_start = (uint16_t)headers->transport;
	header->checksum_offset = (uint16_t)offset;
}

static void tell_checksum(struct virtio_net_device *net, struct virtio_net_frame *frame,
			  struct delivery *delivery)
{
	struct hvh_partition *partition = net->device.partition;
	struct netvsp_headers headers;
	uint32_t verified;

	if ((net->offloads & VIRTIO_NET_F_GUEST_CSUM) == 0 ||
	    !netvsp_headers_find(frame->bytes, frame->length, false, &headers) || headers.transport == 0)
		return;
	verified = netvsp_checksum_verify(frame->bytes, &headers);
	if ((verified & GOOD) == 0 || (verified & FAILED) != 0)
		return;
	if (hvh_partition_deterministic(partition) && hvh_choose(partition, 4) == 0)
		leave_checksum(&delivery->header, frame->bytes, &headers);
	else
		delivery->header.flags = VIRTIO_NET_HEADER_CHECKSUM_VALID;
}

/* As it is until it is sure to go: its checksum may be changed then. */
static void alone(const struct virtio_net_device *net, const struct virtio_net_pair *pair,
		  struct delivery *delivery)
{
	const struct virtio_net_frame *frame = &net->frames[pair->first];

	*delivery = (struct delivery){.bytes = frame->bytes, .length = frame->length, .count = 1};
}

static uint32_t joining(const struct virtio_net_device *net)
{
	uint32_t granted = NETVSP_OFFLOAD_RX_TCP4 | NETVSP_OFFLOAD_RX_TCP6;

	if ((net->offloads & VIRTIO_NET_F_GUEST_TSO4) != 0)
		granted |= NETVSP_OFFLOAD_RSC4;
	if ((net->offloads & VIRTIO_NET_F_GUEST_TSO6) != 0)
		granted |= NETVSP_OFFLOAD_RSC6;
	return granted;
}

/* As many of the waiting as belong together, at most room bytes. False: one alone. */
static bool joined(struct virtio_net_device *net, const struct virtio_net_pair *pair, uint32_t room,
		   struct delivery *delivery)
{
	struct netvsp_coalesce *coalesce = &net->coalesce;
	const struct virtio_net_frame *frame = &net->frames[pair->first];
	uint32_t segment, header;

	if ((net->offloads & (VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6)) == 0 || pair->count < 2 ||
	    !netvsp_coalesce_begin(coalesce, frame->bytes, frame->length, joining(net)))
		return false;
	header = coalesce->headers.payload;
	segment = coalesce->length - header;
	/* All of one size, but the last. */
	for (uint32_t n = 1; n < pair->count && (coalesce->length - header) % segment == 0; n++) {
		frame = &net->frames[frame->next];
		if (coalesce->length + segment > room || frame->length > header + segment ||
		    !netvsp_coalesce_add(coalesce, frame->bytes, frame->length, room))
			break;
	}
	if (coalesce->count < 2)
		return false;
	netvsp_coalesce_finish(coalesce, true);
	*delivery = (struct delivery){
		.bytes = coalesce->bytes, .length = coalesce->length, .count = coalesce->count};
	leave_checksum(&delivery->header, coalesce->bytes, &coalesce->headers);
	delivery->header.segmentation = coalesce->headers.version == 4 ? VIRTIO_NET_SEGMENTATION_TCP4
								       : VIRTIO_NET_SEGMENTATION_TCP6;
	delivery->header.segment_size = (uint16_t)segment;
	delivery->header.header_length = (uint16_t)header;
	return true;
}

/* --- Into the guest's buffers ---------------------------------------------------------------------- */

/* The n-th waiting buffer, which is to be written alone. */
static bool parse(struct virtio_net_device *net, struct virtio_queue *queue, uint32_t n,
		  struct virtio_chain *chain)
{
	if (!virtio_chain_parse(queue, n, chain))
		return false;
	if (chain->readable == 0 && chain->writable >= VIRTIO_NET_HEADER &&
	    (virtio_has(&net->device, VIRTIO_NET_F_MRG_RXBUF) || chain->writable >= BUFFER_MIN))
		return true;
	VIRTIO_NET_VIOLATE(net,
			   "receive queue %u: buffer of %u bytes to write, %u to read: too short, or not "
			   "for writing alone",
			   queue->index, chain->writable, chain->readable);
	virtio_break(&net->device);
	return false;
}

/* Bytes that the waiting buffers have, as far as wanted; how many of them it takes. */
static uint32_t capacity(struct virtio_net_device *net, struct virtio_queue *queue, uint32_t wanted,
			 uint32_t *buffers)
{
	uint32_t most = virtio_has(&net->device, VIRTIO_NET_F_MRG_RXBUF) ? queue->count : 1, bytes = 0;

	if (most > queue->count)
		most = queue->count;
	for (*buffers = 0; *buffers < most && bytes < wanted; ++*buffers) {
		struct virtio_chain *chain = *buffers == 0 ? &net->chain : &net->more;

		if (!parse(net, queue, *buffers, chain))
			return 0;
		bytes += chain->writable < BUFFER_LONG ? chain->writable : BUFFER_LONG;
	}
	return bytes;
}

static bool write_buffers(struct virtio_net_device *net, struct virtio_queue *queue,
			  const struct delivery *delivery, uint32_t buffers)
{
	uint32_t done = 0;

	for (uint32_t n = 0; n < buffers; n++) {
		struct virtio_chain *chain = n == 0 ? &net->chain : &net->more;
		uint32_t header = n == 0 ? VIRTIO_NET_HEADER : 0, part;

		/* The older ones have been used: this is the oldest. */
		if (n > 0 && !parse(net, queue, 0, chain))
			return false;
		part = chain->writable - header;
		if (part > delivery->length - done)
			part = delivery->length - done;
		if ((n == 0 && !virtio_chain_write(queue, chain, 0, &delivery->header, header)) ||
		    !virtio_chain_write(queue, chain, header, delivery->bytes + done, part))
			return false;
		virtio_queue_use(queue, header + part);
		done += part;
	}
	return true;
}

/* Will the guest ever have room for it? Where one buffer holds a frame whole, a longer one is lost. */
static bool never_fits(const struct virtio_net_device *net, const struct virtio_net_pair *pair,
		       const struct virtio_queue *queue)
{
	if (queue->count == 0)
		return false;
	return !virtio_has(&net->device, VIRTIO_NET_F_MRG_RXBUF) || queue->count == queue->size ||
	       net->device.now > pair->moved_at + WAITS_TOO_LONG;
}

enum outcome { GIVEN, WAITS, BROKEN };

static void choose_delivery(struct virtio_net_device *net, struct virtio_net_pair *pair,
			    struct virtio_queue *queue, struct delivery *delivery)
{
	uint32_t most = pair->count < UINT16_MAX / BUFFER_MIN ? pair->count * VIRTIO_NET_FRAME_MAX
							      : UINT16_MAX;
	uint32_t buffers, bytes = 0;

	if (pair->count > 1 && (net->offloads & (VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6)) != 0)
		bytes = capacity(net, queue, most < UINT16_MAX ? most : UINT16_MAX, &buffers);
	if (bytes < VIRTIO_NET_HEADER || !joined(net, pair, bytes - VIRTIO_NET_HEADER, delivery))
		alone(net, pair, delivery);
}

static enum outcome give(struct virtio_net_device *net, uint32_t number, struct virtio_queue *queue)
{
	struct virtio_net_pair *pair = &net->pairs[number];
	struct delivery delivery;
	uint32_t buffers;

	choose_delivery(net, pair, queue, &delivery);
	if (capacity(net, queue, delivery.length + VIRTIO_NET_HEADER, &buffers) <
	    delivery.length + VIRTIO_NET_HEADER) {
		if (!virtio_is_running(&net->device))
			return BROKEN;
		if (!never_fits(net, pair, queue))
			return WAITS;
		net->counters.dropped++;
		release(net, pair, 1);
		return GIVEN;
	}
	if (delivery.count == 1)
		tell_checksum(net, &net->frames[pair->first], &delivery);
	delivery.header.buffer_count = (uint16_t)buffers;
	if (!write_buffers(net, queue, &delivery, buffers))
		return BROKEN;
	net->counters.to_guest_frames += delivery.count;
	net->counters.to_guest_bytes += delivery.length;
	net->counters.joined += delivery.count > 1 ? delivery.count : 0;
	pair->received += delivery.count;
	release(net, pair, delivery.count);
	return GIVEN;
}

bool virtio_net_receive_run(struct virtio_net_device *net, uint32_t number)
{
	struct virtio_net_pair *pair = &net->pairs[number];
	struct virtio_queue *queue = virtio_net_rx(net, number);
	enum outcome outcome = GIVEN;

	queue->looked_at = false;
	virtio_queue_look(queue);
	for (uint32_t n = 0; n < PER_TURN && pair->count > 0 && outcome == GIVEN; n++)
		outcome = give(net, number, queue);
	virtio_queue_publish(queue);
	pair->starved = outcome == WAITS;
	if (outcome == BROKEN)
		return false;
	if (outcome == GIVEN) {
		virtio_queue_disarm(queue);
		return pair->count > 0;
	}
	virtio_queue_arm(queue);
	return queue->looked_at;
}
