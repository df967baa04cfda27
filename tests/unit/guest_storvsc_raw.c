/* SPDX-License-Identifier: MIT */
/* Raw commands: sent as they are, never twice, and told all that was said. */
#include "tests/unit/guest_storvsc_host.h"

static const struct hvk_storvsc_config one_queue = {.queues = 1};

static _Alignas(4096) uint8_t memory[131072];

static hvk_status submit(uint32_t n, uint8_t operation, enum hvk_scsi_direction direction,
			 const struct hvk_buffer *pieces, uint32_t count, enum hvk_scsi_order order)
{
	struct fake_user *user = &bench.users[n];

	*user = (struct fake_user){.status = HVK_EINPROGRESS};
	user->raw = (struct hvk_scsi_request){
		.cdb = {operation},
		.cdb_length = operation < 0x20 ? 6 : 10,
		.direction = direction,
		.order = order,
		.pieces = pieces,
		.piece_count = count,
		.done = raw_done,
		.context = user,
	};
	for (uint32_t i = 0; i < count; i++)
		user->raw.length += pieces[i].length;
	return hvk_storvsc_submit(bench.units[0], &user->raw);
}

static const struct fake_sent *last(void)
{
	return &bench.channel[0].sent[bench.channel[0].sent_count - 1];
}

static void well(void **state)
{
	const struct hvk_buffer exact = direct(memory, 36),
				odd[] = {{memory + 1, 0, 20}, {memory + 777, 0, 16}};

	(void)state;
	(void)fake_up(&one_queue);
	assert_int_equal(submit(1, 0x12, HVK_SCSI_IN, &exact, 1, HVK_SCSI_SIMPLE), HVK_OK);
	assert_int_equal(bench.users[1].done, 0);
	fake_run();
	assert_int_equal(bench.users[1].status, HVK_OK);
	assert_int_equal(bench.users[1].raw.transferred, 36);
	assert_int_equal(bench.users[1].raw.srb_status, 1);
	assert_memory_equal(memory + 8, "Msft    ", 8);
	assert_int_equal(submit(1, 0x12, HVK_SCSI_IN, odd, 2, HVK_SCSI_SIMPLE), HVK_OK);
	fake_run();
	assert_int_equal(bench.users[1].status, HVK_OK);
	assert_memory_equal(memory + 1 + 8, "Msft    ", 8);
	assert_memory_equal(memory + 777, "ual Disk", 8);
	assert_int_equal(submit(1, 0x00, HVK_SCSI_NONE, NULL, 0, HVK_SCSI_SIMPLE), HVK_OK);
	fake_run();
	assert_int_equal(bench.users[1].status, HVK_OK);
	assert_int_equal(last()->payload[22], VSTOR_DATA_NONE);
	fake_down();
}

/* Not retried, whatever it is; the sense is the caller's. */
static void trouble(void **state)
{
	static const uint8_t scsi[] = {2, 0x08, 0, 0};
	static const uint8_t srb[] = {0x84, 1, 0x20, 2};
	static const hvk_status expected[] = {HVK_EIO, HVK_EIO, HVK_ENODEVICE, HVK_EIO};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		(void)fake_up(&one_queue);
		fake_add_rule((struct fake_rule){.operation = 0,
						 .count = 1,
						 .srb = srb[i],
						 .scsi = scsi[i],
						 .key = 6,
						 .code = 0x2900});
		assert_int_equal(submit(1, 0x00, HVK_SCSI_NONE, NULL, 0, HVK_SCSI_SIMPLE), HVK_OK);
		fake_run();
		assert_int_equal(bench.users[1].status, expected[i]);
		assert_int_equal(bench.users[1].raw.scsi_status, scsi[i]);
		assert_int_equal(bench.users[1].raw.srb_status, srb[i] & 0x3f);
		assert_int_equal(bench.users[1].raw.sense_length, i == 0 ? 18 : 0);
		if (i == 0)
			assert_int_equal(bench.users[1].raw.sense[12], 0x29);
		assert_string_equal(bench.log, "00 ");
		fake_down();
	}
}

static void tags(void **state)
{
	static const enum hvk_scsi_order orders[] = {HVK_SCSI_SIMPLE, HVK_SCSI_ORDERED,
						     HVK_SCSI_HEAD_OF_QUEUE};
	static const uint8_t actions[] = {0x20, 0x22, 0x21};

	(void)state;
	(void)fake_up(&one_queue);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(submit(1, 0x00, HVK_SCSI_NONE, NULL, 0, orders[i]), HVK_OK);
		fake_run();
		assert_int_equal(last()->payload[51], actions[i]);
	}
	fake_down();
}

/* Head of queue goes before what an ordered one holds back. */
static void head_of_queue(void **state)
{
	(void)state;
	(void)fake_up(&one_queue);
	fake_add_rule((struct fake_rule){.operation = 0, .count = 1, .held = true});
	assert_int_equal(submit(1, 0x00, HVK_SCSI_NONE, NULL, 0, HVK_SCSI_ORDERED), HVK_OK);
	assert_int_equal(submit(2, 0x35, HVK_SCSI_NONE, NULL, 0, HVK_SCSI_SIMPLE), HVK_OK);
	assert_int_equal(submit(3, 0x00, HVK_SCSI_NONE, NULL, 0, HVK_SCSI_HEAD_OF_QUEUE), HVK_OK);
	fake_run();
	assert_string_equal(bench.log, "00 00 ");
	assert_int_equal(bench.users[3].done, 1);
	assert_int_equal(bench.users[2].done, 0);
	fake_release(false);
	fake_run();
	assert_int_equal(bench.users[1].done + bench.users[2].done, 2);
	fake_down();
}

