/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/trace/tables.h"
#include "apps/hvkit/trace/trace.h"

#define UNITS_PER_SECOND 10000000ull
#define FRACTION_DIGITS 7u
#define SECONDS_MAX 900000000000ull
#define WORD_MAX 32u

static bool wrong(char error[TRACE_ERROR_MAX], const char *format, const char *option, const char *value)
{
	snprintf(error, TRACE_ERROR_MAX, format, option, value);
	return false;
}

/* "1.25": exactly, in units of 100 ns. */
static bool parse_seconds(const char *text, uint64_t *time)
{
	uint64_t value = 0, fraction = 0;
	uint32_t digits = 0, places = 0;

	for (; *text >= '0' && *text <= '9'; text++, digits++) {
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > SECONDS_MAX)
			return false;
	}
	if (*text == '.') {
		for (text++; *text >= '0' && *text <= '9' && places < FRACTION_DIGITS;
		     text++, places++, digits++)
			fraction = fraction * 10 + (uint64_t)(*text - '0');
	}
	for (; places < FRACTION_DIGITS; places++)
		fraction *= 10;
	*time = value * UNITS_PER_SECOND + fraction;
	return *text == '\0' && digits > 0;
}

/* The next word of a list with commas, into word; NULL at the end or if it is too long. */
static const char *next_word(const char *list, char word[WORD_MAX])
{
	size_t length = strcspn(list, ",");

	if (length == 0 || length >= WORD_MAX)
		return NULL;
	memcpy(word, list, length);
	word[length] = '\0';
	list += length;
	return *list == ',' && list[1] != '\0' ? list + 1 : list;
}

static bool parse_channels(const char *list, struct trace_options *options, char error[TRACE_ERROR_MAX])
{
	char word[WORD_MAX], *end;

	for (const char *at = list; at != NULL && *at != '\0';) {
		unsigned long value;

		at = next_word(at, word);
		if (at == NULL || *at == ',')
			break;
		value = strtoul(word, &end, 10);
		if (word[0] < '0' || word[0] > '9' || *end != '\0' || value >= TRACE_CHANNELS ||
		    options->channel_count == TRACE_CHANNEL_FILTERS)
			break;
		options->channels[options->channel_count++] = (uint32_t)value;
		if (*at == '\0')
			return true;
	}
	snprintf(error, TRACE_ERROR_MAX,
		 "trace: --channel '%s': say numbers from 0 to %u, e.g. 1,2 (0: no channel)", list,
		 TRACE_CHANNELS - 1u);
	return false;
}

static bool parse_kinds(const char *list, struct trace_options *options, char error[TRACE_ERROR_MAX])
{
	char word[WORD_MAX];
	const char *at = list;
	int length;

	options->has_kinds = true;
	do {
		bool known = false;

		at = next_word(at, word);
		for (uint32_t n = 0; at != NULL && n < trace_kind_names.count; n++) {
			if (strcmp(word, trace_kind_names.list[n].name) != 0)
				continue;
			options->kinds |= 1u << trace_kind_names.list[n].value;
			known = true;
		}
		if (!known || *at == ',')
			goto unknown;
	} while (*at != '\0');
	return true;
unknown:
	length = snprintf(error, TRACE_ERROR_MAX, "trace: --kind '%.40s': say one or more of", list);
	for (uint32_t n = 0; n < trace_kind_names.count; n++)
		length += snprintf(error + length, TRACE_ERROR_MAX - (size_t)length, "%s%s",
				   n > 0 ? "," : " ", trace_kind_names.list[n].name);
	return false;
}

/* Options with a value. */
static bool take_value(const char *option, const char *value, struct trace_options *options,
		       char error[TRACE_ERROR_MAX])
{
	if (strcmp(option, "--channel") == 0)
		return parse_channels(value, options, error);
	if (strcmp(option, "--kind") == 0)
		return parse_kinds(value, options, error);
	if (strcmp(option, "--html") == 0) {
		options->html = value;
		return value[0] != '\0' || wrong(error, "trace: %s needs a file%s", option, "");
	}
	if (!parse_seconds(value, strcmp(option, "--from") == 0 ? &options->from : &options->to))
		return wrong(error, "trace: %s '%.40s': say seconds, e.g. 1.25", option, value);
	return true;
}

static bool needs_value(const char *option)
{
	static const char *const all[] = {"--channel", "--kind", "--from", "--to", "--html"};

	for (uint32_t n = 0; n < sizeof(all) / sizeof(all[0]); n++) {
		if (strcmp(option, all[n]) == 0)
			return true;
	}
	return false;
}

static bool take_flag(const char *option, struct trace_options *options)
{
	if (strcmp(option, "--bytes") == 0)
		options->bytes = true;
	else if (strcmp(option, "--check") == 0)
		options->check = true;
	else if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0)
		options->help = true;
	else
		return false;
	return true;
}

bool trace_options_parse(int count, char *const arguments[], struct trace_options *options,
			 char error[TRACE_ERROR_MAX])
{
	memset(options, 0, sizeof(*options));
	options->to = UINT64_MAX;
	for (int n = 1; n < count; n++) {
		const char *word = arguments[n];

		if (needs_value(word)) {
			if (n + 1 == count)
				return wrong(error, "trace: %s needs a value; see hvkit trace --help%s", word,
					     "");
			if (!take_value(word, arguments[++n], options, error))
				return false;
		} else if (word[0] == '-' && word[1] != '\0') {
			if (!take_flag(word, options))
				return wrong(error, "trace: no option '%.60s'; see hvkit trace --help%s",
					     word, "");
		} else if (options->file != NULL) {
			return wrong(error, "trace: one file at a time: '%.60s' and '%.60s'", options->file,
				     word);
		} else {
			options->file = word;
		}
	}
	if (options->help)
		return true;
	if (options->file == NULL)
		return wrong(error, "%s: which file? hvkit run --trace FILE writes one%s", "trace", "");
	if (options->from > options->to)
		return wrong(error, "trace: --from is later than --to%s%s", "", "");
	if (options->html != NULL && (options->check || options->bytes))
		return wrong(error, "trace: --html goes with neither --check nor --bytes%s%s", "", "");
	return true;
}

bool trace_wanted(const struct trace_options *options, const struct trace_record *record, uint32_t channel)
{
	if (record->time < options->from || record->time > options->to)
		return false;
	if (options->has_kinds && (record->kind > 31 || (options->kinds & 1u << record->kind) == 0))
		return false;
	for (uint32_t n = 0; n < options->channel_count; n++) {
		if (options->channels[n] == channel)
			return true;
	}
	return options->channel_count == 0;
}
