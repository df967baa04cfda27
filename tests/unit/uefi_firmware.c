/* SPDX-License-Identifier: MIT */
/* What UEFI firmware says (memory, hypervisor, screen), and what the image is told of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/uefi/firmware_memory.h"
#include "apps/uefi/hypervisor.h"
#include "apps/uefi/tables.h"
#include "apps/uefi/zero_page.h"

/* --- Memory ------------------------------------------------------------------------------------- */

#define STRIDE 48u /* as EDK II has it: longer than what is known of it */

static uint8_t descriptors[2000 * STRIDE];
static uint32_t count;
static struct memory_map map;

static void put(uint32_t offset, uint64_t value, uint32_t bytes)
{
	memcpy(descriptors + (size_t)count * STRIDE + offset, &value, bytes);
}

static void describe(uint32_t type, uint64_t address, uint64_t pages, uint64_t attributes)
{
	put(0, type, 4);
	put(8, address, 8);
	put(24, pages, 8);
	put(32, attributes, 8);
	count++;
}

static bool read_them(void)
{
	return firmware_memory_read(&map, descriptors, (uint64_t)count * STRIDE, STRIDE);
}

static void is_range(uint32_t n, uint64_t address, uint64_t end, uint32_t type)
{
	assert_true(n < map.count);
	assert_true(map.ranges[n].address == address);
	assert_true(map.ranges[n].address + map.ranges[n].length == end);
	assert_int_equal(map.ranges[n].type, type);
}

static int begin(void **state)
{
	(void)state;
	memset(descriptors, 0xee, sizeof(descriptors));
	count = 0;
	return 0;
}

static void memory_in_use_until_then_is_memory_after(void **state)
{
	(void)state;
	describe(7, 0x100000, 0x700, 0xf); /* conventional */
	describe(4, 0, 0x9f, 0xf);         /* boot services' data, later in the list than what lies above */
	describe(3, 0x800000, 0x10, 0xf);
	describe(1, 0x810000, 0x10, 0xf); /* ours */
	describe(2, 0x820000, 0x10, 0xf);
	describe(6, 0x830000, 0x10, 0x800000000000000full); /* the runtime's stays */
	describe(5, 0x840000, 0x10, 0x800000000000000full);
	describe(9, 0x850000, 0x10, 0xf);
	describe(10, 0x860000, 0x10, 0xf);
	describe(8, 0x870000, 0x10, 0xf);
	describe(11, 0xfec00000, 1, 0x8000000000000001ull);
	describe(14, 0x100000000, 0x100, 0xf);
	describe(7, 0x200000000, 0x100, 0x4000f); /* special purpose: for who knows it */
	describe(15, 0x300000000, 0x100, 0xf);    /* not accepted */
	describe(0x80000001, 0x400000000, 0x100, 0xf);
	assert_true(read_them());
	is_range(0, 0, 0x9f000, 1);
	is_range(1, 0x100000, 0x830000, 1);
	is_range(2, 0x830000, 0x850000, 2);
	is_range(3, 0x850000, 0x860000, 3);
	is_range(4, 0x860000, 0x870000, 4);
	is_range(5, 0x870000, 0x880000, 5);
	is_range(6, 0xfec00000, 0xfec01000, 2);
	is_range(7, 0x100000000, 0x100100000, 7);
	is_range(8, 0x200000000, 0x200100000, 2);
	is_range(9, 0x300000000, 0x300100000, 2);
	is_range(10, 0x400000000, 0x400100000, 2);
	assert_int_equal(map.count, 11);
}

static void maps_that_are_none_are_refused(void **state)
{
	(void)state;
	describe(7, 0x100000, 0x700, 0xf);
	assert_false(firmware_memory_read(&map, descriptors, 40, 39));
	assert_false(firmware_memory_read(&map, descriptors, 40, 0));
	assert_true(firmware_memory_read(&map, descriptors, 40, 40));
	assert_true(firmware_memory_read(&map, descriptors, 47, 40)); /* the rest of an entry is none */
	assert_int_equal(map.count, 1);
	describe(7, 0x100000, UINT64_MAX / 2, 0xf);
	assert_false(read_them());
	begin(NULL);
	for (uint32_t i = 0; i < 1025; i++)
		describe(7, 0x100000 + 0x1000 * (uint64_t)i, 1, 0xf);
	assert_false(read_them());
	count = 1024;
	assert_true(read_them());
	is_range(0, 0x100000, 0x500000, 1);
	begin(NULL);
	for (uint32_t i = 0; i < 129; i++)
		describe(7, 0x100000 + 0x2000 * (uint64_t)i, 1, 0xf);
	assert_false(read_them());
	count = 128;
	assert_true(read_them());
}

