/* SPDX-License-Identifier: MIT */
/*
 * A kernel from anywhere into guest memory: ELF, PVH notes, bzImage by either entry, with an
 * initrd and a command line. The header says what stands beside the file:
 *
 *   u8 flags     bits 0-1 --entry, 2 --bios-stub, 3 the file turns out shorter than it was,
 *                4 there is memory above 4 GiB, 5-6 initrd: none, one of u16 pages and a
 *                bit, one of any size that cannot be read, one that turns out shorter
 *   u8 memory    of the guest's low memory, in pages of 32 KiB beyond 1 MiB
 *   u8[8] size   of the initrd, and of the command line (its last two bytes)
 *
 * What is not the guest's is poisoned, and what lies below 1 MiB and is not the loaders' must
 * stay as it was.
 */
#include <stdlib.h>
#include <string.h>
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/acpi/acpi.h"
#include "vmm/loaders/loader.h"

#define HEAD 10u
#define MEMORY_MAX (10u << 20)
#define HIGH_BYTES 0x40000u
#define UNIT 0x8000u
#define INITRD_MAX (1u << 20)
#define LINE_MAX_TRIED (VMM_COMMAND_LINE_MAX + 3u)
#define MARK 0xa5u
#define PAGE 4096u
#define ZERO_E820_COUNT 0x1e8u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct trial {
	struct vmm_memory memory;
	struct vmm_start start;
	struct vmm_loading loading;
	char error[VMM_ERROR_MAX], line[LINE_MAX_TRIED + 1];
};

static uint8_t *block, *initrd;

static void expect(bool right)
{
	if (!right)
		abort();
}

/* --- What is given ------------------------------------------------------------------------- */

/* A file that has fewer bytes than its size says: it was cut off after it was opened. */
static struct vmm_image cut_file(const uint8_t *bytes, size_t there, uint64_t size)
{
	static int file = -1;

	if (file < 0)
		file = memfd_create("fuzz", MFD_CLOEXEC);
	expect(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, bytes, there, 0) == (ssize_t)there);
	return (struct vmm_image){.name = "kernel", .file = file, .size = size};
}

static void give_memory(struct trial *trial, const uint8_t *head)
{
	uint64_t low = VMM_PROGRAM_GPA + (uint64_t)head[1] * UNIT, high = head[0] & 0x10u ? HIGH_BYTES : 0;

	if (!block)
		block = malloc(MEMORY_MAX);
	expect(block != NULL && low + high <= MEMORY_MAX);
	ASAN_UNPOISON_MEMORY_REGION(block, MEMORY_MAX);
	memset(block, MARK, VMM_PROGRAM_GPA);
	ASAN_POISON_MEMORY_REGION(block + low + high, MEMORY_MAX - low - high);
	trial->memory = (struct vmm_memory){block, low, high};
}

static void give_initrd(struct trial *trial, const uint8_t *head)
{
	uint32_t kind = head[0] >> 5 & 3u;
	struct vmm_image *image = &trial->loading.initrd;
	uint64_t any;

	if (!initrd) {
		initrd = malloc(INITRD_MAX);
		expect(initrd != NULL);
		for (uint32_t n = 0; n < INITRD_MAX; n++)
			initrd[n] = (uint8_t)(n * 7u + (n >> 8));
	}
	memcpy(&any, head + 2, sizeof(any));
	trial->loading.has_initrd = kind != 0;
	*image = (struct vmm_image){.name = "initrd", .file = -1, .size = any};
	if (kind == 1) {
		image->size = any % (INITRD_MAX + 1);
		image->bytes = initrd;
	} else if (kind == 3) {
		*image = cut_file(initrd, PAGE, any % INITRD_MAX);
		image->name = "initrd";
	}
}

static void give_line(struct trial *trial, const uint8_t *head)
{
	uint32_t length = head[8] | (uint32_t)head[9] << 8;

	length = length > VMM_COMMAND_LINE_MAX - 4u ? length + 3u : length;
	memset(trial->line, 'x', length);
	trial->line[length] = '\0';
	trial->loading.command_line = trial->line;
}

