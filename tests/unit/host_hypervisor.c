/* SPDX-License-Identifier: MIT */
/* Leaves, registers, overlay pages and the two hypercalls. */
#include "host_guest.h"

static int set_up(void **state)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	guest_create(guest, "ws2022");
	*state = guest;
	return 0;
}

static int tear_down(void **state)
{
	guest_destroy(*state);
	free(*state);
	return 0;
}

static void leaves_tell_what_is_there(void **state)
{
	struct guest *guest = *state;
	uint32_t leaf[4];
	hvh_cpuid(guest->host, 1, leaf);
	assert_true((leaf[2] & (1u << 31)) != 0);
	hvh_cpuid(guest->host, 0x40000000, leaf);
	assert_true(leaf[0] >= 0x40000005);
	assert_memory_equal(&leaf[1], "Microsoft Hv", 12);
	hvh_cpuid(guest->host, 0x40000001, leaf);
	assert_int_equal(leaf[0], 0x31237648);
	hvh_cpuid(guest->host, 0x40000003, leaf);
	assert_int_equal(leaf[0], 0x0a6e);
	assert_int_equal(leaf[1], 0x30);    /* never bits 1 and 12: Linux would fail */
	assert_int_equal(leaf[3], 0x80500); /* frequencies, crash registers, direct timers */
	hvh_cpuid(guest->host, 0x40000005, leaf);
	assert_int_equal(leaf[0], HVH_VPS_MAX);
	hvh_cpuid(guest->host, 0x40000100, leaf);
	assert_int_equal(leaf[0] | leaf[1] | leaf[2] | leaf[3], 0);
}

static void without_a_counter_there_is_no_tsc_page(void **state)
{
	struct guest *guest = *state;
	struct hvh_config config = {.profile = &guest->profile, .vps = 1};
	struct hvh_ops ops = {.context = guest, .translate = guest_translate, .interrupt = guest_interrupt};
	struct hvh_partition *host = hvh_create(&config, &ops);
	uint32_t leaf[4];
	uint64_t value;
	hvh_cpuid(host, 0x40000003, leaf);
	assert_int_equal(leaf[0], 0x006e);
	assert_false(hvh_msr_read(host, 0, 0, HV_MSR_TSC_FREQUENCY, &value));
	assert_false(hvh_msr_write(host, 0, 0, HV_MSR_REFERENCE_TSC, 1));
	hvh_destroy(host);
}

static void a_configuration_out_of_range_is_refused(void **state)
{
	struct guest *guest = *state;
	struct hvh_ops ops = {.context = guest, .translate = guest_translate, .interrupt = guest_interrupt};
	struct hvh_config config = {.profile = &guest->profile, .vps = 0};
	assert_null(hvh_create(&config, &ops));
	config.vps = HVH_VPS_MAX + 1;
	assert_null(hvh_create(&config, &ops));
	config.vps = 1;
	config.profile = NULL;
	assert_null(hvh_create(&config, &ops));
}

static void hypercall_page_needs_an_identity(void **state)
{
	struct guest *guest = *state;
	set_page(guest, 0, HV_MSR_HYPERCALL, PAGE_HYPERCALL);
	assert_int_equal(msr(guest, 0, HV_MSR_HYPERCALL) & HV_PAGE_ENABLE, 0);
	assert_int_equal(guest->memory[ADDRESS(PAGE_HYPERCALL)], 0);
	assert_only_violation(guest, HVH_V_OS_ID);
}

static void zeroing_the_identity_disables_the_page(void **state)
{
	struct guest *guest = *state;
	static const uint8_t code[] = {0xf3, 0x0f, 0x1e, 0xfa, 0x0f, 0x01, 0xc1, 0xc3};
	bool valid = true;
	guest->memory[ADDRESS(PAGE_HYPERCALL)] = 0x42;
	guest_start(guest);
	assert_memory_equal(guest->memory + ADDRESS(PAGE_HYPERCALL), code, sizeof(code));
	set_msr(guest, 0, HV_MSR_GUEST_OS_ID, 0);
	assert_int_equal(msr(guest, 0, HV_MSR_HYPERCALL) & HV_PAGE_ENABLE, 0);
	assert_int_equal(guest->memory[ADDRESS(PAGE_HYPERCALL)], 0x42); /* what lay below */
	assert_no_violation(guest);
	hvh_hypercall(guest->host, 0, 0, HV_CALL_SIGNAL_EVENT | HV_CALL_FAST, 0, 0, &valid);
	assert_false(valid);
	assert_only_violation(guest, HVH_V_HYPERCALL);
}

