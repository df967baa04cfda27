/* SPDX-License-Identifier: MIT */
/*
 * Profiles: which host the model is, as a set of named habits.
 * Sources: each field's comment, and docs/hosts.md.
 */
#ifndef HVKIT_HOST_PROFILE_H
#define HVKIT_HOST_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Offers of sub-channels, against the device's answer to the request for them. */
enum hvh_subchannel_order {
	HVH_SUBCHANNELS_AFTER, /* OpenVMM */
	HVH_SUBCHANNELS_BEFORE,
	HVH_SUBCHANNELS_BY_SEED
};

struct hvh_profile {
	const char *name;        /* "ws2012r2" */
	const char *description; /* one line for people */

	/* VMBus */
	uint32_t newest_version; /* VMBUS_VERSION: what it knows */
	uint32_t accept_newest;  /* what it accepts; newest_version unless capped (--vmbus-max) */
	/* UNLOAD disconnects and is answered, at whatever version the connection is:
	 * true for every host that knows 3.0. A host without it ignores UNLOAD, goes on
	 * writing to the interrupt and monitor pages, and gives a second contact no usable
	 * bus (no offers). Follows newest_version, never accept_newest. */
	bool unload_works;
	bool connection_4;                  /* message connection 4 exists (hosts that know 5.0) */
	uint32_t returned_connection;       /* what VERSION_RESPONSE returns from 5.0: 4, OpenVMM 1 */
	bool short_offer_at_0_13;           /* offers of 190 bytes at 0.13 */
	bool torndown_withheld_until_close; /* 2012 R2: the receive buffer's waits for CLOSE */
	bool gpadl_errors_answered;         /* GPADL_CREATED with a failure status, or silence (QEMU) */
	bool pending_feature_required;      /* host obeys pending send size only with the feature bit */
	enum hvh_subchannel_order subchannel_order;
	bool response_state_garbage; /* below 2.4, or refused: connection_state is not zero */
	bool echoes_version;         /* VERSION_RESPONSE repeats the version below 5.0 (QEMU: not) */
	/* A loaded system crashes if it meets a bus last used at 3.0 or newer and not
	 * unloaded properly (2012 R2); hvh_loaded_system_crashes tells. */
	bool loaded_system_crashes;

	/* Network */
	uint32_t nvs_newest;              /* NVS_VERSION_* */
	bool status_0x40020006_malformed; /* 2012 R2: sends it after INITIALIZE, length too short */
	bool revoke_completed;            /* if asked; else the channel is dead after a revoke (OpenVMM) */
	uint32_t receive_suballocation;   /* bytes */
	uint32_t send_section;            /* bytes */
	uint32_t ranges_per_packet_max;   /* data messages in one transfer-page packet, 1 to 375 */
	uint32_t rndis_packets_max;       /* INITIALIZE_CMPLT: per message */
	uint32_t rndis_alignment_factor;
	bool filter_set_at_start; /* some hosts deliver before a filter is set (FreeBSD) */
};

/* By name ("ws2008r2", "ws2012", "ws2012r2", "ws2022"); NULL if there is none. */
const struct hvh_profile *hvh_profile_find(const char *name);
/* n-th profile, oldest host first; NULL past the last. */
const struct hvh_profile *hvh_profile_get(uint32_t n);

#ifdef __cplusplus
}
#endif
#endif
