/* SPDX-License-Identifier: MIT */
/*
 * PCI: configuration space of a function (type 0), and MSI-X.
 * Sources: PCI Local Bus 3.0, chapter 6; PCI Express Base, chapter 7.
 */
#ifndef HVKIT_WIRE_PCI_H
#define HVKIT_WIRE_PCI_H

#include "wire.h"

#define PCI_VENDOR 0x00u
#define PCI_DEVICE 0x02u
#define PCI_COMMAND 0x04u
#define PCI_STATUS 0x06u
#define PCI_REVISION 0x08u
#define PCI_PROGRAMMING_INTERFACE 0x09u
#define PCI_SUBCLASS 0x0au
#define PCI_CLASS 0x0bu
#define PCI_CACHE_LINE 0x0cu
#define PCI_LATENCY 0x0du
#define PCI_HEADER_TYPE 0x0eu
#define PCI_BAR0 0x10u /* BAR n at 0x10 + 4 * n */
#define PCI_BARS 6u
#define PCI_SUBSYSTEM_VENDOR 0x2cu
#define PCI_SUBSYSTEM 0x2eu
#define PCI_ROM 0x30u
#define PCI_CAPABILITIES 0x34u
#define PCI_INTERRUPT_LINE 0x3cu
#define PCI_INTERRUPT_PIN 0x3du
#define PCI_CONFIG_SIZE 256u
#define PCI_CONFIG_SIZE_EXPRESS 4096u

#define PCI_COMMAND_IO 0x0001u
#define PCI_COMMAND_MEMORY 0x0002u
#define PCI_COMMAND_MASTER 0x0004u
#define PCI_COMMAND_INTX_DISABLE 0x0400u
#define PCI_STATUS_CAPABILITIES 0x0010u

#define PCI_BAR_IO 0x1u
#define PCI_BAR_TYPE_MASK 0x6u
#define PCI_BAR_32 0x0u
#define PCI_BAR_64 0x4u
#define PCI_BAR_PREFETCHABLE 0x8u
#define PCI_BAR_MEMORY_FLAGS 0xfu

#define PCI_CLASS_NETWORK 0x02u
#define PCI_SUBCLASS_ETHERNET 0x00u

/* A capability begins with its id and the offset of the next (0 = the last). */
#define PCI_CAPABILITY_MSI 0x05u
#define PCI_CAPABILITY_VENDOR 0x09u
#define PCI_CAPABILITY_EXPRESS 0x10u
#define PCI_CAPABILITY_MSIX 0x11u

struct pci_msix_capability {
	uint8_t id, next;
	uint16_t control;
	uint32_t table, pending; /* offset | number of the BAR */
};
HVK_WIRE_SIZE(struct pci_msix_capability, 12);
#define PCI_MSIX_CONTROL_SIZE 0x07ffu /* entries - 1 */
#define PCI_MSIX_CONTROL_MASK_ALL 0x4000u
#define PCI_MSIX_CONTROL_ENABLE 0x8000u
#define PCI_MSIX_BAR_MASK 0x7u
#define PCI_MSIX_ENTRIES_MAX 2048u

struct pci_msix_entry {
	uint64_t address;
	uint32_t data;
	uint32_t control;
};
HVK_WIRE_SIZE(struct pci_msix_entry, 16);
#define PCI_MSIX_ENTRY_MASKED 1u

#endif
