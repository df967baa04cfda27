/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/net/url.h"

static void right_urls(void **state)
{
	static const struct {
		const char *text;
		enum url_scheme scheme;
		const char *host;
		uint16_t port;
		const char *path;
	} urls[] = {
		{"http://10.0.2.2/file", URL_HTTP, "10.0.2.2", 80, "/file"},
		{"http://10.0.2.2:8000/a/b?c=d&e=%20", URL_HTTP, "10.0.2.2", 8000, "/a/b?c=d&e=%20"},
		{"HTTP://Example.org", URL_HTTP, "Example.org", 80, "/"},
		{"http://example.org?x", URL_HTTP, "example.org", 80, "/?x"},
		{"http://example.org/a#part", URL_HTTP, "example.org", 80, "/a"},
		{"http://example.org#part", URL_HTTP, "example.org", 80, "/"},
		{"http://h:65535/", URL_HTTP, "h", 65535, "/"},
		{"tftp://10.0.2.2/boot/a.bin", URL_TFTP, "10.0.2.2", 69, "boot/a.bin"},
		{"tftp://10.0.2.2:6969//a", URL_TFTP, "10.0.2.2", 6969, "/a"},
		{"tftp://h/a%20b%2fc", URL_TFTP, "h", 69, "a b/c"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct url url;

		assert_null(url_parse(urls[i].text, &url));
		assert_int_equal(url.scheme, urls[i].scheme);
		assert_string_equal(url.host, urls[i].host);
		assert_int_equal(url.port, urls[i].port);
		assert_string_equal(url.path, urls[i].path);
	}
}

static void wrong_urls(void **state)
{
	static const struct {
		const char *text, *says;
	} urls[] = {
		{"", "begins with"},
		{"10.0.2.2/file", "begins with"},
		{"ftp://h/f", "begins with"},
		{"https://h/f", "https"},
		{"http://", "host is missing"},
		{"http:///f", "host is missing"},
		{"http://:80/f", "host is missing"},
		{"http://h:/f", "port"},
		{"http://h:0/f", "port"},
		{"http://h:65536/f", "port"},
		{"http://h:99999999999999999999/f", "port"},
		{"http://h:80x/f", "cannot be there"},
		{"http://h!/f", "cannot be there"},
		{"http://me@h/f", "user names"},
		{"http://[::1]/f", "IPv6"},
		{"http://h/a b", "%XX"},
		{"http://h/\r\nX: y", "%XX"},
		{"http://h/\xff", "%XX"},
		{"tftp://h", "name is missing"},
		{"tftp://h/", "name is missing"},
		{"tftp://h/a%", "hexadecimal"},
		{"tftp://h/a%4", "hexadecimal"},
		{"tftp://h/a%zz", "hexadecimal"},
		{"tftp://h/a%00b", "control"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct url url;
		const char *wrong = url_parse(urls[i].text, &url);

		if (!wrong || !strstr(wrong, urls[i].says))
			fail_msg("'%s': %s", urls[i].text, wrong ? wrong : "taken");
	}
}

/* The longest that fits, and one more. */
static void lengths(void **state)
{
	char text[2048] = "http://h/";
	struct url url;

	(void)state;
	memset(text + 9, 'a', URL_PATH_MAX - 1);
	assert_null(url_parse(text, &url));
	assert_int_equal(strlen(url.path), URL_PATH_MAX);
	text[9 + URL_PATH_MAX - 1] = 'a';
	assert_non_null(url_parse(text, &url));

	memset(text, 0, sizeof(text));
	memcpy(text, "tftp://h/", 9);
	memset(text + 9, 'a', URL_PATH_MAX);
	assert_null(url_parse(text, &url));
	text[9 + URL_PATH_MAX] = 'a';
	assert_non_null(url_parse(text, &url));

	memset(text, 0, sizeof(text));
	memcpy(text, "http://", 7);
	memset(text + 7, 'h', URL_HOST_MAX);
	assert_null(url_parse(text, &url));
	text[7 + URL_HOST_MAX] = 'h';
	assert_non_null(url_parse(text, &url));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_urls),
		cmocka_unit_test(wrong_urls),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
