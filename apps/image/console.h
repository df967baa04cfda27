/* SPDX-License-Identifier: MIT */
/* Lines typed at the console: with an echo, backspace, and an end by Ctrl-D. */
#ifndef IMAGE_CONSOLE_H
#define IMAGE_CONSOLE_H

#include "apps/shell/shell.h"

struct image_console {
	size_t length; /* of the line so far */
	bool prompted, ended;
};

/* As shell_platform.read_line. The line is put together in place: the same one every time. */
enum shell_line image_console_read(struct image_console *console, char *line, size_t size);

#endif
