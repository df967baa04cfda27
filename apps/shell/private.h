/* SPDX-License-Identifier: MIT */
/* Between the shell's own files. */
#ifndef SHELL_PRIVATE_H
#define SHELL_PRIVATE_H

#include "apps/shell/shell.h"

#define SHELL_TICK_MS 100u /* longest wait where nothing says when to go on, unless the platform does */

/* That wait, in 100 ns. */
static inline uint64_t shell_tick(const struct shell *shell)
{
	uint32_t ms = shell->platform.tick_ms;

	return (ms ? ms : SHELL_TICK_MS) * HVK_TIME_PER_MS;
}

/* --- print.c ------------------------------------------------------------------------ */

void shell_print(struct shell *shell, enum shell_stream stream, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* "step: name: text" as an error, and into the results: the first one counts. */
void shell_fail(struct shell *shell, const char *step, hvk_status status);
/* An error of a command; returns SHELL_FAILED or SHELL_USAGE. */
int shell_error(struct shell *shell, const char *format, ...) __attribute__((format(printf, 2, 3)));
int shell_usage(struct shell *shell, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define SHELL_GUID_TEXT 37u
void shell_guid_text(const struct vmbus_guid *guid, char text[SHELL_GUID_TEXT]);
#define SHELL_SIZE_TEXT 24u
/* Bytes for people: "512 bytes", "1.5 kB", "100.0 MB". */
void shell_size_text(uint64_t bytes, char text[SHELL_SIZE_TEXT]);
#define SHELL_ADDRESS_TEXT 16u
void shell_address_text(const uint8_t address[4], char text[SHELL_ADDRESS_TEXT]);
/* 0 if no time has passed. */
uint64_t shell_rate(uint64_t bytes, uint64_t time);

/* --- devices.c ---------------------------------------------------------------------- */

/* "network card", ...; "unknown class" for one that we do not know. */
const char *shell_class_name(const struct vmbus_guid *type);
const char *shell_channel_state_name(enum hvk_channel_state state);
void shell_record_channels(struct shell *shell);
/* One line per channel. */
void shell_list_channels(struct shell *shell, enum shell_stream stream);

/* --- life.c ------------------------------------------------------------------------- */

/* One turn: polls hvkit and lwIP; sleeps if there was nothing to do, until something
 * comes, or until until (hvk_time units). */
void shell_turn(struct shell *shell, uint64_t until);
/* Waits for shell->request, which has just been started. */
hvk_status shell_wait(struct shell *shell);
struct hvk_request *shell_request(struct shell *shell);

/* --- cpus.c ------------------------------------------------------------------------- */

bool shell_cpus_start(struct shell *shell);
void shell_cpus_stop(struct shell *shell);

/* --- card.c ------------------------------------------------------------------------- */

bool shell_card_offered(struct shell *shell);
/* The first card offered. What fails is told: *step names it. */
hvk_status shell_card_attach(struct shell *shell, const char **step);
void shell_card_detach(struct shell *shell);
/* Gives a card up that the host has taken away; attaches one that it offers again. Not while
 * a command is under way: it may wait. */
void shell_card_check(struct shell *shell);

/* --- vf.c --------------------------------------------------------------------------- */

/* What the stack sees of the card: with its VF, if it was set up with one. */
struct hvk_netdev *shell_netdev(struct shell *shell);
hvk_status shell_vf_create(struct shell *shell);
/* One step of its coming and going; never waits. True if there was one. */
bool shell_vf_turn(struct shell *shell);
/* Before the card is detached, and after. */
void shell_vf_down(struct shell *shell);
void shell_vf_destroy(struct shell *shell);
void shell_vf_dump(struct shell *shell, hvk_dump_line line, void *context);

/* --- services.c and what is behind it ------------------------------------------------ */

/* The keyboard, the mouse and the integration components, as far as they are offered: begun, then waited
 * for; from then on they come and go by themselves. */
void shell_services_begin(struct shell *shell);
void shell_services_settle(struct shell *shell);
void shell_services_down(struct shell *shell);
/* A channel is offered, or again. In hvk_poll. */
void shell_services_offered(struct shell *shell, const struct hvk_channel *channel);
/* One step of their coming and going; never waits. True if there was one. */
bool shell_services_turn(struct shell *shell);
/* The name of the driver that has the channel, or NULL. */
const char *shell_services_driver(struct shell *shell, const struct hvk_channel *channel);
void shell_services_dump(struct shell *shell, hvk_dump_line line, void *context);
/* The next line from the keyboard. */
bool shell_typed_take(struct shell *shell, char *line, size_t size);
/* Addresses that the host has injected for the card that has just come up; true if there were some. */
bool shell_addresses_take(struct shell *shell);
/* HVK_OK: disks may be written; HVK_EAGAIN: not now, they are frozen; HVK_ECANCELED: nor is it waited for. */
hvk_status shell_backup_may_write(struct shell *shell);

/* --- network.c ---------------------------------------------------------------------- */

bool shell_network_up(struct shell *shell);
void shell_network_down(struct shell *shell);
/* The card's coming and going, and what DHCP said since. Between commands. */
void shell_network_check(struct shell *shell);
/* lwIP's callback. */
void shell_link_changed(struct netif *netif);
/* NULL if the network can be used, otherwise why not. */
const char *shell_network_missing(struct shell *shell);
/* NULL, or why a command that uses the network is to end: that, or shell_cancel. */
const char *shell_cannot_go_on(struct shell *shell);
/* The address of a host, by name server if need be. Returns NULL, or what went wrong. */
const char *shell_resolve(struct shell *shell, const char *host, ip4_addr_t *address);

/* --- disks.c ------------------------------------------------------------------------- */

/* Attaches every storage controller offered; what cannot be attached is told, and the commands are
 * run all the same. */
void shell_disks_up(struct shell *shell);
void shell_disks_down(struct shell *shell);
/* Controllers' coming and going. Between commands. */
void shell_disks_check(struct shell *shell);
/* The controller whose primary channel that is, or NULL. */
struct shell_controller *shell_disks_controller(struct shell *shell, const struct hvk_channel *channel);
void shell_disks_dump(struct shell *shell, hvk_dump_line line, void *context);

/* --- nic_show.c --------------------------------------------------------------------- */

int shell_nic_show(struct shell *shell);
int shell_nic_show_rss(struct shell *shell);

/* --- lines.c, commands ---------------------------------------------------------------- */

#define SHELL_WORDS_MAX 16u /* so that SHELL_GROUPS_MAX fit behind "nic groups" */

void shell_run_lines(struct shell *shell);
/* words[0] is the command's name. */
int shell_command_run(struct shell *shell, uint32_t count, char *const words[]);

int shell_command_lsvmbus(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_ip(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_vf(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_nic(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_disk(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_ping(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_fetch(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_stats(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_inspect(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_time(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_input(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_kvp(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_vss(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_files(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_refuse(struct shell *shell, uint32_t count, char *const words[]);
int shell_command_expect(struct shell *shell, uint32_t count, char *const words[]);

#endif
