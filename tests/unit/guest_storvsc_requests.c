/* SPDX-License-Identifier: MIT */
/* Requests of the block layer on a lawful host: what is sent for them, and that the bytes are right. */
#include "tests/unit/guest_storvsc_host.h"

static const struct hvk_storvsc_config one_queue = {.queues = 1};

static _Alignas(4096) uint8_t memory[1 << 20];

static void fill(uint8_t *bytes, uint32_t length, uint32_t seed)
{
	for (uint32_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(seed + i * 7 + i / 251);
}

static const struct fake_sent *last(void)
{
	return &bench.channel[0].sent[bench.channel[0].sent_count - 1];
}

static void read_and_write(void **state)
{
	const struct hvk_buffer piece = direct(memory + 512, 8192);
	struct fake_disk *disk = fake_up(&one_queue);

	(void)state;
	fill(memory, sizeof(memory), 1);
	assert_int_equal(fake_do(HVK_BLOCK_WRITE, 100, 16, &piece, 1, 0), HVK_OK);
	assert_memory_equal(disk->data + 51200, memory + 512, 8192);
	assert_string_equal(bench.log, "2a ");
	assert_int_equal(last()->page_count, 3);
	assert_int_equal(last()->offset, 512);
	fill(disk->data, 8192, 9);
	assert_int_equal(fake_do(HVK_BLOCK_READ, 0, 16, &piece, 1, 0), HVK_OK);
	assert_memory_equal(memory + 512, disk->data, 8192);
	assert_int_equal(fake_counters().copied, 0);
	assert_int_equal(fake_counters().reads, 1);
	assert_int_equal(fake_counters().read_bytes, 8192);
	assert_int_equal(fake_counters().write_bytes, 8192);
	assert_int_equal(fake_counters().commands, 2);
	fake_down();
}

/* At the limit of a transfer, and once around it. */
static void long_requests_are_split(void **state)
{
	const struct hvk_buffer piece = direct(memory + 1536, 3 * 65536 + 512);
	struct fake_disk *disk = fake_up(&one_queue);

	(void)state;
	fill(memory, sizeof(memory), 3);
	assert_int_equal(fake_do(HVK_BLOCK_WRITE, 7, 3 * 128 + 1, &piece, 1, 0), HVK_OK);
	assert_string_equal(bench.log, "2a 2a 2a 2a ");
	assert_memory_equal(disk->data + 7 * 512, memory + 1536, piece.length);
	assert_int_equal(fake_counters().writes, 1);
	assert_int_equal(fake_counters().commands, 4);
	fake_down();
}

/* More parts than may be with the host at once, in a list of pieces that are pages in no order. */
static void many_parts(void **state)
{
	struct hvk_buffer pieces[256];
	struct fake_disk *disk = fake_up(&one_queue);

	(void)state;
	for (uint32_t i = 0; i < 256; i++)
		pieces[i] = direct(memory + (i * 77 % 256) * 4096, 4096);
	fill(memory, sizeof(memory), 5);
	fake_add_rule((struct fake_rule){.operation = 0x2a, .count = 100, .held = true});
	assert_int_equal(fake_submit(1, HVK_BLOCK_WRITE, 0, 2048, pieces, 256, 0), HVK_OK);
	fake_run();
	assert_string_equal(bench.log, "2a 2a 2a 2a 2a 2a 2a 2a "); /* 8 of 16 */
	bench.rules[0].count = 0;
	fake_release(true);
	fake_run();
	assert_int_equal(bench.users[1].status, HVK_OK);
	for (uint32_t i = 0; i < 256; i++)
		assert_memory_equal(disk->data + i * 4096, memory + (i * 77 % 256) * 4096, 4096);
	assert_int_equal(fake_counters().copied, 0);
	fake_down();
}

/* Memory that the device cannot take as it lies. */
static void bounced(void **state)
{
	const struct hvk_buffer odd[] = {
		{memory + 1, 0, 700}, /* no address for the host */
		{memory + 4097, (uint64_t)(uintptr_t)(memory + 4097), 1300},
		{memory + 9000, (uint64_t)(uintptr_t)(memory + 9000), 48},
	};
	struct fake_disk *disk = fake_up(&one_queue);
	uint8_t whole[2048];

	(void)state;
	fill(memory, sizeof(memory), 7);
	memcpy(whole, memory + 1, 700);
	memcpy(whole + 700, memory + 4097, 1300);
	memcpy(whole + 2000, memory + 9000, 48);
	assert_int_equal(fake_do(HVK_BLOCK_WRITE, 3, 4, odd, 3, 0), HVK_OK);
	assert_memory_equal(disk->data + 1536, whole, 2048);
	assert_int_equal(last()->offset, 0);
	assert_int_equal(fake_counters().copied, 2048);
	memset(memory, 0, 16384);
	assert_int_equal(fake_do(HVK_BLOCK_READ, 3, 4, odd, 3, 0), HVK_OK);
	assert_memory_equal(memory + 1, whole, 700);
	assert_memory_equal(memory + 4097, whole + 700, 1300);
	assert_memory_equal(memory + 9000, whole + 2000, 48);
	assert_int_equal(memory[0], 0);
	assert_int_equal(memory[701], 0);
	fake_down();
}

/* Fewer bounce pages than the request needs: in turns, and they all come back. */
static void few_bounce_pages(void **state)
{
	const struct hvk_storvsc_config config = {.queues = 1, .bounce_pages = 2};
	const struct hvk_buffer piece = {memory + 3, 0, 131072};
	struct fake_disk *disk = fake_up(&config);

	(void)state;
	fill(memory, sizeof(memory), 8);
	for (uint32_t n = 0; n < 3; n++)
		assert_int_equal(fake_submit(n, HVK_BLOCK_WRITE, n * 256, 256, &piece, 1, 0), HVK_OK);
	fake_run();
	for (uint32_t n = 0; n < 3; n++) {
		assert_int_equal(bench.users[n].status, HVK_OK);
		assert_memory_equal(disk->data + n * 131072, memory + 3, 131072);
	}
	assert_int_equal(fake_counters().commands, 3 * 16);
	fake_down();
}

/* A piece without an address that does not end where a page does. */
static void neither_copied_nor_sent(void **state)
{
	const struct hvk_buffer pieces[] = {{NULL, (uint64_t)(uintptr_t)memory, 256},
					    {NULL, (uint64_t)(uintptr_t)(memory + 8192), 256}};

	(void)state;
	(void)fake_up(&one_queue);
	assert_int_equal(fake_do(HVK_BLOCK_READ, 0, 1, pieces, 2, 0), HVK_EINVAL);
	fake_down();
}

static void refused(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512), nowhere = {NULL, 0, 512};
	struct fake_disk *disk = fake_up(&one_queue);

	(void)state;
	assert_int_equal(fake_submit(1, HVK_BLOCK_READ, 4096, 1, &piece, 1, 0), HVK_EINVAL);
	assert_int_equal(fake_submit(1, HVK_BLOCK_READ, UINT64_MAX, 1, &piece, 1, 0), HVK_EINVAL);
	assert_int_equal(fake_submit(1, HVK_BLOCK_READ, 1, UINT64_MAX, &piece, 1, 0), HVK_EINVAL);
	assert_int_equal(fake_submit(1, HVK_BLOCK_READ, 0, 0, &piece, 1, 0), HVK_EINVAL);
	assert_int_equal(fake_submit(1, HVK_BLOCK_READ, 0, 2, &piece, 1, 0), HVK_EINVAL);
	assert_int_equal(fake_submit(1, HVK_BLOCK_READ, 0, 1, &piece, 0, 0), HVK_EINVAL);
	assert_int_equal(fake_submit(1, HVK_BLOCK_READ, 0, 1, &nowhere, 1, 0), HVK_EINVAL);
	assert_int_equal(fake_submit(1, HVK_BLOCK_READ, 0, 1, &piece, 1, 1u << 7), HVK_EINVAL);
	assert_int_equal(fake_submit(1, HVK_BLOCK_FLUSH, 0, 1, NULL, 0, 0), HVK_EINVAL);
	assert_int_equal(fake_submit(1, HVK_BLOCK_DISCARD, 0, 8, NULL, 0, 0), HVK_ENOTSUP); /* not thin */
	assert_string_equal(bench.log, "");
	fake_down();
	fake_begin();
	disk = fake_add_disk(0, 0, 4096, 512);
	disk->read_only = true;
	assert_int_equal(fake_create(&one_queue), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(fake_do(HVK_BLOCK_WRITE, 0, 1, &piece, 1, 0), HVK_EREADONLY);
	assert_int_equal(fake_do(HVK_BLOCK_WRITE_ZEROES, 0, 1, NULL, 0, 0), HVK_EREADONLY);
	assert_int_equal(fake_do(HVK_BLOCK_FLUSH, 0, 0, NULL, 0, 0), HVK_OK);
	assert_int_equal(disk->flushes, 0);
	fake_down();
}

static void flush_and_fua(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512);
	struct fake_disk *disk = fake_up(&one_queue);

	(void)state;
	assert_int_equal(fake_do(HVK_BLOCK_FLUSH, 0, 0, NULL, 0, 0), HVK_OK);
	assert_int_equal(disk->flushes, 1);
	assert_int_equal(fake_do(HVK_BLOCK_WRITE, 0, 1, &piece, 1, HVK_BLOCK_FUA), HVK_OK);
	assert_int_equal(disk->fua_writes, 1);
	assert_int_equal(fake_do(HVK_BLOCK_WRITE, 0, 1, &piece, 1, 0), HVK_OK);
	assert_int_equal(disk->fua_writes, 1);
	assert_string_equal(bench.log, "35 2a 2a ");
	fake_down();
}

