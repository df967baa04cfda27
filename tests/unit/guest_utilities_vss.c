/* SPDX-License-Identifier: MIT */
/* Backup: freeze, thaw, and thaws by themselves. */
#include "tests/unit/guest_utilities_host.h"

static struct {
	enum hvk_utility_answer answer;
	uint32_t freezes, thaws, by_itself;
} user;

static enum hvk_utility_answer freeze(void *context)
{
	assert_ptr_equal(context, &user);
	user.freezes++;
	return user.answer;
}

static void thaw(void *context, bool by_itself)
{
	assert_ptr_equal(context, &user);
	user.thaws++;
	user.by_itself += by_itself;
}

static void begin(bool recovery)
{
	const struct hvk_utility_config config = {
		.callbacks.vss = {.freeze = freeze, .thaw = thaw, .needs_recovery = recovery},
		.context = &user};

	memset(&user, 0, sizeof(user));
	utility_begin((struct vmbus_guid)VMBUS_GUID_VSS, &config);
	assert_int_equal(utility_negotiate(IC_VERSION(5, 0)), IC_VERSION(5, 0));
}

static uint32_t flags;

static uint32_t ask(uint8_t operation)
{
	struct ic_vss body = {.operation = operation, .flags = 0x77};
	uint32_t status = utility_ask(IC_TYPE_VSS, &body, sizeof(body));

	flags = body.flags;
	return status;
}

static void backup(void **state)
{
	(void)state;
	begin(false);
	assert_int_equal(ask(IC_VSS_HOT_BACKUP), IC_STATUS_OK);
	assert_int_equal(flags, 5);
	assert_int_equal(ask(IC_VSS_GET_DM_INFO), IC_STATUS_OK);
	assert_int_equal(flags, 0);
	assert_int_equal(ask(IC_VSS_FREEZE), IC_STATUS_OK);
	assert_int_equal(ask(IC_VSS_FREEZE), IC_STATUS_OK);
	assert_int_equal(user.freezes, 1); /* it was frozen */
	assert_int_equal(ask(IC_VSS_THAW), IC_STATUS_OK);
	assert_true(user.thaws == 1 && user.by_itself == 0);
	assert_int_equal(ask(IC_VSS_THAW), IC_STATUS_FAIL);
	assert_int_equal(ask(IC_VSS_BACKUP_COMPLETE), IC_STATUS_OK);
	assert_int_equal(ask(8), IC_STATUS_NOT_SUPPORTED);
	fake_advance(70000);
	assert_int_equal(user.thaws, 1);
	utility_end();
	begin(true);
	assert_int_equal(ask(IC_VSS_HOT_BACKUP), IC_STATUS_OK);
	assert_int_equal(flags, 1);
	utility_end();
}

/* From 5.0 on a host names disks; nothing is to be done about them. */
static void with_disks(void **state)
{
	static struct ic_vss_disks body;

	(void)state;
	begin(false);
	body = (struct ic_vss_disks){.operation = IC_VSS_FREEZE, .disk_count = IC_VSS_DISKS};
	assert_int_equal(utility_ask(IC_TYPE_VSS, &body, sizeof(body)), IC_STATUS_OK);
	assert_int_equal(user.freezes, 1);
	assert_int_equal(ask(IC_VSS_THAW), IC_STATUS_OK);
	utility_end();
}

static void by_itself(void **state)
{
	(void)state;
	begin(false);
	assert_int_equal(ask(IC_VSS_FREEZE), IC_STATUS_OK);
	fake_advance(30000);
	assert_int_equal(ask(IC_VSS_FREEZE), IC_STATUS_OK); /* does not make it longer */
	fake_advance(29999);
	assert_int_equal(user.thaws, 0);
	fake_advance(1);
	assert_true(user.thaws == 1 && user.by_itself == 1);
	assert_int_equal(ask(IC_VSS_THAW), IC_STATUS_FAIL); /* the host must hear that it was late */
	assert_int_equal(user.thaws, 1);
	assert_int_equal(ask(IC_VSS_FREEZE), IC_STATUS_OK); /* and again */
	assert_int_equal(ask(IC_VSS_THAW), IC_STATUS_OK);
	assert_true(user.thaws == 2 && user.by_itself == 1);
	utility_end();
}

