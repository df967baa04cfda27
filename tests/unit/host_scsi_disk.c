/* SPDX-License-Identifier: MIT */
/* A SCSI disk: reading and writing in all forms, its limits, its cache, its unit attentions. */
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

/* Blocks 0x101 and 0x102, written in one form and read in another. */
static void every_form_moves_the_same_blocks(void **state)
{
	static const uint8_t writes[][16] = {
		{0x0a, 0x00, 0x01, 0x01, 0x02},
		{0x2a, 0, 0, 0, 0x01, 0x01, 0, 0, 2},
		{0xaa, 0, 0, 0, 0x01, 0x01, 0, 0, 0, 2},
		{0x8a, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x01, 0, 0, 0, 2},
	};
	static const uint8_t reads[][16] = {
		{0x08, 0x00, 0x01, 0x01, 0x02},
		{0x28, 0, 0, 0, 0x01, 0x01, 0, 0, 2},
		{0xa8, 0, 0, 0, 0x01, 0x01, 0, 0, 0, 2},
		{0x88, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x01, 0, 0, 0, 2},
	};
	struct rig *rig = *state;
	uint8_t data[1024];

	for (uint32_t w = 0; w < 4; w++) {
		fill(data, sizeof data, w);
		memcpy(rig->buffer, data, sizeof data);
		run(rig, writes[w]);
		assert_good(rig, 1024);
		assert_int_equal(rig->command.work.writes, 1);
		assert_int_equal(rig->command.work.write_bytes, 1024);
		assert_int_equal(image_byte(rig, 0x101 * 512 - 1), 0);
		assert_int_equal(image_byte(rig, 0x101 * 512 + 5), data[5]);
		assert_int_equal(image_byte(rig, 0x103 * 512), 0);
		for (uint32_t r = 0; r < 4; r++) {
			memset(rig->buffer, 0xee, 2048);
			run(rig, reads[r]);
			assert_good(rig, 1024);
			assert_memory_equal(rig->buffer, data, sizeof data);
			assert_int_equal(rig->buffer[1024], 0xee);
			assert_int_equal(rig->command.work.reads, 1);
		}
	}
}

static void six_byte_forms_mean_256_by_0_and_others_nothing(void **state)
{
	struct rig *rig = *state;

	run(rig, CDB(0x08, 0, 0, 0, 0));
	assert_good(rig, 256 * 512);
	run(rig, CDB(0x08, 0x1f, 0xff, 0xff, 1)); /* the farthest they reach: beyond this disk */
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
	run(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 0));
	assert_good(rig, 0);
	run(rig, CDB(0x88));
	assert_good(rig, 0);
}

static void blocks_beyond_the_end_are_out_of_range(void **state)
{
	static const uint8_t cdbs[][16] = {
		{0x28, 0, 0, 0, 0x80, 0x00, 0, 0, 1}, /* the first that is not there */
		{0x28, 0, 0, 0, 0x7f, 0xff, 0, 0, 2}, /* across the end */
		{0x28, 0, 0, 0, 0x80, 0x00, 0, 0, 0}, /* even none of them */
		{0x2a, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1},
		{0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1},
		{0x8a, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2},
		{0x88, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff},
		{0x35, 0, 0, 0, 0x80, 0x00, 0, 0, 0},
		{0x2f, 0, 0, 0, 0x7f, 0xff, 0, 0, 2},
		{0x93, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x00, 0, 0, 0, 1},
	};
	struct rig *rig = *state;

	for (uint32_t n = 0; n < sizeof cdbs / sizeof cdbs[0]; n++) {
		run(rig, cdbs[n]);
		assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
		assert_int_equal(rig->command.transferred, 0);
	}
	assert_int_equal(rig->writes, 0);
	run(rig, CDB(0x28, 0, 0, 0, 0x7f, 0xff, 0, 0, 1));
	assert_good(rig, 512);
}

static void transfers_have_a_longest(void **state)
{
	struct rig *rig = *state;

	run(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 0x02, 0x00)); /* 256 KiB */
	assert_good(rig, 262144);
	run(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 0x02, 0x01));
	assert_bad_field(rig, 7);
	run(rig, CDB(0xa8, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x01));
	assert_bad_field(rig, 6);
	run(rig, CDB(0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x01));
	assert_bad_field(rig, 10);
}

