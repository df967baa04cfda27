/* SPDX-License-Identifier: MIT */
/* The storage controller as the rest of the program sees it. */
#include <stdlib.h>
#include <string.h>

#include "storvsp.h"

#define IDE_DEVICES_PER_CHANNEL 2u

static uint32_t limited(uint32_t wanted, uint32_t usual, uint32_t least, uint32_t most)
{
	if (wanted == 0)
		return usual;
	return wanted < least ? least : wanted > most ? most : wanted;
}

/* How many accelerators there are: this one's place on the IDE bus. */
static uint8_t ide_count(struct hvh_partition *partition)
{
	static const struct vmbus_guid ide = VMBUS_GUID_IDE;
	struct hvh_device_info info;
	uint8_t count = 0;

	for (uint32_t n = 0; hvh_device_get(partition, n, &info); n++)
		if (memcmp(info.type, ide.bytes, sizeof info.type) == 0)
			count++;
	return count;
}

static void describe(struct hvh_partition *partition, enum hvh_storage_class class_,
		     struct hvh_offer_parameters *parameters)
{
	static const struct vmbus_guid scsi = VMBUS_GUID_STORVSC, ide = VMBUS_GUID_IDE;
	struct vstor_offer_data data = {0};

	parameters->type = class_ == HVH_STORAGE_IDE ? ide : scsi;
	if (class_ != HVH_STORAGE_IDE)
		return;
	data.path = ide_count(partition) / IDE_DEVICES_PER_CHANNEL;
	data.target = ide_count(partition) % IDE_DEVICES_PER_CHANNEL;
	data.flags = VSTOR_OFFER_EMULATED_IDE;
	memcpy(parameters->user_data, &data, sizeof data);
}

struct hvh_storage *hvh_storage_create(struct hvh_partition *partition,
				       const struct hvh_storage_config *config)
{
	const struct hvh_device_ops *ops = config->class_ == HVH_STORAGE_IDE ? &storvsp_ide_ops
									     : &storvsp_scsi_ops;
	struct hvh_storage *storage = calloc(1, sizeof *storage);
	struct hvh_offer_parameters parameters = {0};

	if (storage == NULL)
		return NULL;
	storage->partition = partition;
	storage->class_ = config->class_;
	storage->queues_max = limited(config->queues_max, STORVSP_QUEUES_MAX, 1, STORVSP_QUEUES_MAX);
	storage->transfer_max = limited(config->transfer_max, STORVSP_TRANSFER_DEFAULT, STORVSP_TRANSFER_MIN,
					STORVSP_TRANSFER_MAX);
	storage->transfer_max -= storage->transfer_max % STORVSP_TRANSFER_MIN;
	storage->pages_max = storage->transfer_max / HVK_PAGE_SIZE + 1;
	describe(partition, config->class_, &parameters);
	hvh_instance_guid(partition, config->instance, parameters.instance.bytes);
	if (storvsp_queue_get(storage, 0) != NULL)
		storage->channel = hvh_channel_offer(partition, &parameters, ops, storage);
	if (storage->channel == NULL) {
		ops->destroy(storage);
		return NULL;
	}
	storage->queues[0]->channel = storage->channel;
	return storage;
}

struct hvh_storage *hvh_storage_find(struct hvh_partition *partition, const char *name)
{
	struct hvh_storage *storage = hvh_device_by_name(partition, name, &storvsp_scsi_ops);

	return storage != NULL ? storage : hvh_device_by_name(partition, name, &storvsp_ide_ops);
}

void hvh_storage_rescind(struct hvh_storage *storage, uint64_t now)
{
	storage->now = now;
	hvh_channel_rescind(storage->channel, now);
}

void hvh_storage_offer_again(struct hvh_storage *storage, uint64_t now)
{
	storage->now = now;
	hvh_channel_offer_again(storage->channel, now);
}

void hvh_storage_set_trouble(struct hvh_storage *storage, const struct hvh_storage_trouble *trouble)
{
	storage->trouble = *trouble;
}

void hvh_storage_get_counters(const struct hvh_storage *storage, struct hvh_storage_counters *out)
{
	*out = storage->counters;
}
