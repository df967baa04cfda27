/* SPDX-License-Identifier: MIT */
/*
 * The page tables that we run on: memory one to one, built once, never changed. Text and the
 * hypercall pages are executed and not written; constants are only read; all else is not
 * executed. Page 0 and the page below each stack are not there.
 */
#include "ports/bare-x86_64/private.h"

#define ENTRIES 512u
#define LARGE_PAGE (2ull << 20)
#define PRESENT 1ull
#define WRITE 2ull
#define WRITE_THROUGH 8ull
#define NO_CACHE 16ull
#define LARGE 0x80ull
#define NO_EXECUTE (1ull << 63)
#define ADDRESS_MASK 0x000ffffffffff000ull
#define DATA (PRESENT | WRITE | NO_EXECUTE)
#define DEVICES_FIRST (1ull << 20)
#define WINDOW_END (1ull << 47) /* what four levels map */

static uint64_t *root;
static bool out_of_memory;

/* Tables lie where the first ones map them. */
static uint64_t *new_table(void)
{
	uint64_t address = pages_take(1, LOW_LIMIT);
	uint64_t *table = (uint64_t *)(uintptr_t)address;

	if (!address) {
		out_of_memory = true;
		return NULL;
	}
	for (uint32_t i = 0; i < ENTRIES; i++)
		table[i] = 0;
	return table;
}

/* The entry for the address at that level: 1 maps 4 KiB, 2 maps 2 MiB. */
static uint64_t *entry_of(uint64_t address, uint32_t level)
{
	uint64_t *table = root;

	for (uint32_t at = 4; at > level; at--) {
		uint64_t *entry = &table[address >> (3 + 9 * at) & (ENTRIES - 1)];

		if (!(*entry & PRESENT)) {
			uint64_t *below = new_table();

			if (!below)
				return NULL;
			*entry = (uintptr_t)below | PRESENT | WRITE;
		}
		table = (uint64_t *)(uintptr_t)(*entry & ADDRESS_MASK);
	}
	return &table[address >> (3 + 9 * level) & (ENTRIES - 1)];
}

static void map(uint64_t address, uint32_t level, uint64_t flags)
{
	uint64_t *entry = entry_of(address, level);

	if (entry)
		*entry = address | flags | (level == 2 ? LARGE : 0);
}

static bool is_between(uint64_t address, const uint8_t *from, const uint8_t *to)
{
	return address >= (uintptr_t)from && address < (uintptr_t)to;
}

/* 0: not mapped. */
static uint64_t rights_of(uint64_t page)
{
	if (page == 0 || bare_is_guard(page))
		return 0;
	if (is_between(page, bare_text_start, bare_rodata_start))
		return PRESENT;
	if (is_between(page, bare_rodata_start, bare_data_start))
		return PRESENT | NO_EXECUTE;
	return DATA;
}

static bool overlaps(uint64_t address, uint64_t from, uint64_t to)
{
	return address < to && from < address + LARGE_PAGE;
}

/* Whether all pages of these 2 MiB are plain data. */
static bool is_plain(uint64_t address)
{
	if (address == 0 || overlaps(address, (uintptr_t)bare_text_start, (uintptr_t)bare_data_start))
		return false;
	for (uint32_t i = 0; i < bare_areas(); i++) {
		uint64_t area = bare_cpus[i].area;

		if (overlaps(address, area, area + CPU_AREA_PAGES * PAGE_SIZE))
			return false;
	}
	return true;
}

static void map_run(const struct page_run *run)
{
	uint64_t page = run->first << PAGE_SHIFT, end = page + (run->count << PAGE_SHIFT);

	while (page < end && !out_of_memory) {
		bool whole = page % LARGE_PAGE == 0 && end - page >= LARGE_PAGE;
		/* Everything that is not plain lies below 4 GiB. */
		if (whole && (page >= LOW_LIMIT || is_plain(page))) {
			map(page, 2, DATA);
			page += LARGE_PAGE;
			continue;
		}
		if (rights_of(page))
			map(page, 1, rights_of(page));
		page += PAGE_SIZE;
	}
}

