/* SPDX-License-Identifier: MIT */
#include "tests/support/systems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VECTOR 0xf3
#define MEMORY_PAGES_DEFAULT 2048u
#define REQUEST_MS 100000u
#define SILENCE_MS 2000u /* a message that takes longer does not come */
#define LIMIT_MS 1000000u
#define REST_NS 1000000u
#define REQUESTS_MAX 16u
#define NS_PER_TICK 100u

struct message {
	struct hvh_echo_header header;
	uint32_t number;
	uint8_t filler[180];
};

void systems_wrong(struct systems *systems, const char *format, ...)
{
	va_list arguments;

	if (systems->wrong[0] != '\0')
		return;
	va_start(arguments, format);
	(void)vsnprintf(systems->wrong, sizeof(systems->wrong), format, arguments);
	va_end(arguments);
}

uint32_t systems_random(struct systems *systems, uint32_t below)
{
	systems->random ^= systems->random << 13;
	systems->random ^= systems->random >> 7;
	systems->random ^= systems->random << 17;
	return (uint32_t)((systems->random >> 16) % below);
}

void systems_pass(struct systems *systems, uint32_t ms)
{
	uint64_t end = hosted_now(systems->machine) + ms * HVH_TIME_PER_MS;

	while (hosted_now(systems->machine) < end)
		hosted_wait(systems->machine, (end - hosted_now(systems->machine)) * NS_PER_TICK);
}

bool systems_firmware(struct systems *systems, enum hvh_firmware_state state)
{
	for (unsigned n = 0; n < 1000; n++) {
		if (hvh_firmware_get_state(systems->firmware) == state)
			return true;
		systems_pass(systems, 1);
	}
	return false;
}

/* --- A system: channels ------------------------------------------------------------------------- */

static void check_answer(struct system_line *line, const struct hvk_packet *packet)
{
	struct systems *systems = line->system->systems;
	struct message message;

	if (packet->payload_length < sizeof(message))
		return; /* of a burst */
	memcpy(&message, packet->payload, sizeof(message));
	if (message.header.operation != HVH_ECHO)
		return;
	if (message.number != line->answered)
		systems_wrong(systems, "message %u instead of %u", message.number, line->answered);
	for (size_t n = 0; n < sizeof(message.filler); n++) {
		if (message.filler[n] != (uint8_t)(message.number + n))
			systems_wrong(systems, "message %u: byte %zu", message.number, n);
	}
	line->answered++;
}

static bool ready(void *context, struct hvk_channel *channel)
{
	struct system_line *line = context;
	struct hvk_packet packet;
	hvk_status status = HVK_OK;

	for (unsigned n = 0; n < 8; n++) {
		status = hvk_channel_receive(channel, line->buffer, sizeof(line->buffer), &packet);
		if (status != HVK_OK)
			break;
		check_answer(line, &packet);
	}
	if (status != HVK_OK && status != HVK_EEMPTY)
		systems_wrong(line->system->systems, "receive: %s", hvk_status_name(status));
	return status == HVK_OK;
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	struct system *system = context;

	(void)again;
	system->offered++;
	for (uint32_t n = 0; n < SYSTEM_LINES; n++) {
		struct system_line *line = &system->lines[n];

		if (line->channel)
			continue;
		if (hvk_channel_claim(channel) == HVK_OK)
			*line = (struct system_line){.system = system, .channel = channel};
		return;
	}
	systems_wrong(system->systems, "more channels than there are lines");
}

static void gone(void *context, struct hvk_channel *channel)
{
	struct system *system = context;

	system->gone++;
	for (uint32_t n = 0; n < SYSTEM_LINES; n++) {
		if (system->lines[n].channel == channel)
			systems_wrong(system->systems, "gone though it is claimed");
	}
}

static hvk_status wait(struct system *system, struct hvk_request *request)
{
	hvk_status status = hvk_wait(system->hvk, request, REQUEST_MS);

	if (request->status == HVK_EINPROGRESS)
		systems_wrong(system->systems, "a request does not end");
	return status;
}

hvk_status system_open(struct system *system)
{
	hvk_status first = HVK_OK;

	for (uint32_t n = 0; n < SYSTEM_LINES; n++) {
		struct system_line *line = &system->lines[n];
		struct hvk_channel_config config = {.tx_pages = 1,
						    .rx_pages = 1,
						    .requests_max = REQUESTS_MAX,
						    .ready = ready,
						    .context = line};
		hvk_status status;

		if (!line->channel || line->open || hvk_channel_rescinded(line->channel))
			continue;
		line->sent = line->answered = 0;
		line->request = (struct hvk_request){0};
		hvk_channel_open(line->channel, &config, &line->request);
		status = wait(system, &line->request);
		line->open = status == HVK_OK;
		first = first == HVK_OK ? status : first;
	}
	return first;
}

