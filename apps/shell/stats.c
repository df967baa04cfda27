/* SPDX-License-Identifier: MIT */
/* stats: counters of every layer. */
#include "apps/shell/private.h"

struct figure {
	const char *name;
	uint64_t value;
};

static void print_figures(struct shell *shell, const char *title, const struct figure *figures, size_t count)
{
	shell_print(shell, SHELL_OUTPUT, "%s\n", title);
	for (size_t i = 0; i < count; i++)
		shell_print(shell, SHELL_OUTPUT, "    %-18s %llu\n", figures[i].name,
			    (unsigned long long)figures[i].value);
}

static void print_instance(struct shell *shell, const struct hvk_counters *counters)
{
	const struct figure figures[] = {
		{"interrupts", counters->interrupts},
		{"polls", counters->polls},
		{"messages", counters->messages},
		{"events", counters->events},
		{"posts", counters->posts},
		{"post retries", counters->post_retries},
		{"signals", counters->signals},
		{"EOMs", counters->eoms},
		{"host faults", counters->host_faults},
		{"late messages", counters->late_messages},
		{"quarantined pages", counters->quarantined_pages},
	};

	print_figures(shell, "hvkit", figures, sizeof(figures) / sizeof(figures[0]));
}

static void print_nic_channel(struct shell *shell, const struct hvk_channel_counters *counters)
{
	const struct figure figures[] = {
		{"sent", counters->sent},
		{"received", counters->received},
		{"completions", counters->completions},
		{"signals", counters->signals},
		{"ring full", counters->full},
		{"late completions", counters->late_completions},
		{"faults", counters->faults},
	};

	print_figures(shell, "channel", figures, sizeof(figures) / sizeof(figures[0]));
}

static void print_received(struct shell *shell, const char *title, const struct hvk_netdev_counters *counters)
{
	const struct figure figures[] = {
		{"frames received", counters->rx_frames},
		{"bytes received", counters->rx_bytes},
		{"receive packets", counters->rx_packets},
		{"answers to them", counters->rx_completions},
		{"bytes copied", counters->rx_copied},
		{"frames lent", counters->rx_lent},
		{"checksums right", counters->rx_checksum_good},
		{"checksums wrong", counters->rx_checksum_bad},
		{"frames joined", counters->rx_joined},
		{"segments in them", counters->rx_segments},
		{"with a tag", counters->rx_tagged},
		{"with a hash", counters->rx_hashed},
		{"receive drops", counters->rx_dropped},
		{"  not up", counters->rx_not_up},
		{"  too long", counters->rx_too_long},
		{"  other group", counters->rx_other_group},
		{"  parts missing", counters->rx_incomplete},
		{"receive faults", counters->rx_faults},
		{"status ignored", counters->status_ignored},
	};

	print_figures(shell, title, figures, sizeof(figures) / sizeof(figures[0]));
}

static void print_sent(struct shell *shell, const char *title, const struct hvk_netdev_counters *counters)
{
	const struct figure figures[] = {
		{"frames sent", counters->tx_frames},        {"bytes sent", counters->tx_bytes},
		{"send packets", counters->tx_packets},      {"sent by section", counters->tx_copied},
		{"sent by page list", counters->tx_by_page}, {"checksums by card", counters->tx_checksummed},
		{"by the driver", counters->tx_in_software}, {"segmented", counters->tx_segmented},
		{"sent with a tag", counters->tx_tagged},    {"busy", counters->tx_busy},
		{"  no slot", counters->tx_no_slot},         {"  ring full", counters->tx_ring_full},
		{"send errors", counters->tx_errors},        {"  by the host", counters->tx_refused},
	};

	print_figures(shell, title, figures, sizeof(figures) / sizeof(figures[0]));
}

