/* SPDX-License-Identifier: MIT */
/* Hosts and disks in trouble: errors, retries, time-outs, aborts, rescinds. Each request ends once. */
#include "tests/unit/guest_storvsc_host.h"

static const struct hvk_storvsc_config one_queue = {.queues = 1};
static const struct hvk_storvsc_config impatient = {.queues = 1, .timeout_ms = 1000};

static _Alignas(4096) uint8_t memory[1 << 20];

static hvk_status read_one(uint32_t flags)
{
	const struct hvk_buffer piece = direct(memory, 512);

	return fake_do(HVK_BLOCK_READ, 5, 1, &piece, 1, flags);
}

/* --- What results mean ------------------------------------------------------------------------- */

struct meaning {
	uint8_t srb, scsi, key;
	uint16_t code;
	hvk_status status;
	uint32_t commands; /* with the one that goes well */
	uint32_t times;    /* that the host says it */
	bool rescan;
};

static void meanings(void **state)
{
	static const struct meaning table[] = {
		{0x84, 2, 3, 0x1100, HVK_EIO, 1, 1, false},      /* medium error */
		{0x84, 2, 4, 0x4400, HVK_EIO, 1, 1, false},      /* hardware error */
		{0x84, 2, 5, 0x2000, HVK_EIO, 1, 1, false},      /* unknown command */
		{0x84, 2, 5, 0x2100, HVK_EIO, 1, 1, true},       /* beyond the end */
		{0x84, 2, 7, 0x2700, HVK_EREADONLY, 1, 1, true}, /* write protected */
		{0x84, 2, 2, 0x3a01, HVK_ENOMEDIUM, 1, 1, true}, /* no medium */
		{0x84, 2, 2, 0x0400, HVK_EIO, 1, 1, false},      /* not ready, and will not be */
		{0x84, 2, 6, 0x2900, HVK_OK, 2, 1, false},       /* reset */
		{0x84, 2, 6, 0x2a09, HVK_OK, 2, 1, true},        /* capacity has changed */
		{0x84, 2, 6, 0x3f0e, HVK_OK, 2, 1, true},        /* LUNs have changed */
		{0x84, 2, 6, 0x2900, HVK_OK, 6, 5, false},       /* five times */
		{0x84, 2, 6, 0x2900, HVK_EIO, 6, 6, false},      /* too often */
		{0x84, 2, 0xb, 0x0000, HVK_OK, 2, 1, false},     /* aborted */
		{0x02, 0, 0, 0, HVK_OK, 2, 1, false},            /* SRB aborted */
		{0x09, 0, 0, 0, HVK_OK, 2, 1, false},            /* SRB timed out */
		{0x04, 0, 0, 0, HVK_OK, 2, 1, false},            /* SRB error, no more said */
		{0x00, 0, 0, 0, HVK_OK, 2, 1, false},            /* pending for ever */
		{0x06, 0, 0, 0, HVK_EIO, 1, 1, false},           /* SRB invalid request */
		{0x20, 2, 0, 0, HVK_EGONE, 1, 1, true},          /* no such unit */
		{0x08, 0, 0, 0, HVK_EGONE, 1, 1, true},          /* no device */
		{0x01, 0x18, 0, 0, HVK_EIO, 1, 1, false},        /* reservation conflict */
		{0x01, 0, 0, 0, HVK_OK, 2, 1, false},            /* went well, but moved nothing */
		{0x84, 2, 5, 0x2500, HVK_EGONE, 1, 1, true},     /* logical unit not supported */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct meaning *row = &table[i];

		(void)fake_up(&one_queue);
		fake_add_rule((struct fake_rule){.operation = 0x28,
						 .count = row->times,
						 .srb = row->srb,
						 .scsi = row->scsi,
						 .key = row->key,
						 .code = row->code});
		assert_int_equal(read_one(0), row->status);
		assert_int_equal(bench.channel[0].sent_count - 0, bench.channel[0].seen);
		assert_int_equal(strlen(bench.log), 3 * row->commands);
		assert_int_equal(fake_counters().errors, row->status != HVK_OK);
		assert_int_equal(fake_counters().retries, row->commands - 1);
		bench.log[0] = 0;
		fake_advance(30);
		assert_int_equal(strstr(bench.log, "a0 ") != NULL, row->rescan);
		fake_down();
	}
}

/* Recovered, or nothing to complain about: it went well. */
static void recovered(void **state)
{
	(void)state;
	for (uint8_t key = 0; key <= 1; key++) {
		(void)fake_up(&one_queue);
		fake_add_rule((struct fake_rule){.operation = 0x28,
						 .count = 1,
						 .srb = 0x84,
						 .scsi = 2,
						 .key = key,
						 .transferred = 512});
		assert_int_equal(read_one(0), HVK_OK);
		assert_string_equal(bench.log, "28 ");
		fake_down();
	}
}

