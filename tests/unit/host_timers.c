/* SPDX-License-Identifier: MIT */
/* Synthetic timers: when they expire, what comes, and how their messages share a slot with the bus. */
#include "host_guest.h"

#include "host/hypervisor/hypervisor.h"
#include "hvkit_host/quirk.h"
#include "tests/golden/hypervisor.h"

#define CONFIG(n) (HV_MSR_STIMER0_CONFIG + 2u * (n))
#define COUNT_OF(n) (HV_MSR_STIMER0_COUNT + 2u * (n))
#define ENABLE 1u
#define PERIODIC 2u
#define LAZY 4u
#define AUTO 8u
#define SINT2 0x20000u
#define DIRECT(vector) (0x1000u | (vector) << 4)

static int set_up(void **state)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	guest_create(guest, "ws2022");
	guest_start(guest);
	guest->now = 1000;
	*state = guest;
	return 0;
}

static int tear_down(void **state)
{
	guest_destroy(*state);
	free(*state);
	return 0;
}

static uint32_t slot_type(struct guest *guest, uint32_t vp)
{
	return *word_at(guest, slot_at(vp));
}

static bool pending(const struct guest *guest)
{
	return (guest->memory[slot_at(1) + 5] & 1) != 0;
}

static uint32_t timer_in_slot(struct guest *guest)
{
	return *word_at(guest, slot_at(1) + 16);
}

/* Takes what is in VP 1's slot; its type. */
static uint32_t take_any(struct guest *guest)
{
	uint32_t type = slot_type(guest, 1);
	*word_at(guest, slot_at(1)) = 0;
	if (pending(guest))
		set_msr(guest, 1, HV_MSR_EOM, 0);
	return type;
}

static void set_timer(struct guest *guest, uint32_t timer, uint64_t config, uint64_t count)
{
	set_msr(guest, 1, CONFIG(timer), config);
	set_msr(guest, 1, COUNT_OF(timer), count);
}

/* Bytes as they stand in the TLFS. */
static void the_message_is_as_written(void **state)
{
	struct guest *guest = *state;
	guest->now = 0x1122330000;
	set_timer(guest, 2, GOLDEN_TIMER_BY_MESSAGE, 0x1122334455);
	guest->now = 0x1122334454;
	settle(guest);
	assert_int_equal(slot_type(guest, 1), 0); /* never early */
	guest->now = 0x1122334466;
	settle(guest);
	assert_memory_equal(guest->memory + slot_at(1), golden_timer_message, sizeof(golden_timer_message));
	assert_int_equal(guest->interrupts[1], 1);
	assert_int_equal(guest->last_vector, VECTOR);
	assert_int_equal(guest->interrupts[0] + slot_type(guest, 0), 0);
	assert_no_violation(guest);
}

static void the_next_event_is_when_it_is_due(void **state)
{
	struct guest *guest = *state;
	unsigned kicks;
	settle(guest);
	kicks = guest->kicks;
	set_timer(guest, 0, AUTO | SINT2, 5000);
	assert_int_equal(hvh_next_event(guest->host), 5000);
	assert_true(guest->kicks > kicks);
	set_msr(guest, 1, COUNT_OF(0), 7000); /* while it runs: Linux, FreeBSD */
	assert_int_equal(hvh_next_event(guest->host), 7000);
	pass(guest, 5000);
	assert_int_equal(slot_type(guest, 1), 0);
	pass(guest, 2000);
	assert_int_equal(slot_type(guest, 1), HV_MESSAGE_TIMER_EXPIRED);
	assert_no_violation(guest);
}

static void one_that_is_due_already_expires_at_once(void **state)
{
	struct guest *guest = *state;
	set_timer(guest, 0, AUTO | SINT2, 1);
	assert_int_equal(slot_type(guest, 1), HV_MESSAGE_TIMER_EXPIRED);
	take_any(guest);
	set_timer(guest, 0, AUTO | SINT2, guest->now);
	assert_int_equal(slot_type(guest, 1), HV_MESSAGE_TIMER_EXPIRED);
	take_any(guest);
	set_timer(guest, 0, AUTO | SINT2, guest->now + 1);
	assert_int_equal(slot_type(guest, 1), 0);
}

