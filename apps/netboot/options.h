/* SPDX-License-Identifier: MIT */
/* netboot's command line: words, and after "--" a script of its own. */
#ifndef NETBOOT_OPTIONS_H
#define NETBOOT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "apps/netboot/location.h"

#define OPTIONS_ERROR_MAX 240u
#define OPTIONS_WAIT_MAX 3600u

struct netboot_options {
	char script[LOCATION_MAX + 1]; /* where the script is; "": DHCP says so */
	const char *statements;        /* behind "--", in the line itself; NULL: none */
	uint32_t log_level;            /* enum hvk_log_level */
	bool german;                   /* the keyboard */
	bool anyway;                   /* hand over though the host does not let go */
	uint32_t wait_s;               /* before the end, if something failed: for people to read */
};

/* False: error says what is wrong, and what would be right. line must live on. */
bool netboot_options_parse(struct netboot_options *options, const char *line, char error[OPTIONS_ERROR_MAX]);

#endif
