/* SPDX-License-Identifier: MIT */
/* Controllers and disks under load: their lives, on both sides. */
#include "tests/support/storage_rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUEST_MS 200000u
#define OFFER_MS 60000u
#define TRIES 30u
#define PAUSE_MS 60u
#define SHORT_OF_NS 20000u

void store_fail(struct store *store, const char *format, ...)
{
	va_list arguments;

	if (store->wrong[0])
		return;
	va_start(arguments, format);
	(void)vsnprintf(store->wrong, sizeof(store->wrong), format, arguments);
	va_end(arguments);
	if (getenv("STORE_LOG"))
		(void)fprintf(stderr, "%10llu WRONG %s\n", (unsigned long long)store_now(store),
			      store->wrong);
}

bool store_failed(const struct store *store)
{
	return store->wrong[0] != '\0';
}

uint32_t store_pick(struct store *store, uint32_t below)
{
	uint64_t z = store->random += 0x9e3779b97f4a7c15ull; /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ (z >> 31)) % below);
}

uint64_t store_now(const struct store *store)
{
	return hosted_now(store->rig->machine);
}

void store_lock(struct store *store)
{
	hosted_lock(store->rig->machine);
}

void store_unlock(struct store *store)
{
	hosted_kick(store->rig->machine);
	hosted_unlock(store->rig->machine);
}

/* --- Turns ---------------------------------------------------------------- */

static void turn(struct store *store, bool loaded)
{
	for (uint32_t i = 0; loaded && i < 4; i++)
		(void)store_submit_any(store);
	rig_turn(store->rig);
	if (loaded && store_under_way(store, NULL) != 0)
		hosted_wait(store->rig->machine, SHORT_OF_NS);
}

void store_load(struct store *store, uint32_t ms)
{
	uint64_t end = store_now(store) + ms * HVH_TIME_PER_MS;

	while (store_now(store) < end && !store_failed(store))
		turn(store, true);
}

static void dump_line(void *context, const char *line)
{
	(void)context;
	(void)fprintf(stderr, "  %s\n", line);
}

static void dump(struct store *store)
{
	if (!getenv("STORE_LOG"))
		return;
	for (uint32_t n = 0; n < STORE_CONTROLLERS; n++) {
		if (store->controllers[n].guest)
			hvk_storvsc_dump(store->controllers[n].guest, dump_line, store);
	}
	hvk_dump(store->rig->hvk, dump_line, store);
	hvh_dump(hosted_partition(store->rig->machine), dump_line, store);
}

hvk_status store_wait(struct store *store, struct hvk_request *request, bool loaded)
{
	uint64_t end = store_now(store) + REQUEST_MS * HVH_TIME_PER_MS;

	while (request->status == HVK_EINPROGRESS && store_now(store) < end)
		turn(store, loaded);
	if (request->status == HVK_EINPROGRESS) {
		store_fail(store, "something that the user asked for does not end");
		dump(store);
	}
	return request->status;
}

void store_excuse(struct store *store, struct store_controller *controller, struct store_disk *disk,
		  uint32_t why)
{
	if (disk)
		disk->why |= why;
	else if (controller)
		controller->why |= why;
	else
		store->why |= why;
	for (uint32_t n = 0; n < STORE_REQUESTS; n++) {
		struct store_request *request = &store->requests[n];

		if (atomic_load(&request->taken) && (!disk || request->disk == disk) &&
		    (!controller || request->disk->controller == controller))
			request->why |= why;
	}
}

/* --- Disks on the host ---------------------------------------------------------------- */

struct store_disk *store_find(struct store_controller *controller, uint8_t target, uint8_t lun)
{
	for (uint32_t n = 0; n < STORE_DISKS; n++) {
		struct store_disk *disk = &controller->store->disks[n];

		if (disk->there && disk->controller == controller && disk->target == target &&
		    disk->lun == lun)
			return disk;
	}
	return NULL;
}

