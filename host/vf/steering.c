/* SPDX-License-Identifier: MIT */
/*
 * Which way a frame for the guest takes while the VF has the data path. The switch in front of both knows
 * the flows that it has told the VF of; all else comes by the card: broadcast, multicast, the first frames
 * of a flow (Azure, after FreeBSD and Linux). What the card's filter does not let in is the VF's alone.
 */
#include <string.h>

#include "host/netvsp/headers.h"
#include "host/vf/vf.h"

#define HASH_STEP 0x01000193u
#define ADDRESS 6u

static uint32_t mix(uint32_t hash, const uint8_t *bytes, uint32_t length)
{
	for (uint32_t n = 0; n < length; n++)
		hash = (hash ^ bytes[n]) * HASH_STEP;
	return hash;
}

/* Addresses and ports; of what is not IP, who sent it and its type. */
static uint32_t flow_hash(const uint8_t *frame, uint32_t length)
{
	struct netvsp_headers headers;
	uint32_t address, hash;

	if (!netvsp_headers_find(frame, length, true, &headers))
		return mix(1, frame + ADDRESS, ADDRESS + 2);
	address = headers.version == 4 ? 4 : 16;
	hash = mix(2, &headers.protocol, 1);
	hash = mix(hash, frame + headers.source, address);
	hash = mix(hash, frame + headers.destination, address);
	return headers.transport != 0 ? mix(hash, frame + headers.transport, 4) : hash;
}

void vf_flows_forget(struct hvh_vf *vf)
{
	memset(vf->flows, 0, sizeof vf->flows);
}

/* A flow that another took the place of has to be learnt again. */
static bool knows_flow(struct hvh_vf *vf, const uint8_t *frame, uint32_t length)
{
	uint32_t hash = flow_hash(frame, length);
	struct vf_flow *flow = &vf->flows[(hash ^ hash >> 16) % VF_FLOWS];

	if (flow->hash != hash)
		*flow = (struct vf_flow){hash, 0};
	if (flow->seen >= vf->config.first_frames)
		return true;
	flow->seen++;
	return false;
}

enum netvsp_path vf_receive(void *context, uint64_t now, const uint8_t *frame, uint32_t length, bool card)
{
	struct hvh_vf *vf = context;
	bool ours = memcmp(frame, vf->mac, sizeof vf->mac) == 0;

	if (card && (!ours || !knows_flow(vf, frame, length))) {
		vf->counters.steered_to_card++;
		return NETVSP_BY_CARD;
	}
	if (hvh_fault_strikes(vf->partition, HVH_FAULT_FRAME_LOST))
		return NETVSP_BY_VF; /* lost on the way, and nobody knows */
	if (!virtio_net_accepts(vf->net, frame)) {
		vf->counters.dropped++;
		return NETVSP_LOST;
	}
	return virtio_net_receive(vf->net, now, frame, length) ? NETVSP_BY_VF : NETVSP_LOST;
}
