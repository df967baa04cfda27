/* SPDX-License-Identifier: MIT */
/*
 * RNDIS codec: builds messages, parses what came in a transfer-page range into
 * checked private values. Pure functions. Private to guest/netvsc.
 *
 * A range is one message, and the range's size is where the message ends. Bytes 4 to
 * 7, where RNDIS has a length of its own, are looked at by nobody: Windows Server 2012
 * R2 writes lengths there that do not cover the message (iPXE 639632b05).
 */
#ifndef HVK_NETVSC_RNDIS_H
#define HVK_NETVSC_RNDIS_H

#include "guest/core/core.h"
#include "hvkit/wire/rndis.h"

#define HVK_RNDIS_INFO_MAX 256u         /* bytes of information taken from a QUERY's answer */
#define HVK_RNDIS_REQUEST_INFO_MAX 592u /* in a QUERY or a SET: RSS parameters, key and table */
#define HVK_RNDIS_INFO_ENTRIES_MAX 64u  /* per-packet information entries walked */
#define HVK_RNDIS_FRAME_MIN 14u         /* an Ethernet header; parts of joined frames may be shorter */

/* A control message to be sent. */
struct hvk_rndis_message {
	uint32_t length;
	uint32_t words[(sizeof(struct rndis_request) + HVK_RNDIS_REQUEST_INFO_MAX) / 4];
};

void hvk_rndis_build_initialize(struct hvk_rndis_message *message, uint32_t request_id);
void hvk_rndis_build_halt(struct hvk_rndis_message *message, uint32_t request_id);
void hvk_rndis_build_query(struct hvk_rndis_message *message, uint32_t request_id, uint32_t oid);
void hvk_rndis_build_set(struct hvk_rndis_message *message, uint32_t request_id, uint32_t oid,
			 uint32_t value);
/* The same with information of up to HVK_RNDIS_REQUEST_INFO_MAX bytes; type: RNDIS_MSG_QUERY or
 * RNDIS_MSG_SET. */
void hvk_rndis_build_request(struct hvk_rndis_message *message, uint32_t type, uint32_t request_id,
			     uint32_t oid, const void *information, uint32_t length);
void hvk_rndis_build_keepalive_complete(struct hvk_rndis_message *message, uint32_t request_id);

/* --- Frames ----------------------------------------------------------------------- */

/* What is known of a frame beside its bytes. */
#define HVK_RNDIS_HAS_CHECKSUM (1u << 0)
#define HVK_RNDIS_HAS_LSO (1u << 1) /* to the host only */
#define HVK_RNDIS_HAS_VLAN (1u << 2)
#define HVK_RNDIS_HAS_HASH (1u << 3)
#define HVK_RNDIS_HAS_PART (1u << 4) /* from the host only */

/* To be said of a frame that is sent. */
struct hvk_rndis_tx_info {
	uint32_t has;      /* HVK_RNDIS_HAS_* */
	uint32_t checksum; /* RNDIS_CHECKSUM_TX_* */
	uint32_t lso;      /* RNDIS_LSO_*: instead of a checksum */
	uint32_t hash;
	uint16_t vlan_tag; /* priority << 13 | DEI << 12 | id */
};

/* What goes before a frame: header and per-packet information. */
#define HVK_RNDIS_PREFIX_MAX 92u /* three entries: checksum or LSO, VLAN, hash */
struct hvk_rndis_prefix {
	/* words[1], the length of the message with the frame: whoever pads the message adds to it. */
	uint32_t words[HVK_RNDIS_PREFIX_MAX / 4];
};

/* Returns its size; behind it come frame_length bytes of frame. info NULL: nothing to say. */
uint32_t hvk_rndis_build_prefix(struct hvk_rndis_prefix *prefix, uint32_t frame_length,
				const struct hvk_rndis_tx_info *info);
/* The header of a frame of that length, which follows it. */
void hvk_rndis_build_packet(struct rndis_packet *packet, uint32_t frame_length);

#define HVK_RNDIS_USUAL_ENTRIES 3u

/* HVK_EHOST_RNDIS if the range does not hold a header. */
hvk_status hvk_rndis_parse_type(const struct hvk_shared *range, uint32_t *type);

/* Where the frame is in a PACKET's range, and what the host says of it. What is not in has
 * is 0. */
struct hvk_rndis_frame {
	uint32_t offset, length;
	uint32_t has;      /* HVK_RNDIS_HAS_* */
	uint32_t checksum; /* RNDIS_CHECKSUM_RX_* */
	uint32_t hash;
	uint32_t hash_type; /* NDIS_HASH_*; 0: the host does not say */
	uint16_t vlan_tag;  /* taken out of the frame: priority << 13 | DEI << 12 | id */
	uint16_t packet_id; /* with HVK_RNDIS_HAS_PART: of the joined packet */
	uint8_t part;       /* RNDIS_PACKET_ID_*; 0: the packet is whole */
};
hvk_status hvk_rndis_parse_packet(const struct hvk_shared *range, struct hvk_rndis_frame *frame);

