/* SPDX-License-Identifier: MIT */
/*
 * Reads a trace file (docs/tracing.md), which it does not trust: any of it may be
 * missing, somebody else's or damaged. An error names the offset.
 */
#ifndef CLI_TRACE_READER_H
#define CLI_TRACE_READER_H

#include <stdio.h>

#include "apps/hvkit/trace/record.h"

#define TRACE_ERROR_MAX 240u
#define TRACE_INTERFACES_MAX 16u
#define TRACE_GUEST_MAX 64u

enum trace_read { TRACE_READ_RECORD, TRACE_READ_END, TRACE_READ_BAD };

struct trace_reader {
	FILE *file;
	uint64_t offset;  /* of the next block */
	uint64_t records; /* read */
	bool in_section;
	uint32_t interfaces;
	uint32_t unit[TRACE_INTERFACES_MAX]; /* a power of ten: time units in a second */
	uint8_t *block;
	size_t room;
	char guest[TRACE_GUEST_MAX]; /* as the file names it; printable */
	char error[TRACE_ERROR_MAX];
};

void trace_reader_begin(struct trace_reader *reader, FILE *file);
/* The record's bytes are the reader's, until the next call. */
enum trace_read trace_reader_next(struct trace_reader *reader, struct trace_record *record);
void trace_reader_end(struct trace_reader *reader); /* does not close the file */

#endif
