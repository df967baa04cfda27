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

/* --- Offloads ------------------------------------------------------------------------
 * info.capabilities says what the device can do for this host, info.enabled what of it is
 * switched on. */

/* The device fills in the checksum that a frame asks for (HVK_TX_CHECKSUM_*): of the IPv4
 * header, of TCP and UDP over IPv4, of TCP and UDP over IPv6. */
#define HVK_NETDEV_TX_IPV4 (1u << 0)
#define HVK_NETDEV_TX_TCP4 (1u << 1)
#define HVK_NETDEV_TX_UDP4 (1u << 2)
#define HVK_NETDEV_TX_TCP6 (1u << 3)
#define HVK_NETDEV_TX_UDP6 (1u << 4)
/* Received frames say whether these checksums were right (HVK_RX_*). */
#define HVK_NETDEV_RX_IPV4 (1u << 5)
#define HVK_NETDEV_RX_TCP4 (1u << 6)
#define HVK_NETDEV_RX_UDP4 (1u << 7)
#define HVK_NETDEV_RX_TCP6 (1u << 8)
#define HVK_NETDEV_RX_UDP6 (1u << 9)
/* The device cuts a long TCP segment into many (HVK_TX_TSO); includes the checksums of
 * what it makes. */
#define HVK_NETDEV_TSO4 (1u << 10)
#define HVK_NETDEV_TSO6 (1u << 11)
/* Received TCP segments of one flow may come joined (HVK_RX_JOINED). */
#define HVK_NETDEV_LRO (1u << 12)
/* A VLAN tag travels beside the frame, not in it: to the device, from the device. */
#define HVK_NETDEV_TX_VLAN (1u << 13)
#define HVK_NETDEV_RX_VLAN (1u << 14)
/* Received frames are spread over the queues by a hash of their flow. */
#define HVK_NETDEV_RSS (1u << 15)
#define HVK_NETDEV_ALL_OFFLOADS 0xffffu
#define HVK_NETDEV_TX_CHECKSUMS 0x001fu
#define HVK_NETDEV_RX_CHECKSUMS 0x03e0u

/* Traits of a device, for whoever pairs one with another (vf.h). */
#define HVK_NETDEV_STACKED (1u << 0)   /* a bond, bridge or VLAN on top of other devices */
#define HVK_NETDEV_OWN_QUEUE (1u << 1) /* takes frames only into a queue of its own: never HVK_TX_BUSY */

struct hvk_netdev_info {
	uint8_t mac[6];
	uint32_t mtu;        /* without the Ethernet header, 68 to 65521 */
	uint32_t mtu_max;    /* the most that set_mtu may ask for */
	uint32_t frame_max;  /* mtu + 14; a frame with HVK_TX_TSO may be longer */
	uint64_t link_speed; /* bit/s; 0 = not known */
	bool link_up;
	uint32_t capabilities, enabled; /* HVK_NETDEV_TX_* to _RSS */
	uint32_t flags;                 /* HVK_NETDEV_UP, ... */
	/* Limits of HVK_TX_TSO: bytes of TCP payload in one frame (0 = no segmentation), pieces of
	 * memory, and the fewest segments that it may make, if not one alone. */
	uint32_t tso_bytes_max, tso_pieces_max, tso_segments_min;
	uint32_t queues;         /* queues in use, each one way and the other; 1 or more */
	uint32_t rss_table_size; /* entries of the indirection table; 0 = no RSS */
	uint32_t rss_types;      /* HVK_RSS_*: hashes that the device can compute */
	uint32_t traits;         /* HVK_NETDEV_STACKED, ... */
};

/* --- Frames to send ------------------------------------------------------------------ */

/* Compute the checksum of the IPv4 header; its field is 0 or anything. */
#define HVK_TX_CHECKSUM_IPV4 (1u << 0)
/* Compute the checksum of TCP or of UDP; its field is 0 or anything, the driver writes there
 * what its host wants to find. */
