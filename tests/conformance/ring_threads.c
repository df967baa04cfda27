/* SPDX-License-Identifier: MIT */
/*
 * The drivers' ring code against a peer on another CPU that was written for this test
 * alone: small rings, so that they are full or empty most of the time, and both sides
 * sleep as soon as the rules let them. Every packet must arrive, once, in order and whole;
 * a sleeper whom nobody wakes has found a missing barrier or a wrong rule.
 *
 *   RING_MS   milliseconds per case (1000)
 *
 * What this shows is what this CPU does; x86 keeps stores in order, so of all reorderings
 * only a store that passes a later load can happen here. That one is the dangerous one of the
 * two-sided rules (index and mask, index and pending size), and a missing full barrier is
 * found within a second (tests/mutants/list/barrier_missing_*).
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* As an embedder compiles it: without switch points, open to the optimiser. */
#undef HVK_SWITCH_POINTS
#include "guest/vmbus/ring.c" /* NOLINT */

#define CONTROL 4096u
#define DATA 4096u
#define MS_DEFAULT 1000u
#define WAKE_SECONDS 10
#define PAYLOAD_WORDS_MAX 40u /* of 8 bytes */
#define SPIN_MAX 200u
#define LIGHT_SLEEP 3000u

struct side {
	sem_t bell;
	uint64_t packets, sleeps, rings;
	const char *wrong;
};

struct race {
	uint8_t *pages;
	_Atomic bool stop;     /* the writer is to end */
	_Atomic bool finished; /* it has, after so many packets: */
	uint64_t total;
	uint32_t bunch; /* packets that the reader takes before it shows that */
	bool masks;     /* the reader masks while it reads */
	struct side writer, reader;
};

/* --- Sleeping ------------------------------------------------------------------------------ */

static void ring_bell(struct side *self, struct side *other)
{
	self->rings++;
	(void)sem_post(&other->bell);
}

/* False: nobody came. */
static bool sleep_until_rung(struct side *self)
{
	struct timespec until;

	self->sleeps++;
	/* One that wakes at once races again at once. */
	for (uint32_t i = 0; i < LIGHT_SLEEP; i++) {
		if (sem_trywait(&self->bell) == 0)
			return true;
	}
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAKE_SECONDS;
	while (sem_timedwait(&self->bell, &until) != 0) {
		if (errno != EINTR)
			return false;
	}
	return true;
}

static void dawdle(uint64_t *random)
{
	*random = *random * 6364136223846793005ull + 1442695040888963407ull;
	if ((*random >> 60) != 0)
		return;
	for (volatile uint32_t i = (uint32_t)(*random >> 40) % SPIN_MAX; i != 0; i--)
		;
}

/* --- What is in a packet ------------------------------------------------------------------------ */

static uint32_t words_of(uint64_t number)
{
	return 1u + (uint32_t)(number * 7u + (number >> 5)) % PAYLOAD_WORDS_MAX;
}

static void fill(uint64_t *payload, uint64_t number)
{
	for (uint32_t i = 0; i < words_of(number); i++)
		payload[i] = number * 1000003u + i;
}

static bool is_whole(const uint64_t *payload, uint32_t bytes, uint64_t number)
{
	if (bytes != words_of(number) * 8u)
		return false;
	for (uint32_t i = 0; i < words_of(number); i++) {
		if (payload[i] != number * 1000003u + i)
			return false;
	}
	return true;
}

static struct vmbus_packet_descriptor descriptor_of(uint64_t number)
{
	return (struct vmbus_packet_descriptor){.type = VMBUS_PACKET_IN_BAND,
						.header_length8 = 2,
						.length8 = (uint16_t)(2 + words_of(number)),
						.transaction_id = number};
}

/* --- The peer: TLFS and Linux' ring_buffer.c in the fewest lines ----------------------------------- */

static _Atomic uint32_t *word(uint8_t *pages, uint32_t offset)
{
	return (_Atomic uint32_t *)(void *)(pages + offset);
}

static uint32_t room(uint32_t write, uint32_t read)
{
	return write >= read ? DATA - (write - read) : read - write;
}