/* --- The hypervisor -------------------------------------------------------------------------------- */

struct leaves {
	uint32_t ecx_1, highest, interface, eax_3, ebx_3;
};

static void leaf(void *context, uint32_t number, uint32_t out[4])
{
	const struct leaves *leaves = context;

	memset(out, 0, 4 * sizeof(out[0]));
	switch (number) {
	case 1:
		out[2] = leaves->ecx_1;
		break;
	case 0x40000000:
		out[0] = leaves->highest;
		break;
	case 0x40000001:
		out[0] = leaves->interface;
		break;
	case 0x40000003:
		out[0] = leaves->eax_3;
		out[1] = leaves->ebx_3;
		break;
	default:
		fail_msg("leaf 0x%x", number);
	}
}

static struct hypervisor judge(struct leaves leaves)
{
	struct hypervisor found;

	memset(&found, 0xee, sizeof(found));
	hypervisor_judge(&found, leaf, &leaves);
	return found;
}

static void hyper_v_is_known_by_its_leaves(void **state)
{
	const struct leaves right = {0x80000000, 0x40000005, 0x31237648, 0x26, 0x30};
	struct leaves other;

	(void)state;
	assert_true(judge(right).present);
	assert_true(judge(right).can_say);
	assert_null(judge(right).lacks);
	other = right;
	other.ecx_1 = 0x7fffffff;
	assert_false(judge(other).present);
	assert_false(judge(other).can_say);
	other = right;
	other.interface = 0x4b4d564b;
	assert_false(judge(other).present);
	assert_false(judge(other).can_say);
	other = right;
	other.highest = 0x40000001;
	assert_false(judge(other).present);
	other = right;
	other.eax_3 = 0x06; /* reading the identity would be a fault */
	assert_true(judge(other).present);
	assert_false(judge(other).can_say);
	assert_string_equal(judge(other).lacks, "hypercalls");
	other.eax_3 = 0x20;
	assert_true(judge(other).can_say);
	assert_string_equal(judge(other).lacks, "a synthetic interrupt controller");
	other = right;
	other.ebx_3 = 0x20;
	assert_string_equal(judge(other).lacks, "messages and events");
	other.ebx_3 = 0x10;
	assert_string_equal(judge(other).lacks, "messages and events");
}

static void identities_have_owners(void **state)
{
	(void)state;
	assert_string_equal(hypervisor_owner(0), "nobody");
	assert_string_equal(hypervisor_owner(0x10000000000), "the firmware");
	assert_string_equal(hypervisor_owner(0x98ae000000000000), "another program");
}

/* --- What the image is told -------------------------------------------------------------------------- */

static uint8_t pages[ZERO_PAGE_BYTES];

static bool read_pages(void *context, uint64_t address, void *out, size_t length)
{
	(void)context;
	if (address < 0x5000 || address - 0x5000 > sizeof(pages) ||
	    length > sizeof(pages) - (address - 0x5000))
		return false;
	memcpy(out, pages + (address - 0x5000), length);
	return true;
}

/* By the image's own reader: it is that which must understand it. */
static void tell(struct boot_info *info, const struct boot_screen *screen)
{
	const struct physical physical = {.read = read_pages};

	memset(pages, 0xee, sizeof(pages));
	zero_page_write(pages, 0x5000, &map, 0x7fe0014, "cpus=2 -- ip", screen);
	assert_null(boot_info_read(info, BOOT_ZERO_PAGE, &physical, 0x5000));
}

static void the_image_understands_it(void **state)
{
	static struct boot_info info;
	struct efi_graphics_information information = {
		.width = 1366, .height = 768, .format = EFI_PIXELS_BGR, .pixels_per_line = 1376};
	struct efi_graphics_mode mode = {.information = &information, .base = 0x4f8000000ull};
	struct boot_screen screen = graphics_screen(&mode);

	(void)state;
	describe(7, 0x100000, 0x700, 0xf);
	describe(10, 0x800000, 0x8, 0xf);
	assert_true(read_them());
	tell(&info, &screen);
	assert_int_equal(info.range_count, 2);
	assert_int_equal(info.ranges[1].address, 0x800000);
	assert_int_equal(info.ranges[1].length, 0x8000);
	assert_int_equal(info.ranges[1].type, 4);
	assert_string_equal(info.command_line, "cpus=2 -- ip");
	assert_int_equal(info.rsdp, 0x7fe0014);
	assert_int_equal(info.screen.kind, BOOT_SCREEN_PIXELS);
	assert_true(info.screen.address == 0x4f8000000ull);
	assert_int_equal(info.screen.width, 1366);
	assert_int_equal(info.screen.height, 768);
	assert_int_equal(info.screen.pitch, 1376 * 4);
	assert_int_equal(info.screen.red.position, 16);
	assert_int_equal(info.screen.blue.position, 0);
	assert_int_equal(info.screen.green.position, 8);
	assert_int_equal(info.screen.green.bits, 8);
	screen.kind = BOOT_SCREEN_NONE;
	tell(&info, &screen);
	assert_int_equal(info.screen.kind, BOOT_SCREEN_NONE);
}

