/* SPDX-License-Identifier: MIT */
/*
 * Storage controllers and disks coming and going: every controller that the host offers is
 * attached, at the start and later, and given up when it is taken away. Disks are named when they
 * are found, disk0, disk1 ..., cd0 ...; a name is free again once its disk is gone and no command
 * uses it any more.
 */
#include <stdio.h>
#include <string.h>

#include "apps/shell/disk.h"

/* --- Disks: callbacks of the drivers, on CPU 0 -------------------------------------------- */

void shell_disk_size_text(const struct hvk_block_info *info, char text[SHELL_SIZE_TEXT])
{
	if (info->flags & HVK_BLOCK_NO_MEDIUM)
		snprintf(text, SHELL_SIZE_TEXT, "no medium");
	else
		shell_size_text(info->blocks * info->block_size, text);
}

static void tell_disk(const struct shell_disk *disk, const char *what)
{
	const struct hvk_block_info *info = &disk->block->info;
	char size[SHELL_SIZE_TEXT];

	shell_disk_size_text(info, size);
	shell_print(disk->shell, SHELL_STORY, "storage: %s%s: %s %s, %s\n", disk->name, what, info->vendor,
		    info->product, size);
}

static void disk_changed(void *context, struct hvk_block *block)
{
	(void)block;
	tell_disk(context, " has changed");
}

static void disk_gone(void *context, struct hvk_block *block)
{
	struct shell_disk *disk = context;

	(void)block;
	disk->block = NULL;
	disk->unit = NULL;
	if (disk->shell->disks_leaving)
		return;
	shell_print(disk->shell, SHELL_STORY, "storage: %s has been taken away\n", disk->name);
}

static bool name_taken(const struct shell *shell, const char *name)
{
	for (uint32_t n = 0; n < SHELL_DISKS_MAX; n++) {
		const struct shell_disk *disk = &shell->disks[n];

		if ((disk->block || disk->users) && strcmp(disk->name, name) == 0)
			return true;
	}
	return false;
}

/* The lowest number that is free of disks, or of CD-ROMs. */
static void name_disk(struct shell_disk *disk, const struct hvk_block *block)
{
	const char *kind = block->info.flags & HVK_BLOCK_CDROM ? "cd" : "disk";
	char name[SHELL_DISK_NAME];

	for (uint32_t number = 0; number <= SHELL_DISKS_MAX; number++) {
		snprintf(name, sizeof(name), "%s%u", kind, number);
		if (!name_taken(disk->shell, name))
			break;
	}
	memcpy(disk->name, name, sizeof(name));
}

static void disk_added(void *context, struct hvk_storvsc *driver, struct hvk_storvsc_unit *unit)
{
	struct shell_controller *controller = context;
	struct shell *shell = controller->shell;
	struct shell_disk *disk = NULL;

	(void)driver;
	for (uint32_t n = 0; n < SHELL_DISKS_MAX && !disk; n++) {
		if (!shell->disks[n].block && !shell->disks[n].users)
			disk = &shell->disks[n];
	}
	if (!disk) {
		shell_print(shell, SHELL_ERROR, "storage: there is no room for more than %u disks\n",
			    SHELL_DISKS_MAX);
		return;
	}
	*disk = (struct shell_disk){.shell = shell, .unit = unit, .controller = controller->number};
	name_disk(disk, hvk_storvsc_block(unit)); /* it has no block yet, so that its own is no name taken */
	disk->block = hvk_storvsc_block(unit);
	disk->block->hooks = (struct hvk_block_hooks){
		.changed = disk_changed, .gone = disk_gone, .context = disk};
	tell_disk(disk, "");
}

/* --- Controllers ---------------------------------------------------------------------------- */

static void controller_gone(void *context, struct hvk_storvsc *driver)
{
	struct shell_controller *controller = context;

	(void)driver;
	controller->gone = true;
}

static bool is_storage(const struct hvk_offer *offer)
{
	static const struct vmbus_guid scsi = VMBUS_GUID_STORVSC, ide = VMBUS_GUID_IDE;

	return offer->subchannel_index == 0 && (memcmp(&offer->type, &scsi, sizeof(scsi)) == 0 ||
						memcmp(&offer->type, &ide, sizeof(ide)) == 0);
}

