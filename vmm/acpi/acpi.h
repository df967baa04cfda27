/* SPDX-License-Identifier: MIT */
/* The guest's ACPI tables. */
#ifndef VMM_ACPI_ACPI_H
#define VMM_ACPI_ACPI_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/memory.h"

/* Where the RSDP is: the first thing in the area, where a BIOS would have it. */
#define VMM_RSDP_GPA VMM_ACPI_GPA

void vmm_acpi_write(struct vmm_memory *memory, uint32_t cpus, uint32_t generation);

/* Compiled by iasl from dsdt_gen1.asl and dsdt_gen2.asl; without iasl of no bytes. */
extern const uint8_t vmm_dsdt_gen1[], vmm_dsdt_gen2[];
extern const size_t vmm_dsdt_gen1_size, vmm_dsdt_gen2_size;

#endif
