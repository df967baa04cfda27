/* SPDX-License-Identifier: MIT */
/*
 * The pairing of a card with its VF: state, and what its files call of each other. Private to guest/vf.
 *
 *   vf.c          the object: creating it, looking inside
 *   states.c      the states and what leads from one to another, as a table
 *   life.c        what is to be done next, on the CPU of the card's queue 0
 *   settle.c      paired: settings are made to agree, and put back when the VF leaves
 *   activate.c    VF up, data path, RSS; and back
 *   leave.c       the VF leaves
 *   operations.c  control operations of the stack: a queue, and what becomes of each
 *   rules.c       ... as a table
 *   netdev.c      the card as the stack sees it: frames and control operations down
 *   hooks.c       the hooks of the two devices below: frames and news up
 *   separate.c    the VF as an interface of its own
 *   claimed.c     what a paired device answers to others
 *
 * Contexts. All but frames and counters happens in hvk_poll of one CPU, that of the card's queue 0: what
 * comes elsewhere (a hook, the end of a request) leaves a note and kicks. Public calls take what they need
 * under the lock and kick. A frame goes by what `path` says; a CPU that hands one to the VF is counted in
 * `users`, and a path that leaves the VF is over only when none is inside any more.
 */
#ifndef HVK_VF_INTERNAL_H
#define HVK_VF_INTERNAL_H

#include "guest/core/core.h"
#include "guest/device/pass.h"
#include "guest/device/steps.h"
#include "hvkit/vf.h"

#define HVK_VF_GRACE_DEFAULT_MS 2000u
#define HVK_VF_OPERATIONS_MAX 8u
#define HVK_VF_DRAIN_MS 200u  /* for frames that the VF still has */
#define HVK_VF_RETRY_MS 1000u /* after a switch that failed; doubled each time */
#define HVK_VF_RETRY_MAX_MS 64000u
#define HVK_VF_QUEUES_COUNTED 64u

enum vf_event {
	VF_EVENT_PAIRED,
	VF_EVENT_SETTLED,
	VF_EVENT_CARD_ANEW,
	VF_EVENT_SWITCH,  /* the data path is about to move */
	VF_EVENT_TO_VF,   /* ... has moved */
	VF_EVENT_TO_CARD, /* ... or back */
	VF_EVENT_LEAVE,
	VF_EVENT_LEFT
};

/* Where frames to be sent go. */
enum vf_path { VF_PATH_CARD, VF_PATH_VF, VF_PATH_WAIT };

#define VF_WAITS_FOR_USERS HVK_STEPS_OWN
#define VF_WAITS_FOR_FRAMES (HVK_STEPS_OWN + 1u)
#define VF_WAIT_DRAIN 1u

enum vf_phase {
	VF_PHASE_NONE,
	VF_PHASE_TAKEN, /* not begun: the VF may have to give the frames up first */
	VF_PHASE_RUNNING,
	VF_PHASE_DONE /* but for the VF, which is to follow */
};

struct vf_groups {
	uint32_t count;
	uint8_t addresses[HVK_NETDEV_GROUPS_MAX][6];
};

struct vf_operation {
	enum hvk_vf_operation operation;
	bool separate;  /* of the separate netdev */
	uint32_t known; /* capabilities that the stack saw when it asked: what it has a say in */
	struct hvk_request *request;
	union {
		uint32_t value; /* flags, enabled, MTU */
		struct vf_groups groups;
		struct hvk_netdev_rss rss;
	};
};

/* A device below, claimed: its own operations and hooks, for when it is let go. */
struct vf_device {
	struct hvk_netdev *netdev;
	const struct hvk_netdev_ops *ops;
	struct hvk_netdev_hooks hooks;
};

