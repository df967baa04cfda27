/* SPDX-License-Identifier: MIT */
/* The monitor's commands about storage: disk VERB ..., cut. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/disk_trouble.h"
#include "apps/hvkit/monitor_private.h"
#include "apps/hvkit/options.h"
#include "apps/hvkit/storage.h"

#define LEAST_MS 40u /* for the guest to begin with what it is told */
#define QUIET_MS 20u
#define MOST_MS 3000u
#define SIZE_MAX_BYTES (1ull << 60)

/* --- Names ----------------------------------------------------------------------------------- */

static uint32_t disk_names(const struct storage *storage, const char *names[CLI_DISKS_MAX])
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < CLI_DISKS_MAX; n++) {
		if (storage->disks[n].there)
			names[count++] = storage->disks[n].name;
	}
	return count;
}

/* NULL: said what there is; *status is the command's. */
static struct storage_disk *find_disk(const struct monitor_call *call, const char *name, int *status)
{
	struct storage *storage = call->monitor->storage;
	struct storage_disk *disk = storage_find(storage, name);
	const char *names[CLI_DISKS_MAX];

	if (!disk)
		*status = monitor_unknown(call, "disk", name, names, disk_names(storage, names));
	return disk;
}

/* The guest hears of it, looks at what there is, and is done with that. */
static void settle(const struct monitor_call *call, const char *controller)
{
	struct monitor_wait *wait = &call->monitor->wait;

	monitor_settle(call, MONITOR_WAIT_QUIET, controller, MOST_MS);
	wait->from = call->now + LEAST_MS * HVH_TIME_PER_MS;
	wait->since = wait->from;
}

bool monitor_is_quiet(struct monitor *monitor, uint64_t now)
{
	struct monitor_wait *wait = &monitor->wait;
	const struct hvh_storage *controller = hvh_storage_find(machine_partition(&monitor->machine),
								wait->device);
	struct hvh_storage_counters counters;

	if (!controller)
		return true;
	hvh_storage_get_counters(controller, &counters);
	if (counters.requests != wait->requests) {
		wait->requests = counters.requests;
		wait->since = now;
	}
	return now >= wait->since + QUIET_MS * HVH_TIME_PER_MS;
}

static int told(const struct monitor_call *call, const struct storage_disk *disk)
{
	settle(call, disk->controller);
	return SHELL_OK;
}

/* --- list ------------------------------------------------------------------------------------ */

static const char *kind_of(const struct storage_disk *disk)
{
	if (disk->config.cdrom)
		return "cd-rom";
	return disk->config.read_only ? "read-only" : disk->config.no_cache ? "no-cache" : "disk";
}

static int list(const struct monitor_call *call)
{
	const struct storage *storage = call->monitor->storage;
	uint32_t count = 0;

	for (uint32_t n = 0; n < CLI_DISKS_MAX; n++) {
		const struct storage_disk *disk = &storage->disks[n];

		if (!disk->there)
			continue;
		monitor_print(call->monitor, "%-8s %-7s target %u LUN %-2u  %-9s %14llu  %s\n", disk->name,
			      disk->controller, disk->target, disk->lun, kind_of(disk),
			      (unsigned long long)(disk->image ? disk->image->file.size : 0),
			      disk->image ? disk->image->path : "no medium");
		count++;
	}
	for (uint32_t n = 0; n < STORAGE_IMAGES_MAX; n++) {
		const struct storage_image *image = storage->images[n];

		if (image && !image->used)
			monitor_print(call->monitor, "spare    %38s %14llu  %s\n",
				      image->read_only ? "read-only" : "disk     ",
				      (unsigned long long)image->file.size, image->path);
		count += image && !image->used;
	}
	if (count == 0)
		monitor_print(call->monitor, "no disks\n");
	return SHELL_OK;
}

/* --- add, remove, resize --------------------------------------------------------------------- */

/* Its last argument: what is typed from there to the line's end, blanks and all. */
static void last_argument(const char *rest, const char *before, char text[SHELL_LINE_MAX + 1])
{
	size_t length;

	if (before) {
		rest += strlen(before);
		rest += strspn(rest, " \t");
	}
	snprintf(text, SHELL_LINE_MAX + 1, "%s", rest);
	length = strlen(text);
	while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		text[--length] = '\0';
}

