/* SPDX-License-Identifier: MIT */
/*
 * The whole shell on a host that does everything a host may do, seed by seed: it comes
 * to an end, breaks no rule, and gives everything back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/shell/shell.h"
#include "ports/hosted/hosted.h"

#define SEEDS 24u
#define CPUS 2u
#define LIMIT_MS 600000u
#define ALLOCATIONS 40u /* more than there are */
#define TEXT_MAX 8192u

struct guest {
	struct hosted *machine;
	struct hvh_nic *nic;
	struct hvh_simwire *wire;
	struct shell shell;
	char text[TEXT_MAX]; /* the end of what it showed */
	size_t used;
	uint32_t lines; /* read so far */
};

/* cmocka's own messages are cut short. */
static void say(const struct guest *guest, uint64_t seed, const char *what)
{
	fprintf(stderr, "seed %llu: %s; it had shown:\n%s\n", (unsigned long long)seed, what, guest->text);
}

static void show(void *context, enum shell_stream stream, const char *text, size_t length)
{
	struct guest *guest = context;

	(void)stream;
	if (length >= TEXT_MAX || guest->used + length >= TEXT_MAX)
		guest->used = 0;
	if (length < TEXT_MAX) {
		memcpy(guest->text + guest->used, text, length);
		guest->used += length;
		guest->text[guest->used] = '\0';
	}
}

static void wait(void *context, uint64_t timeout_ns)
{
	hosted_wait(((struct guest *)context)->machine, timeout_ns);
}

static enum shell_line read_line(void *context, char *line, size_t size, uint64_t *again)
{
	static const char *const lines[] = {"lsvmbus", "ping 10.7.0.1 3", "stats", "inspect",
					    "ping 10.7.0.1 2"};
	struct guest *guest = context;

	(void)again;
	if (guest->lines == sizeof(lines) / sizeof(lines[0]))
		return SHELL_LINE_END;
	snprintf(line, size, "%s", lines[guest->lines++]);
	return SHELL_LINE;
}

static void boot_cpu(void *context)
{
	shell_run(&((struct guest *)context)->shell);
}

static void other_cpu(void *context)
{
	shell_run_cpu(&((struct guest *)context)->shell, 1);
}

static void interrupt(void *context, uint32_t cpu)
{
	shell_interrupt(&((struct guest *)context)->shell, cpu);
}

static bool wire_run(void *context, uint64_t now)
{
	return hvh_simwire_run(context, now);
}

static uint64_t wire_next_event(void *context)
{
	return hvh_simwire_next_event(context);
}

static void plug_in(struct guest *guest, uint64_t seed)
{
	const struct hvh_nic_config config = {.mac = {0, 0x15, 0x5d, 0, 0, 1}, .link_up = true};
	struct hvh_backend backend;

	guest->wire = hvh_simwire_create(seed);
	assert_non_null(guest->wire);
	hvh_simwire_backend(guest->wire, &backend);
	guest->nic = hvh_nic_create(hosted_partition(guest->machine), &config, &backend);
	assert_non_null(guest->nic);
	hvh_simwire_attach(guest->wire, guest->nic);
	hvh_simwire_set_delay(guest->wire, 20 * HVH_TIME_PER_MS);
	hosted_add_world(guest->machine, wire_run, wire_next_event, guest->wire);
}

static struct guest *guest_create(uint64_t seed, const char *profile)
{
	const struct hosted_config machine = {.mode = HOSTED_DETERMINISTIC,
					      .cpus = CPUS,
					      .memory_pages = 16384,
					      .profile = hvh_profile_find(profile),
					      .seed = seed};
	const struct shell_config config = {.hvk = {.cpus = CPUS, .vector = 0x62, .interrupts = true},
					    .network = true};
	struct guest *guest = calloc(1, sizeof(*guest));
	struct shell_platform platform = {
		.context = guest, .write = show, .wait = wait, .read_line = read_line};

	assert_non_null(guest);
	guest->machine = hosted_create(&machine);
	assert_non_null(guest->machine);
	plug_in(guest, seed);
	platform.port = hosted_port(guest->machine);
	assert_int_equal(shell_init(&guest->shell, &platform, &config), HVK_OK);
	hosted_set_program(guest->machine, 0, boot_cpu, guest);
	hosted_set_program(guest->machine, 1, other_cpu, guest);
	hosted_set_interrupt(guest->machine, interrupt, guest);
	return guest;
}

static void guest_destroy(struct guest *guest)
{
	hosted_destroy(guest->machine);
	hvh_simwire_destroy(guest->wire);
	free(guest);
}