/* What settling and activating changed. */
struct vf_saved {
	uint32_t card_enabled; /* wanted by the stack without the VF */
	bool vf;               /* the VF's, as it came: */
	uint32_t vf_enabled, vf_mtu, vf_flags;
	bool rss; /* the card's was changed: */
	struct hvk_netdev_rss card_rss;
	bool vf_rss_changed;
	struct hvk_netdev_rss vf_rss;
};

/* Frames that a device has counted and nobody saw: to a group or address that the stack did not ask for; with
 * no interface that is up to take them. */
struct vf_unseen {
	uint64_t other_group, not_up, bytes;
};

struct hvk_vf {
	struct hvk_netdev netdev;   /* first: the card, for the stack */
	struct hvk_netdev separate; /* the VF, for the stack */
	struct hvk_pages pages;
	struct hvk *hvk;
	struct hvk_netvsc *nic;
	struct hvk_vf_config config;
	uint32_t cpu; /* of the card's queue 0 */

	/* Frames; atomic. */
	uint32_t path;  /* enum vf_path */
	uint32_t users; /* CPUs that are handing a frame to the VF */
	bool owed;      /* HVK_TX_BUSY was answered while the path was VF_PATH_WAIT */
	bool hash_hidden;
	uint32_t agreed_types; /* HVK_RSS_*: hashes that may be shown */
	uint64_t vf_tx, card_tx;
	uint64_t vf_rx[HVK_VF_QUEUES_COUNTED], card_rx[HVK_VF_QUEUES_COUNTED]; /* by the queue */
	struct vf_unseen unseen[2]; /* of what the card took in, and the VF */
	uint32_t shown_queues[2];   /* info.queues of the card, of the VF */

	/* Under lock. */
	struct hvk_lock lock;
	struct vf_operation operations[HVK_VF_OPERATIONS_MAX];
	uint32_t operation_count;
	struct hvk_request *unpair_request;
	bool unpair_wanted;
	bool grace_over;            /* or the VF's driver has said that it is done */
	bool counts_vf;             /* the VF's counters are part of the card's */
	struct vf_groups groups[2]; /* multicast groups that the stack wants: of the card, of the VF */

	bool kicked, news, association_news; /* atomic: a turn is due; because a device has news, too */
	bool vf_gone, card_gone;             /* atomic */
	struct hvk_request kick;

	/* Of the turns, but for the state, which others read. */
	enum hvk_vf_state state;
	struct vf_device card, vf;
	uint32_t serial;
	bool settled;
	uint32_t card_attaches; /* that are known of */
	bool card_anew;         /* what was settled was settled with an earlier one */
	struct vf_saved saved;
	uint32_t generation; /* of the association that the VF is active for */
	/* HVK_NETDEV_* flags that the stack wants: of the card, and in separate mode of the VF. Others read
	 * them: atomic. */
	uint32_t card_wish, vf_wish;
	bool unfit; /* the VF did not take the flags that it should have: it must give the frames up */
	uint32_t retry_ms;
	struct hvk_timer grace, retry, drain;
	struct hvk_steps steps;
	struct vf_operation operation;
	enum vf_phase phase; /* of the operation */
	uint32_t undo_mtu, undo_enabled, undo_wish;
	struct hvk_netdev_rss undo_rss;
	hvk_status operation_status;
	hvk_status undo_status; /* the first that failed of what undoes a pairing */
	uint64_t wait_since;
	struct hvk_pass pass;
	struct hvk_netdev_counters past, base; /* of VFs that have left; of this one when it came */
	uint64_t switches, switch_failures, pairings, departures, lost, switch_time;
	hvk_status last_failure;
};

/* --- life.c ----------------------------------------------------------------------------- */

