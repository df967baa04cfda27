/* SPDX-License-Identifier: MIT */
/*
 * virtio_net: its state, and what its files call of each other. Private to guest/virtio_net.
 *
 *   virtio_net.c  the object: creating it, counters, looking inside
 *   life.c        attach and detach as tables of steps, the function's leaving
 *   config.c      what the device says of itself
 *   queues.c      the pairs of queues: memory, pollers, interrupts
 *   transmit.c    frames to the device
 *   slots.c       ... and the memory of the driver's own in them
 *   receive.c     frames from it
 *   control.c     the control queue: one command at a time
 *   operations.c  what the user above asks for while attached
 *   transport.c   registers;  virtq.c  a queue's memory
 *
 * Contexts. A pair of queues is polled by one CPU (its poller); the transmit queue is also touched by
 * whoever transmits, under the pair's lock. All else (steps, control queue, operations, link) is done in
 * hvk_poll of config.cpu; what comes elsewhere leaves a note and kicks the device's own poller.
 */
#ifndef HVK_VIRTIO_NET_INTERNAL_H
#define HVK_VIRTIO_NET_INTERNAL_H

#include "guest/core/core.h"
#include "guest/device/steps.h"
#include "guest/netdev/frame.h"
#include "guest/netdev/headers.h"
#include "guest/virtio_net/transport.h"
#include "guest/virtio_net/virtq.h"
#include "hvkit/virtio_net.h"

#define VIRTIO_NET_QUEUE_SIZE_DEFAULT 256u
#define VIRTIO_NET_QUEUE_SIZE_MIN 4u
#define VIRTIO_NET_OPERATIONS_MAX 8u
#define VIRTIO_NET_BUDGET 64u     /* frames per poll of a queue */
#define VIRTIO_NET_RESET_MS 1000u /* for a device to become quiet */
#define VIRTIO_NET_BUFFER HVK_PAGE_SIZE
#define VIRTIO_NET_JOINED_MAX (65535u + HVK_ETHERNET_HEADER)
/* Shared memory for what the driver itself writes of a frame: the device's header, and the frame's headers
 * where they had to be changed; or a whole frame that has to be copied. */
#define VIRTIO_NET_SLOT_SIZE 2048u
#define VIRTIO_NET_SLOTS_PER_PAGE (HVK_PAGE_SIZE / VIRTIO_NET_SLOT_SIZE)
#define VIRTIO_NET_SLOTS_OF(bytes) (((bytes) + VIRTIO_NET_SLOT_SIZE - 1u) / VIRTIO_NET_SLOT_SIZE)
/* Of the longest frame that is copied, with the device's header and a tag. */
#define VIRTIO_NET_COPY_SLOTS VIRTIO_NET_SLOTS_OF(VIRTIO_NET_JOINED_MAX + 4u + 12u)
#define VIRTIO_NET_MTU_MIN 68u
#define VIRTIO_NET_MTU_DEFAULT 1500u
#define VIRTIO_NET_MTU_MAX 65521u
#define VIRTIO_NET_CONTROL_DATA 1024u
#define VIRTIO_NET_CONTROL_MS 2000u

enum virtio_net_state {
	VIRTIO_NET_DETACHED,
	VIRTIO_NET_ATTACHING,
	VIRTIO_NET_ATTACHED,
	VIRTIO_NET_DETACHING
};

#define VIRTIO_NET_WAITS_FOR_RESET HVK_STEPS_OWN
#define VIRTIO_NET_WAITS_FOR_CONTROL (HVK_STEPS_OWN + 1u)
#define VIRTIO_NET_WAIT_RESET 1u
#define VIRTIO_NET_WAIT_CONTROL 2u

/* The first of a frame's has the frame. */
struct virtio_net_slot {
	struct hvk_tx_frame *frame;
	uint16_t next, left; /* of the frame's, behind this one */
};

struct virtio_net_pair {
	struct hvk_virtio_net *device;
	uint16_t index;
	uint32_t cpu;
	struct hvk_poller poller;
	bool polled; /* the poller was added */

	/* Receiving: of its CPU alone. Buffer n is page n. */
	struct hvk_virtq rx;
	uint32_t rx_notify;
	struct hvk_pages buffers;
	struct hvk_pages frame_pages; /* a frame's private copy */
	uint32_t *buffer_numbers;     /* cookies point here */
	struct hvk_pages number_pages;

	/* Transmitting: under lock. */
	struct hvk_lock lock;
	struct hvk_virtq tx;
	uint32_t tx_notify;
	struct hvk_pages slot_memory, slot_pages;
	struct virtio_net_slot *slots;
	uint16_t *free_slots;
	uint16_t slot_count, free_slot_count;
	uint32_t outstanding; /* frames that are not done; atomic */
	bool waits;           /* tx_ready is owed */
	bool unshown;         /* HVK_TX_MORE */
	bool dead;            /* a queue of it contradicted itself */
	/* Of the frame that is being put: its memory behind a slot, or slots alone. */
	struct hvk_virtq_piece pieces[VIRTIO_NET_COPY_SLOTS];

