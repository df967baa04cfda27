/* SPDX-License-Identifier: MIT */
/* Between the files that parse the command line. */
#ifndef CLI_OPTIONS_PRIVATE_H
#define CLI_OPTIONS_PRIVATE_H

#include "apps/hvkit/options.h"

#define CLI_QUIRKS_MAX 128u

struct parser {
	struct cli_options *options;
	char *error;
	bool nic_given;
	const char *driver_option; /* the last given that is for our own guest's driver */
	const char *kvm_option;    /* the first given that is for --accel kvm alone */
	uint32_t vmbus_max;        /* 0: not given */
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

/* One per option: take its value (NULL if it has none). options_values.c, _nic.c, _card.c, _disk.c,
 * _services.c, _machine.c */
bool options_take_cpus(struct parser *parser, const char *value);
bool options_take_host(struct parser *parser, const char *value);
bool options_take_vmbus_max(struct parser *parser, const char *value);
bool options_take_boot_mode(struct parser *parser, const char *value);
bool options_take_seed(struct parser *parser, const char *value);
bool options_take_nic(struct parser *parser, const char *value);
bool options_take_queues(struct parser *parser, const char *value);
bool options_take_offloads(struct parser *parser, const char *value);
bool options_take_mtu(struct parser *parser, const char *value);
bool options_take_disk(struct parser *parser, const char *value);
bool options_take_cdrom(struct parser *parser, const char *value);
bool options_take_disk_trouble(struct parser *parser, const char *value);
bool options_take_input(struct parser *parser, const char *value);
bool options_take_utilities(struct parser *parser, const char *value);
bool options_take_kvp_file(struct parser *parser, const char *value);
bool options_take_guest_dir(struct parser *parser, const char *value);
bool options_take_freeze_max(struct parser *parser, const char *value);
bool options_take_silent(struct parser *parser, const char *value);
bool options_take_quirk(struct parser *parser, const char *value);
bool options_take_script(struct parser *parser, const char *value);
bool options_take_trace(struct parser *parser, const char *value);
bool options_take_summary(struct parser *parser, const char *value);
bool options_take_inspect(struct parser *parser, const char *value);
bool options_take_color(struct parser *parser, const char *value);
bool options_take_quiet(struct parser *parser, const char *value);
bool options_take_accel(struct parser *parser, const char *value);
bool options_take_mem(struct parser *parser, const char *value);
bool options_take_guest(struct parser *parser, const char *value);
bool options_take_kernel(struct parser *parser, const char *value);
bool options_take_initrd(struct parser *parser, const char *value);
bool options_take_append(struct parser *parser, const char *value);
bool options_take_generation(struct parser *parser, const char *value);
bool options_take_entry(struct parser *parser, const char *value);
bool options_take_time_limit(struct parser *parser, const char *value);
bool options_take_bios_stub(struct parser *parser, const char *value);
bool options_take_no_sandbox(struct parser *parser, const char *value);
/* Values of --nic that any card takes: options_card.c */
bool options_take_card_queues(struct parser *parser, const char *value);
bool options_take_card_mtu(struct parser *parser, const char *value);
bool options_take_card_mac(struct parser *parser, const char *value);
bool options_take_card_without(struct parser *parser, const char *value);
bool options_take_card_pcap(struct parser *parser, const char *value);
/* What of these fits together, and with the others. */
bool options_check_machine(struct parser *parser);
bool options_check_driver(struct parser *parser);
bool options_check_services(struct parser *parser);
/* Sets the quirks that were given. */
bool options_set_quirks(struct parser *parser);

#endif
