/* SPDX-License-Identifier: MIT */
/* Bringing the card up: one table, each row a step with its own time-out. */
#include "guest/netvsc/netvsc_internal.h"

#define MAC_MULTICAST 1u

static const uint32_t versions[] = {NVS_VERSION_6_1, NVS_VERSION_6, NVS_VERSION_5,
				    NVS_VERSION_4,   NVS_VERSION_2, NVS_VERSION_1};
#define VERSION_COUNT (sizeof(versions) / sizeof(versions[0]))

/* --- Channel ------------------------------------------------------------------------ */

static hvk_status begin_open(void *device)
{
	struct hvk_netvsc *nic = device;
	hvk_status status = hvk_netvsc_control_start(nic);

	if (status != HVK_OK)
		return status;
	return hvk_netvsc_queue_start(netvsc_primary(nic), nic->channel, nic->config.cpu,
				      hvk_steps_request(&nic->steps));
}

static hvk_status opened(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;

	nic->opened = answer->status == HVK_OK;
	if (nic->opened)
		hvk_netvsc_queue_opened(netvsc_primary(nic));
	return answer->status;
}

/* --- NVS ------------------------------------------------------------------------------ */

/* A card that was up before comes up at the version that it had, or not at all: those above know what it
 * could do (FreeBSD). */
static hvk_status begin_nvs_init(void *device)
{
	struct hvk_netvsc *nic = device;
	struct hvk_nvs_message message;
	uint32_t newest = nic->nvs_was != 0 ? nic->nvs_was : nic->config.nvs_newest;

	while (nic->nvs_attempt < VERSION_COUNT && versions[nic->nvs_attempt] > newest)
		nic->nvs_attempt++;
	if (nic->nvs_attempt == VERSION_COUNT ||
	    (nic->nvs_was != 0 && versions[nic->nvs_attempt] != nic->nvs_was))
		return HVK_EREFUSED_NVS_VERSION;
	hvk_nvs_build_init(&message, versions[nic->nvs_attempt]);
	return hvk_netvsc_steps_nvs(nic, &message);
}

static hvk_status nvs_initialized(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
	hvk_status status = hvk_nvs_parse_init_complete(answer->payload, answer->length);

	if (status == HVK_EREFUSED_NVS_VERSION) {
		nic->nvs_attempt++;
		return HVK_EAGAIN;
	}
	if (status == HVK_OK)
		nic->nvs_version = versions[nic->nvs_attempt];
	return status;
}

static bool has_ndis_config(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return nic->nvs_version >= NVS_VERSION_2;
}

/* No completion is asked for: old hosts send none (Linux asks for none either). A host need not know
 * less than Ethernet's MTU (OpenVMM: 1514); a smaller one is a matter of what we send. */
static hvk_status begin_ndis_config(void *device)
{
	struct hvk_netvsc *nic = device;
	uint32_t mtu = nic->wanted.mtu < HVK_NETVSC_MTU_OLD ? HVK_NETVSC_MTU_OLD : nic->wanted.mtu;
	struct hvk_nvs_message message;

	hvk_nvs_build_ndis_config(&message, nic->nvs_version, mtu + HVK_ETHERNET_HEADER, nic->config.vf);
	return hvk_channel_send(nic->channel, message.bytes, message.size, false, NULL);
}

static hvk_status begin_ndis_version(void *device)
{
	struct hvk_netvsc *nic = device;
	struct hvk_nvs_message message;

	hvk_nvs_build_ndis_version(&message, nic->nvs_version);
	return hvk_channel_send(nic->channel, message.bytes, message.size, false, NULL);
}

static hvk_status begin_receive_gpadl(void *device)
{
	struct hvk_netvsc *nic = device;
	uint32_t pages = nic->config.receive_buffer_pages;

	if (nic->nvs_version <= NVS_VERSION_2)
		pages = hvk_min32(pages, HVK_NETVSC_RECEIVE_PAGES_OLD);
	hvk_gpadl_create(nic->channel, pages, &nic->receive_gpadl, hvk_steps_request(&nic->steps));
	return HVK_EINPROGRESS;
}

static hvk_status begin_receive_buffer(void *device)
{
	struct hvk_netvsc *nic = device;
	struct hvk_nvs_message message;

	hvk_nvs_build_buffer(&message, nic->nvs_version, NVS_TYPE_RECEIVE_BUFFER, nic->receive_gpadl.id,
			     NVS_RECEIVE_PAGE_SET_ID);
	return hvk_netvsc_steps_nvs(nic, &message);
}

