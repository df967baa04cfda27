/* SPDX-License-Identifier: MIT */
/* Linux's bzImage by its 64-bit entry (Linux, Documentation/arch/x86/boot.rst). */
#include <string.h>

#include "vmm/loaders/loader.h"

#define SECTOR 512u
#define SETUP_SECTORS_DEFAULT 4u
#define SETUP_SECTORS_MAX 64u
#define VERSION_MIN 0x020cu /* the first with a 64-bit entry */
#define XLF_KERNEL_64 0x0001u
#define ENTRY_64 0x200u
#define LOADED_HIGH 0x01u
#define PAGE_SIZE 4096u

struct setup_header { /* from 0x1f1 on */
	uint8_t setup_sectors;
	uint16_t root_flags;
	uint32_t system_size;
	uint16_t ram_size, video_mode, root_device, boot_flag;
	uint8_t jump, jump_length; /* the header's end, from 0x202 on */
	uint32_t magic;
	uint16_t version;
	uint32_t realmode_switch;
	uint16_t start_system_segment, kernel_version;
	uint8_t loader_type, load_flags;
	uint16_t setup_move_size;
	uint32_t code32_start, ramdisk_image, ramdisk_size, kludge;
	uint16_t heap_end;
	uint8_t ext_loader_version, ext_loader_type;
	uint32_t command_line, initrd_max, alignment;
	uint8_t relocatable, min_alignment;
	uint16_t xload_flags;
	uint32_t command_line_size, subarch;
	uint64_t subarch_data;
	uint32_t payload_offset, payload_length;
	uint64_t setup_data, preferred_address;
	uint32_t init_size;
} __attribute__((packed));
_Static_assert(offsetof(struct setup_header, init_size) + VMM_SETUP_HEADER_OFFSET == 0x260, "boot.rst");
#define MAGIC 0x53726448u /* "HdrS" */

static bool read_header(const struct vmm_image *image, struct setup_header *header)
{
	return vmm_image_read(image, VMM_SETUP_HEADER_OFFSET, header, sizeof(*header));
}

bool vmm_bzimage_is(const struct vmm_image *image)
{
	struct setup_header header;

	return read_header(image, &header) && header.magic == MAGIC;
}

static bool check(const struct vmm_loading *loading, const struct setup_header *header)
{
	if (header->version < VERSION_MIN || !(header->xload_flags & XLF_KERNEL_64))
		return vmm_loading_failed(loading,
					  "is a bzImage without a 64-bit entry (boot protocol %u.%02u; "
					  "2.12 and CONFIG_X86_64 are wanted)",
					  header->version >> 8, header->version & 0xffu);
	if (!(header->load_flags & LOADED_HIGH))
		return vmm_loading_failed(loading,
					  "is a zImage, which loads below 1 MiB; a bzImage is wanted");
	if (header->setup_sectors > SETUP_SECTORS_MAX)
		return vmm_loading_failed(loading, "says that its setup has %u sectors; there may be %u",
					  header->setup_sectors, SETUP_SECTORS_MAX);
	if (loading->entry != VMM_ENTRY_ANY)
		return vmm_loading_failed(loading, "is a bzImage: --entry is for ELF files");
	if (strlen(loading->command_line) > header->command_line_size)
		return vmm_loading_failed(loading, "takes a command line of %u characters at most",
					  header->command_line_size);
	return true;
}

/* Where it asks to be, if it can; its decompressor needs init_size there. */
static bool place(const struct vmm_loading *loading, const struct setup_header *header, uint64_t payload,
		  uint64_t *gpa)
{
	uint64_t need = header->init_size > payload ? header->init_size : payload;

	*gpa = header->preferred_address;
	if (*gpa < VMM_PROGRAM_GPA || *gpa % PAGE_SIZE)
		*gpa = VMM_PROGRAM_GPA;
	if (*gpa >= VMM_HOLE_BEGIN)
		return vmm_loading_failed(loading,
					  "asks to be at %#llx; what is mapped at the start ends at "
					  "4 GiB",
					  (unsigned long long)*gpa);
	if (!vmm_memory_at(loading->memory, *gpa, need))
		return vmm_loading_failed(loading,
					  "needs %llu MiB of memory from %#llx on: give the guest more --mem",
					  (unsigned long long)(need >> 20) + 1, (unsigned long long)*gpa);
	return true;
}