/* A turn, soon, on the card's CPU. Any context but interrupt. */
void hvk_vf_kick(struct hvk_vf *vf);
void hvk_vf_news(struct hvk_vf *vf); /* a device has some: kicks */
void hvk_vf_life_init(struct hvk_vf *vf);
/* Has the card been attached anew? */
void hvk_vf_look_at_attaches(struct hvk_vf *vf);
/* After a failure, each time later; and when something has changed. */
void hvk_vf_retry_later(struct hvk_vf *vf, hvk_status status);
void hvk_vf_retry_now(struct hvk_vf *vf);
/* A look at the frames that a VF still has, a millisecond from now. */
void hvk_vf_drain_again(struct hvk_vf *vf);
/* Ends of sequences: the next turn sees what comes next. */
void hvk_vf_sequence_over(void *device);

/* --- states.c --------------------------------------------------------------------------- */

void hvk_vf_event(struct hvk_vf *vf, enum vf_event event);

/* --- settle.c --------------------------------------------------------------------------- */

extern const struct hvk_sequence hvk_vf_settle_sequence;
/* It was settled with a card that has been attached anew since: to be done again. */
void hvk_vf_unsettle(struct hvk_vf *vf);
/* What the stack may know of the two devices together, told if it has changed. */
void hvk_vf_publish(struct hvk_vf *vf);
/* Steps of putting back. */
bool hvk_vf_has_changed(const void *device);
bool hvk_vf_has_changed_and_is_here(const void *device);
hvk_status hvk_vf_begin_card_enabled_back(void *device);
hvk_status hvk_vf_begin_vf_enabled_back(void *device);
hvk_status hvk_vf_begin_vf_mtu_back(void *device);
hvk_status hvk_vf_begin_vf_rss_back(void *device);
/* Of each of them: for whoever has asked for the VF back. */
hvk_status hvk_vf_undone(void *device, const struct hvk_answer *answer);

/* --- activate.c ------------------------------------------------------------------------- */

extern const struct hvk_sequence hvk_vf_activate_sequence, hvk_vf_deactivate_sequence;
/* The flags that the VF, and the card, are to have while the VF carries the frames. */
uint32_t hvk_vf_flags(const struct hvk_vf *vf);
uint32_t hvk_vf_card_flags(const struct hvk_vf *vf);
/* From where the frames may go by the VF. */
bool hvk_vf_may_be_active(const struct hvk_vf *vf);
/* Those that were told to wait. */
void hvk_vf_tell_ready(struct hvk_vf *vf);

/* --- leave.c ---------------------------------------------------------------------------- */

extern const struct hvk_sequence hvk_vf_leave_sequence;

/* --- operations.c ----------------------------------------------------------------------- */

/* Of the netdevs for the stack. */
void hvk_vf_set_flags(struct hvk_netdev *netdev, uint32_t flags, struct hvk_request *request);
void hvk_vf_set_enabled(struct hvk_netdev *netdev, uint32_t enabled, struct hvk_request *request);
void hvk_vf_set_mtu(struct hvk_netdev *netdev, uint32_t mtu, struct hvk_request *request);
void hvk_vf_set_multicast(struct hvk_netdev *netdev, const uint8_t (*groups)[6], uint32_t count,
			  struct hvk_request *request);
void hvk_vf_set_rss(struct hvk_netdev *netdev, const struct hvk_netdev_rss *rss, struct hvk_request *request);
void hvk_vf_refuse(struct hvk_netdev *netdev, struct hvk_request *request);
struct hvk_vf *hvk_vf_of(struct hvk_netdev *netdev);
bool hvk_vf_operation_take(struct hvk_vf *vf); /* false: none waits */
/* True: it changes what the VF must not carry frames meanwhile for. */
bool hvk_vf_operation_needs_card(const struct hvk_vf *vf);
void hvk_vf_operation_start(struct hvk_vf *vf);
void hvk_vf_operation_finish(struct hvk_vf *vf);
void hvk_vf_operations_cancel(struct hvk_vf *vf, bool separate, hvk_status status);

/* --- netdev.c, separate.c --------------------------------------------------------------- */

