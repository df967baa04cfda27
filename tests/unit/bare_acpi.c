/* SPDX-License-Identifier: MIT */
/* ACPI's tables: CPUs in both forms, the value that switches off, and tables that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ports/bare-x86_64/acpi.h"
#include "tests/unit/bare_memory.h"

#define RSDP (MEMORY_BASE + 0x10u)
#define ROOT (MEMORY_BASE + 0x100u)
#define MADT (MEMORY_BASE + 0x1000u)
#define FADT (MEMORY_BASE + 0x2000u)
#define DSDT (MEMORY_BASE + 0x3000u)

static struct memory memory;
static struct acpi_info info;
static const struct physical physical = {.read = memory_read, .context = &memory};

static void put_table(uint32_t at, const char *signature, uint32_t length)
{
	memory_put(&memory, at, signature, 4);
	memory_put_number(&memory, at + 4, length, 4);
}

static void put_rsdp(unsigned revision)
{
	uint8_t sum = 0;

	memory_put(&memory, RSDP, "RSD PTR ", 8);
	memory_put_number(&memory, RSDP + 8, 0, 1);
	memory_put_number(&memory, RSDP + 15, revision, 1);
	memory_put_number(&memory, RSDP + 16, revision >= 2 ? 0 : ROOT, 4);
	memory_put_number(&memory, RSDP + 24, revision >= 2 ? ROOT : 0, 8);
	for (unsigned i = 0; i < 20; i++)
		sum = (uint8_t)(sum + memory.bytes[RSDP - MEMORY_BASE + i]);
	memory_put_number(&memory, RSDP + 8, (uint8_t)-sum, 1);
}

static int fill(void **state)
{
	static const uint8_t madt[] = {
		0, 8,  0, 0, 1, 0, 0,    0,                            /* local APIC 0, enabled */
		1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,             /* an I/O APIC */
		0, 8,  1, 5, 1, 0, 0,    0,                            /* local APIC 5 */
		0, 8,  2, 6, 0, 0, 0,    0,                            /* not enabled */
		9, 16, 0, 0, 0, 1, 0,    0,    1, 0, 0, 0, 3, 0, 0, 0, /* x2APIC 0x100 */
		9, 16, 0, 0, 5, 0, 0,    0,    1, 0, 0, 0, 4, 0, 0, 0, /* 5 once more */
	};
	static const uint8_t s5[] = {8, '_', 'S', '5', '_', 0x12, 0x07, 0x04, 0x0a, 0x05, 0x0a, 0x05, 0, 0};

	(void)state;
	memset(&memory, 0, sizeof(memory));
	put_rsdp(2);
	put_table(ROOT, "XSDT", 36 + 3 * 8);
	memory_put_number(&memory, ROOT + 36, FADT, 8);
	memory_put_number(&memory, ROOT + 44, 0x7fffffff, 8); /* unreadable: passed over */
	memory_put_number(&memory, ROOT + 52, MADT, 8);
	put_table(MADT, "APIC", 44 + sizeof(madt));
	memory_put(&memory, MADT + 44, madt, sizeof(madt));
	put_table(FADT, "FACP", 244);
	memory_put_number(&memory, FADT + 40, DSDT, 4);
	memory_put_number(&memory, FADT + 64, 0x604, 4);
	put_table(DSDT, "DSDT", 100);
	memory_put(&memory, DSDT + 60, s5, sizeof(s5));
	return 0;
}

static void cpus_and_power_off_are_found(void **state)
{
	(void)state;
	assert_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.cpu_count, 3);
	assert_int_equal(info.apic_ids[0], 0);
	assert_int_equal(info.apic_ids[1], 5);
	assert_int_equal(info.apic_ids[2], 0x100);
	assert_int_equal(info.power_off_port, 0x604);
	assert_int_equal(info.power_off_value, 5 << 10 | 1 << 13);
}

/* An INIT to such an id would come back to the one that sends it. */
static void ids_that_mean_all_cpus_are_none(void **state)
{
	static const uint8_t madt[] = {
		0, 8,  0, 0xff, 1,    0,    0,    0,                            /* local APIC 255 */
		9, 16, 0, 0,    0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 3, 0, 0, 0, /* all of them */
		9, 16, 0, 0,    0xff, 0,    0,    0,    1, 0, 0, 0, 3, 0, 0, 0, /* x2APIC 255 */
	};

	(void)state;
	memory_put_number(&memory, MADT + 4, 44 + sizeof(madt), 4);
	memory_put(&memory, MADT + 44, madt, sizeof(madt));
	assert_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.cpu_count, 1);
	assert_int_equal(info.apic_ids[0], 0xff);
}

static void com1s_interrupt_is_found(void **state)
{
	static const uint8_t override[] = {
		2, 10, 0, 3, 9,  0, 0, 0, 0,   0, /* another's */
		2, 10, 0, 4, 20, 0, 0, 0, 0xf, 0, /* COM1's: line 20, low, by level */
	};

	(void)state;
	assert_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.io_apic, 0xfec00000);
	assert_int_equal(info.com1_line, 4);
	assert_int_equal(info.com1_flags, 0);
	memory_put_number(&memory, MADT + 4, 44 + sizeof(override), 4);
	memory_put(&memory, MADT + 44, override, sizeof(override));
	info = (struct acpi_info){0};
	assert_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.io_apic, 0);
	assert_int_equal(info.com1_line, 20);
	assert_int_equal(info.com1_flags, 0xf);
}

