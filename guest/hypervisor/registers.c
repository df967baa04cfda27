/* SPDX-License-Identifier: MIT */
/* Registers that something depends on: an access that faults says which, and what was tried. */
#include "guest/hypervisor/hypervisor.h"

static const char *name_of(enum hvk_register reg)
{
	static const char *const names[] = {
		[HVK_REG_GUEST_OS_ID] = "GUEST_OS_ID",
		[HVK_REG_HYPERCALL] = "HYPERCALL",
		[HVK_REG_VP_INDEX] = "VP_INDEX",
		[HVK_REG_REFERENCE_COUNTER] = "REFERENCE_COUNTER",
		[HVK_REG_REFERENCE_TSC] = "REFERENCE_TSC",
		[HVK_REG_SCONTROL] = "SCONTROL",
		[HVK_REG_SIEFP] = "SIEFP",
		[HVK_REG_SIMP] = "SIMP",
		[HVK_REG_EOM] = "EOM",
		[HVK_REG_SINT0 + VMBUS_SINT] = "SINT2",
		[HVK_REG_STIMER0_CONFIG] = "STIMER0_CONFIG",
		[HVK_REG_STIMER0_COUNT] = "STIMER0_COUNT",
	};
	const char *name = (uint32_t)reg < sizeof(names) / sizeof(names[0]) ? names[reg] : NULL;

	return name ? name : "SINT";
}

hvk_status hvk_register_read(struct hvk *hvk, enum hvk_register reg, uint64_t *value)
{
	if (hvk->port.reg_read(hvk->port.context, reg, value) == HVK_OK)
		return HVK_OK;
	hvk_log(hvk, HVK_LOG_ERROR, "cpu %u: reading register %s faulted", hvk_cpu_index(hvk), name_of(reg));
	return HVK_EPRIVILEGE;
}

hvk_status hvk_register_write(struct hvk *hvk, enum hvk_register reg, uint64_t value)
{
	if (hvk->port.reg_write(hvk->port.context, reg, value) == HVK_OK)
		return HVK_OK;
	hvk_log(hvk, HVK_LOG_ERROR, "cpu %u: writing 0x%llx to register %s faulted", hvk_cpu_index(hvk),
		(unsigned long long)value, name_of(reg));
	return HVK_EPRIVILEGE;
}
