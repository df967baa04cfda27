/* SPDX-License-Identifier: MIT */
/* The compiler, and what lwIP asks of its surroundings; the function is in main.c. */
#ifndef ARCH_CC_H
#define ARCH_CC_H

#include <stdint.h>

#define BYTE_ORDER LITTLE_ENDIAN

uint32_t example_random(void);

#define LWIP_RAND() example_random()
#define LWIP_PLATFORM_ASSERT(text) __builtin_trap()
#define LWIP_PLATFORM_DIAG(arguments) ((void)0)

#endif
