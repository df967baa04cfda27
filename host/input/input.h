/* SPDX-License-Identifier: MIT */
/*
 * The synthetic keyboard and mouse. Private to host/input/.
 *
 * line.c is what both have in common: a channel with short messages, answers in order, a protocol error
 * that ends it (OpenVMM). keyboard.c and mouse.c are the devices, keys.c is a keyboard's caps.
 * Sources: OpenVMM uidevices, Linux hyperv-keyboard.c and hid-hyperv.c, FreeBSD hv_kbd.c and hv_hid.c.
 */
#ifndef HVH_INPUT_INPUT_H
#define HVH_INPUT_INPUT_H

#include "host/core/core.h"
#include "host/core/dump.h"
#include "host/vmbus/channel.h"
#include "hvkit/wire/guids.h"
#include "hvkit/wire/input.h"
#include "hvkit_host/input.h"

/* --- line.c -------------------------------------------------------------------------------------- */

#define LINE_PACKETS_PER_RUN 16u
#define LINE_ANSWERS_MAX 8u
#define LINE_ANSWERS_PER_MESSAGE 3u /* completion, response, description of the device */
#define LINE_ANSWER_BYTES 160u

struct input_answer {
	uint64_t due, transaction_id;
	bool completion;
	uint32_t length;
	uint8_t bytes[LINE_ANSWER_BYTES];
};

struct input_line {
	struct hvh_partition *partition;
	struct hvh_channel *channel;
	const char *name; /* "keyboard", for violations */
	bool refuses;
	uint64_t now; /* of the latest call */
	uint64_t protocol_errors;
	/* Until the channel closes: */
	bool stopped; /* after a protocol error nothing is read */
	bool blocked; /* the ring to the guest was full */
	uint32_t answers_head, answers_count;
	struct input_answer answers[LINE_ANSWERS_MAX];
};

/* Recorded; nothing more is read until the channel closes. */
#define LINE_STOP(line, kind, packet, what)                                                               \
	do {                                                                                              \
		hvh_violate((line)->partition, kind, (line)->now, UINT32_MAX,                             \
			    hvh_channel_id((line)->channel), (packet)->payload, (packet)->payload_length, \
			    "%s: %s", (line)->name, what);                                                \
		(line)->protocol_errors++;                                                                \
		(line)->stopped = true;                                                                   \
	} while (0)

/* Offers the device; its instance is what was wanted, or the usual one, or if somebody has that one from
 * the seed. */
struct hvh_channel *input_line_offer(struct hvh_partition *partition, const uint8_t wanted[16],
				     struct hvh_offer_parameters *parameters,
				     const struct hvh_device_ops *ops, void *device);
void input_line_reset(struct input_line *line);
/* Goes out in order, as soon as there is room. */
void input_line_send(struct input_line *line, const void *bytes, uint32_t length);
/* Up to LINE_PACKETS_PER_RUN packets, each completed if that is asked for, then handed to take; and what can
 * go out of the answers. True if there may be more. */
bool input_line_run(struct input_line *line, uint64_t now,
		    void (*take)(void *device, const struct hvh_packet *packet), void *device);
uint64_t input_line_next(const struct input_line *line);
/* Can something that is no answer go out now? */
bool input_line_is_free(const struct input_line *line);
/* ... at once. False: no room. */
bool input_line_write(struct input_line *line, const void *bytes, uint32_t length);
/* What is behind a message is 0; if not, recorded, and taken all the same. */
void input_line_check_padding(struct input_line *line, const struct hvh_packet *packet, uint32_t length);
void input_line_restart(struct input_line *line, uint64_t now);
void input_line_dump(const struct input_line *line, struct hvh_dump *dump);

/* --- keys.c -------------------------------------------------------------------------------------- */

#define KEYS_STROKES_MAX 24u

struct input_stroke {
	uint16_t code;
	uint16_t flags; /* HVH_STROKE_* */
};

struct input_strokes {
	uint32_t count;
	struct input_stroke strokes[KEYS_STROKES_MAX];
};

/* Strokes of a key by name, with its modifiers. False: no such key. */
bool input_keys_by_name(const char *name, struct input_strokes *out);
/* Strokes of one character at the beginning of text; how many bytes it has. 0: the text's end, or bytes that
 * are no UTF-8. */
uint32_t input_keys_by_character(const char *text, struct input_strokes *out);

#endif
