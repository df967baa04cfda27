/* SPDX-License-Identifier: MIT */
/* A SCSI unit on an image in memory, and commands by hand. */
#ifndef HOST_SCSI_H
#define HOST_SCSI_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/scsi/scsi.h"

#define BUFFER (1u << 20)
#define MIB (1ull << 20)
#define CDB(...) ((const uint8_t[SCSI_CDB_MAX]){__VA_ARGS__})

struct rig {
	struct scsi_unit unit;
	struct scsi_command command;
	struct hvh_image memory; /* behind; flushes and failures are watched */
	uint32_t flushes, writes, discards;
	bool read_fails, write_fails, flush_fails, resize_fails, memory_gone;
	uint64_t bad_at; /* the byte that can be neither read nor written; 0: all can */
	uint64_t flushed_from, flushed_bytes, size; /* the range flushed last, the size set last */
	uint8_t buffer[BUFFER];
};

static inline bool rig_is_bad(const struct rig *rig, uint64_t offset, uint32_t length)
{
	return rig->bad_at != 0 && offset <= rig->bad_at && rig->bad_at - offset < length;
}

static bool rig_read(void *context, uint64_t offset, void *data, uint32_t length)
{
	struct rig *rig = context;

	assert_true(offset + length <= rig->unit.image.size);
	return !rig->read_fails && !rig_is_bad(rig, offset, length) &&
	       rig->memory.read(rig->memory.context, offset, data, length);
}

static bool rig_write(void *context, uint64_t offset, const void *data, uint32_t length)
{
	struct rig *rig = context;

	assert_true(offset + length <= rig->unit.image.size);
	rig->writes++;
	return !rig->write_fails && !rig_is_bad(rig, offset, length) &&
	       rig->memory.write(rig->memory.context, offset, data, length);
}

static bool rig_flush(void *context)
{
	struct rig *rig = context;

	rig->flushes++;
	return !rig->flush_fails;
}

static bool rig_flush_range(void *context, uint64_t offset, uint64_t length)
{
	struct rig *rig = context;

	assert_true(length > 0 && offset + length <= rig->unit.image.size);
	rig->flushed_from = offset;
	rig->flushed_bytes = length;
	return rig_flush(rig);
}

static bool rig_resize(void *context, uint64_t size)
{
	struct rig *rig = context;

	rig->size = size;
	return !rig->resize_fails && rig->memory.resize(rig->memory.context, size);
}

static bool rig_discard(void *context, uint64_t offset, uint64_t length)
{
	struct rig *rig = context;

	assert_true(offset + length <= rig->unit.image.size);
	rig->discards++;
	return rig->memory.discard(rig->memory.context, offset, length);
}

static void rig_close(void *context)
{
	struct rig *rig = context;

	rig->memory.close(rig->memory.context);
}

static bool rig_get(void *context, uint32_t offset, void *to, uint32_t length)
{
	struct rig *rig = context;

	assert_true(offset + length <= rig->command.length);
	memcpy(to, rig->buffer + offset, length);
	return !rig->memory_gone;
}

static bool rig_put(void *context, uint32_t offset, const void *from, uint32_t length)
{
	struct rig *rig = context;

	assert_true(offset + length <= rig->command.length);
	memcpy(rig->buffer + offset, from, length);
	return !rig->memory_gone;
}

static inline struct hvh_image rig_image(struct rig *rig, uint64_t size)
{
	assert_true(hvh_image_memory(size, &rig->memory));
	return (struct hvh_image){.context = rig,
				  .size = size,
				  .read = rig_read,
				  .write = rig_write,
				  .flush = rig_flush,
				  .discard = rig_discard,
				  .close = rig_close,
				  .flush_range = rig_flush_range,
				  .resize = rig_resize};
}

static inline struct rig *rig_create(const struct hvh_unit_config *config, uint64_t size)
{
	struct rig *rig = calloc(1, sizeof *rig);
	struct hvh_image image;

	assert_non_null(rig);
	if (size == 0) {
		assert_true(scsi_unit_create(&rig->unit, config, NULL, "S1", 262144));
		return rig;
	}
	image = rig_image(rig, size);
	assert_true(scsi_unit_create(&rig->unit, config, &image, "S1", 262144));
	return rig;
}

static inline void rig_destroy(struct rig *rig)
{
	scsi_unit_destroy(&rig->unit);
	free(rig);
}

/* Runs one with a buffer of so many bytes. */
static inline void run_length(struct rig *rig, const uint8_t *cdb, uint8_t cdb_length, uint32_t length)
{
	rig->command.cdb = cdb;
	rig->command.cdb_length = cdb_length;
	rig->command.length = length;
	rig->command.get = rig_get;
	rig->command.put = rig_put;
	rig->command.context = rig;
	rig->command.fail_at = SCSI_NO_FAILURE;
	scsi_execute(&rig->unit, &rig->command);
}

static inline uint8_t cdb_length(uint8_t opcode)
{
	static const uint8_t lengths[8] = {6, 10, 10, 6, 16, 12, 6, 6};

	return lengths[opcode >> 5];
}

static inline void run(struct rig *rig, const uint8_t *cdb)
{
	run_length(rig, cdb, cdb_length(cdb[0]), BUFFER);
}

#define assert_good(rig, bytes)                                            \
	do {                                                               \
		assert_int_equal((rig)->command.outcome, SCSI_DONE);       \
		assert_int_equal((rig)->command.status, SCSI_STATUS_GOOD); \
		assert_int_equal((rig)->command.sense_length, 0);          \
		assert_int_equal((rig)->command.transferred, bytes);       \
	} while (0)

#define assert_sense(rig, wanted_key, asc)                                            \
	do {                                                                          \
		const struct scsi_sense *s_ = &(rig)->command.sense;                  \
		assert_int_equal((rig)->command.outcome, SCSI_DONE);                  \
		assert_int_equal((rig)->command.status, SCSI_STATUS_CHECK_CONDITION); \
		assert_int_equal((rig)->command.sense_length, 18);                    \
		assert_int_equal(s_->response & 0x7f, 0x70);                          \
		assert_int_equal(s_->additional_length, 10);                          \
		assert_int_equal(s_->key, wanted_key);                                \
		assert_int_equal(s_->code << 8 | s_->qualifier, asc);                 \
	} while (0)

/* INVALID FIELD IN CDB, at that byte. */
#define assert_bad_field(rig, byte)                                                           \
	do {                                                                                  \
		assert_sense(rig, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_CDB); \
		assert_int_equal((rig)->command.sense.key_specific[0], 0xc0);                 \
		assert_int_equal((rig)->command.sense.key_specific[2], byte);                 \
	} while (0)

static inline void fill(uint8_t *bytes, uint32_t count, uint32_t seed)
{
	for (uint32_t n = 0; n < count; n++)
		bytes[n] = (uint8_t)((n * 2654435761u + seed * 40503u) >> 13);
}

static inline uint8_t image_byte(struct rig *rig, uint64_t at)
{
	uint8_t byte = 0;

	assert_true(rig->memory.read(rig->memory.context, at, &byte, 1));
	return byte;
}

#endif
