/* SPDX-License-Identifier: MIT */
/* Scripts as they run: variables, menus, and one statement after the other. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apps/netboot/script.h"

/* --- Variables ----------------------------------------------------------------------------------- */

static uint32_t find(const struct script_variables *variables, const char *name, size_t length)
{
	uint32_t n = 0;

	while (n < variables->count && (strlen(variables->list[n].name) != length ||
					memcmp(variables->list[n].name, name, length) != 0))
		n++;
	return n;
}

const char *script_get(const struct script_variables *variables, const char *name)
{
	uint32_t n = find(variables, name, strlen(name));

	return n < variables->count ? variables->list[n].value : NULL;
}

const char *script_set(struct script_variables *variables, const char *name, const char *value)
{
	uint32_t n = find(variables, name, strlen(name));

	if (!script_is_name(name, strlen(name)))
		return "a variable's name is letters, digits, '-' and '_', at most 32 of them";
	if (strlen(value) > SCRIPT_VALUE_MAX)
		return "the value is longer than 511 characters";
	if (!*value) {
		if (n < variables->count)
			variables->list[n] = variables->list[--variables->count];
		return NULL;
	}
	if (n == SCRIPT_VARIABLES_MAX)
		return "there are 48 variables already";
	if (n == variables->count)
		snprintf(variables->list[variables->count++].name, SCRIPT_NAME_MAX + 1, "%s", name);
	snprintf(variables->list[n].value, SCRIPT_VALUE_MAX + 1, "%s", value);
	return NULL;
}

static bool append(char *out, size_t *used, const char *text, size_t length)
{
	if (length > SCRIPT_LINE_MAX - *used)
		return false;
	memcpy(out + *used, text, length);
	*used += length;
	out[*used] = '\0';
	return true;
}

bool script_expand(const struct script_variables *variables, const char *text, char out[SCRIPT_LINE_MAX + 1],
		   char error[SCRIPT_ERROR_MAX])
{
	size_t used = 0;

	out[0] = '\0';
	while (*text) {
		const char *value = text;
		size_t length = 1, skip = 1;

		if (text[0] == '$' && text[1] == '{') {
			size_t name = strcspn(text + 2, "}");
			uint32_t n = find(variables, text + 2, name);

			if (!text[2 + name] || n == variables->count) {
				snprintf(error, SCRIPT_ERROR_MAX,
					 text[2 + name] ? "${%.*s} is not set"
							: "'${%.*s' is not closed by '}'",
					 (int)(name < 40 ? name : 40), text + 2);
				return false;
			}
			value = variables->list[n].value;
			length = strlen(value);
			skip = name + 3;
		}
		if (!append(out, &used, value, length)) {
			snprintf(error, SCRIPT_ERROR_MAX,
				 "the line is longer than %u characters once its "
				 "variables are in it",
				 SCRIPT_LINE_MAX);
			return false;
		}
		text += skip;
	}
	return true;
}

/* --- Statements ---------------------------------------------------------------------------------- */

struct state {
	const struct script *script;
	struct script_variables *variables;
	const struct script_ops *ops;
	struct script_run *run;
	uint32_t next;
};

static bool go_to(struct state *state, const char *label)
{
	const struct script *script = state->script;

	for (uint32_t i = 0; i < script->count; i++) {
		if (script->statements[i].verb == SCRIPT_LABEL &&
		    strcmp(script->statements[i].rest, label) == 0) {
			state->next = i;
			return true;
		}
	}
	return false;
}

/* Takes "--sha256 HEX" off the line. NULL, or what is wrong; sum is ended, and in lower case. */
static const char *take_sum(char **rest, char sum[SHA256_TEXT], bool *given)
{
	char *word = *rest;

	*given = strncmp(word, "--sha256", 8) == 0 && (word[8] == ' ' || word[8] == '\t');
	if (!*given)
		return NULL;
	word += script_after(word) - word;
	if (!script_is_sum(word, script_word(word)))
		return "--sha256 takes 64 hexadecimal digits";
	for (uint32_t i = 0; i < 2 * SHA256_BYTES; i++)
		sum[i] = (char)(word[i] >= 'A' && word[i] <= 'F' ? word[i] - 'A' + 'a' : word[i]);
	sum[2 * SHA256_BYTES] = '\0';
	*rest = word + (script_after(word) - word);
	return NULL;
}

static const char *load(struct state *state, enum script_verb verb, char *rest)
{
	const struct script_ops *ops = state->ops;
	const char *wrong, *arguments;
	char sum[SHA256_TEXT];
	bool given;

	wrong = take_sum(&rest, sum, &given);
	if (wrong)
		return wrong;
	if (!*rest)
		return "the URL is missing";
	arguments = script_after(rest);
	rest[script_word(rest)] = '\0';
	if (verb == SCRIPT_KERNEL)
		return ops->kernel(ops->context, rest, arguments, given ? sum : NULL);
	if (*arguments)
		return "one file, and nothing behind it";
	return ops->initrd(ops->context, rest, given ? sum : NULL);
}

