/* SPDX-License-Identifier: MIT */
/* Guest memory: RAM from 0 with a hole below 4 GiB, the rest from 4 GiB on. */
#ifndef VMM_MEMORY_H
#define VMM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The hole holds the local APICs, the I/O APIC, KVM's own pages and the MMIO windows. */
#define VMM_HOLE_BEGIN 0xc0000000ull
#define VMM_HOLE_END 0x100000000ull

struct vmm_memory {
	uint8_t *base; /* low, then high, in one piece */
	uint64_t low, high;
};

bool vmm_memory_create(struct vmm_memory *memory, uint64_t bytes);
void vmm_memory_destroy(struct vmm_memory *memory);
/* Where length bytes at gpa are, or NULL if they are not all RAM. */
void *vmm_memory_at(const struct vmm_memory *memory, uint64_t gpa, uint64_t length);
bool vmm_memory_write(struct vmm_memory *memory, uint64_t gpa, const void *bytes, uint64_t length);

/* --- What lies where before the guest begins ------------------------------------------------ */

#define VMM_GDT_GPA 0x0500u
#define VMM_START_INFO_GPA 0x6000u /* PVH's, with its lists behind it */
#define VMM_ZERO_PAGE_GPA 0x7000u
#define VMM_PAGE_TABLES_GPA 0x8000u /* to 0xe000 */
#define VMM_COMMAND_LINE_GPA 0x20000u
#define VMM_COMMAND_LINE_MAX 65535u
#define VMM_LOW_RAM_END 0x9fc00u
#define VMM_ACPI_GPA 0xe0000u
#define VMM_ACPI_BYTES 0x20000u
#define VMM_PROGRAM_GPA 0x100000u /* programs lie here or above */

/* E820's types. */
#define VMM_RANGE_RAM 1u
#define VMM_RANGE_RESERVED 2u
#define VMM_RANGE_ACPI 3u

struct vmm_range {
	uint64_t begin, length;
	uint32_t type;
};
#define VMM_RANGES_MAX 5u
uint32_t vmm_memory_ranges(const struct vmm_memory *memory, struct vmm_range out[VMM_RANGES_MAX]);

#endif
