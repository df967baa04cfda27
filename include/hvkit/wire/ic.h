/* SPDX-License-Identifier: MIT */
/*
 * The integration components: shutdown, time, heartbeat, key-value pairs, backup, file
 * copy. One in-band packet per message: a pipe header, this header, a body.
 * Sources: Linux hyperv.h and hv_util.c, FreeBSD vmbus_icreg.h, OpenVMM hyperv_ic.
 */
#ifndef HVKIT_WIRE_IC_H
#define HVKIT_WIRE_IC_H

#include "input.h" /* struct pipe_header */
#include "wire.h"

#define IC_VERSION(major, minor) ((uint32_t)(major) | (uint32_t)(minor) << 16) /* as on the wire */
#define IC_FRAMEWORK_1_0 IC_VERSION(1, 0)
#define IC_FRAMEWORK_3_0 IC_VERSION(3, 0)
#define IC_MESSAGE_MAX 13312u /* OpenVMM */

#define IC_TYPE_NEGOTIATE 0u
#define IC_TYPE_HEARTBEAT 1u
#define IC_TYPE_KVP 2u
#define IC_TYPE_SHUTDOWN 3u
#define IC_TYPE_TIMESYNC 4u
#define IC_TYPE_VSS 5u
#define IC_TYPE_FCOPY 7u

#define IC_STATUS_OK 0x00000000u
#define IC_STATUS_FAIL 0x80004005u
#define IC_STATUS_NO_MORE_ITEMS 0x80070103u
#define IC_STATUS_NOT_SUPPORTED 0x80070032u
#define IC_STATUS_NOT_FOUND 0x80041002u
#define IC_STATUS_INVALID_ARGUMENT 0x80070057u
#define IC_STATUS_ALREADY_EXISTS 0x80070050u /* fcopy: the file is there */
#define IC_STATUS_DISK_FULL 0x80070070u

#define IC_FLAG_TRANSACTION 1u
#define IC_FLAG_REQUEST 2u
#define IC_FLAG_RESPONSE 4u

struct ic_header {
	uint32_t framework; /* major in the low half */
	uint16_t type;
	uint16_t version[2]; /* of the message: major, minor */
	uint16_t size;       /* of the body only */
	uint32_t status;
	uint8_t transaction_id;
	uint8_t flags;
	uint8_t reserved[2];
};
HVK_WIRE_SIZE(struct ic_header, 20);
HVK_WIRE_OFFSET(struct ic_header, size, 10);

struct ic_negotiate {
	uint16_t framework_count, message_count; /* in the answer 1 and 1, or 0 and 0: nothing in common */
	uint32_t reserved;
	/* framework_count, then message_count of u32: IC_VERSION */
};
HVK_WIRE_SIZE(struct ic_negotiate, 8);
#define IC_NEGOTIATE_VERSIONS_MAX 100u /* of each kind (Linux) */

struct ic_heartbeat {
	uint64_t sequence;
	uint32_t application_state;
	uint8_t reserved[4];
};
HVK_WIRE_SIZE(struct ic_heartbeat, 16);

#define IC_SHUTDOWN_FORCE 1u
#define IC_SHUTDOWN_RESTART 2u
#define IC_SHUTDOWN_HIBERNATE 4u
#define IC_SHUTDOWN_TEXT_SIZE 2048u

struct ic_shutdown {
	uint32_t reason;
	uint32_t timeout; /* seconds */
	uint32_t flags;
	uint8_t text[IC_SHUTDOWN_TEXT_SIZE]; /* UTF-16 by the name, Linux prints bytes; may lack its end */
};
HVK_WIRE_SIZE(struct ic_shutdown, 2060);

#define IC_TIMESYNC_SYNC 1u
#define IC_TIMESYNC_SAMPLE 2u
#define IC_EPOCH_1601_TO_1970 116444736000000000u /* 100 ns */

struct ic_timesync_4 {
	uint64_t host_time;      /* 100 ns since 1601 */
	uint64_t reference_time; /* the guest's reference counter when it was taken */
	uint8_t flags;
	uint8_t leap;
	uint8_t stratum;
	uint8_t reserved[5];
};
HVK_WIRE_SIZE(struct ic_timesync_4, 24);
#define IC_TIMESYNC_4_SIZE_MIN 22u /* Linux */

struct ic_timesync_1 { /* 1.0 and 3.0; 28 bytes on the wire, C pads it */
	uint64_t host_time;
	uint64_t child_time;
	uint64_t round_trip;
	uint8_t flags;
	uint8_t reserved[7];
};
HVK_WIRE_SIZE(struct ic_timesync_1, 32);
#define IC_TIMESYNC_1_SIZE 28u
#define IC_TIMESYNC_1_SIZE_MIN 25u /* Linux */

/* --- Key-value pairs ------------------------------------------------------------------ */

#define IC_KVP_GET 0u
#define IC_KVP_SET 1u
#define IC_KVP_DELETE 2u
#define IC_KVP_ENUMERATE 3u
#define IC_KVP_GET_IP 4u
#define IC_KVP_SET_IP 5u

#define IC_KVP_POOL_EXTERNAL 0u
#define IC_KVP_POOL_GUEST 1u
#define IC_KVP_POOL_AUTO 2u
#define IC_KVP_POOL_AUTO_EXTERNAL 3u
#define IC_KVP_POOL_AUTO_INTERNAL 4u /* never exchanged */
#define IC_KVP_POOLS 5u

