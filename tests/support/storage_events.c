/* SPDX-License-Identifier: MIT */
/* What happens to controllers and disks under load. */
#include "tests/support/storage_rig.h"

#include <string.h>

#define NOTICE_MS 60000u
#define TROUBLE_MS 150u
#define STALL_NS 30000000u
#define OF 1000u

static const char *const names[STORE_EVENT_COUNT] = {
	"quiet",   "medium errors", "busy",       "attentions", "no answers", "delays",  "all trouble",
	"silence", "silent reset",  "reset unit", "reset all",  "rescan",     "rescind", "add",
	"remove",  "grow",          "shrink",     "eject",      "insert",     "swap",    "reattach",
	"suspend", "stall",         "flood",      "order",      "power cut",
};

const char *store_event_name(enum store_event event)
{
	return names[event];
}

/* --- Who it happens to ---------------------------------------------------------------- */

static struct store_controller *some_controller(struct store *store)
{
	struct store_controller *controller = &store->controllers[store_pick(store, STORE_CONTROLLERS)];

	return controller->host ? controller : &store->controllers[0];
}

/* Of some kind, known to the guest; NULL: none. */
static struct store_disk *some_disk(struct store *store, bool cdrom)
{
	uint32_t first = store_pick(store, STORE_DISKS);

	for (uint32_t i = 0; i < STORE_DISKS; i++) {
		struct store_disk *disk = &store->disks[(first + i) % STORE_DISKS];

		if (disk->there && disk->unit && disk->cdrom == cdrom)
			return disk;
	}
	return NULL;
}

/* Hosts before 4.2 say nothing, and others say it by the next command's answer. */
static void help_to_notice(struct store_controller *controller)
{
	struct store *store = controller->store;
	struct hvk_request request = {0};

	if (!controller->up || hvk_storvsc_protocol(controller->guest) >= VSTOR_VERSION_4_2)
		return;
	hvk_storvsc_rescan(controller->guest, &request);
	(void)store_wait(store, &request, true);
}

static bool is_noticed(const struct store_disk *disk)
{
	if (!disk->there)
		return disk->unit == NULL;
	return disk->unit && hvk_storvsc_block(disk->unit)->info.blocks == disk->blocks;
}

/* With load, which goes on. A controller that has gone meanwhile will find out when it is back. */
static void until_noticed(struct store_disk *disk)
{
	struct store *store = disk->store;
	struct store_controller *controller = disk->controller;
	uint64_t end = store_now(store) + NOTICE_MS * HVH_TIME_PER_MS;

	while (!is_noticed(disk) && store_now(store) < end && !store_failed(store)) {
		store_load(store, 20);
		help_to_notice(controller);
		if (!controller->up || atomic_load(&controller->gone))
			return;
	}
	if (!is_noticed(disk))
		store_fail(store, "%s: that it came, went or changed was not noticed", disk->serial);
}

/* --- Trouble ---------------------------------------------------------------- */

static uint32_t chance(struct store *store, bool may)
{
	static const uint32_t chances[] = {10, 50, 200, 1000};

	return may ? chances[store_pick(store, 4)] : 0;
}

static void set_trouble(struct store *store, const struct hvh_storage_trouble *trouble)
{
	store_lock(store);
	for (uint32_t n = 0; n < STORE_CONTROLLERS; n++) {
		if (store->controllers[n].host)
			hvh_storage_set_trouble(store->controllers[n].host, trouble);
	}
	store_unlock(store);
}

/* Its reasons hold until all that it may have struck is done. */
static void over(struct store *store, uint32_t why)
{
	store_settle(store);
	store->why &= ~why;
}

