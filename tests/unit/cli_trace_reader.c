/* SPDX-License-Identifier: MIT */
/* Trace files that are cut, damaged or somebody else's: what is said of them, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/hvkit/trace/reader.h"
#include "hvkit_host/trace.h"

#define FILE_MAX 1024u
#define SECTION_SIZE 44u   /* as hvh_pcapng_begin writes it */
#define INTERFACE_SIZE 44u /* for a guest called "guest" */
#define FIRST_RECORD (SECTION_SIZE + INTERFACE_SIZE)

struct bytes {
	uint8_t data[FILE_MAX];
	uint32_t size;
};

static void good(struct bytes *bytes)
{
	FILE *file = fmemopen(bytes->data, sizeof(bytes->data), "wb");
	uint32_t body[2] = {98, 0};

	assert_non_null(file);
	assert_true(hvh_pcapng_begin(file, "guest"));
	for (uint64_t n = 1; n <= 2; n++)
		assert_true(hvh_pcapng_write(file, &(struct hvh_trace_record){.time = (1ull << 33) + n,
									      .kind = HVH_TRACE_INTERRUPT,
									      .to_guest = true,
									      .vp = 3,
									      .channel_id = 7,
									      .bytes = body,
									      .byte_count = sizeof(body)}));
	bytes->size = (uint32_t)ftell(file);
	fclose(file);
}

/* How many records, and the error. */
static uint32_t read_all(const struct bytes *bytes, char error[TRACE_ERROR_MAX])
{
	FILE *file = fmemopen((void *)(uintptr_t)bytes->data, bytes->size > 0 ? bytes->size : 1, "rb");
	struct trace_reader reader;
	struct trace_record record;

	assert_non_null(file);
	if (bytes->size == 0)
		assert_int_equal(fgetc(file), bytes->data[0]);
	trace_reader_begin(&reader, file);
	while (trace_reader_next(&reader, &record) == TRACE_READ_RECORD)
		assert_int_equal(record.number, reader.records);
	memcpy(error, reader.error, TRACE_ERROR_MAX);
	trace_reader_end(&reader);
	fclose(file);
	return (uint32_t)reader.records;
}

