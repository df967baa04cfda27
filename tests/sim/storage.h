/* SPDX-License-Identifier: MIT */
/* One seed's machine with storage, and what must hold after it ran. */
#ifndef TESTS_SIM_STORAGE_H
#define TESTS_SIM_STORAGE_H

#include "tests/support/storage_rig.h"

/* Runs it; NULL if all is well, else a line that says what is wrong. */
const char *sim_storage_run(const struct store_plan *plan, const struct rig_config *machine,
			    struct rig_result *result, struct store_counts *counts);
void sim_storage_describe(const struct store_plan *plan, const struct rig_config *machine);

/* Takes away, one by one, what a failing run does not need to fail: events, kinds of faults, CPUs, disks.
 * Says what is left; a trace of that run is written to the file named trace, if there is one. False: it
 * does not fail to begin with. */
bool sim_storage_shrink(struct store_plan *plan, struct rig_config *machine, const char *trace);

#endif
