/* SPDX-License-Identifier: MIT */
/* The units of a controller: found by their address, added, removed and changed while a guest runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storvsp.h"

#define SERIAL_DIGITS 33u

static bool is_address(const struct hvh_storage *storage, uint32_t target, uint32_t lun)
{
	if (storage->class_ == HVH_STORAGE_IDE)
		return target == 0 && lun == 0;
	return target < STORVSP_TARGETS && lun < STORVSP_LUNS;
}

static struct scsi_unit *at(const struct hvh_storage *storage, uint32_t target, uint32_t lun)
{
	return is_address(storage, target, lun) ? storage->units[target][lun] : NULL;
}

/* Requests of an accelerator name the place on the IDE bus, or bytes of the instance (Linux): there is
 * one unit, and it is meant. */
struct scsi_unit *storvsp_unit(const struct hvh_storage *storage, const struct vstor_request *srb)
{
	if (storage->class_ == HVH_STORAGE_IDE)
		return at(storage, 0, srb->lun);
	return srb->path == 0 ? at(storage, srb->target, srb->lun) : NULL;
}

uint64_t storvsp_luns(const struct hvh_storage *storage, const struct vstor_request *srb)
{
	uint32_t target = storage->class_ == HVH_STORAGE_IDE ? 0 : srb->target;
	uint64_t luns = 0;

	if (target >= STORVSP_TARGETS || (storage->class_ != HVH_STORAGE_IDE && srb->path != 0))
		return 0;
	for (uint32_t lun = 0; lun < STORVSP_LUNS; lun++)
		if (storage->units[target][lun] != NULL)
			luns |= 1ull << lun;
	return luns;
}

void storvsp_units_reset(struct hvh_storage *storage)
{
	for (uint32_t target = 0; target < STORVSP_TARGETS; target++)
		for (uint32_t lun = 0; lun < STORVSP_LUNS; lun++)
			if (storage->units[target][lun] != NULL)
				scsi_unit_reset(storage->units[target][lun]);
}

void storvsp_units_destroy(struct hvh_storage *storage)
{
	for (uint32_t target = 0; target < STORVSP_TARGETS; target++) {
		for (uint32_t lun = 0; lun < STORVSP_LUNS; lun++) {
			if (storage->units[target][lun] == NULL)
				continue;
			scsi_unit_destroy(storage->units[target][lun]);
			free(storage->units[target][lun]);
			storage->units[target][lun] = NULL;
		}
	}
}

/* The others of that target say it with their next answer, too. Who has not been told of any unit yet
 * will look anyway. */
static void tell_neighbours(struct hvh_storage *storage, uint32_t target)
{
	if (storage->state != STORVSP_READY)
		return;
	for (uint32_t lun = 0; lun < STORVSP_LUNS; lun++)
		if (storage->units[target][lun] != NULL)
			scsi_unit_attention(storage->units[target][lun], SCSI_ASC_REPORTED_LUNS_CHANGED);
}

bool hvh_storage_add(struct hvh_storage *storage, uint64_t now, uint32_t target, uint32_t lun,
		     const struct hvh_unit_config *config, const struct hvh_image *image)
{
	const char *serial = config->serial;
	char made[SERIAL_DIGITS];
	struct scsi_unit *unit;

	storage->now = now;
	if (!is_address(storage, target, lun) || storage->units[target][lun] != NULL)
		return false;
	if (serial == NULL || serial[0] == '\0') {
		snprintf(made, sizeof made, "%016llx", (unsigned long long)hvh_random(storage->partition));
		serial = made;
	}
	unit = calloc(1, sizeof *unit);
	if (unit == NULL || !scsi_unit_create(unit, config, image, serial, storage->transfer_max)) {
		free(unit);
		return false;
	}
	tell_neighbours(storage, target);
	scsi_unit_attention(unit, SCSI_ASC_POWER_ON_OR_RESET);
	storage->units[target][lun] = unit;
	storvsp_notify(storage, VSTOR_OPERATION_ENUMERATE_BUS, 0, 0);
	return true;
}

static bool tells_removal(const struct hvh_storage *storage)
{
	enum hvh_tendency tendency = hvh_partition_get_profile(storage->partition)->remove_notice;

	if (tendency == HVH_BY_SEED)
		return hvh_choose(storage->partition, 2) != 0;
	return tendency == HVH_EVERY_TIME;
}

/* What the guest still asks of it finds it gone. */
bool hvh_storage_remove(struct hvh_storage *storage, uint64_t now, uint32_t target, uint32_t lun)
{
	struct scsi_unit *unit = at(storage, target, lun);

	storage->now = now;
	if (unit == NULL)
		return false;
	storage->units[target][lun] = NULL;
	scsi_unit_destroy(unit);
	free(unit);
	tell_neighbours(storage, target);
	storvsp_notify(storage,
		       tells_removal(storage) ? VSTOR_OPERATION_REMOVE_DEVICE : VSTOR_OPERATION_ENUMERATE_BUS,
		       (uint8_t)target, (uint8_t)lun);
	return true;
}

bool hvh_storage_resize(struct hvh_storage *storage, uint64_t now, uint32_t target, uint32_t lun,
			uint64_t size)
{
	struct scsi_unit *unit = at(storage, target, lun);

	storage->now = now;
	if (unit == NULL || !scsi_unit_resize(unit, size))
		return false;
	storvsp_notify(storage, VSTOR_OPERATION_ENUMERATE_BUS, 0, 0);
	return true;
}

bool hvh_storage_eject(struct hvh_storage *storage, uint64_t now, uint32_t target, uint32_t lun, bool force)
{
	struct scsi_unit *unit = at(storage, target, lun);

	storage->now = now;
	return unit != NULL && scsi_unit_eject(unit, force);
}

bool hvh_storage_insert(struct hvh_storage *storage, uint64_t now, uint32_t target, uint32_t lun,
			const struct hvh_image *image)
{
	struct scsi_unit *unit = at(storage, target, lun);

	storage->now = now;
	return unit != NULL && scsi_unit_insert(unit, image);
}
