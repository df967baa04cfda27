/* SPDX-License-Identifier: MIT */
/* The volatile write cache: what a flush makes safe, and what a cut may leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit_host/storage.h"

#define SECTOR 512u
#define SECTORS 65536u /* four times what the cache holds */
#define SEEDS 200u

struct cached {
	struct hvh_image behind, front;
	struct hvh_write_cache *cache;
	uint32_t flushes, writes, closed;
	uint64_t written;   /* bytes behind */
	uint64_t order[64]; /* offsets written behind */
	bool broken;
};

/* --- An image behind that is watched --------------------------------------------------- */

static struct hvh_image memory;

static bool behind_read(void *context, uint64_t offset, void *data, uint32_t length)
{
	(void)context;
	return memory.read(memory.context, offset, data, length);
}

static bool behind_write(void *context, uint64_t offset, const void *data, uint32_t length)
{
	struct cached *cached = context;

	if (cached->broken)
		return false;
	if (cached->writes < 64)
		cached->order[cached->writes] = offset;
	cached->writes++;
	cached->written += length;
	return memory.write(memory.context, offset, data, length);
}

static bool behind_flush(void *context)
{
	((struct cached *)context)->flushes++;
	return true;
}

static void behind_close(void *context)
{
	((struct cached *)context)->closed++;
}

static void start(struct cached *cached, uint64_t seed)
{
	memset(cached, 0, sizeof *cached);
	assert_true(hvh_image_memory((uint64_t)SECTORS * SECTOR, &memory));
	cached->behind = (struct hvh_image){.context = cached,
					    .size = memory.size,
					    .read = behind_read,
					    .write = behind_write,
					    .flush = behind_flush,
					    .close = behind_close};
	cached->cache = hvh_write_cache_create(&cached->behind, SECTOR, seed, &cached->front);
	assert_non_null(cached->cache);
	assert_int_equal(cached->front.size, memory.size);
}

static void stop(struct cached *cached)
{
	cached->front.close(cached->front.context);
	assert_int_equal(cached->closed, 1);
	memory.close(memory.context);
}

static void put(struct cached *cached, uint32_t sector, uint8_t value)
{
	uint8_t bytes[SECTOR];

	memset(bytes, value, sizeof bytes);
	assert_true(cached->front.write(cached->front.context, (uint64_t)sector * SECTOR, bytes, SECTOR));
}

/* A sector is whole: all of one write. */
static uint8_t get_from(struct hvh_image *image, uint32_t sector)
{
	uint8_t bytes[SECTOR];

	assert_true(image->read(image->context, (uint64_t)sector * SECTOR, bytes, SECTOR));
	for (uint32_t n = 1; n < SECTOR; n++)
		assert_int_equal(bytes[n], bytes[0]);
	return bytes[0];
}

static uint8_t front(struct cached *cached, uint32_t sector)
{
	return get_from(&cached->front, sector);
}

/* --- Tests ----------------------------------------------------------------------------------- */

static void what_was_written_is_read_and_not_behind(void **state)
{
	struct cached cached;

	(void)state;
	start(&cached, 1);
	put(&cached, 3, 0x11);
	put(&cached, 3, 0x22);
	assert_int_equal(front(&cached, 3), 0x22);
	assert_int_equal(front(&cached, 4), 0);
	assert_int_equal(get_from(&memory, 3), 0);
	assert_int_equal(cached.writes, 0);
	stop(&cached);
}

static void a_flush_writes_all_and_flushes_what_is_behind(void **state)
{
	struct cached cached;

	(void)state;
	start(&cached, 1);
	for (uint32_t n = 0; n < 100; n++)
		put(&cached, n * 7, (uint8_t)(n + 1));
	assert_true(cached.front.flush(cached.front.context));
	assert_int_equal(cached.flushes, 1);
	for (uint32_t n = 0; n < 100; n++)
		assert_int_equal(get_from(&memory, n * 7), n + 1);
	hvh_write_cache_cut(cached.cache);
	assert_int_equal(hvh_write_cache_lost(cached.cache), 0);
	assert_int_equal(front(&cached, 99 * 7), 100);
	stop(&cached);
}

/* After a cut a sector has what the flush left or one of the later contents, and not always the same. */
static void a_cut_loses_a_part_of_what_was_not_flushed(void **state)
{
	uint32_t none = 0, middle = 0, all = 0;
	struct cached cached;

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		uint32_t here = 0, lost = 0;

		start(&cached, seed);
		for (uint32_t n = 0; n < 10; n++)
			put(&cached, n, 1);
		assert_true(cached.front.flush(cached.front.context));
		for (uint8_t value = 2; value < 5; value++)
			for (uint32_t n = 0; n < 10; n++)
				put(&cached, n, value);
		hvh_write_cache_cut(cached.cache);
		for (uint32_t n = 0; n < 10; n++) {
			uint8_t value = front(&cached, n);

			assert_in_range(value, 1, 4);
			here += value == 4;
			lost += value != 4;
			middle += value == 2 || value == 3;
		}
		none += here == 0;
		all += here == 10;
		assert_int_equal(hvh_write_cache_lost(cached.cache), lost);
		stop(&cached);
	}
	assert_true(none > 0 && middle > 0 && all > 0);
	assert_true(none < SEEDS / 2 + SEEDS / 4 && all < SEEDS / 2);
}