static void peer_copy_in(uint8_t *pages, uint32_t at, const void *from, uint32_t bytes)
{
	uint32_t first = DATA - at < bytes ? DATA - at : bytes;

	memcpy(pages + CONTROL + at, from, first);
	memcpy(pages + CONTROL, (const uint8_t *)from + first, bytes - first);
}

static void peer_copy_out(const uint8_t *pages, uint32_t at, void *to, uint32_t bytes)
{
	uint32_t first = DATA - at < bytes ? DATA - at : bytes;

	memcpy(to, pages + CONTROL + at, first);
	memcpy((uint8_t *)to + first, pages + CONTROL, bytes - first);
}

/* Writes packet number; sleeps for room. */
static bool peer_write(struct race *race, uint32_t *write, uint64_t number)
{
	struct vmbus_packet_descriptor descriptor = descriptor_of(number);
	uint32_t payload_bytes = words_of(number) * 8u, bytes = payload_bytes + 24u, before = *write;
	uint64_t payload[PAYLOAD_WORDS_MAX], trailer = (uint64_t)before << 32;
	uint32_t at = before;

	while (room(before, atomic_load_explicit(word(race->pages, 4), memory_order_acquire)) <= bytes) {
		atomic_store_explicit(word(race->pages, 12), bytes, memory_order_relaxed);
		atomic_thread_fence(memory_order_seq_cst);
		if (room(before, atomic_load_explicit(word(race->pages, 4), memory_order_acquire)) > bytes)
			break;
		if (!sleep_until_rung(&race->writer)) {
			race->writer.wrong = "the writer waits for room, and nobody tells it";
			return false;
		}
	}
	atomic_store_explicit(word(race->pages, 12), 0, memory_order_relaxed);
	fill(payload, number);
	peer_copy_in(race->pages, at, &descriptor, sizeof(descriptor));
	at = (at + (uint32_t)sizeof(descriptor)) % DATA;
	peer_copy_in(race->pages, at, payload, payload_bytes);
	at = (at + payload_bytes) % DATA;
	peer_copy_in(race->pages, at, &trailer, sizeof(trailer));
	*write = (at + 8u) % DATA;
	atomic_store_explicit(word(race->pages, 0), *write, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(word(race->pages, 8), memory_order_relaxed) == 0 &&
	    atomic_load_explicit(word(race->pages, 4), memory_order_relaxed) == before)
		ring_bell(&race->writer, &race->reader);
	return true;
}

