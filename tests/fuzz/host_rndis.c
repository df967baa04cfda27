/* SPDX-License-Identifier: MIT */
/*
 * The card's host side and a hostile guest, past RNDIS INITIALIZE: messages by page list
 * and by section, several in one, memory that changes meanwhile, frames from the network.
 * Header: {profile, faults, seed}; seeds from 0x80 on: sub-channels are open where the host has
 * them.
 */
#include "tests/fuzz/raw_guest.h"

static const raw_operation operations[] = {
	raw_op_rndis,  raw_op_section, raw_op_page_list, raw_op_drain, raw_op_completion, raw_op_frames,
	raw_op_time,   raw_op_arm,     raw_op_write,     raw_op_nvs,   raw_op_device,     raw_op_gone,
	raw_op_packet, raw_op_dump,    raw_op_inject,    raw_op_turn,  raw_op_card,       raw_op_flow,
	raw_op_rss,    raw_op_offload, raw_op_stream,    raw_op_large,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t profile = fuzz_u8(&input), faults = fuzz_u8(&input), seed = fuzz_u8(&input);
	static const uint8_t frame[60];
	struct raw_guest *guest = raw_create(profile, faults, seed);

	raw_create_nic(guest);
	raw_connect(guest);
	raw_open(guest);
	raw_negotiate(guest, guest->profile.nvs_newest);
	raw_initialize(guest);
	if (seed >= 0x80 && guest->profile.rss)
		raw_subchannels(guest, RAW_LINES - 1u);
	raw_check_lawful(guest, faults);
	FUZZ_CHECK(faults % 16u != 0 || hvh_nic_receive(guest->nic, guest->now, frame, sizeof(frame)));
	raw_run(guest, &input, operations, sizeof(operations) / sizeof(operations[0]));
	raw_destroy(guest);
	return 0;
}