extern const struct hvk_netdev_ops hvk_vf_card_face, hvk_vf_separate_face;
void hvk_vf_get_counters(struct hvk_netdev *netdev, struct hvk_netdev_counters *out);
void hvk_vf_subtract_unseen(const struct vf_unseen *unseen, struct hvk_netdev_counters *out);
void hvk_vf_flush(struct hvk_vf *vf); /* of the VF, if it carries the frames */
/* HVK_TX_GONE in *result, and false: the path is not, or not any more, the VF's. */
bool hvk_vf_hand_over(struct hvk_vf *vf, struct hvk_tx_frame *const *frames, uint32_t count, uint32_t *taken,
		      enum hvk_tx_result *result);

/* --- hooks.c, claimed.c ----------------------------------------------------------------- */

/* Takes a device: its hooks become ours, its operations refuse. And back. */
void hvk_vf_claim(struct hvk_vf *vf, struct vf_device *device, struct hvk_netdev *netdev);
void hvk_vf_unclaim_operations(struct vf_device *device);
void hvk_vf_unclaim_hooks(struct vf_device *device);
void hvk_vf_set_hooks(struct hvk_vf *vf, struct vf_device *device);
static inline uint32_t hvk_vf_outstanding(const struct hvk_vf *vf)
{
	return vf->vf.ops->outstanding ? vf->vf.ops->outstanding(vf->vf.netdev) : 0;
}

/* --- Calls to a claimed device ---------------------------------------------------------- */

static inline void vf_device_set_flags(struct vf_device *device, uint32_t flags, struct hvk_request *request)
{
	device->ops->set_flags(device->netdev, flags, request);
}

static inline void vf_device_set_enabled(struct vf_device *device, uint32_t enabled,
					 struct hvk_request *request)
{
	if (device->ops->set_enabled)
		device->ops->set_enabled(device->netdev, enabled, request);
	else
		device->ops->refuse(device->netdev, request);
}

static inline void vf_device_set_mtu(struct vf_device *device, uint32_t mtu, struct hvk_request *request)
{
	if (device->ops->set_mtu)
		device->ops->set_mtu(device->netdev, mtu, request);
	else
		device->ops->refuse(device->netdev, request);
}

static inline void vf_device_set_multicast(struct vf_device *device, const struct vf_groups *groups,
					   struct hvk_request *request)
{
	if (device->ops->set_multicast)
		device->ops->set_multicast(device->netdev, groups->addresses, groups->count, request);
	else
		device->ops->refuse(device->netdev, request);
}

static inline void vf_device_set_rss(struct vf_device *device, const struct hvk_netdev_rss *rss,
				     struct hvk_request *request)
{
	if (device->ops->set_rss)
		device->ops->set_rss(device->netdev, rss, request);
	else
		device->ops->refuse(device->netdev, request);
}

static inline bool vf_device_get_rss(struct vf_device *device, struct hvk_netdev_rss *out)
{
	if (!device->ops->get_rss)
		return false;
	device->ops->get_rss(device->netdev, out);
	return true;
}

/* --- Conditions ------------------------------------------------------------------------- */

static inline uint32_t vf_wish(const uint32_t *wish)
{
	return __atomic_load_n(wish, __ATOMIC_RELAXED);
}

static inline void vf_set_wish(uint32_t *wish, uint32_t flags)
{
	__atomic_store_n(wish, flags, __ATOMIC_RELAXED);
}

static inline bool vf_is_here(const struct hvk_vf *vf)
{
	return vf->vf.netdev != NULL && !__atomic_load_n(&vf->vf_gone, __ATOMIC_SEQ_CST);
}

static inline bool vf_is_active(const struct hvk_vf *vf)
{
	return vf->state == HVK_VF_ACTIVE;
}

/* The VF carries, or is to carry, what the stack says of the card. */
static inline bool vf_follows(const struct hvk_vf *vf)
{
	return vf->config.transparent && vf->settled && vf_is_here(vf);
}

#endif