/* Every kind of per-packet information that we know has one word of data. */
struct hvk_rndis_entry {
	struct rndis_per_packet_info header;
	uint32_t data;
};

/* Two neighbouring words of a message. */
struct hvk_rndis_place {
	uint32_t offset, length;
};

/* A word for one who may be told what is usual: checksum, hash, its type. False: it is something else. */
static inline bool hvk_rndis_take_usual(struct hvk_rndis_frame *frame, const struct hvk_rndis_entry *entry)
{
	if (entry->header.size != sizeof(*entry) || entry->header.data_offset != sizeof(entry->header))
		return false;
	if (entry->header.type == RNDIS_INFO_CHECKSUM) {
		frame->has |= HVK_RNDIS_HAS_CHECKSUM;
		frame->checksum = entry->data;
		return true;
	}
	if (entry->header.type == RNDIS_INFO_HASH_INFO) {
		frame->hash_type = entry->data;
		return true;
	}
	frame->has |= HVK_RNDIS_HAS_HASH;
	frame->hash = entry->data;
	return entry->header.type == RNDIS_INFO_HASH_VALUE;
}

/* Looks for a PACKET as most are, in a range of any size: nothing is said of the frame, or something of
 * its checksums and its hash, right behind the header. False: it may be one nevertheless,
 * hvk_rndis_parse_packet tells, and begins anew. True: that one would say the same of it. Each word is
 * read once. Of frame what lies behind hash_type is not set. */
static inline bool hvk_rndis_parse_usual(const struct hvk_shared *range, struct hvk_rndis_frame *frame)
{
	const uint32_t fixed = (uint32_t)sizeof(struct rndis_packet) - RNDIS_OFFSET_BASE;
	struct hvk_rndis_place data, info;
	struct hvk_rndis_entry entry;
	uint32_t type, at = sizeof(struct rndis_packet);

	if (range->size < sizeof(struct rndis_packet) + sizeof(entry))
		return false;
	hvk_shared_read(range, 0, &type, sizeof(type));
	hvk_shared_read(range, offsetof(struct rndis_packet, data_offset), &data, sizeof(data));
	hvk_shared_read(range, offsetof(struct rndis_packet, per_packet_info_offset), &info, sizeof(info));
	frame->offset = data.offset + RNDIS_OFFSET_BASE;
	frame->length = data.length;
	frame->has = frame->checksum = frame->hash = frame->hash_type = 0;
	if (type != RNDIS_MSG_PACKET || data.length < HVK_RNDIS_FRAME_MIN || data.offset < fixed ||
	    !hvk_fits(data.offset, data.length, range->size - RNDIS_OFFSET_BASE))
		return false;
	if (info.length == 0)
		return true;
	if (info.length == sizeof(entry) && info.offset == fixed) {
		hvk_shared_read(range, at, &entry, sizeof(entry)); /* without RSS it is this one */
		frame->has = HVK_RNDIS_HAS_CHECKSUM;
		frame->checksum = entry.data;
		return entry.header.type == RNDIS_INFO_CHECKSUM && entry.header.size == sizeof(entry) &&
		       entry.header.data_offset == sizeof(entry.header);
	}
	if (info.offset != fixed || info.length > HVK_RNDIS_USUAL_ENTRIES * sizeof(entry) ||
	    info.length % sizeof(entry) != 0 || info.length > range->size - at)
		return false;
	for (uint32_t end = at + info.length; at != end; at += (uint32_t)sizeof(entry)) {
		hvk_shared_read(range, at, &entry, sizeof(entry));
		if (!hvk_rndis_take_usual(frame, &entry))
			return false;
	}
	return true;
}

/* INITIALIZE_COMPLETE, QUERY_COMPLETE, SET_COMPLETE: their first two fields. */
struct hvk_rndis_answer {
	uint32_t request_id;
	uint32_t status;
};
hvk_status hvk_rndis_parse_answer(const struct hvk_shared *range, struct hvk_rndis_answer *answer);

/* What follows in an INITIALIZE_COMPLETE of status success. HVK_EHOST_VALUE: not RNDIS 1,
 * not Ethernet. */
struct hvk_rndis_device {
	uint32_t max_packets, max_transfer_size, alignment_factor;
};
hvk_status hvk_rndis_parse_initialize(const struct hvk_shared *range, struct hvk_rndis_device *device);

/* What follows in a QUERY_COMPLETE of status success: at most HVK_RNDIS_INFO_MAX bytes. */
hvk_status hvk_rndis_parse_query(const struct hvk_shared *range, uint8_t info[HVK_RNDIS_INFO_MAX],
				 uint32_t *length);

/* The status of an INDICATE_STATUS. Its buffer is looked at by nobody. */
hvk_status hvk_rndis_parse_status(const struct hvk_shared *range, uint32_t *status);

hvk_status hvk_rndis_parse_keepalive(const struct hvk_shared *range, uint32_t *request_id);

#endif
