/* SPDX-License-Identifier: MIT */
/*
 * The golden bytes of vstor and SCSI that the dialogue's test (host_storvsp_protocol.c) has not: each
 * command does to the image what its bytes say, and sub-channels, a request of old and a notice are
 * byte for byte what the host takes and sends.
 */
#include "host/scsi/scsi.h"
#include "host_storvsp_guest.h"
#include "tests/golden/vstor.h"

#define BLOCK 512u
#define DISK_BLOCKS 0x200000000ull
#define TRANSFER_MAX (64u << 20)
#define BUFFER_BYTES (33u << 20)

/* --- Commands: an image that only writes down what is asked of it ---------------------------- */

struct disk {
	struct scsi_unit unit;
	struct scsi_command command;
	uint64_t from, bytes; /* read, written or discarded */
	uint32_t reads, writes, discards, flushes;
	const uint8_t *out; /* what the guest sends, zeros behind it */
	uint32_t out_length;
	uint8_t in[4096]; /* the first of what it gets */
};

static void touch(struct disk *disk, uint64_t offset, uint64_t length)
{
	if (disk->bytes == 0)
		disk->from = offset;
	assert_int_equal(offset, disk->from + disk->bytes);
	disk->bytes += length;
}

static bool disk_read(void *context, uint64_t offset, void *data, uint32_t length)
{
	struct disk *disk = context;

	disk->reads++;
	touch(disk, offset, length);
	memset(data, 0, length);
	return true;
}

static bool disk_write(void *context, uint64_t offset, const void *data, uint32_t length)
{
	struct disk *disk = context;

	(void)data;
	disk->writes++;
	touch(disk, offset, length);
	return true;
}

static bool disk_flush(void *context)
{
	((struct disk *)context)->flushes++;
	return true;
}

static bool disk_discard(void *context, uint64_t offset, uint64_t length)
{
	struct disk *disk = context;

	disk->discards++;
	touch(disk, offset, length);
	return true;
}

static bool get(void *context, uint32_t offset, void *to, uint32_t length)
{
	const struct disk *disk = context;

	for (uint32_t n = 0; n < length; n++)
		((uint8_t *)to)[n] = offset + n < disk->out_length ? disk->out[offset + n] : 0;
	return true;
}

static bool put(void *context, uint32_t offset, const void *from, uint32_t length)
{
	struct disk *disk = context;

	if (offset < sizeof disk->in)
		memcpy(disk->in + offset, from,
		       length < sizeof disk->in - offset ? length : sizeof disk->in - offset);
	return true;
}

static void run(struct disk *disk, const uint8_t *golden, uint32_t golden_length, uint32_t buffer)
{
	uint8_t cdb[SCSI_CDB_MAX] = {0};

	memcpy(cdb, golden, golden_length);
	disk->from = disk->bytes = 0;
	disk->reads = disk->writes = disk->discards = disk->flushes = 0;
	memset(disk->in, 0xee, sizeof disk->in);
	disk->command = (struct scsi_command){
		.cdb = cdb,
		.cdb_length = (uint8_t)golden_length,
		.length = buffer,
		.get = get,
		.put = put,
		.context = disk,
		.luns = 1,
		.fail_at = SCSI_NO_FAILURE,
	};
	scsi_execute(&disk->unit, &disk->command);
	assert_int_equal(disk->command.outcome, SCSI_DONE);
	assert_int_equal(disk->command.status, SCSI_STATUS_GOOD);
}
#define RUN(disk, golden, buffer) run(disk, golden, sizeof(golden), buffer)

static void assert_touched(const struct disk *disk, uint64_t block, uint64_t blocks)
{
	assert_int_equal(disk->from, block * BLOCK);
	assert_int_equal(disk->bytes, blocks * BLOCK);
}

static int set_up(void **state)
{
	static const struct hvh_unit_config plain;
	struct disk *disk = calloc(1, sizeof *disk);
	const struct hvh_image image = {.context = disk,
					.size = DISK_BLOCKS * BLOCK,
					.read = disk_read,
					.write = disk_write,
					.flush = disk_flush,
					.discard = disk_discard};

	assert_true(scsi_unit_create(&disk->unit, &plain, &image, "S1", TRANSFER_MAX));
	*state = disk;
	return 0;
}

static int tear_down(void **state)
{
	scsi_unit_destroy(&((struct disk *)*state)->unit);
	free(*state);
	return 0;
}

static void reads_and_writes(void **state)
{
	struct disk *disk = *state;

	RUN(disk, golden_cdb_write_10_fua, BUFFER_BYTES);
	assert_touched(disk, 5, 65535);
	assert_true(disk->writes > 0);
	assert_int_equal(disk->flushes, 1); /* FUA */
	RUN(disk, golden_cdb_write_16, BUFFER_BYTES);
	assert_touched(disk, 5, 65536);
	assert_int_equal(disk->flushes, 0);
	RUN(disk, golden_cdb_read_16, BUFFER_BYTES);
	assert_touched(disk, 0x100000002ull, 3);
	assert_int_equal(disk->reads, 1);
	assert_int_equal(disk->command.transferred, 3 * BLOCK);
	RUN(disk, golden_cdb_synchronize_cache, 0);
	assert_int_equal(disk->flushes, 1);
}