	struct hvk_netdev_counters counters; /* atomic; rx of its CPU, tx under lock */
};

struct virtio_net_operation {
	enum { VIRTIO_NET_FLAGS, VIRTIO_NET_ENABLED, VIRTIO_NET_MTU, VIRTIO_NET_MULTICAST } kind;
	struct hvk_request *request;
	uint32_t value; /* flags, enabled, MTU; number of groups */
	uint8_t groups[HVK_NETDEV_GROUPS_MAX][6];
};

struct virtio_net_control_queue {
	struct hvk_virtq queue;
	uint32_t notify;
	struct hvk_pages pages;
	bool busy, there;
};

struct hvk_virtio_net {
	struct hvk_netdev netdev; /* first */
	struct hvk_pages pages;
	struct hvk *hvk;
	struct hvk_pci_function *function;
	struct hvk_virtio_net_config config;
	struct hvk_virtio_transport transport;
	uint64_t features;
	uint32_t flags; /* HVK_NETDEV_*, in force; atomic */
	bool open;      /* frames may be sent; atomic */
	bool gone;      /* the function is not there any more; atomic */
	bool broken;    /* the device contradicted itself: told as gone; atomic */

	struct hvk_lock lock;
	enum virtio_net_state state;
	struct hvk_request *attach_request, *detach_request;
	struct virtio_net_operation operations[VIRTIO_NET_OPERATIONS_MAX];
	uint32_t operation_count;
	bool detach_wanted;

	bool kicked; /* atomic */
	struct hvk_request kick;

	/* In hvk_poll of config.cpu. */
	bool told_gone;
	struct hvk_steps steps;
	hvk_status result;    /* of the attach */
	hvk_status torn_down; /* of what undid it */
	bool withhold;        /* the device did not reset */
	struct hvk_timer reset_timer, link_timer;
	uint32_t interrupts_created;
	struct virtio_net_control_queue control;
	struct virtio_net_operation operation;
	bool operating;
	hvk_status operation_status;
	struct { /* multicast groups, for the filter of what the device lets through beyond */
		uint32_t count;
		uint8_t addresses[HVK_NETDEV_GROUPS_MAX][6];
	} groups;
	uint32_t pair_count;   /* in use */
	uint32_t pair_max;     /* that there is memory for */
	uint32_t device_pairs; /* that the device has */
	struct virtio_net_pair pairs[];
};

/* Interrupt 0 is the configuration's and the control queue's, 1 + n of pair n. Where there is but one, it is
 * also that of the only pair. */
#define VIRTIO_NET_INTERRUPT_DEVICE 0u
#define VIRTIO_NET_INTERRUPT_PAIR 1u

