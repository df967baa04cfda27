/* SPDX-License-Identifier: MIT */
/*
 * What lwIP asks of its surroundings. lwIP keeps its state in globals and asks for
 * time and random numbers without saying for whom: so there is one stack in a
 * process, and the pointer set here is the only global of the guest program.
 */
#ifndef NET_LWIP_PORT_H
#define NET_LWIP_PORT_H

#include "apps/net/dhcp_boot.h"
#include "hvkit/hvkit.h"

struct net_lwip_port {
	struct hvk *hvk;             /* the clock */
	const struct hvk_port *port; /* random numbers */
	void (*fatal)(void *context,
		      const char *text); /* a fault in lwIP or our use of it; does not return */
	void *context;
	/* DHCP is asked what to boot, and its answer comes here; NULL: it is not. */
	struct net_dhcp_boot *boot;
};

/* Starts lwIP. port stays the caller's and must live until net_lwip_stop. HVK_EBUSY
 * if somebody else in this process uses the stack. */
hvk_status net_lwip_start(const struct net_lwip_port *port);
void net_lwip_stop(void);

/* lwIP's memory in use now, and the most there has been. */
struct net_lwip_memory {
	uint32_t heap_bytes, heap_most;
	uint32_t receive_buffers, receive_most; /* of PBUF_POOL_SIZE */
	uint32_t references;                    /* buffers without memory of their own */
	uint32_t connections, segments;         /* TCP */
	uint32_t failures;                      /* times that there was none left */
};
void net_lwip_get_memory(struct net_lwip_memory *out);

#endif
