/* SPDX-License-Identifier: MIT */
/* A CD-ROM: reading, what it tells of its disc, and a disc that comes and goes. */
#include "host_scsi.h"

static const struct hvh_unit_config config = {.cdrom = true};

static int set_up(void **state)
{
	*state = rig_create(&config, 4 * MIB + 100); /* an end within a block */
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static void it_is_read_in_blocks_of_2048(void **state)
{
	static const uint8_t capacity[] = {0, 0, 0x07, 0xff, 0, 0, 0x08, 0};
	struct rig *rig = *state;
	uint8_t bytes[4096];

	fill(bytes, sizeof bytes, 2);
	assert_true(rig->memory.write(rig->memory.context, 2047 * 2048, bytes, 2048));
	run(rig, CDB(0x25));
	assert_memory_equal(rig->buffer, capacity, 8);
	run(rig, CDB(0x28, 0, 0, 0, 0x07, 0xff, 0, 0, 1));
	assert_good(rig, 2048);
	assert_memory_equal(rig->buffer, bytes, 2048);
	run(rig, CDB(0xa8, 0, 0, 0, 0x07, 0xff, 0, 0, 0, 2));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
	run(rig, CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_OPERATION_CODE);
	run(rig, CDB(0x08, 0, 0, 0, 1));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_OPERATION_CODE);
}

static void the_table_of_contents(void **state)
{
	static const uint8_t toc[] = {0, 18, 1, 1,    0,    0x14, 1, 0, 0,    0,
				      0, 0,  0, 0x14, 0xaa, 0,    0, 0, 0x08, 0};
	static const uint8_t minutes[] = {0, 18, 1, 1,    0,    0x14, 1, 0, 0,  0,
					  2, 0,  0, 0x14, 0xaa, 0,    0, 0, 29, 23};
	static const uint8_t sessions[] = {0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0};
	struct rig *rig = *state;

	run(rig, CDB(0x43, 0, 0, 0, 0, 0, 0, 0, 255));
	assert_good(rig, 20);
	assert_memory_equal(rig->buffer, toc, 20);
	run(rig, CDB(0x43, 2, 0, 0, 0, 0, 1, 0, 255));
	assert_good(rig, 20);
	assert_memory_equal(rig->buffer, minutes, 20);
	run(rig, CDB(0x43, 0, 0, 0, 0, 0, 0xaa, 0, 255));
	assert_good(rig, 12);
	assert_int_equal(rig->buffer[6], 0xaa);
	run(rig, CDB(0x43, 0, 1, 0, 0, 0, 0, 0, 255));
	assert_good(rig, 12);
	assert_memory_equal(rig->buffer, sessions, 12);
	run(rig, CDB(0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0x40)); /* the same in the old place: Linux */
	assert_good(rig, 12);
	assert_memory_equal(rig->buffer, sessions, 12);
	run(rig, CDB(0x43, 0, 0, 0, 0, 0, 0, 0, 255, 0x80));
	assert_bad_field(rig, 9);
	run(rig, CDB(0x43, 0, 1, 0, 0, 0, 0, 0, 255, 0x80)); /* the new place is heeded first */
	assert_good(rig, 12);
	run(rig, CDB(0x43, 0, 0, 0, 0, 0, 0, 0, 4));
	assert_good(rig, 4);
	assert_int_equal(rig->buffer[1], 18);
	run(rig, CDB(0x43, 0, 0, 0, 0, 0, 2, 0, 255));
	assert_bad_field(rig, 6);
	run(rig, CDB(0x43, 0, 2, 0, 0, 0, 0, 0, 255));
	assert_bad_field(rig, 2);
}

