/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's interface: CPUID leaves, synthetic registers, hypercalls,
 * the pages of the synthetic interrupt controller (SynIC) and the reference
 * TSC page. Source: TLFS, unless a line says otherwise.
 */
#ifndef HVKIT_WIRE_HYPERVISOR_H
#define HVKIT_WIRE_HYPERVISOR_H

#include "wire.h"

/* --- Detection (TLFS, "Feature and Interface Discovery") ---------------- */

#define HV_CPUID_PROCESSOR_INFO 0x00000001u
#define HV_CPUID_HYPERVISOR_PRESENT_ECX (1u << 31)
#define HV_CPUID_VENDOR 0x40000000u    /* EAX highest leaf, EBX ECX EDX vendor */
#define HV_CPUID_INTERFACE 0x40000001u /* EAX "Hv#1" */
#define HV_CPUID_VERSION 0x40000002u   /* EAX build, EBX major << 16 | minor */
#define HV_CPUID_FEATURES 0x40000003u  /* EAX, EBX privileges; EDX features */
#define HV_CPUID_ENLIGHTENMENTS 0x40000004u
#define HV_CPUID_LIMITS 0x40000005u
#define HV_CPUID_INTERFACE_HV1 0x31237648u /* "Hv#1" */
#define HV_CPUID_HIGHEST_LEAF_MIN 0x40000005u

/* Leaf 0x40000003 EAX. */
#define HV_ACCESS_VP_RUNTIME (1u << 0)
#define HV_ACCESS_REFERENCE_COUNTER (1u << 1)
#define HV_ACCESS_SYNIC (1u << 2)
#define HV_ACCESS_SYNTHETIC_TIMERS (1u << 3)
#define HV_ACCESS_APIC (1u << 4)
#define HV_ACCESS_HYPERCALL (1u << 5)
#define HV_ACCESS_VP_INDEX (1u << 6)
#define HV_ACCESS_REFERENCE_TSC (1u << 9)
#define HV_ACCESS_FREQUENCIES (1u << 11)
/* Leaf 0x40000003 EBX. */
#define HV_PRIVILEGE_POST_MESSAGES (1u << 4)
#define HV_PRIVILEGE_SIGNAL_EVENTS (1u << 5)
/* Leaf 0x40000003 EDX. */
#define HV_FEATURE_FREQUENCIES (1u << 8)
#define HV_FEATURE_CRASH (1u << 10)
#define HV_FEATURE_DIRECT_TIMERS (1u << 19)
/* Leaf 0x40000004 EAX. */
#define HV_HINT_RELAXED_TIMING (1u << 5)
#define HV_HINT_DEPRECATE_AUTO_EOI (1u << 9)

/* --- Synthetic registers, by their x86 MSR numbers (TLFS, appendix) ------ */

#define HV_MSR_GUEST_OS_ID 0x40000000u
#define HV_MSR_HYPERCALL 0x40000001u
#define HV_MSR_VP_INDEX 0x40000002u
#define HV_MSR_REFERENCE_COUNTER 0x40000020u /* 100 ns units */
#define HV_MSR_REFERENCE_TSC 0x40000021u
#define HV_MSR_TSC_FREQUENCY 0x40000022u
#define HV_MSR_APIC_FREQUENCY 0x40000023u
#define HV_MSR_VP_ASSIST_PAGE 0x40000073u
#define HV_MSR_SCONTROL 0x40000080u
#define HV_MSR_SVERSION 0x40000081u
#define HV_MSR_SIEFP 0x40000082u
#define HV_MSR_SIMP 0x40000083u
#define HV_MSR_EOM 0x40000084u
#define HV_MSR_SINT0 0x40000090u /* to HV_MSR_SINT0 + 15 */
#define HV_SINT_COUNT 16u
#define HV_MSR_STIMER0_CONFIG 0x400000b0u /* timer n: + 2 * n */
#define HV_MSR_STIMER0_COUNT 0x400000b1u  /* timer n: + 2 * n */
#define HV_STIMER_COUNT 4u
#define HV_MSR_CRASH_P0 0x40000100u /* to HV_MSR_CRASH_P0 + 4 */
#define HV_CRASH_PARAMETERS 5u
#define HV_MSR_CRASH_CONTROL 0x40000105u

