/* SPDX-License-Identifier: MIT */
/* One message at a time: in, to its service, and its answer out. */
#include "guest/utilities/utilities_internal.h"

uint32_t hvk_utility_status(enum hvk_utility_answer answer)
{
	switch (answer) {
	case HVK_UTILITY_DONE:
		return IC_STATUS_OK;
	case HVK_UTILITY_LATER:
		return UTILITY_LATER;
	case HVK_UTILITY_NOT_FOUND:
		return IC_STATUS_NOT_FOUND;
	case HVK_UTILITY_NOT_SUPPORTED:
		return IC_STATUS_NOT_SUPPORTED;
	case HVK_UTILITY_NO_ROOM:
		return IC_STATUS_DISK_FULL;
	case HVK_UTILITY_REFUSED:
	default:
		return IC_STATUS_FAIL;
	}
}

static void set_request(struct hvk_utility *utility, enum utility_request request)
{
	hvk_lock(utility_hvk(utility), &utility->device.lock);
	utility->request = request;
	utility->given = false;
	hvk_unlock(utility_hvk(utility), &utility->device.lock);
}

static void get_header(const struct utility_message *message, struct ic_header *header)
{
	memcpy(header, message->bytes + sizeof(struct pipe_header), sizeof(*header));
}

static void put_header(struct utility_message *message, const struct ic_header *header)
{
	memcpy(message->bytes + sizeof(struct pipe_header), header, sizeof(*header));
}

/* Puts the status in; the answer is the message itself otherwise (Linux). */
static void answer(struct hvk_utility *utility, uint32_t status)
{
	struct ic_header header;

	if (status == UTILITY_MALFORMED) {
		utility->counters.malformed++;
		hvk_device_fault(&utility->device, HVK_EHOST_IC, "message that cannot be");
		status = IC_STATUS_INVALID_ARGUMENT;
	}
	if (status != IC_STATUS_OK)
		utility->counters.refused++;
	get_header(&utility->current, &header);
	header.status = status;
	header.flags = IC_FLAG_TRANSACTION | IC_FLAG_RESPONSE;
	put_header(&utility->current, &header);
	hvk_timer_stop(utility_hvk(utility), &utility->timer);
	set_request(utility, UTILITY_ANSWERED);
}

/* False: no room in the ring; ready comes when there is. */
static bool flush(struct hvk_utility *utility)
{
	hvk_status status;

	if (utility->request != UTILITY_ANSWERED)
		return true;
	status = hvk_channel_send(utility->device.channel, utility->current.bytes, utility->current.length,
				  false, NULL);
	if (status == HVK_EAGAIN)
		return false;
	utility->current.length = 0;
	set_request(utility, UTILITY_IDLE);
	if (status != HVK_OK) /* closed meanwhile */
		return true;
	utility->counters.answers++;
	if (utility->service->sent)
		utility->service->sent(utility);
	return true;
}

static void ask_service(struct hvk_utility *utility, uint8_t *body, uint32_t length)
{
	uint32_t status, wait = utility->config.answer_max_ms;

	utility->counters.requests++;
	__atomic_store_n(&utility->overdue, false, __ATOMIC_RELAXED);
	set_request(utility, UTILITY_ASKED); /* before: the answer may come while the callback still runs */
	status = utility->service->ask(utility, body, length);
	if (status != UTILITY_LATER)
		answer(utility, status);
	else
		hvk_timer_start(utility_hvk(utility), &utility->timer, utility->device.cpu,
				wait != 0 ? wait : utility->service->answer_ms);
}

static void process(struct hvk_utility *utility)
{
	uint8_t *body = utility->current.bytes + UTILITY_HEADERS;
	uint32_t length;
	struct ic_header header;

	get_header(&utility->current, &header);
	length = header.size;
	if (length > utility->current.length - UTILITY_HEADERS) {
		answer(utility, UTILITY_MALFORMED);
	} else if (header.type == IC_TYPE_NEGOTIATE) {
		uint32_t status = hvk_utility_negotiate(utility, &header, body, length);

		put_header(&utility->current, &header);
		answer(utility, status);
	} else if (header.type != utility->service->message_type) {
		utility->device.unknown++;
		answer(utility, IC_STATUS_NOT_SUPPORTED);
	} else if (utility->version == 0) {
		answer(utility, IC_STATUS_FAIL);
	} else {
		ask_service(utility, body, length);
	}
}

