/* SPDX-License-Identifier: MIT */
/* One record of a trace file, as read. */
#ifndef CLI_TRACE_RECORD_H
#define CLI_TRACE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#define TRACE_VP_NONE UINT32_MAX

struct trace_record {
	uint64_t number; /* from 1 */
	uint64_t time;   /* 100 ns */
	uint64_t offset; /* of its block in the file */
	uint8_t kind;    /* enum hvh_trace_kind, or one that we do not know */
	bool to_guest;
	uint32_t vp, channel;
	uint32_t byte_count, external_count;
	const uint8_t *bytes; /* the external ones follow at once */
};

#endif
