/* SPDX-License-Identifier: MIT */
/* The console: COM1, 115200 8N1; outwards polled, inwards by interrupt if somebody asks for that. */
#include <stdarg.h>

#include "guest/core/format.h"
#include "ports/bare-x86_64/private.h"

#define COM1 0x3f8u
#define DATA 0u
#define INTERRUPTS 1u
#define FIFO 2u
#define LINE 3u
#define IDENTITY 2u /* when read */
#define IDENTITY_FIFO 0xc0u
#define FIFO_BYTES 16u
#define MODEM 4u
#define LINE_STATUS 5u
#define STATUS_INPUT 0x01u
#define STATUS_ROOM 0x20u

#define ROOM_TRIES 100000u /* a line that never takes a character must not hold us */
#define LOCK_TRIES 10000000u
#define PRINT_MAX 256u
#define CAPTURE_MAX 3072u

static uint32_t console_held;
static uint32_t room_when_empty = 1, room;
static bool capturing;
static char captured[CAPTURE_MAX];
static size_t captured_length;

void serial_init(void)
{
	cpu_out8(COM1 + INTERRUPTS, 0);
	cpu_out8(COM1 + LINE, 0x80); /* the divisor: 115200 / 1 */
	cpu_out8(COM1 + DATA, 1);
	cpu_out8(COM1 + INTERRUPTS, 0);
	cpu_out8(COM1 + LINE, 0x03); /* 8N1 */
	cpu_out8(COM1 + FIFO, 0x05); /* on, outwards emptied: what was typed early is kept */
	cpu_out8(COM1 + MODEM, 0x03);
	if ((cpu_in8(COM1 + IDENTITY) & IDENTITY_FIFO) == IDENTITY_FIFO)
		room_when_empty = FIFO_BYTES;
}

/* Whoever holds it for ever has crashed while printing: then two lines may mix. */
uint64_t serial_lock(void)
{
	uint64_t flags = cpu_flags();

	cpu_interrupts_off();
	for (uint32_t i = 0; i < LOCK_TRIES; i++) {
		if (!__atomic_exchange_n(&console_held, 1, __ATOMIC_ACQUIRE))
			break;
		cpu_relax();
	}
	return flags;
}

void serial_unlock(uint64_t flags)
{
	__atomic_store_n(&console_held, 0, __ATOMIC_RELEASE);
	if (flags & FLAGS_INTERRUPTS)
		cpu_interrupts_on();
}

void serial_capture(void)
{
	capturing = true;
	bare_show(true);
}

const char *serial_captured(size_t *length)
{
	*length = captured_length;
	return captured;
}

/* The status is asked for once per FIFO: in a virtual machine each look is an exit. */
static void put(char c)
{
	for (uint32_t i = 0; room == 0 && i < ROOM_TRIES; i++) {
		if (cpu_in8(COM1 + LINE_STATUS) & STATUS_ROOM)
			room = room_when_empty;
		else
			cpu_relax();
	}
	room -= room != 0;
	cpu_out8(COM1 + DATA, (uint8_t)c);
}

void bare_write(const char *text, size_t length)
{
	uint64_t flags = serial_lock();

	for (size_t i = 0; i < length; i++) {
		if (capturing && captured_length < sizeof(captured))
			captured[captured_length++] = text[i];
		if (text[i] == '\n')
			put('\r');
		put(text[i]);
	}
	display_write(text, length);
	serial_unlock(flags);
}

void bare_print(const char *format, ...)
{
	char text[PRINT_MAX];
	va_list arguments;
	size_t length = 0;

	va_start(arguments, format);
	hvk_vformat(text, sizeof(text), format, arguments);
	va_end(arguments);
	while (text[length])
		length++;
	bare_write(text, length);
}

/* --- Input ------------------------------------------------------------------------------------ */

#define INTERRUPT_RECEIVED 0x01u
#define MODEM_OUT2 0x08u /* on a PC it lets the interrupt through */
#define TYPED_MAX 256u

/* What the interrupt took out of the port, which asks for the next only when it is empty: on one CPU,
 * with interrupts off. */
static struct {
	uint8_t bytes[TYPED_MAX];
	uint32_t first, count;
} typed;

static int take(void)
{
	uint8_t status = cpu_in8(COM1 + LINE_STATUS);

	if (status == 0xff || !(status & STATUS_INPUT)) /* all ones: there is no such port */
		return -1;
	return cpu_in8(COM1 + DATA);
}

static void received(void *context, uint32_t cpu)
{
	int c;

	(void)context;
	(void)cpu;
	for (uint32_t i = 0; i < TYPED_MAX && (c = take()) >= 0; i++) {
		if (typed.count < TYPED_MAX)
			typed.bytes[(typed.first + typed.count++) % TYPED_MAX] = (uint8_t)c;
	}
}

bool bare_read_by_interrupt(uint8_t vector)
{
	bare_set_vector(vector, received, NULL);
	if (!io_apic_route(bare_acpi.com1_line, bare_acpi.com1_flags, vector,
			   bare_cpus[bare_cpu_index()].apic_id))
		return false;
	cpu_out8(COM1 + MODEM, 0x03 | MODEM_OUT2);
	cpu_out8(COM1 + INTERRUPTS, INTERRUPT_RECEIVED);
	return true;
}

int bare_read(void)
{
	uint64_t flags = cpu_flags();
	int c;

	cpu_interrupts_off();
	if (typed.count == 0) {
		c = take();
	} else {
		c = typed.bytes[typed.first];
		typed.first = (typed.first + 1) % TYPED_MAX;
		typed.count--;
	}
	if (flags & FLAGS_INTERRUPTS)
		cpu_interrupts_on();
	return c;
}
