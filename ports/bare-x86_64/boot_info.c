/* SPDX-License-Identifier: MIT */
#include "ports/bare-x86_64/boot_info.h"

#define PAGE_SHIFT 12u
#define PAGE_ROUND ((1ull << PAGE_SHIFT) - 1)

#define PVH_MAGIC 0x336ec578u

struct pvh_start_info {
	uint32_t magic, version, flags, modules;
	uint64_t module_list, command_line, rsdp;
	uint64_t memory_map; /* this and below: since version 1 */
	uint32_t memory_map_entries, reserved;
};
_Static_assert(sizeof(struct pvh_start_info) == 56, "as in start_info.h");

struct pvh_range {
	uint64_t address, length;
	uint32_t type, reserved;
};
_Static_assert(sizeof(struct pvh_range) == 24, "as in start_info.h");

/* Offsets in the zero page. */
#define ZERO_PAGE_SCREEN 0x000u
#define ZERO_PAGE_RSDP 0x070u
#define ZERO_PAGE_COMMAND_LINE_HIGH 0x0c8u
#define ZERO_PAGE_E820_ENTRIES 0x1e8u
#define ZERO_PAGE_COMMAND_LINE 0x228u
#define ZERO_PAGE_E820 0x2d0u
#define E820_ENTRY_SIZE 20u

struct zero_page_screen {
	uint8_t not_used_0[15];
	uint8_t kind;
	uint8_t not_used_1[2];
	uint16_t width, height, depth;
	uint32_t base, size;
	uint8_t not_used_2[4];
	uint16_t pitch;
	uint8_t red_size, red_position, green_size, green_position, blue_size, blue_position;
	uint8_t not_used_3[10];
	uint32_t capabilities, base_high;
} __attribute__((packed));
_Static_assert(sizeof(struct zero_page_screen) == 62, "as in screen_info.h");
#define SCREEN_VESA 0x23u
#define SCREEN_EFI 0x70u
#define SCREEN_CAPABILITY_64_BITS 2u

/* The ends of memory that a screen, which is written to, may lie between: below is the BIOS's. */
#define SCREEN_ADDRESS_MIN 0xa0000u
#define SCREEN_ADDRESS_MAX (1ull << 46)
#define SCREEN_SIDE_MAX 16384u

const char *boot_read_command_line(struct boot_info *info, const struct physical *from, uint64_t address,
				   uint64_t bytes)
{
	info->command_line[0] = '\0';
	if (address == 0)
		return NULL;
	for (uint32_t i = 0; i <= BOOT_COMMAND_LINE_MAX && i < bytes; i++) {
		if (!physical_read(from, address + i, &info->command_line[i], 1)) {
			info->command_line[0] = '\0';
			return "the command line lies outside of memory";
		}
		if (info->command_line[i] == '\0')
			return NULL;
	}
	info->command_line[0] = '\0';
	return bytes > BOOT_COMMAND_LINE_MAX ? "the command line is longer than 2047 characters"
					     : "the command line has no end";
}

static bool is_channel(const struct boot_screen *screen, const struct boot_channel *channel)
{
	return channel->bits != 0 && channel->bits <= 16 &&
	       channel->position + (uint32_t)channel->bits <= screen->pixel_bits;
}

void boot_set_screen(struct boot_info *info, const struct boot_screen *screen)
{
	uint32_t unit = screen->kind == BOOT_SCREEN_VGA_TEXT ? 16 : screen->pixel_bits;

	info->screen = (struct boot_screen){0};
	if (screen->kind == BOOT_SCREEN_NONE || screen->address < SCREEN_ADDRESS_MIN ||
	    screen->address >= SCREEN_ADDRESS_MAX || screen->width == 0 || screen->height == 0 ||
	    screen->width > SCREEN_SIDE_MAX || screen->height > SCREEN_SIDE_MAX ||
	    screen->pitch > SCREEN_SIDE_MAX * 4 || screen->pitch < screen->width * unit / 8)
		return;
	if (screen->kind == BOOT_SCREEN_PIXELS &&
	    ((unit != 16 && unit != 24 && unit != 32) || !is_channel(screen, &screen->red) ||
	     !is_channel(screen, &screen->green) || !is_channel(screen, &screen->blue)))
		return;
	info->screen = *screen;
}

static const char *read_pvh(struct boot_info *info, const struct physical *from, uint64_t address)
{
	struct pvh_start_info start;

	if (!physical_read(from, address, &start, sizeof(start)))
		return "the PVH start information lies outside of memory";
	if (start.magic != PVH_MAGIC)
		return "the PVH start information has another magic number than 0x336ec578";
	if (start.version < 1 || start.memory_map_entries == 0)
		return "the PVH start information has no memory map: version 1 or newer is needed";
	if (start.memory_map_entries > BOOT_RANGES_MAX)
		return "the memory map has more than 128 entries";
	for (uint32_t i = 0; i < start.memory_map_entries; i++) {
		struct pvh_range range;

		if (!physical_read(from, start.memory_map + i * sizeof(range), &range, sizeof(range)))
			return "the memory map lies outside of memory";
		info->ranges[i] = (struct boot_range){range.address, range.length, range.type};
	}
	info->range_count = start.memory_map_entries;
	info->rsdp = start.rsdp;
	return boot_read_command_line(info, from, start.command_line, UINT64_MAX);
}

