/* SPDX-License-Identifier: MIT */
/*
 * netvsp: the network card's host side. Private to host/netvsp/.
 *
 * nvs.c and buffers.c speak NVS; rndis.c, oid.c and oid_offload.c the RNDIS control messages, and
 * indicate.c says what the card says by itself. queue.c has the channels' own state, subchannels.c
 * gets the guest more of them, steering.c says which one a frame takes. transmit.c and frames.c take
 * the guest's frames, send.c does what they ask for. receive.c, layout.c, join.c, transfer.c and
 * suballocations.c bring frames and replies to the guest. vf.c has what the card says of a VF beside
 * it. nic.c is what the rest of the program sees, device.c what the bus does.
 */
#ifndef HVH_NETVSP_NETVSP_H
#define HVH_NETVSP_NETVSP_H

#include "host/core/core.h"
#include "host/vmbus/channel.h"
#include "hvkit/wire/nvs.h"
#include "hvkit/wire/rndis.h"
#include "hvkit_host/network.h"
#include "coalesce.h"
#include "offload.h"
#include "packet_info.h"
#include "rss.h"
#include "segment.h"
#include "vf.h"

/* Sub-allocations of the receive buffer kept for control messages (OpenVMM). */
#define NETVSP_CONTROL_SUBALLOCATIONS 16u
#define NETVSP_SUBALLOCATIONS_MAX 32768u
#define NETVSP_SUBALLOCATION_NONE 0xffffu
/* What a sub-allocation holds beside the frame (OpenVMM: 256 + 36). */
#define NETVSP_SUBALLOCATION_OVERHEAD 292u
#define NETVSP_SECTIONS_MAX 8192u
#define NETVSP_RANGES_MAX 375u       /* of one transfer-page packet (OpenVMM) */
#define NETVSP_COMPLETIONS_MAX 1024u /* guest's packets in flight (OpenVMM) */
#define NETVSP_CONTROL_QUEUE 64u
#define NETVSP_CONTROL_SIZE 512u    /* longest control message to the guest */
#define NETVSP_MESSAGE_MAX 131072u  /* RNDIS bytes of one packet of the guest's */
#define NETVSP_TRANSFER_MAX 262144u /* RNDIS bytes of one transfer-page packet */
#define NETVSP_PACKETS_PER_RUN 64u
#define NETVSP_FRAMES_PER_RUN 1024u /* to the backend: large sends may be many */
#define NETVSP_TRANSFERS_PER_RUN 16u

#define NETVSP_ETHERNET_HEADER 14u
#define NETVSP_ETHERNET_ADDRESS 6u
#define NETVSP_FRAME_STANDARD 1514u /* with its header */
#define NETVSP_FRAME_MAX 9216u      /* the longest a host grants (OpenVMM) */
#define NETVSP_MTU_DEFAULT 9000u
#define NETVSP_LINK_SPEED_DEFAULT 10000000000ull
#define NETVSP_QUEUES_MAX 64u /* with the primary (OpenVMM) */
#define NETVSP_FRAME_NONE UINT32_MAX

#define NETVSP_VF_NOTES 8u
#define NETVSP_VF_SWITCHES 4u

#define NETVSP_RESPONSE_SIZE 32u /* 28 bytes, padded to 8 on the ring */
#define NETVSP_RESPONSE_SIZE_6_1 40u

/* A buffer the guest lent: by GPADL id, looked up at each use. */
struct netvsp_buffer {
	bool taken;    /* the message has been accepted, once per open */
	bool present;  /* and not revoked */
	bool reported; /* torn down while in use: said once */
	uint32_t gpadl;
	uint16_t page_set_id;
};

/* A completion the guest waits for. */
struct netvsp_completion {
	uint64_t due;
	uint64_t transaction_id;
	uint32_t section; /* to be freed with it, or NVS_SECTION_NONE */
	uint32_t payload_length;
	uint8_t payload[NETVSP_RESPONSE_SIZE_6_1];
};

