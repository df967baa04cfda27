/* SPDX-License-Identifier: MIT */
/*
 * The small guest of host_guest.h with a storage controller, and vstor packets by hand. Its first
 * channel's ring is at PAGE_RING, a sub-channel's further up; data pages are from DATA on.
 */
#ifndef HOST_STORVSP_GUEST_H
#define HOST_STORVSP_GUEST_H

#include "host_guest.h"
#include "hvkit/wire/scsi.h"
#include "hvkit/wire/vstor.h"
#include "hvkit_host/quirk.h"
#include "hvkit_host/storage.h"

#define DATA 0x100u
#define MIB (1ull << 20)
#define WANTED VMBUS_PACKET_FLAG_COMPLETION_REQUESTED
#define CDB(...) ((const uint8_t[VSTOR_CDB_SIZE]){__VA_ARGS__})

struct line {
	uint32_t page, connection;
};

static const struct line primary = {PAGE_RING, 0x2001};

struct answer {
	struct vmbus_packet_descriptor descriptor;
	uint32_t length; /* of the payload */
	struct vstor_header header;
	struct vstor_request srb; /* and its bytes: */
	uint8_t payload[256];
};

/* --- Packets ------------------------------------------------------------------------------ */

static inline uint64_t data_page(struct line line, bool out)
{
	return ADDRESS(line.page + 1u + (out ? DOWNSTREAM : 0u));
}

static inline uint64_t control_page(struct line line, bool out)
{
	return ADDRESS(line.page + (out ? DOWNSTREAM : 0u));
}

static inline void put_bytes(struct guest *guest, struct line line, uint32_t at, const void *bytes,
			     uint32_t length)
{
	for (uint32_t n = 0; n < length; n++)
		guest->memory[data_page(line, false) + (at + n) % RING_BYTES] = ((const uint8_t *)bytes)[n];
}

static inline void send_raw(struct guest *guest, struct line line, uint16_t type, uint16_t flags, uint64_t id,
			    const void *extension, uint32_t extension_length, const void *payload,
			    uint32_t length)
{
	struct vmbus_packet_descriptor descriptor = {
		.type = type,
		.header_length8 = (uint16_t)(2 + extension_length / 8),
		.length8 = (uint16_t)(2 + (extension_length + length) / 8),
		.flags = flags,
		.transaction_id = id,
	};
	uint64_t control = control_page(line, false);
	uint32_t at = *word_at(guest, control + VMBUS_RING_WRITE_INDEX);
	struct vmbus_packet_trailer trailer = {0, at};

	put_bytes(guest, line, at, &descriptor, 16);
	put_bytes(guest, line, at + 16, extension, extension_length);
	put_bytes(guest, line, at + 16 + extension_length, payload, length);
	put_bytes(guest, line, at + 16 + extension_length + length, &trailer, 8);
	*word_at(guest, control + VMBUS_RING_WRITE_INDEX) = (at + 24 + extension_length + length) %
							    RING_BYTES;
	if (*word_at(guest, control + VMBUS_RING_INTERRUPT_MASK) == 0 &&
	    *word_at(guest, control + VMBUS_RING_READ_INDEX) == at)
		assert_int_equal(signal_to(guest, line.connection), 0);
}

static inline bool receive_on(struct guest *guest, struct line line, struct answer *answer)
{
	uint64_t control = control_page(line, true);
	uint32_t write = *word_at(guest, control + VMBUS_RING_WRITE_INDEX);
	uint32_t read = *word_at(guest, control + VMBUS_RING_READ_INDEX);
	uint32_t pending = *word_at(guest, control + VMBUS_RING_PENDING_SEND_SIZE);
	uint8_t bytes[512];

	if (read == write)
		return false;
	for (uint32_t n = 0; n < sizeof bytes; n++)
		bytes[n] = guest->memory[data_page(line, true) + (read + n) % RING_BYTES];
	memset(answer, 0, sizeof *answer);
	memcpy(&answer->descriptor, bytes, 16);
	uint32_t header = answer->descriptor.header_length8 * 8u, total = answer->descriptor.length8 * 8u;
	assert_true(header == 16 && total <= 16 + sizeof answer->payload);
	answer->length = total - header;
	memcpy(answer->payload, bytes + header, answer->length);
	memcpy(&answer->header, answer->payload, 12);
	memcpy(&answer->srb, answer->payload + 12, sizeof answer->srb);
	uint32_t before = RING_BYTES - (write + RING_BYTES - read) % RING_BYTES, after = before + total + 8;
	*word_at(guest, control + VMBUS_RING_READ_INDEX) = (read + total + 8) % RING_BYTES;
	if (pending != 0 && before <= pending && pending < after)
		assert_int_equal(signal_to(guest, line.connection), 0);
	settle(guest);
	return true;
}

