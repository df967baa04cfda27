/* SPDX-License-Identifier: MIT */
/*
 * The boot script language (docs/netboot.md): one statement a line, checked as a whole before the first
 * one runs. Knows nothing of machines or networks: what statements do is struct script_ops.
 */
#ifndef NETBOOT_SCRIPT_H
#define NETBOOT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/net/sha256.h"

#define SCRIPT_BYTES_MAX 65536u
#define SCRIPT_LINES_MAX 1024u /* with a statement */
#define SCRIPT_LINE_MAX 2047u  /* characters, before and after ${...} is replaced */
#define SCRIPT_NAME_MAX 32u    /* of variables and labels */
#define SCRIPT_VARIABLES_MAX 48u
#define SCRIPT_VALUE_MAX 511u
#define SCRIPT_ITEMS_MAX 35u /* of a menu: keys 1 to 9, a to z */
#define SCRIPT_TITLE_MAX 95u
#define SCRIPT_TIMEOUT_MAX 3600u /* seconds */
#define SCRIPT_STEPS_MAX 100000u /* statements run: a script that goes in a circle ends */
#define SCRIPT_ERROR_MAX 400u

enum script_verb {
	SCRIPT_BOOT,
	SCRIPT_DEFAULT,
	SCRIPT_DHCP,
	SCRIPT_ECHO,
	SCRIPT_EXIT,
	SCRIPT_GOTO,
	SCRIPT_INITRD,
	SCRIPT_ITEM,
	SCRIPT_KERNEL,
	SCRIPT_LABEL,
	SCRIPT_MENU,
	SCRIPT_SET,
	SCRIPT_SHA256,
	SCRIPT_TIMEOUT
};

struct script_statement {
	uint32_t line;
	enum script_verb verb;
	const char *rest; /* what follows the verb, in text */
};

struct script {
	char text[SCRIPT_BYTES_MAX + 1];
	struct script_statement statements[SCRIPT_LINES_MAX];
	uint32_t count;
};

/* Takes a copy. Semicolons between blanks end a statement like the end of a line, if asked for. False:
 * error is one line, "line N: ..." */
bool script_parse(struct script *script, const char *bytes, size_t length, bool semicolons,
		  char error[SCRIPT_ERROR_MAX]);

/* --- Variables ----------------------------------------------------------------------------------- */

struct script_variables {
	uint32_t count;
	struct {
		char name[SCRIPT_NAME_MAX + 1];
		char value[SCRIPT_VALUE_MAX + 1];
	} list[SCRIPT_VARIABLES_MAX];
};

/* An empty value takes it away. NULL, or what is wrong. */
const char *script_set(struct script_variables *variables, const char *name, const char *value);
const char *script_get(const struct script_variables *variables, const char *name); /* NULL: not set */
/* Replaces ${NAME}. False: error says what is wrong. */
bool script_expand(const struct script_variables *variables, const char *text, char out[SCRIPT_LINE_MAX + 1],
		   char error[SCRIPT_ERROR_MAX]);

/* --- Running ------------------------------------------------------------------------------------- */

struct script_menu {
	char title[SCRIPT_TITLE_MAX + 1];
	uint32_t count, chosen, timeout; /* seconds; 0: for ever. chosen: the default, UINT32_MAX: none */
	struct {
		char label[SCRIPT_NAME_MAX + 1], title[SCRIPT_TITLE_MAX + 1];
	} items[SCRIPT_ITEMS_MAX];
};

/* Each returns NULL, or what went wrong, in words that stay until the next call. */
struct script_ops {
	void *context;
	void (*echo)(void *context, const char *text);
	const char *(*dhcp)(void *context);
	/* sum: 64 hexadecimal digits in lower case, or NULL. */
	const char *(*kernel)(void *context, const char *url, const char *arguments, const char *sum);
	const char *(*initrd)(void *context, const char *url, const char *sum);
	const char *(*check_sum)(void *context, const char *sum);       /* of what was loaded last */
	const char *(*choose)(void *context, struct script_menu *menu); /* into menu->chosen */
	const char *(*boot)(void *context); /* on a machine it does not return if it can be done */
};

enum script_end {
	SCRIPT_AT_END, /* without boot */
	SCRIPT_EXITED,
	SCRIPT_BOOTED,
	SCRIPT_FAILED /* error says where and why */
};

/* Working memory of a run. */
struct script_run {
	struct script_menu menu;
	char line[SCRIPT_LINE_MAX + 1];
	char error[SCRIPT_ERROR_MAX];
};

enum script_end script_execute(const struct script *script, struct script_variables *variables,
			       const struct script_ops *ops, struct script_run *run);

/* Between script.c and script_run.c: what a word must be. */
bool script_is_name(const char *text, size_t length);
bool script_is_sum(const char *text, size_t length);
bool script_number(const char *text, uint32_t most, uint32_t *number);
size_t script_word(const char *text);       /* length of the first word */
const char *script_after(const char *text); /* what follows it, without blanks */

#endif
