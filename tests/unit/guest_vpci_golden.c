/* SPDX-License-Identifier: MIT */
/* The guest's vPCI codec against bytes typed by hand, and what it says of answers that are too short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "guest/vpci/messages.h"
#include "tests/golden/vpci.h"

#define SLOT 2u

/* The head as it must be, all else zero. */
static void is(const struct hvk_vpci_message *message, const uint8_t *head, uint32_t bytes, uint32_t length)
{
	assert_int_equal(message->length, length);
	assert_memory_equal(message->bytes, head, bytes);
	for (uint32_t i = bytes; i < HVK_VPCI_MESSAGE_MAX; i++)
		assert_int_equal(message->bytes[i], 0);
}
#define IS(golden) is(&message, golden, sizeof(golden), sizeof(golden))

static void what_it_says(void **state)
{
	struct hvk_vpci_message message;

	(void)state;
	memset(&message, 0xee, sizeof(message));
	hvk_vpci_build_version(&message, VPCI_VERSION_1_4);
	IS(golden_vpci_version_1_4);
	hvk_vpci_build(&message, VPCI_QUERY_BUS_RELATIONS);
	IS(golden_vpci_relations_query);
	hvk_vpci_build(&message, VPCI_BUS_D0_EXIT);
	IS(golden_vpci_d0_exit);
	hvk_vpci_build_d0_entry(&message, 0xf8000000u);
	IS(golden_vpci_d0_entry);
	hvk_vpci_build_slot(&message, VPCI_QUERY_RESOURCE_REQUIREMENTS, SLOT);
	IS(golden_vpci_requirements_query);
	hvk_vpci_build_slot(&message, VPCI_RESOURCES_RELEASED, SLOT);
	IS(golden_vpci_released);
	hvk_vpci_build_ejected(&message, SLOT);
	IS(golden_vpci_ejected);
	hvk_vpci_build_delete(&message, SLOT, 0xfee01000u, 0x4061);
	IS(golden_vpci_delete);
}

static void resources(void **state)
{
	struct hvk_vpci_message message;

	(void)state;
	hvk_vpci_build_assigned(&message, VPCI_VERSION_1_1, SLOT);
	is(&message, golden_vpci_assigned_head, sizeof(golden_vpci_assigned_head), GOLDEN_VPCI_ASSIGNED);
	for (uint32_t version = VPCI_VERSION_1_2; version <= VPCI_VERSION_1_4; version++) {
		hvk_vpci_build_assigned(&message, version, SLOT);
		is(&message, golden_vpci_assigned2_head, sizeof(golden_vpci_assigned2_head),
		   GOLDEN_VPCI_ASSIGNED2);
	}
}

static void interrupts(void **state)
{
	struct hvk_vpci_message message;

	(void)state;
	assert_int_equal(hvk_vpci_build_create(&message, VPCI_VERSION_1_1, SLOT, 0x61, 1), HVK_OK);
	IS(golden_vpci_create_1_1);
	for (uint32_t version = VPCI_VERSION_1_2; version <= VPCI_VERSION_1_3; version++) {
		assert_int_equal(hvk_vpci_build_create(&message, version, SLOT, 0x61, 1), HVK_OK);
		is(&message, golden_vpci_create_1_2_head, sizeof(golden_vpci_create_1_2_head),
		   GOLDEN_VPCI_CREATE_1_2 + 2);
	}
	assert_int_equal(hvk_vpci_build_create(&message, VPCI_VERSION_1_4, SLOT, 0x61, 1), HVK_OK);
	is(&message, golden_vpci_create_1_4_head, sizeof(golden_vpci_create_1_4_head),
	   GOLDEN_VPCI_CREATE_1_4 + 2);
	assert_int_equal(hvk_vpci_build_create(&message, VPCI_VERSION_1_4, SLOT, 0x61, 0x10000), HVK_ENOTSUP);
}

