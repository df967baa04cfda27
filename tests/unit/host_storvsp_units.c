/* SPDX-License-Identifier: MIT */
/* Units that come and go, notices, resets, sub-channels, the IDE accelerator, a controller taken back. */
#include "host_storvsp_guest.h"

static void set(struct guest *guest, const char *quirk, const char *value)
{
	char error[100];

	if (!hvh_partition_set_quirk(guest->host, quirk, value, error, sizeof error))
		fail_msg("%s", error);
}

/* The next packet is a notice of that operation. */
static void expect_notice(struct guest *guest, uint32_t operation, uint8_t target, uint8_t lun)
{
	struct answer answer;

	assert_true(receive(guest, &answer));
	assert_int_equal(answer.descriptor.type, VMBUS_PACKET_IN_BAND);
	assert_int_equal(answer.descriptor.flags, 0);
	assert_int_equal(answer.descriptor.transaction_id, 0);
	assert_int_equal(answer.length, 64);
	assert_int_equal(answer.header.operation, operation);
	assert_int_equal(answer.header.status, 0);
	assert_int_equal(answer.srb.target, target);
	assert_int_equal(answer.srb.lun, lun);
	assert_false(receive(guest, &answer));
}

static uint32_t sense_of(struct guest *guest, uint32_t lun)
{
	struct answer answer;

	do_in(guest, lun, CDB(0), 6, 0, &answer);
	if (answer.srb.srb_status == VSTOR_SRB_STATUS_INVALID_LUN)
		return 0xffff;
	return answer.srb.scsi_status == 0
		       ? 0
		       : (uint32_t)answer.srb.cdb_sense[12] << 8 | answer.srb.cdb_sense[13];
}

static void added_units_are_told(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_opened(guest, NULL);
	struct answer answer;

	add_disk(guest, storage, 0, 0, MIB);
	negotiate(guest, VSTOR_VERSION_6_0);
	assert_false(receive(guest, &answer)); /* it was there before */
	clear_attention(guest, 0);
	add_disk(guest, storage, 0, 63, MIB);
	expect_notice(guest, VSTOR_OPERATION_ENUMERATE_BUS, 0, 0);
	assert_int_equal(sense_of(guest, 0), SCSI_ASC_REPORTED_LUNS_CHANGED);
	assert_int_equal(sense_of(guest, 0), 0);
	assert_int_equal(sense_of(guest, 63), SCSI_ASC_POWER_ON_OR_RESET);
	do_in(guest, 0, CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64), 12, 64, &answer);
	assert_int_equal(answer.srb.data_length, 24);
	assert_int_equal(data(guest)[17], 63);
	assert_no_violation(guest);
}

/* Units of before the guest came say that they were reset, and nothing of each other. */
static void units_that_were_there_are_not_news(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_offered(guest, NULL);

	assert_message(guest, 0, golden_all_offers_delivered);
	add_disk(guest, storage, 0, 0, MIB);
	add_disk(guest, storage, 0, 1, MIB);
	assert_true(hvh_storage_resize(storage, guest->now, 0, 0, 2 * MIB));
	open_line(guest, 1, PAGE_RING);
	add_disk(guest, storage, 0, 2, MIB);
	negotiate(guest, VSTOR_VERSION_6_0);
	for (uint32_t lun = 0; lun < 3; lun++) {
		assert_int_equal(sense_of(guest, lun), SCSI_ASC_POWER_ON_OR_RESET);
		assert_int_equal(sense_of(guest, lun), 0);
	}
}

static void units_have_their_places(void **state)
{
	static const struct hvh_unit_config plain, large = {.block_size = 4096}, odd = {.block_size = 513};
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_ready(guest, NULL);
	struct hvh_image image;

	add_disk(guest, storage, 1, 3, MIB);
	assert_true(hvh_image_memory(MIB + 512, &image));
	assert_false(hvh_storage_add(storage, 0, 1, 3, &plain, &image)); /* taken */
	assert_false(hvh_storage_add(storage, 0, 2, 0, &plain, &image));
	assert_false(hvh_storage_add(storage, 0, 0, 64, &plain, &image));
	assert_false(hvh_storage_add(storage, 0, 0, 0, &large, &image));
	assert_false(hvh_storage_add(storage, 0, 0, 0, &odd, &image));
	assert_false(hvh_storage_add(storage, 0, 0, 0, &plain, NULL));
	assert_false(hvh_storage_remove(storage, 0, 0, 0));
	assert_false(hvh_storage_resize(storage, 0, 0, 0, MIB));
	assert_false(hvh_storage_eject(storage, 0, 1, 3, true));
	assert_false(hvh_storage_insert(storage, 0, 1, 3, &image));
	assert_true(hvh_storage_add(storage, 0, 0, 0, &plain, &image)); /* still ours to give */
}

