/* SPDX-License-Identifier: MIT */
/*
 * The network card's host side (netvsp) and what it can be plugged into.
 *
 * A backend is where frames go. netvsp calls transmit for each frame of the guest;
 * whoever has a frame for the guest calls hvh_nic_receive.
 */
#ifndef HVKIT_HOST_NETWORK_H
#define HVKIT_HOST_NETWORK_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvh_nic;

struct hvh_backend {
	void *context;
	/* A frame of the guest's, 14 bytes or more, borrowed for the call. Must not call
	 * hvh_nic_receive from inside: queue instead. */
	void (*transmit)(void *context, const void *frame, uint32_t length);
	/* No more frames follow for now: the time to wake whoever takes them. May be NULL. */
	void (*flush)(void *context);
	/* Instead of transmit, with the number of the guest's queue that sent it; may be NULL. */
	void (*transmit_from)(void *context, uint32_t queue, const void *frame, uint32_t length);
	/* A frame for the guest that hvh_nic_receive has just taken; for those who watch. May be NULL. */
	void (*taken)(void *context, const void *frame, uint32_t length);
	/* The card's link, when it changes, and at the card's creation if it is down then. May be NULL. */
	void (*link)(void *context, bool up);
};

/* What the card can do beyond sending and receiving, as bits to leave out. What is there
 * otherwise is the profile's (an older host has no RSC, ...). The model does all of it itself: a
 * backend sees whole frames of at most the MTU with right checksums, and gives such. */
#define HVH_NIC_NO_TX_CHECKSUM (1u << 0)
#define HVH_NIC_NO_RX_CHECKSUM (1u << 1)
#define HVH_NIC_NO_LSO (1u << 2)
#define HVH_NIC_NO_RSC (1u << 3)
#define HVH_NIC_NO_VLAN (1u << 4) /* tags stay in the frames */
#define HVH_NIC_NO_RSS (1u << 5)  /* and no sub-channels */
#define HVH_NIC_NO_IPV6 (1u << 6) /* none of the above for IPv6 */
#define HVH_NIC_NO_UDP (1u << 7)  /* no checksums of UDP */
#define HVH_NIC_NO_OFFLOADS 0xffu

struct hvh_nic_config {
	uint8_t mac[6];
	uint8_t instance[16]; /* GUID as on the wire; zeros = made from the seed */
	uint32_t mtu_max;     /* 0 = 9000 */
	bool link_up;         /* at start */
	uint32_t queues_max;  /* 0 = 64; 1 = no sub-channels */
	uint32_t without;     /* HVH_NIC_NO_* */
	uint64_t link_speed;  /* bit/s; 0 = 10^10 */
};

/* Offers a network card now (or, before REQUEST_OFFERS, with the others). The
 * backend is copied. NULL if there is no room. It lives until the partition does. */
struct hvh_nic *hvh_nic_create(struct hvh_partition *partition, const struct hvh_nic_config *config,
			       const struct hvh_backend *backend);

/* A frame for the guest. Returns false if it was dropped (filter off, no link, no
 * room: counted). At most HVH_NIC_QUEUE frames wait: where the guest has several queues, half of
 * these places are divided among them, so that one that takes none does not hold up the others. */
#ifndef HVH_NIC_QUEUE /* the fuzz targets build with a short one */
#define HVH_NIC_QUEUE 1024u
#endif
bool hvh_nic_receive(struct hvh_nic *nic, uint64_t now, const void *frame, uint32_t length);
/* Frames that are sure to find a place, whichever queue they are for; a backend that must not lose
 * frames looks first. Of several queues one that has been full for long does not count: frames for it
 * are dropped. */
uint32_t hvh_nic_room(const struct hvh_nic *nic, uint64_t now);
/* By device name ("net0"); NULL if that is no network card. */
struct hvh_nic *hvh_nic_find(struct hvh_partition *partition, const char *name);
void hvh_nic_set_link(struct hvh_nic *nic, uint64_t now, bool up);
/* Tells the guest RNDIS_STATUS_NETWORK_CHANGE, as after a move to another switch. */
void hvh_nic_network_change(struct hvh_nic *nic, uint64_t now);
/* Bit/s; tells the guest. */
void hvh_nic_set_speed(struct hvh_nic *nic, uint64_t now, uint64_t bits_per_second);
void hvh_nic_rescind(struct hvh_nic *nic, uint64_t now);
void hvh_nic_offer_again(struct hvh_nic *nic, uint64_t now);
/* Takes one sub-channel back, for good while the primary is open. False: that queue is none, or not
 * open. */
