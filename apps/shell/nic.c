/* SPDX-License-Identifier: MIT */
/* nic: what is asked of the network card while it is there. What it is: nic_show.c. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/driver_options.h"
#include "apps/shell/private.h"

struct action {
	const char *name;
	const char *arguments;
	uint32_t least, most; /* words behind the name */
	int (*run)(struct shell *shell, uint32_t count, char *const words[]);
};

/* What a request came to, as a command's status. */
static int outcome(struct shell *shell, const char *what, hvk_status status)
{
	if (status == HVK_OK)
		return SHELL_OK;
	return shell_error(shell, "nic %s: %s: %s\n", what, hvk_status_name(status), hvk_status_text(status));
}

static bool parse_number(const char *text, uint32_t limit, uint32_t *number)
{
	*number = 0;
	for (const char *at = text; *at; at++) {
		if (*at < '0' || *at > '9')
			return false;
		*number = *number * 10 + (uint32_t)(*at - '0');
		if (*number > limit)
			return false;
	}
	return *text != '\0';
}

static int set_mtu(struct shell *shell, uint32_t count, char *const words[])
{
	struct hvk_netdev *netdev = shell_netdev(shell);
	hvk_status status;
	uint32_t mtu;

	(void)count;
	if (!parse_number(words[0], netdev->info.mtu_max, &mtu) || mtu < SHELL_MTU_MIN)
		return shell_usage(shell, "nic mtu: it must be %u to %u, not '%.20s'\n", SHELL_MTU_MIN,
				   netdev->info.mtu_max, words[0]);
	hvk_netdev_set_mtu(netdev, mtu, shell_request(shell));
	status = shell_wait(shell);
	netif_hvk_refresh(&shell->netif);
	return outcome(shell, "mtu", status);
}

/* The names of the offloads in a set, with "+" between them. */
static void name_offloads(uint32_t offloads, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t bit = 0; bit < 32 && used < size; bit++) {
		if (offloads & 1u << bit)
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "+" : "",
						 shell_offload_name(bit));
	}
}

static int set_offloads(struct shell *shell, uint32_t count, char *const words[])
{
	struct hvk_netdev *netdev = shell_netdev(shell);
	uint32_t wanted, missing;
	hvk_status status;

	(void)count;
	if (!shell_offloads_parse(words[0], &wanted))
		return shell_usage(shell,
				   "nic offloads: '%.60s' is not known; it takes " SHELL_OFFLOADS_NAMES "\n",
				   words[0]);
	missing = wanted & ~netdev->info.capabilities;
	if (missing && strcmp(words[0], "all") != 0) {
		char text[200];

		name_offloads(missing, text, sizeof(text));
		return shell_error(shell, "nic offloads: the card does not have %s here\n", text);
	}
	hvk_netdev_set_enabled(netdev, wanted & netdev->info.capabilities, shell_request(shell));
	status = shell_wait(shell);
	netif_hvk_refresh(&shell->netif);
	return outcome(shell, "offloads", status);
}

static bool parse_address(const char *text, uint8_t address[6])
{
	for (uint32_t i = 0; i < 12; i++, text++) {
		char c = *text;
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
				 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
							: 16;

		if (digit == 16)
			return false;
		address[i / 2] = (uint8_t)(i % 2 ? address[i / 2] * 16 + digit : digit);
		if (i % 2 && i < 11 && *++text != ':')
			return false;
	}
	return *text == '\0';
}

static int set_groups(struct shell *shell, uint32_t count, char *const words[])
{
	struct hvk_netdev *netdev = shell_netdev(shell);
	uint8_t groups[SHELL_GROUPS_MAX][6];
	hvk_status status;

	if (count == 1 && strcmp(words[0], "none") == 0)
		count = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (!parse_address(words[i], groups[i]) || !(groups[i][0] & 1))
			return shell_usage(
				shell,
				"nic groups: '%.40s' is no group; they are like 01:00:5e:00:00:01, or none\n",
				words[i]);
	}
	hvk_netdev_set_multicast(netdev, (const uint8_t(*)[6])groups, count, shell_request(shell));
	status = shell_wait(shell);
	if (status == HVK_OK) {
		memcpy(shell->groups, groups, count * sizeof(groups[0]));
		shell->group_count = count;
	}
	return outcome(shell, "groups", status);
}

/* Up or down, to the card and then to lwIP, which asks DHCP when a link comes. */
static int set_flags(struct shell *shell, const char *what, uint32_t flags)
{
	struct hvk_netdev *netdev = shell_netdev(shell);
	struct netif *netif = &shell->netif.netif;
	hvk_status status;

	hvk_netdev_set_flags(netdev, flags, shell_request(shell));
	status = shell_wait(shell);
	if (status == HVK_OK && !(flags & HVK_NETDEV_UP))
		netif_set_link_down(netif);
	else if (status == HVK_OK && netdev->info.link_up)
		netif_set_link_up(netif);
	return outcome(shell, what, status);
}

