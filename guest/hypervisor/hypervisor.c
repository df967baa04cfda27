/* SPDX-License-Identifier: MIT */
/* Taking the hypervisor, giving it back as it was found. */
#include "guest/hypervisor/hypervisor.h"

/* Others show "Hv#1" with an unusable part of it (iPXE b6889eaa1): look at the bits. */
static hvk_status check_privileges(struct hvk *hvk, const struct hvk_hypervisor_info *info)
{
	uint32_t access = HV_ACCESS_SYNIC | HV_ACCESS_HYPERCALL;
	uint32_t privileges = HV_PRIVILEGE_POST_MESSAGES | HV_PRIVILEGE_SIGNAL_EVENTS;

	if ((info->access & access) == access && (info->privileges & privileges) == privileges)
		return HVK_OK;
	hvk_log(hvk, HVK_LOG_ERROR,
		"access 0x%x lacks 0x%x of SynIC and hypercalls, privileges 0x%x lack 0x%x", info->access,
		access & ~info->access, info->privileges, privileges & ~info->privileges);
	return HVK_EPRIVILEGE;
}

static hvk_status check_owner(struct hvk *hvk, uint64_t *os_id)
{
	hvk_status status = hvk_register_read(hvk, HVK_REG_GUEST_OS_ID, os_id);

	if (status != HVK_OK)
		return status;
	if (*os_id == HV_OS_ID_FIRMWARE)
		return HVK_EOWNED;
	return *os_id != 0 && !hvk->config.take_over ? HVK_EINUSE : HVK_OK;
}

/* The identity last: without one there is no hypercall page. */
void hvk_hypervisor_leave(struct hvk *hvk, enum hvk_leave how)
{
	struct hvk_hypervisor *hv = &hvk->hypervisor;
	void *context = hvk->port.context;
	bool as_found = how == HVK_LEAVE_AS_FOUND;
	bool was_enabled = as_found && (hv->saved_hypercall & HV_PAGE_ENABLE) != 0;

	if (hv->info.reference_tsc)
		(void)hvk->port.reg_write(context, HVK_REG_REFERENCE_TSC,
					  as_found ? hv->saved_tsc : hv->saved_tsc & HV_PAGE_RESERVED_MASK);
	hv->info.reference_tsc = false;
	if (!hv->taken)
		return;
	(void)hvk->port.reg_write(context, HVK_REG_HYPERCALL,
				  as_found ? hv->saved_hypercall & ~HV_PAGE_ENABLE
					   : hv->saved_hypercall & HV_HYPERCALL_RESERVED_MASK);
	(void)hvk->port.reg_write(context, HVK_REG_GUEST_OS_ID, as_found ? hv->saved_os_id : 0);
	if (was_enabled)
		(void)hvk->port.reg_write(context, HVK_REG_HYPERCALL, hv->saved_hypercall);
	hv->taken = false;
}

static void give_back(struct hvk *hvk)
{
	struct hvk_hypervisor *hv = &hvk->hypervisor;

	hv->started = false;
	hvk_hypervisor_leave(hvk, HVK_LEAVE_AS_FOUND);
	hvk_pages_put(hvk, &hv->crash_page);
	hvk_pages_put(hvk, &hv->tsc_page);
	hvk_pages_put(hvk, &hv->input_page);
	hvk_pages_put(hvk, &hv->hypercall_page);
	hv->info = (struct hvk_hypervisor_info){0};
}

static hvk_status enable_hypercalls(struct hvk *hvk)
{
	struct hvk_hypervisor *hv = &hvk->hypervisor;
	hvk_status status;
	uint64_t value = (hv->saved_hypercall & HV_HYPERCALL_RESERVED_MASK) |
			 hvk_page_gpa(hvk, &hv->hypercall_page, 0) | HV_PAGE_ENABLE;

	if (hv->saved_hypercall & HV_HYPERCALL_LOCKED)
		return HVK_EINUSE; /* its owner locked it until reset */
	hv->taken = true;
	status = hvk_register_write(hvk, HVK_REG_GUEST_OS_ID, hvk->config.guest_os_id);
	if (status == HVK_OK)
		status = hvk_register_write(hvk, HVK_REG_HYPERCALL, value);
	if (status == HVK_OK)
		status = hvk_register_read(hvk, HVK_REG_HYPERCALL, &value);
	if (status != HVK_OK || (value & HV_PAGE_ENABLE))
		return status;
	hvk_log(hvk, HVK_LOG_ERROR,
		"the hypercall page is not enabled after writing register HYPERCALL: 0x%llx",
		(unsigned long long)value);
	return HVK_EPRIVILEGE;
}

