/* SPDX-License-Identifier: MIT */
/* --disk and --cdrom: what is put where. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/disk_trouble.h"
#include "apps/hvkit/options_private.h"
#include "apps/hvkit/suggest.h"

#define SERIAL_MAX 64u
#define TARGETS 2u
#define LUNS 64u

struct reader {
	struct parser *parser;
	struct cli_disk *disk;
	const char *option; /* "--disk" */
};

/* --- Values ----------------------------------------------------------------------------- */

static bool take_ro(struct reader *reader, const char *value)
{
	(void)value;
	reader->disk->read_only = true;
	return true;
}

static bool take_4kn(struct reader *reader, const char *value)
{
	(void)value;
	if (reader->disk->physical_block_size)
		return options_wrong(reader->parser, "%s: 4kn and 512n do not go together", reader->option);
	reader->disk->block_size = 4096;
	return true;
}

static bool take_512n(struct reader *reader, const char *value)
{
	(void)value;
	if (reader->disk->block_size)
		return options_wrong(reader->parser, "%s: 4kn and 512n do not go together", reader->option);
	reader->disk->physical_block_size = 512;
	return true;
}

static bool take_ide(struct reader *reader, const char *value)
{
	(void)value;
	reader->disk->ide = true;
	return true;
}

static bool take_spare(struct reader *reader, const char *value)
{
	(void)value;
	reader->disk->spare = true;
	return true;
}

static bool take_cache(struct reader *reader, const char *value)
{
	reader->disk->no_cache = strcmp(value, "none") == 0;
	return reader->disk->no_cache || strcmp(value, "volatile") == 0 ||
	       options_wrong(reader->parser, "%s: cache must be volatile or none, not '%.40s'",
			     reader->option, value);
}

static bool take_serial(struct reader *reader, const char *value)
{
	size_t length = strlen(value);
	bool right = length > 0 && length <= SERIAL_MAX;

	for (const char *at = value; *at; at++)
		right = right && *at > ' ' && *at <= '~';
	reader->disk->serial = value;
	return right || options_wrong(reader->parser,
				      "%s: a serial number is 1 to %u characters of ASCII without blanks, "
				      "not '%.70s'",
				      reader->option, SERIAL_MAX, value);
}

static bool take_place(struct reader *reader, const char *what, const char *value, uint32_t max,
		       uint32_t *place)
{
	uint64_t number;

	if (!options_number(value, max, &number))
		return options_wrong(reader->parser, "%s: %s must be 0 to %u, not '%.40s'", reader->option,
				     what, max, value);
	*place = (uint32_t)number;
	reader->disk->placed = true;
	return true;
}

static bool take_controller(struct reader *reader, const char *value)
{
	return take_place(reader, "controller", value, CLI_CONTROLLERS_MAX - 1, &reader->disk->controller);
}

static bool take_target(struct reader *reader, const char *value)
{
	return take_place(reader, "target", value, TARGETS - 1, &reader->disk->target);
}

static bool take_lun(struct reader *reader, const char *value)
{
	reader->disk->lun_given = true;
	return take_place(reader, "lun", value, LUNS - 1, &reader->disk->lun);
}

static bool take_seed(struct reader *reader, const char *value)
{
	reader->disk->seeded = true;
	return options_number(value, UINT64_MAX, &reader->disk->seed) ||
	       options_wrong(reader->parser, "%s: seed must be a number, not '%.40s'", reader->option, value);
}

#define DISK 1u
#define CDROM 2u

static const struct part {
	uint32_t kinds;
	const char *name, *value; /* value: NULL if it has none */
	bool (*take)(struct reader *reader, const char *value);
} parts[] = {
	{DISK, "ro", NULL, take_ro},
	{DISK, "4kn", NULL, take_4kn},
	{DISK, "512n", NULL, take_512n},
	{DISK, "cache", "none", take_cache},
	{DISK, "seed", "N", take_seed},
	{DISK | CDROM, "serial", "TEXT", take_serial},
	{DISK | CDROM, "controller", "N", take_controller},
	{DISK | CDROM, "target", "N", take_target},
	{DISK | CDROM, "lun", "N", take_lun},
	{DISK | CDROM, "ide", NULL, take_ide},
	{DISK | CDROM, "spare", NULL, take_spare},
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static bool is_for(const struct part *part, const struct cli_disk *disk)
{
	return part->kinds & (disk->cdrom ? CDROM : DISK);
}

static bool unknown_part(struct reader *reader, const char *text)
{
	const char *names[PARTS], *nearest;
	char list[200] = "", word[41];
	uint32_t count = 0;
	size_t used = 0;

	for (size_t n = 0; n < PARTS; n++) {
		const struct part *part = &parts[n];

		if (!is_for(part, reader->disk))
			continue;
		names[count] = part->name;
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s%s%s", count ? ", " : "",
					 part->name, part->value ? "=" : "", part->value ? part->value : "");
		count++;
	}
	snprintf(word, sizeof(word), "%.*s", (int)(strcspn(text, "=") < 40 ? strcspn(text, "=") : 40), text);
	nearest = suggest_nearest_of(word, names, count);
	if (nearest)
		return options_wrong(reader->parser,
				     "%s: '%.40s' is not known; did you mean '%s'? There are: %s (a comma "
				     "in a file's name is doubled)",
				     reader->option, text, nearest, list);
	return options_wrong(reader->parser,
			     "%s: '%.40s' is not known; there are: %s (a comma in a file's name is doubled)",
			     reader->option, text, list);
}

