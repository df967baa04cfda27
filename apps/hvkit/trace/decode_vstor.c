/* SPDX-License-Identifier: MIT */
/* What a storage controller's packets carry: vstor, the CDB in a request, sense data in its answer. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/trace/decode_private.h"
#include "hvkit/wire/scsi.h"
#include "hvkit/wire/vstor.h"

#define REQUEST_AT(member) (uint32_t)(sizeof(struct vstor_header) + offsetof(struct vstor_request, member))

/* --- Which answer belongs to which request ------------------------------------------- */

static struct trace_srb *srb_slot(struct trace_job *job, uint64_t id)
{
	return &job->decoder->srbs[id % TRACE_SRBS];
}

static void remember(struct trace_job *job, const struct trace_view *view, uint64_t id, uint32_t operation)
{
	struct trace_srb srb = {.id = id, .channel = job->record->channel, .operation = operation};

	if (operation == VSTOR_OPERATION_EXECUTE_SRB && trace_has(view, REQUEST_AT(cdb_sense), 1)) {
		srb.has_command = true;
		srb.command = (uint8_t)trace_get(view, REQUEST_AT(cdb_sense), 1);
	}
	*srb_slot(job, id) = srb;
}

/* NULL: not seen, or forgotten for a later one. */
static const struct trace_srb *find(struct trace_job *job, uint64_t id)
{
	const struct trace_srb *srb = srb_slot(job, id);

	return srb->operation != 0 && srb->id == id && srb->channel == job->record->channel ? srb : NULL;
}

/* --- SCSI ------------------------------------------------------------------------------ */

static void format_command(uint32_t code, char text[TRACE_VALUE_MAX])
{
	const struct trace_layout *layout = trace_layout(&trace_scsi, code);

	if (layout != NULL)
		snprintf(text, TRACE_VALUE_MAX, "%s", layout->name);
	else
		snprintf(text, TRACE_VALUE_MAX, "command-0x%02x", (unsigned)code);
}

static void decode_command(struct trace_job *job, const struct trace_view *cdb)
{
	uint32_t code = (uint32_t)trace_get(cdb, 0, 1);
	const struct trace_layout *layout = trace_layout(&trace_scsi, code);
	char text[TRACE_VALUE_MAX];

	if (cdb->size == 0) {
		trace_layer(job, cdb, "scsi (short: 0 of 6 bytes)");
		return;
	}
	format_command(code, text);
	trace_layer(job, cdb, "scsi %s", text);
	trace_detail(job, cdb, 0, 1, "command", "0x%02x", (unsigned)code);
	if (layout != NULL)
		(void)trace_fields(job, cdb, layout);
}

static void say_code(struct trace_job *job, const struct trace_view *sense, uint32_t at)
{
	char text[TRACE_VALUE_MAX];

	if (!trace_has(sense, at, 2))
		return;
	trace_format_value(trace_get_be(sense, at, 2), FORM_NAME, &trace_sense_code_names, text);
	trace_field(job, sense, at, 2, "code", "%s", text);
}

/* Fixed format, or that of descriptors: 0x70 and 0x72, odd where an earlier command failed. */
static void decode_sense(struct trace_job *job, const struct trace_view *sense)
{
	uint32_t response = (uint32_t)trace_get(sense, 0, 1) & 0x7fu;
	bool fixed = response == 0x70 || response == 0x71, listed = response == 0x72 || response == 0x73;
	uint32_t key_at = fixed ? offsetof(struct scsi_sense, key) : 1u;
	char text[TRACE_VALUE_MAX];

	if (!fixed && !listed) {
		trace_layer(job, sense, "sense response=0x%x", (unsigned)response);
		return;
	}
	trace_layer(job, sense, "sense");
	if (!trace_has(sense, key_at, 1)) {
		trace_say(job, " (short: %u of %u bytes)", (unsigned)sense->size, (unsigned)(key_at + 1u));
		return;
	}
	trace_format_value(trace_get(sense, key_at, 1) & 15u, FORM_NAME, &trace_sense_key_names, text);
	trace_field(job, sense, key_at, 1, "key", "%s", text);
	say_code(job, sense, fixed ? offsetof(struct scsi_sense, code) : 2u);
	if (fixed && (trace_get(sense, 0, 1) & 0x80u) && trace_has(sense, 3, 4))
		trace_field(job, sense, 3, 4, "information", "%u", (unsigned)trace_get_be(sense, 3, 4));
	if (response & 1u)
		trace_say(job, " deferred");
}

/* --- vstor ------------------------------------------------------------------------------- */

static void decode_request(struct trace_job *job, const struct trace_view *view)
{
	struct trace_view cdb = trace_part(view, REQUEST_AT(cdb_sense), VSTOR_CDB_SIZE);
	uint32_t length = (uint32_t)trace_get(view, REQUEST_AT(cdb_length), 1);

	if (length > VSTOR_CDB_SIZE)
		trace_say(job, " (a CDB of %u bytes)", (unsigned)length);
	cdb = trace_part(&cdb, 0, length);
	decode_command(job, &cdb);
}

static void decode_result(struct trace_job *job, const struct trace_view *view, const struct trace_srb *srb)
{
	uint64_t status = trace_get(view, REQUEST_AT(srb_status), 1);
	struct trace_view sense = trace_part(view, REQUEST_AT(cdb_sense), VSTOR_SENSE_SIZE);
	char text[TRACE_VALUE_MAX];

	if (srb->has_command) {
		format_command(srb->command, text);
		trace_field(job, view, 0, 4, "command", "%s", text);
	}
	sense = trace_part(&sense, 0, trace_get(view, REQUEST_AT(sense_length), 1));
	if ((status & VSTOR_SRB_STATUS_AUTOSENSE_VALID) && sense.size > 0)
		decode_sense(job, &sense);
}

void trace_decode_vstor(struct trace_job *job, const struct trace_view *view, uint64_t id, bool completion)
{
	uint32_t operation = (uint32_t)trace_get(view, 0, 4);
	bool answer = completion && job->record->to_guest && operation == VSTOR_OPERATION_COMPLETE_IO;
	const struct trace_srb *srb = answer ? find(job, id) : NULL;
	const struct trace_layout *layout = NULL;

	if (!trace_has(view, 0, sizeof(struct vstor_header))) {
		trace_layer(job, view, "vstor (short: %u of 12 bytes)", (unsigned)view->size);
		return;
	}
	if (srb != NULL)
		layout = trace_layout(&trace_vstor_answers, srb->operation);
	if (layout == NULL) {
		srb = NULL;
		layout = trace_layout(&trace_vstor, operation);
	}
	if (!job->record->to_guest)
		remember(job, view, id, operation);
	if (layout == NULL) {
		trace_layer(job, view, "vstor operation-%u", (unsigned)operation);
		return;
	}
	trace_layer(job, view, "vstor %s", layout->name);
	trace_detail(job, view, 0, 4, "operation", "%u", (unsigned)operation);
	if (!trace_fields(job, view, layout))
		return;
	if (srb != NULL && srb->operation == VSTOR_OPERATION_EXECUTE_SRB)
		decode_result(job, view, srb);
	else if (operation == VSTOR_OPERATION_EXECUTE_SRB)
		decode_request(job, view);
}
