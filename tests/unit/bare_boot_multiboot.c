/* SPDX-License-Identifier: MIT */
/* What a Multiboot 2 loader says, rightly and wrongly; and which screens are taken. Numbers as in the
 * specification, by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ports/bare-x86_64/boot_info.h"
#include "tests/unit/bare_memory.h"

#define START (MEMORY_BASE + 0x100u)

static struct memory memory;
static struct boot_info info;
static const struct physical physical = {.read = memory_read, .context = &memory};
static uint32_t end; /* of what has been put */

static void put(uint64_t value, unsigned bytes)
{
	memory_put_number(&memory, end, value, bytes);
	end += bytes;
}

static uint32_t begin_tag(uint32_t type, uint32_t size)
{
	uint32_t at;

	end = (end + 7u) & ~7u;
	at = end;
	put(type, 4);
	put(size, 4);
	return at;
}

static void close_information(void)
{
	begin_tag(0, 8);
	memory_put_number(&memory, START, end - START, 4);
}

static void put_range(uint64_t address, uint64_t length, uint32_t type)
{
	put(address, 8);
	put(length, 8);
	put(type, 4);
	put(0, 4);
}

static uint32_t put_map(void)
{
	uint32_t at = begin_tag(6, 16 + 3 * 24);

	put(24, 4);
	put(0, 4);
	put_range(0, 0x9fc00, 1);
	put_range(0xf0000, 0x10000, 2);
	put_range(0x100000, 0x3f00000, 1);
	return at;
}

static uint32_t put_line(const char *line)
{
	uint32_t length = (uint32_t)strlen(line) + 1, at = begin_tag(1, 8 + length);

	memory_put(&memory, end, line, length);
	end += length;
	return at;
}

static uint32_t put_screen(uint32_t type)
{
	uint32_t at = begin_tag(8, type == 1 ? 38 : 32);

	put(0xfd000000, 8);
	put(4096, 4);
	put(1024, 4);
	put(768, 4);
	put(32, 1);
	put(type, 1);
	put(0, 2);
	if (type == 1)
		put(0x080008080810ull, 6);
	return at;
}

static int begin(void **state)
{
	(void)state;
	memset(&memory, 0xee, sizeof(memory));
	end = START;
	put(0, 8);
	return 0;
}

static const char *read_it(void)
{
	close_information();
	return boot_info_read(&info, BOOT_MULTIBOOT, &physical, START);
}

static void expect_error(const char *part)
{
	const char *error = boot_info_read(&info, BOOT_MULTIBOOT, &physical, START);

	assert_non_null(error);
	if (!strstr(error, part))
		fail_msg("'%s' does not say '%s'", error, part);
}

static void all_tags_are_read(void **state)
{
	uint32_t rsdp;

	(void)state;
	begin_tag(21, 12); /* the base address, which is none of ours */
	put(0x100000, 4);
	put_line("cpus=2 -- ip");
	put_map();
	put_screen(1);
	rsdp = begin_tag(15, 8 + 36);
	end += 36;
	assert_null(read_it());
	assert_int_equal(info.range_count, 3);
	assert_int_equal(info.ranges[1].address, 0xf0000);
	assert_int_equal(info.ranges[1].length, 0x10000);
	assert_int_equal(info.ranges[1].type, 2);
	assert_int_equal(info.ranges[2].length, 0x3f00000);
	assert_string_equal(info.command_line, "cpus=2 -- ip");
	assert_int_equal(info.rsdp, rsdp + 8);
	assert_int_equal(info.screen.kind, BOOT_SCREEN_PIXELS);
	assert_int_equal(info.screen.address, 0xfd000000);
	assert_int_equal(info.screen.pitch, 4096);
	assert_int_equal(info.screen.width, 1024);
	assert_int_equal(info.screen.height, 768);
	assert_int_equal(info.screen.red.position, 16);
	assert_int_equal(info.screen.green.position, 8);
	assert_int_equal(info.screen.blue.position, 0);
	assert_int_equal(info.screen.blue.bits, 8);
}

static void the_later_rsdp_counts_in_any_order(void **state)
{
	uint32_t later, first;

	put_map();
	later = begin_tag(15, 8 + 36);
	end += 36;
	begin_tag(14, 8 + 20);
	end += 20;
	assert_null(read_it());
	assert_int_equal(info.rsdp, later + 8);
	begin(state);
	put_map();
	first = begin_tag(14, 8 + 20);
	end += 20;
	assert_null(read_it());
	assert_int_equal(info.rsdp, first + 8);
}

