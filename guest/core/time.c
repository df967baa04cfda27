/* SPDX-License-Identifier: MIT */
/*
 * The clock. The host can make it jump or stand still; it cannot make it go back,
 * and a clock that stands still is replaced (hvk_poll on the contact CPU looks).
 */
#include "guest/core/state.h"

#define TSC_PAGE_TRIES 3u
/* The host's clock is believed up to here (14,000 years away), so that sums of times never wrap and no
 * time is HVK_NEVER. */
#define HOST_TIME_MAX (UINT64_MAX / 4)
/* The host's clock is given up when ours went this many times as fast, over this long at
 * least (2 s). */
#define CLOCK_SLOWNESS_MAX 16u
#define CLOCK_CHECK_TICKS (2u * HVK_TIME_PER_SECOND)

/* (a * b) >> 64 without asking for a 128-bit type, which 32-bit targets lack. */
static uint64_t multiply_high(uint64_t a, uint64_t b)
{
	uint64_t a_low = (uint32_t)a, a_high = a >> 32;
	uint64_t b_low = (uint32_t)b, b_high = b >> 32;
	uint64_t middle = a_high * b_low + ((a_low * b_low) >> 32);
	uint64_t other = a_low * b_high + (uint32_t)middle;

	return a_high * b_high + (middle >> 32) + (other >> 32);
}

/* TLFS, "Partition Reference TSC Mechanism": the sequence before and after must be the
 * same and not 0. A hypervisor that changes it all the time does not hold us here. */
static bool tsc_page_time(struct hvk *hvk, uint64_t *time)
{
	const struct hvk_shared *page = &hvk->hypervisor.tsc;
	struct hv_reference_tsc_page copy;

	for (unsigned i = 0; i < TSC_PAGE_TRIES; i++) {
		uint32_t sequence = hvk_shared_load_acquire(page, 0);
		uint64_t tsc;

		if (sequence == 0)
			return false;
		hvk_shared_read(page, 0, &copy, sizeof(copy));
		tsc = hvk->port.tsc(hvk->port.context);
		/* Acquire orders what follows only: the copy is kept in front of this load by
		 * the tsc callback, which is ordered after earlier loads, and by the compiler
		 * barrier in hvk_shared_read. */
		if (hvk_shared_load_acquire(page, 0) == sequence) {
			*time = multiply_high(tsc, copy.scale) + (uint64_t)copy.offset;
			return true;
		}
	}
	return false;
}

/* Ticks of our own: the port's clock, or pauses counted. */
static uint64_t own_ticks(struct hvk *hvk)
{
	if (hvk->port.clock_ns)
		return hvk->port.clock_ns(hvk->port.context) / HVK_NS_PER_TICK;
	return __atomic_load_n(&hvk->soft_time, __ATOMIC_RELAXED);
}

static uint64_t own_time(struct hvk *hvk)
{
	return own_ticks(hvk) + hvk->own_offset;
}

/* A time that cannot be is none: the clock stands still, and hvk_clock_check will notice.
 * Our own goes on from wherever the host's stood, past the limit too. */
static uint64_t believed(const struct hvk *hvk, uint64_t time)
{
	return time <= HOST_TIME_MAX ? time : __atomic_load_n(&hvk->last_time, __ATOMIC_RELAXED);
}

static bool host_time(struct hvk *hvk, uint64_t *time)
{
	if (hvk->hypervisor.info.reference_tsc && tsc_page_time(hvk, time))
		return true;
	return hvk->hypervisor.info.reference_counter &&
	       hvk->port.reg_read(hvk->port.context, HVK_REG_REFERENCE_COUNTER, time) == HVK_OK;
}

static uint64_t source_time(struct hvk *hvk)
{
	uint64_t time;

	if (!hvk->hypervisor.started || __atomic_load_n(&hvk->clock_broken, __ATOMIC_ACQUIRE) ||
	    !host_time(hvk, &time))
		return own_time(hvk);
	return believed(hvk, time);
}

uint64_t hvk_time(struct hvk *hvk)
{
	uint64_t time = source_time(hvk);
	uint64_t last = __atomic_load_n(&hvk->last_time, __ATOMIC_RELAXED);

	while (time > last) {
		if (__atomic_compare_exchange_n(&hvk->last_time, &last, time, true, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return time;
	}
	return last;
}

void hvk_clock_reset(struct hvk *hvk)
{
	hvk->last_time = 0; /* the host's clock has a beginning of its own */
	hvk->checked_own = own_ticks(hvk);
	hvk->checked_time = hvk_time(hvk);
}

/* A host that stops its clock must not stop us: from then on time is our own, and goes
 * on from where the host's stood. */
void hvk_clock_check(struct hvk *hvk)
{
	uint64_t own = own_ticks(hvk) - hvk->checked_own;
	uint64_t now, shown;

	if (own < CLOCK_CHECK_TICKS || hvk->clock_broken)
		return;
	now = hvk_time(hvk);
	shown = now - hvk->checked_time;
	hvk->checked_own += own;
	hvk->checked_time = now;
	if (shown >= own / CLOCK_SLOWNESS_MAX)
		return;
	(void)hvk_fault(hvk, HVK_EHOST_CLOCK, "%llu ticks passed where %llu should have",
			(unsigned long long)shown, (unsigned long long)own);
	hvk->own_offset = now - hvk->checked_own;
	__atomic_store_n(&hvk->clock_broken, true, __ATOMIC_RELEASE);
}

void hvk_pause(struct hvk *hvk)
{
	hvk->port.pause(hvk->port.context);
	(void)__atomic_fetch_add(&hvk->soft_time,
				 (hvk->port.pause_ns + HVK_NS_PER_TICK - 1) / HVK_NS_PER_TICK,
				 __ATOMIC_RELAXED);
}
