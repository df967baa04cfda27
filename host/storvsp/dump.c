/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "host/core/dump.h"
#include "storvsp.h"

const char *storvsp_state_name(enum storvsp_state state)
{
	static const char *const names[] = {
		"closed", "before-begin", "before-version", "before-properties", "before-end", "ready"};

	return names[state];
}

static const char *kind_of(const struct scsi_unit *unit)
{
	if (unit->cdrom)
		return "cd-rom";
	return unit->read_only || unit->image.read_only ? "disk-read-only" : "disk";
}

static void dump_unit(const struct scsi_unit *unit, uint32_t target, uint32_t lun, struct hvh_dump *dump)
{
	char name[HVH_DUMP_NAME_MAX], attentions[SCSI_ATTENTIONS_MAX * 7u + 1u] = "";
	size_t used = 0;

	snprintf(name, sizeof name, "unit-%u-%u", target, lun);
	hvh_dump_begin(dump, name);
	hvh_dump_text(dump, "kind", "%s", kind_of(unit));
	hvh_dump_text(dump, "serial", "%s", unit->serial);
	hvh_dump_number(dump, "blocks", unit->blocks);
	hvh_dump_number(dump, "block-size", unit->block_size);
	hvh_dump_number(dump, "physical-block-size", unit->physical_block_size);
	if (unit->cdrom) {
		hvh_dump_text(dump, "medium", "%s", unit->tray_open ? "out" : unit->medium ? "in" : "none");
		hvh_dump_flag(dump, "removal-prevented", unit->removal_prevented);
	} else {
		hvh_dump_flag(dump, "write-cache", unit->write_cache);
		hvh_dump_flag(dump, "stopped", unit->stopped);
	}
	for (uint32_t n = 0; n < unit->attention_count; n++)
		used += (size_t)snprintf(attentions + used, sizeof attentions - used, " %#06x",
					 unit->attentions[n]);
	hvh_dump_text(dump, "attentions", "%u%s", unit->attention_count, attentions);
	hvh_dump_end(dump);
}

static void dump_request(const struct storvsp_queue *queue, uint32_t index, struct hvh_dump *dump)
{
	const struct storvsp_request *request = &queue->requests[index];
	const struct hvh_storage *storage = queue->storage;

	hvh_dump_begin_number(dump, "request", index);
	hvh_dump_hex(dump, "transaction", request->transaction_id);
	if (request->waits) {
		hvh_dump_text(dump, "unit", "%u-%u", request->srb.target, request->srb.lun);
		hvh_dump_hex(dump, "command", request->srb.cdb_sense[0]);
		hvh_dump_number(dump, "bytes", request->srb.data_length);
	}
	hvh_dump_text(dump, "state", "%s",
		      request->due == HVH_NEVER     ? "never-answered"
		      : request->held               ? "held"
		      : request->due > storage->now ? "delayed"
		      : request->waits              ? "waits"
						    : "done");
	if (request->due != HVH_NEVER)
		hvh_dump_time(dump, "due", request->due);
	hvh_dump_flag(dump, "ordered", request->ordered);
	hvh_dump_end(dump);
}

static void dump_queue(const struct storvsp_queue *queue, struct hvh_dump *dump)
{
	hvh_dump_begin_number(dump, "queue", queue->index);
	hvh_dump_flag(dump, "open", queue->open);
	hvh_dump_number(dump, "packets", queue->packets);
	if (queue->open) {
		hvh_dump_number(dump, "channel", hvh_channel_id(queue->channel));
		hvh_dump_flag(dump, "stopped", queue->stopped);
		hvh_dump_flag(dump, "blocked", queue->blocked);
		hvh_dump_number(dump, "requests-waiting", queue->active_count);
		for (uint32_t n = 0; n < queue->active_count; n++)
			dump_request(queue, queue->active[n], dump);
	}
	hvh_dump_end(dump);
}

static void dump_counters(const struct hvh_storage_counters *c, struct hvh_dump *dump)
{
	hvh_dump_begin(dump, "counters");
	hvh_dump_number(dump, "requests", c->requests);
	hvh_dump_number(dump, "reads", c->reads);
	hvh_dump_number(dump, "read-bytes", c->read_bytes);
	hvh_dump_number(dump, "writes", c->writes);
	hvh_dump_number(dump, "write-bytes", c->write_bytes);
	hvh_dump_number(dump, "flushes", c->flushes);
	hvh_dump_number(dump, "errors", c->errors);
	hvh_dump_number(dump, "medium-errors", c->medium_errors);
	hvh_dump_number(dump, "busy", c->busy);
	hvh_dump_number(dump, "unit-attentions", c->unit_attentions);
	hvh_dump_number(dump, "delayed", c->delayed);
	hvh_dump_number(dump, "unanswered", c->unanswered);
	hvh_dump_number(dump, "absent", c->absent);
	hvh_dump_number(dump, "resets", c->resets);
	hvh_dump_number(dump, "notices", c->notices);
	hvh_dump_end(dump);
}

void storvsp_dump(const void *device, struct hvh_dump *dump)
{
	const struct hvh_storage *storage = device;

	hvh_dump_text(dump, "state", "%s", storvsp_state_name(storage->state));
	if (storage->version != 0)
		hvh_dump_text(dump, "version", "%u.%u", storage->version >> 8, storage->version & 0xffu);
	hvh_dump_number(dump, "transfer-max", storage->transfer_max);
	hvh_dump_number(dump, "sub-channels-at-most", storage->queues_max - 1);
	hvh_dump_number(dump, "sub-channels-promised", storage->subchannels);
	hvh_dump_number(dump, "notices-waiting", storage->notice_count);
	for (uint32_t target = 0; target < STORVSP_TARGETS; target++)
		for (uint32_t lun = 0; lun < STORVSP_LUNS; lun++)
			if (storage->units[target][lun] != NULL)
				dump_unit(storage->units[target][lun], target, lun, dump);
	for (uint32_t n = 0; n < STORVSP_QUEUES_MAX; n++)
		if (storage->queues[n] != NULL)
			dump_queue(storage->queues[n], dump);
	dump_counters(&storage->counters, dump);
}
