/* SPDX-License-Identifier: MIT */
/* What loaders say, rightly and wrongly, in both forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ports/bare-x86_64/boot_info.h"
#include "tests/unit/bare_memory.h"

#define START (MEMORY_BASE + 0x100u)
#define MAP (MEMORY_BASE + 0x1000u)
#define LINE (MEMORY_BASE + 0x4000u)

static struct memory memory;
static struct boot_info info;
static const struct physical physical = {.read = memory_read, .context = &memory};

static void put_pvh_range(uint32_t i, uint64_t address, uint64_t length, uint32_t type)
{
	memory_put_number(&memory, MAP + 24 * i, address, 8);
	memory_put_number(&memory, MAP + 24 * i + 8, length, 8);
	memory_put_number(&memory, MAP + 24 * i + 16, type, 4);
}

/* Numbers as in start_info.h, by hand. */
static int fill_pvh(void **state)
{
	(void)state;
	memset(&memory, 0, sizeof(memory));
	memory_put_number(&memory, START, 0x336ec578, 4);
	memory_put_number(&memory, START + 4, 1, 4);
	memory_put_number(&memory, START + 24, LINE, 8);
	memory_put_number(&memory, START + 32, 0xe0010, 8);
	memory_put_number(&memory, START + 40, MAP, 8);
	memory_put_number(&memory, START + 48, 3, 4);
	put_pvh_range(0, 0, 0x9fc00, 1);
	put_pvh_range(1, 0xf0000, 0x10000, 2);
	put_pvh_range(2, 0x100000, 0x3f00000, 1);
	memory_put(&memory, LINE, "cpus=2 -- ip", 13);
	return 0;
}

static int fill_zero_page(void **state)
{
	(void)state;
	memset(&memory, 0, sizeof(memory));
	memory_put_number(&memory, START + 0x070, 0xe0010, 8);
	memory_put_number(&memory, START + 0x1e8, 2, 1);
	memory_put_number(&memory, START + 0x228, LINE, 4);
	memory_put_number(&memory, START + 0x2d0, 0x1000, 8);
	memory_put_number(&memory, START + 0x2d8, 0x9e000, 8);
	memory_put_number(&memory, START + 0x2e0, 1, 4);
	memory_put_number(&memory, START + 0x2e4, 0x100000, 8);
	memory_put_number(&memory, START + 0x2ec, 0x10000000, 8);
	memory_put_number(&memory, START + 0x2f4, 1, 4);
	memory_put(&memory, LINE, "mode=boot", 10);
	return 0;
}

static void pvh_is_read(void **state)
{
	(void)state;
	assert_null(boot_info_read(&info, BOOT_PVH, &physical, START));
	assert_int_equal(info.range_count, 3);
	assert_int_equal(info.ranges[1].address, 0xf0000);
	assert_int_equal(info.ranges[1].length, 0x10000);
	assert_int_equal(info.ranges[1].type, 2);
	assert_int_equal(info.rsdp, 0xe0010);
	assert_string_equal(info.command_line, "cpus=2 -- ip");
}

static void the_zero_page_is_read(void **state)
{
	(void)state;
	assert_null(boot_info_read(&info, BOOT_ZERO_PAGE, &physical, START));
	assert_int_equal(info.range_count, 2);
	assert_int_equal(info.ranges[0].length, 0x9e000);
	assert_int_equal(info.ranges[1].address, 0x100000);
	assert_int_equal(info.ranges[1].length, 0x10000000);
	assert_int_equal(info.rsdp, 0xe0010);
	assert_string_equal(info.command_line, "mode=boot");
}

static void no_command_line_is_an_empty_one(void **state)
{
	(void)state;
	memory_put_number(&memory, START + 24, 0, 8);
	assert_null(boot_info_read(&info, BOOT_PVH, &physical, START));
	assert_string_equal(info.command_line, "");
}

static void expect_error(enum boot_form form, const char *part)
{
	const char *error = boot_info_read(&info, form, &physical, START);

	assert_non_null(error);
	if (!strstr(error, part))
		fail_msg("'%s' does not say '%s'", error, part);
}

static void wrong_pvh_information_is_refused(void **state)
{
	memory_put_number(&memory, START, 0x2badb002, 4);
	expect_error(BOOT_PVH, "magic");
	fill_pvh(state);
	memory_put_number(&memory, START + 4, 0, 4);
	expect_error(BOOT_PVH, "version 1");
	fill_pvh(state);
	memory_put_number(&memory, START + 48, 0, 4);
	expect_error(BOOT_PVH, "no memory map");
	fill_pvh(state);
	memory_put_number(&memory, START + 48, 129, 4);
	expect_error(BOOT_PVH, "128");
	fill_pvh(state);
	memory_put_number(&memory, START + 40, MEMORY_BASE + MEMORY_SIZE - 71, 8);
	expect_error(BOOT_PVH, "memory map lies outside");
	fill_pvh(state);
	memory_put_number(&memory, START + 40, UINT64_MAX - 8, 8);
	expect_error(BOOT_PVH, "memory map lies outside");
	assert_string_equal(boot_info_read(&info, BOOT_PVH, &physical, 0x1000),
			    "the PVH start information lies outside of memory");
}

