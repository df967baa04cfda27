/* SPDX-License-Identifier: MIT */
/* --nic: the card and what it is plugged into. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "apps/hvkit/options_private.h"
#include "hvkit/vf.h"

const char *cli_nic_name(enum cli_nic nic)
{
	static const char *const names[] = {"user", "tap", "sim", "none"};

	return names[nic];
}

static const char *nic_name(uint32_t n)
{
	return n <= CLI_NIC_NONE ? cli_nic_name((enum cli_nic)n) : NULL;
}

/* --- User-mode networking --------------------------------------------------------------- */

#define BOOT_FILE_MAX 127u /* as much as DHCP's header has room for */

static bool add_port(struct parser *parser, const char *kind, const char *value, uint16_t *ports,
		     uint32_t *count)
{
	uint64_t port;

	if (!options_number(value, UINT16_MAX, &port) || port == 0)
		return options_wrong(parser, "--nic user,%s=PORT: the port must be 1 to 65535, not '%.40s'",
				     kind, value);
	if (*count == HVH_SLIRP_PORTS_MAX)
		return options_wrong(parser, "--nic user: at most %u %s ports can be opened",
				     HVH_SLIRP_PORTS_MAX, kind);
	ports[(*count)++] = (uint16_t)port;
	return true;
}

static bool take_tftp(struct parser *parser, const char *value)
{
	struct cli_options *options = parser->options;
	struct stat status;

	if (stat(value, &status) != 0)
		return options_wrong(parser, "--nic user,tftp=DIRECTORY: '%.200s': %s", value,
				     strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return options_wrong(parser, "--nic user,tftp=DIRECTORY: '%.200s' is not a directory", value);
	free(options->tftp_directory);
	/* The server runs in a thread that outlives no change of directory: keep it absolute. */
	options->tftp_directory = realpath(value, NULL);
	if (!options->tftp_directory)
		return options_wrong(parser, "--nic user,tftp=DIRECTORY: '%.200s': %s", value,
				     strerror(errno));
	options->user.tftp_directory = options->tftp_directory;
	return true;
}

static bool take_boot_file(struct parser *parser, const char *value)
{
	parser->options->user.boot_file = value;
	if (!*value || strlen(value) > BOOT_FILE_MAX)
		return options_wrong(parser, "--nic user,bootfile=NAME: a name of 1 to %u characters",
				     BOOT_FILE_MAX);
	return true;
}

static bool take_tcp(struct parser *parser, const char *value)
{
	return add_port(parser, "tcp", value, parser->options->user.loopback_tcp, &parser->tcp_count);
}

static bool take_udp(struct parser *parser, const char *value)
{
	return add_port(parser, "udp", value, parser->options->user.loopback_udp, &parser->udp_count);
}

static bool take_restrict(struct parser *parser, const char *value)
{
	(void)value;
	parser->options->user.restricted = true;
	return true;
}

/* --- TAP ---------------------------------------------------------------------------------- */

static bool take_ifname(struct parser *parser, const char *value)
{
	parser->options->tap.name = value;
	return *value || options_wrong(parser, "--nic tap,ifname=NAME: the name is empty");
}

static bool take_netns(struct parser *parser, const char *value)
{
	parser->options->tap.netns = value;
	return *value || options_wrong(parser, "--nic tap,netns=NAME: the name is empty");
}

/* --- Another card beside it ---------------------------------------------------------------- */

static bool take_second(struct parser *parser, const char *value)
{
	(void)value;
	parser->options->second_card = true;
	return true;
}

/* --- A VF beside the card ------------------------------------------------------------------ */

#define GRACE_MAX_MS 600000u

static bool take_vf(struct parser *parser, const char *value)
{
	(void)value;
	parser->options->vf = true;
	return true;
}

static bool take_transparent(struct parser *parser, const char *value)
{
	(void)value;
	parser->options->vf_separate = false;
	return parser->options->vf ||
	       options_wrong(parser, "--nic: transparent says how a VF is used; write vf,transparent");
}

static bool take_separate(struct parser *parser, const char *value)
{
	(void)value;
	parser->options->vf_separate = true;
	return parser->options->vf ||
	       options_wrong(parser, "--nic: separate says how a VF is used; write vf,separate");
}

static bool take_grace(struct parser *parser, const char *value)
{
	uint64_t ms = HVK_VF_GRACE_EVENT;

	if (strcmp(value, "event") != 0 && (!options_number(value, GRACE_MAX_MS, &ms) || ms == 0))
		return options_wrong(
			parser,
			"--nic vf_grace_ms=: milliseconds from 1 to %u, or 'event' (as soon as its "
			"driver is attached), not '%.40s'",
			GRACE_MAX_MS, value);
	parser->options->vf_grace_ms = (uint32_t)ms;
	return parser->options->vf ||
	       options_wrong(parser, "--nic: vf_grace_ms is about a VF; write vf before it");
}

static bool take_offer_delay(struct parser *parser, const char *value)
{
	uint64_t ms;

	if (!options_number(value, GRACE_MAX_MS, &ms))
		return options_wrong(
			parser,
			"--nic vf_offer_ms=: milliseconds from 0 to %u from the association message to "
			"the offer, not '%.40s'",
			GRACE_MAX_MS, value);
	parser->options->vf_offer_delay = ms ? ms * HVH_TIME_PER_MS : UINT64_MAX;
	return parser->options->vf ||
	       options_wrong(parser, "--nic: vf_offer_ms is about a VF; write vf before it");
}

/* --- All ---------------------------------------------------------------------------------- */

#define USER (1u << CLI_NIC_USER)
#define TAP (1u << CLI_NIC_TAP)
#define SIM (1u << CLI_NIC_SIM)
#define ANY (USER | TAP | SIM)

static const struct part {
	uint32_t nics;
	const char *name, *value; /* value: NULL if it has none */
	bool (*take)(struct parser *parser, const char *value);
} parts[] = {
	{USER, "tcp", "PORT", take_tcp},
	{USER, "udp", "PORT", take_udp},
	{USER, "tftp", "DIRECTORY", take_tftp},
	{USER, "bootfile", "NAME", take_boot_file},
	{USER, "restrict", NULL, take_restrict},
	{TAP, "ifname", "NAME", take_ifname},
	{TAP, "netns", "NAME", take_netns},
	{ANY, "queues", "N", options_take_card_queues},
	{ANY, "mtu", "BYTES", options_take_card_mtu},
	{ANY, "mac", "ADDRESS", options_take_card_mac},
	{ANY, "without", "OFFLOADS", options_take_card_without},
	{ANY, "pcap", "FILE", options_take_card_pcap},
	{ANY, "second", NULL, take_second},
	{ANY, "vf", NULL, take_vf},
	{ANY, "transparent", NULL, take_transparent},
	{ANY, "separate", NULL, take_separate},
	{ANY, "vf_grace_ms", "MS|event", take_grace},
	{ANY, "vf_offer_ms", "MS", take_offer_delay},
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static bool unknown_part(struct parser *parser, const char *text)
{
	enum cli_nic nic = parser->options->nic;
	char list[320] = "";
	size_t used = 0;

	for (size_t n = 0; n < PARTS && used < sizeof(list); n++) {
		const struct part *part = &parts[n];

		if (part->nics & (1u << nic))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s%s%s",
						 used ? ", " : "", part->name, part->value ? "=" : "",
						 part->value ? part->value : "");
	}
	if (nic == CLI_NIC_NONE)
		return options_wrong(parser, "--nic none takes no further values, such as '%.40s'", text);
	return options_wrong(parser, "--nic %s: '%.40s' is not known; there are: %s", cli_nic_name(nic), text,
			     list);
}

/* text is kept: values point into it. */
static bool take_part(struct parser *parser, char *text)
{
	char *value = strchr(text, '=');
	size_t length = value ? (size_t)(value - text) : strlen(text);

	for (size_t n = 0; n < PARTS; n++) {
		const struct part *part = &parts[n];

		if ((part->nics & (1u << parser->options->nic)) && strlen(part->name) == length &&
		    memcmp(part->name, text, length) == 0 && !part->value == !value)
			return part->take(parser, value ? value + 1 : NULL);
	}
	return unknown_part(parser, text);
}

/* One that is given again counts alone. */
static void forget(struct parser *parser)
{
	struct cli_options *options = parser->options;

	free(options->tftp_directory);
	free(options->nic_text);
	options->tftp_directory = options->nic_text = NULL;
	options->pcap = NULL;
	options->vf = options->vf_separate = options->second_card = false;
	options->vf_grace_ms = 0;
	options->vf_offer_delay = 0;
	memset(&options->user, 0, sizeof(options->user));
	memset(&options->tap, 0, sizeof(options->tap));
	memset(&options->card, 0, sizeof(options->card));
	parser->tcp_count = parser->udp_count = 0;
}

bool options_take_nic(struct parser *parser, const char *value)
{
	struct cli_options *options = parser->options;
	uint32_t nic = 0;
	char *rest, *part;

	forget(parser);
	options->nic_text = strdup(value);
	if (!options->nic_text)
		return options_wrong(parser, "out of memory");
	part = strtok_r(options->nic_text, ",", &rest);
	while (part && nic_name(nic) && strcmp(part, nic_name(nic)) != 0)
		nic++;
	if (!part || !nic_name(nic))
		return options_wrong_name(parser, "network card", part ? part : "", nic_name);
	options->nic = (enum cli_nic)nic;
	parser->nic_given = true;
	while ((part = strtok_r(NULL, ",", &rest)) != NULL) {
		if (!take_part(parser, part))
			return false;
	}
	options->tap.queues = options->card.queues_max;
	options->tap.mtu = options->card.mtu_max;
	return true;
}
