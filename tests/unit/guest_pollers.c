/* SPDX-License-Identifier: MIT */
/* Pollers and the vectors that kick them: who runs, when, on which CPU, and when one has left for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/core/state.h"
#include "tests/support/polled_port.h"

#define PAUSE_NS 1000000u
#define CPUS 3u
#define FIRST 0x60u
#define COUNT 4u

struct machine;
struct worker {
	struct hvk_poller poller;
	struct machine *machine;
	uint32_t runs, left, more; /* more: so often it says that there is more */
	uint32_t last_cpu;
	bool leaves_itself;
	struct hvk_request gone;
};

struct machine {
	struct polled_port port;
	struct hvk *hvk;
	struct worker workers[4];
};

static uint32_t cpu_now;

static uint32_t cpu_index(void *context)
{
	(void)context;
	return cpu_now;
}

static void has_left(struct hvk_request *request, void *context)
{
	struct worker *worker = context;

	(void)request;
	worker->left++;
	worker->last_cpu = cpu_now;
}

static bool work(struct hvk_poller *poller, void *context)
{
	struct worker *worker = context;

	assert_ptr_equal(poller, &worker->poller);
	assert_int_equal(worker->left, 0);
	worker->runs++;
	worker->last_cpu = cpu_now;
	if (worker->leaves_itself)
		hvk_poller_remove(worker->machine->hvk, poller, &worker->gone, poller->cpu);
	return worker->more != 0 && worker->more-- != 0;
}

static void start_cpu(struct machine *m, uint32_t cpu)
{
	cpu_now = cpu;
	assert_int_equal(hvk_cpu_start(m->hvk), HVK_OK);
	cpu_now = 0;
}

static void machine_start(struct machine *m, uint8_t vectors)
{
	const struct hvk_config config = {.cpus = CPUS,
					  .interrupts = true,
					  .vector = 0x40,
					  .device_vector_first = FIRST,
					  .device_vector_count = vectors};

	memset(m, 0, sizeof(*m));
	cpu_now = 0;
	polled_port_init(&m->port, m, PAUSE_NS);
	polled_port_locks(&m->port);
	m->port.port.cpu_index = cpu_index;
	assert_int_equal(hvk_create(&m->port.port, &config, &m->hvk), HVK_OK);
	assert_int_equal(hvk_start(m->hvk), HVK_OK);
	start_cpu(m, 0);
	start_cpu(m, 1);
	for (uint32_t i = 0; i < 4; i++) {
		m->workers[i].machine = m;
		m->workers[i].gone = (struct hvk_request){.done = has_left, .context = &m->workers[i]};
	}
}

static void stop_cpu(struct machine *m, uint32_t cpu)
{
	cpu_now = cpu;
	assert_int_equal(hvk_cpu_stop(m->hvk), HVK_OK);
	cpu_now = 0;
}

static void machine_end(struct machine *m)
{
	stop_cpu(m, 1);
	stop_cpu(m, 0);
	assert_int_equal(hvk_stop(m->hvk), HVK_OK);
	assert_int_equal(hvk_destroy(m->hvk), HVK_OK);
	assert_int_equal(polled_port_end(&m->port), 0);
}

static bool poll(struct machine *m, uint32_t cpu)
{
	bool more;

	cpu_now = cpu;
	more = hvk_poll(m->hvk, cpu);
	cpu_now = 0;
	return more;
}

static struct worker *add(struct machine *m, uint32_t i, uint32_t cpu, bool always)
{
	struct worker *worker = &m->workers[i];

	worker->poller = (struct hvk_poller){.run = work, .context = worker, .cpu = cpu, .always = always};
	assert_int_equal(hvk_poller_add(m->hvk, &worker->poller), HVK_OK);
	return worker;
}

static void let_go(struct machine *m, struct worker *worker)
{
	hvk_poller_remove(m->hvk, &worker->poller, &worker->gone, 0);
	(void)poll(m, worker->poller.cpu);
	(void)poll(m, 0);
	assert_int_equal(worker->left, 1);
}

/* --- Kicks ------------------------------------------------------------------------------------------ */

