/* SPDX-License-Identifier: MIT */
/* What the fuzzer can do to the hostile machine; each target has a table of some of it. */
#include "tests/fuzz/hostile.h"

#define POLLS_MAX 64u
#define PAUSES_MAX 64u

void hostile_run(struct hostile *machine, struct fuzz_input *input, const hostile_operation *operations,
		 uint32_t count)
{
	struct fuzz_input arguments;
	uint8_t code;

	for (uint32_t i = 0; i < FUZZ_OPERATIONS_MAX && fuzz_operation(input, &code, &arguments); i++) {
		operations[code % count](machine, &arguments);
		hostile_step(machine);
	}
}

void hostile_op_poll(struct hostile *machine, struct fuzz_input *arguments)
{
	uint32_t count = fuzz_u8(arguments) % POLLS_MAX;

	while (count-- > 0)
		hostile_step(machine);
}

void hostile_op_pass_time(struct hostile *machine, struct fuzz_input *arguments)
{
	uint32_t count = fuzz_u8(arguments) % PAUSES_MAX;

	for (; count > 0; count--) {
		machine->port.port.pause(&machine->port);
		hostile_step(machine);
	}
}

void hostile_op_interrupt(struct hostile *machine, struct fuzz_input *arguments)
{
	(void)arguments;
	hostile_deliver(machine);
	hvk_interrupt(machine->hvk, 0);
}

/* A control message of these bytes. */
void hostile_op_message(struct hostile *machine, struct fuzz_input *arguments)
{
	hostile_send(machine, arguments->bytes, (uint32_t)arguments->left);
}

/* {channel, sub-channel's index}: an offer as it must be, but for its time and its numbers. */
void hostile_op_offer(struct hostile *machine, struct fuzz_input *arguments)
{
	uint32_t channel_id = fuzz_u8(arguments);

	hostile_offer(machine, channel_id, fuzz_u8(arguments));
}

/* A SynIC message whose type and size are the fuzzer's too. */
void hostile_op_slot(struct hostile *machine, struct fuzz_input *arguments)
{
	uint32_t type = fuzz_u32(arguments);
	uint8_t size = fuzz_u8(arguments);
	struct hostile_message *message;

	hostile_send(machine, arguments->bytes, (uint32_t)arguments->left);
	if (machine->queue_count == 0)
		return;
	message = &machine->queue[(machine->queue_first + machine->queue_count - 1) % HOSTILE_QUEUE];
	message->type = type;
	message->size = size;
}

/* The next answer to a control message of that type is something else. */
void hostile_op_answer(struct hostile *machine, struct fuzz_input *arguments)
{
	uint8_t key = fuzz_u8(arguments);
	struct hostile_answer *answer = &machine->answers[key % HOSTILE_ANSWERS];

	*answer = (struct hostile_answer){.set = true, .key = key, .length = (uint32_t)arguments->left};
	if (answer->length > HV_MESSAGE_PAYLOAD_MAX)
		answer->length = HV_MESSAGE_PAYLOAD_MAX;
	memcpy(answer->bytes, arguments->bytes, answer->length);
}

void hostile_op_mute(struct hostile *machine, struct fuzz_input *arguments)
{
	machine->muted = fuzz_u32(arguments);
}

void hostile_op_post_status(struct hostile *machine, struct fuzz_input *arguments)
{
	machine->post_status = fuzz_u8(arguments);
	machine->post_failures = machine->post_status != HV_STATUS_SUCCESS ? fuzz_u8(arguments) : 0;
}

void hostile_op_signal_status(struct hostile *machine, struct fuzz_input *arguments)
{
	machine->signal_status = fuzz_u8(arguments);
	machine->signal_failures = fuzz_u8(arguments);
}

void hostile_op_event(struct hostile *machine, struct fuzz_input *arguments)
{
	hostile_event(machine, fuzz_u16(arguments));
}

