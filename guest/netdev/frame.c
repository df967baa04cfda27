/* SPDX-License-Identifier: MIT */
#include "guest/netdev/frame.h"

bool hvk_frame_is_valid(const struct hvk_tx_frame *frame, uint32_t frame_max)
{
	uint64_t sum = 0;

	if (frame->length < HVK_ETHERNET_HEADER || frame->length > frame_max)
		return false;
	if (!frame->pieces || frame->piece_count == 0 || frame->piece_count > HVK_FRAME_PIECES_MAX)
		return false;
	for (uint32_t i = 0; i < frame->piece_count; i++) {
		const struct hvk_buffer *piece = &frame->pieces[i];

		if (piece->length != 0 && !piece->address && piece->gpa == 0)
			return false;
		sum += piece->length;
	}
	return sum == frame->length;
}

bool hvk_frame_can_be_copied(const struct hvk_tx_frame *frame)
{
	for (uint32_t i = 0; i < frame->piece_count; i++) {
		if (frame->pieces[i].length != 0 && !frame->pieces[i].address)
			return false;
	}
	return true;
}

void hvk_frame_copy(const struct hvk_tx_frame *frame, const struct hvk_shared *to, uint32_t offset)
{
	for (uint32_t i = 0; i < frame->piece_count; i++) {
		const struct hvk_buffer *piece = &frame->pieces[i];

		if (piece->length == 0)
			continue;
		hvk_shared_write(to, offset, piece->address, piece->length);
		offset += piece->length;
	}
}

uint32_t hvk_frame_pages(const struct hvk_tx_frame *frame, struct hvk_buffer *pages, uint32_t max)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < frame->piece_count; i++) {
		uint64_t gpa = frame->pieces[i].gpa;
		uint32_t left = frame->pieces[i].length;

		if (left != 0 && gpa == 0)
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
