/* SPDX-License-Identifier: MIT */
/* Link, its speed, and what else the host says by INDICATE_STATUS. */
#include "guest/netvsc/netvsc_internal.h"

#define SPEED_UNIT 100u /* bit/s */

/* --- Asking -------------------------------------------------------------------------- */

hvk_status hvk_netvsc_take_word(const struct hvk_answer *answer, uint32_t *value)
{
	if (answer->status == HVK_EREFUSED_RNDIS)
		return HVK_OK;
	if (answer->status != HVK_OK)
		return answer->status;
	if (answer->length != sizeof(*value))
		return HVK_EHOST_VALUE;
	memcpy(value, answer->payload, sizeof(*value));
	return HVK_OK;
}

hvk_status hvk_netvsc_begin_link(void *device)
{
	struct hvk_netvsc *nic = device;

	return hvk_netvsc_steps_query(nic, RNDIS_OID_GEN_MEDIA_CONNECT_STATUS, NULL, 0);
}

bool hvk_netvsc_has_speed(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return nic->nvs_version >= NVS_VERSION_5;
}

hvk_status hvk_netvsc_begin_speed(void *device)
{
	struct hvk_netvsc *nic = device;

	return hvk_netvsc_steps_query(nic, RNDIS_OID_GEN_LINK_SPEED, NULL, 0);
}

/* A host that does not say is taken to be connected, as it was before. */
void hvk_netvsc_link_answered(struct hvk_netvsc *nic, const struct hvk_answer *answer)
{
	uint32_t disconnected = 0;

	(void)hvk_netvsc_take_word(answer, &disconnected);
	hvk_netvsc_set_link(nic, disconnected == 0);
}

void hvk_netvsc_speed_answered(struct hvk_netvsc *nic, const struct hvk_answer *answer)
{
	uint32_t speed = 0;

	if (hvk_netvsc_take_word(answer, &speed) == HVK_OK && answer->status == HVK_OK)
		nic->netdev.info.link_speed = (uint64_t)speed * SPEED_UNIT;
}

/* --- Link ------------------------------------------------------------------------------------ */

void hvk_netvsc_set_link(struct hvk_netvsc *nic, bool up)
{
	struct hvk_netdev *netdev = &nic->netdev;

	if (netdev->info.link_up == up)
		return;
	netdev->info.link_up = up;
	if (netvsc_state(nic) == NETVSC_ATTACHED && netdev->hooks.link_changed)
		netdev->hooks.link_changed(netdev->hooks.context, netdev, up);
}

/* On a CPU that the card need not be on. */
static void debounced(struct hvk_timer *timer, void *context)
{
	struct hvk_netvsc *nic = context;

	(void)timer;
	__atomic_store_n(&nic->debounced, true, __ATOMIC_SEQ_CST);
	hvk_netvsc_kick(nic);
}

void hvk_netvsc_link_init(struct hvk_netvsc *nic)
{
	nic->debounce.fire = debounced;
	nic->debounce.context = nic;
	nic->debounce.deadline = HVK_NEVER;
	nic->debounce.cpu = nic->config.cpu;
}

void hvk_netvsc_link_quiet(struct hvk_netvsc *nic)
{
	hvk_timer_stop(nic->hvk, &nic->debounce);
	__atomic_store_n(&nic->debounced, false, __ATOMIC_SEQ_CST);
	nic->query_link = false;
	nic->query_speed = false;
}

/* Another network behind the same cable: down for a while, so that addresses are asked for again and
 * those above notice (FreeBSD, Linux), then whatever the host says by then. One that comes
 * meanwhile begins the while anew. */
static void network_changed(struct hvk_netvsc *nic)
{
	if (netvsc_state(nic) != NETVSC_ATTACHED)
		return; /* it will be asked for */
	nic->query_link = false;
	hvk_netvsc_set_link(nic, false);
	hvk_timer_start(nic->hvk, &nic->debounce, nic->config.cpu, HVK_NETVSC_DEBOUNCE_MS);
}

/* While the network settles, what is said of the link is part of that. */
static void media_changed(struct hvk_netvsc *nic, bool up)
{
	if (!hvk_timer_running(&nic->debounce))
		hvk_netvsc_set_link(nic, up);
}

static void speed_changed(struct hvk_netvsc *nic)
{
	if (netvsc_state(nic) != NETVSC_ATTACHED || !hvk_netvsc_has_speed(nic))
		return;
	nic->query_speed = true;
	hvk_netvsc_kick(nic);
}

void hvk_netvsc_indicate_status(struct hvk_netvsc *nic, const struct hvk_shared *range)
{
	uint32_t value;
	hvk_status status = hvk_rndis_parse_status(range, &value);

	if (status != HVK_OK) {
		hvk_netvsc_fault(nic, status, "INDICATE_STATUS too short");
		return;
	}
	switch (value) {
	case RNDIS_STATUS_MEDIA_CONNECT:
		media_changed(nic, true);
		return;
	case RNDIS_STATUS_MEDIA_DISCONNECT:
		media_changed(nic, false);
		return;
	case RNDIS_STATUS_NETWORK_CHANGE:
		network_changed(nic);
		return;
	case RNDIS_STATUS_LINK_SPEED_CHANGE:
		speed_changed(nic);
		return;
	case RNDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG:
		break; /* follows what we set ourselves; Linux and FreeBSD ignore it too */
	default:
		hvk_log(nic->hvk, HVK_LOG_DEBUG, "netvsc: unknown status %08x", value);
		break;
	}
	netvsc_count(&netvsc_primary(nic)->counters.status_ignored, 1);
}
