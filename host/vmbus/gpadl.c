/* SPDX-License-Identifier: MIT */
/*
 * GPADLs: assembled from a header and bodies, checked, answered, torn down. One range
 * each, as every known guest sends them. A body is matched by GPADL id alone, and what
 * comes beyond the announced length is ignored (UEFI always sends whole bodies).
 */
#include <stdlib.h>
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

#define WORD 8u
#define HEADER_FIXED offsetof(struct vmbus_gpadl_header, byte_count)
#define BODY_FIXED sizeof(struct vmbus_gpadl_body)

static struct hvh_gpadl *find(struct hvh_partition *partition, const struct hvh_channel *channel, uint32_t id)
{
	for (struct hvh_gpadl *gpadl = partition->vmbus->gpadls; gpadl != NULL; gpadl = gpadl->next) {
		if (gpadl->id == id && gpadl->channel == channel)
			return gpadl;
	}
	return NULL;
}

struct hvh_gpadl *hvh_gpadl_find(struct hvh_channel *channel, uint32_t id)
{
	struct hvh_gpadl *gpadl = find(channel->partition, channel, id);

	return gpadl != NULL && gpadl->state == HVH_GPADL_ACCEPTED ? gpadl : NULL;
}

/* The one that is still being assembled, on whatever channel. */
static struct hvh_gpadl *find_unfinished(struct hvh_partition *partition, uint32_t id)
{
	for (struct hvh_gpadl *gpadl = partition->vmbus->gpadls; gpadl != NULL; gpadl = gpadl->next) {
		if (gpadl->id == id &&
		    (gpadl->state == HVH_GPADL_ASSEMBLING || gpadl->state == HVH_GPADL_REFUSED))
			return gpadl;
	}
	return NULL;
}

static void discard(struct hvh_partition *partition, struct hvh_gpadl *victim)
{
	struct hvh_gpadl **link = &partition->vmbus->gpadls;

	while (*link != victim)
		link = &(*link)->next;
	*link = victim->next;
	partition->vmbus->gpadl_count--;
	free(victim->data);
	free(victim);
}

void hvh_gpadls_free(struct hvh_partition *partition, const struct hvh_channel *channel)
{
	struct hvh_gpadl *next;

	for (struct hvh_gpadl *gpadl = partition->vmbus->gpadls; gpadl != NULL; gpadl = next) {
		next = gpadl->next;
		if (channel == NULL || gpadl->channel == channel)
			discard(partition, gpadl);
	}
}

static struct hvh_gpadl *create(struct hvh_partition *partition, struct hvh_channel *channel, uint32_t id,
				uint32_t words, enum hvh_gpadl_state state)
{
	struct hvh_gpadl *gpadl = NULL;

	if (partition->vmbus->gpadl_count < HVH_GPADLS_MAX)
		gpadl = calloc(1, sizeof(*gpadl));
	if (gpadl == NULL)
		return NULL;
	if (state == HVH_GPADL_ASSEMBLING) {
		gpadl->data = calloc(words, WORD);
		if (gpadl->data == NULL) {
			free(gpadl);
			return NULL;
		}
	}
	gpadl->channel = channel;
	gpadl->id = id;
	gpadl->state = state;
	gpadl->words_expected = words;
	gpadl->next = partition->vmbus->gpadls;
	partition->vmbus->gpadls = gpadl;
	partition->vmbus->gpadl_count++;
	return gpadl;
}

/* --- Creation ------------------------------------------------------------------------ */

static void send_created(struct hvh_partition *partition, uint64_t now, uint32_t channel_id, uint32_t id,
			 uint32_t status)
{
	struct vmbus_gpadl_created created = {
		.header = {VMBUS_MSG_GPADL_CREATED, 0},
		.channel_id = channel_id,
		.gpadl = id,
		.status = status,
	};

	if (partition->silence == HVH_SILENCE_GPADL ||
	    (status != 0 && !partition->profile.gpadl_errors_answered))
		return;
	hvh_vmbus_send(partition, now, &created, sizeof(created));
}

