/* SPDX-License-Identifier: MIT */
#include "apps/hvkit/card_counters.h"

#include <stddef.h>

struct counter {
	const char *key, *name;
	size_t offset;
};

#define CARD(field, name)                                              \
	{                                                              \
#field, name, offsetof(struct hvh_nic_counters, field) \
	}
static const struct counter card_counters[] = {
	CARD(to_guest_frames, "frames to guest"),
	CARD(to_guest_bytes, "bytes to guest"),
	CARD(from_guest_frames, "frames from guest"),
	CARD(from_guest_bytes, "bytes from guest"),
	CARD(dropped_filter, "dropped by filter"),
	CARD(dropped_link, "dropped, no link"),
	CARD(dropped_queue, "dropped, queue full"),
	CARD(transfer_packets, "transfer packets"),
	CARD(sections_used, "sections used"),
	CARD(page_lists_used, "page lists used"),
	CARD(rndis_messages, "RNDIS packets"),
	CARD(checksums_made, "checksums made"),
	CARD(checksums_checked, "checksums checked"),
	CARD(segments_made, "segments made"),
	CARD(joined, "segments joined"),
	CARD(tags_in, "tags given"),
	CARD(tags_out, "tags taken"),
	CARD(hashed, "hashes given"),
	CARD(checksums_wrong, "checksums wrong"),
};

#define QUEUE(field, name)                                                   \
	{                                                                    \
#field, name, offsetof(struct hvh_nic_queue_counters, field) \
	}
static const struct counter queue_counters[] = {
	QUEUE(to_guest_frames, "frames to guest"),   QUEUE(from_guest_frames, "frames from guest"),
	QUEUE(transfer_packets, "transfer packets"), QUEUE(packets, "packets from guest"),
	QUEUE(dropped, "dropped, no room"),
};

static bool get(const struct counter *table, size_t count, const void *counters, uint32_t n, const char **key,
		const char **name, uint64_t *value)
{
	if (n >= count)
		return false;
	*key = table[n].key;
	*name = table[n].name;
	*value = *(const uint64_t *)(const void *)((const char *)counters + table[n].offset);
	return true;
}

bool card_counter(const struct hvh_nic_counters *counters, uint32_t n, const char **key, const char **name,
		  uint64_t *value)
{
	return get(card_counters, sizeof(card_counters) / sizeof(card_counters[0]), counters, n, key, name,
		   value);
}

bool card_queue_counter(const struct hvh_nic_queue_counters *counters, uint32_t n, const char **key,
			const char **name, uint64_t *value)
{
	return get(queue_counters, sizeof(queue_counters) / sizeof(queue_counters[0]), counters, n, key, name,
		   value);
}
