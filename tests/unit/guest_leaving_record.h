/* SPDX-License-Identifier: MIT */
/*
 * What the guest does to the machine, in order: registers that it writes, messages that it posts, memory
 * that it gives back. Stands on the scripted host. Include it in one file per program.
 */
#ifndef GUEST_LEAVING_RECORD_H
#define GUEST_LEAVING_RECORD_H

#include "hvkit/handover.h"
#include "tests/unit/guest_vmbus_host.h"

#define RECORD_MAX 256u
#define RECORD_CPUS 2u
#define RECORD_FIRST_PER_CPU HVK_REG_SCONTROL

#define MASKED ((uint64_t)HV_SINT_MASKED)
#define SINT2 (HVK_REG_SINT0 + VMBUS_SINT)

enum record_kind { RECORD_END, RECORD_WRITE, RECORD_POST, RECORD_FREE };

struct record {
	enum record_kind kind;
	uint64_t what; /* register, message type or 0 */
	uint64_t value;
};

#define WROTE(reg, value)                \
	{                                \
		RECORD_WRITE, reg, value \
	}
#define POSTED(type)                 \
	{                            \
		RECORD_POST, type, 0 \
	}
#define END                      \
	{                        \
		RECORD_END, 0, 0 \
	}

static struct {
	struct record entries[RECORD_MAX];
	uint32_t count;
	uint32_t cpu; /* whose turn it is */
	uint64_t per_cpu[RECORD_CPUS][POLLED_REGISTERS];
	struct host *host;
	hvk_status (*reg_write)(void *context, enum hvk_register reg, uint64_t value);
	bool flags_left; /* event flags were set when SIEFP went off */
} recorder;

static void record(enum record_kind kind, uint64_t what, uint64_t value)
{
	assert_true(recorder.count < RECORD_MAX);
	recorder.entries[recorder.count++] = (struct record){kind, what, value};
}

static void record_clear(void)
{
	recorder.count = 0;
}

/* --- The port's hooks ---------------------------------------------------------------------- */

static hvk_status recorded_write(void *context, enum hvk_register reg, uint64_t value)
{
	const struct hvk_cpu *cpu = &recorder.host->hvk->cpus[recorder.cpu];

	record(RECORD_WRITE, (uint64_t)reg, value);
	if (reg == HVK_REG_SIEFP && (value & HV_PAGE_ENABLE) == 0) {
		for (uint32_t n = 0; n < cpu->flags.size; n += 4)
			recorder.flags_left |= hvk_shared_load(&cpu->flags, n) != 0;
	}
	return recorder.reg_write(context, reg, value);
}

static uint64_t recorded_hypercall(void *owner, const void *page, uint64_t control, uint64_t input)
{
	struct host *host = owner;
	uint32_t before = host->post_count;
	uint64_t status = host_hypercall(owner, page, control, input);

	if (host->post_count != before)
		record(RECORD_POST, host->posts[before].type, 0);
	return status;
}

static void recorded_free(void *owner, uint64_t gpa, uint32_t pages)
{
	(void)owner;
	record(RECORD_FREE, gpa, pages);
}

static uint32_t recorded_cpu(void *context)
{
	(void)context;
	return recorder.cpu;
}

static uint64_t recorded_tsc(void *context)
{
	(void)context;
	return 0;
}

/* From here on the guest runs on that CPU, with its registers. */
static void run_on(struct host *host, uint32_t cpu)
{
	size_t bytes = (POLLED_REGISTERS - RECORD_FIRST_PER_CPU) * sizeof(uint64_t);

	memcpy(&recorder.per_cpu[recorder.cpu][RECORD_FIRST_PER_CPU],
	       &host->port.registers[RECORD_FIRST_PER_CPU], bytes);
	recorder.cpu = cpu;
	memcpy(&host->port.registers[RECORD_FIRST_PER_CPU], &recorder.per_cpu[cpu][RECORD_FIRST_PER_CPU],
	       bytes);
}