static void one_that_was_kicked_runs_once(void **state)
{
	struct machine m;
	struct worker *one, *two;

	(void)state;
	machine_start(&m, 0);
	one = add(&m, 0, 0, false);
	two = add(&m, 1, 0, false);
	(void)poll(&m, 0);
	assert_int_equal(one->runs + two->runs, 0);
	assert_int_equal(hvk_next_deadline(m.hvk, 0), HVK_NEVER);
	hvk_poller_kick(m.hvk, &one->poller);
	hvk_poller_kick(m.hvk, &one->poller);
	assert_int_equal(hvk_next_deadline(m.hvk, 0), 0);
	assert_false(poll(&m, 0));
	assert_int_equal(one->runs, 1);
	assert_false(poll(&m, 0));
	assert_int_equal(one->runs, 1);
	assert_int_equal(two->runs, 0);
	let_go(&m, one);
	let_go(&m, two);
	machine_end(&m);
}

static void it_runs_on_its_own_cpu(void **state)
{
	struct machine m;
	struct worker *worker;

	(void)state;
	machine_start(&m, 0);
	worker = add(&m, 0, 1, false);
	hvk_poller_kick(m.hvk, &worker->poller);
	(void)poll(&m, 0);
	assert_int_equal(worker->runs, 0);
	(void)poll(&m, 1);
	assert_int_equal(worker->runs, 1);
	assert_int_equal(worker->last_cpu, 1);
	let_go(&m, worker);
	machine_end(&m);
}

static void one_with_more_to_do_runs_again(void **state)
{
	struct machine m;
	struct worker *worker;

	(void)state;
	machine_start(&m, 0);
	worker = add(&m, 0, 0, false);
	worker->more = 2;
	hvk_poller_kick(m.hvk, &worker->poller);
	assert_true(poll(&m, 0));
	assert_int_equal(hvk_next_deadline(m.hvk, 0), 0);
	assert_true(poll(&m, 0));
	assert_false(poll(&m, 0));
	assert_int_equal(worker->runs, 3);
	let_go(&m, worker);
	machine_end(&m);
}

static void one_without_interrupts_runs_in_each_poll(void **state)
{
	struct machine m;
	struct worker *worker;

	(void)state;
	machine_start(&m, 0);
	worker = add(&m, 0, 0, true);
	for (uint32_t i = 1; i <= 3; i++) {
		(void)poll(&m, 0);
		assert_int_equal(worker->runs, i);
		assert_int_equal(hvk_next_deadline(m.hvk, 0),
				 hvk_time(m.hvk) + HVK_POLLER_MS * HVK_TIME_PER_MS);
	}
	let_go(&m, worker);
	assert_int_equal(hvk_next_deadline(m.hvk, 0), HVK_NEVER);
	machine_end(&m);
}

/* Whoever polls when it is time must find that time coming nearer. */
static void its_deadline_does_not_move_with_the_question(void **state)
{
	struct machine m;
	struct worker *worker;
	uint64_t until;

	(void)state;
	machine_start(&m, 0);
	worker = add(&m, 0, 0, true);
	assert_int_equal(hvk_next_deadline(m.hvk, 0), 0);
	(void)poll(&m, 0);
	until = hvk_next_deadline(m.hvk, 0);
	for (uint32_t i = 0; i < 3; i++) {
		m.port.now += HVK_POLLER_MS * HVK_TIME_PER_MS / 2u;
		assert_int_equal(hvk_next_deadline(m.hvk, 0), until);
	}
	assert_true(until <= hvk_time(m.hvk));
	(void)poll(&m, 0);
	assert_int_equal(worker->runs, 2);
	assert_int_equal(hvk_next_deadline(m.hvk, 0), hvk_time(m.hvk) + HVK_POLLER_MS * HVK_TIME_PER_MS);
	let_go(&m, worker);
	machine_end(&m);
}

/* --- Leaving ------------------------------------------------------------------------------------------ */

