/* SPDX-License-Identifier: MIT */
#include "vmm/memory.h"

#include <string.h>
#include <sys/mman.h>

bool vmm_memory_create(struct vmm_memory *memory, uint64_t bytes)
{
	/* Pages that the guest never touches cost nothing. */
	void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			  -1, 0);

	if (base == MAP_FAILED)
		return false;
	memory->base = base;
	memory->low = bytes < VMM_HOLE_BEGIN ? bytes : VMM_HOLE_BEGIN;
	memory->high = bytes - memory->low;
	return true;
}

void vmm_memory_destroy(struct vmm_memory *memory)
{
	if (memory->base)
		(void)munmap(memory->base, memory->low + memory->high);
	memory->base = NULL;
}

static bool inside(uint64_t at, uint64_t length, uint64_t size)
{
	return at <= size && length <= size - at;
}

void *vmm_memory_at(const struct vmm_memory *memory, uint64_t gpa, uint64_t length)
{
	if (inside(gpa, length, memory->low))
		return memory->base + gpa;
	if (gpa >= VMM_HOLE_END && inside(gpa - VMM_HOLE_END, length, memory->high))
		return memory->base + memory->low + (gpa - VMM_HOLE_END);
	return NULL;
}

bool vmm_memory_write(struct vmm_memory *memory, uint64_t gpa, const void *bytes, uint64_t length)
{
	void *to = vmm_memory_at(memory, gpa, length);

	if (!to)
		return false;
	memcpy(to, bytes, length);
	return true;
}

uint32_t vmm_memory_ranges(const struct vmm_memory *memory, struct vmm_range out[VMM_RANGES_MAX])
{
	uint32_t count = 0;

	out[count++] = (struct vmm_range){0, VMM_LOW_RAM_END, VMM_RANGE_RAM};
	/* What lies between belongs to video memory and to the BIOS, of which there is none. */
	out[count++] = (struct vmm_range){VMM_LOW_RAM_END, 0xa0000u - VMM_LOW_RAM_END, VMM_RANGE_RESERVED};
	out[count++] = (struct vmm_range){VMM_ACPI_GPA, VMM_ACPI_BYTES, VMM_RANGE_ACPI};
	out[count++] = (struct vmm_range){VMM_PROGRAM_GPA, memory->low - VMM_PROGRAM_GPA, VMM_RANGE_RAM};
	if (memory->high)
		out[count++] = (struct vmm_range){VMM_HOLE_END, memory->high, VMM_RANGE_RAM};
	return count;
}
