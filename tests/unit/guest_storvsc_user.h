/* SPDX-License-Identifier: MIT */
/* The third part of the bench: running it, and the user above the driver. */
#ifndef GUEST_STORVSC_USER_H
#define GUEST_STORVSC_USER_H

/* --- Running -------------------------------------------------------------------------------- */

static bool fake_poll(void)
{
	bool work = false;

	fake_run_timers(&bench.hvk);
	for (uint32_t i = 0; i < FAKE_CHANNELS; i++)
		work |= fake_poll_channel(&bench.channel[i]);
	work |= fake_run_finished(&bench.hvk);
	bench.hvk.cpu = 0;
	return work;
}

/* Polls, and lets the host answer, until nothing happens any more. */
static void fake_run(void)
{
	for (uint32_t i = 0; i < 1000000; i++) {
		bool work = fake_poll();

		work |= fake_answer();
		if (!work)
			return;
	}
	fail_msg("never at rest");
}

static void fake_advance(uint32_t ms)
{
	for (uint32_t i = 0; i < ms; i++) {
		bench.hvk.now_ms++;
		fake_run();
	}
}

/* The host takes a channel back, and says so. */
static void fake_rescind(uint32_t index)
{
	bench.channel[index].rescinded = true;
	bench.channel[index].kicked = true;
	fake_run();
}

/* --- Hooks ------------------------------------------------------------------------------------ */

static void unit_changed(void *context, struct hvk_block *block)
{
	(void)context;
	(void)block;
	assert_int_equal(bench.hvk.locked, 0);
	bench.changed++;
}

static void unit_ready(void *context, struct hvk_block *block)
{
	(void)context;
	(void)block;
	assert_int_equal(bench.hvk.locked, 0);
	bench.readies++;
}

static void unit_gone(void *context, struct hvk_block *block)
{
	(void)context;
	for (uint32_t i = 0; i < 16; i++) {
		if (bench.units[i] && hvk_storvsc_block(bench.units[i]) == block)
			bench.units[i] = NULL;
	}
	bench.unit_gone++;
}

static void unit_added(void *context, struct hvk_storvsc *controller, struct hvk_storvsc_unit *unit)
{
	(void)context;
	assert_ptr_equal(hvk_storvsc_controller(unit), controller);
	assert_int_equal(bench.hvk.locked, 0);
	hvk_storvsc_block(unit)->hooks = (struct hvk_block_hooks){
		.changed = unit_changed, .ready = unit_ready, .gone = unit_gone};
	for (uint32_t i = 0; i < 16; i++) {
		if (!bench.units[i]) {
			bench.units[i] = unit;
			break;
		}
	}
	bench.added++;
}

static void controller_gone(void *context, struct hvk_storvsc *controller)
{
	(void)context;
	assert_ptr_equal(controller, bench.controller);
	bench.gone++;
}

/* --- Life -------------------------------------------------------------------------------------- */

static void init_channel(uint32_t index)
{
	static const struct vmbus_guid type = VMBUS_GUID_STORVSC;
	struct hvk_channel *channel = &bench.channel[index];

	channel->hvk = &bench.hvk;
	channel->offer.type = type;
	channel->offer.subchannel_index = (uint16_t)index;
	channel->room = FAKE_NONE;
	channel->sent = calloc(FAKE_SENT_MAX, sizeof(*channel->sent));
	channel->inbox = calloc(FAKE_INBOX_MAX, sizeof(*channel->inbox));
}

static struct fake_disk *fake_add_disk(uint8_t target, uint8_t lun, uint64_t blocks, uint32_t block_size)
{
	for (uint32_t i = 0; i < FAKE_DISKS; i++) {
		struct fake_disk *disk = &bench.disks[i];

		if (disk->present)
			continue;
		*disk = (struct fake_disk){
			.present = true,
			.target = target,
			.lun = lun,
			.blocks = blocks,
			.block_size = block_size,
			.version = 5,
			.format = 2,
			.vendor = "Msft",
			.serial = "  S123 ",
			.unmap_max = 4096,
			.write_same_max = 1024,
			.data = calloc(blocks < 65536 ? blocks : 65536, block_size),
		};
		return disk;
	}
	fail_msg("too many disks");
	return NULL;
}

