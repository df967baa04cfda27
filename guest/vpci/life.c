/* SPDX-License-Identifier: MIT */
/* From detached to attached and back, suspend and resume, and the bus's turns. */
#include "guest/vpci/vpci_internal.h"

/* --- Steps ---------------------------------------------------------------------------------------- */

bool hvk_vpci_enter(struct hvk_vpci *vpci)
{
	return !__atomic_exchange_n(&vpci->busy, true, __ATOMIC_ACQUIRE);
}

void hvk_vpci_leave(struct hvk_vpci *vpci)
{
	__atomic_store_n(&vpci->busy, false, __ATOMIC_RELEASE);
}

static bool enter(void *device)
{
	return hvk_vpci_enter(device);
}

static void leave(void *device)
{
	hvk_vpci_leave(device);
}

static uint32_t wait_ms(const void *device, uint32_t wait)
{
	const struct hvk_vpci *vpci = device;

	(void)wait; /* VPCI_WAIT_DEVICE is the only one */
	return hvk_timeouts(vpci_hvk(vpci))->device_ms;
}

/* An answer that comes all the same is late, and counted by the channel. */
static void stopped(void *device)
{
	struct hvk_vpci *vpci = device;

	if (vpci->step_ask.pending && vpci->opened)
		(void)hvk_channel_take_request(vpci->channel, &vpci->step_ask);
	vpci->step_ask.pending = vpci->step_ask.there = false;
}

static bool must_come(const void *device, uint32_t event)
{
	(void)device;
	return event == VPCI_EVENT_RELEASED || event == VPCI_EVENT_INTERRUPT;
}

void hvk_vpci_fault(struct hvk_vpci *vpci, hvk_status status, const char *what)
{
	vpci->faults++;
	(void)hvk_fault(vpci_hvk(vpci), status, "vpci: %s", what);
}

static void fault(void *device, hvk_status status, const char *what)
{
	hvk_vpci_fault(device, status, what);
}

static const struct hvk_steps_owner steps_owner = {"vpci", enter, leave, wait_ms, stopped, must_come, fault};

hvk_status hvk_vpci_ask(struct hvk_vpci *vpci, const void *message, uint32_t length)
{
	hvk_status status = hvk_channel_send(vpci->channel, message, length, true, &vpci->step_ask);

	if (status != HVK_OK)
		return status;
	vpci->step_ask.pending = true;
	vpci->steps.event = VPCI_EVENT_ANSWER;
	return HVK_EINPROGRESS;
}

/* --- Turns -------------------------------------------------------------------------------------------- */

void hvk_vpci_kick(struct hvk_vpci *vpci)
{
	if (__atomic_exchange_n(&vpci->kicked, true, __ATOMIC_SEQ_CST))
		return;
	hvk_request_begin(&vpci->kick);
	hvk_request_finish(vpci_hvk(vpci), &vpci->kick, HVK_OK, vpci->bus.cpu);
}

static void turn(struct hvk_request *request, void *context)
{
	struct hvk_vpci *vpci = context;

	if (!hvk_vpci_enter(vpci)) {
		hvk_request_begin(request);
		hvk_request_finish(vpci_hvk(vpci), request, HVK_OK, vpci->bus.cpu);
		return;
	}
	(void)__atomic_exchange_n(&vpci->kicked, false, __ATOMIC_SEQ_CST);
	hvk_vpci_work(vpci);
	hvk_vpci_leave(vpci);
}

void hvk_vpci_set_lost(struct hvk_vpci *vpci, hvk_status status)
{
	bool expected = status == HVK_EGONE && !hvk_vpci_has_functions(vpci); /* what follows an ejection */

	if (vpci->lost != HVK_OK)
		return;
	vpci->lost = status;
	hvk_log(vpci_hvk(vpci), expected ? HVK_LOG_INFO : HVK_LOG_WARN, "vpci: %s", hvk_status_text(status));
}

static void answer_steps(struct hvk_vpci *vpci)
{
	const struct hvk_answer over = {HVK_OK, NULL, 0};
	struct vpci_ask *ask = &vpci->step_ask;
	struct hvk_answer found;
	uint8_t bytes[VPCI_ANSWER_MAX];

	hvk_steps_room(&vpci->steps);
	if (ask->pending && ask->there && vpci->steps.event == VPCI_EVENT_ANSWER) {
		memcpy(bytes, ask->bytes, sizeof(bytes));
		found = (struct hvk_answer){HVK_OK, bytes, ask->length};
		ask->pending = ask->there = false;
		hvk_steps_answer(&vpci->steps, VPCI_EVENT_ANSWER, &found);
	}
	if (vpci->steps.event == VPCI_EVENT_RELATIONS && vpci->relations != 0)
		hvk_steps_answer(&vpci->steps, VPCI_EVENT_RELATIONS, &over);
	if (vpci->steps.event == VPCI_EVENT_RELEASED && !hvk_vpci_has_functions(vpci))
		hvk_steps_answer(&vpci->steps, VPCI_EVENT_RELEASED, &over);
}

