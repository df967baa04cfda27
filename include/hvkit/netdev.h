/* SPDX-License-Identifier: MIT */
/*
 * netdev: the small interface that every network driver here offers upward.
 *
 * Frames are Ethernet frames without check sequence. Control operations are
 * requests: they finish in hvk_poll and have a bound of their own.
 */
#ifndef HVKIT_NETDEV_H
#define HVKIT_NETDEV_H

#include "hvkit.h"
#include "vmbus.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvk_netdev;

#define HVK_NETDEV_UP (1u << 0)
#define HVK_NETDEV_ALL_MULTICAST (1u << 1)
#define HVK_NETDEV_PROMISCUOUS (1u << 2)

/* What the device can do, and what of it is switched on. None yet: checksum,
 * segmentation and VLAN come with the offloads. */
struct hvk_netdev_info {
	uint8_t mac[6];
	uint32_t mtu;        /* without the Ethernet header, 68 to 65521 */
	uint32_t frame_max;  /* mtu + 14 */
	uint64_t link_speed; /* bit/s; 0 = not known */
	bool link_up;
	uint32_t capabilities, enabled;
	uint32_t flags;         /* HVK_NETDEV_* */
	uint32_t tso_bytes_max; /* 0 = no segmentation */
};

/* A frame to send. The caller owns it and the memory of its pieces; while taken it
 * is the driver's, until done runs (in hvk_poll), once. */
struct hvk_tx_frame {
	const struct hvk_buffer *pieces;
	uint32_t piece_count; /* 1 to HVK_PACKET_RANGES_MAX - 2 */
	uint32_t length;      /* sum of the pieces, 14 to frame_max */
	void (*done)(struct hvk_tx_frame *frame, hvk_status status, void *context);
	void *context;
	struct hvk_tx_frame *next; /* the driver's while taken */
};

enum hvk_tx_result {
	/* The driver has it: done will run, before or after the call returns (on another
	 * CPU), never inside it. */
	HVK_TX_TAKEN,
	HVK_TX_BUSY, /* no room: the caller keeps it, tx_ready will be called */
	HVK_TX_GONE  /* no device, not up, or the frame cannot be sent: the caller keeps it */
};

/* A received frame. owner NULL: a private copy, valid only during the input hook's
 * call. Otherwise it is lent (hvk_netvsc_config.rx_borrow): data lies in memory that the
 * host can still write, whoever reads it trusts the host; it is the receiver's until
 * hvk_netdev_release(netdev, owner), which must come, before the device is detached. */
struct hvk_rx_frame {
	const uint8_t *data;
	uint32_t length;
	void *owner;
};

/* What the user above sets. Called in hvk_poll of the channel's CPU. */
struct hvk_netdev_hooks {
	void (*input)(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame);
	void (*tx_ready)(void *context, struct hvk_netdev *netdev);
	void (*link_changed)(void *context, struct hvk_netdev *netdev, bool up);
	/* The host took the device away, or its ring contradicts itself: nothing more will
	 * come. Once; detach it and forget it. */
	void (*gone)(void *context, struct hvk_netdev *netdev);
	void *context;
};

struct hvk_netdev_counters {
	uint64_t rx_frames, rx_bytes, rx_dropped, rx_faults;
	uint64_t tx_frames, tx_bytes, tx_busy, tx_errors;
	uint64_t tx_copied;      /* by send-buffer section */
	uint64_t tx_by_page;     /* by page list */
	uint64_t status_ignored; /* RNDIS status messages that mean nothing to us */
	uint64_t rx_copied;      /* bytes of received frames that were copied */
	uint64_t rx_lent;        /* frames lent; those beyond the limit are copied instead */
};

struct hvk_netdev_ops {
	enum hvk_tx_result (*transmit)(struct hvk_netdev *netdev, struct hvk_tx_frame *frame);
	/* Sets flags (HVK_NETDEV_*): up or down, all-multicast, promiscuous. */
	void (*set_flags)(struct hvk_netdev *netdev, uint32_t flags, struct hvk_request *request);
	void (*get_counters)(struct hvk_netdev *netdev, struct hvk_netdev_counters *out);
	/* Gives a lent frame back. NULL if the device lends none. */
	void (*release)(struct hvk_netdev *netdev, void *owner);
};

struct hvk_netdev {
	const struct hvk_netdev_ops *ops; /* the driver's */
	struct hvk_netdev_hooks hooks;    /* the user's to set while the device is not up */
	struct hvk_netdev_info info;      /* read only above; changes in hvk_poll */
};

/* Hands the driver a frame. Task context or callback, any CPU. */
static inline enum hvk_tx_result hvk_netdev_transmit(struct hvk_netdev *netdev, struct hvk_tx_frame *frame)
{
	return netdev->ops->transmit(netdev, frame);
}

/* Finishes with HVK_OK, HVK_ETIMEDOUT_RNDIS_SET, HVK_EREFUSED_RNDIS, HVK_EGONE,
 * HVK_ECANCELED (detached meanwhile), HVK_ESTATE (not attached), HVK_EBUSY (too many
 * wait), HVK_EINVAL (unknown flags). Any CPU. */
static inline void hvk_netdev_set_flags(struct hvk_netdev *netdev, uint32_t flags,
					struct hvk_request *request)
{
	netdev->ops->set_flags(netdev, flags, request);
}

/* Task context or callback. */
static inline void hvk_netdev_get_counters(struct hvk_netdev *netdev, struct hvk_netdev_counters *out)
{
	netdev->ops->get_counters(netdev, out);
}

/* Gives a lent frame back, in any order. Task context or callback, any CPU. */
static inline void hvk_netdev_release(struct hvk_netdev *netdev, void *owner)
{
	netdev->ops->release(netdev, owner);
}

#ifdef __cplusplus
}
#endif
#endif
