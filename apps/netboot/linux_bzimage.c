/* SPDX-License-Identifier: MIT */
#include "apps/netboot/linux_bzimage.h"

#include <string.h>

#define SECTOR 512u
#define SETUP_SECTORS_DEFAULT 4u
#define SETUP_SECTORS_MAX 64u
#define PAGE 4096u
#define LOW_MEMORY 0x100000u /* kernels lie above */
#define LIMIT (1ull << 32)
#define ALIGNMENT_MAX (1u << 30)

/* Offsets in the file, and in the zero page. */
#define HEADER 0x1f1u
#define SETUP_SECTORS 0x1f1u
#define JUMP_LENGTH 0x201u /* from 0x202 on: the header's end */
#define MAGIC 0x202u
#define MAGIC_VALUE 0x53726448u /* "HdrS" */
#define PROTOCOL 0x206u
#define LOADER_TYPE 0x210u
#define LOAD_FLAGS 0x211u
#define RAMDISK 0x218u
#define RAMDISK_SIZE 0x21cu
#define COMMAND_LINE 0x228u
#define INITRD_MAX 0x22cu
#define ALIGNMENT 0x230u
#define RELOCATABLE 0x234u
#define XLOAD_FLAGS 0x236u
#define COMMAND_LINE_SIZE 0x238u
#define PREFERRED 0x258u
#define INIT_SIZE 0x260u
#define HEADER_END 0x264u /* of what is read here */

#define PROTOCOL_MIN 0x020cu /* the first with a 64-bit entry */
#define LOADED_HIGH 0x01u
#define XLF_KERNEL_64 0x0001u
#define LOADER_UNDEFINED 0xffu

/* Of the zero page alone. */
#define ZERO_RSDP 0x070u
#define ZERO_EXT_RAMDISK 0x0c0u
#define ZERO_EXT_RAMDISK_SIZE 0x0c4u
#define ZERO_EXT_COMMAND_LINE 0x0c8u
#define ZERO_E820_COUNT 0x1e8u
#define ZERO_E820 0x2d0u
#define E820_ENTRY 20u

