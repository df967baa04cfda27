/* SPDX-License-Identifier: MIT */
/*
 * vf: a synthetic card and the virtual function (VF) that the host lends it: accelerated networking. The
 * VF comes and goes under a running network stack, at each live migration for example.
 *
 * Transparent mode: the stack has one card, this one. While the VF is there it carries the frames; when it
 * goes the synthetic path has them again. Nothing above notices but the speed.
 *
 *   hvk_netvsc_create(channel, &nic_config, &nic);      with nic_config.vf
 *   hvk_vf_create(nic, &config, &vf);
 *   stack uses hvk_vf_netdev(vf), not hvk_netvsc_netdev(nic)
 *     ... vPCI offers a function, its driver (virtio_net.h or the embedder's own) has a netdev:
 *   hvk_vf_pair(vf, netdev, serial);                    HVK_EOTHER: it is another card's
 *   hvk_vf_attach_complete(vf);                         its driver has done all; or the grace period ends
 *     ... the VF leaves:
 *   hvk_vf_unpair(vf, &request);                        then its driver detaches it
 *
 * Separate mode: the VF is an interface of its own, hvk_vf_separate_netdev. Bringing that up moves the
 * host's data path to it; frames that the host still sends by the synthetic path come in by it too, and the
 * synthetic card shows no link.
 *
 * The states of a pairing, and what leads from one to the other: guest/vf/states.c is the table.
 *
 *   absent     no VF                      waiting    paired; the grace period runs
 *   ready      settings agree; the card is down, or the host has not allocated it
 *   switching  VF up, data path under way: frames are HVK_TX_BUSY
 *   active     frames go by the VF        leaving    everything is being undone
 *
 * Association message, vPCI offer and attach may come in any order, and again.
 */
#ifndef HVKIT_VF_H
#define HVKIT_VF_H

#include "netdev.h"
#include "netvsc.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvk_vf;

enum hvk_vf_state {
	HVK_VF_ABSENT,
	HVK_VF_WAITING,
	HVK_VF_READY,
	HVK_VF_SWITCHING,
	HVK_VF_ACTIVE,
	HVK_VF_LEAVING
};
/* A word for the state, as in dumps: never NULL ("unknown" for what is none). From anywhere. */
const char *hvk_vf_state_name(enum hvk_vf_state state);

struct hvk_vf_config {
	bool transparent; /* false: separate mode */
	/* From hvk_vf_pair on, for a VF driver that is still at its attach. hvk_vf_attach_complete ends
	 * it. 0 = 2000; HVK_VF_GRACE_EVENT: only hvk_vf_attach_complete does. */
	uint32_t grace_ms;
	/* In hvk_poll, and in hvk_vf_pair, after each change. Destroys nothing. May be NULL. */
	void (*changed)(void *context, struct hvk_vf *vf, enum hvk_vf_state state);
	void *context;
};
#define HVK_VF_GRACE_EVENT UINT32_MAX

/* Takes the hooks of the card's netdev, which is this object's from now on: its operations answer
 * HVK_EPAIRED to others. Before the card is brought up, attached or not; it outlives the vf. HVK_ESTATE:
 * the card is up; HVK_EINVAL: created without hvk_netvsc_config.vf; HVK_ENOMEM. Task context. */
hvk_status hvk_vf_create(struct hvk_netvsc *nic, const struct hvk_vf_config *config, struct hvk_vf **out);
/* Only while absent, with the card detached: its CPUs may be inside our hooks until then (HVK_ESTATE: so it
 * is not, or something is still under way: later). The netdev is the card's own again. */
hvk_status hvk_vf_destroy(struct hvk_vf *vf);

/* The card, for the network stack: as hvk_netvsc_netdev without a VF, and with one in separate mode. */
struct hvk_netdev *hvk_vf_netdev(struct hvk_vf *vf);
/* The VF, for the stack, in separate mode: from ready on; NULL otherwise. Down, whatever an earlier one was.
 * When it has left, its gone hook is called, and its hooks are forgotten. */
struct hvk_netdev *hvk_vf_separate_netdev(struct hvk_vf *vf);
struct hvk_netvsc *hvk_vf_card(struct hvk_vf *vf);

