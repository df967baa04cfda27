/* SPDX-License-Identifier: MIT */
/*
 * The echo device (hvkit_host/echo.h). Each of its channels has one answer under way at
 * most: what comes behind waits in the ring, so that a guest that does not read stops
 * being read.
 */
#include <stdlib.h>
#include <string.h>

#include "host/core/core.h"
#include "host/core/dump.h"
#include "host/vmbus/channel.h"
#include "hvkit_host/echo.h"

#define PACKETS_PER_RUN 64u
#define LINES (1u + HVH_ECHO_SUBCHANNELS_MAX)
#define HEADER sizeof(struct hvh_echo_header)
/* Offers that are to come before the answer do not hold it up for longer. */
#define BEFORE_MAX (10u * HVH_TIME_PER_MS)
#define LATE_MAX (5u * HVH_TIME_PER_MS)

enum job_kind {
	JOB_NONE,
	JOB_ANSWER, /* the payload, once */
	JOB_BURST,
	JOB_OFFERS_FIRST /* an answer that waits for its offers to be delivered */
};

struct job {
	enum job_kind kind;
	bool completion; /* of transaction_id; else a packet */
	uint64_t transaction_id;
	uint64_t not_before;  /* by fault: the answer is late, and so is what comes behind */
	uint64_t deadline;    /* JOB_OFFERS_FIRST */
	uint32_t length;      /* of the payload */
	uint32_t next, count; /* JOB_BURST */
};

/* One channel. */
struct line {
	struct hvh_channel *channel; /* NULL: not open */
	struct job job;
	uint8_t *payload; /* HVH_ECHO_BYTES_MAX bytes; from the first open on */
};

struct hvh_echo {
	struct hvh_partition *partition;
	struct hvh_channel *primary;
	struct hvh_echo_counters counters;
	uint32_t subchannels_max, subchannels;
	uint64_t subchannel_delay;
	struct line lines[LINES];
};

static void violate(struct line *line, uint64_t now, const struct hvh_packet *packet, const char *what)
{
	hvh_violate(hvh_channel_partition(line->channel), HVH_V_ECHO, now, UINT32_MAX,
		    hvh_channel_id(line->channel), packet->payload, packet->payload_length, "echo: %s", what);
}

/* --- Jobs -------------------------------------------------------------------------- */

static bool send_packet(struct line *line, uint64_t now, bool completion)
{
	struct job *job = &line->job;
	uint16_t type = completion ? VMBUS_PACKET_COMPLETION : VMBUS_PACKET_IN_BAND;

	return hvh_channel_write(line->channel, now, type, false, job->transaction_id, NULL, 0, line->payload,
				 job->length, NULL, 0);
}

static void set_argument(struct line *line, uint32_t argument)
{
	memcpy(line->payload + offsetof(struct hvh_echo_header, argument), &argument, sizeof(argument));
}

/* One step; false: no room in the ring, or not yet. */
static bool step(struct line *line, uint64_t now)
{
	struct job *job = &line->job;

	if (now < job->not_before)
		return false;
	job->not_before = 0;
	if (job->kind == JOB_OFFERS_FIRST) {
		if (now < job->deadline && !hvh_channel_offers_delivered(line->channel))
			return false;
		job->kind = JOB_ANSWER;
	}
	if (job->kind == JOB_BURST && job->next < job->count) {
		set_argument(line, job->next);
		if (!send_packet(line, now, false))
			return false;
		job->next++;
		return true;
	}
	if (job->kind == JOB_BURST) {
		set_argument(line, job->count);
		if (!job->completion) {
			job->kind = JOB_NONE;
			return true;
		}
	}
	if (!send_packet(line, now, job->completion))
		return false;
	job->kind = JOB_NONE;
	return true;
}

/* --- Requests ------------------------------------------------------------------------- */

