/* SPDX-License-Identifier: MIT */
#include "apps/uefi/tables.h"

#include <stddef.h>
#include <string.h>

#define LARGE_PAGE (2ull << 20)
#define PRESENT_WRITE 3ull
#define LARGE 0x80ull
#define ADDRESS_END (1ull << 47)
#define ENTRIES 512u

void tables_begin(struct tables *self)
{
	memset(self, 0, sizeof(*self));
	self->used = 1;
}

static uint64_t *below(struct tables *self, uint64_t *entry)
{
	if (!*entry) {
		if (self->used == TABLES_MAX)
			return NULL;
		*entry = (uintptr_t)self->pages[self->used++] | PRESENT_WRITE;
	}
	return (uint64_t *)(uintptr_t)(*entry & ~0xfffull);
}

static bool map_page(struct tables *self, uint64_t address)
{
	uint64_t *table = self->pages[0];

	for (uint32_t shift = 39; shift >= 30; shift -= 9) {
		table = below(self, &table[address >> shift & (ENTRIES - 1)]);
		if (!table)
			return false;
	}
	table[address >> 21 & (ENTRIES - 1)] = address | PRESENT_WRITE | LARGE;
	return true;
}

bool tables_map(struct tables *self, uint64_t address, uint64_t length)
{
	uint64_t page = address & ~(LARGE_PAGE - 1);

	if (address >= ADDRESS_END || length > ADDRESS_END - address)
		return false;
	for (; page < address + length; page += LARGE_PAGE) {
		if (!map_page(self, page))
			return false;
	}
	return true;
}
