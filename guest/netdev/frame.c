/* SPDX-License-Identifier: MIT */
#include "guest/netdev/frame.h"

static uint32_t look_at_pieces(const struct hvk_tx_frame *frame)
{
	uint32_t found = HVK_FRAME_VALID | HVK_FRAME_COPYABLE;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < frame->piece_count; i++) {
		const struct hvk_buffer *piece = &frame->pieces[i];

		if (piece->length != 0 && !piece->address) {
			if (piece->gpa == 0)
				return 0;
			found &= ~HVK_FRAME_COPYABLE;
		}
		sum += piece->length;
	}
	return sum == frame->length ? found : 0;
}

uint32_t hvk_frame_look(const struct hvk_tx_frame *frame, uint32_t frame_max)
{
	const struct hvk_buffer *piece = frame->pieces;

	if (frame->length < HVK_ETHERNET_HEADER || frame->length > frame_max)
		return 0;
	if (!piece || frame->piece_count == 0 || frame->piece_count > HVK_FRAME_PIECES_MAX)
		return 0;
	if (frame->piece_count == 1 && piece->address)
		return piece->length == frame->length ? HVK_FRAME_VALID | HVK_FRAME_COPYABLE : 0;
	return look_at_pieces(frame);
}

void hvk_frame_copy(const struct hvk_tx_frame *frame, uint32_t skip, const struct hvk_shared *to,
		    uint32_t offset)
{
	for (uint32_t i = 0; i < frame->piece_count; i++) {
		const struct hvk_buffer *piece = &frame->pieces[i];
		uint32_t from = hvk_min32(skip, piece->length);

		skip -= from;
		if (piece->length == from)
			continue;
		hvk_shared_write(to, offset, (const uint8_t *)piece->address + from, piece->length - from);
		offset += piece->length - from;
	}
}

uint32_t hvk_frame_pages(const struct hvk_tx_frame *frame, uint32_t skip, struct hvk_buffer *pages,
			 uint32_t max)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < frame->piece_count; i++) {
		uint32_t from = hvk_min32(skip, frame->pieces[i].length);
		uint32_t left = frame->pieces[i].length - from;
		uint64_t gpa = frame->pieces[i].gpa + from;

		skip -= from;
		if (left != 0 && frame->pieces[i].gpa == 0)
			return 0;
		while (left != 0) {
			uint32_t in_page = HVK_PAGE_SIZE - (uint32_t)(gpa & (HVK_PAGE_SIZE - 1));
			uint32_t length = hvk_min32(left, in_page);

			if (count == max)
				return 0;
			if (pages)
				pages[count] = (struct hvk_buffer){NULL, gpa, length};
			count++;
			gpa += length;
			left -= length;
		}
	}
	return count;
}
