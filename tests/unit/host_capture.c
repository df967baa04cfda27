/* SPDX-License-Identifier: MIT */
/* The capture in front of a back end: the file byte for byte, and that frames go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hvkit_host/network.h"

struct inner {
	uint32_t transmitted, from_queue, flushed, taken, links;
	uint64_t now;
	uint8_t last;
};

static void transmit(void *context, const void *frame, uint32_t length)
{
	struct inner *inner = context;

	inner->transmitted += length;
	inner->last = *(const uint8_t *)frame;
}

static void transmit_from(void *context, uint32_t queue, const void *frame, uint32_t length)
{
	((struct inner *)context)->from_queue = queue;
	transmit(context, frame, length);
}

static void flush(void *context)
{
	((struct inner *)context)->flushed++;
}

static void taken(void *context, const void *frame, uint32_t length)
{
	(void)frame;
	((struct inner *)context)->taken += length;
}

static void link_changed(void *context, bool up)
{
	((struct inner *)context)->links += up ? 1 : 10;
}

static uint64_t now(void *context)
{
	return ((struct inner *)context)->now;
}

static struct hvh_capture *create(const char *path, struct inner *inner)
{
	char error[200] = "";
	struct hvh_capture *capture = hvh_capture_create(path, now, inner, error, sizeof error);

	if (capture == NULL)
		fail_msg("%s", error);
	return capture;
}

/* By hand from the pcapng specification. */
static const uint8_t expected[] = {
	0x0a, 0x0d, 0x0d, 0x0a, 0x2c, 0x00, 0x00, 0x00, /* section header, 44 bytes */
	0x4d, 0x3c, 0x2b, 0x1a, 0x01, 0x00, 0x00, 0x00, /* byte order, version 1.0 */
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x04, 0x00, 0x05, 0x00, 'h',  'v',  'k',  'i',
	't',  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x2c, 0x00, 0x00, 0x00, /* application */
	0x01, 0x00, 0x00, 0x00, 0x28, 0x00, 0x00, 0x00,                         /* interface, 40 bytes */
	0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,                         /* Ethernet, any length */
	0x02, 0x00, 0x04, 0x00, 'n',  'e',  't',  '0',                          /* name */
	0x09, 0x00, 0x01, 0x00, 0x07, 0x00, 0x00, 0x00,                         /* 100 ns */
	0x00, 0x00, 0x00, 0x00, 0x28, 0x00, 0x00, 0x00,                         /* */
	0x06, 0x00, 0x00, 0x00, 0x3c, 0x00, 0x00, 0x00, /* enhanced packet, 60 bytes */
	0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, /* interface 0, time */
	0x0e, 0x00, 0x00, 0x00, 0x0e, 0x00, 0x00, 0x00,                         /* 14 bytes */
	0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0x00, 0x00, /* */
	0x02, 0x00, 0x04, 0x00, 0x02, 0x00, 0x00, 0x00,                         /* flags: outbound */
	0x00, 0x00, 0x00, 0x00, 0x3c, 0x00, 0x00, 0x00,                         /* */
	0x06, 0x00, 0x00, 0x00, 0x3c, 0x00, 0x00, 0x00,                         /* the same, inbound, later */
	0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, /* */
	0x0e, 0x00, 0x00, 0x00, 0x0e, 0x00, 0x00, 0x00,                         /* */
	0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0x00, 0x00, /* */
	0x02, 0x00, 0x04, 0x00, 0x01, 0x00, 0x00, 0x00, /* flags: inbound */
	0x00, 0x00, 0x00, 0x00, 0x3c, 0x00, 0x00, 0x00,
};

static void both_ways_byte_for_byte(void **state)
{
	static const uint8_t frame[] = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6,
					0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad};
	char path[] = "/tmp/hvkit-capture-XXXXXX";
	struct inner inner = {.now = 0x100000002ull};
	const struct hvh_backend wrapped = {.context = &inner,
					    .transmit = transmit,
					    .flush = flush,
					    .taken = taken,
					    .link = link_changed};
	struct hvh_backend backend;
	struct hvh_capture *capture;
	uint8_t bytes[sizeof expected + 1];
	FILE *file;

	(void)state;
	assert_true(close(mkstemp(path)) == 0);
	capture = create(path, &inner);
	hvh_capture_backend(capture, &wrapped, &backend);
	backend.transmit(backend.context, frame, sizeof frame);
	inner.now++;
	backend.taken(backend.context, frame, sizeof frame);
	backend.flush(backend.context);
	assert_int_equal(inner.transmitted, sizeof frame);
	assert_int_equal(inner.last, 0xa0);
	assert_int_equal(inner.taken, sizeof frame);
	assert_int_equal(inner.flushed, 1);
	backend.link(backend.context, false);
	backend.link(backend.context, true);
	assert_int_equal(inner.links, 11);
	assert_true(hvh_capture_flush(capture));
	file = fopen(path, "rb");
	assert_int_equal(fread(bytes, 1, sizeof bytes, file), sizeof expected);
	fclose(file);
	assert_memory_equal(bytes, expected, sizeof expected);
	hvh_capture_destroy(capture);
	unlink(path);
}

/* An inner back end with queues is told which; one without gets the frame all the same. */
static void queues_are_handed_on(void **state)
{
	struct inner inner = {0};
	const struct hvh_backend with = {
		.context = &inner, .transmit = transmit, .transmit_from = transmit_from};
	const struct hvh_backend without = {.context = &inner, .transmit = transmit};
	struct hvh_capture *capture = create("/dev/null", &inner);
	struct hvh_backend backend;
	uint8_t frame[60] = {7};

	(void)state;
	hvh_capture_backend(capture, &with, &backend);
	backend.transmit_from(backend.context, 3, frame, sizeof frame);
	assert_int_equal(inner.from_queue, 3);
	assert_int_equal(inner.transmitted, 60);
	hvh_capture_backend(capture, &without, &backend);
	backend.transmit_from(backend.context, 4, frame, sizeof frame);
	assert_int_equal(inner.from_queue, 3);
	assert_int_equal(inner.transmitted, 120);
	backend.flush(backend.context); /* which it has not */
	backend.taken(backend.context, frame, sizeof frame);
	assert_true(hvh_capture_flush(capture));
	hvh_capture_destroy(capture);
}

static void a_full_disk_is_told_and_stops_nothing(void **state)
{
	struct inner inner = {0};
	const struct hvh_backend wrapped = {.context = &inner, .transmit = transmit};
	struct hvh_backend backend;
	struct hvh_capture *capture;
	uint8_t frame[1514] = {0};
	char error[200] = "";

	(void)state;
	assert_null(hvh_capture_create("/nowhere/x", now, &inner, error, sizeof error));
	assert_non_null(strstr(error, "'/nowhere/x' cannot be written: No such file"));
	if (access("/dev/full", W_OK) != 0)
		skip();
	capture = create("/dev/full", &inner);
	hvh_capture_backend(capture, &wrapped, &backend);
	for (uint32_t n = 0; n < 100; n++)
		backend.transmit(backend.context, frame, sizeof frame);
	assert_int_equal(inner.transmitted, 100 * sizeof frame);
	assert_false(hvh_capture_flush(capture));
	assert_false(hvh_capture_flush(capture));
	hvh_capture_destroy(capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_byte_for_byte),
		cmocka_unit_test(queues_are_handed_on),
		cmocka_unit_test(a_full_disk_is_told_and_stops_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
