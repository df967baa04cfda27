/* SPDX-License-Identifier: MIT */
/* UNMAP and WRITE SAME: what becomes of the blocks, and what is refused. */
#include "host_scsi.h"

static const struct hvh_unit_config plain;

static int set_up(void **state)
{
	struct rig *rig = rig_create(&plain, 64 * MIB);

	memset(rig->buffer, 0x5a, 128 * 512);
	run(rig, CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 128));
	rig->writes = 0;
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static uint32_t zeros_from(struct rig *rig, uint32_t block)
{
	uint32_t count = 0;

	while (count < 200 && image_byte(rig, (block + count) * 512ull) == 0 &&
	       image_byte(rig, (block + count) * 512ull + 511) == 0)
		count++;
	return count;
}

/* Two descriptors: blocks 8 to 15, and 100. */
static void unmapped_blocks_are_zeros(void **state)
{
	static const uint8_t list[] = {0, 38, 0, 32, 0, 0, 0, 0,                           /* header */
				       0, 0,  0, 0,  0, 0, 0, 8,   0, 0, 0, 8, 0, 0, 0, 0, /* 8 from 8 */
				       0, 0,  0, 0,  0, 0, 0, 100, 0, 0, 0, 1, 0, 0, 0, 0};
	struct rig *rig = *state;

	memcpy(rig->buffer, list, sizeof list);
	run(rig, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 40));
	assert_good(rig, 40);
	assert_int_equal(rig->discards, 2);
	assert_int_equal(image_byte(rig, 8 * 512 - 1), 0x5a);
	assert_int_equal(zeros_from(rig, 8), 8);
	assert_int_equal(zeros_from(rig, 100), 1);
	assert_int_equal(image_byte(rig, 99 * 512), 0x5a);
	assert_int_equal(rig->flushes, 0);
}

static void wrong_lists_unmap_nothing(void **state)
{
	uint8_t list[40] = {0, 38, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 8};
	struct rig *rig = *state;

	list[24 + 4] = 0xff; /* the second one lies beyond the end */
	list[24 + 11] = 1;
	memcpy(rig->buffer, list, sizeof list);
	run(rig, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 40));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
	run(rig, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 7));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_PARAMETER_LENGTH);
	run(rig, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 39)); /* says that it is longer */
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_PARAMETER_LENGTH);
	rig->buffer[1] = 20;
	run(rig, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 40));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_PARAMETERS);
	run(rig, CDB(0x42, 0, 0, 0, 0, 0, 0, 0x10, 0x18)); /* 257 descriptors */
	assert_bad_field(rig, 7);
	assert_int_equal(rig->discards, 0);
	run(rig, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 0));
	assert_good(rig, 0);
	run(rig, CDB(0x42, 1, 0, 0, 0, 0, 0, 0, 40)); /* anchored: there is no such thing here */
	assert_bad_field(rig, 1);
}

static void an_incomplete_descriptor_does_not_count(void **state)
{
	static const uint8_t list[] = {0, 36, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0,
				       1, 0,  0, 0,  0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0};
	struct rig *rig = *state;

	memcpy(rig->buffer, list, sizeof list);
	run(rig, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 38));
	assert_good(rig, 38);
	assert_int_equal(rig->discards, 1);
	assert_int_equal(zeros_from(rig, 8), 1);
}

static void unmap_has_a_most(void **state)
{
	uint8_t list[24] = {0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 1};
	struct hvh_image image = {.size = 1ull << 40};
	struct rig *rig = calloc(1, sizeof *rig);

	(void)state;
	assert_true(scsi_unit_create(&rig->unit, &plain, &image, "S", 65536));
	memcpy(rig->buffer, list, sizeof list);
	run(rig, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 24)); /* 1 GiB and a block */
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_PARAMETERS);
	rig_destroy(rig);
}

static void an_image_that_cannot_discard_is_written(void **state)
{
	static const uint8_t list[] = {0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0,
				       0, 0,  0, 8,  0, 0, 0, 8, 0, 0, 0, 0};
	struct rig *rig = *state;

	rig->unit.image.discard = NULL;
	memcpy(rig->buffer, list, sizeof list);
	run(rig, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 24));
	assert_good(rig, 24);
	assert_int_equal(zeros_from(rig, 8), 8);
}

static void write_same_writes_the_same(void **state)
{
	struct rig *rig = *state;

	fill(rig->buffer, 512, 4);
	run(rig, CDB(0x41, 0, 0, 0, 0, 3, 0, 0, 200));
	assert_good(rig, 512);
	for (uint32_t n = 3; n < 203; n++)
		assert_int_equal(image_byte(rig, n * 512 + 77), rig->buffer[77]);
	assert_int_equal(image_byte(rig, 203 * 512 + 77), 0);
	assert_int_equal(image_byte(rig, 2 * 512 + 77), 0x5a);
	run(rig, CDB(0x93, 8, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2)); /* unmap: but not with such data */
	assert_good(rig, 512);
	assert_int_equal(rig->discards, 0);
	assert_int_equal(image_byte(rig, 3 * 512 + 77), rig->buffer[77]);
	memset(rig->buffer, 0, 512);
	run(rig, CDB(0x93, 8, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2));
	assert_int_equal(rig->discards, 1);
	assert_int_equal(zeros_from(rig, 3), 2);
	rig->writes = 0;
	run_length(rig, CDB(0x93, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 4), 16, 0); /* no data at all */
	assert_good(rig, 0);
	assert_int_equal(rig->writes, 1);
	assert_int_equal(zeros_from(rig, 20), 4);
}

static void write_same_has_a_least_and_a_most(void **state)
{
	struct rig *rig = *state;

	run(rig, CDB(0x41, 0, 0, 0, 0, 0, 0, 0, 0));
	assert_bad_field(rig, 7);
	run(rig, CDB(0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x01));
	assert_bad_field(rig, 10);
	run(rig, CDB(0x93, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x00));
	assert_good(rig, 512);
	run(rig, CDB(0x93, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 2));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
	run_length(rig, CDB(0x41, 0, 0, 0, 0, 0, 0, 0, 1), 10, 511);
	assert_int_equal(rig->command.outcome, SCSI_OVERRUN);
	rig->write_fails = true;
	run(rig, CDB(0x41, 0, 0, 0, 0, 5, 0, 0, 1));
	assert_sense(rig, SCSI_SENSE_MEDIUM_ERROR, SCSI_ASC_WRITE_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unmapped_blocks_are_zeros, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_lists_unmap_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_incomplete_descriptor_does_not_count, set_up, tear_down),
		cmocka_unit_test(unmap_has_a_most),
		cmocka_unit_test_setup_teardown(an_image_that_cannot_discard_is_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(write_same_writes_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(write_same_has_a_least_and_a_most, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