/* A device without FUA, but with a cache: the write, then a flush, and done after that. */
static void fua_by_a_flush(void **state)
{
	const struct hvk_buffer piece = direct(memory, 131072);
	struct fake_disk *disk = fake_up(&one_queue);

	(void)state;
	hvk_storvsc_block(bench.units[0])->info.flags &= ~HVK_BLOCK_CAN_FUA;
	fake_add_rule((struct fake_rule){.operation = 0x35, .count = 1, .held = true});
	assert_int_equal(fake_submit(1, HVK_BLOCK_WRITE, 0, 256, &piece, 1, HVK_BLOCK_FUA), HVK_OK);
	fake_run();
	assert_string_equal(bench.log, "2a 2a 35 ");
	assert_int_equal(bench.users[1].done, 0);
	fake_release(false);
	fake_run();
	assert_int_equal(bench.users[1].status, HVK_OK);
	assert_int_equal(disk->fua_writes, 0);
	fake_down();
}

/* A device that says nothing of a cache may have one. */
static void fua_of_an_unknown_cache(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512);

	(void)state;
	fake_begin();
	fake_add_disk(0, 0, 4096, 512);
	fake_add_rule((struct fake_rule){
		.operation = 0x1a, .count = 2, .srb = 0x84, .scsi = 2, .key = 5, .code = 0x2400});
	assert_int_equal(fake_create(&one_queue), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	bench.log[0] = 0;
	assert_int_equal(fake_do(HVK_BLOCK_WRITE, 0, 1, &piece, 1, HVK_BLOCK_FUA), HVK_OK);
	assert_string_equal(bench.log, "2a 35 ");
	fake_down();
}