/* Shows that it has read up to there. */
static void peer_show(struct race *race, uint32_t before, uint32_t read)
{
	uint32_t pending, write;

	atomic_store_explicit(word(race->pages, 4), read, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
	pending = atomic_load_explicit(word(race->pages, 12), memory_order_relaxed);
	if (pending == 0)
		return;
	write = atomic_load_explicit(word(race->pages, 0), memory_order_relaxed);
	if (room(write, before) <= pending && room(write, read) > pending)
		ring_bell(&race->reader, &race->writer);
}

/* Takes what there is; false: something is wrong. */
static bool peer_read(struct race *race, uint32_t *read)
{
	uint32_t before = *read, write;

	while ((write = atomic_load_explicit(word(race->pages, 0), memory_order_acquire)) != *read) {
		struct vmbus_packet_descriptor descriptor;
		uint64_t payload[PAYLOAD_WORDS_MAX], trailer;
		uint32_t bytes;

		peer_copy_out(race->pages, *read, &descriptor, sizeof(descriptor));
		bytes = descriptor.length8 * 8u - (uint32_t)sizeof(descriptor);
		if (descriptor.header_length8 != 2 || bytes > sizeof(payload) ||
		    descriptor.transaction_id != race->reader.packets)
			return false;
		peer_copy_out(race->pages, (*read + 16u) % DATA, payload, bytes);
		peer_copy_out(race->pages, (*read + 16u + bytes) % DATA, &trailer, sizeof(trailer));
		if (!is_whole(payload, bytes, race->reader.packets) || trailer >> 32 != *read)
			return false;
		race->reader.packets++;
		*read = (*read + 24u + bytes) % DATA;
		if (race->reader.packets % race->bunch == 0) {
			peer_show(race, before, *read);
			before = *read;
		}
	}
	if (before != *read)
		peer_show(race, before, *read);
	return true;
}

static void *peer_writer(void *context)
{
	struct race *race = context;
	uint64_t random = 1;
	uint32_t write = 0;

	while (!atomic_load(&race->stop) && peer_write(race, &write, race->writer.packets)) {
		race->writer.packets++;
		dawdle(&random);
	}
	race->total = race->writer.packets;
	atomic_store(&race->finished, true);
	ring_bell(&race->writer, &race->reader);
	return NULL;
}

static bool is_over(struct race *race)
{
	return atomic_load(&race->finished) && race->reader.packets == race->total;
}

static void *peer_reader(void *context)
{
	struct race *race = context;
	uint64_t random = 2;
	uint32_t read = 0;

	for (;;) {
		atomic_store_explicit(word(race->pages, 8), race->masks, memory_order_relaxed);
		if (!peer_read(race, &read)) {
			race->reader.wrong = "the reader met a packet that nobody wrote";
			return NULL;
		}
		atomic_store_explicit(word(race->pages, 8), 0, memory_order_relaxed);
		atomic_thread_fence(memory_order_seq_cst);
		if (atomic_load_explicit(word(race->pages, 0), memory_order_acquire) != read)
			continue;
		if (is_over(race))
			return NULL;
		if (!sleep_until_rung(&race->reader)) {
			race->reader.wrong = "the reader sleeps, and nobody tells it";
			return NULL;
		}
		dawdle(&random);
	}
}

/* --- The drivers' side --------------------------------------------------------------------------- */

static struct hvk_shared pages_of(const struct race *race)
{
	return (struct hvk_shared){race->pages, CONTROL + DATA};
}

static void *our_writer(void *context)
{
	struct race *race = context;
	struct hvk_shared pages = pages_of(race);
	struct hvk_ring_out ring;
	uint64_t random = 3;

	hvk_ring_out_init(&ring, &pages);
	while (!atomic_load(&race->stop)) {
		uint64_t payload[PAYLOAD_WORDS_MAX], number = race->writer.packets;
		const struct vmbus_packet_descriptor descriptor = descriptor_of(number);
		const struct hvk_piece pieces[] = {{&descriptor, sizeof(descriptor)},
						   {payload, words_of(number) * 8u}};
		hvk_status status;
		bool signal;

		fill(payload, number);
		while ((status = hvk_ring_put(&ring, pieces, 2, &signal)) == HVK_EAGAIN) {
			if (!sleep_until_rung(&race->writer)) {
				race->writer.wrong = "the writer waits for room, and nobody tells it";
				break;
			}
		}
		if (status != HVK_OK)
			break;
		if (signal)
			ring_bell(&race->writer, &race->reader);
		race->writer.packets++;
		dawdle(&random);
	}
	race->total = race->writer.packets;
	atomic_store(&race->finished, true);
	ring_bell(&race->writer, &race->reader);
	return NULL;
}

/* Takes what there is. */
static const char *our_read(struct race *race, struct hvk_ring_in *ring)
{
	struct vmbus_packet_descriptor descriptor;
	struct hvk_packet_layout layout;
	hvk_status status;
	bool signal = false;

	while ((status = hvk_ring_peek(ring, &descriptor, &layout)) == HVK_OK) {
		uint64_t payload[PAYLOAD_WORDS_MAX];

		if (layout.payload_length > sizeof(payload) ||
		    descriptor.transaction_id != race->reader.packets)
			return "the reader met a packet that nobody wrote";
		hvk_ring_copy(ring, layout.payload_offset, payload, layout.payload_length);
		hvk_ring_skip(ring, layout.length);
		if (!is_whole(payload, layout.payload_length, race->reader.packets))
			return "a packet is not whole";
		race->reader.packets++;
		if (race->reader.packets % race->bunch == 0) {
			status = hvk_ring_show(ring, &signal);
			if (signal)
				ring_bell(&race->reader, &race->writer);
		}
	}
	if (status == HVK_EEMPTY)
		status = hvk_ring_show(ring, &signal);
	else
		signal = false;
	if (signal)
		ring_bell(&race->reader, &race->writer);
	return status == HVK_OK ? NULL : "the reader says that the ring is corrupt";
}

static void *our_reader(void *context)
{
	struct race *race = context;
	struct hvk_shared pages = pages_of(race);
	struct hvk_ring_in ring;
	uint64_t random = 4;

	hvk_ring_in_init(&ring, &pages);
	while (race->reader.wrong == NULL) {
		if (race->masks)
			hvk_ring_mask(&ring);
		race->reader.wrong = our_read(race, &ring);
		if (race->reader.wrong != NULL ||
		    (race->masks ? hvk_ring_unmask(&ring) : hvk_ring_unread(&ring)))
			continue;
		if (is_over(race))
			break;
		if (!sleep_until_rung(&race->reader))
			race->reader.wrong = "the reader sleeps, and nobody tells it";
		dawdle(&random);
	}
	return NULL;
}

/* --- Cases ------------------------------------------------------------------------------------------ */

static void on_cpu(pthread_t thread, size_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)pthread_setaffinity_np(thread, sizeof(set), &set); /* where there is such a CPU */
}