static void a_wrong_zero_page_is_refused(void **state)
{
	memory_put_number(&memory, START + 0x1e8, 0, 1);
	expect_error(BOOT_ZERO_PAGE, "no memory map");
	fill_zero_page(state);
	memory_put_number(&memory, START + 0x1e8, 129, 1);
	expect_error(BOOT_ZERO_PAGE, "128");
	fill_zero_page(state);
	memory_put_number(&memory, START + 0x0c8, 1, 4); /* the upper half of the address */
	expect_error(BOOT_ZERO_PAGE, "command line lies outside");
}

static void a_command_line_has_an_end(void **state)
{
	(void)state;
	memset(memory.bytes + (LINE - MEMORY_BASE), 'x', 2047);
	assert_null(boot_info_read(&info, BOOT_PVH, &physical, START));
	assert_int_equal(strlen(info.command_line), 2047);
	memory_put(&memory, LINE + 2047, "x", 1);
	expect_error(BOOT_PVH, "longer than 2047");
	assert_string_equal(info.command_line, "");
	memory_put_number(&memory, START + 24, MEMORY_BASE + MEMORY_SIZE - 2, 8);
	memory_put(&memory, MEMORY_BASE + MEMORY_SIZE - 2, "xx", 2);
	expect_error(BOOT_PVH, "command line lies outside");
}

/* --- The map --------------------------------------------------------------------------- */

static struct page_set ram;

static void make_map(const struct boot_range *ranges, uint32_t count, uint64_t limit)
{
	info.range_count = count;
	memcpy(info.ranges, ranges, count * sizeof(*ranges));
	boot_info_ram(&info, limit, &ram);
}

static void expect_run(uint32_t i, uint64_t first, uint64_t count)
{
	assert_true(i < ram.count);
	assert_int_equal(ram.runs[i].first, first);
	assert_int_equal(ram.runs[i].count, count);
}

static void only_whole_pages_are_ram(void **state)
{
	const struct boot_range ranges[] = {{0x1001, 0x3000, 1}, {0x9000, 0xfff, 1}, {0x10000, 0x1000, 1}};

	(void)state;
	make_map(ranges, 3, 1 << 20);
	assert_int_equal(ram.count, 2);
	expect_run(0, 2, 2);
	expect_run(1, 0x10, 1);
}

static void what_is_also_something_else_is_no_ram(void **state)
{
	/* In any order, across ends, and in the middle. */
	const struct boot_range ranges[] = {{0x5800, 0x10, 2},
					    {0, 0x10000, 1},
					    {0xf001, 0x5000, 3},
					    {0x8000, 0x8000, 1},
					    {0x14000, 0, 2}};

	(void)state;
	make_map(ranges, 5, 1 << 20);
	assert_int_equal(ram.count, 2);
	expect_run(0, 0, 5);
	expect_run(1, 6, 9);
}

static void impossible_ranges_do_no_harm(void **state)
{
	const struct boot_range ranges[] = {{UINT64_MAX - 100, 200, 1},
					    {0x1000, UINT64_MAX, 1},
					    {0x9000, 0, 1},
					    {0x100000, UINT64_MAX, 2}};

	(void)state;
	make_map(ranges, 4, 0x1000);
	assert_int_equal(ram.count, 1);
	expect_run(0, 1, 0xff);
	make_map(ranges, 3, 0x1000); /* up to the limit, and no further */
	assert_int_equal(ram.count, 1);
	expect_run(0, 1, 0xfff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pvh_is_read, fill_pvh),
		cmocka_unit_test_setup(the_zero_page_is_read, fill_zero_page),
		cmocka_unit_test_setup(no_command_line_is_an_empty_one, fill_pvh),
		cmocka_unit_test_setup(wrong_pvh_information_is_refused, fill_pvh),
		cmocka_unit_test_setup(a_wrong_zero_page_is_refused, fill_zero_page),
		cmocka_unit_test_setup(a_command_line_has_an_end, fill_pvh),
		cmocka_unit_test(only_whole_pages_are_ram),
		cmocka_unit_test(what_is_also_something_else_is_no_ram),
		cmocka_unit_test(impossible_ranges_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
