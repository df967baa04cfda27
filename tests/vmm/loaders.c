/* SPDX-License-Identifier: MIT */
/* Files into guest memory: what is right is loaded where it belongs, and what is wrong gets one
 * line that says so. No KVM is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmocka.h>
#include <elf.h>

#include "vmm/loaders/loader.h"

#define MEMORY (64ull << 20)
#define FILE_BYTES 0x4000u
#define LOAD_GPA 0x200000u
#define NOTE_OFFSET 0x800u

struct fixture {
	struct vmm_memory memory;
	uint8_t file[FILE_BYTES];
	struct vmm_start start;
	struct vmm_loading loading;
	char error[VMM_ERROR_MAX];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	assert_true(vmm_memory_create(&fixture->memory, MEMORY));
	fixture->loading = (struct vmm_loading){
		.memory = &fixture->memory,
		.kernel = {.name = "kernel", .file = -1, .bytes = fixture->file, .size = FILE_BYTES},
		.command_line = "a=1 b=2",
		.start = &fixture->start,
		.error = fixture->error};
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	vmm_memory_destroy(&fixture->memory);
	free(fixture);
	return 0;
}

static void is_refused(struct fixture *fixture, const char *why)
{
	fixture->error[0] = '\0';
	assert_false(vmm_loader_load_images(&fixture->loading));
	if (!strstr(fixture->error, why))
		fail_msg("'%s' should say '%s'", fixture->error, why);
	assert_null(strchr(fixture->error, '\n'));
	assert_non_null(strstr(fixture->error, "kernel"));
}

/* --- ELF ------------------------------------------------------------------------------------- */

static Elf64_Ehdr *elf(struct fixture *fixture)
{
	return (Elf64_Ehdr *)fixture->file;
}

static Elf64_Phdr *segment(struct fixture *fixture, uint32_t n)
{
	return (Elf64_Phdr *)(fixture->file + sizeof(Elf64_Ehdr)) + n;
}

/* One segment at LOAD_GPA, and a second program header for a note. */
static void make_elf(struct fixture *fixture)
{
	memset(fixture->file, 0x90, FILE_BYTES);
	*elf(fixture) = (Elf64_Ehdr){.e_type = ET_EXEC,
				     .e_machine = EM_X86_64,
				     .e_entry = LOAD_GPA + 0x10,
				     .e_phoff = sizeof(Elf64_Ehdr),
				     .e_phentsize = sizeof(Elf64_Phdr),
				     .e_phnum = 2};
	memcpy(elf(fixture)->e_ident, ELFMAG, SELFMAG);
	elf(fixture)->e_ident[EI_CLASS] = ELFCLASS64;
	elf(fixture)->e_ident[EI_DATA] = ELFDATA2LSB;
	*segment(fixture, 0) = (Elf64_Phdr){.p_type = PT_LOAD,
					    .p_offset = 0x1000,
					    .p_vaddr = LOAD_GPA,
					    .p_paddr = LOAD_GPA,
					    .p_filesz = 0x1000,
					    .p_memsz = 0x3000};
	*segment(fixture, 1) = (Elf64_Phdr){.p_type = PT_NULL};
}

static void add_note(struct fixture *fixture, uint32_t type, uint32_t entry)
{
	const uint32_t words[] = {4, 4, type, 0x006e6558, entry}; /* "Xen" */

	memcpy(fixture->file + NOTE_OFFSET, words, sizeof(words));
	*segment(fixture,
		 1) = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = NOTE_OFFSET, .p_filesz = sizeof(words)};
}

static void an_elf64_is_loaded_with_a_zero_page(void **state)
{
	struct fixture *fixture = *state;
	const uint8_t *at;
	uint32_t line;

	make_elf(fixture);
	fixture->file[0x1000] = 0xfa;
	memset(vmm_memory_at(&fixture->memory, LOAD_GPA, 0x3000), 0xee, 0x3000);
	assert_true(vmm_loader_load_images(&fixture->loading));
	at = vmm_memory_at(&fixture->memory, LOAD_GPA, 0x3000);
	assert_int_equal(at[0], 0xfa);
	assert_int_equal(at[0xfff], 0x90);
	assert_int_equal(at[0x1000], 0); /* what the file does not have is zero */
	assert_int_equal(at[0x2fff], 0);
	assert_int_equal(fixture->start.mode, VMM_LONG_MODE);
	assert_true(fixture->start.entry == LOAD_GPA + 0x10);
	at = vmm_memory_at(&fixture->memory, fixture->start.argument, 4096);
	assert_int_equal(at[0x1fe] | at[0x1ff] << 8, 0xaa55);
	assert_int_equal(at[0x1e8], 4); /* ranges */
	memcpy(&line, at + 0x228, sizeof(line));
	assert_string_equal((char *)vmm_memory_at(&fixture->memory, line, 8), "a=1 b=2");
}

