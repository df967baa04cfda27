/* SPDX-License-Identifier: MIT */
/*
 * What an unmodified Linux 6.1 reads and writes from power-on to reboot, by its sources: leaves and
 * registers, in its order, on two CPUs. No violation, no fault, and what it relies on holds.
 */
#include "host_guest.h"

#include "hvkit_host/quirk.h"
#include "tests/golden/hypervisor.h"

#define PAGE_ASSIST 0x40u
#define CALLBACK 0xf3u
#define STIMER 0xedu
#define OS_ID 0x8100060100000000ull

static void all_zero(struct guest *guest, uint32_t leaf)
{
	uint32_t out[4];
	hvh_cpuid(guest->host, leaf, out);
	assert_int_equal(out[0] | out[1] | out[2] | out[3], 0);
}

/* Detection (linux: mshyperv.c). */
static void detect(struct guest *guest, bool timers, bool direct)
{
	uint32_t leaf[4];
	hvh_cpuid(guest->host, 1, leaf);
	assert_true(leaf[2] >> 31);
	hvh_cpuid(guest->host, 0x40000000, leaf);
	assert_in_range(leaf[0], 0x40000005, 0x4000ffff);
	assert_memory_equal(&leaf[1], "Microsoft Hv", 12);
	hvh_cpuid(guest->host, 0x40000003, leaf);
	assert_int_equal(leaf[0], timers ? 0x0a6e : 0x0a66);
	assert_int_equal(leaf[1], 0x30); /* no bit that leads Linux where nothing is */
	assert_int_equal(leaf[3], direct ? 0x80500 : 0x500);
	hvh_cpuid(guest->host, 0x40000004, leaf);
	assert_int_equal(leaf[0], 1u << 5 | 1u << 9);
	hvh_cpuid(guest->host, 0x40000002, leaf);
	hvh_cpuid(guest->host, 0x40000005, leaf);
	for (uint32_t n = 0x40000006; n <= 0x40000010; n++)
		all_zero(guest, n);
	all_zero(guest, 0x40000081);
	all_zero(guest, 0x40000082);
	for (uint32_t n = 0x40000100; n < 0x40010000; n += 0x100)
		all_zero(guest, n); /* looks for other hypervisors */
}

static void enable_page(struct guest *guest, uint32_t vp, uint32_t number, uint64_t page)
{
	uint64_t value = msr(guest, vp, number);
	set_msr(guest, vp, number, (value & 0xffe) | page << 12 | 1);
}

static void early(struct guest *guest)
{
	uint64_t crash = msr(guest, 0, 0x40000105);
	assert_true(crash >> 62 == 3);
	assert_true(msr(guest, 0, 0x40000022) > 0);
	assert_true(msr(guest, 0, 0x40000023) > 0);
	set_msr(guest, 0, 0x40000000, OS_ID);
	enable_page(guest, 0, 0x40000001, PAGE_HYPERCALL);
	assert_true(msr(guest, 0, 0x40000001) & 1); /* "is it initialised" */
	enable_page(guest, 0, 0x40000021, PAGE_TSC);
	guest->now += 100;
	assert_int_equal(msr(guest, 0, 0x40000020), guest->now);
}

static void bring_cpu_up(struct guest *guest, uint32_t vp)
{
	uint64_t sint;
	assert_int_equal(msr(guest, vp, 0x40000002), vp);
	set_msr(guest, vp, 0x40000073, (uint64_t)(PAGE_ASSIST + vp) << 12 | 1); /* read before by nobody */
	enable_page(guest, vp, 0x40000083, PAGE_SIMP + vp);
	enable_page(guest, vp, 0x40000082, PAGE_SIEFP + vp);
	sint = msr(guest, vp, 0x40000092) & ~(uint64_t)0x300ff;
	set_msr(guest, vp, 0x40000092, sint | CALLBACK); /* auto-EOI off by its hint */
	set_msr(guest, vp, 0x40000080, msr(guest, vp, 0x40000080) | 1);
}

/* hv_timer.c: configuration once, then a count per event, now and then while one is running. */
static void use_timer(struct guest *guest, uint32_t vp, bool direct)
{
	unsigned before = guest->interrupts[vp];
	set_msr(guest, vp, 0x400000b0, direct ? GOLDEN_TIMER_DIRECT_ED : GOLDEN_TIMER_BY_MESSAGE);
	for (unsigned n = 1; n <= 100; n++) {
		set_msr(guest, vp, 0x400000b1, msr(guest, vp, 0x40000020) + 4 * MS);
		if (n % 3 == 0)
			set_msr(guest, vp, 0x400000b1, msr(guest, vp, 0x40000020) + MS);
		pass(guest, 4 * MS);
		assert_int_equal(guest->interrupts[vp] - before, n);
		assert_int_equal(guest->last_vector, direct ? STIMER : CALLBACK);
		if (direct)
			continue;
		assert_int_equal(*word_at(guest, slot_at(vp)), 0x80000010);
		*word_at(guest, slot_at(vp)) = 0;
		if (guest->memory[slot_at(vp) + 5] & 1)
			set_msr(guest, vp, 0x40000084, 0);
	}
}

