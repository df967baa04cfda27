/* SPDX-License-Identifier: MIT */
/* Images in files and in memory: bytes, holes, locks, and what opening refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "hvkit_host/storage.h"

#define MIB (1u << 20)

static char path[64];
static char error[200];

static int set_up(void **state)
{
	int descriptor;

	(void)state;
	strcpy(path, "/tmp/hvkit-image-XXXXXX");
	descriptor = mkstemp(path);
	assert_true(descriptor >= 0);
	assert_int_equal(ftruncate(descriptor, 4 * MIB), 0);
	close(descriptor);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void shut(struct hvh_image *image)
{
	image->close(image->context);
}

static void fill(uint8_t *bytes, uint32_t count, uint32_t seed)
{
	for (uint32_t n = 0; n < count; n++)
		bytes[n] = (uint8_t)((n * 2654435761u + seed) >> 13);
}

/* Across the 64 KiB at which memory's chunks meet. */
static void check_bytes(struct hvh_image *image)
{
	static uint8_t out[200000], in[200000];

	fill(out, sizeof out, 7);
	assert_true(image->write(image->context, 65000, out, sizeof out));
	assert_true(image->read(image->context, 65000, in, sizeof in));
	assert_memory_equal(in, out, sizeof in);
	assert_true(image->read(image->context, 64999, in, 1));
	assert_int_equal(in[0], 0);
	assert_true(image->read(image->context, 265000, in, 1));
	assert_int_equal(in[0], 0);
	assert_true(image->flush(image->context));
	/* A part that is neither the beginning nor the end of anything. */
	assert_true(image->discard(image->context, 65536 + 1000, 70000));
	memset(out + 65536 + 1000 - 65000, 0, 70000);
	assert_true(image->read(image->context, 65000, in, sizeof in));
	assert_memory_equal(in, out, sizeof in);
	assert_true(image->discard(image->context, 0, 0));
}

static void a_file_keeps_what_was_written(void **state)
{
	struct hvh_image image;
	struct stat status;

	(void)state;
	assert_true(hvh_image_open(path, false, &image, error, sizeof error));
	assert_int_equal(image.size, 4 * MIB);
	assert_false(image.read_only);
	check_bytes(&image);
	shut(&image);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 4 * MIB);
}

static void check_resize(struct hvh_image *image)
{
	uint8_t byte = 7;

	assert_true(image->write(image->context, 2 * MIB, &byte, 1));
	assert_true(image->write(image->context, MIB, &byte, 1));
	assert_true(image->resize(image->context, MIB + 512));
	assert_true(image->resize(image->context, 6 * MIB));
	assert_true(image->read(image->context, MIB, &byte, 1));
	assert_int_equal(byte, 7);
	assert_true(image->read(image->context, 2 * MIB, &byte, 1));
	assert_int_equal(byte, 0);
	assert_true(image->read(image->context, 6 * MIB - 1, &byte, 1));
	assert_false(image->resize(image->context, UINT64_MAX));
}

static void images_have_another_size(void **state)
{
	struct hvh_image image;
	struct stat status;

	(void)state;
	assert_true(hvh_image_open(path, false, &image, error, sizeof error));
	check_resize(&image);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 6 * MIB);
	shut(&image);
	/* What may only be read has the size that it has. */
	assert_true(hvh_image_open(path, true, &image, error, sizeof error));
	assert_true(image.resize(image.context, 4 * MIB));
	assert_false(image.resize(image.context, 7 * MIB));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 6 * MIB);
	shut(&image);
	assert_true(hvh_image_memory(4 * MIB, &image));
	check_resize(&image);
	shut(&image);
}

static void memory_keeps_what_was_written(void **state)
{
	struct hvh_image image;
	uint8_t byte = 1;

	(void)state;
	assert_true(hvh_image_memory(4 * MIB, &image));
	assert_int_equal(image.size, 4 * MIB);
	check_bytes(&image);
	/* ... and may grow. */
	assert_true(image.read(image.context, 9 * MIB, &byte, 1));
	assert_int_equal(byte, 0);
	byte = 5;
	assert_true(image.write(image.context, 9 * MIB, &byte, 1));
	byte = 0;
	assert_true(image.read(image.context, 9 * MIB, &byte, 1));
	assert_int_equal(byte, 5);
	assert_true(image.discard(image.context, 8 * MIB, 90 * (uint64_t)MIB));
	assert_true(image.read(image.context, 9 * MIB, &byte, 1));
	assert_int_equal(byte, 0);
	shut(&image);
}

static uint64_t blocks(void)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return (uint64_t)status.st_blocks;
}

static void a_file_is_sparse_and_gives_room_back(void **state)
{
	static uint8_t bytes[MIB];
	struct hvh_image image;
	uint64_t before, full;

	(void)state;
	before = blocks();
	fill(bytes, sizeof bytes, 1);
	assert_true(hvh_image_open(path, false, &image, error, sizeof error));
	assert_true(image.write(image.context, MIB, bytes, MIB));
	assert_true(image.flush(image.context));
	full = blocks();
	assert_in_range(full - before, MIB / 512, 2 * MIB / 512);
	assert_true(image.discard(image.context, MIB, MIB));
	assert_true(image.flush(image.context));
	/* Where /tmp has no holes, zeros are in its place; else the room is back. */
	assert_true(blocks() == full || blocks() < before + 64);
	shut(&image);
}

