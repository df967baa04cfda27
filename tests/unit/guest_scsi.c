/* SPDX-License-Identifier: MIT */
/* What units say of themselves: fix-ups for what hosts say wrongly, and lengths that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "guest/storvsc/scsi.h"

#ifdef HVK_SWITCH_POINTS
void hvk_switch_point(void)
{
}
#endif

static struct hvk_scsi_identity found;

/* --- INQUIRY ---------------------------------------------------------------------------------- */

struct fix {
	uint8_t type, version;
	const char *vendor;
	uint16_t protocol;
	uint8_t expected;
};

static void versions_are_mended(void **state)
{
	static const struct fix table[] = {
		{5, 0, "Msft    ", 0x602, 5}, /* the DVD of a generation 2 machine */
		{5, 0, "Msft    ", 0x501, 5}, {5, 4, "Msft    ", 0x602, 4},
		{0, 0, "Msft    ", 0x602, 0}, /* a disk is no DVD */
		{0, 0, "Msft    ", 0x402, 5}, /* a unit of 2008 R2 to 2012 R2 that leaves it out */
		{0, 0, "Msft    ", 0x600, 5}, {5, 0, "Msft    ", 0x402, 5},
		{0, 0, "Msft    ", 0x200, 0}, {0, 4, "Msft    ", 0x501, 5}, /* knows UNMAP, and says SPC-2 */
		{0, 4, "Msft    ", 0x600, 5}, {0, 4, "Msft    ", 0x602, 4},
		{0, 4, "Msft    ", 0x402, 4}, {0, 4, "Other   ", 0x600, 4},
		{0, 6, "Msft    ", 0x600, 6},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t bytes[36] = {table[i].type, 0, table[i].version, 2, 31};

		memcpy(bytes + 8, table[i].vendor, 8);
		assert_true(hvk_scsi_parse_inquiry(bytes, 36, table[i].protocol, &found));
		assert_int_equal(found.version, table[i].expected);
	}
}

static void nobody(void **state)
{
	static const uint8_t zeros[36];
	uint8_t bytes[36] = {0x7f, 0, 5, 2, 31};

	(void)state;
	assert_false(hvk_scsi_parse_inquiry(bytes, 36, 0x602, &found));
	bytes[2] = bytes[3] = 0; /* as hosts from 2008 R2 to 2012 R2 leave it */
	assert_false(hvk_scsi_parse_inquiry(bytes, 36, 0x600, &found));
	bytes[0] = 0x20; /* not connected */
	assert_false(hvk_scsi_parse_inquiry(bytes, 36, 0x602, &found));
	bytes[0] = 0x03; /* a processor */
	assert_false(hvk_scsi_parse_inquiry(bytes, 36, 0x602, &found));
	assert_false(hvk_scsi_parse_inquiry(zeros, 36, 0x602, &found));
	bytes[0] = 0;
	bytes[8] = 'M';
	assert_false(hvk_scsi_parse_inquiry(bytes, 4, 0x602, &found));
	assert_true(hvk_scsi_parse_inquiry(bytes, 5, 0x602, &found));
	assert_string_equal(found.info.vendor, ""); /* it was not received */
}

static void texts(void **state)
{
	uint8_t bytes[36] = {0, 0x80, 5, 2, 31, 0, 0, 2};

	(void)state;
	memcpy(bytes + 8, " Ms\001ft \377Virtual Disk    12  ", 28);
	assert_true(hvk_scsi_parse_inquiry(bytes, 36, 0x602, &found));
	assert_string_equal(found.info.vendor, "Ms?ft ?");
	assert_string_equal(found.info.product, "Virtual Disk");
	assert_string_equal(found.info.revision, "12");
	assert_true(found.removable && found.queues);
	assert_true(found.info.flags & HVK_BLOCK_REMOVABLE);
}

/* --- Pages ------------------------------------------------------------------------------------ */

static void identification(void **state)
{
	/* T10 text, EUI-64, NAA of the port, NAA of the unit, and one that goes beyond the end. */
	uint8_t bytes[] = {0,    0x83, 0, 44, 2, 1, 0, 4, 'M',  's',  'f', 't', 1, 2, 0, 8,
			   0xee, 2,    3, 4,  5, 6, 7, 8, 1,    0x13, 0,   8,   9, 9, 9, 9,
			   9,    9,    9, 9,  1, 3, 0, 8, 0x60, 2,    3,   4,   5, 6, 7, 8};

	(void)state;
	memset(&found, 0, sizeof(found));
	hvk_scsi_parse_identification(bytes, sizeof(bytes), &found.info);
	assert_int_equal(found.info.identification_length, 8);
	assert_int_equal(found.info.identification[0], 0x60);
	hvk_scsi_parse_identification(bytes, 40, &found.info); /* cut: the EUI-64 is the best left */
	memset(&found, 0, sizeof(found));
	hvk_scsi_parse_identification(bytes, 40, &found.info);
	assert_int_equal(found.info.identification[0], 0xee);
	memset(&found, 0, sizeof(found));
	bytes[7] = 255;
	hvk_scsi_parse_identification(bytes, sizeof(bytes), &found.info);
	assert_int_equal(found.info.identification_length, 0);
	bytes[1] = 0x80; /* another page */
	bytes[7] = 4;
	hvk_scsi_parse_identification(bytes, sizeof(bytes), &found.info);
	assert_int_equal(found.info.identification_length, 0);
}