static void one_shot_expires_once_and_is_disabled(void **state)
{
	struct guest *guest = *state;
	set_msr(guest, 1, COUNT_OF(0), 2000);
	assert_int_equal(msr(guest, 1, CONFIG(0)) & ENABLE, 0);
	set_msr(guest, 1, CONFIG(0), ENABLE | SINT2);
	assert_int_equal(msr(guest, 1, CONFIG(0)), ENABLE | SINT2);
	pass(guest, MS);
	assert_int_equal(take_any(guest), HV_MESSAGE_TIMER_EXPIRED);
	assert_int_equal(msr(guest, 1, CONFIG(0)), SINT2);
	assert_int_equal(msr(guest, 1, COUNT_OF(0)), 2000);
	pass(guest, HVH_TIME_PER_SECOND);
	assert_int_equal(slot_type(guest, 1), 0);
	assert_int_equal(guest->interrupts[1], 1);
	assert_no_violation(guest);
}

static void stopped_by_count_0_by_config_and_unless_enabled(void **state)
{
	struct guest *guest = *state;
	set_timer(guest, 0, AUTO | SINT2, 2000);
	assert_int_equal(msr(guest, 1, CONFIG(0)), ENABLE | AUTO | SINT2);
	set_msr(guest, 1, COUNT_OF(0), 0);
	assert_int_equal(msr(guest, 1, CONFIG(0)), AUTO | SINT2);
	set_timer(guest, 1, AUTO | SINT2, 2000);
	set_msr(guest, 1, CONFIG(1), 0);
	set_timer(guest, 2, SINT2, 2000); /* neither enabled nor auto-enabled */
	set_msr(guest, 1, COUNT_OF(3), 0);
	set_msr(guest, 1, CONFIG(3), ENABLE | SINT2); /* count 0 */
	assert_int_equal(msr(guest, 1, CONFIG(3)), SINT2);
	pass(guest, HVH_TIME_PER_SECOND);
	assert_int_equal(slot_type(guest, 1), 0);
	assert_no_violation(guest);
}

static void stopping_takes_the_waiting_message_back(void **state)
{
	struct guest *guest = *state;
	set_timer(guest, 0, AUTO | SINT2, 1);
	set_timer(guest, 1, AUTO | SINT2, 1); /* waits for the slot */
	set_msr(guest, 1, CONFIG(1), 0);
	assert_true(pending(guest));
	take_any(guest);
	assert_int_equal(slot_type(guest, 1), 0);
	assert_no_violation(guest);
}

static void periodic_expires_again_and_again(void **state)
{
	struct guest *guest = *state;
	uint64_t begin = guest->now, expiration;
	set_timer(guest, 0, AUTO | PERIODIC | SINT2, MS);
	for (uint32_t n = 1; n <= 5; n++) {
		pass(guest, MS - 1);
		assert_int_equal(slot_type(guest, 1), 0);
		pass(guest, 1);
		memcpy(&expiration, guest->memory + slot_at(1) + 24, 8);
		assert_int_equal(expiration, begin + n * MS);
		assert_int_equal(take_any(guest), HV_MESSAGE_TIMER_EXPIRED);
	}
	set_msr(guest, 1, CONFIG(0), 0);
	pass(guest, 10 * MS);
	assert_int_equal(slot_type(guest, 1), 0);
	assert_no_violation(guest);
}

/* Nobody ran the host for three and a half periods: a lazy timer leaves out what it missed. */
static void missed_periods_are_made_up_for_or_left_out(void **state)
{
	struct guest *guest = *state;
	for (unsigned lazy = 0; lazy < 2; lazy++) {
		unsigned before = guest->interrupts[1];
		uint64_t begin = guest->now;
		set_timer(guest, 0, AUTO | PERIODIC | (lazy ? LAZY : 0) | DIRECT(0x40), MS);
		guest->now += 7 * MS / 2;
		settle(guest);
		pass(guest, MS / 4);
		assert_int_equal(guest->interrupts[1] - before, lazy ? 1 : 3);
		guest->now = begin + 4 * MS;
		settle(guest);
		assert_int_equal(guest->interrupts[1] - before, lazy ? 2 : 4);
		set_msr(guest, 1, CONFIG(0), 0);
	}
	assert_no_violation(guest);
}

