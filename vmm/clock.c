/* SPDX-License-Identifier: MIT */
/*
 * The partition's time is the guest's own: its TSC, counted with the scale and the offset of
 * the reference TSC page, so that the page, the reference counter and the timers never
 * disagree. A new vCPU's TSC begins at 0 on some KVMs and not on others: hence the offset.
 */
#include <sys/ioctl.h>
#include <x86intrin.h>

#include "vmm/private.h"

#define MSR_TSC 0x10u
#define SAMPLES 32u

__extension__ typedef unsigned __int128 wide;

static bool read_guest_tsc(int vcpu, uint64_t *value)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} msrs = {.header = {.nmsrs = 1}, .entry = {.index = MSR_TSC}};

	if (ioctl(vcpu, KVM_GET_MSRS, &msrs) != 1)
		return false;
	*value = msrs.entry.data;
	return true;
}

static uint64_t scaled(const struct vmm_clock *clock, uint64_t tsc)
{
	return (uint64_t)((wide)tsc * clock->scale >> 64);
}

bool vmm_clock_create(struct vmm *vmm, char *error)
{
	struct vmm_clock *clock = &vmm->clock;
	int khz = ioctl(vmm->vcpus[0].file, KVM_GET_TSC_KHZ, 0);
	uint64_t before, after, guest = 0, shortest = 0;

	if (khz <= (int)(HVH_TIME_PER_SECOND / 1000))
		return vmm_kvm_failed(error, "KVM_GET_TSC_KHZ");
	clock->tsc_hz = (uint64_t)khz * 1000u;
	clock->scale = (uint64_t)(((wide)HVH_TIME_PER_SECOND << 64) / clock->tsc_hz);
	/* The call takes a while, and as long as that is is what nobody knows: the shortest of some. */
	for (uint32_t n = 0; n < SAMPLES; n++) {
		before = __rdtsc();
		if (!read_guest_tsc(vmm->vcpus[0].file, &guest))
			return vmm_kvm_failed(error, "the TSC cannot be read");
		after = __rdtsc();
		if (n != 0 && after - before >= shortest)
			continue;
		shortest = after - before;
		clock->delta = before + shortest / 2 - guest;
	}
	clock->offset = -(int64_t)scaled(clock, guest);
	return true;
}

uint64_t vmm_now(struct vmm *vmm)
{
	int64_t now = (int64_t)scaled(&vmm->clock, __rdtsc() - vmm->clock.delta) + vmm->clock.offset;

	return now > 0 ? (uint64_t)now : 0;
}
