/* SPDX-License-Identifier: MIT */
/*
 * Packets of every kind and length on a channel of a device that sends everything back:
 * in band, with a list of pages, with and without an answer, and packets of the host's that
 * want one. Rings of one page, so that everything wraps many times. What arrives is what
 * was sent, then zeros up to eight bytes; the host finds nothing to complain about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/vmbus/channel.h"
#include "hvkit/vmbus.h"
#include "ports/hosted/hosted.h"

#define LENGTH_MAX 600u
#define ROUNDS 3u
#define REQUEST_MS 20000u
#define LIMIT_MS 600000u

static const struct vmbus_guid echo_type = {{0x65, 0x63, 0x68, 0x6f}};

struct bytes {
	uint8_t data[2048];
	uint32_t length;
};

/* The host's side. */
struct device {
	struct bytes last;       /* what the guest sent last, page lists followed */
	uint32_t read;           /* packets */
	bool asking;             /* answers are packets that want a completion */
	struct bytes completion; /* of the last of those */
	uint32_t completions;
};

/* The guest's side. */
struct guest {
	struct hosted *machine;
	struct hvk *hvk;
	struct hvk_channel *channel;
	struct hvk_request request;
	struct device device;
	struct bytes last;
	void *cookie;
	uint16_t type;
	uint32_t received;
	uint32_t answer_length; /* of completions that we send */
	uint8_t *memory;        /* pages of the port's */
	const char *wrong;
	uint32_t wrong_length;
};

static uint8_t pattern(uint32_t length, uint32_t position)
{
	return (uint8_t)(length * 7 + position * 13 + 1);
}

/* --- The device ----------------------------------------------------------------------- */

static bool device_open(void *context, struct hvh_channel *channel, uint64_t now,
			const uint8_t user_data[VMBUS_USER_DATA_SIZE])
{
	(void)context;
	(void)channel;
	(void)now;
	(void)user_data;
	return true;
}

static void device_close(void *context, struct hvh_channel *channel, uint64_t now)
{
	(void)context;
	(void)channel;
	(void)now;
}

static void keep(struct bytes *to, const uint8_t *data, uint32_t length)
{
	to->length = length < sizeof(to->data) ? length : (uint32_t)sizeof(to->data);
	memcpy(to->data, data, to->length);
}

static void take(struct device *device, struct hvh_channel *channel, uint64_t now,
		 const struct hvh_packet *packet)
{
	bool wants = packet->descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED;
	uint32_t size = 0;

	if (packet->descriptor.type == VMBUS_PACKET_COMPLETION) {
		keep(&device->completion, packet->payload, packet->payload_length);
		device->completions++;
		return;
	}
	keep(&device->last, packet->payload, packet->payload_length);
	if (packet->descriptor.type == VMBUS_PACKET_GPA_DIRECT &&
	    hvh_packet_external_size(channel, packet, &size) && size <= sizeof(device->last.data) &&
	    hvh_packet_external_read(channel, packet, 0, device->last.data, size))
		device->last.length = size;
	device->read++;
	(void)hvh_channel_write(channel, now, wants ? VMBUS_PACKET_COMPLETION : VMBUS_PACKET_IN_BAND,
				!wants && device->asking,
				wants ? packet->descriptor.transaction_id : device->read, NULL, 0,
				device->last.data, device->last.length, NULL, 0);
}

static bool device_run(void *context, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_packet packet;

	for (int i = 0; i < 16; i++) {
		if (hvh_channel_read(channel, now, &packet) != HVH_READ_PACKET)
			return false;
		take(context, channel, now, &packet);
	}
	return true;
}

static uint64_t device_next_event(void *context, struct hvh_channel *channel)
{
	(void)context;
	(void)channel;
	return HVH_NEVER;
}

static const struct hvh_device_ops device_ops = {
	.name = "echo",
	.open = device_open,
	.close = device_close,
	.run = device_run,
	.next_event = device_next_event,
};

/* --- The guest ------------------------------------------------------------------------- */

static void complain(struct guest *guest, const char *what, uint32_t length)
{
	if (!guest->wrong) {
		guest->wrong = what;
		guest->wrong_length = length;
	}
}

static bool ready(void *context, struct hvk_channel *channel)
{
	struct guest *guest = context;
	uint64_t buffer[512];
	struct hvk_packet packet;
	hvk_status status;

	while ((status = hvk_channel_receive(channel, buffer, sizeof(buffer), &packet)) == HVK_OK) {
		keep(&guest->last, packet.payload, packet.payload_length);
		guest->cookie = packet.cookie;
		guest->type = packet.type;
		guest->received++;
		if (packet.answer_wanted &&
		    hvk_channel_complete(channel, packet.transaction_id, guest->last.data,
					 guest->answer_length) != HVK_OK)
			complain(guest, "completion not sent", guest->answer_length);
	}
	if (status != HVK_EEMPTY)
		complain(guest, hvk_status_name(status), 0);
	return false;
}