static bool make_file(uint64_t bytes, struct hvh_image *image)
{
	char name[] = "/tmp/hvkit-store-XXXXXX", error[160];
	int file = mkstemp(name);
	bool made;

	if (file < 0)
		return false;
	made = ftruncate(file, (off_t)bytes) == 0;
	(void)close(file);
	made = made && hvh_image_open(name, false, image, error, sizeof(error));
	(void)unlink(name);
	return made;
}

static bool make_disk_image(struct store_disk *disk)
{
	struct store *store = disk->store;
	uint64_t bytes = disk->blocks * disk->block_size;

	disk->cache = NULL;
	if (store->plan.files ? !make_file(bytes, &disk->inner) : !hvh_image_memory(bytes, &disk->inner))
		return false;
	disk->front = disk->inner;
	disk->cache = hvh_write_cache_create(&disk->inner, disk->block_size,
					     store->plan.seed * 31 + store->serials, &disk->front);
	return disk->cache != NULL;
}

/* What was never written cannot be told from zeros. */
static bool prepare_read_only(struct store_disk *disk)
{
	uint8_t bytes[4096];

	disk->truth.last = 1;
	for (uint64_t block = 0; block < disk->blocks; block += 7) {
		struct truth_run run = {block, 1};

		truth_begin(&disk->truth, run, 1);
		truth_end(&disk->truth, run, 1, TRUTH_DONE, true);
		truth_fill(&disk->truth, block, 1, bytes);
		if (!disk->front.write(disk->front.context, block * disk->block_size, bytes,
				       disk->block_size))
			return false;
	}
	return disk->front.flush(disk->front.context);
}

static bool make_medium(struct store_disk *disk)
{
	uint8_t bytes[4096];
	uint64_t blocks = 20 + store_pick(disk->store, 40);

	if (!hvh_image_memory(blocks * disk->block_size, &disk->inner))
		return false;
	disk->medium++;
	for (uint64_t block = 0; block < blocks; block++) {
		truth_fill(&disk->truth, block, disk->medium, bytes);
		if (!disk->inner.write(disk->inner.context, block * disk->block_size, bytes,
				       disk->block_size))
			return false;
	}
	disk->front = disk->inner;
	disk->blocks = blocks;
	return true;
}

bool store_insert(struct store_disk *disk)
{
	if (make_medium(disk) && hvh_storage_insert(disk->controller->host, store_now(disk->store),
						    disk->target, disk->lun, &disk->front))
		return true;
	store_fail(disk->store, "%s: no medium can be put in", disk->serial);
	return false;
}

static bool make_images(struct store_disk *disk)
{
	const struct store_plan *plan = &disk->store->plan;
	uint64_t seed = plan->seed * 1000 + disk->store->serials;

	if (disk->cdrom) {
		disk->block_size = 2048;
		truth_init(&disk->truth, seed, disk->block_size, 0);
		return make_medium(disk);
	}
	disk->block_size = plan->large_blocks && disk->lun == 0 ? 4096 : 512;
	disk->blocks = plan->disk_bytes / disk->block_size;
	truth_init(&disk->truth, seed, disk->block_size, disk->blocks * 2);
	return make_disk_image(disk) && (!disk->read_only || prepare_read_only(disk));
}

static struct store_disk *find_room(struct store *store)
{
	for (uint32_t n = 0; n < STORE_DISKS; n++) {
		if (!store->disks[n].there && !store->disks[n].unit)
			return &store->disks[n];
	}
	return NULL;
}

bool store_add_disk(struct store_controller *controller, uint8_t target, uint8_t lun, bool cdrom)
{
	struct store *store = controller->store;
	struct store_disk *disk = find_room(store);
	struct hvh_unit_config config;

	if (!disk || store_under_way(store, disk) != 0)
		return false;
	truth_destroy(&disk->truth);
	*disk = (struct store_disk){
		.store = store,
		.controller = controller,
		.cdrom = cdrom,
		.read_only = store->plan.read_only && lun == 1 && !cdrom,
		.no_write_cache = store->plan.no_write_cache && lun == 0 && !cdrom,
		.target = target,
		.lun = lun,
	};
	(void)snprintf(disk->serial, sizeof(disk->serial), "DISK%u", ++store->serials);
	config = (struct hvh_unit_config){
		.cdrom = cdrom,
		.read_only = disk->read_only,
		.no_write_cache = disk->no_write_cache,
		.serial = disk->serial,
	};
	disk->there = make_images(disk);
	config.block_size = disk->block_size;
	if (disk->there &&
	    hvh_storage_add(controller->host, store_now(store), target, lun, &config, &disk->front))
		return true;
	store_fail(store, "%s cannot be added", disk->serial);
	return false;
}

