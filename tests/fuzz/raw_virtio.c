/* SPDX-License-Identifier: MIT */
/* The raw guest's virtio network function: lawful bring-up, registers, descriptors, rings, frames. */
#include <stddef.h>

#include "host/netvsp/checksum.h"
#include "host/virtio/net.h"
#include "hvkit/wire/virtio.h"
#include "hvkit/wire/vpci.h"
#include "tests/fuzz/raw_guest.h"

#define SLOT 2u
#define WINDOW (HVH_MMIO_LOW_BASE)
#define REGISTERS (HVH_MMIO_HIGH_BASE)
#define MSIX (HVH_MMIO_HIGH_BASE + 0x10000u)
#define NOTIFY 0x3000u
#define ISR 0x1000u
#define CONFIG 0x2000u
#define PAIRS 2u
#define QUEUES (2u * PAIRS + 1u)
#define SIZE 16u
#define QUEUE_PAGE RAW_RECEIVE /* one for each queue */
#define AVAILABLE 0x400u
#define USED 0x800u
#define BYTES_MAX 96u
#define FRAME_MAX 9216u
#define COMMON(field) ((uint32_t)offsetof(struct virtio_pci_common, field))

static void transmit(void *context, uint32_t pair, const uint8_t *frame, uint32_t length)
{
	struct raw_guest *guest = context;

	FUZZ_CHECK(pair < PAIRS && length >= 14 && length <= FRAME_MAX);
	for (uint32_t n = 0; n < length; n++) /* all of it is there */
		guest->sum ^= frame[n];
}

static void flush(void *context)
{
	(void)context;
}

void raw_create_virtio(struct raw_guest *guest)
{
	const struct virtio_net_setup setup = {
		.mac = {0, 0x15, 0x5d, 1, 2, 3},
		.pairs_max = PAIRS,
		.mtu = 9000,
		.speed = 10000000000ull,
		.link_up = true,
		.bus = {.instance = {1, 2, 3, 4, 5, 6, 7, 8},
			.serial = 7,
			.protocol_newest = VPCI_VERSION_1_4,
			.eject_wait = HVH_TIME_PER_SECOND},
		.context = guest,
		.transmit = transmit,
		.flush = flush,
	};

	guest->virtio = virtio_net_create(guest->host, &setup);
	FUZZ_CHECK(guest->virtio != NULL);
	guest->pci = virtio_net_bus(guest->virtio);
	memset(guest->shown, true, sizeof(guest->shown)); /* buffers are where the guest says */
}

/* --- Lawful steps --------------------------------------------------------------------------- */

static void send(struct raw_guest *guest, const void *message, uint32_t length)
{
	uint8_t bytes[BYTES_MAX] = {0};

	memcpy(bytes, message, length);
	raw_packet(guest, VMBUS_PACKET_IN_BAND, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED, ++guest->transaction,
		   NULL, 0, bytes, (length + 7u) & ~7u);
	raw_pass(guest, 10 * HVH_TIME_PER_MS);
	raw_drain(guest);
}

static void write_memory(struct raw_guest *guest, uint64_t gpa, unsigned width, uint64_t value)
{
	(void)hvh_mmio_write(guest->host, guest->now, 0, gpa, width, value);
	raw_settle(guest);
}

static void write_config(struct raw_guest *guest, uint32_t offset, unsigned width, uint32_t value)
{
	write_memory(guest, WINDOW + VPCI_WINDOW_CONFIG + offset, width, value);
}

static void write_register(struct raw_guest *guest, uint32_t offset, unsigned width, uint64_t value)
{
	write_memory(guest, REGISTERS + offset, width, value);
}