static void every_unit_has_a_serial_number(void **state)
{
	static const struct hvh_unit_config configs[] = {
		{.serial = ""}, {.serial = NULL}, {.serial = "mine"}};
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_opened(guest, NULL);
	struct hvh_image image;
	struct answer answer;

	for (uint32_t n = 0; n < 3; n++) {
		assert_true(hvh_image_memory(MIB, &image));
		assert_true(hvh_storage_add(storage, guest->now, 0, n, &configs[n], &image));
	}
	negotiate(guest, VSTOR_VERSION_6_0);
	for (uint32_t n = 0; n < 3; n++) {
		do_in(guest, n, CDB(0x12, 1, 0x80, 0, 64), 6, 64, &answer);
		assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_SUCCESS);
		assert_int_equal(data(guest)[3], n < 2 ? 16 : 4);
	}
}

static void removed_units_are_gone(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_ready(guest, NULL);
	const struct hvh_storage_trouble slow = {.delay_max = 50 * MS};
	const struct vstor_request srb = request_for(2, CDB(0), 6, VSTOR_DATA_NONE, 0);
	struct answer answer;

	add_disk(guest, storage, 0, 1, MIB);
	add_disk(guest, storage, 0, 2, MIB);
	while (receive(guest, &answer))
		;
	clear_attention(guest, 2);
	set(guest, "storvsp-remove-notice", "off");
	hvh_storage_set_trouble(storage, &slow);
	send_srb(guest, &srb, 9); /* on its way when it goes */
	assert_true(hvh_storage_remove(storage, guest->now, 0, 2));
	settle(guest);
	expect_notice(guest, VSTOR_OPERATION_ENUMERATE_BUS, 0, 0);
	pass(guest, 60 * MS);
	assert_true(receive(guest, &answer));
	assert_int_equal(answer.descriptor.transaction_id, 9);
	assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_INVALID_LUN);
	set(guest, "storvsp-remove-notice", "on");
	assert_true(hvh_storage_remove(storage, guest->now, 0, 1));
	settle(guest);
	expect_notice(guest, VSTOR_OPERATION_REMOVE_DEVICE, 0, 1);
	assert_no_violation(guest);
}

/* Below 4.2 nothing is said; and many at once are one. */
static void notices_are_few(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_opened(guest, NULL);
	struct hvh_storage_counters counters;
	struct answer answer;

	negotiate(guest, VSTOR_VERSION_2_0);
	add_disk(guest, storage, 0, 0, MIB);
	assert_false(receive(guest, &answer));
	guest_destroy(guest);
	guest_create(guest, "ws2022");
	storage = storage_ready(guest, NULL);
	for (uint32_t lun = 0; lun < 20; lun++) {
		static const struct hvh_unit_config plain;
		struct hvh_image image;

		assert_true(hvh_image_memory(MIB, &image));
		assert_true(hvh_storage_add(storage, guest->now, 0, lun, &plain, &image));
	}
	settle(guest);
	expect_notice(guest, VSTOR_OPERATION_ENUMERATE_BUS, 0, 0);
	set(guest, "storvsp-remove-notice", "on");
	for (uint32_t lun = 0; lun < 20; lun++)
		assert_true(hvh_storage_remove(storage, guest->now, 0, lun));
	settle(guest);
	for (uint32_t n = 0; n < 8; n++) {
		assert_true(receive(guest, &answer));
		assert_int_equal(answer.header.operation,
				 n < 7 ? VSTOR_OPERATION_REMOVE_DEVICE : VSTOR_OPERATION_ENUMERATE_BUS);
	}
	assert_false(receive(guest, &answer));
	hvh_storage_get_counters(storage, &counters);
	assert_int_equal(counters.notices, 9);
}

static void resized_disks_are_told(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_opened(guest, NULL);
	struct answer answer;

	add_disk(guest, storage, 0, 0, MIB);
	negotiate(guest, VSTOR_VERSION_6_0);
	clear_attention(guest, 0);
	assert_true(hvh_storage_resize(storage, guest->now, 0, 0, 2 * MIB));
	settle(guest);
	expect_notice(guest, VSTOR_OPERATION_ENUMERATE_BUS, 0, 0);
	assert_int_equal(sense_of(guest, 0), SCSI_ASC_CAPACITY_HAS_CHANGED);
	do_in(guest, 0, CDB(0x25), 10, 8, &answer);
	assert_memory_equal(data(guest), "\x00\x00\x0f\xff\x00\x00\x02\x00", 8);
}

