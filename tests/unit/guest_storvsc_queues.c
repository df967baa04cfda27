/* SPDX-License-Identifier: MIT */
/* Several channels: asked for, fewer, late, none, lost alone; and which one a request takes. */
#include "tests/unit/guest_storvsc_host.h"

static const struct hvk_storvsc_config four_queues = {.queues = 4};
static const struct hvk_storvsc_config impatient = {.queues = 4, .timeout_ms = 1000};

static _Alignas(4096) uint8_t memory[8192];

static void begin(uint16_t most, uint16_t offers)
{
	fake_begin();
	fake_add_disk(0, 0, 4096, 512);
	bench.subchannels_max = most;
	bench.granted_offers = offers;
	assert_int_equal(fake_create(&four_queues), HVK_OK);
}

static hvk_status read_on(uint32_t n, uint32_t cpu, uint32_t hint)
{
	static struct hvk_buffer piece;
	struct fake_user *user = &bench.users[n];
	hvk_status status;

	piece = direct(memory, 512);
	*user = (struct fake_user){.status = HVK_EINPROGRESS};
	user->block = (struct hvk_block_request){.operation = HVK_BLOCK_READ,
						 .count = 1,
						 .pieces = &piece,
						 .piece_count = 1,
						 .done = block_done,
						 .context = user,
						 .cpu_hint = hint};
	bench.hvk.cpu = cpu;
	status = hvk_block_submit(hvk_storvsc_block(bench.units[0]), &user->block);
	bench.hvk.cpu = 0;
	return status;
}

/* The channel that a read from there takes. */
static uint32_t channel_of(uint32_t cpu, uint32_t hint)
{
	uint32_t before[FAKE_CHANNELS];

	for (uint32_t i = 0; i < FAKE_CHANNELS; i++)
		before[i] = bench.channel[i].sent_count;
	assert_int_equal(read_on(1, cpu, hint), HVK_OK);
	fake_run();
	assert_int_equal(bench.users[1].status, HVK_OK);
	for (uint32_t i = 0; i < FAKE_CHANNELS; i++) {
		if (bench.channel[i].sent_count != before[i])
			return i;
	}
	return FAKE_NONE;
}

static void by_cpu(void **state)
{
	(void)state;
	begin(3, 3);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_non_null(strstr(bench.log, "op8 op13 open:1 open:2 open:3 a0"));
	assert_int_equal(hvk_storvsc_queues(bench.controller), 4);
	for (uint32_t cpu = 0; cpu < 4; cpu++) {
		assert_int_equal(bench.channel[cpu].config.cpu, cpu);
		assert_int_equal(channel_of(cpu, 0), cpu);
		assert_int_equal(channel_of(0, cpu + 1), cpu);
	}
	assert_int_equal(channel_of(2, 9), 2); /* no such queue */
	fake_down();
}

static void fewer_and_none(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 4; i++) {
		begin(i == 0 ? 0 : i == 3 ? 3 : 1, 3);
		bench.no_multi_channel = i == 2;
		bench.refuse_operation = i == 3 ? 13 : FAKE_NONE;
		(void)fake_attach();
		fake_advance(1001);
		assert_int_equal(bench.attach.status, HVK_OK);
		assert_int_equal(hvk_storvsc_queues(bench.controller), i == 1 ? 2 : 1);
		assert_int_equal(strstr(bench.log, "op13") != NULL, i == 1 || i == 3);
		assert_int_equal(channel_of(3, 0), i == 1 ? 1 : 0);
		fake_down();
	}
}

static void late(void **state)
{
	(void)state;
	begin(3, 1);
	assert_int_equal(fake_attach(), HVK_EINPROGRESS);
	fake_advance(1001);
	assert_int_equal(bench.attach.status, HVK_OK);
	assert_int_equal(hvk_storvsc_queues(bench.controller), 2);
	fake_offer(3);
	fake_run();
	assert_int_equal(hvk_storvsc_queues(bench.controller), 3);
	assert_int_equal(channel_of(3, 0), 3);
	fake_down();
}