static void one_that_leaves_runs_no_more(void **state)
{
	struct machine m;
	struct worker *worker, *stays;

	(void)state;
	machine_start(&m, 0);
	stays = add(&m, 1, 1, false);
	worker = add(&m, 0, 1, false);
	hvk_poller_kick(m.hvk, &worker->poller);
	hvk_poller_remove(m.hvk, &worker->poller, &worker->gone, 0);
	hvk_poller_kick(m.hvk, &worker->poller);
	hvk_poller_kick(m.hvk, &stays->poller);
	(void)poll(&m, 0); /* not the one that it is to leave */
	assert_int_equal(worker->left, 0);
	assert_int_equal(worker->gone.status, HVK_EINPROGRESS);
	(void)poll(&m, 1);
	assert_int_equal(worker->left, 0); /* it is said on CPU 0 */
	(void)poll(&m, 0);
	assert_int_equal(worker->left, 1);
	assert_int_equal(worker->last_cpu, 0);
	assert_int_equal(worker->runs, 0);
	assert_int_equal(stays->runs, 1);
	let_go(&m, stays);
	machine_end(&m);
}

static void one_may_leave_while_it_runs(void **state)
{
	struct machine m;
	struct worker *worker, *before, *behind;

	(void)state;
	machine_start(&m, 0);
	behind = add(&m, 1, 0, false);
	worker = add(&m, 0, 0, false);
	before = add(&m, 2, 0, false);
	worker->leaves_itself = true;
	worker->more = 1;
	hvk_poller_kick(m.hvk, &worker->poller);
	hvk_poller_kick(m.hvk, &behind->poller);
	hvk_poller_kick(m.hvk, &before->poller);
	for (uint32_t i = 0; i < 3; i++)
		(void)poll(&m, 0);
	assert_int_equal(worker->runs, 1);
	assert_int_equal(worker->left, 1);
	assert_int_equal(behind->runs, 1);
	assert_int_equal(before->runs, 1);
	let_go(&m, behind);
	let_go(&m, before);
	machine_end(&m);
}

static void a_cpu_that_stops_lets_go(void **state)
{
	struct machine m;
	struct worker *leaving, *staying;

	(void)state;
	machine_start(&m, 0);
	leaving = add(&m, 0, 1, false);
	staying = add(&m, 1, 1, false);
	hvk_poller_remove(m.hvk, &leaving->poller, &leaving->gone, 0);
	stop_cpu(&m, 1);
	(void)poll(&m, 0);
	assert_int_equal(leaving->left, 1);
	hvk_poller_remove(m.hvk, &staying->poller, &staying->gone, 0); /* nothing polls there */
	(void)poll(&m, 0);
	assert_int_equal(staying->left, 1);
	start_cpu(&m, 1);
	machine_end(&m);
}

static void a_cpu_that_does_not_run_takes_none(void **state)
{
	struct machine m;
	struct hvk_poller poller = {.run = work, .cpu = 2};

	(void)state;
	machine_start(&m, 0);
	assert_int_equal(hvk_poller_add(m.hvk, &poller), HVK_ESTATE);
	machine_end(&m);
}

static void there_are_so_many_at_most(void **state)
{
	static struct hvk_poller pollers[HVK_POLLERS_MAX + 1];
	struct machine m;

	(void)state;
	machine_start(&m, 0);
	for (uint32_t i = 0; i <= HVK_POLLERS_MAX; i++) {
		pollers[i] = (struct hvk_poller){.run = work, .context = &m.workers[0]};
		assert_int_equal(hvk_poller_add(m.hvk, &pollers[i]),
				 i < HVK_POLLERS_MAX ? HVK_OK : HVK_ELIMIT);
	}
	for (uint32_t i = 0; i < HVK_POLLERS_MAX; i++)
		hvk_poller_remove(m.hvk, &pollers[i], NULL, 0);
	(void)poll(&m, 0);
	assert_null(m.hvk->cpus[0].pollers);
	assert_int_equal(m.hvk->cpus[0].poller_count, 0);
	machine_end(&m);
}

/* --- Vectors ------------------------------------------------------------------------------------------- */