static void the_seed_decides(void **state)
{
	uint8_t first[10];
	struct cached cached;

	(void)state;
	for (uint32_t turn = 0; turn < 2; turn++) {
		start(&cached, 11);
		for (uint32_t n = 0; n < 10; n++)
			put(&cached, n, 9);
		hvh_write_cache_cut(cached.cache);
		for (uint32_t n = 0; n < 10; n++) {
			if (turn == 0)
				first[n] = front(&cached, n);
			assert_int_equal(front(&cached, n), first[n]);
		}
		stop(&cached);
	}
}

/* What was written at a cut was not written in the guest's order. */
static void a_cut_writes_in_an_order_of_its_own(void **state)
{
	uint32_t disordered = 0;
	struct cached cached;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		start(&cached, seed);
		for (uint32_t n = 0; n < 40; n++)
			put(&cached, n, 9);
		hvh_write_cache_cut(cached.cache);
		for (uint32_t n = 1; n < cached.writes; n++)
			if (cached.order[n] < cached.order[n - 1]) {
				disordered++;
				break;
			}
		stop(&cached);
	}
	assert_true(disordered > 10);
}

static void a_full_cache_writes_the_oldest(void **state)
{
	struct cached cached;

	(void)state;
	start(&cached, 1);
	for (uint32_t n = 0; n < SECTORS; n++)
		put(&cached, n, (uint8_t)(n % 251 + 1));
	/* As many as there was no room for, and the rest of a run; in few writes. */
	assert_in_range(cached.written / SECTOR, SECTORS - 16384, SECTORS - 16384 + 256);
	assert_true(cached.writes < (SECTORS - 16384) / 100);
	assert_int_equal(get_from(&memory, 0), 1);
	assert_int_equal(get_from(&memory, SECTORS - 1), 0);
	for (uint32_t n = 0; n < SECTORS; n += 97)
		assert_int_equal(front(&cached, n), n % 251 + 1);
	/* One sector again and again: old contents pass through, the newest is read. */
	for (uint32_t n = 0; n < 40000; n++)
		put(&cached, 5, (uint8_t)n);
	assert_int_equal(front(&cached, 5), (uint8_t)39999);
	assert_true(cached.front.flush(cached.front.context));
	for (uint32_t n = 0; n < SECTORS; n += 97)
		assert_int_equal(get_from(&memory, n), n % 251 + 1);
	assert_int_equal(get_from(&memory, 5), (uint8_t)39999);
	stop(&cached);
}

static void parts_of_sectors_are_put_together(void **state)
{
	struct cached cached;
	uint8_t bytes[1000], in[1000];

	(void)state;
	start(&cached, 1);
	put(&cached, 0, 0x33);
	memset(bytes, 0x44, sizeof bytes);
	assert_true(cached.front.write(cached.front.context, 100, bytes, 1000));
	assert_true(cached.front.read(cached.front.context, 90, in, 20));
	assert_int_equal(in[9], 0x33);
	assert_int_equal(in[10], 0x44);
	assert_true(cached.front.read(cached.front.context, 1090, in, 20));
	assert_int_equal(in[9], 0x44);
	assert_int_equal(in[10], 0);
	assert_true(cached.front.discard(cached.front.context, 200, 500));
	assert_true(cached.front.read(cached.front.context, 190, in, 600));
	assert_int_equal(in[9], 0x44);
	assert_int_equal(in[10], 0);
	assert_int_equal(in[509], 0);
	assert_int_equal(in[510], 0x44);
	stop(&cached);
}

static void what_is_discarded_is_zeros_and_may_come_back(void **state)
{
	uint32_t old = 0, zeros = 0;
	struct cached cached;

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		start(&cached, seed);
		put(&cached, 8, 0x77);
		assert_true(cached.front.flush(cached.front.context));
		assert_true(cached.front.discard(cached.front.context, 8 * SECTOR, SECTOR));
		assert_int_equal(front(&cached, 8), 0);
		assert_int_equal(get_from(&memory, 8), 0x77);
		hvh_write_cache_cut(cached.cache);
		old += front(&cached, 8) == 0x77;
		zeros += front(&cached, 8) == 0;
		stop(&cached);
	}
	assert_int_equal(old + zeros, SEEDS);
	assert_true(old > 0 && zeros > 0);
}