static void old_hosts_have_none(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		begin(3, 3);
		bench.newest = i == 0 ? 0x402 : 0x602;
		bench.hvk.version = i == 0 ? VMBUS_VERSION_5_3 : VMBUS_VERSION_1_1;
		assert_int_equal(fake_attach(), HVK_OK);
		assert_null(strstr(bench.log, "op13"));
		fake_down();
	}
}

/* What the host had of it goes by another channel; raw commands are not done twice. */
static void one_rescinded(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512);

	(void)state;
	begin(3, 3);
	assert_int_equal(fake_attach(), HVK_OK);
	bench.log[0] = 0;
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 2, .held = true});
	assert_int_equal(read_on(1, 2, 0), HVK_OK);
	bench.users[2].raw = (struct hvk_scsi_request){.cdb = {0x28, 0, 0, 0, 0, 0, 0, 0, 1},
						       .cdb_length = 10,
						       .direction = HVK_SCSI_IN,
						       .pieces = &piece,
						       .piece_count = 1,
						       .length = 512,
						       .done = raw_done,
						       .context = &bench.users[2]};
	bench.hvk.cpu = 2;
	assert_int_equal(hvk_storvsc_submit(bench.units[0], &bench.users[2].raw), HVK_OK);
	fake_run();
	assert_string_equal(bench.log, "28 28 ");
	fake_rescind(2);
	assert_int_equal(bench.users[1].status, HVK_OK);
	assert_int_equal(bench.users[2].status, HVK_EGONE);
	assert_string_equal(bench.log, "28 28 close:2 28 ");
	assert_int_equal(hvk_storvsc_queues(bench.controller), 3);
	assert_false(bench.channel[2].claimed);
	assert_int_equal(bench.unit_gone, 0);
	assert_int_not_equal(channel_of(2, 0), 2);
	/* And offered again. */
	fake_offer(2);
	fake_run();
	assert_int_equal(channel_of(2, 0), 2);
	fake_down();
}

/* A sub-channel whose host is silent is closed alone. */
static void one_silent(void **state)
{
	(void)state;
	fake_begin();
	fake_add_disk(0, 0, 4096, 512);
	assert_int_equal(fake_create(&impatient), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 1, .silent = true});
	assert_int_equal(read_on(1, 2, 0), HVK_OK);
	fake_advance(6100);
	assert_int_equal(bench.users[1].status, HVK_ETIMEDOUT_REQUEST);
	assert_int_equal(hvk_storvsc_queues(bench.controller), 3);
	assert_int_equal(bench.gone, 0);
	assert_int_equal(channel_of(1, 0), 1);
	fake_down();
}

/* Two at once: both are closed, one after the other. */
static void two_silent(void **state)
{
	(void)state;
	fake_begin();
	fake_add_disk(0, 0, 4096, 512);
	assert_int_equal(fake_create(&impatient), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 2, .silent = true});
	assert_int_equal(read_on(1, 1, 0), HVK_OK);
	assert_int_equal(read_on(2, 2, 0), HVK_OK);
	fake_advance(11200);
	assert_int_equal(bench.users[1].status, HVK_ETIMEDOUT_REQUEST);
	assert_int_equal(bench.users[2].status, HVK_ETIMEDOUT_REQUEST);
	assert_int_equal(hvk_storvsc_queues(bench.controller), 2);
	assert_int_equal(bench.gone, 0);
	fake_down();
}

/* Offered, and not to be opened, again and again: the attach ends all the same. */
static void offered_for_ever(void **state)
{
	const char *scan;
	uint32_t before = 0;

	(void)state;
	begin(3, 3);
	bench.offers_for_ever = 500;
	assert_int_equal(fake_attach(), HVK_OK);
	scan = strstr(bench.log, "a0 ");
	assert_non_null(scan);
	for (const char *at = bench.log; (at = strstr(at, "open:")) != NULL && at < scan; at++)
		before++;
	assert_in_range(before, 1 + 3, 1 + 4);
	assert_int_equal(bench.offers_for_ever, 0);
	fake_down();
}