static void what_it_hears(void **state)
{
	uint32_t probed[PCI_BARS], slot, data;
	uint64_t address;

	(void)state;
	assert_int_equal(hvk_vpci_parse_requirements(golden_vpci_requirements, 28, probed), HVK_OK);
	assert_memory_equal(probed, golden_vpci_requirements + 4, 24);
	assert_int_equal(hvk_vpci_parse_requirements(golden_vpci_requirements, 27, probed), HVK_EHOST_VPCI);
	assert_int_equal(hvk_vpci_parse_created(golden_vpci_created, 24, &address, &data), HVK_OK);
	assert_int_equal(address, 0xfee01000u);
	assert_int_equal(data, 0x4061);
	assert_int_equal(hvk_vpci_parse_created(golden_vpci_created, 23, &address, &data), HVK_EHOST_VPCI);
	assert_int_equal(hvk_vpci_parse_slot(golden_vpci_eject, 8, &slot), HVK_OK);
	assert_int_equal(slot, SLOT);
	assert_int_equal(hvk_vpci_parse_slot(golden_vpci_eject, 7, &slot), HVK_EHOST_VPCI);
}

static void statuses(void **state)
{
	static const uint8_t warning[] = {0x05, 0x00, 0x00, 0x40}, failure[] = {0xbb, 0x00, 0x00, 0xc0};
	uint32_t status;

	(void)state;
	assert_int_equal(hvk_vpci_parse_success(warning, 4), HVK_OK);
	assert_int_equal(hvk_vpci_parse_success(failure, 4), HVK_EREFUSED_VPCI);
	assert_int_equal(hvk_vpci_parse_success(failure, 3), HVK_EHOST_VPCI);
	assert_int_equal(hvk_vpci_parse_status(failure, 4, &status), HVK_OK);
	assert_int_equal(status, VPCI_STATUS_NOT_SUPPORTED);
}

static void relations(void **state)
{
	struct vpci_function2 list[2];
	uint8_t bytes[64] = {0};
	uint32_t count;

	(void)state;
	memcpy(bytes, golden_vpci_relations2_head, sizeof(golden_vpci_relations2_head));
	memcpy(bytes + GOLDEN_VPCI_FUNCTION_TAIL_AT, golden_vpci_function_tail,
	       sizeof(golden_vpci_function_tail));
	memcpy(bytes + GOLDEN_VPCI_FUNCTION2_TAIL_AT, golden_vpci_function2_tail,
	       sizeof(golden_vpci_function2_tail));
	assert_int_equal(hvk_vpci_parse_relations(bytes, 36, list, 2, &count), HVK_OK);
	assert_int_equal(count, 1);
	assert_int_equal(list[0].function.vendor, 0x1af4);
	assert_int_equal(list[0].function.device, 0x10f0);
	assert_int_equal(list[0].function.slot, SLOT);
	assert_int_equal(list[0].function.serial, 0x12345678);
	assert_int_equal(list[0].flags, VPCI_FUNCTION_NUMA_NODE);
	assert_int_equal(hvk_vpci_parse_relations(bytes, 35, list, 2, &count), HVK_EHOST_VPCI);
	memcpy(bytes, golden_vpci_relations_head, sizeof(golden_vpci_relations_head));
	assert_int_equal(hvk_vpci_parse_relations(bytes, 28, list, 2, &count), HVK_OK);
	assert_int_equal(list[0].function.serial, 0x12345678);
	assert_int_equal(list[0].flags, 0); /* not what lies behind it */
	bytes[4] = 2;
	assert_int_equal(hvk_vpci_parse_relations(bytes, 48, list, 1, &count), HVK_ELIMIT);
	assert_int_equal(count, 1);
	assert_int_equal(hvk_vpci_parse_relations(bytes, 47, list, 1, &count), HVK_EHOST_VPCI);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_says),  cmocka_unit_test(resources), cmocka_unit_test(interrupts),
		cmocka_unit_test(what_it_hears), cmocka_unit_test(statuses),  cmocka_unit_test(relations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
