/* SPDX-License-Identifier: MIT */
/* Sets of pages against a plain array of bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ports/bare-x86_64/page_set.h"

#define PAGES 300u
#define STEPS 20000u

static void check_shape(const struct page_set *set)
{
	for (uint32_t i = 0; i < set->count; i++) {
		assert_true(set->runs[i].count > 0);
		if (i > 0) /* sorted, apart, and not touching */
			assert_true(set->runs[i - 1].first + set->runs[i - 1].count < set->runs[i].first);
	}
}

static void check_equal(const struct page_set *set, const bool bits[PAGES])
{
	uint64_t total = 0;

	for (uint32_t page = 0; page < PAGES; page++) {
		assert_int_equal(page_set_contains(set, page, 1), bits[page]);
		assert_int_equal(page_set_overlaps(set, page, 1), bits[page]);
		total += bits[page];
	}
	assert_int_equal(page_set_total(set), total);
}

static void any_order_of_changes_is_as_with_bits(void **state)
{
	struct page_set set = {0};
	bool bits[PAGES] = {false};
	uint32_t random = 1;

	(void)state;
	for (uint32_t step = 0; step < STEPS; step++) {
		uint32_t first, count;
		bool add;

		random = random * 1103515245u + 12345u;
		first = (random >> 16) % PAGES;
		random = random * 1103515245u + 12345u;
		count = (random >> 16) % (step % 7 == 0 ? PAGES : 9);
		count = count > PAGES - first ? PAGES - first : count;
		add = (random >> 12) & 1;
		assert_true(add ? page_set_add(&set, first, count) : page_set_remove(&set, first, count));
		for (uint32_t i = 0; i < count; i++)
			bits[first + i] = add;
		check_shape(&set);
		if (step % 100 == 0)
			check_equal(&set, bits);
	}
	check_equal(&set, bits);
}

static void the_lowest_pages_that_suffice_are_taken(void **state)
{
	struct page_set set = {0};
	uint64_t first;

	(void)state;
	assert_true(page_set_add(&set, 10, 2));
	assert_true(page_set_add(&set, 20, 5));
	assert_true(page_set_add(&set, 100, 50));
	assert_false(page_set_take(&set, 0, 0, 1000, &first));
	assert_true(page_set_take(&set, 3, 0, 1000, &first));
	assert_int_equal(first, 20);
	assert_true(page_set_take(&set, 2, 0, 1000, &first));
	assert_int_equal(first, 10);
	assert_int_equal(set.count, 2);
	assert_false(page_set_take(&set, 51, 0, 1000, &first));
	assert_false(page_set_take(&set, 10, 0, 109, &first)); /* all below the limit, or none */
	assert_true(page_set_take(&set, 10, 0, 110, &first));
	assert_int_equal(first, 100);
	assert_false(page_set_take(&set, UINT64_MAX, 0, UINT64_MAX, &first));
}

static void pages_can_be_taken_from_a_floor_on(void **state)
{
	struct page_set set = {0};
	uint64_t first;

	(void)state;
	assert_true(page_set_add(&set, 10, 10));
	assert_true(page_set_add(&set, 30, 10));
	assert_true(page_set_take(&set, 4, 14, 1000, &first)); /* out of the middle */
	assert_int_equal(first, 14);
	assert_true(page_set_contains(&set, 10, 4));
	assert_true(page_set_contains(&set, 18, 2));
	assert_true(page_set_take(&set, 4, 14, 1000, &first));
	assert_int_equal(first, 30);
	assert_false(page_set_take(&set, 1, 40, 1000, &first));
	assert_int_equal(page_set_total(&set), 12);
	check_shape(&set);
}

static void fill(struct page_set *set)
{
	for (uint32_t i = 0; i < PAGE_RUNS_MAX; i++)
		assert_true(page_set_add(set, 1000 + 100 * i, 10));
}

static void a_full_set_refuses_a_new_run_and_still_joins(void **state)
{
	struct page_set set = {0}, before;

	(void)state;
	fill(&set);
	before = set;
	assert_false(page_set_add(&set, 1050, 1));
	assert_memory_equal(&set, &before, sizeof(set));
	assert_true(page_set_add(&set, 1010, 5));
	assert_true(page_set_contains(&set, 1000, 15));
	assert_true(page_set_add(&set, 1015, 85)); /* closes the gap */
	assert_int_equal(set.count, PAGE_RUNS_MAX - 1);
	check_shape(&set);
}

/* What was to go must go, even where that costs more: it may belong to somebody else. */
static void a_full_set_loses_the_smaller_part_rather_than_keep_what_was_to_go(void **state)
{
	struct page_set set = {0};

	(void)state;
	fill(&set);
	assert_false(page_set_remove(&set, 1002, 3));
	assert_false(page_set_overlaps(&set, 1000, 5));
	assert_true(page_set_contains(&set, 1005, 5));
	assert_false(page_set_remove(&set, 1107, 2));
	assert_true(page_set_contains(&set, 1100, 7));
	assert_false(page_set_overlaps(&set, 1107, 3));
	check_shape(&set);
}

static void the_end_of_all_numbers_is_an_end(void **state)
{
	struct page_set set = {0};

	(void)state;
	assert_true(page_set_add(&set, UINT64_MAX - 5, 100));
	assert_true(page_set_contains(&set, UINT64_MAX - 5, 5));
	assert_true(page_set_remove(&set, 3, UINT64_MAX));
	assert_int_equal(set.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_of_changes_is_as_with_bits),
		cmocka_unit_test(the_lowest_pages_that_suffice_are_taken),
		cmocka_unit_test(pages_can_be_taken_from_a_floor_on),
		cmocka_unit_test(a_full_set_refuses_a_new_run_and_still_joins),
		cmocka_unit_test(a_full_set_loses_the_smaller_part_rather_than_keep_what_was_to_go),
		cmocka_unit_test(the_end_of_all_numbers_is_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
