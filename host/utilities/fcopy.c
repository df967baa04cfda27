/* SPDX-License-Identifier: MIT */
/*
 * File copy: START, the file in pieces one after another, COMPLETE. If anything goes wrong after START
 * the guest is told to CANCEL. Source: Linux hv_fcopy.c and its daemon.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "host/utilities/utilities.h"

enum copy_step { COPY_START, COPY_WRITE, COPY_COMPLETE, COPY_CANCEL };

/* --- Asking -------------------------------------------------------------------------------------- */

static const char *open_file(struct utility_request *request, const char *name)
{
	struct stat facts;

	request->file = fopen(name, "rb");
	if (request->file == NULL)
		return strerror(errno);
	if (fstat(fileno(request->file), &facts) != 0 || !S_ISREG(facts.st_mode))
		return "it is no ordinary file";
	request->size = (uint64_t)facts.st_size;
	return NULL;
}

/* NULL, or what is wrong. */
static const char *build_start(struct utility_request *request, const char *path, const char *name,
			       bool overwrite)
{
	struct ic_fcopy_start start = {
		.header.operation = IC_FCOPY_START,
		.flags = (overwrite ? IC_FCOPY_FLAG_OVERWRITE : 0) | IC_FCOPY_FLAG_CREATE_PATH,
		.file_size = {(uint32_t)request->size, (uint32_t)(request->size >> 32)},
	};
	uint8_t *body = request->body;

	memcpy(body, &start, sizeof(start));
	if (name[0] == '\0' || utility_to_utf16(name, body + offsetof(struct ic_fcopy_start, file_name),
						IC_FCOPY_PATH_UNITS - 1) == UTILITY_BAD_TEXT)
		return "the name in the guest is UTF-8, of 1 to 259 UTF-16 units";
	if (utility_to_utf16(path, body + offsetof(struct ic_fcopy_start, path_name),
			     IC_FCOPY_PATH_UNITS - 1) == UTILITY_BAD_TEXT)
		return "the path in the guest is UTF-8, of at most 259 UTF-16 units";
	return NULL;
}

void hvh_fcopy_send(struct hvh_utilities *utilities, uint64_t now, const char *file, const char *path,
		    const char *name, bool overwrite, hvh_utility_done done, void *context)
{
	struct utility *utility = &utilities->all[UTILITY_AT_FCOPY];
	struct utility_request *request = utility_request(utility, now, "copy", sizeof(struct ic_fcopy_write),
							  done, context); /* its longest message */
	const char *wrong;

	if (request == NULL)
		return;
	wrong = open_file(request, file);
	if (wrong != NULL) {
		utility_refuse(utility, request, "fcopy: cannot read %s: %s", file, wrong);
		return;
	}
	wrong = build_start(request, path != NULL ? path : "", name, overwrite);
	if (wrong != NULL)
		utility_refuse(utility, request, "fcopy: %s", wrong);
	else
		utility_submit(utility, request);
}

/* --- Message by message -------------------------------------------------------------------------- */

static void begin_write(struct utility *utility, struct utility_request *request)
{
	struct ic_fcopy_write *write = (void *)request->body;
	uint64_t left = request->size - request->offset;
	uint32_t piece = left < IC_FCOPY_FRAGMENT ? (uint32_t)left : IC_FCOPY_FRAGMENT;

	memset(write, 0, sizeof(*write));
	if (fread(write->data, 1, piece, request->file) != piece) {
		request->failure = "the file here has become shorter, or cannot be read";
		request->cause = (struct utility_answer){.result = HVH_UTILITY_FAILED,
							 .status = IC_STATUS_FAIL};
		request->step = COPY_CANCEL;
		memset(write, 0, sizeof(*write));
		return;
	}
	write->header.operation = IC_FCOPY_WRITE;
	write->offset[0] = (uint32_t)request->offset;
	write->offset[1] = (uint32_t)(request->offset >> 32);
	write->size = request->piece = piece;
	memcpy(utility_body(utility), write, sizeof(*write));
	utility_begin(utility, request, IC_TYPE_FCOPY, sizeof(*write), request->wait);
}

static void begin_short(struct utility *utility, struct utility_request *request, uint32_t operation)
{
	struct ic_fcopy_header header = {.operation = operation};

	memcpy(utility_body(utility), &header, sizeof(header));
	utility_begin(utility, request, IC_TYPE_FCOPY, sizeof(header), request->wait);
}

static void step(struct utility *utility, struct utility_request *request)
{
	if (request->step == COPY_START) {
		memcpy(utility_body(utility), request->body, sizeof(struct ic_fcopy_start));
		utility_begin(utility, request, IC_TYPE_FCOPY, sizeof(struct ic_fcopy_start), request->wait);
		return;
	}
	if (request->step == COPY_WRITE)
		begin_write(utility, request); /* or it finds that it cannot go on */
	if (request->step == COPY_COMPLETE)
		begin_short(utility, request, IC_FCOPY_COMPLETE);
	if (request->step == COPY_CANCEL)
		begin_short(utility, request, IC_FCOPY_CANCEL);
}

/* The guest will not have the file. A failed START has begun nothing. */
static void failed(struct utility *utility, struct utility_request *request,
		   const struct utility_answer *answer)
{
	if (request->step == COPY_START && answer->result == HVH_UTILITY_FAILED) {
		utility_finish_plainly(utility, answer);
		return;
	}
	request->failure = answer->result == HVH_UTILITY_TIMED_OUT ? "no answer in time"
								   : utility_status_text(answer->status);
	request->cause = *answer;
	request->step = COPY_CANCEL;
}

static void completed(struct utility *utility, const struct utility_request *request,
		      const struct utility_answer *answer)
{
	utility->owner->copies++;
	utility->owner->copied_bytes += request->size;
	utility_finish(utility, answer, "%llu bytes copied", (unsigned long long)request->size);
}

static void answered(struct utility *utility, struct utility_request *request,
		     const struct utility_answer *answer)
{
	if (request->step == COPY_CANCEL) {
		utility_finish(utility, &request->cause, "%s", request->failure);
		return;
	}
	if (answer->result != HVH_UTILITY_OK) {
		failed(utility, request, answer);
		return;
	}
	if (request->step == COPY_COMPLETE) {
		completed(utility, request, answer);
		return;
	}
	if (request->step == COPY_WRITE)
		request->offset += request->piece;
	request->step = request->offset < request->size ? COPY_WRITE : COPY_COMPLETE;
}

static void dump(const struct utility *utility, struct hvh_dump *dump)
{
	hvh_dump_number(dump, "copies", utility->owner->copies);
	hvh_dump_number(dump, "copied-bytes", utility->owner->copied_bytes);
	if (utility->first != NULL) {
		hvh_dump_number(dump, "copy-offset", utility->first->offset);
		hvh_dump_number(dump, "copy-size", utility->first->size);
	}
}

const struct utility_service utility_fcopy = {
	.bit = HVH_UTILITY_FCOPY,
	.type = VMBUS_GUID_FCOPY,
	.instance = VMBUS_GUID(0xeb765408u, 0x105fu, 0x49b6u, 0xb4, 0xaa, 0xc1, 0x23, 0xb6, 0x4d, 0x17, 0xd4),
	.message_type = IC_TYPE_FCOPY,
	.wait = UTILITY_WAIT,
	.ops = UTILITY_OPS("fcopy"),
	.step = step,
	.answered = answered,
	.dump = dump,
};
