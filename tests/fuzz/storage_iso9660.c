/* SPDX-License-Identifier: MIT */
/*
 * An ISO 9660 file system: the first byte says which names are asked for and how large the source's
 * blocks are; the bytes behind it are what begins at sector 16, where the descriptors are. All that is
 * there is listed to a depth, looked up by its path and read.
 */
#include <stdlib.h>
#include <string.h>

#include "apps/storage/iso9660.h"
#include "tests/fuzz/input.h"

#define BEGIN (16u * ISO9660_SECTOR)
#define ENTRIES_MAX 200u /* of one input */
#define DEPTH_MAX 4u
#define READS_MAX 2000000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct disc {
	struct storage_source source;
	const uint8_t *bytes;
	size_t length;
	uint32_t reads, entries;
};

static bool read_blocks(void *context, uint64_t block, uint32_t count, void *data)
{
	struct disc *disc = context;
	uint8_t *to = data;

	FUZZ_CHECK(count && block < disc->source.blocks && count <= disc->source.blocks - block);
	FUZZ_CHECK(++disc->reads < READS_MAX);
	for (size_t i = 0; i < (size_t)count * disc->source.block_size; i++) {
		uint64_t offset = block * disc->source.block_size + i;

		to[i] = offset < BEGIN || offset - BEGIN >= disc->length ? 0 : disc->bytes[offset - BEGIN];
	}
	return true;
}

static void check_entry(const struct iso9660 *volume, const struct iso9660_entry *entry)
{
	uint64_t size = storage_size(volume->source), sum = 0;
	const char *end = memchr(entry->name, '\0', sizeof(entry->name));

	FUZZ_CHECK(end && end != entry->name && !strchr(entry->name, '/'));
	FUZZ_CHECK(strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0);
	FUZZ_CHECK(entry->extent_count <= ISO9660_EXTENTS_MAX);
	for (uint32_t n = 0; n < entry->extent_count; n++) {
		const struct iso9660_extent *extent = &entry->extents[n];

		FUZZ_CHECK(extent->offset <= size && extent->length <= size - extent->offset);
		sum += extent->length;
	}
	FUZZ_CHECK(sum == entry->size);
}

static void read_ends(const struct iso9660 *volume, const struct iso9660_entry *entry)
{
	uint8_t byte;

	if (entry->directory || !entry->size)
		return;
	FUZZ_CHECK(iso9660_read(volume, entry, 0, &byte, 1) == ISO9660_OK);
	FUZZ_CHECK(iso9660_read(volume, entry, entry->size - 1, &byte, 1) == ISO9660_OK);
	FUZZ_CHECK(iso9660_read(volume, entry, entry->size, &byte, 1) == ISO9660_CORRUPT);
}

/* What is listed in the root is found by its name: it, or another of that name. */
static void look_up(const struct iso9660 *volume, const struct iso9660_entry *entry)
{
	struct iso9660_entry found;

	FUZZ_CHECK(iso9660_find(volume, entry->name, &found) == ISO9660_OK);
	check_entry(volume, &found);
}

/* Everything in it, and deeper. */
static void walk(struct disc *disc, const struct iso9660 *volume, const struct iso9660_entry *directory,
		 uint32_t depth)
{
	struct iso9660_list list;
	struct iso9660_entry entry;

	if (iso9660_list(volume, directory, &list) != ISO9660_OK)
		return;
	while (disc->entries < ENTRIES_MAX && iso9660_next(&list, &entry) == ISO9660_OK) {
		disc->entries++;
		check_entry(volume, &entry);
		read_ends(volume, &entry);
		if (entry.directory && depth < DEPTH_MAX)
			walk(disc, volume, &entry, depth + 1);
		if (depth == 0)
			look_up(volume, &entry);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t block_sizes[] = {2048, 512, 4096, 1024};
	struct disc disc = {0};
	struct iso9660 volume;

	if (!size)
		return 0;
	disc.bytes = data + 1;
	disc.length = size - 1;
	disc.source = (struct storage_source){
		.read = read_blocks, .context = &disc, .block_size = block_sizes[data[0] >> 2 & 3]};
	disc.source.blocks = (BEGIN + disc.length + disc.source.block_size - 1) / disc.source.block_size;
	if (iso9660_open(&volume, &disc.source, (enum iso9660_names)(data[0] & 3)) != ISO9660_OK)
		return 0;
	FUZZ_CHECK(volume.names != ISO9660_ANY_NAMES && memchr(volume.name, '\0', sizeof(volume.name)));
	walk(&disc, &volume, &volume.root, 0);
	return 0;
}
