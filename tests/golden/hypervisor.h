/* SPDX-License-Identifier: MIT */
/*
 * Synthetic timers and crash registers as numbers and bytes, typed by hand from the facts (TLFS,
 * "Timers"; Linux, hyperv-tlfs.h), never printed by our own code.
 */
#ifndef GOLDEN_HYPERVISOR_H
#define GOLDEN_HYPERVISOR_H

#include <stdint.h>

/* clang-format off */

/* A slot's header and payload: timer 2 was due at 0x1122334455, and delivered at 0x1122334466. */
static const uint8_t golden_timer_message[] = {
	0x10, 0x00, 0x00, 0x80,                         /* type: timer expired */
	0x18,                                           /* 24 bytes */
	0x00, 0x00, 0x00,                               /* nothing pending */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* from no port */
	0x02, 0x00, 0x00, 0x00,                         /* timer */
	0x00, 0x00, 0x00, 0x00,
	0x55, 0x44, 0x33, 0x22, 0x11, 0x00, 0x00, 0x00, /* expiration */
	0x66, 0x44, 0x33, 0x22, 0x11, 0x00, 0x00, 0x00, /* delivery */
};

/* clang-format on */

/* Configuration: auto-enable (bit 3), SINT 2 (bits 19:16). */
#define GOLDEN_TIMER_BY_MESSAGE 0x20008ull
/* ... auto-enable, direct (bit 12), vector 0xed (bits 11:4): what Linux writes. */
#define GOLDEN_TIMER_DIRECT_ED 0x1ed8ull
/* Crash control: notify (63), message (62). */
#define GOLDEN_CRASH_NOTIFY 0x8000000000000000ull
#define GOLDEN_CRASH_NOTIFY_MESSAGE 0xc000000000000000ull

#endif