static bool take_part(struct reader *reader, char *text)
{
	char *value = strchr(text, '=');
	size_t length = value ? (size_t)(value - text) : strlen(text);

	for (size_t n = 0; n < PARTS; n++) {
		const struct part *part = &parts[n];

		if (is_for(part, reader->disk) && strlen(part->name) == length &&
		    memcmp(part->name, text, length) == 0 && !part->value == !value)
			return part->take(reader, value ? value + 1 : NULL);
	}
	return unknown_part(reader, text);
}

/* --- The whole -------------------------------------------------------------------------- */

/* Cuts off what is before the next single comma, in which double ones become single; *text is what is
 * behind it, or NULL. */
static char *split(char **text)
{
	char *start = *text, *to = start;

	for (char *from = start;; from++) {
		if (*from == ',' && from[1] == ',') {
			from++;
		} else if (*from == ',' || *from == '\0') {
			*text = *from ? from + 1 : NULL;
			*to = '\0';
			return start;
		}
		*to++ = *from;
	}
}

static bool check(struct reader *reader)
{
	const struct cli_disk *disk = reader->disk;

	if (disk->ide && disk->placed)
		return options_wrong(reader->parser,
				     "%s: ide is a controller of its own: it goes without controller, target "
				     "and lun",
				     reader->option);
	if (disk->spare && (disk->ide || disk->placed || disk->serial || disk->block_size))
		return options_wrong(reader->parser,
				     "%s: of a spare only the file is named; the rest is said when it is "
				     "added",
				     reader->option);
	if (disk->spare && !disk->file)
		return options_wrong(reader->parser, "%s: a spare needs a file", reader->option);
	return true;
}

static bool parse(struct reader *reader, const char *text)
{
	struct cli_disk *disk = reader->disk;
	char *rest;

	disk->text = rest = strdup(text);
	if (!rest)
		return options_wrong(reader->parser, "out of memory");
	disk->file = split(&rest);
	if (!*disk->file)
		return options_wrong(reader->parser, "%s needs the name of a file", reader->option);
	if (disk->cdrom && strcmp(disk->file, CLI_DISK_EMPTY) == 0)
		disk->file = NULL;
	while (rest) {
		if (!take_part(reader, split(&rest)))
			return false;
	}
	return check(reader);
}

bool cli_disk_parse(const char *text, bool cdrom, struct cli_disk *disk, char *error)
{
	struct parser parser = {.error = error};
	struct reader reader = {&parser, disk, cdrom ? "--cdrom" : "--disk"};

	*disk = (struct cli_disk){.cdrom = cdrom, .read_only = cdrom};
	return parse(&reader, text);
}

void cli_disk_free(struct cli_disk *disk)
{
	free(disk->text);
	*disk = (struct cli_disk){0};
}

static bool take(struct parser *parser, const char *value, bool cdrom)
{
	struct cli_options *options = parser->options;

	if (options->disk_count == CLI_DISKS_MAX)
		return options_wrong(parser, "--disk, --cdrom: there can be at most %u", CLI_DISKS_MAX);
	return cli_disk_parse(value, cdrom, &options->disks[options->disk_count++], parser->error);
}

/* One of KIND=VALUE. */
static bool take_trouble(struct parser *parser, char *text)
{
	char *value = strchr(text, '=');
	const char *right;
	uint32_t kind = 0;

	if (value)
		*value++ = '\0';
	while (disk_trouble_name(kind) && strcmp(disk_trouble_name(kind), text) != 0)
		kind++;
	if (!disk_trouble_name(kind))
		return options_wrong_name(parser, "--disk-trouble", text, disk_trouble_name);
	if (!disk_trouble_set(&parser->options->disk_trouble, kind, value ? value : "", &right))
		return options_wrong(parser, "--disk-trouble: %s must be %s, not '%.40s'", text, right,
				     value ? value : "");
	return true;
}

bool options_take_disk_trouble(struct parser *parser, const char *value)
{
	char *text = strdup(value), *rest = text;
	bool right = true;

	if (!text)
		return options_wrong(parser, "out of memory");
	while (right && rest)
		right = take_trouble(parser, split(&rest));
	free(text);
	return right;
}

bool options_take_disk(struct parser *parser, const char *value)
{
	return take(parser, value, false);
}

bool options_take_cdrom(struct parser *parser, const char *value)
{
	return take(parser, value, true);
}
