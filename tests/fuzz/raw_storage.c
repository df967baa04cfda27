/* SPDX-License-Identifier: MIT */
/* The raw guest's storage controller: lawful steps, requests of all kinds, and what befalls its units. */
#include "tests/fuzz/raw_guest.h"

#include "hvkit/wire/vstor.h"

#define PACKET 64u
#define PACKET_OLD 48u
#define SIZE_MAX_BLOCKS 2048u
#define PAGES_LISTED 70u
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Operation codes that there are; others come by themselves. */
static const uint8_t commands[] = {0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x1b, 0x1e, 0x25, 0x28,
				   0x2a, 0x2f, 0x35, 0x41, 0x42, 0x43, 0x46, 0x4a, 0x51, 0x55, 0x5a,
				   0x5e, 0x88, 0x8a, 0x8f, 0x91, 0x93, 0x9e, 0xa0, 0xa3, 0xa8, 0xaa};

static void add(struct raw_guest *guest, uint32_t target, uint32_t lun, uint8_t what)
{
	const struct hvh_unit_config config = {
		.cdrom = (what & 1u) != 0,
		.read_only = (what & 2u) != 0,
		.no_write_cache = (what & 4u) != 0,
		.block_size = what & 1u   ? 0
			      : what & 8u ? 4096
					  : 512,
	};
	struct hvh_image image;
	uint64_t size = (1u + what % 32u) * 32768ull;

	if ((what & 0x41u) == 0x41u) {
		(void)hvh_storage_add(guest->storage, guest->now, target, lun, &config, NULL);
		return;
	}
	FUZZ_CHECK(hvh_image_memory(size, &image));
	if (!hvh_storage_add(guest->storage, guest->now, target, lun, &config, &image))
		image.close(image.context);
}

void raw_create_storage(struct raw_guest *guest, bool ide, uint32_t seed)
{
	const struct hvh_storage_config config = {
		.class_ = ide ? HVH_STORAGE_IDE : HVH_STORAGE_SCSI,
		.queues_max = RAW_LINES,
		.transfer_max = seed % 3u == 0 ? 8192 : 0,
	};

	guest->storage = hvh_storage_create(guest->host, &config);
	FUZZ_CHECK(guest->storage != NULL);
	add(guest, 0, 0, (uint8_t)seed);
	add(guest, 0, 1, 1);
	add(guest, 1, 3, 8);
	memset(guest->shown, true, sizeof(guest->shown));
}

void raw_vstor(struct raw_guest *guest, uint32_t operation, const void *payload, uint32_t length)
{
	const struct vstor_header header = {operation, VSTOR_FLAG_REQUEST_COMPLETION, 0};
	uint8_t bytes[PACKET] = {0};

	memcpy(bytes, &header, sizeof(header));
	if (length != 0)
		memcpy(bytes + sizeof(header), payload, length);
	raw_packet(guest, VMBUS_PACKET_IN_BAND, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED, ++guest->transaction,
		   NULL, 0, bytes, sizeof(bytes));
	raw_pass(guest, HVH_TIME_PER_MS);
	raw_drain(guest);
}

void raw_vstor_negotiate(struct raw_guest *guest, bool subchannels)
{
	const struct hvh_profile *profile = &guest->profile;
	const struct vstor_version version = {
		(uint16_t)(profile->vstor_6_2 ? VSTOR_VERSION_6_2 : profile->vstor_newest), 0};
	const uint16_t count = RAW_LINES - 1u;

	raw_vstor(guest, VSTOR_OPERATION_BEGIN_INITIALIZATION, NULL, 0);
	raw_pass(guest, 10 * HVH_TIME_PER_MS);
	raw_vstor(guest, VSTOR_OPERATION_QUERY_PROTOCOL_VERSION, &version, sizeof(version));
	raw_pass(guest, 10 * HVH_TIME_PER_MS);
	raw_vstor(guest, VSTOR_OPERATION_QUERY_PROPERTIES, NULL, 0);
	raw_pass(guest, 10 * HVH_TIME_PER_MS);
	raw_vstor(guest, VSTOR_OPERATION_END_INITIALIZATION, NULL, 0);
	raw_pass(guest, 10 * HVH_TIME_PER_MS);
	raw_drain(guest);
	if (!subchannels || version.version < VSTOR_VERSION_5_1)
		return;
	raw_vstor(guest, VSTOR_OPERATION_CREATE_SUBCHANNELS, &count, sizeof(count));
	raw_open_subchannels(guest);
}

/* {type, flags, length, bytes}: in-band mostly; of any length; the header is as the fuzzer has it. */
void raw_op_vstor(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t how = fuzz_u8(arguments), operation = fuzz_u8(arguments);
	struct vstor_header header = {operation, VSTOR_FLAG_REQUEST_COMPLETION, 0};
	uint8_t bytes[256] = {0};
	uint32_t length = how & 4u ? PACKET_OLD : PACKET, left = (uint32_t)arguments->left;

	if (how & 1u)
		header.flags = fuzz_u32(arguments);
	if (how & 2u)
		length = fuzz_u8(arguments);
	memcpy(bytes, &header, sizeof(header));
	left = (uint32_t)arguments->left;
	memcpy(bytes + sizeof(header), arguments->bytes,
	       left < sizeof(bytes) - sizeof(header) ? left : sizeof(bytes) - sizeof(header));
	raw_packet(guest, VMBUS_PACKET_IN_BAND, how & 8u ? 0 : VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
		   ++guest->transaction, NULL, 0, bytes, length);
}