static void bring_cpu_down(struct guest *guest, uint32_t vp, bool timers)
{
	if (timers) {
		set_msr(guest, vp, 0x400000b1, 0);
		set_msr(guest, vp, 0x400000b0, 0);
	}
	set_msr(guest, vp, 0x40000092, msr(guest, vp, 0x40000092) | 1u << 16);
	set_msr(guest, vp, 0x40000083, msr(guest, vp, 0x40000083) & 0xffe);
	set_msr(guest, vp, 0x40000082, msr(guest, vp, 0x40000082) & 0xffe);
	set_msr(guest, vp, 0x40000080, msr(guest, vp, 0x40000080) & ~1ull);
	set_msr(guest, vp, 0x40000073, 0);
}

static void panic(struct guest *guest)
{
	struct hvh_crash crash;
	memcpy(guest->memory + ADDRESS(PAGE_ASSIST + 8), "panic", 5);
	set_msr(guest, 1, 0x40000100, 1);
	set_msr(guest, 1, 0x40000101, OS_ID);
	set_msr(guest, 1, 0x40000102, 0xffffffff81000000ull);
	set_msr(guest, 1, 0x40000103, ADDRESS(PAGE_ASSIST + 8));
	set_msr(guest, 1, 0x40000104, 5);
	set_msr(guest, 1, 0x40000105, 3ull << 62);
	assert_true(hvh_crash_get(guest->host, &crash));
	assert_string_equal(crash.text, "panic");
}

static void from_power_on_to_reboot(void **state)
{
	static const char *const timers[] = {"absent", "messages", "direct"};
	struct guest guest;
	(void)state;
	for (unsigned kind = 0; kind < 3; kind++) {
		guest_create(&guest, "ws2022");
		assert_true(hvh_partition_set_quirk(guest.host, "timers", timers[kind], NULL, 0));
		for (unsigned boots = 0; boots < 2; boots++) { /* kexec */
			detect(&guest, kind > 0, kind == 2);
			early(&guest);
			for (uint32_t vp = 0; vp < VPS; vp++)
				bring_cpu_up(&guest, vp);
			for (uint32_t vp = 0; kind > 0 && vp < VPS; vp++)
				use_timer(&guest, vp, kind == 2);
			panic(&guest);
			for (uint32_t vp = VPS; vp-- > 0;)
				bring_cpu_down(&guest, vp, kind > 0);
			set_msr(&guest, 0, 0x40000021, msr(&guest, 0, 0x40000021) & 0xffe);
			set_msr(&guest, 0, 0x40000000, 0);
			assert_false(msr(&guest, 0, 0x40000001) & 1);
			pass(&guest, HVH_TIME_PER_SECOND);
		}
		assert_no_violation(&guest);
		guest_destroy(&guest);
	}
}

/* Not offered: whoever asks for them all the same is told, and faults. */
static void what_is_not_offered_faults(void **state)
{
	static const uint32_t absent[] = {0x40000003, 0x40000010, 0x40000070, 0x40000071,
					  0x40000072, 0x400000b8, 0x400000f0, 0x40000106,
					  0x40000107, 0x40000108, 0x40000118};
	struct guest guest;
	(void)state;
	guest_create(&guest, "ws2022");
	for (unsigned n = 0; n < sizeof(absent) / sizeof(absent[0]); n++) {
		uint64_t value;
		assert_false(hvh_msr_read(guest.host, 0, 0, absent[n], &value));
		assert_false(hvh_msr_write(guest.host, 0, 0, absent[n], 1));
		assert_int_equal(violations(&guest), 2 * n + 2);
	}
	guest_destroy(&guest);
}

static void the_frequency_of_the_apic_is_the_embedders(void **state)
{
	struct guest guest;
	(void)state;
	guest_create(&guest, "ws2022");
	struct hvh_config config = {
		.profile = &guest.profile, .vps = 1, .tsc_hz = 2400000000u, .apic_hz = 1000000000u};
	struct hvh_ops ops = {.context = &guest, .translate = guest_translate, .interrupt = guest_interrupt};
	assert_int_equal(msr(&guest, 0, 0x40000023), 200000000);
	hvh_destroy(guest.host);
	guest.host = hvh_create(&config, &ops);
	assert_int_equal(msr(&guest, 0, 0x40000022), 2400000000u);
	assert_int_equal(msr(&guest, 0, 0x40000023), 1000000000);
	guest_destroy(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_power_on_to_reboot),
		cmocka_unit_test(what_is_not_offered_faults),
		cmocka_unit_test(the_frequency_of_the_apic_is_the_embedders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
