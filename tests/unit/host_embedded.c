/* SPDX-License-Identifier: MIT */
/* What an embedder with virtual CPUs of its own gives the model: the bytes of the hypercall
 * page, and the offset of the reference TSC page. */
#include "host_guest.h"

#define TSC_HZ 2000000000ull
#define OFFSET (-123456789ll)

static const uint8_t code[] = {0xf3, 0x0f, 0x1e, 0xfa, 0xe6, 0xe6, 0xc3};

static struct hvh_partition *create(struct guest *guest, uint32_t bytes)
{
	struct hvh_config config = {.profile = &guest->profile,
				    .vps = 1,
				    .tsc_hz = TSC_HZ,
				    .tsc_offset = OFFSET,
				    .hypercall_code = code,
				    .hypercall_code_bytes = bytes};
	struct hvh_ops ops = {.context = guest, .translate = guest_translate, .interrupt = guest_interrupt};

	return hvh_create(&config, &ops);
}

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

static void the_hypercall_page_holds_the_code_given(void **state)
{
	struct guest *guest = *state;
	struct hvh_partition *host = create(guest, sizeof(code));
	const uint8_t *page = &guest->memory[ADDRESS(PAGE_HYPERCALL)];

	assert_true(hvh_msr_write(host, 0, 0, HV_MSR_GUEST_OS_ID, HV_OS_ID_OPEN_SOURCE | 1));
	assert_true(hvh_msr_write(host, 0, 0, HV_MSR_HYPERCALL, ADDRESS(PAGE_HYPERCALL) | HV_PAGE_ENABLE));
	assert_memory_equal(page, code, sizeof(code));
	assert_int_equal(page[sizeof(code)], 0xcc);
	hvh_destroy(host);
}

static void too_much_code_is_refused(void **state)
{
	assert_null(create(*state, HVH_HYPERCALL_CODE_MAX + 1));
}

static void the_tsc_page_has_the_offset(void **state)
{
	struct guest *guest = *state;
	struct hvh_partition *host = create(guest, sizeof(code));
	struct hv_reference_tsc_page page;

	assert_true(hvh_msr_write(host, 0, 0, HV_MSR_REFERENCE_TSC, ADDRESS(PAGE_TSC) | HV_PAGE_ENABLE));
	memcpy(&page, &guest->memory[ADDRESS(PAGE_TSC)], sizeof(page));
	assert_int_equal(page.sequence, 1);
	assert_true(page.offset == OFFSET);
	hvh_destroy(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_hypercall_page_holds_the_code_given, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_much_code_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_tsc_page_has_the_offset, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