/* All functions go at once; the user hears of the bus when none is left. */
static void heed_loss(struct hvk_vpci *vpci)
{
	if (vpci->lost == HVK_OK)
		return;
	hvk_vpci_functions_leave(vpci, false);
	hvk_steps_interrupt(&vpci->steps, vpci->lost);
	if (vpci->life != VPCI_ATTACHED || vpci->gone_told || hvk_vpci_has_functions(vpci))
		return;
	vpci->gone_told = true;
	if (vpci->config.gone)
		vpci->config.gone(vpci->config.context, vpci);
}

static void start_attach(struct hvk_vpci *vpci)
{
	vpci->result = HVK_OK;
	vpci->lost = HVK_OK;
	vpci->attempt = 0;
	vpci->gone_told = vpci->asks_again = false;
	if (!vpci->resumes)
		vpci->version = 0;
	hvk_steps_start(&vpci->steps, &hvk_vpci_attach_sequence);
}

static void ask_again(struct hvk_vpci *vpci)
{
	struct hvk_vpci_message message;

	hvk_vpci_build(&message, VPCI_QUERY_BUS_RELATIONS);
	if (hvk_channel_send(vpci->channel, message.bytes, message.length, false, NULL) != HVK_EAGAIN)
		vpci->asks_again = false;
}

static void set_life(struct hvk_vpci *vpci, enum vpci_life life)
{
	hvk_lock(vpci_hvk(vpci), &vpci->lock);
	vpci->life = life;
	hvk_unlock(vpci_hvk(vpci), &vpci->lock);
}

static void work_attached(struct hvk_vpci *vpci, bool detach, bool suspend)
{
	if (detach) {
		set_life(vpci, VPCI_DETACHING);
		vpci->result = HVK_OK;
		hvk_steps_start(&vpci->steps, &hvk_vpci_detach_sequence);
	} else if (suspend) {
		set_life(vpci, VPCI_SUSPENDING);
		vpci->result = HVK_OK;
		hvk_steps_start(&vpci->steps, &hvk_vpci_suspend_sequence);
	} else if (vpci->lost == HVK_OK && vpci->asks_again) {
		ask_again(vpci);
	} else if (vpci->lost == HVK_OK && vpci->news && hvk_vpci_functions_compare(vpci)) {
		hvk_steps_start(&vpci->steps, &hvk_vpci_functions_sequence);
	}
}

static struct hvk_request *take_request(struct hvk_request **request)
{
	struct hvk_request *taken = *request;

	*request = NULL;
	return taken;
}

/* In the last turn: whoever hears of it may destroy the bus, so no other turn is to come. */
static void finish_down(struct hvk_vpci *vpci)
{
	struct hvk_request *attach, *detach, *suspend;
	hvk_status result = vpci->result;
	struct hvk *hvk = vpci_hvk(vpci);
	uint32_t cpu = vpci->bus.cpu;

	if (__atomic_load_n(&vpci->bus.visitors, __ATOMIC_SEQ_CST) != 0 ||
	    __atomic_load_n(&vpci->kicked, __ATOMIC_SEQ_CST)) {
		hvk_vpci_kick(vpci);
		return;
	}
	vpci->down = false;
	hvk_lock(hvk, &vpci->lock);
	vpci->life = VPCI_DETACHED;
	vpci->detach_wanted = false;
	attach = take_request(&vpci->attach_request);
	detach = take_request(&vpci->detach_request);
	suspend = take_request(&vpci->suspend_request);
	hvk_unlock(hvk, &vpci->lock);
	hvk_request_finish(hvk, attach, result, cpu);
	hvk_request_finish(hvk, detach, attach ? HVK_OK : result, cpu);
	hvk_request_finish(hvk, suspend, HVK_ECANCELED, cpu);
}

void hvk_vpci_work(struct hvk_vpci *vpci)
{
	enum vpci_life life;
	bool detach, suspend;

	if (vpci->down) {
		finish_down(vpci);
		return;
	}
	heed_loss(vpci);
	hvk_vpci_interrupts_go_on(vpci);
	answer_steps(vpci);
	hvk_vpci_functions_reap(vpci);
	answer_steps(vpci);
	heed_loss(vpci);
	hvk_lock(vpci_hvk(vpci), &vpci->lock);
	life = vpci->life;
	detach = vpci->detach_wanted;
	suspend = vpci->suspend_request != NULL;
	hvk_unlock(vpci_hvk(vpci), &vpci->lock);
	if (vpci->steps.sequence) {
		if (detach && vpci->steps.sequence == &hvk_vpci_attach_sequence &&
		    vpci->steps.interrupted == HVK_OK)
			hvk_steps_interrupt(&vpci->steps, HVK_ECANCELED);
		return;
	}
	if (vpci->down)
		return; /* in the next turn */
	if (life == VPCI_ATTACHING)
		start_attach(vpci);
	else if (life == VPCI_ATTACHED)
		work_attached(vpci, detach, suspend);
	else if (life == VPCI_SUSPENDED && detach)
		hvk_steps_start(&vpci->steps, &hvk_vpci_detach_sequence);
}

