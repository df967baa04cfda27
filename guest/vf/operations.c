/* SPDX-License-Identifier: MIT */
/*
 * Control operations of the stack, one at a time, in the order of the calls. rules.c says what becomes of
 * each while a VF follows; without one they are the card's.
 */
#include "guest/vf/vf_internal.h"

struct hvk_vf *hvk_vf_of(struct hvk_netdev *netdev)
{
	struct hvk_vf *vf = netdev->ops == &hvk_vf_separate_face
				    ? (struct hvk_vf *)(void *)((uint8_t *)netdev -
								offsetof(struct hvk_vf, separate))
				    : (struct hvk_vf *)(void *)netdev;

	return vf;
}

/* --- The queue -------------------------------------------------------------------------- */

static void put(struct hvk_netdev *netdev, struct vf_operation *operation, struct hvk_request *request)
{
	struct hvk_vf *vf = hvk_vf_of(netdev);
	hvk_status status = HVK_EBUSY;

	operation->separate = netdev == &vf->separate;
	operation->known = netdev->info.capabilities;
	operation->request = request;
	hvk_request_begin(request);
	hvk_lock(vf->hvk, &vf->lock);
	if (vf->operation_count < HVK_VF_OPERATIONS_MAX) {
		vf->operations[vf->operation_count++] = *operation;
		status = HVK_OK;
	}
	hvk_unlock(vf->hvk, &vf->lock);
	if (status == HVK_OK)
		hvk_vf_kick(vf);
	else
		hvk_request_finish(vf->hvk, request, status, vf->cpu);
}

void hvk_vf_set_flags(struct hvk_netdev *netdev, uint32_t flags, struct hvk_request *request)
{
	struct vf_operation operation = {.operation = flags & HVK_NETDEV_UP ? HVK_VF_SET_UP : HVK_VF_SET_DOWN,
					 .value = flags};

	put(netdev, &operation, request);
}

void hvk_vf_set_enabled(struct hvk_netdev *netdev, uint32_t enabled, struct hvk_request *request)
{
	struct vf_operation operation = {.operation = HVK_VF_SET_ENABLED, .value = enabled};

	put(netdev, &operation, request);
}

void hvk_vf_set_mtu(struct hvk_netdev *netdev, uint32_t mtu, struct hvk_request *request)
{
	struct vf_operation operation = {.operation = HVK_VF_SET_MTU, .value = mtu};

	put(netdev, &operation, request);
}

void hvk_vf_set_multicast(struct hvk_netdev *netdev, const uint8_t (*groups)[6], uint32_t count,
			  struct hvk_request *request)
{
	struct vf_operation operation = {.operation = HVK_VF_SET_MULTICAST};
	struct hvk_vf *vf = hvk_vf_of(netdev);

	if (count > HVK_NETDEV_GROUPS_MAX) {
		hvk_request_begin(request);
		hvk_request_finish(vf->hvk, request, HVK_EINVAL, vf->cpu);
		return;
	}
	operation.groups.count = count;
	if (count != 0)
		memcpy(operation.groups.addresses, groups, (size_t)count * 6u);
	put(netdev, &operation, request);
}

void hvk_vf_set_rss(struct hvk_netdev *netdev, const struct hvk_netdev_rss *rss, struct hvk_request *request)
{
	struct vf_operation operation = {.operation = HVK_VF_SET_RSS, .rss = *rss};

	put(netdev, &operation, request);
}

void hvk_vf_refuse(struct hvk_netdev *netdev, struct hvk_request *request)
{
	struct hvk_vf *vf = hvk_vf_of(netdev);

	hvk_request_begin(request);
	hvk_request_finish(vf->hvk, request, HVK_ENOTSUP, vf->cpu);
}

bool hvk_vf_operation_take(struct hvk_vf *vf)
{
	bool found = false;

	hvk_lock(vf->hvk, &vf->lock);
	if (vf->operation_count != 0) {
		vf->operation = vf->operations[0];
		vf->operation_count--;
		memmove(&vf->operations[0], &vf->operations[1],
			vf->operation_count * sizeof(vf->operations[0]));
		vf->phase = VF_PHASE_TAKEN;
		found = true;
	}
	hvk_unlock(vf->hvk, &vf->lock);
	return found;
}