/* --- The guest -------------------------------------------------------------------------------- */

/* Created on a machine with these registers as found, all CPUs started; nothing is recorded yet. */
static void record_start(struct host *host, uint32_t cpus, uint64_t scontrol)
{
	const struct hvk_config config = {.cpus = cpus, .log_level = HVK_LOG_DEBUG};

	host_start(host, 0);
	assert_int_equal(hvk_cpu_stop(host->hvk), HVK_OK);
	assert_int_equal(hvk_stop(host->hvk), HVK_OK);
	assert_int_equal(hvk_destroy(host->hvk), HVK_OK);
	memset(&recorder, 0, sizeof(recorder));
	recorder.host = host;
	recorder.reg_write = host->port.port.reg_write;
	host->port.port.cpu_index = recorded_cpu;
	host->port.port.tsc = recorded_tsc;
	host->port.access |= HV_ACCESS_REFERENCE_TSC;
	host->port.hypercall = recorded_hypercall;
	polled_port_locks(&host->port);
	assert_int_equal(hvk_create(&host->port.port, &config, &host->hvk), HVK_OK);
	host->hvk->port.reg_write = recorded_write;
	assert_int_equal(hvk_start(host->hvk), HVK_OK);
	for (uint32_t cpu = cpus; cpu-- > 0;) {
		run_on(host, cpu);
		host->port.registers[HVK_REG_SCONTROL] = scontrol;
		host->port.registers[SINT2] = MASKED;
		assert_int_equal(hvk_cpu_start(host->hvk), HVK_OK);
	}
	host->port.freed = recorded_free;
	record_clear();
}

static hvk_status record_connect(struct host *host, enum hvk_vmbus_mode mode)
{
	const struct hvk_vmbus_config config = {
		.mode = mode, .offered = on_offered, .gone = on_gone, .context = host};
	hvk_status status;

	hvk_vmbus_connect(host->hvk, &config, &host->request);
	status = host_wait(host);
	record_clear();
	return status;
}

/* --- Looking at it ---------------------------------------------------------------------------- */

/* These and nothing else, in this order; what was freed is not among them. */
static void assert_recorded(const struct record *expected)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < recorder.count; i++) {
		const struct record *is = &recorder.entries[i];

		if (is->kind == RECORD_FREE)
			continue;
		if (is->kind != expected[n].kind || is->what != expected[n].what ||
		    is->value != expected[n].value)
			fail_msg("entry %u is %d 0x%llx 0x%llx, not %d 0x%llx 0x%llx", n, is->kind,
				 (unsigned long long)is->what, (unsigned long long)is->value,
				 expected[n].kind, (unsigned long long)expected[n].what,
				 (unsigned long long)expected[n].value);
		n++;
	}
	assert_int_equal(expected[n].kind, RECORD_END);
}

static uint32_t recorded(enum record_kind kind)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < recorder.count; i++)
		count += recorder.entries[i].kind == kind;
	return count;
}

/* Pages that a loaded system may not have. */
static uint64_t reserved_pages(const struct host *host)
{
	struct hvk_handover_cursor cursor = {0, 0};
	struct hvk_mmio_range range;
	uint64_t pages = 0;

	while (hvk_handover_next_reserved(host->hvk, &cursor, &range)) {
		assert_true(range.length != 0 && range.base % HVK_PAGE_SIZE == 0);
		pages += range.length / HVK_PAGE_SIZE;
	}
	return pages;
}

static bool is_reserved(const struct host *host, uint64_t gpa)
{
	struct hvk_handover_cursor cursor = {0, 0};
	struct hvk_mmio_range range;

	while (hvk_handover_next_reserved(host->hvk, &cursor, &range)) {
		if (gpa >= range.base && gpa - range.base < range.length)
			return true;
	}
	return false;
}

#endif
