/* SPDX-License-Identifier: MIT */
/* Making and opening a TAP interface of Linux. Private to host/backends/. */
#ifndef HVH_BACKENDS_TAP_INTERFACE_H
#define HVH_BACKENDS_TAP_INTERFACE_H

#include <net/if.h>

#include "hvkit_host/network.h"

#define TAP_QUEUES_MAX 64u /* the kernel has 256 */

struct tap_interface {
	char name[IFNAMSIZ];
	uint32_t queues;
	int fds[TAP_QUEUES_MAX]; /* non-blocking, one for each queue */
	int statistics;          /* /proc's list of interfaces in that namespace */
	uint64_t dropped_before; /* it was opened */
};

/* In the namespace that is asked for; afterwards the calling thread is back in its own. False: a line
 * in error. */
bool tap_interface_open(struct tap_interface *interface, const struct hvh_tap_config *config, char *error,
			size_t error_size);
/* As with a cable that is plugged in and out; kernels before 5.0 do not know it. */
void tap_interface_carrier(const struct tap_interface *interface, bool on);
void tap_interface_close(struct tap_interface *interface);
/* Frames that the kernel had for the guest and threw away, its queue being full. */
uint64_t tap_interface_dropped(const struct tap_interface *interface);

#endif