/* Those of one netdev, in whatever order they stand. */
void hvk_vf_operations_cancel(struct hvk_vf *vf, bool separate, hvk_status status)
{
	struct hvk_request *cancelled[HVK_VF_OPERATIONS_MAX];
	uint32_t count = 0, kept = 0;

	hvk_lock(vf->hvk, &vf->lock);
	for (uint32_t i = 0; i < vf->operation_count; i++) {
		if (vf->operations[i].separate == separate)
			cancelled[count++] = vf->operations[i].request;
		else
			vf->operations[kept++] = vf->operations[i];
	}
	vf->operation_count = kept;
	hvk_unlock(vf->hvk, &vf->lock);
	for (uint32_t i = 0; i < count; i++)
		hvk_request_finish(vf->hvk, cancelled[i], status, vf->cpu);
}

/* --- One of them ------------------------------------------------------------------------ */

static hvk_status check(const struct hvk_vf *vf, const struct vf_operation *operation)
{
	const struct hvk_netdev *netdev = operation->separate ? &vf->separate : &vf->netdev;

	if (operation->separate && !vf_is_here(vf))
		return HVK_EGONE;
	if (operation->operation == HVK_VF_SET_ENABLED && (operation->value & ~netdev->info.capabilities))
		return HVK_EINVAL;
	if (operation->operation == HVK_VF_SET_MTU && operation->value > netdev->info.mtu_max)
		return HVK_EINVAL;
	if (operation->operation == HVK_VF_SET_RSS && (operation->rss.types & ~netdev->info.rss_types))
		return HVK_EINVAL;
	return HVK_OK;
}

/* Down: the frames leave the VF first. MTU: the card is brought up anew, and begins with the data path. */
bool hvk_vf_operation_needs_card(const struct hvk_vf *vf)
{
	const struct vf_operation *operation = &vf->operation;

	if (check(vf, operation) != HVK_OK)
		return false;
	if (operation->separate)
		return operation->operation == HVK_VF_SET_DOWN || operation->operation == HVK_VF_SET_MTU;
	if (operation->operation == HVK_VF_SET_MTU)
		return operation->value != vf->card.netdev->info.mtu;
	return vf->config.transparent && operation->operation == HVK_VF_SET_DOWN;
}

/* The stack's choice, which is about the card's queues, in terms of the VF's table and queues. */
static void rss_for_vf(const struct hvk_vf *vf, struct hvk_netdev_rss *out)
{
	const struct hvk_netdev_info *its = &vf->vf.netdev->info, *card = &vf->card.netdev->info;
	const struct hvk_netdev_rss *wanted = &vf->operation.rss;
	uint32_t size = hvk_min32(card->rss_table_size, HVK_RSS_TABLE_MAX);

	*out = *wanted;
	if (vf->operation.separate || size == 0 || its->queues == 0)
		return;
	for (uint32_t i = 0; i < HVK_RSS_TABLE_MAX; i++)
		out->table[i] = (uint16_t)(wanted->table[i % size] % its->queues);
}

static hvk_status ask(struct hvk_vf *vf, struct vf_device *device, uint32_t value)
{
	const struct vf_operation *operation = &vf->operation;
	struct hvk_request *request = hvk_steps_request(&vf->steps);
	struct hvk_netdev_rss rss = operation->rss;

	switch (operation->operation) {
	case HVK_VF_SET_ENABLED:
		vf_device_set_enabled(device, value, request);
		break;
	case HVK_VF_SET_MTU:
		vf_device_set_mtu(device, value, request);
		break;
	case HVK_VF_SET_RSS:
		if (device == &vf->vf)
			rss_for_vf(vf, &rss);
		vf_device_set_rss(device, &rss, request);
		break;
	case HVK_VF_SET_MULTICAST:
		vf_device_set_multicast(device, &operation->groups, request);
		break;
	default:
		vf_device_set_flags(device, value, request);
		break;
	}
	return HVK_EINPROGRESS;
}

