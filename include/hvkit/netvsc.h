/* SPDX-License-Identifier: MIT */
/*
 * netvsc: the synthetic network card. One hvk_netvsc per primary channel of type
 * VMBUS_GUID_NETVSC; it offers a netdev.
 *
 *   struct hvk_netvsc *nic;
 *   hvk_netvsc_create(channel, &config, &nic);
 *   hvk_netvsc_attach(nic, &request);       open, NVS, RNDIS, MAC, MTU, link; filter 0
 *   hvk_netdev_set_flags(hvk_netvsc_netdev(nic), HVK_NETDEV_UP, &request);
 *   ...
 *   hvk_netvsc_detach(nic, &request);       filter 0, HALT, revoke, close, GPADLs
 *   hvk_netvsc_destroy(nic);
 *
 * Receive: each range of a transfer-page packet is exactly one RNDIS message. The
 * length in the RNDIS header is read by nothing (Windows Server 2012 R2 sends
 * lengths that do not cover the message; iPXE 639632b05).
 */
#ifndef HVKIT_NETVSC_H
#define HVKIT_NETVSC_H

#include "netdev.h"
#include "wire/nvs.h"
#include "wire/rndis.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvk_netvsc;

struct hvk_netvsc_config {
	uint32_t cpu;        /* of the channel; 0 below VMBus 2.4 */
	uint32_t ring_pages; /* each direction; 0 = 64 */
	/* 0 = 512 (2 MiB); 16 (64 KiB, in which hosts have room for messages of theirs and some
	 * frames) to 8190, up to NVS 2 at most 3840 (15 MiB). */
	uint32_t receive_buffer_pages;
	uint32_t send_buffer_pages; /* 0 = 256 (1 MiB); HVK_NETVSC_NO_SEND_BUFFER: none, all by page list */
	uint32_t mtu;               /* asked for, 0 = 1500; what the host grants is in netdev info */
	uint32_t copy_max;          /* frames up to this go by send-buffer section; 0 = all that fit */
	uint32_t nvs_newest;        /* 0 = NVS_VERSION_6_1; tests and old hosts: an older one */
	/* Frames are lent in place instead of copied, at most this many at a time over all queues
	 * (copied beyond); 0: all are copied, which costs one memcpy and takes the host's hands off
	 * them. Only for callers that trust the host. At most 1024. */
	uint32_t rx_borrow;
	/* Queues asked for, at most HVK_NETVSC_QUEUES_MAX; 0 = 1. The host may give fewer, give them
	 * late, or never: info.queues tells, and info_changed of the hooks when it changes. Each has a
	 * channel of its own, the first the primary; queue n is on the n-th started CPU counted from
	 * cpu, round and round (hvk_channel_set_cpu moves it). Below NVS 5 there is one. */
	uint32_t queues;
	/* Offloads switched on by attach (HVK_NETDEV_*), as far as the host has them; 0 = none. More than
	 * one queue switches HVK_NETDEV_RSS on too.
	 * hvk_netdev_set_enabled changes them. */
	uint32_t offloads;
	/* Frames sent together at most (HVK_TX_MORE); 0 = as many as the host says, 1 = none. */
	uint32_t tx_batch_max;
	/* IPv4 packets with UDP that are longer, and that routers may cut into fragments, get their checksum
	 * in software although the host offers it: some sum them wrong (Azure; FreeBSD's udpcs_fixup_mtu).
	 * 0 = 1420; UINT32_MAX: the host does all. */
	uint32_t udp4_checksum_max;
	/* The host is told that the guest takes a VF beside the card (vf.h). From NVS 5. */
	bool vf;
};
#define HVK_NETVSC_NO_SEND_BUFFER UINT32_MAX
#define HVK_NETVSC_QUEUES_MAX 64u

/* Memory only, and the claim on the channel. HVK_EINVAL (not a network channel, values out
 * of range), HVK_ENOTSUP (left out by HVK_CONFIG_SMALL: queues, offloads, rx_borrow, vf), HVK_EBUSY and
 * HVK_EGONE (hvk_channel_claim), HVK_ENOMEM. Task context or callback. */
hvk_status hvk_netvsc_create(struct hvk_channel *channel, const struct hvk_netvsc_config *config,
			     struct hvk_netvsc **out);

