/* SPDX-License-Identifier: MIT */
#include "guest/netvsc/nvs.h"

#define NDIS_MAJOR 6u
#define NDIS_MINOR_OLD 1u
#define NDIS_MINOR_NEW 30u

static void build(struct hvk_nvs_message *message, uint32_t version, const void *request, uint32_t size)
{
	HVK_ASSERT(size <= NVS_REQUEST_SIZE_MIN);
	memset(message, 0, sizeof(*message));
	message->size = version >= NVS_VERSION_6_1 ? NVS_REQUEST_SIZE_6_1 : NVS_REQUEST_SIZE_MIN;
	memcpy(message->bytes, request, size);
}

void hvk_nvs_build_init(struct hvk_nvs_message *message, uint32_t version)
{
	const struct nvs_init request = {NVS_TYPE_INIT, version, version};

	build(message, version, &request, sizeof(request));
}

void hvk_nvs_build_ndis_config(struct hvk_nvs_message *message, uint32_t version, uint32_t frame_max, bool vf)
{
	const struct nvs_ndis_config request = {
		.type = NVS_TYPE_NDIS_CONFIG,
		.mtu = frame_max,
		.capabilities_low = (uint32_t)(NVS_NDIS_CAPABILITY_VLAN |
					       (vf && version >= NVS_VERSION_5 ? NVS_NDIS_CAPABILITY_SRIOV
									       : 0) |
					       (version >= NVS_VERSION_6_1 ? NVS_NDIS_CAPABILITY_RSC : 0)),
	};

	build(message, version, &request, sizeof(request));
}

void hvk_nvs_build_data_path(struct hvk_nvs_message *message, uint32_t version, bool vf)
{
	const struct nvs_switch_data_path request = {.type = NVS_TYPE_SWITCH_DATA_PATH, .active = vf};

	build(message, version, &request, sizeof(request));
}

hvk_status hvk_nvs_parse_association(const void *payload, uint32_t length, bool *allocated, uint32_t *serial)
{
	struct nvs_vf_association association;

	if (length < sizeof(association))
		return HVK_EHOST_NVS;
	memcpy(&association, payload, sizeof(association));
	*allocated = association.allocated != 0;
	*serial = association.serial;
	return HVK_OK;
}

uint32_t hvk_nvs_ndis_minor(uint32_t version)
{
	return version > NVS_VERSION_4 ? NDIS_MINOR_NEW : NDIS_MINOR_OLD;
}

void hvk_nvs_build_ndis_version(struct hvk_nvs_message *message, uint32_t version)
{
	const struct nvs_ndis_version request = {NVS_TYPE_NDIS_VERSION, NDIS_MAJOR,
						 hvk_nvs_ndis_minor(version)};

	build(message, version, &request, sizeof(request));
}

void hvk_nvs_build_buffer(struct hvk_nvs_message *message, uint32_t version, uint32_t type, uint32_t gpadl,
			  uint16_t page_set_id)
{
	const struct nvs_buffer request = {type, gpadl, page_set_id, 0};

	build(message, version, &request, sizeof(request));
}

void hvk_nvs_build_revoke(struct hvk_nvs_message *message, uint32_t version, uint32_t type,
			  uint16_t page_set_id)
{
	const struct nvs_revoke_buffer request = {type, page_set_id, 0};

	build(message, version, &request, sizeof(request));
}

void hvk_nvs_build_rndis(struct hvk_nvs_message *message, uint32_t version, uint32_t channel_type,
			 uint32_t section_index, uint32_t section_size)
{
	const struct nvs_rndis request = {NVS_TYPE_RNDIS, channel_type, section_index, section_size};

	build(message, version, &request, sizeof(request));
}

void hvk_nvs_build_subchannels(struct hvk_nvs_message *message, uint32_t version, uint32_t count)
{
	const struct nvs_subchannel_request request = {NVS_TYPE_SUBCHANNEL, NVS_SUBCHANNEL_ALLOCATE, count};

	build(message, version, &request, sizeof(request));
}

/* Copies the structure out if the payload is long enough and of the type. */
static hvk_status parse(const void *payload, uint32_t length, uint32_t type, void *to, uint32_t size)
{
	uint32_t found;
	hvk_status status = hvk_nvs_parse_type(payload, length, &found);

	if (status != HVK_OK || found != type || length < size)
		return HVK_EHOST_NVS;
	memcpy(to, payload, size);
	return HVK_OK;
}

hvk_status hvk_nvs_parse_type(const void *payload, uint32_t length, uint32_t *type)
{
	if (length < sizeof(*type))
		return HVK_EHOST_NVS;
	memcpy(type, payload, sizeof(*type));
	return HVK_OK;
}