static bool is_flags(const struct vf_operation *operation)
{
	return operation->operation == HVK_VF_SET_UP || operation->operation == HVK_VF_SET_DOWN;
}

/* The VF has the groups of the card as all-multicast, and hears of flags when it is up. */
static bool asks_vf(const void *device)
{
	const struct hvk_vf *vf = device;
	const struct vf_operation *operation = &vf->operation;

	if (operation->separate)
		return !is_flags(operation);
	if (!vf_follows(vf) || is_flags(operation) || operation->operation == HVK_VF_SET_MULTICAST)
		return false;
	return operation->operation != HVK_VF_SET_RSS || vf->vf.ops->set_rss != NULL;
}

static hvk_status begin_vf(void *device)
{
	struct hvk_vf *vf = device;

	vf->undo_mtu = vf->vf.netdev->info.mtu;
	vf->undo_enabled = vf->vf.netdev->info.enabled;
	if (vf->operation.operation == HVK_VF_SET_RSS && vf_device_get_rss(&vf->vf, &vf->undo_rss) &&
	    !vf->saved.vf_rss_changed) {
		vf->saved.vf_rss_changed = true;
		vf->saved.vf_rss = vf->undo_rss;
	}
	return ask(vf, &vf->vf, vf->operation.value);
}

static void keep_groups(struct hvk_vf *vf)
{
	if (vf->operation.operation != HVK_VF_SET_MULTICAST)
		return;
	hvk_lock(vf->hvk, &vf->lock);
	vf->groups[vf->operation.separate] = vf->operation.groups;
	hvk_unlock(vf->hvk, &vf->lock);
}

/* A VF that vanishes meanwhile is no reason to refuse: the card is there. */
static hvk_status take_vf(void *device, const struct hvk_answer *answer)
{
	struct hvk_vf *vf = device;

	if (vf->operation.separate && answer->status == HVK_OK)
		keep_groups(vf);
	if (!vf->operation.separate && (answer->status == HVK_EGONE || !vf_is_here(vf)))
		return HVK_OK;
	return answer->status;
}

static bool asks_card(const void *device)
{
	return !((const struct hvk_vf *)device)->operation.separate;
}

/* The VF's word counts: what it has not switched on the card must not do either. Without one, what the stack
 * was not shown when it chose, because a VF that has left meanwhile lacked it, is none of its choice. */
static uint32_t card_enabled(const struct hvk_vf *vf)
{
	const struct hvk_netdev_info *info = &vf->card.netdev->info;

	if (!vf_follows(vf))
		return vf->operation.value | (info->enabled & ~vf->operation.known);
	return (vf->vf.netdev->info.enabled & info->capabilities) |
	       (info->enabled & HVK_NETDEV_RSS & ~vf->netdev.info.capabilities);
}

static hvk_status begin_card(void *device)
{
	struct hvk_vf *vf = device;
	uint32_t value = vf->operation.value;

	if (vf->operation.operation == HVK_VF_SET_ENABLED)
		value = card_enabled(vf);
	if (is_flags(&vf->operation)) {
		vf->undo_wish = vf->card_wish;
		vf_set_wish(&vf->card_wish, value);
		value = hvk_vf_card_flags(vf);
	}
	return ask(vf, &vf->card, value);
}

/* Which hashes both paths make alike from now on. */
static void take_rss(struct hvk_vf *vf)
{
	bool both = vf_follows(vf) && vf->vf.ops->set_rss != NULL;

	vf->saved.rss = false; /* the stack's own choice stays */
	if (!vf_is_active(vf) || !vf->config.transparent)
		return;
	__atomic_store_n(&vf->agreed_types, vf->operation.rss.types, __ATOMIC_RELAXED);
	__atomic_store_n(&vf->hash_hidden, !both, __ATOMIC_RELAXED);
}

/* What the stack wants, once the card has it. */
static hvk_status take_card(void *device, const struct hvk_answer *answer)
{
	struct hvk_vf *vf = device;

	if (answer->status != HVK_OK)
		return answer->status;
	keep_groups(vf);
	if (vf->operation.operation == HVK_VF_SET_ENABLED)
		vf->saved.card_enabled = (vf->saved.card_enabled & ~vf->operation.known) |
					 vf->operation.value;
	if (vf->operation.operation == HVK_VF_SET_RSS)
		take_rss(vf);
	return HVK_OK;
}

