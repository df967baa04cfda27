/* SPDX-License-Identifier: MIT */
/*
 * storvsp: the storage controller's host side. Private to host/storvsp/.
 *
 * device.c is what the bus does, controller.c what the rest of the program sees, units.c the units on
 * it. protocol.c has the dialogue up to readiness, subchannels.c more channels, request.c takes
 * EXECUTE_SRB apart, run.c has the units do it, queue.c keeps requests and answers them, reset.c and
 * notices.c are the rest of what is said. What units do is host/scsi/.
 */
#ifndef HVH_STORVSP_STORVSP_H
#define HVH_STORVSP_STORVSP_H

#include "host/core/core.h"
#include "host/scsi/scsi.h"
#include "host/vmbus/channel.h"
#include "hvkit/wire/vstor.h"
#include "hvkit_host/storage.h"

#define STORVSP_QUEUES_MAX 64u
#define STORVSP_TARGETS 2u
#define STORVSP_LUNS 64u
#define STORVSP_REQUESTS_MAX 256u /* that a channel has at once: more wait in the ring */
#define STORVSP_TRANSFER_DEFAULT 262144u
#define STORVSP_TRANSFER_MIN 4096u
#define STORVSP_TRANSFER_MAX (4u << 20)
#define STORVSP_PACKETS_PER_RUN 64u
#define STORVSP_BYTES_PER_RUN (1u << 20)
#define STORVSP_HEADER ((uint32_t)sizeof(struct vstor_header))
#define STORVSP_NOTICES_MAX 8u

enum storvsp_state {
	STORVSP_CLOSED,
	STORVSP_BEGIN,      /* waits for BEGIN_INITIALIZATION */
	STORVSP_VERSION,    /* ... QUERY_PROTOCOL_VERSION, until one is accepted */
	STORVSP_PROPERTIES, /* ... QUERY_PROPERTIES */
	STORVSP_END,        /* ... END_INITIALIZATION, or before it CREATE_SUBCHANNELS */
	STORVSP_READY
};

/* Guest memory that a request names. */
struct storvsp_range {
	uint32_t offset, length;
	uint64_t *pfns; /* as many as the length needs */
};

/* What the guest waits for: an answer, or first what it asked to be done. */
struct storvsp_request {
	uint64_t due; /* HVH_NEVER: the trouble that there is no answer */
	uint64_t transaction_id;
	uint64_t sequence; /* of the controller */
	bool waits;        /* has not been run yet */
	bool first;        /* is to be run before all others */
	bool ordered;      /* nothing of its unit overtakes it, nor does it overtake */
	bool held;         /* until the offers of sub-channels are out */
	uint64_t held_until;
	uint32_t sent; /* bytes behind the header of what it answers */
	struct vstor_request srb;
	struct storvsp_range range;
	uint32_t payload_length; /* behind the header */
	struct vstor_header header;
	uint8_t payload[sizeof(struct vstor_request)];
};

/* One channel's own. Queue 0 is the primary's. */
struct storvsp_queue {
	struct hvh_storage *storage;
	struct hvh_channel *channel;
	uint32_t index;
	bool open;
	bool stopped; /* after a protocol error nothing is read until the channel closes */
	bool blocked; /* the ring to the guest was full */
	uint64_t rescind_at;
	uint64_t packets;
	uint32_t active_count;
	uint16_t active[STORVSP_REQUESTS_MAX]; /* in the order of their coming */
	uint32_t free_count;
	uint16_t free[STORVSP_REQUESTS_MAX];
	struct storvsp_request requests[STORVSP_REQUESTS_MAX];
	uint64_t *pfns; /* of all requests */
};

struct storvsp_notice {
	uint32_t operation;
	uint8_t target, lun;
};

struct hvh_storage {
	struct hvh_partition *partition;
	struct hvh_channel *channel; /* the primary */
	enum hvh_storage_class class_;
	uint32_t queues_max, transfer_max, pages_max;
	struct hvh_storage_trouble trouble;
	struct hvh_storage_counters counters;
	struct scsi_unit *units[STORVSP_TARGETS][STORVSP_LUNS];
	uint64_t now; /* of the latest call */
	uint64_t sequence;
	uint32_t ordered_waiting; /* requests that are ordered and have not been run */
	/* Until the primary closes: */
	enum storvsp_state state;
	uint16_t version;
	uint32_t subchannels;   /* promised */
	bool subchannels_asked; /* before the end of the initialization: once */
	struct storvsp_notice notices[STORVSP_NOTICES_MAX];
	uint32_t notice_count;
	struct storvsp_queue *queues[STORVSP_QUEUES_MAX]; /* NULL: never opened */
};