static void one_writer_or_many_readers(void **state)
{
	struct hvh_image one, two, three;

	(void)state;
	assert_true(hvh_image_open(path, false, &one, error, sizeof error));
	assert_false(hvh_image_open(path, false, &two, error, sizeof error));
	assert_non_null(strstr(error, "in use by another program or disk"));
	assert_false(hvh_image_open(path, true, &two, error, sizeof error));
	shut(&one);
	assert_true(hvh_image_open(path, true, &one, error, sizeof error));
	assert_true(hvh_image_open(path, true, &two, error, sizeof error));
	assert_true(two.read_only);
	assert_false(hvh_image_open(path, false, &three, error, sizeof error));
	shut(&one);
	assert_false(hvh_image_open(path, false, &three, error, sizeof error));
	shut(&two);
	assert_true(hvh_image_open(path, false, &three, error, sizeof error));
	shut(&three);
}

static void errors_say_what_would_be_right(void **state)
{
	struct hvh_image image;

	(void)state;
	assert_false(hvh_image_open("/nonexistent/disk.img", false, &image, error, sizeof error));
	assert_string_equal(error, "/nonexistent/disk.img: No such file or directory");
	assert_false(hvh_image_open("/tmp", true, &image, error, sizeof error));
	assert_string_equal(error, "/tmp: an image is a file or a block device, and this is a directory");
	assert_false(hvh_image_open("/dev/null", true, &image, error, sizeof error));
	assert_non_null(strstr(error, "and this is neither"));
	assert_int_equal(truncate(path, 1000), 0);
	assert_false(hvh_image_open(path, false, &image, error, sizeof error));
	assert_non_null(strstr(error, "has 1000 bytes; a whole number of 512-byte sectors is needed"));
	assert_int_equal(truncate(path, 0), 0);
	assert_false(hvh_image_open(path, false, &image, error, sizeof error));
	assert_non_null(strstr(error, "is empty; `truncate -s 1G"));
	if (geteuid() != 0) {
		assert_int_equal(truncate(path, 512), 0);
		assert_int_equal(chmod(path, 0400), 0);
		assert_false(hvh_image_open(path, false, &image, error, sizeof error));
		assert_non_null(strstr(error, "read-only it may do"));
		assert_true(hvh_image_open(path, true, &image, error, sizeof error));
		shut(&image);
	}
}

static void what_failed_to_open_leaves_no_lock(void **state)
{
	struct hvh_image image;

	(void)state;
	assert_int_equal(truncate(path, 100), 0);
	assert_false(hvh_image_open(path, false, &image, NULL, 0));
	assert_int_equal(truncate(path, 1024), 0);
	assert_true(hvh_image_open(path, false, &image, error, sizeof error));
	shut(&image);
}

/* The descriptor that the next file to be opened gets. */
static int next_descriptor(void)
{
	int descriptor = dup(STDERR_FILENO);

	assert_true(descriptor >= 0);
	close(descriptor);
	return descriptor;
}

/* The kernel takes what it could not write for clean: that the next flush goes well means nothing. */
static void a_flush_that_failed_is_not_made_good(void **state)
{
	int descriptor = next_descriptor(), ends[2], file;
	struct hvh_image image;

	(void)state;
	assert_true(hvh_image_open(path, false, &image, error, sizeof error));
	assert_true(image.flush(image.context));
	file = dup(descriptor);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], descriptor), descriptor); /* cannot be flushed */
	assert_false(image.flush(image.context));
	assert_int_equal(dup2(file, descriptor), descriptor);
	assert_false(image.flush(image.context));
	close(file);
	close(ends[0]);
	close(ends[1]);
	shut(&image);
}

static void a_file_made_shorter_is_an_error_of_the_medium(void **state)
{
	struct hvh_image image;
	uint8_t bytes[512];

	(void)state;
	assert_true(hvh_image_open(path, false, &image, error, sizeof error));
	assert_int_equal(truncate(path, 1024), 0);
	assert_true(image.read(image.context, 512, bytes, 512));
	assert_false(image.read(image.context, 1024, bytes, 512));
	assert_false(image.read(image.context, 768, bytes, 512));
	shut(&image);
	assert_true(hvh_image_open(path, true, &image, error, sizeof error));
	assert_false(image.write(image.context, 0, bytes, 512));
	shut(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_keeps_what_was_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(images_have_another_size, set_up, tear_down),
		cmocka_unit_test(memory_keeps_what_was_written),
		cmocka_unit_test_setup_teardown(a_file_is_sparse_and_gives_room_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_writer_or_many_readers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(errors_say_what_would_be_right, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_failed_to_open_leaves_no_lock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flush_that_failed_is_not_made_good, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_made_shorter_is_an_error_of_the_medium, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
