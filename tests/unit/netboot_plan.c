/* SPDX-License-Identifier: MIT */
/* From files in memory to programs: bzImage and PVH headers, places, what is copied, and what is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/netboot/linux_bzimage.h"
#include "apps/netboot/plan.h"

#define MIB (1ull << 20)
#define KERNEL_AT (100 * MIB)
#define INITRD_AT (110 * MIB)
#define AREA 0x10000ull
#define AREA_BYTES 0x10000ull
#define TOLD_AT (AREA + 0x8000)
#define SETUP_SECTORS 2u
#define CODE 0x600u /* of the file */
#define FILE_BYTES 0x2000u
#define NEEDED 0x300000u

static uint8_t file[FILE_BYTES];
static struct memory_map map;
static struct plan_input input;
static struct plan plan;
static struct plan_told told;

static void put16(uint32_t at, uint16_t value)
{
	memcpy(file + at, &value, sizeof(value));
}

static void put32(uint32_t at, uint32_t value)
{
	memcpy(file + at, &value, sizeof(value));
}

static void put64(uint32_t at, uint64_t value)
{
	memcpy(file + at, &value, sizeof(value));
}

static uint64_t told_number(uint32_t at, uint32_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, told.page + at, bytes);
	return value;
}

/* By offsets of boot.rst, not by the reader's own names. */
static void make_bzimage(void)
{
	memset(file, 0, sizeof(file));
	file[0x1f1] = SETUP_SECTORS;
	put16(0x1fe, 0xaa55);
	file[0x200] = 0xeb;
	file[0x201] = 0x6a; /* the header ends at 0x26c */
	memcpy(file + 0x202, "HdrS", 4);
	put16(0x206, 0x020f);
	file[0x211] = 0x01; /* loaded high */
	put32(0x22c, 0x7fffffff);
	put32(0x230, 0x200000);
	file[0x234] = 1;
	put16(0x236, 0x003f);
	put32(0x238, 2047);
	put64(0x258, 16 * MIB);
	put32(0x260, NEEDED);
	memset(file + CODE, 0xcc, FILE_BYTES - CODE);
}

static void make_map(uint64_t ram)
{
	const struct memory_range ranges[] = {{0, 0x9fc00, MEMORY_RAM},
					      {0x9fc00, 0x400, MEMORY_RESERVED},
					      {1 * MIB, ram - 1 * MIB, MEMORY_RAM}};

	assert_true(memory_map_build(&map, ranges, 3));
}

static int set_up(void **state)
{
	(void)state;
	make_bzimage();
	make_map(256 * MIB);
	input = (struct plan_input){.map = &map,
				    .area = {AREA, AREA_BYTES},
				    .told_at = TOLD_AT,
				    .kernel = {KERNEL_AT, FILE_BYTES},
				    .kernel_bytes = file,
				    .modules = {{INITRD_AT, 0x1234}},
				    .module_count = 1,
				    .command_line = "console=ttyS0",
				    .rsdp = 0xf5a90};
	memset(&told, 0xee, sizeof(told));
	return 0;
}

static void planned(void)
{
	const char *wrong = plan_make(&input, &plan, &told);

	if (wrong)
		fail_msg("%s", wrong);
}

static void refused(const char *said)
{
	const char *wrong = plan_make(&input, &plan, &told);

	assert_non_null(wrong);
	if (strcmp(wrong, said) != 0)
		fail_msg("'%s' is not '%s'", wrong, said);
}

static void copy_is(uint32_t n, uint64_t to, uint64_t from, uint64_t length)
{
	assert_true(n < plan.count);
	assert_int_equal(plan.copies[n].to, to);
	assert_int_equal(plan.copies[n].from, from);
	assert_int_equal(plan.copies[n].length, length);
}

/* --- Linux --------------------------------------------------------------------------------------- */

static void linux_goes_where_it_likes_to_be(void **state)
{
	(void)state;
	planned();
	assert_false(plan.protected_mode);
	assert_int_equal(plan.begin, 16 * MIB);
	assert_int_equal(plan.size, NEEDED);
	assert_int_equal(plan.entry, 16 * MIB + 0x200);
	assert_int_equal(plan.argument, TOLD_AT);
	assert_int_equal(plan.count, 1);
	copy_is(0, 16 * MIB, KERNEL_AT + CODE, FILE_BYTES - CODE);
}