void store_drop_disk(struct store_disk *disk)
{
	if (!hvh_storage_remove(disk->controller->host, store_now(disk->store), disk->target, disk->lun))
		store_fail(disk->store, "%s cannot be removed", disk->serial);
	disk->there = false;
	disk->cache = NULL;
	disk->blocks = 0;
}

/* --- Units ---------------------------------------------------------------- */

/* All of its requests are done: it must have counted as we have. */
void store_note_unit(struct store_disk *disk)
{
	struct store_counts *counts = &disk->store->counts;
	struct hvk_block_counters c;
	uint64_t flushes = disk->good[STORE_FLUSH];

	hvk_block_get_counters(hvk_storvsc_block(disk->unit), &c);
	counts->retries += c.retries;
	counts->timeouts += c.timeouts;
	if (c.reads != disk->good[STORE_READ] || c.writes != disk->good[STORE_WRITE] ||
	    c.flushes != flushes || c.zeroes != disk->good[STORE_ZEROES] ||
	    c.discards != disk->good[STORE_DISCARD])
		store_fail(disk->store,
			   "%s: counted %llu reads, %llu writes, %llu flushes; %llu, %llu, %llu were done",
			   disk->serial, (unsigned long long)c.reads, (unsigned long long)c.writes,
			   (unsigned long long)c.flushes, (unsigned long long)disk->good[STORE_READ],
			   (unsigned long long)disk->good[STORE_WRITE], (unsigned long long)flushes);
}

/* A submit on the contact CPU may be under way, as users' locks would see to. */
static void unit_gone(void *context, struct hvk_block *block)
{
	struct store_disk *disk = context;
	struct store *store = disk->store;

	if (!disk->unit || hvk_storvsc_block(disk->unit) != block) {
		store_fail(store, "%s: told twice that it is gone", disk->serial);
		return;
	}
	while (atomic_load(&disk->using) != 0)
		hosted_wait(store->rig->machine, SHORT_OF_NS);
	if (store_under_way(store, disk) != 0)
		store_fail(store, "%s is gone, and %u of its requests are not done", disk->serial,
			   store_under_way(store, disk));
	store_note_unit(disk);
	disk->unit = NULL;
	store->counts.units_gone++;
}

static void unit_ready(void *context, struct hvk_block *block)
{
	struct store_disk *disk = context;

	(void)block;
	disk->starved = false;
	disk->readies++;
	disk->store->counts.readies++;
}

static void unit_changed(void *context, struct hvk_block *block)
{
	struct store_disk *disk = context;

	(void)block;
	disk->store->counts.changed++;
}

static void ghost_gone(void *context, struct hvk_block *block)
{
	struct store *store = context;

	(void)block;
	store->ghosts--;
}

static void check_info(struct store_disk *disk, const struct hvk_block_info *info)
{
	if ((info->block_size != disk->block_size && !(info->flags & HVK_BLOCK_NO_MEDIUM)) ||
	    ((info->flags & HVK_BLOCK_CDROM) != 0) != disk->cdrom ||
	    ((info->flags & HVK_BLOCK_READ_ONLY) != 0) != (disk->read_only || disk->cdrom) ||
	    ((info->flags & HVK_BLOCK_WRITE_CACHE) != 0) != !(disk->no_write_cache || disk->cdrom))
		store_fail(disk->store, "%s: blocks of %u bytes, flags %x", disk->serial, info->block_size,
			   info->flags);
}

