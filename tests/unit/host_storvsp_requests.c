/* SPDX-License-Identifier: MIT */
/* Requests of a storage controller: data, sense, what is wrong with them, delays, order, trouble. */
#include "host_storvsp_guest.h"

static struct vstor_request io(bool write, uint32_t lba, uint32_t blocks)
{
	const uint8_t cdb[16] = {
		write ? 0x2a : 0x28, 0, (uint8_t)(lba >> 24),   (uint8_t)(lba >> 16), (uint8_t)(lba >> 8),
		(uint8_t)lba,        0, (uint8_t)(blocks >> 8), (uint8_t)blocks};

	return request_for(0, cdb, 10, (uint8_t)(write ? VSTOR_DATA_OUT : VSTOR_DATA_IN), blocks * 512);
}

static struct hvh_storage *with_disk(struct guest *guest)
{
	struct hvh_storage *storage = storage_opened(guest, NULL);

	add_disk(guest, storage, 0, 0, 16 * MIB);
	negotiate(guest, VSTOR_VERSION_6_0);
	clear_attention(guest, 0);
	return storage;
}

/* --- Data -------------------------------------------------------------------------------- */

/* 256 KiB from the middle of a page, out and back in elsewhere; no byte beside them is touched. */
static void data_go_both_ways(void **state)
{
	static uint8_t pattern[262144];
	struct guest *guest = *state;
	struct hvh_storage_counters counters;
	struct hvh_storage *storage = with_disk(guest);
	struct vstor_request srb = io(true, 77, 512);
	struct answer answer;

	for (uint32_t n = 0; n < sizeof pattern; n++)
		pattern[n] = (uint8_t)(n * 2654435761u >> 17);
	memcpy(data(guest) + 1234, pattern, sizeof pattern);
	do_srb(guest, &srb, 1234, &answer);
	assert_int_equal(answer.header.status, 0);
	assert_int_equal(answer.srb.srb_status, 1);
	assert_int_equal(answer.srb.scsi_status, 0);
	assert_int_equal(answer.srb.data_length, 262144);
	memset(data(guest), 0xee, 66 * HVK_PAGE_SIZE);
	srb = io(false, 77, 512);
	do_srb(guest, &srb, 4095, &answer);
	assert_int_equal(answer.srb.data_length, 262144);
	assert_memory_equal(data(guest) + 4095, pattern, sizeof pattern);
	assert_int_equal(data(guest)[4094], 0xee);
	assert_int_equal(data(guest)[4095 + 262144], 0xee);
	hvh_storage_get_counters(storage, &counters);
	assert_int_equal(counters.reads, 1);
	assert_int_equal(counters.writes, 1);
	assert_int_equal(counters.read_bytes, 262144);
	assert_int_equal(counters.write_bytes, 262144);
	assert_no_violation(guest);
}

static void a_longer_buffer_gets_what_there_is(void **state)
{
	struct guest *guest = *state;
	struct answer answer;

	with_disk(guest);
	memset(data(guest), 0xee, 512);
	do_in(guest, 0, CDB(0x12, 0, 0, 0, 255), 6, 255, &answer);
	assert_int_equal(answer.srb.srb_status, 1);
	assert_int_equal(answer.srb.data_length, 36);
	assert_memory_equal(data(guest) + 8, "Msft    Virtual Disk    1.0 ", 28);
	assert_int_equal(data(guest)[36], 0xee);
}

static void the_address_comes_back(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = with_disk(guest);
	struct answer answer;

	add_disk(guest, storage, 1, 5, MIB);
	assert_true(receive(guest, &answer)); /* the notice */
	struct vstor_request srb = request_for(5, CDB(0), 6, VSTOR_DATA_NONE, 0);
	srb.target = 1;
	do_srb(guest, &srb, 0, &answer);
	assert_int_equal(answer.srb.length, 52);
	assert_int_equal(answer.srb.target, 1);
	assert_int_equal(answer.srb.lun, 5);
	assert_int_equal(answer.srb.cdb_sense[12], 0x29);
}

