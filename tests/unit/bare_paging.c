/* SPDX-License-Identifier: MIT */
/* The page tables of the image, walked as a CPU would: all memory is mapped one to one, nothing else
 * is, and no page can be both written and executed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "ports/bare-x86_64/private.h"

/* The image lies where its linker puts it, not here. */
#define bare_text_start ((uint8_t *)0x100000)
#define bare_rodata_start ((uint8_t *)0x120000)
#define bare_data_start ((uint8_t *)0x130000)
/* Nor is this CPU ours. */
#define cpu_msr_read(index, value) (*(value) = 0, true)
#define cpu_msr_write(index, value) true
#define cpu_set_cr3(value) ((void)(value))

#include "ports/bare-x86_64/paging.c"

#define AREA 0x200000ull /* of the first CPU: its stacks */
#define TABLES_MAX 256u
#define MIB (1ull << 20)
#define PAGES(bytes) ((bytes) >> PAGE_SHIFT)

static uint8_t *tables;
static uint32_t tables_used, tables_there;
static uint64_t windows[2];
static struct acpi_window screen;

struct bare_cpu bare_cpus[BARE_CPUS_MAX];
struct acpi_info bare_acpi;

/* --- What paging.c asks for ------------------------------------------------------------------- */

uint64_t pages_take(uint32_t count, uint64_t limit)
{
	assert_int_equal(count, 1);
	assert_true(limit <= LOW_LIMIT);
	return tables_used < tables_there ? (uintptr_t)tables + PAGE_SIZE * tables_used++ : 0;
}

bool bare_is_guard(uint64_t address)
{
	return address >= AREA && address < AREA + PAGE_SIZE;
}

uint32_t bare_areas(void)
{
	return 1;
}

uint64_t apic_window(void)
{
	return windows[0];
}

uint64_t io_apic_window(void)
{
	return windows[1];
}

bool display_window(uint64_t *address, uint64_t *length)
{
	*address = screen.base;
	*length = screen.length;
	return screen.length != 0;
}

/* --- The walk ------------------------------------------------------------------------------------ */

/* The entry that maps the address, with what all levels grant; 0: there is none. */
static uint64_t walk(uint64_t address)
{
	const uint64_t *table = (const uint64_t *)(uintptr_t)paging_root();
	uint64_t granted = WRITE;

	for (uint32_t level = 4;; level--) {
		uint64_t entry = table[address >> (3 + 9 * level) & (ENTRIES - 1)];

		if (!(entry & PRESENT))
			return 0;
		granted &= entry;
		if (level == 1 || (level == 2 && (entry & LARGE))) {
			uint64_t offset = address & ((level == 1 ? PAGE_SIZE : LARGE_PAGE) - 1);

			assert_int_equal((entry & ADDRESS_MASK) + offset, address);
			return (entry & ~(WRITE | ADDRESS_MASK)) | granted;
		}
		table = (const uint64_t *)(uintptr_t)(entry & ADDRESS_MASK);
	}
}

static const char *build(const struct page_run *runs, uint32_t count)
{
	struct page_set ram = {.count = 0};

	for (uint32_t n = 0; n < count; n++)
		assert_true(page_set_add(&ram, runs[n].first, runs[n].count));
	tables_used = 0;
	out_of_memory = false;
	bare_cpus[0].area = AREA;
	return paging_build(&ram);
}

static void rights_are(uint64_t address, uint64_t rights)
{
	const uint64_t all = PRESENT | WRITE | NO_EXECUTE | NO_CACHE;

	if ((walk(address) & all) != rights)
		fail_msg("%#llx: %#llx", (unsigned long long)address, (unsigned long long)walk(address));
}

/* --- Tests --------------------------------------------------------------------------------------- */

static const struct page_run usual[] = {{0, PAGES(0x9f000)}, {PAGES(MIB), PAGES(63 * MIB)}};