static void taking_over_from_firmware_is_a_violation(void **state)
{
	struct guest *guest = *state;
	set_msr(guest, 0, HV_MSR_GUEST_OS_ID, HV_OS_ID_FIRMWARE);
	assert_no_violation(guest);
	set_msr(guest, 0, HV_MSR_GUEST_OS_ID, HV_OS_ID_OPEN_SOURCE);
	assert_only_violation(guest, HVH_V_OS_ID);
}

static void reserved_bits_are_kept(void **state)
{
	struct guest *guest = *state;
	uint64_t before = msr(guest, 0, HV_MSR_SIMP);
	assert_true((before & HV_PAGE_RESERVED_MASK) != 0); /* else no guest could fail here */
	set_msr(guest, 0, HV_MSR_SIMP, ADDRESS(PAGE_SIMP) | (before ^ 2) | HV_PAGE_ENABLE);
	assert_int_equal(msr(guest, 0, HV_MSR_SIMP), ADDRESS(PAGE_SIMP) | before | HV_PAGE_ENABLE);
	assert_only_violation(guest, HVH_V_RESERVED_BITS);
}

static void reserved_sint_and_control_bits_are_kept(void **state)
{
	struct guest *guest = *state;
	uint64_t sint = msr(guest, 0, HV_MSR_SINT0 + 2) & ~HV_SINT_DEFINED_MASK;
	uint64_t control = msr(guest, 0, HV_MSR_SCONTROL) & ~HV_SCONTROL_ENABLE;
	assert_true(sint != 0 && control != 0); /* else a guest that clears them could not fail */
	set_msr(guest, 0, HV_MSR_SINT0 + 2, (sint ^ 1ull << 40) | VECTOR);
	assert_true(msr(guest, 0, HV_MSR_SINT0 + 2) == (sint | VECTOR));
	set_msr(guest, 0, HV_MSR_SCONTROL, (control ^ 2) | HV_SCONTROL_ENABLE);
	assert_true(msr(guest, 0, HV_MSR_SCONTROL) == (control | HV_SCONTROL_ENABLE));
	assert_int_equal(violations(guest), 2);
	assert_int_equal(hvh_violation_get(guest->host, 1)->kind, HVH_V_RESERVED_BITS);
}

static void registers_reset_and_fault_as_specified(void **state)
{
	struct guest *guest = *state;
	uint64_t value;
	assert_int_equal(msr(guest, 1, HV_MSR_VP_INDEX), 1);
	assert_int_equal(msr(guest, 0, HV_MSR_SCONTROL) & HV_SCONTROL_ENABLE, 0);
	assert_int_equal(msr(guest, 0, HV_MSR_SVERSION), 1);
	assert_int_equal(msr(guest, 0, HV_MSR_EOM), 0);
	assert_int_equal(msr(guest, 0, HV_MSR_SINT0 + 15) & HV_SINT_DEFINED_MASK, 0x10000);
	assert_int_equal(msr(guest, 0, HV_MSR_TSC_FREQUENCY), 1000000000);
	set_control(guest, 0, HV_MSR_SINT0, 0x10000); /* mu_msvm writes the reset value back */
	assert_no_violation(guest);
	assert_false(hvh_msr_write(guest->host, 0, 0, HV_MSR_SINT0, 15)); /* unmasked, vector 15 */
	assert_false(hvh_msr_write(guest->host, 0, 0, HV_MSR_SVERSION, 1));
	assert_false(hvh_msr_write(guest->host, 0, 0, HV_MSR_REFERENCE_COUNTER, 1));
	assert_false(hvh_msr_read(guest->host, 0, 0, 0x400000f0, &value));
	assert_false(hvh_msr_read(guest->host, 0, VPS, HV_MSR_VP_INDEX, &value));
	assert_int_equal(violations(guest), 4);
	assert_int_equal(hvh_violation_get(guest->host, 0)->kind, HVH_V_MSR);
}

