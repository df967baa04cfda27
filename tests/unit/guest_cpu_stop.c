/* SPDX-License-Identifier: MIT */
/* Events that a CPU took in last go to one that cannot be stopping at the same time. */
#include "tests/unit/guest_vmbus_host.h"

#define CPUS 3u
#define CONTACT 2u

static uint32_t cpu_now;

static uint32_t cpu_index(void *context)
{
	(void)context;
	return cpu_now;
}

static void stop_cpu(struct host *host, uint32_t cpu)
{
	uint64_t registers[POLLED_REGISTERS];

	cpu_now = cpu;
	memcpy(registers, host->port.registers, sizeof(registers)); /* the contact CPU's: it was last */
	assert_int_equal(hvk_cpu_stop(host->hvk), HVK_OK);
	if (cpu != CONTACT)
		memcpy(host->port.registers, registers, sizeof(registers));
	cpu_now = CONTACT;
}

static void the_contact_cpu_inherits(void **state)
{
	const struct hvk_config config = {.cpus = CPUS};
	struct hvk_vmbus_config bus = {.cpu = CONTACT};
	const struct hvk_cpu *cpus;
	struct host host;

	(void)state;
	cpu_now = 0;
	host_start(&host, 0);
	assert_int_equal(hvk_cpu_stop(host.hvk), HVK_OK);
	assert_int_equal(hvk_stop(host.hvk), HVK_OK);
	assert_int_equal(hvk_destroy(host.hvk), HVK_OK);
	polled_port_locks(&host.port);
	host.port.port.cpu_index = cpu_index;
	assert_int_equal(hvk_create(&host.port.port, &config, &host.hvk), HVK_OK);
	assert_int_equal(hvk_start(host.hvk), HVK_OK);
	for (uint32_t i = 0; i < CPUS; i++) {
		cpu_now = i;
		assert_int_equal(hvk_cpu_start(host.hvk), HVK_OK);
	}
	cpus = host.hvk->cpus;
	hvk_vmbus_connect(host.hvk, &bus, &host.request);
	assert_int_equal(host_wait(&host), HVK_OK);
	(void)hvk_shared_or(&cpus[1].flags, HOST_CHANNEL / 32 * 4, 1u << HOST_CHANNEL % 32);
	stop_cpu(&host, 1);
	assert_false(cpus[0].any_event);
	assert_true(cpus[CONTACT].any_event);
	assert_int_equal(cpus[CONTACT].events[HOST_CHANNEL / 32], 1u << HOST_CHANNEL % 32);
	stop_cpu(&host, 0);
	assert_int_equal(host_disconnect(&host), HVK_OK);
	stop_cpu(&host, CONTACT); /* nobody is left to tell */
	assert_int_equal(hvk_stop(host.hvk), HVK_OK);
	assert_int_equal(hvk_destroy(host.hvk), HVK_OK);
	assert_int_equal(polled_port_end(&host.port), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_contact_cpu_inherits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