/* At 4.2 there is no extension, and sense data have 18 bytes. */
static void an_old_guests_requests_have_36_bytes(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_opened(guest, NULL);
	struct vstor_request srb = request_for(0, CDB(0x5e), 10, VSTOR_DATA_NONE, 0);
	const uint8_t header[12] = {3, 0, 0, 0, 1};
	struct answer answer;
	uint8_t bytes[48];

	add_disk(guest, storage, 0, 0, MIB);
	negotiate(guest, VSTOR_VERSION_4_2);
	srb.length = 36;
	srb.sense_length = 18;
	memcpy(bytes, header, 12);
	memcpy(bytes + 12, &srb, 36);
	send_raw(guest, primary, VMBUS_PACKET_IN_BAND, WANTED, 9, NULL, 0, bytes, 48);
	settle(guest);
	assert_true(receive(guest, &answer));
	assert_int_equal(answer.length, 48);
	assert_int_equal(answer.srb.srb_status, 0x84);
	assert_int_equal(answer.srb.sense_length, 18);
	assert_int_equal(answer.srb.cdb_sense[12], 0x20);
	assert_no_violation(guest);
}

/* --- Failures ---------------------------------------------------------------------------------- */

static void sense_comes_if_there_is_room(void **state)
{
	struct guest *guest = *state;
	struct vstor_request srb = request_for(0, CDB(0x5e), 10, VSTOR_DATA_NONE, 0);
	struct answer answer;

	with_disk(guest);
	do_srb(guest, &srb, 0, &answer);
	assert_int_equal(answer.header.status, 0xc0000185u);
	assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_ERROR | VSTOR_SRB_STATUS_AUTOSENSE_VALID);
	assert_int_equal(answer.srb.scsi_status, 2);
	assert_int_equal(answer.srb.sense_length, 18);
	assert_memory_equal(answer.srb.cdb_sense, "\x70\x00\x05\x00\x00\x00\x00\x0a\x00\x00\x00\x00\x20\x00",
			    14);
	srb.sense_length = 8;
	do_srb(guest, &srb, 0, &answer);
	assert_int_equal(answer.srb.sense_length, 8);
	assert_int_equal(answer.srb.cdb_sense[7], 10);
	assert_int_equal(answer.srb.cdb_sense[12], 0);
	srb.sense_length = 0;
	do_srb(guest, &srb, 0, &answer);
	assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_ERROR);
	assert_int_equal(answer.srb.scsi_status, 2);
	assert_no_violation(guest);
}

static void more_than_the_buffer_holds_is_an_overrun(void **state)
{
	struct guest *guest = *state;
	struct vstor_request srb = io(false, 0, 2);
	struct answer answer;

	with_disk(guest);
	srb.data_length = 1000;
	do_srb(guest, &srb, 0, &answer);
	assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_DATA_OVERRUN);
	assert_int_equal(answer.header.status, 0x80000005u);
	assert_int_equal(answer.srb.data_length, 0);
	assert_no_violation(guest);
}

