/* SPDX-License-Identifier: MIT */
/*
 * Leaving with things in the way: channels open, a driver that holds a dead channel, sleep
 * with CPUs stopped, a resume that fails, the abrupt exit without an answer and from a CPU
 * that the answer does not come to, too much memory withheld.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/vmbus.h"
#include "tests/support/rig.h"

struct bench {
	struct hosted *machine;
	struct hvk *hvk;
	struct hvk_channel *channel;
	uint32_t gone, ready_calls;
	bool stay_busy;
	void (*program)(struct bench *bench);
	uint64_t violations;
};

static void ignore_frame(void *context, const void *frame, uint32_t length)
{
	(void)context;
	(void)frame;
	(void)length;
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	struct bench *bench = context;

	(void)again;
	bench->channel = channel;
}

static void gone(void *context, struct hvk_channel *channel)
{
	struct bench *bench = context;

	(void)channel;
	bench->gone++;
}

static bool ready(void *context, struct hvk_channel *channel)
{
	struct bench *bench = context;

	(void)channel;
	bench->ready_calls++;
	return bench->stay_busy;
}

static void interrupt(void *context, uint32_t cpu)
{
	struct bench *bench = context;

	hvk_interrupt(bench->hvk, cpu);
}

static hvk_status connect_bus(struct bench *bench)
{
	const struct hvk_vmbus_config config = {.offered = offered, .gone = gone, .context = bench};
	struct hvk_request request = {0};

	hvk_vmbus_connect(bench->hvk, &config, &request);
	return hvk_wait(bench->hvk, &request, 60000);
}

static hvk_status open_channel(struct bench *bench, struct hvk_channel *channel)
{
	const struct hvk_channel_config config = {
		.tx_pages = 2, .rx_pages = 2, .requests_max = 4, .ready = ready, .context = bench};
	struct hvk_request request = {0};

	hvk_channel_open(channel, &config, &request);
	return hvk_wait(bench->hvk, &request, 60000);
}

static hvk_status end_with(struct bench *bench, void (*how)(struct hvk *, struct hvk_request *))
{
	struct hvk_request request = {0};

	how(bench->hvk, &request);
	return hvk_wait(bench->hvk, &request, 60000);
}

static void silence(struct bench *bench, enum hvh_silence step)
{
	hvh_silence_set(hosted_partition(bench->machine), step);
}

static void run_program(void *context)
{
	struct bench *bench = context;

	assert_int_equal(hvk_start(bench->hvk), HVK_OK);
	assert_int_equal(hvk_cpu_start(bench->hvk), HVK_OK);
	assert_int_equal(connect_bus(bench), HVK_OK);
	bench->program(bench);
}

static void run_withholding(void (*program)(struct bench *bench), uint32_t quarantine_pages_max)
{
	struct bench bench = {.program = program};
	const struct hvk_config config = {
		.cpus = 1, .vector = 0xf3, .interrupts = true, .quarantine_pages_max = quarantine_pages_max};
	const struct hvh_nic_config nic = {.mac = {0, 0x15, 0x5d, 0, 0, 1}, .link_up = true};
	const struct hvh_backend backend = {.transmit = ignore_frame};
	struct hosted_config hosted = {.mode = HOSTED_DETERMINISTIC,
				       .cpus = 1,
				       .memory_pages = 1024,
				       .seed = 5,
				       .profile = hvh_profile_find("ws2022")};
	struct hvh_counters counters;

	bench.machine = hosted_create(&hosted);
	assert_non_null(bench.machine);
	assert_int_equal(hvk_create(hosted_port(bench.machine), &config, &bench.hvk), HVK_OK);
	assert_non_null(hvh_nic_create(hosted_partition(bench.machine), &nic, &backend));
	hosted_set_interrupt(bench.machine, interrupt, &bench);
	hosted_set_program(bench.machine, 0, run_program, &bench);
	assert_true(hosted_run(bench.machine, 3600000));
	hvh_get_counters(hosted_partition(bench.machine), &counters);
	assert_int_equal(counters.violations, 0);
	assert_int_equal(hosted_writes_to_free_memory(bench.machine), 0);
	hosted_destroy(bench.machine);
}

static void run(void (*program)(struct bench *bench))
{
	run_withholding(program, 0);
}

/* --- Disconnect ------------------------------------------------------------------------ */

static void with_an_open_channel(struct bench *bench)
{
	assert_int_equal(open_channel(bench, bench->channel), HVK_OK);
	assert_int_equal(end_with(bench, hvk_vmbus_disconnect), HVK_OK);
	assert_int_equal(hvk_vmbus_state(bench->hvk), HVK_VMBUS_COLD);
	assert_int_equal(bench->gone, 1);
	assert_true(hvh_quiet(hosted_partition(bench->machine)));
}

