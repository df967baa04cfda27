/* SPDX-License-Identifier: MIT */
/*
 * Backup: freeze, thaw, and a thaw by itself when the host does not. A guest whose file systems are frozen is
 * a guest that hangs, so nothing that the host does may leave it so. Sources: Linux hv_snapshot.c, FreeBSD.
 */
#include "guest/utilities/utilities_internal.h"

static const struct hvk_vss_callbacks *callbacks(const struct hvk_utility *utility)
{
	return &utility->config.callbacks.vss;
}

static void thaw(struct hvk_utility *utility, bool by_itself)
{
	struct utility_vss *vss = &utility->state.vss;

	if (vss->state == VSS_THAWED)
		return;
	if (vss->state == VSS_FROZEN)
		hvk_timer_stop(utility_hvk(utility), &vss->timer);
	__atomic_store_n(&vss->overdue, false, __ATOMIC_RELAXED);
	vss->state = VSS_THAWED;
	if (by_itself) {
		vss->by_itself++;
		hvk_log(utility_hvk(utility), HVK_LOG_WARN, "vss: thawed without the host");
	}
	if (callbacks(utility)->thaw)
		callbacks(utility)->thaw(utility->config.context, by_itself);
}

static void time_is_over(struct hvk_timer *timer, void *context)
{
	struct hvk_utility *utility = context;

	(void)timer;
	__atomic_store_n(&utility->state.vss.overdue, true, __ATOMIC_RELAXED);
	hvk_device_kick(&utility->device);
}

static uint32_t conclude(struct hvk_utility *utility, enum hvk_utility_answer answer, uint8_t *body)
{
	struct utility_vss *vss = &utility->state.vss;
	uint32_t wait = callbacks(utility)->freeze_max_ms;

	(void)body;
	if (answer == HVK_UTILITY_DONE) {
		vss->state = VSS_FROZEN;
		hvk_utility_timer_init(&vss->timer, time_is_over, utility);
		hvk_timer_start(utility_hvk(utility), &vss->timer, utility->device.cpu,
				wait != 0 ? wait : UTILITY_FREEZE_MS);
	} else if (answer != HVK_UTILITY_LATER) {
		vss->state = VSS_THAWED;
	}
	return hvk_utility_status(answer);
}

static uint32_t freeze(struct hvk_utility *utility, uint8_t *body)
{
	struct utility_vss *vss = &utility->state.vss;

	if (!callbacks(utility)->freeze)
		return IC_STATUS_NOT_SUPPORTED;
	if (vss->state == VSS_FROZEN) /* its time goes on as it was */
		return IC_STATUS_OK;
	vss->state = VSS_FREEZING;
	return conclude(utility, callbacks(utility)->freeze(utility->config.context), body);
}

/* A thaw after one by itself fails: what the host has copied meanwhile is not of one moment. */
static uint32_t host_thaws(struct hvk_utility *utility)
{
	if (utility->state.vss.state != VSS_FROZEN)
		return IC_STATUS_FAIL;
	thaw(utility, false);
	return IC_STATUS_OK;
}

static void set_flags(uint8_t *body, uint32_t flags)
{
	memcpy(body + offsetof(struct ic_vss, flags), &flags, sizeof(flags));
}

static uint32_t ask(struct hvk_utility *utility, uint8_t *body, uint32_t length)
{
	if (length < sizeof(struct ic_vss))
		return UTILITY_MALFORMED;
	switch (body[0]) {
	case IC_VSS_HOT_BACKUP:
		if (!callbacks(utility)->freeze)
			return IC_STATUS_NOT_SUPPORTED;
		set_flags(body,
			  IC_VSS_FLAG_HOT_BACKUP |
				  (callbacks(utility)->needs_recovery ? 0 : IC_VSS_FLAG_NO_AUTO_RECOVERY));
		return IC_STATUS_OK;
	case IC_VSS_GET_DM_INFO:
		set_flags(body, 0);
		return IC_STATUS_OK;
	case IC_VSS_FREEZE:
		return freeze(utility, body);
	case IC_VSS_THAW:
		return host_thaws(utility);
	case IC_VSS_CREATE: /* these need nothing here, and are answered as Linux does */
	case IC_VSS_DELETE:
	case IC_VSS_BACKUP_COMPLETE:
	case IC_VSS_AUTO_RECOVER:
		return IC_STATUS_OK;
	default:
		return IC_STATUS_NOT_SUPPORTED;
	}
}

/* freeze did not answer in time, and may still be at it. */
static void overdue(struct hvk_utility *utility)
{
	thaw(utility, true);
}

static void work(struct hvk_utility *utility)
{
	if (__atomic_exchange_n(&utility->state.vss.overdue, false, __ATOMIC_RELAXED))
		thaw(utility, true);
}

const struct utility_service hvk_utility_vss = {
	.name = "vss",
	.type = VMBUS_GUID_VSS,
	.kind = HVK_UTILITY_VSS,
	.message_type = IC_TYPE_VSS,
	.versions = {IC_VERSION(5, 0)},
	.message_max = 8192,
	.answer_ms = UTILITY_FREEZE_MS,
	.ask = ask,
	.conclude = conclude,
	.overdue = overdue,
	.work = work,
	.down = overdue, /* the channel is gone: nobody will thaw */
};
