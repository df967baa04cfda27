/* SPDX-License-Identifier: MIT */
/* An instance's life on a bare port: what a machine that fails half-way leaves
 * behind (nothing), calls out of order, whose machine it is, pages withheld. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guest/core/core.h"
#include "hvkit/hvkit.h"
#include "hvkit/wire/hypervisor.h"
#include "tests/support/polled_port.h"

#define PAUSE_NS 1000000u
#define ACCESSES_MAX 64u
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- Life ---------------------------------------------------------------------------------- */

static struct hvk *create(struct polled_port *port)
{
	const struct hvk_config config = {.cpus = 1};
	struct hvk *hvk;

	polled_port_init(port, port, PAUSE_NS);
	port->access |= HV_ACCESS_REFERENCE_TSC;
	assert_int_equal(hvk_create(&port->port, &config, &hvk), HVK_OK);
	return hvk;
}

static void end(struct polled_port *port, struct hvk *hvk)
{
	assert_int_equal(hvk_destroy(hvk), HVK_OK);
	assert_int_equal(polled_port_end(port), 0);
}

static void out_of_order(void **state)
{
	struct polled_port port;
	struct hvk *hvk = create(&port);

	(void)state;
	assert_int_equal(hvk_cpu_start(hvk), HVK_ESTATE);
	assert_int_equal(hvk_cpu_stop(hvk), HVK_ESTATE);
	assert_int_equal(hvk_stop(hvk), HVK_ESTATE);
	assert_int_equal(hvk_start(hvk), HVK_OK);
	assert_int_equal(hvk_start(hvk), HVK_ESTATE);
	assert_int_equal(hvk_destroy(hvk), HVK_ESTATE);
	assert_int_equal(hvk_cpu_stop(hvk), HVK_ESTATE);
	assert_int_equal(hvk_cpu_start(hvk), HVK_OK);
	assert_int_equal(hvk_cpu_start(hvk), HVK_ESTATE);
	assert_int_equal(hvk_stop(hvk), HVK_ESTATE); /* a CPU runs */
	assert_int_equal(hvk_cpu_stop(hvk), HVK_OK);
	assert_int_equal(hvk_stop(hvk), HVK_OK);
	end(&port, hvk);
}

static void cpus_that_are_not_there(void **state)
{
	struct hvk_counters before, after;
	struct polled_port port;
	struct hvk *hvk = create(&port);

	(void)state;
	hvk_interrupt(hvk, 0); /* not started yet */
	assert_int_equal(hvk_start(hvk), HVK_OK);
	assert_int_equal(hvk_cpu_start(hvk), HVK_OK);
	hvk_get_counters(hvk, &before);
	hvk_interrupt(hvk, 1);
	hvk_interrupt(hvk, UINT32_MAX);
	assert_false(hvk_poll(hvk, 1));
	assert_true(hvk_next_deadline(hvk, 1) == HVK_NEVER);
	hvk_get_counters(hvk, &after);
	assert_int_equal(before.interrupts, 0);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(hvk_cpu_stop(hvk), HVK_OK);
	assert_int_equal(hvk_stop(hvk), HVK_OK);
	end(&port, hvk);
}

/* The only line is the error; it names the register, and says what was tried. */
static const char *const tries[] = {
	"cpu 0: reading register GUEST_OS_ID faulted",
	"cpu 0: reading register HYPERCALL faulted",
	"cpu 0: writing 0x9800000000000001 to register GUEST_OS_ID faulted",
	"to register HYPERCALL faulted",
	"cpu 0: reading register SIMP faulted",
	"cpu 0: reading register SIEFP faulted",
	"cpu 0: reading register SCONTROL faulted",
	"cpu 0: reading register SINT2 faulted",
	"cpu 0: reading register VP_INDEX faulted",
	"001 to register SIMP faulted",
	"001 to register SIEFP faulted",
	"cpu 0: writing 0x75 to register SINT2 faulted",
	"cpu 0: writing 0x1 to register SCONTROL faulted",
};

static struct {
	uint32_t lines;
	bool seen[COUNT(tries)];
} kept;

static void keep_line(void *owner, enum hvk_log_level level, const char *text)
{
	(void)owner;
	assert_int_equal(level, HVK_LOG_ERROR);
	kept.lines++;
	for (size_t i = 0; i < COUNT(tries); i++)
		kept.seen[i] |= strstr(text, tries[i]) != NULL;
}

/* Any access to a register may fault: what had been set is put back, what was allocated is
 * given back, and the next try works. */
