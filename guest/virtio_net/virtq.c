/* SPDX-License-Identifier: MIT */
#include "guest/virtio_net/virtq.h"

#define INDEX_SHIFT 16u /* flags and index lie in one word */
#define RING 4u

static uint32_t pages_of(uint32_t bytes)
{
	return (bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE;
}

/* Each of the three areas on pages of its own, because their addresses need not be in one run. None is
 * longer than a page for the sizes that there are, but the descriptors and the used ring are. */
static hvk_status check_contiguous(struct hvk *hvk, const struct hvk_pages *pages, uint32_t first,
				   uint32_t count)
{
	uint64_t gpa = hvk_page_gpa(hvk, pages, first);

	for (uint32_t i = 1; i < count; i++) {
		if (hvk_page_gpa(hvk, pages, first + i) != gpa + (uint64_t)i * HVK_PAGE_SIZE)
			return HVK_ENOMEM;
	}
	return HVK_OK;
}

static void lay_out(struct hvk *hvk, struct hvk_virtq *queue, uint32_t descriptor_pages,
		    uint32_t available_pages)
{
	struct hvk_shared all = hvk_pages_shared(&queue->shared_pages);
	uint32_t available_at = descriptor_pages * HVK_PAGE_SIZE;
	uint32_t used_at = available_at + available_pages * HVK_PAGE_SIZE;

	queue->descriptors = hvk_shared_part(&all, 0, available_at);
	queue->available = hvk_shared_part(&all, available_at, used_at - available_at);
	queue->used = hvk_shared_part(&all, used_at, all.size - used_at);
	queue->descriptors_gpa = hvk_page_gpa(hvk, &queue->shared_pages, 0);
	queue->available_gpa = hvk_page_gpa(hvk, &queue->shared_pages, descriptor_pages);
	queue->used_gpa = hvk_page_gpa(hvk, &queue->shared_pages, descriptor_pages + available_pages);
}

/* The device wants each area in one run of addresses; the port gives pages one by one. With 256 entries each
 * area fits a page, and more are had only from a port that gives them in a row. */
static hvk_status get_shared(struct hvk *hvk, struct hvk_virtq *queue, uint16_t size)
{
	uint32_t descriptors = pages_of(size * (uint32_t)sizeof(struct virtq_descriptor));
	uint32_t available = pages_of(VIRTQ_AVAILABLE_SIZE(size) + 2u);
	uint32_t used = pages_of(VIRTQ_USED_SIZE(size) + 2u);
	hvk_status status = hvk_pages_get(hvk, descriptors + available + used, HVK_PAGE_HOST_WRITES,
					  &queue->shared_pages);

	if (status != HVK_OK)
		return status;
	status = check_contiguous(hvk, &queue->shared_pages, 0, descriptors);
	if (status == HVK_OK)
		status = check_contiguous(hvk, &queue->shared_pages, descriptors, available);
	if (status == HVK_OK)
		status = check_contiguous(hvk, &queue->shared_pages, descriptors + available, used);
	if (status != HVK_OK) {
		hvk_pages_put(hvk, &queue->shared_pages);
		return status;
	}
	lay_out(hvk, queue, descriptors, available);
	return HVK_OK;
}

hvk_status hvk_virtq_create(struct hvk *hvk, struct hvk_virtq *queue, uint16_t index, uint16_t size,
			    bool event_index)
{
	uint32_t bytes = size * (uint32_t)(sizeof(struct hvk_virtq_chain) + sizeof(uint16_t));
	hvk_status status;

	HVK_ASSERT(size != 0 && size <= HVK_VIRTQ_SIZE_MAX && (size & (size - 1u)) == 0);
	*queue = (struct hvk_virtq){.index = index, .event_index = event_index};
	/* Smaller until a port without runs of pages can give it; 256 always can. */
	do {
		status = get_shared(hvk, queue, size);
	} while (status == HVK_ENOMEM && size > 256 && (size /= 2) != 0);
	if (status != HVK_OK)
		return status;
	status = hvk_pages_get(hvk, pages_of(bytes), HVK_PAGE_PRIVATE, &queue->private_pages);
	if (status != HVK_OK) {
		hvk_pages_put(hvk, &queue->shared_pages);
		return status;
	}
	queue->size = size;
	queue->chains = queue->private_pages.address; /* zeros */
	queue->next = (uint16_t *)(void *)(queue->chains + size);
	for (uint16_t i = 0; i < size; i++)
		queue->next[i] = (uint16_t)(i + 1u);
	queue->free_count = size;
	return HVK_OK;
}

void hvk_virtq_destroy(struct hvk *hvk, struct hvk_virtq *queue, bool withhold)
{
	if (withhold)
		(void)hvk_pages_quarantine(hvk, &queue->shared_pages);
	else
		hvk_pages_put(hvk, &queue->shared_pages);
	hvk_pages_put(hvk, &queue->private_pages);
	*queue = (struct hvk_virtq){0};
}

/* --- To the device ---------------------------------------------------------------------- */

hvk_status hvk_virtq_put(struct hvk_virtq *queue, const struct hvk_virtq_piece *pieces, uint32_t count,
			 void *cookie)
{
	uint16_t head = queue->free_first, at = head;
	uint32_t writable = 0;

	HVK_ASSERT(count != 0 && count <= HVK_VIRTQ_CHAIN_MAX && cookie != NULL);
	if (queue->broken || count > queue->free_count)
		return HVK_EAGAIN;
	for (uint32_t i = 0; i < count; i++) {
		bool last = i + 1 == count;
		const struct virtq_descriptor descriptor = {
			.address = pieces[i].gpa,
			.length = pieces[i].length,
			.flags = (uint16_t)((last ? 0 : VIRTQ_DESCRIPTOR_NEXT) |
					    (pieces[i].write ? VIRTQ_DESCRIPTOR_WRITE : 0)),
			.next = last ? 0 : queue->next[at],
		};

		hvk_shared_write(&queue->descriptors, at * (uint32_t)sizeof(descriptor), &descriptor,
				 sizeof(descriptor));
		writable += pieces[i].write ? pieces[i].length : 0;
		if (last)
			queue->free_first = queue->next[at];
		at = queue->next[at];
	}
	queue->free_count = (uint16_t)(queue->free_count - count);
	queue->chains[head] = (struct hvk_virtq_chain){cookie, writable, (uint16_t)count};
	hvk_shared_write(&queue->available,
			 RING + 2u * (queue->available_index & ((uint32_t)queue->size - 1u)), &head,
			 sizeof(head));
	queue->available_index++;
	return HVK_OK;
}

/* Flags and index lie in one word, of which the device writes neither. */
static void store_available(struct hvk_virtq *queue)
{
	uint32_t flags = queue->quiet ? VIRTQ_AVAILABLE_NO_INTERRUPT : 0;

	hvk_shared_store_release(&queue->available, 0, (uint32_t)queue->shown_index << INDEX_SHIFT | flags);
}

static bool wants_event(uint16_t event, uint16_t now, uint16_t before)
{
	return (uint16_t)(now - event - 1u) < (uint16_t)(now - before);
}

/* Store the index, full barrier, then look whether the device is asleep: in any other order it could fall
 * asleep in between. */
bool hvk_virtq_show(struct hvk_virtq *queue)
{
	uint16_t before = queue->shown_index;

	if (before == queue->available_index)
		return false;
	queue->shown_index = queue->available_index;
	store_available(queue);
	hvk_full_barrier();
	if (!queue->event_index)
		return !(hvk_shared_load(&queue->used, 0) & VIRTQ_USED_NO_NOTIFY);
	return wants_event((uint16_t)hvk_shared_load(&queue->used, RING + 8u * queue->size),
			   queue->available_index, before);
}

/* --- From the device -------------------------------------------------------------------- */

static uint16_t used_index(const struct hvk_virtq *queue)
{
	return (uint16_t)(hvk_shared_load_acquire(&queue->used, 0) >> INDEX_SHIFT);
}

/* The chain's descriptors go in front of the free ones. */
static void free_chain(struct hvk_virtq *queue, uint16_t head)
{
	struct hvk_virtq_chain *chain = &queue->chains[head];
	uint16_t last = head;

	for (uint32_t i = 1; i < chain->count; i++)
		last = queue->next[last];
	queue->next[last] = queue->free_first;
	queue->free_first = head;
	queue->free_count = (uint16_t)(queue->free_count + chain->count);
	*chain = (struct hvk_virtq_chain){0};
}

hvk_status hvk_virtq_take(struct hvk_virtq *queue, void **cookie, uint32_t *written)
{
	struct virtq_used_element element;
	struct hvk_virtq_chain *chain;
	uint16_t waiting;

	if (queue->broken)
		return HVK_EEMPTY;
	waiting = (uint16_t)(used_index(queue) - queue->used_index);
	if (waiting == 0)
		return HVK_EEMPTY;
	hvk_shared_read(&queue->used, RING + 8u * (queue->used_index & ((uint32_t)queue->size - 1u)),
			&element, sizeof(element));
	chain = element.id < queue->size ? &queue->chains[element.id] : NULL;
	if (waiting > queue->size || !chain || !chain->cookie || element.length > chain->writable) {
		queue->broken = true;
		return HVK_EHOST_VIRTIO;
	}
	queue->used_index++;
	*cookie = chain->cookie;
	*written = element.length;
	free_chain(queue, (uint16_t)element.id);
	return HVK_OK;
}

void *hvk_virtq_recover(struct hvk_virtq *queue)
{
	for (uint16_t i = 0; i < queue->size; i++) {
		void *cookie = queue->chains[i].cookie;

		if (cookie) {
			free_chain(queue, i);
			return cookie;
		}
	}
	return NULL;
}

bool hvk_virtq_has_more(const struct hvk_virtq *queue)
{
	return !queue->broken && used_index(queue) != queue->used_index;
}

/* Store what is wanted, full barrier, then look: in any other order one could come in between unseen. */
bool hvk_virtq_await(struct hvk_virtq *queue)
{
	queue->quiet = false;
	if (queue->event_index)
		hvk_shared_store(&queue->available, RING + 2u * queue->size, queue->used_index);
	else
		store_available(queue);
	hvk_full_barrier();
	return hvk_virtq_has_more(queue);
}

/* With EVENT_IDX there is nothing to do: the index that was asked for is passed once. */
void hvk_virtq_no_interrupts(struct hvk_virtq *queue)
{
	if (queue->event_index || queue->quiet)
		return;
	queue->quiet = true;
	store_available(queue);
}
