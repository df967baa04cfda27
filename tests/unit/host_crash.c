/* SPDX-License-Identifier: MIT */
/* Crash registers: what a guest reports is kept, bounded and made harmless. */
#include "host_guest.h"

#include "tests/golden/hypervisor.h"

#define PAGE_TEXT 0x30u
#define NOTES 4096u

static char said[NOTES]; /* notes of the trace, and lines of the dump */

static void hear(const void *text, size_t length)
{
	size_t used = strlen(said);
	snprintf(said + used, sizeof(said) - used, "%.*s\n", (int)length, (const char *)text);
}

static void trace(void *context, const struct hvh_trace_record *record)
{
	(void)context;
	if (record->kind == HVH_TRACE_NOTE)
		hear(record->bytes, record->byte_count);
}

static void line(void *context, const char *text)
{
	(void)context;
	hear(text, strlen(text));
}

static int set_up(void **state)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	struct hvh_config config = {.vps = VPS, .seed = 1, .deterministic = true};
	struct hvh_ops ops = {
		.context = guest,
		.translate = guest_translate,
		.interrupt = guest_interrupt,
		.trace = trace,
		.kick = guest_kick,
	};
	guest_create(guest, "ws2022");
	hvh_destroy(guest->host);
	config.profile = &guest->profile;
	guest->host = hvh_create(&config, &ops);
	assert_non_null(guest->host);
	said[0] = '\0';
	*state = guest;
	return 0;
}

static int tear_down(void **state)
{
	guest_destroy(*state);
	free(*state);
	return 0;
}

static void report(struct guest *guest, const void *text, uint64_t gpa, uint64_t length)
{
	for (uint32_t n = 0; n < 3; n++)
		set_msr(guest, 1, HV_MSR_CRASH_P0 + n, 0xdead0 + n);
	if (text != NULL)
		memcpy(guest->memory + gpa, text, length);
	set_msr(guest, 1, HV_MSR_CRASH_P0 + 3, gpa);
	set_msr(guest, 1, HV_MSR_CRASH_P0 + 4, length);
	set_msr(guest, 1, HV_MSR_CRASH_CONTROL, GOLDEN_CRASH_NOTIFY_MESSAGE);
}

static void control_says_what_may_be_reported(void **state)
{
	struct guest *guest = *state;
	uint32_t leaf[4];
	struct hvh_crash crash;
	hvh_cpuid(guest->host, HV_CPUID_FEATURES, leaf);
	assert_true((leaf[3] & 1u << 10) != 0);
	assert_true(msr(guest, 0, 0x40000105) == GOLDEN_CRASH_NOTIFY_MESSAGE);
	set_msr(guest, 0, 0x40000100, 7);
	assert_int_equal(msr(guest, 1, 0x40000100), 7); /* the machine's, not a VP's */
	set_msr(guest, 0, 0x40000105, 0);               /* notifies of nothing */
	assert_false(hvh_crash_get(guest->host, &crash));
	assert_no_violation(guest);
}

static void numbers_alone(void **state)
{
	struct guest *guest = *state;
	struct hvh_crash crash;
	guest->now = 4711;
	for (uint32_t n = 0; n < 5; n++)
		set_msr(guest, 1, 0x40000100 + n, 0x1000 + n);
	unsigned kicks = guest->kicks;
	set_msr(guest, 1, 0x40000105, GOLDEN_CRASH_NOTIFY);
	assert_true(guest->kicks > kicks);
	assert_true(hvh_crash_get(guest->host, &crash));
	assert_int_equal(crash.reports, 1);
	assert_int_equal(crash.time, 4711);
	assert_int_equal(crash.vp, 1);
	for (uint32_t n = 0; n < 5; n++)
		assert_int_equal(crash.parameters[n], 0x1000 + n);
	assert_false(crash.has_text);
	assert_non_null(strstr(said, "crash of VP 1: P0 0x1000 P1 0x1001 P2 0x1002 P3 0x1003 P4 0x1004"));
	assert_no_violation(guest);
}

static void text_is_kept_and_made_harmless(void **state)
{
	static const char text[] = "<0>first\n\tKernel panic: \x1b[31mred\x07\xff\n";
	struct guest *guest = *state;
	struct hvh_crash crash;
	report(guest, text, ADDRESS(PAGE_TEXT) + 0xff0, sizeof(text) - 1); /* over a page's end */
	assert_true(hvh_crash_get(guest->host, &crash));
	assert_true(crash.has_text);
	assert_int_equal(crash.text_length, sizeof(text) - 1);
	assert_string_equal(crash.text, "<0>first\n\tKernel panic: ?[31mred??\n");
	assert_non_null(strstr(said, "crash says: Kernel panic: ?[31mred\n"));
	said[0] = '\0';
	hvh_dump(guest->host, line, NULL);
	assert_non_null(strstr(said, "  crash:\n    reports: 1\n"));
	assert_non_null(strstr(said, "    p0: 0xdead0\n"));
	assert_non_null(strstr(said, "    text: Kernel panic: ?[31mred\n"));
	assert_no_violation(guest);
}

static void text_that_is_too_long_or_not_there(void **state)
{
	struct guest *guest = *state;
	struct hvh_crash crash;
	memset(guest->memory + ADDRESS(PAGE_TEXT), 'x', 3 * HVK_PAGE_SIZE);
	report(guest, NULL, ADDRESS(PAGE_TEXT), 4096);
	hvh_crash_get(guest->host, &crash);
	assert_int_equal(strlen(crash.text), 4096);
	assert_no_violation(guest);
	report(guest, NULL, ADDRESS(PAGE_TEXT), 1ull << 32 | 1);
	assert_only_violation(guest, HVH_V_MSR);
	hvh_crash_get(guest->host, &crash);
	assert_int_equal(crash.text_length, 4096);
	report(guest, NULL, MEMORY - 8, 16);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_MEMORY), 1);
	assert_true(hvh_crash_get(guest->host, &crash));
	assert_int_equal(crash.reports, 3);
	assert_int_equal(crash.text_length, 0);
	assert_string_equal(crash.text, "");
	report(guest, NULL, UINT64_MAX - 3, 16);
	report(guest, NULL, ADDRESS(PAGE_TEXT), 0);
	said[0] = '\0';
	hvh_dump(guest->host, line, NULL);
	assert_non_null(strstr(said, "    text: (empty)\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(control_says_what_may_be_reported),
		TEST(numbers_alone),
		TEST(text_is_kept_and_made_harmless),
		TEST(text_that_is_too_long_or_not_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
