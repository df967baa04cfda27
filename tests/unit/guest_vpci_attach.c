/* SPDX-License-Identifier: MIT */
/* The bus is brought up: its dialogue, hosts that refuse, fall silent or say what cannot be, and every moment
 * in which it can be taken away. */
#include "tests/unit/guest_vpci_host.h"

#define DIALOGUE "open version relations domain:567a sizes d0 assigned2 added:2 "

static const uint32_t asked[] = {VPCI_QUERY_PROTOCOL_VERSION, VPCI_QUERY_BUS_RELATIONS,
				 VPCI_QUERY_RESOURCE_REQUIREMENTS, VPCI_BUS_D0_ENTRY,
				 VPCI_RESOURCES_ASSIGNED2};
#define ASKED (sizeof(asked) / sizeof(asked[0]))

static void up_and_down(void **state)
{
	const struct hvk_pci_info *info;

	(void)state;
	fake_up(NULL);
	assert_string_equal(bench.log, DIALOGUE);
	assert_int_equal(hvk_vpci_protocol(bench.bus), VPCI_VERSION_1_4);
	info = hvk_pci_get_info(bench.function);
	assert_int_equal(info->domain, 0x567a);
	assert_int_equal(info->serial, 0x1000567a);
	assert_int_equal(info->numa_node, 1);
	assert_int_equal(info->interrupts, FAKE_ENTRIES);
	assert_int_equal(info->bars[0].size, FAKE_REGISTERS);
	assert_int_equal(info->bars[2].size, FAKE_TABLE);
	assert_true(info->bars[2].wide && info->bars[2].prefetchable && !info->bars[0].wide);
	assert_int_equal(get_bytes(bench.functions[0].config + PCI_BAR0, 4), (uint32_t)info->bars[0].address);
	assert_int_equal(get_bytes(bench.functions[0].config + PCI_BAR0 + 8, 8), info->bars[2].address | 0xc);
	assert_int_equal(bench.nowhere, 0);
	fake_end();
	assert_string_equal(bench.log, DIALOGUE "removed:2 released exit close ");
	assert_int_equal(bench.nowhere, 0);
	assert_int_equal(bench.hvk.faults, 0);
}

static void what_cannot_be_created(void **state)
{
	struct hvk_vpci_config config = {.functions_max = 257};
	struct hvk_vpci *bus;

	(void)state;
	fake_begin(NULL);
	assert_int_equal(hvk_vpci_create(&bench.channel, &config, &bus), HVK_EINVAL);
	config = (struct hvk_vpci_config){.protocol_newest = VPCI_VERSION_1_0};
	assert_int_equal(hvk_vpci_create(&bench.channel, &config, &bus), HVK_EINVAL);
	config = (struct hvk_vpci_config){.cpu = FAKE_CPUS};
	assert_int_equal(hvk_vpci_create(&bench.channel, &config, &bus), HVK_EINVAL);
	config.cpu = 0;
	assert_int_equal(hvk_vpci_create(&bench.channel, &config, &bus), HVK_EBUSY);
	bench.no_mmio = true;
	assert_int_equal(hvk_vpci_create(&bench.channel, &config, &bus), HVK_ELEVEL);
	bench.no_mmio = false;
	bench.channel.offer.type.bytes[0] ^= 1;
	assert_int_equal(hvk_vpci_create(&bench.channel, &config, &bus), HVK_EINVAL);
	bench.channel.offer.type.bytes[0] ^= 1;
	fake_end();
}

static void older_versions(void **state)
{
	(void)state;
	for (uint32_t version = VPCI_VERSION_1_1; version <= VPCI_VERSION_1_4; version++) {
		fake_begin(NULL);
		bench.newest = version;
		bench.old_format = version < VPCI_VERSION_1_3;
		assert_int_equal(fake_attach(), HVK_OK);
		assert_int_equal(hvk_vpci_protocol(bench.bus), version);
		assert_int_equal(hvk_pci_get_info(bench.function)->numa_node,
				 bench.old_format ? HVK_PCI_NO_NODE : 1);
		assert_true(!strstr(bench.log, "assigned2") == (version == VPCI_VERSION_1_1));
		fake_end();
	}
	fake_begin(NULL);
	bench.newest = VPCI_VERSION_1_0;
	assert_int_equal(fake_attach(), HVK_EREFUSED_VPCI);
	fake_end();
	assert_string_equal(bench.log, "open version version version version close ");
}

static void each_message_refused(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ASKED; i++) {
		fake_begin(NULL);
		fake_rule(asked[i], FAKE_NONE)->status = 0xc0000001u;
		assert_int_equal(fake_attach(), i == 1 ? HVK_OK : HVK_EREFUSED_VPCI);
		assert_int_equal(bench.added, i == 1);
		fake_end();
	}
}

