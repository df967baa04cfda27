/* SPDX-License-Identifier: MIT */
/* Offering the units that a scan has found, and withdrawing them. On the controller's CPU. */
#include "guest/storvsc/storvsc_internal.h"

#define WRITE_SAME_USUAL 0xffffu /* blocks, of a device that does not say how many (Linux) */

/* --- What is known of one ------------------------------------------------------------------- */

static uint32_t clamp32(uint64_t value)
{
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static void complete_limits(const struct hvk_storvsc *controller, struct hvk_scsi_identity *found)
{
	struct hvk_block_info *info = &found->info;
	uint64_t most = controller->transfer_max;

	if (info->block_size != 0 && found->transfer_max != 0 &&
	    (uint64_t)found->transfer_max * info->block_size < most)
		most = (uint64_t)found->transfer_max * info->block_size;
	info->transfer_max = (uint32_t)most;
	info->optimal_transfer = clamp32((uint64_t)info->optimal_transfer * info->block_size);
	info->memory_alignment = HVK_STORVSC_ALIGNMENT;
	info->queue_depth = controller->config.queue_depth;
	if ((info->flags & HVK_BLOCK_READ_ONLY) || found->type != SCSI_DEVICE_DISK) {
		found->unmap = false;
		found->write_same_unmap = false;
		return;
	}
	info->flags |= HVK_BLOCK_CAN_WRITE_ZEROES;
	info->write_zeroes_max = found->write_same_max != 0 ? found->write_same_max : WRITE_SAME_USUAL;
	if (found->unmap && found->unmap_max == 0) /* it takes none of them */
		found->unmap = false;
	if (found->unmap || found->write_same_unmap) {
		info->flags |= HVK_BLOCK_CAN_DISCARD;
		info->discard_max = found->unmap ? found->unmap_max : info->write_zeroes_max;
	}
}

/* Under lock. */
static void describe(struct hvk_storvsc_unit *unit, const struct hvk_scsi_identity *found)
{
	memcpy(&unit->block.info, &found->info, sizeof(found->info));
	unit->type = found->type;
	unit->tagged = found->queues;
	unit->cache_known = found->cache_known;
	unit->unmap = found->unmap;
	unit->write_same_unmap = found->write_same_unmap;
	unit->write_same = found->write_same_unmap || found->write_same_max != 0;
	unit->part_unmap = found->unmap_max;
	unit->part_write_same = clamp32(found->info.write_zeroes_max);
}

static bool is_same(const struct hvk_storvsc_unit *unit, const struct hvk_scsi_identity *found)
{
	const struct hvk_block_info *old = &unit->block.info, *new = &found->info;

	return unit->type == found->type && memcmp(old->vendor, new->vendor, sizeof(old->vendor)) == 0 &&
	       memcmp(old->product, new->product, sizeof(old->product)) == 0 &&
	       memcmp(old->serial, new->serial, sizeof(old->serial)) == 0 &&
	       old->identification_length ==
		       new->identification_length &&memcmp(old->identification, new->identification,
							   sizeof(old->identification)) == 0;
}

/* --- Coming ------------------------------------------------------------------------------------ */

static struct hvk_storvsc_unit *find(struct hvk_storvsc *controller, uint8_t target, uint8_t lun)
{
	for (uint32_t i = 0; i < controller->unit_count; i++) {
		struct hvk_storvsc_unit *unit = &controller->units[i];

		if (unit->state != STORVSC_UNIT_NONE && unit->target == target && unit->lun == lun)
			return unit;
	}
	return NULL;
}

static struct hvk_storvsc_unit *find_free(struct hvk_storvsc *controller)
{
	for (uint32_t i = 0; i < controller->unit_count; i++) {
		if (controller->units[i].state == STORVSC_UNIT_NONE)
			return &controller->units[i];
	}
	return NULL;
}

static void add(struct hvk_storvsc *controller, uint8_t target, uint8_t lun,
		const struct hvk_scsi_identity *found)
{
	struct hvk_storvsc_unit *unit = find_free(controller);

	if (!unit) {
		hvk_log(controller->hvk, HVK_LOG_WARN, "storvsc: no room for unit %u:%u (units_max)", target,
			lun);
		return;
	}
	memset(unit, 0, sizeof(*unit));
	unit->block.ops = &hvk_storvsc_block_ops;
	unit->controller = controller;
	unit->target = target;
	unit->lun = lun;
	unit->seen = true;
	hvk_lock(controller->hvk, &controller->lock);
	describe(unit, found);
	__atomic_store_n(&unit->state, STORVSC_UNIT_READY, __ATOMIC_RELEASE);
	hvk_unlock(controller->hvk, &controller->lock);
	hvk_log(controller->hvk, HVK_LOG_INFO, "storvsc: unit %u:%u: %s %s, %llu blocks of %u bytes", target,
		lun, found->info.vendor, found->info.product, (unsigned long long)found->info.blocks,
		found->info.block_size);
	if (controller->config.added)
		controller->config.added(controller->config.context, controller, unit);
}

void hvk_storvsc_unit_has_news(struct hvk_storvsc_unit *unit)
{
	unit->news = true;
	unit->medium += (unit->block.info.flags & HVK_BLOCK_REMOVABLE) != 0;
}

/* Under lock: not what requests that wait were meant for. */
static bool is_other_medium(const struct hvk_storvsc_unit *unit, const struct hvk_scsi_identity *found)
{
	const struct hvk_block_info *old = &unit->block.info;

	return old->block_size != found->info.block_size ||
	       (unit->controller->scan.news && (old->flags & HVK_BLOCK_REMOVABLE));
}

static void update(struct hvk_storvsc_unit *unit, const struct hvk_scsi_identity *found)
{
	struct hvk_storvsc *controller = unit->controller;
	bool changed;

	unit->seen = true;
	hvk_lock(controller->hvk, &controller->lock);
	changed = unit->news || controller->scan.news ||
		  memcmp(&unit->block.info, &found->info, sizeof(found->info)) != 0;
	unit->news = false;
	unit->medium += is_other_medium(unit, found);
	describe(unit, found);
	hvk_unlock(controller->hvk, &controller->lock);
	if (changed && unit->block.hooks.changed)
		unit->block.hooks.changed(unit->block.hooks.context, &unit->block);
}

static void leave(struct hvk_storvsc_unit *unit)
{
	struct hvk_storvsc *controller = unit->controller;

	hvk_lock(controller->hvk, &controller->lock);
	__atomic_store_n(&unit->state, STORVSC_UNIT_LEAVING, __ATOMIC_SEQ_CST); /* callback_over looks */
	hvk_unlock(controller->hvk, &controller->lock);
	hvk_storvsc_jobs_end(controller, unit, HVK_EGONE);
}

bool hvk_storvsc_unit_is_known(struct hvk_storvsc *controller, uint8_t target, uint8_t lun)
{
	const struct hvk_storvsc_unit *unit = find(controller, target, lun);

	return unit && unit->state == STORVSC_UNIT_READY;
}

bool hvk_storvsc_unit_kept(struct hvk_storvsc *controller, uint8_t target, uint8_t lun)
{
	struct hvk_storvsc_unit *unit = find(controller, target, lun);

	if (!unit || unit->state != STORVSC_UNIT_READY)
		return false;
	unit->seen = true;
	hvk_lock(controller->hvk, &controller->lock);
	if (controller->scan.news)
		hvk_storvsc_unit_has_news(unit);
	hvk_unlock(controller->hvk, &controller->lock);
	return true;
}

void hvk_storvsc_unit_found(struct hvk_storvsc *controller, uint8_t target, uint8_t lun,
			    struct hvk_scsi_identity *found)
{
	struct hvk_storvsc_unit *unit = find(controller, target, lun);

	complete_limits(controller, found);
	if (!unit) {
		add(controller, target, lun, found);
		return;
	}
	if (unit->state == STORVSC_UNIT_READY && is_same(unit, found)) {
		update(unit, found);
		return;
	}
	if (unit->state == STORVSC_UNIT_READY)
		leave(unit); /* another one in its place */
	controller->scan.again = true;
}

/* --- Going --------------------------------------------------------------------------------------- */

void hvk_storvsc_units_settle(struct hvk_storvsc *controller)
{
	for (uint32_t i = 0; i < controller->unit_count; i++) {
		struct hvk_storvsc_unit *unit = &controller->units[i];

		if (unit->state == STORVSC_UNIT_READY && !unit->seen)
			leave(unit);
	}
}

void hvk_storvsc_units_leave(struct hvk_storvsc *controller)
{
	for (uint32_t i = 0; i < controller->unit_count; i++) {
		if (controller->units[i].state == STORVSC_UNIT_READY)
			leave(&controller->units[i]);
	}
	hvk_storvsc_jobs_finish(controller);
}

static bool is_idle(struct hvk_storvsc_unit *unit)
{
	struct hvk_storvsc *controller = unit->controller;
	bool idle;

	hvk_lock(controller->hvk, &controller->lock);
	idle = unit->jobs == 0 && __atomic_load_n(&unit->callbacks, __ATOMIC_SEQ_CST) == 0;
	hvk_unlock(controller->hvk, &controller->lock);
	return idle;
}

static void go(struct hvk_storvsc_unit *unit)
{
	struct hvk_storvsc *controller = unit->controller;

	hvk_log(controller->hvk, HVK_LOG_INFO, "storvsc: unit %u:%u is gone", unit->target, unit->lun);
	if (unit->block.hooks.gone)
		unit->block.hooks.gone(unit->block.hooks.context, &unit->block);
	hvk_lock(controller->hvk, &controller->lock);
	__atomic_store_n(&unit->state, STORVSC_UNIT_NONE, __ATOMIC_RELEASE);
	controller->rescan = controller->rescan || controller->scan.again;
	hvk_unlock(controller->hvk, &controller->lock);
	hvk_storvsc_kick(controller);
}

/* A detach takes them all at its end, and tells nobody. */
void hvk_storvsc_units_reap(struct hvk_storvsc *controller)
{
	if (controller->steps.sequence == &hvk_storvsc_detach_sequence)
		return;
	for (uint32_t i = 0; i < controller->unit_count; i++) {
		struct hvk_storvsc_unit *unit = &controller->units[i];

		if (unit->state == STORVSC_UNIT_LEAVING && is_idle(unit))
			go(unit);
	}
}

bool hvk_storvsc_units_idle(struct hvk_storvsc *controller)
{
	for (uint32_t i = 0; i < controller->unit_count; i++) {
		if (controller->units[i].state != STORVSC_UNIT_NONE && !is_idle(&controller->units[i]))
			return false;
	}
	return true;
}

void hvk_storvsc_units_drop(struct hvk_storvsc *controller)
{
	hvk_lock(controller->hvk, &controller->lock);
	for (uint32_t i = 0; i < controller->unit_count; i++)
		__atomic_store_n(&controller->units[i].state, STORVSC_UNIT_NONE, __ATOMIC_RELEASE);
	hvk_unlock(controller->hvk, &controller->lock);
}
