/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/net/http_headers.h"

static struct http_headers parse(const char *text)
{
	struct http_headers headers;

	http_headers_begin(&headers);
	for (; *text; text++)
		http_headers_add(&headers, *text);
	return headers;
}

static void an_answer(void **state)
{
	struct http_headers headers = parse("HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH:  1048576 "
					    "\r\nTransfer-Encoding: identity\r\n\r\n");

	(void)state;
	assert_int_equal(headers.status, 200);
	assert_string_equal(headers.reason, "OK");
	assert_true(headers.length_known);
	assert_int_equal(headers.length, 1048576);
	assert_false(headers.encoded);
	assert_false(headers.malformed);
}

static void other_statuses(void **state)
{
	struct http_headers headers = parse("HTTP/1.0 404 Not\x07 Found\r\n\r\n");

	(void)state;
	assert_int_equal(headers.status, 404);
	assert_string_equal(headers.reason, "Not? Found");
	assert_false(headers.length_known);
	assert_int_equal(parse("HTTP/1.1 301\r\n\r\n").status, 301);
	assert_int_equal(parse("HTTP/1.1 2000 OK\r\n\r\n").status, 0);
	assert_int_equal(parse("HTTP/1.1 20 OK\r\n\r\n").status, 0);
	assert_int_equal(parse("HTTP/2 200\r\n\r\n").status, 0);
	assert_int_equal(parse("SSH-2.0-x\r\n\r\n").status, 0);
	assert_int_equal(parse("").status, 0);
}

static void lengths(void **state)
{
	(void)state;
	assert_int_equal(parse("HTTP/1.1 200 OK\nContent-Length: 18446744073709551615\n\n").length,
			 UINT64_MAX);
	assert_true(parse("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n").malformed);
	assert_true(parse("HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n").malformed);
	assert_true(parse("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n").malformed);
	assert_true(parse("HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n").malformed);
	assert_true(parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n").malformed);
	assert_false(parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n").malformed);
	assert_false(parse("HTTP/1.1 200 OK\r\nX-Content-Length: 5\r\n\r\n").length_known);
	assert_true(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").encoded);
}

/* A line longer than what is kept does not run into the next. */
static void long_lines(void **state)
{
	struct http_headers headers;

	(void)state;
	http_headers_begin(&headers);
	for (const char *at = "HTTP/1.1 200 OK\r\nX: "; *at; at++)
		http_headers_add(&headers, *at);
	for (uint32_t i = 0; i < 3 * HTTP_LINE_MAX; i++)
		http_headers_add(&headers, 'y');
	for (const char *at = "\r\nContent-Length: 7\r\n\r\n"; *at; at++)
		http_headers_add(&headers, *at);
	assert_int_equal(headers.status, 200);
	assert_true(headers.length_known);
	assert_int_equal(headers.length, 7);
}

/* A number of which only the beginning was kept is no number. */
static void a_length_too_long(void **state)
{
	struct http_headers headers;

	(void)state;
	http_headers_begin(&headers);
	for (const char *at = "HTTP/1.1 200 OK\r\nContent-Length: "; *at; at++)
		http_headers_add(&headers, *at);
	for (uint32_t i = 0; i < HTTP_LINE_MAX; i++)
		http_headers_add(&headers, '0');
	for (const char *at = "5\r\n\r\n"; *at; at++)
		http_headers_add(&headers, *at);
	assert_true(headers.malformed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer),  cmocka_unit_test(other_statuses),    cmocka_unit_test(lengths),
		cmocka_unit_test(long_lines), cmocka_unit_test(a_length_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