static void register_that_faults(void **state)
{
	static const enum hvk_register touched[] = {
		HVK_REG_GUEST_OS_ID, HVK_REG_HYPERCALL, HVK_REG_REFERENCE_TSC, HVK_REG_SCONTROL,
		HVK_REG_SIEFP,       HVK_REG_SIMP,      HVK_REG_SINT0 + 2};
	uint32_t start_failed = 0, cpu_failed = 0;

	(void)state;
	for (uint32_t n = 1; n < ACCESSES_MAX; n++) {
		struct polled_port port;
		struct hvk *hvk = create(&port);
		hvk_status status;

		port.port.tsc = NULL;
		port.registers[HVK_REG_SIMP] = 0x5000;
		port.registers[HVK_REG_SINT0 + 2] = 0x10000;
		port.logged = keep_line;
		kept.lines = 0;
		port.fail_register = n;
		status = hvk_start(hvk);
		if (status == HVK_OK) {
			status = hvk_cpu_start(hvk);
			cpu_failed += status != HVK_OK;
			if (status == HVK_OK)
				port.fail_register = 0;
			if (status == HVK_OK)
				assert_int_equal(hvk_cpu_stop(hvk), HVK_OK);
			port.fail_register = 0;
			assert_int_equal(hvk_stop(hvk), HVK_OK);
		} else {
			start_failed++;
		}
		assert_true(status == HVK_OK || status == HVK_EPRIVILEGE);
		assert_int_equal(kept.lines, status != HVK_OK);
		for (size_t i = 0; i < COUNT(touched); i++) {
			uint64_t found = touched[i] == HVK_REG_SIMP        ? 0x5000
					 : touched[i] == HVK_REG_SINT0 + 2 ? 0x10000
									   : 0;

			assert_int_equal(port.registers[touched[i]], found);
		}
		end(&port, hvk);
	}
	assert_in_range(start_failed, 4, 10);
	assert_in_range(cpu_failed, 8, 12);
	for (size_t i = 0; i < COUNT(kept.seen); i++)
		assert_true(kept.seen[i]);
}

static uint64_t a_tsc(void *context)
{
	struct polled_port *port = context;

	return port->now;
}

/* No page, or a register that faults: no TSC page then, and the counter is the clock. */
static void tsc_page_that_cannot_be(void **state)
{
	const struct hvk_config config = {.cpus = 1};
	uint32_t without = 0;

	(void)state;
	for (uint32_t n = 1; n < 16; n++) {
		struct polled_port port;
		struct hvk *hvk;

		polled_port_init(&port, NULL, PAUSE_NS);
		port.access |= HV_ACCESS_REFERENCE_TSC;
		port.port.tsc = a_tsc;
		assert_int_equal(hvk_create(&port.port, &config, &hvk), HVK_OK);
		port.fail_register = n;
		if (hvk_start(hvk) == HVK_OK) {
			port.fail_register = 0;
			port.now = 777;
			without += !hvk_hypervisor_info(hvk)->reference_tsc;
			assert_true(hvk_hypervisor_info(hvk)->reference_tsc ||
				    port.registers[HVK_REG_REFERENCE_TSC] == 0);
			assert_int_equal(hvk_time(hvk), 777); /* a page of zeros is not valid either */
			assert_int_equal(hvk_stop(hvk), HVK_OK);
		}
		assert_int_equal(port.registers[HVK_REG_REFERENCE_TSC], 0);
		end(&port, hvk);
	}
	assert_int_equal(without, 2);
}

/* The page in which the hypervisor changes the sequence at every look is not waited for. */
static void change_sequence(void *owner)
{
	struct polled_port *port = owner;
	uint64_t gpa = port->registers[HVK_REG_REFERENCE_TSC] & HV_PAGE_ADDRESS_MASK;
	struct hv_reference_tsc_page *page = (struct hv_reference_tsc_page *)(void *)polled_port_at(
		port, gpa, HVK_PAGE_SIZE);

	if (page == NULL)
		return;
	page->sequence++;
	page->offset = 1;
}

static void tsc_page_that_never_rests(void **state)
{
	const struct hvk_config config = {.cpus = 1};
	struct polled_port port;
	struct hvk *hvk;

	(void)state;
	polled_port_init(&port, &port, PAUSE_NS);
	port.access |= HV_ACCESS_REFERENCE_TSC;
	port.port.tsc = a_tsc;
	assert_int_equal(hvk_create(&port.port, &config, &hvk), HVK_OK);
	assert_int_equal(hvk_start(hvk), HVK_OK);
	assert_true(hvk_hypervisor_info(hvk)->reference_tsc);
	port.switched = change_sequence;
	port.now = 4242;
	assert_int_equal(hvk_time(hvk), 4242);
	port.switched = NULL;
	assert_int_equal(hvk_stop(hvk), HVK_OK);
	end(&port, hvk);
}

