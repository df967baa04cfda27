/* SPDX-License-Identifier: MIT */
/*
 * What guest and host say to each other on the bus, as lines for the serial port, and what can be learnt
 * of it:
 *
 *   trace SECONDS write 0xREGISTER 0xVALUE     a synthetic register (not EOM, not the timers')
 *   trace SECONDS post 0xCONNECTION HEX        a message of ours
 *   trace SECONDS status 0xSTATUS              of the post before, if the hypervisor did not take it
 *   trace SECONDS message 0xTYPE HEX           one of the host's, as it lay in its slot
 */
#ifndef IMAGE_DIALOGUE_H
#define IMAGE_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIALOGUE_LINE_MAX 560u /* a whole message in hexadecimal digits */

struct dialogue_facts {
	uint32_t posts, messages;
	uint32_t posts_refused;                /* with any status but success */
	uint32_t offers, offer_min, offer_max; /* bytes of an OFFER_CHANNEL */
	uint32_t unknown;                      /* messages of types that we have no name for */
	bool unloaded, unload_answered;
	uint64_t unload_ns;      /* from UNLOAD to its answer */
	uint64_t torndown_ns;    /* the longest from a GPADL_TEARDOWN to its GPADL_TORNDOWN */
	uint32_t torn, torndown; /* asked for, answered */
};

#define DIALOGUE_GPADLS_MAX 64u

struct dialogue {
	void (*line)(void *context, const char *text, size_t length);
	void *context;
	struct dialogue_facts facts;
	uint64_t unload_time;
	struct {
		uint32_t id;
		uint64_t time;
	} tearing[DIALOGUE_GPADLS_MAX];
	uint32_t tearing_count;
};

void dialogue_begin(struct dialogue *self, void (*line)(void *context, const char *text, size_t length),
		    void *context);
void dialogue_register(struct dialogue *self, uint64_t now_ns, uint32_t msr, uint64_t value);
/* input: struct hv_post_message_input. */
void dialogue_post(struct dialogue *self, uint64_t now_ns, const uint8_t *input, size_t size);
void dialogue_status(struct dialogue *self, uint64_t now_ns, uint64_t status);
/* slot: struct hv_message. Nothing if it is empty, or a timer's. */
void dialogue_message(struct dialogue *self, uint64_t now_ns, const uint8_t *slot, size_t size);

#endif
