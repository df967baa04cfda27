/* SPDX-License-Identifier: MIT */
/* Sub-channels on every host that has them: offered, opened, used, closed and gone in every order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/echo_driver.h"

static const char *const profiles[] = {"ws2012", "ws2012r2", "ws2016", "ws2019", "ws2022", "azure"};
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

static struct rig_config machine(const char *profile, uint64_t seed, struct echo *echo,
				 void (*session)(void *context, struct rig *rig))
{
	static const struct hvh_echo_config device = {.subchannels_max = 0};

	return (struct rig_config){
		.mode = HOSTED_DETERMINISTIC,
		.profile = profile,
		.seed = seed,
		.cpus = 3,
		.no_nic = true,
		.fault_chance = seed % 2 ? 0 : 2048,
		.echo = &device,
		.session = session,
		.session_context = echo,
	};
}

static void expect_good(const struct rig_config *config, struct echo *echo)
{
	struct rig_result result;
	const char *wrong;

	rig_run(config, &result);
	wrong = rig_check(&result, false);
	if (wrong || echo->failed)
		print_error("%s, seed %llu: %s; %s\n", config->profile, (unsigned long long)config->seed,
			    wrong ? wrong : "-", echo->wrong);
	assert_null(wrong);
	assert_false(echo->failed);
}

static void open_all(struct echo *echo, uint32_t subchannels)
{
	uint32_t open = 0;

	while (!echo->rings[0].channel && !echo->failed)
		echo_turn(echo);
	echo_open(&echo->rings[0], 0);
	if (echo_wait(&echo->rings[0]) != HVK_OK)
		echo_fail(echo, "open: %s", hvk_status_name((hvk_status)echo->rings[0].status));
	(void)echo_ask_subchannels(echo, subchannels);
	for (uint32_t turn = 0; turn < 10000 && echo->subchannels_told < subchannels; turn++)
		echo_turn(echo);
	for (uint32_t i = 1; i <= subchannels; i++) {
		struct echo_ring *ring = &echo->rings[i];

		if (!ring->channel)
			continue;
		echo_open(ring, i % echo->rig->config.cpus);
		open += echo_wait(ring) == HVK_OK;
	}
	if (open != subchannels)
		echo_fail(echo, "%u of %u sub-channels are open", open, subchannels);
}

static void send_all(struct echo *echo, uint32_t count)
{
	for (uint32_t n = 0; n < count; n++) {
		for (uint32_t i = 0; i < ECHO_RINGS; i++)
			(void)echo_send(&echo->rings[i]);
		echo_turn(echo);
	}
	echo_settle(echo);
}

/* --- Used ---------------------------------------------------------------------------------- */

static void use_them(void *context, struct rig *rig)
{
	struct echo *echo = context;
	struct hvk_channel *channel = NULL;
	uint32_t index = 0;

	echo_init(echo, rig, rig->config.seed);
	open_all(echo, 5);
	if (echo->rings[0].subchannels_answer != 6)
		echo_fail(echo, "the device answers %u", echo->rings[0].subchannels_answer);
	while ((channel = hvk_channel_next_subchannel(echo->rings[0].channel, channel)) != NULL) {
		if (hvk_channel_offer(channel)->subchannel_index != ++index)
			echo_fail(echo, "sub-channels out of order");
	}
	if (index != 5)
		echo_fail(echo, "%u sub-channels in the list", index);
	send_all(echo, 30);
	for (uint32_t i = 0; i < 6; i++) {
		if (echo->rings[i].answered == 0)
			echo_fail(echo, "ring %u carried nothing", i);
	}
	echo_end(echo);
}

static void each_ring_carries_its_own(void **state)
{
	struct rig_config config;
	struct echo echo;

	(void)state;
	for (uint64_t seed = 1; seed <= 3 * PROFILES; seed++) {
		config = machine(profiles[seed % PROFILES], seed, &echo, use_them);
		expect_good(&config, &echo);
		assert_int_equal(echo.subchannels_told, 5);
	}
}

/* --- Closed ---------------------------------------------------------------------------------- */

static void close_the_primary(void *context, struct rig *rig)
{
	struct echo *echo = context;

	echo_init(echo, rig, rig->config.seed);
	open_all(echo, 4);
	send_all(echo, 3);
	echo_close(&echo->rings[0]);
	if (echo_wait(&echo->rings[0]) != HVK_OK)
		echo_fail(echo, "close: %s", hvk_status_name((hvk_status)echo->rings[0].status));
	for (uint32_t i = 0; i < 5; i++) {
		if (echo->rings[i].channel && hvk_channel_state(echo->rings[i].channel) != HVK_CHANNEL_CLOSED)
			echo_fail(echo, "ring %u is not closed with its primary", i);
	}
	/* Without it none opens. */
	for (uint32_t i = 1; i < 5; i++) {
		if (!echo->rings[i].channel)
			continue;
		echo_open(&echo->rings[i], 0);
		if (echo_wait(&echo->rings[i]) == HVK_OK)
			echo_fail(echo, "ring %u opens without its primary", i);
	}
	echo_end(echo);
}

