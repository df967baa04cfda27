/* SPDX-License-Identifier: MIT */
/* Files of pcapng: any, and traces (docs/tracing.md), whose packets begin with a header. */
#ifndef HVH_CORE_PCAPNG_H
#define HVH_CORE_PCAPNG_H

#include <stdbool.h>
#include <stdio.h>

#include "hvkit/wire/wire.h"

#define HVH_PCAPNG_ETHERNET 1u /* link types */
#define HVH_PCAPNG_USER0 147u
#define HVH_PCAPNG_INBOUND 1u /* directions */
#define HVH_PCAPNG_OUTBOUND 2u
#define HVH_PCAPNG_PARTS 3u

struct hvh_pcapng_part {
	const void *bytes; /* may be NULL if length is 0 */
	uint32_t length;
};

/* Section header and the one interface. False: the file could not be written. */
bool hvh_pcapng_open(FILE *file, uint32_t link_type, const char *interface_name);
/* One packet, its parts one after another; time in 100 ns. */
bool hvh_pcapng_packet(FILE *file, uint64_t time, uint32_t direction,
		       const struct hvh_pcapng_part parts[HVH_PCAPNG_PARTS]);

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
