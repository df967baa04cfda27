/* SPDX-License-Identifier: MIT */
/*
 * Another MTU. The host takes one in NDIS_CONFIG alone, which it hears once in a channel's life: so
 * the card is taken down by the steps of detach, with transmit paused, and brought up by those of
 * attach with all that was set. If that fails, once more with the MTU of before; if that fails too,
 * the card is gone.
 */
#include "guest/netvsc/netvsc_internal.h"

#ifndef HVK_CONFIG_SMALL /* small.c */

static void begin(struct hvk_netvsc *nic, enum netvsc_restart restart, uint32_t mtu)
{
	nic->restart = restart;
	nic->wanted.mtu = mtu;
	nic->going_down = true;
	hvk_netvsc_take_down(nic);
}

void hvk_netvsc_mtu_start(struct hvk_netvsc *nic, uint32_t mtu)
{
	hvk_lock(nic->hvk, &nic->lock);
	netvsc_set_state(nic, NETVSC_RESTARTING);
	hvk_unlock(nic->hvk, &nic->lock);
	nic->operation_status = HVK_OK;
	nic->info_was = nic->netdev.info;
	nic->nvs_was = nic->nvs_version;
	nic->mtu_was = nic->set.mtu;
	begin(nic, NETVSC_RESTART_MTU, mtu);
}

static void fail(struct hvk_netvsc *nic, hvk_status status)
{
	if (nic->operation_status == HVK_OK)
		nic->operation_status = status;
}

/* Why it is not up again. */
static hvk_status reason(struct hvk_netvsc *nic)
{
	if (netvsc_lost(nic) != HVK_OK)
		return HVK_EGONE;
	return hvk_netvsc_unwanted(nic) ? HVK_ECANCELED : nic->result;
}

/* It is up again; false: but not as it was asked for. */
static bool is_as_asked(const struct hvk_netvsc *nic)
{
	return nic->restart != NETVSC_RESTART_MTU || nic->netdev.info.mtu == nic->wanted.mtu;
}

/* The end of it, one way or the other. */
static bool over(struct hvk_netvsc *nic)
{
	nic->restart = NETVSC_RESTART_NONE;
	nic->nvs_was = 0;
	return false;
}

static bool down_goes_on(struct hvk_netvsc *nic)
{
	nic->going_down = false;
	if (hvk_netvsc_unwanted(nic)) {
		fail(nic, reason(nic));
		return over(nic);
	}
	hvk_netvsc_bring_up(nic);
	return true;
}

bool hvk_netvsc_mtu_goes_on(struct hvk_netvsc *nic)
{
	if (nic->going_down)
		return down_goes_on(nic);
	if (nic->next == NETVSC_ATTACHED) {
		if (is_as_asked(nic))
			return over(nic);
		fail(nic, HVK_EREFUSED_RNDIS); /* the host grants less */
		begin(nic, NETVSC_RESTART_MTU_BACK, nic->mtu_was);
		return true;
	}
	fail(nic, reason(nic));
	if (nic->restart == NETVSC_RESTART_MTU_BACK || hvk_netvsc_unwanted(nic))
		return over(nic);
	nic->restart = NETVSC_RESTART_MTU_BACK;
	nic->wanted.mtu = nic->mtu_was;
	hvk_netvsc_bring_up(nic);
	return true;
}

#endif