#define HVK_TX_CHECKSUM_TCP (1u << 1)
#define HVK_TX_CHECKSUM_UDP (1u << 2)
/* Cut into segments of segment_size bytes of TCP payload, each with its headers no longer than the
 * MTU. Implies HVK_TX_CHECKSUM_TCP, and _IPV4 for IPv4. Lengths in the IP header are anything. */
#define HVK_TX_TSO (1u << 3)
#define HVK_TX_VLAN (1u << 4) /* vlan_tag is valid */
#define HVK_TX_HASH (1u << 5) /* hash is valid */
/* Another frame of this queue follows at once: the driver may keep this one, to send them
 * together, until a frame without this comes, hvk_netdev_flush, or the end of the hvk_poll of the
 * queue's CPU, whichever is first. */
#define HVK_TX_MORE (1u << 6)

/* A frame to send. The caller owns it and the memory of its pieces; while taken it
 * is the driver's, until done runs (in hvk_poll), once. Zeros behind next: a plain frame, of which
 * all checksums are there.
 *
 * With HVK_TX_CHECKSUM_* or _TSO the headers are looked at: they must lie in pieces that have an
 * address, within the first 192 bytes, and the driver writes into them (lengths and pseudo-header
 * sums) only in copies of its own. What the device cannot do (a frame may have been made before a
 * change of info.enabled) the driver does: a checksum, a tag; a segmentation is refused
 * (HVK_TX_GONE), and so are one beyond info's limits and a checksum of TCP or UDP in a fragment. */
struct hvk_tx_frame {
	const struct hvk_buffer *pieces;
	uint32_t piece_count; /* 1 to HVK_PACKET_RANGES_MAX - 2 */
	uint32_t length;      /* sum of the pieces, 14 to frame_max */
	void (*done)(struct hvk_tx_frame *frame, hvk_status status, void *context);
	void *context;
	struct hvk_tx_frame *next; /* the driver's while taken */
	uint32_t flags;            /* HVK_TX_* */
	uint16_t vlan_tag;         /* priority << 13 | DEI << 12 | id */
	uint16_t segment_size;     /* of TCP payload */
	uint32_t hash;             /* of the flow: chooses the queue. Without one: of the sending CPU */
	uint16_t network_offset;   /* of the IP header from the frame's first byte; 0 = 14 */
	uint16_t transport_offset; /* of the TCP or UDP header; 0 = the driver looks for it */
};

enum hvk_tx_result {
	/* The driver has it: done will run, before or after the call returns (on another
	 * CPU), never inside it. */
	HVK_TX_TAKEN,
	HVK_TX_BUSY, /* no room: the caller keeps it, tx_ready will be called */
	HVK_TX_GONE  /* no device, not up, or the frame cannot be sent: the caller keeps it */
};

/* --- Received frames ----------------------------------------------------------------- */

/* The checksum was looked at and was right, or was wrong. Neither: nobody has looked. */
#define HVK_RX_IPV4_GOOD (1u << 0)
#define HVK_RX_IPV4_BAD (1u << 1)
#define HVK_RX_TCP_GOOD (1u << 2)
#define HVK_RX_TCP_BAD (1u << 3)
#define HVK_RX_UDP_GOOD (1u << 4)
#define HVK_RX_UDP_BAD (1u << 5)
#define HVK_RX_VLAN (1u << 6) /* vlan_tag is valid, and not in the frame */
#define HVK_RX_HASH (1u << 7) /* hash and hash_type are valid */
/* Several TCP segments as one frame, longer than the MTU; segments says how many at least. */
#define HVK_RX_JOINED (1u << 8)

/* A received frame. owner NULL: a private copy, valid only during the input hook's
 * call. Otherwise it is lent (hvk_netvsc_config.rx_borrow): data lies in memory that the
 * host can still write, whoever reads it trusts the host; it is the receiver's until
 * hvk_netdev_release(netdev, owner), which must come, before the device is detached. */
