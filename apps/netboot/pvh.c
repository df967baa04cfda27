/* SPDX-License-Identifier: MIT */
#include "apps/netboot/pvh.h"

#include <string.h>

#define LOW_MEMORY 0x100000u
#define LIMIT (1ull << 32)
#define NOTES_MAX 64u /* notes looked at, of one segment */

/* ELF (System V ABI), as far as it is read here. */
#define ELF_CLASS 4u
#define CLASS_32 1u
#define CLASS_64 2u
#define ELF_DATA 5u
#define DATA_LITTLE 1u
#define MACHINE_386 3u
#define MACHINE_X86_64 62u
#define TYPE_EXECUTABLE 2u
#define TYPE_SHARED 3u
#define SEGMENT_LOAD 1u
#define SEGMENT_NOTE 4u
#define NOTE_PHYS32_ENTRY 18u

struct header_64 {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, segments, sections;
	uint32_t flags;
	uint16_t size, segment_size, segment_count;
};

struct header_32 {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version, entry, segments, sections, flags;
	uint16_t size, segment_size, segment_count;
};

struct segment_64 {
	uint32_t type, flags;
	uint64_t offset, virtual_address, address, length, size, alignment;
};

struct segment_32 {
	uint32_t type, offset, virtual_address, address, length, size, flags, alignment;
};

/* What is read of either class. */
struct elf {
	const uint8_t *bytes;
	uint64_t size;
	uint64_t segments;
	uint32_t count;
	bool wide;
};

bool pvh_is_elf(const uint8_t *bytes, uint64_t size)
{
	static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};

	return size >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

static const char *check_header(struct elf *elf)
{
	struct header_64 header = {.type = 0};
	struct header_32 narrow;
	uint32_t right;

	if (elf->size < sizeof(header))
		return "is too short for an ELF file";
	elf->wide = elf->bytes[ELF_CLASS] == CLASS_64;
	if (elf->wide) {
		memcpy(&header, elf->bytes, sizeof(header));
	} else {
		memcpy(&narrow, elf->bytes, sizeof(narrow));
		header.type = narrow.type;
		header.machine = narrow.machine;
		header.segments = narrow.segments;
		header.segment_size = narrow.segment_size;
		header.segment_count = narrow.segment_count;
	}
	if (elf->bytes[ELF_CLASS] != CLASS_64 && elf->bytes[ELF_CLASS] != CLASS_32)
		return "is an ELF file of no known class";
	if (elf->bytes[ELF_DATA] != DATA_LITTLE ||
	    (header.machine != MACHINE_X86_64 && header.machine != MACHINE_386))
		return "is an ELF file for another processor";
	if (header.type != TYPE_EXECUTABLE && header.type != TYPE_SHARED)
		return "is an ELF file, but no program";
	right = elf->wide ? sizeof(struct segment_64) : sizeof(struct segment_32);
	if (header.segment_count == 0 || header.segment_size != right)
		return "is an ELF file without program headers, or with such of a wrong size";
	elf->segments = header.segments;
	elf->count = header.segment_count;
	if (elf->segments > elf->size || elf->count > (elf->size - elf->segments) / right)
		return "ends before its program headers do";
	return NULL;
}

static struct segment_64 segment_of(const struct elf *elf, uint32_t n)
{
	struct segment_64 wide;
	struct segment_32 narrow;

	if (elf->wide) {
		memcpy(&wide, elf->bytes + elf->segments + (uint64_t)n * sizeof(wide), sizeof(wide));
		return wide;
	}
	memcpy(&narrow, elf->bytes + elf->segments + (uint64_t)n * sizeof(narrow), sizeof(narrow));
	return (struct segment_64){.type = narrow.type,
				   .offset = narrow.offset,
				   .address = narrow.address,
				   .length = narrow.length,
				   .size = narrow.size};
}

static bool is_inside(const struct elf *elf, const struct segment_64 *segment)
{
	return segment->offset <= elf->size && segment->length <= elf->size - segment->offset;
}

static const char *add_segment(struct pvh_image *image, const struct elf *elf,
			       const struct segment_64 *segment)
{
	if (segment->size == 0)
		return NULL;
	if (segment->length > segment->size)
		return "has a segment that is larger in the file than in memory";
	if (!is_inside(elf, segment))
		return "ends before its segments do";
	if (segment->address < LOW_MEMORY)
		return "has a segment below 1 MiB";
	if (segment->address >= LIMIT || segment->size > LIMIT - segment->address)
		return "has a segment above 4 GiB";
	if (image->count == PVH_SEGMENTS_MAX)
		return "has more than 32 segments to load";
	image->segments[image->count++] = (struct pvh_segment){segment->offset, segment->length,
							       segment->address, segment->size};
	return NULL;
}

/* --- The entry ----------------------------------------------------------------------------------- */

static uint64_t padded(uint32_t size)
{
	return ((uint64_t)size + 3) & ~3ull;
}

