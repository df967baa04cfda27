/* SPDX-License-Identifier: MIT */
/* nic without arguments, and nic rss: what the card is, has and does. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/driver_options.h"
#include "apps/shell/private.h"

#define LINE 78u /* columns */
#define TABLE_PER_LINE 16u

/* "title     word word word", broken where the line is full. */
struct list {
	struct shell *shell;
	uint32_t column;
	bool any;
};

static void list_begin(struct list *list, struct shell *shell, const char *title)
{
	*list = (struct list){.shell = shell, .column = 10};
	shell_print(shell, SHELL_OUTPUT, "%-9s", title);
}

static void list_word(struct list *list, const char *word)
{
	uint32_t length = (uint32_t)strlen(word) + 1;

	if (list->any && list->column + length > LINE) {
		shell_print(list->shell, SHELL_OUTPUT, "\n%-9s", "");
		list->column = 10;
	}
	shell_print(list->shell, SHELL_OUTPUT, " %s", word);
	list->column += length;
	list->any = true;
}

static void list_end(struct list *list)
{
	shell_print(list->shell, SHELL_OUTPUT, "%s\n", list->any ? "" : " none");
}

static void show_offloads(struct shell *shell, const char *title, uint32_t offloads)
{
	struct list list;

	list_begin(&list, shell, title);
	for (uint32_t bit = 0; bit < 32; bit++) {
		if (offloads & 1u << bit)
			list_word(&list, shell_offload_name(bit));
	}
	list_end(&list);
}

static void show_hash_types(struct shell *shell, const char *title, uint32_t types)
{
	static const char *const names[] = {"ipv4",    "tcp4", "ipv6", "ipv6-ex", "tcp6",
					    "tcp6-ex", "udp4", "udp6", "udp6-ex"};
	struct list list;

	list_begin(&list, shell, title);
	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (types & HVK_RSS_IPV4 << i)
			list_word(&list, names[i]);
	}
	list_end(&list);
}

static void show_queues(struct shell *shell, const struct hvk_netdev_info *info)
{
	struct list list;

	list_begin(&list, shell, "queues");
	for (uint32_t n = 0; n < info->queues; n++) {
		struct hvk_channel *channel = hvk_netvsc_queue_channel(shell->nic, n);
		char word[48];

		if (!channel)
			continue;
		snprintf(word, sizeof(word), "%u:channel-%u/cpu-%u", n,
			 hvk_channel_offer(channel)->channel_id, hvk_channel_cpu(channel));
		list_word(&list, word);
	}
	list_end(&list);
}

static void show_groups(struct shell *shell)
{
	struct list list;

	list_begin(&list, shell, "groups");
	for (uint32_t i = 0; i < shell->group_count; i++) {
		const uint8_t *group = shell->groups[i];
		char word[24];

		snprintf(word, sizeof(word), "%02x:%02x:%02x:%02x:%02x:%02x", group[0], group[1], group[2],
			 group[3], group[4], group[5]);
		list_word(&list, word);
	}
	list_end(&list);
}

static void show_state(struct shell *shell, const struct hvk_netdev_info *info)
{
	char speed[40] = "";

	if (info->link_speed)
		snprintf(speed, sizeof(speed), ", %llu Mbit/s",
			 (unsigned long long)(info->link_speed / 1000000));
	shell_print(shell, SHELL_OUTPUT, "state     %s%s%s, link %s%s, NVS %s\n",
		    shell->nic_suspended ? "suspended, " : "", info->flags & HVK_NETDEV_UP ? "up" : "down",
		    info->flags & HVK_NETDEV_PROMISCUOUS ? ", promiscuous" : "",
		    info->link_up ? "up" : "down", speed, shell_nvs_name(hvk_netvsc_nvs_version(shell->nic)));
	shell_print(shell, SHELL_OUTPUT, "hardware  %02x:%02x:%02x:%02x:%02x:%02x\n", info->mac[0],
		    info->mac[1], info->mac[2], info->mac[3], info->mac[4], info->mac[5]);
	shell_print(shell, SHELL_OUTPUT, "mtu       %u, at most %u\n", info->mtu, info->mtu_max);
}

int shell_nic_show(struct shell *shell)
{
	const struct hvk_netdev_info *info = &shell_netdev(shell)->info;

	show_state(shell, info);
	show_queues(shell, info);
	show_offloads(shell, "on", info->enabled);
	show_offloads(shell, "off", info->capabilities & ~info->enabled);
	if (info->tso_bytes_max)
		shell_print(shell, SHELL_OUTPUT,
			    "tso       at most %u bytes in %u pieces, from %u segments on\n",
			    info->tso_bytes_max, info->tso_pieces_max, info->tso_segments_min);
	if (info->rss_table_size) {
		shell_print(shell, SHELL_OUTPUT, "rss       a table of %u\n", info->rss_table_size);
		show_hash_types(shell, "hashes", info->rss_types);
	}
	show_groups(shell);
	return SHELL_OK;
}

int shell_nic_show_rss(struct shell *shell)
{
	struct hvk_netdev *netdev = shell_netdev(shell);
	struct hvk_netdev_rss rss;

	if (netdev->info.rss_table_size == 0 || !hvk_netdev_get_rss(netdev, &rss))
		return shell_error(shell, "nic rss: the card has no receive-side scaling here\n");
	show_hash_types(shell, "hashes", netdev->info.enabled & HVK_NETDEV_RSS ? rss.types : 0);
	for (uint32_t i = 0; i < HVK_RSS_KEY_SIZE; i++)
		shell_print(shell, SHELL_OUTPUT, "%s%02x%s",
			    i == 0        ? "key       "
			    : i % 20 == 0 ? "          "
					  : "",
			    rss.key[i], i % 20 == 19 ? "\n" : " ");
	for (uint32_t i = 0; i < netdev->info.rss_table_size && i < HVK_RSS_TABLE_MAX; i++)
		shell_print(shell, SHELL_OUTPUT, "%s %u%s",
			    i == 0                    ? "table    "
			    : i % TABLE_PER_LINE == 0 ? "         "
						      : "",
			    rss.table[i],
			    i % TABLE_PER_LINE == TABLE_PER_LINE - 1 || i + 1 == netdev->info.rss_table_size
				    ? "\n"
				    : "");
	return SHELL_OK;
}
