/* SPDX-License-Identifier: MIT */
/*
 * Control messages of a hostile host: the check alone, and a live bus that is connected
 * by the rules and then hears anything in any order, while its user opens, moves, shares,
 * suspends and leaves.
 *
 * Header: {version, flags, host's version}. Flags: 1 boot mode, 2 answers inside the
 * hypercall, 4 not connected yet, 8 no clock page games, 16 two CPUs.
 */
#include "guest/vmbus/message.h"
#include "tests/fuzz/guest_user.h"

#define VERSIONS 10u

static const hostile_operation operations[] = {
	hostile_op_message,
	hostile_op_poll,
	hostile_op_pass_time,
	user_op_channel,
	user_op_gpadl,
	user_op_bus,
	hostile_op_answer,
	hostile_op_mute,
	hostile_op_slot,
	hostile_op_post_status,
	hostile_op_signal_status,
	hostile_op_event,
	hostile_op_clock,
	hostile_op_allocation,
	hostile_op_write,
	hostile_op_arm,
	hostile_op_interrupt,
	user_op_send,
	hostile_op_dump,
	hostile_op_offer,
};

/* Each argument, as a message, in a block of its own length, at one version. */
static void check_alone(struct fuzz_input input, const struct hvk_version *version)
{
	struct fuzz_input arguments;
	struct hvk_message message;
	uint8_t code, *copy;

	for (uint32_t i = 0; i < FUZZ_OPERATIONS_MAX && fuzz_operation(&input, &code, &arguments); i++) {
		hvk_status status;

		copy = malloc(arguments.left + 1);
		FUZZ_CHECK(copy != NULL);
		if (arguments.left != 0)
			memcpy(copy, arguments.bytes, arguments.left);
		status = hvk_message_check(copy, (uint32_t)arguments.left, version, &message);
		FUZZ_CHECK(status == HVK_OK || hvk_status_is_host_fault(status));
		if (status == HVK_OK && message.type == VMBUS_MSG_OFFER_CHANNEL)
			FUZZ_CHECK(message.channel_id != 0 && message.channel_id < VMBUS_MAX_CHANNELS &&
				   (!message.offer.monitored || message.offer.monitor_id < 128));
		free(copy);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t n = fuzz_u8(&input), flags = fuzz_u8(&input);
	const struct hvk_version *version = hvk_version_get(n % VERSIONS);
	struct hvk_vmbus_config config;
	struct hostile *machine;
	struct user *user;

	check_alone(input, n % 16u == 15u ? NULL : version);
	machine = hostile_create(version->version, flags & 16u ? 2 : 1);
	user = user_create(machine);
	machine->eager = (flags & 2u) != 0;
	user_config(user, flags, &config);
	if (flags & 4u)
		hvk_vmbus_connect(machine->hvk, &config, &machine->connect);
	else
		hostile_connect(machine, &config);
	hostile_run(machine, &input, operations, sizeof(operations) / sizeof(operations[0]));
	user_leave(user);
	hostile_destroy(machine);
	free(user);
	return 0;
}
