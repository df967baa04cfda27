/* SPDX-License-Identifier: MIT */
#include "tests/support/echo_driver.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MS 30000u
#define LENGTH_MAX 400u

struct message {
	struct hvh_echo_header header;
	uint32_t number, ring;
	uint8_t filler[LENGTH_MAX];
};

void echo_fail(struct echo *echo, const char *format, ...)
{
	va_list arguments;

	if (atomic_exchange(&echo->failed, true))
		return;
	va_start(arguments, format);
	(void)vsnprintf(echo->wrong, sizeof(echo->wrong), format, arguments);
	va_end(arguments);
}

uint32_t echo_random(struct echo *echo, uint32_t below)
{
	echo->random = echo->random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(echo->random >> 33) % below;
}

/* --- What comes back ------------------------------------------------------------------------ */

static uint32_t length_of(uint32_t number)
{
	return (uint32_t)offsetof(struct message, filler) + number * 37u % LENGTH_MAX;
}

static void check_answer(struct echo_ring *ring, const struct hvk_packet *packet)
{
	uint32_t number = ring->answered;
	struct message message = {0};

	if (packet->type == VMBUS_PACKET_COMPLETION && packet->cookie == ring) {
		memcpy(&message, packet->payload, sizeof(message.header));
		ring->subchannels_answer = message.header.argument + 1;
		return;
	}
	memcpy(&message, packet->payload, sizeof(message.header));
	if (message.header.operation == HVH_ECHO_BURST) {
		if (packet->type != VMBUS_PACKET_COMPLETION && message.header.argument != ring->burst++)
			echo_fail(ring->echo, "ring %u: burst out of order", ring->index);
		return;
	}
	if (packet->payload_length < length_of(number) || packet->payload_length > sizeof(message) + 8) {
		echo_fail(ring->echo, "ring %u, message %u: %u bytes", ring->index, number,
			  packet->payload_length);
		return;
	}
	memcpy(&message, packet->payload, length_of(number));
	if (message.number != number || message.ring != ring->index)
		echo_fail(ring->echo, "ring %u: message %u of ring %u instead of %u", ring->index,
			  message.number, message.ring, number);
	for (uint32_t i = 0; i < length_of(number) - offsetof(struct message, filler); i++) {
		if (message.filler[i] != (uint8_t)(number + i))
			echo_fail(ring->echo, "ring %u, message %u: byte %u", ring->index, number, i);
	}
	ring->answered++;
	ring->echo->total_answered++;
}

static uint32_t this_cpu(const struct rig *rig)
{
	const struct hvk_port *port = hosted_port(rig->machine);

	return port->cpu_index ? port->cpu_index(port->context) : 0;
}

/* Something happened that the contact CPU, where the test runs, may be waiting for. */
static void wake_test(const struct rig *rig)
{
	const struct hvk_port *port = hosted_port(rig->machine);

	if (port->wake)
		port->wake(port->context, rig->config.bus_cpu);
}

static bool ready(void *context, struct hvk_channel *channel)
{
	struct echo_ring *ring = context;
	struct hvk_packet packet;
	hvk_status status = HVK_OK;
	uint32_t i;

	if (atomic_fetch_add(&ring->inside, 1) != 0)
		echo_fail(ring->echo, "ring %u: ready on two CPUs at once", ring->index);
	if (this_cpu(ring->echo->rig) != hvk_channel_cpu(channel))
		echo_fail(ring->echo, "ring %u: ready on CPU %u, bound to %u", ring->index,
			  this_cpu(ring->echo->rig), hvk_channel_cpu(channel));
	for (i = 0; i < 8; i++) {
		status = hvk_channel_receive(channel, ring->buffer, sizeof(ring->buffer), &packet);
		if (status != HVK_OK)
			break;
		check_answer(ring, &packet);
	}
	if (status != HVK_OK && status != HVK_EEMPTY)
		echo_fail(ring->echo, "ring %u: receive: %s", ring->index, hvk_status_name(status));
	atomic_fetch_sub(&ring->inside, 1);
	wake_test(ring->echo->rig);
	return status == HVK_OK;
}

/* --- Operations ------------------------------------------------------------------------------ */

