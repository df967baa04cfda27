/* SPDX-License-Identifier: MIT */
/* Between the files of the keyboard, the mouse and the integration components. */
#ifndef SHELL_SERVICE_FILES_H
#define SHELL_SERVICE_FILES_H

#include <stdarg.h>

#include "apps/shell/private.h"

#define SHELL_POOL_FILE ".kvp_pool_" /* and the pool's number, as Linux and FreeBSD have it */

struct shell_dump_to {
	hvk_dump_line line;
	void *context;
};
/* "  NAME: ...", below a name that the caller has shown. */
void shell_dump_value(const struct shell_dump_to *to, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* --- typed.c: keyboard and mouse ---------------------------------------------------- */

void shell_typed_key(void *context, struct hvk_keyboard *keyboard, const struct hvk_key_event *event);
void shell_pointer_move(void *context, struct hvk_mouse *mouse, const struct hvk_mouse_event *event);
void shell_typed_dump(struct shell *shell, const struct shell_dump_to *to);

/* --- power.c ------------------------------------------------------------------------- */

void shell_power_callbacks(struct hvk_shutdown_callbacks *callbacks);

/* --- clock.c ------------------------------------------------------------------------- */

void shell_clock_callbacks(struct hvk_time_callbacks *callbacks);
void shell_clock_dump(struct shell *shell, const struct shell_dump_to *to);

/* --- pairs.c, addresses.c ------------------------------------------------------------ */

hvk_status shell_pairs_create(struct shell *shell);
void shell_pairs_destroy(struct shell *shell);
void shell_pairs_callbacks(struct hvk_kvp_callbacks *callbacks);
void shell_pairs_dump(struct shell *shell, const struct shell_dump_to *to);
enum hvk_utility_answer shell_addresses_get(void *context, struct hvk_kvp_ip *ip);
enum hvk_utility_answer shell_addresses_set(void *context, const struct hvk_kvp_ip *ip);
bool shell_addresses_turn(struct shell *shell);

/* --- backup.c ------------------------------------------------------------------------ */

void shell_backup_callbacks(struct shell *shell, struct hvk_vss_callbacks *callbacks);
bool shell_backup_turn(struct shell *shell);
void shell_backup_dump(struct shell *shell, const struct shell_dump_to *to);

/* --- copies.c ------------------------------------------------------------------------ */

void shell_copies_callbacks(struct hvk_fcopy_callbacks *callbacks);
void shell_copies_dump(struct shell *shell, const struct shell_dump_to *to);

#endif
