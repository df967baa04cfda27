/* SPDX-License-Identifier: MIT */
/* Open channels on their way from CPU to CPU, under traffic, on every host that can move them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/echo_driver.h"

#define CPUS 3u
static const char *const profiles[] = {"ws2016", "ws2019", "ws2022", "azure"};
static const uint32_t versions[] = {VMBUS_VERSION_4_1, VMBUS_VERSION_5_0, VMBUS_VERSION_5_2,
				    VMBUS_VERSION_5_3};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

/* What is said about moving. */
struct moving {
	struct echo echo;
	uint32_t asked, answers, targets[64];
	uint32_t events[CPUS]; /* of the host, by CPU, since the last move was finished */
	hvk_status expected;
};

static void listen(void *context, const struct hvh_trace_record *record)
{
	struct moving *moving = context;
	struct vmbus_modify_channel message;

	if (record->kind == HVH_TRACE_EVENT && record->vp < CPUS)
		moving->events[record->vp]++;
	if (record->kind != HVH_TRACE_MESSAGE || record->byte_count < sizeof(message))
		return;
	memcpy(&message, record->bytes, sizeof(message));
	if (message.header.type == VMBUS_MSG_MODIFY_CHANNEL && !record->to_guest && moving->asked < 64)
		moving->targets[moving->asked++] = message.target_vp;
	moving->answers += message.header.type == VMBUS_MSG_MODIFY_CHANNEL_RESPONSE && record->to_guest;
}

static const struct hvh_echo_config device = {.subchannels_max = 0};

static struct rig_config machine(struct moving *moving, uint32_t version, uint64_t seed,
				 void (*session)(void *context, struct rig *rig))
{
	memset(moving, 0, sizeof(*moving));
	return (struct rig_config){
		.mode = HOSTED_DETERMINISTIC,
		.profile = version == VMBUS_VERSION_5_3   ? profiles[2 + seed % 2]
			   : version == VMBUS_VERSION_4_1 ? "ws2022"
							  : profiles[1 + seed % 3],
		.newest = version,
		.seed = seed,
		.cpus = CPUS,
		.no_nic = true,
		.fault_chance = seed % 2 ? 4096 : 0,
		.echo = &device,
		.session = session,
		.session_context = moving,
		.tap = listen,
		.context = moving,
	};
}

static void expect_good(const struct rig_config *config, const struct moving *moving)
{
	struct rig_result result;
	const char *wrong;

	rig_run(config, &result);
	wrong = rig_check(&result, false);
	if (wrong || moving->echo.failed)
		print_error("%s, seed %llu: %s; %s\n", config->profile, (unsigned long long)config->seed,
			    wrong ? wrong : "-", moving->echo.wrong);
	assert_null(wrong);
	assert_false(moving->echo.failed);
}

static struct echo_ring *open_on(struct moving *moving, struct rig *rig, uint32_t cpu)
{
	struct echo *echo = &moving->echo;

	echo_init(echo, rig, rig->config.seed);
	while (!echo->rings[0].channel && !echo->failed)
		echo_turn(echo);
	echo_open(&echo->rings[0], cpu);
	if (echo_wait(&echo->rings[0]) != HVK_OK)
		echo_fail(echo, "open: %s", hvk_status_name((hvk_status)echo->rings[0].status));
	return &echo->rings[0];
}

static void send(struct echo_ring *ring, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		(void)echo_send(ring);
		echo_turn(ring->echo);
	}
}

/* --- Under traffic ------------------------------------------------------------------------------ */