static void a_buffer_too_small_is_an_overrun_and_nothing_moves(void **state)
{
	struct rig *rig = *state;

	memset(rig->buffer, 0xee, 4096);
	run_length(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 2), 10, 1023);
	assert_int_equal(rig->command.outcome, SCSI_OVERRUN);
	assert_int_equal(rig->command.transferred, 0);
	assert_int_equal(rig->buffer[0], 0xee);
	run_length(rig, CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 2), 10, 1023);
	assert_int_equal(rig->command.outcome, SCSI_OVERRUN);
	assert_int_equal(rig->writes, 0);
	run_length(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 1, 0), 10, 100000); /* not even the first piece */
	assert_int_equal(rig->command.outcome, SCSI_OVERRUN);
	assert_int_equal(rig->buffer[0], 0xee);
	run_length(rig, CDB(0x12, 0, 0, 0, 36), 6, 20);
	assert_int_equal(rig->command.outcome, SCSI_OVERRUN);
	rig->memory_gone = true;
	run(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 2));
	assert_int_equal(rig->command.outcome, SCSI_BAD_MEMORY);
}

/* Each bit of every command: it is one that may be set, or its byte is named. */
static void reserved_bits_are_refused_each(void **state)
{
	struct rig *rig = *state;
	uint32_t refused = 0;

	for (uint32_t opcode = 0; opcode < 256; opcode++) {
		uint8_t plain_cdb[16] = {(uint8_t)opcode}, usage[64];
		uint32_t length;

		if (opcode == 0x9e)
			plain_cdb[1] = 0x10;
		if (opcode == 0xa3)
			plain_cdb[1] = 0x0c;
		run(rig, CDB(0xa3, 0x0c, 3, (uint8_t)opcode, 0, plain_cdb[1], 0, 0, 0, 64));
		assert_int_equal(rig->command.status, SCSI_STATUS_GOOD);
		if (rig->buffer[1] != 3)
			continue;
		memcpy(usage, rig->buffer, sizeof usage);
		length = usage[3];
		assert_int_equal(length, cdb_length((uint8_t)opcode));
		assert_int_equal(usage[4], opcode);
		for (uint32_t bit = 8; bit < length * 8; bit++) {
			uint8_t cdb[16];

			if ((usage[4 + bit / 8] >> bit % 8 & 1) != 0 || (plain_cdb[1] != 0 && bit < 16))
				continue;
			memcpy(cdb, plain_cdb, 16);
			cdb[bit / 8] = (uint8_t)(cdb[bit / 8] | 1u << bit % 8);
			run_length(rig, cdb, (uint8_t)length, BUFFER);
			assert_bad_field(rig, bit / 8);
			refused++;
		}
	}
	assert_true(refused > 500);
}

static void unknown_commands_and_short_ones_are_refused(void **state)
{
	/* PERSISTENT RESERVE IN and OUT, RESERVE, FORMAT, COMPARE AND WRITE, READ DEFECT, a vendor's, ATA. */
	static const uint8_t unknown[] = {0x5e, 0x5f, 0x16, 0x04, 0x89, 0x37, 0xc0, 0x85, 0x43, 0x1e};
	struct rig *rig = *state;

	for (uint32_t n = 0; n < sizeof unknown; n++) {
		run_length(rig, CDB(unknown[n]), 16, 512);
		assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_OPERATION_CODE);
	}
	run(rig, CDB(0x9e, 0x12)); /* GET LBA STATUS: known code, another service action */
	assert_bad_field(rig, 1);
	run_length(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1), 6, 512);
	assert_bad_field(rig, 6);
}