static void linux_is_told_all(void **state)
{
	(void)state;
	planned();
	assert_memory_equal(told.page + 0x1f1, file + 0x1f1, 0x210 - 0x1f1);
	assert_memory_equal(told.page + 0x22c, file + 0x22c, 0x26c - 0x22c);
	assert_int_equal(told_number(0x26c, 8), 0);
	assert_int_equal(told_number(0x210, 1), 0xff);
	assert_int_equal(told_number(0x218, 4), INITRD_AT);
	assert_int_equal(told_number(0x21c, 4), 0x1234);
	assert_int_equal(told_number(0x228, 4), TOLD_AT + 4096);
	assert_int_equal(told_number(0x070, 8), 0xf5a90);
	assert_string_equal(told.command_line, "console=ttyS0");
	assert_int_equal(told_number(0x1e8, 1), 3);
	assert_int_equal(told_number(0x2d0, 8), 0);
	assert_int_equal(told_number(0x2d8, 8), 0x9fc00);
	assert_int_equal(told_number(0x2e0, 4), MEMORY_RAM);
	assert_int_equal(told_number(0x2d0 + 20, 8), 0x9fc00);
	assert_int_equal(told_number(0x2d0 + 36, 4), MEMORY_RESERVED);
	assert_int_equal(told_number(0x2d0 + 60, 8), 0);
}

static void linux_without_an_initrd_is_told_of_none(void **state)
{
	(void)state;
	input.module_count = 0;
	planned();
	assert_int_equal(told_number(0x218, 8), 0);
}

static void several_initrds_are_one_for_linux(void **state)
{
	(void)state;
	input.modules[1] = (struct memory_span){INITRD_AT + 0x2000, 0x99};
	input.module_count = 2;
	planned();
	assert_int_equal(told_number(0x218, 4), INITRD_AT);
	assert_int_equal(told_number(0x21c, 4), 0x2099);
}

static void linux_moves_out_of_the_way(void **state)
{
	(void)state;
	input.modules[0] = (struct memory_span){18 * MIB, MIB / 2};
	planned();
	assert_int_equal(plan.begin, 20 * MIB); /* aligned */
	assert_true(memory_map_reserve(&map, 21 * MIB, 4096));
	planned();
	assert_int_equal(plan.begin, 22 * MIB);
	assert_int_equal(told_number(0x1e8, 1), 5);
}

static void linux_goes_below_if_there_is_nothing_above(void **state)
{
	(void)state;
	make_map(14 * MIB);
	input.kernel.address = 8 * MIB;
	input.modules[0].address = 9 * MIB;
	planned();
	assert_int_equal(plan.begin, 2 * MIB);
	file[0x234] = 0; /* and one that is not to be moved does not */
	refused("finds no room: the machine needs more memory");
}

static void linux_never_lies_on_what_is_still_needed(void **state)
{
	(void)state;
	for (uint64_t ram = 8 * MIB; ram < 40 * MIB; ram += MIB) {
		make_map(ram);
		input.kernel.address = ram - MIB;
		input.modules[0].address = ram - MIB / 2;
		if (plan_make(&input, &plan, &told))
			continue;
		assert_false(memory_overlaps(&input.kernel, 1, plan.begin, plan.size));
		assert_false(memory_overlaps(input.modules, 1, plan.begin, plan.size));
		assert_false(memory_overlaps(&input.area, 1, plan.begin, plan.size));
		assert_true(memory_map_is_ram(&map, plan.begin, plan.size));
	}
	assert_int_equal(plan.begin, 16 * MIB);
}

static void limits_of_linux_are_kept(void **state)
{
	(void)state;
	put32(0x238, 12);
	refused("takes no command line as long as this one");
	put32(0x238, 13);
	put32(0x22c, INITRD_AT + 0x1232);
	refused("takes no initrd at so high an address");
	put32(0x22c, INITRD_AT + 0x1233);
	planned();
}

static void bad_bzimage(void (*spoil)(void), const char *said)
{
	make_bzimage();
	spoil();
	refused(said);
}

static void no_magic(void)
{
	file[0x202] = 'h';
}
static void old(void)
{
	put16(0x206, 0x020b);
}
static void no_64_bits(void)
{
	put16(0x236, 0x3e);
}
static void low(void)
{
	file[0x211] = 0;
}
static void large_setup(void)
{
	file[0x1f1] = 65;
}
static void no_code(void)
{
	file[0x1f1] = 15;
}
static void crooked(void)
{
	put32(0x230, 0x300000);
}
static void not_aligned(void)
{
	put32(0x230, 0);
}
static void huge(void)
{
	put32(0x260, 0xffffffff);
}