/* An RNDIS message of the host's that is no frame. */
struct netvsp_control {
	uint64_t due;
	uint32_t length;
	uint8_t bytes[NETVSP_CONTROL_SIZE];
};

/* The status 0x40020006 that waits for other messages to share a packet with. */
struct netvsp_companion {
	bool present;
	bool for_frames;   /* the seed's choice: waits for frames, or for anything */
	uint64_t deadline; /* and then goes alone */
	uint32_t behind;   /* so many control messages go before it */
	struct netvsp_control message;
};

/* A frame for the guest; those of a queue are a list, and so are the free ones. */
struct netvsp_frame {
	uint32_t next; /* index, or NETVSP_FRAME_NONE */
	uint32_t length;
	uint32_t hash, hash_type; /* type 0: none */
	uint8_t bytes[NETVSP_FRAME_MAX];
};

/* One channel's own state. Queue 0 is the primary's, n that of sub-channel n. */
struct netvsp_queue {
	struct hvh_nic *nic;
	struct hvh_channel *channel;
	uint32_t index;
	bool open;
	bool stopped; /* after a protocol error nothing is read until the channel closes */
	bool blocked; /* the ring to the guest was full */
	uint64_t rescind_at;
	/* Sub-allocations for frames that it may use: a stack in the session's free_data. */
	uint32_t free_first, free_count;
	/* Frames that wait, oldest first. */
	uint32_t frame_first, frame_last, frame_count;
	uint64_t moved_at; /* when one last went, or was the first to wait */
	struct hvh_nic_queue_counters counters;
	struct netvsp_completion completions[NETVSP_COMPLETIONS_MAX];
	uint32_t completion_count;
};

/* The guest's request for sub-channels and what became of it. */
struct netvsp_subchannels {
	uint32_t granted;
	bool held; /* the answer waits for the offers */
	uint64_t held_transaction, held_until;
	uint64_t table_due; /* of the send indirection table, or HVH_NEVER */
	bool table_decided;
};

/* A VF as this guest has been told of it, and where it has put the data path. */
struct netvsp_vf_note {
	bool allocated;
	uint32_t serial;
};
struct netvsp_vf_switch {
	uint64_t due, transaction_id;
	bool answered, to_vf;
};
struct netvsp_vf_session {
	bool capability;                              /* NDIS_CONFIG had it */
	bool on;                                      /* the VF has the data path */
	struct netvsp_vf_note notes[NETVSP_VF_NOTES]; /* to be said */
	uint32_t note_count;
	struct netvsp_vf_note told; /* last */
	uint64_t told_at;
	uint32_t answers_owed;                                /* to what was told */
	struct netvsp_vf_switch switches[NETVSP_VF_SWITCHES]; /* not done yet */
	uint32_t switch_count;
};

/* Everything that all channels share; it ends when the primary closes. */
struct netvsp_session {
	bool open;
	uint32_t version;
	bool ndis_config, ndis_version;
	uint32_t frame_max; /* with the Ethernet header */
	struct netvsp_buffer receive, send;
	uint64_t release_at; /* of the receive buffer's GPADL, or 0: its teardown was not asked for */
	bool released;

	bool initialized; /* RNDIS */
	bool link_reported;
	bool network_changed, speed_changed;           /* to be told */
	uint32_t packets_max, transfer_max, alignment; /* as INITIALIZE_CMPLT said */
	uint32_t filter;
	struct netvsp_offload offload;
	struct netvsp_rss rss;
	bool vlan;          /* tags are packet information, both ways */
	bool rsc;           /* NDIS_CONFIG had that capability */
	uint16_t packet_id; /* of the latest joined packet */
	struct netvsp_subchannels subchannels;
	struct netvsp_vf_session vf;

	uint32_t section_size, section_count;
	uint8_t section_busy[NETVSP_SECTIONS_MAX / 8];

	struct netvsp_control control[NETVSP_CONTROL_QUEUE];
	uint32_t control_head, control_count;
	struct netvsp_companion companion;