static void absent_units(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = with_disk(guest);
	struct hvh_storage_counters counters;
	struct vstor_request srb = request_for(3, CDB(0), 6, VSTOR_DATA_NONE, 0);
	struct answer answer;
	char error[100];

	do_srb(guest, &srb, 0, &answer);
	assert_int_equal(answer.header.status, 0xc00000c0u);
	assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_INVALID_LUN);
	assert_int_equal(answer.srb.scsi_status, 0);
	assert_true(hvh_partition_set_quirk(guest->host, "storvsp-absent-check", "on", error, sizeof error));
	do_srb(guest, &srb, 0, &answer);
	assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_INVALID_LUN);
	assert_int_equal(answer.srb.scsi_status, 2);
	srb.lun = 0; /* on another path, another target, one that cannot be */
	for (uint32_t n = 0; n < 3; n++) {
		srb.path = n == 0 ? 1 : 0;
		srb.target = n == 1 ? 1 : n == 2 ? 200 : 0;
		do_srb(guest, &srb, 0, &answer);
		assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_INVALID_LUN);
	}
	do_in(guest, 3, CDB(0x12, 0, 0, 0, 36), 6, 36, &answer);
	assert_int_equal(answer.srb.srb_status, 1);
	assert_memory_equal(data(guest), "\x7f\x00\x05\x02", 4);
	assert_true(hvh_partition_set_quirk(guest->host, "storvsp-absent-zeroed", "on", error, sizeof error));
	do_in(guest, 3, CDB(0x12, 0, 0, 0, 36), 6, 36, &answer);
	assert_memory_equal(data(guest), "\x7f\x00\x00\x00", 4);
	do_in(guest, 3, CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64), 12, 64, &answer);
	assert_int_equal(answer.srb.data_length, 16); /* unit 0 */
	hvh_storage_get_counters(storage, &counters);
	assert_int_equal(counters.absent, 5);
	assert_no_violation(guest);
}

static void what_inquiry_claims_is_the_hosts_habit(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = with_disk(guest);
	const struct hvh_unit_config cdrom = {.cdrom = true};
	struct answer answer;
	char error[100];

	assert_true(hvh_storage_add(storage, guest->now, 0, 1, &cdrom, NULL));
	settle(guest);
	assert_true(receive(guest, &answer));
	do_in(guest, 0, CDB(0x12, 0, 0, 0, 36), 6, 36, &answer);
	assert_int_equal(data(guest)[2], 5);
	do_in(guest, 1, CDB(0x12, 0, 0, 0, 36), 6, 36, &answer);
	assert_int_equal(data(guest)[0], 5);
	assert_int_equal(data(guest)[2], 0); /* ws2022: a DVD of generation 2 */
	assert_true(hvh_partition_set_quirk(guest->host, "storvsp-disk-spc2", "on", error, sizeof error));
	assert_true(
		hvh_partition_set_quirk(guest->host, "storvsp-dvd-version-0", "off", error, sizeof error));
	do_in(guest, 0, CDB(0x12, 0, 0, 0, 36), 6, 36, &answer);
	assert_int_equal(data(guest)[2], 4);
	do_in(guest, 1, CDB(0x12, 0, 0, 0, 36), 6, 36, &answer);
	assert_int_equal(data(guest)[2], 5);
	do_in(guest, 0, CDB(0x12, 1, 0xb2, 0, 64), 6, 64, &answer);
	assert_int_equal(data(guest)[5], 0xe4);
	assert_true(hvh_partition_set_quirk(guest->host, "storvsp-disk-no-write-same", "on", error,
					    sizeof error));
	do_in(guest, 0, CDB(0x12, 1, 0xb2, 0, 64), 6, 64, &answer);
	assert_int_equal(data(guest)[5], 0x84);
	assert_true(hvh_partition_set_quirk(guest->host, "storvsp-disk-no-unmap", "on", error, sizeof error));
	do_in(guest, 0, CDB(0x12, 1, 0xb2, 0, 64), 6, 64, &answer);
	assert_int_equal(answer.srb.cdb_sense[12], 0x24);
}

/* FreeBSD and Linux count on UNMAP from 2012 on; Linux on WRITE SAME from 2016 on. */
static void older_hosts_have_simpler_disks(void **state)
{
	static const struct {
		const char *name;
		bool unmap, write_same;
	} hosts[] = {{"ws2008", false, false},  {"ws2008r2", false, false}, {"ws2012", true, false},
		     {"ws2012r2", true, false}, {"ws2016", true, true},     {"ws2019", true, true},
		     {"ws2022", true, true},    {"azure", true, true},      {"openvmm", true, true}};

	(void)state;
	for (uint32_t n = 0; n < sizeof hosts / sizeof hosts[0]; n++) {
		const struct hvh_profile *profile = hvh_profile_find(hosts[n].name);

		assert_int_equal(!profile->disk_without_unmap, hosts[n].unmap);
		assert_int_equal(!profile->disk_without_write_same, hosts[n].write_same);
	}
}

