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

/* What a frame is good for. */
#define HVK_FRAME_VALID (1u << 0)    /* the caller kept the rules */
#define HVK_FRAME_COPYABLE (1u << 1) /* all pieces have an address */

/* The rules: 1 to HVK_FRAME_PIECES_MAX pieces that sum up to a length from 14 to frame_max, each
 * with an address or a gpa. 0: they were not kept. */
uint32_t hvk_frame_look(const struct hvk_tx_frame *frame, uint32_t frame_max);

/* Copies a frame that can be copied, but for its first skip bytes, to offset, where it must fit. */
void hvk_frame_copy(const struct hvk_tx_frame *frame, uint32_t skip, const struct hvk_shared *to,
		    uint32_t offset);

/* Cuts a frame, but for its first skip bytes, into pieces of one page each; pages may be NULL, to
 * count them. Returns their number, 0 if a piece has no gpa or more than max would be needed. */
uint32_t hvk_frame_pages(const struct hvk_tx_frame *frame, uint32_t skip, struct hvk_buffer *pages,
			 uint32_t max);

#endif
