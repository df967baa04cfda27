/* SPDX-License-Identifier: MIT */
#include "apps/uefi/config.h"

#include <stdio.h>
#include <string.h>

#define WORD_SHOWN 40
#define NAMES "there are line, image, hypervisor, and # before comments"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool copy(char *to, size_t most, const char *from, size_t length)
{
	if (length > most)
		return false;
	memcpy(to, from, length);
	to[length] = '\0';
	return true;
}

/* --- The file ----------------------------------------------------------------------------------- */

static bool is_word(const char *word, size_t length, const char *name)
{
	return strlen(name) == length && memcmp(word, name, length) == 0;
}

static bool read_image(struct config *config, const char *value, size_t length)
{
	if (length == 0 || !copy(config->image, CONFIG_PATH_MAX, value, length))
		return false;
	for (char *c = config->image; *c; c++) {
		if (*c == '/')
			*c = '\\';
	}
	return true;
}

static const char *read_entry(struct config *config, const char *word, size_t word_length, const char *value,
			      size_t length)
{
	if (is_word(word, word_length, "line"))
		return copy(config->line, CONFIG_LINE_MAX, value, length) ? NULL
									  : "takes 2047 characters at most";
	if (is_word(word, word_length, "image"))
		return read_image(config, value, length) ? NULL : "takes a path of at most 255 characters";
	if (is_word(word, word_length, "hypervisor")) {
		config->any_hypervisor = is_word(value, length, "any");
		return config->any_hypervisor || is_word(value, length, "required") ? NULL
										    : "takes any or required";
	}
	return "is nothing that is known here; " NAMES;
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	return at;
}

static bool read_row(struct config *config, const char *row, const char *end, unsigned number,
		     char error[CONFIG_ERROR_MAX])
{
	const char *word = skip_blanks(row, end), *after = word, *value, *wrong;
	char shown[WORD_SHOWN + 1];

	while (end > word && is_blank(end[-1]))
		end--;
	if (word == end || *word == '#')
		return true;
	while (after < end && !is_blank(*after))
		after++;
	value = skip_blanks(after, end);
	wrong = read_entry(config, word, (size_t)(after - word), value, (size_t)(end - value));
	if (wrong) {
		(void)copy(shown, WORD_SHOWN, word,
			   after - word < WORD_SHOWN ? (size_t)(after - word) : WORD_SHOWN);
		snprintf(error, CONFIG_ERROR_MAX, "line %u: '%s' %s", number, shown, wrong);
	}
	return wrong == NULL;
}

bool config_read(struct config *config, const char *text, size_t bytes, char error[CONFIG_ERROR_MAX])
{
	const char *at = text, *end = text + bytes;

	if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) /* editors of Windows begin files so */
		at += 3;
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] == '\0') {
			snprintf(error, CONFIG_ERROR_MAX, "is not text; UTF-16 perhaps: save it as UTF-8");
			return false;
		}
	}
	for (unsigned number = 1; at < end; number++) {
		const char *row_end = memchr(at, '\n', (size_t)(end - at));

		if (!row_end)
			row_end = end;
		if (!read_row(config, at, row_end, number, error))
			return false;
		at = row_end + (row_end < end);
	}
	return true;
}

/* --- Load options --------------------------------------------------------------------------------- */

/* True if they are printed ASCII up to the end or a NUL. */
static bool to_text(const uint8_t *options, size_t bytes, char *text, size_t *length)
{
	*length = 0;
	if (bytes % 2)
		return false;
	for (size_t i = 0; i < bytes; i += 2) {
		if (options[i] == 0 && options[i + 1] == 0)
			return true;
		if (options[i + 1] || options[i] < ' ' || options[i] > '~')
			return false;
		if (*length > CONFIG_LINE_MAX + CONFIG_PATH_MAX)
			return true; /* too long in any case */
		text[(*length)++] = (char)options[i];
	}
	return true;
}

static bool ends_in_efi(const char *word, size_t length)
{
	static const char end[] = ".efi";
	const size_t most = sizeof(end) - 1;

	if (length < most)
		return false;
	for (size_t i = 0; i < most; i++) {
		char c = word[length - most + i];

		if ((c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c) != end[i])
			return false;
	}
	return true;
}

bool config_read_options(struct config *config, const uint8_t *options, size_t bytes,
			 char error[CONFIG_ERROR_MAX])
{
	char text[CONFIG_LINE_MAX + CONFIG_PATH_MAX + 2];
	const char *at = text, *end, *word;
	size_t length;

	if (!to_text(options, bytes, text, &length))
		return true;
	end = text + length;
	at = skip_blanks(at, end);
	for (word = at; at < end && !is_blank(*at);)
		at++;
	at = skip_blanks(ends_in_efi(word, (size_t)(at - word)) ? at : word, end);
	while (end > at && is_blank(end[-1]))
		end--;
	if (at == end)
		return true;
	if (copy(config->line, CONFIG_LINE_MAX, at, (size_t)(end - at)))
		return true;
	snprintf(error, CONFIG_ERROR_MAX, "are longer than 2047 characters");
	return false;
}
