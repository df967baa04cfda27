/* SPDX-License-Identifier: MIT */
/*
 * VMBus control messages. Every message begins with vmbus_message_header and
 * travels as payload of a SynIC message of type HV_MESSAGE_VMBUS.
 * Sources: Linux include/linux/hyperv.h (layout), OpenVMM vmbus_core (versions,
 * sizes), FreeBSD vmbus_reg.h, iPXE vmbus.h (0.13).
 */
#ifndef HVKIT_WIRE_VMBUS_H
#define HVKIT_WIRE_VMBUS_H

#include "guids.h"
#include "wire.h"

/* --- Versions: major << 16 | minor -------------------------------------- */

#define VMBUS_VERSION(major, minor) (((uint32_t)(major) << 16) | (uint32_t)(minor))
#define VMBUS_VERSION_0_13 VMBUS_VERSION(0, 13) /* Windows Server 2008 */
#define VMBUS_VERSION_1_1 VMBUS_VERSION(1, 1)   /* 2008 R2 */
#define VMBUS_VERSION_2_4 VMBUS_VERSION(2, 4)   /* 2012 */
#define VMBUS_VERSION_3_0 VMBUS_VERSION(3, 0)   /* 2012 R2 */
#define VMBUS_VERSION_4_0 VMBUS_VERSION(4, 0)   /* 10, 2016 */
#define VMBUS_VERSION_4_1 VMBUS_VERSION(4, 1)
#define VMBUS_VERSION_5_0 VMBUS_VERSION(5, 0)
#define VMBUS_VERSION_5_1 VMBUS_VERSION(5, 1)
#define VMBUS_VERSION_5_2 VMBUS_VERSION(5, 2) /* 2019 */
#define VMBUS_VERSION_5_3 VMBUS_VERSION(5, 3) /* 2022 */

/* --- Fixed ids ----------------------------------------------------------- */

#define VMBUS_SINT 2u                     /* Linux, FreeBSD, iPXE, OpenVMM */
#define VMBUS_CONNECTION_MESSAGE 1u       /* below 5.0 */
#define VMBUS_CONNECTION_EVENT 2u         /* the shared event of 0.13 */
#define VMBUS_CONNECTION_MESSAGE_V5 4u    /* first contact from 5.0 */
#define VMBUS_MAX_CHANNELS 2048u          /* channel ids 1 to 2047 */
#define VMBUS_CHANNEL_VP_NONE 0xffffffffu /* OPEN: no interrupts */

enum vmbus_message_type {
	VMBUS_MSG_OFFER_CHANNEL = 1,
	VMBUS_MSG_RESCIND_OFFER = 2,
	VMBUS_MSG_REQUEST_OFFERS = 3,
	VMBUS_MSG_ALL_OFFERS_DELIVERED = 4,
	VMBUS_MSG_OPEN_CHANNEL = 5,
	VMBUS_MSG_OPEN_RESULT = 6,
	VMBUS_MSG_CLOSE_CHANNEL = 7,
	VMBUS_MSG_GPADL_HEADER = 8,
	VMBUS_MSG_GPADL_BODY = 9,
	VMBUS_MSG_GPADL_CREATED = 10,
	VMBUS_MSG_GPADL_TEARDOWN = 11,
	VMBUS_MSG_GPADL_TORNDOWN = 12,
	VMBUS_MSG_RELID_RELEASED = 13,
	VMBUS_MSG_INITIATE_CONTACT = 14,
	VMBUS_MSG_VERSION_RESPONSE = 15,
	VMBUS_MSG_UNLOAD = 16,
	VMBUS_MSG_UNLOAD_RESPONSE = 17,
	VMBUS_MSG_OPEN_RESERVED = 18,
	VMBUS_MSG_CLOSE_RESERVED = 19,
	VMBUS_MSG_CLOSE_RESERVED_RESPONSE = 20,
	VMBUS_MSG_TL_CONNECT = 21,
	VMBUS_MSG_MODIFY_CHANNEL = 22,
	VMBUS_MSG_TL_CONNECT_RESULT = 23,
	VMBUS_MSG_MODIFY_CHANNEL_RESPONSE = 24,
	/* From 6.0, by feature (OpenVMM). */
	VMBUS_MSG_MODIFY_CONNECTION = 25,
	VMBUS_MSG_MODIFY_CONNECTION_RESPONSE = 26,
	VMBUS_MSG_PAUSE = 27,
	VMBUS_MSG_PAUSE_RESPONSE = 28,
	VMBUS_MSG_RESUME = 29,
};

