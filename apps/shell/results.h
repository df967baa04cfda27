/* SPDX-License-Identifier: MIT */
/* What a run of the shell brought about, for whoever started it. */
#ifndef SHELL_RESULTS_H
#define SHELL_RESULTS_H

#include "apps/net/sha256.h"
#include "hvkit/hvkit.h"
#include "hvkit/netdev.h"
#include "hvkit/vmbus.h"

#define SHELL_ATTEMPTS_MAX 16u
#define SHELL_CHANNELS_MAX 64u
#define SHELL_FETCHES_MAX 32u
#define SHELL_COMMANDS_MAX 64u
#define SHELL_LINE_MAX 1200u /* of a command, without its end */
#define SHELL_ERROR_MAX 240u

struct shell_attempt {
	uint32_t version;
	bool accepted;
};

struct shell_channel_result {
	struct hvk_offer offer;
	enum hvk_channel_state state; /* when the commands had ended */
	bool used;                    /* by a driver of ours */
	struct hvk_channel_counters counters;
};

struct shell_lease {
	bool valid;
	uint8_t address[4], mask[4], router[4], server[4], dns[4];
	uint32_t seconds;
};

struct shell_fetch_result {
	char url[SHELL_LINE_MAX + 1];
	bool done;
	uint64_t bytes, time; /* time in hvk_time units */
	char sha256[SHA256_TEXT];
	char error[SHELL_ERROR_MAX];
};

struct shell_command_result {
	char line[SHELL_LINE_MAX + 1];
	int status;
};

struct shell_results {
	int exit_status;
	bool shut_down, reboot;  /* the host has asked for it, and the guest has agreed */
	const char *failed_step; /* coming up or going down; NULL if nothing failed */
	hvk_status failed_status;
	struct hvk_hypervisor_info hypervisor;
	struct shell_attempt attempts[SHELL_ATTEMPTS_MAX];
	uint32_t attempt_count;
	uint32_t version; /* taken; 0 if none */
	struct shell_channel_result channels[SHELL_CHANNELS_MAX];
	uint32_t channel_count;
	bool network; /* a card was attached */
	struct hvk_netdev_info netdev;
	uint32_t nvs_version;
	struct shell_lease lease;
	struct shell_fetch_result fetches[SHELL_FETCHES_MAX];
	uint32_t fetch_count;
	struct shell_command_result commands[SHELL_COMMANDS_MAX];
	uint32_t command_count;
	struct hvk_counters counters;
	struct hvk_netdev_counters netdev_counters;
};

#define SHELL_VERSION_TEXT 12u
void shell_version_text(uint32_t version, char text[SHELL_VERSION_TEXT]);
/* NVS versions go by other names than their numbers: 0x30002 is 2. */
const char *shell_nvs_name(uint32_t version);

#endif
