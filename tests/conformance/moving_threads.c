/* SPDX-License-Identifier: MIT */
/* Sub-channels, moves, closes and rescinds with each CPU a thread; the thread sanitizer looks on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/echo_driver.h"

static void any_order_is_safe(void **state)
{
	static const struct hvh_echo_config device = {.monitored = false};
	static struct echo echo;
	uint32_t moves = 0, told = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		const struct rig_config config = {
			.mode = HOSTED_THREADS,
			.profile = "ws2022",
			.seed = seed,
			.cpus = 3,
			.no_nic = true,
			.rescind_chance = seed % 2 ? 0 : 100,
			.limit_ms = 60000,
			.echo = &device,
			.session = echo_stress,
			.session_context = &echo,
		};
		struct rig_result result;
		const char *wrong;

		rig_run(&config, &result);
		wrong = rig_check(&result, false);
		if (wrong || echo.failed)
			print_error("seed %u: %s; %s\n", (unsigned)seed, wrong ? wrong : "-", echo.wrong);
		assert_null(wrong);
		assert_false(echo.failed);
		moves += echo.moves;
		told += echo.subchannels_told;
	}
	assert_true(moves > 0 && told > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