/* --- Violations -------------------------------------------------------------------------------------- */

static void wrong_requests_are_invalid(void **state)
{
	for (uint32_t n = 0; n < 12; n++) {
		struct guest *guest = *state;
		struct vstor_request srb = io(false, 0, 1);
		struct answer answer;

		guest_destroy(guest);
		guest_create(guest, "ws2022");
		with_disk(guest);
		memset(data(guest), 0xee, 512);
		srb.cdb_length = n == 0 ? 0 : n == 1 ? 17 : srb.cdb_length;
		srb.sense_length = n == 2 ? 21 : srb.sense_length;
		srb.data_direction = n == 3 ? 3 : n == 4 ? VSTOR_DATA_OUT : srb.data_direction;
		srb.length = n == 5 ? 36 : n == 6 ? 64 : srb.length;
		srb.srb_flags = n == 7   ? VSTOR_SRB_DATA_IN | VSTOR_SRB_DATA_OUT
				: n == 8 ? VSTOR_SRB_DATA_OUT
				: n == 9 ? 0
				: n > 9  ? VSTOR_SRB_QUEUE_ACTION_ENABLE
					 : VSTOR_SRB_DATA_IN;
		srb.action = n == 11 ? VSTOR_TAG_ORDERED + 1 : 0;
		do_srb(guest, &srb, 0, &answer);
		if (n == 9) {
			assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_SUCCESS);
			assert_no_violation(guest);
			continue;
		}
		assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_INVALID_REQUEST);
		assert_only_violation(guest, HVH_V_VSTOR_VALUE);
		assert_int_equal(data(guest)[0], 0xee);
	}
}

/* Two requests of the same id with the host: which of them has an answer cannot be told. */
static void an_id_is_used_once_at_a_time(void **state)
{
	struct guest *guest = *state;
	const struct hvh_storage_trouble slow = {.delay_max = 10 * MS};
	const struct vstor_request srb = io(false, 0, 1);
	struct answer answer;

	struct hvh_storage *storage = with_disk(guest);

	for (uint32_t n = 0; n < 3; n++)
		do_srb(guest, &srb, 0, &answer); /* again, when it has been answered */
	hvh_storage_set_trouble(storage, &slow);
	send_srb(guest, &srb, 77);
	send_srb(guest, &srb, 78);
	assert_no_violation(guest);
	send_srb(guest, &srb, 77);
	assert_only_violation(guest, HVH_V_VSTOR_VALUE);
}

static void too_much_data_are_invalid(void **state)
{
	struct guest *guest = *state;
	const struct hvh_storage_config config = {.transfer_max = 65536};
	struct hvh_storage *storage = storage_opened(guest, &config);
	struct vstor_request srb = io(false, 0, 128);
	struct answer answer;

	add_disk(guest, storage, 0, 0, MIB);
	negotiate(guest, VSTOR_VERSION_6_0);
	clear_attention(guest, 0);
	do_srb(guest, &srb, 0, &answer);
	assert_int_equal(answer.srb.srb_status, 1);
	srb = io(false, 0, 129);
	do_srb(guest, &srb, 0, &answer);
	assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_INVALID_REQUEST);
	assert_only_violation(guest, HVH_V_VSTOR_VALUE);
}

static void bytes_behind_a_command_are_to_be_zero(void **state)
{
	struct guest *guest = *state;
	struct vstor_request srb = io(false, 0, 1);
	struct answer answer;

	with_disk(guest);
	srb.cdb_sense[10] = 1;
	do_srb(guest, &srb, 0, &answer);
	assert_int_equal(answer.srb.srb_status, 1);
	assert_only_violation(guest, HVH_V_VSTOR_PADDING);
}

