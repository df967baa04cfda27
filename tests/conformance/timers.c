/* SPDX-License-Identifier: MIT */
/*
 * The event timer on the host model, on a seed: deadlines by the dozen while the bus talks through the
 * same slot. None is early, none is lost, each comes once, and late by what the host may take.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/timer.h"
#include "hvkit_host/quirk.h"
#include "tests/support/echo_driver.h"

#define TIMER_VECTOR 0xedu
#define ROUNDS 60u
#define FAR_MAX (3u * HVK_TIME_PER_MS)
#define NEAR_MAX 300u /* about as long as an answer of the bus takes */
#define LONG_REST_NS 1000000000u
/* Idle: the interrupt ends the wait, so there is one poll between deadline and notice. */
#define LATE_IDLE_MAX (HVK_TIME_PER_MS / 20u)
/* On a busy bus: behind a message whose pending flag may come 1 ms late. */
#define LATE_BUSY_MAX (3u * HVK_TIME_PER_MS)

struct session {
	struct echo echo;
	uint8_t vector; /* asked for */
	bool deaf;
	enum hvk_event_timer_mode wanted;
	hvk_status start_status;
	uint32_t expired, early, twice, lost, interrupts;
	uint64_t set;                  /* when the deadline was */
	uint64_t late_idle, late_busy; /* the worst */
	struct hvk_counters counters;
};

static struct session *current; /* handlers get the rig */

static void timer_interrupt(void *context, uint32_t cpu)
{
	struct rig *rig = context;

	current->interrupts++;
	hvk_event_timer_interrupt(rig->hvk, cpu);
}

/* Late is counted from when it was set, if it had passed by then. */
static bool look(struct session *session, uint64_t deadline, uint64_t *late)
{
	uint64_t due = deadline > session->set ? deadline : session->set;
	struct hvk *hvk = session->echo.rig->hvk;
	uint64_t now;

	if (!hvk_event_timer_expired(hvk, session->echo.rig->config.bus_cpu))
		return false;
	now = hvk_time(hvk);
	session->expired++;
	session->early += now < deadline;
	if (now >= due && now - due > *late)
		*late = now - due;
	return true;
}

/* Nothing but the timer's interrupt ends the wait. */
static void idle_round(struct session *session, uint64_t deadline)
{
	struct rig *rig = session->echo.rig;

	while (hvk_poll(rig->hvk, rig->config.bus_cpu))
		;
	while (!look(session, deadline, &session->late_idle)) {
		if (hvk_time(rig->hvk) > deadline + LATE_BUSY_MAX) {
			session->lost++;
			return;
		}
		hosted_wait(rig->machine, LONG_REST_NS);
		(void)hvk_poll(rig->hvk, rig->config.bus_cpu);
	}
}

/* The channel is opened and closed meanwhile, each some messages there and back. */
static void busy_round(struct session *session, uint64_t deadline)
{
	struct echo_ring *ring = &session->echo.rings[0];
	struct rig *rig = session->echo.rig;

	(void)hvk_poll(rig->hvk, rig->config.bus_cpu); /* before any wait: it may be there already */
	while (!look(session, deadline, &session->late_busy)) {
		if (hvk_time(rig->hvk) > deadline + LATE_BUSY_MAX) {
			session->lost++;
			return;
		}
		if (!atomic_load(&ring->busy) && echo_is_open(ring))
			echo_close(ring);
		else if (!atomic_load(&ring->busy))
			echo_open(ring, 0);
		else
			hosted_wait(rig->machine, LONG_REST_NS);
		(void)hvk_poll(rig->hvk, rig->config.bus_cpu);
	}
}

static void keep_time(struct session *session)
{
	struct hvk *hvk = session->echo.rig->hvk;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t reach = round % 3 == 1 ? NEAR_MAX : FAR_MAX;
		uint64_t now = hvk_time(hvk), deadline = now + echo_random(&session->echo, reach);

		if (round % 7 == 3) { /* replaced before it comes, or withdrawn */
			(void)hvk_event_timer_set(hvk, now + echo_random(&session->echo, 500));
			echo_turn(&session->echo);
			(void)hvk_event_timer_set(hvk, round % 2 ? HVK_NEVER : deadline + FAR_MAX);
		}
		if (round % 11 == 5)
			deadline = now > HVK_TIME_PER_MS ? now - HVK_TIME_PER_MS : 0; /* passed already */
		session->set = hvk_time(hvk);
		if (hvk_event_timer_set(hvk, deadline) != HVK_OK)
			echo_fail(&session->echo, "a deadline is refused");
		if (round % 3 == 0 && !atomic_load(&session->echo.rings[0].busy))
			idle_round(session, deadline);
		else
			busy_round(session, deadline);
		session->twice += hvk_event_timer_expired(hvk, session->echo.rig->config.bus_cpu);
	}
}

static void converse(void *context, struct rig *rig)
{
	struct session *session = context;

	current = session;
	echo_init(&session->echo, rig, rig->config.seed);
	while (!session->echo.rings[0].channel)
		echo_turn(&session->echo);
	hosted_set_timer_interrupt(rig->machine, TIMER_VECTOR, timer_interrupt);
	/* Polled only, so that messages lie in the slot for longer. */
	atomic_store(&rig->deaf, session->deaf);
	session->start_status = hvk_event_timer_start(rig->hvk, session->vector);
	if (session->start_status == HVK_OK) {
		if (hvk_event_timer_mode(rig->hvk, rig->config.bus_cpu) != session->wanted)
			echo_fail(&session->echo, "not the mode that the host has");
		keep_time(session);
		hvk_get_counters(rig->hvk, &session->counters);
		/* Left to hvk_cpu_stop, running; or stopped. */
		(void)hvk_event_timer_set(rig->hvk, hvk_time(rig->hvk) + 1);
		if (rig->config.seed % 2)
			hvk_event_timer_stop(rig->hvk);
	}
	echo_end(&session->echo);
}

