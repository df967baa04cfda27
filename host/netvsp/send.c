/* SPDX-License-Identifier: MIT */
/*
 * What the guest sends, on its way to the backend: may the frame be like that, and what does it ask
 * for: a tag, checksums, to be cut into segments.
 */
#include <string.h>

#include "checksum.h"
#include "netvsp.h"

#define RX_FAILED (RNDIS_CHECKSUM_RX_IP_FAILED | RNDIS_CHECKSUM_RX_TCP_FAILED | RNDIS_CHECKSUM_RX_UDP_FAILED)
#define IPV4_DONT_FRAGMENT 0x4000u
/* Longest UDP datagram over IPv4, with its header, that all hosts sum right (FreeBSD's default). */
#define UDP_SUMMED_RIGHT 1420u

/* --- Checks ------------------------------------------------------------------------------ */

static const char *check_length(const struct hvh_nic *nic, const struct netvsp_send *send, uint32_t *value)
{
	uint32_t tag = send->headers.tagged ? ETHERNET_TAG : 0;

	*value = send->length;
	return send->length > nic->session.frame_max + tag ? "length of the frame out of range" : NULL;
}

const char *netvsp_send_check(const struct hvh_nic *nic, struct netvsp_send *send, uint32_t *value)
{
	const struct netvsp_session *session = &nic->session;
	const struct netvsp_packet_info *info = &send->info;
	const char *fault;

	*value = send->length;
	if (send->length < NETVSP_ETHERNET_HEADER)
		return "length of the frame out of range";
	*value = info->vlan;
	if ((info->present & NETVSP_INFO_VLAN) != 0 && !session->vlan)
		return "VLAN information, which NDIS_CONFIG's capabilities did not have";
	if ((info->present & NETVSP_INFO_LSO) != 0)
		return netvsp_segments_begin(&send->segments, send->frame, send->length, info->lso,
					     &session->offload, session->frame_max, value);
	netvsp_headers_find(send->frame, send->length, false, &send->headers);
	fault = check_length(nic, send, value);
	if (fault == NULL && (info->present & NETVSP_INFO_CHECKSUM) != 0)
		fault = netvsp_checksum_check(send->frame, &send->headers, info->checksum,
					      session->offload.granted, value);
	return fault;
}

/* --- On the wire ---------------------------------------------------------------------------- */

static void to_backend(struct netvsp_queue *queue, const uint8_t *frame, uint32_t length)
{
	struct hvh_nic *nic = queue->nic;

	nic->transmitted = true;
	nic->counters.from_guest_frames++;
	nic->counters.from_guest_bytes += length;
	queue->counters.from_guest_frames++;
	if (nic->backend.transmit_from != NULL)
		nic->backend.transmit_from(nic->backend.context, queue->index, frame, length);
	else
		nic->backend.transmit(nic->backend.context, frame, length);
}

static void tag_and_go(struct netvsp_queue *queue, const struct netvsp_send *send, const uint8_t *frame,
		       uint32_t length)
{
	struct hvh_nic *nic = queue->nic;

	if ((send->info.present & NETVSP_INFO_VLAN) == 0) {
		to_backend(queue, frame, length);
		return;
	}
	netvsp_tag_insert(nic->tagged, frame, length, send->info.vlan);
	nic->counters.tags_in++;
	to_backend(queue, nic->tagged, length + ETHERNET_TAG);
}

static void segments(struct netvsp_queue *queue, const struct netvsp_send *send)
{
	struct hvh_nic *nic = queue->nic;

	for (uint32_t i = 0; i < send->segments.count; i++) {
		uint32_t length = netvsp_segment_make(&send->segments, i, nic->made);

		nic->counters.segments_made++;
		nic->counters.checksums_made += send->segments.headers.version == 4 ? 2 : 1;
		tag_and_go(queue, send, nic->made, length);
	}
}

/* A quirk of Azure's: long datagrams that may be fragmented get a wrong checksum (FreeBSD). */
static bool summed_wrong(const struct hvh_nic *nic, const struct netvsp_send *send)
{
	const uint8_t *ip = send->frame + send->headers.ip;

	return hvh_partition_get_profile(nic->partition)->udp_checksum_broken &&
	       (send->info.checksum & RNDIS_CHECKSUM_TX_UDP) != 0 && send->headers.version == 4 &&
	       send->headers.end - send->headers.ip > UDP_SUMMED_RIGHT &&
	       (netvsp_get16(ip + IPV4_FRAGMENT_AT) & IPV4_DONT_FRAGMENT) == 0;
}

static void with_checksums(struct netvsp_queue *queue, const struct netvsp_send *send)
{
	struct hvh_nic *nic = queue->nic;

	memcpy(nic->made, send->frame, send->length);
	nic->counters.checksums_made += netvsp_checksum_fill(nic->made, &send->headers, send->info.checksum);
	if (summed_wrong(nic, send))
		nic->made[send->headers.transport + UDP_CHECKSUM_AT] ^= 0x55;
	tag_and_go(queue, send, nic->made, send->length);
}

/* It goes as it is; the wrong ones are counted. */
static void as_it_is(struct netvsp_queue *queue, const struct netvsp_send *send)
{
	if (send->headers.version != 0) {
		queue->nic->counters.checksums_checked++;
		if ((netvsp_checksum_verify(send->frame, &send->headers) & RX_FAILED) != 0)
			queue->nic->counters.checksums_wrong++;
	}
	tag_and_go(queue, send, send->frame, send->length);
}

void netvsp_send(struct netvsp_queue *queue, const struct netvsp_send *send)
{
	struct hvh_nic *nic = queue->nic;

	nic->counters.rndis_messages++;
	if (!nic->link_up)
		nic->counters.dropped_link++;
	else if ((send->info.present & NETVSP_INFO_LSO) != 0)
		segments(queue, send);
	else if ((send->info.present & NETVSP_INFO_CHECKSUM) != 0)
		with_checksums(queue, send);
	else
		as_it_is(queue, send);
}
