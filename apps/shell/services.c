/* SPDX-License-Identifier: MIT */
/*
 * The keyboard, the mouse and the integration components coming and going. A host restarts them when it
 * likes, also while a command is under way, so nothing here waits: each turn of the main loop looks how far
 * the step that was begun has come, and begins the next.
 */
#include <stdio.h>
#include <string.h>

#include "apps/shell/service_files.h"

#define SETTLE_MS 60000u /* each attach has bounds of its own; this one is for our own faults */

static const struct service_type {
	const char *name;
	struct vmbus_guid type;
} types[SHELL_SERVICES] = {
	[SHELL_KEYBOARD] = {"keyboard", VMBUS_GUID_KEYBOARD},
	[SHELL_MOUSE] = {"mouse", VMBUS_GUID_MOUSE},
	[SHELL_SHUTDOWN] = {"shutdown", VMBUS_GUID_SHUTDOWN},
	[SHELL_TIMESYNC] = {"timesync", VMBUS_GUID_TIMESYNC},
	[SHELL_HEARTBEAT] = {"heartbeat", VMBUS_GUID_HEARTBEAT},
	[SHELL_KVP] = {"kvp", VMBUS_GUID_KVP},
	[SHELL_VSS] = {"vss", VMBUS_GUID_VSS},
	[SHELL_FCOPY] = {"fcopy", VMBUS_GUID_FCOPY},
};

/* --- Drivers: one face for three ---------------------------------------------------------- */

static void went(struct shell *shell, enum shell_service_kind kind)
{
	shell->services.service[kind].gone = true;
	shell->services.stirred = true;
}

static void keyboard_gone(void *context, struct hvk_keyboard *keyboard)
{
	(void)keyboard;
	went(context, SHELL_KEYBOARD);
}

static void mouse_gone(void *context, struct hvk_mouse *mouse)
{
	(void)mouse;
	went(context, SHELL_MOUSE);
}

static void utility_gone(void *context, struct hvk_utility *utility)
{
	static const enum shell_service_kind kinds[] = {
		[HVK_UTILITY_SHUTDOWN] = SHELL_SHUTDOWN,
		[HVK_UTILITY_TIMESYNC] = SHELL_TIMESYNC,
		[HVK_UTILITY_HEARTBEAT] = SHELL_HEARTBEAT,
		[HVK_UTILITY_KVP] = SHELL_KVP,
		[HVK_UTILITY_VSS] = SHELL_VSS,
		[HVK_UTILITY_FCOPY] = SHELL_FCOPY,
	};

	went(context, kinds[hvk_utility_kind(utility)]);
}

static hvk_status create_utility(struct shell *shell, struct shell_service *service,
				 enum shell_service_kind kind)
{
	struct hvk_utility_config config = {.gone = utility_gone, .context = shell};

	if (kind == SHELL_SHUTDOWN)
		shell_power_callbacks(&config.callbacks.shutdown);
	else if (kind == SHELL_TIMESYNC)
		shell_clock_callbacks(&config.callbacks.time);
	else if (kind == SHELL_KVP)
		shell_pairs_callbacks(&config.callbacks.kvp);
	else if (kind == SHELL_VSS)
		shell_backup_callbacks(shell, &config.callbacks.vss);
	else if (kind == SHELL_FCOPY)
		shell_copies_callbacks(&config.callbacks.fcopy);
	return hvk_utility_create(service->channel, &config, &service->utility);
}

static hvk_status create(struct shell *shell, struct shell_service *service, enum shell_service_kind kind)
{
	const struct hvk_keyboard_config keyboard = {
		.key = shell_typed_key, .gone = keyboard_gone, .context = shell};
	const struct hvk_mouse_config mouse = {
		.move = shell_pointer_move, .gone = mouse_gone, .context = shell};

	if (kind == SHELL_KEYBOARD)
		return hvk_keyboard_create(service->channel, &keyboard, &service->keyboard);
	if (kind == SHELL_MOUSE)
		return hvk_mouse_create(service->channel, &mouse, &service->mouse);
	return create_utility(shell, service, kind);
}