/* The bus in D0, the BARs in place. */
void raw_virtio_place(struct raw_guest *guest)
{
	const struct vpci_version_request version = {VPCI_QUERY_PROTOCOL_VERSION, VPCI_VERSION_1_4};
	const struct vpci_message relations = {VPCI_QUERY_BUS_RELATIONS};
	const struct vpci_d0_entry entry = {.type = VPCI_BUS_D0_ENTRY, .window = WINDOW};
	const uint64_t bars[] = {[0] = REGISTERS, [4] = MSIX};

	send(guest, &version, sizeof(version));
	send(guest, &relations, sizeof(relations));
	send(guest, &entry, sizeof(entry));
	write_memory(guest, WINDOW, 4, SLOT);
	for (uint32_t bar = 0; bar < 5; bar += 4) {
		write_config(guest, PCI_BAR0 + 4 * bar, 4, (uint32_t)bars[bar]);
		write_config(guest, PCI_BAR0 + 4 * bar + 4, 4, (uint32_t)(bars[bar] >> 32));
	}
	write_config(guest, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static uint64_t queue_address(uint32_t queue)
{
	return (uint64_t)(QUEUE_PAGE + queue) * HVK_PAGE_SIZE;
}

static void enable_queue(struct raw_guest *guest, uint32_t queue)
{
	write_register(guest, COMMON(queue_select), 2, queue);
	write_register(guest, COMMON(queue_size), 2, SIZE);
	write_register(guest, COMMON(queue_vector), 2, queue);
	write_register(guest, COMMON(queue_descriptors), 8, queue_address(queue));
	write_register(guest, COMMON(queue_driver), 8, queue_address(queue) + AVAILABLE);
	write_register(guest, COMMON(queue_device), 8, queue_address(queue) + USED);
	write_register(guest, COMMON(queue_enable), 2, 1);
}

/* Features: as many of these as go together. */
void raw_virtio_start(struct raw_guest *guest, uint64_t features)
{
	static const uint8_t zeros[HVK_PAGE_SIZE];

	features |= VIRTIO_F_VERSION_1 | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM |
		    VIRTIO_NET_F_MQ;
	features &= VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX | VIRTIO_NET_F_CSUM |
		    VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS | VIRTIO_NET_F_MAC |
		    VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_HOST_TSO4 |
		    VIRTIO_NET_F_HOST_TSO6 | VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS |
		    VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_GUEST_ANNOUNCE |
		    VIRTIO_NET_F_MQ | VIRTIO_NET_F_CTRL_MAC_ADDR;
	write_register(guest, COMMON(status), 1, 0);
	for (uint32_t queue = 0; queue < QUEUES; queue++)
		raw_write(guest, queue_address(queue), zeros, sizeof(zeros));
	write_register(guest, COMMON(status), 1, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	for (uint32_t half = 0; half < 2; half++) {
		write_register(guest, COMMON(driver_feature_select), 4, half);
		write_register(guest, COMMON(driver_feature), 4, (uint32_t)(features >> (32 * half)));
	}
	write_register(guest, COMMON(status), 1,
		       VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK);
	for (uint32_t queue = 0; queue < QUEUES; queue++)
		enable_queue(guest, queue);
	write_register(guest, COMMON(status), 1,
		       VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK |
			       VIRTIO_STATUS_DRIVER_OK);
}

/* --- What the fuzzer can do --------------------------------------------------------------------- */

/* {how, offset, value u64}: how: bits 0 and 1 the width, 2 and 3 where, 4 a write. */
void raw_op_register(struct raw_guest *guest, struct fuzz_input *arguments)
{
	static const uint32_t places[] = {0, ISR, CONFIG, NOTIFY};
	uint8_t how = fuzz_u8(arguments);
	uint64_t gpa = REGISTERS + places[how >> 2 & 3u] + fuzz_u8(arguments), read;
	unsigned width = 1u << (how & 3u);

	if (how & 0x10u)
		(void)hvh_mmio_write(guest->host, guest->now, 0, gpa, width, fuzz_u64(arguments));
	else
		(void)hvh_mmio_read(guest->host, guest->now, 0, gpa, width, &read);
	raw_settle(guest);
}

/* {queue, number, flags, next, length u16, page, offset u16}: a descriptor; of the queue, or (queue 8 on) in
 * a table for indirect ones in that queue's page. */
void raw_op_descriptor(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t queue = fuzz_u8(arguments), number = fuzz_u8(arguments);
	struct virtq_descriptor descriptor = {0};
	uint64_t at = queue_address(queue % QUEUES) + (queue & 8u ? 0xc00u : 0u);

	descriptor.flags = fuzz_u8(arguments) & (queue & 0x10u ? 0xffu : 7u);
	descriptor.next = fuzz_u8(arguments) % (SIZE + 2u);
	descriptor.length = fuzz_u16(arguments);
	descriptor.address = (uint64_t)fuzz_u8(arguments) % RAW_PAGES * HVK_PAGE_SIZE;
	descriptor.address += fuzz_u16(arguments) % HVK_PAGE_SIZE;
	raw_write(guest, at + number % SIZE * sizeof(descriptor), &descriptor, sizeof(descriptor));
}

/* {queue, how, heads ...}: makes them available, one after another, and rings; how: 1 not, 2 an index that
 * is further. */
void raw_op_available(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint32_t queue = fuzz_u8(arguments) % QUEUES, how = fuzz_u8(arguments);
	uint64_t at = queue_address(queue) + AVAILABLE;
	uint16_t index = 0;

	memcpy(&index, raw_at(guest, at + 2, 2), sizeof(index));
	while (arguments->left > 0) {
		uint16_t head = fuzz_u8(arguments) % (SIZE + 1u);

		raw_write(guest, at + 4 + 2u * (index++ % SIZE), &head, sizeof(head));
	}
	if (how & 2u)
		index = (uint16_t)(index + how);
	raw_write(guest, at + 2, &index, sizeof(index));
	if ((how & 1u) == 0)
		write_register(guest, NOTIFY + 4 * queue, 2, queue);
}

/* {count, kind, length u16, bytes}: frames for the guest; kind: 1 whoever they are for, 2 segments of a TCP
 * stream, one behind the other, 4 with right checksums. */
void raw_op_deliver(struct raw_guest *guest, struct fuzz_input *arguments)
{
	static const uint8_t headers[48] = {0, 0x15, 0x5d, 1, 2, 3, 2,  0, 0, 0, 0,  9, 8, 0, 0x45, 0,
					    0, 0,    0,    0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10,   0,
					    0, 2,    1,    2, 3, 4, 0,  0, 0, 0, 0,  0, 0, 0, 0x50, 0x10};
	uint32_t count = fuzz_u8(arguments), kind = fuzz_u8(arguments), length = fuzz_u16(arguments) % 2048u;
	struct netvsp_headers found;
	uint8_t frame[2048] = {0};

	memcpy(frame, headers, sizeof(headers));
	if (length < 60)
		length = 60;
	netvsp_put16(frame + 16, length - 14);
	for (uint32_t n = 0; arguments->left > 0 && n < length; n++)
		frame[n] ^= fuzz_u8(arguments);
	for (uint32_t n = 0; n < count; n++) {
		if (kind & 2u)
			netvsp_put32(frame + 38, n * (length - 54));
		if ((kind & 4u) && netvsp_headers_find(frame, length, false, &found))
			netvsp_checksum_make(frame, &found);
		if (virtio_net_accepts(guest->virtio, frame) || (kind & 1u))
			(void)virtio_net_receive(guest->virtio, guest->now, frame, length);
	}
	FUZZ_CHECK(virtio_net_room(guest->virtio, guest->now) <= 512);
	raw_settle(guest);
}

/* {what, features u64}: 0 a lawful start; 1 link down, 2 up; 3 announce; 4 the BARs once more. */
void raw_op_device_state(struct raw_guest *guest, struct fuzz_input *arguments)
{
	switch (fuzz_u8(arguments) % 5u) {
	case 0:
		raw_virtio_start(guest, fuzz_u64(arguments));
		break;
	case 1:
		virtio_net_set_link(guest->virtio, guest->now, false, 0);
		break;
	case 2:
		virtio_net_set_link(guest->virtio, guest->now, true, 1000000000);
		break;
	case 3:
		virtio_net_announce(guest->virtio, guest->now);
		break;
	default:
		raw_virtio_place(guest);
		break;
	}
	raw_settle(guest);
}
