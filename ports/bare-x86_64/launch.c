/* SPDX-License-Identifier: MIT */
/* Another program in place of this one: its memory, and the last step to it. */
#include "ports/bare-x86_64/launch.h"
#include "ports/bare-x86_64/private.h"

#define AREA_DATA (LAUNCH_TABLES + LAUNCH_TABLE_PAGES * PAGE_SIZE)
_Static_assert(AREA_DATA + BARE_LAUNCH_DATA_BYTES <= BARE_LAUNCH_BYTES, "all of it fits");
_Static_assert(LAUNCH_COPIES + BARE_COPIES_MAX * sizeof(struct bare_copy) < LAUNCH_STACK - 256,
	       "the stack is above the copies");

/* Not where firmware keeps its own, whatever its memory map says of it. */
#define LOW_FLOOR 0x10000u
#define LOW_LIMIT_KIB 1024u

extern const uint8_t bare_launch_code[], bare_launch_code_end[];
_Noreturn void bare_launch_enter(uint64_t area);

static uint64_t area;

uint64_t bare_launch_area(void)
{
	uint32_t pages = BARE_LAUNCH_BYTES / PAGE_SIZE;

	if (!area)
		area = bare_low_pages(pages, LOW_FLOOR, LOW_LIMIT_KIB * 1024u);
	if (!area)
		area = pages_take(pages, LOW_LIMIT);
	return area;
}

void *bare_launch_data(void)
{
	return area ? (void *)(uintptr_t)(area + AREA_DATA) : NULL;
}

static void put(uint32_t offset, uint64_t value)
{
	*(uint64_t *)(uintptr_t)(area + offset) = value;
}

/* The first 4 GiB, one to one, all rights. */
static void build_tables(void)
{
	uint64_t *tables = (uint64_t *)(uintptr_t)(area + LAUNCH_TABLES);
	const uint64_t present = 3, large = 0x83;

	for (uint32_t i = 0; i < LAUNCH_TABLE_PAGES * 512u; i++)
		tables[i] = 0;
	tables[0] = (area + LAUNCH_TABLES + PAGE_SIZE) | present;
	for (uint64_t i = 0; i < 4; i++)
		tables[512 + i] = (area + LAUNCH_TABLES + (2 + i) * PAGE_SIZE) | present;
	for (uint64_t i = 0; i < 4u * 512u; i++)
		tables[1024 + i] = i << 21 | large;
}

static void build_descriptors(void)
{
	static const uint64_t gdt[] = {
		0, 0x00cf9b000000ffff /* LAUNCH_CODE32 */, 0x00af9b000000ffff /* LAUNCH_CODE64 */,
		0x00cf93000000ffff /* LAUNCH_DATA */, 0x0000890000000067 /* LAUNCH_TSS */};

	for (uint32_t i = 0; i < sizeof(gdt) / sizeof(gdt[0]); i++)
		put(LAUNCH_GDT + i * 8, gdt[i]);
	*(uint16_t *)(uintptr_t)(area + LAUNCH_GDTR) = sizeof(gdt) - 1;
	put(LAUNCH_GDTR + 2, area + LAUNCH_GDT);
}

void bare_launch(const struct bare_launch *launch)
{
	size_t length = (size_t)(bare_launch_code_end - bare_launch_code);
	uint8_t *code = (uint8_t *)(uintptr_t)(area + LAUNCH_CODE);

	if (!area || launch->count > BARE_COPIES_MAX || length > LAUNCH_COPIES - LAUNCH_CODE)
		bare_fatal("bare_launch: no area, or too many copies");
	cpu_interrupts_off();
	build_tables();
	build_descriptors();
	put(LAUNCH_CR3, area + LAUNCH_TABLES);
	put(LAUNCH_ENTRY, launch->entry);
	put(LAUNCH_ARGUMENT, launch->argument);
	put(LAUNCH_COUNT, launch->count);
	put(LAUNCH_PROTECTED, launch->protected_mode);
	for (uint32_t i = 0; i < launch->count; i++) {
		put(LAUNCH_COPIES + i * 24, launch->copies[i].to);
		put(LAUNCH_COPIES + i * 24 + 8, launch->copies[i].from);
		put(LAUNCH_COPIES + i * 24 + 16, launch->copies[i].length);
	}
	for (size_t i = 0; i < length; i++)
		code[i] = bare_launch_code[i];
	apic_leave();
	bare_launch_enter(area);
}
