/* SPDX-License-Identifier: MIT */
/*
 * Memory that the host reads and writes: a caller's pieces where they lie as the device takes them (one
 * run, whole pages but for the first and the last), bounce pages where they do not.
 */
#include "guest/storvsc/storvsc_internal.h"

#define NO_PAGE UINT16_MAX

/* --- Life ------------------------------------------------------------------------------- */

static hvk_status start_bounce(struct hvk_storvsc *controller)
{
	struct storvsc_bounce *bounce = &controller->bounce;
	uint32_t count = controller->config.bounce_pages;
	uint32_t bytes = count * (uint32_t)(sizeof(*bounce->numbers) + sizeof(*bounce->next));
	hvk_status status = hvk_pages_get(controller->hvk, count, HVK_PAGE_HOST_WRITES, &bounce->pages);

	if (status == HVK_OK)
		status = hvk_pages_get(controller->hvk, (bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE,
				       HVK_PAGE_PRIVATE, &bounce->tables);
	if (status != HVK_OK)
		return status;
	bounce->memory = hvk_pages_shared(&bounce->pages);
	bounce->numbers = bounce->tables.address;
	bounce->next = (uint16_t *)(void *)(bounce->numbers + count);
	for (uint32_t i = 0; i < count; i++) {
		bounce->numbers[i] = hvk_page_gpa(controller->hvk, &bounce->pages, i) >> HVK_PAGE_SHIFT;
		bounce->next[i] = i + 1 < count ? (uint16_t)(i + 1) : NO_PAGE;
	}
	bounce->free_first = 0;
	bounce->free_count = bounce->count = bounce->usable = count;
	return HVK_OK;
}

hvk_status hvk_storvsc_memory_start(struct hvk_storvsc *controller)
{
	struct hvk *hvk = controller->hvk;
	hvk_status status = hvk_quarantine_check(hvk);

	if (status == HVK_OK)
		status = start_bounce(controller);
	if (status == HVK_OK)
		status = hvk_pages_get(hvk, 1, HVK_PAGE_HOST_READS, &controller->zeros);
	if (status == HVK_OK)
		status = hvk_storvsc_scan_start_memory(controller);
	if (status == HVK_OK)
		controller->zeros_number = hvk_page_gpa(hvk, &controller->zeros, 0) >> HVK_PAGE_SHIFT;
	return status;
}

/* withhold: the host may still use them. */
static void put_pages(struct hvk *hvk, struct hvk_pages *pages, bool withhold)
{
	if (withhold)
		(void)hvk_pages_quarantine(hvk, pages);
	else
		hvk_pages_put(hvk, pages);
	*pages = (struct hvk_pages){0};
}

void hvk_storvsc_memory_stop(struct hvk_storvsc *controller, bool withhold)
{
	struct hvk *hvk = controller->hvk;

	put_pages(hvk, &controller->bounce.pages, withhold);
	put_pages(hvk, &controller->zeros, withhold);
	put_pages(hvk, &controller->scan.pages, withhold);
	hvk_pages_put(hvk, &controller->bounce.tables);
	controller->bounce.free_count = controller->bounce.count = controller->bounce.usable = 0;
}

/* --- Places in a list of pieces ------------------------------------------------------------- */

void hvk_storvsc_place_advance(const struct hvk_buffer *pieces, uint32_t count, struct storvsc_place *place,
			       uint32_t bytes)
{
	while (place->piece < count && bytes >= pieces[place->piece].length - place->offset) {
		bytes -= pieces[place->piece].length - place->offset;
		place->piece++;
		place->offset = 0;
	}
	place->offset += bytes;
}

uint32_t hvk_storvsc_direct_run(const struct hvk_buffer *pieces, uint32_t count, struct storvsc_place place,
				uint32_t most)
{
	uint32_t total = 0;

	for (; place.piece < count && total < most; place.piece++, place.offset = 0) {
		const struct hvk_buffer *piece = &pieces[place.piece];
		uint32_t length = hvk_min32(piece->length - place.offset, most - total);
		uint64_t gpa = piece->gpa + place.offset;

		if (length == 0)
			continue;
		if (piece->gpa == 0 || gpa % (total == 0 ? HVK_STORVSC_ALIGNMENT : HVK_PAGE_SIZE) != 0)
			break;
		total += length;
		if ((gpa + length) % HVK_PAGE_SIZE != 0)
			break;
	}
	return total;
}

uint32_t hvk_storvsc_copy_run(const struct hvk_buffer *pieces, uint32_t count, struct storvsc_place place,
			      uint32_t most)
{
	uint32_t total = 0;

	for (; place.piece < count && total < most; place.piece++, place.offset = 0) {
		const struct hvk_buffer *piece = &pieces[place.piece];

		if (!piece->address && piece->length != 0)
			break;
		total += hvk_min32(piece->length - place.offset, most - total);
	}
	return total;
}

const struct hvk_buffer *hvk_storvsc_pieces(const struct storvsc_job *job, uint32_t *count)
{
	*count = job->raw ? job->raw->piece_count : job->block->piece_count;
	return job->raw ? job->raw->pieces : job->block->pieces;
}

/* --- Bounce pages ---------------------------------------------------------------------------- */

bool hvk_storvsc_bounce_can(const struct hvk_storvsc *controller, uint32_t pages)
{
	return pages <= controller->bounce.usable;
}

bool hvk_storvsc_bounce_get(struct hvk_storvsc *controller, struct storvsc_command *command, uint32_t pages)
{
	struct storvsc_bounce *bounce = &controller->bounce;
	uint16_t last;

	HVK_ASSERT(command->bounce_count == 0 && pages != 0);
	if (pages > bounce->free_count)
		return false;
	command->bounce_first = last = bounce->free_first;
	for (uint32_t i = 1; i < pages; i++)
		last = bounce->next[last];
	bounce->free_first = bounce->next[last];
	bounce->next[last] = NO_PAGE;
	bounce->free_count -= pages;
	command->bounce_count = (uint16_t)pages;
	return true;
}

void hvk_storvsc_bounce_put(struct hvk_storvsc *controller, struct storvsc_command *command)
{
	struct storvsc_bounce *bounce = &controller->bounce;
	uint16_t last = command->bounce_first;

	if (command->bounce_count == 0)
		return;
	for (uint32_t i = 1; i < command->bounce_count; i++)
		last = bounce->next[last];
	bounce->next[last] = bounce->free_count != 0 ? bounce->free_first : NO_PAGE;
	bounce->free_first = command->bounce_first;
	bounce->free_count += command->bounce_count;
	command->bounce_count = 0;
}

void hvk_storvsc_bounce_withhold(struct hvk_storvsc *controller, struct storvsc_command *command)
{
	controller->bounce.usable -= command->bounce_count;
	command->bounce_count = 0;
}

/* Between the caller's pieces and the chain, in the longest runs that lie in one page and one piece. */
static void copy(const struct storvsc_command *command, uint32_t length, bool in)
{
	const struct storvsc_bounce *bounce = &command->queue->controller->bounce;
	struct storvsc_place place = command->place;
	uint16_t page = command->bounce_first;
	const struct hvk_buffer *pieces;
	uint32_t count, at = 0;

	pieces = hvk_storvsc_pieces(command->job, &count);
	while (at < length && place.piece < count) { /* ends: at grows, or the place moves on */
		const struct hvk_buffer *piece = &pieces[place.piece];
		uint32_t in_page = at % HVK_PAGE_SIZE, offset = page * HVK_PAGE_SIZE + in_page;
		uint32_t run = hvk_min32(hvk_min32(piece->length - place.offset, length - at),
					 HVK_PAGE_SIZE - in_page);
		uint8_t *address = (uint8_t *)(uintptr_t)piece->address + place.offset;

		if (run != 0 && in)
			hvk_shared_read(&bounce->memory, offset, address, run);
		else if (run != 0)
			hvk_shared_write(&bounce->memory, offset, address, run);
		at += run;
		if (run != 0 && at % HVK_PAGE_SIZE == 0)
			page = bounce->next[page];
		hvk_storvsc_place_advance(pieces, count, &place, run);
	}
}

static void fill_list(const struct storvsc_command *command)
{
	const struct storvsc_bounce *bounce = &command->queue->controller->bounce;
	uint8_t list[HVK_SCSI_UNMAP_LIST];
	struct hvk_scsi_cdb cdb;

	hvk_scsi_unmap(&cdb, list, command->block, (uint32_t)command->count);
	hvk_shared_write(&bounce->memory, command->bounce_first * HVK_PAGE_SIZE, list, sizeof(list));
}

void hvk_storvsc_bounce_fill(struct storvsc_command *command)
{
	if (command->memory == STORVSC_LIST)
		fill_list(command);
	else if (command->memory == STORVSC_BOUNCE && command->srb.direction == VSTOR_DATA_OUT)
		copy(command, command->length, false);
}

void hvk_storvsc_bounce_drain(struct storvsc_command *command, uint32_t length)
{
	copy(command, hvk_min32(length, command->length), true);
}

/* --- Page numbers ----------------------------------------------------------------------------- */

static uint32_t pages_of(uint32_t offset, uint32_t length)
{
	return (offset + length + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE;
}

static uint32_t list_direct(struct storvsc_queue *queue, const struct storvsc_command *command,
			    uint32_t *offset)
{
	struct storvsc_place place = command->place;
	uint32_t total = 0, count = 0, piece_count;
	const struct hvk_buffer *pieces = hvk_storvsc_pieces(command->job, &piece_count);

	for (; total < command->length && place.piece < piece_count; place.piece++, place.offset = 0) {
		const struct hvk_buffer *piece = &pieces[place.piece];
		uint32_t length = hvk_min32(piece->length - place.offset, command->length - total);
		uint64_t gpa = piece->gpa + place.offset;
		uint32_t pages = pages_of((uint32_t)(gpa % HVK_PAGE_SIZE), length);

		if (length == 0)
			continue;
		if (total == 0)
			*offset = (uint32_t)(gpa % HVK_PAGE_SIZE);
		for (uint32_t i = 0; i < pages && count < HVK_PACKET_PAGES_MAX; i++)
			queue->pages[count++] = (gpa >> HVK_PAGE_SHIFT) + i;
		total += length;
	}
	return count;
}

uint32_t hvk_storvsc_list_pages(struct storvsc_queue *queue, const struct storvsc_command *command,
				uint32_t *offset)
{
	struct hvk_storvsc *controller = queue->controller;
	uint32_t count = pages_of(0, command->length);
	uint16_t page = command->bounce_first;

	*offset = 0;
	switch (command->memory) {
	case STORVSC_DIRECT:
		return list_direct(queue, command, offset);
	case STORVSC_ZEROS:
		for (uint32_t i = 0; i < count; i++)
			queue->pages[i] = controller->zeros_number;
		return count;
	case STORVSC_SCAN:
		queue->pages[0] = controller->scan.page_number;
		return 1;
	case STORVSC_BOUNCE:
	case STORVSC_LIST:
		for (uint32_t i = 0; i < count; i++, page = controller->bounce.next[page])
			queue->pages[i] = controller->bounce.numbers[page];
		return count;
	case STORVSC_NO_MEMORY:
		break;
	}
	return 0;
}
