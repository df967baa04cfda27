/* SPDX-License-Identifier: MIT */
/*
 * A virtio network function of the host's and a hostile driver: any access to its registers, any descriptors
 * and indices, frames in between, a bus that leaves and comes back.
 * Header: {profile, faults, flags, features u64}; flags: 1 function in place, 2 and the device started.
 */
#include "host/virtio/net.h"
#include "tests/fuzz/raw_guest.h"

static const raw_operation operations[] = {
	raw_op_register,     raw_op_descriptor, raw_op_available, raw_op_deliver,
	raw_op_device_state, raw_op_bus,        raw_op_time,      raw_op_gone,
	raw_op_write,        raw_op_arm,        raw_op_drain,     raw_op_dump,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t profile = fuzz_u8(&input), faults = fuzz_u8(&input), flags = fuzz_u8(&input);
	uint64_t features = fuzz_u64(&input);
	struct raw_guest *guest = raw_create(profile, faults, flags);

	raw_create_virtio(guest);
	raw_connect(guest);
	raw_open(guest);
	if (flags & 1u)
		raw_virtio_place(guest);
	raw_check_lawful(guest, faults);
	if ((flags & 3u) == 3u)
		raw_virtio_start(guest, features);
	raw_run(guest, &input, operations, sizeof(operations) / sizeof(operations[0]));
	raw_destroy(guest);
	return 0;
}