static void done(struct hvk_request *request, void *context)
{
	struct echo_ring *ring = context;

	ring->status = request->status;
	atomic_store(&ring->busy, false);
	wake_test(ring->echo->rig);
}

static struct hvk_request *begin(struct echo_ring *ring)
{
	ring->request = (struct hvk_request){.done = done, .context = ring};
	atomic_store(&ring->busy, true);
	return &ring->request;
}

bool echo_is_open(const struct echo_ring *ring)
{
	return ring->channel && hvk_channel_state(ring->channel) == HVK_CHANNEL_OPEN;
}

void echo_open(struct echo_ring *ring, uint32_t cpu)
{
	ring->config.cpu = cpu;
	ring->config.tx_pages = 1;
	ring->config.rx_pages = 1;
	ring->config.requests_max = 16;
	ring->config.ready = ready;
	ring->config.context = ring;
	ring->sent = 0;
	ring->answered = 0;
	ring->subchannels_asked = false;
	ring->subchannels_answer = 0;
	ring->opened = true;
	hvk_channel_open(ring->channel, &ring->config, begin(ring));
}

void echo_close(struct echo_ring *ring)
{
	hvk_channel_close(ring->channel, begin(ring));
}

void echo_move(struct echo_ring *ring, uint32_t cpu)
{
	hvk_channel_set_cpu(ring->channel, cpu, begin(ring));
}

hvk_status echo_wait(struct echo_ring *ring)
{
	uint64_t end = hvk_time(ring->echo->rig->hvk) + WAIT_MS * HVK_TIME_PER_MS;

	while (atomic_load(&ring->busy) && hvk_time(ring->echo->rig->hvk) < end)
		echo_turn(ring->echo);
	if (atomic_load(&ring->busy))
		echo_fail(ring->echo, "ring %u: an operation does not end", ring->index);
	return (hvk_status)ring->status;
}

bool echo_send(struct echo_ring *ring)
{
	struct message message = {.header = {HVH_ECHO, 0}, .number = ring->sent, .ring = ring->index};
	bool answered = ring->sent % 3 != 0;
	hvk_status status;

	if (!echo_is_open(ring))
		return false;
	for (uint32_t i = 0; i < LENGTH_MAX; i++)
		message.filler[i] = (uint8_t)(message.number + i);
	ring->sent++; /* the answer may come before the call returns */
	status = hvk_channel_send(ring->channel, &message, length_of(message.number), answered,
				  answered ? ring->buffer : NULL);
	if (status == HVK_OK)
		return true;
	ring->sent--;
	if (status != HVK_EAGAIN && status != HVK_EGONE && status != HVK_ESTATE)
		echo_fail(ring->echo, "ring %u: send: %s", ring->index, hvk_status_name(status));
	return false;
}

void echo_burst(struct echo *echo, uint32_t count)
{
	struct echo_ring *ring = &echo->rings[0];
	struct hvh_echo_header header = {HVH_ECHO_BURST, count};
	uint64_t end = hvk_time(echo->rig->hvk) + WAIT_MS * HVK_TIME_PER_MS;

	ring->burst = 0;
	if (hvk_channel_send(ring->channel, &header, sizeof(header), true, ring->buffer) != HVK_OK)
		echo_fail(echo, "burst refused");
	while (ring->burst < count && !echo->failed && hvk_time(echo->rig->hvk) < end)
		echo_turn(echo);
	if (ring->burst != count)
		echo_fail(echo, "%u of a burst of %u came", ring->burst, count);
}

bool echo_ask_subchannels(struct echo *echo, uint32_t count)
{
	struct echo_ring *ring = &echo->rings[0];
	struct hvh_echo_header header = {HVH_ECHO_SUBCHANNELS, count};

	ring->subchannels_asked = hvk_channel_send(ring->channel, &header, sizeof(header), true, ring) ==
				  HVK_OK;
	return ring->subchannels_asked;
}

/* --- Coming and going -------------------------------------------------------------------------- */

