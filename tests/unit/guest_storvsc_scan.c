/* SPDX-License-Identifier: MIT */
/* Finding units, and what becomes of them: scan, fix-ups, hot add and remove, resize, change of medium. */
#include "tests/unit/guest_storvsc_host.h"

static const struct hvk_storvsc_config one_queue = {.queues = 1};

static _Alignas(4096) uint8_t memory[8192];

static void up(void)
{
	assert_int_equal(fake_create(&one_queue), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
}

static const struct hvk_block_info *info(uint32_t n)
{
	return &hvk_storvsc_block(bench.units[n])->info;
}

static hvk_status read_one(void)
{
	const struct hvk_buffer piece = direct(memory, info(0)->block_size);

	return fake_do(HVK_BLOCK_READ, 0, 1, &piece, 1, 0);
}

/* --- The first scan ------------------------------------------------------------------------- */

static void all_that_is_known(void **state)
{
	struct fake_disk *disk;

	(void)state;
	fake_begin();
	disk = fake_add_disk(0, 3, 4096, 512);
	disk->thin = true;
	up();
	assert_string_equal(strstr(bench.log, "a0 "), "a0 12 12 12 12 12 12 12 00 25 9e 1a a0 ");
	assert_string_equal(info(0)->vendor, "Msft");
	assert_string_equal(info(0)->product, "Virtual Disk");
	assert_string_equal(info(0)->revision, "1.0");
	assert_string_equal(info(0)->serial, "S123");
	assert_int_equal(info(0)->identification_length, 8);
	assert_int_equal(info(0)->identification[0], 0x60);
	assert_int_equal(info(0)->blocks, 4096);
	assert_int_equal(info(0)->block_size, 512);
	assert_int_equal(info(0)->physical_block_size, 4096);
	assert_int_equal(info(0)->transfer_max, 65536);
	assert_int_equal(info(0)->optimal_transfer, 128 * 512);
	assert_int_equal(info(0)->write_zeroes_max, 1024);
	assert_int_equal(info(0)->flags, HVK_BLOCK_WRITE_CACHE | HVK_BLOCK_CAN_FUA | HVK_BLOCK_CAN_DISCARD |
						 HVK_BLOCK_CAN_WRITE_ZEROES | HVK_BLOCK_DISCARD_ZEROES);
	assert_int_equal(hvk_storvsc_unit_lun(bench.units[0]), 3);
	fake_down();
}

static void several_units_in_order(void **state)
{
	static const uint8_t places[][2] = {{1, 0}, {0, 63}, {0, 0}, {1, 5}, {0, 7}};
	static const uint32_t order[] = {0, 7, 63, 256, 261};
	struct hvk_storvsc_unit *unit = NULL;

	(void)state;
	fake_begin();
	for (uint32_t i = 0; i < 5; i++)
		fake_add_disk(places[i][0], places[i][1], 64, 512);
	up();
	assert_int_equal(bench.added, 5);
	for (uint32_t i = 0; i < 5; i++) {
		unit = hvk_storvsc_next_unit(bench.controller, unit);
		assert_int_equal(hvk_storvsc_unit_target(unit) << 8 | hvk_storvsc_unit_lun(unit), order[i]);
	}
	assert_null(hvk_storvsc_next_unit(bench.controller, unit));
	fake_down();
}

/* A host without REPORT LUNS: one by one, on the second target only if it has a LUN 0. */
static void one_by_one(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		const char *at;
		uint32_t inquiries = 0;

		fake_begin();
		bench.no_report_luns = true;
		fake_add_disk(0, 9, 64, 512)->no_vpd = true;
		if (i == 1)
			fake_add_disk(1, 0, 64, 512)->no_vpd = true;
		up();
		assert_int_equal(bench.added, 1 + i);
		for (at = bench.log; (at = strstr(at, "12 ")) != NULL; at++)
			inquiries++;
		/* One for the pages of each unit that there is. */
		assert_int_equal(inquiries, i == 0 ? 64 + 1 + 1 : 64 + 1 + 64 + 1);
		fake_down();
	}
}

static void nobody_there(void **state)
{
	(void)state;
	fake_begin();
	up();
	assert_int_equal(bench.added, 0);
	assert_null(hvk_storvsc_next_unit(bench.controller, NULL));
	fake_down();
}

/* No more than there is room for; the others stay unseen. */
static void too_many_units(void **state)
{
	const struct hvk_storvsc_config two = {.queues = 1, .units_max = 2};

	(void)state;
	fake_begin();
	for (uint8_t i = 0; i < 4; i++)
		fake_add_disk(0, i, 64, 512);
	assert_int_equal(fake_create(&two), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.added, 2);
	fake_down();
}

