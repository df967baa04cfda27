/* SPDX-License-Identifier: MIT */
/* How fast the processor's counters count, as the hypervisor says it: asked by the port alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/timer.h"
#include "hvkit/wire/hypervisor.h"
#include "tests/support/polled_port.h"

#define ACCESS (HV_ACCESS_SYNIC | HV_ACCESS_HYPERCALL | HV_ACCESS_FREQUENCIES)

static struct polled_port port;
static struct hvk_frequencies found;

static void begin(uint64_t access, uint32_t features, uint64_t tsc, uint64_t apic_timer)
{
	memset(&port, 0, sizeof(port));
	memset(&found, 0xff, sizeof(found));
	polled_port_init(&port, NULL, 1000);
	port.access = access;
	port.features = features;
	port.registers[HVK_REG_TSC_FREQUENCY] = tsc;
	port.registers[HVK_REG_APIC_FREQUENCY] = apic_timer;
}

static void fails(hvk_status wanted)
{
	assert_int_equal(hvk_frequencies_read(&port.port, &found), wanted);
	assert_int_equal(found.tsc, 0);
	assert_int_equal(found.apic_timer, 0);
	assert_int_equal(polled_port_end(&port), 0);
}

static void both_are_read_without_an_instance(void **state)
{
	uint64_t before[POLLED_REGISTERS];

	(void)state;
	begin(ACCESS, HV_FEATURE_FREQUENCIES, 2899999000, 200000000);
	memcpy(before, port.registers, sizeof(before));
	assert_int_equal(hvk_frequencies_read(&port.port, &found), HVK_OK);
	assert_int_equal(found.tsc, 2899999000);
	assert_int_equal(found.apic_timer, 200000000);
	assert_memory_equal(before, port.registers, sizeof(before));
	assert_int_equal(polled_port_end(&port), 0);
}

static void a_host_that_does_not_tell(void **state)
{
	(void)state;
	begin(ACCESS & ~HV_ACCESS_FREQUENCIES, HV_FEATURE_FREQUENCIES, 1000000000, 1000000000);
	port.fail_register = 1; /* nobody reads what is not there */
	fails(HVK_ENOTSUP);
	assert_int_equal(port.fail_register, 1);
	begin(ACCESS, 0, 1000000000, 1000000000);
	fails(HVK_ENOTSUP);
}

static void no_features(void *context, uint32_t leaf, uint32_t regs[4])
{
	(void)context;
	(void)leaf;
	memset(regs, 0, 4 * sizeof(regs[0]));
}

static void no_hypervisor(void **state)
{
	(void)state;
	begin(ACCESS, HV_FEATURE_FREQUENCIES, 1000000000, 1000000000);
	port.port.features = no_features;
	fails(HVK_ENOHYPERVISOR);
}

static void registers_that_fault(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= 2; n++) {
		begin(ACCESS, HV_FEATURE_FREQUENCIES, 1000000000, 1000000000);
		port.fail_register = n;
		fails(HVK_EPRIVILEGE);
	}
}

static void what_cannot_be_is_not_believed(void **state)
{
	static const uint64_t wrong[] = {0, 1, 999, 100000000001, UINT64_MAX};

	(void)state;
	for (uint32_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
		begin(ACCESS, HV_FEATURE_FREQUENCIES, wrong[n], 200000000);
		fails(HVK_EHOST_CLOCK);
		begin(ACCESS, HV_FEATURE_FREQUENCIES, 200000000, wrong[n]);
		fails(HVK_EHOST_CLOCK);
	}
	begin(ACCESS, HV_FEATURE_FREQUENCIES, 100000000000, 1000);
	assert_int_equal(hvk_frequencies_read(&port.port, &found), HVK_OK);
	assert_int_equal(polled_port_end(&port), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_are_read_without_an_instance),
		cmocka_unit_test(a_host_that_does_not_tell),
		cmocka_unit_test(no_hypervisor),
		cmocka_unit_test(registers_that_fault),
		cmocka_unit_test(what_cannot_be_is_not_believed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