static void trouble(struct store *store, enum store_event event)
{
	bool all = event == STORE_TROUBLE_ALL;
	const struct hvh_storage_trouble wanted = {
		.medium_errors = chance(store, all || event == STORE_TROUBLE_MEDIUM),
		.busy = chance(store, all || event == STORE_TROUBLE_BUSY) % OF,
		.unit_attentions = chance(store, all || event == STORE_TROUBLE_ATTENTION) % OF,
		.never = chance(store, all || event == STORE_TROUBLE_NEVER) / 10,
		.delay_max = all || event == STORE_TROUBLE_DELAY || store_pick(store, 2)
				     ? store_pick(store, 100 * HVH_TIME_PER_MS)
				     : 0,
	};
	static const struct hvh_storage_trouble none;
	uint32_t why = (wanted.medium_errors ? STORE_WHY_MEDIUM : 0) | (wanted.busy ? STORE_WHY_BUSY : 0) |
		       (wanted.unit_attentions ? STORE_WHY_ATTENTION : 0) |
		       (wanted.never ? STORE_WHY_NEVER : 0);

	why &= ~store->why;
	store_excuse(store, NULL, NULL, why);
	set_trouble(store, &wanted);
	store_load(store, TROUBLE_MS);
	set_trouble(store, &none);
	over(store, why);
}

static void silence(struct store *store, enum hvh_silence step)
{
	struct hvh_partition *partition = hosted_partition(store->rig->machine);
	const struct hvh_storage_trouble never = {.never = 100};
	static const struct hvh_storage_trouble none;
	uint32_t ms = 10 + store_pick(store, store_pick(store, 2) ? 100 : 10000);

	store_excuse(store, NULL, NULL, STORE_WHY_NEVER);
	store_lock(store);
	hvh_silence_set(partition, step);
	store_unlock(store);
	if (step == HVH_SILENCE_VSTOR_RESET)
		set_trouble(store, &never);
	store_load(store, ms);
	set_trouble(store, &none);
	store_lock(store);
	hvh_silence_set(partition, HVH_SILENCE_NONE);
	store_unlock(store);
	over(store, STORE_WHY_NEVER);
}

/* --- By the user ---------------------------------------------------------------- */

static bool reset(struct store *store, bool adapter)
{
	struct store_disk *disk = some_disk(store, store_pick(store, 4) == 0);
	struct hvk_request request = {0};
	struct store_controller *controller;

	if (!disk)
		return false;
	controller = disk->controller;
	store_excuse(store, controller, NULL, STORE_WHY_RESET);
	hvk_storvsc_reset(controller->guest, adapter ? NULL : disk->unit, &request);
	(void)store_wait(store, &request, true);
	if (request.status != HVK_OK && request.status != HVK_EBUSY && !atomic_load(&controller->gone) &&
	    !(request.status == HVK_EGONE && (store->why & STORE_WHY_GONE)))
		store_fail(store, "reset: %s", hvk_status_name(request.status));
	store_settle(store);
	controller->why &= ~STORE_WHY_RESET;
	return request.status == HVK_OK;
}

static bool rescan(struct store *store)
{
	struct store_controller *controller = some_controller(store);
	struct hvk_request request = {0};

	if (!controller->up)
		return false;
	hvk_storvsc_rescan(controller->guest, &request);
	(void)store_wait(store, &request, true);
	if (request.status != HVK_OK && request.status != HVK_EBUSY && !atomic_load(&controller->gone) &&
	    !(request.status == HVK_EGONE && (store->why & STORE_WHY_GONE)))
		store_fail(store, "rescan: %s", hvk_status_name(request.status));
	return request.status == HVK_OK;
}

/* Now and then the host says nothing more from some step of the way up on. */
static void reattach(struct store *store)
{
	struct store_controller *controller = some_controller(store);
	uint32_t steps = HVH_SILENCE_VSTOR_REQUEST - HVH_SILENCE_VSTOR_BEGIN + 1;
	bool silent = store_pick(store, 3) == 0;

	store_down(controller, store_pick(store, 2) != 0);
	if (!silent)
		return;
	store_excuse(store, NULL, NULL, STORE_WHY_NEVER);
	store_lock(store);
	hvh_silence_set(hosted_partition(store->rig->machine),
			(enum hvh_silence)(HVH_SILENCE_VSTOR_BEGIN + store_pick(store, steps)));
	store_unlock(store);
	store_up(controller);
	store_lock(store);
	hvh_silence_set(hosted_partition(store->rig->machine), HVH_SILENCE_NONE);
	store_unlock(store);
	over(store, STORE_WHY_NEVER);
}