static void turn(struct guest *guest)
{
	if (!hvk_poll(guest->hvk, 0))
		hosted_wait(guest->machine, 1000000);
}

/* Until so many packets have come back, and the host has so many completions. */
static bool await(struct guest *guest, uint32_t received, uint32_t completions)
{
	for (int i = 0; i < 10000; i++) {
		if (guest->received == received && guest->device.completions == completions)
			return true;
		turn(guest);
	}
	return false;
}

/* length bytes of the pattern, then zeros up to eight. */
static bool is_pattern(const struct bytes *bytes, uint32_t length)
{
	if (bytes->length != (length + 7) / 8 * 8)
		return false;
	for (uint32_t i = 0; i < bytes->length; i++) {
		if (bytes->data[i] != (i < length ? pattern(length, i) : 0))
			return false;
	}
	return true;
}

static void fill(uint8_t *to, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		to[i] = pattern(length, i);
}

static void in_band(struct guest *guest, uint32_t length, bool answered)
{
	uint8_t payload[LENGTH_MAX];
	uint32_t received = guest->received, completions = guest->device.completions;
	hvk_status status;

	fill(payload, length);
	status = hvk_channel_send(guest->channel, payload, length, answered, &payload[0]);
	if (status != HVK_OK)
		complain(guest, hvk_status_name(status), length);
	guest->answer_length = length;
	if (!await(guest, received + 1, completions + (guest->device.asking && !answered)))
		complain(guest, "nothing came back", length);
	if (!is_pattern(&guest->device.last, length))
		complain(guest, "the host got something else", length);
	if (!is_pattern(&guest->last, length))
		complain(guest, "something else came back", length);
	if (guest->type != (answered ? VMBUS_PACKET_COMPLETION : VMBUS_PACKET_IN_BAND) ||
	    guest->cookie != (answered ? &payload[0] : NULL))
		complain(guest, "a packet of another kind came back", length);
	if (guest->device.asking && !answered && !is_pattern(&guest->device.completion, length))
		complain(guest, "the completion was something else", length);
}

/* The bytes lie in two pieces of pages that begin anywhere. */
static void by_pages(struct guest *guest, uint32_t length)
{
	const struct hvk_port *port = hosted_port(guest->machine);
	uint32_t first = 1 + length / 3, offset = (length * 11) % 2048, received = guest->received;
	uint8_t *pieces[2] = {guest->memory + offset, guest->memory + HVK_PAGE_SIZE + offset};
	struct hvk_buffer buffers[2];
	struct bytes whole = {.length = length};
	hvk_status status;

	fill(whole.data, length);
	memcpy(pieces[0], whole.data, first);
	memcpy(pieces[1], whole.data + first, length - first);
	for (uint32_t i = 0; i < 2; i++)
		buffers[i] = (struct hvk_buffer){
			.gpa = port->page_gpa(port->context, guest->memory + i * HVK_PAGE_SIZE) + offset,
			.length = i == 0 ? first : length - first,
		};
	status = hvk_channel_send_buffers(guest->channel, buffers, 2, "abc", 3, guest);
	if (status != HVK_OK)
		complain(guest, hvk_status_name(status), length);
	if (!await(guest, received + 1, guest->device.completions))
		complain(guest, "nothing came back from a page list", length);
	if (guest->device.last.length != length || memcmp(guest->device.last.data, whole.data, length) != 0)
		complain(guest, "the host read something else from the pages", length);
	if (guest->cookie != guest || !is_pattern(&guest->last, length))
		complain(guest, "something else completed the page list", length);
}

static void all_lengths(struct guest *guest)
{
	for (uint32_t round = 0; round < ROUNDS; round++) {
		for (uint32_t length = 0; length <= LENGTH_MAX; length += length < 80 ? 1 : 37) {
			guest->device.asking = round == 1;
			in_band(guest, length, false);
			in_band(guest, length, true);
			if (length > 2)
				by_pages(guest, length);
		}
	}
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	struct guest *guest = context;

	(void)again;
	if (memcmp(&hvk_channel_offer(channel)->type, &echo_type, sizeof(echo_type)) == 0)
		guest->channel = channel;
}

static hvk_status wait_for(struct guest *guest)
{
	return hvk_wait(guest->hvk, &guest->request, REQUEST_MS);
}

