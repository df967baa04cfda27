/* SPDX-License-Identifier: MIT */
/*
 * What a virtual function beside the card has to do with the card: the association message and the
 * data-path switch on its channel, and the frames. For host/vf; netvsp knows no more of it.
 */
#ifndef HVH_NETVSP_VF_H
#define HVH_NETVSP_VF_H

#include "hvkit_host/network.h"

struct hvh_dump;

enum netvsp_path { NETVSP_BY_CARD, NETVSP_BY_VF, NETVSP_LOST };

struct netvsp_vf {
	void *context;
	/* The guest may be told of a VF now (RNDIS INITIALIZE, and NDIS_CONFIG with the capability), or no
	 * more: the data path is the card's then. */
	void (*session)(void *context, uint64_t now, bool ready);
	/* In the primary's turn, while it is open. */
	void (*run)(void *context, uint64_t now);
	uint64_t (*next_event)(void *context);
	/* Is there a VF for the guest, so that the data path can be its? */
	bool (*there)(void *context);
	/* The guest asks for a switch: when it is to be done; HVH_NEVER: not, and not answered. */
	uint64_t (*switch_due)(void *context, uint64_t now, bool to_vf);
	void (*switched)(void *context, uint64_t now, bool to_vf);
	/* A frame for the guest, which has given the VF the data path. card: the card's filter lets it in. */
	enum netvsp_path (*receive)(void *context, uint64_t now, const uint8_t *frame, uint32_t length,
				    bool card);
	uint32_t (*room)(void *context, uint64_t now); /* frames that it is sure to take */
	void (*link)(void *context, uint64_t now);     /* the card's link or speed is another */
	void (*announce)(void *context, uint64_t now); /* the network is another one */
	void (*dump)(const void *context, struct hvh_dump *dump);
	void (*destroy)(void *context);
};

/* One for each card. */
void netvsp_vf_set(struct hvh_nic *nic, const struct netvsp_vf *vf);
const struct netvsp_vf *netvsp_vf_get(const struct hvh_nic *nic); /* context NULL: none */
bool netvsp_vf_is_ready(const struct hvh_nic *nic);
/* Tells the guest, which is ready, that a VF of this serial has been allocated, or none. */
void netvsp_vf_tell(struct hvh_nic *nic, uint64_t now, bool allocated, uint32_t serial);
bool netvsp_vf_has_data_path(const struct hvh_nic *nic);
/* The host moves the data path by itself: to the VF, if it is there; or takes it back. */
bool netvsp_vf_give(struct hvh_nic *nic, uint64_t now);
void netvsp_vf_fall_back(struct hvh_nic *nic);
void netvsp_vf_kick(struct hvh_nic *nic); /* run, or a sooner next_event */

/* A frame of the guest's by the VF. False: the link is down. The last of several is followed by a flush. */
bool netvsp_vf_transmit(struct hvh_nic *nic, uint32_t queue, const uint8_t *frame, uint32_t length);
void netvsp_vf_flush(struct hvh_nic *nic);

struct netvsp_vf_card {
	struct hvh_partition *partition;
	uint8_t mac[6];
	uint32_t mtu_max, without; /* HVH_NIC_NO_* */
	uint64_t link_speed;
	bool link_up;
};
void netvsp_vf_card(const struct hvh_nic *nic, struct netvsp_vf_card *out);

#endif
