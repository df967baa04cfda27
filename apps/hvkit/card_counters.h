/* SPDX-License-Identifier: MIT */
/* The names of the host's counters of a network card, for the summary and the monitor. */
#ifndef CLI_CARD_COUNTERS_H
#define CLI_CARD_COUNTERS_H

#include <stdbool.h>

#include "hvkit_host/network.h"

/* Counter n of the card, of one queue: its key for programs and its name for people; false past the
 * last. */
bool card_counter(const struct hvh_nic_counters *counters, uint32_t n, const char **key, const char **name,
		  uint64_t *value);
bool card_queue_counter(const struct hvh_nic_queue_counters *counters, uint32_t n, const char **key,
			const char **name, uint64_t *value);

#endif