bool hvh_nic_rescind_queue(struct hvh_nic *nic, uint64_t now, uint32_t queue);

/* Raw RNDIS messages to the guest as the ranges of one transfer-page packet, exactly
 * as given, for tests of malformed messages: sizes[n] bytes each, one after another. */
bool hvh_nic_inject(struct hvh_nic *nic, uint64_t now, const void *messages, const uint32_t *sizes,
		    uint32_t count);

struct hvh_nic_counters {
	uint64_t to_guest_frames, to_guest_bytes, from_guest_frames, from_guest_bytes;
	uint64_t dropped_filter, dropped_link, dropped_queue;
	uint64_t transfer_packets, sections_used, page_lists_used;
	uint64_t rndis_messages; /* frames of the guest's before segmentation */
	uint64_t checksums_made, checksums_checked, segments_made, joined, tags_in, tags_out;
	uint64_t hashed;
	uint64_t checksums_wrong; /* in frames of the guest's that asked for none */
};
/* The channels that the guest has open, and what went over each; queue 0 is the primary. */
uint32_t hvh_nic_queues(const struct hvh_nic *nic);
struct hvh_nic_queue_counters {
	uint64_t to_guest_frames, from_guest_frames, transfer_packets, packets, dropped;
};
bool hvh_nic_get_queue_counters(const struct hvh_nic *nic, uint32_t queue,
				struct hvh_nic_queue_counters *out);
void hvh_nic_get_counters(const struct hvh_nic *nic, struct hvh_nic_counters *out);

/* --- The simulated wire ------------------------------------------------------------
 * One peer that answers: ARP, DHCP (10.7.0.0/24, the peer is 10.7.0.1, the guest gets
 * 10.7.0.15), ICMP echo, and hvkit's own test protocol (EtherType 0x88B5): a frame of
 * that type is echoed with addresses exchanged; and numbered frames are sent on
 * request. No threads, no clock: hvh_simwire_run delivers what is due. */
struct hvh_simwire;
struct hvh_simwire *hvh_simwire_create(uint64_t seed);
void hvh_simwire_destroy(struct hvh_simwire *wire);
void hvh_simwire_backend(struct hvh_simwire *wire, struct hvh_backend *out);
void hvh_simwire_attach(struct hvh_simwire *wire, struct hvh_nic *nic);
bool hvh_simwire_run(struct hvh_simwire *wire, uint64_t now); /* true: more is due */
uint64_t hvh_simwire_next_event(const struct hvh_simwire *wire);
/* Round-trip delay 0 to max, in 100 ns, from the seed. 0 at start. */
void hvh_simwire_set_delay(struct hvh_simwire *wire, uint64_t max);
/* Sends count numbered frames of EtherType 0x88B5 to the guest: after the header a
 * u32 0x48564b54, u32 stream, u32 number (little-endian, from 0), then bytes
 * (uint8_t)(number + position), position counted from the frame's first byte. length is
 * the whole frame's. The guest's address is learnt from its frames; before, they are
 * broadcast. */
void hvh_simwire_send_numbered(struct hvh_simwire *wire, uint32_t stream, uint32_t count, uint32_t length);

/* --- User-mode networking (libslirp) -------------------------------------------------
 * DHCP, DNS, NAT, TFTP without root: guest 10.0.2.15, gateway 10.0.2.2, name server
 * 10.0.2.3. All instances of a process run in one thread of its own. The user's
 * loopback is closed but for the ports asked for. */
