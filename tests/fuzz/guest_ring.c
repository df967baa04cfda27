/* SPDX-License-Identifier: MIT */
/*
 * The rings of an open channel, written to by a hostile host: packets, indices, masks,
 * also between two looks of the guest's. Header: {version, flags, pages}. Flags: 2 as in
 * guest_message.
 */
#include "guest/vmbus/versions.h"
#include "tests/fuzz/guest_user.h"

#define VERSIONS 10u

static const hostile_operation operations[] = {
	hostile_op_packet,    hostile_op_ring_bytes, hostile_op_ring_word, hostile_op_completion,
	user_op_send,         hostile_op_poll,       hostile_op_event,     hostile_op_arm,
	hostile_op_write,     user_op_channel,       hostile_op_pass_time, hostile_op_signal_status,
	hostile_op_interrupt, hostile_op_dump,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	const struct hvk_version *version = hvk_version_get(fuzz_u8(&input) % VERSIONS);
	uint8_t flags = fuzz_u8(&input);
	uint32_t pages = 1u + fuzz_u8(&input) % 3u;
	struct hostile *machine = hostile_create(version->version, 1);
	struct user *user = user_create(machine);
	struct hvk_vmbus_config config;

	machine->eager = (flags & 2u) != 0;
	user_config(user, 0, &config);
	hostile_connect(machine, &config);
	FUZZ_CHECK(machine->connect.status == HVK_OK && user->channels[0].channel != NULL);
	user_open(user, 0, pages);
	FUZZ_CHECK(user->channels[0].open.status == HVK_OK);
	hostile_run(machine, &input, operations, sizeof(operations) / sizeof(operations[0]));
	user_leave(user);
	hostile_destroy(machine);
	free(user);
	return 0;
}
