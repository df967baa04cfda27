/* SPDX-License-Identifier: MIT */
/*
 * A device of one channel with a message now and then: from detached to attached and back, and its turns.
 * The driver has its tables of steps (steps.h), and what comes in.
 *
 * Contexts. Turns (a kick, a step's end, packets) happen one at a time, in hvk_poll of the channel's CPU:
 * whoever comes while another is inside comes back. All callbacks of struct hvk_device_kind are made in
 * turns.
 */
#ifndef HVK_DEVICE_DEVICE_H
#define HVK_DEVICE_DEVICE_H

#include "guest/core/core.h"
#include "guest/core/dump.h"
#include "guest/device/steps.h"
#include "hvkit/vmbus.h"

enum hvk_device_life { HVK_DEVICE_DETACHED, HVK_DEVICE_ATTACHING, HVK_DEVICE_ATTACHED, HVK_DEVICE_DETACHING };

#define HVK_DEVICE_WAIT 1u /* hvk_step.wait: hvk_timeouts.device_ms */

struct hvk_device;

/* device is the driver's structure, whose first member is the struct hvk_device. */
struct hvk_device_kind {
	const char *name;
	uint32_t ring_pages;
	uint32_t packet_max; /* descriptor and all; larger ones are skipped */
	/* Begins with HVK_DEVICE_OPEN, and has hvk_device_attach_failed and hvk_device_is_up. */
	const struct hvk_sequence *attach;
	void (*take)(void *device, const struct hvk_packet *packet);
	/* NULL: always. False: packets stay in the ring; it is asked again at the end of each turn. */
	bool (*has_room)(const void *device);
	/* The end of each turn while attached and not lost. May be NULL. */
	void (*work)(void *device);
	/* The channel is of no use any more: lost, or about to be closed. Once per attach. May be NULL. */
	void (*down)(void *device);
	void (*gone)(void *device);
};

struct hvk_device {
	struct hvk *hvk;
	struct hvk_pages pages;
	struct hvk_channel *channel;
	const struct hvk_device_kind *kind;
	uint32_t cpu;
	uint8_t *packet; /* kind->packet_max */

	struct hvk_lock lock; /* the driver's too */
	enum hvk_device_life life;
	struct hvk_request *attach_request, *detach_request;
	bool detach_wanted;

	bool busy, kicked; /* atomic */
	struct hvk_request kick;

	/* Of the turns. */
	struct hvk_steps steps;
	hvk_status result, lost;
	bool opened, closing, down_told, gone_told;
	bool held; /* packets wait for room in the driver */
	uint64_t faults, unknown;
};

/* Claims the channel; size bytes for the driver, zeros, of which the first are *out. */
hvk_status hvk_device_create(struct hvk_channel *channel, const struct hvk_device_kind *kind, uint32_t cpu,
			     size_t size, struct hvk_device **out);
hvk_status hvk_device_destroy(struct hvk_device *device);
void hvk_device_attach(struct hvk_device *device, struct hvk_request *request);
void hvk_device_detach(struct hvk_device *device, struct hvk_request *request);

/* A turn will come. Any context but interrupt. */
void hvk_device_kick(struct hvk_device *device);
/* True while packets can be sent. In turns. */
bool hvk_device_can_talk(const struct hvk_device *device);
void hvk_device_fault(struct hvk_device *device, hvk_status status, const char *what);
/* State, step, why lost, faults: the first lines of a dump. */
void hvk_device_dump(struct hvk_dump *dump, const struct hvk_device *device);

/* For tables of steps. */
hvk_status hvk_device_begin_open(void *device);
hvk_status hvk_device_opened(void *device, const struct hvk_answer *answer);
const struct hvk_sequence *hvk_device_attach_failed(void *device, hvk_status status);
void hvk_device_is_up(void *device);
#define HVK_DEVICE_OPEN                                                                              \
	{                                                                                            \
		"OPEN_CHANNEL", NULL, hvk_device_begin_open, hvk_device_opened, HVK_STEPS_ELSEWHERE, \
			HVK_ETIMEDOUT_OPEN, false                                                    \
	}

#endif
