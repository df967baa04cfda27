/* SPDX-License-Identifier: MIT */
/*
 * The card's host side and a hostile guest: an open channel, and NVS in any order, with
 * buffers of its own. Header: {profile, faults, flags}; flags: 1 NVS was negotiated by
 * the rules, 2 (with 1) and sub-channels are open where the host has them.
 */
#include "tests/fuzz/raw_guest.h"

static const raw_operation operations[] = {
	raw_op_nvs,     raw_op_packet,     raw_op_drain, raw_op_message,   raw_op_rndis,
	raw_op_section, raw_op_completion, raw_op_time,  raw_op_frames,    raw_op_take,
	raw_op_device,  raw_op_gone,       raw_op_arm,   raw_op_page_list, raw_op_dump,
	raw_op_inject,  raw_op_turn,       raw_op_card,  raw_op_flow,      raw_op_rss,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t profile = fuzz_u8(&input), faults = fuzz_u8(&input), flags = fuzz_u8(&input);
	struct raw_guest *guest = raw_create(profile, faults, flags);

	raw_create_nic(guest);
	raw_connect(guest);
	raw_open(guest);
	if (flags & 1u) {
		raw_negotiate(guest, guest->profile.nvs_newest);
		if ((flags & 2u) && guest->profile.rss)
			raw_subchannels(guest, RAW_LINES - 1u);
	} else {
		raw_gpadl(guest, RAW_GPADL_RECEIVE, RAW_RECEIVE, RAW_RECEIVE_PAGES);
		raw_gpadl(guest, RAW_GPADL_SEND, RAW_SEND, RAW_SEND_PAGES);
	}
	raw_check_lawful(guest, faults);
	raw_run(guest, &input, operations, sizeof(operations) / sizeof(operations[0]));
	raw_destroy(guest);
	return 0;
}
