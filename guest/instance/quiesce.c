/* SPDX-License-Identifier: MIT */
/*
 * Stepping aside for a loaded system that still needs us, and coming back (iPXE b91cc983d, which does so
 * around each request of a network disk).
 */
#include "guest/hypervisor/hypervisor.h"
#include "guest/vmbus/bus.h"
#include "hvkit/handover.h"

/* Contact twice, UNLOAD and the offers, each with a time of its own. */
#define RECONNECT_MS 600000u

bool hvk_handover_quiesced(const struct hvk *hvk)
{
	return __atomic_load_n(&hvk->quiesced, __ATOMIC_ACQUIRE);
}

/* Nothing may be on its way: nobody will be there to hear the answer. */
static bool bus_is_still(struct hvk *hvk)
{
	const struct hvk_bus *bus = hvk->bus;
	bool still;

	hvk_lock(hvk, &hvk->bus->lock);
	still = bus->state == HVK_VMBUS_CONNECTED && !bus->request && !bus->out_first && !bus->gpadls &&
		!bus->gpadls_done && !bus->waiting;
	hvk_unlock(hvk, &hvk->bus->lock);
	return still;
}

static hvk_status check_quiesce(struct hvk *hvk)
{
	uint32_t self = hvk_cpu_index(hvk);

	if (hvk->quiesced || hvk->hypervisor.cpus_started != 1 || !hvk->cpus[self].started ||
	    hvk->cpus[self].event_timer.mode != HVK_EVENT_TIMER_OFF || !bus_is_still(hvk))
		return HVK_ESTATE;
	return hvk->cpus[self].polling || self != hvk->bus->config.cpu ? HVK_ECONTEXT : HVK_OK;
}

/* Whoever else uses SynIC here (a firmware's timer) must not interrupt the loaded system. */
static void mask_sints(struct hvk *hvk)
{
	for (uint32_t i = 0; i < HV_SINT_COUNT; i++) {
		enum hvk_register sint = (enum hvk_register)(HVK_REG_SINT0 + i);
		uint64_t value;

		if (i == VMBUS_SINT || hvk->port.reg_read(hvk->port.context, sint, &value) != HVK_OK ||
		    (value & HV_SINT_MASKED))
			continue;
		(void)hvk->port.reg_write(hvk->port.context, sint, value | HV_SINT_MASKED);
	}
}

hvk_status hvk_handover_quiesce(struct hvk *hvk)
{
	hvk_status status = check_quiesce(hvk);

	if (status != HVK_OK)
		return status;
	__atomic_store_n(&hvk->quiesced, true, __ATOMIC_RELEASE);
	mask_sints(hvk);
	hvk_synic_leave(hvk, &hvk->cpus[hvk_cpu_index(hvk)], HVK_LEAVE_QUIESCED);
	hvk_hypervisor_leave(hvk, HVK_LEAVE_QUIESCED);
	return HVK_OK;
}

/* Whose the hypervisor is now. */
static hvk_status check_owner(struct hvk *hvk)
{
	uint64_t os_id = 0, simp = 0;
	hvk_status status = hvk_register_read(hvk, HVK_REG_GUEST_OS_ID, &os_id);

	if (status == HVK_OK)
		status = hvk_register_read(hvk, HVK_REG_SIMP, &simp);
	if (status != HVK_OK)
		return status;
	if (os_id == HV_OS_ID_FIRMWARE)
		return HVK_EOWNED;
	if (simp & HV_PAGE_ENABLE)
		return HVK_EINUSE;
	if (os_id != 0)
		hvk_log(hvk, HVK_LOG_WARN, "identity 0x%llx was left behind, and is replaced",
			(unsigned long long)os_id);
	return HVK_OK;
}

static hvk_status come_back(struct hvk *hvk)
{
	struct hvk_cpu *cpu = &hvk->cpus[hvk_cpu_index(hvk)];
	hvk_status status = check_owner(hvk);

	if (status == HVK_OK)
		status = hvk_hypervisor_return(hvk);
	if (status != HVK_OK)
		return status;
	status = hvk_synic_return(hvk, cpu);
	if (status != HVK_OK) {
		hvk_synic_leave(hvk, cpu, HVK_LEAVE_QUIESCED);
		hvk_hypervisor_leave(hvk, HVK_LEAVE_QUIESCED);
	}
	return status;
}

hvk_status hvk_handover_unquiesce(struct hvk *hvk)
{
	uint32_t self = hvk_cpu_index(hvk);
	struct hvk_request request = {0};
	hvk_status status;

	if (!hvk->quiesced || hvk->bus->state != HVK_VMBUS_CONNECTED)
		return HVK_ESTATE; /* the latter: abandoned meanwhile, in a panic */
	if (self != hvk->bus->config.cpu || hvk->cpus[self].polling)
		return HVK_ECONTEXT;
	status = come_back(hvk);
	if (status != HVK_OK)
		return status;
	__atomic_store_n(&hvk->quiesced, false, __ATOMIC_RELEASE);
	hvk_vmbus_reconnect(hvk, &request);
	return hvk_wait(hvk, &request, RECONNECT_MS);
}
