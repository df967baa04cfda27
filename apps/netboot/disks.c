/* SPDX-License-Identifier: MIT */
/* Files of ISO 9660 on disks and CD-ROMs; controllers are attached when the first one is wanted. */
#include <string.h>

#include "apps/netboot/netboot.h"
#include "apps/storage/block_queue.h"
#include "apps/storage/iso9660.h"

#define SLOT_BYTES 131072u
#define PIECE 65536u

static void attach(struct netboot *self, struct hvk_channel *channel)
{
	const struct hvk_storvsc_config config = {.queues = 1};
	struct hvk_storvsc *controller;
	hvk_status status = hvk_storvsc_create(channel, &config, &controller);

	if (status == HVK_OK) {
		hvk_storvsc_attach(controller, netboot_request(self));
		status = netboot_wait(self);
		if (status != HVK_OK && !self->abandoned)
			hvk_storvsc_destroy(controller);
	}
	if (status == HVK_OK)
		self->controllers[self->controller_count++] = controller;
	else
		netboot_print(self, "%s\n", netboot_failed(self, status, "attach a storage controller"));
}

static void attach_all(struct netboot *self)
{
	static const struct vmbus_guid types[] = {VMBUS_GUID_IDE, VMBUS_GUID_STORVSC};

	self->disks_attached = true;
	for (uint32_t type = 0; type < 2; type++) {
		struct hvk_channel *channel;

		for (uint32_t n = 0; self->controller_count < NETBOOT_CONTROLLERS_MAX && !self->abandoned &&
				     (channel = netboot_channel(self, &types[type], n)) != NULL;
		     n++)
			attach(self, channel);
	}
}

/* Number n of all units, in order of controllers, targets and LUNs. */
static struct hvk_block *find_disk(struct netboot *self, uint32_t number)
{
	for (uint32_t i = 0; i < self->controller_count; i++) {
		struct hvk_storvsc_unit *unit = NULL;

		while ((unit = hvk_storvsc_next_unit(self->controllers[i], unit)) != NULL) {
			if (number-- == 0)
				return hvk_storvsc_block(unit);
		}
	}
	return NULL;
}

void netboot_disks_down(struct netboot *self)
{
	for (uint32_t i = 0; i < self->controller_count && !self->abandoned; i++) {
		hvk_storvsc_detach(self->controllers[i], netboot_request(self));
		(void)netboot_wait(self);
		if (!self->abandoned)
			hvk_storvsc_destroy(self->controllers[i]);
	}
	self->controller_count = 0;
	self->disks_attached = false;
}

/* --- A disk as bytes ----------------------------------------------------------------------------- */

struct disk {
	struct netboot *self;
	struct hvk_block *block; /* NULL: gone */
	struct block_queue queue;
	hvk_status status;
};

static void disk_turn(void *context)
{
	(void)netboot_turn(((struct disk *)context)->self);
}

static void disk_gone(void *context, struct hvk_block *block)
{
	(void)block;
	((struct disk *)context)->block = NULL;
}

static bool read_blocks(void *context, uint64_t block, uint32_t count, void *data)
{
	struct disk *disk = context;
	uint32_t size = disk->queue.block_size, most = block_queue_slot_blocks(&disk->queue);
	struct block_slot *slot = block_queue_slot(&disk->queue, 0);
	uint8_t *to = data;

	while (count && disk->status == HVK_OK) {
		uint32_t blocks = count < most ? count : most;

		(void)block_queue_submit(&disk->queue, slot, HVK_BLOCK_READ, 0, block, blocks);
		disk->status = block_queue_wait(&disk->queue, slot);
		if (disk->status != HVK_OK)
			break;
		memcpy(to, slot->data, (size_t)blocks * size);
		to += (size_t)blocks * size;
		block += blocks;
		count -= blocks;
	}
	return disk->status == HVK_OK;
}

static const char *read_file(const struct iso9660 *volume, const struct iso9660_entry *entry,
			     const struct netboot_sink *sink)
{
	static uint8_t piece[PIECE];
	const char *wrong = sink->size(sink->context, entry->size);

	for (uint64_t at = 0; at < entry->size && !wrong; at += PIECE) {
		uint32_t length = (uint32_t)(entry->size - at < PIECE ? entry->size - at : PIECE);
		enum iso9660_status status = iso9660_read(volume, entry, at, piece, length);

		wrong = status == ISO9660_OK ? sink->data(sink->context, piece, length)
					     : iso9660_text(status);
	}
	return wrong;
}

static const char *read_open_disk(struct disk *disk, const char *path, const struct netboot_sink *sink)
{
	static struct iso9660 volume;
	static struct iso9660_entry entry;
	const struct hvk_block_info *info = &disk->block->info;
	struct storage_source source = {
		.read = read_blocks, .context = disk, .blocks = info->blocks, .block_size = info->block_size};
	enum iso9660_status status = iso9660_open(&volume, &source, ISO9660_ANY_NAMES);

	if (status == ISO9660_OK)
		status = iso9660_find(&volume, path, &entry);
	if (status != ISO9660_OK)
		return iso9660_text(status);
	return entry.directory ? "that is a directory" : read_file(&volume, &entry, sink);
}

const char *netboot_disk_read(struct netboot *self, const struct location *location,
			      const struct netboot_sink *sink)
{
	static struct disk disk;
	const struct block_queue_config config = {.port = self->platform.port,
						  .block = &disk.block,
						  .turn = disk_turn,
						  .context = &disk,
						  .slots = 1,
						  .slot_bytes = SLOT_BYTES};
	const char *wrong;
	hvk_status status;

	if (!self->disks_attached)
		attach_all(self);
	if (self->abandoned)
		return "the host does not answer";
	disk = (struct disk){.self = self, .block = find_disk(self, location->disk)};
	if (!disk.block)
		return "there is no such disk";
	disk.block->hooks = (struct hvk_block_hooks){.gone = disk_gone, .context = &disk};
	status = block_queue_open(&disk.queue, &config);
	if (status != HVK_OK)
		return netboot_failed(self, status, "open the disk");
	wrong = read_open_disk(&disk, location->path, sink);
	if (disk.status != HVK_OK)
		wrong = netboot_failed(self, disk.status, "read the disk");
	(void)block_queue_close(&disk.queue);
	if (disk.block)
		disk.block->hooks = (struct hvk_block_hooks){.gone = NULL};
	return wrong;
}
