/* SPDX-License-Identifier: MIT */
/*
 * Which queue a frame for the guest takes: by its hash and the guest's table, so that the frames of
 * a flow stay in order. What has no hash, and what was meant for a queue that is not open, takes
 * the primary.
 */
#include "netvsp.h"

/* From 2016 on a guest that has TCP over IPv4 hashed gets UDP hashed too, over addresses and ports, and
 * labelled as TCP (FreeBSD). */
static bool hash_udp_as_tcp(const struct hvh_nic *nic, const uint8_t *frame,
			    const struct netvsp_headers *headers, uint32_t *hash, uint32_t *hash_type)
{
	struct netvsp_rss rss = nic->session.rss;

	rss.hash |= NDIS_HASH_UDP4;
	if (!netvsp_rss_hash(&rss, frame, headers, hash, hash_type))
		return false;
	if (*hash_type == NDIS_HASH_UDP4)
		*hash_type = NDIS_HASH_TCP4;
	return true;
}

static bool hash_frame(const struct hvh_nic *nic, const uint8_t *frame, uint32_t length, uint32_t *hash,
		       uint32_t *hash_type)
{
	const struct netvsp_rss *rss = &nic->session.rss;
	struct netvsp_headers headers;

	if (!netvsp_headers_find(frame, length, false, &headers))
		return false;
	if (hvh_partition_get_profile(nic->partition)->udp_hash_as_tcp && headers.version == 4 &&
	    headers.transport != 0 && headers.protocol == IP_PROTOCOL_UDP &&
	    (rss->hash & NDIS_HASH_TCP4) != 0)
		return hash_udp_as_tcp(nic, frame, &headers, hash, hash_type);
	return netvsp_rss_hash(rss, frame, &headers, hash, hash_type);
}

struct netvsp_queue *netvsp_steer(struct hvh_nic *nic, const uint8_t *frame, uint32_t length, uint32_t *hash,
				  uint32_t *hash_type)
{
	const struct netvsp_rss *rss = &nic->session.rss;
	uint32_t queue;

	*hash = 0;
	*hash_type = 0;
	if (!rss->enabled || !hash_frame(nic, frame, length, hash, hash_type))
		return netvsp_primary(nic);
	nic->counters.hashed++;
	queue = netvsp_rss_queue(rss, *hash, netvsp_queues_granted(nic));
	return netvsp_queue_is_open(nic, queue) && nic->session.share > 0 ? nic->queues[queue]
									  : netvsp_primary(nic);
}
