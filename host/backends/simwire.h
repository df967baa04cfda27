/* SPDX-License-Identifier: MIT */
/*
 * The simulated wire's peer: what it answers to a frame. Pure functions; private to
 * host/backends/.
 */
#ifndef HVH_BACKENDS_SIMWIRE_H
#define HVH_BACKENDS_SIMWIRE_H

#include "frames.h"

#define SIMWIRE_FRAME_MAX 9216u
#define SIMWIRE_ETHERTYPE_TEST 0x88b5u /* IEEE 802: local experiments */
#define SIMWIRE_NUMBERED 0x48564b54u   /* little-endian, as its stream and number */
#define SIMWIRE_NUMBERED_HEADER 12u

#define SIMWIRE_PEER 0x0a070001u  /* 10.7.0.1 */
#define SIMWIRE_GUEST 0x0a07000fu /* 10.7.0.15 */
#define SIMWIRE_NETMASK 0xffffff00u
#define SIMWIRE_LEASE_SECONDS 3600u
#define SIMWIRE_PEER_MAC                           \
	{                                          \
		0x02, 0x48, 0x56, 0x4b, 0x00, 0x01 \
	}

#define DHCP_SERVER_PORT 67u
#define DHCP_CLIENT_PORT 68u

/* The answer to a frame of the guest's, at most SIMWIRE_FRAME_MAX bytes; 0 = none. */
uint32_t hvh_simwire_answer(const uint8_t *frame, uint32_t length, uint8_t *answer);
/* The same for the payload of a UDP packet to port 67. */
uint32_t hvh_simwire_dhcp(const uint8_t *request, uint32_t length, uint8_t *answer);

#endif