/* BUSY and TASK SET FULL come later, in growing intervals, and not for ever. */
static void busy(void **state)
{
	static const uint8_t statuses[] = {0x08, 0x28};
	const struct hvk_buffer piece = direct(memory, 512);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		(void)fake_up(&one_queue);
		fake_add_rule((struct fake_rule){
			.operation = 0x28, .count = i < 2 ? 4 : 1000, .srb = 1, .scsi = statuses[i % 2]});
		assert_int_equal(fake_submit(1, HVK_BLOCK_READ, 0, 1, &piece, 1, 0), HVK_OK);
		fake_run();
		assert_string_equal(bench.log, "28 ");
		fake_advance(1 + 2 + 4 + 7);
		assert_string_equal(bench.log, "28 28 28 28 ");
		fake_advance(1);
		assert_int_equal(bench.users[1].done, i < 2);
		if (i == 2) {
			fake_advance(4500);
			assert_int_equal(bench.users[1].status, HVK_EIO);
		} else {
			assert_int_equal(bench.users[1].status, HVK_OK);
		}
		fake_down();
	}
}

/* One part fails: the others end first, nothing more of it is begun. */
static void one_part_of_many(void **state)
{
	const struct hvk_buffer piece = direct(memory, 1 << 20);

	(void)state;
	(void)fake_up(&one_queue);
	fake_add_rule((struct fake_rule){
		.operation = 0x28, .count = 1, .srb = 0x84, .scsi = 2, .key = 3, .code = 0x1100});
	assert_int_equal(fake_do(HVK_BLOCK_READ, 0, 2048, &piece, 1, 0), HVK_EIO);
	assert_int_equal(fake_counters().commands, 8);
	assert_int_equal(fake_do(HVK_BLOCK_READ, 0, 2048, &piece, 1, 0), HVK_OK);
	fake_down();
}

/* --- Hosts that say what cannot be ------------------------------------------------------------------ */

static void malformed_answers(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		(void)fake_up(&one_queue);
		fake_add_rule((struct fake_rule){.operation = 0x28,
						 .count = 1,
						 .srb = 1,
						 .malformed = i == 0,
						 .transferred = i == 0 ? 512 : 513});
		assert_int_equal(read_one(0), HVK_EHOST_VSTOR);
		assert_int_equal(bench.hvk.faults, 1);
		assert_int_equal(read_one(0), HVK_OK);
		fake_down();
	}
}

static void shortest_answers(void **state)
{
	(void)state;
	fake_begin();
	fake_add_disk(0, 0, 64, 512);
	bench.answer_length = 48;
	assert_int_equal(fake_create(&one_queue), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.added, 1);
	assert_int_equal(read_one(0), HVK_OK);
	fake_down();
}

static void corrupt_ring(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512);

	(void)state;
	(void)fake_up(&one_queue);
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 9, .held = true});
	assert_int_equal(fake_submit(1, HVK_BLOCK_READ, 0, 1, &piece, 1, 0), HVK_OK);
	fake_run();
	fake_post(&bench.channel[0], 0, "", 0)->status = HVK_EHOST_PACKET;
	fake_run();
	assert_int_equal(bench.users[1].status, HVK_EGONE);
	assert_int_equal(bench.unit_gone, 1);
	assert_int_equal(bench.gone, 1);
	fake_down();
}

/* --- Silence --------------------------------------------------------------------------------------- */

/* RESET_LUN, and the host ends what it had. */
static void aborted_in_time(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512);

	(void)state;
	(void)fake_up(&impatient);
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 1, .held = true});
	assert_int_equal(fake_submit(1, HVK_BLOCK_READ, 0, 1, &piece, 1, 0), HVK_OK);
	fake_advance(999);
	assert_string_equal(bench.log, "28 ");
	fake_advance(2);
	assert_string_equal(bench.log, "28 op4 ");
	assert_int_equal(bench.users[1].done, 0); /* the host may still use the memory */
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 1, .srb = 2});
	fake_release(false);
	fake_run();
	assert_int_equal(bench.users[1].status, HVK_ETIMEDOUT_REQUEST);
	assert_int_equal(fake_counters().timeouts, 1);
	assert_int_equal(bench.gone, 0);
	assert_int_equal(read_one(0), HVK_OK);
	fake_down();
}

/* It comes after all: better late than never. */
static void late_but_well(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512);

	(void)state;
	(void)fake_up(&impatient);
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 1, .held = true});
	assert_int_equal(fake_submit(1, HVK_BLOCK_READ, 0, 1, &piece, 1, 0), HVK_OK);
	fake_advance(3000);
	fake_release(false);
	fake_run();
	assert_int_equal(bench.users[1].status, HVK_OK);
	fake_advance(10000);
	assert_int_equal(bench.gone, 0);
	fake_down();
}

/* A host that stays silent costs the channel: only then is the memory the caller's again. */
static void silent_for_ever(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512);

	(void)state;
	(void)fake_up(&impatient);
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 1, .silent = true});
	assert_int_equal(fake_submit(1, HVK_BLOCK_READ, 0, 1, &piece, 1, 0), HVK_OK);
	fake_add_rule((struct fake_rule){.operation = 0x2a, .count = 1, .held = true});
	fake_advance(900);
	assert_int_equal(fake_submit(2, HVK_BLOCK_WRITE, 0, 1, &piece, 1, 0), HVK_OK);
	fake_advance(5000);
	assert_int_equal(bench.users[1].done, 0);
	fake_advance(200);
	assert_int_equal(bench.users[1].status, HVK_ETIMEDOUT_REQUEST);
	assert_int_equal(bench.users[2].done, 1); /* with the channel */
	assert_string_equal(bench.log, "28 2a op4 op4 close:0 ");
	assert_int_equal(bench.unit_gone, 1);
	assert_int_equal(bench.gone, 1);
	fake_down();
}

