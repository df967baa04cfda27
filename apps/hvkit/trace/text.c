/* SPDX-License-Identifier: MIT */
/* The dialogue as lines. */
#include <inttypes.h>

#include "apps/hvkit/trace/trace.h"
#include "hvkit_host/trace.h"

#define UNITS_PER_SECOND 10000000u
#define DUMP_WIDTH 16u

void trace_text_heading(FILE *out)
{
	fprintf(out, "%12s  %-5s %-3s %-18s %s\n", "seconds", "cpu", "", "channel", "what");
}

static const char *arrow(const struct trace_record *record)
{
	if (record->kind == HVH_TRACE_VIOLATION)
		return "!!!";
	if (record->kind == HVH_TRACE_NOTE)
		return " * ";
	return record->to_guest ? "<--" : "-->";
}

static void dump(FILE *out, const char *title, const uint8_t *bytes, uint32_t count)
{
	for (uint32_t at = 0; at < count; at += DUMP_WIDTH) {
		fprintf(out, "%14s%s%06x ", "", title, at);
		for (uint32_t n = 0; n < DUMP_WIDTH; n++) {
			if (at + n < count)
				fprintf(out, " %02x", bytes[at + n]);
			else
				fprintf(out, "   ");
		}
		fprintf(out, "  ");
		for (uint32_t n = 0; n < DUMP_WIDTH && at + n < count; n++) {
			uint8_t byte = bytes[at + n];

			fputc(byte >= 0x20 && byte < 0x7f ? byte : '.', out);
		}
		fputc('\n', out);
	}
}

void trace_text_record(FILE *out, const struct trace_decoder *decoder, const struct trace_record *record,
		       const struct trace_decoded *decoded, bool bytes)
{
	char device[TRACE_CHANNEL_TEXT], cpu[16] = "-", channel[TRACE_CHANNEL_TEXT + 16] = "";

	trace_channel_text(decoder, decoded->channel, device);
	if (record->vp != TRACE_VP_NONE)
		snprintf(cpu, sizeof(cpu), "cpu%" PRIu32, record->vp);
	if (decoded->channel != 0)
		snprintf(channel, sizeof(channel), "%" PRIu32 " %s", decoded->channel, device);
	fprintf(out, "%4" PRIu64 ".%07u  %-5s %s %-18s %s\n", record->time / UNITS_PER_SECOND,
		(unsigned)(record->time % UNITS_PER_SECOND), cpu, arrow(record), channel, decoded->words);
	if (!bytes)
		return;
	dump(out, "  ", record->bytes, record->byte_count);
	dump(out, "> ", record->bytes + record->byte_count, record->external_count);
}
