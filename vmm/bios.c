/* SPDX-License-Identifier: MIT */
/*
 * As much of a PC's BIOS as a boot program asks for that has its own drivers: text output, the
 * size of memory, "no" to all else. Every interrupt vector leads to a port write and IRET; what is
 * written to the port does not matter, where it is written from says which interrupt it was.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/private.h"

#define VECTORS 256u
#define STUB_BYTES 4u
#define STUBS_SEGMENT 0xf000u
#define STUBS_GPA 0xf0000u
#define MEMORY_KIB_GPA 0x413u /* BIOS data area: conventional memory */
#define CONVENTIONAL_KIB (VMM_LOW_RAM_END >> 10)
#define FLAG_CARRY 0x0001u
#define FLAG_ZERO 0x0040u
#define FLAGS_OFFSET 4u /* in what INT leaves on the stack: IP, CS, FLAGS */

#define SMAP 0x534d4150u
#define E820_ENTRY_BYTES 20u
#define NOT_SUPPORTED 0x86u
#define BLANK 0x0720u /* a space in grey */

enum {
	VIDEO = 0x10,
	CONVENTIONAL_MEMORY = 0x12,
	SYSTEM = 0x15,
	KEYBOARD = 0x16,
	NO_BOOT = 0x18,
	BOOT = 0x19
};

struct call {
	struct vmm_vcpu *vcpu;
	struct kvm_regs registers;
	struct kvm_sregs special;
	uint16_t flags; /* as IRET will have them */
	uint8_t ah, al;
};

void vmm_bios_write(struct vmm_memory *memory)
{
	const uint16_t conventional = CONVENTIONAL_KIB;

	for (uint32_t n = 0; n < VECTORS; n++) {
		const uint8_t stub[STUB_BYTES] = {0xe6, VMM_BIOS_PORT, 0xcf, 0xf4}; /* out; iret */
		const uint16_t vector[2] = {(uint16_t)(n * STUB_BYTES), STUBS_SEGMENT};

		(void)vmm_memory_write(memory, STUBS_GPA + n * STUB_BYTES, stub, sizeof(stub));
		(void)vmm_memory_write(memory, n * sizeof(vector), vector, sizeof(vector));
	}
	(void)vmm_memory_write(memory, MEMORY_KIB_GPA, &conventional, sizeof(conventional));
}

static void set_ax(struct call *call, uint32_t value)
{
	call->registers.rax = (call->registers.rax & ~0xffffull) | (value & 0xffffu);
}

static void fail(struct call *call)
{
	set_ax(call, NOT_SUPPORTED << 8 | call->al);
	call->flags |= FLAG_CARRY;
}

static void video(struct call *call)
{
	const struct vmm_config *config = &call->vcpu->vmm->config;
	char byte = (char)call->al;

	/* 09h only colours the place that 0Eh writes to next (iPXE). */
	if (call->ah == 0x0e && config->serial)
		config->serial(config->context, &byte, 1);
	else if (call->ah == 0x08)
		set_ax(call, BLANK);
	else if (call->ah == 0x03)
		call->registers.rcx = call->registers.rdx = 0;
}

static void memory_map(struct call *call)
{
	struct vmm_memory *memory = &call->vcpu->vmm->memory;
	struct vmm_range ranges[VMM_RANGES_MAX];
	uint32_t count = vmm_memory_ranges(memory, ranges);
	uint64_t n = call->registers.rbx & UINT32_MAX;
	uint64_t to = call->special.es.base + (call->registers.rdi & 0xffffu);
	uint8_t entry[E820_ENTRY_BYTES];

	if ((call->registers.rdx & UINT32_MAX) != SMAP || n >= count) {
		fail(call);
		return;
	}
	memcpy(entry, &ranges[n].begin, 8);
	memcpy(entry + 8, &ranges[n].length, 8);
	memcpy(entry + 16, &ranges[n].type, 4);
	if (!vmm_memory_write(memory, to, entry, sizeof(entry))) {
		fail(call);
		return;
	}
	call->registers.rax = SMAP;
	call->registers.rbx = n + 1 < count ? n + 1 : 0;
	call->registers.rcx = sizeof(entry);
}

static void system_services(struct call *call)
{
	uint64_t kib = (call->vcpu->vmm->memory.low >> 10) - 1024u;

	if (call->ah == 0xe8 && call->al == 0x20)
		memory_map(call);
	else if (call->ah == 0x88)
		set_ax(call, kib < 0xffffu ? (uint32_t)kib : 0xffffu);
	else
		fail(call);
}

static void serve(struct call *call, uint32_t vector)
{
	call->flags &= (uint16_t)~FLAG_CARRY;
	switch (vector) {
	case VIDEO:
		video(call);
		break;
	case CONVENTIONAL_MEMORY:
		set_ax(call, CONVENTIONAL_KIB);
		break;
	case SYSTEM:
		system_services(call);
		break;
	case KEYBOARD: /* no key */
		set_ax(call, 0);
		call->flags |= FLAG_ZERO;
		break;
	case NO_BOOT:
	case BOOT:
		vmm_end(call->vcpu->vmm, VMM_POWERED_OFF, call->vcpu->index,
			"vCPU %u: the program returned to the BIOS (INT %02Xh)", call->vcpu->index, vector);
		break;
	default:
		fail(call);
		break;
	}
}

void vmm_bios_call(struct vmm_vcpu *vcpu)
{
	struct call call = {.vcpu = vcpu};
	uint64_t linear;
	void *flags; /* at any address: the stack is the program's */

	if (ioctl(vcpu->file, KVM_GET_REGS, &call.registers) < 0 ||
	    ioctl(vcpu->file, KVM_GET_SREGS, &call.special) < 0)
		return;
	linear = call.special.cs.base + call.registers.rip;
	if (linear < STUBS_GPA || linear >= STUBS_GPA + VECTORS * STUB_BYTES)
		return; /* somebody else's port write */
	flags = vmm_memory_at(&vcpu->vmm->memory,
			      call.special.ss.base + (call.registers.rsp & 0xffffu) + FLAGS_OFFSET,
			      sizeof(call.flags));
	if (!flags)
		return;
	memcpy(&call.flags, flags, sizeof(call.flags));
	call.ah = (uint8_t)(call.registers.rax >> 8);
	call.al = (uint8_t)call.registers.rax;
	serve(&call, (uint32_t)(linear - STUBS_GPA) / STUB_BYTES);
	memcpy(flags, &call.flags, sizeof(call.flags));
	(void)ioctl(vcpu->file, KVM_SET_REGS, &call.registers);
}
