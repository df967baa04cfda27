/* SPDX-License-Identifier: MIT */
/*
 * Frames of which the device is asked to do something: what is enabled is asked for in
 * per-packet information, the rest of it is done here. Headers are changed in a private copy.
 */
#include "guest/netdev/checksum.h"
#include "guest/netvsc/transmit.h"

#ifndef HVK_CONFIG_SMALL /* small.c */

#define CHECKSUMS (HVK_TX_CHECKSUM_IPV4 | HVK_TX_CHECKSUM_TCP | HVK_TX_CHECKSUM_UDP)

static void say(struct netvsc_wire *wire, uint32_t what, uint32_t checksum)
{
	wire->info.has |= what;
	wire->info.checksum |= checksum;
}

static uint32_t transport_capability(const struct hvk_headers *headers)
{
	if (headers->protocol == HVK_IP_UDP)
		return headers->ipv6 ? HVK_NETDEV_TX_UDP6 : HVK_NETDEV_TX_UDP4;
	return headers->ipv6 ? HVK_NETDEV_TX_TCP6 : HVK_NETDEV_TX_TCP4;
}

static void checksum_ipv4(struct netvsc_wire *wire)
{
	if (wire->enabled & HVK_NETDEV_TX_IPV4) {
		hvk_headers_clear_ipv4_checksum(&wire->head);
		say(wire, HVK_RNDIS_HAS_CHECKSUM, RNDIS_CHECKSUM_TX_IP_HEADER);
	} else {
		hvk_headers_compute_ipv4_checksum(&wire->head);
		wire->in_software = true;
	}
}

/* Hosts sum long datagrams wrong unless fragments are forbidden (Azure; FreeBSD). */
static bool is_summed_wrong(const struct hvk_netvsc *nic, const struct hvk_headers *headers, uint32_t length)
{
	return headers->protocol == HVK_IP_UDP && !headers->ipv6 &&
	       length + headers->transport - headers->network > nic->config.udp4_checksum_max &&
	       !hvk_headers_may_not_be_cut(headers);
}

/* Hosts want to find the sum of the pseudo-header where the checksum is to go (Linux, FreeBSD). */
static hvk_status checksum_transport(const struct hvk_netvsc *nic, struct netvsc_wire *wire, uint32_t length)
{
	struct hvk_headers *headers = &wire->head;

	if ((wire->enabled & transport_capability(headers)) && !is_summed_wrong(nic, headers, length)) {
		hvk_headers_set_checksum(headers, hvk_headers_pseudo(headers, length));
		say(wire, HVK_RNDIS_HAS_CHECKSUM,
		    headers->protocol == HVK_IP_UDP ? RNDIS_CHECKSUM_TX_UDP : RNDIS_CHECKSUM_TX_TCP);
		return HVK_OK;
	}
	wire->in_software = true;
	return hvk_headers_compute_checksum(headers, wire->frame, headers->payload, length) ? HVK_OK
											    : HVK_EINVAL;
}

/* Where things are is only known once a tag is in. */
static void finish_checksum(struct netvsc_wire *wire)
{
	const struct hvk_headers *headers = &wire->head;

	if (wire->info.has & HVK_RNDIS_HAS_LSO)
		wire->info.lso |= headers->transport << RNDIS_LSO_OFFSET_SHIFT;
	if (wire->info.has & HVK_RNDIS_HAS_CHECKSUM)
		wire->info.checksum |= (headers->ipv6 ? RNDIS_CHECKSUM_TX_IPV6 : RNDIS_CHECKSUM_TX_IPV4) |
				       headers->transport << RNDIS_CHECKSUM_TX_OFFSET_SHIFT;
}

/* LSOv2: no length and no checksum in the IP header, a pseudo-header without length in TCP's. */
static void segment(struct netvsc_wire *wire)
{
	struct hvk_headers *headers = &wire->head;

	hvk_headers_set_length(headers, 0);
	if (!headers->ipv6)
		hvk_headers_clear_ipv4_checksum(headers);
	hvk_headers_set_checksum(headers, hvk_headers_pseudo(headers, 0));
	wire->info.has |= HVK_RNDIS_HAS_LSO;
	wire->info.lso = RNDIS_LSO_V2 | wire->frame->segment_size | (headers->ipv6 ? RNDIS_LSO_IPV6 : 0);
	wire->segmented = true;
}