struct shell_controller *shell_disks_controller(struct shell *shell, const struct hvk_channel *channel)
{
	for (uint32_t n = 0; n < SHELL_CONTROLLERS_MAX; n++) {
		if (shell->controllers[n].driver && shell->controllers[n].channel == channel)
			return &shell->controllers[n];
	}
	return NULL;
}

/* One that could not be attached is left alone until it is offered anew. */
static bool is_refused(const struct shell *shell, uint32_t channel_id)
{
	return shell->controllers_refused[channel_id / 8] & 1u << channel_id % 8;
}

static void set_refused(struct shell *shell, uint32_t channel_id, bool refused)
{
	uint8_t bit = (uint8_t)(1u << channel_id % 8);

	shell->controllers_refused[channel_id / 8] &= (uint8_t)~bit;
	if (refused)
		shell->controllers_refused[channel_id / 8] |= bit;
}

/* The next controller that is offered and not ours yet. */
static struct hvk_channel *find_new(struct shell *shell)
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	struct hvk_channel *channel = NULL;

	for (uint32_t n = 0; n < VMBUS_MAX_CHANNELS; n++) {
		const struct hvk_offer *offer;

		channel = hvk_vmbus_next_channel(hvk, channel);
		if (!channel)
			return NULL;
		offer = hvk_channel_offer(channel);
		if (is_storage(offer) && !hvk_channel_rescinded(channel) &&
		    !shell_disks_controller(shell, channel) && !is_refused(shell, offer->channel_id))
			return channel;
	}
	return NULL;
}

static void tell_controller(const struct shell_controller *controller)
{
	uint16_t protocol = hvk_storvsc_protocol(controller->driver);
	uint32_t queues = hvk_storvsc_queues(controller->driver);

	shell_print(controller->shell, SHELL_STORY,
		    "storage: controller %u: channel %u, protocol %u.%u, %u %s\n", controller->number,
		    hvk_channel_offer(controller->channel)->channel_id, protocol >> 8, protocol & 0xffu,
		    queues, queues == 1 ? "queue" : "queues");
}

static struct shell_controller *free_place(struct shell *shell)
{
	for (uint32_t n = 0; n < SHELL_CONTROLLERS_MAX; n++) {
		if (!shell->controllers[n].driver)
			return &shell->controllers[n];
	}
	return NULL;
}

static hvk_status attach(struct shell *shell, struct hvk_channel *channel)
{
	struct shell_controller *controller = free_place(shell);
	struct hvk_storvsc_config config = {
		.added = disk_added, .gone = controller_gone, .context = controller};
	hvk_status status;

	if (!controller)
		return HVK_ENOMEM;
	*controller = (struct shell_controller){
		.shell = shell, .channel = channel, .number = (uint32_t)(controller - shell->controllers)};
	status = hvk_storvsc_create(channel, &config, &controller->driver);
	if (status != HVK_OK) {
		controller->driver = NULL;
		return status;
	}
	hvk_storvsc_attach(controller->driver, shell_request(shell));
	status = shell_wait(shell);
	if (status == HVK_OK) {
		tell_controller(controller);
		return HVK_OK;
	}
	if (!shell->abandoned) { /* attach has given everything back */
		hvk_storvsc_destroy(controller->driver);
		controller->driver = NULL;
	}
	return status;
}

static void detach(struct shell_controller *controller)
{
	struct shell *shell = controller->shell;
	hvk_status status;

	hvk_storvsc_detach(controller->driver, shell_request(shell));
	status = shell_wait(shell);
	if (status != HVK_OK)
		shell_fail(shell, "detach the storage controller", status);
	for (uint32_t n = 0; n < SHELL_DISKS_MAX; n++) { /* without their hooks */
		if (shell->disks[n].block && shell->disks[n].controller == controller->number)
			shell->disks[n].block = NULL;
	}
	if (shell->abandoned)
		return;
	status = hvk_storvsc_destroy(controller->driver);
	if (status != HVK_OK)
		shell_fail(shell, "give the storage driver's memory back", status);
	controller->driver = NULL;
}

/* --- All of them ---------------------------------------------------------------------------- */

