/* SPDX-License-Identifier: MIT */
#include "apps/uefi/hypervisor.h"

#include <stddef.h>

#include "hvkit/wire/hypervisor.h"

enum { EAX, EBX, ECX };

void hypervisor_judge(struct hypervisor *self, void (*leaf)(void *context, uint32_t number, uint32_t out[4]),
		      void *context)
{
	uint32_t out[4];

	*self = (struct hypervisor){.present = false};
	leaf(context, HV_CPUID_PROCESSOR_INFO, out);
	if (!(out[ECX] & HV_CPUID_HYPERVISOR_PRESENT_ECX))
		return;
	leaf(context, HV_CPUID_VENDOR, out);
	if (out[EAX] < HV_CPUID_FEATURES)
		return;
	leaf(context, HV_CPUID_INTERFACE, out);
	self->present = out[EAX] == HV_CPUID_INTERFACE_HV1;
	if (!self->present)
		return;
	leaf(context, HV_CPUID_FEATURES, out);
	self->can_say = out[EAX] & HV_ACCESS_HYPERCALL;
	if (!self->can_say)
		self->lacks = "hypercalls";
	else if (!(out[EAX] & HV_ACCESS_SYNIC))
		self->lacks = "a synthetic interrupt controller";
	else if (!(out[EBX] & HV_PRIVILEGE_POST_MESSAGES) || !(out[EBX] & HV_PRIVILEGE_SIGNAL_EVENTS))
		self->lacks = "messages and events";
}

const char *hypervisor_owner(uint64_t identity)
{
	if (identity == 0)
		return "nobody";
	return identity == HV_OS_ID_FIRMWARE ? "the firmware" : "another program";
}
