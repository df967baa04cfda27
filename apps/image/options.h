/* SPDX-License-Identifier: MIT */
/*
 * The image's command line, as its loader passes it:
 *
 *   cpus=N mode=boot|system vmbus=VERSION nic=yes|no seed=HEX log=LEVEL memory=low|high
 *   timer=direct|message|apic queues=N offloads=LIST mtu=BYTES vf=transparent|separate vf_grace_ms=MS|event
 *   freeze_max_ms=MS
 *   console=yes|no crash_text=yes|no conformance=stay|end test=NAME -- COMMAND ; COMMAND ...
 */
#ifndef IMAGE_OPTIONS_H
#define IMAGE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hvkit/netvsc.h"

#define IMAGE_SEED_BYTES 32u
#define IMAGE_ERROR_MAX 280u
#define IMAGE_TEST_MAX 24u

/* What ends a CPU's sleep in time: the synthetic timer by a vector of its own or by messages, as far
 * as the host has it, or the APIC's. */
enum image_timer { IMAGE_TIMER_DIRECT, IMAGE_TIMER_MESSAGE, IMAGE_TIMER_APIC };

enum image_conformance { IMAGE_CONFORMANCE_NO, IMAGE_CONFORMANCE_STAY, IMAGE_CONFORMANCE_END };

struct image_options {
	uint32_t cpus; /* 0: all there are */
	bool boot_mode;
	uint32_t vmbus_newest;           /* 0: the newest there is */
	bool nic_said, nic;              /* nic: there is to be a card */
	struct hvk_netvsc_config driver; /* queues, offloads and MTU of its driver */
	bool vf, vf_separate;            /* a VF beside the card is used */
	uint32_t vf_grace_ms;            /* hvk_vf_config.grace_ms */
	uint32_t freeze_max_ms;          /* hvk_vss_callbacks.freeze_max_ms */
	bool seeded;
	uint8_t seed[IMAGE_SEED_BYTES];
	enum image_timer timer;
	bool high_memory; /* pages from above 4 GiB first */
	bool crash_text;  /* a panic's text is told the host, too */
	bool console;     /* lines come from the console once the commands have been run */
	enum image_conformance conformance;
	uint32_t log_level;        /* enum hvk_log_level */
	bool test_late;            /* test=late:NAME: when the guest is up, not at once */
	char test[IMAGE_TEST_MAX]; /* a fault to be made; empty: none */
	bool has_commands;         /* there is a "--" */
	const char *commands;      /* behind it, in the text that was parsed */
};

/* False: error says what is wrong and what would be right. */
bool image_options_parse(struct image_options *options, const char *line, char error[IMAGE_ERROR_MAX]);

/* The next command, up to ';', without the blanks around it; false past the last. Empty ones are
 * passed over. Too long a one is cut, and *whole false. */
bool image_next_command(const char **commands, char *out, size_t size, bool *whole);

#endif
