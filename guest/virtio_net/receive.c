/* SPDX-License-Identifier: MIT */
/*
 * Frames from the device. It fills pages of ours, which it can still write afterwards: each frame is copied
 * to private memory, then looked at, then handed up. A frame of several buffers says so in its header.
 */
#include "guest/netdev/checksum.h"
#include "guest/virtio_net/virtio_net_internal.h"

#define JOINING (VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6)
#define HEADER ((uint32_t)sizeof(struct virtio_net_header))
#define ETHERNET_TYPE 12u
#define HEADERS_MIN 54u  /* of Ethernet, IPv4 and TCP */
#define HEADERS_MAX 134u /* with options */
#define TYPE_IPV4 0x0800u
#define TYPE_IPV6 0x86ddu
#define PROTOCOL_AT_IPV4 23u /* of the frame */
#define NEXT_AT_IPV6 20u

/* --- Memory ----------------------------------------------------------------------------- */

static uint32_t frame_bytes(const struct hvk_virtio_net *device)
{
	if (device->features & JOINING)
		return VIRTIO_NET_JOINED_MAX + HVK_ETHERNET_VLAN_TAG;
	return device->netdev.info.mtu_max + HVK_ETHERNET_HEADER + HVK_ETHERNET_VLAN_TAG;
}

