/* SPDX-License-Identifier: MIT */
/* What we ask ACPI for: the CPUs, where COM1 interrupts, where device memory may be, and how the power is
 * switched off. */
#ifndef BARE_ACPI_H
#define BARE_ACPI_H

#include "ports/bare-x86_64/physical.h"

#define ACPI_CPUS_MAX 256u
#define ACPI_WINDOWS_MAX 4u

struct acpi_window {
	uint64_t base, length;
};

struct acpi_info {
	uint32_t apic_ids[ACPI_CPUS_MAX]; /* of the CPUs that can be used, as the MADT lists them */
	uint32_t cpu_count;               /* 0: no MADT */
	uint32_t cpus_left_out;           /* beyond ACPI_CPUS_MAX */
	uint32_t io_apic;                 /* the one with line 0; 0: not known */
	uint32_t com1_line;               /* of it */
	uint16_t com1_flags;              /* as ACPI has them; 0: as on the ISA bus */
	struct acpi_window windows[ACPI_WINDOWS_MAX]; /* for device memory, as the DSDT has them */
	uint32_t window_count;
	uint16_t power_off_port; /* 0: not known */
	uint16_t power_off_value;
};

/* NULL, or what is wrong with the tables; info then has what could be read. */
const char *acpi_read(struct acpi_info *info, const struct physical *from, uint64_t rsdp);

#endif