/* Whose machine it is: never the firmware's, another system's only if that is wanted. */
static void somebody_elses_machine(void **state)
{
	static const struct {
		uint64_t found;
		bool take_over;
		hvk_status status;
	} table[] = {
		{0, false, HVK_OK},
		{0x8100000000000001u, false, HVK_EINUSE},
		{0x8100000000000001u, true, HVK_OK},
		{HV_OS_ID_FIRMWARE, false, HVK_EOWNED},
		{HV_OS_ID_FIRMWARE, true, HVK_EOWNED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const struct hvk_config config = {.cpus = 1, .take_over = table[i].take_over};
		struct polled_port port;
		struct hvk *hvk;

		polled_port_init(&port, NULL, PAUSE_NS);
		port.registers[HVK_REG_GUEST_OS_ID] = table[i].found;
		assert_int_equal(hvk_create(&port.port, &config, &hvk), HVK_OK);
		assert_int_equal(hvk_start(hvk), table[i].status);
		if (table[i].status == HVK_OK) {
			assert_int_not_equal(port.registers[HVK_REG_GUEST_OS_ID], table[i].found);
			assert_int_equal(hvk_hypervisor_info(hvk)->previous_os_id, table[i].found);
			assert_int_equal(hvk_stop(hvk), HVK_OK);
		}
		assert_int_equal(port.registers[HVK_REG_GUEST_OS_ID], table[i].found);
		end(&port, hvk);
	}
}

/* --- Log -------------------------------------------------------------------------------------- */

static void count_line(void *owner, enum hvk_log_level level, const char *text)
{
	struct polled_port *port = owner;

	assert_int_equal(level, HVK_LOG_WARN);
	assert_true(strlen(text) < 200);
	port->random++;
}

static void any_line(void *owner, enum hvk_log_level level, const char *text)
{
	struct polled_port *port = owner;

	(void)level;
	assert_non_null(strstr(text, "shown"));
	port->random++;
}

/* The host chooses how often it misbehaves; the log does not follow. */
static void faults_are_logged_rarely(void **state)
{
	struct hvk_counters counters;
	struct polled_port port;
	struct hvk *hvk = create(&port);

	(void)state;
	port.logged = count_line;
	for (uint32_t i = 0; i < 100000; i++)
		assert_int_equal(hvk_fault(hvk, HVK_EHOST_RANGE, "range %u", i), HVK_EHOST_RANGE);
	assert_in_range(port.random, 2, 40);
	hvk_get_counters(hvk, &counters);
	assert_int_equal(counters.host_faults, 100000);
	port.random = 0;
	(void)hvk_fault(hvk, HVK_EHOST_NVS, "another cause: %s", "shown");
	assert_int_equal(port.random, 1);
	end(&port, hvk);
}

/* "%s" of it would be the end: what is not shown is not formatted. */
static const char *const unreadable = (const char *)1;

static void lines_above_the_level_cost_nothing(void **state)
{
	(void)state;
	for (uint32_t level = 0; level <= HVK_LOG_DEBUG; level++) {
		const struct hvk_config config = {.cpus = 1, .log_level = (enum hvk_log_level)level};
		uint32_t shown = level ? level : HVK_LOG_INFO;
		struct polled_port port;
		struct hvk *hvk;

		polled_port_init(&port, &port, PAUSE_NS);
		assert_int_equal(hvk_create(&port.port, &config, &hvk), HVK_OK);
		port.logged = any_line;
		for (uint32_t n = HVK_LOG_ERROR; n <= HVK_LOG_DEBUG; n++)
			hvk_log(hvk, (enum hvk_log_level)n, "%s", n <= shown ? "shown" : unreadable);
		assert_int_equal(port.random, shown);
		(void)hvk_fault(hvk, HVK_EHOST_RANGE, "%s", shown >= HVK_LOG_WARN ? "shown" : unreadable);
		assert_int_equal(port.random, shown + (shown >= HVK_LOG_WARN));
		end(&port, hvk);
	}
}

/* --- Memory ------------------------------------------------------------------------------------ */

static hvk_status say_yes(void *context, const struct hvk_pages *pages)
{
	(void)context, (void)pages;
	return HVK_OK;
}

static hvk_status not_now(void *context, const struct hvk_pages *pages)
{
	struct polled_port *port = context;

	(void)pages;
	return port->random-- == 0 ? HVK_ENOMEM : HVK_OK;
}

static bool all_zero(const struct hvk_pages *pages)
{
	const uint8_t *bytes = pages->address;

	for (size_t i = 0; i < (size_t)pages->count * HVK_PAGE_SIZE; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

/* Nothing of ours is shown, and what encryption makes of the zeros is not kept. */
static hvk_status share_encrypted(void *context, const struct hvk_pages *pages)
{
	(void)context;
	assert_true(all_zero(pages));
	memset(pages->address, 0x5a, (size_t)pages->count * HVK_PAGE_SIZE);
	return HVK_OK;
}

/* polled_port gives pages full of other bytes. */
static void pages_are_zeroed_here(void **state)
{
	static const enum hvk_page_use uses[] = {HVK_PAGE_PRIVATE, HVK_PAGE_HOST_READS, HVK_PAGE_HOST_WRITES,
						 HVK_PAGE_EXECUTE};

	(void)state;
	for (uint32_t isolated = 0; isolated < 2; isolated++) {
		const struct hvk_config config = {.cpus = 1};
		struct polled_port port;
		struct hvk *hvk;

		polled_port_init(&port, NULL, PAUSE_NS);
		port.port.share = isolated ? share_encrypted : NULL;
		port.port.unshare = isolated ? say_yes : NULL;
		assert_int_equal(hvk_create(&port.port, &config, &hvk), HVK_OK);
		for (size_t i = 0; i < COUNT(uses); i++) {
			struct hvk_pages pages;

			assert_int_equal(hvk_pages_get(hvk, 3, uses[i], &pages), HVK_OK);
			/* The hypercall page may be mapped read-only. */
			assert_int_equal(all_zero(&pages), uses[i] != HVK_PAGE_EXECUTE);
			hvk_pages_put(hvk, &pages);
		}
		end(&port, hvk);
	}
}

static hvk_status (*good_pages_alloc)(void *context, uint32_t count, enum hvk_page_use use,
				      struct hvk_pages *out);
static void (*good_pages_free)(void *context, const struct hvk_pages *pages);

static hvk_status unaligned(void *context, uint32_t count, enum hvk_page_use use, struct hvk_pages *out)
{
	hvk_status status = good_pages_alloc(context, count, use, out);

	out->address = (uint8_t *)out->address + 64;
	return status;
}

static void align_and_free(void *context, const struct hvk_pages *pages)
{
	struct hvk_pages aligned = *pages;

	aligned.address = (uint8_t *)aligned.address - 64;
	good_pages_free(context, &aligned);
}

static void pages_that_are_not_aligned(void **state)
{
	const struct hvk_config config = {.cpus = 1};
	struct polled_port port;
	struct hvk *hvk;

	(void)state;
	polled_port_init(&port, NULL, PAUSE_NS);
	good_pages_alloc = port.port.pages_alloc;
	good_pages_free = port.port.pages_free;
	port.port.pages_alloc = unaligned;
	port.port.pages_free = align_and_free;
	assert_int_equal(hvk_create(&port.port, &config, &hvk), HVK_EINVAL);
	assert_null(hvk);
	assert_int_equal(polled_port_end(&port), 0);
}

/* Pages that could not be made visible are given back; the call that needed them fails. */
static void share_that_fails(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 3; n++) {
		const struct hvk_config config = {.cpus = 1};
		struct polled_port port;
		struct hvk *hvk;
		hvk_status status;

		polled_port_init(&port, NULL, PAUSE_NS);
		port.port.share = not_now;
		port.port.unshare = say_yes;
		port.random = n;
		assert_int_equal(hvk_create(&port.port, &config, &hvk), HVK_OK);
		status = hvk_start(hvk);
		if (status == HVK_OK) {
			assert_int_equal(hvk_cpu_start(hvk), HVK_ENOMEM);
			assert_int_equal(hvk_stop(hvk), HVK_OK);
		} else {
			assert_int_equal(status, HVK_ENOMEM);
		}
		end(&port, hvk);
	}
}

/* Pages that stay visible are withheld, and found by who draws the memory map. */
static void unshare_that_fails(void **state)
{
	struct hvk_counters counters;
	struct polled_port port;
	struct hvk_pages pages, found;
	const struct hvk_config config = {.cpus = 1};
	struct hvk *hvk;
	void *address;

	(void)state;
	polled_port_init(&port, NULL, PAUSE_NS);
	port.port.share = say_yes;
	port.port.unshare = not_now; /* the first fails */
	assert_int_equal(hvk_create(&port.port, &config, &hvk), HVK_OK);
	assert_int_equal(hvk_pages_get(hvk, 3, HVK_PAGE_HOST_WRITES, &pages), HVK_OK);
	address = pages.address;
	hvk_pages_put(hvk, &pages);
	hvk_get_counters(hvk, &counters);
	assert_int_equal(counters.quarantined_pages, 3);
	assert_true(hvk_quarantine_pages(hvk, 0, &found));
	assert_ptr_equal(found.address, address);
	assert_int_equal(found.count, 3);
	assert_false(hvk_quarantine_pages(hvk, 1, &found));
	assert_int_equal(hvk_destroy(hvk), HVK_OK);
	assert_int_equal(polled_port_end(&port), 3);
}

static void quarantine_is_limited(void **state)
{
	const struct hvk_config config = {.cpus = 1, .quarantine_pages_max = 5};
	struct polled_port port;
	struct hvk_pages pages;
	struct hvk *hvk;

	(void)state;
	polled_port_init(&port, NULL, PAUSE_NS);
	assert_int_equal(hvk_create(&port.port, &config, &hvk), HVK_OK);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(hvk_quarantine_check(hvk), HVK_OK);
		assert_int_equal(hvk_pages_get(hvk, 3, HVK_PAGE_HOST_WRITES, &pages), HVK_OK);
		assert_int_equal(hvk_pages_quarantine(hvk, &pages), HVK_OK);
		assert_int_equal(pages.count, 0);
	}
	assert_int_equal(hvk_quarantine_check(hvk), HVK_EQUARANTINE);
	assert_int_equal(hvk_pages_quarantine(hvk, &pages), HVK_OK); /* nothing is nothing */
	assert_int_equal(hvk_destroy(hvk), HVK_OK);
	assert_int_equal(polled_port_end(&port), 6);
}

/* Entries run out before pages: withheld and counted all the same. */
static void quarantine_without_room(void **state)
{
	const struct hvk_config config = {.cpus = 1, .quarantine_pages_max = UINT32_MAX};
	struct hvk_counters counters;
	hvk_status status = HVK_OK;
	struct polled_port port;
	struct hvk_pages pages;
	uint32_t entries = 0;
	struct hvk *hvk;

	(void)state;
	polled_port_init(&port, NULL, PAUSE_NS);
	assert_int_equal(hvk_create(&port.port, &config, &hvk), HVK_OK);
	for (; status == HVK_OK && entries < POLLED_ALLOCATIONS - 2; entries++) {
		assert_int_equal(hvk_pages_get(hvk, 1, HVK_PAGE_HOST_WRITES, &pages), HVK_OK);
		status = hvk_pages_quarantine(hvk, &pages);
	}
	assert_int_equal(status, HVK_EQUARANTINE);
	assert_int_equal(hvk_quarantine_check(hvk), HVK_EQUARANTINE);
	hvk_get_counters(hvk, &counters);
	assert_int_equal(counters.quarantined_pages, entries);
	assert_int_equal(hvk_destroy(hvk), HVK_OK);
	assert_int_equal(polled_port_end(&port), entries);
}

static void random_bytes(void **state)
{
	struct polled_port port;
	struct hvk *hvk = create(&port);
	uint8_t one[16] = {0}, other[16] = {0};

	(void)state;
	assert_int_equal(hvk_random(hvk, one, sizeof(one)), HVK_OK);
	assert_int_equal(hvk_random(hvk, other, sizeof(other)), HVK_OK);
	assert_memory_not_equal(one, other, sizeof(one));
	end(&port, hvk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(out_of_order),
		cmocka_unit_test(cpus_that_are_not_there),
		cmocka_unit_test(register_that_faults),
		cmocka_unit_test(tsc_page_that_cannot_be),
		cmocka_unit_test(tsc_page_that_never_rests),
		cmocka_unit_test(somebody_elses_machine),
		cmocka_unit_test(faults_are_logged_rarely),
		cmocka_unit_test(lines_above_the_level_cost_nothing),
		cmocka_unit_test(pages_are_zeroed_here),
		cmocka_unit_test(pages_that_are_not_aligned),
		cmocka_unit_test(share_that_fails),
		cmocka_unit_test(unshare_that_fails),
		cmocka_unit_test(quarantine_is_limited),
		cmocka_unit_test(quarantine_without_room),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