static void a_locked_hypercall_page_stays(void **state)
{
	struct guest *guest = *state;
	set_msr(guest, 0, HV_MSR_GUEST_OS_ID, 1);
	uint64_t low = msr(guest, 0, HV_MSR_HYPERCALL) & HV_HYPERCALL_RESERVED_MASK;
	uint64_t locked = ADDRESS(PAGE_HYPERCALL) | low | HV_HYPERCALL_LOCKED | HV_PAGE_ENABLE;
	set_msr(guest, 0, HV_MSR_HYPERCALL, locked);
	set_msr(guest, 0, HV_MSR_HYPERCALL, low);
	assert_int_equal(msr(guest, 0, HV_MSR_HYPERCALL), locked);
	assert_only_violation(guest, HVH_V_MSR);
}

static void a_hypercall_page_outside_of_memory_faults(void **state)
{
	struct guest *guest = *state;
	set_msr(guest, 0, HV_MSR_GUEST_OS_ID, 1);
	uint64_t before = msr(guest, 0, HV_MSR_HYPERCALL);
	assert_false(
		hvh_msr_write(guest->host, 0, 0, HV_MSR_HYPERCALL, (MEMORY + HVK_PAGE_SIZE) | before | 1));
	assert_int_equal(msr(guest, 0, HV_MSR_HYPERCALL), before);
	assert_only_violation(guest, HVH_V_MSR);
}

static void a_message_page_outside_of_memory_is_not_visible(void **state)
{
	struct guest *guest = *state;
	uint64_t low = msr(guest, 0, HV_MSR_SIMP);
	set_msr(guest, 0, HV_MSR_SIMP, (MEMORY + HVK_PAGE_SIZE) | low | 1);
	assert_only_violation(guest, HVH_V_MEMORY);
}

static void the_tsc_page_gives_the_partition_time(void **state)
{
	struct guest *guest = *state;
	struct hv_reference_tsc_page page;
	set_page(guest, 0, HV_MSR_REFERENCE_TSC, PAGE_TSC);
	memcpy(&page, guest->memory + ADDRESS(PAGE_TSC), sizeof(page));
	assert_int_not_equal(page.sequence, 0);
	/* 7 s of a 1 GHz counter. */
	__extension__ typedef unsigned __int128 wide;
	uint64_t time = (uint64_t)(((wide)7000000000ull * page.scale) >> 64) + (uint64_t)page.offset;
	assert_in_range(time, 69999999, 70000000);
}

static void the_reference_counter_never_goes_back(void **state)
{
	struct guest *guest = *state;
	uint64_t value;
	assert_true(hvh_msr_read(guest->host, 1000, 0, HV_MSR_REFERENCE_COUNTER, &value));
	assert_int_equal(value, 1000);
	assert_true(hvh_msr_read(guest->host, 500, 0, HV_MSR_REFERENCE_COUNTER, &value));
	assert_int_equal(value, 1000);
}

static void overlay_contents_survive_and_memory_below_comes_back(void **state)
{
	struct guest *guest = *state;
	uint8_t *page = guest->memory + ADDRESS(PAGE_SIEFP);
	uint64_t low = msr(guest, 0, HV_MSR_SIEFP);
	page[9] = 0x77;
	set_page(guest, 0, HV_MSR_SIEFP, PAGE_SIEFP);
	assert_int_equal(page[9], 0);
	page[9] = 0x01;
	set_msr(guest, 0, HV_MSR_SIEFP, low);
	assert_int_equal(page[9], 0x77);
	set_page(guest, 0, HV_MSR_SIEFP, PAGE_SIEFP);
	assert_int_equal(page[9], 0x01);
	assert_no_violation(guest);
}

