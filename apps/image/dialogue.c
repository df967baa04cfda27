/* SPDX-License-Identifier: MIT */
#include "apps/image/dialogue.h"

#include <stdio.h>
#include <string.h>

#include "hvkit/wire/hypervisor.h"
#include "hvkit/wire/vmbus.h"

#define HEAD_MAX 64u
#define GPADL_OFFSET_ASKED 12u   /* GPADL_TEARDOWN: behind the channel */
#define GPADL_OFFSET_ANSWERED 8u /* GPADL_TORNDOWN */

static void show(struct dialogue *self, uint64_t now_ns, const char *what, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	char line[DIALOGUE_LINE_MAX];
	int length = snprintf(line, HEAD_MAX, "trace %llu.%09llu %s",
			      (unsigned long long)(now_ns / 1000000000u),
			      (unsigned long long)(now_ns % 1000000000u), what);
	size_t at = length < 0 || (size_t)length >= HEAD_MAX ? HEAD_MAX - 1 : (size_t)length;

	for (size_t i = 0; i < size && at + 3 < sizeof(line); i++) {
		line[at++] = digits[bytes[i] >> 4];
		line[at++] = digits[bytes[i] & 15];
	}
	line[at++] = '\n';
	self->line(self->context, line, at);
}

void dialogue_begin(struct dialogue *self, void (*line)(void *context, const char *text, size_t length),
		    void *context)
{
	memset(self, 0, sizeof(*self));
	self->line = line;
	self->context = context;
}

void dialogue_register(struct dialogue *self, uint64_t now_ns, uint32_t msr, uint64_t value)
{
	char what[HEAD_MAX];

	if (msr == HV_MSR_EOM ||
	    (msr >= HV_MSR_STIMER0_CONFIG && msr < HV_MSR_STIMER0_CONFIG + 2 * HV_STIMER_COUNT))
		return;
	snprintf(what, sizeof(what), "write 0x%x 0x%llx", msr, (unsigned long long)value);
	show(self, now_ns, what, NULL, 0);
}

/* --- What we say ----------------------------------------------------------------------------------- */

static uint32_t word(const uint8_t *bytes, size_t size, size_t at)
{
	uint32_t value = 0;

	if (at + sizeof(value) <= size)
		memcpy(&value, bytes + at, sizeof(value));
	return value;
}

static void learn_post(struct dialogue *self, uint64_t now_ns, const uint8_t *bytes, size_t size)
{
	switch (word(bytes, size, 0)) {
	case VMBUS_MSG_UNLOAD:
		self->facts.unloaded = true;
		self->facts.unload_answered = false;
		self->unload_time = now_ns;
		break;
	case VMBUS_MSG_GPADL_TEARDOWN:
		self->facts.torn++;
		if (self->tearing_count == DIALOGUE_GPADLS_MAX)
			break;
		self->tearing[self->tearing_count].id = word(bytes, size, GPADL_OFFSET_ASKED);
		self->tearing[self->tearing_count++].time = now_ns;
		break;
	default:
		break;
	}
}

void dialogue_post(struct dialogue *self, uint64_t now_ns, const uint8_t *input, size_t size)
{
	struct hv_post_message_input post;
	char what[HEAD_MAX];

	if (size < sizeof(post))
		return;
	memcpy(&post, input, sizeof(post));
	if (post.payload_size > HV_MESSAGE_PAYLOAD_MAX)
		post.payload_size = HV_MESSAGE_PAYLOAD_MAX;
	self->facts.posts++;
	learn_post(self, now_ns, post.payload, post.payload_size);
	snprintf(what, sizeof(what), "post 0x%x ", post.connection_id);
	show(self, now_ns, what, post.payload, post.payload_size);
}

void dialogue_status(struct dialogue *self, uint64_t now_ns, uint64_t status)
{
	char what[HEAD_MAX];

	if ((status & 0xffff) == 0)
		return;
	self->facts.posts_refused++;
	snprintf(what, sizeof(what), "status 0x%llx", (unsigned long long)status);
	show(self, now_ns, what, NULL, 0);
}

/* --- What the host says ------------------------------------------------------------------------------ */

static void learn_torndown(struct dialogue *self, uint64_t now_ns, uint32_t id)
{
	self->facts.torndown++;
	for (uint32_t i = 0; i < self->tearing_count; i++) {
		uint64_t took = now_ns - self->tearing[i].time;

		if (self->tearing[i].id != id)
			continue;
		if (took > self->facts.torndown_ns)
			self->facts.torndown_ns = took;
		self->tearing[i] = self->tearing[--self->tearing_count];
		return;
	}
}

static void learn_message(struct dialogue *self, uint64_t now_ns, const uint8_t *bytes, uint32_t size)
{
	struct dialogue_facts *facts = &self->facts;
	uint32_t type = word(bytes, size, 0);

	switch (type) {
	case VMBUS_MSG_OFFER_CHANNEL:
		if (facts->offers++ == 0 || size < facts->offer_min)
			facts->offer_min = size;
		if (size > facts->offer_max)
			facts->offer_max = size;
		break;
	case VMBUS_MSG_GPADL_TORNDOWN:
		learn_torndown(self, now_ns, word(bytes, size, GPADL_OFFSET_ANSWERED));
		break;
	case VMBUS_MSG_UNLOAD_RESPONSE:
		if (facts->unloaded && !facts->unload_answered)
			facts->unload_ns = now_ns - self->unload_time;
		facts->unload_answered = facts->unloaded;
		break;
	default:
		facts->unknown += type == 0 || type > VMBUS_MSG_MODIFY_CHANNEL_RESPONSE;
		break;
	}
}

void dialogue_message(struct dialogue *self, uint64_t now_ns, const uint8_t *slot, size_t size)
{
	struct hv_message message;
	char what[HEAD_MAX];

	if (size < sizeof(message))
		return;
	memcpy(&message, slot, sizeof(message));
	if (message.type == HV_MESSAGE_NONE || message.type == HV_MESSAGE_TIMER_EXPIRED)
		return;
	if (message.payload_size > HV_MESSAGE_PAYLOAD_MAX)
		message.payload_size = HV_MESSAGE_PAYLOAD_MAX;
	self->facts.messages++;
	if (message.type == HV_MESSAGE_VMBUS)
		learn_message(self, now_ns, message.payload, message.payload_size);
	snprintf(what, sizeof(what), "message 0x%x ", message.type);
	show(self, now_ns, what, message.payload, message.payload_size);
}