/* What was put off: its answer, or none in time. */
static void settle(struct hvk_utility *utility)
{
	uint8_t *body = utility->current.bytes + UTILITY_HEADERS;
	enum hvk_utility_answer given = HVK_UTILITY_REFUSED;
	bool is_given, overdue = __atomic_exchange_n(&utility->overdue, false, __ATOMIC_RELAXED);

	if (utility->request != UTILITY_ASKED)
		return;
	hvk_lock(utility_hvk(utility), &utility->device.lock);
	is_given = utility->given;
	given = utility->answer;
	if (is_given || overdue) /* from now on an answer is too late */
		utility->request = UTILITY_ANSWERED;
	hvk_unlock(utility_hvk(utility), &utility->device.lock);
	if (is_given) {
		answer(utility, utility->service->conclude(utility, given, body));
	} else if (overdue) {
		utility->counters.late++;
		if (utility->service->overdue)
			utility->service->overdue(utility);
		answer(utility, IC_STATUS_FAIL);
	}
}

void hvk_utility_work(void *device)
{
	struct hvk_utility *utility = device;

	settle(utility);
	if (utility->service->work)
		utility->service->work(utility);
	for (uint32_t i = 0; i < 2 && flush(utility); i++) {
		struct utility_message next = utility->next;

		if (utility->request != UTILITY_IDLE || next.length == 0)
			break;
		utility->next = utility->current;
		utility->next.length = 0;
		utility->current = next;
		process(utility);
		(void)flush(utility);
	}
}

bool hvk_utility_has_room(const void *device)
{
	return ((const struct hvk_utility *)device)->next.length == 0;
}

/* A message is told by its pipe header; the ring rounds up to 8. */
static uint32_t message_length(const struct hvk_packet *packet, uint32_t max)
{
	struct pipe_header pipe;

	if (packet->payload_length < UTILITY_HEADERS)
		return 0;
	memcpy(&pipe, packet->payload, sizeof(pipe));
	if (pipe.type != PIPE_MESSAGE_DATA || pipe.size < sizeof(struct ic_header) ||
	    pipe.size > packet->payload_length - sizeof(pipe) || pipe.size > max - sizeof(pipe))
		return 0;
	return (uint32_t)sizeof(pipe) + pipe.size;
}

void hvk_utility_take(void *device, const struct hvk_packet *packet)
{
	struct hvk_utility *utility = device;
	uint32_t length = message_length(packet, utility->service->message_max);
	struct ic_header header;

	if (length == 0) {
		utility->counters.malformed++;
		hvk_device_fault(&utility->device, HVK_EHOST_IC, "packet without a message");
		return;
	}
	memcpy(&header, packet->payload + sizeof(struct pipe_header), sizeof(header));
	if (header.flags & IC_FLAG_RESPONSE) { /* we ask nothing */
		utility->device.unknown++;
		return;
	}
	memcpy(utility->next.bytes, packet->payload, length);
	utility->next.length = length;
	hvk_utility_work(device);
}

static void time_is_over(struct hvk_timer *timer, void *context)
{
	struct hvk_utility *utility = context;

	(void)timer;
	__atomic_store_n(&utility->overdue, true, __ATOMIC_RELAXED);
	hvk_device_kick(&utility->device);
}

void hvk_utility_timer_init(struct hvk_timer *timer, void (*fire)(struct hvk_timer *, void *), void *context)
{
	*timer = (struct hvk_timer){.fire = fire, .context = context, .deadline = HVK_NEVER};
}

void hvk_utility_init(struct hvk_utility *utility)
{
	hvk_utility_timer_init(&utility->timer, time_is_over, utility);
}

void hvk_utility_down(void *device)
{
	struct hvk_utility *utility = device;

	hvk_timer_stop(utility_hvk(utility), &utility->timer);
	/* What the user has said counts, though nobody hears it any more. */
	if (utility->request == UTILITY_ASKED && utility->given)
		(void)utility->service->conclude(utility, utility->answer,
						 utility->current.bytes + UTILITY_HEADERS);
	if (utility->service->down)
		utility->service->down(utility);
	utility->current.length = utility->next.length = 0;
	__atomic_store_n(&utility->framework, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&utility->version, 0, __ATOMIC_RELAXED);
	set_request(utility, UTILITY_IDLE);
}

hvk_status hvk_utility_answer(struct hvk_utility *utility, enum hvk_utility_answer given,
			      const struct hvk_kvp_pair *pair, const struct hvk_kvp_ip *ip)
{
	hvk_status status = HVK_ESTATE;

	if (given == HVK_UTILITY_LATER)
		return HVK_EINVAL;
	hvk_lock(utility_hvk(utility), &utility->device.lock);
	if (utility->request == UTILITY_ASKED && !utility->given && utility->service->conclude) {
		utility->given = true;
		utility->answer = given;
		if (utility->service->kind == HVK_UTILITY_KVP && pair)
			utility->state.kvp.pair = *pair;
		if (utility->service->kind == HVK_UTILITY_KVP && ip)
			utility->state.kvp.ip = *ip;
		status = HVK_OK;
	}
	hvk_unlock(utility_hvk(utility), &utility->device.lock);
	if (status == HVK_OK)
		hvk_device_kick(&utility->device);
	return status;
}
