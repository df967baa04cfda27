/* SPDX-License-Identifier: MIT */
#include "apps/hvkit/completion.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/hvkit/monitor.h"
#include "apps/hvkit/run.h"

#define SCREEN_WIDTH 80u

/* --- Candidates --------------------------------------------------------------------------- */

void completions_add(void *context, const char *candidate)
{
	struct completions *completions = context;

	if (strncmp(candidate, completions->typed, strlen(completions->typed)) != 0 ||
	    strlen(candidate) >= COMPLETION_BYTES || completions->count == COMPLETIONS_MAX)
		return;
	for (uint32_t n = 0; n < completions->count; n++) {
		if (strcmp(completions->names[n], candidate) == 0)
			return;
	}
	strcpy(completions->names[completions->count++], candidate);
}

size_t completions_common(const struct completions *completions)
{
	size_t length = completions->count ? strlen(completions->names[0]) : 0;

	for (uint32_t n = 1; n < completions->count; n++) {
		size_t same = 0;

		while (same < length && completions->names[n][same] == completions->names[0][same])
			same++;
		length = same;
	}
	return length;
}

/* --- The guest's commands ------------------------------------------------------------------- */

static void add_guest_commands(struct completions *completions)
{
	const char *name, *usage, *text;

	for (uint32_t n = 0; shell_command_help(n, &name, &usage, &text); n++)
		completions_add(completions, name);
}

static void add_guest_paths(struct console *console, struct completions *completions)
{
	char *tree = console_guest_tree(console), *rest = NULL;
	struct tree_completion completion;

	if (!tree)
		return;
	tree_completion_begin(&completion, completions->typed, completions_add, completions);
	for (char *line = strtok_r(tree, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		tree_completion_line(&completion, line);
	free(tree);
}

static void add_hosts(const struct cli_options *options, struct completions *completions)
{
	if (options->nic == CLI_NIC_SIM)
		completions_add(completions, "10.7.0.1");
	if (options->nic == CLI_NIC_USER) {
		completions_add(completions, "10.0.2.2");
		completions_add(completions, "10.0.2.3");
	}
}

static void add_urls(const struct cli_options *options, struct completions *completions)
{
	char url[64];

	for (uint32_t n = 0; n < HVH_SLIRP_PORTS_MAX && options->user.loopback_tcp[n]; n++) {
		snprintf(url, sizeof(url), "http://10.0.2.2:%u/", options->user.loopback_tcp[n]);
		completions_add(completions, url);
	}
	if (options->tftp_directory)
		completions_add(completions, "tftp://10.0.2.2/");
	completions_add(completions, "http://");
	completions_add(completions, "tftp://");
}

static void add_guest_arguments(struct console *console, uint32_t count, char *const words[],
				struct completions *completions)
{
	if (count != 2)
		return;
	if (strcmp(words[0], "help") == 0)
		add_guest_commands(completions);
	else if (strcmp(words[0], "ping") == 0)
		add_hosts(console->run->options, completions);
	else if (strcmp(words[0], "fetch") == 0)
		add_urls(console->run->options, completions);
	else if (strcmp(words[0], "inspect") == 0 || strcmp(words[0], "expect") == 0)
		add_guest_paths(console, completions);
}

/* --- The line ------------------------------------------------------------------------------------ */

static void collect(struct console *console, bool host, uint32_t count, char *const words[],
		    struct completions *completions)
{
	struct run *run = console->run;

	if (host) {
		machine_lock(&run->machine);
		monitor_complete(&run->monitor, count, words, completions_add, completions);
		machine_unlock(&run->machine);
	} else if (count == 1) {
		add_guest_commands(completions);
	} else {
		add_guest_arguments(console, count, words, completions);
	}
}

static void show_list(const struct completions *completions)
{
	size_t widest = 1, column = 0;

	for (uint32_t n = 0; n < completions->count; n++) {
		size_t length = strlen(completions->names[n]);

		widest = length > widest ? length : widest;
	}
	printf("\r\n");
	for (uint32_t n = 0; n < completions->count; n++) {
		if (column && column + widest + 2 > SCREEN_WIDTH) {
			printf("\r\n");
			column = 0;
		}
		printf("%-*s", (int)widest + 2, completions->names[n]);
		column += widest + 2;
	}
	printf("\r\n");
	fflush(stdout);
}

static unsigned char insert(EditLine *edit, const struct completions *completions)
{
	size_t typed = strlen(completions->typed), common = completions_common(completions);
	char text[COMPLETION_BYTES + 1];
	bool whole = completions->count == 1;

	if (completions->count == 0)
		return CC_REFRESH_BEEP;
	if (!whole && common == typed) {
		show_list(completions);
		return CC_REDISPLAY;
	}
	/* A whole name is followed by a blank; what leads on, by nothing. */
	if (whole && common && completions->names[0][common - 1] == '/')
		whole = false;
	snprintf(text, sizeof(text), "%.*s%s", (int)(common - typed), completions->names[0] + typed,
		 whole ? " " : "");
	(void)el_insertstr(edit, text);
	return CC_REFRESH;
}

unsigned char completion_run(EditLine *edit, struct console *console, bool host_side)
{
	struct completions *completions = calloc(1, sizeof(*completions));
	const LineInfo *info = el_line(edit);
	char line[LINES_BYTES], *words[MONITOR_WORDS_MAX + 1];
	size_t length = (size_t)(info->cursor - info->buffer), from;
	unsigned char result = CC_ERROR;
	uint32_t count = 0;
	char *at;

	if (!completions || length >= sizeof(line)) {
		free(completions);
		return CC_ERROR;
	}
	memcpy(line, info->buffer, length);
	line[length] = '\0';
	at = strrchr(line, ';'); /* the command under the cursor */
	from = at ? (size_t)(at - line) + 1 : 0;
	at = line + from + strspn(line + from, " ");
	if (*at == '!') {
		host_side = true;
		at++;
		at += strspn(at, " ");
	}
	for (;;) {
		words[count++] = at;
		at += strcspn(at, " ");
		if (!*at || count > MONITOR_WORDS_MAX)
			break;
		*at++ = '\0';
		at += strspn(at, " ");
	}
	completions->typed = words[count - 1];
	collect(console, host_side, count, words, completions);
	result = insert(edit, completions);
	free(completions);
	return result;
}