/* Page registers: HYPERCALL, REFERENCE_TSC, SIEFP, SIMP. */
#define HV_PAGE_ENABLE 1ull
#define HV_PAGE_ADDRESS_MASK (~0xfffull)
/* Bits to be kept as read. HYPERCALL's bit 1 is Locked, which is not reserved. */
#define HV_PAGE_RESERVED_MASK 0xffeull
#define HV_HYPERCALL_LOCKED 2ull
#define HV_HYPERCALL_RESERVED_MASK 0xffcull

#define HV_SCONTROL_ENABLE 1ull

#define HV_SINT_VECTOR_MASK 0xffull
#define HV_SINT_MASKED (1ull << 16)
#define HV_SINT_AUTO_EOI (1ull << 17)
#define HV_SINT_POLLING (1ull << 18)
#define HV_SINT_DEFINED_MASK (HV_SINT_VECTOR_MASK | HV_SINT_MASKED | HV_SINT_AUTO_EOI | HV_SINT_POLLING)
#define HV_SINT_RESET HV_SINT_MASKED
#define HV_SINT_VECTOR_MIN 16u

/* Synthetic timers (TLFS, "Timers"): configuration. The count is an absolute reference time, or
 * with HV_STIMER_PERIODIC a period; 0 stops the timer. */
#define HV_STIMER_ENABLE (1ull << 0)
#define HV_STIMER_PERIODIC (1ull << 1)
#define HV_STIMER_LAZY (1ull << 2)
#define HV_STIMER_AUTO_ENABLE (1ull << 3) /* writing a count other than 0 enables it */
#define HV_STIMER_VECTOR_SHIFT 4u
#define HV_STIMER_VECTOR_MASK (0xffull << HV_STIMER_VECTOR_SHIFT) /* with HV_STIMER_DIRECT */
#define HV_STIMER_DIRECT (1ull << 12)                             /* an APIC vector, no message */
#define HV_STIMER_SINT_SHIFT 16u
#define HV_STIMER_SINT_MASK (0xfull << HV_STIMER_SINT_SHIFT) /* 0 without DIRECT: stays disabled */
#define HV_STIMER_DEFINED_MASK 0xf1fffull

/* Crash registers (TLFS, "Crash"; Linux): five parameters, then CONTROL. Reading CONTROL tells
 * what may be written there. With a message P3 is its address, P4 its length. */
#define HV_CRASH_NOTIFY (1ull << 63)
#define HV_CRASH_MESSAGE (1ull << 62)
#define HV_CRASH_NO_DUMP (1ull << 61)
#define HV_CRASH_MESSAGE_MAX 4096u

/* Guest identity (TLFS, "Reporting the Guest OS Identity"). */
#define HV_OS_ID_OPEN_SOURCE (1ull << 63)
/* The identity that Generation 2 firmware sets; whoever takes the hypervisor
 * from it crashes the machine (iPXE 936657832; mu_msvm sets this value). */
#define HV_OS_ID_FIRMWARE (1ull << 40)

/* --- Hypercalls --------------------------------------------------------- */

#define HV_CALL_POST_MESSAGE 0x005cull
#define HV_CALL_SIGNAL_EVENT 0x005dull
#define HV_CALL_FAST (1ull << 16)
#define HV_CALL_CODE_MASK 0xffffull
#define HV_CALL_STATUS_MASK 0xffffull

#define HV_STATUS_SUCCESS 0x0000u
#define HV_STATUS_INVALID_HYPERCALL_CODE 0x0002u
#define HV_STATUS_INVALID_HYPERCALL_INPUT 0x0003u
#define HV_STATUS_INVALID_ALIGNMENT 0x0004u
#define HV_STATUS_INVALID_PARAMETER 0x0005u
#define HV_STATUS_ACCESS_DENIED 0x0006u
#define HV_STATUS_INSUFFICIENT_MEMORY 0x000bu
#define HV_STATUS_INVALID_VP_INDEX 0x000eu
#define HV_STATUS_INVALID_PORT_ID 0x0011u
#define HV_STATUS_INVALID_CONNECTION_ID 0x0012u
#define HV_STATUS_INSUFFICIENT_BUFFERS 0x0013u
#define HV_STATUS_INVALID_SYNIC_STATE 0x0018u
#define HV_STATUS_TIMEOUT 0x0078u

#define HV_MESSAGE_PAYLOAD_MAX 240u