static void with_bus(struct guest *guest)
{
	const struct hvk_vmbus_config bus = {.offered = offered, .context = guest};
	const struct hvk_channel_config config = {
		.tx_pages = 1, .rx_pages = 1, .requests_max = 4, .ready = ready, .context = guest};

	hvk_vmbus_connect(guest->hvk, &bus, &guest->request);
	if (wait_for(guest) != HVK_OK || !guest->channel) {
		complain(guest, "no channel", 0);
		return;
	}
	hvk_channel_open(guest->channel, &config, &guest->request);
	if (wait_for(guest) == HVK_OK) {
		all_lengths(guest);
		hvk_channel_close(guest->channel, &guest->request);
		if (wait_for(guest) != HVK_OK)
			complain(guest, "close", 0);
	} else {
		complain(guest, "open", 0);
	}
	hvk_vmbus_disconnect(guest->hvk, &guest->request);
	if (wait_for(guest) != HVK_OK)
		complain(guest, "disconnect", 0);
}

static void program(void *context)
{
	struct guest *guest = context;

	if (hvk_start(guest->hvk) == HVK_OK && hvk_cpu_start(guest->hvk) == HVK_OK)
		with_bus(guest);
	else
		complain(guest, "start", 0);
	if (hvk_cpu_stop(guest->hvk) != HVK_OK || hvk_stop(guest->hvk) != HVK_OK)
		complain(guest, "stop", 0);
	if (hvk_destroy(guest->hvk) != HVK_OK)
		complain(guest, "destroy", 0);
}

static void interrupt(void *context, uint32_t cpu)
{
	struct guest *guest = context;

	hvk_interrupt(guest->hvk, cpu);
}

/* --- Tests ---------------------------------------------------------------------------------- */

/* Monitored: the host looks at its page from time to time, no hypercall tells it to. */
static void run(const char *profile, uint32_t newest, uint64_t seed, bool monitored)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	struct hvh_profile host = *hvh_profile_find(profile);
	const struct hosted_config machine = {.mode = HOSTED_DETERMINISTIC,
					      .cpus = 1,
					      .memory_pages = 1024,
					      .profile = &host,
					      .seed = seed};
	const struct hvh_offer_parameters offer = {
		.type = echo_type, .instance = {{1}}, .monitored = monitored};
	const struct hvk_config config = {.cpus = 1, .vector = 0x60, .interrupts = true};
	struct hvk_pages pages;
	const struct hvk_port *port;
	struct hvh_counters counters;

	assert_non_null(guest);
	host.accept_newest = newest ? newest : host.newest_version;
	guest->machine = hosted_create(&machine);
	assert_non_null(guest->machine);
	assert_non_null(
		hvh_channel_offer(hosted_partition(guest->machine), &offer, &device_ops, &guest->device));
	port = hosted_port(guest->machine);
	assert_int_equal(port->pages_alloc(port->context, 2, HVK_PAGE_HOST_READS, &pages), HVK_OK);
	guest->memory = pages.address;
	assert_int_equal(hvk_create(port, &config, &guest->hvk), HVK_OK);
	hosted_set_interrupt(guest->machine, interrupt, guest);
	hosted_set_program(guest->machine, 0, program, guest);
	assert_true(hosted_run(guest->machine, LIMIT_MS));
	if (guest->wrong)
		print_error("%s, seed %u, length %u: %s\n", profile, (unsigned)seed, guest->wrong_length,
			    guest->wrong);
	assert_null(guest->wrong);
	assert_true(guest->received > 500);
	hvh_get_counters(hosted_partition(guest->machine), &counters);
	if (counters.violations)
		print_error("%s\n", hvh_violation_get(hosted_partition(guest->machine), 0)->text);
	assert_int_equal(counters.violations, 0);
	assert_int_equal(counters.signals == 0, monitored);
	port->pages_free(port->context, &pages);
	/* A host below 3.0 may go on writing to the interrupt page and the two monitor pages. */
	assert_int_equal(hosted_pages_in_use(guest->machine), host.accept_newest < VMBUS_VERSION_3_0 ? 3 : 0);
	hosted_destroy(guest->machine);
	free(guest);
}

static void packets_of_every_length_come_back(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++)
		run("ws2022", 0, seed, false);
}

static void also_where_signals_go_through_the_interrupt_page(void **state)
{
	(void)state;
	run("ws2012r2", VMBUS_VERSION_0_13, 1, false);
	run("ws2012r2", VMBUS_VERSION_1_1, 2, false);
	run("ws2008r2", 0, 3, false);
}

static void also_where_the_monitor_page_tells_the_host(void **state)
{
	static const uint32_t versions[] = {VMBUS_VERSION_1_1, VMBUS_VERSION_2_4, VMBUS_VERSION_3_0,
					    VMBUS_VERSION_5_3};

	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		run("ws2022", versions[i], 1 + i, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_every_length_come_back),
		cmocka_unit_test(also_where_signals_go_through_the_interrupt_page),
		cmocka_unit_test(also_where_the_monitor_page_tells_the_host),
	};

	return cmocka_run_group_tests_name("packets", tests, NULL, NULL);
}
