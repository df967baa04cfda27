/* SPDX-License-Identifier: MIT */
/* disk ls, cat and hash: files of an ISO 9660 file system, on a disk, a CD-ROM or a partition. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/disk.h"
#include "apps/storage/iso9660.h"

#define PIECE 4096u /* shown at once */

/* What a command was asked for, and what has been found of it. */
struct lookup {
	const char *command;
	enum iso9660_names names;
	char path[SHELL_LINE_MAX + 1];
	struct disk_place place;
	struct disk_work work;
	struct storage_source source;
	struct iso9660 volume;
	struct iso9660_entry entry;
};

/* --- Words --------------------------------------------------------------------------------------- */

static int parse_names(struct shell *shell, struct lookup *lookup, const char *word)
{
	static const struct {
		const char *word;
		enum iso9660_names names;
	} known[] = {
		{"rock-ridge", ISO9660_ROCK_RIDGE}, {"joliet", ISO9660_JOLIET}, {"plain", ISO9660_PLAIN}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(word, known[i].word) == 0) {
			lookup->names = known[i].names;
			return SHELL_OK;
		}
	}
	return shell_usage(shell, "disk %s: --names takes rock-ridge, joliet or plain, not '%.40s'\n",
			   lookup->command, word);
}

/* "DISK:PATH", or "DISK PATH"; words of a path with spaces come apart, and are joined by one. */
static int parse_path(struct shell *shell, struct lookup *lookup, uint32_t count, char *const words[])
{
	size_t length = strcspn(words[0], ":"), used = 0;
	char disk[DISK_PLACE_NAME + 12];
	const char *rest = words[0] + length;

	if (length >= sizeof(disk))
		length = sizeof(disk) - 1;
	memcpy(disk, words[0], length);
	disk[length] = '\0';
	lookup->path[0] = '\0';
	if (*rest)
		used = (size_t)snprintf(lookup->path, sizeof(lookup->path), "%s", rest + 1);
	for (uint32_t i = 1; i < count && used < sizeof(lookup->path); i++)
		used += (size_t)snprintf(lookup->path + used, sizeof(lookup->path) - used, "%s%s",
					 used ? " " : "", words[i]);
	return disk_place_parse(shell, lookup->command, disk, &lookup->place);
}

static int parse(struct shell *shell, struct lookup *lookup, uint32_t count, char *const words[])
{
	if (strcmp(words[0], "--names") == 0) {
		int status = count < 2
				     ? shell_usage(shell, "disk %s: --names needs a word\n", lookup->command)
				     : parse_names(shell, lookup, words[1]);

		if (status != SHELL_OK)
			return status;
		count -= 2;
		words += 2;
	}
	if (!count)
		return shell_usage(shell, "disk %s: which disk?\n", lookup->command);
	return parse_path(shell, lookup, count, words);
}

/* --- Finding ------------------------------------------------------------------------------------- */

int disk_source_error(struct disk_work *work, const char *command, const char *text)
{
	const char *name = work->place.name;

	if (atomic_load(&work->shell->cancelled))
		return shell_error(work->shell, "disk %s: interrupted\n", command);
	if (work->status == HVK_OK)
		return shell_error(work->shell, "disk %s: %s: %s\n", command, name, text);
	return shell_error(work->shell, "disk %s: %s: %s: %s\n", command, name, hvk_status_name(work->status),
			   hvk_status_text(work->status));
}

static int iso_error(struct lookup *lookup, enum iso9660_status status)
{
	struct shell *shell = lookup->work.shell;

	if (status == ISO9660_READ_ERROR)
		return disk_source_error(&lookup->work, lookup->command, iso9660_text(status));
	return shell_error(shell, "disk %s: %s%s%s: %s\n", lookup->command, lookup->place.name,
			   lookup->path[0] ? ":" : "", lookup->path, iso9660_text(status));
}

/* Disk, file system and entry; the work has begun if this succeeds. */
static int open_lookup(struct shell *shell, struct lookup *lookup, uint32_t count, char *const words[])
{
	int status = parse(shell, lookup, count, words);
	enum iso9660_status found;

	if (status == SHELL_OK)
		status = disk_work_begin(&lookup->work, shell, &lookup->place, DISK_SLOTS, DISK_SLOT_BYTES,
					 0);
	if (status != SHELL_OK)
		return status;
	disk_work_source(&lookup->work, &lookup->source);
	found = iso9660_open(&lookup->volume, &lookup->source, lookup->names);
	if (found == ISO9660_OK)
		found = iso9660_find(&lookup->volume, lookup->path, &lookup->entry);
	if (found == ISO9660_OK)
		return SHELL_OK;
	status = iso_error(lookup, found);
	disk_work_end(&lookup->work);
	return status;
}

