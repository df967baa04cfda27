/* SPDX-License-Identifier: MIT */
/*
 * What a DHCP server says about booting (RFC 2131, 2132): the header's file name and next server, option 66
 * (its name), option 67 (the file), option 175 (a URL in plain text; iPXE's options inside of it are passed
 * over). All is text from the network: only printable characters are taken.
 */
#ifndef NET_DHCP_BOOT_H
#define NET_DHCP_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHCP_OPTION_PARAMETERS 55u
#define DHCP_OPTION_SERVER_NAME 66u
#define DHCP_OPTION_FILE 67u
#define DHCP_OPTION_CLASS 77u
#define DHCP_OPTION_SCRIPT 175u
#define DHCP_OPTION_PAD 0u
#define DHCP_OPTION_LAST 255u

#define DHCP_BOOT_TEXT_MAX 255u
#define DHCP_BOOT_URL_MAX (2u * DHCP_BOOT_TEXT_MAX + 16u)

struct net_dhcp_boot {
	char server_name[DHCP_BOOT_TEXT_MAX + 1], file[DHCP_BOOT_TEXT_MAX + 1],
		script[DHCP_BOOT_TEXT_MAX + 1];
};

/* One option as it came; others than the three do nothing. */
void net_dhcp_boot_option(struct net_dhcp_boot *boot, uint8_t code, const uint8_t *bytes, size_t length);

/* Option 175, else the file, which may be a URL, or is fetched by TFTP: from option 66's server, else
 * from the next server, else from the one that gave the lease (addresses as they lie in memory, 0: none).
 * header_file: the header's, used without option 67. False: there is nothing to boot. */
bool net_dhcp_boot_url(const struct net_dhcp_boot *boot, const char *header_file,
		       const uint8_t next_server[4], const uint8_t server[4],
		       char url[DHCP_BOOT_URL_MAX + 1]);

/* Adds what this asks for to the options of a message of ours that has room for capacity bytes: codes in its
 * parameter request list (option 55), and the user class "hvkit", as iPXE says its own. Returns the
 * options' new length; unchanged if there is no room, or no such list. */
size_t net_dhcp_boot_ask(uint8_t *options, size_t length, size_t capacity);

#endif
