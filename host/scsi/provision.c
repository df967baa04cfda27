/* SPDX-License-Identifier: MIT */
/* UNMAP and WRITE SAME. */
#include "command.h"

#define HEADER sizeof(struct scsi_unmap_header)
#define DESCRIPTOR sizeof(struct scsi_unmap_descriptor)
#define LIST_MAX (HEADER + SCSI_UNMAP_DESCRIPTORS_MAX * DESCRIPTOR)

static bool write_blocks(struct scsi_unit *unit, uint64_t offset, uint64_t length)
{
	while (length > 0) {
		uint32_t part = length < SCSI_PIECE ? (uint32_t)length : SCSI_PIECE;

		if (!unit->image.write(unit->image.context, offset, unit->piece, part))
			return false;
		offset += part;
		length -= part;
	}
	return true;
}

/* The piece is free for use. */
static bool discard(struct scsi_unit *unit, uint64_t lba, uint64_t count)
{
	uint64_t offset = lba * unit->block_size, length = count * unit->block_size;

	if (unit->image.discard != NULL)
		return unit->image.discard(unit->image.context, offset, length);
	memset(unit->piece, 0, SCSI_PIECE);
	return write_blocks(unit, offset, length);
}

static void written(struct scsi_unit *unit, struct scsi_command *command, bool good, uint64_t lba)
{
	if (!good || command->fail_at != SCSI_NO_FAILURE)
		scsi_bad_block(command, SCSI_ASC_WRITE_ERROR, lba);
	else if (!unit->write_cache)
		scsi_flush(unit, command);
}

/* --- UNMAP -------------------------------------------------------------------------------- */

static bool check_descriptors(const struct scsi_unit *unit, struct scsi_command *command, const uint8_t *list,
			      uint32_t count)
{
	uint64_t total = 0;

	for (uint32_t n = 0; n < count; n++) {
		const uint8_t *at = list + HEADER + n * DESCRIPTOR;
		uint64_t lba = scsi_get64(at);
		uint32_t blocks = scsi_get32(at + 8);

		if (lba > unit->blocks || blocks > unit->blocks - lba) {
			scsi_check(command, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
			return false;
		}
		total += blocks;
	}
	if (total <= SCSI_UNMAP_BYTES_MAX / unit->block_size)
		return true;
	scsi_bad_parameter(command, HEADER + 8);
	return false;
}

/* How many descriptors there are; an incomplete last one does not count. */
static bool count_descriptors(struct scsi_command *command, const uint8_t *list, uint32_t length,
			      uint32_t *count)
{
	uint32_t data = scsi_get16(list), descriptors = scsi_get16(list + 2);

	if (data > length - 2 || descriptors > length - HEADER) {
		scsi_check(command, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_PARAMETER_LENGTH);
		return false;
	}
	if (data < descriptors + 6) {
		scsi_bad_parameter(command, 0);
		return false;
	}
	*count = descriptors / DESCRIPTOR;
	return true;
}

void scsi_unmap(struct scsi_unit *unit, struct scsi_command *command)
{
	uint32_t length = scsi_get16(command->cdb + 7), count = 0;
	uint8_t list[LIST_MAX];

	if (length == 0)
		return;
	if (length < HEADER) {
		scsi_check(command, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_PARAMETER_LENGTH);
		return;
	}
	if (length > LIST_MAX) { /* more descriptors than the block limits page allows */
		scsi_bad_field(command, 7);
		return;
	}
	if (!scsi_take(command, 0, list, length) || !count_descriptors(command, list, length, &count) ||
	    !check_descriptors(unit, command, list, count))
		return;
	command->transferred = length;
	for (uint32_t n = 0; n < count && command->status == SCSI_STATUS_GOOD; n++) {
		const uint8_t *at = list + HEADER + n * DESCRIPTOR;

		written(unit, command, discard(unit, scsi_get64(at), scsi_get32(at + 8)), scsi_get64(at));
	}
}

/* --- WRITE SAME --------------------------------------------------------------------------- */

static bool all_zero(const uint8_t *bytes, uint32_t count)
{
	for (uint32_t n = 0; n < count; n++)
		if (bytes[n] != 0)
			return false;
	return true;
}

/* The block into the piece, again and again. */
static bool take_pattern(struct scsi_unit *unit, struct scsi_command *command)
{
	bool none = command->cdb[0] == SCSI_WRITE_SAME_16 && (command->cdb[1] & SCSI_CDB_NO_DATA_OUT) != 0;

	if (none) {
		memset(unit->piece, 0, SCSI_PIECE);
		return true;
	}
	if (!scsi_take(command, 0, unit->piece, unit->block_size))
		return false;
	command->transferred = unit->block_size;
	for (uint32_t at = unit->block_size; at < SCSI_PIECE; at += unit->block_size)
		memcpy(unit->piece + at, unit->piece, unit->block_size);
	return true;
}

/* Unmapped blocks read as zeros: with other data than that they are written. */
void scsi_write_same(struct scsi_unit *unit, struct scsi_command *command)
{
	bool is_long = command->cdb[0] == SCSI_WRITE_SAME_16, good;
	uint64_t lba = is_long ? scsi_get64(command->cdb + 2) : scsi_get32(command->cdb + 2);
	uint32_t count = is_long ? scsi_get32(command->cdb + 10) : scsi_get16(command->cdb + 7);

	if (lba >= unit->blocks || count > unit->blocks - lba) {
		scsi_check(command, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
		return;
	}
	if ((command->cdb[1] & SCSI_CDB_UNMAP) != 0 && !unit->unmaps) {
		scsi_bad_field(command, 1);
		return;
	}
	if (count == 0 || count > SCSI_WRITE_SAME_BYTES_MAX / unit->block_size) {
		scsi_bad_field(command, is_long ? 10 : 7);
		return;
	}
	if (!take_pattern(unit, command))
		return;
	if ((command->cdb[1] & SCSI_CDB_UNMAP) != 0 && all_zero(unit->piece, unit->block_size))
		good = discard(unit, lba, count);
	else
		good = write_blocks(unit, lba * unit->block_size, (uint64_t)count * unit->block_size);
	command->work.writes = 1;
	command->work.write_bytes = good ? (uint64_t)count * unit->block_size : 0;
	written(unit, command, good, lba);
}
