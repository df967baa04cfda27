/* SPDX-License-Identifier: MIT */
/* What a SCSI unit says of itself: INQUIRY, its pages, mode pages, REPORT LUNS. */
#include "host_scsi.h"

static const struct hvh_unit_config plain;

static int set_up(void **state)
{
	*state = rig_create(&plain, 16 * MIB);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

/* Typed by hand from SPC-4, with the names that Linux shows of Hyper-V's disks. */
static void standard_inquiry(void **state)
{
	static const uint8_t disk[36] = "\x00\x00\x05\x02\x1f\x00\x00\x02"
					"Msft    Virtual Disk    1.0 ";
	static const uint8_t cdrom[36] = "\x05\x80\x05\x02\x1f\x00\x00\x02"
					 "Msft    Virtual DVD-ROM 1.0 ";
	const struct hvh_unit_config config = {.cdrom = true};
	struct rig *rig = *state, *other = rig_create(&config, 0);

	run(rig, CDB(0x12, 0, 0, 0, 255));
	assert_good(rig, 36);
	assert_memory_equal(rig->buffer, disk, 36);
	run(rig, CDB(0x12, 0, 0, 0x01, 0x00));
	assert_good(rig, 36);
	run(rig, CDB(0x12, 0, 0, 0, 5));
	assert_good(rig, 5);
	run(rig, CDB(0x12, 0, 0x83, 0, 255));
	assert_bad_field(rig, 2);
	run(other, CDB(0x12, 0, 0, 0, 36));
	assert_good(other, 36);
	assert_memory_equal(other->buffer, cdrom, 36);
	rig_destroy(other);
}

static void names_are_the_configurations(void **state)
{
	const struct hvh_unit_config config = {.vendor = "Somebody Long", .product = "A\tDisk"};
	struct rig *rig = rig_create(&config, MIB);

	(void)state;
	run(rig, CDB(0x12, 0, 0, 0, 36));
	assert_memory_equal(rig->buffer + 8, "SomebodyA Disk          1.0 ", 28);
	rig_destroy(rig);
}

static void an_absent_unit_says_that_it_is(void **state)
{
	struct rig *rig = *state;

	rig->command = (struct scsi_command){
		.cdb = CDB(0x12, 0, 0, 0, 36), .cdb_length = 6, .length = 36, .put = rig_put, .context = rig};
	assert_true(scsi_execute_absent(&rig->command, false));
	assert_good(rig, 36);
	assert_memory_equal(rig->buffer, "\x7f\x00\x05\x02\x1f", 5);
	assert_true(scsi_execute_absent(&rig->command, true));
	assert_memory_equal(rig->buffer, "\x7f\x00\x00\x00\x1f", 5);
	rig->command.cdb = CDB(0x12, 1, 0, 0, 36);
	assert_false(scsi_execute_absent(&rig->command, false));
	rig->command.cdb = CDB(0x00);
	assert_false(scsi_execute_absent(&rig->command, false));
	rig->command = (struct scsi_command){.cdb = CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64),
					     .cdb_length = 12,
					     .length = 64,
					     .put = rig_put,
					     .context = rig,
					     .luns = 1ull << 3};
	assert_true(scsi_execute_absent(&rig->command, false));
	assert_good(rig, 16);
	assert_int_equal(rig->buffer[9], 3);
}

static void pages_of_a_disk(void **state)
{
	static const uint8_t list[] = {0, 0, 0, 6, 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2};
	static const uint8_t limits[] = {
		0, 0xb0, 0, 0x3c, 1,    0, 0,    8, /* WSNZ; granularity */
		0, 0,    2, 0,    0,    0, 2,    0, /* longest and best transfer */
		0, 0,    0, 0,                      /* prefetch */
		0, 0x20, 0, 0,    0,    0, 1,    0, /* blocks and descriptors of UNMAP */
		0, 0,    0, 8,    0x80, 0, 0,    0, /* granularity; alignment */
		0, 0,    0, 0,    0,    0, 0x80, 0, /* blocks of WRITE SAME */
	};
	static const uint8_t provisioning[] = {0, 0xb2, 0, 4, 0, 0xe4, 2, 0};
	struct rig *rig = *state;

	run(rig, CDB(0x12, 1, 0, 0, 255));
	assert_good(rig, sizeof list);
	assert_memory_equal(rig->buffer, list, sizeof list);
	run(rig, CDB(0x12, 1, 0x80, 0, 255));
	assert_good(rig, 6);
	assert_memory_equal(rig->buffer, "\x00\x80\x00\x02S1", 6);
	run(rig, CDB(0x12, 1, 0xb0, 0, 255));
	assert_good(rig, 64);
	assert_memory_equal(rig->buffer, limits, sizeof limits);
	run(rig, CDB(0x12, 1, 0xb1, 0, 255));
	assert_good(rig, 64);
	run(rig, CDB(0x12, 1, 0xb2, 0, 255));
	assert_good(rig, 8);
	assert_memory_equal(rig->buffer, provisioning, 8);
	run(rig, CDB(0x12, 1, 0x81, 0, 255));
	assert_bad_field(rig, 2);
}