static void suspend(struct store *store)
{
	struct hvk *hvk = store->rig->hvk;
	struct hvk_request request = {0};

	for (uint32_t n = 0; n < STORE_CONTROLLERS; n++)
		store_down(&store->controllers[n], store_pick(store, 2) != 0);
	hvk_vmbus_suspend(hvk, &request);
	if (store_wait(store, &request, false) != HVK_OK)
		store_fail(store, "suspend: %s", hvk_status_name(request.status));
	memset(&request, 0, sizeof(request));
	hvk_vmbus_resume(hvk, &request);
	if (store_wait(store, &request, false) != HVK_OK)
		store_fail(store, "resume: %s", hvk_status_name(request.status));
}

static void stall(struct store *store)
{
	uint64_t end = store_now(store) + STALL_NS / 100;

	while (store_now(store) < end) {
		(void)store_submit_any(store);
		hosted_wait(store->rig->machine, STALL_NS / 10);
	}
}

/* More than is taken, until one is refused, and there is room again. */
static bool flood(struct store *store)
{
	struct store_disk *disk = some_disk(store, false);
	uint64_t refused = store->counts.refused_busy, readies = store->counts.readies;
	bool struck;

	if (!disk)
		return false;
	for (uint32_t i = 0; i < 2 * STORE_REQUESTS; i++)
		(void)store_submit(disk, STORE_READ, (struct truth_run){store_pick(store, 32), 1}, false);
	struck = store->counts.refused_busy != refused;
	store_settle(store);
	if (struck && store->counts.readies == readies && disk->unit && !store->why)
		store_fail(store, "%s: nobody said that there is room again", disk->serial);
	return struck;
}

/* Reads, writes and ordered ones of the same few blocks: what each read sees is known. */
static bool order(struct store *store)
{
	struct store_disk *disk = some_disk(store, false);
	struct truth_run run = {store_pick(store, 40), 1 + store_pick(store, 8)};
	uint32_t taken = 0;

	if (!disk || disk->read_only)
		return false;
	for (uint32_t i = 0; i < 12; i++) {
		enum store_kind kind = i % 2 ? STORE_READ : STORE_WRITE;

		if (i == 8)
			kind = STORE_FLUSH;
		taken += store_submit(disk, kind, run, i % 4 < 2 || i == 8);
	}
	store_load(store, 20);
	return taken >= 4;
}

/* --- By the host ---------------------------------------------------------------- */

static void rescind(struct store *store)
{
	struct store_controller *controller = some_controller(store);
	bool wait = store_pick(store, 3) != 0;
	uint64_t end;

	store_excuse(store, controller, NULL, STORE_WHY_GONE);
	store_lock(store);
	hvh_storage_rescind(controller->host, store_now(store));
	store_unlock(store);
	end = store_now(store) + NOTICE_MS * HVH_TIME_PER_MS;
	while (wait && controller->up && !atomic_load(&controller->gone) && store_now(store) < end)
		store_load(store, 5);
	if (wait && !atomic_load(&controller->gone))
		store_fail(store, "a controller was taken back, and nobody was told");
	store_down(controller, true);
	store_lock(store);
	hvh_storage_offer_again(controller->host, store_now(store));
	store_unlock(store);
	store_go_on(store);
	controller->why &= ~STORE_WHY_GONE;
}

static bool add(struct store *store)
{
	struct store_controller *controller = &store->controllers[0];
	uint8_t lun = store_pick(store, 3) ? (uint8_t)(2 + store_pick(store, 8)) : 63;
	bool cdrom = store->plan.cdrom && store_pick(store, 5) == 0, added;

	if (controller->ide || store_find(controller, 0, lun))
		return false;
	store_lock(store);
	added = store_add_disk(controller, 0, lun, cdrom);
	store_unlock(store);
	if (added && store_find(controller, 0, lun))
		until_noticed(store_find(controller, 0, lun));
	return added;
}

/* Now and then with requests that the host has not looked at yet. */
static bool remove_one(struct store *store)
{
	const struct hvh_storage_trouble slow = {.delay_max = 20 * HVH_TIME_PER_MS};
	static const struct hvh_storage_trouble none;
	struct store_disk *disk = NULL;

	for (uint32_t i = 0; i < STORE_DISKS && (!disk || disk->lun == 0 || disk->controller->ide); i++)
		disk = some_disk(store, store_pick(store, 5) == 0);
	if (!disk || disk->lun == 0 || disk->controller->ide)
		return false;
	if (store_pick(store, 2)) {
		set_trouble(store, &slow);
		store_load(store, 10);
		if (!disk->unit)
			return false;
	}
	store_excuse(store, NULL, disk, STORE_WHY_GONE);
	store_lock(store);
	store_drop_disk(disk);
	store_unlock(store);
	until_noticed(disk);
	set_trouble(store, &none);
	return true;
}