static void each_message_without_an_answer(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ASKED; i++) {
		fake_begin(NULL);
		fake_rule(asked[i], FAKE_NONE)->silent = true;
		assert_int_equal(fake_attach(), HVK_EINPROGRESS);
		fake_pass(4980);
		assert_int_equal(bench.attach.status, HVK_EINPROGRESS);
		fake_pass(20);
		assert_int_equal(bench.attach.status, HVK_ETIMEDOUT_VPCI);
		assert_int_equal(bench.added, 0);
		fake_end();
	}
}

/* Of a function the answers are too short: it alone is left out. */
static void each_answer_too_short(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ASKED; i++) {
		fake_begin(NULL);
		fake_rule(asked[i], 1)->length = i == 2 ? 27 : 3;
		assert_int_equal(fake_attach(), i == 1 ? HVK_OK : HVK_EHOST_VPCI);
		assert_true(i == 1 || bench.hvk.faults != 0);
		fake_end();
	}
}

static void interfere(uint32_t message, bool rescind)
{
	fake_begin(NULL);
	fake_rule(asked[message], 1)->silent = true;
	assert_int_equal(fake_attach(), HVK_EINPROGRESS);
	if (rescind) {
		bench.channel.rescinded = true;
		fake_kick();
		assert_int_equal(bench.attach.status, HVK_EGONE);
	} else {
		hvk_vpci_detach(bench.bus, &bench.other);
		fake_run();
		assert_int_equal(bench.attach.status, HVK_ECANCELED);
		assert_int_equal(bench.other.status, HVK_OK);
	}
	assert_int_equal(bench.added, 0);
	assert_int_equal(bench.gone, 0);
	fake_end();
}

static void rescinded_or_detached_at_each_message(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ASKED; i++) {
		interfere(i, true);
		interfere(i, false);
	}
	fake_begin(NULL);
	bench.channel.rescinded = true;
	assert_int_equal(fake_attach(), HVK_EGONE);
	fake_end();
}

static void a_full_ring_at_each_message(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ASKED; i++) {
		fake_begin(NULL);
		bench.channel.room = i;
		assert_int_equal(fake_attach(), HVK_EINPROGRESS);
		fake_kick();
		assert_int_equal(bench.attach.status, HVK_EINPROGRESS);
		bench.channel.room = FAKE_NONE;
		fake_kick();
		assert_int_equal(bench.attach.status, HVK_OK);
		assert_string_equal(bench.log, DIALOGUE);
		fake_end();
	}
}

/* A guest before us left the bus in D0. */
static void d0_is_left_first(void **state)
{
	(void)state;
	fake_begin(NULL);
	fake_rule(VPCI_BUS_D0_ENTRY, 1)->status = 0xc0000184u;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_string_equal(bench.log,
			    "open version relations domain:567a sizes d0 exit d0 assigned2 added:2 ");
	fake_end();
}

static void without_functions(void **state)
{
	(void)state;
	fake_begin(NULL);
	bench.function_count = 0;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_null(hvk_vpci_next_function(bench.bus, NULL));
	bench.function_count = 1;
	fake_list();
	fake_run();
	assert_int_equal(bench.added, 1);
	assert_ptr_equal(hvk_vpci_next_function(bench.bus, NULL), bench.function);
	fake_end();
}

/* --- Sizes of BARs --------------------------------------------------------------------------------- */

static hvk_status with_probed(const uint32_t probed[PCI_BARS])
{
	fake_begin(NULL);
	memcpy(bench.functions[0].probed, probed, sizeof(bench.functions[0].probed));
	return fake_attach();
}

static void bars_that_cannot_be(void **state)
{
	static const uint32_t wrong[][PCI_BARS] = {
		{0xfff00f00},                /* bits that do not follow one another */
		{0, 0, 0, 0, 0, 0xfffff004}, /* wide, and there is no next one */
		{0xfffff004, 0xffffff0f},    /* wide, with a hole above */
		{0x00000004, 0xfffff000},    /* 2^44 bytes */
		{0xfffff004, 0x0000ffff},    /* not all bits of an address */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(with_probed(wrong[i]), HVK_EHOST_VPCI);
		assert_int_equal(bench.added, 0);
		fake_end();
	}
}

