/* SPDX-License-Identifier: MIT */
/* Frames of the guest's: their checksums are made, large ones are cut (virtio 1.2, 5.1.6.2). */
#include <string.h>

#include "host/netvsp/checksum.h"
#include "host/virtio/net_device.h"
#include "hvkit/wire/rndis.h"

#define PER_TURN 64u
#define FAILED (RNDIS_CHECKSUM_RX_TCP_FAILED | RNDIS_CHECKSUM_RX_UDP_FAILED)

struct send {
	struct virtio_net_device *net;
	uint32_t pair, length;
	struct virtio_net_header header;
	struct netvsp_headers headers;
};

static void to_network(const struct send *send, const uint8_t *frame, uint32_t length)
{
	struct virtio_net_device *net = send->net;

	net->transmitted = true;
	net->counters.from_guest_frames++;
	net->counters.from_guest_bytes += length;
	net->pairs[send->pair].sent++;
	net->setup.transmit(net->setup.context, send->pair, frame, length);
}

/* --- Checksums ------------------------------------------------------------------------------------ */

static const char *checksum_wrong(const struct send *send)
{
	const struct virtio_net_header *header = &send->header;

	if (!virtio_has(&send->net->device, VIRTIO_NET_F_CSUM))
		return "checksum asked for without CSUM";
	if ((uint32_t)header->checksum_start + header->checksum_offset + 2u > send->length)
		return "checksum asked for outside the frame";
	return NULL;
}

/* The guest has left the pseudo-header's sum in the field, whatever protocol it is of. */
static const char *fill_checksum(struct send *send)
{
	struct virtio_net_device *net = send->net;
	uint32_t start = send->header.checksum_start, at = start + send->header.checksum_offset;
	bool udp = send->headers.transport == start && send->headers.protocol == IP_PROTOCOL_UDP;
	uint32_t sum;

	sum = ~netvsp_sum_fold(netvsp_sum(0, net->bytes + start, send->length - start)) & 0xffffu;
	netvsp_put16(net->bytes + at, sum == 0 && udp ? 0xffffu : sum);
	net->counters.checksums_made++;
	if (send->headers.transport == start &&
	    (netvsp_checksum_verify(net->bytes, &send->headers) & FAILED) != 0)
		return "checksum asked for, and the field does not hold the pseudo-header's sum";
	return NULL;
}

/* --- Large sends ---------------------------------------------------------------------------------- */

static const char *large_wrong(const struct send *send)
{
	const struct virtio_net_header *header = &send->header;
	const struct netvsp_headers *headers = &send->headers;
	bool v6 = header->segmentation == VIRTIO_NET_SEGMENTATION_TCP6;
	uint32_t sum, longest = send->net->setup.mtu + ETHERNET_HEADER;

	if (!v6 && header->segmentation != VIRTIO_NET_SEGMENTATION_TCP4)
		return "large send of a kind that was not agreed on";
	if (!virtio_has(&send->net->device, v6 ? VIRTIO_NET_F_HOST_TSO6 : VIRTIO_NET_F_HOST_TSO4))
		return "large send without HOST_TSO";
	if ((header->flags & VIRTIO_NET_HEADER_NEEDS_CHECKSUM) == 0)
		return "large send that does not ask for its checksum";
	if (headers->version != (v6 ? 6 : 4) || headers->protocol != IP_PROTOCOL_TCP ||
	    headers->transport == 0 || headers->end != send->length)
		return "large send of what is no whole TCP packet of that kind";
	if (header->checksum_start != headers->transport || header->checksum_offset != TCP_CHECKSUM_AT)
		return "large send: the checksum is not where TCP has it";
	sum = netvsp_sum_fold(
		netvsp_pseudo_sum(send->net->bytes, headers, headers->end - headers->transport));
	if (netvsp_get16(send->net->bytes + headers->transport + TCP_CHECKSUM_AT) % 0xffffu != sum % 0xffffu)
		return "large send: the field does not hold the pseudo-header's sum, length included";
	if (headers->tagged)
		longest += ETHERNET_TAG;
	if (header->segment_size == 0 || headers->payload + header->segment_size > longest)
		return "large send: segments of that size are none, or longer than the MTU";
	return NULL;
}

