/* SPDX-License-Identifier: MIT */
/*
 * The host model and a hostile guest: registers, hypercalls and control messages in any
 * order, after a contact by the rules. Header: {profile, faults, flags
	raw_op_dump,
}; flags: 1 a card
 * rather than the device that echoes, 2 nothing was said yet.
 */
#include "tests/fuzz/raw_guest.h"

static const raw_operation operations[] = {
	raw_op_message, raw_op_post,  raw_op_take, raw_op_time, raw_op_msr,    raw_op_hypercall,
	raw_op_signal,  raw_op_write, raw_op_arm,  raw_op_gone, raw_op_device, raw_op_packet,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t profile = fuzz_u8(&input), faults = fuzz_u8(&input), flags = fuzz_u8(&input);
	struct raw_guest *guest = raw_create(profile, faults, flags);

	if (flags & 1u)
		raw_create_nic(guest);
	else
		raw_create_echo(guest);
	if (flags & 2u)
		raw_start(guest);
	else
		raw_connect(guest);
	raw_run(guest, &input, operations, sizeof(operations) / sizeof(operations[0]));
	raw_destroy(guest);
	return 0;
}
