/* SPDX-License-Identifier: MIT */
/* A guest behind KVM: the monitor, and the person or program at its serial port. */
#ifndef CLI_KVM_GUEST_H
#define CLI_KVM_GUEST_H

#include <pthread.h>
#include <stdatomic.h>
#include <termios.h>

#include "apps/hvkit/kvm/moments.h"
#include "apps/hvkit/run.h"
#include "vmm/vmm.h"

#define GUEST_LINE_MAX 512u
#define GUEST_COMMAND_LINE_MAX 65536u

struct run_guest {
	struct run *run;
	struct vmm *vmm;
	struct vmm_result result;
	struct moments moments;
	char *command_line;
	char kernel[4096]; /* hvkit's own guest: where it is */

	/* What it writes to its serial port, a line at a time where nobody watches. */
	pthread_mutex_t output_lock;
	char line[GUEST_LINE_MAX];
	size_t line_length;
	bool at_once;

	/* What it reads from it: standard input. */
	pthread_t input;
	bool has_input, raw;
	int wake[2];
	struct termios before;
};

/* Commands for the guest, beside those of the host, which come first. */
bool guest_has_commands(const struct cli_options *options);

/* serial_console.c */
void guest_serial_output(void *context, const char *text, size_t length);
void guest_serial_flush(struct run_guest *guest);
void guest_input_start(struct run_guest *guest);
void guest_input_stop(struct run_guest *guest);
/* As it was before; any thread, any number of times. */
void guest_terminal_restore(struct run_guest *guest);

/* image.c: hvkit's own guest. Where it is, and its command line; false with a line in error. */
bool guest_image_find(struct run_guest *guest, char *error);
bool guest_image_command_line(struct run_guest *guest, char *error);

#endif