#define STORVSP_VIOLATE(queue, kind, bytes, count, ...)                                   \
	hvh_violate((queue)->storage->partition, kind, (queue)->storage->now, UINT32_MAX, \
		    hvh_channel_id((queue)->channel), bytes, count, __VA_ARGS__)

/* --- device.c ------------------------------------------------------------------------------- */

extern const struct hvh_device_ops storvsp_scsi_ops, storvsp_ide_ops;
void storvsp_dump(const void *device, struct hvh_dump *dump);
const char *storvsp_state_name(enum storvsp_state state);

/* --- queue.c -------------------------------------------------------------------------------- */

struct storvsp_queue *storvsp_queue_get(struct hvh_storage *storage, uint32_t index);
void storvsp_queue_open(struct storvsp_queue *queue, struct hvh_channel *channel);
void storvsp_queue_close(struct storvsp_queue *queue);
void storvsp_queue_destroy(struct storvsp_queue *queue);
bool storvsp_queue_is_open(const struct hvh_storage *storage, uint32_t index);
/* Nothing more is read from it until it closes, as a worker of OpenVMM's that met a protocol error. */
void storvsp_stop(struct storvsp_queue *queue);
static inline bool storvsp_queue_full(const struct storvsp_queue *queue)
{
	return queue->free_count == 0;
}
/* A place for what this packet asks; there is one unless the queue is full. */
struct storvsp_request *storvsp_request_new(struct storvsp_queue *queue, const struct hvh_packet *packet);
/* Answered at once, with these bytes behind the header. */
void storvsp_answer(struct storvsp_queue *queue, const struct hvh_packet *packet, uint32_t status,
		    const void *payload, uint32_t length);
/* What it answers, when it has been run. */
void storvsp_request_done(struct storvsp_request *request, uint32_t status, const void *payload,
			  uint32_t length);
/* Runs what is due, and sends what is done. True: there is more to do at once. */
bool storvsp_queue_run(struct storvsp_queue *queue);
uint64_t storvsp_queue_next(const struct storvsp_queue *queue);
/* Bytes behind the header of a packet that says something by itself. */
uint32_t storvsp_payload_size(const struct hvh_storage *storage);

/* --- protocol.c ------------------------------------------------------------------------------- */

/* Up to STORVSP_PACKETS_PER_RUN packets; true if there may be more. */
bool storvsp_read(struct storvsp_queue *queue);
bool storvsp_version_accepted(const struct hvh_storage *storage, uint16_t version);

/* --- subchannels.c ------------------------------------------------------------------------------ */

uint32_t storvsp_subchannels_max(const struct hvh_storage *storage);
void storvsp_create_subchannels(struct storvsp_queue *queue, const struct hvh_packet *packet);
void storvsp_subchannel_opened(struct storvsp_queue *queue);
void storvsp_subchannels_run(struct hvh_storage *storage);
uint64_t storvsp_subchannels_next(const struct hvh_storage *storage);

/* --- request.c ----------------------------------------------------------------------------------- */

void storvsp_execute_srb(struct storvsp_queue *queue, const struct hvh_packet *packet);
/* Between the request's memory and here. False: a page is not RAM. */
bool storvsp_range_copy(struct hvh_partition *partition, const struct storvsp_range *range, uint32_t offset,
			void *bytes, uint32_t length, bool to_guest);

/* --- run.c ---------------------------------------------------------------------------------------- */

/* Does it; its answer is ready then. Returns the bytes it moved. */
uint64_t storvsp_run(struct storvsp_queue *queue, struct storvsp_request *request);
/* It ends without having been done. */
void storvsp_end(struct hvh_storage *storage, struct storvsp_request *request, uint8_t srb_status);

/* --- units.c --------------------------------------------------------------------------------------- */

/* NULL: none. */
struct scsi_unit *storvsp_unit(const struct hvh_storage *storage, const struct vstor_request *srb);
uint64_t storvsp_luns(const struct hvh_storage *storage, const struct vstor_request *srb);
void storvsp_units_reset(struct hvh_storage *storage);
void storvsp_units_destroy(struct hvh_storage *storage);

/* --- reset.c, notices.c -------------------------------------------------------------------------------- */

void storvsp_reset(struct storvsp_queue *queue, const struct hvh_packet *packet, uint32_t operation);
void storvsp_notify(struct hvh_storage *storage, uint32_t operation, uint8_t target, uint8_t lun);
void storvsp_notices_run(struct hvh_storage *storage);

#endif
