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

static void print_card(struct shell *shell, const struct hvk_netdev_counters *counters)
{
	const struct figure figures[] = {
		{"frames received", counters->rx_frames},
		{"bytes received", counters->rx_bytes},
		{"receive drops", counters->rx_dropped},
		{"receive faults", counters->rx_faults},
		{"frames sent", counters->tx_frames},
		{"bytes sent", counters->tx_bytes},
		{"sent by section", counters->tx_copied},
		{"sent by page list", counters->tx_by_page},
		{"busy", counters->tx_busy},
		{"send errors", counters->tx_errors},
		{"status ignored", counters->status_ignored},
	};

	print_figures(shell, "network card", figures, sizeof(figures) / sizeof(figures[0]));
}

static void print_interface(struct shell *shell)
{
	const struct netif_hvk_counters *counters = &shell->netif.counters;
	const struct figure figures[] = {
		{"received", counters->received}, {"no buffer", counters->received_dropped},
		{"sent", counters->sent},         {"send failures", counters->send_failed},
		{"waited", counters->queued},     {"no slot", counters->no_slot},
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

int shell_command_stats(struct shell *shell, uint32_t count, char *const words[])
{
	struct hvk_counters instance;
	struct hvk_channel_counters channel;
	struct hvk_netdev_counters card;

	(void)count;
	(void)words;
	hvk_get_counters(atomic_load(&shell->hvk), &instance);
	print_instance(shell, &instance);
	if (!shell->nic)
		return SHELL_OK;
	hvk_channel_get_counters(shell->nic_channel, &channel);
	print_nic_channel(shell, &channel);
	hvk_netdev_get_counters(hvk_netvsc_netdev(shell->nic), &card);
	print_card(shell, &card);
	print_interface(shell);
	print_stack(shell);
	return SHELL_OK;
}
