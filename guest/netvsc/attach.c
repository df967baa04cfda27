/* SPDX-License-Identifier: MIT */
/* Bringing the card up: one table, each row a step with its own time-out. */
#include "guest/netvsc/netvsc_internal.h"

#define MTU_MIN 68u
#define MTU_WITHOUT_CONFIG 1500u /* NVS 1 has no NDIS_CONFIG: the host knows this one only */
#define MAC_MULTICAST 1u
#define LINK_SPEED_UNIT 100u /* bit/s */

static const uint32_t versions[] = {NVS_VERSION_6_1, NVS_VERSION_6, NVS_VERSION_5,
				    NVS_VERSION_4,   NVS_VERSION_2, NVS_VERSION_1};
#define VERSION_COUNT (sizeof(versions) / sizeof(versions[0]))

/* --- Channel ------------------------------------------------------------------------ */

static hvk_status begin_open(struct hvk_netvsc *nic)
{
	hvk_status status = hvk_netvsc_control_start(nic);

	if (status != HVK_OK)
		return status;
	return hvk_netvsc_queue_start(netvsc_primary(nic), nic->channel, nic->config.cpu,
				      hvk_netvsc_steps_request(nic));
}

static hvk_status opened(struct hvk_netvsc *nic, const struct netvsc_answer *answer)
{
	nic->opened = answer->status == HVK_OK;
	if (nic->opened)
		hvk_netvsc_queue_opened(netvsc_primary(nic));
	return answer->status;
}

/* --- NVS ------------------------------------------------------------------------------ */

static hvk_status begin_nvs_init(struct hvk_netvsc *nic)
{
	struct hvk_nvs_message message;

	while (nic->nvs_attempt < VERSION_COUNT && versions[nic->nvs_attempt] > nic->config.nvs_newest)
		nic->nvs_attempt++;
	if (nic->nvs_attempt == VERSION_COUNT)
		return HVK_EREFUSED_NVS_VERSION;
	hvk_nvs_build_init(&message, versions[nic->nvs_attempt]);
	return hvk_netvsc_steps_nvs(nic, &message);
}

static hvk_status nvs_initialized(struct hvk_netvsc *nic, const struct netvsc_answer *answer)
{
	hvk_status status = hvk_nvs_parse_init_complete(answer->payload, answer->length);

	if (status == HVK_EREFUSED_NVS_VERSION) {
		nic->nvs_attempt++;
		return HVK_EAGAIN;
	}
	if (status == HVK_OK)
		nic->nvs_version = versions[nic->nvs_attempt];
	return status;
}

static bool has_ndis_config(const struct hvk_netvsc *nic)
{
	return nic->nvs_version >= NVS_VERSION_2;
}

/* No completion is asked for: old hosts send none (Linux asks for none either). */
static hvk_status begin_ndis_config(struct hvk_netvsc *nic)
{
	struct hvk_nvs_message message;

	hvk_nvs_build_ndis_config(&message, nic->nvs_version, nic->config.mtu + HVK_ETHERNET_HEADER);
	return hvk_channel_send(nic->channel, message.bytes, message.size, false, NULL);
}

static hvk_status begin_ndis_version(struct hvk_netvsc *nic)
{
	struct hvk_nvs_message message;

	hvk_nvs_build_ndis_version(&message, nic->nvs_version);
	return hvk_channel_send(nic->channel, message.bytes, message.size, false, NULL);
}

static hvk_status begin_receive_gpadl(struct hvk_netvsc *nic)
{
	uint32_t pages = nic->config.receive_buffer_pages;

	if (nic->nvs_version <= NVS_VERSION_2)
		pages = hvk_min32(pages, HVK_NETVSC_RECEIVE_PAGES_OLD);
	hvk_gpadl_create(nic->channel, pages, &nic->receive_gpadl, hvk_netvsc_steps_request(nic));
	return HVK_EINPROGRESS;
}

static hvk_status begin_receive_buffer(struct hvk_netvsc *nic)
{
	struct hvk_nvs_message message;

	hvk_nvs_build_buffer(&message, nic->nvs_version, NVS_TYPE_RECEIVE_BUFFER, nic->receive_gpadl.id,
			     NVS_RECEIVE_PAGE_SET_ID);
	return hvk_netvsc_steps_nvs(nic, &message);
}

static hvk_status receive_buffer_answered(struct hvk_netvsc *nic, const struct netvsc_answer *answer)
{
	struct hvk_nvs_geometry geometry;
	uint32_t size = nic->receive_gpadl.pages.count * HVK_PAGE_SIZE;
	hvk_status status = hvk_nvs_parse_receive_buffer(answer->payload, answer->length, size, &geometry);

	/* A host whose geometry we refuse has the buffer all the same. */
	nic->receive_connected = status == HVK_OK || status == HVK_EHOST_BUFFER;
	return status == HVK_OK ? hvk_netvsc_receive_start(nic, &geometry) : status;
}

