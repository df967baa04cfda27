/* SPDX-License-Identifier: MIT */
/* From detached to attached and back, and the turns of a device of one channel. */
#include "guest/device/device.h"

#define REQUESTS_MAX 4u
#define BUDGET 16u /* packets per callback */

/* --- Turns ---------------------------------------------------------------------------------------- */

static bool enter(void *context)
{
	struct hvk_device *device = context;

	return !__atomic_exchange_n(&device->busy, true, __ATOMIC_ACQUIRE);
}

static void leave(void *context)
{
	struct hvk_device *device = context;

	__atomic_store_n(&device->busy, false, __ATOMIC_RELEASE);
}

static uint32_t wait_ms(const void *context, uint32_t wait)
{
	const struct hvk_device *device = context;

	(void)wait; /* HVK_DEVICE_WAIT is the only one */
	return hvk_timeouts(device->hvk)->device_ms;
}

static void stopped(void *context)
{
	(void)context;
}

static bool must_come(const void *context, uint32_t event)
{
	(void)context;
	(void)event;
	return false;
}

void hvk_device_fault(struct hvk_device *device, hvk_status status, const char *what)
{
	device->faults++;
	(void)hvk_fault(device->hvk, status, "%s: %s", device->kind->name, what);
}

static void fault(void *context, hvk_status status, const char *what)
{
	hvk_device_fault(context, status, what);
}

static const struct hvk_steps_owner owner = {"device", enter, leave, wait_ms, stopped, must_come, fault};

void hvk_device_kick(struct hvk_device *device)
{
	if (__atomic_exchange_n(&device->kicked, true, __ATOMIC_SEQ_CST))
		return;
	hvk_request_begin(&device->kick);
	hvk_request_finish(device->hvk, &device->kick, HVK_OK, device->cpu);
}

static void set_lost(struct hvk_device *device, hvk_status status)
{
	if (device->lost != HVK_OK)
		return;
	device->lost = status;
	hvk_log(device->hvk, HVK_LOG_WARN, "%s: %s", device->kind->name, hvk_status_text(status));
}

static void tell_down(struct hvk_device *device)
{
	if (device->down_told)
		return;
	device->down_told = true;
	if (device->kind->down)
		device->kind->down(device);
}

static void heed_loss(struct hvk_device *device)
{
	if (device->lost == HVK_OK)
		return;
	if (device->steps.sequence)
		hvk_steps_interrupt(&device->steps, device->lost);
	if (device->life != HVK_DEVICE_ATTACHED || device->gone_told)
		return;
	device->gone_told = true;
	tell_down(device);
	device->kind->gone(device);
}

bool hvk_device_can_talk(const struct hvk_device *device)
{
	return device->opened && !device->closing && device->lost == HVK_OK;
}

static const struct hvk_sequence detach_sequence;

static void start_attach(struct hvk_device *device)
{
	device->result = device->lost = HVK_OK;
	device->gone_told = false;
	hvk_steps_start(&device->steps, device->kind->attach);
}

static void start_detach(struct hvk_device *device)
{
	hvk_lock(device->hvk, &device->lock);
	device->life = HVK_DEVICE_DETACHING;
	hvk_unlock(device->hvk, &device->lock);
	device->result = HVK_OK;
	hvk_steps_start(&device->steps, &detach_sequence);
}

/* All that is to do; inside. */
static void work(struct hvk_device *device)
{
	enum hvk_device_life life;
	bool detach;

	hvk_steps_room(&device->steps);
	heed_loss(device);
	hvk_lock(device->hvk, &device->lock);
	life = device->life;
	detach = device->detach_wanted;
	hvk_unlock(device->hvk, &device->lock);
	if (device->steps.sequence) {
		if (detach && device->steps.sequence == device->kind->attach &&
		    device->steps.interrupted == HVK_OK)
			hvk_steps_interrupt(&device->steps, HVK_ECANCELED);
	} else if (life == HVK_DEVICE_ATTACHING) {
		start_attach(device);
	} else if (life == HVK_DEVICE_ATTACHED && detach) {
		start_detach(device);
	} else if (life == HVK_DEVICE_ATTACHED && device->lost == HVK_OK && device->kind->work) {
		device->kind->work(device);
	}
}

/* There is room for what waits in the ring. */
static bool may_go_on(struct hvk_device *device)
{
	if (!device->held || !hvk_device_can_talk(device) || !device->kind->has_room(device))
		return false;
	device->held = false;
	return true;
}

static void turn(struct hvk_request *request, void *context)
{
	struct hvk_device *device = context;

	if (!enter(device)) {
		hvk_request_begin(request);
		hvk_request_finish(device->hvk, request, HVK_OK, device->cpu);
		return;
	}
	(void)__atomic_exchange_n(&device->kicked, false, __ATOMIC_SEQ_CST);
	work(device);
	if (may_go_on(device))
		hvk_channel_resume(device->channel);
	leave(device);
}

