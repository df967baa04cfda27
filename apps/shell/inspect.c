/* SPDX-License-Identifier: MIT */
/* inspect and expect: the drivers' state as a tree. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/private.h"
#include "apps/shell/tree.h"

#define EXPECT_MS 2000u
#define EXPECT_STEP_MS 10u

void shell_dump(struct shell *shell, hvk_dump_line line, void *context)
{
	hvk_dump(atomic_load(&shell->hvk), line, context);
	if (shell->nic)
		hvk_netvsc_dump(shell->nic, line, context);
	shell_vf_dump(shell, line, context);
	shell_disks_dump(shell, line, context);
	shell_services_dump(shell, line, context);
}

/* --- inspect ----------------------------------------------------------------------------- */

struct view {
	struct shell *shell;
	struct tree_search search;
};

static void show_line(void *context, const char *text)
{
	struct view *view = context;
	struct tree_line line;

	if (!tree_parse(text, &line))
		return;
	switch (tree_search_line(&view->search, &line)) {
	case TREE_AT:
	case TREE_INSIDE:
		shell_print(view->shell, SHELL_OUTPUT, "%s\n", text);
		break;
	default:
		break;
	}
}

static int not_found(struct shell *shell, const char *command, const char *path)
{
	return shell_usage(shell, "%s: there is no '%.200s' in the guest's state; see inspect\n", command,
			   path);
}

int shell_command_inspect(struct shell *shell, uint32_t count, char *const words[])
{
	struct view view = {.shell = shell};

	tree_search_begin(&view.search, count > 1 ? words[1] : "");
	shell_dump(shell, show_line, &view);
	if (tree_path_depth(view.search.path) && !view.search.found)
		return not_found(shell, "inspect", words[1]);
	return SHELL_OK;
}

/* --- expect ------------------------------------------------------------------------------ */

struct look {
	struct tree_search search;
	char value[SHELL_LINE_MAX + 1];
};

static void take_value(void *context, const char *text)
{
	struct look *look = context;
	struct tree_line line;

	if (!look->search.found && tree_parse(text, &line) &&
	    tree_search_line(&look->search, &line) == TREE_AT)
		snprintf(look->value, sizeof(look->value), "%s", line.value);
}

static bool find_value(struct shell *shell, struct look *look, const char *path)
{
	tree_search_begin(&look->search, path);
	shell_dump(shell, take_value, look);
	return look->search.found;
}

static void join(char *const words[], uint32_t count, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "", words[i]);
}

int shell_command_expect(struct shell *shell, uint32_t count, char *const words[])
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	uint64_t limit = hvk_time(hvk) + EXPECT_MS * HVK_TIME_PER_MS;
	const char *operator= count> 3 && tree_is_operator(words[2]) ? words[2] : "=";
	uint32_t first = count > 3 && tree_is_operator(words[2]) ? 3 : 2;
	char wanted[SHELL_LINE_MAX + 1];
	struct look look;

	if (count < 3)
		return shell_usage(shell,
				   "expect needs a path and a value: expect PATH [= != < > <= >=] VALUE\n");
	join(words + first, count - first, wanted, sizeof(wanted));
	while (!find_value(shell, &look, words[1]) || !tree_holds(look.value, operator, wanted)) {
		uint64_t now = hvk_time(hvk);

		if (atomic_load(&shell->cancelled) || now >= limit) {
			if (!look.search.found)
				return not_found(shell, "expect", words[1]);
			return shell_error(shell, "expect: %s is '%s', not %s%s'%s'\n", words[1], look.value,
					   first == 3 ? operator : "", first == 3 ? " " : "", wanted);
		}
		shell_network_check(shell);
		shell_disks_check(shell);
		shell_turn(shell, now + EXPECT_STEP_MS * HVK_TIME_PER_MS);
	}
	return SHELL_OK;
}