static void added(void *context, struct hvk_storvsc *guest, struct hvk_storvsc_unit *unit)
{
	struct store_controller *controller = context;
	struct store *store = controller->store;
	struct hvk_block *block = hvk_storvsc_block(unit);
	struct store_disk *disk = store_find(controller, hvk_storvsc_unit_target(unit),
					     hvk_storvsc_unit_lun(unit));

	(void)guest;
	if (!disk || disk->unit || (block->info.serial[0] && strcmp(block->info.serial, disk->serial) != 0)) {
		store->ghosts++;
		block->hooks = (struct hvk_block_hooks){.gone = ghost_gone, .context = store};
		return;
	}
	disk->unit = unit;
	disk->starved = false;
	memset(disk->good, 0, sizeof(disk->good));
	block->hooks = (struct hvk_block_hooks){
		.changed = unit_changed, .ready = unit_ready, .gone = unit_gone, .context = disk};
	store->counts.added++;
	if (!(store->why & STORE_WHY_EJECTED) && !(controller->why & ~STORE_WHY_GONE))
		check_info(disk, &block->info);
}

/* --- Controllers ---------------------------------------------------------------- */

static void controller_gone(void *context, struct hvk_storvsc *guest)
{
	struct store_controller *controller = context;

	(void)guest;
	if (atomic_load(&controller->gone))
		store_fail(controller->store, "told twice that a controller is gone");
	atomic_store(&controller->gone, true);
	controller->store->counts.controllers_gone++;
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	struct store *store = context;

	(void)again;
	for (uint32_t n = 0; n < STORE_CONTROLLERS; n++) {
		struct store_controller *controller = &store->controllers[n];

		if (controller->host && memcmp(&hvk_channel_offer(channel)->instance, controller->instance,
					       sizeof(controller->instance)) == 0)
			controller->channel = channel;
	}
}

static void channel_gone(void *context, struct hvk_channel *channel)
{
	struct store *store = context;

	for (uint32_t n = 0; n < STORE_CONTROLLERS; n++) {
		if (store->controllers[n].channel == channel)
			store->controllers[n].channel = NULL;
	}
}

static bool wait_for_offer(struct store_controller *controller)
{
	struct store *store = controller->store;
	uint64_t end = store_now(store) + OFFER_MS * HVH_TIME_PER_MS;

	while (!controller->channel || hvk_channel_rescinded(controller->channel)) {
		if (store_now(store) >= end) {
			store_fail(store, "a controller is not offered again");
			dump(store);
			return false;
		}
		turn(store, true);
	}
	return true;
}

/* A host fails what is under way on a channel before it says that the channel is gone. */
static bool goes_soon(struct store_controller *controller)
{
	uint64_t end = store_now(controller->store) + HVK_TIME_PER_SECOND;

	while (controller->channel && !hvk_channel_rescinded(controller->channel) &&
	       store_now(controller->store) < end)
		turn(controller->store, true);
	return !controller->channel || hvk_channel_rescinded(controller->channel);
}

static void no_trouble(struct store *store)
{
	static const struct hvh_storage_trouble none;

	store_lock(store);
	hvh_silence_set(hosted_partition(store->rig->machine), HVH_SILENCE_NONE);
	for (uint32_t n = 0; n < STORE_CONTROLLERS; n++) {
		if (store->controllers[n].host)
			hvh_storage_set_trouble(store->controllers[n].host, &none);
	}
	store_unlock(store);
}

static void count_attached(struct store_controller *controller)
{
	struct store_counts *counts = &controller->store->counts;
	uint32_t queues = hvk_storvsc_queues(controller->guest);

	counts->attached++;
	counts->queues[queues > 3 ? 3 : queues - 1]++;
}

/* True: it is up, or what failed is the host's right. */
static bool try_attach(struct store_controller *controller)
{
	struct store *store = controller->store;
	hvk_status status;

	atomic_store(&controller->gone, false);
	hvk_storvsc_attach(controller->guest, &controller->request);
	controller->up = true; /* units come from now on */
	status = store_wait(store, &controller->request, true);
	if (status == HVK_OK) {
		count_attached(controller);
		return true;
	}
	controller->up = false;
	store->counts.attach_failed++;
	if (status != HVK_EGONE && !((store->why | controller->why) & STORE_WHY_NEVER) &&
	    !goes_soon(controller))
		store_fail(store, "attach: %s", hvk_status_name(status));
	no_trouble(store);
	return !store_failed(store);
}