/* --- Hypercalls -------------------------------------------------------------------- */

struct call {
	const char *name;
	uint64_t control, input;
	uint32_t status;
	enum hvh_violation_kind kind;
};

static void malformed_hypercalls_get_their_status(void **state)
{
	(void)state;
	static const struct call calls[] = {
		{"unknown code", 0x5b, ADDRESS(PAGE_INPUT), HV_STATUS_INVALID_HYPERCALL_CODE,
		 HVH_V_HYPERCALL},
		{"fast post", 0x1005c, 0, HV_STATUS_INVALID_HYPERCALL_INPUT, HVH_V_HYPERCALL},
		{"rep count", 0x5cull | 1ull << 32, ADDRESS(PAGE_INPUT), HV_STATUS_INVALID_HYPERCALL_INPUT,
		 HVH_V_HYPERCALL},
		{"variable header", 0x5cull | 1ull << 17, ADDRESS(PAGE_INPUT),
		 HV_STATUS_INVALID_HYPERCALL_INPUT, HVH_V_HYPERCALL},
		{"nested", 0x5cull | 1ull << 31, ADDRESS(PAGE_INPUT), HV_STATUS_INVALID_HYPERCALL_INPUT,
		 HVH_V_HYPERCALL},
		{"reserved", 0x5dull | 1ull << 63, ADDRESS(PAGE_INPUT), HV_STATUS_INVALID_HYPERCALL_INPUT,
		 HVH_V_HYPERCALL},
		{"misaligned", 0x5c, ADDRESS(PAGE_INPUT) + 4, HV_STATUS_INVALID_ALIGNMENT, HVH_V_HYPERCALL},
		{"crosses a page", 0x5c, ADDRESS(PAGE_INPUT) + 4096 - 248, HV_STATUS_INVALID_ALIGNMENT,
		 HVH_V_HYPERCALL},
		{"not RAM", 0x5d, MEMORY, HV_STATUS_INVALID_ALIGNMENT, HVH_V_MEMORY},
	};
	for (size_t n = 0; n < sizeof(calls) / sizeof(calls[0]); n++) {
		struct guest guest;
		guest_create(&guest, "ws2022");
		guest_start(&guest);
		print_message("%s\n", calls[n].name);
		assert_int_equal(hypercall(&guest, 0, calls[n].control, calls[n].input), calls[n].status);
		assert_only_violation(&guest, calls[n].kind);
		guest_destroy(&guest);
	}
}

struct post_case {
	const char *name;
	uint32_t connection, reserved, type, size, status;
	enum hvh_violation_kind kind; /* HVH_V_COUNT: none */
};

static void posts_get_their_status(void **state)
{
	(void)state;
	static const struct post_case cases[] = {
		{"good", 1, 0, 1, 8, HV_STATUS_SUCCESS, HVH_V_COUNT},
		{"type 0", 1, 0, 0, 8, HV_STATUS_INVALID_PARAMETER, HVH_V_POST},
		{"top bit", 1, 0, 0x80000001, 8, HV_STATUS_INVALID_PARAMETER, HVH_V_POST},
		{"241 bytes", 1, 0, 1, 241, HV_STATUS_INVALID_PARAMETER, HVH_V_POST},
		{"type 2", 1, 0, 2, 8, HV_STATUS_SUCCESS, HVH_V_POST},
		{"padding", 1, 1, 1, 8, HV_STATUS_SUCCESS, HVH_V_MESSAGE_PADDING},
		{"no such connection", 3, 0, 1, 8, HV_STATUS_INVALID_CONNECTION_ID, HVH_V_POST},
		{"25 bits", 1u << 24 | 1, 0, 1, 8, HV_STATUS_INVALID_CONNECTION_ID, HVH_V_POST},
		{"an event connection", 2, 0, 1, 8, HV_STATUS_INVALID_PORT_ID, HVH_V_POST},
	};
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		const struct post_case *c = &cases[n];
		struct hv_post_message_input input = {c->connection, c->reserved, c->type, c->size, {14}};
		struct guest guest;
		guest_create(&guest, "ws2022");
		guest_start(&guest);
		memcpy(guest.memory + ADDRESS(PAGE_INPUT), &input, sizeof(input));
		print_message("%s\n", c->name);
		assert_int_equal(hypercall(&guest, 0, HV_CALL_POST_MESSAGE, ADDRESS(PAGE_INPUT)), c->status);
		if (c->kind == HVH_V_COUNT)
			assert_no_violation(&guest);
		else
			assert_only_violation(&guest, c->kind);
		guest_destroy(&guest);
	}
}