/* Is netdev this card's VF? If so it is paired: its hooks are replaced, and its operations answer
 * HVK_EPAIRED to others until unpaired. It is attached, down, and used by nobody. serial: of its PCI
 * function; 0 = not known. HVK_EOTHER: another hardware address, or a serial number that is not the one
 * the host named; HVK_ESTACKED: a bond or VLAN on top of something (HVK_NETDEV_STACKED), which has the
 * same address without being the VF; HVK_EOWNQUEUE: a driver that can only queue by itself
 * (HVK_NETDEV_OWN_QUEUE); HVK_EBUSY: there is a VF already. Task context or callback on the CPU of queue
 * 0. */
hvk_status hvk_vf_pair(struct hvk_vf *vf, struct hvk_netdev *netdev, uint32_t serial);
/* The VF's driver has done all that it does at attach. Any CPU; task context or callback. */
void hvk_vf_attach_complete(struct hvk_vf *vf);
/* The VF leaves, or has gone (its gone hook, which comes here, begins this by itself): data path back,
 * and everything that pairing changed is undone. Then the netdev is its driver's again, to detach. Bounded.
 * HVK_OK, or the first step's status that failed; unpaired all the same. HVK_ESTATE: none is paired;
 * HVK_EBUSY: it leaves already. Any CPU; task context or callback. */
void hvk_vf_unpair(struct hvk_vf *vf, struct hvk_request *request);

struct hvk_vf_info {
	enum hvk_vf_state state;
	bool transparent;
	struct hvk_netdev *netdev; /* the VF's; NULL while absent */
	uint32_t serial;           /* of the VF; 0 */
	/* What the host said last (NVS VF_ASSOCIATION). */
	bool allocated;
	uint32_t allocated_serial;
	/* Frames by each path, both ways. The card's own counters (hvk_netdev_get_counters) have the sum. */
	uint64_t synthetic_rx, synthetic_tx, vf_rx, vf_tx;
	uint64_t switches, switch_failures; /* of the data path */
	uint64_t pairings, departures;
	uint64_t lost;             /* frames that a VF took and did not say it had sent */
	uint64_t switch_time_last; /* 100 ns in which nothing was sent, at the last switch */
	hvk_status last_failure;
};
/* A copy of the state as it is now. From anywhere, while the pairing object lives; takes its lock and the
 * card's for a moment. */
void hvk_vf_get_info(const struct hvk_vf *vf, struct hvk_vf_info *out);
void hvk_vf_dump(struct hvk_vf *vf, hvk_dump_line line, void *context);

/* --- What becomes of each operation on the card while a VF is paired --------------------------- */

enum hvk_vf_operation {
	HVK_VF_SET_UP,
	HVK_VF_SET_DOWN,
	HVK_VF_SET_ALL_MULTICAST,
	HVK_VF_SET_PROMISCUOUS,
	HVK_VF_SET_MULTICAST,
	HVK_VF_SET_ENABLED,
	HVK_VF_SET_MTU,
	HVK_VF_SET_RSS,
	HVK_VF_GET_RSS,
	HVK_VF_GET_COUNTERS,
	HVK_VF_GET_QUEUE_COUNTERS,
	HVK_VF_TRANSMIT,
	HVK_VF_TRANSMIT_MANY,
	HVK_VF_FLUSH,
	HVK_VF_RELEASE,
	HVK_VF_OPERATIONS
};
enum hvk_vf_rule {
	HVK_VF_PASSED,   /* to the VF alone */
	HVK_VF_MIRRORED, /* to the VF, and the card's own state follows */
	HVK_VF_ANSWERED  /* by the card; the VF is looked at, at most */
};
struct hvk_vf_operation_rule {
	enum hvk_vf_operation operation;
	const char *name;
	enum hvk_vf_rule rule;
	const char *why;
};
/* One for each operation; NULL past the last. */
const struct hvk_vf_operation_rule *hvk_vf_get_rule(enum hvk_vf_operation operation);

#ifdef __cplusplus
}
#endif
#endif
