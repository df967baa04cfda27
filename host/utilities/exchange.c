/* SPDX-License-Identifier: MIT */
/* One message at a time: out, and its answer in. What is no answer to it is recorded, and not heeded. */
#include <string.h>

#include "host/utilities/utilities.h"

#define LATE_MAX (5u * HVH_TIME_PER_MS)

uint8_t *utility_body(struct utility *utility)
{
	memset(utility->bytes, 0, sizeof(utility->bytes));
	return utility->bytes + UTILITY_HEADERS;
}

/* One whose answer cannot be taken for that of an older one. */
static uint8_t new_transaction(struct utility *utility)
{
	for (uint32_t n = 0; n < UTILITY_TRANSACTIONS; n++) {
		if (!utility->late[++utility->transaction_id])
			break;
	}
	utility->late[utility->transaction_id] = false;
	return utility->transaction_id;
}

void utility_begin(struct utility *utility, struct utility_request *of, uint16_t type, uint32_t length,
		   uint64_t wait)
{
	bool negotiated = type != IC_TYPE_NEGOTIATE;
	struct pipe_header pipe = {PIPE_MESSAGE_DATA, (uint32_t)sizeof(struct ic_header) + length};
	struct ic_header header = {
		.framework = negotiated ? utility->framework : 0,
		.type = type,
		.version = {negotiated ? (uint16_t)utility->version : 0,
			    negotiated ? (uint16_t)(utility->version >> 16) : 0},
		.size = (uint16_t)length,
		.transaction_id = new_transaction(utility),
		.flags = IC_FLAG_TRANSACTION | IC_FLAG_REQUEST,
	};

	memcpy(utility->bytes, &pipe, sizeof(pipe));
	memcpy(utility->bytes + sizeof(pipe), &header, sizeof(header));
	utility->busy = true;
	utility->sent = false;
	utility->type = type;
	utility->length = length;
	utility->current = of;
	utility->not_before = utility->now;
	if (hvh_fault_strikes(utility->owner->partition, HVH_FAULT_DELAY_COMPLETION))
		utility->not_before += 1 + hvh_choose(utility->owner->partition, LATE_MAX);
	utility->deadline = utility->not_before + wait;
	if (negotiated)
		utility->counters.requests++;
}

static void send(struct utility *utility)
{
	if (utility->not_before > utility->now)
		return;
	if (!hvh_channel_write(utility->channel, utility->now, VMBUS_PACKET_IN_BAND, false, 0, NULL, 0,
			       utility->bytes, UTILITY_HEADERS + utility->length, NULL, 0)) {
		utility->blocked = true;
		return;
	}
	utility->sent = true;
	utility->sent_at = utility->now;
}

void utility_forget(struct utility *utility)
{
	if (utility->busy && utility->sent)
		utility->late[utility->transaction_id] = true;
	utility->busy = utility->sent = false;
}

/* To whoever sent the message. */
static void deliver(struct utility *utility, const struct utility_answer *answer)
{
	struct utility_request *request = utility->current;

	utility->current = NULL;
	if (utility->type == IC_TYPE_NEGOTIATE)
		utility_negotiated(utility, answer);
	else
		utility->service->answered(utility, request, answer);
}

static void give_up(struct utility *utility)
{
	static const struct utility_answer none = {.result = HVH_UTILITY_TIMED_OUT, .status = IC_STATUS_FAIL};

	UTILITY_NOTE(utility, "%s: no answer to message %u", utility_name(utility), utility->transaction_id);
	utility->counters.timeouts++;
	utility_forget(utility);
	deliver(utility, &none);
}

bool utility_progress(struct utility *utility)
{
	if (utility->busy && utility->deadline <= utility->now)
		give_up(utility);
	if (utility->busy && !utility->sent)
		send(utility);
	return !utility->busy;
}

/* --- Answers --------------------------------------------------------------------------------------- */

static void violate(struct utility *utility, const struct hvh_packet *packet, enum hvh_violation_kind kind,
		    const char *what)
{
	UTILITY_VIOLATE(utility, kind, packet->payload, packet->payload_length, "%s: %s",
			utility_name(utility), what);
}

