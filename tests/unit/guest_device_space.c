/* SPDX-License-Identifier: MIT */
/*
 * Room for BARs in the MMIO windows, numbers of PCI domains, and the hypercall that moves an interrupt,
 * against bytes typed by hand from the facts (TLFS, HvCallRetargetDeviceInterrupt).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/core/state.h"
#include "tests/support/polled_port.h"

#define PAUSE_NS 1000000u
#define LOW 0xfe000000ull
#define LOW_LENGTH 0x1000000ull /* with the TPM's page in it */
#define HIGH 0xfe0000000ull
#define HIGH_LENGTH 0x10000000ull
#define TPM 0xfed40000ull

struct machine {
	struct polled_port port;
	struct hvk *hvk;
	uint64_t control, status;
	uint8_t input[256];
};

static uint64_t hypercall(void *owner, const void *page, uint64_t control, uint64_t input)
{
	struct machine *m = owner;
	const uint8_t *at = polled_port_at(&m->port, input, sizeof(m->input));

	(void)page;
	assert_non_null(at);
	assert_int_equal(input % 8, 0);
	m->control = control;
	memcpy(m->input, at, sizeof(m->input));
	return m->status;
}

static void machine_start(struct machine *m, const struct hvk_config *config, uint64_t vp)
{
	memset(m, 0, sizeof(*m));
	polled_port_init(&m->port, m, PAUSE_NS);
	polled_port_locks(&m->port);
	m->port.hypercall = hypercall;
	m->port.registers[HVK_REG_VP_INDEX] = vp;
	assert_int_equal(hvk_create(&m->port.port, config, &m->hvk), HVK_OK);
	assert_int_equal(hvk_start(m->hvk), HVK_OK);
	assert_int_equal(hvk_cpu_start(m->hvk), HVK_OK);
}

static void machine_end(struct machine *m)
{
	assert_int_equal(hvk_cpu_stop(m->hvk), HVK_OK);
	assert_int_equal(hvk_stop(m->hvk), HVK_OK);
	assert_int_equal(hvk_destroy(m->hvk), HVK_OK);
	assert_int_equal(polled_port_end(&m->port), 0);
}

static const struct hvk_config both = {.mmio_windows = {{LOW, LOW_LENGTH}, {HIGH, HIGH_LENGTH}}};

/* --- Windows ------------------------------------------------------------------------------------------- */

static uint64_t taken(struct machine *m, uint64_t size, bool wide)
{
	uint64_t address = 0;

	assert_int_equal(hvk_mmio_take(m->hvk, size, wide, &address), HVK_OK);
	assert_int_equal(address % size, 0);
	return address;
}

static void wide_ones_are_above_4_gib(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, &both, 0);
	assert_int_equal(taken(&m, 0x10000, true), HIGH);
	assert_int_equal(taken(&m, 0x10000, false), LOW);
	assert_int_equal(taken(&m, 0x10000, true), HIGH + 0x10000);
	machine_end(&m);
}

static void a_wide_one_may_be_below_where_there_is_no_room(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, &both, 0);
	assert_int_equal(taken(&m, HIGH_LENGTH, true), HIGH);
	assert_int_equal(taken(&m, 0x100000, true), LOW);
	machine_end(&m);
}

static void narrow_ones_are_below_4_gib(void **state)
{
	const struct hvk_config only_high = {.mmio_windows = {{HIGH, HIGH_LENGTH}}};
	const struct hvk_config across = {.mmio_windows = {{0xfff00000ull, 0x200000ull}}};
	struct machine m;
	uint64_t address;

	(void)state;
	machine_start(&m, &only_high, 0);
	assert_int_equal(hvk_mmio_take(m.hvk, 4096, false, &address), HVK_ELIMIT);
	machine_end(&m);
	machine_start(&m, &across, 0);
	assert_int_equal(taken(&m, 0x100000, false), 0xfff00000ull);
	assert_int_equal(hvk_mmio_take(m.hvk, 4096, false, &address), HVK_ELIMIT);
	machine_end(&m);
}