/* Two designators; the same serial number gives the same, another another. */
static void identification(void **state)
{
	struct hvh_image image = {.size = MIB};
	struct rig *rig = *state, *other = calloc(1, sizeof *other);
	uint8_t naa[16];

	run(rig, CDB(0x12, 1, 0x83, 0, 255));
	assert_memory_equal(rig->buffer, "\x00\x83\x00\x32\x02\x01\x00\x1aMsft    Virtual Disk    S1", 34);
	assert_memory_equal(rig->buffer + 34, "\x01\x03\x00\x10\x60\x02\x24\x80", 8);
	assert_good(rig, 54);
	memcpy(naa, rig->buffer + 38, 16);
	assert_true(scsi_unit_create(&other->unit, &plain, &image, "S2", 65536));
	run(other, CDB(0x12, 1, 0x83, 0, 255));
	assert_memory_not_equal(other->buffer + 38, naa, 16);
	scsi_unit_destroy(&other->unit);
	assert_true(scsi_unit_create(&other->unit, &plain, &image, "S1", 65536));
	run(other, CDB(0x12, 1, 0x83, 0, 255));
	assert_memory_equal(other->buffer + 38, naa, 16);
	rig_destroy(other);
}

static void the_longest_serial_number_fits(void **state)
{
	struct hvh_image image = {.size = MIB};
	struct rig *rig = calloc(1, sizeof *rig);
	char serial[80];

	(void)state;
	memset(serial, 'x', 79);
	serial[79] = '\0';
	assert_true(scsi_unit_create(&rig->unit, &plain, &image, serial, 65536));
	run(rig, CDB(0x12, 1, 0x80, 0, 255));
	assert_good(rig, 68);
	run(rig, CDB(0x12, 1, 0x83, 0, 255));
	assert_good(rig, 4 + 4 + 24 + 64 + 20);
	rig_destroy(rig);
}

static void pages_of_a_cdrom(void **state)
{
	static const uint8_t list[] = {5, 0, 0, 3, 0x00, 0x80, 0x83};
	const struct hvh_unit_config config = {.cdrom = true};
	struct rig *rig = rig_create(&config, MIB);

	(void)state;
	run(rig, CDB(0x12, 1, 0, 0, 255));
	assert_good(rig, sizeof list);
	assert_memory_equal(rig->buffer, list, sizeof list);
	run(rig, CDB(0x12, 1, 0xb0, 0, 255));
	assert_bad_field(rig, 2);
	rig_destroy(rig);
}

static bool supports(struct rig *rig, uint8_t opcode)
{
	run(rig, CDB(0xa3, 0x0c, 1, opcode, 0, 0, 0, 0, 0, 64));
	assert_int_equal(rig->command.status, SCSI_STATUS_GOOD);
	return rig->buffer[1] == 3;
}