/* The reference counter stands, jumps, or is honest again. */
void hostile_op_clock(struct hostile *machine, struct fuzz_input *arguments)
{
	machine->clock_set = (fuzz_u8(arguments) & 1u) != 0;
	machine->clock = fuzz_u64(arguments);
}

void hostile_op_allocation(struct hostile *machine, struct fuzz_input *arguments)
{
	machine->port.fail_allocation = fuzz_u8(arguments);
}

void hostile_op_write(struct hostile *machine, struct fuzz_input *arguments)
{
	enum hostile_place place = (enum hostile_place)(fuzz_u8(arguments) % HOSTILE_PLACES);
	uint32_t offset = fuzz_u16(arguments);

	hostile_write(machine, place, offset, arguments->bytes, (uint32_t)arguments->left);
}

/* The same, in between two accesses of the guest's. */
void hostile_op_arm(struct hostile *machine, struct fuzz_input *arguments)
{
	struct hostile_armed *armed = &machine->armed[fuzz_u8(arguments) % HOSTILE_ARMED];

	armed->place = (enum hostile_place)(fuzz_u8(arguments) % HOSTILE_PLACES);
	armed->after = fuzz_u16(arguments);
	armed->offset = fuzz_u16(arguments);
	armed->length = (uint32_t)arguments->left;
	memcpy(armed->bytes, arguments->bytes, arguments->left);
}

/* Into the ring as they are; bit 0: shown. */
void hostile_op_ring_bytes(struct hostile *machine, struct fuzz_input *arguments)
{
	bool show = (fuzz_u8(arguments) & 1u) != 0;

	hostile_ring_put(machine, arguments->bytes, (uint32_t)arguments->left);
	if (show)
		hostile_ring_show(machine);
}

/* One word of a control page: inbound or outbound, index, mask, pending size, features. */
void hostile_op_ring_word(struct hostile *machine, struct fuzz_input *arguments)
{
	static const uint32_t offsets[] = {0, 4, 8, 12, 64};
	uint8_t which = fuzz_u8(arguments);
	uint32_t value = fuzz_u32(arguments);

	hostile_write(machine, which & 1u ? HOSTILE_OUT_CONTROL : HOSTILE_IN_CONTROL,
		      offsets[(which >> 1) % 5], &value, sizeof(value));
	if ((which & 0x81u) == 0x80u) /* the host goes on from there itself */
		machine->channel.in_write = machine->channel.in_size != 0 ? value % machine->channel.in_size
									  : 0;
	hostile_event(machine, machine->channel.id);
}

/* {type, flags, transaction u64, extension length, bytes}: lengths as they must be. */
void hostile_op_packet(struct hostile *machine, struct fuzz_input *arguments)
{
	uint16_t type = fuzz_u8(arguments), flags = fuzz_u8(arguments);
	uint64_t transaction = fuzz_u64(arguments);
	uint32_t extension = fuzz_u8(arguments), left = (uint32_t)arguments->left;

	if (extension > left)
		extension = left;
	hostile_packet(machine, type, flags, transaction, arguments->bytes, extension,
		       arguments->bytes + extension, left - extension);
}

/* Completion of something that the guest waits for, or of a small number. */
void hostile_op_completion(struct hostile *machine, struct fuzz_input *arguments)
{
	const struct hostile_net *net = &machine->net;
	uint8_t which = fuzz_u8(arguments);
	uint64_t transaction = which;

	if (which & 0x80u)
		transaction = net->transactions[which % HOSTILE_TRANSACTIONS];
	hostile_packet(machine, VMBUS_PACKET_COMPLETION, 0, transaction, NULL, 0, arguments->bytes,
		       (uint32_t)arguments->left);
}

/* Whatever state things are in, it can be shown. */
void hostile_op_dump(struct hostile *machine, struct fuzz_input *arguments)
{
	(void)arguments;
	hvk_dump(machine->hvk, hostile_line, NULL);
}