static void supported_commands_are_told(void **state)
{
	struct rig *rig = *state;

	run(rig, CDB(0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 0x10, 0));
	assert_int_equal(rig->command.status, 0);
	assert_int_equal(rig->buffer[3] + rig->buffer[2] * 256 + 4, rig->command.transferred);
	assert_int_equal((rig->command.transferred - 4) % 8, 0);
	run(rig, CDB(0xa3, 0x0c, 1, 0x5e, 0, 0, 0, 0, 0, 64));
	assert_good(rig, 4);
	assert_int_equal(rig->buffer[1], 1);
	run(rig, CDB(0xa3, 0x0c, 0x81, 0x28, 0, 0, 0, 0, 0, 64));
	assert_good(rig, 4 + 10 + 12);
	assert_int_equal(rig->buffer[1], 0x83);
	assert_int_equal(rig->buffer[4], 0x28);
	assert_int_equal(rig->buffer[5], 0x18);
	assert_int_equal(rig->buffer[4 + 10 + 1], 10);
	run(rig, CDB(0xa3, 0x0c, 1, 0x9e, 0, 0, 0, 0, 0, 64)); /* has service actions */
	assert_bad_field(rig, 2);
	run(rig, CDB(0xa3, 0x0c, 2, 0x28, 0, 0, 0, 0, 0, 64)); /* has none */
	assert_bad_field(rig, 2);
	run(rig, CDB(0xa3, 0x0c, 4, 0x28, 0, 0, 0, 0, 0, 64));
	assert_bad_field(rig, 2);
}

static void capacity_is_told(void **state)
{
	static const uint8_t ten[] = {0, 0, 0x7f, 0xff, 0, 0, 2, 0};
	static const uint8_t sixteen[32] = {0, 0, 0, 0, 0, 0, 0x7f, 0xff, 0, 0, 2, 0, 0, 3, 0xc0};
	struct rig *rig = *state;

	run(rig, CDB(0x25));
	assert_good(rig, 8);
	assert_memory_equal(rig->buffer, ten, 8);
	run(rig, CDB(0x25, 0, 0, 0, 0, 1));
	assert_bad_field(rig, 5);
	run(rig, CDB(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32));
	assert_good(rig, 32);
	assert_memory_equal(rig->buffer, sixteen, 32);
	run(rig, CDB(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12));
	assert_good(rig, 12);
}

static void a_disk_of_more_than_2_tib_says_so(void **state)
{
	static const uint8_t more[] = {0xff, 0xff, 0xff, 0xff, 0, 0, 2, 0};
	static const uint8_t last[] = {0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff};
	struct hvh_image image = {.size = 1ull << 42};
	struct rig *rig = calloc(1, sizeof *rig);

	(void)state;
	assert_true(scsi_unit_create(&rig->unit, &plain, &image, "S2", 262144));
	run(rig, CDB(0x25));
	assert_memory_equal(rig->buffer, more, 8);
	run(rig, CDB(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32));
	assert_memory_equal(rig->buffer, last, 8);
	rig_destroy(rig);
}

static void a_4kn_disk_counts_in_4096(void **state)
{
	const struct hvh_unit_config config = {.block_size = 4096};
	struct rig *rig = rig_create(&config, 16 * MIB);

	(void)state;
	run(rig, CDB(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32));
	assert_int_equal(rig->buffer[6] << 8 | rig->buffer[7], 0xfff);
	assert_int_equal(rig->buffer[10], 0x10);
	assert_int_equal(rig->buffer[13], 0);
	fill(rig->buffer, 8192, 3);
	run(rig, CDB(0x2a, 0, 0, 0, 0x0f, 0xfe, 0, 0, 2));
	assert_good(rig, 8192);
	assert_int_equal(image_byte(rig, 0xffe * 4096 + 1), rig->buffer[1]);
	run(rig, CDB(0x28, 0, 0, 0, 0x0f, 0xff, 0, 0, 2));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
	rig_destroy(rig);
}

static void impossible_sizes_make_no_disk(void **state)
{
	static const struct {
		struct hvh_unit_config config;
		uint64_t size;
	} cases[] = {
		{{.block_size = 520}, 520 * 8},
		{{.block_size = 4096}, 4096 + 512},
		{{.block_size = 512}, 700},
		{{.physical_block_size = 5000}, 4096},
		{{.cdrom = true, .block_size = 512}, 4096},
		{{.cdrom = true}, 1024},
		{{.block_size = 512}, 0},
	};
	struct scsi_unit unit;

	(void)state;
	for (uint32_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
		const struct hvh_image image = {.size = cases[n].size};

		assert_false(scsi_unit_create(&unit, &cases[n].config, &image, "S", 65536));
	}
	assert_false(scsi_unit_create(&unit, &plain, NULL, "S", 65536));
}

