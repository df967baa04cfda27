/* SPDX-License-Identifier: MIT */
/*
 * lwIP on hvkit: the compiler, and what lwIP forces to be global. The functions
 * are in apps/net/lwip_port.c.
 */
#ifndef NET_ARCH_CC_H
#define NET_ARCH_CC_H

#include <stdint.h>

#ifndef BYTE_ORDER
#define BYTE_ORDER LITTLE_ENDIAN
#endif

uint32_t net_lwip_random(void);
_Noreturn void net_lwip_assert(const char *text);

#define LWIP_RAND() net_lwip_random()
#define LWIP_PLATFORM_ASSERT(text) net_lwip_assert(text)
#define LWIP_PLATFORM_DIAG(arguments) ((void)0)

#endif
