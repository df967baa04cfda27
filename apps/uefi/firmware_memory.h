/* SPDX-License-Identifier: MIT */
/* The firmware's memory map, as it is once its boot services have ended. */
#ifndef UEFI_FIRMWARE_MEMORY_H
#define UEFI_FIRMWARE_MEMORY_H

#include "apps/netboot/memory_map.h"

/* What the firmware and we have in use until then is RAM after it. False: not a map, or one of more
 * pieces than E820 has room for. */
bool firmware_memory_read(struct memory_map *map, const uint8_t *descriptors, uint64_t bytes,
			  uint64_t descriptor_bytes);

#endif
