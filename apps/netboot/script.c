/* SPDX-License-Identifier: MIT */
/* Scripts as they are written: lines, verbs, and what must follow each. */
#include "apps/netboot/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum shape { NOTHING, ANYTHING, LABEL, ITEM, FILE_URL, FILE_AND_WORDS, NAME_AND_VALUE, SUM, SECONDS };

static const struct verb {
	const char *name, *usage;
	enum shape shape;
} verbs[] = {
	[SCRIPT_BOOT] = {"boot", "", NOTHING},
	[SCRIPT_DEFAULT] = {"default", "LABEL", LABEL},
	[SCRIPT_DHCP] = {"dhcp", "", NOTHING},
	[SCRIPT_ECHO] = {"echo", "[TEXT]", ANYTHING},
	[SCRIPT_EXIT] = {"exit", "", NOTHING},
	[SCRIPT_GOTO] = {"goto", "LABEL", LABEL},
	[SCRIPT_INITRD] = {"initrd", "[--sha256 HEX] URL", FILE_URL},
	[SCRIPT_ITEM] = {"item", "LABEL TEXT", ITEM},
	[SCRIPT_KERNEL] = {"kernel", "[--sha256 HEX] URL [ARGUMENTS]", FILE_AND_WORDS},
	[SCRIPT_LABEL] = {"label", "NAME", LABEL},
	[SCRIPT_MENU] = {"menu", "[TITLE]", ANYTHING},
	[SCRIPT_SET] = {"set", "NAME [VALUE]", NAME_AND_VALUE},
	[SCRIPT_SHA256] = {"sha256", "HEX", SUM},
	[SCRIPT_TIMEOUT] = {"timeout", "SECONDS", SECONDS},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

size_t script_word(const char *text)
{
	return strcspn(text, " \t");
}

const char *script_after(const char *text)
{
	text += script_word(text);
	return text + strspn(text, " \t");
}

bool script_is_name(const char *text, size_t length)
{
	if (length == 0 || length > SCRIPT_NAME_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '_')
			return false;
	}
	return true;
}

bool script_is_sum(const char *text, size_t length)
{
	if (length != 2 * SHA256_BYTES)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
			return false;
	}
	return true;
}

bool script_number(const char *text, uint32_t most, uint32_t *number)
{
	*number = 0;
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		*number = *number * 10 + (uint32_t)(*text - '0');
		if (*number > most)
			return false;
	}
	return true;
}

/* --- Checking ------------------------------------------------------------------------------------ */

struct parser {
	struct script *script;
	char *error;
	uint32_t line;
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct parser *parser, const char *format, ...)
{
	int used = snprintf(parser->error, SCRIPT_ERROR_MAX, "line %u: ", parser->line);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(parser->error + used, SCRIPT_ERROR_MAX - (size_t)used, format, arguments);
	va_end(arguments);
	return false;
}

static bool wants(struct parser *parser, const struct verb *verb)
{
	return wrong(parser, "it is '%s%s%s'", verb->name, verb->usage[0] ? " " : "",
		     verb->usage[0] ? verb->usage : "' and nothing else, not even a comment, '");
}

static bool has_variable(const char *text)
{
	return strstr(text, "${") != NULL;
}

static bool check_file(struct parser *parser, const struct verb *verb, const char *rest)
{
	if (strncmp(rest, "--", 2) == 0) {
		const char *option = rest;
		const char *sum = script_after(rest);
		size_t length = script_word(sum);

		if (strncmp(option, "--sha256", script_word(option)) != 0 || script_word(option) != 8)
			return wrong(parser, "%s: '%.40s' is not known; there is --sha256 HEX", verb->name,
				     option);
		if (!script_is_sum(sum, length) && !has_variable(sum))
			return wrong(parser, "%s: --sha256 takes 64 hexadecimal digits", verb->name);
		rest = script_after(sum);
	}
	if (!*rest)
		return wants(parser, verb);
	if (verb->shape == FILE_URL && *script_after(rest) && !has_variable(rest))
		return wrong(parser, "%s: one file, and nothing behind it", verb->name);
	return true;
}

static bool check_names(struct parser *parser, const struct verb *verb, const char *rest)
{
	size_t length = script_word(rest);
	const char *after = script_after(rest);

	if (!length)
		return wants(parser, verb);
	if (!script_is_name(rest, length) && !(verb->shape == LABEL && has_variable(rest)))
		return wrong(parser, "'%.40s' is no name: letters, digits, '-' and '_', at most %u of them",
			     rest, SCRIPT_NAME_MAX);
	if ((verb->shape == LABEL && *after) || (verb->shape == ITEM && !*after))
		return wants(parser, verb);
	return true;
}

static bool check(struct parser *parser, enum script_verb number, const char *rest)
{
	const struct verb *verb = &verbs[number];
	uint32_t seconds;

	switch (verb->shape) {
	case NOTHING:
		return !*rest || wants(parser, verb);
	case LABEL:
	case ITEM:
	case NAME_AND_VALUE:
		return check_names(parser, verb, rest);
	case FILE_URL:
	case FILE_AND_WORDS:
		return check_file(parser, verb, rest);
	case SUM:
		return script_is_sum(rest, strlen(rest)) || has_variable(rest) ||
		       wrong(parser, "sha256 takes 64 hexadecimal digits");
	case SECONDS:
		return script_number(rest, SCRIPT_TIMEOUT_MAX, &seconds) || has_variable(rest) ||
		       wrong(parser, "timeout takes seconds, 0 (for ever) to %u", SCRIPT_TIMEOUT_MAX);
	default:
		return true;
	}
}

