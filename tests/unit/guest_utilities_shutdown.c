/* SPDX-License-Identifier: MIT */
/* Shutdown: what is asked, the answer before the fall, texts. */
#include "tests/unit/guest_utilities_host.h"

static struct {
	enum hvk_utility_answer answer;
	struct hvk_shutdown asked;
	char text[1200];
	uint32_t asked_count, down_count, sent_at_down;
	enum hvk_shutdown_action action;
	bool forced;
} user;

static enum hvk_utility_answer asked(void *context, const struct hvk_shutdown *shutdown)
{
	assert_ptr_equal(context, &user);
	user.asked = *shutdown;
	assert_true(strlen(shutdown->text) <= 1024);
	strcpy(user.text, shutdown->text);
	user.asked_count++;
	return user.answer;
}

static void go_down(void *context, enum hvk_shutdown_action action, bool forced)
{
	assert_ptr_equal(context, &user);
	user.down_count++;
	user.action = action;
	user.forced = forced;
	user.sent_at_down = bench.sent_count;
}

static void begin(void)
{
	const struct hvk_utility_config config = {.callbacks.shutdown = {asked, go_down}, .context = &user};

	memset(&user, 0, sizeof(user));
	utility_begin((struct vmbus_guid)VMBUS_GUID_SHUTDOWN, &config);
	assert_int_equal(utility_negotiate(IC_VERSION(3, 2)), IC_VERSION(3, 2));
}

static uint32_t ask(uint32_t flags, const char *text)
{
	struct ic_shutdown body = {.reason = 0x80000001u, .timeout = 90, .flags = flags};

	utility_wide(body.text, text);
	return utility_ask(IC_TYPE_SHUTDOWN, &body, sizeof(body));
}

static void actions(void **state)
{
	static const struct {
		uint32_t flags;
		enum hvk_shutdown_action action;
	} cases[] = {{0, HVK_SHUTDOWN_POWER_OFF}, {1, HVK_SHUTDOWN_POWER_OFF}, {2, HVK_SHUTDOWN_REBOOT},
		     {3, HVK_SHUTDOWN_REBOOT},    {4, HVK_SHUTDOWN_HIBERNATE}, {5, HVK_SHUTDOWN_HIBERNATE}};

	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		begin();
		assert_int_equal(ask(cases[i].flags, "Wartung"), IC_STATUS_OK);
		assert_int_equal(user.asked.action, cases[i].action);
		assert_int_equal(user.asked.forced, cases[i].flags & 1);
		assert_int_equal(user.asked.reason, 0x80000001u);
		assert_int_equal(user.asked.timeout_seconds, 90);
		assert_string_equal(user.text, "Wartung");
		assert_int_equal(user.down_count, 1);
		assert_int_equal(user.action, cases[i].action);
		assert_int_equal(user.forced, cases[i].flags & 1);
		assert_int_equal(user.sent_at_down, bench.sent_count); /* the answer was out */
		utility_end();
	}
}

static void not_done(void **state)
{
	struct ic_shutdown body = {0};

	(void)state;
	begin();
	assert_int_equal(ask(6, ""), IC_STATUS_NOT_SUPPORTED); /* reboot and hibernate at once */
	assert_int_equal(ask(8, ""), IC_STATUS_NOT_SUPPORTED);
	assert_int_equal(user.asked_count, 0);
	assert_int_equal(utility_ask(IC_TYPE_SHUTDOWN, &body, sizeof(body) - 1), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(bench.hvk.faults, 1);
	user.answer = HVK_UTILITY_REFUSED;
	assert_int_equal(ask(1, ""), IC_STATUS_FAIL);
	assert_int_equal(user.asked_count, 1);
	assert_int_equal(user.down_count, 0);
	utility_end();
}

/* The machine goes down only when the answer has found room. */
static void answer_first(void **state)
{
	struct ic_shutdown body = {0};

	(void)state;
	begin();
	bench.channel.room = 0;
	utility_say(IC_TYPE_SHUTDOWN, &body, sizeof(body));
	assert_int_equal(user.asked_count, 1);
	assert_int_equal(user.down_count, 0);
	fake_make_room();
	assert_int_equal(user.down_count, 1);
	assert_int_equal(utility_answered(2, &body, 0), IC_STATUS_OK);
	utility_end();
}

static void texts(void **state)
{
	struct ic_shutdown body = {0};

	(void)state;
	begin();
	user.answer = HVK_UTILITY_REFUSED;
	assert_int_equal(ask(0, "a\x1b[2J\nb"), IC_STATUS_FAIL);
	assert_string_equal(user.text, "a [2J b"); /* nothing that a terminal obeys */
	memcpy(body.text, "\x9b\0m\0\xe9\0\x3d\xd8y\0\xff\xd7",
	       12); /* CSI m, e acute, half a pair, the last before them */
	assert_int_equal(utility_ask(IC_TYPE_SHUTDOWN, &body, sizeof(body)), IC_STATUS_FAIL);
	assert_string_equal(user.text, "  m\xc3\xa9???y\xed\x9f\xbf");
	memset(body.text, 'x', sizeof(body.text)); /* 1024 units of three bytes, without an end */
	(void)utility_ask(IC_TYPE_SHUTDOWN, &body, sizeof(body));
	assert_int_equal(strlen(user.text), 1023);
	utility_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions),
		cmocka_unit_test(not_done),
		cmocka_unit_test(answer_first),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
