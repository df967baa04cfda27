/* SPDX-License-Identifier: MIT */
/* How tables that the loader or firmware left in memory are read: copied, by address. */
#ifndef BARE_PHYSICAL_H
#define BARE_PHYSICAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct physical {
	/* False if that is not memory that can be read. */
	bool (*read)(void *context, uint64_t address, void *out, size_t length);
	void *context;
};

static inline bool physical_read(const struct physical *from, uint64_t address, void *out, size_t length)
{
	return from->read(from->context, address, out, length);
}

#endif
