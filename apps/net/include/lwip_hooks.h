/* SPDX-License-Identifier: MIT */
/* What lwIP's DHCP client calls on its way (apps/net/lwip_port.c). */
#ifndef NET_LWIP_HOOKS_H
#define NET_LWIP_HOOKS_H

#include <stdint.h>

struct pbuf;

/* Options of a message that is about to be sent. */
void net_lwip_dhcp_ask(uint8_t *options, uint16_t *length);
/* An option of the server's that lwIP does not know itself; type: the message's. */
void net_lwip_dhcp_option(uint8_t type, uint8_t code, uint8_t length, struct pbuf *p, uint16_t offset);

#define LWIP_HOOK_DHCP_APPEND_OPTIONS(netif, dhcp, state, message, type, length) \
	net_lwip_dhcp_ask((message)->options, length)
#define LWIP_HOOK_DHCP_PARSE_OPTION(netif, dhcp, state, message, type, code, length, p, offset) \
	net_lwip_dhcp_option(type, code, length, p, offset)

#endif
