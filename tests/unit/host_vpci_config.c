/* SPDX-License-Identifier: MIT */
/* A PCI function of the host's: configuration space, BARs, the MSI-X table, and device memory. */
#include "host_vpci_guest.h"

static void set(struct guest *guest, const char *quirk, const char *value)
{
	char error[160] = "";

	if (!hvh_partition_set_quirk(guest->host, quirk, value, error, sizeof error))
		fail_msg("%s", error);
}

/* --- Configuration space ------------------------------------------------------------------------ */

static void configuration_space_says_what_it_is(void **state)
{
	struct guest *guest = *state;

	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	assert_int_equal(config_read(guest, 0, 4), 0x10f01af4);
	assert_int_equal(config_read(guest, PCI_CLASS, 1), 0xff);
	assert_int_equal(config_read(guest, PCI_SUBSYSTEM_VENDOR, 4), 0x00011af4);
	assert_int_equal(config_read(guest, PCI_HEADER_TYPE, 1), 0);
	assert_int_equal(config_read(guest, PCI_STATUS, 2), PCI_STATUS_CAPABILITIES);
	assert_int_equal(config_read(guest, PCI_COMMAND, 2), 0);
	assert_int_equal(config_read(guest, PCI_ROM, 4), 0);
	assert_int_equal(config_read(guest, 0x100, 4), 0xffffffff); /* no PCI Express */
	assert_no_violation(guest);
}

static void capabilities_are_linked(void **state)
{
	struct guest *guest = *state;

	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	uint32_t msix = capability(guest, PCI_CAPABILITY_MSIX);
	uint32_t vendor = capability(guest, PCI_CAPABILITY_VENDOR);
	assert_int_equal(msix, 0x40);
	assert_int_equal(config_read(guest, msix + 2, 2), HVH_REGISTERS_INTERRUPTS - 1);
	assert_int_equal(config_read(guest, msix + 4, 4), 4);        /* the table: BAR 4 */
	assert_int_equal(config_read(guest, msix + 8, 4), 8192 | 4); /* pending bits */
	assert_int_equal(config_read(guest, vendor + 2, 1), 5);
	assert_int_equal(config_read(guest, vendor + 3, 1), 0x68);
	assert_int_equal(config_read(guest, vendor + 1, 1), 0); /* the last */
	assert_int_equal(capability(guest, PCI_CAPABILITY_EXPRESS), 0);
}

static void what_cannot_be_changed_is_not(void **state)
{
	struct guest *guest = *state;

	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	config_write(guest, PCI_VENDOR, 2, 0x8086);
	assert_int_equal(config_read(guest, PCI_VENDOR, 2), HVH_REGISTERS_VENDOR);
	assert_only_violation(guest, HVH_V_PCI);
	config_write(guest, PCI_COMMAND, 2, PCI_COMMAND_IO); /* it has no ports */
	assert_int_equal(config_read(guest, PCI_COMMAND, 2), 0);
	config_write(guest, 0x40, 4, 0); /* the capability's identity */
	config_write(guest, 0x200, 4, 0);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_PCI), 4);
}

/* What guests write all the same: the same value, to probe, to clear what is not set, and their own. */
static void what_guests_write_is_no_violation(void **state)
{
	struct guest *guest = *state;

	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	config_write(guest, PCI_VENDOR, 2, HVH_REGISTERS_VENDOR);
	config_write(guest, PCI_STATUS, 2, 0xffff);
	config_write(guest, PCI_ROM, 4, 0xfffff800);
	assert_int_equal(config_read(guest, PCI_ROM, 4), 0);
	config_write(guest, PCI_CACHE_LINE, 1, 16);
	assert_int_equal(config_read(guest, PCI_CACHE_LINE, 1), 16);
	config_write(guest, PCI_LATENCY, 1, 64);
	config_write(guest, PCI_INTERRUPT_LINE, 1, 11);
	assert_int_equal(config_read(guest, PCI_INTERRUPT_LINE, 1), 11);
	assert_no_violation(guest);
}

