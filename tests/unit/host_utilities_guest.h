/* SPDX-License-Identifier: MIT */
/* A guest by hand for the host's integration components: what it is asked, and what it answers. */
#ifndef HOST_UTILITIES_GUEST_H
#define HOST_UTILITIES_GUEST_H

#define RING_PAGES 8u
#define PAYLOAD_MAX 8192u
#include "host_packets.h"
#include "hvkit/wire/ic.h"
#include "hvkit_host/quirk.h"
#include "hvkit_host/utilities.h"

#define HEADERS (sizeof(struct pipe_header) + sizeof(struct ic_header))
#define SECOND HVH_TIME_PER_SECOND

/* The message that the guest has, and answers. */
struct asked {
	struct pipe_header pipe;
	struct ic_header header;
	uint8_t body[PAYLOAD_MAX];
};
static struct asked asked;

/* How the newest request ended. */
static struct {
	unsigned count;
	enum hvh_utility_result result;
	uint32_t status;
	char text[4200];
} ended;

static inline void on_end(void *context, enum hvh_utility_result result, uint32_t status, const char *text)
{
	(void)context;
	ended.count++;
	ended.result = result;
	ended.status = status;
	(void)snprintf(ended.text, sizeof ended.text, "%s", text);
}

/* It has ended since the last look: so, and with a text that has this in it. */
static inline void expect_end(enum hvh_utility_result result, uint32_t status, const char *text)
{
	assert_int_equal(ended.count, 1);
	ended.count = 0;
	if (ended.result != result || ended.status != status || strstr(ended.text, text) == NULL)
		fail_msg("ended with %d, 0x%x: %s", ended.result, ended.status, ended.text);
}

/* --- Messages ------------------------------------------------------------------------------------ */

/* The next that the host has sent, checked as far as all have it in common. */
static inline bool next(struct guest *guest)
{
	struct answer packet;

	settle(guest);
	if (!receive(guest, &packet))
		return false;
	assert_int_equal(packet.descriptor.type, VMBUS_PACKET_IN_BAND);
	assert_int_equal(packet.descriptor.flags, 0);
	memset(&asked, 0, sizeof asked);
	memcpy(&asked.pipe, packet.payload, sizeof asked.pipe);
	memcpy(&asked.header, packet.payload + sizeof asked.pipe, sizeof asked.header);
	assert_int_equal(asked.pipe.type, PIPE_MESSAGE_DATA);
	assert_int_equal(asked.pipe.size, sizeof asked.header + asked.header.size);
	assert_int_equal(packet.length, (HEADERS + asked.header.size + 7u) & ~7u);
	assert_int_equal(asked.header.flags, IC_FLAG_TRANSACTION | IC_FLAG_REQUEST);
	assert_int_equal(asked.header.status, 0);
	assert_true(asked.header.reserved[0] == 0 && asked.header.reserved[1] == 0);
	memcpy(asked.body, packet.payload + HEADERS, asked.header.size);
	return true;
}

static inline void expect_none(struct guest *guest)
{
	if (next(guest))
		fail_msg("the host says type %u, %u bytes", asked.header.type, asked.header.size);
}

/* That of the component, at this version, with a body of that size. */
static inline void expect_message(struct guest *guest, uint16_t type, uint32_t version, uint16_t size)
{
	assert_true(next(guest));
	assert_int_equal(asked.header.type, type);
	assert_int_equal(asked.header.framework, IC_FRAMEWORK_3_0);
	assert_int_equal(asked.header.version[0], version & 0xffffu);
	assert_int_equal(asked.header.version[1], version >> 16);
	assert_int_equal(asked.header.size, size);
}

static inline void send_asked(struct guest *guest)
{
	uint8_t bytes[HEADERS + PAYLOAD_MAX];

	memcpy(bytes, &asked.pipe, sizeof asked.pipe);
	memcpy(bytes + sizeof asked.pipe, &asked.header, sizeof asked.header);
	memcpy(bytes + HEADERS, asked.body, PAYLOAD_MAX - HEADERS);
	send_message(guest, bytes, (uint32_t)sizeof asked.pipe + asked.pipe.size, false, 0);
}

/* What was asked goes back, with a status. */
static inline void reply(struct guest *guest, uint32_t status)
{
	asked.header.flags = IC_FLAG_TRANSACTION | IC_FLAG_RESPONSE;
	asked.header.status = status;
	send_asked(guest);
}

/* --- Life ---------------------------------------------------------------------------------------- */

static inline struct hvh_utilities *offer_with(struct guest *guest, const struct hvh_utilities_config *config)
{
	char error[200] = "";
	struct hvh_utilities *utilities = hvh_utilities_create(guest->host, config, error, sizeof error);

	if (utilities == NULL)
		fail_msg("%s", error);
	memset(&ended, 0, sizeof ended);
	open_offered(guest);
	return utilities;
}

static inline struct hvh_utilities *offer(struct guest *guest, uint32_t which)
{
	const struct hvh_utilities_config config = {.which = which};

	return offer_with(guest, &config);
}

static inline void choose(struct guest *guest, uint32_t framework, uint32_t message)
{
	const struct ic_negotiate counts = {1, 1, 0};

	assert_true(next(guest));
	assert_int_equal(asked.header.type, IC_TYPE_NEGOTIATE);
	memcpy(asked.body, &counts, sizeof counts);
	memcpy(asked.body + sizeof counts, &framework, sizeof framework);
	memcpy(asked.body + sizeof counts + sizeof framework, &message, sizeof message);
	asked.header.size = 16;
	reply(guest, IC_STATUS_OK);
}

static inline struct hvh_utilities *ready(struct guest *guest, uint32_t which, uint32_t message)
{
	struct hvh_utilities *utilities = offer(guest, which);

	choose(guest, IC_FRAMEWORK_3_0, message);
	dump_says(guest, "state: ready");
	return utilities;
}

static inline struct hvh_utilities_counters counters_of(const struct hvh_utilities *utilities)
{
	struct hvh_utilities_counters counters;

	hvh_utilities_get_counters(utilities, &counters);
	return counters;
}

/* ASCII as UTF-16, with its end. Returns the bytes. */
static inline uint32_t wide(uint8_t *to, const char *text)
{
	uint32_t length = 0;

	do {
		to[length++] = (uint8_t)*text;
		to[length++] = 0;
	} while (*text++ != '\0');
	return length;
}

#endif