static const char *check_sum(struct state *state, const char *rest)
{
	char line[SCRIPT_LINE_MAX + 16], sum[SHA256_TEXT], *at = line;
	const char *wrong;
	bool given;

	snprintf(line, sizeof(line), "--sha256 %s", rest);
	wrong = take_sum(&at, sum, &given);
	return wrong ? wrong : state->ops->check_sum(state->ops->context, sum);
}

static const char *set(struct state *state, char *rest)
{
	const char *value = script_after(rest);

	rest[script_word(rest)] = '\0';
	return script_set(state->variables, rest, value);
}

static const char *add_item(struct script_menu *menu, const char *rest)
{
	size_t length = script_word(rest);

	if (menu->count == SCRIPT_ITEMS_MAX)
		return "a menu has at most 35 items";
	if (length > SCRIPT_NAME_MAX)
		return "the label's name is too long";
	memcpy(menu->items[menu->count].label, rest, length);
	menu->items[menu->count].label[length] = '\0';
	snprintf(menu->items[menu->count].title, SCRIPT_TITLE_MAX + 1, "%.*s", (int)SCRIPT_TITLE_MAX,
		 script_after(rest));
	menu->count++;
	return NULL;
}

static const char *set_default(struct script_menu *menu, const char *label)
{
	for (uint32_t i = 0; i < menu->count; i++) {
		if (strcmp(menu->items[i].label, label) == 0) {
			menu->chosen = i;
			return NULL;
		}
	}
	return "default names none of the items above it";
}

static void clear_menu(struct script_menu *menu)
{
	memset(menu, 0, sizeof(*menu));
	menu->chosen = UINT32_MAX;
}

/* Its items are forgotten when one has been chosen. */
static const char *show_menu(struct state *state, const char *title)
{
	struct script_menu *menu = &state->run->menu;
	const char *wrong;
	bool found;

	if (!menu->count)
		return "the menu has no items; 'item LABEL TEXT' goes before it";
	if (menu->chosen == UINT32_MAX)
		menu->chosen = 0;
	snprintf(menu->title, sizeof(menu->title), "%.*s", (int)SCRIPT_TITLE_MAX, title);
	wrong = state->ops->choose(state->ops->context, menu);
	if (wrong)
		return wrong;
	found = menu->chosen < menu->count && go_to(state, menu->items[menu->chosen].label);
	clear_menu(menu);
	return found ? NULL : "there is no such label";
}

static const char *run_statement(struct state *state, enum script_verb verb, char *rest)
{
	const struct script_ops *ops = state->ops;
	struct script_menu *menu = &state->run->menu;

	switch (verb) {
	case SCRIPT_BOOT:
		return ops->boot(ops->context);
	case SCRIPT_DHCP:
		return ops->dhcp(ops->context);
	case SCRIPT_ECHO:
		ops->echo(ops->context, rest);
		return NULL;
	case SCRIPT_GOTO:
		return go_to(state, rest) ? NULL : "there is no such label";
	case SCRIPT_KERNEL:
	case SCRIPT_INITRD:
		return load(state, verb, rest);
	case SCRIPT_SHA256:
		return check_sum(state, rest);
	case SCRIPT_SET:
		return set(state, rest);
	case SCRIPT_ITEM:
		return add_item(menu, rest);
	case SCRIPT_DEFAULT:
		return set_default(menu, rest);
	case SCRIPT_TIMEOUT:
		return script_number(rest, SCRIPT_TIMEOUT_MAX, &menu->timeout)
			       ? NULL
			       : "timeout takes seconds, 0 to 3600";
	case SCRIPT_MENU:
		return show_menu(state, rest);
	default:
		return NULL;
	}
}

/* wrong may be what stands there already. */
static enum script_end fail(struct script_run *run, uint32_t line, const char *wrong)
{
	char text[SCRIPT_ERROR_MAX];
	int used = snprintf(text, sizeof(text), "line %u: ", line);

	snprintf(text + used, sizeof(text) - (size_t)used, "%.*s", (int)(SCRIPT_ERROR_MAX - 20), wrong);
	memcpy(run->error, text, sizeof(text));
	return SCRIPT_FAILED;
}

enum script_end script_execute(const struct script *script, struct script_variables *variables,
			       const struct script_ops *ops, struct script_run *run)
{
	struct state state = {.script = script, .variables = variables, .ops = ops, .run = run};

	clear_menu(&run->menu);
	for (uint32_t step = 0; state.next < script->count; step++) {
		const struct script_statement *statement = &script->statements[state.next++];
		const char *wrong;

		if (step == SCRIPT_STEPS_MAX)
			return fail(run, statement->line,
				    "100000 statements have run: the script goes in a circle");
		if (statement->verb == SCRIPT_EXIT)
			return SCRIPT_EXITED;
		if (!script_expand(variables, statement->rest, run->line, run->error))
			return fail(run, statement->line, run->error);
		wrong = run_statement(&state, statement->verb, run->line);
		if (wrong)
			return fail(run, statement->line, wrong);
		if (statement->verb == SCRIPT_BOOT)
			return SCRIPT_BOOTED;
	}
	return SCRIPT_AT_END;
}
