/* SPDX-License-Identifier: MIT */
/* What the hypervisor says of itself, by the port alone: nothing is taken, and no instance needed. */
#include "guest/hypervisor/hypervisor.h"
#include "hvkit/timer.h"

/* A host may say anything: what no processor has is not believed. */
#define HERTZ_MIN 1000ull
#define HERTZ_MAX 100000000000ull

hvk_status hvk_hypervisor_detect(const struct hvk_port *port, struct hvk_hypervisor_info *info)
{
	uint32_t regs[4];

	port->features(port->context, HV_CPUID_PROCESSOR_INFO, regs);
	if ((regs[2] & HV_CPUID_HYPERVISOR_PRESENT_ECX) == 0)
		return HVK_ENOHYPERVISOR;
	port->features(port->context, HV_CPUID_VENDOR, regs);
	if (regs[0] < HV_CPUID_HIGHEST_LEAF_MIN)
		return HVK_ENOHYPERVISOR;
	port->features(port->context, HV_CPUID_INTERFACE, regs);
	if (regs[0] != HV_CPUID_INTERFACE_HV1)
		return HVK_ENOHYPERVISOR;
	info->interface_id = regs[0];
	port->features(port->context, HV_CPUID_VERSION, regs);
	info->build = regs[0];
	info->major = (uint16_t)(regs[1] >> 16);
	info->minor = (uint16_t)regs[1];
	port->features(port->context, HV_CPUID_FEATURES, regs);
	info->access = regs[0];
	info->privileges = regs[1];
	info->features = regs[3];
	port->features(port->context, HV_CPUID_ENLIGHTENMENTS, regs);
	info->hints = regs[0];
	return HVK_OK;
}

static uint64_t read_hertz(const struct hvk_port *port, enum hvk_register reg, hvk_status *status)
{
	uint64_t value = 0;

	if (port->reg_read(port->context, reg, &value) != HVK_OK)
		*status = HVK_EPRIVILEGE;
	else if (value < HERTZ_MIN || value > HERTZ_MAX)
		*status = HVK_EHOST_CLOCK;
	return value;
}

hvk_status hvk_frequencies_read(const struct hvk_port *port, struct hvk_frequencies *out)
{
	struct hvk_hypervisor_info info = {0};
	hvk_status status = hvk_hypervisor_detect(port, &info);
	struct hvk_frequencies read;

	*out = (struct hvk_frequencies){0};
	if (status != HVK_OK)
		return status;
	if ((info.access & HV_ACCESS_FREQUENCIES) == 0 || (info.features & HV_FEATURE_FREQUENCIES) == 0)
		return HVK_ENOTSUP;
	read.tsc = read_hertz(port, HVK_REG_TSC_FREQUENCY, &status);
	read.apic_timer = read_hertz(port, HVK_REG_APIC_FREQUENCY, &status);
	if (status == HVK_OK)
		*out = read;
	return status;
}