static int add_one(const struct monitor_call *call, bool cdrom)
{
	char text[SHELL_LINE_MAX + 1], error[CLI_ERROR_MAX];
	const struct storage_disk *disk = NULL;
	struct cli_disk config;
	bool right;

	last_argument(call->rest, NULL, text);
	right = cli_disk_parse(text, cdrom, &config, error);
	if (right && config.spare) {
		snprintf(error, sizeof(error), "a spare can only be named on the command line");
		right = false;
	}
	if (right)
		disk = storage_add(call->monitor->storage, call->now, &config, error);
	if (!disk) {
		cli_disk_free(&config);
		return right ? monitor_fail(call, "%s", error) : monitor_usage(call, "%s", error);
	}
	monitor_print(call->monitor, "%s: %s, target %u, LUN %u\n", disk->name, disk->controller,
		      disk->target, disk->lun);
	return told(call, disk);
}

static int add(const struct monitor_call *call)
{
	return add_one(call, false);
}

static int add_cdrom(const struct monitor_call *call)
{
	return add_one(call, true);
}

static int remove_one(const struct monitor_call *call)
{
	int status = SHELL_OK;
	struct storage_disk *disk = find_disk(call, call->arguments[1], &status);

	if (!disk)
		return status;
	settle(call, disk->controller);
	if (!storage_remove(call->monitor->storage, call->now, disk))
		return monitor_fail(call, "%s is not there any more", call->arguments[1]);
	return SHELL_OK;
}

/* "4096", "64M" */
static bool parse_size(const char *text, uint64_t *size)
{
	static const char units[] = "KMGT";
	size_t length = strlen(text);
	const char *unit = length ? strchr(units, text[length - 1]) : NULL;
	char number[24];

	if (length == 0 || length >= sizeof(number))
		return false;
	strcpy(number, text);
	if (unit)
		number[length - 1] = '\0';
	if (!monitor_number(number, SIZE_MAX_BYTES, size))
		return false;
	for (const char *at = units; unit && at <= unit; at++) {
		if (*size > SIZE_MAX_BYTES >> 10)
			return false;
		*size <<= 10;
	}
	return *size > 0;
}

static int resize(const struct monitor_call *call)
{
	int status = SHELL_OK;
	struct storage_disk *disk = find_disk(call, call->arguments[1], &status);
	bool shrink = call->count > 3 && strcmp(call->arguments[3], "--shrink") == 0;
	uint64_t size;
	uint32_t block;

	if (!disk)
		return status;
	if (call->count > 3 && !shrink)
		return monitor_usage(call, "resize: '%.40s' is not known; there is --shrink",
				     call->arguments[3]);
	if (disk->config.cdrom || disk->config.read_only)
		return monitor_fail(call, "%s is read-only: it keeps its size", disk->name);
	block = disk->config.block_size ? disk->config.block_size : 512;
	if (!parse_size(call->arguments[2], &size) || size % block)
		return monitor_usage(call,
				     "a size is a whole number of blocks of %u bytes, such as 67108864, 64M "
				     "or 2G, "
				     "not '%.40s'",
				     block, call->arguments[2]);
	if (size < disk->image->file.size && !shrink)
		return monitor_fail(call,
				    "%s has %llu bytes: what is beyond would be lost; --shrink behind the "
				    "size does it",
				    disk->name, (unsigned long long)disk->image->file.size);
	if (!hvh_storage_resize(disk->on, call->now, disk->target, disk->lun, size))
		return monitor_fail(call, "'%.200s' could not be made that size", disk->image->path);
	return told(call, disk);
}

/* --- eject, insert --------------------------------------------------------------------------- */

static struct storage_disk *find_drive(const struct monitor_call *call, int *status)
{
	struct storage_disk *disk = find_disk(call, call->arguments[1], status);

	if (!disk || disk->config.cdrom)
		return disk;
	*status = monitor_fail(call, "%s is a disk; 'disk remove %s' takes it out", disk->name, disk->name);
	return NULL;
}

static int eject(const struct monitor_call *call)
{
	bool force = call->count > 2 && strcmp(call->arguments[2], "--force") == 0;
	int status = SHELL_OK;
	const struct storage_disk *disk = find_drive(call, &status);

	if (!disk)
		return status;
	if (call->count > 2 && !force)
		return monitor_usage(call, "eject: '%.40s' is not known; there is --force",
				     call->arguments[2]);
	if (!disk->image)
		return monitor_fail(call, "%s has no medium", disk->name);
	if (!hvh_storage_eject(disk->on, call->now, disk->target, disk->lun, force))
		return monitor_fail(call,
				    "the guest has locked %s, and is asked now; 'disk eject %s --force' "
				    "does not wait for it",
				    disk->name, disk->name);
	return told(call, disk);
}