/* Input of HvCallPostMessage, 8-byte aligned, inside one page. */
struct hv_post_message_input {
	uint32_t connection_id;
	uint32_t reserved;
	uint32_t message_type; /* non-zero, top bit clear */
	uint32_t payload_size; /* bytes, at most 240 */
	uint8_t payload[HV_MESSAGE_PAYLOAD_MAX];
};
HVK_WIRE_SIZE(struct hv_post_message_input, 256);

/* Input of HvCallSignalEvent; as a fast call it is the first register. */
struct hv_signal_event_input {
	uint32_t connection_id; /* 24 bits */
	uint16_t flag_number;
	uint16_t reserved;
};
HVK_WIRE_SIZE(struct hv_signal_event_input, 8);

/* HvCallRetargetDeviceInterrupt (TLFS; Linux): where an interrupt of a vPCI device goes. */
#define HV_CALL_RETARGET_DEVICE_INTERRUPT 0x007eull
#define HV_PARTITION_SELF UINT64_MAX
#define HV_INTERRUPT_SOURCE_MSI 1u
#define HV_INTERRUPT_MULTICAST 1u
#define HV_INTERRUPT_PROCESSOR_SET 2u
struct hv_retarget_input {
	uint64_t partition;
	uint64_t device_id; /* of bytes 5, 4, 7 and 6 of the channel's instance GUID, and the function */
	uint32_t source;
	uint32_t reserved;
	uint32_t address, data;
	uint64_t reserved2;
	uint32_t vector;
	uint32_t flags;
	/* Without PROCESSOR_SET the mask of processors 0 to 63. With it the format (HV_PROCESSOR_SET_*),
	 * then a mask of banks of 64, then a mask for each; these are the call's variable header. */
	uint64_t processors;
};
HVK_WIRE_SIZE(struct hv_retarget_input, 56);
#define HV_PROCESSOR_SET_SPARSE 0u
#define HV_PROCESSOR_SET_ALL 1u
#define HV_CALL_VARIABLE_HEADER(words) ((uint64_t)(words) << 17)

/* --- SynIC pages -------------------------------------------------------- */

#define HV_MESSAGE_NONE 0u
#define HV_MESSAGE_VMBUS 1u /* Linux, FreeBSD, OpenVMM: type of every VMBus message */
#define HV_MESSAGE_TIMER_EXPIRED 0x80000010u
#define HV_MESSAGE_FLAG_PENDING 1u

/* One slot of the message page; slot n, of SINT n, is at 256 * n. The table in
 * the TLFS prints the header's fields in another order; this is what hosts do
 * (iPXE, Linux, QEMU). */
struct hv_message {
	uint32_t type; /* 0 = empty; written last by the host */
	uint8_t payload_size;
	uint8_t flags; /* bit 0: another message is pending */
	uint8_t reserved[2];
	uint64_t origin;
	uint8_t payload[HV_MESSAGE_PAYLOAD_MAX];
};
HVK_WIRE_SIZE(struct hv_message, 256);
HVK_WIRE_OFFSET(struct hv_message, flags, 5);
HVK_WIRE_OFFSET(struct hv_message, payload, 16);

/* Payload of HV_MESSAGE_TIMER_EXPIRED; the message's origin is 0. */
struct hv_timer_message {
	uint32_t timer;
	uint32_t reserved;
	uint64_t expiration; /* reference time that it was set to */
	uint64_t delivery;   /* ... and when the message went into its slot */
};
HVK_WIRE_SIZE(struct hv_timer_message, 24);
HVK_WIRE_OFFSET(struct hv_timer_message, expiration, 8);

/* Event flags page: 16 SINTs of 2048 flags, bit n of SINT s in byte
 * 256 * s + n / 8, least significant bit first. */
#define HV_EVENT_FLAGS_PER_SINT 2048u
#define HV_EVENT_FLAG_BYTES 256u

/* Reference TSC page: time = ((tsc * scale) >> 64) + offset, in 100 ns units.
 * Sequence 0 means: not usable, read the register. (TLFS up to 4.0b named
 * 0xffffffff; Linux tests 0 only.) */
struct hv_reference_tsc_page {
	uint32_t sequence;
	uint32_t reserved;
	uint64_t scale;
	int64_t offset;
};
HVK_WIRE_SIZE(struct hv_reference_tsc_page, 24);

#endif