	uint32_t suballocation_size, suballocation_count;
	uint32_t share; /* of the sub-allocations for frames: each queue's, the last has the rest too */
	uint16_t free_control[NETVSP_CONTROL_SUBALLOCATIONS];
	uint32_t free_control_count;
	uint16_t free_data[NETVSP_SUBALLOCATIONS_MAX];
	/* Sub-allocations of one packet are a chain; only its head is a transaction id. */
	uint16_t next[NETVSP_SUBALLOCATIONS_MAX];
	uint32_t range_length[NETVSP_SUBALLOCATIONS_MAX];
	uint8_t outstanding[NETVSP_SUBALLOCATIONS_MAX / 8];
	uint8_t sent_on[NETVSP_SUBALLOCATIONS_MAX]; /* the queue's index and 1, or 0: with the host */
};

struct hvh_nic {
	struct hvh_partition *partition;
	struct hvh_channel *channel; /* the primary */
	struct hvh_backend backend;
	struct netvsp_vf vf; /* context NULL: none */
	bool transmitted;    /* frames since the last flush */
	struct hvh_nic_counters counters;
	uint8_t mac[NETVSP_ETHERNET_ADDRESS];
	uint32_t frame_limit; /* mtu_max with the Ethernet header */
	uint32_t queues_limit;
	uint32_t without_configured;
	uint32_t without; /* HVH_NIC_NO_*: that, and what the host has not got */
	uint64_t link_speed;
	bool link_up;
	uint64_t now; /* of the latest call */
	struct netvsp_session session;
	struct netvsp_queue *queues[NETVSP_QUEUES_MAX]; /* NULL: never opened */
	/* Frames for the guest, all queues' together. */
	struct netvsp_frame *frames;
	uint32_t frame_free, frame_count;      /* the first free place; those in use */
	uint8_t message[NETVSP_MESSAGE_MAX];   /* what the guest sent */
	uint8_t transfer[NETVSP_TRANSFER_MAX]; /* what it is sent, for the trace */
	/* A frame with its checksums filled in, or without its tag; and one with a tag put in. */
	uint8_t made[NETVSP_FRAME_MAX + ETHERNET_TAG];
	uint8_t tagged[NETVSP_FRAME_MAX + 2 * ETHERNET_TAG];
	struct netvsp_coalesce coalesce;
};

/* An RNDIS message for the guest: what was made here, and a frame as it came (may be none). */
struct netvsp_message {
	const uint8_t *head, *frame;
	uint32_t head_length, frame_length;
};

/* One transfer-page packet in the making. */
struct netvsp_transfer {
	struct netvsp_queue *queue;
	struct hvh_gpadl *receive; /* NULL: it is gone */
	uint32_t channel_type;
	uint32_t count;
	uint32_t bytes;
	uint32_t joined, tags_out, checksums_checked; /* counted when it has gone */
	uint16_t ids[NETVSP_RANGES_MAX];
	struct vmbus_transfer_page_range ranges[NETVSP_RANGES_MAX];
};

#define NETVSP_VIOLATE_ON(queue, kind, bytes, count, ...)                         \
	hvh_violate((queue)->nic->partition, kind, (queue)->nic->now, UINT32_MAX, \
		    hvh_channel_id((queue)->channel), bytes, count, __VA_ARGS__)
/* ... where it can only be the primary. */
#define NETVSP_VIOLATE(nic, kind, bytes, count, ...)                                                       \
	hvh_violate((nic)->partition, kind, (nic)->now, UINT32_MAX, hvh_channel_id((nic)->channel), bytes, \
		    count, __VA_ARGS__)

/* --- queue.c ---------------------------------------------------------------------- */

static inline struct netvsp_queue *netvsp_primary(const struct hvh_nic *nic)
{
	return nic->queues[0];
}
/* The queue of this index, with its memory; NULL if there is none. */
struct netvsp_queue *netvsp_queue_get(struct hvh_nic *nic, uint32_t index);
void netvsp_queue_open(struct netvsp_queue *queue, struct hvh_channel *channel);
/* Frames that wait go on by the primary. */
void netvsp_queue_close(struct netvsp_queue *queue);
bool netvsp_queue_is_open(const struct hvh_nic *nic, uint32_t index);
/* Nothing more is read from this channel until it closes, as a host's worker that
 * met a protocol error (OpenVMM). */
