/* SPDX-License-Identifier: MIT */
/* Shutdown: asked, answered, and only then is the machine told to go down. Source: Linux hv_util.c. */
#include "guest/utilities/utilities_internal.h"

/* Control characters would act on whatever terminal the text gets to, those of two bytes as well. Halves of
 * surrogate pairs have three bytes, which are no UTF-8. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++) {
		uint8_t first = (uint8_t)text[0], second = (uint8_t)text[1];

		if (first < 0x20 || first == 0x7f)
			text[0] = ' ';
		else if (first == 0xc2 && second < 0xa0)
			text[0] = text[1] = ' ';
		else if (first == 0xed && second >= 0xa0)
			text[0] = text[1] = text[2] = '?';
	}
}

static bool find_action(uint32_t flags, enum hvk_shutdown_action *action)
{
	switch (flags & ~IC_SHUTDOWN_FORCE) {
	case 0:
		*action = HVK_SHUTDOWN_POWER_OFF;
		return true;
	case IC_SHUTDOWN_RESTART:
		*action = HVK_SHUTDOWN_REBOOT;
		return true;
	case IC_SHUTDOWN_HIBERNATE:
		*action = HVK_SHUTDOWN_HIBERNATE;
		return true;
	default:
		return false;
	}
}

static uint32_t conclude(struct hvk_utility *utility, enum hvk_utility_answer answer, uint8_t *body)
{
	(void)body;
	utility->state.shutdown.go = answer == HVK_UTILITY_DONE;
	return hvk_utility_status(answer);
}

static uint32_t ask(struct hvk_utility *utility, uint8_t *body, uint32_t length)
{
	const struct hvk_shutdown_callbacks *callbacks = &utility->config.callbacks.shutdown;
	struct utility_shutdown *state = &utility->state.shutdown;
	const uint8_t *units = body + offsetof(struct ic_shutdown, text);
	struct hvk_shutdown shutdown = {.text = state->text};
	uint32_t words[3]; /* reason, timeout, flags */

	if (length < sizeof(struct ic_shutdown))
		return UTILITY_MALFORMED;
	memcpy(words, body, sizeof(words));
	if (!find_action(words[2], &state->action))
		return IC_STATUS_NOT_SUPPORTED;
	state->forced = (words[2] & IC_SHUTDOWN_FORCE) != 0;
	(void)hvk_utf16_to_utf8(units, hvk_utf16_length(units, IC_SHUTDOWN_TEXT_SIZE / 2), state->text,
				sizeof(state->text)); /* a longer one is cut */
	make_printable(state->text);
	if (!callbacks->asked)
		return IC_STATUS_NOT_SUPPORTED;
	shutdown.action = state->action;
	shutdown.forced = state->forced;
	shutdown.reason = words[0];
	shutdown.timeout_seconds = words[1];
	return conclude(utility, callbacks->asked(utility->config.context, &shutdown), body);
}

static void sent(struct hvk_utility *utility)
{
	const struct hvk_shutdown_callbacks *callbacks = &utility->config.callbacks.shutdown;
	struct utility_shutdown *state = &utility->state.shutdown;

	if (!state->go)
		return;
	state->go = false;
	if (callbacks->go_down)
		callbacks->go_down(utility->config.context, state->action, state->forced);
}

static void down(struct hvk_utility *utility)
{
	utility->state.shutdown.go = false;
}

const struct utility_service hvk_utility_shutdown = {
	.name = "shutdown",
	.type = VMBUS_GUID_SHUTDOWN,
	.kind = HVK_UTILITY_SHUTDOWN,
	.message_type = IC_TYPE_SHUTDOWN,
	.versions = {IC_VERSION(3, 2), IC_VERSION(3, 1), IC_VERSION(3, 0), IC_VERSION(1, 0)},
	.message_max = 4096,
	.answer_ms = UTILITY_ANSWER_MS,
	.ask = ask,
	.conclude = conclude,
	.sent = sent,
	.down = down,
};