static void an_error_behind_fails_the_flush_and_keeps_the_data(void **state)
{
	struct cached cached;

	(void)state;
	start(&cached, 1);
	put(&cached, 1, 0x55);
	cached.broken = true;
	assert_false(cached.front.flush(cached.front.context));
	assert_int_equal(cached.flushes, 0);
	cached.broken = false;
	assert_int_equal(front(&cached, 1), 0x55);
	assert_true(cached.front.flush(cached.front.context));
	assert_int_equal(get_from(&memory, 1), 0x55);
	stop(&cached);
}

static void an_orderly_close_loses_nothing(void **state)
{
	struct cached cached;

	(void)state;
	start(&cached, 1);
	put(&cached, 1, 0x55);
	cached.front.close(cached.front.context);
	assert_int_equal(get_from(&memory, 1), 0x55);
	assert_int_equal(cached.flushes, 1);
	memory.close(memory.context);
}

/* --- A flush of a part ------------------------------------------------------------------------ */

static void a_flush_of_a_range_makes_only_that_safe(void **state)
{
	uint32_t lost = 0;
	struct cached cached;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		start(&cached, seed);
		for (uint32_t n = 0; n < 30; n++)
			put(&cached, n, 1);
		for (uint32_t n = 0; n < 30; n++)
			put(&cached, n, 2);
		/* From within sector 10 to within sector 19. */
		assert_true(cached.front.flush_range(cached.front.context, 10 * SECTOR + 1, 9 * SECTOR));
		assert_int_equal(cached.flushes, 1);
		assert_int_equal(cached.written, 10 * SECTOR);
		assert_int_equal(get_from(&memory, 9), 0);
		assert_int_equal(get_from(&memory, 10), 2);
		assert_int_equal(get_from(&memory, 19), 2);
		assert_int_equal(get_from(&memory, 20), 0);
		for (uint32_t n = 0; n < 30; n++)
			assert_int_equal(front(&cached, n), 2);
		hvh_write_cache_cut(cached.cache);
		for (uint32_t n = 0; n < 30; n++) {
			if (n >= 10 && n < 20)
				assert_int_equal(front(&cached, n), 2);
			else
				lost += front(&cached, n) != 2;
		}
		stop(&cached);
	}
	assert_true(lost > 50);
}

/* What was written before it must not come later and take its place. */
static void an_older_content_does_not_come_back(void **state)
{
	struct cached cached;

	(void)state;
	start(&cached, 3);
	put(&cached, 7, 1);
	put(&cached, 7, 2);
	put(&cached, 7, 3);
	assert_true(cached.front.flush_range(cached.front.context, 7 * SECTOR, SECTOR));
	put(&cached, 8, 9);
	assert_true(cached.front.flush(cached.front.context));
	assert_int_equal(get_from(&memory, 7), 3);
	assert_int_equal(get_from(&memory, 8), 9);
	put(&cached, 7, 4);
	assert_int_equal(front(&cached, 7), 4);
	cached.broken = true;
	assert_false(cached.front.flush_range(cached.front.context, 7 * SECTOR, SECTOR));
	assert_int_equal(cached.flushes, 2);
	cached.broken = false;
	assert_int_equal(front(&cached, 7), 4);
	assert_true(cached.front.flush_range(cached.front.context, 7 * SECTOR, SECTOR));
	assert_int_equal(get_from(&memory, 7), 4);
	stop(&cached);
}

static void what_lies_beyond_a_new_end_is_forgotten(void **state)
{
	struct cached cached;

	(void)state;
	start(&cached, 3);
	put(&cached, 7, 1);
	put(&cached, 8, 1);
	put(&cached, 8, 2);
	assert_false(cached.front.resize(cached.front.context, 8 * SECTOR + 1));
	assert_true(cached.front.resize(cached.front.context, 8 * SECTOR));
	assert_true(cached.front.flush(cached.front.context));
	assert_int_equal(get_from(&memory, 7), 1);
	assert_int_equal(get_from(&memory, 8), 0);
	assert_true(cached.front.resize(cached.front.context, 9 * SECTOR));
	assert_int_equal(front(&cached, 8), 0);
	stop(&cached);
}

/* --- Anything ------------------------------------------------------------------------------------- */

#define LARGE 65536u /* sectors of which the cache holds 128 */
#define LARGE_SECTORS 160u
#define STEPS 600u

struct reference {
	uint8_t now[LARGE_SECTORS];
	bool may[LARGE_SECTORS][256]; /* what a cut may leave: all since it was safe */
	uint64_t random;
	uint32_t lost;
};

static uint32_t choose(struct reference *reference, uint32_t count)
{
	reference->random = reference->random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(reference->random >> 33) % count;
}