static void disconnect_closes_what_is_open(void **state)
{
	(void)state;
	run(with_an_open_channel);
}

static void with_a_teardown_that_is_never_answered(struct bench *bench)
{
	assert_int_equal(open_channel(bench, bench->channel), HVK_OK);
	silence(bench, HVH_SILENCE_TEARDOWN);
	assert_int_equal(end_with(bench, hvk_vmbus_disconnect), HVK_OK);
	assert_int_equal(hvk_vmbus_state(bench->hvk), HVK_VMBUS_COLD);
}

/* The rings' time-out is the last thing to happen before UNLOAD: nothing else wakes us. */
static void disconnect_goes_on_after_a_teardown_timed_out(void **state)
{
	(void)state;
	run(with_a_teardown_that_is_never_answered);
}

static void while_holding_a_dead_channel(struct bench *bench)
{
	struct hvk_channel *old = bench->channel;

	assert_int_equal(hvk_channel_claim(old), HVK_OK);
	assert_int_equal(hvk_channel_claim(old), HVK_EBUSY);
	assert_int_equal(end_with(bench, hvk_vmbus_disconnect), HVK_OK);
	assert_int_equal(bench->gone, 0); /* it is claimed */
	assert_int_equal(connect_bus(bench), HVK_OK);
	assert_ptr_not_equal(bench->channel, old);
	assert_int_equal(open_channel(bench, bench->channel), HVK_OK);
	assert_int_equal(open_channel(bench, old), HVK_EGONE);
	hvk_channel_unclaim(old);
	(void)hvk_poll(bench->hvk, 0);
	assert_int_equal(bench->gone, 1);
	assert_int_equal(end_with(bench, hvk_vmbus_disconnect), HVK_OK);
}

static void a_claimed_channel_of_the_last_connection_cannot_be_opened(void **state)
{
	(void)state;
	run(while_holding_a_dead_channel);
}

/* --- Sleep -------------------------------------------------------------------------------- */

static void with_cpu_and_hypervisor_stopped(struct bench *bench)
{
	assert_int_equal(end_with(bench, hvk_vmbus_suspend), HVK_OK);
	assert_int_equal(hvk_cpu_stop(bench->hvk), HVK_OK);
	assert_int_equal(hvk_stop(bench->hvk), HVK_OK);
	assert_int_equal(hvk_start(bench->hvk), HVK_OK);
	assert_int_equal(hvk_cpu_start(bench->hvk), HVK_OK);
	assert_int_equal(end_with(bench, hvk_vmbus_resume), HVK_OK);
	assert_int_equal(open_channel(bench, bench->channel), HVK_OK);
	assert_int_equal(end_with(bench, hvk_vmbus_suspend), HVK_EBUSY);
	assert_int_equal(end_with(bench, hvk_vmbus_disconnect), HVK_OK);
}

static void everything_can_be_stopped_while_suspended(void **state)
{
	(void)state;
	run(with_cpu_and_hypervisor_stopped);
}

static void with_a_resume_that_fails(struct bench *bench)
{
	assert_int_equal(end_with(bench, hvk_vmbus_suspend), HVK_OK);
	silence(bench, HVH_SILENCE_CONTACT);
	assert_int_equal(end_with(bench, hvk_vmbus_resume), HVK_ETIMEDOUT_CONTACT);
	assert_int_equal(hvk_vmbus_state(bench->hvk), HVK_VMBUS_COLD);
	silence(bench, HVH_SILENCE_OFFERS);
	assert_int_equal(connect_bus(bench), HVK_ETIMEDOUT_OFFERS);
	assert_int_equal(hvk_vmbus_state(bench->hvk), HVK_VMBUS_COLD);
	silence(bench, HVH_SILENCE_NONE);
	assert_int_equal(connect_bus(bench), HVK_OK);
	assert_int_equal(end_with(bench, hvk_vmbus_disconnect), HVK_OK);
}

static void a_failed_resume_leaves_a_cold_bus(void **state)
{
	(void)state;
	run(with_a_resume_that_fails);
}

/* --- The abrupt exit ------------------------------------------------------------------------ */

static void without_an_answer(struct bench *bench)
{
	struct hvk_pages pages;
	uint32_t count = 0, total = 0;

	assert_int_equal(open_channel(bench, bench->channel), HVK_OK);
	silence(bench, HVH_SILENCE_UNLOAD);
	assert_int_equal(hvk_vmbus_abandon(bench->hvk, 100), HVK_ETIMEDOUT_UNLOAD);
	while (hvk_quarantine_pages(bench->hvk, count, &pages)) {
		total += pages.count;
		count++;
	}
	assert_int_equal(count, 3); /* interrupt page, monitor pages, rings */
	assert_int_equal(total, 1 + 2 + 6);
}

