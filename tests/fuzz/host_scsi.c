/* SPDX-License-Identifier: MIT */
/*
 * SCSI units as functions: a disk, a disk of 4096-byte blocks, a read-only one and a CD-ROM, and commands.
 * Header: which unit. Operations: {a CDB by itself, or an event}; what must hold is checked after each.
 */
#include "host/scsi/scsi.h"
#include "tests/fuzz/input.h"

#define BUFFER 300000u
#define SIZE (256u << 10)

struct target {
	struct scsi_unit unit;
	struct hvh_image memory;
	uint8_t *buffer;
	uint32_t length;
	bool bad_memory;
};

static bool image_read(void *context, uint64_t offset, void *data, uint32_t length)
{
	struct target *target = context;

	FUZZ_CHECK(length > 0 && offset <= target->unit.image.size &&
		   length <= target->unit.image.size - offset);
	return target->memory.read(target->memory.context, offset, data, length);
}

static bool image_write(void *context, uint64_t offset, const void *data, uint32_t length)
{
	struct target *target = context;

	FUZZ_CHECK(!target->unit.read_only && length > 0 && offset <= target->unit.image.size &&
		   length <= target->unit.image.size - offset);
	return target->memory.write(target->memory.context, offset, data, length);
}

static bool image_flush(void *context)
{
	(void)context;
	return true;
}

static bool image_discard(void *context, uint64_t offset, uint64_t length)
{
	struct target *target = context;

	FUZZ_CHECK(!target->unit.read_only && offset <= target->unit.image.size &&
		   length <= target->unit.image.size - offset);
	return target->memory.discard(target->memory.context, offset, length);
}

/* A buffer of exactly its length, so that the sanitizer sees a byte beyond it. */
static bool get(void *context, uint32_t offset, void *to, uint32_t length)
{
	struct target *target = context;

	FUZZ_CHECK(offset <= target->length && length <= target->length - offset);
	memcpy(to, target->buffer + offset, length);
	return !target->bad_memory;
}

static bool put(void *context, uint32_t offset, const void *from, uint32_t length)
{
	struct target *target = context;

	FUZZ_CHECK(offset <= target->length && length <= target->length - offset);
	memcpy(target->buffer + offset, from, length);
	return !target->bad_memory;
}

static struct hvh_image image_of(struct target *target)
{
	return (struct hvh_image){.context = target,
				  .size = SIZE,
				  .read = image_read,
				  .write = image_write,
				  .flush = image_flush,
				  .discard = image_discard};
}

static void check(const struct target *target, const struct scsi_command *command)
{
	FUZZ_CHECK(command->transferred <= target->length);
	FUZZ_CHECK(target->unit.attention_count <= SCSI_ATTENTIONS_MAX);
	FUZZ_CHECK(command->outcome == SCSI_DONE || command->transferred == 0);
	if (command->outcome != SCSI_DONE)
		return;
	FUZZ_CHECK(command->status == SCSI_STATUS_GOOD || command->status == SCSI_STATUS_CHECK_CONDITION);
	FUZZ_CHECK((command->sense_length != 0) == (command->status == SCSI_STATUS_CHECK_CONDITION));
	FUZZ_CHECK(command->status == SCSI_STATUS_GOOD || command->sense.key != 0);
}

/* {CDB of 16, its length, the buffer's length u32, the block that fails, the buffer's bytes} */
static void execute(struct target *target, struct fuzz_input *arguments)
{
	uint8_t cdb[SCSI_CDB_MAX];
	struct scsi_command command = {.cdb = cdb, .get = get, .put = put, .context = target, .luns = 5};

	for (uint32_t n = 0; n < sizeof(cdb); n++)
		cdb[n] = fuzz_u8(arguments);
	command.cdb_length = (uint8_t)(fuzz_u8(arguments) % 17u);
	command.length = fuzz_u32(arguments) % BUFFER;
	command.fail_at = fuzz_u8(arguments);
	if (command.fail_at >= 0x80u)
		command.fail_at = SCSI_NO_FAILURE;
	target->length = command.length;
	target->buffer = calloc(1, command.length + 1u);
	FUZZ_CHECK(target->buffer != NULL);
	memcpy(target->buffer, arguments->bytes,
	       arguments->left < command.length ? arguments->left : command.length);
	scsi_execute(&target->unit, &command);
	check(target, &command);
	(void)scsi_direction(&target->unit, cdb, SCSI_NONE);
	if (scsi_execute_absent(&command, (cdb[15] & 1u) != 0))
		check(target, &command);
	free(target->buffer);
}

static void happen(struct target *target, struct fuzz_input *arguments)
{
	const struct hvh_image image = image_of(target);
	uint8_t what = fuzz_u8(arguments);

	switch (what % 6u) {
	case 0:
		(void)scsi_unit_eject(&target->unit, (what & 0x80u) != 0);
		break;
	case 1:
		(void)scsi_unit_insert(&target->unit, &image);
		break;
	case 2:
		(void)scsi_unit_resize(&target->unit, fuzz_u16(arguments) * 512ull % SIZE);
		break;
	case 3:
		scsi_unit_reset(&target->unit);
		break;
	case 4:
		scsi_unit_attention(&target->unit, fuzz_u16(arguments));
		break;
	default:
		target->bad_memory = !target->bad_memory;
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size}, arguments;
	uint8_t kind = fuzz_u8(&input) % 4u, code;
	struct target *target = calloc(1, sizeof(*target));
	const struct hvh_unit_config config = {
		.cdrom = kind == 3, .read_only = kind == 2, .block_size = kind == 1 ? 4096 : 0};
	struct hvh_image image;

	FUZZ_CHECK(target != NULL && hvh_image_memory(SIZE, &target->memory));
	image = image_of(target);
	FUZZ_CHECK(scsi_unit_create(&target->unit, &config, &image, "fuzz", 131072));
	for (uint32_t n = 0; n < FUZZ_OPERATIONS_MAX && fuzz_operation(&input, &code, &arguments); n++) {
		if (code % 4u == 0)
			happen(target, &arguments);
		else
			execute(target, &arguments);
	}
	scsi_unit_destroy(&target->unit);
	target->memory.close(target->memory.context);
	free(target);
	return 0;
}