/* Most loaders have none to tell of, and leave that part zero. */
static void read_zero_page_screen(struct boot_info *info, const struct physical *from, uint64_t address)
{
	struct zero_page_screen raw;

	if (!physical_read(from, address + ZERO_PAGE_SCREEN, &raw, sizeof(raw)) ||
	    (raw.kind != SCREEN_VESA && raw.kind != SCREEN_EFI))
		return;
	if (!(raw.capabilities & SCREEN_CAPABILITY_64_BITS))
		raw.base_high = 0;
	boot_set_screen(info, &(struct boot_screen){.kind = BOOT_SCREEN_PIXELS,
						    .address = (uint64_t)raw.base_high << 32 | raw.base,
						    .width = raw.width,
						    .height = raw.height,
						    .pitch = raw.pitch,
						    .pixel_bits = raw.depth,
						    .red = {raw.red_position, raw.red_size},
						    .green = {raw.green_position, raw.green_size},
						    .blue = {raw.blue_position, raw.blue_size}});
}

static const char *read_zero_page(struct boot_info *info, const struct physical *from, uint64_t address)
{
	uint32_t low = 0, high = 0;
	uint8_t entries = 0;

	if (!physical_read(from, address + ZERO_PAGE_E820_ENTRIES, &entries, sizeof(entries)) ||
	    !physical_read(from, address + ZERO_PAGE_RSDP, &info->rsdp, sizeof(info->rsdp)) ||
	    !physical_read(from, address + ZERO_PAGE_COMMAND_LINE, &low, sizeof(low)) ||
	    !physical_read(from, address + ZERO_PAGE_COMMAND_LINE_HIGH, &high, sizeof(high)))
		return "the zero page lies outside of memory";
	if (entries == 0)
		return "the zero page has no memory map (E820)";
	if (entries > BOOT_RANGES_MAX)
		return "the memory map has more than 128 entries";
	for (uint32_t i = 0; i < entries; i++) {
		struct boot_range *range = &info->ranges[i];
		uint64_t at = address + ZERO_PAGE_E820 + i * E820_ENTRY_SIZE;

		if (!physical_read(from, at, &range->address, 8) ||
		    !physical_read(from, at + 8, &range->length, 8) ||
		    !physical_read(from, at + 16, &range->type, 4))
			return "the memory map lies outside of memory";
	}
	info->range_count = entries;
	read_zero_page_screen(info, from, address);
	return boot_read_command_line(info, from, (uint64_t)high << 32 | low, UINT64_MAX);
}

const char *boot_info_read(struct boot_info *info, enum boot_form form, const struct physical *from,
			   uint64_t address)
{
	info->range_count = 0;
	info->rsdp = 0;
	info->command_line[0] = '\0';
	info->screen = (struct boot_screen){0};
	switch (form) {
	case BOOT_PVH:
		return read_pvh(info, from, address);
	case BOOT_MULTIBOOT:
		return boot_read_multiboot(info, from, address);
	default:
		return read_zero_page(info, from, address);
	}
}

/* The end of a range, which may claim to reach past the last address. */
static uint64_t end_of(const struct boot_range *range)
{
	return range->length > UINT64_MAX - range->address ? UINT64_MAX : range->address + range->length;
}

void boot_info_ram(const struct boot_info *info, uint64_t limit, struct page_set *ram)
{
	ram->count = 0;
	for (uint32_t i = 0; i < info->range_count; i++) {
		const struct boot_range *range = &info->ranges[i];
		uint64_t first, end;

		if (range->type != BOOT_RANGE_RAM || range->address > UINT64_MAX - PAGE_ROUND)
			continue;
		first = (range->address + PAGE_ROUND) >> PAGE_SHIFT;
		end = end_of(range) >> PAGE_SHIFT;
		end = end < limit ? end : limit;
		if (first < end)
			(void)page_set_add(ram, first, end - first); /* fewer ranges than runs */
	}
	for (uint32_t i = 0; i < info->range_count; i++) {
		const struct boot_range *range = &info->ranges[i];
		uint64_t first = range->address >> PAGE_SHIFT, end = end_of(range);

		if (range->type == BOOT_RANGE_RAM || range->length == 0)
			continue;
		end = (end >> PAGE_SHIFT) + ((end & PAGE_ROUND) != 0);
		(void)page_set_remove(ram, first, end - first);
	}
}
