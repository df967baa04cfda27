/* SPDX-License-Identifier: MIT */
/*
 * A virtual function beside a network card (accelerated networking): a virtio network function on a
 * vPCI bus of its own, with the card's hardware address, behind the same backend.
 *
 * The guest is told in the order that real hosts have: the association message on the card's channel, then
 * the offer of the bus. While the guest has switched the data path to it, unicast frames of flows that are
 * known come by the VF; broadcast, multicast and the first frames of a flow still by the card.
 */
#ifndef HVKIT_HOST_VF_H
#define HVKIT_HOST_VF_H

#include "network.h"
#include "pci.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvh_vf;

struct hvh_vf_config {
	uint32_t serial;      /* 0 = made from the seed */
	uint32_t queues_max;  /* queue pairs of the function; 0 = 8; at most 64 */
	uint32_t without;     /* HVH_NIC_NO_* that the function lacks */
	uint32_t mtu_max;     /* 0 = the card's */
	uint64_t offer_delay; /* association message to offer, 100 ns; 0 = 1 s; UINT64_MAX = none */
	uint64_t eject_wait;  /* 0 = 60 s */
	/* Seeded habits, of a thousand attachments each: the offer before the association message; the
	 * message twice; another serial at each return is always so. */
	uint32_t offer_first, association_twice;
	/* Frames of a flow that come by the card before the VF has it; 0 = 1. */
	uint32_t first_frames;
};
/* One for each card at most. Away at first. NULL if there is no room or one is there. Lives as the
 * partition. */
struct hvh_vf *hvh_vf_create(struct hvh_partition *partition, struct hvh_nic *nic,
			     const struct hvh_vf_config *config);
struct hvh_vf *hvh_vf_of(const struct hvh_nic *nic); /* NULL if it has none */

enum hvh_vf_state { HVH_VF_AWAY, HVH_VF_COMING, HVH_VF_THERE, HVH_VF_LEAVING };
enum hvh_vf_state hvh_vf_get_state(const struct hvh_vf *vf);
/* False: it is there, coming or leaving already. */
bool hvh_vf_attach(struct hvh_vf *vf, uint64_t now);
/* eject: the guest is asked, and has its time; otherwise the bus is rescinded at once. Either way the host
 * moves the data path to the card first, and says that no VF is allocated. False: it is not there. */
bool hvh_vf_detach(struct hvh_vf *vf, uint64_t now, bool eject);
/* As in live migration: detached, then, after a time (100 ns), attached with another serial. */
bool hvh_vf_migrate(struct hvh_vf *vf, uint64_t now, bool eject, uint64_t away);
/* False if the function has no such entry or is away: its link, as the card's. */
bool hvh_vf_set_link(struct hvh_vf *vf, uint64_t now, bool up);
/* The host switches the data path by itself, for a guest whose drivers of card and function do not know each
 * other: Linux's hv_netvsc joins with none whose network device is virtio_net's. False: the VF or the card is
 * not ready. */
bool hvh_vf_switch(struct hvh_vf *vf, uint64_t now, bool to_vf);
/* A switch of the data path that the guest asks for: so late, or (refuse) not done and not answered. */
void hvh_vf_set_switch_trouble(struct hvh_vf *vf, uint64_t delay_max, bool silent);

struct hvh_vf_counters {
	uint64_t attaches, detaches, migrations;
	uint64_t switches_to_vf, switches_to_card; /* asked for by the guest */
	uint64_t to_guest_frames, to_guest_bytes, from_guest_frames, from_guest_bytes; /* by the VF */
	/* Frames for the guest that went by the card though the VF had the data path. */
	uint64_t steered_to_card;
	uint64_t dropped; /* for the guest: no buffer, not up */
};
void hvh_vf_get_counters(const struct hvh_vf *vf, struct hvh_vf_counters *out);
bool hvh_vf_has_data_path(const struct hvh_vf *vf);
struct hvh_vpci *hvh_vf_bus(struct hvh_vf *vf);

#ifdef __cplusplus
}
#endif
#endif
