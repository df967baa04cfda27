/* SPDX-License-Identifier: MIT */
/* The clock of a host that lies: it cannot end a wait early, nor keep it from ending. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hvkit/hvkit.h"
#include "tests/support/polled_port.h"

#define PAUSE_NS 10000000u

struct liar {
	struct polled_port port;
	uint64_t counter; /* what it says; stands still */
};

static bool lie(void *owner, uint64_t *value)
{
	const struct liar *liar = owner;

	*value = liar->counter;
	return true;
}

static struct hvk *start(struct liar *liar)
{
	const struct hvk_config config = {.cpus = 1};
	struct hvk *hvk;

	polled_port_init(&liar->port, liar, PAUSE_NS);
	liar->port.counter = lie;
	liar->counter = 1000;
	assert_int_equal(hvk_create(&liar->port.port, &config, &hvk), HVK_OK);
	assert_int_equal(hvk_start(hvk), HVK_OK);
	assert_int_equal(hvk_time(hvk), 1000);
	return hvk;
}

static void end(struct liar *liar, struct hvk *hvk)
{
	assert_int_equal(hvk_stop(hvk), HVK_OK);
	assert_int_equal(hvk_destroy(hvk), HVK_OK);
	assert_int_equal(polled_port_end(&liar->port), 0);
}

/* Nobody will finish it. Ten seconds are at least that many pauses of our own. */
static void wait_ten_seconds(struct liar *liar, struct hvk *hvk)
{
	struct hvk_request request = {.status = HVK_EINPROGRESS};

	liar->port.pauses = 0;
	assert_int_equal(hvk_wait(hvk, &request, 10000), HVK_ETIMEDOUT);
	assert_in_range(liar->port.pauses, 900, 2000);
}

static void test_stands_still(void **state)
{
	struct liar liar;
	struct hvk *hvk = start(&liar);

	(void)state;
	wait_ten_seconds(&liar, hvk);
	end(&liar, hvk);
}

/* So far ahead that adding to it would begin again at 0, or just where it is believed no
 * more: our own clock has to go on from there all the same. */
static void test_end_of_time(void **state)
{
	const uint64_t lies[] = {UINT64_MAX,
				 UINT64_MAX - 50 * HVK_TIME_PER_MS,
				 UINT64_MAX - HVK_TIME_PER_SECOND,
				 UINT64_MAX / 2,
				 UINT64_MAX / 4 + 1,
				 UINT64_MAX / 4,
				 UINT64_MAX / 4 - 1};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct liar liar;
		struct hvk *hvk = start(&liar);

		liar.counter = lies[i];
		wait_ten_seconds(&liar, hvk);
		assert_true(hvk_time(hvk) < UINT64_MAX / 2);
		wait_ten_seconds(&liar, hvk);
		end(&liar, hvk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stands_still),
		cmocka_unit_test(test_end_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