/* After all that were submitted before, before all after. */
static void ordered(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512);

	(void)state;
	(void)fake_up(&one_queue);
	fake_add_rule((struct fake_rule){.operation = 0x2a, .count = 100, .held = true});
	for (uint32_t n = 1; n <= 6; n++)
		assert_int_equal(
			fake_submit(n, HVK_BLOCK_WRITE, n, 1, &piece, 1, n == 3 ? HVK_BLOCK_ORDERED : 0),
			HVK_OK);
	fake_run();
	assert_string_equal(bench.log, "2a 2a ");
	assert_int_equal(last()->payload[51], 0x20); /* a simple tag */
	bench.rules[0].count = 0;
	fake_add_rule((struct fake_rule){.operation = 0x2a, .count = 1, .held = true});
	bench.rules[0].count = 0;
	fake_release(true);
	fake_add_rule((struct fake_rule){.operation = 0x2a, .count = 1, .held = true});
	fake_run();
	assert_int_equal(bench.users[1].done + bench.users[2].done, 2);
	assert_int_equal(bench.users[3].done, 0);
	assert_int_equal(last()->payload[51], 0x22); /* it alone is with the host */
	assert_string_equal(bench.log, "2a 2a 2a 2a 2a ");
	fake_release(false);
	fake_run();
	for (uint32_t n = 1; n <= 6; n++) {
		assert_int_equal(bench.users[n].status, HVK_OK);
		assert_true(n == 3 || (bench.users[n].order < bench.users[3].order) == (n < 3));
	}
	fake_down();
}