static inline bool receive(struct guest *guest, struct answer *answer)
{
	return receive_on(guest, primary, answer);
}

/* In band, 64 bytes: the header, and then. */
static inline void send_operation(struct guest *guest, uint32_t operation, const void *payload,
				  uint32_t length, uint64_t id)
{
	struct vstor_header header = {operation, VSTOR_FLAG_REQUEST_COMPLETION, 0};
	uint8_t bytes[64] = {0};

	memcpy(bytes, &header, 12);
	if (length > 0)
		memcpy(bytes + 12, payload, length);
	send_raw(guest, primary, VMBUS_PACKET_IN_BAND, WANTED, id, NULL, 0, bytes, 64);
	settle(guest);
}

/* ... and its answer's status. */
static inline uint32_t ask(struct guest *guest, uint32_t operation, const void *payload, uint32_t length,
			   struct answer *answer)
{
	send_operation(guest, operation, payload, length, operation + 100);
	assert_true(receive(guest, answer));
	assert_int_equal(answer->descriptor.type, VMBUS_PACKET_COMPLETION);
	assert_int_equal(answer->descriptor.transaction_id, operation + 100);
	assert_int_equal(answer->header.operation, VSTOR_OPERATION_COMPLETE_IO);
	assert_int_equal(answer->header.flags, 0);
	return answer->header.status;
}

static inline uint32_t ask_version(struct guest *guest, uint16_t version, struct answer *answer)
{
	struct vstor_version wanted = {version, 0};

	return ask(guest, VSTOR_OPERATION_QUERY_PROTOCOL_VERSION, &wanted, sizeof wanted, answer);
}

/* --- Life ------------------------------------------------------------------------------------- */

static inline struct hvh_storage *storage_offered(struct guest *guest,
						  const struct hvh_storage_config *config)
{
	static const struct hvh_storage_config plain;
	struct hvh_storage *storage = hvh_storage_create(guest->host, config != NULL ? config : &plain);

	assert_non_null(storage);
	guest_start(guest);
	connect_at(guest, guest->profile.accept_newest);
	post(guest, golden_request_offers, sizeof(golden_request_offers));
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	return storage;
}

static inline void open_line(struct guest *guest, uint32_t channel, uint32_t page)
{
	struct vmbus_open_channel open = open_message(channel);

	memset(guest->memory + ADDRESS(page), 0, RING_PAGES * HVK_PAGE_SIZE);
	create_gpadl(guest, channel, GPADL + channel, page, RING_PAGES);
	open.ring_gpadl = GPADL + channel;
	assert_int_equal(send_open(guest, &open), 0);
}

static inline struct hvh_storage *storage_opened(struct guest *guest, const struct hvh_storage_config *config)
{
	struct hvh_storage *storage = storage_offered(guest, config);

	assert_message(guest, 0, golden_all_offers_delivered);
	open_line(guest, 1, PAGE_RING);
	return storage;
}

static inline void negotiate(struct guest *guest, uint16_t version)
{
	struct answer answer;

	assert_int_equal(ask(guest, VSTOR_OPERATION_BEGIN_INITIALIZATION, NULL, 0, &answer), 0);
	assert_int_equal(ask_version(guest, version, &answer), 0);
	assert_int_equal(ask(guest, VSTOR_OPERATION_QUERY_PROPERTIES, NULL, 0, &answer), 0);
	assert_int_equal(ask(guest, VSTOR_OPERATION_END_INITIALIZATION, NULL, 0, &answer), 0);
}

static inline struct hvh_storage *storage_ready(struct guest *guest, const struct hvh_storage_config *config)
{
	struct hvh_storage *storage = storage_opened(guest, config);

	negotiate(guest, VSTOR_VERSION_6_0);
	return storage;
}

