/* SPDX-License-Identifier: MIT */
/* Ending the machine, by whatever there is. */
#include "ports/bare-x86_64/private.h"

#define DEBUG_EXIT 0xf4u

struct acpi_info bare_acpi;

void bare_end(int status)
{
	cpu_interrupts_off();
	cpu_out8(DEBUG_EXIT, (uint8_t)status);
	/* Still here: no such device. */
	if (bare_acpi.power_off_port)
		cpu_out16(bare_acpi.power_off_port, bare_acpi.power_off_value);
	cpu_halt_for_ever();
}

void bare_fatal(const char *text)
{
	cpu_interrupts_off();
	bare_print("*** CPU %u: %s\n", bare_cpu_index(), text);
	backtrace_print((uint64_t)(uintptr_t)__builtin_return_address(0),
			*(const uint64_t *)__builtin_frame_address(0), 0);
	bare_end(BARE_STATUS_CRASHED);
}
