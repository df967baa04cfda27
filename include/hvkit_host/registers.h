/* SPDX-License-Identifier: MIT */
/*
 * A PCI function for tests: a block of registers that remembers, interrupts and writes to guest memory, and
 * a wide BAR of plain memory. The smallest device model behind a vPCI bus.
 *
 * BAR 0 (32 bits, 4 KiB): the registers below, each 8 bytes; narrower accesses see their part.
 * BAR 2 (64 bits, prefetchable, 64 KiB): memory.   BAR 4 (64 bits, 16 KiB): MSI-X, 64 entries.
 */
#ifndef HVKIT_HOST_REGISTERS_H
#define HVKIT_HOST_REGISTERS_H

#include "pci.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HVH_REGISTERS_VENDOR 0x1af4u /* Red Hat's; of the ids that it gives away for experiments */
#define HVH_REGISTERS_DEVICE 0x10f0u
#define HVH_REGISTERS_INTERRUPTS 64u
#define HVH_REGISTERS_MEMORY 65536u

#define HVH_REGISTERS_ID 0x00u /* reads as this value */
#define HVH_REGISTERS_ID_VALUE 0x6b69742d68766b69ull
#define HVH_REGISTERS_SCRATCH 0x08u /* keeps what is written */
#define HVH_REGISTERS_RAISE 0x10u   /* write n: entry n is raised */
#define HVH_REGISTERS_TIMER 0x18u   /* write: entry 0 is raised after so many 100 ns */
#define HVH_REGISTERS_ADDRESS 0x20u /* guest-physical */
#define HVH_REGISTERS_STORE 0x28u   /* write: the 8 bytes go to that address, if bus mastering is on */
#define HVH_REGISTERS_FAULTS 0x30u  /* stores that did not reach memory */

struct hvh_registers;

/* The bus is the registers' own: hvh_registers_bus. NULL if there is no room. Lives as the partition. */
struct hvh_registers *hvh_registers_create(struct hvh_partition *partition,
					   const struct hvh_vpci_config *config);
struct hvh_vpci *hvh_registers_bus(struct hvh_registers *registers);

#ifdef __cplusplus
}
#endif
#endif