static void attach(struct shell_service *service)
{
	memset(&service->request, 0, sizeof(service->request));
	if (service->keyboard)
		hvk_keyboard_attach(service->keyboard, &service->request);
	else if (service->mouse)
		hvk_mouse_attach(service->mouse, &service->request);
	else
		hvk_utility_attach(service->utility, &service->request);
}

static void detach(struct shell_service *service)
{
	memset(&service->request, 0, sizeof(service->request));
	if (service->keyboard)
		hvk_keyboard_detach(service->keyboard, &service->request);
	else if (service->mouse)
		hvk_mouse_detach(service->mouse, &service->request);
	else
		hvk_utility_detach(service->utility, &service->request);
}

static bool destroy(struct shell_service *service)
{
	hvk_status status = service->keyboard ? hvk_keyboard_destroy(service->keyboard)
			    : service->mouse  ? hvk_mouse_destroy(service->mouse)
					      : hvk_utility_destroy(service->utility);

	if (status != HVK_OK)
		return false;
	service->keyboard = NULL;
	service->mouse = NULL;
	service->utility = NULL;
	service->channel = NULL;
	return true;
}

/* --- Steps -------------------------------------------------------------------------------- */

static bool is_of(const struct hvk_offer *offer, enum shell_service_kind kind)
{
	return offer->subchannel_index == 0 &&
	       memcmp(&offer->type, &types[kind].type, sizeof(offer->type)) == 0;
}

static struct hvk_channel *find_channel(struct shell *shell, enum shell_service_kind kind)
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	struct hvk_channel *channel = NULL;

	for (uint32_t n = 0; n < VMBUS_MAX_CHANNELS; n++) {
		channel = hvk_vmbus_next_channel(hvk, channel);
		if (!channel)
			return NULL;
		if (is_of(hvk_channel_offer(channel), kind) && !hvk_channel_rescinded(channel) &&
		    hvk_channel_offer(channel)->channel_id != shell->services.service[kind].refused)
			return channel;
	}
	return NULL;
}

/* One that cannot be attached is left alone until it is offered anew. */
static void refuse(struct shell *shell, enum shell_service_kind kind, const char *step, hvk_status status)
{
	struct shell_service *service = &shell->services.service[kind];

	if (!hvk_channel_rescinded(service->channel))
		service->refused = hvk_channel_offer(service->channel)->channel_id;
	if (status != HVK_EGONE && status != HVK_ECANCELED)
		shell_print(shell, SHELL_ERROR, "%s: %s: %s: %s\n", types[kind].name, step,
			    hvk_status_name(status), hvk_status_text(status));
}

static void begin(struct shell *shell, enum shell_service_kind kind)
{
	struct shell_service *service = &shell->services.service[kind];
	hvk_status status;

	service->channel = find_channel(shell, kind);
	if (!service->channel)
		return;
	service->gone = false;
	status = create(shell, service, kind);
	if (status != HVK_OK) {
		refuse(shell, kind, "create the driver", status);
		return;
	}
	attach(service);
	service->step = SHELL_SERVICE_ATTACHING;
}

static void attached(struct shell *shell, enum shell_service_kind kind, hvk_status status)
{
	struct shell_service *service = &shell->services.service[kind];

	service->step = status == HVK_OK ? SHELL_SERVICE_UP : SHELL_SERVICE_LEAVING;
	if (status != HVK_OK)
		refuse(shell, kind, "attach", status);
}

static void look_after(struct shell *shell, struct shell_service *service)
{
	if (shell->services.up && !service->gone && !hvk_channel_rescinded(service->channel))
		return;
	detach(service);
	service->step = SHELL_SERVICE_DETACHING;
}