static void queue_depth(void **state)
{
	const struct hvk_storvsc_config config = {.queues = 1, .queue_depth = 4};
	const struct hvk_buffer piece = direct(memory, 512);

	(void)state;
	(void)fake_up(&config);
	assert_int_equal(hvk_storvsc_block(bench.units[0])->info.queue_depth, 4);
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 100, .held = true});
	for (uint32_t n = 1; n <= 4; n++)
		assert_int_equal(fake_submit(n, HVK_BLOCK_READ, n, 1, &piece, 1, 0), HVK_OK);
	assert_int_equal(fake_submit(5, HVK_BLOCK_READ, 5, 1, &piece, 1, 0), HVK_EAGAIN);
	fake_run();
	assert_int_equal(bench.readies, 0);
	bench.rules[0].count = 0;
	fake_release(false);
	fake_run();
	assert_int_equal(bench.readies, 1);
	assert_int_equal(bench.users[5].done, 0); /* the caller's still */
	assert_int_equal(fake_do(HVK_BLOCK_READ, 5, 1, &piece, 1, 0), HVK_OK);
	assert_int_equal(bench.readies, 1);
	assert_int_equal(fake_counters().busy, 1);
	fake_down();
}

/* A ring without room: taken all the same, sent when there is some. */
static void full_ring(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512);

	(void)state;
	(void)fake_up(&one_queue);
	bench.channel[0].room = 2;
	for (uint32_t n = 1; n <= 5; n++)
		assert_int_equal(fake_submit(n, HVK_BLOCK_READ, n, 1, &piece, 1, 0), HVK_OK);
	fake_run();
	assert_string_equal(bench.log, "28 28 ");
	bench.channel[0].room = FAKE_NONE;
	bench.channel[0].kicked = true;
	fake_run();
	for (uint32_t n = 1; n <= 5; n++)
		assert_int_equal(bench.users[n].status, HVK_OK);
	assert_int_equal(fake_counters().commands, 5);
	fake_down();
}

static struct fake_disk *thin_up(bool write_same)
{
	struct fake_disk *disk;