static void pixels_come_in_four_formats(void **state)
{
	struct efi_graphics_information information = {.width = 800, .height = 600, .pixels_per_line = 800};
	struct efi_graphics_mode mode = {.information = &information, .base = 0x80000000};
	struct boot_screen screen;

	(void)state;
	information.format = EFI_PIXELS_RGB;
	screen = graphics_screen(&mode);
	assert_int_equal(screen.red.position, 0);
	assert_int_equal(screen.blue.position, 16);
	information.format = EFI_PIXELS_MASKS;
	information.red_mask = 0xf800;
	information.green_mask = 0x07e0;
	information.blue_mask = 0x001f;
	screen = graphics_screen(&mode);
	assert_int_equal(screen.pixel_bits, 16);
	assert_int_equal(screen.pitch, 1600);
	assert_int_equal(screen.red.position, 11);
	assert_int_equal(screen.red.bits, 5);
	assert_int_equal(screen.green.position, 5);
	assert_int_equal(screen.green.bits, 6);
	assert_int_equal(screen.blue.bits, 5);
	information.format = EFI_PIXELS_BLT_ONLY;
	assert_int_equal(graphics_screen(&mode).kind, BOOT_SCREEN_NONE);
	information.format = 77;
	assert_int_equal(graphics_screen(&mode).kind, BOOT_SCREEN_NONE);
}

/* --- The last page tables ------------------------------------------------------------------------------ */

static struct tables tables;

/* Where the tables lead for that address; UINT64_MAX: nowhere. */
static uint64_t walk(uint64_t address)
{
	const uint64_t *table = tables.pages[0];

	for (uint32_t shift = 39; shift >= 21; shift -= 9) {
		uint64_t entry = table[address >> shift & 511];

		if ((entry & 3) != 3)
			return UINT64_MAX;
		if (shift == 21)
			return entry & 0x80 ? (entry & ~0x1fffffull) + (address & 0x1fffff) : UINT64_MAX;
		table = (const uint64_t *)(uintptr_t)(entry & ~0xfffull);
	}
	return UINT64_MAX;
}

static void memory_is_mapped_one_to_one(void **state)
{
	const uint64_t high = 0x7fff00000000ull + 0x1ff000;

	(void)state;
	tables_begin(&tables);
	assert_true(tables_map(&tables, 0, 1ull << 32));
	assert_true(tables_map(&tables, high, 0x2000)); /* across 2 MiB */
	assert_true(tables_map(&tables, 0x123456000ull, 1));
	assert_true(walk(0) == 0);
	assert_true(walk(0xfffff123) == 0xfffff123);
	assert_true(walk(high) == high);
	assert_true(walk(high + 0x1fff) == high + 0x1fff);
	assert_true(walk(high + 0x202000) == UINT64_MAX);
	assert_true(walk(0x123456789ull) == 0x123456789ull);
	assert_true(walk(0x143456789ull) == UINT64_MAX);
}

static void tables_have_an_end(void **state)
{
	bool mapped = true;

	(void)state;
	tables_begin(&tables);
	assert_false(tables_map(&tables, 1ull << 47, 1));
	assert_false(tables_map(&tables, (1ull << 47) - 4096, 8192));
	for (uint64_t i = 0; i < TABLES_MAX && mapped; i++)
		mapped = tables_map(&tables, i << 39, 4096);
	assert_false(mapped);
	assert_int_equal(tables.used, TABLES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(memory_in_use_until_then_is_memory_after, begin),
		cmocka_unit_test_setup(maps_that_are_none_are_refused, begin),
		cmocka_unit_test(hyper_v_is_known_by_its_leaves),
		cmocka_unit_test(identities_have_owners),
		cmocka_unit_test_setup(the_image_understands_it, begin),
		cmocka_unit_test(pixels_come_in_four_formats),
		cmocka_unit_test(memory_is_mapped_one_to_one),
		cmocka_unit_test(tables_have_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