static bool changes_vf_flags(const void *device)
{
	const struct hvk_vf *vf = device;

	return vf_is_active(vf) && vf_is_here(vf) && vf->vf.netdev->info.flags != hvk_vf_flags(vf);
}

static hvk_status begin_vf_flags(void *device)
{
	struct hvk_vf *vf = device;

	vf_device_set_flags(&vf->vf, hvk_vf_flags(vf), hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

/* The card has them: the VF must not carry the frames then, but the stack has what it asked for. */
static hvk_status take_vf_flags(void *device, const struct hvk_answer *answer)
{
	struct hvk_vf *vf = device;

	if (answer->status == HVK_OK || vf->operation.separate)
		return answer->status;
	hvk_log(vf->hvk, HVK_LOG_WARN, "vf: flags refused: %s; the card carries the frames",
		hvk_status_text(answer->status));
	vf->unfit = true;
	vf->last_failure = answer->status;
	return HVK_OK;
}

static void done(void *device)
{
	struct hvk_vf *vf = device;

	vf->phase = VF_PHASE_DONE;
	hvk_vf_retry_now(vf);
	hvk_vf_news(vf);
}

/* --- Putting the VF back, if the card refused ------------------------------------------- */

static bool mends_vf(const void *device)
{
	const struct hvk_vf *vf = device;

	return vf_is_here(vf) && asks_vf(vf) && !vf->operation.separate;
}

static hvk_status begin_mend(void *device)
{
	struct hvk_vf *vf = device;

	if (vf->operation.operation == HVK_VF_SET_MTU && vf->vf.netdev->info.mtu != vf->undo_mtu)
		return ask(vf, &vf->vf, vf->undo_mtu);
	if (vf->operation.operation == HVK_VF_SET_ENABLED && vf->vf.netdev->info.enabled != vf->undo_enabled)
		return ask(vf, &vf->vf, vf->undo_enabled);
	if (vf->operation.operation == HVK_VF_SET_RSS && vf->vf.ops->get_rss) {
		vf_device_set_rss(&vf->vf, &vf->undo_rss, hvk_steps_request(&vf->steps));
		return HVK_EINPROGRESS;
	}
	return HVK_OK;
}

/* clang-format off */
static const struct hvk_step steps[] = {
	{"operation of the VF", asks_vf, begin_vf, take_vf, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"operation of the card", asks_card, begin_card, take_card,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"flags of the VF", changes_vf_flags, begin_vf_flags, take_vf_flags,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
};
static const struct hvk_step mend_steps[] = {
	{"VF as it was", mends_vf, begin_mend, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
};
/* clang-format on */

static const struct hvk_sequence mend_sequence = {mend_steps, 1, NULL, done};

static const struct hvk_sequence *failed(void *device, hvk_status status)
{
	struct hvk_vf *vf = device;

	vf->operation_status = status;
	if (is_flags(&vf->operation))
		vf_set_wish(vf->operation.separate ? &vf->vf_wish : &vf->card_wish, vf->undo_wish);
	return &mend_sequence;
}

static const struct hvk_sequence sequence = {steps, sizeof(steps) / sizeof(steps[0]), failed, done};

void hvk_vf_operation_start(struct hvk_vf *vf)
{
	const struct vf_operation *operation = &vf->operation;

	vf->phase = VF_PHASE_RUNNING;
	vf->operation_status = check(vf, operation);
	if (vf->operation_status != HVK_OK) {
		done(vf);
		return;
	}
	if (operation->separate && is_flags(operation)) {
		vf->undo_wish = vf->vf_wish;
		vf_set_wish(&vf->vf_wish, operation->value);
	}
	hvk_steps_start(&vf->steps, &sequence);
}

void hvk_vf_operation_finish(struct hvk_vf *vf)
{
	vf->phase = VF_PHASE_NONE;
	hvk_vf_publish(vf);
	hvk_request_finish(vf->hvk, vf->operation.request, vf->operation_status, vf->cpu);
}
