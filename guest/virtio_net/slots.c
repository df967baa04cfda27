/* SPDX-License-Identifier: MIT */
/*
 * Slots: memory of the driver's own that the device reads. Each frame to it has one at least, with the
 * device's header; one that has to be copied has as many as it is long, which need not lie side by side.
 *
 * All of it under the pair's lock. The slots that a frame is written to are those that are free next; they
 * are its own once they are taken.
 */
#include "guest/virtio_net/virtio_net_internal.h"

hvk_status hvk_virtio_net_slots_create(struct virtio_net_pair *pair)
{
	struct hvk *hvk = pair->device->hvk;
	uint32_t count = pair->tx.size / 2u; /* a chain of a frame's own memory has two pieces at least */
	uint32_t bytes = count * (uint32_t)(sizeof(struct virtio_net_slot) + sizeof(uint16_t));
	hvk_status status = hvk_pages_get(hvk,
					  (count + VIRTIO_NET_SLOTS_PER_PAGE - 1) / VIRTIO_NET_SLOTS_PER_PAGE,
					  HVK_PAGE_HOST_READS, &pair->slot_memory);

	if (status == HVK_OK)
		status = hvk_pages_get(hvk, (bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE, HVK_PAGE_PRIVATE,
				       &pair->slot_pages);
	if (status != HVK_OK)
		return status;
	pair->slots = pair->slot_pages.address;
	pair->free_slots = (uint16_t *)(void *)(pair->slots + count);
	for (uint16_t i = 0; i < count; i++)
		pair->free_slots[i] = i;
	pair->slot_count = pair->free_slot_count = (uint16_t)count;
	return HVK_OK;
}

/* The n-th that is free. */
static uint16_t next_slot(const struct virtio_net_pair *pair, uint32_t n)
{
	return pair->free_slots[pair->free_slot_count - 1u - n];
}

void hvk_virtio_net_slots_write(struct virtio_net_pair *pair, uint32_t at, const void *from, uint32_t length)
{
	struct hvk_shared all = hvk_pages_shared(&pair->slot_memory);
	const uint8_t *bytes = from;

	if (at + length <= VIRTIO_NET_SLOT_SIZE) { /* most frames have but one */
		hvk_shared_write(&all, next_slot(pair, 0) * VIRTIO_NET_SLOT_SIZE + at, bytes, length);
		return;
	}
	while (length != 0) {
		uint32_t inside = at % VIRTIO_NET_SLOT_SIZE;
		uint32_t part = hvk_min32(length, VIRTIO_NET_SLOT_SIZE - inside);
		uint16_t slot = next_slot(pair, at / VIRTIO_NET_SLOT_SIZE);

		hvk_shared_write(&all, slot * VIRTIO_NET_SLOT_SIZE + inside, bytes, part);
		bytes += part;
		at += part;
		length -= part;
	}
}

uint32_t hvk_virtio_net_slots_show(const struct virtio_net_pair *pair, uint32_t bytes,
				   struct hvk_virtq_piece *pieces)
{
	uint32_t count = VIRTIO_NET_SLOTS_OF(bytes);

	for (uint32_t n = 0; n < count; n++) {
		uint16_t slot = next_slot(pair, n);
		uint64_t page = hvk_page_gpa(pair->device->hvk, &pair->slot_memory,
					     slot / VIRTIO_NET_SLOTS_PER_PAGE);

		pieces[n].gpa = page + (uint64_t)(slot % VIRTIO_NET_SLOTS_PER_PAGE) * VIRTIO_NET_SLOT_SIZE;
		pieces[n].length = hvk_min32(bytes - n * VIRTIO_NET_SLOT_SIZE, VIRTIO_NET_SLOT_SIZE);
		pieces[n].write = false;
	}
	return count;
}

struct virtio_net_slot *hvk_virtio_net_slots_next(const struct virtio_net_pair *pair)
{
	return &pair->slots[next_slot(pair, 0)];
}

void hvk_virtio_net_slots_take(struct virtio_net_pair *pair, uint32_t count, struct hvk_tx_frame *frame)
{
	struct virtio_net_slot *slot = hvk_virtio_net_slots_next(pair);

	slot->frame = frame;
	for (uint32_t n = 1; n < count; n++) {
		slot->left = (uint16_t)(count - n);
		slot->next = next_slot(pair, n);
		slot = &pair->slots[slot->next];
	}
	slot->left = 0;
	pair->free_slot_count = (uint16_t)(pair->free_slot_count - count);
}

struct hvk_tx_frame *hvk_virtio_net_slots_give_back(struct virtio_net_pair *pair,
						    struct virtio_net_slot *first)
{
	struct hvk_tx_frame *frame = first->frame;
	uint16_t index = (uint16_t)(first - pair->slots);

	pair->free_slots[pair->free_slot_count++] = index;
	for (uint32_t left = first->left; left != 0; left--) {
		index = pair->slots[index].next;
		pair->free_slots[pair->free_slot_count++] = index;
	}
	first->frame = NULL;
	return frame;
}
