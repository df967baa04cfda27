/* SPDX-License-Identifier: MIT */
/* hvkit's own guest as a kernel image: it stands beside this program. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "apps/hvkit/kvm/guest.h"
#include "hvkit/vf.h"

#define IMAGE "hvkit-shell.elf"
#define SEED_BYTES 32u

bool guest_image_find(struct run_guest *guest, char *error)
{
	ssize_t length = readlink("/proc/self/exe", guest->kernel, sizeof(guest->kernel) - sizeof(IMAGE));
	char *name;

	guest->kernel[length > 0 ? length : 0] = '\0';
	name = strrchr(guest->kernel, '/');
	if (name) {
		strcpy(name + 1, IMAGE);
		if (access(guest->kernel, R_OK) == 0)
			return true;
	}
	snprintf(error, CLI_ERROR_MAX,
		 "hvkit's own guest for virtual CPUs, '%.300s', is not there: build it (make), or give "
		 "--guest "
		 "or --kernel",
		 guest->kernel);
	return false;
}

static bool add(struct run_guest *guest, size_t *used, const char *text)
{
	size_t length = strlen(text);

	if (length >= GUEST_COMMAND_LINE_MAX - *used)
		return false;
	memcpy(guest->command_line + *used, text, length + 1);
	*used += length;
	return true;
}

/* " -- FIRST; SECOND": the host's commands, which come before them, are left out. Without any the guest
 * asks at its serial port. */
static bool add_commands(struct run_guest *guest, size_t *used)
{
	const struct cli_options *options = guest->run->options;
	const char *before = " -- ";
	bool room = true;

	if (!guest_has_commands(options))
		return add(guest, used, " console=yes");
	for (uint32_t n = 0; n < options->command_count; n++) {
		if (options->commands[n][0] == '!')
			continue;
		room = room && add(guest, used, before) && add(guest, used, options->commands[n]);
		before = "; ";
	}
	return room;
}

/* What is asked of drivers, as far as it was said. */
static bool add_driver(struct run_guest *guest, size_t *used)
{
	const struct cli_options *options = guest->run->options;
	char text[40];
	bool room = true;

	if (options->driver.queues) {
		snprintf(text, sizeof(text), " queues=%u", options->driver.queues);
		room = add(guest, used, text);
	}
	if (options->offloads)
		room = room && add(guest, used, " offloads=") && add(guest, used, options->offloads);
	if (options->vf) {
		room = room && add(guest, used, options->vf_separate ? " vf=separate" : " vf=transparent");
		if (options->vf_grace_ms == HVK_VF_GRACE_EVENT)
			room = room && add(guest, used, " vf_grace_ms=event");
		else if (options->vf_grace_ms) {
			snprintf(text, sizeof(text), " vf_grace_ms=%u", options->vf_grace_ms);
			room = room && add(guest, used, text);
		}
	}
	if (options->freeze_max_ms) {
		snprintf(text, sizeof(text), " freeze_max_ms=%u", options->freeze_max_ms);
		room = room && add(guest, used, text);
	}
	if (options->driver.mtu) {
		snprintf(text, sizeof(text), " mtu=%u", options->driver.mtu);
		room = room && add(guest, used, text);
	}
	return room;
}

bool guest_image_command_line(struct run_guest *guest, char *error)
{
	const struct cli_options *options = guest->run->options;
	uint8_t seed[SEED_BYTES];
	char text[160], hex[2 * SEED_BYTES + 1];
	size_t used = 0;

	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
		snprintf(error, CLI_ERROR_MAX, "no random bytes can be had for the guest");
		return false;
	}
	for (size_t n = 0; n < SEED_BYTES; n++)
		snprintf(hex + 2 * n, 3, "%02x", seed[n]);
	snprintf(text, sizeof(text), "cpus=%u mode=%s nic=%s seed=%s", options->cpus,
		 options->boot_mode ? "boot" : "system", options->nic == CLI_NIC_NONE ? "no" : "yes", hex);
	if (add(guest, &used, text) && add_driver(guest, &used) && add_commands(guest, &used))
		return true;
	snprintf(error, CLI_ERROR_MAX, "the commands are too long for a command line of %u characters",
		 GUEST_COMMAND_LINE_MAX);
	return false;
}