/* --- ls ------------------------------------------------------------------------------------------- */

static void show_entry(struct shell *shell, const struct iso9660_entry *entry)
{
	shell_print(shell, SHELL_OUTPUT, "%12llu  %04u-%02u-%02u %02u:%02u  %s%s\n",
		    (unsigned long long)entry->size, entry->year, entry->month, entry->day, entry->hour,
		    entry->minute, entry->name,
		    entry->directory       ? "/"
		    : entry->symbolic_link ? "@"
					   : "");
}

static int list_directory(struct lookup *lookup)
{
	struct iso9660_list list;
	struct iso9660_entry entry;
	enum iso9660_status status = iso9660_list(&lookup->volume, &lookup->entry, &list);

	while (status == ISO9660_OK) {
		status = iso9660_next(&list, &entry);
		if (status == ISO9660_OK)
			show_entry(lookup->work.shell, &entry);
	}
	return status == ISO9660_END ? SHELL_OK : iso_error(lookup, status);
}

static const char *names_text(enum iso9660_names names)
{
	return names == ISO9660_ROCK_RIDGE ? "Rock Ridge" : names == ISO9660_JOLIET ? "Joliet" : "plain";
}

int disk_command_ls(struct shell *shell, uint32_t count, char *const words[])
{
	struct lookup lookup = {.command = "ls"};
	int status = open_lookup(shell, &lookup, count, words);

	if (status != SHELL_OK)
		return status;
	shell_print(shell, SHELL_OUTPUT, "%s: \"%s\", ISO 9660 with %s names\n", lookup.place.name,
		    lookup.volume.name, names_text(lookup.volume.names));
	if (lookup.entry.directory)
		status = list_directory(&lookup);
	else
		show_entry(shell, &lookup.entry);
	disk_work_end(&lookup.work);
	return status;
}

/* --- cat and hash ---------------------------------------------------------------------------------- */

static int read_file(struct lookup *lookup, const struct disk_reader *reader)
{
	int status = SHELL_OK;

	if (lookup->entry.directory)
		return iso_error(lookup, ISO9660_NOT_FILE);
	for (uint32_t n = 0; n < lookup->entry.extent_count && status == SHELL_OK; n++)
		status = disk_read_bytes(&lookup->work, reader, lookup->entry.extents[n].offset,
					 lookup->entry.extents[n].length);
	return status;
}

static bool show_bytes(void *context, uint64_t offset, const uint8_t *data, uint32_t length)
{
	const struct shell_platform *platform = &((struct shell *)context)->platform;

	(void)offset;
	for (uint32_t at = 0; at < length; at += PIECE)
		platform->write(platform->context, SHELL_OUTPUT, (const char *)data + at,
				length - at < PIECE ? length - at : PIECE);
	return true;
}

int disk_command_cat(struct shell *shell, uint32_t count, char *const words[])
{
	struct lookup lookup = {.command = "cat"};
	const struct disk_reader reader = {"cat", show_bytes, shell};
	int status = open_lookup(shell, &lookup, count, words);

	if (status != SHELL_OK)
		return status;
	status = read_file(&lookup, &reader);
	disk_work_end(&lookup.work);
	return status;
}

static bool hash_bytes(void *context, uint64_t offset, const uint8_t *data, uint32_t length)
{
	(void)offset;
	sha256_add(context, data, length);
	return true;
}

int disk_hash_file(struct shell *shell, uint32_t count, char *const words[])
{
	struct lookup lookup = {.command = "hash"};
	struct sha256 sha;
	const struct disk_reader reader = {"hash", hash_bytes, &sha};
	int status = open_lookup(shell, &lookup, count, words);

	if (status != SHELL_OK)
		return status;
	sha256_begin(&sha);
	status = read_file(&lookup, &reader);
	if (status == SHELL_OK)
		disk_tell_digest(&lookup.work, &sha, lookup.entry.size);
	disk_work_end(&lookup.work);
	return status;
}
