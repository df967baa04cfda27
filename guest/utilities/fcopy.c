/* SPDX-License-Identifier: MIT */
/* File copy from the host. Names stay inside a directory, sizes below a quota. Source: Linux hv_fcopy.c. */
#include "guest/utilities/fcopy_name.h"
#include "guest/utilities/utilities_internal.h"

#define QUOTA (1ull << 30)

static const struct hvk_fcopy_callbacks *callbacks(const struct hvk_utility *utility)
{
	return &utility->config.callbacks.fcopy;
}

/* The copy is over, and not as it should: what came is to go. */
static void abort_copy(struct hvk_utility *utility)
{
	struct utility_fcopy *copy = &utility->state.fcopy;

	if (!copy->started)
		return;
	copy->started = false;
	copy->aborted++;
	if (callbacks(utility)->end)
		(void)callbacks(utility)->end(utility->config.context, false);
}

static uint32_t conclude(struct hvk_utility *utility, enum hvk_utility_answer answer, uint8_t *body)
{
	struct utility_fcopy *copy = &utility->state.fcopy;
	uint32_t operation, flags;

	memcpy(&operation, body, sizeof(operation));
	switch (operation) {
	case IC_FCOPY_START:
		copy->started = answer == HVK_UTILITY_DONE || answer == HVK_UTILITY_LATER;
		memcpy(&flags, body + offsetof(struct ic_fcopy_start, flags), sizeof(flags));
		if (answer == HVK_UTILITY_REFUSED && (flags & IC_FCOPY_FLAG_OVERWRITE) == 0)
			return IC_STATUS_ALREADY_EXISTS;
		break;
	case IC_FCOPY_WRITE:
		if (answer != HVK_UTILITY_DONE && answer != HVK_UTILITY_LATER)
			abort_copy(utility);
		break;
	default:
		copy->copies += answer == HVK_UTILITY_DONE;
		break;
	}
	return hvk_utility_status(answer);
}

#define FIELD(name) offsetof(struct ic_fcopy_start, name)

static uint32_t start(struct hvk_utility *utility, uint8_t *body, uint32_t length)
{
	uint64_t quota = callbacks(utility)->quota != 0 ? callbacks(utility)->quota : QUOTA;
	struct utility_fcopy *copy = &utility->state.fcopy;
	enum hvk_utility_answer answer;
	uint32_t words[3]; /* flags, size */

	if (length < sizeof(struct ic_fcopy_start))
		return UTILITY_MALFORMED;
	abort_copy(utility); /* the host has begun anew */
	if (!callbacks(utility)->start || !callbacks(utility)->write)
		return IC_STATUS_NOT_SUPPORTED;
	memcpy(words, body + FIELD(flags), sizeof(words));
	if (!hvk_fcopy_name(body + FIELD(file_name), copy->name, sizeof(copy->name)) ||
	    !hvk_fcopy_path(body + FIELD(path_name), copy->path, sizeof(copy->path)))
		return IC_STATUS_INVALID_ARGUMENT;
	copy->size = words[1] | (uint64_t)words[2] << 32;
	copy->received = 0;
	if (copy->size > quota)
		return IC_STATUS_DISK_FULL;
	answer = callbacks(utility)->start(utility->config.context, copy->path, copy->name, copy->size,
					   (words[0] & IC_FCOPY_FLAG_OVERWRITE) != 0,
					   (words[0] & IC_FCOPY_FLAG_CREATE_PATH) != 0);
	return conclude(utility, answer, body);
}

/* Parts come in order; one may come again, none beyond the size that was announced. */
static uint32_t write(struct hvk_utility *utility, uint8_t *body, uint32_t length)
{
	struct utility_fcopy *copy = &utility->state.fcopy;
	uint32_t words[3]; /* offset, size */
	uint64_t offset;

	if (length < offsetof(struct ic_fcopy_write, data))
		return UTILITY_MALFORMED;
	memcpy(words, body + offsetof(struct ic_fcopy_write, offset), sizeof(words));
	offset = words[0] | (uint64_t)words[1] << 32;
	if (words[2] > IC_FCOPY_FRAGMENT || words[2] > length - offsetof(struct ic_fcopy_write, data))
		return UTILITY_MALFORMED;
	if (!copy->started)
		return IC_STATUS_FAIL;
	if (offset > copy->received || words[2] > copy->size - offset) {
		abort_copy(utility);
		return IC_STATUS_INVALID_ARGUMENT;
	}
	if (offset + words[2] > copy->received)
		copy->received = offset + words[2];
	return conclude(utility,
			callbacks(utility)->write(utility->config.context, offset,
						  body + offsetof(struct ic_fcopy_write, data), words[2]),
			body);
}

static uint32_t complete(struct hvk_utility *utility, uint8_t *body)
{
	struct utility_fcopy *copy = &utility->state.fcopy;

	if (!copy->started)
		return IC_STATUS_FAIL;
	if (copy->received != copy->size) {
		abort_copy(utility);
		return IC_STATUS_FAIL;
	}
	copy->started = false;
	return conclude(utility,
			callbacks(utility)->end ? callbacks(utility)->end(utility->config.context, true)
						: HVK_UTILITY_DONE,
			body);
}

static uint32_t ask(struct hvk_utility *utility, uint8_t *body, uint32_t length)
{
	uint32_t operation;

	if (length < sizeof(struct ic_fcopy_header))
		return UTILITY_MALFORMED;
	memcpy(&operation, body, sizeof(operation));
	switch (operation) {
	case IC_FCOPY_START:
		return start(utility, body, length);
	case IC_FCOPY_WRITE:
		return write(utility, body, length);
	case IC_FCOPY_COMPLETE:
		return complete(utility, body);
	case IC_FCOPY_CANCEL:
		abort_copy(utility);
		return IC_STATUS_OK;
	default:
		return IC_STATUS_NOT_SUPPORTED;
	}
}

/* Negotiated anew: the host's service has restarted, and knows nothing of a copy. */
const struct utility_service hvk_utility_fcopy = {
	.name = "fcopy",
	.type = VMBUS_GUID_FCOPY,
	.kind = HVK_UTILITY_FCOPY,
	.message_type = IC_TYPE_FCOPY,
	.versions = {IC_VERSION(1, 1)},
	.message_max = 8192,
	.answer_ms = UTILITY_ANSWER_MS,
	.ask = ask,
	.conclude = conclude,
	.overdue = abort_copy,
	.negotiated = abort_copy,
	.down = abort_copy,
};
