/* SPDX-License-Identifier: MIT */
/* How fast this machine's KVM is, by a guest of a few instructions. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/doctor.h"
#include "vmm/vmm.h"

void doctor_accel(struct doctor_finding *finding)
{
	char error[VMM_ERROR_MAX];
	struct vmm_probe probe;
	double millions;

	if (!vmm_probe(&probe, error)) {
		doctor_say(finding, DOCTOR_MISSING, "--accel kvm cannot be used: %.180s", error);
		doctor_advise(finding, "hvkit run --accel hosted, the default, needs none");
		return;
	}
	millions = (double)probe.instructions_per_second / 1e6;
	if (probe.instructions_per_second < VMM_SLOW) {
		doctor_say(finding, DOCTOR_NOTE,
			   "--accel kvm interprets here, %.1f million instructions a second: enough for "
			   "hvkit's own guest, not for Linux",
			   millions);
		doctor_advise(finding, "for Linux a machine with VMX or SVM, or KVM inside QEMU's emulator: "
				       "docs/vmm.md");
		return;
	}
	if (!vmm_has_dsdt()) {
		doctor_say(finding, DOCTOR_MISSING,
			   "--accel kvm, %.0f million instructions a second; built without iasl: ACPI has no "
			   "VMBus, and Linux will not find it",
			   millions);
		doctor_advise(finding, "apt-get install acpica-tools, and build again");
		return;
	}
	doctor_say(finding, DOCTOR_OK, "--accel kvm, %.0f million instructions a second", millions);
}
