/* SPDX-License-Identifier: MIT */
/* Reading and writing what a GPADL describes. */
#include "host/core/state.h"
#include "host/vmbus/vmbus.h"

uint32_t hvh_gpadl_size(const struct hvh_gpadl *gpadl)
{
	return gpadl->byte_count;
}

bool hvh_gpadl_address(const struct hvh_gpadl *gpadl, uint32_t offset, uint64_t *gpa)
{
	uint64_t at = (uint64_t)gpadl->byte_offset + offset;

	if (offset >= gpadl->byte_count)
		return false;
	*gpa = (gpadl->data[1 + (at >> HVK_PAGE_SHIFT)] << HVK_PAGE_SHIFT) + (at & (HVK_PAGE_SIZE - 1));
	return true;
}

static bool transfer(struct hvh_gpadl *gpadl, uint32_t offset, void *to, const void *from, uint32_t length)
{
	struct hvh_partition *partition = gpadl->channel->partition;
	uint64_t at = (uint64_t)gpadl->byte_offset + offset;

	if (offset > gpadl->byte_count || length > gpadl->byte_count - offset)
		return false;
	for (uint32_t done = 0, part; done < length; done += part, at += part) {
		uint32_t in_page = (uint32_t)(at & (HVK_PAGE_SIZE - 1));
		uint64_t gpa = (gpadl->data[1 + (at >> HVK_PAGE_SHIFT)] << HVK_PAGE_SHIFT) + in_page;

		part = HVK_PAGE_SIZE - in_page < length - done ? HVK_PAGE_SIZE - in_page : length - done;
		if (to != NULL ? hvh_memory_read(partition, gpa, (uint8_t *)to + done, part)
			       : hvh_memory_write(partition, gpa, (const uint8_t *)from + done, part))
			continue;
		hvh_violate(partition, HVH_V_MEMORY, partition->now, UINT32_MAX, gpadl->channel->id, &gpa,
			    sizeof(gpa), "GPADL %#x: a page is not RAM any more", gpadl->id);
		return false;
	}
	return true;
}

bool hvh_gpadl_read(struct hvh_gpadl *gpadl, uint32_t offset, void *to, uint32_t length)
{
	return transfer(gpadl, offset, to, NULL, length);
}

bool hvh_gpadl_write(struct hvh_gpadl *gpadl, uint32_t offset, const void *from, uint32_t length)
{
	return transfer(gpadl, offset, NULL, from, length);
}
