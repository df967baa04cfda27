/* SPDX-License-Identifier: MIT */
/* Values of --nic that any card takes, and what the guest's driver is asked for. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/options_private.h"
#include "apps/shell/driver_options.h"

#define CARD_MTU_MAX 9000u /* what the model's card can be */
#define CARD_MTU_MIN 1500u /* and Hyper-V's is at least */

/* --- The card ------------------------------------------------------------------------- */

bool options_take_card_mtu(struct parser *parser, const char *value)
{
	uint64_t mtu;

	if (!options_number(value, CARD_MTU_MAX, &mtu) || mtu < CARD_MTU_MIN)
		return options_wrong(parser, "--nic: mtu must be %u to %u bytes, not '%.40s'", CARD_MTU_MIN,
				     CARD_MTU_MAX, value);
	parser->options->card.mtu_max = (uint32_t)mtu;
	return true;
}

bool options_take_card_queues(struct parser *parser, const char *value)
{
	uint64_t queues;

	if (!options_number(value, HVK_NETVSC_QUEUES_MAX, &queues) || queues == 0)
		return options_wrong(parser, "--nic: queues must be 1 to %u, not '%.40s'",
				     HVK_NETVSC_QUEUES_MAX, value);
	parser->options->card.queues_max = (uint32_t)queues;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
	uint32_t sum = 0;

	for (uint32_t n = 0; n < 6; n++, text += 3) {
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || text[2] != (n < 5 ? ':' : '\0'))
			return false;
		mac[n] = (uint8_t)(high << 4 | low);
		sum += mac[n];
	}
	return sum != 0 && (mac[0] & 1) == 0;
}

bool options_take_card_mac(struct parser *parser, const char *value)
{
	return parse_mac(value, parser->options->card.mac) ||
	       options_wrong(parser,
			     "--nic: mac must be the hardware address of one card, such as "
			     "00:15:5d:00:07:01, not '%.40s'",
			     value);
}

bool options_take_card_pcap(struct parser *parser, const char *value)
{
	parser->options->pcap = value;
	return *value || options_wrong(parser, "--nic: pcap needs the name of a file");
}

static const struct {
	const char *name;
	uint32_t without;
} offloads[] = {
	{"all", HVH_NIC_NO_OFFLOADS},
	{"none", 0},
	{"checksum", HVH_NIC_NO_TX_CHECKSUM | HVH_NIC_NO_RX_CHECKSUM},
	{"tx-checksum", HVH_NIC_NO_TX_CHECKSUM},
	{"rx-checksum", HVH_NIC_NO_RX_CHECKSUM},
	{"lso", HVH_NIC_NO_LSO},
	{"rsc", HVH_NIC_NO_RSC},
	{"vlan", HVH_NIC_NO_VLAN},
	{"rss", HVH_NIC_NO_RSS},
	{"ipv6", HVH_NIC_NO_IPV6},
	{"udp", HVH_NIC_NO_UDP},
};
#define OFFLOADS (sizeof(offloads) / sizeof(offloads[0]))

static const char *offload_name(uint32_t n)
{
	return n < OFFLOADS ? offloads[n].name : NULL;
}

bool options_take_card_without(struct parser *parser, const char *value)
{
	uint32_t without = 0;

	for (;;) {
		size_t length = strcspn(value, "+"), n = 0;
		char word[41];

		while (n < OFFLOADS &&
		       (strlen(offloads[n].name) != length || memcmp(offloads[n].name, value, length) != 0))
			n++;
		if (n == OFFLOADS) {
			snprintf(word, sizeof(word), "%.*s", (int)(length < 40 ? length : 40), value);
			return options_wrong_name(parser, "--nic: without", word, offload_name);
		}
		without |= offloads[n].without;
		if (!value[length])
			break;
		value += length + 1;
	}
	parser->options->card.without = without;
	return true;
}

/* --- The guest's driver ----------------------------------------------------------------- */

bool options_take_queues(struct parser *parser, const char *value)
{
	uint64_t queues;

	if (!options_number(value, HVK_NETVSC_QUEUES_MAX, &queues) || queues == 0)
		return options_wrong(parser, "--queues must be 1 to %u, not '%.40s'", HVK_NETVSC_QUEUES_MAX,
				     value);
	parser->driver_option = "--queues";
	parser->options->driver.queues = (uint32_t)queues;
	return true;
}

bool options_take_offloads(struct parser *parser, const char *value)
{
	parser->driver_option = "--offloads";
	parser->options->offloads = value;
	return shell_offloads_parse(value, &parser->options->driver.offloads) ||
	       options_wrong(parser, "--offloads: '%.60s' is not known; it takes " SHELL_OFFLOADS_NAMES,
			     value);
}

bool options_take_mtu(struct parser *parser, const char *value)
{
	uint64_t mtu;

	if (!options_number(value, SHELL_MTU_MAX, &mtu) || mtu < SHELL_MTU_MIN)
		return options_wrong(parser, "--mtu must be %u to %u bytes, not '%.40s'", SHELL_MTU_MIN,
				     SHELL_MTU_MAX, value);
	parser->driver_option = "--mtu";
	parser->options->driver.mtu = (uint32_t)mtu;
	return true;
}

bool options_check_driver(struct parser *parser)
{
	const struct cli_options *options = parser->options;

	if (!parser->driver_option)
		return true;
	if (options->nic == CLI_NIC_NONE)
		return options_wrong(parser, "%s is for a network card, and --nic none is none",
				     parser->driver_option);
	if (options->guest || options->kernel)
		return options_wrong(
			parser,
			"%s is for hvkit's own guest; another one is told by --append, if it can "
			"be told",
			parser->driver_option);
	return true;
}
