/* SPDX-License-Identifier: MIT */
/* The block layer: what a request asks for, as commands. */
#include "guest/storvsc/storvsc_internal.h"

/* --- Cutting, under lock ------------------------------------------------------------------- */

void hvk_storvsc_address(struct storvsc_command *command, struct storvsc_job *job,
			 const struct hvk_scsi_cdb *cdb)
{
	const struct hvk_storvsc *controller = job->unit->controller;
	const struct hvk_storvsc_unit *unit = job->unit;
	uint32_t asked = job->raw ? job->raw->timeout_ms : job->block->timeout_ms;

	command->job = job;
	command->queue = job->queue;
	command->timeout_ms = asked != 0 ? asked : controller->config.timeout_ms;
	command->srb.path = controller->ide_path;
	command->srb.target = unit->target;
	command->srb.lun = unit->lun;
	command->srb.timeout = command->timeout_ms / 1000 + (command->timeout_ms % 1000 != 0);
	command->srb.direction = VSTOR_DATA_NONE;
	command->srb.length = command->length;
	command->srb.cdb_length = cdb->length;
	memcpy(command->srb.cdb, cdb->bytes, sizeof(command->srb.cdb));
	if (unit->tagged)
		command->srb.action = job->ordered ? VSTOR_TAG_ORDERED : VSTOR_TAG_SIMPLE;
	job->commands++;
}

static struct storvsc_command *get(struct storvsc_job *job)
{
	return hvk_storvsc_command_get(job->unit->controller, false);
}

static void took(struct storvsc_job *job, struct storvsc_command *command, uint64_t count)
{
	command->block = job->at;
	command->count = count;
	job->at += count;
	job->left -= count;
}

/* How many bytes the next part has, and whether they go as they lie. 0: none can go now. */
static uint32_t plan(struct storvsc_job *job, uint32_t most, bool *direct)
{
	const struct hvk_storvsc *controller = job->unit->controller;
	uint32_t block = job->block_size, count, run, copied;
	const struct hvk_buffer *pieces = hvk_storvsc_pieces(job, &count);

	run = hvk_storvsc_direct_run(pieces, count, job->place, most) / block * block;
	*direct = true;
	if (run == most || run >= HVK_STORVSC_COPY_BELOW)
		return run;
	copied = hvk_storvsc_copy_run(pieces, count, job->place, most) / block * block;
	if (copied <= run) {
		if (run == 0) /* no address to copy from, nor an alignment to send as it is */
			hvk_storvsc_job_refuse(job, HVK_EINVAL);
		return run;
	}
	*direct = false;
	if (!hvk_storvsc_bounce_can(controller, 1))
		hvk_storvsc_job_refuse(job, HVK_ENOMEM);
	return hvk_min32(copied, controller->bounce.free_count * HVK_PAGE_SIZE) / block * block;
}

static struct storvsc_command *cut_transfer(struct storvsc_job *job)
{
	struct hvk_storvsc *controller = job->unit->controller;
	const struct hvk_block_info *info = &job->unit->block.info;
	bool write = job->operation == HVK_BLOCK_WRITE, direct;
	uint64_t left = job->left * job->block_size;
	uint32_t most = left < info->transfer_max ? (uint32_t)left : info->transfer_max, bytes, count;
	const struct hvk_buffer *pieces = hvk_storvsc_pieces(job, &count);
	struct storvsc_command *command;
	struct hvk_scsi_cdb cdb;

	bytes = plan(job, most, &direct);
	command = bytes != 0 ? get(job) : NULL;
	if (!command)
		return NULL;
	command->memory = direct ? STORVSC_DIRECT : STORVSC_BOUNCE;
	if (!direct) {
		(void)hvk_storvsc_bounce_get(controller, command,
					     (bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE);
		job->unit->counters.copied += bytes;
	}
	command->length = bytes;
	command->place = job->place;
	hvk_storvsc_place_advance(pieces, count, &job->place, bytes);
	took(job, command, bytes / job->block_size);
	if (write)
		hvk_scsi_write(&cdb, command->block, (uint32_t)command->count,
			       (job->block->flags & HVK_BLOCK_FUA) && (info->flags & HVK_BLOCK_CAN_FUA));
	else
		hvk_scsi_read(&cdb, command->block, (uint32_t)command->count);
	hvk_storvsc_address(command, job, &cdb);
	command->srb.direction = (uint8_t)(write ? VSTOR_DATA_OUT : VSTOR_DATA_IN);
	return command;
}

static struct storvsc_command *cut_flush(struct storvsc_job *job)
{
	struct storvsc_command *command = get(job);
	struct hvk_scsi_cdb cdb;

	if (!command)
		return NULL;
	hvk_scsi_synchronize_cache(&cdb);
	job->left = 0;
	hvk_storvsc_address(command, job, &cdb);
	return command;
}

static uint32_t least(uint64_t left, uint32_t most)
{
	return left < most ? (uint32_t)left : most;
}

static struct storvsc_command *cut_unmap(struct storvsc_job *job)
{
	struct hvk_storvsc_unit *unit = job->unit;
	uint8_t list[HVK_SCSI_UNMAP_LIST];
	struct storvsc_command *command = unit->controller->bounce.free_count != 0 ? get(job) : NULL;
	struct hvk_scsi_cdb cdb;

