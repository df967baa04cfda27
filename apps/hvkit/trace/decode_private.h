/* SPDX-License-Identifier: MIT */
/* Between the files of the decoder. */
#ifndef CLI_TRACE_DECODE_PRIVATE_H
#define CLI_TRACE_DECODE_PRIVATE_H

#include "apps/hvkit/trace/decode.h"
#include "apps/hvkit/trace/tables.h"

/* Part of a record's bytes; base is where in the record it begins. */
struct trace_view {
	const uint8_t *bytes;
	uint32_t size, base;
};

struct trace_job {
	struct trace_decoder *decoder;
	const struct trace_record *record;
	struct trace_decoded *out;
};

/* What is beyond the view is left out, not read. */
struct trace_view trace_part(const struct trace_view *view, uint64_t at, uint64_t size);
bool trace_has(const struct trace_view *view, uint32_t at, uint32_t size);
/* Little-endian, of size 1, 2, 4 or 8; 0 beyond the view. */
uint64_t trace_get(const struct trace_view *view, uint32_t at, uint32_t size);
/* Network order. */
uint32_t trace_get_be(const struct trace_view *view, uint32_t at, uint32_t size);

/* A new layer; the first word(s) of what it says. False: enough layers. */
bool trace_layer(struct trace_job *job, const struct trace_view *view, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A field that only the details have. */
void trace_detail(struct trace_job *job, const struct trace_view *view, uint32_t at, uint32_t size,
		  const char *name, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Words of the one-line form alone. */
void trace_say(struct trace_job *job, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Both: "name=value". */
void trace_field(struct trace_job *job, const struct trace_view *view, uint32_t at, uint32_t size,
		 const char *name, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* A message by its layout; false if it is short (and says so). */
bool trace_fields(struct trace_job *job, const struct trace_view *view, const struct trace_layout *layout);

/* Keys of layouts, and where a pair is in a message about key-value pairs. */
#define TRACE_TIMESYNC_4 0x104u
#define TRACE_KVP_PAIR 4u
#define TRACE_KVP_ITEM 8u

#define TRACE_VALUE_MAX 400u
/* The value as text, as its form has it. */
void trace_format(const struct trace_view *view, uint32_t at, uint32_t size, enum trace_form form,
		  const struct trace_names *names, char text[TRACE_VALUE_MAX]);
void trace_format_value(uint64_t value, enum trace_form form, const struct trace_names *names,
			char text[TRACE_VALUE_MAX]);
/* Printable ASCII as it is, '\' and all else as \xNN. */
void trace_escape(const struct trace_view *view, char text[TRACE_VALUE_MAX]);

void trace_decode_register(struct trace_job *job, const struct trace_view *view);
void trace_decode_hypercall(struct trace_job *job, const struct trace_view *view);
void trace_decode_message(struct trace_job *job, const struct trace_view *view);
void trace_decode_packet(struct trace_job *job, const struct trace_view *view,
			 const struct trace_view *external);
/* data_only: the descriptor's words are said; the NVS message and what it points to. */
void trace_decode_rndis(struct trace_job *job, const struct trace_view *view);
/* A list of {size, type, offset of the value}. */
void trace_decode_ppi(struct trace_job *job, const struct trace_view *list);
/* The information of an OID; false if that is no object, or unknown. */
bool trace_decode_object(struct trace_job *job, const struct trace_view *view, uint32_t oid);
/* u32s, as "name=1,2,3". */
void trace_say_list(struct trace_job *job, const struct trace_view *view, uint64_t at, uint64_t count,
		    const char *name);
/* A vstor packet, as the ring packet of that id carries it. */
void trace_decode_vstor(struct trace_job *job, const struct trace_view *view, uint64_t id, bool completion);
/* False: the device is none of those. */
bool trace_decode_service(struct trace_job *job, const struct trace_view *view, const char *device);
void trace_decode_frame(struct trace_job *job, const struct trace_view *view);

#endif
