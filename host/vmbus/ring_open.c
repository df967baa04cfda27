/* SPDX-License-Identifier: MIT */
/* A channel's pair of rings: where they lie, what stands in their control pages at the
 * open, and the words of those pages. */
#include <string.h>

#include "host/core/state.h"
#include "host/vmbus/vmbus.h"

#define RING_PAGES_MIN 2u
#define INDEX_ALIGN 8u

bool hvh_ring_corrupt(struct hvh_channel *channel, uint64_t now, enum hvh_violation_kind kind,
		      const void *bytes, uint32_t count, const char *what)
{
	hvh_violate(channel->partition, kind, now, UINT32_MAX, channel->id, bytes, count,
		    "ring of channel %u: %s", channel->id, what);
	channel->dead = true;
	channel->run_at = HVH_NEVER;
	return false;
}

bool hvh_ring_word(struct hvh_channel *channel, uint32_t offset, uint32_t *value)
{
	uint64_t gpa;

	return channel->ring_gpadl != NULL && hvh_gpadl_address(channel->ring_gpadl, offset, &gpa) &&
	       hvh_memory_load32(channel->partition, gpa, value);
}

bool hvh_ring_set_word(struct hvh_channel *channel, uint32_t offset, uint32_t value)
{
	uint64_t gpa;

	return channel->ring_gpadl != NULL && hvh_gpadl_address(channel->ring_gpadl, offset, &gpa) &&
	       hvh_memory_store32(channel->partition, gpa, value);
}

/* --- Open --------------------------------------------------------------------------------- */

bool hvh_ring_index_valid(uint32_t index, uint32_t size)
{
	return index < size && index % INDEX_ALIGN == 0;
}

/* Indices are taken as they are found: zero in a new ring. */
static bool load_indices(struct hvh_channel *channel)
{
	uint32_t in_write = 0, out_read = 0;
	struct hvh_in_ring *in = &channel->in;
	struct hvh_out_ring *out = &channel->out;

	return hvh_ring_word(channel, in->control + VMBUS_RING_WRITE_INDEX, &in_write) &&
	       hvh_ring_word(channel, in->control + VMBUS_RING_READ_INDEX, &in->read) &&
	       hvh_ring_word(channel, out->control + VMBUS_RING_WRITE_INDEX, &out->write) &&
	       hvh_ring_word(channel, out->control + VMBUS_RING_READ_INDEX, &out_read) &&
	       hvh_ring_index_valid(in_write, in->size) && hvh_ring_index_valid(in->read, in->size) &&
	       hvh_ring_index_valid(out->write, out->size) && hvh_ring_index_valid(out_read, out->size);
}

static bool set_up(struct hvh_channel *channel)
{
	channel->in.published = channel->in.read;
	channel->in.seen = channel->in.read;
	channel->in.masked = true;
	channel->in.weak_credits = channel->partition->vps;
	return hvh_ring_set_word(channel, channel->in.control + VMBUS_RING_INTERRUPT_MASK, 1) &&
	       hvh_ring_set_word(channel, channel->out.control + VMBUS_RING_PENDING_SEND_SIZE, 0) &&
	       hvh_ring_set_word(channel, channel->out.control + VMBUS_RING_FEATURES,
				 channel->partition->profile.pending_feature_offered
					 ? VMBUS_RING_FEATURE_PENDING_SEND_SIZE
					 : 0);
}

bool hvh_rings_open(struct hvh_channel *channel, uint64_t now, uint32_t downstream_page)
{
	struct hvh_gpadl *gpadl = channel->ring_gpadl;
	uint32_t pages = gpadl->byte_count / HVK_PAGE_SIZE;
	const char *what = NULL;
	enum hvh_violation_kind kind = HVH_V_RING_GEOMETRY;

	memset(&channel->in, 0, sizeof(channel->in));
	memset(&channel->out, 0, sizeof(channel->out));
	if (gpadl->byte_offset != 0 || gpadl->byte_count % HVK_PAGE_SIZE != 0)
		what = "open: rings are to be whole pages";
	else if (downstream_page < RING_PAGES_MIN || downstream_page >= pages ||
		 pages - downstream_page < RING_PAGES_MIN)
		what = "open: each direction needs a control page and a data page";
	if (what == NULL) {
		channel->in.data = HVK_PAGE_SIZE;
		channel->in.size = (downstream_page - 1) * HVK_PAGE_SIZE;
		channel->out.control = downstream_page * HVK_PAGE_SIZE;
		channel->out.data = channel->out.control + HVK_PAGE_SIZE;
		channel->out.size = (pages - downstream_page - 1) * HVK_PAGE_SIZE;
		if (load_indices(channel) && set_up(channel))
			return true;
		kind = HVH_V_RING_INDEX;
		what = "open: an index is misaligned or beyond its ring";
	}
	hvh_violate(channel->partition, kind, now, UINT32_MAX, channel->id, &downstream_page,
		    sizeof(downstream_page), "channel %u: %s", channel->id, what);
	return false;
}