static void accesses_are_guarded(void **state)
{
	struct guest *guest = *state;
	uint64_t value;

	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	assert_int_equal(mmio_read(guest, WINDOW + VPCI_WINDOW_CONFIG, 8), UINT64_MAX);
	assert_int_equal(mmio_read(guest, WINDOW + VPCI_WINDOW_CONFIG + 1, 2), 0xffff); /* not aligned */
	assert_int_equal(mmio_read(guest, WINDOW + 4, 4), UINT32_MAX);
	mmio_write(guest, WINDOW, 2, SLOT);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_PCI), 4);
	assert_int_equal(mmio_read(guest, WINDOW, 4), SLOT);
	assert_false(hvh_mmio_read(guest->host, guest->now, 0, WINDOW + VPCI_WINDOW_SIZE, 4, &value));
	assert_int_equal(value, UINT32_MAX);
	assert_false(hvh_mmio_write(guest->host, guest->now, 0, WINDOW + VPCI_WINDOW_SIZE, 4, 0));
	assert_false(hvh_mmio_read(guest->host, guest->now, 0, UINT64_MAX - 3, 4, &value));
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_PCI), 4);
}

static void another_slot_has_nothing(void **state)
{
	struct guest *guest = *state;

	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	mmio_write(guest, WINDOW, 4, 0);
	assert_int_equal(config_read(guest, PCI_VENDOR, 2), 0xffff);
	assert_no_violation(guest);
	config_write(guest, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_only_violation(guest, HVH_V_PCI);
}

/* --- BARs ------------------------------------------------------------------------------------------ */

static void bars_are_probed_by_ones(void **state)
{
	struct guest *guest = *state;

	set(guest, "vpci-bar-flags-late", "off");
	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	assert_int_equal(config_read(guest, PCI_BAR0 + 8, 4), PCI_BAR_64 | PCI_BAR_PREFETCHABLE);
	for (uint32_t n = 0; n < PCI_BARS; n++)
		config_write(guest, PCI_BAR0 + 4 * n, 4, UINT32_MAX);
	assert_int_equal(config_read(guest, PCI_BAR0, 4), 0xfffff000);
	assert_int_equal(config_read(guest, PCI_BAR0 + 4, 4), 0);
	assert_int_equal(config_read(guest, PCI_BAR0 + 8, 4), 0xffff000c);
	assert_int_equal(config_read(guest, PCI_BAR0 + 12, 4), 0xffffffff);
	assert_int_equal(config_read(guest, PCI_BAR0 + 16, 4), 0xffffc004);
	assert_no_violation(guest);
}

static void low_bits_may_come_late(void **state)
{
	struct guest *guest = *state;

	set(guest, "vpci-bar-flags-late", "on");
	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	assert_int_equal(config_read(guest, PCI_BAR0 + 8, 4), 0);
	assert_int_equal(config_read(guest, PCI_BAR0 + 16, 4), 0);
	config_write(guest, PCI_BAR0 + 8, 4, UINT32_MAX);
	config_write(guest, PCI_BAR0 + 8, 4, 0);
	assert_int_equal(config_read(guest, PCI_BAR0 + 8, 4), 12);
	assert_int_equal(config_read(guest, PCI_BAR0 + 16, 4), 0);
	assert_no_violation(guest);
}

static void memory_answers_while_it_is_decoded(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	assert_int_equal(mmio_read(guest, REGISTER_BAR, 8), HVH_REGISTERS_ID_VALUE);
	assert_int_equal(mmio_read(guest, REGISTER_BAR + 4, 2), 0x742d);
	config_write(guest, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	assert_int_equal(mmio_read(guest, REGISTER_BAR, 4), UINT32_MAX);
	config_write(guest, PCI_BAR0, 4, (uint32_t)REGISTER_BAR + 0x1000);
	config_write(guest, PCI_COMMAND, 2, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	assert_int_equal(mmio_read(guest, REGISTER_BAR, 4), UINT32_MAX);
	assert_int_equal(mmio_read(guest, REGISTER_BAR + 0x1000, 8), HVH_REGISTERS_ID_VALUE);
	assert_no_violation(guest);
}

static void all_widths_reach_the_device(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	mmio_write(guest, MEMORY_BAR + 8, 8, 0x1122334455667788ull);
	mmio_write(guest, MEMORY_BAR + 9, 1, 0xffaa);
	mmio_write(guest, MEMORY_BAR + 12, 2, 0xbbbb);
	assert_int_equal(mmio_read(guest, MEMORY_BAR + 8, 8), 0x1122bbbb5566aa88ull);
	assert_int_equal(mmio_read(guest, MEMORY_BAR + 12, 4), 0x1122bbbb);
	assert_int_equal(mmio_read(guest, MEMORY_BAR + 15, 1), 0x11);
	assert_no_violation(guest);
	assert_int_equal(mmio_read(guest, MEMORY_BAR + 10, 4), UINT32_MAX);
	assert_only_violation(guest, HVH_V_PCI);
}

static void bars_lie_in_the_windows_and_apart(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	config_write(guest, PCI_BAR0, 4, (uint32_t)WINDOW + 0x1000); /* in the window's own place */
	assert_only_violation(guest, HVH_V_PCI);
	assert_int_equal(config_read(guest, PCI_VENDOR, 2), HVH_REGISTERS_VENDOR);
	config_write(guest, PCI_BAR0, 4, 0x100000); /* memory */
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_PCI), 2);
	config_write(guest, PCI_BAR0, 4, 0); /* nowhere */
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_PCI), 2);
	config_write(guest, PCI_BAR0, 4, (uint32_t)REGISTER_BAR);
	assert_int_equal(mmio_read(guest, REGISTER_BAR, 8), HVH_REGISTERS_ID_VALUE);
}

