/* SPDX-License-Identifier: MIT */
/* Shutdown. The answer comes before the guest goes down. A restart needs 3.1, hibernation 3.2 (Linux). */
#include <string.h>

#include "host/utilities/utilities.h"

#define TIMEOUT_SECONDS 60u
#define REASON_PLANNED 0x80000000u /* OpenVMM */
#define ACTIONS (IC_SHUTDOWN_RESTART | IC_SHUTDOWN_HIBERNATE)
#define FLAGS (IC_SHUTDOWN_FORCE | ACTIONS)

static const char *action_name(uint32_t flags)
{
	return (flags & IC_SHUTDOWN_RESTART) != 0     ? "restart"
	       : (flags & IC_SHUTDOWN_HIBERNATE) != 0 ? "hibernate"
						      : "power off";
}

/* A text that does not fit is cut; one that is not UTF-8 is left out. */
static void put_text(uint8_t *field, const char *text)
{
	uint32_t max = IC_SHUTDOWN_TEXT_SIZE / 2 - 1, point, length;
	char cut[IC_SHUTDOWN_TEXT_SIZE * 2];
	size_t used = 0;

	for (uint32_t units = 0; text[used] != '\0'; used += length) {
		length = hvh_utf8_decode(text + used, &point);
		if (length == 0)
			break;
		units += point < 0x10000 ? 1 : 2;
		if (units > max)
			break;
	}
	memcpy(cut, text, used);
	cut[used] = '\0';
	(void)utility_to_utf16(cut, field, max);
}

void hvh_shutdown_request(struct hvh_utilities *utilities, uint64_t now, uint32_t flags, const char *text,
			  hvh_utility_done done, void *context)
{
	struct utility *utility = &utilities->all[UTILITY_AT_SHUTDOWN];
	struct utility_request *request = utility_request(utility, now, action_name(flags),
							  sizeof(struct ic_shutdown), done, context);
	uint32_t words[3] = {REASON_PLANNED, TIMEOUT_SECONDS, flags};
	bool restart = (flags & IC_SHUTDOWN_RESTART) != 0, hibernate = (flags & IC_SHUTDOWN_HIBERNATE) != 0;

	if (request == NULL)
		return;
	if ((flags & ~FLAGS) != 0 || (restart && hibernate)) {
		utility_refuse(utility, request, "flags are 1 (forced), and 2 (restart) or 4 (hibernate)");
		return;
	}
	if ((restart && !utility_has_version(utility, 3, 1)) ||
	    (hibernate && !utility_has_version(utility, 3, 2))) {
		utility_refuse(utility, request,
			       "%s needs shutdown 3.%u; host and guest have agreed on %u.%u",
			       action_name(flags), restart ? 1u : 2u, utility->version & 0xffffu,
			       utility->version >> 16);
		return;
	}
	memcpy(request->body, words, sizeof(words));
	put_text(request->body + offsetof(struct ic_shutdown, text), text != NULL ? text : "");
	utility_submit(utility, request);
}

static void answered(struct utility *utility, struct utility_request *request,
		     const struct utility_answer *answer)
{
	if (answer->result == HVH_UTILITY_OK)
		utility_finish(utility, answer, "the guest goes down: %s", request->name);
	else
		utility_finish_plainly(utility, answer);
}

const struct utility_service utility_shutdown = {
	.bit = HVH_UTILITY_SHUTDOWN,
	.type = VMBUS_GUID_SHUTDOWN,
	.instance = VMBUS_GUID(0xb6650ff7u, 0x33bcu, 0x4840u, 0x80, 0x48, 0xe0, 0x67, 0x67, 0x86, 0xf3, 0x93),
	.message_type = IC_TYPE_SHUTDOWN,
	.wait = UTILITY_WAIT,
	.ops = UTILITY_OPS("shutdown"),
	.answered = answered,
};
