/* SPDX-License-Identifier: MIT */
/*
 * Between KVM's exits and the host model.
 *
 * Hypercalls come as a port write: `vmcall` belongs to KVM, so the page that the model shows
 * the guest holds "out %al, $port; ret" instead, which changes no register either.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "hvkit/wire/hypervisor.h"
#include "vmm/private.h"

#define MSI_ADDRESS 0xfee00000u /* fixed delivery, physical destination in bits 12 to 19 */
#define MSI_DESTINATION_SHIFT 12
#define PAGE_OFFSET_MASK 0xfffull
#define UNDEFINED_OPCODE 6u
#define EFER_LMA (1ull << 10)

/* KVM counts its APIC timers in nanoseconds. */
#define KVM_APIC_HZ 1000000000ull

/* endbr64 (Linux gives up IBT without it); out %al, $port; ret */
static const uint8_t hypercall_code[] = {0xf3, 0x0f, 0x1e, 0xfa, 0xe6, VMM_HYPERCALL_PORT, 0xc3};
#define OUT_OFFSET 4u
#define OUT_BYTES 2u

/* --- What the model asks for ------------------------------------------------------------- */

static void *translate(void *context, uint64_t gpa, uint32_t length, bool write)
{
	(void)write;
	return vmm_memory_at(&((struct vmm *)context)->memory, gpa, length);
}

static void interrupt(void *context, uint32_t vp, uint8_t vector)
{
	struct vmm *vmm = context;
	struct kvm_msi msi = {.address_lo = MSI_ADDRESS | vp << MSI_DESTINATION_SHIFT, .data = vector};

	/* An APIC that is switched off takes none, as on a real host. */
	(void)ioctl(vmm->kvm.vm, KVM_SIGNAL_MSI, &msi);
	vmm_count(&vmm->counters.interrupts);
}

static void trace(void *context, const struct hvh_trace_record *record)
{
	struct vmm *vmm = context;

	if (!vmm->trace_off)
		(void)hvh_pcapng_write(vmm->config.trace, record);
}

static void kick(void *context)
{
	struct vmm *vmm = context;

	if (!vmm->sets_timer)
		vmm_kick(vmm);
}

bool vmm_hyperv_create(struct vmm *vmm, char *error)
{
	const struct hvh_config config = {
		.profile = vmm->config.profile,
		.vps = vmm->config.cpus,
		.seed = vmm->config.seed,
		.tsc_hz = vmm->clock.tsc_hz,
		.tsc_offset = vmm->clock.offset,
		.apic_hz = KVM_APIC_HZ,
		.hypercall_code = hypercall_code,
		.hypercall_code_bytes = sizeof(hypercall_code),
	};
	const struct hvh_ops ops = {
		.context = vmm,
		.translate = translate,
		.interrupt = interrupt,
		.trace = vmm->config.trace ? trace : NULL,
		.kick = kick,
	};

	if (vmm->config.trace && !hvh_pcapng_begin(vmm->config.trace, "hvkit")) {
		snprintf(error, VMM_ERROR_MAX, "the trace cannot be written");
		return false;
	}
	vmm->partition = hvh_create(&config, &ops);
	if (!vmm->partition)
		snprintf(error, VMM_ERROR_MAX, "out of memory");
	return vmm->partition != NULL;
}

/* --- Registers ------------------------------------------------------------------------------ */

bool vmm_hyperv_read(struct vmm_vcpu *vcpu, uint32_t index, uint64_t *value)
{
	struct vmm *vmm = vcpu->vmm;
	bool there;

	vmm_lock(vmm);
	there = hvh_msr_read(vmm->partition, vmm_now(vmm), vcpu->index, index, value);
	vmm_unlock(vmm);
	return there;
}

/* KVM's APIC ends an interrupt only when the guest does: what asks for more is kept for the report. */
static void note_auto_eoi(struct vmm_vcpu *vcpu, uint32_t index, uint64_t value)
{
	uint32_t sint = index - HV_MSR_SINT0;
	bool asks = (value & HV_SINT_AUTO_EOI) && !(value & (HV_SINT_MASKED | HV_SINT_POLLING));

	if (sint >= HV_SINT_COUNT)
		return;
	vcpu->auto_eoi &= ~(1u << sint);
	vcpu->auto_eoi |= (uint32_t)asks << sint;
}

bool vmm_hyperv_write(struct vmm_vcpu *vcpu, uint32_t index, uint64_t value)
{
	struct vmm *vmm = vcpu->vmm;
	bool right;

	vmm_lock(vmm);
	/* What a timer has to do has its time, which vmm_device_look sees: nobody wakes for that. */
	vmm->sets_timer = vmm_register_of(index) == VMM_REGISTER_TIMER;
	right = hvh_msr_write(vmm->partition, vmm_now(vmm), vcpu->index, index, value);
	vmm->sets_timer = false;
	if (right)
		note_auto_eoi(vcpu, index, value);
	vmm_device_look(vmm);
	vmm_unlock(vmm);
	return right;
}

