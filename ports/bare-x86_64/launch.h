/* SPDX-License-Identifier: MIT */
/* The page that the last step works from (launch.S), for C and assembler: offsets in the launch area. */
#ifndef BARE_LAUNCH_H
#define BARE_LAUNCH_H

#define LAUNCH_CR3 0x000
#define LAUNCH_ENTRY 0x008
#define LAUNCH_ARGUMENT 0x010
#define LAUNCH_COUNT 0x018
#define LAUNCH_PROTECTED 0x020 /* not 0: 32 bits without paging, else long mode */
#define LAUNCH_GDTR 0x02e      /* the base is aligned so */
#define LAUNCH_GDT 0x040
#define LAUNCH_CODE 0x080
#define LAUNCH_COPIES 0x400 /* 24 bytes each */
#define LAUNCH_STACK 0x2000 /* its top */
#define LAUNCH_TABLES 0x2000
#define LAUNCH_TABLE_PAGES 6

/* As Linux's 64-bit entry wants them; the TSS is PVH's. */
#define LAUNCH_CODE32 0x08
#define LAUNCH_CODE64 0x10
#define LAUNCH_DATA 0x18
#define LAUNCH_TSS 0x20

#endif
