/* SPDX-License-Identifier: MIT */
/*
 * While attached: what the user asks for, in the order of the calls, and what the host makes
 * necessary (link, speed, sub-channels that come and go). One at a time, each as the same
 * sequence of steps, of which it takes those that it needs (nic->to_do). What is to be is in
 * nic->wanted until the host has agreed to all of it; if it refuses a part, what was is put back.
 */
#include "guest/netvsc/netvsc_internal.h"

#define KNOWN_FLAGS (HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST | HVK_NETDEV_PROMISCUOUS)
#define MAC_MULTICAST 1u
#define TX_OFFLOADS (HVK_NETDEV_TX_CHECKSUMS | HVK_NETDEV_TSO4 | HVK_NETDEV_TSO6)
#define NOT_BY_NDIS (HVK_NETDEV_TX_VLAN | HVK_NETDEV_RX_VLAN | HVK_NETDEV_RSS)

/* --- Filter -------------------------------------------------------------------------- */

/* No host keeps a list of groups for us: any group takes all of them in (Linux, FreeBSD), and the list
 * is looked at here. */
static uint32_t filter_of(const struct netvsc_settings *settings)
{
	uint32_t filter = RNDIS_FILTER_DIRECTED | RNDIS_FILTER_BROADCAST;

	if (!(settings->flags & HVK_NETDEV_UP))
		return 0;
	if ((settings->flags & HVK_NETDEV_ALL_MULTICAST) || settings->groups.count != 0)
		filter |= RNDIS_FILTER_ALL_MULTICAST;
	if (settings->flags & HVK_NETDEV_PROMISCUOUS)
		filter |= RNDIS_FILTER_PROMISCUOUS;
	return filter;
}