/* The header ends where its jump leads. */
static uint32_t header_length(const struct setup_header *header)
{
	uint32_t end = 0x202u + header->jump_length;
	uint32_t length = end - VMM_SETUP_HEADER_OFFSET;

	if (length < sizeof(*header))
		return sizeof(*header);
	return length < VMM_SETUP_HEADER_MAX ? length : VMM_SETUP_HEADER_MAX;
}

bool vmm_bzimage_load(struct vmm_loading *loading)
{
	uint8_t bytes[VMM_SETUP_HEADER_MAX];
	struct setup_header header;
	uint64_t setup, payload, gpa;
	uint32_t length;

	if (!read_header(&loading->kernel, &header))
		return vmm_loading_failed(loading, "cannot be read");
	if (!check(loading, &header))
		return false;
	setup = (1ull + (header.setup_sectors ? header.setup_sectors : SETUP_SECTORS_DEFAULT)) * SECTOR;
	if (setup + ENTRY_64 >= loading->kernel.size)
		return vmm_loading_failed(loading, "ends before its kernel begins");
	payload = loading->kernel.size - setup;
	length = header_length(&header);
	if (!place(loading, &header, payload, &gpa))
		return false;
	if (!vmm_image_read(&loading->kernel, setup, vmm_memory_at(loading->memory, gpa, payload), payload) ||
	    !vmm_image_read(&loading->kernel, VMM_SETUP_HEADER_OFFSET, bytes, length))
		return vmm_loading_failed(loading, "cannot be read whole");
	loading->end = gpa + (header.init_size > payload ? header.init_size : payload);
	loading->initrd_gpa_max = header.initrd_max;
	if (!vmm_place_initrd(loading))
		return false;
	*loading->start = (struct vmm_start){VMM_LONG_MODE, gpa + ENTRY_64, VMM_ZERO_PAGE_GPA};
	return vmm_write_zero_page(loading, bytes, length);
}

/* --- The 16-bit entry ------------------------------------------------------------------------- */

#define SETUP_GPA 0x10000u
#define SETUP_BYTES_MAX 0x8000u
#define SETUP_HEAP_END 0xde00u /* from the setup's second sector on; the stack is above */
#define SETUP_SEGMENT_OFFSET 0x200u
#define CAN_USE_HEAP 0x80u
#define HEADER_VERSION_COMMAND_LINE 0x0202u

/* Tells the setup what a boot loader tells it. */
static void fill_header(struct setup_header *header)
{
	header->loader_type = 0xff;
	header->load_flags |= CAN_USE_HEAP;
	header->heap_end = SETUP_HEAP_END;
	header->command_line = VMM_COMMAND_LINE_GPA;
}

bool vmm_bzimage_load_setup(struct vmm_loading *loading)
{
	struct setup_header header;
	uint64_t setup, payload;
	uint8_t *to;

	if (!read_header(&loading->kernel, &header))
		return vmm_loading_failed(loading, "cannot be read");
	if (header.version < HEADER_VERSION_COMMAND_LINE || !(header.load_flags & LOADED_HIGH))
		return vmm_loading_failed(loading, "is a zImage, or older than boot protocol 2.02");
	setup = (1ull + (header.setup_sectors ? header.setup_sectors : SETUP_SECTORS_DEFAULT)) * SECTOR;
	if (setup > SETUP_BYTES_MAX || setup >= loading->kernel.size)
		return vmm_loading_failed(loading, "has a setup of %llu bytes, which cannot be",
					  (unsigned long long)setup);
	payload = loading->kernel.size - setup;
	to = vmm_memory_at(loading->memory, VMM_PROGRAM_GPA, payload);
	if (!to)
		return vmm_loading_failed(loading, "does not fit into the guest's memory: see --mem");
	if (!vmm_image_read(&loading->kernel, 0, vmm_memory_at(loading->memory, SETUP_GPA, setup), setup) ||
	    !vmm_image_read(&loading->kernel, setup, to, payload))
		return vmm_loading_failed(loading, "cannot be read whole");
	fill_header(&header);
	(void)vmm_memory_write(loading->memory, SETUP_GPA + VMM_SETUP_HEADER_OFFSET, &header,
			       offsetof(struct setup_header, initrd_max));
	*loading->start = (struct vmm_start){VMM_REAL_MODE, SETUP_GPA + SETUP_SEGMENT_OFFSET, SETUP_GPA};
	return true;
}