struct vmbus_message_header {
	uint32_t type;
	uint32_t zero;
};
HVK_WIRE_SIZE(struct vmbus_message_header, 8);

/* GUIDs travel in the mixed-endian form of Windows: first three fields
 * little-endian. As text "f8615163-df3e-46c5-..." is 63 51 61 f8 3e df c5 46 ... */
struct vmbus_guid {
	uint8_t bytes[16];
};
HVK_WIRE_SIZE(struct vmbus_guid, 16);

#define VMBUS_USER_DATA_SIZE 120u
#define VMBUS_OFFER_SIZE 196u
/* At 0.13 the offer may end after monitor_allocated (iPXE). */
#define VMBUS_OFFER_SIZE_0_13_MIN 190u

#define VMBUS_OFFER_FLAG_NAMED_PIPE 0x0010u
#define VMBUS_OFFER_FLAG_TLNPI 0x2000u

struct vmbus_offer_channel {
	struct vmbus_message_header header;
	struct vmbus_guid interface_type;
	struct vmbus_guid interface_instance;
	uint8_t reserved0[16]; /* may be non-zero before 2.4 */
	uint16_t flags;
	uint16_t mmio_megabytes;
	uint8_t user_data[VMBUS_USER_DATA_SIZE];
	uint16_t subchannel_index; /* 0 = primary */
	uint16_t mmio_megabytes_optional;
	uint32_t channel_id; /* 1 to 2047 */
	uint8_t monitor_id;
	uint8_t monitor_allocated; /* bit 0 */
	uint16_t is_dedicated;     /* bit 0; from 1.1 */
	uint32_t connection_id;    /* for HvCallSignalEvent; from 1.1 */
};
HVK_WIRE_SIZE(struct vmbus_offer_channel, VMBUS_OFFER_SIZE);
HVK_WIRE_OFFSET(struct vmbus_offer_channel, user_data, 60);
HVK_WIRE_OFFSET(struct vmbus_offer_channel, channel_id, 184);
HVK_WIRE_OFFSET(struct vmbus_offer_channel, is_dedicated, VMBUS_OFFER_SIZE_0_13_MIN);

/* RESCIND_OFFER, CLOSE_CHANNEL, RELID_RELEASED, CLOSE_RESERVED_RESPONSE. */
struct vmbus_channel_message {
	struct vmbus_message_header header;
	uint32_t channel_id;
};
HVK_WIRE_SIZE(struct vmbus_channel_message, 12);

struct vmbus_open_channel {
	struct vmbus_message_header header;
	uint32_t channel_id;
	uint32_t open_id;
	uint32_t ring_gpadl;
	uint32_t target_vp;              /* used from 2.4 */
	uint32_t downstream_page_offset; /* where the host-to-guest ring begins, in pages */
	uint8_t user_data[VMBUS_USER_DATA_SIZE];
};
HVK_WIRE_SIZE(struct vmbus_open_channel, 148);

struct vmbus_open_result {
	struct vmbus_message_header header;
	uint32_t channel_id;
	uint32_t open_id;
	uint32_t status; /* 0 = open */
};
HVK_WIRE_SIZE(struct vmbus_open_result, 20);

/* What a host answers where it refuses (OpenVMM; QEMU's OPEN_RESULT says 1). */
#define VMBUS_STATUS_FAILURE 0x8000ffffu

/* Followed by page frame numbers, at most VMBUS_GPADL_HEADER_PFNS. One range. */
struct vmbus_gpadl_header {
	struct vmbus_message_header header;
	uint32_t channel_id;
	uint32_t gpadl;
	uint16_t range_buffer_length; /* 8 + 8 * pages */
	uint16_t range_count;         /* 1 */
	uint32_t byte_count;
	uint32_t byte_offset;
};
HVK_WIRE_SIZE(struct vmbus_gpadl_header, 28);
#define VMBUS_GPADL_HEADER_PFNS 26u
#define VMBUS_GPADL_BODY_PFNS 28u
/* range_buffer_length is 16 bits: (65535 - 8) / 8, and hosts take no more than 8190. */
#define VMBUS_GPADL_PAGES_MAX 8190u

/* Followed by page frame numbers, at most VMBUS_GPADL_BODY_PFNS. */
struct vmbus_gpadl_body {
	struct vmbus_message_header header;
	uint32_t message_number; /* Linux leaves 0; hosts do not look */
	uint32_t gpadl;
};
HVK_WIRE_SIZE(struct vmbus_gpadl_body, 16);

struct vmbus_gpadl_created {
	struct vmbus_message_header header;
	uint32_t channel_id;
	uint32_t gpadl;
	uint32_t status;
};
HVK_WIRE_SIZE(struct vmbus_gpadl_created, 20);