static void move_about(void *context, struct rig *rig)
{
	struct moving *moving = context;
	struct echo_ring *ring = open_on(moving, rig, 1);

	for (uint32_t n = 0; n < 12 && !moving->echo.failed; n++) {
		uint32_t cpu = (hvk_channel_cpu(ring->channel) + 1 + echo_random(&moving->echo, CPUS - 1)) %
			       CPUS;

		send(ring, echo_random(&moving->echo, 6));
		echo_move(ring, cpu);
		send(ring, echo_random(&moving->echo, 6));
		if (echo_wait(ring) != HVK_OK || hvk_channel_cpu(ring->channel) != cpu)
			echo_fail(&moving->echo, "move %u: %s, on CPU %u instead of %u", n,
				  hvk_status_name((hvk_status)ring->status), hvk_channel_cpu(ring->channel),
				  cpu);
		echo_settle(&moving->echo);
		memset(moving->events, 0, sizeof(moving->events));
		send(ring, 4);
		echo_settle(&moving->echo);
		/* From 5.3 it is known when the host has moved too; before, it has by now. */
		for (uint32_t i = 0; i < CPUS && rig->config.fault_chance == 0; i++) {
			if (i != cpu && moving->events[i])
				echo_fail(&moving->echo, "move %u: events on CPU %u", n, i);
		}
	}
	echo_end(&moving->echo);
}

static void nothing_is_lost_on_the_way(void **state)
{
	struct rig_config config;
	struct moving moving;

	(void)state;
	for (uint32_t v = 0; v < VERSIONS; v++) {
		for (uint64_t seed = 1; seed <= 8; seed++) {
			config = machine(&moving, versions[v], seed, move_about);
			expect_good(&config, &moving);
			assert_int_equal(moving.asked, 12);
			assert_int_equal(moving.answers, versions[v] == VMBUS_VERSION_5_3 ? 12 : 0);
		}
	}
}

/* --- What may not be ------------------------------------------------------------------------------- */

static void expect(struct echo_ring *ring, uint32_t cpu, hvk_status expected)
{
	hvk_status status;

	echo_move(ring, cpu);
	status = echo_wait(ring);
	if (status != expected)
		echo_fail(ring->echo, "move to %u: %s instead of %s", cpu, hvk_status_name(status),
			  hvk_status_name(expected));
}

static void ask_wrongly(void *context, struct rig *rig)
{
	struct moving *moving = context;
	struct hvk_request second = {0};
	struct echo_ring *ring = open_on(moving, rig, 0);

	expect(ring, CPUS, HVK_EINVAL);
	expect(ring, UINT32_MAX, HVK_EINVAL);
	expect(ring, 1, moving->expected);
	if (moving->expected == HVK_OK) {
		expect(ring, 1, HVK_OK); /* where it is */
		echo_move(ring, 2);
		hvk_channel_set_cpu(ring->channel, 0, &second);
		if (echo_wait(ring) != HVK_OK || hvk_wait(rig->hvk, &second, 10000) != HVK_EBUSY)
			echo_fail(&moving->echo, "two moves at once");
	}
	send(ring, 5);
	echo_settle(&moving->echo);
	echo_close(ring);
	(void)echo_wait(ring);
	expect(ring, 1, HVK_ESTATE);
	echo_end(&moving->echo);
}

static void a_move_has_its_conditions(void **state)
{
	static const uint32_t old[] = {VMBUS_VERSION_2_4, VMBUS_VERSION_3_0, VMBUS_VERSION_4_0};
	struct rig_config config;
	struct moving moving;

	(void)state;
	for (uint32_t i = 0; i < sizeof(old) / sizeof(old[0]); i++) {
		config = machine(&moving, old[i], 2, ask_wrongly);
		moving.expected = HVK_EVERSION;
		config.profile = "ws2022";
		expect_good(&config, &moving);
		assert_int_equal(moving.asked, 0);
	}
	for (uint32_t v = 0; v < VERSIONS; v++) {
		config = machine(&moving, versions[v], 2, ask_wrongly);
		expect_good(&config, &moving);
		assert_int_equal(moving.asked, 2);
		assert_int_equal(moving.targets[0], 1);
		assert_int_equal(moving.targets[1], 2);
	}
}

/* --- A host that does not answer ---------------------------------------------------------------------- */

