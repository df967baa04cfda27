/* SPDX-License-Identifier: MIT */
/* The object: creating it, and what is asked of it. */
#include "guest/storvsc/storvsc_internal.h"

#define DEFAULT_RING_PAGES 32u
#define DEFAULT_DEPTH 256u
#define DEFAULT_TIMEOUT_MS 60000u
#define DEFAULT_BOUNCE_PAGES 64u
#define DEFAULT_UNITS 64u
#define RING_PAGES_MAX 4094u
#define TIMEOUT_MAX_MS 3600000u

static uint32_t or_default(uint32_t value, uint32_t standard)
{
	return value == 0 ? standard : value;
}

static hvk_status check_config(const struct hvk *hvk, struct hvk_storvsc_config *config)
{
	config->ring_pages = or_default(config->ring_pages, DEFAULT_RING_PAGES);
	config->queues = or_default(config->queues, hvk_min32(hvk_cpu_count(hvk), HVK_STORVSC_QUEUES_MAX));
	config->queue_depth = or_default(config->queue_depth, DEFAULT_DEPTH);
	config->timeout_ms = or_default(config->timeout_ms, DEFAULT_TIMEOUT_MS);
	config->bounce_pages = or_default(config->bounce_pages, DEFAULT_BOUNCE_PAGES);
	config->units_max = or_default(config->units_max, DEFAULT_UNITS);
	if (config->protocol_newest == 0)
		config->protocol_newest = VSTOR_VERSION_6_2;
	if (config->cpu >= hvk_cpu_count(hvk) || config->ring_pages > RING_PAGES_MAX ||
	    config->queues > HVK_STORVSC_QUEUES_MAX || config->queue_depth > HVK_STORVSC_DEPTH_MAX)
		return HVK_EINVAL;
	if (config->timeout_ms > TIMEOUT_MAX_MS || config->bounce_pages > HVK_STORVSC_BOUNCE_MAX ||
	    config->units_max > HVK_STORVSC_UNITS_MAX)
		return HVK_EINVAL;
	return hvk_vstor_is_version(config->protocol_newest) ? HVK_OK : HVK_EINVAL;
}

/* One disk of the emulated IDE controller: its place is in the offer, or in the instance's name
 * {channel-device-8899-...} (Linux, OpenVMM). */
static void find_ide_place(struct hvk_storvsc *controller, const struct hvk_offer *offer)
{
	struct vstor_offer_data data;
	uint8_t instance[sizeof(offer->instance)];

	memcpy(&data, offer->user_data, sizeof(data));
	memcpy(instance, &offer->instance, sizeof(instance));
	controller->ide = true;
	if (data.flags & VSTOR_OFFER_EMULATED_IDE) {
		controller->ide_path = data.path;
		controller->ide_target = data.target;
	} else {
		controller->ide_path = instance[0];
		controller->ide_target = instance[4];
	}
}

static hvk_status check_offer(const struct hvk_offer *offer, bool *ide)
{
	static const struct vmbus_guid scsi_type = VMBUS_GUID_STORVSC, ide_type = VMBUS_GUID_IDE;

	*ide = memcmp(&offer->type, &ide_type, sizeof(ide_type)) == 0;
	if (offer->subchannel_index != 0)
		return HVK_EINVAL;
	return *ide || memcmp(&offer->type, &scsi_type, sizeof(scsi_type)) == 0 ? HVK_OK : HVK_EINVAL;
}

