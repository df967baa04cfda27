/* SPDX-License-Identifier: MIT */
/* Partition tables, made here by hand: MBR with a chain of logical partitions, GPT with its
 * checksums and its backup, and what must not be taken for either. */
#include "apps/storage/partitions.h"
#include "tests/unit/storage_memory.h"

#define BLOCKS 4096u

static struct memory disk;
static struct storage_table table;
static struct storage_partition partition;

static int create(void **state)
{
	(void)state;
	memory_create(&disk, BLOCKS, 512);
	return 0;
}

static int destroy(void **state)
{
	(void)state;
	memory_destroy(&disk);
	return 0;
}

static void put_entry(uint64_t block, uint32_t n, uint8_t type, uint32_t first, uint32_t count)
{
	uint8_t *sector = disk.bytes + block * disk.source.block_size, *entry = sector + 446 + 16 * n;

	entry[4] = type;
	put_le32(entry + 8, first);
	put_le32(entry + 12, count);
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

static void assert_next(uint32_t number, uint64_t first, uint64_t count)
{
	assert_true(storage_table_next(&table, &partition));
	assert_int_equal(partition.number, number);
	assert_int_equal(partition.offset, first * table.unit);
	assert_int_equal(partition.length, count * table.unit);
}

static void assert_end(uint32_t problems)
{
	assert_false(storage_table_next(&table, &partition));
	assert_false(storage_table_next(&table, &partition));
	assert_int_equal(table.problems, problems);
}

/* --- Bytes --------------------------------------------------------------------------------------- */

static void bytes_from_blocks(void **state)
{
	uint8_t data[1500];

	(void)state;
	for (uint32_t i = 0; i < 8 * 512; i++)
		disk.bytes[i] = (uint8_t)(i * 7 + (i >> 8));
	for (uint32_t offset = 0; offset < 1100; offset += 109) {
		for (uint32_t length = 0; length <= sizeof(data); length += 250) {
			assert_true(storage_read(&disk.source, offset, data, length));
			assert_memory_equal(data, disk.bytes + offset, length);
		}
	}
	assert_true(storage_read(&disk.source, BLOCKS * 512 - 5, data, 5));
	assert_false(storage_read(&disk.source, BLOCKS * 512 - 5, data, 6));
	assert_false(storage_read(&disk.source, UINT64_MAX, data, 1));
	disk.bad = 2;
	assert_true(storage_read(&disk.source, 0, data, 1024));
	assert_false(storage_read(&disk.source, 0, data, 1025));
	assert_false(storage_read(&disk.source, 1030, data, 5));
}

static void characters(void **state)
{
	char text[4];
	uint32_t units;

	(void)state;
	assert_int_equal(storage_utf8('A', 0, text, &units), 1);
	assert_int_equal(storage_utf8(0xfc, 0, text, &units), 2);
	assert_memory_equal(text, "\xc3\xbc", 2);
	assert_int_equal(storage_utf8(0x20ac, 0, text, &units), 3);
	assert_memory_equal(text, "\xe2\x82\xac", 3);
	assert_int_equal(units, 1);
	assert_int_equal(storage_utf8(0xd83d, 0xde00, text, &units), 4);
	assert_memory_equal(text, "\xf0\x9f\x98\x80", 4);
	assert_int_equal(units, 2);
	assert_int_equal(storage_utf8(0xd83d, 'x', text, &units), 3); /* half of one */
	assert_memory_equal(text, "\xef\xbf\xbd", 3);
	assert_int_equal(units, 1);
}

/* --- MBR ----------------------------------------------------------------------------------------- */

static void primary_partitions(void **state)
{
	(void)state;
	put_entry(0, 0, 0x0c, 64, 100);
	put_entry(0, 2, 0x83, 200, BLOCKS - 200);
	disk.bytes[446 + 32] = 0x80;
	put_le32(disk.bytes + 440, 0xcafe1234);
	assert_true(storage_table_open(&table, &disk.source));
	assert_int_equal(table.kind, STORAGE_TABLE_MBR);
	assert_int_equal(table.disk_id, 0xcafe1234);
	assert_next(1, 64, 100);
	assert_false(partition.active);
	assert_int_equal(partition.mbr_type, 0x0c);
	assert_next(3, 200, BLOCKS - 200);
	assert_true(partition.active);
	assert_end(0);
}

static void logical_partitions(void **state)
{
	(void)state;
	put_entry(0, 0, 0x05, 1000, 2000);
	put_entry(0, 1, 0x83, 10, 90);
	put_entry(1000, 0, 0x83, 8, 100);
	put_entry(1000, 1, 0x05, 500, 300); /* counts from 1000 */
	put_entry(1500, 0, 0x82, 16, 200);
	put_entry(1500, 1, 0x05, 300, 100); /* backwards: allowed */
	put_entry(1300, 0, 0x07, 1, 10);
	assert_true(storage_table_open(&table, &disk.source));
	assert_next(1, 1000, 2000);
	assert_next(2, 10, 90);
	assert_next(5, 1008, 100);
	assert_next(6, 1516, 200);
	assert_next(7, 1301, 10);
	assert_end(0);
}

static void chains_that_do_not_end(void **state)
{
	uint32_t count = 0;

	(void)state;
	put_entry(0, 0, 0x0f, 1000, 2000);
	put_entry(1000, 0, 0x83, 8, 10);
	put_entry(1000, 1, 0x05, 500, 300);
	put_entry(1500, 0, 0x83, 8, 10);
	put_entry(1500, 1, 0x05, 500, 300); /* itself */
	assert_true(storage_table_open(&table, &disk.source));
	while (storage_table_next(&table, &partition))
		count++;
	assert_int_equal(count, 1 + STORAGE_LOGICAL_MAX);
	assert_int_equal(table.problems, STORAGE_TABLE_LOOP);
}

static void outside(void **state)
{
	(void)state;
	put_entry(0, 0, 0x83, 64, BLOCKS - 63);
	put_entry(0, 1, 0x83, BLOCKS, 1);
	put_entry(0, 2, 0x83, 0, 10); /* over the table itself */
	put_entry(0, 3, 0x05, 1000, 100);
	put_entry(1000, 0, 0x83, 50, 51);
	put_entry(1000, 1, 0x05, 100, 10);
	assert_true(storage_table_open(&table, &disk.source));
	assert_next(4, 1000, 100);
	assert_end(STORAGE_TABLE_OUTSIDE);
}

static void no_table(void **state)
{
	(void)state;
	assert_false(storage_table_open(&table, &disk.source));
	assert_end(0);
	memcpy(disk.bytes, "\xeb\x3c\x90mkfs.fat", 11); /* FAT16's first block, as mkfs.vfat makes it */
	memcpy(disk.bytes + 54, "FAT16   ", 8);
	put_le16(disk.bytes + 510, 0xaa55);
	assert_false(storage_table_open(&table, &disk.source));
	put_entry(0, 0, 0x83, 64, 100); /* with partitions it is one all the same */
	assert_true(storage_table_open(&table, &disk.source));
	disk.bytes[446] = 0x20; /* neither active nor not */
	assert_false(storage_table_open(&table, &disk.source));
}

static void tables_that_cannot_be_read(void **state)
{
	(void)state;
	put_entry(0, 0, 0x05, 1000, 2000);
	put_entry(1000, 0, 0x83, 8, 10);
	disk.bad = 1000;
	assert_true(storage_table_open(&table, &disk.source));
	assert_next(1, 1000, 2000);
	assert_end(STORAGE_TABLE_READ_ERROR);
	disk.bad = 0;
	assert_false(storage_table_open(&table, &disk.source));
	assert_end(STORAGE_TABLE_READ_ERROR);
}

/* --- GPT ------------------------------------------------------------------------------------------ */

#define ENTRIES 128u
#define FIRST 34u
#define LAST (BLOCKS - 34u)

static uint8_t *block(uint64_t n)
{
	return disk.bytes + n * disk.source.block_size;
}

/* Checksums of the copy whose header is at that block. */
static void seal(uint64_t at)
{
	uint8_t *header = block(at);
	uint64_t entries = storage_le64(header + 72);
	uint32_t bytes = storage_le32(header + 80) * storage_le32(header + 84);

	put_le32(header + 88, storage_crc32(0, block(entries), bytes));
	put_le32(header + 16, 0);
	put_le32(header + 16, storage_crc32(0, header, storage_le32(header + 12)));
}

static void put_header(uint64_t at, uint64_t other, uint64_t entries)
{
	uint8_t *header = block(at);

	memcpy(header, "EFI PART\x00\x00\x01\x00\x5c\x00\x00\x00", 16);
	put_le64(header + 24, at);
	put_le64(header + 32, other);
	put_le64(header + 40, FIRST);
	put_le64(header + 48, LAST);
	memset(header + 56, 0xd1, 16);
	put_le64(header + 72, entries);
	put_le32(header + 80, ENTRIES);
	put_le32(header + 84, 128);
}

static void put_gpt_entry(uint32_t n, uint64_t first, uint64_t last, const char *name)
{
	for (uint32_t copy = 0; copy < 2; copy++) {
		uint8_t *entry = block(copy ? BLOCKS - 33 : 2) + 128 * n;

		memset(entry, 0, 128);
		memset(entry, 0x77, 16);
		memset(entry + 16, (int)(n + 1), 16);
		put_le64(entry + 32, first);
		put_le64(entry + 40, last);
		put_le64(entry + 48, 4);
		for (size_t i = 0; name[i] && i < 36; i++)
			entry[56 + 2 * i] = (uint8_t)name[i];
	}
}

static void put_gpt(void)
{
	put_entry(0, 0, 0xee, 1, BLOCKS - 1);
	put_header(1, BLOCKS - 1, 2);
	put_header(BLOCKS - 1, 1, BLOCKS - 33);
	put_gpt_entry(0, 64, 163, "first");
	put_gpt_entry(5, 1000, LAST, "a name of the very longest, 36 in all");
	seal(1);
	seal(BLOCKS - 1);
}

static void assert_gpt(uint32_t problems)
{
	assert_true(storage_table_open(&table, &disk.source));
	assert_int_equal(table.kind, STORAGE_TABLE_GPT);
	assert_int_equal(table.disk_guid[3], 0xd1);
	assert_next(1, 64, 100);
	assert_string_equal(partition.name, "first");
	assert_int_equal(partition.type[0], 0x77);
	assert_int_equal(partition.guid[0], 1);
	assert_int_equal(partition.attributes, 4);
	assert_next(6, 1000, LAST - 999);
	assert_string_equal(partition.name, "a name of the very longest, 36 in al");
	assert_end(problems);
}

static void both_copies(void **state)
{
	(void)state;
	assert_int_equal(storage_crc32(0, "123456789", 9), 0xcbf43926); /* the check value of CRC-32 */
	assert_int_equal(storage_crc32(storage_crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
	put_gpt();
	assert_gpt(0);
}

/* Any byte of a copy that is not as it was makes it invalid, and the other one does. */
static void one_copy(void **state)
{
	static const uint32_t bytes[] = {0, 9, 12, 16, 24, 32, 40, 56, 72, 80, 84, 88, 91};

	(void)state;
	put_gpt();
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		block(1)[bytes[i]] ^= 1;
		assert_gpt(STORAGE_TABLE_PRIMARY_WRONG);
		block(1)[bytes[i]] ^= 1;
		block(BLOCKS - 1)[bytes[i]] ^= 1;
		assert_gpt(STORAGE_TABLE_BACKUP_WRONG);
		block(BLOCKS - 1)[bytes[i]] ^= 1;
	}
	block(2)[128 * 127] ^= 1;
	assert_gpt(STORAGE_TABLE_PRIMARY_WRONG);
	block(BLOCKS - 2)[511] ^= 1;
	assert_false(storage_table_open(&table, &disk.source));
	assert_end(STORAGE_TABLE_BOTH_WRONG);
}

static void unreadable_copy(void **state)
{
	(void)state;
	put_gpt();
	disk.bad = 1;
	assert_gpt(STORAGE_TABLE_PRIMARY_WRONG | STORAGE_TABLE_READ_ERROR);
}

/* Sealed all the same: what the checksums do not find. */
static void nonsense_with_checksums(void **state)
{
	static const struct {
		uint32_t at;
		uint64_t value;
	} wrong[] = {
		{40, LAST + 1}, {48, BLOCKS}, {72, BLOCKS},   {80, STORAGE_GPT_ENTRIES_MAX + 1},
		{84, 64},       {84, 192},    {84, 1u << 20}, {12, 91},
		{12, 513},      {8, 0x20000}, {24, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t good[512];

		put_gpt();
		memcpy(good, block(1), sizeof(good));
		if (wrong[i].at < 80 && wrong[i].at > 12)
			put_le64(block(1) + wrong[i].at, wrong[i].value);
		else
			put_le32(block(1) + wrong[i].at, (uint32_t)wrong[i].value);
		put_le32(block(1) + 16, 0);
		put_le32(block(1) + 16, storage_crc32(0, block(1), storage_le32(block(1) + 12) & 511));
		assert_gpt(STORAGE_TABLE_PRIMARY_WRONG);
		memcpy(block(1), good, sizeof(good));
	}
}

static void entries_outside(void **state)
{
	(void)state;
	put_gpt();
	put_gpt_entry(1, FIRST - 1, 100, "over the table");
	put_gpt_entry(2, 100, LAST + 1, "over the backup");
	put_gpt_entry(3, 200, 199, "backwards");
	seal(1);
	seal(BLOCKS - 1);
	assert_gpt(STORAGE_TABLE_OUTSIDE);
}

/* Tables count in the disk's blocks; those on a CD-ROM were made for a disk of 512. */
static void other_blocks(void **state)
{
	(void)state;
	memory_destroy(&disk);
	memory_create(&disk, 1024, 4096);
	put_entry(0, 0, 0x83, 10, 20);
	assert_true(storage_table_open(&table, &disk.source));
	assert_next(1, 10, 20);
	assert_int_equal(partition.offset, 40960);
	disk.source.blocks = 2048;
	disk.source.block_size = 2048;
	assert_true(storage_table_open(&table, &disk.source));
	assert_next(1, 10, 20);
	assert_int_equal(partition.offset, 5120);
}

static void types(void **state)
{
	static const uint8_t esp[16] = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
					0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};
	static const uint8_t other[16] = {1};

	(void)state;
	assert_string_equal(storage_mbr_type_name(0x83), "Linux");
	assert_null(storage_mbr_type_name(0x99));
	assert_string_equal(storage_gpt_type_name(esp), "EFI system");
	assert_null(storage_gpt_type_name(other));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_from_blocks),
		TEST(characters),
		TEST(primary_partitions),
		TEST(logical_partitions),
		TEST(chains_that_do_not_end),
		TEST(outside),
		TEST(no_table),
		TEST(tables_that_cannot_be_read),
		TEST(both_copies),
		TEST(one_copy),
		TEST(unreadable_copy),
		TEST(nonsense_with_checksums),
		TEST(entries_outside),
		TEST(other_blocks),
		TEST(types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