static void run(void *(*write)(void *), void *(*read)(void *), bool masks)
{
	const char *wanted = getenv("RING_MS");
	unsigned long ms = wanted ? strtoul(wanted, NULL, 10) : MS_DEFAULT;
	const struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
	struct race race = {.masks = masks, .bunch = masks ? 3 : 1};
	pthread_t writer, reader;

	race.pages = aligned_alloc(4096, CONTROL + DATA);
	assert_non_null(race.pages);
	memset(race.pages, 0, CONTROL + DATA);
	race.pages[64] = 1; /* both sides mind the pending size */
	assert_int_equal(sem_init(&race.writer.bell, 0, 0), 0);
	assert_int_equal(sem_init(&race.reader.bell, 0, 0), 0);
	assert_int_equal(pthread_create(&reader, NULL, read, &race), 0);
	assert_int_equal(pthread_create(&writer, NULL, write, &race), 0);
	on_cpu(reader, 0);
	on_cpu(writer, 1);
	(void)nanosleep(&time, NULL);
	atomic_store(&race.stop, true);
	assert_int_equal(pthread_join(writer, NULL), 0);
	assert_int_equal(pthread_join(reader, NULL), 0);
	printf("did: %llu packets, %llu and %llu sleeps\n", (unsigned long long)race.reader.packets,
	       (unsigned long long)race.writer.sleeps, (unsigned long long)race.reader.sleeps);
	if (race.writer.wrong || race.reader.wrong)
		print_error("after %llu packets written, %llu read: %s%s\n",
			    (unsigned long long)race.writer.packets, (unsigned long long)race.reader.packets,
			    race.writer.wrong ? race.writer.wrong : "",
			    race.reader.wrong ? race.reader.wrong : "");
	assert_null(race.writer.wrong);
	assert_null(race.reader.wrong);
	assert_int_equal(race.reader.packets, race.total);
	assert_true(race.reader.packets > 100 && race.writer.sleeps > 0 && race.reader.sleeps > 0);
	(void)sem_destroy(&race.writer.bell);
	(void)sem_destroy(&race.reader.bell);
	free(race.pages);
}

static void we_write(void **state)
{
	(void)state;
	run(our_writer, peer_reader, true);
}

static void we_write_to_one_that_never_masks(void **state)
{
	(void)state;
	run(our_writer, peer_reader, false);
}

static void we_read(void **state)
{
	(void)state;
	run(peer_writer, our_reader, true);
}

static void we_read_and_never_mask(void **state)
{
	(void)state;
	run(peer_writer, our_reader, false);
}

/* The same without a peer of the test's: do both halves of ours agree? */
static void we_do_both(void **state)
{
	(void)state;
	run(our_writer, our_reader, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(we_write),   cmocka_unit_test(we_write_to_one_that_never_masks),
		cmocka_unit_test(we_read),    cmocka_unit_test(we_read_and_never_mask),
		cmocka_unit_test(we_do_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