static void only_a_bus_master_reaches_memory(void **state)
{
	struct guest *guest = *state;
	uint64_t at = ADDRESS(0x180);

	(void)function_ready(guest);
	mmio_write(guest, REGISTER_BAR + HVH_REGISTERS_ADDRESS, 8, at);
	mmio_write(guest, REGISTER_BAR + HVH_REGISTERS_STORE, 8, 0x55);
	assert_int_equal(guest->memory[at], 0x55);
	config_write(guest, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	mmio_write(guest, REGISTER_BAR + HVH_REGISTERS_STORE, 8, 0x66);
	assert_int_equal(guest->memory[at], 0x55);
	assert_int_equal(mmio_read(guest, REGISTER_BAR + HVH_REGISTERS_FAULTS, 8), 1);
}

/* --- The MSI-X table ---------------------------------------------------------------------------------- */

static void the_table_remembers_and_begins_masked(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	for (uint32_t n = 0; n < HVH_REGISTERS_INTERRUPTS; n++)
		assert_int_equal(mmio_read(guest, MSIX_BAR + 16 * n + 12, 4), PCI_MSIX_ENTRY_MASKED);
	mmio_write(guest, MSIX_BAR + 16 * 63, 8, 0x11fee00000ull);
	mmio_write(guest, MSIX_BAR + 16 * 63 + 8, 8, 77 | 1ull << 32);
	assert_int_equal(mmio_read(guest, MSIX_BAR + 16 * 63 + 4, 4), 0x11);
	assert_int_equal(mmio_read(guest, MSIX_BAR + 16 * 63 + 8, 4), 77);
	assert_no_violation(guest);
}

static void what_the_table_does_not_take(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	mmio_write(guest, MSIX_BAR, 2, 1);
	assert_int_equal(mmio_read(guest, MSIX_BAR, 1), 0xff);
	mmio_write(guest, MSIX_BAR + 16 * 64, 4, 1); /* behind it */
	mmio_write(guest, MSIX_BAR + 8192, 4, 1);    /* pending bits are read */
	mmio_write(guest, MSIX_BAR + 12, 4, 2);      /* reserved bits */
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_PCI), 5);
	assert_int_equal(mmio_read(guest, MSIX_BAR + 8192, 4), 0);
	enable_msix(guest, PCI_MSIX_CONTROL_ENABLE);
	mmio_write(guest, MSIX_BAR + 12, 4, 0);
	mmio_write(guest, MSIX_BAR + 8, 4, 1); /* it is not masked */
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_PCI), 6);
}

