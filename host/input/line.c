/* SPDX-License-Identifier: MIT */
/* What keyboard and mouse have in common as channels: packets in, answers out. */
#include <string.h>

#include "host/input/input.h"

#define LATE_MAX (5u * HVH_TIME_PER_MS)

/* --- Offering ------------------------------------------------------------------------------------ */

static bool taken(struct hvh_partition *partition, const struct hvh_offer_parameters *parameters)
{
	struct hvh_device_info info;

	for (uint32_t n = 0; hvh_device_get(partition, n, &info); n++) {
		if (memcmp(info.type, parameters->type.bytes, sizeof info.type) == 0 &&
		    memcmp(info.instance, parameters->instance.bytes, sizeof info.instance) == 0)
			return true;
	}
	return false;
}

struct hvh_channel *input_line_offer(struct hvh_partition *partition, const uint8_t wanted[16],
				     struct hvh_offer_parameters *parameters,
				     const struct hvh_device_ops *ops, void *device)
{
	static const uint8_t none[16];

	if (memcmp(wanted, none, sizeof none) != 0)
		memcpy(parameters->instance.bytes, wanted, sizeof none);
	else if (taken(partition, parameters))
		hvh_instance_guid(partition, none, parameters->instance.bytes);
	return hvh_channel_offer(partition, parameters, ops, device);
}

void input_line_reset(struct input_line *line)
{
	line->stopped = line->blocked = false;
	line->answers_head = line->answers_count = 0;
}

void input_line_restart(struct input_line *line, uint64_t now)
{
	if (!hvh_channel_is_present(line->channel))
		return;
	hvh_channel_rescind(line->channel, now);
	hvh_channel_offer_again(line->channel, now);
}

/* --- Answers ------------------------------------------------------------------------------------- */

static void queue_answer(struct input_line *line, bool completion, uint64_t transaction_id, const void *bytes,
			 uint32_t length)
{
	struct input_answer *answer;

	if (line->answers_count == LINE_ANSWERS_MAX || length > LINE_ANSWER_BYTES) {
		hvh_note(line->partition, line->now, hvh_channel_id(line->channel),
			 "%s: no room for an answer: it is lost", line->name);
		return;
	}
	answer = &line->answers[(line->answers_head + line->answers_count++) % LINE_ANSWERS_MAX];
	*answer = (struct input_answer){line->now, transaction_id, completion, length, {0}};
	if (hvh_fault_strikes(line->partition, HVH_FAULT_DELAY_COMPLETION))
		answer->due += 1 + hvh_choose(line->partition, LATE_MAX);
	if (length > 0)
		memcpy(answer->bytes, bytes, length);
}

void input_line_send(struct input_line *line, const void *bytes, uint32_t length)
{
	queue_answer(line, false, 0, bytes, length);
}

static void send_answers(struct input_line *line)
{
	while (line->answers_count > 0 && !line->blocked) {
		const struct input_answer *answer = &line->answers[line->answers_head];

		if (answer->due > line->now)
			return;
		if (!hvh_channel_write(line->channel, line->now,
				       answer->completion ? VMBUS_PACKET_COMPLETION : VMBUS_PACKET_IN_BAND,
				       false, answer->transaction_id, NULL, 0, answer->bytes, answer->length,
				       NULL, 0)) {
			line->blocked = true; /* room in the ring brings a run */
			return;
		}
		line->answers_head = (line->answers_head + 1) % LINE_ANSWERS_MAX;
		line->answers_count--;
	}
}

uint64_t input_line_next(const struct input_line *line)
{
	return line->answers_count > 0 && !line->blocked ? line->answers[line->answers_head].due : HVH_NEVER;
}

bool input_line_is_free(const struct input_line *line)
{
	return line->answers_count == 0 && !line->blocked && !line->stopped;
}

bool input_line_write(struct input_line *line, const void *bytes, uint32_t length)
{
	line->blocked = !hvh_channel_write(line->channel, line->now, VMBUS_PACKET_IN_BAND, false, 0, NULL, 0,
					   bytes, length, NULL, 0);
	return !line->blocked;
}

/* --- Packets ------------------------------------------------------------------------------------- */

void input_line_check_padding(struct input_line *line, const struct hvh_packet *packet, uint32_t length)
{
	for (uint32_t n = length; n < packet->payload_length; n++) {
		if (packet->payload[n] == 0)
			continue;
		hvh_violate(line->partition, HVH_V_INPUT_PADDING, line->now, UINT32_MAX,
			    hvh_channel_id(line->channel), packet->payload, packet->payload_length,
			    "%s: byte %u is to be 0", line->name, n);
		return;
	}
}

static bool has_room(const struct input_line *line)
{
	return line->answers_count + LINE_ANSWERS_PER_MESSAGE <= LINE_ANSWERS_MAX;
}

/* False: nothing more to read now. */
static bool read_one(struct input_line *line, void (*take)(void *device, const struct hvh_packet *packet),
		     void *device)
{
	struct hvh_packet packet;

	switch (hvh_channel_read(line->channel, line->now, &packet)) {
	case HVH_READ_PACKET:
		break;
	case HVH_READ_CORRUPT:
		line->stopped = true;
		return false;
	default:
		return false;
	}
	if (packet.descriptor.type != VMBUS_PACKET_IN_BAND) {
		LINE_STOP(line, HVH_V_PACKET_TYPE, &packet, "packets are in-band (6)");
		return false;
	}
	if ((packet.descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED) != 0)
		queue_answer(line, true, packet.descriptor.transaction_id, NULL, 0);
	take(device, &packet);
	return true;
}

bool input_line_run(struct input_line *line, uint64_t now,
		    void (*take)(void *device, const struct hvh_packet *packet), void *device)
{
	bool more = true, full = false;

	line->now = now;
	line->blocked = false;
	for (uint32_t n = 0; more && n < LINE_PACKETS_PER_RUN; n++) {
		full = !has_room(line);
		more = !line->stopped && !full && read_one(line, take, device);
	}
	send_answers(line);
	return more || (full && !line->stopped && has_room(line));
}

void input_line_dump(const struct input_line *line, struct hvh_dump *dump)
{
	hvh_dump_number(dump, "answers-waiting", line->answers_count);
	hvh_dump_flag(dump, "stopped", line->stopped);
	hvh_dump_flag(dump, "refuses", line->refuses);
	hvh_dump_number(dump, "protocol-errors", line->protocol_errors);
}