hvk_status hvk_netvsc_begin_filter(void *device)
{
	struct hvk_netvsc *nic = device;
	uint32_t filter = filter_of(&nic->wanted);

	return hvk_netvsc_steps_set(nic, RNDIS_OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
}

bool hvk_netvsc_group_wanted(struct hvk_netvsc *nic, const uint8_t address[6])
{
	const struct netvsc_groups *groups = &nic->set.groups;
	bool wanted;

	hvk_lock(nic->hvk, &nic->lock);
	wanted = (nic->set.flags & (HVK_NETDEV_ALL_MULTICAST | HVK_NETDEV_PROMISCUOUS)) != 0;
	for (uint32_t i = 0; !wanted && i < groups->count; i++)
		wanted = memcmp(groups->addresses[i], address, sizeof(groups->addresses[i])) == 0;
	hvk_unlock(nic->hvk, &nic->lock);
	return wanted;
}

/* --- Asking ------------------------------------------------------------------------------ */

static hvk_status enqueue(struct hvk_netvsc *nic, const struct netvsc_operation *operation)
{
	enum netvsc_state state = netvsc_state(nic);

	if (netvsc_lost(nic) != HVK_OK)
		return HVK_EGONE;
	if (state != NETVSC_ATTACHED && state != NETVSC_RESTARTING)
		return HVK_ESTATE;
	if (nic->operation_count == HVK_NETVSC_OPERATIONS)
		return HVK_EBUSY;
	nic->operations[nic->operation_count++] = *operation;
	return HVK_OK;
}

void hvk_netvsc_ask(struct hvk_netvsc *nic, const struct netvsc_operation *operation, hvk_status status)
{
	struct hvk_request *request = operation->request;

	hvk_request_begin(request);
	hvk_lock(nic->hvk, &nic->lock);
	if (status == HVK_OK)
		status = enqueue(nic, operation);
	hvk_unlock(nic->hvk, &nic->lock);
	if (status == HVK_OK)
		hvk_netvsc_kick(nic);
	else
		hvk_request_finish(nic->hvk, request, status, nic->config.cpu);
}

void hvk_netvsc_set_flags(struct hvk_netdev *netdev, uint32_t flags, struct hvk_request *request)
{
	const struct netvsc_operation operation = {
		.kind = NETVSC_OPERATION_FLAGS, .request = request, .value = flags};

	hvk_netvsc_ask((struct hvk_netvsc *)netdev, &operation, flags & ~KNOWN_FLAGS ? HVK_EINVAL : HVK_OK);
}

void hvk_netvsc_set_enabled(struct hvk_netdev *netdev, uint32_t enabled, struct hvk_request *request)
{
	const struct netvsc_operation operation = {
		.kind = NETVSC_OPERATION_ENABLED, .request = request, .value = enabled};

	hvk_netvsc_ask((struct hvk_netvsc *)netdev, &operation,
		       enabled & ~HVK_NETDEV_ALL_OFFLOADS ? HVK_EINVAL : HVK_OK);
}

void hvk_netvsc_set_mtu(struct hvk_netdev *netdev, uint32_t mtu, struct hvk_request *request)
{
	const struct netvsc_operation operation = {
		.kind = NETVSC_OPERATION_MTU, .request = request, .value = mtu};

	hvk_netvsc_ask((struct hvk_netvsc *)netdev, &operation,
		       mtu < HVK_NETVSC_MTU_MIN || mtu > HVK_NETVSC_MTU_MAX ? HVK_EINVAL : HVK_OK);
}

void hvk_netvsc_set_multicast(struct hvk_netdev *netdev, const uint8_t (*groups)[6], uint32_t count,
			      struct hvk_request *request)
{
	struct netvsc_operation operation = {.kind = NETVSC_OPERATION_MULTICAST, .request = request};
	hvk_status status = count <= HVK_NETDEV_GROUPS_MAX ? HVK_OK : HVK_EINVAL;

	for (uint32_t i = 0; status == HVK_OK && i < count; i++) {
		memcpy(operation.groups.addresses[i], groups[i], sizeof(groups[i]));
		if (!(groups[i][0] & MAC_MULTICAST))
			status = HVK_EINVAL;
	}
	operation.groups.count = count;
	hvk_netvsc_ask((struct hvk_netvsc *)netdev, &operation, status);
}

void hvk_netvsc_set_rss(struct hvk_netdev *netdev, const struct hvk_netdev_rss *rss,
			struct hvk_request *request)
{
	struct netvsc_operation operation = {.kind = NETVSC_OPERATION_RSS, .request = request};

	operation.rss = *rss;
	hvk_netvsc_ask((struct hvk_netvsc *)netdev, &operation, HVK_OK);
}

void hvk_netvsc_refuse(struct hvk_netdev *netdev, struct hvk_request *request)
{
	struct hvk_netvsc *nic = (struct hvk_netvsc *)netdev;

	hvk_request_begin(request);
	hvk_request_finish(nic->hvk, request, HVK_ENOTSUP, nic->config.cpu);
}

/* --- The end of one ------------------------------------------------------------------------ */

void hvk_netvsc_settle(struct hvk_netvsc *nic)
{
	struct hvk_netdev_info *info = &nic->netdev.info;
	bool up = (nic->wanted.flags & HVK_NETDEV_UP) != 0;

	nic->wanted.enabled &= info->capabilities;
	nic->wanted.mtu = info->mtu;
	hvk_lock(nic->hvk, &nic->lock);
	nic->set = nic->wanted;
	info->queues = hvk_netvsc_queues_usable(nic);
	hvk_unlock(nic->hvk, &nic->lock);
	info->flags = nic->set.flags;
	__atomic_store_n(&info->enabled, nic->set.enabled, __ATOMIC_RELAXED); /* queues read it */
	__atomic_store_n(&nic->receiving, up, __ATOMIC_RELAXED);
	hvk_netvsc_transmit_open(nic, up ? NETVSC_TX_OPEN : NETVSC_TX_CLOSED);
}

void hvk_netvsc_operation_finish(struct hvk_netvsc *nic, hvk_status status)
{
	hvk_request_finish(nic->hvk, nic->operation.request, status, nic->config.cpu); /* NULL: none */
	nic->operation.request = NULL;
	nic->operation.kind = NETVSC_OPERATION_NONE;
}

static void done(void *device)
{
	struct hvk_netvsc *nic = device;
	uint32_t enabled = nic->netdev.info.enabled;
	bool news = nic->news;

	if (netvsc_lost(nic) == HVK_OK)
		hvk_netvsc_settle(nic);
	if (nic->operation.kind != NETVSC_OPERATION_ENABLED)
		news |= enabled != nic->netdev.info.enabled;
	hvk_netvsc_operation_finish(nic, nic->operation_status);
	if (news && netvsc_lost(nic) == HVK_OK)
		hvk_netvsc_info_changed(nic);
	hvk_netvsc_kick(nic); /* for the next */
}

static const struct hvk_sequence operation_sequence, end_sequence;

/* The host said no to a part: the rest of what it was told is taken back. RSS that cannot even be put back
 * is off. */
static const struct hvk_sequence *failed(void *device, hvk_status status)
{
	struct hvk_netvsc *nic = device;
	uint32_t told = nic->to_do & (NETVSC_DO_OFFLOADS | NETVSC_DO_RSS);
	uint32_t left = nic->to_do & NETVSC_DO_CLOSE; /* whatever the host says */

	if (nic->operation_status == HVK_OK) {
		nic->operation_status = status;
		if (status == HVK_EREFUSED_RNDIS)
			left |= told;
	} else if (told & NETVSC_DO_RSS) {
		nic->set.enabled &= ~HVK_NETDEV_RSS;
	}
	nic->wanted = nic->set;
	nic->to_do = left;
	return left == 0 || hvk_netvsc_unwanted(nic) ? &end_sequence : &operation_sequence;
}

/* --- The steps -------------------------------------------------------------------------------- */

#define TO_DO(name, bit)                               \
	static bool name(const void *device)           \
	{                                              \
		const struct hvk_netvsc *nic = device; \
                                                       \
		return (nic->to_do & (bit)) != 0;      \
	}
TO_DO(drains, NETVSC_DO_DRAIN)
TO_DO(sets_offloads, NETVSC_DO_OFFLOADS)
TO_DO(opens, NETVSC_DO_OPEN)
TO_DO(sets_rss, NETVSC_DO_RSS)
TO_DO(closes, NETVSC_DO_CLOSE)
TO_DO(sets_filter, NETVSC_DO_FILTER)
TO_DO(asks_link, NETVSC_DO_LINK)
TO_DO(asks_speed, NETVSC_DO_SPEED)
TO_DO(switches, NETVSC_DO_DATA_PATH)

static bool sets_rss_on(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return sets_rss(nic) && hvk_netvsc_wants_rss(nic);
}

static hvk_status begin_pause(void *device)
{
	struct hvk_netvsc *nic = device;

	__atomic_store_n(&nic->netdev.info.enabled, nic->netdev.info.enabled & nic->wanted.enabled,
			 __ATOMIC_RELAXED);
	hvk_netvsc_transmit_open(nic, NETVSC_TX_PAUSED);
	return HVK_OK;
}

static hvk_status take_link(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
	hvk_netvsc_link_answered(nic, answer);
	return HVK_OK;
}

static hvk_status take_speed(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
	hvk_netvsc_speed_answered(nic, answer);
	return HVK_OK;
}

/* clang-format off */
static const struct hvk_step steps[] = {
	/* name                 wanted         begin                      answered */
	{"transmit paused",     drains,        begin_pause,               NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"drain",               drains,        hvk_netvsc_begin_drain,    NULL,
	 NETVSC_WAIT_GRACE, HVK_ETIMEDOUT_SEND, true},
	{"OFFLOAD_PARAMETERS",  sets_offloads, hvk_netvsc_begin_offloads, hvk_netvsc_take_offloads,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_SET, false},
	{"sub-channels opened", opens,         hvk_netvsc_begin_open,     hvk_netvsc_take_open,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_OPEN, true},
	{"RSS off",             sets_rss,      hvk_netvsc_begin_rss_off,  NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_SET, false},
	{"RSS",                 sets_rss_on,   hvk_netvsc_begin_rss,      NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_SET, false},
	{"sub-channels closed", closes,        hvk_netvsc_begin_close_lost, hvk_netvsc_take_close,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_TEARDOWN, true},
	{"packet filter",       sets_filter,   hvk_netvsc_begin_filter,   NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_SET, false},
	{"SWITCH_DATA_PATH",    switches,      hvk_netvsc_begin_data_path, NULL,
	 NETVSC_WAIT_DEVICE, HVK_ETIMEDOUT_DATA_PATH, false},
	{"link status",         asks_link,     hvk_netvsc_begin_link,     take_link,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_QUERY, true},
	{"link speed",          asks_speed,    hvk_netvsc_begin_speed,    take_speed,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_QUERY, true},
};
/* clang-format on */

static const struct hvk_sequence operation_sequence = {steps, sizeof(steps) / sizeof(steps[0]), failed, done};
static const struct hvk_sequence end_sequence = {NULL, 0, NULL, done};

/* --- Beginning one --------------------------------------------------------------------------------- */

static bool dequeue(struct hvk_netvsc *nic, struct netvsc_operation *operation)
{
	bool found = false;

	hvk_lock(nic->hvk, &nic->lock);
	if (nic->operation_count != 0) {
		*operation = nic->operations[0];
		nic->operation_count--;
		memmove(&nic->operations[0], &nic->operations[1], nic->operation_count * sizeof(*operation));
		found = true;
	}
	hvk_unlock(nic->hvk, &nic->lock);
	return found;
}

static uint32_t rss_to_do(const struct hvk_netvsc *nic)
{
	return nic->rss.table_size != 0 ? NETVSC_DO_RSS : 0;
}

/* Nothing that is to be switched off may be asked for by a frame that the host has not seen. */
static hvk_status prepare_enabled(struct hvk_netvsc *nic)
{
	uint32_t enabled = nic->operation.value, changed = enabled ^ nic->set.enabled;

	if (enabled & ~nic->netdev.info.capabilities)
		return HVK_EINVAL;
	nic->wanted.enabled = enabled;
	if (changed & ~NOT_BY_NDIS)
		nic->to_do |= NETVSC_DO_OFFLOADS;
	if (changed & ~enabled & TX_OFFLOADS)
		nic->to_do |= NETVSC_DO_DRAIN;
	if (changed & HVK_NETDEV_RSS)
		nic->to_do |= rss_to_do(nic);
	return HVK_OK;
}

static hvk_status prepare_rss(struct hvk_netvsc *nic)
{
	hvk_status status = hvk_netvsc_rss_check(nic, &nic->operation.rss);

	if (status != HVK_OK)
		return status;
	nic->wanted.rss = nic->operation.rss;
	nic->wanted.table_set = true;
	if (nic->set.enabled & HVK_NETDEV_RSS)
		nic->to_do |= NETVSC_DO_RSS;
	return HVK_OK;
}

static void prepare_filter(struct hvk_netvsc *nic)
{
	if (nic->operation.kind == NETVSC_OPERATION_FLAGS)
		nic->wanted.flags = nic->operation.value;
	else
		nic->wanted.groups = nic->operation.groups;
	if (nic->operation.kind == NETVSC_OPERATION_FLAGS || filter_of(&nic->wanted) != filter_of(&nic->set))
		nic->to_do |= NETVSC_DO_FILTER;
}

/* What it takes, or why it cannot be. */
static hvk_status prepare(struct hvk_netvsc *nic)
{
	nic->to_do = 0;
	nic->news = false;
	nic->wanted = nic->set;
	nic->operation_status = HVK_OK;
	switch (nic->operation.kind) {
	case NETVSC_OPERATION_FLAGS:
	case NETVSC_OPERATION_MULTICAST:
		prepare_filter(nic);
		return HVK_OK;
	case NETVSC_OPERATION_ENABLED:
		return prepare_enabled(nic);
	case NETVSC_OPERATION_RSS:
		return prepare_rss(nic);
	case NETVSC_OPERATION_MTU:
		return nic->operation.value > nic->netdev.info.mtu_max ? HVK_EINVAL : HVK_OK;
	case NETVSC_OPERATION_DATA_PATH:
		return hvk_netvsc_prepare_data_path(nic);
	case NETVSC_OPERATION_NONE:
		break;
	}
	return HVK_OK;
}

/* The host's own news go first: a queue that is gone gets frames until the table is right again. */
static bool prepare_news(struct hvk_netvsc *nic)
{
	uint32_t news = hvk_netvsc_subchannels_news(nic);

	/* If the timer runs, another change came just when it fired. */
	if (__atomic_exchange_n(&nic->debounced, false, __ATOMIC_SEQ_CST) &&
	    !hvk_timer_running(&nic->debounce))
		nic->query_link = true;
	if (nic->query_link)
		news |= NETVSC_DO_LINK;
	if (nic->query_speed)
		news |= NETVSC_DO_SPEED;
	nic->query_link = false;
	nic->query_speed = false;
	if (news == 0)
		return false;
	nic->operation.kind = NETVSC_OPERATION_NONE;
	(void)prepare(nic);
	if (!(nic->set.enabled & HVK_NETDEV_RSS))
		news &= ~NETVSC_DO_RSS;
	nic->to_do = news;
	nic->news = (news & ~NETVSC_DO_LINK) != 0;
	if (news & NETVSC_DO_CLOSE)
		nic->netdev.info.queues = hvk_netvsc_queues_usable(nic);
	return true;
}

static void start(struct hvk_netvsc *nic)
{
	hvk_status status = prepare(nic);

	if (status != HVK_OK) {
		hvk_netvsc_operation_finish(nic, status);
		hvk_netvsc_kick(nic);
	} else if (nic->operation.kind == NETVSC_OPERATION_MTU && nic->operation.value != nic->set.mtu) {
		hvk_netvsc_mtu_start(nic, nic->operation.value);
	} else {
		hvk_steps_start(&nic->steps, &operation_sequence);
	}
}

/* The host's wishes go first, but every other time: it is not to keep the user from his. */
bool hvk_netvsc_operations_run(struct hvk_netvsc *nic, bool others_wait)
{
	bool had_turn = nic->news_had_turn;

	if (nic->steps.sequence)
		return true;
	if (netvsc_state(nic) != NETVSC_ATTACHED || netvsc_lost(nic) != HVK_OK)
		return false;
	nic->news_had_turn = false;
	if (had_turn && dequeue(nic, &nic->operation)) {
		start(nic);
		return true;
	}
	if (!(had_turn && others_wait) && prepare_news(nic)) {
		nic->news_had_turn = true;
		hvk_steps_start(&nic->steps, &operation_sequence);
		return true;
	}
	if (!dequeue(nic, &nic->operation))
		return false;
	start(nic);
	return true;
}

void hvk_netvsc_operations_cancel(struct hvk_netvsc *nic, hvk_status status)
{
	struct netvsc_operation operation;

	for (uint32_t i = 0; i < HVK_NETVSC_OPERATIONS && dequeue(nic, &operation); i++)
		hvk_request_finish(nic->hvk, operation.request, status, nic->config.cpu);
}