static void bars_of_all_kinds(void **state)
{
	static const uint32_t probed[PCI_BARS] = {0xffffff01, 0xffffffe1, 0xfffffff0,
						  0x80000000, 0x00000004, 0xfffffff0};
	const struct hvk_pci_bar *bars;

	(void)state;
	assert_int_equal(with_probed(probed), HVK_OK);
	bars = hvk_pci_get_info(bench.function)->bars;
	assert_true(bars[0].size == 0 && bars[1].size == 0); /* ports */
	assert_int_equal(bars[2].size, 16);
	assert_int_equal(bars[3].size, 1u << 31);
	assert_int_equal(bars[4].size, 1ull << 36);
	assert_true(bars[4].wide && bars[5].size == 0);
	assert_int_equal(hvk_pci_config_read(bench.function, PCI_BAR0 + 20, 4), bars[4].address >> 32);
	fake_end();
}

static void no_room_for_the_window(void **state)
{
	(void)state;
	fake_begin(NULL);
	bench.mmio_room = 0;
	assert_int_equal(fake_attach(), HVK_ELIMIT);
	fake_end();
	assert_string_equal(bench.log, "");
}

static void no_room_for_a_bar(void **state)
{
	(void)state;
	fake_begin(NULL);
	bench.mmio_room = 2; /* the window and one of two */
	assert_int_equal(fake_attach(), HVK_ELIMIT);
	assert_int_equal(bench.mmio_taken, 0);
	fake_end();
	fake_begin(NULL);
	bench.function_count = 2;
	fake_describe(&bench.functions[1], 3);
	bench.mmio_room = 3; /* of two functions one finds room */
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.added, 1);
	fake_end();
}

static void no_memory(void **state)
{
	(void)state;
	fake_begin(NULL);
	bench.hvk.fail_allocation = 0;
	assert_int_equal(fake_attach(), HVK_ENOMEM);
	fake_end();
}

/* --- Capabilities ------------------------------------------------------------------------------------ */

static void a_table_outside_its_bar(void **state)
{
	static const uint32_t tables[] = {
		1, 5, 7, FAKE_TABLE | 2, (FAKE_TABLE - 16 * FAKE_ENTRIES + 8) | 2, 0xfffffff8 | 2};

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		fake_begin(NULL);
		memcpy(bench.functions[0].config + FAKE_MSIX_AT + 4, &tables[i], 4);
		assert_int_equal(fake_attach(), HVK_OK);
		assert_int_equal(hvk_pci_get_info(bench.function)->interrupts, 0);
		assert_int_equal(bench.hvk.last_fault, HVK_EHOST_VPCI);
		fake_end();
	}
}

static void a_list_that_runs_in_a_circle(void **state)
{
	uint8_t *config = bench.functions[0].config;

	(void)state;
	fake_begin(NULL);
	config[PCI_CAPABILITIES] = 0x60;
	config[0x60] = PCI_CAPABILITY_VENDOR;
	config[0x61] = 0x63; /* to itself, but for the low bits */
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(hvk_pci_get_info(bench.function)->interrupts, 0);
	assert_int_equal(hvk_pci_find_capability(bench.function, PCI_CAPABILITY_VENDOR, 0), 0x60);
	assert_int_equal(hvk_pci_find_capability(bench.function, PCI_CAPABILITY_VENDOR, 47), 0x60);
	assert_int_equal(hvk_pci_find_capability(bench.function, PCI_CAPABILITY_VENDOR, 48), 0);
	config[0x61] = 0x10; /* into the header */
	assert_int_equal(hvk_pci_find_capability(bench.function, PCI_CAPABILITY_VENDOR, 1), 0);
	config[PCI_STATUS] = 0;
	assert_int_equal(hvk_pci_find_capability(bench.function, PCI_CAPABILITY_VENDOR, 0), 0);
	fake_end();
}

static void a_capability_at_the_end(void **state)
{
	uint8_t *config = bench.functions[0].config;

	(void)state;
	fake_begin(NULL);
	config[PCI_CAPABILITIES] = 0xfc;
	config[0xfc] = PCI_CAPABILITY_MSIX; /* it would go beyond 256 */
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(hvk_pci_get_info(bench.function)->interrupts, 0);
	fake_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_and_down),
		cmocka_unit_test(what_cannot_be_created),
		cmocka_unit_test(older_versions),
		cmocka_unit_test(each_message_refused),
		cmocka_unit_test(each_message_without_an_answer),
		cmocka_unit_test(each_answer_too_short),
		cmocka_unit_test(rescinded_or_detached_at_each_message),
		cmocka_unit_test(a_full_ring_at_each_message),
		cmocka_unit_test(d0_is_left_first),
		cmocka_unit_test(without_functions),
		cmocka_unit_test(bars_that_cannot_be),
		cmocka_unit_test(bars_of_all_kinds),
		cmocka_unit_test(no_room_for_the_window),
		cmocka_unit_test(no_room_for_a_bar),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(a_table_outside_its_bar),
		cmocka_unit_test(a_list_that_runs_in_a_circle),
		cmocka_unit_test(a_capability_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
