/* SPDX-License-Identifier: MIT */
/*
 * x86: the MSR behind each register name of port.h, for reg_read and reg_write. A port for another
 * CPU has no use for it.
 */
#ifndef HVKIT_MSR_H
#define HVKIT_MSR_H

#include "port.h"
#include "wire/hypervisor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The MSR's number; 0, which is none of Hyper-V's, for what is no register of hvkit's. */
static inline uint32_t hvk_register_msr(enum hvk_register reg)
{
	uint32_t n = (uint32_t)reg;

	if (n >= HVK_REG_SINT0 && n <= HVK_REG_SINT15)
		return HV_MSR_SINT0 + (n - HVK_REG_SINT0);
	if (n >= HVK_REG_STIMER0_CONFIG && n <= HVK_REG_STIMER3_COUNT)
		return HV_MSR_STIMER0_CONFIG + (n - HVK_REG_STIMER0_CONFIG);
	if (n >= HVK_REG_CRASH_P0 && n <= HVK_REG_CRASH_P4)
		return HV_MSR_CRASH_P0 + (n - HVK_REG_CRASH_P0);
	switch (n) {
	case HVK_REG_GUEST_OS_ID:
		return HV_MSR_GUEST_OS_ID;
	case HVK_REG_HYPERCALL:
		return HV_MSR_HYPERCALL;
	case HVK_REG_VP_INDEX:
		return HV_MSR_VP_INDEX;
	case HVK_REG_REFERENCE_COUNTER:
		return HV_MSR_REFERENCE_COUNTER;
	case HVK_REG_REFERENCE_TSC:
		return HV_MSR_REFERENCE_TSC;
	case HVK_REG_SCONTROL:
		return HV_MSR_SCONTROL;
	case HVK_REG_SIEFP:
		return HV_MSR_SIEFP;
	case HVK_REG_SIMP:
		return HV_MSR_SIMP;
	case HVK_REG_EOM:
		return HV_MSR_EOM;
	case HVK_REG_CRASH_CONTROL:
		return HV_MSR_CRASH_CONTROL;
	case HVK_REG_TSC_FREQUENCY:
		return HV_MSR_TSC_FREQUENCY;
	case HVK_REG_APIC_FREQUENCY:
		return HV_MSR_APIC_FREQUENCY;
	default:
		return 0;
	}
}

#ifdef __cplusplus
}
#endif

#endif