static void subchannels(struct hvh_echo *echo, struct line *line, uint64_t now,
			const struct hvh_packet *packet, uint32_t wanted)
{
	enum hvh_subchannel_order order = hvh_partition_get_profile(echo->partition)->subchannel_order;
	uint32_t room = echo->subchannels_max - echo->subchannels;
	uint32_t granted = wanted < room ? wanted : room;

	if (line != &echo->lines[0] || wanted > HVH_ECHO_SUBCHANNELS_MAX) {
		violate(line, now, packet, "SUBCHANNELS is for the primary, and at most 64");
		granted = 0;
	}
	if (order == HVH_SUBCHANNELS_BY_SEED)
		order = hvh_choose(echo->partition, 2) == 0 ? HVH_SUBCHANNELS_AFTER : HVH_SUBCHANNELS_BEFORE;
	echo->subchannels += granted;
	line->job.kind = line->job.completion ? JOB_ANSWER : JOB_NONE;
	if (echo->subchannel_delay < UINT64_MAX / 2) {
		/* After: a whole run of the bus later, when the answer is in the ring. */
		uint64_t due = now + echo->subchannel_delay;
		if (order == HVH_SUBCHANNELS_AFTER || !line->job.completion)
			due++;
		else if (echo->subchannel_delay == 0)
			line->job.kind = JOB_OFFERS_FIRST;
		granted = hvh_channel_offer_subchannels(echo->primary, granted, due);
	}
	line->job.deadline = now + BEFORE_MAX;
	line->job.length = HEADER;
	set_argument(line, granted);
}

/* The payload, and what a page list holds behind it. */
static bool take_payload(struct line *line, uint64_t now, const struct hvh_packet *packet)
{
	uint32_t external = 0, length = packet->payload_length;

	if (packet->descriptor.type == VMBUS_PACKET_GPA_DIRECT &&
	    !hvh_packet_external_size(line->channel, packet, &external))
		return false;
	if (external > HVH_ECHO_BYTES_MAX || length + external > HVH_ECHO_BYTES_MAX) {
		violate(line, now, packet, "more than this device takes at once (69,616 bytes)");
		return false;
	}
	memcpy(line->payload, packet->payload, length);
	if (external > 0 &&
	    !hvh_packet_external_read(line->channel, packet, 0, line->payload + length, external))
		return false;
	line->job.length = length + external;
	return true;
}

static void begin(struct hvh_echo *echo, struct line *line, uint64_t now, const struct hvh_packet *packet,
		  const struct hvh_echo_header *header)
{
	struct job *job = &line->job;

	switch (header->operation) {
	case HVH_ECHO:
		job->kind = JOB_ANSWER;
		break;
	case HVH_ECHO_SUBCHANNELS:
		subchannels(echo, line, now, packet, header->argument);
		break;
	case HVH_ECHO_BURST:
		job->kind = JOB_BURST;
		job->count = header->argument;
		break;
	case HVH_ECHO_IGNORE:
		break;
	default:
		violate(line, now, packet, "no such operation: 1 to 4 would be right");
		break;
	}
	if (job->kind == JOB_NONE || job->length <= hvh_channel_payload_max(line->channel))
		return;
	violate(line, now, packet, "the answer would not fit into the ring to the guest");
	job->kind = JOB_NONE;
}

static void take(struct hvh_echo *echo, struct line *line, uint64_t now, const struct hvh_packet *packet)
{
	struct hvh_echo_header header;
	struct job *job = &line->job;

	if (packet->descriptor.type != VMBUS_PACKET_IN_BAND &&
	    packet->descriptor.type != VMBUS_PACKET_GPA_DIRECT) {
		violate(line, now, packet, "only in-band packets (6) and page lists (9) are taken");
		return;
	}
	if (packet->payload_length < HEADER) {
		violate(line, now, packet, "a payload shorter than its 8-byte header");
		return;
	}
	memset(job, 0, sizeof(*job));
	job->transaction_id = packet->descriptor.transaction_id;
	job->completion = (packet->descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED) != 0;
	if (!take_payload(line, now, packet))
		return;
	if (hvh_fault_strikes(echo->partition, HVH_FAULT_DELAY_COMPLETION))
		job->not_before = now + 1 + hvh_choose(echo->partition, LATE_MAX);
	echo->counters.packets++;
	echo->counters.bytes += job->length;
	memcpy(&header, line->payload, sizeof(header));
	begin(echo, line, now, packet, &header);
}

/* --- The device ---------------------------------------------------------------------------- */

static struct line *line_of(struct hvh_echo *echo, const struct hvh_channel *channel)
{
	return &echo->lines[hvh_channel_index(channel) % LINES];
}