static void run(struct session *session, struct rig_config config)
{
	static const struct hvh_echo_config device;
	struct rig_result result;
	const char *wrong;

	config.mode = HOSTED_DETERMINISTIC;
	config.no_nic = true;
	config.echo = &device;
	config.session = converse;
	config.session_context = session;
	config.switch_chance = config.seed % 3 ? 16384 : 0;
	rig_run(&config, &result);
	wrong = rig_check(&result, false);
	if (!wrong && session->echo.failed)
		wrong = session->echo.wrong;
	if (wrong)
		print_error("seed %u: %s\n", (unsigned)config.seed, wrong);
	assert_null(wrong);
	if (session->start_status != HVK_OK)
		return;
	assert_int_equal(session->early, 0);
	assert_int_equal(session->lost, 0);
	assert_int_equal(session->twice, 0);
	assert_int_equal(session->expired, ROUNDS);
	assert_true(session->late_idle <= LATE_IDLE_MAX);
	assert_true(session->late_busy <= LATE_BUSY_MAX);
	assert_int_equal(session->interrupts > 0, session->wanted == HVK_EVENT_TIMER_DIRECT);
}

struct setting {
	const char *timers, *redelivery, *late;
	uint8_t vector;
	enum hvk_event_timer_mode wanted;
};

static const struct setting settings[] = {
	{"messages", "on-eom", "by-seed", 0, HVK_EVENT_TIMER_MESSAGE},
	{"messages", "on-eom", "on", TIMER_VECTOR, HVK_EVENT_TIMER_MESSAGE},
	{"messages", "by-looking", "by-seed", 0, HVK_EVENT_TIMER_MESSAGE},
	{"direct", "on-eom", "by-seed", TIMER_VECTOR, HVK_EVENT_TIMER_DIRECT},
	{"direct", "on-eom", "by-seed", 0, HVK_EVENT_TIMER_MESSAGE},
};

static struct hvh_profile profile_of(const struct setting *setting)
{
	struct hvh_profile profile = *hvh_profile_find("ws2022");

	assert_true(hvh_quirk_set(&profile, "timers", setting->timers, NULL, 0));
	assert_true(hvh_quirk_set(&profile, "redelivery", setting->redelivery, NULL, 0));
	assert_true(hvh_quirk_set(&profile, "late-pending", setting->late, NULL, 0));
	return profile;
}

static void every_setting_of_the_host(void **state)
{
	uint64_t idle = 0, busy = 0, eoms = 0;

	(void)state;
	for (size_t n = 0; n < sizeof(settings) / sizeof(settings[0]); n++) {
		struct hvh_profile profile = profile_of(&settings[n]);

		for (uint64_t seed = 1; seed <= 12; seed++) {
			struct session session = {
				.vector = settings[n].vector, .wanted = settings[n].wanted, .deaf = seed > 6};
			bool two = seed % 2 == 0;

			run(&session, (struct rig_config){.custom = &profile,
							  .seed = seed,
							  .cpus = two ? 2 : 1,
							  .bus_cpu = two && seed % 4 == 0 ? 1 : 0,
							  .fault_chance = seed % 3 ? 6000 : 0});
			idle = session.late_idle > idle ? session.late_idle : idle;
			busy = session.late_busy > busy ? session.late_busy : busy;
			eoms += settings[n].wanted == HVK_EVENT_TIMER_MESSAGE ? session.counters.eoms : 0;
		}
	}
	assert_true(eoms > 100); /* bus and timer did meet in the slot */
	print_message("did: %u deadlines, late by at most %u us idle, %u us on a busy bus; %u EOMs\n",
		      (unsigned)(5 * 12 * ROUNDS), (unsigned)(idle / 10), (unsigned)(busy / 10),
		      (unsigned)eoms);
}

static void every_profile(void **state)
{
	const struct hvh_profile *profile;

	(void)state;
	for (uint32_t n = 0; (profile = hvh_profile_get(n)) != NULL; n++) {
		struct session session = {.vector = TIMER_VECTOR};

		session.wanted = profile->timers == HVH_TIMERS_DIRECT ? HVK_EVENT_TIMER_DIRECT
								      : HVK_EVENT_TIMER_MESSAGE;
		run(&session, (struct rig_config){.custom = profile, .seed = 100 + n, .cpus = 1});
		assert_int_equal(session.expired, ROUNDS);
	}
}

static void by_the_register_alone(void **state)
{
	struct hvh_profile profile = profile_of(&settings[0]);
	struct session session = {.wanted = HVK_EVENT_TIMER_MESSAGE};

	(void)state;
	run(&session, (struct rig_config){.custom = &profile, .seed = 5, .no_reference_tsc = true});
	assert_int_equal(session.expired, ROUNDS);
}

static void a_host_without_timers_says_so(void **state)
{
	struct hvh_profile profile = *hvh_profile_find("ws2022");
	struct session session = {.vector = TIMER_VECTOR};

	(void)state;
	assert_true(hvh_quirk_set(&profile, "timers", "absent", NULL, 0));
	run(&session, (struct rig_config){.custom = &profile, .seed = 1});
	assert_int_equal(session.start_status, HVK_ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_setting_of_the_host),
		cmocka_unit_test(every_profile),
		cmocka_unit_test(by_the_register_alone),
		cmocka_unit_test(a_host_without_timers_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
