/* SPDX-License-Identifier: MIT */
/* Ports of all numbers and widths, one by one and by string instructions, but for those that end
 * the run, by two CPUs at once. Ends with 0. */
#include "rubbish.inc"
#include "second_cpu.inc"

#define ACCESSES 1500u
#define STRING 64u

static volatile uint32_t done;

static int ends(uint16_t port)
{
	return port == 0xf4 || port == 0x64 || port == 0xcf9 || port == 0x604;
}

static void string_access(uint16_t port, uint64_t gpa, uint64_t kind)
{
	uint64_t count = 1 + kind % STRING, at = gpa;

	switch (kind >> 8 & 3) {
	case 0:
		__asm__ volatile("rep insb" : "+D"(at), "+c"(count) : "d"(port) : "memory");
		break;
	case 1:
		__asm__ volatile("rep insl" : "+D"(at), "+c"(count) : "d"(port) : "memory");
		break;
	case 2:
		__asm__ volatile("rep outsb" : "+S"(at), "+c"(count) : "d"(port) : "memory");
		break;
	default:
		__asm__ volatile("rep outsw" : "+S"(at), "+c"(count) : "d"(port) : "memory");
		break;
	}
}

static void single_access(uint16_t port, uint32_t value, uint64_t kind)
{
	switch (kind & 3) {
	case 0:
		out8(port, (uint8_t)value);
		break;
	case 1:
		__asm__ volatile("outw %w0, %1" : : "a"(value), "Nd"(port));
		break;
	case 2:
		__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
		break;
	default:
		(void)(kind & 4 ? in8(port) : in32(port));
		break;
	}
}

static uint16_t any_port(void)
{
	static const uint16_t known[] = {0x3f8, 0x3fc, 0x600, 0x70, 0x20, 0xa0, 0xe6, 0xe7, 0x61};
	uint64_t kind = rubbish_below(3);

	if (kind == 0)
		return (uint16_t)rubbish();
	return (uint16_t)(known[rubbish_below(sizeof(known) / sizeof(known[0]))] + rubbish_below(5));
}

static void try_ports(void)
{
	for (uint32_t n = 0; n < ACCESSES; n++) {
		uint16_t port = any_port();

		if (ends(port))
			continue;
		if (rubbish_below(8) == 0)
			string_access(port, SPARE_BEGIN + rubbish_below(0x8000), rubbish());
		else
			single_access(port, (uint32_t)rubbish(), rubbish());
	}
}

void second_main(void)
{
	ready = 1;
	try_ports();
	done = 1;
}

int guest_main(const void *zero_page)
{
	seed_rubbish(zero_page);
	start_second_cpu();
	try_ports();
	while (!done)
		__asm__ volatile("pause");
	return guest_faults ? 1 : 0;
}