static void bad_bzimages_are_told_apart(void **state)
{
	(void)state;
	bad_bzimage(no_magic, "is neither a bzImage nor an ELF file with a PVH entry");
	bad_bzimage(old,
		    "is a bzImage without a 64-bit entry: boot protocol 2.12 and CONFIG_X86_64 are wanted");
	bad_bzimage(no_64_bits,
		    "is a bzImage without a 64-bit entry: boot protocol 2.12 and CONFIG_X86_64 are wanted");
	bad_bzimage(low, "is a zImage, which loads below 1 MiB; a bzImage is wanted");
	bad_bzimage(large_setup, "says that its setup has more than 64 sectors");
	bad_bzimage(no_code, "ends before its kernel begins");
	bad_bzimage(crooked, "asks for an alignment that is no power of two");
	bad_bzimage(not_aligned, "asks for an alignment that is no power of two");
	bad_bzimage(huge, "finds no room: the machine needs more memory");
}

static void a_short_file_is_never_read_past_its_end(void **state)
{
	(void)state;
	for (uint64_t size = 0; size < CODE + 0x240; size++) {
		uint8_t *exact = malloc(size ? size : 1); /* that the sanitizer sees */

		assert_non_null(exact);
		memcpy(exact, file, size);
		input.kernel_bytes = exact;
		input.kernel.length = size;
		assert_true(!plan_make(&input, &plan, &told) == (size > CODE + 0x200));
		free(exact);
	}
}

/* --- PVH ------------------------------------------------------------------------------------------- */

#define HEADERS 64u
#define NOTE 0x200u
#define TEXT 0x1000u

/* An ELF64 with a note, and two segments, the second longer in memory. */
static void make_elf(void)
{
	static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};

	memset(file, 0, sizeof(file));
	memcpy(file, ident, sizeof(ident));
	put16(16, 2);
	put16(18, 62);
	put32(20, 1);
	put64(32, HEADERS);
	put16(52, 64);
	put16(54, 56);
	put16(56, 3);
	put32(HEADERS, 4); /* PT_NOTE */
	put64(HEADERS + 8, NOTE);
	put64(HEADERS + 32, 20);
	put64(HEADERS + 40, 20);
	for (uint32_t n = 0; n < 2; n++) {
		uint32_t at = HEADERS + 56 * (n + 1);

		put32(at, 1); /* PT_LOAD */
		put64(at + 8, TEXT + n * 0x800);
		put64(at + 24, MIB + n * MIB);
		put64(at + 32, 0x800);
		put64(at + 40, 0x800 + n * 0x5000);
	}
	put32(NOTE, 4);
	put32(NOTE + 4, 4);
	put32(NOTE + 8, 18);
	memcpy(file + NOTE + 12, "Xen", 4);
	put32(NOTE + 16, MIB + 0x10);
}

static void an_elf_goes_where_it_must(void **state)
{
	(void)state;
	make_elf();
	planned();
	assert_true(plan.protected_mode);
	assert_int_equal(plan.entry, MIB + 0x10);
	assert_int_equal(plan.argument, TOLD_AT);
	assert_int_equal(plan.begin, MIB);
	assert_int_equal(plan.size, MIB + 0x5800);
	assert_int_equal(plan.count, 3);
	copy_is(0, MIB, KERNEL_AT + TEXT, 0x800);
	copy_is(1, 2 * MIB, KERNEL_AT + TEXT + 0x800, 0x800);
	copy_is(2, 2 * MIB + 0x800, PLAN_ZEROS, 0x5000);
}

static void an_elf_is_told_all(void **state)
{
	(void)state;
	make_elf();
	input.modules[1] = (struct memory_span){INITRD_AT + MIB, 7};
	input.module_count = 2;
	planned();
	assert_int_equal(told_number(0, 4), 0x336ec578);
	assert_int_equal(told_number(4, 4), 1);
	assert_int_equal(told_number(12, 4), 2);
	assert_int_equal(told_number(16, 8), TOLD_AT + 56);
	assert_int_equal(told_number(24, 8), TOLD_AT + 4096);
	assert_int_equal(told_number(32, 8), 0xf5a90);
	assert_int_equal(told_number(40, 8), TOLD_AT + 56 + 64);
	assert_int_equal(told_number(48, 4), 3);
	assert_int_equal(told_number(56, 8), INITRD_AT);
	assert_int_equal(told_number(64, 8), 0x1234);
	assert_int_equal(told_number(88, 8), INITRD_AT + MIB);
	assert_int_equal(told_number(120 + 24, 8), 0x9fc00);
	assert_int_equal(told_number(120 + 40, 4), MEMORY_RESERVED);
}

