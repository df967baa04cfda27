/* SPDX-License-Identifier: MIT */
/* Where all interrupts arrive: exceptions that are expected, those that are not, and devices'. */
#include "ports/bare-x86_64/private.h"

#define EXCEPTIONS 32u
#define EXCEPTION_PROTECTION 13u
#define EXCEPTION_PAGE 14u

struct fixup {
	uint64_t at, go_on;
};
extern const struct fixup bare_fixups[], bare_fixups_end[];

struct handler {
	void (*handle)(void *context, uint32_t cpu);
	void *context;
};
static struct handler handlers[BARE_VECTOR_LAST - BARE_VECTOR_FIRST + 1];
static struct {
	uint32_t first, count;
	void (*handle)(void *context, uint32_t cpu, uint8_t vector);
	void *context;
} devices;
static uint32_t strays_told[256 / 32];
static uint32_t reporting; /* CPU number + 1 */

void bare_set_vector(uint8_t vector, void (*handle)(void *context, uint32_t cpu), void *context)
{
	if (vector < BARE_VECTOR_FIRST || vector > BARE_VECTOR_LAST)
		bare_fatal("bare_set_vector: the vector is not the program's");
	handlers[vector - BARE_VECTOR_FIRST] = (struct handler){handle, context};
}

void bare_set_device_vectors(uint8_t first, uint8_t count,
			     void (*handle)(void *context, uint32_t cpu, uint8_t vector), void *context)
{
	if (first < BARE_VECTOR_FIRST || first + count > BARE_VECTOR_LAST + 1u)
		bare_fatal("bare_set_device_vectors: the vectors are not the program's");
	devices.first = first;
	devices.count = count;
	devices.handle = handle;
	devices.context = context;
}

/* --- The report ------------------------------------------------------------------------ */

static const char *name_of(uint64_t vector)
{
	static const char *const names[EXCEPTIONS] = {
		"division error",
		"debug exception",
		"NMI",
		"breakpoint",
		"overflow",
		"bound exceeded",
		"invalid opcode",
		"no FPU",
		"double fault",
		NULL,
		"invalid TSS",
		"segment not present",
		"stack fault",
		"general protection fault",
		"page fault",
		NULL,
		"FPU error",
		"alignment check",
		"machine check",
		"SIMD error",
		"virtualization exception",
		"control protection exception",
	};

	return vector < EXCEPTIONS && names[vector] ? names[vector] : "exception";
}

static const char *page_fault_cause(const struct bare_frame *frame, uint64_t address)
{
	if (address < PAGE_SIZE)
		return "a null pointer";
	if (bare_is_guard(address))
		return "a stack has overflowed";
	if (!(frame->error & 1))
		return "there is no such page";
	if (frame->error & 16)
		return "the page is not to be executed";
	return frame->error & 2 ? "the page is not to be written" : "a reserved bit in the page tables";
}

static void print_registers(const struct bare_frame *f)
{
	const struct {
		const char *name;
		uint64_t value;
	} registers[] = {
		{"rax", f->rax},    {"rbx", f->rbx},    {"rcx", f->rcx},     {"rdx", f->rdx},
		{"rsi", f->rsi},    {"rdi", f->rdi},    {"rbp", f->rbp},     {"rsp", f->rsp},
		{"r8 ", f->r8},     {"r9 ", f->r9},     {"r10", f->r10},     {"r11", f->r11},
		{"r12", f->r12},    {"r13", f->r13},    {"r14", f->r14},     {"r15", f->r15},
		{"rip", f->rip},    {"flg", f->flags},  {"cr2", cpu_cr2()},  {"cr3", cpu_cr3()},
		{"cr0", cpu_cr0()}, {"cr4", cpu_cr4()}, {"efr", cpu_efer()}, {"err", f->error},
	};

	for (uint32_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		bare_print("%s %016llx%s", registers[i].name, (unsigned long long)registers[i].value,
			   i % 4 == 3 ? "\n" : "  ");
}

static _Noreturn void report(const struct bare_frame *frame)
{
	const uint64_t numbers[BARE_CRASH_NUMBERS] = {frame->vector, frame->rip, cpu_cr2(), frame->rsp,
						      frame->error};
	uint32_t nobody = 0, self = bare_cpu_index() + 1;

	if (!__atomic_compare_exchange_n(&reporting, &nobody, self, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE)) {
		if (nobody != self) /* another CPU reports, and ends the machine */
			cpu_halt_for_ever();
		bare_print("*** and another: %s (%u) at 0x%llx\n", name_of(frame->vector),
			   (unsigned)frame->vector, (unsigned long long)frame->rip);
		bare_end(BARE_STATUS_CRASHED);
	}
	serial_capture();
	bare_print("*** CPU %u: %s (%u), error code 0x%llx\n", self - 1, name_of(frame->vector),
		   (unsigned)frame->vector, (unsigned long long)frame->error);
	if (frame->vector == EXCEPTION_PAGE)
		bare_print("%s 0x%llx: %s\n",
			   frame->error & 16  ? "executing"
			   : frame->error & 2 ? "writing"
					      : "reading",
			   (unsigned long long)cpu_cr2(), page_fault_cause(frame, cpu_cr2()));
	print_registers(frame);
	backtrace_print(frame->rip, frame->rbp, frame->rsp);
	crash_end(numbers);
}

/* --- Arrival ----------------------------------------------------------------------------- */

static bool fix_up(struct bare_frame *frame)
{
	for (const struct fixup *fixup = bare_fixups; fixup < bare_fixups_end; fixup++) {
		if (fixup->at == frame->rip) {
			frame->rip = fixup->go_on;
			return true;
		}
	}
	return false;
}

/* Something that firmware left on: worth a line, once per vector, and no crash. */
static void tell_stray(uint64_t vector, uint32_t cpu)
{
	uint32_t bit = 1u << vector % 32;

	if (!(__atomic_fetch_or(&strays_told[vector / 32], bit, __ATOMIC_RELAXED) & bit))
		bare_print("CPU %u: interrupt 0x%x, which nobody has asked for\n", cpu, (unsigned)vector);
}

static void handle(uint64_t vector, uint32_t cpu)
{
	const struct handler *handler;

	if (vector == VECTOR_TIMER || vector == VECTOR_WAKE)
		return;
	if (vector < BARE_VECTOR_FIRST || vector > BARE_VECTOR_LAST) {
		tell_stray(vector, cpu);
		return;
	}
	if (vector - devices.first < devices.count) {
		devices.handle(devices.context, cpu, (uint8_t)vector);
		return;
	}
	handler = &handlers[vector - BARE_VECTOR_FIRST];
	if (handler->handle)
		handler->handle(handler->context, cpu);
	else
		tell_stray(vector, cpu);
}

void bare_trap(struct bare_frame *frame)
{
	uint32_t cpu = bare_cpu_index();

	if (frame->vector == VECTOR_SPURIOUS) /* has no end (SDM 3A 11.9) */
		return;
	if (frame->vector == EXCEPTION_PROTECTION && fix_up(frame))
		return;
	if (frame->vector < EXCEPTIONS)
		report(frame);
	handle(frame->vector, cpu);
	bare_cpus[cpu].woken = true; /* looked at by this CPU alone, with interrupts off */
	apic_end_of_interrupt();
}
