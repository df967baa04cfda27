/* SPDX-License-Identifier: MIT */
/*
 * The simulated wire: a queue of frames on their way to the guest, each due at a time
 * of its own, never out of order.
 */
#include <stdlib.h>
#include <string.h>

#include "hvkit_host/network.h"
#include "simwire.h"

#define QUEUE 4096u
#define STREAMS 16u
#define FRAMES_PER_RUN 64u
#define RETRY (1 * HVH_TIME_PER_MS) /* when the card's queue is full */

struct waiting_frame {
	uint64_t due;
	uint32_t length;
	uint8_t *bytes;
};

struct numbered_stream {
	uint32_t stream, next, count, length;
};

struct hvh_simwire {
	struct hvh_nic *nic;
	uint64_t random;
	uint64_t delay_max;
	uint64_t last_due;
	uint64_t retry; /* not before */
	bool guest_known;
	uint8_t guest_mac[ETHERNET_ADDRESS];
	struct waiting_frame queue[QUEUE];
	uint32_t head, count;
	uint32_t stamped; /* so many of them have their time, which is known only in a run */
	struct numbered_stream streams[STREAMS];
	uint32_t stream_count;
	uint8_t frame[SIMWIRE_FRAME_MAX]; /* in the making */
};

/* splitmix64: the wire's own, so that the host's choices do not depend on it. */
static uint64_t next_random(struct hvh_simwire *wire)
{
	uint64_t value = wire->random += 0x9e3779b97f4a7c15ull;

	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
	value = (value ^ value >> 27) * 0x94d049bb133111ebull;
	return value ^ value >> 31;
}

struct hvh_simwire *hvh_simwire_create(uint64_t seed)
{
	struct hvh_simwire *wire = calloc(1, sizeof *wire);

	if (wire != NULL)
		wire->random = seed;
	return wire;
}

void hvh_simwire_destroy(struct hvh_simwire *wire)
{
	if (wire == NULL)
		return;
	for (uint32_t i = 0; i < wire->count; i++)
		free(wire->queue[(wire->head + i) % QUEUE].bytes);
	free(wire);
}

/* False: no room, and the frame is lost, as on a wire. */
static bool enqueue(struct hvh_simwire *wire, const uint8_t *bytes, uint32_t length)
{
	struct waiting_frame *waiting = &wire->queue[(wire->head + wire->count) % QUEUE];

	if (wire->count == QUEUE)
		return false;
	waiting->bytes = malloc(length);
	if (waiting->bytes == NULL)
		return false;
	memcpy(waiting->bytes, bytes, length);
	waiting->length = length;
	wire->count++;
	return true;
}

static void transmit(void *context, const void *frame, uint32_t length)
{
	struct hvh_simwire *wire = context;
	const uint8_t *bytes = frame;
	uint32_t answer;

	if (length < ETHERNET_HEADER)
		return;
	if ((bytes[ETHERNET_ADDRESS] & 1) == 0) {
		memcpy(wire->guest_mac, bytes + ETHERNET_ADDRESS, ETHERNET_ADDRESS);
		wire->guest_known = true;
	}
	answer = hvh_simwire_answer(bytes, length, wire->frame);
	if (answer > 0)
		enqueue(wire, wire->frame, answer);
}

void hvh_simwire_backend(struct hvh_simwire *wire, struct hvh_backend *out)
{
	*out = (struct hvh_backend){.context = wire, .transmit = transmit};
	out->flush = NULL; /* hvh_simwire_run looks */
}

void hvh_simwire_attach(struct hvh_simwire *wire, struct hvh_nic *nic)
{
	wire->nic = nic;
}

void hvh_simwire_set_delay(struct hvh_simwire *wire, uint64_t max)
{
	wire->delay_max = max;
}

/* --- Numbered frames -------------------------------------------------------------------- */

