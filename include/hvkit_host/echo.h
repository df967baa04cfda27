/* SPDX-License-Identifier: MIT */
/*
 * echo: a device of hvkit's own that sends back what it gets. No Windows has it: it is
 * for trying channel drivers (examples/), for tests of the bus and for benchmarks.
 *
 * Class {b8d1a1f0-6d0e-4c55-9a3e-2f5f0a7e4d10}. In-band packets; the first eight bytes of
 * every payload are struct hvh_echo_header, little-endian.
 *
 *   ECHO          the payload comes back: as a completion if one was asked for, else as a
 *                 packet. A page list is read and its bytes follow the payload.
 *   SUBCHANNELS   argument = how many more channels (0 to HVH_ECHO_SUBCHANNELS_MAX); on the
 *                 primary. The completion's argument is how many of these there will be;
 *                 their offers come before or after it, as the profile has it. Closing the
 *                 primary takes them back.
 *   BURST         argument = count: so many packets of the payload's length, numbered in
 *                 argument from 0, as fast as the ring takes them, then the completion, whose
 *                 argument is the count.
 *   IGNORE        taken, nothing comes back, not even a completion.
 * SUBCHANNELS and BURST complete only if a completion was requested. Each channel has one
 * answer under way: what comes behind waits in the ring. Anything else, a payload of less
 * than eight bytes, more than HVH_ECHO_BYTES_MAX at once or than the ring to the guest can
 * hold, is a violation and has no answer.
 */
#ifndef HVKIT_HOST_ECHO_H
#define HVKIT_HOST_ECHO_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HVH_ECHO_SUBCHANNELS_MAX 64u
#define HVH_ECHO_BYTES_MAX 69616u /* payload and page list together */
/* The class, as on the wire: an initialiser for struct vmbus_guid (wire/vmbus.h), and one for the
 * uint8_t[16] in which this library's configurations have GUIDs. */
/* clang-format off */
#define HVH_ECHO_GUID {HVH_ECHO_GUID_BYTES}
#define HVH_ECHO_GUID_BYTES \
	{0xf0, 0xa1, 0xd1, 0xb8, 0x0e, 0x6d, 0x55, 0x4c, 0x9a, 0x3e, 0x2f, 0x5f, 0x0a, 0x7e, 0x4d, 0x10}
/* clang-format on */

enum hvh_echo_operation { HVH_ECHO = 1, HVH_ECHO_SUBCHANNELS = 2, HVH_ECHO_BURST = 3, HVH_ECHO_IGNORE = 4 };

struct hvh_echo_header {
	uint32_t operation;
	uint32_t argument;
};

struct hvh_echo;

struct hvh_echo_config {
	uint8_t instance[16]; /* GUID as on the wire; zeros = made from the seed */
	bool monitored;       /* ask for a monitor id, if the profile gives any */
	/* What it does with requests for sub-channels: at most so many (fewer than asked for),
	 * so late (100 ns), or UINT64_MAX: promised, and never offered. */
	uint32_t subchannels_max; /* 0 = HVH_ECHO_SUBCHANNELS_MAX */
	uint64_t subchannel_delay;
};

/* Offers one. NULL if there is no room. It lives until the partition does. */
struct hvh_echo *hvh_echo_create(struct hvh_partition *partition, const struct hvh_echo_config *config);

struct hvh_echo_counters {
	uint64_t packets, bytes, subchannels_open;
};
void hvh_echo_get_counters(const struct hvh_echo *echo, struct hvh_echo_counters *out);

#ifdef __cplusplus
}
#endif
#endif
