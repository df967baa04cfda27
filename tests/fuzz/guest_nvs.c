/* SPDX-License-Identifier: MIT */
/*
 * A network card's bring-up and take-down with a hostile host: at each step answers are
 * replaced, left out, come twice or out of order; then whatever a host can put into the
 * ring. Header: nic_create's.
 */
#include "tests/fuzz/guest_nic.h"

static const hostile_operation operations[] = {
	nic_op_nvs_answer,
	nic_op_rndis_answer,
	nic_op_user,
	hostile_op_poll,
	hostile_op_completion,
	hostile_op_packet,
	nic_op_mute,
	nic_op_geometry,
	hostile_op_pass_time,
	nic_op_transfer,
	nic_op_transmit,
	hostile_op_message,
	hostile_op_answer,
	hostile_op_mute,
	hostile_op_allocation,
	hostile_op_arm,
	nic_op_message,
	hostile_op_ring_word,
	hostile_op_post_status,
	nic_op_dump,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct nic_user *user = nic_create(&input);

	hostile_run(user->machine, &input, operations, sizeof(operations) / sizeof(operations[0]));
	nic_leave(user);
	return 0;
}
