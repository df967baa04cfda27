/* SPDX-License-Identifier: MIT */
/* Requests that were meant for another disk, or another medium, than is there when their turn comes; and
 * scans that find nothing out. */
#include "tests/unit/guest_storvsc_host.h"

static const struct hvk_storvsc_config one_queue = {.queues = 1};

static _Alignas(4096) uint8_t memory[1 << 16];

static struct fake_disk *cdrom_up(void)
{
	struct fake_disk *disk;

	fake_begin();
	disk = fake_add_disk(0, 0, 100, 2048);
	disk->cdrom = true;
	assert_int_equal(fake_create(&one_queue), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	bench.log[0] = 0;
	return disk;
}

static const struct hvk_block_info *info(void)
{
	return &hvk_storvsc_block(bench.units[0])->info;
}

static hvk_status read_block(uint32_t n, uint32_t flags)
{
	static struct hvk_buffer piece;

	piece = direct(memory, info()->block_size != 0 ? info()->block_size : 2048);
	return fake_submit(n, HVK_BLOCK_READ, n, 1, &piece, 1, flags);
}

/* --- Another disk ------------------------------------------------------------------------------ */

/* A write that waits, the disk being busy or the ring full, is not for the one that comes in its place. */
static void write_for_the_old_disk(void **state)
{
	static const struct hvk_storvsc_config two_queues = {.queues = 2};
	const struct hvk_buffer piece = direct(memory, 512);
	uint8_t nothing[512] = {0};

	(void)state;
	for (uint32_t full = 0; full < 2; full++) {
		struct fake_disk *disk = fake_up(&two_queues);

		memset(memory, 0x77, 512);
		if (full)
			bench.channel[1].room = 0;
		else
			fake_add_rule((struct fake_rule){.operation = 0x2a, .count = 8, .srb = 1, .scsi = 8});
		bench.hvk.cpu = 1;
		assert_int_equal(fake_submit(1, HVK_BLOCK_WRITE, 0, 1, &piece, 1, 0), HVK_OK);
		fake_run();
		disk->serial = "OTHER";
		fake_notice(VSTOR_OPERATION_ENUMERATE_BUS);
		fake_advance(21);
		bench.rules[0].count = 0;
		bench.channel[1].room = FAKE_NONE;
		bench.channel[1].kicked = true;
		fake_advance(100);
		assert_int_equal(bench.users[1].status, HVK_EGONE);
		assert_int_equal(bench.unit_gone, 1);
		assert_int_equal(bench.added, 2);
		assert_memory_equal(disk->data, nothing, 512);
		fake_down();
	}
}

/* --- Another medium -------------------------------------------------------------------------------- */

/* One is told of it; those that wait are not for the new one either, nor is what comes before the user
 * knows. */
static void reads_of_the_old_medium(void **state)
{
	(void)state;
	(void)cdrom_up();
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 1, .srb = 1, .scsi = 8});
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 1, .held = true});
	assert_int_equal(read_block(1, 0), HVK_OK); /* busy: it is to come later */
	assert_int_equal(read_block(2, 0), HVK_OK);
	assert_int_equal(read_block(3, HVK_BLOCK_ORDERED), HVK_OK);
	assert_int_equal(read_block(4, 0), HVK_OK);
	fake_run();
	assert_string_equal(bench.log, "28 28 ");
	fake_add_rule((struct fake_rule){
		.operation = 0x28, .count = 1, .srb = 0x84, .scsi = 2, .key = 6, .code = 0x2800});
	fake_release(false);
	fake_run();
	assert_int_equal(bench.users[2].status, HVK_EIO);
	assert_int_equal(read_block(5, 0), HVK_ENOMEDIUM);
	fake_advance(5);
	for (uint32_t n = 1; n <= 4; n++)
		assert_int_equal(bench.users[n].status, HVK_EIO);
	assert_string_equal(bench.log, "28 28 28 "); /* the answer of the one that was held */
	fake_advance(20);
	assert_int_equal(bench.changed, 1);
	assert_int_equal(read_block(5, 0), HVK_OK);
	fake_run();
	assert_int_equal(bench.users[5].status, HVK_OK);
	fake_down();
}

