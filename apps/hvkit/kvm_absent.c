/* SPDX-License-Identifier: MIT */
/* Where there is no monitor: it is for Linux on x86-64. */
#include <stdio.h>

#include "apps/hvkit/doctor.h"
#include "apps/hvkit/json.h"
#include "apps/hvkit/run.h"

static bool create(struct run *run, char *error)
{
	(void)run;
	snprintf(error, CLI_ERROR_MAX,
		 "--accel kvm is for Linux on x86-64, and this hvkit was built for another machine; "
		 "--accel hosted runs here");
	return false;
}

static void nothing(struct run *run)
{
	(void)run;
}

static int never(struct run *run)
{
	return run->exit_status;
}

const struct run_kind run_kvm = {create, nothing, nothing, never, nothing};

void run_kvm_summary(struct json *json, const struct run *run)
{
	(void)run;
	json_null(json, "kvm");
}

void doctor_accel(struct doctor_finding *finding)
{
	doctor_say(finding, DOCTOR_NOTE, "--accel kvm is for Linux on x86-64");
}
