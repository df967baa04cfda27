/* SPDX-License-Identifier: MIT */
/*
 * storvsc: the synthetic storage controller. One hvk_storvsc per primary channel of type
 * VMBUS_GUID_STORVSC (SCSI, many units) or VMBUS_GUID_IDE (the accelerator of one emulated IDE
 * disk); each unit that it finds is offered as a block device, and as itself for raw commands.
 *
 *   struct hvk_storvsc *controller;
 *   hvk_storvsc_create(channel, &config, &controller);
 *   hvk_storvsc_attach(controller, &request);   open, vstor, properties, sub-channels, scan
 *     ... config.added(context, controller, unit) for each disk, then and later
 *   hvk_storvsc_detach(controller, &request);   requests end, channels closed
 *   hvk_storvsc_destroy(controller);
 */
#ifndef HVKIT_STORVSC_H
#define HVKIT_STORVSC_H

#include "block.h"
#include "wire/scsi.h"
#include "wire/vstor.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvk_storvsc;
struct hvk_storvsc_unit; /* valid from added until its block's gone hook, detach, or an attach that fails */

struct hvk_storvsc_config {
	uint32_t cpu;        /* of the primary channel; 0 below VMBus 2.4 */
	uint32_t ring_pages; /* each direction; 0 = 32 */
	/* Channels asked for, at most HVK_STORVSC_QUEUES_MAX; 0 = as many as there are CPUs. The host
	 * may give fewer, late or none. A request goes by the channel of the submitting CPU. */
	uint32_t queues;
	uint32_t queue_depth;     /* requests with the host at once, over all; 0 = 256 */
	uint32_t timeout_ms;      /* of a request; 0 = 60000 */
	uint32_t bounce_pages;    /* for requests that must be copied; 0 = 64 */
	uint32_t units_max;       /* 0 = 64 */
	uint16_t protocol_newest; /* 0 = VSTOR_VERSION_6_2; tests and old hosts: an older one */
	/* A unit is there: at attach, or later. Its block's info is complete; hooks are to be set in
	 * here. In hvk_poll. May be NULL. */
	void (*added)(void *context, struct hvk_storvsc *controller, struct hvk_storvsc_unit *unit);
	/* The host took the controller away, or its ring contradicts itself: detach it and forget it.
	 * After all its units are gone. Once. In hvk_poll. May be NULL. */
	void (*gone)(void *context, struct hvk_storvsc *controller);
	void *context;
};
#define HVK_STORVSC_QUEUES_MAX 64u

/* Memory only, and the claim on the channel. HVK_EINVAL (not a storage channel, values out of
 * range), HVK_EBUSY and HVK_EGONE (hvk_channel_claim), HVK_ENOMEM. Task context or callback. */
hvk_status hvk_storvsc_create(struct hvk_channel *channel, const struct hvk_storvsc_config *config,
			      struct hvk_storvsc **out);

/* Finishes with HVK_OK when the scan is over (no unit at all is no error), or the status of the
 * step that failed; then everything has been given back, units go without their gone hook, and attach
 * may be tried again. */
void hvk_storvsc_attach(struct hvk_storvsc *controller, struct hvk_request *request);
/* Requests in flight are waited for, bounded, then done with HVK_ECANCELED; units go without their
 * gone hook. Also for a rescinded channel. */
void hvk_storvsc_detach(struct hvk_storvsc *controller, struct hvk_request *request);
/* Only when detached (HVK_ESTATE). */
hvk_status hvk_storvsc_destroy(struct hvk_storvsc *controller);

/* Looks for units again, as it does by itself when the host says that something changed (ENUMERATE_BUS,
 * REMOVE_DEVICE, unit attention). */
void hvk_storvsc_rescan(struct hvk_storvsc *controller, struct hvk_request *request);
/* RESET_LUN, or RESET_ADAPTER with unit NULL: what the host had of them ends. HVK_ENOTSUP where the
 * host has none, HVK_EBUSY while another one is under way, HVK_ETIMEDOUT_REQUEST. */
void hvk_storvsc_reset(struct hvk_storvsc *controller, struct hvk_storvsc_unit *unit,
		       struct hvk_request *request);

/* The primary channel; from create to destroy. */
struct hvk_channel *hvk_storvsc_channel(struct hvk_storvsc *controller);
uint16_t hvk_storvsc_protocol(const struct hvk_storvsc *controller); /* VSTOR_VERSION_*; 0 before */
uint32_t hvk_storvsc_queues(const struct hvk_storvsc *controller);   /* channels in use */
/* Units in order of target and LUN: NULL for the first, NULL is returned after the last. Task
 * context on the primary channel's CPU. */
struct hvk_storvsc_unit *hvk_storvsc_next_unit(struct hvk_storvsc *controller,
					       struct hvk_storvsc_unit *previous);
struct hvk_block *hvk_storvsc_block(struct hvk_storvsc_unit *unit);
struct hvk_storvsc *hvk_storvsc_controller(struct hvk_storvsc_unit *unit);
uint8_t hvk_storvsc_unit_target(const struct hvk_storvsc_unit *unit);
uint8_t hvk_storvsc_unit_lun(const struct hvk_storvsc_unit *unit);
void hvk_storvsc_dump(struct hvk_storvsc *controller, hvk_dump_line line, void *context);

/* --- Raw commands ---------------------------------------------------------------------- */

enum hvk_scsi_direction { HVK_SCSI_NONE, HVK_SCSI_OUT, HVK_SCSI_IN };
enum hvk_scsi_order { HVK_SCSI_SIMPLE, HVK_SCSI_ORDERED, HVK_SCSI_HEAD_OF_QUEUE };

/* One command of at most one transfer (info.transfer_max), not retried. Ownership as of
 * hvk_block_request. */
struct hvk_scsi_request {
	uint8_t cdb[VSTOR_CDB_SIZE];
	uint8_t cdb_length; /* 6 to 16 */
	enum hvk_scsi_direction direction;
	enum hvk_scsi_order order;
	const struct hvk_buffer *pieces;
	uint32_t piece_count;
	uint32_t length;     /* sum of the pieces */
	uint32_t timeout_ms; /* 0 = the controller's */
	void (*done)(struct hvk_scsi_request *request, void *context);
	void *context;
	/* The result. status: HVK_OK (then scsi_status is GOOD), HVK_EIO (see scsi_status and sense),
	 * HVK_ENODEVICE (no such unit any more), HVK_ETIMEDOUT_REQUEST, HVK_EGONE, HVK_ECANCELED,
	 * HVK_EHOST_*. */
	hvk_status status;
	uint8_t srb_status, scsi_status;
	uint8_t sense_length;
	uint8_t sense[VSTOR_SENSE_SIZE];
	uint32_t transferred;
};

/* As hvk_block_submit, but for one command of the unit; whether it has a medium does not count.
 * HVK_ETOOBIG: more than a transfer, or to be copied and more than there are bounce pages. */
hvk_status hvk_storvsc_submit(struct hvk_storvsc_unit *unit, struct hvk_scsi_request *request);

#ifdef __cplusplus
}
#endif
#endif