static uint32_t pages_for(uint64_t bytes)
{
	return (uint32_t)((bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE);
}

static void init_command(struct hvk_storvsc *controller, struct storvsc_command *command)
{
	command->ticket.kind = STORVSC_TICKET_COMMAND;
	command->next = controller->free_commands;
	controller->free_commands = command;
}

/* Commands, jobs and units in one allocation; zeros. */
static hvk_status allocate_pool(struct hvk_storvsc *controller)
{
	uint32_t depth = controller->config.queue_depth, commands = depth + HVK_STORVSC_RESERVED;
	uint64_t jobs_at = (uint64_t)commands * sizeof(struct storvsc_command);
	uint64_t units_at = jobs_at + (uint64_t)depth * sizeof(struct storvsc_job);
	uint64_t bytes = units_at + (uint64_t)controller->config.units_max * sizeof(struct hvk_storvsc_unit);
	hvk_status status = hvk_pages_get(controller->hvk, pages_for(bytes), HVK_PAGE_PRIVATE,
					  &controller->pool);
	uint8_t *memory = controller->pool.address;

	if (status != HVK_OK)
		return status;
	controller->commands = (struct storvsc_command *)(void *)memory;
	controller->jobs = (struct storvsc_job *)(void *)(memory + jobs_at);
	controller->units = (struct hvk_storvsc_unit *)(void *)(memory + units_at);
	controller->command_count = commands;
	controller->unit_count = controller->config.units_max;
	for (uint32_t i = 0; i < commands; i++)
		init_command(controller, &controller->commands[i]);
	for (uint32_t i = 0; i < depth; i++) {
		controller->jobs[i].next = controller->free_jobs;
		controller->free_jobs = &controller->jobs[i];
	}
	return HVK_OK;
}

_Static_assert(sizeof(struct storvsc_command) % _Alignof(struct storvsc_job) == 0 &&
		       sizeof(struct storvsc_command) % _Alignof(struct hvk_storvsc_unit) == 0 &&
		       sizeof(struct storvsc_job) % _Alignof(struct hvk_storvsc_unit) == 0,
	       "each begins where it may");

static hvk_status init(struct hvk_storvsc *controller)
{
	hvk_status status = hvk_lock_init(controller->hvk, &controller->lock);

	controller->answer.ticket.kind = STORVSC_TICKET_STEP;
	hvk_storvsc_life_init(controller);
	hvk_storvsc_subchannels_init(controller);
	hvk_storvsc_scan_init(controller);
	hvk_storvsc_reset_init(controller);
	hvk_storvsc_alarm_init(controller);
	for (uint32_t i = 0; status == HVK_OK && i < controller->queue_count; i++)
		status = hvk_storvsc_queue_init(controller, i);
	return status == HVK_OK ? allocate_pool(controller) : status;
}

hvk_status hvk_storvsc_create(struct hvk_channel *channel, const struct hvk_storvsc_config *config,
			      struct hvk_storvsc **out)
{
	const struct hvk_offer *offer = hvk_channel_offer(channel);
	struct hvk *hvk = hvk_channel_instance(channel);
	struct hvk_storvsc_config checked = *config;
	struct hvk_storvsc *controller;
	struct hvk_pages pages;
	bool ide;
	hvk_status status = check_config(hvk, &checked);

	*out = NULL;
	if (status == HVK_OK)
		status = check_offer(offer, &ide);
	if (status == HVK_OK)
		status = hvk_channel_claim(
			channel); /* until destroy: the host may take it back at any time */
	if (status != HVK_OK)
		return status;
	status = hvk_pages_get(
		hvk,
		pages_for(sizeof(*controller) + (uint64_t)checked.queues * sizeof(controller->queues[0])),
		HVK_PAGE_PRIVATE, &pages);
	if (status != HVK_OK) {
		hvk_channel_unclaim(channel);
		return status;
	}
	controller = pages.address; /* zeros */
	controller->pages = pages;
	controller->hvk = hvk;
	controller->channel = channel;
	controller->config = checked;
	controller->queue_count = ide ? 1 : checked.queues;
	if (ide)
		find_ide_place(controller, offer);
	status = init(controller);
	if (status == HVK_OK) {
		*out = controller;
	} else {
		hvk_pages_put(hvk, &pages);
		hvk_channel_unclaim(channel);
	}
	return status;
}

hvk_status hvk_storvsc_destroy(struct hvk_storvsc *controller)
{
	struct hvk_pages pages = controller->pages;
	struct hvk *hvk = controller->hvk;
	bool idle;

	hvk_lock(hvk, &controller->lock);
	idle = controller->life == STORVSC_DETACHED &&
	       !__atomic_load_n(&controller->kicked, __ATOMIC_SEQ_CST);
	hvk_unlock(hvk, &controller->lock);
	if (!idle)
		return HVK_ESTATE;
	hvk_channel_unclaim(controller->channel);
	hvk_pages_put(hvk, &controller->pool);
	hvk_pages_put(hvk, &pages);
	return HVK_OK;
}

/* --- Work on the controller's CPU --------------------------------------------------------------- */

void hvk_storvsc_kick(struct hvk_storvsc *controller)
{
	if (__atomic_exchange_n(&controller->kicked, true, __ATOMIC_SEQ_CST))
		return;
	hvk_request_begin(&controller->kick);
	hvk_request_finish(controller->hvk, &controller->kick, HVK_OK, controller->config.cpu);
}

void hvk_storvsc_fault(struct hvk_storvsc *controller, hvk_status status, const char *what)
{
	__atomic_fetch_add(&controller->faults, 1, __ATOMIC_RELAXED);
	(void)hvk_fault(controller->hvk, status, "storvsc: %s", what);
}

/* --- What is asked of it -------------------------------------------------------------------------- */

struct hvk_channel *hvk_storvsc_channel(struct hvk_storvsc *controller)
{
	return controller->channel;
}

uint16_t hvk_storvsc_protocol(const struct hvk_storvsc *controller)
{
	return controller->version;
}

uint32_t hvk_storvsc_queues(const struct hvk_storvsc *controller)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < controller->queue_count; i++)
		count += storvsc_queue_is_open(&controller->queues[i]);
	return count;
}

static uint32_t order_of(const struct hvk_storvsc_unit *unit)
{
	return (uint32_t)unit->target << 8 | unit->lun;
}

struct hvk_storvsc_unit *hvk_storvsc_next_unit(struct hvk_storvsc *controller,
					       struct hvk_storvsc_unit *previous)
{
	struct hvk_storvsc_unit *next = NULL;

	for (uint32_t i = 0; i < controller->unit_count; i++) {
		struct hvk_storvsc_unit *unit = &controller->units[i];

		if (storvsc_unit_state(unit) != STORVSC_UNIT_READY ||
		    (previous && order_of(unit) <= order_of(previous)))
			continue;
		if (!next || order_of(unit) < order_of(next))
			next = unit;
	}
	return next;
}

struct hvk_block *hvk_storvsc_block(struct hvk_storvsc_unit *unit)
{
	return &unit->block;
}

struct hvk_storvsc *hvk_storvsc_controller(struct hvk_storvsc_unit *unit)
{
	return unit->controller;
}

uint8_t hvk_storvsc_unit_target(const struct hvk_storvsc_unit *unit)
{
	return unit->target;
}

uint8_t hvk_storvsc_unit_lun(const struct hvk_storvsc_unit *unit)
{
	return unit->lun;
}
