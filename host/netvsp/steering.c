/* SPDX-License-Identifier: MIT */
/*
 * Which queue a frame for the guest takes: by its hash and the guest's table, so that the frames of
 * a flow stay in order. What has no hash, and what was meant for a queue that is not open, takes
 * the primary.
 */
#include "netvsp.h"

struct netvsp_queue *netvsp_steer(struct hvh_nic *nic, const uint8_t *frame, uint32_t length, uint32_t *hash,
				  uint32_t *hash_type)
{
	const struct netvsp_rss *rss = &nic->session.rss;
	struct netvsp_headers headers;
	uint32_t queue;

	*hash = 0;
	*hash_type = 0;
	if (!rss->enabled)
		return netvsp_primary(nic);
	netvsp_headers_find(frame, length, false, &headers);
	if (!netvsp_rss_hash(rss, frame, &headers, hash, hash_type))
		return netvsp_primary(nic);
	nic->counters.hashed++;
	queue = netvsp_rss_queue(rss, *hash, netvsp_queues_granted(nic));
	return netvsp_queue_is_open(nic, queue) && nic->session.share > 0 ? nic->queues[queue]
									  : netvsp_primary(nic);
}