static void only_new_hosts_have_connection_4(void **state)
{
	struct guest *new_host = *state, old_host;
	guest_create(&old_host, "ws2012r2");
	guest_start(&old_host);
	guest_start(new_host);
	assert_int_equal(post_to(&old_host, 4, golden_initiate_contact_5_3, 40),
			 HV_STATUS_INVALID_CONNECTION_ID);
	assert_int_equal(post_to(new_host, 4, golden_initiate_contact_5_3, 40), HV_STATUS_SUCCESS);
	assert_no_violation(&old_host); /* asking is how a guest finds out */
	guest_destroy(&old_host);
}

static void the_seventeenth_post_finds_no_buffer(void **state)
{
	struct guest *guest = *state;
	guest_start(guest);
	for (int n = 0; n < 16; n++)
		assert_int_equal(post_to(guest, 1, golden_unload, 8), HV_STATUS_SUCCESS);
	assert_int_equal(post_to(guest, 1, golden_unload, 8), HV_STATUS_INSUFFICIENT_BUFFERS);
	hvh_run(guest->host, 0);
	assert_int_equal(post_to(guest, 1, golden_unload, 8), HV_STATUS_SUCCESS);
}

static void signals_of_nothing_get_their_status(void **state)
{
	(void)state;
	static const struct {
		uint64_t input;
		uint32_t status;
	} cases[] = {
		{0x2001, HV_STATUS_INVALID_CONNECTION_ID}, /* no such channel */
		{2, HV_STATUS_INVALID_CONNECTION_ID},      /* shared event, not connected */
		{1, HV_STATUS_INVALID_PORT_ID},            /* takes messages */
		{0x2001 | 1ull << 32, HV_STATUS_INVALID_PARAMETER},
		{1ull << 24, HV_STATUS_INVALID_CONNECTION_ID},
	};
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct guest guest;
		guest_create(&guest, "ws2022");
		guest_start(&guest);
		assert_int_equal(hypercall(&guest, 0, HV_CALL_SIGNAL_EVENT | HV_CALL_FAST, cases[n].input),
				 cases[n].status);
		assert_only_violation(&guest, HVH_V_SIGNAL);
		memcpy(guest.memory + ADDRESS(PAGE_INPUT), &cases[n].input, 8);
		assert_int_equal(hypercall(&guest, 0, HV_CALL_SIGNAL_EVENT, ADDRESS(PAGE_INPUT)),
				 cases[n].status);
		guest_destroy(&guest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(leaves_tell_what_is_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_counter_there_is_no_tsc_page, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_configuration_out_of_range_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hypercall_page_needs_an_identity, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zeroing_the_identity_disables_the_page, set_up, tear_down),
		cmocka_unit_test_setup_teardown(taking_over_from_firmware_is_a_violation, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reserved_bits_are_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reserved_sint_and_control_bits_are_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(registers_reset_and_fault_as_specified, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_locked_hypercall_page_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_hypercall_page_outside_of_memory_faults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_message_page_outside_of_memory_is_not_visible, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_tsc_page_gives_the_partition_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_reference_counter_never_goes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(overlay_contents_survive_and_memory_below_comes_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(malformed_hypercalls_get_their_status, set_up, tear_down),
		cmocka_unit_test_setup_teardown(posts_get_their_status, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_new_hosts_have_connection_4, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_seventeenth_post_finds_no_buffer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(signals_of_nothing_get_their_status, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
