/* SPDX-License-Identifier: MIT */
/*
 * Levels of the port, contexts of calls, and the bound of an interrupt: what hvkit says it
 * refuses it refuses, and what it says is bounded is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "host/vmbus/channel.h"
#include "hvkit/vmbus.h"
#include "ports/hosted/hosted.h"

#define REQUEST_MS 20000u
#define OFFERS 60u
#define DEAF_NS 50000000u /* time enough for the host to send what it can */

static const struct vmbus_guid some_type = {{0x6c, 0x69, 0x6d, 0x69}};

struct guest {
	struct hosted *machine;
	struct hvk *hvk;
	void (*program)(struct guest *guest);
	bool deaf; /* takes no interrupts */
	struct hvk_channel *channel;
	uint32_t offered, ready_calls;
	hvk_status in_offered, in_ready; /* of hvk_wait there */
};

/* --- A device that answers nothing -------------------------------------------------------- */

static bool device_open(void *context, struct hvh_channel *channel, uint64_t now,
			const uint8_t user_data[VMBUS_USER_DATA_SIZE])
{
	(void)context, (void)channel, (void)now, (void)user_data;
	return true;
}

static void device_close(void *context, struct hvh_channel *channel, uint64_t now)
{
	(void)context, (void)channel, (void)now;
}

/* One packet to the guest, so that it is called. */
static bool device_run(void *context, struct hvh_channel *channel, uint64_t now)
{
	bool *sent = context;

	if (!*sent)
		*sent = hvh_channel_write(channel, now, VMBUS_PACKET_IN_BAND, false, 1, NULL, 0, "12345678",
					  8, NULL, 0);
	return false;
}

static uint64_t device_next_event(void *context, struct hvh_channel *channel)
{
	(void)context, (void)channel;
	return HVH_NEVER;
}

static const struct hvh_device_ops device_ops = {
	.name = "limits",
	.open = device_open,
	.close = device_close,
	.run = device_run,
	.next_event = device_next_event,
};

/* --- The guest ---------------------------------------------------------------------------- */

/* A wait for what is not finished, from where nobody may wait. */
static hvk_status wait_here(struct guest *guest)
{
	struct hvk_request request = {.status = HVK_EINPROGRESS};

	return hvk_wait(guest->hvk, &request, 1);
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	struct guest *guest = context;

	(void)again;
	guest->channel = channel;
	guest->offered++;
	guest->in_offered = wait_here(guest);
}

static bool ready(void *context, struct hvk_channel *channel)
{
	struct guest *guest = context;

	(void)channel;
	guest->ready_calls++;
	guest->in_ready = wait_here(guest);
	return false;
}

static void interrupt(void *context, uint32_t cpu)
{
	struct guest *guest = context;

	if (!guest->deaf)
		hvk_interrupt(guest->hvk, cpu);
}

static void connect_bus(struct guest *guest, struct hvk_request *request)
{
	const struct hvk_vmbus_config config = {.offered = offered, .context = guest};

	hvk_vmbus_connect(guest->hvk, &config, request);
}

static void disconnect(struct guest *guest)
{
	struct hvk_request request = {0};

	hvk_vmbus_disconnect(guest->hvk, &request);
	assert_int_equal(hvk_wait(guest->hvk, &request, REQUEST_MS), HVK_OK);
}

static void run_program(void *context)
{
	struct guest *guest = context;

	assert_int_equal(hvk_start(guest->hvk), HVK_OK);
	assert_int_equal(hvk_cpu_start(guest->hvk), HVK_OK);
	guest->program(guest);
	assert_int_equal(hvk_cpu_stop(guest->hvk), HVK_OK);
	assert_int_equal(hvk_stop(guest->hvk), HVK_OK);
	assert_int_equal(hvk_destroy(guest->hvk), HVK_OK);
}

static struct hosted *create_machine(void)
{
	const struct hosted_config hosted = {.mode = HOSTED_DETERMINISTIC,
					     .cpus = 2,
					     .memory_pages = 512,
					     .seed = 7,
					     .profile = hvh_profile_find("ws2022")};
	struct hosted *machine = hosted_create(&hosted);

	assert_non_null(machine);
	return machine;
}

static void idle(void *context)
{
	(void)context;
}

static void run(void (*program)(struct guest *guest), uint32_t offers)
{
	struct guest guest = {.program = program};
	const struct hvk_config config = {.cpus = 1, .vector = 0x60, .interrupts = true};
	struct hvh_counters counters;
	bool sent[OFFERS] = {false};

	guest.machine = create_machine();
	for (uint32_t i = 0; i < offers; i++) {
		const struct hvh_offer_parameters offer = {.type = some_type,
							   .instance = {{(uint8_t)(i + 1)}}};

		assert_non_null(
			hvh_channel_offer(hosted_partition(guest.machine), &offer, &device_ops, &sent[i]));
	}
	assert_int_equal(hvk_create(hosted_port(guest.machine), &config, &guest.hvk), HVK_OK);
	hosted_set_interrupt(guest.machine, interrupt, &guest);
	hosted_set_program(guest.machine, 0, run_program, &guest);
	hosted_set_program(guest.machine, 1, idle, NULL);
	assert_true(hosted_run(guest.machine, 600000));
	hvh_get_counters(hosted_partition(guest.machine), &counters);
	assert_int_equal(counters.violations, 0);
	assert_int_equal(hosted_pages_in_use(guest.machine), 0);
	hosted_destroy(guest.machine);
}

