/* SPDX-License-Identifier: MIT */
#include "host/pci/mmio.h"

#include "host/core/dump.h"
#include "host/core/state.h"

void hvh_mmio_init(struct hvh_partition *partition, const struct hvh_mmio_window *low,
		   const struct hvh_mmio_window *high)
{
	struct hvh_mmio *mmio = partition->mmio;

	mmio->windows[0] = (struct hvh_mmio_window){HVH_MMIO_LOW_BASE, HVH_MMIO_LOW_LENGTH};
	mmio->windows[1] = (struct hvh_mmio_window){HVH_MMIO_HIGH_BASE, HVH_MMIO_HIGH_LENGTH};
	if (low->length != 0)
		mmio->windows[0] = *low;
	if (high->length != 0)
		mmio->windows[1] = *high;
}

/* --- Mapping ------------------------------------------------------------------------------------- */

static bool inside(uint64_t base, uint64_t length, uint64_t outer, uint64_t outer_length)
{
	return base >= outer && base - outer <= outer_length && length <= outer_length - (base - outer);
}

const char *hvh_mmio_map(struct hvh_partition *partition, struct hvh_mmio_region *region)
{
	struct hvh_mmio *mmio = partition->mmio;
	bool in_window = false;

	for (uint32_t n = 0; n < 2; n++)
		in_window |= inside(region->base, region->length, mmio->windows[n].base,
				    mmio->windows[n].length);
	if (!in_window)
		return "outside the MMIO windows";
	for (const struct hvh_mmio_region *other = mmio->regions; other != NULL; other = other->next)
		if (region->base < other->base + other->length && other->base < region->base + region->length)
			return "where another is already";
	region->next = mmio->regions;
	mmio->regions = region;
	region->mapped = true;
	return NULL;
}

void hvh_mmio_unmap(struct hvh_partition *partition, struct hvh_mmio_region *region)
{
	struct hvh_mmio_region **link = &partition->mmio->regions;

	if (!region->mapped)
		return;
	while (*link != NULL && *link != region)
		link = &(*link)->next;
	if (*link != NULL)
		*link = region->next;
	region->mapped = false;
}

/* --- Access -------------------------------------------------------------------------------------- */

/* NULL: nothing is there that takes it. What is used often comes to the front. */
static struct hvh_mmio_region *find(struct hvh_mmio *mmio, uint64_t gpa, unsigned width)
{
	for (struct hvh_mmio_region **link = &mmio->regions; *link != NULL; link = &(*link)->next) {
		struct hvh_mmio_region *region = *link;

		if (!inside(gpa, width, region->base, region->length))
			continue;
		*link = region->next;
		region->next = mmio->regions;
		mmio->regions = region;
		return region;
	}
	mmio->nothing++;
	return NULL;
}

static bool well_formed(struct hvh_partition *partition, uint32_t vp, uint64_t gpa, unsigned width)
{
	if ((width == 1 || width == 2 || width == 4 || width == 8) && gpa % width == 0)
		return true;
	hvh_violate(partition, HVH_V_PCI, partition->now, vp, 0, &gpa, sizeof gpa,
		    "device memory at %#llx: %u bytes; 1, 2, 4 or 8, aligned, would be right",
		    (unsigned long long)gpa, width);
	return false;
}

bool hvh_mmio_read(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint64_t gpa, unsigned width,
		   uint64_t *value)
{
	struct hvh_mmio_region *region;

	now = hvh_clock(partition, now);
	*value = hvh_ones(width);
	partition->mmio->reads++;
	region = find(partition->mmio, gpa, width);
	if (region == NULL)
		return false;
	if (well_formed(partition, vp, gpa, width))
		*value = region->read(region->context, now, vp, gpa - region->base, width) & hvh_ones(width);
	return true;
}

bool hvh_mmio_write(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint64_t gpa, unsigned width,
		    uint64_t value)
{
	struct hvh_mmio_region *region;

	now = hvh_clock(partition, now);
	partition->mmio->writes++;
	region = find(partition->mmio, gpa, width);
	if (region == NULL)
		return false;
	if (well_formed(partition, vp, gpa, width))
		region->write(region->context, now, vp, gpa - region->base, width, value & hvh_ones(width));
	return true;
}

void hvh_mmio_dump(const struct hvh_partition *partition, struct hvh_dump *dump)
{
	const struct hvh_mmio *mmio = partition->mmio;
	uint32_t number = 0;

	hvh_dump_begin(dump, "mmio");
	hvh_dump_number(dump, "reads", mmio->reads);
	hvh_dump_number(dump, "writes", mmio->writes);
	hvh_dump_number(dump, "where-nothing-is", mmio->nothing);
	for (const struct hvh_mmio_region *region = mmio->regions; region != NULL; region = region->next) {
		hvh_dump_begin_number(dump, "region", number++);
		hvh_dump_hex(dump, "base", region->base);
		hvh_dump_hex(dump, "length", region->length);
		hvh_dump_end(dump);
	}
	hvh_dump_end(dump);
}