static hvk_status receive_buffer_answered(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
	struct hvk_nvs_geometry geometry;
	uint32_t size = nic->receive_gpadl.pages.count * HVK_PAGE_SIZE;
	hvk_status status = hvk_nvs_parse_receive_buffer(answer->payload, answer->length, size, &geometry);

	/* A host whose geometry we refuse has the buffer all the same. */
	nic->receive_connected = status == HVK_OK || status == HVK_EHOST_BUFFER;
	return status == HVK_OK ? hvk_netvsc_receive_start(nic, &geometry) : status;
}

static bool wants_send_buffer(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return nic->config.send_buffer_pages != HVK_NETVSC_NO_SEND_BUFFER;
}

static hvk_status begin_send_gpadl(void *device)
{
	struct hvk_netvsc *nic = device;
	hvk_gpadl_create(nic->channel, nic->config.send_buffer_pages, &nic->send_gpadl,
			 hvk_steps_request(&nic->steps));
	return HVK_EINPROGRESS;
}

static hvk_status begin_send_buffer(void *device)
{
	struct hvk_netvsc *nic = device;
	struct hvk_nvs_message message;

	hvk_nvs_build_buffer(&message, nic->nvs_version, NVS_TYPE_SEND_BUFFER, nic->send_gpadl.id,
			     NVS_SEND_PAGE_SET_ID);
	return hvk_netvsc_steps_nvs(nic, &message);
}

static hvk_status send_buffer_answered(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
	uint32_t section_size, size = nic->send_gpadl.pages.count * HVK_PAGE_SIZE;
	hvk_status status = hvk_nvs_parse_send_buffer(answer->payload, answer->length, size, &section_size);

	nic->send_connected = status == HVK_OK || status == HVK_EHOST_BUFFER;
	if (status == HVK_OK && section_size != 0)
		hvk_netvsc_transmit_sections(nic, section_size);
	return status;
}

/* --- RNDIS ------------------------------------------------------------------------------- */

static hvk_status begin_initialize(void *device)
{
	struct hvk_netvsc *nic = device;

	nic->steps.event = NETVSC_EVENT_RNDIS;
	return hvk_netvsc_control_initialize(nic, hvk_netvsc_steps_rndis_answered);
}

static hvk_status initialized(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;

	nic->rndis_up = answer->status == HVK_OK;
	return answer->status;
}

static hvk_status begin_mac(void *device)
{
	struct hvk_netvsc *nic = device;

	return hvk_netvsc_steps_query(nic, RNDIS_OID_802_3_PERMANENT_ADDRESS, NULL, 0);
}