hvk_status system_close(struct system *system)
{
	hvk_status first = HVK_OK;

	for (uint32_t n = 0; n < SYSTEM_LINES; n++) {
		struct system_line *line = &system->lines[n];
		struct hvk_channel *channel = line->channel;
		hvk_status status = HVK_OK;

		if (!channel)
			continue;
		if (line->open) {
			line->request = (struct hvk_request){0};
			hvk_channel_close(channel, &line->request);
			status = wait(system, &line->request);
			while (hvk_channel_take_request(channel, NULL)) {
			}
		}
		line->open = false;
		line->channel = NULL;
		hvk_channel_unclaim(channel);
		first = first == HVK_OK ? status : first;
	}
	return first;
}

/* --- A system: talk ------------------------------------------------------------------------------- */

static bool usable(const struct system_line *line)
{
	return line->channel && line->open && hvk_channel_state(line->channel) == HVK_CHANNEL_OPEN;
}

static bool send(struct system_line *line)
{
	struct message message = {.header = {HVH_ECHO, 0}, .number = line->sent};
	hvk_status status;

	for (size_t n = 0; n < sizeof(message.filler); n++)
		message.filler[n] = (uint8_t)(message.number + n);
	line->sent++; /* the answer may come before the call returns */
	status = hvk_channel_send(line->channel, &message, sizeof(message), false, NULL);
	if (status == HVK_OK)
		return true;
	line->sent--;
	if (status != HVK_EAGAIN && status != HVK_EGONE && status != HVK_ESTATE)
		systems_wrong(line->system->systems, "send: %s", hvk_status_name(status));
	return false;
}

static bool turn(struct system *system, uint32_t until)
{
	bool all = true;

	for (uint32_t n = 0; n < SYSTEM_LINES; n++) {
		struct system_line *line = &system->lines[n];

		if (!usable(line))
			continue;
		while (line->sent < until && send(line)) {
		}
		all &= line->answered >= until;
	}
	return all;
}

bool system_talk(struct system *system, uint32_t messages)
{
	struct systems *systems = system->systems;
	uint64_t end = hosted_now(systems->machine) + SILENCE_MS * HVH_TIME_PER_MS;

	for (uint32_t n = 0; n < SYSTEM_LINES; n++)
		system->lines[n].sent = system->lines[n].answered = 0;
	while (!turn(system, messages)) {
		if (!hvk_poll(system->hvk, 0))
			hosted_wait(systems->machine, REST_NS);
		if (hosted_now(systems->machine) >= end)
			return false;
	}
	return true;
}

void system_burst(struct system *system, uint32_t packets)
{
	struct hvh_echo_header header = {HVH_ECHO_BURST, packets};

	for (uint32_t n = 0; n < SYSTEM_LINES; n++) {
		if (usable(&system->lines[n]))
			(void)hvk_channel_send(system->lines[n].channel, &header, sizeof(header), false,
					       NULL);
	}
}

/* --- A system: life ---------------------------------------------------------------------------------- */

bool system_create(struct systems *systems, struct system *system, uint64_t identity, uint32_t timeout_ms)
{
	struct hvk_config config = {
		.cpus = 1, .vector = VECTOR, .guest_os_id = identity, .interrupts = !systems->config.level0};
	uint32_t *timeouts = (uint32_t *)&config.timeouts;
	hvk_status status;

	for (size_t n = 0; n < sizeof(config.timeouts) / sizeof(*timeouts); n++)
		timeouts[n] = timeout_ms;
	memset(system, 0, sizeof(*system));
	system->systems = systems;
	status = hvk_create(hosted_port(systems->machine), &config, &system->hvk);
	if (status != HVK_OK)
		systems_wrong(systems, "create: %s", hvk_status_name(status));
	else
		systems->running = system;
	return status == HVK_OK;
}

hvk_status system_start(struct system *system)
{
	hvk_status status = hvk_start(system->hvk);

	if (status != HVK_OK)
		return status;
	status = hvk_cpu_start(system->hvk);
	if (status != HVK_OK)
		(void)hvk_stop(system->hvk);
	return status;
}

hvk_status system_connect(struct system *system, enum hvk_vmbus_mode mode)
{
	const struct hvk_vmbus_config config = {
		.mode = mode, .offered = offered, .gone = gone, .context = system};

	system->request = (struct hvk_request){0};
	hvk_vmbus_connect(system->hvk, &config, &system->request);
	return wait(system, &system->request);
}