/* What went over each, where there are several. */
static void print_queues(struct shell *shell, struct hvk_netdev *netdev)
{
	struct hvk_netdev_counters counters;

	if (netdev->info.queues < 2)
		return;
	shell_print(shell, SHELL_OUTPUT, "queues %21s %10s %10s %10s %8s\n", "received", "packets", "sent",
		    "packets", "busy");
	for (uint32_t n = 0; n < netdev->info.queues; n++) {
		hvk_netdev_get_queue_counters(netdev, n, &counters);
		shell_print(shell, SHELL_OUTPUT, "    %-13u %10llu %10llu %10llu %10llu %8llu\n", n,
			    (unsigned long long)counters.rx_frames, (unsigned long long)counters.rx_packets,
			    (unsigned long long)counters.tx_frames, (unsigned long long)counters.tx_packets,
			    (unsigned long long)counters.tx_busy);
	}
}

static void print_interface(struct shell *shell)
{
	const struct netif_hvk_counters *counters = &shell->netif.counters;
	const struct figure figures[] = {
		{"received", counters->received},
		{"no buffer", counters->received_dropped},
		{"not copied", counters->received_lent},
		{"other VLAN", counters->other_vlan},
		{"by other CPUs", counters->by_inbox},
		{"no room for them", counters->inbox_full},
		{"sent", counters->sent},
		{"send failures", counters->send_failed},
		{"waited", counters->queued},
		{"no slot", counters->no_slot},
	};

	print_figures(shell, "interface", figures, sizeof(figures) / sizeof(figures[0]));
}

static void print_stack(struct shell *shell)
{
	struct net_lwip_memory memory;

	net_lwip_get_memory(&memory);
	shell_print(shell, SHELL_OUTPUT, "lwIP\n");
	shell_print(shell, SHELL_OUTPUT, "    heap               %u bytes, at most %u\n", memory.heap_bytes,
		    memory.heap_most);
	shell_print(shell, SHELL_OUTPUT, "    receive buffers    %u, at most %u\n", memory.receive_buffers,
		    memory.receive_most);
	shell_print(shell, SHELL_OUTPUT, "    connections        %u, segments %u\n", memory.connections,
		    memory.segments);
	shell_print(shell, SHELL_OUTPUT, "    none left          %u times\n", memory.failures);
}

/* Of one queue: its channel's, and the card's part. */
static int queue_stats(struct shell *shell, const char *word)
{
	struct hvk_netdev *netdev = shell->nic ? shell_netdev(shell) : NULL;
	uint32_t queues = netdev ? netdev->info.queues : 0, queue = 0, digits = 0;
	struct hvk_netdev_counters counters;
	struct hvk_channel_counters packets;
	struct hvk_channel *channel = NULL;

	while (word[digits] >= '0' && word[digits] <= '9' && digits < 3)
		queue = queue * 10 + (uint32_t)(word[digits++] - '0');
	if (digits && !word[digits] && queue < queues)
		channel = hvk_netvsc_queue_channel(shell->nic, queue);
	if (!channel)
		return shell_usage(shell, "stats: there is no queue '%.20s', but %u, counted from 0\n", word,
				   queues);
	hvk_channel_get_counters(channel, &packets);
	print_nic_channel(shell, &packets);
	hvk_netdev_get_queue_counters(netdev, queue, &counters);
	print_received(shell, "received", &counters);
	print_sent(shell, "sent", &counters);
	return SHELL_OK;
}

int shell_command_stats(struct shell *shell, uint32_t count, char *const words[])
{
	struct hvk_counters instance;
	struct hvk_channel_counters channel;
	struct hvk_netdev_counters card;

	if (count > 1)
		return queue_stats(shell, words[1]);
	hvk_get_counters(atomic_load(&shell->hvk), &instance);
	print_instance(shell, &instance);
	if (!shell->nic)
		return SHELL_OK;
	hvk_channel_get_counters(shell->nic_channel, &channel);
	print_nic_channel(shell, &channel);
	hvk_netdev_get_counters(shell_netdev(shell), &card);
	print_received(shell, "network card", &card);
	print_sent(shell, "network card, sending", &card);
	print_queues(shell, shell_netdev(shell));
	print_interface(shell);
	print_stack(shell);
	return SHELL_OK;
}