/* What units need not know: pages, READ CAPACITY(16). */
static void simple_units(void **state)
{
	struct fake_disk *disk;

	(void)state;
	fake_begin();
	disk = fake_add_disk(0, 0, 100, 512);
	disk->no_vpd = true;
	disk->no_capacity_16 = true;
	disk->no_cache = true;
	up();
	assert_int_equal(info(0)->blocks, 100);
	assert_int_equal(info(0)->physical_block_size, 512);
	assert_string_equal(info(0)->serial, "");
	assert_int_equal(info(0)->flags & HVK_BLOCK_WRITE_CACHE, 0);
	fake_down();
}

/* Unit attentions of a fresh disk, and BUSY, do not hide it. */
static void troubled_scan(void **state)
{
	(void)state;
	fake_begin();
	fake_add_disk(0, 0, 100, 512);
	fake_add_rule((struct fake_rule){
		.operation = 0x12, .count = 2, .srb = 0x84, .scsi = 2, .key = 6, .code = 0x2900});
	fake_add_rule((struct fake_rule){.operation = 0x25, .count = 2, .srb = 5});
	assert_int_equal(fake_create(&one_queue), HVK_OK);
	(void)fake_attach();
	fake_advance(10);
	assert_int_equal(bench.attach.status, HVK_OK);
	assert_int_equal(bench.added, 1);
	assert_int_equal(info(0)->blocks, 100);
	fake_down();
}

/* A host that answers no command: an attach that ends all the same. */
static void silent_scan(void **state)
{
	(void)state;
	fake_begin();
	fake_add_rule((struct fake_rule){.operation = 0xa0, .count = 9, .silent = true});
	assert_int_equal(fake_create(&one_queue), HVK_OK);
	(void)fake_attach();
	fake_advance(20100);
	assert_int_equal(bench.attach.status, HVK_ETIMEDOUT_REQUEST);
	fake_free();
}

/* --- CD-ROM ----------------------------------------------------------------------------------------- */

static void cdrom(void **state)
{
	struct fake_disk *disk;

	(void)state;
	fake_begin();
	disk = fake_add_disk(0, 0, 100, 2048);
	disk->cdrom = true;
	disk->version = 0; /* as hosts say of generation 2 machines */
	up();
	assert_int_equal(info(0)->block_size, 2048);
	assert_int_equal(info(0)->flags, HVK_BLOCK_CDROM | HVK_BLOCK_REMOVABLE | HVK_BLOCK_READ_ONLY);
	assert_string_equal(info(0)->serial, "S123"); /* SPC-3 all the same: it was asked */
	assert_int_equal(read_one(), HVK_OK);
	fake_down();
}

static void change_of_medium(void **state)
{
	const struct hvk_buffer piece = direct(memory, 2048);
	struct fake_disk *disk;

	(void)state;
	fake_begin();
	disk = fake_add_disk(0, 0, 100, 2048);
	disk->cdrom = true;
	up();
	disk->no_medium = true; /* ejected */
	assert_int_equal(read_one(), HVK_ENOMEDIUM);
	fake_advance(25);
	assert_int_equal(bench.changed, 1);
	assert_int_equal(info(0)->blocks, 0);
	assert_true(info(0)->flags & HVK_BLOCK_NO_MEDIUM);
	assert_int_equal(fake_submit(1, HVK_BLOCK_READ, 0, 1, &piece, 1, 0), HVK_ENOMEDIUM);
	disk->no_medium = false;
	disk->blocks = 50;
	fake_notice(VSTOR_OPERATION_ENUMERATE_BUS);
	fake_advance(25);
	assert_int_equal(bench.changed, 2);
	assert_int_equal(info(0)->blocks, 50);
	assert_int_equal(read_one(), HVK_OK);
	/* Another of the same size: what was meant for the old one fails, and the user hears of it. */
	fake_add_rule((struct fake_rule){
		.operation = 0x28, .count = 1, .srb = 0x84, .scsi = 2, .key = 6, .code = 0x2800});
	assert_int_equal(read_one(), HVK_EIO);
	fake_advance(25);
	assert_int_equal(bench.changed, 3);
	/* ... or a scan is the first to be told. */
	fake_add_rule((struct fake_rule){
		.operation = 0x00, .count = 1, .srb = 0x84, .scsi = 2, .key = 6, .code = 0x2800});
	fake_notice(VSTOR_OPERATION_ENUMERATE_BUS);
	fake_advance(25);
	assert_int_equal(bench.changed, 4);
	fake_down();
}

/* --- Coming and going ----------------------------------------------------------------------------------- */

static void hot_add_and_remove(void **state)
{
	struct fake_disk *second;

	(void)state;
	(void)fake_up(&one_queue);
	second = fake_add_disk(0, 1, 64, 512);
	fake_notice(VSTOR_OPERATION_ENUMERATE_BUS);
	fake_advance(25);
	assert_int_equal(bench.added, 2);
	assert_int_equal(bench.changed, 0);
	assert_int_equal(bench.unit_gone, 0);
	second->present = false;
	free(second->data);
	second->data = NULL;
	fake_notice(VSTOR_OPERATION_REMOVE_DEVICE);
	fake_advance(25);
	assert_int_equal(bench.unit_gone, 1);
	assert_null(bench.units[1]);
	assert_non_null(bench.units[0]);
	assert_int_equal(read_one(), HVK_OK);
	fake_down();
}

