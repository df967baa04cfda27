/* SPDX-License-Identifier: MIT */
/*
 * The event timer against a scripted host: what is written to which register, what counts as
 * an expiry, and what a host that sends too early, twice or rubbish can do: nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/timer.h"
#include "hvkit/wire/hypervisor.h"
#include "tests/golden/hypervisor.h"
#include "tests/support/polled_port.h"

#define SINT2_SLOT (2u * 256u)
#define PAUSE_NS 1000000u
#define FOUND_CONFIG 0x30004ull /* somebody's, disabled */
#define FOUND_COUNT 0x123456ull

struct machine {
	struct polled_port port;
	struct hvk *hvk;
	uint32_t eoms;
};

static void end_of_message(void *owner)
{
	((struct machine *)owner)->eoms++;
}

static void machine_start(struct machine *m, uint32_t features, bool take_over)
{
	struct hvk_config config = {.vector = 0x40, .take_over = take_over};

	memset(m, 0, sizeof(*m));
	polled_port_init(&m->port, m, PAUSE_NS);
	m->port.end_of_message = end_of_message;
	m->port.access |= HV_ACCESS_SYNTHETIC_TIMERS;
	m->port.features = features;
	m->port.now = 1000;
	m->port.registers[HVK_REG_STIMER0_CONFIG] = FOUND_CONFIG;
	m->port.registers[HVK_REG_STIMER0_COUNT] = FOUND_COUNT;
	assert_int_equal(hvk_create(&m->port.port, &config, &m->hvk), HVK_OK);
	assert_int_equal(hvk_start(m->hvk), HVK_OK);
	assert_int_equal(hvk_cpu_start(m->hvk), HVK_OK);
}

static void machine_end(struct machine *m)
{
	assert_int_equal(hvk_cpu_stop(m->hvk), HVK_OK);
	assert_int_equal(hvk_stop(m->hvk), HVK_OK);
	assert_int_equal(hvk_destroy(m->hvk), HVK_OK);
	assert_int_equal(polled_port_end(&m->port), 0);
}

static uint64_t config_of(struct machine *m)
{
	return m->port.registers[HVK_REG_STIMER0_CONFIG];
}

static uint64_t count_of(struct machine *m)
{
	return m->port.registers[HVK_REG_STIMER0_COUNT];
}

static uint8_t *slot(struct machine *m)
{
	uint8_t *at = polled_port_at(&m->port, m->port.registers[HVK_REG_SIMP] & ~0xfffull, 4096);

	assert_non_null(at);
	return at + SINT2_SLOT;
}

/* The host's message of a timer. */
static void deliver(struct machine *m, uint32_t timer, bool pending)
{
	uint8_t bytes[sizeof(golden_timer_message)];

	memcpy(bytes, golden_timer_message, sizeof(bytes));
	bytes[5] = pending;
	memcpy(bytes + 16, &timer, sizeof(timer));
	memcpy(slot(m), bytes, sizeof(bytes));
}

static bool slot_is_empty(struct machine *m)
{
	static const uint8_t none[4];

	return memcmp(slot(m), none, sizeof(none)) == 0;
}

static uint64_t strays(struct machine *m)
{
	struct hvk_counters counters;

	hvk_get_counters(m->hvk, &counters);
	return counters.stray_timers;
}

/* --- Registers --------------------------------------------------------------------------- */

static void by_message_and_left_as_found(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, 0, false);
	assert_int_equal(hvk_event_timer_mode(m.hvk, 0), HVK_EVENT_TIMER_OFF);
	assert_int_equal(hvk_event_timer_start(m.hvk, 0xed), HVK_OK); /* the host has no direct mode */
	assert_int_equal(hvk_event_timer_mode(m.hvk, 0), HVK_EVENT_TIMER_MESSAGE);
	assert_int_equal(config_of(&m), GOLDEN_TIMER_BY_MESSAGE);
	assert_int_equal(hvk_event_timer_set(m.hvk, 0x55555), HVK_OK);
	assert_int_equal(count_of(&m), 0x55555);
	assert_int_equal(hvk_event_timer_set(m.hvk, HVK_NEVER), HVK_OK);
	assert_int_equal(count_of(&m), 0);
	assert_int_equal(hvk_event_timer_set(m.hvk, 0), HVK_OK); /* at once: 0 would be never */
	assert_int_equal(count_of(&m), 1);
	hvk_event_timer_stop(m.hvk);
	assert_int_equal(config_of(&m), FOUND_CONFIG);
	assert_int_equal(count_of(&m), FOUND_COUNT);
	assert_int_equal(hvk_event_timer_mode(m.hvk, 0), HVK_EVENT_TIMER_OFF);
	assert_int_equal(hvk_event_timer_start(m.hvk, 0), HVK_OK);
	machine_end(&m); /* hvk_cpu_stop stops it too */
	assert_int_equal(config_of(&m), FOUND_CONFIG);
	assert_int_equal(count_of(&m), FOUND_COUNT);
}

