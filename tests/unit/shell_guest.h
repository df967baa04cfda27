/* SPDX-License-Identifier: MIT */
/*
 * The shell on a host with storage and without a network: lines are run in order, what they
 * print is kept. A line "!N" calls host action N in between.
 */
#ifndef UNIT_SHELL_GUEST_H
#define UNIT_SHELL_GUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/shell/shell.h"
#include "hvkit_host/storage.h"
#include "ports/hosted/hosted.h"

#define GUEST_LIMIT_MS 3600000u
#define GUEST_TEXT_MAX (256u * 1024)
#define GUEST_CPUS_MAX 4u
#define GUEST_QUIET (200 * HVK_TIME_PER_MS)

struct guest_cpu {
	struct guest *guest;
	uint32_t cpu;
};

struct guest {
	struct hosted *machine;
	struct hvh_storage *storage;
	struct shell shell;
	struct guest_cpu cpus[GUEST_CPUS_MAX];
	const char *const *lines; /* ended by NULL */
	uint64_t quiet_until;     /* after an action the guest is given time to see it */
	uint64_t later;           /* when action later_n happens, whatever the guest does then; 0: never */
	uint32_t later_n;
	/* "!N": with the partition's lock. */
	void (*action)(struct guest *guest, uint32_t n);
	char output[GUEST_TEXT_MAX], errors[GUEST_TEXT_MAX], story[GUEST_TEXT_MAX];
};

static void guest_show(void *context, enum shell_stream stream, const char *text, size_t length)
{
	struct guest *guest = context;
	char *to = stream == SHELL_OUTPUT  ? guest->output
		   : stream == SHELL_ERROR ? guest->errors
					   : guest->story;
	size_t used = strlen(to);

	assert_true(used + length < GUEST_TEXT_MAX);
	memcpy(to + used, text, length);
	to[used + length] = '\0';
}

static void guest_wait(void *context, uint64_t timeout_ns)
{
	hosted_wait(((struct guest *)context)->machine, timeout_ns);
}

static enum shell_line guest_read_line(void *context, char *line, size_t size, uint64_t *again)
{
	struct guest *guest = context;

	if (hosted_now(guest->machine) < guest->quiet_until) {
		*again = guest->quiet_until;
		return SHELL_LINE_NONE;
	}
	if (!*guest->lines)
		return SHELL_LINE_END;
	if ((*guest->lines)[0] == '!') {
		hosted_lock(guest->machine);
		guest->action(guest, (uint32_t)atoi(*guest->lines++ + 1));
		hosted_kick(guest->machine);
		hosted_unlock(guest->machine);
		guest->quiet_until = hosted_now(guest->machine) + GUEST_QUIET;
		return SHELL_LINE_NONE;
	}
	snprintf(line, size, "%s", *guest->lines++);
	return SHELL_LINE;
}

static void guest_run_cpu(void *context)
{
	struct guest_cpu *cpu = context;

	if (cpu->cpu)
		shell_run_cpu(&cpu->guest->shell, cpu->cpu);
	else
		shell_run(&cpu->guest->shell);
}

static void guest_interrupt(void *context, uint32_t cpu)
{
	shell_interrupt(&((struct guest *)context)->shell, cpu);
}

static inline bool guest_do_later(void *context, uint64_t now)
{
	struct guest *guest = context;

	if (!guest->later || now < guest->later)
		return false;
	guest->later = 0;
	guest->action(guest, guest->later_n);
	return true;
}

static inline uint64_t guest_next_later(void *context)
{
	const struct guest *guest = context;

	return guest->later ? guest->later : UINT64_MAX;
}

/* Action n, that long after the machine has begun. */
static inline void guest_later(struct guest *guest, uint64_t time, uint32_t n)
{
	guest->later = time;
	guest->later_n = n;
	hosted_add_world(guest->machine, guest_do_later, guest_next_later, guest);
}

/* With a SCSI controller that has nothing yet. */
static struct guest *guest_create(uint64_t seed, const char *profile, uint32_t cpus)
{
	const struct hosted_config machine = {.mode = HOSTED_DETERMINISTIC,
					      .cpus = cpus,
					      .memory_pages = 16384,
					      .profile = hvh_profile_find(profile),
					      .seed = seed};
	const struct shell_config config = {.hvk = {.cpus = cpus, .vector = 0x62, .interrupts = true}};
	const struct hvh_storage_config storage = {.class_ = HVH_STORAGE_SCSI};
	struct guest *guest = calloc(1, sizeof(*guest));
	struct shell_platform platform = {
		.context = guest, .write = guest_show, .wait = guest_wait, .read_line = guest_read_line};

	assert_non_null(guest);
	guest->machine = hosted_create(&machine);
	assert_non_null(guest->machine);
	guest->storage = hvh_storage_create(hosted_partition(guest->machine), &storage);
	assert_non_null(guest->storage);
	platform.port = hosted_port(guest->machine);
	assert_int_equal(shell_init(&guest->shell, &platform, &config), HVK_OK);
	for (uint32_t n = 0; n < cpus; n++) {
		guest->cpus[n] = (struct guest_cpu){guest, n};
		hosted_set_program(guest->machine, n, guest_run_cpu, &guest->cpus[n]);
	}
	hosted_set_interrupt(guest->machine, guest_interrupt, guest);
	return guest;
}

/* A disk in memory, at target 0; image tells where its bytes are. */
static void guest_add_disk(struct guest *guest, uint32_t lun, uint64_t size,
			   const struct hvh_unit_config *config, struct hvh_image *image)
{
	struct hvh_image own;

	assert_true(hvh_image_memory(size, &own));
	assert_true(hvh_storage_add(guest->storage, hosted_now(guest->machine), 0, lun, config, &own));
	if (image)
		*image = own;
}

/* Runs the lines to their end; the host has nothing to complain about and all memory is back. */
static void guest_run(struct guest *guest, const char *const *lines)
{
	const struct hvh_violation *violation;

	guest->lines = lines;
	if (!hosted_run(guest->machine, GUEST_LIMIT_MS))
		fail_msg("hangs; it had shown:\n%s%s%s", guest->story, guest->output, guest->errors);
	violation = hvh_violation_get(hosted_partition(guest->machine), 0);
	if (violation)
		fail_msg("%s: %s", hvh_violation_name(violation->kind), violation->text);
	assert_int_equal(hosted_pages_in_use(guest->machine),
			 guest->shell.results.counters.quarantined_pages);
	assert_int_equal(hosted_writes_to_free_memory(guest->machine), 0);
}

static void guest_destroy(struct guest *guest)
{
	hosted_destroy(guest->machine);
	free(guest);
}

#define assert_says(text, part)                                              \
	do {                                                                 \
		if (!strstr((text), (part)))                                 \
			fail_msg("'%s' is missing in:\n%s", (part), (text)); \
	} while (0)
#define assert_says_not(text, part)                                  \
	do {                                                         \
		if (strstr((text), (part)))                          \
			fail_msg("'%s' is in:\n%s", (part), (text)); \
	} while (0)

#endif
