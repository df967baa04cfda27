/* SPDX-License-Identifier: MIT */
/* Keyboard, mouse, integration components, and what our own guest does with them. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "apps/hvkit/options_private.h"

#define FREEZE_MAX_S 3600u

struct word {
	const char *name;
	uint32_t bits;
};

/* Words joined by '+'; the first two of the table are all and none. */
static bool take_list(const struct word *words, size_t count, const char *text, uint32_t *bits)
{
	*bits = 0;
	for (;;) {
		size_t length = strcspn(text, "+"), n = 0;

		while (n < count &&
		       (strlen(words[n].name) != length || memcmp(words[n].name, text, length) != 0))
			n++;
		if (n == count)
			return false;
		*bits |= words[n].bits;
		if (!text[length])
			return true;
		text += length + 1;
	}
}

bool options_take_input(struct parser *parser, const char *value)
{
	enum { KEYBOARD = 1, MOUSE = 2 };
	static const struct word words[] = {
		{"all", KEYBOARD | MOUSE}, {"none", 0}, {"keyboard", KEYBOARD}, {"mouse", MOUSE}};
	uint32_t bits;

	if (!take_list(words, sizeof(words) / sizeof(words[0]), value, &bits))
		return options_wrong(
			parser, "--input must be all, none, keyboard, mouse or keyboard+mouse, not '%.60s'",
			value);
	parser->options->keyboard = (bits & KEYBOARD) != 0;
	parser->options->mouse = (bits & MOUSE) != 0;
	return true;
}

bool options_take_utilities(struct parser *parser, const char *value)
{
	static const struct word words[] = {
		{"all", HVH_UTILITIES_ALL},
		{"none", 0},
		{"shutdown", HVH_UTILITY_SHUTDOWN},
		{"timesync", HVH_UTILITY_TIMESYNC},
		{"heartbeat", HVH_UTILITY_HEARTBEAT},
		{"kvp", HVH_UTILITY_KVP},
		{"vss", HVH_UTILITY_VSS},
		{"fcopy", HVH_UTILITY_FCOPY},
	};

	if (!take_list(words, sizeof(words) / sizeof(words[0]), value, &parser->options->utilities))
		return options_wrong(
			parser,
			"--utilities must be all, none, or words joined by '+' of shutdown, timesync, "
			"heartbeat, kvp, vss and fcopy, not '%.80s'",
			value);
	return true;
}

bool options_take_kvp_file(struct parser *parser, const char *value)
{
	parser->options->kvp_file = value;
	return *value ? true : options_wrong(parser, "--kvp-file needs the name of a file");
}

bool options_take_guest_dir(struct parser *parser, const char *value)
{
	struct stat status;

	parser->options->guest_dir = value;
	if (stat(value, &status) != 0)
		return options_wrong(parser, "--guest-dir: '%.200s': %s", value, strerror(errno));
	return S_ISDIR(status.st_mode) ||
	       options_wrong(parser, "--guest-dir: '%.200s' is not a directory", value);
}

bool options_take_freeze_max(struct parser *parser, const char *value)
{
	uint64_t seconds;

	if (!options_number(value, FREEZE_MAX_S, &seconds) || seconds == 0)
		return options_wrong(parser, "--freeze-max must be 1 to %u seconds, not '%.40s'",
				     FREEZE_MAX_S, value);
	parser->options->freeze_max_ms = (uint32_t)seconds * 1000u;
	return true;
}

bool options_check_services(struct parser *parser)
{
	const struct cli_options *options = parser->options;
	bool foreign = options->guest || options->kernel;

	if (options->kvp_file && !(options->utilities & HVH_UTILITY_KVP))
		return options_wrong(parser, "--kvp-file keeps pairs of --utilities kvp (or all)");
	if (options->guest_dir && options->accel == CLI_ACCEL_KVM)
		return options_wrong(parser, "--guest-dir is for --accel hosted: a guest on virtual CPUs "
					     "keeps what is its own in its memory, or on its disks");
	if (options->freeze_max_ms && foreign)
		return options_wrong(parser, "--freeze-max is for hvkit's own guest");
	if (options->freeze_max_ms && !(options->utilities & HVH_UTILITY_VSS))
		return options_wrong(parser, "--freeze-max is about backups: --utilities vss (or all)");
	return true;
}