static void subchannel_offered(void *context, struct hvk_channel *primary, struct hvk_channel *channel)
{
	struct echo *echo = context;

	echo->subchannels_told++;
	if (hvk_channel_primary(channel) != primary || hvk_channel_offer(channel)->subchannel_index == 0 ||
	    primary != echo->rings[0].channel)
		echo_fail(echo, "a sub-channel of somebody else");
	for (uint32_t i = 1; i < ECHO_RINGS; i++) {
		struct echo_ring *ring = &echo->rings[i];

		if (ring->channel)
			continue;
		if (hvk_channel_claim(channel) == HVK_OK)
			ring->channel = channel;
		return;
	}
}

static void subchannel_gone(void *context, struct hvk_channel *primary, struct hvk_channel *channel)
{
	struct echo *echo = context;

	echo->subchannels_gone++;
	if (hvk_channel_primary(channel) != primary)
		echo_fail(echo, "gone: a sub-channel of somebody else");
	for (uint32_t i = 0; i < ECHO_RINGS; i++) {
		if (echo->rings[i].channel == channel)
			echo_fail(echo, "ring %u: gone though it is claimed", i);
	}
}

static void claim_device(struct echo *echo)
{
	const struct hvk_subchannel_hooks hooks = {subchannel_offered, subchannel_gone, echo};
	struct hvk_channel *channel = echo->rig->echo_channel;
	hvk_status status = channel ? hvk_channel_claim(channel) : HVK_EGONE;

	if (status == HVK_OK) {
		echo->rings[0].channel = channel;
		if (hvk_channel_set_subchannel_hooks(channel, &hooks) != HVK_OK)
			echo_fail(echo, "hooks refused");
	}
}

/* The requests that were never answered are told after the close. */
static void forget(struct echo_ring *ring)
{
	while (hvk_channel_take_request(ring->channel, NULL))
		;
	ring->opened = false;
	ring->sent = 0;
	ring->answered = 0;
}

/* The primary's claim is given up last: it holds the hooks. */
static bool others_are_gone(const struct echo *echo)
{
	for (uint32_t i = 1; i < ECHO_RINGS; i++) {
		if (echo->rings[i].channel)
			return false;
	}
	return echo->subchannels_gone == echo->subchannels_told;
}

static void look_at(struct echo_ring *ring)
{
	struct echo *echo = ring->echo;
	enum hvk_channel_state state;

	if (!ring->channel || atomic_load(&ring->busy))
		return;
	state = hvk_channel_state(ring->channel);
	if (ring->opened && state == HVK_CHANNEL_CLOSED)
		forget(ring);
	if (!hvk_channel_rescinded(ring->channel))
		return;
	if (state == HVK_CHANNEL_RESCINDED) {
		echo_close(ring);
	} else if (state == HVK_CHANNEL_CLOSED && (ring->index != 0 || others_are_gone(echo))) {
		struct hvk_channel *channel = ring->channel;

		ring->channel = NULL;
		echo->rescinds += ring->index == 0;
		hvk_channel_unclaim(channel);
	}
}

void echo_init(struct echo *echo, struct rig *rig, uint64_t seed)
{
	memset(echo, 0, sizeof(*echo));
	echo->rig = rig;
	echo->random = seed;
	for (uint32_t i = 0; i < ECHO_RINGS; i++) {
		echo->rings[i].echo = echo;
		echo->rings[i].index = i;
	}
}

void echo_turn(struct echo *echo)
{
	if (!echo->rings[0].channel)
		claim_device(echo);
	for (uint32_t i = 0; i < ECHO_RINGS; i++)
		look_at(&echo->rings[i]);
	rig_turn(echo->rig);
}

static bool settled(const struct echo *echo)
{
	for (uint32_t i = 0; i < ECHO_RINGS; i++) {
		const struct echo_ring *ring = &echo->rings[i];

		if (atomic_load(&ring->busy) || (echo_is_open(ring) && ring->answered != ring->sent))
			return false;
	}
	return true;
}

void echo_settle(struct echo *echo)
{
	uint64_t end = hvk_time(echo->rig->hvk) + WAIT_MS * HVK_TIME_PER_MS;

	while (!settled(echo) && hvk_time(echo->rig->hvk) < end)
		echo_turn(echo);
	for (uint32_t i = 0; i < ECHO_RINGS; i++) {
		const struct echo_ring *ring = &echo->rings[i];

		if (echo_is_open(ring) && ring->answered != ring->sent)
			echo_fail(echo, "ring %u: %u of %u messages answered", i, ring->answered, ring->sent);
	}
}