static inline bool virtio_net_flag(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static inline bool virtio_net_is_there(const struct hvk_virtio_net *device)
{
	return !virtio_net_flag(&device->gone);
}

/* Counters are written under a lock or by one CPU alone, and read anywhere. */
#define HVK_VIRTIO_NET_ADD(field, amount) __atomic_store_n(&(field), (field) + (amount), __ATOMIC_RELAXED)
#define HVK_VIRTIO_NET_COUNT(field) HVK_VIRTIO_NET_ADD(field, 1u)

/* There, and in order. */
static inline bool virtio_net_is_usable(const struct hvk_virtio_net *device)
{
	return virtio_net_is_there(device) && !virtio_net_flag(&device->broken);
}

/* --- life.c ----------------------------------------------------------------------------- */

void hvk_virtio_net_life_init(struct hvk_virtio_net *device);
/* Soon, in hvk_poll of config.cpu. Any context but interrupt. */
void hvk_virtio_net_kick(struct hvk_virtio_net *device);
/* The device contradicted itself, or wants to be reset: not used any more, and told as gone. Any CPU. */
void hvk_virtio_net_break(struct hvk_virtio_net *device, const char *what);

/* --- config.c --------------------------------------------------------------------------- */

hvk_status hvk_virtio_net_begin_config(void *device); /* a step */
void hvk_virtio_net_limit_segmentation(struct hvk_virtio_net *device);
/* Does the link's state, or the device's, differ from what was known? While attached. */
void hvk_virtio_net_link_look(struct hvk_virtio_net *device);

/* --- queues.c --------------------------------------------------------------------------- */

/* Memory for a queue of the device's, of size_max entries or what the device has; HVK_EHOST_VIRTIO: it has
 * none of that number, or of a size that cannot be. */
hvk_status hvk_virtio_net_create_queue(struct hvk_virtio_net *device, struct hvk_virtq *queue, uint16_t index,
				       uint32_t size_max);
/* Steps. */
hvk_status hvk_virtio_net_begin_queues(void *device);
hvk_status hvk_virtio_net_begin_interrupts(void *device);
hvk_status hvk_virtio_net_take_interrupts(void *device, const struct hvk_answer *answer);
hvk_status hvk_virtio_net_begin_enable(void *device);
hvk_status hvk_virtio_net_begin_fill(void *device);
hvk_status hvk_virtio_net_begin_no_interrupts(void *device);
hvk_status hvk_virtio_net_take_no_interrupts(void *device, const struct hvk_answer *answer);
hvk_status hvk_virtio_net_begin_no_pollers(void *device);
hvk_status hvk_virtio_net_take_no_pollers(void *device, const struct hvk_answer *answer);
void hvk_virtio_net_queues_free(struct hvk_virtio_net *device);

/* --- slots.c ---------------------------------------------------------------------------- */

hvk_status hvk_virtio_net_slots_create(struct virtio_net_pair *pair);
/* To offset at of the slots that are free next, of which there are enough. */
void hvk_virtio_net_slots_write(struct virtio_net_pair *pair, uint32_t at, const void *from, uint32_t length);
/* So many bytes of them, as pieces of a chain; returns how many slots that are. */
uint32_t hvk_virtio_net_slots_show(const struct virtio_net_pair *pair, uint32_t bytes,
				   struct hvk_virtq_piece *pieces);
/* The next one, by which the frame is known. */
struct virtio_net_slot *hvk_virtio_net_slots_next(const struct virtio_net_pair *pair);
/* The next so many are this frame's. */
void hvk_virtio_net_slots_take(struct virtio_net_pair *pair, uint32_t count, struct hvk_tx_frame *frame);
/* All that the frame had, by its first; returns the frame. */
struct hvk_tx_frame *hvk_virtio_net_slots_give_back(struct virtio_net_pair *pair,
						    struct virtio_net_slot *first);

/* --- transmit.c, receive.c -------------------------------------------------------------- */

void hvk_virtio_net_transmit_stop(struct virtio_net_pair *pair, bool withhold);
enum hvk_tx_result hvk_virtio_net_transmit(struct hvk_netdev *netdev, struct hvk_tx_frame *frame);
uint32_t hvk_virtio_net_transmit_many(struct hvk_netdev *netdev, struct hvk_tx_frame *const *frames,
				      uint32_t count, enum hvk_tx_result *result);
void hvk_virtio_net_flush(struct hvk_netdev *netdev);
uint32_t hvk_virtio_net_outstanding(struct hvk_netdev *netdev);
/* Frames that the device is done with; in hvk_poll of the pair's CPU. True: more wait. */
bool hvk_virtio_net_reclaim(struct virtio_net_pair *pair);

hvk_status hvk_virtio_net_receive_start(struct virtio_net_pair *pair);
void hvk_virtio_net_receive_stop(struct virtio_net_pair *pair, bool withhold);
void hvk_virtio_net_receive_fill(struct virtio_net_pair *pair);
bool hvk_virtio_net_receive(struct virtio_net_pair *pair);

/* --- control.c, operations.c ------------------------------------------------------------ */

hvk_status hvk_virtio_net_control_start(struct hvk_virtio_net *device);
void hvk_virtio_net_control_stop(struct hvk_virtio_net *device, bool withhold);
/* A command, as a step: HVK_EINPROGRESS, or HVK_ENOTSUP where the device has none. */
hvk_status hvk_virtio_net_control_send(struct hvk_virtio_net *device, uint8_t class_, uint8_t command,
				       const void *data, uint32_t length);
void hvk_virtio_net_control_look(struct hvk_virtio_net *device);
hvk_status hvk_virtio_net_begin_pairs(void *device);

void hvk_virtio_net_set_flags(struct hvk_netdev *netdev, uint32_t flags, struct hvk_request *request);
void hvk_virtio_net_set_enabled(struct hvk_netdev *netdev, uint32_t enabled, struct hvk_request *request);
void hvk_virtio_net_set_mtu(struct hvk_netdev *netdev, uint32_t mtu, struct hvk_request *request);
void hvk_virtio_net_set_multicast(struct hvk_netdev *netdev, const uint8_t (*groups)[6], uint32_t count,
				  struct hvk_request *request);
void hvk_virtio_net_refuse(struct hvk_netdev *netdev, struct hvk_request *request);
/* True: one runs, or was begun. */
bool hvk_virtio_net_operations_run(struct hvk_virtio_net *device);
/* A step: what the device joins follows what is enabled. */
hvk_status hvk_virtio_net_begin_offloads(void *device);
void hvk_virtio_net_operations_cancel(struct hvk_virtio_net *device, hvk_status status);
/* Is this frame wanted, by flags and groups? */
bool hvk_virtio_net_wants(const struct hvk_virtio_net *device, const uint8_t *address);

#endif
