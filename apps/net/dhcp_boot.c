/* SPDX-License-Identifier: MIT */
#include "apps/net/dhcp_boot.h"

#include <stdio.h>
#include <string.h>

static bool is_printable(uint8_t c)
{
	return c > ' ' && c < 0x7f;
}

/* Servers send a zero behind it, or not. */
static bool take_text(char text[DHCP_BOOT_TEXT_MAX + 1], const uint8_t *bytes, size_t length)
{
	while (length && bytes[length - 1] == 0)
		length--;
	if (length == 0 || length > DHCP_BOOT_TEXT_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!is_printable(bytes[i]))
			return false;
	}
	memcpy(text, bytes, length);
	text[length] = '\0';
	return true;
}

static bool is_url(const char *text)
{
	return strstr(text, "://") != NULL;
}

void net_dhcp_boot_option(struct net_dhcp_boot *boot, uint8_t code, const uint8_t *bytes, size_t length)
{
	char text[DHCP_BOOT_TEXT_MAX + 1];

	if (code == DHCP_OPTION_SERVER_NAME)
		(void)take_text(boot->server_name, bytes, length);
	else if (code == DHCP_OPTION_FILE)
		(void)take_text(boot->file, bytes, length);
	else if (code == DHCP_OPTION_SCRIPT && take_text(text, bytes, length) && is_url(text))
		memcpy(boot->script, text, sizeof(text));
}

static bool is_address(const uint8_t address[4])
{
	return address[0] || address[1] || address[2] || address[3];
}

bool net_dhcp_boot_url(const struct net_dhcp_boot *boot, const char *header_file,
		       const uint8_t next_server[4], const uint8_t server[4], char url[DHCP_BOOT_URL_MAX + 1])
{
	const uint8_t *address = is_address(next_server) ? next_server : server;
	char from_header[DHCP_BOOT_TEXT_MAX + 1] = "";
	const char *file = boot->file;

	if (boot->script[0]) {
		snprintf(url, DHCP_BOOT_URL_MAX + 1, "%s", boot->script);
		return true;
	}
	if (!file[0] && take_text(from_header, (const uint8_t *)header_file, strlen(header_file)))
		file = from_header;
	if (!file[0])
		return false;
	if (is_url(file))
		snprintf(url, DHCP_BOOT_URL_MAX + 1, "%s", file);
	else if (boot->server_name[0])
		snprintf(url, DHCP_BOOT_URL_MAX + 1, "tftp://%s/%s", boot->server_name, file);
	else if (is_address(address))
		snprintf(url, DHCP_BOOT_URL_MAX + 1, "tftp://%u.%u.%u.%u/%s", address[0], address[1],
			 address[2], address[3], file);
	else
		return false;
	return true;
}

/* Where an option is; length: it is not there. */
static size_t find(const uint8_t *options, size_t length, uint8_t code)
{
	size_t at = 0;

	while (at + 1 < length && options[at] != code) {
		if (options[at] == DHCP_OPTION_LAST)
			return length;
		at += options[at] == DHCP_OPTION_PAD ? 1 : 2u + options[at + 1];
	}
	return at + 1 < length && at + 2u + options[at + 1] <= length ? at : length;
}

size_t net_dhcp_boot_ask(uint8_t *options, size_t length, size_t capacity)
{
	static const uint8_t codes[] = {DHCP_OPTION_SERVER_NAME, DHCP_OPTION_FILE, DHCP_OPTION_SCRIPT};
	static const uint8_t class[] = {DHCP_OPTION_CLASS, 5, 'h', 'v', 'k', 'i', 't'};
	size_t list = find(options, length, DHCP_OPTION_PARAMETERS), end;

	if (list == length || options[list + 1] > UINT8_MAX - sizeof(codes) ||
	    length + sizeof(codes) + sizeof(class) > capacity)
		return length;
	end = list + 2u + options[list + 1];
	memmove(options + end + sizeof(codes), options + end, length - end);
	memcpy(options + end, codes, sizeof(codes));
	options[list + 1] = (uint8_t)(options[list + 1] + sizeof(codes));
	length += sizeof(codes);
	memcpy(options + length, class, sizeof(class));
	return length + sizeof(class);
}
