/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/hvkit/json.h"

struct sink {
	struct json json;
	FILE *file;
	char *text;
	size_t size;
};

static void begin(struct sink *sink)
{
	memset(sink, 0, sizeof(*sink));
	sink->file = open_memstream(&sink->text, &sink->size);
	assert_non_null(sink->file);
	json_begin(&sink->json, sink->file);
}

static void assert_written(struct sink *sink, const char *text)
{
	assert_true(json_end(&sink->json));
	fclose(sink->file);
	assert_string_equal(sink->text, text);
	free(sink->text);
}

static void structure(void **state)
{
	struct sink sink;

	(void)state;
	begin(&sink);
	assert_written(&sink, "{}\n");
	begin(&sink);
	json_number(&sink.json, "a", UINT64_MAX);
	json_signed(&sink.json, "b", INT64_MIN);
	json_bool(&sink.json, "c", true);
	json_null(&sink.json, "d");
	json_array(&sink.json, "e");
	json_close(&sink.json);
	json_array(&sink.json, "f");
	json_object(&sink.json, NULL);
	json_seconds(&sink.json, "g", 12345678901ull);
	json_close(&sink.json);
	json_string(&sink.json, NULL, "h");
	json_close(&sink.json);
	json_bytes(&sink.json, "i", "\x00\xffz", 3);
	json_string(&sink.json, "j", NULL);
	assert_written(&sink, "{\n"
			      "  \"a\": 18446744073709551615,\n"
			      "  \"b\": -9223372036854775808,\n"
			      "  \"c\": true,\n"
			      "  \"d\": null,\n"
			      "  \"e\": [],\n"
			      "  \"f\": [\n"
			      "    {\n"
			      "      \"g\": 1234.5678901\n"
			      "    },\n"
			      "    \"h\"\n"
			      "  ],\n"
			      "  \"i\": \"00ff7a\",\n"
			      "  \"j\": null\n"
			      "}\n");
}

/* What is left open when something fails is closed at the end. */
static void ended_early(void **state)
{
	struct sink sink;

	(void)state;
	begin(&sink);
	json_array(&sink.json, "a");
	json_object(&sink.json, NULL);
	assert_written(&sink, "{\n  \"a\": [\n    {}\n  ]\n}\n");
}

static void strings(void **state)
{
	static const struct {
		const char *value, *written;
	} cases[] = {
		{"", ""},
		{"plain", "plain"},
		{"a\"b\\c/d", "a\\\"b\\\\c/d"},
		{"\n\r\t\x01\x1f\x7f", "\\n\\u000d\\u0009\\u0001\\u001f\\u007f"},
		{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
		{"\xff", "\\ufffd"},
		{"\xc3", "\\ufffd"}, /* cut short */
		{"\xe2\x82", "\\ufffd\\ufffd"},
		{"\xc0\xaf", "\\ufffd\\ufffd"}, /* longer than need be */
		{"\xe0\x80\xaf", "\\ufffd\\ufffd\\ufffd"},
		{"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},            /* half of a pair */
		{"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"}, /* past the end of Unicode */
		{"\xf5\x80\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
		{"a\x80z", "a\\ufffdz"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sink sink;
		char expected[200];

		begin(&sink);
		json_string(&sink.json, "k\"", cases[i].value);
		snprintf(expected, sizeof(expected), "{\n  \"k\\\"\": \"%s\"\n}\n", cases[i].written);
		assert_written(&sink, expected);
	}
}

static void a_full_disk_is_noticed(void **state)
{
	struct json json;
	FILE *file = fopen("/dev/full", "w");

	(void)state;
	if (!file)
		skip();
	json_begin(&json, file);
	json_string(&json, "a", "b");
	assert_false(json_end(&json));
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structure),
		cmocka_unit_test(ended_early),
		cmocka_unit_test(strings),
		cmocka_unit_test(a_full_disk_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