/* --- Levels ----------------------------------------------------------------------------------- */

struct level_case {
	bool cpu_index, locks, interrupts;
	uint32_t cpus;
	hvk_status expected;
};

static const struct level_case level_cases[] = {
	{.cpus = 1, .expected = HVK_OK},
	{.cpus = 2, .expected = HVK_ELEVEL},
	{.cpus = 2, .cpu_index = true, .expected = HVK_ELEVEL},
	{.cpus = 2, .locks = true, .expected = HVK_ELEVEL},
	{.cpus = 2, .cpu_index = true, .locks = true, .expected = HVK_OK},
	{.cpus = 1, .interrupts = true, .expected = HVK_ELEVEL},
	{.cpus = 1, .interrupts = true, .cpu_index = true, .expected = HVK_ELEVEL},
	{.cpus = 1, .interrupts = true, .locks = true, .expected = HVK_OK},
};

static void what_needs_a_level_asks_for_it(void **state)
{
	struct hosted *machine = create_machine();

	(void)state;
	for (size_t i = 0; i < sizeof(level_cases) / sizeof(level_cases[0]); i++) {
		const struct level_case *row = &level_cases[i];
		struct hvk_config config = {.cpus = row->cpus, .vector = 0x60, .interrupts = row->interrupts};
		struct hvk_port port = *hosted_port(machine);
		struct hvk *hvk;

		if (!row->cpu_index)
			port.cpu_index = NULL;
		if (!row->locks) {
			port.lock_init = NULL;
			port.lock = NULL;
			port.unlock = NULL;
		}
		assert_int_equal(hvk_create(&port, &config, &hvk), row->expected);
		assert_int_equal(hvk != NULL, row->expected == HVK_OK);
		if (hvk)
			assert_int_equal(hvk_destroy(hvk), HVK_OK);
		assert_int_equal(hosted_pages_in_use(machine), 0);
	}
	hosted_destroy(machine);
}

/* Each of the locks' three callbacks is needed. */
static void half_a_lock_is_none(void **state)
{
	const struct hvk_config config = {.cpus = 2, .vector = 0x60, .interrupts = true};
	struct hosted *machine = create_machine();
	struct hvk *hvk;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct hvk_port port = *hosted_port(machine);

		if (i == 0)
			port.lock_init = NULL;
		else if (i == 1)
			port.lock = NULL;
		else
			port.unlock = NULL;
		assert_int_equal(hvk_create(&port, &config, &hvk), HVK_ELEVEL);
	}
	hosted_destroy(machine);
}

/* --- Contexts ---------------------------------------------------------------------------------- */

static void with_callbacks_that_wait(struct guest *guest)
{
	const struct hvk_channel_config config = {
		.tx_pages = 1, .rx_pages = 1, .requests_max = 1, .ready = ready, .context = guest};
	struct hvk_request request = {0};

	connect_bus(guest, &request);
	assert_int_equal(hvk_wait(guest->hvk, &request, REQUEST_MS), HVK_OK);
	hvk_channel_open(guest->channel, &config, &request);
	assert_int_equal(hvk_wait(guest->hvk, &request, REQUEST_MS), HVK_OK);
	for (int i = 0; i < 1000 && guest->ready_calls == 0; i++) {
		(void)hvk_poll(guest->hvk, 0);
		hosted_wait(guest->machine, 1000000);
	}
	assert_int_equal(guest->offered, 1);
	assert_int_equal(guest->in_offered, HVK_ECONTEXT);
	assert_true(guest->ready_calls > 0);
	assert_int_equal(guest->in_ready, HVK_ECONTEXT);
	assert_int_equal(wait_here(guest), HVK_ETIMEDOUT); /* here it may */
	disconnect(guest);
}

static void nobody_waits_in_a_callback(void **state)
{
	(void)state;
	run(with_callbacks_that_wait, 1);
}

/* --- Bounds --------------------------------------------------------------------------------------- */

static uint64_t messages(const struct guest *guest)
{
	struct hvk_counters counters;

	hvk_get_counters(guest->hvk, &counters);
	return counters.messages;
}

/* The host has more to say than one interrupt may take in: the rest comes with the next. */
static void with_a_flood_of_offers(struct guest *guest)
{
	struct hvk_request request = {0};
	uint64_t before, most = 0;

	connect_bus(guest, &request);
	while (guest->offered == 0 && request.status == HVK_EINPROGRESS) {
		guest->deaf = true;
		hosted_wait(guest->machine, DEAF_NS);
		before = messages(guest);
		hvk_interrupt(guest->hvk, 0);
		most = messages(guest) - before > most ? messages(guest) - before : most;
		guest->deaf = false;
		(void)hvk_poll(guest->hvk, 0);
	}
	assert_int_equal(most, HVK_INTERRUPT_MESSAGES); /* reached, and not passed */
	assert_int_equal(hvk_wait(guest->hvk, &request, REQUEST_MS), HVK_OK);
	assert_int_equal(guest->offered, OFFERS);
	disconnect(guest);
}

static void an_interrupt_takes_in_no_more_than_it_may(void **state)
{
	(void)state;
	run(with_a_flood_of_offers, OFFERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_needs_a_level_asks_for_it),
		cmocka_unit_test(half_a_lock_is_none),
		cmocka_unit_test(nobody_waits_in_a_callback),
		cmocka_unit_test(an_interrupt_takes_in_no_more_than_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
