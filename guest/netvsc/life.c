/* SPDX-License-Identifier: MIT */
/*
 * From detached to attached and back, suspend and resume, and what the card does on its CPU when
 * it was kicked. A bring-up or take-down is a sequence of steps (attach.c, detach.c); here is
 * decided which one runs, and what its end means.
 */
#include "guest/netvsc/netvsc_internal.h"

/* --- The user's hooks ---------------------------------------------------------------------- */

void hvk_netvsc_info_changed(struct hvk_netvsc *nic)
{
	const struct hvk_netdev_hooks *hooks = &nic->netdev.hooks;

	if (hooks->info_changed)
		hooks->info_changed(hooks->context, &nic->netdev);
}

void hvk_netvsc_tell_gone(struct hvk_netvsc *nic)
{
	const struct hvk_netdev_hooks *hooks = &nic->netdev.hooks;

	if (nic->gone_told)
		return;
	nic->gone_told = true;
	if (hooks->gone)
		hooks->gone(hooks->context, &nic->netdev);
}

/* --- The end of the channel ------------------------------------------------------------------ */

/* Under lock. */
static struct hvk_request *take_request(struct hvk_request **request)
{
	struct hvk_request *taken = *request;

	*request = NULL;
	return taken;
}

static void cancel_suspend(struct hvk_netvsc *nic)
{
	struct hvk_request *request;

	hvk_lock(nic->hvk, &nic->lock);
	request = take_request(&nic->suspend_request);
	hvk_unlock(nic->hvk, &nic->lock);
	hvk_request_finish(nic->hvk, request, HVK_EGONE, nic->config.cpu);
}

static void tell_lost(struct hvk_netvsc *nic)
{
	hvk_status lost = netvsc_lost(nic);

	hvk_netvsc_steps_interrupt(nic, netvsc_state(nic) == NETVSC_ATTACHED ? HVK_EGONE : lost);
	if (netvsc_state(nic) != NETVSC_ATTACHED)
		return;
	/* Also what was asked for just now, by somebody who did not know yet. */
	hvk_netvsc_operations_cancel(nic, HVK_EGONE);
	cancel_suspend(nic);
	if (nic->gone_told)
		return;
	hvk_log(nic->hvk, HVK_LOG_WARN, "netvsc: %s", hvk_status_text(lost));
	hvk_netvsc_tell_gone(nic);
}

void hvk_netvsc_lost(struct netvsc_queue *queue, hvk_status status)
{
	struct hvk_netvsc *nic = queue->nic;

	if (netvsc_lost(nic) == HVK_OK)
		netvsc_set_lost(nic, status);
	hvk_netvsc_transmit_open(nic, NETVSC_TX_CLOSED);
	if (queue->index == 0) {
		tell_lost(nic);
		return;
	}
	__atomic_store_n(&nic->lost_untold, true, __ATOMIC_SEQ_CST);
	hvk_netvsc_kick(nic);
}

bool hvk_netvsc_unwanted(struct hvk_netvsc *nic)
{
	bool detach;

	hvk_lock(nic->hvk, &nic->lock);
	detach = nic->detach_wanted;
	hvk_unlock(nic->hvk, &nic->lock);
	return detach || netvsc_lost(nic) != HVK_OK;
}

/* --- Beginnings ------------------------------------------------------------------------------- */

static void forget_bring_up(struct hvk_netvsc *nic)
{
	nic->lost_untold = false;
	nic->section_size = 0;
	nic->send_table_known = false;
	nic->result = HVK_OK;
	nic->close_status = HVK_OK;
	nic->opened = false;
	nic->receive_connected = false;
	nic->send_connected = false;
	nic->rndis_up = false;
	nic->silent = false;
	nic->withhold = false;
	nic->revoke_unanswered = false;
	nic->nvs_version = 0;
	nic->nvs_attempt = 0;
	nic->rss = (struct hvk_ndis_rss){0};
	nic->receive_gpadl = (struct hvk_gpadl){0};
	nic->send_gpadl = (struct hvk_gpadl){0};
	nic->receive_teardown_begun = false;
	nic->send_teardown_begun = false;
}

/* As the configuration says, and nothing of what was set in an earlier life. */
static void forget_settings(struct hvk_netvsc *nic)
{
	const struct hvk_netvsc_config *config = &nic->config;

	nic->set = (struct netvsc_settings){
		.mtu = config->mtu,
		.enabled = config->offloads | (config->queues > 1 ? HVK_NETDEV_RSS : 0),
	};
	nic->netdev.info = (struct hvk_netdev_info){
		.mtu = config->mtu, .frame_max = config->mtu + HVK_ETHERNET_HEADER, .queues = 1};
	nic->wanted = nic->set;
	nic->restart = NETVSC_RESTART_NONE;
	nic->nvs_was = 0;
	nic->gone_told = false;
	netvsc_set_lost(nic, HVK_OK);
}

