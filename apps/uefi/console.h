/* SPDX-License-Identifier: MIT */
/* Words for whoever watches: by the firmware as long as it is there, then on COM1 and the frame buffer. */
#ifndef UEFI_CONSOLE_H
#define UEFI_CONSOLE_H

#include "apps/uefi/uefi.h"
#include "ports/bare-x86_64/boot_info.h"

void console_open(const struct efi_system_table *system);
/* The firmware is gone. */
void console_leave_firmware(const struct boot_screen *screen);
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