static void discs_are_changed(void **state)
{
	static const struct hvh_unit_config cdrom = {.cdrom = true};
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_opened(guest, NULL);
	struct hvh_image image;
	struct answer answer;

	assert_true(hvh_image_memory(MIB, &image));
	assert_true(hvh_storage_add(storage, 0, 0, 0, &cdrom, &image));
	negotiate(guest, VSTOR_VERSION_6_0);
	clear_attention(guest, 0);
	do_in(guest, 0, CDB(0x1e, 0, 0, 0, 1), 6, 0, &answer);
	assert_false(hvh_storage_eject(storage, guest->now, 0, 0, false));
	assert_true(hvh_storage_eject(storage, guest->now, 0, 0, true));
	assert_int_equal(sense_of(guest, 0), 0x3a02);
	assert_true(hvh_image_memory(2 * MIB, &image));
	assert_true(hvh_storage_insert(storage, guest->now, 0, 0, &image));
	assert_int_equal(sense_of(guest, 0), SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED);
	do_in(guest, 0, CDB(0x25), 10, 8, &answer);
	assert_memory_equal(data(guest), "\x00\x00\x03\xff\x00\x00\x08\x00", 8);
	assert_no_violation(guest);
}

/* --- Resets --------------------------------------------------------------------------------- */

/* Three requests with the host, two of unit 0 and one of unit 1. */
static struct hvh_storage *busy(struct guest *guest)
{
	struct hvh_storage *storage = storage_opened(guest, NULL);
	const struct hvh_storage_trouble never = {.never = 1000}, none = {0};

	add_disk(guest, storage, 0, 0, MIB);
	add_disk(guest, storage, 0, 1, MIB);
	negotiate(guest, VSTOR_VERSION_6_0);
	clear_attention(guest, 0);
	clear_attention(guest, 1);
	hvh_storage_set_trouble(storage, &never);
	for (uint32_t n = 0; n < 3; n++) {
		const struct vstor_request srb = request_for(n == 2, CDB(0), 6, VSTOR_DATA_NONE, 0);

		send_srb(guest, &srb, n);
	}
	hvh_storage_set_trouble(storage, &none);
	return storage;
}

static uint32_t aborted(struct guest *guest, uint32_t expected_id)
{
	struct answer answer;
	uint32_t count = 0;

	while (receive(guest, &answer)) {
		if (answer.descriptor.transaction_id == expected_id)
			return count;
		assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_ABORTED);
		assert_int_equal(answer.header.status, 0xc0000120u);
		count++;
	}
	fail_msg("the reset has no answer");
	return 0;
}

static void a_unit_is_reset(void **state)
{
	struct guest *guest = *state;
	struct vstor_request srb = request_for(0, CDB(0), 6, VSTOR_DATA_NONE, 0);
	struct answer answer;

	busy(guest);
	send_operation(guest, VSTOR_OPERATION_RESET_LUN, &srb, 52, 50);
	assert_int_equal(aborted(guest, 50), 2);
	assert_false(receive(guest, &answer));
	assert_int_equal(sense_of(guest, 0), SCSI_ASC_POWER_ON_OR_RESET);
	assert_int_equal(sense_of(guest, 1), 0);
	srb.lun = 9;
	send_operation(guest, VSTOR_OPERATION_RESET_LUN, &srb, 52, 51);
	assert_true(receive(guest, &answer));
	assert_int_equal(answer.header.status, 0xc00000c0u);
	assert_no_violation(guest);
}

static void the_controller_is_reset(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = busy(guest);
	struct hvh_storage_counters counters;

	send_operation(guest, VSTOR_OPERATION_RESET_ADAPTER, NULL, 0, 50);
	assert_int_equal(aborted(guest, 50), 3);
	assert_int_equal(sense_of(guest, 0), SCSI_ASC_POWER_ON_OR_RESET);
	assert_int_equal(sense_of(guest, 1), SCSI_ASC_POWER_ON_OR_RESET);
	hvh_storage_get_counters(storage, &counters);
	assert_int_equal(counters.resets, 1);
}

