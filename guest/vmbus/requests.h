/* SPDX-License-Identifier: MIT */
/*
 * Request ids: small integers that go to the host instead of pointers. Ids are 1 to
 * limit; 0 is what hosts use for packets that nobody asked for.
 */
#ifndef HVK_VMBUS_REQUESTS_H
#define HVK_VMBUS_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HVK_REQUESTS_MAX 4096u

struct hvk_request_slot {
	void *cookie;  /* NULL = free, or forgotten */
	uint16_t next; /* free list; 0 ends it */
	bool busy;     /* with the host */
};

struct hvk_requests {
	struct hvk_request_slot *slots; /* limit + 1, [0] is not used */
	uint16_t limit;
	uint16_t free_first;
	uint16_t busy_count;
};

static inline void hvk_requests_init(struct hvk_requests *requests, struct hvk_request_slot *slots,
				     uint16_t limit)
{
	requests->slots = slots;
	requests->limit = limit;
	requests->busy_count = 0;
	requests->free_first = limit ? 1 : 0;
	for (uint32_t i = 1; i <= limit; i++)
		slots[i] = (struct hvk_request_slot){.next = (uint16_t)(i < limit ? i + 1 : 0)};
}

/* 0 if all are outstanding. cookie is not NULL. */
static inline uint16_t hvk_requests_get(struct hvk_requests *requests, void *cookie)
{
	uint16_t id = requests->free_first;

	if (id != 0) {
		requests->free_first = requests->slots[id].next;
		requests->slots[id] = (struct hvk_request_slot){.cookie = cookie, .busy = true};
		requests->busy_count++;
	}
	return id;
}

/* The host answered (or the packet was never sent). False: not outstanding. cookie is
 * NULL for a request that was forgotten meanwhile. */
static inline bool hvk_requests_put(struct hvk_requests *requests, uint64_t id, void **cookie)
{
	struct hvk_request_slot *slot;

	*cookie = NULL;
	if (id == 0 || id > requests->limit || !requests->slots[id].busy)
		return false;
	slot = &requests->slots[id];
	*cookie = slot->cookie;
	*slot = (struct hvk_request_slot){.next = requests->free_first};
	requests->free_first = (uint16_t)id;
	requests->busy_count--;
	return true;
}

#endif