struct hvk_rx_frame {
	const uint8_t *data;
	uint32_t length;
	void *owner;
	uint32_t flags; /* HVK_RX_* */
	uint32_t hash;
	uint32_t hash_type; /* one of HVK_RSS_* */
	uint16_t vlan_tag;  /* priority << 13 | DEI << 12 | id */
	uint16_t queue;
	uint32_t segments; /* 1 if not joined */
};

/* What the user above sets. Called in hvk_poll: input, burst_end and tx_ready on the CPU of the
 * queue, so several CPUs at once if there are several queues; the others on the CPU of queue 0. */
struct hvk_netdev_hooks {
	void (*input)(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame);
	/* There is room again for frames that were answered HVK_TX_BUSY. */
	void (*tx_ready)(void *context, struct hvk_netdev *netdev);
	void (*link_changed)(void *context, struct hvk_netdev *netdev, bool up);
	/* The host took the device away, or its ring contradicts itself: nothing more will
	 * come. Once; detach it and forget it. */
	void (*gone)(void *context, struct hvk_netdev *netdev);
	void *context;
	/* No more frames of this queue for now: the time to hand up what was gathered, and to
	 * answer it. May be NULL. */
	void (*burst_end)(void *context, struct hvk_netdev *netdev, uint32_t queue);
	/* info changed otherwise than by a request: capabilities, speed, queues. May be NULL. */
	void (*info_changed)(void *context, struct hvk_netdev *netdev);
};

/* --- Receive-side scaling ------------------------------------------------------------- */

#define HVK_RSS_KEY_SIZE 40u
#define HVK_RSS_TABLE_MAX 128u
#define HVK_RSS_IPV4 (1u << 8) /* the values are those of NDIS */
#define HVK_RSS_TCP4 (1u << 9)
#define HVK_RSS_IPV6 (1u << 10)
#define HVK_RSS_IPV6_EX (1u << 11)
#define HVK_RSS_TCP6 (1u << 12)
#define HVK_RSS_TCP6_EX (1u << 13)
#define HVK_RSS_UDP4 (1u << 14)
#define HVK_RSS_UDP6 (1u << 15)
#define HVK_RSS_UDP6_EX (1u << 16)

struct hvk_netdev_rss {
	uint32_t types; /* HVK_RSS_*, of info.rss_types; 0: no hash, all to queue 0 */
	uint8_t key[HVK_RSS_KEY_SIZE];
	/* Queue of a frame: table[hash % info.rss_table_size]. Entries beyond are not looked at. */
	uint16_t table[HVK_RSS_TABLE_MAX];
};

/* The hash itself, for whoever must agree with the device: of length (at most 36) bytes of
 * addresses and ports in the order of the packet. */
uint32_t hvk_toeplitz(const uint8_t key[HVK_RSS_KEY_SIZE], const uint8_t *input, uint32_t length);

/* --- Counters ------------------------------------------------------------------------- */

/* Of the device, or of one queue. */
struct hvk_netdev_counters {
	uint64_t rx_frames, rx_bytes, rx_dropped, rx_faults;
	uint64_t tx_frames, tx_bytes, tx_busy, tx_errors;
	uint64_t tx_copied;      /* by send-buffer section */
	uint64_t tx_by_page;     /* by page list */
	uint64_t status_ignored; /* RNDIS status messages that mean nothing to us */
	uint64_t rx_copied;      /* bytes of received frames that were copied */
	uint64_t rx_lent;        /* frames lent; those beyond the limit are copied instead */
	/* Of rx_dropped: not up; longer than the MTU allows; a multicast group nobody asked for;
	 * a joined frame that misses a part. */
	uint64_t rx_not_up, rx_too_long, rx_other_group, rx_incomplete;
	uint64_t rx_checksum_good, rx_checksum_bad; /* frames about which the host said so */
	uint64_t rx_joined, rx_segments;            /* joined frames, and of how many segments */
	uint64_t rx_tagged, rx_hashed;
	uint64_t rx_packets, rx_completions; /* ring packets with frames, and batches of answers */
	/* Of tx_busy: no section or header free; the ring is full. */
	uint64_t tx_no_slot, tx_ring_full;
	uint64_t tx_packets;     /* ring packets; tx_frames / tx_packets are sent together */
	uint64_t tx_checksummed; /* by the device */
	uint64_t tx_in_software; /* checksums and tags that the driver did itself */
	uint64_t tx_segmented;   /* frames with HVK_TX_TSO */
	uint64_t tx_tagged;
	uint64_t tx_refused; /* of tx_errors: completed by the host with a failure */
};

