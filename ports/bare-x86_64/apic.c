/* SPDX-License-Identifier: MIT */
/* The local APIC: by registers (x2APIC) where CPUID has that, else by its page. Source: SDM 3A 11. */
#include "ports/bare-x86_64/private.h"

#define REGISTER_ID 0x020u
#define REGISTER_TASK_PRIORITY 0x080u
#define REGISTER_EOI 0x0b0u
#define REGISTER_SPURIOUS 0x0f0u
#define REGISTER_COMMAND 0x300u
#define REGISTER_COMMAND_HIGH 0x310u
#define REGISTER_TIMER 0x320u
#define REGISTER_LINT0 0x350u
#define REGISTER_LINT1 0x360u
#define REGISTER_ERROR 0x370u
#define REGISTER_TIMER_INITIAL 0x380u
#define REGISTER_TIMER_CURRENT 0x390u
#define REGISTER_TIMER_DIVIDE 0x3e0u

#define BASE_ENABLE (1ull << 11)
#define BASE_X2APIC (1ull << 10)
#define BASE_ADDRESS_MASK 0x000ffffffffff000ull
#define SPURIOUS_ENABLE 0x100u
#define MASKED 0x10000u
#define TIMER_DEADLINE (2u << 17)
#define DIVIDE_BY_1 0x0bu
#define COMMAND_PENDING 0x1000u
#define COMMAND_INIT 0x4500u    /* asserted */
#define COMMAND_STARTUP 0x4600u /* and the page */
#define COMMAND_FIXED 0x4000u   /* and the vector */

#define PENDING_TRIES 1000000u
#define CALIBRATE_NS 10000000u

#define PIC1_DATA 0x21u
#define PIC2_DATA 0xa1u

static bool x2apic;
static bool deadline; /* the timer compares with the TSC */
static uint64_t window;
static uint64_t ticks_per_second;

static struct { /* by apic_init, on the CPU that leaves */
	uint64_t base;
	uint32_t spurious, lint0, lint1;
	uint8_t pic1, pic2;
	bool known;
} found;

static void write_register(uint32_t number, uint32_t value)
{
	if (x2apic)
		(void)cpu_msr_write(MSR_X2APIC + number / 16, value);
	else
		__atomic_store_n((uint32_t *)(uintptr_t)(window + number), value, __ATOMIC_SEQ_CST);
}

static uint32_t read_register(uint32_t number)
{
	uint64_t value = 0;

	if (!x2apic)
		return __atomic_load_n((uint32_t *)(uintptr_t)(window + number), __ATOMIC_SEQ_CST);
	(void)cpu_msr_read(MSR_X2APIC + number / 16, &value);
	return (uint32_t)value;
}

/* --- Start ------------------------------------------------------------------------------ */

const char *apic_init_boot(void)
{
	uint64_t base;
	uint32_t regs[4];

	cpu_cpuid(1, regs);
	x2apic = (regs[2] & CPUID1_ECX_X2APIC) != 0;
	deadline = (regs[2] & CPUID1_ECX_TSC_DEADLINE) != 0;
	if (!cpu_msr_read(MSR_APIC_BASE, &base))
		return "this CPU has no local APIC";
	if (!x2apic && (base & BASE_X2APIC)) /* left so, and hidden: the page does not answer then */
		x2apic = true;
	window = x2apic ? 0 : base & BASE_ADDRESS_MASK;
	return window < LOW_LIMIT ? NULL : "the local APIC's page lies above 4 GiB";
}

uint64_t apic_window(void)
{
	return window;
}

bool bare_has_x2apic(void)
{
	return x2apic;
}

static bool is_reachable(uint64_t base)
{
	return (base & BASE_ENABLE) && ((base & BASE_X2APIC) != 0) == x2apic;
}

/* Registers of an APIC in another mode than ours are those of its reset. */
static void remember(void)
{
	if (found.known)
		return;
	found.known = true;
	found.pic1 = cpu_in8(PIC1_DATA);
	found.pic2 = cpu_in8(PIC2_DATA);
	(void)cpu_msr_read(MSR_APIC_BASE, &found.base);
	found.spurious = VECTOR_SPURIOUS;
	found.lint0 = found.lint1 = MASKED;
	if (!is_reachable(found.base))
		return;
	found.spurious = read_register(REGISTER_SPURIOUS);
	found.lint0 = read_register(REGISTER_LINT0);
	found.lint1 = read_register(REGISTER_LINT1);
}

