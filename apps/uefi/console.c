/* SPDX-License-Identifier: MIT */
#include "apps/uefi/console.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "apps/uefi/cpu.h"
#include "ports/bare-x86_64/screen.h"

#define TEXT_MAX 512u
#define COM1 0x3f8u
#define ROOM 0x20u
#define ROOM_TRIES 100000u

static const struct efi_guid serial_guid = {
	0xbb25cf6f, 0xf1d4, 0x11d2, {0x9a, 0x0c, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0xfd}};

static struct efi_text_output *output;
static bool serial; /* COM1 is ours */
static struct screen screen;

static void serial_open(void)
{
	serial = true;
	cpu_out8(COM1 + 1, 0);
	cpu_out8(COM1 + 3, 0x80); /* 115200 baud: divisor 1 */
	cpu_out8(COM1, 1);
	cpu_out8(COM1 + 1, 0);
	cpu_out8(COM1 + 3, 0x03); /* 8N1 */
	cpu_out8(COM1 + 2, 0x05);
	cpu_out8(COM1 + 4, 0x03);
}

static void serial_put(char c)
{
	for (uint32_t i = 0; i < ROOM_TRIES && !(cpu_in8(COM1 + 5) & ROOM); i++)
		cpu_pause();
	cpu_out8(COM1, (uint8_t)c);
}

/* A firmware with serial ports shows its text there by itself; else we do. */
void console_open(const struct efi_system_table *system)
{
	void *protocol;

	output = system->output;
	if (system->boot_services->locate_protocol(&serial_guid, NULL, &protocol) != EFI_SUCCESS)
		serial_open();
}

void console_leave_firmware(const struct boot_screen *on)
{
	output = NULL;
	serial_open();
	screen_open(&screen, on);
	screen_show(&screen);
}

void console_print(const char *format, ...)
{
	static char text[TEXT_MAX];
	static efi_char wide[2 * TEXT_MAX + 1];
	uint32_t length = 0;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (const char *c = text; *c; c++) {
		if (*c == '\n')
			wide[length++] = '\r';
		wide[length++] = (uint8_t)*c;
	}
	wide[length] = 0;
	if (output)
		(void)output->output_string(output, wide);
	else
		screen_write(&screen, text,
			     sizeof(text) - 1 < length ? sizeof(text) - 1 : __builtin_strlen(text));
	for (uint32_t i = 0; serial && i < length; i++)
		serial_put((char)wide[i]);
}