/* --- Models that contradict themselves ------------------------------------------------------------------ */

static uint64_t model_read(void *context, uint64_t now, unsigned bar, uint64_t offset, unsigned width)
{
	(void)context, (void)now, (void)bar, (void)offset, (void)width;
	return 0;
}

static void model_write(void *context, uint64_t now, unsigned bar, uint64_t offset, unsigned width,
			uint64_t value)
{
	(void)context, (void)now, (void)bar, (void)offset, (void)width, (void)value;
}

static void model_reset(void *context, uint64_t now)
{
	(void)context, (void)now;
}

static bool is_taken(struct guest *guest, const struct hvh_pci_model *model)
{
	const struct hvh_vpci_config config = {0};

	return hvh_vpci_create(guest->host, &config, model) != NULL;
}

static void models_that_cannot_be(void **state)
{
	static const uint8_t too_short[] = {PCI_CAPABILITY_VENDOR, 0, 2};
	static const uint8_t too_long[] = {PCI_CAPABILITY_VENDOR, 0, 5, 0};
	static uint8_t many[256];
	struct guest *guest = *state;
	struct hvh_pci_model good = {.bars = {[0] = {.size = 4096}, [5] = {.size = 8192}},
				     .interrupts = 256,
				     .msix_bar = 5,
				     .read = model_read,
				     .write = model_write,
				     .reset = model_reset},
			     bad;

	for (unsigned n = 0; n < sizeof many; n += 4)
		many[n] = PCI_CAPABILITY_VENDOR, many[n + 2] = 4;
	assert_true(is_taken(guest, &good));
	bad = good, bad.interrupts = 257; /* more than half of the BAR */
	assert_false(is_taken(guest, &bad));
	bad = good, bad.msix_bar = 1;
	assert_false(is_taken(guest, &bad));
	bad = good, bad.bars[0].size = 2048;
	assert_false(is_taken(guest, &bad));
	bad = good, bad.bars[0].size = 12288;
	assert_false(is_taken(guest, &bad));
	bad = good, bad.bars[0].size = 1ull << 32;
	assert_false(is_taken(guest, &bad));
	bad = good, bad.bars[5].wide = true;
	assert_false(is_taken(guest, &bad));
	bad = good, bad.bars[4].size = 4096, bad.bars[4].wide = true;
	assert_false(is_taken(guest, &bad));
	bad = good, bad.read = NULL;
	assert_false(is_taken(guest, &bad));
	bad = good, bad.capabilities = too_short, bad.capabilities_size = sizeof too_short;
	assert_false(is_taken(guest, &bad));
	bad = good, bad.capabilities = too_long, bad.capabilities_size = sizeof too_long;
	assert_false(is_taken(guest, &bad));
	bad = good, bad.capabilities = many, bad.capabilities_size = 180; /* 0x4c and these: to the end */
	assert_true(is_taken(guest, &bad));
	bad.capabilities_size = 184;
	assert_false(is_taken(guest, &bad));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(configuration_space_says_what_it_is),
		TEST(capabilities_are_linked),
		TEST(what_cannot_be_changed_is_not),
		TEST(what_guests_write_is_no_violation),
		TEST(accesses_are_guarded),
		TEST(another_slot_has_nothing),
		TEST(bars_are_probed_by_ones),
		TEST(low_bits_may_come_late),
		TEST(memory_answers_while_it_is_decoded),
		TEST(all_widths_reach_the_device),
		TEST(bars_lie_in_the_windows_and_apart),
		TEST(only_a_bus_master_reaches_memory),
		TEST(the_table_remembers_and_begins_masked),
		TEST(what_the_table_does_not_take),
		TEST(models_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