void apic_leave(void)
{
	write_register(REGISTER_TIMER, MASKED);
	if (deadline)
		(void)cpu_msr_write(MSR_TSC_DEADLINE, 0);
	write_register(REGISTER_TIMER_INITIAL, 0);
	write_register(REGISTER_LINT0, found.lint0);
	write_register(REGISTER_LINT1, found.lint1);
	write_register(REGISTER_SPURIOUS, found.spurious);
	if (!is_reachable(found.base)) { /* from x2APIC there is no way back but through "off" */
		(void)cpu_msr_write(MSR_APIC_BASE, found.base & ~(BASE_ENABLE | BASE_X2APIC));
		(void)cpu_msr_write(MSR_APIC_BASE, found.base);
	}
	cpu_out8(PIC1_DATA, found.pic1);
	cpu_out8(PIC2_DATA, found.pic2);
}

void apic_init(void)
{
	uint64_t base = 0;

	remember();
	cpu_out8(PIC1_DATA, 0xff); /* nothing comes from there */
	cpu_out8(PIC2_DATA, 0xff);
	(void)cpu_msr_read(MSR_APIC_BASE, &base);
	if (!(base & BASE_ENABLE)) /* x2APIC is reached from xAPIC only */
		(void)cpu_msr_write(MSR_APIC_BASE, base | BASE_ENABLE);
	if (x2apic)
		(void)cpu_msr_write(MSR_APIC_BASE, base | BASE_ENABLE | BASE_X2APIC);
	write_register(REGISTER_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	write_register(REGISTER_TASK_PRIORITY, 0);
	write_register(REGISTER_LINT0, MASKED);
	write_register(REGISTER_LINT1, MASKED);
	write_register(REGISTER_ERROR, MASKED);
	write_register(REGISTER_TIMER_DIVIDE, DIVIDE_BY_1);
	write_register(REGISTER_TIMER, deadline ? TIMER_DEADLINE | VECTOR_TIMER : VECTOR_TIMER);
	/* The mode is to be in force before the first deadline is written (SDM 3A 11.5.4.1). */
	__asm__ volatile("mfence" : : : "memory");
}

uint32_t apic_id(void)
{
	uint32_t id = read_register(REGISTER_ID);

	return x2apic ? id : id >> 24;
}

void apic_end_of_interrupt(void)
{
	write_register(REGISTER_EOI, 0);
}

/* --- Between CPUs ------------------------------------------------------------------------ */

/* In two halves without x2APIC: no interrupt may send another in between. */
static void send(uint32_t to, uint32_t command)
{
	uint64_t flags = cpu_flags();

	__asm__ volatile("mfence" : : : "memory"); /* what was written before is seen first */
	if (x2apic) {
		(void)cpu_msr_write(MSR_X2APIC + REGISTER_COMMAND / 16, (uint64_t)to << 32 | command);
		return;
	}
	cpu_interrupts_off();
	write_register(REGISTER_COMMAND_HIGH, to << 24);
	write_register(REGISTER_COMMAND, command);
	for (uint32_t i = 0; i < PENDING_TRIES && (read_register(REGISTER_COMMAND) & COMMAND_PENDING); i++)
		cpu_relax();
	if (flags & FLAGS_INTERRUPTS)
		cpu_interrupts_on();
}

void apic_send_vector(uint32_t to, uint8_t vector)
{
	send(to, COMMAND_FIXED | vector);
}

void apic_send_init(uint32_t to)
{
	send(to, COMMAND_INIT);
}

void apic_send_startup(uint32_t to, uint8_t page)
{
	send(to, COMMAND_STARTUP | page);
}

/* --- Timer --------------------------------------------------------------------------------- */

static uint64_t measure_timer(void)
{
	uint64_t before = bare_clock_ns(), passed;

	write_register(REGISTER_TIMER, MASKED | VECTOR_TIMER);
	write_register(REGISTER_TIMER_INITIAL, UINT32_MAX);
	while ((passed = bare_clock_ns() - before) < CALIBRATE_NS)
		cpu_relax();
	passed = (uint64_t)(UINT32_MAX - read_register(REGISTER_TIMER_CURRENT)) * 1000000000u / passed;
	write_register(REGISTER_TIMER_INITIAL, 0);
	write_register(REGISTER_TIMER, VECTOR_TIMER);
	return passed;
}

void apic_timer_init(void)
{
	ticks_per_second = deadline ? clock_hertz() : clock_apic_hertz();
	if (ticks_per_second == 0)
		ticks_per_second = measure_timer();
	if (ticks_per_second == 0)
		ticks_per_second = 1;
}

/* A wait may end early, so a long one is cut rather than computed exactly. */
void apic_timer_arm(uint64_t ns)
{
	const uint64_t longest = 1000000000u; /* 1 s: the product fits 64 bits up to 18 GHz */
	uint64_t ticks = (ns < longest ? ns : longest) * ticks_per_second / 1000000000u + 1;

	if (deadline)
		(void)cpu_msr_write(MSR_TSC_DEADLINE, cpu_tsc() + ticks);
	else
		write_register(REGISTER_TIMER_INITIAL, ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX);
}
