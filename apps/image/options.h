/* SPDX-License-Identifier: MIT */
/*
 * The image's command line, as its loader passes it:
 *
 *   cpus=N mode=boot|system nic=yes|no seed=HEX log=LEVEL test=NAME -- COMMAND ; COMMAND ...
 */
#ifndef IMAGE_OPTIONS_H
#define IMAGE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_SEED_BYTES 32u
#define IMAGE_ERROR_MAX 200u
#define IMAGE_TEST_MAX 24u

struct image_options {
	uint32_t cpus; /* 0: all there are */
	bool boot_mode;
	bool nic_said, nic; /* nic: there is to be a card */
	bool seeded;
	uint8_t seed[IMAGE_SEED_BYTES];
	uint32_t log_level;        /* enum hvk_log_level */
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
