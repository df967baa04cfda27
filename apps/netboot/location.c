/* SPDX-License-Identifier: MIT */
#include "apps/netboot/location.h"

#include <stdio.h>
#include <string.h>

#define DISK "disk:"

static const char *parse_disk(const char *text, struct location *location)
{
	const char *at = text + strlen(DISK);
	uint32_t number = 0;

	if (*at < '0' || *at > '9')
		return "it is disk:N:/PATH, with N the number of the disk, from 0";
	for (; *at >= '0' && *at <= '9' && number <= LOCATION_DISK_MAX; at++)
		number = number * 10 + (uint32_t)(*at - '0');
	if (number > LOCATION_DISK_MAX)
		return "there are no more than 64 disks, 0 to 63";
	if (at[0] != ':' || at[1] != '/' || !at[2])
		return "it is disk:N:/PATH, with the path of a file on its ISO 9660 file system";
	if (strlen(at + 1) > LOCATION_PATH_MAX)
		return "the path is longer than 1023 characters";
	location->kind = LOCATION_DISK;
	location->disk = number;
	snprintf(location->path, sizeof(location->path), "%s", at + 1);
	return NULL;
}

const char *location_parse(const char *text, struct location *location)
{
	memset(location, 0, sizeof(*location));
	if (strncmp(text, DISK, strlen(DISK)) == 0)
		return parse_disk(text, location);
	location->kind = LOCATION_NETWORK;
	if (strncmp(text, "http", 4) != 0 && strncmp(text, "tftp://", 7) != 0)
		return "it begins with http://, tftp:// or disk:N:/";
	return url_parse(text, &location->url);
}

static bool says_where(const char *name)
{
	return strstr(name, "://") || strncmp(name, DISK, strlen(DISK)) == 0;
}

/* Length of what stands before the path: "http://host:80", "disk:0:". */
static size_t root_of(const char *base)
{
	const char *scheme = strstr(base, "://");
	const char *at = scheme ? scheme + 3 : base;

	return (size_t)(at - base) + strcspn(at, scheme ? "/?#" : "/");
}

/* Length of the folder, with its slash; a '?' or '#' ends the path. */
static size_t folder_of(const char *base, size_t root)
{
	size_t length = root + strcspn(base + root, "?#");

	while (length > root && base[length - 1] != '/')
		length--;
	return length;
}

const char *location_join(const char *base, const char *name, char out[LOCATION_MAX + 1])
{
	size_t root, keep;
	int length;

	if (says_where(name)) {
		length = snprintf(out, LOCATION_MAX + 1, "%s", name);
	} else if (!*base) {
		return "it says not where it is: http://, tftp:// or disk:N:/ (there is no script that it "
		       "could be beside)";
	} else {
		root = root_of(base);
		keep = name[0] == '/' ? root : folder_of(base, root);
		length = snprintf(out, LOCATION_MAX + 1, "%.*s%s%s", (int)keep, base,
				  keep == root && name[0] != '/' ? "/" : "", name);
	}
	return length < 0 || (size_t)length > LOCATION_MAX ? "the name is too long" : NULL;
}
