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

/* Habits with more than two forms. What the faults of host.h do by chance, a host can be
 * told to do always or never. */
enum hvh_tendency {
	HVH_BY_SEED, /* as often as the fault is set to strike */
	HVH_NOT_EVER,
	HVH_EVERY_TIME
};
enum hvh_version_policy {
	HVH_VERSIONS_EXACT, /* those that exist */
	HVH_VERSIONS_RANGE  /* any number up to the newest (QEMU) */
};
enum hvh_redelivery {
	HVH_REDELIVER_ON_EOM,
	HVH_REDELIVER_BY_LOOKING /* the host finds the slot empty by itself (OpenVMM) */
};
enum hvh_reference_tsc {
	HVH_REFERENCE_TSC_PRESENT, /* if the configuration has a frequency */
	HVH_REFERENCE_TSC_ABSENT,
	HVH_REFERENCE_TSC_INVALID /* there, with sequence 0: read the register */
};
/* Synthetic timers. */
enum hvh_timers {
	HVH_TIMERS_ABSENT,
	HVH_TIMERS_MESSAGES, /* expiry is a SynIC message */
	HVH_TIMERS_DIRECT    /* ... or, if the guest asks for it, an APIC vector */
};
/* TORNDOWN of the receive buffer's GPADL while the channel is open. */
enum hvh_torndown {
	HVH_TORNDOWN_PROMPT,
	HVH_TORNDOWN_NOW_AND_THEN, /* one in four is withheld, for ten seconds at most */
	HVH_TORNDOWN_AT_CLOSE      /* always withheld until CLOSE */
};
enum hvh_teardown_reply {
	HVH_TEARDOWN_BY_SEED, /* late as often as the fault strikes */
	HVH_TEARDOWN_PROMPT,
	HVH_TEARDOWN_SLOW,
	HVH_TEARDOWN_ABSENT /* until the channel closes or goes */
};
enum hvh_id_order {
	HVH_IDS_IN_ORDER, /* of type and instance, from 1 (OpenVMM) */
	HVH_IDS_WITH_GAPS,
	HVH_IDS_SHUFFLED
};
enum hvh_id_reuse {
	HVH_IDS_LOWEST, /* a released id is the next one given */
	HVH_IDS_LAST    /* ... when all others have been used */
};
/* HvCallPostMessage refuses each message once before it takes it. */
enum hvh_post_status {
	HVH_POST_BY_SEED,
	HVH_POST_ACCEPTED,
	HVH_POST_INSUFFICIENT, /* 0x13 */
	HVH_POST_TIMEOUT,      /* 0x78 */
	HVH_POST_THROTTLED     /* 0x12, once connected */
};
/* Who gets a monitor id: whose signals the host takes from the monitor page. */
enum hvh_monitoring { HVH_MONITOR_AS_ASKED, HVH_MONITOR_NONE, HVH_MONITOR_ALL };
/* Offers of sub-channels, against the device's answer to the request for them. */
enum hvh_subchannel_order {
	HVH_SUBCHANNELS_AFTER, /* OpenVMM */
	HVH_SUBCHANNELS_BEFORE,
	HVH_SUBCHANNELS_BY_SEED
};
/* Where the send indirection table lies in its message, and where the message says so. */
enum hvh_send_table {
	HVH_SEND_TABLE_AT_12, /* OpenVMM */
	HVH_SEND_TABLE_AT_40,
	HVH_SEND_TABLE_WRONG_OFFSET /* at 40, and up to NVS 6 said to begin earlier (Linux) */
};

/* Answers of a storage controller: as long as what they answer (OpenVMM: Windows' own drivers look), or
 * as short as what they hold. */
enum hvh_completion_size { HVH_COMPLETIONS_EXACT, HVH_COMPLETIONS_SHORTEST };
/* What a reset does to the requests that a storage controller has. */
enum hvh_storage_reset {
	HVH_RESET_NOTHING, /* says that it is done, and that is all (OpenVMM) */
	HVH_RESET_ABORTS,  /* they end with ABORTED */
	HVH_RESET_LOSES    /* they are never answered */
};