static void teardown_without_an_answer(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512);

	(void)state;
	(void)fake_up(&impatient);
	bench.lose_teardown = true;
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 1, .silent = true});
	assert_int_equal(fake_submit(1, HVK_BLOCK_READ, 0, 1, &piece, 1, 0), HVK_OK);
	fake_advance(6100);
	assert_int_equal(bench.users[1].status, HVK_ETIMEDOUT_TEARDOWN); /* not to be used again */
	assert_int_equal(fake_detach(), HVK_ETIMEDOUT_TEARDOWN);
	assert_int_equal(bench.hvk.quarantined, 64 + 1 + 1);
	fake_free();
}

/* --- Rescind and detach --------------------------------------------------------------------------------- */

static void rescinded(void **state)
{
	const struct hvk_buffer piece = direct(memory, 131072);

	(void)state;
	(void)fake_up(&one_queue);
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 100, .held = true});
	for (uint32_t n = 1; n <= 20; n++)
		assert_int_equal(
			fake_submit(n, HVK_BLOCK_READ, 0, 256, &piece, 1, n == 10 ? HVK_BLOCK_ORDERED : 0),
			HVK_OK);
	fake_run();
	fake_rescind(0);
	for (uint32_t n = 1; n <= 20; n++) {
		assert_int_equal(bench.users[n].done, 1);
		assert_int_equal(bench.users[n].status, HVK_EGONE);
	}
	assert_int_equal(bench.unit_gone, 1);
	assert_int_equal(bench.gone, 1);
	assert_int_equal(hvk_storvsc_queues(bench.controller), 0);
	fake_down();
}

static void detached_with_requests(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512);

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		(void)fake_up(&one_queue);
		fake_add_rule((struct fake_rule){.operation = 0x28, .count = 100, .held = true});
		for (uint32_t n = 1; n <= 3; n++)
			assert_int_equal(fake_submit(n, HVK_BLOCK_READ, n, 1, &piece, 1,
						     n == 3 ? HVK_BLOCK_ORDERED : 0),
					 HVK_OK);
		fake_run();
		bench.detach = (struct hvk_request){0};
		hvk_storvsc_detach(bench.controller, &bench.detach);
		fake_run();
		assert_int_equal(bench.users[3].status, HVK_ECANCELED); /* never begun */
		assert_int_equal(bench.detach.status, HVK_EINPROGRESS);
		if (i == 0) { /* the host answers: they are waited for */
			bench.rules[0].count = 0;
			fake_release(false);
			fake_run();
		} else {
			fake_advance(2001);
		}
		assert_int_equal(bench.detach.status, HVK_OK);
		for (uint32_t n = 1; n <= 2; n++)
			assert_int_equal(bench.users[n].status, i == 0 ? HVK_OK : HVK_ECANCELED);
		assert_int_equal(bench.unit_gone, 0);
		assert_int_equal(bench.gone, 0);
		fake_free();
	}
}

/* --- Resets ------------------------------------------------------------------- */

static hvk_status reset(bool adapter)
{
	bench.reset = (struct hvk_request){0};
	hvk_storvsc_reset(bench.controller, adapter ? NULL : bench.units[0], &bench.reset);
	fake_run();
	return bench.reset.status;
}

static void resets(void **state)
{
	struct hvk_request second = {0};

	(void)state;
	(void)fake_up(&one_queue);
	assert_int_equal(reset(false), HVK_OK);
	assert_int_equal(reset(true), HVK_OK);
	assert_string_equal(bench.log, "op4 op5 ");
	bench.reset_refused = true;
	assert_int_equal(reset(true), HVK_ENOTSUP);
	bench.mute_operation = 4;
	assert_int_equal(reset(false), HVK_EINPROGRESS);
	hvk_storvsc_reset(bench.controller, NULL, &second);
	fake_run();
	assert_int_equal(second.status, HVK_EBUSY);
	fake_advance(5001);
	assert_int_equal(bench.reset.status, HVK_ETIMEDOUT_REQUEST);
	assert_null(strstr(bench.log, "op6"));
	fake_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(meanings),
		cmocka_unit_test(recovered),
		cmocka_unit_test(busy),
		cmocka_unit_test(one_part_of_many),
		cmocka_unit_test(malformed_answers),
		cmocka_unit_test(shortest_answers),
		cmocka_unit_test(corrupt_ring),
		cmocka_unit_test(aborted_in_time),
		cmocka_unit_test(late_but_well),
		cmocka_unit_test(silent_for_ever),
		cmocka_unit_test(teardown_without_an_answer),
		cmocka_unit_test(rescinded),
		cmocka_unit_test(detached_with_requests),
		cmocka_unit_test(resets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
