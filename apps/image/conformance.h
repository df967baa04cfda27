/* SPDX-License-Identifier: MIT */
/*
 * Several lives of the shell, one after the other, on a host that nobody here has: each VMBus version,
 * and boot mode. The dialogue goes to the serial port, a table of what came of it to the screen
 * (docs/windows.md).
 */
#ifndef IMAGE_CONFORMANCE_H
#define IMAGE_CONFORMANCE_H

#include "apps/image/dialogue.h"
#include "apps/shell/results.h"

#define CONFORMANCE_LIVES_MAX 12u
#define CONFORMANCE_ROW_MAX 128u /* with room: a row has 80 letters at most */

struct conformance_life {
	const char *name;
	bool boot_mode;
	uint32_t newest; /* the version that is tried first; 0: the newest we know */
	const char *commands;
};
extern const struct conformance_life conformance_lives[];
extern const uint32_t conformance_life_count;

struct conformance_result {
	const struct conformance_life *life;
	uint32_t version, channels, driven, nvs_version;
	bool network, leased;
	uint8_t address[4];
	uint64_t host_faults, quarantined;
	uint32_t seconds;
	const char *failed_step; /* NULL: none */
	hvk_status failed_status;
	int exit_status;
	struct dialogue_facts facts;
};

/* The host has taken accepted at first: it need not be asked for this version, that one or a newer. */
bool conformance_is_beyond(const struct conformance_life *life, uint32_t accepted);
void conformance_take(struct conformance_result *result, const struct conformance_life *life,
		      const struct shell_results *shell, const struct dialogue_facts *facts, uint64_t ns);
bool conformance_is_well(const struct conformance_result *result);
/* Rows without their ends: above all, of one life, and what of it did not go well (false: nothing). */
void conformance_head(char row[CONFORMANCE_ROW_MAX]);
void conformance_row(const struct conformance_result *result, char row[CONFORMANCE_ROW_MAX]);
bool conformance_trouble(const struct conformance_result *result, char row[CONFORMANCE_ROW_MAX]);

#endif
