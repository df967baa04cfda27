/* SPDX-License-Identifier: MIT */
/* Values of options, and what is said of wrong ones. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/options_private.h"
#include "apps/hvkit/suggest.h"
#include "hvkit/hvkit.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit_host/quirk.h"

bool options_wrong(struct parser *parser, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(parser->error, CLI_ERROR_MAX, format, arguments);
	va_end(arguments);
	for (char *at = parser->error; *at; at++) { /* it is to be one line, whatever was typed */
		if ((unsigned char)*at < ' ')
			*at = '?';
	}
	return false;
}

static const char *list_names(const char *(*name)(uint32_t n), char *text, size_t size)
{
	size_t used = 0;
	const char *next;

	text[0] = '\0';
	for (uint32_t n = 0; (next = name(n)) != NULL && used < size; n++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", n ? ", " : "", next);
	return text;
}

/* "WHAT 'VALUE' is not known; did you mean 'x'? There are: a, b, c" */
bool options_wrong_name(struct parser *parser, const char *what, const char *value,
			const char *(*name)(uint32_t n))
{
	const char *nearest = suggest_nearest(value, name);
	char names[480];

	list_names(name, names, sizeof(names));
	if (nearest)
		return options_wrong(parser, "%s '%.40s' is not known; did you mean '%s'? There are: %s",
				     what, value, nearest, names);
	return options_wrong(parser, "%s '%.40s' is not known; there are: %s", what, value, names);
}

/* --- What there is ------------------------------------------------------------------ */

static const char *host_name(uint32_t n)
{
	const struct hvh_profile *profile = hvh_profile_get(n);

	return profile ? profile->name : NULL;
}

static const char *silence_name(uint32_t n)
{
	return n + 1 < HVH_SILENCE_COUNT ? hvh_silence_name((enum hvh_silence)(n + 1)) : NULL;
}

static const struct {
	const char *name;
	uint32_t version;
} versions[] = {
	{"0.13", VMBUS_VERSION_0_13}, {"1.1", VMBUS_VERSION_1_1}, {"2.4", VMBUS_VERSION_2_4},
	{"3.0", VMBUS_VERSION_3_0},   {"4.0", VMBUS_VERSION_4_0}, {"4.1", VMBUS_VERSION_4_1},
	{"5.0", VMBUS_VERSION_5_0},   {"5.1", VMBUS_VERSION_5_1}, {"5.2", VMBUS_VERSION_5_2},
	{"5.3", VMBUS_VERSION_5_3},
};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

static const char *version_name(uint32_t n)
{
	return n < VERSIONS ? versions[n].name : NULL;
}

/* --- Values ------------------------------------------------------------------------- */

bool options_number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10);
	return errno == 0 && *end == '\0' && *value <= max;
}

bool options_take_cpus(struct parser *parser, const char *value)
{
	uint64_t cpus;

	if (!options_number(value, HVK_CPUS_MAX, &cpus) || cpus == 0)
		return options_wrong(parser, "--cpus must be 1 to %u, not '%.40s'", HVK_CPUS_MAX, value);
	parser->options->cpus = (uint32_t)cpus;
	return true;
}

bool options_take_host(struct parser *parser, const char *value)
{
	const struct hvh_profile *profile = hvh_profile_find(value);

	if (!profile)
		return options_wrong_name(parser, "host", value, host_name);
	parser->options->host = *profile;
	return true;
}

bool options_take_vmbus_max(struct parser *parser, const char *value)
{
	char names[80];

	for (uint32_t n = 0; n < VERSIONS; n++) {
		if (strcmp(value, versions[n].name) == 0) {
			parser->vmbus_max = versions[n].version;
			return true;
		}
	}
	/* Numbers that look alike are not near each other. */
	return options_wrong(parser, "VMBus version '%.40s' is not known; there are: %s", value,
			     list_names(version_name, names, sizeof(names)));
}

bool options_take_seed(struct parser *parser, const char *value)
{
	if (!options_number(value, UINT64_MAX, &parser->options->seed))
		return options_wrong(
			parser, "--seed must be a number from 0 to 18446744073709551615, not '%.40s'", value);
	parser->options->seeded = true;
	return true;
}

bool options_take_silent(struct parser *parser, const char *value)
{
	if (!hvh_silence_find(value, &parser->options->silence) ||
	    parser->options->silence == HVH_SILENCE_NONE)
		return options_wrong_name(parser, "step", value, silence_name);
	return true;
}

bool options_take_trace(struct parser *parser, const char *value)
{
	parser->options->trace = value;
	return *value ? true : options_wrong(parser, "--trace needs the name of a file to write");
}

bool options_take_summary(struct parser *parser, const char *value)
{
	parser->options->summary = value;
	return *value ? true : options_wrong(parser, "--summary needs the name of a file to write");
}

bool options_take_boot_mode(struct parser *parser, const char *value)
{
	(void)value;
	parser->options->boot_mode = true;
	return true;
}

bool options_take_quiet(struct parser *parser, const char *value)
{
	(void)value;
	parser->options->quiet = true;
	return true;
}

bool options_take_inspect(struct parser *parser, const char *value)
{
	(void)value;
	parser->options->inspect = true;
	return true;
}

bool options_take_script(struct parser *parser, const char *value)
{
	parser->options->script = value;
	return *value ? true : options_wrong(parser, "--script needs the name of a file to read, or -");
}

static const char *color_name(uint32_t n)
{
	static const char *const names[] = {"auto", "always", "never"};

	return n < sizeof(names) / sizeof(names[0]) ? names[n] : NULL;
}

bool options_take_color(struct parser *parser, const char *value)
{
	for (uint32_t n = 0; color_name(n); n++) {
		if (strcmp(value, color_name(n)) == 0) {
			parser->options->color = (enum style_when)n;
			return true;
		}
	}
	return options_wrong_name(parser, "--color", value, color_name);
}

/* --- Quirks --------------------------------------------------------------------------- */

bool options_take_quirk(struct parser *parser, const char *value)
{
	if (!strchr(value, '='))
		return options_wrong(
			parser, "--quirk needs NAME=VALUE, not '%.40s'; 'hvkit hosts' names them", value);
	if (parser->quirk_count == CLI_QUIRKS_MAX)
		return options_wrong(parser, "--quirk: at most %u can be set", CLI_QUIRKS_MAX);
	parser->quirks[parser->quirk_count++] = value;
	return true;
}

bool options_set_quirks(struct parser *parser)
{
	for (uint32_t n = 0; n < parser->quirk_count; n++) {
		const char *value = strchr(parser->quirks[n], '=');
		size_t length = (size_t)(value - parser->quirks[n]);
		char name[64], error[CLI_ERROR_MAX - 16];

		snprintf(name, sizeof(name), "%.*s", (int)(length < 63 ? length : 63), parser->quirks[n]);
		if (!hvh_quirk_set(&parser->options->host, name, value + 1, error, sizeof(error)))
			return options_wrong(parser, "--quirk: %s", error);
	}
	return true;
}
