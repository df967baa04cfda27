/* SPDX-License-Identifier: MIT */
/* Ending the machine, by whatever there is. */
#include "ports/bare-x86_64/private.h"

#define DEBUG_EXIT 0xf4u
#define MARK 0xf5u
#define RESET 0xcf9u /* PC's reset control: which kind, then the reset */
#define RESET_SYSTEM 0x02u
#define RESET_CPU 0x04u
#define KEYBOARD 0x64u
#define KEYBOARD_RESET 0xfeu

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

void bare_reset(void)
{
	cpu_interrupts_off();
	cpu_out8(RESET, RESET_SYSTEM);
	cpu_out8(RESET, RESET_SYSTEM | RESET_CPU);
	cpu_out8(KEYBOARD, KEYBOARD_RESET);
	cpu_halt_for_ever();
}

void bare_mark(uint8_t value)
{
	cpu_out8(MARK, value);
}

static void (*tell_crash)(void *context, const uint64_t numbers[BARE_CRASH_NUMBERS], const char *text,
			  size_t length);
static void *tell_context;

void bare_set_crash_hook(void (*tell)(void *context, const uint64_t numbers[BARE_CRASH_NUMBERS],
				      const char *text, size_t length),
			 void *context)
{
	tell_context = context;
	tell_crash = tell;
}

void crash_end(const uint64_t numbers[BARE_CRASH_NUMBERS])
{
	size_t length;
	const char *text = serial_captured(&length);

	if (tell_crash)
		tell_crash(tell_context, numbers, text, length);
	bare_end(BARE_STATUS_CRASHED);
}

void bare_fatal(const char *text)
{
	const uint64_t numbers[BARE_CRASH_NUMBERS] = {UINT64_MAX,
						      (uint64_t)(uintptr_t)__builtin_return_address(0)};

	cpu_interrupts_off();
	serial_capture();
	bare_print("*** CPU %u: %s\n", bare_cpu_index(), text);
	backtrace_print(numbers[1], *(const uint64_t *)__builtin_frame_address(0), 0);
	crash_end(numbers);
}
