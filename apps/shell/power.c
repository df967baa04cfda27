/* SPDX-License-Identifier: MIT */
/*
 * Going down because the host asks for it. The answer is on its way when go_down is called. Unforced, the
 * command that runs is waited for; forced, it is ended. What would follow is not run, and all is left in
 * order in either case.
 */
#include "apps/shell/service_files.h"

static const char *action_name(enum hvk_shutdown_action action)
{
	switch (action) {
	case HVK_SHUTDOWN_REBOOT:
		return "reboot";
	case HVK_SHUTDOWN_HIBERNATE:
		return "hibernate";
	case HVK_SHUTDOWN_POWER_OFF:
		break;
	}
	return "power off";
}

static enum hvk_utility_answer decide(const struct shell *shell, const struct hvk_shutdown *shutdown)
{
	uint32_t refuses = shell->services.refuses;

	if (shutdown->action == HVK_SHUTDOWN_HIBERNATE) /* there is nowhere to keep memory */
		return HVK_UTILITY_NOT_SUPPORTED;
	if (refuses & SHELL_REFUSES_SHUTDOWN || (shutdown->forced && refuses & SHELL_REFUSES_FORCED))
		return HVK_UTILITY_REFUSED;
	return HVK_UTILITY_DONE;
}

static enum hvk_utility_answer asked(void *context, const struct hvk_shutdown *shutdown)
{
	struct shell *shell = context;
	enum hvk_utility_answer answer = decide(shell, shutdown);

	shell_print(shell, SHELL_STORY, "shutdown: the host asks to %s%s%s%.200s%s\n",
		    action_name(shutdown->action), shutdown->forced ? ", forced" : "",
		    shutdown->text[0] ? ": " : "", shutdown->text,
		    answer == HVK_UTILITY_DONE      ? ""
		    : answer == HVK_UTILITY_REFUSED ? " (refused)"
						    : " (it cannot)");
	return answer;
}

static void go_down(void *context, enum hvk_shutdown_action action, bool forced)
{
	struct shell *shell = context;

	shell->results.shut_down = true;
	shell->results.reboot = action == HVK_SHUTDOWN_REBOOT;
	shell->power_off = true;
	if (forced && shell->command_runs)
		shell_cancel(shell);
}

void shell_power_callbacks(struct hvk_shutdown_callbacks *callbacks)
{
	*callbacks = (struct hvk_shutdown_callbacks){.asked = asked, .go_down = go_down};
}
