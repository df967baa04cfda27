/* SPDX-License-Identifier: MIT */
/*
 * The storage controller's host side and a hostile guest: an open channel, vstor packets in any order,
 * commands of any kind, units that come and go. Header: {profile, faults, flags}; flags: 1 the dialogue
 * was done by the rules, 2 (with 1) and sub-channels are open where the host has them, 4 an IDE
 * accelerator, the rest: which disk is unit 0.
 */
#include "tests/fuzz/raw_guest.h"

static const raw_operation operations[] = {
	raw_op_srb,  raw_op_vstor, raw_op_data,      raw_op_unit,   raw_op_drain,   raw_op_trouble,
	raw_op_time, raw_op_turn,  raw_op_gone,      raw_op_packet, raw_op_message, raw_op_completion,
	raw_op_take, raw_op_arm,   raw_op_ring_word, raw_op_dump,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t profile = fuzz_u8(&input), faults = fuzz_u8(&input), flags = fuzz_u8(&input);
	struct raw_guest *guest = raw_create(profile, faults, flags);
	struct hvh_storage_counters counters;

	raw_create_storage(guest, (flags & 4u) != 0, flags >> 3);
	raw_connect(guest);
	raw_open(guest);
	if (flags & 1u)
		raw_vstor_negotiate(guest, (flags & 2u) != 0 && (flags & 4u) == 0);
	raw_check_lawful(guest, faults);
	raw_run(guest, &input, operations, sizeof(operations) / sizeof(operations[0]));
	hvh_storage_get_counters(guest->storage, &counters);
	FUZZ_CHECK(counters.errors <= counters.requests);
	raw_destroy(guest);
	return 0;
}