void hvk_netvsc_bring_up(struct hvk_netvsc *nic)
{
	uint32_t mtu = nic->wanted.mtu;

	nic->started = true;
	hvk_netvsc_forget_association(nic);
	forget_bring_up(nic);
	nic->wanted = nic->set;
	nic->wanted.mtu = mtu;
	nic->netdev.info.mtu = mtu;
	nic->netdev.info.frame_max = mtu + HVK_ETHERNET_HEADER;
	hvk_steps_start(&nic->steps, &hvk_netvsc_attach_sequence);
}

void hvk_netvsc_take_down(struct hvk_netvsc *nic)
{
	nic->started = true;
	hvk_netvsc_forget_association(nic);
	hvk_steps_start(&nic->steps, &hvk_netvsc_detach_sequence);
}

static void start_attach(struct hvk_netvsc *nic)
{
	if (nic->restart != NETVSC_RESTART_RESUME)
		forget_settings(nic);
	hvk_netvsc_bring_up(nic);
}

static void set_state(struct hvk_netvsc *nic, enum netvsc_state state)
{
	hvk_lock(nic->hvk, &nic->lock);
	netvsc_set_state(nic, state);
	hvk_unlock(nic->hvk, &nic->lock);
}

static void start_detach(struct hvk_netvsc *nic)
{
	set_state(nic, NETVSC_DETACHING);
	hvk_netvsc_take_down(nic);
}

static void start_suspend(struct hvk_netvsc *nic)
{
	nic->restart = NETVSC_RESTART_SUSPEND;
	nic->info_was = nic->netdev.info;
	nic->nvs_was = nic->nvs_version;
	start_detach(nic);
}

/* --- Ends --------------------------------------------------------------------------------------- */

void hvk_netvsc_end(struct hvk_netvsc *nic, enum netvsc_state state)
{
	nic->ended = true;
	nic->next = state;
	hvk_netvsc_kick(nic);
}

/* One half of a restart is over. True: another begins. */
static bool goes_on(struct hvk_netvsc *nic)
{
	switch (nic->restart) {
	case NETVSC_RESTART_MTU:
	case NETVSC_RESTART_MTU_BACK:
		return hvk_netvsc_mtu_goes_on(nic);
	case NETVSC_RESTART_SUSPEND:
		if (!hvk_netvsc_unwanted(nic))
			nic->next = NETVSC_SUSPENDED;
		break;
	case NETVSC_RESTART_NONE:
	case NETVSC_RESTART_RESUME:
		break;
	}
	nic->restart = NETVSC_RESTART_NONE;
	return false;
}

static void log_attached(struct hvk_netvsc *nic)
{
	const struct hvk_netdev_info *info = &nic->netdev.info;
	const uint8_t *mac = info->mac;

	hvk_log(nic->hvk, HVK_LOG_INFO, "netvsc: NVS 0x%x, %02x:%02x:%02x:%02x:%02x:%02x, MTU %u, link %s",
		nic->nvs_version, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], info->mtu,
		info->link_up ? "up" : "down");
	hvk_log(nic->hvk, HVK_LOG_INFO, "netvsc: queues %u, offloads 0x%x of 0x%x", info->queues,
		info->enabled, info->capabilities);
}

/* After a restart the user hears of what is not as it was; after an attach he asks. */
static void is_up(struct hvk_netvsc *nic, bool again)
{
	const struct hvk_netdev_info *was = &nic->info_was, *info = &nic->netdev.info;
	const struct hvk_netdev_hooks *hooks = &nic->netdev.hooks;

	nic->nvs_was = 0;
	hvk_netvsc_settle(nic);
	log_attached(nic);
	if (!again)
		return;
	if (was->link_up != info->link_up && hooks->link_changed)
		hooks->link_changed(hooks->context, &nic->netdev, info->link_up);
	if (was->capabilities != info->capabilities || was->enabled != info->enabled ||
	    was->queues != info->queues || was->link_speed != info->link_speed)
		hvk_netvsc_info_changed(nic);
}

static hvk_status why_down(const struct hvk_netvsc *nic)
{
	return netvsc_lost(nic) == HVK_OK ? HVK_ECANCELED : HVK_EGONE;
}