void netvsp_stop(struct netvsp_queue *queue);
/* Up to NETVSP_PACKETS_PER_RUN packets, fewer if they bring many frames; true if there may be more. */
bool netvsp_read(struct netvsp_queue *queue);

bool netvsp_frames_create(struct hvh_nic *nic);
/* Places that this queue can still have. */
uint32_t netvsp_frames_room(const struct netvsp_queue *queue);
/* A place at the end of the queue's list, its length set; NULL if there is none for it. */
struct netvsp_frame *netvsp_frame_append(struct netvsp_queue *queue, uint32_t length);
/* The oldest; NULL if there is none. And the one behind it. */
struct netvsp_frame *netvsp_frame_first(const struct netvsp_queue *queue);
struct netvsp_frame *netvsp_frame_next(const struct hvh_nic *nic, const struct netvsp_frame *frame);
/* The oldest ones have been used up. */
void netvsp_frames_release(struct netvsp_queue *queue, uint32_t count);
/* All queues' frames. */
void netvsp_frames_drop(struct hvh_nic *nic, uint64_t *counter);

/* --- steering.c --------------------------------------------------------------------- */

/* The queue that a frame for the guest takes; its hash, and the hash's type (0: it has none). */
struct netvsp_queue *netvsp_steer(struct hvh_nic *nic, const uint8_t *frame, uint32_t length, uint32_t *hash,
				  uint32_t *hash_type);

/* --- subchannels.c ------------------------------------------------------------------ */

/* Queues that this card may have, the primary among them. */
uint32_t netvsp_queues_max(const struct hvh_nic *nic);
/* Those that the guest has been promised. */
static inline uint32_t netvsp_queues_granted(const struct hvh_nic *nic)
{
	return 1 + nic->session.subchannels.granted;
}
/* NVS message 133. */
void netvsp_subchannels(struct netvsp_queue *queue, const struct hvh_packet *packet, const uint8_t *message);
/* A sub-channel was opened. */
void netvsp_subchannel_opened(struct netvsp_queue *queue);
/* The answer, the table, a rescind that is due: in the primary's turn. */
void netvsp_subchannels_run(struct hvh_nic *nic);
uint64_t netvsp_subchannels_next(const struct hvh_nic *nic);

/* --- nvs.c -------------------------------------------------------------------------- */

void netvsp_nvs(struct netvsp_queue *queue, const struct hvh_packet *packet);
/* The completion the packet asked for; payload_length 0 is an empty one. */
void netvsp_respond(struct netvsp_queue *queue, const struct hvh_packet *packet, const void *payload,
		    uint32_t payload_length);
/* Bytes of an NVS answer at this session's version. */
uint32_t netvsp_response_size(const struct hvh_nic *nic);

/* --- vf.c ---------------------------------------------------------------------------- */

/* NVS message 129. */
void netvsp_switch_data_path(struct netvsp_queue *queue, const struct hvh_packet *packet,
			     const uint8_t *message);
/* Whether the guest may be told of a VF may be another answer now; the data path is the card's. */
void netvsp_vf_session(struct hvh_nic *nic);
/* A completion with this id is the answer to an association message. */
bool netvsp_vf_answered(struct netvsp_queue *queue, uint64_t transaction_id);
void netvsp_vf_run(struct hvh_nic *nic);
uint64_t netvsp_vf_next(const struct hvh_nic *nic);

/* --- buffers.c ------------------------------------------------------------------------ */

/* NVS messages 101, 103, 104, 106. */
void netvsp_receive_buffer(struct netvsp_queue *queue, const struct hvh_packet *packet,
			   const uint8_t *message);
void netvsp_send_buffer(struct netvsp_queue *queue, const struct hvh_packet *packet, const uint8_t *message);
void netvsp_revoke_receive(struct netvsp_queue *queue, const struct hvh_packet *packet,
			   const uint8_t *message);
