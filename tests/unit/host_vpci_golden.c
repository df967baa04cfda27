/* SPDX-License-Identifier: MIT */
/* The host's side of vPCI against bytes typed by hand: what it takes, and what it says. */
#include "host_vpci_guest.h"
#include "tests/golden/vpci.h"

#define ASK(golden) ask(guest, golden, sizeof(golden), &answer)

static uint32_t ask_padded(struct guest *guest, const uint8_t *head, uint32_t bytes, uint32_t length,
			   struct answer *answer)
{
	uint8_t message[GOLDEN_VPCI_ASSIGNED2] = {0};

	memcpy(message, head, bytes);
	return ask(guest, message, length, answer);
}

static void takes_what_guests_say(void **state)
{
	struct guest *guest = *state;
	struct vpci_delete_interrupt gone;
	struct answer answer;

	(void)bus_opened(guest, NULL);
	assert_int_equal(ASK(golden_vpci_version_1_4), 0);
	assert_int_equal(ASK(golden_vpci_requirements_query), 0);
	assert_memory_equal(answer.payload, golden_vpci_requirements, sizeof(golden_vpci_requirements));
	assert_int_equal(ASK(golden_vpci_d0_entry), 0);
	drain(guest);
	assert_int_equal(ask_padded(guest, golden_vpci_assigned2_head, sizeof(golden_vpci_assigned2_head),
				    GOLDEN_VPCI_ASSIGNED2, &answer),
			 0);
	assert_int_equal(ask_padded(guest, golden_vpci_assigned_head, sizeof(golden_vpci_assigned_head),
				    GOLDEN_VPCI_ASSIGNED, &answer),
			 0);
	assert_int_equal(ASK(golden_vpci_create_1_1), 0);
	assert_int_equal(ask_padded(guest, golden_vpci_create_1_2_head, sizeof(golden_vpci_create_1_2_head),
				    GOLDEN_VPCI_CREATE_1_2, &answer),
			 0);
	assert_int_equal(ask_padded(guest, golden_vpci_create_1_4_head, sizeof(golden_vpci_create_1_4_head),
				    GOLDEN_VPCI_CREATE_1_4, &answer),
			 0);
	assert_memory_equal(answer.payload, golden_vpci_created, 12); /* status, and one of it */
	memcpy(&gone, golden_vpci_delete, sizeof(gone));
	gone.interrupt = created(&answer);
	assert_int_equal(ask(guest, &gone, sizeof(gone), &answer), 0);
	assert_int_equal(ASK(golden_vpci_released), 0);
	assert_int_equal(ASK(golden_vpci_d0_exit), 0);
	assert_no_violation(guest);
}

static void lists_its_function(void **state)
{
	struct guest *guest = *state;
	struct answer answer;

	(void)bus_opened(guest, NULL);
	assert_int_equal(ASK(golden_vpci_version_1_4), 0);
	send_message(guest, golden_vpci_relations_query, sizeof(golden_vpci_relations_query), false, 0);
	assert_true(receive(guest, &answer));
	assert_memory_equal(answer.payload, golden_vpci_relations2_head, sizeof(golden_vpci_relations2_head));
	assert_memory_equal(answer.payload + GOLDEN_VPCI_FUNCTION_TAIL_AT, golden_vpci_function_tail,
			    sizeof(golden_vpci_function_tail));
	assert_memory_equal(answer.payload + GOLDEN_VPCI_FUNCTION2_TAIL_AT, golden_vpci_function2_tail,
			    sizeof(golden_vpci_function2_tail));
	assert_no_violation(guest);
}

static void asks_for_its_function(void **state)
{
	struct guest *guest = *state;
	struct hvh_vpci *bus = bus_in_d0(guest, VPCI_VERSION_1_2);
	struct hvh_vpci_counters counters;
	struct answer answer;

	assert_true(hvh_vpci_eject(bus, guest->now));
	settle(guest);
	assert_true(receive(guest, &answer));
	assert_memory_equal(answer.payload, golden_vpci_eject, sizeof(golden_vpci_eject));
	send_message(guest, golden_vpci_ejected, sizeof(golden_vpci_ejected), false, 0);
	hvh_vpci_get_counters(bus, &counters);
	assert_int_equal(counters.ejects_answered, 1);
	assert_no_violation(guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_what_guests_say),
		TEST(lists_its_function),
		TEST(asks_for_its_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
