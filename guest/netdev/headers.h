/* SPDX-License-Identifier: MIT */
/*
 * The headers of a frame to send, in a private copy: found with bounds, then changed as an
 * offload wants them, or completed in software. What the user above made is not trusted to
 * be right, only to be memory. Private to guest/.
 */
#ifndef HVK_NETDEV_HEADERS_H
#define HVK_NETDEV_HEADERS_H

#include "guest/core/core.h"
#include "hvkit/netdev.h"

#define HVK_HEADERS_MAX 192u /* netdev.h: headers lie in a frame's first so many bytes */
#define HVK_HEADERS_TAG 4u
#define HVK_IP_EXTENSIONS_MAX 8u /* of IPv6, walked */
#define HVK_IP_TCP 6u
#define HVK_IP_UDP 17u

struct hvk_headers {
	uint8_t bytes[HVK_HEADERS_MAX + HVK_HEADERS_TAG];
	uint32_t length;                      /* of them; once found: up to the payload */
	uint32_t network, transport, payload; /* where each begins */
	bool ipv6;
	uint8_t protocol; /* HVK_IP_TCP, HVK_IP_UDP; 0: none of interest */
};

/* Copies the first bytes of a frame. False: they lie in memory without an address. */
bool hvk_headers_copy(const struct hvk_tx_frame *frame, struct hvk_headers *headers);

/* Finds what frame->flags speak of (HVK_TX_CHECKSUM_*, HVK_TX_TSO). False: it is not there, is a
 * fragment, or contradicts itself. */
bool hvk_headers_find(const struct hvk_tx_frame *frame, struct hvk_headers *headers);

/* IPv4 that no router may cut into fragments. */
bool hvk_headers_may_not_be_cut(const struct hvk_headers *headers);

/* Puts a tag in; all that was found moves by four bytes. */
void hvk_headers_insert_tag(struct hvk_headers *headers, uint16_t tag);

/* The length of TCP or UDP with payload, as the IP header says; 0 if that is more than the frame
 * has, or less than its headers. */
uint32_t hvk_headers_transport_length(const struct hvk_headers *headers, uint32_t frame_length);

/* Sets the lengths in the IP header, 0 for segmentation; the IPv4 checksum is to be set after. */
void hvk_headers_set_length(struct hvk_headers *headers, uint32_t transport_length);

/* Sets the checksum field of TCP or UDP, as it lies in memory. */
void hvk_headers_set_checksum(struct hvk_headers *headers, uint16_t checksum);
/* Sum of the pseudo-header, folded and not inverted; length 0: without it. */
uint16_t hvk_headers_pseudo(const struct hvk_headers *headers, uint32_t transport_length);
/* 0, or right. */
void hvk_headers_clear_ipv4_checksum(struct hvk_headers *headers);
void hvk_headers_compute_ipv4_checksum(struct hvk_headers *headers);
/* Computes TCP's or UDP's checksum over headers and the frame behind them; skip: bytes of the frame
 * that the headers stand for. False: a piece has no address. */
bool hvk_headers_compute_checksum(struct hvk_headers *headers, const struct hvk_tx_frame *frame,
				  uint32_t skip, uint32_t transport_length);

#endif
