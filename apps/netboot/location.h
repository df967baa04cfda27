/* SPDX-License-Identifier: MIT */
/* Where a file is: a URL of HTTP or TFTP, disk:N:/PATH, or a name beside the script. */
#ifndef NETBOOT_LOCATION_H
#define NETBOOT_LOCATION_H

#include <stdbool.h>

#include "apps/net/url.h"

#define LOCATION_MAX 1400u /* characters */
#define LOCATION_PATH_MAX 1023u
#define LOCATION_DISK_MAX 63u

enum location_kind { LOCATION_NETWORK, LOCATION_DISK };

struct location {
	enum location_kind kind;
	struct url url;
	uint32_t disk;
	char path[LOCATION_PATH_MAX + 1];
};

/* NULL, or what is wrong and what would be right. */
const char *location_parse(const char *text, struct location *location);
/* name as it is if it says where it is, else beside base (the script's own place; "": there is none). */
const char *location_join(const char *base, const char *name, char out[LOCATION_MAX + 1]);

#endif