/* It cannot keep the host from everything else. */
static void a_period_of_nothing_is_bounded(void **state)
{
	struct guest *guest = *state;
	set_timer(guest, 0, AUTO | PERIODIC | DIRECT(0x40), 1);
	pass(guest, HVH_TIME_PER_SECOND / 10);
	assert_true(guest->interrupts[1] > 1);
	assert_true(guest->interrupts[1] <= HVH_TIME_PER_SECOND / 10 / HVH_TIMER_PERIOD_MIN + 2);
	guest->now += 1000 * HVH_TIME_PER_SECOND;
	settle(guest);
	set_timer(guest, 0, 0, 0);
	set_timer(guest, 0, AUTO | PERIODIC | DIRECT(0x40), UINT64_MAX);
	set_timer(guest, 1, AUTO | DIRECT(0x40), UINT64_MAX);
	settle(guest);
	assert_no_violation(guest);
}

static void direct_mode_is_an_interrupt_and_no_message(void **state)
{
	struct guest *guest = *state;
	set_timer(guest, 0, GOLDEN_TIMER_DIRECT_ED, guest->now + MS);
	set_control(guest, 1, HV_MSR_SCONTROL, 0); /* it does not need the SynIC */
	pass(guest, MS - 1);
	assert_int_equal(guest->interrupts[1], 0);
	pass(guest, 1);
	assert_int_equal(guest->interrupts[1], 1);
	assert_int_equal(guest->last_vector, 0xed);
	assert_int_equal(slot_type(guest, 1), 0);
	assert_int_equal(msr(guest, 1, CONFIG(0)), GOLDEN_TIMER_DIRECT_ED); /* disabled again */
	assert_no_violation(guest);
}

static void a_host_may_have_less(void **state)
{
	static const struct {
		const char *quirk;
		uint32_t access, features;
	} hosts[] = {{"absent", 0, 0}, {"messages", 8, 0}, {"direct", 8, 0x80000}};
	struct guest guest;
	(void)state;
	for (unsigned n = 0; n < 3; n++) {
		uint32_t leaf[4];
		uint64_t value;
		guest_create(&guest, "ws2022");
		assert_true(hvh_partition_set_quirk(guest.host, "timers", hosts[n].quirk, NULL, 0));
		guest_start(&guest);
		hvh_cpuid(guest.host, HV_CPUID_FEATURES, leaf);
		assert_int_equal(leaf[0] & 8, hosts[n].access);
		assert_int_equal(leaf[3] & 0x80000, hosts[n].features);
		assert_int_equal(hvh_msr_read(guest.host, 0, 1, CONFIG(0), &value), n > 0);
		assert_int_equal(hvh_msr_read(guest.host, 0, 1, COUNT_OF(3), &value), n > 0);
		assert_int_equal(hvh_msr_write(guest.host, 0, 1, CONFIG(0), AUTO | SINT2), n > 0);
		assert_int_equal(hvh_msr_write(guest.host, 0, 1, CONFIG(0), AUTO | DIRECT(0xed)), n > 1);
		assert_int_equal(violations(&guest), n == 0 ? 4 : n == 1 ? 1 : 0);
		guest_destroy(&guest);
	}
}

static void sint_0_without_direct_mode_stays_disabled(void **state)
{
	struct guest *guest = *state;
	set_msr(guest, 1, COUNT_OF(0), 2000);
	set_msr(guest, 1, CONFIG(0), ENABLE);
	assert_int_equal(msr(guest, 1, CONFIG(0)), 0);
	assert_only_violation(guest, HVH_V_MSR);
	pass(guest, MS);
	assert_int_equal(*word_at(guest, ADDRESS(PAGE_SIMP + 1)), 0);
}

static void what_is_running_is_not_set_up_anew(void **state)
{
	struct guest *guest = *state;
	set_timer(guest, 0, AUTO | SINT2, 5000);
	set_msr(guest, 1, CONFIG(0), ENABLE | AUTO | SINT2); /* as it is */
	assert_no_violation(guest);
	set_msr(guest, 1, CONFIG(0), ENABLE | AUTO | DIRECT(0x40));
	assert_only_violation(guest, HVH_V_MSR);
}

