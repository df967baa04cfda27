/* SPDX-License-Identifier: MIT */
/* Opens the first channel offered and signals it with rubbish in its ring, in many forms. */
#include "bus.inc"

#define RING_PAGES 8u /* four each way */
#define GPADL 0xe1e10u

static uint8_t ring[RING_PAGES * 4096] __attribute__((aligned(4096)));
static struct vmbus_offer_channel offer;
static uint64_t state = 0x2545f4914f6cdd1dull;

static uint64_t rubbish(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static int find_channel(void)
{
	const struct vmbus_message_header request = {VMBUS_MSG_REQUEST_OFFERS, 0};
	struct vmbus_offer_channel seen;
	uint32_t type;

	post(VMBUS_CONNECTION_MESSAGE_V5, &request, sizeof(request));
	while ((type = await_message(0, &seen, sizeof(seen))) == VMBUS_MSG_OFFER_CHANNEL)
		offer = seen;
	return type == VMBUS_MSG_ALL_OFFERS_DELIVERED && offer.channel_id;
}

static int create_gpadl(void)
{
	struct {
		struct vmbus_gpadl_header header;
		uint64_t pages[RING_PAGES];
	} __attribute__((packed)) message = {.header = {.header = {VMBUS_MSG_GPADL_HEADER, 0},
							.channel_id = offer.channel_id,
							.gpadl = GPADL,
							.range_buffer_length = 8 + 8 * RING_PAGES,
							.range_count = 1,
							.byte_count = sizeof(ring)}};
	struct vmbus_gpadl_created created;

	for (uint32_t n = 0; n < RING_PAGES; n++)
		message.pages[n] = ((uint64_t)ring >> 12) + n;
	post(VMBUS_CONNECTION_MESSAGE_V5, &message, sizeof(message));
	return await_message(0, &created, sizeof(created)) == VMBUS_MSG_GPADL_CREATED && created.status == 0;
}

static int open_channel(void)
{
	struct vmbus_open_channel message = {.header = {VMBUS_MSG_OPEN_CHANNEL, 0},
					     .channel_id = offer.channel_id,
					     .open_id = offer.channel_id,
					     .ring_gpadl = GPADL,
					     .downstream_page_offset = RING_PAGES / 2};
	struct vmbus_open_result opened;

	post(VMBUS_CONNECTION_MESSAGE_V5, &message, sizeof(message));
	return await_message(0, &opened, sizeof(opened)) == VMBUS_MSG_OPEN_RESULT && opened.status == 0;
}

static void throw_rubbish(void)
{
	uint64_t *words = (uint64_t *)ring;

	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t n = 0; n < sizeof(ring) / 8; n += 1 + (uint32_t)(rubbish() & 31))
			words[n] = rubbish();
		/* Half of them with indices that are right, so that packets are looked at. */
		if (round & 1) {
			((volatile uint32_t *)ring)[1] = 0;
			((volatile uint32_t *)ring)[0] = (uint32_t)(rubbish() & 0x3ff8u) % 0x3000u;
		}
		(void)hypercall(HV_CALL_SIGNAL_EVENT | HV_CALL_FAST, offer.connection_id, 0);
	}
}

int guest_main(const void *zero_page)
{
	struct vmbus_version_response response;

	(void)zero_page;
	enable_hypercalls();
	enable_synic(0);
	if (!contact(0) || await_message(0, &response, sizeof(response)) != VMBUS_MSG_VERSION_RESPONSE)
		return 1;
	if (!find_channel())
		return 2;
	if (!create_gpadl())
		return 3;
	if (!open_channel())
		return 4;
	throw_rubbish();
	return guest_faults ? 5 : 0;
}