static void the_old_list_of_tables_is_read_too(void **state)
{
	(void)state;
	put_rsdp(0);
	put_table(ROOT, "RSDT", 36 + 4);
	memory_put_number(&memory, ROOT + 36, MADT, 4);
	assert_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.cpu_count, 3);
	assert_int_equal(info.power_off_port, 0);
}

static void sleep_types_of_one_byte_and_long_packages_are_read(void **state)
{
	static const uint8_t one[] = {8, '_', 'S', '5', '_', 0x12, 0x05, 0x02, 0x01, 0x00};
	static const uint8_t far[] = {8, '_', 'S', '5', '_', 0x12, 0x47, 0x00, 0x04, 0x0a, 0x07};
	static const uint8_t method[] = {8, '_', 'S', '5', '_', 0x14, 0x07, 0x04, 0x0a, 0x05};

	(void)state;
	memory_put(&memory, DSDT + 60, one, sizeof(one));
	assert_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.power_off_value, 1 << 10 | 1 << 13);
	memory_put(&memory, DSDT + 60, far, sizeof(far));
	assert_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.power_off_value, 7 << 10 | 1 << 13);
	memory_put(&memory, DSDT + 60, method, sizeof(method)); /* what only an interpreter knows */
	assert_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.power_off_port, 0);
}

/* As a compiler writes DWordMemory and QWordMemory. */
static void put_window(uint32_t at, unsigned width, uint64_t base, uint64_t last, uint64_t length)
{
	memory_put_number(&memory, at, width == 4 ? 0x87 : 0x8a, 1);
	memory_put_number(&memory, at + 1, width == 4 ? 23 : 43, 2);
	memory_put_number(&memory, at + 6 + width, base, width);
	memory_put_number(&memory, at + 6 + 2 * width, last, width);
	memory_put_number(&memory, at + 6 + 4 * width, length, width);
}

static void windows_for_device_memory_are_found(void **state)
{
	(void)state;
	put_table(DSDT, "DSDT", 300);
	put_window(DSDT + 101, 4, 0xf8000000, 0xfebfffff, 0x06c00000);
	put_window(DSDT + 127, 8, 0xfe0000000, 0xfffffffff, 0x20000000);
	assert_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.window_count, 2);
	assert_int_equal(info.windows[0].base, 0xf8000000);
	assert_int_equal(info.windows[0].length, 0x06c00000);
	assert_int_equal(info.windows[1].base, 0xfe0000000);
	assert_int_equal(info.windows[1].length, 0x20000000);
	assert_int_equal(info.power_off_port, 0x604);
}

static void what_contradicts_itself_is_no_window(void **state)
{
	(void)state;
	put_table(DSDT, "DSDT", 300);
	put_window(DSDT + 101, 4, 0xf8000000, 0xfebfffff, 0x1000);
	put_window(DSDT + 127, 4, 0xa0000, 0xbffff, 0x20000); /* a PC's own */
	put_window(DSDT + 153, 4, 0xf8000800, 0xf80017ff, 0x1000);
	put_window(DSDT + 179, 4, 0xf8000000, 0xf8000fff, 0x1000);
	memory_put_number(&memory, DSDT + 179 + 3, 1, 1);                /* ports */
	put_window(DSDT + 260, 8, 0xfe0000000, 0xfffffffff, 0x20000000); /* beyond the end */
	assert_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.window_count, 0);
}

static void what_is_no_rsdp_is_refused(void **state)
{
	(void)state;
	memory_put_number(&memory, RSDP + 9, 1, 1); /* the sum is wrong */
	assert_non_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.cpu_count, 0);
	assert_non_null(acpi_read(&info, &physical, MEMORY_BASE + MEMORY_SIZE - 10));
	put_rsdp(2);
	put_table(ROOT, "DSDT", 60);
	assert_non_null(acpi_read(&info, &physical, RSDP));
}

static void entries_that_lie_end_the_list(void **state)
{
	(void)state;
	memory_put_number(&memory, MADT + 44 + 8 + 1, 0, 1); /* no size: would never end */
	assert_non_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.cpu_count, 1);
	memory_put_number(&memory, MADT + 44 + 8 + 1, 255, 1); /* past the table's end */
	assert_non_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.cpu_count, 1);
	fill(state);
	memory_put_number(&memory, MADT + 4, UINT32_MAX, 4); /* the table itself: passed over */
	assert_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.cpu_count, 0);
}

static void tables_that_end_early_are_not_read_past_their_end(void **state)
{
	(void)state;
	put_table(FADT, "FACP", 66); /* inside PM1a_CNT_BLK */
	assert_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.power_off_port, 0);
	fill(state);
	put_table(DSDT, "DSDT", 60 + 9); /* before the value */
	assert_null(acpi_read(&info, &physical, RSDP));
	assert_int_equal(info.power_off_port, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(cpus_and_power_off_are_found, fill),
		cmocka_unit_test_setup(ids_that_mean_all_cpus_are_none, fill),
		cmocka_unit_test_setup(com1s_interrupt_is_found, fill),
		cmocka_unit_test_setup(the_old_list_of_tables_is_read_too, fill),
		cmocka_unit_test_setup(sleep_types_of_one_byte_and_long_packages_are_read, fill),
		cmocka_unit_test_setup(windows_for_device_memory_are_found, fill),
		cmocka_unit_test_setup(what_contradicts_itself_is_no_window, fill),
		cmocka_unit_test_setup(what_is_no_rsdp_is_refused, fill),
		cmocka_unit_test_setup(entries_that_lie_end_the_list, fill),
		cmocka_unit_test_setup(tables_that_end_early_are_not_read_past_their_end, fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
