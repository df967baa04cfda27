/* SPDX-License-Identifier: MIT */
/*
 * What a loader says, in any of the three forms, and the pages that come of it.
 *
 *   u8 form      0 PVH, 1 zero page, 2 Multiboot 2
 *   u8[]         memory from BASE on; the information begins there
 */
#include "ports/bare-x86_64/boot_info.h"
#include "tests/fuzz/input.h"

#define BASE 0x10000u
#define PAGE 4096u

static bool read_memory(void *context, uint64_t address, void *out, size_t length)
{
	const struct fuzz_input *memory = context;

	if (address < BASE || address - BASE > memory->left || length > memory->left - (address - BASE))
		return false;
	memcpy(out, memory->bytes + (address - BASE), length);
	return true;
}

static uint64_t end_of(const struct boot_range *range)
{
	return range->length > UINT64_MAX - range->address ? UINT64_MAX : range->address + range->length;
}

/* In order, apart, and nothing in them that the map also calls something else. */
static void check_ram(const struct boot_info *info, uint64_t limit)
{
	static struct page_set ram;
	uint64_t past = 0;

	boot_info_ram(info, limit, &ram);
	for (uint32_t i = 0; i < ram.count; i++) {
		uint64_t first = ram.runs[i].first, end = first + ram.runs[i].count;

		FUZZ_CHECK(ram.runs[i].count != 0 && (i == 0 || first > past) && end <= limit);
		past = end;
		for (uint32_t n = 0; n < info->range_count; n++) {
			const struct boot_range *range = &info->ranges[n];

			FUZZ_CHECK(range->type == BOOT_RANGE_RAM || range->length == 0 ||
				   range->address >= end * PAGE || end_of(range) <= first * PAGE);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum boot_form forms[] = {BOOT_PVH, BOOT_ZERO_PAGE, BOOT_MULTIBOOT};
	static struct boot_info info;
	struct fuzz_input memory = {data, size};
	const struct physical physical = {.read = read_memory, .context = &memory};
	uint8_t form = fuzz_u8(&memory);

	const char *error = boot_info_read(&info, forms[form % 3], &physical, BASE);

	FUZZ_CHECK(info.range_count <= BOOT_RANGES_MAX);
	FUZZ_CHECK(memchr(info.command_line, '\0', sizeof(info.command_line)) != NULL);
	FUZZ_CHECK(error ? error[0] != '\0' : info.range_count > 0);
	if (info.screen.kind != BOOT_SCREEN_NONE)
		FUZZ_CHECK(info.screen.width != 0 && info.screen.height != 0 && info.screen.pitch != 0);
	if (!error)
		check_ram(&info, (uint64_t)1 << 24);
	return 0;
}