/* A vPCI bus tells its functions again when it goes into D0: before it says that it is there, or after. */
enum hvh_vpci_relations {
	HVH_RELATIONS_WHEN_ASKED, /* not again */
	HVH_RELATIONS_BEFORE_D0,  /* OpenVMM */
	HVH_RELATIONS_AFTER_D0,
	HVH_RELATIONS_BY_SEED
};

/* Integration components and their versions, as the hosts have them. */
enum hvh_ic_versions {
	HVH_IC_NONE,
	HVH_IC_2008,
	HVH_IC_2008R2,
	HVH_IC_2012,
	HVH_IC_2012R2,
	HVH_IC_2016,
	HVH_IC_2022,
	HVH_IC_OPENVMM
};

/* Each field but the first three is a quirk (quirk.h). */
struct hvh_profile {
	const char *name;        /* "ws2012r2" */
	const char *description; /* one line for people */
	uint32_t newest_version; /* VMBUS_VERSION: what it knows */

	/* Hypervisor */
	enum hvh_reference_tsc reference_tsc;
	enum hvh_timers timers;
	bool message_privileges; /* leaf 0x40000003 EBX says that it may post and signal */
	enum hvh_redelivery redelivery;
	enum hvh_tendency late_pending; /* the pending flag is set after delivery */
	enum hvh_post_status post_status;

	/* Contact */
	uint32_t accept_newest; /* newest_version unless capped (--vmbus-max) */
	enum hvh_version_policy version_policy;
	/* UNLOAD disconnects and is answered, at whatever version the connection is:
	 * true for every host that knows 3.0. A host without it ignores UNLOAD, goes on
	 * writing to the interrupt and monitor pages, and gives a second contact no usable
	 * bus (no offers). Follows newest_version, never accept_newest. */
	bool unload_works;
	bool unload_before_contact;   /* answered even if there is no connection */
	bool connection_4;            /* message connection 4 exists (hosts that know 5.0) */
	uint32_t returned_connection; /* what VERSION_RESPONSE returns from 5.0: 4, OpenVMM 1 */
	bool response_state_garbage;  /* below 2.4, or refused: connection_state is not zero */
	bool echoes_version;          /* VERSION_RESPONSE repeats the version below 5.0 (QEMU: not) */
	/* A loaded system crashes if the last contact before its own was made at 3.0 or newer, with no
	 * UNLOAD since (2012 R2); always: even with one. hvh_loaded_system_crashes tells beforehand; the
	 * contact of the loaded system itself, who is anybody but the identity that made contact first,
	 * is a violation and refused. */
	bool loaded_system_crashes, loaded_system_always_crashes;

	/* Channels */
	uint32_t event_connections; /* a channel's is this and its id: 0x2000 (OpenVMM), QEMU 16 */
	bool short_offer_at_0_13;   /* offers of 190 bytes at 0.13 */
	enum hvh_id_order id_order;
	enum hvh_id_reuse id_reuse;
	enum hvh_monitoring monitoring;
	uint32_t monitor_latency; /* microseconds between looks at the monitor page */
	enum hvh_subchannel_order subchannel_order;
	enum hvh_tendency rescind;    /* out of the blue; every time: one chance in 256 */
	bool gpadl_errors_answered;   /* GPADL_CREATED with a failure status, or silence (QEMU) */
	uint32_t open_failure_status; /* of OPEN_RESULT: 0x8000ffff, QEMU 1 */
	enum hvh_teardown_reply teardown_reply;
	bool modify_response; /* MODIFY_CHANNEL is answered from 5.3 */

	/* Rings */
	enum hvh_tendency first_signal_lost; /* after an open; made good 100 ms later */
	bool pending_feature_offered;        /* the host sets the feature bit of its ring to the guest;
					      * without it, it tells a guest of no room either (below 2.4) */
	bool pending_feature_required;       /* and obeys the guest's pending send size only with that bit */

