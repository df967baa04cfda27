/* SPDX-License-Identifier: MIT */
/* The information of a Multiboot 2 loader: tags, each with its length.
 * Source: Multiboot 2 Specification 2.0, 3.6. */
#include "ports/bare-x86_64/boot_info.h"

#define INFORMATION_MAX (16u << 20)
#define TAGS_MAX 1024u
#define TAG_HEADER 8u

enum {
	TAG_END = 0,
	TAG_COMMAND_LINE = 1,
	TAG_MEMORY_MAP = 6,
	TAG_FRAME_BUFFER = 8,
	TAG_RSDP_1 = 14, /* copies of ACPI's first and later pointer */
	TAG_RSDP_2 = 15,
};

struct tag {
	uint32_t type, size; /* with this header */
};

struct memory_map_tag {
	uint32_t entry_size, entry_version;
};
#define ENTRY_SIZE_MIN 20u

struct frame_buffer_tag {
	uint64_t address;
	uint32_t pitch, width, height;
	uint8_t bits, type;
	uint16_t reserved;
	uint8_t colours[6]; /* position and size of red, green, blue; of RGB alone */
} __attribute__((packed));
#define FRAME_BUFFER_FIXED_SIZE 24u
#define FRAME_BUFFER_RGB 1u
#define FRAME_BUFFER_VGA_TEXT 2u

static const char *read_memory_map(struct boot_info *info, const struct physical *from, uint64_t at,
				   uint32_t bytes)
{
	struct memory_map_tag map;
	uint32_t count;

	if (bytes < sizeof(map) || !physical_read(from, at, &map, sizeof(map)) ||
	    map.entry_size < ENTRY_SIZE_MIN)
		return "the memory map of the Multiboot 2 information is too short";
	count = (bytes - (uint32_t)sizeof(map)) / map.entry_size;
	if (count > BOOT_RANGES_MAX)
		return "the memory map has more than 128 entries";
	for (uint32_t i = 0; i < count; i++) {
		struct boot_range *range = &info->ranges[i];
		uint64_t entry = at + sizeof(map) + (uint64_t)i * map.entry_size;

		if (!physical_read(from, entry, &range->address, 8) ||
		    !physical_read(from, entry + 8, &range->length, 8) ||
		    !physical_read(from, entry + 16, &range->type, 4))
			return "the memory map lies outside of memory";
	}
	info->range_count = count;
	return NULL;
}

/* One that cannot be read is none: it is not needed. */
static void read_screen(struct boot_info *info, const struct physical *from, uint64_t at, uint32_t bytes)
{
	struct frame_buffer_tag tag = {0};
	struct boot_screen screen;

	if (bytes < FRAME_BUFFER_FIXED_SIZE ||
	    !physical_read(from, at, &tag, bytes < sizeof(tag) ? bytes : sizeof(tag)))
		return;
	screen = (struct boot_screen){.address = tag.address,
				      .width = tag.width,
				      .height = tag.height,
				      .pitch = tag.pitch,
				      .pixel_bits = tag.bits,
				      .red = {tag.colours[0], tag.colours[1]},
				      .green = {tag.colours[2], tag.colours[3]},
				      .blue = {tag.colours[4], tag.colours[5]}};
	if (tag.type == FRAME_BUFFER_RGB)
		screen.kind = BOOT_SCREEN_PIXELS;
	else if (tag.type == FRAME_BUFFER_VGA_TEXT)
		screen.kind = BOOT_SCREEN_VGA_TEXT;
	boot_set_screen(info, &screen);
}

static const char *read_tag(struct boot_info *info, const struct physical *from, const struct tag *tag,
			    uint64_t at)
{
	uint32_t bytes = tag->size - TAG_HEADER;

	switch (tag->type) {
	case TAG_COMMAND_LINE:
		return boot_read_command_line(info, from, at, bytes);
	case TAG_MEMORY_MAP:
		return read_memory_map(info, from, at, bytes);
	case TAG_FRAME_BUFFER:
		read_screen(info, from, at, bytes);
		return NULL;
	case TAG_RSDP_1:
		if (info->rsdp == 0)
			info->rsdp = at;
		return NULL;
	case TAG_RSDP_2:
		info->rsdp = at;
		return NULL;
	default:
		return NULL;
	}
}

const char *boot_read_multiboot(struct boot_info *info, const struct physical *from, uint64_t address)
{
	uint32_t total = 0, offset = TAG_HEADER;
	const char *error = NULL;
	struct tag tag;

	if (!physical_read(from, address, &total, sizeof(total)))
		return "the Multiboot 2 information lies outside of memory";
	if (total > INFORMATION_MAX)
		return "the Multiboot 2 information says that it is longer than 16 MiB";
	for (uint32_t i = 0; i < TAGS_MAX && !error && offset + TAG_HEADER <= total; i++) {
		if (!physical_read(from, address + offset, &tag, sizeof(tag)))
			return "the Multiboot 2 information lies outside of memory";
		if (tag.type == TAG_END)
			break;
		if (tag.size < TAG_HEADER || tag.size > total - offset)
			return "a tag of the Multiboot 2 information is longer than all of it";
		error = read_tag(info, from, &tag, address + offset + TAG_HEADER);
		offset += (tag.size + 7u) & ~7u; /* both below 16 MiB */
	}
	if (!error && info->range_count == 0)
		error = "the Multiboot 2 information has no memory map";
	return error;
}