/* As hosts before 2016, and before 2012, have them. */
static void older_disks_have_less(void **state)
{
	static const uint8_t list[] = {0, 0, 0, 3, 0x00, 0x80, 0x83};
	struct rig *rig = *state;
	uint32_t all;

	run(rig, CDB(0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 0x10, 0));
	all = rig->command.transferred;
	assert_true(supports(rig, 0x93) && supports(rig, 0x41) && supports(rig, 0x42));
	rig->unit.writes_same = false;
	assert_false(supports(rig, 0x93) || supports(rig, 0x41));
	run(rig, CDB(0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_OPERATION_CODE);
	run(rig, CDB(0x12, 1, 0xb0, 0, 255));
	assert_good(rig, 64);
	assert_int_equal(rig->buffer[4], 0);
	for (uint32_t n = 36; n < 44; n++)
		assert_int_equal(rig->buffer[n], 0);
	run(rig, CDB(0x12, 1, 0xb2, 0, 255));
	assert_memory_equal(rig->buffer, "\x00\xb2\x00\x04\x00\x84\x02\x00", 8);
	rig->unit.unmaps = false;
	run(rig, CDB(0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 0x10, 0));
	assert_int_equal(rig->command.transferred, all - 3 * 8);
	assert_false(supports(rig, 0x42));
	run(rig, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 24));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_OPERATION_CODE);
	run(rig, CDB(0x12, 1, 0, 0, 255));
	assert_good(rig, sizeof list);
	assert_memory_equal(rig->buffer, list, sizeof list);
	run(rig, CDB(0x12, 1, 0xb0, 0, 255));
	assert_bad_field(rig, 2);
	run(rig, CDB(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32));
	assert_int_equal(rig->buffer[14], 0);
	rig->unit.writes_same = true;
	run(rig, CDB(0x93, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_bad_field(rig, 1);
	run(rig, CDB(0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_good(rig, 512);
}

static void luns_are_listed(void **state)
{
	static const uint8_t luns[] = {0, 0, 0, 24, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0,
				       0, 2, 0, 0,  0, 0, 0, 0, 0, 63, 0, 0, 0, 0, 0, 0};
	struct rig *rig = *state;

	rig->command.luns = 1 | 1ull << 2 | 1ull << 63;
	run(rig, CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0));
	assert_good(rig, 32);
	assert_memory_equal(rig->buffer, luns, 32);
	run(rig, CDB(0xa0, 0, 2, 0, 0, 0, 0, 0, 0, 16));
	assert_good(rig, 16);
	assert_int_equal(rig->buffer[3], 24); /* what there is, and not what fits */
	run(rig, CDB(0xa0, 0, 1, 0, 0, 0, 0, 0, 0, 16));
	assert_good(rig, 8);
	run(rig, CDB(0xa0, 0, 3, 0, 0, 0, 0, 0, 0, 16));
	assert_bad_field(rig, 2);
	run(rig, CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 15));
	assert_bad_field(rig, 6);
}

/* --- Mode pages ------------------------------------------------------------------------- */

static const uint8_t caching[] = {0x08, 0x12, 0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

static void mode_pages_of_a_disk(void **state)
{
	static const uint8_t header[] = {0x1f, 0, 0x10, 8, 0, 0, 0x80, 0, 0, 0, 2, 0};
	struct rig *rig = *state;

	run(rig, CDB(0x1a, 0, 0x08, 0, 255));
	assert_good(rig, 12 + 20);
	assert_memory_equal(rig->buffer, header, 12);
	assert_memory_equal(rig->buffer + 12, caching, 20);
	run(rig, CDB(0x1a, 8, 0x08, 0, 255)); /* no block descriptors */
	assert_good(rig, 4 + 20);
	assert_int_equal(rig->buffer[3], 0);
	run(rig, CDB(0x1a, 8, 0x3f, 0, 255));
	assert_good(rig, 4 + 12 + 20 + 12 + 12);
	assert_int_equal(rig->buffer[0], rig->command.transferred - 1);
	run(rig, CDB(0x5a, 0x10, 0x3f, 0xff, 0, 0, 0, 1, 0)); /* long addresses, subpages too */
	assert_good(rig, 8 + 16 + 12 + 20 + 12 + 12);
	assert_int_equal(rig->buffer[1], rig->command.transferred - 2);
	assert_int_equal(rig->buffer[3], 0x10);
	assert_int_equal(rig->buffer[4], 1);
	assert_int_equal(rig->buffer[7], 16);
	assert_int_equal(rig->buffer[8 + 6], 0x80);
	run(rig, CDB(0x1a, 0, 0x48, 0, 255)); /* what can be changed */
	assert_int_equal(rig->buffer[14], 0x04);
	run(rig, CDB(0x1a, 0, 0xc8, 0, 255));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_SAVING_NOT_SUPPORTED);
	run(rig, CDB(0x1a, 0, 0x02, 0, 255));
	assert_bad_field(rig, 2);
	run(rig, CDB(0x1a, 0, 0x08, 1, 255));
	assert_bad_field(rig, 3);
}

static void the_write_cache_can_be_turned_off_and_on(void **state)
{
	static const uint8_t list[] = {0, 0, 0, 0, 0x08, 0x12};
	struct rig *rig = *state;

	memset(rig->buffer, 0, 64);
	memcpy(rig->buffer, list, sizeof list);
	run(rig, CDB(0x15, 0x10, 0, 0, 24));
	assert_good(rig, 24);
	assert_int_equal(rig->flushes, 1); /* what was in it */
	run(rig, CDB(0x1a, 8, 0x08, 0, 255));
	assert_int_equal(rig->buffer[6], 0);
	run(rig, CDB(0x1a, 8, 0x88, 0, 255)); /* as it was made */
	assert_int_equal(rig->buffer[6], 4);
	run(rig, CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_int_equal(rig->flushes, 2);
	memset(rig->buffer, 0, 64);
	memcpy(rig->buffer + 8, caching, 20);
	run(rig, CDB(0x55, 0x10, 0, 0, 0, 0, 0, 0, 28));
	assert_good(rig, 28);
	run(rig, CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_int_equal(rig->flushes, 2);
}

static void what_cannot_be_changed_is_refused(void **state)
{
	struct rig *rig = *state;

	memset(rig->buffer, 0, 64);
	memcpy(rig->buffer + 4, caching, 20);
	rig->buffer[4 + 12] = 1;
	run(rig, CDB(0x15, 0x10, 0, 0, 24));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_PARAMETERS);
	assert_int_equal(rig->command.sense.key_specific[2], 16);
	rig->buffer[4 + 12] = 0;
	rig->buffer[4] = 0x09;
	run(rig, CDB(0x15, 0x10, 0, 0, 24));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_PARAMETERS);
	rig->buffer[4] = 0x08;
	run(rig, CDB(0x15, 0x10, 0, 0, 23));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_PARAMETER_LENGTH);
	run(rig, CDB(0x15, 0x10, 0, 0, 3));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_PARAMETER_LENGTH);
	run(rig, CDB(0x15, 0x11, 0, 0, 24)); /* to be saved */
	assert_bad_field(rig, 1);
	run(rig, CDB(0x15, 0x00, 0, 0, 24));
	assert_bad_field(rig, 1);
	run(rig, CDB(0x15, 0x10, 0, 0, 0));
	assert_good(rig, 0);
	rig->buffer[3] = 7; /* no descriptor has that length */
	run(rig, CDB(0x15, 0x10, 0, 0, 24));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_PARAMETERS);
	memset(rig->buffer, 0, 64);
	rig->buffer[3] = 8;
	rig->buffer[10] = 0x10; /* blocks of 4096 */
	run(rig, CDB(0x15, 0x10, 0, 0, 12));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_PARAMETERS);
	rig->buffer[10] = 2;
	run(rig, CDB(0x15, 0x10, 0, 0, 12));
	assert_good(rig, 12);
}