static void a_note_makes_it_pvh_unless_told_otherwise(void **state)
{
	struct fixture *fixture = *state;
	const uint32_t *info;

	make_elf(fixture);
	add_note(fixture, 18, LOAD_GPA + 0x20);
	assert_true(vmm_loader_load_images(&fixture->loading));
	assert_int_equal(fixture->start.mode, VMM_PROTECTED_MODE);
	assert_true(fixture->start.entry == LOAD_GPA + 0x20);
	info = vmm_memory_at(&fixture->memory, fixture->start.argument, 56);
	assert_int_equal(info[0], 0x336ec578);
	fixture->loading.entry = VMM_ENTRY_ELF64;
	assert_true(vmm_loader_load_images(&fixture->loading));
	assert_int_equal(fixture->start.mode, VMM_LONG_MODE);
	/* A note of another type is none. */
	add_note(fixture, 17, LOAD_GPA + 0x20);
	fixture->loading.entry = VMM_ENTRY_PVH;
	is_refused(fixture, "has no PVH entry");
}

static void a_virtual_entry_becomes_a_physical_one(void **state)
{
	struct fixture *fixture = *state;

	make_elf(fixture);
	segment(fixture, 0)->p_vaddr = 0xffffffff80000000ull;
	elf(fixture)->e_entry = 0xffffffff80000123ull;
	assert_true(vmm_loader_load_images(&fixture->loading));
	assert_true(fixture->start.entry == LOAD_GPA + 0x123);
}

static void segments_that_do_not_fit_are_refused(void **state)
{
	struct fixture *fixture = *state;

	make_elf(fixture);
	segment(fixture, 0)->p_paddr = 0x1000;
	is_refused(fixture, "at 1 MiB or above");
	make_elf(fixture);
	segment(fixture, 0)->p_paddr = MEMORY - 0x1000;
	is_refused(fixture, "beyond the guest's memory: see --mem");
	make_elf(fixture);
	segment(fixture, 0)->p_memsz = UINT64_MAX - 0x1000;
	is_refused(fixture, "beyond the guest's memory");
	make_elf(fixture);
	segment(fixture, 0)->p_filesz = 0x4000;
	is_refused(fixture, "larger in the file than in memory");
	make_elf(fixture);
	segment(fixture, 0)->p_offset = FILE_BYTES - 1;
	is_refused(fixture, "ends before its segments do");
	make_elf(fixture);
	segment(fixture, 0)->p_offset = UINT64_MAX;
	is_refused(fixture, "ends before its segments do");
	make_elf(fixture);
	segment(fixture, 0)->p_type = PT_NULL;
	is_refused(fixture, "has nothing to load");
}

/* 4 GiB are mapped when a program begins; it may have segments above, but not its entry. */
static void an_entry_above_4_gib_is_refused(void **state)
{
	struct fixture *fixture = *state;

	fixture->memory.low = MEMORY / 2;
	fixture->memory.high = MEMORY / 2;
	make_elf(fixture);
	segment(fixture, 0)->p_vaddr = segment(fixture, 0)->p_paddr = VMM_HOLE_END;
	elf(fixture)->e_entry = VMM_HOLE_END;
	is_refused(fixture, "has its entry at 0x100000000; what is mapped at the start ends at 4 GiB");
	make_elf(fixture);
	*segment(fixture, 1) = *segment(fixture, 0);
	segment(fixture, 1)->p_vaddr = segment(fixture, 1)->p_paddr = VMM_HOLE_END;
	fixture->loading.end = 0;
	fixture->loading.has_initrd = true;
	fixture->loading.initrd = (struct vmm_image){
		.name = "initrd", .file = -1, .bytes = fixture->file, .size = FILE_BYTES};
	assert_true(vmm_loader_load_images(&fixture->loading)); /* the initrd goes behind the lower one */
	assert_true(fixture->start.entry == LOAD_GPA + 0x10);
	fixture->memory.low = MEMORY;
	fixture->memory.high = 0;
}

