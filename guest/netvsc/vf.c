/* SPDX-License-Identifier: MIT */
/*
 * A VF beside the card, as the host speaks of it on the card's channel: whether one is allocated, and where
 * frames for the guest go. What is done with it is guest/vf's.
 */
#include "guest/netvsc/netvsc_internal.h"

#ifndef HVK_CONFIG_SMALL /* small.c */

void hvk_netvsc_tell_association(struct hvk_netvsc *nic)
{
	void (*changed)(void *context, struct hvk_netvsc *nic);
	void *context;

	hvk_lock(nic->hvk, &nic->lock);
	changed = nic->association_changed;
	context = nic->association_context;
	hvk_unlock(nic->hvk, &nic->lock);
	if (changed)
		changed(context, nic);
}

static void set(struct hvk_netvsc *nic, bool allocated, uint32_t serial)
{
	hvk_lock(nic->hvk, &nic->lock);
	nic->association.allocated = allocated;
	nic->association.serial = serial;
	nic->association.generation++;
	hvk_unlock(nic->hvk, &nic->lock);
	hvk_netvsc_tell_association(nic);
}

/* To a guest that did not ask for a VF it means nothing. */
void hvk_netvsc_take_association(struct hvk_netvsc *nic, const uint8_t *payload, uint32_t length)
{
	bool allocated = false;
	uint32_t serial = 0;
	hvk_status status = hvk_nvs_parse_association(payload, length, &allocated, &serial);

	if (status != HVK_OK) {
		hvk_netvsc_fault(nic, status, "VF association too short");
		return;
	}
	if (!nic->config.vf)
		return;
	hvk_log(nic->hvk, HVK_LOG_INFO, "netvsc: VF %s, serial 0x%x", allocated ? "allocated" : "taken back",
		serial);
	set(nic, allocated, serial);
}

void hvk_netvsc_forget_association(struct hvk_netvsc *nic)
{
	if (nic->config.vf)
		set(nic, false, 0);
}

/* --- The data path -------------------------------------------------------------------------- */

hvk_status hvk_netvsc_prepare_data_path(struct hvk_netvsc *nic)
{
	if (nic->nvs_version < NVS_VERSION_4)
		return HVK_ENOTSUP;
	nic->to_do |= NETVSC_DO_DATA_PATH;
	return HVK_OK;
}

/* Old hosts answer at once, with nothing in it; newer ones when the switch is done. */
hvk_status hvk_netvsc_begin_data_path(void *device)
{
	struct hvk_netvsc *nic = device;
	struct hvk_nvs_message message;

	hvk_nvs_build_data_path(&message, nic->nvs_version, nic->operation.value != 0);
	return hvk_netvsc_steps_nvs(nic, &message);
}

#endif

/* --- Public: with HVK_CONFIG_SMALL too, where config.vf is never set and so each refuses ---------- */

uint32_t hvk_netvsc_cpu(const struct hvk_netvsc *nic)
{
	return nic->config.cpu;
}

hvk_status hvk_netvsc_set_association_hook(struct hvk_netvsc *nic,
					   void (*changed)(void *context, struct hvk_netvsc *nic),
					   void *context)
{
	if (!nic->config.vf)
		return HVK_EINVAL;
	hvk_lock(nic->hvk, &nic->lock);
	nic->association_changed = changed;
	nic->association_context = context;
	hvk_unlock(nic->hvk, &nic->lock);
	return HVK_OK;
}

void hvk_netvsc_get_association(const struct hvk_netvsc *nic, struct hvk_netvsc_association *out)
{
	struct hvk_netvsc *own = (struct hvk_netvsc *)(uintptr_t)nic;

	hvk_lock(own->hvk, &own->lock);
	*out = own->association;
	hvk_unlock(own->hvk, &own->lock);
}

void hvk_netvsc_switch_data_path(struct hvk_netvsc *nic, bool to_vf, struct hvk_request *request)
{
	const struct netvsc_operation operation = {
		.kind = NETVSC_OPERATION_DATA_PATH, .request = request, .value = to_vf};

	hvk_netvsc_ask(nic, &operation, nic->config.vf ? HVK_OK : HVK_ENOTSUP);
}