static void disc_and_drive_are_described(void **state)
{
	struct rig *rig = *state;

	run(rig, CDB(0x51, 0, 0, 0, 0, 0, 0, 0, 255));
	assert_good(rig, 34);
	assert_memory_equal(rig->buffer, "\x00\x20\x0e\x01\x01\x01\x01", 7);
	run(rig, CDB(0x51, 1, 0, 0, 0, 0, 0, 0, 255));
	assert_bad_field(rig, 1);
	run(rig, CDB(0x46, 0, 0, 0, 0, 0, 0, 0, 255));
	assert_int_equal(rig->command.transferred, rig->buffer[3] + 4);
	assert_int_equal(rig->buffer[7], 0x08); /* a CD */
	run(rig, CDB(0x46, 2, 0, 0x10, 0, 0, 0, 0, 255));
	assert_good(rig, 8 + 12);
	assert_int_equal(rig->buffer[9], 0x10);
	assert_int_equal(rig->buffer[14], 0x08);
	run(rig, CDB(0x46, 2, 0, 0x21, 0, 0, 0, 0, 255));
	assert_good(rig, 8);
	run(rig, CDB(0x46, 1, 0, 0x1e, 0, 0, 0, 0, 255)); /* what is current from there on: CDs */
	assert_good(rig, 8 + 8);
	run(rig, CDB(0x46, 3, 0, 0, 0, 0, 0, 0, 255));
	assert_bad_field(rig, 1);
}

