/* SPDX-License-Identifier: MIT */
#include "apps/uefi/firmware_memory.h"

#include <string.h>

#include "apps/uefi/uefi.h"

#define DESCRIPTORS_MAX 1024u

enum { E820_ACPI = 3, E820_ACPI_NVS = 4, E820_UNUSABLE = 5, E820_PERSISTENT = 7 };

static uint32_t type_of(const struct efi_memory_descriptor *descriptor)
{
	switch (descriptor->type) {
	case EFI_LOADER_CODE:
	case EFI_LOADER_DATA:
	case EFI_BOOT_SERVICES_CODE:
	case EFI_BOOT_SERVICES_DATA:
	case EFI_CONVENTIONAL:
		return descriptor->attributes & EFI_MEMORY_SPECIAL_PURPOSE ? MEMORY_RESERVED : MEMORY_RAM;
	case EFI_UNUSABLE:
		return E820_UNUSABLE;
	case EFI_ACPI_RECLAIM:
		return E820_ACPI;
	case EFI_ACPI_NVS:
		return E820_ACPI_NVS;
	case EFI_PERSISTENT:
		return E820_PERSISTENT;
	default: /* types to come, too: Linux does alike */
		return MEMORY_RESERVED;
	}
}

bool firmware_memory_read(struct memory_map *map, const uint8_t *descriptors, uint64_t bytes,
			  uint64_t descriptor_bytes)
{
	static struct memory_range ranges[DESCRIPTORS_MAX];
	struct efi_memory_descriptor descriptor;
	uint32_t count = 0;

	if (descriptor_bytes < sizeof(descriptor) || bytes / descriptor_bytes > DESCRIPTORS_MAX)
		return false;
	for (uint64_t at = 0; bytes - at >= descriptor_bytes; at += descriptor_bytes) {
		memcpy(&descriptor, descriptors + at, sizeof(descriptor));
		if (descriptor.pages > UINT64_MAX >> EFI_PAGE_SHIFT)
			return false;
		ranges[count++] = (struct memory_range){
			descriptor.address, descriptor.pages << EFI_PAGE_SHIFT, type_of(&descriptor)};
	}
	return memory_map_build(map, ranges, count);
}
