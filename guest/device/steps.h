/* SPDX-License-Identifier: MIT */
/*
 * Bringing a device up or down as a table: each row a step, begun, then waiting for the one event
 * that it named, until that comes or its time is over.
 *
 * All of it runs in hvk_poll of one CPU; what ends a step elsewhere is brought there first
 * (hvk_steps_owner.enter).
 */
#ifndef HVK_DEVICE_STEPS_H
#define HVK_DEVICE_STEPS_H

#include "guest/core/core.h"

/* What a step waits for; the device's own follow. */
#define HVK_STEPS_NOTHING 0u
#define HVK_STEPS_REQUEST 1u /* a request to vmbus: cannot be given up */
#define HVK_STEPS_OWN 2u

#define HVK_STEPS_ELSEWHERE 0u /* hvk_step.wait: what was asked for has a bound of its own */
#define HVK_STEPS_RETRY_MS 1u

struct hvk_answer {
	hvk_status status;
	const uint8_t *payload;
	uint32_t length;
};

struct hvk_step {
	const char *name;
	/* NULL: always. */
	bool (*wanted)(const void *device);
	/* HVK_OK: done. HVK_EINPROGRESS: an answer will come, hvk_steps.event says which.
	 * HVK_EAGAIN: the ring is full, begin again when there is room. */
	hvk_status (*begin)(void *device);
	/* HVK_OK: done. HVK_EAGAIN: begin again. NULL: the answer's status alone counts. */
	hvk_status (*answered)(void *device, const struct hvk_answer *answer);
	uint32_t wait;        /* HVK_STEPS_ELSEWHERE, or what hvk_steps_owner.wait_ms knows */
	hvk_status timed_out; /* the status when the wait is over */
	bool optional;        /* no failure of it matters */
};

struct hvk_sequence {
	const struct hvk_step *steps;
	uint32_t count;
	/* Returns the sequence to go on with, which may have no steps. NULL if all are optional. */
	const struct hvk_sequence *(*failed)(void *device, hvk_status status);
	void (*finished)(void *device);
};

struct hvk_steps_owner {
	const char *name;
	/* False: not now, or not on this CPU; it comes again on the device's. */
	bool (*enter)(void *device);
	void (*leave)(void *device);
	uint32_t (*wait_ms)(const void *device, uint32_t wait);
	/* Nothing is awaited any more; an answer that comes all the same counts as late. */
	void (*stopped)(void *device);
	/* True if that event cannot be given up: it comes in bounded time, and must be known. */
	bool (*must_come)(const void *device, uint32_t event);
	void (*fault)(void *device, hvk_status status, const char *what);
};

struct hvk_steps {
	struct hvk *hvk;
	void *device;
	const struct hvk_steps_owner *owner;
	uint32_t cpu;
	const struct hvk_sequence *sequence; /* NULL: none runs */
	uint32_t step;
	uint32_t event;
	bool begin_again;
	hvk_status interrupted; /* to fail with as soon as the awaited answer is there */
	struct hvk_timer timer;
	bool timed; /* it was started for this step */
	/* The timer fired where the owner could not be entered: hvk_steps_time is to be called where it can.
	 * NULL: the timer tries again. */
	void (*late)(void *device);
	struct hvk_request request;
};

void hvk_steps_init(struct hvk_steps *steps, struct hvk *hvk, uint32_t cpu, void *device,
		    const struct hvk_steps_owner *owner);
void hvk_steps_start(struct hvk_steps *steps, const struct hvk_sequence *sequence);
/* What the step waits for has come; ignored if it waits for something else. */
void hvk_steps_answer(struct hvk_steps *steps, uint32_t event, const struct hvk_answer *answer);
/* There may be room in the ring. */
void hvk_steps_room(struct hvk_steps *steps);
/* The timer has fired. */
void hvk_steps_time(struct hvk_steps *steps);
/* The step fails at once, or as soon as it may. A sequence that cannot fail only ends its wait. */
void hvk_steps_interrupt(struct hvk_steps *steps, hvk_status status);
/* A request that a step gives to vmbus. */
struct hvk_request *hvk_steps_request(struct hvk_steps *steps);
const char *hvk_steps_name(const struct hvk_steps *steps);

#endif
