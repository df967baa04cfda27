/* SPDX-License-Identifier: MIT */
/*
 * Two CPUs send without end while a third pairs, activates, takes down and unpairs: none is inside a VF
 * that is taken down, none waits for ever, and each frame is counted where it went. For the thread
 * sanitizer, too.
 */
#include <sched.h>
#include <time.h>

#include "guest_vf_fake.h"

#define CYCLES 200u /* or fewer, if the machine is slow */
#define SECONDS 3

static uint32_t over; /* atomic */
static uint64_t sent[FAKE_CPUS], waited[FAKE_CPUS];

/* As a stack does: after BUSY it waits to be told. */
static void *sender(void *argument)
{
	uint32_t told = 0;
	bool waits = false;

	fake_cpu = (uint32_t)(uintptr_t)argument;
	while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
		uint32_t now = __atomic_load_n(&bench.stack.ready, __ATOMIC_SEQ_CST);
		enum hvk_tx_result result;

		(void)fake_poll();
		if (waits && now == told) {
			sched_yield();
			continue;
		}
		waits = false;
		told = now;
		result = fake_send(fake_card());
		assert_int_not_equal(result, HVK_TX_GONE);
		waits = result == HVK_TX_BUSY;
		sent[fake_cpu] += result == HVK_TX_TAKEN;
		if (sent[fake_cpu] % 256 == 0)
			sched_yield();
		waited[fake_cpu] += waits;
		hvk_netdev_flush(fake_card());
	}
	while (fake_poll())
		continue;
	return NULL;
}

static void until(const struct hvk_request *request)
{
	time_t end = time(NULL) + 20;

	while (__atomic_load_n(&request->status, __ATOMIC_SEQ_CST) == HVK_EINPROGRESS) {
		assert_true(time(NULL) < end);
		if (!fake_poll())
			sched_yield();
	}
}

static void until_state(enum hvk_vf_state wanted)
{
	time_t end = time(NULL) + 20;

	while (fake_state() != wanted) {
		assert_true(time(NULL) < end);
		if (!fake_poll())
			sched_yield();
	}
}

static uint64_t all(const uint64_t *counters)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < FAKE_CPUS; i++)
		sum += counters[i];
	return sum;
}

static void cycle(uint32_t number)
{
	struct hvk_request request = {0};

	fake_pair();
	hvk_vf_attach_complete(bench.pair);
	until_state(HVK_VF_ACTIVE);
	for (uint32_t i = 0; i < 50; i++)
		sched_yield();
	if (number % 3 == 0) { /* again, by the host's word */
		fake_associate(true, FAKE_SERIAL);
		(void)fake_poll();
		until_state(HVK_VF_ACTIVE);
	}
	if (number % 5 == 4) {
		__atomic_store_n(&bench.vf.result, HVK_TX_BUSY, __ATOMIC_SEQ_CST);
		sched_yield();
	}
	if (number % 4 == 3) {
		__atomic_store_n(&bench.vf.gone, true, __ATOMIC_SEQ_CST);
		bench.vf.netdev.hooks.gone(bench.vf.netdev.hooks.context, &bench.vf.netdev);
		until_state(HVK_VF_ABSENT);
		__atomic_store_n(&bench.vf.gone, false, __ATOMIC_SEQ_CST);
		bench.vf.netdev.info.flags = 0;
	} else {
		hvk_vf_unpair(bench.pair, &request);
		until(&request);
		assert_int_equal(request.status, HVK_OK);
	}
	__atomic_store_n(&bench.vf.result, HVK_TX_TAKEN, __ATOMIC_SEQ_CST);
}

static void frames_from_other_cpus_while_the_path_moves(void **state)
{
	time_t end = time(NULL) + SECONDS;
	struct hvk_vf_info info;
	pthread_t threads[2];
	uint32_t cycles = 0;

	(void)state;
	fake_begin(true);
	bench.quiet = true;
	bench.vf.netdev.hooks = (struct hvk_netdev_hooks){0};
	fake_up();
	for (uintptr_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sender, (void *)(i + 1)), 0);
	while (cycles < 20 || (cycles < CYCLES && time(NULL) < end)) {
		bench.state_count = 0;
		cycle(cycles++);
	}
	__atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	hvk_vf_get_info(bench.pair, &info);
	assert_int_equal(info.vf_tx + info.synthetic_tx, all(sent));
	assert_int_equal(info.vf_tx, bench.vf.counters.tx_frames);
	assert_int_equal(info.synthetic_tx, bench.nic.device.counters.tx_frames);
	assert_true(info.vf_tx > cycles && info.synthetic_tx > cycles);
	assert_int_equal(info.pairings, cycles);
	print_message("did: %u cycles, %lu frames by the VF, %lu by the card, %lu told to wait\n", cycles,
		      (unsigned long)info.vf_tx, (unsigned long)info.synthetic_tx,
		      (unsigned long)all(waited));
	fake_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_from_other_cpus_while_the_path_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