/* Brings the card up to the point where frames can flow, with the packet filter
 * off. Finishes with HVK_OK or the status of the step that failed; then everything
 * has been given back (or quarantined) and attach may be tried again. HVK_EINVAL: the
 * configuration's CPU is not started. */
void hvk_netvsc_attach(struct hvk_netvsc *nic, struct hvk_request *request);

/* Filter 0, HALT, buffers revoked (bounded, a host need not answer), sub-channels closed, then the
 * channel closed and the buffers' GPADLs torn down. From VMBus 4.0, and always in boot mode, the
 * close comes first. Below 4.0 both teardowns are sent before it, because old hosts ignore messages
 * about a closed channel; their answers are awaited for a second at most, because 2012 R2 withholds
 * the receive buffer's until the close (iPXE cd68d93b6), and after the close once more, as long as
 * timeouts.teardown_ms has left; only memory whose answer is still missing then goes to quarantine
 * (HVK_ETIMEDOUT_TEARDOWN, detached all the same). Frames that were taken and not completed are done
 * with HVK_ECANCELED. Also for a rescinded channel. */
void hvk_netvsc_detach(struct hvk_netvsc *nic, struct hvk_request *request);

/* Takes the card down as detach does, before a hvk_suspend for example, and brings it up again
 * with all that was set: flags, MTU, groups, offloads, RSS. Nothing is told above but a change of
 * the link, and of what the host can do (info_changed); frames are answered HVK_TX_BUSY in between.
 * resume: as attach, and the NVS version must be the one that it was (HVK_EREFUSED_NVS_VERSION; then
 * detached). HVK_ESTATE: not attached, or not suspended; HVK_EGONE, HVK_ECANCELED: a rescind or a
 * detach came first. */
void hvk_netvsc_suspend(struct hvk_netvsc *nic, struct hvk_request *request);
void hvk_netvsc_resume(struct hvk_netvsc *nic, struct hvk_request *request);

/* Gives the memory back; only when detached (HVK_ESTATE). */
hvk_status hvk_netvsc_destroy(struct hvk_netvsc *nic);

/* The face of the card, and what it is made of; from create to destroy. */
struct hvk_netdev *hvk_netvsc_netdev(struct hvk_netvsc *nic);
struct hvk_channel *hvk_netvsc_channel(struct hvk_netvsc *nic);
/* Of a queue below info.queues (0 = hvk_netvsc_channel); NULL if there is no such queue. Task context
 * on the CPU of queue 0. */
struct hvk_channel *hvk_netvsc_queue_channel(struct hvk_netvsc *nic, uint32_t queue);
uint32_t hvk_netvsc_nvs_version(const struct hvk_netvsc *nic); /* 0 before */
/* The CPU of queue 0, as configured. From create to destroy. */
uint32_t hvk_netvsc_cpu(const struct hvk_netvsc *nic);
/* What the host said last of a VF beside the card; from create to destroy. */
struct hvk_netvsc_association {
	bool allocated;
	uint32_t serial;
	/* Counts the host's messages, and attaches of the card: what was said before one is over. */
	uint32_t generation;
	/* Attaches that are over, each with nothing of what was set before. Not resumes. */
	uint32_t attaches;
};
/* changed is called in hvk_poll on the CPU of queue 0 after each message, and when an attach, suspend, resume
 * or detach is over. One hook; NULL takes it away.
 * HVK_EINVAL: created without config.vf. */
hvk_status hvk_netvsc_set_association_hook(struct hvk_netvsc *nic,
					   void (*changed)(void *context, struct hvk_netvsc *nic),
					   void *context);
void hvk_netvsc_get_association(const struct hvk_netvsc *nic, struct hvk_netvsc_association *out);
/* Tells the host where frames for the guest are to go: to the VF, or here. Finishes when the host has said
 * that it is done. An attach, a change of the MTU or a resume begins with false. HVK_ETIMEDOUT_DATA_PATH,
 * HVK_ENOTSUP (below NVS 4, or no config.vf), HVK_EGONE, HVK_ESTATE, HVK_EBUSY (one is under way). On the
 * CPU of queue 0; task context or callback. */
void hvk_netvsc_switch_data_path(struct hvk_netvsc *nic, bool to_vf, struct hvk_request *request);
/* For people, in the form that hvk_dump has (hvkit.h). */
void hvk_netvsc_dump(struct hvk_netvsc *nic, hvk_dump_line line, void *context);

#ifdef __cplusplus
}
#endif
#endif
