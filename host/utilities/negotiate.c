/* SPDX-License-Identifier: MIT */
/* Versions: the host lists what it has of framework and messages, the guest answers with one of each, or with
 * none of either. It has 60 s for that (Linux). */
#include <string.h>

#include "host/utilities/utilities.h"

#define ANSWER_SIZE (sizeof(struct ic_negotiate) + 2 * sizeof(uint32_t))

void utility_negotiate(struct utility *utility)
{
	struct utility_versions framework, message;
	struct ic_negotiate lists = {0};
	uint32_t length;
	uint8_t *body = utility_body(utility);

	if (!utility_versions(utility, &framework, &message))
		return;
	lists.framework_count = (uint16_t)framework.count;
	lists.message_count = (uint16_t)message.count;
	memcpy(body, &lists, sizeof(lists));
	length = sizeof(lists);
	memcpy(body + length, framework.list, framework.count * sizeof(uint32_t));
	length += framework.count * (uint32_t)sizeof(uint32_t);
	memcpy(body + length, message.list, message.count * sizeof(uint32_t));
	length += message.count * (uint32_t)sizeof(uint32_t);
	utility->counters.negotiations++;
	utility_begin(utility, NULL, IC_TYPE_NEGOTIATE, length, UTILITY_WAIT);
}

static bool is_among(const struct utility_versions *versions, uint32_t version)
{
	for (uint32_t n = 0; n < versions->count; n++) {
		if (versions->list[n] == version)
			return true;
	}
	return false;
}

/* False: nothing in common, or an answer that is none. */
static bool parse(struct utility *utility, const struct utility_answer *answer, uint32_t chosen[2])
{
	struct utility_versions framework, message;
	struct ic_negotiate lists;
	const char *wrong = NULL;

	if (answer->status != IC_STATUS_OK)
		return false;
	if (answer->length < sizeof(lists)) {
		UTILITY_VIOLATE(utility, HVH_V_IC_SIZE, answer->body, answer->length,
				"%s: NEGOTIATE: two counts and 4 bytes at least", utility_name(utility));
		return false;
	}
	memcpy(&lists, answer->body, sizeof(lists));
	if (lists.framework_count == 0 && lists.message_count == 0)
		return false;
	(void)utility_versions(utility, &framework, &message);
	if (lists.framework_count != 1 || lists.message_count != 1 || answer->length < ANSWER_SIZE) {
		wrong = "the counts are 1 and 1, with a version each, or 0 and 0";
	} else {
		memcpy(chosen, answer->body + sizeof(lists), 2 * sizeof(uint32_t));
		if (!is_among(&framework, chosen[0]) || !is_among(&message, chosen[1]))
			wrong = "a version that was not offered";
	}
	if (wrong == NULL)
		return true;
	UTILITY_VIOLATE(utility, HVH_V_IC_VALUE, answer->body, answer->length, "%s: NEGOTIATE: %s",
			utility_name(utility), wrong);
	return false;
}

void utility_negotiated(struct utility *utility, const struct utility_answer *answer)
{
	char framework[16], message[16];
	uint32_t chosen[2] = {0, 0};

	if (answer->result == HVH_UTILITY_TIMED_OUT) {
		utility->state = UTILITY_GIVEN_UP;
		return;
	}
	if (!parse(utility, answer, chosen)) {
		UTILITY_NOTE(utility, "%s: no version in common with the guest", utility_name(utility));
		utility->state = UTILITY_NO_VERSION;
		return;
	}
	utility->framework = chosen[0];
	utility->version = chosen[1];
	utility->state = UTILITY_READY;
	utility_version_text(chosen[0], framework);
	utility_version_text(chosen[1], message);
	UTILITY_NOTE(utility, "%s: framework %s, messages %s", utility_name(utility), framework, message);
	if (utility->service->ready != NULL)
		utility->service->ready(utility);
}