/* --- What came of it ------------------------------------------------------------------------ */

static void check_refusal(const struct trial *trial)
{
	size_t length = strnlen(trial->error, VMM_ERROR_MAX);

	expect(length > 0 && length < VMM_ERROR_MAX && !memchr(trial->error, '\n', length));
}

/* Tables of the monitor's own, the BIOS's data and ACPI's tables are not the file's to change. */
static void check_untouched(uint64_t begin, uint64_t end)
{
	for (uint64_t at = begin; at < end; at++)
		expect(block[at] == MARK);
}

static void check_initrd(const struct trial *trial)
{
	const struct vmm_loading *loading = &trial->loading;
	uint64_t gpa = loading->initrd_gpa;
	const uint8_t *at = vmm_memory_at(&trial->memory, gpa, loading->initrd.size);

	expect(at != NULL && gpa % PAGE == 0 && gpa >= loading->end && gpa >= VMM_PROGRAM_GPA);
	expect(loading->initrd.size == 0 || gpa + loading->initrd.size - 1 <= loading->initrd_gpa_max);
	if (loading->initrd.bytes)
		expect(memcmp(at, initrd, loading->initrd.size) == 0);
}

/* By its own entry: in what is mapped, and told where things are. */
static void check_start(const struct trial *trial, bool bios_stub)
{
	const struct vmm_start *start = &trial->start;
	uint64_t length = strlen(trial->line) + 1;

	expect(memcmp(vmm_memory_at(&trial->memory, VMM_COMMAND_LINE_GPA, length), trial->line, length) == 0);
	check_untouched(0, VMM_START_INFO_GPA);
	check_untouched(VMM_PAGE_TABLES_GPA, bios_stub ? 0x10000u : VMM_COMMAND_LINE_GPA);
	check_untouched(VMM_COMMAND_LINE_GPA + length, VMM_PROGRAM_GPA);
	if (bios_stub) {
		expect(start->mode == VMM_REAL_MODE);
		return;
	}
	expect(start->entry >= VMM_PROGRAM_GPA && start->entry < VMM_HOLE_BEGIN &&
	       vmm_memory_at(&trial->memory, start->entry, 1));
	if (start->mode == VMM_PROTECTED_MODE) {
		expect(start->argument == VMM_START_INFO_GPA);
		check_untouched(VMM_ZERO_PAGE_GPA, VMM_PAGE_TABLES_GPA);
	} else {
		expect(start->mode == VMM_LONG_MODE && start->argument == VMM_ZERO_PAGE_GPA);
		expect(block[VMM_ZERO_PAGE_GPA + ZERO_E820_COUNT] <= VMM_RANGES_MAX);
		check_untouched(VMM_START_INFO_GPA, VMM_ZERO_PAGE_GPA);
	}
	if (trial->loading.has_initrd)
		check_initrd(trial);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct trial trial;
	const uint8_t *head = data;

	if (size < HEAD)
		return -1;
	data += HEAD;
	size -= HEAD;
	trial.error[0] = '\0';
	trial.start = (struct vmm_start){0};
	trial.loading = (struct vmm_loading){.memory = &trial.memory,
					     .entry = (enum vmm_entry)((head[0] & 3u) % 3u),
					     .bios_stub = head[0] & 4u,
					     .start = &trial.start,
					     .error = trial.error};
	give_memory(&trial, head);
	give_initrd(&trial, head);
	give_line(&trial, head);
	trial.loading.kernel = (struct vmm_image){.name = "kernel", .file = -1, .bytes = data, .size = size};
	if ((head[0] & 8u) && (head[0] & 0x60u) != 0x60u)
		trial.loading.kernel = cut_file(data, size, size + head[2]);
	if (vmm_loader_load_images(&trial.loading))
		check_start(&trial, trial.loading.bios_stub);
	else
		check_refusal(&trial);
	return 0;
}
