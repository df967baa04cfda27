/* SPDX-License-Identifier: MIT */
/*
 * A network card that is up, with a hostile host: RNDIS messages, ranges, and a receive
 * buffer that changes between two looks. Header: nic_create's.
 */
#include "tests/fuzz/guest_nic.h"

static const hostile_operation operations[] = {
	nic_op_message,  nic_op_frame,         nic_op_transfer,     nic_op_transmit,   hostile_op_completion,
	hostile_op_poll, nic_op_user,          nic_op_rndis_answer, nic_op_mute,       hostile_op_write,
	hostile_op_arm,  hostile_op_pass_time, hostile_op_packet,   nic_op_nvs_answer, hostile_op_ring_word,
	nic_op_dump,     nic_op_offloads,      nic_op_parts,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct nic_user *user = nic_create(&input);

	nic_up(user);
	hostile_run(user->machine, &input, operations, sizeof(operations) / sizeof(operations[0]));
	nic_leave(user);
	return 0;
}