void hvh_simwire_send_numbered(struct hvh_simwire *wire, uint32_t stream, uint32_t count, uint32_t length)
{
	struct numbered_stream *numbered = &wire->streams[wire->stream_count];

	if (wire->stream_count == STREAMS || count == 0)
		return;
	if (length < ETHERNET_HEADER + SIMWIRE_NUMBERED_HEADER)
		length = ETHERNET_HEADER + SIMWIRE_NUMBERED_HEADER;
	if (length > SIMWIRE_FRAME_MAX)
		length = SIMWIRE_FRAME_MAX;
	numbered->stream = stream;
	numbered->next = 0;
	numbered->count = count;
	numbered->length = length;
	wire->stream_count++;
}

static void numbered_build(struct hvh_simwire *wire, const struct numbered_stream *numbered)
{
	static const uint8_t peer_mac[] = SIMWIRE_PEER_MAC;
	const uint32_t words[] = {SIMWIRE_NUMBERED, numbered->stream, numbered->next};

	memset(wire->frame, 0xff, ETHERNET_ADDRESS);
	if (wire->guest_known)
		memcpy(wire->frame, wire->guest_mac, ETHERNET_ADDRESS);
	memcpy(wire->frame + ETHERNET_ADDRESS, peer_mac, sizeof peer_mac);
	put16(wire->frame + 12, SIMWIRE_ETHERTYPE_TEST);
	memcpy(wire->frame + ETHERNET_HEADER, words, sizeof words);
	for (uint32_t i = ETHERNET_HEADER + SIMWIRE_NUMBERED_HEADER; i < numbered->length; i++)
		wire->frame[i] = (uint8_t)(numbered->next + i);
}

/* Some frames of each stream; half of the queue is left to the answers. */
static void numbered_run(struct hvh_simwire *wire)
{
	for (uint32_t n = 0; n < FRAMES_PER_RUN && wire->stream_count > 0 && wire->count < QUEUE / 2; n++) {
		uint32_t which = n % wire->stream_count;
		struct numbered_stream *numbered = &wire->streams[which];

		numbered_build(wire, numbered);
		if (!enqueue(wire, wire->frame, numbered->length))
			return;
		numbered->next++;
		if (numbered->next == numbered->count)
			wire->streams[which] = wire->streams[--wire->stream_count];
	}
}

/* --- Time --------------------------------------------------------------------------------- */

/* A wire keeps the order: nothing is due before what was sent before it. */
static void stamp(struct hvh_simwire *wire, uint64_t now)
{
	for (; wire->stamped < wire->count; wire->stamped++) {
		struct waiting_frame *waiting = &wire->queue[(wire->head + wire->stamped) % QUEUE];

		waiting->due = now;
		if (wire->delay_max > 0)
			waiting->due += next_random(wire) % (wire->delay_max + 1);
		if (waiting->due < wire->last_due)
			waiting->due = wire->last_due;
		wire->last_due = waiting->due;
	}
}

bool hvh_simwire_run(struct hvh_simwire *wire, uint64_t now)
{
	if (wire->nic == NULL)
		return false;
	numbered_run(wire);
	stamp(wire, now);
	for (uint32_t n = 0; n < FRAMES_PER_RUN && wire->count > 0; n++) {
		struct waiting_frame *waiting = &wire->queue[wire->head];

		if (waiting->due > now)
			break;
		if (hvh_nic_room(wire->nic, now) == 0) {
			wire->retry = now + RETRY;
			return false;
		}
		hvh_nic_receive(wire->nic, now, waiting->bytes, waiting->length);
		free(waiting->bytes);
		wire->head = (wire->head + 1) % QUEUE;
		wire->count--;
		wire->stamped--;
	}
	return hvh_simwire_next_event(wire) <= now;
}

uint64_t hvh_simwire_next_event(const struct hvh_simwire *wire)
{
	uint64_t next;

	if (wire->nic == NULL)
		return HVH_NEVER;
	if (wire->stamped < wire->count || (wire->stream_count > 0 && wire->count < QUEUE / 2))
		next = 0;
	else if (wire->count > 0)
		next = wire->queue[wire->head].due;
	else
		return HVH_NEVER;
	return next < wire->retry ? wire->retry : next;
}
