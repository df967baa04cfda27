/* SPDX-License-Identifier: MIT */
/* The summary's part about disks. */
#include <stdio.h>

#include "apps/hvkit/json.h"
#include "apps/hvkit/run.h"

#define BLOCK 512u
#define CDROM_BLOCK 2048u

static void put_disk(struct json *json, const struct storage_disk *disk)
{
	static const struct storage_counters none;
	const struct storage_image *image = disk->image;
	const struct storage_counters *counters = image ? &image->counters : &none;
	uint32_t block = disk->config.block_size ? disk->config.block_size : BLOCK;

	json_object(json, NULL);
	json_string(json, "name", disk->name);
	json_string(json, "file", image ? image->path : NULL);
	json_string(json, "kind", disk->config.cdrom ? "cd-rom" : "disk");
	json_string(json, "controller", disk->controller);
	json_number(json, "target", disk->target);
	json_number(json, "lun", disk->lun);
	json_number(json, "bytes", image ? image->file.size : 0);
	json_number(json, "block_size", disk->config.cdrom ? CDROM_BLOCK : block);
	json_bool(json, "read_only", disk->config.read_only);
	json_bool(json, "write_cache", image && image->cache);
	json_number(json, "reads", counters->reads);
	json_number(json, "read_bytes", counters->read_bytes);
	json_number(json, "writes", counters->writes);
	json_number(json, "write_bytes", counters->write_bytes);
	json_number(json, "discards", counters->discards);
	json_number(json, "flushes", counters->flushes);
	json_close(json);
}

static void put_controller(struct json *json, const char *name, const struct hvh_storage *controller)
{
	struct hvh_storage_counters counters;

	hvh_storage_get_counters(controller, &counters);
	json_object(json, NULL);
	json_string(json, "name", name);
	json_number(json, "requests", counters.requests);
	json_number(json, "reads", counters.reads);
	json_number(json, "writes", counters.writes);
	json_number(json, "flushes", counters.flushes);
	json_number(json, "read_bytes", counters.read_bytes);
	json_number(json, "write_bytes", counters.write_bytes);
	json_number(json, "errors", counters.errors);
	json_number(json, "medium_errors", counters.medium_errors);
	json_number(json, "busy", counters.busy);
	json_number(json, "unit_attentions", counters.unit_attentions);
	json_number(json, "delayed", counters.delayed);
	json_number(json, "unanswered", counters.unanswered);
	json_number(json, "absent", counters.absent);
	json_number(json, "resets", counters.resets);
	json_number(json, "notices", counters.notices);
	json_close(json);
}

static void put_cut(struct json *json, const struct storage *storage)
{
	if (!atomic_load(&storage->cut)) {
		json_null(json, "cut");
		return;
	}
	json_object(json, "cut");
	json_number(json, "requests", storage->requests);
	json_number(json, "sectors_lost", storage->lost);
	json_close(json);
}

void run_storage_summary(struct json *json, const struct run *run)
{
	const struct storage *storage = run->storage;

	json_array(json, "disks");
	for (uint32_t n = 0; n < CLI_DISKS_MAX; n++) {
		if (storage->disks[n].there)
			put_disk(json, &storage->disks[n]);
	}
	json_close(json);
	json_array(json, "storage");
	for (uint32_t n = 0; n < storage->controller_count; n++)
		put_controller(json, storage->names[n], storage->controllers[n]);
	json_close(json);
	put_cut(json, storage);
}