static void an_elf_that_has_no_room_is_refused(void **state)
{
	(void)state;
	make_elf();
	input.modules[0] = (struct memory_span){2 * MIB + 0x5000, 0x1000};
	refused("has a segment where other files were loaded to: the machine needs more memory");
	input.modules[0].address = INITRD_AT;
	input.kernel.address = 2 * MIB - FILE_BYTES + 1;
	refused("has a segment where other files were loaded to: the machine needs more memory");
	input.kernel.address = KERNEL_AT;
	assert_true(memory_map_reserve(&map, 2 * MIB + 0x4000, 0x1000));
	refused("has a segment where this machine has no memory that could be used");
	make_map(2 * MIB);
	refused("has a segment where this machine has no memory that could be used");
}

static void bad_elf(uint32_t at, uint64_t value, uint32_t bytes, const char *said)
{
	make_elf();
	memcpy(file + at, &value, bytes);
	refused(said);
}

static void bad_elfs_are_told_apart(void **state)
{
	const uint32_t load = HEADERS + 56, next = load + 56;

	(void)state;
	bad_elf(4, 3, 1, "is an ELF file of no known class");
	bad_elf(5, 2, 1, "is an ELF file for another processor");
	bad_elf(18, 183, 2, "is an ELF file for another processor");
	bad_elf(16, 1, 2, "is an ELF file, but no program");
	bad_elf(54, 55, 2, "is an ELF file without program headers, or with such of a wrong size");
	bad_elf(56, 0, 2, "is an ELF file without program headers, or with such of a wrong size");
	bad_elf(56, 200, 2, "ends before its program headers do");
	bad_elf(32, UINT64_MAX, 8, "ends before its program headers do");
	bad_elf(load + 40, 0x7ff, 8, "has a segment that is larger in the file than in memory");
	bad_elf(load + 8, UINT64_MAX - 8, 8, "ends before its segments do");
	bad_elf(load + 24, MIB - 1, 8, "has a segment below 1 MiB");
	bad_elf(load + 24, (1ull << 32) - 8, 8, "has a segment above 4 GiB");
	bad_elf(load + 24, 2 * MIB + 0x100, 8, "has its entry where nothing of it is loaded");
	bad_elf(next + 24, MIB + 0x700, 8, "has segments that overlap");
	bad_elf(NOTE + 8, 17, 4, "has no PVH entry (ELF note Xen, type 18)");
	bad_elf(NOTE + 12, 'x', 1, "has no PVH entry (ELF note Xen, type 18)");
	bad_elf(NOTE, UINT32_MAX, 4, "has no PVH entry (ELF note Xen, type 18)");
	bad_elf(NOTE + 4, UINT32_MAX, 4, "has no PVH entry (ELF note Xen, type 18)");
	bad_elf(NOTE + 16, 3 * MIB, 4, "has its entry where nothing of it is loaded");
}

static void a_command_line_has_a_limit(void **state)
{
	static char line[PLAN_COMMAND_LINE_MAX + 2];

	(void)state;
	make_elf();
	memset(line, 'a', sizeof(line) - 1);
	input.command_line = line;
	refused("gets a command line longer than 8191 characters");
	input.command_line = line + 1;
	planned();
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(linux_goes_where_it_likes_to_be),
		TEST(linux_is_told_all),
		TEST(linux_without_an_initrd_is_told_of_none),
		TEST(several_initrds_are_one_for_linux),
		TEST(linux_moves_out_of_the_way),
		TEST(linux_goes_below_if_there_is_nothing_above),
		TEST(linux_never_lies_on_what_is_still_needed),
		TEST(limits_of_linux_are_kept),
		TEST(bad_bzimages_are_told_apart),
		TEST(a_short_file_is_never_read_past_its_end),
		TEST(an_elf_goes_where_it_must),
		TEST(an_elf_is_told_all),
		TEST(an_elf_that_has_no_room_is_refused),
		TEST(bad_elfs_are_told_apart),
		TEST(a_command_line_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