static struct vstor_request srb_of(const struct raw_guest *guest, uint8_t how, struct fuzz_input *arguments)
{
	struct vstor_request srb = {
		.length = sizeof(srb),
		.target = how & 0x10u ? 1 : 0,
		.lun = how & 0x20u   ? 3
		       : how & 0x40u ? 1
				     : 0,
		.cdb_length = VSTOR_CDB_SIZE,
		.sense_length = VSTOR_SENSE_SIZE,
	};
	uint8_t cdb[VSTOR_CDB_SIZE] = {0};

	(void)guest;
	srb.data_direction = fuzz_u8(arguments) % 3u;
	srb.data_length = fuzz_u32(arguments) % (PAGES_LISTED * HVK_PAGE_SIZE);
	srb.srb_flags = how & 2u ? VSTOR_SRB_QUEUE_ACTION_ENABLE : 0;
	srb.action = (uint8_t)(VSTOR_TAG_SIMPLE + (how >> 2) % 3u);
	cdb[0] = commands[fuzz_u8(arguments) % COMMANDS];
	for (uint32_t n = 1; n < VSTOR_CDB_SIZE; n++)
		cdb[n] = fuzz_u8(arguments);
	memcpy(srb.cdb_sense, cdb, sizeof(cdb));
	return srb;
}

/* A command: {how, direction, length u32, which, CDB}, then what replaces bytes of the request as pairs
 * {at, value}. how: 1 the list is made a little wrong, 2 tagged, 4 and 8 which tag, 0x10 to 0x40 the unit,
 * 0x80 data are elsewhere. */
void raw_op_srb(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t how = fuzz_u8(arguments), bytes[PACKET];
	const struct vstor_header header = {VSTOR_OPERATION_EXECUTE_SRB, VSTOR_FLAG_REQUEST_COMPLETION, 0};
	struct vstor_request srb = srb_of(guest, how, arguments);
	struct {
		struct vmbus_gpa_direct_header header;
		struct vmbus_gpa_range range;
		uint64_t pfns[PAGES_LISTED + 1];
	} list = {.header = {0, 1}, .range = {srb.data_length, how & 0x80u ? 1000 : 0}};
	uint32_t pages = (list.range.byte_offset + srb.data_length + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE;

	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), &srb, sizeof(srb));
	for (uint32_t n = 0; n < pages; n++)
		list.pfns[n] = RAW_DATA + n % RAW_DATA_PAGES;
	if (how & 1u) {
		list.header.range_count = fuzz_u8(arguments);
		list.range.byte_count = fuzz_u32(arguments);
		list.range.byte_offset = fuzz_u16(arguments);
	}
	while (arguments->left >= 2) {
		uint8_t at = fuzz_u8(arguments);

		bytes[at % PACKET] = fuzz_u8(arguments);
	}
	if (pages == 0)
		raw_packet(guest, VMBUS_PACKET_IN_BAND, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
			   ++guest->transaction, NULL, 0, bytes, sizeof(bytes));
	else
		raw_packet(guest, VMBUS_PACKET_GPA_DIRECT, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
			   ++guest->transaction, &list, 16 + pages * 8, bytes, sizeof(bytes));
}

/* What a command that takes parameters finds. */
void raw_op_data(struct raw_guest *guest, struct fuzz_input *arguments)
{
	raw_write(guest, RAW_DATA * HVK_PAGE_SIZE, arguments->bytes, (uint32_t)arguments->left);
}

/* {what, target and LUN, number u32} */
void raw_op_unit(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t what = fuzz_u8(arguments), where = fuzz_u8(arguments);
	uint32_t target = where >> 7, lun = where % 80u, number = fuzz_u32(arguments);
	struct hvh_image image;

	switch (what % 8u) {
	case 0:
		add(guest, target, lun, (uint8_t)number);
		break;
	case 1:
		(void)hvh_storage_remove(guest->storage, guest->now, target, lun);
		break;
	case 2:
		(void)hvh_storage_resize(guest->storage, guest->now, target, lun,
					 number % SIZE_MAX_BLOCKS * 512ull);
		break;
	case 3:
		(void)hvh_storage_eject(guest->storage, guest->now, target, lun, (number & 1u) != 0);
		break;
	case 4:
		FUZZ_CHECK(hvh_image_memory(65536, &image));
		if (!hvh_storage_insert(guest->storage, guest->now, target, lun, &image))
			image.close(image.context);
		break;
	case 5:
		hvh_storage_rescind(guest->storage, guest->now);
		break;
	case 6:
		hvh_storage_offer_again(guest->storage, guest->now);
		break;
	default:
		hvh_silence_set(guest->host, (enum hvh_silence)(number % HVH_SILENCE_COUNT));
		break;
	}
}

void raw_op_trouble(struct raw_guest *guest, struct fuzz_input *arguments)
{
	struct hvh_storage_trouble trouble = {.medium_errors = fuzz_u16(arguments),
					      .busy = fuzz_u16(arguments),
					      .unit_attentions = fuzz_u16(arguments),
					      .never = fuzz_u8(arguments)};

	trouble.delay_max = fuzz_u8(arguments) * HVH_TIME_PER_MS;
	hvh_storage_set_trouble(guest->storage, &trouble);
}