	fake_begin();
	disk = fake_add_disk(0, 0, 8192, 512);
	disk->thin = true;
	disk->write_same_max = write_same ? 1024 : 0;
	memset(disk->data, 0x5a, 8192 * 512);
	assert_int_equal(fake_create(&one_queue), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	bench.log[0] = 0;
	return disk;
}

static void check_zeros(const struct fake_disk *disk, uint64_t from, uint64_t to)
{
	for (uint64_t i = 0; i < disk->blocks * disk->block_size; i++)
		assert_int_equal(disk->data[i], i / 512 >= from && i / 512 < to ? 0 : 0x5a);
}

static void discard(void **state)
{
	struct fake_disk *disk = thin_up(true);
	const struct hvk_block_info *info = &hvk_storvsc_block(bench.units[0])->info;

	(void)state;
	assert_true(info->flags & HVK_BLOCK_CAN_DISCARD);
	assert_true(info->flags & HVK_BLOCK_DISCARD_ZEROES);
	assert_int_equal(info->discard_max, 4096);
	assert_int_equal(info->discard_granularity, 8);
	assert_int_equal(fake_do(HVK_BLOCK_DISCARD, 10, 5000, NULL, 0, 0), HVK_OK);
	assert_int_equal(disk->unmaps, 2);
	check_zeros(disk, 10, 5010);
	assert_int_equal(fake_counters().discards, 1);
	fake_down();
}

static void write_zeroes(void **state)
{
	struct fake_disk *disk = thin_up(true);

	(void)state;
	assert_int_equal(fake_do(HVK_BLOCK_WRITE_ZEROES, 1, 2049, NULL, 0, 0), HVK_OK);
	assert_int_equal(disk->write_sames, 3);
	assert_int_equal(last()->payload[29], 0); /* not unmapped */
	check_zeros(disk, 1, 2050);
	assert_int_equal(fake_do(HVK_BLOCK_WRITE_ZEROES, 1, 1, NULL, 0, HVK_BLOCK_MAY_DISCARD), HVK_OK);
	assert_int_equal(last()->payload[28], 0x93);
	assert_int_equal(last()->payload[29], 8);
	fake_down();
}

/* Zeros that were written in part are not written. */
static void zeroes_written_in_part(void **state)
{
	struct fake_disk *disk = thin_up(false);

	(void)state;
	hvk_storvsc_block(bench.units[0])->info.flags &= ~HVK_BLOCK_CAN_DISCARD;
	disk->write_same_max = 0;
	assert_int_equal(fake_do(HVK_BLOCK_WRITE_ZEROES, 9, 1, NULL, 0, 0),
			 HVK_OK); /* no WRITE SAME: known */
	bench.log[0] = 0;
	fake_add_rule((struct fake_rule){.operation = 0x2a, .count = 1, .srb = 1, .transferred = 512});
	assert_int_equal(fake_do(HVK_BLOCK_WRITE_ZEROES, 10, 16, NULL, 0, 0), HVK_OK);
	assert_string_equal(bench.log, "2a 2a ");
	check_zeros(disk, 9, 26);
	fake_down();
}

/* A device that says that it knows WRITE SAME, and does not. */
static void zeroes_without_write_same(void **state)
{
	struct fake_disk *disk = thin_up(true);

	(void)state;
	disk->write_same_max = 0;
	assert_int_equal(fake_do(HVK_BLOCK_WRITE_ZEROES, 3, 2000, NULL, 0, HVK_BLOCK_FUA), HVK_OK);
	check_zeros(disk, 3, 2003);
	assert_int_equal(memcmp(bench.log, "41 2a 2a ", 9), 0);
	assert_int_equal(disk->flushes, 1); /* FUA */
	bench.log[0] = 0;
	assert_int_equal(fake_do(HVK_BLOCK_WRITE_ZEROES, 3, 1, NULL, 0, 0), HVK_OK);
	assert_string_equal(bench.log, "2a "); /* it is remembered */
	fake_down();
}

/* Beyond 2^32 blocks, and blocks of 4096 bytes. */
static void large_disk(void **state)
{
	const struct hvk_buffer piece = direct(memory, 4096);
	struct fake_disk *disk;

	(void)state;
	fake_begin();
	disk = fake_add_disk(0, 0, 1ull << 33, 4096);
	assert_int_equal(fake_create(&one_queue), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_true(hvk_storvsc_block(bench.units[0])->info.blocks == 1ull << 33);
	assert_int_equal(hvk_storvsc_block(bench.units[0])->info.block_size, 4096);
	bench.log[0] = 0;
	fake_add_rule((struct fake_rule){.operation = 0x88, .count = 1, .srb = 1, .transferred = 4096});
	assert_int_equal(fake_do(HVK_BLOCK_READ, 1ull << 32, 1, &piece, 1, 0), HVK_OK);
	assert_string_equal(bench.log, "88 ");
	assert_int_equal(be(last()->payload + 30, 8), 1ull << 32);
	assert_int_equal(be(last()->payload + 38, 4), 1);
	assert_int_equal(disk->flushes, 0);
	fake_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_and_write),
		cmocka_unit_test(long_requests_are_split),
		cmocka_unit_test(many_parts),
		cmocka_unit_test(bounced),
		cmocka_unit_test(few_bounce_pages),
		cmocka_unit_test(neither_copied_nor_sent),
		cmocka_unit_test(refused),
		cmocka_unit_test(flush_and_fua),
		cmocka_unit_test(fua_by_a_flush),
		cmocka_unit_test(fua_of_an_unknown_cache),
		cmocka_unit_test(ordered),
		cmocka_unit_test(queue_depth),
		cmocka_unit_test(full_ring),
		cmocka_unit_test(discard),
		cmocka_unit_test(write_zeroes),
		cmocka_unit_test(zeroes_written_in_part),
		cmocka_unit_test(zeroes_without_write_same),
		cmocka_unit_test(large_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