static bool find_entry_in(const uint8_t *notes, uint64_t size, uint64_t *entry)
{
	uint64_t at = 0;

	for (uint32_t n = 0; n < NOTES_MAX && size - at >= 12; n++) {
		uint32_t words[3]; /* lengths of name and value, type */
		uint64_t name = at + 12, value;

		memcpy(words, notes + at, sizeof(words));
		value = name + padded(words[0]);
		if (value > size || words[1] > size - value)
			return false;
		if (words[2] == NOTE_PHYS32_ENTRY && words[0] == 4 && memcmp(notes + name, "Xen", 4) == 0 &&
		    (words[1] == 4 || words[1] == 8)) {
			*entry = 0;
			memcpy(entry, notes + value, words[1]);
			return true;
		}
		at = value + padded(words[1]);
		if (at > size)
			return false;
	}
	return false;
}

static bool find_entry(const struct elf *elf, uint64_t *entry)
{
	for (uint32_t n = 0; n < elf->count; n++) {
		struct segment_64 segment = segment_of(elf, n);

		if (segment.type == SEGMENT_NOTE && is_inside(elf, &segment) &&
		    find_entry_in(elf->bytes + segment.offset, segment.length, entry))
			return true;
	}
	return false;
}

static bool is_loaded(const struct pvh_image *image, uint64_t address)
{
	for (uint32_t n = 0; n < image->count; n++) {
		if (address >= image->segments[n].address &&
		    address - image->segments[n].address < image->segments[n].size)
			return true;
	}
	return false;
}

static const char *check_overlaps(const struct pvh_image *image)
{
	for (uint32_t n = 0; n < image->count; n++) {
		const struct memory_span span = {image->segments[n].address, image->segments[n].size};

		for (uint32_t m = 0; m < n; m++) {
			if (memory_overlaps(&span, 1, image->segments[m].address, image->segments[m].size))
				return "has segments that overlap";
		}
	}
	return NULL;
}

const char *pvh_read(const uint8_t *bytes, uint64_t size, struct pvh_image *image)
{
	struct elf elf = {.bytes = bytes, .size = size};
	const char *wrong = check_header(&elf);

	memset(image, 0, sizeof(*image));
	for (uint32_t n = 0; n < elf.count && !wrong; n++) {
		struct segment_64 segment = segment_of(&elf, n);

		if (segment.type == SEGMENT_LOAD)
			wrong = add_segment(image, &elf, &segment);
	}
	if (wrong)
		return wrong;
	if (!find_entry(&elf, &image->entry))
		return "has no PVH entry (ELF note Xen, type 18)";
	if (!is_loaded(image, image->entry))
		return "has its entry where nothing of it is loaded";
	return check_overlaps(image);
}

const char *pvh_check_place(const struct pvh_image *image, const struct memory_map *map,
			    const struct memory_span *taken, uint32_t count)
{
	for (uint32_t n = 0; n < image->count; n++) {
		const struct pvh_segment *segment = &image->segments[n];

		if (!memory_map_is_ram(map, segment->address, segment->size))
			return "has a segment where this machine has no memory that could be used";
		if (memory_overlaps(taken, count, segment->address, segment->size))
			return "has a segment where other files were loaded to: the machine needs more "
			       "memory";
	}
	return NULL;
}

/* --- The start information ----------------------------------------------------------------------- */

#define START_MAGIC 0x336ec578u

struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, command_line, rsdp, memory_map;
	uint32_t range_count, reserved;
};
struct start_module {
	uint64_t address, size, command_line, reserved;
};
struct start_range {
	uint64_t address, length;
	uint32_t type, reserved;
};
_Static_assert(sizeof(struct start_info) + PVH_MODULES_MAX * sizeof(struct start_module) +
			       MEMORY_RANGES_MAX * sizeof(struct start_range) <=
		       PVH_START_BYTES,
	       "all of it fits");

void pvh_write_start(uint8_t page[PVH_START_BYTES], uint64_t address, const struct pvh_parameters *parameters)
{
	const struct memory_map *map = parameters->map;
	uint32_t modules = sizeof(struct start_info),
		 ranges = modules + parameters->module_count * (uint32_t)sizeof(struct start_module);
	const struct start_info info = {.magic = START_MAGIC,
					.version = 1,
					.module_count = parameters->module_count,
					.modules = parameters->module_count ? address + modules : 0,
					.command_line = parameters->command_line,
					.rsdp = parameters->rsdp,
					.memory_map = address + ranges,
					.range_count = map->count};

	memset(page, 0, PVH_START_BYTES);
	memcpy(page, &info, sizeof(info));
	for (uint32_t n = 0; n < parameters->module_count && n < PVH_MODULES_MAX; n++) {
		const struct start_module module = {.address = parameters->modules[n].address,
						    .size = parameters->modules[n].length};

		memcpy(page + modules + n * sizeof(module), &module, sizeof(module));
	}
	for (uint32_t n = 0; n < map->count; n++) {
		const struct start_range range = {map->ranges[n].address, map->ranges[n].length,
						  map->ranges[n].type, 0};

		memcpy(page + ranges + n * sizeof(range), &range, sizeof(range));
	}
}