	if (!hvk_storvsc_bounce_can(unit->controller, 1))
		hvk_storvsc_job_refuse(job, HVK_ENOMEM);
	if (!command)
		return NULL;
	(void)hvk_storvsc_bounce_get(unit->controller, command, 1);
	command->memory = STORVSC_LIST;
	command->length = HVK_SCSI_UNMAP_LIST;
	took(job, command, least(job->left, unit->part_unmap));
	hvk_scsi_unmap(&cdb, list, command->block,
		       (uint32_t)command->count); /* the list is filled in later */
	hvk_storvsc_address(command, job, &cdb);
	command->srb.direction = VSTOR_DATA_OUT;
	return command;
}

/* One block of zeros, as often as asked for. */
static struct storvsc_command *cut_write_same(struct storvsc_job *job)
{
	struct hvk_storvsc_unit *unit = job->unit;
	struct storvsc_command *command = get(job);
	bool unmap = job->operation == HVK_BLOCK_DISCARD ||
		     ((job->block->flags & HVK_BLOCK_MAY_DISCARD) &&
		      (unit->block.info.flags & HVK_BLOCK_DISCARD_ZEROES));
	struct hvk_scsi_cdb cdb;

	if (!command)
		return NULL;
	command->memory = STORVSC_ZEROS;
	command->length = unit->block.info.block_size;
	took(job, command, least(job->left, unit->part_write_same));
	hvk_scsi_write_same(&cdb, command->block, (uint32_t)command->count, unmap && unit->write_same_unmap);
	hvk_storvsc_address(command, job, &cdb);
	command->srb.direction = VSTOR_DATA_OUT;
	return command;
}

static struct storvsc_command *cut_zeros(struct storvsc_job *job)
{
	const struct hvk_block_info *info = &job->unit->block.info;
	struct storvsc_command *command = get(job);
	struct hvk_scsi_cdb cdb;