static void headers_that_are_wrong_are_refused(void **state)
{
	struct fixture *fixture = *state;

	make_elf(fixture);
	elf(fixture)->e_machine = EM_AARCH64;
	is_refused(fixture, "for another processor");
	make_elf(fixture);
	elf(fixture)->e_type = ET_REL;
	is_refused(fixture, "no program");
	make_elf(fixture);
	elf(fixture)->e_phnum = 0xffff;
	is_refused(fixture, "program headers");
	make_elf(fixture);
	elf(fixture)->e_phoff = UINT64_MAX - 8;
	is_refused(fixture, "ends before its program headers do");
	make_elf(fixture);
	elf(fixture)->e_entry = 0x300000;
	is_refused(fixture, "where nothing of it is loaded");
	make_elf(fixture);
	elf(fixture)->e_ident[EI_CLASS] = 7;
	is_refused(fixture, "of no known class");
	make_elf(fixture);
	fixture->loading.kernel.size = 20;
	is_refused(fixture, "too short for an ELF file");
}

/* Lengths of notes that would lead out of the segment. */
static void notes_are_not_believed(void **state)
{
	struct fixture *fixture = *state;

	for (uint32_t word = 0; word < 2; word++) {
		const uint32_t huge[] = {0xfffffffc, 0xffffffff, 0x80000000, 13};

		for (uint32_t n = 0; n < 4; n++) {
			make_elf(fixture);
			add_note(fixture, 18, LOAD_GPA);
			memcpy(fixture->file + NOTE_OFFSET + 4 * word, &huge[n], 4);
			fixture->loading.entry = VMM_ENTRY_PVH;
			is_refused(fixture, "has no PVH entry");
		}
	}
}

static void rubbish_is_no_kernel(void **state)
{
	struct fixture *fixture = *state;

	memset(fixture->file, 'x', FILE_BYTES);
	is_refused(fixture, "is no kernel: neither an ELF file nor a bzImage");
	fixture->loading.kernel.size = 0;
	is_refused(fixture, "is no kernel");
}

/* --- bzImage --------------------------------------------------------------------------------- */

static void put(struct fixture *fixture, uint32_t offset, uint64_t value, size_t size)
{
	memcpy(fixture->file + offset, &value, size);
}

static void make_bzimage(struct fixture *fixture)
{
	memset(fixture->file, 0, FILE_BYTES);
	put(fixture, 0x1f1, 1, 1);          /* setup sectors */
	put(fixture, 0x201, 0x66, 1);       /* the header's length */
	put(fixture, 0x202, 0x53726448, 4); /* HdrS */
	put(fixture, 0x206, 0x20f, 2);
	put(fixture, 0x211, 1, 1);          /* loaded high */
	put(fixture, 0x22c, 0x7fffffff, 4); /* initrd_addr_max */
	put(fixture, 0x236, 1, 2);          /* a 64-bit entry */
	put(fixture, 0x238, 2047, 4);       /* command line */
	put(fixture, 0x258, 0x1000000, 8);  /* preferred address */
	put(fixture, 0x260, 0x100000, 4);   /* init_size */
	fixture->file[2 * 512] = 0xfc;
}