void netvsp_revoke_send(struct netvsp_queue *queue, const struct hvh_packet *packet, const uint8_t *message);
/* Is there a buffer of the guest's under this GPADL that it has not revoked? */
bool netvsp_may_tear_down(struct hvh_nic *nic, uint32_t gpadl);
/* A GPADL that was withheld, and not for ever. */
void netvsp_release_run(struct hvh_nic *nic);
uint64_t netvsp_release_next(const struct hvh_nic *nic);

/* --- completion.c --------------------------------------------------------------------- */

void netvsp_complete(struct netvsp_queue *queue, uint64_t transaction_id, uint32_t section,
		     const void *payload, uint32_t payload_length);
/* Sends the completions that are due. */
void netvsp_completions_run(struct netvsp_queue *queue);
void netvsp_completions_drop(struct netvsp_queue *queue);
uint64_t netvsp_completions_next(const struct netvsp_queue *queue);

/* --- transmit.c ---------------------------------------------------------------------- */

/* NVS message 107. */
void netvsp_rndis(struct netvsp_queue *queue, const struct hvh_packet *packet, const uint8_t *message);

/* --- frames.c -------------------------------------------------------------------------- */

/* Checks and delivers the RNDIS packet messages in bytes; returns an NVS status. */
uint32_t netvsp_frames(struct netvsp_queue *queue, const uint8_t *bytes, uint32_t length);

/* --- send.c ---------------------------------------------------------------------------- */

/* A frame of the guest's and what it asks for. */
struct netvsp_send {
	const uint8_t *frame;
	uint32_t length;
	struct netvsp_packet_info info;
	struct netvsp_headers headers;   /* ... of what is no large send */
	struct netvsp_segments segments; /* of what is one */
};
/* frame, length and info are set. NULL if all is right, else what is not, and in *value the number. */
const char *netvsp_send_check(const struct hvh_nic *nic, struct netvsp_send *send, uint32_t *value);
/* To the backend, with all that was asked for. */
void netvsp_send(struct netvsp_queue *queue, const struct netvsp_send *send);

/* --- rndis.c --------------------------------------------------------------------------- */

/* A control message; returns an NVS status. */
uint32_t netvsp_rndis_control(struct hvh_nic *nic, const uint8_t *bytes, uint32_t length);

/* --- indicate.c -------------------------------------------------------------------------- */

/* Queues a message for the guest. False: the queue is full. */
bool netvsp_control_push(struct hvh_nic *nic, const void *bytes, uint32_t length);
void netvsp_indicate_offload(struct hvh_nic *nic);
/* What the guest has not been told yet: link, speed, network change. */
void netvsp_indicate_run(struct hvh_nic *nic);

/* --- oid.c ------------------------------------------------------------------------------- */

/* Writes the answer (at most room bytes), its length to *length; returns an RNDIS status. */
uint32_t netvsp_oid_query(struct hvh_nic *nic, uint32_t oid, const uint8_t *input, uint32_t input_length,
			  uint8_t *answer, uint32_t room, uint32_t *length);
uint32_t netvsp_oid_set(struct hvh_nic *nic, uint32_t oid, const uint8_t *value, uint32_t length);

/* --- oid_offload.c ----------------------------------------------------------------------- */

/* With INITIALIZE: what is offered, and nothing asked for yet. */
void netvsp_offload_start(struct hvh_nic *nic);
/* NDIS_OFFLOAD of what is granted (current) or offered, in the newest revision that fits into room.
 * Returns its length, 0 if none fits. */
uint32_t netvsp_offload_query(const struct hvh_nic *nic, bool current, uint8_t *to, uint32_t room);
/* These return an RNDIS status. */
uint32_t netvsp_offload_parameters(struct hvh_nic *nic, const uint8_t *parameters, uint32_t length);
uint32_t netvsp_rss_parameters(struct hvh_nic *nic, const uint8_t *parameters, uint32_t length);
uint32_t netvsp_rss_query(const struct hvh_nic *nic, uint8_t *to, uint32_t room);