/* --- Lines --------------------------------------------------------------------------------------- */

static bool unknown(struct parser *parser, const char *line)
{
	char list[200] = "";
	size_t used = 0;

	for (size_t i = 0; i < VERBS && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
					 verbs[i].name);
	return wrong(parser, "'%.*s' is not known; there are: %s",
		     (int)(script_word(line) < 40 ? script_word(line) : 40), line, list);
}

static bool add_statement(struct parser *parser, const char *line)
{
	struct script *script = parser->script;
	size_t length = script_word(line);

	for (size_t i = 0; i < VERBS; i++) {
		const char *rest = script_after(line);

		if (strlen(verbs[i].name) != length || memcmp(verbs[i].name, line, length) != 0)
			continue;
		if (!check(parser, (enum script_verb)i, rest))
			return false;
		if (script->count == SCRIPT_LINES_MAX)
			return wrong(parser, "more than %u statements", SCRIPT_LINES_MAX);
		script->statements[script->count++] = (struct script_statement){parser->line,
										(enum script_verb)i, rest};
		return true;
	}
	return unknown(parser, line);
}

/* The line ends with zero. Blanks around it are no part of it; one that begins with '#' is a comment. */
static bool take_line(struct parser *parser, char *line)
{
	size_t length;

	line += strspn(line, " \t");
	length = strlen(line);
	while (length && is_blank(line[length - 1]))
		line[--length] = '\0';
	if (length == 0 || line[0] == '#')
		return true;
	if (length > SCRIPT_LINE_MAX)
		return wrong(parser, "longer than %u characters", SCRIPT_LINE_MAX);
	return add_statement(parser, line);
}

static bool is_separator(const char *text, size_t i, bool semicolons)
{
	return semicolons && text[i] == ';' && (i == 0 || is_blank(text[i - 1])) &&
	       (!text[i + 1] || is_blank(text[i + 1]));
}

static bool take_lines(struct parser *parser, size_t length, bool semicolons)
{
	char *text = parser->script->text;
	size_t begin = 0;

	for (size_t i = 0; i <= length; i++) {
		bool end = i == length || text[i] == '\n';

		if (!end && !is_separator(text, i, semicolons))
			continue;
		text[i] = '\0';
		if (i > begin && text[i - 1] == '\r')
			text[i - 1] = '\0';
		if (!take_line(parser, text + begin))
			return false;
		begin = i + 1;
		parser->line += end;
	}
	return true;
}

static bool is_text(struct parser *parser, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n')
			parser->line++;
		else if ((c < ' ' && c != '\t' && !(c == '\r' && i + 1 < length && text[i + 1] == '\n')) ||
			 c == 0x7f)
			return wrong(parser, "byte 0x%02x is no text: is this a boot script?", c);
	}
	parser->line = 1;
	return true;
}

/* --- Labels -------------------------------------------------------------------------------------- */

static bool refers(enum script_verb verb)
{
	return verb == SCRIPT_GOTO || verb == SCRIPT_DEFAULT || verb == SCRIPT_ITEM;
}

static uint32_t count_labels(const struct script *script, const char *name)
{
	size_t length = script_word(name);
	uint32_t count = 0;

	for (uint32_t i = 0; i < script->count; i++) {
		const struct script_statement *statement = &script->statements[i];

		count += statement->verb == SCRIPT_LABEL && strlen(statement->rest) == length &&
			 memcmp(statement->rest, name, length) == 0;
	}
	return count;
}

static bool check_labels(struct parser *parser)
{
	const struct script *script = parser->script;

	for (uint32_t i = 0; i < script->count; i++) {
		const struct script_statement *statement = &script->statements[i];
		int length = (int)script_word(statement->rest);

		parser->line = statement->line;
		if (statement->verb == SCRIPT_LABEL && has_variable(statement->rest))
			return wrong(parser, "a label's name holds no variable");
		if (statement->verb == SCRIPT_LABEL && count_labels(script, statement->rest) > 1)
			return wrong(parser, "there is more than one label '%.*s'", length, statement->rest);
		if (refers(statement->verb) && !has_variable(statement->rest) &&
		    !count_labels(script, statement->rest))
			return wrong(parser, "there is no 'label %.*s'", length, statement->rest);
	}
	return true;
}

bool script_parse(struct script *script, const char *bytes, size_t length, bool semicolons,
		  char error[SCRIPT_ERROR_MAX])
{
	struct parser parser = {.script = script, .error = error, .line = 1};
	static const char mark[] = "\xef\xbb\xbf"; /* that it is UTF-8, as some editors write it */

	script->count = 0;
	if (length >= 3 && memcmp(bytes, mark, 3) == 0) {
		bytes += 3;
		length -= 3;
	}
	if (length > SCRIPT_BYTES_MAX)
		return wrong(&parser, "the script is longer than %u bytes", SCRIPT_BYTES_MAX);
	memcpy(script->text, bytes, length);
	script->text[length] = '\0';
	return is_text(&parser, script->text, length) && take_lines(&parser, length, semicolons) &&
	       check_labels(&parser);
}
