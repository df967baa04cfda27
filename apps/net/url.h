/* SPDX-License-Identifier: MIT */
/* URLs that the shell can fetch: http://host[:port][/path] and tftp://host[:port]/file. */
#ifndef NET_URL_H
#define NET_URL_H

#include <stdint.h>

#define URL_HOST_MAX 253u
#define URL_PATH_MAX 1023u

enum url_scheme { URL_HTTP, URL_TFTP };

struct url {
	enum url_scheme scheme;
	uint16_t port; /* the scheme's own if the URL names none */
	char host[URL_HOST_MAX + 1];
	char path[URL_PATH_MAX + 1]; /* HTTP: from its slash on, as written; TFTP: the file's name, decoded */
};

/* Returns NULL, or a phrase that says what is wrong and what would be right. */
const char *url_parse(const char *text, struct url *url);

#endif