/* --- suballocations.c ------------------------------------------------------------------- */

/* Cuts the receive buffer, of size bytes. False: too small. */
bool netvsp_suballocations_create(struct hvh_nic *nic, uint32_t size);
/* Divides what is for frames among the queues that the guest has been promised. */
void netvsp_suballocations_divide(struct hvh_nic *nic);
uint32_t netvsp_suballocations_free(const struct netvsp_queue *queue, bool control);
uint16_t netvsp_suballocation_take(struct netvsp_queue *queue, bool control);
void netvsp_suballocation_put(struct hvh_nic *nic, uint16_t id);
/* The queue is opened anew: what it had sent before comes back. */
void netvsp_suballocations_return(struct netvsp_queue *queue);

/* --- transfer.c -------------------------------------------------------------------------- */

void netvsp_transfer_begin(struct netvsp_queue *queue, struct netvsp_transfer *transfer,
			   uint32_t channel_type);
/* Room for one more message of range_length bytes. */
bool netvsp_transfer_room(const struct netvsp_transfer *transfer, bool control, uint32_t range_length);
/* Writes the message into a sub-allocation of its own: room for it has been asked for. */
bool netvsp_transfer_add(struct netvsp_transfer *transfer, bool control, const struct netvsp_message *message,
			 uint32_t range_length);
/* False: no room in the ring (or the guest's memory is gone); nothing was sent. */
bool netvsp_transfer_send(struct netvsp_transfer *transfer);
/* Gives back the sub-allocations of a packet that is not sent. */
void netvsp_transfer_abandon(struct netvsp_transfer *transfer);
/* The guest's completion of a transfer-page packet. */
void netvsp_transfer_completed(struct netvsp_queue *queue, const struct hvh_packet *packet);

/* --- receive.c ----------------------------------------------------------------------------- */

/* Sends what waits: control messages, then frames. True if there is more to do now. */
bool netvsp_receive_run(struct netvsp_queue *queue);
uint64_t netvsp_receive_next(const struct netvsp_queue *queue);
/* The guest's packet filter has a word on this frame. */
bool netvsp_filter_passes(const struct hvh_nic *nic, const uint8_t *frame);

/* --- layout.c -------------------------------------------------------------------------------- */

/* Adds the frame as an RNDIS packet message. False: no room for it in this packet, or the receive
 * buffer is gone. */
bool netvsp_frame_add(struct netvsp_transfer *transfer, const struct netvsp_frame *frame);
bool netvsp_frame_fits(const struct hvh_nic *nic, const struct netvsp_frame *frame);
/* The same for any bytes, with this packet information. */
bool netvsp_packet_add(struct netvsp_transfer *transfer, const struct netvsp_packet_info *info,
		       const uint8_t *bytes, uint32_t length);
/* Tags become packet information. */
bool netvsp_takes_tags(const struct hvh_nic *nic);
void netvsp_hash_info(const struct hvh_nic *nic, const struct netvsp_frame *frame,
		      struct netvsp_packet_info *info);

/* --- join.c --------------------------------------------------------------------------------- */

/* Joins frames from this one on, of the waiting that follow it, and adds them as the fragments of one
 * packet, at most ranges of them. Returns how many frames went into it: 0 if this one is to go alone,
 * NETVSP_JOIN_LATER if there is room only in an empty packet. */
#define NETVSP_JOIN_LATER UINT32_MAX
uint32_t netvsp_join(struct netvsp_transfer *transfer, const struct netvsp_frame *frame, uint32_t waiting,
		     uint32_t ranges);

/* --- device.c -------------------------------------------------------------------------------- */

extern const struct hvh_device_ops netvsp_device_ops;
void netvsp_session_reset(struct hvh_nic *nic, bool open);
/* To the backend: no more frames follow for now. */
void netvsp_flush(struct hvh_nic *nic);

/* --- dump.c ---------------------------------------------------------------------------------- */

struct hvh_dump;
void netvsp_dump(const void *device, struct hvh_dump *dump);

#endif
