/* SPDX-License-Identifier: MIT */
/* Frames lent in place: nothing is lost, copied or written over, on every host, in both modes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/rig.h"

static const char *const profiles[] = {"ws2008r2", "ws2012", "ws2012r2", "ws2022"};

static void borrow(struct rig_config config, struct rig_result *result)
{
	const char *wrong;

	config.seed = 7;
	config.frames = 300;
	rig_run(&config, result);
	wrong = rig_check(result, true);
	if (wrong)
		fail_msg("%s: %s", config.profile, wrong);
}

static void on_every_host(void **state)
{
	struct rig_result r;

	(void)state;
	for (int i = 0; i < 4; i++) {
		borrow((struct rig_config){.mode = HOSTED_DETERMINISTIC,
					   .profile = profiles[i],
					   .rx_borrow = 64},
		       &r);
		assert_true(r.nic.rx_lent == 300);
		assert_true(r.nic.rx_copied == 0);
	}
}

/* What is not lent is copied; both kinds come from one packet. */
static void few_at_a_time(void **state)
{
	struct rig_result r;

	(void)state;
	borrow((struct rig_config){.mode = HOSTED_DETERMINISTIC, .profile = "ws2022", .rx_borrow = 2}, &r);
	assert_true(r.nic.rx_lent > 2);
	assert_true(r.nic.rx_copied > r.nic.rx_bytes / 2);
}

static void none(void **state)
{
	struct rig_result r;

	(void)state;
	borrow((struct rig_config){.mode = HOSTED_DETERMINISTIC, .profile = "ws2022"}, &r);
	assert_int_equal(r.nic.rx_lent, 0);
	assert_int_equal(r.nic.rx_copied, r.nic.rx_bytes);
}

/* The card on one CPU, frames given back on two. */
static void in_threads(void **state)
{
	struct rig_result r;

	(void)state;
	borrow((struct rig_config){.mode = HOSTED_THREADS,
				   .profile = "ws2022",
				   .cpus = 2,
				   .nic_cpu = 1,
				   .rx_borrow = 64,
				   .limit_ms = 60000},
	       &r);
	assert_true(r.nic.rx_lent > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_every_host),
		cmocka_unit_test(few_at_a_time),
		cmocka_unit_test(none),
		cmocka_unit_test(in_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