hvk_status hvk_nvs_parse_init_complete(const void *payload, uint32_t length)
{
	struct nvs_init_complete answer;
	hvk_status status = parse(payload, length, NVS_TYPE_INIT_COMPLETE, &answer, sizeof(answer));

	if (status != HVK_OK)
		return status;
	/* Not by answer.version: some hosts leave 0xffffffff there (OpenVMM). */
	return answer.status == NVS_STATUS_SUCCESS ? HVK_OK : HVK_EREFUSED_NVS_VERSION;
}

hvk_status hvk_nvs_parse_receive_buffer(const void *payload, uint32_t length, uint32_t buffer_size,
					struct hvk_nvs_geometry *geometry)
{
	struct nvs_receive_buffer_complete answer;
	const struct nvs_receive_section *section = &answer.section;
	uint32_t refusal[2]; /* type, status: a refusal need not carry sections */
	uint64_t extent;
	hvk_status status = parse(payload, length, NVS_TYPE_RECEIVE_BUFFER_COMPLETE, refusal,
				  sizeof(refusal));

	if (status != HVK_OK)
		return status;
	if (refusal[1] != NVS_STATUS_SUCCESS)
		return HVK_EREFUSED_NVS;
	status = parse(payload, length, NVS_TYPE_RECEIVE_BUFFER_COMPLETE, &answer, sizeof(answer));
	if (status != HVK_OK)
		return status;
	if (answer.section_count != 1 || section->offset != 0)
		return HVK_EHOST_BUFFER;
	if (section->suballocation_size < HVK_NVS_SUBALLOCATION_MIN || section->suballocation_count == 0)
		return HVK_EHOST_BUFFER;
	extent = (uint64_t)section->suballocation_size * section->suballocation_count;
	if (extent > buffer_size)
		return HVK_EHOST_BUFFER;
	geometry->suballocation_size = section->suballocation_size;
	geometry->suballocation_count = section->suballocation_count;
	geometry->extent = (uint32_t)extent;
	return HVK_OK;
}

hvk_status hvk_nvs_parse_send_buffer(const void *payload, uint32_t length, uint32_t buffer_size,
				     uint32_t *section_size)
{
	struct nvs_send_buffer_complete answer;
	hvk_status status = parse(payload, length, NVS_TYPE_SEND_BUFFER_COMPLETE, &answer, sizeof(answer));

	if (status != HVK_OK)
		return status;
	if (answer.status != NVS_STATUS_SUCCESS)
		return HVK_EREFUSED_NVS;
	if (answer.section_size > buffer_size)
		return HVK_EHOST_BUFFER;
	*section_size = answer.section_size;
	if (answer.section_size < HVK_NVS_SECTION_MIN || answer.section_size % 4 != 0)
		*section_size = 0; /* FreeBSD goes on without sections then */
	return HVK_OK;
}

hvk_status hvk_nvs_parse_rndis_complete(const void *payload, uint32_t length)
{
	struct nvs_rndis_complete answer;
	hvk_status status = parse(payload, length, NVS_TYPE_RNDIS_COMPLETE, &answer, sizeof(answer));

	if (status != HVK_OK)
		return status;
	return answer.status == NVS_STATUS_SUCCESS ? HVK_OK : HVK_EREFUSED_RNDIS;
}

hvk_status hvk_nvs_parse_subchannels(const void *payload, uint32_t length, uint32_t asked, uint32_t *count)
{
	struct nvs_subchannel_complete answer;
	hvk_status status = parse(payload, length, NVS_TYPE_SUBCHANNEL, &answer, sizeof(answer));

	if (status != HVK_OK)
		return status;
	if (answer.status != NVS_STATUS_SUCCESS)
		return HVK_EREFUSED_NVS;
	*count = hvk_min32(answer.count, asked);
	return HVK_OK;
}

hvk_status hvk_nvs_parse_send_indirection(const void *payload, uint32_t length, uint32_t version,
					  uint32_t table[NVS_SEND_INDIRECTION_COUNT])
{
	const uint32_t size = NVS_SEND_INDIRECTION_COUNT * (uint32_t)sizeof(table[0]);
	struct nvs_send_indirection_table message;
	hvk_status status = parse(payload, length, NVS_TYPE_SEND_INDIRECTION_TABLE, &message,
				  sizeof(message));

	if (status != HVK_OK)
		return status;
	if (version <= NVS_VERSION_6 && length >= NVS_SEND_INDIRECTION_OFFSET_OLD + size)
		message.offset = NVS_SEND_INDIRECTION_OFFSET_OLD;
	if (message.count != NVS_SEND_INDIRECTION_COUNT || message.offset < sizeof(message) ||
	    !hvk_fits(message.offset, size, length))
		return HVK_EHOST_NVS;
	memcpy(table, (const uint8_t *)payload + message.offset, size);
	return HVK_OK;
}