/* lwIP's memory outlives the guests: none of them may keep any. */
static void assert_lwip_whole(uint64_t seed)
{
	static uint32_t heap; /* what lwIP holds by itself */
	struct net_lwip_memory memory;

	net_lwip_get_memory(&memory);
	if (heap == 0)
		heap = memory.heap_bytes;
	if (memory.heap_bytes > heap || memory.receive_buffers || memory.references || memory.connections)
		fail_msg("seed %llu: lwIP keeps %u bytes of %u, %u buffers, %u references",
			 (unsigned long long)seed, memory.heap_bytes, heap, memory.receive_buffers,
			 memory.references);
}

/* Runs to the end, and what must hold then whatever the host did. */
static void guest_run(struct guest *guest, uint64_t seed)
{
	const struct hvh_violation *violation;
	uint64_t quarantined;

	if (!hosted_run(guest->machine, LIMIT_MS)) {
		say(guest, seed, "hangs");
		fail();
	}
	violation = hvh_violation_get(hosted_partition(guest->machine), 0);
	if (violation)
		fail_msg("seed %llu: %s: %s", (unsigned long long)seed, hvh_violation_name(violation->kind),
			 violation->text);
	quarantined = guest->shell.results.counters.quarantined_pages;
	if (hosted_pages_in_use(guest->machine) != quarantined)
		fail_msg("seed %llu: %u pages in use, %llu in quarantine", (unsigned long long)seed,
			 hosted_pages_in_use(guest->machine), (unsigned long long)quarantined);
	assert_int_equal(hosted_writes_to_free_memory(guest->machine), 0);
	assert_lwip_whole(seed);
}

/* Nothing that a host may do without a card being taken away makes a command fail. */
static void delays_and_surprises(void **state)
{
	static const enum hvh_fault faults[] = {
		HVH_FAULT_DELAY_MESSAGE,  HVH_FAULT_DELAY_SIGNAL,      HVH_FAULT_LATE_PENDING,
		HVH_FAULT_POST_BUFFERS,   HVH_FAULT_POST_THROTTLED,    HVH_FAULT_SPURIOUS_INTERRUPT,
		HVH_FAULT_SPURIOUS_EVENT, HVH_FAULT_LOST_FIRST_SIGNAL, HVH_FAULT_DELAY_COMPLETION,
		HVH_FAULT_SLOW_TEARDOWN,
	};
	static const char *const profiles[] = {"ws2008r2", "ws2012", "ws2012r2", "ws2022"};
	uint64_t fired[HVH_FAULT_COUNT] = {0};

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct guest *guest = guest_create(seed, profiles[seed % 4]);

		for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
			hvh_fault_set(hosted_partition(guest->machine), faults[i], 8192);
		guest_run(guest, seed);
		if (guest->shell.results.exit_status != 0) {
			say(guest, seed, "fails");
			fail();
		}
		for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
			fired[faults[i]] += hvh_fault_count(hosted_partition(guest->machine), faults[i]);
		guest_destroy(guest);
	}
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (fired[faults[i]] == 0)
			fail_msg("the fault %s never happened", hvh_fault_name(faults[i]));
	}
}

/* A card that is taken away, at any moment, costs an error at the most. */
static void card_taken_away(void **state)
{
	uint64_t rescinds = 0;
	uint32_t failures = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 2 * SEEDS; seed++) {
		struct guest *guest = guest_create(seed, seed % 2 ? "ws2022" : "ws2012r2");

		hvh_fault_set(hosted_partition(guest->machine), HVH_FAULT_RESCIND, 2000);
		guest_run(guest, seed);
		assert_in_range(guest->shell.results.exit_status, 0, 1);
		failures += guest->shell.results.exit_status != 0;
		rescinds += hvh_fault_count(hosted_partition(guest->machine), HVH_FAULT_RESCIND);
		guest_destroy(guest);
	}
	assert_true(rescinds > 0);
	assert_true(failures > 0);
}

/* Memory that runs out, at each allocation in turn. Some can be done without. */
static void no_memory(void **state)
{
	uint32_t failed = 0;
	bool whole = false;

	(void)state;
	for (uint32_t n = 0; n < ALLOCATIONS; n++) {
		struct guest *guest = guest_create(1, "ws2022");

		hosted_fail_allocation(guest->machine, n);
		guest_run(guest, n);
		whole = guest->shell.results.exit_status == 0;
		failed += !whole;
		if (!whole && !guest->shell.results.failed_step)
			fail_msg("allocation %u: fails without saying where", n);
		guest_destroy(guest);
	}
	assert_true(whole); /* the last one does not happen any more */
	assert_true(failed > 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays_and_surprises),
		cmocka_unit_test(card_taken_away),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