/* Whatever length a page claims, at each length that can be received. */
static void lengths_that_lie(void **state)
{
	(void)state;
	for (uint32_t page = 0; page < 4; page++) {
		static const uint8_t pages[] = {0x00, 0x80, 0xb0, 0xb2};

		for (uint32_t length = 0; length <= 64; length++) {
			uint8_t bytes[64];

			memset(bytes, 0xff, sizeof(bytes));
			bytes[1] = pages[page];
			memset(&found, 0, sizeof(found));
			hvk_scsi_parse_supported_pages(bytes, length, &found);
			hvk_scsi_parse_serial(bytes, length, &found.info);
			hvk_scsi_parse_block_limits(bytes, length, &found);
			hvk_scsi_parse_characteristics(bytes, length, &found.info);
			hvk_scsi_parse_provisioning(bytes, length, &found);
			hvk_scsi_parse_mode_sense_6(bytes, length, &found);
			assert_true(strlen(found.info.serial) <= 64 &&
				    strlen(found.info.serial) <= (length > 4 ? length - 4 : 0));
			assert_int_equal(found.write_same_max != 0, page == 2 && length >= 44);
		}
	}
}

/* --- Capacity ---------------------------------------------------------------------------------- */

static void capacities(void **state)
{
	uint8_t short_one[8] = {0xff, 0xff, 0xff, 0xff, 0, 0, 2, 0};
	uint8_t long_one[32] = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0xc0};
	static const uint32_t bad_sizes[] = {0, 1, 256, 520, 8192, 0x80000000u};
	bool more;

	(void)state;
	memset(&found, 0, sizeof(found));
	assert_true(hvk_scsi_parse_capacity_10(short_one, 8, &found.info, &more));
	assert_true(more);
	assert_false(hvk_scsi_parse_capacity_10(short_one, 7, &found.info, &more));
	found.unmap = true;
	assert_true(hvk_scsi_parse_capacity_16(long_one, 32, &found));
	assert_true(found.info.blocks == 0x100000001);
	assert_int_equal(found.info.block_size, 4096);
	assert_true(found.unmap && (found.info.flags & HVK_BLOCK_DISCARD_ZEROES));
	long_one[14] = 0; /* not thin */
	assert_true(hvk_scsi_parse_capacity_16(long_one, 32, &found));
	assert_false(found.unmap);
	assert_false(hvk_scsi_parse_capacity_16(long_one, 11, &found));
	memset(long_one, 0xff, 8); /* more bytes than can be counted */
	assert_false(hvk_scsi_parse_capacity_16(long_one, 32, &found));
	for (size_t i = 0; i < sizeof(bad_sizes) / sizeof(bad_sizes[0]); i++) {
		for (uint32_t j = 0; j < 4; j++)
			short_one[4 + j] = (uint8_t)(bad_sizes[i] >> (24 - 8 * j));
		assert_false(hvk_scsi_parse_capacity_10(short_one, 8, &found.info, &more));
	}
}

/* In SBC-4 the field says more than yes or no: a pattern is not zeros. */
static void provisioning(void **state)
{
	static const uint8_t reads[] = {0x00, 0x04, 0x08, 0x0c, 0x10, 0x14};

	(void)state;
	for (size_t i = 0; i < sizeof(reads); i++) {
		const uint8_t bytes[8] = {0, 0xb2, 0, 4, 0, (uint8_t)(0xc0 | reads[i])};

		memset(&found, 0, sizeof(found));
		hvk_scsi_parse_provisioning(bytes, sizeof(bytes), &found);
		assert_true(found.unmap && found.write_same_unmap);
		assert_int_equal(found.info.flags, (reads[i] & 4) ? HVK_BLOCK_DISCARD_ZEROES : 0);
	}
}

static void modes(void **state)
{
	uint8_t bytes[32] = {31, 0, 0x90, 8}; /* eight bytes of block descriptors */

	(void)state;
	bytes[12] = 0x88;
	bytes[13] = 0x12;
	bytes[14] = 4;
	memset(&found, 0, sizeof(found));
	hvk_scsi_parse_mode_sense_6(bytes, sizeof(bytes), &found);
	assert_int_equal(found.info.flags, HVK_BLOCK_READ_ONLY | HVK_BLOCK_CAN_FUA | HVK_BLOCK_WRITE_CACHE);
	assert_true(found.cache_known);
	memset(&found, 0, sizeof(found));
	hvk_scsi_parse_mode_sense_6(bytes, 14, &found); /* the cache's byte did not come */
	assert_int_equal(found.info.flags, HVK_BLOCK_READ_ONLY | HVK_BLOCK_CAN_FUA);
	assert_false(found.cache_known);
}

