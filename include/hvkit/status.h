/* SPDX-License-Identifier: MIT */
/*
 * The result of every hvkit call that can fail.
 *
 * Zero is success. Values below HVK_EHOST_FIRST say that the caller, the
 * machine or time is in the way; values from HVK_EHOST_FIRST on say that the
 * host sent something that a lawful host does not send. The numbers are part
 * of the interface and do not change.
 */
#ifndef HVKIT_STATUS_H
#define HVKIT_STATUS_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hvk_status {
	HVK_OK = 0,

	/* The caller and the embedder. */
	HVK_EINVAL = 1,       /* an argument is out of its documented range */
	HVK_ESTATE = 2,       /* not in this state of the object's life cycle */
	HVK_ELEVEL = 3,       /* the port lacks a callback of the level this needs (L0-L3) */
	HVK_ECONTEXT = 4,     /* not from here: waiting inside a callback, or on another CPU */
	HVK_ENOMEM = 5,       /* the port gave no pages */
	HVK_ELIMIT = 6,       /* a named limit of the configuration is reached */
	HVK_EQUARANTINE = 7,  /* too much memory is withheld because the host may still use it */
	HVK_EBUSY = 8,        /* in use by another request; try again when that is done */
	HVK_EAGAIN = 9,       /* the ring or a queue is full; a wake-up will come */
	HVK_EINPROGRESS = 10, /* the request is not finished */
	HVK_ECANCELED = 11,   /* ended by a close, a suspend or an exit */
	HVK_ETOOBIG = 12,     /* larger than the ring, the section or the buffer holds */
	HVK_EGONE = 13,       /* the host has rescinded the channel */
	HVK_ENOTSUP = 14,     /* this host or this version does not have it */
	HVK_EEMPTY = 15,      /* nothing to receive */

	/* Disks. */
	HVK_EIO = 16,       /* the medium or the device failed, or will not do this */
	HVK_EREADONLY = 17, /* the medium may not be written */
	HVK_ENOMEDIUM = 18, /* there is no medium in the drive */
	HVK_ENODEVICE = 19, /* no such unit, or not any more */

	/* Network cards and their VFs. */
	HVK_EPAIRED = 20,   /* paired with a card: operated through that one alone */
	HVK_EOTHER = 21,    /* another card's VF: its hardware address or serial number differs */
	HVK_ESTACKED = 22,  /* a bond or VLAN on top of something, not a VF */
	HVK_EOWNQUEUE = 23, /* a VF driver that can only queue by itself */

	/* The machine. */
	HVK_ENOHYPERVISOR = 32, /* no Hyper-V interface here */
	HVK_EPRIVILEGE = 33,    /* Hyper-V is there but lacks hypercalls, SynIC, messages or events */
	HVK_EOWNED = 34,        /* firmware owns the hypervisor (guest identity 1 << 40) */
	HVK_EINUSE = 35,        /* somebody else's guest identity is set */
	HVK_EHYPERCALL = 36,    /* a hypercall failed with a status that no retry mends */
	HVK_EVERSION = 37,      /* the host accepts none of the versions we speak, or none that has this */
	HVK_EHOSTTOOOLD = 38,   /* boot mode: below VMBus 3.0, a loaded system could not reconnect */

	/* Time. One per step, so that the status says where the host fell silent. */
	HVK_ETIMEDOUT = 64,          /* a wait of the caller's own */
	HVK_ETIMEDOUT_POST = 65,     /* the hypervisor took no message */
	HVK_ETIMEDOUT_CONTACT = 66,  /* no VERSION_RESPONSE */
	HVK_ETIMEDOUT_OFFERS = 67,   /* no ALL_OFFERS_DELIVERED */
	HVK_ETIMEDOUT_UNLOAD = 68,   /* no UNLOAD_RESPONSE */
	HVK_ETIMEDOUT_GPADL = 69,    /* no GPADL_CREATED */
	HVK_ETIMEDOUT_TEARDOWN = 70, /* no GPADL_TORNDOWN: the memory is in quarantine */
	HVK_ETIMEDOUT_OPEN = 71,     /* no OPEN_RESULT */
	HVK_ETIMEDOUT_MODIFY = 72,   /* no MODIFY_CHANNEL_RESPONSE */
	HVK_ETIMEDOUT_NVS_INIT = 73,
	HVK_ETIMEDOUT_NVS_RECEIVE_BUFFER = 74,
	HVK_ETIMEDOUT_NVS_SEND_BUFFER = 75,
	HVK_ETIMEDOUT_RNDIS_INITIALIZE = 76,
	HVK_ETIMEDOUT_RNDIS_QUERY = 77,
	HVK_ETIMEDOUT_RNDIS_SET = 78,
	HVK_ETIMEDOUT_SEND = 79,    /* the host completed no packet */
	HVK_ETIMEDOUT_VSTOR = 80,   /* no answer while the controller was brought up */
	HVK_ETIMEDOUT_REQUEST = 81, /* no answer to a command of a disk */
	HVK_ETIMEDOUT_INPUT = 82,   /* no answer of a keyboard or mouse */
	HVK_ETIMEDOUT_VPCI = 83,    /* no answer of a PCI bus */
	HVK_ETIMEDOUT_VIRTIO = 84,  /* a virtio device does not reset, or does not answer its control queue */
	HVK_ETIMEDOUT_DATA_PATH = 85, /* the host did not switch the data path */

	/* The host refuses what it may refuse. */
	HVK_EREFUSED_OPEN = 96,
	HVK_EREFUSED_GPADL = 97,
	HVK_EREFUSED_NVS_VERSION = 98, /* none of the six NVS versions */
	HVK_EREFUSED_NVS = 99,         /* a buffer was refused */
	HVK_EREFUSED_RNDIS = 100,      /* INITIALIZE, a required QUERY or a SET failed */
	HVK_EREFUSED_CONTACT = 101,    /* version accepted, connection state not zero */
	HVK_EREFUSED_MODIFY = 102,     /* MODIFY_CHANNEL */
	HVK_EREFUSED_VSTOR = 103,      /* no vstor version, or a step of the bring-up */
	HVK_EREFUSED_INPUT = 104,      /* protocol of a keyboard or mouse */
	HVK_EREFUSED_VPCI = 105,       /* no vPCI version, or a step of the bring-up, or an interrupt */
	HVK_EREFUSED_VIRTIO = 106,     /* features, or a command of the control queue */
	HVK_EREFUSED_DATA_PATH = 107,  /* the host did not take the switch of the data path */

	/* The host misbehaves. */
	HVK_EHOST_FIRST = 4096,
	HVK_EHOST_MESSAGE = 4096,    /* control message: too short, too long or of an unknown type */
	HVK_EHOST_ID = 4097,         /* a channel, GPADL or open id that is not ours or out of range */
	HVK_EHOST_DUPLICATE = 4098,  /* the same answer, offer or completion twice */
	HVK_EHOST_RING_INDEX = 4099, /* a ring index out of range or not aligned */
	HVK_EHOST_PACKET = 4100,     /* packet descriptor: lengths that cannot be */
	HVK_EHOST_PACKET_TYPE = 4101,
	HVK_EHOST_TRANSACTION = 4102, /* completion for a request that is not outstanding */
	HVK_EHOST_NVS = 4103,         /* NVS message: too short, of an unknown type or out of order */
	HVK_EHOST_BUFFER = 4104,      /* receive or send buffer geometry that does not fit the buffer */
	HVK_EHOST_RANGE = 4105,       /* transfer-page range outside the receive buffer */
	HVK_EHOST_RNDIS = 4106,       /* RNDIS message: fields outside the range that holds it */
	HVK_EHOST_VALUE = 4107,       /* an answer whose value cannot be (MAC of zeros, MTU of 0, ...) */
	HVK_EHOST_CLOCK = 4108,       /* reference counter that stands still or runs backwards */
	HVK_EHOST_VSTOR = 4109,       /* vstor packet: too short, of an unknown kind or out of order */
	HVK_EHOST_INPUT = 4110,       /* keyboard's or mouse's message likewise */
	HVK_EHOST_IC = 4111,          /* integration component's message likewise */
	HVK_EHOST_VPCI = 4112,        /* vPCI message likewise */
	HVK_EHOST_VIRTIO = 4113       /* a virtio device's capabilities or rings contradict themselves */
} hvk_status;

/* Name of a status, as in the enumeration without the prefix, lower case, e.g.
 * "etimedout_contact"; never NULL, "unknown status" for any other number. Any
 * context. The string is static. */
const char *hvk_status_name(hvk_status status);

/* One lower-case phrase that says what happened, e.g. "the host did not answer
 * INITIATE_CONTACT in time"; never NULL. Any context. The string is static. */
const char *hvk_status_text(hvk_status status);

/* True for the statuses that accuse the host (HVK_EHOST_FIRST and above). */
static inline bool hvk_status_is_host_fault(hvk_status status)
{
	return (int)status >= (int)HVK_EHOST_FIRST;
}

#ifdef __cplusplus
}
#endif
#endif
