/* SPDX-License-Identifier: MIT */
/* The I/O APIC, for the one line that somebody asks for: COM1's. Source: Intel 82093AA, ACPI 6.4 5.2.12. */
#include "ports/bare-x86_64/private.h"

#define INDEX 0x00u
#define WINDOW 0x10u
#define REGISTER_VERSION 1u
#define REGISTER_REDIRECTION 0x10u /* two for each line */
#define LINES_SHIFT 16
#define LINES_MASK 0xffu
#define ACTIVE_LOW (1u << 13)
#define BY_LEVEL (1u << 15)
#define DESTINATION_SHIFT 24
#define DESTINATION_MAX 254u

/* An interrupt's flags in ACPI (MPS INTI): 0 is as on the ISA bus. */
#define POLARITY_MASK 0x3u
#define POLARITY_LOW 0x3u
#define TRIGGER_MASK 0xcu
#define TRIGGER_LEVEL 0xcu

static uint32_t *at(uint32_t offset)
{
	return (uint32_t *)(uintptr_t)(bare_acpi.io_apic + offset);
}

static uint32_t read_register(uint32_t number)
{
	__atomic_store_n(at(INDEX), number, __ATOMIC_SEQ_CST);
	return __atomic_load_n(at(WINDOW), __ATOMIC_SEQ_CST);
}

static void write_register(uint32_t number, uint32_t value)
{
	__atomic_store_n(at(INDEX), number, __ATOMIC_SEQ_CST);
	__atomic_store_n(at(WINDOW), value, __ATOMIC_SEQ_CST);
}

uint64_t io_apic_window(void)
{
	return bare_acpi.io_apic;
}

bool io_apic_route(uint32_t line, uint16_t flags, uint8_t vector, uint32_t apic_id)
{
	uint32_t entry = vector;

	if (!bare_acpi.io_apic || apic_id > DESTINATION_MAX ||
	    line > (read_register(REGISTER_VERSION) >> LINES_SHIFT & LINES_MASK))
		return false;
	if ((flags & POLARITY_MASK) == POLARITY_LOW)
		entry |= ACTIVE_LOW;
	if ((flags & TRIGGER_MASK) == TRIGGER_LEVEL)
		entry |= BY_LEVEL;
	write_register(REGISTER_REDIRECTION + 2 * line + 1, apic_id << DESTINATION_SHIFT);
	write_register(REGISTER_REDIRECTION + 2 * line, entry);
	return true;
}
