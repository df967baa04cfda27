/* SPDX-License-Identifier: MIT */
/* From detached to attached and back, as tables of steps; and the function's leaving. */
#include "guest/virtio_net/virtio_net_internal.h"

#define OURS                                                                                                \
	(VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM |            \
	 VIRTIO_NET_F_CTRL_GUEST_OFFLOADS | VIRTIO_NET_F_MTU | VIRTIO_NET_F_MAC | VIRTIO_NET_F_GUEST_TSO4 | \
	 VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 |                        \
	 VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX |       \
	 VIRTIO_NET_F_MQ | VIRTIO_NET_F_SPEED_DUPLEX)
#define JOINING (VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6)
#define LINK_MS 1000u /* a polled device's link is looked at so often */

/* --- Steps of a bring-up ---------------------------------------------------------------- */

static bool is_there(const void *context)
{
	return virtio_net_is_there(context);
}

static hvk_status begin_function(void *context)
{
	struct hvk_virtio_net *device = context;
	hvk_status status = hvk_pci_enable(device->function, true, true);

	return status == HVK_OK ? hvk_virtio_find(&device->transport, device->function) : status;
}

static void look_at_reset(struct hvk_timer *timer, void *context)
{
	static const struct hvk_answer over = {HVK_OK, NULL, 0};
	struct hvk_virtio_net *device = context;

	if (device->steps.event != VIRTIO_NET_WAITS_FOR_RESET)
		return;
	if (!virtio_net_is_there(device) || hvk_virtio_status(&device->transport) == 0)
		hvk_steps_answer(&device->steps, VIRTIO_NET_WAITS_FOR_RESET, &over);
	else
		hvk_timer_start(device->hvk, timer, device->config.cpu, 1);
}

/* Quiet is a device whose status reads 0 again. */
static hvk_status begin_reset(void *context)
{
	struct hvk_virtio_net *device = context;

	if (device->transport.common.size == 0) /* never found: it never began */
		return HVK_OK;
	hvk_virtio_set_status(&device->transport, 0);
	if (hvk_virtio_status(&device->transport) == 0)
		return HVK_OK;
	device->steps.event = VIRTIO_NET_WAITS_FOR_RESET;
	hvk_timer_start(device->hvk, &device->reset_timer, device->config.cpu, 1);
	return HVK_EINPROGRESS;
}

