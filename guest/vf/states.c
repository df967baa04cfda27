/* SPDX-License-Identifier: MIT */
/*
 * The states of a pairing. vf.h says what each means; here is what leads from one to another. What is not
 * in the table cannot happen.
 *
 *            paired            settled          switch              to VF
 *   absent ---------> waiting --------> ready ---------> switching -------> active
 *     ^                | ^                | | ^                |  ^              |
 *     |                | +----------------+ | |     to card    |  |    switch    |
 *     | left           |     card anew      | +----------------+  +--------------+
 *     +--- leaving <---+--------------------+
 *               leave           leave
 *
 * A card that is attached anew has nothing of what was set before: whatever was made to agree is so again.
 * A VF that leaves while it is active goes back to ready first (switching, to card), so that each way of
 * losing it undoes the same things in the same order. One that has vanished does so too: only what is
 * asked of the VF itself is left out.
 */
#include "guest/vf/vf_internal.h"

struct rule {
	enum hvk_vf_state from;
	enum vf_event event;
	enum hvk_vf_state to;
};

static const struct rule rules[] = {
	{HVK_VF_ABSENT, VF_EVENT_PAIRED, HVK_VF_WAITING},
	{HVK_VF_WAITING, VF_EVENT_SETTLED, HVK_VF_READY},
	{HVK_VF_READY, VF_EVENT_CARD_ANEW, HVK_VF_WAITING},
	{HVK_VF_READY, VF_EVENT_SWITCH, HVK_VF_SWITCHING},
	{HVK_VF_SWITCHING, VF_EVENT_TO_VF, HVK_VF_ACTIVE},
	{HVK_VF_SWITCHING, VF_EVENT_TO_CARD, HVK_VF_READY},
	{HVK_VF_ACTIVE, VF_EVENT_SWITCH, HVK_VF_SWITCHING},
	{HVK_VF_WAITING, VF_EVENT_LEAVE, HVK_VF_LEAVING},
	{HVK_VF_READY, VF_EVENT_LEAVE, HVK_VF_LEAVING},
	{HVK_VF_LEAVING, VF_EVENT_LEFT, HVK_VF_ABSENT},
};

const char *hvk_vf_state_name(enum hvk_vf_state state)
{
	static const char *const names[] = {"absent", "waiting", "ready", "switching", "active", "leaving"};

	return (uint32_t)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

void hvk_vf_event(struct hvk_vf *vf, enum vf_event event)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].from != vf->state || rules[i].event != event)
			continue;
		hvk_log(vf->hvk, HVK_LOG_DEBUG, "vf: %s -> %s", hvk_vf_state_name(vf->state),
			hvk_vf_state_name(rules[i].to));
		__atomic_store_n(&vf->state, rules[i].to, __ATOMIC_RELAXED);
		if (vf->config.changed)
			vf->config.changed(vf->config.context, vf, vf->state);
		return;
	}
	HVK_ASSERT(false); /* an event that this state does not have */
}
