/* SPDX-License-Identifier: MIT */
/* The second CPU is started as PCs do it, and the answer to first contact is sent to it. */
#include "bus.inc"

#define TRAMPOLINE 0x10000u /* its page is what the start-up interrupt names */
#define ICR_LOW (0x300u / 4)
#define ICR_HIGH (0x310u / 4)
#define ICR_INIT 0x4500u
#define ICR_START 0x4600u

/* Real mode to long mode with the tables that CPU 0 began with. */
__asm__(".code16\n"
	".globl trampoline, trampoline_end\n"
	"trampoline:\n"
	"	cli\n"
	"	movw %cs, %ax\n"
	"	movw %ax, %ds\n"
	"	lgdtl trampoline_gdt - trampoline\n"
	"	movl $0x20, %eax\n"
	"	movl %eax, %cr4\n"
	"	movl $0x8000, %eax\n"
	"	movl %eax, %cr3\n"
	"	movl $0xc0000080, %ecx\n"
	"	rdmsr\n"
	"	orl $0x100, %eax\n"
	"	wrmsr\n"
	"	movl $0x80000031, %eax\n"
	"	movl %eax, %cr0\n"
	"	ljmpl $0x10, $second_long\n"
	"trampoline_gdt:\n"
	"	.word 31\n"
	"	.long 0x500\n"
	"trampoline_end:\n"
	".code64\n"
	"second_long:\n"
	"	movw $0x18, %ax\n"
	"	movw %ax, %ds\n"
	"	movw %ax, %es\n"
	"	movw %ax, %ss\n"
	"	leaq second_stack + 8192(%rip), %rsp\n"
	"	lidt table_pointer(%rip)\n"
	"	call second_main\n"
	"1:	hlt\n"
	"	jmp 1b\n");

extern const uint8_t trampoline[], trampoline_end[];
uint8_t second_stack[8192] __attribute__((aligned(16)));
struct __attribute__((packed)) {
	uint16_t limit;
	uint64_t base;
} table_pointer;
static volatile uint32_t ready, result;
void second_main(void);

void second_main(void)
{
	struct vmbus_version_response response;
	uint32_t type;

	if (rdmsr(HV_MSR_VP_INDEX) != 1)
		result = 10;
	enable_synic(1);
	ready = 1;
	type = await_message(1, &response, sizeof(response));
	if (!result)
		result = type == VMBUS_MSG_VERSION_RESPONSE && response.version_supported ? 1 : 11;
}

int guest_main(const void *zero_page)
{
	uint32_t leaf[4];

	(void)zero_page;
	cpuid(1, 0, leaf);
	if ((leaf[1] >> 16 & 0xffu) != 2)
		return 2;
	__asm__ volatile("sidt %0" : "=m"(table_pointer));
	memcpy((void *)(uint64_t)TRAMPOLINE, trampoline, (size_t)(trampoline_end - trampoline));
	enable_hypercalls();
	enable_synic(0);
	APIC[ICR_HIGH] = 1u << 24;
	APIC[ICR_LOW] = ICR_INIT;
	APIC[ICR_HIGH] = 1u << 24;
	APIC[ICR_LOW] = ICR_START | TRAMPOLINE >> 12;
	while (!ready)
		__asm__ volatile("pause");
	if (!contact(1))
		return 3;
	while (!result)
		__asm__ volatile("pause");
	return result == 1 ? 0 : (int)result;
}
