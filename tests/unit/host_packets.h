/* SPDX-License-Identifier: MIT */
/*
 * The small guest of host_guest.h, and packets by hand on the one channel of a device: for tests of host
 * models whose dialogue is a packet now and then. The channel is the first (its connection is CONNECTION).
 */
#ifndef HOST_PACKETS_H
#define HOST_PACKETS_H

#include "host_guest.h"

#define WANTED VMBUS_PACKET_FLAG_COMPLETION_REQUESTED
#define CONNECTION 0x2001u
#ifndef PAYLOAD_MAX
#define PAYLOAD_MAX 3072u
#endif

struct answer {
	struct vmbus_packet_descriptor descriptor;
	uint32_t length; /* of the payload, with padding */
	uint8_t payload[PAYLOAD_MAX];
};

/* --- Packets ------------------------------------------------------------------------------------- */

static inline void send_raw(struct guest *guest, uint16_t type, uint16_t flags, uint64_t id,
			    const void *payload, uint32_t length)
{
	uint32_t padded = (length + 7u) & ~7u;
	struct vmbus_packet_descriptor descriptor = {
		.type = type,
		.header_length8 = 2,
		.length8 = (uint16_t)(2 + padded / 8),
		.flags = flags,
		.transaction_id = id,
	};
	uint32_t at = *word_at(guest, IN_CONTROL + VMBUS_RING_WRITE_INDEX);
	uint8_t bytes[PAYLOAD_MAX] = {0};

	assert_true(padded <= sizeof bytes);
	memcpy(bytes, payload, length);
	*word_at(guest, IN_CONTROL + VMBUS_RING_WRITE_INDEX) = put_packet(guest, at, &descriptor, bytes,
									  padded);
	if (*word_at(guest, IN_CONTROL + VMBUS_RING_INTERRUPT_MASK) == 0 &&
	    *word_at(guest, IN_CONTROL + VMBUS_RING_READ_INDEX) == at)
		assert_int_equal(signal_to(guest, CONNECTION), 0);
	settle(guest);
}

/* In-band. */
static inline void send_message(struct guest *guest, const void *message, uint32_t length, bool wanted,
				uint64_t id)
{
	send_raw(guest, VMBUS_PACKET_IN_BAND, wanted ? WANTED : 0, id, message, length);
}

static inline bool receive(struct guest *guest, struct answer *answer)
{
	uint32_t write = *word_at(guest, OUT_CONTROL + VMBUS_RING_WRITE_INDEX);
	uint32_t read = *word_at(guest, OUT_CONTROL + VMBUS_RING_READ_INDEX);
	uint32_t pending = *word_at(guest, OUT_CONTROL + VMBUS_RING_PENDING_SEND_SIZE);
	uint8_t bytes[16 + PAYLOAD_MAX];

	if (read == write)
		return false;
	for (uint32_t n = 0; n < sizeof bytes; n++)
		bytes[n] = guest->memory[OUT_DATA + (read + n) % RING_BYTES];
	memset(answer, 0, sizeof *answer);
	memcpy(&answer->descriptor, bytes, 16);
	uint32_t total = answer->descriptor.length8 * 8u;
	assert_true(answer->descriptor.header_length8 == 2 && total <= 16 + sizeof answer->payload);
	answer->length = total - 16;
	memcpy(answer->payload, bytes + 16, answer->length);
	uint32_t before = RING_BYTES - (write + RING_BYTES - read) % RING_BYTES, after = before + total + 8;
	*word_at(guest, OUT_CONTROL + VMBUS_RING_READ_INDEX) = (read + total + 8) % RING_BYTES;
	if (pending != 0 && before <= pending && pending < after)
		assert_int_equal(signal_to(guest, CONNECTION), 0);
	settle(guest);
	return true;
}

static inline uint32_t word_of(const struct answer *answer, uint32_t offset)
{
	uint32_t word;

	memcpy(&word, answer->payload + offset, sizeof word);
	return word;
}

/* The ring is forgotten before. */
static inline void open_channel(struct guest *guest, uint32_t channel)
{
	struct vmbus_open_channel open = open_message(channel);

	memset(guest->memory + ADDRESS(PAGE_RING), 0, RING_PAGES * HVK_PAGE_SIZE);
	create_gpadl(guest, channel, GPADL + channel, PAGE_RING, RING_PAGES);
	open.ring_gpadl = GPADL + channel;
	assert_int_equal(send_open(guest, &open), 0);
}

/* What the guest is told of the device, then its channel is opened. */
static inline void open_offered(struct guest *guest)
{
	guest_start(guest);
	connect_at(guest, guest->profile.accept_newest);
	post(guest, golden_request_offers, sizeof(golden_request_offers));
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	assert_message(guest, 0, golden_all_offers_delivered);
	open_channel(guest, 1);
}

static inline void expect_packet(struct guest *guest, const void *bytes, uint32_t length)
{
	struct answer answer;

	assert_true(receive(guest, &answer));
	assert_int_equal(answer.descriptor.type, VMBUS_PACKET_IN_BAND);
	assert_int_equal(answer.descriptor.flags, 0);
	assert_int_equal(answer.length, (length + 7u) & ~7u);
	assert_memory_equal(answer.payload, bytes, length);
}

static inline void expect_completion(struct guest *guest, uint64_t id)
{
	struct answer answer;

	assert_true(receive(guest, &answer));
	assert_int_equal(answer.descriptor.type, VMBUS_PACKET_COMPLETION);
	assert_int_equal(answer.descriptor.transaction_id, id);
}

static inline void expect_nothing(struct guest *guest)
{
	struct answer answer;

	assert_false(receive(guest, &answer));
}

/* Closed, and opened anew. */
static inline void open_again(struct guest *guest)
{
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	send_teardown(guest, 1, GPADL + 1);
	assert_true(take(guest, 0));
	open_channel(guest, 1);
}

/* --- The state tree ------------------------------------------------------------------------------ */

static inline void find_line(void *context, const char *line)
{
	const char **wanted = context;

	if (*wanted != NULL && strstr(line, *wanted) != NULL)
		*wanted = NULL;
}

static inline void dump_says(struct guest *guest, const char *line)
{
	const char *left = line;

	hvh_dump(guest->host, find_line, &left);
	if (left != NULL)
		fail_msg("the tree lacks '%s'", line);
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