static int prepare(void **state)
{
	(void)state;
	bare_acpi.window_count = 0;
	screen.length = 0;
	windows[0] = 0xfee00000;
	windows[1] = 0xfec00000;
	tables_there = TABLES_MAX;
	return 0;
}

static void each_part_has_its_rights(void **state)
{
	(void)state;
	assert_null(build(usual, 2));
	rights_are(0, 0);
	rights_are(0x1000, DATA);
	rights_are(0x9efff, DATA);
	rights_are(0x9f000, 0);
	rights_are(0x100000, PRESENT);
	rights_are(0x11ffff, PRESENT);
	rights_are(0x120000, PRESENT | NO_EXECUTE);
	rights_are(0x130000, DATA);
	rights_are(AREA, 0);
	rights_are(AREA + PAGE_SIZE, DATA);
	rights_are(64 * MIB - 1, DATA);
	rights_are(64 * MIB, 0);
	rights_are(0xfee00000, DATA | NO_CACHE);
	rights_are(0xfec00000, DATA | NO_CACHE);
	rights_are(0xfee01000, 0);
}

static void nothing_is_both_written_and_executed(void **state)
{
	(void)state;
	assert_null(build(usual, 2));
	for (uint64_t address = 0; address < 66 * MIB; address += PAGE_SIZE) {
		uint64_t rights = walk(address);

		assert_false((rights & PRESENT) && (rights & WRITE) && !(rights & NO_EXECUTE));
	}
}

static void odd_runs_are_mapped_to_the_page(void **state)
{
	static const struct page_run odd[] = {
		{PAGES(MIB), PAGES(4 * MIB) + 1}, {0x7ff, 0x201}, {0x100000 - 1, 3}, {0x140000, 512}};

	(void)state;
	windows[0] = windows[1] = 0;
	assert_null(build(odd, 4));
	rights_are(5 * MIB, DATA);
	rights_are(5 * MIB + PAGE_SIZE, 0);
	rights_are(0x7fe000, 0);
	rights_are(0x7ff000, DATA);
	rights_are(0x9fffff, DATA);
	rights_are(0xa00000, 0);
	rights_are(0xffffe000, 0);
	rights_are(0xfffff000, DATA);
	rights_are(0x100001fffull, DATA);
	rights_are(0x100002000ull, 0);
	rights_are(0x140000000ull, DATA);
	rights_are(0x1401fffffull, DATA);
	rights_are(0x140200000ull, 0);
}

/* Its rights would change, and be those of a large page's inside. */
static void a_device_in_memory_is_refused(void **state)
{
	static const struct page_run everywhere[] = {{PAGES(MIB), PAGES(LOW_LIMIT - MIB)}};

	(void)state;
	assert_non_null(build(everywhere, 1));
	windows[0] = 0;
	assert_non_null(build(everywhere, 1));
	windows[1] = 0x100000; /* our own text */
	assert_non_null(build(usual, 2));
	windows[1] = 0x10; /* page 0 */
	assert_non_null(build(usual, 2));
	windows[1] = 0;
	assert_null(build(everywhere, 1));
}

static void windows_for_device_memory_are_not_cached(void **state)
{
	const uint64_t rights = DATA | NO_CACHE;
	uint64_t base, length;

	(void)state;
	bare_acpi.windows[0] = (struct acpi_window){0xf8000000, 0x6c01000};
	bare_acpi.windows[1] = (struct acpi_window){0xfe0000000, 4ull << 30}; /* one GiB of it */
	bare_acpi.window_count = 2;
	assert_null(build(usual, 2));
	rights_are(0xf7fff000, 0);
	rights_are(0xf8000000, rights);
	rights_are(0xfec00000, rights); /* the I/O APIC's, on the edge */
	rights_are(0xfec01000, 0);
	rights_are(0xfee00000, rights);
	rights_are(0xfe0000000, rights);
	rights_are(0xfe0000000 + WINDOW_MAX - 1, rights);
	rights_are(0xfe0000000 + WINDOW_MAX, 0);
	assert_true(bare_mmio_window(1, &base, &length));
	assert_int_equal(base, 0xfe0000000);
	assert_int_equal(length, WINDOW_MAX);
	assert_false(bare_mmio_window(2, &base, &length));
}