static int insert(const struct monitor_call *call)
{
	char path[SHELL_LINE_MAX + 1], error[CLI_ERROR_MAX];
	int status = SHELL_OK;
	struct storage_disk *disk = find_drive(call, &status);

	if (!disk)
		return status;
	last_argument(call->rest, call->arguments[1], path);
	if (!storage_insert(call->monitor->storage, call->now, disk, path, error))
		return monitor_fail(call, "%s", error);
	return told(call, disk);
}

/* --- trouble --------------------------------------------------------------------------------- */

static void print_trouble(const struct monitor_call *call)
{
	const struct storage *storage = call->monitor->storage;

	for (uint32_t n = 0; n < storage->controller_count; n++) {
		monitor_print(call->monitor, "%-7s", storage->names[n]);
		for (uint32_t kind = 0; kind < DISK_TROUBLES; kind++) {
			char text[DISK_TROUBLE_TEXT];

			disk_trouble_text(&storage->trouble[n], kind, text);
			monitor_print(call->monitor, " %s %s%s", disk_trouble_name(kind), text,
				      kind + 1 < DISK_TROUBLES ? "," : "\n");
		}
	}
	if (storage->controller_count == 0)
		monitor_print(call->monitor, "no storage controller\n");
}

/* Every controller's, or that of one. */
static int set_trouble(const struct monitor_call *call, uint32_t kind)
{
	struct storage *storage = call->monitor->storage;
	const char *only = call->count > 3 ? call->arguments[3] : NULL, *right;
	const char *names[STORAGE_CONTROLLERS_MAX];
	bool found = false;

	for (uint32_t n = 0; n < storage->controller_count; n++) {
		names[n] = storage->names[n];
		if (only && strcmp(only, names[n]) != 0)
			continue;
		if (!disk_trouble_set(&storage->trouble[n], kind, call->arguments[2], &right))
			return monitor_usage(call, "trouble: %s must be %s, not '%.40s'",
					     disk_trouble_name(kind), right, call->arguments[2]);
		hvh_storage_set_trouble(storage->controllers[n], &storage->trouble[n]);
		found = true;
	}
	if (only && !found)
		return monitor_unknown(call, "storage controller", only, names, storage->controller_count);
	return found ? SHELL_OK : monitor_fail(call, "there is no storage controller");
}

static int trouble(const struct monitor_call *call)
{
	const char *names[DISK_TROUBLES];
	uint32_t kind = 0;

	if (call->count == 1) {
		print_trouble(call);
		return SHELL_OK;
	}
	for (uint32_t n = 0; n < DISK_TROUBLES; n++)
		names[n] = disk_trouble_name(n);
	while (kind < DISK_TROUBLES && strcmp(names[kind], call->arguments[1]) != 0)
		kind++;
	if (kind == DISK_TROUBLES)
		return monitor_unknown(call, "trouble", call->arguments[1], names, DISK_TROUBLES);
	if (call->count == 2)
		return monitor_usage(call, "trouble: a value is missing: trouble %s VALUE|off [CONTROLLER]",
				     names[kind]);
	return set_trouble(call, kind);
}

/* --- The command ----------------------------------------------------------------------------- */

enum argument { NOTHING, DISK, DRIVE, FILE_NAME, FORCE, SHRINK, KIND, OFF, CONTROLLER };