static void is_down(struct hvk_netvsc *nic)
{
	hvk_netvsc_transmit_open(nic, NETVSC_TX_CLOSED);
	hvk_netvsc_operations_cancel(nic, why_down(nic));
	nic->nvs_version = 0;
	nic->nvs_was = 0;
	nic->netdev.info.flags = 0;
	nic->netdev.info.link_up = false;
}

/* Requests are finished here and not where the sequence ends, so that nothing of ours is
 * queued any more when the user hears of the end and destroys the object. */
static void finish(struct hvk_netvsc *nic)
{
	struct hvk_request *attach, *suspend, *detach = NULL;
	bool again = nic->restart != NETVSC_RESTART_NONE, down, gone;

	nic->ended = false;
	nic->started = false;
	if (goes_on(nic))
		return;
	down = nic->next == NETVSC_DETACHED;
	hvk_lock(nic->hvk, &nic->lock);
	gone = down && netvsc_state(nic) == NETVSC_RESTARTING && !nic->detach_wanted;
	netvsc_set_state(nic, nic->next);
	nic->association.attaches += nic->next == NETVSC_ATTACHED && !again;
	attach = take_request(&nic->attach_request);
	suspend = take_request(&nic->suspend_request);
	if (down) {
		detach = take_request(&nic->detach_request);
		nic->detach_wanted = false;
	}
	hvk_unlock(nic->hvk, &nic->lock);
	if (down)
		is_down(nic);
	else if (nic->next == NETVSC_ATTACHED)
		is_up(nic, again);
	hvk_netvsc_tell_association(nic);
	hvk_netvsc_operation_finish(nic, nic->operation_status);
	if (gone)
		hvk_netvsc_tell_gone(nic);
	hvk_request_finish(nic->hvk, attach, nic->result, nic->config.cpu);
	hvk_request_finish(nic->hvk, suspend, down ? why_down(nic) : nic->close_status, nic->config.cpu);
	hvk_request_finish(nic->hvk, detach, nic->close_status, nic->config.cpu);
}

/* --- The card's work ------------------------------------------------------------------------------ */

/* Whatever a step waits for that others do under a lock of theirs. */
static void answer_steps(struct hvk_netvsc *nic)
{
	static const struct hvk_answer over = {HVK_OK, NULL, 0};

	if (nic->steps.event == NETVSC_EVENT_LENT && hvk_netvsc_lend_idle(nic))
		hvk_steps_answer(&nic->steps, NETVSC_EVENT_LENT, &over);
	if (nic->steps.event == NETVSC_EVENT_SENDS && hvk_netvsc_transmit_idle(nic))
		hvk_steps_answer(&nic->steps, NETVSC_EVENT_SENDS, &over);
	if (nic->steps.event == NETVSC_EVENT_SUBCHANNELS && hvk_netvsc_subchannels_complete(nic))
		hvk_steps_answer(&nic->steps, NETVSC_EVENT_SUBCHANNELS, &over);
}

/* Detach goes before everything; suspend waits for what was asked for before it. */
static void work_attached(struct hvk_netvsc *nic, bool detach, bool suspend)
{
	if (netvsc_lost(nic) != HVK_OK)
		tell_lost(nic);
	if (detach && nic->steps.sequence)
		hvk_netvsc_steps_interrupt(nic, HVK_ECANCELED);
	if (detach && !nic->steps.sequence)
		start_detach(nic);
	else if (!detach && !hvk_netvsc_operations_run(nic, suspend) && suspend && netvsc_lost(nic) == HVK_OK)
		start_suspend(nic);
}

static void work_on(struct hvk_netvsc *nic, bool detach, bool suspend)
{
	switch (netvsc_state(nic)) {
	case NETVSC_ATTACHING:
	case NETVSC_RESTARTING:
		if (!nic->started)
			start_attach(nic);
		if (detach && nic->steps.sequence == &hvk_netvsc_attach_sequence)
			hvk_netvsc_steps_interrupt(nic, HVK_ECANCELED);
		break;
	case NETVSC_ATTACHED:
		work_attached(nic, detach, suspend);
		break;
	case NETVSC_SUSPENDED:
		if (detach)
			hvk_netvsc_end(nic, NETVSC_DETACHED);
		break;
	case NETVSC_DETACHING:
	case NETVSC_DETACHED:
		break;
	}
}