/* ... and before what waits for room in the ring. */
static void head_of_a_full_queue(void **state)
{
	(void)state;
	(void)fake_up(&one_queue);
	bench.channel[0].room = 0;
	assert_int_equal(submit(1, 0x00, HVK_SCSI_NONE, NULL, 0, HVK_SCSI_SIMPLE), HVK_OK);
	assert_int_equal(submit(2, 0x00, HVK_SCSI_NONE, NULL, 0, HVK_SCSI_SIMPLE), HVK_OK);
	assert_int_equal(submit(3, 0x35, HVK_SCSI_NONE, NULL, 0, HVK_SCSI_HEAD_OF_QUEUE), HVK_OK);
	bench.channel[0].room = FAKE_NONE;
	bench.channel[0].kicked = true;
	fake_run();
	assert_string_equal(bench.log, "00 35 00 "); /* the first was on its way already */
	fake_down();
}

/* What was moved before an error is the caller's, wherever its memory lies. */
static void data_beside_an_error(void **state)
{
	const struct hvk_buffer odd = {memory + 1, 0, 36};

	(void)state;
	(void)fake_up(&one_queue);
	fake_add_rule((struct fake_rule){.operation = 0x12, .count = 1, .held = true});
	memset(memory, 0, 64);
	assert_int_equal(submit(1, 0x12, HVK_SCSI_IN, &odd, 1, HVK_SCSI_SIMPLE), HVK_OK);
	fake_run();
	fake_move(last(), 0, "0123456789", 10, true);
	fake_add_rule((struct fake_rule){.operation = 0x12,
					 .count = 1,
					 .srb = 0x84,
					 .scsi = 2,
					 .key = 3,
					 .code = 0x1100,
					 .transferred = 10});
	fake_release(false);
	fake_run();
	assert_int_equal(bench.users[1].status, HVK_EIO);
	assert_int_equal(bench.users[1].raw.transferred, 10);
	assert_memory_equal(memory + 1, "0123456789", 11);
	fake_down();
}

static void refused(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512), large = direct(memory, 65537);
	const struct hvk_buffer nowhere[] = {{NULL, 4096, 100}, {NULL, 8192, 100}};

	(void)state;
	(void)fake_up(&one_queue);
	assert_int_equal(submit(1, 0x28, HVK_SCSI_NONE, &piece, 1, HVK_SCSI_SIMPLE), HVK_EINVAL);
	assert_int_equal(submit(1, 0x28, HVK_SCSI_IN, NULL, 0, HVK_SCSI_SIMPLE), HVK_EINVAL);
	assert_int_equal(submit(1, 0x28, HVK_SCSI_IN, &large, 1, HVK_SCSI_SIMPLE), HVK_ETOOBIG);
	assert_int_equal(submit(1, 0x28, HVK_SCSI_IN, nowhere, 2, HVK_SCSI_SIMPLE), HVK_EINVAL);
	bench.users[1].raw.cdb_length = 17;
	assert_int_equal(hvk_storvsc_submit(bench.units[0], &bench.users[1].raw), HVK_EINVAL);
	assert_string_equal(bench.log, "");
	fake_down();
}

static void never_begun(void **state)
{
	(void)state;
	(void)fake_up(&one_queue);
	fake_add_rule((struct fake_rule){.operation = 0, .count = 1, .held = true});
	assert_int_equal(submit(1, 0x00, HVK_SCSI_NONE, NULL, 0, HVK_SCSI_ORDERED), HVK_OK);
	assert_int_equal(submit(2, 0x00, HVK_SCSI_NONE, NULL, 0, HVK_SCSI_SIMPLE), HVK_OK);
	fake_run();
	fake_rescind(0);
	assert_int_equal(bench.users[1].status, HVK_EGONE);
	assert_int_equal(bench.users[2].status, HVK_EGONE);
	fake_down();
}

/* The dump has a line for each thing, and holds together in every state. */
static uint32_t lines;

static void count_line(void *context, const char *line)
{
	(void)context;
	assert_true(strlen(line) > 0 && strlen(line) < 120);
	lines++;
}

static void dumped(void **state)
{
	(void)state;
	fake_begin();
	fake_add_disk(0, 0, 64, 512);
	assert_int_equal(fake_create(&one_queue), HVK_OK);
	hvk_storvsc_dump(bench.controller, count_line, NULL);
	assert_true(lines > 10 && lines < 20);
	assert_int_equal(fake_attach(), HVK_OK);
	lines = 0;
	hvk_storvsc_dump(bench.controller, count_line, NULL);
	assert_true(lines > 40);
	fake_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well),
		cmocka_unit_test(trouble),
		cmocka_unit_test(tags),
		cmocka_unit_test(head_of_queue),
		cmocka_unit_test(head_of_a_full_queue),
		cmocka_unit_test(data_beside_an_error),
		cmocka_unit_test(refused),
		cmocka_unit_test(never_begun),
		cmocka_unit_test(dumped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
