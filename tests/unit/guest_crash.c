/* SPDX-License-Identifier: MIT */
/* The crash report: what is written, in which order, and that nothing else is asked of the port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/timer.h"
#include "hvkit/wire/hypervisor.h"
#include "tests/golden/hypervisor.h"
#include "tests/support/polled_port.h"

#define PAUSE_NS 1000000u

static const uint64_t numbers[5] = {0x11, 0x22, 0x33, 0x44, 0x55};

/* What reading CONTROL tells: Windows takes a text, KVM does not. */
static void start_on(struct polled_port *port, struct hvk **hvk, uint32_t features, uint64_t control,
		     bool crash_text, uint32_t fail_allocation)
{
	struct hvk_config config = {.crash_text = crash_text};

	memset(port, 0, sizeof(*port));
	polled_port_init(port, NULL, PAUSE_NS);
	port->features = features;
	port->registers[HVK_REG_CRASH_CONTROL] = control;
	assert_int_equal(hvk_create(&port->port, &config, hvk), HVK_OK);
	assert_int_equal(hvk_crash_report(*hvk, numbers, "x", 1), HVK_ESTATE);
	port->fail_allocation = fail_allocation;
	assert_int_equal(hvk_start(*hvk), HVK_OK);
}

static void start(struct polled_port *port, struct hvk **hvk, uint32_t features, uint32_t fail_allocation)
{
	start_on(port, hvk, features, GOLDEN_CRASH_NOTIFY_MESSAGE, true, fail_allocation);
}

static void end(struct polled_port *port, struct hvk *hvk)
{
	assert_int_equal(hvk_stop(hvk), HVK_OK);
	assert_int_equal(hvk_destroy(hvk), HVK_OK);
	assert_int_equal(polled_port_end(port), 0);
}

static uint64_t crash(const struct polled_port *port, uint32_t n)
{
	return port->registers[HVK_REG_CRASH_P0 + n];
}

static void numbers_alone(void **state)
{
	struct polled_port port;
	struct hvk *hvk;

	(void)state;
	start(&port, &hvk, HV_FEATURE_CRASH, 0);
	assert_int_equal(hvk_crash_report(hvk, numbers, NULL, 100), HVK_OK);
	for (uint32_t n = 0; n < 5; n++)
		assert_int_equal(crash(&port, n), numbers[n]);
	assert_true(port.registers[HVK_REG_CRASH_CONTROL] == GOLDEN_CRASH_NOTIFY);
	end(&port, hvk);
}

static void text_lies_in_a_page_of_its_own(void **state)
{
	static char text[6000];
	struct polled_port port;
	struct hvk *hvk;
	const uint8_t *page;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(text) - 5, "panic", 5);
	start(&port, &hvk, HV_FEATURE_CRASH, 0);
	assert_int_equal(hvk_crash_report(hvk, numbers, text, sizeof(text)), HVK_OK);
	assert_true(port.registers[HVK_REG_CRASH_CONTROL] == GOLDEN_CRASH_NOTIFY_MESSAGE);
	assert_int_equal(crash(&port, 2), 0x33);
	assert_int_equal(crash(&port, 3) % 4096, 0);
	assert_int_equal(crash(&port, 4), 4096);
	page = polled_port_at(&port, crash(&port, 3), 4096);
	assert_non_null(page);
	assert_memory_equal(page + 4091, "panic", 5); /* the end is what is told */
	assert_int_equal(hvk_crash_report(hvk, numbers, "again", 5), HVK_OK);
	assert_int_equal(crash(&port, 4), 5);
	assert_memory_equal(page, "again", 5);
	end(&port, hvk);
}

static void without_a_page_the_numbers_are_told(void **state)
{
	struct polled_port port;
	struct hvk *hvk;

	(void)state;
	start(&port, &hvk, HV_FEATURE_CRASH, 3); /* after the hypercall and the input page */
	assert_int_equal(hvk_crash_report(hvk, numbers, "text", 4), HVK_OK);
	assert_int_equal(crash(&port, 3), 0x44);
	assert_true(port.registers[HVK_REG_CRASH_CONTROL] == GOLDEN_CRASH_NOTIFY);
	end(&port, hvk);
}

static void text_only_if_configured_and_taken(void **state)
{
	struct polled_port port;
	struct hvk *hvk;

	(void)state;
	for (unsigned configured = 0; configured < 2; configured++) {
		start_on(&port, &hvk, HV_FEATURE_CRASH,
			 configured ? GOLDEN_CRASH_NOTIFY : GOLDEN_CRASH_NOTIFY_MESSAGE, configured, 0);
		assert_int_equal(hvk_crash_report(hvk, numbers, "text", 4), HVK_OK);
		for (uint32_t n = 0; n < 5; n++)
			assert_int_equal(crash(&port, n), numbers[n]);
		assert_true(port.registers[HVK_REG_CRASH_CONTROL] == GOLDEN_CRASH_NOTIFY);
		end(&port, hvk);
	}
}

static void not_there_or_faulting(void **state)
{
	struct polled_port port;
	struct hvk *hvk;

	(void)state;
	start(&port, &hvk, 0, 0);
	assert_int_equal(hvk_crash_report(hvk, numbers, "text", 4), HVK_ENOTSUP);
	assert_true(port.registers[HVK_REG_CRASH_CONTROL] == GOLDEN_CRASH_NOTIFY_MESSAGE); /* untouched */
	end(&port, hvk);
	start(&port, &hvk, HV_FEATURE_CRASH, 0);
	for (uint32_t n = 1; n <= 6; n++) {
		port.fail_register = n;
		assert_int_equal(hvk_crash_report(hvk, numbers, NULL, 0), HVK_EPRIVILEGE);
		assert_int_equal(port.fail_register, 0);
	}
	end(&port, hvk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_alone),
		cmocka_unit_test(text_lies_in_a_page_of_its_own),
		cmocka_unit_test(without_a_page_the_numbers_are_told),
		cmocka_unit_test(text_only_if_configured_and_taken),
		cmocka_unit_test(not_there_or_faulting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