static void assert_bad(const struct bytes *bytes, uint32_t records, const char *says)
{
	char error[TRACE_ERROR_MAX];

	assert_int_equal(read_all(bytes, error), records);
	if (strstr(error, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error, says);
}

static void put32(struct bytes *bytes, uint32_t at, uint32_t value)
{
	memcpy(bytes->data + at, &value, sizeof(value));
}

static void whole(void **state)
{
	struct bytes bytes;
	char error[TRACE_ERROR_MAX];
	struct trace_reader reader;
	struct trace_record record;
	FILE *file;

	(void)state;
	good(&bytes);
	assert_int_equal(read_all(&bytes, error), 2);
	assert_string_equal(error, "");
	file = fmemopen(bytes.data, bytes.size, "rb");
	trace_reader_begin(&reader, file);
	assert_int_equal(trace_reader_next(&reader, &record), TRACE_READ_RECORD);
	assert_string_equal(reader.guest, "guest");
	assert_int_equal(record.offset, FIRST_RECORD);
	assert_true(record.time == (1ull << 33) + 1);
	assert_int_equal(record.kind, HVH_TRACE_INTERRUPT);
	assert_true(record.to_guest);
	assert_int_equal(record.vp, 3);
	assert_int_equal(record.channel, 7);
	assert_int_equal(record.byte_count, 8);
	assert_int_equal(record.bytes[0], 98);
	trace_reader_end(&reader);
	fclose(file);
}

/* Cut anywhere: the records before it are read, and the offset is that of the block cut. */
static void cut_anywhere(void **state)
{
	struct bytes bytes;
	char error[TRACE_ERROR_MAX];
	uint32_t size, second;

	(void)state;
	good(&bytes);
	size = bytes.size;
	second = FIRST_RECORD + (size - FIRST_RECORD) / 2;
	for (bytes.size = 0; bytes.size < size; bytes.size++) {
		uint32_t records = read_all(&bytes, error);

		assert_int_equal(records, bytes.size >= second);
		if (bytes.size == SECTION_SIZE || bytes.size == FIRST_RECORD || bytes.size == second)
			assert_string_equal(error, "");
		else if (bytes.size > 0)
			assert_non_null(strstr(error, "cut: a block"));
		if (bytes.size > second)
			assert_int_equal(strtoul(error + strlen("at offset "), NULL, 10), second);
	}
	bytes.size = 0;
	assert_bad(&bytes, 0, "the file is empty");
}

static void somebody_elses(void **state)
{
	struct bytes bytes;

	(void)state;
	good(&bytes);
	put32(&bytes, 0, 0xa1b2c3d4u);
	assert_bad(&bytes, 0, "at offset 0: this is a pcap file, and a trace is pcapng");
	put32(&bytes, 0, 0x464c457fu);
	assert_bad(&bytes, 0, "no pcapng file: it begins with 0x464c457f");
	good(&bytes);
	put32(&bytes, 8, 0x4d3c2b1au);
	assert_bad(&bytes, 0, "big-endian");
	put32(&bytes, 4, 0x2c000000u);
	assert_bad(&bytes, 0, "big-endian");
	good(&bytes);
	bytes.data[SECTION_SIZE + 8] = 1;
	assert_bad(&bytes, 0,
		   "at offset 44: an interface of link type 1: not a trace of hvkit, which has type 147");
}

static void damaged_blocks(void **state)
{
	struct bytes bytes;

	(void)state;
	good(&bytes);
	put32(&bytes, FIRST_RECORD + 4, 13);
	assert_bad(&bytes, 0, "it must be a multiple of 4");
	put32(&bytes, FIRST_RECORD + 4, 0xfffffff0u);
	assert_bad(&bytes, 0, "says that it is 4294967280 bytes long");
	good(&bytes);
	put32(&bytes, bytes.size - 4, 16);
	assert_bad(&bytes, 1, "ends in length 16: they must be equal");
	good(&bytes);
	put32(&bytes, FIRST_RECORD + 8, 1);
	assert_bad(&bytes, 0, "a packet of interface 1, and 1 are described");
	good(&bytes);
	put32(&bytes, FIRST_RECORD + 20, 4096);
	assert_bad(&bytes, 0, "says that 4096 bytes were captured");
	put32(&bytes, FIRST_RECORD + 20, 19);
	assert_bad(&bytes, 0, "a record of 19 bytes; its header alone has 20");
}

static void damaged_records(void **state)
{
	const uint32_t header = FIRST_RECORD + 28;
	struct bytes bytes;

	(void)state;
	good(&bytes);
	bytes.data[header] = 2;
	assert_bad(&bytes, 0, "a record of layout 2; this program reads 1");
	good(&bytes);
	put32(&bytes, header + 12, 9);
	assert_bad(&bytes, 0, "a record of 9 and 0 bytes, and there are 8");
	put32(&bytes, header + 12, 0xffffffffu);
	put32(&bytes, header + 16, 9);
	assert_bad(&bytes, 0, "a record of 4294967295 and 9 bytes, and there are 8");
}

/* Other programs add blocks; they are passed over. Two files in one are one. */
static void others_blocks(void **state)
{
	static const uint32_t statistics[] = {5, 16, 0, 16};
	struct bytes bytes, twice;
	char error[TRACE_ERROR_MAX];

	(void)state;
	good(&bytes);
	memcpy(bytes.data + bytes.size, statistics, sizeof(statistics));
	bytes.size += (uint32_t)sizeof(statistics);
	twice = bytes;
	memcpy(twice.data + twice.size, bytes.data, bytes.size);
	twice.size += bytes.size;
	assert_int_equal(read_all(&twice, error), 4);
	assert_string_equal(error, "");
}

static void other_units(void **state)
{
	const uint32_t unit = FIRST_RECORD - 12; /* option 9, 1 byte: its value, then the end */
	struct bytes bytes;
	char error[TRACE_ERROR_MAX];

	(void)state;
	good(&bytes);
	assert_int_equal(bytes.data[unit], 7);
	bytes.data[unit] = 9;
	assert_int_equal(read_all(&bytes, error), 2);
	bytes.data[unit] = 3;
	assert_bad(&bytes, 0, "time in units of resolution 3");
	bytes.data[unit] = 0x80 | 10;
	assert_bad(&bytes, 0, "time in units of resolution 138");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),           cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(somebody_elses),  cmocka_unit_test(damaged_blocks),
		cmocka_unit_test(damaged_records), cmocka_unit_test(others_blocks),
		cmocka_unit_test(other_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
