/* SPDX-License-Identifier: MIT */
/*
 * Frames of which the device is asked to do something: what is enabled is asked for in
 * per-packet information, the rest of it is done here. Headers are changed in a private copy.
 */
#include "guest/netdev/checksum.h"
#include "guest/netvsc/transmit.h"

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

static void checksum_ipv4(struct netvsc_wire *wire, uint32_t enabled)
{
	if (enabled & HVK_NETDEV_TX_IPV4) {
		hvk_headers_clear_ipv4_checksum(&wire->head);
		say(wire, HVK_RNDIS_HAS_CHECKSUM, RNDIS_CHECKSUM_TX_IP_HEADER);
	} else {
		hvk_headers_compute_ipv4_checksum(&wire->head);
		wire->in_software = true;
	}
}

/* Hosts want to find the sum of the pseudo-header where the checksum is to go (Linux, FreeBSD). */
static hvk_status checksum_transport(struct netvsc_wire *wire, uint32_t enabled, uint32_t length)
{
	struct hvk_headers *headers = &wire->head;

	if (enabled & transport_capability(headers)) {
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

static hvk_status fill_in(struct netvsc_wire *wire, uint32_t enabled)
{
	const struct hvk_tx_frame *frame = wire->frame;
	struct hvk_headers *headers = &wire->head;
	uint32_t flags = frame->flags, length;

	if (!hvk_headers_find(frame, headers))
		return HVK_EINVAL;
	if (flags & HVK_TX_TSO) {
		if (!(enabled & (headers->ipv6 ? HVK_NETDEV_TSO6 : HVK_NETDEV_TSO4)) ||
		    frame->segment_size == 0)
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
		checksum_ipv4(wire, enabled);
	if (!(flags & (HVK_TX_CHECKSUM_TCP | HVK_TX_CHECKSUM_UDP)))
		return HVK_OK;
	length = hvk_headers_transport_length(headers, frame->length);
	return length == 0 ? HVK_EINVAL : checksum_transport(wire, enabled, length);
}

/* Without anything else to be changed the head is what a tag needs: two addresses. */
static hvk_status change_head(struct netvsc_wire *wire, uint32_t enabled)
{
	const struct hvk_tx_frame *frame = wire->frame;
	bool tag = (frame->flags & HVK_TX_VLAN) && !(enabled & HVK_NETDEV_TX_VLAN);
	hvk_status status = HVK_OK;

	if (!tag && !(frame->flags & (CHECKSUMS | HVK_TX_TSO)))
		return HVK_OK;
	if (!hvk_headers_copy(frame, &wire->head))
		return HVK_EINVAL;
	if (frame->flags & (CHECKSUMS | HVK_TX_TSO))
		status = fill_in(wire, enabled);
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
	uint32_t enabled = __atomic_load_n(&nic->netdev.info.enabled, __ATOMIC_RELAXED);
	hvk_status status;

	wire->info = (struct hvk_rndis_tx_info){0};
	status = change_head(wire, enabled);
	if (status != HVK_OK)
		return status;
	if ((frame->flags & HVK_TX_VLAN) && (enabled & HVK_NETDEV_TX_VLAN)) {
		say(wire, HVK_RNDIS_HAS_VLAN, 0);
		wire->info.vlan_tag = frame->vlan_tag;
	}
	/* A host with one channel to this card has nothing to choose. */
	if ((frame->flags & HVK_TX_HASH) && nic->nvs_version >= NVS_VERSION_5 &&
	    netvsc_queues_in_use(nic) > 1) {
		say(wire, HVK_RNDIS_HAS_HASH, 0);
		wire->info.hash = frame->hash;
	}
	wire->prefix_size = hvk_rndis_build_prefix(
		&wire->prefix, frame->length - wire->skip + wire->head_length, &wire->info);
	return HVK_OK;
}