static void resets_may_be_nothing(void **state)
{
	struct guest *guest = *state;
	struct answer answer;

	busy(guest);
	set(guest, "storvsp-reset", "nothing");
	send_operation(guest, VSTOR_OPERATION_RESET_ADAPTER, NULL, 0, 50);
	assert_int_equal(aborted(guest, 50), 0);
	pass(guest, HVH_TIME_PER_SECOND);
	assert_false(receive(guest, &answer));
	assert_int_equal(sense_of(guest, 0), 0);
}

static void a_bus_reset_loses_requests(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = busy(guest);
	const struct hvh_storage_trouble slow = {.delay_max = 50 * MS};
	const struct vstor_request srb = request_for(0, CDB(0), 6, VSTOR_DATA_NONE, 0);
	struct answer answer;

	hvh_storage_set_trouble(storage, &slow);
	send_srb(guest, &srb, 40);
	send_operation(guest, VSTOR_OPERATION_RESET_BUS, NULL, 0, 50);
	assert_int_equal(aborted(guest, 50), 0);
	pass(guest, HVH_TIME_PER_SECOND);
	assert_false(receive(guest, &answer)); /* not even the one that was on its way */
	assert_no_violation(guest);
}

/* --- Sub-channels ------------------------------------------------------------------------------ */

static uint32_t take_offers(struct guest *guest, uint32_t *last_index)
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < 30; n++) {
		pass(guest, MS);
		if (!take(guest, 0))
			continue;
		assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
		*last_index = guest->message[180];
		count++;
	}
	return count;
}

static void subchannels_carry_requests(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_opened(guest, NULL);
	const struct line other = {0x40, 0x2002};
	const struct vstor_request srb = request_for(0, CDB(0x12, 0, 0, 0, 36), 6, VSTOR_DATA_IN, 36);
	const uint16_t one = 1;
	struct answer answer;
	uint32_t index = 0;

	add_disk(guest, storage, 0, 0, MIB);
	set(guest, "subchannel-offers", "after");
	assert_int_equal(ask(guest, VSTOR_OPERATION_BEGIN_INITIALIZATION, NULL, 0, &answer), 0);
	assert_int_equal(ask_version(guest, VSTOR_VERSION_5_1, &answer), 0);
	assert_int_equal(ask(guest, VSTOR_OPERATION_QUERY_PROPERTIES, NULL, 0, &answer), 0);
	assert_int_equal(ask(guest, VSTOR_OPERATION_CREATE_SUBCHANNELS, &one, 2, &answer), 0);
	assert_int_equal(take_offers(guest, &index), 1);
	assert_int_equal(index, 1);
	open_line(guest, 2, other.page);
	send_srb_on(guest, other, &srb, 0, 3);
	pass(guest, 10 * MS);
	assert_false(receive_on(guest, other, &answer)); /* the primary is not ready */
	assert_int_equal(ask(guest, VSTOR_OPERATION_END_INITIALIZATION, NULL, 0, &answer), 0);
	assert_true(receive_on(guest, other, &answer));
	assert_int_equal(answer.descriptor.transaction_id, 3);
	assert_int_equal(answer.srb.data_length, 36);
	assert_no_violation(guest);
	/* What is not a request is the primary's alone. */
	const uint8_t properties[64] = {10, 0, 0, 0, 1};
	send_raw(guest, other, VMBUS_PACKET_IN_BAND, WANTED, 4, NULL, 0, properties, 64);
	settle(guest);
	assert_true(receive_on(guest, other, &answer));
	assert_int_equal(answer.header.status, 0xc0000184u);
	assert_only_violation(guest, HVH_V_VSTOR_ORDER);
}

