/* SPDX-License-Identifier: MIT */
/* What a client must know of an HTTP/1.x answer before it takes the body (RFC 9112). */
#ifndef NET_HTTP_HEADERS_H
#define NET_HTTP_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#define HTTP_LINE_MAX 200u /* what is kept of a line; the end of longer ones means nothing to us */

struct http_headers {
	uint32_t status; /* 0: the first line is not one of HTTP */
	char reason[48]; /* printable */
	bool length_known;
	uint64_t length; /* of the body */
	bool encoded;    /* a Transfer-Encoding other than identity */
	bool malformed;  /* a Content-Length that is no number, or two that differ */
	/* the parser's own */
	char line[HTTP_LINE_MAX + 1];
	uint32_t used, lines;
	bool cut; /* the line is longer than what is kept */
};

void http_headers_begin(struct http_headers *headers);
/* The next byte, line ends too. */
void http_headers_add(struct http_headers *headers, char byte);

#endif
