/* SPDX-License-Identifier: MIT */
/*
 * The host's side of a vPCI bus and a hostile guest: an open channel, messages in any order, accesses of any
 * kind to configuration space, BARs and MSI-X, interrupts retargeted, a bus that leaves and comes back.
 * Header: {profile, faults, flags}; flags: 1 the bus is in D0 and its function in place, by the rules.
 */
#include "tests/fuzz/raw_guest.h"

static const raw_operation operations[] = {
	raw_op_vpci,      raw_op_mmio,       raw_op_interrupt, raw_op_retarget, raw_op_bus,  raw_op_drain,
	raw_op_time,      raw_op_gone,       raw_op_packet,    raw_op_message,  raw_op_take, raw_op_arm,
	raw_op_ring_word, raw_op_completion, raw_op_hypercall, raw_op_dump,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t profile = fuzz_u8(&input), faults = fuzz_u8(&input), flags = fuzz_u8(&input);
	struct raw_guest *guest = raw_create(profile, faults, flags);
	struct hvh_vpci_counters counters;

	raw_create_pci(guest);
	raw_connect(guest);
	raw_open(guest);
	if (flags & 1u)
		raw_pci_negotiate(guest);
	raw_check_lawful(guest, faults);
	raw_run(guest, &input, operations, sizeof(operations) / sizeof(operations[0]));
	hvh_vpci_get_counters(guest->pci, &counters);
	FUZZ_CHECK(counters.deleted <= counters.created && counters.ejects_answered <= counters.ejects);
	raw_destroy(guest);
	return 0;
}