static void destroy(struct store_controller *controller)
{
	hvk_status status = hvk_storvsc_destroy(controller->guest);

	if (status != HVK_OK)
		store_fail(controller->store, "destroy: %s", hvk_status_name(status));
	controller->guest = NULL;
}

static bool create(struct store_controller *controller)
{
	struct hvk_storvsc_config config = controller->store->plan.config;
	hvk_status status;

	config.added = added;
	config.gone = controller_gone;
	config.context = controller;
	if (controller->index == 1)
		config.cpu = 0;
	status = hvk_storvsc_create(controller->channel, &config, &controller->guest);
	if (status == HVK_OK)
		return true;
	controller->guest = NULL;
	if (status == HVK_EGONE)
		controller->channel = NULL; /* its gone callback is on its way */
	else
		store_fail(controller->store, "create: %s", hvk_status_name(status));
	return false;
}

void store_up(struct store_controller *controller)
{
	struct store *store = controller->store;

	for (uint32_t tries = 0; tries < TRIES && !store_failed(store); tries++) {
		if (controller->guest && !controller->channel)
			destroy(controller);
		if (!wait_for_offer(controller))
			return;
		if (!controller->guest && !create(controller))
			continue;
		if (try_attach(controller) && controller->up)
			return;
		/* As the units of one that has come up in part are: dropped without a word. */
		for (uint32_t n = 0; n < STORE_DISKS; n++) {
			if (store->disks[n].controller == controller)
				store->disks[n].unit = NULL;
		}
		destroy(controller);
	}
	store_fail(store, "a controller does not come up");
}

static void forget_units(struct store_controller *controller)
{
	struct store *store = controller->store;

	for (uint32_t n = 0; n < STORE_DISKS; n++) {
		struct store_disk *disk = &store->disks[n];

		if (disk->controller != controller)
			continue;
		if (store_under_way(store, disk) != 0)
			store_fail(store, "detached, and %u requests are not done",
				   store_under_way(store, disk));
		disk->unit = NULL;
	}
	if (controller->index == 0 || !store->controllers[0].guest)
		store->ghosts = 0;
}

void store_down(struct store_controller *controller, bool destroyed)
{
	struct store *store = controller->store;
	hvk_status status;

	if (!controller->guest)
		return;
	store_excuse(store, controller, NULL, STORE_WHY_DETACHED);
	hvk_storvsc_detach(controller->guest, &controller->request);
	status = store_wait(store, &controller->request, true);
	controller->up = false;
	if (status != HVK_OK && status != HVK_EGONE)
		store_fail(store, "detach: %s", hvk_status_name(status));
	forget_units(controller);
	controller->why &= ~STORE_WHY_DETACHED;
	if (destroyed)
		destroy(controller);
}

void store_go_on(struct store *store)
{
	for (uint32_t n = 0; n < STORE_CONTROLLERS; n++) {
		struct store_controller *controller = &store->controllers[n];

		if (!controller->host || store_failed(store))
			continue;
		if (controller->guest && atomic_load(&controller->gone))
			store_down(controller, true);
		if (!controller->up)
			store_up(controller);
	}
}

/* --- Rest ---------------------------------------------------------------- */

static bool is_gone(const struct store *store)
{
	for (uint32_t n = 0; n < STORE_CONTROLLERS; n++) {
		if (store->controllers[n].host &&
		    (!store->controllers[n].up || atomic_load(&store->controllers[n].gone)))
			return true;
	}
	return false;
}

static bool all_known(const struct store *store)
{
	for (uint32_t n = 0; n < STORE_DISKS; n++) {
		const struct store_disk *disk = &store->disks[n];

		if (disk->there != (disk->unit != NULL))
			return false;
		if (disk->unit &&
		    (hvk_storvsc_block(disk->unit)->info.blocks != disk->blocks || disk->starved))
			return false;
	}
	return store->ghosts == 0;
}