static void memory_that_is_not_there(void **state)
{
	struct guest *guest = *state;
	struct vstor_request srb = io(false, 0, 16);
	struct answer answer;

	with_disk(guest);
	guest->gone[DATA + 1] = true;
	do_srb(guest, &srb, 0, &answer);
	assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_INVALID_REQUEST);
	assert_only_violation(guest, HVH_V_MEMORY);
}

/* Ranges that end the channel's worker: none, two, shorter than the data, fewer pages, a far offset. */
static void wrong_page_lists_end_the_worker(void **state)
{
	static const struct {
		uint32_t ranges, bytes, offset, pages;
	} lists[] = {{2, 512, 0, 1},    {1, 511, 0, 1},    {1, 8192, 0, 1},
		     {1, 512, 4096, 2}, {1, 512, 4000, 1}, {1, 0xffffffffu, 4095, 3},
		     {0, 0, 0, 0}};

	for (uint32_t n = 0; n < sizeof lists / sizeof lists[0]; n++) {
		struct guest *guest = *state;
		const struct vstor_request srb = io(false, 0, 1);
		uint32_t list[10] = {0, lists[n].ranges, lists[n].bytes, lists[n].offset, DATA};
		uint8_t bytes[64] = {3, 0, 0, 0, 1};
		struct answer answer;

		guest_destroy(guest);
		guest_create(guest, "ws2022");
		with_disk(guest);
		memcpy(bytes + 12, &srb, 52);
		if (lists[n].ranges == 0)
			send_raw(guest, primary, VMBUS_PACKET_IN_BAND, WANTED, 7, NULL, 0, bytes, 64);
		else
			send_raw(guest, primary, VMBUS_PACKET_GPA_DIRECT, WANTED, 7, list,
				 16 + lists[n].pages * 8, bytes, 64);
		settle(guest);
		assert_only_violation(guest, HVH_V_VSTOR_VALUE);
		assert_false(receive(guest, &answer));
		send_srb(guest, &srb, 8);
		pass(guest, HVH_TIME_PER_SECOND);
		assert_false(receive(guest, &answer));
	}
}

/* --- Delay and order ---------------------------------------------------------------------------------- */

#define MANY 24u

/* Every one is answered once, not in their order, and what is read is read when it is answered. */
static void delayed_requests_overtake_each_other(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = with_disk(guest);
	const struct hvh_storage_trouble slow = {.delay_max = 100 * MS};
	const struct vstor_request srb = io(false, 0, 1);
	bool seen[MANY] = {false};
	uint32_t count = 0, overtaken = 0;
	uint64_t last = 0;
	struct answer answer;

	hvh_storage_set_trouble(storage, &slow);
	memset(data(guest), 0xee, 512);
	for (uint32_t n = 0; n < MANY; n++)
		send_srb(guest, &srb, 100 + n);
	for (uint32_t n = 0; n < 200; n++) {
		while (receive(guest, &answer)) {
			uint64_t id = answer.descriptor.transaction_id;

			assert_in_range(id, 100, 100 + MANY - 1);
			assert_false(seen[id - 100]);
			seen[id - 100] = true;
			overtaken += id < last;
			last = id;
			count++;
			assert_int_equal(data(guest)[0], 0);
		}
		if (count == 0)
			assert_int_equal(data(guest)[0], 0xee);
		pass(guest, MS);
	}
	assert_int_equal(count, MANY);
	assert_true(overtaken > 3);
	assert_no_violation(guest);
}