/* --- Device memory --------------------------------------------------------------------------- */

uint64_t vmm_hyperv_mmio_read(struct vmm_vcpu *vcpu, uint64_t gpa, uint32_t width)
{
	struct vmm *vmm = vcpu->vmm;
	uint64_t value;

	vmm_lock(vmm);
	(void)hvh_mmio_read(vmm->partition, vmm_now(vmm), vcpu->index, gpa, width, &value);
	vmm_device_look(vmm);
	vmm_unlock(vmm);
	return value;
}

void vmm_hyperv_mmio_write(struct vmm_vcpu *vcpu, uint64_t gpa, uint32_t width, uint64_t value)
{
	struct vmm *vmm = vcpu->vmm;

	vmm_lock(vmm);
	(void)hvh_mmio_write(vmm->partition, vmm_now(vmm), vcpu->index, gpa, width, value);
	vmm_device_look(vmm);
	vmm_unlock(vmm);
}

/* --- Hypercalls ------------------------------------------------------------------------------ */

static bool call(struct vmm_vcpu *vcpu, uint64_t control, uint64_t input, uint64_t output, uint64_t *result)
{
	struct vmm *vmm = vcpu->vmm;
	struct vmm_hypercall *kept;
	uint64_t now;
	bool valid;

	vmm_lock(vmm);
	now = vmm_now(vmm);
	*result = hvh_hypercall(vmm->partition, now, vcpu->index, control, input, output, &valid);
	kept = &vmm->history[vmm->history_count++ % VMM_HISTORY];
	*kept = (struct vmm_hypercall){now, control, input, output, *result, vcpu->index, valid};
	vmm_device_look(vmm);
	vmm_unlock(vmm);
	vmm_count(&vcpu->counters.hypercalls);
	vmm_count(&vcpu->counters.calls[vmm_call_of(control)]);
	return valid;
}

static uint64_t pair(uint64_t high, uint64_t low)
{
	return high << 32 | (low & UINT32_MAX);
}

/* TLFS, "Hypercall Interface": RCX, RDX, R8 and RAX; or EDX:EAX, EBX:ECX, EDI:ESI and EDX:EAX. */
static bool call_by_registers(struct vmm_vcpu *vcpu, struct kvm_regs *registers, bool wide)
{
	uint64_t result;
	bool valid;

	if (wide) {
		valid = call(vcpu, registers->rcx, registers->rdx, registers->r8, &result);
		registers->rax = result;
		return valid;
	}
	valid = call(vcpu, pair(registers->rdx, registers->rax), pair(registers->rbx, registers->rcx),
		     pair(registers->rdi, registers->rsi), &result);
	registers->rax = result & UINT32_MAX;
	registers->rdx = result >> 32;
	return valid;
}

/* After the port write has been finished, which another entry does. */
static void raise_undefined_opcode(struct vmm_vcpu *vcpu)
{
	struct kvm_vcpu_events events;

	vcpu->run->immediate_exit = 1;
	(void)ioctl(vcpu->file, KVM_RUN, 0);
	vcpu->run->immediate_exit = 0;
	if (ioctl(vcpu->file, KVM_GET_VCPU_EVENTS, &events) < 0)
		return;
	events.exception.injected = 1;
	events.exception.nr = UNDEFINED_OPCODE;
	events.exception.has_error_code = 0;
	(void)ioctl(vcpu->file, KVM_SET_VCPU_EVENTS, &events);
}

void vmm_hyperv_hypercall(struct vmm_vcpu *vcpu)
{
	struct kvm_regs registers;
	struct kvm_sregs special;
	uint64_t offset;
	bool wide;

	if (ioctl(vcpu->file, KVM_GET_REGS, &registers) < 0 || ioctl(vcpu->file, KVM_GET_SREGS, &special) < 0)
		return;
	/* KVM has moved on past the instruction, or has not. Elsewhere it is a port like others. */
	wide = (special.efer & EFER_LMA) && special.cs.l;
	offset = (registers.rip + (wide ? 0 : special.cs.base)) & PAGE_OFFSET_MASK;
	if (offset != OUT_OFFSET && offset != OUT_OFFSET + OUT_BYTES)
		return;
	if (special.cs.dpl == 0 && call_by_registers(vcpu, &registers, wide))
		(void)ioctl(vcpu->file, KVM_SET_REGS, &registers);
	else
		raise_undefined_opcode(vcpu);
}