static void rescan(struct store_controller *controller)
{
	struct store *store = controller->store;
	struct hvk_request request = {0};

	if (!controller->up || atomic_load(&controller->gone))
		return;
	hvk_storvsc_rescan(controller->guest, &request);
	(void)store_wait(store, &request, false);
	if (request.status != HVK_OK && request.status != HVK_EBUSY && !goes_soon(controller) &&
	    !((store->why | controller->why) & (STORE_WHY_NEVER | STORE_WHY_GONE)))
		store_fail(store, "rescan: %s", hvk_status_name(request.status));
}

static void rest(struct store *store, uint32_t ms)
{
	uint64_t end = store_now(store) + ms * HVH_TIME_PER_MS;

	while (store_now(store) < end || store_under_way(store, NULL) != 0) {
		if (store_now(store) > end + REQUEST_MS * HVH_TIME_PER_MS) {
			store_fail(store, "%u requests are never done", store_under_way(store, NULL));
			dump(store);
			return;
		}
		turn(store, false);
	}
}

static void explain(struct store *store)
{
	for (uint32_t n = 0; n < STORE_DISKS; n++) {
		const struct store_disk *disk = &store->disks[n];

		if (disk->there && !disk->unit)
			store_fail(store, "%s is not known", disk->serial);
		else if (!disk->there && disk->unit)
			store_fail(store, "%s is gone, and the guest has not noticed", disk->serial);
		else if (disk->unit && disk->starved)
			store_fail(store, "%s: nobody said that there is room again", disk->serial);
		else if (disk->unit && hvk_storvsc_block(disk->unit)->info.blocks != disk->blocks)
			store_fail(store, "%s has %llu blocks; the guest believes in %llu", disk->serial,
				   (unsigned long long)disk->blocks,
				   (unsigned long long)hvk_storvsc_block(disk->unit)->info.blocks);
	}
	store_fail(store, "%u units are there that the host has taken back", store->ghosts);
}

void store_settle(struct store *store)
{
	bool chain = atomic_exchange(&store->chain, false);

	for (uint32_t tries = 0; tries < TRIES && !store_failed(store); tries++) {
		rest(store, 20);
		store_go_on(store);
		for (uint32_t n = 0; n < STORE_CONTROLLERS; n++) {
			if (store->controllers[n].host)
				rescan(&store->controllers[n]);
		}
		rest(store, 20);
		if (!is_gone(store) && all_known(store))
			break;
	}
	if (!store_failed(store) && (is_gone(store) || !all_known(store))) {
		explain(store);
		dump(store);
	}
	atomic_store(&store->chain, chain);
}

/* --- The session ---------------------------------------------------------------- */

static void make_controller(struct store *store, uint32_t index, bool ide)
{
	struct store_controller *controller = &store->controllers[index];
	struct hvh_storage_config config = store->plan.host;

	*controller = (struct store_controller){.store = store, .index = index, .ide = ide};
	memset(controller->instance, (int)(0x40 + index), sizeof(controller->instance));
	memcpy(config.instance, controller->instance, sizeof(config.instance));
	config.class_ = ide ? HVH_STORAGE_IDE : HVH_STORAGE_SCSI;
	controller->host = hvh_storage_create(hosted_partition(store->rig->machine), &config);
	if (!controller->host) {
		store_fail(store, "no controller can be made");
		return;
	}
	for (uint32_t n = 0; n < (ide || index != 0 ? 1 : store->plan.disks); n++)
		(void)store_add_disk(controller, 0, (uint8_t)n, false);
	if (!ide && index == 0 && store->plan.cdrom)
		(void)store_add_disk(controller, 0, 5, true);
}