#define HVH_SLIRP_PORTS_MAX 16u
struct hvh_slirp_config {
	uint16_t loopback_tcp[HVH_SLIRP_PORTS_MAX]; /* reachable at 10.0.2.2; 0 ends the list */
	uint16_t loopback_udp[HVH_SLIRP_PORTS_MAX];
	const char *tftp_directory; /* served at 10.0.2.2, or NULL */
	const char *boot_file;      /* DHCP option, or NULL */
	bool restricted;            /* no way out but the ports above */
};
struct hvh_slirp;
/* lock and unlock guard the partition: the thread takes the lock around
 * hvh_nic_receive; transmit is called with it held. now gives the partition's time.
 * create and destroy wait for that thread: never call them with the lock held. destroy
 * comes before the partition's.
 * NULL with a line in error (of error_size bytes) if it cannot. */
struct hvh_slirp_lock {
	void *context;
	void (*lock)(void *context);
	void (*unlock)(void *context);
	uint64_t (*now)(void *context);
};
struct hvh_slirp *hvh_slirp_create(const struct hvh_slirp_config *config, const struct hvh_slirp_lock *lock,
				   char *error, size_t error_size);
void hvh_slirp_destroy(struct hvh_slirp *slirp);
void hvh_slirp_backend(struct hvh_slirp *slirp, struct hvh_backend *out);
void hvh_slirp_attach(struct hvh_slirp *slirp, struct hvh_nic *nic);
uint64_t hvh_slirp_refused(const struct hvh_slirp *slirp); /* frames to closed loopback ports */
uint64_t hvh_slirp_dropped(const struct hvh_slirp *slirp); /* frames lost for want of room, both ways */

/* --- A TAP interface of Linux ----------------------------------------------------------
 * Frames go to and come from the kernel. An interface of that name is used as it is; if there is
 * none one is made, brought up, and gone in the end (CAP_NET_ADMIN). Frames that the card has no room
 * for wait in the kernel, up to the interface's queue length. The card's link is the interface's carrier;
 * an interface that somebody removes takes the card's link down. One thread of its own; the lock is used
 * as by libslirp, transmit writes to the kernel with it held. */
struct hvh_tap_config {
	const char *name;  /* of the interface; NULL = hvkit0 or the next that is free */
	const char *netns; /* a name under /run/netns, or a path; NULL = ours */
	uint32_t queues;   /* 0 = 1; at most 64; the guest's queue n uses the n-th, round and round */
	uint32_t mtu;      /* set on the interface; 0 = left as it is */
};
struct hvh_tap;
/* NULL with a line in error if it cannot. */
struct hvh_tap *hvh_tap_create(const struct hvh_tap_config *config, const struct hvh_slirp_lock *lock,
			       char *error, size_t error_size);
/* Waits for the thread: never with the lock held; before the partition's end. */
void hvh_tap_destroy(struct hvh_tap *tap);
void hvh_tap_backend(struct hvh_tap *tap, struct hvh_backend *out);
void hvh_tap_attach(struct hvh_tap *tap, struct hvh_nic *nic);
const char *hvh_tap_name(const struct hvh_tap *tap);
/* Frames lost: from the guest because the kernel would not take them (the interface is down), for the
 * guest because its queue in the kernel was full. */
uint64_t hvh_tap_dropped(const struct hvh_tap *tap);

/* --- Capture ---------------------------------------------------------------------------
 * A backend that writes every frame to an ordinary pcapng file (link type Ethernet) and hands it on
 * to another. Inbound is what the guest's card takes, outbound what it sends. */
struct hvh_capture;
/* Takes over the path's file; now(context) gives the partition's time. NULL with a line in error if the
 * file cannot be written. */
struct hvh_capture *hvh_capture_create(const char *path, uint64_t (*now)(void *context), void *context,
				       char *error, size_t error_size);
/* In place of inner: what the guest sends, and what it is given, is written and goes on to inner. */
void hvh_capture_backend(struct hvh_capture *capture, const struct hvh_backend *inner,
			 struct hvh_backend *out);
/* All that was captured is in the file; false if some of it could not be written. Under the partition's
 * lock. */
bool hvh_capture_flush(struct hvh_capture *capture);
void hvh_capture_destroy(struct hvh_capture *capture);

#ifdef __cplusplus
}
#endif
#endif