/* The caching page behind others, one of them with a sub-page; and lists that do not end. */
static void list_of_mode_pages(void **state)
{
	uint8_t bytes[48] = {47, 0, 0,    0,    0x01, 2,    0xff, 0xff, 0x4a, 1,
			     0,  4, 0xff, 0xff, 0xff, 0xff, 8,    18,   4};

	(void)state;
	memset(&found, 0, sizeof(found));
	hvk_scsi_parse_mode_sense_6(bytes, sizeof(bytes), &found);
	assert_int_equal(found.info.flags, HVK_BLOCK_WRITE_CACHE);
	bytes[8] = 0x48; /* a sub-page of it is another page */
	bytes[16] = 0x0a;
	memset(&found, 0, sizeof(found));
	hvk_scsi_parse_mode_sense_6(bytes, sizeof(bytes), &found);
	assert_false(found.cache_known);
	bytes[5] = 0xff;
	hvk_scsi_parse_mode_sense_6(bytes, sizeof(bytes), &found);
	assert_false(found.cache_known);
}

/* What WRITE SAME can take back, devices promise of its long form. */
static void write_same(void **state)
{
	struct hvk_scsi_cdb cdb;

	(void)state;
	hvk_scsi_write_same(&cdb, 5, 7, false);
	assert_int_equal(cdb.bytes[0], 0x41);
	assert_int_equal(cdb.length, 10);
	hvk_scsi_write_same(&cdb, 5, 7, true);
	assert_int_equal(cdb.bytes[0], 0x93);
	assert_int_equal(cdb.bytes[1], 8);
	assert_int_equal(cdb.length, 16);
	assert_int_equal(cdb.bytes[9], 5);
	assert_int_equal(cdb.bytes[13], 7);
}

/* --- Sense and LUNs ------------------------------------------------------------------------------ */

static void sense(void **state)
{
	const uint8_t fixed[18] = {0xf0, 0, 0x26, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x2a, 0x09};
	const uint8_t descriptor[8] = {0x72, 6, 0x2a, 9};
	struct hvk_scsi_sense parsed;

	(void)state;
	hvk_scsi_parse_sense(fixed, 18, &parsed);
	assert_true(parsed.known && parsed.key == 6 && parsed.code == 0x2a09);
	hvk_scsi_parse_sense(fixed, 13, &parsed);
	assert_true(parsed.known && parsed.key == 6 && parsed.code == 0);
	hvk_scsi_parse_sense(fixed, 2, &parsed);
	assert_false(parsed.known);
	hvk_scsi_parse_sense(descriptor, 4, &parsed);
	assert_true(parsed.known && parsed.key == 6 && parsed.code == 0x2a09);
	hvk_scsi_parse_sense(descriptor, 3, &parsed);
	assert_false(parsed.known);
	hvk_scsi_parse_sense(descriptor, 0, &parsed);
	assert_false(parsed.known);
}

static void luns(void **state)
{
	const uint8_t header[8] = {0xff, 0xff, 0xff, 0xff}, two[8] = {0, 0, 0, 16};
	const uint8_t plain[8] = {0, 7}, flat[8] = {0x40, 63}, high[8] = {0x41, 0}, deep[8] = {0, 7, 0, 1};
	const uint8_t bus[8] = {1, 7}, extended[8] = {0xc1, 1};

	(void)state;
	assert_int_equal(hvk_scsi_lun_count(header, 2056), 256);
	assert_int_equal(hvk_scsi_lun_count(header, 7), 0);
	assert_int_equal(hvk_scsi_lun_count(two, 2056), 2);
	assert_int_equal(hvk_scsi_lun_count(two, 23), 1);
	assert_int_equal(hvk_scsi_lun(plain), 7);
	assert_int_equal(hvk_scsi_lun(flat), 63);
	assert_int_equal(hvk_scsi_lun(high), UINT32_MAX);
	assert_int_equal(hvk_scsi_lun(deep), UINT32_MAX);
	assert_int_equal(hvk_scsi_lun(bus), UINT32_MAX);
	assert_int_equal(hvk_scsi_lun(extended), UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_mended),
		cmocka_unit_test(nobody),
		cmocka_unit_test(texts),
		cmocka_unit_test(identification),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(capacities),
		cmocka_unit_test(provisioning),
		cmocka_unit_test(modes),
		cmocka_unit_test(list_of_mode_pages),
		cmocka_unit_test(write_same),
		cmocka_unit_test(sense),
		cmocka_unit_test(luns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