static void what_is_still_shared_is_listed(void **state)
{
	(void)state;
	run(without_an_answer);
}

/* A system goes down on whichever CPU it goes down; the answer comes to CPU 0. There an
 * interrupt takes it in, or it stays in a slot that nobody else looks at. */
static void the_abrupt_exit_works_on_another_cpu(void **state)
{
	struct rig_config config = {.mode = HOSTED_DETERMINISTIC, .frames = 30, .abrupt = true};
	struct rig_result result;

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		config.seed = seed;
		config.cpus = 2 + (uint32_t)seed % 2;
		config.profile = seed % 3 ? "ws2022" : "ws2012r2";
		config.abrupt_elsewhere = 1 + (uint32_t)seed % 2;
		rig_run(&config, &result);
		assert_true(result.finished);
		assert_int_equal(result.status, HVK_OK);
		assert_int_equal(result.violations, 0);
		assert_int_equal(result.bad_writes, 0);
		assert_null(result.changed_register);
		assert_true(result.quiet);
	}
}

/* --- Too much withheld ------------------------------------------------------------------------ */

#define RING_PAGES 6u

static hvk_status close_channel(struct bench *bench)
{
	struct hvk_request request = {0};

	hvk_channel_close(bench->channel, &request);
	return hvk_wait(bench->hvk, &request, 60000);
}

static void with_nothing_left_to_withhold(struct bench *bench)
{
	struct hvk_gpadl gpadl = {0};
	struct hvk_request request = {0};
	struct hvk_counters counters;

	silence(bench, HVH_SILENCE_TEARDOWN);
	assert_int_equal(open_channel(bench, bench->channel), HVK_OK);
	assert_int_equal(close_channel(bench), HVK_ETIMEDOUT_TEARDOWN);
	hvk_get_counters(bench->hvk, &counters);
	assert_int_equal(counters.quarantined_pages, RING_PAGES);
	assert_int_equal(open_channel(bench, bench->channel), HVK_OK); /* one page is left of the limit */
	assert_int_equal(close_channel(bench), HVK_ETIMEDOUT_TEARDOWN);
	assert_int_equal(open_channel(bench, bench->channel), HVK_EQUARANTINE);
	hvk_gpadl_create(bench->channel, 1, &gpadl, &request);
	assert_int_equal(hvk_wait(bench->hvk, &request, 60000), HVK_EQUARANTINE);
	hvk_get_counters(bench->hvk, &counters);
	assert_int_equal(counters.quarantined_pages, 2 * RING_PAGES);
	silence(bench, HVH_SILENCE_NONE);
	assert_int_equal(end_with(bench, hvk_vmbus_disconnect), HVK_OK); /* leaving is always possible */
	assert_int_equal(connect_bus(bench), HVK_EQUARANTINE);
	assert_int_equal(hvk_vmbus_state(bench->hvk), HVK_VMBUS_COLD);
}

static void nothing_is_begun_when_too_much_is_withheld(void **state)
{
	(void)state;
	run_withholding(with_nothing_left_to_withhold, RING_PAGES + 1);
}

/* --- A busy channel --------------------------------------------------------------------------- */

static void that_never_finishes(struct bench *bench)
{
	uint32_t before;

	assert_int_equal(open_channel(bench, bench->channel), HVK_OK);
	bench->stay_busy = true;
	while (bench->ready_calls == 0)
		(void)hvk_poll(bench->hvk, 0);
	bench->stay_busy = true;
	(void)hvk_poll(bench->hvk, 0);
	before = bench->ready_calls;
	for (int i = 0; i < 10; i++)
		(void)hvk_poll(bench->hvk, 0);
	assert_true(bench->ready_calls - before <= 10);
	bench->stay_busy = false;
	assert_int_equal(end_with(bench, hvk_vmbus_disconnect), HVK_OK);
}

static void a_busy_channel_is_called_once_per_poll(void **state)
{
	(void)state;
	run(that_never_finishes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disconnect_closes_what_is_open),
		cmocka_unit_test(disconnect_goes_on_after_a_teardown_timed_out),
		cmocka_unit_test(a_claimed_channel_of_the_last_connection_cannot_be_opened),
		cmocka_unit_test(everything_can_be_stopped_while_suspended),
		cmocka_unit_test(a_failed_resume_leaves_a_cold_bus),
		cmocka_unit_test(what_is_still_shared_is_listed),
		cmocka_unit_test(the_abrupt_exit_works_on_another_cpu),
		cmocka_unit_test(nothing_is_begun_when_too_much_is_withheld),
		cmocka_unit_test(a_busy_channel_is_called_once_per_poll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