/* --- The write cache --------------------------------------------------------------------- */

static void bytes_are_safe_when_they_are_said_to_be(void **state)
{
	struct rig *rig = *state;

	run(rig, CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_int_equal(rig->flushes, 0);
	run(rig, CDB(0x35));
	assert_good(rig, 0);
	assert_int_equal(rig->flushes, 1);
	assert_int_equal(rig->command.work.flushes, 1);
	run(rig, CDB(0x91));
	assert_int_equal(rig->flushes, 2);
	run(rig, CDB(0x35, 2)); /* IMMED: safe all the same */
	assert_int_equal(rig->flushes, 3);
	run(rig, CDB(0x2a, 0x08, 0, 0, 0, 0, 0, 0, 1)); /* FUA */
	assert_good(rig, 512);
	assert_int_equal(rig->flushes, 4);
	run(rig, CDB(0x8a, 0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_int_equal(rig->flushes, 5);
	run(rig, CDB(0x0a, 0, 0, 0x08, 1)); /* no FUA there: that 8 is an address */
	assert_int_equal(rig->flushes, 5);
	run(rig, CDB(0x1b)); /* stop */
	assert_int_equal(rig->flushes, 6);
}

#define CHECK_RANGE(rig, from, count)                             \
	do {                                                      \
		assert_int_equal((rig)->flushed_from, from);      \
		assert_int_equal((rig)->flushed_bytes, count);    \
		(rig)->flushed_from = (rig)->flushed_bytes = 999; \
	} while (0)

/* Whoever asks for some blocks gets these, and no others by the way. */
static void only_the_blocks_that_are_named_are_flushed(void **state)
{
	struct rig *rig = *state;

	rig->flushed_from = rig->flushed_bytes = 999;
	run(rig, CDB(0x35)); /* all */
	assert_int_equal(rig->flushes, 1);
	CHECK_RANGE(rig, 999, 999);
	run(rig, CDB(0x35, 0, 0, 0, 0, 5, 0, 0, 7));
	CHECK_RANGE(rig, 5 * 512, 7 * 512);
	run(rig, CDB(0x91, 0, 0, 0, 0, 0, 0, 0, 0x70, 0)); /* to the end */
	CHECK_RANGE(rig, 0x7000 * 512, 0x1000 * 512);
	run(rig, CDB(0x2a, 0x08, 0, 0, 0, 9, 0, 0, 3));
	CHECK_RANGE(rig, 9 * 512, 3 * 512);
	run(rig, CDB(0x28, 0x08, 0, 0, 0, 11, 0, 0, 2)); /* what FUA reads is on the medium */
	CHECK_RANGE(rig, 11 * 512, 2 * 512);
	run(rig, CDB(0x2a, 0x08, 0, 0, 0, 9, 0, 0, 0)); /* nothing */
	assert_int_equal(rig->flushes, 5);
	rig->flush_fails = true;
	run(rig, CDB(0x35, 0, 0, 0, 0, 5, 0, 0, 7));
	assert_sense(rig, SCSI_SENSE_MEDIUM_ERROR, SCSI_ASC_WRITE_ERROR);
	rig->flush_fails = false;
	rig->unit.image.flush_range = NULL;
	run(rig, CDB(0x35, 0, 0, 0, 0, 5, 0, 0, 7));
	assert_good(rig, 0);
	assert_int_equal(rig->flushes, 7);
}

static void a_disk_without_a_cache_writes_through(void **state)
{
	const struct hvh_unit_config config = {.no_write_cache = true};
	struct rig *rig = rig_create(&config, MIB);

	(void)state;
	run(rig, CDB(0x0a, 0, 0, 0, 1));
	assert_good(rig, 512);
	assert_int_equal(rig->flushes, 1);
	run(rig, CDB(0x41, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_int_equal(rig->flushes, 2);
	run(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_int_equal(rig->flushes, 2);
	rig_destroy(rig);
}

static void a_flush_that_fails_says_so(void **state)
{
	struct rig *rig = *state;

	rig->flush_fails = true;
	run(rig, CDB(0x35));
	assert_sense(rig, SCSI_SENSE_MEDIUM_ERROR, SCSI_ASC_WRITE_ERROR);
	run(rig, CDB(0x2a, 0x08, 0, 0, 0, 0, 0, 0, 1));
	assert_sense(rig, SCSI_SENSE_MEDIUM_ERROR, SCSI_ASC_WRITE_ERROR);
	run(rig, CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_good(rig, 512);
}

/* --- Errors ---------------------------------------------------------------------------------- */

static void errors_of_the_medium_name_their_block(void **state)
{
	struct rig *rig = *state;

	rig->read_fails = true;
	run(rig, CDB(0x28, 0, 0, 0, 0x12, 0x34, 0, 0, 8));
	assert_sense(rig, SCSI_SENSE_MEDIUM_ERROR, SCSI_ASC_UNRECOVERED_READ_ERROR);
	assert_int_equal(rig->command.sense.response, 0xf0);
	assert_int_equal(rig->command.sense.information[2], 0x12);
	assert_int_equal(rig->command.sense.information[3], 0x34);
	rig->write_fails = true;
	run(rig, CDB(0x2a, 0, 0, 0, 0x12, 0x34, 0, 0, 8));
	assert_sense(rig, SCSI_SENSE_MEDIUM_ERROR, SCSI_ASC_WRITE_ERROR);
}

/* In the middle of a piece: that block and none before it, whose data are there. */
static void the_bad_block_is_named_and_no_other(void **state)
{
	struct rig *rig = *state;

	memset(rig->buffer, 0x5a, 256 * 512);
	run(rig, CDB(0x2a, 0, 0, 0, 0x10, 0, 0, 1, 0));
	assert_good(rig, 256 * 512);
	memset(rig->buffer, 0xee, 256 * 512);
	rig->bad_at = 0x10a5 * 512 + 17;
	run(rig, CDB(0x28, 0, 0, 0, 0x10, 0, 0, 1, 0));
	assert_sense(rig, SCSI_SENSE_MEDIUM_ERROR, SCSI_ASC_UNRECOVERED_READ_ERROR);
	assert_int_equal(rig->command.sense.response, 0xf0);
	assert_memory_equal(rig->command.sense.information, "\x00\x00\x10\xa5", 4);
	assert_int_equal(rig->command.transferred, 0xa5 * 512);
	assert_int_equal(rig->buffer[0xa5 * 512 - 1], 0x5a);
	assert_int_equal(rig->buffer[0xa5 * 512], 0xee);
	run(rig, CDB(0x2a, 0, 0, 0, 0x10, 0, 0, 1, 0));
	assert_sense(rig, SCSI_SENSE_MEDIUM_ERROR, SCSI_ASC_WRITE_ERROR);
	assert_memory_equal(rig->command.sense.information, "\x00\x00\x10\xa5", 4);
	assert_int_equal(rig->command.transferred, 0xa5 * 512);
	run(rig, CDB(0x2f, 0, 0, 0, 0x10, 0xa4, 0, 0, 4));
	assert_sense(rig, SCSI_SENSE_MEDIUM_ERROR, SCSI_ASC_UNRECOVERED_READ_ERROR);
	assert_int_equal(rig->command.sense.information[3], 0xa5);
	rig->bad_at = 0;
	run(rig, CDB(0x28, 0, 0, 0, 0x10, 0, 0, 1, 0));
	assert_good(rig, 256 * 512);
}

/* The blocks before the one that fails are moved, and no other. */
static void trouble_strikes_at_its_block(void **state)
{
	struct rig *rig = *state;

	memset(rig->buffer, 0x5a, 8 * 512);
	run(rig, CDB(0x2a, 0, 0, 0, 0, 0x10, 0, 0, 8));
	memset(rig->buffer, 0xa5, 8 * 512);
	rig->command.fail_at = 3;
	rig->command.cdb = CDB(0x2a, 0, 0, 0, 0, 0x10, 0, 0, 8);
	scsi_execute(&rig->unit, &rig->command);
	assert_sense(rig, SCSI_SENSE_MEDIUM_ERROR, SCSI_ASC_WRITE_ERROR);
	assert_int_equal(rig->command.sense.information[3], 0x13);
	assert_int_equal(rig->command.transferred, 3 * 512);
	assert_int_equal(image_byte(rig, 0x12 * 512 + 511), 0xa5);
	assert_int_equal(image_byte(rig, 0x13 * 512), 0x5a);
	rig->command.cdb = CDB(0x28, 0, 0, 0, 0, 0x10, 0, 0, 8);
	rig->command.fail_at = 0;
	scsi_execute(&rig->unit, &rig->command);
	assert_sense(rig, SCSI_SENSE_MEDIUM_ERROR, SCSI_ASC_UNRECOVERED_READ_ERROR);
	assert_int_equal(rig->command.transferred, 0);
}

static void a_protected_disk_is_read_and_not_written(void **state)
{
	static const uint8_t writes[][16] = {
		{0x0a, 0, 0, 0, 1},
		{0x2a, 0, 0, 0, 0, 0, 0, 0, 1},
		{0xaa},
		{0x8a, 0, 0, 0, 0, 0},
		{0x41, 0, 0, 0, 0, 0, 0, 0, 1},
		{0x93},
		{0x42, 0, 0, 0, 0, 0, 0, 0, 24},
	};
	const struct hvh_unit_config config = {.read_only = true};
	struct rig *rig = rig_create(&config, MIB);

	(void)state;
	for (uint32_t n = 0; n < sizeof writes / sizeof writes[0]; n++) {
		run(rig, writes[n]);
		assert_sense(rig, SCSI_SENSE_DATA_PROTECT, SCSI_ASC_WRITE_PROTECTED);
	}
	assert_int_equal(rig->writes + rig->discards, 0);
	run(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_good(rig, 512);
	run(rig, CDB(0x1a, 0, 0x3f, 0, 0xff));
	assert_int_equal(rig->buffer[2], 0x90);
	rig_destroy(rig);
}

static void verify_compares_if_asked_to(void **state)
{
	struct rig *rig = *state;

	fill(rig->buffer, 4096, 9);
	run(rig, CDB(0x2a, 0, 0, 0, 0, 4, 0, 0, 8));
	run(rig, CDB(0x2f, 0x02, 0, 0, 0, 4, 0, 0, 8));
	assert_good(rig, 4096);
	rig->buffer[4095] ^= 1;
	run(rig, CDB(0x8f, 0x02, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 8));
	assert_sense(rig, SCSI_SENSE_MISCOMPARE, SCSI_ASC_MISCOMPARE);
	run_length(rig, CDB(0x2f, 0, 0, 0, 0, 4, 0, 0, 8), 10, 0);
	assert_good(rig, 0);
	run_length(rig, CDB(0x2f, 0x02, 0, 0, 0, 4, 0, 0, 8), 10, 100);
	assert_int_equal(rig->command.outcome, SCSI_OVERRUN);
	rig->read_fails = true;
	run_length(rig, CDB(0x2f, 0, 0, 0, 0, 4, 0, 0, 8), 10, 0);
	assert_sense(rig, SCSI_SENSE_MEDIUM_ERROR, SCSI_ASC_UNRECOVERED_READ_ERROR);
}

/* --- Unit attentions ---------------------------------------------------------------------------- */

static void unit_attentions_come_once_in_order_and_not_to_all(void **state)
{
	struct rig *rig = *state;

	assert_true(scsi_unit_resize(&rig->unit, 8 * MIB));
	assert_true(scsi_unit_resize(&rig->unit, 4 * MIB));
	scsi_unit_attention(&rig->unit, SCSI_ASC_REPORTED_LUNS_CHANGED);
	run(rig, CDB(0x12, 0, 0, 0, 36));
	assert_good(rig, 36);
	run(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_sense(rig, SCSI_SENSE_UNIT_ATTENTION, SCSI_ASC_CAPACITY_HAS_CHANGED);
	assert_int_equal(rig->command.transferred, 0);
	run(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_sense(rig, SCSI_SENSE_UNIT_ATTENTION, SCSI_ASC_REPORTED_LUNS_CHANGED);
	run(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_good(rig, 512);
	scsi_unit_attention(&rig->unit, SCSI_ASC_REPORTED_LUNS_CHANGED);
	run(rig, CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16));
	run(rig, CDB(0x00));
	assert_good(rig, 0);
	/* A command that is no good hears nothing of it. */
	scsi_unit_reset(&rig->unit);
	run(rig, CDB(0x5e));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_OPERATION_CODE);
	run(rig, CDB(0x03, 0, 0, 0, 252));
	assert_good(rig, 18);
	assert_int_equal(rig->buffer[2], SCSI_SENSE_UNIT_ATTENTION);
	assert_int_equal(rig->buffer[12], 0x29);
	run(rig, CDB(0x03, 0, 0, 0, 252));
	assert_int_equal(rig->buffer[2], 0);
	run(rig, CDB(0x03, 1, 0, 0, 252));
	assert_bad_field(rig, 1);
}

static void a_resized_disk_has_its_new_end(void **state)
{
	struct rig *rig = *state;

	assert_false(scsi_unit_resize(&rig->unit, 1000));
	assert_false(scsi_unit_resize(&rig->unit, 0));
	rig->resize_fails = true;
	assert_false(scsi_unit_resize(&rig->unit, 32 * MIB));
	run(rig, CDB(0x2a, 0, 0, 0, 0xff, 0xff, 0, 0, 1));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
	rig->resize_fails = false;
	assert_true(scsi_unit_resize(&rig->unit, 32 * MIB));
	assert_int_equal(rig->size, 32 * MIB);
	run(rig, CDB(0x00));
	assert_sense(rig, SCSI_SENSE_UNIT_ATTENTION, SCSI_ASC_CAPACITY_HAS_CHANGED);
	run(rig, CDB(0x2a, 0, 0, 0, 0xff, 0xff, 0, 0, 1));
	assert_good(rig, 512);
	assert_true(scsi_unit_resize(&rig->unit, 32 * MIB)); /* as it is: nothing to hear of */
	run(rig, CDB(0x00));
	assert_good(rig, 0);
	assert_true(scsi_unit_resize(&rig->unit, MIB));
	run(rig, CDB(0x00));
	run(rig, CDB(0x28, 0, 0, 0, 0x08, 0x00, 0, 0, 1));
	assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
}

static void a_stopped_disk_waits_for_a_start(void **state)
{
	struct rig *rig = *state;

	run(rig, CDB(0x1b, 0, 0, 0, 0));
	assert_good(rig, 0);
	run(rig, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1));
	assert_sense(rig, SCSI_SENSE_NOT_READY, SCSI_ASC_STOPPED);
	run(rig, CDB(0x12, 0, 0, 0, 36));
	assert_good(rig, 36);
	run(rig, CDB(0x1b, 0, 0, 0, 1));
	assert_good(rig, 0);
	run(rig, CDB(0x00));
	assert_good(rig, 0);
	run(rig, CDB(0x1b, 0, 0, 0, 2)); /* a disk is not ejected */
	assert_bad_field(rig, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_form_moves_the_same_blocks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(six_byte_forms_mean_256_by_0_and_others_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(blocks_beyond_the_end_are_out_of_range, set_up, tear_down),
		cmocka_unit_test_setup_teardown(transfers_have_a_longest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_buffer_too_small_is_an_overrun_and_nothing_moves, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(reserved_bits_are_refused_each, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unknown_commands_and_short_ones_are_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(supported_commands_are_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(capacity_is_told, set_up, tear_down),
		cmocka_unit_test(a_disk_of_more_than_2_tib_says_so),
		cmocka_unit_test(a_4kn_disk_counts_in_4096),
		cmocka_unit_test(impossible_sizes_make_no_disk),
		cmocka_unit_test_setup_teardown(bytes_are_safe_when_they_are_said_to_be, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_the_blocks_that_are_named_are_flushed, set_up,
						tear_down),
		cmocka_unit_test(a_disk_without_a_cache_writes_through),
		cmocka_unit_test_setup_teardown(a_flush_that_fails_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(errors_of_the_medium_name_their_block, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_bad_block_is_named_and_no_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(trouble_strikes_at_its_block, set_up, tear_down),
		cmocka_unit_test(a_protected_disk_is_read_and_not_written),
		cmocka_unit_test_setup_teardown(verify_compares_if_asked_to, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unit_attentions_come_once_in_order_and_not_to_all, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_resized_disk_has_its_new_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stopped_disk_waits_for_a_start, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
