/* SPDX-License-Identifier: MIT */
/* Why KVM_RUN came back, and what is done about it. */
#include <string.h>
#include <time.h>

#include "vmm/private.h"

#define HALT_REST_NS 500000l

static void handle_port(struct vmm_vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)vcpu->run + run->io.data_offset;
	uint32_t size = run->io.size;

	vmm_count(&vcpu->counters.port_exits);
	if (vcpu->vmm->config.bios_stub && run->io.port == VMM_BIOS_PORT) {
		vmm_count(&vcpu->counters.ports[VMM_DEVICE_BIOS]);
		vmm_bios_call(vcpu);
		return;
	}
	if (run->io.direction == KVM_EXIT_IO_OUT && run->io.port == VMM_HYPERCALL_PORT && size == 1) {
		vmm_count(&vcpu->counters.ports[VMM_DEVICE_HYPERCALL]);
		vmm_hyperv_hypercall(vcpu);
		return;
	}
	for (uint32_t n = 0; n < run->io.count; n++, data += size) {
		uint32_t value = 0;

		if (run->io.direction == KVM_EXIT_IO_OUT) {
			memcpy(&value, data, size);
			vmm_port_write(vcpu, run->io.port, size, value);
		} else {
			value = vmm_port_read(vcpu, run->io.port, size);
			memcpy(data, &value, size);
		}
	}
}

static void handle_msr(struct vmm_vcpu *vcpu, bool write)
{
	struct kvm_run *run = vcpu->run;
	uint64_t value = write ? run->msr.data : 0;
	enum vmm_register which = vmm_register_of(run->msr.index);
	bool right = false;

	vmm_count(&vcpu->counters.msr_exits);
	vmm_count(write ? &vcpu->counters.msr_writes[which] : &vcpu->counters.msr_reads[which]);
	if (which != VMM_REGISTER_FOREIGN && write)
		right = vmm_hyperv_write(vcpu, run->msr.index, value);
	else if (which != VMM_REGISTER_FOREIGN)
		right = vmm_hyperv_read(vcpu, run->msr.index, &value);
	run->msr.error = !right; /* #GP */
	if (!write)
		run->msr.data = value;
}

/* Where no RAM is: a device's memory, or nothing, which answers with ones. */
static void handle_mmio(struct vmm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint64_t value = 0;

	vmm_count(&vcpu->counters.mmio_exits);
	memcpy(&value, run->mmio.data, sizeof(run->mmio.data));
	if (run->mmio.is_write) {
		vmm_hyperv_mmio_write(vcpu, run->mmio.phys_addr, run->mmio.len, value);
		return;
	}
	value = vmm_hyperv_mmio_read(vcpu, run->mmio.phys_addr, run->mmio.len);
	memcpy(run->mmio.data, &value, sizeof(run->mmio.data));
}

/* With APICs of KVM's own KVM waits, too. Without, nobody would end the wait: be back soon, the
 * guest polls. */
static void handle_halt(struct vmm_vcpu *vcpu)
{
	const struct timespec rest = {0, HALT_REST_NS};

	vmm_count(&vcpu->counters.hlt_exits);
	if (vcpu->vmm->config.bios_stub)
		(void)nanosleep(&rest, NULL);
}

static void handle_system_event(struct vmm_vcpu *vcpu)
{
	uint32_t type = vcpu->run->system_event.type;

	if (type == KVM_SYSTEM_EVENT_RESET)
		vmm_end(vcpu->vmm, VMM_RESET, vcpu->index, "vCPU %u: the guest asked for a reset",
			vcpu->index);
	else
		vmm_end(vcpu->vmm, VMM_POWERED_OFF, vcpu->index, "vCPU %u: KVM ended it (system event %u)",
			vcpu->index, type);
}

bool vmm_exit_handle(struct vmm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	vmm_count(&vcpu->counters.exits);
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		handle_port(vcpu);
		return true;
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		handle_msr(vcpu, run->exit_reason == KVM_EXIT_X86_WRMSR);
		return true;
	case KVM_EXIT_MMIO:
		handle_mmio(vcpu);
		return true;
	case KVM_EXIT_HLT:
		handle_halt(vcpu);
		return true;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		vmm_count(&vcpu->counters.other_exits);
		return true;
	case KVM_EXIT_SHUTDOWN:
		vmm_end(vcpu->vmm, VMM_TRIPLE_FAULT, vcpu->index, "vCPU %u: triple fault", vcpu->index);
		return false;
	case KVM_EXIT_SYSTEM_EVENT:
		handle_system_event(vcpu);
		return false;
	case KVM_EXIT_INTERNAL_ERROR:
		vmm_end(vcpu->vmm, VMM_UNRUNNABLE, vcpu->index,
			"vCPU %u: KVM cannot run this instruction (internal error %u)", vcpu->index,
			run->internal.suberror);
		return false;
	case KVM_EXIT_FAIL_ENTRY:
		vmm_end(vcpu->vmm, VMM_UNRUNNABLE, vcpu->index,
			"vCPU %u: the processor refuses the guest's state (reason %#llx)", vcpu->index,
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason);
		return false;
	default:
		vmm_end(vcpu->vmm, VMM_UNRUNNABLE, vcpu->index, "vCPU %u: an exit that nobody knows (%u)",
			vcpu->index, run->exit_reason);
		return false;
	}
}