static bool device_open(void *device, struct hvh_channel *channel, uint64_t now,
			const uint8_t user_data[VMBUS_USER_DATA_SIZE])
{
	struct hvh_echo *echo = device;
	struct line *line = line_of(echo, channel);

	(void)now;
	(void)user_data;
	if (line->payload == NULL)
		line->payload = malloc(HVH_ECHO_BYTES_MAX);
	if (line->payload == NULL)
		return false;
	line->channel = channel;
	memset(&line->job, 0, sizeof(line->job));
	if (line != &echo->lines[0])
		echo->counters.subchannels_open++;
	return true;
}

static void device_close(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_echo *echo = device;
	struct line *line = line_of(echo, channel);

	(void)now;
	line->channel = NULL;
	if (line == &echo->lines[0])
		echo->subchannels = 0;
	else
		echo->counters.subchannels_open--;
}

static bool device_run(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_echo *echo = device;
	struct line *line = line_of(echo, channel);
	struct hvh_packet packet;

	for (uint32_t n = 0; n < PACKETS_PER_RUN; n++) {
		if (line->job.kind != JOB_NONE) {
			if (!step(line, now))
				return false;
			continue;
		}
		if (hvh_channel_read(channel, now, &packet) != HVH_READ_PACKET)
			return false;
		take(echo, line, now, &packet);
	}
	return true;
}

static uint64_t device_next_event(void *device, struct hvh_channel *channel)
{
	const struct job *job = &line_of(device, channel)->job;

	if (job->kind != JOB_NONE && job->not_before != 0)
		return job->not_before;
	return job->kind == JOB_OFFERS_FIRST ? job->deadline : HVH_NEVER;
}

static const char *job_name(enum job_kind kind)
{
	static const char *const names[] = {"none", "answer", "burst", "offers-first"};
	return names[kind];
}

static void device_dump(const void *device, struct hvh_dump *dump)
{
	const struct hvh_echo *echo = device;

	hvh_dump_number(dump, "packets", echo->counters.packets);
	hvh_dump_number(dump, "bytes", echo->counters.bytes);
	hvh_dump_number(dump, "sub-channels-granted", echo->subchannels);
	hvh_dump_number(dump, "sub-channels-open", echo->counters.subchannels_open);
	hvh_dump_number(dump, "sub-channels-at-most", echo->subchannels_max);
	for (uint32_t n = 0; n < LINES; n++) {
		const struct line *line = &echo->lines[n];
		if (line->channel == NULL || line->job.kind == JOB_NONE)
			continue;
		hvh_dump_begin_number(dump, "job-of-line", n);
		hvh_dump_text(dump, "kind", "%s", job_name(line->job.kind));
		hvh_dump_hex(dump, "transaction", line->job.transaction_id);
		hvh_dump_number(dump, "payload-bytes", line->job.length);
		hvh_dump_text(dump, "done", "%u of %u", line->job.next, line->job.count);
		hvh_dump_end(dump);
	}
}

static void device_destroy(void *device)
{
	struct hvh_echo *echo = device;

	for (uint32_t n = 0; n < LINES; n++)
		free(echo->lines[n].payload);
	free(echo);
}

static const struct hvh_device_ops device_ops = {
	.name = "echo",
	.open = device_open,
	.close = device_close,
	.run = device_run,
	.next_event = device_next_event,
	.dump = device_dump,
	.destroy = device_destroy,
};

struct hvh_echo *hvh_echo_create(struct hvh_partition *partition, const struct hvh_echo_config *config)
{
	struct hvh_offer_parameters parameters = {.type = HVH_ECHO_GUID, .monitored = config->monitored};
	struct hvh_echo *echo = calloc(1, sizeof(*echo));

	if (echo == NULL)
		return NULL;
	echo->partition = partition;
	echo->subchannels_max = HVH_ECHO_SUBCHANNELS_MAX;
	if (config->subchannels_max != 0 && config->subchannels_max < HVH_ECHO_SUBCHANNELS_MAX)
		echo->subchannels_max = config->subchannels_max;
	echo->subchannel_delay = config->subchannel_delay;
	hvh_instance_guid(partition, config->instance, parameters.instance.bytes);
	echo->primary = hvh_channel_offer(partition, &parameters, &device_ops, echo);
	if (echo->primary == NULL) {
		device_destroy(echo);
		return NULL;
	}
	return echo;
}

void hvh_echo_get_counters(const struct hvh_echo *echo, struct hvh_echo_counters *out)
{
	*out = echo->counters;
}
