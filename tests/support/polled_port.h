/* SPDX-License-Identifier: MIT */
/*
 * The port of level 0 under the scripted hosts of tests: memory that is accounted for,
 * registers in an array, virtual time that passes in pause alone. What the host does is
 * the owner's, by hooks.
 *
 * Wrong use by the drivers (pages given back twice, the address of a page that is not
 * shared, a register that does not exist) ends the program, so that neither a test nor
 * a fuzzer can overlook it.
 */
#ifndef TESTS_POLLED_PORT_H
#define TESTS_POLLED_PORT_H

#include <stdbool.h>

#include "hvkit/port.h"

#define POLLED_ALLOCATIONS 1024u
#define POLLED_REGISTERS (HVK_REG_APIC_FREQUENCY + 1)

struct polled_memory {
	uint8_t *address;
	uint32_t count; /* pages; 0: a free entry */
	enum hvk_page_use use;
	uint64_t gpa; /* 0: private */
};

struct polled_port {
	struct hvk_port port; /* may be changed after polled_port_init, before hvk_create */
	void *owner;          /* first argument of the hooks */
	struct polled_memory memory[POLLED_ALLOCATIONS];
	uint32_t memory_top;      /* no entry from here on was ever used */
	uint64_t next_gpa;        /* 0: guest-physical addresses are the process' own */
	uint32_t fail_allocation; /* that many from now; 0: none */
	uint64_t registers[POLLED_REGISTERS];
	uint32_t fail_register; /* that many accesses from now fails; 0: none */
	uint64_t now;           /* reference counter, 100 ns; passes in pause alone */
	uint64_t access;        /* HV_ACCESS_* that the feature leaf grants */
	uint32_t features;      /* HV_FEATURE_* that it has beside */
	uint32_t pauses;
	uint32_t locks; /* held just now */
	uint64_t random;

	/* Hooks; each may be NULL. */
	void (*paused)(void *owner);
	void (*end_of_message)(void *owner);
	void (*freed)(void *owner, uint64_t gpa, uint32_t pages); /* before they go */
	void (*logged)(void *owner, enum hvk_log_level level, const char *text);
	bool (*counter)(void *owner, uint64_t *value); /* the reference counter says this instead */
	uint64_t (*hypercall)(void *owner, const void *page, uint64_t control, uint64_t input);
	void (*switched)(void *owner); /* at each access to memory that the host can write */
};

/* All zero but for the port, whose pause lets pause_ns pass; the caller sets hooks. One at a
 * time is alive: switch points come without a context. */
void polled_port_init(struct polled_port *self, void *owner, uint32_t pause_ns);
/* Locks that notice when they are taken twice, or more than two at once. */
void polled_port_locks(struct polled_port *self);
/* Pages that were not given back; frees them. */
uint32_t polled_port_end(struct polled_port *self);
/* Length bytes of shared memory at a guest-physical address, or NULL. */
uint8_t *polled_port_at(struct polled_port *self, uint64_t gpa, uint32_t length);

#endif
