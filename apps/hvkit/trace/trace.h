/* SPDX-License-Identifier: MIT */
/* hvkit trace: a trace as text, as a page of its own, or only checked. */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "apps/hvkit/trace/decode.h"
#include "apps/hvkit/trace/reader.h"

#define TRACE_CHANNEL_FILTERS 32u

struct trace_options {
	const char *file; /* "-": standard input */
	const char *html; /* file to write, or NULL */
	bool help, bytes, check;
	bool has_kinds;
	uint32_t kinds; /* bit n: kind n */
	uint32_t channels[TRACE_CHANNEL_FILTERS];
	uint32_t channel_count; /* 0: all */
	uint64_t from, to;      /* 100 ns, both included */
};

/* arguments[0] is "trace". False: error holds one line. */
bool trace_options_parse(int count, char *const arguments[], struct trace_options *options,
			 char error[TRACE_ERROR_MAX]);
bool trace_wanted(const struct trace_options *options, const struct trace_record *record, uint32_t channel);

/* One line, and the bytes if asked for. */
void trace_text_heading(FILE *out);
void trace_text_record(FILE *out, const struct trace_decoder *decoder, const struct trace_record *record,
		       const struct trace_decoded *decoded, bool bytes);

/* Records go in one by one; those beyond a limit are counted only. */
#define TRACE_HTML_RECORDS 100000u
#define TRACE_HTML_BYTES 256u       /* kept of one record, each of its two parts */
#define TRACE_HTML_PAGE (32u << 20) /* once the page is that long, further records have words only */

struct trace_html {
	FILE *out;
	uint64_t written, left_out, without_bytes, size, last_time;
	bool failed;
};
void trace_html_begin(struct trace_html *html, FILE *out, const char *name);
void trace_html_record(struct trace_html *html, const struct trace_decoder *decoder,
		       const struct trace_record *record, const struct trace_decoded *decoded);
bool trace_html_end(struct trace_html *html, const char *guest, const char *error);

/* The whole subcommand; returns the exit status: 0, 1 if the file cannot be read or is
 * damaged, 2 if the arguments are wrong. */
int cli_trace(int count, char *const arguments[]);

#endif
