/* SPDX-License-Identifier: MIT */
/* READ, WRITE, VERIFY and SYNCHRONIZE CACHE: blocks between buffer and image, piece by piece. */
#include "command.h"

struct extent {
	uint64_t lba;
	uint32_t count;
};

static struct extent extent_of(const uint8_t *cdb)
{
	switch (cdb[0] >> 5) {
	case 0: /* six bytes: 0 blocks mean 256 */
		return (struct extent){scsi_get32(cdb) & 0x1fffff, cdb[4] != 0 ? cdb[4] : 256u};
	case 4:
		return (struct extent){scsi_get64(cdb + 2), scsi_get32(cdb + 10)};
	case 5:
		return (struct extent){scsi_get32(cdb + 2), scsi_get32(cdb + 6)};
	default:
		return (struct extent){scsi_get32(cdb + 2), scsi_get16(cdb + 7)};
	}
}

static bool check_extent(const struct scsi_unit *unit, struct scsi_command *command, struct extent extent)
{
	if (extent.lba < unit->blocks && extent.count <= unit->blocks - extent.lba)
		return true;
	scsi_check(command, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
	return false;
}

/* Where the number of blocks is. */
static uint32_t length_byte(const uint8_t *cdb)
{
	static const uint8_t bytes[8] = {4, 7, 7, 7, 10, 6, 7, 7}; /* by group of operation codes */

	return bytes[cdb[0] >> 5];
}

/* No more at once than the block limits page says. */
static bool check_length(const struct scsi_unit *unit, struct scsi_command *command, struct extent extent)
{
	if (extent.count <= unit->transfer_max / unit->block_size)
		return true;
	scsi_bad_field(command, length_byte(command->cdb));
	return false;
}

static bool check_buffer(const struct scsi_unit *unit, struct scsi_command *command, struct extent extent)
{
	if ((uint64_t)extent.count * unit->block_size <= command->length)
		return true;
	command->outcome = SCSI_OVERRUN;
	return false;
}

/* How much of what is left goes at once: a piece, or what there is before the block that fails. */
static uint32_t next_piece(const struct scsi_command *command, uint32_t done, uint32_t count, uint32_t most)
{
	uint32_t left = count - done;

	if (command->fail_at < count && command->fail_at - done < left)
		left = command->fail_at - done;
	return left < most ? left : most;
}

/* One piece of a transfer. False: it failed, which has been said. */
typedef bool transfer_step(struct scsi_unit *unit, struct scsi_command *command, uint64_t lba, uint32_t at,
			   uint32_t length);

/* A piece could not be had: its blocks are tried one by one, so that the right one is named. */
static bool forgive(struct scsi_command *command, uint32_t blocks)
{
	if (blocks == 1 || command->outcome != SCSI_DONE || command->sense.key != SCSI_SENSE_MEDIUM_ERROR)
		return false;
	command->status = SCSI_STATUS_GOOD;
	command->sense_length = 0;
	memset(&command->sense, 0, sizeof command->sense);
	return true;
}

static void transfer(struct scsi_unit *unit, struct scsi_command *command, struct extent extent,
		     transfer_step *step, uint16_t failure)
{
	uint32_t done = 0, most = SCSI_PIECE / unit->block_size;

	while (done < extent.count) {
		uint32_t blocks = next_piece(command, done, extent.count, most);

		if (blocks == 0) {
			scsi_bad_block(command, failure, extent.lba + done);
			return;
		}
		if (step(unit, command, extent.lba + done, done * unit->block_size,
			 blocks * unit->block_size)) {
			done += blocks;
			command->transferred = done * unit->block_size;
		} else if (forgive(command, blocks)) {
			most = 1;
		} else {
			return;
		}
	}
}

static bool read_image(struct scsi_unit *unit, struct scsi_command *command, uint64_t lba, uint32_t length)
{
	if (unit->image.read(unit->image.context, lba * unit->block_size, unit->piece, length))
		return true;
	scsi_bad_block(command, SCSI_ASC_UNRECOVERED_READ_ERROR, lba);
	return false;
}

static bool read_piece(struct scsi_unit *unit, struct scsi_command *command, uint64_t lba, uint32_t at,
		       uint32_t length)
{
	return read_image(unit, command, lba, length) && scsi_give(command, at, unit->piece, length);
}

static bool write_piece(struct scsi_unit *unit, struct scsi_command *command, uint64_t lba, uint32_t at,
			uint32_t length)
{
	if (!scsi_take(command, at, unit->piece, length))
		return false;
	if (unit->image.write(unit->image.context, lba * unit->block_size, unit->piece, length))
		return true;
	scsi_bad_block(command, SCSI_ASC_WRITE_ERROR, lba);
	return false;
}

/* --- The cache ---------------------------------------------------------------------------- */

static bool flushed(struct scsi_command *command, bool good)
{
	command->work.flushes++;
	if (good)
		return true;
	scsi_check(command, SCSI_SENSE_MEDIUM_ERROR, SCSI_ASC_WRITE_ERROR);
	return false;
}

bool scsi_flush(struct scsi_unit *unit, struct scsi_command *command)
{
	return flushed(command,
		       command->fail_at == SCSI_NO_FAILURE && unit->image.flush(unit->image.context));
}

bool scsi_flush_blocks(struct scsi_unit *unit, struct scsi_command *command, uint64_t lba, uint64_t count)
{
	if (unit->image.flush_range == NULL)
		return scsi_flush(unit, command);
	return flushed(command, command->fail_at == SCSI_NO_FAILURE &&
					unit->image.flush_range(unit->image.context, lba * unit->block_size,
								count * unit->block_size));
}

static bool flush_extent(struct scsi_unit *unit, struct scsi_command *command, struct extent extent)
{
	return extent.count == 0 || scsi_flush_blocks(unit, command, extent.lba, extent.count);
}

/* --- READ and WRITE ----------------------------------------------------------------------- */

void scsi_read(struct scsi_unit *unit, struct scsi_command *command)
{
	struct extent extent = extent_of(command->cdb);
	/* FUA: what is read is to be on the medium, and not only in the cache. */
	bool from_medium = command->cdb[0] >> 5 != 0 && (command->cdb[1] & SCSI_CDB_FUA) != 0;

	if (!check_extent(unit, command, extent) || !check_length(unit, command, extent) ||
	    !check_buffer(unit, command, extent))
		return;
	if (from_medium && !unit->image.read_only && !unit->read_only && !flush_extent(unit, command, extent))
		return;
	transfer(unit, command, extent, read_piece, SCSI_ASC_UNRECOVERED_READ_ERROR);
	command->work.reads = 1;
	command->work.read_bytes = command->transferred;
}

void scsi_write(struct scsi_unit *unit, struct scsi_command *command)
{
	struct extent extent = extent_of(command->cdb);
	bool through = !unit->write_cache;

	if (command->cdb[0] >> 5 != 0 && (command->cdb[1] & SCSI_CDB_FUA) != 0)
		through = true;
	if (!check_extent(unit, command, extent) || !check_length(unit, command, extent) ||
	    !check_buffer(unit, command, extent))
		return;
	transfer(unit, command, extent, write_piece, SCSI_ASC_WRITE_ERROR);
	command->work.writes = 1;
	command->work.write_bytes = command->transferred;
	if (through && command->status == SCSI_STATUS_GOOD && command->outcome == SCSI_DONE)
		flush_extent(unit, command, extent);
}

/* --- VERIFY ----------------------------------------------------------------------------- */

#define CDB_BYTE_CHECK 0x02u
#define COMPARE_AT_ONCE 512u

static bool verify_piece(struct scsi_unit *unit, struct scsi_command *command, uint64_t lba, uint32_t at,
			 uint32_t length)
{
	uint8_t theirs[COMPARE_AT_ONCE];

	if (!read_image(unit, command, lba, length))
		return false;
	if ((command->cdb[1] & CDB_BYTE_CHECK) == 0)
		return true;
	for (uint32_t n = 0; n < length; n += COMPARE_AT_ONCE) {
		if (!scsi_take(command, at + n, theirs, COMPARE_AT_ONCE))
			return false;
		if (memcmp(theirs, unit->piece + n, COMPARE_AT_ONCE) != 0) {
			scsi_check(command, SCSI_SENSE_MISCOMPARE, SCSI_ASC_MISCOMPARE);
			return false;
		}
	}
	return true;
}

void scsi_verify(struct scsi_unit *unit, struct scsi_command *command)
{
	struct extent extent = extent_of(command->cdb);
	bool compare = (command->cdb[1] & CDB_BYTE_CHECK) != 0;

	if (!check_extent(unit, command, extent) || !check_length(unit, command, extent) ||
	    (compare && !check_buffer(unit, command, extent)))
		return;
	transfer(unit, command, extent, verify_piece, SCSI_ASC_UNRECOVERED_READ_ERROR);
	if (!compare)
		command->transferred = 0;
}

/* --- SYNCHRONIZE CACHE -------------------------------------------------------------------- */

/* No blocks mean all to the end. What is elsewhere stays in the cache: a guest that counts on more than
 * it has asked for is to lose it. IMMED is an offer that need not be taken. */
void scsi_synchronize_cache(struct scsi_unit *unit, struct scsi_command *command)
{
	struct extent extent = extent_of(command->cdb);

	if (!check_extent(unit, command, extent))
		return;
	if (extent.count == 0 && extent.lba == 0)
		scsi_flush(unit, command);
	else
		scsi_flush_blocks(unit, command, extent.lba,
				  extent.count != 0 ? extent.count : unit->blocks - extent.lba);
}
