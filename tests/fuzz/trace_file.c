/* SPDX-License-Identifier: MIT */
/*
 * A trace file from anywhere: reader, decoder and text. The first byte of the input says how:
 * as it is, or as records behind a proper beginning, so that the decoder is reached at once:
 * each {kind, direction, channel, u8 bytes, u8 pointed to} and its bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/trace/trace.h"
#include "hvkit_host/trace.h"

#define RECORD_HEAD 5u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_records(FILE *file, const uint8_t *data, size_t size)
{
	uint64_t time = 0;

	hvh_pcapng_begin(file, "fuzz");
	while (size >= RECORD_HEAD) {
		size_t bytes = data[3], external = data[4], left = size - RECORD_HEAD;

		bytes = bytes < left ? bytes : left;
		external = external < left - bytes ? external : left - bytes;
		hvh_pcapng_write(file, &(struct hvh_trace_record){.time = time++,
								  .kind = (enum hvh_trace_kind)data[0],
								  .to_guest = data[1] & 1,
								  .vp = data[1] >> 1,
								  .channel_id = data[2],
								  .bytes = data + RECORD_HEAD,
								  .byte_count = (uint32_t)bytes,
								  .external = data + RECORD_HEAD + bytes,
								  .external_count = (uint32_t)external});
		data += RECORD_HEAD + bytes + external;
		size -= RECORD_HEAD + bytes + external;
	}
}

static void check(const struct trace_decoded *decoded, const struct trace_record *record)
{
	if (decoded->words_length != strlen(decoded->words) || decoded->words_length > TRACE_WORDS_MAX ||
	    decoded->words_length == 0 || decoded->item_count > TRACE_ITEMS_MAX)
		abort();
	for (size_t n = 0; n < decoded->words_length; n++) {
		if (decoded->words[n] < 0x20 || decoded->words[n] > 0x7e)
			abort(); /* words are for terminals */
	}
	for (uint32_t n = 0; n < decoded->item_count; n++) {
		const struct trace_item *item = &decoded->items[n];

		if ((uint64_t)item->at + item->size > (uint64_t)record->byte_count + record->external_count ||
		    item->value >= decoded->text_length)
			abort();
	}
}

static void read_all(FILE *file, FILE *out)
{
	static struct trace_decoder decoder;
	static struct trace_decoded decoded;
	struct trace_reader reader;
	struct trace_record record;
	enum trace_read result;

	trace_decoder_begin(&decoder);
	trace_reader_begin(&reader, file);
	while ((result = trace_reader_next(&reader, &record)) == TRACE_READ_RECORD) {
		trace_decode(&decoder, &record, &decoded);
		check(&decoded, &record);
		trace_text_record(out, &decoder, &record, &decoded, true);
	}
	if ((result == TRACE_READ_BAD) != (reader.error[0] != '\0'))
		abort();
	trace_reader_end(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *written = NULL, *text = NULL;
	size_t written_size = 0, text_size = 0;
	FILE *file, *out = open_memstream(&text, &text_size);

	if (size < 2 || out == NULL) {
		if (out != NULL)
			fclose(out);
		free(text);
		return 0;
	}
	if (data[0] & 1) {
		FILE *records = open_memstream(&written, &written_size);

		write_records(records, data + 1, size - 1);
		fclose(records);
		file = fmemopen(written, written_size, "rb");
	} else {
		file = fmemopen((void *)(uintptr_t)(data + 1), size - 1, "rb");
	}
	read_all(file, out);
	fclose(file);
	fclose(out);
	free(written);
	free(text);
	return 0;
}
