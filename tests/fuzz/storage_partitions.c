/* SPDX-License-Identifier: MIT */
/*
 * A disk's partition tables. The first byte says how the bytes behind it are taken: the size of the
 * blocks (bits 0 and 1), whether the disk is larger than what there is of it (bit 2; the rest is
 * zeros), and whether the checksums of a GPT are made right first (bit 3), so that what is behind
 * them is reached.
 */
#include <stdlib.h>
#include <string.h>

#include "apps/storage/partitions.h"
#include "tests/fuzz/input.h"

#define PARTITIONS_MAX (4u + STORAGE_LOGICAL_MAX + STORAGE_GPT_ENTRIES_MAX)
#define READS_MAX 100000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct disk {
	struct storage_source source;
	uint8_t *bytes;
	size_t length;
	uint32_t reads;
};

static bool read_blocks(void *context, uint64_t block, uint32_t count, void *data)
{
	struct disk *disk = context;
	size_t size = (size_t)count * disk->source.block_size, there = 0;
	uint64_t offset = block * disk->source.block_size;

	FUZZ_CHECK(count && block < disk->source.blocks && count <= disk->source.blocks - block);
	FUZZ_CHECK(++disk->reads < READS_MAX);
	if (offset < disk->length)
		there = disk->length - offset < size ? disk->length - (size_t)offset : size;
	if (there)
		memcpy(data, disk->bytes + offset, there);
	memset((uint8_t *)data + there, 0, size - there);
	return true;
}

static void put_le32(uint8_t *at, uint32_t value)
{
	for (uint32_t i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* The checksums of a GPT's copy, where there could be one. */
static void seal(struct disk *disk, uint64_t unit, uint32_t unit_size)
{
	uint64_t offset = unit * unit_size, entries;
	uint8_t *header = disk->bytes + offset;
	uint64_t bytes;
	uint32_t size;

	if (offset > disk->length || disk->length - offset < 512)
		return;
	size = storage_le32(header + 12);
	entries = storage_le64(header + 72);
	bytes = (uint64_t)storage_le32(header + 80) * storage_le32(header + 84);
	if (entries < disk->length / unit_size && bytes <= disk->length - entries * unit_size)
		put_le32(header + 88, storage_crc32(0, disk->bytes + entries * unit_size, (size_t)bytes));
	put_le32(header + 16, 0);
	if (size <= 512)
		put_le32(header + 16, storage_crc32(0, header, size));
}

static void check(const struct disk *disk, const struct storage_partition *partition)
{
	uint64_t size = storage_size(&disk->source);

	FUZZ_CHECK(partition->number);
	FUZZ_CHECK(partition->length && partition->offset < size &&
		   partition->length <= size - partition->offset);
	FUZZ_CHECK(memchr(partition->name, '\0', sizeof(partition->name)));
	(void)storage_mbr_type_name(partition->mbr_type);
	(void)storage_gpt_type_name(partition->type);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t block_sizes[] = {512, 4096, 2048, 1024};
	struct disk disk = {0};
	struct storage_table table;
	struct storage_partition partition;
	uint32_t count = 0;

	if (!size)
		return 0;
	disk.length = size - 1;
	disk.bytes = malloc(size);
	FUZZ_CHECK(disk.bytes);
	memcpy(disk.bytes, data + 1, disk.length);
	disk.source = (struct storage_source){
		.read = read_blocks, .context = &disk, .block_size = block_sizes[data[0] & 3]};
	disk.source.blocks = disk.length / disk.source.block_size + ((data[0] & 4) ? 1000000 : 0);
	if (data[0] & 8) {
		uint32_t unit = disk.source.block_size == 2048 ? 512 : disk.source.block_size;

		seal(&disk, 1, unit);
		if (disk.source.blocks)
			seal(&disk, storage_size(&disk.source) / unit - 1, unit);
	}
	(void)storage_table_open(&table, &disk.source);
	while (storage_table_next(&table, &partition)) {
		check(&disk, &partition);
		FUZZ_CHECK(++count <= PARTITIONS_MAX);
	}
	FUZZ_CHECK(table.kind != STORAGE_TABLE_NONE || !count);
	free(disk.bytes);
	return 0;
}
