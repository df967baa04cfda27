/* SPDX-License-Identifier: MIT */
/* The object: creating it, looking inside. */
#include "guest/utilities/utilities_internal.h"

#define RING_PAGES 4u

static const struct utility_service *const services[] = {
	&hvk_utility_shutdown, &hvk_utility_timesync, &hvk_utility_heartbeat,
	&hvk_utility_kvp,      &hvk_utility_vss,      &hvk_utility_fcopy,
};
#define SERVICE_COUNT (sizeof(services) / sizeof(services[0]))

static const struct hvk_step attach_steps[] = {HVK_DEVICE_OPEN};
static const struct hvk_sequence attach_sequence = {attach_steps, 1, hvk_device_attach_failed,
						    hvk_device_is_up};

static void gone(void *device)
{
	struct hvk_utility *utility = device;

	if (utility->config.gone)
		utility->config.gone(utility->config.context, utility);
}

/* One for all: packets are as large as the largest service's. */
static const struct hvk_device_kind kind = {
	.name = "utility",
	.ring_pages = RING_PAGES,
	.packet_max = 9216,
	.attach = &attach_sequence,
	.take = hvk_utility_take,
	.has_room = hvk_utility_has_room,
	.work = hvk_utility_work,
	.down = hvk_utility_down,
	.gone = gone,
};

static const struct utility_service *find_service(const struct vmbus_guid *type)
{
	for (size_t i = 0; i < SERVICE_COUNT; i++) {
		if (memcmp(&services[i]->type, type, sizeof(*type)) == 0)
			return services[i];
	}
	return NULL;
}

hvk_status hvk_utility_create(struct hvk_channel *channel, const struct hvk_utility_config *config,
			      struct hvk_utility **out)
{
	const struct utility_service *service = find_service(&hvk_channel_offer(channel)->type);
	struct hvk_utility *utility;
	struct hvk_device *device;
	hvk_status status;

	*out = NULL;
	if (!service)
		return HVK_ENOTSUP;
	status = hvk_device_create(channel, &kind, config->cpu, sizeof(*utility) + 2 * service->message_max,
				   &device);
	if (status != HVK_OK)
		return status;
	utility = (struct hvk_utility *)device;
	utility->config = *config;
	utility->service = service;
	utility->current.bytes = (uint8_t *)(utility + 1);
	utility->next.bytes = utility->current.bytes + service->message_max;
	hvk_utility_init(utility);
	*out = utility;
	return HVK_OK;
}

void hvk_utility_attach(struct hvk_utility *utility, struct hvk_request *request)
{
	hvk_device_attach(&utility->device, request);
}

void hvk_utility_detach(struct hvk_utility *utility, struct hvk_request *request)
{
	hvk_device_detach(&utility->device, request);
}

hvk_status hvk_utility_destroy(struct hvk_utility *utility)
{
	return hvk_device_destroy(&utility->device);
}

enum hvk_utility_kind hvk_utility_kind(const struct hvk_utility *utility)
{
	return utility->service->kind;
}

struct hvk_channel *hvk_utility_channel(struct hvk_utility *utility)
{
	return utility->device.channel;
}

void hvk_utility_versions(const struct hvk_utility *utility, uint32_t *framework, uint32_t *message)
{
	*framework = __atomic_load_n(&utility->framework, __ATOMIC_RELAXED);
	*message = __atomic_load_n(&utility->version, __ATOMIC_RELAXED);
}

void hvk_utility_get_counters(const struct hvk_utility *utility, struct hvk_utility_counters *out)
{
	*out = utility->counters;
}

void hvk_utility_dump(struct hvk_utility *utility, hvk_dump_line line, void *context)
{
	static const char *const requests[] = {"none", "asked", "answered"};
	const struct hvk_utility_counters *counters = &utility->counters;
	struct hvk_dump dump = {line, context, 0};

	hvk_dump_begin(&dump, "%s", utility->service->name);
	hvk_device_dump(&dump, &utility->device);
	hvk_dump_value(&dump, "framework", "%u.%u", utility->framework & 0xffffu, utility->framework >> 16);
	hvk_dump_value(&dump, "messages", "%u.%u", utility->version & 0xffffu, utility->version >> 16);
	hvk_dump_value(&dump, "request", "%s", hvk_dump_name(requests, 3, (uint32_t)utility->request));
	hvk_dump_number(&dump, "requests", counters->requests);
	hvk_dump_number(&dump, "answers", counters->answers);
	hvk_dump_number(&dump, "refused", counters->refused);
	hvk_dump_number(&dump, "late", counters->late);
	hvk_dump_number(&dump, "malformed", counters->malformed);
	hvk_dump_number(&dump, "negotiations", counters->negotiations);
	hvk_dump_end(&dump);
}