static bool wants_send_buffer(const struct hvk_netvsc *nic)
{
	return nic->config.send_buffer_pages != HVK_NETVSC_NO_SEND_BUFFER;
}

static hvk_status begin_send_gpadl(struct hvk_netvsc *nic)
{
	hvk_gpadl_create(nic->channel, nic->config.send_buffer_pages, &nic->send_gpadl,
			 hvk_netvsc_steps_request(nic));
	return HVK_EINPROGRESS;
}

static hvk_status begin_send_buffer(struct hvk_netvsc *nic)
{
	struct hvk_nvs_message message;

	hvk_nvs_build_buffer(&message, nic->nvs_version, NVS_TYPE_SEND_BUFFER, nic->send_gpadl.id,
			     NVS_SEND_PAGE_SET_ID);
	return hvk_netvsc_steps_nvs(nic, &message);
}

static hvk_status send_buffer_answered(struct hvk_netvsc *nic, const struct netvsc_answer *answer)
{
	uint32_t section_size, size = nic->send_gpadl.pages.count * HVK_PAGE_SIZE;
	hvk_status status = hvk_nvs_parse_send_buffer(answer->payload, answer->length, size, &section_size);

	nic->send_connected = status == HVK_OK || status == HVK_EHOST_BUFFER;
	if (status == HVK_OK)
		hvk_netvsc_transmit_sections(nic, section_size);
	return status;
}

/* --- RNDIS ------------------------------------------------------------------------------- */

static hvk_status query(struct hvk_netvsc *nic, uint32_t oid)
{
	nic->event = NETVSC_EVENT_RNDIS;
	return hvk_netvsc_control_query(nic, oid, hvk_netvsc_steps_rndis_answered);
}

static hvk_status begin_initialize(struct hvk_netvsc *nic)
{
	nic->event = NETVSC_EVENT_RNDIS;
	return hvk_netvsc_control_initialize(nic, hvk_netvsc_steps_rndis_answered);
}

static hvk_status initialized(struct hvk_netvsc *nic, const struct netvsc_answer *answer)
{
	nic->rndis_up = answer->status == HVK_OK;
	return answer->status;
}

static hvk_status begin_mac(struct hvk_netvsc *nic)
{
	return query(nic, RNDIS_OID_802_3_PERMANENT_ADDRESS);
}

static hvk_status take_mac(struct hvk_netvsc *nic, const struct netvsc_answer *answer)
{
	static const uint8_t zeros[6];
	struct hvk_netdev_info *info = &nic->netdev.info;

	if (answer->status != HVK_OK)
		return answer->status;
	if (answer->length != sizeof(info->mac) || (answer->payload[0] & MAC_MULTICAST) ||
	    memcmp(answer->payload, zeros, sizeof(zeros)) == 0)
		return HVK_EHOST_VALUE;
	memcpy(info->mac, answer->payload, sizeof(info->mac));
	return HVK_OK;
}

/* A 32-bit value that the host may refuse: then the default stays. */
static hvk_status take_word(const struct netvsc_answer *answer, uint32_t *value)
{
	if (answer->status == HVK_EREFUSED_RNDIS)
		return HVK_OK;
	if (answer->status != HVK_OK)
		return answer->status;
	if (answer->length != sizeof(*value))
		return HVK_EHOST_VALUE;
	memcpy(value, answer->payload, sizeof(*value));
	return HVK_OK;
}

static hvk_status begin_frame_size(struct hvk_netvsc *nic)
{
	return query(nic, RNDIS_OID_GEN_MAXIMUM_FRAME_SIZE);
}

static hvk_status take_frame_size(struct hvk_netvsc *nic, const struct netvsc_answer *answer)
{
	uint32_t granted = has_ndis_config(nic) ? nic->config.mtu : MTU_WITHOUT_CONFIG;
	hvk_status status = take_word(answer, &granted);

	if (status != HVK_OK)
		return status;
	if (granted < MTU_MIN)
		return HVK_EHOST_VALUE;
	nic->netdev.info.mtu = hvk_min32(granted, nic->config.mtu);
	nic->netdev.info.frame_max = nic->netdev.info.mtu + HVK_ETHERNET_HEADER;
	return HVK_OK;
}

static hvk_status begin_link(struct hvk_netvsc *nic)
{
	return query(nic, RNDIS_OID_GEN_MEDIA_CONNECT_STATUS);
}