static const struct verb {
	const char *name, *usage;
	uint32_t least, most; /* arguments behind it; more of a file's name are its blanks */
	int (*run)(const struct monitor_call *call);
	enum argument arguments[3]; /* for completion */
} verbs[] = {
	{"list", "list", 0, 0, list, {NOTHING}},
	{"add", "add FILE[,VALUES]", 1, MONITOR_WORDS_MAX, add, {FILE_NAME}},
	{"add-cdrom", "add-cdrom FILE[,VALUES]", 1, MONITOR_WORDS_MAX, add_cdrom, {FILE_NAME}},
	{"remove", "remove DISK", 1, 1, remove_one, {DISK}},
	{"resize", "resize DISK SIZE [--shrink]", 2, 3, resize, {DISK, NOTHING, SHRINK}},
	{"eject", "eject DRIVE [--force]", 1, 2, eject, {DRIVE, FORCE}},
	{"insert", "insert DRIVE FILE", 2, MONITOR_WORDS_MAX, insert, {DRIVE, FILE_NAME}},
	{"trouble", "trouble [KIND VALUE|off [CONTROLLER]]", 0, 3, trouble, {KIND, OFF, CONTROLLER}},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *find_verb(const char *name)
{
	for (size_t n = 0; n < VERBS; n++) {
		if (strcmp(verbs[n].name, name) == 0)
			return &verbs[n];
	}
	return NULL;
}

int monitor_disk(const struct monitor_call *call)
{
	const struct verb *verb = find_verb(call->arguments[0]);
	const char *names[VERBS];

	for (size_t n = 0; n < VERBS; n++)
		names[n] = verbs[n].name;
	if (!verb)
		return monitor_unknown(call, "what to do with disks:", call->arguments[0], names, VERBS);
	if (!call->monitor->storage)
		return monitor_fail(call, "this machine has no storage");
	if (call->count - 1 < verb->least)
		return monitor_usage(call, "something is missing: disk %s", verb->usage);
	if (call->count - 1 > verb->most)
		return monitor_usage(call, "'%.40s' is one argument too many: disk %s",
				     call->arguments[verb->most + 1], verb->usage);
	return verb->run(call);
}

static void complete_names(const struct monitor_completion *completion, bool drives)
{
	const struct storage *storage = completion->monitor->storage;

	for (uint32_t n = 0; n < CLI_DISKS_MAX; n++) {
		if (storage->disks[n].there && (!drives || storage->disks[n].config.cdrom))
			completion->offer(completion->context, storage->disks[n].name);
	}
}

static void complete_argument(const struct monitor_completion *completion, enum argument argument)
{
	const struct storage *storage = completion->monitor->storage;

	switch (argument) {
	case NOTHING:
		break;
	case DISK:
	case DRIVE:
		complete_names(completion, argument == DRIVE);
		break;
	case FILE_NAME:
		for (uint32_t n = 0; n < STORAGE_IMAGES_MAX; n++) {
			if (storage->images[n] && !storage->images[n]->used)
				completion->offer(completion->context, storage->images[n]->path);
		}
		break;
	case FORCE:
		completion->offer(completion->context, "--force");
		break;
	case SHRINK:
		completion->offer(completion->context, "--shrink");
		break;
	case KIND:
		for (uint32_t n = 0; n < DISK_TROUBLES; n++)
			completion->offer(completion->context, disk_trouble_name(n));
		break;
	case OFF:
		completion->offer(completion->context, "off");
		break;
	case CONTROLLER:
		for (uint32_t n = 0; n < storage->controller_count; n++)
			completion->offer(completion->context, storage->names[n]);
		break;
	}
}

void monitor_complete_disk(const struct monitor_completion *completion)
{
	const struct verb *verb = completion->argument ? find_verb(completion->words[0]) : NULL;

	for (size_t n = 0; completion->argument == 0 && n < VERBS; n++)
		completion->offer(completion->context, verbs[n].name);
	if (verb && completion->monitor->storage && completion->argument <= 3)
		complete_argument(completion, verb->arguments[completion->argument - 1]);
}

/* --- The power ------------------------------------------------------------------------------- */

int monitor_cut(const struct monitor_call *call)
{
	struct storage *storage = call->monitor->storage;
	uint64_t requests;

	if (!storage)
		return monitor_fail(call, "this machine has no storage");
	if (call->count == 0) {
		storage_cut(storage);
		return SHELL_OK;
	}
	if (strcmp(call->arguments[0], "--after") != 0)
		return monitor_usage(call, "'%.40s' is not known: cut [--after REQUESTS]",
				     call->arguments[0]);
	if (call->count == 1 || !monitor_number(call->arguments[1], UINT64_MAX >> 8, &requests) ||
	    requests == 0)
		return monitor_usage(call, "--after needs how many requests of the disks come first, from 1 "
					   "on");
	storage->cut_in = requests;
	return SHELL_OK;
}

void monitor_complete_cut(const struct monitor_completion *completion)
{
	if (completion->argument == 0)
		completion->offer(completion->context, "--after");
}