static void direct_where_the_host_has_it(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, HV_FEATURE_DIRECT_TIMERS, false);
	assert_int_equal(hvk_event_timer_start(m.hvk, 0xed), HVK_OK);
	assert_int_equal(hvk_event_timer_mode(m.hvk, 0), HVK_EVENT_TIMER_DIRECT);
	assert_int_equal(config_of(&m), GOLDEN_TIMER_DIRECT_ED);
	assert_int_equal(hvk_event_timer_set(m.hvk, 5000), HVK_OK);
	m.port.now = 4999;
	hvk_event_timer_interrupt(m.hvk, 0); /* spurious: set again */
	assert_false(hvk_event_timer_expired(m.hvk, 0));
	m.port.now = 5000;
	hvk_event_timer_interrupt(m.hvk, 0);
	hvk_event_timer_interrupt(m.hvk, 0);
	assert_true(hvk_event_timer_expired(m.hvk, 0));
	assert_false(hvk_event_timer_expired(m.hvk, 0));
	assert_int_equal(strays(&m), 2);
	hvk_event_timer_interrupt(m.hvk, 1); /* no such CPU */
	assert_false(hvk_event_timer_expired(m.hvk, 1));
	machine_end(&m);
	machine_start(&m, HV_FEATURE_DIRECT_TIMERS, false);
	assert_int_equal(hvk_event_timer_start(m.hvk, 0), HVK_OK); /* messages are asked for */
	assert_int_equal(config_of(&m), GOLDEN_TIMER_BY_MESSAGE);
	machine_end(&m);
}

static void what_start_refuses(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, 0, false);
	assert_int_equal(hvk_event_timer_set(m.hvk, 5000), HVK_ESTATE);
	assert_int_equal(hvk_event_timer_start(m.hvk, 15), HVK_EINVAL);
	assert_int_equal(hvk_event_timer_start(m.hvk, 0), HVK_OK);
	assert_int_equal(hvk_event_timer_start(m.hvk, 0), HVK_ESTATE);
	assert_int_equal(hvk_cpu_stop(m.hvk), HVK_OK);
	assert_int_equal(hvk_event_timer_start(m.hvk, 0), HVK_ESTATE);
	assert_int_equal(hvk_cpu_start(m.hvk), HVK_OK);
	m.port.registers[HVK_REG_STIMER0_CONFIG] = FOUND_CONFIG | HV_STIMER_ENABLE; /* it runs */
	assert_int_equal(hvk_event_timer_start(m.hvk, 0), HVK_EINUSE);
	assert_int_equal(config_of(&m), FOUND_CONFIG | HV_STIMER_ENABLE);
	for (uint32_t n = 1; n <= 3; n++) { /* each of its accesses faults */
		m.port.registers[HVK_REG_STIMER0_CONFIG] = FOUND_CONFIG;
		m.port.fail_register = n;
		assert_int_equal(hvk_event_timer_start(m.hvk, 0), HVK_EPRIVILEGE);
		assert_int_equal(config_of(&m), FOUND_CONFIG);
	}
	machine_end(&m);
	machine_start(&m, 0, true);
	m.port.registers[HVK_REG_STIMER0_CONFIG] = FOUND_CONFIG | HV_STIMER_ENABLE;
	assert_int_equal(hvk_event_timer_start(m.hvk, 0), HVK_OK);
	machine_end(&m);
	assert_int_equal(config_of(&m), FOUND_CONFIG); /* as found, but stopped */
}

static void no_timers_no_clock(void **state)
{
	static const uint64_t lacking[] = {HV_ACCESS_SYNTHETIC_TIMERS, HV_ACCESS_REFERENCE_COUNTER};

	(void)state;
	for (uint32_t n = 0; n < 2; n++) {
		struct hvk_config config = {0};
		struct machine m = {0};

		polled_port_init(&m.port, &m, PAUSE_NS);
		m.port.access |= HV_ACCESS_SYNTHETIC_TIMERS;
		m.port.access &= ~lacking[n];
		assert_int_equal(hvk_create(&m.port.port, &config, &m.hvk), HVK_OK);
		assert_int_equal(hvk_start(m.hvk), HVK_OK);
		assert_int_equal(hvk_cpu_start(m.hvk), HVK_OK);
		assert_int_equal(hvk_event_timer_start(m.hvk, 0), HVK_ENOTSUP);
		machine_end(&m);
	}
}

/* --- Messages --------------------------------------------------------------------------------- */