static void what_is_others_is_left_out(void **state)
{
	const struct hvk_config config = {
		.mmio_windows = {{LOW, LOW_LENGTH}},
		.mmio_reserved = {{LOW, 0x801000ull}},
	};
	struct machine m;
	bool tpm = false;

	(void)state;
	machine_start(&m, &config, 0);
	assert_int_equal(taken(&m, 4096, false), LOW + 0x801000ull);
	for (uint32_t i = 0; i < 7; i++) {
		uint64_t at = taken(&m, 0x100000, false);

		assert_true(at >= LOW + 0x900000 && at + 0x100000 <= LOW + LOW_LENGTH);
		tpm = tpm || (at < TPM + 0x5000 && at + 0x100000 > TPM);
		if (at == LOW + 0xf00000)
			break;
	}
	assert_false(tpm);
	assert_int_equal(taken(&m, 0x40000, false), LOW + 0x840000); /* before the first of those */
	machine_end(&m);
}

static void places_are_given_back(void **state)
{
	struct machine m;
	uint64_t first, second;

	(void)state;
	machine_start(&m, &both, 0);
	first = taken(&m, 0x2000, false);
	second = taken(&m, 0x2000, false);
	assert_true(second >= first + 0x2000);
	hvk_mmio_give_back(m.hvk, first);
	assert_int_equal(taken(&m, 0x2000, false), first);
	hvk_mmio_give_back(m.hvk, 0x1234000); /* nobody's */
	machine_end(&m);
}

static void what_cannot_be_is_refused(void **state)
{
	const struct hvk_config none = {0};
	const struct hvk_config last = {.mmio_windows = {{UINT64_MAX - 0x2fffull, 0x2fffull}}};
	struct machine m;
	uint64_t address;

	(void)state;
	machine_start(&m, &none, 0);
	assert_int_equal(hvk_mmio_take(m.hvk, 4096, true, &address), HVK_ELIMIT);
	assert_int_equal(hvk_mmio_take(m.hvk, 2048, true, &address), HVK_EINVAL);
	assert_int_equal(hvk_mmio_take(m.hvk, 12288, true, &address), HVK_EINVAL);
	assert_int_equal(hvk_mmio_take(m.hvk, 0, true, &address), HVK_EINVAL);
	machine_end(&m);
	machine_start(&m, &last, 0); /* rounded up, it would be at 0 */
	assert_int_equal(hvk_mmio_take(m.hvk, 1ull << 40, true, &address), HVK_ELIMIT);
	assert_int_equal(hvk_mmio_take(m.hvk, 4096, true, &address), HVK_OK);
	machine_end(&m);
}

/* A place that cannot be noted is not given. */
static void there_are_so_many_places(void **state)
{
	struct machine m;
	uint64_t address, first = 0;

	(void)state;
	machine_start(&m, &both, 0);
	for (uint32_t i = 0; i < HVK_MMIO_TAKEN_MAX; i++) {
		address = taken(&m, 4096, true);
		assert_int_equal(address, HIGH + i * 4096ull);
		first = i == 0 ? address : first;
	}
	assert_int_equal(hvk_mmio_take(m.hvk, 4096, true, &address), HVK_ELIMIT);
	hvk_mmio_give_back(m.hvk, first);
	assert_int_equal(taken(&m, 4096, true), first);
	machine_end(&m);
}

/* --- Domains ------------------------------------------------------------------------------------------ */

static void a_domain_is_one_bus_alone(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, &both, 0);
	assert_int_equal(hvk_domain_take(m.hvk, 0x5678), 0x5678);
	assert_int_equal(hvk_domain_take(m.hvk, 0x5678), 0x5679);
	assert_int_equal(hvk_domain_take(m.hvk, 0x5679), 0x567a);
	hvk_domain_give_back(m.hvk, 0x5679);
	assert_int_equal(hvk_domain_take(m.hvk, 0x5678), 0x5679);
	assert_int_equal(hvk_domain_take(m.hvk, 0xffff), 0xffff);
	assert_int_equal(hvk_domain_take(m.hvk, 0xffff), 1); /* 0 is the machine's own bus */
	assert_int_equal(hvk_domain_take(m.hvk, 0), 2);
	machine_end(&m);
}