static void values_that_cannot_be(void **state)
{
	struct guest *guest = *state;
	assert_false(hvh_msr_write(guest->host, guest->now, 1, CONFIG(0), AUTO | DIRECT(15)));
	assert_only_violation(guest, HVH_V_MSR);
	assert_true(hvh_msr_write(guest->host, guest->now, 1, CONFIG(0), DIRECT(15))); /* not enabled */
	assert_int_equal(violations(guest), 1);
	set_msr(guest, 1, CONFIG(0), 1ull << 20 | 1u << 13 | SINT2);
	assert_int_equal(violations(guest), 2);
	assert_int_equal(msr(guest, 1, CONFIG(0)), SINT2);
}

/* --- The slot ------------------------------------------------------------------------- */

static void timer_and_bus_take_turns_in_the_order_of_time(void **state)
{
	static const uint8_t first[8] = {1}, second[8] = {2};
	struct guest *guest = *state;
	assert_true(hvh_synic_post(guest->host, guest->now, 1, VMBUS_SINT, first, 8));
	set_timer(guest, 0, AUTO | SINT2, 1);
	assert_true(pending(guest));
	assert_true(hvh_synic_post(guest->host, guest->now, 1, VMBUS_SINT, second, 8));
	set_timer(guest, 3, AUTO | SINT2, 1);
	assert_memory_equal(guest->memory + slot_at(1) + 16, first, 8);
	*word_at(guest, slot_at(1)) = 0;
	hvh_run(guest->host, guest->now);
	assert_int_equal(slot_type(guest, 1), 0); /* on EOM only */
	set_msr(guest, 1, HV_MSR_EOM, 0);
	assert_int_equal(timer_in_slot(guest), 0);
	assert_int_equal(*word_at(guest, slot_at(1) + 8), 0); /* from no port */
	assert_int_equal(take_any(guest), HV_MESSAGE_TIMER_EXPIRED);
	assert_memory_equal(guest->memory + slot_at(1) + 16, second, 8);
	assert_int_equal(*word_at(guest, slot_at(1) + 8), 1);
	assert_int_equal(take_any(guest), HV_MESSAGE_VMBUS);
	assert_int_equal(timer_in_slot(guest), 3);
	assert_false(pending(guest));
	assert_int_equal(take_any(guest), HV_MESSAGE_TIMER_EXPIRED);
	assert_int_equal(slot_type(guest, 1), 0);
	assert_no_violation(guest);
}

static void each_timer_has_one_buffer(void **state)
{
	struct guest *guest = *state;
	for (uint32_t n = 0; n < HV_STIMER_COUNT; n++)
		set_timer(guest, n, AUTO | PERIODIC | SINT2, MS);
	pass(guest, 10 * MS);
	for (uint32_t n = 0; n < HV_STIMER_COUNT; n++)
		set_msr(guest, 1, CONFIG(n), msr(guest, 1, CONFIG(n)) & ~(uint64_t)ENABLE);
	/* What waited went with the writes; the one in the slot is still there. */
	assert_int_equal(take_any(guest), HV_MESSAGE_TIMER_EXPIRED);
	assert_int_equal(slot_type(guest, 1), 0);
	for (uint32_t n = 0; n < HV_STIMER_COUNT; n++)
		set_timer(guest, n, AUTO | SINT2, guest->now + (HV_STIMER_COUNT - n));
	pass(guest, MS);
	for (uint32_t n = HV_STIMER_COUNT; n-- > 0;) {
		assert_int_equal(timer_in_slot(guest), n); /* the order in which they expired */
		assert_int_equal(take_any(guest), HV_MESSAGE_TIMER_EXPIRED);
	}
	assert_int_equal(slot_type(guest, 1), 0);
	assert_no_violation(guest);
}

static void a_missing_eom_holds_the_timer_up_and_is_found(void **state)
{
	struct guest *guest = *state;
	set_timer(guest, 0, AUTO | SINT2, 1);
	set_timer(guest, 1, AUTO | SINT2, 1);
	*word_at(guest, slot_at(1)) = 0; /* no EOM */
	pass(guest, 3 * HVH_TIME_PER_SECOND);
	assert_int_equal(slot_type(guest, 1), 0);
	assert_only_violation(guest, HVH_V_MISSING_EOM);
}