void echo_end(struct echo *echo)
{
	for (uint32_t i = 0; i < ECHO_RINGS; i++)
		(void)echo_wait(&echo->rings[i]);
	if (echo_is_open(&echo->rings[0])) {
		echo_close(&echo->rings[0]);
		(void)echo_wait(&echo->rings[0]);
	}
	for (uint32_t n = 0; n < ECHO_RINGS; n++) {
		struct echo_ring *ring = &echo->rings[ECHO_RINGS - 1 - n];

		(void)echo_wait(ring);
		if (!ring->channel)
			continue;
		/* Closing the primary has closed it, unless the primary was closed before. */
		if (hvk_channel_state(ring->channel) != HVK_CHANNEL_CLOSED) {
			echo_close(ring);
			(void)echo_wait(ring);
		}
		if (ring->channel) {
			forget(ring);
			hvk_channel_unclaim(ring->channel);
			ring->channel = NULL;
		}
	}
}

/* --- Everything in any order --------------------------------------------------------------------- */

#define STRESS_MESSAGES 300u
#define STRESS_SECONDS 60u

/* Nothing but these ends an operation on a lawful host. */
static void check_status(struct echo_ring *ring)
{
	hvk_status status = (hvk_status)ring->status;

	if (status != HVK_OK && status != HVK_EGONE && status != HVK_ECANCELED && status != HVK_EBUSY &&
	    status != HVK_ESTATE)
		echo_fail(ring->echo, "ring %u: %s", ring->index, hvk_status_name(status));
	ring->status = HVK_OK;
}

static void stress_open(struct echo *echo, struct echo_ring *ring, bool any_cpu)
{
	if (hvk_channel_rescinded(ring->channel) || (ring->index != 0 && !echo_is_open(&echo->rings[0])))
		return;
	ring->config.reading = echo_random(echo, 2) ? HVK_CHANNEL_UNBATCHED : HVK_CHANNEL_BATCHED;
	ring->config.low_latency = echo_random(echo, 3) == 0;
	echo_open(ring, any_cpu ? echo_random(echo, echo->rig->config.cpus) : 0);
}

static void stress_ring(struct echo *echo, struct echo_ring *ring)
{
	uint32_t version = hvk_vmbus_version(echo->rig->hvk), chance;

	if (!ring->channel || atomic_load(&ring->busy))
		return;
	check_status(ring);
	if (!echo_is_open(ring)) {
		if (hvk_channel_state(ring->channel) == HVK_CHANNEL_CLOSED && !ring->opened)
			stress_open(echo, ring, version >= VMBUS_VERSION_2_4);
		return;
	}
	chance = echo_random(echo, 256);
	if (chance < 8 && version >= VMBUS_VERSION_4_1) {
		echo->moves++;
		echo_move(ring, echo_random(echo, echo->rig->config.cpus));
	} else if (chance < 10) {
		echo->reopened++;
		echo_close(ring);
	} else if (ring->index == 0 && !ring->subchannels_asked && version >= VMBUS_VERSION_2_4) {
		(void)echo_ask_subchannels(echo, 1 + echo_random(echo, 5));
	} else {
		(void)echo_send(ring);
	}
}

void echo_stress(void *context, struct rig *rig)
{
	struct echo *echo = context;
	uint64_t end = hvk_time(rig->hvk) + STRESS_SECONDS * HVK_TIME_PER_SECOND;

	echo_init(echo, rig, rig->config.seed);
	while (echo->total_answered < STRESS_MESSAGES && !echo->failed && hvk_time(rig->hvk) < end) {
		for (uint32_t i = 0; i < ECHO_RINGS; i++)
			stress_ring(echo, &echo->rings[i]);
		echo_turn(echo);
	}
	if (!echo->failed && echo->total_answered < STRESS_MESSAGES)
		echo_fail(echo, "only %u messages in %u s", echo->total_answered, STRESS_SECONDS);
	echo_settle(echo);
	echo_end(echo);
}
