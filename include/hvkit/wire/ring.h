/* SPDX-License-Identifier: MIT */
/*
 * VMBus rings: control page, packet descriptors, trailer.
 * Sources: Linux hyperv.h and ring_buffer.c, OpenVMM vmbus_ring, FreeBSD
 * vmbus_br.c, mu_msvm.
 */
#ifndef HVKIT_WIRE_RING_H
#define HVKIT_WIRE_RING_H

#include "wire.h"

/* --- Control page: one before the data of each direction ------------------ */

#define VMBUS_RING_WRITE_INDEX 0u        /* u32, byte offset into the data */
#define VMBUS_RING_READ_INDEX 4u         /* u32 */
#define VMBUS_RING_INTERRUPT_MASK 8u     /* u32, written by the reader: non-zero = do not signal me */
#define VMBUS_RING_PENDING_SEND_SIZE 12u /* u32, written by the writer */
#define VMBUS_RING_FEATURES 64u          /* u32, written by the writer */
#define VMBUS_RING_FEATURE_PENDING_SEND_SIZE 1u
#define VMBUS_RING_CONTROL_SIZE HVK_PAGE_SIZE

/* --- Packets -------------------------------------------------------------- */

#define VMBUS_PACKET_IN_BAND 6u
#define VMBUS_PACKET_TRANSFER_PAGES 7u
#define VMBUS_PACKET_GPA_DIRECT 9u
#define VMBUS_PACKET_CANCELLATION 10u /* iPXE only; other hosts call it corrupt: never send it */
#define VMBUS_PACKET_COMPLETION 11u

#define VMBUS_PACKET_FLAG_COMPLETION_REQUESTED 1u

struct vmbus_packet_descriptor {
	uint16_t type;
	uint16_t header_length8; /* descriptor and its extension, in units of 8 bytes */
	uint16_t length8;        /* all but the trailer, in units of 8 bytes */
	uint16_t flags;
	uint64_t transaction_id;
};
HVK_WIRE_SIZE(struct vmbus_packet_descriptor, 16);
#define VMBUS_PACKET_ALIGN 8u

/* After each packet: where it began. */
struct vmbus_packet_trailer {
	uint32_t reserved;
	uint32_t start_offset; /* the write index before this packet */
};
HVK_WIRE_SIZE(struct vmbus_packet_trailer, 8);

/* Extension of VMBUS_PACKET_TRANSFER_PAGES, then range_count ranges. */
struct vmbus_transfer_pages_header {
	uint16_t page_set_id;
	uint8_t sender_owns_page_set;
	uint8_t reserved;
	uint32_t range_count;
};
HVK_WIRE_SIZE(struct vmbus_transfer_pages_header, 8);

struct vmbus_transfer_page_range {
	uint32_t byte_count;
	uint32_t byte_offset; /* into the page set */
};
HVK_WIRE_SIZE(struct vmbus_transfer_page_range, 8);

/* Extension of VMBUS_PACKET_GPA_DIRECT, then range_count ranges, each
 * followed by its page frame numbers (u64). */
struct vmbus_gpa_direct_header {
	uint32_t reserved;
	uint32_t range_count;
};
HVK_WIRE_SIZE(struct vmbus_gpa_direct_header, 8);

struct vmbus_gpa_range {
	uint32_t byte_count;
	uint32_t byte_offset; /* into the first page */
};
HVK_WIRE_SIZE(struct vmbus_gpa_range, 8);

#endif