static void ordered_requests_are_not_overtaken(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = with_disk(guest);
	const struct hvh_storage_trouble slow = {.delay_max = 100 * MS};
	uint32_t place[MANY], count = 0;
	struct answer answer;

	hvh_storage_set_trouble(storage, &slow);
	for (uint32_t n = 0; n < MANY; n++) {
		struct vstor_request srb = io(false, 0, 1);

		srb.srb_flags = VSTOR_SRB_DATA_IN | VSTOR_SRB_QUEUE_ACTION_ENABLE;
		srb.action = n % 8 == 4 ? VSTOR_TAG_ORDERED : VSTOR_TAG_SIMPLE;
		send_srb(guest, &srb, n);
	}
	for (uint32_t n = 0; n < 400; n++) {
		while (receive(guest, &answer))
			place[answer.descriptor.transaction_id] = count++;
		pass(guest, MS);
	}
	assert_int_equal(count, MANY);
	for (uint32_t ordered = 4; ordered < MANY; ordered += 8)
		for (uint32_t n = 0; n < MANY; n++)
			if (n != ordered)
				assert_int_equal(place[n] < place[ordered], n < ordered);
}

static void the_head_of_the_queue_is_first(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = with_disk(guest);
	const struct hvh_storage_trouble slow = {.delay_max = 100 * MS};
	struct vstor_request srb = io(false, 0, 1);
	struct answer answer;

	hvh_storage_set_trouble(storage, &slow);
	srb.srb_flags = VSTOR_SRB_DATA_IN | VSTOR_SRB_QUEUE_ACTION_ENABLE;
	srb.action = VSTOR_TAG_ORDERED;
	for (uint32_t n = 0; n < 5; n++)
		send_srb(guest, &srb, n);
	srb.action = VSTOR_TAG_HEAD_OF_QUEUE;
	send_srb(guest, &srb, 99);
	assert_true(receive(guest, &answer));
	assert_int_equal(answer.descriptor.transaction_id, 99);
}

/* More than the controller keeps, and more answers than the ring holds. */
static void a_flood_waits_for_its_turn(void **state)
{
	struct guest *guest = *state;
	const struct vstor_request srb = request_for(0, CDB(0), 6, VSTOR_DATA_NONE, 0);
	uint32_t sent = 0, answered = 0;
	struct answer answer;

	with_disk(guest);
	while (answered < 1000) {
		for (uint32_t n = 0; n < 40 && sent - answered < 60 && sent < 1000; n++)
			send_srb(guest, &srb, 1000 + sent++);
		assert_true(receive(guest, &answer));
		assert_int_equal(answer.descriptor.transaction_id, 1000 + answered);
		answered++;
	}
	assert_false(receive(guest, &answer));
	assert_no_violation(guest);
}

static void delays_do_not_outlive_a_close(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = with_disk(guest);
	const struct hvh_storage_trouble slow = {.delay_max = 100 * MS};
	const struct vstor_request srb = io(false, 0, 8);

	hvh_storage_set_trouble(storage, &slow);
	memset(data(guest), 0xee, 4096);
	for (uint32_t n = 0; n < 10; n++)
		send_srb(guest, &srb, n);
	uint64_t before = guest->writes[DATA];
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	pass(guest, HVH_TIME_PER_SECOND);
	assert_int_equal(guest->writes[DATA], before);
	assert_no_violation(guest);
}

/* --- Trouble ------------------------------------------------------------------ */

struct tally {
	uint32_t good, medium, busy, full, attention, none;
};

static void tally_up(struct guest *guest, struct tally *tally)
{
	const struct vstor_request srb = io(true, 0, 8);
	struct answer answer;

	memset(tally, 0, sizeof *tally);
	for (uint32_t n = 0; n < 400; n++) {
		send_srb(guest, &srb, 5);
		if (!receive(guest, &answer))
			tally->none++;
		else if (answer.srb.scsi_status == SCSI_STATUS_BUSY)
			tally->busy += answer.srb.srb_status == VSTOR_SRB_STATUS_BUSY;
		else if (answer.srb.scsi_status == SCSI_STATUS_TASK_SET_FULL)
			tally->full += answer.srb.srb_status == VSTOR_SRB_STATUS_ERROR;
		else if (answer.srb.srb_status == VSTOR_SRB_STATUS_SUCCESS)
			tally->good++;
		else if (answer.srb.cdb_sense[2] == SCSI_SENSE_MEDIUM_ERROR)
			tally->medium++;
		else if (answer.srb.cdb_sense[2] == SCSI_SENSE_UNIT_ATTENTION)
			tally->attention++;
	}
	assert_int_equal(tally->good + tally->medium + tally->busy + tally->full + tally->attention +
				 tally->none,
			 400);
}

