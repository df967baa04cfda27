/* SPDX-License-Identifier: MIT */
/*
 * Polls that come long after a deadline: what the host had said by then counts, whatever it
 * goes on saying does not put the time-out off.
 */
#include "tests/unit/guest_vmbus_host.h"

#define STEP_MS 5000u
#define LATE (60u * HVK_TIME_PER_SECOND)

/* A driver's step: begun with a timer, ended by what its channel brings. */
struct step {
	struct host host;
	struct hvk_timer timer;
	uint32_t looks, timed_out;
	bool answered;  /* what is in the ring is the answer */
	bool flood;     /* there is always more */
	uint64_t takes; /* time that a look takes */
};

static void time_is_over(struct hvk_timer *timer, void *context)
{
	struct step *step = context;

	(void)timer;
	step->timed_out++;
}

static bool look(void *context, struct hvk_channel *channel)
{
	struct step *step = context;

	(void)channel;
	step->looks++;
	step->host.port.now += step->takes;
	if (step->answered)
		hvk_timer_stop(step->host.hvk, &step->timer);
	return step->flood;
}

static void signal_channel(struct step *step)
{
	uint64_t siefp = step->host.port.registers[HVK_REG_SIEFP];
	uint8_t *flags = host_at(&step->host, siefp & HV_PAGE_ADDRESS_MASK) +
			 (size_t)VMBUS_SINT * HV_EVENT_FLAG_BYTES;

	flags[HOST_CHANNEL / 8] |= (uint8_t)(1u << HOST_CHANNEL % 8);
}

static void begin(struct step *step)
{
	struct host *host = &step->host;

	memset(step, 0, sizeof(*step));
	host_start(host, 0);
	assert_int_equal(host_connect(host), HVK_OK);
	host->channel_config.ready = look;
	host->channel_config.context = step;
	assert_int_equal(host_open(host), HVK_OK);
	host_poll(host);
	step->looks = 0;
	step->timer = (struct hvk_timer){.fire = time_is_over, .context = step, .deadline = HVK_NEVER};
	hvk_timer_start(host->hvk, &step->timer, 0, STEP_MS);
}

static void end(struct step *step)
{
	hvk_timer_stop(step->host.hvk, &step->timer);
	step->flood = false;
	step->takes = 0;
	assert_int_equal(host_end(&step->host), 0);
}

static void an_answer_in_the_ring_counts(void **state)
{
	struct step step;

	(void)state;
	begin(&step);
	step.answered = true;
	signal_channel(&step);
	step.host.port.now += LATE;
	(void)hvk_poll(step.host.hvk, 0);
	assert_int_equal(step.looks, 1);
	assert_int_equal(step.timed_out, 0);
	end(&step);
}

static void silence_does_not(void **state)
{
	struct step step;

	(void)state;
	begin(&step);
	(void)hvk_poll(step.host.hvk, 0);
	assert_int_equal(step.timed_out, 0);
	step.host.port.now += LATE;
	(void)hvk_poll(step.host.hvk, 0);
	assert_int_equal(step.looks, 0);
	assert_int_equal(step.timed_out, 1);
	end(&step);
}

static void a_full_ring_puts_nothing_off(void **state)
{
	struct step step;

	(void)state;
	begin(&step);
	step.flood = true;
	signal_channel(&step);
	step.host.port.now += LATE;
	assert_true(hvk_poll(step.host.hvk, 0));
	assert_int_equal(step.looks, 1);
	assert_int_equal(step.timed_out, 1);
	end(&step);
}

/* The answer may have come while the time passed: nobody has looked since. */
static void time_that_a_poll_takes_is_judged_by_the_next(void **state)
{
	struct step step;

	(void)state;
	begin(&step);
	step.takes = LATE;
	signal_channel(&step);
	(void)hvk_poll(step.host.hvk, 0);
	assert_int_equal(step.looks, 1);
	assert_int_equal(step.timed_out, 0);
	assert_true(hvk_next_deadline(step.host.hvk, 0) <= step.host.port.now);
	(void)hvk_poll(step.host.hvk, 0);
	assert_int_equal(step.timed_out, 1);
	end(&step);
}

static void open_late(struct host *host, bool answered)
{
	host_start(host, 0);
	assert_int_equal(host_connect(host), HVK_OK);
	if (!answered)
		host->answer_type = VMBUS_MSG_OPEN_CHANNEL;
	hvk_channel_open(host->channel, &host->channel_config, &host->request);
	for (unsigned i = 0; i < 20 && !host_post(host, VMBUS_MSG_OPEN_CHANNEL, 0); i++)
		(void)hvk_poll(host->hvk, 0);
	assert_non_null(host_post(host, VMBUS_MSG_OPEN_CHANNEL, 0));
	host->port.now += LATE;
}

static void an_answer_in_the_slot_counts(void **state)
{
	struct host host;

	(void)state;
	open_late(&host, true);
	(void)hvk_poll(host.hvk, 0);
	assert_int_equal(host.request.status, HVK_OK);
	assert_int_equal(host_end(&host), 0);
}

/* As many messages as the host can deliver, none of them the answer. */
static void messages_put_nothing_off(void **state)
{
	struct host host;

	(void)state;
	open_late(&host, false);
	for (uint32_t i = 0; i < HOST_QUEUE - 1; i++)
		HOST_SAY(&host, golden_all_offers_delivered);
	assert_true(hvk_poll(host.hvk, 0));
	assert_true(host.queue_count > 0);
	for (unsigned i = 0; i < 4 && host.request.status == HVK_EINPROGRESS; i++)
		(void)hvk_poll(host.hvk, 0);
	assert_int_equal(host.request.status, HVK_ETIMEDOUT_OPEN);
	host_poll(&host);
	assert_int_equal(host_end(&host), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_in_the_ring_counts),
		cmocka_unit_test(silence_does_not),
		cmocka_unit_test(a_full_ring_puts_nothing_off),
		cmocka_unit_test(time_that_a_poll_takes_is_judged_by_the_next),
		cmocka_unit_test(an_answer_in_the_slot_counts),
		cmocka_unit_test(messages_put_nothing_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
