/* SPDX-License-Identifier: MIT */
/* The other CPUs: INIT, start-up, a trampoline below 1 MiB. One after the other. */
#include "guest/core/format.h"
#include "guest/core/core.h"
#include "ports/bare-x86_64/private.h"

#define INIT_NS 10000000u /* SDM 3A 9.4.4.1 */
#define STARTUP_NS 200000u
#define ONLINE_NS 5000000000ull

struct bare_cpu bare_cpus[BARE_CPUS_MAX];

static void (*the_program)(void *context, uint32_t cpu);
static void *the_context;
static uint32_t areas; /* CPUs that have stacks */
static char error_text[120];

/* --- Stacks ------------------------------------------------------------------------------ */

uint64_t bare_stack_top(const struct bare_cpu *cpu)
{
	return cpu->area + (1u + STACK_PAGES) * PAGE_SIZE;
}

/* Position of the address in a CPU's area, in pages; CPU_AREA_PAGES: in none. */
static uint32_t place_of(uint64_t address, uint64_t *area)
{
	for (uint32_t i = 0; i < areas; i++) {
		*area = bare_cpus[i].area;
		if (address >= *area && address - *area < CPU_AREA_PAGES * PAGE_SIZE)
			return (uint32_t)((address - *area) / PAGE_SIZE);
	}
	return CPU_AREA_PAGES;
}

/* First page of the stack that this page belongs to, its guard page included. */
static uint32_t stack_start(uint32_t place)
{
	if (place < 1u + STACK_PAGES)
		return 0;
	place -= 1u + STACK_PAGES;
	return 1u + STACK_PAGES + place - place % (1u + FAULT_STACK_PAGES);
}

bool bare_is_guard(uint64_t address)
{
	uint64_t area;
	uint32_t place = place_of(address, &area);

	return place < CPU_AREA_PAGES && stack_start(place) == place;
}

bool bare_stack_of(uint64_t address, uint64_t *low, uint64_t *high)
{
	uint64_t area;
	uint32_t place = place_of(address, &area), start = stack_start(place);

	if (place >= CPU_AREA_PAGES || start == place)
		return false;
	*low = area + (start + 1u) * PAGE_SIZE;
	*high = *low + (start == 0 ? STACK_PAGES : FAULT_STACK_PAGES) * PAGE_SIZE;
	return true;
}

const char *bare_areas_take(uint32_t cpus)
{
	for (; areas < cpus; areas++) {
		struct bare_cpu *cpu = &bare_cpus[areas];

		cpu->index = areas;
		cpu->area = pages_take(CPU_AREA_PAGES, LOW_LIMIT);
		if (!cpu->area)
			return "too little memory below 4 GiB for the CPUs' stacks";
	}
	return NULL;
}

uint32_t bare_areas(void)
{
	return areas;
}

/* --- Start ------------------------------------------------------------------------------- */

uint32_t bare_cpu_index(void)
{
	uint32_t index;

	__asm__ volatile("movl %%gs:0, %0" : "=r"(index));
	return index;
}

uint32_t bare_cpus_present(void)
{
	uint32_t count = bare_acpi.cpu_count;

	return count == 0 ? 1 : count < areas ? count : areas;
}

uint32_t bare_cpus_limit(void)
{
	return areas;
}

void bare_cpu_entry(struct bare_cpu *cpu)
{
	descriptors_load(cpu);
	apic_init();
	__atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
	cpu_interrupts_on();
	the_program(the_context, cpu->index);
	cpu_halt_for_ever();
}

static const char *start_one(struct bare_cpu *cpu, uint64_t trampoline)
{
	uint64_t limit;

	bare_next_cr3 = paging_root();
	bare_next_stack = bare_stack_top(cpu);
	bare_next_cpu = cpu;
	apic_send_init(cpu->apic_id);
	clock_delay(INIT_NS);
	for (uint32_t i = 0; i < 2 && !__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE); i++) {
		apic_send_startup(cpu->apic_id, (uint8_t)(trampoline >> PAGE_SHIFT));
		clock_delay(STARTUP_NS);
	}
	limit = bare_clock_ns() + ONLINE_NS;
	while (!__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE)) {
		if (bare_clock_ns() >= limit)
			return hvk_format(error_text, sizeof(error_text),
					  "CPU %u (APIC id %u) does not start", cpu->index, cpu->apic_id);
		cpu_relax();
	}
	return NULL;
}

/* The ids in the order of ACPI, but for our own, which is CPU 0. Without ACPI, 0 to cpus - 1. */
static bool next_id(uint32_t *at, uint32_t *id)
{
	uint32_t own = bare_cpus[0].apic_id;

	for (; *at < (bare_acpi.cpu_count ? bare_acpi.cpu_count : BARE_CPUS_MAX); (*at)++) {
		*id = bare_acpi.cpu_count ? bare_acpi.apic_ids[*at] : *at;
		if (*id != own) {
			(*at)++;
			return true;
		}
	}
	return false;
}

const char *bare_cpus_start(uint32_t cpus, void (*program)(void *context, uint32_t cpu), void *context)
{
	uint64_t trampoline = bare_low_page();
	uint8_t *to = (uint8_t *)(uintptr_t)trampoline;
	const char *error = NULL;
	uint32_t at = 0;

	if (cpus <= 1)
		return NULL;
	if (cpus > areas && !bare_acpi.cpu_count)
		return hvk_format(error_text, sizeof(error_text),
				  "ACPI names no CPUs: without it %u can be started at most, not %u", areas,
				  cpus);
	if (cpus > areas || (bare_acpi.cpu_count && cpus > bare_acpi.cpu_count))
		return hvk_format(error_text, sizeof(error_text), "there are %u CPUs, not %u",
				  bare_cpus_present(), cpus);
	if (!trampoline)
		return "no page of memory below 1 MiB: other CPUs cannot be started";
	for (size_t i = 0; i < (size_t)(bare_trampoline_end - bare_trampoline); i++)
		to[i] = bare_trampoline[i];
	the_program = program;
	the_context = context;
	for (uint32_t i = 1; i < cpus && !error; i++) {
		if (!next_id(&at, &bare_cpus[i].apic_id))
			return "ACPI names fewer CPUs than were asked for";
		if (!bare_has_x2apic() && bare_cpus[i].apic_id > 254)
			return "a CPU's APIC id is above 254, and there is no x2APIC to reach it";
		error = start_one(&bare_cpus[i], trampoline);
	}
	return error;
}