static uint32_t get32(const uint8_t *bytes, uint32_t offset)
{
	uint32_t value;

	memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

static uint16_t get16(const uint8_t *bytes, uint32_t offset)
{
	return (uint16_t)(bytes[offset] | bytes[offset + 1] << 8);
}

bool linux_is_bzimage(const uint8_t *bytes, uint64_t size)
{
	return size >= MAGIC + 4 && get32(bytes, MAGIC) == MAGIC_VALUE;
}

static const char *check(const uint8_t *bytes, uint64_t size)
{
	if (!linux_is_bzimage(bytes, size) || size < HEADER_END)
		return "is no bzImage";
	if (get16(bytes, PROTOCOL) < PROTOCOL_MIN || !(get16(bytes, XLOAD_FLAGS) & XLF_KERNEL_64))
		return "is a bzImage without a 64-bit entry: boot protocol 2.12 and CONFIG_X86_64 are wanted";
	if (!(bytes[LOAD_FLAGS] & LOADED_HIGH))
		return "is a zImage, which loads below 1 MiB; a bzImage is wanted";
	if (bytes[SETUP_SECTORS] > SETUP_SECTORS_MAX)
		return "says that its setup has more than 64 sectors";
	return NULL;
}

/* The header ends where its jump leads. */
static uint32_t header_length(const uint8_t *bytes)
{
	uint32_t end = MAGIC + bytes[JUMP_LENGTH];

	if (end < HEADER_END)
		end = HEADER_END;
	return end - HEADER < LINUX_HEADER_MAX ? end - HEADER : LINUX_HEADER_MAX;
}

const char *linux_read(const uint8_t *bytes, uint64_t size, struct linux_image *image)
{
	const char *wrong = check(bytes, size);
	uint32_t setup, alignment, init_size;

	if (wrong)
		return wrong;
	memset(image, 0, sizeof(*image));
	setup = bytes[SETUP_SECTORS] ? bytes[SETUP_SECTORS] : SETUP_SECTORS_DEFAULT;
	image->code_offset = (1ull + setup) * SECTOR;
	if (image->code_offset + LINUX_ENTRY_64 >= size)
		return "ends before its kernel begins";
	image->code_length = size - image->code_offset;
	init_size = get32(bytes, INIT_SIZE);
	image->needed = init_size > image->code_length ? init_size : image->code_length;
	alignment = get32(bytes, ALIGNMENT);
	image->relocatable = bytes[RELOCATABLE] != 0;
	if (image->relocatable &&
	    (alignment == 0 || (alignment & (alignment - 1)) || alignment > ALIGNMENT_MAX))
		return "asks for an alignment that is no power of two";
	image->alignment = alignment > PAGE && image->relocatable ? alignment : PAGE;
	memcpy(&image->preferred, bytes + PREFERRED, sizeof(image->preferred));
	image->initrd_end = (uint64_t)get32(bytes, INITRD_MAX) + 1;
	image->command_line_most = get32(bytes, COMMAND_LINE_SIZE);
	image->protocol = get16(bytes, PROTOCOL);
	image->header_length = header_length(bytes);
	if (HEADER + image->header_length > size)
		return "ends inside its header";
	memcpy(image->header, bytes + HEADER, image->header_length);
	return NULL;
}

bool linux_place(const struct linux_image *image, const struct memory_map *map,
		 const struct memory_span *taken, uint32_t count, uint64_t *address)
{
	uint64_t preferred = image->preferred;

	if (preferred >= LOW_MEMORY && preferred % PAGE == 0 && preferred < LIMIT &&
	    image->needed <= LIMIT - preferred && memory_map_is_ram(map, preferred, image->needed) &&
	    !memory_overlaps(taken, count, preferred, image->needed)) {
		*address = preferred;
		return true;
	}
	if (!image->relocatable)
		return false;
	return (preferred >= LOW_MEMORY && memory_map_find(map, taken, count, image->needed, image->alignment,
							   preferred, LIMIT, address)) ||
	       memory_map_find(map, taken, count, image->needed, image->alignment, LOW_MEMORY, LIMIT,
			       address);
}

/* --- The zero page ------------------------------------------------------------------------------- */

static void put32(uint8_t *page, uint32_t offset, uint64_t value)
{
	uint32_t word = (uint32_t)value;

	memcpy(page + offset, &word, sizeof(word));
}

static void put_halves(uint8_t *page, uint32_t low, uint32_t high, uint64_t value)
{
	put32(page, low, value);
	put32(page, high, value >> 32);
}

void linux_write_zero_page(uint8_t page[LINUX_ZERO_PAGE_BYTES], const struct linux_image *image,
			   const struct linux_parameters *parameters)
{
	const struct memory_map *map = parameters->map;

	memset(page, 0, LINUX_ZERO_PAGE_BYTES);
	memcpy(page + HEADER, image->header, image->header_length);
	page[LOADER_TYPE] = LOADER_UNDEFINED;
	memcpy(page + ZERO_RSDP, &parameters->rsdp, sizeof(parameters->rsdp));
	put_halves(page, COMMAND_LINE, ZERO_EXT_COMMAND_LINE, parameters->command_line);
	put_halves(page, RAMDISK, ZERO_EXT_RAMDISK, parameters->initrd_length ? parameters->initrd : 0);
	put_halves(page, RAMDISK_SIZE, ZERO_EXT_RAMDISK_SIZE, parameters->initrd_length);
	page[ZERO_E820_COUNT] = (uint8_t)map->count;
	for (uint32_t i = 0; i < map->count; i++) {
		uint8_t *entry = page + ZERO_E820 + i * E820_ENTRY;

		memcpy(entry, &map->ranges[i].address, 8);
		memcpy(entry + 8, &map->ranges[i].length, 8);
		memcpy(entry + 16, &map->ranges[i].type, 4);
	}
}