static inline void add_disk(struct guest *guest, struct hvh_storage *storage, uint32_t target, uint32_t lun,
			    uint64_t size)
{
	static const struct hvh_unit_config plain = {.serial = "S1"};
	struct hvh_image image;

	assert_true(hvh_image_memory(size, &image));
	assert_true(hvh_storage_add(storage, guest->now, target, lun, &plain, &image));
	settle(guest);
}

/* --- Requests ------------------------------------------------------------------------------------ */

static inline struct vstor_request request_for(uint32_t lun, const uint8_t *cdb, uint8_t cdb_length,
					       uint8_t direction, uint32_t length)
{
	struct vstor_request srb = {
		.length = sizeof srb,
		.lun = (uint8_t)lun,
		.cdb_length = cdb_length,
		.sense_length = VSTOR_SENSE_SIZE,
		.data_direction = direction,
		.data_length = length,
		.timeout = 60,
	};

	memcpy(srb.cdb_sense, cdb, cdb_length);
	return srb;
}

/* With data from offset on in the pages from DATA on. */
static inline void send_srb_on(struct guest *guest, struct line line, const struct vstor_request *srb,
			       uint32_t offset, uint64_t id)
{
	struct {
		struct vmbus_gpa_direct_header head;
		struct vmbus_gpa_range range;
		uint64_t pfns[66];
	} list = {.head = {0, 1}, .range = {srb->data_length, offset}};
	struct vstor_header header = {VSTOR_OPERATION_EXECUTE_SRB, VSTOR_FLAG_REQUEST_COMPLETION, 0};
	uint32_t pages = (offset + srb->data_length + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE;
	uint8_t bytes[64];

	assert_true(pages <= 66);
	memcpy(bytes, &header, 12);
	memcpy(bytes + 12, srb, 52);
	for (uint32_t n = 0; n < pages; n++)
		list.pfns[n] = DATA + n;
	if (srb->data_length == 0)
		send_raw(guest, line, VMBUS_PACKET_IN_BAND, WANTED, id, NULL, 0, bytes, 64);
	else
		send_raw(guest, line, VMBUS_PACKET_GPA_DIRECT, WANTED, id, &list, 16 + pages * 8, bytes, 64);
	settle(guest);
}

static inline void send_srb(struct guest *guest, const struct vstor_request *srb, uint64_t id)
{
	send_srb_on(guest, primary, srb, 0, id);
}

static inline void do_srb(struct guest *guest, const struct vstor_request *srb, uint32_t offset,
			  struct answer *answer)
{
	send_srb_on(guest, primary, srb, offset, 7);
	assert_true(receive(guest, answer));
	assert_int_equal(answer->descriptor.transaction_id, 7);
	assert_int_equal(answer->header.operation, VSTOR_OPERATION_COMPLETE_IO);
}

/* A command that reads so many bytes at most; their number, or a failure's. */
static inline void do_in(struct guest *guest, uint32_t lun, const uint8_t *cdb, uint8_t cdb_length,
			 uint32_t length, struct answer *answer)
{
	struct vstor_request srb = request_for(lun, cdb, cdb_length,
					       length > 0 ? VSTOR_DATA_IN : VSTOR_DATA_NONE, length);

	do_srb(guest, &srb, 0, answer);
}

/* The unit attentions that a unit has at first: that it was reset, and of its neighbours. */
static inline void clear_attention(struct guest *guest, uint32_t lun)
{
	struct answer answer;

	do_in(guest, lun, CDB(0), 6, 0, &answer);
	assert_int_equal(answer.srb.scsi_status, SCSI_STATUS_CHECK_CONDITION);
	assert_int_equal(answer.srb.cdb_sense[2], SCSI_SENSE_UNIT_ATTENTION);
	assert_int_equal(answer.srb.cdb_sense[12], 0x29);
	for (uint32_t n = 0; n < 2 && answer.srb.scsi_status != SCSI_STATUS_GOOD; n++)
		do_in(guest, lun, CDB(0), 6, 0, &answer);
	assert_int_equal(answer.srb.srb_status, VSTOR_SRB_STATUS_SUCCESS);
}

static inline uint8_t *data(struct guest *guest)
{
	return guest->memory + ADDRESS(DATA);
}

static inline int guest_set_up(void **state)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	guest_create(guest, "ws2022");
	*state = guest;
	return 0;
}

static inline int guest_tear_down(void **state)
{
	guest_destroy(*state);
	free(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, guest_set_up, guest_tear_down)

#endif
