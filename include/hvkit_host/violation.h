/* SPDX-License-Identifier: MIT */
/*
 * Violations: what a guest does that a real Windows host would punish or ignore.
 * Strict means "as Windows": what a known real guest does unpunished is none, see
 * host/tolerated.md.
 */
#ifndef HVKIT_HOST_VIOLATION_H
#define HVKIT_HOST_VIOLATION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hvh_violation_kind {
	/* Registers and hypercalls */
	HVH_V_MSR,             /* unknown register, or a value that faults */
	HVH_V_RESERVED_BITS,   /* reserved register bits not kept */
	HVH_V_OS_ID,           /* identity 0 or firmware's where one is needed */
	HVH_V_HYPERCALL,       /* unknown code, reserved bits, alignment, not enabled */
	HVH_V_POST,            /* post: bad size, type or connection */
	HVH_V_SIGNAL,          /* signal: bad connection or flag */
	HVH_V_SIGNAL_UNNEEDED, /* deterministic mode: the ring rules asked for none */
	HVH_V_MISSING_EOM,     /* slot emptied, pending was set, no EOM within its time */
	HVH_V_EOM_UNNEEDED,    /* EOM with the slot still full */
	HVH_V_MEMORY,          /* an address that is not RAM */
	HVH_V_RETURNED_MEMORY, /* the host writes to what the last owner gave back */
	HVH_V_FIRMWARE,        /* registers or hypercalls while the firmware has the hypervisor */
	HVH_V_LOADED_SYSTEM,   /* contact after another system's, on a host where that crashes */
	/* Control messages */
	HVH_V_MESSAGE_SHORT,
	HVH_V_MESSAGE_LONG,
	HVH_V_MESSAGE_TYPE,
	HVH_V_MESSAGE_DIRECTION,
	HVH_V_MESSAGE_VERSION, /* a message that this version does not have */
	HVH_V_MESSAGE_STATE,   /* not now: not connected, second REQUEST_OFFERS, ... */
	HVH_V_MESSAGE_PADDING, /* a reserved field that is not zero */
	HVH_V_CONTACT, /* INITIATE_CONTACT: one monitor page of two, misaligned pages, wrong connection */
	HVH_V_CHANNEL_ID,
	HVH_V_CHANNEL_STATE,
	HVH_V_TARGET_VP,
	HVH_V_GPADL_ID,
	HVH_V_GPADL_REUSED,
	HVH_V_GPADL_RANGE,
	HVH_V_GPADL_IN_USE,
	HVH_V_RELEASE, /* RELID_RELEASED twice, or for a channel not rescinded */
	/* Rings */
	HVH_V_RING_GEOMETRY,
	HVH_V_RING_INDEX,
	HVH_V_RING_FULL, /* the last byte was filled */
	HVH_V_PACKET,
	HVH_V_PACKET_TYPE,
	HVH_V_PACKET_FLAGS,
	HVH_V_PACKET_PADDING,
	HVH_V_TRAILER,
	HVH_V_COMPLETION, /* for an id that is not outstanding */
	HVH_V_EVENT_BIT,  /* interrupt-page bit set for a dedicated channel, or not set where it must be */
	/* Network */
	HVH_V_NVS_SIZE,
	HVH_V_NVS_TYPE,
	HVH_V_NVS_ORDER,
	HVH_V_NVS_VALUE,
	HVH_V_NVS_PADDING,
	HVH_V_SECTION, /* section index or size out of range, or in use */
	HVH_V_RNDIS,
	HVH_V_RNDIS_ORDER,
	HVH_V_RNDIS_OID,
	/* Storage */
	HVH_V_VSTOR_SIZE,
	HVH_V_VSTOR_OPERATION,
	HVH_V_VSTOR_ORDER,
	HVH_V_VSTOR_VALUE,
	HVH_V_VSTOR_PADDING,
	/* Pass-through PCI */
	HVH_V_VPCI_SIZE,
	HVH_V_VPCI_TYPE,
	HVH_V_VPCI_ORDER,
	HVH_V_VPCI_VALUE,
	HVH_V_VPCI_PADDING,
	HVH_V_VPCI_INTERRUPT, /* a device interrupt that nobody made, or that is gone */
	HVH_V_PCI,            /* configuration space, BARs, MSI-X table */
	HVH_V_VIRTIO,         /* a virtio device's registers, status, features: values and order */
	HVH_V_VIRTQ,          /* virtqueues: indices, descriptors, memory */
	HVH_V_VIRTIO_NET,     /* a virtio network device: headers, offloads, control commands */
	/* Keyboard and mouse */
	HVH_V_INPUT_SIZE,
	HVH_V_INPUT_TYPE,
	HVH_V_INPUT_ORDER,
	HVH_V_INPUT_VALUE,
	HVH_V_INPUT_PADDING,
	/* Integration components */
	HVH_V_IC_SIZE,
	HVH_V_IC_TYPE,
	HVH_V_IC_ORDER,
	HVH_V_IC_VALUE,
	HVH_V_IC_PADDING,
	HVH_V_ECHO,  /* echo device: no such operation, too short, too much asked for */
	HVH_V_FRAME, /* shorter than 14 bytes, longer than the MTU allows, or not what its offload needs */
	HVH_V_COUNT
};

#define HVH_VIOLATION_BYTES 64u
#define HVH_VIOLATION_TEXT 120u

struct hvh_violation {
	enum hvh_violation_kind kind;
	uint64_t time;
	uint32_t vp;                   /* UINT32_MAX if none */
	uint32_t channel_id;           /* 0 if none */
	char text[HVH_VIOLATION_TEXT]; /* what was wrong and what would be right */
	uint32_t byte_count;           /* of the offending message, kept in bytes (cut to fit) */
	uint8_t bytes[HVH_VIOLATION_BYTES];
};

const char *hvh_violation_name(enum hvh_violation_kind kind); /* "gpadl-reused" */

#ifdef __cplusplus
}
#endif
#endif
