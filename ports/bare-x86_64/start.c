/* SPDX-License-Identifier: MIT */
/* From the loader's information to the program. */
#include "ports/bare-x86_64/private.h"

/* More memory than that is left alone: the page tables for it would take longer than the rest. */
#define RAM_LIMIT (64ull << 30)
#define LOW_MEMORY (1ull << 20)
#define CPUS_WITHOUT_ACPI 8u /* then only the command line knows, which is not ours to read */

/* Where hvkit's monitor, built without a compiler for ACPI, has what its DSDT does not say. */
static const struct acpi_window usual_windows[] = {{0xf8000000u, 0x06c00000u}, {0xfe0000000ull, 0x20000000u}};

static struct boot_info info;
static struct page_set ram, usable, low_memory;
static uint64_t low_page;

static bool read_low(void *context, uint64_t address, void *out, size_t length)
{
	const uint8_t *from = (const uint8_t *)(uintptr_t)address;
	uint8_t *to = out;

	(void)context;
	if (address == 0 || address >= LOW_LIMIT || length > LOW_LIMIT - address)
		return false;
	for (size_t i = 0; i < length; i++)
		to[i] = from[i];
	return true;
}

static _Noreturn void refuse(const char *error)
{
	bare_print("cannot start: %s\n", error);
	bare_end(1);
}

static void check(const char *error)
{
	if (error)
		refuse(error);
}

const char *bare_command_line(void)
{
	return info.command_line;
}

uint64_t bare_ram_bytes(void)
{
	return page_set_total(&ram) << PAGE_SHIFT;
}

uint64_t bare_low_page(void)
{
	return low_page;
}

uint64_t bare_low_pages(uint32_t count, uint64_t floor, uint64_t limit)
{
	uint64_t first = 0;

	(void)page_set_take(&low_memory, count, floor >> PAGE_SHIFT, limit >> PAGE_SHIFT, &first);
	return first << PAGE_SHIFT;
}

bool bare_memory_range(uint32_t n, struct bare_memory_range *out)
{
	if (n >= info.range_count)
		return false;
	*out = (struct bare_memory_range){info.ranges[n].address, info.ranges[n].length, info.ranges[n].type};
	return true;
}

/* A copy in memory that has been given out since is none any more. */
uint64_t bare_rsdp(void)
{
	return page_set_overlaps(&ram, info.rsdp >> PAGE_SHIFT, 1) ? 0 : info.rsdp;
}

/* Below 1 MiB is one page for the trampoline, and the loader's tables, which have been read. */
static void sort_memory(void)
{
	uint64_t image = (uintptr_t)bare_text_start, end = (uintptr_t)bare_image_end, first = 0;

	boot_info_ram(&info, RAM_LIMIT >> PAGE_SHIFT, &ram);
	usable = ram;
	(void)page_set_remove(&usable, 0, 1);
	if (page_set_take(&usable, 1, 0, LOW_MEMORY >> PAGE_SHIFT, &first))
		low_page = first << PAGE_SHIFT;
	low_memory = usable;
	(void)page_set_remove(&usable, 0, LOW_MEMORY >> PAGE_SHIFT);
	(void)page_set_remove(&usable, image >> PAGE_SHIFT, (end - image) >> PAGE_SHIFT);
	if (!page_set_contains(&ram, image >> PAGE_SHIFT, (end - image) >> PAGE_SHIFT))
		refuse("the memory map says that there is no memory where this image lies");
	pages_init(&usable);
}

static void take_usual_windows(void)
{
	uint32_t count = sizeof(usual_windows) / sizeof(usual_windows[0]);

	for (uint32_t i = 0; i < count; i++)
		bare_acpi.windows[i] = usual_windows[i];
	bare_acpi.window_count = count;
}

static uint32_t cpus_to_expect(void)
{
	uint32_t named = bare_acpi.cpu_count ? bare_acpi.cpu_count : CPUS_WITHOUT_ACPI;

	return named < BARE_CPUS_MAX ? named : BARE_CPUS_MAX;
}

/* On the CPU's own stack, with the final tables. */
static void go_on(void)
{
	int status;

	display_mapped();
	apic_init();
	bare_cpus[0].apic_id = apic_id();
	bare_cpus[0].online = true;
	clock_init();
	apic_timer_init();
	cpu_interrupts_on();
	status = bare_main();
	bare_end(status);
}

void bare_entry(enum boot_form form, uint64_t address)
{
	const struct physical memory = {.read = read_low};
	const char *error;

	serial_init();
	check(boot_info_read(&info, form, &memory, address));
	if (info.rsdp) { /* now: it may lie in memory that is given out from here on */
		error = acpi_read(&bare_acpi, &memory, info.rsdp);
		if (error)
			bare_print("%s\n", error);
	}
	sort_memory();
	display_open(&info.screen, &ram);
	check(bare_areas_take(1));
	descriptors_load(&bare_cpus[0]); /* from here on a fault is reported */
	check(apic_init_boot());
	if (bare_acpi.window_count == 0)
		take_usual_windows();
	check(bare_areas_take(cpus_to_expect()));
	check(paging_build(&ram));
	paging_load();
	bare_on_stack(bare_stack_top(&bare_cpus[0]), go_on);
}