static void third_rescinded(void)
{
	fake_rescind(2);
	bench.hvk.cpu = 2;
}

/* The channel goes between the choice of it and the request: another one takes that, at once. */
static void rescinded_meanwhile(void **state)
{
	(void)state;
	begin(3, 3);
	assert_int_equal(fake_attach(), HVK_OK);
	bench.hvk.interloper = third_rescinded;
	bench.hvk.interloper_at = 1;
	assert_int_equal(read_on(1, 2, 0), HVK_OK);
	fake_run();
	assert_int_equal(hvk_storvsc_queues(bench.controller), 3);
	assert_int_equal(bench.users[1].status, HVK_OK);
	fake_down();
}

static void all_rescinded(void **state)
{
	(void)state;
	begin(3, 3);
	assert_int_equal(fake_attach(), HVK_OK);
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 9, .held = true});
	for (uint32_t n = 0; n < 4; n++)
		assert_int_equal(read_on(n, n, 0), HVK_OK);
	fake_run();
	for (uint32_t i = 0; i < FAKE_CHANNELS; i++) {
		bench.channel[i].rescinded = true;
		bench.channel[i].kicked = true;
	}
	fake_run();
	for (uint32_t n = 0; n < 4; n++)
		assert_int_equal(bench.users[n].status, HVK_EGONE);
	assert_int_equal(bench.gone, 1);
	fake_down();
}

/* Detached while queues are open: all are closed, the primary last. */
static void closed_in_order(void **state)
{
	(void)state;
	begin(3, 3);
	assert_int_equal(fake_attach(), HVK_OK);
	bench.log[0] = 0;
	assert_int_equal(fake_detach(), HVK_OK);
	assert_string_equal(bench.log, "close:1 close:2 close:3 close:0 ");
	fake_free();
}

/* A detach waits for what the host may still answer: not for what went by a channel that is rescinded,
 * before the detach or while it waits. */
static void rescinded_while_detached(void **state)
{
	(void)state;
	for (uint32_t first = 0; first < 2; first++) {
		begin(3, 3);
		assert_int_equal(fake_attach(), HVK_OK);
		bench.log[0] = 0;
		fake_add_rule((struct fake_rule){.operation = 0x28, .count = 2, .held = true});
		assert_int_equal(read_on(1, 1, 0), HVK_OK);
		assert_int_equal(read_on(2, 2, 0), HVK_OK);
		fake_run();
		bench.channel[2].rescinded = bench.channel[2].kicked = first == 0;
		assert_int_equal(fake_detach(), HVK_EINPROGRESS);
		if (first != 0)
			fake_rescind(2);
		assert_int_equal(bench.detach.status, HVK_EINPROGRESS); /* the other one's answer may come */
		assert_int_equal(bench.users[1].done, 0);
		fake_release(false);
		fake_run();
		assert_int_equal(bench.detach.status, HVK_OK); /* no time has gone by */
		assert_int_equal(bench.users[1].status, HVK_OK);
		assert_int_equal(bench.users[2].status, HVK_ECANCELED);
		assert_non_null(strstr(bench.log, "close:1 close:2 close:3 close:0 "));
		fake_free();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_cpu),
		cmocka_unit_test(fewer_and_none),
		cmocka_unit_test(late),
		cmocka_unit_test(old_hosts_have_none),
		cmocka_unit_test(one_rescinded),
		cmocka_unit_test(one_silent),
		cmocka_unit_test(two_silent),
		cmocka_unit_test(rescinded_meanwhile),
		cmocka_unit_test(offered_for_ever),
		cmocka_unit_test(all_rescinded),
		cmocka_unit_test(rescinded_while_detached),
		cmocka_unit_test(closed_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