	/* Network */
	uint32_t nvs_newest; /* NVS_VERSION_* */
	enum hvh_torndown torndown_withheld;
	bool status_0x40020006_malformed; /* 2012 R2: sends it after INITIALIZE, length too short */
	bool revoke_completed;            /* if asked; else the channel is dead after a revoke (OpenVMM) */
	uint32_t receive_suballocation;   /* bytes */
	uint32_t send_section;            /* bytes */
	uint32_t ranges_per_packet_max;   /* data messages in one transfer-page packet, 1 to 375 */
	uint32_t rndis_packets_max;       /* INITIALIZE_CMPLT: per message */
	uint32_t rndis_alignment_factor;
	uint32_t rndis_transfer_max;             /* bytes of several packets in one message */
	bool filter_set_at_start;                /* some hosts deliver before a filter is set (FreeBSD) */
	bool short_nvs_ignored;                  /* NVS requests below 32 bytes have no answer (FreeBSD) */
	bool receive_buffer_limited;             /* to 15 MiB up to NVS 2, later to 31 (FreeBSD) */
	bool information_offset_required;        /* a query without information needs its offset (FreeBSD) */
	enum hvh_tendency data_offset_unaligned; /* frames lie at any byte (FreeBSD) */

	/* Network: queues */
	bool rss;
	uint32_t queues_max;        /* the primary among them */
	bool rss_unchanged_ignored; /* flags that say "as before" are not heeded (FreeBSD) */
	bool udp_hash_as_tcp;       /* a UDP/IPv4 hash is labelled TCP/IPv4 (FreeBSD: from 2016) */
	enum hvh_tendency subchannels_fewer, subchannels_late, subchannels_missing, subchannel_rescind;
	enum hvh_send_table send_table;
	enum hvh_tendency send_table_late, send_table_missing;

	/* Network: offloads */
	bool udp_checksum;        /* checksums of UDP are offered (Linux: not on 2008 R2) */
	bool udp_checksum_broken; /* and wrong in long datagrams over IPv4 that may be fragmented
				   * (FreeBSD: Azure) */
	bool udp_as_tcp_good;     /* a good checksum of UDP is reported as one of TCP (FreeBSD: 2016) */
	bool lso, rsc;
	uint32_t lso_size_max;     /* bytes of one large send */
	uint32_t lso_segments_min; /* and how many segments are the least */
	bool lso_offset_needed;    /* it must say where its TCP header is (OpenVMM) */

	/* Storage */
	uint32_t vstor_newest; /* VSTOR_VERSION_*; 6.2 apart from that: */
	bool vstor_6_2;
	enum hvh_completion_size vstor_completions;
	enum hvh_storage_reset vstor_reset, vstor_bus_reset; /* of a unit or controller; of a bus */
	bool absent_check_condition;  /* commands for a unit that is not there: CHECK CONDITION (OpenVMM) */
	bool absent_zeroed;           /* its INQUIRY has version 0 and format 0 (FreeBSD) */
	bool disk_spc2;               /* disks claim SPC-2, and do SPC-3 (FreeBSD) */
	bool disk_without_unmap;      /* before 2012 (FreeBSD and Linux ask from there on) */
	bool disk_without_write_same; /* before 2016 (Linux) */
	bool dvd_version_0;           /* a DVD of generation 2 claims nothing (FreeBSD) */
	enum hvh_tendency remove_notice; /* removal is told by REMOVE_DEVICE; else by ENUMERATE_BUS */

	/* Pass-through PCI */
	uint32_t vpci_oldest, vpci_newest; /* VPCI_VERSION_*; what it accepts */
	enum hvh_vpci_relations vpci_relations;
	enum hvh_tendency vpci_bar_flags_late; /* a BAR's low bits are 0 until it is written (FreeBSD);
						* by seed: one opening in two */

	/* Integration components */
	enum hvh_ic_versions ic_versions;
};

/* By name ("ws2012r2", "openvmm"); NULL if there is none. */
const struct hvh_profile *hvh_profile_find(const char *name);
/* n-th profile: Windows, oldest first, then others; NULL past the last. */
const struct hvh_profile *hvh_profile_get(uint32_t n);

#ifdef __cplusplus
}
#endif
#endif
