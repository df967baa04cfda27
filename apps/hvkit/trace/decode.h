/* SPDX-License-Identifier: MIT */
/*
 * Decodes records of a trace: layers (a packet, the NVS message in it, the RNDIS
 * message in that, the frame), each with a title and fields. Trusts nothing in a
 * record: what is short is said to be short.
 *
 * The decoder remembers what later records need: which device a channel is, which
 * VMBus version was asked for, which object an RNDIS request and which command a storage
 * request was about. So records go in their order.
 */
#ifndef CLI_TRACE_DECODE_H
#define CLI_TRACE_DECODE_H

#include "apps/hvkit/trace/record.h"

#define TRACE_WORDS_MAX 480u /* of the one-line form */
#define TRACE_ITEMS_MAX 224u
#define TRACE_TEXT_MAX 12288u
#define TRACE_CHANNELS 2048u /* ids 1 to 2047 */
#define TRACE_REQUESTS 64u
#define TRACE_SRBS 1021u /* prime: ids may be addresses */
#define TRACE_OWNERS 1024u
#define TRACE_LAYERS_MAX 24u /* of one record; ranges beyond that are only counted */

struct trace_channel {
	const char *device; /* NULL: not offered yet */
	uint16_t subchannel;
	uint32_t target_vp; /* as it was opened or moved */
};

struct trace_request {
	uint32_t channel, id, oid;
	bool used;
};

/* A request to a storage controller; operation 0: empty. */
struct trace_srb {
	uint64_t id;
	uint32_t channel, operation;
	uint8_t command; /* the first byte of its CDB */
	bool has_command;
};

/* A GPADL or a connection: to which channel does it belong? */
struct trace_owner {
	uint32_t key, channel; /* channel 0: empty */
};

struct trace_decoder {
	uint32_t contact_version;
	struct trace_owner gpadls[TRACE_OWNERS], connections[TRACE_OWNERS]; /* at key % TRACE_OWNERS */
	struct trace_channel channels[TRACE_CHANNELS];
	struct trace_request requests[TRACE_REQUESTS]; /* at id % TRACE_REQUESTS */
	struct trace_srb srbs[TRACE_SRBS];             /* at id % TRACE_SRBS */
};

/* A layer's title (no value) or one of its fields. */
struct trace_item {
	const char *name;
	uint32_t value;    /* where in text; a string */
	uint32_t at, size; /* in the record's bytes */
	bool is_layer;
};

struct trace_decoded {
	char words[TRACE_WORDS_MAX + 1];
	uint32_t words_length;
	struct trace_item items[TRACE_ITEMS_MAX];
	uint32_t item_count;
	char text[TRACE_TEXT_MAX];
	uint32_t text_length;
	uint32_t layers;
	uint32_t channel; /* the record's, or that of the GPADL, message or signal; 0 if none */
	bool words_cut;   /* more to say than fits */
};

void trace_decoder_begin(struct trace_decoder *decoder);
void trace_decode(struct trace_decoder *decoder, const struct trace_record *record,
		  struct trace_decoded *decoded);

/* "netvsc", "netvsc.1" for a sub-channel, "?" for a channel never offered, "" for none. */
#define TRACE_CHANNEL_TEXT 24u
void trace_channel_text(const struct trace_decoder *decoder, uint32_t channel, char text[TRACE_CHANNEL_TEXT]);

#endif