/* A device's page; 0: none. It may lie neither in memory, whose rights it would change, nor where all
 * PCs have something else. */
static bool map_device(uint64_t address, const struct page_set *ram)
{
	uint64_t page = address & ~(uint64_t)(PAGE_SIZE - 1);

	if (address == 0 || out_of_memory)
		return true;
	if (page < DEVICES_FIRST || page_set_overlaps(ram, page >> PAGE_SHIFT, 1))
		return false;
	map(page, 1, DATA | NO_CACHE | WRITE_THROUGH);
	return true;
}

/* --- Windows for device memory ------------------------------------------------------------- */

/* More of a window than that is left alone. */
#define WINDOW_MAX (1ull << 30)

static bool is_usable(const struct acpi_window *window, uint32_t count, const struct page_set *ram)
{
	if (window->base >= WINDOW_END || window->length > WINDOW_END - window->base)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct acpi_window *other = &bare_acpi.windows[i];

		if (window->base < other->base + other->length && other->base < window->base + window->length)
			return false;
	}
	return !page_set_overlaps(ram, window->base >> PAGE_SHIFT, window->length >> PAGE_SHIFT);
}

/* The screen may lie in a window, and is no place for other devices: what is left is the larger part beside
 * it, to the 2 MiB. */
static void leave_screen_out(struct acpi_window *window)
{
	uint64_t screen, length, end = window->base + window->length, screen_end;

	if (!display_window(&screen, &length))
		return;
	screen_end = (screen + length + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
	screen &= ~(LARGE_PAGE - 1);
	if (screen >= end || screen_end <= window->base)
		return;
	if (screen > window->base && (screen_end >= end || screen - window->base > end - screen_end)) {
		window->length = screen - window->base;
		return;
	}
	window->base = screen_end;
	window->length = end > screen_end ? end - screen_end : 0;
}

static void map_window(const struct acpi_window *window)
{
	uint64_t page = window->base, end = page + window->length;

	while (page < end && !out_of_memory) {
		bool whole = page % LARGE_PAGE == 0 && end - page >= LARGE_PAGE;

		map(page, whole ? 2 : 1, DATA | NO_CACHE | WRITE_THROUGH);
		page += whole ? LARGE_PAGE : PAGE_SIZE;
	}
}

/* What cannot be mapped is none. A device's page may lie in one: its rights are the same. */
static void map_windows(const struct page_set *ram)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < bare_acpi.window_count; i++) {
		struct acpi_window window = bare_acpi.windows[i];

		if (window.length > WINDOW_MAX)
			window.length = WINDOW_MAX;
		leave_screen_out(&window);
		if (window.length == 0 || !is_usable(&window, kept, ram))
			continue;
		map_window(&window);
		bare_acpi.windows[kept++] = window;
	}
	bare_acpi.window_count = kept;
}

bool bare_mmio_window(uint32_t n, uint64_t *base, uint64_t *length)
{
	if (n >= bare_acpi.window_count)
		return false;
	*base = bare_acpi.windows[n].base;
	*length = bare_acpi.windows[n].length;
	return true;
}

static void map_screen(void)
{
	struct acpi_window window;

	if (display_window(&window.base, &window.length))
		map_window(&window);
}

const char *paging_build(const struct page_set *ram)
{
	root = new_table();
	for (uint32_t i = 0; i < ram->count && !out_of_memory; i++)
		map_run(&ram->runs[i]);
	if (!map_device(apic_window(), ram) || !map_device(io_apic_window(), ram))
		return "the memory map says that there is memory where an APIC is";
	map_screen();
	map_windows(ram);
	return out_of_memory ? "too little memory below 4 GiB for the page tables" : NULL;
}

uint64_t paging_root(void)
{
	return (uintptr_t)root;
}

void paging_load(void)
{
	uint64_t efer = 0;

	(void)cpu_msr_read(MSR_EFER, &efer);
	(void)cpu_msr_write(MSR_EFER, efer | EFER_NXE);
	cpu_set_cr3(paging_root());
}
