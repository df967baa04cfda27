/* SPDX-License-Identifier: MIT */
/*
 * A card with a VF under numbered frames, to which things happen: a session of the rig's
 * (rig_config.session, with no_nic). It brings a card, a VF and a wire that echoes, and drives all the
 * drivers that a VF needs: bus, virtio, pairing. In separate mode frames go by the VF's own interface
 * while it is up.
 */
#ifndef TESTS_SUPPORT_VF_SESSION_H
#define TESTS_SUPPORT_VF_SESSION_H

#include "hvkit/vf.h"
#include "hvkit/virtio_net.h"
#include "hvkit/vpci.h"
#include "hvkit_host/vf.h"
#include "tests/support/rig.h"

#define VF_FRAMES 32u /* on the way */
#define VF_NUMBERS_MAX 65536u

enum vf_session_event {
	VF_SESSION_QUIET,
	VF_SESSION_ATTACH,
	VF_SESSION_EJECT,
	VF_SESSION_SURPRISE,
	VF_SESSION_MIGRATE,
	VF_SESSION_DOWN,
	VF_SESSION_UP,
	VF_SESSION_MTU,
	VF_SESSION_OFFLOADS,
	VF_SESSION_GROUPS,
	VF_SESSION_PROMISCUOUS,
	VF_SESSION_LINK,
	VF_SESSION_SILENCE, /* the host does not answer a switch, or answers again */
	VF_SESSION_RESCIND, /* the card, and offered again */
	VF_SESSION_EVENTS
};
const char *vf_session_event_name(enum vf_session_event event);

struct vf_session_plan {
	uint64_t seed;
	struct hvk_netvsc_config card;
	struct hvk_vf_config vf;
	struct hvk_virtio_net_config device;
	struct hvh_vf_config host;
	uint32_t pause_ms; /* of traffic between two events; 0 = 25 */
	uint32_t events;   /* so many, of the seed */
};

struct vf_session_counts {
	uint64_t events[VF_SESSION_EVENTS];
	uint64_t sent, echoed, busy, gone;
	/* What is missing, by who has counted it: given back by a driver; dropped by the host; by the
	 * drivers; left in a ring that was taken away; lost by a fault that was asked for. */
	uint64_t lost_back, lost_host, lost_guest, lost_left, lost_faults;
	uint64_t active, absent; /* times that these states were entered */
	uint64_t checked;        /* of the latter: times that all was as before */
	uint64_t by_vf, by_card; /* frames received */
	uint64_t switch_failures, frames_lost_in_vf;
	uint64_t separate; /* times that the VF's own interface was brought up */
};

/* NULL, or what is wrong. */
const char *vf_session_run(const struct vf_session_plan *plan, const struct rig_config *machine,
			   struct vf_session_counts *counts);

#endif