static void blocks_given_back(void **state)
{
	struct disk *disk = *state;

	RUN(disk, golden_cdb_write_same_16_unmap, BLOCK);
	assert_touched(disk, 0x100000000ull, 16);
	assert_true(disk->discards > 0);
	assert_int_equal(disk->writes, 0);
	disk->out = golden_unmap_list;
	disk->out_length = sizeof(golden_unmap_list);
	RUN(disk, golden_cdb_unmap, sizeof(golden_unmap_list));
	assert_touched(disk, 0x100000002ull, 0x1000);
	assert_true(disk->discards > 0);
}

static void questions(void **state)
{
	struct disk *disk = *state;
	static const uint8_t one_lun[16] = {0, 0, 0, 8};
	static const uint8_t last_block[8] = {0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff};

	RUN(disk, golden_cdb_inquiry, 36);
	assert_int_equal(disk->command.transferred, 36);
	assert_int_equal(disk->in[0], SCSI_DEVICE_DISK);
	assert_memory_equal(disk->in + 8, "Msft    ", 8);
	RUN(disk, golden_cdb_inquiry_b0, 252);
	assert_int_equal(disk->in[1], 0xb0);
	assert_int_equal(disk->command.transferred, 64);
	RUN(disk, golden_cdb_report_luns, 2056);
	assert_int_equal(disk->command.transferred, sizeof one_lun);
	assert_memory_equal(disk->in, one_lun, sizeof one_lun);
	RUN(disk, golden_cdb_read_capacity_16, 32);
	assert_int_equal(disk->command.transferred, 32);
	assert_memory_equal(disk->in, last_block, 8);
	assert_memory_equal(disk->in + 8, "\0\0\2\0", 4);
	RUN(disk, golden_cdb_mode_sense_caching, 192);
	assert_int_equal(disk->in[disk->in[3] + 4u] & 0x3f, SCSI_MODE_PAGE_CACHING);
}

/* --- Packets ------------------------------------------------------------------------------------ */

static void send_golden(struct guest *guest, const uint8_t *golden, uint32_t golden_length, uint32_t length,
			uint64_t id)
{
	uint8_t bytes[64] = {0};

	memcpy(bytes, golden, golden_length);
	send_raw(guest, primary, VMBUS_PACKET_IN_BAND, WANTED, id, NULL, 0, bytes, length);
	settle(guest);
}

static uint32_t offers(struct guest *guest)
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < 100; n++) {
		pass(guest, 10 * MS);
		if (!take(guest, 0))
			continue;
		assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
		count++;
	}
	return count;
}

static void subchannels(void **state)
{
	struct guest *guest = *state;
	struct answer answer;

	(void)storage_ready(guest, NULL);
	send_golden(guest, golden_vstor_create_3_subchannels, sizeof(golden_vstor_create_3_subchannels), 64,
		    5);
	assert_true(receive(guest, &answer));
	assert_int_equal(answer.descriptor.transaction_id, 5);
	assert_memory_equal(answer.payload, golden_vstor_granted, 64);
	assert_int_equal(offers(guest), 3);
	assert_no_violation(guest);
}

static void a_request_of_old(void **state)
{
	const struct {
		struct vmbus_gpa_direct_header head;
		struct vmbus_gpa_range range;
		uint64_t pfn;
	} list = {{0, 1}, {4096, 0}, DATA};
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_opened(guest, NULL);
	struct answer answer;

	add_disk(guest, storage, 1, 7, 16384 * MIB);
	negotiate(guest, VSTOR_VERSION_4_2);
	for (uint32_t n = 0; n < 2; n++) { /* the first one meets the attention */
		send_raw(guest, primary, VMBUS_PACKET_GPA_DIRECT, WANTED, 31 + n, &list, 24,
			 golden_vstor_read_4_2, sizeof(golden_vstor_read_4_2));
		settle(guest);
		assert_true(receive(guest, &answer));
		assert_int_equal(answer.descriptor.transaction_id, 31 + n);
		assert_int_equal(answer.length, 48);
	}
	assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_SUCCESS);
	assert_int_equal(answer.srb.data_length, 4096);
	assert_no_violation(guest);
}

static void a_notice(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_ready(guest, NULL);
	struct answer answer;

	add_disk(guest, storage, 0, 0, MIB);
	assert_true(receive(guest, &answer));
	assert_int_equal(answer.descriptor.type, VMBUS_PACKET_IN_BAND);
	assert_int_equal(answer.length, sizeof(golden_vstor_enumerate_bus));
	assert_memory_equal(answer.payload, golden_vstor_enumerate_bus, sizeof(golden_vstor_enumerate_bus));
	assert_no_violation(guest);
}

int main(void)
{
	const struct CMUnitTest commands[] = {
		cmocka_unit_test_setup_teardown(reads_and_writes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(blocks_given_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(questions, set_up, tear_down),
	};
	const struct CMUnitTest packets[] = {
		TEST(subchannels),
		TEST(a_request_of_old),
		TEST(a_notice),
	};

	return cmocka_run_group_tests(commands, NULL, NULL) + cmocka_run_group_tests(packets, NULL, NULL);
}
