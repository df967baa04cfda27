/* SPDX-License-Identifier: MIT */
/* msr.h: the MSR behind each register's name. Numbers typed by hand from the TLFS, appendix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hvkit/msr.h"

#define REGISTERS 41u

static uint32_t msr(unsigned reg)
{
	return hvk_register_msr((enum hvk_register)reg);
}

static void test_each_name(void **state)
{
	(void)state;
	assert_int_equal(msr(HVK_REG_GUEST_OS_ID), 0x40000000);
	assert_int_equal(msr(HVK_REG_HYPERCALL), 0x40000001);
	assert_int_equal(msr(HVK_REG_VP_INDEX), 0x40000002);
	assert_int_equal(msr(HVK_REG_REFERENCE_COUNTER), 0x40000020);
	assert_int_equal(msr(HVK_REG_REFERENCE_TSC), 0x40000021);
	assert_int_equal(msr(HVK_REG_SCONTROL), 0x40000080);
	assert_int_equal(msr(HVK_REG_SIEFP), 0x40000082);
	assert_int_equal(msr(HVK_REG_SIMP), 0x40000083);
	assert_int_equal(msr(HVK_REG_EOM), 0x40000084);
	for (unsigned n = 0; n < 16; n++)
		assert_int_equal(msr(HVK_REG_SINT0 + n), 0x40000090 + n);
	for (unsigned n = 0; n < 4; n++) {
		assert_int_equal(msr(HVK_REG_STIMER0_CONFIG + 2 * n), 0x400000b0 + 2 * n);
		assert_int_equal(msr(HVK_REG_STIMER0_COUNT + 2 * n), 0x400000b1 + 2 * n);
	}
	for (unsigned n = 0; n < 5; n++)
		assert_int_equal(msr(HVK_REG_CRASH_P0 + n), 0x40000100 + n);
	assert_int_equal(msr(HVK_REG_CRASH_CONTROL), 0x40000105);
	assert_int_equal(msr(HVK_REG_TSC_FREQUENCY), 0x40000022);
	assert_int_equal(msr(HVK_REG_APIC_FREQUENCY), 0x40000023);
}

static void test_every_name_and_no_other(void **state)
{
	(void)state;
	assert_int_equal(HVK_REG_APIC_FREQUENCY + 1, REGISTERS);
	for (unsigned reg = 0; reg < REGISTERS; reg++)
		assert_int_not_equal(msr(reg), 0);
	assert_int_equal(msr(REGISTERS), 0);
	assert_int_equal(msr(UINT32_MAX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_name),
		cmocka_unit_test(test_every_name_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