/* Runs in hvk_poll of the channel's CPU, once per kick or more rarely. */
static void work(struct hvk_request *request, void *context)
{
	struct hvk_netvsc *nic = context;
	bool detach, suspend;

	(void)request;
	if (!hvk_netvsc_enter(nic)) {
		hvk_netvsc_kick_queue(nic);
		return;
	}
	(void)__atomic_exchange_n(&nic->kicked, false, __ATOMIC_SEQ_CST);
	if (nic->ended)
		finish(nic);
	if (__atomic_exchange_n(&nic->lost_untold, false, __ATOMIC_SEQ_CST))
		tell_lost(nic);
	hvk_netvsc_queues_settle(nic);
	answer_steps(nic);
	if (__atomic_exchange_n(&nic->timer_late, false, __ATOMIC_SEQ_CST)) {
		hvk_steps_time(&nic->steps);
		hvk_netvsc_control_time(nic);
	}
	hvk_lock(nic->hvk, &nic->lock);
	detach = nic->detach_wanted;
	suspend = nic->suspend_request != NULL;
	hvk_unlock(nic->hvk, &nic->lock);
	work_on(nic, detach, suspend);
	hvk_netvsc_leave(nic);
}

void hvk_netvsc_life_init(struct hvk_netvsc *nic)
{
	nic->kick = (struct hvk_request){.done = work, .context = nic};
	forget_bring_up(nic);
	forget_settings(nic);
}

/* --- Public -------------------------------------------------------------------------------- */

/* From a state to the one after it: attach and resume. */
static void come_up(struct hvk_netvsc *nic, enum netvsc_state from, enum netvsc_restart restart,
		    struct hvk_request *request)
{
	hvk_status status = HVK_ESTATE;

	hvk_request_begin(request);
	if (!hvk_cpu_runs(nic->hvk, nic->config.cpu)) { /* its polls would never come */
		hvk_request_finish(nic->hvk, request, HVK_EINVAL, hvk_cpu_index(nic->hvk));
		return;
	}
	hvk_lock(nic->hvk, &nic->lock);
	if (netvsc_state(nic) == from && !nic->detach_wanted) {
		netvsc_set_state(nic, NETVSC_ATTACHING);
		nic->restart = restart;
		nic->attach_request = request;
		status = HVK_OK;
	}
	hvk_unlock(nic->hvk, &nic->lock);
	if (status == HVK_OK)
		hvk_netvsc_kick(nic);
	else
		hvk_request_finish(nic->hvk, request, status, nic->config.cpu);
}

void hvk_netvsc_attach(struct hvk_netvsc *nic, struct hvk_request *request)
{
	come_up(nic, NETVSC_DETACHED, NETVSC_RESTART_NONE, request);
}

void hvk_netvsc_resume(struct hvk_netvsc *nic, struct hvk_request *request)
{
	come_up(nic, NETVSC_SUSPENDED, NETVSC_RESTART_RESUME, request);
}

void hvk_netvsc_suspend(struct hvk_netvsc *nic, struct hvk_request *request)
{
	hvk_status status = HVK_EINPROGRESS;

	hvk_request_begin(request);
	hvk_lock(nic->hvk, &nic->lock);
	if (netvsc_lost(nic) != HVK_OK)
		status = HVK_EGONE;
	else if ((netvsc_state(nic) != NETVSC_ATTACHED && netvsc_state(nic) != NETVSC_RESTARTING) ||
		 nic->detach_wanted)
		status = HVK_ESTATE;
	else if (nic->suspend_request)
		status = HVK_EBUSY;
	else
		nic->suspend_request = request;
	hvk_unlock(nic->hvk, &nic->lock);
	if (status == HVK_EINPROGRESS)
		hvk_netvsc_kick(nic);
	else
		hvk_request_finish(nic->hvk, request, status, nic->config.cpu);
}

void hvk_netvsc_detach(struct hvk_netvsc *nic, struct hvk_request *request)
{
	hvk_status status = HVK_EINPROGRESS;

	hvk_request_begin(request);
	hvk_lock(nic->hvk, &nic->lock);
	if (netvsc_state(nic) == NETVSC_DETACHED)
		status = HVK_OK;
	else if (nic->detach_wanted)
		status = HVK_EBUSY;
	if (status == HVK_EINPROGRESS) {
		nic->detach_wanted = true;
		nic->detach_request = request;
	}
	hvk_unlock(nic->hvk, &nic->lock);
	if (status == HVK_EINPROGRESS)
		hvk_netvsc_kick(nic);
	else
		hvk_request_finish(nic->hvk, request, status, nic->config.cpu);
}
