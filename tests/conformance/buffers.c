/* SPDX-License-Identifier: MIT */
/* Receive buffers from the smallest that is promised to large ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/rig.h"

static const char *const profiles[] = {"ws2008r2", "ws2012", "ws2012r2", "ws2022"};

static void frames_flow(const char *profile, uint32_t pages, uint32_t borrow)
{
	const struct rig_config config = {.mode = HOSTED_DETERMINISTIC,
					  .profile = profile,
					  .seed = 3,
					  .frames = 200,
					  .rx_borrow = borrow,
					  .receive_pages = pages};
	struct rig_result r;
	const char *wrong;

	rig_run(&config, &r);
	wrong = rig_check(&r, true);
	if (wrong)
		fail_msg("%s, %u pages: %s", profile, pages, wrong);
	assert_int_equal(r.echoed, 200);
}

static void the_smallest(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		frames_flow(profiles[i], 16, 0);
}

/* Half of the few sub-allocations stays the host's, or nothing would come any more. */
static void the_smallest_lent(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		frames_flow(profiles[i], 16, 1024);
}

static void large(void **state)
{
	(void)state;
	frames_flow("ws2022", 3841, 0);
	frames_flow("ws2008r2", 3841, 0); /* cut to 15 MiB */
}

static void too_small(void **state)
{
	const struct rig_config config = {
		.mode = HOSTED_DETERMINISTIC, .seed = 3, .frames = 10, .receive_pages = 15};
	struct rig_result r;

	(void)state;
	rig_run(&config, &r);
	assert_true(r.finished);
	assert_int_equal(r.status, HVK_EINVAL);
	assert_string_equal(r.step, "create card");
	assert_int_equal(r.violations, 0);
	assert_int_equal(r.leaked_pages, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest),
		cmocka_unit_test(the_smallest_lent),
		cmocka_unit_test(large),
		cmocka_unit_test(too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
