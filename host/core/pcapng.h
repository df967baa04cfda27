/* SPDX-License-Identifier: MIT */
/* What a trace file's packets begin with; docs/tracing.md. */
#ifndef HVH_CORE_PCAPNG_H
#define HVH_CORE_PCAPNG_H

#include "hvkit/wire/wire.h"

#define HVH_TRACE_VERSION 1u
#define HVH_TRACE_BYTES_MAX (1u << 24)

struct hvh_trace_header {
	uint8_t version;
	uint8_t kind; /* enum hvh_trace_kind */
	uint8_t to_guest;
	uint8_t reserved;
	uint32_t vp; /* 0xffffffff if none */
	uint32_t channel_id;
	uint32_t byte_count;
	uint32_t external_count;
};
HVK_WIRE_SIZE(struct hvh_trace_header, 20);

#endif
