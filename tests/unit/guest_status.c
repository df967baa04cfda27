/* SPDX-License-Identifier: MIT */
/* Names and texts of statuses: each has its own, and a number that is none has one too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/hvkit.h"
#include "hvkit/version.h"

static const hvk_status ranges[][2] = {{HVK_OK, HVK_EOWNQUEUE},
				       {HVK_ENOHYPERVISOR, HVK_EHOSTTOOOLD},
				       {HVK_ETIMEDOUT, HVK_ETIMEDOUT_DATA_PATH},
				       {HVK_EREFUSED_OPEN, HVK_EREFUSED_DATA_PATH},
				       {HVK_EHOST_FIRST, HVK_EHOST_VIRTIO}};

static void each_has_its_own(void **state)
{
	const char *unknown = hvk_status_name((hvk_status)12345);
	const char *seen[128];
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		for (int status = (int)ranges[i][0]; status <= (int)ranges[i][1]; status++) {
			const char *name = hvk_status_name((hvk_status)status);

			assert_string_not_equal(name, unknown);
			assert_true(strlen(hvk_status_text((hvk_status)status)) > 1);
			for (size_t n = 0; n < count; n++)
				assert_string_not_equal(name, seen[n]);
			assert_true(count < 128);
			seen[count++] = name;
		}
	}
}

static void a_number_that_is_none(void **state)
{
	static const int numbers[] = {-1, 31, 4095, 4109, 0x7fffffff};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_non_null(hvk_status_name((hvk_status)numbers[i]));
		assert_non_null(hvk_status_text((hvk_status)numbers[i]));
	}
}

static void version_in_force(void **state)
{
	(void)state;
	assert_int_equal(hvk_version(), HVKIT_VERSION_NUMBER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_own),
		cmocka_unit_test(a_number_that_is_none),
		cmocka_unit_test(version_in_force),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