static void more_buses_than_can_be_noted(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, &both, 0);
	for (uint32_t i = 0; i < HVK_DOMAINS_MAX; i++)
		assert_int_equal(hvk_domain_take(m.hvk, 0), i + 1);
	assert_int_equal(hvk_domain_take(m.hvk, 0), HVK_DOMAINS_MAX + 1);
	hvk_domain_give_back(m.hvk, HVK_DOMAINS_MAX + 1); /* was not noted: nobody's is lost */
	assert_int_equal(hvk_domain_take(m.hvk, HVK_DOMAINS_MAX), HVK_DOMAINS_MAX + 1);
	machine_end(&m);
}

/* --- The hypercall ------------------------------------------------------------------------------------- */

/* clang-format off */
static const uint8_t golden_retarget_5[] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* this partition */
	0x88, 0x77, 0x66, 0x55, 0x00, 0x00, 0x00, 0x00, /* device */
	0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* MSI */
	0x0c, 0xb0, 0xe0, 0xfe, 0x61, 0x40, 0x00, 0x00, /* address, data */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x63, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* vector 0x63, no flags */
	0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* processor 5 */
};

/* ... to processor 130: bit 2 of bank 2, in a sparse set. */
static const uint8_t golden_retarget_130[] = {
	0x63, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, /* vector, a set of processors */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* sparse */
	0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* banks */
	0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
/* clang-format on */
#define TARGET_AT 40u

static hvk_status retarget(struct machine *m)
{
	return hvk_interrupt_retarget(m->hvk, 0x55667788u, 0xfee0b00cu, 0x4061u, 0x63, 0);
}

static void a_low_processor_goes_by_the_mask(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, &both, 5);
	assert_int_equal(retarget(&m), HVK_OK);
	assert_int_equal(m.control, 0x7e);
	assert_memory_equal(m.input, golden_retarget_5, sizeof(golden_retarget_5));
	machine_end(&m);
}

static void a_high_processor_goes_by_a_set(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, &both, 130);
	assert_int_equal(retarget(&m), HVK_OK);
	assert_int_equal(m.control, 0x7e | 2 << 17); /* two words of a variable header */
	assert_memory_equal(m.input, golden_retarget_5, TARGET_AT);
	assert_memory_equal(m.input + TARGET_AT, golden_retarget_130, sizeof(golden_retarget_130));
	machine_end(&m);
}

static void the_highest_processor_of_the_first_word(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, &both, 63);
	assert_int_equal(retarget(&m), HVK_OK);
	assert_int_equal(m.control, 0x7e);
	assert_int_equal(m.input[55], 0x80);
	machine_end(&m);
	machine_start(&m, &both, 64);
	assert_int_equal(retarget(&m), HVK_OK);
	assert_int_equal(m.control, 0x7e | 2 << 17);
	assert_int_equal(m.input[56], 0x02);
	assert_int_equal(m.input[64], 0x01);
	machine_end(&m);
}

static void a_refusal_is_told(void **state)
{
	struct machine m;

	(void)state;
	machine_start(&m, &both, 0);
	m.status = 0x5; /* invalid parameter */
	assert_int_equal(retarget(&m), HVK_EHYPERCALL);
	m.status = 0;
	assert_int_equal(retarget(&m), HVK_OK);
	machine_end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wide_ones_are_above_4_gib),
		cmocka_unit_test(a_wide_one_may_be_below_where_there_is_no_room),
		cmocka_unit_test(narrow_ones_are_below_4_gib),
		cmocka_unit_test(what_is_others_is_left_out),
		cmocka_unit_test(places_are_given_back),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(there_are_so_many_places),
		cmocka_unit_test(a_domain_is_one_bus_alone),
		cmocka_unit_test(more_buses_than_can_be_noted),
		cmocka_unit_test(a_low_processor_goes_by_the_mask),
		cmocka_unit_test(a_high_processor_goes_by_a_set),
		cmocka_unit_test(the_highest_processor_of_the_first_word),
		cmocka_unit_test(a_refusal_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
