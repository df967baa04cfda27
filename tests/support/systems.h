/* SPDX-License-Identifier: MIT */
/*
 * One machine and the systems on it, one after the other: a loader, what it loads, a firmware before both.
 * Each has an instance and an identity of its own and talks to the echo devices of the machine.
 *
 * Deterministic, one CPU. What does not hold is kept, the first of it; statuses of requests are the test's
 * to judge.
 */
#ifndef TESTS_SUPPORT_SYSTEMS_H
#define TESTS_SUPPORT_SYSTEMS_H

#include "hvkit/handover.h"
#include "hvkit/vmbus.h"
#include "hvkit_host/echo.h"
#include "hvkit_host/firmware.h"
#include "ports/hosted/hosted.h"

#define SYSTEMS_DEVICES 3u
#define SYSTEM_LINES 24u /* channels that a system has seen in its life */
#define SYSTEM_LOADED 0x1040a00000000ull
#define SYSTEMS_TEXT 160u

struct systems;

struct system_line {
	struct system *system;
	struct hvk_channel *channel; /* claimed; NULL: free */
	struct hvk_request request;
	bool open;
	uint32_t sent, answered, expected;
	uint8_t buffer[512] __attribute__((aligned(8)));
};

struct system {
	struct systems *systems;
	struct hvk *hvk;
	struct system_line lines[SYSTEM_LINES];
	struct hvk_request request;
	uint32_t offered, gone;
};

struct systems_config {
	struct hvh_profile profile;
	uint64_t seed;
	bool level0;
	uint32_t switch_chance; /* hosted_config */
	uint32_t memory_pages;
	bool firmware, firmware_keeps_identity;
	FILE *trace;
};

struct systems {
	struct systems_config config;
	struct hosted *machine;
	struct hvh_partition *partition;
	struct hvh_firmware *firmware;
	struct hvk_pages firmware_pages[HVH_FIRMWARE_PAGES + SYSTEMS_DEVICES * HVH_FIRMWARE_CHANNEL_PAGES];
	struct system *running; /* interrupts are its */
	void (*script)(struct systems *systems, void *context);
	void *context;
	uint64_t random;
	char wrong[SYSTEMS_TEXT]; /* the first thing that did not hold; empty: none */
	char first_violation[SYSTEMS_TEXT];
};

/* Runs the script on CPU 0 of a machine with echo devices; false: it did not end, which is in wrong. */
bool systems_run(struct systems *systems, const struct systems_config *config,
		 void (*script)(struct systems *systems, void *context), void *context);
void systems_wrong(struct systems *systems, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint32_t systems_random(struct systems *systems, uint32_t below);
/* Lets time pass for the host. */
void systems_pass(struct systems *systems, uint32_t ms);
/* Until the firmware is in that state; false: never. */
bool systems_firmware(struct systems *systems, enum hvh_firmware_state state);

/* Created, not started. timeout_ms: all of them, 0 = the defaults. */
bool system_create(struct systems *systems, struct system *system, uint64_t identity, uint32_t timeout_ms);
hvk_status system_start(struct system *system); /* with its CPU */
hvk_status system_connect(struct system *system, enum hvk_vmbus_mode mode);
/* Opens all channels that are there; the first status that is not HVK_OK. */
hvk_status system_open(struct system *system);
/* So many messages each way on each open channel; false: not all came back. */
bool system_talk(struct system *system, uint32_t messages);
/* A burst towards the guest from each device, which nobody waits for. */
void system_burst(struct system *system, uint32_t packets);
/* Closes what is open, gives up what is rescinded or closed; the first status that is not HVK_OK. */
hvk_status system_close(struct system *system);
/* Pages that it says a loaded system may not have. */
uint64_t system_reserved(const struct system *system);
/* Stops what is started, destroys. After it only reserved pages may be in use. */
void system_destroy(struct system *system);

#endif
