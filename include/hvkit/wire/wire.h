/* SPDX-License-Identifier: MIT */
/*
 * What every header in wire/ needs: fixed-width integers, a compile-time size
 * check and the one assumption about the machine.
 *
 * wire/ holds only what the other side defines. Every structure here is
 * little-endian, is copied whole to and from memory that the other side can
 * write, and is never used in place. Each is followed by HVK_WIRE_SIZE and,
 * where the layout is easy to get wrong, HVK_WIRE_OFFSET.
 *
 * Sources are named in short: TLFS = Hypervisor Top Level Functional
 * Specification; Linux = the GPL guest (facts only); FreeBSD = sys/dev/hyperv;
 * OpenVMM = the MIT host; iPXE = its Hyper-V driver (facts only).
 */
#ifndef HVKIT_WIRE_WIRE_H
#define HVKIT_WIRE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define HVK_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define HVK_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#define HVK_WIRE_SIZE(type, bytes) HVK_STATIC_ASSERT(sizeof(type) == (bytes), "size of " #type " on the wire")
#define HVK_WIRE_OFFSET(type, field, bytes) \
	HVK_STATIC_ASSERT(offsetof(type, field) == (bytes), "offset of " #field)

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Hyper-V runs on little-endian CPUs only, and wire structures are copied whole"
#endif

/* Pages of the protocol are 4 KiB whatever the CPU's page size (TLFS; VMBus). */
#define HVK_PAGE_SIZE 4096u
#define HVK_PAGE_SHIFT 12u

#endif
