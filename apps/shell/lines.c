/* SPDX-License-Identifier: MIT */
/* Lines: from the platform, split into words, to the commands. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/private.h"

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

static int run_line(struct shell *shell, char *line)
{
	char *words[SHELL_WORDS_MAX];
	uint32_t count = split(line, words);

	return count ? shell_command_run(shell, count, words) : SHELL_OK;
}

/* The first status that is not 0 is the outcome. */
void shell_record_command(struct shell *shell, const char *line, int status)
{
	struct shell_results *results = &shell->results;

	if (results->command_count < SHELL_COMMANDS_MAX) {
		struct shell_command_result *result = &results->commands[results->command_count++];

		snprintf(result->line, sizeof(result->line), "%s", line);
		result->status = status;
	}
	if (results->exit_status == SHELL_OK)
		results->exit_status = status;
	shell->last_status = status;
}

void shell_cancel(struct shell *shell)
{
	atomic_store(&shell->cancelled, true);
}

static void take_line(struct shell *shell, char *line)
{
	char words[SHELL_LINE_MAX + 1];
	int status;

	snprintf(words, sizeof(words), "%s", line);
	atomic_store(&shell->cancelled, false);
	shell->command_runs = true;
	status = run_line(shell, words);
	shell->command_runs = false;
	if (atomic_load(&shell->cancelled) && status != SHELL_OK)
		status = SHELL_CANCELLED;
	shell_record_command(shell, line, status);
}

/* What the keyboard has typed is run between the platform's lines, whose last status is theirs. */
static bool run_typed(struct shell *shell, char *line, size_t size)
{
	int last = shell->last_status;

	if (!shell_typed_take(shell, line, size))
		return false;
	shell_print(shell, SHELL_STORY, "\nkeyboard> %s\n", line);
	take_line(shell, line);
	shell->last_status = last;
	return true;
}

/* Until there are no more, or poweroff. What the host does meanwhile is answered. */
static void run_lines(struct shell *shell)
{
	const struct shell_platform *platform = &shell->platform;
	char line[SHELL_LINE_MAX + 1];

	while (!shell->power_off && !shell->abandoned) {
		uint64_t again = hvk_time(atomic_load(&shell->hvk)) + shell_tick(shell);
		enum shell_line kind;

		shell_network_check(shell);
		shell_disks_check(shell);
		if (run_typed(shell, line, sizeof(line)))
			continue;
		kind = platform->read_line(platform->context, line, sizeof(line), &again);
		if (kind == SHELL_LINE_END)
			return;
		if (kind == SHELL_LINE)
			take_line(shell, line);
		else
			shell_turn(shell, again);
	}
}

void shell_run_lines(struct shell *shell)
{
	run_lines(shell);
	if (shell->platform.ending && !shell->abandoned)
		shell->platform.ending(shell->platform.context);
}
