/* SPDX-License-Identifier: MIT */
/* The table of commands, the reader of lines, and the small commands. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/private.h"

struct command {
	const char *name;
	const char *usage; /* with arguments */
	const char *text;
	int (*run)(struct shell *shell, uint32_t count, char *const words[]);
};

static const struct command commands[] = {
	{"lsvmbus", "lsvmbus", "the device tree: classes, GUIDs, ids, rings", shell_command_lsvmbus},
	{"ip", "ip", "the address, and what came with it", shell_command_ip},
	{"ping", "ping HOST [COUNT]", "echo requests, one a second (4)", shell_command_ping},
	{"fetch", "fetch URL", "downloads http:// or tftp://, tells bytes, rate and SHA-256",
	 shell_command_fetch},
	{"time", "time", "the 64-bit Hyper-V time value, and where it comes from", shell_command_time},
	{"stats", "stats", "counters of hvkit, the channel, the card and the interface", shell_command_stats},
	{"help", "help", "this list", shell_command_help_list},
	{"poweroff", "poweroff", "ends here: what follows is not run", shell_command_poweroff},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

bool shell_command_help(uint32_t n, const char **usage, const char **text)
{
	if (n >= COMMANDS)
		return false;
	*usage = commands[n].usage;
	*text = commands[n].text;
	return true;
}

/* --- Lines -------------------------------------------------------------------------- */

static uint32_t split(char *line, char *words[SHELL_WORDS_MAX])
{
	uint32_t count = 0;

	for (;;) {
		while (*line == ' ' || *line == '\t')
			line++;
		if (!*line || count == SHELL_WORDS_MAX)
			return count;
		words[count++] = line;
		while (*line && *line != ' ' && *line != '\t')
			line++;
		if (*line)
			*line++ = '\0';
	}
}

static int unknown(struct shell *shell, const char *name)
{
	char list[160] = "";
	size_t used = 0;

	for (size_t i = 0; i < COMMANDS && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
					 commands[i].name);
	return shell_usage(shell, "%.40s: no such command; there are: %s\n", name, list);
}

static int run_line(struct shell *shell, const char *text)
{
	char line[SHELL_LINE_MAX + 1];
	char *words[SHELL_WORDS_MAX];
	size_t length = strlen(text);
	uint32_t count;

	if (length > SHELL_LINE_MAX)
		return shell_usage(shell, "a command has at most %u characters, this one has %zu\n",
				   SHELL_LINE_MAX, length);
	memcpy(line, text, length + 1);
	count = split(line, words);
	if (count == 0)
		return SHELL_OK;
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(words[0], commands[i].name) == 0)
			return commands[i].run(shell, count, words);
	}
	return unknown(shell, words[0]);
}

/* All of them are run; the first status that is not 0 is the outcome. */
void shell_run_commands(struct shell *shell)
{
	struct shell_results *results = &shell->results;

	for (uint32_t i = 0; i < shell->config.command_count && !shell->power_off; i++) {
		const char *line = shell->config.commands[i];
		int status;

		shell_print(shell, SHELL_STORY, "\n> %s\n", line);
		status = run_line(shell, line);
		if (results->command_count < SHELL_COMMANDS_MAX)
			results->commands[results->command_count++] = (struct shell_command_result){line,
												    status};
		if (results->exit_status == SHELL_OK)
			results->exit_status = status;
	}
	if (shell->config.command_count)
		shell_print(shell, SHELL_STORY, "\n");
}

/* --- Small commands ----------------------------------------------------------------- */

int shell_command_help_list(struct shell *shell, uint32_t count, char *const words[])
{
	(void)words;
	if (count > 1)
		return shell_usage(shell, "help takes no argument\n");
	for (size_t i = 0; i < COMMANDS; i++)
		shell_print(shell, SHELL_OUTPUT, "%-18s %s\n", commands[i].usage, commands[i].text);
	return SHELL_OK;
}

int shell_command_poweroff(struct shell *shell, uint32_t count, char *const words[])
{
	(void)words;
	if (count > 1)
		return shell_usage(shell, "poweroff takes no argument\n");
	shell->power_off = true;
	return SHELL_OK;
}

int shell_command_time(struct shell *shell, uint32_t count, char *const words[])
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	const struct hvk_hypervisor_info *info = hvk_hypervisor_info(hvk);
	uint64_t time = hvk_time(hvk);

	(void)words;
	if (count > 1)
		return shell_usage(shell, "time takes no argument\n");
	shell_print(shell, SHELL_OUTPUT,
		    "%llu x 100 ns since the partition was created (%llu.%07llu s), by the %s\n",
		    (unsigned long long)time, (unsigned long long)(time / HVK_TIME_PER_SECOND),
		    (unsigned long long)(time % HVK_TIME_PER_SECOND),
		    info->reference_tsc       ? "reference TSC page"
		    : info->reference_counter ? "reference counter register"
					      : "port's own clock");
	return SHELL_OK;
}

/* --- stats -------------------------------------------------------------------------- */

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

	(void)words;
	if (count > 1)
		return shell_usage(shell, "stats takes no argument\n");
	hvk_get_counters(atomic_load(&shell->hvk), &instance);
	print_instance(shell, &instance);
	if (!shell->nic || shell->nic_gone)
		return SHELL_OK;
	hvk_channel_get_counters(shell->nic_channel, &channel);
	print_nic_channel(shell, &channel);
	hvk_netdev_get_counters(hvk_netvsc_netdev(shell->nic), &card);
	print_card(shell, &card);
	print_interface(shell);
	print_stack(shell);
	return SHELL_OK;
}
