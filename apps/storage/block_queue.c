/* SPDX-License-Identifier: MIT */
#include "apps/storage/block_queue.h"

#include <string.h>

static struct hvk_block *device(const struct block_queue *queue)
{
	return *queue->config.block;
}

static void done(struct hvk_block_request *request, hvk_status status, void *context)
{
	struct block_slot *slot = context;
	const struct block_queue_config *config = &slot->queue->config;
	void (*wake)(void *context) = config->wake;
	void *wake_context = config->context;

	(void)request;
	slot->status = status;
	/* From here on the slot is the waiter's, and the queue may be closed. */
	atomic_store_explicit(&slot->busy, false, memory_order_release);
	if (wake)
		wake(wake_context);
}

hvk_status block_queue_open(struct block_queue *queue, const struct block_queue_config *config)
{
	const struct hvk_port *port = config->port;
	uint32_t slots_size = config->slots * (uint32_t)sizeof(struct block_slot);
	hvk_status status;

	if (!config->slots || config->slots > BLOCK_QUEUE_SLOTS_MAX || !config->slot_bytes ||
	    config->slot_bytes % HVK_PAGE_SIZE || config->slot_bytes > BLOCK_QUEUE_BYTES_MAX)
		return HVK_EINVAL;
	memset(queue, 0, sizeof(*queue));
	queue->config = *config;
	if (!device(queue))
		return HVK_EGONE;
	queue->block_size = device(queue)->info.block_size;
	if (!queue->block_size)
		return HVK_ENOMEDIUM;
	if (config->slot_bytes < queue->block_size)
		return HVK_EINVAL;
	status = port->pages_alloc(port->context, (slots_size + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE,
				   HVK_PAGE_PRIVATE, &queue->slot_pages);
	if (status != HVK_OK)
		return status;
	status = port->pages_alloc(port->context, config->slots * (config->slot_bytes / HVK_PAGE_SIZE),
				   HVK_PAGE_HOST_WRITES, &queue->pages);
	if (status != HVK_OK) {
		port->pages_free(port->context, &queue->slot_pages);
		return status;
	}
	queue->slots = queue->slot_pages.address;
	memset(queue->slots, 0, slots_size);
	/* Others' data is nobody's business, the host's least of all. */
	memset(queue->pages.address, 0, (size_t)queue->pages.count * HVK_PAGE_SIZE);
	for (uint32_t n = 0; n < config->slots; n++) {
		queue->slots[n].queue = queue;
		queue->slots[n].data = (uint8_t *)queue->pages.address + (size_t)n * config->slot_bytes;
	}
	return HVK_OK;
}

uint32_t block_queue_close(struct block_queue *queue)
{
	const struct hvk_port *port = queue->config.port;

	(void)block_queue_wait_all(queue);
	port->pages_free(port->context, &queue->slot_pages);
	if (queue->withheld)
		return queue->pages.count;
	port->pages_free(port->context, &queue->pages);
	return 0;
}

/* One piece for each page: a port's pages need not follow one another. */
static uint32_t list_pages(struct block_queue *queue, struct block_slot *slot, uint32_t length)
{
	const struct hvk_port *port = queue->config.port;
	uint32_t count = 0;

	for (uint32_t offset = 0; offset < length; offset += HVK_PAGE_SIZE) {
		uint32_t part = length - offset < HVK_PAGE_SIZE ? length - offset : HVK_PAGE_SIZE;

		slot->pieces[count++] = (struct hvk_buffer){
			.address = slot->data + offset,
			.gpa = port->page_gpa(port->context, slot->data + offset),
			.length = part,
		};
	}
	return count;
}

static hvk_status wait_to_write(const struct block_queue *queue, enum hvk_block_operation operation)
{
	const struct block_queue_config *config = &queue->config;
	hvk_status status = HVK_OK;

	if (!config->may_write || operation == HVK_BLOCK_READ || operation == HVK_BLOCK_FLUSH)
		return HVK_OK;
	while ((status = config->may_write(config->context)) == HVK_EAGAIN)
		config->turn(config->context);
	return status;
}

static hvk_status submit(struct block_queue *queue, struct block_slot *slot)
{
	struct hvk_block *block;
	hvk_status status;

	for (;;) {
		block = device(queue);
		if (!block)
			return HVK_EGONE;
		if (block->info.block_size != queue->block_size)
			return block->info.block_size ? HVK_EIO : HVK_ENOMEDIUM;
		atomic_store_explicit(&slot->busy, true, memory_order_relaxed);
		status = hvk_block_submit(block, &slot->request);
		if (status == HVK_OK)
			return HVK_OK;
		atomic_store_explicit(&slot->busy, false, memory_order_relaxed);
		if (status != HVK_EAGAIN)
			return status;
		queue->config.turn(queue->config.context);
	}
}

hvk_status block_queue_submit(struct block_queue *queue, struct block_slot *slot,
			      enum hvk_block_operation operation, uint32_t flags, uint64_t block,
			      uint64_t count)
{
	bool has_data = operation == HVK_BLOCK_READ || operation == HVK_BLOCK_WRITE;
	uint32_t pieces = 0;
	hvk_status status;

	slot->status = HVK_EINVAL;
	if (has_data && count > block_queue_slot_blocks(queue))
		return slot->status;
	if (has_data)
		pieces = list_pages(queue, slot, (uint32_t)count * queue->block_size);
	slot->block = block;
	slot->count = (uint32_t)count;
	slot->request = (struct hvk_block_request){.operation = operation,
						   .flags = flags,
						   .block = block,
						   .count = count,
						   .pieces = slot->pieces,
						   .piece_count = pieces,
						   .done = done,
						   .context = slot};
	if (queue->config.queues)
		slot->request.cpu_hint = 1 + queue->next_queue++ % queue->config.queues;
	status = wait_to_write(queue, operation);
	if (status == HVK_OK)
		status = submit(queue, slot);
	if (status != HVK_OK)
		slot->status = status;
	return status;
}

hvk_status block_queue_wait(struct block_queue *queue, struct block_slot *slot)
{
	while (block_slot_busy(slot))
		queue->config.turn(queue->config.context);
	if (slot->status == HVK_ETIMEDOUT_TEARDOWN)
		queue->withheld = true;
	return slot->status;
}

hvk_status block_queue_wait_all(struct block_queue *queue)
{
	hvk_status first = HVK_OK;

	for (uint32_t n = 0; n < queue->config.slots; n++) {
		hvk_status status = block_queue_wait(queue, &queue->slots[n]);

		if (first == HVK_OK)
			first = status;
	}
	return first;
}
