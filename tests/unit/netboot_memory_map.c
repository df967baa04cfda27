/* SPDX-License-Identifier: MIT */
/* Memory maps: put in order, with parts reserved, and places found in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/netboot/memory_map.h"

#define ACPI 3u
#define LENGTH(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static struct memory_map map;

static void map_is(const struct memory_range *expected, uint32_t count)
{
	assert_int_equal(map.count, count);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(map.ranges[i].address, expected[i].address);
		assert_int_equal(map.ranges[i].length, expected[i].length);
		assert_int_equal(map.ranges[i].type, expected[i].type);
	}
}

static void ranges_are_put_in_order_and_joined(void **state)
{
	static const struct memory_range given[] = {{0x300000, 0x1000, MEMORY_RAM}, {0, 0x1000, MEMORY_RAM},
						    {0x1000, 0x2000, MEMORY_RAM},   {0x9000, 0, ACPI},
						    {0x3000, 0x1000, ACPI},         {0x5000, 0x1000, 0}};
	static const struct memory_range expected[] = {{0, 0x3000, MEMORY_RAM},
						       {0x3000, 0x1000, ACPI},
						       {0x5000, 0x1000, MEMORY_RESERVED},
						       {0x300000, 0x1000, MEMORY_RAM}};

	(void)state;
	assert_true(memory_map_build(&map, given, LENGTH(given)));
	map_is(expected, LENGTH(expected));
	assert_int_equal(memory_map_ram(&map), 0x4000);
	assert_true(memory_map_build(&map, NULL, 0));
	assert_int_equal(map.count, 0);
}

static void what_anybody_calls_something_else_is_no_ram(void **state)
{
	static const struct memory_range given[] = {{0, 0x10000, MEMORY_RAM},
						    {0x4000, 0x2000, MEMORY_RESERVED},
						    {0x5000, 0x2000, ACPI},
						    {0xf000, 0x2000, MEMORY_RESERVED},
						    {0x8000, 0x1000, MEMORY_RAM}};
	static const struct memory_range expected[] = {{0, 0x4000, MEMORY_RAM},
						       {0x4000, 0x1000, MEMORY_RESERVED},
						       {0x5000, 0x2000, ACPI},
						       {0x7000, 0x8000, MEMORY_RAM},
						       {0xf000, 0x2000, MEMORY_RESERVED}};

	(void)state;
	assert_true(memory_map_build(&map, given, LENGTH(given)));
	map_is(expected, LENGTH(expected));
}

static void a_range_that_wraps_ends_at_the_top(void **state)
{
	static const struct memory_range given[] = {{UINT64_MAX - 0xfff, UINT64_MAX, MEMORY_RESERVED},
						    {0x1000, 0x1000, MEMORY_RAM}};

	(void)state;
	assert_true(memory_map_build(&map, given, LENGTH(given)));
	assert_int_equal(map.count, 2);
	assert_int_equal(map.ranges[1].address, UINT64_MAX - 0xfff);
	assert_int_equal(map.ranges[1].length, 0xfff);
}

static void reserving_cuts_ram_and_nothing_else(void **state)
{
	static const struct memory_range given[] = {{0, 0x10000, MEMORY_RAM}, {0x10000, 0x1000, ACPI}};
	static const struct memory_range expected[] = {{0, 0x2000, MEMORY_RAM},
						       {0x2000, 0x1000, MEMORY_RESERVED},
						       {0x3000, 0xc000, MEMORY_RAM},
						       {0xf000, 0x1000, MEMORY_RESERVED},
						       {0x10000, 0x1000, ACPI}};

	(void)state;
	assert_true(memory_map_build(&map, given, LENGTH(given)));
	assert_true(memory_map_reserve(&map, 0x2000, 0x1000));
	assert_true(memory_map_reserve(&map, 0xf000, 0x1800));
	assert_int_equal(map.ranges[4].type, ACPI);
	map_is(expected, LENGTH(expected));
	assert_true(memory_map_is_ram(&map, 0, 0x2000));
	assert_true(memory_map_is_ram(&map, 0x1000, 0x1000));
	assert_false(memory_map_is_ram(&map, 0x1000, 0x1001));
	assert_false(memory_map_is_ram(&map, 0x2000, 1));
	assert_false(memory_map_is_ram(&map, 0x3000, UINT64_MAX));
}

static void a_full_map_stays_as_it_is(void **state)
{
	static struct memory_range given[MEMORY_RANGES_MAX + 1];

	(void)state;
	for (uint32_t i = 0; i <= MEMORY_RANGES_MAX; i++)
		given[i] = (struct memory_range){i * 0x10000ull, 0x8000, MEMORY_RAM};
	assert_false(memory_map_build(&map, given, MEMORY_RANGES_MAX + 1));
	assert_true(memory_map_build(&map, given, MEMORY_RANGES_MAX));
	assert_false(memory_map_reserve(&map, 0x1000, 0x1000));
	assert_int_equal(map.count, MEMORY_RANGES_MAX);
	assert_true(memory_map_is_ram(&map, 0, 0x8000));
	assert_true(memory_map_reserve(&map, 0x7000, 0x2000) == false);
	assert_true(memory_map_reserve(&map, 0, 0x8000));
}

static void the_lowest_place_is_found(void **state)
{
	static const struct memory_range given[] = {{0, 0x8000, MEMORY_RAM}, {0x100000, 0x10000, MEMORY_RAM}};
	static const struct memory_span taken[] = {{0x104000, 0x1000}, {0x101000, 0x800}, {0x0, 0x7001}};
	uint64_t at;

	(void)state;
	assert_true(memory_map_build(&map, given, LENGTH(given)));
	assert_true(memory_map_find(&map, taken, 3, 0x1000, 0x1000, 0, UINT64_MAX, &at));
	assert_int_equal(at, 0x100000);
	assert_true(memory_map_find(&map, taken, 3, 0xfff, 1, 0, UINT64_MAX, &at));
	assert_int_equal(at, 0x7001);
	assert_true(memory_map_find(&map, taken, 3, 0x1000, 0x1000, 0x100001, UINT64_MAX, &at));
	assert_int_equal(at, 0x102000);
	assert_true(memory_map_find(&map, taken, 3, 0x3000, 0x1000, 0, UINT64_MAX, &at));
	assert_int_equal(at, 0x105000);
	assert_true(memory_map_find(&map, taken, 3, 0xb000, 0x1000, 0, UINT64_MAX, &at));
	assert_false(memory_map_find(&map, taken, 3, 0xb001, 0x1000, 0, UINT64_MAX, &at));
	assert_false(memory_map_find(&map, taken, 3, 0x3000, 0x1000, 0, 0x107fff, &at));
	assert_true(memory_map_find(&map, taken, 3, 0x3000, 0x1000, 0, 0x108000, &at));
	assert_false(memory_map_find(&map, taken, 3, 0x1000, 0x200000, 0, UINT64_MAX, &at));
}

static void spans_that_touch_do_not_overlap(void **state)
{
	static const struct memory_span taken[] = {{0x1000, 0x1000}, {0x5000, 0}};

	(void)state;
	assert_false(memory_overlaps(taken, 2, 0, 0x1000));
	assert_true(memory_overlaps(taken, 2, 0, 0x1001));
	assert_true(memory_overlaps(taken, 2, 0x1fff, 1));
	assert_false(memory_overlaps(taken, 2, 0x2000, 0x8000));
	assert_false(memory_overlaps(taken, 2, 0x1800, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_put_in_order_and_joined),
		cmocka_unit_test(what_anybody_calls_something_else_is_no_ram),
		cmocka_unit_test(a_range_that_wraps_ends_at_the_top),
		cmocka_unit_test(reserving_cuts_ram_and_nothing_else),
		cmocka_unit_test(a_full_map_stays_as_it_is),
		cmocka_unit_test(the_lowest_place_is_found),
		cmocka_unit_test(spans_that_touch_do_not_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
