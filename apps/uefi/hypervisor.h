/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor as it is found: only read. While the firmware's own drivers have it (guest identity
 * 1 << 40), no register of it is written and no message of ours goes out: the machine would end at once
 * (iPXE 936657832).
 */
#ifndef UEFI_HYPERVISOR_H
#define UEFI_HYPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

struct hypervisor {
	bool present;      /* with Hyper-V's interface */
	bool can_say;      /* whether its guest identity may be read */
	const char *lacks; /* what the drivers need and it has not; NULL: nothing */
	uint64_t identity; /* if it can say */
};

/* From a CPUID leaf's EAX, EBX, ECX, EDX. */
void hypervisor_judge(struct hypervisor *self, void (*leaf)(void *context, uint32_t number, uint32_t out[4]),
		      void *context);
/* Words for an identity. */
const char *hypervisor_owner(uint64_t identity);

#endif
