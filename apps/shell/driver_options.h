/* SPDX-License-Identifier: MIT */
/* What can be asked of the network driver in words; the program and the image take the same. */
#ifndef SHELL_DRIVER_OPTIONS_H
#define SHELL_DRIVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "hvkit/netvsc.h"

#define SHELL_MTU_MIN 68u
#define SHELL_MTU_MAX 65521u
/* For messages: what shell_offloads_parse takes. */
#define SHELL_OFFLOADS_NAMES "all, none, or of checksum+tx-checksum+rx-checksum+tso+lro+vlan+rss"

/* HVK_NETDEV_*; false if a word is not known. */
bool shell_offloads_parse(const char *text, uint32_t *offloads);

/* Of the bit 1 << bit in HVK_NETDEV_*; NULL past the last. */
const char *shell_offload_name(uint32_t bit);

#endif