static void is_safe(struct reference *reference, uint32_t sector)
{
	memset(reference->may[sector], 0, sizeof reference->may[sector]);
	reference->may[sector][reference->now[sector]] = true;
}

static void is_written(struct reference *reference, uint32_t sector, uint8_t value)
{
	reference->now[sector] = value;
	reference->may[sector][value] = true;
}

static uint8_t large_from(const struct hvh_image *image, uint32_t sector)
{
	uint8_t first, last;

	assert_true(image->read(image->context, (uint64_t)sector * LARGE, &first, 1));
	assert_true(image->read(image->context, (uint64_t)sector * LARGE + LARGE - 1, &last, 1));
	assert_int_equal(first, last);
	return first;
}

static void step(struct reference *reference, struct hvh_write_cache *cache, const struct hvh_image *front)
{
	static uint8_t bytes[4 * LARGE];
	uint32_t what = choose(reference, 100), sector = choose(reference, LARGE_SECTORS - 4);
	uint32_t count = 1 + choose(reference, 4);
	uint64_t offset = (uint64_t)sector * LARGE, length = (uint64_t)count * LARGE;
	uint8_t value = (uint8_t)(what < 70 ? choose(reference, 256) : 0);

	if (what < 75) {
		memset(bytes, value, length);
		if (what < 70)
			assert_true(front->write(front->context, offset, bytes, (uint32_t)length));
		else
			assert_true(front->discard(front->context, offset, length));
		for (uint32_t n = 0; n < count; n++)
			is_written(reference, sector + n, value);
	} else if (what < 77) {
		assert_true(front->flush(front->context));
		for (uint32_t n = 0; n < LARGE_SECTORS; n++)
			is_safe(reference, n);
	} else if (what < 90) {
		assert_true(front->flush_range(front->context, offset, length));
		for (uint32_t n = 0; n < count; n++)
			is_safe(reference, sector + n);
	} else if (what == 99) {
		hvh_write_cache_cut(cache);
		for (uint32_t n = 0; n < LARGE_SECTORS; n++) {
			uint8_t left = large_from(front, n);

			assert_true(reference->may[n][left]);
			reference->lost += left != reference->now[n];
			reference->now[n] = left;
			is_safe(reference, n);
		}
	}
	assert_int_equal(large_from(front, sector), reference->now[sector]);
}

static void whatever_is_done_what_is_safe_stays(void **state)
{
	static struct reference reference;
	uint32_t lost = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct hvh_image inner, front;
		struct hvh_write_cache *cache;

		memset(&reference, 0, sizeof reference);
		reference.random = seed;
		for (uint32_t n = 0; n < LARGE_SECTORS; n++)
			is_safe(&reference, n);
		assert_true(hvh_image_memory((uint64_t)LARGE_SECTORS * LARGE, &inner));
		cache = hvh_write_cache_create(&inner, LARGE, seed, &front);
		assert_non_null(cache);
		for (uint32_t n = 0; n < STEPS; n++)
			step(&reference, cache, &front);
		for (uint32_t n = 0; n < LARGE_SECTORS; n++)
			assert_int_equal(large_from(&front, n), reference.now[n]);
		assert_true(front.flush(front.context));
		for (uint32_t n = 0; n < LARGE_SECTORS; n++)
			assert_int_equal(large_from(&inner, n), reference.now[n]);
		lost += reference.lost;
		front.close(front.context);
	}
	assert_true(lost > 500);
}

static void only_whole_sectors_can_be_cached(void **state)
{
	struct hvh_image odd = {.size = 700}, out;

	(void)state;
	assert_null(hvh_write_cache_create(&odd, 512, 1, &out));
	assert_null(hvh_write_cache_create(&odd, 0, 1, &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_and_not_behind),
		cmocka_unit_test(a_flush_writes_all_and_flushes_what_is_behind),
		cmocka_unit_test(a_cut_loses_a_part_of_what_was_not_flushed),
		cmocka_unit_test(the_seed_decides),
		cmocka_unit_test(a_cut_writes_in_an_order_of_its_own),
		cmocka_unit_test(a_full_cache_writes_the_oldest),
		cmocka_unit_test(parts_of_sectors_are_put_together),
		cmocka_unit_test(what_is_discarded_is_zeros_and_may_come_back),
		cmocka_unit_test(an_error_behind_fails_the_flush_and_keeps_the_data),
		cmocka_unit_test(an_orderly_close_loses_nothing),
		cmocka_unit_test(a_flush_of_a_range_makes_only_that_safe),
		cmocka_unit_test(an_older_content_does_not_come_back),
		cmocka_unit_test(what_lies_beyond_a_new_end_is_forgotten),
		cmocka_unit_test(whatever_is_done_what_is_safe_stays),
		cmocka_unit_test(only_whole_sectors_can_be_cached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