static void little_is_needed(void **state)
{
	(void)state;
	put_map();
	assert_null(read_it());
	assert_string_equal(info.command_line, "");
	assert_int_equal(info.rsdp, 0);
	assert_int_equal(info.screen.kind, BOOT_SCREEN_NONE);
}

static void entries_may_grow(void **state)
{
	(void)state;
	begin_tag(6, 16 + 2 * 40);
	put(40, 4);
	put(1, 4);
	put_range(0x1000, 0x2000, 1);
	put(0, 8);
	put(0, 8);
	put_range(0x100000, 0x5000, 3);
	put(0, 8);
	put(0, 8);
	assert_null(read_it());
	assert_int_equal(info.range_count, 2);
	assert_int_equal(info.ranges[1].address, 0x100000);
	assert_int_equal(info.ranges[1].type, 3);
}

static void a_wrong_map_is_refused(void **state)
{
	uint32_t map;

	assert_non_null(read_it()); /* none at all */
	expect_error("no memory map");
	begin(state);
	map = put_map();
	assert_null(read_it());
	memory_put_number(&memory, map + 8, 19, 4); /* size of an entry */
	expect_error("too short");
	memory_put_number(&memory, map + 8, 0, 4);
	expect_error("too short");
	memory_put_number(&memory, map + 8, 24, 4);
	memory_put_number(&memory, map + 4, 15, 4); /* the tag ends inside its own head */
	expect_error("too short");
	begin(state);
	begin_tag(6, 16 + 129 * 24);
	put(24, 4);
	put(0, 4);
	end += 129 * 24;
	assert_non_null(read_it());
	expect_error("128");
}

static void lengths_are_not_believed(void **state)
{
	uint32_t map;

	(void)state;
	map = put_map();
	assert_null(read_it());
	memory_put_number(&memory, map + 4, 7, 4); /* would never get on */
	expect_error("longer than all");
	memory_put_number(&memory, map + 4, 0, 4);
	expect_error("longer than all");
	memory_put_number(&memory, map + 4, end - START, 4); /* past the end by 8 */
	expect_error("longer than all");
	memory_put_number(&memory, map + 4, UINT32_MAX, 4);
	expect_error("longer than all");
	memory_put_number(&memory, START, (16u << 20) + 1, 4);
	expect_error("16 MiB");
	memory_put_number(&memory, START, 8, 4);
	expect_error("no memory map");
	memory_put_number(&memory, map + 4, 16 + 24 * 3, 4);
	memory_put_number(&memory, START, 0x100000, 4); /* leaves memory */
	memory_put_number(&memory, end - 8, 77, 4);     /* where the end was */
	memory_put_number(&memory, end - 4, 0x80000, 4);
	expect_error("lies outside of memory");
	/* EAX was not a Multiboot 2 loader's. */
	assert_string_equal(boot_info_read(&info, BOOT_MULTIBOOT, &physical, 0),
			    "the Multiboot 2 information lies outside of memory");
}

static void a_command_line_ends_in_its_tag(void **state)
{
	uint32_t at;

	put_map();
	at = put_line("mode=boot");
	assert_null(read_it());
	memory_put_number(&memory, at + 8 + 9, 'x', 1);
	expect_error("has no end");
	assert_string_equal(info.command_line, "");
	begin(state);
	put_map();
	begin_tag(1, 8 + 3000);
	memset(memory.bytes + (end - MEMORY_BASE), 'x', 3000);
	end += 3000;
	assert_non_null(read_it());
	expect_error("longer than 2047");
}

/* --- Screens --------------------------------------------------------------------------------- */

static enum boot_screen_kind with_screen(uint32_t offset, uint64_t value, unsigned bytes)
{
	uint32_t at;

	begin(NULL);
	put_map();
	at = put_screen(1);
	memory_put_number(&memory, at + offset, value, bytes);
	assert_null(read_it());
	return info.screen.kind;
}

