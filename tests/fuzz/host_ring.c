/* SPDX-License-Identifier: MIT */
/*
 * The host model's rings and a hostile guest: an open channel whose device sends back
 * what it gets. Header: {profile, faults, seed}.
 */
#include "tests/fuzz/raw_guest.h"

static const raw_operation operations[] = {
	raw_op_packet,  raw_op_ring_bytes, raw_op_ring_word, raw_op_page_list, raw_op_drain,
	raw_op_signal,  raw_op_arm,        raw_op_write,     raw_op_time,      raw_op_completion,
	raw_op_message, raw_op_gone,       raw_op_take,      raw_op_device,    raw_op_dump,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t profile = fuzz_u8(&input), faults = fuzz_u8(&input), seed = fuzz_u8(&input);
	struct raw_guest *guest = raw_create(profile, faults, seed);

	raw_create_echo(guest);
	raw_connect(guest);
	raw_open(guest);
	raw_check_lawful(guest, faults);
	raw_run(guest, &input, operations, sizeof(operations) / sizeof(operations[0]));
	raw_destroy(guest);
	return 0;
}