static void a_vector_kicks_its_poller(void **state)
{
	struct worker *one, *two;
	struct machine m;
	uint8_t a, b, c;

	(void)state;
	machine_start(&m, COUNT);
	one = add(&m, 0, 1, false);
	two = add(&m, 1, 1, false);
	assert_int_equal(hvk_vector_take(m.hvk, &one->poller, &a), HVK_OK);
	assert_int_equal(hvk_vector_take(m.hvk, &two->poller, &b), HVK_OK);
	assert_true(a != b && a >= FIRST && a < FIRST + COUNT && b >= FIRST && b < FIRST + COUNT);
	hvk_interrupt_device(m.hvk, 1, b);
	(void)poll(&m, 1);
	assert_int_equal(one->runs, 0);
	assert_int_equal(two->runs, 1);
	hvk_interrupt_device(m.hvk, 0, a); /* of another CPU */
	(void)poll(&m, 0);
	(void)poll(&m, 1);
	assert_int_equal(one->runs, 0);
	assert_int_equal(hvk_vector_take(m.hvk, &one->poller, &c), HVK_OK);
	hvk_interrupt_device(m.hvk, 1, c);
	(void)poll(&m, 1);
	assert_int_equal(one->runs, 1);
	hvk_vector_give_back(m.hvk, 1, c);
	hvk_interrupt_device(m.hvk, 1, c);
	(void)poll(&m, 1);
	assert_int_equal(one->runs, 1);
	hvk_vector_give_back(m.hvk, 1, a);
	hvk_vector_give_back(m.hvk, 1, b);
	let_go(&m, one);
	let_go(&m, two);
	machine_end(&m);
}

static void vectors_of_others_are_nothing(void **state)
{
	struct machine m;
	struct worker *worker;
	uint8_t vector;

	(void)state;
	machine_start(&m, COUNT);
	worker = add(&m, 0, 0, false);
	assert_int_equal(hvk_vector_take(m.hvk, &worker->poller, &vector), HVK_OK);
	hvk_interrupt_device(m.hvk, 0, FIRST - 1);
	hvk_interrupt_device(m.hvk, 0, FIRST + COUNT);
	hvk_interrupt_device(m.hvk, 0, 255);
	hvk_interrupt_device(m.hvk, CPUS, vector);
	(void)poll(&m, 0);
	assert_int_equal(worker->runs, 0);
	hvk_vector_give_back(m.hvk, 0, vector);
	let_go(&m, worker);
	machine_end(&m);
}

static void a_cpu_has_so_many_vectors(void **state)
{
	struct worker *here, *there;
	struct machine m;
	uint8_t vector;

	(void)state;
	machine_start(&m, COUNT);
	here = add(&m, 0, 0, false);
	there = add(&m, 1, 1, false);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(hvk_vector_take(m.hvk, &here->poller, &vector), HVK_OK);
	assert_int_equal(hvk_vector_take(m.hvk, &here->poller, &vector), HVK_ELIMIT);
	assert_int_equal(hvk_vector_take(m.hvk, &there->poller, &vector), HVK_OK);
	hvk_vector_give_back(m.hvk, 0, FIRST + 2);
	assert_int_equal(hvk_vector_take(m.hvk, &here->poller, &vector), HVK_OK);
	assert_int_equal(vector, FIRST + 2);
	let_go(&m, here);
	let_go(&m, there);
	machine_end(&m);
}

static void without_vectors_there_are_none(void **state)
{
	struct machine m;
	struct worker *worker;
	uint8_t vector;

	(void)state;
	machine_start(&m, 0);
	worker = add(&m, 0, 0, false);
	assert_int_equal(hvk_vector_take(m.hvk, &worker->poller, &vector), HVK_ELEVEL);
	hvk_interrupt_device(m.hvk, 0, FIRST);
	let_go(&m, worker);
	machine_end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_was_kicked_runs_once),
		cmocka_unit_test(it_runs_on_its_own_cpu),
		cmocka_unit_test(one_with_more_to_do_runs_again),
		cmocka_unit_test(one_without_interrupts_runs_in_each_poll),
		cmocka_unit_test(its_deadline_does_not_move_with_the_question),
		cmocka_unit_test(one_that_leaves_runs_no_more),
		cmocka_unit_test(one_may_leave_while_it_runs),
		cmocka_unit_test(a_cpu_that_stops_lets_go),
		cmocka_unit_test(a_cpu_that_does_not_run_takes_none),
		cmocka_unit_test(there_are_so_many_at_most),
		cmocka_unit_test(a_vector_kicks_its_poller),
		cmocka_unit_test(vectors_of_others_are_nothing),
		cmocka_unit_test(a_cpu_has_so_many_vectors),
		cmocka_unit_test(without_vectors_there_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