/* True while it is on its way somewhere, and is to be looked at again. */
static bool go_on(struct shell *shell, enum shell_service_kind kind)
{
	struct shell_service *service = &shell->services.service[kind];
	hvk_status status = __atomic_load_n(&service->request.status, __ATOMIC_SEQ_CST);

	switch (service->step) {
	case SHELL_SERVICE_IDLE:
		if (shell->services.up)
			begin(shell, kind);
		break;
	case SHELL_SERVICE_ATTACHING:
		if (status != HVK_EINPROGRESS)
			attached(shell, kind, status);
		break;
	case SHELL_SERVICE_UP:
		look_after(shell, service);
		break;
	case SHELL_SERVICE_DETACHING:
		if (status != HVK_EINPROGRESS)
			service->step = SHELL_SERVICE_LEAVING;
		break;
	case SHELL_SERVICE_LEAVING:
		/* A moment later than it says that it is detached. One that is back already is looked for. */
		if (destroy(service))
			service->step = SHELL_SERVICE_IDLE;
		return true;
	}
	return service->step != SHELL_SERVICE_IDLE && service->step != SHELL_SERVICE_UP;
}

bool shell_services_turn(struct shell *shell)
{
	struct shell_services *services = &shell->services;
	bool worked;

	if (shell->abandoned)
		return false;
	worked = shell_backup_turn(shell);
	worked |= shell_addresses_turn(shell);
	if (!services->stirred)
		return worked;
	services->stirred = false;
	for (uint32_t kind = 0; kind < SHELL_SERVICES; kind++) {
		enum shell_service_step before = services->service[kind].step;

		services->stirred |= go_on(shell, (enum shell_service_kind)kind);
		/* Memory can be given back after one more poll: no time to sleep. */
		worked |= services->service[kind].step != before || before == SHELL_SERVICE_LEAVING;
	}
	return worked;
}

void shell_services_offered(struct shell *shell, const struct hvk_channel *channel)
{
	const struct hvk_offer *offer = hvk_channel_offer(channel);

	for (uint32_t kind = 0; kind < SHELL_SERVICES; kind++) {
		struct shell_service *service = &shell->services.service[kind];

		if (!is_of(offer, (enum shell_service_kind)kind))
			continue;
		if (service->refused == offer->channel_id)
			service->refused = 0;
		shell->services.stirred = true;
	}
}

/* --- All of them -------------------------------------------------------------------------- */

static bool are_all(const struct shell *shell, enum shell_service_step one, enum shell_service_step other)
{
	for (uint32_t kind = 0; kind < SHELL_SERVICES; kind++) {
		enum shell_service_step step = shell->services.service[kind].step;

		if (step != one && step != other)
			return false;
	}
	return true;
}

static void settle(struct shell *shell, enum shell_service_step one, enum shell_service_step other)
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	uint64_t limit = hvk_time(hvk) + SETTLE_MS * HVK_TIME_PER_MS;

	shell->services.stirred = true;
	do {
		shell_turn(shell, hvk_time(hvk) + HVK_TIME_PER_MS);
	} while (!shell->abandoned && !are_all(shell, one, other) && hvk_time(hvk) < limit);
}

static void give_memory_back(struct shell *shell)
{
	if (shell->services.pairs.store)
		shell_pairs_destroy(shell);
	if (shell->services.memory)
		shell_memory_files_destroy(shell->services.memory);
	shell->services.memory = NULL;
}

void shell_services_begin(struct shell *shell)
{
	struct shell_services *services = &shell->services;
	hvk_status status = HVK_OK;

	if (shell->platform.files)
		services->files = *shell->platform.files;
	else
		status = shell_memory_files_create(shell->platform.port, &services->memory, &services->files);
	if (status == HVK_OK)
		status = shell_pairs_create(shell);
	services->up = status == HVK_OK;
	services->stirred = true;
	if (status == HVK_OK)
		return;
	give_memory_back(shell);
	shell_fail(shell, "make room for key-value pairs and files", status);
}

void shell_services_settle(struct shell *shell)
{
	if (shell->services.up)
		settle(shell, SHELL_SERVICE_IDLE, SHELL_SERVICE_UP);
}

