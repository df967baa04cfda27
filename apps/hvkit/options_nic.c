/* SPDX-License-Identifier: MIT */
/* --nic: the card and what it is plugged into. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "apps/hvkit/options_private.h"

const char *cli_nic_name(enum cli_nic nic)
{
	return nic == CLI_NIC_USER ? "user" : nic == CLI_NIC_SIM ? "sim" : "none";
}

static const char *nic_name(uint32_t n)
{
	return n <= CLI_NIC_NONE ? cli_nic_name((enum cli_nic)n) : NULL;
}

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

static bool take_user_part(struct parser *parser, const char *part)
{
	struct hvh_slirp_config *user = &parser->options->user;

	if (strncmp(part, "tcp=", 4) == 0)
		return add_port(parser, "tcp", part + 4, user->loopback_tcp, &parser->tcp_count);
	if (strncmp(part, "udp=", 4) == 0)
		return add_port(parser, "udp", part + 4, user->loopback_udp, &parser->udp_count);
	if (strncmp(part, "tftp=", 5) == 0)
		return take_tftp(parser, part + 5);
	if (strcmp(part, "restrict") == 0) {
		user->restricted = true;
		return true;
	}
	return options_wrong(
		parser,
		"--nic user: '%.40s' is not known; there are: tcp=PORT, udp=PORT, tftp=DIRECTORY, restrict",
		part);
}

static bool take_nic_parts(struct parser *parser, char *text)
{
	char *rest, *part = strtok_r(text, ",", &rest);
	uint32_t nic = 0;

	while (part && nic_name(nic) && strcmp(part, nic_name(nic)) != 0)
		nic++;
	if (!part || !nic_name(nic))
		return options_wrong_name(parser, "network card", part ? part : "", nic_name);
	parser->options->nic = (enum cli_nic)nic;
	parser->nic_given = true;
	while ((part = strtok_r(NULL, ",", &rest)) != NULL) {
		if (parser->options->nic != CLI_NIC_USER)
			return options_wrong(
				parser, "--nic %s takes no further values, such as '%.40s'; --nic user does",
				nic_name(nic), part);
		if (!take_user_part(parser, part))
			return false;
	}
	return true;
}

bool options_take_nic(struct parser *parser, const char *value)
{
	char *text = strdup(value);
	bool right = text ? take_nic_parts(parser, text) : options_wrong(parser, "out of memory");

	free(text);
	return right;
}