static void mode_pages_of_a_cdrom(void **state)
{
	const struct hvh_unit_config config = {.cdrom = true};
	struct rig *rig = rig_create(&config, MIB);

	(void)state;
	run(rig, CDB(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 128));
	assert_good(rig, 28);
	assert_int_equal(rig->buffer[8], 0x2a);
	assert_int_equal(rig->buffer[9], 18);
	run(rig, CDB(0x5a, 0, 0x08, 0, 0, 0, 0, 0, 128));
	assert_bad_field(rig, 2);
	run(rig, CDB(0x15, 0x10, 0, 0, 24));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_OPERATION_CODE);
	rig_destroy(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(standard_inquiry, set_up, tear_down),
		cmocka_unit_test(names_are_the_configurations),
		cmocka_unit_test_setup_teardown(an_absent_unit_says_that_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pages_of_a_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(identification, set_up, tear_down),
		cmocka_unit_test(the_longest_serial_number_fits),
		cmocka_unit_test(pages_of_a_cdrom),
		cmocka_unit_test_setup_teardown(older_disks_have_less, set_up, tear_down),
		cmocka_unit_test_setup_teardown(luns_are_listed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mode_pages_of_a_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_write_cache_can_be_turned_off_and_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_changed_is_refused, set_up, tear_down),
		cmocka_unit_test(mode_pages_of_a_cdrom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