void shell_services_down(struct shell *shell)
{
	if (!shell->services.up)
		return;
	shell->services.up = false;
	if (!shell->abandoned)
		settle(shell, SHELL_SERVICE_IDLE, SHELL_SERVICE_IDLE);
	if (!shell->abandoned && !are_all(shell, SHELL_SERVICE_IDLE, SHELL_SERVICE_IDLE))
		shell_fail(shell, "detach the integration components", HVK_ETIMEDOUT);
	if (are_all(shell, SHELL_SERVICE_IDLE, SHELL_SERVICE_IDLE))
		give_memory_back(shell);
}

const char *shell_services_driver(struct shell *shell, const struct hvk_channel *channel)
{
	for (uint32_t kind = 0; kind < SHELL_SERVICES; kind++) {
		const struct shell_service *service = &shell->services.service[kind];

		if (service->channel == channel && service->step == SHELL_SERVICE_UP)
			return types[kind].name;
	}
	return NULL;
}

/* --- Looking inside ----------------------------------------------------------------------- */

void shell_dump_value(const struct shell_dump_to *to, const char *name, const char *format, ...)
{
	char value[200], text[260];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(value, sizeof(value), format, arguments);
	va_end(arguments);
	snprintf(text, sizeof(text), "  %s: %s", name, value);
	to->line(to->context, text);
}

void shell_services_dump(struct shell *shell, hvk_dump_line line, void *context)
{
	const struct shell_dump_to to = {line, context};

	for (uint32_t kind = 0; kind < SHELL_SERVICES; kind++) {
		const struct shell_service *service = &shell->services.service[kind];

		if (service->keyboard)
			hvk_keyboard_dump(service->keyboard, line, context);
		if (service->mouse)
			hvk_mouse_dump(service->mouse, line, context);
		if (service->utility)
			hvk_utility_dump(service->utility, line, context);
	}
	if (!shell->services.up)
		return;
	shell_typed_dump(shell, &to);
	shell_clock_dump(shell, &to);
	shell_pairs_dump(shell, &to);
	shell_backup_dump(shell, &to);
	shell_copies_dump(shell, &to);
}

/* --- What is refused ---------------------------------------------------------------------- */

static const struct refusal {
	const char *name;
	uint32_t bit;
} refusals[] = {
	{"shutdown", SHELL_REFUSES_SHUTDOWN}, {"forced", SHELL_REFUSES_FORCED},
	{"time", SHELL_REFUSES_TIME},         {"addresses", SHELL_REFUSES_ADDRESSES},
	{"files", SHELL_REFUSES_FILES},       {"freeze", SHELL_REFUSES_FREEZE},
};
#define REFUSALS (sizeof(refusals) / sizeof(refusals[0]))

static bool take_refusal(const char *word, uint32_t *refuses)
{
	for (size_t n = 0; n < REFUSALS; n++) {
		if (strcmp(refusals[n].name, word) == 0) {
			*refuses |= refusals[n].bit;
			return true;
		}
	}
	return strcmp(word, "nothing") == 0;
}

int shell_command_refuse(struct shell *shell, uint32_t count, char *const words[])
{
	uint32_t refuses = 0;
	bool any = false;

	for (uint32_t n = 1; n < count; n++) {
		if (!take_refusal(words[n], &refuses))
			return shell_usage(shell,
					   "refuse: '%.40s' is not known; there are: shutdown, forced, time, "
					   "addresses, files, freeze, nothing\n",
					   words[n]);
	}
	if (count > 1)
		shell->services.refuses = refuses;
	for (size_t n = 0; n < REFUSALS; n++) {
		if (!(shell->services.refuses & refusals[n].bit))
			continue;
		shell_print(shell, SHELL_OUTPUT, "%s%s", any ? ", " : "refused: ", refusals[n].name);
		any = true;
	}
	shell_print(shell, SHELL_OUTPUT, "%s\n", any ? "" : "refused: nothing");
	return SHELL_OK;
}
