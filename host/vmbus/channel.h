/* SPDX-License-Identifier: MIT */
/*
 * What a device model sees of VMBus: offering a channel, its ring, its GPADLs.
 * Private to host/.
 */
#ifndef HVH_VMBUS_CHANNEL_H
#define HVH_VMBUS_CHANNEL_H

#include "hvkit/wire/ring.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit_host/host.h"

struct hvh_channel;
struct hvh_gpadl;
struct hvh_dump;

/* A device's side of a channel. All are called inside hvh_run or a hypercall. */
struct hvh_device_ops {
	const char *name; /* "net": devices are called net0, net1 ... */
	/* Rings are ready. False refuses: OPEN_RESULT with a failure. */
	bool (*open)(void *device, struct hvh_channel *channel, uint64_t now,
		     const uint8_t user_data[VMBUS_USER_DATA_SIZE]);
	/* Closed, rescinded or reset: forget the rings and every GPADL. */
	void (*close)(void *device, struct hvh_channel *channel, uint64_t now);
	/* The guest signalled, or room came, or work was asked for: read packets until
	 * hvh_channel_read says empty, send what waits. Bounded; true if there is more. */
	bool (*run)(void *device, struct hvh_channel *channel, uint64_t now);
	/* Run once more when the guest closes: an answer that it has written before counts, although it
	 * was not yet its turn. */
	bool hears_out;
	/* When run is wanted without a signal (a delayed answer), or HVH_NEVER. */
	uint64_t (*next_event)(void *device, struct hvh_channel *channel);
	/* May this GPADL's TORNDOWN go out now? True means that the device has let go: its
	 * struct hvh_gpadl is gone afterwards. False: hvh_channel_teardown_ready later, or
	 * at close. NULL: always. */
	bool (*may_tear_down)(void *device, struct hvh_channel *channel, uint32_t gpadl);
	/* Its members of the state tree (host/core/dump.h). NULL: none of its own. */
	void (*dump)(const void *device, struct hvh_dump *dump);
	/* The partition goes: free the device. NULL: nothing to free. */
	void (*destroy)(void *device);
};

struct hvh_offer_parameters {
	struct vmbus_guid type, instance;
	uint16_t subchannel_index, flags, mmio_megabytes;
	uint8_t user_data[VMBUS_USER_DATA_SIZE];
	bool monitored;
	bool away; /* not offered until hvh_channel_offer_again */
};

/* Offers a channel: with the others at REQUEST_OFFERS, or at once if that has been.
 * NULL: no id left. parameters are copied. */
struct hvh_channel *hvh_channel_offer(struct hvh_partition *partition,
				      const struct hvh_offer_parameters *parameters,
				      const struct hvh_device_ops *ops, void *device);
/* Takes it back (RESCIND_OFFER); offer_again offers the same device, under a new id,
 * when the guest has released the old one. */
void hvh_channel_rescind(struct hvh_channel *channel, uint64_t now);
void hvh_channel_offer_again(struct hvh_channel *channel, uint64_t now);
bool hvh_channel_is_present(const struct hvh_channel *channel); /* offered, or to be */
/* For the next offer. */
void hvh_channel_set_instance(struct hvh_channel *channel, const struct vmbus_guid *instance);

/* Other channels of an open primary's device: its type, instance and operations, numbered
 * from 1 in subchannel_index. Offers so many more, at once or at due. Returns how many (no
 * memory: fewer). When the primary closes or is taken back, so are they, before it. */
uint32_t hvh_channel_offer_subchannels(struct hvh_channel *primary, uint32_t count, uint64_t due);
uint32_t hvh_channel_index(const struct hvh_channel *channel); /* 0: the primary */
/* Has the guest's message slot taken every offer? If not, the primary is run again when. */
bool hvh_channel_offers_delivered(struct hvh_channel *primary);

/* The device of that name ("net0"), if it has these operations; else NULL. */
void *hvh_device_by_name(struct hvh_partition *partition, const char *name, const struct hvh_device_ops *ops);

struct hvh_partition *hvh_channel_partition(const struct hvh_channel *channel);
uint32_t hvh_channel_id(const struct hvh_channel *channel); /* 0 if not offered now */
bool hvh_channel_is_open(const struct hvh_channel *channel);
/* Asks for a run soon. */
void hvh_channel_kick(struct hvh_channel *channel);
void hvh_channel_teardown_ready(struct hvh_channel *channel, uint32_t gpadl, uint64_t now);

/* --- Ring: guest to host -------------------------------------------------------- */

#define HVH_PACKET_MAX 69632u /* longest packet the model takes, descriptor included */

struct hvh_packet {
	struct vmbus_packet_descriptor descriptor;
	const uint8_t *extension; /* between descriptor and payload; in the channel's own copy */
	uint32_t extension_length;
	const uint8_t *payload;
	uint32_t payload_length; /* a multiple of 8: with padding */
};

enum hvh_read_result { HVH_READ_PACKET, HVH_READ_EMPTY, HVH_READ_CORRUPT };
/* Copies out the next packet and checks it: indices, lengths, type, flags, trailer. A
 * corrupt ring is a violation and the channel's worker stops. The copy is good until
 * the next read. Read-side signalling rules are obeyed. */
enum hvh_read_result hvh_channel_read(struct hvh_channel *channel, uint64_t now, struct hvh_packet *packet);

/* GPA-direct packet: how many bytes its ranges hold, and a copy of some of them.
 * False (and a violation): ranges that do not parse, or memory that is not RAM. */
bool hvh_packet_external_size(struct hvh_channel *channel, const struct hvh_packet *packet, uint32_t *size);
bool hvh_packet_external_read(struct hvh_channel *channel, const struct hvh_packet *packet, uint32_t offset,
			      void *to, uint32_t length);
/* For the trace alone: what the packet read last points to, where it is no page list (a
 * section of a buffer). Before the device answers; a page list read whole is seen to. */
void hvh_packet_trace_external(struct hvh_channel *channel, uint64_t now, const void *bytes, uint32_t length);

/* --- Ring: host to guest ----------------------------------------------------------- */

/* Writes one packet whole, and signals the guest if the ring rules ask for it. False:
 * no room; the ring's pending send size is set and run is called when there is. external
 * is for the trace alone (may be NULL). */
bool hvh_channel_write(struct hvh_channel *channel, uint64_t now, uint16_t type, bool completion_requested,
		       uint64_t transaction_id, const void *extension, uint32_t extension_length,
		       const void *payload, uint32_t payload_length, const void *external,
		       uint32_t external_length);

/* The longest payload that a packet without extension can ever have here. */
uint32_t hvh_channel_payload_max(const struct hvh_channel *channel);

/* --- GPADLs ---------------------------------------------------------------------------- */

/* NULL if this channel has no such GPADL. in_use counts the device's own holds. */
struct hvh_gpadl *hvh_gpadl_find(struct hvh_channel *channel, uint32_t id);
uint32_t hvh_gpadl_size(const struct hvh_gpadl *gpadl); /* bytes */
/* False: outside the GPADL, or memory that is not RAM (then also a violation). */
bool hvh_gpadl_read(struct hvh_gpadl *gpadl, uint32_t offset, void *to, uint32_t length);
bool hvh_gpadl_write(struct hvh_gpadl *gpadl, uint32_t offset, const void *from, uint32_t length);

#endif