/* Attaches what is new. What cannot be attached is told, and the others are attached all the same. */
static hvk_status attach_new(struct shell *shell)
{
	hvk_status first = HVK_OK;

	while (!shell->abandoned) {
		struct hvk_channel *channel = find_new(shell);
		uint32_t channel_id;
		hvk_status status;

		if (!channel)
			return first;
		channel_id = hvk_channel_offer(channel)->channel_id;
		status = attach(shell, channel);
		if (status == HVK_OK || status == HVK_EGONE) /* taken away once more: all begins again */
			continue;
		set_refused(shell, channel_id, true);
		shell_print(shell, SHELL_ERROR, "storage: channel %u: %s: %s\n", channel_id,
			    hvk_status_name(status), hvk_status_text(status));
		if (first == HVK_OK)
			first = status;
	}
	return first;
}

static bool is_offered(struct shell *shell, uint32_t channel_id)
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	struct hvk_channel *channel = NULL;

	for (uint32_t n = 0; n < VMBUS_MAX_CHANNELS; n++) {
		channel = hvk_vmbus_next_channel(hvk, channel);
		if (!channel)
			return false;
		if (hvk_channel_offer(channel)->channel_id == channel_id && !hvk_channel_rescinded(channel))
			return true;
	}
	return false;
}

static void forget_refused(struct shell *shell)
{
	for (uint32_t id = 0; id < VMBUS_MAX_CHANNELS; id++) {
		if (is_refused(shell, id) && !is_offered(shell, id))
			set_refused(shell, id, false);
	}
}

void shell_disks_up(struct shell *shell)
{
	hvk_status status = attach_new(shell);

	if (status != HVK_OK && !shell->results.failed_step) {
		shell->results.failed_step = "attach the storage controller";
		shell->results.failed_status = status;
		shell->results.exit_status = SHELL_FAILED;
	}
}

void shell_disks_check(struct shell *shell)
{
	if (shell->abandoned)
		return;
	for (uint32_t n = 0; n < SHELL_CONTROLLERS_MAX && !shell->abandoned; n++) {
		struct shell_controller *controller = &shell->controllers[n];

		if (!controller->driver || (!controller->gone && !hvk_channel_rescinded(controller->channel)))
			continue;
		shell_print(shell, SHELL_STORY, "storage: controller %u has been taken away\n",
			    controller->number);
		detach(controller);
	}
	forget_refused(shell);
	if (attach_new(shell) != HVK_OK && shell->results.exit_status == SHELL_OK)
		shell->results.exit_status = SHELL_FAILED;
}

void shell_disks_down(struct shell *shell)
{
	bool detached = false;

	shell->disks_leaving = true;
	for (uint32_t n = 0; n < SHELL_CONTROLLERS_MAX && !shell->abandoned; n++) {
		if (!shell->controllers[n].driver)
			continue;
		detach(&shell->controllers[n]);
		detached = true;
	}
	if (detached && !shell->results.failed_step)
		shell_print(shell, SHELL_STORY, "storage: detached\n");
}

struct shell_disk *shell_disk_find(struct shell *shell, const char *name, size_t length)
{
	for (uint32_t n = 0; n < SHELL_DISKS_MAX; n++) {
		struct shell_disk *disk = &shell->disks[n];

		if (disk->block && strlen(disk->name) == length && memcmp(disk->name, name, length) == 0)
			return disk;
	}
	return NULL;
}

/* --- Looking inside -------------------------------------------------------------------------- */

struct renamed {
	hvk_dump_line line;
	void *context;
	uint32_t number;
};

/* Each driver calls its tree "storvsc"; there may be several. */
static void rename_line(void *context, const char *text)
{
	struct renamed *renamed = context;
	char name[24];

	if (strcmp(text, "storvsc:") == 0) {
		snprintf(name, sizeof(name), "storvsc-%u:", renamed->number);
		text = name;
	}
	renamed->line(renamed->context, text);
}

void shell_disks_dump(struct shell *shell, hvk_dump_line line, void *context)
{
	for (uint32_t n = 0; n < SHELL_CONTROLLERS_MAX; n++) {
		struct renamed renamed = {line, context, n};

		if (shell->controllers[n].driver)
			hvk_storvsc_dump(shell->controllers[n].driver, rename_line, &renamed);
	}
}
