/* SPDX-License-Identifier: MIT */
/*
 * Memory that the host can write, with the worst host there is: whatever we read is any
 * value at all, each time anew. It stands in for guest/core/host_memory.h, whose own
 * functions are proved in shared_memory/; what a proof shows with it does not depend on a
 * value being the same when it is read twice. Include it first, then the .c file.
 */
#ifndef TESTS_PROOFS_HOSTILE_H
#define TESTS_PROOFS_HOSTILE_H

#include "tests/proofs/proof.h"

#include "guest/core/assert.h"

#define HVK_CORE_HOST_MEMORY_H /* this file takes its place */

struct hvk_shared {
	uint8_t *base;
	uint32_t size;
};

#define HOSTILE_HOLDS(shared, offset, length) \
	PROVE((length) <= (shared)->size && (offset) <= (shared)->size - (length))
#define HOSTILE_WORD(shared, offset)               \
	do {                                       \
		HOSTILE_HOLDS(shared, offset, 4u); \
		PROVE((offset) % 4u == 0);         \
	} while (0)

static inline struct hvk_shared hvk_shared_part(const struct hvk_shared *shared, uint32_t offset,
						uint32_t length)
{
	HOSTILE_HOLDS(shared, offset, length);
	return (struct hvk_shared){NULL, length};
}

static inline void hvk_shared_read(const struct hvk_shared *shared, uint32_t offset, void *to,
				   uint32_t length)
{
	HOSTILE_HOLDS(shared, offset, length);
	if (length != 0) {
		PROVE(__CPROVER_w_ok(to, length));
		__CPROVER_havoc_slice(to, length);
	}
}

static inline void hvk_shared_write(const struct hvk_shared *shared, uint32_t offset, const void *from,
				    uint32_t length)
{
	HOSTILE_HOLDS(shared, offset, length);
	PROVE(length == 0 || __CPROVER_r_ok(from, length));
}

static inline void hvk_shared_zero(const struct hvk_shared *shared, uint32_t offset, uint32_t length)
{
	HOSTILE_HOLDS(shared, offset, length);
}

static inline uint32_t hvk_shared_load(const struct hvk_shared *shared, uint32_t offset)
{
	HOSTILE_WORD(shared, offset);
	return nondet_u32();
}

static inline uint32_t hvk_shared_load_acquire(const struct hvk_shared *shared, uint32_t offset)
{
	HOSTILE_WORD(shared, offset);
	return nondet_u32();
}

static inline void hvk_shared_store(const struct hvk_shared *shared, uint32_t offset, uint32_t value)
{
	(void)value;
	HOSTILE_WORD(shared, offset);
}

static inline void hvk_shared_store_release(const struct hvk_shared *shared, uint32_t offset, uint32_t value)
{
	(void)value;
	HOSTILE_WORD(shared, offset);
}

static inline void hvk_full_barrier(void)
{
}

void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

#endif
