/* SPDX-License-Identifier: MIT */
/*
 * The only way to touch memory that the host can write.
 *
 * No other function of guest/ takes a pointer into such memory: drivers keep a
 * struct hvk_shared and name offsets in it. Whatever is read is read once, into a
 * private copy, checked, then used. An offset outside the region is our own bug, not
 * the host's (offsets from the host are checked before they come here), and asserts.
 *
 * With HVK_SWITCH_POINTS each access may hand the CPU to somebody else: this is how
 * the deterministic port lets the host, other CPUs and interrupts in at every point
 * where a real machine would.
 */
#ifndef HVK_CORE_HOST_MEMORY_H
#define HVK_CORE_HOST_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/core/assert.h"

#ifdef HVK_SWITCH_POINTS
void hvk_switch_point(void); /* the port's */
#else
static inline void hvk_switch_point(void)
{
}
#endif

/* The four functions that every freestanding environment has. */
void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

/* A freestanding compiler takes them for unknown functions; by these names it knows them, and
 * copies a few bytes without a call. */
#ifndef __CPROVER__
#define memcpy(to, from, bytes) __builtin_memcpy((to), (from), (bytes))
#define memmove(to, from, bytes) __builtin_memmove((to), (from), (bytes))
#define memset(to, value, bytes) __builtin_memset((to), (value), (bytes))
#define memcmp(a, b, bytes) __builtin_memcmp((a), (b), (bytes))
#endif

struct hvk_shared {
	uint8_t *base; /* nobody but this header dereferences it */
	uint32_t size;
};

static inline bool hvk_shared_holds(const struct hvk_shared *shared, uint32_t offset, uint32_t length)
{
	return length <= shared->size && offset <= shared->size - length;
}

/* A part of a region, as a region. */
static inline struct hvk_shared hvk_shared_part(const struct hvk_shared *shared, uint32_t offset,
						uint32_t length)
{
	HVK_ASSERT(hvk_shared_holds(shared, offset, length));
	return (struct hvk_shared){shared->base + offset, length};
}

static inline void hvk_shared_read(const struct hvk_shared *shared, uint32_t offset, void *to,
				   uint32_t length)
{
	HVK_ASSERT(hvk_shared_holds(shared, offset, length));
	hvk_switch_point();
	memcpy(to, shared->base + offset, length);
	atomic_signal_fence(memory_order_seq_cst); /* the compiler must not read it again */
}

/* The one way out of this header: for memory that is lent to somebody who trusts the host
 * (rx_borrow). Nothing in guest/ reads through it. */
static inline const uint8_t *hvk_shared_lend(const struct hvk_shared *shared, uint32_t offset,
					     uint32_t length)
{
	HVK_ASSERT(hvk_shared_holds(shared, offset, length));
	(void)length;
	return shared->base + offset;
}

static inline void hvk_shared_write(const struct hvk_shared *shared, uint32_t offset, const void *from,
				    uint32_t length)
{
	HVK_ASSERT(hvk_shared_holds(shared, offset, length));
	hvk_switch_point();
	memcpy(shared->base + offset, from, length);
}

static inline void hvk_shared_zero(const struct hvk_shared *shared, uint32_t offset, uint32_t length)
{
	HVK_ASSERT(hvk_shared_holds(shared, offset, length));
	hvk_switch_point();
	memset(shared->base + offset, 0, length);
}

static inline _Atomic uint32_t *hvk_shared_word(const struct hvk_shared *shared, uint32_t offset)
{
	HVK_ASSERT(hvk_shared_holds(shared, offset, 4) && offset % 4 == 0);
	hvk_switch_point();
	return (_Atomic uint32_t *)(void *)(shared->base + offset);
}

static inline uint32_t hvk_shared_load(const struct hvk_shared *shared, uint32_t offset)
{
	return atomic_load_explicit(hvk_shared_word(shared, offset), memory_order_relaxed);
}

/* What the host wrote before it wrote this word is visible afterwards. */
static inline uint32_t hvk_shared_load_acquire(const struct hvk_shared *shared, uint32_t offset)
{
	return atomic_load_explicit(hvk_shared_word(shared, offset), memory_order_acquire);
}

static inline void hvk_shared_store(const struct hvk_shared *shared, uint32_t offset, uint32_t value)
{
	atomic_store_explicit(hvk_shared_word(shared, offset), value, memory_order_relaxed);
}

/* What we wrote before is visible to a host that sees this word. */
static inline void hvk_shared_store_release(const struct hvk_shared *shared, uint32_t offset, uint32_t value)
{
	atomic_store_explicit(hvk_shared_word(shared, offset), value, memory_order_release);
}

static inline uint32_t hvk_shared_exchange(const struct hvk_shared *shared, uint32_t offset, uint32_t value)
{
	return atomic_exchange_explicit(hvk_shared_word(shared, offset), value, memory_order_seq_cst);
}

/* Stores value if expected is there; tells whether it was. */
static inline bool hvk_shared_compare_exchange(const struct hvk_shared *shared, uint32_t offset,
					       uint32_t expected, uint32_t value)
{
	return atomic_compare_exchange_strong(hvk_shared_word(shared, offset), &expected, value);
}

static inline uint32_t hvk_shared_or(const struct hvk_shared *shared, uint32_t offset, uint32_t bits)
{
	return atomic_fetch_or_explicit(hvk_shared_word(shared, offset), bits, memory_order_seq_cst);
}

static inline uint32_t hvk_shared_and(const struct hvk_shared *shared, uint32_t offset, uint32_t bits)
{
	return atomic_fetch_and_explicit(hvk_shared_word(shared, offset), bits, memory_order_seq_cst);
}

/* Between a store of ours and a later load of ours that the host must see in this
 * order: index and mask, message type and pending flag. */
static inline void hvk_full_barrier(void)
{
	atomic_thread_fence(memory_order_seq_cst);
	hvk_switch_point();
}

#endif
