/* SPDX-License-Identifier: MIT */
/* The parts of a session with a VF: its frames, its drivers, what happens to them, and its life. */
#ifndef TESTS_SUPPORT_VF_SESSION_INTERNAL_H
#define TESTS_SUPPORT_VF_SESSION_INTERNAL_H

#include <stdio.h>

#include "tests/support/vf_session.h"

#define VF_SETTLE_MS 20000u
#define VF_DOWN_MS 120000u

enum vf_step {
	VF_IDLE,
	VF_BUS_ATTACHING,
	VF_BUS_UP,
	VF_DEVICE_ATTACHING,
	VF_PAIRED,
	VF_UNPAIRING,
	VF_DEVICE_DETACHING,
	VF_BUS_DETACHING
};

struct vf_numbered {
	struct hvk_tx_frame frame;
	struct hvk_buffer piece;
	struct hvk_pages pages;
	struct vf_session *session;
	uint32_t number;
	_Atomic bool busy;
};

/* What must be as before once a VF has left: of the card, and of the VF. */
struct vf_shape {
	uint32_t capabilities, enabled, mtu, flags, tso_bytes, tso_pieces, tso_segments, rss_types;
	bool link_up;
	struct hvk_netdev_hooks hooks;
	struct hvk_netdev_rss rss;
};

struct vf_session {
	const struct vf_session_plan *plan;
	struct vf_session_counts counts;
	struct rig *rig;
	uint64_t random;
	char wrong[400];

	struct hvh_nic *host_nic;
	struct hvh_vf *host_vf;
	struct hvh_simwire *wire;
	struct hvh_backend wire_backend;

	struct hvk_channel *card_channel, *bus_channel;
	struct hvk_netvsc *nic;
	struct hvk_vf *vf;
	struct hvk_netdev *netdev;
	_Atomic bool nic_gone;
	struct hvk_request request; /* the stack's own operations */
	bool operating;             /* one is under way: what is to be as before is not settled */

	enum vf_step step;
	struct hvk_request device_request;
	struct hvk_vpci *bus;
	struct hvk_pci_function *function;
	struct hvk_virtio_net *device;
	bool leaving, bus_gone, device_gone, down;
	struct vf_shape before;        /* of the card, as the stack left it, without a VF */
	struct vf_shape device_before; /* of the VF, as its driver left it */

	/* In separate mode: the VF's own interface. */
	struct hvk_netdev *own;
	struct hvk_request own_request;
	_Atomic bool own_gone;

	struct vf_numbered frames[VF_FRAMES];
	uint32_t next;
	uint8_t marks[VF_NUMBERS_MAX]; /* what has become of each number */
	_Atomic uint32_t corrupt, duplicated, astray;
	uint64_t host_dropped;                  /* so the host has counted */
	uint64_t left;                          /* in a ring when the guest let go of it */
	uint64_t guest_taken;                   /* frames that drivers took from a ring */
	uint64_t guest_dropped;                 /* of these: that they had no use for, and said so */
	struct hvk_netdev_counters device_base; /* of the VF: what the card's counters have in them */
	bool silent, flapping;
};

#define WRONG(session, ...)                                                                      \
	do {                                                                                     \
		if ((session)->wrong[0] == '\0')                                                 \
			(void)snprintf((session)->wrong, sizeof((session)->wrong), __VA_ARGS__); \
	} while (0)

uint64_t vf_session_random(struct vf_session *session);
uint32_t vf_session_pick(struct vf_session *session, uint32_t below);
/* An end that the host's own doings explain: silence, or that it took the thing away. */
bool vf_session_explains(const struct vf_session *session, hvk_status status);
void vf_session_turn(struct vf_session *session);
/* Of session->request: its status, after turns. */
hvk_status vf_session_wait(struct vf_session *session);
struct hvk_request *vf_session_request(struct vf_session *session);
/* Traffic for a while; a card that the host took away is given up, one that it offers is taken. */
void vf_session_traffic(struct vf_session *session, uint32_t ms);

/* --- Frames: vf_frames.c ------------------------------------------------------------------------- */

void vf_frames_allocate(struct vf_session *session);
void vf_frames_give_back(struct vf_session *session);
/* In front of the wire: sees what comes to it, and what the card has taken from it. */
void vf_frames_backend(struct vf_session *session, struct hvh_backend *out);
void vf_frames_send(struct vf_session *session);
/* The hooks of the card or of the VF's own interface. */
void vf_frames_input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame);
/* No more is sent: takes the host's counters while there is a host. */
void vf_frames_end(struct vf_session *session);
/* What a driver has counted from base on. */
void vf_frames_add(struct vf_session *session, const struct hvk_netdev_counters *now,
		   const struct hvk_netdev_counters *base);
/* Afterwards: is each frame that is missing accounted for? faults: that the host was told to lose. */
void vf_frames_check(struct vf_session *session, uint64_t faults);

/* --- The VF's drivers: vf_drivers.c ---------------------------------------------------------------- */

/* One step, if one is due. */
void vf_drivers_go_on(struct vf_session *session);
/* In separate mode: the VF's interface is brought up as soon as it is there. */
void vf_drivers_mind_own(struct vf_session *session);
void vf_look(struct hvk_netdev *netdev, struct vf_shape *shape);
/* Without a VF the card is as the stack left it; unless somebody is at it. */
void vf_check_card(struct vf_session *session);
/* Says what is not as it was. */
void vf_compare(struct vf_session *session, const char *whose, const struct vf_shape *before,
		const struct vf_shape *now);

/* --- Events: vf_events.c ------------------------------------------------------------------------------ */

void vf_happen(struct vf_session *session, enum vf_session_event event);

#endif
