/* SPDX-License-Identifier: MIT */
/* Between the files that parse the command line. */
#ifndef CLI_OPTIONS_PRIVATE_H
#define CLI_OPTIONS_PRIVATE_H

#include "apps/hvkit/options.h"

#define CLI_QUIRKS_MAX 64u

struct parser {
	struct cli_options *options;
	char *error;
	bool nic_given;
	uint32_t vmbus_max; /* 0: not given */
	uint32_t tcp_count, udp_count;
	const char *quirks[CLI_QUIRKS_MAX]; /* NAME=VALUE, set once the host is known */
	uint32_t quirk_count;
};

/* Writes the error, one line; returns false. */
bool options_wrong(struct parser *parser, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "WHAT 'VALUE' is not known; did you mean 'x'? There are: a, b, c" */
bool options_wrong_name(struct parser *parser, const char *what, const char *value,
			const char *(*name)(uint32_t n));
bool options_number(const char *text, uint64_t max, uint64_t *value);

/* One per option: take its value (NULL if it has none). options_values.c, options_nic.c */
bool options_take_cpus(struct parser *parser, const char *value);
bool options_take_host(struct parser *parser, const char *value);
bool options_take_vmbus_max(struct parser *parser, const char *value);
bool options_take_boot_mode(struct parser *parser, const char *value);
bool options_take_seed(struct parser *parser, const char *value);
bool options_take_nic(struct parser *parser, const char *value);
bool options_take_silent(struct parser *parser, const char *value);
bool options_take_quirk(struct parser *parser, const char *value);
bool options_take_script(struct parser *parser, const char *value);
bool options_take_trace(struct parser *parser, const char *value);
bool options_take_summary(struct parser *parser, const char *value);
bool options_take_inspect(struct parser *parser, const char *value);
bool options_take_color(struct parser *parser, const char *value);
bool options_take_quiet(struct parser *parser, const char *value);
/* Sets the quirks that were given. */
bool options_set_quirks(struct parser *parser);

#endif