/* --- Ends --------------------------------------------------------------------------------------------- */

void hvk_vpci_is_up(void *device)
{
	struct hvk_vpci *vpci = device;
	struct hvk_request *request;

	vpci->resumes = false;
	hvk_lock(vpci_hvk(vpci), &vpci->lock);
	vpci->life = VPCI_ATTACHED;
	request = take_request(&vpci->attach_request);
	hvk_unlock(vpci_hvk(vpci), &vpci->lock);
	hvk_log(vpci_hvk(vpci), HVK_LOG_INFO, "vpci: protocol %u.%u", vpci->version >> 16,
		vpci->version & 0xffffu);
	hvk_request_finish(vpci_hvk(vpci), request, vpci->result, vpci->bus.cpu);
	hvk_vpci_kick(vpci);
}

void hvk_vpci_functions_done(void *device)
{
	struct hvk_vpci *vpci = device;

	vpci->result = HVK_OK;
	hvk_vpci_kick(vpci);
}

/* After an attach that failed, and after a detach. */
void hvk_vpci_is_down(void *device)
{
	struct hvk_vpci *vpci = device;

	vpci->version = 0;
	vpci->resumes = false;
	vpci->down = true;
	hvk_vpci_kick(vpci);
}

void hvk_vpci_is_suspended(void *device)
{
	struct hvk_vpci *vpci = device;
	struct hvk_request *request;

	hvk_lock(vpci_hvk(vpci), &vpci->lock);
	vpci->life = VPCI_SUSPENDED;
	request = take_request(&vpci->suspend_request);
	hvk_unlock(vpci_hvk(vpci), &vpci->lock);
	hvk_request_finish(vpci_hvk(vpci), request, vpci->result, vpci->bus.cpu);
	hvk_vpci_kick(vpci);
}

void hvk_vpci_life_init(struct hvk_vpci *vpci)
{
	vpci->kick = (struct hvk_request){.done = turn, .context = vpci};
	hvk_steps_init(&vpci->steps, vpci_hvk(vpci), vpci->bus.cpu, vpci, &steps_owner);
}

/* --- Public --------------------------------------------------------------------------------------------- */

static void come_up(struct hvk_vpci *vpci, enum vpci_life from, struct hvk_request *request)
{
	hvk_status status = HVK_ESTATE;

	hvk_request_begin(request);
	if (!hvk_cpu_runs(vpci_hvk(vpci), vpci->bus.cpu)) { /* its polls would never come */
		hvk_request_finish(vpci_hvk(vpci), request, HVK_EINVAL, hvk_cpu_index(vpci_hvk(vpci)));
		return;
	}
	hvk_lock(vpci_hvk(vpci), &vpci->lock);
	if (vpci->life == from && !vpci->detach_wanted) {
		vpci->life = VPCI_ATTACHING;
		vpci->resumes = from == VPCI_SUSPENDED;
		vpci->attach_request = request;
		status = HVK_OK;
	}
	hvk_unlock(vpci_hvk(vpci), &vpci->lock);
	if (status == HVK_OK)
		hvk_vpci_kick(vpci);
	else
		hvk_request_finish(vpci_hvk(vpci), request, status, vpci->bus.cpu);
}

void hvk_vpci_attach(struct hvk_vpci *vpci, struct hvk_request *request)
{
	come_up(vpci, VPCI_DETACHED, request);
}

void hvk_vpci_resume(struct hvk_vpci *vpci, struct hvk_request *request)
{
	come_up(vpci, VPCI_SUSPENDED, request);
}

static void go_down(struct hvk_vpci *vpci, hvk_status status, struct hvk_request *request)
{
	if (status == HVK_EINPROGRESS)
		hvk_vpci_kick(vpci);
	else
		hvk_request_finish(vpci_hvk(vpci), request, status, vpci->bus.cpu);
}

void hvk_vpci_detach(struct hvk_vpci *vpci, struct hvk_request *request)
{
	hvk_status status = HVK_EINPROGRESS;

	hvk_request_begin(request);
	hvk_lock(vpci_hvk(vpci), &vpci->lock);
	if (vpci->life == VPCI_DETACHED) {
		status = HVK_OK;
	} else if (vpci->detach_wanted) {
		status = HVK_EBUSY;
	} else {
		vpci->detach_wanted = true;
		vpci->detach_request = request;
	}
	hvk_unlock(vpci_hvk(vpci), &vpci->lock);
	go_down(vpci, status, request);
}

void hvk_vpci_suspend(struct hvk_vpci *vpci, struct hvk_request *request)
{
	hvk_status status = HVK_EINPROGRESS;

	hvk_request_begin(request);
	hvk_lock(vpci_hvk(vpci), &vpci->lock);
	if (vpci->life != VPCI_ATTACHED || vpci->detach_wanted)
		status = HVK_ESTATE;
	else if (vpci->suspend_request)
		status = HVK_EBUSY;
	else
		vpci->suspend_request = request;
	hvk_unlock(vpci_hvk(vpci), &vpci->lock);
	go_down(vpci, status, request);
}
