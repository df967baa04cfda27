/* SPDX-License-Identifier: MIT */
/* One seed's machine, and what must hold after it ran. */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include "tests/support/rig.h"

/* Runs it; NULL if all is well, else a line that says what is wrong. The result is filled in. */
const char *sim_run(const struct rig_config *config, struct rig_result *result);

/* Takes away, one by one, what a failing run does not need to fail: kinds of faults first, then
 * CPUs, lives, frames. Says what is left and how to see it; a trace of that run is written to
 * the file named trace, if there is one. wanted: the run is to have that fault strike, rather
 * than to fail; HVH_FAULT_COUNT: it is to fail. False: it does not, to begin with. */
bool sim_shrink(struct rig_config *config, enum hvh_fault wanted, const char *trace);

#endif