static hvk_status take_link(struct hvk_netvsc *nic, const struct netvsc_answer *answer)
{
	uint32_t disconnected = 0;
	hvk_status status = take_word(answer, &disconnected);

	if (status == HVK_OK)
		nic->netdev.info.link_up = disconnected == 0;
	return status;
}

static bool has_link_speed(const struct hvk_netvsc *nic)
{
	return nic->nvs_version >= NVS_VERSION_5;
}

static hvk_status begin_link_speed(struct hvk_netvsc *nic)
{
	return query(nic, RNDIS_OID_GEN_LINK_SPEED);
}

static hvk_status take_link_speed(struct hvk_netvsc *nic, const struct netvsc_answer *answer)
{
	uint32_t speed = 0;
	hvk_status status = take_word(answer, &speed);

	if (status == HVK_OK)
		nic->netdev.info.link_speed = (uint64_t)speed * LINK_SPEED_UNIT;
	return status;
}

/* Some hosts begin with a filter that is not 0 (FreeBSD). What came until the answer
 * is dropped: the ring keeps the order. */
static hvk_status begin_filter_off(struct hvk_netvsc *nic)
{
	nic->event = NETVSC_EVENT_RNDIS;
	return hvk_netvsc_control_set(nic, RNDIS_OID_GEN_CURRENT_PACKET_FILTER, 0,
				      hvk_netvsc_steps_rndis_answered);
}

/* --- The table ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct netvsc_step steps[] = {
	/* name                 wanted             begin                 answered */
	{"open",                NULL,              begin_open,           opened,
	 NETVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_OPEN, false},
	{"NVS INIT",            NULL,              begin_nvs_init,       nvs_initialized,
	 NETVSC_WAIT_DEVICE, HVK_ETIMEDOUT_NVS_INIT, false},
	{"NDIS_CONFIG",         has_ndis_config,   begin_ndis_config,    NULL,
	 NETVSC_WAIT_DEVICE, HVK_ETIMEDOUT_NVS_INIT, false},
	{"NDIS_VERSION",        NULL,              begin_ndis_version,   NULL,
	 NETVSC_WAIT_DEVICE, HVK_ETIMEDOUT_NVS_INIT, false},
	{"receive buffer GPADL", NULL,             begin_receive_gpadl,  NULL,
	 NETVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_GPADL, false},
	{"RECEIVE_BUFFER",      NULL,              begin_receive_buffer, receive_buffer_answered,
	 NETVSC_WAIT_DEVICE, HVK_ETIMEDOUT_NVS_RECEIVE_BUFFER, false},
	{"send buffer GPADL",   wants_send_buffer, begin_send_gpadl,     NULL,
	 NETVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_GPADL, false},
	{"SEND_BUFFER",         wants_send_buffer, begin_send_buffer,    send_buffer_answered,
	 NETVSC_WAIT_DEVICE, HVK_ETIMEDOUT_NVS_SEND_BUFFER, false},
	{"RNDIS INITIALIZE",    NULL,              begin_initialize,     initialized,
	 NETVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_INITIALIZE, false},
	{"MAC address",         NULL,              begin_mac,            take_mac,
	 NETVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_QUERY, false},
	{"maximum frame size",  NULL,              begin_frame_size,     take_frame_size,
	 NETVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_QUERY, false},
	{"link status",         NULL,              begin_link,           take_link,
	 NETVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_QUERY, false},
	{"link speed",          has_link_speed,    begin_link_speed,     take_link_speed,
	 NETVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_QUERY, false},
	{"filter off",          NULL,              begin_filter_off,     NULL,
	 NETVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_SET, false},
};
/* clang-format on */

static const struct netvsc_sequence *attach_failed(struct hvk_netvsc *nic, hvk_status status)
{
	hvk_log(nic->hvk, HVK_LOG_ERROR, "netvsc: %s failed: %s", steps[nic->step].name,
		hvk_status_text(status));
	nic->result = status;
	nic->silent = status >= HVK_ETIMEDOUT && status <= HVK_ETIMEDOUT_SEND;
	return &hvk_netvsc_detach_sequence;
}

static void attached(struct hvk_netvsc *nic)
{
	const struct hvk_netdev_info *info = &nic->netdev.info;
	const uint8_t *mac = info->mac;

	hvk_log(nic->hvk, HVK_LOG_INFO, "netvsc: NVS 0x%x, %02x:%02x:%02x:%02x:%02x:%02x, MTU %u, link %s",
		nic->nvs_version, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], info->mtu,
		info->link_up ? "up" : "down");
	hvk_netvsc_end(nic, NETVSC_ATTACHED);
}

const struct netvsc_sequence hvk_netvsc_attach_sequence = {steps, sizeof(steps) / sizeof(steps[0]),
							   attach_failed, attached};