uint64_t system_reserved(const struct system *system)
{
	struct hvk_handover_cursor cursor = {0, 0};
	struct hvk_mmio_range range;
	uint64_t pages = 0;

	while (hvk_handover_next_reserved(system->hvk, &cursor, &range))
		pages += range.length / HVK_PAGE_SIZE;
	return pages;
}

void system_destroy(struct system *system)
{
	hvk_status status;

	(void)hvk_cpu_stop(system->hvk);
	(void)hvk_stop(system->hvk);
	status = hvk_destroy(system->hvk);
	if (status != HVK_OK)
		systems_wrong(system->systems, "destroy: %s", hvk_status_name(status));
	if (system->systems->running == system)
		system->systems->running = NULL;
	system->hvk = NULL;
}

/* --- The machine ---------------------------------------------------------------------------------------- */

static void interrupt(void *context, uint32_t cpu)
{
	struct systems *systems = context;

	if (systems->running)
		hvk_interrupt(systems->running->hvk, cpu);
}

static void violation(void *context, const struct hvh_violation *violation)
{
	struct systems *systems = context;

	if (systems->first_violation[0] == '\0')
		(void)snprintf(systems->first_violation, sizeof(systems->first_violation), "%s: %s",
			       hvh_violation_name(violation->kind), violation->text);
}

static void program(void *context)
{
	struct systems *systems = context;

	systems->script(systems, systems->context);
}

static bool add_firmware(struct systems *systems)
{
	const struct hvk_port *port = hosted_port(systems->machine);
	uint64_t pages[HVH_FIRMWARE_PAGES + SYSTEMS_DEVICES * HVH_FIRMWARE_CHANNEL_PAGES];
	uint32_t count = sizeof(pages) / sizeof(pages[0]);
	struct hvh_firmware_config config = {.pages = pages,
					     .page_count = count,
					     .keeps_identity = systems->config.firmware_keeps_identity};

	for (uint32_t n = 0; n < count; n++) {
		struct hvk_pages *page = &systems->firmware_pages[n];

		if (port->pages_alloc(port->context, 1, HVK_PAGE_HOST_WRITES, page) != HVK_OK)
			return false;
		pages[n] = port->page_gpa(port->context, page->address);
	}
	systems->firmware = hvh_firmware_create(systems->partition, 0, &config);
	if (!systems->firmware)
		return false;
	hosted_add_world(systems->machine, hvh_firmware_run, hvh_firmware_next_event, systems->firmware);
	return true;
}

static bool build(struct systems *systems)
{
	const struct hosted_config config = {
		.mode = HOSTED_DETERMINISTIC,
		.cpus = 1,
		.memory_pages = systems->config.memory_pages ? systems->config.memory_pages
							     : MEMORY_PAGES_DEFAULT,
		.profile = &systems->config.profile,
		.seed = systems->config.seed,
		.level0 = systems->config.level0,
		.switch_chance = systems->config.switch_chance,
		.trace = systems->config.trace,
		.violation = violation,
		.context = systems,
	};

	systems->machine = hosted_create(&config);
	if (!systems->machine)
		return false;
	systems->partition = hosted_partition(systems->machine);
	for (uint32_t n = 0; n < SYSTEMS_DEVICES; n++) {
		if (!hvh_echo_create(systems->partition, &(struct hvh_echo_config){0}))
			return false;
	}
	return !systems->config.firmware || add_firmware(systems);
}

bool systems_run(struct systems *systems, const struct systems_config *config,
		 void (*script)(struct systems *systems, void *context), void *context)
{
	bool ended = false;

	memset(systems, 0, sizeof(*systems));
	systems->config = *config;
	systems->script = script;
	systems->context = context;
	systems->random = config->seed * 0x9e3779b97f4a7c15ull | 1u;
	if (build(systems)) {
		hosted_set_interrupt(systems->machine, interrupt, systems);
		hosted_set_program(systems->machine, 0, program, systems);
		ended = hosted_run(systems->machine, LIMIT_MS);
		if (!ended)
			systems_wrong(systems, "the script does not end");
		if (hosted_writes_to_free_memory(systems->machine) != 0)
			systems_wrong(systems, "the host writes to memory that was given back");
	} else {
		systems_wrong(systems, "out of memory");
	}
	if (systems->firmware)
		hvh_firmware_destroy(systems->firmware);
	if (systems->machine)
		hosted_destroy(systems->machine);
	return ended && systems->wrong[0] == '\0';
}