/* Joined frames only where joining can be switched off again, and where they find room. */
static uint64_t wanted_features(uint64_t offered)
{
	uint64_t features = offered & OURS;

	if (!(features & VIRTIO_NET_F_CTRL_VQ))
		features &= ~(VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_MQ | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
	if (!(features & VIRTIO_NET_F_CSUM))
		features &= ~(VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6);
	if (!(features & VIRTIO_NET_F_GUEST_CSUM) || !(features & VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) ||
	    !(features & VIRTIO_NET_F_MRG_RXBUF))
		features &= ~(JOINING | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
	return features;
}

static hvk_status begin_features(void *context)
{
	struct hvk_virtio_net *device = context;
	uint8_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;

	hvk_virtio_set_status(&device->transport, VIRTIO_STATUS_ACKNOWLEDGE);
	hvk_virtio_set_status(&device->transport, status);
	device->features = wanted_features(hvk_virtio_features(&device->transport));
	if (!(device->features & VIRTIO_F_VERSION_1) || !(device->features & VIRTIO_NET_F_MAC))
		return HVK_EREFUSED_VIRTIO;
	hvk_virtio_set_features(&device->transport, device->features);
	status |= VIRTIO_STATUS_FEATURES_OK;
	hvk_virtio_set_status(&device->transport, status);
	return hvk_virtio_status(&device->transport) & VIRTIO_STATUS_FEATURES_OK ? HVK_OK
										 : HVK_EREFUSED_VIRTIO;
}

static bool has_interrupts(const void *context)
{
	return !((const struct hvk_virtio_net *)context)->config.polled;
}

/* clang-format off */
static const struct hvk_step up_steps[] = {
	{"function", NULL, begin_function, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"reset", NULL, begin_reset, NULL, VIRTIO_NET_WAIT_RESET, HVK_ETIMEDOUT_VIRTIO, false},
	{"features", NULL, begin_features, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"configuration", NULL, hvk_virtio_net_begin_config, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"queues", NULL, hvk_virtio_net_begin_queues, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"interrupts", has_interrupts, hvk_virtio_net_begin_interrupts, hvk_virtio_net_take_interrupts,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_VPCI, false},
	{"queues enabled", NULL, hvk_virtio_net_begin_enable, NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"running", NULL, hvk_virtio_net_begin_fill, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"queue pairs", NULL, hvk_virtio_net_begin_pairs, NULL,
	 VIRTIO_NET_WAIT_CONTROL, HVK_ETIMEDOUT_VIRTIO, false},
	{"joining", NULL, hvk_virtio_net_begin_offloads, NULL,
	 VIRTIO_NET_WAIT_CONTROL, HVK_ETIMEDOUT_VIRTIO, false},
};
/* clang-format on */

/* --- And of a take-down ----------------------------------------------------------------- */

/* A device that does not become quiet keeps the memory that it knows. One that has vanished writes none. */
static hvk_status take_quiet(void *context, const struct hvk_answer *answer)
{
	struct hvk_virtio_net *device = context;

	device->withhold = answer->status != HVK_OK;
	return answer->status;
}

static hvk_status begin_quiet(void *context)
{
	struct hvk_virtio_net *device = context;
	hvk_status status = begin_reset(context);

	device->withhold = status != HVK_OK; /* until the answer comes */
	return status;
}

static hvk_status begin_free(void *context)
{
	struct hvk_virtio_net *device = context;

	if (device->withhold && virtio_net_is_there(device))
		device->torn_down = HVK_ETIMEDOUT_TEARDOWN;
	hvk_virtio_net_queues_free(device);
	device->withhold = false;
	return HVK_OK;
}

static hvk_status begin_disable(void *context)
{
	struct hvk_virtio_net *device = context;

	return hvk_pci_enable(device->function, false, false);
}

/* clang-format off */
static const struct hvk_step down_steps[] = {
	{"pollers removed", NULL, hvk_virtio_net_begin_no_pollers, hvk_virtio_net_take_no_pollers,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"quiet", is_there, begin_quiet, take_quiet, VIRTIO_NET_WAIT_RESET, HVK_ETIMEDOUT_VIRTIO, true},
	{"interrupts deleted", NULL, hvk_virtio_net_begin_no_interrupts, hvk_virtio_net_take_no_interrupts,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_VPCI, true},
	{"memory", NULL, begin_free, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"function off", is_there, begin_disable, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
};
/* clang-format on */

static void set_state(struct hvk_virtio_net *device, enum virtio_net_state state)
{
	hvk_lock(device->hvk, &device->lock);
	device->state = state;
	hvk_unlock(device->hvk, &device->lock);
}

/* Requests are finished when nothing of ours is under way any more: the user may destroy the device. */
static void is_down(void *context)
{
	struct hvk_virtio_net *device = context;
	struct hvk_request *attach, *detach;

	hvk_timer_stop(device->hvk, &device->reset_timer);
	hvk_timer_stop(device->hvk, &device->link_timer);
	device->netdev.info.flags = 0;
	device->netdev.info.link_up = false;
	device->transport.common.size = 0; /* the function is off: not even a reset reaches it */
	hvk_lock(device->hvk, &device->lock);
	device->groups.count = 0;
	device->state = VIRTIO_NET_DETACHED;
	device->detach_wanted = false;
	attach = device->attach_request;
	detach = device->detach_request;
	device->attach_request = device->detach_request = NULL;
	hvk_unlock(device->hvk, &device->lock);
	hvk_virtio_net_operations_cancel(device, virtio_net_is_there(device) ? HVK_ECANCELED : HVK_EGONE);
	hvk_request_finish(device->hvk, attach, device->result, device->config.cpu);
	hvk_request_finish(device->hvk, detach, device->torn_down, device->config.cpu);
}

static const struct hvk_sequence down_sequence = {down_steps, sizeof(down_steps) / sizeof(down_steps[0]),
						  NULL, is_down};

/* One that has vanished reads as all ones, before its bus says so. */
static bool answers(struct hvk_virtio_net *device)
{
	return virtio_net_is_there(device) &&
	       (hvk_pci_config_read(device->function, PCI_COMMAND, 2) & 0xffffu) != 0xffffu;
}

static const struct hvk_sequence *up_failed(void *context, hvk_status status)
{
	struct hvk_virtio_net *device = context;

	device->result = answers(device) ? status : HVK_EGONE;
	hvk_log(device->hvk, HVK_LOG_ERROR, "virtio_net: %s failed: %s", hvk_steps_name(&device->steps),
		hvk_status_text(device->result));
	return &down_sequence;
}

static void is_up(void *context)
{
	struct hvk_virtio_net *device = context;
	const struct hvk_netdev_info *info = &device->netdev.info;
	struct hvk_request *attach;

	if (device->config.polled)
		hvk_timer_start(device->hvk, &device->link_timer, device->config.cpu, LINK_MS);
	hvk_log(device->hvk, HVK_LOG_INFO, "virtio_net: %02x:%02x:%02x:%02x:%02x:%02x, MTU to %u, queues %u",
		info->mac[0], info->mac[1], info->mac[2], info->mac[3], info->mac[4], info->mac[5],
		info->mtu_max, info->queues);
	hvk_lock(device->hvk, &device->lock);
	device->state = VIRTIO_NET_ATTACHED;
	attach = device->attach_request;
	device->attach_request = NULL;
	hvk_unlock(device->hvk, &device->lock);
	hvk_virtio_net_link_look(device); /* it may have changed before its interrupt was there */
	hvk_request_finish(device->hvk, attach, HVK_OK, device->config.cpu);
	hvk_virtio_net_kick(device);
}

static const struct hvk_sequence up_sequence = {up_steps, sizeof(up_steps) / sizeof(up_steps[0]), up_failed,
						is_up};

/* --- Turns ------------------------------------------------------------------------------ */

static bool enter(void *context)
{
	const struct hvk_virtio_net *device = context;

	return hvk_cpu_index(device->hvk) == device->config.cpu;
}

static void leave(void *context)
{
	(void)context;
}

static uint32_t wait_ms(const void *context, uint32_t wait)
{
	(void)context;
	return wait == VIRTIO_NET_WAIT_RESET ? VIRTIO_NET_RESET_MS : VIRTIO_NET_CONTROL_MS;
}

static bool must_come(const void *context, uint32_t event)
{
	(void)context;
	(void)event;
	return false;
}

static void fault(void *context, hvk_status status, const char *what)
{
	const struct hvk_virtio_net *device = context;

	(void)hvk_fault(device->hvk, status, "virtio_net: %s", what);
}

static const struct hvk_steps_owner steps_owner = {"virtio_net", enter,     leave, wait_ms,
						   leave,        must_come, fault};

void hvk_virtio_net_kick(struct hvk_virtio_net *device)
{
	if (__atomic_exchange_n(&device->kicked, true, __ATOMIC_SEQ_CST))
		return;
	hvk_request_begin(&device->kick);
	hvk_request_finish(device->hvk, &device->kick, HVK_OK, device->config.cpu);
}

static void tell_gone(struct hvk_virtio_net *device)
{
	const struct hvk_netdev_hooks *hooks = &device->netdev.hooks;

	if (device->told_gone || device->state != VIRTIO_NET_ATTACHED)
		return;
	device->told_gone = true;
	if (hooks->gone)
		hooks->gone(hooks->context, &device->netdev);
}

static void take_down(struct hvk_virtio_net *device)
{
	__atomic_store_n(&device->open, false, __ATOMIC_SEQ_CST);
	__atomic_store_n(&device->flags, 0, __ATOMIC_SEQ_CST);
	set_state(device, VIRTIO_NET_DETACHING);
	hvk_steps_start(&device->steps, &down_sequence);
}

static void begin_attach(struct hvk_virtio_net *device, bool detach)
{
	device->result = !virtio_net_is_there(device) ? HVK_EGONE : detach ? HVK_ECANCELED : HVK_OK;
	hvk_steps_start(&device->steps, device->result == HVK_OK ? &up_sequence : &down_sequence);
}

static void turn(struct hvk_request *request, void *context)
{
	struct hvk_virtio_net *device = context;
	enum virtio_net_state state;
	bool detach;

	(void)request;
	(void)__atomic_exchange_n(&device->kicked, false, __ATOMIC_SEQ_CST);
	hvk_lock(device->hvk, &device->lock);
	state = device->state;
	detach = device->detach_wanted;
	hvk_unlock(device->hvk, &device->lock);
	if (!virtio_net_is_usable(device))
		tell_gone(device);
	if (device->steps.sequence && (device->steps.sequence != &down_sequence) &&
	    (detach || !virtio_net_is_usable(device)) && device->steps.interrupted == HVK_OK)
		hvk_steps_interrupt(&device->steps, detach ? HVK_ECANCELED : HVK_EGONE);
	if (device->steps.sequence)
		return;
	if (state == VIRTIO_NET_ATTACHING)
		begin_attach(device, detach);
	else if (state == VIRTIO_NET_ATTACHED && detach)
		take_down(device);
	else if (state == VIRTIO_NET_ATTACHED)
		(void)hvk_virtio_net_operations_run(device);
}

static void look_at_link(struct hvk_timer *timer, void *context)
{
	struct hvk_virtio_net *device = context;

	if (device->state != VIRTIO_NET_ATTACHED || !virtio_net_is_there(device))
		return;
	hvk_virtio_net_link_look(device);
	hvk_timer_start(device->hvk, timer, device->config.cpu, LINK_MS);
}

void hvk_virtio_net_break(struct hvk_virtio_net *device, const char *what)
{
	if (__atomic_exchange_n(&device->broken, true, __ATOMIC_SEQ_CST))
		return;
	(void)hvk_fault(device->hvk, HVK_EHOST_VIRTIO, "virtio_net: %s", what);
	__atomic_store_n(&device->open, false, __ATOMIC_SEQ_CST);
	hvk_virtio_net_kick(device);
}

void hvk_virtio_net_life_init(struct hvk_virtio_net *device)
{
	device->kick = (struct hvk_request){.done = turn, .context = device};
	device->reset_timer = (struct hvk_timer){
		.fire = look_at_reset, .context = device, .deadline = HVK_NEVER, .cpu = device->config.cpu};
	device->link_timer = (struct hvk_timer){
		.fire = look_at_link, .context = device, .deadline = HVK_NEVER, .cpu = device->config.cpu};
	hvk_steps_init(&device->steps, device->hvk, device->config.cpu, device, &steps_owner);
}

/* --- Public ----------------------------------------------------------------------------- */

void hvk_virtio_net_attach(struct hvk_virtio_net *device, struct hvk_request *request)
{
	hvk_status status = HVK_OK;

	hvk_request_begin(request);
	if (!hvk_cpu_runs(device->hvk, device->config.cpu)) {
		hvk_request_finish(device->hvk, request, HVK_EINVAL, hvk_cpu_index(device->hvk));
		return;
	}
	hvk_lock(device->hvk, &device->lock);
	if (!virtio_net_is_there(device)) {
		status = HVK_EGONE;
	} else if (device->state != VIRTIO_NET_DETACHED) {
		status = HVK_ESTATE;
	} else {
		device->state = VIRTIO_NET_ATTACHING;
		device->attach_request = request;
		device->result = device->torn_down = HVK_OK;
		device->told_gone = false;
		device->broken = false;
	}
	hvk_unlock(device->hvk, &device->lock);
	if (status == HVK_OK)
		hvk_virtio_net_kick(device);
	else
		hvk_request_finish(device->hvk, request, status, device->config.cpu);
}

void hvk_virtio_net_detach(struct hvk_virtio_net *device, struct hvk_request *request)
{
	hvk_status status = HVK_EINPROGRESS;

	hvk_request_begin(request);
	hvk_lock(device->hvk, &device->lock);
	if (device->state == VIRTIO_NET_DETACHED) {
		status = HVK_OK;
	} else if (device->detach_wanted) {
		status = HVK_EBUSY;
	} else {
		device->detach_wanted = true;
		device->detach_request = request;
	}
	hvk_unlock(device->hvk, &device->lock);
	if (status == HVK_EINPROGRESS)
		hvk_virtio_net_kick(device);
	else
		hvk_request_finish(device->hvk, request, status, device->config.cpu);
}
