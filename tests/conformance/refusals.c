/* SPDX-License-Identifier: MIT */
/*
 * Machines that hvk_start must leave alone: the firmware's, somebody else's, one without
 * Hyper-V or without the part of it that is needed. The status says which, and neither
 * registers nor memory are another than before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/hvkit.h"
#include "hvkit/wire/hypervisor.h"
#include "ports/hosted/hosted.h"

#define OTHER_ID 0x1234ull
#define EAX 0u
#define EBX 1u
#define ECX 2u

/* A machine as somebody left it, and what must come of it. */
struct machine_case {
	const char *name;
	uint64_t os_id;      /* written before hvk_start */
	uint64_t page_bits;  /* of the hypercall register, with os_id; 0 = not enabled */
	uint32_t leaf;       /* of CPUID: this leaf's ... */
	unsigned word;       /* ... word is ... */
	uint32_t clear, set; /* ... without these bits, with those */
	bool take_over;
	hvk_status expected;
};

static const struct machine_case refused[] = {
	{.name = "firmware's", .os_id = HV_OS_ID_FIRMWARE, .expected = HVK_EOWNED},
	{.name = "firmware's, with a hypercall page",
	 .os_id = HV_OS_ID_FIRMWARE,
	 .page_bits = HV_PAGE_ENABLE,
	 .expected = HVK_EOWNED},
	{.name = "firmware's, to be taken over",
	 .os_id = HV_OS_ID_FIRMWARE,
	 .page_bits = HV_PAGE_ENABLE,
	 .take_over = true,
	 .expected = HVK_EOWNED},
	{.name = "another's", .os_id = OTHER_ID, .expected = HVK_EINUSE},
	{.name = "another's, with a hypercall page",
	 .os_id = OTHER_ID,
	 .page_bits = HV_PAGE_ENABLE,
	 .expected = HVK_EINUSE},
	{.name = "another's, hypercall page locked, to be taken over",
	 .os_id = OTHER_ID,
	 .page_bits = HV_PAGE_ENABLE | HV_HYPERCALL_LOCKED,
	 .take_over = true,
	 .expected = HVK_EINUSE},
	{.name = "no hypervisor",
	 .leaf = HV_CPUID_PROCESSOR_INFO,
	 .word = ECX,
	 .clear = HV_CPUID_HYPERVISOR_PRESENT_ECX,
	 .expected = HVK_ENOHYPERVISOR},
	{.name = "too few leaves",
	 .leaf = HV_CPUID_VENDOR,
	 .word = EAX,
	 .clear = 0xffu,
	 .set = 4,
	 .expected = HVK_ENOHYPERVISOR},
	{.name = "another interface than Hv#1",
	 .leaf = HV_CPUID_INTERFACE,
	 .word = EAX,
	 .clear = 0xffu << 24, /* the last letter */
	 .expected = HVK_ENOHYPERVISOR},
	{.name = "no SynIC",
	 .leaf = HV_CPUID_FEATURES,
	 .word = EAX,
	 .clear = HV_ACCESS_SYNIC,
	 .expected = HVK_EPRIVILEGE},
	{.name = "no hypercalls",
	 .leaf = HV_CPUID_FEATURES,
	 .word = EAX,
	 .clear = HV_ACCESS_HYPERCALL,
	 .expected = HVK_EPRIVILEGE},
	{.name = "no messages",
	 .leaf = HV_CPUID_FEATURES,
	 .word = EBX,
	 .clear = HV_PRIVILEGE_POST_MESSAGES,
	 .expected = HVK_EPRIVILEGE},
	{.name = "no events",
	 .leaf = HV_CPUID_FEATURES,
	 .word = EBX,
	 .clear = HV_PRIVILEGE_SIGNAL_EVENTS,
	 .expected = HVK_EPRIVILEGE},
};

static const struct machine_case taken_over = {
	.name = "another's, to be taken over",
	.os_id = OTHER_ID,
	.page_bits = HV_PAGE_ENABLE,
	.take_over = true,
	.expected = HVK_OK,
};

struct bench {
	struct hosted *machine;
	const struct machine_case *row;
	struct hvk_port port; /* the machine's, behind one that edits CPUID */
	struct hvk_pages page;
	uint32_t pages_before, pages_after; /* in use, our own left out */
	uint64_t id_before, hypercall_before, id_after, hypercall_after;
	uint64_t id_between, previous;
	uint8_t content_before[HVK_PAGE_SIZE];
	bool content_kept;
	hvk_status status, stop_status;
};

/* Callbacks get the machine as their context: this is how ours finds its row. */
static struct bench *bench_now;

static void features(void *context, uint32_t leaf, uint32_t out[4])
{
	const struct machine_case *row = bench_now->row;

	hosted_port(bench_now->machine)->features(context, leaf, out);
	if (leaf != row->leaf || row->leaf == 0)
		return;
	out[row->word] = (out[row->word] & ~row->clear) | row->set;
}

static uint64_t read_register(const struct bench *bench, enum hvk_register reg)
{
	uint64_t value = 0;

	assert_int_equal(bench->port.reg_read(bench->port.context, reg, &value), HVK_OK);
	return value;
}