/* Is it within what the host takes, and what the wire does? Of one segment the rest does not count. */
static bool can_be_segmented(const struct hvk_netvsc *nic, const struct netvsc_wire *wire)
{
	const struct hvk_netdev_info *info = &nic->netdev.info;
	const struct hvk_headers *headers = &wire->head;
	uint32_t size = wire->frame->segment_size, payload = wire->frame->length - headers->payload;

	if (!(wire->enabled & (headers->ipv6 ? HVK_NETDEV_TSO6 : HVK_NETDEV_TSO4)) || size == 0 ||
	    headers->payload - headers->network + size > info->mtu)
		return false;
	return payload <= size ||
	       (payload <= info->tso_bytes_max && (payload + size - 1) / size >= info->tso_segments_min);
}

static hvk_status fill_in(const struct hvk_netvsc *nic, struct netvsc_wire *wire)
{
	const struct hvk_tx_frame *frame = wire->frame;
	struct hvk_headers *headers = &wire->head;
	uint32_t flags = frame->flags, length;

	if (!hvk_headers_find(frame, headers))
		return HVK_EINVAL;
	if (flags & HVK_TX_TSO) {
		if (!can_be_segmented(nic, wire))
			return HVK_EINVAL;
		if (frame->length - headers->payload > frame->segment_size) {
			segment(wire);
			return HVK_OK;
		}
		/* One segment: only checksums are left to be asked for. */
		flags |= HVK_TX_CHECKSUM_TCP | (headers->ipv6 ? 0 : HVK_TX_CHECKSUM_IPV4);
		hvk_headers_set_length(headers, frame->length - headers->transport);
	}
	if (flags & HVK_TX_CHECKSUM_IPV4)
		checksum_ipv4(wire);
	if (!(flags & (HVK_TX_CHECKSUM_TCP | HVK_TX_CHECKSUM_UDP)))
		return HVK_OK;
	length = hvk_headers_transport_length(headers, frame->length);
	return length == 0 ? HVK_EINVAL : checksum_transport(nic, wire, length);
}

/* Without anything else to be changed the head is what a tag needs: two addresses. */
static hvk_status change_head(const struct hvk_netvsc *nic, struct netvsc_wire *wire)
{
	const struct hvk_tx_frame *frame = wire->frame;
	bool tag = (frame->flags & HVK_TX_VLAN) && !(wire->enabled & HVK_NETDEV_TX_VLAN);
	hvk_status status = HVK_OK;

	if (!tag && !(frame->flags & (CHECKSUMS | HVK_TX_TSO)))
		return HVK_OK;
	if (!hvk_headers_copy(frame, &wire->head))
		return HVK_EINVAL;
	if (frame->flags & (CHECKSUMS | HVK_TX_TSO))
		status = fill_in(nic, wire);
	else
		wire->head.length = HVK_ETHERNET_HEADER;
	if (status != HVK_OK)
		return status;
	wire->skip = wire->head.length;
	if (tag) {
		hvk_headers_insert_tag(&wire->head, frame->vlan_tag);
		wire->in_software = true;
	}
	wire->head_length = wire->head.length;
	finish_checksum(wire);
	return HVK_OK;
}

hvk_status hvk_netvsc_transmit_prepare(const struct hvk_netvsc *nic, struct netvsc_wire *wire)
{
	const struct hvk_tx_frame *frame = wire->frame;
	hvk_status status;

	wire->info = (struct hvk_rndis_tx_info){0};
	wire->enabled = __atomic_load_n(&nic->netdev.info.enabled, __ATOMIC_RELAXED);
	status = change_head(nic, wire);
	if (status != HVK_OK)
		return status;
	if ((frame->flags & HVK_TX_VLAN) && (wire->enabled & HVK_NETDEV_TX_VLAN)) {
		say(wire, HVK_RNDIS_HAS_VLAN, 0);
		wire->info.vlan_tag = frame->vlan_tag;
	}
	/* A host with one channel to this card has nothing to choose; one below NVS 5 has no more. */
	if ((frame->flags & HVK_TX_HASH) && netvsc_queues_in_use(nic) > 1) {
		say(wire, HVK_RNDIS_HAS_HASH, 0);
		wire->info.hash = frame->hash;
	}
	wire->prefix_size = hvk_rndis_build_prefix(
		&wire->prefix, frame->length - wire->skip + wire->head_length, &wire->info);
	return HVK_OK;
}

#endif