static hvk_status take_mac(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
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

static hvk_status begin_frame_size(void *device)
{
	struct hvk_netvsc *nic = device;

	return hvk_netvsc_steps_query(nic, RNDIS_OID_GEN_MAXIMUM_FRAME_SIZE, NULL, 0);
}

static hvk_status take_frame_size(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
	struct hvk_netdev_info *info = &nic->netdev.info;
	uint32_t granted = has_ndis_config(nic) ? nic->wanted.mtu : HVK_NETVSC_MTU_OLD;
	hvk_status status = hvk_netvsc_take_word(answer, &granted);

	if (status != HVK_OK)
		return status;
	if (granted < HVK_NETVSC_MTU_MIN)
		return HVK_EHOST_VALUE;
	info->mtu = hvk_min32(granted, nic->wanted.mtu);
	info->mtu_max = has_ndis_config(nic) ? HVK_NETVSC_MTU_MAX : hvk_min32(granted, HVK_NETVSC_MTU_OLD);
	info->frame_max = info->mtu + HVK_ETHERNET_HEADER;
	return HVK_OK;
}

static hvk_status take_link(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
	uint32_t disconnected = 0;
	hvk_status status = hvk_netvsc_take_word(answer, &disconnected);

	if (status == HVK_OK)
		nic->netdev.info.link_up = disconnected == 0;
	return status;
}

static hvk_status take_speed(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
	hvk_netvsc_speed_answered(nic, answer);
	return answer->status == HVK_EREFUSED_RNDIS ? HVK_OK : answer->status;
}

/* Some hosts begin with a filter that is not 0 (FreeBSD). What came until the answer
 * is dropped: the ring keeps the order, and the other queues' rings are not there yet. */
static hvk_status begin_filter_off(void *device)
{
	struct hvk_netvsc *nic = device;
	static const uint32_t filter;

	return hvk_netvsc_steps_set(nic, RNDIS_OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
}

/* What was asked for and the host has; a refusal of it all is no reason to fail. */
static hvk_status offloads_answered(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
	hvk_status status = hvk_netvsc_take_offloads(nic, answer);

	if (status != HVK_EREFUSED_RNDIS)
		return status;
	nic->wanted.enabled &= HVK_NETDEV_TX_VLAN | HVK_NETDEV_RX_VLAN | HVK_NETDEV_RSS;
	return HVK_OK;
}

static hvk_status rss_answered(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;

	if (answer->status != HVK_EREFUSED_RNDIS)
		return answer->status;
	nic->wanted.enabled &= ~HVK_NETDEV_RSS;
	return HVK_OK;
}

/* After a restart the card is as it was; a first attach ends with the filter off. */
static bool was_up(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return (nic->wanted.flags & HVK_NETDEV_UP) != 0;
}

/* --- The table ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct hvk_step steps[] = {
	/* name                 wanted             begin                 answered */
	{"open",                NULL,              begin_open,           opened,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_OPEN, false},
	{"NVS INIT",            NULL,              begin_nvs_init,       nvs_initialized,
	 NETVSC_WAIT_DEVICE, HVK_ETIMEDOUT_NVS_INIT, false},
	{"NDIS_CONFIG",         has_ndis_config,   begin_ndis_config,    NULL,
	 NETVSC_WAIT_DEVICE, HVK_ETIMEDOUT_NVS_INIT, false},
	{"NDIS_VERSION",        NULL,              begin_ndis_version,   NULL,
	 NETVSC_WAIT_DEVICE, HVK_ETIMEDOUT_NVS_INIT, false},
	{"receive buffer GPADL", NULL,             begin_receive_gpadl,  NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_GPADL, false},
	{"RECEIVE_BUFFER",      NULL,              begin_receive_buffer, receive_buffer_answered,
	 NETVSC_WAIT_DEVICE, HVK_ETIMEDOUT_NVS_RECEIVE_BUFFER, false},
	{"send buffer GPADL",   wants_send_buffer, begin_send_gpadl,     NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_GPADL, false},
	{"SEND_BUFFER",         wants_send_buffer, begin_send_buffer,    send_buffer_answered,
	 NETVSC_WAIT_DEVICE, HVK_ETIMEDOUT_NVS_SEND_BUFFER, false},
	{"RNDIS INITIALIZE",    NULL,              begin_initialize,     initialized,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_INITIALIZE, false},
	{"MAC address",         NULL,              begin_mac,            take_mac,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_QUERY, false},
	{"maximum frame size",  NULL,              begin_frame_size,     take_frame_size,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_QUERY, false},
	{"link status",         NULL,              hvk_netvsc_begin_link, take_link,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_QUERY, false},
	{"link speed",          hvk_netvsc_has_speed, hvk_netvsc_begin_speed, take_speed,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_QUERY, false},
	{"filter off",          NULL,              begin_filter_off,     NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_SET, false},
	{"offload capabilities", NULL, hvk_netvsc_begin_capabilities, hvk_netvsc_take_capabilities,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_QUERY, false},
	{"RSS capabilities",    hvk_netvsc_may_have_rss, hvk_netvsc_begin_rss_query,
	 hvk_netvsc_take_rss_query, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_QUERY, false},
	{"OFFLOAD_PARAMETERS",  hvk_netvsc_has_offloads, hvk_netvsc_begin_offloads, offloads_answered,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_SET, false},
	{"SUBCHANNEL",          hvk_netvsc_may_have_subchannels, hvk_netvsc_begin_subchannels,
	 hvk_netvsc_take_subchannels, NETVSC_WAIT_SUBCHANNELS, HVK_ETIMEDOUT, true},
	{"sub-channels offered", hvk_netvsc_has_hooks, hvk_netvsc_await_subchannels, NULL,
	 NETVSC_WAIT_SUBCHANNELS, HVK_ETIMEDOUT, true},
	{"sub-channels opened", hvk_netvsc_has_hooks, hvk_netvsc_begin_open, hvk_netvsc_take_open,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_OPEN, true},
	{"RSS off",             hvk_netvsc_wants_rss, hvk_netvsc_begin_rss_off, rss_answered,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_SET, false},
	{"RSS",                 hvk_netvsc_wants_rss, hvk_netvsc_begin_rss, rss_answered,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_SET, false},
	{"packet filter",       was_up,            hvk_netvsc_begin_filter, NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_RNDIS_SET, false},
};
/* clang-format on */

static const struct hvk_sequence *attach_failed(void *device, hvk_status status)
{
	struct hvk_netvsc *nic = device;
	hvk_log(nic->hvk, HVK_LOG_ERROR, "netvsc: %s failed: %s", steps[nic->steps.step].name,
		hvk_status_text(status));
	nic->result = status;
	nic->silent = status >= HVK_ETIMEDOUT && status < HVK_EREFUSED_OPEN;
	return &hvk_netvsc_detach_sequence;
}

static void attached(void *device)
{
	struct hvk_netvsc *nic = device;
	hvk_netvsc_end(nic, NETVSC_ATTACHED);
}

const struct hvk_sequence hvk_netvsc_attach_sequence = {steps, sizeof(steps) / sizeof(steps[0]),
							attach_failed, attached};