/* A clock for less than an exit. Without it there is the register. */
static void enable_tsc_page(struct hvk *hvk)
{
	struct hvk_hypervisor *hv = &hvk->hypervisor;
	uint64_t value;

	if ((hv->info.access & HV_ACCESS_REFERENCE_TSC) == 0 || !hvk->port.tsc)
		return;
	if (hvk->port.reg_read(hvk->port.context, HVK_REG_REFERENCE_TSC, &hv->saved_tsc) != HVK_OK)
		return;
	if (hv->tsc_page.count == 0 && hvk_pages_get(hvk, 1, HVK_PAGE_HOST_WRITES, &hv->tsc_page) != HVK_OK)
		return;
	hv->tsc = hvk_pages_shared(&hv->tsc_page);
	value = (hv->saved_tsc & HV_PAGE_RESERVED_MASK) | hvk_page_gpa(hvk, &hv->tsc_page, 0) |
		HV_PAGE_ENABLE;
	if (hvk->port.reg_write(hvk->port.context, HVK_REG_REFERENCE_TSC, value) != HVK_OK) {
		hvk_pages_put(hvk, &hv->tsc_page);
		return;
	}
	hv->info.reference_tsc = true;
}

/* The loaded system may have left an identity behind, and a hypercall page of its own: those of
 * before are forgotten. */
hvk_status hvk_hypervisor_return(struct hvk *hvk)
{
	struct hvk_hypervisor *hv = &hvk->hypervisor;
	hvk_status status = hvk_register_read(hvk, HVK_REG_HYPERCALL, &hv->saved_hypercall);

	if (status == HVK_OK)
		status = enable_hypercalls(hvk);
	if (status != HVK_OK) {
		hvk_hypervisor_leave(hvk, HVK_LEAVE_QUIESCED);
		return status;
	}
	enable_tsc_page(hvk);
	return HVK_OK;
}

hvk_status hvk_start(struct hvk *hvk)
{
	struct hvk_hypervisor *hv = &hvk->hypervisor;
	struct hvk_hypervisor_info info = {0};
	hvk_status status;

	if (hv->started)
		return HVK_ESTATE;
	status = hvk_hypervisor_detect(&hvk->port, &info);
	if (status == HVK_OK)
		status = check_privileges(hvk, &info);
	if (status == HVK_OK)
		status = check_owner(hvk, &hv->saved_os_id);
	if (status != HVK_OK)
		return status;
	info.previous_os_id = hv->saved_os_id;
	status = hvk_register_read(hvk, HVK_REG_HYPERCALL, &hv->saved_hypercall);
	if (status != HVK_OK)
		return status;
	hv->info = info;
	status = hvk_pages_get(hvk, 1, HVK_PAGE_EXECUTE, &hv->hypercall_page);
	if (status == HVK_OK)
		status = hvk_pages_get(hvk, 1, HVK_PAGE_HOST_READS, &hv->input_page);
	if (status == HVK_OK)
		status = enable_hypercalls(hvk);
	if (status != HVK_OK) {
		give_back(hvk);
		return status;
	}
	hv->info.reference_counter = (info.access & HV_ACCESS_REFERENCE_COUNTER) != 0;
	enable_tsc_page(hvk);
	hvk_crash_prepare(hvk);
	hv->started = true;
	hvk_clock_reset(hvk);
	return HVK_OK;
}

hvk_status hvk_stop(struct hvk *hvk)
{
	/* A bus in use keeps its contact CPU from stopping, and so us. */
	if (!hvk->hypervisor.started || hvk->hypervisor.cpus_started != 0)
		return HVK_ESTATE;
	give_back(hvk);
	return HVK_OK;
}

const struct hvk_hypervisor_info *hvk_hypervisor_info(const struct hvk *hvk)
{
	return &hvk->hypervisor.info;
}
