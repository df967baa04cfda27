/* SPDX-License-Identifier: MIT */
/*
 * The firmware of a Generation 2 machine, by script: it has the hypervisor (identity 1<<40) and the bus
 * before any guest comes, as mu_msvm does, with channels open, and leaves when the guest says
 * ExitBootServices.
 *
 * Until then whoever else writes a synthetic register or makes a hypercall ends the virtual machine
 * (hvh_ended): to take the hypervisor from the firmware crashes a real one at once (iPXE 936657832). Reading
 * is allowed, and how a guest finds out.
 *
 * It is one more guest on virtual processor 0, with memory of its own. Whoever embeds the model gives it
 * time: hvh_firmware_run after hvh_run.
 */
#ifndef HVKIT_HOST_FIRMWARE_H
#define HVKIT_HOST_FIRMWARE_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HVH_FIRMWARE_VERSION 0x60000u /* VMBus 6.0, if the host knows 5.3; else 3.0 */
#define HVH_FIRMWARE_PAGES 4u         /* hypercalls, their input, messages, events */
#define HVH_FIRMWARE_CHANNEL_PAGES 4u /* rings of one page each way */
#define HVH_FIRMWARE_CHANNELS_MAX 8u

struct hvh_firmware;

enum hvh_firmware_state {
	HVH_FIRMWARE_STARTING,
	HVH_FIRMWARE_OWNS,    /* connected, channels open */
	HVH_FIRMWARE_LEAVING, /* UNLOAD is said, its response awaited */
	HVH_FIRMWARE_GONE     /* everything given back, in the order of mu_msvm */
};

struct hvh_firmware_config {
	/* RAM that is the firmware's, guest-physical: HVH_FIRMWARE_PAGES, and HVH_FIRMWARE_CHANNEL_PAGES for
	 * each channel that it is to open, in the order of their offers. */
	const uint64_t *pages;
	uint32_t page_count;
	bool keeps_identity; /* a fault of it: leaves, and the identity stays 1<<40 */
};

/* Takes the hypervisor at once. NULL: out of memory, too few pages, or a host that knows no UNLOAD (there is
 * no Generation 2 on such a host). The devices are created before. */
struct hvh_firmware *hvh_firmware_create(struct hvh_partition *partition, uint64_t now,
					 const struct hvh_firmware_config *config);
void hvh_firmware_destroy(struct hvh_firmware *firmware);

/* Does what is due; true if there is more. Their types are those of a world's (ports/hosted). */
bool hvh_firmware_run(void *firmware, uint64_t now);
uint64_t hvh_firmware_next_event(void *firmware);

/* What the guest's ExitBootServices brings about: UNLOAD with the channels open. */
void hvh_firmware_exit_boot_services(struct hvh_firmware *firmware, uint64_t now);

enum hvh_firmware_state hvh_firmware_get_state(const struct hvh_firmware *firmware);
uint32_t hvh_firmware_version(const struct hvh_firmware *firmware);  /* of VMBus; 0: not yet */
uint32_t hvh_firmware_channels(const struct hvh_firmware *firmware); /* open */

#ifdef __cplusplus
}
#endif
#endif
