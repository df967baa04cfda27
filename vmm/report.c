/* SPDX-License-Identifier: MIT */
/* What a guest looked like when it ended. */
#include <sys/ioctl.h>

#include "vmm/private.h"

#define BYTES_SHOWN 16u
#define RESET_BASE 0xffff0000u
#define RESET_IP 0xfff0u
#define MP_RUNNABLE KVM_MP_STATE_RUNNABLE

static const char *state_name(uint32_t state)
{
	switch (state) {
	case KVM_MP_STATE_RUNNABLE:
		return "running";
	case KVM_MP_STATE_UNINITIALIZED:
		return "never started";
	case KVM_MP_STATE_INIT_RECEIVED:
		return "waiting for its start";
	case KVM_MP_STATE_HALTED:
		return "halted";
	default:
		return "in another state";
	}
}

#define ULL(value) ((unsigned long long)(value))

static void print_registers(FILE *file, const struct kvm_regs *r, const struct kvm_sregs *s)
{
	fprintf(file, "  rip %016llx  rsp %016llx  rflags %08llx\n", ULL(r->rip), ULL(r->rsp),
		ULL(r->rflags));
	fprintf(file, "  rax %016llx  rbx %016llx  rcx %016llx  rdx %016llx\n", ULL(r->rax), ULL(r->rbx),
		ULL(r->rcx), ULL(r->rdx));
	fprintf(file, "  rsi %016llx  rdi %016llx  rbp %016llx  r8  %016llx\n", ULL(r->rsi), ULL(r->rdi),
		ULL(r->rbp), ULL(r->r8));
	fprintf(file, "  r9  %016llx  r10 %016llx  r11 %016llx  r12 %016llx\n", ULL(r->r9), ULL(r->r10),
		ULL(r->r11), ULL(r->r12));
	fprintf(file, "  r13 %016llx  r14 %016llx  r15 %016llx\n", ULL(r->r13), ULL(r->r14), ULL(r->r15));
	fprintf(file, "  cr0 %08llx  cr2 %016llx  cr3 %016llx  cr4 %08llx  efer %04llx\n", ULL(s->cr0),
		ULL(s->cr2), ULL(s->cr3), ULL(s->cr4), ULL(s->efer));
	fprintf(file, "  cs %04x base %08llx  ss %04x  ds %04x  gdt %016llx/%04x  idt %016llx/%04x\n",
		s->cs.selector, ULL(s->cs.base), s->ss.selector, s->ds.selector, ULL(s->gdt.base),
		s->gdt.limit, ULL(s->idt.base), s->idt.limit);
}

static void print_code(struct vmm_vcpu *vcpu, FILE *file, uint64_t linear)
{
	struct kvm_translation translation = {.linear_address = linear};
	const uint8_t *bytes;
	uint32_t count = BYTES_SHOWN;

	if (ioctl(vcpu->file, KVM_TRANSLATE, &translation) < 0 || !translation.valid) {
		fprintf(file, "  code: rip is not mapped\n");
		return;
	}
	if ((translation.physical_address & 0xfffu) + count > 0x1000u)
		count = (uint32_t)(0x1000u - (translation.physical_address & 0xfffu));
	bytes = vmm_memory_at(&vcpu->vmm->memory, translation.physical_address, count);
	fprintf(file, "  code:");
	for (uint32_t n = 0; bytes && n < count; n++)
		fprintf(file, " %02x", bytes[n]);
	fprintf(file, bytes ? "\n" : " rip is not in RAM\n");
}

/* A guest that relies on it gets one interrupt and no more. */
static void print_auto_eoi(const struct vmm_vcpu *vcpu, FILE *file)
{
	for (uint32_t sint = 0; vcpu->auto_eoi >> sint && !vcpu->vmm->config.bios_stub; sint++) {
		if (vcpu->auto_eoi >> sint & 1)
			fprintf(file,
				"  SINT %u asks for AutoEOI, which this monitor does not do: see "
				"docs/vmm.md\n",
				sint);
	}
}

static void print_vcpu(struct vmm_vcpu *vcpu, FILE *file)
{
	struct kvm_mp_state state = {MP_RUNNABLE};
	struct kvm_regs registers;
	struct kvm_sregs special;

	(void)ioctl(vcpu->file, KVM_GET_MP_STATE, &state);
	fprintf(file, "vCPU %u: %s, %llu exits\n", vcpu->index, state_name(state.mp_state),
		ULL(vcpu->counters.exits));
	if (state.mp_state == KVM_MP_STATE_UNINITIALIZED)
		return;
	if (ioctl(vcpu->file, KVM_GET_REGS, &registers) < 0 ||
	    ioctl(vcpu->file, KVM_GET_SREGS, &special) < 0) {
		fprintf(file, "  its registers cannot be read\n");
		return;
	}
	/* As KVM does on AMD processors, where a shutdown leaves no state that could be relied on. */
	if (vcpu->vmm->result.end == VMM_TRIPLE_FAULT && special.cs.base == RESET_BASE &&
	    registers.rip == RESET_IP)
		fprintf(file, "  KVM has reset it: what it was doing is not known\n");
	print_registers(file, &registers, &special);
	print_code(vcpu, file, special.cs.base + registers.rip);
	print_auto_eoi(vcpu, file);
}

static void print_hypercalls(const struct vmm *vmm, FILE *file)
{
	uint64_t count = vmm->history_count < VMM_HISTORY ? vmm->history_count : VMM_HISTORY;

	fprintf(file, "hypercalls: %llu%s\n", ULL(vmm->history_count), count ? "; the last of them:" : "");
	for (uint64_t n = vmm->history_count - count; n < vmm->history_count; n++) {
		const struct vmm_hypercall *call = &vmm->history[n % VMM_HISTORY];

		fprintf(file, "  %10.6f s  vCPU %u  control %llx  input %llx  output %llx  ",
			(double)call->time / (double)HVH_TIME_PER_SECOND, call->vcpu, ULL(call->control),
			ULL(call->input), ULL(call->output));
		fprintf(file, call->valid ? "-> %llx\n" : "-> #UD\n", ULL(call->result));
	}
}

void vmm_report(struct vmm *vmm, FILE *file)
{
	fprintf(file, "%s, at %.6f s\n", vmm->result.text,
		(double)vmm_now(vmm) / (double)HVH_TIME_PER_SECOND);
	for (uint32_t n = 0; n < vmm->config.cpus; n++)
		print_vcpu(&vmm->vcpus[n], file);
	print_hypercalls(vmm, file);
}