static void a_message_is_an_expiry_once(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, 0, false);
	assert_int_equal(hvk_event_timer_start(m.hvk, 0), HVK_OK);
	for (uint32_t n = 0; n < 2; n++) { /* by the interrupt, by polling */
		assert_int_equal(hvk_event_timer_set(m.hvk, m.port.now + 100), HVK_OK);
		m.port.now += 100;
		deliver(&m, 0, n == 0);
		if (n == 0)
			hvk_interrupt(m.hvk, 0);
		else
			(void)hvk_poll(m.hvk, 0);
		assert_true(slot_is_empty(&m));
		assert_int_equal(m.eoms, 1); /* the first had its pending flag set */
		assert_true(hvk_event_timer_expired(m.hvk, 0));
		assert_false(hvk_event_timer_expired(m.hvk, 0));
	}
	assert_int_equal(strays(&m), 0);
	machine_end(&m);
}

/* Not early, and not lost: the host may take it for done. */
static void too_early_is_no_expiry_and_sets_it_again(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, 0, false);
	assert_int_equal(hvk_event_timer_start(m.hvk, 0), HVK_OK);
	assert_int_equal(hvk_event_timer_set(m.hvk, 5000), HVK_OK);
	m.port.registers[HVK_REG_STIMER0_COUNT] = 0;
	m.port.now = 4999;
	deliver(&m, 0, false);
	hvk_interrupt(m.hvk, 0);
	assert_false(hvk_event_timer_expired(m.hvk, 0));
	assert_true(slot_is_empty(&m));
	assert_int_equal(count_of(&m), 5000);
	assert_int_equal(strays(&m), 1);
	m.port.now = 5000;
	deliver(&m, 0, false);
	hvk_interrupt(m.hvk, 0);
	assert_true(hvk_event_timer_expired(m.hvk, 0));
	machine_end(&m);
}

static void a_new_deadline_forgets_the_old_one(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, 0, false);
	assert_int_equal(hvk_event_timer_start(m.hvk, 0), HVK_OK);
	assert_int_equal(hvk_event_timer_set(m.hvk, 2000), HVK_OK);
	m.port.now = 2000;
	deliver(&m, 0, false);
	hvk_interrupt(m.hvk, 0);
	assert_int_equal(hvk_event_timer_set(m.hvk, 9000), HVK_OK); /* nobody had asked */
	assert_false(hvk_event_timer_expired(m.hvk, 0));
	assert_int_equal(hvk_event_timer_set(m.hvk, HVK_NEVER), HVK_OK);
	m.port.now = 9000;
	deliver(&m, 0, false); /* it was under way */
	hvk_interrupt(m.hvk, 0);
	assert_false(hvk_event_timer_expired(m.hvk, 0));
	assert_int_equal(count_of(&m), 0);
	hvk_event_timer_stop(m.hvk);
	deliver(&m, 0, true);
	hvk_interrupt(m.hvk, 0);
	assert_false(hvk_event_timer_expired(m.hvk, 0));
	assert_true(slot_is_empty(&m));
	assert_int_equal(m.eoms, 1);
	machine_end(&m);
}

/* Timers that are not ours; a host that never stops. Bounded, and the bus is not told. */
static void strange_messages(void **state)
{
	struct hvk_counters counters;
	struct machine m;

	(void)state;
	machine_start(&m, 0, false);
	assert_int_equal(hvk_event_timer_start(m.hvk, 0), HVK_OK);
	assert_int_equal(hvk_event_timer_set(m.hvk, m.port.now), HVK_OK);
	deliver(&m, 1, false);
	hvk_interrupt(m.hvk, 0);
	deliver(&m, 0xffffffff, false);
	hvk_interrupt(m.hvk, 0);
	assert_false(hvk_event_timer_expired(m.hvk, 0));
	assert_int_equal(strays(&m), 2);
	deliver(&m, 0, false);
	slot(&m)[4] = 0; /* a length that cannot be: nothing is read by it */
	hvk_interrupt(m.hvk, 0);
	assert_true(hvk_event_timer_expired(m.hvk, 0));
	hvk_get_counters(m.hvk, &counters);
	assert_int_equal(counters.host_faults, 0);
	assert_int_equal(counters.messages, 0);
	assert_int_equal(counters.timers, 1);
	machine_end(&m);
}

static void a_register_that_faults_later(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, 0, false);
	assert_int_equal(hvk_event_timer_start(m.hvk, 0), HVK_OK);
	m.port.fail_register = 1;
	assert_int_equal(hvk_event_timer_set(m.hvk, 5000), HVK_EPRIVILEGE);
	assert_int_equal(hvk_event_timer_set(m.hvk, 5000), HVK_OK);
	machine_end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_message_and_left_as_found),
		cmocka_unit_test(direct_where_the_host_has_it),
		cmocka_unit_test(what_start_refuses),
		cmocka_unit_test(no_timers_no_clock),
		cmocka_unit_test(a_message_is_an_expiry_once),
		cmocka_unit_test(too_early_is_no_expiry_and_sets_it_again),
		cmocka_unit_test(a_new_deadline_forgets_the_old_one),
		cmocka_unit_test(strange_messages),
		cmocka_unit_test(a_register_that_faults_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
