/* SPDX-License-Identifier: MIT */
/* The clock of a host that lies: it cannot end a wait early, nor keep it from ending. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/hvkit.h"
#include "hvkit/wire/hypervisor.h"

#define PAUSE_NS 10000000u
#define REGISTERS (HVK_REG_SINT15 + 1)

struct liar {
	uint64_t registers[REGISTERS];
	uint64_t counter; /* what it says; stands still */
	uint32_t pauses;
};

void hvk_switch_point(void);
void hvk_switch_point(void)
{
}

static void port_log(void *context, enum hvk_log_level level, const char *text)
{
	(void)context, (void)level, (void)text;
}

static hvk_status port_pages_alloc(void *context, uint32_t count, enum hvk_page_use use,
				   struct hvk_pages *out)
{
	size_t bytes = (size_t)count * HVK_PAGE_SIZE;
	void *address = aligned_alloc(HVK_PAGE_SIZE, bytes);

	(void)context;
	assert_non_null(address);
	memset(address, 0, bytes);
	*out = (struct hvk_pages){address, count, use, NULL};
	return HVK_OK;
}

static void port_pages_free(void *context, const struct hvk_pages *pages)
{
	(void)context;
	free(pages->address);
}

static uint64_t port_page_gpa(void *context, const void *address)
{
	(void)context;
	return (uint64_t)(uintptr_t)address;
}

static void port_features(void *context, uint32_t leaf, uint32_t out[4])
{
	(void)context;
	memset(out, 0, 4 * sizeof(*out));
	if (leaf == HV_CPUID_PROCESSOR_INFO)
		out[2] = HV_CPUID_HYPERVISOR_PRESENT_ECX;
	else if (leaf == HV_CPUID_VENDOR)
		out[0] = HV_CPUID_HIGHEST_LEAF_MIN;
	else if (leaf == HV_CPUID_INTERFACE)
		out[0] = HV_CPUID_INTERFACE_HV1;
	if (leaf != HV_CPUID_FEATURES)
		return;
	out[0] = HV_ACCESS_REFERENCE_COUNTER | HV_ACCESS_SYNIC | HV_ACCESS_HYPERCALL;
	out[1] = HV_PRIVILEGE_POST_MESSAGES | HV_PRIVILEGE_SIGNAL_EVENTS;
}

static hvk_status port_reg_read(void *context, enum hvk_register reg, uint64_t *value)
{
	const struct liar *liar = context;

	*value = reg == HVK_REG_REFERENCE_COUNTER ? liar->counter : liar->registers[reg];
	return HVK_OK;
}

static hvk_status port_reg_write(void *context, enum hvk_register reg, uint64_t value)
{
	struct liar *liar = context;

	liar->registers[reg] = value;
	return HVK_OK;
}

static uint64_t port_hypercall(void *context, const void *page, uint64_t control, uint64_t input,
			       uint64_t output)
{
	(void)context, (void)page, (void)control, (void)input, (void)output;
	return HV_STATUS_SUCCESS;
}

static hvk_status port_random(void *context, void *out, size_t bytes)
{
	(void)context;
	memset(out, 1, bytes);
	return HVK_OK;
}

static void port_pause(void *context)
{
	struct liar *liar = context;

	liar->pauses++;
}

static struct hvk *start(struct liar *liar)
{
	const struct hvk_port port = {
		.size = sizeof(port),
		.version = HVK_PORT_VERSION,
		.context = liar,
		.log = port_log,
		.pages_alloc = port_pages_alloc,
		.pages_free = port_pages_free,
		.page_gpa = port_page_gpa,
		.features = port_features,
		.reg_read = port_reg_read,
		.reg_write = port_reg_write,
		.hypercall = port_hypercall,
		.random = port_random,
		.pause = port_pause,
		.pause_ns = PAUSE_NS,
	};
	const struct hvk_config config = {.cpus = 1};
	struct hvk *hvk;

	*liar = (struct liar){.counter = 1000};
	assert_int_equal(hvk_create(&port, &config, &hvk), HVK_OK);
	assert_int_equal(hvk_start(hvk), HVK_OK);
	assert_int_equal(hvk_time(hvk), 1000);
	return hvk;
}

static void end(struct hvk *hvk)
{
	assert_int_equal(hvk_stop(hvk), HVK_OK);
	assert_int_equal(hvk_destroy(hvk), HVK_OK);
}

/* Nobody will finish it. Ten seconds are at least that many pauses of our own. */
static void wait_ten_seconds(struct liar *liar, struct hvk *hvk)
{
	struct hvk_request request = {.status = HVK_EINPROGRESS};

	liar->pauses = 0;
	assert_int_equal(hvk_wait(hvk, &request, 10000), HVK_ETIMEDOUT);
	assert_in_range(liar->pauses, 900, 2000);
}

static void test_stands_still(void **state)
{
	struct liar liar;
	struct hvk *hvk = start(&liar);

	(void)state;
	wait_ten_seconds(&liar, hvk);
	end(hvk);
}

/* So far ahead that adding to it would begin again at 0, or just where it is believed no
 * more: our own clock has to go on from there all the same. */
static void test_end_of_time(void **state)
{
	const uint64_t lies[] = {UINT64_MAX,
				 UINT64_MAX - 50 * HVK_TIME_PER_MS,
				 UINT64_MAX - HVK_TIME_PER_SECOND,
				 UINT64_MAX / 2,
				 UINT64_MAX / 4 + 1,
				 UINT64_MAX / 4,
				 UINT64_MAX / 4 - 1};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct liar liar;
		struct hvk *hvk = start(&liar);

		liar.counter = lies[i];
		wait_ten_seconds(&liar, hvk);
		assert_true(hvk_time(hvk) < UINT64_MAX / 2);
		wait_ten_seconds(&liar, hvk);
		end(hvk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stands_still),
		cmocka_unit_test(test_end_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