static void a_bzimage_goes_where_it_asks_with_its_initrd(void **state)
{
	struct fixture *fixture = *state;
	static const uint8_t initrd[5000] = {1, 2, 3};
	const uint8_t *page;
	uint32_t at, size;

	make_bzimage(fixture);
	fixture->loading.has_initrd = true;
	fixture->loading.initrd = (struct vmm_image){
		.name = "initrd", .file = -1, .bytes = initrd, .size = sizeof(initrd)};
	assert_true(vmm_loader_load_images(&fixture->loading));
	assert_int_equal(fixture->start.mode, VMM_LONG_MODE);
	assert_true(fixture->start.entry == 0x1000200);
	assert_int_equal(*(uint8_t *)vmm_memory_at(&fixture->memory, 0x1000000, 1), 0xfc);
	page = vmm_memory_at(&fixture->memory, fixture->start.argument, 4096);
	assert_int_equal(page[0x206], 0x0f); /* its own header */
	assert_int_equal(page[0x210], 0xff);
	memcpy(&at, page + 0x218, 4);
	memcpy(&size, page + 0x21c, 4);
	assert_int_equal(size, sizeof(initrd));
	assert_int_equal(at % 4096, 0);
	assert_true(at >= MEMORY - 3 * 4096);
	assert_memory_equal(vmm_memory_at(&fixture->memory, at, size), initrd, sizeof(initrd));
}

static void bzimages_that_are_wrong_are_refused(void **state)
{
	struct fixture *fixture = *state;

	make_bzimage(fixture);
	put(fixture, 0x206, 0x207, 2);
	is_refused(fixture, "without a 64-bit entry (boot protocol 2.07");
	make_bzimage(fixture);
	put(fixture, 0x236, 0, 2);
	is_refused(fixture, "without a 64-bit entry");
	make_bzimage(fixture);
	put(fixture, 0x1f1, 255, 1);
	is_refused(fixture, "sectors");
	make_bzimage(fixture);
	put(fixture, 0x260, 0x7fffffff, 4);
	is_refused(fixture, "give the guest more --mem");
	make_bzimage(fixture);
	put(fixture, 0x258, UINT64_MAX & ~0xfffull, 8);
	is_refused(fixture, "ends at 4 GiB");
	make_bzimage(fixture);
	put(fixture, 0x258, VMM_HOLE_BEGIN - 0x1000, 8);
	is_refused(fixture, "give the guest more --mem");
	make_bzimage(fixture);
	put(fixture, 0x238, 3, 4);
	is_refused(fixture, "command line of 3 characters at most");
	make_bzimage(fixture);
	fixture->loading.kernel.size = 1024 + 0x200;
	is_refused(fixture, "ends before its kernel begins");
}

static void an_initrd_that_does_not_fit_is_refused(void **state)
{
	struct fixture *fixture = *state;

	make_bzimage(fixture);
	fixture->loading.has_initrd = true;
	fixture->loading.initrd = (struct vmm_image){.name = "initrd", .file = -1, .size = MEMORY};
	assert_false(vmm_loader_load_images(&fixture->loading));
	assert_non_null(strstr(fixture->error, "do not fit behind the kernel"));
	fixture->loading.initrd.size = UINT64_MAX;
	assert_false(vmm_loader_load_images(&fixture->loading));
}

/* --- Files ------------------------------------------------------------------------------------- */

static void a_file_that_is_being_written_is_refused(void **state)
{
	struct vmm_image image;
	char path[] = "/tmp/hvkit-loaders-XXXXXX", error[VMM_ERROR_MAX];
	int file = mkstemp(path);

	(void)state;
	assert_true(file >= 0);
	assert_true(vmm_image_open(&image, path, error));
	vmm_image_close(&image);
	assert_int_equal(flock(file, LOCK_EX), 0);
	assert_false(vmm_image_open(&image, path, error));
	assert_non_null(strstr(error, "somebody holds its lock"));
	(void)close(file);
	(void)unlink(path);
	assert_false(vmm_image_open(&image, path, error));
	assert_non_null(strstr(error, "cannot be read: No such file"));
	assert_false(vmm_image_open(&image, "/tmp", error));
	assert_non_null(strstr(error, "is no file that could be loaded"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(an_elf64_is_loaded_with_a_zero_page),
		T(a_note_makes_it_pvh_unless_told_otherwise),
		T(a_virtual_entry_becomes_a_physical_one),
		T(segments_that_do_not_fit_are_refused),
		T(an_entry_above_4_gib_is_refused),
		T(headers_that_are_wrong_are_refused),
		T(notes_are_not_believed),
		T(rubbish_is_no_kernel),
		T(a_bzimage_goes_where_it_asks_with_its_initrd),
		T(bzimages_that_are_wrong_are_refused),
		T(an_initrd_that_does_not_fit_is_refused),
		T(a_file_that_is_being_written_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
