/* SPDX-License-Identifier: MIT */
/* The small guest of host_guest.h with an open echo device as channel 1. */
#ifndef HOST_ECHO_GUEST_H
#define HOST_ECHO_GUEST_H

#include "host_guest.h"
#include "hvkit_host/echo.h"

struct answer {
	struct vmbus_packet_descriptor descriptor;
	uint32_t length; /* of the payload */
	uint8_t payload[RING_BYTES];
};

static inline void echo_open(struct guest *guest, uint32_t channel, uint32_t page)
{
	struct vmbus_open_channel open = open_message(channel);
	memset(guest->memory + ADDRESS(page), 0, RING_PAGES * HVK_PAGE_SIZE);
	create_gpadl(guest, channel, GPADL + channel, page, RING_PAGES);
	open.ring_gpadl = GPADL + channel;
	assert_int_equal(send_open(guest, &open), 0);
}

static inline struct hvh_echo *echo_offered(struct guest *guest, uint32_t version,
					    const struct hvh_echo_config *config)
{
	static const struct hvh_echo_config plain;
	static const struct vmbus_guid type = HVH_ECHO_GUID;
	guest_start(guest);
	struct hvh_echo *echo = hvh_echo_create(guest->host, config != NULL ? config : &plain);
	assert_non_null(echo);
	connect_at(guest, version);
	post(guest, golden_request_offers, sizeof(golden_request_offers));
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	assert_memory_equal(guest->message + 8, type.bytes, 16);
	assert_message(guest, 0, golden_all_offers_delivered);
	return echo;
}

static inline struct hvh_echo *echo_opened(struct guest *guest, uint32_t version,
					   const struct hvh_echo_config *config)
{
	struct hvh_echo *echo = echo_offered(guest, version, config);
	echo_open(guest, 1, PAGE_RING);
	return echo;
}

/* Sends a packet of any kind on channel 1 and signals if the ring rules ask for it. */
static inline void echo_send(struct guest *guest, uint16_t type, uint16_t flags, const void *rest,
			     uint32_t extension, uint32_t length, uint64_t id)
{
	struct vmbus_packet_descriptor descriptor = {
		.type = type,
		.header_length8 = (uint16_t)(2 + extension / 8),
		.length8 = (uint16_t)(2 + length / 8),
		.flags = flags,
		.transaction_id = id,
	};
	uint32_t at = *word_at(guest, IN_CONTROL + VMBUS_RING_WRITE_INDEX);
	*word_at(guest, IN_CONTROL + VMBUS_RING_WRITE_INDEX) = put_packet(guest, at, &descriptor, rest,
									  length);
	if (*word_at(guest, IN_CONTROL + VMBUS_RING_INTERRUPT_MASK) == 0 &&
	    *word_at(guest, IN_CONTROL + VMBUS_RING_READ_INDEX) == at)
		assert_int_equal(signal_to(guest, 0x2001), 0);
	settle(guest);
}

static inline void echo_request(struct guest *guest, uint32_t operation, uint32_t argument, bool completion,
				uint64_t id)
{
	struct hvh_echo_header header = {operation, argument};
	echo_send(guest, VMBUS_PACKET_IN_BAND, completion ? VMBUS_PACKET_FLAG_COMPLETION_REQUESTED : 0,
		  &header, 0, sizeof(header), id);
}

/* The next packet for the guest on channel 1; false if there is none. */
static inline bool echo_receive(struct guest *guest, struct answer *answer)
{
	uint32_t write = *word_at(guest, OUT_CONTROL + VMBUS_RING_WRITE_INDEX);
	uint32_t read = *word_at(guest, OUT_CONTROL + VMBUS_RING_READ_INDEX);
	uint32_t pending = *word_at(guest, OUT_CONTROL + VMBUS_RING_PENDING_SEND_SIZE);
	uint8_t bytes[RING_BYTES];
	if (read == write)
		return false;
	uint32_t used_before = (write + RING_BYTES - read) % RING_BYTES;
	for (uint32_t n = 0; n < RING_BYTES; n++)
		bytes[n] = guest->memory[OUT_DATA + (read + n) % RING_BYTES];
	memcpy(&answer->descriptor, bytes, sizeof(answer->descriptor));
	uint32_t header = answer->descriptor.header_length8 * 8u, total = answer->descriptor.length8 * 8u;
	answer->length = total - header;
	memcpy(answer->payload, bytes + header, answer->length);
	*word_at(guest, OUT_CONTROL + VMBUS_RING_READ_INDEX) = (read + total + 8) % RING_BYTES;
	uint32_t before = RING_BYTES - used_before, after = before + total + 8;
	if (pending != 0 && before <= pending && pending < after)
		assert_int_equal(signal_to(guest, 0x2001), 0);
	settle(guest);
	return true;
}

static inline uint32_t answer_argument(const struct answer *answer)
{
	uint32_t argument;
	memcpy(&argument, answer->payload + 4, sizeof(argument));
	return argument;
}

#endif