static void cut(const struct send *send)
{
	struct virtio_net_device *net = send->net;
	const uint32_t payload = send->headers.end - send->headers.payload;
	struct netvsp_segments segments = {
		.frame = net->bytes, .headers = send->headers, .mss = send->header.segment_size};

	segments.count = (payload + segments.mss - 1) / segments.mss;
	for (uint32_t n = 0; n < segments.count; n++) {
		uint32_t length = netvsp_segment_make(&segments, n, net->made);

		net->counters.segments_made++;
		to_network(send, net->made, length);
	}
}

/* --- One frame ------------------------------------------------------------------------------------ */

static const char *header_wrong(const struct send *send)
{
	const struct virtio_net_header *header = &send->header;

	if ((header->flags & ~VIRTIO_NET_HEADER_NEEDS_CHECKSUM) != 0)
		return "header with flags that a driver does not set";
	if (header->buffer_count != 0)
		return "header with a number of buffers, which is the device's to set";
	if ((header->flags & VIRTIO_NET_HEADER_NEEDS_CHECKSUM) != 0)
		return checksum_wrong(send);
	return NULL;
}

static const char *length_wrong(const struct send *send)
{
	uint32_t longest = send->net->setup.mtu + ETHERNET_HEADER + (send->headers.tagged ? ETHERNET_TAG : 0);

	return send->length > longest ? "frame longer than the MTU allows" : NULL;
}

static const char *send_frame(struct send *send)
{
	const char *fault = header_wrong(send);

	if (fault != NULL)
		return fault;
	netvsp_headers_find(send->net->bytes, send->length, false, &send->headers);
	if (send->header.segmentation != VIRTIO_NET_SEGMENTATION_NONE) {
		fault = large_wrong(send);
		if (fault == NULL)
			cut(send);
		return fault;
	}
	fault = length_wrong(send);
	if (fault == NULL && (send->header.flags & VIRTIO_NET_HEADER_NEEDS_CHECKSUM) != 0)
		fault = fill_checksum(send);
	if (fault == NULL)
		to_network(send, send->net->bytes, send->length);
	return fault;
}

/* False: there is nothing to go on with. What is wrong with a frame alone costs that frame. */
static bool take_frame(struct virtio_net_device *net, uint32_t pair, struct virtio_queue *queue)
{
	struct send send = {.net = net, .pair = pair};
	struct virtio_chain *chain = &net->chain;
	const char *fault;

	if (!virtio_chain_parse(queue, 0, chain))
		return false;
	if (chain->writable != 0)
		VIRTIO_NET_VIOLATE(net, "transmit queue %u: buffer with a part to write", queue->index);
	if (chain->readable < VIRTIO_NET_HEADER + ETHERNET_HEADER ||
	    chain->readable - VIRTIO_NET_HEADER > sizeof net->bytes) {
		VIRTIO_NET_VIOLATE(net, "transmit queue %u: %u bytes, which are no header and frame",
				   queue->index, chain->readable);
		virtio_queue_use(queue, 0);
		return true;
	}
	send.length = chain->readable - VIRTIO_NET_HEADER;
	if (!virtio_chain_read(queue, chain, 0, &send.header, VIRTIO_NET_HEADER) ||
	    !virtio_chain_read(queue, chain, VIRTIO_NET_HEADER, net->bytes, send.length))
		return false;
	fault = send_frame(&send);
	if (fault != NULL)
		VIRTIO_NET_VIOLATE(net, "transmit queue %u: %s", queue->index, fault);
	else
		net->flows[virtio_net_flow(net->bytes, send.length)] = (uint8_t)(pair + 1);
	virtio_queue_use(queue, 0);
	return true;
}

bool virtio_net_transmit_run(struct virtio_net_device *net, uint32_t pair)
{
	struct virtio_queue *queue = virtio_net_tx(net, pair);
	uint32_t waiting = virtio_queue_look(queue), n;

	queue->looked_at = false;
	if (waiting > 0 && pair >= net->pairs_used)
		VIRTIO_NET_VIOLATE(net, "transmit queue %u: the device was told to use %u pairs",
				   queue->index, net->pairs_used);
	virtio_queue_disarm(queue);
	for (n = 0; n < waiting && n < PER_TURN; n++)
		if (!take_frame(net, pair, queue))
			break;
	virtio_queue_publish(queue);
	if (!virtio_is_running(&net->device))
		return false;
	if (queue->count == 0)
		virtio_queue_arm(queue);
	else
		queue->looked_at = true;
	return queue->looked_at;
}
