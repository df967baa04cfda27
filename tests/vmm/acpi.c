/* SPDX-License-Identifier: MIT */
/* The tables lead from the RSDP to each other, and their sums are right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmm/acpi/acpi.h"
#include "vmm/vmm.h"

static struct vmm_memory memory;

static const uint8_t *at(uint64_t gpa, uint64_t length)
{
	const uint8_t *bytes = vmm_memory_at(&memory, gpa, length);

	assert_non_null(bytes);
	assert_true(gpa >= VMM_ACPI_GPA && gpa + length <= VMM_ACPI_GPA + VMM_ACPI_BYTES);
	return bytes;
}

static uint64_t word(const uint8_t *from, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, from, size);
	return value;
}

static uint8_t sum(const uint8_t *bytes, uint64_t length)
{
	uint8_t total = 0;

	while (length--)
		total = (uint8_t)(total + *bytes++);
	return total;
}

static const uint8_t *table(uint64_t gpa, const char *signature)
{
	uint64_t length = word(at(gpa, 8) + 4, 4);
	const uint8_t *bytes = at(gpa, length);

	assert_memory_equal(bytes, signature, 4);
	assert_int_equal(sum(bytes, length), 0);
	return bytes;
}

static void check(uint32_t cpus, uint32_t generation)
{
	const uint8_t *rsdp, *xsdt, *fadt, *madt, *dsdt;

	assert_true(vmm_memory_create(&memory, VMM_MEMORY_MIN));
	vmm_acpi_write(&memory, cpus, generation);
	rsdp = at(VMM_RSDP_GPA, 36);
	assert_memory_equal(rsdp, "RSD PTR ", 8);
	assert_int_equal(sum(rsdp, 20), 0);
	assert_int_equal(sum(rsdp, 36), 0);
	xsdt = table(word(rsdp + 24, 8), "XSDT");
	fadt = table(word(xsdt + 36, 8), "FACP");
	madt = table(word(xsdt + 44, 8), "APIC");
	dsdt = table(word(fadt + 140, 8), "DSDT");
	assert_int_equal(word(madt + 4, 4), 44 + 12 + 10 + 10 + 6 + 8 * cpus);
	assert_int_equal(madt[word(madt + 4, 4) - 5], cpus - 1); /* the last one's id */
	if (vmm_has_dsdt()) {
		uint64_t length = word(dsdt + 4, 4);

		assert_non_null(memmem(dsdt, length, "VMBUS", 6));
		assert_true((memmem(dsdt, length, "PCI0", 4) != NULL) == (generation == 1));
		assert_true((memmem(dsdt, length, "VMOD", 4) != NULL) == (generation == 2));
	}
	vmm_memory_destroy(&memory);
}

static void tables_lead_to_each_other(void **state)
{
	(void)state;
	check(1, 1);
	check(1, 2);
	check(2, 2);
	check(HVH_VPS_MAX, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(tables_lead_to_each_other)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
