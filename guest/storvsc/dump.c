/* SPDX-License-Identifier: MIT */
/* Looking inside a controller: a tree of lines (hvkit.h). On the channel's CPU, or while it rests. */
#include "guest/core/dump.h"
#include "guest/storvsc/storvsc_internal.h"

static const char *const lives[] = {"detached", "attaching", "attached", "detaching"};
static const char *const unit_states[] = {"none", "ready", "leaving"};

static void dump_queue(struct hvk_dump *dump, const struct storvsc_queue *queue)
{
	hvk_dump_begin(dump, "queue-%u", queue->index);
	hvk_dump_flag(dump, "open", storvsc_queue_is_open(queue));
	hvk_dump_number(dump, "cpu", queue->channel ? hvk_channel_cpu(queue->channel) : 0);
	hvk_dump_number(dump, "commands", queue->commands);
	hvk_dump_flag(dump, "waits-for-room", queue->stalled);
	hvk_dump_end(dump);
}

static void dump_counters(struct hvk_dump *dump, const struct hvk_block_counters *counters)
{
	hvk_dump_begin(dump, "counters");
	hvk_dump_number(dump, "reads", counters->reads);
	hvk_dump_number(dump, "writes", counters->writes);
	hvk_dump_number(dump, "flushes", counters->flushes);
	hvk_dump_number(dump, "discards", counters->discards);
	hvk_dump_number(dump, "zeroes", counters->zeroes);
	hvk_dump_number(dump, "read-bytes", counters->read_bytes);
	hvk_dump_number(dump, "write-bytes", counters->write_bytes);
	hvk_dump_number(dump, "commands", counters->commands);
	hvk_dump_number(dump, "copied-bytes", counters->copied);
	hvk_dump_number(dump, "errors", counters->errors);
	hvk_dump_number(dump, "retries", counters->retries);
	hvk_dump_number(dump, "timeouts", counters->timeouts);
	hvk_dump_number(dump, "busy", counters->busy);
	hvk_dump_end(dump);
}

static void dump_unit(struct hvk_dump *dump, struct hvk_storvsc_unit *unit)
{
	const struct hvk_block_info *info = &unit->block.info;
	struct hvk_block_counters counters;

	hvk_block_get_counters(&unit->block, &counters);
	hvk_dump_begin(dump, "unit-%u-%u", unit->target, unit->lun);
	hvk_dump_value(dump, "state", "%s", hvk_dump_name(unit_states, 3, (uint32_t)unit->state));
	hvk_dump_value(dump, "vendor", "%s", info->vendor);
	hvk_dump_value(dump, "product", "%s", info->product);
	hvk_dump_value(dump, "serial", "%s", info->serial);
	hvk_dump_number(dump, "blocks", info->blocks);
	hvk_dump_number(dump, "block-bytes", info->block_size);
	hvk_dump_number(dump, "transfer-bytes", info->transfer_max);
	hvk_dump_value(dump, "flags", "0x%x", info->flags);
	hvk_dump_number(dump, "requests", unit->jobs);
	dump_counters(dump, &counters);
	hvk_dump_end(dump);
}

static void dump_totals(struct hvk_dump *dump, const struct hvk_storvsc *controller)
{
	hvk_dump_number(dump, "requests", controller->taken);
	hvk_dump_number(dump, "commands-with-host", controller->flying);
	hvk_dump_number(dump, "bounce-pages-free", controller->bounce.free_count);
	hvk_dump_number(dump, "bounce-pages-withheld", controller->bounce.count - controller->bounce.usable);
	hvk_dump_number(dump, "scans", controller->scan.scans);
	hvk_dump_number(dump, "notices", controller->notices);
	hvk_dump_number(dump, "resets", controller->resets);
	hvk_dump_number(dump, "aborts", controller->aborts);
	hvk_dump_number(dump, "lost-queues", controller->lost_queues);
	hvk_dump_number(dump, "host-faults", __atomic_load_n(&controller->faults, __ATOMIC_RELAXED));
}

void hvk_storvsc_dump(struct hvk_storvsc *controller, hvk_dump_line line, void *context)
{
	struct hvk_dump dump = {line, context, 0};
	hvk_status lost = storvsc_lost(controller);

	hvk_dump_begin(&dump, "storvsc");
	hvk_dump_value(&dump, "state", "%s", hvk_dump_name(lives, 4, (uint32_t)controller->life));
	hvk_dump_value(&dump, "step", "%s", hvk_steps_name(&controller->steps));
	hvk_dump_value(&dump, "lost", "%s", lost == HVK_OK ? "no" : hvk_status_name(lost));
	hvk_dump_value(&dump, "protocol", "%u.%u", controller->version >> 8, controller->version & 0xffu);
	hvk_dump_number(&dump, "transfer-bytes", controller->transfer_max);
	dump_totals(&dump, controller);
	for (uint32_t i = 0; i < controller->queue_count; i++) {
		if (controller->queues[i].channel)
			dump_queue(&dump, &controller->queues[i]);
	}
	for (uint32_t i = 0; i < controller->unit_count; i++) {
		if (controller->units[i].state != STORVSC_UNIT_NONE)
			dump_unit(&dump, &controller->units[i]);
	}
	hvk_dump_end(&dump);
}