#define IC_KVP_SZ 1u
#define IC_KVP_EXPAND_SZ 2u
#define IC_KVP_U32 4u
#define IC_KVP_U64 11u
#define IC_KVP_U64_LINUX 8u /* Linux's and FreeBSD's headers; taken, never sent */

#define IC_KVP_KEY_SIZE 512u /* bytes of UTF-16, the end included */
#define IC_KVP_VALUE_SIZE 2048u

struct ic_kvp_header {
	uint8_t operation;
	uint8_t pool;
	uint16_t padding;
};
HVK_WIRE_SIZE(struct ic_kvp_header, 4);

struct ic_kvp_value {
	uint32_t type;
	uint32_t key_size; /* bytes, the end included */
	uint32_t value_size;
	uint8_t key[IC_KVP_KEY_SIZE];
	uint8_t value[IC_KVP_VALUE_SIZE];
};
HVK_WIRE_SIZE(struct ic_kvp_value, 2572);

struct ic_kvp_enumerate {
	uint32_t index;
	struct ic_kvp_value pair;
};
HVK_WIRE_SIZE(struct ic_kvp_enumerate, 2576);

struct ic_kvp_delete {
	uint32_t key_size;
	uint8_t key[IC_KVP_KEY_SIZE];
};
HVK_WIRE_SIZE(struct ic_kvp_delete, 516);

#define IC_KVP_ADAPTER_ID_UNITS 128u /* UTF-16: a GUID in braces */
#define IC_KVP_FAMILY_IPV4 1u
#define IC_KVP_FAMILY_IPV6 2u

/* A host's message about pairs has this size, whatever it asks (OpenVMM). */
#define IC_KVP_MESSAGE_SIZE 2580u

/* Follows operation and pool at once, without struct ic_kvp_header's padding (Linux, FreeBSD,
 * OpenVMM). Lists are separated by semicolons. */
#define IC_KVP_IP_OFFSET 2u
struct ic_kvp_ip {
	uint16_t adapter_id[IC_KVP_ADAPTER_ID_UNITS];
	uint8_t family;
	uint8_t dhcp;
	uint16_t addresses[1024];
	uint16_t masks[1024];
	uint16_t gateways[512];
	uint16_t name_servers[1024];
};
HVK_WIRE_SIZE(struct ic_kvp_ip, 7426);

/* --- Backup ----------------------------------------------------------------------------- */

#define IC_VSS_CREATE 0u
#define IC_VSS_DELETE 1u
#define IC_VSS_HOT_BACKUP 2u
#define IC_VSS_GET_DM_INFO 3u
#define IC_VSS_BACKUP_COMPLETE 4u
#define IC_VSS_FREEZE 5u
#define IC_VSS_THAW 6u
#define IC_VSS_AUTO_RECOVER 7u

#define IC_VSS_FLAG_HOT_BACKUP 1u       /* in the answer to HOT_BACKUP: it can */
#define IC_VSS_FLAG_NO_AUTO_RECOVERY 4u /* and needs none: 5 together (Linux, FreeBSD) */

struct ic_vss {
	uint8_t operation;
	uint8_t reserved[7];
	uint32_t flags;
};
HVK_WIRE_SIZE(struct ic_vss, 12);

/* FREEZE and AUTO_RECOVER from 5.0 on (OpenVMM): with the disks, which Linux and FreeBSD leave alone. */
#define IC_VSS_DISKS 260u
struct ic_vss_disks {
	uint8_t operation;
	uint8_t reserved[7];
	uint32_t backup_type;
	uint32_t flags;
	uint32_t disk_count;
	uint8_t disks[IC_VSS_DISKS][24];
};
HVK_WIRE_SIZE(struct ic_vss_disks, 6260);

/* --- File copy, host to guest (Linux hv_fcopy) -------------------------------------------- */

#define IC_FCOPY_START 0u
#define IC_FCOPY_WRITE 1u
#define IC_FCOPY_COMPLETE 2u
#define IC_FCOPY_CANCEL 3u
#define IC_FCOPY_FLAG_OVERWRITE 1u
#define IC_FCOPY_FLAG_CREATE_PATH 2u
#define IC_FCOPY_PATH_UNITS 260u
#define IC_FCOPY_FRAGMENT (6u * 1024u)

struct ic_fcopy_header {
	uint32_t operation;
	uint8_t service_id[2][16]; /* two GUIDs */
};
HVK_WIRE_SIZE(struct ic_fcopy_header, 36);

struct ic_fcopy_start {
	struct ic_fcopy_header header;
	uint16_t file_name[IC_FCOPY_PATH_UNITS];
	uint16_t path_name[IC_FCOPY_PATH_UNITS];
	uint32_t flags;
	uint32_t file_size[2]; /* a u64 that is not 8-aligned */
};
HVK_WIRE_SIZE(struct ic_fcopy_start, 1088);

struct ic_fcopy_write {
	struct ic_fcopy_header header;
	uint32_t padding;
	uint32_t offset[2]; /* u64 */
	uint32_t size;
	uint8_t data[IC_FCOPY_FRAGMENT];
};
HVK_WIRE_SIZE(struct ic_fcopy_write, 6196);

#endif
