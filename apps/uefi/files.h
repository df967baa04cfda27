/* SPDX-License-Identifier: MIT */
/* Files of the volume that we were started from. */
#ifndef UEFI_FILES_H
#define UEFI_FILES_H

#include "apps/uefi/uefi.h"

/* Into to. EFI_NOT_FOUND: no such file; EFI_UNSUPPORTED: the device has no files; EFI_BUFFER_TOO_SMALL. */
efi_status files_read(const struct efi_boot_services *services, efi_handle device, const char *path, void *to,
		      uint64_t room, uint64_t *bytes);
/* Into pages of its own, which stay. */
efi_status files_load(const struct efi_boot_services *services, efi_handle device, const char *path,
		      const uint8_t **to, uint64_t *bytes);

#endif
