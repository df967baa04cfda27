/* SPDX-License-Identifier: MIT */
#ifndef STORAGE_PARTITIONS_PRIVATE_H
#define STORAGE_PARTITIONS_PRIVATE_H

#include "apps/storage/partitions.h"

/* True if a valid table was found; otherwise table->problems tells why not. */
bool storage_gpt_open(struct storage_table *table);
bool storage_gpt_next(struct storage_table *table, struct storage_partition *partition);

/* Units that fit on the source. */
static inline uint64_t storage_table_units(const struct storage_table *table)
{
	return storage_size(table->source) / table->unit;
}

#endif
