/* SPDX-License-Identifier: MIT */
#include "apps/netboot/options.h"

#include <stdio.h>
#include <string.h>

#include "hvkit/port.h"

#define BLANKS " \t\r\n"

static const struct {
	const char *name, *values;
} words[] = {
	{"script", "a URL that begins with http:// or tftp://, or disk:N:/PATH"},
	{"log", "error, warning, info or debug"},
	{"keys", "us or de"},
	{"handover", "stop or anyway"},
	{"wait", "seconds, 0 to 3600"},
};
#define WORDS (sizeof(words) / sizeof(words[0]))

/* Which of the names separated by '|' the value is; -1: none. */
static int which(const char *value, size_t length, const char *names)
{
	for (int n = 0; *names; n++) {
		size_t size = strcspn(names, "|");

		if (size == length && memcmp(names, value, length) == 0)
			return n;
		names += size + (names[size] == '|');
	}
	return -1;
}

static bool take_script(struct netboot_options *options, const char *value, size_t length)
{
	struct location location;

	if (length > LOCATION_MAX)
		return false;
	memcpy(options->script, value, length);
	options->script[length] = '\0';
	return location_parse(options->script, &location) == NULL;
}

static bool take_seconds(const char *value, size_t length, uint32_t *seconds)
{
	*seconds = 0;
	for (size_t i = 0; i < length; i++) {
		if (value[i] < '0' || value[i] > '9')
			return false;
		*seconds = *seconds * 10 + (uint32_t)(value[i] - '0');
		if (*seconds > OPTIONS_WAIT_MAX)
			return false;
	}
	return length > 0;
}

static bool take(struct netboot_options *options, size_t word, const char *value, size_t length)
{
	int n;

	switch (word) {
	case 0:
		return take_script(options, value, length);
	case 1:
		n = which(value, length, "error|warning|info|debug");
		options->log_level = (uint32_t)(n + 1);
		return n >= 0;
	case 2:
		n = which(value, length, "us|de");
		options->german = n == 1;
		return n >= 0;
	case 3:
		n = which(value, length, "stop|anyway");
		options->anyway = n == 1;
		return n >= 0;
	default:
		return take_seconds(value, length, &options->wait_s);
	}
}

static bool take_word(struct netboot_options *options, const char *word, size_t length,
		      char error[OPTIONS_ERROR_MAX])
{
	size_t name = 0;

	while (name < length && word[name] != '=')
		name++;
	for (size_t n = 0; name < length && n < WORDS; n++) {
		if (strlen(words[n].name) != name || memcmp(words[n].name, word, name) != 0)
			continue;
		if (take(options, n, word + name + 1, length - name - 1))
			return true;
		snprintf(error, OPTIONS_ERROR_MAX, "%.*s: %s= takes %s", (int)(length < 80 ? length : 80),
			 word, words[n].name, words[n].values);
		return false;
	}
	snprintf(error, OPTIONS_ERROR_MAX,
		 "'%.*s' is no word of the command line; there are script=, log=, keys=, handover=, wait= "
		 "and, "
		 "before statements of a script, --",
		 (int)(length < 40 ? length : 40), word);
	return false;
}

bool netboot_options_parse(struct netboot_options *options, const char *line, char error[OPTIONS_ERROR_MAX])
{
	memset(options, 0, sizeof(*options));
	options->log_level = HVK_LOG_WARN;
	for (line += strspn(line, BLANKS); *line; line += strspn(line, BLANKS)) {
		size_t length = strcspn(line, BLANKS);

		if (length == 2 && memcmp(line, "--", 2) == 0) {
			options->statements = line + length;
			return true;
		}
		if (!take_word(options, line, length, error))
			return false;
		line += length;
	}
	return true;
}
