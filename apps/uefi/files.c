/* SPDX-License-Identifier: MIT */
#include "apps/uefi/files.h"

#define PATH_MAX 255u
#define LOAD_MAX (1ull << 30)

static const struct efi_guid file_system_guid = {
	0x964e5b22, 0x6459, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};

static efi_status open_file(const struct efi_boot_services *services, efi_handle device, const char *path,
			    struct efi_file **file, uint64_t *bytes)
{
	static efi_char name[PATH_MAX + 1];
	struct efi_file_system *volume;
	struct efi_file *root;
	void *protocol = NULL;
	efi_status status;
	uint32_t length = 0;

	if (!device || services->handle_protocol(device, &file_system_guid, &protocol) != EFI_SUCCESS)
		return EFI_UNSUPPORTED;
	volume = protocol;
	for (; path[length] && length < PATH_MAX; length++)
		name[length] = (uint8_t)path[length];
	name[length] = 0;
	status = volume->open_volume(volume, &root);
	if (status != EFI_SUCCESS)
		return status;
	status = root->open(root, file, name, EFI_FILE_READ, 0);
	(void)root->close(root);
	if (status != EFI_SUCCESS)
		return status;
	status = (*file)->set_position(*file, EFI_FILE_END);
	if (status == EFI_SUCCESS)
		status = (*file)->get_position(*file, bytes);
	if (status == EFI_SUCCESS)
		status = (*file)->set_position(*file, 0);
	if (status != EFI_SUCCESS)
		(void)(*file)->close(*file);
	return status;
}

static efi_status read_all(struct efi_file *file, uint8_t *to, uint64_t bytes)
{
	while (bytes) {
		uint64_t part = bytes;
		efi_status status = file->read(file, &part, to);

		if (status != EFI_SUCCESS)
			return status;
		if (part == 0 || part > bytes)
			return EFI_LOAD_ERROR; /* it has become shorter */
		to += part;
		bytes -= part;
	}
	return EFI_SUCCESS;
}

efi_status files_read(const struct efi_boot_services *services, efi_handle device, const char *path, void *to,
		      uint64_t room, uint64_t *bytes)
{
	struct efi_file *file;
	efi_status status = open_file(services, device, path, &file, bytes);

	if (status != EFI_SUCCESS)
		return status;
	status = *bytes > room ? EFI_BUFFER_TOO_SMALL : read_all(file, to, *bytes);
	(void)file->close(file);
	return status;
}

efi_status files_load(const struct efi_boot_services *services, efi_handle device, const char *path,
		      const uint8_t **to, uint64_t *bytes)
{
	struct efi_file *file;
	uint64_t address = 0, pages;
	efi_status status = open_file(services, device, path, &file, bytes);

	if (status != EFI_SUCCESS)
		return status;
	pages = (*bytes >> EFI_PAGE_SHIFT) + 1;
	if (*bytes > LOAD_MAX)
		status = EFI_BUFFER_TOO_SMALL;
	else
		status = services->allocate_pages(EFI_ALLOCATE_ANY, EFI_LOADER_DATA, pages, &address);
	if (status == EFI_SUCCESS)
		status = read_all(file, (uint8_t *)(uintptr_t)address, *bytes);
	*to = (const uint8_t *)(uintptr_t)address;
	(void)file->close(file);
	return status;
}