/* The frame around an answer. A ring rounds up to 8, a pipe does not. */
static bool unpack(struct utility *utility, const struct hvh_packet *packet, struct ic_header *header)
{
	struct pipe_header pipe;

	if (packet->descriptor.type != VMBUS_PACKET_IN_BAND) {
		violate(utility, packet, HVH_V_PACKET_TYPE, "packets are in-band (6)");
		return false;
	}
	if (packet->payload_length < UTILITY_HEADERS) {
		violate(utility, packet, HVH_V_IC_SIZE, "shorter than its headers, 28 bytes");
		return false;
	}
	memcpy(&pipe, packet->payload, sizeof(pipe));
	memcpy(header, packet->payload + sizeof(pipe), sizeof(*header));
	if (pipe.type != PIPE_MESSAGE_DATA) {
		violate(utility, packet, HVH_V_IC_TYPE, "the pipe's type of a message is 1");
		return false;
	}
	if (pipe.size < sizeof(*header) || pipe.size > packet->payload_length - sizeof(pipe) ||
	    header->size > pipe.size - sizeof(*header)) {
		violate(utility, packet, HVH_V_IC_SIZE, "its sizes go beyond the packet");
		return false;
	}
	return true;
}

/* Is it the answer to what is under way? */
static bool belongs(struct utility *utility, const struct hvh_packet *packet, const struct ic_header *header)
{
	uint8_t id = header->transaction_id;

	if ((header->flags & IC_FLAG_RESPONSE) == 0) {
		violate(utility, packet, HVH_V_IC_ORDER, "the guest asks nothing: flags 5, an answer");
		return false;
	}
	if (utility->busy && utility->sent && id == utility->transaction_id)
		return true;
	if (utility->late[id])
		UTILITY_NOTE(utility, "%s: an answer that nobody waits for any more", utility_name(utility));
	else
		violate(utility, packet, HVH_V_IC_ORDER, "an answer to what was not asked, or a second one");
	utility->late[id] = false;
	return false;
}

/* What a guest sends back is what it got, with status and contents. NULL: it is. */
static const char *altered(const struct utility *utility, const struct ic_header *header)
{
	struct ic_header asked;

	memcpy(&asked, utility->bytes + sizeof(struct pipe_header), sizeof(asked));
	if (header->type != asked.type)
		return "an answer has the type of its request";
	if (header->flags != (IC_FLAG_TRANSACTION | IC_FLAG_RESPONSE))
		return "the flags of an answer are 5";
	if (header->type == IC_TYPE_NEGOTIATE) /* versions are what it is about; its size changes */
		return NULL;
	if (header->framework != asked.framework || header->version[0] != asked.version[0] ||
	    header->version[1] != asked.version[1])
		return "an answer has the versions that were agreed on";
	if (header->size != asked.size)
		return "an answer is as long as its request";
	return NULL;
}

static void take(struct utility *utility, const struct hvh_packet *packet)
{
	struct utility_answer answer = {.result = HVH_UTILITY_OK};
	struct ic_header header;
	const char *wrong;

	if ((packet->descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED) != 0)
		violate(utility, packet, HVH_V_IC_VALUE,
			"nothing completes an answer: none is to be asked for");
	if (!unpack(utility, packet, &header) || !belongs(utility, packet, &header))
		return;
	wrong = altered(utility, &header);
	if (wrong != NULL)
		violate(utility, packet,
			header.type != utility->type                                         ? HVH_V_IC_TYPE
			: header.size != utility->length && header.type != IC_TYPE_NEGOTIATE ? HVH_V_IC_SIZE
											     : HVH_V_IC_VALUE,
			wrong);
	if (header.reserved[0] != 0 || header.reserved[1] != 0)
		violate(utility, packet, HVH_V_IC_PADDING, "the last two bytes of the header are 0");
	answer.status = wrong != NULL ? IC_STATUS_FAIL : header.status;
	answer.body = packet->payload + UTILITY_HEADERS;
	answer.length = header.size;
	if (answer.status != IC_STATUS_OK) {
		answer.result = HVH_UTILITY_FAILED;
		utility->counters.failures++;
	}
	utility->counters.answers++;
	utility->busy = utility->sent = false;
	deliver(utility, &answer);
}

bool utility_read(struct utility *utility)
{
	struct hvh_packet packet;

	for (uint32_t n = 0; n < UTILITY_PACKETS_PER_RUN; n++) {
		switch (hvh_channel_read(utility->channel, utility->now, &packet)) {
		case HVH_READ_PACKET:
			take(utility, &packet);
			if (utility->state == UTILITY_CLOSED) /* by whoever was told */
				return false;
			break;
		case HVH_READ_EMPTY:
			return false;
		case HVH_READ_CORRUPT:
			utility->stopped = true;
			utility_forget(utility);
			utility->current = NULL;
			utility_cancel_all(utility, "its ring is corrupt");
			return false;
		}
	}
	return true;
}