/* The host before anything is created on it. */
static void fake_begin(void)
{
	memset(&bench, 0, sizeof(bench));
	fake_core_begin(&bench.hvk, 2); /* a queue's lock, then the controller's */
	bench.hvk.timeouts.device_ms = 5000;
	bench.newest = VSTOR_VERSION_6_2;
	bench.subchannels_max = 3;
	bench.granted_offers = 3;
	bench.transfer_max = 65536;
	bench.mute_operation = bench.refuse_operation = bench.short_operation = FAKE_NONE;
	for (uint32_t i = 0; i < FAKE_CHANNELS; i++)
		init_channel(i);
}

static hvk_status fake_create(const struct hvk_storvsc_config *config)
{
	struct hvk_storvsc_config with_hooks = *config;

	with_hooks.added = unit_added;
	with_hooks.gone = controller_gone;
	return hvk_storvsc_create(&bench.channel[0], &with_hooks, &bench.controller);
}

static hvk_status fake_attach(void)
{
	bench.attach = (struct hvk_request){0};
	hvk_storvsc_attach(bench.controller, &bench.attach);
	fake_run();
	return bench.attach.status;
}

static hvk_status fake_detach(void)
{
	bench.detach = (struct hvk_request){0};
	hvk_storvsc_detach(bench.controller, &bench.detach);
	fake_run();
	return bench.detach.status;
}

/* A disk of 4096 blocks of 512 bytes as unit 0:0, attached, one queue. */
static struct fake_disk *fake_up(const struct hvk_storvsc_config *config)
{
	struct fake_disk *disk;

	fake_begin();
	disk = fake_add_disk(0, 0, 4096, 512);
	assert_int_equal(fake_create(config), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_non_null(bench.units[0]);
	bench.log[0] = 0;
	return disk;
}

static void fake_free_host(void)
{
	for (uint32_t i = 0; i < FAKE_CHANNELS; i++) {
		free(bench.channel[i].sent);
		free(bench.channel[i].inbox);
	}
	for (uint32_t i = 0; i < FAKE_DISKS; i++)
		free(bench.disks[i].data);
}

/* All memory and all channels are given back. */
static void fake_free(void)
{
	assert_int_equal(hvk_storvsc_destroy(bench.controller), HVK_OK);
	assert_int_equal(fake_pages_in_use(&bench.hvk), 0);
	for (uint32_t i = 0; i < FAKE_CHANNELS; i++) {
		assert_false(bench.channel[i].open);
		assert_false(bench.channel[i].claimed);
	}
	fake_free_host();
}

static void fake_down(void)
{
	assert_int_equal(fake_detach(), HVK_OK);
	fake_free();
}

/* --- Requests --------------------------------------------------------------------------------------- */

static void user_done(struct fake_user *user, hvk_status status)
{
	assert_int_equal(bench.hvk.locked, 0);
	assert_int_equal(user->done, 0);
	user->done = 1;
	user->status = status;
	user->order = ++bench.completed;
}

static void block_done(struct hvk_block_request *request, hvk_status status, void *context)
{
	(void)request;
	user_done(context, status);
}

static void raw_done(struct hvk_scsi_request *request, void *context)
{
	user_done(context, request->status);
}

/* Submits request n of the bench; its result is in bench.users[n]. */
static hvk_status fake_submit(uint32_t n, enum hvk_block_operation operation, uint64_t block, uint64_t count,
			      const struct hvk_buffer *pieces, uint32_t piece_count, uint32_t flags)
{
	struct fake_user *user = &bench.users[n];

	*user = (struct fake_user){.status = HVK_EINPROGRESS};
	user->block = (struct hvk_block_request){
		.operation = operation,
		.flags = flags,
		.block = block,
		.count = count,
		.pieces = pieces,
		.piece_count = piece_count,
		.done = block_done,
		.context = user,
	};
	return hvk_block_submit(hvk_storvsc_block(bench.units[0]), &user->block);
}

static hvk_status fake_do(enum hvk_block_operation operation, uint64_t block, uint64_t count,
			  const struct hvk_buffer *pieces, uint32_t piece_count, uint32_t flags)
{
	hvk_status status = fake_submit(0, operation, block, count, pieces, piece_count, flags);

	if (status != HVK_OK)
		return status;
	assert_int_equal(bench.users[0].done, 0); /* never inside the call */
	fake_run();
	assert_int_equal(bench.users[0].done, 1);
	return bench.users[0].status;
}

static struct hvk_block_counters fake_counters(void)
{
	struct hvk_block_counters counters;

	hvk_block_get_counters(hvk_storvsc_block(bench.units[0]), &counters);
	return counters;
}

static struct hvk_buffer direct(void *address, uint32_t length)
{
	return (struct hvk_buffer){address, (uint64_t)(uintptr_t)address, length};
}

#endif