/* A host that wants to know that it was heard gets an empty completion. */
static void take(struct hvk_device *device, const struct hvk_packet *packet)
{
	if (packet->type == VMBUS_PACKET_IN_BAND)
		device->kind->take(device, packet);
	else if (packet->type != VMBUS_PACKET_COMPLETION) /* those say nothing: answers are packets */
		device->unknown++;
	if (packet->answer_wanted && hvk_device_can_talk(device))
		(void)hvk_channel_complete(device->channel, packet->transaction_id, NULL, 0);
}

/* True: there may be more. */
static bool receive(struct hvk_device *device)
{
	struct hvk_packet packet;

	for (uint32_t i = 0; i < BUDGET; i++) {
		hvk_status status;

		if (!hvk_device_can_talk(device))
			return false;
		if (device->kind->has_room && !device->kind->has_room(device)) {
			hvk_channel_hold(device->channel);
			device->held = true;
			return false;
		}
		status = hvk_channel_receive(device->channel, device->packet, device->kind->packet_max,
					     &packet);
		if (status == HVK_EEMPTY)
			return false;
		if (status == HVK_OK)
			take(device, &packet);
		else if (status != HVK_ETOOBIG && status != HVK_EHOST_TRANSACTION)
			set_lost(device, status);
	}
	return true;
}

static bool ready(void *context, struct hvk_channel *channel)
{
	struct hvk_device *device = context;
	bool more;

	if (!enter(device))
		return true;
	if (hvk_channel_rescinded(channel))
		set_lost(device, HVK_EGONE);
	more = receive(device);
	work(device);
	more |= may_go_on(device);
	leave(device);
	return more;
}

/* --- Steps ---------------------------------------------------------------------------------------- */

hvk_status hvk_device_begin_open(void *context)
{
	struct hvk_device *device = context;
	const struct hvk_channel_config config = {
		.cpu = device->cpu,
		.reading = HVK_CHANNEL_UNBATCHED,
		.low_latency = true,
		.tx_pages = device->kind->ring_pages,
		.rx_pages = device->kind->ring_pages,
		.requests_max = REQUESTS_MAX,
		.ready = ready,
		.context = device,
	};

	if (hvk_channel_rescinded(device->channel))
		return HVK_EGONE;
	hvk_channel_open(device->channel, &config, hvk_steps_request(&device->steps));
	return HVK_EINPROGRESS;
}

hvk_status hvk_device_opened(void *context, const struct hvk_answer *answer)
{
	struct hvk_device *device = context;

	device->opened = answer->status == HVK_OK;
	device->closing = device->down_told = device->held = false;
	return answer->status;
}

static bool is_open(const void *context)
{
	return ((const struct hvk_device *)context)->opened;
}

static hvk_status begin_close(void *context)
{
	struct hvk_device *device = context;

	tell_down(device);
	device->closing = true;
	hvk_channel_close(device->channel, hvk_steps_request(&device->steps));
	return HVK_EINPROGRESS;
}

static hvk_status closed(void *context, const struct hvk_answer *answer)
{
	struct hvk_device *device = context;

	device->opened = false;
	for (uint32_t i = 0; i < REQUESTS_MAX && hvk_channel_take_request(device->channel, NULL); i++)
		;
	if (device->result == HVK_OK)
		device->result = answer->status;
	return HVK_OK;
}

static struct hvk_request *take_request(struct hvk_request **request)
{
	struct hvk_request *taken = *request;

	*request = NULL;
	return taken;
}

void hvk_device_is_up(void *context)
{
	struct hvk_device *device = context;
	struct hvk_request *request;

	hvk_lock(device->hvk, &device->lock);
	device->life = HVK_DEVICE_ATTACHED;
	request = take_request(&device->attach_request);
	hvk_unlock(device->hvk, &device->lock);
	hvk_log(device->hvk, HVK_LOG_INFO, "%s: attached", device->kind->name);
	hvk_request_finish(device->hvk, request, HVK_OK, device->cpu);
	hvk_device_kick(device);
}

/* After an attach that failed, and after a detach. */
static void is_down(void *context)
{
	struct hvk_device *device = context;
	struct hvk_request *attach, *detach;
	hvk_status result = device->result;

	hvk_lock(device->hvk, &device->lock);
	device->life = HVK_DEVICE_DETACHED;
	device->detach_wanted = false;
	attach = take_request(&device->attach_request);
	detach = take_request(&device->detach_request);
	hvk_unlock(device->hvk, &device->lock);
	hvk_request_finish(device->hvk, attach, result, device->cpu);
	hvk_request_finish(device->hvk, detach, attach ? HVK_OK : result, device->cpu);
}

/* clang-format off */
static const struct hvk_step detach_steps[] = {
	{"CLOSE_CHANNEL", is_open, begin_close, closed, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_TEARDOWN, true},
};
/* clang-format on */

