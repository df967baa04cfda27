/* SPDX-License-Identifier: MIT */
/* Descriptors: a chain of them, or a table of its own (virtio 1.2, 2.7.5). */
#include "host/virtio/virtio.h"

static bool refuse(struct virtio_queue *queue, const char *what, uint64_t value)
{
	VIRTIO_VIOLATE(queue->device, HVH_V_VIRTQ, "queue %u: %s (0x%llx)", queue->index, what,
		       (unsigned long long)value);
	virtio_break(queue->device);
	return false;
}

/* Where the descriptors of a chain are. */
struct table {
	uint64_t gpa;
	uint32_t size;
	bool indirect;
};

static bool add(struct virtio_queue *queue, struct virtio_chain *chain,
		const struct virtq_descriptor *descriptor)
{
	bool write = (descriptor->flags & VIRTQ_DESCRIPTOR_WRITE) != 0;

	if (chain->count == queue->size)
		return refuse(queue, "chain of more descriptors than the queue has: they go in circles",
			      chain->head);
	if (!write && chain->first_written < chain->count)
		return refuse(queue, "descriptor to read behind one to write", chain->head);
	if (descriptor->length > UINT32_MAX - chain->readable - chain->writable)
		return refuse(queue, "chain of 4 GiB or more", descriptor->length);
	chain->pieces[chain->count++] = (struct virtio_piece){descriptor->address, descriptor->length};
	if (write) {
		chain->writable += descriptor->length;
	} else {
		chain->readable += descriptor->length;
		chain->first_written = chain->count;
	}
	return true;
}

static bool enter_table(struct virtio_queue *queue, struct table *table,
			const struct virtq_descriptor *descriptor)
{
	uint32_t count = descriptor->length / (uint32_t)sizeof *descriptor;

	if (!virtio_has(queue->device, VIRTIO_F_INDIRECT))
		return refuse(queue, "indirect descriptor, which was not agreed on", descriptor->flags);
	if (table->indirect || (descriptor->flags & VIRTQ_DESCRIPTOR_NEXT) != 0)
		return refuse(queue, "indirect descriptor inside a table, or with a next one",
			      descriptor->flags);
	if (count == 0 || descriptor->length % sizeof *descriptor != 0)
		return refuse(queue, "indirect table whose length is no multiple of 16", descriptor->length);
	*table = (struct table){descriptor->address, count, true};
	return true;
}

bool virtio_chain_parse(struct virtio_queue *queue, uint32_t n, struct virtio_chain *chain)
{
	struct table table = {queue->descriptors, queue->size, false};
	uint32_t at = queue->heads[(queue->first + n) % VIRTIO_QUEUE_SIZE];

	chain->head = (uint16_t)at;
	chain->count = chain->first_written = chain->readable = chain->writable = 0;
	/* Bounded: each turn but one adds a descriptor. */
	for (;;) {
		struct virtq_descriptor descriptor;

		if (at >= table.size)
			return refuse(queue, "next descriptor outside the table", at);
		if (!hvh_memory_read(queue->device->partition, table.gpa + at * sizeof descriptor,
				     &descriptor, sizeof descriptor))
			return refuse(queue, "descriptor that is not in RAM", table.gpa);
		if ((descriptor.flags &
		     ~(VIRTQ_DESCRIPTOR_NEXT | VIRTQ_DESCRIPTOR_WRITE | VIRTQ_DESCRIPTOR_INDIRECT)) != 0)
			return refuse(queue, "descriptor with unknown flags", descriptor.flags);
		at = descriptor.next;
		if ((descriptor.flags & VIRTQ_DESCRIPTOR_INDIRECT) != 0) {
			if (!enter_table(queue, &table, &descriptor))
				return false;
			at = 0;
			continue;
		}
		if (!add(queue, chain, &descriptor))
			return false;
		if ((descriptor.flags & VIRTQ_DESCRIPTOR_NEXT) == 0)
			return true;
	}
}

/* --- What is in it ---------------------------------------------------------------------------------- */

struct walk {
	uint32_t piece, end, offset; /* offset: in the piece */
};

static bool find(const struct virtio_chain *chain, bool write, uint32_t offset, uint32_t length,
		 struct walk *walk)
{
	uint32_t whole = write ? chain->writable : chain->readable;

	if (offset > whole || length > whole - offset)
		return false;
	walk->piece = write ? chain->first_written : 0;
	walk->end = write ? chain->count : chain->first_written;
	while (walk->piece < walk->end && offset >= chain->pieces[walk->piece].length)
		offset -= chain->pieces[walk->piece++].length;
	walk->offset = offset;
	return true;
}

/* The next part that lies in one piece. */
static uint64_t step(const struct virtio_chain *chain, struct walk *walk, uint32_t length, uint32_t *part)
{
	const struct virtio_piece *piece = &chain->pieces[walk->piece];
	uint64_t gpa = piece->gpa + walk->offset;

	*part = piece->length - walk->offset < length ? piece->length - walk->offset : length;
	walk->offset += *part;
	if (walk->offset == piece->length) {
		walk->piece++;
		walk->offset = 0;
	}
	return gpa;
}

bool virtio_chain_read(struct virtio_queue *queue, const struct virtio_chain *chain, uint32_t offset,
		       void *to, uint32_t length)
{
	uint8_t *bytes = to;
	struct walk walk;
	uint32_t part;

	if (!find(chain, false, offset, length, &walk))
		return false;
	for (; length > 0; length -= part, bytes += part) {
		uint64_t gpa = step(chain, &walk, length, &part);

		if (!hvh_memory_read(queue->device->partition, gpa, bytes, part))
			return refuse(queue, "buffer that is not RAM", gpa);
	}
	return true;
}

bool virtio_chain_write(struct virtio_queue *queue, const struct virtio_chain *chain, uint32_t offset,
			const void *from, uint32_t length)
{
	const uint8_t *bytes = from;
	struct walk walk;
	uint32_t part;

	if (!find(chain, true, offset, length, &walk))
		return false;
	for (; length > 0; length -= part, bytes += part) {
		uint64_t gpa = step(chain, &walk, length, &part);

		if (!hvh_memory_write(queue->device->partition, gpa, bytes, part))
			return refuse(queue, "buffer that is not RAM", gpa);
	}
	return true;
}