static void the_track_is_described_however_it_is_named(void **state)
{
	static const uint8_t track[] = {0, 34, 1, 1, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					0, 0,  0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t good[][16] = {
		{0x52, 1, 0, 0, 0, 1, 0, 0, 255},       /* track 1 */
		{0x52, 2, 0, 0, 0, 1, 0, 0, 255},       /* of session 1 */
		{0x52, 0, 0, 0, 0x07, 0xff, 0, 0, 255}, /* of the last block */
	};
	static const uint8_t bad[][16] = {
		{0x52, 1, 0, 0, 0, 2, 0, 0, 255},
		{0x52, 1, 0, 0, 0, 0xff, 0, 0, 255}, /* the one that is being written: none */
		{0x52, 2, 0, 0, 0, 0, 0, 0, 255},
		{0x52, 0, 0, 0, 0x08, 0x00, 0, 0, 255},
	};
	struct rig *rig = *state;

	for (uint32_t n = 0; n < 3; n++) {
		run(rig, good[n]);
		assert_good(rig, sizeof track);
		assert_memory_equal(rig->buffer, track, sizeof track);
	}
	for (uint32_t n = 0; n < 4; n++) {
		run(rig, bad[n]);
		assert_bad_field(rig, 2);
	}
	run(rig, CDB(0x52, 3, 0, 0, 0, 1, 0, 0, 255));
	assert_bad_field(rig, 1);
	run(rig, CDB(0x52, 1, 0, 0, 0, 1, 0, 0, 8)); /* first its length (Linux) */
	assert_good(rig, 8);
}

static void large_discs_are_dvds(void **state)
{
	struct hvh_image image = {.size = 4ull << 30};
	struct rig *rig = calloc(1, sizeof *rig);

	(void)state;
	assert_true(scsi_unit_create(&rig->unit, &config, &image, "S", 65536));
	run(rig, CDB(0x46, 0, 0, 0, 0, 0, 0, 0, 255));
	assert_int_equal(rig->buffer[7], 0x10);
	run(rig, CDB(0x43, 2, 0, 0, 0, 0, 0xaa, 0, 255));
	assert_int_equal(rig->buffer[9], 255); /* longer than minutes can tell */
	rig_destroy(rig);
}

static uint8_t event(struct rig *rig, uint8_t *status)
{
	run(rig, CDB(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8));
	assert_good(rig, 8);
	assert_memory_equal(rig->buffer, "\x00\x06\x04\x10", 4);
	*status = rig->buffer[5];
	return rig->buffer[4];
}

static void events_are_polled(void **state)
{
	struct rig *rig = *state;
	uint8_t status;

	assert_int_equal(event(rig, &status), 0);
	assert_int_equal(status, 2);
	run(rig, CDB(0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8));
	assert_bad_field(rig, 1);
	run(rig, CDB(0x4a, 1, 0, 0, 0x40, 0, 0, 0, 8));
	assert_good(rig, 4);
	assert_int_equal(rig->buffer[2], 0x80);
}

static void a_drive_without_a_disc_is_not_ready(void **state)
{
	struct rig *rig = rig_create(&config, 0);
	uint8_t status;

	(void)state;
	run(rig, CDB(0x00));
	assert_sense(rig, SCSI_SENSE_NOT_READY, SCSI_ASC_NO_MEDIUM_TRAY_CLOSED);
	run(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_sense(rig, SCSI_SENSE_NOT_READY, SCSI_ASC_NO_MEDIUM_TRAY_CLOSED);
	run(rig, CDB(0x46, 0, 0, 0, 0, 0, 0, 0, 255));
	assert_int_equal(rig->buffer[7], 0);
	assert_int_equal(event(rig, &status), 0);
	assert_int_equal(status, 0);
	run(rig, CDB(0x1b, 0, 0, 0, 1));
	assert_sense(rig, SCSI_SENSE_NOT_READY, SCSI_ASC_NO_MEDIUM_TRAY_CLOSED);
	rig_destroy(rig);
}

static void the_operator_changes_the_disc(void **state)
{
	struct rig *rig = *state;
	struct hvh_image other;
	uint8_t status;

	assert_true(scsi_unit_eject(&rig->unit, false));
	assert_false(scsi_unit_eject(&rig->unit, false));
	run(rig, CDB(0x00));
	assert_sense(rig, SCSI_SENSE_NOT_READY, SCSI_ASC_NO_MEDIUM_TRAY_OPEN);
	assert_int_equal(event(rig, &status), 3);
	assert_int_equal(status, 1);
	assert_int_equal(event(rig, &status), 0);
	other = rig_image(rig, MIB);
	assert_true(scsi_unit_insert(&rig->unit, &other));
	assert_false(scsi_unit_insert(&rig->unit, &other)); /* there is one */
	assert_int_equal(event(rig, &status), 2);
	assert_int_equal(status, 2);
	run(rig, CDB(0x00));
	assert_sense(rig, SCSI_SENSE_UNIT_ATTENTION, SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED);
	run(rig, CDB(0x25));
	assert_good(rig, 8);
	assert_int_equal(rig->buffer[2], 1);
}

static void the_guest_may_forbid_it(void **state)
{
	struct rig *rig = *state;
	uint8_t status;

	run(rig, CDB(0x1e, 0, 0, 0, 1));
	assert_good(rig, 0);
	assert_false(scsi_unit_eject(&rig->unit, false));
	assert_int_equal(event(rig, &status), 1); /* the button was pressed */
	run(rig, CDB(0x00));
	assert_good(rig, 0);
	run(rig, CDB(0x1b, 0, 0, 0, 2));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_MEDIUM_REMOVAL_PREVENTED);
	run(rig, CDB(0x1e, 0, 0, 0, 0));
	run(rig, CDB(0x1b, 0, 0, 0, 2));
	assert_good(rig, 0);
	run(rig, CDB(0x00));
	assert_sense(rig, SCSI_SENSE_NOT_READY, SCSI_ASC_NO_MEDIUM_TRAY_OPEN);
	run(rig, CDB(0x1b, 0, 0, 0, 3)); /* in again, the same disc */
	assert_good(rig, 0);
	run(rig, CDB(0x00));
	assert_sense(rig, SCSI_SENSE_UNIT_ATTENTION, SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED);
	run(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_good(rig, 2048);
	run(rig, CDB(0x1e, 0, 0, 0, 1));
	assert_true(scsi_unit_eject(&rig->unit, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_read_in_blocks_of_2048, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_table_of_contents, set_up, tear_down),
		cmocka_unit_test_setup_teardown(disc_and_drive_are_described, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_track_is_described_however_it_is_named, set_up,
						tear_down),
		cmocka_unit_test(large_discs_are_dvds),
		cmocka_unit_test_setup_teardown(events_are_polled, set_up, tear_down),
		cmocka_unit_test(a_drive_without_a_disc_is_not_ready),
		cmocka_unit_test_setup_teardown(the_operator_changes_the_disc, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_guest_may_forbid_it, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
