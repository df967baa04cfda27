/* SPDX-License-Identifier: MIT */
/*
 * The books of numbered flows: what was sent in each, each way, and what of it came. Nothing may come
 * twice or changed, and nothing may be lost or out of order but for a reason that the test has given.
 * Any thread.
 */
#ifndef TESTS_SUPPORT_FLOWS_H
#define TESTS_SUPPORT_FLOWS_H

#include <pthread.h>

#include "tests/support/flow_frames.h"

#define FLOW_RECORDS 512u /* frames of a flow in one direction, in one run */
#define FLOW_WRONG 200u

struct flow_record {
	uint32_t offset, length;
	uint32_t got;    /* bytes that came */
	uint32_t losses; /* flows.losses when it was sent */
	uint32_t links;
	uint64_t sent; /* when */
	bool over;     /* the sender was told of its end */
	bool bad;      /* its checksum is wrong, on purpose */
};

struct flow_side {
	struct flow_record records[FLOW_RECORDS];
	uint32_t count;
	uint32_t latest; /* the last that came, + 1 */
};

struct flow_totals {
	uint64_t sent, arrived, joined, cut; /* frames; of several records; of a part of one */
	uint64_t lost, canceled, disordered; /* each with a reason */
};

struct flows {
	pthread_mutex_t lock;
	struct flow_side sides[2][FLOWS_MAX];
	struct flow_totals totals[2];
	/* Whatever may lose frames: bumped as it begins and ends. links: those that the host drops and calls
	 * sent. */
	uint32_t losses, links;
	uint32_t losing, linkless; /* such that go on */
	uint64_t unsteady_until;   /* flows may change their queues */
	char wrong[FLOW_WRONG];    /* the first thing that may not be */
};

void flows_init(struct flows *flows);
void flows_destroy(struct flows *flows);

/* A record for a frame of that payload about to be sent: its number, or FLOW_RECORDS: no more. One
 * sender per flow and direction at a time. *offset: of its first byte. */
uint32_t flows_send(struct flows *flows, enum flow_direction direction, uint32_t flow, uint32_t payload,
		    bool bad, uint64_t now, uint32_t *offset);
/* It was not sent after all; the next one has its place. */
void flows_take_back(struct flows *flows, enum flow_direction direction, uint32_t flow);

enum flow_end { FLOW_END_SENT, FLOW_END_CANCELED, FLOW_END_REFUSED };
/* The driver is done with it. */
void flows_done(struct flows *flows, uint32_t flow, uint32_t record, enum flow_end end);

/* It came. whole: of no record a part alone. Returns the first record that it covers, or NULL. */
const struct flow_record *flows_arrived(struct flows *flows, enum flow_direction direction,
					const struct flow_frame *frame, bool whole, uint64_t now);

/* Frames may get lost, from before this was called until after the end. link: also those that the
 * driver is told were sent. */
void flows_losing(struct flows *flows, bool link, uint64_t now);
void flows_losing_ends(struct flows *flows, bool link);
/* Until then a frame may overtake another of its flow. */
void flows_unsteady(struct flows *flows, uint64_t until);
bool flows_are_steady(struct flows *flows, uint64_t now);

/* Everything that was sent has come, or been lost for a reason. */
bool flows_at_rest(struct flows *flows);
/* At the end, when all should have come. */
void flows_finish(struct flows *flows);

void flows_fail(struct flows *flows, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool flows_failed(struct flows *flows);

#endif