/* A medium of other blocks, or none, that a scan has found: what waits cannot even be cut. */
static void blocks_of_another_size(void **state)
{
	(void)state;
	for (uint32_t other = 0; other < 2; other++) {
		struct fake_disk *disk = cdrom_up();

		fake_add_rule((struct fake_rule){.operation = 0x28, .count = 1, .held = true});
		assert_int_equal(read_block(1, 0), HVK_OK);
		assert_int_equal(read_block(2, HVK_BLOCK_ORDERED), HVK_OK);
		assert_int_equal(read_block(3, 0), HVK_OK);
		fake_run();
		disk->no_medium = other == 0;
		disk->block_size = 512;
		fake_notice(VSTOR_OPERATION_ENUMERATE_BUS);
		fake_advance(25);
		assert_int_equal(bench.changed, 1);
		assert_int_equal(info()->block_size, other == 0 ? 0 : 512);
		bench.log[0] = 0;
		fake_add_rule(
			(struct fake_rule){.operation = 0x28, .count = 1, .srb = 1, .transferred = 2048});
		fake_release(false);
		fake_run();
		assert_int_equal(bench.users[1].status, HVK_OK);
		assert_int_equal(bench.users[2].status, HVK_EIO);
		assert_int_equal(bench.users[3].status, HVK_EIO);
		assert_string_equal(bench.log, "28 ");
		fake_down();
	}
}

/* A drive tells nobody that it has a medium now: who wants to read has it looked at. */
static void medium_inserted_in_silence(void **state)
{
	struct fake_disk *disk = cdrom_up();

	(void)state;
	disk->no_medium = true;
	assert_int_equal(read_block(1, 0), HVK_OK);
	fake_advance(25);
	assert_int_equal(bench.users[1].status, HVK_ENOMEDIUM);
	assert_int_equal(read_block(1, 0), HVK_ENOMEDIUM);
	fake_advance(25);
	assert_int_equal(bench.changed, 1);
	disk->no_medium = false;
	assert_int_equal(read_block(1, 0), HVK_ENOMEDIUM);
	fake_advance(25);
	assert_int_equal(bench.changed, 2);
	assert_int_equal(read_block(1, 0), HVK_OK);
	fake_run();
	assert_int_equal(bench.users[1].status, HVK_OK);
	fake_down();
}

/* A disk whose size could not be found out is looked at again as well. */
static void disk_without_a_size(void **state)
{
	(void)state;
	fake_begin();
	fake_add_disk(0, 0, 64, 512);
	fake_add_rule((struct fake_rule){
		.operation = 0x25, .count = 1, .srb = 0x84, .scsi = 2, .key = 2, .code = 0x0400});
	assert_int_equal(fake_create(&one_queue), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(info()->blocks, 0);
	assert_int_equal(read_block(1, 0), HVK_ENOMEDIUM);
	fake_advance(1001);
	assert_int_equal(info()->blocks, 64);
	assert_int_equal(bench.changed, 1);
	assert_int_equal(read_block(1, 0), HVK_OK);
	fake_run();
	assert_int_equal(bench.users[1].status, HVK_OK);
	fake_down();
}

/* --- Scans in trouble ------------------------------------------------------------------------------- */

static uint32_t scans(void)
{
	const char *at = bench.log;
	uint32_t count = 0;

	for (; (at = strstr(at, "a0 ")) != NULL; at++)
		count++;
	return count / 2; /* of two targets each */
}

/* A unit that says nothing that can be used stays as it was, and is asked again; not for ever. */
static void unit_in_trouble(void **state)
{
	(void)state;
	for (uint32_t for_ever = 0; for_ever < 2; for_ever++) {
		(void)fake_up(&one_queue);
		fake_add_rule((struct fake_rule){
			.operation = 0x12, .count = for_ever ? 1000 : 6, .srb = VSTOR_SRB_STATUS_ERROR});
		fake_notice(VSTOR_OPERATION_ENUMERATE_BUS);
		fake_advance(25);
		assert_int_equal(bench.unit_gone, 0);
		assert_int_equal(scans(), 1);
		fake_advance(1000);
		assert_int_equal(scans(), 2);
		assert_int_equal(bench.unit_gone, 0);
		fake_advance(10000);
		assert_int_equal(scans(), for_ever ? 4 : 2);
		assert_int_equal(bench.unit_gone, for_ever);
		assert_int_equal(bench.changed, 0);
		fake_down();
	}
}

/* Without the list of LUNs, those that are known are asked for, too. */
static void list_in_trouble(void **state)
{
	(void)state;
	fake_begin();
	fake_add_disk(0, 100, 64, 512);
	assert_int_equal(fake_create(&one_queue), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.added, 1);
	bench.log[0] = 0;
	fake_add_rule((struct fake_rule){.operation = 0xa0, .count = 6, .srb = VSTOR_SRB_STATUS_ERROR});
	fake_notice(VSTOR_OPERATION_ENUMERATE_BUS);
	fake_advance(25);
	assert_int_equal(bench.unit_gone, 0);
	fake_advance(1100);
	assert_int_equal(bench.unit_gone, 0);
	assert_int_equal(bench.added, 1);
	fake_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disk_without_a_size),
		cmocka_unit_test(write_for_the_old_disk),
		cmocka_unit_test(reads_of_the_old_medium),
		cmocka_unit_test(blocks_of_another_size),
		cmocka_unit_test(medium_inserted_in_silence),
		cmocka_unit_test(unit_in_trouble),
		cmocka_unit_test(list_in_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
