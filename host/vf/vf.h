/* SPDX-License-Identifier: MIT */
/*
 * A virtual function beside a card: one network, two ways to the guest. vf.c has its coming and going,
 * steering.c which way a frame takes. Private to host/vf.
 */
#ifndef HVH_VF_VF_H
#define HVH_VF_VF_H

#include "host/core/core.h"
#include "host/netvsp/vf.h"
#include "host/virtio/net.h"
#include "hvkit_host/vf.h"

#define VF_FLOWS 1024u

/* A flow that comes to the guest, as far as the VF knows it. */
struct vf_flow {
	uint32_t hash;
	uint32_t seen; /* of its frames, by the card */
};

struct hvh_vf {
	struct hvh_partition *partition;
	struct hvh_nic *nic;
	struct virtio_net_device *net;
	struct hvh_vpci *bus;
	struct hvh_vf_config config;
	enum hvh_vf_state state;
	uint32_t serial;
	uint8_t mac[6];
	bool link_up; /* its own; down while the card's is */
	/* What is to come, each HVH_NEVER if nothing is. */
	uint64_t tell_at, tell_again_at, offer_at, return_at;
	uint64_t switch_delay_max;
	bool switch_silent;
	struct vf_flow flows[VF_FLOWS];
	struct hvh_vf_counters counters; /* without those of the function */
};

/* --- steering.c ------------------------------------------------------------------------------------ */

enum netvsp_path vf_receive(void *context, uint64_t now, const uint8_t *frame, uint32_t length, bool card);
void vf_flows_forget(struct hvh_vf *vf);

#endif
