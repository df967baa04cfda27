/* SPDX-License-Identifier: MIT */
/* Dumps as trees: lines, paths, comparisons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/shell/tree.h"

static void lines(void **state)
{
	struct tree_line line;

	(void)state;
	assert_true(tree_parse("version: 5.3", &line));
	assert_int_equal(line.depth, 0);
	assert_int_equal(line.name_length, 7);
	assert_string_equal(line.value, "5.3");
	assert_true(tree_parse("    channel-7:", &line));
	assert_int_equal(line.depth, 2);
	assert_string_equal(line.value, "");
	assert_true(tree_parse("  text: a: b  c", &line));
	assert_string_equal(line.value, "a: b  c");
}

static void lines_that_are_none(void **state)
{
	static const char *const wrong[] = {"",    "  ",     "vmbus",  " odd: 1",  "Upper: 1", "two words: 1",
					    ": 1", "name:1", "a_b: 1", "\tname: 1"};
	struct tree_line line;

	(void)state;
	for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
		if (tree_parse(wrong[n], &line))
			fail_msg("'%s' is taken", wrong[n]);
	}
}

static const char *const dump[] = {
	"vmbus:",        "  state: connected", "  channel-1:",  "    state: open",
	"    ring:",     "      state: good",  "  channel-2:",  "    state: closed",
	"  channel-10:", "    state: opening", "state: on top",
};
#define LINES (sizeof(dump) / sizeof(dump[0]))

/* What of the dump is shown for a path: the numbers of the lines at or inside it. */
static void assert_found(const char *path, const char *wanted)
{
	struct tree_search search;
	struct tree_line line;
	char found[LINES + 1] = "";

	tree_search_begin(&search, path);
	for (size_t n = 0; n < LINES; n++) {
		enum tree_place place;

		assert_true(tree_parse(dump[n], &line));
		place = tree_search_line(&search, &line);
		found[n] = place == TREE_AT       ? '@'
			   : place == TREE_INSIDE ? '+'
			   : place == TREE_ABOVE  ? '^'
						  : '.';
	}
	if (strcmp(found, wanted) != 0)
		fail_msg("%s: %s, not %s", path, found, wanted);
	assert_int_equal(search.found, strchr(wanted, '@') != NULL);
}

static void paths(void **state)
{
	(void)state;
	assert_found("", "+++++++++++");
	assert_found("vmbus", "@+++++++++.");
	assert_found("vmbus/", "@+++++++++.");
	assert_found("vmbus/state", "^@.........");
	assert_found("/vmbus/channel-1", "^.@+++.....");
	assert_found("vmbus/channel-1/state", "^.^@.......");
	assert_found("vmbus/channel-1/ring/state", "^.^.^@.....");
	assert_found("vmbus/channel-2/ring", "^.....^....");
	assert_found("vmbus/channel-10/state", "^.......^@.");
	assert_found("state", "..........@");
	assert_found("channel-1", "...........");
	assert_found("vmbu", "...........");
	assert_found("vmbus/channel-1/state/more", "^.^^.......");
}

static void depths(void **state)
{
	(void)state;
	assert_int_equal(tree_path_depth(""), 0);
	assert_int_equal(tree_path_depth("//"), 0);
	assert_int_equal(tree_path_depth("a/b/"), 2);
}

static void comparisons(void **state)
{
	(void)state;
	assert_true(tree_holds("open", "=", "open"));
	assert_false(tree_holds("open", "=", "closed"));
	assert_true(tree_holds("open", "!=", "closed"));
	assert_false(tree_holds("open", "!=", "open"));
	assert_true(tree_holds("16", "=", "0x10"));
	assert_false(tree_holds("16", "!=", "0x10"));
	assert_true(tree_holds("9", "<", "10")); /* as numbers */
	assert_false(tree_holds("10", "<", "10"));
	assert_true(tree_holds("10", "<=", "10"));
	assert_true(tree_holds("0x0b", ">", "10"));
	assert_false(tree_holds("10", ">", "10"));
	assert_true(tree_holds("10", ">=", "10"));
	assert_false(tree_holds("nine", "<", "10"));
	assert_false(tree_holds("5.3", ">", "5"));
	assert_true(tree_holds("5.3", "=", "5.3"));
	assert_true(tree_holds("18446744073709551615", ">", "18446744073709551614"));
	assert_false(tree_holds("18446744073709551616", ">", "1")); /* no number of ours */
	assert_true(tree_is_operator(">="));
	assert_false(tree_is_operator("=="));
	assert_false(tree_is_operator("3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),  cmocka_unit_test(lines_that_are_none), cmocka_unit_test(paths),
		cmocka_unit_test(depths), cmocka_unit_test(comparisons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