static void stays_where_it_was(struct moving *moving, struct rig *rig, struct echo_ring *ring)
{
	struct hvh_partition *host = hosted_partition(rig->machine);

	hvh_silence_set(host, HVH_SILENCE_MODIFY);
	expect(ring, 2, HVK_ETIMEDOUT_MODIFY);
	hvh_silence_set(host, HVH_SILENCE_NONE);
	if (hvk_channel_cpu(ring->channel) != 1)
		echo_fail(&moving->echo, "it is on CPU %u", hvk_channel_cpu(ring->channel));
	memset(moving->events, 0, sizeof(moving->events));
	send(ring, 5);
	echo_settle(&moving->echo);
	if (moving->events[1] == 0 || moving->events[0] || moving->events[2])
		echo_fail(&moving->echo, "events are not on CPU 1 alone");
}

static void ask_in_vain(void *context, struct rig *rig)
{
	struct moving *moving = context;
	struct echo_ring *ring = open_on(moving, rig, 1);

	send(ring, 5);
	stays_where_it_was(moving, rig, ring);
	expect(ring, 2, HVK_OK); /* asked again, of a host that answers */
	send(ring, 5);
	echo_settle(&moving->echo);
	echo_end(&moving->echo);
}

static void silence_leaves_it_where_it_was(void **state)
{
	struct rig_config config;
	struct moving moving;

	(void)state;
	for (uint64_t seed = 2; seed <= 16; seed += 2) { /* even: no faults */
		config = machine(&moving, VMBUS_VERSION_5_3, seed, ask_in_vain);
		expect_good(&config, &moving);
		assert_int_equal(moving.asked, 2);
		assert_int_equal(moving.answers, 1);
	}
}

/* --- Closed and rescinded meanwhile ------------------------------------------------------------------- */

static void close_on_the_way(void *context, struct rig *rig)
{
	struct moving *moving = context;
	struct echo_ring *ring = open_on(moving, rig, 1);
	struct hvk_request close;

	for (uint32_t n = 0; n < 10 && !moving->echo.failed; n++) {
		send(ring, 3);
		echo_move(ring, (hvk_channel_cpu(ring->channel) + 1) % CPUS);
		for (uint32_t turns = echo_random(&moving->echo, 6); turns > 0; turns--)
			rig_turn(rig);
		close = (struct hvk_request){0};
		hvk_channel_close(ring->channel, &close);
		if (hvk_wait(rig->hvk, &close, 20000) != HVK_OK)
			echo_fail(&moving->echo, "close: %s", hvk_status_name(close.status));
		if (echo_wait(ring) != HVK_OK && ring->status != HVK_ECANCELED)
			echo_fail(&moving->echo, "move: %s", hvk_status_name((hvk_status)ring->status));
		echo_turn(&moving->echo);
		echo_open(ring, echo_random(&moving->echo, CPUS));
		if (echo_wait(ring) == HVK_EBUSY) { /* the old CPU has not passed its poll */
			echo_turn(&moving->echo);
			echo_open(ring, 0);
		}
		if (echo_wait(ring) != HVK_OK)
			echo_fail(&moving->echo, "open: %s", hvk_status_name((hvk_status)ring->status));
	}
	send(ring, 5);
	echo_settle(&moving->echo);
	echo_end(&moving->echo);
}

static void a_close_ends_a_move(void **state)
{
	struct rig_config config;
	struct moving moving;

	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		config = machine(&moving, versions[seed % VERSIONS], seed, close_on_the_way);
		expect_good(&config, &moving);
	}
}

/* The other orders: echo_stress moves, closes and loses channels at random. */
static void any_order_is_safe(void **state)
{
	uint32_t moves = 0, rescinds = 0;
	struct rig_config config;
	struct moving moving;

	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		config = machine(&moving, versions[seed % VERSIONS], seed, echo_stress);
		config.session_context = &moving.echo;
		config.rescind_chance = 500;
		expect_good(&config, &moving);
		moves += moving.echo.moves;
		rescinds += moving.echo.rescinds;
	}
	assert_true(moves > 100);
	assert_true(rescinds > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost_on_the_way),
		cmocka_unit_test(a_move_has_its_conditions),
		cmocka_unit_test(silence_leaves_it_where_it_was),
		cmocka_unit_test(a_close_ends_a_move),
		cmocka_unit_test(any_order_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