static void refused(void **state)
{
	(void)state;
	begin(false);
	user.answer = HVK_UTILITY_REFUSED;
	assert_int_equal(ask(IC_VSS_FREEZE), IC_STATUS_FAIL);
	fake_advance(70000);
	assert_int_equal(user.thaws, 0);
	utility_end();
	assert_int_equal(user.thaws, 0);
}

/* A freeze that takes its time: the thaw behind it waits for its answer. */
static void slow_freeze(void **state)
{
	struct ic_vss body = {.operation = IC_VSS_FREEZE};

	(void)state;
	begin(false);
	user.answer = HVK_UTILITY_LATER;
	utility_say(IC_TYPE_VSS, &body, sizeof(body));
	body.operation = IC_VSS_THAW;
	utility_say(IC_TYPE_VSS, &body, sizeof(body));
	fake_advance(1000);
	assert_true(bench.sent_count == 1 && user.thaws == 0);
	assert_int_equal(hvk_utility_answer(utility, HVK_UTILITY_DONE, NULL, NULL), HVK_OK);
	fake_run();
	assert_int_equal(bench.sent_count, 3);
	assert_int_equal(utility_answered(3, &body, 0), IC_STATUS_OK);
	assert_true(user.thaws == 1 && user.by_itself == 0);
	body.operation = IC_VSS_FREEZE; /* one that is never done */
	utility_say(IC_TYPE_VSS, &body, sizeof(body));
	fake_advance(60000);
	assert_int_equal(utility_answered(4, &body, 0), IC_STATUS_FAIL);
	assert_true(user.thaws == 2 && user.by_itself == 1);
	assert_int_equal(hvk_utility_answer(utility, HVK_UTILITY_DONE, NULL, NULL), HVK_ESTATE);
	fake_advance(60000);
	assert_int_equal(user.thaws, 2);
	utility_end();
}

static void gone_while_frozen(void **state)
{
	(void)state;
	begin(false);
	assert_int_equal(ask(IC_VSS_FREEZE), IC_STATUS_OK);
	fake_rescind();
	assert_true(user.thaws == 1 && user.by_itself == 1 && utility_gone == 1);
	utility_end();
	assert_int_equal(user.thaws, 1);
	begin(false);
	assert_int_equal(ask(IC_VSS_FREEZE), IC_STATUS_OK);
	utility_end(); /* detached by ourselves */
	assert_true(user.thaws == 1 && user.by_itself == 1);
}

/* The user has said no, and the channel goes before that is sent: there is nothing to thaw. */
static void gone_with_the_answer(void **state)
{
	struct ic_vss body = {.operation = IC_VSS_FREEZE};

	(void)state;
	begin(false);
	user.answer = HVK_UTILITY_LATER;
	utility_say(IC_TYPE_VSS, &body, sizeof(body));
	bench.channel.rescinded = true;
	bench.channel.kicked = true;
	assert_int_equal(hvk_utility_answer(utility, HVK_UTILITY_REFUSED, NULL, NULL), HVK_OK);
	(void)bench.channel.config.ready(bench.channel.config.context, &bench.channel); /* before the kick */
	fake_run();
	assert_int_equal(user.thaws, 0);
	utility_end();
}

static void malformed(void **state)
{
	struct ic_vss body = {.operation = IC_VSS_FREEZE};

	(void)state;
	begin(false);
	assert_int_equal(utility_ask(IC_TYPE_VSS, &body, sizeof(body) - 1), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(user.freezes, 0);
	utility_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backup),      cmocka_unit_test(with_disks),
		cmocka_unit_test(by_itself),   cmocka_unit_test(refused),
		cmocka_unit_test(slow_freeze), cmocka_unit_test(gone_while_frozen),
		cmocka_unit_test(malformed),   cmocka_unit_test(gone_with_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
