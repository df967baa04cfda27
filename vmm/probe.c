/* SPDX-License-Identifier: MIT */
/* A guest of a few instructions: how fast is this KVM, and what can it not do? */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vmm/private.h"

#define PROBE_MEMORY (4ull << 20)
#define CODE_GPA VMM_PROGRAM_GPA
#define PORT 0xf4u
#define FEW_LOOPS 10000u
#define MORE_LOOPS 50000u
#define MANY_LOOPS 10000000u
#define INSTRUCTIONS_PER_LOOP 2u
#define NS_PER_SECOND 1000000000ull

/* In long mode, ECX = loops, RSI = 16-byte aligned memory: count down, write to the port,
 * compare and exchange, write again. */
static const uint8_t code[] = {
	0xff, 0xc9,                   /* loop: dec %ecx */
	0x75, 0xfc,                   /* jnz loop */
	0xe6, PORT,                   /* out %al, $PORT */
	0xf0, 0x48, 0x0f, 0xc7, 0x0e, /* lock cmpxchg16b (%rsi) */
	0xe6, PORT,                   /* out %al, $PORT */
	0xf4,                         /* hlt */
};
#define OPERAND_GPA (CODE_GPA + 0x1000u)

struct probe_machine {
	struct vmm_kvm kvm;
	struct vmm_memory memory;
	int vcpu;
	struct kvm_run *run;
};

static void destroy(struct probe_machine *machine)
{
	if (machine->run)
		(void)munmap(machine->run, machine->kvm.run_size);
	if (machine->vcpu >= 0)
		(void)close(machine->vcpu);
	vmm_kvm_close(&machine->kvm);
	vmm_memory_destroy(&machine->memory);
}

static bool create(struct probe_machine *machine, char *error)
{
	void *run;

	*machine = (struct probe_machine){.kvm = {-1, -1, 0}, .vcpu = -1};
	if (!vmm_kvm_open(&machine->kvm, error) || !vmm_kvm_add_interrupts(&machine->kvm, error))
		return false;
	if (!vmm_memory_create(&machine->memory, PROBE_MEMORY))
		return vmm_kvm_failed(error, "no memory for a guest");
	vmm_boot_write_tables(&machine->memory);
	(void)vmm_memory_write(&machine->memory, CODE_GPA, code, sizeof(code));
	if (!vmm_kvm_add_memory(&machine->kvm, &machine->memory, error))
		return false;
	machine->vcpu = ioctl(machine->kvm.vm, KVM_CREATE_VCPU, 0ul);
	if (machine->vcpu < 0)
		return vmm_kvm_failed(error, "a virtual CPU cannot be made");
	run = mmap(NULL, machine->kvm.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, machine->vcpu, 0);
	if (run == MAP_FAILED)
		return vmm_kvm_failed(error, "a virtual CPU's page cannot be mapped");
	machine->run = run;
	return true;
}

/* Gives the vCPU what the processor can do: without, cmpxchg16b is none of it. */
static bool set_cpuid(const struct probe_machine *machine)
{
	struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entries[256];
	} leaves;

	memset(&leaves, 0, sizeof(leaves));
	leaves.header.nent = 256;
	return ioctl(machine->kvm.device, KVM_GET_SUPPORTED_CPUID, &leaves) == 0 &&
	       ioctl(machine->vcpu, KVM_SET_CPUID2, &leaves) == 0;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* Runs on to the next port write. A process that was stopped and goes on has been interrupted. */
static bool run_to_port(const struct probe_machine *machine)
{
	int result;

	do
		result = ioctl(machine->vcpu, KVM_RUN, 0);
	while (result < 0 && errno == EINTR);
	return result == 0 && machine->run->exit_reason == KVM_EXIT_IO;
}

static bool measure(const struct probe_machine *machine, uint32_t loops, uint64_t *ns, char *error)
{
	const struct vmm_start start = {VMM_LONG_MODE, CODE_GPA, OPERAND_GPA};
	struct kvm_regs registers;
	uint64_t begin;

	if (!vmm_boot_set_registers(machine->vcpu, &start) ||
	    ioctl(machine->vcpu, KVM_GET_REGS, &registers) < 0)
		return vmm_kvm_failed(error, "the registers of a virtual CPU");
	registers.rcx = loops;
	if (ioctl(machine->vcpu, KVM_SET_REGS, &registers) < 0)
		return vmm_kvm_failed(error, "the registers of a virtual CPU");
	begin = now_ns();
	if (!run_to_port(machine)) {
		snprintf(error, VMM_ERROR_MAX, "KVM cannot run a guest of five instructions (exit reason %u)",
			 machine->run->exit_reason);
		return false;
	}
	*ns = now_ns() - begin;
	return true;
}

static uint64_t speed(uint32_t loops, uint64_t ns)
{
	return (uint64_t)loops * INSTRUCTIONS_PER_LOOP * NS_PER_SECOND / (ns ? ns : 1);
}

/* Longer each time, as long as it goes well: the first runs also pay for what is new to KVM. */
static bool measure_speed(const struct probe_machine *machine, uint64_t *per_second, char *error)
{
	static const uint32_t loops[] = {FEW_LOOPS, MORE_LOOPS, MANY_LOOPS};

	for (size_t n = 0; n < sizeof(loops) / sizeof(loops[0]); n++) {
		uint64_t ns;

		if (!measure(machine, loops[n], &ns, error))
			return false;
		*per_second = speed(loops[n], ns);
		if (n > 0 && *per_second < VMM_SLOW)
			break;
	}
	return true;
}

static bool run_probe(struct vmm_probe *probe, bool with_speed, char *error)
{
	struct probe_machine machine;
	bool right = create(&machine, error);
	uint64_t ns;

	if (right && !set_cpuid(&machine))
		right = vmm_kvm_failed(error, "CPUID");
	if (right && with_speed)
		right = measure_speed(&machine, &probe->instructions_per_second, error);
	right = right && measure(&machine, 1, &ns, error);
	if (right)
		probe->cmpxchg16b = run_to_port(&machine);
	destroy(&machine);
	return right;
}

bool vmm_probe(struct vmm_probe *probe, char *error)
{
	return run_probe(probe, true, error);
}

bool vmm_probe_cmpxchg16b(bool *works, char *error)
{
	struct vmm_probe probe;

	if (!run_probe(&probe, false, error))
		return false;
	*works = probe.cmpxchg16b;
	return true;
}
