/* SPDX-License-Identifier: MIT */
#include "apps/net/url.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define HTTP_PORT 80u
#define TFTP_PORT 69u

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_host_character(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
	       c == '_';
}

static int hexadecimal(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool has_prefix(const char *text, const char *prefix)
{
	for (; *prefix; text++, prefix++) {
		char c = *text;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c != *prefix)
			return false;
	}
	return true;
}

static const char *parse_host(const char **at, struct url *url)
{
	size_t length = 0;
	const char *text = *at;

	if (*text == '[')
		return "IPv6 is not spoken here; name a host or an IPv4 address";
	while (is_host_character(text[length]))
		length++;
	if (text[length] == '@')
		return "user names in URLs are not supported";
	if (length == 0)
		return "the host is missing; it goes after '://'";
	if (length > URL_HOST_MAX)
		return "the host's name is longer than 253 characters";
	memcpy(url->host, text, length);
	url->host[length] = '\0';
	*at = text + length;
	return NULL;
}

static const char *parse_port(const char **at, struct url *url)
{
	uint32_t port = 0;
	const char *text = *at;

	if (*text != ':')
		return NULL;
	for (text++; is_digit(*text); text++) {
		port = port * 10 + (uint32_t)(*text - '0');
		if (port > 65535)
			break;
	}
	if (port == 0 || port > 65535)
		return "the port must be 1 to 65535";
	url->port = (uint16_t)port;
	*at = text;
	return NULL;
}

/* As written, without the fragment, which is not the server's business. */
static const char *parse_http_path(const char *text, struct url *url)
{
	size_t length = 0;

	if (*text == '?' || *text == '#' || !*text)
		url->path[length++] = '/';
	for (; *text && *text != '#'; text++) {
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
			return "the path holds a character that must be written as %XX";
		if (length == URL_PATH_MAX)
			return "the path is longer than 1023 characters";
		url->path[length++] = *text;
	}
	url->path[length] = '\0';
	return NULL;
}

/* RFC 3617: what follows the slash is the file's name. */
static const char *parse_tftp_path(const char *text, struct url *url)
{
	size_t length = 0;

	if (*text == '/')
		text++;
	for (; *text; text++) {
		int high, low;
		char c = *text;

		if (c == '%') {
			high = hexadecimal(text[1]);
			low = high < 0 ? -1 : hexadecimal(text[2]);
			if (low < 0)
				return "'%' must be followed by two hexadecimal digits";
			c = (char)(high * 16 + low);
			text += 2;
		}
		if ((unsigned char)c < ' ' || c == 0x7f)
			return "a file's name holds no control characters";
		if (length == URL_PATH_MAX)
			return "the file's name is longer than 1023 characters";
		url->path[length++] = c;
	}
	if (length == 0)
		return "the file's name is missing; write tftp://host/file";
	url->path[length] = '\0';
	return NULL;
}

const char *url_parse(const char *text, struct url *url)
{
	const char *at, *wrong;

	memset(url, 0, sizeof(*url));
	if (has_prefix(text, "https://"))
		return "https is not spoken here; use http:// or tftp://";
	if (has_prefix(text, "http://")) {
		url->scheme = URL_HTTP;
		url->port = HTTP_PORT;
	} else if (has_prefix(text, "tftp://")) {
		url->scheme = URL_TFTP;
		url->port = TFTP_PORT;
	} else {
		return "a URL begins with http:// or tftp://";
	}
	at = text + 7;
	wrong = parse_host(&at, url);
	if (!wrong)
		wrong = parse_port(&at, url);
	if (wrong)
		return wrong;
	if (*at && *at != '/' && *at != '?' && *at != '#')
		return "the host or the port holds a character that cannot be there";
	return url->scheme == URL_HTTP ? parse_http_path(at, url) : parse_tftp_path(at, url);
}