/* What the machine's owner did before us. */
static void prepare(struct bench *bench)
{
	const struct hvk_port *port = &bench->port;
	const struct machine_case *row = bench->row;
	uint64_t value = read_register(bench, HVK_REG_HYPERCALL) & HV_HYPERCALL_RESERVED_MASK;

	assert_int_equal(port->pages_alloc(port->context, 1, HVK_PAGE_EXECUTE, &bench->page), HVK_OK);
	if (row->os_id)
		assert_int_equal(port->reg_write(port->context, HVK_REG_GUEST_OS_ID, row->os_id), HVK_OK);
	value |= port->page_gpa(port->context, bench->page.address) | row->page_bits;
	if (row->page_bits)
		assert_int_equal(port->reg_write(port->context, HVK_REG_HYPERCALL, value), HVK_OK);
	bench->id_before = read_register(bench, HVK_REG_GUEST_OS_ID);
	bench->hypercall_before = read_register(bench, HVK_REG_HYPERCALL);
	memcpy(bench->content_before, bench->page.address, HVK_PAGE_SIZE);
}

static void program(void *context)
{
	struct bench *bench = context;
	const struct hvk_config config = {.take_over = bench->row->take_over};
	struct hvk *hvk;

	prepare(bench);
	assert_int_equal(hvk_create(&bench->port, &config, &hvk), HVK_OK);
	bench->pages_before = hosted_pages_in_use(bench->machine);
	bench->status = hvk_start(hvk);
	bench->id_between = read_register(bench, HVK_REG_GUEST_OS_ID);
	bench->previous = hvk_hypervisor_info(hvk)->previous_os_id;
	bench->stop_status = hvk_stop(hvk);
	bench->pages_after = hosted_pages_in_use(bench->machine);
	bench->id_after = read_register(bench, HVK_REG_GUEST_OS_ID);
	bench->hypercall_after = read_register(bench, HVK_REG_HYPERCALL);
	bench->content_kept = memcmp(bench->content_before, bench->page.address, HVK_PAGE_SIZE) == 0;
	assert_int_equal(hvk_destroy(hvk), HVK_OK);
	bench->port.pages_free(bench->port.context, &bench->page);
}

static void run(const struct machine_case *row, struct bench *bench)
{
	const struct hosted_config hosted = {.mode = HOSTED_DETERMINISTIC,
					     .cpus = 1,
					     .memory_pages = 64,
					     .seed = 3,
					     .profile = hvh_profile_find("ws2022")};
	struct hvh_counters counters;

	*bench = (struct bench){.row = row};
	bench_now = bench;
	bench->machine = hosted_create(&hosted);
	assert_non_null(bench->machine);
	bench->port = *hosted_port(bench->machine);
	bench->port.features = features;
	hosted_set_program(bench->machine, 0, program, bench);
	assert_true(hosted_run(bench->machine, 60000));
	hvh_get_counters(hosted_partition(bench->machine), &counters);
	if (bench->status != row->expected || counters.violations)
		print_error("%s: %s, %u violations\n", row->name, hvk_status_name(bench->status),
			    (unsigned)counters.violations);
	assert_int_equal(bench->status, row->expected);
	assert_int_equal(counters.violations, 0);
	assert_int_equal(hosted_writes_to_free_memory(bench->machine), 0);
	assert_int_equal(hosted_pages_in_use(bench->machine), 0);
	assert_int_equal(bench->pages_after, bench->pages_before);
	assert_int_equal(bench->id_before, row->os_id);
	assert_int_equal(bench->id_after, row->os_id);
	assert_int_equal(bench->hypercall_after, bench->hypercall_before);
	assert_true(bench->content_kept);
	hosted_destroy(bench->machine);
}

static void what_is_not_ours_is_left_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct bench bench;

		run(&refused[i], &bench);
		assert_int_equal(bench.stop_status, HVK_ESTATE); /* nothing to undo */
		assert_int_equal(bench.id_between, refused[i].os_id);
	}
}

static void what_is_taken_over_is_given_back(void **state)
{
	struct bench bench;

	(void)state;
	run(&taken_over, &bench);
	assert_int_equal(bench.stop_status, HVK_OK);
	assert_int_not_equal(bench.id_between, OTHER_ID);
	assert_int_equal(bench.previous, OTHER_ID);
	assert_true(bench.hypercall_before & HV_PAGE_ENABLE);
}

/* Firmware's identity is not to be had as one's own either. */
static void nobody_calls_himself_firmware(void **state)
{
	const struct hosted_config hosted = {.mode = HOSTED_DETERMINISTIC,
					     .cpus = 1,
					     .memory_pages = 64,
					     .profile = hvh_profile_find("ws2022")};
	const struct hvk_config config = {.guest_os_id = HV_OS_ID_FIRMWARE};
	struct hosted *machine = hosted_create(&hosted);
	struct hvk *hvk;

	(void)state;
	assert_non_null(machine);
	assert_int_equal(hvk_create(hosted_port(machine), &config, &hvk), HVK_EINVAL);
	assert_null(hvk);
	assert_int_equal(hosted_pages_in_use(machine), 0);
	hosted_destroy(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_ours_is_left_alone),
		cmocka_unit_test(what_is_taken_over_is_given_back),
		cmocka_unit_test(nobody_calls_himself_firmware),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