/* --- The device ----------------------------------------------------------------------- */

struct hvk_netdev_ops {
	enum hvk_tx_result (*transmit)(struct hvk_netdev *netdev, struct hvk_tx_frame *frame);
	/* Sets flags (HVK_NETDEV_*): up or down, all-multicast, promiscuous. */
	void (*set_flags)(struct hvk_netdev *netdev, uint32_t flags, struct hvk_request *request);
	void (*get_counters)(struct hvk_netdev *netdev, struct hvk_netdev_counters *out);
	/* Gives a lent frame back. NULL if the device lends none. */
	void (*release)(struct hvk_netdev *netdev, void *owner);
	/* Sends what HVK_TX_MORE held back. NULL: nothing ever is. */
	void (*flush)(struct hvk_netdev *netdev);
	/* The control operations below. NULL: the device has no such thing (HVK_ENOTSUP). */
	void (*set_enabled)(struct hvk_netdev *netdev, uint32_t enabled, struct hvk_request *request);
	void (*set_mtu)(struct hvk_netdev *netdev, uint32_t mtu, struct hvk_request *request);
	void (*set_multicast)(struct hvk_netdev *netdev, const uint8_t (*groups)[6], uint32_t count,
			      struct hvk_request *request);
	void (*set_rss)(struct hvk_netdev *netdev, const struct hvk_netdev_rss *rss,
			struct hvk_request *request);
	void (*get_rss)(struct hvk_netdev *netdev, struct hvk_netdev_rss *out);
	/* NULL if there is but one queue. */
	void (*get_queue_counters)(struct hvk_netdev *netdev, uint32_t queue,
				   struct hvk_netdev_counters *out);
	/* NULL: transmit is called for each. */
	uint32_t (*transmit_many)(struct hvk_netdev *netdev, struct hvk_tx_frame *const *frames,
				  uint32_t count, enum hvk_tx_result *result);
	/* Frames that were taken and are not done. NULL: not known. */
	uint32_t (*outstanding)(struct hvk_netdev *netdev);
	/* Finishes a request with HVK_ENOTSUP, for whoever calls an operation that is NULL. */
	void (*refuse)(struct hvk_netdev *netdev, struct hvk_request *request);
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

/* Sends what HVK_TX_MORE held back, of all queues. Task context or callback, any CPU. */
static inline void hvk_netdev_flush(struct hvk_netdev *netdev)
{
	if (netdev->ops->flush)
		netdev->ops->flush(netdev);
}

/* Hands the driver frames in order, as if each but the last had HVK_TX_MORE: the host is told of all of
 * them at once, and nothing is held back afterwards. Returns how many were taken. If not all, *result is
 * what became of the next one: HVK_TX_BUSY, HVK_TX_GONE. Task context or callback, any CPU. */
static inline uint32_t hvk_netdev_transmit_many(struct hvk_netdev *netdev, struct hvk_tx_frame *const *frames,
						uint32_t count, enum hvk_tx_result *result)
{
	uint32_t taken = 0;

	if (netdev->ops->transmit_many)
		return netdev->ops->transmit_many(netdev, frames, count, result);
	*result = HVK_TX_TAKEN;
	while (taken < count && *result == HVK_TX_TAKEN) {
		*result = netdev->ops->transmit(netdev, frames[taken]);
		taken += *result == HVK_TX_TAKEN;
	}
	hvk_netdev_flush(netdev);
	return taken;
}

/* Each of the following finishes in hvk_poll with HVK_OK, HVK_ETIMEDOUT_RNDIS_SET,
 * HVK_EREFUSED_RNDIS (nothing has changed), HVK_EGONE, HVK_ECANCELED (detached meanwhile),
 * HVK_ESTATE (not attached), HVK_EBUSY (too many wait), HVK_EINVAL (values that are out of range or
 * unknown), HVK_ENOTSUP (not with this device). They are done in the order of the calls.
 * Any CPU; task context or callback. */
static inline void hvk_netdev_set_flags(struct hvk_netdev *netdev, uint32_t flags,
					struct hvk_request *request)
{
	netdev->ops->set_flags(netdev, flags, request);
}

/* Switches offloads on and off; enabled must be part of info.capabilities. */
static inline void hvk_netdev_set_enabled(struct hvk_netdev *netdev, uint32_t enabled,
					  struct hvk_request *request)
{
	if (netdev->ops->set_enabled)
		netdev->ops->set_enabled(netdev, enabled, request);
	else
		netdev->ops->refuse(netdev, request);
}

/* 68 to info.mtu_max. The device may have to be taken down and brought up again with all its
 * settings: frames that are with it are done with HVK_ECANCELED or HVK_OK, transmit is busy
 * meanwhile, lent frames must come back, nothing else is noticed above. On failure the old MTU
 * stays. If even that cannot be had again, gone is called. */
static inline void hvk_netdev_set_mtu(struct hvk_netdev *netdev, uint32_t mtu, struct hvk_request *request)
{
	if (netdev->ops->set_mtu)
		netdev->ops->set_mtu(netdev, mtu, request);
	else
		netdev->ops->refuse(netdev, request);
}

/* The multicast groups to receive, in place of those before; at most HVK_NETDEV_GROUPS_MAX, copied.
 * A device may take others in too; what it lets through beyond is dropped by the driver. */
#define HVK_NETDEV_GROUPS_MAX 64u
static inline void hvk_netdev_set_multicast(struct hvk_netdev *netdev, const uint8_t (*groups)[6],
					    uint32_t count, struct hvk_request *request)
{
	if (netdev->ops->set_multicast)
		netdev->ops->set_multicast(netdev, groups, count, request);
	else
		netdev->ops->refuse(netdev, request);
}

/* Types, key and table at once; copied. Entries of the table are below info.queues. */
static inline void hvk_netdev_set_rss(struct hvk_netdev *netdev, const struct hvk_netdev_rss *rss,
				      struct hvk_request *request)
{
	if (netdev->ops->set_rss)
		netdev->ops->set_rss(netdev, rss, request);
	else
		netdev->ops->refuse(netdev, request);
}

/* As set last, or as the driver began with. False: the device has no such thing, out is untouched. Task
 * context or callback. */
static inline bool hvk_netdev_get_rss(struct hvk_netdev *netdev, struct hvk_netdev_rss *out)
{
	if (!netdev->ops->get_rss)
		return false;
	netdev->ops->get_rss(netdev, out);
	return true;
}

/* Task context or callback. */
static inline void hvk_netdev_get_counters(struct hvk_netdev *netdev, struct hvk_netdev_counters *out)
{
	netdev->ops->get_counters(netdev, out);
}

/* Of one queue, below info.queues. Task context or callback. */
static inline void hvk_netdev_get_queue_counters(struct hvk_netdev *netdev, uint32_t queue,
						 struct hvk_netdev_counters *out)
{
	if (netdev->ops->get_queue_counters)
		netdev->ops->get_queue_counters(netdev, queue, out);
	else
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
