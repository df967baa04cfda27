/* SPDX-License-Identifier: MIT */
#include "guest/storvsc/vstor.h"

#define QUEUE_TAG_NONE 0xffu /* no tag of ours: SP_UNTAGGED (Linux) */

/* Of an answer to EXECUTE_SRB up to the sense data. */
#define RESULT_MIN (sizeof(struct vstor_header) + offsetof(struct vstor_request, cdb_sense))

static bool is_old(uint16_t version)
{
	return version != 0 && version < VSTOR_VERSION_5_1;
}

uint32_t hvk_vstor_packet_size(uint16_t version)
{
	return is_old(version) ? VSTOR_PACKET_SIZE_OLD : VSTOR_PACKET_SIZE;
}

uint32_t hvk_vstor_sense_size(uint16_t version)
{
	return is_old(version) ? VSTOR_SENSE_SIZE_OLD : VSTOR_SENSE_SIZE;
}

bool hvk_vstor_is_version(uint16_t version)
{
	return version == VSTOR_VERSION_2_0 || version == VSTOR_VERSION_4_2 || version == VSTOR_VERSION_5_1 ||
	       version == VSTOR_VERSION_6_0 || version == VSTOR_VERSION_6_2;
}

void hvk_vstor_build(struct hvk_vstor_packet *packet, uint16_t version, uint32_t operation)
{
	const struct vstor_header header = {operation, VSTOR_FLAG_REQUEST_COMPLETION, 0};

	memset(packet->bytes, 0, sizeof(packet->bytes));
	memcpy(packet->bytes, &header, sizeof(header));
	packet->size = hvk_vstor_packet_size(version);
}

void hvk_vstor_build_query_version(struct hvk_vstor_packet *packet, uint16_t wanted)
{
	const struct vstor_version version = {wanted, 0};

	hvk_vstor_build(packet, 0, VSTOR_OPERATION_QUERY_PROTOCOL_VERSION);
	memcpy(packet->bytes + sizeof(struct vstor_header), &version, sizeof(version));
}

void hvk_vstor_build_subchannels(struct hvk_vstor_packet *packet, uint16_t version, uint16_t count)
{
	hvk_vstor_build(packet, version, VSTOR_OPERATION_CREATE_SUBCHANNELS);
	memcpy(packet->bytes + sizeof(struct vstor_header), &count, sizeof(count));
}

static uint32_t srb_flags(const struct hvk_vstor_srb *srb)
{
	uint32_t flags = VSTOR_SRB_DISABLE_SYNCH_TRANSFER;

	if (srb->action != 0)
		flags |= VSTOR_SRB_QUEUE_ACTION_ENABLE | VSTOR_SRB_NO_QUEUE_FREEZE;
	if (srb->direction == VSTOR_DATA_IN)
		flags |= VSTOR_SRB_DATA_IN;
	else if (srb->direction == VSTOR_DATA_OUT)
		flags |= VSTOR_SRB_DATA_OUT;
	return flags;
}

void hvk_vstor_build_srb(struct hvk_vstor_packet *packet, uint16_t version, uint32_t operation,
			 const struct hvk_vstor_srb *srb)
{
	struct vstor_request request = {
		.path = srb->path,
		.target = srb->target,
		.lun = srb->lun,
		.cdb_length = srb->cdb_length,
		.sense_length = (uint8_t)hvk_vstor_sense_size(version),
		.data_direction = srb->direction,
		.data_length = srb->length,
	};

	hvk_vstor_build(packet, version, operation);
	request.length = (uint16_t)(packet->size - sizeof(struct vstor_header));
	memcpy(request.cdb_sense, srb->cdb, sizeof(srb->cdb));
	if (!is_old(version)) {
		request.tag = srb->action != 0 ? QUEUE_TAG_NONE : 0;
		request.action = srb->action;
		request.srb_flags = srb_flags(srb);
		request.timeout = srb->timeout;
	}
	memcpy(packet->bytes + sizeof(struct vstor_header), &request,
	       packet->size - sizeof(struct vstor_header));
}

hvk_status hvk_vstor_parse_answer(const uint8_t *payload, uint32_t length, uint32_t *nt_status)
{
	struct vstor_header header;

	*nt_status = 0;
	if (length < sizeof(header))
		return HVK_EHOST_VSTOR;
	memcpy(&header, payload, sizeof(header));
	*nt_status = header.status;
	return header.operation == VSTOR_OPERATION_COMPLETE_IO ? HVK_OK : HVK_EHOST_VSTOR;
}

hvk_status hvk_vstor_parse_properties(const uint8_t *payload, uint32_t length,
				      struct hvk_vstor_limits *limits)
{
	struct vstor_properties properties = {0};
	uint32_t known = offsetof(struct vstor_properties, reserved_2), nt_status;
	hvk_status status = hvk_vstor_parse_answer(payload, length, &nt_status);

	*limits = (struct hvk_vstor_limits){0};
	if (status != HVK_OK)
		return status;
	if (nt_status != VSTOR_STATUS_SUCCESS)
		return HVK_EREFUSED_VSTOR;
	if (length < sizeof(struct vstor_header) + known)
		return HVK_EHOST_VSTOR;
	memcpy(&properties, payload + sizeof(struct vstor_header), known);
	limits->multi_channel = (properties.flags & VSTOR_PROPERTY_MULTI_CHANNEL) != 0;
	limits->subchannels_max = properties.subchannels_max;
	limits->transfer_bytes_max = properties.transfer_bytes_max;
	return limits->transfer_bytes_max >= HVK_PAGE_SIZE ? HVK_OK : HVK_EHOST_VALUE;
}

hvk_status hvk_vstor_parse_result(const uint8_t *payload, uint32_t length, uint16_t version, uint32_t asked,
				  struct hvk_vstor_result *result)
{
	struct vstor_request answer = {0};
	uint32_t nt_status, sense;
	hvk_status status = hvk_vstor_parse_answer(payload, length, &nt_status);

	*result = (struct hvk_vstor_result){0};
	if (status != HVK_OK || length < RESULT_MIN)
		return HVK_EHOST_VSTOR;
	memcpy(&answer, payload + sizeof(struct vstor_header),
	       hvk_min32(length - (uint32_t)sizeof(struct vstor_header), sizeof(answer)));
	if (answer.data_length > asked)
		return HVK_EHOST_VSTOR;
	result->nt_status = nt_status;
	result->srb_status = answer.srb_status & VSTOR_SRB_STATUS_MASK;
	result->scsi_status = answer.scsi_status;
	result->transferred = answer.data_length;
	if (answer.srb_status & VSTOR_SRB_STATUS_AUTOSENSE_VALID) {
		sense = hvk_min32(answer.sense_length, hvk_vstor_sense_size(version));
		sense = hvk_min32(sense, length - (uint32_t)RESULT_MIN);
		memcpy(result->sense, answer.cdb_sense, sense);
		result->sense_length = (uint8_t)sense;
	}
	return HVK_OK;
}

hvk_status hvk_vstor_parse_notice(const uint8_t *payload, uint32_t length, uint32_t *operation)
{
	*operation = 0;
	if (length < sizeof(*operation))
		return HVK_EHOST_VSTOR;
	memcpy(operation, payload, sizeof(*operation));
	switch (*operation) {
	case VSTOR_OPERATION_REMOVE_DEVICE:
	case VSTOR_OPERATION_ENUMERATE_BUS:
	case VSTOR_OPERATION_EVENT_NOTIFICATION:
		return HVK_OK;
	default:
		return HVK_EHOST_VSTOR;
	}
}