/* Takes the words of a message; true when all have come. */
static bool append(struct hvh_gpadl *gpadl, const uint8_t *bytes, uint32_t size)
{
	uint32_t words = size / WORD;
	uint32_t missing = gpadl->words_expected - gpadl->words;

	if (words > missing)
		words = missing;
	if (gpadl->data != NULL)
		memcpy(gpadl->data + gpadl->words, bytes, (size_t)words * WORD);
	gpadl->words += words;
	return gpadl->words == gpadl->words_expected;
}

static const char *bad_range(struct hvh_partition *partition, struct hvh_gpadl *gpadl,
			     enum hvh_violation_kind *kind)
{
	struct vmbus_gpa_range range;

	memcpy(&range, gpadl->data, sizeof(range));
	gpadl->byte_count = range.byte_count;
	gpadl->byte_offset = range.byte_offset;
	*kind = HVH_V_GPADL_RANGE;
	if (range.byte_count == 0)
		return "empty range";
	if (range.byte_offset >= HVK_PAGE_SIZE)
		return "offset beyond the first page";
	uint64_t pages = ((uint64_t)range.byte_offset + range.byte_count + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE;
	if (pages > gpadl->words_expected - 1)
		return "fewer page numbers than the range has pages";
	*kind = HVH_V_MEMORY;
	for (uint32_t n = 0; n < (uint32_t)pages; n++) {
		uint64_t pfn = gpadl->data[1 + n];
		uint32_t word;
		if (pfn > UINT64_MAX >> HVK_PAGE_SHIFT ||
		    !hvh_memory_load32(partition, pfn << HVK_PAGE_SHIFT, &word))
			return "a page is not RAM";
	}
	return NULL;
}

static void finish(struct hvh_partition *partition, uint64_t now, struct hvh_gpadl *gpadl, uint32_t vp)
{
	uint32_t channel_id = gpadl->channel != NULL ? gpadl->channel->id : 0, id = gpadl->id;
	enum hvh_violation_kind kind;

	if (gpadl->state == HVH_GPADL_REFUSED) {
		discard(partition, gpadl);
		return;
	}
	const char *what = bad_range(partition, gpadl, &kind);
	if (what != NULL) {
		hvh_violate(partition, kind, now, vp, channel_id, gpadl->data, gpadl->words * WORD,
			    "GPADL %#x: %s", id, what);
		discard(partition, gpadl);
		send_created(partition, now, channel_id, id, VMBUS_STATUS_FAILURE);
		return;
	}
	gpadl->state = HVH_GPADL_ACCEPTED;
	send_created(partition, now, channel_id, id, 0);
}

/* What is wrong with a header, or NULL. */
static const char *bad_header(struct hvh_partition *partition, const struct vmbus_gpadl_header *header,
			      const struct hvh_channel *channel, enum hvh_violation_kind *kind)
{
	*kind = HVH_V_CHANNEL_ID;
	if (channel == NULL)
		return "no such channel";
	*kind = HVH_V_GPADL_REUSED;
	if (find(partition, channel, header->gpadl) != NULL)
		return "this id is in use on the channel and was not torn down";
	if (find_unfinished(partition, header->gpadl) != NULL)
		return "this id is still being assembled";
	*kind = HVH_V_GPADL_ID;
	if (header->gpadl == 0)
		return "id 0";
	*kind = HVH_V_GPADL_RANGE;
	if (header->range_count != 1)
		return "not exactly one range";
	if (header->range_buffer_length % WORD != 0 || header->range_buffer_length < 2 * WORD)
		return "range buffer length is to be 8 + 8 * pages";
	if (partition->vmbus->gpadl_count == HVH_GPADLS_MAX)
		return "too many GPADLs";
	return NULL;
}

static void refuse(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post,
		   const struct vmbus_gpadl_header *header, struct hvh_channel *channel)
{
	uint32_t words = header->range_buffer_length / WORD;

	send_created(partition, now, header->channel_id, header->gpadl, VMBUS_STATUS_FAILURE);
	/* Its bodies are on the way, sent back to back. */
	if (find_unfinished(partition, header->gpadl) != NULL || words <= (post->size - HEADER_FIXED) / WORD)
		return;
	struct hvh_gpadl *gpadl = create(partition, channel, header->gpadl, words, HVH_GPADL_REFUSED);
	if (gpadl != NULL)
		append(gpadl, post->bytes + HEADER_FIXED, post->size - (uint32_t)HEADER_FIXED);
}

void hvh_gpadl_header(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	struct vmbus_gpadl_header header;
	enum hvh_violation_kind kind;

	memcpy(&header, post->bytes, sizeof(header));
	struct hvh_channel *channel = hvh_channel_by_id(partition, header.channel_id);
	const char *what = bad_header(partition, &header, channel, &kind);
	if (what != NULL) {
		hvh_violate(partition, kind, now, post->vp, header.channel_id, post->bytes, post->size,
			    "gpadl-header %#x: %s", header.gpadl, what);
		refuse(partition, now, post, &header, channel);
		return;
	}
	hvh_maybe_rescind(channel, now); /* a rescinded channel still answers */
	struct hvh_gpadl *gpadl = create(partition, channel, header.gpadl, header.range_buffer_length / WORD,
					 HVH_GPADL_ASSEMBLING);
	if (gpadl == NULL)
		refuse(partition, now, post, &header, channel);
	else if (append(gpadl, post->bytes + HEADER_FIXED, post->size - (uint32_t)HEADER_FIXED))
		finish(partition, now, gpadl, post->vp);
}

void hvh_gpadl_body(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	struct vmbus_gpadl_body body;

	memcpy(&body, post->bytes, sizeof(body));
	struct hvh_gpadl *gpadl = find_unfinished(partition, body.gpadl);
	if (gpadl == NULL) {
		hvh_violate(partition, HVH_V_GPADL_ID, now, post->vp, 0, post->bytes, post->size,
			    "gpadl-body %#x: no such GPADL is being assembled", body.gpadl);
		return;
	}
	if (gpadl->channel != NULL)
		hvh_maybe_rescind(gpadl->channel, now);
	if (append(gpadl, post->bytes + BODY_FIXED, post->size - (uint32_t)BODY_FIXED))
		finish(partition, now, gpadl, post->vp);
}

/* --- Teardown ----------------------------------------------------------------------------- */

static void send_torndown(struct hvh_partition *partition, uint64_t now, uint32_t id)
{
	struct vmbus_gpadl_torndown torndown = {.header = {VMBUS_MSG_GPADL_TORNDOWN, 0}, .gpadl = id};

	hvh_vmbus_send(partition, now, &torndown, sizeof(torndown));
}

/* Has the last user inside the host let go? */
static bool let_go(const struct hvh_gpadl *gpadl)
{
	const struct hvh_channel *channel = gpadl->channel;

	if (channel->phase != HVH_CHANNEL_OPEN)
		return true;
	if (channel->ring_gpadl == gpadl || channel->partition->profile.teardown_reply == HVH_TEARDOWN_ABSENT)
		return false;
	return gpadl->device_ready || channel->ops->may_tear_down == NULL ||
	       channel->ops->may_tear_down(channel->device, gpadl->channel, gpadl->id);
}

static void try_torndown(struct hvh_partition *partition, uint64_t now, struct hvh_gpadl *gpadl)
{
	uint32_t id = gpadl->id;

	if (gpadl->state != HVH_GPADL_TEARING || partition->silence == HVH_SILENCE_TEARDOWN ||
	    gpadl->torndown_due != 0 || !let_go(gpadl))
		return;
	discard(partition, gpadl);
	send_torndown(partition, now, id);
}

void hvh_gpadl_teardown(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	struct vmbus_gpadl_teardown message;

	memcpy(&message, post->bytes, sizeof(message));
	struct hvh_channel *channel = hvh_channel_by_id(partition, message.channel_id);
	struct hvh_gpadl *gpadl = channel != NULL ? find(partition, channel, message.gpadl) : NULL;
	if (gpadl == NULL || gpadl->state != HVH_GPADL_ACCEPTED) {
		hvh_violate(
			partition, channel == NULL ? HVH_V_CHANNEL_ID : HVH_V_GPADL_ID, now, post->vp,
			message.channel_id, post->bytes, post->size,
			"gpadl-teardown %#x: the channel has no such GPADL, or it is being torn down already",
			message.gpadl);
		return;
	}
	hvh_maybe_rescind(channel, now);
	if (channel->phase == HVH_CHANNEL_OPEN && channel->ring_gpadl == gpadl)
		hvh_violate(partition, HVH_V_GPADL_IN_USE, now, post->vp, channel->id, post->bytes,
			    post->size,
			    "gpadl-teardown %#x: holds the rings of an open channel; close it first",
			    message.gpadl);
	gpadl->state = HVH_GPADL_TEARING;
	if (channel->phase != HVH_CHANNEL_RESCINDED && hvh_fault_strikes(partition, HVH_FAULT_SLOW_TEARDOWN))
		gpadl->torndown_due = now + 1 + hvh_choose(partition, HVH_SLOW_TEARDOWN_MAX);
	try_torndown(partition, now, gpadl);
}

void hvh_gpadls_retry(struct hvh_channel *channel, uint64_t now)
{
	struct hvh_gpadl *next;

	for (struct hvh_gpadl *gpadl = channel->partition->vmbus->gpadls; gpadl != NULL; gpadl = next) {
		next = gpadl->next;
		if (gpadl->channel == channel)
			try_torndown(channel->partition, now, gpadl);
	}
}

/* Creations under way fail, teardowns are answered, and then the offer is taken back. */
void hvh_gpadls_rescind(struct hvh_channel *channel, uint64_t now)
{
	struct hvh_partition *partition = channel->partition;
	struct hvh_gpadl *next;

	for (struct hvh_gpadl *gpadl = partition->vmbus->gpadls; gpadl != NULL; gpadl = next) {
		next = gpadl->next;
		if (gpadl->channel != channel)
			continue;
		if (gpadl->state == HVH_GPADL_ASSEMBLING) {
			gpadl->state = HVH_GPADL_REFUSED;
			send_created(partition, now, channel->id, gpadl->id, VMBUS_STATUS_FAILURE);
		}
		gpadl->torndown_due = 0;
		try_torndown(partition, now, gpadl);
	}
}

void hvh_channel_teardown_ready(struct hvh_channel *channel, uint32_t id, uint64_t now)
{
	struct hvh_gpadl *gpadl = find(channel->partition, channel, id);

	if (gpadl == NULL)
		return;
	gpadl->device_ready = true;
	try_torndown(channel->partition, hvh_clock(channel->partition, now), gpadl);
}

void hvh_gpadls_run(struct hvh_partition *partition, uint64_t now)
{
	struct hvh_gpadl *next;

	for (struct hvh_gpadl *gpadl = partition->vmbus->gpadls; gpadl != NULL; gpadl = next) {
		next = gpadl->next;
		if (gpadl->torndown_due == 0 || gpadl->torndown_due > now)
			continue;
		gpadl->torndown_due = 0;
		try_torndown(partition, now, gpadl);
	}
}

uint64_t hvh_gpadls_next_event(const struct hvh_partition *partition)
{
	uint64_t next = HVH_NEVER;

	for (const struct hvh_gpadl *gpadl = partition->vmbus->gpadls; gpadl != NULL; gpadl = gpadl->next) {
		if (gpadl->torndown_due != 0 && gpadl->torndown_due < next)
			next = gpadl->torndown_due;
	}
	return next;
}