/* The order in which the guest closes. */
struct closes {
	struct echo echo;
	uint32_t count, ids[16];
};

static void note_close(void *context, const struct hvh_trace_record *record)
{
	struct closes *closes = context;
	struct vmbus_channel_message message;

	if (record->kind != HVH_TRACE_MESSAGE || record->to_guest || record->byte_count < sizeof(message))
		return;
	memcpy(&message, record->bytes, sizeof(message));
	if (message.header.type == VMBUS_MSG_CLOSE_CHANNEL && closes->count < 16)
		closes->ids[closes->count++] = message.channel_id;
}

static void a_primary_closes_its_own_first(void **state)
{
	struct rig_config config;
	struct closes closes;

	(void)state;
	for (uint64_t seed = 1; seed <= 2 * PROFILES; seed++) {
		memset(&closes, 0, sizeof(closes));
		config = machine(profiles[seed % PROFILES], seed, &closes.echo, close_the_primary);
		config.tap = note_close;
		config.context = &closes;
		expect_good(&config, &closes.echo);
		assert_int_equal(closes.count, 5);
		for (uint32_t i = 0; i < 4; i++)
			assert_int_not_equal(closes.ids[i], closes.ids[4]);
	}
}

/* --- Taken back --------------------------------------------------------------------------------- */

static void take_back(void *context, struct rig *rig)
{
	struct echo *echo = context;

	echo_init(echo, rig, rig->config.seed);
	open_all(echo, 4);
	send_all(echo, 3);
	hosted_lock(rig->machine);
	if (!hvh_device_rescind(hosted_partition(rig->machine), hosted_now(rig->machine), "echo0"))
		echo_fail(echo, "no such device");
	hosted_kick(rig->machine);
	hosted_unlock(rig->machine);
	for (uint32_t turn = 0; turn < 20000 && rig->echo_channel; turn++)
		echo_turn(echo);
	if (rig->echo_channel)
		echo_fail(echo, "the primary is not gone");
	if (echo->subchannels_gone != echo->subchannels_told)
		echo_fail(echo, "%u of %u sub-channels are gone", echo->subchannels_gone,
			  echo->subchannels_told);
	echo_end(echo);
}

static void a_rescinded_device_takes_them_along(void **state)
{
	struct rig_config config;
	struct echo echo;

	(void)state;
	for (uint64_t seed = 1; seed <= 3 * PROFILES; seed++) {
		config = machine(profiles[seed % PROFILES], seed, &echo, take_back);
		expect_good(&config, &echo);
		assert_int_equal(echo.subchannels_gone, 4);
	}
}

/* --- Left open at the end ------------------------------------------------------------------------ */

static void leave_open(void *context, struct rig *rig)
{
	struct echo *echo = context;

	echo_init(echo, rig, rig->config.seed);
	open_all(echo, 3);
	send_all(echo, 2);
	for (uint32_t i = 0; i < ECHO_RINGS; i++) {
		if (echo->rings[i].channel)
			hvk_channel_unclaim(echo->rings[i].channel);
	}
}

static void disconnect_closes_all_in_order(void **state)
{
	struct rig_config config;
	struct closes closes;

	(void)state;
	for (uint64_t seed = 1; seed <= PROFILES; seed++) {
		memset(&closes, 0, sizeof(closes));
		config = machine(profiles[seed % PROFILES], seed, &closes.echo, leave_open);
		config.tap = note_close;
		config.context = &closes;
		expect_good(&config, &closes.echo);
		assert_int_equal(closes.count, 4);
		for (uint32_t i = 0; i < 3; i++)
			assert_int_not_equal(closes.ids[i], closes.ids[3]);
	}
}

/* --- Anything in any order ---------------------------------------------------------------------- */

static void any_order_is_safe(void **state)
{
	uint32_t told = 0, rescinds = 0;
	struct rig_config config;
	struct echo echo;

	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		config = machine(profiles[seed % PROFILES], seed, &echo, echo_stress);
		config.rescind_chance = seed % 3 ? 400 : 0;
		expect_good(&config, &echo);
		told += echo.subchannels_told;
		rescinds += echo.rescinds;
	}
	assert_true(told > 60);
	assert_true(rescinds > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_ring_carries_its_own),
		cmocka_unit_test(a_primary_closes_its_own_first),
		cmocka_unit_test(a_rescinded_device_takes_them_along),
		cmocka_unit_test(disconnect_closes_all_in_order),
		cmocka_unit_test(any_order_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
