/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "apps/shell/driver_options.h"

static const struct {
	const char *name;
	uint32_t offloads;
} words[] = {
	{"all", HVK_NETDEV_ALL_OFFLOADS},
	{"none", 0},
	{"checksum", HVK_NETDEV_TX_CHECKSUMS | HVK_NETDEV_RX_CHECKSUMS},
	{"tx-checksum", HVK_NETDEV_TX_CHECKSUMS},
	{"rx-checksum", HVK_NETDEV_RX_CHECKSUMS},
	{"tso", HVK_NETDEV_TSO4 | HVK_NETDEV_TSO6},
	{"lro", HVK_NETDEV_LRO},
	{"vlan", HVK_NETDEV_TX_VLAN | HVK_NETDEV_RX_VLAN},
	{"rss", HVK_NETDEV_RSS},
};
#define WORDS (sizeof(words) / sizeof(words[0]))

bool shell_offloads_parse(const char *text, uint32_t *offloads)
{
	*offloads = 0;
	for (;;) {
		size_t length = strcspn(text, "+"), n = 0;

		while (n < WORDS &&
		       (strlen(words[n].name) != length || memcmp(words[n].name, text, length) != 0))
			n++;
		if (n == WORDS)
			return false;
		*offloads |= words[n].offloads;
		if (!text[length])
			return true;
		text += length + 1;
	}
}
