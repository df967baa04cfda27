/* SPDX-License-Identifier: MIT */
/*
 * vPCI: what the channel of a pass-through PCI bus carries in its packets.
 * Sources: FreeBSD pcib/vmbus_pcib.c, Linux pci-hyperv.c, OpenVMM vpci_protocol.
 */
#ifndef HVKIT_WIRE_VPCI_H
#define HVKIT_WIRE_VPCI_H

#include "pci.h"
#include "wire.h"

#define VPCI_VERSION_1_0 0x00010000u /* Windows 8: nobody speaks it here */
#define VPCI_VERSION_1_1 0x00010001u /* Windows 10 */
#define VPCI_VERSION_1_2 0x00010002u /* RS1 */
#define VPCI_VERSION_1_3 0x00010003u
#define VPCI_VERSION_1_4 0x00010004u

#define VPCI_MESSAGE_BASE 0x42490000u
#define VPCI_BUS_RELATIONS (VPCI_MESSAGE_BASE + 0x00u)
#define VPCI_QUERY_BUS_RELATIONS (VPCI_MESSAGE_BASE + 0x01u)
#define VPCI_INVALIDATE_DEVICE (VPCI_MESSAGE_BASE + 0x02u)
#define VPCI_INVALIDATE_BUS (VPCI_MESSAGE_BASE + 0x03u)
#define VPCI_POWER_STATE (VPCI_MESSAGE_BASE + 0x04u)
#define VPCI_QUERY_RESOURCE_REQUIREMENTS (VPCI_MESSAGE_BASE + 0x05u)
#define VPCI_QUERY_RESOURCES (VPCI_MESSAGE_BASE + 0x06u)
#define VPCI_BUS_D0_ENTRY (VPCI_MESSAGE_BASE + 0x07u)
#define VPCI_BUS_D0_EXIT (VPCI_MESSAGE_BASE + 0x08u)
#define VPCI_READ_BLOCK (VPCI_MESSAGE_BASE + 0x09u)
#define VPCI_WRITE_BLOCK (VPCI_MESSAGE_BASE + 0x0au)
#define VPCI_EJECT (VPCI_MESSAGE_BASE + 0x0bu)
#define VPCI_QUERY_STOP (VPCI_MESSAGE_BASE + 0x0cu)
#define VPCI_REENABLE (VPCI_MESSAGE_BASE + 0x0du)
#define VPCI_QUERY_STOP_FAILED (VPCI_MESSAGE_BASE + 0x0eu)
#define VPCI_EJECTION_COMPLETE (VPCI_MESSAGE_BASE + 0x0fu)
#define VPCI_RESOURCES_ASSIGNED (VPCI_MESSAGE_BASE + 0x10u)
#define VPCI_RESOURCES_RELEASED (VPCI_MESSAGE_BASE + 0x11u)
#define VPCI_INVALIDATE_BLOCK (VPCI_MESSAGE_BASE + 0x12u)
#define VPCI_QUERY_PROTOCOL_VERSION (VPCI_MESSAGE_BASE + 0x13u)
#define VPCI_CREATE_INTERRUPT (VPCI_MESSAGE_BASE + 0x14u) /* 1.1 */
#define VPCI_DELETE_INTERRUPT (VPCI_MESSAGE_BASE + 0x15u)
#define VPCI_RESOURCES_ASSIGNED2 (VPCI_MESSAGE_BASE + 0x16u) /* 1.2 */
#define VPCI_CREATE_INTERRUPT2 (VPCI_MESSAGE_BASE + 0x17u)   /* 1.2 */
#define VPCI_DELETE_INTERRUPT2 (VPCI_MESSAGE_BASE + 0x18u)
#define VPCI_BUS_RELATIONS2 (VPCI_MESSAGE_BASE + 0x19u)      /* 1.3 */
#define VPCI_RESOURCES_ASSIGNED3 (VPCI_MESSAGE_BASE + 0x1au) /* 1.4 */
#define VPCI_CREATE_INTERRUPT3 (VPCI_MESSAGE_BASE + 0x1bu)   /* 1.4 */
#define VPCI_RESET_DEVICE (VPCI_MESSAGE_BASE + 0x1cu)

#define VPCI_STATUS_SUCCESS 0x00000000u
#define VPCI_STATUS_REVISION_MISMATCH 0xc0000059u
#define VPCI_STATUS_NOT_SUPPORTED 0xc00000bbu
#define VPCI_STATUS_BAD_DATA 0xc000090bu

/* The window into configuration space: a slot is written to the first page, its space is the second. */
#define VPCI_WINDOW_SIZE 0x2000u
#define VPCI_WINDOW_CONFIG 0x1000u

#define VPCI_SLOT_DEVICE(slot) ((slot)&0x1fu)
#define VPCI_SLOT_FUNCTION(slot) (((slot) >> 5) & 0x7u)

struct vpci_version_request {
	uint32_t type;
	uint32_t version;
};
HVK_WIRE_SIZE(struct vpci_version_request, 8);

/* QUERY_BUS_RELATIONS, BUS_D0_EXIT: the type alone. */
struct vpci_message {
	uint32_t type;
};
HVK_WIRE_SIZE(struct vpci_message, 4);

