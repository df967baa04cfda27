/* SPDX-License-Identifier: MIT */
/*
 * What of the guest's frames libslirp gets to see. libslirp takes the gateway's address
 * for the user's own loopback: that is closed but for the ports asked for. Pure
 * functions; private to host/backends/.
 */
#ifndef HVH_BACKENDS_SLIRP_FILTER_H
#define HVH_BACKENDS_SLIRP_FILTER_H

#include "frames.h"
#include "hvkit_host/network.h"

#define SLIRP_NETWORK 0x0a000200u /* 10.0.2.0 */
#define SLIRP_NETMASK 0xffffff00u
#define SLIRP_GATEWAY 0x0a000202u
#define SLIRP_NAME_SERVER 0x0a000203u
#define SLIRP_GUEST 0x0a00020fu
/* libslirp's own: its addresses are 52:55 and the IPv4 address. */
#define SLIRP_MAC_PREFIX 0x5255u

enum hvh_slirp_verdict {
	HVH_SLIRP_PASS,
	HVH_SLIRP_IGNORE, /* nothing that libslirp would understand */
	HVH_SLIRP_REFUSE, /* closed: dropped and counted */
	HVH_SLIRP_RESET   /* closed, and a TCP SYN: answered with a reset */
};

enum hvh_slirp_verdict hvh_slirp_judge(const struct hvh_slirp_config *config, const uint8_t *frame,
				       uint32_t length);

/* The reset that answers a refused SYN. */
#define HVH_SLIRP_RESET_SIZE (ETHERNET_HEADER + IPV4_HEADER + TCP_HEADER)
void hvh_slirp_reset(const uint8_t *frame, uint32_t length, uint8_t reset[HVH_SLIRP_RESET_SIZE]);

#endif
