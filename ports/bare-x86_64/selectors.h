/* SPDX-License-Identifier: MIT */
/* Segment selectors, for C and assembler. */
#ifndef BARE_SELECTORS_H
#define BARE_SELECTORS_H

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_CODE32 0x18 /* until long mode is reached */
#define SELECTOR_TSS 0x20

#endif