static void trouble_strikes_as_often_as_told(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = with_disk(guest);
	struct hvh_storage_trouble trouble = {.medium_errors = 200, .busy = 200, .unit_attentions = 200};
	struct hvh_storage_counters counters;
	struct tally tally;

	tally_up(guest, &tally);
	assert_int_equal(tally.good, 400);
	hvh_storage_set_trouble(storage, &trouble);
	tally_up(guest, &tally);
	hvh_storage_get_counters(storage, &counters);
	assert_in_range(tally.medium, 30, 110);
	assert_in_range(tally.attention, 30, 110);
	assert_true(tally.busy > 10 && tally.full > 10);
	assert_int_equal(counters.medium_errors, tally.medium);
	assert_int_equal(counters.busy, tally.busy + tally.full);
	assert_int_equal(counters.unit_attentions, tally.attention);
	assert_int_equal(counters.errors, 400 - tally.good + 1); /* and the first attention */
	trouble = (struct hvh_storage_trouble){.never = 1000};
	hvh_storage_set_trouble(storage, &trouble);
	for (uint32_t n = 0; n < 10; n++) {
		const struct vstor_request srb = io(true, 0, 8);
		struct answer answer;

		send_srb(guest, &srb, n);
		pass(guest, HVH_TIME_PER_SECOND);
		assert_false(receive(guest, &answer));
	}
	hvh_storage_get_counters(storage, &counters);
	assert_int_equal(counters.unanswered, 10);
	assert_no_violation(guest);
}

static void the_same_seed_has_the_same_trouble(void **state)
{
	const struct hvh_storage_trouble trouble = {
		.medium_errors = 100, .busy = 100, .unit_attentions = 100};
	struct tally first, second;

	(void)state;
	for (uint32_t turn = 0; turn < 2; turn++) {
		struct guest guest;

		guest_create_with(&guest, hvh_profile_find("ws2022"), 42);
		hvh_storage_set_trouble(with_disk(&guest), &trouble);
		tally_up(&guest, turn == 0 ? &first : &second);
		guest_destroy(&guest);
	}
	assert_memory_equal(&first, &second, sizeof first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(data_go_both_ways),
		TEST(a_longer_buffer_gets_what_there_is),
		TEST(the_address_comes_back),
		TEST(an_old_guests_requests_have_36_bytes),
		TEST(sense_comes_if_there_is_room),
		TEST(more_than_the_buffer_holds_is_an_overrun),
		TEST(absent_units),
		TEST(what_inquiry_claims_is_the_hosts_habit),
		cmocka_unit_test(older_hosts_have_simpler_disks),
		TEST(wrong_requests_are_invalid),
		TEST(an_id_is_used_once_at_a_time),
		TEST(too_much_data_are_invalid),
		TEST(bytes_behind_a_command_are_to_be_zero),
		TEST(memory_that_is_not_there),
		TEST(wrong_page_lists_end_the_worker),
		TEST(delayed_requests_overtake_each_other),
		TEST(ordered_requests_are_not_overtaken),
		TEST(the_head_of_the_queue_is_first),
		TEST(a_flood_waits_for_its_turn),
		TEST(delays_do_not_outlive_a_close),
		TEST(trouble_strikes_as_often_as_told),
		cmocka_unit_test(the_same_seed_has_the_same_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