hvk_status hvk_virtio_net_receive_start(struct virtio_net_pair *pair)
{
	struct hvk *hvk = pair->device->hvk;
	uint32_t count = pair->rx.size, bytes = frame_bytes(pair->device);
	hvk_status status = hvk_pages_get(hvk, count, HVK_PAGE_HOST_WRITES, &pair->buffers);

	if (status == HVK_OK)
		status = hvk_pages_get(hvk, (bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE, HVK_PAGE_PRIVATE,
				       &pair->frame_pages);
	if (status == HVK_OK)
		status = hvk_pages_get(hvk, (count * 4u + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE,
				       HVK_PAGE_PRIVATE, &pair->number_pages);
	if (status != HVK_OK)
		return status;
	pair->buffer_numbers = pair->number_pages.address;
	for (uint32_t i = 0; i < count; i++)
		pair->buffer_numbers[i] = i;
	return HVK_OK;
}

void hvk_virtio_net_receive_stop(struct virtio_net_pair *pair, bool withhold)
{
	struct hvk *hvk = pair->device->hvk;

	if (withhold)
		(void)hvk_pages_quarantine(hvk, &pair->buffers);
	else
		hvk_pages_put(hvk, &pair->buffers);
	hvk_pages_put(hvk, &pair->frame_pages);
	hvk_pages_put(hvk, &pair->number_pages);
	pair->buffer_numbers = NULL;
	hvk_virtq_destroy(hvk, &pair->rx, withhold);
}

static void put_buffer(struct virtio_net_pair *pair, uint32_t *number)
{
	const struct hvk_virtq_piece piece = {hvk_page_gpa(pair->device->hvk, &pair->buffers, *number),
					      VIRTIO_NET_BUFFER, true};

	(void)hvk_virtq_put(&pair->rx, &piece, 1, number); /* there is a descriptor for each */
}

void hvk_virtio_net_receive_fill(struct virtio_net_pair *pair)
{
	for (uint32_t i = 0; i < pair->rx.size; i++)
		put_buffer(pair, &pair->buffer_numbers[i]);
	if (hvk_virtq_show(&pair->rx))
		hvk_virtio_notify(&pair->device->transport, &pair->rx, pair->rx_notify);
}

/* --- What the device says of a frame ---------------------------------------------------- */

static uint32_t get16(const uint8_t *bytes, uint32_t at)
{
	return (uint32_t)bytes[at] << 8 | bytes[at + 1];
}

/* HVK_NETDEV_RX_* and HVK_RX_* of TCP or UDP in it; false: neither, or not to be told at a glance. */
static bool which_checksum(const uint8_t *frame, uint32_t length, uint32_t *capability, uint32_t *flag)
{
	uint32_t type = length > NEXT_AT_IPV6 + 3 ? get16(frame, ETHERNET_TYPE) : 0;
	uint8_t protocol = type == TYPE_IPV4   ? frame[PROTOCOL_AT_IPV4]
			   : type == TYPE_IPV6 ? frame[NEXT_AT_IPV6]
					       : 0;

	if (protocol == HVK_IP_TCP) {
		*capability = type == TYPE_IPV4 ? HVK_NETDEV_RX_TCP4 : HVK_NETDEV_RX_TCP6;
		*flag = HVK_RX_TCP_GOOD;
		return true;
	}
	if (protocol == HVK_IP_UDP) {
		*capability = type == TYPE_IPV4 ? HVK_NETDEV_RX_UDP4 : HVK_NETDEV_RX_UDP6;
		*flag = HVK_RX_UDP_GOOD;
		return true;
	}
	return false;
}

/* The frame never was on a wire: its checksum's field holds the sum of the pseudo-header, to which that of
 * all from start on belongs (virtio 1.2, 5.1.6.4). False: not inside the frame. */
static bool complete_checksum(const struct virtio_net_header *header, uint8_t *frame, uint32_t length)
{
	uint32_t start = header->checksum_start, field = start + header->checksum_offset;
	uint16_t checksum;

	if (start < HVK_ETHERNET_HEADER || field + 2u > length)
		return false;
	checksum = (uint16_t)~hvk_checksum_sum(frame + start, length - start);
	if (checksum == 0)
		checksum = 0xffff; /* the same to TCP; to UDP 0 says that there is none */
	memcpy(frame + field, &checksum, sizeof(checksum));
	return true;
}

/* What the device says of the frame's checksum; one that is missing is put in unless whoever looks at the
 * flags is told that it is right. False: the header points outside the frame. */
static bool look_at_checksum(const struct hvk_virtio_net *device, const struct virtio_net_header *header,
			     uint8_t *bytes, struct hvk_rx_frame *frame)
{
	uint32_t enabled = __atomic_load_n(&device->netdev.info.enabled, __ATOMIC_RELAXED);
	uint32_t capability = 0, flag = 0;

	if (!(device->features & VIRTIO_NET_F_GUEST_CSUM))
		return true;
	if (which_checksum(bytes, frame->length, &capability, &flag) && (enabled & capability) &&
	    (header->flags & (VIRTIO_NET_HEADER_NEEDS_CHECKSUM | VIRTIO_NET_HEADER_CHECKSUM_VALID))) {
		frame->flags |= flag;
		return true;
	}
	return !(header->flags & VIRTIO_NET_HEADER_NEEDS_CHECKSUM) ||
	       complete_checksum(header, bytes, frame->length);
}

static bool is_joined(const struct virtio_net_header *header)
{
	return (header->segmentation & ~VIRTIO_NET_SEGMENTATION_ECN) != VIRTIO_NET_SEGMENTATION_NONE;
}

/* At least so many: where the device does not say how long headers are, they are the longest. */
static uint32_t segments_of(const struct virtio_net_header *header, uint32_t length)
{
	uint32_t headers = header->header_length, size = header->segment_size;

	if (headers < HEADERS_MIN || headers >= length)
		headers = length > HEADERS_MAX ? HEADERS_MAX : 0;
	return size == 0 ? 2 : hvk_max32(2, (length - headers + size - 1u) / size);
}

/* --- Frames ----------------------------------------------------------------------------- */

static void fault(struct virtio_net_pair *pair, const char *what)
{
	HVK_VIRTIO_NET_COUNT(pair->counters.rx_faults);
	(void)hvk_fault(pair->device->hvk, HVK_EHOST_VIRTIO, "virtio_net: %s", what);
}

/* Only for a stack that has asked for it: no other has room for more than its MTU. */
static bool joins(const struct hvk_virtio_net *device)
{
	return (__atomic_load_n(&device->netdev.info.enabled, __ATOMIC_RELAXED) & HVK_NETDEV_LRO) != 0;
}

/* Why a frame is not handed up; NULL: it is. */
static uint64_t *unwanted(struct virtio_net_pair *pair, bool joined, uint32_t length)
{
	const struct hvk_netdev *netdev = &pair->device->netdev;
	struct hvk_netdev_counters *counters = &pair->counters;

	if (!(__atomic_load_n(&pair->device->flags, __ATOMIC_RELAXED) & HVK_NETDEV_UP) ||
	    !netdev->hooks.input)
		return &counters->rx_not_up;
	if (!hvk_virtio_net_wants(pair->device, pair->frame_pages.address))
		return &counters->rx_other_group;
	if (!joined && length > netdev->info.frame_max + HVK_ETHERNET_VLAN_TAG)
		return &counters->rx_too_long;
	return NULL;
}

static void count_frame(struct virtio_net_pair *pair, const struct hvk_rx_frame *frame)
{
	struct hvk_netdev_counters *counters = &pair->counters;
	bool joined = (frame->flags & HVK_RX_JOINED) != 0;

	HVK_VIRTIO_NET_ADD(counters->rx_checksum_good,
			   (frame->flags & (HVK_RX_TCP_GOOD | HVK_RX_UDP_GOOD)) != 0);
	HVK_VIRTIO_NET_ADD(counters->rx_joined, joined);
	HVK_VIRTIO_NET_ADD(counters->rx_segments, joined ? frame->segments : 0);
	HVK_VIRTIO_NET_COUNT(counters->rx_frames);
	HVK_VIRTIO_NET_ADD(counters->rx_bytes, frame->length);
	HVK_VIRTIO_NET_ADD(counters->rx_copied, frame->length);
}

static void hand_up(struct virtio_net_pair *pair, const struct virtio_net_header *header, uint32_t length)
{
	struct hvk_netdev *netdev = &pair->device->netdev;
	struct hvk_rx_frame frame = {
		.data = pair->frame_pages.address, .length = length, .queue = pair->index, .segments = 1};
	bool joined = is_joined(header) && joins(pair->device);
	uint64_t *why = unwanted(pair, joined, length);

	if (why) {
		HVK_VIRTIO_NET_COUNT(*why);
		HVK_VIRTIO_NET_COUNT(pair->counters.rx_dropped);
		return;
	}
	if (is_joined(header) && !(pair->device->features & JOINING)) {
		fault(pair, "a joined frame, which nobody has agreed to");
		return;
	}
	if (joined) {
		frame.flags |= HVK_RX_JOINED;
		frame.segments = segments_of(header, length);
	}
	if (!look_at_checksum(pair->device, header, pair->frame_pages.address, &frame)) {
		fault(pair, "a checksum that lies outside the frame");
		return;
	}
	count_frame(pair, &frame);
	netdev->hooks.input(netdev->hooks.context, netdev, &frame);
}

/* Copies what a buffer holds behind what is there; false: more than a frame can be. */
static bool append(struct virtio_net_pair *pair, uint32_t number, uint32_t skip, uint32_t written,
		   uint32_t *length)
{
	struct hvk_shared all = hvk_pages_shared(&pair->buffers);
	uint32_t room = frame_bytes(pair->device) - *length;

	if (written < skip || written - skip > room)
		return false;
	hvk_shared_read(&all, number * VIRTIO_NET_BUFFER + skip,
			(uint8_t *)pair->frame_pages.address + *length, written - skip);
	*length += written - skip;
	return true;
}

static hvk_status take_buffer(struct virtio_net_pair *pair, uint32_t **number, uint32_t *written)
{
	void *cookie = NULL;
	hvk_status status = hvk_virtq_take(&pair->rx, &cookie, written);

	*number = cookie;
	if (status != HVK_OK && status != HVK_EEMPTY)
		hvk_virtio_net_break(pair->device, "the receive queue contradicts itself");
	return status;
}

/* The further buffers of a frame are there, or the device lied: it shows a frame as a whole. False: the queue
 * is not to be used any more. */
static bool take_rest(struct virtio_net_pair *pair, uint32_t count, bool *good, uint32_t *length)
{
	for (uint32_t i = 1; i < count; i++) {
		uint32_t *number, written;

		if (take_buffer(pair, &number, &written) != HVK_OK) {
			if (!pair->rx.broken) {
				pair->rx.broken = true;
				hvk_virtio_net_break(pair->device, "a frame of which a part is missing");
			}
			return false;
		}
		*good = *good && append(pair, *number, 0, written, length);
		put_buffer(pair, number);
	}
	return true;
}

/* False: no frame. */
static bool receive_one(struct virtio_net_pair *pair)
{
	struct hvk_shared all = hvk_pages_shared(&pair->buffers);
	struct virtio_net_header header = {0};
	uint32_t *number, written, length = 0, buffers = 1;
	bool good;

	if (take_buffer(pair, &number, &written) != HVK_OK)
		return false;
	good = written >= HEADER;
	if (good) {
		hvk_shared_read(&all, *number * VIRTIO_NET_BUFFER, &header, HEADER);
		if (pair->device->features & VIRTIO_NET_F_MRG_RXBUF)
			buffers = header.buffer_count;
		good = append(pair, *number, HEADER, written, &length);
	}
	put_buffer(pair, number);
	if (buffers == 0 || buffers > pair->rx.size) {
		good = false;
		buffers = 1;
	}
	if (!take_rest(pair, buffers, &good, &length))
		return false;
	if (good && length >= HVK_ETHERNET_HEADER)
		hand_up(pair, &header, length);
	else
		fault(pair, "a frame whose length cannot be");
	return true;
}

bool hvk_virtio_net_receive(struct virtio_net_pair *pair)
{
	struct hvk_netdev *netdev = &pair->device->netdev;
	uint32_t count = 0;

	hvk_virtq_no_interrupts(&pair->rx);
	while (count < VIRTIO_NET_BUDGET && receive_one(pair))
		count++;
	if (count != 0 && hvk_virtq_show(&pair->rx))
		hvk_virtio_notify(&pair->device->transport, &pair->rx, pair->rx_notify);
	if (count != 0 && netdev->hooks.burst_end)
		netdev->hooks.burst_end(netdev->hooks.context, netdev, pair->index);
	if (count == VIRTIO_NET_BUDGET)
		return true;
	return pair->device->config.polled ? hvk_virtq_has_more(&pair->rx) : hvk_virtq_await(&pair->rx);
}