static void only_screens_that_can_be_written_are_taken(void **state)
{
	(void)state;
	assert_int_equal(with_screen(8, 0xfd000000, 8), BOOT_SCREEN_PIXELS);
	assert_int_equal(with_screen(8, 0, 8), BOOT_SCREEN_NONE); /* address */
	assert_int_equal(with_screen(8, 0x9f000, 8), BOOT_SCREEN_NONE);
	assert_int_equal(with_screen(8, 1ull << 46, 8), BOOT_SCREEN_NONE);
	assert_int_equal(with_screen(16, 4095, 4), BOOT_SCREEN_NONE); /* pitch: less than a line */
	assert_int_equal(with_screen(16, UINT32_MAX, 4), BOOT_SCREEN_NONE);
	assert_int_equal(with_screen(20, 0, 4), BOOT_SCREEN_NONE);          /* width */
	assert_int_equal(with_screen(20, 0x20000000, 4), BOOT_SCREEN_NONE); /* times 4 is 0 */
	assert_int_equal(with_screen(24, 0, 4), BOOT_SCREEN_NONE);          /* height */
	assert_int_equal(with_screen(24, 16385, 4), BOOT_SCREEN_NONE);
	assert_int_equal(with_screen(28, 8, 1), BOOT_SCREEN_NONE); /* bits of a pixel */
	assert_int_equal(with_screen(28, 24, 1), BOOT_SCREEN_PIXELS);
	assert_int_equal(with_screen(29, 0, 1), BOOT_SCREEN_NONE); /* by palette */
	assert_int_equal(with_screen(29, 3, 1), BOOT_SCREEN_NONE);
	assert_int_equal(with_screen(32, 25, 1), BOOT_SCREEN_NONE); /* red past the pixel's end */
	assert_int_equal(with_screen(33, 0, 1), BOOT_SCREEN_NONE);  /* of no bits */
}

static void a_screen_of_letters_needs_no_colours(void **state)
{
	uint32_t at;

	(void)state;
	put_map();
	at = put_screen(2);
	memory_put_number(&memory, at + 8, 0xb8000, 8);
	memory_put_number(&memory, at + 16, 160, 4);
	memory_put_number(&memory, at + 20, 80, 4);
	memory_put_number(&memory, at + 24, 25, 4);
	memory_put_number(&memory, at + 28, 16, 1);
	assert_null(read_it());
	assert_int_equal(info.screen.kind, BOOT_SCREEN_VGA_TEXT);
	assert_int_equal(info.screen.address, 0xb8000);
	assert_int_equal(info.screen.width, 80);
}

static void the_zero_page_has_a_screen_too(void **state)
{
	(void)state;
	memset(&memory, 0, sizeof(memory));
	memory_put_number(&memory, START + 0x1e8, 1, 1);
	memory_put_number(&memory, START + 0x2d8, 0x9e000, 8);
	memory_put_number(&memory, START + 0x2e0, 1, 4);
	memory_put_number(&memory, START + 0x0f, 0x70, 1);
	memory_put_number(&memory, START + 0x12, 800, 2);
	memory_put_number(&memory, START + 0x14, 600, 2);
	memory_put_number(&memory, START + 0x16, 32, 2);
	memory_put_number(&memory, START + 0x18, 0xf8000000, 4);
	memory_put_number(&memory, START + 0x24, 3200, 2);
	memory_put_number(&memory, START + 0x26, 0x000808081008ull, 6); /* size, position: 8 at 16, 8, 0 */
	memory_put_number(&memory, START + 0x3a, 0x12, 4);
	assert_null(boot_info_read(&info, BOOT_ZERO_PAGE, &physical, START));
	assert_int_equal(info.screen.kind, BOOT_SCREEN_PIXELS);
	assert_true(info.screen.address == 0xf8000000u);
	assert_int_equal(info.screen.width, 800);
	assert_int_equal(info.screen.height, 600);
	assert_int_equal(info.screen.pitch, 3200);
	assert_int_equal(info.screen.red.position, 16);
	assert_int_equal(info.screen.green.position, 8);
	assert_int_equal(info.screen.blue.position, 0);
	memory_put_number(&memory, START + 0x36, 2, 4); /* the address has an upper half */
	assert_null(boot_info_read(&info, BOOT_ZERO_PAGE, &physical, START));
	assert_true(info.screen.address == 0x12f8000000ull);
	memory_put_number(&memory, START + 0x0f, 1, 1); /* a VGA's, as the BIOS left it: not ours to judge */
	assert_null(boot_info_read(&info, BOOT_ZERO_PAGE, &physical, START));
	assert_int_equal(info.screen.kind, BOOT_SCREEN_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_tags_are_read, begin),
		cmocka_unit_test_setup(the_later_rsdp_counts_in_any_order, begin),
		cmocka_unit_test_setup(little_is_needed, begin),
		cmocka_unit_test_setup(entries_may_grow, begin),
		cmocka_unit_test_setup(a_wrong_map_is_refused, begin),
		cmocka_unit_test_setup(lengths_are_not_believed, begin),
		cmocka_unit_test_setup(a_command_line_ends_in_its_tag, begin),
		cmocka_unit_test_setup(only_screens_that_can_be_written_are_taken, begin),
		cmocka_unit_test_setup(a_screen_of_letters_needs_no_colours, begin),
		cmocka_unit_test(the_zero_page_has_a_screen_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