static void without_a_page_or_synic_it_waits(void **state)
{
	struct guest *guest = *state;
	uint64_t simp = msr(guest, 1, HV_MSR_SIMP);
	set_msr(guest, 1, HV_MSR_SIMP, simp & ~HV_PAGE_ENABLE);
	set_timer(guest, 0, AUTO | SINT2, 1);
	pass(guest, MS);
	assert_int_equal(hvh_next_event(guest->host), HVH_NEVER);
	set_msr(guest, 1, HV_MSR_SIMP, simp);
	assert_int_equal(take_any(guest), HV_MESSAGE_TIMER_EXPIRED);
	set_control(guest, 1, HV_MSR_SCONTROL, 0);
	set_timer(guest, 0, AUTO | SINT2, 1);
	assert_int_equal(slot_type(guest, 1), 0);
	set_control(guest, 1, HV_MSR_SCONTROL, HV_SCONTROL_ENABLE);
	assert_int_equal(take_any(guest), HV_MESSAGE_TIMER_EXPIRED);
	assert_no_violation(guest);
}

static void a_masked_sint_gets_it_without_interrupt(void **state)
{
	struct guest *guest = *state;
	set_control(guest, 1, HV_MSR_SINT0 + VMBUS_SINT, VECTOR | HV_SINT_MASKED);
	set_timer(guest, 0, AUTO | SINT2, 1);
	assert_int_equal(slot_type(guest, 1), HV_MESSAGE_TIMER_EXPIRED);
	assert_int_equal(guest->interrupts[1], 0);
}

static void a_host_that_looks_finds_the_slot_empty(void **state)
{
	struct guest *guest = *state;
	assert_true(hvh_partition_set_quirk(guest->host, "redelivery", "by-looking", NULL, 0));
	set_timer(guest, 0, AUTO | SINT2, 1);
	set_timer(guest, 1, AUTO | SINT2, 1);
	*word_at(guest, slot_at(1)) = 0;
	assert_true(hvh_next_event(guest->host) <= guest->now + HVH_REDELIVERY_LOOK);
	pass(guest, 2 * HVH_REDELIVERY_LOOK);
	assert_int_equal(slot_type(guest, 1), HV_MESSAGE_TIMER_EXPIRED);
	assert_int_equal(timer_in_slot(guest), 1);
}

static void a_late_flag_loses_no_timer(void **state)
{
	struct guest *guest = *state;
	hvh_fault_set(guest->host, HVH_FAULT_LATE_PENDING, 65536);
	set_timer(guest, 0, AUTO | SINT2, 1);
	set_timer(guest, 1, AUTO | SINT2, 1);
	assert_false(pending(guest));
	*word_at(guest, slot_at(1)) = 0; /* no EOM is owed */
	pass(guest, HVH_LATE_PENDING_MAX + 1);
	assert_int_equal(timer_in_slot(guest), 1);
	assert_int_equal(slot_type(guest, 1), HV_MESSAGE_TIMER_EXPIRED);
	assert_no_violation(guest);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_message_is_as_written),
		TEST(the_next_event_is_when_it_is_due),
		TEST(one_that_is_due_already_expires_at_once),
		TEST(one_shot_expires_once_and_is_disabled),
		TEST(stopped_by_count_0_by_config_and_unless_enabled),
		TEST(stopping_takes_the_waiting_message_back),
		TEST(periodic_expires_again_and_again),
		TEST(missed_periods_are_made_up_for_or_left_out),
		TEST(a_period_of_nothing_is_bounded),
		TEST(direct_mode_is_an_interrupt_and_no_message),
		cmocka_unit_test(a_host_may_have_less),
		TEST(sint_0_without_direct_mode_stays_disabled),
		TEST(what_is_running_is_not_set_up_anew),
		TEST(values_that_cannot_be),
		TEST(timer_and_bus_take_turns_in_the_order_of_time),
		TEST(each_timer_has_one_buffer),
		TEST(a_missing_eom_holds_the_timer_up_and_is_found),
		TEST(without_a_page_or_synic_it_waits),
		TEST(a_masked_sint_gets_it_without_interrupt),
		TEST(a_host_that_looks_finds_the_slot_empty),
		TEST(a_late_flag_loses_no_timer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
