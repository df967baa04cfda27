/* SPDX-License-Identifier: MIT */
#ifndef IMAGE_CONFORMANCE_RUN_H
#define IMAGE_CONFORMANCE_RUN_H

#include "apps/image/conformance.h"

/* The image as it is seen from here. */
struct conformance_door {
	/* A whole life of the shell, its port told to the dialogue; what came of it is good until the
	 * next. */
	const struct shell_results *(*live)(void *context, const struct conformance_life *life,
					    struct dialogue *dialogue);
	const struct hvk_hypervisor_info *(*host)(void *context); /* of the first life */
	void *context;
};

/* All lives, and the table. newest: the version that the first one tries first; 0: the newest there is.
 * 0: all went well; else 1. */
int conformance_run(const struct conformance_door *door, uint32_t newest);

#endif