static const struct hvk_sequence detach_sequence = {detach_steps, 1, NULL, is_down};

const struct hvk_sequence *hvk_device_attach_failed(void *context, hvk_status status)
{
	struct hvk_device *device = context;

	hvk_log(device->hvk, HVK_LOG_ERROR, "%s: %s failed: %s", device->kind->name,
		hvk_steps_name(&device->steps), hvk_status_text(status));
	device->result = status;
	return &detach_sequence;
}

/* --- The object ------------------------------------------------------------------------------------- */

hvk_status hvk_device_create(struct hvk_channel *channel, const struct hvk_device_kind *kind, uint32_t cpu,
			     size_t size, struct hvk_device **out)
{
	struct hvk *hvk = hvk_channel_instance(channel);
	size_t at = (size + 7) & ~(size_t)7;
	hvk_status status;
	struct hvk_pages pages;
	struct hvk_device *device;

	*out = NULL;
	if (cpu >= hvk_cpu_count(hvk) || hvk_channel_offer(channel)->subchannel_index != 0)
		return HVK_EINVAL;
	status = hvk_channel_claim(channel);
	if (status != HVK_OK)
		return status;
	status = hvk_pages_get(hvk, (uint32_t)((at + kind->packet_max + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE),
			       HVK_PAGE_PRIVATE, &pages);
	if (status != HVK_OK) {
		hvk_channel_unclaim(channel);
		return status;
	}
	device = pages.address; /* zeros */
	device->hvk = hvk;
	device->pages = pages;
	device->channel = channel;
	device->kind = kind;
	device->cpu = cpu;
	device->packet = (uint8_t *)pages.address + at;
	device->kick = (struct hvk_request){.done = turn, .context = device};
	hvk_steps_init(&device->steps, hvk, cpu, device, &owner);
	status = hvk_lock_init(hvk, &device->lock);
	if (status != HVK_OK) {
		hvk_channel_unclaim(channel);
		hvk_pages_put(hvk, &pages);
		return status;
	}
	*out = device;
	return HVK_OK;
}

hvk_status hvk_device_destroy(struct hvk_device *device)
{
	struct hvk_pages pages = device->pages;
	struct hvk *hvk = device->hvk;
	bool idle;

	hvk_lock(hvk, &device->lock);
	idle = device->life == HVK_DEVICE_DETACHED && !__atomic_load_n(&device->kicked, __ATOMIC_SEQ_CST);
	hvk_unlock(hvk, &device->lock);
	if (!idle)
		return HVK_ESTATE;
	hvk_channel_unclaim(device->channel);
	hvk_pages_put(hvk, &pages);
	return HVK_OK;
}

void hvk_device_attach(struct hvk_device *device, struct hvk_request *request)
{
	hvk_status status = HVK_ESTATE;

	hvk_request_begin(request);
	if (!hvk_cpu_runs(device->hvk, device->cpu)) { /* its polls would never come */
		hvk_request_finish(device->hvk, request, HVK_EINVAL, hvk_cpu_index(device->hvk));
		return;
	}
	hvk_lock(device->hvk, &device->lock);
	if (device->life == HVK_DEVICE_DETACHED) {
		device->life = HVK_DEVICE_ATTACHING;
		device->attach_request = request;
		status = HVK_OK;
	}
	hvk_unlock(device->hvk, &device->lock);
	if (status == HVK_OK)
		hvk_device_kick(device);
	else
		hvk_request_finish(device->hvk, request, status, device->cpu);
}

void hvk_device_detach(struct hvk_device *device, struct hvk_request *request)
{
	hvk_status status = HVK_EINPROGRESS;

	hvk_request_begin(request);
	hvk_lock(device->hvk, &device->lock);
	if (device->life == HVK_DEVICE_DETACHED) {
		status = HVK_OK;
	} else if (device->detach_wanted) {
		status = HVK_EBUSY;
	} else {
		device->detach_wanted = true;
		device->detach_request = request;
	}
	hvk_unlock(device->hvk, &device->lock);
	if (status == HVK_EINPROGRESS)
		hvk_device_kick(device);
	else
		hvk_request_finish(device->hvk, request, status, device->cpu);
}

void hvk_device_dump(struct hvk_dump *dump, const struct hvk_device *device)
{
	static const char *const lives[] = {"detached", "attaching", "attached", "detaching"};

	hvk_dump_value(dump, "state", "%s", hvk_dump_name(lives, 4, (uint32_t)device->life));
	hvk_dump_value(dump, "step", "%s", hvk_steps_name(&device->steps));
	hvk_dump_value(dump, "lost", "%s", device->lost == HVK_OK ? "no" : hvk_status_name(device->lost));
	hvk_dump_number(dump, "host-faults", device->faults);
	hvk_dump_number(dump, "unknown-messages", device->unknown);
}