	if (!command)
		return NULL;
	command->memory = STORVSC_ZEROS;
	took(job, command, least(job->left, info->transfer_max / info->block_size));
	command->length = (uint32_t)command->count * info->block_size;
	hvk_scsi_write(&cdb, command->block, (uint32_t)command->count, false);
	hvk_storvsc_address(command, job, &cdb);
	command->srb.direction = VSTOR_DATA_OUT;
	return command;
}

struct storvsc_command *hvk_storvsc_block_cut(struct storvsc_job *job)
{
	switch (job->operation) {
	case HVK_BLOCK_READ:
	case HVK_BLOCK_WRITE:
		return cut_transfer(job);
	case HVK_BLOCK_FLUSH:
		return cut_flush(job);
	case HVK_BLOCK_DISCARD:
	case HVK_BLOCK_WRITE_ZEROES:
		break;
	}
	if (job->method == STORVSC_BY_WRITES)
		return cut_zeros(job);
	return job->method == STORVSC_BY_UNMAP ? cut_unmap(job) : cut_write_same(job);
}

/* --- Taking ----------------------------------------------------------------------------------- */

/* Bytes of the pieces; false: some have nowhere to be. */
static bool add_up(const struct hvk_block_request *request, uint64_t *bytes)
{
	*bytes = 0;
	for (uint32_t i = 0; i < request->piece_count; i++) {
		if (!request->pieces[i].address && request->pieces[i].gpa == 0)
			return false;
		*bytes += request->pieces[i].length;
	}
	return true;
}

static bool is_transfer(enum hvk_block_operation operation)
{
	return operation == HVK_BLOCK_READ || operation == HVK_BLOCK_WRITE;
}

/* What can be said without knowing the disk. */
static hvk_status check(const struct hvk_block_request *request, uint64_t *bytes)
{
	*bytes = 0;
	if (!request->done || (uint32_t)request->operation > HVK_BLOCK_WRITE_ZEROES ||
	    (request->flags & ~(HVK_BLOCK_FUA | HVK_BLOCK_ORDERED | HVK_BLOCK_MAY_DISCARD)))
		return HVK_EINVAL;
	if (request->operation == HVK_BLOCK_FLUSH)
		return request->count == 0 ? HVK_OK : HVK_EINVAL;
	if (request->count == 0 ||
	    (is_transfer(request->operation) && (!request->pieces || request->piece_count == 0)))
		return HVK_EINVAL;
	return !is_transfer(request->operation) || add_up(request, bytes) ? HVK_OK : HVK_EINVAL;
}

static hvk_status check_right(const struct hvk_block_info *info, enum hvk_block_operation operation)
{
	if (operation == HVK_BLOCK_READ || operation == HVK_BLOCK_FLUSH)
		return HVK_OK;
	if (info->flags & HVK_BLOCK_READ_ONLY)
		return HVK_EREADONLY;
	if (operation == HVK_BLOCK_DISCARD && !(info->flags & HVK_BLOCK_CAN_DISCARD))
		return HVK_ENOTSUP;
	return HVK_OK;
}

static hvk_status check_place(const struct hvk_block_info *info, const struct storvsc_job *job)
{
	const struct hvk_block_request *request = job->block;

	if (request->operation == HVK_BLOCK_FLUSH)
		return HVK_OK;
	if (request->count > info->blocks || request->block > info->blocks - request->count)
		return HVK_EINVAL;
	return !is_transfer(request->operation) || job->bytes == request->count * info->block_size
		       ? HVK_OK
		       : HVK_EINVAL;
}

/* A drive says that it has a medium, or another one, when it is asked something, and not before. */
static bool has_medium(struct hvk_storvsc_unit *unit)
{
	uint32_t flags = unit->block.info.flags;

	if (!(flags & HVK_BLOCK_NO_MEDIUM) && !(unit->news && (flags & HVK_BLOCK_REMOVABLE)))
		return true;
	unit->controller->rescan = true;
	return false;
}

static enum storvsc_method method_for(const struct hvk_storvsc_unit *unit, enum hvk_block_operation operation)
{
	if (operation == HVK_BLOCK_DISCARD)
		return unit->unmap ? STORVSC_BY_UNMAP : STORVSC_BY_WRITE_SAME;
	/* UNMAP is a wish that devices may heed in part; only WRITE SAME promises zeros. */
	return unit->write_same ? STORVSC_BY_WRITE_SAME : STORVSC_BY_WRITES;
}

/* FUA that the commands themselves cannot have. A cache that nothing is known of may be one. */
static bool flush_behind(const struct hvk_storvsc_unit *unit, const struct hvk_block_request *request)
{
	uint32_t flags = unit->block.info.flags;

	if (!(request->flags & HVK_BLOCK_FUA) || (unit->cache_known && !(flags & HVK_BLOCK_WRITE_CACHE)))
		return false;
	return request->operation == HVK_BLOCK_WRITE_ZEROES ||
	       (request->operation == HVK_BLOCK_WRITE && !(flags & HVK_BLOCK_CAN_FUA));
}

hvk_status hvk_storvsc_block_admit(struct hvk_storvsc_unit *unit, struct storvsc_job *job)
{
	const struct hvk_block_request *request = job->block;
	const struct hvk_block_info *info = &unit->block.info;
	hvk_status status = has_medium(unit) ? HVK_OK : HVK_ENOMEDIUM;

	if (status == HVK_OK)
		status = check_right(info, request->operation);
	if (status == HVK_OK)
		status = check_place(info, job);
	if (status != HVK_OK)
		return status;
	if (request->operation == HVK_BLOCK_FLUSH && !(info->flags & (HVK_BLOCK_CDROM | HVK_BLOCK_READ_ONLY)))
		job->left = 1; /* also where no cache is said to be: it costs nothing then */
	job->method = method_for(unit, request->operation);
	job->then_flush = flush_behind(unit, request);
	return HVK_OK;
}

static hvk_status submit(struct hvk_block *block, struct hvk_block_request *request)
{
	struct hvk_storvsc_unit *unit = (struct hvk_storvsc_unit *)(void *)block;
	struct storvsc_job job = {
		.block = request,
		.operation = request->operation,
		.ordered = (request->flags & HVK_BLOCK_ORDERED) != 0,
		.at = request->block,
		.left = request->count,
	};
	hvk_status status = check(request, &job.bytes);

	if (storvsc_unit_state(unit) != STORVSC_UNIT_READY)
		return HVK_EGONE;
	if (status != HVK_OK)
		return status;
	job.queue = hvk_storvsc_queue_for(unit->controller, request->cpu_hint);
	return hvk_storvsc_job_submit(unit, &job);
}

/* --- Counters ----------------------------------------------------------------------------------- */

void hvk_storvsc_count_done(struct storvsc_job *job)
{
	struct hvk_block_counters *counters = &job->unit->counters;
	uint64_t bytes;

	if (job->raw)
		return;
	bytes = job->block->count * job->block_size;
	if (job->status != HVK_OK) {
		counters->errors++;
		return;
	}
	switch (job->block->operation) {
	case HVK_BLOCK_READ:
		counters->reads++;
		counters->read_bytes += bytes;
		break;
	case HVK_BLOCK_WRITE:
		counters->writes++;
		counters->write_bytes += bytes;
		break;
	case HVK_BLOCK_FLUSH:
		counters->flushes++;
		break;
	case HVK_BLOCK_DISCARD:
		counters->discards++;
		break;
	case HVK_BLOCK_WRITE_ZEROES:
		counters->zeroes++;
		break;
	}
}

static void get_counters(struct hvk_block *block, struct hvk_block_counters *out)
{
	struct hvk_storvsc_unit *unit = (struct hvk_storvsc_unit *)(void *)block;

	hvk_lock(unit->controller->hvk, &unit->controller->lock);
	*out = unit->counters;
	hvk_unlock(unit->controller->hvk, &unit->controller->lock);
}

const struct hvk_block_ops hvk_storvsc_block_ops = {.submit = submit, .get_counters = get_counters};