static int up(struct shell *shell, uint32_t count, char *const words[])
{
	uint32_t flags = shell_netdev(shell)->info.flags | HVK_NETDEV_UP;

	(void)count;
	(void)words;
	return set_flags(shell, "up", flags);
}

static int down(struct shell *shell, uint32_t count, char *const words[])
{
	uint32_t flags = shell_netdev(shell)->info.flags & ~HVK_NETDEV_UP;

	(void)count;
	(void)words;
	return set_flags(shell, "down", flags);
}

static int set_promiscuous(struct shell *shell, uint32_t count, char *const words[])
{
	uint32_t flags = shell_netdev(shell)->info.flags & ~HVK_NETDEV_PROMISCUOUS;

	(void)count;
	if (strcmp(words[0], "on") == 0)
		flags |= HVK_NETDEV_PROMISCUOUS;
	else if (strcmp(words[0], "off") != 0)
		return shell_usage(shell, "nic promiscuous: on or off, not '%.20s'\n", words[0]);
	hvk_netdev_set_flags(shell_netdev(shell), flags, shell_request(shell));
	return outcome(shell, "promiscuous", shell_wait(shell));
}

static int suspend(struct shell *shell, uint32_t count, char *const words[])
{
	hvk_status status;

	(void)count;
	(void)words;
	hvk_netvsc_suspend(shell->nic, shell_request(shell));
	status = shell_wait(shell);
	/* Below 4.0 a host may keep memory of ours; suspended it is all the same. */
	shell->nic_suspended = status == HVK_OK || status == HVK_ETIMEDOUT_TEARDOWN;
	if (shell->nic_suspended)
		netif_set_link_down(&shell->netif.netif);
	return outcome(shell, "suspend", status);
}

static int resume(struct shell *shell, uint32_t count, char *const words[])
{
	struct hvk_netdev *netdev = shell_netdev(shell);
	hvk_status status;

	(void)count;
	(void)words;
	hvk_netvsc_resume(shell->nic, shell_request(shell));
	status = shell_wait(shell);
	if (status == HVK_OK) {
		shell->nic_suspended = false;
		netif_hvk_refresh(&shell->netif);
		if ((netdev->info.flags & HVK_NETDEV_UP) && netdev->info.link_up)
			netif_set_link_up(&shell->netif.netif);
	}
	return outcome(shell, "resume", status);
}

static int show_rss(struct shell *shell, uint32_t count, char *const words[])
{
	(void)count;
	(void)words;
	return shell_nic_show_rss(shell);
}

static const struct action actions[] = {
	{"mtu", "BYTES", 1, 1, set_mtu},
	{"offloads", "LIST", 1, 1, set_offloads},
	{"rss", "", 0, 0, show_rss},
	{"groups", "ADDRESS...|none", 1, SHELL_GROUPS_MAX, set_groups},
	{"promiscuous", "on|off", 1, 1, set_promiscuous},
	{"up", "", 0, 0, up},
	{"down", "", 0, 0, down},
	{"suspend", "", 0, 0, suspend},
	{"resume", "", 0, 0, resume},
};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static const struct action *find(const char *name)
{
	for (size_t i = 0; i < ACTIONS; i++) {
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	}
	return NULL;
}

static int unknown(struct shell *shell, const char *name)
{
	char list[200] = "";
	size_t used = 0;

	for (size_t i = 0; i < ACTIONS && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s%s%s", i ? ", " : "",
					 actions[i].name, actions[i].arguments[0] ? " " : "",
					 actions[i].arguments);
	return shell_usage(shell, "nic: '%.40s' is not known; there are: %s\n", name, list);
}

int shell_command_nic(struct shell *shell, uint32_t count, char *const words[])
{
	const struct action *action = count > 1 ? find(words[1]) : NULL;

	if (count > 1 && !action)
		return unknown(shell, words[1]);
	if (action && (count - 2 < action->least || count - 2 > action->most))
		return shell_usage(shell, "nic %s takes %s%s\n", action->name,
				   action->most ? "" : "no argument", action->arguments);
	if (!shell->netif_added)
		return shell_error(shell, "nic: there is no network card\n");
	if (!shell->nic || !shell->netif.netdev)
		return shell_error(shell, "nic: the host has taken the network card away\n");
	return action ? action->run(shell, count - 2, words + 2) : shell_nic_show(shell);
}
