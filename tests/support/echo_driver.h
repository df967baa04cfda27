/* SPDX-License-Identifier: MIT */
/*
 * A driver of the echo device for tests: a primary channel and its sub-channels, numbered
 * messages through each, and everything that must hold counted. Operations are asked for
 * and finish later; echo_turn looks at them, on the contact CPU.
 */
#ifndef TESTS_SUPPORT_ECHO_DRIVER_H
#define TESTS_SUPPORT_ECHO_DRIVER_H

#include <stdatomic.h>

#include "hvkit_host/echo.h"
#include "tests/support/rig.h"

#define ECHO_RINGS 9u /* a primary and eight */
#define ECHO_TEXT 160u

struct echo_ring {
	struct echo *echo;
	uint32_t index;
	struct hvk_channel *channel; /* claimed */
	struct hvk_request request;
	_Atomic bool busy; /* an operation is under way */
	_Atomic int status;
	bool opened; /* it was asked for, and no close since */
	struct hvk_channel_config config;
	/* Written in ready, on the channel's CPU, but for sent. */
	_Atomic uint32_t sent, answered, inside;
	_Atomic uint32_t burst;              /* packets of a burst that came */
	_Atomic uint32_t subchannels_answer; /* to the request for them, + 1 */
	bool subchannels_asked;
	uint8_t buffer[4096] __attribute__((aligned(8)));
};

struct echo {
	struct rig *rig;
	struct echo_ring rings[ECHO_RINGS]; /* [0] is the primary's */
	_Atomic uint32_t total_answered;
	uint32_t subchannels_told, subchannels_gone, moves, rescinds, reopened;
	uint64_t random;
	_Atomic bool failed;
	char wrong[ECHO_TEXT]; /* the first thing that did not hold */
};

void echo_init(struct echo *echo, struct rig *rig, uint64_t seed);
/* One poll of the contact CPU. Claims the device when it is offered; gives up what was rescinded and
 * is closed. */
void echo_turn(struct echo *echo);
uint32_t echo_random(struct echo *echo, uint32_t below);

/* Asks for it; busy until it is done. */
void echo_open(struct echo_ring *ring, uint32_t cpu);
void echo_close(struct echo_ring *ring);
void echo_move(struct echo_ring *ring, uint32_t cpu);
hvk_status echo_wait(struct echo_ring *ring); /* its status */
bool echo_is_open(const struct echo_ring *ring);

/* One numbered message, with a completion or without. False: no room, or not open. */
bool echo_send(struct echo_ring *ring);
/* That many from the device, as fast as it can; echo_fail unless all come, in order. */
void echo_burst(struct echo *echo, uint32_t count);
bool echo_ask_subchannels(struct echo *echo, uint32_t count);
/* Until all that was sent is answered, or echo_fail after too long. */
void echo_settle(struct echo *echo);
/* Closes and gives up everything. */
void echo_end(struct echo *echo);
void echo_fail(struct echo *echo, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A session of rig_config that does everything in an order of its own; context is its struct echo. */
void echo_stress(void *context, struct rig *rig);

#endif