/* What a channel whose worker has ended was to do first is not waited for on the others. */
static void an_ended_worker_holds_nobody_up(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_opened(guest, NULL);
	const struct hvh_storage_trouble slow = {.delay_max = 3600 * HVH_TIME_PER_SECOND}, none = {0};
	const struct line other = {0x40, 0x2002};
	struct vstor_request srb = request_for(0, CDB(0x12, 0, 0, 0, 36), 6, VSTOR_DATA_IN, 36);
	const uint8_t unknown[64] = {99, 0, 0, 0, 1};
	const uint16_t one = 1;
	struct answer answer;
	uint32_t index = 0;

	add_disk(guest, storage, 0, 0, MIB);
	set(guest, "subchannel-offers", "after");
	negotiate(guest, VSTOR_VERSION_6_0);
	assert_int_equal(ask(guest, VSTOR_OPERATION_CREATE_SUBCHANNELS, &one, 2, &answer), 0);
	assert_int_equal(take_offers(guest, &index), 1);
	open_line(guest, 2, other.page);
	srb.srb_flags = VSTOR_SRB_DATA_IN | VSTOR_SRB_QUEUE_ACTION_ENABLE;
	srb.action = VSTOR_TAG_ORDERED;
	hvh_storage_set_trouble(storage, &slow);
	send_srb_on(guest, other, &srb, 0, 3);
	hvh_storage_set_trouble(storage, &none);
	srb.action = VSTOR_TAG_SIMPLE;
	send_srb(guest, &srb, 4);
	pass(guest, 10 * MS);
	assert_false(receive(guest, &answer)); /* the ordered one comes first */
	send_raw(guest, other, VMBUS_PACKET_IN_BAND, WANTED, 5, NULL, 0, unknown, 64);
	settle(guest);
	assert_only_violation(guest, HVH_V_VSTOR_OPERATION);
	assert_true(receive(guest, &answer));
	assert_int_equal(answer.descriptor.transaction_id, 4);
	assert_int_equal(answer.srb.data_length, 36);
}

static void subchannels_are_asked_for_once_or_when_ready(void **state)
{
	struct guest *guest = *state;
	const struct hvh_storage_config config = {.queues_max = 4};
	struct answer answer;
	uint32_t index = 0;
	uint16_t count = 2;

	storage_opened(guest, &config);
	ask(guest, VSTOR_OPERATION_BEGIN_INITIALIZATION, NULL, 0, &answer);
	ask_version(guest, VSTOR_VERSION_6_0, &answer);
	ask(guest, VSTOR_OPERATION_QUERY_PROPERTIES, NULL, 0, &answer);
	assert_int_equal(answer.payload[16], 3);
	count = 4;
	assert_int_equal(ask(guest, VSTOR_OPERATION_CREATE_SUBCHANNELS, &count, 2, &answer), 0xc000000du);
	count = 0;
	assert_int_equal(ask(guest, VSTOR_OPERATION_CREATE_SUBCHANNELS, &count, 2, &answer), 0xc000000du);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_VSTOR_VALUE), 2);
	count = 2;
	assert_int_equal(ask(guest, VSTOR_OPERATION_CREATE_SUBCHANNELS, &count, 2, &answer), 0);
	assert_int_equal(ask(guest, VSTOR_OPERATION_CREATE_SUBCHANNELS, &count, 2, &answer), 0xc0000184u);
	assert_int_equal(ask(guest, VSTOR_OPERATION_END_INITIALIZATION, NULL, 0, &answer), 0);
	assert_int_equal(take_offers(guest, &index), 2);
	count = 3; /* one more */
	send_operation(guest, VSTOR_OPERATION_CREATE_SUBCHANNELS, &count, 2, 77);
	assert_int_equal(take_offers(guest, &index), 1);
	assert_int_equal(index, 3);
	pass(guest, 20 * MS);
	assert_true(receive(guest, &answer));
	assert_int_equal(answer.descriptor.transaction_id, 77);
	assert_int_equal(answer.header.status, 0);
}

static void old_guests_have_none(void **state)
{
	struct guest *guest = *state;
	const uint16_t one = 1;
	struct answer answer;

	storage_opened(guest, NULL);
	negotiate(guest, VSTOR_VERSION_4_2);
	assert_int_equal(ask(guest, VSTOR_OPERATION_CREATE_SUBCHANNELS, &one, 2, &answer), 0xc000000du);
	assert_only_violation(guest, HVH_V_VSTOR_VALUE);
}

static void offers_may_come_before_the_answer(void **state)
{
	struct guest *guest = *state;
	const uint16_t two = 2;
	struct answer answer;

	storage_ready(guest, NULL);
	set(guest, "subchannel-offers", "before");
	send_operation(guest, VSTOR_OPERATION_CREATE_SUBCHANNELS, &two, 2, 77);
	assert_false(receive(guest, &answer));
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	pass(guest, MS);
	assert_true(receive(guest, &answer)); /* the last one lies in the slot */
	assert_true(take(guest, 0));
	assert_false(take(guest, 0));
}

/* --- The IDE accelerator -------------------------------------------------------------------------- */

