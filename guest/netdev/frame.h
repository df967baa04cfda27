/* SPDX-License-Identifier: MIT */
/*
 * What every network driver does with a frame to send: check it, copy it, or cut it
 * into guest pages. Private to guest/.
 */
#ifndef HVK_NETDEV_FRAME_H
#define HVK_NETDEV_FRAME_H

#include "guest/core/core.h"
#include "hvkit/netdev.h"

#define HVK_ETHERNET_HEADER 14u
#define HVK_ETHERNET_VLAN_TAG 4u
/* One list entry is the driver's own header, one is kept in reserve: netdev.h. */
#define HVK_FRAME_PIECES_MAX (HVK_PACKET_RANGES_MAX - 2u)

/* True if the caller kept the rules: 1 to HVK_FRAME_PIECES_MAX pieces that sum up to a
 * length from 14 to frame_max, each with an address or a gpa. */
bool hvk_frame_is_valid(const struct hvk_tx_frame *frame, uint32_t frame_max);

/* True if all pieces have an address, so that the frame can be copied. */
bool hvk_frame_can_be_copied(const struct hvk_tx_frame *frame);

/* Copies a frame that can be copied to offset, where it must fit. */
void hvk_frame_copy(const struct hvk_tx_frame *frame, const struct hvk_shared *to, uint32_t offset);

/* Cuts a frame into pieces of one page each; pages may be NULL, to count them. Returns
 * their number, 0 if a piece has no gpa or more than max would be needed. */
uint32_t hvk_frame_pages(const struct hvk_tx_frame *frame, struct hvk_buffer *pages, uint32_t max);

#endif