/* Another size, by a tenth at most. */
static bool resize(struct store *store, bool larger)
{
	struct store_disk *disk = some_disk(store, false);
	uint64_t blocks, by;

	if (!disk || disk->blocks < 1000)
		return false;
	by = 8 * (1 + store_pick(store, (uint32_t)(disk->blocks / 100)));
	blocks = larger ? disk->blocks + by : disk->blocks - by;
	if (blocks > disk->truth.blocks)
		return false;
	store_excuse(store, NULL, disk, STORE_WHY_SHRUNK);
	store_lock(store);
	if (!hvh_storage_resize(disk->controller->host, store_now(store), disk->target, disk->lun,
				blocks * disk->block_size))
		store_fail(store, "%s cannot be resized", disk->serial);
	truth_cut_off(&disk->truth,
		      larger ? (struct truth_run){disk->blocks, by} : (struct truth_run){blocks, by});
	disk->blocks = blocks;
	store_unlock(store);
	until_noticed(disk);
	store_settle(store);
	disk->why &= ~STORE_WHY_SHRUNK;
	return true;
}

static bool take_out(struct store_disk *disk)
{
	bool out = hvh_storage_eject(disk->controller->host, store_now(disk->store), disk->target, disk->lun,
				     true);

	if (!out)
		store_fail(disk->store, "%s: its medium cannot be taken out", disk->serial);
	disk->blocks = 0;
	return out;
}

static bool change_medium(struct store *store, bool in, bool pause)
{
	struct store_disk *disk = some_disk(store, true);

	if (!disk || (disk->blocks == 0 && !in))
		return false;
	store_excuse(store, NULL, disk, STORE_WHY_EJECTED);
	store_lock(store);
	if (disk->blocks != 0)
		(void)take_out(disk);
	store_unlock(store);
	if (pause)
		store_load(store, store_pick(store, 100));
	store_lock(store);
	if (in)
		(void)store_insert(disk);
	store_unlock(store);
	store_load(store, 40);
	store_settle(store);
	if (disk->blocks != 0)
		disk->why &= ~STORE_WHY_EJECTED;
	return true;
}

/* --- The table ---------------------------------------------------------------- */

static bool by_user(struct store *store, enum store_event event)
{
	switch (event) {
	case STORE_RESET_UNIT:
	case STORE_RESET_ADAPTER:
		return reset(store, event == STORE_RESET_ADAPTER);
	case STORE_RESCAN:
		return rescan(store);
	case STORE_REATTACH:
		reattach(store);
		return true;
	case STORE_SUSPEND:
		suspend(store);
		return true;
	case STORE_STALL:
		stall(store);
		return true;
	case STORE_FLOOD:
		return flood(store);
	case STORE_ORDER:
		return order(store);
	default:
		return true;
	}
}

static bool by_host(struct store *store, enum store_event event)
{
	switch (event) {
	case STORE_RESCIND:
		rescind(store);
		return true;
	case STORE_ADD:
		return add(store);
	case STORE_REMOVE:
		return remove_one(store);
	case STORE_GROW:
	case STORE_SHRINK:
		return resize(store, event == STORE_GROW);
	case STORE_EJECT:
		return change_medium(store, false, false);
	case STORE_INSERT:
		return change_medium(store, true, true);
	case STORE_SWAP:
		return change_medium(store, true, false);
	case STORE_CUT:
		store_cut(store);
		return true;
	default:
		return by_user(store, event);
	}
}

void store_happen(struct store *store, enum store_event event)
{
	bool happened = true;

	if (event >= STORE_TROUBLE_MEDIUM && event <= STORE_TROUBLE_ALL)
		trouble(store, event);
	else if (event == STORE_SILENCE || event == STORE_SILENT_RESET)
		silence(store, event == STORE_SILENCE ? HVH_SILENCE_VSTOR_REQUEST : HVH_SILENCE_VSTOR_RESET);
	else
		happened = by_host(store, event);
	store->counts.events[event] += happened;
}