/* QUERY_RESOURCE_REQUIREMENTS, EJECT, QUERY_STOP, RESOURCES_RELEASED, ... */
struct vpci_slot_message {
	uint32_t type;
	uint32_t slot;
};
HVK_WIRE_SIZE(struct vpci_slot_message, 8);

struct vpci_function {
	uint16_t vendor, device;
	uint8_t revision, programming_interface, subclass, class_;
	uint32_t subsystem; /* vendor in the low half */
	uint32_t slot;
	uint32_t serial;
};
HVK_WIRE_SIZE(struct vpci_function, 20);

struct vpci_function2 {
	struct vpci_function function;
	uint32_t flags;
	uint16_t numa_node;
	uint16_t reserved;
};
HVK_WIRE_SIZE(struct vpci_function2, 28);
#define VPCI_FUNCTION_NUMA_NODE 1u /* flags: numa_node is valid */

struct vpci_bus_relations { /* then count times vpci_function, or vpci_function2 */
	uint32_t type;
	uint32_t count;
};
HVK_WIRE_SIZE(struct vpci_bus_relations, 8);

struct vpci_d0_entry {
	uint32_t type;
	uint32_t reserved;
	uint64_t window; /* guest-physical address of the configuration window */
};
HVK_WIRE_SIZE(struct vpci_d0_entry, 16);

struct vpci_resource_requirements { /* the answer */
	uint32_t status;
	uint32_t probed_bars[PCI_BARS]; /* as read back after all ones were written */
};
HVK_WIRE_SIZE(struct vpci_resource_requirements, 28);

struct vpci_resource {
	uint8_t type; /* 0 = none, 3 = memory */
	uint8_t share;
	uint16_t flags;
	uint64_t address;
	uint32_t length;
	uint32_t padding;
} __attribute__((packed));
HVK_WIRE_SIZE(struct vpci_resource, 20);

struct vpci_resources_assigned {
	uint32_t type;
	uint32_t slot;
	struct vpci_resource resources[PCI_BARS];
	uint32_t interrupt_count;
	uint32_t reserved;
};
HVK_WIRE_SIZE(struct vpci_resources_assigned, 136);
/* Guests send them with room for more, all zeros: Linux and FreeBSD. */
#define VPCI_RESOURCES_ASSIGNED_SIZE 148u
#define VPCI_RESOURCES_ASSIGNED2_SIZE 202u

#define VPCI_PROCESSORS_MAX 32u
struct vpci_interrupt { /* 1.1 */
	uint8_t vector, delivery_mode;
	uint16_t count;
	uint32_t reserved;
	uint64_t processors; /* a mask: 0 to 63 */
};
HVK_WIRE_SIZE(struct vpci_interrupt, 16);

struct vpci_interrupt2 { /* 1.2 and 1.3; Linux sends it without the last field */
	uint8_t vector, delivery_mode;
	uint16_t count;
	uint16_t processor_count;
	uint16_t processors[VPCI_PROCESSORS_MAX];
	uint16_t reserved;
};
HVK_WIRE_SIZE(struct vpci_interrupt2, 72);
#define VPCI_INTERRUPT2_SHORT 70u

struct vpci_interrupt3 { /* 1.4; Linux and FreeBSD send it without the last field */
	uint32_t vector;
	uint8_t delivery_mode;
	uint8_t reserved;
	uint16_t count;
	uint16_t processor_count;
	uint16_t processors[VPCI_PROCESSORS_MAX];
	uint16_t reserved2;
};
HVK_WIRE_SIZE(struct vpci_interrupt3, 76);
#define VPCI_INTERRUPT3_SHORT 74u

struct vpci_translated_interrupt {
	uint16_t reserved;
	uint16_t count;
	uint32_t data;
	uint64_t address;
};
HVK_WIRE_SIZE(struct vpci_translated_interrupt, 16);

struct vpci_create_interrupt_header { /* then a descriptor of the version */
	uint32_t type;
	uint32_t slot;
};
HVK_WIRE_SIZE(struct vpci_create_interrupt_header, 8);

struct vpci_create_interrupt_answer {
	uint32_t status;
	uint32_t reserved;
	struct vpci_translated_interrupt interrupt;
};
HVK_WIRE_SIZE(struct vpci_create_interrupt_answer, 24);

struct vpci_delete_interrupt {
	uint32_t type;
	uint32_t slot;
	struct vpci_translated_interrupt interrupt;
};
HVK_WIRE_SIZE(struct vpci_delete_interrupt, 24);

struct vpci_power_state {
	uint32_t type;
	uint32_t slot;
	uint32_t state; /* VPCI_POWER_* */
};
HVK_WIRE_SIZE(struct vpci_power_state, 12);
#define VPCI_POWER_D0 1u
#define VPCI_POWER_D3 4u

struct vpci_ejection_complete {
	uint32_t type;
	uint32_t slot;
	uint32_t status;
};
HVK_WIRE_SIZE(struct vpci_ejection_complete, 12);

struct vpci_status { /* the shortest answer */
	uint32_t status;
};
HVK_WIRE_SIZE(struct vpci_status, 4);

#endif