static void an_accelerator_has_one_disk(void **state)
{
	static const struct vmbus_guid ide = VMBUS_GUID_IDE;
	static const struct hvh_unit_config plain;
	const struct hvh_storage_config config = {.class_ = HVH_STORAGE_IDE};
	struct guest *guest = *state;
	struct hvh_storage *storage = storage_offered(guest, &config);
	struct vstor_request srb = request_for(0, CDB(0), 6, VSTOR_DATA_NONE, 0);
	struct hvh_image image;
	struct answer answer;

	assert_memory_equal(guest->message + 8, ide.bytes, 16);
	assert_memory_equal(guest->message + 60, "\0\0\0\0\0\0\0\0\2\0\0\0", 12);
	assert_message(guest, 0, golden_all_offers_delivered);
	open_line(guest, 1, PAGE_RING);
	assert_true(hvh_image_memory(MIB, &image));
	assert_false(hvh_storage_add(storage, 0, 0, 1, &plain, &image));
	assert_true(hvh_storage_add(storage, 0, 0, 0, &plain, &image));
	assert_ptr_equal(hvh_storage_find(guest->host, "ide0"), storage);
	negotiate(guest, VSTOR_VERSION_6_0);
	srb.path = 0xab; /* bytes of the instance, as Linux has it */
	srb.target = 0xcd;
	do_srb(guest, &srb, 0, &answer);
	assert_int_equal(answer.srb.cdb_sense[12], 0x29);
	do_srb(guest, &srb, 0, &answer);
	assert_int_equal(answer.srb.srb_status, 1);
	srb.lun = 1;
	do_srb(guest, &srb, 0, &answer);
	assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_INVALID_LUN);
	assert_no_violation(guest);
}

static void accelerators_have_places_on_the_bus(void **state)
{
	const struct hvh_storage_config config = {.class_ = HVH_STORAGE_IDE};
	struct guest *guest = *state;

	for (uint32_t n = 0; n < 3; n++)
		assert_non_null(hvh_storage_create(guest->host, &config));
	storage_offered(guest, NULL);
	for (uint32_t n = 0; n < 4; n++) {
		if (n > 0)
			assert_true(take(guest, 0));
		if (guest->message[60 + 8] == 2)
			assert_in_range(guest->message[62] * 2 + guest->message[63], 0, 2);
	}
	assert_non_null(hvh_storage_find(guest->host, "ide2"));
	assert_non_null(hvh_storage_find(guest->host, "scsi0"));
	assert_null(hvh_storage_find(guest->host, "scsi1"));
	assert_null(hvh_storage_find(guest->host, "ide3"));
}

/* --- All of it at once -------------------------------------------------------------------------------- */

static void a_controller_that_is_taken_back_lets_go(void **state)
{
	struct guest *guest = *state;
	struct hvh_storage *storage = busy(guest);
	struct hvh_device_info info;

	hvh_storage_rescind(storage, guest->now);
	settle(guest);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_RESCIND_OFFER);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 1);
	hvh_storage_offer_again(storage, guest->now);
	settle(guest);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	open_line(guest, message_word(guest, 184), PAGE_RING);
	negotiate(guest, VSTOR_VERSION_6_0);
	clear_attention(guest, 1);
	assert_true(hvh_device_get(guest->host, 0, &info));
	assert_string_equal(info.name, "scsi0");
	assert_no_violation(guest);
}

struct found {
	bool unit, request, counters;
};

static void look(void *context, const char *line)
{
	struct found *found = context;

	found->unit |= strstr(line, "unit-0-1:") != NULL;
	found->request |= strstr(line, "state: never-answered") != NULL;
	found->counters |= strstr(line, "unanswered: 3") != NULL;
}

static void the_dump_shows_it(void **state)
{
	struct guest *guest = *state;
	struct found found = {false, false, false};

	busy(guest);
	hvh_dump(guest->host, look, &found);
	assert_true(found.unit && found.request && found.counters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(added_units_are_told),
		TEST(units_that_were_there_are_not_news),
		TEST(units_have_their_places),
		TEST(every_unit_has_a_serial_number),
		TEST(removed_units_are_gone),
		TEST(notices_are_few),
		TEST(resized_disks_are_told),
		TEST(discs_are_changed),
		TEST(a_unit_is_reset),
		TEST(the_controller_is_reset),
		TEST(resets_may_be_nothing),
		TEST(a_bus_reset_loses_requests),
		TEST(subchannels_carry_requests),
		TEST(an_ended_worker_holds_nobody_up),
		TEST(subchannels_are_asked_for_once_or_when_ready),
		TEST(old_guests_have_none),
		TEST(offers_may_come_before_the_answer),
		TEST(an_accelerator_has_one_disk),
		TEST(accelerators_have_places_on_the_bus),
		TEST(a_controller_that_is_taken_back_lets_go),
		TEST(the_dump_shows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
