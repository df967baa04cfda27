/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "apps/shell/driver_options.h"

/* Groups first; then each by itself. */
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
	{"vlan", HVK_NETDEV_TX_VLAN | HVK_NETDEV_RX_VLAN},
	{"tx-ipv4", HVK_NETDEV_TX_IPV4},
	{"tx-tcp4", HVK_NETDEV_TX_TCP4},
	{"tx-udp4", HVK_NETDEV_TX_UDP4},
	{"tx-tcp6", HVK_NETDEV_TX_TCP6},
	{"tx-udp6", HVK_NETDEV_TX_UDP6},
	{"rx-ipv4", HVK_NETDEV_RX_IPV4},
	{"rx-tcp4", HVK_NETDEV_RX_TCP4},
	{"rx-udp4", HVK_NETDEV_RX_UDP4},
	{"rx-tcp6", HVK_NETDEV_RX_TCP6},
	{"rx-udp6", HVK_NETDEV_RX_UDP6},
	{"tso4", HVK_NETDEV_TSO4},
	{"tso6", HVK_NETDEV_TSO6},
	{"lro", HVK_NETDEV_LRO},
	{"tx-vlan", HVK_NETDEV_TX_VLAN},
	{"rx-vlan", HVK_NETDEV_RX_VLAN},
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

const char *shell_offload_name(uint32_t bit)
{
	for (size_t n = 0; n < WORDS; n++) {
		if (words[n].offloads == 1u << bit)
			return words[n].name;
	}
	return NULL;
}