struct vmbus_gpadl_teardown {
	struct vmbus_message_header header;
	uint32_t channel_id;
	uint32_t gpadl;
};
HVK_WIRE_SIZE(struct vmbus_gpadl_teardown, 16);

struct vmbus_gpadl_torndown {
	struct vmbus_message_header header;
	uint32_t gpadl;
};
HVK_WIRE_SIZE(struct vmbus_gpadl_torndown, 12);

struct vmbus_initiate_contact {
	struct vmbus_message_header header;
	uint32_t version;
	uint32_t target_vp; /* honoured from 3.0, VP 0 before (OpenVMM) */
	/* Below 5.0 the interrupt page's address (used below 2.4). From 5.0 byte 0
	 * is the SINT, from 5.1 byte 1 the VTL, the rest zero. */
	uint64_t interrupt_page_or_target;
	uint64_t monitor_page_host_to_guest; /* both or none */
	uint64_t monitor_page_guest_to_host;
};
HVK_WIRE_SIZE(struct vmbus_initiate_contact, 40);

struct vmbus_version_response {
	struct vmbus_message_header header;
	uint8_t version_supported;
	uint8_t connection_state; /* see the rules in docs/vmbus-versions.md */
	uint16_t reserved;
	uint32_t version_or_connection_id; /* from 5.0 the connection id for later posts */
};
HVK_WIRE_SIZE(struct vmbus_version_response, 16);

struct vmbus_open_reserved {
	struct vmbus_message_header header;
	uint32_t channel_id;
	uint32_t target_vp;
	uint32_t target_sint;
	uint32_t ring_gpadl;
	uint32_t downstream_page_offset;
};
HVK_WIRE_SIZE(struct vmbus_open_reserved, 28);

struct vmbus_close_reserved {
	struct vmbus_message_header header;
	uint32_t channel_id;
	uint32_t target_vp;
	uint32_t target_sint;
};
HVK_WIRE_SIZE(struct vmbus_close_reserved, 20);

struct vmbus_modify_channel {
	struct vmbus_message_header header;
	uint32_t channel_id;
	uint32_t target_vp;
};
HVK_WIRE_SIZE(struct vmbus_modify_channel, 16);

struct vmbus_modify_channel_response {
	struct vmbus_message_header header;
	uint32_t channel_id;
	uint32_t status;
};
HVK_WIRE_SIZE(struct vmbus_modify_channel_response, 16);

/* Sockets: VMBUS_MSG_TL_CONNECT; from 5.2 a third GUID may follow (OpenVMM). */
struct vmbus_tl_connect {
	struct vmbus_message_header header;
	struct vmbus_guid endpoint;
	struct vmbus_guid service;
};
HVK_WIRE_SIZE(struct vmbus_tl_connect, 40);

struct vmbus_tl_connect_result {
	struct vmbus_message_header header;
	struct vmbus_guid endpoint;
	struct vmbus_guid service;
	uint32_t status;
};
HVK_WIRE_SIZE(struct vmbus_tl_connect_result, 44);

struct vmbus_modify_connection {
	struct vmbus_message_header header;
	uint64_t monitor_page_host_to_guest; /* both or none */
	uint64_t monitor_page_guest_to_host;
};
HVK_WIRE_SIZE(struct vmbus_modify_connection, 24);

/* MODIFY_CONNECTION_RESPONSE: the header and one byte, the connection state. */
#define VMBUS_MODIFY_CONNECTION_RESPONSE_SIZE 9u

/* --- Interrupt page (below 2.4) ------------------------------------------ */

#define VMBUS_INTERRUPT_PAGE_HOST_TO_GUEST 0u /* byte offset of the bitmap */
#define VMBUS_INTERRUPT_PAGE_GUEST_TO_HOST 2048u
/* Below 2.4 the shared SINT flag that says "look into the interrupt page", and
 * the first half of it is scanned for this many channels (FreeBSD). */
#define VMBUS_SHARED_EVENT_FLAG 0u
#define VMBUS_MAX_CHANNELS_SHARED 256u

/* --- Monitor page (OpenVMM hvdef; FreeBSD) -------------------------------- */

#define VMBUS_MONITOR_GROUPS 4u
#define VMBUS_MONITOR_GROUP_OFFSET 8u /* {pending u32, armed u32} each */
#define VMBUS_MONITOR_GROUP_STRIDE 8u
#define VMBUS_MONITOR_LATENCY_OFFSET 576u
#define VMBUS_MONITOR_PARAMETER_OFFSET 1088u

#endif
