/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of devices on vPCI buses. The guest programs the address and data that it was given into the
 * device; where a write of them goes is known here alone, and changed by HvCallRetargetDeviceInterrupt.
 * Private to host/hypervisor and host/vpci.
 */
#ifndef HVH_HYPERVISOR_DEVICE_INTERRUPTS_H
#define HVH_HYPERVISOR_DEVICE_INTERRUPTS_H

#include "hvkit/wire/hypervisor.h"
#include "hvkit_host/host.h"

#define HVH_DEVICE_INTERRUPTS_MAX 494u /* of a device, OpenVMM */
#define HVH_DEVICE_INTERRUPT_GROUP 32u /* vectors of one, in a row */

struct hvh_device_interrupt {
	uint32_t data;
	uint16_t count; /* 0: free */
	uint8_t vector;
	bool multicast;
	uint64_t vps;
};

/* A device's. Its memory is the device's. */
struct hvh_interrupt_source {
	struct hvh_partition *partition;
	struct hvh_interrupt_source *next;
	uint32_t device_id; /* as the hypercall names it */
	uint64_t retargets;
	struct hvh_device_interrupt interrupts[HVH_DEVICE_INTERRUPTS_MAX];
};

/* Of a channel's instance GUID, function 0 (OpenVMM, Linux). */
uint32_t hvh_interrupt_device_id(const uint8_t instance[16]);
bool hvh_interrupt_device_id_taken(const struct hvh_partition *partition, uint32_t device_id);
void hvh_interrupt_source_add(struct hvh_partition *partition, struct hvh_interrupt_source *source,
			      uint32_t device_id);
void hvh_interrupt_source_remove(struct hvh_interrupt_source *source);

/* vps: those that there are. NULL: no room. */
const struct hvh_device_interrupt *hvh_device_interrupt_create(struct hvh_interrupt_source *source,
							       uint8_t vector, uint16_t count, uint64_t vps);
uint64_t hvh_device_interrupt_address(const struct hvh_interrupt_source *source);
/* False: there is none with that address and data (the first of its group). */
bool hvh_device_interrupt_delete(struct hvh_interrupt_source *source, uint64_t address, uint32_t data);
void hvh_device_interrupts_clear(struct hvh_interrupt_source *source);
uint32_t hvh_device_interrupts_count(const struct hvh_interrupt_source *source);
/* The device wrote data to address. False: nobody made such an interrupt. */
bool hvh_device_interrupt_raise(struct hvh_interrupt_source *source, uint64_t now, uint64_t address,
				uint32_t data);

/* The hypercall, slow form; words: of its variable header. Returns HV_STATUS_*. */
uint32_t hvh_retarget_device_interrupt(struct hvh_partition *partition, uint32_t vp, uint64_t gpa,
				       uint32_t words);

#endif
