/* SPDX-License-Identifier: MIT */
/*
 * What every driver in guest/ uses of the instance: log, faults, memory, locks,
 * timers, finishing requests. Private to guest/.
 */
#ifndef HVK_CORE_CORE_H
#define HVK_CORE_CORE_H

#include "guest/core/assert.h"
#include "guest/core/host_memory.h"
#include "hvkit/hvkit.h"

/* --- Log and faults ----------------------------------------------------------- */

/* One line, at most 199 characters; nothing is formatted above hvk_config.log_level.
 * Conversions: %s %c %u %d %x %lu %lx %llu %llx %zu %%, with an optional 0 and width for
 * numbers (%04x). Any context. */
void hvk_log(struct hvk *hvk, enum hvk_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Before there is an instance: an error by that port's log. NULL: nobody to tell. Task context. */
void hvk_log_refusal(const struct hvk_port *port, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The host misbehaved: counts, logs (the first few per status and then rarely), and
 * returns status, so that a check reads `return hvk_fault(hvk, HVK_EHOST_..., ...)`.
 * Any context. */
hvk_status hvk_fault(struct hvk *hvk, hvk_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* HVK_CONFIG_SMALL, for boot loaders that count bytes: no text. Nothing is logged, faults are
 * counted all the same, and statuses have no names. */
#ifdef HVK_CONFIG_SMALL
hvk_status hvk_fault_count(struct hvk *hvk, hvk_status status);
#define hvk_log(...) (0 ? (hvk_log)(__VA_ARGS__) : (void)0)
#define hvk_log_refusal(...) (0 ? (hvk_log_refusal)(__VA_ARGS__) : (void)0)
#define hvk_fault(hvk, status, ...) \
	(0 ? (hvk_fault)((hvk), (status), __VA_ARGS__) : hvk_fault_count((hvk), (status)))
#endif

/* snprintf for dumps: the conversions of hvk_log. Returns to. */
const char *hvk_format(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* --- Memory -------------------------------------------------------------------- */

/* Pages by the port, zeroed here, once; shared with the host (L3) unless private. Task context. */
hvk_status hvk_pages_get(struct hvk *hvk, uint32_t count, enum hvk_page_use use, struct hvk_pages *out);
/* Gives them back; zero pages are nothing to do. */
void hvk_pages_put(struct hvk *hvk, struct hvk_pages *pages);
/* The host may still write them: never given back, counted. HVK_EQUARANTINE if the
 * list is full or past quarantine_pages_max (they are withheld all the same). */
hvk_status hvk_pages_quarantine(struct hvk *hvk, struct hvk_pages *pages);
/* HVK_EQUARANTINE while too much is withheld: asked before anything new is shared. */
hvk_status hvk_quarantine_check(struct hvk *hvk);

static inline struct hvk_shared hvk_pages_shared(const struct hvk_pages *pages)
{
	return (struct hvk_shared){(uint8_t *)pages->address, pages->count * HVK_PAGE_SIZE};
}

uint64_t hvk_page_gpa(struct hvk *hvk, const struct hvk_pages *pages, uint32_t index);
hvk_status hvk_random(struct hvk *hvk, void *out, size_t bytes);

/* --- Locks: interrupt-safe; nothing at L0 --------------------------------------- */

hvk_status hvk_lock_init(struct hvk *hvk, struct hvk_lock *lock);
void hvk_lock(struct hvk *hvk, struct hvk_lock *lock);
void hvk_unlock(struct hvk *hvk, struct hvk_lock *lock);

/* --- Timers: fire in hvk_poll of their CPU ---------------------------------------- */

struct hvk_timer {
	void (*fire)(struct hvk_timer *timer, void *context);
	void *context;
	uint64_t deadline; /* hvk_time() units; HVK_NEVER = not running */
	uint32_t cpu;
	struct hvk_timer *next;
};

/* Fires once, delay_ms from now. Starting a running timer moves it. On stop it will
 * not fire any more when called on its own CPU. Task context or callback. */
void hvk_timer_start(struct hvk *hvk, struct hvk_timer *timer, uint32_t cpu, uint32_t delay_ms);
void hvk_timer_stop(struct hvk *hvk, struct hvk_timer *timer);
static inline bool hvk_timer_running(const struct hvk_timer *timer)
{
	return timer->fire != NULL && timer->deadline != HVK_NEVER;
}

/* --- Pollers: devices that have no channel ------------------------------------------- */

/* Work in hvk_poll of one CPU: whenever it was kicked, or (always) each time. run returns true if it
 * stopped with work left. The owner sets the first four and zeroes the rest. */
struct hvk_poller {
	bool (*run)(struct hvk_poller *poller, void *context);
	void *context;
	uint32_t cpu;
	bool always; /* polled devices: hvk_next_deadline says every HVK_POLLER_MS */
	/* core's, under that CPU's lock */
	bool kicked, leaving;
	struct hvk_request *left;
	uint32_t left_cpu;
	struct hvk_poller *next;
};
#define HVK_POLLERS_MAX 1024u /* on one CPU */
#define HVK_POLLER_MS 1u

/* HVK_ESTATE: that CPU does not run; HVK_ELIMIT. Task context or callback, any CPU. */
hvk_status hvk_poller_add(struct hvk *hvk, struct hvk_poller *poller);
/* The request finishes, on done_cpu, once the poller does not run any more and never will: its memory is
 * the owner's again. Task context or callback, any CPU. */
void hvk_poller_remove(struct hvk *hvk, struct hvk_poller *poller, struct hvk_request *request,
		       uint32_t done_cpu);
/* It runs in the next hvk_poll of its CPU. Any context. */
void hvk_poller_kick(struct hvk *hvk, struct hvk_poller *poller);

/* A vector of hvk_config.device_vector_first and following on the poller's CPU, whose interrupt kicks it
 * (hvk_interrupt_device). HVK_ELEVEL: none were configured; HVK_ELIMIT: none is left. A poller may have
 * several. Given back by number; do so before the poller is removed. Task context or callback, any CPU. */
#define HVK_DEVICE_VECTORS_MAX 64u
hvk_status hvk_vector_take(struct hvk *hvk, struct hvk_poller *poller, uint8_t *vector);
void hvk_vector_give_back(struct hvk *hvk, uint32_t cpu, uint8_t vector);

/* --- Device memory, PCI domains, device interrupts -------------------------------------------- */

/* size bytes (a power of two, 4096 or more) at a multiple of it, in hvk_config.mmio_windows and outside
 * what is reserved: above 4 GiB first if wide, else below. HVK_ELIMIT: there is no such room. Any context
 * but interrupt. */
hvk_status hvk_mmio_take(struct hvk *hvk, uint64_t size, bool wide, uint64_t *address);
void hvk_mmio_give_back(struct hvk *hvk, uint64_t address);
/* By the port, which has both (checked when a bus is created). */
uint64_t hvk_mmio_read(struct hvk *hvk, uint64_t address, unsigned width);
void hvk_mmio_write(struct hvk *hvk, uint64_t address, unsigned width, uint64_t value);
bool hvk_mmio_available(const struct hvk *hvk);
/* The domain that is wanted, or the next that is free; never 0. */
uint16_t hvk_domain_take(struct hvk *hvk, uint16_t wanted);
void hvk_domain_give_back(struct hvk *hvk, uint16_t domain);
/* HvCallRetargetDeviceInterrupt: of that device, by its address and data, to that vector on that CPU. */
hvk_status hvk_interrupt_retarget(struct hvk *hvk, uint64_t device, uint32_t address, uint32_t data,
				  uint8_t vector, uint32_t cpu);
uint32_t hvk_cpu_vp_index(const struct hvk *hvk, uint32_t cpu); /* what the host calls it */

/* --- Requests ------------------------------------------------------------------------ */

/* Marks it in progress. */
void hvk_request_begin(struct hvk_request *request);
/* Finishes it: done runs in hvk_poll of that CPU, never inside this call. A NULL request
 * is allowed: nobody wants to know. Any context but interrupt. */
void hvk_request_finish(struct hvk *hvk, struct hvk_request *request, hvk_status status, uint32_t cpu);

const struct hvk_timeouts *hvk_timeouts(const struct hvk *hvk); /* defaults filled in */
uint32_t hvk_cpu_count(const struct hvk *hvk);                  /* CPU indices are below */
uint32_t hvk_cpu_index(struct hvk *hvk);                        /* of the caller; 0 without L1 */
bool hvk_cpu_runs(const struct hvk *hvk, uint32_t cpu);         /* started, and not stopped since */
/* Of the port, for a loop that waits for another CPU; counted for a guest without a clock. */
void hvk_pause(struct hvk *hvk);

/* --- Checked arithmetic ---------------------------------------------------------------- */

/* True if offset + length fits into size; no overflow whatever the values. */
static inline bool hvk_fits(uint32_t offset, uint32_t length, uint32_t size)
{
	return length <= size && offset <= size - length;
}

static inline uint32_t hvk_round_up8(uint32_t value)
{
	return (value + 7u) & ~7u;
}

static inline uint32_t hvk_min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t hvk_max32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

#endif
