/* SPDX-License-Identifier: MIT */
/*
 * The trace: one record for everything that guest and host say to each other.
 * host/core/pcapng.h writes them to a file; docs/tracing.md has the file's layout.
 */
#ifndef HVKIT_HOST_TRACE_H
#define HVKIT_HOST_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hvh_trace_kind {
	HVH_TRACE_MSR_WRITE = 1, /* bytes: u32 msr, u32 0, u64 value */
	HVH_TRACE_MSR_READ = 2,
	HVH_TRACE_HYPERCALL = 3, /* bytes: u64 control, u64 input, u64 output, u64 result */
	HVH_TRACE_MESSAGE = 4,   /* VMBus control message; bytes: the message from its header on */
	HVH_TRACE_SIGNAL = 5,    /* guest to host: event; bytes: u32 connection, u32 flag */
	HVH_TRACE_EVENT = 6,     /* host to guest: event flag; bytes: u32 flag, u32 sint */
	HVH_TRACE_INTERRUPT = 7, /* bytes: u32 vector, u32 0 */
	HVH_TRACE_PACKET = 8,    /* ring packet from its descriptor on, no trailer; then external data */
	HVH_TRACE_VIOLATION = 9, /* bytes: the text */
	HVH_TRACE_NOTE = 10      /* bytes: text; what the host did by itself (seed's choice, fault) */
};

struct hvh_trace_record {
	uint64_t time; /* 100 ns since the partition was created */
	enum hvh_trace_kind kind;
	bool to_guest;
	uint32_t vp;         /* UINT32_MAX if none */
	uint32_t channel_id; /* 0 if none */
	const void *bytes;
	uint32_t byte_count;
	/* HVH_TRACE_PACKET: what the packet points to (section, page list or transfer-page
	 * ranges, one after another), or NULL. */
	const void *external;
	uint32_t external_count;
};

const char *hvh_trace_kind_name(enum hvh_trace_kind kind);

/* pcapng writer. The file stays the caller's. Each returns false if writing failed. */
bool hvh_pcapng_begin(FILE *file, const char *guest_name);
bool hvh_pcapng_write(FILE *file, const struct hvh_trace_record *record);

#ifdef __cplusplus
}
#endif
#endif
