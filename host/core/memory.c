/* SPDX-License-Identifier: MIT */
/*
 * Guest memory: page by page through the embedder's translate. Another CPU may
 * rewrite anything meanwhile, so bytes are copied once and looked at only in the
 * copy, and words that both sides use are atomics.
 */
#include <stdatomic.h>
#include <string.h>

#include "host/core/state.h"
#include "hvkit/wire/wire.h"

#define WORD_BYTES 4u

static void *reach(struct hvh_partition *partition, uint64_t gpa, uint32_t length, bool write)
{
	if (write && partition->unowned_write != NULL)
		partition->unowned_write(partition, gpa);
	return partition->ops.translate(partition->ops.context, gpa, length, write);
}

/* How many of length bytes at gpa lie in its page; 0 if they would pass 2^64. */
static uint32_t in_page(uint64_t gpa, uint32_t length)
{
	uint32_t room = HVK_PAGE_SIZE - (uint32_t)(gpa & (HVK_PAGE_SIZE - 1u));
	if (length != 0 && gpa > UINT64_MAX - (length - 1u))
		return 0;
	return length < room ? length : room;
}

/* The compiler must not see that it is at most a page: it would take a string instruction,
 * which is slow for what is short or unaligned. */
static void copy(void *to, const void *from, volatile uint32_t length)
{
	memcpy(to, from, length);
}

bool hvh_memory_read(struct hvh_partition *partition, uint64_t gpa, void *to, uint32_t length)
{
	uint8_t *bytes = to;
	while (length > 0) {
		uint32_t part = in_page(gpa, length);
		const void *from = part != 0 ? reach(partition, gpa, part, false) : NULL;
		if (from == NULL)
			return false;
		copy(bytes, from, part);
		atomic_signal_fence(memory_order_seq_cst); /* the compiler must not read it again */
		bytes += part;
		gpa += part;
		length -= part;
	}
	return true;
}

bool hvh_memory_write(struct hvh_partition *partition, uint64_t gpa, const void *from, uint32_t length)
{
	const uint8_t *bytes = from;
	while (length > 0) {
		uint32_t part = in_page(gpa, length);
		void *to = part != 0 ? reach(partition, gpa, part, true) : NULL;
		if (to == NULL)
			return false;
		copy(to, bytes, part);
		bytes += part;
		gpa += part;
		length -= part;
	}
	return true;
}

static _Atomic uint32_t *word(struct hvh_partition *partition, uint64_t gpa, bool write)
{
	if (gpa % WORD_BYTES != 0)
		return NULL;
	return reach(partition, gpa, WORD_BYTES, write);
}

bool hvh_memory_load32(struct hvh_partition *partition, uint64_t gpa, uint32_t *value)
{
	_Atomic uint32_t *shared = word(partition, gpa, false);
	if (shared == NULL)
		return false;
	*value = atomic_load_explicit(shared, memory_order_acquire);
	return true;
}

bool hvh_memory_store32(struct hvh_partition *partition, uint64_t gpa, uint32_t value)
{
	_Atomic uint32_t *shared = word(partition, gpa, true);
	if (shared == NULL)
		return false;
	atomic_store_explicit(shared, value, memory_order_release);
	return true;
}

static _Atomic uint16_t *half_word(struct hvh_partition *partition, uint64_t gpa, bool write)
{
	if (gpa % sizeof(uint16_t) != 0)
		return NULL;
	return reach(partition, gpa, (uint32_t)sizeof(uint16_t), write);
}

bool hvh_memory_load16(struct hvh_partition *partition, uint64_t gpa, uint16_t *value)
{
	_Atomic uint16_t *shared = half_word(partition, gpa, false);
	if (shared == NULL)
		return false;
	*value = atomic_load_explicit(shared, memory_order_acquire);
	return true;
}

bool hvh_memory_store16(struct hvh_partition *partition, uint64_t gpa, uint16_t value)
{
	_Atomic uint16_t *shared = half_word(partition, gpa, true);
	if (shared == NULL)
		return false;
	atomic_store_explicit(shared, value, memory_order_release);
	return true;
}

bool hvh_memory_or8(struct hvh_partition *partition, uint64_t gpa, uint8_t bits, uint8_t *before)
{
	_Atomic uint8_t *shared = reach(partition, gpa, 1, true);
	if (shared == NULL)
		return false;
	*before = atomic_fetch_or_explicit(shared, bits, memory_order_seq_cst);
	return true;
}

bool hvh_memory_or32(struct hvh_partition *partition, uint64_t gpa, uint32_t bits, uint32_t *before)
{
	_Atomic uint32_t *shared = word(partition, gpa, true);
	if (shared == NULL)
		return false;
	*before = atomic_fetch_or_explicit(shared, bits, memory_order_seq_cst);
	return true;
}

bool hvh_memory_and32(struct hvh_partition *partition, uint64_t gpa, uint32_t bits, uint32_t *before)
{
	_Atomic uint32_t *shared = word(partition, gpa, true);
	if (shared == NULL)
		return false;
	*before = atomic_fetch_and_explicit(shared, bits, memory_order_seq_cst);
	return true;
}

void hvh_memory_barrier(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}