static void make_host(struct store *store)
{
	uint32_t chance = store->rig->config.fault_chance;

	/* Messages are few here, and seldom two at once. */
	if (chance != 0 && !(store->rig->config.faults_off & (1u << HVH_FAULT_LATE_PENDING)))
		hvh_fault_set(hosted_partition(store->rig->machine), HVH_FAULT_LATE_PENDING,
			      chance < 2048 ? 32 * chance : 65535);
	store_lock(store);
	make_controller(store, 0, store->plan.ide && !store->plan.second);
	if (store->plan.second)
		make_controller(store, 1, store->plan.ide);
	store_unlock(store);
}

static void happen(struct store *store)
{
	const struct store_plan *plan = &store->plan;

	for (uint32_t i = 0; i < plan->event_count && !store_failed(store) && !store->over; i++) {
		store_load(store, plan->pause_ms ? plan->pause_ms : PAUSE_MS);
		store_go_on(store);
		if (!store_failed(store))
			store_happen(store, plan->events[i]);
		store_go_on(store);
	}
	while (store->written < plan->write_bytes && !store_failed(store) && !store->over) {
		store_load(store, 2);
		store_go_on(store);
	}
	store_load(store, plan->pause_ms ? plan->pause_ms : PAUSE_MS);
	if (plan->known_cut && !store->over)
		store_cut(store);
}

static void collect(struct store *store)
{
	struct store_counts *counts = &store->counts;

	for (uint32_t n = 0; n < STORE_CONTROLLERS; n++) {
		struct hvh_storage_counters c;

		if (!store->controllers[n].host)
			continue;
		hvh_storage_get_counters(store->controllers[n].host, &c);
		counts->host_medium += c.medium_errors;
		counts->host_busy += c.busy;
		counts->host_attentions += c.unit_attentions;
		counts->host_unanswered += c.unanswered;
		counts->host_delayed += c.delayed;
		counts->host_absent += c.absent;
		counts->host_resets += c.resets;
		counts->host_notices += c.notices;
	}
}

static void finish(struct store *store)
{
	store->over = true;
	no_trouble(store);
	store_settle(store);
	if (store_failed(store))
		return;
	atomic_store(&store->chain, false);
	store_read_all(store);
	store_settle(store);
	if (!store_failed(store))
		store_compare_images(store);
	for (uint32_t n = 0; n < STORE_DISKS; n++) {
		if (store->disks[n].unit && !store->why)
			store_note_unit(&store->disks[n]);
	}
}

static void session(void *context, struct rig *rig)
{
	struct store *store = context;

	store->rig = rig;
	store_requests_create(store);
	make_host(store);
	atomic_store(&store->chain, true);
	store_go_on(store);
	happen(store);
	finish(store);
	for (uint32_t n = 0; n < STORE_CONTROLLERS; n++)
		store_down(&store->controllers[n], true);
	collect(store);
	store_requests_destroy(store);
}

static void release(struct store *store)
{
	for (uint32_t n = 0; n < STORE_DISKS; n++)
		truth_destroy(&store->disks[n].truth);
	for (uint32_t n = 0; n < STORE_REQUESTS; n++)
		free(store->requests[n].seen);
	free(store);
}

const char *store_run(const struct store_plan *plan, const struct rig_config *machine,
		      struct rig_result *result, struct store_counts *counts)
{
	static _Thread_local char text[STORE_WRONG];
	struct rig_config config = *machine;
	struct store *store = calloc(1, sizeof(*store));
	const char *wrong;

	store->plan = *plan;
	store->random = plan->seed * 0x9e3779b97f4a7c15ull + 1;
	if (machine->rescind_chance)
		store->why |= STORE_WHY_GONE;
	if (machine->fault_chance)
		store->why |= STORE_WHY_QUEUE;
	if (plan->known_cut)
		store->cut_at = 20 + store_pick(store, 500);
	config.no_nic = true;
	config.session = session;
	config.session_context = store;
	config.offered = offered;
	config.gone = channel_gone;
	rig_run(&config, result);
	wrong = store->wrong[0] ? store->wrong : rig_check(result, false);
	if (wrong)
		(void)snprintf(text, sizeof(text), "%s", wrong);
	if (counts)
		*counts = store->counts;
	release(store);
	return wrong ? text : NULL;
}
