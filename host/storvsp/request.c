/* SPDX-License-Identifier: MIT */
/*
 * EXECUTE_SRB: what it asks for, and where its data are. More than one range, or less memory than
 * data, ends the channel's worker (OpenVMM); what else is wrong is answered with INVALID_REQUEST.
 */
#include <string.h>

#include "storvsp.h"

/* --- The page list -------------------------------------------------------------------------- */

static bool bad_range(struct storvsp_queue *queue, const struct hvh_packet *packet, const char *what)
{
	STORVSP_VIOLATE(queue, HVH_V_VSTOR_VALUE, packet->extension, packet->extension_length,
			"EXECUTE_SRB: %s", what);
	storvsp_stop(queue);
	return false;
}

/* So much of the only range as the data take. */
static bool take_range(struct storvsp_queue *queue, const struct hvh_packet *packet, uint32_t length,
		       struct storvsp_range *range)
{
	struct vmbus_gpa_direct_header header;
	struct vmbus_gpa_range head;
	uint32_t listed, pages;

	if (packet->descriptor.type != VMBUS_PACKET_GPA_DIRECT)
		return length == 0 || bad_range(queue, packet, "data, and no page list for them");
	if (packet->extension_length < sizeof header + sizeof head)
		return bad_range(queue, packet, "a page list that is cut off");
	memcpy(&header, packet->extension, sizeof header);
	memcpy(&head, packet->extension + sizeof header, sizeof head);
	if (header.range_count != 1)
		return bad_range(queue, packet, "more than one range");
	if (head.byte_offset >= HVK_PAGE_SIZE || head.byte_count < length)
		return bad_range(queue, packet,
				 "its range begins beyond its first page, or is shorter than its data");
	listed = (packet->extension_length - (uint32_t)(sizeof header + sizeof head)) /
		 (uint32_t)sizeof(uint64_t);
	if (((uint64_t)head.byte_offset + head.byte_count + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE > listed)
		return bad_range(queue, packet, "fewer pages than its range needs");
	if (length > queue->storage->transfer_max)
		return true; /* is refused, and not used */
	pages = (head.byte_offset + length + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE;
	range->offset = head.byte_offset;
	range->length = length;
	memcpy(range->pfns, packet->extension + sizeof header + sizeof head, pages * sizeof(uint64_t));
	return true;
}

bool storvsp_range_copy(struct hvh_partition *partition, const struct storvsp_range *range, uint32_t offset,
			void *bytes, uint32_t length, bool to_guest)
{
	uint8_t *here = bytes;

	if (offset > range->length || length > range->length - offset)
		return false;
	while (length > 0) {
		uint32_t at = range->offset + offset, in_page = at % HVK_PAGE_SIZE;
		uint32_t part = HVK_PAGE_SIZE - in_page < length ? HVK_PAGE_SIZE - in_page : length;
		uint64_t pfn = range->pfns[at / HVK_PAGE_SIZE], gpa = (pfn << HVK_PAGE_SHIFT) + in_page;

		if (pfn > UINT64_MAX >> HVK_PAGE_SHIFT ||
		    !(to_guest ? hvh_memory_write(partition, gpa, here, part)
			       : hvh_memory_read(partition, gpa, here, part)))
			return false;
		here += part;
		offset += part;
		length -= part;
	}
	return true;
}

/* --- The request ------------------------------------------------------------------------------- */

/* What is wrong with it; NULL if nothing is. */
static const char *wrong(const struct hvh_storage *storage, const struct vstor_request *srb)
{
	bool extended = storage->version >= VSTOR_VERSION_5_1;
	uint32_t in = srb->srb_flags & VSTOR_SRB_DATA_IN, out = srb->srb_flags & VSTOR_SRB_DATA_OUT;

	if (srb->cdb_length == 0 || srb->cdb_length > VSTOR_CDB_SIZE)
		return "the CDB has 1 to 16 bytes";
	if (srb->sense_length > VSTOR_SENSE_SIZE)
		return "there is room for 20 bytes of sense data";
	if (srb->data_direction > VSTOR_DATA_NONE)
		return "the direction is 0 (out), 1 (in) or 2 (none)";
	if (srb->data_length > storage->transfer_max)
		return "more data than the properties allow";
	if (srb->length != sizeof *srb && (extended || srb->length != VSTOR_REQUEST_SIZE_OLD))
		return "its length is 52, before 5.1 perhaps 36";
	if (extended && ((in != 0 && out != 0) || (in != 0 && srb->data_direction == VSTOR_DATA_OUT) ||
			 (out != 0 && srb->data_direction == VSTOR_DATA_IN)))
		return "its flags and its direction disagree";
	if (extended && (srb->srb_flags & VSTOR_SRB_QUEUE_ACTION_ENABLE) != 0 &&
	    (srb->action < VSTOR_TAG_SIMPLE || srb->action > VSTOR_TAG_ORDERED))
		return "its queue action is 0x20 (simple), 0x21 (head of queue) or 0x22 (ordered)";
	return NULL;
}

/* The way that the command has, whatever the request says of it. */
static bool wrong_way(const struct hvh_storage *storage, const struct vstor_request *srb)
{
	const struct scsi_unit *unit = storvsp_unit(storage, srb);
	enum scsi_direction way;

	if (unit == NULL || srb->data_length == 0)
		return false;
	way = scsi_direction(unit, srb->cdb_sense, SCSI_NONE);
	return (way == SCSI_IN && srb->data_direction == VSTOR_DATA_OUT) ||
	       (way == SCSI_OUT && srb->data_direction == VSTOR_DATA_IN);
}

/* Words that nobody looks at, in a mode in which our own drivers are to leak nothing. */
static bool unclean(const struct hvh_storage *storage, const struct vstor_request *srb)
{
	if (!hvh_partition_deterministic(storage->partition))
		return false;
	for (uint32_t n = srb->cdb_length; n < sizeof srb->cdb_sense; n++)
		if (srb->cdb_sense[n] != 0)
			return true;
	return srb->srb_status != 0 || srb->scsi_status != 0 || srb->reserved != 0;
}

static bool check(struct storvsp_queue *queue, const struct hvh_packet *packet,
		  const struct vstor_request *srb)
{
	const char *what = wrong(queue->storage, srb);

	if (what == NULL && wrong_way(queue->storage, srb))
		what = "its command moves data the other way";
	if (what != NULL) {
		STORVSP_VIOLATE(queue, HVH_V_VSTOR_VALUE, packet->payload, packet->payload_length,
				"EXECUTE_SRB of command %#04x: %s", srb->cdb_sense[0], what);
		return false;
	}
	if (unclean(queue->storage, srb))
		STORVSP_VIOLATE(queue, HVH_V_VSTOR_PADDING, packet->payload, packet->payload_length,
				"EXECUTE_SRB: bytes behind its CDB, status or reserved ones are not 0");
	return true;
}

/* The trouble's choices are made when it comes, so that they are the seed's and not the clock's. */
static void delay(struct hvh_storage *storage, struct storvsp_request *request)
{
	const struct hvh_storage_trouble *trouble = &storage->trouble;

	if (trouble->never > 0 && hvh_choose(storage->partition, 1000) < trouble->never) {
		request->due = HVH_NEVER;
		storage->counters.unanswered++;
	} else if (trouble->delay_max > 0 && !request->first) {
		request->due += hvh_random(storage->partition) % (trouble->delay_max + 1);
		storage->counters.delayed++;
	}
}

/* How it is queued stands in action; tag is a name that nobody needs (Windows, Linux). */
static bool is_queued(const struct hvh_storage *storage, const struct vstor_request *srb, uint8_t how)
{
	return storage->version >= VSTOR_VERSION_5_1 &&
	       (srb->srb_flags & VSTOR_SRB_QUEUE_ACTION_ENABLE) != 0 && srb->action == how;
}

void storvsp_execute_srb(struct storvsp_queue *queue, const struct hvh_packet *packet)
{
	struct hvh_storage *storage = queue->storage;
	uint32_t size = storvsp_payload_size(storage);
	struct storvsp_request *request;
	struct vstor_request srb = {0};

	if (packet->payload_length < STORVSP_HEADER + size) {
		STORVSP_VIOLATE(queue, HVH_V_VSTOR_SIZE, packet->payload, packet->payload_length,
				"EXECUTE_SRB: %u bytes; %u would be right at this version",
				packet->payload_length, STORVSP_HEADER + size);
		storvsp_stop(queue);
		return;
	}
	memcpy(&srb, packet->payload + STORVSP_HEADER, size);
	request = storvsp_request_new(queue, packet);
	storage->counters.requests++;
	if (!take_range(queue, packet, srb.data_length, &request->range)) {
		/* Its worker has died with it: no answer. */
		request->due = HVH_NEVER;
		return;
	}
	request->srb = srb;
	if (!check(queue, packet, &srb)) {
		storvsp_end(storage, request, VSTOR_SRB_STATUS_INVALID_REQUEST);
		return;
	}
	request->waits = true;
	request->first = is_queued(storage, &srb, VSTOR_TAG_HEAD_OF_QUEUE);
	request->ordered = is_queued(storage, &srb, VSTOR_TAG_ORDERED);
	if (request->ordered)
		storage->ordered_waiting++;
	delay(storage, request);
}
