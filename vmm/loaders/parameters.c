/* SPDX-License-Identifier: MIT */
/* What a program is told: PVH's start info (Xen, hvm/start_info.h), or Linux's zero page
 * (Linux, Documentation/arch/x86/boot.rst and zero-page.rst). */
#include <string.h>

#include "vmm/acpi/acpi.h"
#include "vmm/loaders/loader.h"

#define PAGE_SIZE 4096u

/* As high as it may lie, so that the program has room to grow. */
bool vmm_place_initrd(struct vmm_loading *loading)
{
	uint64_t top = loading->memory->low, size = loading->initrd.size;
	void *to;

	if (!loading->has_initrd)
		return true;
	if (loading->initrd_gpa_max < top - 1)
		top = loading->initrd_gpa_max + 1;
	if (size > top || ((top - size) & ~(uint64_t)(PAGE_SIZE - 1)) < loading->end) {
		snprintf(loading->error, VMM_ERROR_MAX,
			 "--initrd: its %llu bytes do not fit behind the kernel: give the guest more --mem",
			 (unsigned long long)size);
		return false;
	}
	loading->initrd_gpa = (top - size) & ~(uint64_t)(PAGE_SIZE - 1);
	to = vmm_memory_at(loading->memory, loading->initrd_gpa, size);
	if (to && vmm_image_read(&loading->initrd, 0, to, size))
		return true;
	snprintf(loading->error, VMM_ERROR_MAX, "--initrd: '%.200s' cannot be read whole",
		 loading->initrd.name);
	return false;
}

/* --- PVH -------------------------------------------------------------------------------------- */

#define START_MAGIC 0x336ec578u
#define START_VERSION 1u

struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, command_line, rsdp, memory_map;
	uint32_t range_count, reserved;
};
struct start_module {
	uint64_t gpa, size, command_line, reserved;
};
struct start_range {
	uint64_t begin, length;
	uint32_t type, reserved;
};
struct start_page {
	struct start_info info;
	struct start_module initrd;
	struct start_range ranges[VMM_RANGES_MAX];
};

void vmm_write_start_info(struct vmm_loading *loading)
{
	struct vmm_range ranges[VMM_RANGES_MAX];
	struct start_page page = {
		.info = {.magic = START_MAGIC,
			 .version = START_VERSION,
			 .module_count = loading->has_initrd,
			 .modules = loading->has_initrd
					    ? VMM_START_INFO_GPA + offsetof(struct start_page, initrd)
					    : 0,
			 .command_line = VMM_COMMAND_LINE_GPA,
			 .rsdp = VMM_RSDP_GPA,
			 .memory_map = VMM_START_INFO_GPA + offsetof(struct start_page, ranges),
			 .range_count = vmm_memory_ranges(loading->memory, ranges)},
		.initrd = {.gpa = loading->initrd_gpa, .size = loading->initrd.size},
	};

	for (uint32_t n = 0; n < page.info.range_count; n++)
		page.ranges[n] = (struct start_range){ranges[n].begin, ranges[n].length, ranges[n].type, 0};
	(void)vmm_memory_write(loading->memory, VMM_START_INFO_GPA, &page, sizeof(page));
}

/* --- The zero page ------------------------------------------------------------------------------ */

#define ZERO_RSDP 0x070u
#define ZERO_EXT_RAMDISK_IMAGE 0x0c0u
#define ZERO_EXT_RAMDISK_SIZE 0x0c4u
#define ZERO_EXT_COMMAND_LINE 0x0c8u
#define ZERO_E820_COUNT 0x1e8u
#define ZERO_BOOT_FLAG 0x1feu
#define ZERO_MAGIC 0x202u
#define ZERO_VERSION 0x206u
#define ZERO_LOADER_TYPE 0x210u
#define ZERO_LOAD_FLAGS 0x211u
#define ZERO_RAMDISK_IMAGE 0x218u
#define ZERO_RAMDISK_SIZE 0x21cu
#define ZERO_COMMAND_LINE 0x228u
#define ZERO_COMMAND_LINE_SIZE 0x238u
#define ZERO_E820 0x2d0u

#define BOOT_FLAG 0xaa55u
#define HEADER_MAGIC 0x53726448u /* "HdrS" */
#define HEADER_VERSION 0x020cu
#define LOADER_UNDEFINED 0xffu
#define LOADED_HIGH 0x01u

struct e820_entry {
	uint64_t begin, length;
	uint32_t type;
} __attribute__((packed));

static void put32(uint8_t *page, uint32_t offset, uint64_t value)
{
	uint32_t word = (uint32_t)value;

	memcpy(page + offset, &word, sizeof(word));
}

static void put_memory_map(uint8_t *page, const struct vmm_memory *memory)
{
	struct vmm_range ranges[VMM_RANGES_MAX];
	uint32_t count = vmm_memory_ranges(memory, ranges);

	page[ZERO_E820_COUNT] = (uint8_t)count;
	for (uint32_t n = 0; n < count; n++) {
		const struct e820_entry entry = {ranges[n].begin, ranges[n].length, ranges[n].type};

		memcpy(page + ZERO_E820 + n * sizeof(entry), &entry, sizeof(entry));
	}
}

static void put_own_header(uint8_t *page)
{
	const uint16_t flag = BOOT_FLAG, version = HEADER_VERSION;

	memcpy(page + ZERO_BOOT_FLAG, &flag, sizeof(flag));
	put32(page, ZERO_MAGIC, HEADER_MAGIC);
	memcpy(page + ZERO_VERSION, &version, sizeof(version));
	page[ZERO_LOAD_FLAGS] = LOADED_HIGH;
	put32(page, ZERO_COMMAND_LINE_SIZE, VMM_COMMAND_LINE_MAX);
}

bool vmm_write_zero_page(struct vmm_loading *loading, const uint8_t *header, uint32_t count)
{
	uint8_t *page = vmm_memory_at(loading->memory, VMM_ZERO_PAGE_GPA, PAGE_SIZE);
	uint64_t rsdp = VMM_RSDP_GPA;

	if (!page || count > VMM_SETUP_HEADER_MAX)
		return false;
	memset(page, 0, PAGE_SIZE);
	if (header)
		memcpy(page + VMM_SETUP_HEADER_OFFSET, header, count);
	else
		put_own_header(page);
	memcpy(page + ZERO_RSDP, &rsdp, sizeof(rsdp));
	page[ZERO_LOADER_TYPE] = LOADER_UNDEFINED;
	put32(page, ZERO_COMMAND_LINE, VMM_COMMAND_LINE_GPA);
	put32(page, ZERO_EXT_COMMAND_LINE, 0);
	if (loading->has_initrd) {
		put32(page, ZERO_RAMDISK_IMAGE, loading->initrd_gpa);
		put32(page, ZERO_EXT_RAMDISK_IMAGE, loading->initrd_gpa >> 32);
		put32(page, ZERO_RAMDISK_SIZE, loading->initrd.size);
		put32(page, ZERO_EXT_RAMDISK_SIZE, loading->initrd.size >> 32);
	}
	put_memory_map(page, loading->memory);
	return true;
}