/* Removed with requests in flight: each ends once, then gone. */
static void removed_while_busy(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512);
	struct fake_disk *disk = fake_up(&one_queue);

	(void)state;
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 3, .held = true});
	for (uint32_t n = 1; n <= 4; n++)
		assert_int_equal(
			fake_submit(n, HVK_BLOCK_READ, n, 1, &piece, 1, n == 4 ? HVK_BLOCK_ORDERED : 0),
			HVK_OK);
	fake_run();
	disk->present = false;
	fake_notice(VSTOR_OPERATION_REMOVE_DEVICE);
	fake_advance(25);
	assert_int_equal(bench.unit_gone, 0); /* the host has three of them still */
	assert_int_equal(bench.users[4].status, HVK_EGONE);
	assert_int_equal(fake_submit(5, HVK_BLOCK_READ, 0, 1, &piece, 1, 0), HVK_EGONE);
	fake_release(false);
	fake_run();
	for (uint32_t n = 1; n <= 3; n++)
		assert_int_equal(bench.users[n].status, HVK_EGONE);
	assert_int_equal(bench.unit_gone, 1);
	fake_down();
}

/* Another disk in the place of one: the old one goes, then the new one comes. */
static void replaced(void **state)
{
	struct fake_disk *disk = fake_up(&one_queue);

	(void)state;
	disk->serial = "OTHER";
	fake_notice(VSTOR_OPERATION_ENUMERATE_BUS);
	fake_advance(100);
	assert_int_equal(bench.unit_gone, 1);
	assert_int_equal(bench.added, 2);
	assert_string_equal(info(0)->serial, "OTHER");
	fake_down();
}

static void resized(void **state)
{
	struct fake_disk *disk = fake_up(&one_queue);

	(void)state;
	disk->blocks = 4000;
	fake_add_rule((struct fake_rule){
		.operation = 0x28, .count = 1, .srb = 0x84, .scsi = 2, .key = 6, .code = 0x2a09});
	assert_int_equal(read_one(), HVK_OK);
	fake_advance(25);
	assert_int_equal(bench.changed, 1);
	assert_int_equal(info(0)->blocks, 4000);
	fake_down();
}

static void asked_for(void **state)
{
	struct hvk_request second = {0};

	(void)state;
	(void)fake_up(&one_queue);
	hvk_storvsc_rescan(bench.controller, &bench.rescan);
	hvk_storvsc_rescan(bench.controller, &second);
	fake_run();
	assert_int_equal(second.status, HVK_EBUSY);
	fake_advance(25);
	assert_int_equal(bench.rescan.status, HVK_OK);
	assert_int_equal(bench.changed, 0);
	fake_down();
}

/* Notices without end: a scan now and then, no more. */
static void flood_of_notices(void **state)
{
	const char *at;
	uint32_t scans = 0;

	(void)state;
	(void)fake_up(&one_queue);
	for (uint32_t i = 0; i < 100; i++) {
		fake_notice(VSTOR_OPERATION_ENUMERATE_BUS);
		fake_advance(1);
	}
	for (at = bench.log; (at = strstr(at, "a0 ")) != NULL; at++)
		scans++;
	assert_true(scans >= 2 && scans <= 2 * 5);
	fake_down();
}

/* What a host may not say unasked is counted, and does nothing. */
static void bad_notices(void **state)
{
	(void)state;
	(void)fake_up(&one_queue);
	fake_notice(VSTOR_OPERATION_COMPLETE_IO);
	fake_notice(VSTOR_OPERATION_EXECUTE_SRB);
	fake_post(&bench.channel[0], VMBUS_PACKET_IN_BAND, "\13\0\0", 3);
	fake_notice(VSTOR_OPERATION_EVENT_NOTIFICATION);
	fake_advance(50);
	assert_int_equal(bench.hvk.faults, 3);
	assert_string_equal(bench.log, "");
	fake_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_is_known),
		cmocka_unit_test(several_units_in_order),
		cmocka_unit_test(one_by_one),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(too_many_units),
		cmocka_unit_test(simple_units),
		cmocka_unit_test(troubled_scan),
		cmocka_unit_test(silent_scan),
		cmocka_unit_test(cdrom),
		cmocka_unit_test(change_of_medium),
		cmocka_unit_test(hot_add_and_remove),
		cmocka_unit_test(removed_while_busy),
		cmocka_unit_test(replaced),
		cmocka_unit_test(resized),
		cmocka_unit_test(asked_for),
		cmocka_unit_test(flood_of_notices),
		cmocka_unit_test(bad_notices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
