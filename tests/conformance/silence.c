/* SPDX-License-Identifier: MIT */
/*
 * A host that falls silent: each step ends in its own time-out status, everything that
 * the host may not use any more is given back, and nothing hangs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/rig.h"

struct row {
	enum hvh_silence silence;
	hvk_status status;
	bool quarantines; /* the host may still use memory of ours */
};

static const struct row rows[] = {
	{HVH_SILENCE_CONTACT, HVK_ETIMEDOUT_CONTACT, true},
	{HVH_SILENCE_UNLOAD, HVK_ETIMEDOUT_UNLOAD, true},
	{HVH_SILENCE_OFFERS, HVK_ETIMEDOUT_OFFERS, false},
	{HVH_SILENCE_GPADL, HVK_ETIMEDOUT_GPADL, true},
	{HVH_SILENCE_OPEN, HVK_ETIMEDOUT_OPEN, false},
	{HVH_SILENCE_TEARDOWN, HVK_ETIMEDOUT_TEARDOWN, true},
	{HVH_SILENCE_NVS_INIT, HVK_ETIMEDOUT_NVS_INIT, false},
	{HVH_SILENCE_NVS_RECEIVE_BUFFER, HVK_ETIMEDOUT_NVS_RECEIVE_BUFFER, false},
	{HVH_SILENCE_NVS_SEND_BUFFER, HVK_ETIMEDOUT_NVS_SEND_BUFFER, false},
	{HVH_SILENCE_RNDIS_INITIALIZE, HVK_ETIMEDOUT_RNDIS_INITIALIZE, false},
	{HVH_SILENCE_RNDIS_QUERY, HVK_ETIMEDOUT_RNDIS_QUERY, false},
	{HVH_SILENCE_RNDIS_SET, HVK_ETIMEDOUT_RNDIS_SET, false},
	{HVH_SILENCE_POST, HVK_ETIMEDOUT_POST, false},
};

/* The rig moves no channel, asks for no sub-channels, and has none of the devices whose steps follow the
 * card's: silence to MODIFY_CHANNEL is in moving.c. */
_Static_assert(sizeof(rows) / sizeof(rows[0]) == HVH_SILENCE_VSTOR_BEGIN - 3,
	       "a row for each silence but these");

static void check_row(const struct row *row, const char *profile, bool level0)
{
	struct rig_config config = {
		.mode = HOSTED_DETERMINISTIC,
		.profile = profile,
		.seed = 1 + (uint64_t)row->silence,
		.silence = row->silence,
		.level0 = level0,
		.frames = 4,
		.timeout_ms = level0 ? 300 : 0, /* each pause of a polled guest is simulated */
	};
	struct rig_result result;

	rig_run(&config, &result);
	print_message("%-10s %-20s %s%s: %s\n", profile, hvh_silence_name(row->silence), level0 ? "L0 " : "",
		      result.step ? result.step : "", hvk_status_name(result.status));
	assert_true(result.finished);
	assert_string_equal(hvk_status_name(result.status), hvk_status_name(row->status));
	assert_int_equal(result.leaked_pages, 0);
	assert_int_equal(result.bad_writes, 0);
	assert_int_equal(result.violations, 0);
	assert_int_equal(result.quarantined_pages != 0, row->quarantines);
}

static void each_step_has_its_own_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_row(&rows[i], "ws2022", false);
		check_row(&rows[i], "ws2012r2", false);
	}
}

static void a_polled_guest_ends_too(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i], "ws2022", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_has_its_own_status),
		cmocka_unit_test(a_polled_guest_ends_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