static void windows_that_are_something_else_are_none(void **state)
{
	uint64_t base, length;

	(void)state;
	bare_acpi.windows[0] = (struct acpi_window){63 * MIB, 2 * MIB}; /* memory */
	bare_acpi.windows[1] = (struct acpi_window){0xf8000000, 0x400000};
	bare_acpi.windows[2] = (struct acpi_window){0xf8200000, 0x400000}; /* in the other */
	bare_acpi.windows[3] = (struct acpi_window){UINT64_MAX - 0xfff, 0x1000};
	bare_acpi.window_count = 4;
	assert_null(build(usual, 2));
	assert_true(bare_mmio_window(0, &base, &length));
	assert_int_equal(base, 0xf8000000);
	assert_false(bare_mmio_window(1, &base, &length));
	rights_are(63 * MIB, DATA);
	rights_are(64 * MIB, 0);
	rights_are(0xf8400000, 0);
}

/* What is left of a window from 0xf8000000 to 0xfc000000. */
static void window_is(uint64_t base, uint64_t end)
{
	uint64_t is_base = 0, is_length = 0;

	bare_acpi.windows[0] = (struct acpi_window){0xf8000000, 0x4000000};
	bare_acpi.window_count = 1;
	assert_null(build(usual, 2));
	assert_int_equal(bare_mmio_window(0, &is_base, &is_length), end > base);
	assert_int_equal(is_base, end > base ? base : 0);
	assert_int_equal(is_length, end - base);
}

static void the_screen_is_mapped_and_no_window(void **state)
{
	const uint64_t rights = DATA | NO_CACHE;

	(void)state;
	screen = (struct acpi_window){0xf8000000, 0x300000};
	window_is(0xf8400000, 0xfc000000);
	rights_are(0xf8000000, rights);
	rights_are(0xf82ff000, rights);
	rights_are(0xf8300000, 0);
	rights_are(0xf8400000, rights);
	screen = (struct acpi_window){0xfb001000, 0x1000};
	window_is(0xf8000000, 0xfb000000);
	rights_are(0xfb000000, 0);
	rights_are(0xfb001000, rights);
	screen = (struct acpi_window){0xf9000000, 0x1000};
	window_is(0xf9200000, 0xfc000000);
	screen = (struct acpi_window){0xf7f00000, 0x5000000};
	window_is(0, 0);
	screen = (struct acpi_window){0xb8000, 0x1000}; /* a VGA's letters */
	window_is(0xf8000000, 0xfc000000);
	rights_are(0xb8000, rights);
	rights_are(0xb9000, 0);
	screen = (struct acpi_window){0x4f8000000, 0x800000};
	window_is(0xf8000000, 0xfc000000);
	rights_are(0x4f87ff000, rights);
}

static void too_few_pages_are_told(void **state)
{
	(void)state;
	for (tables_there = 0; tables_there < 6; tables_there++)
		assert_non_null(build(usual, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_part_has_its_rights, prepare),
		cmocka_unit_test_setup(nothing_is_both_written_and_executed, prepare),
		cmocka_unit_test_setup(odd_runs_are_mapped_to_the_page, prepare),
		cmocka_unit_test_setup(a_device_in_memory_is_refused, prepare),
		cmocka_unit_test_setup(windows_for_device_memory_are_not_cached, prepare),
		cmocka_unit_test_setup(windows_that_are_something_else_are_none, prepare),
		cmocka_unit_test_setup(the_screen_is_mapped_and_no_window, prepare),
		cmocka_unit_test_setup(too_few_pages_are_told, prepare),
	};

	tables = mmap(NULL, TABLES_MAX * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (tables == MAP_FAILED)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
