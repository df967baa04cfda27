/* SPDX-License-Identifier: MIT */
/* What the monitor counts: why virtual CPUs came out, and what for. docs/vmm.md, "Counters". */
#ifndef VMM_COUNTERS_H
#define VMM_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

/* Registers by what they are for. */
enum vmm_register {
	VMM_REGISTER_IDENTITY, /* guest id, hypercall page */
	VMM_REGISTER_VP_INDEX,
	VMM_REGISTER_TIME, /* counter, TSC page, frequencies */
	VMM_REGISTER_APIC, /* EOI, ICR, TPR, assist page */
	VMM_REGISTER_SYNIC,
	VMM_REGISTER_EOM,
	VMM_REGISTER_SINT,
	VMM_REGISTER_TIMER,
	VMM_REGISTER_CRASH,
	VMM_REGISTER_OTHER,  /* of the synthetic ones */
	VMM_REGISTER_FOREIGN /* not synthetic: #GP */
};
#define VMM_REGISTERS 11u

enum vmm_device {
	VMM_DEVICE_HYPERCALL, /* the page's port */
	VMM_DEVICE_SERIAL,
	VMM_DEVICE_ACPI,
	VMM_DEVICE_CMOS,
	VMM_DEVICE_END, /* debug exit, reset, keyboard's reset */
	VMM_DEVICE_MARK,
	VMM_DEVICE_BIOS,
	VMM_DEVICE_NONE
};
#define VMM_DEVICES 8u

enum vmm_call { VMM_CALL_POST_MESSAGE, VMM_CALL_SIGNAL_EVENT, VMM_CALL_VP_REGISTERS, VMM_CALL_OTHER };
#define VMM_CALLS 4u

/* Nothing but numbers of 64 bits: vmm_get_counters adds them up one by one. */
struct vmm_counters {
	uint64_t exits, port_exits, msr_exits, mmio_exits, hlt_exits;
	uint64_t other_exits; /* a signal of the host's, mostly */
	uint64_t msr_reads[VMM_REGISTERS], msr_writes[VMM_REGISTERS];
	uint64_t ports[VMM_DEVICES];
	uint64_t hypercalls, calls[VMM_CALLS];
	/* Not of one vCPU: */
	uint64_t interrupts;     /* handed to an APIC by KVM_SIGNAL_MSI */
	uint64_t device_wakeups; /* of the thread that does the model's work: both of the next */
	uint64_t device_kicks;   /* by somebody: a vCPU, the network, a command */
	uint64_t device_times;   /* because something was due */
};

const char *vmm_register_name(uint32_t n);
const char *vmm_device_name(uint32_t n);
const char *vmm_call_name(uint32_t n);

/* Each is written by one thread, or under a lock; others may read it meanwhile. */
static inline void vmm_count(uint64_t *counter)
{
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

/* Of the monitor's process. */
struct vmm_usage {
	uint64_t guest_bytes;   /* of the guest's RAM that are in memory */
	uint64_t monitor_bytes; /* everything else of the process that is */
};

#endif
